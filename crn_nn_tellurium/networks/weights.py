"""The numbers of a matrix of weights as one row: of a sparse one, those stored alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from crn_nn_tellurium.basics import FloatArray, is_sparse


def places(weights: Any) -> tuple[Any, Any]:
    """Row and column of each weight that is a parameter."""
    if is_sparse(weights):
        return np.repeat(np.arange(weights.shape[0]), np.diff(weights.indptr)), weights.indices
    rows, columns = np.indices(weights.shape)
    return rows.ravel(), columns.ravel()


def values_of(weights: Any) -> FloatArray:
    """The weights that are parameters, as one row of numbers."""
    return weights.data if is_sparse(weights) else np.ravel(weights)


def with_values(weights: Any, values: FloatArray) -> Any:
    """A matrix of the same pattern with other numbers."""
    if is_sparse(weights):
        return sparse.csr_array((values, weights.indices, weights.indptr), shape=weights.shape)
    return values.reshape(weights.shape)


def outer_sum(weights: Any, by_unit: FloatArray, read: FloatArray) -> Any:
    """sum over samples of by_unit (n, n_out) x read (n, n_in), where the weights are parameters:
    dL/d(weights).
    """
    if not is_sparse(weights):
        return by_unit.T @ read
    rows, columns = places(weights)
    return with_values(weights, np.einsum("nk,nk->k", by_unit[:, rows], read[:, columns]))
