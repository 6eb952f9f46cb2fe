"""The progress bar of long work, with the time left."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec


@contextmanager
def progress_bar(
    what: str, progress: bool | None, total: int
) -> Iterator[Callable[[int, str], None]]:
    """A progress bar on standard error, as a function of (done, text).

    It is shown if `progress` is true, and on a terminal or in a notebook if it is None.
    """
    # imported here: whoever imports this room does not wait for rich
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    notebook = "ipykernel" in sys.modules
    console = Console(stderr=not notebook)
    # in a notebook, rich draws with ipywidgets, where they are installed
    if not progress and (
        progress is not None or not (find_spec("ipywidgets") if notebook else console.is_terminal)
    ):
        yield lambda done, text: None
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
