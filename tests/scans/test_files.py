"""Results of scans in files: what was written, or nothing."""

import numpy as np
import pytest
import xarray as xr

import crn_nn_tellurium as cn
from crn_nn_tellurium.scans.files import KEY

NET = cn.Network([cn.Layer([[1.5, -2.0]], [0.5])])
AXES = {"x0": [0.0, 1.0], "x1": [0.0, 1.0]}


def changed_value(ds):
    ds["outputs"] = ds["outputs"].copy(data=np.nextafter(ds["outputs"].values, np.inf))


def changed_axis(ds):
    ds["x0"] = ds["x0"] + 1e-9


def changed_attribute(ds):
    ds["outputs"].attrs["units"] = "nM"


def changed_key(ds):
    ds.attrs[KEY] = ds.attrs[KEY].replace(" ", "_")


def swapped(ds):
    ds["outputs"] = ds["outputs"].copy(data=ds["outputs"].values[::-1])


@pytest.mark.parametrize("ending", [".nc", ".zarr"])
@pytest.mark.parametrize(
    "change", [changed_value, changed_axis, changed_attribute, changed_key, swapped]
)
def test_a_result_that_was_changed_is_refused(ending, change, tmp_path):
    path = tmp_path / f"out{ending}"
    ds = cn.scan(NET, AXES, path=path)
    xr.testing.assert_identical(cn.open_scan(path), ds)
    opened = xr.open_zarr(path) if ending == ".zarr" else xr.open_dataset(path)
    with opened:
        found = opened.load()
    for variable in found.variables.values():
        variable.encoding = {}
    change(found)
    if ending == ".zarr":
        found.to_zarr(path, mode="w", zarr_format=2)
    else:
        found.to_netcdf(path)
    with pytest.raises(cn.FileFormatError, match="is damaged"):
        cn.open_scan(path)


def test_a_result_of_before_there_were_digests_is_read(tmp_path):
    ds = cn.scan(NET, AXES)
    ds.to_netcdf(tmp_path / "old.nc")
    xr.testing.assert_identical(cn.open_scan(tmp_path / "old.nc"), ds)
