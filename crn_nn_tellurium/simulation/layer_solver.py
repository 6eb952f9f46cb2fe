"""The fixed point of one layer for a batch, found by roadrunner through compiled units.

A layer depends on what it reads alone, so its samples can be solved for without the rest of the
network, each with rate constants of its own if need be. The units of all samples are solved side
by side, whichever sample they are of; so the last digits of an answer may differ with the batch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.kinetics import (
    LayerKinetics,
    LayerState,
    RateConstants,
    drive,
    weighted_sums_of,
)
from crn_nn_tellurium.simulation.conditions import fill
from crn_nn_tellurium.simulation.outcome import SOLVED, Outcome, Outcomes, outcomes
from crn_nn_tellurium.simulation.units import LumpedUnit, stages


@dataclass(frozen=True)
class LayerSolution:
    """Species (n, n_units, n_species), largest imbalance (n,) and outcome by sample."""

    concentrations: FloatArray
    residual: FloatArray
    status: Outcomes


class LayerSolver:
    """Solves one layer."""

    def __init__(self, kinetics: LayerKinetics) -> None:
        self._kinetics, self.encoding = kinetics, kinetics.encoding

    @cached_property
    def units(self) -> list[LumpedUnit]:
        """How each stage of the layer is solved."""
        activation = self.encoding.activation
        return [LumpedUnit(activation, stage) for stage in stages(activation)]

    @cached_property
    def own(self) -> RateConstants:
        """The network's rate constants."""
        return RateConstants.of(self.encoding).shared

    def compile(self) -> None:
        """Compile the units, so that the first answer does not wait for it."""
        for unit in self.units:
            unit.compile()

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
        n, n_units = len(catalysts), self.encoding.layer.n_out
        layer = np.empty((n, n_units, len(self.encoding.activation.species)))
        residual, status = np.zeros(n), outcomes(SOLVED, n)
        net, size = (_by_unit(part) for part in drive(self.encoding, k, catalysts))
        local = k.local if len(k.local) == 1 else np.repeat(k.local, n_units, axis=0)
        for unit in self.units:
            begin = unit.upper_bound(net, local)
            if start is not None:
                begin = fill(_by_unit(start[..., unit.own]), begin)
            found = unit.solve(net, size, local, _by_unit(unit.boundary(layer)), begin)
            layer[..., unit.own] = found.x.reshape(n, n_units, len(unit.own))
            imbalance = found.imbalance.reshape(n, n_units)
            residual = np.maximum(residual, imbalance.max(axis=1, initial=0.0))
            for number in np.flatnonzero(found.status != SOLVED).tolist():
                sample, outcome = number // n_units, found.status[number]
                if outcome.failed:
                    outcome = Outcome.failure(
                        f"layer {self.encoding.layer.name!r}: {outcome.reason}"
                    )
                    # so that nothing that reads it is solved for
                    layer[sample, number % n_units, unit.own] = np.nan
                status[sample] = status[sample].worse(outcome)
        return LayerSolution(layer, residual, status)

    def error(self, state: LayerState, catalyst_error: FloatArray) -> FloatArray:
        """How far species (n, n_units, n_species) may be from their fixed point, to first order.

        By their rates, by rounding, and since what the layer reads (n, n_catalysts) is off by at
        most `catalyst_error`.
        """
        _, size = drive(self.encoding, self.own, state.catalysts)
        drive_error = weighted_sums_of(self.encoding, np.abs(self.own.weights), catalyst_error)
        with np.errstate(invalid="ignore", divide="ignore"):
            return self._kinetics.error(state, size, drive_error)


def _by_unit(values: FloatArray) -> FloatArray:
    """(n_samples, n_units, m) -> (n_samples * n_units, m)."""
    return values.reshape(math.prod(values.shape[:2]), values.shape[2])
