"""What is not mass action, not SBML or not there is refused by name."""

import re

import pytest
from support.imports import (
    edited,
    formula,
    written,
)

import crn_nn_tellurium as cn
from crn_nn_tellurium.importers.antimony import import_antimony
from crn_nn_tellurium.importers.crn import import_crn
from crn_nn_tellurium.importers.sbml import import_sbml

REFUSED = {
    "Michaelis and Menten": (
        "A -> B; V*A/(K + A); V = 1; K = 1",
        r"'_J0': V \* A / \(K \+ A\) is not a sum of terms k \* A\^a",
    ),
    "law that reads nothing": (
        "A -> B; k; k = 1",
        "reaction '_J0' takes 'A', but a term of its rate does not depend",
    ),
    "backwards, law that reads nothing": (
        "A -> B; k*A - m; k = 1; m = 1",
        "reaction '_J0' runs backwards, where a term is negative, and takes 'B'",
    ),
    "two taken, one read": ("2 A -> B; k*A; k = 1", "reaction '_J0' takes 'A', but a term"),
    "root of a concentration": (
        "A -> B; k*sqrt(A); k = 1",
        r"'_J0': .*concentrations to the powers {'A': 0.5}",
    ),
    "negative power": ("A -> B; k/A; k = 1", r"'_J0': .*concentrations to the powers {'A': -1.0}"),
    "high power of a sum": (
        "A -> B; k*A*(A + B)^10; k = 1",
        r"'_J0': \(A \+ B\)\^10 is not a sum of terms",
    ),
    "time in a law": (
        "A -> B; k*A*time; k = 1",
        "reads the time or a constant of nature; expected mass action",
    ),
    "piecewise law": (
        "A -> B; piecewise(k*A, A > 1, 0); k = 1",
        "'_J0': piecewise.* is not a sum of terms",
    ),
    "events": ("A -> B; k*A; k = 1; at time > 1: A = 2", "has no events; the model has 1"),
    "half a molecule": (
        "1.5 A -> B; k*A; k = 1",
        r"reaction '_J0' takes or makes 'A' 1.5 times; expected 1, 2",
    ),
    "no kinetic law": ("A -> B; ", "reaction '_J0' has no kinetic law"),
    "parameter without value": (
        "A -> B; k*A",
        "reaction '_J0': parameter 'k' has no value; expected a finite number",
    ),
    "infinite parameter": (
        "A -> B; k*A; k = inf",
        "reaction '_J0': parameter 'k' has the value inf; expected a finite",
    ),
    "varying parameter": (
        "A -> B; k*A; k = 1; k' = -1",
        "parameter 'k' has a rate rule; expected one of a species",
    ),
    "growing compartment": (
        "compartment c = 1; c' = 1; species A in c; A -> ; A",
        "the size of compartment 'c' changes",
    ),
    "ruled compartment": (
        "compartment c; c := time; species A in c; A -> ; A",
        "the size of compartment 'c' changes",
    ),
    "two volumes": (
        "compartment c = 1, d = 2; species A in c, B in d; A -> B; k*A; k = 1",
        r"reaction '_J0' joins compartments of sizes \[1.0, 2.0\]; expected equal sizes",
    ),
    "ruled species": (
        "species T; A -> B; k*A; k = 1; T := A + B",
        "species 'T' has an assignment rule; expected reac",
    ),
    "negative start": (
        "A -> B; k*A; k = 1; A = -1",
        "species 'A' starts at -1.0; expected a finite number >= 0",
    ),
    "start from a later species": (
        "species A, B; A -> B; k*A; k = 1; A = 2*B; B = 1",
        "the initial value of 'A' reads 'B'; expected species listed before it",
    ),
    "moving start of a held species": (
        "species B, $X; X -> B; k*X; k = 1; X = 2*B",
        "the initial value of 'X' reads 'B'; expected a number, since it is held constant",
    ),
    "not Antimony": ("A -> ; ->", "libAntimony refuses the model: .*line 1"),
}


def test_a_concentration_in_an_exponent_is_refused_as_such():
    with pytest.raises(cn.ReactionError, match=r"'_J0': (k\^B|.*exponent)"):
        import_antimony("A -> B; k^B*A; k = 1")


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_mass_action_is_refused_by_name(text, message):
    with pytest.raises(cn.ReactionError, match=message):
        import_antimony(text)


UNDEFINED = {
    "division by a parameter of 0": "A -> B; kf*A - kf*B/Keq; kf = 1; Keq = 0",
    "root of a negative parameter": "A -> B; k^0.5*A; k = -2",
    "overflow of a power": "A -> B; k^2*A; k = 1e200",
    "overflow of exp": "A -> B; exp(k)*A; k = 1000",
    "compartment of size 0": "compartment c = 0; species A in c; A -> ; k*A; k = 1",
}


@pytest.mark.parametrize("text", UNDEFINED.values(), ids=UNDEFINED)
def test_values_that_a_formula_cannot_have_are_refused_by_name(text):
    with pytest.raises(cn.ReactionError, match=r"'(_J0|c)'"):
        import_antimony(text)


def test_a_read_out_over_a_parameter_of_0_is_left_out():
    with pytest.warns(UserWarning, match="left out: .*'z'"):
        import_antimony("A -> B; k*A; k = 1; Keq = 0; z := A/Keq + B")


def test_a_logarithm_of_nothing_is_refused_by_name():
    with pytest.raises(ValueError, match="'_J0'"):
        import_antimony("A -> B; ln(k)*A; k = 0")


def algebraic_rule(model):
    model.createAlgebraicRule().setMath(formula("A - B"))


def fast(model):
    model.getReaction(0).setFast(True)


def unknown_symbol(model):
    model.getReaction(0).getKineticLaw().setMath(formula("k*A*ghost"))


def stoichiometry_by_assignment(model, text="1 + B"):
    reference = model.getReaction(0).getReactant(0)
    reference.setId("n")
    assignment = model.createInitialAssignment()
    assignment.setSymbol("n")
    assignment.setMath(formula(text))


def stoichiometry_by_rate_rule(model):
    reference = model.getReaction(0).getReactant(0)
    reference.setId("n")
    reference.setConstant(False)
    rule = model.createRateRule()
    rule.setVariable("n")
    rule.setMath(formula("1"))


def half_a_molecule(model):
    stoichiometry_by_assignment(model, "1/2")


EDITED_REFUSED = {
    "algebraic rules": (algebraic_rule, (3, 1), "has no algebraic rules; the model has 1"),
    "fast reactions": (fast, (3, 1), "has no fast reactions; the model has 1"),
    "unknown symbol": (
        unknown_symbol,
        (3, 2),
        "reaction '_J0' reads 'ghost'; expected species and parameters",
    ),
    "assigned stoichiometry": (
        stoichiometry_by_assignment,
        (3, 2),
        "reaction '_J0' takes or makes 'A' a changing number of times; exp",
    ),
    "moving stoichiometry": (
        stoichiometry_by_rate_rule,
        (3, 2),
        "reaction '_J0' takes or makes 'A' a changing number of times; exp",
    ),
    "half a molecule by a formula": (
        half_a_molecule,
        (3, 2),
        "reaction '_J0' takes or makes 'A' 0.5 times; exp",
    ),
}


@pytest.mark.parametrize(("edit", "level", "message"), EDITED_REFUSED.values(), ids=EDITED_REFUSED)
def test_what_antimony_cannot_say_is_refused_with_the_files_name(edit, level, message, tmp_path):
    path = written(tmp_path, edited("A -> B; k*A; k = 2", edit, level))
    with pytest.raises(cn.ReactionError, match=message) as caught:
        import_sbml(path)
    assert str(path) in str(caught.value)


def unknown_product(model):
    model.getReaction(0).getProduct(0).setSpecies("ghost")


def rules_in_a_circle(model):
    for name, text in (("k", "m"), ("m", "k")):
        model.getParameter(name).setConstant(False)
        rule = model.createAssignmentRule()
        rule.setVariable(name)
        rule.setMath(formula(text))


@pytest.mark.parametrize(
    "edit", [unknown_product, rules_in_a_circle], ids=lambda edit: edit.__name__
)
def test_inconsistent_sbml_is_refused(edit, tmp_path):
    with pytest.raises(
        (cn.FileFormatError, cn.ReactionError), match=r"'ghost'|go in a circle: k -> m -> k"
    ):
        import_sbml(written(tmp_path, edited("A -> B; k*A; k = 2; m = 3", edit)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not valid SBML"),
        ("A -> B", "not valid SBML, line .*not well-formed"),
        ("<html/>", "not valid SBML"),
        (
            (
                '<?xml version="1.0"?><sbml xmlns="http://www.sbml.org/sbml/level3/version2/core"'
                ' level="3"'
            ),
            "not valid SBML",
        ),
    ],
    ids=["empty", "no XML", "other XML", "cut off"],
)
def test_what_is_not_sbml_is_refused(text, message, tmp_path):
    path = written(tmp_path, text)
    with pytest.raises(cn.FileFormatError, match=message) as caught:
        import_sbml(path)
    assert str(path) in str(caught.value)


def test_sbml_without_a_model_is_refused(tmp_path):
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2"/>'
    )
    with pytest.raises(cn.FileFormatError, match="holds no model"):
        import_sbml(written(tmp_path, text))


@pytest.mark.parametrize("read", [import_sbml, import_crn])
def test_missing_files_and_folders_are_oserrors(read, tmp_path):
    for path, error in (
        (tmp_path / "nothing.xml", FileNotFoundError),
        (tmp_path, IsADirectoryError),
    ):
        with pytest.raises(error, match=re.escape(repr(str(path)))):
            read(path)
