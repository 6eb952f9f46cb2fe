"""Points of scans of any model: initial assignments follow, amounts are no concentrations."""

import math
import re

import numpy as np
import pytest
import roadrunner
from support.tolerances import INTEGRATED, SOLVED

import crn_nn_tellurium as cn
from crn_nn_tellurium.importers import antimony_to_sbml
from crn_nn_tellurium.kinetics import factors_by_name

START = "model m() A -> B; k*A; A = 2*A0; A0 = 1; k = 1; end"
RATE = "model m() A -> B; k*A; A = 1; k = 2*k0; k0 = 1; end"
CHAIN = """model m()
  A -> ; k*A; A = B + p; B = 2*q; q = 3*p; p = 1; k = 0.5; species $X; X = A; x' = -x; x = q
end"""
VESSEL = """model m()
  compartment v = 2*w; w = 2; substanceOnly species A in v; species B in v, C in v
  A -> ; k*A; B -> ; k*B; A = 3*q; q = 1; B = A; C = 5; k = 1
end"""
AMOUNT = "model m() compartment v = 4; substanceOnly species A in v; A -> ; k*A; A = 3; k = 1; end"


def scanned(model, vary, name, at):
    return cn.scan(model, vary, at=[at], outputs={"found": name}).found.values[..., 0]


MODELS = pytest.mark.parametrize("read", [str, cn.import_antimony], ids=["text", "reactions"])


@MODELS
def test_starts_follow_what_is_varied(read):
    assert scanned(read(START), {"A0": [1.0, 2.0]}, "A", 0.0).tolist() == [2.0, 4.0]


@MODELS
def test_rate_constants_follow_what_is_varied(read):
    found = scanned(read(RATE), {"k0": [1.0, 2.0]}, "A", 1.0)
    # CVODE's relative tolerance is 1e-10 a step
    np.testing.assert_allclose(found, [math.exp(-2), math.exp(-4)], rtol=1e-8)


@pytest.mark.parametrize(
    ("vary", "name", "expected"),
    [
        ({"p": [1.0, 2.0]}, "A", [7.0, 14.0]),
        ({"p": [1.0, 2.0]}, "X", [7.0, 14.0]),
        ({"p": [1.0, 2.0]}, "x", [3.0, 6.0]),
        # what is varied itself goes before its assignment, and others follow it
        ({"q": [5.0]}, "A", [11.0]),
        ({"q": [5.0]}, "x", [5.0]),
        ({"B": [4.0]}, "A", [5.0]),
        ({"A": [4.0]}, "X", [4.0]),
        ({"initial": [9.0]}, "A", [9.0]),
        ({"initial": [9.0]}, "X", [9.0]),
    ],
)
def test_assignments_follow_one_another_in_any_order(vary, name, expected):
    assert scanned(CHAIN, vary, name, 0.0).tolist() == expected


@MODELS
def test_points_do_not_mind_those_before(read):
    found = scanned(read(START), {"k": [1.0, 3.0], "A0": [2.0, 1.0, 2.0]}, "A", 0.0)
    assert found.tolist() == [[4.0, 2.0, 4.0]] * 2


def test_the_number_of_a_substance_only_species_is_an_amount():
    """3 in a volume of 4 is a concentration of 0.75, which is what results are."""
    ds = cn.scan(AMOUNT, {"A": [3.0, 6.0]}, at=[0.0, 4.0], outputs={"found": "A"})
    # the law is in amounts a time: dA/dt = -k A, of the amount as of the concentration
    expected = np.outer([0.75, 1.5], [1.0, math.exp(-4)])
    np.testing.assert_allclose(ds.found.values, expected, rtol=INTEGRATED)
    assert ds.A.attrs["long_name"] == "start of A, an amount"


def test_concentrations_are_concentrations_in_any_volume():
    text = AMOUNT.replace("substanceOnly ", "")
    assert scanned(text, {"A": [3.0]}, "A", 0.0).tolist() == [3.0]
    # a reaction network's own numbers are concentrations: the file's amount of 3 is 0.75 there
    crn = cn.import_antimony(AMOUNT)
    assert crn.start_values == {"A": 0.75}
    assert scanned(crn, {"A": [0.75]}, "A", 0.0).tolist() == [0.75]
    assert scanned(AMOUNT, {"initial": [0.75]}, "A", 0.0).tolist() == [0.75]


@pytest.mark.parametrize(
    ("vary", "name", "expected"),
    [
        ({"q": [1.0, 2.0]}, "A", [0.75, 1.5]),  # an amount of 3 q in a volume of 4
        ({"q": [1.0, 2.0]}, "B", [3.0, 6.0]),  # the concentration is the number of the amount
        ({"w": [2.0, 4.0]}, "A", [0.75, 0.375]),  # the same amount in twice the volume
        ({"w": [2.0, 4.0]}, "C", [5.0, 5.0]),
        ({"A": [8.0]}, "A", [2.0]),
        ({"A": [8.0]}, "B", [8.0]),
    ],
)
def test_volumes_follow_too(vary, name, expected):
    assert scanned(VESSEL, vary, name, 0.0).tolist() == expected


def test_a_reaction_in_a_volume_that_follows():
    """The law k B is in amounts a time: dB/dt = -k B / v, with v = 2 w."""
    found = scanned(VESSEL, {"w": [2.0, 4.0]}, "B", 1.0)
    np.testing.assert_allclose(found, [3 * math.exp(-1 / 4), 3 * math.exp(-1 / 8)], rtol=INTEGRATED)


def test_steady_states_start_where_assignments_say():
    """A + B is kept: A = 2 A0 at the start ends as two thirds of it, by k = 1 and 2."""
    text = "model m() A -> B; A - 2*B; A = 2*A0; A0 = 1; end"
    ds = cn.scan(text, {"A0": [1.0, 3.0]}, outputs={"end": "A"})
    # what conserves something is integrated to rest, within 1e-7
    np.testing.assert_allclose(ds.end.values, [4 / 3, 4.0], rtol=1e-6)


def test_errors_come_after_formulas_and_are_each_constants_own():
    crn = cn.import_antimony("model m() -> A; D*(Ain - A); Ain = 2; D = 1; end")
    ds = cn.scan(crn, [*cn.lognormal(0.3, draws=4, seed=1)], outputs={"end": "A"})
    # A = k__J0_1 / D
    factors = [factors_by_name(["k__J0_1", "D"], 0.3, draw, 1) for draw in range(4)]
    expected = [2 * made / lost for made, lost in factors]
    np.testing.assert_allclose(ds.end.values, expected, rtol=SOLVED)


KEEPS_COUNTS = roadrunner.__version__.startswith("2.8")
"""The last one for Python 3.10 keeps some stoichiometric numbers as a text has them."""
FOLLOWED = {
    # an amount is a concentration by a size that follows
    "size": ("compartment v; v = 2*p; p = 1; species A in v, B in v; A = 3/v; A -> B; k*A*v", "p"),
    "size by a rule": ("compartment v; v := 2*p; p = 1; species A in v; A = 3/v; A -> ; k*A", "p"),
    "size of an amount": (
        "compartment v; v = 2*p; p = 1; substanceOnly species A in v; A = 3*v; A -> ; k*A",
        "p",
    ),
    "held in a size": (
        "compartment v; v = 2*p; p = 1; species A in v, $X in v; X = 3/v; A = 1; A -> ; k*A*X",
        "p",
    ),
    "rate": ("J0: A -> B; k*A; A = 1; C = J0*2; C -> ; q*C; q = 1", "k"),
    "rate of a rate": ("J0: A -> ; A; A = p; p = 3; J1: D -> ; J0*D; D = 2; C = J1; C -> ; C", "p"),
    "held with a rate rule": ("species $S; S = 2*p; p = 1; S' = -0.5*S; A -> ; k*A*S; A = 1", "p"),
    "held, varied": ("species $S; S = 2; S' = -0.5*S; A -> ; k*A*S; A = 1", "S"),
    "rate rule, varied": ("x = 2; x' = -0.5*x; A -> ; k*A*x; A = 1", "x"),
    "stoichiometry": ("n = 2*p; p = 1; A -> n B; k*A; A = 1", "p"),
    "stoichiometry, varied": ("n = 2; A -> n B; k*A; A = 1", "n"),
    "stoichiometry by a rule": ("n := 2*p; p = 1; A -> n B; k*A; A = 1", "p"),
    "stoichiometry that moves": ("n = 2*p; n' = 0.5; p = 1; A -> n B; k*A; A = 1", "p"),
}


NETWORKS = {"rate", "rate of a rate", "held with a rate rule", "held, varied", "rate rule, varied"}
"""Those that are mass action, with this number in the network."""


@pytest.mark.parametrize("case", FOLLOWED)
def test_all_that_follows_is_as_in_the_changed_text(case):
    """Against tellurium, which loads the text with the number changed."""
    import tellurium as te

    text, name = FOLLOWED[case]
    text, values = f"model m()\n{text}; k = 1\nend", [1.0, 2.5]
    models = [text, cn.import_antimony(text)] if case in NETWORKS else [text]
    if case == "stoichiometry that moves" and KEEPS_COUNTS:
        with pytest.raises(cn.InputError, match="number 'n' changes in this scan and has a rate"):
            cn.scan(text, {name: values}, at=[0.0, 1.0])
        return
    found = [cn.scan(m, {name: values}, at=[0.0, 1.0], outputs="species") for m in models]
    for value in values:
        r = te.loada(re.sub(rf"\b{name} = [\d.]+", f"{name} = {value}", text))
        r.integrator.relative_tolerance, r.integrator.absolute_tolerance = 1e-10, 1e-14
        species = r.getFloatingSpeciesIds()
        expected = r.simulate(0, 1, 2, [f"[{s}]" for s in species])
        for ds in found:
            ours = ds.concentrations.sel({name: value, "species": species})
            # two runs of CVODE at tolerances of 1e-10 a step
            np.testing.assert_allclose(ours, expected, rtol=1e-7)


def test_species_held_by_a_rate_rule_are_kept_as_they_move():
    text = "model m()\nspecies $S; S = 2*p; p = 1; S' = -0.5*S; A -> ; A; A = 1\nend"
    found = scanned(text, {"p": [1.0, 2.0]}, "S", 1.0)
    np.testing.assert_allclose(found, [2 * math.exp(-0.5), 4 * math.exp(-0.5)], rtol=INTEGRATED)


@pytest.mark.parametrize("set_", ["n = 2*p", "n := 2*p"])
def test_steady_states_with_a_stoichiometry_that_follows(set_):
    """-> n B at 1, B -> at 1: B = n. A -> n B, n B -> A of A + B/n = 1: B = n/(1 + n)."""
    ds = cn.scan(f"model m()\n{set_}; p = 1; -> n B; 1; B -> ; B\nend", {"p": [1.0, 2.0]})
    np.testing.assert_allclose(ds.outputs.values[:, 0], [2.0, 4.0], rtol=SOLVED)
    text = f"model m()\n{set_}; p = 1; A -> n B; A; n B -> A; B; A = 1\nend"
    if KEEPS_COUNTS:
        with pytest.raises(cn.InputError, match="as one that stands twice is"):
            cn.scan(text, {"p": [0.5, 1.0, 2.0]}, outputs={"end": "B"})
        text = text.replace("-> A; B", "-> A; k*B; k = 1")
        ds = cn.scan(text, {"k": [1.0]}, outputs={"end": "B"})
        np.testing.assert_allclose(ds.end.values, [2 / 3], rtol=SOLVED)
        return
    ds = cn.scan(text, {"p": [0.5, 1.0, 2.0]}, outputs={"end": "B"})
    # n (1 - B/n) = n B
    np.testing.assert_allclose(ds.end.values, [1 / 2, 2 / 3, 4 / 5], rtol=1e-9)


@MODELS
@pytest.mark.parametrize("at", [{"at": [0.0, 1.0]}, {}], ids=["times", "steady"])
def test_starts_that_would_be_negative_fail_in_words(read, at):
    text = "model m() A -> B; k*A; B -> A; q*B; A = 2*A0; A0 = 1; k = 1; q = 1; end"
    ds = cn.scan(read(text), {"A0": [-1.0, 1.0]}, **at, outputs={"end": "B"})
    bad, good = map(str, ds.status.values)
    assert "'A' follows from 2" in bad
    assert "which is -2.0; expected" in bad
    assert not good.startswith("failed")
    assert np.isnan(ds.end.values[0]).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "compartment v = 2*p; p = 1; species A in v; A = 3; A -> ; A",
            r"'v' follows from 2 \* p, .*size",
        ),
        ("A = log(p); p = 2; A -> ; A", r"'A' follows from ln\(p\), which is nan"),
        ("x = log(p); x' = -x; p = 2; A -> ; A*x; A = 1", r"'x' follows from .*a finite number"),
        ("species $X = 2*p; p = 1; A -> ; A*X; A = 1", "'X' follows from .* -2.0; expected"),
        ("n = 2*p; p = 1; A -> n B; A; A = 1", "'n' follows from .* -2.0; .* stoichiometric"),
    ],
)
def test_what_follows_and_cannot_be_fails_in_words(text, message):
    ds = cn.scan(f"model m()\n{text}\nend", {"p": [-1.0, 2.0]}, at=[1.0])
    assert re.search(message, str(ds.status.values[0]))
    assert str(ds.status.values[1]) == "integrated"


def test_starts_follow_functions_that_the_text_defines():
    text = """function double(a) 2*a; end
    model m() A -> ; k*A; k = double(q); q = 1; A = double(k); end"""
    assert scanned(text, {"q": [1.0, 3.0]}, "A", 0.0).tolist() == [4.0, 12.0]


def test_an_initial_assignment_without_a_formula_assigns_nothing():
    """As SBML has it from level 3, version 2 on."""
    text = "model m() A -> ; k*A; k = 2; q = 1; A = 3*q; end"
    sbml = antimony_to_sbml(text)
    empty = '<initialAssignment symbol="k"/></listOfInitialAssignments>'
    sbml = sbml.replace("</listOfInitialAssignments>", empty)
    assert empty in sbml
    assert scanned(sbml, {"q": [1.0, 2.0]}, "A", 0.0).tolist() == [3.0, 6.0]
