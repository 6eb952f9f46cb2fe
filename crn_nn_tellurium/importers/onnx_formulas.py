"""Functions that exporters write out in several operators, as the one function that they are.

PyTorch writes softplus as Where(z > 20, z, Softplus(z)), of which no part but the whole has a
counterpart. A formula here is such a text: z is any tensor, other letters are numbers, one letter
one number. It says with which numbers it is a function that is known. Sums and products stand for
those in any order, Where(a > b, ...) for every comparison: the functions are continuous, so the
equal belongs to either side.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import permutations
from typing import Any

import numpy as np

from crn_nn_tellurium.importers.onnx_files import DOMAINS
from crn_nn_tellurium.operators import (
    Function,
    Operator,
    clip,
    gelu,
    leaky_relu,
    log_sigmoid,
    mish,
    sigmoid,
    soft_shrink,
    softplus,
)

Known = tuple[str, str, Operator, str]
"""The result of a formula, what it is a function of, the operator, and what it is called."""
Found = dict[str, Any]
_FAR = 20.0
"""Where softplus is its argument, but for 2e-9: PyTorch's own threshold."""
_GREATER, _LESS = ("Greater", "GreaterOrEqual"), ("Less", "LessOrEqual")


def _if(**numbers: float) -> Callable[[Found], bool]:
    """Whether letters are certain numbers, in single precision."""
    return lambda found: all(math.isclose(found[k], v, rel_tol=1e-6) for k, v in numbers.items())


def _softplus(found: Found) -> Function | None:
    return softplus(found.get("b", 1.0)) if found["c"] >= _FAR and found.get("b", 1) > 0 else None


def _leaky(found: Found) -> Function | None:
    return leaky_relu(found["a"]) if found["o"] == 0 else None


def _shrinking(found: Found) -> Function | None:
    is_one = found["o"] == 0 and found["c"] > 0 and found.get("d", -found["c"]) == -found["c"]
    return soft_shrink(found["c"]) if is_one else None


def _sigmoid(found: Found) -> Function | None:
    return sigmoid() if found["e"] == 1 and found.get("m", -1) == -1 else None


def _gelu(found: Found) -> Function | None:
    is_one = _if(a=0.044715, b=math.sqrt(2 / math.pi), e=1.0, f=0.5)
    return gelu(by_tanh=True) if is_one(found) and found.get("t", 3) == 3 else None


_TANH = "Add(Tanh(Mul(Add(z, Mul({cube}, a)), b)), e)"
_CUBES = [_TANH.format(cube=cube) for cube in ("Pow(z, t)", "Mul(Mul(z, z), z)")]
_FORMULAS: dict[str, Callable[[Found], Function | None]] = {
    "Where(Greater(z, c), z, Softplus(z))": _softplus,
    "Where(Greater(Mul(z, b), c), z, Div(Softplus(Mul(z, b)), b))": _softplus,
    "Mul(z, Tanh(Softplus(z)))": lambda found: mish(),
    "Log(Sigmoid(z))": lambda found: log_sigmoid(),
    "Reciprocal(Add(Exp(Neg(z)), e))": _sigmoid,
    "Reciprocal(Add(Exp(Mul(z, m)), e))": _sigmoid,
    "Div(e, Add(Exp(Neg(z)), e))": _sigmoid,
    "Where(Greater(z, c), z, c)": lambda found: clip(found["c"], math.inf),
    "Where(Greater(z, o), z, Mul(z, a))": _leaky,
    "Where(Greater(Abs(z), c), Sub(z, Mul(Sign(z), c)), Mul(z, o))": _shrinking,
    "Add(Where(Greater(z, c), Sub(z, c), o), Where(Greater(z, d), o, Add(z, c)))": _shrinking,
    **dict.fromkeys([f"Mul(Mul(z, {cube}), f)" for cube in _CUBES], _gelu),
    **dict.fromkeys([f"Mul(Mul(z, f), {cube})" for cube in _CUBES], _gelu),
}
_PATTERNS = [(ast.parse(text, mode="eval").body, of) for text, of in _FORMULAS.items()]


class Formulas:
    """The formulas in a graph of ONNX."""

    def __init__(self, onnx: Any, graph: Any):
        self.onnx = onnx
        self.made = {name: node for node in graph.node for name in node.output if name}
        self.constants: Mapping[str, Any] = {one.name: one for one in graph.initializer}
        self.variables = {one.name for one in graph.input} - set(self.constants)
        for node in graph.node:
            if not self.variables.isdisjoint(node.input):
                self.variables.update(node.output)

    def at(self, name: str) -> tuple[str, Function] | None:
        """The tensor and the function of it that a value is, if a formula says so."""
        for pattern, of in _PATTERNS:
            for found in self._matches(pattern, name, {}):
                if function := of(found):
                    return found["z"], function
        return None

    def _matches(self, pattern: ast.AST, name: str, found: Found) -> Iterator[Found]:
        """What letters may be, so that a pattern is the value."""
        if isinstance(pattern, ast.Name):
            is_tensor = pattern.id == "z"
            value = name if is_tensor else self._number(name)
            if is_tensor and name not in self.variables:
                return
            if value is not None and found.get(pattern.id, value) == value:
                yield {**found, pattern.id: value}
            return
        assert isinstance(pattern, ast.Call)
        assert isinstance(pattern.func, ast.Name)
        kind, orders = self._read(name)
        if kind != pattern.func.id:
            return
        for names in orders:
            ways = [found]
            for part, read in zip(pattern.args, names, strict=True):
                ways = [more for way in ways for more in self._matches(part, read, way)]
            yield from ways

    def _read(self, name: str) -> tuple[str, Iterable[Sequence[str]]]:
        """What makes a value, as formulas name it, and the orders in which its inputs may stand."""
        node = self.made.get(name)
        if node is None or node.domain not in DOMAINS or node.attribute:
            return "", []
        kind, inputs = node.op_type, list(node.input)
        if kind in ("Add", "Mul"):
            return kind, permutations(inputs)
        if kind == "Where":
            condition = self.made.get(inputs[0])
            if condition is not None and condition.op_type in _LESS:
                inputs[1:] = inputs[:0:-1]
        return "Greater" if kind in _GREATER + _LESS else kind, [inputs]

    def _number(self, name: str) -> float | None:
        """A value that is one number, whatever the inputs are."""
        node = self.made.get(name)
        tensor = self.constants.get(name)
        while node is not None and tensor is None:
            if node.op_type in ("Cast", "CastLike", "Identity"):
                tensor, node = self.constants.get(node.input[0]), self.made.get(node.input[0])
                continue
            if node.op_type == "Constant" and node.attribute[0].name == "value_float":
                return float(node.attribute[0].f)
            is_constant = node.op_type == "Constant" and node.attribute[0].name == "value"
            tensor, node = (node.attribute[0].t if is_constant else None), None
        if tensor is None or len(tensor.dims) > 1 or math.prod(tensor.dims) != 1:
            return None
        array = np.asarray(self.onnx.numpy_helper.to_array(tensor))
        return None if array.dtype.kind in "cOSU" else float(array.item())
