"""Short texts: lists cut short, numbers, rows as CSV."""

from __future__ import annotations

import csv
import json
import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

# what spreadsheets take for a formula, which may open addresses; of one sign alone they do not
_FORMULA = re.compile(r"[=+\-@\t\r].", re.DOTALL)
_NUMBER = re.compile(
    r"[-+]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?|nan|inf(?:inity)?)", re.ASCII | re.IGNORECASE
)
# brackets, ends of texts, within which they are none, and what is no end
_NESTS = re.compile(r'[\[\]{}"]|\\.', re.DOTALL)
_DEEPER = {"[": 1, "{": 1, "]": -1, "}": -1}
_DEEPEST = 200


def number(text: str) -> float:
    """A number as tables and commands have it; `float` takes 1_0 and the digits of any script too.

    >>> number("-1.5e3")
    -1500.0
    """
    if _NUMBER.fullmatch(text.strip()) is None:
        raise ValueError(f"{text!r} is no number")
    return float(text)


def vanishes(text: str) -> bool:
    """Whether a number, as it is written, is not 0, but to doubles.

    >>> vanishes("1e-400"), vanishes("0e-400"), vanishes("1e-300")
    (True, False, False)
    """
    digits, _, _ = text.lower().partition("e")
    return float(text) == 0 and re.search("[1-9]", digits) is not None


def json_value(
    text: str | bytes, pairs: Callable[[list[tuple[str, Any]]], Any] | None = None
) -> Any:
    """What JSON stands for, objects made of their `pairs`.

    >>> json_value('{"a": [1]}')
    {'a': [1]}

    Anything else is a ValueError.
    """
    text = text.decode() if isinstance(text, bytes) else text
    # json ends at Python's limit of recursion, or ends Python, where a library has raised it
    depth, within = 0, False
    for found in _NESTS.finditer(text):
        sign = found[0]
        if sign == '"':
            within = not within
        elif not within:
            depth += _DEEPER.get(sign, 0)
        if depth > _DEEPEST:
            raise ValueError(f"JSON that is nested more than {_DEEPEST} deep")
    return json.loads(text, object_pairs_hook=pairs)


def cell(text: str) -> str:
    """A name for a cell of CSV, with a mark before what a spreadsheet would take for a formula.

    >>> cell("=1+2"), cell("-1.5"), cell("A")
    ("'=1+2", '-1.5', 'A')
    """
    is_formula = _FORMULA.match(text) is not None and _NUMBER.fullmatch(text) is None
    return f"'{text}" if is_formula else text


def visible(text: str) -> str:
    """A text for a terminal, which would take some characters of a name for commands, or for the
    direction of what follows: they stand as their codes.

    >>> visible("a\x1b[31mb")
    'a\\\\x1b[31mb'
    """
    if text.isprintable():
        return text
    return "".join(char if _is_shown(char) else ascii(char)[1:-1] for char in text)


def _is_shown(char: str) -> bool:
    return char in "\n\t" or not unicodedata.category(char).startswith("C")


def may_be_path(text: str) -> bool:
    """Whether the system can be asked about a file of that name."""
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:  # half a character, which JSON may hold
        return False


def separator(path: Path | None) -> str:
    """What stands between the cells of a file: tabs in a .tsv, else commas."""
    return "\t" if path is not None and path.suffix.lower() == ".tsv" else ","


def to_csv(rows: Iterable[Sequence[str]], between: str = ",") -> str:
    """Rows of cells as CSV."""
    text = StringIO()
    escaped = ([cell(one) for one in row] for row in rows)
    csv.writer(text, delimiter=between, lineterminator="\n").writerows(escaped)
    return text.getvalue()


def some(names: Sequence[str], limit: int = 10) -> str:
    """The first names of a list, and how many there are."""
    return ", ".join(names[:limit]) + (f", ... ({len(names)} in all)" if len(names) > limit else "")
