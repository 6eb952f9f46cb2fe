"""Time courses as tables and pictures."""

import pandas as pd
import pytest

import crn_nn_tellurium as cn


def test_simulate_writes_a_table_and_a_picture(run, tmp_path):
    code, out, _ = run("simulate xor --input 0,1 --t-end 300 --plot a.png -o a.csv")
    assert code == 0
    assert out == ""
    course = pd.read_csv(tmp_path / "a.csv")
    assert course.columns.tolist() == ["time", "Y1_0", "Y1_1", "Yp2_0", "Yn2_0", "y0"]
    assert course["y0"].iloc[-1] == pytest.approx(cn.load_model("xor")([0, 1])[0], abs=1e-5)
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    code, out, _ = run("simulate xor --input 0,1 --plot b.svg --volume 100")
    assert code == 0
    assert "settles at 0.95369" in out
