"""Scans written, printed and drawn."""

import numpy as np
import pandas as pd
import pytest

import crn_nn_tellurium as cn


def test_scan_writes_a_result_a_table_and_a_picture(run, tmp_path):
    typed = "scan xor --vary h=1e-3:1e-1:log:3 --vary x0=0:1:9 -o a.nc"
    code, out, err = run(f"{typed} --input 0,1 --plot a.png")
    assert code == 0
    assert "wrote a.nc (result, " in err
    assert "wrote a.png (picture, " in err
    for text in (
        "scan of xor_2_2_1",
        "h 3 x x0 9 x output 1",
        "27 points, none failed",
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


def test_a_scan_as_a_table_has_a_row_per_point(run, tmp_path):
    typed = "scan xor --vary h=1e-3,1e-2 --cv 0.1,0.2 --draws 3 --input 0,1"
    code, _, err = run(f"{typed} --keep outputs,class,species -o a.csv")
    assert code == 0
    assert "wrote a.csv (12 points, " in err
    frame = pd.read_csv(tmp_path / "a.csv")
    assert frame.columns.tolist() == [
        *("h", "cv", "draw", "y0", "class", "Y1_0", "Y1_1", "Yp2_0", "Yn2_0", "status"),
    ]
    xor = cn.load_model("xor")
    axes = {"h": [1e-3, 1e-2]}, *cn.lognormal([0.1, 0.2], draws=3)
    expected = cn.scan(xor, [cn.paired(axes[0], "h"), *axes[1:]], x=[0, 1])
    # pandas before 3 reads numbers to within some last bits
    np.testing.assert_allclose(frame["y0"], expected.outputs.values.ravel(), rtol=1e-14)
    assert run(f"{typed} --at 1,2 -o a.tsv")[0] == 0
    times = pd.read_csv(tmp_path / "a.tsv", sep="\t")
    assert times.columns.tolist() == ["h", "cv", "draw", "time", "y0", "status"]
    assert len(times) == 24


def test_points_that_fail_are_counted_with_the_first_reason(run, tmp_path):
    (tmp_path / "m.ant").write_text("-> A; k; A -> ; d*A; k = 3; d = 1; A = 1")
    code, out, _ = run("scan m.ant --vary d=0,2,0 --keep A -o a.csv")
    assert code == 0
    assert "3 points, 2 failed: " in out
    # A rests at k/d, and nowhere without an outflow
    np.testing.assert_allclose(pd.read_csv(tmp_path / "a.csv")["A"], [np.nan, 1.5, np.nan])
