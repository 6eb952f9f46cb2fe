"""Gradients as a table, and all methods side by side."""

import numpy as np
import pandas as pd
from support.tolerances import LAST_DIGIT, SOLVED

import crn_nn_tellurium as cn


def test_gradient_reports_writes_and_checks(run, flowers, tmp_path):
    run("train flowers.csv --target species --layers 3 -o f.json --max-iter 20")
    flowers[::30].to_csv(tmp_path / "few.csv", index=False)
    typed = "gradient f.json few.csv --target species --loss cross_entropy"
    code, out, _ = run(f"{typed} -o g.csv --check")
    assert code == 0
    assert "GradientCheck: passed" in out
    table = pd.read_csv(tmp_path / "g.csv")
    net = cn.Network.load(tmp_path / "f.json")
    x = flowers[::30].drop(columns="species").to_numpy()
    expected = cn.gradient(net, x, flowers["species"][::30], "cross_entropy").vector()
    np.testing.assert_allclose(table["derivative"], expected, rtol=SOLVED, atol=LAST_DIGIT)
    assert table["parameter"][0] == "w1_0_0"
