"""Scans in files: chunks as they come, whole results, and back.

While a scan to OUT runs, OUT.parts holds one file per chunk, each written beside its place and moved there, so a
scan that is interrupted or killed loses what it was solving and nothing else. When all are there, they become OUT,
netCDF or Zarr by its ending, and OUT.parts goes.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from crn_nn_tellurium.errors import FileFormatError, InputError, require
from crn_nn_tellurium.scans.plan import Plan
from crn_nn_tellurium.storage import check_target, read_text, write_bytes

if TYPE_CHECKING:
    import xarray as xr

KEY = "scan_key"
"""Attribute of a result that says which plan it is of."""
ENDINGS = (".nc", ".zarr")


def check_path(path: str | os.PathLike[str]) -> Path:
    """The file of a result, if it can become one.

    Raises
    ------
    InputError
        If its ending is not .nc or .zarr.
    MissingPackageError
        If zarr is not installed.
    OSError
        If its folder does not exist.
    """
    path = Path(path)
    if path.suffix.lower() not in ENDINGS:
        raise InputError(f"{str(path)!r}: a scan is written to netCDF or Zarr; expected an ending of .nc or .zarr")
    if path.suffix.lower() == ".zarr":
        require("zarr", extra="zarr")
        if not path.parent.is_dir():
            raise FileNotFoundError(f"cannot write {str(path)!r}: there is no folder {str(path.parent)!r}")
    else:
        check_target(path)
    return path


class Parts:
    """The chunks of an unfinished scan.

    Parameters
    ----------
    path : Path
        The file that they become.
    plan : Plan
    """

    def __init__(self, path: Path, plan: Plan) -> None:
        self.folder = path.with_name(path.name + ".parts")
        self._plan = plan

    def open(self, resume: bool) -> None:
        """Make the folder, or go on with what it holds.

        Raises
        ------
        FileExistsError
            If it holds another scan, or this one and it is not to be resumed.
        """
        state = self.folder / "scan.json"
        if state.exists():
            found = json.loads(read_text(state))
            if found.get(KEY) != self._plan.key:
                raise FileExistsError(
                    f"{str(self.folder)!r} holds chunks of another scan (other values, model, settings or version); "
                    "overwrite=True (--overwrite) removes them, or choose another path"
                )
            if not resume:
                raise FileExistsError(
                    f"{str(self.folder)!r} holds {len(list(self.done()))} chunks of this scan; resume=True (--resume) "
                    "goes on with them, overwrite=True (--overwrite) begins again"
                )
            return
        self.folder.mkdir(exist_ok=True)
        document = {KEY: self._plan.key, "chunks": len(self._plan.chunks)}
        write_bytes(state, json.dumps(document).encode())

    def _file(self, number: int) -> Path:
        return self.folder / f"{number:08d}.npz"

    def done(self) -> Iterator[int]:
        """Numbers of the chunks that are there."""
        return (int(file.stem) for file in sorted(self.folder.glob("[0-9]*.npz")))

    def write(self, number: int, solved: dict[str, Any]) -> None:
        """Keep one chunk."""
        stream = io.BytesIO()
        arrays: dict[str, Any] = {}
        for name, values in solved.items():
            if values.dtype == object:
                texts, codes = np.unique(values.astype(str), return_inverse=True)
                arrays[f"{name}.codes"], arrays[f"{name}.texts"] = codes.reshape(values.shape), texts
            else:
                arrays[name] = values
        np.savez(stream, **arrays)
        write_bytes(self._file(number), stream.getvalue())

    def read(self, number: int) -> dict[str, Any]:
        """One chunk back.

        Raises
        ------
        FileFormatError
            If the file is damaged.
        """
        file = self._file(number)
        solved: dict[str, Any] = {}
        try:
            with np.load(file) as arrays:
                for name in arrays.files:
                    if name.endswith(".codes"):
                        texts = arrays[name.removesuffix("codes") + "texts"].astype(object)
                        solved[name.removesuffix(".codes")] = texts[arrays[name]]
                    elif not name.endswith(".texts"):
                        solved[name] = arrays[name]
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise FileFormatError(
                f"{str(file)!r} is damaged ({error}); remove it, and its chunk is solved again"
            ) from error
        return solved

    def remove(self) -> None:
        """Delete them."""
        shutil.rmtree(self.folder, ignore_errors=True)


def write_result(ds: xr.Dataset, path: Path) -> None:
    """Write a result whole, beside its target and then moved into place."""
    if path.suffix.lower() == ".zarr":
        folder = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
        try:
            ds.to_zarr(folder / "store", consolidated=False)
            if path.exists():
                shutil.rmtree(path)
            os.replace(folder / "store", path)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    try:
        ds.to_netcdf(temporary, engine=_netcdf_engine())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _netcdf_engine() -> Any:
    """scipy writes netCDF 3, which everything reads; the others netCDF 4, which has no limit of 2 GB a variable."""
    return next(
        (engine for engine, module in (("h5netcdf", "h5netcdf"), ("netcdf4", "netCDF4")) if find_spec(module)), "scipy"
    )


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
    import xarray as xr

    path = check_path(path)
    if not path.exists():
        parts = path.with_name(path.name + ".parts")
        hint = (
            f"; {parts.name} holds an unfinished one, which the same call of scan goes on with"
            if parts.exists()
            else ""
        )
        raise FileNotFoundError(f"{str(path)!r}: there is no such file{hint}")
    try:
        if path.suffix.lower() == ".zarr":
            ds = xr.open_zarr(path, consolidated=False, chunks=None).load()
        else:
            with xr.open_dataset(path) as opened:
                ds = opened.load()
    except (ValueError, OSError, KeyError, TypeError) as error:
        raise FileFormatError(f"{str(path)!r} cannot be read as netCDF or Zarr ({error})") from error
    if KEY not in ds.attrs:
        raise FileFormatError(f"{str(path)!r} is no scan's result: it has no attribute {KEY!r}")
    for name in [*ds.variables]:
        # files have texts of one width, and know no difference between int and int64
        if ds[name].dtype.kind in "SUT":
            ds[name] = ds[name].astype(object)
        ds[name].encoding = {}
    return ds
