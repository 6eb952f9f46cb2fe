"""Gradients by the engine itself: changed parameters, getuCC, variational equations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import FloatArray, by_sample
from crn_nn_tellurium.encoding import to_reactions
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.kinetics import LayerKinetics, RateConstants
from crn_nn_tellurium.networks import (
    INPUT,
    Layer,
    Network,
    from_vector,
    pack,
    places,
    to_vector,
    unit_ids,
    unpack,
    values_of,
)
from crn_nn_tellurium.sensitivity.by_parameter import constants_by_place, parameter_jacobian
from crn_nn_tellurium.sensitivity.finite_differences import Estimate, central_difference
from crn_nn_tellurium.sensitivity.over_time import Variational
from crn_nn_tellurium.sensitivity.problem import Gradient, Problem
from crn_nn_tellurium.simulation import INTEGRATED, FlatModel, start_values

_CONTROL_STEP = 0.01
"""roadrunner's step for control coefficients, on the scale over which a unit's answer bends."""


def finite_difference(problem: Problem) -> Gradient:
    """Central differences of the loss through the engine, one parameter after the other."""
    net, n = problem.net, len(problem.x)
    outputs, status = problem.outputs_by_engine(net, problem.x)
    vector = to_vector(net)
    scales = _scales(net, problem.x)

    def mean_loss(values: FloatArray) -> FloatArray:
        changed, _ = problem.outputs_by_engine(from_vector(net, values), problem.x)
        return np.array([problem.losses(changed).mean()])

    found = _by_column(mean_loss, vector, scales, problem.noise)
    values, errors = found.value[0], np.where(_bends(problem), np.inf, found.error[0])
    by_input = by_input_error = None
    if problem.inputs:
        # Inputs of either sign, so that one at the end of its range can be changed both ways. At a
        # read-out time the start depends on the coding, and bends there: as
        # `InputCoding.derivative` has it, what counts is the derivative to the right.
        right = problem.time is not None
        coded = net if right else replace(net, inputs="signed", input_range=None)

        def losses_at(x: FloatArray) -> FloatArray:
            return problem.losses(problem.outputs_by_engine(coded, x)[0]) / n

        input_scales = [_input_scale(net, column) for column in range(net.n_in)]
        found = _by_column(losses_at, problem.x, input_scales, problem.noise, right)
        by_input, by_input_error = found.value, found.error
    what = outputs, "finite_difference"
    error = problem.result(*what, unpack(net, errors), by_input_error, status)
    return problem.result(*what, unpack(net, values), by_input, status, error)


def _bends(problem: Problem) -> npt.NDArray[np.bool_]:
    """At which parameters the start bends, so that the two sides have a derivative each.

    A rail starts at the sum of what promotes it, so it bends where a rate constant is 0.
    """
    kinetics, parts = problem.simulator.kinetics, []
    start = np.full(len(kinetics.species), 0.0 if problem.time is None else np.nan)
    if problem.initial is not None:
        start = start_values(problem.initial, kinetics.species)[0]
    for number, layer in enumerate(kinetics.layers):
        own, n_rails = layer.constants, len(layer.activation.rails)
        free = np.isnan(kinetics.of_layer(start, number)[:, :n_rails])
        rows, _ = places(layer.encoding.weights)
        weights, bias = (own.weights == 0) & free.any(axis=1)[rows], (own.bias == 0) & free
        moved = RateConstants(1.0 * weights, 1.0 * bias, np.zeros_like(own.local))
        parts.append(layer.to_parameters(moved, sizes=True))
    return pack(*zip(*parts, strict=True)) > 0


def _by_column(
    function: Callable[[FloatArray], FloatArray],
    at: FloatArray,
    scales: Sequence[float] | FloatArray,
    noise: float,
    to_the_right: bool = False,
) -> Estimate:
    """Derivatives (n, n_columns) of a function's values (n,) by each column of its argument."""

    def along(unit: FloatArray, step: float) -> FloatArray:
        return function(at + step * unit)

    found = [
        central_difference(partial(along, unit), scale, noise, to_the_right)
        for unit, scale in zip(np.eye(at.shape[-1]), scales, strict=True)
    ]
    values, errors = zip(*((each.value, each.error) for each in found), strict=True)
    return Estimate(np.stack(values, axis=-1), np.stack(errors, axis=-1))


def _scales(net: Network, x: FloatArray) -> FloatArray:
    """The change of each parameter at which its unit's answer bends: sqrt(h) in z, or h itself."""
    values = net.forward(x)
    weights, biases = [], []
    for layer in net.layers:
        bend = _bend(layer)
        largest = np.maximum(np.abs(layer.read(values)).max(axis=0), 1e-3)
        _, columns = places(layer.weights)
        weights.append((bend / largest)[columns])
        biases.append(np.full(layer.n_out, bend))
    return pack(weights, biases, np.array(net.h) / 2)


def _input_scale(net: Network, column: int) -> float:
    """The same for one input: the least that bends a unit that reads it."""
    scale = 1.0
    for layer in net.layers:
        for source, span in net.spans(layer):
            if source == INPUT:
                weights: Any = layer.weights[:, [span.start + column]]
                largest = float(abs(weights).max())
                scale = min(scale, _bend(layer) / largest) if largest > 0 else scale
    return scale


def _bend(layer: Layer) -> float:
    """How wide the corner of sigma_h(gain z) = (gain z + sqrt((gain z)^2 + 4 h)) / 2 is in z."""
    return float(np.sqrt(layer.activation.h)) / abs(layer.activation.gain)


def control_coefficients(problem: Problem) -> Gradient:
    """roadrunner's getuCC of the outputs by every rate constant of the flat model."""
    if problem.inputs:
        method = "method 'control_coefficients'"
        raise InputError(f"{method} gives no derivatives of inputs; use 'adjoint' or 'forward'")
    net, kinetics = problem.net, problem.simulator.kinetics
    steady = problem.simulator.steady_state(problem.x, on_error=problem.on_error)
    by_output = problem.by_output(steady.outputs)
    crn = to_reactions(net, zero_weights=True)
    model = FlatModel(crn, conserved_moieties=True)
    boundary = by_sample(net.input_coding.code(problem.x))
    last = kinetics.layers[-1]
    read = dict(last.activation.read_out.read)
    species = {
        unit_ids(len(net.layers), j)(name): (j, c)
        for j in range(net.n_out)
        for name, c in read.items()
    }
    scales = unpack(net, _CONTROL_STEP * _scales(net, problem.x))
    every: dict[str, float] = {}
    for layer, *scale in zip(kinetics.layers, *scales, strict=True):
        every |= _steps_by_constant(layer, *scale)
    names, by_parameter = parameter_jacobian(kinetics, crn)
    steps = {k: every[k] for k in names}
    totals = np.zeros(len(steps))
    for state, held, by_own in zip(steady.concentrations, boundary, by_output, strict=True):
        if not np.all(np.isfinite(state)):  # a sample that failed
            totals += np.nan
            continue
        weight = np.array([c * by_own[j] for j, c in species.values()])
        totals += weight @ model.control_coefficients(state, held, list(species), steps)
    parts = unpack(net, totals @ by_parameter)
    return problem.result(steady.outputs, "control_coefficients", parts, None, steady.status)


def at_a_time(problem: Problem) -> Gradient:
    """The gradient at a read-out time, by the variational equations of the flat model."""
    assert problem.time is not None
    net, kinetics = problem.net, problem.simulator.kinetics
    crn = to_reactions(net, zero_weights=True)
    constants, by_parameter = parameter_jacobian(kinetics, crn)
    by = [*constants, *(crn.boundary if problem.inputs else ())]
    equations = Variational(crn, net.output_names, by)
    boundary = by_sample(net.input_coding.code(problem.x))
    times = np.array([0.0, problem.time])
    found = [equations.run(held, crn.constants, times, problem.initial) for held in boundary]
    outputs = np.array([values[-1] for _, values in found])
    by_output = problem.by_output(outputs)
    rows = np.array([by_output[i] @ derivatives[-1] for i, (derivatives, _) in enumerate(found)])
    total = rows[:, : len(constants)].sum(axis=0) @ by_parameter
    by_input, status = None, (INTEGRATED,) * len(outputs)
    if problem.inputs:
        by_rail = rows[:, len(constants) :].reshape(len(rows), net.n_in, -1)
        by_input = (by_rail * net.input_coding.derivative(problem.x)).sum(axis=2)
    return problem.result(outputs, "forward", unpack(net, total), by_input, status)


def _steps_by_constant(
    layer: LayerKinetics, weights: Any, bias: FloatArray, h: float
) -> dict[str, float]:
    """Step of each rate constant, from those of the layer's weights, biases and h."""
    by_weight, _ = layer.encoding.apply(values_of(weights), bias)
    gain, result = abs(layer.activation.gain), {}
    for k, (target, place), _ in constants_by_place(layer):
        if target == "weights":
            result[k] = float(abs(by_weight[place]))
        else:
            result[k] = float(gain * bias[place[0]] if target == "bias" else h)
    return result
