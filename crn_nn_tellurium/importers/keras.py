"""Models of Keras 3, sequential and functional, whatever their backend."""

from __future__ import annotations

import io
import math
import os
import re
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from crn_nn_tellurium.basics import check_hdf5, json_value, reading, require
from crn_nn_tellurium.errors import FileFormatError, NetworkError
from crn_nn_tellurium.importers.keras_layers import ACTIVATIONS, LAYERS
from crn_nn_tellurium.networks import Network
from crn_nn_tellurium.operators import (
    MOST_VALUES,
    Graph,
    Node,
    Operator,
    Options,
    outputs_together,
    to_network,
    unsupported,
)

_LARGEST_CONFIG, _LARGEST_FILE = 2**24, 2**32
"""Bytes of a file's description of layers, and of all that is in it."""
_EXTRA = "keras"
_REMEDIES = {
    "Lambda": "it holds Python code; write it with Keras' own layers",
    "Dot": "it is a product of two of its inputs",
    "LayerNormalization": "its statistics are those of the sample; a batch norm's are constants",
    "GroupNormalization": "its statistics are those of the sample; a batch norm's are constants",
}
_CALLED_WITH = ("training", "mask")
_WEIGHTS, _MOST_WEIGHTS = "model.weights.h5", 2**28
_OF_OURS = "write it with Keras' own layers, or import the model up to it"


def from_keras(
    model: Any,
    h: float = 1e-6,
    *,
    data: Any = None,
    max_error: float = 1e-2,
    approximation: str = "pieces",
    logits: bool = False,
    inputs: str | None = None,
    input_range: Any = None,
    class_names: Any = None,
) -> Network:
    """The network of a Keras model.

    Parameters
    ----------
    model : keras.Model or path-like
        A built Sequential or a functional model, with models within it, shared layers and several
        inputs and outputs; or a ``.keras`` or ``.h5`` file, which is read without running code from
        it. Its inputs are their elements in C order, one input after another.
    h : float
        Smoothing of every layer. The smaller, the closer to the hard ReLU and the slower the
        chemistry; ``net.with_h`` changes it.
    data : (n_samples, n_in) array_like, optional
        Inputs as the network will meet them; samples may have the input's shape. Functions without
        an exact counterpart are then approximated where these lead, and `Network.import_report`
        tells the largest difference.
    max_error : float
        Largest error of a function without an exact counterpart: tanh, sigmoid and their like.
    approximation : {"pieces", "algebraic"}
        What becomes of those: a sum of smoothed ReLUs within `max_error`, or `Tanh`, `Sigmoid` and
        their like with the slope matched at 0: few species, and off by more.
    logits : bool
        Whether a softmax or sigmoid at the end is left away; the class is the same.
    inputs, input_range, class_names
        As in `Network`; by default inputs of either sign, scaled where they have a range.

    Returns
    -------
    Network
        For classification if there are `class_names` or the last operator is a softmax, else for
        regression. Dropout and noise are off, batch norms have their moving statistics.

    Raises
    ------
    NetworkError
        If a layer or activation has no counterpart, or the model no graph of fixed shapes.
    FileFormatError
        If a file is no model.
    MissingPackageError
        If Keras is not installed.

    Examples
    --------
    >>> import keras
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, activation="relu")])
    >>> net = from_keras(model, h=1e-8)
    >>> net.n_in, net.layers[0].activation
    (2, SmoothedReLU(h=1e-08))
    """
    options = Options(h, data, max_error, approximation, logits)
    keras = require("keras", _EXTRA)
    if isinstance(model, str | os.PathLike):
        model = _loaded(Path(model), keras)
    graph = _Walk(keras).graph(model)
    return to_network(graph, options, inputs, input_range, None, class_names)


def _loaded(path: Path, keras: Any) -> Any:
    """The model of a file, none of whose code is run."""
    if not path.is_file():
        raise FileNotFoundError(f"{str(path)!r}: there is no such file")
    with reading(path):
        config = _config(path)
        if "Lambda" in _classes(config):
            raise unsupported("Lambda", str(path), _REMEDIES["Lambda"])
        _check_weights(keras, path, config)
        return keras.saving.load_model(path, compile=False, safe_mode=True)


def _is_zip(path: Path) -> bool:
    """By its name too, as Keras tells them apart: a zip behind HDF5 makes a file of both kinds."""
    return path.suffix == ".keras" and zipfile.is_zipfile(path)


def _check_weights(keras: Any, path: Path, config: Any) -> None:
    """Refuse more weights than a file may hold, which Keras makes before it looks for them."""

    def n_weights() -> int:
        # within this scope variables have shapes and no values; when it is left they are given
        # some, so it is not: it is this thread's, and ends with it
        keras.StatelessScope().__enter__()
        if _is_zip(path):
            model = keras.saving.deserialize_keras_object(config, safe_mode=True)
        else:
            # of layers and weights that differ in shape Keras says so before it makes any
            model = keras.saving.load_model(path, compile=False, safe_mode=True)
        return int(model.count_params()) if isinstance(model, keras.Model) else 0

    with ThreadPoolExecutor(1) as threads:
        n = threads.submit(n_weights).result()
    if n > _MOST_WEIGHTS:
        raise ValueError(f"it has {n:,} weights; expected {_MOST_WEIGHTS:,} at most")


def _config(path: Path) -> Any:
    """What a file says of its layers, before Keras makes them."""
    h5py = require("h5py", _EXTRA)
    try:
        if _is_zip(path):
            with zipfile.ZipFile(path) as archive:
                sizes = [one.file_size for one in archive.infolist()]
                config = archive.getinfo("config.json").file_size
                # a zip of a thousandth of the size may hold that much
                if config > _LARGEST_CONFIG or sum(sizes) > _LARGEST_FILE:
                    raise ValueError(f"it holds {config:,} and {sum(sizes):,} bytes")
                if _WEIGHTS in archive.namelist():
                    with h5py.File(io.BytesIO(archive.read(_WEIGHTS)), "r") as file:
                        check_hdf5(h5py, file)
                return json_value(archive.read("config.json"))
        with h5py.File(path, "r") as file:
            check_hdf5(h5py, file)
            return json_value(file.attrs["model_config"])
    except (OSError, KeyError, ValueError) as error:
        raise FileFormatError(
            f"{str(path)!r}: no model of Keras; expected a .keras or .h5 file ({error})"
        ) from error


def _classes(config: Any) -> Iterator[str]:
    """The names of all classes in a configuration."""
    if isinstance(config, dict):
        if isinstance(name := config.get("class_name"), str):
            yield name
        for value in config.values():
            yield from _classes(value)
    elif isinstance(config, list):
        for value in config:
            yield from _classes(value)


def _check_size(what: str, tensor: Any) -> None:
    """Refuse more numbers than a network may have, before they are computed: a file of any size may
    say so.
    """
    if math.prod(length or 1 for length in tensor.shape) > MOST_VALUES:
        raise NetworkError(
            f"{what} has numbers of shape {tensor.shape}; expected at most {MOST_VALUES:,} a sample"
        )


class _Walk:
    """The operators of a model's graph, those of models within it among them."""

    def __init__(self, keras: Any):
        self.keras = keras
        self.nodes: list[Node] = []

    def graph(self, model: Any) -> Graph:
        self._check(model, "the model")
        names = [tensor.name for tensor in model.inputs]
        shapes = dict(zip(names, map(self._shape, model.inputs), strict=True))
        for name, tensor in zip(names, model.inputs, strict=True):
            _check_size(f"input {name!r}", tensor)
        made = self._model(model, names, "")
        return Graph(shapes, *outputs_together(self.nodes, made))

    def _check(self, model: Any, where: str) -> None:
        if not isinstance(model, self.keras.Model):
            raise NetworkError(
                f"from_keras: got a {type(model).__name__}; expected a model of Keras, or its file"
            )
        # Keras' own follow the graph, and those of a subclass are any code
        is_own = not type(model).call.__module__.startswith("keras.")
        is_graph = isinstance(model, self.keras.Sequential) or hasattr(model, "operations")
        if is_own or not is_graph:
            raise unsupported(type(model).__name__, where, "it has no graph; " + _OF_OURS)
        if not model.built or not model.inputs:
            raise NetworkError(f"from_keras: {where} is not built; give it a keras.Input first")

    def _shape(self, tensor: Any) -> tuple[int, ...]:
        _, *lengths = tensor.shape
        if None in lengths:
            raise NetworkError(
                f"from_keras: input {tensor.name!r} has shape {tensor.shape}; expected lengths that"
                " are fixed, but for the samples"
            )
        return (1, *lengths)

    def _model(self, model: Any, reads: list[str], prefix: str) -> list[str]:
        """What its outputs are called, from what its inputs are."""
        names = dict(zip(map(id, model.inputs), reads, strict=True))
        for node in _in_order(model.outputs, set(names)):
            read = [names[id(tensor)] for tensor in node.input_tensors]
            operation = node.operation
            for tensor in node.outputs:
                where = f"{prefix}{operation.name}"
                _check_size(f"operator {type(operation).__name__!r} at {where!r}", tensor)
            if isinstance(operation, self.keras.Model):
                self._check(operation, operation.name)
                made = self._model(operation, read, f"{prefix}{operation.name}/")
            else:
                made = [self._layer(operation, read, node.outputs[0].shape, prefix)]
            self._check_call(node, f"{prefix}{operation.name}")
            names |= zip(map(id, node.outputs), made, strict=True)
        return [names[id(tensor)] for tensor in model.outputs]

    def _check_call(self, node: Any, where: str) -> None:
        """Refuse a call with more than what is computed on."""
        given = ["a second argument"] if len(node.arguments.args) > 1 else []
        for key in _CALLED_WITH:
            # a mask for each of several inputs
            parts = self.keras.tree.flatten(node.arguments.kwargs.get(key))
            if any(part is not None and part is not False for part in parts):
                given.append(f"{key}=")
        if given:
            raise NetworkError(
                f"operator {type(node.operation).__name__!r} at {where!r}: called with"
                f" {', '.join(given)}, which has no counterpart here"
            )

    def _layer(self, layer: Any, reads: list[str], shape: Any, prefix: str) -> str:
        """The nodes of a layer at work, and the name of the last; an activation keeps the shape."""
        kind, where = type(layer).__name__, f"{prefix}{layer.name}"
        name = _unique(where, [node.name for node in self.nodes])
        of_sample = None if None in shape[1:] else (1, *shape[1:])
        self._add(name, self._operator(kind, layer, name), reads, kind, of_sample)
        activation = getattr(layer, "activation", None)
        if activation is None or activation is self.keras.activations.linear:
            return name
        if isinstance(activation, self.keras.Layer):
            return self._layer(activation, [name], shape, f"{name}/")
        called = getattr(activation, "__name__", repr(activation))
        known = getattr(self.keras.activations, called, None)
        if known is not activation or called not in ACTIVATIONS:
            raise unsupported(called, name, "one of Keras' own, by name, might")
        after = f"{name}/{called}"
        self._add(after, ACTIVATIONS[called](), [name], called, of_sample)
        return after

    def _add(
        self, name: str, operator: Operator, reads: list[str], called: str, shape: Any
    ) -> None:
        self.nodes.append(Node(name, operator, tuple(reads), called, shape))

    def _operator(self, kind: str, layer: Any, where: str) -> Operator:
        own = getattr(self.keras.layers, kind, None)
        if own is not type(layer):
            raise unsupported(kind, where, _OF_OURS)
        if getattr(layer, "quantization_mode", None):
            raise unsupported(f"quantized {kind}", where, "its weights before are what is trained")
        axes = re.fullmatch(r"(\w+?)([123])D(\w*)", kind)
        base, n = (axes[1] + axes[3], int(axes[2])) if axes else (kind, 0)
        if base not in LAYERS:
            raise unsupported(kind, where, _REMEDIES.get(kind, ""))
        try:
            return LAYERS[base](layer, n)
        except (NetworkError, ValueError) as error:
            raise NetworkError(f"operator {kind!r} at {where!r}: {error}") from error
        except AttributeError as error:  # of numbers that are not there yet
            if layer.built:
                raise
            raise NetworkError(
                f"operator {kind!r} at {where!r}: it is not built; call the model on inputs first"
            ) from error


def _in_order(outputs: list[Any], known: set[int]) -> list[Any]:
    """The nodes that lead to tensors, each after those it reads."""
    found: list[Any] = []
    seen: set[int] = set()
    waiting = [(tensor, False) for tensor in reversed(outputs)]
    while waiting:
        tensor, is_read = waiting.pop()
        operation, index, _ = tensor._keras_history
        node = operation._inbound_nodes[index]
        if id(tensor) in known or (id(node) in seen):
            continue
        if is_read:
            seen.add(id(node))
            found.append(node)
            continue
        waiting.append((tensor, True))
        waiting += [(one, False) for one in reversed(node.input_tensors)]
    return found


def _unique(name: str, taken: Any) -> str:
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name}:{number}"
    return found
