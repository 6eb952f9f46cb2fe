"""The progress bar of long work, with the time left."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

PATIENCE = 2.0
"""Seconds after which work says that it goes on: what is quicker shows nothing, and leaves no empty
widget behind in a notebook."""


@contextmanager
def progress_bar(
    what: str, progress: bool | None = None, total: int | None = None
) -> Iterator[Callable[[int, str], None]]:
    """A progress bar on standard error, as a function of (done, text); no total, no time left.

    It is shown at once if `progress` is true; if it is None, on a terminal or in a notebook, when
    the work has taken `PATIENCE`, unless it is a part of work that shows one.
    """
    if not (progress or (progress is None and _is_seen() and not _Bar.is_shown)):
        yield lambda done, text: None
        return
    bar = _Bar(what, total)
    timer = threading.Timer(PATIENCE, bar.begin)
    timer.daemon = True
    try:
        if progress:
            bar.begin()
        else:
            timer.start()
        yield bar.advance
    finally:
        timer.cancel()
        if not progress:
            timer.join()  # it may be about to begin
        bar.end()


def _is_seen() -> bool:
    """Whether somebody looks on; in a notebook rich draws with ipywidgets, where they are."""
    if "ipykernel" in sys.modules:
        return find_spec("ipywidgets") is not None
    return bool(sys.stderr is not None and sys.stderr.isatty())


class _Bar:
    """A bar that may begin while the work is under way."""

    is_shown = False

    def __init__(self, what: str, total: int | None) -> None:
        self._what, self._total = what, total
        self._state = (0, "")
        self._bar: Any = None
        _Bar.is_shown = True

    def begin(self) -> None:
        # imported here: whoever does quick work does not wait for rich
        from rich.console import Console
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
            TextColumn(self._what),
            BarColumn(),
            *(known if self._total is not None else (TimeElapsedColumn(),)),
            TextColumn("{task.description}"),
        )
        console = Console(stderr="ipykernel" not in sys.modules)
        bar = Progress(*columns, console=console, transient=True)
        done, text = self._state
        bar.add_task(text, total=self._total, completed=done)
        bar.start()
        self._bar = bar

    def advance(self, done: int, text: str) -> None:
        self._state = done, text
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=done, description=text)

    def end(self) -> None:
        _Bar.is_shown = False
        if self._bar is not None:
            self._bar.stop()
