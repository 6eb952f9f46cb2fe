"""ONNX, https://onnx.ai: the neural network by itself, from which the chemistry was made.

Rectifiers are written as Relu, PRelu, Clip and Abs, so what is lost is their smoothing: a value is
off by up to sqrt(h) times its changes of slope that have one sign. With ``smoothed=True``, each is

    sigma_h(u) = max(u, 0) + 2 h / (|u| + sqrt(u^2 + 4 h)),

the very steady state, without the cancellation of (u + sqrt(u^2 + 4 h)) / 2 below 0. Functions of
which h is a part (Sigmoid, Tanh, Normalized) are always exact. What is exact is noted in metadata,
so that `from_onnx` takes it for the activation that it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium._version import __version__
from crn_nn_tellurium.basics import dense, require
from crn_nn_tellurium.errors import FileFormatError
from crn_nn_tellurium.exporters.writing import Source, neural_network
from crn_nn_tellurium.importers import ONNX_METADATA
from crn_nn_tellurium.networks import (
    BUILT_IN,
    INPUT,
    Absolute,
    Activation,
    ClippedReLU,
    HardSigmoid,
    Layer,
    LeakyReLU,
    Linear,
    Network,
    Normalized,
    PiecewiseLinear,
    Sigmoid,
    SmoothedReLU,
    Tanh,
)

_OPSET, _IR = 13, 7
"""Versions of 2020, which every reader knows and which have all that is written."""
_OUTPUT = "output"
_KEPT = ("task", "inputs", "input_range", "input_names", "output_names", "class_names")
_MOST_BYTES = 2**31
"""What a file of protobuf holds."""


@dataclass(frozen=True)
class Options:
    """Numbers of 64 or 32 bits, and whether rectifiers are as smooth as the chemistry's."""

    precision: Literal["double", "float"] = "double"
    smoothed: bool = False


def write(source: Source, options: Options) -> bytes:
    """One input ``input`` (N, n_in), one output ``output`` (N, n_out); names, classes and what
    inputs may be are metadata.
    """
    net = neural_network(source, "onnx")
    writer = _Writer(require("onnx", "onnx"), options)
    for layer in net.layers:
        writer.add_layer(layer)
    return writer.model(net)


@dataclass
class _Writer:
    """The nodes and numbers of a graph, layer by layer; values have the layers' names."""

    onnx: Any
    options: Options
    nodes: list[Any] = field(default_factory=list)
    numbers: list[Any] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=lambda: {INPUT: INPUT})
    layer: str = ""
    exact: dict[str, tuple[str, str, dict[str, Any]]] = field(default_factory=dict)

    def add_layer(self, layer: Layer) -> None:
        """Gemm and the activation."""
        self.layer = layer.name
        parts = [self.values[name] for name in layer.inputs]
        read = parts[0] if len(parts) == 1 else self.node("Concat", *parts, axis=1)
        if (size := 8 * layer.n_out * layer.n_in) > _MOST_BYTES:
            raise FileFormatError(
                f"layer {layer.name!r}: its weights take {size:,} bytes, since ONNX has dense ones"
                f" alone; expected at most {_MOST_BYTES:,}"
            )
        weights = dense(layer.weights)
        z = self.node("Gemm", read, self.constant(weights), self.constant(layer.bias), transB=1)
        self.values[layer.name] = self._value(layer.activation, z)

    def node(self, kind: str, *reads: str, **attributes: Any) -> str:
        """The name of a new node's result."""
        name = f"{self.layer}_{kind}_{len(self.nodes)}"
        made = self.onnx.helper.make_node(kind, list(reads), [name], name, **attributes)
        self.nodes.append(made)
        return name

    def constant(self, values: npt.ArrayLike) -> str:
        """The name of numbers in the file's precision."""
        exact = np.asarray(values, dtype=float)
        with np.errstate(over="ignore", under="ignore"):
            array = exact.astype("f4" if self.options.precision == "float" else "f8")
        if not np.isfinite(array).all() or ((array == 0) & (exact != 0)).any():
            raise FileFormatError(
                f"layer {self.layer!r}: a number is beyond those of 32 bits; expected"
                " precision='double'"
            )
        return self._kept(array)

    def axis(self, number: int) -> str:
        """The name of an axis, which is an input of some operators."""
        return self._kept(np.array([number]))

    def _kept(self, array: npt.NDArray[Any]) -> str:
        name = f"{self.layer}_number_{len(self.numbers)}"
        self.numbers.append(self.onnx.numpy_helper.from_array(array, name))
        return name

    def _value(self, activation: Activation, z: str) -> str:
        kind = type(activation)
        # of a linear one h changes nothing
        is_smooth = self.options.smoothed or kind is Linear or not activation.h_is_smoothing
        if not is_smooth and kind in _SHARP:
            return _SHARP[kind](self, activation, z)
        is_more = activation.followers or activation.local_reactions
        if is_more and kind not in _EXACT:
            raise FileFormatError(
                f"layer {self.layer!r}: the formula of its activation {activation} is not known;"
                " expected a built-in one, or one of rails alone"
            )
        value = _EXACT.get(kind, _of_rails)(self, activation, z)
        if is_smooth and BUILT_IN.get(kind.__name__) is kind:
            self.exact[value] = z, kind.__name__, activation.parameters()
        return value

    def model(self, net: Network) -> bytes:
        """The file."""
        helper = self.onnx.helper
        # the last node makes the output
        last = self.nodes[-1].output[0]
        self.nodes[-1].output[0] = _OUTPUT
        if last in self.exact:
            self.exact[_OUTPUT] = self.exact.pop(last)
        kinds = self.onnx.TensorProto
        kind = kinds.FLOAT if self.options.precision == "float" else kinds.DOUBLE
        graph = helper.make_graph(
            self.nodes,
            net.name,
            [helper.make_tensor_value_info(INPUT, kind, ["N", net.n_in])],
            [helper.make_tensor_value_info(_OUTPUT, kind, ["N", net.n_out])],
            self.numbers,
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", _OPSET)],
            ir_version=_IR,
            producer_name="crn_nn_tellurium",
            producer_version=__version__,
            doc_string=self._statement(net),
        )
        said = {name: getattr(net, name) for name in _KEPT}
        said |= {"h": net.h, "activations": self.exact}
        properties = {ONNX_METADATA + name: json.dumps(value) for name, value in said.items()}
        helper.set_model_props(model, properties)
        return model.SerializeToString(deterministic=True)

    def _statement(self, net: Network) -> str:
        """What the file is, and what is not in it."""
        sizes = "-".join(str(n) for n in (net.n_in, *(layer.n_out for layer in net.layers)))
        smooth = [
            f"{layer.name} (h = {layer.activation.h!r})"
            for layer in net.layers
            if layer.activation.h_is_smoothing and not isinstance(layer.activation, Linear)
        ]
        lost = (
            f" The smoothing of its chemistry is lost in {', '.join(smooth)}: there a rectifier is"
            " off by up to sqrt(h)."
            if smooth and not self.options.smoothed
            else " Values are those at which its chemistry settles."
        )
        return f"The neural network {sizes} of crn_nn_tellurium.{lost}"


# Activations -------------------------------------------------------------------------------------


def _of_rails(writer: _Writer, activation: Activation, z: str) -> str:
    """A read-out of rails: the sum of ReLUs that it is, smoothed where that is asked for."""
    rails = activation.rails
    slopes = [activation.gain * rail.sign for rail in rails]
    # all rails of a unit along an axis of their own: (N, n_out, n_rails)
    apart = writer.node("Unsqueeze", z, writer.axis(2))
    scaled = writer.node("Mul", apart, writer.constant(slopes))
    drive = writer.node("Add", scaled, writer.constant([rail.shift for rail in rails]))
    if writer.options.smoothed:
        y = _smoothed(writer, drive, activation.h)
        writer.exact[y] = drive, "SmoothedReLU", {"h": activation.h}
    else:
        y = writer.node("Relu", drive)
    column = activation.read_coefficients[:, None]
    value = writer.node(
        "Squeeze", writer.node("MatMul", y, writer.constant(column)), writer.axis(2)
    )
    constant = activation.read_out.constant
    return writer.node("Add", value, writer.constant(constant)) if constant else value


def _smoothed(writer: _Writer, u: str, h: float) -> str:
    """sigma_h(u)."""
    both = writer.node("Add", writer.node("Abs", u), _root(writer, u, h))
    rest = writer.node("Div", writer.constant(2 * h), both)
    return writer.node("Add", writer.node("Relu", u), rest)


def _root(writer: _Writer, u: str, h: float) -> str:
    """sqrt(u^2 + 4 h)."""
    square = writer.node("Mul", u, u)
    return writer.node("Sqrt", writer.node("Add", square, writer.constant(4 * h)))


def _tanh(writer: _Writer, activation: Activation, z: str) -> str:
    return writer.node("Div", z, _root(writer, z, activation.h))


def _sigmoid(writer: _Writer, activation: Activation, z: str) -> str:
    twice = writer.node("Add", _tanh(writer, activation, z), writer.constant(1.0))
    return writer.node("Mul", twice, writer.constant(0.5))


def _normalized(writer: _Writer, activation: Activation, z: str) -> str:
    y = _smoothed(writer, z, activation.h)
    return writer.node("Div", y, writer.node("ReduceSum", y, writer.axis(1)))


def _clip(writer: _Writer, z: str, low: float, high: float) -> str:
    return writer.node("Clip", z, writer.constant(low), writer.constant(high))


def _hard_sigmoid(writer: _Writer, activation: Any, z: str) -> str:
    # not HardSigmoid, whose attributes have 32 bits
    scaled = writer.node("Mul", z, writer.constant(activation.slope))
    shifted = writer.node("Add", scaled, writer.constant(activation.offset))
    return _clip(writer, shifted, 0.0, 1.0)


def _pieces(writer: _Writer, activation: Any, z: str) -> str:
    knots = activation.knots
    if activation.slopes == (0.0, 1.0, 0.0) and activation.offset == knots[0]:
        return _clip(writer, z, *knots)
    return _of_rails(writer, activation, z)


_Written = Callable[[_Writer, Any, str], str]
_EXACT: dict[type[Activation], _Written] = {
    Linear: lambda writer, activation, z: writer.node("Identity", z),
    Tanh: _tanh,
    Sigmoid: _sigmoid,
    Normalized: _normalized,
}
_SHARP: dict[type[Activation], _Written] = {
    SmoothedReLU: lambda writer, activation, z: writer.node("Relu", z),
    Absolute: lambda writer, activation, z: writer.node("Abs", z),
    # not LeakyRelu, whose attribute has 32 bits
    LeakyReLU: lambda writer, activation, z: writer.node(
        "PRelu", z, writer.constant([activation.slope])
    ),
    ClippedReLU: lambda writer, activation, z: _clip(writer, z, 0.0, activation.ceiling),
    HardSigmoid: _hard_sigmoid,
    PiecewiseLinear: _pieces,
}
