"""The linear noise of any mass-action network at one steady state.

    J S + S J' + N diag(v) N' = 0,    covariance of concentrations S / V,

of the independent species where sums are conserved: the others follow from these, and the sums have
no noise. The mean is moved by d / V, J d + b = 0, where b is what curved rates make of S,

    b = N sum over p, q of 1/2 d2v/(dx_p dx_q) (S_pq - delta_pq x_p),

the last part since of n molecules that meet one another there are n (n - 1) ordered pairs.

Source: van Kampen, Stochastic Processes in Physics and Chemistry, ch. X; Elf and Ehrenberg, Genome
Res. 13 (2003) 2475; for the mean, Grima, J. Chem. Phys. 133 (2010) 035101.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import linalg

from crn_nn_tellurium.basics import FloatArray, dense
from crn_nn_tellurium.chemistry import ReactionNetwork, Terms
from crn_nn_tellurium.errors import ConvergenceError, SingularJacobianError
from crn_nn_tellurium.simulation import Equations, reduced_equations


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
    def _inner(self) -> FloatArray:
        """The Jacobian of the independent species, all others following, of a stable state."""
        stability = self._equations.stability(self.x)
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

    @cached_property
    def shift(self) -> FloatArray:
        """d (n_floating,)."""
        curvature, terms, n = np.zeros(len(self.x)), self.crn.terms, len(self.x)
        extended = np.concatenate([self.x, self.boundary, [1.0]])
        together = self.covariance - np.diag(self.x)
        values = terms.number * self.crn.constants[terms.constant]
        places = range(terms.factors.shape[1])
        for p, q in itertools.combinations(places, 2):
            # two of the factors vary together, the others stay
            first, second = terms.factors[:, p], terms.factors[:, q]
            both = (first < n) & (second < n)
            part = values[both] * together[first[both], second[both]]
            for other in places:
                if other not in (p, q):
                    part = part * extended[terms.factors[both, other]]
            np.add.at(curvature, terms.row[both], part)
        right = -curvature[self._equations.sums.independent]
        return np.asarray(self._follow @ np.linalg.solve(self._inner, right))

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

    def outputs(self) -> tuple[FloatArray, FloatArray]:
        """Shift (n_out,) and covariance (n_out, n_out) of the observables, or of all species."""
        if not self.crn.observables:
            return self.shift, self.covariance
        crn = self.crn
        values = dict(zip(crn.floating, self.x.tolist(), strict=True))
        values |= dict(zip(crn.boundary, self.boundary.tolist(), strict=True))
        values |= crn.constant_values
        place = {name: i for i, name in enumerate(crn.floating)}
        slopes, bend = np.zeros((len(crn.observables), len(place))), np.zeros(len(crn.observables))
        for number, observable in enumerate(crn.observables):
            read = [s for s in dict.fromkeys(observable.expression.symbols) if s in place]
            for p in read:
                slope = observable.expression.derivative(p)
                slopes[number, place[p]] = slope.evaluate(values)
                # a curved read-out has a mean that is not that of its species
                bend[number] += sum(
                    float(slope.derivative(q).evaluate(values))
                    * self.covariance[place[p], place[q]]
                    / 2
                    for q in read
                )
        return slopes @ self.shift + bend, slopes @ self.covariance @ slopes.T
