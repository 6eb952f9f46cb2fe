"""What smoothing makes of knees: sigma_h and its like, in forms in which nothing cancels."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import FloatArray


def smoothed_relu(z: npt.ArrayLike, h: float) -> FloatArray:
    """sigma_h(z) = (z + sqrt(z^2 + 4h)) / 2, to full relative accuracy for either sign of z.

    >>> smoothed_relu([-3.0, 0.0, 3.0], 4.0)
    array([1., 2., 4.])
    """
    z = np.asarray(z, dtype=float)
    # below 0 the sum would cancel; but sigma_h(z) = max(z, 0) + sigma_h(-|z|), and the last is
    # h / sigma_h(|z|)
    larger = np.abs(z)
    larger += root(z, h)
    larger *= 0.5
    return np.maximum(z, 0.0) + h / larger


def smoothed_relu_derivative(z: npt.ArrayLike, h: float) -> FloatArray:
    """d sigma_h / dz = sigma_h / sqrt(z^2 + 4h), in (0, 1).

    >>> smoothed_relu_derivative([-3.0, 0.0, 3.0], 4.0)
    array([0.2, 0.5, 0.8])
    """
    z = np.asarray(z, dtype=float)
    return smoothed_relu(z, h) / root(z, h)


def root(z: FloatArray, h: float) -> FloatArray:
    """sqrt(z^2 + 4h)."""
    # hypot, five times slower, only where squares leave the range of doubles
    with np.errstate(over="ignore"):
        found = z * z
        found += 4 * h
        found = np.sqrt(found)
    beyond = h < 1e-290 or found.max(initial=0.0) == np.inf
    return np.hypot(z, 2 * math.sqrt(h)) if beyond else found


def smoothed_pieces(
    z: npt.ArrayLike, knots: Sequence[float], slopes: Sequence[float], offset: float, h: float
) -> FloatArray:
    """A piecewise linear function with its knees smoothed, as `PiecewiseLinear` has it.

    With b(u) = sigma_h(-|u|), sigma_h(u) = max(u, 0) + b(u): so it is the function itself and, of
    each knee, b times the change of slope. Nothing cancels but what does so in the function.
    """
    z, t, s = np.asarray(z, dtype=float), np.asarray(knots), np.asarray(slopes)
    levels = np.concatenate([[offset], offset + np.cumsum(s[1:-1] * np.diff(t))])
    piece = np.searchsorted(t, z)
    knot = np.maximum(piece - 1, 0)
    found = levels[knot] + s[piece] * (z - t[knot])
    u = z[..., None] - t
    r = root(u, h)
    b = 2 * h / (np.abs(u) + r)
    found += s[-1] * b[..., -1] - s[0] * b[..., 0]
    # far from both knots of a piece |u| - |v| is their distance, and b(u) - b(v) what follows
    # from b = (r - |u|) / 2, where the difference itself would be of equal numbers
    width, left, right = np.diff(t), u[..., 1:], u[..., :-1]
    apart = np.where(left >= 0, width, np.where(right <= 0, -width, left + right))
    differences = -apart * (b[..., :-1] + b[..., 1:]) / (r[..., :-1] + r[..., 1:])
    return np.asarray(found + differences @ s[1:-1])
