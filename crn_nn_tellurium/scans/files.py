"""Scans in files: chunks as they come, whole results, and back.

While a scan to OUT runs, OUT.parts holds one file per chunk, each written beside its place and
moved there, so a scan that is interrupted or killed loses what it was solving and nothing else.
When all are there, they become OUT, netCDF or Zarr by its ending, and OUT.parts goes.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from crn_nn_tellurium.basics import (
    FileLock,
    check_bytes,
    check_hdf5,
    check_target,
    check_unpacked,
    finding,
    json_value,
    make_readable,
    path_of,
    read_bytes,
    read_text,
    reading,
    require,
    sealed,
    truth,
    unsealed,
    warn,
    write_bytes,
    writing,
)
from crn_nn_tellurium.errors import FileFormatError, InputError
from crn_nn_tellurium.scans.plan import Plan
from crn_nn_tellurium.scans.stores import check_store

if TYPE_CHECKING:
    import xarray as xr

# Attribute of a result that says which plan it is of
KEY = "scan_key"
_ENDINGS = (".nc", ".zarr")
# What a folder of chunks holds, which is deleted in the end
_OURS = re.compile(r"scan\.json$|\d+\.npz$|\.")
_LARGEST, _DENSEST = 2**30, 100
"""Bytes that any result may have, and how many times its file's those of a larger one."""


@dataclass(frozen=True)
class ScanFile:
    """Where a scan's result goes, and what becomes of what is there.

    Parameters
    ----------
    path : path-like
        Ending in .nc or .zarr.
    resume : bool
        Whether to go on with chunks of this very scan, and to return its finished result.
    overwrite : bool
        Whether to begin again, whatever is there.

    Raises
    ------
    InputError
        If its ending is not .nc or .zarr.
    MissingPackageError
        If zarr is not installed.
    OSError
        If its folder does not exist, or a folder is to be a file or the other way round.

    Examples
    --------
    >>> ScanFile("out.nc", overwrite=True)
    ScanFile(path=PosixPath('out.nc'), resume=True, overwrite=True)
    """

    path: Path
    resume: bool = True
    overwrite: bool = False

    def __init__(
        self, path: str | os.PathLike[str], resume: bool = True, overwrite: bool = False
    ) -> None:
        object.__setattr__(self, "path", path_of("path", path))
        for name, value in (("resume", resume), ("overwrite", overwrite)):
            object.__setattr__(self, name, truth(name, value))
        if not (_is_zarr(self.path) and self.path.is_dir()):
            check_target(self.path)
        if _is_zarr(self.path) and self.path.is_file():
            raise NotADirectoryError(
                f"cannot write {str(self.path)!r}: it is a file; a Zarr store is a folder"
            )


def _is_zarr(path: Path) -> bool:
    """Whether it is a Zarr store, and not netCDF, by its ending; others are refused."""
    ending = path.suffix.lower()
    if ending not in _ENDINGS:
        raise InputError(
            f"{str(path)!r}: a scan is written to netCDF or Zarr; expected an ending of .nc or"
            " .zarr"
        )
    if ending == ".zarr":
        require("zarr", extra="zarr")
    return ending == ".zarr"


class Parts:
    """The chunks of an unfinished scan, and the file that they become."""

    def __init__(self, file: ScanFile, plan: Plan) -> None:
        self.folder = file.path.with_name(file.path.name + ".parts")
        self._target, self._plan = file, plan
        self._state = self.folder / "scan.json"
        # beside the folder, which may be renamed and removed under it
        self._lock = FileLock(self.folder.with_name(f"{self.folder.name}.lock"))

    def lock(self) -> None:
        """Keep others out, until `close`."""
        if holder := self._lock.acquire():
            raise FileExistsError(
                f"{str(self.folder)!r}: {holder} is writing this scan; wait for it, or choose"
                " another path"
            )

    def open(self) -> None:
        """Make the folder, or go on with what it holds."""
        if self.folder.exists():
            if self._target.overwrite:
                shutil.rmtree(self.folder)
            else:
                self._check_state()
        self.folder.mkdir(exist_ok=True)
        document = {KEY: self._plan.key, "chunks": len(self._plan.chunks)}
        write_bytes(self._state, json.dumps(document).encode())

    def _check_state(self) -> None:
        if others := self._others():
            raise FileExistsError(
                f"{str(self.folder)!r} holds {others[0]!r}, which is none of a scan's;"
                " ScanFile(path, overwrite=True) (--overwrite) removes it, or choose another path"
            )
        chunks = list(self.folder.glob("[0-9]*.npz"))
        if chunks and not self._is_of_plan():
            raise FileExistsError(
                f"{str(self.folder)!r} holds chunks of another scan (other values, model, settings"
                " or version); ScanFile(path, overwrite=True) (--overwrite) removes them, or choose"
                " another path"
            )
        if chunks and not self._target.resume:
            raise FileExistsError(
                f"{str(self.folder)!r} holds {len(chunks)} chunks of this scan; ScanFile(path,"
                " resume=True) (--resume) goes on with them, overwrite=True (--overwrite) begins"
                " again"
            )

    def _others(self) -> list[str]:
        """What the folder holds that is none of a scan's."""
        # a dot stands before what was being written, and before what systems leave; what a link
        # leads to would be written over
        entries = self.folder.iterdir()
        return sorted(one.name for one in entries if not _OURS.match(one.name) or one.is_symlink())

    def _is_of_plan(self) -> bool:
        try:
            return bool(json_value(read_text(self._state)).get(KEY) == self._plan.key)
        except (OSError, ValueError, AttributeError):
            return False

    def clear(self) -> None:
        """Delete what is left of this scan where it was ended when all but that was done."""
        # nobody waits for that, and where nothing can be written nothing is deleted
        with suppress(OSError):
            if self.folder.exists() and not self._lock.acquire():
                try:
                    if self._is_of_plan() and not self._others():
                        self.remove()
                finally:
                    self.close()

    def close(self) -> None:
        self._lock.release()

    def _file(self, number: int) -> Path:
        return self.folder / f"{number:08d}.npz"

    def done(self) -> list[int]:
        return [n for n in range(len(self._plan.chunks)) if self._file(n).is_file()]

    def _place(self, number: int) -> str:
        return f"{self._plan.key} {number}"

    def write(self, number: int, solved: dict[str, Any]) -> None:
        """Keep one chunk."""
        stream = io.BytesIO()
        arrays: dict[str, Any] = {}
        for name, values in solved.items():
            if values.dtype == object:
                # millions of points share few texts
                texts, codes = np.unique(values.astype(str), return_inverse=True)
                arrays[f"texts {name}"] = texts
                arrays[f"codes {name}"] = codes.reshape(values.shape)
            else:
                arrays[f"values {name}"] = values
        np.savez(stream, **arrays)
        write_bytes(self._file(number), sealed(stream.getvalue(), self._place(number)))

    def read(self, number: int) -> dict[str, Any] | None:
        """One chunk back; None, and a warning, where it has to be solved again."""
        file = self._file(number)
        solved: dict[str, Any] = {}
        try:
            # nothing of it is read before it is known to be whole, and in its place
            content = unsealed(read_bytes(file), self._place(number))
            with reading(file), np.load(io.BytesIO(content)) as arrays:
                # np.savez packs nothing
                check_unpacked(arrays.zip, len(content))
                for entry in arrays.files:
                    kind, _, name = entry.partition(" ")
                    if kind == "codes":
                        solved[name] = arrays[f"texts {name}"].astype(object)[arrays[entry]]
                    elif kind == "values":
                        solved[name] = arrays[entry]
        except (OSError, ValueError) as error:
            warn(f"{str(file)!r} is damaged ({error}); its chunk is solved again", RuntimeWarning)
            return None
        return solved

    def remove(self) -> None:
        """Delete them; renamed first, so that no half of them is ever taken for the whole."""
        gone = Path(tempfile.mkdtemp(dir=self.folder.parent, prefix=f".{self.folder.name}."))
        os.replace(self.folder, gone / "parts")
        shutil.rmtree(gone, ignore_errors=True)


def check_fits(path: Path, names: Sequence[str], largest: int) -> None:
    """Refuse names and sizes of variables that netCDF cannot hold, before they are solved."""
    if _is_zarr(path):
        return
    for name in names:
        if "/" in name or name == ".":
            raise InputError(
                f"{str(path)!r}: {name!r} would be a name in netCDF, where it is a group's; choose"
                " another one, or .zarr"
            )
    if _netcdf_engine() != "scipy":
        return
    remedy = "pip install 'crn_nn_tellurium[netcdf]' writes netCDF 4, and .zarr has no such limit"
    for name in names:
        if not name.isascii():  # scipy writes others as nobody else reads them, or not at all
            raise InputError(
                f"{str(path)!r}: {name!r} would be a name in netCDF 3, which has letters of ASCII;"
                f" {remedy}"
            )
    if largest >= 2**31 - 4:
        raise InputError(
            f"{str(path)!r}: a variable takes {largest / 1e9:.1f} GB, and netCDF 3 holds 2 GB;"
            f" {remedy}"
        )


def write_result(ds: xr.Dataset, path: Path) -> None:
    """Write a result whole, beside its target and then moved into place."""
    # with the key, and not beside it: a file without either is none of ours
    ds = ds.assign_attrs({KEY: f"{ds.attrs[KEY]} {_digest_of(ds)}"})
    # what is replaced keeps its permissions, and a link goes on leading to it
    real = Path(os.path.realpath(path))
    mode = stat.S_IMODE(real.stat().st_mode) if real.exists() else None
    with writing(path):
        if _is_zarr(path):
            _write_zarr(ds, real, mode)
        else:
            _write_netcdf(ds, real, mode)


def _write_zarr(ds: xr.Dataset, path: Path, mode: int | None) -> None:
    folder = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        ds.to_zarr(folder / "store", zarr_format=2, consolidated=True)
        if mode is not None:
            os.chmod(folder / "store", mode)
            shutil.rmtree(path)
        os.replace(folder / "store", path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write_netcdf(ds: xr.Dataset, path: Path, mode: int | None) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    try:
        ds.to_netcdf(temporary, engine=_netcdf_engine())
        make_readable(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _most_bytes(path: Path) -> int:
    """What any result in a file of its size takes of memory, at most."""
    files = path.rglob("*") if path.is_dir() else [path]
    return max(_LARGEST, _DENSEST * sum(file.lstat().st_size for file in files))


def _digest_of(ds: xr.Dataset) -> str:
    """Of all that a result holds, whatever kind of file it is in."""
    found = hashlib.sha256()

    def add(name: str, dims: Any, attributes: Any) -> None:
        # files have lists of one number as the number
        plain = {str(k): np.ravel(v).tolist() for k, v in sorted(attributes.items())}
        found.update(json.dumps([name, dims, plain]).encode())

    add("", (), ds.attrs)
    for name in sorted(map(str, ds.variables)):
        variable = ds.variables[name]
        role = "coordinate" if name in ds.coords else "kept"
        add(name, [role, *zip(variable.dims, variable.shape, strict=True)], variable.attrs)
        values = np.asarray(variable.values)
        if values.dtype.kind in "biuf":  # and whole numbers of other widths
            numbers = values.astype("<f8")
            numbers[np.isnan(numbers)] = np.nan  # of many: 0 / 0 is -NaN on some processors
            found.update(numbers.tobytes())
        else:
            found.update("\0".join(map(str, values.ravel().tolist())).encode())
    return found.hexdigest()


def _netcdf_engine() -> Any:
    # scipy writes netCDF 3, which everything reads; netCDF 4 has no limit of 2 GB a variable
    return "h5netcdf" if find_spec("h5netcdf") and find_spec("h5py") else "scipy"


def open_scan(path: str | os.PathLike[str]) -> xr.Dataset:
    """A scan's result from its file.

    Parameters
    ----------
    path : path-like
        netCDF (.nc) or Zarr (.zarr), as `scan` wrote it.

    Raises
    ------
    OSError
        If it cannot be read.
    FileFormatError
        If it is no scan.

    Examples
    --------
    >>> import tempfile
    >>> from crn_nn_tellurium import load_model, scan
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     ds = scan(load_model("xor"), {"x0": [0, 1], "x1": [0, 1]}, path=f"{folder}/xor.nc")
    ...     same = open_scan(f"{folder}/xor.nc").identical(ds)
    >>> same
    True
    """
    path = path_of("path", path)
    _is_zarr(path)
    if not path.exists():
        parts = path.with_name(path.name + ".parts")
        hint = (
            f"; {parts.name} holds an unfinished one, which the same call of scan goes on with"
            if parts.exists()
            else ""
        )
        raise FileNotFoundError(f"{str(path)!r}: there is no such file{hint}")
    with finding(path), reading(path):
        most = _most_bytes(path)
        with _opened(path, most) as opened:
            check_bytes(opened.nbytes, most)
            ds = opened.load()
        _check_whole(ds, path)
    return ds


def _opened(path: Path, most: int) -> xr.Dataset:
    import xarray as xr

    if not _is_zarr(path):
        return xr.open_dataset(path, engine=_checked_netcdf(path, most))
    try:
        check_store(path, most)
        return xr.open_zarr(path, chunks=None, consolidated=True)
    except (FileNotFoundError, NotADirectoryError) as error:
        # what is said of a folder that is there, and of a file
        raise ValueError("no Zarr store, or parts of it are gone") from error


def _checked_netcdf(path: Path, most: int) -> Any:
    """The engine that reads a file, which is looked at before."""
    with path.open("rb") as file:
        # netCDF 4 is HDF5, of which netCDF 3 knows nothing; its chunks may unpack to anything
        if file.read(4) != b"\x89HDF":
            return "scipy"
    require("h5netcdf", extra="netcdf")
    h5py = require("h5py", extra="netcdf")
    with h5py.File(path, "r") as opened:
        check_hdf5(h5py, opened, most)
    return "h5netcdf"


def _check_whole(ds: xr.Dataset, path: Path) -> None:
    """Make what was read what was written, and refuse it if it is anything else."""
    if KEY not in ds.attrs:
        raise FileFormatError(f"{str(path)!r} is no scan's result: it has no attribute {KEY!r}")
    for name in [*ds.variables]:
        # files have texts of one width, and know no difference between int and int64
        if ds[name].dtype.kind in "SUT":
            ds[name] = ds[name].astype(object)
        ds[name].encoding = {}
    key, _, digest = str(ds.attrs[KEY]).partition(" ")
    ds.attrs[KEY] = key
    # of before there were digests, files have a key alone
    is_old = not digest and re.fullmatch("[0-9a-f]{64}", key) is not None
    if not is_old and digest != _digest_of(ds):
        raise FileFormatError(
            f"{str(path)!r} is damaged: it does not hold what was written; the same scan with"
            " overwrite=True writes it anew"
        )
