"""Arrays of a network's values, each an affine function of what species hold.

What a trained network does between two activations is affine: a convolution, a mean, a scaler, a
sum of branches. So a tensor is kept as

    value = matrix v + offset

where v are the inputs and the values of all units made so far, side by side. An operator that is
affine makes another such tensor, and no chemistry; an activation makes a layer of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.errors import NetworkError

Shape = tuple[int, ...]


MOST_WEIGHTS = 2**26
"""What unrolls to more would fill the memory, and no chemistry has so many reactions."""

MOST_VALUES = 2**20
"""Numbers of a tensor that is no constant: no chemistry has more species."""


def check_many(count: float) -> None:
    """Refuse so many weights before they are made."""
    if count > MOST_WEIGHTS:
        raise NetworkError(
            f"it unrolls to up to {count:,} weights; expected at most {MOST_WEIGHTS:,}"
        )


@dataclass(frozen=True, eq=False)
class Tensor:
    """An array of affine functions; elements count in C order.

    Parameters
    ----------
    shape : tuple of int
    matrix : (n_elements, n_values) sparse array
        Rows of the elements. Values that were made later than the tensor have no columns yet.
    offset : (n_elements,) ndarray
    error : (n_elements,) ndarray
        By how much an element may be off the value of the network that is imported.
    exact : (n_samples, n_elements) ndarray
        What the network that is imported has here for the data given; no samples, no rows.
    """

    shape: Shape
    matrix: sparse.csr_array
    offset: FloatArray
    error: FloatArray
    exact: FloatArray

    @classmethod
    def of_values(cls, shape: Shape, first: int, exact: FloatArray) -> Tensor:
        """Values themselves, from column `first` on, that are as they should be."""
        n = math.prod(shape)
        places = (np.ones(n), (np.arange(n), first + np.arange(n)))
        matrix = sparse.csr_array(places, shape=(n, first + n))
        return cls(shape, matrix, np.zeros(n), np.zeros(n), exact)

    @property
    def size(self) -> int:
        """Number of elements."""
        return len(self.offset)

    @property
    def places(self) -> npt.NDArray[np.intp]:
        """The place of each element in C order, in the tensor's shape."""
        return np.arange(self.size).reshape(self.shape)

    def reshaped(self, shape: Shape) -> Tensor:
        """The same elements in another shape of as many."""
        if math.prod(shape) != self.size:
            raise ValueError(f"{self.size} elements of shape {self.shape} do not fit into {shape}")
        return replace(self, shape=shape)

    def mapped(self, weights: Any, bias: Any, shape: Shape) -> Tensor:
        """weights (n, n_elements) times the elements, plus bias (n,), in a shape of n."""
        weights = sparse.csr_array(weights)
        check_many(np.diff(self.matrix.indptr)[weights.indices].sum())
        return Tensor(
            shape,
            sparse.csr_array(weights @ self.matrix),
            weights @ self.offset + bias,
            abs(weights) @ self.error,
            (weights @ self.exact.T).T + bias,
        )

    def taken(self, places: npt.ArrayLike) -> Tensor:
        """The elements at `places`, in their shape; 0 where a place is -1."""
        where = np.asarray(places)
        flat = where.ravel()
        rows = np.flatnonzero(flat >= 0)
        kept = (np.ones(len(rows)), (rows, flat[rows]))
        return self.mapped(sparse.csr_array(kept, shape=(flat.size, self.size)), 0.0, where.shape)

    def spread(self, shape: Shape) -> Tensor:
        """Repeated to a shape, by numpy's rules of broadcasting."""
        return self if shape == self.shape else self.taken(np.broadcast_to(self.places, shape))

    def scaled(self, factor: npt.ArrayLike, shift: npt.ArrayLike = 0.0) -> Tensor:
        """factor times the elements plus shift, arrays that broadcast with the tensor."""
        shape = np.broadcast_shapes(self.shape, np.shape(factor), np.shape(shift))
        by, plus = (np.broadcast_to(np.asarray(a, float), shape).ravel() for a in (factor, shift))
        spread = self.spread(shape)
        return spread.mapped(sparse.diags_array(by), plus, shape)


def total(terms: Sequence[tuple[float, Tensor]]) -> Tensor:
    """The sum of tensors that broadcast, each times its factor."""
    shape = np.broadcast_shapes(*(tensor.shape for _, tensor in terms))
    spread = [(factor, tensor.spread(shape)) for factor, tensor in terms]
    n_values = max(tensor.matrix.shape[1] for _, tensor in spread)
    return Tensor(
        shape,
        sparse.csr_array(sum(f * _widened(t.matrix, n_values) for f, t in spread)),
        sum((f * t.offset for f, t in spread), np.zeros(1)),
        sum((abs(f) * t.error for f, t in spread), np.zeros(1)),
        sum((f * t.exact for f, t in spread), np.zeros(1)),
    )


def joined(tensors: Sequence[Tensor], axis: int) -> Tensor:
    """Tensors one after another along an axis."""
    n_values = max(tensor.matrix.shape[1] for tensor in tensors)
    flat = Tensor(
        (sum(tensor.size for tensor in tensors),),
        sparse.csr_array(sparse.vstack([_widened(t.matrix, n_values) for t in tensors])),
        np.concatenate([t.offset for t in tensors]),
        np.concatenate([t.error for t in tensors]),
        np.concatenate([t.exact for t in tensors], axis=1),
    )
    firsts = np.cumsum([0, *(tensor.size for tensor in tensors)])
    places = [tensor.places + first for tensor, first in zip(tensors, firsts, strict=False)]
    return flat.taken(np.concatenate(places, axis=axis))


def _widened(matrix: sparse.csr_array, n_values: int) -> sparse.csr_array:
    """With columns for values that were made since."""
    parts = (matrix.data, matrix.indices, matrix.indptr)
    return sparse.csr_array(parts, shape=(matrix.shape[0], n_values))


def line_of(a: Tensor, z: Tensor) -> tuple[float, float] | None:
    """Slope and intercept of a as one line of z for all elements; None if it is none."""
    if a.shape != z.shape:
        return None
    n_values = max(a.matrix.shape[1], z.matrix.shape[1])
    of_a, of_z = _widened(a.matrix, n_values), _widened(z.matrix, n_values)
    if not (square := of_z.power(2).sum()):
        return None
    slope = float(of_a.multiply(of_z).sum() / square)
    by_z = slope * z.offset
    shifts = a.offset - by_z
    # rounding of what an importer composed, which is of each row's own size: weights may be tiny
    sizes = abs(of_a).max(axis=1).toarray().ravel()
    off = abs(of_a - slope * of_z).max(axis=1).toarray().ravel()
    largest = max(np.abs(a.offset).max(), np.abs(by_z).max())
    if not slope or (off > 1e-14 * sizes).any() or np.ptp(shifts) > 1e-14 * largest:
        return None
    return slope, float(shifts[0])
