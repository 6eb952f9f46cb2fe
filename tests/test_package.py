"""The package as a whole: its public list, its import, its documentation's examples."""

import doctest
import importlib
import importlib.util
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

import crn_nn_tellurium as cn
from crn_nn_tellurium import errors
from crn_nn_tellurium.basics.checks import require

ROOT = Path(__file__).parent.parent
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(cn.__path__, "crn_nn_tellurium.")
    if not module.name.startswith("crn_nn_tellurium.models")
)


OF_TORCH = """importers.torch importers.torch_calls importers.torch_operators
importers.torch_program importers.torch_windows frameworks.conversion frameworks.torch_module"""
NEEDED = {
    "crn_nn_tellurium.frameworks.jax_function": "jax",
    "crn_nn_tellurium.importers.keras": "keras",
    "crn_nn_tellurium.notebook_magics": "IPython",
    "crn_nn_tellurium.importers.onnx": "onnx",
    "crn_nn_tellurium.importers.petab_sciml": "h5py",
    **{f"crn_nn_tellurium.{name}": "torch" for name in OF_TORCH.split()},
}
"""Optional packages that a module or its documented examples need."""


def test_every_public_name_is_there():
    for name in cn.__all__:
        assert getattr(cn, name).__doc__, name
        assert name in dir(cn)
    with pytest.raises(AttributeError, match="No crn_nn_tellurium attribute nothing"):
        cn.nothing  # noqa: B018


def test_import_stays_light():
    """Nothing that takes long loads with the package; each loads when used."""
    code = (
        "import sys; import crn_nn_tellurium as cn; cn.to_antimony(cn.Network.random([2, 2, 1]));"
        "heavy = ('tellurium', 'roadrunner', 'sklearn', 'xarray', 'matplotlib', 'pandas', 'torch',"
        " 'numba', 'keras', 'yaml', 'h5py', 'jax');"
        "print([m for m in heavy if m in sys.modules])"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert out == "[]\n"


@pytest.mark.parametrize("name", MODULES)
def test_documented_examples_run(name):
    if name in NEEDED:
        pytest.importorskip(NEEDED[name], reason=f"{NEEDED[name]} is not installed")
    module = importlib.import_module(name)
    assert module.__doc__
    result = doctest.testmod(module)
    plt.close("all")
    assert result.failed == 0


PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.fixture(scope="module")
def figures():
    """docs/figures.py."""
    spec = importlib.util.spec_from_file_location("figures", ROOT / "docs" / "figures.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_tables_are_those_of_the_figures(figures, page):
    text = page.read_text(encoding="utf-8")
    assert figures.filled(text, figures.written()) == text, "python docs/figures.py writes it anew"


def test_the_report_is_that_of_the_figures(figures):
    text = (ROOT / "docs" / "figures" / "report.md").read_text(encoding="utf-8")
    assert figures.report() == text, "python docs/figures.py writes it anew"


def test_errors_subclass_what_callers_expect_and_pickle():
    import pickle

    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, Exception):
            assert issubclass(
                kind, ValueError | ArithmeticError | ImportError | OSError | KeyError | TypeError
            )
            again = pickle.loads(pickle.dumps(kind("what went wrong")))
            assert str(again) == "what went wrong"


def test_missing_extras_say_their_command():
    with pytest.raises(cn.MissingPackageError, match=r"pip install 'crn_nn_tellurium\[torch\]'"):
        require("no_such_package", extra="torch")


def test_version_is_in_one_place():
    found = subprocess.run(
        # the figures of a run say with which version it was
        ["git", "grep", "-l", f'"{cn.__version__}"', "--", ":!docs/figures"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    ).stdout.split()
    assert found == ["crn_nn_tellurium/_version.py"]
    assert f"## {cn.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_files_are_private_to_no_machine():
    assert os.path.isfile(ROOT / "LICENSE")
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")
