"""PyTorch's operators that move a window over the last axes, or go channel by channel."""

from __future__ import annotations

from collections.abc import Callable

from crn_nn_tellurium.importers.torch_calls import Call, Translated
from crn_nn_tellurium.operators import (
    AdaptiveAverage,
    AdaptiveMax,
    AveragePool,
    Convolution,
    MaxPool,
    Operator,
    TransposedConvolution,
    Window,
    batch_norm,
    unsupported,
)

BATCH = (
    "its statistics are those of what it reads; expected the running ones, with"
    " track_running_stats=True and training=False"
)
"""What there is to say of a norm without running statistics."""


def _convolution(call: Call) -> Translated:
    kernel = call.array("weight")
    assert kernel is not None
    if call.given.get("transposed"):
        return _transposed_convolution(call)
    (x,) = call.main
    size, dilation = kernel.shape[2:], call.ints("dilation")
    window = Window.of(size, call.ints("stride"), 0, dilation)
    padding = call.given["padding"]
    if padding == "same":
        axes = x.shape[-len(size) :]
        window = Window.same(size, window.stride, window.dilation, axes)
    elif padding != "valid":
        window = Window.of(size, call.ints("stride"), call.ints("padding"), dilation)
    return Convolution(kernel, call.bias, window, call.given["groups"]), call.main


def _transposed_convolution(call: Call) -> Translated:
    kernel = call.array("weight")
    assert kernel is not None
    n = kernel.ndim - 2
    dilation, beyond = call.ints("dilation"), call.ints("output_padding")
    window = Window.of(kernel.shape[2:], call.ints("stride"), call.ints("padding"), dilation)
    beyond = beyond * n if len(beyond) == 1 else beyond
    return (
        TransposedConvolution(kernel, call.bias, window, beyond, call.given["groups"]),
        call.main,
    )


def _batch_norm(call: Call) -> Translated:
    (x,) = call.main
    mean, variance = call.array("running_mean"), call.array("running_var")
    of_each = call.given.get("training") or call.given.get("use_input_stats")
    if mean is None or variance is None or of_each:
        raise unsupported(call.name, call.where, BATCH)
    weight, bias = call.array("weight"), call.array("bias")
    operator = batch_norm(mean, variance, weight, bias, call.number("eps"), len(x.shape) - 2)
    return operator, (x,)


def _pool_window(call: Call, n: int) -> Window:
    size = call.ints("kernel_size")
    size = size * n if len(size) == 1 else size
    # no stride means the window's own size
    stride = call.ints("stride") if call.given["stride"] else size
    dilation = call.ints("dilation") if "dilation" in call.given else (1,)
    return Window.of(size, stride, call.ints("padding"), dilation)


def _average_pool(n: int) -> Callable[[Call], Translated]:
    def translate(call: Call) -> Translated:
        counts, rounds_up = call.given["count_include_pad"], call.given["ceil_mode"]
        divisor = call.given.get("divisor_override")
        return AveragePool(_pool_window(call, n), counts, rounds_up, divisor), call.main

    return translate


def _max_pool(n: int) -> Callable[[Call], Translated]:
    def translate(call: Call) -> Translated:
        return MaxPool(_pool_window(call, n), call.given["ceil_mode"]), call.main_of_values

    return translate


def _adaptive(make: Callable[[tuple[int, ...]], Operator], n: int) -> Callable[[Call], Translated]:
    def translate(call: Call) -> Translated:
        sizes = call.ints("output_size")
        return make(sizes * n if len(sizes) == 1 else sizes), call.main_of_values

    return translate


WINDOWS: dict[str, Callable[[Call], Translated]] = {
    **dict.fromkeys(("conv1d", "conv2d", "conv3d", "convolution"), _convolution),
    **{f"conv_transpose{n}d": _transposed_convolution for n in (1, 2, 3)},
    **dict.fromkeys(("batch_norm", "instance_norm"), _batch_norm),
    **{f"avg_pool{n}d": _average_pool(n) for n in (1, 2, 3)},
    **{f"max_pool{n}d": _max_pool(n) for n in (1, 2, 3)},
    **{f"adaptive_avg_pool{n}d": _adaptive(AdaptiveAverage, n) for n in (1, 2, 3)},
    **{f"adaptive_max_pool{n}d": _adaptive(AdaptiveMax, n) for n in (1, 2, 3)},
}
"""By name."""
