"""Arrays as this package uses them: of doubles, dense or sparse, read-only where they are kept."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any, TypeGuard

import numpy as np
import numpy.typing as npt
from scipy import sparse

FloatArray = npt.NDArray[np.float64]


def is_real(value: object) -> bool:
    """Whether a value is a real number, not a truth value."""
    return isinstance(value, Real) and not isinstance(value, bool)


def is_sparse(matrix: object) -> TypeGuard[sparse.csr_array]:
    """Whether a matrix is one of scipy's sparse ones."""
    return bool(sparse.issparse(matrix))


def read_only(*arrays: Any) -> None:
    """Mark arrays, dense or sparse, as not to be written to."""
    # a sparse array keeps its numbers in three arrays
    for array in arrays:
        for part in (array.data, array.indices, array.indptr) if is_sparse(array) else (array,):
            part.flags.writeable = False


def by_sample(array: FloatArray) -> FloatArray:
    """(n, ...) -> (n, all the rest), also for n = 0, where numpy cannot infer the rest."""
    return array.reshape(len(array), math.prod(array.shape[1:]))
