"""Networks as readable JSON files, big arrays in an .npz beside."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from crn_nn_tellurium.basics import (
    brief,
    check_entries,
    check_kind,
    is_version,
    numbers_in,
    path_of,
    read_document,
    reading,
    write_document,
)
from crn_nn_tellurium.errors import FileFormatError, InputError, NetworkError
from crn_nn_tellurium.networks.activation import Activation
from crn_nn_tellurium.networks.activations import BUILT_IN
from crn_nn_tellurium.networks.layer import Layer

FORMAT = "crn_nn_tellurium network"
FORMAT_VERSION = 2
"""Version 1 has no task: all its networks classify."""
FIELDS = ("name", "task", "inputs", "input_range", "input_names", "output_names", "class_names")
"""What a file keeps of a network besides its layers."""
_HEAD = 2**16
"""Bytes of a file in which its format stands, whoever put its keys in another order."""
_KNOWN = ("format", "format_version", *FIELDS, "layers")
_OF_LAYERS = ("name", "inputs", "activation", "weights", "bias")
_Made = TypeVar("_Made")


def save(
    path: str | os.PathLike[str], layers: Iterable[Layer], fields: Mapping[str, object]
) -> None:
    """Write a network's layers and its `FIELDS`; see `Network.save`."""
    head = {"format": FORMAT, "format_version": FORMAT_VERSION}
    document = head | {name: _listed(fields[name]) for name in FIELDS}
    document["layers"] = [
        {
            "name": layer.name,
            "inputs": list(layer.inputs),
            "activation": _describe(layer),
            "weights": layer.weights,
            "bias": layer.bias,
        }
        for layer in layers
    ]
    check_replaceable(path)
    write_document(path, document)


def check_replaceable(path: str | os.PathLike[str]) -> None:
    """Refuse a path at which something else than a network is: saving replaces networks alone."""
    target = path_of("path", path)
    if not target.is_file():
        return  # what cannot be written to says so
    with target.open("rb") as file:
        start = file.read(_HEAD)
    # a damaged network, cut off say, may be replaced as well
    if start and FORMAT.encode() not in start:
        raise InputError(
            f"{str(target)!r} is there and holds no network, so saving one would lose what it"
            " holds; expected a new name, an empty file or a network's"
        )


def _listed(value: object) -> Any:
    return [_listed(item) for item in value] if isinstance(value, tuple) else value


def load(
    make: Callable[..., _Made],
    path: str | os.PathLike[str],
    activations: Mapping[str, type[Activation]] | None = None,
) -> _Made:
    """What is made of the layers and `FIELDS` that `save` wrote; see `Network.load`."""
    label = str(path_of("path", path))
    document = read_document(path)
    if document.get("format") != FORMAT:
        raise FileFormatError(
            f"{label!r}: format is {document.get('format')!r}; expected {FORMAT!r}"
        )
    version = document.get("format_version")
    if not is_version(version, range(1, FORMAT_VERSION + 1)):
        raise FileFormatError(
            f"{label!r}: format version {version!r}; this package reads versions 1 to"
            f" {FORMAT_VERSION}; a newer one needs a newer crn_nn_tellurium"
        )
    check_entries(repr(label), document, _KNOWN)
    if version == 1:  # of before there was a task
        document["task"] = "classification"
    # one's own come last, but none can have been saved under a built-in one's name
    if activations is not None:
        check_kind("activations", activations, Mapping, "{'Swish': Swish} say")
    kinds = BUILT_IN | dict(activations or {})
    # what an activation of the user's own raises of numbers that it does not expect, too
    with reading(label):
        try:
            layers = tuple(_read_layer(label, entry, kinds) for entry in document["layers"])
            fields = {key: document[key] for key in FIELDS}
            if fields["input_range"] is not None:
                numbers_in(fields["input_range"])
            return make(layers, **fields)
        except (KeyError, TypeError, AttributeError) as error:
            raise FileFormatError(
                f"{label!r}: an entry is missing or not as saved: {error}"
            ) from error
        except FileFormatError:  # a ValueError too, which says what is wrong already
            raise
        except ValueError as error:
            raise FileFormatError(f"{label!r}: {error}") from error


def _describe(layer: Layer) -> dict[str, Any]:
    """What a file keeps of a layer's activation."""
    kind, parameters = type(layer.activation), layer.activation.parameters()
    name = kind.__name__
    # loaded by its name, it would come back as the built-in one
    if BUILT_IN.get(name, kind) is not kind:
        raise NetworkError(
            f"layer {layer.name!r}: its activation {name!r} has a built-in one's name; rename the"
            " class"
        )
    for field, value in parameters.items():
        numbers = value if isinstance(value, tuple) else (value,)
        if not all(isinstance(one, str | bool | int | float | None) for one in numbers):
            raise NetworkError(
                f"layer {layer.name!r}: field {field!r} of its activation {name!r} is {value!r}; a"
                " file keeps numbers, strings and tuples of them alone"
            )
    return {"name": name, "parameters": parameters}


def _read_layer(label: str, entry: Any, kinds: Mapping[str, type[Activation]]) -> Layer:
    check_entries(f"{label!r}: a layer", entry, _OF_LAYERS)
    where = f"{label!r}: layer {brief(entry['name'])}"
    check_entries(f"{where}: activation", entry["activation"], ("name", "parameters"))
    name, description = entry["activation"]["name"], entry["activation"]["parameters"]
    if name not in kinds:
        raise FileFormatError(
            f"{where} has the activation {name!r}, which is not built"
            f" in; load it with activations={{{name!r}: its class}}"
        )
    try:
        activation = kinds[name](**description)
    except TypeError as error:
        raise FileFormatError(
            f"{where}: {name} does not take the saved parameters {description} ({error})"
        ) from error
    weights, bias = numbers_in(entry["weights"]), numbers_in(entry["bias"])
    return Layer(weights, bias, activation, tuple(entry["inputs"]), entry["name"])
