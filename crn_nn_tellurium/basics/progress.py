"""The progress bar of long work, with the time left."""

from __future__ import annotations

import html
import multiprocessing
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Show = Callable[[int, str], None]
"""Takes how much is done, and a text."""
_showing = threading.Lock()
_PAUSE = 0.1
"""Seconds between two drawings in a notebook."""


@contextmanager
def progress_bar(what: str, progress: bool | None, total: int) -> Iterator[Show]:
    """A progress bar on standard error or in a notebook, as a function of (done, text).

    It is shown if `progress` is true, and on a terminal or in a notebook if it is None. Nothing of
    it is left behind. Of several at once, the first is shown.
    """
    # a worker's bar would be drawn across that of who started it
    is_main = multiprocessing.current_process().name == "MainProcess"
    if progress is False or not is_main or not _showing.acquire(blocking=False):
        yield _nothing
        return
    try:
        ipython = sys.modules.get("IPython")
        # the shell of a notebook, and no other, has a kernel
        is_notebook = ipython and hasattr(ipython.get_ipython(), "kernel")
        make = _in_notebook if is_notebook else _on_terminal
        with make(what, bool(progress), total) as show:
            yield show
    finally:
        _showing.release()


def _nothing(done: int, text: str) -> None:
    pass


@contextmanager
def _on_terminal(what: str, everywhere: bool, total: int) -> Iterator[Show]:
    # imported here: whoever imports this room does not wait for rich
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    if not (everywhere or console.is_terminal):
        yield _nothing
        return
    columns = (
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda done, text: bar.update(task, completed=done, description=text)


@contextmanager
def _in_notebook(what: str, everywhere: bool, total: int) -> Iterator[Show]:
    """HTML, which is emptied at the end: a widget would stay, empty, in the notebook's file."""
    from IPython.display import display

    last = time.monotonic()

    def drawn(done: int, text: str) -> dict[str, str]:
        line = f"{what} {done}/{total} {text}"
        bar = f'<progress value="{done}" max="{total}"></progress>'
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
        handle.update({"text/html": "", "text/plain": ""}, raw=True)
