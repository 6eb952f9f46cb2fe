"""Long work says that it goes on, to whom looks on, and leaves nothing; quick work says nothing."""

import io
import sys
import time
from contextlib import suppress

import nbclient
import nbformat
import pytest

from crn_nn_tellurium.basics import progress, progress_bar


def as_terminal(monkeypatch):
    """Standard error, as a terminal; within the test, before which pytest sets its own."""
    screen = io.StringIO()
    screen.isatty = lambda: True
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", screen)
    return screen


def wait_until(condition):
    """For a thread to have come so far, at most 30 s on a busy machine."""
    end = time.perf_counter() + 30
    while not condition():
        assert time.perf_counter() < end
        time.sleep(0.01)


def test_what_lets_nothing_else_run_is_shown_at_once_and_taken_away(monkeypatch):
    terminal = as_terminal(monkeypatch)
    with progress_bar("compiling", None, 1, patience=0):
        assert "compiling" in terminal.getvalue()
    # one line up, and that line erased
    assert terminal.getvalue().endswith("\x1b[1A\x1b[2K")


def test_long_work_is_shown_and_what_is_part_of_it_is_not(monkeypatch):
    terminal = as_terminal(monkeypatch)
    with progress_bar("measuring", total=3, patience=0.1) as advance:
        advance(1, "rows")  # before it is shown
        with progress_bar("a part", patience=0):
            wait_until(lambda: "1/3" in terminal.getvalue())
        advance(2, "lines")
    shown = terminal.getvalue()
    assert "measuring" in shown
    assert "rows" in shown
    assert "2/3" in shown
    assert "a part" not in shown
    with progress_bar("a part", patience=0):
        assert "a part" in terminal.getvalue()


def test_quick_work_shows_nothing(monkeypatch):
    terminal = as_terminal(monkeypatch)
    with progress_bar("quick") as advance:
        advance(1, "rows")
    with progress_bar("asked not to", False, patience=0):
        pass
    assert terminal.getvalue() == ""


@pytest.mark.parametrize("wanted", [None, False])
def test_where_nobody_looks_nothing_is_written(wanted, capfd):
    with progress_bar("compiling", wanted, 1, patience=0) as show:
        show(1, "done")
    assert capfd.readouterr() == ("", "")


def test_what_is_asked_for_is_shown_at_once(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    with progress_bar("asked for", True, 1) as advance:
        advance(1, "rows")
    assert "1/1" in capsys.readouterr().err
    assert progress.PATIENCE > 1


def test_through_a_pipe_it_is_plain_lines(capfd, monkeypatch):
    """The first, the last, and between them one every so often; nothing of a terminal's."""
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    with progress_bar("scanning [red]", True, 1000) as advance:
        for done in range(1001):
            advance(done, "points")
    lines = capfd.readouterr().err.splitlines()
    # as begin says it, with nothing done; a slow machine may have some between
    assert lines[0] == "scanning [red] 0/1000"
    assert lines[-1] == "scanning [red] 1000/1000 points"
    assert len(lines) < 20


def refuse(_):
    raise OSError(28, "No space left on device")


def test_work_goes_on_where_its_lines_are_lost(monkeypatch):
    """On a full disk; the next bar is shown again."""
    full, file = io.StringIO(), io.StringIO()
    monkeypatch.setattr(full, "write", refuse)
    for stream in (full, file):
        monkeypatch.setattr(sys, "stderr", stream)
        with progress_bar("work", True, 2) as advance:
            advance(2, "rows")
    assert file.getvalue() == "work 0/2\nwork 2/2 rows\n"


def test_a_bar_that_cannot_end_leaves_room_for_the_next(monkeypatch):
    terminal = as_terminal(monkeypatch)
    end = progress._Bar.end

    def interrupted(bar):
        end(bar)
        raise KeyboardInterrupt

    monkeypatch.setattr(progress._Bar, "end", interrupted)
    for what in ("first", "second"):
        with pytest.raises(KeyboardInterrupt), progress_bar(what, patience=0):
            assert what in terminal.getvalue()


@pytest.mark.slow
def test_a_notebook_keeps_nothing_of_it():
    """In a kernel: what is on display while it runs, and what the file has afterwards."""
    code = """if True:
        import time
        from crn_nn_tellurium.basics import progress_bar
        with progress_bar("a < b", None, 4, patience=0) as show:
            time.sleep(0.2)
            show(3, "of four")
            {stop}
    """
    kept = []
    for stop in ("pass", "import os; time.sleep(0.5); os._exit(0)"):
        cell = nbformat.v4.new_code_cell(code.format(stop=stop))
        book = nbformat.v4.new_notebook(cells=[cell])
        with suppress(nbclient.exceptions.DeadKernelError):
            nbclient.NotebookClient(book, timeout=60).execute()
        kept.append([output.get("data", {}) for output in cell.outputs])
    assert kept[0] == [{}]  # nothing to draw
    ((while_running),) = kept[1]
    assert while_running["text/plain"] == "a < b 3/4 of four"
    assert while_running["text/html"].startswith('a &lt; b 3/4 of four <progress value="3"')


def test_what_is_written_is_not_written_again_at_the_end(monkeypatch):
    file = io.StringIO()
    monkeypatch.setattr(sys, "stderr", file)
    with progress_bar("work", True, 2):
        pass
    assert file.getvalue() == "work 0/2\n"
