"""Bars that show how far long work is, and are gone when it is done."""

import io
import sys
from contextlib import suppress

import nbclient
import nbformat
import pytest

from crn_nn_tellurium.basics import progress_bar


def as_terminal(monkeypatch):
    """Standard error, as a terminal; within the test, before which pytest sets its own."""
    screen = io.StringIO()
    screen.isatty = lambda: True
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", screen)
    return screen


def test_on_a_terminal_it_is_shown_at_once_and_taken_away(monkeypatch):
    terminal = as_terminal(monkeypatch)
    with progress_bar("compiling", None, 1):
        assert "compiling" in terminal.getvalue()
    # one line up, and that line erased
    assert terminal.getvalue().endswith("\x1b[1A\x1b[2K")


def test_of_two_at_once_the_first_is_shown(monkeypatch):
    terminal = as_terminal(monkeypatch)
    with progress_bar("scanning", None, 10) as show, progress_bar("compiling", None, 1) as inner:
        inner(1, "inner")
        show(5, "outer")
    assert "scanning" in terminal.getvalue()
    assert "compiling" not in terminal.getvalue()
    with progress_bar("compiling", None, 1):
        assert "compiling" in terminal.getvalue()


@pytest.mark.parametrize("progress", [None, False])
def test_where_nobody_looks_nothing_is_written(progress, capfd):
    with progress_bar("compiling", progress, 1) as show:
        show(1, "done")
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_a_notebook_keeps_nothing_of_it():
    """In a kernel: what is on display while it runs, and what the file has afterwards."""
    code = """if True:
        import time
        from crn_nn_tellurium.basics import progress_bar
        with progress_bar("a < b", None, 4) as show:
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
    assert kept[0] == [{"text/html": "", "text/plain": ""}]
    ((while_running),) = kept[1]
    assert while_running["text/plain"] == "a < b 3/4 of four"
    assert while_running["text/html"].startswith('a &lt; b 3/4 of four <progress value="3"')
