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
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import sparse

from crn_nn_tellurium.basics import FloatArray

IntArray = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Terms:
    """A table of terms, sorted by row and, within a row, in the order of the reactions.

    Attributes
    ----------
    number : (n_terms,) ndarray
        By how much a molecule number changes; in a Jacobian, times the power that came down.
    constant : (n_terms,) int ndarray
        Which rate constant.
    factors : (n_terms, order) int ndarray
        What is multiplied, among [floating, boundary, 1].
    row : (n_terms,) int ndarray
        What the term is a part of: the rate of change of which floating species.
    n_rows, one : int
        Number of rows; place of the 1.
    column : (n_terms,) int ndarray, optional
        In a Jacobian, the species that the derivative is with respect to, among [floating,
        boundary]; sorted within a row.
    """

    number: FloatArray
    constant: IntArray
    factors: IntArray
    row: IntArray
    n_rows: int
    one: int
    column: IntArray | None = None

    def __len__(self) -> int:
        return len(self.number)

    def span(self, row: int) -> range:
        """The terms of one row."""
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
        return tuple(f for f in self.factors[term].tolist() if f < self.one)

    def where(self, chosen: npt.NDArray[np.bool_]) -> Terms:
        """Some of the terms."""
        return replace(
            self,
            number=self.number[chosen],
            constant=self.constant[chosen],
            factors=self.factors[chosen],
            row=self.row[chosen],
            column=None if self.column is None else self.column[chosen],
        )

    # Values -----------------------------------------------------------------------------------

    def monomials(self, extended: FloatArray, constants: FloatArray) -> FloatArray:
        """The terms without their numbers (..., n_terms).

        `extended` (..., n_floating + n_boundary + 1) are the concentrations and a 1, `constants`
        (..., n_constants) the rate constants.
        """
        result = multiplied_by(constants[..., self.constant], self.factors, extended)
        lead = np.broadcast_shapes(extended.shape[:-1], result.shape[:-1])
        return np.broadcast_to(result, (*lead, len(self)))

    def add(self, monomials: FloatArray, sizes: bool = False) -> FloatArray:
        """Sums (..., n_rows) of terms; with `sizes`, of their sizes."""
        if sizes:
            return _apply(self._gather_sizes, np.abs(monomials))
        return _apply(self._gather, monomials)

    def sums(self, extended: FloatArray, constants: FloatArray) -> FloatArray:
        """Sums (..., n_rows) of the terms at these concentrations and rate constants."""
        return self.add(self.monomials(extended, constants))

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
        term, position, species = (part[species < self.one] for part in (term, position, species))
        # what is left when the factor at `position` is taken out
        left = np.arange(max(order - 1, 0)) + (np.arange(max(order - 1, 0)) >= position[:, None])
        others = np.take_along_axis(self.factors[term], left, axis=1)
        keys = np.column_stack([self.row[term], species, self.constant[term], others])
        _, first, same = np.unique(keys, axis=0, return_index=True, return_inverse=True)
        number: FloatArray = np.bincount(same.ravel(), self.number[term], len(first)).astype(float)
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

    def matrix(self, extended: FloatArray, constants: FloatArray) -> sparse.csr_array:
        """A Jacobian's values at one state, (n_rows, n_floating + n_boundary)."""
        values = self.number * self.monomials(extended, constants)
        # entries of one place are added up, in their order
        return sparse.csr_array((values, (self.row, self.column)), shape=(self.n_rows, self.one))

    def by_constant(self, extended: FloatArray, n_constants: int) -> sparse.csr_array:
        """Derivatives with respect to the rate constants at one state, (n_rows, n_constants)."""
        values = self.number * self.monomials(extended, np.ones(n_constants))
        shape = (self.n_rows, n_constants)
        return sparse.csr_array((values, (self.row, self.constant)), shape=shape)


def multiplied_by(values: FloatArray, factors: IntArray, extended: FloatArray) -> FloatArray:
    """Values (..., n) times the concentrations that stand at their factors (n, order)."""
    for factor in factors.T:
        values = values * extended[..., factor]
    return values


def _apply(matrix: sparse.csr_array, vectors: FloatArray) -> FloatArray:
    """matrix @ v for every v along the last axis."""
    flat = vectors.reshape(math.prod(vectors.shape[:-1]), vectors.shape[-1])
    return np.asarray((matrix @ flat.T).T).reshape(*vectors.shape[:-1], matrix.shape[0])


@dataclass(frozen=True, slots=True)
class Balance:
    """How far species are from a fixed point, independently of units.

    Attributes
    ----------
    net, gross : (..., n) ndarray
        dx/dt, and the sum of gains and losses that it is the difference of.
    slope : (..., n) ndarray
        d(dx/dt)/dx of each species with respect to itself.
    """

    net: FloatArray
    gross: FloatArray
    slope: FloatArray

    @property
    def imbalance(self) -> FloatArray:
        """|net| / gross: 0 at a fixed point, 1 where all is gain or all is loss, 0 where nothing
        happens.
        """
        return np.divide(
            np.abs(self.net), self.gross, out=np.zeros_like(self.net), where=self.gross > 0
        )

    @property
    def distance(self) -> FloatArray:
        """|net| / |slope|: distance to the fixed point, to first order, in concentration."""
        with np.errstate(divide="ignore"):
            return np.divide(
                np.abs(self.net),
                np.abs(self.slope),
                out=np.zeros_like(self.net),
                where=self.net != 0,
            )

    @property
    def rounding(self) -> FloatArray:
        """The part of `distance` that double precision cannot remove."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.nan_to_num(
                64 * np.finfo(float).eps * self.gross / np.abs(self.slope), nan=0.0, posinf=0.0
            )
