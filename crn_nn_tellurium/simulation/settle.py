"""Steady states: Newton's method, checked, with integration to fall back on.

A state of a network is accepted only if every concentration is positive and, by an independent
evaluation of the reaction rates, at its fixed point given the others, to within 1e-12 relative or
what double precision allows: each species by itself, however much smaller than the rest it is.
(nleq2's Jacobian is by differences and its test is over all species; what it leaves is refined by
Newton's method species by species, and where that brings no more 5e-10 is enough.) A root that is
not positive is the other root of h + z y - y^2, which roadrunner's solver finds silently from
below; such a sample is integrated (the time course always goes to the positive root) and solved
again from there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.chemistry import Balance
from crn_nn_tellurium.errors import ConvergenceError
from crn_nn_tellurium.simulation.engine import SMALLEST, CompiledModel
from crn_nn_tellurium.simulation.outcome import (
    AFTER_INTEGRATION,
    INTEGRATED,
    SOLVED,
    Outcome,
    Outcomes,
    outcomes,
)

TOLERANCE = 1e-12
"""Distance to the fixed point, relative to the concentration, that is worked for."""
ACCEPTED = 5e-10
"""The same, with which a state is taken when more work brings no more."""
ABSENT = 1e-30
"""The same beside the sample's largest concentration: what is so far below it integration alone
cannot do."""
SWEEPS = 12
"""Steps of Newton's method by species: of a quadratic from far above, then of what follows it."""
DURATIONS = tuple(10.0**k for k in range(19))
"""Times to integrate over; a species that decays at 1e-13, as at inputs of -1e6, needs the last."""
PIECES = 4
"""Of the first of these times that the integrator does not manage."""

Advance = Callable[[FloatArray, float], FloatArray]
"""(state, duration) -> the state that much later; ConvergenceError if the integrator gives up"""
Finish = Callable[[FloatArray, float], "tuple[FloatArray, Outcome] | None"]
"""(state, time passed) -> the steady state that is near, and how it was found; None if none is"""
Step = Callable[[FloatArray], "FloatArray | None"]
"""state -> where Newton's method leads; None if that is no positive state"""
BalanceOf = Callable[[FloatArray, npt.NDArray[np.intp]], Balance]
"""(states (m, n_species), their sample numbers (m,)) -> Balance of that shape"""


def later(state: FloatArray, duration: float, advance: Advance) -> FloatArray:
    """The state that much later, without what is there or negative by rounding alone."""
    # what is negative by rounding runs away to minus infinity; but membrane potentials, say, may be
    found = advance(state, duration)
    none = 1e-7 * np.abs(found).max(initial=0.0)
    return np.where((found < SMALLEST) & (found > -none), 0.0, found)


def come_to_rest(
    start: FloatArray, advance: Advance, finish: Finish, durations: Sequence[float] = DURATIONS
) -> tuple[FloatArray, Outcome]:
    """Integrate over longer and longer times, until `finish` says that a state is steady."""
    # every steady state of this package that Newton's method alone does not find is found here
    state, passed, whole = start, 0.0, True
    waiting = [*reversed(durations)]
    while waiting:
        duration = waiting.pop()
        try:
            state = later(state, duration, advance)
        except ConvergenceError as error:
            if not whole:
                return state, Outcome.failure(str(error))
            # too long for the integrator may still be less long than it takes to come to rest
            waiting, whole = [duration / PIECES] * PIECES, False
            continue
        passed += duration
        found = finish(state, passed)
        if found is not None:
            return found
    return state, Outcome.failure(f"rates have not vanished by t = {passed:.3g}")


def polish(
    state: FloatArray, newton: Step, is_steady: Callable[[FloatArray, float], np.bool_ | bool]
) -> FloatArray | None:
    """Newton's method from a state that was reached; None unless it ends at a steady state."""
    # nleq2 may stop early at small roots; from there each call is one Newton step more. After the
    # last that is worth its time, the larger tolerance will do
    for tolerance in (TOLERANCE, TOLERANCE, ACCEPTED):
        found = newton(state)
        if found is None or is_steady(found, tolerance):
            return found
        state = found
    return None


def steady(
    balance: Balance, x: FloatArray, tolerance: float, absent: float = 0.0
) -> npt.NDArray[np.bool_]:
    """Which concentrations (..., n_species) are positive and at their fixed point, but for `absent`
    times the largest.
    """
    with np.errstate(invalid="ignore"):
        floor = absent * x.max(axis=-1, keepdims=True, initial=0.0)
        near = balance.distance <= tolerance * x + floor + balance.rounding
        return (x > 0) & np.isfinite(x) & near


def refined(x: FloatArray, balance_of: Callable[[FloatArray], Balance]) -> FloatArray:
    """States (n, n_species) after Newton's method for each species that is not at its fixed point,
    given all others.
    """
    # units are cascades, so what is right stays right and what reads it becomes right next
    for _ in range(SWEEPS):
        balance = balance_of(x)
        with np.errstate(divide="ignore", invalid="ignore"):
            later = x - balance.net / balance.slope
        # only down a slope that comes back: else the time course leads elsewhere
        moves = ~steady(balance, x, TOLERANCE) & (x > 0) & (balance.slope < 0) & (later > 0)
        if not moves.any():
            break
        x = np.where(moves, later, x)
    return x


@dataclass(frozen=True)
class Block:
    """Species that one compiled model solves for together, given values of its parameters.

    `columns` are their places in the states; `boundary` (n, n_boundary) is held per sample, as are
    the `values` of the parameters (n or 1, n_parameters).
    """

    model: CompiledModel
    columns: npt.NDArray[np.intp]
    boundary: FloatArray
    parameters: npt.NDArray[np.int32]
    values: FloatArray

    def solve(self, x: FloatArray, samples: npt.NDArray[np.intp]) -> None:
        """Newton's method from the states x (n, n_species) of some samples, which it replaces."""
        place = (samples[:, None], self.columns)
        x[place] = self._newton(x[place], samples)

    def _newton(self, parts: FloatArray, samples: npt.NDArray[np.intp]) -> FloatArray:
        if not len(samples):
            return parts
        values = self.values if len(self.values) == 1 else self.values[samples]
        found, _ = self.model.solve_each(self.boundary[samples], parts, self.parameters, values)
        return found

    def newton(self, state: FloatArray, sample: int) -> FloatArray | None:
        """Newton's method from one sample's state (n_species,); None if that is not positive."""
        found = state.copy()
        found[self.columns] = self._newton(state[self.columns][None], np.array([sample]))[0]
        return found if np.all(found[self.columns] > 0) else None

    def advance(self, state: FloatArray, sample: int, duration: float) -> FloatArray:
        """One sample's state (n_species,) that much later."""
        values = self.values[sample if len(self.values) > 1 else 0]
        self.model.set_parameters(self.parameters, values)
        found, times = state.copy(), np.array([0.0, duration])
        start = state[self.columns]
        found[self.columns] = self.model.time_course(self.boundary[sample], start, times)[-1]
        return found

    def missing(self, good: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
        """The samples of which some concentration of this block is not good."""
        return np.flatnonzero(~good[:, self.columns].all(axis=1))


def solve(
    blocks: Sequence[Block], start: FloatArray, balance_of: BalanceOf
) -> tuple[FloatArray, Outcomes]:
    """Steady states (n, n_species) from start values, and the outcome of each sample."""
    x = start.copy()
    status = outcomes(SOLVED, len(x))
    everyone = np.arange(len(x))
    for block in blocks:
        block.solve(x, everyone)
    good = steady(balance_of(x, everyone), x, TOLERANCE)
    # as in `polish`, all samples of a block together
    for _ in range(3):
        if good.all():
            return x, status
        for block in blocks:
            again = block.missing(good)
            block.solve(x, again[np.all(x[again[:, None], block.columns] > 0, axis=1)])
        good = steady(balance_of(x, everyone), x, TOLERANCE)
    if not good.all():
        rest = np.flatnonzero(~good.all(axis=1) & (x > 0).all(axis=1))
        x[rest] = refined(x[rest], lambda states: balance_of(states, rest))
    good = steady(balance_of(x, everyone), x, ACCEPTED)
    # a root that is not positive is left behind: the time course goes to the positive one
    for block in blocks:
        for sample in block.missing(good).tolist():
            x[sample, block.columns] = start[sample, block.columns]
            x[sample], outcome = _integrate(block, x[sample], sample, balance_of, newton=True)
            status[sample] = status[sample].worse(outcome)
    return x, status


def integrate(
    block: Block, start: FloatArray, balance_of: BalanceOf
) -> tuple[FloatArray, Outcomes]:
    """Steady states by integration alone, until the rates vanish."""
    x, status = start.copy(), outcomes(INTEGRATED, len(start))
    for sample in range(len(start)):
        one = _integrate(block, start[sample], sample, balance_of, newton=False)
        x[sample], status[sample] = one
    return x, status


def _integrate(
    block: Block, start: FloatArray, sample: int, balance_of: BalanceOf, newton: bool
) -> tuple[FloatArray, Outcome]:
    """One block of one sample brought to rest, at the end by Newton's method if that is wanted."""

    def balance(states: FloatArray) -> Balance:
        return balance_of(states, np.array([sample]))

    def is_steady(state: FloatArray, tolerance: float, absent: float = 0.0) -> np.bool_:
        near = steady(balance(state[None]), state[None], tolerance, absent)
        return near[0, block.columns].all()

    def refine(state: FloatArray | None) -> FloatArray | None:
        if state is None:
            return None
        found = state.copy()
        found[block.columns] = refined(state[None], balance)[0, block.columns]
        return found

    def finish(state: FloatArray, _: float) -> tuple[FloatArray, Outcome] | None:
        if newton:
            found = polish(state, lambda near: refine(block.newton(near, sample)), is_steady)
            return None if found is None else (found, AFTER_INTEGRATION)
        if not is_steady(state, TOLERANCE, ABSENT):
            return None
        # below the integrator's absolute tolerance there is noise
        found = refine(state)
        return (found, INTEGRATED) if found is not None and is_steady(found, TOLERANCE) else None

    return come_to_rest(start, lambda state, time: block.advance(state, sample, time), finish)
