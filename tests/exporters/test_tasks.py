"""Exports that set a problem: training problems (PEtab), archives to simulate (OMEX), COPASI's
tasks, and their data.

Other programs, where they are installed, check the files and solve the problems:
`export_checkers.py` has them.
"""

import csv
import errno
import multiprocessing
import os
import tempfile
import xml.etree.ElementTree as ElementTree
import zipfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from support import export_checkers
from support.exports import GROWTH, PETAB, run_reader
from support.networks import corpus
from support.tolerances import DIFFERENCED

import crn_nn_tellurium as cn
from crn_nn_tellurium.exporters.tasks import Runs, experiments, fitted, with_both_signs
from crn_nn_tellurium.exporters.writing import Source
from crn_nn_tellurium.importers import antimony_to_sbml
from crn_nn_tellurium.importers.sbml import import_sbml

RTOL = 1e-12
"""Sums of the same terms in another order, some of them 0: roundings of 1e-16 each, and room for
what cancels.
"""

XOR, IRIS = cn.load_model("xor"), cn.load_model("iris")
NETS = {"xor": XOR, "iris": IRIS}
each_net = pytest.mark.parametrize("name", NETS)


def signed(crn):
    """Rate constants that are sizes of signed numbers: weights and biases."""
    return {k for k, sign in crn.constant_signs.items() if sign}


def table(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


# Several files -----------------------------------------------------------------------------------

SEVERAL = ("csv", *PETAB, "copasi")
several = pytest.mark.parametrize("name", SEVERAL)
in_no_time = pytest.mark.parametrize(  # COPASI's files take seconds each
    "name", [*SEVERAL[:-1], pytest.param("copasi", marks=pytest.mark.slow)]
)


def write(folder, name, **options):
    if name == "copasi":
        pytest.importorskip("basico")
    return cn.export(XOR, folder / "net.out", format=name, **options)


@several
@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_a_folder_that_cannot_be_written_stays_as_it_was(name, tmp_path):
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(PermissionError):
            write(tmp_path, name)
        assert not list(tmp_path.iterdir())
    finally:
        tmp_path.chmod(0o755)


@several
def test_a_full_disk_leaves_nothing_behind(name, tmp_path, monkeypatch):
    """No room for the second file; the first is there already, under a temporary name."""
    make, made = tempfile.mkstemp, []

    def failing(*args, **options):
        if str(options.get("dir")) != str(tmp_path):
            return make(*args, **options)
        if made:
            raise OSError(errno.ENOSPC, "No space left on device")
        made.append(make(*args, **options))
        return made[0]

    monkeypatch.setattr(tempfile, "mkstemp", failing)
    with pytest.raises(OSError, match="No space left"):
        write(tmp_path, name)
    assert len(made) == 1
    assert not list(tmp_path.iterdir())


@in_no_time
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_later_file_that_cannot_be_replaced_leaves_nothing_behind(name, overwrite, tmp_path):
    """Its name is a folder's. Hidden files are listed too: those are the temporary ones."""
    write(tmp_path, name)
    last = sorted(path.name for path in tmp_path.iterdir() if path.suffix != ".out")[-1]
    folder = tmp_path / "another"
    folder.mkdir()
    (folder / last).mkdir()
    with pytest.raises(OSError, match=last):
        write(folder, name, overwrite=overwrite)
    assert [path.name for path in folder.iterdir()] == [last]


# Free signs --------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", corpus(), ids=lambda case: case.name)
def test_both_signs_are_opposite_reactions_and_the_same_equations(case, rng):
    crn = cn.to_reactions(case.net, case.x[0])
    chosen = signed(crn)
    both = with_both_signs(crn, chosen)
    for _ in range(2):
        x = rng.uniform(0, 2, len(crn.floating))
        gross = np.abs(crn.stoichiometry) @ crn.rates(x)
        assert (np.abs(both.right_hand_side(x) - crn.right_hand_side(x)) <= RTOL * gross).all()
    net = both.stoichiometry.toarray()
    of = {
        k: [i for i, r in enumerate(both.reactions) if r.rate_constant == k]
        for k in both.rate_constants
    }
    for k in chosen:
        there, back = of[k], of[f"{k}_minus"]
        np.testing.assert_array_equal(net[:, there], -net[:, back])
        assert net[:, there].any(axis=0).all()
        assert [both.reactions[i].substrates for i in there] == [
            both.reactions[i].substrates for i in back
        ]
        assert all(both.reactions[i].value == 0 for i in back)
    assert len(both.reactions) == len(crn.reactions) + sum(len(of[k]) for k in chosen)


@pytest.mark.parametrize("format", PETAB)
@each_net
def test_petab_with_free_signs_is_the_same_model(name, format, tmp_path, rng):
    """As it is read back: equal equations, two parameters for each there was, one of them 0."""
    fixed = cn.export(NETS[name], tmp_path / "fixed.yaml", format)
    free = cn.export(NETS[name], tmp_path / "free.yaml", format, free_signs=True)
    one, both = (import_sbml(path.with_suffix(".model.xml")) for path in (fixed, free))
    x = rng.uniform(0, 2, len(one.floating))
    np.testing.assert_allclose(
        both.right_hand_side(x), one.right_hand_side(x), rtol=RTOL, atol=RTOL
    )
    before, after = (
        {
            row["parameterId"]: float(row["nominalValue"])
            for row in table(path.with_suffix(".parameters.tsv"))
        }
        for path in (fixed, free)
    )
    assert after == before | {f"{k}_minus": 0.0 for k in before}
    assert set(before) == signed(cn.to_reactions(NETS[name]))


def test_the_opposite_alone_is_the_opposite_weight(rng):
    """The value moved from one reaction to the other, against a network with that weight's or
    bias's sign turned.
    """
    crn = cn.to_reactions(XOR)
    both = with_both_signs(crn, signed(crn))
    first, *rest = XOR.layers
    weights, bias = first.weights.copy(), first.bias.copy()
    weights[0, 1] *= -1
    bias[1] *= -1
    turned = cn.to_reactions(cn.Network([cn.Layer(weights, bias, first.activation), *rest]))
    values = dict(zip(crn.rate_constants, crn.constants.tolist(), strict=True))
    moved = {}
    for k in ("k1_0_1", "kb1_1"):
        moved |= {k: 0.0, f"{k}_minus": values[k]}
    both = replace(
        both,
        reactions=[replace(r, value=moved.get(r.rate_constant, r.value)) for r in both.reactions],
    )
    x, held = rng.uniform(0, 2, len(crn.floating)), [0.3, 0.7]
    np.testing.assert_allclose(
        both.right_hand_side(x, held), turned.right_hand_side(x, held), rtol=RTOL, atol=RTOL
    )


# Data --------------------------------------------------------------------------------------------


def test_class_labels_become_one_hot_rows():
    data, _, labels, _ = cn.model_data("iris")
    found = experiments(Source(IRIS), data, labels)
    classes = np.array(IRIS.class_names)
    np.testing.assert_array_equal(found.measured, labels[:, None] == classes)
    low, high = np.array(IRIS.input_range)
    np.testing.assert_allclose(
        found.boundary, (data - low) / (high - low), rtol=RTOL
    )  # its inputs are scaled
    assert found.outputs == IRIS.output_names


def test_signed_inputs_are_two_concentrations_each():
    """Above and below 0, in the order of the network's boundary species."""
    net = cn.Network.random([2, 3, 1], seed=1, inputs="signed")
    X = np.array([[0.5, -2.0], [-1.0, 0.0]])
    found = experiments(Source(net), X, net(X))
    crn = cn.to_reactions(net)
    assert found.boundary.shape == (2, len(crn.boundary)) == (2, 4)
    for row, x in zip(found.boundary, X, strict=True):
        np.testing.assert_array_equal(row, cn.to_reactions(net, x).boundary_concentrations)
    assert sorted(found.boundary[0].tolist()) == [0.0, 0.0, 0.5, 2.0]


@pytest.mark.parametrize(
    ("options", "low", "high"),
    [
        ({}, 0.0, 1.0),
        ({"inputs": "signed"}, -1.0, 1.0),
        ({"inputs": "scaled", "input_range": (-3.0, 5.0)}, -3.0, 5.0),
    ],
    ids=["nonnegative", "signed", "scaled"],
)
@pytest.mark.parametrize("n_in", [1, 2, 5, 20])
def test_without_data_inputs_cover_their_range(options, low, high, n_in):
    """Few rows, all different, of inputs that go near both ends; measured are the network's outputs
    there.
    """
    net = cn.Network.random([n_in, 3, 2], seed=0, **options)
    found = experiments(Source(net))
    rails = found.boundary.reshape(len(found.boundary), n_in, -1)
    X = {
        "nonnegative": lambda: rails[..., 0],
        "signed": lambda: rails[..., 0] - rails[..., 1],
        "scaled": lambda: low + (high - low) * rails[..., 0],
    }[net.inputs]()
    assert 2 <= len(np.unique(X, axis=0)) == len(X) <= 16
    assert ((low <= X) & (high >= X)).all()
    # 16 points of Sobol's sequence are 1/16 apart, and those of a grid are at the ends
    near = (high - low) / 16
    assert (X.min(axis=0) <= low + near).all()
    assert (X.max(axis=0) >= high - near).all()
    np.testing.assert_allclose(found.measured, net(X), rtol=RTOL)
    assert found.outputs == net.output_names


# What a scan varies ------------------------------------------------------------------------------


def variation(model, vary=None, low=None, high=None, **more):
    found = Runs(vary=vary, low=low, high=high).variation(Source(model, **more).crn)
    return found and (found.id, found.low, found.high, found.is_species)


def test_by_default_the_first_input_varies_up_to_1_or_its_value():
    assert variation(XOR) == ("x0", 0.0, 1.0, True)
    assert variation(XOR, x=[5.0, 0.0]) == ("x0", 0.0, 5.0, True)
    assert variation(XOR, "x1", 0.25) == ("x1", 0.25, 1.0, True)


def test_by_default_a_rate_constant_varies_from_its_half_to_its_double():
    crn = replace(GROWTH, species=[replace(s, boundary=False) for s in GROWTH.species])
    assert variation(crn) == ("k", 0.5, 2.0, False)
    assert variation(GROWTH, "q") == ("q", 0.25, 1.0, False)
    off = replace(GROWTH, reactions=[replace(r, value=0.0) for r in GROWTH.reactions])
    assert variation(off, "q") == ("q", 0.0, 1.0, False)


def test_nothing_varies_where_there_is_nothing():
    assert variation(cn.ReactionNetwork([cn.Species("A", 1.0)], [])) is None


# PEtab -------------------------------------------------------------------------------------------


def data_of(name):
    X, _, labels, _ = cn.model_data(name)
    return {"X": X[:6], "Y": labels[:6]}


@pytest.mark.filterwarnings("ignore")  # of other packages, as petab imports and uses them
@pytest.mark.parametrize("free_signs", [False, True])
@pytest.mark.parametrize("with_data", [False, True])
@pytest.mark.parametrize("format", PETAB)
@each_net
def test_petabs_own_linter_finds_nothing(name, format, with_data, free_signs, tmp_path):
    pytest.importorskip("petab")
    data = data_of(name) if with_data else {}
    path = cn.export(NETS[name], tmp_path / "net.yaml", format, free_signs=free_signs, **data)
    assert petab_complaints(path, format) == []


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("format", PETAB)
@pytest.mark.parametrize("held", [True, False])
def test_petabs_own_linter_finds_nothing_about_reactions(format, held, tmp_path):
    """With a boundary species, which conditions set, and without any."""
    pytest.importorskip("petab")
    crn = replace(
        GROWTH, species=[replace(s, boundary=s.boundary and held) for s in GROWTH.species]
    )
    X = [[0.5], [1.0]] if held else np.empty((2, 0))
    path = cn.export(crn, tmp_path / "net.yaml", format, X=X, Y=[[1.0], [1.5]])
    assert petab_complaints(path, format) == []


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("format", PETAB)
def test_petabs_observables_give_way_to_names_of_the_model(format, tmp_path):
    pytest.importorskip("petab")
    reactions = [
        replace(r, rate_constant="obs_twice") if r.id == "lose" else r for r in GROWTH.reactions
    ]
    crn = replace(GROWTH, reactions=reactions)
    path = cn.export(crn, tmp_path / "net.yaml", format, X=[[1.0]], Y=[[1.5]])
    assert petab_complaints(path, format) == []


def petab_complaints(path, format):
    if format == "petab":
        v1 = pytest.importorskip("petab.v1")
        lint = pytest.importorskip("petab.v1.lint")
        return ["as logged"] if lint.lint_problem(v1.Problem.from_yaml(str(path))) else []
    return list(pytest.importorskip("petab.v2").Problem.from_yaml(str(path)).validate())


# COMBINE archives --------------------------------------------------------------------------------


@each_net
def test_archives_list_what_is_in_them(name, tmp_path):
    """All but the manifest itself; and that the simulation is what to run."""
    path = cn.export(NETS[name], tmp_path / "net.omex")
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        files = {f"./{file}" for file in archive.namelist() if file != "manifest.xml"}
        manifest = ElementTree.fromstring(archive.read("manifest.xml"))
    content = {element.get("location"): element for element in manifest}
    assert set(content) == files | {"."}
    assert [place for place, element in content.items() if element.get("master") == "true"] == [
        "./simulation.sedml"
    ]
    assert all(element.get("format", "").startswith("http") for element in manifest)


@each_net
def test_equal_archives_are_equal_bytes(name, tmp_path):
    one, two = (
        cn.export(NETS[name], tmp_path / file, x=np.ones(NETS[name].n_in))
        for file in ("a.omex", "b.omex")
    )
    assert one.read_bytes() == two.read_bytes()


@pytest.fixture(scope="module")
def elsewhere():
    """Calls a function of export_checkers, in a process of its own for each package."""
    pools = {}

    def call(package, function, *arguments):
        pytest.importorskip(package)
        if package not in pools:
            pools[package] = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
        return pools[package].submit(function, *map(str, arguments)).result()

    yield call
    for pool in pools.values():
        pool.shutdown()


@each_net
def test_biosimulators_finds_no_errors(name, tmp_path, elsewhere):
    """Its warnings are that not every simulator has scans."""
    path = cn.export(NETS[name], tmp_path / "net.omex")
    errors, warnings = elsewhere("biosimulators_utils", export_checkers.archive_complaints, path)
    assert errors == ""
    told = [line for line in warnings.splitlines() if not line.rstrip().endswith("has warnings.")]
    assert all("data from repeated tasks" in line for line in told)


# COPASI ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [XOR, GROWTH], ids=["xor", "growth"])
def test_copasi_has_its_own_laws_and_tasks(model, tmp_path, elsewhere):
    pytest.importorskip("basico")
    path = cn.export(model, tmp_path / "net.cps", low=0.25, high=0.75, n_points=5, bound=3.0)
    found = elsewhere("basico", export_checkers.copasi_tasks, path)
    crn = cn.to_reactions(model) if model is XOR else model
    names = {
        0: "Constant flux (irreversible)",
        1: "Mass action (irreversible)",
        2: "Mass action (irreversible)",
    }
    assert found["laws"] == [names[reaction.order] for reaction in crn.reactions]
    (scan,) = found["scan"]
    assert (scan["item"], scan["min"], scan["max"], scan["num_steps"]) == (
        f"[{crn.boundary[0]}]_0",
        0.25,
        0.75,
        5,
    )
    settings = found["sensitivities"]
    assert (settings["sub_task"], settings["cause"]) == (
        "Steady State",
        "Constant Global Quantity Values",
    )
    found_fitted = {
        row["name"]: (float(row["lower"]), float(row["upper"]), row["start"])
        for row in found["fitted"]
    }
    assert found_fitted == {
        f"Values[{f.id}]": (0.0, pytest.approx(3.0 * max(1.0, f.value)), pytest.approx(f.value))
        for f in (fitted(Source(XOR), crn, 3.0) if model is XOR else ())
    }


def test_copasi_draws_and_reports_what_its_tasks_find(tmp_path, elsewhere):
    """Curves have both channels, values and not objects; the report has a row a point."""
    pytest.importorskip("basico")
    path = cn.export(GROWTH, tmp_path / "my net.cps", low=0.25, high=1.0, n_points=3)
    plots = elsewhere("basico", export_checkers.copasi_tasks, path)["plots"]
    where = "CN=Root,Model=growth,Vector="
    read_out = f"{where}Values[twice],Reference=Value"
    feed = f"{where}Compartments[comp],Vector=Metabolites[F],Reference=Concentration"
    time = "CN=Root,Model=growth,Reference=Time"
    assert plots == {
        "time course": ("Time-Course", [("twice", [time, read_out])]),
        "steady state against F": ("Scan", [("twice", [feed, read_out])]),
    }
    name, (heading, *rows) = elsewhere("basico", export_checkers.scan_report, path)
    assert (name, heading) == ("my net.scan.txt", ["[F]", "Values[twice]"])
    expected = [[F, F + 0.5] for F in (0.25, 0.5, 0.75, 1.0)]
    # twice A at (F + 0.5) / 2; COPASI's resolution of steady states is 1e-9
    np.testing.assert_allclose(np.array(rows, dtype=float), expected, rtol=1e-8)


def test_a_name_with_quotes_names_the_files_of_copasi(tmp_path):
    pytest.importorskip("basico")
    path = cn.export(GROWTH, tmp_path / "a\"b<'&.cps", low=0.25, high=1.0, n_points=3)
    elements = ElementTree.parse(path).getroot().iter("{http://www.copasi.org/static/schema}Report")
    targets = {one.get("target") for one in elements}
    assert "a\"b<'&.scan.txt" in targets
    # of the terminal's characters XML has none
    with pytest.raises(cn.FileFormatError, match="expected a name that can be printed"):
        cn.export(GROWTH, tmp_path / "a\x1b[31m.cps", low=0.25, high=1.0, n_points=3)


def test_the_scan_of_an_archive_has_a_marker_a_point(tmp_path, elsewhere):
    """Tellurium draws the points of a scan apart: a line without markers is blank."""
    path = cn.export(GROWTH, tmp_path / "net.omex")
    markers, names = elsewhere("libsedml", export_checkers.scan_markers, path)
    assert markers == ["circle"]
    courses = ["time course", "time course"]  # plot and report
    assert names == ["steady state", *courses, "steady state against F", "scan"]


def test_archives_of_what_conserves_a_sum_have_time_courses_alone(tmp_path, elsewhere):
    """Tellurium's executor stops at a steady state that its solver does not find."""
    crn = cn.import_antimony("model m() A -> B; k*A; B -> A; q*B; A = 1; k = 1; q = 2; end")
    path = cn.export(crn, tmp_path / "net.omex")
    markers, names = elsewhere("libsedml", export_checkers.scan_markers, path)
    assert (markers, names) == ([], ["time course", "time course", "time courses by k", "scan"])
    assert b"conserve a sum of species" in zipfile.ZipFile(path).read("README.md")


RESTLESS = {
    "-> A; k; A = 0; k = 1": 100.0,
    "2 A -> ; k*A^2; A = 1; k = 1": 1 / 201,
    "A -> 2 A; k*A; A = 1; k = 0.1": np.exp(10.0),
}
"""Reactions that grow or die down like 1/t, without a conserved sum, and A at 100."""


def test_archives_of_what_comes_to_no_rest_are_executed(tmp_path, elsewhere):
    """Tellurium's executor raised TypeError at the steady state, and its time course was lost."""
    pytest.importorskip("phrasedml")
    models = [*map(cn.import_antimony, RESTLESS), cn.import_antimony(FED)]
    paths = [cn.export(m, tmp_path / f"{i}.omex") for i, m in enumerate(models)]
    found = [course["A"] for course in run_reader("sedml_course", paths, 100.0)]
    # dA/dt = 2 q B^2 / 2 - k X A, dB/dt = k X A - 2 q B^2 with k X = 1.4, q = 0.3
    change = lambda _, y: (0.3 * y[1] ** 2 - 1.4 * y[0], 1.4 * y[0] - 0.6 * y[1] ** 2)  # noqa: E731
    fed = solve_ivp(change, (0, 100), [1.0, 0.5], "LSODA", rtol=1e-10, atol=1e-12).y[0, -1]
    # CVODE at the archive's 1e-9
    np.testing.assert_allclose(found, [*RESTLESS.values(), fed], rtol=1e-6)
    assert b"Solvers find no steady state" in zipfile.ZipFile(paths[0]).read("README.md")


FED = """
    species $X, $Y; X = 2; Y = 1; A = 1; B = 0.5; k = 0.7; q = 0.3
    X + A -> B + Y; k*X*A; 2 B -> A + X; q*B^2
"""


def test_what_dies_down_to_nothing_keeps_its_steady_state(tmp_path):
    crn = cn.import_antimony("A -> ; k*A; A = 1; k = 1")
    path = cn.export(crn, tmp_path / "net.omex")
    assert b"steadyState" in zipfile.ZipFile(path).read("simulation.sedml")


def test_copasi_takes_reactions_of_one_name_and_of_nothing(tmp_path):
    """COPASI knows reactions by their names: of two of one name it refuses the second."""
    pytest.importorskip("basico")
    reactions = (
        cn.Reaction("J1", ("A",), (), "k", 0.25, "decay"),
        cn.Reaction("J2", ("A",), (), "k", 0.25, "decay"),
        cn.Reaction("J3", (), (), "r", 1.0, "J4"),
        cn.Reaction("J4", (), ("A",), "feed", 1.0),
    )
    crn = cn.ReactionNetwork(species=(cn.Species("A", 1.0),), reactions=reactions)
    (found,) = run_reader("copasi_course", [cn.export(crn, tmp_path / "net.cps")], 3.0)
    # dA/dt = 1 - A / 2; COPASI at tolerances of 1e-10
    assert found["A"] == pytest.approx(2 - np.exp(-1.5), rel=1e-8)


def test_copasi_scans_time_courses_of_what_comes_to_no_rest(tmp_path, elsewhere):
    pytest.importorskip("basico")
    crn = cn.import_antimony(next(iter(RESTLESS)))
    path = cn.export(crn, tmp_path / "net.cps", low=0.5, high=2.0, n_points=3)
    tasks = elsewhere("basico", export_checkers.copasi_tasks, path)
    assert list(tasks["plots"]) == ["time course", "end of time course against k"]
    assert tasks["sensitivities"]["sub_task"] == "Time Series"
    _, (_, *rows) = elsewhere("basico", export_checkers.scan_report, path)
    expected = [[k, 100 * k] for k in (0.5, 1.0, 1.5, 2.0)]  # A = k t
    np.testing.assert_allclose(np.array(rows, dtype=float), expected, rtol=1e-8)


@pytest.mark.parametrize("format", ["sbml", "sbml-l3v1", "sbml-l2v4", "copasi", "antimony", "omex"])
def test_copasi_calls_everything_by_its_identifier(format, tmp_path, elsewhere):
    """`set_species` with a name that COPASI does not know does nothing and says nothing."""
    path = cn.export(XOR, tmp_path / "net", format)
    if format == "antimony":
        path.with_suffix(".xml").write_text(antimony_to_sbml(path.read_text()), encoding="utf-8")
    elif format == "omex":
        zipfile.ZipFile(path).extract("model.xml", tmp_path)
    path = next((file for file in tmp_path.iterdir() if file.suffix == ".xml"), path)
    found, values, compartments = elsewhere(
        "basico", export_checkers.steady_state, path, "x0", "1.0"
    )
    crn = cn.to_reactions(XOR, [1.0, 0.0])
    assert (found, compartments) == (1, ["comp"])
    named = {name for name in values if not name.startswith("number")}  # Level 2's own parameters
    assert named == {*crn.floating, *crn.boundary, *crn.rate_constants, "y0"}
    # Newton's method of COPASI, whose resolution is 1e-9 in the rates
    assert values["y0"] == pytest.approx(XOR([1.0, 0.0])[0], abs=1e-8)


def problem(folder, ending):
    """xor's outputs at the corners, to be fitted from weights and biases up to 50 % off."""
    rng = np.random.default_rng(0)
    layers = [
        cn.Layer(
            layer.weights * rng.uniform(0.5, 1.5, layer.weights.shape),
            layer.bias * rng.uniform(0.5, 1.5, layer.bias.shape),
            layer.activation,
        )
        for layer in XOR.layers
    ]
    off, X = cn.Network(layers), cn.model_data("xor")[0]
    return cn.export(off, folder / f"off.{ending}", X=X, Y=XOR(X)), ((off(X) - XOR(X)) ** 2).sum()


@pytest.mark.parametrize(
    ("package", "function", "ending"),
    [
        ("basico", export_checkers.fit, "cps"),
        pytest.param(
            "copasi_petab_importer", export_checkers.fit_petab, "yaml", marks=pytest.mark.slow
        ),
    ],
    ids=["its own file", "PEtab"],
)
def test_copasi_fits_the_problem(package, function, ending, tmp_path, elsewhere):
    """From an objective that is the closed form's sum of squares to less than a thousandth of it.

    The sum is of steady states, which COPASI finds to 1e-9 in the rates: six digits are its own
    here.
    """
    pytest.importorskip(package)
    path, squares = problem(tmp_path, ending)
    before, after = elsewhere(package, function, path)
    assert before == pytest.approx(squares, rel=DIFFERENCED)
    assert after < before / 1000


def test_the_name_of_the_model_is_a_string_of_yaml(tmp_path):
    yaml = pytest.importorskip("yaml")
    net = replace(XOR, name="on")
    text = cn.export(net, tmp_path / "net.yaml", "petab-v2").read_text(encoding="utf-8")
    assert list(yaml.safe_load(text)["model_files"]) == ["on"]
