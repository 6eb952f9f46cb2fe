"""The progress bar of long work, with the time left."""

from __future__ import annotations

import html
import math
import multiprocessing
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from crn_nn_tellurium.basics.checks import truth
from crn_nn_tellurium.basics.locks import Lock

if TYPE_CHECKING:
    from rich.console import Console

Show = Callable[[int, str], None]
"""Takes how much is done, and a text."""
PATIENCE = 2.0
"""Seconds after which work says that it goes on: what is quicker shows nothing."""
_PAUSE = 0.1
"""Seconds between two drawings in a notebook."""
_LINES = 5.0
"""Seconds between two lines in a file or pipe, which keeps them."""
_showing = Lock()


@contextmanager
def progress_bar(
    what: str, progress: bool | None = None, total: int | None = None, patience: float = PATIENCE
) -> Iterator[Show]:
    """A progress bar on standard error or in a notebook, as a function of (done, text); no total,
    no time left. Nothing of it is left behind, but where standard error is a file or a pipe: there
    it is plain lines, if `progress` is true.

    It is shown at once if `progress` is true; if it is None, on a terminal or in a notebook, when
    the work has taken `patience`: 0 for what lets no other thread run. Of several at once, the
    first is shown.
    """
    # a worker's bar would be drawn across that of who started it
    if progress is not None:
        progress = truth("progress", progress)
    is_main = multiprocessing.current_process().name == "MainProcess"
    is_wanted = _is_seen() if progress is None else progress
    if not (is_wanted and is_main and _showing.acquire(blocking=False)):
        yield _nothing
        return
    bar, at_once = _Bar(what, total), progress or not patience
    timer = threading.Timer(patience, bar.begin)
    timer.daemon = True
    try:
        if at_once:
            bar.begin()
        else:
            timer.start()
        yield bar.advance
    finally:
        try:
            timer.cancel()
            if not at_once:
                timer.join()  # it may be about to begin
            bar.end()
        finally:
            _showing.release()


def _nothing(done: int, text: str) -> None:
    pass


def _is_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    # the shell of a notebook, and no other, has a kernel
    return bool(ipython and hasattr(ipython.get_ipython(), "kernel"))


def _is_seen() -> bool:
    """Whether somebody looks on."""
    return _is_notebook() or bool(sys.stderr is not None and sys.stderr.isatty())


class _Bar:
    """A bar that may begin while the work is under way."""

    def __init__(self, what: str, total: int | None) -> None:
        self._what, self._total = what, total
        self._state = (0, "")
        self._show: Show = _nothing
        self._shown = ExitStack()

    def begin(self) -> None:
        make = _in_notebook if _is_notebook() else _on_standard_error
        self._show = self._shown.enter_context(make(self._what, self._total))
        self._show(*self._state)

    def advance(self, done: int, text: str) -> None:
        self._state = done, text
        self._show(done, text)

    def end(self) -> None:
        self._shown.close()


@contextmanager
def _on_standard_error(what: str, total: int | None) -> Iterator[Show]:
    # imported here: whoever does quick work does not wait for rich
    from rich.console import Console

    console = Console(stderr=True)
    with (_on_terminal if console.is_terminal else _in_lines)(console, what, total) as show:
        yield show


@contextmanager
def _in_lines(console: Console, what: str, total: int | None) -> Iterator[Show]:
    """Lines, the first and the last and not too many between."""
    last, kept = -math.inf, ""

    def show(done: int, text: str) -> None:
        nonlocal last, kept
        kept = " ".join(filter(None, (what, "" if total is None else f"{done}/{total}", text)))
        if time.monotonic() - last > _LINES:
            last = time.monotonic()
            flush()

    def flush() -> None:
        nonlocal kept
        text, kept = kept, ""
        # the work goes on where its lines are lost: on a full disk, or in a pipe that nobody reads
        with suppress(OSError):
            if text:
                console.file.write(f"{text}\n")
                console.file.flush()

    try:
        yield show
    finally:
        flush()


@contextmanager
def _on_terminal(console: Console, what: str, total: int | None) -> Iterator[Show]:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    known = (MofNCompleteColumn(), TimeRemainingColumn())
    columns = (
        # names of anybody's are in both texts: their brackets are no colours
        TextColumn("{task.fields[what]}", markup=False),
        BarColumn(),
        *(known if total is not None else (TimeElapsedColumn(),)),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=total, what=what)
        yield lambda done, text: bar.update(task, completed=done, description=text)


@contextmanager
def _in_notebook(what: str, total: int | None) -> Iterator[Show]:
    """HTML, which is taken away at the end: a widget would stay, empty, in the notebook's file."""
    from IPython.display import display

    last = 0.0

    def drawn(done: int, text: str) -> dict[str, str]:
        line = f"{what} {text}" if total is None else f"{what} {done}/{total} {text}"
        known = "" if total is None else f' value="{done}" max="{total}"'
        bar = f"<progress{known}></progress>"
        return {"text/html": f"{html.escape(line)} {bar}", "text/plain": line}

    def show(done: int, text: str) -> None:
        nonlocal last
        if time.monotonic() - last > _PAUSE:
            last = time.monotonic()
            handle.update(drawn(done, text), raw=True)

    publish: Any = display  # which has no types
    handle = publish(drawn(0, ""), raw=True, display_id=True)
    try:
        yield show
    finally:
        # an output cannot be taken back; without data, nothing is drawn in its place
        handle.update({}, raw=True)
