"""HDF5 files looked at before their arrays are read: sizes, links, and what chunks unpack to."""

from __future__ import annotations

import math
import zlib
from typing import Any

_MOST_BYTES = 2**30
"""Of all arrays of a file: 134 million numbers."""
_MOST_LINKS = 20_000
"""Of all groups, under each of their names: thousands of layers, and seconds."""
_SUM = 4
"""Bytes of a checksum, which a chunk may have besides its numbers."""


def check_hdf5(h5py: Any, file: Any, most: int = _MOST_BYTES) -> None:
    """Refuse arrays beyond size, and those that lie in other files."""
    size = n_links = 0
    open_ = [file]
    while open_:
        group = open_.pop()
        for name in group:
            n_links += 1
            if n_links > _MOST_LINKS:
                raise ValueError(f"it has more than {_MOST_LINKS:,} links")
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                what = f"{name!r} is a link to elsewhere; expected an array or a group"
                raise ValueError(what)  # noqa: TRY004  # of a file, not of an argument
            # under each of its names, as often as it would be read; circles have no end of links
            found = group[name]
            if isinstance(found, h5py.Group):
                open_.append(found)
            elif isinstance(found, h5py.Dataset):
                if found.external or found.is_virtual:
                    raise ValueError(f"the numbers of {name!r} are in another file")
                # of chunks that are not there, a header may say any number; one is read whole
                n_read = max(found.size or 0, math.prod(found.chunks or ()))
                size += n_read * found.id.get_type().get_size()
                if size > most:
                    raise ValueError(f"arrays of {size:,} bytes; expected {most:,} at most")
                _check_chunks(h5py.h5z, found, name)


def _check_chunks(h5z: Any, array: Any, name: str) -> None:
    """Refuse chunks that unpack to more than the array says: HDF5 takes all that comes."""
    packing = array.id.get_create_plist()
    filters = [packing.get_filter(i)[0] for i in range(packing.get_nfilters())]
    # none but gzip makes a chunk longer
    for one in filters:
        if one not in (h5z.FILTER_DEFLATE, h5z.FILTER_SHUFFLE, h5z.FILTER_FLETCHER32):
            raise ValueError(f"{name!r} is packed by HDF5's filter {one}; expected gzip, or none")
    if h5z.FILTER_DEFLATE not in filters:
        return
    if filters.count(h5z.FILTER_DEFLATE) > 1:
        raise ValueError(f"{name!r} is packed by gzip more than once")
    passed_over = 1 << filters.index(h5z.FILTER_DEFLATE)
    most = math.prod(array.chunks) * array.id.get_type().get_size() + _SUM
    chunks: list[Any] = []
    array.id.chunk_iter(chunks.append)
    for chunk in chunks:
        _, content = array.id.read_direct_chunk(chunk.chunk_offset)
        if chunk.filter_mask & passed_over:
            continue
        try:
            unpacked = zlib.decompressobj().decompress(content, most + 1)
        except zlib.error as error:
            raise ValueError(f"a chunk of {name!r} is damaged ({error})") from error
        if len(unpacked) > most:
            raise ValueError(f"a chunk of {name!r} unpacks to more than {most - _SUM:,} bytes")
