"""The package as a whole: its public list, its import, its documentation's examples."""

import ast
import doctest
import importlib
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

import crn_nn_tellurium as cn
from crn_nn_tellurium import errors

ROOT = Path(__file__).parent.parent
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(cn.__path__, "crn_nn_tellurium.")
    if not module.name.startswith("crn_nn_tellurium.models")
)


def test_every_public_name_is_there():
    for name in cn.__all__:
        assert getattr(cn, name).__doc__, name
        assert name in dir(cn)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        cn.nothing  # noqa: B018


def test_type_checkers_see_the_same_names():
    tree = ast.parse((Path(cn.__file__)).read_text(encoding="utf-8"))
    guarded = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.name for node in guarded.body for alias in node.names}
    assert seen == set(cn.__all__) == set(cn._MODULE)


def test_import_stays_light():
    """Nothing that takes long loads with the package; each loads when used."""
    code = (
        "import sys; import crn_nn_tellurium as cn; cn.to_antimony(cn.Network.random([2, 2, 1]));"
        "heavy = ('tellurium', 'roadrunner', 'sklearn', 'xarray', 'matplotlib', 'pandas', 'torch');"
        "print([m for m in heavy if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out == "[]\n"


@pytest.mark.parametrize("name", MODULES)
def test_documented_examples_run(name):
    module = importlib.import_module(name)
    assert module.__doc__
    result = doctest.testmod(module)
    plt.close("all")
    assert result.failed == 0


def test_readme_examples_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S)
    assert blocks
    namespace = {}
    for block in blocks:
        exec(block, namespace)
    plt.close("all")


def test_contributing_shows_an_activation_that_works():
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.S)
    namespace = {"__name__": "contributing"}
    exec(block, namespace)
    assert issubclass(namespace["Swish"], cn.Activation)


def test_errors_subclass_what_callers_expect_and_pickle():
    import pickle

    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, Exception):
            assert issubclass(kind, ValueError | ArithmeticError | ImportError | OSError | KeyError | TypeError)
            again = pickle.loads(pickle.dumps(kind("what went wrong")))
            assert str(again) == "what went wrong"


def test_missing_extras_say_their_command():
    with pytest.raises(cn.MissingPackageError, match=r"pip install 'crn_nn_tellurium\[torch\]'"):
        errors.require("no_such_package", extra="torch")


def imports_of(path):
    """Modules of ours that a file imports, at its top or within functions, type checking apart."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    guarded = {
        inner for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }  # fmt: skip
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.ImportFrom)
            and node not in guarded
            and (node.module or "").startswith("crn_nn_tellurium.")
        ):
            yield node.module.removeprefix("crn_nn_tellurium.")


FLOW = """
    errors recent identifiers expressions formulas reactions annotation storage activations inputs layers network
    encoding
    parameters losses
    layer_constants antimony_writer engine units results solver layer_solver linearized linearization simulator
    intervals fixed_point_bounds envelope settling cheap_bound physical_units certificate enclosures choice_of_h
    balancing strand_displacement strand_domains finite_differences transients
    gradient_problem gradient_methods engine_gradients gradients
    sensitivity runner gradient_check perturbation objective verification progress read_out_windows training estimators
    scans.axes scans.grid scans.network_parameters scans.fingerprint scans.plan scans.users_functions
    scans.steady_states scans.time_courses
    scans.network_scan scans.model_scan scans.execution scans.files scans.arguments scans.scanning scans.refining scans
    knock_outs robustness_report
    model_library
    importers.sklearn importers.renaming importers.sbml_formulas importers.sbml importers.antimony importers.crn
    tables exporters.source exporters.layered_positions exporters.texts
    exporters.antimony exporters.sbml_layout exporters.sbml exporters.omex exporters.copasi exporters.petab
    exporters.bngl exporters.pysb exporters.kappa exporters.biocrnpyler exporters.catalyst exporters.crn
    exporters.visual_dsd exporters.strands exporters.latex exporters.csv exporters.graph exporters
    plotting scans.plots demo benchmarks scan_command cli
""".split()


def test_imports_flow_one_way():
    package = Path(cn.__file__).parent
    for position, name in enumerate(FLOW):
        path = package / (name.replace(".", "/") + ".py")
        path = path if path.exists() else package / name / "__init__.py"
        for other in imports_of(path):
            assert other in FLOW[:position] or other == "exporters", f"{name} imports {other}"
    found = {name.removeprefix("crn_nn_tellurium.") for name in MODULES} - {"importers"}
    assert found == set(FLOW)


def test_only_the_engine_touches_roadrunner_and_only_the_runner_tellurium():
    package = Path(cn.__file__).parent
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            roots = {name.partition(".")[0] for name in names}
            assert "roadrunner" not in roots or path.name == "engine.py", path
            assert "tellurium" not in roots or path.name in ("runner.py", "benchmarks.py"), path


def test_version_is_in_one_place():
    found = subprocess.run(
        ["git", "grep", "-l", f'"{cn.__version__}"'], capture_output=True, text=True, cwd=ROOT, check=False
    ).stdout.split()
    assert found == ["crn_nn_tellurium/__init__.py"]
    assert f"## {cn.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_files_are_private_to_no_machine():
    assert os.path.isfile(ROOT / "LICENSE")
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")
