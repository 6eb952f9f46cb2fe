"""Every format is written, the same each time, and what makes no sense is refused."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest
from support.exports import (
    BRUSSELATOR,
    DATES,
    FOUR,
    GENERAL,
    NEEDED,
    WITHOUT_UNITS,
    exported,
)

import crn_nn_tellurium as cn
from crn_nn_tellurium.exporters.exporting import FORMATS


@pytest.mark.parametrize("name", GENERAL)
@pytest.mark.parametrize("model", [cn.load_model("xor"), BRUSSELATOR], ids=["xor", "brusselator"])
def test_every_format_is_written_and_equal_models_are_equal_files(name, model, tmp_path):
    """No dates, no random numbers, no order of sets."""
    files = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        files.append(exported(model, folder, name))
    assert files[0] == files[1]
    assert all(files[0].values())


def test_copasi_files_have_no_dates(tmp_path):
    assert not DATES.search(exported(BRUSSELATOR, tmp_path, "copasi")[".out"])


def test_text_does_not_depend_on_pythons_hashes(tmp_path):
    """Another process has another order of sets."""
    names = [name for name in GENERAL if name not in NEEDED]
    code = (
        "import sys, crn_nn_tellurium as cn\n"
        "net = cn.load_model('xor')\n"
        f"for name in {names}: cn.export(net, f'{{sys.argv[1]}}/{{name}}', format=name)"
    )
    written = []
    for seed in ("1", "2"):
        folder = tmp_path / seed
        folder.mkdir()
        subprocess.run(
            [sys.executable, "-c", code, str(folder)],
            env=os.environ | {"PYTHONHASHSEED": seed},
            check=True,
        )
        written.append({file.name: file.read_bytes() for file in folder.iterdir()})
    assert written[0] == written[1]


@pytest.mark.parametrize("ending", [ending for name in GENERAL for ending in FORMATS[name].endings])
def test_the_ending_chooses_whatever_its_case(ending, tmp_path):
    (format,) = (format for format in FORMATS.values() if ending in format.endings)
    pytest.importorskip(NEEDED.get(format.name, "numpy"))
    net = cn.load_model("xor")
    by_ending = cn.export(net, tmp_path / f"net.{ending.upper()}").read_bytes()
    if ending == "tsv":  # the one ending that chooses within its format: tabs for commas
        assert b"\t" in by_ending
        by_ending = by_ending.replace(b"\t", b",")
    assert by_ending == exported(net, tmp_path, format.name, overwrite=True)[".out"]


def test_names_and_endings_are_each_one_formats():
    assert all(name == format.name for name, format in FORMATS.items())
    endings = [ending for format in FORMATS.values() for ending in format.endings]
    assert len(endings) == len(set(endings))


@pytest.mark.parametrize("name", [name for name in GENERAL if name not in ("graphviz", "copasi")])
def test_inputs_are_in_the_file(name, tmp_path):
    """All but pictures have concentrations. (COPASI's are numbers of molecules; `readers.py` reads
    them.)
    """
    net = cn.load_model("xor")
    with_x = exported(net, tmp_path, name, x=[0.625, 0.0])
    assert name in ("omex", "kappa") or any(b"0.625" in content for content in with_x.values())
    assert with_x != exported(net, tmp_path, name, overwrite=True)


# What is refused ---------------------------------------------------------------------------------


def test_a_missing_folder_and_a_folder_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        cn.export(cn.load_model("xor"), tmp_path / "nowhere" / "net.xml")
    (tmp_path / "net.xml").mkdir()
    with pytest.raises(IsADirectoryError, match="it is a folder"):
        cn.export(cn.load_model("xor"), tmp_path / "net.xml")


@pytest.mark.parametrize("name", ["sbml", "csv", "petab", "petab-v2"])
def test_files_are_kept(name, tmp_path):
    """Each of those that belong together: if one exists, none is written."""
    net = cn.load_model("xor")
    for ending in exported(net, tmp_path, name):
        folder = tmp_path / f"with{ending}"
        folder.mkdir()
        kept = folder / f"net{ending}"
        kept.write_bytes(b"mine")
        with pytest.raises(
            FileExistsError,
            match=f"{re.escape(repr(str(kept)))} exists; overwrite=True replaces it",
        ):
            cn.export(net, folder / "net.out", format=name)
        assert {file.name: file.read_bytes() for file in folder.iterdir()} == {kept.name: b"mine"}
    assert b"mine" not in exported(net, folder, name, overwrite=True).values()


@pytest.mark.parametrize("name", WITHOUT_UNITS)
def test_fourth_order_is_written_elsewhere(name, tmp_path):
    assert exported(FOUR, tmp_path, name)


NUMPY = [
    *(
        ("bngl", "t_end"),
        ("catalyst", "t_end"),
        ("visual-dsd", "t_end"),
        ("petab", "bound"),
        ("petab-v2", "bound"),
    ),
    *(("omex", "t_end"), ("latex", "digits")),
    pytest.param("copasi", "n_steps", marks=pytest.mark.slow),  # three files of seconds each
]


@pytest.mark.parametrize(("name", "option"), NUMPY)
def test_numbers_of_numpy_and_whole_floats_are_numbers(name, option, tmp_path):
    """A value out of an array, or 5.0 for a whole number, is what `Format.check` lets through."""
    whole = FORMATS[name].options[option] is int
    plain, others = (5, [np.int64(5), 5.0]) if whole else (5.0, [np.float64(5), np.float32(5)])
    net = cn.load_model("xor")
    expected = exported(net, tmp_path, name, **{option: plain})
    for value in others:
        assert exported(net, tmp_path, name, overwrite=True, **{option: value}) == expected
