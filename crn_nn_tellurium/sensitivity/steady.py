"""Sensitivities of a steady state: dy/dp for every output and parameter of any mass-action network.

At an isolated steady state f(y, p) = 0 the implicit function theorem gives dy/dp = -J^-1 df/dp,
J = df/dy. Where the network conserves something, A + B say, f = 0 stands for fewer equations than
there are species, and C y = C y(0) for the others: the steady state depends on the start as well.

Source: Reder, J. theor. Biol. 135 (1988) 175.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
from scipy import linalg, sparse

from crn_nn_tellurium.basics import FloatArray, by_name, dense, progress_bar, real_numbers
from crn_nn_tellurium.chemistry import ReactionNetwork
from crn_nn_tellurium.errors import ConvergenceError, InputError, SingularJacobianError
from crn_nn_tellurium.importers import AnyModel
from crn_nn_tellurium.kinetics import forward_sensitivities
from crn_nn_tellurium.networks import (
    parameters as network_parameters,
    to_vector,
)
from crn_nn_tellurium.sensitivity.by_parameter import check_h
from crn_nn_tellurium.sensitivity.over_time import (
    Variational,
    by_inputs,
    chosen,
    chosen_parameters,
    places_among,
    read_outputs,
    start_derivatives,
)
from crn_nn_tellurium.sensitivity.problem import simulator_of
from crn_nn_tellurium.sensitivity.results import Sensitivities
from crn_nn_tellurium.simulation import (
    DURATIONS,
    ROUGH,
    Equations,
    FlatModel,
    Matrix,
    Simulator,
    reduced_equations,
    rest,
    solved,
)

SINGULAR = 1e-13
"""Smallest singular value of J beside the largest, rows scaled to 1, that may be rounding alone."""
NAMED_UP_TO = 2_000
"""Floating species up to which a singular J is looked for, by dense linear algebra."""
SETTLED = 1e-8
"""Change of a derivative over nine tenths of a time that is none, beside the largest."""


@progress_bar("sensitivities")
def sensitivities(
    model: AnyModel | Simulator,
    x: npt.ArrayLike | None = None,
    *,
    outputs: Sequence[str] | None = None,
    parameters: Sequence[str] | None = None,
) -> Sensitivities:
    """d output / d parameter at the steady state.

    Parameters
    ----------
    model : Network, Simulator, ReactionNetwork, str or path-like
        As `Simulator` takes it. The steady state of a Network is found by units; that of a
        ReactionNetwork from its initial concentrations, by integration and Newton's method; what it
        conserves is kept.
    x : (n_in,) or (n_samples, n_in) array_like
        Input values of a Network; for a ReactionNetwork, (n_floating,), a state near the steady
        state and with its conserved sums, optional.
    outputs : sequence of str, optional
        A Network's outputs; a ReactionNetwork's observables or floating species. By default the
        outputs, or all observables, or all floating species.
    parameters : sequence of str, optional
        Of a Network: weights ``w1_0_1`` (layer, unit, value read), biases ``b1_0``, ``h1``, and
        inputs by name. By default all. Of a ReactionNetwork: rate constants and boundary species,
        by default all; floating species mean their start, on which what is conserved depends.

    Returns
    -------
    Sensitivities

    Raises
    ------
    InputError
        If a name or a shape does not fit.
    SingularJacobianError
        If the steady state is not isolated among those of the same sums, and derivatives along
        the time course do not come to rest with it; or if a state near it was given.
    ConvergenceError
        If no steady state is found, or it is unstable.

    Examples
    --------
    >>> from crn_nn_tellurium import Reaction, Species
    >>> made, lost = Reaction("J1", (), ("Y",), "a", 6.0), Reaction("J2", ("Y",), (), "d", 2.0)
    >>> crn = ReactionNetwork([Species("Y")], [made, lost])
    >>> sensitivities(crn).to_frame().loc["Y"].tolist()  # Y = a / d
    [0.5, -1.5]
    """
    simulator = simulator_of(model, "sensitivities")
    model = simulator.model
    own: tuple[str, ...] = ()
    if isinstance(model, ReactionNetwork):
        own = tuple(observable.id for observable in model.observables)
        wanted = chosen_parameters(model, parameters)
        found = _of_reactions(model, x, wanted)
    else:
        found = _of_network(simulator, x)
        wanted = chosen("parameter", parameters, found.parameters)
        check_h(simulator.kinetics, wanted)
    names = chosen("output", outputs, found.outputs, own), wanted
    rows = places_among(names[0], found.outputs)
    columns = places_among(names[1], found.parameters)
    at = found.output_values[..., rows], found.parameter_values[..., columns]
    labels = tuple(found.output_labels[i] for i in rows if found.output_labels)
    return Sensitivities(found.values[..., rows, :][..., columns], *at, *names, labels)


def _of_network(simulator: Simulator, x: npt.ArrayLike | None) -> Sensitivities:
    net = simulator.net
    if x is None:
        raise InputError("a Network needs its input values x")
    values = net.input_coding.check(x)
    batch = np.atleast_2d(values)
    if not len(batch):
        raise InputError(f"inputs have shape {values.shape}; expected one sample or more")
    steady = simulator.steady_state(batch)
    states = simulator.kinetics.at(batch, steady.concentrations)
    found = forward_sensitivities(simulator.kinetics, states, inputs=True)
    names = (*(p.id for p in network_parameters(net)), *net.input_names)
    # every sample has the same parameters, and inputs of its own
    own = np.broadcast_to(to_vector(net), (len(batch), len(names) - net.n_in))
    at = np.concatenate([own, batch], axis=1)
    outputs = simulator.kinetics.outputs(states)
    if values.ndim == 1:
        found, outputs, at = found[0], outputs[0], at[0]
    return Sensitivities(found, outputs, at, net.output_names, names, net.output_labels)


# Any reaction network ---------------------------------------------------------------------------


def _of_reactions(
    crn: ReactionNetwork, near: npt.ArrayLike | None, parameters: Sequence[str]
) -> Sensitivities:
    state, equations = steady_state_of(crn, near), reduced_equations(crn)
    held, constants = crn.boundary_concentrations, crn.constants
    by, by_free = by_inputs(crn, parameters)
    if near is None:
        start, by_start = start_derivatives(crn, by, held, constants)
    else:
        start, by_start = state, np.array([[s == name for name in by] for s in crn.floating], float)
    matrix, stability = equations.reduced_jacobian(state), equations.stability(state)
    if not stability.stable:
        raise ConvergenceError(
            f"network {crn.name!r}: its steady state is unstable: a small change leaves it, so"
            " that nothing measures its sensitivities; start near a stable one"
        )
    line = stability.open and not equations.is_isolated(state)
    derivatives = _of_course(crn, by) if line and near is None else None
    if derivatives is None:
        # J dy = -df/dp of the independent species, and C dy = C dy(0)/dp; f knows no starts
        inputs = (*crn.constant_names, *crn.boundary)
        sides = [crn.rate_constant_jacobian(state), crn.boundary_jacobian(state)]
        whole = sparse.hstack([*sides, sparse.csr_array((len(state), len(state)))], format="csc")
        by_parameter = whole[:, places_among(by, (*inputs, *crn.floating))].toarray()
        right = equations.reduced(-by_parameter, equations.rows @ by_start)
        derivatives = _derivatives(crn, equations, state, matrix, right, line)
    outputs = (*(o.id for o in crn.observables), *crn.floating)  # either can be asked for
    found = state[None], derivatives[None]
    values, read = read_outputs(crn, outputs, by, held, constants, *found)
    names = (*crn.constant_names, *crn.boundary, *crn.floating)
    at = dict(zip(names, [*constants, *held, *start], strict=True))
    own = np.array([at[name] for name in parameters])
    # what follows from others moves with them, and is no parameter itself
    return Sensitivities(values[0] @ by_free, read[0], own, outputs, tuple(parameters))


def _of_course(crn: ReactionNetwork, by: Sequence[str]) -> FloatArray | None:
    """dy of a steady state that has others beside it, where the course alone says which it is.

    None if the derivatives do not come to rest with it.
    """
    variational, last = Variational(crn, crn.floating, by), np.inf
    for end in DURATIONS[1:10]:
        try:
            times = np.array([0.0, end])
            found = variational.run(crn.boundary_concentrations, crn.constants, times)[0][-1]
        except ConvergenceError:
            return None
        # ten times as long says the same, where derivatives have come to rest too
        if np.all(np.abs(found - last) <= SETTLED * np.abs(found).max(initial=0.0)):
            return found
        last = found
    return None


def _derivatives(
    crn: ReactionNetwork,
    equations: Equations,
    state: FloatArray,
    matrix: Matrix,
    right: FloatArray,
    line: bool,
) -> FloatArray:
    """dy of the reduced system, or a refusal that names what is not determined."""
    if not len(state):
        return right
    if len(state) <= NAMED_UP_TO:
        whole = dense(matrix)
        # rows of one size: a slow species is no reason to call J singular
        scale = np.abs(whole).max(axis=1, keepdims=True)
        scale[scale == 0] = 1.0
        left, sizes, _ = linalg.svd(whole / scale)
        if line or sizes[-1] <= SINGULAR * sizes[0]:
            independent = np.setdiff1d(np.arange(len(state)), equations.sums.dependent)
            combination = (left[:, -1:] / scale)[: len(independent), 0]
            names = [crn.floating[i] for i in independent]
            raise SingularJacobianError(
                f"network {crn.name!r}: the Jacobian at its steady state is singular: the"
                f" combination {combination_text(names, combination)} does not return after"
                " a small change, so the steady state is not isolated, and along a time course to"
                " it derivatives do not come to rest; transient_sensitivities has them at a time"
            )
    found = solved(matrix, right, state)
    if not np.all(np.isfinite(found)):
        raise SingularJacobianError(
            f"network {crn.name!r}: the Jacobian at its steady state is singular, so it has no"
            " derivatives"
        )
    return found


def steady_state_of(crn: ReactionNetwork, near: npt.ArrayLike | None = None) -> FloatArray:
    """A steady state (n_floating,) of any mass-action network, from its initial concentrations."""
    start = crn.initial_concentrations
    if near is not None:
        start = real_numbers("near", by_name("near", near, crn.floating))
    if start.shape != (len(crn.floating),):
        expected = f"({len(crn.floating)},), one concentration per floating species"
        raise InputError(
            f"network {crn.name!r}: a state of shape {start.shape}; expected {expected}"
        )
    for name, value in zip(crn.floating, start.tolist(), strict=True):
        if not 0 <= value < math.inf:
            raise InputError(
                f"network {crn.name!r}: {name!r} is {value} in the state; expected a number >= 0"
            )
    equations = reduced_equations(crn)
    if near is not None:  # a start that is near needs no engine
        polished = equations.newton(start, equations.rows @ start)
        far = 0.1 * start + 1e-3 * start.max(initial=0.0)
        if polished is not None and np.all(np.abs(polished - start) <= far):
            return polished
    advance = partial(FlatModel(crn).advance, boundary=crn.boundary_concentrations)
    rough = partial(advance, tolerances=ROUGH)
    state, outcome = rest(equations, start, advance, rough=rough)
    if outcome.failed:
        raise ConvergenceError(
            f"network {crn.name!r}: it has not come to rest ({outcome.reason}); does it grow"
            " without bound or oscillate?"
        )
    return state


def combination_text(names: Sequence[str], values: FloatArray) -> str:
    """A combination as one reads it: ``A + 2 B``."""
    values = values / np.abs(values).max()
    pairs = zip(names, values.tolist(), strict=True)
    # six digits of a null vector are sure: less is 0, and ratios so near to whole numbers are whole
    kept = [(name, value) for name, value in pairs if abs(value) > 1e-6]
    smallest = min((abs(value) for _, value in kept), default=1.0)
    whole = all(abs(value / smallest - round(value / smallest)) < 1e-6 for _, value in kept)
    sign = -1.0 if kept and kept[0][1] < 0 else 1.0
    parts = []
    for name, value in kept[:12]:
        number = sign * value / (smallest if whole else 1.0)
        size = "" if abs(abs(number) - 1) < 1e-6 else f"{abs(number):.4g} "
        parts.append(f"{'- ' if number < 0 else '+ '}{size}{name}")
    return " ".join(parts).removeprefix("+ ") + (" ..." if len(kept) > 12 else "")
