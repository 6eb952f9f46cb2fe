"""The largest numbers for which something holds, of many samples at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics.arrays import FloatArray

_LEAST = 1e-9
"""What does not hold here holds nowhere above 0."""


def bracket_largest(
    holds: Callable[[FloatArray], npt.NDArray[np.bool_]],
    n: int,
    first: float,
    limit: float,
    precision: float,
) -> tuple[FloatArray, FloatArray]:
    """Numbers (n,) where it holds, 0 at least, and where it does not, the next to them; these are
    infinite where it holds at the limit.

    `holds` is asked for numbers (n,) > 0, `first` to begin with; the two end within a relative
    `precision` of one another.
    """
    low, high = np.zeros(n), np.full(n, np.inf)
    # few are large, so they are come upon from below, and then halved
    tried = np.full(n, min(first, limit))
    while True:
        is_held = holds(tried)
        low, high = np.where(is_held, tried, low), np.where(is_held, high, tried)
        is_between = np.isfinite(high)
        is_known = is_between & ((high - low <= precision * high) | (high < _LEAST))
        if np.all(is_known | (low == limit)):
            return low, high
        tried = np.where(is_between, (low + high) / 2, np.minimum(4 * tried, limit))
