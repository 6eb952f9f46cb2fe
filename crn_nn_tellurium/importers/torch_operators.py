"""PyTorch's operators, under their names in ATen, as those of a graph.

Whatever moves elements only (views, slices, concatenations, paddings, nearest neighbours) is run by
PyTorch itself on the places of the elements, and so needs no translation.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from crn_nn_tellurium.importers.torch_calls import Call, Read, Translated, numbers
from crn_nn_tellurium.importers.torch_windows import BATCH, WINDOWS
from crn_nn_tellurium.operators import (
    Apply,
    ArgMax,
    Arranged,
    Dense,
    Function,
    Identity,
    LogSoftmax,
    MatMul,
    Maximum,
    MaxOver,
    Operator,
    PReLU,
    Product,
    Quotient,
    Scale,
    Softmax,
    Sum,
    SumOver,
    absolute,
    celu,
    clip,
    elu,
    erf,
    exponential,
    gelu,
    hard_sigmoid,
    hard_swish,
    in_turn,
    leaky_relu,
    log_sigmoid,
    logarithm,
    mish,
    relu,
    root,
    selu,
    sigmoid,
    silu,
    soft_shrink,
    softplus,
    softsign,
    tanh,
    unsupported,
)


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


def is_known(name: str) -> bool:
    """Whether there is anything to say of an operator: what it becomes, or what could stand for
    it.
    """
    return name in _MOVES or name in FILLED or name in _OPERATORS or name in _REMEDIES


def _arranged(call: Call) -> Translated:
    """Where the elements go: the operator, run on their places.

    With all of them raised by what tells them apart, only places that hold one of them differ.
    """
    if call.given.get("accumulate") or call.given.get("reduce") is not None:
        raise unsupported(call.name, call.where, "it adds to what is there; expected it to replace")
    sizes = [int(np.prod(read.shape)) for read in call.reads]
    ends = np.cumsum([0, *sizes])
    # doubles hold whole numbers exactly, and paddings by reflection take no others
    try:
        filled = call.run([torch.zeros(read.shape, dtype=torch.double) for read in call.reads])
    except (IndexError, RuntimeError) as error:
        raise unsupported(call.name, call.where, f"PyTorch refuses it: {error}") from error
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


def _function(make: Callable[..., Function], *names: str) -> Callable[[Call], Translated]:
    """A function of each element, with numbers for its parameters."""
    return lambda call: (Apply(make(*map(call.number, names))), call.main)


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
        return Quotient(), (*call.main, other)
    with np.errstate(divide="ignore"):  # refused as any number that is not finite
        return Scale(1 / numbers(other)), call.main


def _power(call: Call) -> Translated:
    exponent = call.number("exponent")
    (x,) = call.main
    if exponent == 1.0:
        return Identity(), (x,)
    if exponent == 2.0:
        return Product(), (x, x)
    if exponent == 0.5:
        return Apply(root()), (x,)
    raise unsupported(call.name, call.where, f"its exponent is {exponent:g}; expected 1, 2 or 0.5")


def _square(call: Call) -> Translated:
    return Product(), (*call.main, *call.main)


def _clamp(call: Call) -> Translated:
    low, high = -np.inf, np.inf
    if call.given.get("min") is not None:
        low = call.number("min")
    if call.given.get("max") is not None:
        high = call.number("max")
    return Apply(clip(low, high)), call.main


def _random_slope(call: Call) -> Translated:
    if call.given["training"]:
        raise unsupported(call.name, call.where, _RANDOM)
    # once training is over, the mean of the slopes that are drawn
    return Apply(leaky_relu((call.number("lower") + call.number("upper")) / 2)), call.main


def _threshold(call: Call) -> Translated:
    at, value = call.number("threshold"), call.number("value")
    if at != value:
        remedy = f"it jumps from {value:g} to {at:g}; expected both to be the same"
        raise unsupported(call.name, call.where, remedy)
    return Apply(clip(at, np.inf)), call.main


def _softplus(call: Call) -> Translated:
    beta, threshold = call.number("beta"), call.number("threshold")
    # PyTorch takes the line from there; 2e-9 at its own threshold of 20, which nothing here sees
    if not (beta > 0 and np.log1p(np.exp(-threshold)) / beta <= 1e-8):
        remedy = (
            f"beta is {beta:g} and threshold {threshold:g}; expected beta > 0, and a threshold that"
            " softplus has run into its line at, 20 say"
        )
        raise unsupported(call.name, call.where, remedy)
    return Apply(softplus(beta)), call.main


def _gelu(call: Call) -> Translated:
    return Apply(gelu(by_tanh=call.given["approximate"] == "tanh")), call.main


def _elu(call: Call) -> Translated:
    width = 1 / call.number("input_scale")
    return Apply(elu(call.number("alpha"), call.number("scale"), width)), call.main


def _prelu(call: Call) -> Translated:
    (x,) = call.main
    slopes = call.array("weight")
    assert slopes is not None
    if slopes.ndim == 1 and len(x.shape) > 1:  # one slope a channel
        slopes = slopes.reshape(-1, *(1,) * (len(x.shape) - 2))
    return PReLU(slopes), (x,)


def _linear(call: Call) -> Translated:
    return Dense(call.array("weight"), call.bias), call.main


def _matmul(call: Call, first: str = "", second: str = "") -> Translated:
    names = list(call.given)
    a, b = call.given[first or names[0]], call.given[second or names[1]]
    if isinstance(a, Read) and isinstance(b, Read):
        remedy = "it multiplies two tensors that both depend on the inputs; one must be constant"
        raise unsupported(call.name, call.where, remedy)
    return (MatMul(numbers(b)), (a,)) if isinstance(a, Read) else (MatMul(numbers(a), True), (b,))


def _added_matmul(first: str, second: str) -> Callable[[Call], Translated]:
    """beta self + alpha first @ second."""

    def translate(call: Call) -> Translated:
        product, reads = _matmul(call, first, second)
        added = call.array("self")
        assert added is not None
        after = Scale(call.number("alpha"), call.number("beta") * added)
        return in_turn(product, after), reads

    return translate


def _axes(call: Call) -> tuple[int, ...]:
    """The axes of a reduction, all where none are given."""
    (x,) = call.main
    if call.given.get("dim") in (None, []):
        return tuple(range(len(x.shape)))
    return call.ints("dim")


def _sum_over(is_mean: bool) -> Callable[[Call], Translated]:
    def translate(call: Call) -> Translated:
        keeps = bool(call.given.get("keepdim"))
        return SumOver(_axes(call), keeps, is_mean), call.main

    return translate


def _largest(sign: float) -> Callable[[Call], Translated]:
    """The largest over axes, with where it is; or of two tensors."""

    def translate(call: Call) -> Translated:
        if "other" in call.given:
            return _larger(call, sign)
        keeps = bool(call.given.get("keepdim"))
        if call.item == 1 and sign > 0:
            return ArgMax(*call.ints("dim")), call.main
        return MaxOver(_axes(call), keeps, sign), call.main_of_values

    return translate


def _larger(call: Call, sign: float) -> Translated:
    a, b = call.given["self"], call.given["other"]
    if isinstance(a, Read) and isinstance(b, Read):
        return Maximum(sign), (a, b)
    x, constant = (a, numbers(b)) if isinstance(a, Read) else (call.read("other"), numbers(a))
    if constant.size > 1:
        return lambda lowering, one: Maximum(sign)(lowering, one, one.scaled(0.0, constant)), (x,)
    bound = float(constant.flat[0])
    ends = (bound, np.inf) if sign > 0 else (-np.inf, bound)
    return Apply(clip(*ends)), (x,)


def _along(make: Callable[[int], Operator]) -> Callable[[Call], Translated]:
    """Over one axis; the last one where none is given."""

    def translate(call: Call) -> Translated:
        dim = call.given["dim"]
        return make(-1 if dim is None else int(dim)), call.main

    return translate


def _same(call: Call) -> Translated:
    return Identity(), call.main


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
    masked_fill fill select_scatter slice_scatter diagonal_scatter copy index_put scatter
    _unsafe_index _unsafe_index_put""".split()
)
"""Operators whose elements are each an element that they read, or a constant."""

FILLED = frozenset("zeros_like ones_like full_like new_zeros new_ones new_full".split())
"""Operators that read a shape alone."""

_SAME = """clone contiguous detach alias lift_fresh_copy to type_as float double positive
view_of""".split()
_DROPOUTS = ("dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout")

_OPERATORS: dict[str, Callable[[Call], Translated]] = {
    **dict.fromkeys(_SAME, _same),
    **dict.fromkeys(_DROPOUTS, _dropout),
    "add": _weighted(lambda alpha: (1.0, alpha)),
    "sub": _weighted(lambda alpha: (1.0, -alpha)),
    "rsub": _weighted(lambda alpha: (-alpha, 1.0)),
    "neg": lambda call: (Scale(-1.0), call.main),
    "mul": _product,
    "div": _quotient,
    "pow": _power,
    "square": _square,
    "linear": _linear,
    **dict.fromkeys(("matmul", "mm", "bmm", "mv", "dot"), _matmul),
    "addmm": _added_matmul("mat1", "mat2"),
    "addmv": _added_matmul("mat", "vec"),
    "baddbmm": _added_matmul("batch1", "batch2"),
    **WINDOWS,
    "mean": _sum_over(True),
    "sum": _sum_over(False),
    **dict.fromkeys(("max", "amax", "maximum", "fmax"), _largest(1.0)),
    **dict.fromkeys(("min", "amin", "minimum", "fmin"), _largest(-1.0)),
    "softmax": _along(Softmax),
    "log_softmax": _along(LogSoftmax),
    "argmax": _along(ArgMax),
    "relu": _function(relu),
    "relu6": lambda call: (Apply(clip(0.0, 6.0)), call.main),
    "hardtanh": _function(clip, "min_val", "max_val"),
    **dict.fromkeys(("clamp", "clip", "clamp_min", "clamp_max"), _clamp),
    "threshold": _threshold,
    "rrelu": _random_slope,
    "leaky_relu": _function(leaky_relu, "negative_slope"),
    "prelu": _prelu,
    "abs": _function(absolute),
    "hardsigmoid": _function(hard_sigmoid),
    "hardswish": _function(hard_swish),
    "softshrink": _function(soft_shrink, "lambd"),
    **dict.fromkeys(("sigmoid", "special_expit"), _function(sigmoid)),
    "tanh": _function(tanh),
    "log_sigmoid": _function(log_sigmoid),
    "softplus": _softplus,
    "silu": _function(silu),
    "gelu": _gelu,
    "mish": _function(mish),
    "elu": _elu,
    "selu": _function(selu),
    "celu": _function(celu, "alpha"),
    "softsign": _function(softsign),
    **dict.fromkeys(("erf", "special_erf"), _function(erf)),
    "exp": _function(exponential),
    "log": _function(logarithm),
    "sqrt": _function(root),
}

_NORMS = "its statistics are those of each sample; a BatchNorm's, which are kept, are constants"
_RANDOM = "it draws random numbers; dropout with training=self.training is off in eval() mode"
_REMEDIES = {
    **dict.fromkeys(("layer_norm", "group_norm", "native_layer_norm", "native_group_norm"), _NORMS),
    "rms_norm": _NORMS,
    **dict.fromkeys(
        ("_native_batch_norm_legit", "native_batch_norm", "_native_batch_norm_legit_functional"),
        BATCH,
    ),
    **dict.fromkeys(
        ("native_dropout", "bernoulli", "rand", "randn", "rand_like", "randn_like"),
        _RANDOM,
    ),
    "hardshrink": "it jumps; softshrink does not",
    "scaled_dot_product_attention": "attention multiplies tensors that both depend on the inputs",
    **dict.fromkeys(
        ("lstm", "gru", "lstm_cell", "gru_cell"),
        "its gates multiply tensors that both depend on the inputs; RNN has none",
    ),
    "embedding": "it reads whole numbers; give one-hot inputs to a linear layer",
    "upsample_bilinear2d": "mode='nearest' has one",
}
"""What could take the place of operators that have no counterpart."""
