"""A network's numbers as a framework has them, and what the engine and the adjoint of its reactions
say of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.kinetics import LayerState, NetworkKinetics
from crn_nn_tellurium.networks import Network, from_vector, values_of
from crn_nn_tellurium.sensitivity import adjoint_of


def with_numbers(net: Network, numbers: Iterable[FloatArray]) -> Network:
    """The network with other numbers: by layer the weights that are parameters, then biases."""
    return from_vector(net, np.concatenate([*map(np.ravel, numbers), np.array(net.h)]))


def slopes(
    kinetics: NetworkKinetics, states: Sequence[LayerState], by_output: FloatArray
) -> list[FloatArray]:
    """From dL/d(outputs) (n, n_out) at a steady state to dL by inputs (n, n_in) and by the numbers
    of `with_numbers`, weights as one row.
    """
    (weights, biases, _), by_input = adjoint_of(kinetics, states, by_output, inputs=True)
    assert by_input is not None
    pairs = zip(weights, biases, strict=True)
    return [by_input, *(part for matrix, bias in pairs for part in (values_of(matrix), bias))]
