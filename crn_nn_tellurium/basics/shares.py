"""Shares that are counted in draws, and between which bounds the true ones lie.

Of a true share p, k or more of n draws come out with the probability I_p(k, n - k + 1), Euler's
incomplete beta function. The lower bound is the p at which that is 2.5 %, the upper one by symmetry
(Clopper and Pearson, Biometrika 26 (1934) 404).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv

from crn_nn_tellurium.basics.arrays import FloatArray

SHARE_LEVEL = 0.95
"""How often the bounds hold the true share between them, at least."""


def share_bounds(counts: npt.ArrayLike, draws: int) -> tuple[FloatArray, FloatArray]:
    """Lower and upper bounds of true shares, by how many of so many draws came out.

    >>> low, high = share_bounds([0, 5, 10], draws=10)
    >>> low.round(3), high.round(3)
    (array([0.   , 0.187, 0.692]), array([0.308, 0.813, 1.   ]))
    """
    k, tail = np.asarray(counts, dtype=float), (1 - SHARE_LEVEL) / 2
    # at one end there is no beta distribution, and nothing to bound
    low = np.where(k > 0, betaincinv(np.maximum(k, 1), draws - k + 1, tail), 0.0)
    high = np.where(k < draws, betaincinv(k + 1, np.maximum(draws - k, 1), 1 - tail), 1.0)
    return low, high
