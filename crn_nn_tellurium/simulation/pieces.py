"""Runs in which boundary concentrations change: from change to change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeVar

import numpy as np

from crn_nn_tellurium.basics import FloatArray

Run = Callable[[FloatArray, FloatArray, FloatArray], FloatArray]
"""(boundary concentrations, start, times) -> states (n_times, n_floating)"""
Changes = Mapping[float, FloatArray]
"""Boundary concentrations (n_boundary,) by the time from which they hold, in order."""
NO_CHANGES: Changes = MappingProxyType({})
Held = TypeVar("Held")
"""What holds from one change to the next, boundary concentrations say."""


def piecewise(
    run: Callable[[Held, FloatArray, FloatArray], FloatArray],
    time: FloatArray,
    start: FloatArray,
    pieces: Mapping[float, Held],
) -> FloatArray:
    """Run from change to change; states at the times asked for."""
    result = np.empty((len(time), len(start)))
    result[0] = state = start
    if len(time) == 1:  # the engine takes no run over no time
        return result
    ends = [*list(pieces)[1:], float(time[-1])]
    for (first, held), last in zip(pieces.items(), ends, strict=True):
        inside = (time > first) & (time <= last)
        # both ends are run to, for the next piece starts where this one stops
        times = np.unique([first, *time[inside], last])
        states = run(held, state, times)
        result[inside] = states[np.searchsorted(times, time[inside])]
        state = states[-1]
    return result
