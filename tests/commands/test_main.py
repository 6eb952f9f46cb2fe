"""The command as a user types it: what it prints and writes, one clear line for what can be mended."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import crn_nn_tellurium as cn
from crn_nn_tellurium.commands import main as cli
from crn_nn_tellurium.encoding.units import fastest_units
from crn_nn_tellurium.networks.shipped import models_folder


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Runs crn-nn in an empty folder; returns exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["crn-nn", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        printed = capsys.readouterr()
        return caught.value.code or 0, printed.out, printed.err

    return run


def test_demo_runs_in_an_empty_folder(run, tmp_path):
    code, out, _ = run("demo")
    assert code == 0
    for text in ("xor", "digits", "2844", "97.2%", "accuracy, chemistry"):
        assert text in out
    for name in ("xor_settling.png", "digits_confusion.png"):
        assert (tmp_path / "crn-nn-demo" / name).read_bytes().startswith(b"\x89PNG")


def test_show_lists_what_there_is(run):
    code, out, _ = run("show", "iris", "--reactions", 2)
    assert code == 0
    for text in ("sepal_length_cm", "setosa", "122 reactions", "Jh1_0_Y: => Y1_0", "... 120 more"):
        assert text in out


def test_compile_and_export_write_the_model(run, tmp_path):
    assert run("compile", "xor", "-o", "xor.ant")[0] == 0
    assert (tmp_path / "xor.ant").read_text(encoding="utf-8") == cn.to_antimony(
        cn.load_model("xor")
    )
    code, out, _ = run("compile", "xor", "--form", "compact")
    assert (code, out) == (0, cn.to_antimony(cn.load_model("xor"), "compact"))
    assert run("export", "xor", "-o", "xor.xml")[0] == 0
    assert "<sbml" in (tmp_path / "xor.xml").read_text(encoding="utf-8")
    code, _, err = run("export", "xor", "-o", "xor.xml")
    assert code == 2
    assert "exists" in err
    assert run("export", "xor", "-o", "xor.xml", "--overwrite")[0] == 0


def test_predict_answers_a_table(run, tmp_path):
    x, _, y, _ = cn.model_data("iris")
    frame = pd.DataFrame(x[:9], columns=cn.load_model("iris").input_names).assign(
        kind=y[:9], other="text"
    )
    frame[frame.columns[::-1]].to_csv(tmp_path / "flowers.csv", index=False)
    code, _, err = run("predict", "iris", "flowers.csv", "-o", "answers.csv", "--target", "kind")
    assert code == 0
    answers = pd.read_csv(tmp_path / "answers.csv")
    net = cn.load_model("iris")
    assert answers.columns.tolist() == ["y0", "y1", "y2", "class"]
    np.testing.assert_allclose(answers[["y0", "y1", "y2"]], net(x[:9]), rtol=1e-9)
    assert answers["class"].tolist() == net.predict(x[:9]).tolist()
    assert f"accuracy: {np.mean(net.predict(x[:9]) == y[:9]):.1%} of 9" in err


def test_predict_takes_numbers_without_a_header(run, tmp_path):
    (tmp_path / "x.csv").write_text("0,1\n1, 1\n")
    code, out, _ = run("predict", "xor", "x.csv")
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
    code, out, _ = run("predict", "xor", "x.csv")
    assert code == 0
    assert [line.split(",")[-1] for line in out.split()] == ["class", "1", "0"]


def test_labels_are_compared_as_what_they_are(run, tmp_path):
    (tmp_path / "x.csv").write_text("x0,x1,t\n0,1,1.0\n1,1,0\n")
    assert "accuracy: 100.0% of 2" in run("predict", "xor", "x.csv", "--target", "t")[2]


def test_simulate_writes_a_table_and_a_picture(run, tmp_path):
    code, out, _ = run(
        "simulate", "xor", "--input", "0,1", "--t-end", 300, "--plot", "a.png", "-o", "a.csv"
    )
    assert code == 0
    assert out == ""
    course = pd.read_csv(tmp_path / "a.csv")
    assert course.columns.tolist() == ["time", "Y1_0", "Y1_1", "Yp2_0", "Yn2_0", "y0"]
    assert course["y0"].iloc[-1] == pytest.approx(cn.load_model("xor")([0, 1])[0], abs=1e-5)
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    code, out, _ = run("simulate", "xor", "--input", "0,1", "--plot", "b.svg", "--volume", 100)
    assert code == 0
    assert "settles at 0.95369" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("show", "nope"), "no shipped model is called 'nope'; there are digits, iris, moons, xor"),
        (("show", "nope.json"), "there is no such file"),
        (("show", "bad.json"), "not JSON"),
        (("predict", "xor", "nope.csv"), "there is no such file"),
        (("predict", "xor", "columns.csv"), "no column x1; it has x0, z"),
        (("predict", "xor", "shape.csv"), "3 columns without a header; expected 2"),
        (("predict", "xor", "text.csv"), "row 2, column 'x1': 'many' is no number"),
        (("predict", "xor", "gap.csv"), "row 1, column 'x1': an empty cell is no number"),
        (("predict", "xor", "header.csv"), "no rows"),
        (("predict", "xor", "empty.csv"), "not a CSV table"),
        (("predict", "xor", "ragged.csv"), "line 3 has 4 cells; expected 2"),
        (("predict", "xor", "wide.csv"), "line 2 has 3 cells; expected 2"),
        (("predict", "xor", "twice.csv"), "the column 'x1' is there twice"),
        (
            ("predict", "iris", "target.csv", "--target", "kind"),
            "row 2, column 'kind': an empty cell is no class",
        ),
        (("show", "kind.json"), "not as saved"),
        (("show", "folder"), "no shipped model is called 'folder'"),
        (("predict", "xor", "negative.csv"), "a concentration is not negative"),
        (("predict", "xor", "good.csv", "--target", "t"), "no column 't'"),
        (("simulate", "xor", "--input", "0"), "one column per input"),
        (("simulate", "xor", "--input", "0,b"), "expected 2 numbers"),
        (("simulate", "xor", "--input", "0,1", "--t-end", "-1"), "t_end is -1.0; expected"),
        (
            ("simulate", "xor", "--input", "0,1", "--plot", "a.doc"),
            "no picture format has the ending '.doc'",
        ),
        (("simulate", "xor", "--input", "0,1", "-o", "nowhere/a.csv"), "there is no folder"),
        (("compile", "xor", "--form", "short"), "expected one of 'reactions'"),
        (
            ("export", "xor", "-o", "a.doc"),
            "unknown ending '.doc'; known: .ant (Antimony), .xml (SBML",
        ),
        (("demo", "-o", "good.csv"), "good.csv"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_what_a_user_can_mend_is_one_line_and_exit_code_2(run, tmp_path, arguments, message):
    files = {
        "bad.json": "{", "columns.csv": "x0,z\n1,2\n", "shape.csv": "1,2,3\n", "text.csv": "x0,x1\n1,2\n3,many\n",
        "gap.csv": "x0,x1\n1,\n", "header.csv": "x0,x1\n", "empty.csv": "", "ragged.csv": "x0,x1\n1,2\n1,2,3,4\n",
        "wide.csv": "x0,x1\n1,2,3\n4,5,6\n", "twice.csv": "x0,x1,x1\n1,2,3\n",
        "target.csv": ",".join([*cn.load_model("iris").input_names, "kind"]) + "\n1,1,1,1,setosa\n1,1,1,1,\n",
        "kind.json": (models_folder() / "xor.json").read_text(encoding="utf-8").replace('"activation": {', '"was": {'),
        "negative.csv": "x0,x1\n1,-1\n", "good.csv": "x0,x1\n0,1\n",
    }  # fmt: skip
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    code, out, err = run(*arguments)
    assert code == 2
    assert message in err
    assert err.count("\n") == 1
    assert out == ""
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(files)


def test_a_failed_steady_state_is_exit_code_1(run, tmp_path, monkeypatch):
    def fail(self, x):
        raise cn.ConvergenceError("1 of 1 samples have no steady state")

    monkeypatch.setattr(cn.Simulator, "steady_state", fail)
    (tmp_path / "x.csv").write_text("0,1\n")
    code, _, err = run("predict", "xor", "x.csv")
    assert (code, err) == (1, "crn-nn: 1 of 1 samples have no steady state\n")


def test_our_own_bugs_are_not_hidden(run, tmp_path, monkeypatch):
    monkeypatch.setattr(cli, "_load", lambda net: 1 + "one")
    monkeypatch.setattr(sys, "argv", ["crn-nn", "show", "xor"])
    with pytest.raises(TypeError):
        cli.main()


@pytest.mark.parametrize(
    "command",
    ["demo", "show", "compile", "export", "predict", "simulate", "certify", "scan", "bench"],
)
def test_help_has_an_example(run, command):
    code, out, _ = run(command, "--help")
    assert code == 0
    assert f"Example: crn-nn {command}" in out


def test_the_installed_command_starts(tmp_path):
    out = subprocess.run(
        [Path(sys.executable).with_name("crn-nn"), "--version"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    ).stdout
    assert out.strip() == cn.__version__


# train and gradient
# -----------------------------------------------------------------------------------


@pytest.fixture
def flowers(tmp_path):
    """Iris as a table whose headers are no identifiers."""
    from sklearn.datasets import load_iris

    data = load_iris(as_frame=True)
    frame = data.data.assign(species=data.target_names[data.target])
    frame.to_csv(tmp_path / "flowers.csv", index=False)
    return frame


def test_train_writes_a_network_that_predicts_the_table(run, flowers, tmp_path):
    options = ["--layers", "6,4", "-o", "f.json", "--plot", "h.png", "--max-iter", 60]
    code, out, _ = run("train", "flowers.csv", "--target", "species", *options)
    assert code == 0
    for text in (
        "4-6-4-3",
        "held out: accuracy, chemistry",
        "verified by the engine on 120 samples",
        "network: f.json",
    ):
        assert text in out
    assert (tmp_path / "h.png").read_bytes().startswith(b"\x89PNG")
    net = cn.Network.load(tmp_path / "f.json")
    assert net.name == "f"
    assert net.class_names == ("setosa", "versicolor", "virginica")
    code, _, err = run("predict", "f.json", "flowers.csv", "--target", "species")
    assert code == 0
    assert float(err.split("accuracy: ")[1].split("%")[0]) > 90


def test_columns_that_are_one_identifier_can_be_predicted_from(run, tmp_path, rng):
    x = rng.random((40, 2))
    frame = pd.DataFrame(
        {"a b": x[:, 0], "a_b": x[:, 1], "t": np.where(x[:, 0] > 0.5, "up", "down")}
    )
    frame.to_csv(tmp_path / "twins.csv", index=False)
    assert (
        run(
            "train",
            "twins.csv",
            "--target",
            "t",
            "--layers",
            "3",
            "-o",
            "twins.json",
            "--max-iter",
            20,
        )[0]
        == 0
    )
    assert cn.Network.load(tmp_path / "twins.json").input_names == ("a_b_2", "a_b")
    code, _, err = run("predict", "twins.json", "twins.csv", "--target", "t")
    assert code == 0
    assert float(err.split("accuracy: ")[1].split("%")[0]) > 80


def test_train_regresses_where_the_target_has_fractions(run, tmp_path, rng):
    x = rng.random((60, 2))
    pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": x.sum(axis=1)}).to_csv(
        tmp_path / "sum.csv", index=False
    )
    code, out, _ = run(
        "train", "sum.csv", "--target", "y", "--layers", "4", "--alpha", 0.01, "-o", "sum.json"
    )
    assert code == 0
    assert "R2, chemistry" in out
    net = cn.Network.load(tmp_path / "sum.json")
    assert net.input_names == ("a", "b")
    np.testing.assert_allclose(net([[0.3, 0.4]]), [[0.7]], atol=0.05)


def test_gradient_reports_writes_and_checks(run, flowers, tmp_path):
    run(
        "train",
        "flowers.csv",
        "--target",
        "species",
        "--layers",
        "3",
        "-o",
        "f.json",
        "--max-iter",
        20,
    )
    flowers[::30].to_csv(tmp_path / "few.csv", index=False)
    code, out, _ = run("gradient", "f.json", "few.csv", "--target", "species", "--loss", "cross_entropy", "-o", "g.csv",
                       "--check")  # fmt: skip
    assert code == 0
    assert "GradientCheck: passed" in out
    table = pd.read_csv(tmp_path / "g.csv")
    net = cn.Network.load(tmp_path / "f.json")
    x = flowers[::30].drop(columns="species").to_numpy()
    expected = cn.gradient(net, x, flowers["species"][::30], "cross_entropy").vector()
    np.testing.assert_allclose(table["derivative"], expected, rtol=1e-9, atol=1e-15)
    assert table["parameter"][0] == "w1_0_0"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "flowers.csv", "--target", "genus", "-o", "f.json"], "no column 'genus'"),
        (
            ["train", "flowers.csv", "--target", "species", "-o", "f.json", "--layers", "8;8"],
            "--layers is '8;8'",
        ),
        (
            ["train", "flowers.csv", "--target", "species", "-o", "f.json", "--task", "guess"],
            "--task is 'guess'",
        ),
        (
            ["train", "flowers.csv", "--target", "species", "-o", "f.json", "--task", "regress"],
            "is no number",
        ),
        (
            ["train", "flowers.csv", "--target", "species", "-o", "no/f.json"],
            "there is no folder 'no'",
        ),
        (
            ["train", "flowers.csv", "--target", "species", "-o", "f.json", "--density", "2"],
            "density is 2.0",
        ),
        (["train", "numbers.csv", "--target", "y", "-o", "f.json"], "expected the columns' names"),
        (["train", "one.csv", "--target", "y", "-o", "f.json"], "no column besides 'y'"),
        (
            ["train", "nan.csv", "--target", "y", "-o", "f.json"],
            "row 2, column 'y': 'nan' is no target",
        ),
        (
            ["train", "nan.csv", "--target", "x", "-o", "f.json"],
            "row 2, column 'y': 'nan' is not finite",
        ),
        (["train", "few.csv", "--target", "y", "-o", "f.json"], "expected at least 2 held out"),
        (
            ["train", "flowers.csv", "--target", "species", "-o", "f.json", "--plot", "p.xyz"],
            "no picture format",
        ),
        (["gradient", "xor", "flowers.csv", "--target", "species"], "no column x0"),
        (["gradient", "xor", "xor.csv", "--target", "y", "--method", "guess"], "method is 'guess'"),
        (["gradient", "xor", "xor.csv", "--target", "z"], "no column 'z'"),
    ],
)
def test_what_train_and_gradient_refuse_is_one_line(run, flowers, tmp_path, arguments, message):
    (tmp_path / "numbers.csv").write_text("1,2\n3,4\n", encoding="utf-8")
    (tmp_path / "nan.csv").write_text("x,y\n3,1\n2,nan\n", encoding="utf-8")
    (tmp_path / "few.csv").write_text("x,y\n3,1\n2,0\n", encoding="utf-8")
    (tmp_path / "one.csv").write_text("y\n3\n", encoding="utf-8")
    (tmp_path / "xor.csv").write_text("x0,x1,y\n0,1,1\n", encoding="utf-8")
    code, _, err = run(*arguments)
    assert code == 2
    assert err.count("\n") == 1
    assert message in err
    assert not (tmp_path / "f.json").exists()


# certify
# ----------------------------------------------------------------------------------------------


def test_certify_prints_what_a_chemist_needs(run, tmp_path):
    options = [
        "--input",
        "0,1",
        "--input",
        "1,1",
        "--rates",
        0.02,
        "--plot",
        "a.png",
        "--tolerance",
        0.05,
    ]
    code, out, _ = run("certify", "xor", *options)
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    net = cn.load_model("xor")
    x = [[0, 1], [1, 1]]
    certificate = cn.certify(net, x, 0.05, rates=0.02)
    hours = fastest_units(net).hours(certificate.settling_time)
    lower, upper = certificate.outputs.lower[0, 0], certificate.outputs.upper[0, 0]
    for text in (
        "0.9537", f"{lower:.4g} to {upper:.4g}", f"{certificate.settling_time:.4g}", f"{hours:.3g} h", "0.5 nM",
        f"{100 * cn.certified_margin(net, x)[0]:.3g} %", " -> ".join(certificate.chain), "all non-negative starts",
        f"off by up to {2} %", "one positive fixed point", "1e+06 /M/s", "picture: a.png",
    ):  # fmt: skip
        assert text in out, text
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_certify_takes_a_table_and_writes_one(run, tmp_path):
    x = cn.model_data("iris")[1][:10]
    np.savetxt(tmp_path / "x.csv", x, delimiter=",")
    options = ["--bound", "cheap", "--tau", 100, "--c0", 5, "-o", "a.csv", "--initial-max", 100]
    code, out, _ = run("certify", "iris", "x.csv", *options)
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    for text in (
        "10 inputs",
        "y0: setosa",
        "of input",
        "cheap",
        "0.005 nM",
        "1 is 5 nM, a time of 1 is 100 s",
        "table: a.csv",
    ):
        assert text in out
    net = cn.load_model("iris")
    certificate = cn.certify(net, x, bound="cheap")
    found = pd.read_csv(tmp_path / "a.csv")
    assert found.columns.tolist()[: net.n_in] == list(net.input_names)
    # pandas before 3 reads numbers to within some last bits
    np.testing.assert_allclose(
        found[["y0_settled", "y1_settled", "y2_settled"]], certificate.by_sample, rtol=1e-14
    )
    np.testing.assert_allclose(found["settled_hours"], certificate.by_sample.max(axis=1) / 36)
    np.testing.assert_allclose(found["certain_up_to"], cn.certified_margin(net, x), rtol=1e-14)
    assert found["class"].tolist() == net.predict(x).tolist()


def test_certify_fits_80_columns(run):
    """Several outputs with names, intervals and a number too long for its column."""
    code, out, _ = run(
        "certify", "iris", "--input", "5.1,3.5,1.4,0.2", "--input", "6,3,5,1.8", "--rates", 0.01
    )
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
    cn.Network(layers).save(tmp_path / "net.json")
    code, out, _ = run(
        "certify", "net.json", "--input", "0.5", "--initial-max", 50, "--max-rate-constant", "5e5"
    )
    assert code == 0
    assert "with S2_0 at most 50" in out
    assert "5e+05 /M/s" in out
    assert "class" not in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("certify", "xor"),
            "no inputs to certify; expected --input with 2 numbers, or a CSV file",
        ),
        (("certify", "xor", "good.csv", "--input", "0,1"), "both 'good.csv' and --input are given"),
        (("certify", "xor", "--input", "0"), "expected 2 numbers each"),
        (("certify", "xor", "--input", "0,b"), "expected 2 numbers with commas between"),
        (("certify", "xor", "--input", "0,-1"), "not negative"),
        (("certify", "xor", "nope.csv"), "there is no such file"),
        (("certify", "xor", "--input", "0,1", "--tolerance", "0"), "tolerance is 0.0"),
        (
            ("certify", "xor", "--input", "0,1", "--rates", "5"),
            "rates is 5.0; expected a relative error",
        ),
        (("certify", "xor", "--input", "0,1", "--bound", "quick"), "bound is 'quick'"),
        (
            ("certify", "xor", "--input", "0,1", "--bound", "cheap", "--rates", "0.1"),
            "need bound='envelope'",
        ),
        (
            ("certify", "xor", "--input", "0,1", "--bound", "cheap", "--plot", "a.png"),
            "expected --bound envelope",
        ),
        (("certify", "xor", "--input", "0,1", "--c0", "-1"), "c0 is -1.0"),
        (("certify", "xor", "--input", "0,1", "--tau", "0"), "tau is 0.0"),
        (
            ("certify", "xor", "--input", "0,1", "--tau", "1", "--max-rate-constant", "1"),
            "are both given",
        ),
        (
            ("certify", "xor", "--input", "0,1", "--max-rate-constant", "nan"),
            "max_rate_constant is nan",
        ),
        (
            ("certify", "xor", "--input", "0,1", "--plot", "a.doc"),
            "no picture format has the ending '.doc'",
        ),
        (("certify", "xor", "--input", "0,1", "-o", "nowhere/a.csv"), "there is no folder"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_what_certify_refuses_is_one_line(run, tmp_path, arguments, message):
    (tmp_path / "good.csv").write_text("x0,x1\n0,1\n")
    code, out, err = run(*arguments)
    assert code == 2
    assert message in err
    assert err.count("\n") == 1
    assert out.strip() == ""
    assert [p.name for p in tmp_path.iterdir()] == ["good.csv"]


def test_no_certificate_is_one_line(run, monkeypatch):
    from crn_nn_tellurium.certificates import certificate

    def refuse(*arguments, **options):
        raise cn.NotCertified("layer 2: its species act on one another both ways")

    monkeypatch.setattr(certificate, "certify", refuse)
    code, _, err = run("certify", "xor", "--input", "0,1")
    assert (code, err) == (2, "crn-nn: layer 2: its species act on one another both ways\n")


# scan
# -------------------------------------------------------------------------------------------------


def test_scan_writes_a_result_a_table_and_a_picture(run, tmp_path):
    arguments = [
        "xor",
        "--vary",
        "h=1e-3:1e-1:log:3",
        "--vary",
        "x0=0:1:9",
        "-o",
        "a.nc",
        "--plot",
        "a.png",
    ]
    code, out, _ = run("scan", *arguments, "--input", "0,1")
    assert code == 0
    for text in (
        "scan of xor_2_2_1",
        "h 3 x x0 9 x output 1",
        "27 points, none failed",
        "result: a.nc",
        "picture: a.png",
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
    code, _, error = run("scan", *arguments[:-2], "--input", "0,1")
    assert code == 2
    assert "--resume takes it if it is this scan's, --overwrite replaces it" in error
    assert run("scan", *arguments[:-2], "--input", "0,1", "--resume")[0] == 0
    code, _, error = run("scan", *arguments[:-2], "--input", "1,1", "--resume")
    assert code == 2
    assert "something else than this scan" in error


def test_scan_draws_errors_classes_times_and_models(run, tmp_path):
    runs = [
        [
            "iris",
            "--vary",
            "petal_length_cm=1:6:5",
            "--cv",
            "0.1",
            "--draws",
            4,
            "--keep",
            "outputs,class",
        ],
        ["xor", "--vary", "x0=0:1:9", "--vary", "x1=0:1:9", "--keep", "class"],
        ["xor", "--vary", "rates=1,2", "--at", "1,2,5", "--input", "1,0", "--keep", "outputs"],
        ["m.ant", "--vary", "k=1:2:5", "--keep", "A", "--at", "1"],
        [
            "xor",
            "--vary",
            "h=1e-3,1e-2",
            "--keep",
            "settling_time",
            "--bound",
            "cheap",
            "--workers",
            1,
        ],
    ]
    (tmp_path / "m.ant").write_text("model m() A => ; k*A; A = 1; k = 1; end", encoding="utf-8")
    for number, arguments in enumerate(runs):
        code, out, error = run("scan", *arguments, "--plot", f"{number}.png")
        assert code == 0, error
        assert "none failed" in out
        assert (tmp_path / f"{number}.png").stat().st_size > 5_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["xor"], "nothing to vary; expected --vary"),
        (["xor", "--vary", "h"], "expected name=low:high:number"),
        (["xor", "--vary", "h=0:1:log:3"], "expected name=low:high:number"),
        (["xor", "--vary", "h=1,a"], "expected name=low:high:number"),
        (["xor", "--vary", "z=1,2"], "has no 'z'"),
        (["xor", "--vary", "h=1,2", "--at", "soon"], "--at is 'soon'"),
        (["xor", "--vary", "h=1,2", "--keep", "z"], "no 'z'; expected one of"),
        (["xor", "--vary", "h=1,2", "-o", "a.csv"], "expected an ending of .nc or .zarr"),
        (["xor", "--vary", "h=1,2", "--plot", "a.txt"], "a.txt"),
        (["xor", "--vary", "h=1", "--plot", "a.png"], "one point makes no picture"),
        (["none.ant", "--vary", "h=1,2"], "no such file"),
    ],
)
def test_scan_says_what_is_wrong(run, arguments, message):
    code, out, error = run("scan", *arguments)
    assert code == 2
    assert message in error
    assert not out
