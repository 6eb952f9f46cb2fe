"""What identifies a scan: hashes of models, names and versions of functions."""

from __future__ import annotations

import hashlib
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from crn_nn_tellurium._version import __version__
from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.chemistry import ReactionNetwork
from crn_nn_tellurium.networks import Network

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
        activation = layer.activation
        parts += [layer.name, layer.inputs, repr(activation), identity(type(activation))]
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


def identity(thing: Any) -> str:
    """A function or a class by its module, its name and the version that it states.

    Its code is not looked at: who changes it says so by another ``version``, an attribute. What
    stands in angle brackets (``<lambda>``, ``<locals>``, ``<partial>``) is no name of its own:
    functions that differ in what they hold share it.
    """
    if isinstance(thing, partial):
        return f"<partial> of {identity(thing.func)}"
    name = getattr(thing, "__qualname__", type(thing).__qualname__)
    module = getattr(thing, "__module__", type(thing).__module__)
    return f"{module}.{name} {getattr(thing, 'version', '')}"
