"""HDF5 files looked at before their arrays are read: sizes that headers say, and links."""

from __future__ import annotations

from typing import Any

_MOST_BYTES = 2**30
"""Of all arrays of a file: 134 million numbers."""
_MOST_LINKS = 20_000
"""Of all groups, under each of their names: thousands of layers, and seconds."""


def check_hdf5(h5py: Any, file: Any) -> None:
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
                # of chunks that are not there, a header may say any number
                size += int(found.size or 0) * found.dtype.itemsize
                if size > _MOST_BYTES:
                    raise ValueError(f"arrays of {size:,} bytes; expected {_MOST_BYTES:,} at most")
