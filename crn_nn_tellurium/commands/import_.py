"""`crn-nn import`: a network that was trained elsewhere."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from typer import Argument, Option

from crn_nn_tellurium.basics import (
    companion_of,
    finding,
    read_bytes,
    reading,
    require,
    suggest_identifier,
    whole_number,
)
from crn_nn_tellurium.commands.arguments import Overwrite, listed, read_table
from crn_nn_tellurium.commands.console import (
    check_network_file,
    check_new,
    console,
    new_table,
    say,
    say_written,
)
from crn_nn_tellurium.errors import FileFormatError, InputError

if TYPE_CHECKING:
    from crn_nn_tellurium.networks import Network

_TORCH = "from_torch", {"logits": "logits", "script": "script", "shape": "shape"}
_PETAB = "from_petab_sciml", {"parameters": "parameters", "shape": "input_shape"}
_KERAS = "from_keras", {"logits": "logits"}
_READERS: dict[str, tuple[str, dict[str, str]]] = {
    ".onnx": ("from_onnx", {"logits": "logits", "select": "output"}),
    ".keras": _KERAS,
    ".h5": _KERAS,
    ".yaml": _PETAB,
    ".yml": _PETAB,
    ".pt": _TORCH,
    ".pth": _TORCH,
    ".safetensors": _TORCH,
}
"""By ending, who reads it, and what it calls the options that are its alone."""
_PICKLED = (".joblib", ".pkl", ".pickle")


def command(
    model: Annotated[
        Path,
        Argument(metavar="MODEL", help=".onnx, .keras, .h5, .yaml, .pt, .pth or .safetensors."),
    ],
    output: Annotated[Path, Option("-o", "--output", help="File for the network, NAME.json.")],
    h: Annotated[float, Option(help="Smoothing.")] = 1e-6,
    max_error: Annotated[
        float, Option(help="Largest error of a function without an exact counterpart.")
    ] = 1e-2,
    approximation: Annotated[str, Option(help="Of those: pieces or algebraic.")] = "pieces",
    logits: Annotated[
        bool, Option("--logits", help="Leave softmax or sigmoid at the end away.")
    ] = False,
    data: Annotated[
        Path | None, Option(help="Inputs as they will be met: .npy, or CSV with a header.")
    ] = None,
    input_range: Annotated[str | None, Option(help="Range of the inputs: 0,1")] = None,
    class_names: Annotated[str | None, Option(help="Labels of the classes: cat,dog")] = None,
    parameters: Annotated[
        Path | None, Option(help="HDF5 file of a .yaml network's parameters.")
    ] = None,
    script: Annotated[
        str | None,
        Option(help="FILE.py:Class of a .pt, .pth or .safetensors file's module; it is run."),
    ] = None,
    input_shape: Annotated[
        str | None, Option("--shape", help="Of a sample, where the file does not say it: 1,28,28")
    ] = None,
    select: Annotated[str | None, Option(help="Which of several outputs of an .onnx file.")] = None,
    overwrite: Overwrite = False,
) -> None:
    """Make a network of one that was trained elsewhere, and say what became of each operator.

    .onnx ONNX, .keras and .h5 Keras, .yaml PEtab SciML, .pt, .pth and .safetensors PyTorch.

    Example: [bold]crn-nn import digits.onnx -o digits.json --data digits.npy[/bold]
    """
    check_network_file(output)
    check_new(overwrite, output)
    own = {
        "logits": logits or None,
        "parameters": parameters,
        "script": script,
        "shape": None if input_shape is None else _shape(input_shape),
        "select": select,
    }
    options = {
        "h": h,
        "data": None if data is None else _samples(data),
        "max_error": max_error,
        "approximation": approximation,
        "input_range": None if input_range is None else listed("--input-range", input_range),
        "class_names": None
        if class_names is None
        else listed("--class-names", class_names, str.strip),
    }
    with console.status("loading"):
        network = _network(model, own, options)
    _print(f"{model.name}: {network.n_in} inputs, {network.task}", network)
    # named after its file, as all networks that are loaded from one
    replace(network, name=suggest_identifier("network", output.stem)).save(output)
    say_written("network", output, companion_of(output))


def _network(model: Path, own: dict[str, Any], options: dict[str, Any]) -> Network:
    ending = model.suffix.lower()
    if ending in _PICKLED:
        raise FileFormatError(
            f"{str(model)!r}: to unpickle a file is to run what is in it; in a script of yours that"
            " trusts it: from_sklearn(joblib.load(...)).save('net.json')"
        )
    if ending not in _READERS:
        raise FileFormatError(
            f"{str(model)!r}: unknown ending {ending!r}; expected {', '.join(_READERS)}"
        )
    reader, known = _READERS[ending]
    for name, value in own.items():
        if value is not None and name not in known:
            raise InputError(f"--{name} has no meaning for {ending} files")
    importers = import_module("crn_nn_tellurium.importers")
    given = {known[name]: value for name, value in own.items() if value is not None}
    source: Any = model
    if reader == "from_torch":
        script, shape = (given.pop(name, None) for name in ("script", "shape"))
        if script is None:
            raise InputError(
                f"{str(model)!r} holds numbers alone; expected --script FILE.py:Class, whose module"
                " has them"
            )
        source = _scripted(model, script, importers.torch_from_files)
        if shape is None and options["data"] is not None:
            shape = options["data"].shape[1:]
        if shape is not None:
            given["example_input"] = require("torch", "torch").zeros((1, *shape))
    found: Network = getattr(importers, reader)(source, **options, **given)
    return found


def _shape(text: str) -> tuple[int, ...]:
    expected = "whole numbers >= 1 with commas between: 1,28,28"
    lengths = listed("--shape", text, int, expected)
    return tuple(whole_number("--shape", length, expected=expected) for length in lengths)


def _scripted(model: Path, script: str, read: Callable[..., Any]) -> Any:
    """The module that FILE.py:Class names, with the numbers of a file."""
    file, _, name = script.partition(":")
    read_bytes(Path(file))  # whose errors name the file
    try:
        return read(model, file, name or None)
    except Exception as error:  # a script may raise anything
        lines = [
            one.lineno for one in traceback.extract_tb(error.__traceback__) if one.filename == file
        ]
        if not lines or isinstance(error, InputError):
            raise
        raise InputError(
            f"{file}, line {lines[-1]}: the script raised {type(error).__name__}: {error}"
        ) from error


def _samples(path: Path) -> Any:
    """An array of samples: all columns of a table, in its order."""
    if path.suffix.lower() != ".npy":
        table = read_table(path)
        return table.numbers(list(table.cells), "inputs")
    with finding(path), reading(path):
        # mapped, so that what its header says is not allocated before it is there
        try:
            return np.array(np.load(path, mmap_mode="r", allow_pickle=False))
        except (ValueError, EOFError) as error:  # numpy's own advice is to unpickle it
            raise FileFormatError(
                f"{str(path)!r}: not an array of numbers; expected one that numpy.save wrote"
            ) from error


def _print(title: str, network: Network) -> None:
    report = network.import_report
    if report is None:
        return
    table = new_table(title, ("name", "operator", "became"), ("error",))
    for one in report.operators:
        table.add_row(one.name, one.operator, one.became, one.size)
    console.print(table)
    for sentence in report.sentences:
        say(sentence)
