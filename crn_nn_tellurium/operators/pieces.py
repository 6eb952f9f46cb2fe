"""Pieces that stay near a function: sums of smoothed ReLUs, fitted to a largest error.

    f^(z) = offset - s_0 sigma_h(t_1 - z) + s_1 sigma_h(z - t_1) + sum_k (s_k - s_{k-1})
    sigma_h(z - t_k)

A chord of length d is off by d^2 |f''| / 8, so knots t_k are spread such that each piece has its
share of I = integral of sqrt(|f''|); k pieces can then be within (I / k)^2 / 16, half of a chord's
(Hamann and Chen, Comput. Aided Geom. Des. 11 (1994) 289). For given knots, the slopes whose
largest error is least are the solution of a linear programme. Where the range has no end, the
outer pieces are the very lines that f runs into, so f^ is near f however far out.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.optimize import linprog

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.errors import NetworkError
from crn_nn_tellurium.networks import Activation, PiecewiseLinear
from crn_nn_tellurium.operators.functions import Function, Line

MOST_KNOTS = 200
"""A unit with more species than this is no chemistry that anybody could want."""
_TOO_MANY = 3
"""Times what theory needs: if so many knots are not near enough, rounded knees are in the way."""
_FITTED, _MEASURED = 400, 20_000
"""Points at which slopes are fitted, and at which the error is measured."""


@dataclass(frozen=True)
class Fit:
    """An activation near a function, and its largest distance from it on the range."""

    activation: PiecewiseLinear
    error: float


@lru_cache(maxsize=256)
def fitted(
    function: Function,
    max_error: float,
    h: float,
    low: float = -math.inf,
    high: float = math.inf,
) -> Fit:
    """As few pieces as stay within `max_error` on (low, high), with knees smoothed by h.

    Raises
    ------
    NetworkError
        If the range has no end where the function runs into no line, or h is so large that
        smoothed knees alone are further off.
    """
    lines = (
        function.left if math.isinf(low) else None,
        function.right if math.isinf(high) else None,
    )
    ends = (_end(function, low, -1.0, max_error), _end(function, high, 1.0, max_error))
    points = _points(ends, _MEASURED, (0.0, *function.kinks))
    _check_finite(function, points)
    spread, integral = _spread(function, points)
    kinks = [kink for kink in function.kinks if ends[0] < kink < ends[1]]
    needed = integral / (4 * math.sqrt(max_error))
    best = math.inf
    if needed > MOST_KNOTS:
        raise NetworkError(
            f"{function}: to be within max_error={max_error:g} takes some {needed:.0f} pieces;"
            f" expected a larger max_error, which takes at most {MOST_KNOTS}"
        )
    most = min(MOST_KNOTS, int(_TOO_MANY * needed) + 8)
    count = max(1, int(needed) - 1)
    while count <= most:
        knots = np.unique([*spread(count), *kinks])
        found = _activation(function, knots, lines, h, _points(ends, _FITTED, knots))
        if found is not None:
            z = np.union1d(points, knots)
            # between these points f^ is straight and f bends by 1e-7 of what is asked or less
            error = 1.000001 * float(np.abs(found(z) - function.of(z)).max())
            if error <= max_error:
                return Fit(found, error)
            best = min(best, error)
        # one more near what theory needs, and longer steps beyond
        count += max(1, (count - int(needed)) // 3)
    near = f"the nearest are off by {best:.3g}" if best < math.inf else "none are near"
    raise NetworkError(
        f"{function}: of up to {most} pieces {near}; expected max_error={max_error:g} to be"
        f" larger, or h={h:g} to be smaller"
    )


def smoothing_error(activation: Activation) -> float:
    """How far an activation of rails alone is from its limit for h -> 0, at most.

    sigma_h(u) - max(u, 0) is in (0, sqrt(h)] and the same for u and -u, so what two rails of one
    knot add and subtract is gone.
    """
    by_knot: dict[float, float] = {}
    # rails come first among the species, and here there are no others
    for rail, c in zip(activation.rails, activation.read_coefficients.tolist(), strict=True):
        knot = -rail.sign * rail.shift + 0.0
        by_knot[knot] = by_knot.get(knot, 0.0) + c
    up = sum(max(c, 0.0) for c in by_knot.values())
    down = sum(max(-c, 0.0) for c in by_knot.values())
    return max(up, down) * math.sqrt(activation.h)


@lru_cache(maxsize=256)
def distance(function: Function, activation: Activation) -> float:
    """The largest distance of an activation from a function that runs into straight lines."""
    ends = (_end(function, -math.inf, -1.0, 1e-6), _end(function, math.inf, 1.0, 1e-6))
    z = _points(ends, _MEASURED, function.kinks)
    return float(np.abs(activation(z) - function.of(z)).max())


@lru_cache(maxsize=256)
def steepest(function: Function, low: float, high: float) -> float:
    """The largest slope of a function between bounds, either sign."""
    # far beyond any knee that a network has, and squares are finite
    z = _points((max(low, -1e9), min(high, 1e9)), _MEASURED, function.kinks)
    if len(z) < 2:
        return 0.0
    # secants fall short of the steepest tangent by less than this
    return 1.001 * float(np.abs(np.diff(function.of(z)) / np.diff(z)).max())


def _check_finite(function: Function, z: FloatArray) -> None:
    """Refuse a function that has poles or ends between."""
    with np.errstate(all="ignore"):
        is_finite = np.isfinite(function.of(z))
    if not is_finite.all():
        raise NetworkError(
            f"{function}: it has no finite value at {float(z[~is_finite][0]):g}; expected a"
            " function that is finite wherever its argument may be"
        )


def _end(function: Function, end: float, side: float, max_error: float) -> float:
    """An end of the range, or where the function is as good as the line that it runs into."""
    if math.isfinite(end):
        return end
    line = function.left if side < 0 else function.right
    if line is None:
        raise NetworkError(
            f"{function}: it runs into no straight line, so that pieces are near it on a bounded"
            " range alone; give data=, inputs (n_samples, n_in) as the network will meet them"
        )
    z = side
    # a line is reached as fast as 1 / z, or it is none
    while (
        abs(z) < 1e9 / max_error
        and abs(function.of(np.array([z]))[0] - (line[0] * z + line[1])) > max_error / 100
    ):
        z *= 2
    return z


def _points(ends: Line, count: int, others: object) -> FloatArray:
    """Points from end to end, dense near 0 where functions bend, and others among them."""
    first, last = np.arcsinh(ends)
    grid = np.sinh(np.linspace(first, last, count))
    # sinh of arcsinh is rounded, and a logarithm's end may be 0
    return np.union1d(np.clip(grid, *ends), np.clip(np.asarray(others, float), *ends))


def _spread(function: Function, z: FloatArray) -> tuple[Callable[[int], FloatArray], float]:
    """Where a number of knots go, and the integral of sqrt(|f''|)."""
    slopes, widths = np.diff(function.of(z)) / np.diff(z), np.diff(z[1:] + z[:-1]) / 2
    # |f''| dz is how much the slope changes, so sqrt(|f''|) dz is this:
    shares = np.sqrt(np.abs(np.diff(slopes)) * widths)
    inner = z[1:-1]
    shares[np.isin(inner, function.kinks)] = 0.0  # which get knots of their own
    whole = float(shares.sum())
    # up to the middle of a share, so that functions that are symmetric get symmetric knots
    cumulative = np.cumsum(shares) - shares / 2

    def places(count: int) -> FloatArray:
        return np.interp((np.arange(count) + 0.5) / count * whole, cumulative, inner)

    return places, whole


def _activation(
    function: Function,
    knots: FloatArray,
    lines: tuple[Line | None, Line | None],
    h: float,
    z: FloatArray,
) -> PiecewiseLinear | None:
    """The pieces with given knots whose largest error at z is least; None if the lines far out do
    not meet.
    """
    n = len(knots)
    left, right = lines
    # unknowns: slopes s_0 ... s_n, offset, largest error
    read = np.concatenate([_read(knots, h, z), np.zeros((1, len(z)))])
    unit = np.eye(n + 3)
    equal: list[FloatArray] = []
    values: list[float] = []
    if left is not None:
        # its slope, and the value that it has at the first knot
        equal += [unit[0], unit[n + 1]]
        values += [left[0], left[0] * knots[0] + left[1]]
    if right is not None:
        # its slope, and the value at the last knot: the offset and what the pieces between add
        at_last = unit[n + 1].copy()
        at_last[1:n] = np.diff(knots)
        equal += [unit[n], at_last]
        values += [right[0], right[0] * knots[-1] + right[1]]
    if z[0] < 0 < z[-1] and _turns_at_zero(function):
        # so that its sign, or the class of two that a sigmoid tells, is the same
        equal.append(np.append(_read(knots, h, np.zeros(1))[:, 0], 0.0))
        values.append(float(function.of(np.zeros(1))[0]))
    y = function.of(z)
    error = -unit[n + 2]
    solved = linprog(
        unit[n + 2],
        np.concatenate([read.T + error, error - read.T]),
        np.concatenate([y, -y]),
        np.array(equal) if equal else None,
        values or None,
        bounds=(None, None),
    )
    if solved.status:
        return None
    found = solved.x[: n + 2]
    if equal:
        # the solver meets these to 1e-7; the least change that meets them to the last digits
        wanted = np.array(equal)[:, : n + 2]
        found = found + np.linalg.lstsq(wanted, values - wanted @ found)[0]
    slopes = found[: n + 1].copy()
    for place, line in ((0, left), (n, right)):
        if line is not None:
            slopes[place] = line[0]
    offset = found[n + 1] if left is None else left[0] * knots[0] + left[1]
    return PiecewiseLinear(knots, slopes, float(offset), h)


def _read(knots: FloatArray, h: float, z: FloatArray) -> FloatArray:
    """What each slope and the offset add to the value at z, shape (n_knots + 2, n_points)."""
    one = np.eye(len(knots) + 1)
    parts = [PiecewiseLinear(knots, slopes, 0.0, h)(z) for slopes in one]
    return np.array([*parts, np.ones_like(z)])


def _turns_at_zero(function: Function) -> bool:
    """Whether f(z) - f(0) is odd: a sigmoid or its like, which bends the other way beyond 0."""
    z = np.array([0.0, 0.1, 0.7, 2.0, 5.0])
    left, right = function.of(-z), function.of(z)
    return bool(np.allclose(left + right, 2 * right[0], rtol=0, atol=1e-12))
