"""What a time course does that comes to no steady state."""

from __future__ import annotations

import numpy as np

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.errors import ConvergenceError
from crn_nn_tellurium.simulation.settle import Advance, later

PATIENCE = 1e9
"""How long is integrated where Newton's method finds nothing: what is slower stands still."""


def unrest(state: FloatArray, time: float, advance: Advance, points: int = 64) -> str:
    """What a course does that does not come to rest; empty if that cannot be seen."""
    states, step = [state], max(time, 1.0) / points
    try:
        while len(states) <= points:
            states.append(later(states[-1], step, advance))
    except ConvergenceError:
        pass  # what grows may be beyond all numbers by now
    course = np.array(states)
    early, late = course[: points // 2], course[points // 2 :]
    rising = np.all(np.diff(course, axis=0) > 0, axis=0) & (len(states) > 3)
    if np.any(rising & (course[-1] >= 1.5 * course[0])):
        reached = time + step * (len(states) - 1)
        return f"a species grows on, to {course[-1].max():.3g} by t = {reached:.3g}"
    if len(states) <= points:
        return ""
    # a power of time falls by the same factor whenever the time doubles; nothing else that is left
    there = np.where(np.all(course > 0, axis=0), course, 1.0)
    half, power = there[points // 2] / there[0], -np.log2(there[-1] / there[0])
    like = (np.abs(half * 1.5**power - 1) < 1e-3) & (power > 1e-3) & (power < 1)
    if time >= PATIENCE and np.any(like):
        return (
            f"a species falls like a power of time, t^-{power[like].min():.2g}, and is"
            f" {course[-1][like].max():.3g} at t = {2 * time:.3g}"
        )
    # what dies down has a smaller range later; half of it leaves room for a beat. What rises or
    # falls throughout goes no further than its range
    ranges, way = (np.ptp(early, axis=0), np.ptp(late, axis=0)), np.abs(np.diff(late, axis=0))
    turns = way.sum(axis=0) > 1.5 * ranges[1]
    if np.any(turns & (ranges[1] > 1e-3 * course.mean(axis=0)) & (ranges[1] > 0.5 * ranges[0])):
        return f"it oscillates without dying down, at t = {time:.3g} as at {2 * time:.3g}"
    return ""
