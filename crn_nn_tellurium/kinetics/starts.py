"""Where the model of a network starts, as `encoding.unit` writes it, and derivatives by that.

Each rail starts at an upper bound of its fixed point, at the start of the species X that it reads,

    Y_r(0) = (sum of max(s_r w, 0) X(0) + max(b_r, 0)) / q + sqrt(h / q),

and followers at their own bounds. A species whose start is given has that one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import FloatArray, by_sample
from crn_nn_tellurium.kinetics.layer import LayerKinetics
from crn_nn_tellurium.kinetics.network import NetworkKinetics
from crn_nn_tellurium.kinetics.rate_constants import RateConstants
from crn_nn_tellurium.networks import INPUT, outer_sum, values_of, with_values


@dataclass(frozen=True, eq=False)
class LayerStart:
    """One layer's: what it reads (n, n_catalysts), its species (n, n_units, n_species), and which
    of them are given.
    """

    catalysts: FloatArray
    values: FloatArray
    given: FloatArray


def start(
    kinetics: NetworkKinetics,
    inputs: FloatArray,
    constants: Sequence[RateConstants],
    initial: FloatArray,
) -> list[LayerStart]:
    """By layer, at concentrations (n, n_in, n_rails) of the inputs' species; of `initial` (n,
    n_species), NaN where nothing is given.
    """

    def begin(number: int, read: FloatArray) -> LayerStart:
        layer, k = kinetics.layers[number], constants[number]
        own = kinetics.of_layer(initial, number)
        given = ~np.isnan(own)
        values = _upper_bound(layer, read, k)
        return LayerStart(read, np.where(given, own, values), given)

    return kinetics.walk(inputs, begin, lambda found: found.values)


def start_state(kinetics: NetworkKinetics, inputs: FloatArray) -> FloatArray:
    """Where the written model starts (n, n_species), at concentrations (n, n_in, n_rails) of the
    inputs' species.
    """
    nothing_given = np.full((len(inputs), len(kinetics.species)), np.nan)
    constants = [layer.constants for layer in kinetics.layers]
    found = start(kinetics, inputs, constants, nothing_given)
    return np.concatenate([by_sample(layer.values) for layer in found], axis=1)


def add_by_start(
    kinetics: NetworkKinetics,
    starts: Sequence[LayerStart],
    by_start: FloatArray,
    constants: Sequence[RateConstants],
    by_constant: Sequence[RateConstants],
    by_input: FloatArray,
) -> None:
    """Add what a loss with derivatives `by_start` (n, n_species) depends on through the start: to
    those by rate constants, and by concentrations (n, n_in, n_rails) of the inputs' species.
    """
    by_start = by_start.copy()
    totals = {layer.name: kinetics.of_layer(by_start, i) for i, layer in enumerate(kinetics.layers)}
    totals[INPUT] = by_input
    # backwards: what is added to the layers before is passed on in turn
    for number, layer in reversed(list(enumerate(kinetics.layers))):
        begin, k, total = starts[number], constants[number], by_constant[number]
        h, q = k.local[layer.h], k.local[layer.q]
        wanted = np.where(begin.given, 0.0, totals[layer.name])
        by_read = np.zeros(begin.catalysts.shape)
        for rail, sign in enumerate(rail.sign for rail in layer.activation.rails):
            by_sum = wanted[..., rail] / q
            promoting = _promoting(layer, rail, k)
            by_weight = values_of(outer_sum(layer.encoding.weights, by_sum, begin.catalysts))
            total.weights[:] += sign * np.where(sign * k.weights > 0, by_weight, 0.0)
            total.bias[:, rail] += np.where(k.bias[:, rail] > 0, by_sum.sum(axis=0), 0.0)
            # sqrt(h / q), and all in front of it over q
            root = np.sqrt(h / q)
            free = wanted[..., rail]
            total.local[layer.h] += free.sum() * root / (2 * h)
            by_q = (begin.values[..., rail] - root / 2) / q
            total.local[layer.q] -= np.sum(free * by_q)
            by_read += by_sum @ promoting
        layer.encoding.scatter(by_read, totals)


def _upper_bound(layer: LayerKinetics, read: FloatArray, constants: RateConstants) -> FloatArray:
    """Starts (n, n_units, n_species), by those of catalysts (n, n_catalysts)."""
    h, q = constants.local[layer.h], constants.local[layer.q]
    rails = []
    for rail, bias in enumerate(constants.bias.T):
        promoted = read @ _promoting(layer, rail, constants).T + np.maximum(bias, 0.0)
        rails.append(promoted / q + np.sqrt(h / q))
    bounds = [np.full(rails[0].shape, f.upper_bound) for f in layer.activation.followers]
    return np.stack([*rails, *bounds], axis=-1)


def _promoting(layer: LayerKinetics, rail: int, constants: RateConstants) -> Any:
    """The rate constants (n_units, n_catalysts) of what promotes a rail."""
    sign = layer.activation.rails[rail].sign
    return with_values(layer.encoding.weights, np.maximum(sign * constants.weights, 0.0))
