"""Documents of plain values and arrays: readable JSON, with big arrays in an .npz beside it.

Equal documents give equal bytes (fixed key order, ``repr`` of floats, no time stamps). Nothing is
pickled.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from crn_nn_tellurium.basics.arrays import is_sparse
from crn_nn_tellurium.basics.files import read_text, write_bytes
from crn_nn_tellurium.errors import FileFormatError

INLINE_LIMIT = 10_000
"""Numbers that a document holds as text; with more, its arrays go to the .npz."""

_LINE = 110


def write_document(path: str | os.PathLike[str], document: Mapping[str, Any]) -> None:
    """Write a mapping of strings, numbers, lists and (sparse) arrays; keys keep their order."""
    path = Path(path)
    if path.suffix.lower() == ".npz":
        raise FileFormatError(
            f"{str(path)!r}: the ending .npz is for arrays; expected one such as .json"
        )
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    # all or none: half of a network as text helps nobody to read it
    inline = _count(document) <= INLINE_LIMIT
    plain = _to_plain(document, arrays, "", inline)
    before = companion_of(path)
    companion = None
    if arrays:
        # zipfile dates what is in it 1980, so equal arrays are equal bytes
        packed = io.BytesIO()
        np.savez_compressed(packed, **arrays)  # type: ignore[arg-type]  # of allow_pickle
        # named after its content: an interrupted write never parts a document from its arrays
        digest = hashlib.sha256(packed.getvalue()).hexdigest()
        companion = path.with_name(f"{path.stem}.{digest[:12]}.npz")
        plain["arrays"] = {"file": companion.name, "sha256": digest}
        write_bytes(companion, packed.getvalue())
    try:
        write_bytes(path, (_format(plain) + "\n").encode())
    except BaseException:
        if companion is not None and companion != before:
            companion.unlink(missing_ok=True)
        raise
    if before is not None and before != companion:
        before.unlink(missing_ok=True)


def companion_of(path: Path) -> Path | None:
    """The file beside a document that holds its arrays, if it is there and has one."""
    try:
        name = json.loads(path.read_bytes())["arrays"]["file"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None  # no document, or one without arrays: nothing of ours to replace
    expected = isinstance(name, str) and name.startswith(f"{path.stem}.") and name.endswith(".npz")
    return path.with_name(name) if expected and Path(name).name == name else None


def read_document(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read what `write_document` wrote; refuse what is not JSON, or lacks its own companion."""
    path = Path(path)
    try:
        plain = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise FileFormatError(
            f"{str(path)!r}: not JSON (line {error.lineno}: {error.msg})"
        ) from error
    except RecursionError as error:
        raise FileFormatError(
            f"{str(path)!r}: nested too deeply to be a document of ours"
        ) from error
    if not isinstance(plain, dict):
        raise FileFormatError(
            f"{str(path)!r}: holds a {type(plain).__name__}; expected a JSON object"
        )
    reference = plain.pop("arrays", None)
    arrays = {} if reference is None else _unpack(path, reference)
    try:
        result = _from_plain(plain, arrays)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise FileFormatError(
            f"{str(path)!r}: an array is not as it was saved ({error})"
        ) from error
    return dict(result)


def _count(value: Any) -> int:
    if isinstance(value, Mapping):
        return sum(map(_count, value.values()))
    if isinstance(value, list | tuple):
        return sum(map(_count, value))
    return int(value.size) if isinstance(value, np.ndarray) or is_sparse(value) else 0


def _to_plain(value: Any, arrays: dict[str, np.ndarray[Any, Any]], key: str, inline: bool) -> Any:
    if is_sparse(value):
        parts = {"indptr": value.indptr, "indices": value.indices, "data": value.data}
        return {"sparse": list(value.shape)} | _to_plain(parts, arrays, key, inline)
    if isinstance(value, Mapping):
        return {
            str(k): _to_plain(v, arrays, f"{key}{'.' if key else ''}{k}", inline)
            for k, v in value.items()
        }
    if isinstance(value, list | tuple):
        return [_to_plain(v, arrays, f"{key}.{i}", inline) for i, v in enumerate(value)]
    if isinstance(value, np.ndarray):
        if inline or value.size <= 1:
            return value.tolist()
        arrays[key] = value
        return {"npz": key}
    return value.item() if isinstance(value, np.generic) else value


def _from_plain(value: Any, arrays: Mapping[str, np.ndarray[Any, Any]]) -> Any:
    if isinstance(value, list):
        return [_from_plain(v, arrays) for v in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"npz"}:
        return arrays[value["npz"]]
    plain = {k: _from_plain(v, arrays) for k, v in value.items()}
    if "sparse" in plain:
        parts = (
            np.asarray(plain["data"], dtype=float),
            np.asarray(plain["indices"]),
            np.asarray(plain["indptr"]),
        )
        matrix = sparse.csr_array(parts, shape=tuple(plain["sparse"]))
        matrix.check_format()
        return matrix
    return plain


def _unpack(path: Path, reference: Any) -> dict[str, np.ndarray[Any, Any]]:
    name = reference.get("file") if isinstance(reference, dict) else None
    if not isinstance(name, str) or Path(name).name != name:
        raise FileFormatError(
            f"{str(path)!r}: names its arrays {reference!r}; expected a file beside it"
        )
    companion = path.with_name(name)
    if not companion.is_file():
        raise FileFormatError(
            f"{str(path)!r}: its arrays are in {name!r}, which is not beside it; keep the two"
            " together"
        )
    content = companion.read_bytes()
    if hashlib.sha256(content).hexdigest() != reference.get("sha256"):
        raise FileFormatError(
            f"{str(companion)!r}: not the arrays that {path.name!r} was saved with"
        )
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        return {key: archive[key] for key in archive.files}


def _format(value: Any, indent: int = 0) -> str:
    """JSON with one line per row of numbers instead of one per number."""
    # json's own indent breaks after every number
    text = json.dumps(value)
    nested = isinstance(value, dict) or (
        isinstance(value, list) and any(isinstance(v, list | dict) for v in value)
    )
    if not nested or (len(text) + indent <= _LINE and "[[" not in text and isinstance(value, list)):
        return text
    pad = " " * (indent + 2)
    if isinstance(value, dict):
        items = [f"{pad}{json.dumps(k)}: {_format(v, indent + 2)}" for k, v in value.items()]
        return "{\n" + ",\n".join(items) + "\n" + " " * indent + "}"
    return (
        "[\n" + ",\n".join(pad + _format(v, indent + 2) for v in value) + "\n" + " " * indent + "]"
    )
