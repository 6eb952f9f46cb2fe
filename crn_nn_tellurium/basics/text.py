"""Short texts: lists cut short, numbers, rows as CSV."""

from __future__ import annotations

import csv
import os
import re
import unicodedata
from collections.abc import Iterable, Sequence
from io import StringIO
from pathlib import Path

# what spreadsheets take for a formula, which may open addresses; of one sign alone they do not
_FORMULA = re.compile(r"[=+\-@\t\r].", re.DOTALL)
_NUMBER = re.compile(
    r"[-+]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?|nan|inf(?:inity)?)", re.ASCII | re.IGNORECASE
)


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
