"""The fixed point of one layer for a batch, found by roadrunner through compiled units.

A layer depends on what it reads alone, so its samples can be solved for without the rest of the
network, each with rate constants of its own if need be.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import FloatArray, by_sample
from crn_nn_tellurium.chemistry import Balance
from crn_nn_tellurium.encoding import LayerEncoding
from crn_nn_tellurium.kinetics import RateConstants, drive, weighted_sums_of
from crn_nn_tellurium.simulation.conditions import fill
from crn_nn_tellurium.simulation.engine import compiled
from crn_nn_tellurium.simulation.outcome import SOLVED, Outcomes, outcomes, worse
from crn_nn_tellurium.simulation.settle import Block, solve
from crn_nn_tellurium.simulation.units import UnitPlan, stages


@dataclass(frozen=True)
class LayerSolution:
    """Species (n, n_units, n_species), largest imbalance (n,) and outcome by sample."""

    concentrations: FloatArray
    residual: FloatArray
    status: Outcomes


class LayerSolver:
    """Solves one layer."""

    def __init__(self, encoding: LayerEncoding) -> None:
        self.encoding = encoding

    @cached_property
    def plans(self) -> list[UnitPlan]:
        """How each stage of the layer is laid out on compiled units."""
        return [UnitPlan(self.encoding, stage) for stage in stages(self.encoding.activation)]

    @cached_property
    def own(self) -> RateConstants:
        """The network's rate constants."""
        return RateConstants.of(self.encoding).shared

    @cached_property
    def _own_values(self) -> list[list[FloatArray]]:
        return [[plan.values(group, self.own) for group in plan.groups] for plan in self.plans]

    def compile(self) -> None:
        """Compile the units, so that the first answer does not wait for it."""
        for plan in self.plans:
            compiled(plan.text)

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
        shape = (len(catalysts), self.encoding.layer.n_out, len(self.encoding.activation.species))
        layer, residual = np.empty(shape), np.zeros(len(catalysts))
        status = outcomes(SOLVED, len(catalysts))
        drives = drive(self.encoding, k, catalysts)
        for plan, own_values in zip(self.plans, self._own_values, strict=True):
            values = own_values
            if constants is not None:
                values = [plan.values(group, k) for group in plan.groups]
            outcome, imbalance = _solve_stage(plan, k, values, catalysts, drives, layer, start)
            residual = np.maximum(residual, imbalance)
            status = worse(status, outcome)
        return LayerSolution(layer, residual, status)

    def error(
        self, catalysts: FloatArray, catalyst_error: FloatArray, layer: FloatArray
    ) -> FloatArray:
        """How far species (n, n_units, n_species) may be from their fixed point, to first order.

        By their rates, by rounding, and since what the layer reads (n, n_catalysts) is off by at
        most `catalyst_error`.
        """
        k, encoding = self.own, self.encoding
        net, size = drive(encoding, k, catalysts)
        drive_error = weighted_sums_of(encoding, np.abs(k.weights), catalyst_error)
        found = np.zeros_like(layer)
        with np.errstate(invalid="ignore", divide="ignore"):
            for plan in self.plans:
                balance = plan.balance(net, size, layer, layer[:, :, plan.own], k)
                found[:, :, plan.own] = plan.error(balance, drive_error, layer, found, k)
        return found


def _solve_stage(
    plan: UnitPlan,
    constants: RateConstants,
    values: list[FloatArray],
    catalysts: FloatArray,
    drives: tuple[FloatArray, FloatArray],
    layer: FloatArray,
    start: FloatArray | None,
) -> tuple[Outcomes, FloatArray]:
    """Fill in one stage's species (n, n_units, n_species); status and imbalance by sample."""
    model = compiled(plan.text)
    index = model.parameter_index(plan.constants)
    shape = (-1, layer.shape[1], len(plan.own))
    net, size = drives
    blocks = [
        Block(model, columns, plan.boundary(group, catalysts, layer), index, part)
        for group, columns, part in zip(plan.groups, plan.columns, values, strict=True)
    ]

    def balance_of(states: FloatArray, samples: npt.NDArray[np.intp]) -> Balance:
        sides = net[samples], size[samples], layer[samples]
        found = plan.balance(*sides, states.reshape(shape), constants.take(samples))
        # the solver knows one flat row of species per sample
        parts = (part.reshape(states.shape) for part in (found.net, found.gross, found.slope))
        return Balance(*parts)

    begin = fill(None if start is None else start[:, :, plan.own], plan.upper_bound(net, constants))
    with model.lock:
        x, status = solve(blocks, by_sample(begin), balance_of)
    layer[:, :, plan.own] = x.reshape(shape)
    with np.errstate(invalid="ignore"):
        imbalance = plan.balance(net, size, layer, x.reshape(shape), constants).imbalance
    return status, np.nan_to_num(imbalance.max(axis=(1, 2), initial=0.0), nan=1.0)
