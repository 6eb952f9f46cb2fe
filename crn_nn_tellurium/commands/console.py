"""What verbs print and write: tables, lines as they are, files."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from crn_nn_tellurium.basics import check_target, separator, to_csv, visible, write_bytes
from crn_nn_tellurium.errors import InputError

# Names are anybody's: a bracket or a colon in one is no colour and no picture
console = Console(markup=False, emoji=False, highlight=False)

# Characters of inputs up to which they stand in a title
_SHORT = 40


def new_table(title: str, left: Sequence[str], right: Sequence[str] = ()) -> Table:
    """A table to print, with columns of words and, behind them, columns of numbers."""
    table = _Table(title=visible(title), show_header=any((*left, *right)))
    for heading in left:
        table.add_column(visible(heading))
    for heading in right:
        table.add_column(visible(heading), justify="right")
    return table


class _Table(Table):
    """A table whose cells may be anybody's names."""

    def add_row(self, *cells: Any, **options: Any) -> None:
        shown = (visible(one) if isinstance(one, str) else one for one in cells)
        super().add_row(*shown, **options)


def say(text: str, style: str = "") -> None:
    """Print a line as it is, not broken."""
    console.print(visible(text), soft_wrap=True, style=style)


def note(text: str) -> None:
    """Say what is not the answer: on standard error, for the answer may go through a pipe."""
    print(visible(text), file=sys.stderr)


def say_written(what: str, *paths: Path | None) -> None:
    """Say which files, or folders, there are now, what they are, and how large."""
    for path in paths:
        if path is not None:
            files = [file for file in path.rglob("*") if file.is_file()] or [path]
            note(f"wrote {path} ({what}, {_size(sum(file.stat().st_size for file in files))})")


def _size(n_bytes: int) -> str:
    for unit, size in (("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= size:
            return f"{n_bytes / size:,.1f} {unit}"
    return f"{n_bytes} bytes"


def titled(name: str, inputs: str | None) -> str:
    """A title for what was done at some inputs, which are left away where they are many."""
    if not inputs:
        return name
    if len(inputs) <= _SHORT:
        return f"{name}, inputs {inputs}"
    return f"{name}, {inputs.count(',') + 1} inputs"


def check_new(overwrite: bool, *paths: Path | None, picture: Path | None = None) -> None:
    """Refuse files that cannot be written, before the work for them is done."""
    if picture is not None:
        # matplotlib takes a second, which only pictures are to cost
        from crn_nn_tellurium.plots import check_picture

        check_picture(picture)
    given = [path for path in (picture, *paths) if path is not None]
    for path in given:
        if given.count(path) > 1:
            raise InputError(f"{str(path)!r} is to be written twice; expected files of their own")
        if str(path) == "-":
            raise InputError("--output is '-'; expected a file: this is no text to go on with")
        check_target(path)  # of a folder, it is not --overwrite that would help
        if path.exists() and not overwrite:
            raise FileExistsError(f"{str(path)!r} exists; --overwrite replaces it")


def check_network_file(output: Path) -> None:
    """Refuse names by which no verb would know a network's file again, and files of other kinds."""
    if output.suffix.lower() != ".json":
        raise InputError(f"--output is {str(output)!r}; expected a name that ends with .json")
    from crn_nn_tellurium.networks import check_replaceable

    check_replaceable(output)


def write_text(text: str, output: Path | None, overwrite: bool, what: str) -> None:
    """Write to a file, or to standard output."""
    if output is None:
        sys.stdout.write(text)
        return
    check_new(overwrite, output)
    write_bytes(output, text.encode())
    say_written(what, output)


def write_table(
    heading: Sequence[str],
    columns: Iterable[Any],
    output: Path | None,
    overwrite: bool,
    what: str = "",
) -> None:
    """Columns of numbers or labels as CSV, or with tabs into a .tsv file; numbers are written so
    that they are read back equal.
    """
    cells = [map(str, np.asarray(column).tolist()) for column in columns]
    rows = list(zip(*cells, strict=True))
    text = to_csv([heading, *rows], separator(output))
    write_text(text, output, overwrite, what or f"{len(rows)} rows")
