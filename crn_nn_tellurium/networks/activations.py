"""The built-in activations: closed forms from sigma_h(z) - sigma_h(-z) = z and
sigma_h(z) sigma_h(-z) = h. Those that are lines between knees are in `piecewise`.

Source: Anderson, Joshi and Deshpande, J. R. Soc. Interface 18 (2021) 20210031 (arXiv 2010.13290)
for the smoothed ReLU.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.networks.activation import (
    PAIR,
    Activation,
    Follower,
    LocalReaction,
    Rail,
    ReadOut,
)
from crn_nn_tellurium.networks.piecewise import (
    ClippedReLU,
    HardSigmoid,
    LeakyReLU,
    PiecewiseLinear,
)
from crn_nn_tellurium.networks.smoothing import root, smoothed_relu, smoothed_relu_derivative

_PLUS = Rail("Y")


@dataclass(frozen=True)
class SmoothedReLU(Activation):
    """sigma_h(z) = (z + sqrt(z^2 + 4h)) / 2, the paper's activation; one species per unit.

    0 < sigma_h(z) - max(0, z) <= sqrt(h), largest at z = 0.

    Examples
    --------
    >>> SmoothedReLU(h=0.01)([0.0, 1.0]).round(4)
    array([0.1   , 1.0099])
    """

    rails = (_PLUS,)
    read_out = ReadOut((("Y", 1.0),))


@dataclass(frozen=True)
class Linear(Activation):
    """z, exactly and for every h: sigma_h(z) - sigma_h(-z).

    Examples
    --------
    >>> Linear(h=0.01)([-2.0, 3.0])
    array([-2.,  3.])
    """

    rails = PAIR
    read_out = ReadOut((("Yp", 1.0), ("Yn", -1.0)))

    def __call__(self, z: npt.ArrayLike) -> FloatArray:
        """z, of which no digit is lost."""
        return np.array(z, dtype=float)


@dataclass(frozen=True)
class Absolute(Activation):
    """sqrt(z^2 + 4h) = sigma_h(z) + sigma_h(-z).

    Examples
    --------
    >>> Absolute(h=4.0)([-3.0, 3.0])
    array([5., 5.])
    """

    rails = PAIR
    read_out = ReadOut((("Yp", 1.0), ("Yn", 1.0)))


class _Share(Activation):
    """A value that compares concentrations, so that h sets its width and not its accuracy."""

    h_is_smoothing = False

    def rescaled(self, factor: float) -> tuple[Activation, float] | None:
        # a ratio of concentrations that are all multiplied keeps its value
        return dataclasses.replace(self, h=self._times(factor)), 1.0


class _Ratio(_Share):
    """dS/dt = Yp - (Yp + Yn) S, fixed point Yp / (Yp + Yn) = (1 + z / sqrt(z^2 + 4h)) / 2."""

    rails = PAIR
    followers = (Follower("S", upper_bound=1.0),)
    local_reactions = (
        LocalReaction(("Yp",), ("Yp", "S"), "s"),
        LocalReaction(("Yp", "S"), ("Yp",), "d"),
        LocalReaction(("Yn", "S"), ("Yn",), "d"),
    )

    def concentrations(self, z: npt.ArrayLike) -> FloatArray:
        y = smoothed_relu(self.drive(z), self.h)
        return np.concatenate([y, (y[..., :1] / y.sum(axis=-1, keepdims=True))], axis=-1)

    # S = (1 + z / r) / 2 with r = sqrt(z^2 + 4 h), so dS/dz = 2 h / r^3 and dS/dh = -z / r^3
    def derivative(self, z: npt.ArrayLike) -> FloatArray:
        (_, coefficient), *_ = self.read_out.terms
        return coefficient * 2 * self.h / np.hypot(z, 2 * math.sqrt(self.h)) ** 3

    def h_derivative(self, z: npt.ArrayLike) -> FloatArray:
        (_, coefficient), *_ = self.read_out.terms
        z = np.asarray(z, dtype=float)
        return -coefficient * z / np.hypot(z, 2 * math.sqrt(self.h)) ** 3


@dataclass(frozen=True)
class Sigmoid(_Ratio):
    """(1 + z / sqrt(z^2 + 4h)) / 2, an algebraic sigmoid between 0 and 1.

    h sets the width here: h = 1 gives the slope of the logistic function, 1/4, at z = 0.

    Examples
    --------
    >>> Sigmoid(h=4.0)([-3.0, 0.0, 3.0])
    array([0.2, 0.5, 0.8])
    """

    read_out = ReadOut((("S", 1.0),))

    def probabilities(self, values: FloatArray) -> FloatArray | None:
        """1 - p and p of a single unit; several units do not exclude one another."""
        return np.concatenate([1 - values, values], axis=-1) if values.shape[-1] == 1 else None


@dataclass(frozen=True)
class Tanh(_Ratio):
    """z / sqrt(z^2 + 4h), an algebraic sigmoid between -1 and 1; h = 1/4 gives the slope of tanh at
    0.

    Examples
    --------
    >>> Tanh(h=4.0)([-3.0, 0.0, 3.0]).round(6)
    array([-0.6,  0. ,  0.6])
    """

    threshold = 0.0
    read_out = ReadOut((("S", 2.0),), constant=-1.0)

    def __call__(self, z: npt.ArrayLike) -> FloatArray:
        """z / sqrt(z^2 + 4h)."""
        z = np.asarray(z, dtype=float)
        return np.asarray(z / root(z, self.h))


@dataclass(frozen=True)
class Normalized(_Share):
    """P_k = y_k / sum_j y_j with y = sigma_h(z): positive values that sum to 1 over the layer.

    Examples
    --------
    >>> Normalized(h=4.0)([-3.0, 3.0])
    array([0.2, 0.8])
    """

    rails = (_PLUS,)
    followers = (Follower("P", upper_bound=1.0),)
    local_reactions = (
        LocalReaction(("Y",), ("Y", "P"), "s"),
        LocalReaction(("*Y", "P"), ("*Y",), "d"),
    )
    read_out = ReadOut((("P", 1.0),))

    def probabilities(self, values: FloatArray) -> FloatArray | None:
        """The values of several units; a single one is always 1."""
        return values if values.shape[-1] > 1 else None

    def concentrations(self, z: npt.ArrayLike) -> FloatArray:
        """y and P, shape (..., n_units, 2)."""
        y = smoothed_relu(z, self.h)
        return np.stack([y, y / y.sum(axis=-1, keepdims=True)], axis=-1)

    def derivative(self, z: npt.ArrayLike) -> FloatArray:
        """dP_k / dz_j, shape (..., n_units, n_units)."""
        y = smoothed_relu(z, self.h)
        total = y.sum(axis=-1)[..., None, None]
        share = y[..., :, None] / total
        slopes = smoothed_relu_derivative(z, self.h)[..., None, :]
        # the quotient rule: a unit's own y is in the numerator too
        return (np.eye(y.shape[-1]) - share) / total * slopes

    def h_derivative(self, z: npt.ArrayLike) -> FloatArray:
        """dP_k / dh, same shape as z."""
        z = np.asarray(z, dtype=float)
        # d sigma_h / dh = 1 / sqrt(z^2 + 4 h), and the quotient rule
        y, slope = smoothed_relu(z, self.h), 1 / np.hypot(z, 2 * math.sqrt(self.h))
        total = y.sum(axis=-1, keepdims=True)
        return (slope - y / total * slope.sum(axis=-1, keepdims=True)) / total


BUILT_IN: dict[str, type[Activation]] = {
    kind.__name__: kind
    for kind in (
        SmoothedReLU,
        Linear,
        LeakyReLU,
        Absolute,
        ClippedReLU,
        HardSigmoid,
        PiecewiseLinear,
        Sigmoid,
        Tanh,
        Normalized,
    )
}
"""The activations that a saved network may name without being given them."""
