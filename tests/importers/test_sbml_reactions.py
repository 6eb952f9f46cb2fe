"""What one reaction of SBML becomes where its species change at different rates."""

import math

import libsbml
import numpy as np
import pytest
from support.imports import COURSE, TIMES, edited, formula, time_courses, written
from support.tolerances import LAST_DIGIT

from crn_nn_tellurium.errors import ReactionError
from crn_nn_tellurium.importers.antimony import import_antimony
from crn_nn_tellurium.importers.sbml import import_sbml
from crn_nn_tellurium.simulation.engine import antimony_to_sbml

pytestmark = pytest.mark.filterwarnings("ignore:.*(different rates|as the number)")
TWO = "compartment c = 1, d = 2; species A in c, B in d; A = 3; k = 0.7; "
# k = 0.7, A = 3
DECAY = np.exp(-0.7 * TIMES)
GONE = 3 * (1 - DECAY)
TEXTS = {
    "parts of molecules": (
        "1.5 A -> 2.5 B; k*A; A = 3; k = 0.7",
        ["A =>", "A => B + A"],
        [3 * DECAY**1.5, 5 * (1 - DECAY**1.5)],
    ),
    "halves of both": ("0.5 A -> 0.5 B; k*A; A = 3; k = 1.4", ["A => B"], [3 * DECAY]),
    "a whole number of halves": (
        "0.5 A + B -> 1.5 A; k*B; B = 3; k = 0.7",
        ["B => A"],
        [3 * (1 - DECAY), 3 * DECAY],
    ),
    "two volumes": (TWO + "A -> B; k*A", ["A =>", "A => B + A"], [3 * DECAY, 1.5 * (1 - DECAY)]),
    "two volumes, there and back": (
        TWO + "A -> B; k*(A - B)",
        ["A =>", "B => A + B", "A => B + A", "B =>"],
        [1 + 2 * DECAY**1.5, 1 - DECAY**1.5],
    ),
    "a catalyst of another volume": (
        TWO + "species E in d; E = 1; A + E -> E; k*A*E",
        ["A + E => E"],
        [3 * DECAY],
    ),
    "amounts in two volumes": (
        "compartment c = 0.5, d = 2; substanceOnly species A in c, B in d; A = 3; A -> B; 0.7*A",
        ["A =>", "A => B + A"],
        [6 * DECAY, 1.5 * (1 - DECAY)],
    ),
    "a compartment that a rule makes constant": (
        "compartment c; c := 2*q; q = 1; species A in c; A = 3; A -> ; 1.4*A",
        ["A =>"],
        [3 * DECAY],
    ),
    "a compartment that holds nothing": (
        "compartment c; c = 3; c' = -0.7*c; species A; -> A; c",
        ["c => A + c", "c =>"],
        [GONE / 0.7, 3 * DECAY],
    ),
    "the rate of another reaction": (
        "J: A -> B; k*A; -> C; 2*J; A = 3; k = 0.7",
        ["A => B", "A => C + A"],
        [3 * DECAY, GONE, 6 * (1 - DECAY)],
    ),
    "a constant of a start": (
        "A -> ; k*A; k = A/B; A = 1.4; species B; B = 2",
        ["A =>"],
        [1.4 * DECAY],
    ),
    "a start of a start": (
        "species A, B; A -> ; 0.7*A; A = B/(1 + B)*4.5; B = 2",
        ["A =>"],
        [3 * DECAY],
    ),
}


@pytest.mark.parametrize(("text", "equations", "right"), TEXTS.values(), ids=TEXTS)
def test_a_reaction_is_as_many_as_it_has_rates_of_change(text, equations, right):
    crn = import_antimony(text)
    assert [r.equation for r in crn.reactions] == equations
    ours, theirs = time_courses(crn, antimony_to_sbml(text))
    np.testing.assert_allclose(ours, theirs, **COURSE)
    np.testing.assert_allclose(ours[:, : len(right)].T, right, **COURSE)


def factor(model, name, value):
    parameter = model.createParameter()
    parameter.setId(name)
    parameter.setValue(value)
    parameter.setConstant(True)
    return name


def of_the_model(model):
    model.setConversionFactor(factor(model, "f", 2.0))


def of_a_species(model):
    of_the_model(model)
    model.getSpecies("B").setConversionFactor(factor(model, "g", 5.0))


def named_count(model, formula_text, create):
    """The product's stoichiometric number, called n."""
    reference = model.getReaction(0).getProduct(0)
    reference.setId("n")
    reference.setConstant(create == "createInitialAssignment")
    made = getattr(model, create)()
    (made.setSymbol if create == "createInitialAssignment" else made.setVariable)("n")
    made.setMath(formula(formula_text))


def of_a_start(model):
    named_count(model, "A - 1", "createInitialAssignment")


def of_a_species_that_moves(model):
    named_count(model, "A", "createAssignmentRule")


def by_a_rate_rule(model):
    named_count(model, "1", "createRateRule")


def read_in_a_law(model):
    reference = model.getReaction(0).getProduct(0)
    reference.setId("n")
    reference.setStoichiometry(0.5)
    model.getReaction(0).getKineticLaw().setMath(formula("2*n*k*A"))


def negative(model):
    model.getReaction(0).getReactant(0).setStoichiometry(-2.0)


def of_a_product(model):
    """As many of A as there are of B: of level 2, whose numbers are formulas."""
    model.getReaction(0).getReactant(0).createStoichiometryMath().setMath(formula("B"))


EDITS = {
    of_the_model: [3 * DECAY**2, 3 * (1 - DECAY**2)],
    of_a_species: [3 * DECAY**2, 7.5 * (1 - DECAY**2)],
    of_a_start: [3 * DECAY, 2 * GONE],
    of_a_species_that_moves: [3 * DECAY, 4.5 * (1 - DECAY**2)],
    by_a_rate_rule: [3 * DECAY, GONE + 3 * ((1 - DECAY) / 0.7 - TIMES * DECAY)],
    read_in_a_law: [3 * DECAY, 0.5 * GONE],
    negative: [3 * DECAY**-2, 1.5 * (DECAY**-2 - 1)],
}


@pytest.mark.parametrize(("edit", "right"), EDITS.items(), ids=lambda x: getattr(x, "__name__", ""))
def test_what_antimony_cannot_say_is_right_at_finite_times(edit, right, tmp_path):
    sbml = edited("A -> B; k*A; A = 3; k = 0.7", edit)
    crn = import_sbml(written(tmp_path, sbml))
    ours, theirs = time_courses(crn, sbml)
    np.testing.assert_allclose(ours, theirs, **COURSE)
    np.testing.assert_allclose(ours[:, :2].T, right, **COURSE)


def test_a_number_of_molecules_may_be_a_species(tmp_path):
    """dA/dt = -k A B and dB/dt = k A, with k = 0.7, A = 3, B = 2."""
    sbml = edited("A -> B; k*A; A = 3; k = 0.7", of_a_product, (2, 4))
    crn = import_sbml(written(tmp_path, sbml))
    assert [r.equation for r in crn.reactions] == ["A + B => B", "A => B + A"]
    changes = dict(zip(crn.floating, crn.right_hand_side([3.0, 2.0]).tolist(), strict=True))
    assert changes == pytest.approx({"A": -4.2, "B": 2.1}, rel=LAST_DIGIT)


@pytest.mark.parametrize("count", [math.inf, math.nan])
def test_numbers_of_molecules_are_finite(count, tmp_path):
    def uncounted(model):
        model.getReaction(0).getReactant(0).setStoichiometry(count)

    message = f"'_J0', how many of 'A' it takes or makes: it is {count}; expected a finite number"
    with pytest.raises(ReactionError, match=message):
        import_sbml(written(tmp_path, edited("A -> B; k*A; A = 3; k = 0.7", uncounted)))


def test_a_conversion_factor_stays_a_parameter(tmp_path):
    """Of which rate constants follow."""
    crn = import_sbml(written(tmp_path, edited("A -> B; k*A; A = 3; k = 0.7", of_a_species)))
    values = {"f": 2.0, "g": 5.0, "k": 0.7}
    assert values.items() <= dict(zip(crn.constant_names, crn.constants, strict=True)).items()
    assert [str(sorted(f.symbols)) for _, f in crn.formulas] == ["['f', 'k']", "['g', 'k']"]


def test_one_reaction_that_becomes_two_is_said():
    with pytest.warns(UserWarning, match=r"'_J0': its species change .* by their volumes, so it"):
        import_antimony(TWO + "A -> B; k*A")
    with pytest.warns(UserWarning, match="by their numbers of molecules that are not whole"):
        import_antimony("1.5 A -> B; k*A; k = 1")


def test_a_number_of_a_start_is_said():
    with pytest.warns(UserWarning, match=r"the start of 'k' is 2 \* A, which is taken as .* 6.0;"):
        import_antimony("A -> ; k*A; k = 2*A; A = 3")


def of_level_1(formula, denominator=1):
    """A -> B of Level 1, whose formulas are texts."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level1" level="1" version="2"><model name="m">
<listOfCompartments><compartment name="c" volume="1"/></listOfCompartments>
<listOfSpecies><species name="A" compartment="c" initialAmount="3"/>
<species name="B" compartment="c" initialAmount="0"/></listOfSpecies>
<listOfParameters><parameter name="k" value="0.7"/></listOfParameters>
<listOfReactions><reaction name="J" reversible="false">
<listOfReactants><speciesReference species="A"/></listOfReactants>
<listOfProducts><speciesReference species="B"
stoichiometry="1" denominator="{denominator}"/></listOfProducts>
<kineticLaw formula="{formula}"/></reaction></listOfReactions></model></sbml>"""


def test_fractions_of_level_1_are_read(tmp_path):
    text = of_level_1("0.7*A", denominator=2)
    assert libsbml.readSBMLFromString(text).getLevel() == 1
    ours, theirs = time_courses(import_sbml(written(tmp_path, text)), text)
    np.testing.assert_allclose(ours, theirs, **COURSE)
    np.testing.assert_allclose(ours.T, [3 * DECAY, 1.5 * (1 - DECAY)], **COURSE)


@pytest.mark.parametrize(
    ("function", "value"),
    [
        ("log(k + 1)", math.log(1.7)),  # the natural one, in Level 1 alone
        ("log10(k + 1)", math.log10(1.7)),
        ("sqr(k)", 0.7**2),
        ("sqrt(k)", 0.7**0.5),
        ("pow(k, 3)", 0.7**3),
        ("abs(k)", 0.7),
        ("acos(k)", math.acos(0.7)),
        ("asin(k)", math.asin(0.7)),
        ("atan(k)", math.atan(0.7)),
        ("ceil(k)", 1.0),
        ("exp(k)", math.exp(0.7)),
        ("tan(k)", math.tan(0.7)),
    ],
)
def test_functions_of_level_1_are_what_they_are_there(function, value, tmp_path):
    text = of_level_1(f"{function}*A")
    crn = import_sbml(written(tmp_path, text))
    assert crn.reactions[0].value == pytest.approx(value, rel=1e-12)  # a few roundings
    ours, theirs = time_courses(crn, text)
    np.testing.assert_allclose(ours, theirs, **COURSE)


def test_a_square_of_level_1_is_a_power(tmp_path):
    text = of_level_1("k*sqr(A)")
    ours, theirs = time_courses(import_sbml(written(tmp_path, text)), text)
    np.testing.assert_allclose(ours, theirs, **COURSE)


def test_avogadros_number_may_be_called_anything(tmp_path):
    sbml = edited("A -> ; k*A*avogadro; k = 2; A = 1", lambda model: None)
    renamed = sbml.replace("> avogadro <", "> time <")
    assert renamed != sbml
    for text in (sbml, renamed):
        crn = import_sbml(written(tmp_path, text))
        assert crn.reactions[0].value == 2 * 6.02214179e23
