"""Gradients of a loss at the chemistry's steady state, by five methods that must agree.

At the fixed point f(y, p) = 0, the implicit function theorem gives dy/dp = -J^-1 df/dp with J =
df/dy.

adjoint               dL/dp = -lambda . df/dp with J^T lambda = dL/dy, layer by layer backwards; one
                      transposed solve for all parameters (see `kinetics.layer`)
forward               dy/dp for every output and parameter, then the chain rule
finite_difference     the loss through the engine at changed parameters; see `finite_differences`
control_coefficients  roadrunner's own getuCC on the flat model, reaction by reaction
closed_form           the derivative of the network's own formula, without any chemistry

At a read-out time: by the adjoint equations along the trajectory (`adjoint_in_time`), by the
variational equations (`over_time`), which are called forward, or by finite differences.

Source: Anderson, Joshi and Deshpande (arXiv 2010.13290) for smoothness of the fixed point in the
parameters; Reder, J. theor. Biol. 135 (1988) 175, for control coefficients.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import (
    FloatArray,
    check_choice,
    truth,
)
from crn_nn_tellurium.errors import ConvergenceError, InputError
from crn_nn_tellurium.importers import AnyModel
from crn_nn_tellurium.kinetics import (
    ClosedForm,
    LayerNumbers,
    LayerState,
    NetworkKinetics,
    forward_sensitivities,
)
from crn_nn_tellurium.networks import (
    INPUT,
    LossLike,
    encode_targets,
    outer_sum,
    resolve_loss,
    to_vector,
    unpack,
)
from crn_nn_tellurium.sensitivity.adjoint_in_time import ReadOut
from crn_nn_tellurium.sensitivity.by_engine import (
    at_a_time,
    control_coefficients,
    finite_difference,
)
from crn_nn_tellurium.sensitivity.problem import (
    Gradient,
    Problem,
    SteadyStateSource,
    by_kind,
    mean_slope,
    simulator_of,
)
from crn_nn_tellurium.simulation import CLOSED_FORM, INTEGRATED, OnError, Simulator, check_time

GradientMethod = Literal[
    "adjoint", "forward", "finite_difference", "control_coefficients", "closed_form"
]


def gradient(
    model: AnyModel | Simulator,
    X: npt.ArrayLike,  # scikit-learn's names
    Y: npt.ArrayLike,
    loss: LossLike = "squared_error",
    method: GradientMethod | None = None,
    *,
    inputs: bool = False,
    steady_state: SteadyStateSource = "engine",
    time: float | None = None,
    initial: float | Mapping[str, float] | None = None,
    on_error: OnError = "raise",
) -> Gradient:
    """Loss and gradient by every weight, bias and h, at the steady state or a read-out time.

    Parameters
    ----------
    model : Network or Simulator
    X : (n_samples, n_in) array_like
        Input values.
    Y : (n_samples, n_out) or (n_samples,) array_like
        Targets; for cross-entropy and hinge, class labels or shares.
    loss : {"squared_error", "cross_entropy", "hinge"}, Loss, or (function, derivative)
        See `losses`.
    method : {"adjoint", "forward", "finite_difference", "control_coefficients", "closed_form"}
        Adjoint, forward and closed form are exact; finite differences give an estimate of their
        error in the result; roadrunner's control coefficients are differences over five points.
        By default ``"adjoint"``, the fast one. At a read-out time that is one run forwards and
        one back, at relative tolerances of 1e-10, which compiles nothing; ``"forward"``, which then
        means the variational equations (see `over_time`) on roadrunner, and
        ``"finite_difference"`` are independent of it.
    inputs : bool
        Whether to give derivatives with respect to the inputs too.
    steady_state : {"engine", "closed_form"}
        Where adjoint and forward take the fixed point from: roadrunner, or the closed form.
    time : float, optional
        Read-out time; by default the steady state.
    initial : float or mapping of str to float, optional
        Start concentrations for a read-out time, as for `transient_sensitivities`. The default
        start, an upper bound of each fixed point, has a kink at weights and biases of zero, where
        its own derivative counts as 0; finite differences, which give the mean of both sides, state
        an infinite error there. A start that is given has none.
    on_error : {"raise", "nan"}
        What becomes of samples without a steady state; with ``"nan"`` loss and gradient are NaN
        and `status` tells which sample failed.

    Returns
    -------
    Gradient

    Raises
    ------
    InputError
        If inputs, targets, loss or method do not fit.
    NetworkError
        If an activation's description depends on h, or ``"closed_form"`` lacks a formula.
    ConvergenceError
        If a sample has no steady state and ``on_error="raise"``.
    SingularJacobianError
        If the steady state is not isolated.

    Examples
    --------
    >>> from crn_nn_tellurium import Network
    >>> net = Network.random([2, 3, 1], seed=0)
    >>> g = gradient(net, [[0, 1], [1, 1]], [[1.0], [0.0]])
    >>> g.weights[0].shape, g.biases[1].shape, g.h.shape
    ((3, 2), (1,), (2,))
    """
    simulator = simulator_of(model, "gradient")
    net, inputs = simulator.net, truth("inputs", inputs)
    check_time(time, initial)
    methods, chosen = (
        _METHODS if time is None else _AT_A_TIME,
        "adjoint" if method is None else method,
    )
    check_choice("method", chosen, tuple(methods))
    check_choice("steady_state", steady_state, get_args(SteadyStateSource))
    check_choice("on_error", on_error, get_args(OnError))
    x = net.input_coding.check(X)
    if x.ndim != 2 or not len(x):
        expected = f"(n_samples, {net.n_in}), one sample or more"
        raise InputError(f"inputs have shape {x.shape}; a gradient takes {expected}")
    if chosen != "closed_form":
        simulator.kinetics.check_h()
    resolved = resolve_loss(loss, net)
    targets = encode_targets(resolved, net, Y, len(x))
    how = inputs, steady_state, on_error, time, initial
    # what overflows is refused below
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        found = methods[chosen](Problem(simulator, x, resolved, targets, *how))
    parts = np.append(found.vector(), found.loss)
    if not (np.isfinite(parts).all() or any(outcome.failed for outcome in found.status)):
        raise ConvergenceError(
            f"gradient: the loss is {found.loss!r}, and it or a derivative of it is beyond what"
            " doubles hold; smaller inputs, weights or targets may help"
        )
    return found


def adjoint(problem: Problem) -> Gradient:
    """The gradient by the adjoint method."""
    kinetics = problem.simulator.kinetics
    if problem.steady_state == "closed_form":
        own = [LayerNumbers.of(layer) for layer in kinetics.layers]
        found = ClosedForm(kinetics, own, problem.x)
        outputs, status = found.outputs, (CLOSED_FORM,) * len(problem.x)
        parts, by_input = found.backward(problem.by_output(outputs), inputs=problem.inputs)
        return problem.result(outputs, "adjoint", by_kind(parts), by_input, status)
    states, status = problem.settle(kinetics)
    outputs = kinetics.outputs(states)
    by_parameter, by_input = adjoint_of(
        kinetics, states, problem.by_output(outputs), problem.inputs
    )
    return problem.result(outputs, "adjoint", by_parameter, by_input, status)


def adjoint_of(
    kinetics: NetworkKinetics, states: Sequence[LayerState], by_output: FloatArray, inputs: bool
) -> tuple[tuple[list[Any], list[FloatArray], FloatArray], FloatArray | None]:
    """From dL/d(outputs) (n, n_out) at a steady state to (weights, biases, h), and inputs
    (n, n_in) if asked for.
    """
    by_constant, by_input = kinetics.backward(states, by_output, inputs=inputs)
    return by_kind(kinetics.to_parameters(by_constant)), by_input


def adjoint_at_a_time(problem: Problem) -> Gradient:
    """The gradient at a read-out time, by the adjoint equations along the trajectory."""
    assert problem.time is not None
    kinetics = problem.simulator.kinetics
    own = [layer.constants for layer in kinetics.layers]
    read_out = ReadOut(kinetics, own, problem.time, problem.initial)
    inputs = problem.net.input_coding.code(problem.x)
    found = read_out.adjoint(inputs, mean_slope(problem.loss, problem.targets))
    parts = by_kind(kinetics.to_parameters(found.by_constant))
    by_input = (found.by_input * problem.net.input_coding.derivative(problem.x)).sum(axis=2)
    status = (INTEGRATED,) * len(inputs)
    return problem.result(found.outputs, "adjoint", parts, by_input, status)


def forward(problem: Problem) -> Gradient:
    """dy/dp for every output and parameter, then the chain rule."""
    kinetics = problem.simulator.kinetics
    states, status = problem.settle(kinetics)
    outputs = kinetics.outputs(states)
    slope = problem.by_output(outputs)
    n_parameters = len(to_vector(problem.net))
    total = np.zeros(n_parameters)
    by_input = np.empty_like(problem.x)
    # one sample at a time: all outputs by all parameters of all samples are many numbers
    for sample in range(len(problem.x)):
        one = [state.sample(sample) for state in states]
        jacobian = forward_sensitivities(kinetics, one, problem.inputs)[0]
        row = slope[sample] @ jacobian
        total += row[:n_parameters]
        if problem.inputs:
            by_input[sample] = row[n_parameters:]
    return problem.result(outputs, "forward", unpack(problem.net, total), by_input, status)


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
            # a value that several layers read has a part from each
            totals[source] += by_read[:, span]
    status = (CLOSED_FORM,) * len(problem.x)
    return problem.result(outputs, "closed_form", by_kind(parts[::-1]), totals[INPUT], status)


_METHODS: dict[str, Callable[[Problem], Gradient]] = {
    "adjoint": adjoint,
    "forward": forward,
    "finite_difference": finite_difference,
    "control_coefficients": control_coefficients,
    "closed_form": closed_form,
}
_AT_A_TIME: dict[str, Callable[[Problem], Gradient]] = {
    "adjoint": adjoint_at_a_time,
    "forward": at_a_time,
    "finite_difference": finite_difference,
}
