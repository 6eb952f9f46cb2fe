"""Sensitivities along a time course: dy(t)/dp by the variational equations, on roadrunner.

    dx/dt = f(x, p),    d/dt (dx/dp) = (df/dx) (dx/dp) + df/dp,    (dx/dp)(0) = d(initial state)/dp

The right-hand sides are written as an Antimony model, species and derivatives together, so that one
compiled run gives both. (roadrunner's own `timeSeriesSensitivities` returns zeros.)
Source: Dickinson and Gelinas, J. Comput. Phys. 21 (1976) 123.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from crn_nn_tellurium.basics import (
    FloatArray,
    names_of,
    some,
)
from crn_nn_tellurium.chemistry import ReactionNetwork, formula, pass_on
from crn_nn_tellurium.encoding import reactions_at, to_reactions, variational_text
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.importers import AnyModel, as_model
from crn_nn_tellurium.kinetics import NetworkKinetics
from crn_nn_tellurium.networks import Network, other_names, parameters as network_parameters
from crn_nn_tellurium.sensitivity.by_parameter import check_h, parameter_jacobian
from crn_nn_tellurium.sensitivity.results import TransientSensitivities
from crn_nn_tellurium.simulation import FlatModel, Tolerances, start_values, time_grid

EQUATIONS_PER_MODEL = 240
"""Derivatives that one compiled model carries; more parameters take more models."""
ABSOLUTE = 1e-12
"""CVODE's absolute tolerance for derivatives, which cross zero, as concentrations do not."""


def transient_sensitivities(
    model: AnyModel,
    x: npt.ArrayLike | None = None,
    t_end: float = 50.0,
    n_points: int = 501,
    *,
    outputs: Sequence[str] | None = None,
    parameters: Sequence[str] | None = None,
    initial: float | Mapping[str, float] | None = None,
) -> TransientSensitivities:
    """d y(t) / d p along a time course.

    Parameters
    ----------
    model : Network, ReactionNetwork, str or path-like
        As `Simulator` takes it.
    x : (n_in,) array_like, optional
        For a Network, its input values.
    t_end, n_points
        As for `Simulator.time_course`.
    outputs : sequence of str, optional
        Observables or floating species; by default the network's outputs, or all observables, or
        all floating species.
    parameters : sequence of str, optional
        As for `sensitivities`. Of a Network: weights ``w1_0_1``, biases ``b1_0``, ``h1``, and
        inputs by name. Of a ReactionNetwork: rate constants, whose values are sizes, never
        negative, and boundary species, by default all; floating species mean their start.
    initial : float or mapping of str to float, optional
        Start concentrations, which then do not depend on parameters. By default those of the
        model, with what they depend on.

    Raises
    ------
    InputError
        If a name is unknown or a number does not fit.
    NetworkError
        If an activation's description depends on h, so that h is no rate constant alone.
    ConvergenceError
        If the integrator gives up.

    Examples
    --------
    >>> net = Network.random([2, 3, 1], seed=0)
    >>> transient_sensitivities(net, [0, 1], t_end=10, n_points=11, parameters=["h1", "w1_0_1"])
    TransientSensitivities(11 points from t = 0 to 10, 1 outputs by 2 parameters)
    """
    time = time_grid(t_end, n_points)
    model = as_model(model, "transient_sensitivities")
    if isinstance(model, Network):
        if x is None:
            raise InputError("a Network needs its input values x")
        return _of_network(model, x, time, outputs, parameters, initial)
    model = reactions_at(model, x)
    wanted = chosen_parameters(model, parameters)
    by, by_free = by_inputs(model, wanted)
    equations = Variational(model, outputs, by)
    found, read = equations.run(model.boundary_concentrations, model.constants, time, initial)
    values = found @ by_free
    return TransientSensitivities(time, values, read, equations.outputs, wanted)


def _of_network(
    net: Network,
    x: npt.ArrayLike,
    time: FloatArray,
    outputs: Sequence[str] | None,
    parameters: Sequence[str] | None,
    initial: float | Mapping[str, float] | None,
) -> TransientSensitivities:
    crn, kinetics = to_reactions(net, x, zero_weights=True), NetworkKinetics(net)
    constants, by_parameter = parameter_jacobian(kinetics, crn)
    by_rail = net.input_coding.derivative(net.input_coding.check(x))
    # rails of one input after the other, as the boundary species are
    by_input = sparse.block_diag([sparse.coo_array(rails[:, None]) for rails in by_rail])
    jacobian = sparse.block_diag([by_parameter, by_input], format="csc")
    names = (*(p.id for p in network_parameters(net)), *net.input_names)
    wanted = chosen("parameter", parameters, names)
    check_h(kinetics, wanted)
    columns = jacobian[:, places_among(wanted, names)]
    # of the variational equations, only those that the chosen parameters need
    needed = np.unique(columns.indices)
    by = [(*constants, *crn.boundary)[i] for i in needed]
    equations = Variational(crn, net.output_names if outputs is None else outputs, by)
    found, read = equations.run(crn.boundary_concentrations, crn.constants, time, initial)
    values = found @ columns[needed].toarray()
    return TransientSensitivities(time, values, read, equations.outputs, wanted)


def chosen(
    kind: str, names: str | Sequence[str] | None, known: Sequence[str], default: Sequence[str] = ()
) -> tuple[str, ...]:
    """Names of some of what there is; by default all, or those given."""
    found = names_of(f"{kind} names", names, default or known)
    # of a large network, lists would be gone through for each of a hundred thousand names
    there, count = frozenset(known), Counter(found)
    for name in found:
        if name not in there:
            raise InputError(
                f"{kind} {name!r}: expected one of {some(known)}{other_names(name, known)}"
            )
        if count[name] > 1:
            raise InputError(f"{kind} {name!r} is named twice; expected each once")
    return found


def places_among(names: Sequence[str], known: Sequence[str]) -> list[int]:
    """Where names stand among those there are."""
    place = {name: i for i, name in enumerate(known)}
    return [place[name] for name in names]


def settable(crn: ReactionNetwork) -> tuple[str, ...]:
    """What derivatives can be with respect to: free constants and boundary species."""
    return (*crn.free_constants, *crn.boundary)


def by_inputs(crn: ReactionNetwork, parameters: Sequence[str]) -> tuple[list[str], FloatArray]:
    """Constants, boundary species and starts that chosen parameters move, and by how much."""
    starts = np.eye(len(crn.floating))
    whole = sparse.block_diag([crn.input_jacobian(), starts], format="csc")
    known = (*settable(crn), *crn.floating)
    columns = whole[:, places_among(parameters, known)]
    needed = np.unique(columns.indices)
    inputs = (*crn.constant_names, *crn.boundary, *crn.floating)
    return [inputs[i] for i in needed], columns[needed].toarray()


def chosen_parameters(crn: ReactionNetwork, names: str | Sequence[str] | None) -> tuple[str, ...]:
    """Names of what derivatives are by, by default all that is settable; refuses what follows from
    others.
    """
    there = settable(crn)
    found, formulas = names_of("parameter names", names, there), dict(crn.formulas)
    for name in found:
        if name in formulas:
            raise InputError(
                f"parameter {name!r} follows from {formula(formulas[name])}; expected what it"
                f" follows from, {', '.join(dict.fromkeys(formulas[name].symbols))}"
            )
    return chosen("parameter", found, (*there, *crn.floating))


class Variational:
    """The variational equations of one reaction network, for chosen outputs and parameters."""

    def __init__(
        self,
        crn: ReactionNetwork,
        outputs: Sequence[str] | None = None,
        parameters: Sequence[str] | None = None,
    ) -> None:
        self.crn = crn
        observables = {o.id: o.expression for o in crn.observables}
        species = (*observables, *crn.floating)
        constants = (*crn.constant_names, *crn.boundary)
        self.outputs = chosen("output", outputs, species, tuple(observables))
        known = (*constants, *crn.floating)
        self.parameters = chosen("parameter", parameters, known, constants)
        self._moving = {p: self._reached_from(p) for p in self.parameters}
        moving = [p for p in self.parameters if self._moving[p]]
        # compiling grows with the square of the equations, so few parameters go into one model
        size = max(1, EQUATIONS_PER_MODEL // max(1, len(crn.floating)))
        chunks = [moving[first : first + size] for first in range(0, len(moving), size)]
        self._models = [self._model(chunk) for chunk in chunks or [[]]]

    @cached_property
    def _acts(self) -> set[tuple[str, str]]:
        """(rate constant or species, floating species in whose equation it stands)."""
        crn, terms, by_species = self.crn, self.crn.terms, self.crn.jacobian_terms
        symbols, floating = crn.floating + crn.boundary, crn.floating
        assert by_species.column is not None
        constants = zip(terms.constant, terms.row, strict=True)
        species = zip(by_species.column, by_species.row, strict=True)
        acts = {(crn.rate_constants[k], floating[row]) for k, row in constants}
        return acts | {(symbols[column], floating[row]) for column, row in species}

    def _reached_from(self, parameter: str) -> frozenset[str]:
        """Floating species that a change of the parameter, or of that start, reaches."""
        # formulas of starts are in the order of what they read, so one pass finds all
        known = {parameter}
        for species, start in self.crn.start_formulas.items():
            # that of a boundary species is for whoever asks how these move together
            if species not in self.crn.boundary and known.intersection(start.symbols):
                known.add(species)
        moves = () if parameter in self.crn.floating else self._acts
        reached = {species for source, species in moves if source == parameter}
        reached |= known & {*self.crn.floating}
        # what a changed species drives changes too, until nothing more does
        while True:
            more = {species for source, species in self._acts if source in reached} - reached
            if not more:
                return frozenset(reached)
            reached |= more

    def run(
        self,
        boundary: FloatArray,
        constants: FloatArray,
        time: FloatArray,
        initial: float | Mapping[str, float] | None = None,
    ) -> tuple[FloatArray, FloatArray]:
        """Derivatives (n_times, n_outputs, n_parameters) and outputs (n_times, n_outputs)."""
        crn = self.crn
        start, by_start = start_derivatives(crn, self.parameters, boundary, constants, initial)
        n = len(crn.floating)
        states = np.empty((len(time), n))
        derivatives = np.zeros((len(time), n, len(self.parameters)))
        for model, place in self._models:
            # the text has the species first, then their derivatives, in the order of `place`
            begin = np.array([*start, *(by_start[where] for where in place)])
            tolerances = Tolerances(absolute_of=dict.fromkeys(model.floating[n:], ABSOLUTE))
            found = model.time_course(time, begin, boundary, constants, tolerances=tolerances)
            states[:] = found[:, :n]
            for column, (row, parameter) in enumerate(place, n):
                derivatives[:, row, parameter] = found[:, column]
        names = self.outputs, self.parameters
        return read_outputs(crn, *names, boundary, constants, states, derivatives)

    def _model(self, chunk: list[str]) -> tuple[FlatModel, list[tuple[int, int]]]:
        """The model of derivatives by some parameters, and (species, parameter) of each."""
        crn = self.crn
        directions = {f"_s{i}": (p, self._moving[p]) for i, p in enumerate(chunk)}
        named = {
            f"_s{i}_{s}": (crn.floating.index(s), self.parameters.index(p))
            for i, p in enumerate(chunk)
            for s in self._moving[p]
        }
        text = variational_text(crn, directions)
        return FlatModel(crn, text, tuple(named)), list(named.values())


def start_derivatives(
    crn: ReactionNetwork,
    parameters: Sequence[str],
    boundary: FloatArray,
    constants: FloatArray,
    initial: float | Mapping[str, float] | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Start concentrations (n_floating,), and their derivatives (n_floating, n_parameters)."""
    given: dict[str, float] = {}
    if initial is not None:
        own = start_values(initial, crn.floating)[0].tolist()
        given = {s: v for s, v in zip(crn.floating, own, strict=True) if not np.isnan(v)}
    given |= dict(zip(crn.boundary, boundary.tolist(), strict=True))
    values = dict(zip(crn.constant_names, constants.tolist(), strict=True))
    values |= crn.starts(constants, given)
    # a start that is a parameter itself is moved beside what its formula says
    rows = dict(zip(parameters, np.eye(len(parameters)), strict=True))
    formulas = {s: f for s, f in crn.start_formulas.items() if s not in given}
    pass_on(formulas, values, rows)
    zero = np.zeros(len(parameters))
    start = np.array([values[s] for s in crn.floating], dtype=float)
    by_start = np.array([rows.get(s, zero) for s in crn.floating])
    return start, by_start.reshape(len(start), len(parameters))


@np.errstate(divide="ignore", invalid="ignore")
def read_outputs(
    crn: ReactionNetwork,
    outputs: Sequence[str],
    parameters: Sequence[str],
    boundary: FloatArray,
    constants: FloatArray,
    states: FloatArray,
    derivatives: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Derivatives (n, n_outputs, n_parameters) and values (n, n_outputs) of what is read.

    By the chain rule, from those of the floating species (n, n_floating, n_parameters).
    """
    row = {name: i for i, name in enumerate(crn.floating)}
    column = {name: i for i, name in enumerate(parameters)}
    observables = {o.id: o.expression for o in crn.observables}
    values: dict[str, Any] = dict(zip(crn.floating, states.T, strict=True))
    # numbers of numpy: a read-out A / X of a species X at 0 is infinite, and raises nothing
    values |= dict(zip(crn.boundary, boundary, strict=True))
    values |= dict(zip(crn.constant_names, constants, strict=True))
    result = np.zeros((len(states), len(outputs), len(parameters)))
    read = np.empty((len(states), len(outputs)))
    for position, name in enumerate(outputs):
        if name in row:
            read[:, position] = values[name]
            result[:, position] = derivatives[:, row[name]]
            continue
        expression = observables[name]
        read[:, position] = expression.evaluate(values)
        # in order: sums are to be the same in every process
        for symbol in dict.fromkeys(expression.symbols):
            by_symbol = expression.derivative(symbol).evaluate(values) + np.zeros(len(states))
            if symbol in row:
                result[:, position] += by_symbol[:, None] * derivatives[:, row[symbol]]
            elif symbol in column:
                result[:, position, column[symbol]] += by_symbol
    return result, read
