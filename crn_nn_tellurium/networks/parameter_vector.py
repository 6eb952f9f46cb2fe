"""A network's numbers by name and as one vector: weights, biases, h.

Order: layer by layer the weights, row by row, then the biases; after all layers, h of each. Of a
sparse weight matrix, the stored entries alone are parameters.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.networks.layer import places, values_of, with_values
from crn_nn_tellurium.networks.names import bias_id, shared_id, weight_id
from crn_nn_tellurium.networks.network import Network


@dataclass(frozen=True, slots=True)
class Parameter:
    """One number of a network."""

    id: str
    kind: str  # "weight", "bias" or "h"
    layer: int  # from 0, as in `Network.layers`; in the id, layers count from 1
    place: tuple[int, ...]  # in the weights or the bias


def parameters(net: Network) -> tuple[Parameter, ...]:
    """All parameters of a network, in the order of the vector."""
    return parameters_of([layer.weights for layer in net.layers])


def parameters_of(weights: Sequence[Any]) -> tuple[Parameter, ...]:
    """The same of matrices of weights, or of derivatives by them."""
    found = []
    for n, matrix in enumerate(weights):
        rows, columns = places(matrix)
        for j, i in zip(rows.tolist(), columns.tolist(), strict=True):
            found.append(Parameter(weight_id(n + 1, j, i), "weight", n, (j, i)))
        found += [Parameter(bias_id(n + 1, j), "bias", n, (j,)) for j in range(matrix.shape[0])]
    found += [Parameter(shared_id(n + 1, "h"), "h", n, ()) for n in range(len(weights))]
    return tuple(found)


def pack(
    weights: Sequence[Any], biases: Sequence[FloatArray], h: Sequence[float] | FloatArray
) -> FloatArray:
    """One vector of values, or of derivatives, per parameter."""
    parts: list[Any] = []
    for matrix, bias in zip(weights, biases, strict=True):
        parts += [values_of(matrix), bias]
    return np.concatenate([*parts, np.asarray(h, dtype=float)])


def split(
    net: Network, vector: FloatArray
) -> tuple[list[FloatArray], list[FloatArray], FloatArray]:
    """A vector's parts, as views: the weights' values and biases of each layer, and h."""
    weights, biases, first = [], [], 0
    for layer in net.layers:
        size = len(values_of(layer.weights))
        weights.append(vector[first : first + size])
        biases.append(vector[first + size : first + size + layer.n_out])
        first += size + layer.n_out
    return weights, biases, vector[first:]


def unpack(net: Network, vector: FloatArray) -> tuple[list[Any], list[FloatArray], FloatArray]:
    """Weights, biases and h from a vector; `net` gives their shapes."""
    # a copy, so that later changes of the vector do not reach the network
    values, biases, h = split(net, vector.copy())
    pairs = zip(net.layers, values, strict=True)
    return [with_values(layer.weights, part) for layer, part in pairs], biases, h


def to_vector(net: Network) -> FloatArray:
    """The values of all parameters."""
    weights, biases = zip(*((layer.weights, layer.bias) for layer in net.layers), strict=True)
    return pack(weights, biases, net.h)


def from_vector(net: Network, vector: FloatArray) -> Network:
    """The same network with other values of its parameters."""
    return with_arrays(net, *unpack(net, np.asarray(vector, dtype=float)))


def with_arrays(
    net: Network,
    weights: Sequence[Any],
    biases: Sequence[FloatArray],
    h: Sequence[float] | FloatArray,
) -> Network:
    """The same network with other arrays, whatever their pattern."""
    layers = (
        dataclasses.replace(layer, weights=matrix, bias=bias)
        for layer, matrix, bias in zip(net.layers, weights, biases, strict=True)
    )
    return dataclasses.replace(net, layers=tuple(layers)).with_h([float(value) for value in h])
