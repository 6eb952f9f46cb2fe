"""Keras' layers and activations as operators, by the names of their classes and functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from crn_nn_tellurium.errors import NetworkError
from crn_nn_tellurium.importers.keras_windows import (
    adaptive,
    average,
    axes_of,
    bias_of,
    conv,
    depthwise,
    each,
    global_average,
    global_max,
    is_first,
    pool,
    separable,
    transposed,
    weights,
)
from crn_nn_tellurium.networks import PiecewiseLinear, SmoothedReLU
from crn_nn_tellurium.operators import (
    AdaptiveAverage,
    AdaptiveMax,
    Apply,
    Concat,
    Dense,
    Flatten,
    Function,
    Identity,
    Index,
    Keep,
    LogSoftmax,
    Lowering,
    Maximum,
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
    Tensor,
    batch_norm,
    celu,
    clip,
    elu,
    exponential,
    gelu,
    hard_sigmoid,
    hard_swish,
    in_turn,
    leaky_relu,
    log_sigmoid,
    mish,
    relu,
    selu,
    sigmoid,
    silu,
    soft_shrink,
    softplus,
    softsign,
    tanh,
    tanh_shrink,
)

Ints = tuple[int, ...]

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
    "celu": lambda: Apply(celu()),
    "selu": lambda: Apply(selu()),
    "exponential": lambda: Apply(exponential()),
    "softmax": Softmax,
    "log_softmax": LogSoftmax,
}
"""By the names of Keras' functions, with their defaults."""


# shapes -------------------------------------------------------------------------------------------


def _pairs(value: Any, n: int) -> tuple[tuple[int, int], ...]:
    """(before, after) of n axes; of one axis Keras keeps the pair alone."""
    return (tuple(value),) if n == 1 and isinstance(value[0], int) else tuple(map(tuple, value))


def _among(layer: Any, n: int, of_axes: Sequence[Any], of_others: Any) -> list[Any]:
    """One thing for each axis: those of n axes, and another for samples and channels."""
    return [
        of_axes[axis - axes_of(layer, n)[0]] if axis in axes_of(layer, n) else of_others
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
    factors = _among(layer, n, each(layer.size, n), 1)

    def repeated(lowering: Lowering, x: Tensor) -> Tensor:
        places = [np.arange(m).repeat(k) for m, k in zip(x.shape, factors, strict=True)]
        return Index(np.ix_(*places))(lowering, x)

    return repeated


def _flatten(layer: Any, n: int) -> Operator:
    def flat(lowering: Lowering, x: Tensor) -> Tensor:
        # channels go last first
        order = (0, *range(2, len(x.shape)), 1)
        moved = Permute(order)(lowering, x) if is_first(layer) and len(x.shape) > 2 else x
        return Flatten(1)(lowering, moved)

    return flat


def _repeat_vector(layer: Any, n: int) -> Operator:
    return in_turn(Index((slice(None), None)), Index((slice(None), np.zeros(layer.n, dtype=int))))


# numbers ------------------------------------------------------------------------------------------


def _dense(layer: Any, n: int) -> Operator:
    return Dense(weights(layer.kernel).T, bias_of(layer))


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
    gamma = weights(layer.gamma) if layer.scale else None
    beta = weights(layer.beta) if layer.center else None
    mean, variance = weights(layer.moving_mean), weights(layer.moving_variance)

    def normalized(lowering: Lowering, x: Tensor) -> Tensor:
        n_after = len(x.shape) - 1 - layer.axis % len(x.shape)
        return batch_norm(mean, variance, gamma, beta, layer.epsilon, n_after)(lowering, x)

    return normalized


def _normalization(layer: Any, n: int) -> Operator:
    import keras

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
    axes = each(layer.axis, 1)
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
    "AdaptiveAveragePooling": adaptive(AdaptiveAverage),
    "AdaptiveMaxPooling": adaptive(AdaptiveMax),
    "Average": _average,
    "AveragePooling": pool(average),
    "BatchNormalization": _batch_norm,
    "Concatenate": lambda layer, n: Concat(layer.axis),
    "Conv": conv,
    "ConvTranspose": transposed,
    "Cropping": _cropping,
    "Dense": _dense,
    "DepthwiseConv": depthwise,
    "ELU": _elu,
    "EinsumDense": _einsum,
    "Flatten": _flatten,
    "GlobalAveragePooling": global_average,
    "GlobalMaxPooling": global_max,
    "LeakyReLU": _leaky_relu,
    "MaxPooling": pool(MaxPool),
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
    "SeparableConv": separable,
    "Softmax": _softmax,
    "Subtract": lambda layer, n: Sum((1.0, -1.0)),
    "UpSampling": _up_sampling,
    "ZeroPadding": _zero_padding,
}
"""By class, without the number of axes; the number comes second."""
