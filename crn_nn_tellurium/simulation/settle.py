"""Steady states of compiled models: Newton's method, checked, with integration to fall back on.

A state is accepted only if every concentration is positive and, by an independent evaluation of
the reaction rates, at its fixed point given the others, to within 1e-12 relative or what double
precision allows. (Where nleq2, whose Jacobian is by differences, cannot do that for a species many
orders smaller than the rest, 5e-10 is enough.) A root that is not positive is the other root of h +
z y - y^2, which roadrunner's solver finds silently from below; such a sample is integrated (the
time course always goes to the positive root) and solved again from there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.chemistry import Balance
from crn_nn_tellurium.errors import ConvergenceError
from crn_nn_tellurium.simulation.engine import CompiledModel

SOLVED, AFTER_INTEGRATION, INTEGRATED = "solved", "solved after integration", "integrated"
TOLERANCE = 1e-12
"""Distance to the fixed point, relative to the concentration, that is worked for."""
ACCEPTED = 5e-10
"""The same, with which a state is taken when more work brings no more."""
ABSENT = 1e-30
"""The same, relative to the largest concentration of the sample: what is so far below it is beyond
nleq2.
"""

_DURATIONS = 10.0 ** np.arange(0, 19)
"""Times to integrate over; a species that decays at rate 1e-13, as with inputs of -1e6, needs the
last.
"""


BalanceOf = Callable[[FloatArray, npt.NDArray[np.intp]], Balance]
"""(states (m, n_species), their sample numbers (m,)) -> Balance of that shape"""


@dataclass(frozen=True)
class Block:
    """Species that one compiled model solves for together, given values of its parameters.

    `columns` are their places in the states; `boundary` (n, n_boundary) is held per sample, as are
    the `values` of the parameters (n, n_parameters), or (1, n_parameters) for all samples.
    """

    model: CompiledModel
    columns: npt.NDArray[np.intp]
    boundary: FloatArray
    parameters: npt.NDArray[np.int32]
    values: FloatArray

    def solve(self, x: FloatArray, samples: npt.NDArray[np.intp]) -> None:
        """Newton's method from the states x (n, n_species) of some samples, which it replaces."""
        if not len(samples):
            return
        place = (samples[:, None], self.columns)
        values = self.values if len(self.values) == 1 else self.values[samples]
        x[place], _ = self.model.solve_each(
            self.boundary[samples], x[place], self.parameters, values
        )

    def integrate(self, state: FloatArray, sample: int, duration: float) -> None:
        """Advance one sample's state (n_species,) in time."""
        self.model.set_parameters(
            self.parameters, self.values[sample if len(self.values) > 1 else 0]
        )
        start = np.maximum(state[self.columns], 0.0)
        times = np.array([0.0, duration])
        state[self.columns] = np.maximum(
            self.model.time_course(self.boundary[sample], start, times)[-1], 0.0
        )

    def missing(self, good: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
        """The samples of which some concentration of this block is not good."""
        return np.flatnonzero(~good[:, self.columns].all(axis=1))


def steady(
    balance: Balance, x: FloatArray, tolerance: float, absent: float = 0.0
) -> npt.NDArray[np.bool_]:
    """Which concentrations (..., n_species) are positive and at their fixed point.

    `tolerance` is relative to each concentration, `absent` to the largest of its state.
    """
    with np.errstate(invalid="ignore"):
        floor = absent * x.max(axis=-1, keepdims=True, initial=0.0)
        return (
            (x > 0)
            & np.isfinite(x)
            & (balance.distance <= tolerance * x + floor + balance.rounding)
        )


def _steady(
    balance_of: BalanceOf, x: FloatArray, samples: npt.NDArray[np.intp], tolerance: float
) -> npt.NDArray[np.bool_]:
    return steady(balance_of(x, samples), x, tolerance, ABSENT)


def solve(
    blocks: Sequence[Block], start: FloatArray, balance_of: BalanceOf
) -> tuple[FloatArray, list[str]]:
    """Steady states (n, n_species) from start values, and the status of each sample."""
    x = start.copy()
    everyone = np.arange(len(x))
    for block in blocks:
        block.solve(x, everyone)
    good = _steady(balance_of, x, everyone, TOLERANCE)
    for _ in range(
        3
    ):  # nleq2 may stop early at small roots; from there each call is one Newton step more
        if good.all():
            return x, [SOLVED] * len(x)
        for block in blocks:
            again = block.missing(good)
            block.solve(x, again[np.all(x[again[:, None], block.columns] > 0, axis=1)])
        good = _steady(balance_of, x, everyone, TOLERANCE)
    good = _steady(balance_of, x, everyone, ACCEPTED)
    status = [SOLVED] * len(x)
    for block in blocks:
        for sample in block.missing(good).tolist():
            x[sample, block.columns] = start[sample, block.columns]
            outcome = _integrate_then_solve(block, x, sample, balance_of)
            if not status[sample].startswith("failed"):
                status[sample] = outcome
    return x, status


def _integrate_then_solve(block: Block, x: FloatArray, sample: int, balance_of: BalanceOf) -> str:
    """The same for one block of one sample that Newton's method alone did not bring home."""
    number = np.array([sample])
    for duration in _DURATIONS.tolist():
        try:
            block.integrate(x[sample], sample, duration)
        except ConvergenceError as error:
            return f"failed: {error}"
        reached = x[sample].copy()
        for tolerance in (TOLERANCE, TOLERANCE, ACCEPTED):
            block.solve(x, number)
            if _steady(balance_of, x[number], number, tolerance)[0, block.columns].all():
                return AFTER_INTEGRATION
            if not np.all(x[sample, block.columns] > 0):
                break
        x[sample] = reached
    return f"failed: no positive steady state by t = {_DURATIONS.sum():.3g}"


def integrate(
    block: Block, start: FloatArray, balance_of: BalanceOf
) -> tuple[FloatArray, list[str]]:
    """Steady states by integration alone, until the rates vanish."""
    x = start.copy()
    status = []
    for sample in range(len(x)):
        outcome = f"failed: rates have not vanished by t = {_DURATIONS.sum():.3g}"
        for duration in _DURATIONS.tolist():
            try:
                block.integrate(x[sample], sample, duration)
            except ConvergenceError as error:
                outcome = f"failed: {error}"
                break
            if _steady(balance_of, x[sample : sample + 1], np.array([sample]), TOLERANCE).all():
                outcome = INTEGRATED
                break
        status.append(outcome)
    return x, status
