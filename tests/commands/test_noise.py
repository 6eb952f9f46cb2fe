"""Noise and smallest volumes of a table, as the library has them."""

import numpy as np
import pandas as pd

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
