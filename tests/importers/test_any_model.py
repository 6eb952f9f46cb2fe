"""Whatever a user gives for a model is that model, wherever one is taken."""

from pathlib import Path

import numpy as np
import pytest
from support.tolerances import SOLVED

import crn_nn_tellurium as cn
from crn_nn_tellurium.importers.any_model import text_or_model

# A + 0.3 X -> B and back; at rest B / A = k X / d, of which A + B = 2 is kept
TEXT = """model *there_and_back()
  species A, B, $X
  J1: A => B; k*A*X; J2: B => A; d*B
  k = 0.3; d = 0.25; A = 2; X = 1.5
end"""
AT_REST = 2 * np.array([0.25, 0.45]) / 0.7
# what a point of a scan of X = 1.5 is; the sums of A + B do not change
TAKERS = {
    "steady state": lambda model: cn.Simulator(model).steady_state().outputs,
    "time course": lambda model: cn.Simulator(model).time_course(t_end=3, n_points=4).outputs,
    "to_roadrunner": lambda model: rested(cn.to_roadrunner(model)),
    "scan": lambda model: cn.scan(model, {"X": [1.5, 3.0]}).outputs.values,
    "scan of times": lambda model: cn.scan(model, {"k": [0.1, 0.3]}, at=[0, 2]).outputs.values,
    "refine": lambda model: (
        cn.refine(model, {"X": (1.0, 2.0)}, outputs="A", limit=0.7, n=9).A.values
    ),
    "sensitivities": lambda model: cn.sensitivities(model, parameters=["k", "d", "X"]).values,
    "transient_sensitivities": lambda model: (
        cn.transient_sensitivities(model, t_end=3, n_points=4, parameters=["k", "X"]).values
    ),
    "to_antimony": lambda model: cn.import_antimony(cn.to_antimony(model)).constants,
    "strands": lambda model: len(cn.to_strand_displacement(model).reactions),
    "fastest_units": lambda model: cn.fastest_units(model).tau,
}
FILES = ("m.xml", "m.sbml", "m.ant", "m.txt", "m.crn")


def rested(r):
    assert r.steadyState() < SOLVED
    return [r["[A]"], r["[B]"]]


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    """The model in every way that it can be given."""
    folder, crn = tmp_path_factory.mktemp("models"), cn.import_antimony(TEXT)
    for name in ("m.xml", "m.sbml", "m.crn"):
        cn.export(crn, folder / name)
    for name in ("m.ant", "m.txt"):
        (folder / name).write_text(TEXT, encoding="utf-8")
    sbml = (folder / "m.xml").read_text(encoding="utf-8")
    found = {"ReactionNetwork": crn, "Antimony": TEXT, "SBML": sbml}
    # without its first line, which some tools leave out, behind a mark that others put in
    found["SBML without a head"] = "\ufeff\n" + sbml.partition("?>")[2]
    found["one line"] = TEXT.partition("\n")[2].rpartition("\n")[0].replace("\n", ";")
    found |= {f"Path {name}": folder / name for name in FILES}
    return found | {f"str {name}": str(folder / name) for name in FILES}


# steady states take a model, and scans a text or a model: the other takers ask one of the two
BY_ALL = ("steady state", "scan of times")
FEW = ("ReactionNetwork", "Antimony", "SBML")


def agrees(taker, kinds):
    answers = {kind: np.asarray(TAKERS[taker](model)) for kind, model in kinds.items()}
    expected = answers["ReactionNetwork"]
    if taker in ("steady state", "to_roadrunner"):
        np.testing.assert_allclose(expected.ravel(), AT_REST, rtol=SOLVED)
    if taker == "scan":
        np.testing.assert_allclose(expected[0], AT_REST, rtol=SOLVED)
    for kind, answer in answers.items():
        # roadrunner's Jacobian of a text is taken by differences; all else is equal to rounding
        np.testing.assert_allclose(answer, expected, rtol=1e-8, atol=1e-12, err_msg=kind)


@pytest.mark.parametrize("taker", TAKERS)
def test_every_taker_gives_the_same_answer(taker, kinds):
    agrees(taker, kinds if taker in BY_ALL else {kind: kinds[kind] for kind in FEW})


@pytest.mark.slow
@pytest.mark.parametrize("taker", [taker for taker in TAKERS if taker not in BY_ALL])
def test_every_kind_of_model_gives_the_same_answer(taker, kinds):
    agrees(taker, kinds)


def test_every_kind_of_model_is_exported_alike(kinds, tmp_path):
    for number, model in enumerate(kinds.values()):
        found = cn.import_sbml(cn.export(model, tmp_path / f"{number}.xml"))
        assert found.reactions == kinds["ReactionNetwork"].reactions


def test_a_network_is_taken_by_its_file(tmp_path):
    net, x = cn.load_model("xor"), [[0.0, 1.0], [1.0, 1.0]]
    net.save(tmp_path / "xor.json")
    for file in (tmp_path / "xor.json", str(tmp_path / "xor.json")):
        np.testing.assert_array_equal(
            cn.Simulator(file).steady_state(x).outputs, cn.Simulator(net).steady_state(x).outputs
        )
        assert cn.to_antimony(file) == cn.to_antimony(net)
        assert repr(cn.certify(file, x)) == repr(cn.certify(net, x))
        loss = [cn.gradient(model, x, [1, 0]).vector() for model in (file, net)]
        np.testing.assert_array_equal(*loss)
        assert cn.verify(file, x).passed
        points = [cn.scan(model, {"x0": [0.0, 1.0]}).outputs.values for model in (file, net)]
        np.testing.assert_array_equal(*points)


def test_a_text_that_is_no_mass_action_is_scanned_as_roadrunner_has_it(tmp_path):
    text = "A => B; 3*A/(1 + A); B => A; B; A = 2"
    (tmp_path / "m.ant").write_text(text)
    # 3 A / (1 + A) = B and A + B = 2: A^2 + 2 A - 2 = 0
    for model in (text, tmp_path / "m.ant"):
        ds = cn.scan(model, {"B": [0.0]}, outputs="A")
        assert ds.A.values == pytest.approx(np.sqrt(3) - 1, rel=SOLVED)
        with pytest.raises(cn.ReactionError, match="mass action"):
            cn.Simulator(model)


def test_letters_beyond_ascii_and_every_digit_are_kept(tmp_path):
    (tmp_path / "m.ant").write_text("α => ; k*α; k = 0.12345678901234567; α = 1", encoding="utf-8")
    crn = cn.Simulator(tmp_path / "m.ant").model
    assert crn.species[0].name == "α"
    assert crn.constants.tolist() == [0.12345678901234567]


def test_a_runner_is_taken_by_its_sbml():
    r = cn.to_roadrunner(TEXT)
    r["k"] = 0.6
    found = cn.Simulator(r.getCurrentSBML()).steady_state().outputs
    np.testing.assert_allclose(found[0], 2 * np.array([0.25, 0.9]) / 1.15, rtol=SOLVED)


REFUSED = [
    ("nope.xml", FileNotFoundError, "'nope.xml': there is no such file"),
    (Path("nope.xml"), FileNotFoundError, "'nope.xml': there is no such file"),
    ("A", FileNotFoundError, "'A': there is no such file, and it is no text of a model"),
    ("folder", IsADirectoryError, "'folder': a folder; expected a file of a model"),
    (Path("folder"), IsADirectoryError, "'folder': a folder"),
    ("xor", cn.NetworkError, r"load_model\('xor'\) gives it"),
    ("", cn.NetworkError, "takes a model, its text or its file; got ''"),
    ("empty.ant", cn.FileFormatError, "'empty.ant': an empty file"),
    ("empty.xml", cn.FileFormatError, "'empty.xml': an empty file"),
    ("blank.txt", cn.FileFormatError, "'blank.txt': an empty file"),
    ("m.cps", cn.FileFormatError, r"the ending '.cps'; expected .xml or .sbml \(SBML\), .ant"),
    ("none", cn.FileFormatError, "the ending ''; expected .xml"),
    ("bytes.ant", cn.FileFormatError, "'bytes.ant': not a text file"),
    ("A" * 5000, FileNotFoundError, "there is no such file"),
    ("a\0b", FileNotFoundError, "there is no such file"),
    ("A -> B; k", cn.ReactionError, "the Antimony model"),
    ("model m(", cn.ReactionError, "libAntimony refuses"),
    ("<html></html>", cn.FileFormatError, "the SBML text"),
    ("page.xml", cn.FileFormatError, "page.xml"),
    ("law.ant", cn.ReactionError, "law.ant"),
    ("data.json", cn.FileFormatError, "data.json"),
    (3, cn.NetworkError, "takes a Network, a ReactionNetwork, the text .* got int"),
    (b"A -> B; k*A", cn.NetworkError, "got bytes"),
    (None, cn.NetworkError, "got NoneType"),
]


@pytest.mark.parametrize(("given", "error", "message"), REFUSED)
def test_errors_say_what_is_wrong(given, error, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    contents = {"empty.ant": "", "empty.xml": "\ufeff", "blank.txt": " \n", "m.cps": "<COPASI/>"}
    contents |= {"none": TEXT, "page.xml": "<html></html>", "law.ant": "A -> B; k/A; k = 1; A = 1"}
    for name, text in (contents | {"data.json": "{}"}).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "bytes.ant").write_bytes(b"\xff\xfe\x00")
    for take in (cn.Simulator, cn.to_roadrunner, cn.to_antimony, cn.sensitivities):
        with pytest.raises(error, match=message):
            take(given)
    with pytest.raises(error, match=message):
        cn.export(given, "out.xml")
    assert not (tmp_path / "out.xml").exists()


def test_a_runner_is_refused_with_what_to_give():
    for take in (cn.Simulator, cn.to_antimony, lambda r: cn.scan(r, {"k": [1.0]})):
        with pytest.raises(cn.NetworkError, match=r"r.getCurrentSBML\(\) gives the model"):
            take(cn.to_roadrunner(TEXT))


def test_networks_need_no_importer():
    assert text_or_model(cn.load_model("xor"), "this") == cn.load_model("xor")


def test_a_trained_network_is_told_how_it_becomes_one():
    from sklearn.neural_network import MLPClassifier

    class Own(MLPClassifier):
        pass

    for given in (MLPClassifier(), Own()):
        with pytest.raises(cn.NetworkError, match=r"cn\.from_sklearn\(\.\.\.\) makes a Network"):
            cn.Simulator(given)
