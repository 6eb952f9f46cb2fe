"""How the parts of a network must fit together: layers, shapes, names, classes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import brief, check_identifier, first_twice, some
from crn_nn_tellurium.errors import IdentifierError, NetworkError
from crn_nn_tellurium.networks.layer import INPUT, Layer

TASKS = ("classification", "regression")
_LISTS = (list, tuple, np.ndarray)


def connected(layers: object) -> tuple[Layer, ...]:
    """The layers with their default names and sources filled in."""
    if not isinstance(layers, list | tuple):
        raise NetworkError(f"layers are {layers!r}; expected a list of Layers")
    if not layers:
        raise NetworkError("a network without layers; expected at least one Layer")
    result: list[Layer] = []
    known = dict.fromkeys([INPUT])  # a set, in their order
    for position, layer in enumerate(layers, start=1):
        if not isinstance(layer, Layer):
            raise NetworkError(f"layer {position} is {layer!r}; expected a Layer")
        name = layer.name or f"layer{position}"
        if name in known:
            raise NetworkError(
                f"layer {position} is called {name!r}, which is taken; expected a name of its own"
            )
        sources = layer.inputs or (next(reversed(known)),)
        for source in sources:
            if source not in known:
                raise NetworkError(
                    f"layer {name!r} reads {source!r}; expected earlier ones among"
                    f" {some(list(known))}"
                )
        result.append(dataclasses.replace(layer, name=name, inputs=sources))
        known[name] = None
    read = {source for layer in result for source in layer.inputs}
    for name in list(known)[:-1]:
        if name not in read:
            raise NetworkError(
                f"no layer reads {name!r}; expected every one but the last to be read"
            )
    return tuple(result)


def check_shapes(layers: tuple[Layer, ...]) -> int:
    """The number of inputs; raises if weights do not match what their layers read."""
    # the first layer reads nothing but inputs, so its width tells their number
    first = layers[0]
    n_in, rest = divmod(first.n_in, len(first.inputs))
    if rest:
        raise NetworkError(
            f"layer {first.name!r}: reads the inputs {len(first.inputs)} times in {first.n_in}"
            " columns"
        )
    width = {INPUT: n_in}
    for layer in layers:
        expected = sum(width[source] for source in layer.inputs)
        if layer.n_in != expected:
            sources = " and ".join(
                f"the {width[s]} {'inputs' if s == INPUT else f'outputs of {s}'}"
                for s in layer.inputs
            )
            raise NetworkError(
                f"layer {layer.name!r}: weights are {layer.weights.shape}; expected ({layer.n_out},"
                f" {expected}) to match {sources}"
            )
        width[layer.name] = layer.n_out
    return n_in


def checked_names(
    kind: str, names: Sequence[str] | None, letter: str, count: int
) -> tuple[str, ...]:
    """Identifiers as given, or made of a letter and a number."""
    if names is None:
        return tuple(f"{letter}{i}" for i in range(count))
    if not isinstance(names, _LISTS) or len(names) != count:
        raise NetworkError(f"{kind}_names are {names!r}; expected {count} names")
    result = tuple(check_identifier(kind, name) for name in names)
    if (twice := first_twice(result)) is not None:
        raise IdentifierError(f"{kind} name {twice!r}: used twice; expected different names")
    return result


def checked_class_names(
    names: Sequence[Any] | None, n_out: int, task: str
) -> tuple[str | int, ...] | None:
    """Labels as given, of a network that has classes."""
    if not isinstance(task, str) or task not in TASKS:
        raise NetworkError(f"task is {task!r}; expected one of {', '.join(map(repr, TASKS))}")
    if names is None:
        return None
    if task == "regression":
        raise NetworkError(
            f"class_names are {brief(names)}, but task is 'regression', which has no classes;"
            " expected task='classification', or no class_names"
        )
    if not isinstance(names, _LISTS):
        raise NetworkError(f"class_names are {brief(names)}; expected a list of labels")
    # files keep Python's own numbers and strings
    labels = tuple(name.item() if isinstance(name, np.generic) else name for name in names)
    expected = max(n_out, 2)
    if len(labels) != expected:
        raise NetworkError(
            f"class_names are {brief(names)}; expected {expected} labels for {n_out} outputs"
        )
    if {type(label) for label in labels} not in ({str}, {int}):
        raise NetworkError(
            f"class_names are {brief(names)}; expected all strings or all whole numbers"
        )
    for label in labels:
        if isinstance(label, str) and (
            not label.isprintable() or set(label) & set('"\\') or not label.strip()
        ):
            raise IdentifierError(
                f"class name {label!r}: expected printable characters without quotes and"
                " backslashes, since it becomes an output's readable name in Antimony"
            )
    if len(set(labels)) != len(labels):
        raise NetworkError(f"class_names are {brief(names)}; expected different labels")
    return labels


def class_label(label: object) -> str:
    """A class as pictures name it: ``setosa``, ``class 3``."""
    return label if isinstance(label, str) else f"class {label}"
