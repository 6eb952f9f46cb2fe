"""PyTorch's functions and methods as operators, by their names and arguments.

Signatures and defaults are PyTorch's, so an argument by place or by name, in a module or a
function, fits as there; one that is not known here is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from crn_nn_tellurium.errors import NetworkError
from crn_nn_tellurium.operators import (
    Apply,
    Concat,
    Flatten,
    Function,
    Identity,
    LogSoftmax,
    Maximum,
    Operator,
    Permute,
    Product,
    Quotient,
    Reshape,
    Scale,
    Softmax,
    Sum,
    absolute,
    celu,
    clip,
    elu,
    gelu,
    hard_sigmoid,
    hard_swish,
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
    unsupported,
)


def refused(what: str) -> NetworkError:
    """An argument whose effect has no counterpart."""
    return NetworkError(f"{what}, which has no counterpart here")


@contextmanager
def at(kind: str, where: str) -> Iterator[None]:
    """Errors say which operator it was, and where."""
    try:
        yield
    except (NetworkError, TypeError, ValueError, ArithmeticError) as error:
        raise NetworkError(f"operator {kind!r} at {where!r}: {error}") from error


# functions, with their arguments behind the tensor ------------------------------------------------


def _simple(function: Callable[[], Function]) -> Callable[..., Operator]:
    def make(inplace: bool = False) -> Operator:
        return Apply(function())

    return make


def _hardtanh(min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Operator:
    return Apply(clip(min_val, max_val))


def _leaky_relu(negative_slope: float = 0.01, inplace: bool = False) -> Operator:
    return Apply(leaky_relu(negative_slope))


def _elu(alpha: float = 1.0, inplace: bool = False) -> Operator:
    return Apply(elu(alpha))


def _celu(alpha: float = 1.0, inplace: bool = False) -> Operator:
    return Apply(celu(alpha))


def _selu(inplace: bool = False) -> Operator:
    return Apply(selu())


def _gelu(approximate: str = "none") -> Operator:
    return Apply(gelu(by_tanh=approximate == "tanh"))


def _softplus(beta: float = 1.0, threshold: float = 20.0) -> Operator:
    # PyTorch goes on as a line beyond the threshold: of 20, e^-20 off the formula
    if threshold < 20:
        raise refused(f"threshold={threshold!r}: softplus jumps there")
    return Apply(softplus(beta))


def _softshrink(lambd: float = 0.5) -> Operator:
    return Apply(soft_shrink(lambd))


def _shares(kind: type[Softmax] | type[LogSoftmax]) -> Callable[..., Operator]:
    def make(dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Operator:
        if dim is None:
            raise NetworkError("dim is not given; expected the axis that sums to 1")
        if dtype is not None:
            raise refused(f"dtype={dtype!r}")
        return kind(dim)

    return make


def _dropout(p: float = 0.5, inplace: bool = False) -> Operator:
    return Identity()


def _functional_dropout(p: float = 0.5, training: bool = True, inplace: bool = False) -> Operator:
    if training:
        raise refused("training=True: it draws random numbers")
    return Identity()


def _flatten(start_dim: int = 0, end_dim: int = -1) -> Operator:
    return Flatten(start_dim, end_dim)


def _reshape(*shape: Any) -> Operator:
    lengths = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
    return Reshape(tuple(lengths))


def _permute(*dims: Any) -> Operator:
    axes = dims[0] if len(dims) == 1 and not isinstance(dims[0], int) else dims
    return Permute(tuple(axes))


def _cat(dim: int = 0) -> Operator:
    return Concat(dim)


FUNCTIONS: dict[str, Callable[..., Operator]] = {
    "relu": _simple(relu),
    "relu6": _simple(lambda: clip(0.0, 6.0)),
    "hardtanh": _hardtanh,
    "hardswish": _simple(hard_swish),
    "hardsigmoid": _simple(hard_sigmoid),
    "leaky_relu": _leaky_relu,
    "abs": _simple(absolute),
    "sigmoid": _simple(sigmoid),
    **dict.fromkeys(("logsigmoid", "log_sigmoid"), _simple(log_sigmoid)),
    "tanh": _simple(tanh),
    "tanhshrink": _simple(tanh_shrink),
    "softshrink": _softshrink,
    "softsign": _simple(softsign),
    "softplus": _softplus,
    "silu": _simple(silu),
    "mish": _simple(mish),
    "gelu": _gelu,
    "elu": _elu,
    "celu": _celu,
    "selu": _selu,
    "softmax": _shares(Softmax),
    "log_softmax": _shares(LogSoftmax),
    "dropout": _functional_dropout,
    "alpha_dropout": _functional_dropout,
    "feature_alpha_dropout": _functional_dropout,
    "dropout1d": _functional_dropout,
    "dropout2d": _functional_dropout,
    "dropout3d": _functional_dropout,
    "flatten": _flatten,
    "reshape": _reshape,
    "view": _reshape,
    "permute": _permute,
    "cat": _cat,
    "concat": _cat,
}
"""By name, with the arguments behind the tensor: functions and methods alike."""


def _arithmetic(name: str, terms: Sequence[float | None], alpha: float = 1.0) -> Operator:
    """What + - * / and their like are."""
    if alpha != 1:
        raise refused(f"alpha={alpha!r}")
    numbers = [term for term in terms if term is not None]
    if len(terms) != 2 or len(numbers) > 1:
        raise NetworkError(f"it reads {len(terms)} terms; expected two, one of them a tensor")
    if not numbers:
        return _OF_TWO[name]
    (number,), is_first = numbers, terms[0] is not None
    if name == "add":
        return Scale(1.0, number)
    if name == "sub":
        return Scale(-1.0, number) if is_first else Scale(1.0, -number)
    if name == "mul":
        return Scale(number)
    if name == "div" and not is_first:
        return Scale(1 / number)
    raise refused(f"{name} of {terms}")


_OF_TWO: dict[str, Operator] = {
    "add": Sum((1.0, 1.0)),
    "sub": Sum((1.0, -1.0)),
    "mul": Product(),
    "div": Quotient(),
    "maximum": Maximum(),
    "minimum": Maximum(-1.0),
}
ARITHMETIC = {name: name for name in _OF_TWO} | {"truediv": "div", "multiply": "mul"}
"""Functions and methods of two terms, and what they mean."""


def function(
    name: str,
    terms: Sequence[float | None],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    where: str,
) -> Operator:
    """The operator of a function or method: the terms it works on, tensors (None) and numbers, and
    its other arguments.
    """
    with at(name, where):
        if name in ARITHMETIC:
            return _arithmetic(ARITHMETIC[name], terms, *args, **kwargs)
        if name in FUNCTIONS:
            if any(term is not None for term in terms):
                raise refused(f"a number for a tensor, {terms}")
            return FUNCTIONS[name](*args, **kwargs)
    raise unsupported(name, where)
