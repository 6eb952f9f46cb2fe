"""The command as a whole: help, version, and a first look."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import crn_nn_tellurium as cn
from crn_nn_tellurium.commands import show
from crn_nn_tellurium.commands.main import VERBS, as_typed


def test_demo_runs_in_an_empty_folder(run, tmp_path):
    code, out, _ = run("demo")
    assert code == 0
    for text in ("xor", "digits", "2717", "97.2%", "accuracy, chemistry"):
        assert text in out
    for name in ("xor_settling.png", "digits_confusion.png"):
        assert (tmp_path / "crn-nn-demo" / name).read_bytes().startswith(b"\x89PNG")


def test_show_lists_what_there_is(run):
    code, out, _ = run("show iris --reactions 2")
    assert code == 0
    for text in ("sepal_length_cm", "setosa", "122 reactions", "Jh1_0_Y: => Y1_0", "... 120 more"):
        assert text in out


def test_show_draws_a_network_whose_words_stay_texts(run, tmp_path):
    code, _, err = run("show iris --reactions 0 --plot iris.svg")
    assert code == 0
    assert err.startswith("wrote iris.svg (picture, ")
    assert ">y0: setosa</text>" in (tmp_path / "iris.svg").read_text(encoding="utf-8")
    code, _, err = run("show iris --plot iris.svg")
    assert code != 0
    assert "'iris.svg' exists" in err


@pytest.mark.parametrize("command", VERBS)
def test_help_has_an_example(run, command):
    code, out, _ = run(f"{command} --help")
    assert code == 0
    assert f"Example: crn-nn {command}" in out


def test_version(run):
    assert run("--version") == (0, f"{cn.__version__}\n", "")


def test_a_regression_has_no_classes(run, tmp_path):
    """In what is shown, certified and predicted."""
    net = cn.Network([cn.Layer([[0.5, -1.0]], activation=cn.Linear())], task="regression")
    net.save(tmp_path / "n.json")
    (tmp_path / "x.csv").write_text("x0,x1,y\n2,0.5,0.75\n1,0,0.5\n")
    _, out, _ = run("show n.json")
    assert "outputs: y0\n" in out
    assert "classes" not in out
    assert run("certify n.json x.csv -o c.csv")[0] == 0
    headings = (tmp_path / "c.csv").read_text().partition("\n")[0].split(",")
    assert headings == [*("x0", "x1", "y0"), *("y0_lower", "y0_upper", "y0_settled"), headings[-1]]
    assert headings[-1].startswith("settled")
    code, _, err = run("predict n.json x.csv --target y")
    assert code == 0, err
    # errors of 0.25 and 0
    assert "R2" in err


def test_the_installed_command_starts(tmp_path):
    out = subprocess.run(
        [Path(sys.executable).with_name("crn-nn"), "--version"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    ).stdout
    assert out.strip() == cn.__version__


def test_names_with_brackets_print_as_they_are(run, tmp_path):
    """What would be a colour, an end of one, or a picture in rich's own language."""
    labels = ("[red]", "[/b]", ":smile:")
    net = cn.Network(
        [cn.Layer(2 * np.eye(3), activation=cn.Linear())], class_names=labels, task="classification"
    )
    net.save(tmp_path / "n.json")
    (tmp_path / "x.csv").write_text("0,1,0\n")
    for typed in ("show n.json", "predict n.json x.csv", "certify n.json --input 0,1,0"):
        code, out, err = run(typed)
        assert code == 0, err
        assert "[/b]" in out
    assert all(label in run("show n.json")[1] for label in labels)


def test_no_name_gives_the_terminal_a_command(run, tmp_path):
    """Of a column, a file that is read or written, a network: each in its own words."""
    name = "a\x1b[31m\u202eb"
    cn.load_model("xor").save(tmp_path / f"{name}.json")
    (tmp_path / "x.csv").write_text("x0,x1\n0,1\n")
    (tmp_path / "y.csv").write_text(f"x0,{name}\n0,1\n", encoding="utf-8")
    (tmp_path / f"{name}.ant").write_text("A -> ; A; A = 1")
    typed = {
        "the column": "predict xor y.csv",
        "what is not there": f"show no{name}.json",
        "what is written": f"predict xor x.csv -o {name}.csv",
        "what cannot be written": f"predict xor x.csv -o no{name}/x.csv",
        "its title": f"show {name}.json",
        "a model": f"show {name}.ant",
    }
    for what, words in typed.items():
        _, out, err = run(words)
        assert not set(out + err) & set("\x1b\u202e"), what


def test_keywords_of_the_library_are_said_as_they_are_typed():
    options = {"overwrite": "--overwrite", "t_end": "--t-end", "net": "net", "bound": "--bound"}
    for text, typed in (
        ("'a' exists; overwrite=True replaces it", "'a' exists; --overwrite replaces it"),
        ("holds it; ScanFile(path, overwrite=True) removes", "holds it; --overwrite removes"),
        ("sample 3: t_end is -1.0; expected", "sample 3: --t-end is -1.0; expected"),
        ("need bound='envelope'", "need --bound 'envelope'"),
        # advice by what it has no option for is left out
        ("sample 0: too stiff; on_error='nan' keeps the others", "sample 0: too stiff"),
        # of other words without an option, and of arguments, the words are left
        ("net is none; resume=True", "net is none; resume=True"),
        ("the bound is late", "the bound is late"),
    ):
        assert as_typed(text, options) == typed


def test_ctrl_c_is_a_line_and_130(run, monkeypatch):
    def interrupted(net):
        raise KeyboardInterrupt

    monkeypatch.setattr(show, "load_given", interrupted)
    assert run("show xor") == (130, "", "crn-nn: interrupted\n")


RUN = "import sys; sys.argv[0] = 'crn-nn'; from crn_nn_tellurium.commands import run; run()"
INTERRUPTED = f"""
class Finder:
    def find_spec(self, name, *_):
        if name == {{module!r}}:
            {{how}}
class Gone:
    def __del__(self):
        raise KeyboardInterrupt
import signal, sys
sys.meta_path.insert(0, Finder())
# not ignored, as it is by what shells start behind them
signal.signal(signal.SIGINT, signal.default_int_handler)
{RUN}
"""


@pytest.mark.parametrize("how", ["raise KeyboardInterrupt", "Gone()"])
@pytest.mark.parametrize("module", ["typer", "crn_nn_tellurium.commands.train", "numpy"])
def test_ctrl_c_while_it_loads_is_a_line_too(module, how):
    """In a callback too, whose errors Python drops: the command went on."""
    command = [sys.executable, "-c", INTERRUPTED.format(module=module, how=how), "show", "xor"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout, found.stderr) == (130, "", "crn-nn: interrupted\n")


def test_closed_output_closed_input_and_full_disks_are_said(tmp_path):
    """Where something is lost, and of buffers too."""
    command = f'"{sys.executable}" -c "{RUN}" data xor'
    closed, full, buffered, to_file = (
        subprocess.run(f"{start} {to}", shell=True, capture_output=True, text=True, check=False)
        for start, to in (
            (command, ">&-"),
            (command, "> /dev/full"),
            (f"PYTHONUNBUFFERED= {command}", "> /dev/full"),
            (command, f"-o '{tmp_path}/xor.csv' >&-"),
        )
    )
    assert closed.returncode == 2
    assert closed.stderr == "crn-nn: standard output: Bad file descriptor\n"
    assert to_file.returncode == 0
    assert to_file.stderr.startswith("wrote ")
    empty = subprocess.run(
        f'"{sys.executable}" -c "{RUN}" predict xor - <&-',
        shell=True,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (empty.returncode, empty.stderr[:37]) == (2, "crn-nn: standard input is closed; exp")
    for said in (full, buffered):
        assert said.returncode == 2
        assert said.stderr == "crn-nn: standard output: No space left on device\n"


@pytest.mark.parametrize("verb", VERBS)
def test_help_is_a_screen(run, verb, monkeypatch):
    """At most, for the verb with most options, 60 lines of 100 columns: a window at its height."""
    monkeypatch.setenv("COLUMNS", "100")
    assert run(f"{verb} --help")[1].count("\n") <= 60


def test_who_reads_on_may_stop(tmp_path):
    """As in crn-nn compile digits | head -1: no traceback."""
    command = Path(sys.executable).with_name("crn-nn")
    done = subprocess.run(
        ["bash", "-c", f"{command} compile digits | head -1"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


def test_a_shell_completes_verbs_and_shipped_networks(tmp_path, monkeypatch):
    monkeypatch.setenv("_CRN_NN_COMPLETE", "complete_bash")
    for words, expected in (("crn-nn sh", "show"), ("crn-nn show di", "digits")):
        monkeypatch.setenv("COMP_WORDS", words)
        monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
        out = subprocess.run(
            [Path(sys.executable).with_name("crn-nn")], capture_output=True, text=True, check=False
        ).stdout
        assert out.split() == [expected]
