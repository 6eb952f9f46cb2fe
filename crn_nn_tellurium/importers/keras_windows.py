"""Keras' convolutions and pools as operators; channels may be before or behind the other axes."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.operators import (
    AdaptiveAverage,
    AdaptiveMax,
    AveragePool,
    Convolution,
    Index,
    Lowering,
    MaxOver,
    Operator,
    Permute,
    SumOver,
    Tensor,
    TransposedConvolution,
    Window,
    in_turn,
)

Ints = tuple[int, ...]


def weights(variable: Any) -> FloatArray:
    """The numbers of a variable, on whatever device."""
    import keras

    with warnings.catch_warnings():
        # Keras takes torch's tensors to numpy in a way of old
        warnings.simplefilter("ignore", DeprecationWarning)
        return np.array(keras.ops.convert_to_numpy(variable), dtype=float)


def is_first(layer: Any) -> bool:
    # those of one axis may have none, and have channels last
    return getattr(layer, "data_format", None) == "channels_first"


def _spatial(layer: Any, n: int, operator: Operator) -> Operator:
    """An operator on channels before n axes, for a layer that may have them behind."""
    if is_first(layer):
        return operator
    inner = tuple(range(1, n + 1))
    there, back = Permute((0, n + 1, *inner)), Permute((0, *(i + 1 for i in inner), 1))
    return in_turn(there, operator, back)


def each(value: int | Sequence[int], n: int) -> Ints:
    return (value,) * n if isinstance(value, int) else tuple(value)


@dataclass(frozen=True, eq=False)
class _Windowed:
    """What a window makes of an array, where its padding follows from the array's shape."""

    size: Ints
    stride: Ints
    dilation: Ints
    padding: str
    make: Callable[[Window], Operator]

    def __call__(self, lowering: Lowering, x: Tensor) -> Tensor:
        n = len(self.size)
        window = Window.of(self.size, self.stride, 0, self.dilation)
        if self.padding == "same":
            window = Window.same(self.size, self.stride, self.dilation, x.shape[-n:])
        elif self.padding == "causal":
            reach = zip(self.dilation, self.size, strict=True)
            window = replace(window, before=tuple(d * (k - 1) for d, k in reach))
        return self.make(window)(lowering, x)


def _convolved(layer: Any, n: int, kernel: FloatArray, bias: Any, groups: int) -> Operator:
    """A kernel (*size, channels read, channels made)."""
    first = kernel.transpose(n + 1, n, *range(n))
    windowed = _Windowed(
        kernel.shape[:n],
        each(layer.strides, n),
        each(layer.dilation_rate, n),
        layer.padding,
        lambda window: Convolution(first, bias, window, groups),
    )
    return _spatial(layer, n, windowed)


def bias_of(layer: Any) -> Any:
    return weights(layer.bias) if layer.use_bias else 0.0


def conv(layer: Any, n: int) -> Operator:
    return _convolved(layer, n, weights(layer.kernel), bias_of(layer), layer.groups)


def _by_depth(kernel: FloatArray) -> tuple[FloatArray, int]:
    """A depthwise kernel (*size, channels, multiplier), a group for each channel."""
    *size, channels, times = kernel.shape
    return kernel.reshape(*size, 1, channels * times), channels


def depthwise(layer: Any, n: int) -> Operator:
    kernel, channels = _by_depth(weights(layer.kernel))
    return _convolved(layer, n, kernel, bias_of(layer), channels)


def separable(layer: Any, n: int) -> Operator:
    kernel, channels = _by_depth(weights(layer.depthwise_kernel))
    points = weights(layer.pointwise_kernel).transpose(n + 1, n, *range(n))
    mixed = Convolution(points, bias_of(layer), Window.of((1,) * n))
    return in_turn(_convolved(layer, n, kernel, 0.0, channels), _spatial(layer, n, mixed))


def transposed(layer: Any, n: int) -> Operator:
    kernel = weights(layer.kernel)  # (*size, channels made, channels read)
    size, stride = kernel.shape[:n], each(layer.strides, n)
    dilation = each(layer.dilation_rate, n)
    more = (None,) * n if layer.output_padding is None else each(layer.output_padding, n)
    ends = [
        _transposed_ends(d * (k - 1) + 1, s, layer.padding, o)
        for d, k, s, o in zip(dilation, size, stride, more, strict=True)
    ]
    before, after, beyond = zip(*ends, strict=True)
    window = Window(size, stride, dilation, before, after)
    made = kernel.transpose(n + 1, n, *range(n))
    return _spatial(layer, n, TransposedConvolution(made, bias_of(layer), window, beyond))


def _transposed_ends(reach: int, stride: int, padding: str, more: int | None) -> Ints:
    """What is cut off before and after, and what is added after, of all that a transposed
    convolution makes: (length - 1) stride + reach.
    """
    if padding == "valid":
        return 0, 0, max(stride - reach, 0) if more is None else more
    kept = stride + reach - 2 if more is None else reach + reach % 2 - 2 + more
    left = min(kept // 2 + kept % 2, reach - 1)
    right = reach - 1 - (kept - left)
    return reach - 1 - left, max(right, 0), max(-right, 0)


def pool(make: Callable[[Window], Operator]) -> Callable[[Any, int], Operator]:
    def pooled(layer: Any, n: int) -> Operator:
        size, stride = each(layer.pool_size, n), each(layer.strides, n)
        return _spatial(layer, n, _Windowed(size, stride, (1,) * n, layer.padding, make))

    return pooled


def average(window: Window) -> Operator:
    import keras

    pool = AveragePool(window, counts_padding=False)
    if keras.config.backend() != "torch" or window.before == window.after:
        return pool

    # where it cannot pad alike on both sides, this backend repeats what is at the ends
    def repeated(lowering: Lowering, x: Tensor) -> Tensor:
        n = len(window.size)
        places = [np.arange(length) for length in x.shape[:-n]]
        for length, a, b in zip(x.shape[-n:], window.before, window.after, strict=True):
            places.append(np.arange(-a, length + b).clip(0, length - 1))
        bare = AveragePool(Window.of(window.size, window.stride))
        return bare(lowering, Index(np.ix_(*places))(lowering, x))

    return repeated


def adaptive(kind: type[AdaptiveAverage] | type[AdaptiveMax]) -> Callable[[Any, int], Operator]:
    def pooled(layer: Any, n: int) -> Operator:
        return _spatial(layer, n, kind(each(layer.output_size, n)))

    return pooled


def axes_of(layer: Any, n: int) -> Ints:
    """The n axes that are no channels."""
    first = 2 if is_first(layer) else 1
    return tuple(range(first, first + n))


def global_average(layer: Any, n: int) -> Operator:
    return SumOver(axes_of(layer, n), layer.keepdims, is_mean=True)


def global_max(layer: Any, n: int) -> Operator:
    return MaxOver(axes_of(layer, n), layer.keepdims)
