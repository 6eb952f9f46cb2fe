"""A lock in a file has one holder, whoever dies over it."""

import errno
import os
import subprocess
import sys
import threading

import pytest

from crn_nn_tellurium.basics import FileLock

ENTER = """
import os, sys
from pathlib import Path
from crn_nn_tellurium.basics import FileLock
path, entered = Path(sys.argv[1]), 0
inside = path.with_suffix(".inside")
print("ready", flush=True)
sys.stdin.readline()
while entered < int(sys.argv[2]):
    lock = FileLock(path)
    if lock.acquire():
        continue
    inside.open("x").close()  # FileExistsError if another is in
    inside.unlink()
    lock.release()
    entered += 1
"""
HOLD = """
import sys
from pathlib import Path
from crn_nn_tellurium.basics import FileLock
lock = FileLock(Path(sys.argv[1]))
print(lock.acquire() or "ready", flush=True)
sys.stdin.readline()
"""


def start(code, *arguments):
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    return process


def test_two_processes_never_enter_both_over_a_dead_lock(tmp_path):
    """26 of 300 pairs did, when a dead holder's lock was deleted and then made anew."""
    path = tmp_path / "lock"
    path.write_text("process 1 on nowhere", encoding="utf-8")  # as a dead holder leaves it
    racers = [start(ENTER, path, 1000) for _ in range(2)]
    for racer in racers:
        racer.stdin.write("\n")
        racer.stdin.flush()
    for racer in racers:
        racer.communicate(timeout=60)
        assert racer.returncode == 0
    assert [*tmp_path.iterdir()] == []


def test_a_killed_holder_lets_go(tmp_path):
    path = tmp_path / "lock"
    holder = start(HOLD, path)
    lock = FileLock(path)
    assert lock.acquire().startswith(f"process {holder.pid} on ")
    holder.kill()
    holder.wait()
    holder.stdin.close()
    holder.stdout.close()
    assert path.exists()
    assert lock.acquire() == ""
    lock.release()
    assert not path.exists()


def test_threads_of_one_process_are_kept_apart(tmp_path):
    path, inside, most = tmp_path / "lock", [], []

    def enter():
        for _ in range(300):
            lock = FileLock(path)
            while lock.acquire():
                pass
            inside.append(1)
            most.append(len(inside))
            inside.pop()
            lock.release()

    threads = [threading.Thread(target=enter) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 900
    assert max(most) == 1


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="links are followed on this system")
def test_what_a_link_leads_to_is_not_written_into(tmp_path):
    mine, path = tmp_path / "mine", tmp_path / "lock"
    mine.write_text("precious", encoding="utf-8")
    path.symlink_to(mine)
    with pytest.raises(OSError, match="lock"):
        FileLock(path).acquire()
    assert mine.read_text(encoding="utf-8") == "precious"


def test_a_lock_that_is_held_is_refused_in_its_own_thread_too(tmp_path):
    first, second = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    assert first.acquire() == ""
    assert second.acquire().startswith("process ")
    second.release()  # of one that has nothing
    assert second.acquire().startswith("process ")
    first.release()
    assert second.acquire() == ""
    second.release()


def test_a_file_system_without_locks_is_said(tmp_path, monkeypatch):
    def refuse(_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("crn_nn_tellurium.basics.locks._lock_now", refuse)
    lock = FileLock(tmp_path / "lock")
    with pytest.warns(RuntimeWarning, match="lock': its file system keeps no locks"):
        assert lock.acquire() == ""
    lock.release()


def test_on_a_full_disk_it_is_held_all_the_same(tmp_path, monkeypatch):
    """An error without a file's name left a lock behind, which was nobody's."""

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    first, second = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    monkeypatch.setattr(os, "write", full)
    assert first.acquire() == ""
    assert second.acquire() == "another process"
    first.release()
    assert [*tmp_path.iterdir()] == []


def test_who_holds_it_is_said_whatever_is_in_the_file(tmp_path):
    """A lock of another program, or one that was cut off: no text, or none at all."""
    path = tmp_path / "lock"
    for content, said in ((b"\xff\xfe process", "\ufffd\ufffd process"), (b"", "another process")):
        first = FileLock(path)
        assert first.acquire() == ""
        path.write_bytes(content)
        assert FileLock(path).acquire() == said
        first.release()
        assert not path.exists()
