"""Rates of change of a mass-action network as one table of terms, and what is made of it.

Every part of every dx/dt is number * rate constant * product of concentrations. Written as arrays,
the table gives right-hand side, Jacobian, sums of sizes and derivatives by rate constants; texts,
bounds and envelopes are made from it as well.

Everything is evaluated from the monomials themselves, never from v / x or v / k, so that rates,
Jacobian and derivatives with respect to rate constants are right at zero concentration and for
a rate constant of zero.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.chemistry.reactions import Reaction

IntArray = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Terms:
    """A table of terms, sorted by row and, within a row, in the order of the reactions.

    Arrays are (n_terms,), `factors` (n_terms, order).
    """

    # by how much a molecule number changes; in a Jacobian, times the power that came down
    number: FloatArray
    constant: IntArray
    # what is multiplied, among [floating, boundary, 1]: terms of lower order are filled up with 1s
    factors: IntArray
    # the floating species of whose rate of change the term is a part
    row: IntArray
    n_rows: int
    # the place of the 1 among factors, behind all species
    one: int
    # in a Jacobian, the species that the derivative is with respect to; sorted within a row
    column: IntArray | None = None

    @classmethod
    def of_rates(
        cls, reactions: Sequence[Reaction], species: Sequence[str], constants: Sequence[str]
    ) -> Terms:
        """The reaction rates, one term each, by reaction."""
        # a reaction of lower order than the highest is filled up with 1s, which stand last
        column = {name: i for i, name in enumerate(species)}
        constant = {name: i for i, name in enumerate(constants)}
        order = max((reaction.order for reaction in reactions), default=0)
        n = len(reactions)
        factors = np.full((n, order), len(column), dtype=np.intp)
        for row, reaction in enumerate(reactions):
            molecules = [column[s] for s, count in reaction.substrates for _ in range(count)]
            factors[row, : len(molecules)] = molecules
        of_each = np.array([constant[r.rate_constant] for r in reactions], dtype=np.intp)
        return cls(np.ones(n), of_each, factors, np.arange(n), n, len(column))

    @classmethod
    def side_by_side(cls, parts: Sequence[Terms], n: int) -> Terms:
        """Tables among the same n species as one."""
        order = max((part.factors.shape[1] for part in parts), default=0)
        wide = [
            np.pad(part.factors, ((0, 0), (0, order - part.factors.shape[1])), constant_values=n)
            for part in parts
        ]
        row = np.concatenate([part.row for part in parts])
        first = np.argsort(row, kind="stable")
        number = np.concatenate([part.number for part in parts])
        constant = np.concatenate([part.constant for part in parts])
        return cls(number[first], constant[first], np.concatenate(wide)[first], row[first], n, n)

    def in_changes(self, changes: sparse.csr_array) -> Terms:
        """Terms of rates as those of dx/dt, by the net stoichiometry (n_floating, n_reactions)."""
        reaction = changes.indices
        row = np.repeat(np.arange(changes.shape[0]), np.diff(changes.indptr))
        return Terms(
            changes.data,
            self.constant[reaction],
            self.factors[reaction],
            row,
            changes.shape[0],
            self.one,
        )

    def __len__(self) -> int:
        return len(self.number)

    def span(self, row: int) -> range:
        return range(int(self._starts[row]), int(self._starts[row + 1]))

    @cached_property
    def _starts(self) -> IntArray:
        return np.searchsorted(self.row, np.arange(self.n_rows + 1))

    @cached_property
    def power(self) -> IntArray:
        """How often the row's own species is among the factors, (n_terms,)."""
        return np.asarray((self.factors == self.row[:, None]).sum(axis=1))

    @cached_property
    def others(self) -> IntArray:
        """The factors (n_terms, order) with 1 in place of the row's own species."""
        return np.where(self.factors == self.row[:, None], self.one, self.factors)

    def symbols(self, term: int) -> tuple[int, ...]:
        """The factors of one term that are species, each as often as it is multiplied."""
        return self._symbols[term]

    @cached_property
    def _symbols(self) -> list[tuple[int, ...]]:
        # trainings ask for them in every evaluation
        return [tuple(f for f in row if f < self.one) for row in self.factors.tolist()]

    def where(self, chosen: npt.NDArray[np.bool_] | IntArray) -> Terms:
        """Some of the terms, or all in another order."""
        return replace(
            self,
            number=self.number[chosen],
            constant=self.constant[chosen],
            factors=self.factors[chosen],
            row=self.row[chosen],
            column=None if self.column is None else self.column[chosen],
        )

    def holding(self, boundary: FloatArray, constants: FloatArray) -> Terms:
        """The same terms of the floating species alone: what is held is in their numbers.

        Terms of one row that multiply the same are one, and those that are 0 are left out.
        """
        n = self.one - len(boundary)
        held = self.factors >= n
        known = np.append(boundary, 1.0)
        number = self.number * constants[self.constant]
        for factor, is_held in zip(self.factors.T, held.T, strict=True):
            number = number * np.where(is_held, known[np.maximum(factor - n, 0)], 1.0)
        # what is left, in order, with 1s behind
        factors = np.sort(np.where(held, n, self.factors), axis=1)
        keys = np.column_stack([self.row, factors])
        left, same = np.unique(keys, axis=0, return_inverse=True)
        total: FloatArray = np.bincount(same.ravel(), number, len(left)).astype(float)
        left, total = left[total != 0], total[total != 0]
        order = int((left[:, 1:] < n).sum(axis=1).max(initial=0))
        constant = np.zeros(len(left), dtype=np.intp)
        return Terms(total, constant, left[:, 1 : 1 + order], left[:, 0], self.n_rows, n)

    # Values -----------------------------------------------------------------------------------

    def monomials(self, extended: FloatArray, constants: FloatArray) -> FloatArray:
        """The terms without their numbers (..., n_terms), of concentrations and a 1, `extended`
        (..., n_floating + n_boundary + 1), and rate constants (..., n_constants).
        """
        result = multiplied_by(constants[..., self.constant], self.factors, extended)
        if extended.ndim == constants.ndim == 1:
            return result
        lead = np.broadcast_shapes(extended.shape[:-1], result.shape[:-1])
        return np.broadcast_to(result, (*lead, len(self)))

    def add(self, monomials: FloatArray, sizes: bool = False) -> FloatArray:
        """Sums (..., n_rows) of terms; with `sizes`, of their sizes."""
        if monomials.ndim == 1:
            # for one state a sparse matrix costs more than its sums, which are the same
            parts = self.number * monomials
            return self.total(np.abs(parts) if sizes else parts)
        matrix = self._gather_sizes if sizes else self._gather
        vectors = np.abs(monomials) if sizes else monomials
        # scipy's sparse arrays multiply two dimensions alone
        flat = vectors.reshape(math.prod(vectors.shape[:-1]), len(self))
        return np.asarray((matrix @ flat.T).T).reshape(*vectors.shape[:-1], self.n_rows)

    def total(self, values: FloatArray, chosen: npt.NDArray[np.bool_] | None = None) -> FloatArray:
        """Sums (..., n_rows) of terms (..., n_terms) that have their numbers already: of all, or of
        those chosen (n_terms,).
        """
        if chosen is not None:
            values = np.where(chosen, values, 0.0)
        return added(values, self.row, self.n_rows)

    def sums(self, extended: FloatArray, constants: FloatArray) -> FloatArray:
        """Sums (..., n_rows) of the terms at these concentrations and rate constants."""
        return self.add(self.monomials(extended, constants))

    def is_zero(self, row: int, extended: FloatArray, constants: FloatArray) -> bool:
        """Whether a row's sum at one state is 0 exactly, before anything is rounded."""
        total = Fraction(0)
        for term in self.span(row):
            factors = [self.number[term], constants[self.constant[term]]]
            factors += [extended[symbol] for symbol in self.symbols(term)]
            total += math.prod(Fraction(float(factor)) for factor in factors)
        return total == 0

    @cached_property
    def _gather(self) -> sparse.csr_array:
        shape = (self.n_rows, len(self))
        return sparse.csr_array((self.number, np.arange(len(self)), self._starts), shape=shape)

    @cached_property
    def _gather_sizes(self) -> sparse.csr_array:
        return abs(self._gather)  # a tenth of a steady state's time, were it made in every balance

    # Derivatives ------------------------------------------------------------------------------

    def derivative(self) -> Terms:
        """The table of the Jacobian; terms that differ in their numbers alone are one."""
        order = self.factors.shape[1]
        term = np.repeat(np.arange(len(self)), order)
        position = np.tile(np.arange(order), len(self))
        species = self.factors.ravel()
        # by the product rule, each factor that is a species is taken out in turn
        term, position, species = (part[species < self.one] for part in (term, position, species))
        # what is left when the factor at `position` is taken out
        left = np.arange(max(order - 1, 0)) + (np.arange(max(order - 1, 0)) >= position[:, None])
        others = np.take_along_axis(self.factors[term], left, axis=1)
        # of x x, both factors leave the same: one term, with their numbers added
        keys = np.column_stack([self.row[term], species, self.constant[term], others])
        _, first, same = np.unique(keys, axis=0, return_index=True, return_inverse=True)
        number: FloatArray = np.bincount(same.ravel(), self.number[term], len(first)).astype(float)
        # reactions that share a rate constant may cancel: what is zero throughout is left out
        kept = np.flatnonzero(number)
        row, column = self.row[term[first]], species[first]
        kept = kept[np.lexsort((first[kept], column[kept], row[kept]))]
        first = first[kept]
        return Terms(
            number[kept],
            self.constant[term[first]],
            others[first],
            row[kept],
            self.n_rows,
            self.one,
            column[kept],
        )

    def matrix(
        self, extended: FloatArray, constants: FloatArray, sizes: bool = False
    ) -> sparse.csr_array:
        """A Jacobian's values at one state, (n_rows, n_floating + n_boundary); with `sizes`, the
        sums of the sizes of their terms.
        """
        values = self.number * self.monomials(extended, constants)
        if sizes:
            values = np.abs(values)
        # entries of one place are added up, in their order
        return sparse.csr_array((values, (self.row, self.column)), shape=(self.n_rows, self.one))

    def array(self, extended: FloatArray, constants: FloatArray) -> FloatArray:
        """As `matrix`, with its zeros: faster for few species."""
        return self.filled(self.number * self.monomials(extended, constants))

    def filled(self, values: FloatArray) -> FloatArray:
        """An array (n_rows, n_floating + n_boundary) of terms (n_terms,) with their numbers."""
        found = np.bincount(self._entry, values, self.n_rows * self.one)
        return found.astype(float, copy=False).reshape(self.n_rows, self.one)

    @cached_property
    def transposed(self) -> Terms:
        """The table of a Jacobian's transpose."""
        assert self.column is not None
        ordered = self.where(np.argsort(self.column, kind="stable"))
        assert ordered.column is not None
        return replace(ordered, row=ordered.column, column=ordered.row)

    @cached_property
    def _entry(self) -> IntArray:
        """The place of each term in an array of the Jacobian, row by row."""
        assert self.column is not None
        return np.asarray(self.row * self.one + self.column)

    def by_constant(self, extended: FloatArray, n_constants: int) -> sparse.csr_array:
        """Derivatives with respect to the rate constants at one state, (n_rows, n_constants)."""
        # a term is linear in its rate constant, so its derivative is the term with a 1 there
        values = self.number * self.monomials(extended, np.ones(n_constants))
        shape = (self.n_rows, n_constants)
        return sparse.csr_array((values, (self.row, self.constant)), shape=shape)


def added(values: FloatArray, place: IntArray, n: int) -> FloatArray:
    """Sums (..., n) of the values (..., m) that have one place (m,)."""
    lead = values.shape[:-1]
    if not lead:
        return np.bincount(place, values, n).astype(float, copy=False)
    # samples behind one another
    all_places = (place + n * np.arange(math.prod(lead))[:, None]).ravel()
    found = np.bincount(all_places, values.ravel(), n * math.prod(lead))
    return found.astype(float, copy=False).reshape(*lead, n)


def multiplied_by(values: FloatArray, factors: IntArray, extended: FloatArray) -> FloatArray:
    """Values (..., n) times the concentrations that stand at their factors (n, order)."""
    for factor in factors.T:
        values = values * extended[..., factor]
    return values


def settle_in_turn(terms: Terms, derivatives: Terms) -> bool:
    """Whether no species of dx/dt act on one another both ways, and two of none make more of it.

    Then positive steady states are stable. The Jacobian is triangular, in some order; with
    f = sum of c_p x^p of a species where f = 0, x f' = -c_0 + sum over p > 1 of (p - 1) c_p x^p,
    which is no gain where these c_p are <= 0: what takes a species reads it, so c_0 >= 0.
    """
    n = terms.n_rows
    assert derivatives.column is not None
    inside = derivatives.column < n
    ones = np.ones(np.count_nonzero(inside))
    entries = derivatives.row[inside], derivatives.column[inside]
    blocks = connected_components(sparse.csr_array((ones, entries), (n, n)), connection="strong")
    more = (terms.number > 0) & (terms.power > 1)
    return bool(blocks[0] == n and not np.any(more))


ROUNDING = 64 * float(np.finfo(float).eps)
"""Every term and every partial sum is rounded; this leaves room for sums of many terms."""


@dataclass(frozen=True, slots=True)
class Balance:
    """How far species are from a fixed point, independently of units; arrays (..., n)."""

    net: FloatArray  # dx/dt
    gross: FloatArray  # the sum of the gains and losses that it is the difference of
    slope: FloatArray  # d(dx/dt)/dx of each species with respect to itself

    @property
    def imbalance(self) -> FloatArray:
        """|net| / gross: 0 at a fixed point or where nothing happens, 1 where all is gain, NaN of
        what is no number.
        """
        return np.divide(
            np.abs(self.net), self.gross, out=np.zeros_like(self.net), where=self.gross != 0
        )

    @property
    def distance(self) -> FloatArray:
        """|net| / |slope|: distance to the fixed point, to first order, in concentration."""
        net, slope = np.abs(self.net), np.abs(self.slope)
        # infinite where a slope of 0 leads nowhere, but 0 where there is nothing left to go
        far = np.where(net != 0, np.inf, 0.0)
        return np.divide(net, slope, out=far, where=(slope > 0) & (net != 0))

    @property
    def rounding(self) -> FloatArray:
        """The part of `distance` that double precision cannot remove."""
        size, slope = ROUNDING * self.gross, np.abs(self.slope)
        return np.divide(size, slope, out=np.zeros_like(size), where=slope > 0)

    def within(self, allowed: Any) -> Any:
        """Which `distance` is at most `allowed` and what double precision cannot remove.

        Of Python's numbers as well as of arrays.
        """
        # multiplied by the slope, in half the steps; of a slope of 0 both sides would be rounding
        far, slope = abs(self.net), abs(self.slope)
        near = far <= allowed * slope + ROUNDING * self.gross
        # rates beyond all numbers are no balance, though infinity is at most infinity
        return near & (far < math.inf) & ((slope > 0) | (far == 0))
