"""Steady states: Newton's method, checked, with integration to fall back on.

A state of a network is accepted only if every concentration is positive and, by an independent
evaluation of the reaction rates, at its fixed point given the others, to within 1e-12 relative or
what double precision allows: each species by itself, however much smaller than the rest it is.
(nleq2's Jacobian is by differences and its test is over all species; what it leaves is refined by
Newton's method species by species, else by nleq2 again, and where neither brings more 5e-10 is
enough.) A root that is not positive is the other root of h + z y - y^2, which roadrunner's solver
finds silently from below; such a sample is integrated (the time course always goes to the positive
root) and solved again from there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import FloatArray, read_only
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
Which = npt.NDArray[np.intp] | slice
"""Numbers (m,) of some systems, or all."""
BalanceOf = Callable[[FloatArray, Which], Balance]
"""(states (m, n_species), which systems they are of) -> Balance of that shape"""


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
    return state, Outcome.failure(
        f"rates have not vanished by t = {passed:.3g}; a time course shows where it goes"
    )


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
        found: npt.NDArray[np.bool_] = _near(balance, x, tolerance, absent)
        return found


def _near(balance: Balance, x: Any, tolerance: float, absent: float = 0.0) -> Any:
    """As `steady`, of Python's numbers too."""
    allowed = tolerance * x
    if absent:
        allowed += absent * x.max(axis=-1, keepdims=True, initial=0.0)
    return (x > 0) & (x < np.inf) & balance.within(allowed)


def refined_one(
    x: list[float], balance_of: Callable[[list[float]], list[Balance]]
) -> tuple[list[float], float] | None:
    """As `refined`, of one small state in Python's numbers, and its largest imbalance; None where
    that is not enough.
    """
    # of a handful of numbers each step of numpy costs more than all that it does
    for _ in range(SWEEPS):
        parts: Any = list(zip(x, balance_of(x), strict=True))
        near = [_near(balance, y, TOLERANCE) for y, balance in parts]
        if all(near):
            return x, max(abs(b.net) / b.gross if b.gross > 0 else 0.0 for _, b in parts)
        x = [y - b.net / b.slope if b.slope < 0 else y for y, b in parts]
        if not min(x) > 0:
            return None
    return None


def refined(
    x: FloatArray, balance_of: Callable[[FloatArray], Balance]
) -> tuple[FloatArray, Balance, npt.NDArray[np.bool_]]:
    """States (n, n_species) after Newton's method for each species, given all others, until all of
    a state are at their fixed point; their balance, and which species are so then.
    """
    # units are cascades, so what is right stays right and what reads it becomes right next
    with np.errstate(divide="ignore", invalid="ignore"):
        for sweeps_left in reversed(range(SWEEPS + 1)):
            balance = balance_of(x)
            near = _near(balance, x, TOLERANCE)
            if not sweeps_left or near.all():
                break
            later = x - balance.net / balance.slope
            # only down a slope that comes back, as at the other root of a rail it does not: else
            # the time course leads elsewhere. A small root may have come out below zero
            moves = ~near.all(axis=1, keepdims=True) & (balance.slope < 0) & (later > 0)
            if not (moves & ~near).any():
                break
            x = np.where(moves, later, x)
    return x, balance, near


class Systems(Protocol):
    """Systems that do not touch one another, by number."""

    def newton(self, x: FloatArray, systems: Which) -> FloatArray: ...

    def advance(self, state: FloatArray, system: int, duration: float) -> FloatArray: ...

    def is_finite(self, system: int) -> bool: ...


@dataclass(frozen=True)
class Block:
    """Systems that do not touch one another, of which a compiled model holds `copies` at a time.

    `columns` are the places of its species in a state; `boundary` (n, n_boundary) is held by
    system, as are the `values` of its parameters (n or 1, n_parameters). `parameters` has those of
    all copies.
    """

    model: CompiledModel
    columns: npt.NDArray[np.intp] | slice
    boundary: FloatArray
    parameters: npt.NDArray[np.int32]
    values: FloatArray
    copies: int = 1

    def newton(self, x: FloatArray, systems: Which) -> FloatArray:
        """Where Newton's method leads from states x (m, n_species) of some systems (m,)."""
        if not len(x):
            return x
        filled = _filled(len(x), self.copies)
        rows = len(filled) // self.copies
        shared = len(self.values) == 1
        values = np.repeat(self.values, self.copies, 0) if shared else self.values[systems]
        values = values if shared else values.take(filled, 0)
        boundary = self.boundary[systems].take(filled, 0).reshape(rows, -1)
        start = x[:, self.columns].take(filled, 0).reshape(rows, -1)
        found, _ = self.model.solve_each(
            boundary, start, self.parameters, values.reshape(-1, len(self.parameters))
        )
        result = np.empty_like(x)
        result[:, self.columns] = found.reshape(len(filled), -1)[: len(x)]
        return result

    def is_finite(self, system: int) -> bool:
        """Whether what a system reads are numbers; not so where what was to give them failed."""
        read = (self.boundary[system], self._values_of(system))
        return all(np.isfinite(part).all() for part in read)

    def _values_of(self, system: int) -> FloatArray:
        return self.values[system if len(self.values) > 1 else 0]

    def advance(self, state: FloatArray, system: int, duration: float) -> FloatArray:
        """One system's state (n_species,) that much later."""
        values = self._values_of(system)
        self.model.set_parameters(self.parameters, np.tile(values, self.copies))
        held, start = (
            np.tile(part, self.copies) for part in (self.boundary[system], state[self.columns])
        )
        course = self.model.time_course(held, start, np.array([0.0, duration]))
        found = np.empty_like(state)
        found[self.columns] = course[-1, : len(start) // self.copies]
        return found


@lru_cache(maxsize=16)
def _filled(n: int, copies: int) -> npt.NDArray[np.intp]:
    """Numbers of n systems, of which the last fills up a multiple of the copies."""
    found = np.arange(-(-n // copies) * copies)
    found[n:] = n - 1
    read_only(found)
    return found


@dataclass(frozen=True)
class Settled:
    """Steady states (n, n_species), how far from balance the worst of each is (n,), how each
    was found, and of all together how far from balance each species is.
    """

    x: FloatArray
    imbalance: FloatArray
    status: Outcomes
    balance: Balance | None = None

    def cancelling(self) -> FloatArray | None:
        """How many times what is left of gains and losses they are themselves, by sample (n,): the
        largest gross / (|slope| x). Of a rail, (h + g y + q y^2) / (h + q y^2), above g / r.
        """
        if self.balance is None:
            return None
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            parts = self.balance.gross / (np.abs(self.balance.slope) * self.x)
        return np.asarray(parts.max(axis=1, initial=0.0))


# what overflows is no steady state: `steady` says so
@np.errstate(over="ignore", invalid="ignore")
def solve(block: Systems, start: FloatArray, balance_of: BalanceOf) -> Settled:
    """Steady states from start values (n, n_species)."""
    everyone = slice(None)
    x = block.newton(start, everyone)
    status = outcomes(SOLVED, len(x))
    # of small roots nleq2 stops early; a step or two by species brings most of them home
    better, balance, near = refined(x, lambda states: balance_of(states, everyone))
    good: npt.NDArray[np.bool_] = np.asarray(near.all(axis=1))
    if good.all():
        return Settled(better, _worst(balance), status, balance)
    x[good] = better[good]
    # as in `polish`, all systems together
    for _ in range(3):
        again = np.flatnonzero(~good & (x > 0).all(axis=1))
        x[again] = block.newton(x[again], again)
        good[again] = steady(balance_of(x[again], again), x[again], TOLERANCE).all(axis=1)
    rest = np.flatnonzero(~good)
    x[rest], balance, _ = refined(x[rest], lambda states: balance_of(states, rest))
    good[rest] = steady(balance, x[rest], ACCEPTED).all(axis=1)
    # a root that is not positive is left behind: the time course goes to the positive one
    for system in np.flatnonzero(~good).tolist():
        x[system], status[system] = _integrate(block, start[system], system, balance_of, True)
    return Settled(x, _worst(balance_of(x, everyone)), status)


@np.errstate(over="ignore", invalid="ignore")
def integrate(block: Systems, start: FloatArray, balance_of: BalanceOf) -> Settled:
    """Steady states by integration alone, until the rates vanish."""
    x, status = start.copy(), outcomes(INTEGRATED, len(start))
    for system in range(len(start)):
        x[system], status[system] = _integrate(block, start[system], system, balance_of, False)
    return Settled(x, _worst(balance_of(x, slice(None))), status)


def _worst(balance: Balance) -> FloatArray:
    """The largest imbalance of each state; 1, all gain, where there is none to tell."""
    worst: FloatArray = balance.imbalance.max(axis=-1, initial=0.0)
    worst[np.isnan(worst)] = 1.0
    return worst


def _integrate(
    block: Systems, start: FloatArray, system: int, balance_of: BalanceOf, newton: bool
) -> tuple[FloatArray, Outcome]:
    """One system brought to rest, at the end by Newton's method if that is wanted."""
    if not block.is_finite(system):
        return np.full_like(start, np.nan), Outcome.failure(
            "a concentration or rate constant that it reads is no finite number"
        )
    number = np.array([system])

    def balance(states: FloatArray) -> Balance:
        return balance_of(states, number)

    def is_steady(state: FloatArray, tolerance: float, absent: float = 0.0) -> np.bool_:
        return steady(balance(state[None]), state[None], tolerance, absent).all()

    def step(state: FloatArray) -> FloatArray | None:
        found = block.newton(state[None], number)
        return refined(found, balance)[0][0] if np.all(found > 0) else None

    def finish(state: FloatArray, _: float) -> tuple[FloatArray, Outcome] | None:
        if newton:
            found = polish(state, step, is_steady)
            return None if found is None else (found, AFTER_INTEGRATION)
        if not is_steady(state, TOLERANCE, ABSENT):
            return None
        # below the integrator's absolute tolerance there is noise
        found = refined(state[None], balance)[0][0]
        return (found, INTEGRATED) if is_steady(found, TOLERANCE) else None

    return come_to_rest(start, lambda state, time: block.advance(state, system, time), finish)
