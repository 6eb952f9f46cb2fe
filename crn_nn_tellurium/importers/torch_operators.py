"""PyTorch's operators, under their names in ATen, as those of a graph.

Whatever moves elements only (views, slices, concatenations, paddings, nearest neighbours) is run by
PyTorch itself on the places of the elements, and so needs no translation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.errors import NetworkError
from crn_nn_tellurium.operators import (
    AdaptiveAverage,
    AdaptiveMax,
    Apply,
    ArgMax,
    Arranged,
    AveragePool,
    Convolution,
    Dense,
    Function,
    Identity,
    LogSoftmax,
    MatMul,
    Maximum,
    MaxOver,
    MaxPool,
    Operator,
    PReLU,
    Product,
    Scale,
    Softmax,
    Sum,
    SumOver,
    TransposedConvolution,
    Window,
    absolute,
    batch_norm,
    clip,
    elu,
    erf,
    exponential,
    gelu,
    hard_sigmoid,
    hard_swish,
    leaky_relu,
    log_sigmoid,
    logarithm,
    mish,
    relu,
    root,
    sigmoid,
    silu,
    soft_shrink,
    softplus,
    softsign,
    tanh,
    unsupported,
)


@dataclass(frozen=True, eq=False)
class Read:
    """A tensor that depends on the inputs, by name, and the call that made it, if any did."""

    name: str
    shape: tuple[int, ...]
    made_by: Call | None = None


_KNOWN_AS = {
    "_native_batch_norm_legit_no_training": "batch_norm",
    "_unsafe_view": "view",
    "_to_copy": "to",
    "_softmax": "softmax",
    "_log_softmax": "log_softmax",
    "log_sigmoid_forward": "log_sigmoid",
    "_prelu_kernel": "prelu",
    **{f"max_pool{n}d_with_indices": f"max_pool{n}d" for n in (1, 2, 3)},
    **{f"_adaptive_avg_pool{n}d": f"adaptive_avg_pool{n}d" for n in (1, 2, 3)},
}
"""Names that users know, of what export makes of them."""
Translated = tuple[Operator, tuple[Read, ...]]
"""An operator and what it reads."""


@dataclass(frozen=True, eq=False)
class Call:
    """A call of an operator, with a Read wherever a tensor depends on the inputs.

    ``item`` is which of several results is meant.
    """

    target: Any
    where: str
    args: tuple[Any, ...]
    keywords: dict[str, Any]
    item: int | None = None

    @property
    def name(self) -> str:
        """As in ATen, without its overload."""
        schema = getattr(self.target, "_schema", None)
        if schema is None:
            return str(getattr(self.target, "__name__", self.target))
        name = str(schema.name).split("::")[-1]
        return _KNOWN_AS.get(name, name)

    @cached_property
    def given(self) -> dict[str, Any]:
        """Arguments by the names of the schema, with its defaults."""
        found = {}
        for place, argument in enumerate(self.target._schema.arguments):
            default = argument.default_value if argument.has_default_value() else None
            by_name = self.keywords.get(argument.name, default)
            found[argument.name] = self.args[place] if place < len(self.args) else by_name
        return found

    @cached_property
    def reads(self) -> tuple[Read, ...]:
        """All tensors that depend on the inputs, each once."""
        found: dict[Read, None] = {}
        mapped((self.args, self.keywords), Read, lambda read: found.setdefault(read))
        return tuple(found)

    def read(self, name: str) -> Read:
        """An argument that depends on the inputs."""
        if not isinstance(value := self.given[name], Read):
            raise unsupported(self.name, self.where, f"{name!r} is a constant; expected the inputs")
        return value

    def array(self, name: str) -> FloatArray | None:
        """An argument that is a constant array, or not given."""
        value = self.given[name]
        if isinstance(value, Read):
            remedy = f"{name!r} depends on the inputs; expected a constant"
            raise unsupported(self.name, self.where, remedy)
        return None if value is None else numbers(value)

    def number(self, name: str) -> float:
        """An argument that is one number."""
        value = self.array(name)
        if value is None or np.ptp(value):
            remedy = f"{name!r} is {self.given[name]!r}; expected one number"
            raise unsupported(self.name, self.where, remedy)
        return float(value.flat[0])

    def ints(self, name: str) -> tuple[int, ...]:
        """An argument that is whole numbers, as a tuple."""
        value = self.given[name]
        return tuple(value) if isinstance(value, list | tuple) else (int(value),)

    def run(self, tensors: Sequence[torch.Tensor]) -> Any:
        """What it makes of other tensors in place of its Reads."""
        by_read = dict(zip(self.reads, tensors, strict=True))
        args, keywords = mapped((self.args, self.keywords), Read, by_read.__getitem__)
        found = self.target(*args, **keywords)
        return found if self.item is None else found[self.item]


def mapped(values: Any, kind: type, change: Callable[[Any], Any]) -> Any:
    """Nested arguments with all of a kind changed."""
    if isinstance(values, kind):
        return change(values)
    if isinstance(values, list | tuple):
        return type(values)(mapped(value, kind, change) for value in values)
    if isinstance(values, dict):
        return {name: mapped(value, kind, change) for name, value in values.items()}
    return values


def numbers(value: Any) -> FloatArray:
    """A tensor or number as an array of doubles."""
    if not isinstance(value, torch.Tensor):
        return np.asarray(value, dtype=float)
    return np.asarray(value.detach().to("cpu", torch.double).numpy())


def translated(call: Call) -> Translated:
    """The operator that a call becomes.

    Raises
    ------
    NetworkError
        If it has no counterpart.
    """
    if call.name in _MOVES:
        return _arranged(call)
    if call.name not in _OPERATORS:
        raise unsupported(call.name, call.where, _REMEDIES.get(call.name, ""))
    return _OPERATORS[call.name](call)


def _arranged(call: Call) -> Translated:
    """Where the elements go: the operator, run on their places.

    With all of them raised by what tells them apart, only places that hold one of them differ.
    """
    sizes = [int(np.prod(read.shape)) for read in call.reads]
    ends = np.cumsum([0, *sizes])
    # doubles hold whole numbers exactly, and paddings by reflection take no others
    filled = call.run([torch.zeros(read.shape, dtype=torch.double) for read in call.reads])
    raised = call.run(
        [
            torch.arange(1 + first, 1 + first + size, dtype=torch.double).reshape(read.shape)
            for first, size, read in zip(ends[:-1].tolist(), sizes, call.reads, strict=True)
        ]
    )
    if not torch.isfinite(filled).all():
        remedy = "it fills in numbers that are not finite; expected finite ones"
        raise unsupported(call.name, call.where, remedy)
    places = (raised - filled).long() - 1
    return Arranged(places.numpy(), filled.numpy()), call.reads


def _main(call: Call) -> tuple[Read]:
    """The first argument, which most operators are of."""
    return (call.read(next(iter(call.given))),)


def _function(make: Callable[..., Function], *names: str) -> Callable[[Call], Translated]:
    """A function of each element, with numbers for its parameters."""
    return lambda call: (Apply(make(*map(call.number, names))), _main(call))


def _weighted(
    factors: Callable[[float], tuple[float, float]],
) -> Callable[[Call], Translated]:
    """f a + g b, where (f, g) follow from alpha, and either may be a constant."""

    def translate(call: Call) -> Translated:
        f, g = factors(call.number("alpha") if "alpha" in call.given else 1.0)
        a, b = call.given["self"], call.given["other"]
        if isinstance(a, Read) and isinstance(b, Read):
            return Sum((f, g)), (a, b)
        if isinstance(a, Read):
            return Scale(f, g * numbers(b)), (a,)
        return Scale(g, f * numbers(a)), (call.read("other"),)

    return translate


def _product(call: Call) -> Translated:
    a, b = call.given["self"], call.given["other"]
    if isinstance(a, Read) and isinstance(b, Read):
        return Product(), (a, b)
    return (Scale(numbers(b)), (a,)) if isinstance(a, Read) else (Scale(numbers(a)), (b,))


def _quotient(call: Call) -> Translated:
    if call.given.get("rounding_mode") is not None:
        raise unsupported(call.name, call.where, "it rounds; expected rounding_mode=None")
    if isinstance(other := call.given["other"], Read):
        if _is_one_and_absolute(other.made_by, call.given["self"]):
            return Apply(softsign()), _main(call)
        remedy = "it divides by what depends on the inputs; multiply by a constant"
        raise unsupported(call.name, call.where, remedy)
    return Scale(1 / numbers(other)), _main(call)


def _is_one_and_absolute(made_by: Call | None, z: Any) -> bool:
    """Whether it is 1 + |z|: PyTorch has its softsign as a quotient."""
    if made_by is None or made_by.name != "add" or made_by.keywords:
        return False
    inner, one = made_by.args
    return isinstance(inner, Read) and one == 1 and _is_absolute(inner.made_by, z)


def _is_absolute(made_by: Call | None, z: Any) -> bool:
    return made_by is not None and made_by.name == "abs" and made_by.args == (z,)


def _power(call: Call) -> Translated:
    exponent = call.number("exponent")
    (x,) = _main(call)
    if exponent == 1.0:
        return Identity(), (x,)
    if exponent == 2.0:
        return Product(), (x, x)
    if exponent == 0.5:
        return Apply(root()), (x,)
    raise unsupported(call.name, call.where, f"its exponent is {exponent:g}; expected 1, 2 or 0.5")


def _square(call: Call) -> Translated:
    return Product(), (*_main(call), *_main(call))


def _clamp(call: Call) -> Translated:
    low, high = -np.inf, np.inf
    if call.given.get("min") is not None:
        low = call.number("min")
    if call.given.get("max") is not None:
        high = call.number("max")
    return Apply(clip(low, high)), _main(call)


def _threshold(call: Call) -> Translated:
    at, value = call.number("threshold"), call.number("value")
    if at != value:
        remedy = f"it jumps from {value:g} to {at:g}; expected both to be the same"
        raise unsupported(call.name, call.where, remedy)
    return Apply(clip(at, np.inf)), _main(call)


def _softplus(call: Call) -> Translated:
    beta, threshold = call.number("beta"), call.number("threshold")
    # PyTorch takes the line from there; 2e-9 at its own threshold of 20, which nothing here sees
    if not (beta > 0 and np.log1p(np.exp(-threshold)) / beta <= 1e-8):
        remedy = (
            f"beta is {beta:g} and threshold {threshold:g}; expected beta > 0, and a threshold that"
            " softplus has run into its line at, 20 say"
        )
        raise unsupported(call.name, call.where, remedy)
    return Apply(softplus(beta)), _main(call)


def _gelu(call: Call) -> Translated:
    return Apply(gelu(by_tanh=call.given["approximate"] == "tanh")), _main(call)


def _elu(call: Call) -> Translated:
    width = 1 / call.number("input_scale")
    return Apply(elu(call.number("alpha"), call.number("scale"), width)), _main(call)


def _selu(call: Call) -> Translated:
    return Apply(elu(1.6732632423543772, 1.0507009873554805)), _main(call)


def _celu(call: Call) -> Translated:
    alpha = call.number("alpha")
    return Apply(elu(alpha, 1.0, alpha)), _main(call)


def _prelu(call: Call) -> Translated:
    (x,) = _main(call)
    slopes = call.array("weight")
    assert slopes is not None
    if slopes.ndim == 1 and len(x.shape) > 1:  # one slope a channel
        slopes = slopes.reshape(-1, *(1,) * (len(x.shape) - 2))
    return PReLU(slopes), (x,)


def _linear(call: Call) -> Translated:
    return Dense(call.array("weight"), _bias(call)), _main(call)


def _bias(call: Call) -> FloatArray | float:
    bias = call.array("bias")
    return 0.0 if bias is None else bias


def _matmul(call: Call, first: str = "", second: str = "") -> Translated:
    names = list(call.given)
    a, b = call.given[first or names[0]], call.given[second or names[1]]
    if isinstance(a, Read) and isinstance(b, Read):
        remedy = "it multiplies two tensors that both depend on the inputs; one must be constant"
        raise unsupported(call.name, call.where, remedy)
    return (
        (MatMul(numbers(b)), (a,)) if isinstance(a, Read) else (MatMul(numbers(a), True), (b,))
    )


def _added_matmul(first: str, second: str) -> Callable[[Call], Translated]:
    """beta self + alpha first @ second."""

    def translate(call: Call) -> Translated:
        product, reads = _matmul(call, first, second)
        added = call.array("self")
        assert added is not None
        after = Scale(call.number("alpha"), call.number("beta") * added)
        return _in_turn(product, after), reads

    return translate


def _in_turn(first: Operator, second: Operator) -> Operator:
    return lambda lowering, *x: second(lowering, first(lowering, *x))


def _convolution(call: Call) -> Translated:
    kernel = call.array("weight")
    assert kernel is not None
    if call.given.get("transposed"):
        return _transposed_convolution(call)
    size, dilation = kernel.shape[2:], call.ints("dilation")
    window = Window.of(size, call.ints("stride"), 0, dilation)
    padding = call.given["padding"]
    if padding == "same":
        # what is odd comes behind
        around = [d * (k - 1) for k, d in zip(size, window.dilation, strict=True)]
        before = tuple(n // 2 for n in around)
        after = tuple(n - n // 2 for n in around)
        window = Window(window.size, window.stride, window.dilation, before, after)
    elif padding != "valid":
        window = Window.of(size, call.ints("stride"), call.ints("padding"), dilation)
    return Convolution(kernel, _bias(call), window, call.given["groups"]), _main(call)


def _transposed_convolution(call: Call) -> Translated:
    kernel = call.array("weight")
    assert kernel is not None
    n = kernel.ndim - 2
    dilation, beyond = call.ints("dilation"), call.ints("output_padding")
    window = Window.of(kernel.shape[2:], call.ints("stride"), call.ints("padding"), dilation)
    beyond = beyond * n if len(beyond) == 1 else beyond
    return (
        TransposedConvolution(kernel, _bias(call), window, beyond, call.given["groups"]),
        _main(call),
    )


def _batch_norm(call: Call) -> Translated:
    (x,) = _main(call)
    mean, variance = call.array("running_mean"), call.array("running_var")
    if mean is None or variance is None or call.given.get("training"):
        raise unsupported(call.name, call.where, _BATCH)
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
        return AveragePool(_pool_window(call, n), counts, rounds_up, divisor), _main(call)

    return translate


def _max_pool(n: int) -> Callable[[Call], Translated]:
    def translate(call: Call) -> Translated:
        return MaxPool(_pool_window(call, n), call.given["ceil_mode"]), _maximum_of(call)

    return translate


def _maximum_of(call: Call) -> tuple[Read]:
    """What it is of, if the maxima are meant and not where they are."""
    if call.item:
        raise unsupported(call.name, call.where, "where maxima lie is read; expected their values")
    return _main(call)


def _adaptive(
    make: Callable[[tuple[int, ...]], Operator], n: int
) -> Callable[[Call], Translated]:
    def translate(call: Call) -> Translated:
        sizes = call.ints("output_size")
        return make(sizes * n if len(sizes) == 1 else sizes), _maximum_of(call)

    return translate


def _axes(call: Call) -> tuple[int, ...]:
    """The axes of a reduction, all where none are given."""
    (x,) = _main(call)
    if call.given.get("dim") in (None, []):
        return tuple(range(len(x.shape)))
    return call.ints("dim")


def _sum_over(is_mean: bool) -> Callable[[Call], Translated]:
    def translate(call: Call) -> Translated:
        keeps = bool(call.given.get("keepdim"))
        return SumOver(_axes(call), keeps, is_mean), _main(call)

    return translate


def _largest(sign: float) -> Callable[[Call], Translated]:
    """The largest over axes, with where it is; or of two tensors."""

    def translate(call: Call) -> Translated:
        if "other" in call.given:
            return _larger(call, sign)
        keeps = bool(call.given.get("keepdim"))
        if call.item == 1 and sign > 0:
            return ArgMax(*call.ints("dim")), _main(call)
        return MaxOver(_axes(call), keeps, sign), _maximum_of(call)

    return translate


def _larger(call: Call, sign: float) -> Translated:
    a, b = call.given["self"], call.given["other"]
    if isinstance(a, Read) and isinstance(b, Read):
        return Maximum(sign), (a, b)
    bound = call.number("self" if isinstance(b, Read) else "other")
    ends = (bound, np.inf) if sign > 0 else (-np.inf, bound)
    return Apply(clip(*ends)), (a if isinstance(a, Read) else b,)


def _along(make: Callable[[int], Operator]) -> Callable[[Call], Translated]:
    """Over one axis; the last one where none is given."""

    def translate(call: Call) -> Translated:
        dim = call.given["dim"]
        return make(-1 if dim is None else int(dim)), _main(call)

    return translate


def _same(call: Call) -> Translated:
    return Identity(), _main(call)


def _dropout(call: Call) -> Translated:
    if call.given["train"]:
        raise unsupported(call.name, call.where, _RANDOM)
    return _same(call)


_MOVES = frozenset(
    """view reshape view_as reshape_as flatten unflatten permute transpose t swapaxes
    swapdims movedim moveaxis numpy_T mT adjoint squeeze unsqueeze expand expand_as broadcast_to
    select slice narrow index index_select gather take unbind split split_with_sizes chunk
    tensor_split diagonal unfold im2col flip fliplr flipud roll rot90 repeat tile repeat_interleave
    cat concat stack hstack vstack pad constant_pad_nd reflection_pad1d reflection_pad2d
    reflection_pad3d replication_pad1d replication_pad2d replication_pad3d upsample_nearest1d
    upsample_nearest2d upsample_nearest3d _upsample_nearest_exact1d _upsample_nearest_exact2d
    _upsample_nearest_exact3d pixel_shuffle pixel_unshuffle channel_shuffle tril triu where
    masked_fill fill zeros_like ones_like full_like new_zeros new_ones new_full select_scatter
    slice_scatter diagonal_scatter""".split()
)
"""Operators whose elements are each an element that they read, or a constant."""

_SAME = """clone contiguous detach alias lift_fresh_copy to type_as float double positive
view_of""".split()
_DROPOUTS = ("dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout")

_OPERATORS: dict[str, Callable[[Call], Translated]] = {
    **dict.fromkeys(_SAME, _same),
    **dict.fromkeys(_DROPOUTS, _dropout),
    "add": _weighted(lambda alpha: (1.0, alpha)),
    "sub": _weighted(lambda alpha: (1.0, -alpha)),
    "rsub": _weighted(lambda alpha: (-alpha, 1.0)),
    "neg": lambda call: (Scale(-1.0), _main(call)),
    "mul": _product,
    "div": _quotient,
    "pow": _power,
    "square": _square,
    "linear": _linear,
    **dict.fromkeys(("matmul", "mm", "bmm", "mv", "dot"), _matmul),
    "addmm": _added_matmul("mat1", "mat2"),
    "addmv": _added_matmul("mat", "vec"),
    "baddbmm": _added_matmul("batch1", "batch2"),
    **dict.fromkeys(("conv1d", "conv2d", "conv3d", "convolution"), _convolution),
    **{f"conv_transpose{n}d": _transposed_convolution for n in (1, 2, 3)},
    "batch_norm": _batch_norm,
    **{f"avg_pool{n}d": _average_pool(n) for n in (1, 2, 3)},
    **{f"max_pool{n}d": _max_pool(n) for n in (1, 2, 3)},
    **{f"adaptive_avg_pool{n}d": _adaptive(AdaptiveAverage, n) for n in (1, 2, 3)},
    **{f"adaptive_max_pool{n}d": _adaptive(AdaptiveMax, n) for n in (1, 2, 3)},
    "mean": _sum_over(True),
    "sum": _sum_over(False),
    **dict.fromkeys(("max", "amax", "maximum", "fmax"), _largest(1.0)),
    **dict.fromkeys(("min", "amin", "minimum", "fmin"), _largest(-1.0)),
    "softmax": _along(Softmax),
    "log_softmax": _along(LogSoftmax),
    "argmax": _along(ArgMax),
    "relu": _function(relu),
    "relu6": lambda call: (Apply(clip(0.0, 6.0)), _main(call)),
    "hardtanh": _function(clip, "min_val", "max_val"),
    **dict.fromkeys(("clamp", "clip", "clamp_min", "clamp_max"), _clamp),
    "threshold": _threshold,
    "leaky_relu": _function(leaky_relu, "negative_slope"),
    "prelu": _prelu,
    "abs": _function(absolute),
    "hardsigmoid": _function(hard_sigmoid),
    "hardswish": _function(hard_swish),
    "softshrink": _function(soft_shrink, "lambd"),
    "sigmoid": _function(sigmoid),
    "tanh": _function(tanh),
    "log_sigmoid": _function(log_sigmoid),
    "softplus": _softplus,
    "silu": _function(silu),
    "gelu": _gelu,
    "mish": _function(mish),
    "elu": _elu,
    "selu": _selu,
    "celu": _celu,
    "softsign": _function(softsign),
    "erf": _function(erf),
    "exp": _function(exponential),
    "log": _function(logarithm),
    "sqrt": _function(root),
}

_NORMS = "its statistics are those of each sample; a BatchNorm's, which are kept, are constants"
_BATCH = (
    "its statistics are those of a batch; expected the running ones, of track_running_stats=True and"
    " training=False"
)
_RANDOM = "it draws random numbers; dropout with training=self.training is off in eval() mode"
_REMEDIES = {
    **dict.fromkeys(("layer_norm", "group_norm", "native_layer_norm", "native_group_norm"), _NORMS),
    **dict.fromkeys(("instance_norm", "rms_norm"), _NORMS),
    **dict.fromkeys(
        ("_native_batch_norm_legit", "native_batch_norm", "_native_batch_norm_legit_functional"),
        _BATCH,
    ),
    **dict.fromkeys(
        ("native_dropout", "bernoulli", "rand", "randn", "rand_like", "randn_like"),
        _RANDOM,
    ),
    "hardshrink": "it jumps; softshrink does not",
    "scaled_dot_product_attention": "attention multiplies tensors that both depend on the inputs",
    **dict.fromkeys(
        ("lstm", "gru", "rnn_tanh", "rnn_relu"),
        "a recurrent layer has no steady state of its own; write its steps out, with linear layers",
    ),
    "embedding": "it reads whole numbers; give one-hot inputs to a linear layer",
    **dict.fromkeys(
        ("upsample_bilinear2d", "upsample_linear1d", "upsample_bicubic2d"),
        "mode='nearest' has one",
    ),
}
"""What could take the place of operators that have no counterpart."""


def refuse_other_numbers(call: Call, value: Any) -> None:
    """Refuse a tensor of whole numbers or truth values, which a class alone may be."""
    if value.dtype.is_floating_point or call.name == "argmax":
        return
    kind = str(value.dtype).removeprefix("torch.")
    raise NetworkError(
        f"operator {call.name!r} at {call.where!r}: it makes {kind} of what depends on the inputs;"
        " expected floating point numbers"
    )
