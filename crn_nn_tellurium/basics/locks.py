"""Locks: of threads, which a forked process has anew, and of files, which a process's end opens.

A fork copies this process as it is, locks too, but of its threads the one that forks alone: what
another held would be held for ever.
"""

from __future__ import annotations

import os
import platform
import sys
import threading
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from types import ModuleType
from weakref import WeakSet

from crn_nn_tellurium.basics.warning import warn


class Lock:
    """A lock for `with`. Who holds it leaves nothing behind that the next one could not take over,
    for in a forked process the work that it was held for ends anywhere.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        _all.add(self)

    def acquire(self, blocking: bool = True) -> bool:
        return self._lock.acquire(blocking)

    def release(self) -> None:
        self._lock.release()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


_all: WeakSet[Lock] = WeakSet()


def _renew() -> None:
    for lock in _all:
        lock._lock = threading.Lock()
    # until Python 3.12, every cached property has a lock too, held while its value is made
    package = __name__.partition(".")[0]
    modules = [module for name, module in sys.modules.items() if name.startswith(package)]
    for kind in {kind for module in modules for kind in _classes(module)}:
        for part in vars(kind).values():
            if isinstance(part, cached_property) and hasattr(part, "lock"):
                part.lock = threading.RLock()


def _classes(module: ModuleType) -> list[type]:
    return [thing for thing in vars(module).values() if isinstance(thing, type)]


if hasattr(os, "register_at_fork"):  # on Windows nothing forks
    os.register_at_fork(after_in_child=_renew)


_OWN_FILE = getattr(os, "O_NOFOLLOW", 0)
"""What a link of that name leads to is not ours to write into."""


class FileLock:
    """A file that one holder at a time has, among all processes and threads.

    The system keeps the lock, and opens it when the holder's process ends, however it ends: the
    file of a dead one is anybody's. It is deleted on release, and says who has it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> str:
        """Take it, and return nothing; or who has it."""
        while True:
            # each holder, also in one process, opens the file anew: what is locked is the opening
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | _OWN_FILE, 0o666)
            try:
                if not self._lock(descriptor):
                    return os.read(descriptor, 1000).decode(errors="replace") or "another process"
                if self._is_of(descriptor):
                    # of a full disk it is held too, and others are told less
                    with suppress(OSError):
                        os.ftruncate(descriptor, 0)
                        os.write(descriptor, f"process {os.getpid()} on {platform.node()}".encode())
                    self._descriptor, descriptor = descriptor, -1
                    return ""
            finally:
                if descriptor >= 0:
                    os.close(descriptor)

    def release(self) -> None:
        """Delete the file, if this holder has it, and let others take it."""
        if self._descriptor is None:
            return
        if os.name == "posix":
            # before it is opened: after, it may be another's
            self._path.unlink(missing_ok=True)
        os.close(self._descriptor)
        self._descriptor = None

    def _lock(self, descriptor: int) -> bool:
        try:
            _lock_now(descriptor)
        except (BlockingIOError, PermissionError):
            return False
        except OSError as error:
            # as on some network drives, where nothing keeps two apart
            warn(
                f"{str(self._path)!r}: its file system keeps no locks ({error.strerror}); see to it"
                " that no other process writes there",
                RuntimeWarning,
            )
        return True

    def _is_of(self, descriptor: int) -> bool:
        """Whether what was opened is still the file, which its last holder has deleted since."""
        try:
            return os.path.samestat(os.fstat(descriptor), os.stat(self._path))
        except FileNotFoundError:
            return False


def _lock_now(descriptor: int) -> None:
    """Lock a file, or raise OSError at once: the one place that asks which system this is."""
    if sys.platform == "win32":
        import msvcrt

        # a byte far behind the text, which others are to read
        os.lseek(descriptor, 2**30, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
