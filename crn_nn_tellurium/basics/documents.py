"""Documents of plain values and arrays: readable JSON, with big arrays in an .npz beside it.

Equal documents give equal bytes (fixed key order, ``repr`` of floats, no time stamps). Nothing is
pickled.
"""

from __future__ import annotations

import difflib
import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from crn_nn_tellurium.basics.arrays import is_real, is_sparse
from crn_nn_tellurium.basics.checks import brief, path_of
from crn_nn_tellurium.basics.files import (
    check_target,
    check_unpacked,
    read_bytes,
    read_text,
    reading,
    write_files,
)
from crn_nn_tellurium.basics.identifiers import first_twice
from crn_nn_tellurium.basics.text import json_value
from crn_nn_tellurium.errors import FileFormatError

INLINE_LIMIT = 10_000
"""Numbers that a document holds as text; with more, its arrays go to the .npz."""

MOST_BYTES = 2**30
"""Of arrays that a document names, unpacked: 134 million numbers."""
_LONGEST = 2**31 - 1
"""Rows or columns of a sparse matrix, whose places are whole numbers of 32 bits."""
_LINE = 110


def write_document(path: str | os.PathLike[str], document: Mapping[str, Any]) -> None:
    """Write a mapping of strings, numbers, lists and (sparse) arrays; keys keep their order."""
    path = path_of("path", path)
    if path.suffix.lower() == ".npz":
        raise FileFormatError(
            f"{str(path)!r}: the ending .npz is for arrays; expected one such as .json"
        )
    # a link's own place says nothing of where arrays are to lie
    path = Path(os.path.realpath(path))
    check_target(path)
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    # all or none: half of a network as text helps nobody to read it
    inline = _count(document) <= INLINE_LIMIT
    plain = _to_plain(document, arrays, "", inline)
    if (size := sum(array.nbytes for array in arrays.values())) > MOST_BYTES:
        raise FileFormatError(f"{str(path)!r}: {size:,} bytes of arrays; expected at most 2^30")
    before = companion_of(path)
    files: dict[Path, bytes] = {}
    if arrays:
        # zipfile dates what is in it 1980, so equal arrays are equal bytes
        packed = io.BytesIO()
        np.savez_compressed(packed, **arrays)  # type: ignore[arg-type]  # of allow_pickle
        # named after its content: an interrupted write never parts a document from its arrays
        digest = hashlib.sha256(packed.getvalue()).hexdigest()
        companion = path.with_name(f"{path.stem}.{digest[:12]}.npz")
        plain["arrays"] = {"file": companion.name, "sha256": digest}
        files[companion] = packed.getvalue()
    write_files({**files, path: (_format(plain) + "\n").encode()})
    # another save may have put the document there again whose arrays they are
    if before is not None and before not in files and companion_of(path) != before:
        before.unlink(missing_ok=True)


def companion_of(path: Path) -> Path | None:
    """The file beside a document that holds its arrays, if there is one with its digest."""
    path = Path(os.path.realpath(path)) if path.is_symlink() else path
    try:
        reference = json_value(path.read_bytes())["arrays"]
        name, digest = reference["file"], reference["sha256"]
        found = path.with_name(name)
        # any other file, whatever the document calls its own, is not ours to replace
        is_ours = name.endswith(f".{digest[:12]}.npz") and found.name == name
        if not is_ours or not found.is_file():
            return None
        return found if hashlib.sha256(found.read_bytes()).hexdigest() == digest else None
    except (OSError, ValueError, KeyError, TypeError):
        return None  # no document, or one without arrays


def read_document(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read what `write_document` wrote; refuse what is not JSON, or lacks its own companion."""
    path = Path(path)
    text = read_text(path)
    while True:
        try:
            return _read(path, text)
        except (FileFormatError, FileNotFoundError):
            # a save between document and arrays left us with one of each
            before, text = text, read_text(path)
            if text == before:
                raise


def _read(path: Path, text: str) -> dict[str, Any]:
    with reading(path):
        try:
            plain = json_value(text, _once)
        except json.JSONDecodeError as error:
            raise FileFormatError(
                f"{str(path)!r}: not JSON (line {error.lineno}: {error.msg})"
            ) from error
    if not isinstance(plain, dict):
        raise FileFormatError(
            f"{str(path)!r}: holds a {type(plain).__name__}; expected a JSON object"
        )
    reference = plain.pop("arrays", None)
    with reading(path):
        keys = set() if reference is None else set(_keys(plain))
        arrays = {} if reference is None else _unpack(path, reference, keys)
        try:
            return dict(_from_plain(plain, arrays))
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise FileFormatError(
                f"{str(path)!r}: an array is not as it was saved ({error})"
            ) from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON, whose names are different: of two alike, json takes the last."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = first_twice([key for key, _ in pairs])
        raise ValueError(f"{twice!r} is there twice in one object")
    return found


def check_entries(what: str, entries: Any, known: Collection[str]) -> None:
    """Refuse an entry that no reader looks at: a misspelt one would be left out in silence."""
    if not isinstance(entries, dict):
        raise FileFormatError(f"{what} is {brief(entries)}; expected {{{', '.join(known)}}}")
    for name in entries:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            meant = f"did you mean {near[0]!r}?" if near else f"expected {', '.join(known)}"
            raise FileFormatError(f"{what}: unknown entry {name[:80]!r}; {meant}")


def is_version(value: Any, known: Collection[int]) -> bool:
    """Whether a document's version is one of these; true is 1 to Python."""
    return not isinstance(value, bool) and value in known


_FITS: dict[str, Callable[[Any], bool]] = {
    "int": lambda value: isinstance(value, int) and is_real(value) and value >= 0,
    "float": is_real,
    "str": lambda value: isinstance(value, str),
    "bool": lambda value: isinstance(value, bool),
}


def check_fields(made: Any) -> None:
    """Refuse a dataclass made of a file whose plain fields are of other types than they say: texts,
    truth values, numbers, and whole ones from 0, for all that files hold of them counts something.
    """
    for field in fields(made):
        value, said = getattr(made, field.name), str(field.type)
        fits = _FITS.get(said.removesuffix(" | None"))
        is_absent = value is None and said.endswith(" | None")
        if fits is not None and not is_absent and not fits(value):
            raise ValueError(f"{field.name!r} is {brief(value)}; expected {said}")


def plain_of(document: Any) -> Any:
    """The same with lists in place of arrays, as JSON has them."""
    return _to_plain(document, {}, "", True)


def document_of(plain: Any) -> Any:
    """What `plain_of` made plain; arrays but sparse ones stay lists."""
    return _from_plain(plain, {})


def numbers_in(value: Any) -> Any:
    """The same lists of numbers, arrays or number, of which nothing is a text, true or false.

    numpy takes "1_0" for 10 and true for 1.
    """
    open_ = [value]
    while open_:
        part = open_.pop()
        if isinstance(part, list):
            open_ += part
        elif is_sparse(part) or isinstance(part, np.ndarray):
            if part.dtype.kind not in "iuf":
                raise ValueError(f"an array holds {part.dtype}; expected numbers")
        elif isinstance(part, bool) or not isinstance(part, int | float):
            raise ValueError(f"{json.dumps(part)} stands where a number is expected")
    return value


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
    return _sparse(**plain) if "sparse" in plain else plain


def _sparse(sparse: Any, indptr: Any, indices: Any, data: Any) -> Any:
    """A matrix by rows, whose places are looked at before scipy makes 32 bits of them."""
    n_rows, n_columns = sparse
    starts, places = (np.asarray(numbers_in(part)) for part in (indptr, indices))
    fits = all(isinstance(n, int) and 0 < n <= _LONGEST for n in (n_rows, n_columns))
    fits &= starts.shape == (n_rows + 1,) and places.ndim == 1
    for part in (starts, places):
        fits &= not part.size or part.dtype.kind in "iu"
    if not fits or not ((places >= 0) & (places < n_columns)).all():
        raise ValueError(f"a sparse matrix of shape {sparse} does not fit its places")
    values = np.asarray(numbers_in(data), dtype=float)
    matrix = csr_array((values, places, starts), shape=(n_rows, n_columns))
    matrix.check_format()
    return matrix


def _keys(value: Any) -> Iterator[str]:
    """The arrays that a document names."""
    if isinstance(value, list):
        for one in value:
            yield from _keys(one)
    elif isinstance(value, dict):
        if set(value) == {"npz"}:
            yield value["npz"]
        for one in value.values():
            yield from _keys(one)


def _unpack(path: Path, reference: Any, keys: set[str]) -> dict[str, np.ndarray[Any, Any]]:
    name = reference.get("file") if isinstance(reference, dict) else None
    if not isinstance(name, str) or Path(name).name != name:
        raise FileFormatError(
            f"{str(path)!r}: names its arrays {brief(reference)}; expected a file beside it"
        )
    check_entries(f"{str(path)!r}: arrays", reference, ("file", "sha256"))
    # beside a link, or beside what it leads to
    beside = path.with_name(name), Path(os.path.realpath(path)).with_name(name)
    companion = next((one for one in beside if one.is_file()), None)
    if companion is None:
        raise FileFormatError(
            f"{str(path)!r}: its arrays are in {name!r}, which is not beside it; keep the two"
            " together"
        )
    content = read_bytes(companion)
    if hashlib.sha256(content).hexdigest() != reference.get("sha256"):
        raise FileFormatError(
            f"{str(companion)!r}: not the arrays that {path.name!r} was saved with"
        )
    with reading(companion):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            check_unpacked(archive, MOST_BYTES, [f"{key}.npy" for key in keys])
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return {key: arrays[key] for key in keys}


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
