"""What verbs are given: networks, lists of numbers, tables in text files.

Tables are read by the standard library: pandas takes 0.4 s to import, fills rows that are too short
without a word, and renames columns that are there twice. Errors say row and column.
"""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from io import StringIO, TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from typer import Argument, Option

from crn_nn_tellurium.basics import (
    FloatArray,
    first_twice,
    headings_by_name,
    number,
    read_stream,
    read_text,
    some,
)
from crn_nn_tellurium.errors import FileFormatError, InputError

if TYPE_CHECKING:
    from crn_nn_tellurium.chemistry import ReactionNetwork
    from crn_nn_tellurium.networks import Network


def _standard(path: Path | None) -> Path | None:
    """A file to write, or None for standard output, which ``-`` is everywhere."""
    return None if path is None or str(path) == "-" else path


def shipped(incomplete: str) -> list[str]:
    """Shipped models for a shell that completes; of files it knows itself."""
    from crn_nn_tellurium.networks import model_names

    return [name for name in model_names() if name.startswith(incomplete)]


Net = Annotated[
    str,
    Argument(
        metavar="NET",
        help="A network's .json file, or a shipped model's name.",
        autocompletion=shipped,
    ),
]
Model = Annotated[
    str,
    Argument(
        metavar="MODEL",
        help="As NET, or a model's .xml, .sbml, .ant, .txt or .crn file.",
        autocompletion=shipped,
    ),
]
_TABLE = (
    "CSV with a column per input, by name; or numbers without a header; - reads standard input."
)
Data = Annotated[
    Path,
    Argument(help=_TABLE),
]
Samples = Annotated[
    Path | None,
    Argument(help=_TABLE),
]
Inputs = Annotated[list[str] | None, Option("--input", help="Input values: 0,1. May be repeated.")]
Out = Annotated[
    Path | None,
    Option(
        "-o",
        "--output",
        help="File to write, with tabs if it ends with .tsv; by default standard output.",
        callback=_standard,
    ),
]
Overwrite = Annotated[bool, Option("--overwrite", help="Replace an existing file.")]


def load_network(net: str) -> Network:
    """A network from its file, or a shipped one by its name."""
    from crn_nn_tellurium.networks import Network, load_model

    return load_model(net) if is_name(net) else Network.load(net)


def load_given(model: str) -> Network | ReactionNetwork:
    """A network as above, or anybody's mass-action model from its file."""
    if is_name(model):
        return load_network(model)
    from crn_nn_tellurium.importers import as_model

    return as_model(Path(model), "crn-nn")


def is_name(net: str) -> bool:
    """Whether it can be a shipped network alone."""
    return not Path(net).suffix and not Path(net).exists()


def listed(
    option: str,
    text: str,
    kind: Callable[[str], Any] = number,
    expected: str = "numbers with commas between",
) -> list[Any]:
    """Values with commas between."""
    try:
        return [kind(cell) for cell in text.split(",")]
    except ValueError as error:
        raise InputError(f"{option} is {text!r}; expected {expected}") from error


def input_values(text: str, network: Network) -> list[float]:
    """What ``--input`` gives a network: a number for each input."""
    names = network.input_names
    expected = f"expected {len(names)} numbers with commas between: {some(names)}"
    cells = [cell.strip() for cell in text.split(",")]
    for name, cell in zip(names, cells, strict=False):
        if fault := _fault(cell, "nothing"):
            raise InputError(f"--input is {text!r}: {fault}, for {name}; {expected}")
    if len(cells) < len(names):
        given = f"{len(cells)} for {len(names)} inputs"
        missing = some(names[len(cells) :])
        raise InputError(f"--input is {text!r}: {given}; {missing} missing; {expected}")
    if len(cells) > len(names):
        raise InputError(f"--input is {text!r}: {len(cells)} numbers; {expected}")
    return [number(cell) for cell in cells]


def inputs_of(model: Any, text: str | None) -> list[float] | None:
    """What ``--input``, if it is there, gives whatever model."""
    from crn_nn_tellurium.networks import Network

    if text is None:
        return None
    if not isinstance(model, Network):
        raise InputError(
            "--input is a network's; boundary species of another model have their concentrations in"
            " it, and crn-nn scan varies them by name"
        )
    return input_values(text, model)


_INPUTS = "the network's inputs (a file of numbers alone needs no header)"


@dataclass(frozen=True)
class CsvTable:
    """Cells by column, and the file that they are from."""

    path: Path
    cells: dict[str, list[str]]

    def wrong(self, what: str) -> FileFormatError:
        return FileFormatError(f"{str(self.path)!r}: {what}")

    def column(self, name: str) -> list[str]:
        if name not in self.cells:
            raise self.wrong(f"no column {name!r}; it has {some(list(self.cells))}")
        return self.cells[name]

    def numbers(self, names: Sequence[str], what: str = _INPUTS) -> FloatArray:
        """Some columns as an array (n_samples, n_names), by headings or their identifiers."""
        headings = list(self.cells)
        # a network that was trained on this table has identifiers made of its headings
        known = headings_by_name(headings)
        if missing := [name for name in names if name not in known]:
            there = f"it has {some(headings)}"
            raise self.wrong(f"no column {some(missing)}; {there}; expected {what}: {some(names)}")
        columns = [self.cells[known[name]] for name in names]
        for name, column in zip(names, columns, strict=True):
            for row, cell in enumerate(column, start=1):
                if fault := _fault(cell):
                    raise self.wrong(f"row {row}, column {name!r}: {fault}")
        return np.array(columns, dtype=float).T

    def labels(self, target: str, network: Network) -> Any:
        """A column of true classes, of the type of the network's labels; or of amounts."""
        cells = self.column(target)
        named = network.class_names is not None and isinstance(network.class_names[0], str)
        truth = np.array(cells) if named else self.numbers([target], "the target")[:, 0]
        if network.task == "classification":
            for row, (cell, known) in enumerate(
                zip(cells, np.isin(truth, network.classes), strict=True), start=1
            ):
                if not known:
                    what = repr(cell) if cell else "an empty cell"
                    classes = some([str(label) for label in network.classes])
                    raise self.wrong(
                        f"row {row}, column {target!r}: {what} is no class of {network.name};"
                        f" expected one of {classes}"
                    )
        return truth

    def features_and_target(self, target: str) -> tuple[list[str], FloatArray, list[str]]:
        """Names and values (n_samples, n_columns) of all columns but the target; its cells."""
        cells = self.column(target)
        names = [name for name in self.cells if name != target]
        if not names:
            raise self.wrong(f"no column besides {target!r}; expected features to learn from")
        for row, cell in enumerate(cells, start=1):
            if not cell or (are_numbers([cell]) and not math.isfinite(float(cell))):
                what = repr(cell) if cell else "an empty cell"
                raise self.wrong(f"row {row}, column {target!r}: {what} is no target")
        return names, self.numbers(names), cells


def read_table(path: Path, network: Network | None = None) -> CsvTable:
    """The cells of a CSV by column; without a header, the columns are the network's inputs."""
    text = _standard_input() if str(path) == "-" else read_text(path)
    first = text.lstrip().partition("\n")[0]
    # spreadsheets write semicolons where the decimal sign is a comma
    delimiter = max(",;\t", key=first.count)
    table = CsvTable(path, {})
    try:
        reader = csv.reader(StringIO(text), delimiter=delimiter, strict=True, skipinitialspace=True)
        numbered = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except csv.Error as error:
        raise table.wrong(f"not a CSV table ({error})") from error
    # spreadsheets leave rows empty; lines keep the numbers that an editor shows
    rows = [(number, row) for number, row in numbered if any(row)]
    if not rows:
        raise table.wrong("not a CSV table (it is empty)")
    names = rows[0][1]
    if are_numbers(names):
        names = _names_without_header(table, len(names), network)
    else:
        rows = rows[1:]
    if (twice := first_twice(names)) is not None:
        raise table.wrong(f"the column {twice!r} is there twice; expected each once")
    for line, row in rows:
        if len(row) != len(names):
            raise table.wrong(f"line {line} has {len(row)} cells; expected {len(names)}")
    if not rows:
        raise table.wrong("no rows; expected one sample a row")
    return CsvTable(path, {name: [row[i] for _, row in rows] for i, name in enumerate(names)})


def _standard_input() -> str:
    if sys.stdin is None:
        raise InputError("standard input is closed; expected a table, or the path of one")
    if isinstance(sys.stdin, TextIOWrapper):
        # as files are read, whatever the locale: in that of C, bytes that are no text would pass
        sys.stdin.reconfigure(encoding="utf-8", errors="strict")
    try:
        # without a mark of its order, as `read_text` does
        return read_stream("standard input", sys.stdin).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise FileFormatError(
            f"standard input: not a text ({error.reason} at byte {error.start})"
        ) from error


def _names_without_header(table: CsvTable, n_columns: int, network: Network | None) -> list[str]:
    if network is None:
        raise table.wrong("its first line holds numbers alone; expected the columns' names")
    if n_columns != network.n_in:
        expected = f"{network.n_in}, or a header with {some(network.input_names)}"
        raise table.wrong(f"{n_columns} columns without a header; expected {expected}")
    return list(network.input_names)


def are_numbers(cells: Iterable[str]) -> bool:
    """Whether every cell is a number."""
    try:
        for cell in cells:
            number(cell)
    except ValueError:
        return False
    return True


def _fault(cell: str, empty: str = "an empty cell") -> str:
    """Why a cell is not a finite number, or nothing."""
    if not are_numbers([cell]):
        return f"{repr(cell) if cell else empty} is no number"
    return "" if math.isfinite(float(cell)) else f"{cell!r} is not finite"


# Characters of inputs up to which they stand in a table that fits 80 columns
SHORT = 7


def sample_inputs(
    network: Network, data: Path | None, given: list[str]
) -> tuple[list[str], Any, CsvTable | None]:
    """Names for the rows of a table, the inputs (n_samples, n_in), and the table, if they are from
    one: standard input is read but once.
    """
    if data is None and not given:
        raise InputError(f"no inputs; expected --input with {network.n_in} numbers, or a CSV file")
    if data is not None and given:
        raise InputError(f"both {str(data)!r} and --input are given; expected one of them")
    if data is not None:
        table = read_table(data, network)
        x = table.numbers(network.input_names)
        return [f"row {i}" for i in range(1, len(x) + 1)], x, table
    rows = [input_values(text, network) for text in given]
    names = [text if len(text) <= SHORT else f"no. {i}" for i, text in enumerate(given, 1)]
    return names, np.array(rows), None
