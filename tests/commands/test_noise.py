"""Noise and smallest volumes of a table, as the library has them."""

import sys
from io import StringIO

import numpy as np
import pandas as pd
from support.tolerances import ROUNDED

import crn_nn_tellurium as cn


def test_noise_at_a_volume(run, tmp_path):
    code, out, err = run("noise xor --input 0,1 --input 1,1 --volume 500 -o a.csv --plot a.png")
    assert (code, out) == (0, "")
    assert (tmp_path / "a.png").stat().st_size > 5_000
    table = pd.read_csv(tmp_path / "a.csv")
    direct = cn.noise(cn.load_model("xor"), [[0, 1], [1, 1]], volume=500)
    np.testing.assert_allclose(table.y0_mean, direct.mean[:, 0])
    np.testing.assert_allclose(table.y0_standard_deviation, direct.standard_deviation[:, 0])
    np.testing.assert_allclose(table.probability_1, direct.probabilities[:, 1])
    assert table.doubtful_species.tolist() == direct.doubtful.sum(axis=1).tolist()
    assert "doubtful: " in err


def test_the_fewest_molecules_of_a_table(run, tmp_path):
    (tmp_path / "x.csv").write_text("x0,x1,y\n0,1,1\n1,1,0\n")
    code, out, err = run("noise xor x.csv --target y --confidence 0.9 --plot a.png")
    assert code == 0
    rows = [line.split(",") for line in out.split()]
    direct = cn.smallest_volume(cn.load_model("xor"), [[0, 1], [1, 1]], [1, 0], 0.9)
    place = rows[0].index("volume")
    np.testing.assert_allclose([float(row[place]) for row in rows[1:]], direct.volumes)
    assert "right in 90 % of runs" in err


def test_a_table_from_standard_input_is_read_once(run, monkeypatch):
    text = "x0,x1,y\n0,1,1\n1,1,0\n"
    monkeypatch.setattr(sys, "stdin", StringIO(text))
    code, out, _ = run("noise xor - --target y")
    assert code == 0
    direct = cn.smallest_volume(cn.load_model("xor"), [[0, 1], [1, 1]], [1, 0])
    table = pd.read_csv(StringIO(out))
    np.testing.assert_allclose(table.volume, direct.volumes)
    assert table["class"].tolist() == [1, 0]
    monkeypatch.setattr(sys, "stdin", StringIO(text))
    code, out, _ = run("certify xor - --bound cheap")
    assert code == 0
    assert "row 2" in out


def test_volumes_in_litres(run):
    code, out, err = run("noise xor --input 0,1 --input 1,1 --c0 50")
    assert code == 0
    table = pd.read_csv(StringIO(out))
    # molecules per litre at 50 nM
    np.testing.assert_allclose(table.litres, table.volume / (50e-9 * 6.02214076e23))
    assert f"({table.litres.max():.2g} l)" in err
    code, _, err = run("noise xor --input 0,1 --c0 -1")
    assert code == 2
    assert err.startswith("crn-nn: PhysicalUnits: --c0 is -1.0; expected a concentration in nM")
    code, _, err = run("noise xor --input 0,1 --c0 50 --volume 9")
    assert code == 2
    assert "--c0: of the fewest molecules; expected no --volume with them" in err
    code, out, _ = run("noise xor --input 0,1")
    assert "litres" not in out


def test_a_scan_keeps_both(run, tmp_path):
    typed = "scan xor --vary x0=0:1:5 --input 0,1 --keep class_probability,standard_deviation"
    code, out, _ = run(f"{typed} --volume 500 -o a.csv --plot a.png")
    assert code == 0
    assert "5 points, " in out
    assert " doubtful: " in out
    table = pd.read_csv(tmp_path / "a.csv")
    x = np.column_stack([np.linspace(0, 1, 5), np.ones(5)])
    direct = cn.noise(cn.load_model("xor"), x, volume=500)
    # as texts that hold every digit, of the same functions in other batches
    np.testing.assert_allclose(table["standard_deviation_y0"], direct.standard_deviation[:, 0])
    found = table[["class_probability_0.0", "class_probability_1.0"]]
    np.testing.assert_allclose(found, direct.probabilities, atol=ROUNDED)
