"""What pictures share: the units and labels of their axes, colours, bands, marks, legends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from crn_nn_tellurium.basics import check_kind
from crn_nn_tellurium.chemistry import MODEL_UNITS, PhysicalUnits, Units, must_convert

MANY = 10
"""More curves than this have no legend, which would hide them."""
ROOM = 0.6
"""Room above and below what matters in a picture of values, as a share of its range."""

_MODEL_UNITS = "model units"


@dataclass(frozen=True)
class DrawnUnits:
    """What a time and a concentration of 1 are in the units drawn, and their names.

    The only place where pictures name units: the model's own without `PhysicalUnits`, hours and nM
    with them.
    """

    time: float
    concentration: float
    time_unit: str
    concentration_unit: str

    def time_label(self, what: str = "time") -> str:
        """The label of an axis of times."""
        return f"{what} ({self.time_unit})"

    def concentration_label(self, what: str = "concentration") -> str:
        """The label of an axis of concentrations, or of outputs, which are their differences."""
        return f"{what} ({self.concentration_unit})"

    def amount(self, value: float) -> str:
        """A concentration of the model in these units; the model's own have no name."""
        unit = "" if self.concentration_unit == _MODEL_UNITS else f" {self.concentration_unit}"
        return f"{value * self.concentration:.3g}{unit}"


def drawn_units(units: PhysicalUnits | None, present: Units = MODEL_UNITS) -> DrawnUnits:
    """The units that a picture is asked to be drawn in, by default those that its numbers are in.

    Raises
    ------
    InputError
        If they are not `PhysicalUnits`, or the numbers are in others already.
    """
    if units is not None:
        check_kind("units", units, PhysicalUnits, "by fastest_units(net), say")
        if must_convert("what is drawn", present, units):
            return DrawnUnits(units.hours(1.0), units.concentration(1.0), "h", "nM")
    if present == MODEL_UNITS:
        return DrawnUnits(1.0, 1.0, _MODEL_UNITS, _MODEL_UNITS)
    return DrawnUnits(1 / 3600, 1.0, "h", "nM")  # from s


def color(number: int) -> str:
    """The colour of a curve or a class; they come round after ten."""
    return f"C{number % 10}"


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
