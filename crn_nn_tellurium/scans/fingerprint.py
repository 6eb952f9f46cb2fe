"""What identifies a scan: hashes of models, and texts of functions that change when the function
does.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Iterable
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from types import CodeType
from typing import Any

import numpy as np

from crn_nn_tellurium._version import __version__
from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.chemistry import ReactionNetwork
from crn_nn_tellurium.networks import BUILT_IN, Network

PACKAGES = ("libroadrunner", "numpy", "scipy")
"""Whose versions may change the last bits of a result."""


def versions() -> dict[str, str]:
    """Versions of this package and of those that a result's bits depend on."""
    return {"crn_nn_tellurium": __version__} | {package: _version(package) for package in PACKAGES}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def model_hash(model: Network | ReactionNetwork | str) -> str:
    """A short hash of a model's content."""
    return hashlib.sha256(model_bytes(model)).hexdigest()[:16]


def model_bytes(model: Network | ReactionNetwork | str) -> bytes:
    """All that a model's answers depend on."""
    if isinstance(model, str):
        return model.encode()
    if isinstance(model, ReactionNetwork):
        return repr((model.name, model.species, model.reactions, model.observables)).encode()
    parts: list[Any] = [model.name, model.input_coding, model.output_names, model.class_names]
    arrays: list[FloatArray] = []
    for layer in model.layers:
        kind = type(layer.activation)
        own = (
            ()
            if BUILT_IN.get(kind.__name__) is kind
            else [text_of(part) for part in vars(kind).values()]
        )
        parts += [layer.name, layer.inputs, repr(layer.activation), own]
        weights: Any = layer.weights
        arrays += (
            [weights.data, weights.indices, weights.indptr]
            if hasattr(weights, "indptr")
            else [weights]
        )
        arrays.append(layer.bias)
    parts += [(array.shape, str(array.dtype)) for array in arrays]
    return repr(parts).encode() + b"".join(
        np.ascontiguousarray(array).tobytes() for array in arrays
    )


def text_of(thing: Any, seen: frozenset[int] = frozenset()) -> str:
    """A text of a value or a function: its code, defaults, what it closes over and what it takes
    from its module.
    """
    if isinstance(thing, (list, tuple)):
        return f"({' '.join(text_of(part, seen) for part in thing)})"
    if isinstance(thing, partial):
        return text_of((thing.func, thing.args, sorted(thing.keywords.items())), seen)
    function = getattr(thing, "__func__", thing)
    code = getattr(function, "__code__", None)
    if code is not None:
        closed = [cell.cell_contents for cell in function.__closure__ or ()]
        bound = getattr(thing, "__self__", None)
        rest = (
            function.__defaults__,
            sorted((function.__kwdefaults__ or {}).items()),
            closed,
            bound,
        )
        seen |= {id(function)}
        own = _globals_of(function, code, seen)
        return (
            f"{function.__module__}.{function.__qualname__} {_code(code)} {text_of(rest, seen)}"
            f" {own}"
        )
    if isinstance(thing, property):
        return text_of((thing.fget,), seen)
    try:
        return f"{type(thing).__qualname__} {hashlib.sha256(pickle.dumps(thing)).hexdigest()}"
    except (pickle.PicklingError, AttributeError, TypeError):
        return f"{type(thing).__module__}.{type(thing).__qualname__}"


def _code(code: CodeType) -> str:
    return f"{code.co_code.hex()} {' '.join(code.co_names)} {_constants(code.co_consts)}"


def _constants(constants: Iterable[Any]) -> str:
    # nested code has an address in its repr
    return " ".join(_constant(c) for c in constants)


def _constant(value: Any) -> str:
    if isinstance(value, CodeType):
        return _code(value)
    # a set's order is another in every process
    return repr(sorted(map(repr, value))) if isinstance(value, frozenset) else repr(value)


def _globals_of(function: Any, code: CodeType, seen: frozenset[int]) -> list[str]:
    """What a function takes from its module: numbers and texts by value, the module's own functions
    by their text.
    """
    found = []
    for name in code.co_names:
        value = function.__globals__.get(name)
        own = getattr(value, "__module__", None) == function.__module__ and hasattr(
            value, "__code__"
        )
        if isinstance(value, (int, float, str, tuple, np.ndarray)) or (
            own and id(value) not in seen
        ):
            found.append(f"{name}={text_of(value, seen)}")
    return found
