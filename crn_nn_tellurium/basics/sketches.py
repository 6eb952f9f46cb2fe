"""Small pictures for notebooks, as SVG: curves, bars, a network in layers.

The rooms of results are below `plots`, which alone draws by matplotlib. Text and frames have the
colour of the text around them; lines are of Okabe and Ito's colours (jfly.uni-koeln.de/color),
which differ for the colour-blind and read on white and on black, and each has dashes of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics.arrays import FloatArray, dense
from crn_nn_tellurium.basics.cards import shown

COLORS = ("#3d8bcd", "#d55e00", "#009e73", "#cc79a7")
"""The first is Okabe and Ito's blue, lighter, for dark pages."""
_DASHES = ("none", "5 2", "2 2", "7 2 2 2")
_POINTS = 100  # of a curve 200 wide
_DOTS = 5  # of a layer
_COLUMNS = 24  # layers that a picture has room for
_NAME = 14  # letters beside a picture


def curves(
    x: FloatArray,
    lines: Mapping[str, Sequence[FloatArray]],
    axis: tuple[str, str],
    what: str,
    total: int | None = None,
) -> str:
    """Curves over x (n,), the first names of `total`, of each one or more (n,); `axis` has the
    ends of x in words.
    """
    if len(x) < 2 or not np.ptp(x):
        return ""
    few = dict(list(lines.items())[: len(COLORS)])
    values = np.array([y for several in few.values() for y in several], dtype=float)
    finite = np.isfinite(values)
    if not finite.any():
        return ""
    low, high = float(values[finite].min()), float(values[finite].max())
    # a range that three digits do not tell from one number would make waves of roundings
    room = max(high - low, 0.01 * max(abs(low), abs(high))) or 1.0
    low = (low + high) / 2 - room / 2
    left, width, height = 60, 200, 80
    across = left + (x - x[0]) / (x[-1] - x[0]) * width
    body = [f'<path d="M{left} 8V{height + 8}h{width}" stroke="currentColor" opacity="0.5"/>']
    for i, (name, several) in enumerate(few.items()):
        style = f'stroke="{COLORS[i]}" stroke-width="1.5" stroke-dasharray="{_DASHES[i]}"'
        for y in several:
            at = _telling(y)
            up = 8 + height * (1 - (y[at] - low) / room)
            body.append(f'<path d="{_path(across[at], up)}" {style}/>')
        beside = 14 + 14 * i
        body.append(f'<path d="M{left + width + 8} {beside}h16" {style}/>')
        body.append(_text(left + width + 28, beside + 4, name))
    if more := (len(lines) if total is None else total) - len(few):
        body.append(_text(left + width + 28, 18 + 14 * len(few), f"{more} more"))
    body += [
        _text(left - 4, y, f"{value:.3g}", "end")
        for y, value in ((14, low + room), (height + 10, low))
    ]
    body.append(_text(left, height + 22, axis[0]))
    body.append(_text(left + width, height + 22, axis[1], "end"))
    return _svg(left + width + 130, height + 28, body, what)


def bars(values: Mapping[str, float], what: str, total: int | None = None) -> str:
    """A bar for each number from 0 on; those below 0 go left, in another colour."""
    few = {name: float(v) for name, v in list(values.items())[:8]}
    # numbers that are not finite are written, without a bar
    sizes = {name: v if np.isfinite(v) else 0.0 for name, v in few.items()}
    largest, least = max(map(abs, sizes.values()), default=0.0), min(sizes.values(), default=0.0)
    if not largest:
        return ""
    left, width = 100, 140
    room = width / largest if least >= 0 else width / 2 / largest
    zero = left if least >= 0 else left + width / 2
    body = []
    for i, (name, value) in enumerate(few.items()):
        top, size = 4 + 16 * i, abs(sizes[name]) * room
        x, color = (zero, COLORS[0]) if sizes[name] >= 0 else (zero - size, COLORS[1])
        place = f'x="{x:.1f}" y="{top}" width="{size:.1f}" height="11"'
        body.append(f'<rect {place} fill="{color}" stroke="none"/>')
        body.append(_text(left - 6, top + 9, name, "end"))
        body.append(_text(left + width + 6, top + 9, value))
    bottom = 8 + 16 * len(few)
    body.append(f'<path d="M{zero} 0V{bottom - 4}" stroke="currentColor" opacity="0.5"/>')
    if more := (len(values) if total is None else total) - len(few):
        body.append(_text(left, bottom + 6, f"{more:,} more"))
        bottom += 14
    return _svg(left + width + 60, bottom, body, what)


def layered(columns: Mapping[str, int], links: Sequence[tuple[int, int, Any]]) -> str:
    """Layers by name and size as columns of dots, the first few of each, and links between them.

    A link has the numbers of two columns and weights (n_to, n_from), which may be sparse; those of
    at least a tenth of the largest are drawn, positive ones blue, negative ones dashed.
    """
    if len(columns) > _COLUMNS:
        return ""
    step, middle = 66, 44
    dots = [min(size, _DOTS) for size in columns.values()]

    def place(column: int, dot: int) -> tuple[int, int]:
        return 34 + step * column, round(middle + 15 * (dot - (dots[column] - 1) / 2))

    signs: dict[int, list[str]] = {1: [], -1: []}
    for before, after, weights in links:
        few: Any = weights[: dots[after]][:, : dots[before]]
        matrix = np.asarray(dense(few))
        for j, i in np.argwhere(np.abs(matrix) > 0.1 * np.abs(matrix).max(initial=0.0)).tolist():
            (x, y), (to_x, to_y) = place(before, i), place(after, j)
            signs[int(np.sign(matrix[j, i]))].append(f"M{x} {y}L{to_x} {to_y}")
    body = [
        f'<path d="{"".join(paths)}" stroke="{color}" stroke-width="1" stroke-dasharray="{dash}"/>'
        for paths, color, dash in zip(signs.values(), COLORS, _DASHES, strict=False)
        if paths
    ]
    round_dots = []
    for column, (name, size) in enumerate(columns.items()):
        places = [place(column, dot) for dot in range(dots[column])]
        round_dots += [f"M{x} {y}h0" for x, y in places]
        x, y = places[-1]
        if size > dots[column]:
            body.append(_text(x, y + 14, "⋮", "middle"))
        body.append(_text(x, 104, name if len(name) < 11 else f"{name[:9]}…", "middle"))
        body.append(_text(x, 117, size, "middle"))
    style = 'stroke="currentColor" stroke-width="7" stroke-linecap="round"'
    body.append(f'<path d="{"".join(round_dots)}" {style}/>')
    cut = f"the first {_DOTS} of each; " if max(columns.values()) > _DOTS else ""
    return _svg(
        step * len(columns) + 2,
        122,
        body,
        f"{cut}weights under 10 % of the largest left out, negative dashed",
    )


def _telling(y: FloatArray) -> npt.NDArray[np.intp]:
    """Places of a curve's points; where they are many, of the ends and of the least and the most of
    each part, so that no spike is left out.
    """
    if len(y) <= _POINTS:
        return np.arange(len(y))
    found = [0, len(y) - 1]
    for part in np.array_split(np.arange(len(y)), _POINTS // 2):
        values = y[part]
        for ranked in (values, -values):
            found.append(part[np.where(np.isfinite(ranked), ranked, np.inf).argmin()])
    return np.unique(found)


def _path(x: FloatArray, y: FloatArray) -> str:
    """A line through points, broken where there is none."""
    words, pen = [], "M"
    for a, b in zip(x.tolist(), y.tolist(), strict=True):
        if not np.isfinite(b):
            pen = "M"
            continue
        words.append(f"{pen}{a:.1f} {b:.1f}")
        pen = "L"
    return "".join(words)


def _text(x: float, y: float, text: object, anchor: str = "start", letters: int = _NAME) -> str:
    style = 'fill="currentColor" stroke="none"'
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" {style}>{shown(text, letters)}</text>'


def _svg(width: float, height: float, body: Sequence[str], what: str) -> str:
    """A picture with a line beneath it that says what it is."""
    width, height = max(width, 20 + 6 * len(what)), height + 16
    size = f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}"'
    style = 'fill="none" font-size="10" style="max-width:100%"'
    below = _text(4, height - 4, what, letters=len(what))
    return f'<svg {size} {style} role="img">{"".join(body)}{below}</svg>'
