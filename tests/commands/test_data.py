"""The shipped networks' data as tables, which the other verbs read."""

import io
import sys

import numpy as np
import pandas as pd
import pytest

import crn_nn_tellurium as cn


@pytest.mark.parametrize(
    ("name", "target"),
    [("iris", "species"), ("xor", "xor"), ("moons", "moon"), ("digits", "digit")],
)
@pytest.mark.parametrize(("part", "place"), [("held-out", 1), ("training", 0)])
def test_data_are_those_of_the_network(run, tmp_path, name, target, part, place):
    code, out, err = run(f"data {name} -o a.csv --part {part}")
    data = cn.model_data(name)
    assert (code, out) == (0, "")
    assert f"wrote a.csv ({len(data[place])} {part} rows, " in err
    assert f"next: crn-nn predict {name} a.csv --target {target}" in err
    frame = pd.read_csv(tmp_path / "a.csv")
    assert frame.columns.tolist() == [*cn.load_model(name).input_names, target]
    # pandas before 3 reads numbers to within some last bits of their first digits
    np.testing.assert_allclose(frame.drop(columns=target), data[place], rtol=0, atol=1e-15)
    assert frame[target].tolist() == data[place + 2].tolist()


def test_what_is_written_is_what_a_user_types_next(run, tmp_path):
    assert run("data iris -o flowers.csv")[0] == 0
    assert "accuracy: 100.0% of 30" in run("predict iris flowers.csv --target species")[2]
    assert run("predict iris flowers.csv")[0] == 0
    assert run("gradient iris flowers.csv --target species --loss cross_entropy")[0] == 0
    assert run("certify iris flowers.csv --bound cheap")[0] == 0
    assert run("train flowers.csv --target species --max-iter 3 -o flowers.json")[0] == 0
    assert run("predict flowers.json flowers.csv --target species")[0] == 0


def test_a_pipe_that_never_ends_is_not_read_for_ever(run, monkeypatch):
    class Endless(io.StringIO):
        def read(self, size=-1):
            return "\0" * size

    monkeypatch.setattr(sys, "stdin", Endless())
    monkeypatch.setattr("crn_nn_tellurium.basics.files._MOST_BYTES", 2**22)
    expected = "crn-nn: 'standard input': it has more than 4,194,304 bytes\n"
    assert run("predict iris -") == (2, "", expected)


def test_it_goes_through_a_pipe_and_into_tabs(run, tmp_path, monkeypatch):
    table = run("data iris")[1]
    monkeypatch.setattr(sys, "stdin", io.StringIO(table))
    code, out, err = run("predict iris - --target species -o -")
    assert (code, err) == (0, "accuracy: 100.0% of 30\n")
    assert out.startswith("y0,y1,y2,class\n")
    assert run("data iris -o a.tsv")[0] == 0
    assert (tmp_path / "a.tsv").read_text(encoding="utf-8") == table.replace(",", "\t")
    assert run("predict iris a.tsv")[1] == out
