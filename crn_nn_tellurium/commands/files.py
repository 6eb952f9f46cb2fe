"""Files that verbs write, refused before the work for them is done."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import check_target, to_csv, write_bytes


def check_new(overwrite: bool, *paths: Path | None) -> None:
    """Refuse files that cannot be written."""
    for path in paths:
        if path is None:
            continue
        if path.exists() and not overwrite:
            raise FileExistsError(f"{str(path)!r} exists; --overwrite replaces it")
        check_target(path)


def check_plot(overwrite: bool, path: Path | None) -> None:
    """The same for a picture, whose ending must be one that matplotlib knows."""
    if path is not None:
        # matplotlib takes a second, which only pictures are to cost
        from crn_nn_tellurium.plots import check_picture

        check_picture(path)
        check_new(overwrite, path)


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
