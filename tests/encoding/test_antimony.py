"""Antimony text: libSBML's consistency check, equal right-hand sides of all forms, determinism,
linear time.
"""

import re
import time
from pathlib import Path

import libsbml
import numpy as np
import pytest
import roadrunner
from support.networks import HIDDEN, STOOD_FOR, cases, corpus
from support.tolerances import ROUNDED, SUMMED

import crn_nn_tellurium as cn
from crn_nn_tellurium.chemistry import Expression, Monomial
from crn_nn_tellurium.encoding import written
from crn_nn_tellurium.importers import antimony_to_sbml
from crn_nn_tellurium.simulation.engine import CompiledModel

CORPUS = corpus()
MODELS = Path(__file__).parents[2] / "models"


def complaints(text):
    """Everything that libSBML has to say of a model, units included."""
    document = libsbml.readSBMLFromString(antimony_to_sbml(text))
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, True)
    document.checkConsistency()
    return [document.getError(i).getMessage() for i in range(document.getNumErrors())]


@pytest.mark.parametrize("form", ["reactions", "compact", "numbers"])
@pytest.mark.parametrize("case", cases(CORPUS))
def test_libsbml_finds_no_error_and_no_warning(case, form):
    assert complaints(cn.to_antimony(case.net, case.x[0], form)) == []


TUBE = cn.PhysicalUnits(c0=10, tau=100)


@pytest.mark.parametrize("form", ["reactions", "compact", "numbers"])
@pytest.mark.parametrize("case", cases(CORPUS[::3]))
def test_libsbml_finds_nothing_in_other_units_and_starts(case, form):
    for units, starts in ((TUBE, "numbers"), (TUBE, "formulas"), (None, "formulas")):
        text = cn.to_antimony(case.net, case.x[0], form, units=units, starts=starts)
        assert complaints(text) == []


@pytest.mark.parametrize("form", ["reactions", "compact", "numbers"])
@pytest.mark.parametrize("case", cases(CORPUS[::3]))
def test_libsbml_finds_nothing_in_layer_models(case, form):
    for text in cn.layer_models(case.net, form=form):
        assert complaints(text) == []


@pytest.mark.parametrize("form", ["reactions", "compact", "numbers"])
def test_every_element_has_an_sbo_term_and_reactions_have_names(form):
    net = cn.Network.random(
        [2, 3, 2], cn.Normalized(h=0.1), seed=0, output=cn.Tanh(h=0.1), inputs="signed"
    )
    document = libsbml.readSBMLFromString(antimony_to_sbml(cn.to_antimony(net, form=form)))
    model = document.getModel()
    for collection in (
        model.getListOfSpecies(),
        model.getListOfReactions(),
        model.getListOfParameters(),
    ):
        for element in collection:
            # others are called by their identifiers, as COPASI would not where they have a name
            assert bool(element.getName()) == (element.getElementName() == "reaction")
            assert element.isSetSBOTerm(), element.getId()


def test_compact_forms_of_networks_that_are_not_ours():
    """A species that only catalyses, or that nothing changes, has no law."""
    species = [cn.Species("F"), cn.Species("A", 2.0), cn.Species("E", 1.0)]
    crn = cn.ReactionNetwork(species, [cn.Reaction("J", ("A", "E"), ("E",), "k", 1.0)])
    for form in ("compact", "numbers"):
        model = CompiledModel(cn.to_antimony(crn, form=form))
        order = [model.floating.index(name) for name in crn.floating]
        rates = model.rates_of_change(np.empty(0), np.array([0.0, 2.0, 1.0])[np.argsort(order)])[
            order
        ]
        assert rates.tolist() == [0.0, -2.0, 0.0]


def test_a_sum_of_one_term_has_no_name():
    one, two = (cn.Network([cn.Layer([row], [0.5])]) for row in ([1.5], [1.5, 2.0]))
    assert "z_" not in cn.to_antimony(one, form="compact")
    assert "z_" in cn.to_antimony(two, form="compact")


def test_rails_of_opposite_sign_share_a_sum_that_begins_with_a_plus():
    net = cn.Network([cn.Layer([[-2.0, 3.0]], activation=cn.Linear(h=0.1))])
    sums = {
        "compact": "u1_0_0*x0 + u1_0_1*x1",
        "numbers": "2.0 dimensionless*x0 - 3.0 dimensionless*x1",
    }
    for (form, text), signs in zip(sums.items(), ("+-", "-+"), strict=True):
        lines = [line.partition(";") for line in cn.to_antimony(net, form=form).splitlines()]
        assert next(head.strip() for head, *_ in lines if ":= " in head) == f"z_Yp1_0 := {text}"
        laws = [rest.partition(";")[0].strip() for head, _, rest in lines if "=>" in head]
        assert laws == [
            f"comp*(h1 {sign} z_Yp1_0*{y} - q1*{y}*{y})"
            for sign, y in zip(signs, ("Yp1_0", "Yn1_0"), strict=True)
        ]


def test_the_compact_form_of_hundreds_of_species():
    crn = cn.to_reactions(cn.Network.random([300, 1], seed=0))
    (law,) = re.findall(r"z_\w+ := (.*?);", cn.to_antimony(crn, form="compact"))
    assert law.split(" + ") == [f"u1_0_{i}*x{i}" for i in range(300)]


def test_the_unit_check_can_fail():
    net = cn.Network([cn.Layer([[1.0]])])
    text = cn.to_antimony(net)
    assert "// Numbers are dimensionless" in text
    assert complaints(text.replace("h1 has dimensionless", "h1 has second"))
    text = cn.to_antimony(net, units=TUBE)
    assert "nM and times in s" in text
    assert complaints(text.replace("h1 has nM_per_s", "h1 has per_s"))


@pytest.mark.slow
def test_libsbml_finds_nothing_in_the_digits_model():
    assert complaints((MODELS / "digits.ant").read_text(encoding="utf-8")) == []


# libAntimony's time grows with the square of the size; depth 4 is as deep as it need be
@pytest.mark.parametrize("case", cases(CORPUS, slow=(*STOOD_FOR, *HIDDEN)))
def test_all_forms_have_the_same_right_hand_side(case, rng):
    crn = cn.to_reactions(case.net)
    held = case.net.input_coding.concentrations(case.x[0]).ravel()
    models = [
        CompiledModel(cn.to_antimony(case.net, form=form))
        for form in ("reactions", "compact", "numbers")
    ]
    for _ in range(5):
        x = rng.uniform(0, 3, len(crn.floating))
        expected = crn.right_hand_side(x, held)
        gross = crn.balance(x, held).gross
        for model in models:
            assert (model.floating, model.boundary) == (crn.floating, crn.boundary)
            # sums in another order: a few units in the last place of the largest term
            error = np.abs(model.rates_of_change(held, x) - expected)
            assert np.all(error <= SUMMED * gross)


@pytest.mark.parametrize("case", cases(CORPUS[::3]))
def test_all_forms_start_where_the_formulas_say(case):
    crn = written(case.net, case.x[0], starts="formulas")
    assert crn.start_formulas
    expected = [crn.start_values[s] for s in crn.floating]
    for form in ("reactions", "compact", "numbers"):
        model = CompiledModel(cn.to_antimony(case.net, case.x[0], form, starts="formulas"))
        start, _, _ = model.values()
        np.testing.assert_allclose(start, expected, rtol=ROUNDED)


@pytest.mark.parametrize("case", cases(CORPUS[::4]))
def test_the_faithful_form_shows_every_reaction(case):
    crn = cn.to_reactions(case.net)
    document = libsbml.readSBMLFromString(antimony_to_sbml(cn.to_antimony(case.net)))
    model = document.getModel()
    assert model.getNumReactions() == len(crn.reactions)
    assert not any(model.getReaction(i).getReversible() for i in range(model.getNumReactions()))
    for collection in (
        model.getListOfSpecies(),
        model.getListOfReactions(),
        model.getListOfParameters(),
    ):
        for element in collection:
            # others are called by their identifiers, as COPASI would not where they have a name
            assert bool(element.getName()) == (element.getElementName() == "reaction")
            assert element.isSetSBOTerm(), element.getId()
    for reaction, theirs in zip(crn.reactions, model.getListOfReactions(), strict=True):
        law = libsbml.formulaToL3String(theirs.getKineticLaw().getMath())
        assert law.startswith(f"comp * {reaction.rate_constant}")
        assert {r.getSpecies() for r in theirs.getListOfReactants()} == {
            s for s, _ in reaction.substrates
        }
    assert not model.getNumInitialAssignments()
    text = cn.to_antimony(case.net, starts="formulas")
    document = libsbml.readSBMLFromString(antimony_to_sbml(text))
    starts = [a.getSymbol() for a in document.getModel().getListOfInitialAssignments()]
    assert set(starts) == {s.id for s in crn.species if isinstance(s.initial, cn.Expression)}
    assert [rule.getVariable() for rule in model.getListOfRules()] == [
        o.id for o in crn.observables
    ]


def test_equal_networks_give_identical_text():
    for form in ("reactions", "compact", "numbers"):
        texts = {cn.to_antimony(cn.Network.random([3, 4, 2], seed=5), form=form) for _ in range(3)}
        assert len(texts) == 1
    assert "->" not in re.sub(r'"[^"]*"', "", cn.to_antimony(cn.Network.random([3, 4, 2], seed=5)))


@pytest.mark.parametrize("name", ["xor", "moons", "iris", "digits"])
def test_shipped_antimony_is_what_is_written_now(name):
    assert (MODELS / f"{name}.ant").read_text(encoding="utf-8") == cn.to_antimony(
        cn.load_model(name)
    )


@pytest.mark.parametrize("case", cases(CORPUS[::2]))
def test_starts_are_bounds_over_the_range_of_the_inputs(case, rng):
    """Formulas grow with the inputs, so the numbers are above them wherever inputs may be."""
    net = case.net
    starts = cn.import_antimony(cn.to_antimony(net)).initial_concentrations
    low, high = (0.0, 1.0) if net.inputs == "nonnegative" else (-1.0, 1.0)
    if net.inputs == "scaled":
        low, high = np.array(net.input_coding.low), np.array(net.input_coding.high)
    for _ in range(10):
        x = rng.uniform(low, high, net.n_in)
        # libAntimony rounds numbers to 15 digits
        assert np.all(cn.to_reactions(net, x).initial_state() <= starts * (1 + 1e-12))
    large = cn.to_reactions(net, case.x[0]).initial_state()
    text = cn.to_antimony(net, case.x[0])
    assert np.all(large <= cn.import_antimony(text).initial_concentrations * (1 + ROUNDED))


def test_numbers_keep_their_last_digit():
    value = 0.1 + 0.2
    assert repr(value) in cn.to_antimony(cn.Network([cn.Layer([[value]])]))


def test_hostile_names_stay_in_their_quotes():
    net = cn.Network([cn.Layer([[1.0], [2.0]])], class_names=["it's; end //", "<b>&é</b>"])
    assert complaints(cn.to_antimony(net)) == []


@pytest.mark.parametrize(
    ("width", "reactions"), [(40, 31_000), pytest.param(139, 109_000, marks=pytest.mark.slow)]
)
def test_writing_time_is_linear(width, reactions):
    """Ten times the reactions take ten times as long, up to MNIST size (109,000 reactions)."""

    def seconds(width):
        crn = cn.to_reactions(cn.Network.random([784, width, 10], seed=0))
        start = time.process_time()
        text = cn.to_antimony(crn)
        seconds = time.process_time() - start
        assert text.count("=>") == len(crn.reactions)
        return seconds, len(crn.reactions)

    (small, few), (large, many) = seconds(width // 10), seconds(width)
    assert many > reactions
    assert large / small < 4 * many / few  # quadratic time would be 10


def test_the_smallest_number_that_is_written_is_read_and_what_is_below_is_refused():
    """Weights of 1e-310, which Networks may have; libAntimony named a line of its own text."""
    smallest = 2.22507385850721e-308
    for form in ("reactions", "compact", "numbers"):
        text = cn.to_antimony(cn.Network([cn.Layer([[smallest]])]), [smallest], form)
        assert antimony_to_sbml(text)
        for weight, x in ((1e-310, 1.0), (-1e-310, 1.0), (1.0, 1e-310)):
            with pytest.raises(cn.ReactionError, match=r"is -?1e-310; readers of SBML"):
                cn.to_antimony(cn.Network([cn.Layer([[weight]])], inputs="nonnegative"), [x], form)


@pytest.mark.parametrize(("form", "name"), [("reactions", "d"), ("compact", "ud")])
def test_a_formula_of_a_constant_with_a_sign_has_it_where_the_constant_has(form, name):
    """A' = k B - d A B - m A with d = p / 2, the size of a negative number: `ud` is -d."""
    crn = cn.ReactionNetwork(
        [cn.Species("A", 1.0), cn.Species("B", 2.0)],
        [
            cn.Reaction("up", ("B",), ("B", "A"), "k", 3.0, sign=1),
            cn.Reaction("down", ("A", "B"), ("B",), "d", 2.0, sign=-1),
            cn.Reaction("lose", ("A",), (), "m", 0.5),
        ],
        parameters=[cn.Parameter("p", 4.0)],
        formulas=[("d", Expression((Monomial(0.5, (("p", 1.0),)),)))],
    )
    model = roadrunner.RoadRunner(antimony_to_sbml(cn.to_antimony(crn, form=form)))
    for p, rate in ((4.0, 1.5), (5.0, 0.5)):
        model["p"] = p
        assert model[name] == (p / 2 if name == "d" else -p / 2)
        assert model["A'"] == pytest.approx(rate, rel=ROUNDED)
