"""Short texts: lists cut short, rows as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import StringIO


def to_csv(rows: Iterable[Sequence[str]]) -> str:
    """Rows of cells as CSV."""
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def some(names: Sequence[str], limit: int = 10) -> str:
    """The first names of a list, and how many there are."""
    return ", ".join(names[:limit]) + (f", ... ({len(names)} in all)" if len(names) > limit else "")
