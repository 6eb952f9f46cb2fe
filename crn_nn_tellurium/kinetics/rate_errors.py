"""Rate constants that are off: lognormal factors on every one of them, and what the network makes
of it.

A factor exp(s xi), xi standard normal, has median 1; s = sqrt(ln(1 + cv^2)) gives a coefficient of
variation of cv. Each rate constant of the model has its own: weights, biases (rails that share a
constant share its factor), h, q and those of followers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from crn_nn_tellurium.basics import FloatArray, is_real
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.kinetics.layer import LayerKinetics
from crn_nn_tellurium.kinetics.network import NetworkKinetics
from crn_nn_tellurium.kinetics.rate_constants import RateConstants


def draw_factors(
    kinetics: NetworkKinetics, cv: float, rng: np.random.Generator
) -> list[RateConstants]:
    """Lognormal factors for every rate constant, one draw, layer by layer.

    Raises
    ------
    InputError
        If the coefficient of variation is not a finite number >= 0.
    """
    if not (is_real(cv) and np.isfinite(cv) and cv >= 0):
        raise InputError(
            f"noise is {cv!r}; expected a coefficient of variation, a finite number >= 0"
        )
    return [layer_factors(layer, cv, rng) for layer in kinetics.layers]


def spread(cv: float) -> float:
    """The standard deviation of a lognormal factor's logarithm."""
    return float(np.sqrt(np.log1p(cv**2)))


def layer_factors(layer: LayerKinetics, cv: float, rng: np.random.Generator) -> RateConstants:
    """The same for one layer; factors of one draw grow with cv."""
    own, s = layer.constants, spread(cv)
    weights = np.exp(s * rng.standard_normal(own.weights.shape))
    bias = np.exp(s * rng.standard_normal(own.bias.shape))
    shared = [position for position, rail in enumerate(layer.activation.rails) if not rail.shift]
    bias[:, shared] = bias[:, shared[:1]]
    return RateConstants(weights, bias, np.exp(s * rng.standard_normal(own.local.shape)))


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
