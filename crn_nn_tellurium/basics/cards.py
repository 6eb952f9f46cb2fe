"""What a notebook shows of an object: a title, its facts, its first rows and a small picture.

HTML with no script, style sheet or outside resource. Colours are those of the text around it, so
that it reads on any theme; what is shown is cut to a few rows and columns, and says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

ROWS, COLUMNS, LETTERS = 8, 8, 60
"""What is shown of a table, and of a text in it."""
# dollars are no formulas, for MathJax 2 and 3
_NO_FORMULAS = 'class="tex2jax_ignore mathjax_ignore"'
_SIDE_BY_SIDE = "display:flex;flex-wrap:wrap;gap:1.5em;align-items:flex-start;margin:0.4em 0"
_LEFT = ' style="text-align:left"'
_RIGHT = ' style="text-align:right"'


def card(
    title: str,
    facts: Mapping[str, object],
    rows: pd.DataFrame | None = None,
    picture: str = "",
    *,
    total: int | None = None,
    notes: Iterable[str] = (),
) -> str:
    """An object as HTML.

    `facts` and `notes` are texts or numbers, as they are; `rows` may be the first of `total`;
    `picture` is one of `sketches`.
    """
    parts = [f"<div><strong>{shown(title)}</strong></div>"]
    table = "".join(
        f"<tr><th{_LEFT}>{shown(name)}</th><td{_LEFT}>{shown(fact, 4 * LETTERS)}</td></tr>"
        for name, fact in facts.items()
    )
    beside = f"<table><tbody>{table}</tbody></table>{picture}"
    parts.append(f'<div style="{_SIDE_BY_SIDE}">{beside}</div>')
    if rows is not None:
        parts.append(_table(rows, len(rows) if total is None else total))
    parts += [f"<div>{shown(note, 10 * LETTERS)}</div>" for note in notes]
    return f"<div {_NO_FORMULAS}>{''.join(parts)}</div>"


def shown(value: object, letters: int = LETTERS) -> str:
    """A cell or a word as HTML, numbers in four digits, long texts cut."""
    text = "" if value is None else str(value)
    if isinstance(value, Integral) and not isinstance(value, bool):
        text = f"{value:,}"
    elif isinstance(value, Real) and not isinstance(value, bool):
        text = f"{float(value):.4g}"
    return escape(text if len(text) <= letters else f"{text[: letters - 1]}…")


def _table(frame: pd.DataFrame, total: int) -> str:
    if frame.index.names != [None]:  # an index without a name counts rows
        # a species may be called as a level of the index is, sample say
        frame = frame.head(ROWS).reset_index(allow_duplicates=True)
    few: Any = frame.iloc[:ROWS, :COLUMNS]
    kinds = [_RIGHT if kind.kind in "iufb" else _LEFT for kind in few.dtypes]
    pairs = list(zip(few.columns, kinds, strict=True))
    head = "".join(f"<th{side}>{shown(_name(column))}</th>" for column, side in pairs)
    body = "".join(
        f"<tr>{''.join(map(_cell, row, kinds))}</tr>"
        for row in few.itertuples(index=False, name=None)
    )
    left_out = [
        f"{n:,} more {what}{'s' if n > 1 else ''}"
        for n, what in ((total - len(few), "row"), (frame.shape[1] - few.shape[1], "column"))
        if n > 0
    ]
    below = f"<div>… {' and '.join(left_out)}</div>" if left_out else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{below}"


def _cell(value: object, side: str) -> str:
    return f"<td{side}>{shown(value)}</td>"


def _name(column: Any) -> str:
    """A column's name; those of several levels in one line."""
    return " ".join(filter(None, column)) if isinstance(column, tuple) else str(column)
