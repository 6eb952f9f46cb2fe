"""Steady states of compiled models: Newton's method, checked, with integration to fall back on.

A state is accepted only if every concentration is positive and within 1e-12 relative of its fixed
point, by an independent evaluation of the reaction rates. A root that is not positive is the
other root of h + z y - y^2, which roadrunner's solver finds silently from below; such a sample is
integrated (the time course always goes to the positive root) and solved again from there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.engine import CompiledModel
from crn_nn_tellurium.errors import ConvergenceError
from crn_nn_tellurium.reactions import Balance, FloatArray

SOLVED, AFTER_INTEGRATION, INTEGRATED = "solved", "solved after integration", "integrated"
TOLERANCE = 1e-12
"""Accepted distance to the fixed point, relative to the concentration."""
FLOOR = 1e-20
"""The same in concentration; below it a species is absent (1 nM is 6e14 molecules in a litre)."""
_DURATIONS = 10.0 ** np.arange(0, 11)


Near = Callable[[FloatArray, npt.NDArray[np.intp]], npt.NDArray[np.bool_]]
"""(states (m, n_species), their sample numbers (m,)) -> which concentrations are positive and steady"""


@dataclass(frozen=True)
class Block:
    """Species that one compiled model solves for together, given values of its parameters.

    `columns` are their places in the states; `boundary` (n, n_boundary) is held per sample.
    """

    model: CompiledModel
    columns: npt.NDArray[np.intp]
    boundary: FloatArray
    parameters: npt.NDArray[np.int32]
    values: FloatArray

    def solve(self, x: FloatArray, samples: npt.NDArray[np.intp]) -> None:
        """Newton's method from the states x (n, n_species) of some samples, which it replaces."""
        self.model.set_parameters(self.parameters, self.values)
        place = (samples[:, None], self.columns)
        x[place], _ = self.model.solve_each(self.boundary[samples], x[place])

    def integrate(self, state: FloatArray, sample: int, duration: float) -> None:
        """Advance one sample's state (n_species,) in time."""
        self.model.set_parameters(self.parameters, self.values)
        start = np.maximum(state[self.columns], 0.0)
        times = np.array([0.0, duration])
        state[self.columns] = np.maximum(self.model.time_course(self.boundary[sample], start, times)[-1], 0.0)

    def missing(self, good: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
        """The samples of which some concentration of this block is not good."""
        return np.flatnonzero(~good[:, self.columns].all(axis=1))


def near_fixed_point(balance: Balance, x: FloatArray) -> npt.NDArray[np.bool_]:
    with np.errstate(invalid="ignore"):
        return (x > 0) & np.isfinite(x) & (balance.distance <= TOLERANCE * x + FLOOR + balance.rounding)


def solve(blocks: Sequence[Block], start: FloatArray, near: Near) -> tuple[FloatArray, list[str]]:
    """Steady states (n, n_species) from start values, and the status of each sample."""
    x = start.copy()
    everyone = np.arange(len(x))
    for block in blocks:
        block.solve(x, everyone)
    good = near(x, everyone)
    for _ in range(3):  # nleq2 may stop early at small roots; from there each call is one Newton step more
        if good.all():
            break
        for block in blocks:
            again = block.missing(good)
            block.solve(x, again[np.all(x[again[:, None], block.columns] > 0, axis=1)])
        good = near(x, everyone)
    status = [SOLVED] * len(x)
    for block in blocks:
        for sample in block.missing(good).tolist():
            x[sample, block.columns] = start[sample, block.columns]
            outcome = _integrate_then_solve(block, x, sample, near)
            if not status[sample].startswith("failed"):
                status[sample] = outcome
    return x, status


def _integrate_then_solve(block: Block, x: FloatArray, sample: int, near: Near) -> str:
    """The same for one block of one sample that Newton's method alone did not bring home."""
    number = np.array([sample])
    for duration in _DURATIONS.tolist():
        try:
            block.integrate(x[sample], sample, duration)
        except ConvergenceError as error:
            return f"failed: {error}"
        reached = x[sample].copy()
        for _ in range(3):
            block.solve(x, number)
            if near(x[number], number)[0, block.columns].all():
                return AFTER_INTEGRATION
            if not np.all(x[sample, block.columns] > 0):
                break
        x[sample] = reached
    return f"failed: no positive steady state by t = {_DURATIONS.sum():.3g}"


def integrate(block: Block, start: FloatArray, near: Near) -> tuple[FloatArray, list[str]]:
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
            if near(x[sample : sample + 1], np.array([sample])).all():
                outcome = INTEGRATED
                break
        status.append(outcome)
    return x, status
