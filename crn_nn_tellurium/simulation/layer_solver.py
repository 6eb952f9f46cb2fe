"""The fixed point of one layer for a batch, found by roadrunner through compiled units.

A layer depends on what it reads alone, so its samples can be solved for without the rest of the
network, each with rate constants of its own if need be. The units of all samples are solved side
by side, whichever sample they are of; so the last digits of an answer may differ with the batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.chemistry import Balance
from crn_nn_tellurium.kinetics import LayerKinetics, RateConstants, drive, weighted_sums_of
from crn_nn_tellurium.simulation.conditions import fill
from crn_nn_tellurium.simulation.engine import compiled
from crn_nn_tellurium.simulation.outcome import SOLVED, Outcomes, outcomes, worse
from crn_nn_tellurium.simulation.settle import Block, Settled, solve
from crn_nn_tellurium.simulation.units import COPIES, LumpedUnit, stages


@dataclass(frozen=True)
class LayerSolution:
    """Species (n, n_units, n_species), largest imbalance (n,) and outcome by sample."""

    concentrations: FloatArray
    residual: FloatArray
    status: Outcomes


class LayerSolver:
    """Solves one layer."""

    def __init__(self, kinetics: LayerKinetics) -> None:
        self._kinetics, self.chemistry = kinetics, kinetics.chemistry

    @cached_property
    def units(self) -> list[LumpedUnit]:
        """How each stage of the layer is solved."""
        activation = self.chemistry.activation
        return [LumpedUnit(activation, stage) for stage in stages(activation)]

    @cached_property
    def own(self) -> RateConstants:
        """The network's rate constants."""
        return RateConstants.of(self.chemistry).shared

    def compile(self) -> None:
        """Compile the units, so that the first answer does not wait for it."""
        for unit in self.units:
            compiled(unit.text)

    def settle(
        self,
        catalysts: FloatArray,
        start: FloatArray | None = None,
        constants: RateConstants | None = None,
    ) -> LayerSolution:
        """The layer's steady states, given what it reads (n, n_catalysts).

        The solver starts at (n, n_units, n_species), where that is NaN at its own choice.
        """
        k = self.own if constants is None else constants
        n, n_units = len(catalysts), self.chemistry.layer.n_out
        layer = np.empty((n, n_units, len(self.chemistry.activation.species)))
        residual, status = np.zeros(n), outcomes(SOLVED, n)
        by_unit = (n * n_units, -1)
        net, size = (part.reshape(by_unit) for part in drive(self.chemistry, k, catalysts))
        local = k.local if len(k.local) == 1 else np.repeat(k.local, n_units, axis=0)
        for unit in self.units:
            values = unit.values(net, local), unit.values(size, local)
            begin = unit.upper_bound(net, local)
            if start is not None:
                begin = fill(start[..., unit.own].reshape(by_unit), begin)
            found = _solve(unit, values, unit.boundary(layer), begin)
            layer[..., unit.own] = found.x.reshape(n, n_units, -1)
            residual = np.maximum(residual, found.imbalance.reshape(n, n_units).max(axis=1, initial=0.0))
            for outcome in found.status.reshape(n, n_units).T:
                status = worse(status, outcome)
        return LayerSolution(layer, residual, status)

    def error(
        self, catalysts: FloatArray, catalyst_error: FloatArray, layer: FloatArray
    ) -> FloatArray:
        """How far species (n, n_units, n_species) may be from their fixed point, to first order.

        By their rates, by rounding, and since what the layer reads (n, n_catalysts) is off by at
        most `catalyst_error`.
        """
        weights = np.abs(self.own.weights)
        _, size = drive(self.chemistry, self.own, catalysts)
        drive_error = weighted_sums_of(self.chemistry, weights, catalyst_error)
        with np.errstate(invalid="ignore", divide="ignore"):
            return self._kinetics.error(self._kinetics.at(catalysts, layer), size, drive_error)


def _solve(
    unit: LumpedUnit,
    values: tuple[FloatArray, FloatArray],
    boundary: FloatArray,
    start: FloatArray,
) -> Settled:
    """One stage of all units, given its rate constants' values and sizes and what it reads."""
    model = compiled(unit.text)
    index = model.parameter_index(unit.constants)
    block = Block(model, np.arange(len(unit.own)), boundary, index, values[0], COPIES)

    def balance_of(states: FloatArray, units: npt.NDArray[np.intp]) -> Balance:
        every, sizes = (part[units] for part in values)
        return unit.balance(states, boundary[units], every, sizes)

    with model.lock:
        return solve(block, start, balance_of)
