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
from crn_nn_tellurium.networks.names import bias_id, shared_id, weight_id
from crn_nn_tellurium.networks.network import Network
from crn_nn_tellurium.networks.weights import places, values_of, with_values


@dataclass(frozen=True, slots=True)
class Parameter:
    """One number of a network.

    Attributes
    ----------
    id : str
        ``w{layer}_{unit}_{value read}``, ``b{layer}_{unit}`` or ``h{layer}``; layers count from 1.
    kind : {"weight", "bias", "h"}
    layer : int
        Position among the network's layers, from 0.
    place : tuple of int
        Position in the weights or the bias.
    """

    id: str
    kind: str
    layer: int
    place: tuple[int, ...]


def parameters(net: Network) -> tuple[Parameter, ...]:
    """All parameters of a network, in the order of the vector.

    Examples
    --------
    >>> [p.id for p in parameters(Network.random([2, 1], seed=0))]
    ['w1_0_0', 'w1_0_1', 'b1_0', 'h1']
    """
    found = []
    for number, layer in enumerate(net.layers):
        rows, columns = places(layer.weights)
        for j, i in zip(rows.tolist(), columns.tolist(), strict=True):
            found.append(Parameter(weight_id(number + 1, j, i), "weight", number, (j, i)))
        found += [
            Parameter(bias_id(number + 1, j), "bias", number, (j,)) for j in range(layer.n_out)
        ]
    found += [
        Parameter(shared_id(number + 1, "h"), "h", number, ()) for number in range(len(net.layers))
    ]
    return tuple(found)


def pack(
    weights: Sequence[Any], biases: Sequence[FloatArray], h: Sequence[float] | FloatArray
) -> FloatArray:
    """One vector of values, or of derivatives, per parameter."""
    parts = [
        part
        for matrix, bias in zip(weights, biases, strict=True)
        for part in (values_of(matrix), bias)
    ]
    return np.concatenate([*parts, np.asarray(h, dtype=float)])


def split(
    net: Network, vector: FloatArray
) -> tuple[list[FloatArray], list[FloatArray], FloatArray]:
    """A vector's parts, as views: values of the weights and biases of each layer, and h; `pack`
    joins them.
    """
    weights, biases, first = [], [], 0
    for layer in net.layers:
        size = len(values_of(layer.weights))
        weights.append(vector[first : first + size])
        biases.append(vector[first + size : first + size + layer.n_out])
        first += size + layer.n_out
    return weights, biases, vector[first:]


def unpack(net: Network, vector: FloatArray) -> tuple[list[Any], list[FloatArray], FloatArray]:
    """Weights, biases and h from a vector; `net` gives their shapes."""
    weights, biases, h = split(net, vector.copy())
    return (
        [with_values(layer.weights, part) for layer, part in zip(net.layers, weights, strict=True)],
        biases,
        h,
    )


def to_vector(net: Network) -> FloatArray:
    """The values of all parameters.

    Examples
    --------
    >>> net = Network.random([2, 1], seed=0)
    >>> from_vector(net, to_vector(net)) == net
    True
    """
    return pack(
        [layer.weights for layer in net.layers], [layer.bias for layer in net.layers], net.h
    )


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
    layers = [
        dataclasses.replace(
            layer,
            weights=matrix,
            bias=bias,
            activation=dataclasses.replace(layer.activation, h=float(value)),
        )
        for layer, matrix, bias, value in zip(net.layers, weights, biases, h, strict=True)
    ]
    return dataclasses.replace(net, layers=tuple(layers))
