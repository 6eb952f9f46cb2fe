"""Zarr stores looked at before zarr unpacks them: few bytes may unpack to more than memory has.

Each chunk is unpacked here first, into a place of the size that its array says, where what is
longer is refused before it is unpacked. Only what zarr packs scans with is known, of any version.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import json_value, read_bytes, read_text, require

_PACKED_BY = (None, "blosc", "zstd")
_TEXTS = "vlen-utf8"
_LEAST = 2**16
"""Bytes of a large result for each of its chunks; zarr divides numbers by half a million bytes."""


def check_store(path: Path, most: int) -> None:
    """Refuse what is no store of a scan, and chunks that unpack to anything but what it says."""
    for part in path.rglob("*"):
        # a pipe is never at its end, and what a link leads to is not this store's
        if part.is_symlink() or not (part.is_file() or part.is_dir()):
            raise ValueError(f"{part.name!r} in it is a link, a device or a pipe; expected a file")
        if part.name == "zarr.json":
            raise ValueError("it is a Zarr store of format 3; expected one of format 2")
    n_chunks, left = 0, most
    for folder, array in _arrays(path):
        shape, chunk = array["shape"], array["chunks"]
        n_chunks += math.prod(-(-long // short) for long, short in zip(shape, chunk, strict=True))
        if n_chunks * _LEAST > most:
            raise ValueError(f"it has {n_chunks:,} chunks; expected {most // _LEAST:,} at most")
        for file in folder.iterdir():
            # a dot stands before what is said about an array
            if not file.name.startswith(".") and file.is_file():
                left -= _check_chunk(file, array, left)


def _arrays(path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The folders of arrays, and what the store says about them in the one file that is read."""
    for key, array in json_value(read_text(path / ".zmetadata"))["metadata"].items():
        *folder, kind = Path(key).parts
        if kind != ".zarray":
            continue
        if (
            Path(key).is_absolute()
            or ".." in folder
            or array.get("dimension_separator", ".") != "."
        ):
            raise ValueError(f"{key!r} has its chunks elsewhere than in its folder")
        yield path.joinpath(*folder), array


def _check_chunk(file: Path, array: dict[str, Any], left: int) -> int:
    """Unpack a chunk into no more than it may take; the bytes of its texts, if it is of texts."""
    codec, filters = array["compressor"], array["filters"] or []
    name = None if codec is None else codec["id"]
    kind = np.dtype(array["dtype"])
    is_text = kind.hasobject
    if name not in _PACKED_BY or [one["id"] for one in filters] != [_TEXTS] * is_text:
        raise ValueError(f"{file.parent.name!r} is packed by {codec}, {filters}; no scan's are")
    n_items = math.prod(array["chunks"])
    content = read_bytes(file)
    size = _said(content, name) if is_text else n_items * kind.itemsize
    where = f"chunk {file.name!r} of {file.parent.name!r}"
    if size > left:
        raise ValueError(f"{where} unpacks to {size:,} bytes; expected {left:,} at most")
    if (said := _said(content, name)) != size:
        raise ValueError(f"{where} unpacks to {said:,} bytes; the store says {size:,}")
    if name is not None:
        numcodecs = require("numcodecs", extra="zarr")  # which zarr brings
        unpacked = numcodecs.get_codec(codec).decode(content, out=np.empty(size, "u1"))
        content = memoryview(unpacked)[:4].tobytes()
    if is_text and int.from_bytes(content[:4], "little") != n_items:
        raise ValueError(f"{where} has another number of texts than {n_items:,}, as the store says")
    return size if is_text else 0


def _said(content: bytes, codec: str | None) -> int:
    """Bytes that a chunk unpacks to, as its first frame says."""
    if codec is None:
        return len(content)
    if codec == "blosc":
        return int.from_bytes(content[4:8], "little")
    # RFC 8878, 3.1.1.1: the byte behind the magic number says how many come before the size, and
    # how many it has itself; of two bytes, it counts from 256
    flags = content[4]
    start = 6 - (flags >> 5 & 1) + (0, 1, 2, 4)[flags & 3]
    width = (flags >> 5 & 1, 2, 4, 8)[flags >> 6]
    return int.from_bytes(content[start : start + width], "little") + 256 * (width == 2)
