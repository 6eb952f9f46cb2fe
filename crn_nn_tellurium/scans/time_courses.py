"""Time courses of a network over a box of points, by the flat model, with concentrations kept at
given times.

Species start where the Simulator of the point's network (its weights, biases and h) has them,
an upper bound of each fixed point, unless the scan says otherwise. Other rate constants, errors and
factors do not change what was put into the tube.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import FloatArray, Recent, by_sample
from crn_nn_tellurium.chemistry import ReactionNetwork
from crn_nn_tellurium.encoding import LayerEncoding
from crn_nn_tellurium.errors import ConvergenceError
from crn_nn_tellurium.kinetics import RateConstants, layer_factors
from crn_nn_tellurium.networks import (
    bias_constant,
    places,
    shared_id,
    weight_constant,
)
from crn_nn_tellurium.scans.axes import CV, DRAW
from crn_nn_tellurium.scans.grid import Box
from crn_nn_tellurium.scans.network_parameters import FUEL, SPEED, NetworkParameters
from crn_nn_tellurium.scans.plan import Plan
from crn_nn_tellurium.scans.steady_states import input_values
from crn_nn_tellurium.simulation import INTEGRATED, FlatModel, Outcome, Outcomes, Simulator, fill

_KEPT = 64
"""Networks whose flat models are kept."""
_MADE = "_made"
"""Suffix of rate constants of reactions that make more molecules than they take, where 'fuel' is
varied.
"""


@dataclass(frozen=True)
class Courses:
    """Concentrations (..., n_times, n_species) over a box, and the outcome (...)."""

    concentrations: FloatArray
    status: Outcomes


class TimeCourses:
    """Integrates a plan's network for boxes of points.

    Parameters
    ----------
    plan : Plan
    simulator : Simulator
    parameters : NetworkParameters
    """

    def __init__(self, plan: Plan, simulator: Simulator, parameters: NetworkParameters) -> None:
        assert plan.time is not None  # who asks for time courses gives times
        self._plan, self._simulator, self._parameters = plan, simulator, parameters
        self._times = np.concatenate([[0.0], plan.time]) if plan.time[0] > 0 else plan.time
        self._skip = len(self._times) - len(plan.time)
        self._networks = plan.where(parameters.changes_network)
        self._flats: Recent[tuple[int, ...], _Flat] = Recent(_KEPT)

    def solve(self, box: Box) -> Courses:
        """The time courses over a box."""
        plan, parameters = self._plan, self._parameters
        x = np.broadcast_to(
            input_values(plan, parameters, box), (*box.shape, self._simulator.net.n_in)
        )
        boundary = by_sample(parameters.net.input_coding.concentrations(x.reshape(-1, x.shape[-1])))
        everything = box.indices(range(len(box.shape)))
        shape = (len(boundary), len(self._times), len(self._simulator.species))
        found = np.full(shape, np.nan)
        status = np.empty(len(boundary), dtype=object)
        starts = parameters.start(plan.values(everything), len(boundary))
        for point in range(len(boundary)):
            index = {d: int(positions[point]) for d, positions in everything.items()}
            values = plan.values(index)
            start = None if starts is None else starts[point]
            try:
                flat = self._flat(index, values)
                found[point] = flat.run(boundary[point], start, self._times, values)
                status[point] = INTEGRATED
            except ConvergenceError as error:
                status[point] = Outcome.failure(str(error))
        kept = found[:, self._skip :]
        return Courses(kept.reshape(*box.shape, *kept.shape[1:]), status.reshape(box.shape))

    def _flat(self, index: dict[int, int], values: dict[str, Any]) -> _Flat:
        """The flat model of a point's network; those of the last networks are kept."""

        def make() -> _Flat:
            net = self._parameters.network(values)
            return _Flat(
                self._simulator if net is self._simulator.net else Simulator(net), self._parameters
            )

        return self._flats.get(tuple(index[d] for d in sorted(self._networks)), make)


class _Flat:
    """One network's flat model, run with factors on its rate constants."""

    def __init__(self, simulator: Simulator, parameters: NetworkParameters) -> None:
        self._parameters, self._kinetics = parameters, simulator.kinetics
        simulator.check_size()
        self._crn = simulator.reactions
        self._model = FlatModel(_split_makers(self._crn)) if parameters.fuel else simulator.flat

    def run(
        self,
        boundary: FloatArray,
        start: FloatArray | None,
        times: FloatArray,
        values: dict[str, Any],
    ) -> FloatArray:
        """Concentrations (n_times, n_species) at a point's values; NaN in `start` for the
        network's own.
        """
        begin = fill(start, self._crn.initial_state(boundary))
        constants = self._model.crn.constants * self._factors(values)
        return self._model.time_course(times, begin, boundary, constants)

    def _factors(self, values: dict[str, Any]) -> FloatArray:
        """The factor (n_constants,) of each rate constant at a point."""
        parameters = self._parameters
        found: dict[str, float] = {}
        for number, layer in enumerate(self._kinetics.layers):
            for place, local in enumerate(layer.activation.rate_constants):
                name = shared_id(number + 1, local)
                if name in values and parameters.targets[name].kind == "constant":
                    found[name] = float(values[name]) / float(layer.constants.local[place])
            if parameters.varies(DRAW, "error"):
                # by the pattern that they are drawn for: a weight that is varied to 0 has its
                # error all the same
                nominal = parameters.kinetics.layers[number]
                errors = layer_factors(
                    nominal, float(values[CV]), int(values[DRAW]), parameters.seed
                )
                for name, error in _by_name(nominal.chemistry, errors).items():
                    found[name] = found.get(name, 1.0) * error
        common = float(values[SPEED]) if parameters.varies(SPEED, "factor") else 1.0
        fuel = float(values[FUEL]) if parameters.fuel else 1.0
        return np.array(
            [
                common
                * found.get(name.removesuffix(_MADE), 1.0)
                * (fuel if name.endswith(_MADE) else 1.0)
                for name in self._model.crn.rate_constants
            ]
        )


def _by_name(chemistry: LayerEncoding, factors: RateConstants) -> dict[str, float]:
    """Factors of a layer's rate constants by identifier."""
    index, activation = chemistry.index, chemistry.activation
    rows, columns = places(chemistry.weights)
    found = {
        weight_constant(index, int(j), chemistry.catalysts[int(c)].label): float(value)
        for j, c, value in zip(rows, columns, factors.weights, strict=True)
    }
    for j in range(chemistry.layer.n_out):
        for rail, kind in enumerate(activation.rails):
            k = bias_constant(index, j, kind.name if kind.shift else "")
            found[k] = float(factors.bias[j, rail])
    return found | {
        shared_id(index, name): float(value)
        for name, value in zip(activation.rate_constants, factors.local, strict=True)
    }


def _split_makers(crn: ReactionNetwork) -> ReactionNetwork:
    """The same network with rate constants of their own for reactions that make more molecules than
    they take.
    """
    reactions = tuple(
        (
            dataclasses.replace(reaction, rate_constant=reaction.rate_constant + _MADE)
            if reaction.gain > 0
            else reaction
        )
        for reaction in crn.reactions
    )
    # starts are given with every run; formulas would name constants that are split
    species = tuple(dataclasses.replace(s, initial=1.0) for s in crn.species)
    return ReactionNetwork(species, reactions, name=crn.name)
