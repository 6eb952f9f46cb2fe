"""The steady state that a network's own formula gives, and derivatives of a loss there.

With the rate constants of a network, a layer's drive is of the values that it reads, v = r + sum of
c * concentration, whatever species carry them: gain (W v + b). So the products with the weights are
of values, half as many numbers where a value has two species. Derivatives by the pre-activation
still come from the reactions' own Jacobian (see `layer`), not from any activation's formula:

    J^T lambda = -dL/dy,    dL/dz = gain sum over rails of sign lambda y,    dL/dW = dL/dz v^T.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import FloatArray, is_sparse
from crn_nn_tellurium.encoding import LayerEncoding
from crn_nn_tellurium.kinetics.layer import LayerKinetics
from crn_nn_tellurium.kinetics.layer_state import LayerState, by_species
from crn_nn_tellurium.kinetics.network import NetworkKinetics
from crn_nn_tellurium.kinetics.rate_constants import RateConstants
from crn_nn_tellurium.networks import (
    INPUT,
    Activation,
    outer_sum,
    smoothed_relu,
    values_of,
    with_values,
)


@dataclass(frozen=True, eq=False)
class LayerNumbers:
    """What training changes in a layer: weights (n_out, n_in), bias (n_out,) and h, which stands in
    the activation and among the local rate constants.
    """

    weights: Any
    bias: FloatArray
    activation: Activation
    local: FloatArray

    @staticmethod
    def of(layer: LayerKinetics) -> LayerNumbers:
        """A network's own."""
        own = layer.encoding.layer
        return LayerNumbers(own.weights, own.bias, own.activation, layer.constants.local)

    def changed(self, values: FloatArray, bias: FloatArray, h: float) -> LayerNumbers:
        """Those with other stored weights, biases and h."""
        activation, local = self.activation, self.local
        if h != activation.h:
            place = activation.rate_constants.index("h")
            activation, local = replace(activation, h=h), local.copy()
            local[place] = h
        return LayerNumbers(with_values(self.weights, values), bias, activation, local)

    def rate_constants(self, encoding: LayerEncoding) -> RateConstants:
        """The layer's rate constants with these numbers."""
        return RateConstants(*encoding.apply(values_of(self.weights), self.bias), self.local)


class ClosedForm:
    """All layers at the fixed point that the formula gives, at checked inputs x (n, n_in).

    `states` are by layer, of the values that it reads in place of catalysts.
    """

    def __init__(
        self, kinetics: NetworkKinetics, numbers: Sequence[LayerNumbers], x: FloatArray
    ) -> None:
        self._kinetics, self._numbers = kinetics, numbers
        self.states: list[LayerState] = []
        values = {INPUT: x}
        for layer, own in zip(kinetics.layers, numbers, strict=True):
            state = _settled(layer.encoding.layer.read(values), own)
            self.states.append(state)
            values[layer.name] = _value(own.activation, state.y)
        self.outputs = values[kinetics.layers[-1].name]

    def backward(
        self, by_output: FloatArray, by_h: bool = True, inputs: bool = False
    ) -> tuple[list[tuple[Any, FloatArray, float]], FloatArray | None]:
        """From dL/d(outputs) (n, n_out) to weights, bias and h of each layer and, if asked for, to
        the inputs (n, n_in); without `by_h`, that by h is 0.
        """
        layers, net = self._kinetics.layers, self._kinetics.net
        totals, parts = {layers[-1].name: by_output}, []
        # backwards: a layer's total is whole once all layers that read it have been dealt with
        for layer, own, state in reversed(
            list(zip(layers, self._numbers, self.states, strict=True))
        ):
            adjoint = _adjoint(layer, own, state, totals[layer.name])
            by_z = _by_pre_activation(own.activation, adjoint, state.y)
            by_weight = outer_sum(own.weights, by_z, state.catalysts)
            slope = layer.by_h(adjoint, state.y) if by_h else 0.0
            # a product adds columns up four times as fast as a sum along the first axis
            parts.append((by_weight, np.ones(len(by_z)) @ by_z, slope))
            spans = net.spans(layer.encoding.layer)
            if not inputs and all(source == INPUT for source, _ in spans):
                continue
            by_read = by_z @ own.weights
            for source, span in spans:
                part = by_read[:, span]
                totals[source] = totals[source] + part if source in totals else part
        return parts[::-1], totals[INPUT] if inputs else None


def _settled(read: FloatArray, own: LayerNumbers) -> LayerState:
    """A layer at its fixed point, of values (n, n_in) that it reads."""
    activation = own.activation
    # scipy's sparse arrays multiply from the left
    z = (own.weights @ read.T).T if is_sparse(own.weights) else read @ own.weights.T
    z += own.bias
    if activation.gain != 1:
        z *= activation.gain
    drive = []
    for rail in activation.rails:
        u = z if rail.sign == 1 else -z
        drive.append(u + rail.shift if rail.shift else u)
    if type(activation).concentrations is Activation.concentrations:
        # rails alone, one by one: each of them is one array in memory
        return LayerState(read, drive, [smoothed_relu(u, activation.h) for u in drive])
    y = by_species(activation.concentrations(z / activation.gain))
    return LayerState(read, drive, y)


def _value(activation: Activation, y: Sequence[FloatArray]) -> FloatArray:
    """The values (n, n_units) of concentrations by species, as `Activation.read` has them."""
    constant, terms = activation.read_places
    parts = [y[a] if coefficient == 1 else coefficient * y[a] for a, coefficient in terms]
    total = sum(parts[1:], parts[0]) if parts else np.zeros_like(y[0])
    return total + constant if constant else total


def _adjoint(
    layer: LayerKinetics, own: LayerNumbers, state: LayerState, by_value: FloatArray
) -> list[FloatArray]:
    """lambda by species, for dL/d(values) (n, n_units)."""
    right = [np.zeros_like(by_value)] * len(state.y)
    for a, coefficient in own.activation.read_places[1]:
        right[a] = -coefficient * by_value
    return layer.linearize(state, own.local).solve_transposed(right)


def _by_pre_activation(
    activation: Activation, adjoint: Sequence[FloatArray], y: Sequence[FloatArray]
) -> FloatArray:
    """dL/dz (n, n_units), of pre-activations W v + b."""
    total: Any = 0.0
    for rail, factor, own in zip(activation.rails, adjoint, y, strict=False):
        part = factor * own
        total = total + part if rail.sign == 1 else total - part
    return np.asarray(activation.gain * total if activation.gain != 1 else total)
