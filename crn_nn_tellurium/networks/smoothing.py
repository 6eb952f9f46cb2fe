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


def smoothed_pieces_derivative(
    z: npt.ArrayLike, knots: Sequence[float], slopes: Sequence[float], h: float
) -> FloatArray:
    """d/dz of `smoothed_pieces`: the mean of the slopes, each with a weight above 0.

    The weight of the slope between knots t and t' is sigma_h'(u) - sigma_h'(u') with u = z - t and
    u' = z - t'. With p = |u| / sqrt(u^2 + 4h), sigma_h'(u) = (1 + p) / 2 right of the knot and
    (1 - p) / 2 left of it; beside both knots the two are nearly equal, and it is taken from

        p - p' = (p^2 - p'^2) / (p + p'),        p^2 = 1 - 4h / (u^2 + 4h).
    """
    z, t, s = np.asarray(z, dtype=float), np.asarray(knots), np.asarray(slopes)
    u = z[..., None] - t
    r = root(u, h)
    p = np.abs(u) / r
    (ra, rb), (pa, pb) = ((part[..., :-1], part[..., 1:]) for part in (r, p))
    less, more = np.minimum(ra, rb), np.maximum(ra, rb)
    beside = 2 * h / less * (np.diff(t) / more) * (pa / rb + pb / ra) / (pa + pb)
    is_beside = (u[..., :-1] > 0) == (u[..., 1:] > 0)
    weights = np.where(is_beside, beside, (pa + pb) / 2)
    first = smoothed_relu_derivative(-u[..., 0], h)
    last = smoothed_relu_derivative(u[..., -1], h)
    return np.asarray(s[0] * first + s[-1] * last + weights @ s[1:-1])


def smoothed_pieces_by_h(
    z: npt.ArrayLike, knots: Sequence[float], slopes: Sequence[float], h: float
) -> FloatArray:
    """d/dh of `smoothed_pieces`, from d sigma_h(u) / dh = 1 / r, r = sqrt(u^2 + 4h)."""
    z, t, s = np.asarray(z, dtype=float), np.asarray(knots), np.asarray(slopes)
    u = z[..., None] - t
    r = root(u, h)
    ra, rb = r[..., :-1], r[..., 1:]
    # 1 / r - 1 / r' = (r'^2 - r^2) / (r r' (r + r')), and r'^2 - r^2 is u'^2 - u^2
    both = 2 * z[..., None] - (t[:-1] + t[1:])
    differences = -(np.diff(t) / ra) * (both / (ra + rb)) / rb
    return np.asarray(s[-1] / r[..., -1] - s[0] / r[..., 0] + differences @ s[1:-1])
