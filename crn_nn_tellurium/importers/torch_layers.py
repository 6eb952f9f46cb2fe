"""PyTorch's modules as operators, by their classes and what these were called with."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import FloatArray, real_numbers
from crn_nn_tellurium.errors import NetworkError
from crn_nn_tellurium.importers.torch_functions import FUNCTIONS, at, refused
from crn_nn_tellurium.operators import (
    AdaptiveAverage,
    AdaptiveMax,
    AveragePool,
    Convolution,
    Dense,
    Flatten,
    Identity,
    Lowering,
    MaxPool,
    Operator,
    PReLU,
    Tensor,
    TransposedConvolution,
    Window,
    batch_norm,
    unsupported,
)

Ints = tuple[int, ...]
Numbers = int | Sequence[int]
_LONGEST, _MOST_PARTS = 1000, 1_000_000
"""What a window or its padding is long at most, and how many parts a pool has: a file that says
more would fill the memory.
"""
_REMEDIES = {
    "Bilinear": "it is a product of two of its inputs",
    "LPPool": "an average or max pool in its place can be trained again",
    "InstanceNorm": "its statistics are those of the sample; a batch norm's are constants",
    "LayerNorm": "its statistics are those of the sample; a batch norm's are constants",
    "GroupNorm": "its statistics are those of the sample; a batch norm's are constants",
}


@dataclass(frozen=True)
class Parameters:
    """The arrays of a module by name, each with the shape that it must have."""

    arrays: Mapping[str, Any]

    def __contains__(self, name: str) -> bool:
        return name in self.arrays

    def take(self, name: str, shape: Ints) -> FloatArray:
        """Finite numbers of a shape."""
        if name not in self.arrays:
            raise NetworkError(
                f"no {name!r} among its parameters; expected one of shape {shape}, from the file of"
                " parameters that goes with the network"
            )
        array = self.arrays[name]
        if np.shape(array) != shape:
            raise NetworkError(f"{name!r} has shape {np.shape(array)}; expected {shape}")
        numbers = real_numbers(repr(name), array, error=NetworkError)
        if not np.isfinite(numbers).all():
            raise NetworkError(f"{name!r} holds numbers that are not finite")
        return numbers


def _each(value: Numbers, n: int) -> Ints:
    """One number for all axes, or one each."""
    numbers = (value,) * n if isinstance(value, int) else tuple(value)
    if len(numbers) != n or not all(isinstance(m, int) and 0 <= m <= _LONGEST for m in numbers):
        raise ValueError(f"{value!r} are not {n} whole numbers from 0 to {_LONGEST}")
    return numbers


@dataclass(frozen=True)
class _Linear:
    in_features: int
    out_features: int
    bias: bool = True

    def made(self, parameters: Parameters, n: int) -> Operator:
        weight = parameters.take("weight", (self.out_features, self.in_features))
        return Dense(weight, parameters.take("bias", (self.out_features,)) if self.bias else 0.0)


@dataclass(frozen=True)
class _Conv:
    in_channels: int
    out_channels: int
    kernel_size: Numbers
    stride: Numbers = 1
    padding: Numbers | str = 0
    dilation: Numbers = 1
    groups: int = 1
    bias: bool = True
    padding_mode: str = "zeros"

    def made(self, parameters: Parameters, n: int) -> Operator:
        shape = (self.out_channels, self.in_channels // self.groups)
        kernel, bias = self._arrays(parameters, shape, n)
        return Convolution(kernel, bias, self._window(n), self.groups)

    def _arrays(self, parameters: Parameters, shape: Ints, n: int) -> tuple[FloatArray, Any]:
        kernel = parameters.take("weight", (*shape, *_each(self.kernel_size, n)))
        return kernel, parameters.take("bias", (self.out_channels,)) if self.bias else 0.0

    def _window(self, n: int) -> Window:
        if self.padding_mode != "zeros":
            raise refused(f"padding_mode={self.padding_mode!r}")
        size, dilation = _each(self.kernel_size, n), _each(self.dilation, n)
        stride = _each(self.stride, n)
        if not isinstance(self.padding, str):
            return Window.of(size, stride, _each(self.padding, n), dilation)
        over = [d * (k - 1) for d, k in zip(dilation, size, strict=True)]
        over = over if self.padding == "same" else [0] * n
        before = tuple(length // 2 for length in over)
        # an odd one more at the end
        after = tuple(length - length // 2 for length in over)
        return Window(size, stride, dilation, before, after)


@dataclass(frozen=True)
class _ConvTranspose(_Conv):
    output_padding: Numbers = 0

    def made(self, parameters: Parameters, n: int) -> Operator:
        shape = (self.in_channels, self.out_channels // self.groups)
        kernel, bias = self._arrays(parameters, shape, n)
        beyond = _each(self.output_padding, n)
        return TransposedConvolution(kernel, bias, self._window(n), beyond, self.groups)


@dataclass(frozen=True)
class _MaxPool:
    kernel_size: Numbers
    stride: Numbers | None = None
    padding: Numbers = 0
    dilation: Numbers = 1
    return_indices: bool = False
    ceil_mode: bool = False

    def made(self, parameters: Parameters, n: int) -> Operator:
        if self.return_indices:
            raise refused("return_indices=True")
        size = _each(self.kernel_size, n)
        stride = size if self.stride is None else _each(self.stride, n)
        window = Window.of(size, stride, _each(self.padding, n), _each(self.dilation, n))
        return MaxPool(window, self.ceil_mode)


@dataclass(frozen=True)
class _AvgPool:
    kernel_size: Numbers
    stride: Numbers | None = None
    padding: Numbers = 0
    ceil_mode: bool = False
    count_include_pad: bool = True
    divisor_override: int | None = None

    def made(self, parameters: Parameters, n: int) -> Operator:
        size = _each(self.kernel_size, n)
        stride = size if self.stride is None else _each(self.stride, n)
        window = Window.of(size, stride, _each(self.padding, n))
        return AveragePool(window, self.count_include_pad, self.ceil_mode, self.divisor_override)


@dataclass(frozen=True)
class _AdaptivePool:
    output_size: int | Sequence[int | None]

    def made(self, parameters: Parameters, n: int) -> Operator:
        return self._pool(AdaptiveAverage, n)

    def _pool(self, kind: type[AdaptiveAverage] | type[AdaptiveMax], n: int) -> Operator:
        wanted = self.output_size
        sizes = (wanted,) * n if isinstance(wanted, int) else tuple(wanted)
        if (parts := math.prod(size or 1 for size in sizes)) > _MOST_PARTS:
            raise ValueError(f"{wanted!r} are {parts} parts; expected at most {_MOST_PARTS}")

        def pooled(lowering: Lowering, x: Tensor) -> Tensor:
            # None keeps an axis as long as it is
            lengths = zip(sizes, x.shape[-n:], strict=True)
            return kind(tuple(have if s is None else s for s, have in lengths))(lowering, x)

        return pooled


@dataclass(frozen=True)
class _AdaptiveMaxPool(_AdaptivePool):
    return_indices: bool = False

    def made(self, parameters: Parameters, n: int) -> Operator:
        if self.return_indices:
            raise refused("return_indices=True")
        return self._pool(AdaptiveMax, n)


@dataclass(frozen=True)
class _BatchNorm:
    num_features: int
    eps: float = 1e-5
    momentum: float | None = 0.1
    affine: bool = True
    track_running_stats: bool = True
    bias: bool = True

    def made(self, parameters: Parameters, n: int) -> Operator:
        shape = (self.num_features,)
        weight = parameters.take("weight", shape) if self.affine else None
        bias = parameters.take("bias", shape) if self.affine and self.bias else None
        statistics = None
        if "running_mean" in parameters:
            running = ("running_mean", "running_var")
            statistics = tuple(parameters.take(name, shape) for name in running)
        return BatchNorm(weight, bias, float(self.eps), statistics)


@dataclass(frozen=True, eq=False)
class BatchNorm:
    """(x - mean) / sqrt(variance + eps), times a weight and plus a bias; axis 1 are channels.

    Without statistics of its own it takes those of the data: what PyTorch does in training, with
    the data for a batch.
    """

    weight: FloatArray | None
    bias: FloatArray | None
    eps: float
    statistics: tuple[FloatArray, ...] | None = None

    def __call__(self, lowering: Lowering, x: Tensor) -> Tensor:
        if len(x.shape) < 2:
            raise NetworkError(f"it reads shape {x.shape}; expected samples, channels, ...")
        mean, variance = self.statistics or self._of_data(lowering, x)
        n_after = len(x.shape) - 2
        return batch_norm(mean, variance, self.weight, self.bias, self.eps, n_after)(lowering, x)

    def _of_data(self, lowering: Lowering, x: Tensor) -> tuple[FloatArray, FloatArray]:
        if not len(x.exact):
            raise NetworkError(
                "it has no running statistics, and so takes those of its batch; give the batch as"
                " data=, or 'running_mean' and 'running_var' among the parameters"
            )
        lowering.note(f"part of weights and biases, with statistics of {len(x.exact)} samples")
        values = x.exact.reshape(-1, *x.shape)
        axes = tuple(axis for axis in range(values.ndim) if axis != 2)
        return values.mean(axis=axes), values.var(axis=axes)


@dataclass(frozen=True)
class _PReLU:
    num_parameters: int = 1
    init: float = 0.25

    def made(self, parameters: Parameters, n: int) -> Operator:
        slopes = parameters.take("weight", (self.num_parameters,))

        def applied(lowering: Lowering, x: Tensor) -> Tensor:
            # channels are axis 1 where there are two axes or more
            return PReLU(slopes.reshape(-1, *(1,) * (len(x.shape) - 2)))(lowering, x)

        return applied


@dataclass(frozen=True)
class _Flatten:
    start_dim: int = 1
    end_dim: int = -1

    def made(self, parameters: Parameters, n: int) -> Operator:
        return Flatten(self.start_dim, self.end_dim)


@dataclass(frozen=True)
class _Dropout:
    p: float = 0.5
    inplace: bool = False

    def made(self, parameters: Parameters, n: int) -> Operator:
        return Identity()


_MODULES: dict[str, type[Any]] = {
    "Linear": _Linear,
    "Conv": _Conv,
    "ConvTranspose": _ConvTranspose,
    "MaxPool": _MaxPool,
    "AvgPool": _AvgPool,
    "AdaptiveAvgPool": _AdaptivePool,
    "AdaptiveMaxPool": _AdaptiveMaxPool,
    "BatchNorm": _BatchNorm,
    "PReLU": _PReLU,
    "Flatten": _Flatten,
    "Dropout": _Dropout,
    "AlphaDropout": _Dropout,
    "FeatureAlphaDropout": _Dropout,
}
"""By name without the number of axes."""
_OTHERS = ("dropout", "flatten", "reshape", "view", "permute", "cat", "concat")
_ACTIVATIONS = {
    name.replace("_", ""): make for name, make in FUNCTIONS.items() if not name.endswith(_OTHERS)
}
"""By what modules that hold no parameters are called, in lower case."""


def module(kind: str, args: Mapping[str, Any], arrays: Mapping[str, Any], where: str) -> Operator:
    """The operator of a module: its class, what that was called with, and its parameters."""
    base, n = kind, 0
    if has_axes := re.fullmatch(r"(\w+)([123])d", kind):
        base, n = has_axes[1], int(has_axes[2])
    if base == "Identity":
        return Identity()
    with at(kind, where):
        if base in _MODULES:
            return _MODULES[base](**args).made(Parameters(arrays), n)
        if kind.lower() in _ACTIVATIONS:
            return _ACTIVATIONS[kind.lower()](**args)
    raise unsupported(kind, where, _REMEDIES.get(base, ""))
