"""The functions of one number that trained networks apply: which have an exact counterpart in
chemistry, and how the others behave far out.

A rail is a smoothed ReLU, so every continuous piecewise linear function is exact but for its
smoothed knees. Others are approximated by pieces (`pieces`); most run into straight lines on both
sides, so that finitely many pieces are near them everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy import special

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.errors import NetworkError
from crn_nn_tellurium.networks import (
    Absolute,
    Activation,
    ClippedReLU,
    HardSigmoid,
    LeakyReLU,
    Linear,
    PiecewiseLinear,
    Sigmoid,
    SmoothedReLU,
    Tanh,
)

Line = tuple[float, float]
"""Slope and intercept of a straight line."""
_FLAT: Line = (0.0, 0.0)


@dataclass(frozen=True)
class Function:
    """A function of one number.

    Parameters
    ----------
    name : str
        As frameworks call it, with its parameters: functions of one name are equal.
    of : callable
        Its values for an array.
    counterpart : callable, optional
        From h to the activation that becomes it as h goes to 0; None where there is none.
    left, right : (slope, intercept), optional
        The lines that it runs into; None where it does not.
    algebraic : Activation, optional
        One of chemistry's own that has its slope at 0.
    kinks : tuple of float
        Where its slope jumps.
    """

    name: str
    of: Callable[[FloatArray], FloatArray] = field(compare=False)
    counterpart: Callable[[float], Activation] | None = field(default=None, compare=False)
    left: Line | None = None
    right: Line | None = None
    algebraic: Activation | None = None
    kinks: tuple[float, ...] = ()

    def __str__(self) -> str:
        return self.name


# exact -------------------------------------------------------------------------------------------


def identity() -> Function:
    return Function("identity", lambda z: z, Linear)


def relu() -> Function:
    return Function("relu", lambda z: np.maximum(z, 0.0), SmoothedReLU)


def absolute() -> Function:
    return Function("abs", np.abs, Absolute)


def leaky_relu(slope: float) -> Function:
    return Function(
        f"leaky_relu({slope!r})",
        lambda z: np.where(z > 0, z, slope * z),
        lambda h: LeakyReLU(slope, h),
    )


def clip(low: float, high: float) -> Function:
    """hardtanh, relu6, clip: min(max(z, low), high), where an end may be infinite."""
    if not low < high:
        raise NetworkError(f"clip from {low!r} to {high!r} is constant; expected low < high")
    name = f"clip({low!r}, {high!r})"

    def counterpart(h: float) -> Activation:
        if (low, high) == (0.0, math.inf):
            return SmoothedReLU(h)
        if low == 0.0:
            return ClippedReLU(h, high)
        if math.isinf(low) and math.isinf(high):
            return Linear(h)
        if math.isinf(high):
            return PiecewiseLinear((low,), (0.0, 1.0), low, h)
        if math.isinf(low):
            return PiecewiseLinear((high,), (1.0, 0.0), high, h)
        return PiecewiseLinear((low, high), (0.0, 1.0, 0.0), low, h)

    return Function(name, lambda z: np.clip(z, low, high), counterpart)


def hard_sigmoid(slope: float = 1 / 6, offset: float = 0.5) -> Function:
    """min(max(slope z + offset, 0), 1); the defaults are PyTorch's and Keras'."""
    return Function(
        f"hardsigmoid({slope!r}, {offset!r})",
        lambda z: np.clip(slope * z + offset, 0.0, 1.0),
        lambda h: HardSigmoid(h, slope, offset),
    )


def soft_shrink(width: float) -> Function:
    """Soft shrinkage: 0 for |z| <= width, nearer to 0 by width beyond."""
    if width == 0:
        return identity()
    return Function(
        f"softshrink({width!r})",
        lambda z: np.sign(z) * np.maximum(np.abs(z) - width, 0.0),
        lambda h: PiecewiseLinear((-width, width), (1.0, 0.0, 1.0), 0.0, h),
    )


# approximated ------------------------------------------------------------------------------------


def sigmoid() -> Function:
    return Function("sigmoid", special.expit, None, _FLAT, (0.0, 1.0), Sigmoid(h=1.0))


def tanh() -> Function:
    return Function("tanh", np.tanh, None, (0.0, -1.0), (0.0, 1.0), Tanh(h=0.25))


def softplus(beta: float = 1.0) -> Function:
    # SmoothedReLU has slope 1/2 at 0 for every h; this one has softplus' value there as well
    return Function(
        "softplus" if beta == 1 else f"softplus({beta!r})",
        lambda z: np.logaddexp(0.0, beta * z) / beta,
        None,
        _FLAT,
        (1.0, 0.0),
        SmoothedReLU((math.log(2.0) / beta) ** 2),
    )


def log_sigmoid() -> Function:
    return Function("logsigmoid", lambda z: -np.logaddexp(0.0, -z), None, (1.0, 0.0), _FLAT)


def silu() -> Function:
    return Function("silu", lambda z: z * special.expit(z), None, _FLAT, (1.0, 0.0))


def gelu(by_tanh: bool = False) -> Function:
    """z Phi(z), or the formula by tanh that stands for it."""
    if by_tanh:
        inner = math.sqrt(2 / math.pi)
        return Function(
            "gelu(tanh)",
            lambda z: 0.5 * z * (1 + np.tanh(inner * (z + 0.044715 * z**3))),
            None,
            _FLAT,
            (1.0, 0.0),
        )
    return Function("gelu", lambda z: z * special.ndtr(z), None, _FLAT, (1.0, 0.0))


def mish() -> Function:
    return Function("mish", lambda z: z * np.tanh(np.logaddexp(0.0, z)), None, _FLAT, (1.0, 0.0))


def elu(alpha: float = 1.0, scale: float = 1.0, width: float = 1.0) -> Function:
    """elu, selu (a scale) and celu (a width): scale * alpha (e^(z / width) - 1) below 0."""
    name = "elu" if (scale, width) == (1, 1) else "selu" if width == 1 else "celu"
    return Function(
        name if (alpha, scale, width) == (1, 1, 1) else f"{name}({alpha!r}, {scale!r}, {width!r})",
        lambda z: scale * np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0.0) / width)),
        None,
        (0.0, -scale * alpha) if width > 0 else None,
        (scale, 0.0),
        kinks=(0.0,),
    )


def selu() -> Function:
    """With the numbers that keep means and variances (Klambauer et al. 2017, arXiv 1706.02515)."""
    return elu(1.6732632423543772, 1.0507009873554805)


def celu(alpha: float = 1.0) -> Function:
    """max(z, 0) + min(0, alpha (e^(z / alpha) - 1))."""
    return elu(alpha, 1.0, alpha)


def softsign() -> Function:
    return Function("softsign", lambda z: z / (1 + np.abs(z)), None, (0.0, -1.0), (0.0, 1.0))


def tanh_shrink() -> Function:
    return Function("tanhshrink", lambda z: z - np.tanh(z), None, (1.0, 1.0), (1.0, -1.0))


def hard_swish() -> Function:
    return Function(
        "hardswish",
        lambda z: z * np.clip(z / 6 + 0.5, 0.0, 1.0),
        None,
        _FLAT,
        (1.0, 0.0),
        kinks=(-3.0, 3.0),
    )


def erf() -> Function:
    return Function("erf", special.erf, None, (0.0, -1.0), (0.0, 1.0))


def exponential() -> Function:
    """e^z, of which only a bounded range can be approximated."""
    return Function("exp", np.exp, None, _FLAT)


def logarithm() -> Function:
    """log z for z > 0, of which only a bounded range can be approximated."""
    return Function("log", np.log)


def root() -> Function:
    return Function("sqrt", np.sqrt)


def itself() -> Function:
    """z, as a factor of a product."""
    return Function("z", lambda z: z, None, (1.0, 0.0), (1.0, 0.0))


def product(line: Line, of_value: Line, function: Function) -> Function:
    """(slope z + intercept) times a line of f(z)."""
    a, b = line

    def end(slope: float, level: float) -> Line | None:
        # a line times a line is one where the second is flat
        return None if slope else (a * level, b * level)

    return _combined(line, "", of_value, function, end, np.multiply)


def quotient(line: Line, of_value: Line, function: Function) -> Function:
    """(slope z + intercept) over a line of f(z)."""
    a, b = line

    def end(slope: float, level: float) -> Line | None:
        if slope:
            return 0.0, a / slope
        return (a / level, b / level) if level else None

    return _combined(line, " /", of_value, function, end, np.divide)


def _combined(
    line: Line,
    sign: str,
    of_value: Line,
    function: Function,
    end: Callable[[float, float], Line | None],
    by: Callable[[FloatArray, FloatArray], FloatArray],
) -> Function:
    """A line of z and one of f(z), with the line that it runs into where f does into another."""
    (a, b), (c, d) = line, of_value
    left, right, kinks = _shape(function)
    first, last = (far and end(c * far[0], c * far[1] + d) for far in (left, right))
    return Function(
        f"({a!r} z + {b!r}){sign} ({c!r} {function} + {d!r})",
        lambda z: by(a * z + b, c * function.of(z) + d),
        None,
        first,
        last,
        kinks=kinks,
    )


def _shape(function: Function) -> tuple[Line | None, Line | None, tuple[float, ...]]:
    """The lines that a function runs into, and its kinks; of an exact one by its rails."""
    if function.counterpart is None:
        return function.left, function.right, function.kinks
    limit = function.counterpart(1.0)
    kinks = sorted({-rail.sign * rail.shift / limit.gain + 0.0 for rail in limit.rails})

    def line(z: float) -> Line:
        near, far = function.of(np.array([z, 2 * z])).tolist()
        slope = (far - near) / z
        return slope, near - slope * z

    beyond = 1 + 2 * max(map(abs, kinks))
    return line(-beyond), line(beyond), tuple(kinks)
