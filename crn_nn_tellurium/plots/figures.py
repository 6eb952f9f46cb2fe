"""What pictures share: one style, new figures and axes, files, bands, marks, legends."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.transforms import ScaledTranslation

from crn_nn_tellurium.basics import (
    check_kind,
    names_of,
    write_bytes,
)
from crn_nn_tellurium.certificates import Certificate
from crn_nn_tellurium.chemistry import PhysicalUnits, Units
from crn_nn_tellurium.dna import ReadOutWindow
from crn_nn_tellurium.errors import FileFormatError, InputError
from crn_nn_tellurium.simulation import TimeCourse

# Ten colours that stay apart for the colour-blind too, in this order: as many as there are digits.
# Source: Petroff, arXiv 2107.02270
COLORS = (
    "#3f90da",
    "#ffa90e",
    "#bd1f01",
    "#94a4a2",
    "#832db6",
    "#a96b59",
    "#e76300",
    "#b9ac70",
    "#717581",
    "#92dadd",
)
# The two ends of the second are basics' MORE and LESS
SEQUENTIAL, DIVERGING = "viridis", "RdBu"
STYLE: Any = {
    "axes.prop_cycle": cycler(color=COLORS),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 10,
    "font.size": 10,
    "image.cmap": SEQUENTIAL,
    "legend.fontsize": 9,
    "legend.frameon": False,
    # texts of vector files stay texts
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "svg.fonttype": "none",
}
"""What all pictures here look like, for pictures of one's own beside them:
`matplotlib.pyplot.style.use(STYLE)`."""

# More curves than this have no legend, which would hide them
MANY = 10
# From axes down to a legend, in inches: ticks and a label are between
_BELOW = 0.48
# Inches of a letter of a legend, and the part of a figure that its axes have at first
_LETTER, _INNER = 0.07, 0.775
# Room above and below what matters in a picture of values, as a share of its range
ROOM = 0.6
# What importing tellurium may have taken away, until it is given back
_TAKEN = ["inline"]

_P = ParamSpec("_P")
_T = TypeVar("_T")


def _show_in_notebook() -> None:
    """Let figures be shown under cells again, if importing tellurium ended that.

    Where IPYTHONDIR is set, `import tellurium` chooses the backend Agg, which shows nothing, for
    the one that a kernel has chosen by MPLBACKEND. It does so once, so this does too: who chooses
    Agg afterwards has it.
    """
    ipython = sys.modules.get("IPython")
    taken_away = "tellurium" in sys.modules and matplotlib.get_backend().lower() == "agg"
    if taken_away and ipython and "inline" in os.environ.get("MPLBACKEND", "") and _TAKEN:
        _TAKEN.clear()
        ipython.get_ipython().run_line_magic("matplotlib", "inline")


def styled(draw: Callable[_P, _T]) -> Callable[_P, _T]:
    """A function that draws in our style and leaves matplotlib's settings as they were."""

    @wraps(draw)
    def within(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        _show_in_notebook()
        with plt.rc_context(STYLE):
            return draw(*args, **kwargs)

    return within


def new_figure(size: tuple[float, float] | None = None) -> Figure:
    """An empty figure that no window shows, its size in inches; for what is written to a file."""
    return Figure(figsize=size, layout="constrained")


def check_picture(path: str | os.PathLike[str]) -> str:
    """The picture format that a path's ending chooses."""
    kinds = FigureCanvasBase.get_supported_filetypes()
    suffix = Path(path).suffix
    kind = suffix.removeprefix(".").lower()
    if kind not in kinds:
        raise FileFormatError(
            f"{str(path)!r}: no picture format has the ending {suffix!r}; known: {', '.join(kinds)}"
        )
    return kind


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> Path:
    """Write a figure whole or not at all; the path's ending chooses the format."""
    kind = check_picture(path)
    buffer = io.BytesIO()
    with plt.rc_context(STYLE):
        figure.savefig(buffer, format=kind, dpi=150)
    return write_bytes(path, buffer.getvalue())


def new_axes(ax: Axes | None) -> Axes:
    """The given axes, or those of a new figure."""
    if ax is None:
        return plt.subplots(layout="constrained")[1]
    check_kind("ax", ax, Axes, "by plt.subplots(), say")
    return ax


def axes_of(
    titles: Sequence[str],
    given: Any,
    size: tuple[float, float],
    widths: Sequence[float] | None = None,
) -> Any:
    """An axes for each title: those given, if they are as many, or those of a new figure."""
    if given is None:
        look: Any = {"figsize": size, "width_ratios": widths, "layout": "constrained"}
        return plt.subplots(1, len(titles), squeeze=False, **look)[1][0]
    axes = np.ravel(np.asarray(given, dtype=object))
    if len(axes) != len(titles):
        raise InputError(f"axes are {len(axes)}; expected {len(titles)}: {', '.join(titles)}")
    for ax in axes:
        check_kind("axes", ax, Axes, "by plt.subplots(), say")
    return axes


def drawn_units(units: PhysicalUnits | None, present: Units) -> Units:
    """The units that a picture is to be drawn in, by default those of its numbers."""
    if units is None:
        return present
    check_kind("units", units, PhysicalUnits, "by fastest_units(net), say")
    return units


def color(number: int) -> str:
    """The colour of a curve or a class; they come round after ten."""
    # "C0" would be looked up when it is drawn, in whatever style then holds
    return COLORS[number % len(COLORS)]


def check_one_sample(course: TimeCourse) -> None:
    """Refuse a time course of several samples."""
    if course.inputs.ndim > 2:
        raise InputError(f"{course!r}: a plot shows one sample; give its .sample(0), say")


def chosen(names: str | Sequence[str] | None, every: tuple[str, ...]) -> tuple[str, ...]:
    """The names that a user asks for: one, some, or by default all."""
    found = names_of("names", names, every)
    if not found:
        raise InputError("names are none; expected one or more")
    return found


def plain(text: object) -> str:
    """A text as it is written: matplotlib takes what is between two dollars for a formula."""
    return str(text).replace("$", r"\$")


def labels_of(result: TimeCourse | Certificate | ReadOutWindow) -> dict[str, str]:
    """What the outputs of a result are called in its picture, by name."""
    labels = map(plain, result.output_labels or result.output_names)
    return dict(zip(result.output_names, labels, strict=True))


def band(ax: Axes, x: Any, low: Any, high: Any, color: Any, label: str | None = None) -> None:
    """A pale band between two curves."""
    ax.fill_between(x, low, high, color=color, alpha=0.2, linewidth=0, label=label)


def mark(ax: Axes, x: float, label: str | None = None) -> Line2D:
    """A dotted line where something changes."""
    return ax.axvline(x, color="0.6", linestyle=":", linewidth=1, label=label)


def legend_beside(ax: Axes, handles: Sequence[Artist] | None = None) -> None:
    """A legend to the right of a picture: within it, it would hide data."""
    ax.legend(handles=handles, loc="upper left", bbox_to_anchor=(1, 1), borderaxespad=0)


def legend_below(ax: Axes, handles: Sequence[Artist] | None = None, columns: int = 2) -> None:
    """A legend under a picture that has something beside it, in fewer columns for long names."""
    labels = [str(handle.get_label()) for handle in handles or ax.get_legend_handles_labels()[0]]
    # as wide as the axes with what stands beside them
    room = ax.get_window_extent().width / ax.figure.dpi / _INNER
    columns = min(columns, max(1, int(room / (_LETTER * (max(map(len, labels), default=0) + 5)))))
    # below the label of the axis, however small the picture becomes: half an inch
    down = ScaledTranslation(0, -_BELOW, ax.figure.dpi_scale_trans)
    look: Any = {"loc": "upper center", "ncols": columns, "borderaxespad": 0}
    place: Any = {"bbox_to_anchor": (0.5, 0), "bbox_transform": ax.transAxes + down}
    ax.legend(handles=handles, **look, **place)
