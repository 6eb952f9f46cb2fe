"""Outputs and concentrations over time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from crn_nn_tellurium.basics import check_kind
from crn_nn_tellurium.chemistry import CONCENTRATION, PhysicalUnits
from crn_nn_tellurium.plots.figures import (
    MANY,
    band,
    check_one_sample,
    chosen,
    color,
    drawn_units,
    labels_of,
    legend_beside,
    mark,
    new_axes,
    styled,
)
from crn_nn_tellurium.simulation import TimeCourse


@styled
def plot_time_course(
    tc: TimeCourse,
    names: str | Sequence[str] | None = None,
    ax: Axes | None = None,
    *,
    units: PhysicalUnits | None = None,
) -> Axes:
    """Outputs, and other columns asked for, over time.

    Parameters
    ----------
    tc : TimeCourse
    names : str or sequence of str, optional
        Outputs, species or inputs to draw; by default the outputs.
    ax : Axes, default: of a new figure
    units : PhysicalUnits, optional
        Draw hours and nM; by default the units of the time course.

    Returns
    -------
    Axes
        A dotted line marks each time at which the inputs change. Of several draws, lines are means,
        with a band of one standard deviation to either side. It is matplotlib's, whatever
        ``te.setDefaultPlottingEngine`` says; ``r.plot()`` of `to_roadrunner` follows that.

    Raises
    ------
    InputError
        If `tc` is no TimeCourse, or `units` are no PhysicalUnits.
    KeyError
        If a name is not in the result.

    Examples
    --------
    >>> from crn_nn_tellurium import Network, Simulator
    >>> ax = plot_time_course(Simulator(Network.random([2, 3, 1], seed=0)).time_course([0, 1]))
    >>> ax.get_xlabel()
    'time (model units)'
    """
    check_kind("tc", tc, TimeCourse, "the result of Simulator.time_course")
    tc = tc.in_units(drawn_units(units, tc.units))
    check_one_sample(tc)
    unit, name_of_unit = tc.units.clock
    ax = new_axes(ax)
    time, drawn = tc.time / unit, chosen(names, tc.output_names)
    middle = tc if tc.draws is None else tc.mean
    labels = labels_of(tc)
    for number, name in enumerate(drawn):
        ink = color(number)
        ax.plot(time, middle[name], color=ink, label=labels.get(name, name))
        if (tc.draws or 0) > 1 and name not in tc.input_names:
            spread = tc.spread[name]
            band(ax, time, middle[name] - spread, middle[name] + spread, ink)
    for change in time[:-1][np.any(np.diff(tc.inputs, axis=0) != 0, axis=1)]:
        mark(ax, change)
    # a concentration is not negative: outputs and inputs that are differences of them are values
    is_value = any(name in tc.output_names or tc[name].min() < 0 for name in drawn)
    concentration = f"concentration ({tc.units.name(CONCENTRATION)})"
    ax.set(xlabel=f"time ({name_of_unit})", ylabel=tc.units.values if is_value else concentration)
    ax.margins(x=0)
    if len(drawn) <= MANY:
        legend_beside(ax)
    return ax
