"""Trained modules from PyTorch, whatever their forward methods do that has a counterpart."""

from __future__ import annotations

import math
import os
import runpy
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from crn_nn_tellurium.basics import check_kind, check_unpacked, finding, require, some
from crn_nn_tellurium.errors import FileFormatError, InputError, NetworkError
from crn_nn_tellurium.networks import Network
from crn_nn_tellurium.operators import Options, to_network

if TYPE_CHECKING:
    import torch

_NESTED = ("state_dict", "model_state_dict", "model")
"""Under which checkpoints keep the state of the module."""
_SCRIPT = "crn_nn_script"


def from_torch(
    module: torch.nn.Module,
    example_input: Any = None,
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
    """The network of a trained module of PyTorch.

    ``torch.export`` traces its forward method, on a copy in ``eval()`` mode; the module itself
    stays as it is. Parameters of any floating point type are taken as doubles.
    `Network.import_report` tells what became of each operator.

    Parameters
    ----------
    module : torch.nn.Module
        With a forward method of tensors, one or several, that gives one tensor.
    example_input : tensor or tuple of tensors, optional
        One for each input, (n_samples, ...), of which one sample is taken, for its shape. It can be
        left out where the first operator is a Linear. Several inputs are one after another those
        of the network, each in C order.
    h : float
        Smoothing of every layer. The smaller, the closer to the hard ReLU and the slower the
        chemistry; ``net.with_h`` changes it.
    data : (n_samples, ...) array_like or tensor, or a tuple of them, optional
        Inputs as the network will meet them. Functions without an exact counterpart are then
        approximated where these lead, and `Network.import_report` tells the largest difference.
    max_error : float
        Largest error of a function without an exact counterpart, ``tanh`` or ``gelu`` say.
    approximation : {"pieces", "algebraic"}
        What becomes of those: a sum of smoothed ReLUs within `max_error`, or, of sigmoid, tanh and
        softplus, the algebraic one with its slope matched at 0: few species, and further off.
    logits : bool
        Whether to leave softmax, log_softmax or sigmoid at the end away.
    inputs, input_range, class_names
        As in `Network`; by default inputs of either sign, scaled where they have a range.

    Returns
    -------
    Network
        For classification if it ends with a softmax or an argmax or has `class_names`, else for
        regression. Its outputs are those of the module in C order.

    Raises
    ------
    MissingPackageError
        If PyTorch is not installed.
    NetworkError
        If the module cannot be traced, or an operator has no counterpart.
    InputError
        If `example_input`, `data` or a number does not fit.

    Examples
    --------
    >>> import torch
    >>> module = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1))
    >>> net = from_torch(module, h=1e-6)
    >>> [layer.activation for layer in net.layers]
    [SmoothedReLU(h=1e-06), Linear(h=1e-06)]
    >>> y = module(torch.tensor([[0.5, -1.0]])).detach().numpy()
    >>> bool(abs(net([[0.5, -1.0]]) - y).max() <= net.import_report.bound + 1e-6)
    True

    A convolution reads images; their pixels are the inputs:

    >>> module = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.ReLU(), torch.nn.Flatten())
    >>> from_torch(module, torch.zeros(1, 1, 5, 5)).n_in
    25
    """
    torch = require("torch", "torch")
    from crn_nn_tellurium.importers.torch_program import graph_of

    check_kind("from_torch", module, torch.nn.Module)
    graph = graph_of(module, example_input)
    numbers = _numbers(data, [math.prod(shape) for shape in graph.inputs.values()])
    options = Options(h, numbers, max_error, approximation, logits)
    return to_network(graph, options, inputs, input_range, class_names=class_names)


def _numbers(data: Any, sizes: Sequence[int]) -> Any:
    """Samples (n_samples, n_in): those of several inputs of some sizes side by side, of tensors
    their numbers.
    """
    # a list of arrays could be one of samples, unless there are several inputs
    is_list = isinstance(data, list) and all(hasattr(one, "shape") for one in data)
    if isinstance(data, tuple) or (is_list and len(data) == len(sizes) > 1):
        try:
            # of as many samples, each of as many numbers as its input has
            parts = [
                np.reshape(_array(one), (len(data[0]), size))
                for one, size in zip(data, sizes, strict=True)
            ]
            return np.concatenate(parts, axis=1)
        except (TypeError, ValueError) as error:
            raise InputError(
                f"data of several inputs do not fit together ({error}); expected a tuple of"
                f" {len(sizes)}, arrays (n_samples, ...) of {some([*map(str, sizes)])} number(s)"
                f" a sample"
            ) from error
    return _array(data)


def _array(data: Any) -> Any:
    return data.detach().cpu().double().numpy() if hasattr(data, "detach") else data


# From files ---------------------------------------------------------------------------------------


def torch_from_files(
    state: str | os.PathLike[str], script: str | os.PathLike[str], name: str | None = None
) -> torch.nn.Module:
    """The module that a Python script of the user's own defines, with numbers from a file.

    Nothing of the file is run: a .pt or .pth file is read by ``torch.load(weights_only=True)``,
    .safetensors by safetensors. The script is run, as any other. `name` says which of its classes
    (that need no arguments), functions or modules is meant, where there are several.

    Raises
    ------
    FileFormatError
        If the file holds anything but tensors by name.
    InputError
        If the script has no such module, or several.
    NetworkError
        If names or shapes are not the module's.
    """
    tensors = _state(Path(state))
    module = _scripted(Path(script), name)
    try:
        module.load_state_dict(tensors)
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise NetworkError(f"{os.fspath(state)}: not the state of this module: {reason}") from error
    return module


def _state(path: Path) -> dict[str, Any]:
    if path.suffix == ".safetensors":
        load = require("safetensors.torch", "torch").load_file
        expected = "a file of safetensors"
    else:
        torch = require("torch", "torch")

        def load(path: Path) -> Any:
            # torch.save packs nothing
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as archive:
                    check_unpacked(archive, path.stat().st_size)
            return torch.load(path, map_location="cpu", weights_only=True)

        expected = "tensors by name, torch.save(module.state_dict(), path)"
    try:
        with finding(path):
            found = load(path)
    except (OSError, FileFormatError):
        raise
    except Exception as error:  # pickle's, zip's and safetensors' own kinds
        # PyTorch's own advice is to read it all the same
        raise FileFormatError(
            f"{path}: it holds more than numbers, or is damaged; expected {expected}. Whole modules"
            " are pickled programs, which are never run here"
        ) from error
    for key in _NESTED:
        if isinstance(found, Mapping) and isinstance(found.get(key), Mapping):
            found = found[key]
    if not (
        isinstance(found, Mapping)
        and all(isinstance(key, str) and hasattr(v, "detach") for key, v in found.items())
    ):
        raise FileFormatError(f"{path}: it holds a {type(found).__name__}; expected {expected}")
    # a module of real numbers would take their real parts
    if odd := next((key for key, value in found.items() if value.is_complex()), None):
        raise FileFormatError(f"{path}: {odd!r} holds complex numbers; expected real ones")
    return dict(found)


def _scripted(path: Path, name: str | None) -> torch.nn.Module:
    """What the script calls so, or the one module or class of modules that it makes itself."""
    kind = require("torch", "torch").nn.Module
    try:
        found = runpy.run_path(os.fspath(path), run_name=_SCRIPT)
    except (SyntaxError, SystemExit) as error:
        raise InputError(f"{path}: it cannot be run as a script: {error!r}") from error
    own = {
        key: value
        for key, value in found.items()
        if isinstance(value, kind)
        or (isinstance(value, type) and issubclass(value, kind) and value.__module__ == _SCRIPT)
    }
    if name is None and len(own) != 1:
        raise InputError(
            f"{path}: it has {len(own)} modules and classes of modules"
            f"{': ' + some(sorted(own)) if own else ''}; say which one is meant"
        )
    if name is not None and name not in found:
        raise InputError(f"{path}: it has no {name!r}; expected one of {some(sorted(own))}")
    made = found[name] if name is not None else next(iter(own.values()))
    if not isinstance(made, kind):
        try:
            made = made()
        except TypeError as error:
            raise InputError(
                f"{path}: {name or next(iter(own))!r} cannot be called without arguments ({error});"
                " add a function that makes the module, and name it"
            ) from error
    check_kind(f"{path}", made, kind)
    return made
