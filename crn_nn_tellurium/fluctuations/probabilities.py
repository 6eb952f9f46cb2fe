"""Probabilities of classes, of outputs that are jointly normal.

One output decides at a threshold, and of two the difference does: by the normal law, exactly. Of
more, class c wins where all differences y_c - y_j are above 0: an integral over an orthant, by
separation of variables (Genz, J. Comput. Graph. Stat. 1 (1992) 141) at Sobol's points, which are
the same for all samples and volumes, so a probability is smooth in the volume.

scipy's `multivariate_normal.cdf` takes one covariance a call. For 360 digits and their ten classes
it took 42 s of CPU time, 14 s at a tolerance of 1e-2, where this takes 0.8 s; at volumes of 3 and
10 the two differ by 2e-5 at most.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.networks import leads_of

IntArray = npt.NDArray[np.intp]

POINTS = 512
"""Of the integral: of ten classes, probabilities near 1/2 are then right to 1e-3, and those near 0
and 1 to far less (`tests/fluctuations`)."""
_TOGETHER = 2**21
"""Numbers held at once in each of a few arrays."""


def class_probabilities(mean: FloatArray, covariance: FloatArray, threshold: float) -> FloatArray:
    """Probabilities (n, n_classes) by outputs of mean (n, n_out) and covariance (n, n_out, n_out).

    A single output decides between two classes at the threshold.
    """
    if mean.shape[1] == 1:
        above = _by_normal(mean[:, 0] - threshold, covariance[:, 0, 0])
        return np.stack([1 - above, above], axis=1)
    every = range(mean.shape[1])
    found = np.stack([probability_of(mean, covariance, np.full(len(mean), c)) for c in every], 1)
    return found / found.sum(axis=1, keepdims=True)


def probability_of(mean: FloatArray, covariance: FloatArray, winner: IntArray) -> FloatArray:
    """Probability (n,) that the output numbered `winner` (n,) of two or more is the largest."""
    ahead = leads_of(mean.shape[1], winner)
    spread = ahead @ covariance @ np.swapaxes(ahead, 1, 2)
    return all_positive((ahead @ mean[..., None])[..., 0], spread)


def all_positive(mean: FloatArray, covariance: FloatArray) -> FloatArray:
    """Probability (n,) that all of m jointly normal numbers are above 0, by means (n, m)."""
    n, m = mean.shape
    if m == 1:
        return _by_normal(mean[:, 0], covariance[:, 0, 0])
    step = max(1, _TOGETHER // (POINTS * m))
    parts = [_orthant(mean[i : i + step], covariance[i : i + step]) for i in range(0, n, step)]
    return np.concatenate(parts) if parts else np.empty(0)


def _by_normal(mean: FloatArray, variance: FloatArray) -> FloatArray:
    """Probability that a normal number is above 0; without variance, of what it is."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found = ndtr(mean / np.sqrt(variance))
    return np.where(np.isnan(found), 0.5, found)


def _orthant(mean: FloatArray, covariance: FloatArray) -> FloatArray:
    """Probability (n,) that all of m normal numbers are above 0."""
    n, m = mean.shape
    scale = np.sqrt(np.einsum("nii->ni", covariance))
    # those that are least sure first: what is left is then nearly the same at all points
    order = np.argsort(mean / scale, axis=1)
    each = np.arange(n)[:, None]
    level = (mean / scale)[each, order]
    related = (covariance / (scale[:, :, None] * scale[:, None, :]))[
        each[..., None], order[:, :, None], order[:, None, :]
    ]
    # differences that are all but one another's leave a pivot of rounding, whose sign is open
    factor = np.linalg.cholesky(related + 1e-13 * np.eye(m))
    points = _points(m - 1)
    chosen = np.empty((n, m - 1, len(points)))
    total = np.ones((n, len(points)))
    for i in range(m):
        # given the numbers before it, the next is above 0 with this probability
        shift = np.einsum("nj,njp->np", factor[:, i, :i], chosen[:, :i])
        sure = ndtr((level[:, i, None] + shift) / factor[:, i, i, None])
        total *= sure
        if i < m - 1:
            # what it is then: by the upper tail, in which nothing cancels
            tail = np.maximum(sure * points[:, i], np.finfo(float).tiny)
            chosen[:, i] = -ndtri(tail)
    return np.asarray(total.mean(axis=1))


@lru_cache(maxsize=8)
def _points(dimensions: int) -> FloatArray:
    """Sobol's points (POINTS, dimensions), scrambled with a fixed seed."""
    from scipy.stats import qmc

    return np.asarray(qmc.Sobol(dimensions, seed=0).random(POINTS))
