"""Short texts: lists cut short, rows as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import StringIO
from pathlib import Path


def separator(path: Path | None) -> str:
    """What stands between the cells of a file: tabs in a .tsv, else commas."""
    return "\t" if path is not None and path.suffix.lower() == ".tsv" else ","


def to_csv(rows: Iterable[Sequence[str]], between: str = ",") -> str:
    """Rows of cells as CSV."""
    text = StringIO()
    csv.writer(text, delimiter=between, lineterminator="\n").writerows(rows)
    return text.getvalue()


def some(names: Sequence[str], limit: int = 10) -> str:
    """The first names of a list, and how many there are."""
    return ", ".join(names[:limit]) + (f", ... ({len(names)} in all)" if len(names) > limit else "")
