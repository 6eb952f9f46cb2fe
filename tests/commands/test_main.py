"""The command as a whole: help, version, and a first look."""

import subprocess
import sys
from pathlib import Path

import pytest

import crn_nn_tellurium as cn
from crn_nn_tellurium.commands.main import VERBS


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
    code, out, _ = run("show iris --reactions 0 --plot iris.svg")
    assert (code, out.splitlines()[-1]) == (0, "picture: iris.svg")
    assert ">y0: setosa</text>" in (tmp_path / "iris.svg").read_text(encoding="utf-8")
    code, _, err = run("show iris --plot iris.svg")
    assert code != 0
    assert "'iris.svg' exists" in err


@pytest.mark.parametrize("command", VERBS)
def test_help_has_an_example(run, command):
    code, out, _ = run(f"{command} --help")
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
