"""The linear noise of any mass-action network at one steady state.

    J S + S J' + N diag(v) N' = 0,    covariance of concentrations S / V,

of the independent species where sums are conserved: the others follow from these, and the sums have
no noise. The mean is moved by d / V, J d + b = 0, where b is what curved rates make of S,

    b = N sum over p, q of 1/2 d2v/(dx_p dx_q) (S_pq - delta_pq x_p),

the last part since of n molecules that meet one another there are n (n - 1) ordered pairs.

What curves adds scatter of its own that first order leaves out: of a second-order part e' H e, e
normal of covariance S / V, the variance 2 tr(H S H S) / V^2. In the rate of species a it comes and
goes with e_p e_q, at l_p + l_q where l are rates of return, which leaves in a

    2 tr(G S G S) / V^2,    G_pq = H_pq / sqrt(l_a (l_a + l_p + l_q)).

Source: van Kampen, Stochastic Processes in Physics and Chemistry, ch. X; Elf and Ehrenberg, Genome
Res. 13 (2003) 2475; for the mean, Grima, J. Chem. Phys. 133 (2010) 035101.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import linalg

from crn_nn_tellurium.basics import FloatArray, dense
from crn_nn_tellurium.chemistry import ReactionNetwork, Terms
from crn_nn_tellurium.errors import ConvergenceError, InputError, SingularJacobianError
from crn_nn_tellurium.simulation import STABILITY_UP_TO, Equations, Stability, reduced_equations

IntArray = npt.NDArray[np.intp]
_SECONDS = 5
"""Of `STABILITY_UP_TO` species that act on one another: measured, 4 of them scipy's equation."""


@dataclass(frozen=True, eq=False)
class ReactionNoise:
    """Fluctuations about a steady state x (n_floating,) at a volume of 1.

    Covariances and shifts of concentrations at another volume V are these over V.
    """

    crn: ReactionNetwork
    x: FloatArray
    boundary: FloatArray

    @cached_property
    def _equations(self) -> Equations:
        return reduced_equations(self.crn, self.boundary)

    @cached_property
    def _stability(self) -> Stability:
        return self._equations.stability(self.x)

    @property
    def slowest(self) -> float:
        """How fast the slowest small change dies down."""
        return -self._stability.growth

    @cached_property
    def _inner(self) -> FloatArray:
        """The Jacobian of the independent species, all others following, of a stable state."""
        stability = self._stability
        if n := stability.unseen:
            raise InputError(
                f"network {self.crn.name!r}: {n:,} of its species act on one another, directly or"
                f" not; expected at most {STABILITY_UP_TO:,}: the covariances of all of them are"
                f" one dense equation, whose time grows with the cube of that number (about"
                f" {_SECONDS * (n / STABILITY_UP_TO) ** 3:.0f} s here, for every sample) and whose"
                f" matrices, {n * n * 8 / 1e6:,.0f} MB each, with its square; of a smaller volume,"
                " time_course(volume=, draws=) has them by runs"
            )
        # without species that move there is nothing to be unstable
        if not stability.stable:
            raise ConvergenceError(
                f"network {self.crn.name!r}: its steady state is unstable, a small change grows"
                f" like exp({stability.growth:.3g} t), so nothing fluctuates about it; expected a"
                " stable one: give another start"
            )
        if stability.open or stability.circles:
            raise SingularJacobianError(
                f"network {self.crn.name!r}: some small changes of its steady state do not die"
                " down, beside those of what is conserved, so fluctuations add up without end and"
                " have no stationary covariance; expected a state to which all species come back:"
                " a loss of what grows, say"
            )
        return dense(stability.inner)

    @cached_property
    def _follow(self) -> FloatArray:
        """Changes (n, n_independent) of all species by those of the independent ones."""
        sums, rows = self._equations.sums, dense(self._equations.rows)
        found = np.zeros((len(self.x), len(sums.independent)))
        found[sums.independent] = np.eye(len(sums.independent))
        if len(sums):
            # C_d dx_d + C_i dx_i = 0
            of_each = rows[:, sums.dependent], rows[:, sums.independent]
            found[sums.dependent] = -np.linalg.solve(*of_each)
        return found

    @cached_property
    def covariance(self) -> FloatArray:
        """S (n_floating, n_floating)."""
        changes = dense(self.crn.stoichiometry)[self._equations.sums.independent]
        diffusion = (changes * self.crn.rates(self.x, self.boundary)) @ changes.T
        inner = self._inner
        if not len(inner):
            return np.zeros((len(self.x), len(self.x)))
        found = linalg.solve_continuous_lyapunov(inner, -diffusion)
        return np.asarray(self._follow @ (found + found.T) @ self._follow.T / 2)

    def _curved(self) -> Iterator[tuple[IntArray, IntArray, IntArray, FloatArray]]:
        """Where two factors of a term vary together: row, both species, and what they are
        multiplied by.
        """
        terms, n = self.crn.terms, len(self.x)
        extended = np.concatenate([self.x, self.boundary, [1.0]])
        values = terms.number * self.crn.constants[terms.constant]
        places = range(terms.factors.shape[1])
        for p, q in itertools.combinations(places, 2):
            # two of the factors vary together, the others stay
            first, second = terms.factors[:, p], terms.factors[:, q]
            both = (first < n) & (second < n)
            part = values[both]
            for other in places:
                if other not in (p, q):
                    part = part * extended[terms.factors[both, other]]
            yield terms.row[both], first[both], second[both], part

    @cached_property
    def shift(self) -> FloatArray:
        """d (n_floating,)."""
        curvature, together = np.zeros(len(self.x)), self.covariance - np.diag(self.x)
        for row, p, q, part in self._curved():
            np.add.at(curvature, row, part * together[p, q])
        right = -curvature[self._equations.sums.independent]
        return np.asarray(self._follow @ np.linalg.solve(self._inner, right))

    @cached_property
    def bending(self) -> FloatArray:
        """Of each species (n_floating,), variance that curved rates alone make, or that they make
        of an output that reads it, beside what first order has; at a volume of 1.
        """
        own = self.crn.jacobian(self.x, self.boundary).diagonal()
        rate, found = np.maximum(np.abs(own), self.slowest), np.zeros(len(self.x))
        halves: dict[int, dict[tuple[int, int], float]] = {}
        for parts in self._curved():
            for row, p, q, part in zip(*(each.tolist() for each in parts), strict=True):
                entries = halves.setdefault(row, {})
                for pair in ((p, q), (q, p)):
                    entries[pair] = entries.get(pair, 0.0) + part / 2
        for row, entries in halves.items():
            lasts = {(p, q): rate[row] * (rate[row] + rate[p] + rate[q]) for p, q in entries}
            scaled = {pair: half / math.sqrt(lasts[pair]) for pair, half in entries.items()}
            found[row] = self._beside(scaled, self.covariance[row, row])
        slopes, bends = self._read
        for slope, bend in zip(slopes, bends, strict=True):
            ratio = self._beside(bend, float(slope @ self.covariance @ slope))
            curved = list({p for pair, half in bend.items() if half for p in pair})
            found[curved] = np.maximum(found[curved], ratio)
        return found

    def _beside(self, half: dict[tuple[int, int], float], variance: float) -> float:
        """2 tr(H S H S) over a variance, H a symmetric matrix by its entries."""
        places = sorted({p for pair in half for p in pair})
        matrix = np.array([[half.get((p, q), 0.0) for q in places] for p in places])
        product = matrix @ self.covariance[np.ix_(places, places)] if places else np.zeros((0, 0))
        more = 2 * float(np.trace(product @ product))
        return more / variance if variance > 0 else (math.inf if more > 0 else 0.0)

    @cached_property
    def anew(self) -> FloatArray:
        """How fast each species is made by reactions that do not read it, (n_floating,)."""
        return self._part(lambda terms: (terms.power == 0) & (terms.number > 0))

    @cached_property
    def of_itself(self) -> FloatArray:
        """How fast each is made by reactions that read it, (n_floating,)."""
        return self._part(lambda terms: (terms.power > 0) & (terms.number > 0))

    @cached_property
    def removal(self) -> FloatArray:
        """How fast each is lost by reactions that read one molecule of it, (n_floating,)."""
        return -self._part(lambda terms: (terms.power == 1) & (terms.number < 0))

    def _part(self, chosen: Callable[[Terms], Any]) -> FloatArray:
        terms, extended = self.crn.terms, np.concatenate([self.x, self.boundary, [1.0]])
        parts = terms.monomials(extended, self.crn.constants) * chosen(terms)
        return terms.add(parts)

    # What is read -----------------------------------------------------------------------------

    @cached_property
    def _read(self) -> tuple[FloatArray, list[dict[tuple[int, int], float]]]:
        """Of outputs, slopes (n_out, n_floating), and halves of second derivatives by pairs of
        species.
        """
        crn = self.crn
        if not crn.observables:
            return np.eye(len(self.x)), [{} for _ in self.x]
        values = dict(zip(crn.floating, self.x.tolist(), strict=True))
        values |= dict(zip(crn.boundary, self.boundary.tolist(), strict=True))
        values |= crn.constant_values
        place = {name: i for i, name in enumerate(crn.floating)}
        slopes, bends = np.zeros((len(crn.observables), len(place))), []
        for number, observable in enumerate(crn.observables):
            bend = {}
            read = [s for s in dict.fromkeys(observable.expression.symbols) if s in place]
            for p in read:
                slope = observable.expression.derivative(p)
                slopes[number, place[p]] = slope.evaluate(values)
                for q in read:
                    bend[place[p], place[q]] = float(slope.derivative(q).evaluate(values)) / 2
            bends.append(bend)
        return slopes, bends

    def outputs(self) -> tuple[FloatArray, FloatArray]:
        """Shift (n_out,) and covariance (n_out, n_out) of the observables, or of all species."""
        slopes, bends = self._read
        # a curved read-out has a mean that is not that of its species
        moved = [sum(half * self.covariance[pair] for pair, half in bend.items()) for bend in bends]
        return slopes @ self.shift + moved, slopes @ self.covariance @ slopes.T
