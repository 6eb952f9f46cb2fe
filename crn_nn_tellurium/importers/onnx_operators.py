"""What the operators of ONNX are among ours, by name.

Attributes have the defaults of the operator's own version, which onnx tells; what changed besides
defaults (axes that became inputs, say) is asked for in both places. Operators that only move
elements are not written again: onnx's own evaluator moves the elements' places. Source: the
specification, https://onnx.ai/onnx/operators.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import reduce

import numpy as np

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.importers.onnx_call import Call
from crn_nn_tellurium.operators import (
    Apply,
    ArgMax,
    Arranged,
    AveragePool,
    Concat,
    Convolution,
    Function,
    Identity,
    Index,
    LogSoftmax,
    MatMul,
    Maximum,
    MaxOver,
    MaxPool,
    Operator,
    Permute,
    PReLU,
    Product,
    Quotient,
    Reshape,
    Scale,
    Softmax,
    Sum,
    SumOver,
    TransposedConvolution,
    Window,
    absolute,
    batch_norm,
    celu,
    clip,
    elu,
    erf,
    exponential,
    gelu,
    halves,
    hard_sigmoid,
    hard_swish,
    in_turn,
    leaky_relu,
    mish,
    relu,
    sigmoid,
    silu,
    soft_shrink,
    softplus,
    softsign,
    tanh,
)

# Arithmetic --------------------------------------------------------------------------------------


def _sum(sign: float) -> Callable[[Call], Operator]:
    """a + b or a - b."""

    def translated(call: Call) -> Operator:
        left, right = call.inputs
        if left is None or right is None or len(call.variables) == 2:
            return Sum((1.0, sign))
        if left.constant is not None:
            return Scale(sign, call.numbers(0))
        return Scale(1.0, sign * call.numbers(1))

    return translated


def _times(call: Call) -> Operator:
    if len(call.variables) == 2:
        return Product()
    return Scale(call.numbers(0 if call.x.constant is not None else 1))


def _divided(call: Call) -> Operator:
    if len(call.variables) == 2:
        return Quotient()
    by = call.numbers(1)
    if not by.all():
        raise call.refused("it divides by 0")
    return Scale(1 / by)


def _power(call: Call) -> Operator:
    exponents = np.unique(call.numbers(1)).tolist()
    if exponents == [1.0]:
        return Identity()
    if exponents == [2.0]:
        return lambda lowering, x: Product()(lowering, x, x)
    raise call.refused(f"its exponent is {exponents}; expected 1 or 2")


def _matmul(call: Call) -> Operator:
    left, right = call.inputs
    if left is None or right is None or len(call.variables) == 2:
        raise call.refused("both factors depend on the inputs; expected one of them constant")
    return _times_matrix(call, 1 if left.constant is None else 0)


def _times_matrix(call: Call, place: int) -> Operator:
    """The product with a constant, the first or the second factor."""
    factor = call.numbers(place)
    if factor.ndim > 2:
        raise call.refused(f"its constant factor has shape {factor.shape}; expected a matrix")
    return MatMul(factor, is_left=place == 0)


def _gemm(call: Call) -> Operator:
    """alpha A' B' + beta C, where ' may be a transposition."""
    alpha, beta = call.attribute("alpha"), call.attribute("beta")
    turns = [bool(call.attribute(name)) for name in ("transA", "transB")]
    x, place = (call.x, 1) if call.x.constant is None else (call.inputs[1], 0)
    if x is None or x.constant is not None:
        raise call.refused("both factors are constant; expected one that depends on the inputs")
    factor = alpha * call.numbers(place)
    steps: list[Operator] = [Permute((1, 0))] if turns[1 - place] else []
    steps.append(MatMul(factor.T if turns[place] else factor, is_left=place == 0))
    third = call.inputs[2] if len(call.inputs) > 2 else None
    if third is not None and third.constant is not None:
        steps.append(Scale(1.0, beta * call.numbers(2)))
    product = in_turn(*steps)
    if third is None or third.constant is not None:
        return product
    return lambda lowering, a, c: Sum((1.0, beta))(lowering, product(lowering, a), c)


# Windows -----------------------------------------------------------------------------------------


def _window(call: Call, size: tuple[int, ...]) -> Window:
    """The window that the attributes of a convolution or pool describe."""
    n, axes = len(size), call.x.shape[-len(size) :]
    stride = tuple(call.attribute("strides") or [1] * n)
    dilation = tuple(call.attribute("dilations") or [1] * n)
    auto_pad, pads = call.attribute("auto_pad"), call.attribute("pads") or [0] * 2 * n
    if auto_pad == "NOTSET":
        return Window(size, stride, dilation, tuple(pads[:n]), tuple(pads[n:]))
    if auto_pad == "VALID":
        return Window(size, stride, dilation, (0,) * n, (0,) * n)
    return Window.same(size, stride, dilation, axes, odd_before=auto_pad != "SAME_UPPER")


def _kernel(call: Call) -> tuple[FloatArray, FloatArray | float]:
    """Kernel and bias of a convolution."""
    kernel = call.numbers(1)
    size = call.attribute("kernel_shape")
    if size is not None and tuple(size) != kernel.shape[2:]:
        raise call.refused(f"its kernel has shape {kernel.shape} and kernel_shape is {size}")
    return kernel, 0.0 if call.optional(2) is None else call.numbers(2)


def _convolution(call: Call) -> Operator:
    kernel, bias = _kernel(call)
    return Convolution(kernel, bias, _window(call, kernel.shape[2:]), call.attribute("group"))


def _transposed_convolution(call: Call) -> Operator:
    kernel, bias = _kernel(call)
    size = kernel.shape[2:]
    n, auto_pad, group = len(size), call.attribute("auto_pad"), call.attribute("group")
    stride = tuple(call.attribute("strides") or [1] * n)
    dilation = tuple(call.attribute("dilations") or [1] * n)
    beyond = tuple(call.attribute("output_padding") or [0] * n)
    pads = call.attribute("pads") or [0] * 2 * n
    before, after = tuple(pads[:n]), tuple(pads[n:])
    if call.attribute("output_shape") is not None or auto_pad.startswith("SAME"):
        # the result has a shape, and the padding follows
        total = [
            s * (length - 1) + more + d * (k - 1) + 1 - wanted
            for s, length, more, d, k, wanted in zip(
                stride, call.x.shape[2:], beyond, dilation, size, call.shape[2:], strict=True
            )
        ]
        before, after = halves(total, odd_before=auto_pad != "SAME_UPPER")
    elif auto_pad == "VALID":
        before = after = (0,) * n
    if min(*before, *after, 0) < 0:
        raise call.refused("its output_shape is larger than all that is read; give output_padding")
    window = Window(size, stride, dilation, before, after)
    return TransposedConvolution(kernel, bias, window, beyond, group)


def _pool_window(call: Call) -> Window:
    """The window of a pool, which has something to read everywhere."""
    window = _window(call, tuple(call.attribute("kernel_shape")))
    reach = [d * (k - 1) + 1 for d, k in zip(window.dilation, window.size, strict=True)]
    if any(pad >= n for pad, n in zip(window.before + window.after, reach * 2, strict=True)):
        raise call.refused(
            f"its padding {window.before}, {window.after} is not less than its window {reach},"
            " which reads nothing there"
        )
    return window


def _average_pool(call: Call) -> Operator:
    window = _pool_window(call)
    counts_padding = bool(call.attribute("count_include_pad"))
    return AveragePool(window, counts_padding, bool(call.attribute("ceil_mode")))


def _max_pool(call: Call) -> Operator:
    # storage_order is that of the indices, another output
    call.attribute("storage_order")
    return MaxPool(_pool_window(call), bool(call.attribute("ceil_mode")))


def _batch_norm(call: Call) -> Operator:
    if call.attribute("training_mode"):
        raise call.refused("training_mode is 1; export the model for inference")
    call.attribute("momentum")  # of training
    weight, bias, mean, variance = map(call.numbers, range(1, 5))
    n_after, epsilon = len(call.x.shape) - 2, call.attribute("epsilon")
    if (low := variance.min(initial=1.0) + epsilon) <= 0:
        raise call.refused(f"variance + epsilon is {low:g}; expected numbers > 0")
    return batch_norm(mean, variance, weight, bias, epsilon, n_after)


# Axes --------------------------------------------------------------------------------------------


def _axes(call: Call) -> tuple[int, ...]:
    """Axes that are reduced: an attribute or an input, by default all."""
    axes = call.setting("axes", 1)
    found = () if axes is None else tuple(int(axis) for axis in axes)
    keeps_all = call.attribute("noop_with_empty_axes")
    return call.over(*(found if found or keeps_all else range(len(call.x.shape))))


def _sum_over(is_mean: bool) -> Callable[[Call], Operator]:
    def translated(call: Call) -> Operator:
        return SumOver(_axes(call), bool(call.attribute("keepdims")), is_mean)

    return translated


def _max_over(sign: float) -> Callable[[Call], Operator]:
    def translated(call: Call) -> Operator:
        return MaxOver(_axes(call), bool(call.attribute("keepdims")), sign)

    return translated


def _shares(operator: Callable[[int], Operator]) -> Callable[[Call], Operator]:
    """Softmax and its logarithm; before version 13, over all axes from one on as one."""

    def translated(call: Call) -> Operator:
        shape = call.x.shape
        (axis,) = call.over(call.attribute("axis") % len(shape))
        if call.version >= 13 or axis == len(shape) - 1:
            return operator(axis)
        rows = Reshape((math.prod(shape[:axis]), math.prod(shape[axis:])))
        return in_turn(rows, operator(-1), Reshape(shape))

    return translated


def _along(operator: Callable[[int], Operator]) -> Callable[[Call], Operator]:
    """Along one axis; of ArgMax, by which the network ends, keepdims does not matter."""

    def translated(call: Call) -> Operator:
        call.read.add("keepdims")
        return operator(*call.over(call.attribute("axis")))

    return translated


# Moves -------------------------------------------------------------------------------------------


def _moves(call: Call) -> Operator:
    """Where each element of the result is from, and what is filled in: of 0, 1 and the places of
    all elements, onnx's own evaluator tells.
    """
    call.read.update(call.given)
    if call.kind == "Gather":
        call.over(call.attribute("axis"))
    if len(call.variables) != 1:
        names = [one.name for one in call.variables]
        raise call.refused(f"{names} depend on the network's inputs; expected one of them")
    shape = call.variables[0].shape
    fill, one = call.moved(np.zeros(shape)), call.moved(np.ones(shape))
    moved = call.moved(np.arange(math.prod(shape), dtype=float).reshape(shape))
    with np.errstate(invalid="ignore"):
        is_moved = one - fill == 1
    if not np.isfinite(fill).all():
        raise call.refused("it fills in numbers that are not finite; expected others")
    return Arranged(np.where(is_moved, moved, -1).astype(int), np.where(is_moved, 0.0, fill))


def _nearest(call: Call) -> Operator:
    if (mode := call.attribute("mode")) != "nearest":
        raise call.refused(f"mode is {mode!r}; expected 'nearest'")
    if call.version > 10:
        return _moves(call)
    # the place divided by the scale, rounded down; onnx's evaluator has not all of these versions
    scales = np.asarray(call.setting("scales", 1), dtype=np.float32)
    lengths = zip(call.x.shape, call.shape, scales, strict=True)
    places = [(np.arange(n) / k).astype(int).clip(0, had - 1) for had, n, k in lengths]
    return Index(np.ix_(*places))


# Functions ---------------------------------------------------------------------------------------


def _apply(function: Callable[[Call], Function]) -> Callable[[Call], Operator]:
    return lambda call: Apply(function(call))


def _clip(call: Call) -> Operator:
    low, high = call.setting("min", 1), call.setting("max", 2)
    if np.size(low) != 1 or np.size(high) != 1:
        raise call.refused("its min and max are arrays; expected one number each")
    low, high = -math.inf if low is None else low, math.inf if high is None else high
    ends = np.asarray(low, float).item(), np.asarray(high, float).item()
    if not ends[0] < ends[1]:
        raise call.refused(f"min is {ends[0]:g} and max {ends[1]:g}; expected min < max")
    # version 6 has the largest numbers of 32 bits for none
    most = float(np.finfo(np.float32).max)
    low, high = (math.copysign(math.inf, end) if abs(end) >= most else end for end in ends)
    return Apply(clip(low, high))


def _prelu(call: Call) -> Operator:
    slopes = np.unique(call.numbers(1))
    return Apply(leaky_relu(float(slopes[0]))) if len(slopes) == 1 else PReLU(call.numbers(1))


def _shrink(call: Call) -> Operator:
    width, bias = call.attribute("lambd"), call.attribute("bias")
    if width != bias or width < 0:
        raise call.refused(
            f"it jumps: lambd is {width:g} and bias {bias:g}; expected them equal, and not negative"
        )
    return Apply(soft_shrink(width))


def _swish(call: Call) -> Operator:
    alpha = call.attribute("alpha")
    if alpha == 0:
        return Scale(0.5)
    return in_turn(Scale(alpha), Apply(silu()), Scale(1 / alpha)) if alpha != 1 else Apply(silu())


def _dropout(call: Call) -> Operator:
    call.attribute("seed")
    call.setting("ratio", 1)
    if (training := call.optional(2)) is not None and training.any():
        raise call.refused("training_mode is true; export the model for inference")
    return Identity()


def _identity(call: Call) -> Operator:
    call.read.update(("to", "saturate", "round_mode"))
    return Identity()


def _extreme(sign: float) -> Callable[[Call], Operator]:
    """The largest, or smallest, of several."""
    operator = Maximum(sign)

    def translated(call: Call) -> Operator:
        return lambda lowering, *x: reduce(lambda a, b: operator(lowering, a, b), x)

    return translated


OF_ALL: dict[str, Callable[[Call], Operator]] = {
    "Concat": _along(Concat),
    "Sum": lambda call: Sum((1.0,) * len(call.inputs)),
    "Mean": lambda call: Sum((1 / len(call.inputs),) * len(call.inputs)),
    "Max": _extreme(1.0),
    "Min": _extreme(-1.0),
}
"""Operators that read whatever inputs they have, constant or not."""
MOVES = (
    "Reshape Flatten Squeeze Unsqueeze Transpose Slice Gather GatherElements GatherND Expand Tile"
    " Pad Split DepthToSpace SpaceToDepth Trilu Where"
).split()
"""Operators that move elements, and may fill in numbers."""
OPERATORS: dict[str, Callable[[Call], Operator]] = {
    **OF_ALL,
    **dict.fromkeys(MOVES, _moves),
    **dict.fromkeys(("Resize", "Upsample"), _nearest),
    **dict.fromkeys(("Identity", "Cast"), _identity),
    # the type alone is the second's
    "CastLike": lambda call: lambda lowering, x, *_: x,
    "Dropout": _dropout,
    "Add": _sum(1.0),
    "Sub": _sum(-1.0),
    "Mul": _times,
    "Div": _divided,
    "Neg": lambda call: Scale(-1.0),
    "Pow": _power,
    "MatMul": _matmul,
    "Gemm": _gemm,
    "Conv": _convolution,
    "ConvTranspose": _transposed_convolution,
    "AveragePool": _average_pool,
    "MaxPool": _max_pool,
    "GlobalAveragePool": lambda call: SumOver(tuple(range(2, len(call.shape))), True, True),
    "GlobalMaxPool": lambda call: MaxOver(tuple(range(2, len(call.shape))), True),
    "BatchNormalization": _batch_norm,
    "ReduceMean": _sum_over(True),
    "ReduceSum": _sum_over(False),
    "ReduceMax": _max_over(1.0),
    "ReduceMin": _max_over(-1.0),
    "Softmax": _shares(Softmax),
    "LogSoftmax": _shares(LogSoftmax),
    "ArgMax": _along(ArgMax),
    "PRelu": _prelu,
    "Clip": _clip,
    "Shrink": _shrink,
    "Swish": _swish,
    "Relu": _apply(lambda call: relu()),
    "Abs": _apply(lambda call: absolute()),
    "Sigmoid": _apply(lambda call: sigmoid()),
    "Tanh": _apply(lambda call: tanh()),
    "Softplus": _apply(lambda call: softplus()),
    "Softsign": _apply(lambda call: softsign()),
    "HardSwish": _apply(lambda call: hard_swish()),
    "Mish": _apply(lambda call: mish()),
    "Erf": _apply(lambda call: erf()),
    "Exp": _apply(lambda call: exponential()),
    "Gelu": _apply(lambda call: gelu(call.attribute("approximate") == "tanh")),
    "LeakyRelu": _apply(lambda call: leaky_relu(call.attribute("alpha"))),
    "Elu": _apply(lambda call: elu(call.attribute("alpha"))),
    "Selu": _apply(lambda call: elu(call.attribute("alpha"), call.attribute("gamma"))),
    "Celu": _apply(lambda call: celu(call.attribute("alpha"))),
    "HardSigmoid": _apply(
        lambda call: hard_sigmoid(call.attribute("alpha"), call.attribute("beta"))
    ),
}
