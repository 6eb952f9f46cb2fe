"""Keras' layers and activations as operators, by the names of their classes and functions."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.errors import NetworkError
from crn_nn_tellurium.networks import PiecewiseLinear, SmoothedReLU
from crn_nn_tellurium.operators import (
    AdaptiveAverage,
    AdaptiveMax,
    Apply,
    AveragePool,
    Concat,
    Convolution,
    Dense,
    Flatten,
    Function,
    Identity,
    Index,
    Keep,
    LogSoftmax,
    Lowering,
    Maximum,
    MaxOver,
    MaxPool,
    Operator,
    Pad,
    Permute,
    PReLU,
    Product,
    Reshape,
    Scale,
    Softmax,
    Sum,
    SumOver,
    Tensor,
    TransposedConvolution,
    Window,
    clip,
    elu,
    exponential,
    gelu,
    hard_sigmoid,
    hard_swish,
    leaky_relu,
    log_sigmoid,
    mish,
    relu,
    sigmoid,
    silu,
    soft_shrink,
    softplus,
    softsign,
    tanh,
    tanh_shrink,
)

Ints = tuple[int, ...]
_SELU = (1.6732632423543772, 1.0507009873554805)

ACTIVATIONS: dict[str, Callable[[], Operator]] = {
    "linear": Identity,
    "relu": lambda: Apply(relu()),
    "relu6": lambda: Apply(clip(0.0, 6.0)),
    "leaky_relu": lambda: Apply(leaky_relu(0.2)),
    "hard_tanh": lambda: Apply(clip(-1.0, 1.0)),
    "hard_sigmoid": lambda: Apply(hard_sigmoid()),
    "hard_silu": lambda: Apply(hard_swish()),
    "hard_swish": lambda: Apply(hard_swish()),
    "sparse_sigmoid": lambda: Apply(hard_sigmoid(0.5, 0.5)),
    "soft_shrink": lambda: Apply(soft_shrink(0.5)),
    # (x + sqrt(x^2 + 4)) / 2: chemistry's own, whatever h is asked for
    "squareplus": lambda: Keep(SmoothedReLU(1.0)),
    "sigmoid": lambda: Apply(sigmoid()),
    "log_sigmoid": lambda: Apply(log_sigmoid()),
    "tanh": lambda: Apply(tanh()),
    "tanh_shrink": lambda: Apply(tanh_shrink()),
    "softplus": lambda: Apply(softplus()),
    "softsign": lambda: Apply(softsign()),
    "silu": lambda: Apply(silu()),
    "swish": lambda: Apply(silu()),
    "gelu": lambda: Apply(gelu()),
    "mish": lambda: Apply(mish()),
    "elu": lambda: Apply(elu()),
    "celu": lambda: Apply(elu()),
    "selu": lambda: Apply(elu(*_SELU)),
    "exponential": lambda: Apply(exponential()),
    "softmax": Softmax,
    "log_softmax": LogSoftmax,
}
"""By the names of Keras' functions, with their defaults."""


@dataclass(frozen=True, eq=False)
class Steps:
    """Operators one after another, for what is one layer of Keras."""

    operators: tuple[Operator, ...]

    def __call__(self, lowering: Lowering, x: Tensor) -> Tensor:
        for operator in self.operators:
            x = operator(lowering, x)
        return x


def weights(variable: Any) -> FloatArray:
    """The numbers of a variable, on whatever device."""
    import keras

    with warnings.catch_warnings():
        # Keras takes torch's tensors to numpy in a way of old
        warnings.simplefilter("ignore", DeprecationWarning)
        return np.array(keras.ops.convert_to_numpy(variable), dtype=float)


def _is_first(layer: Any) -> bool:
    # those of one axis may have none, and have channels last
    return getattr(layer, "data_format", None) == "channels_first"


def _spatial(layer: Any, n: int, operator: Operator) -> Operator:
    """An operator on channels before n axes, for a layer that may have them behind."""
    if _is_first(layer):
        return operator
    inner = tuple(range(1, n + 1))
    there, back = Permute((0, n + 1, *inner)), Permute((0, *(i + 1 for i in inner), 1))
    return Steps((there, operator, back))


def _each(value: int | Sequence[int], n: int) -> Ints:
    return (value,) * n if isinstance(value, int) else tuple(value)


# windows ------------------------------------------------------------------------------------------


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
        before, after = (0,) * n, (0,) * n
        reach = tuple(d * (k - 1) for d, k in zip(self.dilation, self.size, strict=True))
        if self.padding == "causal":
            before = reach
        elif self.padding == "same":
            # as many positions as strides fit; the odd element goes to the end
            lengths = zip(x.shape[-n:], self.stride, reach, strict=True)
            over = tuple(max((-(-m // s) - 1) * s + r + 1 - m, 0) for m, s, r in lengths)
            before = tuple(o // 2 for o in over)
            after = tuple(o - b for o, b in zip(over, before, strict=True))
        window = Window(self.size, self.stride, self.dilation, before, after)
        return self.make(window)(lowering, x)


def _convolved(layer: Any, n: int, kernel: FloatArray, bias: Any, groups: int) -> Operator:
    """A kernel (*size, channels read, channels made)."""
    first = kernel.transpose(n + 1, n, *range(n))
    windowed = _Windowed(
        kernel.shape[:n],
        _each(layer.strides, n),
        _each(layer.dilation_rate, n),
        layer.padding,
        lambda window: Convolution(first, bias, window, groups),
    )
    return _spatial(layer, n, windowed)


def _bias(layer: Any) -> Any:
    return weights(layer.bias) if layer.use_bias else 0.0


def _conv(layer: Any, n: int) -> Operator:
    return _convolved(layer, n, weights(layer.kernel), _bias(layer), layer.groups)


def _by_depth(kernel: FloatArray) -> tuple[FloatArray, int]:
    """A depthwise kernel (*size, channels, multiplier), a group for each channel."""
    *size, channels, times = kernel.shape
    return kernel.reshape(*size, 1, channels * times), channels


def _depthwise(layer: Any, n: int) -> Operator:
    kernel, channels = _by_depth(weights(layer.kernel))
    return _convolved(layer, n, kernel, _bias(layer), channels)


def _separable(layer: Any, n: int) -> Operator:
    kernel, channels = _by_depth(weights(layer.depthwise_kernel))
    points = weights(layer.pointwise_kernel).transpose(n + 1, n, *range(n))
    mixed = Convolution(points, _bias(layer), Window.of((1,) * n))
    return Steps((_convolved(layer, n, kernel, 0.0, channels), _spatial(layer, n, mixed)))


def _transposed(layer: Any, n: int) -> Operator:
    kernel = weights(layer.kernel)  # (*size, channels made, channels read)
    size, stride = kernel.shape[:n], _each(layer.strides, n)
    dilation = _each(layer.dilation_rate, n)
    more = (None,) * n if layer.output_padding is None else _each(layer.output_padding, n)
    ends = [
        _transposed_ends(d * (k - 1) + 1, s, layer.padding, o)
        for d, k, s, o in zip(dilation, size, stride, more, strict=True)
    ]
    before, after, beyond = zip(*ends, strict=True)
    window = Window(size, stride, dilation, before, after)
    made = kernel.transpose(n + 1, n, *range(n))
    return _spatial(layer, n, TransposedConvolution(made, _bias(layer), window, beyond))


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


def _pool(make: Callable[[Window], Operator]) -> Callable[[Any, int], Operator]:
    def pooled(layer: Any, n: int) -> Operator:
        size, stride = _each(layer.pool_size, n), _each(layer.strides, n)
        return _spatial(layer, n, _Windowed(size, stride, (1,) * n, layer.padding, make))

    return pooled


def _mean(window: Window) -> Operator:
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


def _adaptive(kind: type[AdaptiveAverage] | type[AdaptiveMax]) -> Callable[[Any, int], Operator]:
    def pooled(layer: Any, n: int) -> Operator:
        return _spatial(layer, n, kind(_each(layer.output_size, n)))

    return pooled


def _axes(layer: Any, n: int) -> Ints:
    """The n axes that are no channels."""
    first = 2 if _is_first(layer) else 1
    return tuple(range(first, first + n))


def _global_average(layer: Any, n: int) -> Operator:
    return SumOver(_axes(layer, n), layer.keepdims, is_mean=True)


def _global_max(layer: Any, n: int) -> Operator:
    return MaxOver(_axes(layer, n), layer.keepdims)


# shapes -------------------------------------------------------------------------------------------


def _pairs(value: Any, n: int) -> tuple[tuple[int, int], ...]:
    """(before, after) of n axes; of one axis Keras keeps the pair alone."""
    return (tuple(value),) if n == 1 and isinstance(value[0], int) else tuple(map(tuple, value))


def _among(layer: Any, n: int, of_axes: Sequence[Any], of_others: Any) -> list[Any]:
    """One thing for each axis: those of n axes, and another for samples and channels."""
    return [
        of_axes[axis - _axes(layer, n)[0]] if axis in _axes(layer, n) else of_others
        for axis in range(n + 2)
    ]


def _zero_padding(layer: Any, n: int) -> Operator:
    return Pad(tuple(_among(layer, n, _pairs(layer.padding, n), (0, 0))))


def _cropping(layer: Any, n: int) -> Operator:
    cuts = [slice(before, -after or None) for before, after in _pairs(layer.cropping, n)]
    return Index(tuple(_among(layer, n, cuts, slice(None))))


def _up_sampling(layer: Any, n: int) -> Operator:
    if getattr(layer, "interpolation", "nearest") != "nearest":
        raise NetworkError(f"interpolation={layer.interpolation!r}; expected 'nearest'")
    factors = _among(layer, n, _each(layer.size, n), 1)

    def repeated(lowering: Lowering, x: Tensor) -> Tensor:
        places = [np.arange(m).repeat(k) for m, k in zip(x.shape, factors, strict=True)]
        return Index(np.ix_(*places))(lowering, x)

    return repeated


def _flatten(layer: Any, n: int) -> Operator:
    def flat(lowering: Lowering, x: Tensor) -> Tensor:
        # channels go last first
        order = (0, *range(2, len(x.shape)), 1)
        moved = Permute(order)(lowering, x) if _is_first(layer) and len(x.shape) > 2 else x
        return Flatten(1)(lowering, moved)

    return flat


def _repeat_vector(layer: Any, n: int) -> Operator:
    return Steps((Index((slice(None), None)), Index((slice(None), np.zeros(layer.n, dtype=int)))))


# numbers ------------------------------------------------------------------------------------------


def _dense(layer: Any, n: int) -> Operator:
    return Dense(weights(layer.kernel).T, _bias(layer))


def _einsum(layer: Any, n: int) -> Operator:
    kernel = weights(layer.kernel)
    bias = 0.0 if layer.bias is None else weights(layer.bias)

    def summed(lowering: Lowering, x: Tensor) -> Tensor:
        # each element alone as a sample gives a column
        ones = np.eye(x.size).reshape(x.size, *x.shape[1:])
        columns = np.einsum(layer.equation, ones, kernel)
        shape = (1, *columns.shape[1:])
        made = lowering.mapped(x, columns.reshape(x.size, -1).T, 0.0, shape)
        return made.scaled(1.0, bias)

    return summed


def _batch_norm(layer: Any, n: int) -> Operator:
    factor = 1 / np.sqrt(weights(layer.moving_variance) + layer.epsilon)
    factor = factor * (weights(layer.gamma) if layer.scale else 1.0)
    shift = (weights(layer.beta) if layer.center else 0.0) - factor * weights(layer.moving_mean)
    axis = layer.axis

    def normalized(lowering: Lowering, x: Tensor) -> Tensor:
        shape = [1] * len(x.shape)
        shape[axis] = -1
        return x.scaled(factor.reshape(shape), shift.reshape(shape))

    return normalized


def _normalization(layer: Any, n: int) -> Operator:
    import keras

    if layer.mean is None:
        raise NetworkError("it has no mean and variance; call adapt first")
    mean = weights(layer.mean)
    width = np.maximum(np.sqrt(weights(layer.variance)), keras.config.epsilon())
    return Scale(width, mean) if layer.invert else Scale(1 / width, -mean / width)


def _relu(layer: Any, n: int) -> Operator:
    slope, top = float(layer.negative_slope), layer.max_value
    if layer.threshold:
        raise NetworkError(f"threshold={layer.threshold!r}: it jumps there; expected 0")
    if top is None:
        return Apply(leaky_relu(slope) if slope else relu())
    if not slope:
        return Apply(clip(0.0, float(top)))
    limited = Function(
        f"relu({slope:g}, {top:g})",
        lambda z: np.minimum(np.where(z > 0, z, slope * z), top),
        lambda h: PiecewiseLinear((0.0, float(top)), (slope, 1.0, 0.0), 0.0, h),
    )
    return Apply(limited)


def _leaky_relu(layer: Any, n: int) -> Operator:
    return Apply(leaky_relu(float(layer.negative_slope)))


def _prelu(layer: Any, n: int) -> Operator:
    return PReLU(weights(layer.alpha)[None])


def _elu(layer: Any, n: int) -> Operator:
    return Apply(elu(float(layer.alpha)))


def _softmax(layer: Any, n: int) -> Operator:
    axes = _each(layer.axis, 1)
    if len(axes) != 1:
        raise NetworkError(f"axis={layer.axis!r}; expected one axis")
    return Softmax(axes[0])


# merges -------------------------------------------------------------------------------------------


def _folded(one: Operator) -> Callable[[Any, int], Operator]:
    """An operator of two, for any number of them."""

    def make(layer: Any, n: int) -> Operator:
        return lambda lowering, *x: reduce(lambda a, b: one(lowering, a, b), x)

    return make


def _average(layer: Any, n: int) -> Operator:
    return lambda lowering, *x: Sum((1 / len(x),) * len(x))(lowering, *x)


def _nothing(layer: Any, n: int) -> Operator:
    return Identity()


_OFF = """ActivityRegularization AlphaDropout Dropout GaussianDropout GaussianNoise Identity
SpatialDropout"""
LAYERS: dict[str, Callable[[Any, int], Operator]] = {
    **dict.fromkeys(_OFF.split(), _nothing),
    "Activation": _nothing,
    "Add": _folded(Sum()),
    "AdaptiveAveragePooling": _adaptive(AdaptiveAverage),
    "AdaptiveMaxPooling": _adaptive(AdaptiveMax),
    "Average": _average,
    "AveragePooling": _pool(_mean),
    "BatchNormalization": _batch_norm,
    "Concatenate": lambda layer, n: Concat(layer.axis),
    "Conv": _conv,
    "ConvTranspose": _transposed,
    "Cropping": _cropping,
    "Dense": _dense,
    "DepthwiseConv": _depthwise,
    "ELU": _elu,
    "EinsumDense": _einsum,
    "Flatten": _flatten,
    "GlobalAveragePooling": _global_average,
    "GlobalMaxPooling": _global_max,
    "LeakyReLU": _leaky_relu,
    "MaxPooling": _pool(MaxPool),
    "Maximum": _folded(Maximum()),
    "Minimum": _folded(Maximum(-1.0)),
    "Multiply": _folded(Product()),
    "Normalization": _normalization,
    "PReLU": _prelu,
    "Permute": lambda layer, n: Permute((0, *layer.dims)),
    "ReLU": _relu,
    "RepeatVector": _repeat_vector,
    "Rescaling": lambda layer, n: Scale(layer.scale, layer.offset),
    "Reshape": lambda layer, n: Reshape((1, *layer.target_shape)),
    "SeparableConv": _separable,
    "Softmax": _softmax,
    "Subtract": lambda layer, n: Sum((1.0, -1.0)),
    "UpSampling": _up_sampling,
    "ZeroPadding": _zero_padding,
}
"""By class, without the number of axes; the number comes second."""
