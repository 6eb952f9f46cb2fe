"""The loss that is expected of outputs that fluctuate, and its derivatives by their moments.

For outputs that are jointly normal, of mean m and covariance C = L L', the expected loss is taken
as the mean over fixed points z,

    E loss(m + L z),    sum of z = 0,    mean of z z' = 1,

which is exact where a loss is a polynomial of third degree at most: for the squared error it is
loss(m) + tr C. Points are Sobol's, made normal; each comes with its negative, and their covariance
is made 1. What is minimised has no chance in it, and its derivatives are those of this very sum:
with G = dE/dL, Phi taking the lower triangle with half of the diagonal, and sym the symmetric part,

    dE/dC = sym(L^-T Phi(L' G) L^-1)

(I. Murray, arXiv 1602.07527).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.special import ndtri

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.errors import ConvergenceError
from crn_nn_tellurium.networks import Loss
from crn_nn_tellurium.sensitivity import loss_and_slope

_PAIRS = 32
"""Points and their negatives, at least; a power of 2, as Sobol's are even."""


def expected_loss(
    loss: Loss, mean: FloatArray, covariance: FloatArray, targets: FloatArray
) -> tuple[float, FloatArray, FloatArray]:
    """The mean over samples, and its derivatives by means (n, n_out) and covariances (n, n_out,
    n_out).
    """
    n_out = mean.shape[1]
    points = _points(n_out)
    try:
        root = np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError as error:
        raise ConvergenceError(
            "training with noise=Molecules: the covariance of the outputs is not positive; every"
            " output needs a species of its own, and a smaller learning_rate or scale may help"
        ) from error
    outputs = mean[:, None, :] + points @ np.swapaxes(root, 1, 2)
    repeated = np.repeat(targets, len(points), axis=0)
    value, slope = loss_and_slope(loss, outputs.reshape(-1, n_out), repeated)
    slope = slope.reshape(outputs.shape)
    by_root = np.swapaxes(slope, 1, 2) @ points
    phi = np.tril(np.swapaxes(root, 1, 2) @ by_root)
    phi[:, range(n_out), range(n_out)] /= 2
    inverse = np.linalg.inv(root)
    by_covariance = np.swapaxes(inverse, 1, 2) @ phi @ inverse
    return value, slope.sum(axis=1), (by_covariance + np.swapaxes(by_covariance, 1, 2)) / 2


@lru_cache(maxsize=8)
def _points(n_out: int) -> FloatArray:
    """Points (n_points, n_out), of mean 0 and covariance 1."""
    from scipy.stats import qmc  # half a second, for trainings under this noise alone

    # more points than dimensions, or their covariance would have no inverse
    n_pairs = max(_PAIRS, 2 ** (n_out + 1).bit_length())
    found = ndtri(qmc.Sobol(n_out, seed=0).random(n_pairs))
    scale = np.linalg.cholesky(found.T @ found / n_pairs)
    half = np.linalg.solve(scale, found.T).T
    return np.concatenate([half, -half])
