"""Gradients of a loss at the chemistry's steady state, by five methods that must agree.

At the fixed point f(y, p) = 0, the implicit function theorem gives dy/dp = -J^-1 df/dp with J = df/dy.

adjoint               dL/dp = -lambda . df/dp with J^T lambda = dL/dy, layer by layer backwards; one
                      transposed solve for all parameters (see `linearization`)
forward               dy/dp for every output and parameter, then the chain rule
finite_difference     the loss through the engine at changed parameters; see `finite_differences`
control_coefficients  roadrunner's own getuCC on the flat model, reaction by reaction
closed_form           the derivative of the network's own formula, without any chemistry

Source: Anderson, Joshi and Deshpande (arXiv 2010.13290) for smoothness of the fixed point in the
parameters; Reder, J. theor. Biol. 135 (1988) 175, for control coefficients.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.antimony_writer import compact_signs, structure_text
from crn_nn_tellurium.encoding import bias_id, shared_id, signed_constants, to_reactions, weight_id
from crn_nn_tellurium.engine import RELATIVE_TOLERANCE, compiled
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.finite_differences import Estimate, central_difference
from crn_nn_tellurium.linearization import (
    LayerKinetics,
    LayerState,
    NetworkKinetics,
    RateConstants,
    forward_sensitivities,
)
from crn_nn_tellurium.losses import Loss, LossLike, encode_targets, resolve_loss
from crn_nn_tellurium.network import INPUT, Network
from crn_nn_tellurium.parameters import from_vector, pack, places, to_vector, unpack
from crn_nn_tellurium.reactions import FloatArray, by_sample, is_real, is_sparse, read_only
from crn_nn_tellurium.simulator import OnError, Simulator
from crn_nn_tellurium.transients import Variational

GradientMethod = Literal["adjoint", "forward", "finite_difference", "control_coefficients", "closed_form"]
_CONTROL_STEP = 0.01
"""roadrunner's step for control coefficients, in units of the scale over which a unit's answer bends."""
STEADY_STATE_NOISE = 1e-14
"""Relative error of the engine's steady states, as a rule; solved to 1e-12, Newton's last step brings them further."""
SteadyStateSource = Literal["engine", "closed_form"]


@dataclass(frozen=True, eq=False)
class Gradient:
    """A loss and its derivatives.

    Attributes
    ----------
    loss : float
        Mean over the samples; NaN if a sample failed and ``on_error="nan"``.
    weights : list of (n_out, n_in) ndarray or csr_array
        One per layer; of sparse weights, at the stored entries.
    biases : list of (n_out,) ndarray
        One per layer.
    h : (n_layers,) ndarray
        With respect to each layer's h, the rate constant of its zeroth-order reactions.
    inputs : (n_samples, n_in) ndarray or None
        With respect to the input values, if asked for.
    outputs : (n_samples, n_out) ndarray
        The outputs at which the loss was taken.
    method : str
    status : tuple of str
        Per sample, as of `SteadyState`.
    error : Gradient or None
        Of finite differences: their own estimate of their error, entry by entry.
    """

    loss: float
    weights: list[Any]
    biases: list[FloatArray]
    h: FloatArray
    inputs: FloatArray | None
    outputs: FloatArray = field(repr=False)
    method: str = "adjoint"
    status: tuple[str, ...] = field(default=(), repr=False)
    error: Gradient | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        read_only(*self.weights, *self.biases, self.h, self.outputs, *([] if self.inputs is None else [self.inputs]))

    def vector(self) -> FloatArray:
        """All derivatives but those of the inputs, in the order of `parameters.parameters`."""
        return pack(self.weights, self.biases, self.h)

    @property
    def norm(self) -> float:
        """Euclidean norm of `vector`."""
        return float(np.linalg.norm(self.vector()))

    def __repr__(self) -> str:
        sizes = ", ".join("x".join(map(str, w.shape)) for w in self.weights)
        return f"Gradient(loss {self.loss:.6g}, norm {self.norm:.3g}, weights {sizes}, by {self.method!r})"


def gradient(
    model: Network | Simulator,
    X: npt.ArrayLike,  # noqa: N803  # scikit-learn's names
    Y: npt.ArrayLike,  # noqa: N803
    loss: LossLike = "squared_error",
    method: GradientMethod | None = None,
    *,
    inputs: bool = False,
    steady_state: SteadyStateSource = "engine",
    time: float | None = None,
    initial: float | Mapping[str, float] | None = None,
    on_error: OnError = "raise",
) -> Gradient:
    """Loss and gradient with respect to every weight, bias and h, at the steady state or at a read-out time.

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
        By default ``"adjoint"``, the fast one; at a read-out time ``"forward"``, which then means
        the variational equations (see `transients`) and has ``"finite_difference"`` beside it.
    inputs : bool
        Whether to give derivatives with respect to the inputs too.
    steady_state : {"engine", "closed_form"}
        Where adjoint and forward take the fixed point from: roadrunner, or the closed form.
    time : float, optional
        Read-out time; by default the steady state.
    initial : float or mapping of str to float, optional
        Start concentrations for a read-out time, as for `transient_sensitivities`. The default
        start, an upper bound of each fixed point, has a kink at weights and biases of zero, where its
        derivative is that towards promotion; a start that is given has none.
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
    >>> net = Network.random([2, 3, 1], seed=0)
    >>> g = gradient(net, [[0, 1], [1, 1]], [[1.0], [0.0]])
    >>> g.weights[0].shape, g.biases[1].shape, g.h.shape
    ((3, 2), (1,), (2,))
    """
    simulator = model if isinstance(model, Simulator) else Simulator(model)
    if method is None:
        method = "adjoint" if time is None else "forward"
    known = get_args(GradientMethod) if time is None else tuple(_AT_A_TIME)
    for what, value, choices in (
        ("method", method, known),
        ("steady_state", steady_state, get_args(SteadyStateSource)),
        ("on_error", on_error, get_args(OnError)),
    ):
        if value not in choices:
            raise InputError(f"{what} is {value!r}; expected one of {', '.join(map(repr, choices))}")
    net = simulator.net
    x = net.input_coding.check(X)
    if x.ndim != 2 or not len(x):
        raise InputError(f"inputs have shape {x.shape}; a gradient takes (n_samples, {net.n_in}), one sample or more")
    if method != "closed_form":
        simulator.kinetics.h_is_a_rate_constant  # noqa: B018  # refuses if it is more than that
    resolved = resolve_loss(loss, net)
    check_time(time, initial)
    targets = encode_targets(resolved, net, Y, len(x))
    problem = Problem(simulator, x, resolved, targets, inputs, steady_state, on_error, time, initial)
    if time is None:
        return _METHODS[method](problem)
    return _AT_A_TIME[method](problem)


def check_time(time: Any, initial: Any) -> None:
    """Refuse what is no read-out time, or a start without one.

    Raises
    ------
    InputError
    """
    if time is None:
        if initial is not None:
            raise InputError(f"initial is {initial!r}; a start goes with a read-out time, time=3.0 say")
    elif not (is_real(time) and np.isfinite(time) and time > 0):
        raise InputError(f"time is {time!r}; expected a finite number > 0, or None for the steady state")


@dataclass(frozen=True)
class Problem:
    """What every method is given: inputs and targets, checked, and what is asked for."""

    simulator: Simulator
    x: FloatArray
    loss: Loss
    targets: FloatArray
    inputs: bool
    steady_state: SteadyStateSource
    on_error: OnError
    time: float | None = None
    initial: float | Mapping[str, float] | None = None

    @property
    def noise(self) -> float:
        """Relative error of what the engine gives, which finite differences see as noise."""
        return STEADY_STATE_NOISE if self.time is None else 10 * RELATIVE_TOLERANCE

    def outputs_by_engine(self, net: Network, x: FloatArray) -> tuple[FloatArray, tuple[str, ...]]:
        """Outputs (n, n_out) of another network or at other inputs, and the status of each sample."""
        simulator = Simulator(net)
        if self.time is None:
            steady = simulator.steady_state(x, on_error=self.on_error)
            return steady.outputs, steady.status
        courses = [simulator.time_course(row, self.time, 2, initial=self.initial) for row in x]
        return np.array([course.outputs[-1] for course in courses]), ("integrated",) * len(x)

    @property
    def net(self) -> Network:
        """The network."""
        return self.simulator.net

    def losses(self, outputs: FloatArray) -> FloatArray:
        """The loss of each sample, shape (n,)."""
        values = np.asarray(self.loss.function(outputs, self.targets), dtype=float)
        if values.shape != (len(outputs),):
            raise InputError(f"loss {self.loss.name!r} gave shape {values.shape}; expected ({len(outputs)},)")
        return values

    def by_output(self, outputs: FloatArray) -> FloatArray:
        """d(mean loss)/d(outputs), shape (n, n_out)."""
        values = np.asarray(self.loss.derivative(outputs, self.targets), dtype=float)
        if values.shape != outputs.shape:
            raise InputError(
                f"the derivative of loss {self.loss.name!r} has shape {values.shape}; expected {outputs.shape}"
            )
        return values / len(outputs)

    def settle(self, kinetics: NetworkKinetics) -> tuple[list[LayerState], tuple[str, ...]]:
        """All layers at the steady state, and the status of each sample."""
        if self.steady_state == "closed_form":
            return kinetics.settle(self.x), ("closed form",) * len(self.x)
        steady = self.simulator.steady_state(self.x, on_error=self.on_error)
        return kinetics.at(self.x, steady.concentrations), steady.status


# Methods --------------------------------------------------------------------------------------


def at_steady_state(problem: Problem) -> Gradient:
    """The gradient by the adjoint method."""
    kinetics = problem.simulator.kinetics
    states, status = problem.settle(kinetics)
    outputs = kinetics.outputs(states)
    by_constant, by_input = kinetics.backward(states, problem.by_output(outputs), inputs=problem.inputs)
    parts = [layer.to_parameters(part) for layer, part in zip(kinetics.layers, by_constant, strict=True)]
    return _result(problem, outputs, "adjoint", _by_kind(parts), by_input, status)


def _by_kind(parts: list[tuple[Any, FloatArray, float]]) -> tuple[list[Any], list[FloatArray], FloatArray]:
    weights, biases, h = zip(*parts, strict=True)
    return list(weights), list(biases), np.array(h)


def _result(
    problem: Problem,
    outputs: FloatArray,
    method: str,
    parts: tuple[list[Any], list[FloatArray], FloatArray],
    by_input: FloatArray | None,
    status: tuple[str, ...],
    error: Gradient | None = None,
) -> Gradient:
    loss = float(problem.losses(outputs).mean())
    return Gradient(loss, *parts, by_input if problem.inputs else None, outputs, method, status, error)


def _forward(problem: Problem) -> Gradient:
    kinetics = problem.simulator.kinetics
    states, status = problem.settle(kinetics)
    outputs = kinetics.outputs(states)
    by_output = problem.by_output(outputs)
    n_parameters = len(to_vector(problem.net))
    total = np.zeros(n_parameters)
    by_input = np.empty_like(problem.x)
    for sample in range(len(problem.x)):  # one at a time: all outputs by all parameters are many numbers
        one = [state.sample(sample) for state in states]
        jacobian = forward_sensitivities(kinetics, one, problem.inputs)[0]
        row = by_output[sample] @ jacobian
        total += row[:n_parameters]
        if problem.inputs:
            by_input[sample] = row[n_parameters:]
    return _result(problem, outputs, "forward", unpack(problem.net, total), by_input, status)


def _closed_form(problem: Problem) -> Gradient:
    """Backpropagation through the network's formula."""
    net = problem.net
    values = net.forward(problem.x)
    outputs = values[net.layers[-1].name]
    totals = {name: np.zeros_like(value) for name, value in values.items()}
    totals[net.layers[-1].name] += problem.by_output(outputs)
    parts = []
    for layer in reversed(net.layers):
        activation, by_value = layer.activation, totals[layer.name]
        z = net.pre_activation(layer, values)
        slope = activation.derivative(z)
        by_z = np.einsum("nj,nji->ni", by_value, slope) if activation.couples_units else by_value * slope
        by_h = float(np.sum(by_value * activation.h_derivative(z)))
        read = np.concatenate([values[source] for source in layer.inputs], axis=1)
        by_weight: Any
        if is_sparse(layer.weights):
            rows, columns = places(layer.weights)
            by_weight = layer.weights.copy()
            by_weight.data = np.einsum("nk,nk->k", by_z[:, rows], read[:, columns])
        else:
            by_weight = by_z.T @ read
        parts.append((by_weight, by_z.sum(axis=0), by_h))
        by_read, first = by_z @ layer.weights, 0
        for source in layer.inputs:
            size = values[source].shape[1]
            totals[source] += by_read[:, first : first + size]
            first += size
    status = ("closed form",) * len(problem.x)
    return _result(problem, outputs, "closed_form", _by_kind(parts[::-1]), totals[INPUT], status)


def _finite_difference(problem: Problem) -> Gradient:
    """Central differences of the loss through the engine, one parameter after the other."""
    net, n = problem.net, len(problem.x)
    outputs, status = problem.outputs_by_engine(net, problem.x)
    vector = to_vector(net)
    scales = _scales(net, problem.x)

    def mean_loss(values: FloatArray) -> FloatArray:
        changed, _ = problem.outputs_by_engine(from_vector(net, values), problem.x)
        return np.array([problem.losses(changed).mean()])

    estimates = [_one_parameter(mean_loss, vector, position, scales, problem.noise) for position in range(len(vector))]
    values, errors = (np.array([getattr(e, part)[0] for e in estimates]) for part in ("value", "error"))
    by_input = by_input_error = None
    if problem.inputs:
        # Inputs of either sign, so that one at the end of its range can be changed both ways. At a read-out time the
        # coding matters, since the start depends on it: only inputs that are not negative take a second rail.
        other = problem.time is None or net.inputs == "nonnegative"
        signed = replace(net, inputs="signed", input_range=None) if other else net

        def losses_at(x: FloatArray) -> FloatArray:
            return problem.losses(problem.outputs_by_engine(signed, x)[0]) / n

        by_input, by_input_error = (np.empty_like(problem.x) for _ in range(2))
        for column in range(net.n_in):
            unit = np.eye(net.n_in)[column]

            def along(step: float, unit: FloatArray = unit) -> FloatArray:
                return losses_at(problem.x + step * unit)

            estimate = central_difference(along, _input_scale(net, column), problem.noise)
            by_input[:, column], by_input_error[:, column] = estimate.value, estimate.error
    error = _result(problem, outputs, "finite_difference", unpack(net, errors), by_input_error, status)
    return _result(problem, outputs, "finite_difference", unpack(net, values), by_input, status, error)


def _one_parameter(
    mean_loss: Callable[[FloatArray], FloatArray],
    vector: FloatArray,
    position: int,
    scales: FloatArray,
    noise: float,
) -> Estimate:
    unit = np.eye(1, len(vector), position)[0]
    return central_difference(lambda step: mean_loss(vector + step * unit), scales[position], noise)


def _scales(net: Network, x: FloatArray) -> FloatArray:
    """Over which change of each parameter its unit's answer bends: a pre-activation of sqrt(h), or h itself."""
    values = net.forward(x)
    weights, biases = [], []
    for layer in net.layers:
        bend = np.sqrt(layer.activation.h) / layer.activation.gain
        read = np.concatenate([values[source] for source in layer.inputs], axis=1)
        largest = np.maximum(np.abs(read).max(axis=0), 1e-3)
        by_weight: Any = layer.weights.copy()
        if is_sparse(by_weight):
            by_weight.data = (bend / largest)[by_weight.indices]
        else:
            by_weight = np.broadcast_to(bend / largest, by_weight.shape)
        weights.append(by_weight)
        biases.append(np.full(layer.n_out, bend))
    return pack(weights, biases, np.array(net.h) / 2)


def _input_scale(net: Network, column: int) -> float:
    """The same for one input: the least that bends a unit that reads it."""
    scale = 1.0
    for layer in net.layers:
        if INPUT in layer.inputs:
            first = 0
            for source in layer.inputs:
                if source == INPUT:
                    weights: Any = layer.weights[:, [first + column]]
                    largest = float(abs(weights).max())
                    bend = float(np.sqrt(layer.activation.h)) / layer.activation.gain
                    scale = min(scale, bend / largest) if largest > 0 else scale
                first += net.n_in if source == INPUT else next(o for o in net.layers if o.name == source).n_out
    return scale


def _control_coefficients(problem: Problem) -> Gradient:
    """roadrunner's getuCC of the output species, with respect to every rate constant of the flat model."""
    net, kinetics = problem.net, problem.simulator.kinetics
    steady = problem.simulator.steady_state(problem.x, on_error=problem.on_error)
    by_output = problem.by_output(steady.outputs)
    crn = to_reactions(net, zero_weights=True)
    signed = signed_constants(crn)
    model = compiled(structure_text(crn, signed), conserved_moieties=True)
    signs = compact_signs(crn, signed)
    values = np.array([signs.get(k, 1) * v for k, v in zip(crn.rate_constants, crn.constants.tolist(), strict=True)])
    boundary = by_sample(net.input_coding.concentrations(problem.x))
    last = kinetics.layers[-1]
    read = dict(last.activation.read_out.read)
    species = {f"{name}{len(net.layers)}_{j}": (j, c) for j in range(net.n_out) for name, c in read.items()}
    order = [problem.simulator.species.index(name) for name in model.floating]
    scales = unpack(net, _CONTROL_STEP * _scales(net, problem.x))
    steps = {
        k: step
        for layer, *scale in zip(kinetics.layers, *scales, strict=True)
        for k, step in _steps_by_constant(layer, *scale).items()
        if k in crn.rate_constants
    }
    wanted = list(steps)
    totals = dict.fromkeys(wanted, 0.0)
    with model.lock:
        model.set_parameters(model.parameter_index(crn.rate_constants), values)
        for sample in range(len(problem.x)):
            state = steady.concentrations[sample][order]
            weight = np.array([c * by_output[sample, j] for j, c in species.values()])
            found = weight @ model.control_coefficients(
                boundary[sample], state, list(species), wanted, list(steps.values())
            )
            for k, value in zip(wanted, found.tolist(), strict=True):
                totals[k] += value
    parts = _by_place(kinetics, totals, signed_values=True)
    if problem.inputs:
        raise InputError("method 'control_coefficients' gives no derivatives of inputs; use 'adjoint' or 'forward'")
    return _result(problem, steady.outputs, "control_coefficients", _by_kind(parts), None, steady.status)


def _by_place(
    kinetics: NetworkKinetics, totals: Mapping[str, float], signed_values: bool
) -> list[tuple[Any, FloatArray, float]]:
    """dL/d(parameters) by layer from dL/d(rate constants) by identifier.

    The constants are sizes, or, with `signed_values`, have the sign that a compact model gives them.
    """
    parts = []
    for layer in kinetics.layers:
        shape = layer.chemistry.weights.shape
        by_weight: Any = layer.chemistry.weights.copy()
        if is_sparse(by_weight):
            by_weight.data[:] = 0.0
        else:
            by_weight = np.zeros(shape)
        by_constant = RateConstants(
            by_weight, np.zeros_like(layer.constants.bias), np.zeros(len(layer.local.rate_constants))
        )
        for k, (target, place), sign in _constants_by_place(layer):
            if not signed_values and target != "local":
                # a constant of zero stands for a weight or rail's bias that would go up with it
                own = getattr(layer.constants, target)[place]
                up = 1 if target == "weights" else layer.activation.rails[place[1]].sign
                sign = np.sign(own) or up
            getattr(by_constant, target)[place] = sign * totals.get(k, 0.0)
        parts.append(layer.to_parameters(by_constant))
    return parts


def at_a_time(problem: Problem) -> Gradient:
    """The gradient at a read-out time, by the variational equations of the flat model."""
    assert problem.time is not None
    net, kinetics = problem.net, problem.simulator.kinetics
    crn = to_reactions(net, zero_weights=True)
    wanted = [k for layer in kinetics.layers for k, _, _ in _constants_by_place(layer) if k in crn.rate_constants]
    equations = Variational(crn, net.output_names, [*wanted, *(crn.boundary if problem.inputs else ())])
    boundary = by_sample(net.input_coding.code(problem.x))
    times = np.array([0.0, problem.time])
    found = [equations.run(held, crn.constants, times, problem.initial) for held in boundary]
    outputs = np.array([values[-1] for _, values in found])
    by_output = problem.by_output(outputs)
    rows = np.array([by_output[i] @ derivatives[-1] for i, (derivatives, _) in enumerate(found)])
    totals = dict(zip(wanted, rows[:, : len(wanted)].sum(axis=0).tolist(), strict=True))
    parts = _by_place(kinetics, totals, signed_values=False)
    by_input = None
    if problem.inputs:
        by_rail = rows[:, len(wanted) :].reshape(len(rows), net.n_in, -1)
        by_input = (by_rail * net.input_coding.derivative(problem.x)).sum(axis=2)
    return _result(problem, outputs, "forward", _by_kind(parts), by_input, ("integrated",) * len(outputs))


def _constants_by_place(layer: LayerKinetics) -> list[tuple[str, tuple[str, Any], float]]:
    """(identifier, place in `RateConstants`, sign of that place per value) of a layer's weights, biases and h."""
    chemistry, activation = layer.chemistry, layer.activation
    first = activation.rails[0].sign
    result: list[tuple[str, tuple[str, Any], float]] = []
    for j, i in zip(*(part.tolist() for part in places(chemistry.weights)), strict=True):
        k = weight_id(chemistry.index, j, chemistry.catalysts[i].label)
        result.append((k, ("weights", (j, i)), first))
    for j in range(chemistry.layer.n_out):
        seen = set()
        for position, rail in enumerate(activation.rails):
            k = bias_id(chemistry.index, j) + (f"_{rail.name}" if rail.shift else "")
            if k not in seen:  # of the rails that share a bias, the first stands for it
                seen.add(k)
                result.append((k, ("bias", (j, position)), 1.0))
    h = shared_id(chemistry.index, "h")
    result.append((h, ("local", layer.local.rate_constants.index(h)), 1.0))
    return result


def _steps_by_constant(layer: LayerKinetics, weights: Any, bias: FloatArray, h: float) -> dict[str, float]:
    """Step of each rate constant, from those of the layer's weights, biases and h."""
    result = {}
    catalysts, gain = layer.chemistry.catalysts, layer.activation.gain
    by_weight = weights.toarray() if is_sparse(weights) else weights
    for k, (target, place), _ in _constants_by_place(layer):
        if target == "weights":
            j, i = place
            result[k] = float(by_weight[j, catalysts[i].column] * gain * abs(catalysts[i].coefficient))
        else:
            result[k] = float(gain * bias[place[0]]) if target == "bias" else float(h)
    return result


_METHODS: dict[str, Callable[[Problem], Gradient]] = {
    "adjoint": at_steady_state,
    "forward": _forward,
    "finite_difference": _finite_difference,
    "control_coefficients": _control_coefficients,
    "closed_form": _closed_form,
}
_AT_A_TIME: dict[str, Callable[[Problem], Gradient]] = {
    "forward": at_a_time,
    "finite_difference": _finite_difference,
}
