"""The chemistry's answers to tables, however a spreadsheet writes them."""

import numpy as np
import pandas as pd
import pytest
from support.tolerances import SOLVED

import crn_nn_tellurium as cn


def test_predict_answers_a_table(run, tmp_path):
    x, _, y, _ = cn.model_data("iris")
    frame = pd.DataFrame(x[:9], columns=cn.load_model("iris").input_names).assign(
        kind=y[:9], other="text"
    )
    frame[frame.columns[::-1]].to_csv(tmp_path / "flowers.csv", index=False)
    code, _, err = run("predict iris flowers.csv -o answers.csv --target kind")
    assert code == 0
    answers = pd.read_csv(tmp_path / "answers.csv")
    net = cn.load_model("iris")
    assert answers.columns.tolist() == ["y0", "y1", "y2", "class"]
    np.testing.assert_allclose(answers[["y0", "y1", "y2"]], net(x[:9]), rtol=SOLVED)
    assert answers["class"].tolist() == net.predict(x[:9]).tolist()
    assert f"accuracy: {np.mean(net.predict(x[:9]) == y[:9]):.1%} of 9" in err


def test_predict_takes_numbers_without_a_header(run, tmp_path):
    (tmp_path / "x.csv").write_text("0,1\n1, 1\n")
    code, out, _ = run("predict xor x.csv")
    assert code == 0
    assert [line.split(",")[-1] for line in out.split()] == ["class", "1", "0"]


@pytest.mark.parametrize(
    "text",
    ["\ufeffx0,x1\n0,1\n1,1\n", "x0;x1\n0;1\n1;1\n", "x0\tx1\n0\t1\n1\t1\n",
     'x1,"x0"\n1,0\n1,1\n', "x0 , x1\n0,1\n\n1,1\n",
     "\ufeff0,1\n1,1\n", '"0","1"\n"1","1"\n'],
    ids=repr,
)  # fmt: skip
def test_tables_as_spreadsheets_write_them(run, tmp_path, text):
    (tmp_path / "x.csv").write_text(text, encoding="utf-8")
    code, out, _ = run("predict xor x.csv")
    assert code == 0
    assert [line.split(",")[-1] for line in out.split()] == ["class", "1", "0"]


def test_labels_are_compared_as_what_they_are(run, tmp_path):
    (tmp_path / "x.csv").write_text("x0,x1,t\n0,1,1.0\n1,1,0\n")
    assert "accuracy: 100.0% of 2" in run("predict xor x.csv --target t")[2]


def test_a_regression_gives_values_and_their_r2(run, tmp_path):
    net = cn.Network([cn.Layer([[2.0]], activation=cn.Linear())], task="regression")
    net.save(tmp_path / "double.json")
    (tmp_path / "x.csv").write_text("x0,t\n0.5,1\n1,2\n2,3\n")
    code, out, err = run("predict double.json x.csv --target t")
    assert code == 0
    values = [float(line) for line in out.split()[1:]]
    np.testing.assert_allclose(values, [1.0, 2.0, 4.0], rtol=SOLVED)
    # 1 - (0 + 0 + 1) / 2
    assert (out.split()[0], err.strip()) == ("y0", "R2: 0.500 of 3")
    (tmp_path / "x.csv").write_text("x0,t\n0.5,1\n")
    assert run("predict double.json x.csv --target t")[2].strip() == (
        "R2: none, which takes two rows or more, of 1"
    )
    cn.Network([cn.Layer([[2.0], [1.0]])], task="regression").save(tmp_path / "two.json")
    code, _, err = run("predict two.json x.csv --target t")
    assert code != 0
    assert "the network has 2 outputs" in err
