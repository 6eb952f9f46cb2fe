"""What verbs print and write: tables, lines as they are, files."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from crn_nn_tellurium.basics import check_target, to_csv, write_bytes

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


def check_new(overwrite: bool, *paths: Path | None, picture: Path | None = None) -> None:
    """Refuse files that cannot be written, before the work for them is done."""
    if picture is not None:
        # matplotlib takes a second, which only pictures are to cost
        from crn_nn_tellurium.plots import check_picture

        check_picture(picture)
    for path in (picture, *paths):
        if path is None:
            continue
        if path.exists() and not overwrite:
            raise FileExistsError(f"{str(path)!r} exists; --overwrite replaces it")
        check_target(path)


def write_text(text: str, output: Path | None, overwrite: bool) -> None:
    """Write to a file, or to standard output."""
    if output is None:
        sys.stdout.write(text)
        return
    check_new(overwrite, output)
    write_bytes(output, text.encode())


def write_table(
    heading: Sequence[str], columns: Iterable[Any], output: Path | None, overwrite: bool
) -> None:
    """Columns of numbers or labels as CSV; numbers are written so that they are read back equal."""
    cells = [map(str, np.asarray(column).tolist()) for column in columns]
    write_text(to_csv([heading, *zip(*cells, strict=True)]), output, overwrite)
