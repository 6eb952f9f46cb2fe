"""The steady state that a time course of any reaction network ends in.

Of several steady states the one is meant that the time course goes to. Newton's method, on the
reduced system, starts where the integration ended, and its answer is taken if it is near, species
by species, and stable. Where steady states are in a line (an enzyme that is lost before its work is
done, a species with two ends), Newton's method may lead to any of them: the state is where the
integration ended, and called so.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.chemistry import ReactionNetwork
from crn_nn_tellurium.simulation.engine import SMALLEST, Tolerances
from crn_nn_tellurium.simulation.integrator import Integrator
from crn_nn_tellurium.simulation.outcome import (
    ACCURATE,
    AFTER_INTEGRATION,
    INTEGRATED,
    SOLVED,
    Kind,
    Outcome,
    failures,
)
from crn_nn_tellurium.simulation.reduced_system import (
    ABSENT,
    NEAR,
    TINY,
    Equations,
    reduced_equations,
)
from crn_nn_tellurium.simulation.settle import DURATIONS, Advance, Settled, come_to_rest
from crn_nn_tellurium.simulation.stability import CLEAR, is_left
from crn_nn_tellurium.simulation.unrest import PATIENCE, unrest

GONE = 1e-9
"""The same, relative to the largest that a species has been."""
STILL = 1e-9
"""Change of a concentration over nine tenths of that time that is none, relative to it."""
LEFT = 1e-6
"""Part of gains and losses that is left of them, at most, where a state stands still."""
UNSTABLE = (
    "it comes to a steady state that is not stable, along a way that leads there, as where species"
    " that shut one another out start alike; expected another start"
)
UNDERFLOW = (
    "products of rate constants and concentrations underflow: what reacts here is taken for still;"
    " expected concentrations in a smaller unit, or 0"
)
LOST = (
    f"what is below {SMALLEST:g} is none to the integrator, so that sums are lost which the"
    " reactions conserve; expected concentrations in a smaller unit, or 0"
)
CANCELLED = (
    "what makes and what takes {!r} cancels but for rounding, so that doubles do not tell whether"
    " it stays; expected rate constants whose sums are equal as doubles, such as 0.25 + 0.5"
    " and 0.75"
)
ROUGH = Tolerances(1e-7)
"""For a faster integration that is tried first, for times `ROUGH_UP_TO`."""
ROUGH_UP_TO = DURATIONS[:4]


@np.errstate(over="ignore", invalid="ignore")
def rest(
    equations: Equations,
    start: FloatArray,
    advance: Advance,
    newton: bool = True,
    rough: Advance | None = None,
) -> tuple[FloatArray, Outcome]:
    """The steady state (n_species,) that the time course from a start ends in, and its outcome.

    Without `newton` nothing but integration, until the state stands still. With `rough`, a faster
    integration, that is tried first: starts within 1e-7 of the border between what leads to one
    steady state and to another may then go to either.

    Where rounding may move a concentration by above `ACCURATE` of itself the outcome is a doubt,
    and a failure where the start is a steady state that small changes lead away from.
    """
    found, outcome = _end(equations, start, advance, newton, rough)
    if outcome not in (SOLVED, AFTER_INTEGRATION) or not np.any(equations.rates(found)[1]):
        return found, outcome  # called what it is, or exact since nothing happens
    error = equations.error(found, equations.rows @ start)
    relative = np.divide(error, found, out=np.zeros_like(error), where=found > 0)
    worst = int(np.argmax(relative)) if len(relative) else 0
    if not np.any(~(relative <= ACCURATE)):
        return found, outcome
    return found, Outcome.failure(
        f"{equations.species[worst]!r} may be off by {relative[worst]:.1e} of itself, since what"
        " makes and what takes species cancels so far that doubles do not hold where they settle",
        Kind.DOUBTFUL,
    )


def that_are_stable(
    found: Settled,
    start: FloatArray,
    boundary: FloatArray,
    crn: ReactionNetwork,
    model: Integrator,
    newton: bool,
) -> Settled:
    """The same steady states (n, n_floating) of a network; where small changes lead away from one
    that was found, that in which the time course from the start ends in place of it.
    """
    if crn.settles_in_turn:
        return found
    x, imbalance, status = (part.copy() for part in (found.x, found.imbalance, found.status))
    for i in np.flatnonzero(~failures(status)).tolist():
        equations = reduced_equations(crn, boundary[i])
        if is_left(equations.jacobian(x[i]), x[i]):
            advance = partial(model.advance, boundary=boundary[i])
            x[i], status[i] = rest(equations, start[i], advance, newton)
            imbalance[i] = crn.balance(x[i], boundary[i]).imbalance.max(initial=0.0)
    return Settled(x, imbalance, status)


def _end(
    equations: Equations,
    start: FloatArray,
    advance: Advance,
    newton: bool,
    rough: Advance | None,
) -> tuple[FloatArray, Outcome]:
    """As `rest`, without doubt."""
    net, gross = equations.rates(start)
    still, at = not np.any(net), start
    near = still
    if not still and np.all(np.abs(net) <= LEFT * gross):
        root = equations.newton(start, equations.rows @ start)
        if root is not None:
            at, near = root, bool(np.all(np.abs(root - start) <= STILL * start))
    if near and is_left(equations.jacobian(at), at):
        return start, Outcome.failure(
            "it starts at a steady state that is not stable: a time course stays there as long as"
            " nothing disturbs it, and then goes elsewhere; expected another start"
        )
    if still:
        if equations.underflow(start):
            return start, Outcome.failure(UNDERFLOW)
        # where rates cancel to nothing beside it as well, nothing says that this one is the state
        exact = newton and (not np.any(gross) or equations.is_isolated(start))
        return start, SOLVED if exact else _integrated(equations, start)
    if newton and rough is not None:
        # how exactly it was integrated does not matter where all differences have died down
        course = _Course(equations, start, rough=True)
        found, outcome = come_to_rest(start, rough, course.finish, ROUGH_UP_TO)
        if not outcome.failed:
            return found, outcome
    course = _Course(equations, start, newton)
    found, outcome = come_to_rest(start, advance, course.finish)
    if outcome.failed:
        why = course.around or unrest(course.now, course.time, advance) or course.beside
        outcome = Outcome.failure(why or outcome.reason)
    return found, outcome


def _integrated(equations: Equations, state: FloatArray) -> Outcome:
    """What a state is that nothing but integration says."""
    hidden = equations.hidden(state)
    if not hidden:
        return INTEGRATED
    return Outcome.failure(CANCELLED.format(equations.species[hidden[0]]), Kind.DOUBTFUL)


class _Course:
    """A time course as it is integrated, and the steady state that it is found to end in."""

    def __init__(
        self, equations: Equations, start: FloatArray, newton: bool = True, rough: bool = False
    ) -> None:
        self.equations, self.newton, self.rough = equations, newton, rough
        self.totals, self.sizes = equations.rows @ start, abs(equations.rows) @ np.abs(start)
        # where the last integration ended, the largest so far, and the time passed
        self.start = self.now = self.peak = start
        self.time = 0.0
        # what it circles, if it does, and where it stays although small changes lead away
        self.around = self.beside = ""

    def finish(self, state: FloatArray, passed: float) -> tuple[FloatArray, Outcome] | None:
        """The steady state that is near a state, at a time, if there is one."""
        last, self.now, self.time, self.around, self.beside = self.now, state, passed, "", ""
        self.peak = np.maximum(self.peak, state)
        limit = self.equations.newton(state, self.totals) if self.newton else None
        if limit is not None and self._leads_to(limit, last):
            outcome = self._outcome(limit, last)
            if outcome is not None:
                return limit, outcome
        elif passed >= PATIENCE and _stands_still(*self.equations.rates(state), last, state):
            if not self.equations.keeps(state, self.totals, self.sizes):
                self.beside = LOST
            elif is_left(self.equations.jacobian(state), state):
                self.beside = UNSTABLE
            else:
                return state, _integrated(self.equations, state)
        return None

    def _leads_to(self, limit: FloatArray, last: FloatArray) -> bool:
        """Whether the course ends at a limit, if it is one that draws courses to it."""
        near = np.abs(limit - self.now) <= NEAR * self.now + GONE * self.peak
        # a power of time goes on for ever: to have come far and to go on is enough
        vanishing = (limit == 0) & (self.now <= 0.5 * last) & (self.now <= 1e-3 * self.peak)
        return bool(np.all(near | vanishing))

    def _outcome(self, limit: FloatArray, last: FloatArray) -> Outcome | None:
        """What a limit is, that is near; None as long as the course might not end there."""
        stability = self.equations.stability(limit)
        if self.rough:
            return AFTER_INTEGRATION if stability.growth <= -1 / self.time else None
        if not stability.stable:
            self.beside = UNSTABLE
            return None
        sizes = np.where(limit > 0, limit, self.peak + TINY)
        before, start = ((state - limit) / sizes for state in (last, self.start))
        # a start that is one but for rounding is where the course stays
        if np.any(np.abs(start) > ABSENT):
            inside = self.equations.sums.independent
            nearer = stability.comes_nearer((last - limit)[inside], (self.now - limit)[inside])
            clear = CLEAR < np.abs(before).max() < 10 * NEAR
            if not (nearer and (clear or not stability.circles)):
                far = np.abs((self.now - limit) / sizes).max()
                self.around = f"it circles a steady state at a distance of {far:.2g}, relative"
                self.around += " to it, and is not seen to come nearer"
                return None
        if not stability.open or self.equations.is_isolated(limit):
            return AFTER_INTEGRATION
        # on a line of steady states the limit is where the integration led, and no better
        moved = np.abs(limit - self.now) > STILL * self.now + ABSENT * self.peak
        gone = (limit == 0) & (self.now <= STILL * self.peak)
        return None if np.any(moved & ~gone) else INTEGRATED


def _stands_still(net: FloatArray, gross: FloatArray, last: FloatArray, now: FloatArray) -> bool:
    absent = ABSENT * np.abs(now).max(initial=0.0)
    moved = np.abs(now - last) > STILL * np.abs(now) + absent
    # gains and losses must be equal: nothing stands still because an integrator did
    equal = np.abs(net) <= LEFT * gross
    return not np.any(moved) and bool(np.all(equal | (np.abs(now) < absent)))
