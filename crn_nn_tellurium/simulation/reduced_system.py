"""A network's reduced system, whose root with given sums is one.

A network that conserves something has a steady state for every value of its sums, and a singular
Jacobian. So the reduced system is solved: f_i(x) = 0 of as many species as are independent, and
C x = C x(0) in place of the others' equations (see `chemistry.conservation`), by Newton's method
on the network's own Jacobian.

Species that decay like a power of time (A + B -> C from equal starts, 2 A -> B) end at a double
root, where each step halves what is left: what is rounding beside the rest is then set to 0, and
taken if nothing makes it there.

Source: Reder, J. theor. Biol. 135 (1988) 175, on the reduced system.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu, spsolve

from crn_nn_tellurium.basics import FloatArray, dense
from crn_nn_tellurium.chemistry import ConservedSums, ReactionNetwork
from crn_nn_tellurium.simulation.engine import SMALLEST
from crn_nn_tellurium.simulation.outcome import ACCURATE
from crn_nn_tellurium.simulation.stability import Matrix, Stability, is_isolated

ABSENT = 1e-12
"""What is so far below the largest concentration may be off by as much, or be 0."""
NEAR = 1e-2
"""How far, relative to a concentration, Newton's method may take a state that was reached."""
DENSE_UP_TO = 300
"""Species up to which dense linear algebra is faster."""
DRAWS = 8
"""Of the directions of rounding."""
STEPS = 50
"""Of Newton's method."""
LAST = 1e-9
"""Newton's last step, relative to a concentration."""
TOGETHER = 256
"""Columns of an inverse that are looked for at a time."""
EPS, TINY = float(np.finfo(float).eps), float(np.finfo(float).tiny)


@dataclass(frozen=True)
class Equations:
    """dx/dt as a function of the concentrations alone, its derivative, and what it conserves.

    `rates` are dx/dt and the sums of the gains and losses that it is the difference of. Matrices
    are arrays up to `DENSE_UP_TO` species, and sparse beyond.
    """

    rates: Callable[[FloatArray], tuple[FloatArray, FloatArray]]
    jacobian: Callable[[FloatArray], Matrix]
    sums: ConservedSums
    # of the species (n,), where the sums are of amounts
    volumes: FloatArray | None = None
    # of the Jacobian's entries, beside the largest
    accuracy: float = 0.0
    species: tuple[str, ...] = ()
    # places of those whose rates are not 0 although they and their derivatives cancel to rounding
    hidden: Callable[[FloatArray], Sequence[int]] = lambda x: ()

    @cached_property
    def rows(self) -> Matrix:
        """The conserved sums of concentrations (n_sums, n)."""
        rows = self.sums.rows
        if self.volumes is not None:
            amounts = rows.data * self.volumes[rows.indices]
            rows = sparse.csr_array((amounts, rows.indices, rows.indptr), rows.shape)
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

    def _rounding(self, gross: FloatArray, x: FloatArray) -> FloatArray:
        """By how much each equation may be off by rounding, in either direction."""
        return 4 * EPS * self.reduced(gross, abs(self.rows) @ np.abs(x))

    def newton(self, state: FloatArray, totals: FloatArray) -> FloatArray | None:
        """Where Newton's method leads from a state, with these sums; None if to no steady state."""
        if np.any(state < 0):
            return None
        x, relative, length, shrunk = state, np.inf, np.inf, 0.0
        absent = ABSENT * np.abs(state).max(initial=0.0)
        for number in range(STEPS):
            at, matrix, (net, gross) = x, self.reduced_jacobian(x), self.rates(x)
            missing = self.reduced(net, self.rows @ x - totals)
            step = solved(matrix, missing[:, None], at)[:, 0]
            before, length = length, np.max(np.abs(step) / (state + absent + TINY), initial=0.0)
            earlier, shrunk = shrunk, length / (before or 1.0)
            # a first step that leads far ends at no state that is near, but for species that
            # vanish: of an m-fold root it is an m-th of what is left. If the second is far
            # smaller, the root is simple and x - step all but there
            if number == 0 or (number == 1 and shrunk < 0.1):
                ahead, vanishing = x - step, (0.85, 0.1)[number] * state
                far = np.abs(ahead - state) > 2 * NEAR * (state + absent)
                if np.any(far & (ahead > vanishing)):
                    return None
            # at an m-fold root every step is 1 - 1/m times the last: nearly all of them at once
            if 0.3 < shrunk < 0.95 and abs(shrunk - earlier) < 0.02:
                step, shrunk = step * 0.999 / (1 - shrunk), 0.0
            x = x - step
            if not np.all(np.isfinite(x)):
                return None
            size = np.abs(x) + absent + TINY
            last, relative = relative, np.max(np.abs(step) / size, initial=0.0)
            # at a simple root the next step were the square of this one
            if relative <= LAST or (relative < ACCURATE and relative >= last):
                break
        # some draws of the directions show where rounding leads to
        rounded = self._rounding(gross, at)[:, None] * _directions(len(x))
        rounding = solved(matrix, rounded, at)
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

    def error(self, x: FloatArray, totals: FloatArray) -> FloatArray:
        """Bound, to first order, of how far each species is from the steady state that x is."""
        matrix, (net, gross) = self.reduced_jacobian(x), self.rates(x)
        missing = self.reduced(net, self.rows @ x - totals)
        off = np.abs(missing) + self._rounding(gross, x)
        found = np.zeros_like(x)
        for first in range(0, len(x), TOGETHER):
            columns = np.arange(first, min(first + TOGETHER, len(x)))
            right = np.zeros((len(x), len(columns)))
            right[columns, columns - first] = off[columns]
            found += np.abs(solved(matrix, right, x)).sum(axis=1)
        if np.all(np.isfinite(found)):
            return found
        # what has vanished like a power of time is 0, as far as one can see beside the rest
        rows = dense(matrix)
        scale = np.abs(rows * _units(x)).max(axis=1)
        if np.any((scale == 0) & (off > 0)):
            return np.full_like(x, np.inf)  # nothing says where it settles
        scale[scale == 0] = 1.0
        inverse = np.linalg.pinv((rows * x) / scale[:, None], rcond=ABSENT)
        found = x * (np.abs(inverse) @ (off / scale))
        return np.where(x > 0, found, ABSENT * np.abs(x).max(initial=0.0))

    def underflow(self, x: FloatArray) -> bool:
        """Whether a species has no rates but by underflow: something that is there changes them."""
        if self.accuracy:
            return False  # a law may be 0 where its derivative, by differences, is not
        none = self.rates(x)[1] == 0
        return bool(np.any((abs(self.jacobian(x)) @ (x > 0.0).astype(float))[none]))

    def keeps(self, x: FloatArray, totals: FloatArray, sizes: FloatArray) -> bool:
        """Whether a state has the conserved sums that a course started with, given their sizes
        then, the sum of all parts: an integrator takes what is below `SMALLEST` for none.
        """
        absent = ABSENT * abs(self.rows).sum(axis=1) * x.max(initial=0.0)
        lost = np.abs(self.rows @ x - totals) > NEAR * sizes + absent
        return not np.any(lost | ((sizes > 0) & (sizes < SMALLEST)))

    def stability(self, x: FloatArray) -> Stability:
        """Of a steady state, against changes that keep the sums."""
        jacobian, independent = self.jacobian(x), self.sums.independent
        inner = jacobian[independent]
        if len(self.sums):
            # the dependent species follow: C_d dx_d + C_i dx_i = 0
            dependent = self.sums.dependent
            follow = _quotient(self.rows[:, dependent], self.rows[:, independent])
            inner = inner[:, independent] - inner[:, dependent] @ follow
        largest = float(abs(jacobian).max()) if len(x) else 0.0
        return Stability(inner, largest, self.accuracy)

    def is_isolated(self, x: FloatArray) -> bool:
        """Whether there is no line of steady states of the same sums through this one."""
        return is_isolated(self.reduced_jacobian(x), x, max(self.accuracy, EPS * len(x)))


def _quotient(left: Matrix, right: Matrix) -> Matrix:
    """left^-1 right."""
    if isinstance(left, np.ndarray):
        return np.linalg.solve(left, right)
    found = spsolve(sparse.csc_array(left), sparse.csc_array(right))
    return sparse.csr_array(found.reshape(right.shape))


@lru_cache(maxsize=16)
def _directions(n: int) -> FloatArray:
    """Directions (n, DRAWS) of rounding."""
    return np.random.default_rng(0).choice([-1.0, 1.0], (DRAWS, n)).T


def _units(x: FloatArray) -> FloatArray:
    """Sizes of concentrations (n,); of what is absent, that of the largest."""
    return np.where(x == 0, np.abs(x).max(initial=0.0) or 1.0, np.abs(x))


def solved(matrix: Matrix, right: FloatArray, x: FloatArray) -> FloatArray:
    """Changes (n, k) of concentrations x (n,) with matrix @ change = right; NaN if the matrix is
    singular.
    """
    # every unknown relative to its size and every equation to its largest part: species may be
    # many orders apart
    unit = _units(x)
    scaled = matrix * unit if isinstance(matrix, np.ndarray) else matrix @ sparse.diags_array(unit)
    largest = np.ravel(dense(abs(scaled).max(axis=1)))
    # an equation that has all but vanished stays as it is
    scale = np.where(largest > 1e-290, largest, 1.0)[:, None]
    try:
        if isinstance(scaled, np.ndarray):
            return np.linalg.solve(scaled / scale, right / scale) * unit[:, None]
        factors = splu((sparse.diags_array(1 / scale[:, 0]) @ scaled).tocsc())
        return np.asarray(factors.solve(right / scale)) * unit[:, None]
    except (np.linalg.LinAlgError, RuntimeError):  # the latter is what SuperLU raises
        return np.full_like(right, np.nan)


def reduced_equations(
    crn: ReactionNetwork, boundary: FloatArray | None = None, constants: FloatArray | None = None
) -> Equations:
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

    def hidden(x: FloatArray) -> list[int]:
        at = np.concatenate([x, behind])
        sizes = derivatives.matrix(at, k, sizes=True)[:, : len(x)]
        clear = abs(derivatives.matrix(at, k)[:, : len(x)]) - 4 * EPS * sizes
        lost = np.flatnonzero(np.ravel(dense(clear.max(axis=1))) <= 0)
        return [row for row in lost.tolist() if not terms.is_zero(row, at, k)]

    return Equations(rates, jacobian, crn.conserved_sums, species=crn.floating, hidden=hidden)
