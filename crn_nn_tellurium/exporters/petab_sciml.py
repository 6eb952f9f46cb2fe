"""PEtab SciML, github.com/PEtab-dev/petab_sciml: the neural network by itself, from which the
chemistry was made, as layers in YAML with their parameters in HDF5 beside it.

Rectifiers are written as relu, leaky_relu and hardtanh, and sums of them where an activation has
more knees, so what is lost is their smoothing. The algebraic Sigmoid and Tanh become sigmoid and
tanh of the same slope at 0, which are off by up to 0.037 and 0.1. A comment in the file says so.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from crn_nn_tellurium._version import __version__
from crn_nn_tellurium.basics import FloatArray, dense, free_id, require
from crn_nn_tellurium.errors import FileFormatError
from crn_nn_tellurium.exporters.writing import Source, neural_network
from crn_nn_tellurium.networks import (
    INPUT,
    Activation,
    ClippedReLU,
    HardSigmoid,
    Layer,
    LeakyReLU,
    Linear,
    Network,
    PiecewiseLinear,
    Sigmoid,
    SmoothedReLU,
    Tanh,
)

_EXTRA = "petab-sciml"
_NETWORK = "net"


@dataclass(frozen=True)
class _Function:
    """A function of PyTorch's, its arguments, and the line of a pre-activation that it reads."""

    name: str
    arguments: dict[str, float] = field(default_factory=dict)
    slope: float = 1.0
    shift: float = 0.0


def _hard_sigmoid(activation: Any) -> _Function:
    ends = {"min_val": 0.0, "max_val": 1.0}
    return _Function("hardtanh", ends, activation.slope, activation.offset)


def _clip(activation: Any) -> _Function | None:
    """Of two knots with nothing but a line of slope 1 between them."""
    if activation.slopes != (0.0, 1.0, 0.0) or activation.offset != activation.knots[0]:
        return None
    low, high = activation.knots
    return _Function("hardtanh", {"min_val": low, "max_val": high})


_FUNCTIONS: dict[type[Activation], Callable[[Any], _Function | None]] = {
    SmoothedReLU: lambda a: _Function("relu"),
    LeakyReLU: lambda a: _Function("leaky_relu", {"negative_slope": a.slope}),
    ClippedReLU: lambda a: _Function("hardtanh", {"min_val": 0.0, "max_val": a.ceiling}),
    HardSigmoid: _hard_sigmoid,
    PiecewiseLinear: _clip,
    Sigmoid: lambda a: _Function("sigmoid", slope=1 / math.sqrt(a.h)),
    Tanh: lambda a: _Function("tanh", slope=1 / (2 * math.sqrt(a.h))),
}


def write(source: Source) -> dict[str, str | bytes]:
    """``NAME.yaml``, and ``NAME.parameters.hdf5`` beside it."""
    net = neural_network(source, "petab-sciml")
    writer = _Writer({layer.name for layer in net.layers})
    for layer in net.layers:
        writer.add_layer(layer)
    comment = "".join(f"# {line}\n" for line in _statements(net))
    text = require("yaml", _EXTRA).safe_dump(writer.content(), sort_keys=False)
    return {"": comment + text, ".parameters.hdf5": writer.parameters()}


class _Writer:
    """Layers, the forward pass and arrays; values by the names of the network's layers."""

    def __init__(self, taken: set[str]):
        self.taken = taken
        self.layers: list[dict[str, Any]] = []
        self.arrays: dict[str, tuple[FloatArray, FloatArray]] = {}
        start = self._id("net_input")
        self.values = {INPUT: start}
        self.forward = [self._row(start, "placeholder", start, [], {})]

    def add_layer(self, layer: Layer) -> None:
        parts = [self.values[name] for name in layer.inputs]
        read = parts[0] if len(parts) == 1 else self._call("cat", layer, [parts], {"dim": 0})
        weights = dense(layer.weights)
        activation, bias = layer.activation, layer.bias
        make = _FUNCTIONS.get(type(activation))
        if make is not None and (function := make(activation)):
            bias = function.slope * bias + function.shift
            z = self._linear(layer.name, read, function.slope * weights, bias)
            value = self._call(function.name, layer, [z], function.arguments)
        elif isinstance(activation, Linear):
            value = self._linear(layer.name, read, weights, bias)
        else:
            value = self._of_rails(layer, read, weights)
        self.values[layer.name] = value

    def content(self) -> dict[str, Any]:
        """What the YAML says."""
        last = list(self.values.values())[-1]
        return {
            "nn_model_id": _NETWORK,
            "inputs": [{"input_id": self.values[INPUT]}],
            "layers": self.layers,
            "forward": [*self.forward, self._row("output", "output", "output", [last], {})],
        }

    def parameters(self) -> bytes:
        """The HDF5 file, which has no dates."""
        file = io.BytesIO()
        with require("h5py", _EXTRA).File(file, "w") as opened:
            opened["metadata/pytorch_format"] = True
            for name, (weights, bias) in self.arrays.items():
                opened[f"parameters/{_NETWORK}/{name}/weight"] = weights
                opened[f"parameters/{_NETWORK}/{name}/bias"] = bias
        return file.getvalue()

    def _of_rails(self, layer: Layer, read: str, weights: FloatArray) -> str:
        """A read-out of rails: a linear layer of the ReLUs of each."""
        activation = layer.activation
        if activation.followers or activation.local_reactions:
            raise FileFormatError(
                f"layer {layer.name!r}: PEtab SciML has no function like {activation}; expected an"
                " activation of rails alone, Sigmoid or Tanh"
            )
        slopes = np.array([activation.gain * rail.sign for rail in activation.rails])
        shifts = np.array([rail.shift for rail in activation.rails])
        rails: FloatArray = np.kron(weights, slopes[:, None])
        bias: FloatArray = np.kron(layer.bias, slopes) + np.tile(shifts, layer.n_out)
        drives = self._linear(layer.name, read, rails, bias)
        y = self._call("relu", layer, [drives], {})
        summed = np.asarray(np.kron(np.eye(layer.n_out), activation.read_coefficients), dtype=float)
        constant = np.full(layer.n_out, float(activation.read_out.constant))
        return self._linear(self._id(f"{layer.name}_read_out"), y, summed, constant)

    def _linear(self, name: str, read: str, weights: FloatArray, bias: FloatArray) -> str:
        n_out, n_in = weights.shape
        args = {"in_features": n_in, "out_features": n_out, "bias": True}
        self.layers.append({"layer_id": name, "layer_type": "Linear", "args": args})
        self.arrays[name] = weights, bias
        self.forward.append(self._row(name, "call_module", name, [read], {}))
        return name

    def _call(self, target: str, layer: Layer, args: list[Any], kwargs: dict[str, Any]) -> str:
        name = self._id(f"{layer.name}_{target}")
        self.forward.append(self._row(name, "call_function", target, args, kwargs))
        return name

    def _id(self, name: str) -> str:
        """A name that nothing else has."""
        return free_id(name, self.taken)

    def _row(self, name: str, op: str, target: str, args: list[Any], kwargs: Any) -> dict[str, Any]:
        return {"name": name, "op": op, "target": target, "args": args, "kwargs": kwargs}


def _statements(net: Network) -> list[str]:
    """What the file is, and what is not in it."""
    sizes = "-".join(str(n) for n in (net.n_in, *(layer.n_out for layer in net.layers)))
    lines = [f"The neural network {sizes}, written by crn_nn_tellurium {__version__}."]
    if net.class_names is not None:
        names = ", ".join(map(str, net.class_names))
        lines.append(f"The format has no classes; those of the outputs, in order: {names}.")
    for layer in net.layers:
        activation = layer.activation
        if isinstance(activation, Sigmoid | Tanh):
            most = 0.037 if isinstance(activation, Sigmoid) else 0.1
            lines.append(
                f"{layer.name}: {activation} has its slope at 0, and is off by up to {most}."
            )
        elif not isinstance(activation, Linear):
            root = math.sqrt(activation.h)
            lines.append(
                f"{layer.name}: {activation} without smoothing; a knee is off by {root:.3g}."
            )
    return lines
