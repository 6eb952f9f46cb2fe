"""Operators that are affine, so that they make no chemistry: they are composed with one another and
become the weights of the layer that reads them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.operators.graph import Operator
from crn_nn_tellurium.operators.lowering import Lowering
from crn_nn_tellurium.operators.tensors import Shape, Tensor, check_many, joined, total
from crn_nn_tellurium.operators.windows import (
    Ints,
    Places,
    Window,
    adaptive,
    convolution,
    over,
    transposed_convolution,
)


@dataclass(frozen=True, eq=False)
class Dense:
    """weights (n_out, n_in) times the last axis, plus a bias (n_out,)."""

    weights: Any
    bias: npt.ArrayLike = 0.0

    def __call__(self, lowering: Lowering, x: Tensor) -> Tensor:
        n_out, n_in = self.weights.shape
        if x.shape[-1:] != (n_in,):
            raise ValueError(
                f"weights of shape {self.weights.shape} read {n_in} values; the last axis of"
                f" {x.shape} has others"
            )
        rows = math.prod(x.shape[:-1])
        check_many(rows * self.weights.size)
        weights = sparse.kron(sparse.eye_array(rows), sparse.csr_array(self.weights))
        bias = np.tile(np.broadcast_to(np.asarray(self.bias, float), (n_out,)), rows)
        return lowering.mapped(x, weights, bias, (*x.shape[:-1], n_out))


@dataclass(frozen=True, eq=False)
class MatMul:
    """numpy's matmul of a tensor and a constant, which stands before it with `is_left`."""

    constant: FloatArray
    is_left: bool = False

    def __call__(self, lowering: Lowering, x: Tensor) -> Tensor:
        both = (self.constant, x.places) if self.is_left else (x.places, self.constant)
        shape = np.matmul(*(np.zeros(one.shape) for one in both)).shape
        a, b = both
        # rows and columns of vectors, which are gone in `shape`
        a, b = a[None] if a.ndim == 1 else a, b[:, None] if b.ndim == 1 else b
        # result (..., i, j) reads a (..., i, k) and b (..., k, j)
        of_a, of_b = np.broadcast_arrays(a[..., :, None, :], b.swapaxes(-1, -2)[..., None, :, :])
        check_many(of_a.size)
        factors, places = (of_a, of_b) if self.is_left else (of_b, of_a)
        rows = np.repeat(np.arange(math.prod(shape)), a.shape[-1])
        entries = (factors.ravel(), (rows, places.ravel()))
        weights = sparse.csr_array(entries, shape=(math.prod(shape), x.size))
        return lowering.mapped(x, weights, 0.0, shape)


@dataclass(frozen=True, eq=False)
class Convolution:
    """A kernel (n_out, n_in / groups, *size) over the last axes, the channels before them."""

    kernel: FloatArray
    bias: npt.ArrayLike
    window: Window
    groups: int = 1

    def __call__(self, lowering: Lowering, x: Tensor) -> Tensor:
        weights, shape = convolution(self.kernel, x.places, self.window, self.groups)
        return lowering.mapped(x, weights, _by_channel(self.bias, shape, self.window), shape)


@dataclass(frozen=True, eq=False)
class TransposedConvolution:
    """A kernel (n_in, n_out / groups, *size); `beyond` elements more at the end of each axis."""

    kernel: FloatArray
    bias: npt.ArrayLike
    window: Window
    beyond: Ints
    groups: int = 1

    def __call__(self, lowering: Lowering, x: Tensor) -> Tensor:
        weights, shape = transposed_convolution(
            self.kernel, x.places, self.window, self.beyond, self.groups
        )
        return lowering.mapped(x, weights, _by_channel(self.bias, shape, self.window), shape)


def _by_channel(bias: npt.ArrayLike, shape: Shape, window: Window) -> FloatArray:
    """A number for each channel, or one for all, spread over a shape."""
    numbers = np.asarray(bias, dtype=float)
    column = numbers.reshape(-1, *(1 for _ in window.size))
    return np.broadcast_to(column, shape).ravel()


@dataclass(frozen=True)
class AveragePool:
    """The mean over a window.

    Of a window that hangs over, all places count with `counts_padding`, but those beyond the
    padding; else those within the array. `divisor` is divided by instead, where it is given.
    """

    window: Window
    counts_padding: bool = True
    rounds_up: bool = False
    divisor: int | None = None

    def __call__(self, lowering: Lowering, x: Tensor) -> Tensor:
        slid = self.window.slid(x.places, self.rounds_up)
        shape = slid.shape[: -len(self.window.size)]
        places = slid.reshape(math.prod(shape), -1)
        counted = places != -1 if self.counts_padding else places >= 0
        return _over(lowering, x, places, self.divisor or counted.sum(axis=1), shape)


@dataclass(frozen=True)
class AdaptiveAverage:
    """Means over as many parts as `sizes` says along each of the last axes."""

    sizes: Ints

    def __call__(self, lowering: Lowering, x: Tensor) -> Tensor:
        places = adaptive(x.places, self.sizes)
        shape = (*x.shape[: -len(self.sizes)], *self.sizes)
        return _over(lowering, x, places, (places >= 0).sum(axis=1), shape)


@dataclass(frozen=True)
class SumOver:
    """The sum, or the mean, over axes, which stay with length 1 or go."""

    axes: Ints
    keeps: bool = False
    is_mean: bool = False

    def __call__(self, lowering: Lowering, x: Tensor) -> Tensor:
        places, shape = over(x.places, self.axes, self.keeps)
        return _over(lowering, x, places, places.shape[1] if self.is_mean else 1, shape)


def _over(lowering: Lowering, x: Tensor, places: Places, by: npt.ArrayLike, shape: Shape) -> Tensor:
    """Sums of the elements at each row of places (n, k), negative ones left out, over `by`."""
    rows, within = np.nonzero(places >= 0)
    share = 1 / np.broadcast_to(by, (len(places),))
    entries = (share[rows], (rows, places[rows, within]))
    weights = sparse.csr_array(entries, shape=(len(places), x.size))
    return lowering.mapped(x, weights, 0.0, shape)


@dataclass(frozen=True, eq=False)
class Scale:
    """factor x + shift, arrays that broadcast: scalers, batch norms, products with constants."""

    factor: npt.ArrayLike = 1.0
    shift: npt.ArrayLike = 0.0

    def __call__(self, lowering: Lowering, x: Tensor) -> Tensor:
        return x.scaled(self.factor, self.shift)


@dataclass(frozen=True)
class Decision:
    """One logit as one for each of two classes, -z / 2 and z / 2; several as they are."""

    def __call__(self, lowering: Lowering, x: Tensor) -> Tensor:
        return x if x.size > 1 else x.mapped([[-0.5], [0.5]], 0.0, (2,))


@dataclass(frozen=True)
class Identity:
    """What leaves its input as it is once training is over: dropout, say; or why it may."""

    reason: str = ""

    def __call__(self, lowering: Lowering, x: Tensor) -> Tensor:
        if self.reason:
            lowering.became.append(self.reason)
        return x


@dataclass(frozen=True)
class Reshape:
    """Another shape of as many elements; one length may be -1."""

    shape: Ints

    def __call__(self, lowering: Lowering, x: Tensor) -> Tensor:
        return x.reshaped(x.places.reshape(self.shape).shape)


@dataclass(frozen=True)
class Flatten:
    """Axes from `start` to `end` as one."""

    start: int = 1
    end: int = -1

    def __call__(self, lowering: Lowering, x: Tensor) -> Tensor:
        n = len(x.shape)
        first, last = (self.start % n, self.end % n + 1) if n else (0, 0)
        middle = math.prod(x.shape[first:last])
        return x.reshaped((*x.shape[:first], middle, *x.shape[last:]))


@dataclass(frozen=True)
class Permute:
    """Axes in another order."""

    axes: Ints

    def __call__(self, lowering: Lowering, x: Tensor) -> Tensor:
        return x.taken(x.places.transpose(self.axes))


@dataclass(frozen=True, eq=False)
class Index:
    """What numpy's x[key] is: slices, gathered elements, new axes."""

    key: Any

    def __call__(self, lowering: Lowering, x: Tensor) -> Tensor:
        return x.taken(x.places[self.key])


@dataclass(frozen=True, eq=False)
class Arranged:
    """Elements of tensors, counted through one tensor after another, at `places`, plus `values`;
    where a place is -1, the value alone.
    """

    places: Places
    values: npt.ArrayLike = 0.0

    def __call__(self, lowering: Lowering, *x: Tensor) -> Tensor:
        together = x[0] if len(x) == 1 else joined([one.reshaped((one.size,)) for one in x], 0)
        taken = together.taken(self.places)
        return taken.scaled(1.0, self.values) if np.any(self.values) else taken


@dataclass(frozen=True)
class Pad:
    """(before, after) of each axis, filled with a number."""

    widths: tuple[tuple[int, int], ...]
    value: float = 0.0

    def __call__(self, lowering: Lowering, x: Tensor) -> Tensor:
        places = np.pad(x.places, self.widths, constant_values=-1)
        return x.taken(places).scaled(1.0, np.where(places < 0, self.value, 0.0))


@dataclass(frozen=True)
class Sum:
    """The sum of tensors that broadcast, each times its factor: add, sub, a residual."""

    factors: tuple[float, ...] = (1.0, 1.0)

    def __call__(self, lowering: Lowering, *x: Tensor) -> Tensor:
        return total(list(zip(self.factors, x, strict=True)))


@dataclass(frozen=True)
class Concat:
    """Tensors one after another along an axis."""

    axis: int

    def __call__(self, lowering: Lowering, *x: Tensor) -> Tensor:
        return joined(x, self.axis)


def in_turn(*operators: Operator) -> Operator:
    """Operators of one tensor, one after another."""
    return lambda lowering, x: reduce(lambda found, one: one(lowering, found), operators, x)


def batch_norm(
    mean: FloatArray,
    variance: FloatArray,
    weight: Sequence[float] | FloatArray | None,
    bias: Sequence[float] | FloatArray | None,
    epsilon: float,
    n_after: int,
) -> Scale:
    """weight (x - mean) / sqrt(variance + epsilon) + bias by channels, with `n_after` axes after
    them.
    """
    factor = (1.0 if weight is None else np.asarray(weight)) / np.sqrt(variance + epsilon)
    shift = (0.0 if bias is None else np.asarray(bias)) - factor * mean
    column = (-1, *(1,) * n_after)
    return Scale(np.reshape(factor, column), np.reshape(shift, column))
