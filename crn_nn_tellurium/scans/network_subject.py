"""A network as what a scan solves: steady states layer by layer, time courses of the flat model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.networks import Network
from crn_nn_tellurium.scans.axes import CV
from crn_nn_tellurium.scans.grid import Box
from crn_nn_tellurium.scans.network_parameters import INITIAL, SPEED, NetworkParameters
from crn_nn_tellurium.scans.plan import Plan
from crn_nn_tellurium.scans.steady_states import SteadyStates, input_dims, input_values
from crn_nn_tellurium.scans.subject import States, Subject
from crn_nn_tellurium.scans.time_courses import TimeCourses
from crn_nn_tellurium.simulation import Simulator, SteadyState, TimeCourse, failures


class NetworkSubject(Subject):
    """A plan's network.

    Parameters
    ----------
    plan : Plan
        Of a `Network`.

    Raises
    ------
    InputError
        If what is varied is not in the network, or no network has it and one is needed.
    """

    def __init__(self, plan: Plan) -> None:
        assert isinstance(plan.model, Network)
        self.plan = plan
        self.net = plan.model
        self._simulator = Simulator(self.net)
        self.outputs = self.net.output_names
        self.species = self.names = self._simulator.species
        self._parameters = NetworkParameters(self._simulator.kinetics, plan.axes)
        self._networks = plan.where(self._parameters.changes_network)
        self._check()
        self._steady = SteadyStates(plan, self._simulator, self._parameters)
        self._courses = (
            None if plan.time is None else TimeCourses(plan, self._simulator, self._parameters)
        )

    def _check(self) -> None:
        """Refuse to ask of networks what no network has."""
        asked = [q.word for q in self.plan.quantities.values() if q.by_network]
        if asked and self.plan.time is not None:
            raise InputError(
                f"{asked[0]!r} is of steady states; leave at= out, or scan it by itself"
            )
        for axis in self.plan.axes if asked else ():
            if self._parameters.changes_rate_constants(axis):
                raise InputError(
                    f"{asked[0]!r} is of networks, and along {axis.dim!r} rate constants change so"
                    " that no network has them; leave one of the two out"
                )

    def describe(self, name: str) -> dict[str, Any]:
        kind = self._parameters.targets[name].kind
        factor = "the rate constants" if name == SPEED else "reactions that make molecules"
        error = (
            "error of rate constants (coefficient of variation)" if name == CV else "draw of errors"
        )
        words = {
            "h": f"smoothing {name}",
            "factor": f"factor on {factor}",
            "error": error,
            "start": "start of all species" if name == INITIAL else f"start of {name}",
        }
        units = "1" if kind in ("factor", "error") else "model units"
        return {"long_name": words.get(kind, f"{kind} {name}"), "units": units}

    # Solving --------------------------------------------------------------------------------------

    def states(self, box: Box, all_values: bool) -> States:
        last = self.net.layers[-1]
        if self._courses is not None:
            courses = self._courses.solve(box)
            species = courses.concentrations
            flat = species.reshape(-1, species.shape[-1])
            read = last.activation.read(self._simulator.of_layer(flat, len(self.net.layers) - 1))
            outputs = read.reshape(*species.shape[:-1], last.n_out)
            return States(box, courses.status, outputs, species, np.full(box.shape, np.nan))
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
        return TimeCourse(self.plan.time.copy(), outputs, species, inputs, *names)

    def each_network(self, box: Box) -> Iterator[tuple[tuple[slice, ...], Network, FloatArray]]:
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
