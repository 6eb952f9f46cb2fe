"""ONNX files that are well formed and of a size that a network may have.

Files and tensors beyond limits are refused before they are read, and so are numbers that lie
anywhere but in the model's own folder.
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

from crn_nn_tellurium.basics import json_value, read_bytes, some
from crn_nn_tellurium.errors import FileFormatError, InputError

ONNX_METADATA = "crn_nn_tellurium."
"""Before the names of what `export` writes about a network."""
DOMAINS = ("", "ai.onnx")
"""The names of ONNX's own operators."""
_MOST_CONSTANTS = 2**25
"""Numbers of a constant."""
_SAID: dict[str, type | tuple[type, ...]] = {
    "task": str,
    "inputs": str,
    "input_range": (list, type(None)),
    "input_names": list,
    "class_names": (list, type(None)),
    "activations": dict,
}
_MOST_BYTES = 2**28
"""Of a file, and of all numbers beside it."""
_OLDEST = 7
"""Before this version of the operators, arrays broadcast by other rules."""


def read_model(onnx: Any, model: Any) -> tuple[Any, str]:
    """A model that onnx finds well formed, all its numbers in it, and a name for it in errors."""
    if isinstance(model, onnx.ModelProto):
        proto, name, folder = model, "the ONNX model", None
    elif isinstance(model, str | os.PathLike):
        path = Path(model)
        name, folder = repr(str(path)), path.parent
        if path.is_file() and (size := path.stat().st_size) > _MOST_BYTES:
            raise FileFormatError(f"{name}: {size:,} bytes; expected at most {_MOST_BYTES:,}")
        proto = _parsed(onnx, read_bytes(path), name)
    else:
        raise InputError(f"model is a {type(model).__name__}; expected a file or onnx.ModelProto")
    _check_version(onnx, proto, name)
    _check_tensors(onnx, proto, name)
    is_beside = onnx.external_data_helper.uses_external_data
    beside = [tensor for tensor in proto.graph.initializer if is_beside(tensor)]
    # many may be the same bytes of one file
    if (size := sum(_n_bytes(onnx, tensor) for tensor in beside)) > _MOST_BYTES:
        raise FileFormatError(
            f"{name}: its tensors in other files hold {size:,} bytes; expected at most"
            f" {_MOST_BYTES:,}"
        )
    for tensor in beside:
        _load(onnx, tensor, folder, name)
    try:
        onnx.checker.check_model(proto)
    except (onnx.checker.ValidationError, ValueError) as error:
        raise FileFormatError(f"{name}: onnx finds it not well formed: {error}") from error
    return proto, name


def _parsed(onnx: Any, content: bytes, name: str) -> Any:
    try:
        proto = onnx.ModelProto.FromString(content)
    except Exception as error:  # of protobuf, whose own classes differ between its versions
        raise FileFormatError(f"{name}: not an ONNX model ({error})") from error
    if not proto.graph.node:
        raise FileFormatError(f"{name}: not an ONNX model, or one without operators")
    return proto


def _check_version(onnx: Any, proto: Any, name: str) -> None:
    version, newest = version_of(proto), onnx.defs.onnx_opset_version()
    if not _OLDEST <= version <= newest:
        remedy = (
            f"onnx.version_converter.convert_version(model, {newest}) writes it anew"
            if version < _OLDEST
            else "a newer onnx may read it: pip install -U onnx"
        )
        raise FileFormatError(
            f"{name}: version {version} of ONNX's operators; expected {_OLDEST} to {newest};"
            f" {remedy}"
        )
    if len(said := {one.version for one in proto.opset_import if one.domain in DOMAINS}) > 1:
        raise FileFormatError(f"{name}: versions {sorted(said)} of ONNX's operators; expected one")
    if not proto.graph.output:
        raise FileFormatError(f"{name}: it has no outputs; expected at least one")
    if proto.functions:
        names = some([function.name for function in proto.functions])
        raise FileFormatError(
            f"{name}: it has functions of its own ({names}); expected operators of ONNX:"
            " onnx.inliner.inline_local_functions(model) writes them out"
        )
    if proto.graph.sparse_initializer:
        raise FileFormatError(f"{name}: it has sparse initializers; expected dense ones")


def version_of(proto: Any) -> int:
    """The version of ONNX's operators."""
    return next((one.version for one in proto.opset_import if one.domain in DOMAINS), 1)


def _check_tensors(onnx: Any, proto: Any, name: str) -> None:
    """Refuse tensors that say more numbers than any network of ours has, before they are read."""
    attributes = [one for node in proto.graph.node for one in node.attribute]
    for one in attributes:
        is_elsewhere = onnx.external_data_helper.uses_external_data(one.t)
        if is_elsewhere or one.HasField("sparse_tensor") or one.tensors or one.sparse_tensors:
            raise FileFormatError(
                f"{name}: attribute {one.name!r} holds sparse tensors, several, or one in another"
                " file; expected one, in the model"
            )
    for tensor in (*proto.graph.initializer, *(one.t for one in attributes)):
        size = math.prod(tensor.dims)
        if not 0 <= size <= _MOST_CONSTANTS:
            raise FileFormatError(
                f"{name}: tensor {tensor.name!r} has shape {tuple(tensor.dims)}; expected at most"
                f" {_MOST_CONSTANTS:,} numbers"
            )


def _n_bytes(onnx: Any, tensor: Any) -> int:
    kind = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)
    return int(math.prod(tensor.dims) * kind.itemsize)


def _load(onnx: Any, tensor: Any, folder: Path | None, name: str) -> None:
    """Numbers of a file beside the model; none of anywhere else."""
    places = {one.key: one.value for one in tensor.external_data}
    place = places.get("location", "")
    where = f"{name}: tensor {tensor.name!r} is in the file {place!r}"
    if folder is None:
        raise FileFormatError(f"{where}; give the model's path, or load it with onnx.load")
    # links are followed first; no file has a name with a 0 in it
    file = folder if "\0" in place else (folder / place).resolve()
    if not file.is_relative_to(folder.resolve()) or not file.is_file():
        raise FileFormatError(f"{where}; expected a file in the model's own folder")
    size = _n_bytes(onnx, tensor)
    try:
        offset, length = int(places.get("offset", 0)), int(places.get("length", size))
    except ValueError as error:
        raise FileFormatError(f"{where}, at {places}; expected whole numbers") from error
    # without a length all that is behind is read, and may be more than memory holds
    if not 0 <= offset <= file.stat().st_size - length or length > size:
        raise FileFormatError(f"{where}, which does not hold its {size:,} bytes where it says")
    if "length" not in places:
        tensor.external_data.add(key="length", value=str(size))
    try:
        onnx.external_data_helper.load_external_data_for_tensor(tensor, str(folder))
        # onnx before 1.18 leaves both, and its checker then finds the numbers twice
        tensor.data_location = onnx.TensorProto.DEFAULT
        tensor.ClearField("external_data")
        onnx.numpy_helper.to_array(tensor)
    except Exception as error:  # onnx has another class for each of many faults
        raise FileFormatError(f"{where}, which does not hold it: {error}") from error


def metadata(proto: Any, name: str) -> dict[str, Any]:
    """What `export` wrote about a network."""
    found = {}
    for one in proto.metadata_props:
        key = one.key.removeprefix(ONNX_METADATA)
        if key not in _SAID or key == one.key:
            continue
        try:
            found[key] = json_value(one.value)
        except ValueError as error:
            raise FileFormatError(f"{name}: metadata {one.key!r} are no JSON: {error}") from error
        if not isinstance(found[key], _SAID[key]):
            raise FileFormatError(f"{name}: metadata {one.key!r} are not as written: {one.value}")
    for value, entry in found.get("activations", {}).items():
        if not isinstance(entry, list) or list(map(type, entry)) != [str, str, dict]:
            raise FileFormatError(f"{name}: metadata on {value!r} are not as written: {entry}")
    return found
