"""Scans written, printed and drawn."""

import numpy as np
import pytest

import crn_nn_tellurium as cn


def test_scan_writes_a_result_a_table_and_a_picture(run, tmp_path):
    typed = "scan xor --vary h=1e-3:1e-1:log:3 --vary x0=0:1:9 -o a.nc"
    code, out, _ = run(f"{typed} --input 0,1 --plot a.png")
    assert code == 0
    for text in (
        "scan of xor_2_2_1",
        "h 3 x x0 9 x output 1",
        "27 points, none failed",
        "result: a.nc",
        "picture: a.png",
    ):
        assert text in out
    ds = cn.open_scan(tmp_path / "a.nc")
    expected = cn.scan(
        cn.load_model("xor"),
        {"h": np.geomspace(1e-3, 1e-1, 3), "x0": np.linspace(0, 1, 9)},
        x=[0, 1],
    )
    np.testing.assert_array_equal(ds.outputs.values, expected.outputs.values)
    assert (tmp_path / "a.png").stat().st_size > 10_000
    code, _, error = run(f"{typed} --input 0,1")
    assert code == 2
    assert "--resume takes it if it is this scan's, --overwrite replaces it" in error
    assert run(f"{typed} --input 0,1 --resume")[0] == 0
    code, _, error = run(f"{typed} --input 1,1 --resume")
    assert code == 2
    assert "something else than this scan" in error


@pytest.mark.parametrize(
    "typed",
    [
        "scan iris --vary petal_length_cm=1:6:5 --cv 0.1 --draws 4 --keep outputs,class",
        "scan xor --vary x0=0:1:9 --vary x1=0:1:9 --keep class",
        "scan xor --vary speed=1,2 --at 1,2,5 --input 1,0 --keep outputs",
        "scan m.ant --vary k=1:2:5 --keep A --at 1",
        "scan xor --vary h=1e-3,1e-2 --keep settling_time --bound cheap --workers 1",
    ],
)
def test_scan_draws_errors_classes_times_and_models(run, tmp_path, typed):
    (tmp_path / "m.ant").write_text("model m() A => ; k*A; A = 1; k = 1; end", encoding="utf-8")
    code, out, error = run(f"{typed} --plot a.png")
    assert code == 0, error
    assert "none failed" in out
    assert (tmp_path / "a.png").stat().st_size > 5_000
