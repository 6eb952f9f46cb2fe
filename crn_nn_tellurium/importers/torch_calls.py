"""Calls of PyTorch's operators, as torch.export writes them down, with their arguments by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.errors import NetworkError
from crn_nn_tellurium.operators import Operator, unsupported


@dataclass(frozen=True, eq=False)
class Read:
    """A tensor that depends on the inputs, by name, and the call that made it, if any did."""

    name: str
    shape: tuple[int, ...]


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
        # in place, which nothing else sees: see `torch_program`
        name = name.removesuffix("_") if schema.is_mutable else name
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

    @property
    def main(self) -> tuple[Read]:
        """The first argument, which most operators are of."""
        return (self.read(next(iter(self.given))),)

    @property
    def main_of_values(self) -> tuple[Read]:
        """The same for maxima, if these are meant and not where they are."""
        if self.item:
            remedy = "where maxima lie is read; expected their values"
            raise unsupported(self.name, self.where, remedy)
        return self.main

    @property
    def bias(self) -> FloatArray | float:
        """The bias, 0 where there is none."""
        found = self.array("bias")
        return 0.0 if found is None else found

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
        # which a NaN is not, and an infinity is
        if value is None or (value != value.flat[0]).any():
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


Translated = tuple[Operator, tuple[Read, ...]]
"""An operator and what it reads."""


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


def refuse_other_numbers(call: Call, value: Any) -> None:
    """Refuse a tensor of whole numbers or truth values, which a class alone may be."""
    # a second result is where maxima lie
    if value.dtype.is_floating_point or call.name == "argmax" or call.item == 1:
        return
    kind = str(value.dtype).removeprefix("torch.")
    raise NetworkError(
        f"operator {call.name!r} at {call.where!r}: it makes {kind} of what depends on the inputs;"
        " expected floating point numbers"
    )
