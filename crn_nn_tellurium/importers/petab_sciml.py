"""Networks in the format of PEtab SciML: layers and a forward pass in YAML, parameters in HDF5.

Layers are PyTorch's, and the forward pass is a graph of torch.fx, written down. Source: the PEtab
SciML extension, github.com/PEtab-dev/petab_sciml.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import check_hdf5, check_kind, first_twice, read_text, reading, require
from crn_nn_tellurium.errors import FileFormatError, InputError
from crn_nn_tellurium.importers.torch_functions import ARITHMETIC, function
from crn_nn_tellurium.importers.torch_layers import BatchNorm, module
from crn_nn_tellurium.networks import Network
from crn_nn_tellurium.operators import (
    Apply,
    Dense,
    Flatten,
    Graph,
    Identity,
    Node,
    Options,
    outputs_together,
    to_network,
)

_EXTRA = "petab-sciml"
_LARGEST = 10_000_000
"""Characters of YAML: a layer takes some hundred."""
_DEEPEST = 20
_NUMBERS = {
    "int": r"[-+]?(?:0|[1-9][0-9]*)$",
    "float": r"[-+]?(?:(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+"
    r"|\.(?:inf|nan))$",
}
Shape = tuple[int, ...]


def from_petab_sciml(
    net_yaml: str | os.PathLike[str],
    parameters: Any = None,
    h: float = 1e-6,
    *,
    input_shape: Any = None,
    data: Any = None,
    max_error: float = 1e-2,
    approximation: str = "pieces",
    inputs: str | None = None,
    input_range: Any = None,
    class_names: Any = None,
) -> Network:
    """The network of a PEtab SciML file.

    Parameters
    ----------
    net_yaml : path-like
        A network in the NN model YAML format of PEtab SciML.
    parameters : path-like or mapping, optional
        The HDF5 file of its parameters, or arrays by layer and name in PyTorch's order:
        ``{"layer1": {"weight": W, "bias": b}}`` or ``{"layer1.weight": W, "layer1.bias": b}``.
        Batch norms take ``running_mean`` and ``running_var`` from there too. Without them, and
        files of the format have none, they normalize with the statistics of their batch, as in
        training: `data` is that batch.
    h : float
        Smoothing of every layer. The smaller, the closer to the hard ReLU and the slower the
        chemistry; ``net.with_h`` changes it.
    input_shape : tuple of int, or mapping from input to such, optional
        The shape of one sample as the forward pass takes it, with length 1 for an axis of samples;
        the format does not say it. By default what the first Linear layer reads, or else the shape
        of a sample in `data`. The network's inputs are its elements in C order, one input of the
        file after another.
    data : (n_samples, n_in) array_like, optional
        Inputs as the network will meet them; samples may have the input's shape. Functions without
        an exact counterpart are then approximated where these lead, and `Network.import_report`
        tells the largest difference.
    max_error : float
        Largest error of a function without an exact counterpart: tanh, sigmoid and their like.
    approximation : {"pieces", "algebraic"}
        What becomes of those: a sum of smoothed ReLUs within `max_error`, or `Tanh`, `Sigmoid` and
        their like with the slope matched at 0: few species, and off by more.
    inputs, input_range, class_names
        As in `Network`; by default inputs of either sign, scaled where they have a range.

    Returns
    -------
    Network
        For classification if there are `class_names` or the last operator is a softmax, else for
        regression. Dropout is off.

    Raises
    ------
    NetworkError
        If an operator has no counterpart, or parameters do not fit their layers.
    FileFormatError
        If a file is not of the format.
    InputError
        If `data`, `input_shape` or a number does not fit.
    MissingPackageError
        If pyyaml or h5py is not installed.

    Examples
    --------
    >>> import tempfile
    >>> text = '''
    ... nn_model_id: net
    ... inputs: [{input_id: x}]
    ... layers:
    ... - {layer_id: first, layer_type: Linear, args: {in_features: 2, out_features: 3}}
    ... forward:
    ... - {name: x, op: placeholder, target: x}
    ... - {name: first, op: call_module, target: first, args: [x]}
    ... - {name: relu, op: call_function, target: relu, args: [first]}
    ... - {name: output, op: output, target: output, args: [relu]}
    ... '''
    >>> arrays = {"first": {"weight": [[1, 0], [0, 1], [1, 1]], "bias": [0, 0, -1]}}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "net.yaml")
    ...     _ = path.write_text(text)
    ...     net = from_petab_sciml(path, arrays, h=1e-8)
    >>> net([[1.0, -2.0]]).round(3)
    array([[1., 0., 0.]])
    """
    options = Options(h, data, max_error, approximation)
    check_kind("from_petab_sciml", net_yaml, (str, os.PathLike), "the path of a .yaml file")
    source = _Source(_read(Path(net_yaml)), str(net_yaml))
    nodes, output = source.graph(_parameters(parameters, source.name))
    graph = Graph(_shapes(source, nodes, input_shape, data), nodes, output)
    return to_network(graph, options, inputs, input_range, None, class_names)


def _read(path: Path) -> Any:
    """The plain values of a YAML file, of bounded size."""
    yaml = require("yaml", _EXTRA)
    text = read_text(path)
    if len(text) > _LARGEST:
        raise FileFormatError(
            f"{str(path)!r}: {len(text)} characters; expected at most {_LARGEST} of a network"
        )
    try:
        depth = 0
        for event in yaml.parse(text, yaml.SafeLoader):
            # an alias of aliases may stand for more than any memory holds
            if isinstance(event, yaml.AliasEvent):
                raise FileFormatError(f"{str(path)!r}: has YAML aliases (*name); expected none")
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            # pyyaml's time grows with the square of the depth
            if depth > _DEEPEST:
                raise FileFormatError(f"{str(path)!r}: nested too deeply to be a network")
        return yaml.load(text, _loader(yaml))
    except FileFormatError:
        raise
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise FileFormatError(f"{str(path)!r}: not YAML that can be read ({error})") from error


def _loader(yaml: Any) -> Any:
    """YAML as pyyaml reads it, with numbers as in YAML 1.2 and JSON: 1e-05 is one, and 1_0 none;
    names of a mapping are different: of two alike, pyyaml takes the last.
    """

    def once(self: Any, node: Any, deep: bool = False) -> Any:
        keys = [key.value for key, _ in node.value]
        if not all(isinstance(key, str) for key in keys):
            raise ValueError(f"a key is no name, line {node.start_mark.line + 1}")
        if (twice := first_twice(keys)) is not None:
            raise ValueError(f"{twice!r} is there twice, line {node.start_mark.line + 1}")
        return yaml.SafeLoader.construct_mapping(self, node, deep)

    loader: Any = type("Loader", (yaml.SafeLoader,), {"construct_mapping": once})
    loader.yaml_implicit_resolvers = {
        first: [(tag, known) for tag, known in kinds if not tag.endswith((":int", ":float"))]
        for first, kinds in loader.yaml_implicit_resolvers.items()
    }
    for tag, number in _NUMBERS.items():
        loader.add_implicit_resolver(
            f"tag:yaml.org,2002:{tag}", re.compile(number), list("-+.0123456789")
        )
    return loader


def _parameters(source: Any, name: str) -> Mapping[str, Mapping[str, Any]]:
    """Arrays by layer and name."""
    if source is None:
        return {}
    if isinstance(source, Mapping):
        found: dict[str, dict[str, Any]] = {}
        for key, value in source.items():
            if isinstance(value, Mapping):
                found.setdefault(str(key), {}).update(value)
            else:
                layer_id, _, parameter = str(key).rpartition(".")
                found.setdefault(layer_id, {})[parameter] = value
        return found
    if not isinstance(source, str | os.PathLike):
        raise InputError(
            f"parameters are a {type(source).__name__}; expected an HDF5 file, or arrays by layer"
        )
    return _of_hdf5(Path(source), name)


def _of_hdf5(path: Path, name: str) -> dict[str, dict[str, Any]]:
    h5py = require("h5py", _EXTRA)
    if not path.is_file():
        raise FileNotFoundError(f"{str(path)!r}: there is no such file")
    with reading(path):
        return _from_hdf5(h5py, path, name)


def _from_hdf5(h5py: Any, path: Path, name: str) -> dict[str, dict[str, Any]]:
    try:
        with h5py.File(path, "r") as file:
            check_hdf5(h5py, file)
            marked = file.get("metadata/pytorch_format")
            if marked is None or not bool(marked[()]):
                raise FileFormatError(
                    f"{str(path)!r}: metadata/pytorch_format is not set, so that the order of its"
                    " arrays is not known; expected arrays as PyTorch has them"
                )
            group = file.get(f"parameters/{name}")
            if group is None:
                there = ", ".join(file.get("parameters", ())) or "none"
                raise FileFormatError(
                    f"{str(path)!r}: has no parameters of the network {name!r}; it has {there}"
                )
            return {
                layer_id: {key: array[()] for key, array in arrays.items()}
                for layer_id, arrays in group.items()
            }
    except (OSError, AttributeError, TypeError) as error:
        raise FileFormatError(
            f"{str(path)!r}: not an HDF5 file of parameters/network/layer/parameter ({error})"
        ) from error


@dataclass(frozen=True)
class _Source:
    """What the YAML says, each field checked where it is read."""

    content: Any
    path: str

    @property
    def name(self) -> str:
        if isinstance(self.content, dict) and "format_version" in self.content:
            raise self.wrong("a PEtab problem, whose files name a model and no layers")
        return self.text(self.content, "nn_model_id")

    @property
    def inputs(self) -> dict[str, str]:
        """What the forward pass calls each input, by its id; both have one order."""
        ids = [self.text(row, "input_id") for row in self.rows("inputs")]
        forward = self.rows("forward")
        names = [self.text(row, "name") for row in forward if row.get("op") == "placeholder"]
        if not ids or len(ids) != len(names):
            raise self.wrong(f"{len(ids)} inputs and {len(names)} placeholders, not as many")
        return dict(zip(ids, names, strict=True))

    def graph(self, arrays: Mapping[str, Mapping[str, Any]]) -> tuple[tuple[Node, ...], str]:
        """The operators in order, and the name of the output."""
        layers = {self.text(row, "layer_id"): row for row in self.rows("layers")}
        known = set(self.inputs.values())
        nodes: list[Node] = []
        overwritten: set[str] = set()
        for row in self.rows("forward"):
            name, op, target = (self.text(row, key) for key in ("name", "op", "target"))
            if op == "placeholder":
                continue
            terms, args, kwargs = _split(target, row.get("args"), row.get("kwargs"))
            reads = tuple(term for term in terms if isinstance(term, str))
            for read in reads:
                if read not in known - overwritten:
                    raise self.wrong(
                        f"node {name!r} reads {read!r}, no node before it, or one that"
                        " is overwritten (inplace)"
                    )
            if op == "output":
                return outputs_together(nodes, reads)
            kind = target
            if op == "call_module":
                if target not in layers:
                    raise self.wrong(f"node {name!r} calls {target!r}, which is no layer")
                kind = self.text(layers[target], "layer_type")
                kwargs = dict(layers[target].get("args") or {})
                operator = module(kind, kwargs, arrays.get(target, {}), name)
            elif op in ("call_function", "call_method"):
                numbers = [None if isinstance(term, str) else term for term in terms]
                operator = function(kind, numbers, args, kwargs, name)
            else:
                raise self.wrong(f"node {name!r} has the op {op!r}")
            if kwargs.get("inplace"):
                overwritten.update(reads)
            nodes.append(Node(name, operator, reads, kind))
            known.add(name)
        raise self.wrong("no node has the op 'output'")

    def rows(self, key: str) -> list[dict[str, Any]]:
        """A list of mappings; an empty one where there is none."""
        rows = (self.content.get(key) if isinstance(self.content, dict) else None) or []
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise self.wrong(f"{key!r} is no list of mappings")
        return rows

    def text(self, row: Any, key: str) -> str:
        """A field that must be there."""
        value = row.get(key) if isinstance(row, dict) else None
        if not isinstance(value, str):
            raise self.wrong(f"no text for {key!r}")
        return value

    def wrong(self, what: str) -> FileFormatError:
        return FileFormatError(f"{self.path!r}: {what}; expected a network of PEtab SciML")


def _split(target: str, args: Any, kwargs: Any) -> tuple[list[Any], list[Any], dict[str, Any]]:
    """What a call works on, nodes by name and numbers, and its other arguments."""
    names = ("input", "other") if target in ARITHMETIC else ("tensors", "input")
    given, named = list(args or []), dict(kwargs or {})
    by_name = [named.pop(name) for name in names if name in named]
    n_by_place = (2 if target in ARITHMETIC else 1) - len(by_name)
    found, given = [*given[:n_by_place], *by_name], given[n_by_place:]
    terms = found[0] if len(found) == 1 and isinstance(found[0], list) else found
    return list(terms), given, named


def _shapes(source: _Source, nodes: Sequence[Node], given: Any, data: Any) -> dict[str, Shape]:
    """The shape of each input, under the name that the forward pass has for it."""
    inputs = source.inputs
    if isinstance(given, Mapping):
        if set(given) != set(inputs):
            raise InputError(f"input_shape has {sorted(given)}; expected {sorted(inputs)}")
        return {inputs[key]: _shape(value) for key, value in given.items()}
    if given is not None and len(inputs) == 1:
        return dict.fromkeys(inputs.values(), _shape(given))
    (first, *others) = inputs.values()
    shape: Shape | None = None
    if not others and given is None:
        width = _width_read(first, nodes)
        shape = (width,) if width else np.shape(data)[1:] or None
    if shape is None:
        raise InputError(
            f"the shapes of {', '.join(inputs)} are not in the file, nor does one Linear layer read"
            " it all; give input_shape=, of one input (1, 28, 28), say, with length 1 for an axis"
            f" of samples, of several a mapping: {{{next(iter(inputs))!r}: (10,), ...}}"
        )
    return {first: (1, *shape) if any(map(_has_samples, nodes)) else shape}


def _shape(value: Any) -> Shape:
    numbers = np.atleast_1d(np.asarray(value))
    if numbers.ndim != 1 or numbers.dtype.kind not in "iu" or not (numbers > 0).all():
        raise InputError(f"input_shape is {value!r}; expected whole numbers >= 1")
    return tuple(map(int, numbers))


def _width_read(name: str, nodes: Sequence[Node]) -> int | None:
    """How many elements a first Linear layer reads of a node, itself or element by element."""
    for node in nodes:
        if name in node.reads:
            if isinstance(node.operator, Dense):
                return int(node.operator.weights.shape[1])
            if isinstance(node.operator, Apply | Identity | Flatten | BatchNorm):
                return _width_read(node.name, nodes)
    return None


def _has_samples(node: Node) -> bool:
    """Whether an operator takes axis 0 for samples."""
    operator = node.operator
    return isinstance(operator, BatchNorm) or (isinstance(operator, Flatten) and operator.start > 0)
