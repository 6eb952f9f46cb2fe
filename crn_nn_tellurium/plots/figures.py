"""What pictures share: new figures and axes, files, colours, bands, marks, legends."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from crn_nn_tellurium.basics import check_kind, write_bytes
from crn_nn_tellurium.chemistry import PhysicalUnits, Units
from crn_nn_tellurium.errors import FileFormatError, InputError
from crn_nn_tellurium.simulation import TimeCourse

# More curves than this have no legend, which would hide them
MANY = 10
# Room above and below what matters in a picture of values, as a share of its range
ROOM = 0.6
# What importing tellurium may have taken away, until it is given back
_TAKEN = ["inline"]


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
    figure.savefig(buffer, format=kind, dpi=150)
    return write_bytes(path, buffer.getvalue())


def show_in_notebook() -> None:
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


def new_axes(ax: Axes | None) -> Axes:
    """The given axes, or those of a new figure."""
    show_in_notebook()
    return plt.subplots(layout="constrained")[1] if ax is None else ax


def drawn_units(units: PhysicalUnits | None, present: Units) -> Units:
    """The units that a picture is to be drawn in, by default those of its numbers."""
    if units is None:
        return present
    check_kind("units", units, PhysicalUnits, "by fastest_units(net), say")
    return units


def color(number: int) -> str:
    """The colour of a curve or a class; they come round after ten."""
    return f"C{number % 10}"


def check_one_sample(course: TimeCourse) -> None:
    """Refuse a time course of several samples."""
    if course.inputs.ndim > 2:
        raise InputError(f"{course!r}: a plot shows one sample; give its .sample(0), say")


def chosen(names: str | Sequence[str] | None, every: tuple[str, ...]) -> tuple[str, ...]:
    """The names that a user asks for: one, some, or by default all."""
    if names is None:
        return every
    return (names,) if isinstance(names, str) else tuple(names)


def band(ax: Axes, x: Any, low: Any, high: Any, color: Any, label: str | None = None) -> None:
    """A pale band between two curves."""
    ax.fill_between(x, low, high, color=color, alpha=0.2, linewidth=0, label=label)


def mark(ax: Axes, x: float, label: str | None = None) -> Line2D:
    """A dotted line where something changes."""
    return ax.axvline(x, color="0.6", linestyle=":", linewidth=1, label=label)


def legend_beside(ax: Axes, handles: Sequence[Artist] | None = None) -> None:
    """A legend to the right of pictures that are full."""
    ax.legend(handles=handles, frameon=False, loc="upper left", bbox_to_anchor=(1, 1))


def legend_below(ax: Axes, handles: Sequence[Artist] | None = None, columns: int = 2) -> None:
    """A legend under curves that leave no corner free."""
    ax.legend(
        handles=handles,
        frameon=False,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.13),
        ncols=columns,
    )
