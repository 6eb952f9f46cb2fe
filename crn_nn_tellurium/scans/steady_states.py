"""Steady states of a network over a box of points, layer by layer; what is shared is solved once.

A layer depends on the dimensions along which its own rate constants change and on those of what it
reads. It is solved once for every combination of these, however many points share it, and kept for
the chunks that follow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crn_nn_tellurium.basics import FloatArray, Recent
from crn_nn_tellurium.kinetics import RateConstants
from crn_nn_tellurium.networks import INPUT
from crn_nn_tellurium.scans.grid import Box
from crn_nn_tellurium.scans.network_parameters import FUEL, NetworkParameters
from crn_nn_tellurium.scans.plan import Plan
from crn_nn_tellurium.simulation import SOLVED, Outcomes, Simulator, outcomes, worse

_KEPT = 16
"""Solutions of layers that are kept for the next chunks."""


@dataclass(frozen=True)
class Solution:
    """Some layers over a box: arrays of its shape, of length 1 along dimensions that they do not
    depend on.

    Attributes
    ----------
    layers : list of (..., n_units, n_species) ndarray
    residual : (...) ndarray
    status : (...) ndarray of Outcome
    """

    layers: list[FloatArray]
    residual: FloatArray
    status: Outcomes


@dataclass(frozen=True)
class _Layer:
    concentrations: FloatArray
    residual: FloatArray
    status: Outcomes


class SteadyStates:
    """Solves a plan's network for boxes of points.

    Parameters
    ----------
    plan : Plan
    simulator : Simulator
    parameters : NetworkParameters
    """

    def __init__(self, plan: Plan, simulator: Simulator, parameters: NetworkParameters) -> None:
        self._plan, self._simulator, self._parameters = plan, simulator, parameters
        net = simulator.net
        start = plan.where(parameters.changes_start)
        depends = {INPUT: input_dims(plan, parameters)}
        self._own: list[set[int]] = []
        self._all: list[set[int]] = []
        for number, layer in enumerate(net.layers):
            own = plan.where(lambda axis, n=number: parameters.changes_layer(axis, n))  # type: ignore[misc]
            depends[layer.name] = start.union(own, *(depends[source] for source in layer.inputs))
            self._own.append(own)
            self._all.append(depends[layer.name])
        self._start = start
        self._found: Recent[tuple[int, tuple[tuple[int, int], ...]], _Layer] = Recent(_KEPT)

    def solve(self, box: Box) -> Solution:
        """The layers over a box."""
        net = self._simulator.net
        found = {
            INPUT: net.input_coding.concentrations(input_values(self._plan, self._parameters, box))
        }
        residual = np.zeros(())
        status = outcomes(SOLVED, ())
        layers = []
        for number, layer in enumerate(net.layers):
            solution = self._layer(number, box, found)
            found[layer.name] = solution.concentrations
            layers.append(solution.concentrations)
            residual = np.maximum(residual, solution.residual)
            status = worse(status, solution.status)
        return Solution(layers, residual, status)

    def _layer(self, number: int, box: Box, found: dict[str, FloatArray]) -> _Layer:
        ranges = tuple((box.start[d], box.stop[d]) for d in sorted(self._all[number]))
        return self._found.get((number, ranges), lambda: self._solve_layer(number, box, found))

    def _solve_layer(self, number: int, box: Box, found: dict[str, FloatArray]) -> _Layer:
        solver, dims = self._simulator.layer_solvers[number], self._all[number]
        layer, shape = solver.chemistry.layer, box.shape_over(dims)
        read = {}
        for source in layer.inputs:
            array = found[source]
            tail = array.shape[len(shape) :]
            read[source] = np.broadcast_to(array, shape + tail).reshape(-1, *tail)
        catalysts = solver.chemistry.gather(read)
        start = self._starts(number, box)
        solution = solver.settle(catalysts, start, self._constants(number, box, catalysts))
        units = solution.concentrations.shape[1:]
        return _Layer(
            solution.concentrations.reshape(shape + units),
            solution.residual.reshape(shape),
            solution.status.reshape(shape),
        )

    def _constants(self, number: int, box: Box, catalysts: FloatArray) -> RateConstants | None:
        """Rate constants of a layer by sample, None where they are the network's own."""
        own, dims = self._own[number], self._all[number]
        if not own:
            return None
        indices = box.indices(own)
        values = self._plan.values(indices)
        m = len(next(iter(indices.values())))
        which = box.spread(own, dims)
        constants = self._parameters.constants(number, values, m).take(which)
        if self._parameters.fuel:
            constants = self._parameters.with_fuel(
                number, constants, catalysts, values[FUEL][which]
            )
        return constants

    def _starts(self, number: int, box: Box) -> FloatArray | None:
        if not self._start:
            return None
        dims = self._all[number]
        indices = box.indices(self._start)
        start = self._parameters.start(
            self._plan.values(indices), len(next(iter(indices.values())))
        )
        if start is None:
            return None
        return self._simulator.of_layer(start[box.spread(self._start, dims)], number)


def input_dims(plan: Plan, parameters: NetworkParameters) -> set[int]:
    """The dimensions along which inputs change."""
    found = plan.where(parameters.changes_input)
    return found if plan.sample is None else found | {plan.sample}


def input_values(plan: Plan, parameters: NetworkParameters, box: Box) -> FloatArray:
    """Input values over a box (..., n_in)."""
    dims = input_dims(plan, parameters)
    indices = box.indices(dims)
    shape = box.shape_over(dims)
    m = int(np.prod(shape))
    assert plan.x is not None  # a network's plan has them
    samples = (
        plan.x[indices[plan.sample]]
        if plan.sample is not None
        else np.repeat(plan.x[None], m, axis=0)
    )
    return parameters.inputs(samples, plan.values(indices)).reshape(*shape, -1)
