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
from crn_nn_tellurium.kinetics import Drive, LayerKinetics, RateConstants
from crn_nn_tellurium.networks import BUILT_IN
from crn_nn_tellurium.simulation.accuracy import cancellation, places_of
from crn_nn_tellurium.simulation.outcome import (
    SOLVED,
    Outcome,
    Outcomes,
    all_solved,
    failures,
    outcomes,
)
from crn_nn_tellurium.simulation.stability import SEEN
from crn_nn_tellurium.simulation.units import FEW, LumpedUnit, RailsApart, solvers


@dataclass(frozen=True)
class LayerSolution:
    """Species (n, n_units, n_species); by sample (n,) the largest imbalance, how far the parts of a
    drive cancel (the largest size of a rail's drive beside r, see `accuracy`) and the outcome.
    """

    concentrations: FloatArray
    residual: FloatArray
    cancelling: FloatArray
    status: Outcomes


class LayerSolver:
    """Solves one layer."""

    def __init__(self, kinetics: LayerKinetics) -> None:
        self._kinetics, self.encoding = kinetics, kinetics.encoding

    @cached_property
    def units(self) -> list[LumpedUnit | RailsApart]:
        """How each stage of the layer is solved."""
        return solvers(self.encoding.activation)

    @cached_property
    def _shape(self) -> tuple[int, int]:
        """Numbers of units and of the species of each."""
        return self.encoding.layer.n_out, len(self.encoding.activation.species)

    @cached_property
    def _places(self) -> tuple[int, int, int]:
        """The number of rails, and where h and q stand among the rows of drives."""
        return places_of(self._kinetics)

    def compile(self) -> None:
        """Compile the units, so that the first answer does not wait for it."""
        for unit in self.units:
            unit.compile(self._shape[0])

    def settle(
        self,
        catalysts: FloatArray,
        start: FloatArray | None = None,
        constants: RateConstants | None = None,
    ) -> LayerSolution:
        """The layer's steady states, given what it reads (n, n_catalysts).

        The solver starts at (n, n_units, n_species), where that is NaN at its own choice.
        """
        n, n_units, n_species = len(catalysts), *self._shape
        usual = start is None and constants is None and not self._several
        if usual and 0 < n * n_units <= FEW:
            few = self._settle_few(catalysts)
            if few is not None:
                return few
        drive = self._kinetics.drive if constants is None else Drive(self.encoding, constants)
        # of what overflows nothing is accepted
        with np.errstate(over="ignore", invalid="ignore"):
            known = drive.at(catalysts).reshape(drive.rows, n * n_units)
            layer = np.empty((n, n_units, n_species))
            residual, status = np.zeros(n), outcomes(SOLVED, n)
            for unit in self.units:
                begin = None if start is None else _by_unit(start[..., unit.own])
                found = unit.solve(known, _by_unit(unit.boundary(layer)), begin)
                layer[..., unit.own] = found.x.reshape(n, n_units, found.x.shape[1])
                imbalance = found.imbalance.reshape(n, n_units).max(axis=1, initial=0.0)
                residual = np.maximum(residual, imbalance)
                if not all_solved(found.status):
                    # so that nothing that reads what failed is solved for
                    lost = failures(found.status).reshape(n, n_units)
                    layer[lost] = np.nan
                    self._add(status, found.status)
            cancelling = cancellation(self._places, layer, known)
        if self._several:
            self._refuse_unstable(catalysts, layer, constants, status)
        return LayerSolution(layer, residual, cancelling, status)

    def _settle_few(self, catalysts: FloatArray) -> LayerSolution | None:
        """As `settle`, in a fraction of its time; None where there is more to do.

        In Python's numbers: of a handful, each step of numpy costs more than all that it does.
        """
        n, n_units, n_species = len(catalysts), *self._shape
        k, h, q = self._places
        with np.errstate(over="ignore", invalid="ignore"):
            known = self._kinetics.drive.at(catalysts).reshape(-1, n * n_units)
        rows: list[list[float]] = known.T.tolist()
        layer, worst = np.empty((n, n_units, n_species)), [0.0] * len(rows)
        parts: list[float] = []
        for unit in self.units:
            held = rows
            if unit.reads:
                read = _by_unit(unit.boundary(layer)).tolist()
                held = [row + more for row, more in zip(rows, read, strict=True)]
            found = unit.solve_few(held)
            if found is None:
                return None
            layer[..., unit.own] = np.array(found[0]).reshape(n, n_units, -1)
            worst = list(map(max, worst, found[1]))
            # as `cancellation`; all rails are of the first stage, where they stand first
            parts = parts or [
                max([row[k + i] / (row[h] / y + row[q] * y) for i, y in enumerate(state[:k])])
                for row, state in zip(rows, found[0], strict=True)
            ]
        firsts = range(0, len(rows), n_units)
        residual = np.array([max(worst[first : first + n_units]) for first in firsts])
        cancelling = np.array([max(parts[first : first + n_units]) for first in firsts])
        return LayerSolution(layer, residual, cancelling, outcomes(SOLVED, n))

    @cached_property
    def _several(self) -> bool:
        """Whether there may be more than one steady state: of our own activations there is one."""
        own = type(self.encoding.activation) in BUILT_IN.values()
        return not own and not (self._kinetics.local.settles_in_turn and not self._kinetics.knot)

    def _refuse_unstable(
        self,
        catalysts: FloatArray,
        layer: FloatArray,
        constants: RateConstants | None,
        status: Outcomes,
    ) -> None:
        """States that small changes lead away from have failed."""
        found = np.flatnonzero(~failures(status))
        used = self._kinetics.constants.shared if constants is None else constants.take(found)
        state = self._kinetics.at(catalysts[found], layer[found], used)
        growing = self._kinetics.linearize(state, used.local.T[..., None]).grows(SEEN)
        for number in found[growing].tolist():
            layer[number] = np.nan
            status[number] = Outcome.failure(
                f"layer {self.encoding.layer.name!r}: small changes lead away from the steady state"
                " that was found; expected another start, or method='flat' of"
                " Simulator.steady_state, which goes to where a time course ends"
            )

    def _add(self, status: Outcomes, of_units: Outcomes) -> None:
        """Put what became of units (n * n_units,) to what became of samples (n,)."""
        for number in np.flatnonzero(of_units != SOLVED).tolist():
            outcome = of_units[number]
            if outcome.failed:
                outcome = Outcome.failure(f"layer {self.encoding.layer.name!r}: {outcome.reason}")
            sample = number // self._shape[0]
            status[sample] = status[sample].worse(outcome)


def _by_unit(values: FloatArray) -> FloatArray:
    """(n_samples, n_units, m) -> (n_samples * n_units, m)."""
    return values.reshape(math.prod(values.shape[:2]), values.shape[2])
