"""Results of scans in files: what was written, or nothing."""

import errno
import json
import os
import shutil
import stat
import sys
import tracemalloc
import types
import zlib

import numpy as np
import pytest
import xarray as xr

import crn_nn_tellurium as cn
from crn_nn_tellurium.scans import scanning
from crn_nn_tellurium.scans.files import KEY, check_fits

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


def write_anew(ds, path):
    for variable in ds.variables.values():
        variable.encoding = {}
    ds.to_zarr(path, mode="w", zarr_format=2) if path.suffix == ".zarr" else ds.to_netcdf(path)


def read_as_is(path):
    with xr.open_zarr(path) if path.suffix == ".zarr" else xr.open_dataset(path) as opened:
        return opened.load()


@pytest.mark.parametrize("ending", [".nc", ".zarr"])
@pytest.mark.parametrize(
    "change", [changed_value, changed_axis, changed_attribute, changed_key, swapped]
)
def test_a_result_that_was_changed_is_refused(ending, change, tmp_path):
    path = tmp_path / f"out{ending}"
    ds = cn.scan(NET, AXES, path=path)
    xr.testing.assert_identical(cn.open_scan(path), ds)
    found = read_as_is(path)
    change(found)
    write_anew(found, path)
    with pytest.raises(cn.FileFormatError, match="is damaged"):
        cn.open_scan(path)


def test_the_size_of_a_result_is_known_before_it_is_unpacked(tmp_path):
    path = tmp_path / "out.zarr"
    cn.scan(NET, AXES, path=path)
    listed = path / ".zmetadata"
    document = json.loads(listed.read_text())
    arrays = document["metadata"]
    # chunks that are not there have one value
    for name, array in arrays.items():
        if name.endswith(".zarray"):
            array["shape"] = [20_000 if n == 2 else n for n in array["shape"]]
            array["chunks"] = array["shape"]
    for chunk in path.glob("*/[0-9]*"):
        chunk.unlink()
    listed.write_text(json.dumps(document))
    with pytest.raises(cn.FileFormatError, match=r"it unpacks to \d(,\d{3}){3} bytes; expected"):
        cn.open_scan(path)


def store_with(path, array, content, **changes):
    """A scan's store, with other bytes for an array's first chunk and another description."""
    cn.scan(NET, AXES, path=path)
    listed = path / ".zmetadata"
    document = json.loads(listed.read_text(encoding="utf-8"))
    described = document["metadata"][f"{array}/.zarray"]
    described |= changes
    listed.write_text(json.dumps(document), encoding="utf-8")
    (path / array / ".".join("0" for _ in described["shape"])).write_bytes(content)
    return path


def texts(n_items, content):
    return n_items.to_bytes(4, "little") + content


ZLIB, BLOSC, ZSTD = {"id": "zlib", "level": 9}, {"id": "blosc"}, {"id": "zstd", "level": 1}
LONG = bytes(2**26)


@pytest.mark.parametrize(
    ("array", "codec", "contents", "said"),
    [
        ("outputs", ZLIB, [LONG], "'outputs' is packed by"),
        ("outputs", BLOSC, [LONG], "chunk '0.0.0' of 'outputs' unpacks to 67,108,864 bytes; the"),
        ("outputs", ZSTD, [LONG], "chunk '0.0.0' of 'outputs' unpacks to 67,108,864 bytes; the"),
        ("outputs", ZSTD, [bytes(32), LONG], "at least 67108896, got 32|Destination buffer is too"),
        ("x0", BLOSC, [LONG], "chunk '0' of 'x0' unpacks to 67,108,864 bytes; the store says 16"),
        ("status", BLOSC, [texts(4, LONG)], "unpacks to 67,108,868 bytes; expected 1,048,5"),
        ("status", ZSTD, [texts(4, LONG)], "unpacks to 67,108,868 bytes; expected 1,048,5"),
        ("status", ZSTD, [texts(2**23, bytes(9))], "another number of texts than 4, as the store"),
    ],
)
def test_chunks_that_unpack_to_more_than_is_said_are_refused_before_they_are(
    array, codec, contents, said, tmp_path, monkeypatch
):
    """A store of 4 MB took 8 GB and half a minute."""
    numcodecs = pytest.importorskip("numcodecs", reason="zarr is not installed: pip install zarr")
    monkeypatch.setattr("crn_nn_tellurium.scans.files._LARGEST", 2**20)
    monkeypatch.setattr("crn_nn_tellurium.scans.files._DENSEST", 1)
    pack = numcodecs.get_codec(codec).encode
    content = b"".join(bytes(pack(one)) for one in contents)
    path = store_with(tmp_path / "out.zarr", array, content, compressor=codec)
    tracemalloc.start()
    try:
        with pytest.raises(cn.FileFormatError, match=said):
            cn.open_scan(path)
        # modules that are imported when they are first used take ten million bytes
        assert tracemalloc.get_traced_memory()[1] < len(LONG) / 2
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("codec", [None, BLOSC, ZSTD])
def test_a_store_is_read_whichever_way_zarr_packed_it(codec, tmp_path):
    """zarr 3.0 packs by zstd, those before and after it by blosc."""
    numcodecs = pytest.importorskip("numcodecs", reason="zarr is not installed: pip install zarr")
    ds = cn.scan(NET, AXES)
    contents = {
        "outputs": ds.outputs.values.tobytes(),
        "x0": ds.x0.values.tobytes(),
        "status": bytes(numcodecs.VLenUTF8().encode(ds.status.values)),
    }
    for array, content in contents.items():
        packed = content if codec is None else bytes(numcodecs.get_codec(codec).encode(content))
        path = store_with(tmp_path / f"{array}.zarr", array, packed, compressor=codec)
        xr.testing.assert_identical(cn.open_scan(path), ds)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"chunks": [1, 1, 1], "shape": [10**8, 2, 1]}, "it has 200,000,001 chunks; expected 16,"),
        ({"dimension_separator": "/"}, "'outputs/.zarray' has its chunks elsewhere"),
        ({"filters": [{"id": "zlib", "level": 1}]}, "'outputs' is packed by"),
    ],
)
def test_a_store_that_zarr_does_not_make_of_a_scan_is_refused(changes, said, tmp_path):
    path = store_with(tmp_path / "out.zarr", "outputs", bytes(32), **changes)
    with pytest.raises(cn.FileFormatError, match=said):
        cn.open_scan(path)


def test_chunks_of_netcdf_4_are_looked_at_before_they_are_unpacked(tmp_path):
    h5py = pytest.importorskip("h5py", reason="h5py is not installed: pip install h5py")
    pytest.importorskip("h5netcdf", reason="h5netcdf is not installed: pip install h5netcdf")
    path = tmp_path / "out.nc"
    with h5py.File(path, "w") as file:
        array = file.create_dataset("outputs", (2, 2), "f8", chunks=(2, 2), compression="gzip")
        array.id.write_direct_chunk((0, 0), zlib.compress(bytes(2**26)))
    with pytest.raises(cn.FileFormatError, match="'outputs' unpacks to more than 32 bytes"):
        cn.open_scan(path)


NETCDF = {"scipy": b"CDF", "h5netcdf": b"\x89HDF"}


@pytest.mark.parametrize("engine", NETCDF)
def test_netcdf_of_either_kind_is_written_and_read(engine, tmp_path, monkeypatch):
    pytest.importorskip(engine, reason="h5netcdf is not installed: pip install h5netcdf")
    monkeypatch.setattr("crn_nn_tellurium.scans.files._netcdf_engine", lambda: engine)
    path = tmp_path / "out.nc"
    ds = cn.scan(NET, AXES, path=path)
    assert path.read_bytes().startswith(NETCDF[engine])
    assert cn.open_scan(path).identical(ds)
    with xr.open_dataset(path, engine=engine) as opened:
        np.testing.assert_array_equal(opened["outputs"], ds["outputs"])


@pytest.mark.parametrize("missing", ["h5netcdf", "h5py"])
def test_netcdf_4_is_not_read_without_what_looks_at_it(missing, tmp_path, monkeypatch):
    path = tmp_path / "out.nc"
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(64))
    for package in ("h5netcdf", "h5py")[: 1 + (missing == "h5py")]:
        instead = None if package == missing else types.ModuleType(package)
        monkeypatch.setitem(sys.modules, package, instead)
    with pytest.raises(cn.MissingPackageError, match=rf"'{missing}'.*\[netcdf\]"):
        cn.open_scan(path)


@pytest.mark.parametrize("content", [b"", b"\x89HD", b"CDF", b"no result"])
def test_what_is_no_netcdf_is_said_to_be_none_whatever_is_installed(content, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5netcdf", None)
    path = tmp_path / "out.nc"
    path.write_bytes(content)
    with pytest.raises(cn.FileFormatError, match=r"out\.nc': it cannot be read"):
        cn.open_scan(path)


def test_a_store_of_format_3_is_refused(tmp_path):
    path = tmp_path / "out.zarr"
    cn.scan(NET, AXES, path=path)
    (path / "zarr.json").write_text('{"zarr_format": 3, "node_type": "group"}', encoding="utf-8")
    with pytest.raises(cn.FileFormatError, match="format 3; expected one of format 2"):
        cn.open_scan(path)


def test_a_pipe_is_no_result(tmp_path):
    os.mkfifo(tmp_path / "out.nc")
    with pytest.raises(cn.FileFormatError, match="a device or a pipe; expected a file"):
        cn.open_scan(tmp_path / "out.nc")


@pytest.mark.parametrize("ending", [".nc", ".zarr"])
def test_a_result_that_is_replaced_keeps_its_permissions_and_its_link(ending, tmp_path):
    real, link = tmp_path / f"real{ending}", tmp_path / f"link{ending}"
    cn.scan(NET, AXES, path=real)
    os.chmod(real, 0o700)
    link.symlink_to(real)
    ds = cn.scan(NET, AXES | {"x0": [0.0, 2.0]}, path=cn.ScanFile(link, overwrite=True))
    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o700
    xr.testing.assert_identical(cn.open_scan(real), ds)


@pytest.mark.parametrize("ending", [".nc", ".zarr"])
def test_a_full_disk_names_the_result(ending, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(xr.Dataset, "to_netcdf", full)
    monkeypatch.setattr(xr.Dataset, "to_zarr", full)
    path = tmp_path / f"out{ending}"
    said = r"^\[Errno 28\] cannot write it into its folder: No space left on device: "
    with pytest.raises(OSError, match=said) as found:
        cn.scan(NET, AXES, path=path)
    assert found.value.filename == str(path)
    # what was solved is there, and nothing half written
    assert [file.suffix for file in tmp_path.iterdir()] == [".parts"]


def test_a_result_of_before_there_were_digests_is_read(tmp_path):
    ds = cn.scan(NET, AXES)
    ds.to_netcdf(tmp_path / "old.nc")
    xr.testing.assert_identical(cn.open_scan(tmp_path / "old.nc"), ds)


@pytest.mark.parametrize("ending", [".nc", ".zarr"])
def test_a_coordinate_that_is_none_any_more_is_seen(ending, tmp_path):
    path = tmp_path / f"out{ending}"
    ds = cn.scan(NET, cn.paired({"x0": [0.0, 1.0], "x1": [1.0, 2.0]}), path=path)
    write_anew(read_as_is(path), path)
    xr.testing.assert_identical(cn.open_scan(path), ds)
    write_anew(read_as_is(path).reset_coords("x1"), path)
    with pytest.raises(cn.FileFormatError, match="is damaged"):
        cn.open_scan(path)


@pytest.mark.parametrize("ending", [".nc", ".zarr"])
def test_a_nan_is_a_nan_whatever_its_sign(ending, tmp_path):
    """As 0 / 0 is on some processors: files keep the sign or not."""
    path = tmp_path / f"out{ending}"
    kept = {"f": cn.UserFunction(lambda r: -np.float64(np.nan), version="1")}
    ds = cn.scan(NET, AXES, outputs=kept, path=path)
    assert np.signbit(ds.f.values).all()
    xr.testing.assert_identical(cn.open_scan(path), ds)


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_a_zarr_store_of_pipes_or_links_is_refused(make, tmp_path):
    pytest.importorskip("zarr", reason="zarr is not installed: pip install zarr")
    store = tmp_path / "out.zarr"
    cn.scan(cn.load_model("xor"), {"x0": [0.0, 1.0]}, x=[0.0, 1.0], path=store)
    (store / ".zmetadata").unlink()
    make(store / ".zmetadata")
    with pytest.raises(cn.FileFormatError, match="is a link, a device or a pipe"):
        cn.open_scan(store)


def test_what_is_no_zarr_store_says_so(tmp_path):
    path, file = tmp_path / "out.zarr", tmp_path / "file.zarr"
    cn.scan(NET, AXES, path=path)
    (path / ".zgroup").unlink()
    (path / ".zmetadata").unlink()  # zarr 2 reads that alone
    file.write_text("no store", encoding="utf-8")
    for name in path, file:
        with pytest.raises(cn.FileFormatError, match="no Zarr store, or parts of it are gone"):
            cn.open_scan(name)
    with pytest.raises(NotADirectoryError, match="it is a file; a Zarr store is a folder"):
        cn.scan(NET, AXES, path=cn.ScanFile(file, overwrite=True))


def test_an_attribute_of_any_kind_is_refused_in_words(tmp_path):
    path = tmp_path / "out.zarr"
    cn.scan(NET, AXES, path=path)
    listed = path / ".zmetadata"
    document = json.loads(listed.read_text(encoding="utf-8"))
    document["metadata"]["outputs/.zattrs"]["units"] = [[1], [2, 3]]
    listed.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(cn.FileFormatError, match=r"out.zarr': it cannot be read \(ValueError"):
        cn.open_scan(path)


@pytest.mark.parametrize("ending", [".nc", ".zarr"])
def test_reasons_with_any_characters_come_back(ending, tmp_path):
    path = tmp_path / f"out{ending}"

    def fails(result):
        raise ValueError("a name\ud800, é and an end\0")

    def at_first(result):
        return fails(result) if result.outputs[0, 0] > 1 else 1.0

    kept = {"f": cn.UserFunction(at_first, version="1")}
    ds = cn.scan(NET, AXES, outputs=kept, path=path)
    found = cn.open_scan(path)
    xr.testing.assert_identical(found, ds)
    reason = "failed: f: ValueError: a name\\ud800, é and an end\\x00"
    assert found.status.sel(x0=1, x1=0).item() == reason


@pytest.mark.parametrize("engine", NETCDF)
@pytest.mark.parametrize("name", ["/", "a/b", "."])
def test_names_of_groups_are_refused_before_they_are_solved(engine, name, tmp_path, monkeypatch):
    monkeypatch.setattr("crn_nn_tellurium.scans.files._netcdf_engine", lambda: engine)
    monkeypatch.setattr(scanning, "solve_chunks", None)
    with pytest.raises(cn.InputError, match=f"{name!r} would be a name in netCDF"):
        cn.scan(NET, cn.paired(AXES, dim=name), path=tmp_path / "out.nc")
    assert not any(tmp_path.iterdir())


def test_names_that_netcdf_3_does_not_have_are_refused_before_they_are_solved(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("crn_nn_tellurium.scans.files._netcdf_engine", lambda: "scipy")
    for vary, kept in ((AXES, {"θ": "outputs"}), (cn.paired({"x0": [0.0]}, dim="θ"), "outputs")):
        with pytest.raises(cn.InputError, match="'θ' would be a name in netCDF 3"):
            cn.scan(NET, vary, outputs=kept, path=tmp_path / "out.nc")
        assert not list(tmp_path.iterdir())
        ds = cn.scan(NET, vary, outputs=kept, path=cn.ScanFile(tmp_path / "out.zarr"))
        xr.testing.assert_identical(cn.open_scan(tmp_path / "out.zarr"), ds)
        shutil.rmtree(tmp_path / "out.zarr")


def test_a_variable_that_netcdf_3_cannot_hold_is_refused(tmp_path, monkeypatch):
    """By its size alone: nobody has 2 GB solved for a test."""
    monkeypatch.setattr("crn_nn_tellurium.scans.files._netcdf_engine", lambda: "scipy")
    with pytest.raises(cn.InputError, match=r"a variable takes 2\.1 GB, and netCDF 3 holds 2 GB"):
        check_fits(tmp_path / "out.nc", ["outputs"], 2**31 - 4)
    check_fits(tmp_path / "out.nc", ["outputs"], 2**31 - 5)
    check_fits(tmp_path / "out.zarr", ["outputs"], 2**31)


@pytest.mark.parametrize("is_same", [True, False])
def test_what_another_process_writes_meanwhile_is_not_replaced(is_same, tmp_path, monkeypatch):
    path, solved = tmp_path / "out.nc", []
    begin, solve_chunks = scanning._Result, scanning.solve_chunks

    def spy(plan, *rest):
        solved.append(plan)
        return solve_chunks(plan, *rest)

    def meanwhile(plan):
        # after this call has seen that there is no file, and before it keeps others out
        monkeypatch.setattr(scanning, "_Result", begin)
        cn.scan(NET, AXES if is_same else AXES | {"x0": [2.0]}, path=path)
        return begin(plan)

    monkeypatch.setattr(scanning, "solve_chunks", spy)
    monkeypatch.setattr(scanning, "_Result", meanwhile)
    if is_same:
        xr.testing.assert_identical(cn.scan(NET, AXES, path=path), cn.open_scan(path))
    else:
        with pytest.raises(FileExistsError, match="holds something else than this scan"):
            cn.scan(NET, AXES, path=path)
        assert cn.open_scan(path).x0.values.tolist() == [2.0]
    assert len(solved) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["out.nc"]


@pytest.mark.parametrize("ending", [".nc", ".zarr"])
def test_chunks_that_a_kill_left_beside_their_result_go_with_the_next_call(
    ending, tmp_path, monkeypatch
):
    path, parts = tmp_path / f"out{ending}", tmp_path / f"out{ending}.parts"
    with monkeypatch.context() as patched:
        patched.setattr(scanning.Parts, "remove", lambda parts: None)
        ds = cn.scan(NET, AXES, path=path)
    assert parts.is_dir()
    # what somebody put there, and another scan's, stays
    (parts / "diary.txt").write_text("of ours", encoding="utf-8")
    cn.scan(NET, AXES, path=path)
    (parts / "diary.txt").unlink()
    state = (parts / "scan.json").read_text(encoding="utf-8")
    (parts / "scan.json").write_text("{}", encoding="utf-8")
    cn.scan(NET, AXES, path=path)
    (parts / "scan.json").write_text(state, encoding="utf-8")
    xr.testing.assert_identical(cn.scan(NET, AXES, path=path), ds)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("name", ["scan.json", "00000000.npz"])
def test_what_links_among_chunks_lead_to_is_not_written_over(name, tmp_path):
    mine, parts = tmp_path / "mine", tmp_path / "out.nc.parts"
    mine.write_text("precious", encoding="utf-8")
    parts.mkdir()
    (parts / name).symlink_to(mine)
    with pytest.raises(FileExistsError, match=f"holds '{name}', which is none of a scan's"):
        cn.scan(cn.load_model("xor"), {"x0": [0.0, 1.0]}, x=[0.0, 1.0], path=tmp_path / "out.nc")
    assert mine.read_text(encoding="utf-8") == "precious"


def test_a_state_nested_without_end_is_another_scans(tmp_path):
    parts = tmp_path / "out.nc.parts"
    parts.mkdir()
    (parts / "scan.json").write_text("[" * 100_000, encoding="utf-8")
    (parts / "00000000.npz").write_bytes(b"")
    with pytest.raises(FileExistsError, match="chunks of another scan"):
        cn.scan(cn.load_model("xor"), {"x0": [0.0, 1.0]}, x=[0.0, 1.0], path=tmp_path / "out.nc")


def test_files_of_the_users_among_chunks_are_not_deleted(tmp_path):
    folder = tmp_path / "out.nc.parts"
    folder.mkdir()
    (folder / "diary.txt").write_text("of ours", encoding="utf-8")
    with pytest.raises(FileExistsError, match=r"holds 'diary\.txt', which is none of a scan's"):
        cn.scan(NET, AXES, path=tmp_path / "out.nc")
    assert [file.name for file in folder.iterdir()] == ["diary.txt"]
    assert [file.name for file in tmp_path.iterdir()] == ["out.nc.parts"]
