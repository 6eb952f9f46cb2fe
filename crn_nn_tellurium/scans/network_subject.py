"""A network as what a scan solves.

Steady states are found layer by layer. A layer depends on the dimensions along which its own rate
constants change and on those of what it reads: it is solved once for every combination of these,
however many points share it, and kept for the chunks that follow.

Time courses are those of the flat model. Species start where the Simulator of the point's network
(its weights, biases and h) has them, an upper bound of each fixed point, unless the scan says
otherwise. Other rate constants, errors and factors do not change what was put into the tube.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import FloatArray, Recent, by_sample
from crn_nn_tellurium.chemistry import ReactionNetwork
from crn_nn_tellurium.errors import ConvergenceError, InputError
from crn_nn_tellurium.kinetics import RateConstants, start_state
from crn_nn_tellurium.networks import INPUT, Network
from crn_nn_tellurium.scans.axes import FUEL, describe
from crn_nn_tellurium.scans.network_parameters import (
    OF_NETWORKS,
    OF_RATE_CONSTANTS,
    NetworkParameters,
)
from crn_nn_tellurium.scans.plan import Box, Plan
from crn_nn_tellurium.scans.subject import Place, States, Subject
from crn_nn_tellurium.simulation import (
    ACCURATE,
    INTEGRATED,
    SOLVED,
    Outcome,
    Outcomes,
    Simulator,
    SteadyState,
    TimeCourse,
    failures,
    fill,
    outcomes,
    worse,
)

# Solutions of layers that are kept for the next chunks
_KEPT_LAYERS = 16
# Networks whose flat models are kept
_KEPT_MODELS = 64
# Suffix of rate constants of reactions that make more molecules than they take, where 'fuel' is
# varied
_MADE = "_made"


@dataclass(frozen=True)
class Solution:
    """Layers over a box: arrays of its shape, of length 1 along dimensions that they do not depend
    on.
    """

    layers: list[FloatArray]  # each (..., n_units, n_species)
    residual: FloatArray
    cancelling: list[FloatArray]  # by layer, see `simulation.accuracy`
    status: Outcomes


class SteadyStates:
    """Solves a plan's network for boxes of points."""

    def __init__(self, plan: Plan, simulator: Simulator, parameters: NetworkParameters) -> None:
        self._plan, self._simulator, self._parameters = plan, simulator, parameters
        self._start = parameters.dims("start")
        depends = {INPUT: input_dims(plan, parameters)}
        self._own: list[set[int]] = []
        self._all: list[set[int]] = []
        for number, layer in enumerate(simulator.net.layers):
            own = parameters.dims_of_layer(number)
            read = (depends[source] for source in layer.inputs)
            depends[layer.name] = self._start.union(own, *read)
            self._own.append(own)
            self._all.append(depends[layer.name])
        self._found: Recent[tuple[int, tuple[tuple[int, int], ...]], Solution] = Recent(
            _KEPT_LAYERS
        )

    def solve(self, box: Box) -> Solution:
        """The layers over a box."""
        net = self._simulator.net
        x = input_values(self._plan, self._parameters, box)
        found = {INPUT: net.input_coding.concentrations(x)}
        # a layer fails where those that it reads do: statuses and residuals are the worst so far
        residual, status, layers, cancelling = np.zeros(()), outcomes(SOLVED, ()), [], []
        for number, layer in enumerate(net.layers):
            ranges = tuple((box.start[d], box.stop[d]) for d in sorted(self._all[number]))
            make = partial(self._solve_layer, number, box, found)
            solution = self._found.get((number, ranges), make)
            found[layer.name] = solution.layers[0]
            layers.append(solution.layers[0])
            cancelling += solution.cancelling
            residual = np.maximum(residual, solution.residual)
            status = worse(status, solution.status)
        whole = Solution(layers, residual, cancelling, status)
        return replace(whole, status=self._doubted(whole, box, found))

    def _doubted(self, solution: Solution, box: Box, found: Mapping[str, FloatArray]) -> Outcomes:
        """The status over a box, which says what is not known of a point, with its rate constants;
        as of `Simulator.steady_state`.
        """
        accuracy, status = self._simulator.accuracy, solution.status
        if accuracy.suffices(solution.residual, solution.cancelling):
            return status
        status = np.broadcast_to(status, box.shape).flatten()
        most = accuracy.at_most(solution.residual, solution.cancelling)
        accurate = np.broadcast_to(most <= ACCURATE, box.shape).ravel()
        rows = np.flatnonzero(~failures(status) & ~accurate)
        if not len(rows):  # what failed is all that was not seen to be accurate
            return solution.status

        def of_points(values: FloatArray, further: int) -> FloatArray:
            tail = values.shape[values.ndim - further :]
            return np.broadcast_to(values, box.shape + tail).reshape(-1, *tail)[rows]

        layers = [of_points(layer, 2).reshape(len(rows), -1) for layer in solution.layers]
        constants = [self._of_points(n, box, found, rows) for n in range(len(layers))]
        parts = of_points(found[INPUT], 2), np.concatenate(layers, axis=1), constants
        accuracy.doubt(status, rows, *parts)
        return status.reshape(box.shape)

    def _of_points(
        self,
        number: int,
        box: Box,
        found: Mapping[str, FloatArray],
        points: npt.NDArray[np.intp],
    ) -> RateConstants:
        """Rate constants of a layer at some points of a box, by their numbers."""
        catalysts = self._catalysts(number, box, found)
        constants = self._constants(number, box, catalysts)
        if constants is None:
            return self._simulator.kinetics.layers[number].constants.shared
        return constants.take(box.spread(self._all[number], range(len(box.shape)))[points])

    def _solve_layer(self, number: int, box: Box, found: dict[str, FloatArray]) -> Solution:
        shape = box.shape_over(self._all[number])
        catalysts = self._catalysts(number, box, found)
        solution = self._simulator.layer_solvers[number].settle(
            catalysts, self._starts(number, box), self._constants(number, box, catalysts)
        )
        units = solution.concentrations.shape[1:]
        return Solution(
            [solution.concentrations.reshape(shape + units)],
            solution.residual.reshape(shape),
            [solution.cancelling.reshape(shape)],
            solution.status.reshape(shape),
        )

    def _catalysts(self, number: int, box: Box, found: Mapping[str, FloatArray]) -> FloatArray:
        """What a layer reads, over what it depends on."""
        solver, shape = self._simulator.layer_solvers[number], box.shape_over(self._all[number])
        read = {}
        for source in solver.encoding.layer.inputs:
            tail = found[source].shape[len(shape) :]
            read[source] = np.broadcast_to(found[source], shape + tail).reshape(-1, *tail)
        return solver.encoding.gather(read)

    def _constants(self, number: int, box: Box, catalysts: FloatArray) -> RateConstants | None:
        """Rate constants of a layer by sample, None where they are the network's own."""
        own, parameters = self._own[number], self._parameters
        if not own:
            return None
        # they are made for the combinations of what changes them, and spread to all that share them
        values, which = self._plan.values(box.indices(own)), box.spread(own, self._all[number])
        m = math.prod(box.shape_over(own))
        constants = parameters.constants(number, values, m).take(which)
        if parameters.varies(FUEL):
            return parameters.with_fuel(number, constants, catalysts, values[FUEL][which])
        return constants

    def _starts(self, number: int, box: Box) -> FloatArray | None:
        m = math.prod(box.shape_over(self._start))
        start = self._parameters.start(self._plan.values(box.indices(self._start)), m)
        if start is None:
            return None
        return self._simulator.kinetics.of_layer(
            start[box.spread(self._start, self._all[number])], number
        )


def input_dims(plan: Plan, parameters: NetworkParameters) -> set[int]:
    """The dimensions along which inputs change."""
    found = parameters.dims("input")
    return found if plan.sample is None else found | {plan.sample}


def input_values(plan: Plan, parameters: NetworkParameters, box: Box) -> FloatArray:
    """Input values over a box (..., n_in)."""
    dims = input_dims(plan, parameters)
    indices, shape = box.indices(dims), box.shape_over(dims)
    assert plan.x is not None  # a network's plan has them
    if plan.sample is None:
        samples = np.repeat(plan.x[None], math.prod(shape), axis=0)
    else:
        samples = plan.x[indices[plan.sample]]
    return parameters.inputs(samples, plan.values(indices)).reshape(*shape, -1)


class TimeCourses:
    """Integrates a plan's network for boxes of points."""

    def __init__(self, plan: Plan, simulator: Simulator, parameters: NetworkParameters) -> None:
        assert plan.time is not None  # who asks for time courses gives times
        self._plan, self._simulator, self._parameters = plan, simulator, parameters
        # the engine's first time is that of the start
        self._times = np.concatenate([[0.0], plan.time]) if plan.time[0] > 0 else plan.time
        self._skip = len(self._times) - len(plan.time)
        self._networks = parameters.dims(*OF_NETWORKS)
        self._flats: Recent[tuple[int, ...], _Flat] = Recent(_KEPT_MODELS)

    def solve(self, box: Box) -> tuple[FloatArray, Outcomes]:
        """Concentrations (..., n_times, n_species) over a box, and the outcome (...)."""
        plan, parameters = self._plan, self._parameters
        x = input_values(plan, parameters, box)
        x = np.broadcast_to(x, (*box.shape, x.shape[-1])).reshape(-1, x.shape[-1])
        inputs = parameters.net.input_coding.concentrations(x)
        every = plan.values(box.indices(plan.every))
        starts, constants = parameters.start(every, len(x)), self._constants(every, len(x))
        fuel = every[FUEL] if parameters.varies(FUEL) else np.ones(len(x))
        found = np.full((len(x), len(self._times), len(self._simulator.species)), np.nan)
        status = np.empty(len(x), dtype=object)
        for i, point in enumerate(box.points()):
            start = None if starts is None else starts[i]
            try:
                flat = self._flat(point)
                found[i] = flat.run(inputs[i], start, self._times, constants[i], fuel[i])
                status[i] = INTEGRATED
            except ConvergenceError as error:
                status[i] = Outcome.failure(str(error))
        kept = found[:, self._skip :]
        return kept.reshape(*box.shape, *kept.shape[1:]), status.reshape(box.shape)

    def _constants(self, values: dict[str, FloatArray], m: int) -> FloatArray:
        """Sizes (m, n) of all rate constants that `NetworkParameters.constants` has, layer after
        layer, at points with some values (m,).
        """
        # by the pattern of the network that is scanned: a weight that is varied to 0 has its error
        # all the same
        parts = []
        for number in range(len(self._simulator.net.layers)):
            own = self._parameters.constants(number, values, m)
            # what is the network's own stands in one row
            for part in map(by_sample, (own.weights, own.bias, own.local)):
                parts.append(np.broadcast_to(part, (m, part.shape[1])))
        # signs are in the reactions
        return np.abs(np.concatenate(parts, axis=1))

    def _flat(self, point: tuple[int, ...]) -> _Flat:
        """The flat model of a point's network; those of the last networks are kept."""

        def make() -> _Flat:
            net = self._parameters.network(self._plan.values(dict(enumerate(point))))
            simulator = (
                self._simulator if net is self._simulator.net else Simulator(net, self._plan.engine)
            )
            return _Flat(simulator, self._parameters)

        return self._flats.get(tuple(point[d] for d in sorted(self._networks)), make)


class _Flat:
    """One network's flat model, run with rate constants that a scan changes."""

    def __init__(self, simulator: Simulator, parameters: NetworkParameters) -> None:
        crn, self._kinetics = simulator.reactions, simulator.kinetics
        if parameters.varies(FUEL):
            crn = _split_makers(crn)
        self._engine = simulator.engine
        self._model = self._engine.model(crn)
        known = [name for layer in parameters.kinetics.layers for name in layer.names]
        place = {name: i for i, name in enumerate(known)}
        names = crn.rate_constants
        self._which = np.array([place[name.removesuffix(_MADE)] for name in names], dtype=np.intp)
        self._makes = np.array([name.endswith(_MADE) for name in names])

    def run(
        self,
        inputs: FloatArray,
        start: FloatArray | None,
        times: FloatArray,
        constants: FloatArray,
        fuel: float,
    ) -> FloatArray:
        """Concentrations (n_times, n_species) with inputs' species at (n_in, n_rails) and all rate
        constants (n,) of the scanned network's pattern; NaN in `start` for the network's own.
        """
        # starts are those of this point's network; what else changes its constants leaves them
        begin = fill(start, start_state(self._kinetics, inputs[None])[0])
        sizes = constants[self._which] * np.where(self._makes, fuel, 1.0)
        how = self._engine.tolerances
        return self._model.time_course(times, begin, inputs.ravel(), sizes, tolerances=how)


def _split_makers(crn: ReactionNetwork) -> ReactionNetwork:
    """The same network with rate constants of their own for reactions that make molecules."""
    reactions = tuple(
        dataclasses.replace(r, rate_constant=r.rate_constant + _MADE) if r.gain > 0 else r
        for r in crn.reactions
    )
    # starts are given with every run; formulas would name constants that are split
    species = tuple(dataclasses.replace(s, initial=1.0) for s in crn.species)
    return ReactionNetwork(species, reactions, name=crn.name)


class NetworkSubject(Subject):
    """A plan's network."""

    def __init__(self, plan: Plan) -> None:
        assert isinstance(plan.model, Network)
        self.plan = plan
        self.net = plan.model
        self._simulator = Simulator(self.net, plan.engine)
        self.outputs = self.net.output_names
        self.classes = self.net.classes if self.net.task == "classification" else ()
        self.species = self.names = self._simulator.species
        self._parameters = NetworkParameters(self._simulator.kinetics, plan.axes)
        self._networks = self._parameters.dims(*OF_NETWORKS)
        self._check()
        parts = plan, self._simulator, self._parameters
        self._steady = SteadyStates(*parts)
        self._courses = None if plan.time is None else TimeCourses(*parts)

    def _check(self) -> None:
        """Refuse to ask of networks what no network has."""
        asked = [q.word for q in self.plan.quantities.values() if q.by_network]
        if asked and self.plan.time is not None:
            raise InputError(
                f"{asked[0]!r} is of steady states; leave at= out, or scan it by itself"
            )
        changed = self._parameters.dims(*OF_RATE_CONSTANTS)
        if asked and changed:
            raise InputError(
                f"{asked[0]!r} is of networks, and along {self.plan.dims[min(changed)]!r} rate"
                " constants change so that no network has them; leave one of the two out"
            )

    def describe(self, name: str) -> dict[str, Any]:
        target = self._parameters.targets[name]
        own = not self._parameters.varies(name)
        return describe(name, target.kind, own, self.plan.unit_of(name))

    # Solving --------------------------------------------------------------------------------------

    def states(self, box: Box, all_values: bool) -> States:
        last = self.net.layers[-1]
        if self._courses is not None:
            species, status = self._courses.solve(box)
            read = self._simulator.kinetics.read(species.reshape(-1, species.shape[-1]))
            outputs = read.reshape(*species.shape[:-1], last.n_out)
            return States(box, status, outputs, species, np.full(box.shape, np.nan))
        solution = self._steady.solve(box)
        status = np.broadcast_to(solution.status, box.shape).copy()
        failed = failures(status)

        def over_box(array: FloatArray, *further: int) -> FloatArray:
            whole = np.broadcast_to(array, (*box.shape, *further)).copy()
            whole[failed] = np.nan
            return whole

        outputs = over_box(last.activation.read(solution.layers[-1]), last.n_out)
        species = np.empty(0)
        if all_values:
            layers = [layer.reshape(*layer.shape[:-2], -1) for layer in solution.layers]
            parts = [over_box(layer, layer.shape[-1]) for layer in layers]
            species = np.concatenate(parts, axis=-1)
        return States(box, status, outputs, species, over_box(solution.residual))

    def result(self, states: States, place: tuple[int, ...]) -> SteadyState | TimeCourse:
        outputs, species = states.outputs[place].copy(), states.values[place].copy()
        if self.plan.time is None:
            arrays = outputs[None], species[None], np.array([states.residual[place]])
            status = (states.status[place],)
            return SteadyState(*arrays, status, "units", self.outputs, self.species)
        x = input_values(self.plan, self._parameters, states.box)
        x = np.broadcast_to(x, (*states.box.shape, x.shape[-1]))[place]
        inputs = np.repeat(x[None], len(outputs), axis=0)
        names = self.outputs, self.species, self.net.input_names
        assert self.plan.engine is not None  # a network's plan has one
        engine = self.plan.engine.name
        return TimeCourse(self.plan.time.copy(), outputs, species, inputs, *names, engine=engine)

    def each_network(self, box: Box) -> Iterator[tuple[Place, Network, FloatArray]]:
        """The networks in a box, each with where its points are in arrays over the box, and its
        inputs (..., n_in), of length 1 along dimensions on which neither depends.
        """
        dims = input_dims(self.plan, self._parameters) | self._networks
        x = input_values(self.plan, self._parameters, box)
        x = np.broadcast_to(x, (*box.shape_over(dims), x.shape[-1]))
        indices = box.indices(self._networks)
        for number in range(len(next(iter(indices.values()))) if indices else 1):
            at = {d: int(positions[number]) for d, positions in indices.items()}
            place = tuple(
                slice(at[d] - box.start[d], at[d] - box.start[d] + 1) if d in at else slice(None)
                for d in range(len(box.shape))
            )
            # what the network depends on is among the dimensions of x, so places are those of x
            yield place, self._parameters.network(self.plan.values(at)), x[place]

    def each_model(self, states: States) -> Iterator[tuple[Place, Network, FloatArray]]:
        """The same of a box that is solved."""
        return self.each_network(states.box)
