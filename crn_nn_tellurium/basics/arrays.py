"""Arrays as this package uses them: of doubles, dense or sparse, read-only where they are kept."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, TypeGuard

import numpy as np
import numpy.typing as npt
from scipy import sparse

FloatArray = npt.NDArray[np.float64]

_MOST = int(np.finfo(float).max)


def is_real(value: object) -> bool:
    """Whether a value is a real number as floats are, not a truth value, nor 10**400."""
    if isinstance(value, int):
        # Python's whole numbers have no limit, floats do
        return not isinstance(value, bool) and -_MOST <= value <= _MOST
    return isinstance(value, float | np.integer | np.floating)


def dense(matrix: Any) -> Any:
    """A matrix as an array, also if it is sparse."""
    return matrix.toarray() if is_sparse(matrix) else matrix


def is_sparse(matrix: object) -> TypeGuard[sparse.csr_array]:
    """Whether a matrix is one of scipy's sparse ones."""
    return bool(sparse.issparse(matrix))


def read_only(*arrays: Any) -> None:
    """Mark arrays, dense or sparse, as not to be written to."""
    for array in arrays:
        # a sparse array keeps its numbers in three arrays
        is_one = isinstance(array, np.ndarray)
        for part in (array,) if is_one else (array.data, array.indices, array.indptr):
            part.flags.writeable = False


def labels_of(table: object) -> tuple[str, ...]:
    """Names of a data frame's columns, or of a series' values, if it has names."""
    found: Any = getattr(table, "columns", getattr(table, "index", ()))
    # the index of a list is a method, and columns without names are numbered
    labels = tuple(found) if isinstance(found, Iterable) else ()
    return labels if all(isinstance(label, str) for label in labels) else ()


def by_sample(array: FloatArray) -> FloatArray:
    """(n, ...) -> (n, all the rest), also for n = 0, where numpy cannot infer the rest."""
    return array.reshape(len(array), math.prod(array.shape[1:]))
