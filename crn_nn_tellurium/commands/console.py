"""What is printed: tables, and lines as they are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

console = Console()


def new_table(title: str, left: Sequence[str], right: Sequence[str] = ()) -> Table:
    """A table to print, with columns of words and, behind them, columns of numbers."""
    table = Table(title=title, show_header=any((*left, *right)))
    for heading in left:
        table.add_column(heading)
    for heading in right:
        table.add_column(heading, justify="right")
    return table


def say(text: str) -> None:
    """Print a line as it is: neither broken nor coloured."""
    console.print(text, soft_wrap=True, highlight=False, markup=False)


def say_files(**written: Path | None) -> None:
    """Say which files there are now."""
    for what, path in written.items():
        if path is not None:
            say(f"{what}: {path}")
