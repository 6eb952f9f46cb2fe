"""Tables in text files: columns of numbers and labels, with errors that say row and column."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import read_text, some, suggest_identifiers
from crn_nn_tellurium.errors import FileFormatError
from crn_nn_tellurium.networks import Network

Table = dict[str, list[str]]
"""Cells by column."""


def read_table(path: Path, network: Network | None = None) -> Table:
    """The cells of a CSV by column; without a header, the columns are the network's inputs."""
    text = read_text(path)
    first = text.lstrip().partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        reader = csv.reader(StringIO(text), delimiter=delimiter, strict=True, skipinitialspace=True)
        numbered = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except csv.Error as error:
        raise FileFormatError(f"{str(path)!r}: not a CSV table ({error})") from error
    rows = [(number, row) for number, row in numbered if any(row)]
    if not rows:
        raise FileFormatError(f"{str(path)!r}: not a CSV table (it is empty)")
    names = rows[0][1]
    if all(_is_number(cell) for cell in names):
        if network is None:
            raise FileFormatError(
                f"{str(path)!r}: its first line holds numbers alone; expected the columns' names"
            )
        if len(names) != network.n_in:
            raise FileFormatError(
                f"{str(path)!r}: {len(names)} columns without a header; expected {network.n_in}, or"
                f" a header with {some(network.input_names)}"
            )
        names = list(network.input_names)
    else:
        rows = rows[1:]
    for name in names:
        if names.count(name) > 1:
            raise FileFormatError(
                f"{str(path)!r}: the column {name!r} is there twice; expected each once"
            )
    for number, row in rows:
        if len(row) != len(names):
            raise FileFormatError(
                f"{str(path)!r}: line {number} has {len(row)} cells; expected {len(names)}"
            )
    if not rows:
        raise FileFormatError(f"{str(path)!r}: no rows; expected one sample a row")
    return {name: [row[column] for _, row in rows] for column, name in enumerate(names)}


def training_data(path: Path, target: str) -> tuple[list[str], Any, list[str]]:
    """Names and values (n_samples, n_columns) of all columns but the target, and the target's
    cells.
    """
    table = read_table(path)
    if target not in table:
        raise FileFormatError(f"{str(path)!r}: no column {target!r}; it has {some(list(table))}")
    names = [name for name in table if name != target]
    if not names:
        raise FileFormatError(
            f"{str(path)!r}: no column besides {target!r}; expected features to learn from"
        )
    for row, cell in enumerate(table[target], start=1):
        if not cell:
            raise FileFormatError(
                f"{str(path)!r}: row {row}, column {target!r}: an empty cell is no target"
            )
        if _is_number(cell) and not math.isfinite(float(cell)):
            raise FileFormatError(
                f"{str(path)!r}: row {row}, column {target!r}: {cell!r} is no target"
            )
    return names, numbers(path, table, names), table[target]


def are_numbers(cells: Iterable[str]) -> bool:
    """Whether every cell is a number."""
    return all(_is_number(cell) for cell in cells)


def numbers(
    path: Path, table: Table, names: Sequence[str], what: str = "the network's inputs"
) -> Any:
    """Some columns as an array (n_samples, n_names)."""
    table = (
        dict(zip(suggest_identifiers("input", list(table)), table.values(), strict=True)) | table
    )
    missing = [name for name in names if name not in table]
    if missing:
        raise FileFormatError(
            f"{str(path)!r}: no column {some(missing)}; it has {some(list(table))}; expected"
            f" {what}: {some(names)}"
        )
    for name in names:
        for row, cell in enumerate(table[name], start=1):
            if not _is_number(cell):
                what = repr(cell) if cell else "an empty cell"
                raise FileFormatError(
                    f"{str(path)!r}: row {row}, column {name!r}: {what} is no number"
                )
            if not math.isfinite(float(cell)):
                raise FileFormatError(
                    f"{str(path)!r}: row {row}, column {name!r}: {cell!r} is not finite"
                )
    return np.array([table[name] for name in names], dtype=float).T


def labels(path: Path, table: Table, target: str, network: Network) -> Any:
    """A column of true classes, of the type of the network's labels."""
    if target not in table:
        raise FileFormatError(f"{str(path)!r}: no column {target!r}; it has {some(list(table))}")
    if network.class_names is not None and isinstance(network.class_names[0], str):
        if "" in table[target]:
            row = table[target].index("") + 1
            raise FileFormatError(
                f"{str(path)!r}: row {row}, column {target!r}: an empty cell is no class"
            )
        return np.array(table[target])
    return numbers(path, table, [target])[:, 0]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
