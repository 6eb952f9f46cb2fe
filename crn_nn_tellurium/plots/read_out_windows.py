"""When a network in DNA can be read."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from crn_nn_tellurium.basics import MORE, check_kind, whole_number
from crn_nn_tellurium.chemistry import MODEL_UNITS
from crn_nn_tellurium.dna import ReadOutWindow
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.plots.figures import (
    MANY,
    ROOM,
    color,
    labels_of,
    legend_below,
    new_axes,
    styled,
)


@styled
def plot_read_out_window(
    window: ReadOutWindow, sample: int | None = None, ax: Axes | None = None
) -> Axes:
    """The outputs of a network in DNA beside the ideal chemistry's, and when they can be read.

    Parameters
    ----------
    window : ReadOutWindow
    sample : int, optional
        By default the one that settles last.
    ax : Axes, default: of a new figure

    Returns
    -------
    Axes
        Solid lines are the DNA's outputs, dashed ones the ideal chemistry's in the same tube, dots
        at the right edge the network's. The pale band is the window of this sample, the bar below
        it that of all samples, and the dotted line the time by which the ideal chemistry has
        certainly settled, from all starts.

    Raises
    ------
    InputError
        If there is no such sample.

    Examples
    --------
    >>> from crn_nn_tellurium import load_model, read_out_window
    >>> ax = plot_read_out_window(read_out_window(load_model("xor"), [[0, 1], [1, 1]]))
    >>> ax.get_xlabel()
    'time (h)'
    """
    check_kind("window", window, ReadOutWindow, "the result of read_out_window")
    sample = _sample_drawn(window, sample)
    ax = new_axes(ax)
    _draw_outputs(window, sample, ax)
    _draw_windows(window, sample, ax)
    hour, unit = window.dna.units.clock
    # what starves runs away: the picture is of what can be read
    seen = np.concatenate([window.ideal[sample], window.targets[sample][None]])
    tolerance = window.tolerance or 0.0
    room = ROOM * max(float(np.ptp(seen)), float(np.abs(seen).max()), 3 * tolerance)
    ax.set_xlim(0, float(window.time[-1]) / hour)
    ax.set_ylim(float(seen.min()) - room, float(seen.max()) + room)
    ax.set_xlabel(f"time ({unit})")
    ax.set_ylabel(MODEL_UNITS.values)
    fuels = f"{len(window.dna.fuels)} fuels of {window.dna.fuel:,.0f} nM"
    title = f"sample {sample}\n1 is {window.dna.units.c0:.3g} nM, {fuels}"
    if window.remedy:
        # in two lines, which the width of a picture holds
        title += "\nno common window: " + window.remedy.replace(": ", ":\n")
    ax.set_title(title, fontsize=10)
    if len(window.output_names) <= MANY:
        legend_below(ax)
    return ax


def _sample_drawn(window: ReadOutWindow, sample: int | None) -> int:
    """The sample asked for; by default the one that settles last, or the first if none does."""
    n = len(window.settled)
    if sample is None:
        return 0 if np.isnan(window.settled).all() else int(np.nanargmax(window.settled))
    if whole_number("sample", sample, 0) >= n:
        raise InputError(f"sample is {sample!r}; expected 0 to {n - 1}")
    return int(sample)


def _draw_outputs(window: ReadOutWindow, sample: int, ax: Axes) -> None:
    """The outputs in DNA, those of the ideal chemistry, and what the network says."""
    hours = window.time / window.dna.units.clock[0]
    labels = labels_of(window)
    for i, name in enumerate(window.output_names):
        ink = color(i)
        ax.plot(
            hours,
            window.outputs[sample, :, i],
            color=ink,
            linewidth=1.8,
            label=f"{labels[name]}, DNA",
        )
        ax.plot(hours, window.ideal[sample, :, i], color=ink, linewidth=1, linestyle="--")
        target = window.targets[sample, i]
        ax.plot(hours[-1:], [target], "o", color=ink, markersize=5, clip_on=False)
    ax.plot([], [], color="0.3", linewidth=1, linestyle="--", label="the same, ideal chemistry")
    ax.plot([], [], "o", color="0.3", markersize=5, label="the same, network")


def _draw_windows(window: ReadOutWindow, sample: int, ax: Axes) -> None:
    """When this sample can be read, when all can, and by when the ideal chemistry has settled."""
    hour, _ = window.dna.units.clock
    end = float(window.time[-1]) / hour
    if not np.isnan(window.settled[sample]):
        first, last = window.settled[sample] / hour, min(window.starved[sample] / hour, end)
        right = "class right" if window.tolerance is None else f"within {window.tolerance:g}"
        look: Any = {"color": MORE, "alpha": 0.12, "linewidth": 0}
        ax.axvspan(first, last, label=f"readable ({right})", **look)
    first, last = window.common
    if not np.isnan(first):
        span = first / hour, min(last / hour, end)
        low, axis = (0.01, 0.01), ax.get_xaxis_transform()
        ax.plot(span, low, color=MORE, linewidth=4, transform=axis, label="all samples readable")
    certified = float(window.bound[sample]) / hour
    if certified <= end:
        ax.axvline(certified, color="0.4", linestyle=":", linewidth=1.2, label="ideal, certified")
