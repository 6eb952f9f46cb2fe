"""A node of an ONNX graph and all that is known of it, as operators are asked for what they do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.errors import NetworkError

Array = npt.NDArray[Any]
_LABEL = "of scores, which output= chooses, Network.predict gives the label"
_QUANTIZED = "it is of a quantized network; expected the one of floats that it was made of"
_NORMALIZATION = "BatchNormalization has numbers of its own, which are folded into weights"
_DRAWN = (
    "RandomNormal RandomUniform RandomNormalLike RandomUniformLike Multinomial Bernoulli".split()
)
INSTEAD = {
    **dict.fromkeys(_DRAWN, "it draws numbers; expected the network after training"),
    **dict.fromkeys(
        ("LayerNormalization", "InstanceNormalization", "GroupNormalization"), _NORMALIZATION
    ),
    **dict.fromkeys(("LSTM", "GRU", "RNN"), "expected a network that feeds forward"),
    **dict.fromkeys(
        (
            *("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear"),
            *("QLinearMatMul", "QLinearConv", "MatMulInteger", "ConvInteger"),
        ),
        _QUANTIZED,
    ),
    **dict.fromkeys(("ai.onnx.ml.LinearClassifier", "ai.onnx.ml.ArrayFeatureExtractor"), _LABEL),
    "ThresholdedRelu": "it jumps; Relu does not",
    "Hardmax": "ArgMax at the end tells the class",
}
"""What could replace operators without a counterpart."""
_EVALUATED_FROM = {"Softmax": 13, "LogSoftmax": 13, "Hardmax": 13, "BatchNormalization": 14}
"""Versions before which onnx's evaluator does something else than the specification says."""


@dataclass(frozen=True, eq=False)
class Value:
    """A tensor of the source: its shape, and its numbers where they depend on no input.

    `has_samples` says that its first axis is of samples, as far as it is known: no move of elements
    stands before it.
    """

    name: str
    shape: tuple[int, ...]
    constant: Array | None = None
    has_samples: bool = False

    def keeps_samples(self, shape: tuple[int, ...]) -> bool:
        """Whether the first axis of a result of this shape is still of samples."""
        return self.has_samples and (len(shape), shape[:1]) == (len(self.shape), self.shape[:1])


def refused(kind: str, where: str, why: str) -> NetworkError:
    """The error for an operator that is known, but not like this; said once, by whom it may be."""
    named = f"operator {kind!r} at {where!r}: "
    return NetworkError(named + why.removeprefix(named))


def check_folded(node: Any, where: str, version: int, inputs: Sequence[Value | None]) -> None:
    """Refuse to fold what onnx's evaluator gets wrong."""
    kind, x = node.op_type, inputs[0] if inputs else None
    if x is None or version >= (first := _EVALUATED_FROM.get(kind, 0)):
        return
    axis = next((one.i for one in node.attribute if one.name == "axis"), 1)
    # before, a softmax was over all axes from one on; the last is one in either way
    if kind == "BatchNormalization" or axis not in (-1, len(x.shape) - 1):
        why = f"it is of constants and of version {version}; expected {first} or later:"
        remedy = f"onnx.version_converter.convert_version(model, {first}) writes it anew"
        raise refused(kind, where, f"{why} {remedy}")


@dataclass(frozen=True, eq=False)
class Call:
    """A node at work.

    ``inputs`` are None where one is left out, ``given`` and ``defaults`` its attributes. `moved`
    is what onnx makes of other numbers in the place of the one input that is no constant.
    """

    where: str
    kind: str
    version: int
    inputs: tuple[Value | None, ...]
    shape: tuple[int, ...]
    given: Mapping[str, Any]
    defaults: Mapping[str, Any]
    moved: Callable[[Array], Array]
    read: set[str] = field(default_factory=set)

    @property
    def x(self) -> Value:
        """The first input."""
        first = self.inputs[0]
        assert first is not None, "onnx finds a node without it not well formed"
        return first

    @property
    def variables(self) -> list[Value]:
        """The inputs that depend on the network's."""
        return [one for one in self.inputs if one is not None and one.constant is None]

    def refused(self, why: str) -> NetworkError:
        """The error for a node that asks for what has no counterpart."""
        return refused(self.kind, self.where, why)

    def over(self, *axes: int) -> tuple[int, ...]:
        """Axes that an operator is over, none of them that of samples: one alone is read here."""
        for one in self.variables:
            if one.has_samples and 0 in {axis % len(one.shape) for axis in axes}:
                why = "it is over axis 0, that of samples, so that each depends on those beside it"
                raise self.refused(f"{why}; expected operators of one sample at a time")
        return axes

    def attribute(self, name: str) -> Any:
        """An attribute as given, or as the operator's version has it by default; None without."""
        self.read.add(name)
        return self.given.get(name, self.defaults.get(name))

    def optional(self, place: int) -> Array | None:
        """A constant input; None where it is left out."""
        one = self.inputs[place] if place < len(self.inputs) else None
        if one is None:
            return None
        if one.constant is None:
            raise self.refused(f"its input {one.name!r} depends on the network's; expected numbers")
        return one.constant

    def numbers(self, place: int) -> FloatArray:
        """A constant input that cannot be left out, as finite numbers."""
        found = self.optional(place)
        assert found is not None, "onnx finds a node without it not well formed"
        if found.dtype.kind in "cOSU":
            raise self.refused(f"its input {place + 1} holds {found.dtype}; expected real numbers")
        numbers = np.asarray(found, dtype=float)
        if not np.isfinite(numbers).all():
            raise self.refused(f"its input {place + 1} holds numbers that are not finite")
        return numbers

    def setting(self, name: str, place: int) -> Any:
        """What is an attribute in some versions and an input in others."""
        found = self.optional(place) if name not in (*self.given, *self.defaults) else None
        return self.attribute(name) if found is None else found

    def check_attributes(self) -> None:
        """Refuse attributes that nobody asked for and that are not as by default."""
        for name, value in self.given.items():
            if name not in self.read and value != self.defaults.get(name):
                raise self.refused(f"its attribute {name}={value!r} is not known here")
