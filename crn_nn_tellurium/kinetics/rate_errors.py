"""Rate constants that are off: lognormal factors on each, and what the network makes of it.

A factor exp(s xi), xi standard normal, has median 1; s = sqrt(ln(1 + cv^2)) gives a coefficient of
variation of cv. Each rate constant of the model has its own: weights, biases (rails that share a
constant share its factor), h, q and those of followers.

Draws are numbered. What draw d gives a rate constant comes from a hash of the seed, d and its name,
so that `robustness`, `scan` over `lognormal`, of a Network or its reactions, and training under
noise see the same errors.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
from scipy.special import ndtri

from crn_nn_tellurium.basics import FloatArray, is_real, seed_given, whole_number
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.kinetics.layer import LayerKinetics
from crn_nn_tellurium.kinetics.network import NetworkKinetics
from crn_nn_tellurium.kinetics.rate_constants import RateConstants

_MOST_CV = 1e100
"""Whose square is finite."""


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
        is_row = isinstance(levels, np.ndarray) and levels.ndim == 1
        several = (isinstance(levels, list | tuple) or is_row) and len(levels)
        if not several or not all(is_real(cv) and 0 <= cv < _MOST_CV for cv in levels):
            raise InputError(
                f"cv is {self.cv!r}; expected a coefficient of variation >= 0, 0.1 for 10 %, or a"
                " list of them"
            )
        values = tuple(float(cv) for cv in levels)
        object.__setattr__(self, "cv", values[0] if is_real(self.cv) else values)
        object.__setattr__(self, "draws", whole_number("draws", self.draws))
        object.__setattr__(self, "seed", seed_given(self.seed))

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


def factors_by_name(names: Iterable[str], cv: float, draw: int, seed: int) -> FloatArray:
    """Lognormal factors of rate constants; those of one draw grow with cv.

    Each comes from its name alone, so that whoever has a rate constant of that name, among whatever
    others and in whatever order, draws the same.
    """
    return np.asarray(np.exp(spread(cv) * normals_by_name(names, draw, seed)))


def normals_by_name(names: Iterable[str], draw: int, seed: int) -> FloatArray:
    """Standard normal numbers, which factors are made of."""
    begin = blake2b(f"{seed} {draw} ".encode(), digest_size=8)

    def digest(name: str) -> bytes:
        found = begin.copy()
        found.update(name.encode())
        return found.digest()

    bits = np.frombuffer(b"".join(map(digest, names)), dtype="<u8")
    # the middles of 2^52 parts of (0, 1), which doubles hold: neither 0 nor 1
    return np.asarray(ndtri(((bits >> 12) + 0.5) / 2.0**52))


def layer_factors(layer: LayerKinetics, cv: float, draw: int, seed: int) -> RateConstants:
    """Those of one layer's rate constants."""
    found, own = factors_by_name(layer.names, cv, draw, seed), layer.constants
    weights, bias, local = np.split(found, np.cumsum([own.weights.size, own.bias.size]))
    return RateConstants(weights, bias.reshape(own.bias.shape), local)


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
