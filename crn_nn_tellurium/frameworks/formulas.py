"""The closed form of an activation's value, for arrays of any framework.

What an activation of rails makes of z is a sum of smoothed ReLUs: sigma_h(u) = (u + r) / 2 with
r = sqrt(u^2 + 4h), whose slope is sigma_h(u) / r. Two rails of one knot need one root together, as
sigma_h(-u) = sigma_h(u) - u.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from crn_nn_tellurium.networks import BUILT_IN, Activation, Normalized, Sigmoid, SmoothedReLU, Tanh

Array = Any
"""A tensor of PyTorch, an array of JAX."""


@dataclass(frozen=True)
class Knees:
    """constant + line z + the sum of curve sigma_h(factor z + shift) over knees (factor, shift,
    curve): an activation of rails alone.
    """

    h: float
    constant: float
    line: float
    knees: tuple[tuple[float, float, float], ...]

    @classmethod
    def of(cls, activation: Activation) -> Knees:
        """Those of an activation, whose rails of one knot are put together."""
        constant, line = activation.read_out.constant, 0.0
        curves: dict[tuple[float, float], float] = {}
        pairs = zip(activation.rails, activation.read_coefficients.tolist(), strict=False)
        for rail, coefficient in pairs:
            factor, shift = rail.sign * activation.gain, rail.shift + 0.0
            if (-factor, 0.0 - shift) in curves:
                # sigma_h(u) = sigma_h(-u) + u
                line, constant = line + coefficient * factor, constant + coefficient * shift
                factor, shift = -factor, 0.0 - shift
            curves[factor, shift] = curves.get((factor, shift), 0.0) + coefficient
        knees = tuple((*knee, curve) for knee, curve in curves.items() if curve)
        return cls(activation.h, constant, line, knees)

    def parts(self, z: Array, xp: Any) -> Iterator[tuple[float, float, Array, Array]]:
        """Of each knee its curve and factor, sigma_h and its root, by a framework's functions."""
        for factor, shift, curve in self.knees:
            # a plain ReLU, which most are, needs neither product nor sum
            u = z if (factor, shift) == (1.0, 0.0) else factor * z + shift
            root = xp.hypot(u, xp.asarray(2 * math.sqrt(self.h), dtype=u.dtype))
            right = u >= 0
            # not abs(u), whose slope at 0 is none to what differentiates these lines
            larger = xp.where(right, u, -u) + root
            larger *= 0.5
            # below 0 the sum would cancel, so there it is taken from sigma_h(u) sigma_h(-u) = h
            yield curve, factor, xp.where(right, larger, self.h / larger), root

    def __call__(self, z: Array, total: Total) -> Array:
        """The value, same shape as z."""
        return total(z, self)


Total = Callable[[Array, Knees], Array]
"""A framework's way to add up `Knees.parts`, and to differentiate the sum."""
Formula = Callable[[Array, Total], Array]


@dataclass(frozen=True)
class Ratio:
    """A sigmoid: the share y / (y + y') of a unit's two rails, as its read-out reads it."""

    activation: Activation

    def __call__(self, z: Array, total: Total) -> Array:
        """The value, same shape as z."""
        y = total(z, Knees.of(SmoothedReLU(self.activation.h)))
        read_out = self.activation.read_out
        ((_, coefficient),) = read_out.terms
        # y y' = h, and so written neither the share nor its derivative cancels
        return coefficient / (1 + self.activation.h / (y * y)) + read_out.constant


@dataclass(frozen=True)
class Shares:
    """Each unit's y as a share of the whole layer's."""

    activation: Activation

    def __call__(self, z: Array, total: Total) -> Array:
        """The values, same shape as z."""
        y = total(z, Knees.of(SmoothedReLU(self.activation.h)))
        return y / y.sum(-1)[..., None]


_SHARES: dict[type, Callable[[Activation], Formula]] = {
    Sigmoid: Ratio,
    Tanh: Ratio,
    Normalized: Shares,
}
"""Activations of ours that are more than rails."""


def formula_of(activation: Activation) -> Formula | None:
    """The closed form of an activation's value; None where a user's own numpy alone knows it."""
    kind = type(activation)
    if kind in _SHARES:
        return _SHARES[kind](activation)
    own = (kind.concentrations, kind.derivative, kind.read, kind.drive, kind.__call__)
    base = Activation
    ours = (base.concentrations, base.derivative, base.read, base.drive, base.__call__)
    # ours that are rails alone say the same by a formula in which less cancels
    return Knees.of(activation) if own == ours or kind in BUILT_IN.values() else None
