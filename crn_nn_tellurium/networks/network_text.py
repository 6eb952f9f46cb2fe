"""A network from a few lines of text, as one types it in a notebook.

    input x0 x1
    layer relu h=0.01
    1 1 | 0           # a row per unit: the weights, then the bias
    1 1 | -1
    layer linear h=0.01
    1 -2 | 0
    output y

or, with random weights:

    sizes 4 8 3 seed=0 h=0.001 activation=relu output=linear

Words of the form key=value are arguments: of an activation (h, slope, ...), of a `Layer` (name, and
reads for the layers that it reads), and, on the lines input, output, classes and sizes, of a
`Network` (inputs, input_range, task) or `Network.random` (seed, density, activation, output).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from crn_nn_tellurium.errors import NetworkError
from crn_nn_tellurium.networks.activation import Activation
from crn_nn_tellurium.networks.activations import BUILT_IN, SmoothedReLU
from crn_nn_tellurium.networks.layer import Layer
from crn_nn_tellurium.networks.network import Network

_ACTIVATIONS = {"relu": SmoothedReLU} | {name.lower(): kind for name, kind in BUILT_IN.items()}
_OF_NETWORK: Mapping[str, Callable[[str], Any]] = {
    "inputs": str,
    "input_range": lambda text: _numbers(text),
    "task": str,
}
_OF_SIZES: Mapping[str, Callable[[str], Any]] = {
    "seed": lambda text: _number(text, int),
    "density": lambda text: _number(text),
    "h": lambda text: _number(text),
    "activation": str,
    "output": str,
}
_OF_LAYER: Mapping[str, Callable[[str], Any]] = {
    "name": str,
    "reads": lambda text: tuple(text.split(",")),
}
_LAYER_KEYS = (("name", "name"), ("reads", "inputs"))
_NAMES = {"input": "input_names", "output": "output_names", "classes": "class_names"}


def network_from_text(text: str, name: str = "network") -> Network:
    """The network that a text describes.

    Raises
    ------
    NetworkError
        If a line cannot be read, with its number, or layers do not fit together.
    IdentifierError
        If a name cannot be an identifier.

    Examples
    --------
    >>> network_from_text("layer relu h=0.1\\n 1 1 | 0\\n 1 1 | -1\\nlayer linear\\n 1 -2 | 0").h
    (0.1, 0.01)
    """
    reader = _Reader()
    for number, line in enumerate(text.splitlines(), start=1):
        if words := line.partition("#")[0].split():
            try:
                reader.read(words)
            except (ValueError, TypeError) as error:
                raise NetworkError(f"line {number}, {line.strip()!r}: {error}") from error
    return reader.network(name)


@dataclasses.dataclass
class _Reader:
    options: dict[str, Any] = dataclasses.field(default_factory=dict)
    sizes: list[int] = dataclasses.field(default_factory=list)
    # what goes with sizes
    random: dict[str, Any] = dataclasses.field(default_factory=dict)
    # kinds of lines that there may be one of
    seen: set[str] = dataclasses.field(default_factory=set)
    # of each layer its activation and other arguments, its weights and its biases
    layers: list[tuple[dict[str, Any], list[list[float]], list[float]]] = dataclasses.field(
        default_factory=list
    )

    def read(self, words: list[str]) -> None:
        """One line."""
        kind, rest = words[0], words[1:]
        plain = [word for word in rest if "=" not in word]
        given = [word for word in rest if "=" in word]
        if kind in self.seen:
            raise ValueError(f"a line that begins with {kind} is there already; expected one")
        if kind in (*_NAMES, "sizes"):
            self.seen.add(kind)
        if kind in _NAMES:
            names = _labels(plain) if kind == "classes" else tuple(plain)
            self.options |= {_NAMES[kind]: names} if names else {}
            self.options |= _arguments(given, _OF_NETWORK)
        elif kind == "sizes":
            self.sizes = [_number(word, int) for word in plain]
            found = _arguments(given, {**_OF_SIZES, **_OF_NETWORK})
            self.random = {key: value for key, value in found.items() if key in _OF_SIZES}
            self.options |= {key: value for key, value in found.items() if key in _OF_NETWORK}
        elif kind == "layer":
            self.layers.append((_layer(plain, given), [], []))
        else:
            self._row(words)

    def _row(self, words: list[str]) -> None:
        if not self.layers:
            raise ValueError(
                "expected a line that begins with input, layer, output, classes or sizes; rows of"
                " weights follow a layer"
            )
        weights, bar, bias = " ".join(words).partition("|")
        biases = [_number(word) for word in bias.split()]
        if len(biases) != bool(bar):
            raise ValueError("expected the weights of a unit and its bias: 1 -2 | 0.5")
        _, rows, all_biases = self.layers[-1]
        rows.append([_number(word) for word in weights.split()])
        if len(rows[-1]) != len(rows[0]):
            raise ValueError(
                f"{len(rows[-1])} weights; expected {len(rows[0])}, as in the row before"
            )
        all_biases.extend(biases or [0.0])

    def network(self, name: str) -> Network:
        """All that was read."""
        if bool(self.sizes) == bool(self.layers):
            raise NetworkError(
                "expected layers (layer relu h=0.01, with a row of weights and bias for each unit,"
                " 1 -2 | 0.5) or one line of sizes (sizes 4 8 3 seed=0), and not both"
            )
        if self.layers:
            layers = [self._layer(number) for number in range(len(self.layers))]
            return Network(tuple(layers), name=name, **self.options)
        given = dict(self.random)
        h = {"h": given.pop("h")} if "h" in given else {}
        hidden = _activation(given.pop("activation", "relu"), h)
        output = _activation(given.pop("output"), h) if "output" in given else None
        network = Network.random(self.sizes, hidden, output=output, **given)
        return dataclasses.replace(network, name=name, **self.options)

    def _layer(self, number: int) -> Layer:
        arguments, rows, biases = self.layers[number]
        if not rows:
            raise NetworkError(
                f"layer {number + 1} has no units; expected a row for each: 1 2 | 0.5"
            )
        return Layer(np.array(rows), np.array(biases), **arguments)


def _labels(words: list[str]) -> tuple[str | int, ...]:
    """Classes, which are numbers if all are, so that they compare with labels."""
    numbers = all(word.isdecimal() for word in words)
    return tuple(int(word) if numbers else word for word in words)


def _arguments(words: list[str], known: Mapping[str, Callable[[str], Any]]) -> dict[str, Any]:
    """Values by key, of words key=value."""
    found = {}
    for word in words:
        key, _, value = word.partition("=")
        if key not in known:
            raise ValueError(f"{key!r} is not known here; expected {', '.join(known)}")
        if key in found:
            raise ValueError(f"{key!r} is there twice; expected one value")
        found[key] = known[key](value)
    return found


def _layer(plain: list[str], given: list[str]) -> dict[str, Any]:
    """Arguments of a `Layer`."""
    if len(plain) > 1:
        raise ValueError(f"expected one activation: {', '.join(_ACTIVATIONS)}")
    kind = plain[0] if plain else "relu"
    fields = {
        entry.name: _row if isinstance(entry.default, tuple) else _numbers
        for entry in dataclasses.fields(_kind(kind))
    }
    found = _arguments(given, {**_OF_LAYER, **fields})
    made = {key: found.pop(name) for name, key in _LAYER_KEYS if name in found}
    return {"activation": _activation(kind, found), **made}


def _kind(name: str) -> type[Activation]:
    if name.lower() not in _ACTIVATIONS:
        raise ValueError(f"activation {name!r} is not known; expected {', '.join(_ACTIVATIONS)}")
    return _ACTIVATIONS[name.lower()]


def _activation(name: str, arguments: Mapping[str, Any]) -> Activation:
    return _kind(name)(**arguments)


def _row(text: str) -> tuple[Any, ...]:
    """Numbers with commas between, of which there may be one."""
    return tuple(map(_number, text.split(",")))


def _numbers(text: str) -> Any:
    """A number, or several with commas between."""
    parts = _row(text)
    return parts if len(parts) > 1 else parts[0]


def _number(text: str, kind: Callable[[str], Any] = float) -> Any:
    try:
        return kind(text)
    except ValueError:
        what = "a whole number" if kind is int else "a number"
        raise ValueError(f"{text!r} is not {what}") from None
