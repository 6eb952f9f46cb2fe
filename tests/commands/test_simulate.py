"""Time courses as tables and pictures."""

import math

import pandas as pd
import pytest
from support.tolerances import INTEGRATED

import crn_nn_tellurium as cn


def test_simulate_writes_a_table_and_a_picture(run, tmp_path):
    code, out, err = run("simulate xor --input 0,1 --t-end 300 --plot a.png -o a.csv")
    assert code == 0
    assert out == ""
    assert "wrote a.csv (501 times, " in err
    assert "wrote a.png (picture, " in err
    course = pd.read_csv(tmp_path / "a.csv")
    assert course.columns.tolist() == ["time", "Y1_0", "Y1_1", "Yp2_0", "Yn2_0", "y0"]
    assert course["y0"].iloc[-1] == pytest.approx(cn.load_model("xor")([0, 1])[0], abs=INTEGRATED)
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    code, out, _ = run("simulate xor --input 0,1 --plot b.svg --volume 100")
    assert code == 0
    assert "settles at 0.95369" in out


def test_models_of_others_are_taken_from_their_files(run, tmp_path):
    (tmp_path / "decay.ant").write_text("A -> B; k*A; k = 2; A = 3; C := A + B", encoding="utf-8")
    assert run("export decay.ant -o decay.xml")[0] == 0
    for file in ("decay.ant", "decay.xml"):
        code, out, _ = run(f"simulate {file} --t-end 1 --points 2")
        heading, _, last = out.splitlines()
        assert (code, heading) == (0, "time,A,B,C")
        # to the 1e-10 of the integrator
        assert list(map(float, last.split(","))) == pytest.approx(
            [1, 3 * math.exp(-2), 3 - 3 * math.exp(-2), 3], rel=1e-8
        )
        shown = run(f"show {file}")[1]
        assert "outputs: C" in shown
        assert "A => B    k = 2" in shown
        assert run(f"scan {file} --vary A=1:2:2 --keep B --at 1")[0] == 0
        expected = cn.to_antimony(tmp_path / file, form="compact")
        assert run(f"compile {file} --form compact")[1] == expected
    assert "C = 3 at t = 50\n" in run("simulate decay.xml --plot a.png")[1]


def test_draws_are_written_as_means_and_spreads(run, tmp_path):
    command = "simulate xor --input 0,1 --t-end 2 --points 3 --volume 50 --draws 4 --seed 1"
    code, out, _ = run(f"{command} -o a.csv")
    assert (code, out) == (0, "")
    table = pd.read_csv(tmp_path / "a.csv")
    course = cn.Simulator(cn.load_model("xor")).time_course(
        [0, 1], 2.0, 3, volume=50, draws=4, seed=1
    )
    # pandas before 3 reads numbers to within some last bits
    assert table["y0"].tolist() == pytest.approx(course["y0"].mean(axis=0).tolist(), 1e-14)
    spread = course["y0"].std(axis=0, ddof=1)
    assert table["y0_spread"].tolist() == pytest.approx(spread.tolist(), 1e-14)
    # without a seed, that of 0: the same command gives the same table
    command = "simulate xor --input 0,1 --t-end 2 --points 3 --volume 50"
    assert run(command)[1] == run(f"{command} --seed 0")[1]
    code, _, problem = run("simulate xor --input 0,1 --draws 4")
    assert code != 0
    assert "expected a volume with it" in problem
