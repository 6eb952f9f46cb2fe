"""dx/dt of all species while inputs and rate constants are held, and its derivatives.

A mass-action network is a table of terms (`chemistry.rates`). Of a neural network's, nearly all
terms are those of weights: the rails Y of a layer share the drives that its weights make of the
species X that it reads, so these terms are one matrix product a layer,

    dY_r/dt = local(y) + (s_r z + b_r) Y_r,        z = W X,

with s_r the sign of rail r and b_r its bias; what is made of the inputs is in z once and for all.
The Jacobian J has the same two parts, and so have J v and J^T v, which take no longer than dx/dt.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.linalg import splu

from crn_nn_tellurium.basics import FloatArray, dense
from crn_nn_tellurium.chemistry import ReactionNetwork, Terms, multiplied_by

IntArray = npt.NDArray[np.intp]
_ONE = np.ones(1)


@dataclass(frozen=True, eq=False)
class CatalysedTerms:
    """The terms of one layer that weights and biases make: rails times their drives."""

    # (n_units, n_read), of the floating species at the places `read` (n_read,)
    weights: FloatArray | sparse.csr_array
    read: IntArray
    # the part of the inputs (..., n_units), held
    held: FloatArray
    # places (n_rails, n_units), signs (n_rails,) and biases (n_rails, n_units) of the rails
    rails: IntArray
    signs: FloatArray
    bias: FloatArray

    def of_rails(self, x: FloatArray) -> FloatArray:
        """Drives (..., n_rails, n_units) in states (..., n_species)."""
        if not len(self.read):
            return self.unmoved
        return self.unmoved + self.signs[:, None] * self.sums(x)[..., None, :]

    def as_terms(self, n: int) -> Terms:
        """Drives of one sample that nothing moves, among n species."""
        rails = self.rails.ravel()
        constant = np.zeros(len(rails), dtype=np.intp)
        return Terms(self.unmoved.ravel(), constant, rails[:, None], rails, n, n)

    @cached_property
    def unmoved(self) -> FloatArray:
        """The drives (..., n_rails, n_units) without what moves."""
        return self.signs[:, None] * self.held[..., None, :] + self.bias

    def by_sums(self, x: FloatArray) -> FloatArray:
        """Derivatives (..., n_rails, n_units) of the terms by W X."""
        return np.asarray(self.signs[:, None] * x[..., self.rails])

    def sums(self, x: FloatArray) -> FloatArray:
        """W X (..., n_units); of changes of a state, those of z."""
        return np.asarray(x[..., self.read] @ self.weights.T)


@dataclass(frozen=True, eq=False)
class RatesOfChange:
    """dx/dt of `n_species` species in states (..., n_species), for one sample or a batch of them.

    `terms` have their rate constants and all that is held in their numbers; the rest is `catalysed`
    by what a layer reads.
    """

    n_species: int
    terms: Terms
    catalysed: tuple[CatalysedTerms, ...] = ()

    @classmethod
    def of(
        cls,
        crn: ReactionNetwork,
        boundary: FloatArray | None = None,
        constants: FloatArray | None = None,
    ) -> RatesOfChange:
        """Any network's, at boundary concentrations (n_boundary,) and constants (n_constants,)."""
        held = crn.boundary_concentrations if boundary is None else boundary
        k = crn.constants if constants is None else constants
        return cls(len(crn.floating), crn.terms.holding(held, k))

    def __call__(self, x: FloatArray) -> FloatArray:
        """dx/dt, (..., n_species)."""
        result = self.terms.total(self.values(self.terms, x))
        for part in self.catalysed:
            result[..., part.rails] += part.of_rails(x) * x[..., part.rails]
        return result

    def along(self, x: FloatArray, v: FloatArray) -> FloatArray:
        """J v in states x, both (..., n_species)."""
        result = self._own_product(self.derivatives, x, v)
        for part in self._moving:
            result[..., part.rails] += part.by_sums(x) * part.sums(v)[..., None, :]
        return result

    def back(self, x: FloatArray, v: FloatArray) -> FloatArray:
        """J^T v in states x, both (..., n_species)."""
        result = self._own_product(self.derivatives.transposed, x, v)
        for part in self._moving:
            by_unit = (part.by_sums(x) * v[..., part.rails]).sum(axis=-2)
            # a species is read once by a layer, so nothing is added twice to one place
            result[..., part.read] += by_unit @ part.weights
        return result

    def implicit(
        self, x: FloatArray, step: float, identity: float = 1.0
    ) -> Callable[[FloatArray], FloatArray]:
        """What solves (identity I - step J) v = right, both (n_species,), in one state.

        Without the drives' effects of layer on layer the matrix is sparse; with these it is block
        triangular, so that a layer is solved after all that it reads, with nothing filled in.
        """
        factors = splu(self._own_matrix(x, -step, identity), options={"SymmetricMode": True})
        effects = [step * part.by_sums(x) for part in self._moving]

        def solve(right: FloatArray) -> FloatArray:
            found = factors.solve(right)
            for part, effect in zip(self._moving, effects, strict=True):
                # in the order of the layers: what this one reads is known by now
                right = right.copy()
                right[part.rails] += effect * part.sums(found)
                found = factors.solve(right)
            return np.asarray(found)

        return solve

    def _own_product(self, terms: Terms, x: FloatArray, v: FloatArray) -> FloatArray:
        """J v, or J^T v by transposed `terms`, without the drives' effects of layer on layer."""
        result = terms.total(self.values(terms, x) * v[..., terms.column])
        for part in self.catalysed:
            result[..., part.rails] += part.of_rails(x) * v[..., part.rails]
        return result

    def _own_matrix(self, x: FloatArray, factor: float, identity: float) -> sparse.csc_array:
        """identity I + factor J without the drives' effects of layer on layer."""
        terms, (rows, columns, entry) = self.derivatives, self._pattern
        values: FloatArray = np.bincount(entry, self.values(terms, x), len(rows)).astype(float)
        diagonal = np.zeros(self.n_species)
        for part in self.catalysed:
            diagonal[part.rails] += part.of_rails(x)
        values = factor * values
        values[rows == columns] += identity + factor * diagonal
        first = np.searchsorted(columns, np.arange(self.n_species + 1))
        shape = (self.n_species, self.n_species)
        return sparse.csc_array((values, rows, first), shape=shape)

    @cached_property
    def _pattern(self) -> tuple[IntArray, IntArray, IntArray]:
        """Rows and columns of the entries of the terms' Jacobian and of the diagonal, column by
        column, and which of them each term is in.
        """
        terms, n = self.derivatives, self.n_species
        assert terms.column is not None
        places = np.concatenate([terms.column * n + terms.row, np.arange(n) * (n + 1)])
        entries, same = np.unique(places, return_inverse=True)
        return entries % n, entries // n, same[: len(terms)]

    @cached_property
    def _moving(self) -> list[CatalysedTerms]:
        """Those of layers that read floating species, in the order of the layers."""
        return [part for part in self.catalysed if len(part.read)]

    # Tables -----------------------------------------------------------------------------------

    @cached_property
    def derivatives(self) -> Terms:
        """The Jacobian of the terms, as a table."""
        return self.terms.derivative()

    def values(self, terms: Terms, x: FloatArray) -> FloatArray:
        """The terms (..., n_terms)."""
        one = _ONE if x.ndim == 1 else np.ones((*x.shape[:-1], 1))
        result = multiplied_by(terms.number, terms.factors, np.concatenate([x, one], axis=-1))
        # terms without factors have no samples
        return result if result.ndim == x.ndim else np.tile(result, (*x.shape[:-1], 1))


class DenseRates:
    """The same for states (n_species,) of one sample, of few species, in two matrix products:

        dx_i/dt = c_i + sum_j A_ij x_j + x_i (b_i + sum_j W_ij x_j) + rest_i(x).

    W has all terms of two factors of which the species itself is one, as the drives and losses of
    rails are. The rest are what catalysts alone make: followers that are products, say.
    """

    def __init__(self, rates: RatesOfChange) -> None:
        n, terms = rates.n_species, rates.terms
        # factors are in order, with the 1, whose place is n, behind
        factors = np.pad(terms.factors, ((0, 0), (0, 3)), constant_values=n)
        a, b, row = factors[:, 0], factors[:, 1], terms.row
        own = ((a == row) | (b == row)) & (factors[:, 2] == n)
        other = ~own & (b == n)
        by_own, by_other = np.zeros((n, n + 1)), np.zeros((n, n + 1))
        # of x_i x_i one is left
        left = np.where(a == row, b, a)
        np.add.at(by_own, (row[own], left[own]), terms.number[own])
        np.add.at(by_other, (row[other], a[other]), terms.number[other])
        for part in rates.catalysed:
            weights = dense(part.weights)
            for rails, sign, held in zip(part.rails, part.signs, part.unmoved, strict=True):
                by_own[rails, n] += held
                by_own[np.ix_(rails, part.read)] += sign * weights
        self._own, self._own_constant = by_own[:, :n].copy(), by_own[:, n].copy()
        self._other, self._constant = by_other[:, :n].copy(), by_other[:, n].copy()
        self._has_other = bool(self._other.any())
        rest = ~own & ~other
        self._rest = RatesOfChange(n, terms.where(rest)) if rest.any() else None

    def __call__(self, x: FloatArray) -> FloatArray:
        """dx/dt (n_species,)."""
        result = self._own @ x
        result += self._own_constant
        result *= x
        result += self._constant
        if self._has_other:
            result += self._other @ x
        return result if self._rest is None else result + self._rest(x)

    def jacobian(self, x: FloatArray) -> FloatArray:
        """J (n_species, n_species)."""
        result: FloatArray = x[:, None] * self._own + self._other
        np.einsum("ii->i", result)[:] += self._own @ x + self._own_constant
        if self._rest is not None:
            terms = self._rest.derivatives
            result += terms.filled(self._rest.values(terms, x))
        return result
