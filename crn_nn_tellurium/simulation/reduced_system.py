"""The steady state that a time course of any reaction network ends in.

A network that conserves something has a steady state for every value of its sums, and a singular
Jacobian. So the reduced system is solved: f_i(x) = 0 of as many species as are independent, and
C x = C x(0) in place of the others' equations (see `chemistry.conservation`), by Newton's method
on the network's own Jacobian.

Of several steady states the one is meant that the time course goes to. Newton's method starts where
the integration ended, and its answer is taken if it is near, species by species, and stable.
Species that decay like a power of time (A + B -> C from equal starts, 2 A -> B) end at a double
root, where each step halves what is left: what is rounding beside the rest is then set to 0, and
taken if nothing makes it there.

Source: Reder, J. theor. Biol. 135 (1988) 175, on the reduced system.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TypeAlias

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu, spsolve

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.chemistry import ConservedSums, ReactionNetwork
from crn_nn_tellurium.errors import ConvergenceError
from crn_nn_tellurium.simulation.outcome import AFTER_INTEGRATION, INTEGRATED, SOLVED, Outcome
from crn_nn_tellurium.simulation.settle import Advance, come_to_rest

ACCURATE = 1e-8
"""Error of Newton's method, relative to a concentration, up to which it is an answer."""
ABSENT = 1e-12
"""What is so far below the largest concentration may be off by as much, or be 0."""
NEAR = 1e-2
"""How far, relative to a concentration, Newton's method may take a state that was reached."""
GONE = 1e-9
"""The same, relative to the largest that a species has been."""
UNSTABLE = 1e-12
"""Growth beside the largest entry of the Jacobian that is more than rounding of eigenvalues."""
STABILITY_UP_TO = 1_000
"""Species up to which stability is looked at, by dense eigenvalues: a second at this size."""
PATIENCE = 1e9
"""How long is integrated where Newton's method finds nothing: what is slower stands still."""
STILL = 1e-9
"""Change of a concentration over nine tenths of that time that is none, relative to it."""
DENSE_UP_TO = 300
"""Species up to which dense linear algebra is faster."""
DRAWS = 8
"""Of the directions of rounding."""
STEPS = 50
"""Of Newton's method."""
LAST = 1e-9
"""Newton's last step, relative to a concentration."""
EPS, TINY = float(np.finfo(float).eps), float(np.finfo(float).tiny)

Matrix: TypeAlias = FloatArray | sparse.csr_array


@dataclass(frozen=True)
class RateEquations:
    """dx/dt as a function of the concentrations alone, its derivative, and what it conserves.

    `rates` are dx/dt and the sums of the gains and losses that it is the difference of. The Jacobian
    and the rows of the sums are arrays up to `DENSE_UP_TO` species, and sparse beyond.
    """

    rates: Callable[[FloatArray], tuple[FloatArray, FloatArray]]
    jacobian: Callable[[FloatArray], Matrix]
    sums: ConservedSums

    @cached_property
    def rows(self) -> Matrix:
        """The conserved sums (n_sums, n)."""
        rows = self.sums.rows
        return rows.toarray() if rows.shape[1] <= DENSE_UP_TO else rows

    def reduced_jacobian(self, x: FloatArray) -> Matrix:
        """Of the reduced system: J without the rows of the dependent species, C below."""
        jacobian = self.jacobian(x)
        if not len(self.sums):
            return jacobian
        parts = [jacobian[self.sums.independent], self.rows]
        if isinstance(jacobian, np.ndarray):
            return np.vstack(parts)
        return sparse.vstack(parts, format="csr")

    def reduced(self, values: FloatArray, of_sums: FloatArray) -> FloatArray:
        """Values of the independent species' equations, those of the sums below."""
        return np.concatenate([values[self.sums.independent], of_sums])

    def newton(self, state: FloatArray, totals: FloatArray) -> FloatArray | None:
        """Where Newton's method leads from a state, with these sums; None if to no steady state."""
        x, relative, length, shrunk = state, np.inf, np.inf, 0.0
        absent = ABSENT * np.abs(state).max(initial=0.0)
        for _ in range(STEPS):
            at, matrix, (net, gross) = x, self.reduced_jacobian(x), self.rates(x)
            unit = np.where(x == 0, np.abs(x).max(initial=0.0) or 1.0, np.abs(x))
            missing = self.reduced(net, self.rows @ x - totals)
            step = solved(matrix, missing[:, None], unit)[:, 0]
            # a first step that leads far ends at no state that is near, but for species that
            # vanish: of an m-fold root it is an m-th of what is left
            leads_far = (np.abs(step) > 2 * NEAR * (state + absent)) & (step < 0.15 * state)
            if x is state and np.any(leads_far):
                return None
            before, length = length, np.max(np.abs(step) / (state + absent + TINY), initial=0.0)
            earlier, shrunk = shrunk, length / before
            # at an m-fold root every step is 1 - 1/m times the last: nearly all of them at once
            if 0.3 < shrunk < 0.95 and abs(shrunk - earlier) < 0.02:
                step, shrunk = step * 0.999 / (1 - shrunk), 0.0
            x = x - step
            if not np.all(np.isfinite(x)):
                return None
            last, relative = relative, np.max(np.abs(step) / (np.abs(x) + absent), initial=0.0)
            # at a simple root the next step were the square of this one
            if relative <= LAST or (relative < ACCURATE and relative >= last):
                break
        # each equation is off by its rounding, in either direction: some draws show where to
        sizes = 4 * EPS * self.reduced(gross, abs(self.rows) @ np.abs(at))
        rounding = solved(matrix, sizes[:, None] * _directions(len(x)), unit)
        error = np.abs(step) + np.abs(rounding).max(axis=1)
        if not np.all(error <= ACCURATE * np.abs(x) + absent):
            return None
        gone = (np.abs(x) <= 8 * error) & (np.abs(x) <= absent)
        if np.any(gone):
            # what is set to 0 must not be made there, or 0 is not where it stays
            made = gone & (self.rates(np.where(gone, 0.0, x))[1] > 0)
            x = np.where(gone & ~made, 0.0, x)
            if np.any(made & (x == 0)):
                return None
        return x if np.all(x >= 0) else None

    def is_stable(self, x: FloatArray) -> bool:
        """Whether small changes that keep the sums do not grow; taken for granted where more than
        `STABILITY_UP_TO` species all act on one another.
        """
        jacobian, independent = self.jacobian(x), self.sums.independent
        inner = jacobian[independent]
        if len(self.sums):
            # the dependent species follow: C_d dx_d + C_i dx_i = 0
            dependent = self.sums.dependent
            follow = _quotient(self.rows[:, dependent], self.rows[:, independent])
            inner = inner[:, independent] - inner[:, dependent] @ follow
        limit = UNSTABLE * abs(jacobian).max() if len(x) else 0.0
        return bool(_growth(inner) <= limit)


def _quotient(left: Matrix, right: Matrix) -> Matrix:
    """left^-1 right."""
    if isinstance(left, np.ndarray):
        return np.linalg.solve(left, right)
    return sparse.csr_array(spsolve(left.tocsc(), right.tocsc()).reshape(right.shape))


def _growth(matrix: Matrix) -> float:
    """The largest real part of the eigenvalues, or 0 where all are below."""
    if isinstance(matrix, np.ndarray):
        return float(np.linalg.eigvals(matrix).real.max(initial=0.0))
    # species that act on one another all around are a block: between blocks a matrix is triangular,
    # in some order, so that the eigenvalues are those of the blocks
    label = connected_components(matrix, connection="strong")[1]
    sizes = np.bincount(label)
    found = matrix.diagonal()[sizes[label] == 1].max(initial=0.0)
    for block in np.flatnonzero((sizes > 1) & (sizes <= STABILITY_UP_TO)):
        inside = np.flatnonzero(label == block)
        found = max(found, _growth(matrix[inside][:, inside].toarray()))
    return float(found)


@lru_cache(maxsize=16)
def _directions(n: int) -> FloatArray:
    """Directions (n, DRAWS) of rounding."""
    return np.random.default_rng(0).choice([-1.0, 1.0], (DRAWS, n)).T


def solved(matrix: Matrix, right: FloatArray, unit: FloatArray) -> FloatArray:
    """x (n, k) of matrix x = right, unknowns in these units (n,); NaN if the matrix is singular."""
    # every unknown relative to its size and every equation to its largest part: species may be
    # many orders apart
    scaled = matrix * unit if isinstance(matrix, np.ndarray) else matrix @ sparse.diags_array(unit)
    largest = abs(scaled).max(axis=1)
    largest = largest if isinstance(largest, np.ndarray) else largest.toarray().ravel()
    # an equation that has all but vanished stays as it is
    scale = np.where(largest > 1e-290, largest, 1.0)[:, None]
    try:
        if isinstance(scaled, np.ndarray):
            return np.linalg.solve(scaled / scale, right / scale) * unit[:, None]
        factors = splu((sparse.diags_array(1 / scale[:, 0]) @ scaled).tocsc())
        return np.asarray(factors.solve(right / scale)) * unit[:, None]
    except (np.linalg.LinAlgError, RuntimeError):  # the latter is what SuperLU raises
        return np.full_like(right, np.nan)


def rate_equations(
    crn: ReactionNetwork, boundary: FloatArray | None = None, constants: FloatArray | None = None
) -> RateEquations:
    """A network's equations at these boundary concentrations and rate constants."""
    held = crn.boundary_concentrations if boundary is None else boundary
    k = crn.constants if constants is None else constants
    behind, terms, derivatives = np.append(held, 1.0), crn.terms, crn.jacobian_terms

    def rates(x: FloatArray) -> tuple[FloatArray, FloatArray]:
        parts = terms.monomials(np.concatenate([x, behind]), k)
        return terms.add(parts), terms.add(parts, sizes=True)

    def jacobian(x: FloatArray) -> Matrix:
        if len(x) > DENSE_UP_TO:
            return crn.jacobian(x, held, k)
        return derivatives.array(np.concatenate([x, behind]), k)[:, : len(x)]

    return RateEquations(rates, jacobian, crn.conserved_sums)


def rest(
    equations: RateEquations, start: FloatArray, advance: Advance, newton: bool = True
) -> tuple[FloatArray, Outcome]:
    """The steady state (n_species,) that the time course from a start ends in, and its outcome.

    Without `newton` nothing but integration, until the state stands still.
    """
    totals = equations.rows @ start
    if not np.any(equations.rates(start)[0]):
        return start, SOLVED if newton else INTEGRATED
    # where the last integration began and ended, the largest so far, and the time passed
    last, now, peak, time = start, start, start, 0.0

    def finish(state: FloatArray, passed: float) -> tuple[FloatArray, Outcome] | None:
        nonlocal last, now, peak, time
        last, now, peak, time = now, state, np.maximum(peak, state), passed
        limit = equations.newton(state, totals) if newton else None
        if limit is not None and _leads_to(limit, last, state, peak):
            if equations.is_stable(limit):
                return limit, AFTER_INTEGRATION
        elif passed >= PATIENCE and _stands_still(*equations.rates(state), last, state):
            return state, INTEGRATED
        return None

    found, outcome = come_to_rest(start, advance, finish)
    if outcome.failed:
        outcome = Outcome.failure(_unrest(now, time, advance) or outcome.reason)
    return found, outcome


def _leads_to(limit: FloatArray, last: FloatArray, now: FloatArray, peak: FloatArray) -> bool:
    """Whether a course that was at `last` and is `now` ends at a limit."""
    near = np.abs(limit - now) <= NEAR * now + GONE * peak
    # a power of time goes on for ever: to have come far and to go on is enough
    vanishing = (limit == 0) & (now <= 0.5 * last) & (now <= 1e-3 * peak)
    return bool(np.all(near | vanishing))


def _stands_still(
    net: FloatArray, gross: FloatArray, last: FloatArray, now: FloatArray
) -> bool:
    absent = ABSENT * now.max(initial=0.0)
    moved = np.abs(now - last) > STILL * now + absent
    # gains and losses must be equal: nothing stands still because an integrator did
    return not np.any(moved) and bool(np.all((np.abs(net) <= 1e-6 * gross) | (now <= absent)))


def _unrest(state: FloatArray, time: float, advance: Advance, points: int = 64) -> str:
    """What a course does that does not come to rest; empty if that cannot be seen."""
    states = [state]
    try:
        while len(states) <= points:
            states.append(advance(states[-1], max(time, 1.0) / points))
    except ConvergenceError:
        return ""
    course = np.array(states)
    early, late = course[: points // 2], course[points // 2 :]
    if np.any(np.all(np.diff(course, axis=0) > 0, axis=0) & (course[-1] >= 1.5 * course[0])):
        return f"a species grows without end, to {course[-1].max():.3g} by t = {2 * time:.3g}"
    # what dies down has a smaller range later; half of it leaves room for a beat. What rises or
    # falls throughout goes no further than its range
    ranges, way = (np.ptp(early, axis=0), np.ptp(late, axis=0)), np.abs(np.diff(late, axis=0))
    turns = way.sum(axis=0) > 1.5 * ranges[1]
    if np.any(turns & (ranges[1] > 1e-3 * course.mean(axis=0)) & (ranges[1] > 0.5 * ranges[0])):
        return f"it oscillates without dying down, at t = {time:.3g} as at {2 * time:.3g}"
    return ""
