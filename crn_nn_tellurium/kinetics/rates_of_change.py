"""dx/dt of all species while inputs and rate constants are held, and its derivatives.

A mass-action network is a table of terms (`chemistry.rates`). Of a neural network's, nearly all
terms are those of weights: the rails Y of a layer share the drives that its weights make of the
species X that it reads, so these terms are one matrix product a layer,

    dY_r/dt = local(y) + (s_r z + b_r) Y_r,        z = W X,

with s_r the sign of rail r and b_r its bias; what is made of the inputs is in z once and for all.
The Jacobian J has the same two parts, and so have J v and J^T v, which take no longer than dx/dt.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from crn_nn_tellurium.basics import FloatArray, is_sparse
from crn_nn_tellurium.chemistry import ReactionNetwork, Terms, multiplied_by

IntArray = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Drives:
    """What the rails of one layer are driven by."""

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
        z = self.held
        if len(self.read):
            z = z + self.sums(x)
        return self.signs[:, None] * z[..., None, :] + self.bias

    def sums(self, x: FloatArray) -> FloatArray:
        """W X (..., n_units); of changes of a state, those of z."""
        return np.asarray(x[..., self.read] @ self.weights.T)


@dataclass(frozen=True, eq=False)
class RatesOfChange:
    """dx/dt of `n_species` species in states (..., n_species), for one sample or a batch of them.

    `terms` have their rate constants and all that is held in their numbers; `drives` are the rest.
    """

    n_species: int
    terms: Terms
    drives: tuple[Drives, ...] = ()

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
        result = self.terms.add(self._products(self.terms, x))
        for part in self.drives:
            result[..., part.rails] += part.of_rails(x) * x[..., part.rails]
        return result

    def along(self, x: FloatArray, v: FloatArray) -> FloatArray:
        """J v in states x, both (..., n_species)."""
        terms = self.derivatives
        result = terms.add(self._products(terms, x) * v[..., terms.column])
        for part in self.drives:
            result[..., part.rails] += part.of_rails(x) * v[..., part.rails]
            if len(part.read):
                by_z = part.signs[:, None] * x[..., part.rails]
                result[..., part.rails] += by_z * part.sums(v)[..., None, :]
        return result

    def back(self, x: FloatArray, v: FloatArray) -> FloatArray:
        """J^T v in states x, both (..., n_species)."""
        terms = self._transposed
        result = terms.add(self._products(terms, x) * v[..., terms.column])
        for part in self.drives:
            result[..., part.rails] += part.of_rails(x) * v[..., part.rails]
            if len(part.read):
                by_z = part.signs[:, None] * x[..., part.rails] * v[..., part.rails]
                # a species is read once by a layer, so nothing is added twice to one place
                result[..., part.read] += by_z.sum(axis=-2) @ part.weights
        return result

    def jacobian(self, x: FloatArray) -> FloatArray:
        """J (n_species, n_species) in one state (n_species,)."""
        n, terms = self.n_species, self.derivatives
        values = terms.number * self._products(terms, x)
        result = np.bincount(self._entry, values, n * n).astype(float, copy=False).reshape(n, n)
        for part in self.drives:
            for rails, sign, u in zip(part.rails, part.signs, part.of_rails(x), strict=True):
                result[rails, rails] += u
                if len(part.read):
                    by_read = _scaled(part.weights, sign * x[rails])
                    result[np.ix_(rails, part.read)] += by_read
        return result

    @property
    def density(self) -> float:
        """Share of the Jacobian's entries that are not 0 throughout."""
        weights = sum(_stored(part.weights) * len(part.signs) for part in self.drives)
        return (len(self.derivatives) + weights + self.n_species) / max(1, self.n_species) ** 2

    # Tables -----------------------------------------------------------------------------------

    @cached_property
    def derivatives(self) -> Terms:
        """The Jacobian of the terms, as a table."""
        return self.terms.derivative()

    @cached_property
    def _transposed(self) -> Terms:
        terms = self.derivatives
        assert terms.column is not None
        order = np.argsort(terms.column, kind="stable")
        return replace(
            terms,
            number=terms.number[order],
            constant=terms.constant[order],
            factors=terms.factors[order],
            row=terms.column[order],
            column=terms.row[order],
        )

    @cached_property
    def _entry(self) -> IntArray:
        """The place of each term in an array of the Jacobian, row by row."""
        assert self.derivatives.column is not None
        return np.asarray(self.derivatives.row * self.n_species + self.derivatives.column)

    def _products(self, terms: Terms, x: FloatArray) -> FloatArray:
        """The terms (..., n_terms) without their numbers."""
        extended = np.concatenate([x, np.ones((*x.shape[:-1], 1))], axis=-1)
        result = multiplied_by(np.ones(len(terms)), terms.factors, extended)
        return np.broadcast_to(result, (*x.shape[:-1], len(terms)))


def _scaled(weights: Any, rows: FloatArray) -> FloatArray:
    dense = weights.toarray() if is_sparse(weights) else weights
    return np.asarray(dense * rows[:, None])


def _stored(weights: Any) -> int:
    return int(weights.nnz if is_sparse(weights) else weights.size)
