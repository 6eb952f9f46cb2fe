"""What a run measured: the file that keeps it, and the tables that show it."""

import json
import math

import numpy as np
import pytest
from crn_nn_tellurium.commands.benchmarks import CertificateCost, Cost, GradientCost, Row
from crn_nn_tellurium.commands.measurements import Measurements, seconds, tables

MEASURED = Measurements(
    date="2026-11-27",
    machine={"processor": "a"},
    usual_script=(Row("xor", 0.25, 1.25e-5, "2 errors"), Row("large", math.nan, 2.0)),
    layers=(Cost(64, 32, 0.02, 1e-4),),
    gradients=(GradientCost((2, 2, 1), 32, 1e-3, 2e-3, 3e-4, math.nan, math.nan),),
    certificates=(CertificateCost((784, 10), 1e-3),),
)


def test_a_file_of_measurements_is_read_back():
    text = MEASURED.to_json()
    again = Measurements.from_json(text)
    # NaN is not equal to itself, so texts are compared: they hold every number with all digits
    assert again.to_json() == text
    assert again.gradients[0].sizes == (2, 2, 1)
    assert again.usual_script[0] == MEASURED.usual_script[0]
    assert math.isnan(again.usual_script[1].usual)
    # strict JSON, which has no NaN
    document = json.loads(text, parse_constant=pytest.fail)
    assert document["usual_script"][1]["usual"] is None


def test_tables_say_what_was_not_measured():
    written = {name: table.markdown().splitlines() for name, table in tables(MEASURED).items()}
    assert written["usual-script"][2:] == [
        "| xor (2 errors) | 250 ms | 12.5 µs | 20,000 |",
        "| large | not run | 2 s |  |",
    ]
    assert written["layers"][2] == "| 64 | 32 | 2,048 | 20 ms | 100 µs | 48.8 ns |"
    assert written["gradients"][2].endswith("| not installed | not installed |")
    assert written["certificates"][2].endswith("| too large | too large | too large |")


def test_seconds():
    assert [seconds(t) for t in (2.5, 0.25, 2.5e-5, 2.5e-8)] == [
        "2.5 s",
        "250 ms",
        "25 µs",
        "25 ns",
    ]


@pytest.mark.slow
def test_a_run_measures_all_that_its_tables_and_its_file_have(run, tmp_path):
    code, out, err = run("bench -o figures.json")
    assert code == 0, err
    measured = Measurements.from_json((tmp_path / "figures.json").read_text(encoding="utf-8"))
    assert "wrote figures.json (measurements, " in err
    for name, table in tables(measured).items():
        assert table.title in out, name
        assert table.rows, name
    ours = [row.ours for row in measured.usual_script]
    assert np.all(np.isfinite(ours) & (np.array(ours) > 0))
    assert {"xor", "iris"} <= {row.what for row in measured.usual_script}
    code, _, err = run("bench -o figures.json")
    assert code == 2
    assert "'figures.json' exists; --overwrite replaces it" in err
