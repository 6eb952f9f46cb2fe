"""Rate constants that are off: lognormal factors on each, and what the network makes of it.

A factor exp(s xi), xi standard normal, has median 1; s = sqrt(ln(1 + cv^2)) gives a coefficient of
variation of cv. Each rate constant of the model has its own: weights, biases (rails that share a
constant share its factor), h, q and those of followers.

Draws are numbered. Draw d of layer l comes from a generator that is seeded with (seed, d, l), so
that `robustness`, `scan` over `lognormal` and training under noise see the same errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import FloatArray, is_real, whole_number
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.kinetics.layer import LayerKinetics
from crn_nn_tellurium.kinetics.network import NetworkKinetics
from crn_nn_tellurium.kinetics.rate_constants import RateConstants


@dataclass(frozen=True)
class RateErrors:
    """Random errors of all rate constants, each by itself, with median factor 1.

    Parameters
    ----------
    cv : float or sequence of float
        Coefficient of variation of each rate constant. Several are kept as a tuple: levels along
        which the same draws grow.
    draws : int
        Sets of errors.
    seed : int
        Equal seeds give equal errors, draw by draw, in `fit`, `robustness` and `scan`.

    Raises
    ------
    InputError

    Examples
    --------
    >>> RateErrors(cv=0.3, draws=16)
    RateErrors(cv=0.3, draws=16, seed=0)
    """

    cv: float | Sequence[float]
    draws: int
    seed: int = 0

    def __post_init__(self) -> None:
        levels: Any = [self.cv] if is_real(self.cv) else self.cv
        several = isinstance(levels, list | tuple | np.ndarray) and len(levels)
        if not several or not all(is_real(cv) and np.isfinite(cv) and cv >= 0 for cv in levels):
            raise InputError(
                f"cv is {self.cv!r}; expected a coefficient of variation >= 0, 0.1 for 10 %, or a"
                " list of them"
            )
        values = tuple(float(cv) for cv in levels)
        object.__setattr__(self, "cv", values[0] if is_real(self.cv) else values)
        for name, least in (("draws", 1), ("seed", 0)):
            object.__setattr__(self, name, whole_number(name, getattr(self, name), least))

    @property
    def levels(self) -> tuple[float, ...]:
        """The coefficients of variation, also where there is one."""
        return self.cv if isinstance(self.cv, tuple) else (self.cv,)

    @classmethod
    def of(
        cls, noise: RateErrors | float | Sequence[float], draws: int, seed: int = 0
    ) -> RateErrors:
        """What is given, where coefficients of variation stand for so many draws of a seed."""
        return noise if isinstance(noise, RateErrors) else cls(noise, draws, seed)

    def factors(self, kinetics: NetworkKinetics, cv: float, draw: int) -> list[RateConstants]:
        """One draw of factors of every rate constant, layer by layer."""
        return [layer_factors(layer, cv, draw, self.seed) for layer in kinetics.layers]


def spread(cv: float) -> float:
    """The standard deviation of a lognormal factor's logarithm."""
    return float(np.sqrt(np.log1p(cv**2)))


def layer_factors(layer: LayerKinetics, cv: float, draw: int, seed: int) -> RateConstants:
    """Lognormal factors of one layer's rate constants; those of one draw grow with cv."""
    rng = np.random.default_rng([seed, draw, layer.encoding.index - 1])

    def factors(shape: Any) -> FloatArray:
        return np.exp(spread(cv) * rng.standard_normal(shape))

    own = layer.constants
    weights = factors(own.weights.shape)
    bias = factors(own.bias.shape)
    # rails without a shift of their own share the constant of their bias, so its error too
    shared = [position for position, rail in enumerate(layer.activation.rails) if not rail.shift]
    bias[:, shared] = bias[:, shared[:1]]
    return RateConstants(weights, bias, factors(own.local.shape))


def perturbed_constants(
    kinetics: NetworkKinetics, factors: Sequence[RateConstants]
) -> list[RateConstants]:
    """The network's rate constants, each off by its factor, layer by layer."""
    return [layer.constants * part for layer, part in zip(kinetics.layers, factors, strict=True)]


def perturbed_outputs(
    kinetics: NetworkKinetics, x: FloatArray, factors: Sequence[RateConstants]
) -> FloatArray:
    """Outputs (n, n_out) at the steady state with every rate constant off by its factor."""
    return kinetics.outputs(kinetics.settle(x, perturbed_constants(kinetics, factors)))
