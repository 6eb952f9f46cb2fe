"""Exact gradients at the steady state: adjoint, forward, and the network's own formula."""

from __future__ import annotations

import numpy as np

from crn_nn_tellurium.kinetics import forward_sensitivities
from crn_nn_tellurium.networks import INPUT, outer_sum, to_vector, unpack
from crn_nn_tellurium.sensitivity.problem import Gradient, Problem, by_kind, result_of
from crn_nn_tellurium.simulation import CLOSED_FORM


def adjoint(problem: Problem) -> Gradient:
    """The gradient by the adjoint method."""
    kinetics = problem.simulator.kinetics
    states, status = problem.settle(kinetics)
    outputs = kinetics.outputs(states)
    by_output = problem.by_output(outputs)
    by_constant, by_input = kinetics.backward(states, by_output, inputs=problem.inputs)
    pairs = zip(kinetics.layers, by_constant, strict=True)
    parts = [layer.to_parameters(part) for layer, part in pairs]
    return result_of(problem, outputs, "adjoint", by_kind(parts), by_input, status)


def forward(problem: Problem) -> Gradient:
    """dy/dp for every output and parameter, then the chain rule."""
    kinetics = problem.simulator.kinetics
    states, status = problem.settle(kinetics)
    outputs = kinetics.outputs(states)
    by_output = problem.by_output(outputs)
    n_parameters = len(to_vector(problem.net))
    total = np.zeros(n_parameters)
    by_input = np.empty_like(problem.x)
    # one sample at a time: all outputs by all parameters of all samples are many numbers
    for sample in range(len(problem.x)):
        one = [state.sample(sample) for state in states]
        jacobian = forward_sensitivities(kinetics, one, problem.inputs)[0]
        row = by_output[sample] @ jacobian
        total += row[:n_parameters]
        if problem.inputs:
            by_input[sample] = row[n_parameters:]
    return result_of(problem, outputs, "forward", unpack(problem.net, total), by_input, status)


def closed_form(problem: Problem) -> Gradient:
    """Backpropagation through the network's formula."""
    net = problem.net
    values = net.forward(problem.x)
    outputs = values[net.layers[-1].name]
    totals = {name: np.zeros_like(value) for name, value in values.items()}
    totals[net.layers[-1].name] += problem.by_output(outputs)
    parts = []
    for layer in reversed(net.layers):
        activation, by_value = layer.activation, totals[layer.name]
        z = layer.pre_activation(layer.read(values))
        slope = activation.derivative(z)
        # of units that read one another the slope is a matrix
        coupled = activation.couples_units
        by_z = np.einsum("nj,nji->ni", by_value, slope) if coupled else by_value * slope
        by_h = float(np.sum(by_value * activation.h_derivative(z)))
        by_weight = outer_sum(layer.weights, by_z, layer.read(values))
        parts.append((by_weight, by_z.sum(axis=0), by_h))
        by_read = by_z @ layer.weights
        for source, span in net.spans(layer):
            totals[source] += by_read[:, span]
    status = (CLOSED_FORM,) * len(problem.x)
    return result_of(problem, outputs, "closed_form", by_kind(parts[::-1]), totals[INPUT], status)
