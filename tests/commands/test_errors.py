"""What a user can mend is one line on standard error, exit code 2, and no file."""

import io
import sys

import pytest

import crn_nn_tellurium as cn
from crn_nn_tellurium import certificates
from crn_nn_tellurium.commands import show
from crn_nn_tellurium.commands.main import main
from crn_nn_tellurium.networks.shipped import models_folder

FILES = {
    "bad.json": "{",
    "columns.csv": "x0,z\n1,2\n",
    "decay.ant": "A -> ; k*A; k = 2; A = 1",
    "empty.csv": "",
    "five.csv": "x0,x1,y\n0,1,5\n",
    "few.csv": "x,y\n3,1\n2,0\n",
    "gap.csv": "x0,x1\n1,\n",
    "good.csv": "x0,x1\n0,1\n",
    "law.ant": "A -> B; k/A; k = 1; A = 1",
    "header.csv": "x0,x1\n",
    "nan.csv": "x,y\n3,1\n2,nan\n",
    "negative.csv": "x0,x1\n1,-1\n",
    "numbers.csv": "1,2\n3,4\n",
    "one.csv": "y\n3\n",
    "ragged.csv": "x0,x1\n1,2\n1,2,3,4\n",
    "shape.csv": "1,2,3\n",
    "names.csv": "x0,x1,y\n0,1,on\n",
    "text.csv": "x0,x1\n1,2\n3,many\n",
    "twice.csv": "x0,x1,x1\n1,2,3\n",
    "wide.csv": "x0,x1\n1,2,3\n4,5,6\n",
    "xor.csv": "x0,x1,y\n0,1,1\n",
}
REFUSED = [
    ("scan xor --vary x0=1_0:2_0:3", "'1_0' is no number"),
    ("scan xor --vary x0=0,1_0", "'1_0' is no number"),
    ("export xor -o a.bngl --set t_end=5 --set t_end=7", "--set t_end is given twice"),
    ("show nope", "no shipped model is called 'nope'; there are digits, iris, moons, xor"),
    ("show nope.json", "there is no such file"),
    ("show nope.xml", "'nope.xml': there is no such file"),
    ("compile empty.csv", "no model is read from a file with the ending '.csv'; expected .xml"),
    ("export law.ant -o law.xml", "law.ant"),
    ("simulate xor", "no --input; expected 2 numbers"),
    ("simulate xor --input 0,1 --seed 3", "seed is 3, of a time course without chance"),
    ("simulate decay.ant --input 1", "--input is a network's"),
    ("scan decay.ant --vary k=1:2:3 --input 1", "--input is a network's"),
    ("scan decay.ant --vary j=1:2:3", "no number 'j' to vary"),
    ("export decay.ant -o a.yaml --data good.csv --target x0", "--data needs a Network"),
    ("show bad.json", "not JSON"),
    ("predict xor good.csv -o .", "cannot write '.': it is a folder"),
    ("predict xor nope.csv", "there is no such file"),
    ("predict xor columns.csv", "no column x1; it has x0, z"),
    ("predict xor shape.csv", "3 columns without a header; expected 2"),
    ("predict xor text.csv", "row 2, column 'x1': 'many' is no number"),
    ("predict xor gap.csv", "row 1, column 'x1': an empty cell is no number"),
    ("predict xor header.csv", "no rows"),
    ("predict xor empty.csv", "not a CSV table"),
    ("predict xor ragged.csv", "line 3 has 4 cells; expected 2"),
    ("predict xor wide.csv", "line 2 has 3 cells; expected 2"),
    ("predict xor twice.csv", "the column 'x1' is there twice"),
    ("predict xor columns.csv --target y", "it has x0, z; expected"),
    ("predict iris headings.csv", "it has sepal length (cm); expected the network's inputs"),
    ("predict iris target.csv --target kind", "row 2, column 'kind': an empty cell is no class"),
    (
        "predict iris rose.csv --target kind",
        "'rose' is no class of iris_4_8_3; expected one of setosa",
    ),
    ("predict xor xor.csv --target x", "no column 'x'"),
    ("predict xor five.csv --target y", "row 1, column 'y': '5' is no class of xor_2_2_1"),
    ("export xor -o good.csv", "'good.csv' exists; --overwrite replaces it"),
    ("export xor -o a.unknown", "other formats by name, --format: 'sbml-l3v1'"),
    ("export xor -o -", "--output is '-'; expected a file"),
    ("data roses", "no shipped model is called 'roses'"),
    ("data iris --part half", "--part is 'half'; expected one of"),
    ("simulate xor --input 0,1 --plot a.svg -o a.svg", "'a.svg' is to be written twice"),
    ("data iris -o good.csv", "'good.csv' exists; --overwrite replaces it"),
    ("notebooks -o good.csv", "good.csv"),
    ("show kind.json", "a layer: unknown entry 'was'; expected name, inputs, activation"),
    ("show folder", "no shipped model is called 'folder'"),
    ("predict xor negative.csv", "a concentration is not negative"),
    ("predict xor good.csv --target t", "no column 't'"),
    ("simulate xor --input 0", "1 for 2 inputs; x1 missing; expected 2 numbers with commas"),
    ("simulate xor --input 0,b", "'b' is no number, for x1; expected 2 numbers"),
    ("simulate xor --input 0,", "nothing is no number, for x1"),
    ("simulate xor --input 0,1,2", "3 numbers; expected 2"),
    ("export xor -o a.xml --input 0", "1 for 2 inputs; x1 missing"),
    ("scan xor --vary h=1,2 --input 0", "1 for 2 inputs; x1 missing"),
    ("simulate xor --input 0,1 --t-end -1", "--t-end is -1.0; expected"),
    ("simulate xor --input 0,1 --plot a.doc", "no picture format has the ending '.doc'"),
    ("simulate xor --input 0,1 -o nowhere/a.csv", "there is no folder"),
    ("compile xor --form short", "expected one of 'reactions'"),
    ("export xor -o a.doc", "unknown ending '.doc'; known: .ant (Antimony), .xml (SBML"),
    ("demo -o good.csv", "good.csv"),
    ("train flowers.csv --target genus -o f.json", "no column 'genus'"),
    ("train flowers.csv --target species -o f.json --layers 8;8", "--layers is '8;8'"),
    ("train flowers.csv --target species -o f.json --task guess", "--task is 'guess'"),
    ("train flowers.csv --target species -o f.json --task regression", "is no number"),
    ("train flowers.csv --target species -o f.json --volume 0", "--volume is 0.0; expected a"),
    ("train flowers.csv --target species -o f.json --volume 9 --cv 0.1", "two kinds of noise"),
    ("train flowers.csv --target species -o f.txt", "expected a name that ends with .json"),
    ("train flowers.csv --target species -o no/f.json", "there is no folder 'no'"),
    ("train flowers.csv --target species -o f.json --density 2", "--density is 2.0"),
    ("train numbers.csv --target y -o f.json", "expected the columns' names"),
    ("train one.csv --target y -o f.json", "no column besides 'y'"),
    ("train nan.csv --target y -o f.json", "row 2, column 'y': 'nan' is no target"),
    ("train nan.csv --target x -o f.json", "row 2, column 'y': 'nan' is not finite"),
    ("train few.csv --target y -o f.json", "expected at least 2 held out"),
    ("train flowers.csv --target species -o f.json --plot p.xyz", "no picture format"),
    ("gradient xor flowers.csv --target species", "no column x0"),
    ("gradient xor xor.csv --target y --method guess", "--method is 'guess'"),
    ("gradient xor xor.csv --target z", "no column 'z'"),
    (
        "gradient xor names.csv --target y",
        "--target 'y' holds labels; expected --loss cross_entropy or hinge, or number columns",
    ),
    *(
        (
            f"scan xor --vary h=1,2 --keep outputs,{loss}",
            f"--keep {loss} needs targets, which this command does not take; cn.scan(..., y=) does",
        )
        for loss in ("loss", "accuracy", "gradient_norm")
    ),
    ("certify xor", "no inputs; expected --input with 2 numbers, or a CSV file"),
    ("certify xor good.csv --input 0,1", "both 'good.csv' and --input are given"),
    ("certify xor --input 0,1 --input 0", "1 for 2 inputs; x1 missing"),
    ("certify xor --input 0,b", "expected 2 numbers with commas between"),
    ("certify xor --input 0,-1", "not negative"),
    ("certify xor nope.csv", "there is no such file"),
    ("certify xor --input 0,1 --tolerance 0", "--tolerance is 0.0"),
    ("certify xor --input 0,1 --rates 5", "--rates is 5.0; expected a relative error"),
    ("certify xor --input 0,1 --bound quick", "--bound is 'quick'"),
    ("certify xor --input 0,1 --bound cheap --rates 0.1", "need --bound 'envelope'"),
    ("certify xor --input 0,1 --bound cheap --plot a.png", "expected --bound envelope"),
    ("certify xor --input 0,1 --c0 -1", "--c0 is -1.0"),
    ("certify xor --input 0,1 --tau 0", "--tau is 0.0"),
    ("certify xor --input 0,1 --tau 1 --max-rate-constant 1", "are both given"),
    ("certify xor --input 0,1 --max-rate-constant nan", "--max-rate-constant is nan"),
    ("certify xor --input 0,1 --max-rate-constant 0", "--max-rate-constant is 0.0"),
    ("certify xor --input 0,1 --plot a.doc", "no picture format has the ending '.doc'"),
    ("certify xor --input 0,1 -o nowhere/a.csv", "there is no folder"),
    ("noise xor", "no inputs; expected --input with 2 numbers, or a CSV file"),
    ("noise xor --input 0,1 --volume 0", "--volume is 0.0"),
    ("noise xor --input 0,1 --confidence 2", "--confidence is 2.0"),
    ("noise xor --input 0,1 --target y", "--target 'y' is a column; expected a CSV file"),
    ("noise xor xor.csv --target y --volume 9", "expected no --volume with them"),
    ("scan xor --vary h=1,2 --keep standard_deviation", "expected --volume 1000, say"),
    ("scan xor --vary h=1,2 --volume 9", "--volume 9.0 without noise; expected --keep"),
    ("scan xor", "nothing to vary; expected --vary"),
    ("scan xor --vary h=1,2 --seed 3", "--seed 3 without errors to draw; expected --cv"),
    ("scan xor --vary h=1,2 --draws 3 --seed 0", "--draws 3 and --seed 0 without errors"),
    ("scan xor --vary h=1,2 --bound cheap", "--bound cheap without a settling time; expected"),
    ("scan xor --vary h", "expected name=low:high:number"),
    ("scan xor --vary h=0:1:log:3", "log needs 0 < low <= high, and low is 0"),
    ("scan xor --vary h=0:1:log", "log needs 0 < low <= high, and low is 0"),
    ("scan xor --vary h=1:2:log", "how many values is missing, as in h=1:2:log:50"),
    ("scan xor --vary h=1:2", "how many values is missing, as in h=1:2:50"),
    ("scan xor --vary h=1:2:0", "'0' is no number of values"),
    ("scan xor --vary h=1,a", "expected name=low:high:number"),
    ("scan xor --vary z=1,2", "has no 'z'"),
    ("scan xor --vary h=1,2 --at soon", "--at is 'soon'"),
    ("scan xor --vary h=1,2 --keep z", "no 'z' to keep; expected one of"),
    ("scan xor --vary h=1,2 -o a.xlsx", "expected an ending of .nc, .zarr, .csv or .tsv"),
    ("scan xor --vary h=1,2 -o a.csv --resume", "--resume goes on with .nc and .zarr"),
    ("scan xor --vary h=1,2 -o good.csv", "'good.csv' exists; --overwrite replaces it"),
    ("scan xor --vary h=1,2 --plot a.txt", "a.txt"),
    ("scan xor --vary h=1 --plot a.png", "one point makes no picture"),
    ("scan none.ant --vary h=1,2", "no such file"),
]


@pytest.fixture
def files(tmp_path, flowers):
    """Files with something wrong in them, and good ones."""
    xor = (models_folder() / "xor.json").read_text(encoding="utf-8")
    iris = ",".join([*cn.load_model("iris").input_names, "kind"])
    more = {
        "kind.json": xor.replace('"activation": {', '"was": {'),
        "headings.csv": "sepal length (cm)\n1\n",
        "rose.csv": f"{iris}\n1,1,1,1,rose\n",
        "target.csv": f"{iris}\n1,1,1,1,setosa\n1,1,1,1,\n",
    }
    for name, text in (FILES | more).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return sorted(path.name for path in tmp_path.iterdir())


@pytest.mark.parametrize(("typed", "message"), REFUSED)
def test_what_a_user_can_mend_is_one_line_and_exit_code_2(run, tmp_path, files, typed, message):
    code, out, err = run(typed)
    assert code == 2
    assert message in err
    assert err.count("\n") == 1
    assert out == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == files


@pytest.mark.parametrize(
    ("encoding", "errors"),
    [("utf-8", "strict"), ("utf-8", "surrogateescape"), ("latin-1", "strict")],
)
def test_standard_input_that_is_no_text_is_one_line(run, monkeypatch, encoding, errors):
    """In each locale; in that of C, Python lets bytes pass."""
    table = io.TextIOWrapper(io.BytesIO(b"x0,x1\n1,\xe9\n"), encoding, errors)
    monkeypatch.setattr(sys, "stdin", table)
    code, _, err = run("predict xor -")
    assert (code, err.count("\n")) == (2, 1)
    assert err.startswith("crn-nn: standard input: not a text (")


def test_a_failed_steady_state_is_exit_code_1(run, tmp_path, monkeypatch):
    def fail(self, x):
        raise cn.ConvergenceError("1 of 1 samples have no steady state; on_error='nan' keeps more")

    monkeypatch.setattr(cn.Simulator, "steady_state", fail)
    (tmp_path / "x.csv").write_text("0,1\n")
    code, _, err = run("predict xor x.csv")
    assert (code, err) == (1, "crn-nn: 1 of 1 samples have no steady state\n")


@pytest.mark.parametrize(
    ("bug", "error"), [(lambda net: 1 + "one", TypeError), (lambda net: int("one"), ValueError)]
)
def test_our_own_bugs_are_not_hidden(run, tmp_path, monkeypatch, bug, error):
    monkeypatch.setattr(show, "load_given", bug)
    monkeypatch.setattr(sys, "argv", ["crn-nn", "show", "xor"])
    with pytest.raises(error):
        main()


def test_no_certificate_is_one_line(run, monkeypatch):
    def refuse(*arguments, **options):
        raise cn.NotCertified("layer 2: its species act on one another both ways")

    monkeypatch.setattr(certificates, "certify", refuse)
    code, _, err = run("certify xor --input 0,1")
    assert (code, err) == (2, "crn-nn: layer 2: its species act on one another both ways\n")
