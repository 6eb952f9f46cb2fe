"""What a chemist is told of settling times and margins."""

import numpy as np
import pandas as pd
from support.tolerances import LAST_DIGITS

import crn_nn_tellurium as cn
from crn_nn_tellurium import fastest_units


def test_certify_prints_what_a_chemist_needs(run, tmp_path):
    typed = "certify xor --input 0,1 --input 1,1 --rates 0.02 --tolerance 0.05"
    code, out, err = run(f"{typed} --plot a.png")
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    net = cn.load_model("xor")
    x = [[0, 1], [1, 1]]
    certificate = cn.certify(net, x, 0.05, rates=0.02)
    hours = fastest_units(net).hours(certificate.settling_time)
    lower, upper = certificate.outputs.lower[0, 0], certificate.outputs.upper[0, 0]
    for text in (
        "0.9537",
        f"{lower:.4g} to {upper:.4g}",
        f"{certificate.settling_time:.4g}",
        f"{hours:.3g} h",
        "0.5 nM",
        f"{100 * cn.certified_margin(net, x)[0]:.3g} %",
        " -> ".join(certificate.chain),
        "all non-negative starts",
        "off by up to 2 %",
        "one positive fixed point",
        "1e+06 /M/s",
    ):
        assert text in out, text
    assert err.startswith("wrote a.png (picture, ")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_certify_takes_a_table_and_writes_one(run, tmp_path):
    x = cn.model_data("iris")[1][:10]
    np.savetxt(tmp_path / "x.csv", x, delimiter=",")
    typed = "certify iris x.csv --bound cheap --tau 100 --c0 5 --initial-max 100"
    code, out, err = run(f"{typed} -o a.csv")
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    for text in (
        "10 inputs",
        "y0: setosa",
        "of input",
        "cheap",
        "0.005 nM",
        "1 is 5 nM, a time of 1 is 100 s",
    ):
        assert text in out
    assert err.startswith("wrote a.csv (10 rows, ")
    net = cn.load_model("iris")
    certificate = cn.certify(net, x, bound="cheap")
    found = pd.read_csv(tmp_path / "a.csv")
    assert found.columns.tolist()[: net.n_in] == list(net.input_names)
    # pandas before 3 reads numbers to within some last bits
    np.testing.assert_allclose(
        found[["y0_settled", "y1_settled", "y2_settled"]], certificate.by_sample, rtol=1e-14
    )
    np.testing.assert_allclose(found["settled_hours"], certificate.by_sample.max(axis=1) / 36)
    np.testing.assert_allclose(
        found["certain_up_to"], cn.certified_margin(net, x), rtol=LAST_DIGITS
    )
    assert found["class"].tolist() == net.predict(x).tolist()


def test_certify_fits_80_columns(run):
    """Several outputs with names, intervals and a number too long for its column."""
    code, out, _ = run("certify iris --input 5.1,3.5,1.4,0.2 --input 6,3,5,1.8 --rates 0.01")
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    table = out.partition("Predicted class")[0]
    assert "no. 1" in table
    net = cn.load_model("iris")
    certificate = cn.certify(net, [[5.1, 3.5, 1.4, 0.2], [6, 3, 5, 1.8]], rates=0.01)
    units = fastest_units(net)
    for time, low, high in zip(
        certificate.by_sample.flat,
        certificate.outputs.lower.flat,
        certificate.outputs.upper.flat,
        strict=True,
    ):
        (row,) = (line for line in table.splitlines() if f"{low:.4g} to {high:.4g}" in line)
        assert f" {time:.4g} │" in row
        assert f" {units.hours(time):.3g} │" in row


def test_certify_says_which_starts_are_capped_and_leaves_classes_out_of_regression(run, tmp_path):
    layers = [
        cn.Layer([[2.0]], [-1.0], cn.SmoothedReLU(h=0.01)),
        cn.Layer([[1.0]], [0.1], cn.Tanh(h=0.25)),
    ]
    cn.Network(layers, task="regression").save(tmp_path / "net.json")
    code, out, _ = run("certify net.json --input 0.5 --initial-max 50 --max-rate-constant 5e5")
    assert code == 0
    assert "with S2_0 at most 50" in out
    assert "5e+05 /M/s" in out
    assert "class" not in out
