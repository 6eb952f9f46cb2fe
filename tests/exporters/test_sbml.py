"""SBML as libSBML, libAntimony and roadrunner read it, with its layout."""

import re

import numpy as np
import pytest
import roadrunner
from hypothesis import given, settings, strategies as st
from support.exports import (
    BRUSSELATOR,
    IDENTIFIERS,
    MODELS,
    SBML,
    chain,
    complaints,
    each_model,
    parsed,
    text_of,
)
from support.networks import without_comments

import crn_nn_tellurium as cn
from crn_nn_tellurium.chemistry.expressions import Expression, Monomial
from crn_nn_tellurium.exporters.graph import influences
from crn_nn_tellurium.importers import antimony_to_sbml
from crn_nn_tellurium.importers.sbml import import_sbml


@each_model
def test_libsbml_has_nothing_to_say(crn, tmp_path):
    for name in SBML:
        assert complaints(text_of(crn, tmp_path, name)) == []


@each_model
def test_libsbml_has_nothing_to_say_about_layouts(crn, tmp_path):
    assert complaints(text_of(crn, tmp_path, "sbml", layout=True)) == []


def test_level_3_version_1_has_layouts_too(tmp_path):
    assert complaints(text_of(BRUSSELATOR, tmp_path, "sbml-l3v1", layout=True)) == []


@given(names=st.lists(IDENTIFIERS, min_size=1, max_size=8, unique=True))
@settings(max_examples=15)
def test_libsbml_has_nothing_to_say_about_names(names, tmp_path_factory):
    """Identifiers that we add are reserved, or give way."""
    names = [*names, *(name for name in ("number", "comp_") if name not in names)]
    for name in SBML:
        assert complaints(text_of(chain(names), tmp_path_factory.getbasetemp(), name)) == []


@pytest.mark.parametrize("other", ["glyph_A", "text_A", "layers", "glyph_J_A", "J_A"])
def test_glyphs_give_way_to_names(other, tmp_path):
    """Layouts share the identifiers of the model: ``glyph_J_A`` is A's end of J's line, or the
    species J_A.
    """
    crn = cn.ReactionNetwork(
        [cn.Species("A", 1.0), cn.Species(other, 1.0)],
        [cn.Reaction("J", ("A",), (other,), "k", 1.0)],
    )
    assert complaints(text_of(crn, tmp_path, "sbml", layout=True)) == []


@pytest.mark.parametrize("name", SBML[1:])
def test_reactions_of_nothing_are_left_out_or_refused(name, tmp_path):
    crn = cn.ReactionNetwork([cn.Species("A", 1.0)], [cn.Reaction("J", (), (), "k", 1.0)])
    try:
        text = text_of(crn, tmp_path, name)
    except cn.FileFormatError:
        return
    assert complaints(text) == []


@pytest.mark.parametrize(
    ("name", "level"), [(SBML[0], (3, 2)), (SBML[1], (3, 1)), (SBML[2], (2, 4))]
)
def test_dialects_are_what_they_say(name, level, tmp_path):
    document = parsed(text_of(BRUSSELATOR, tmp_path, name))
    assert (document.getLevel(), document.getVersion()) == level


SHORT = [
    cn.to_reactions(cn.Network([cn.Layer([[1.5, -0.25], [0.5, 2.0]], [0.1, 0.0], make(h=0.01))]))
    for make in (cn.SmoothedReLU, cn.Tanh, cn.Normalized, cn.HardSigmoid)
]


@pytest.mark.parametrize(
    "crn", [*SHORT, BRUSSELATOR], ids=["relu", "tanh", "normalized", "hardsigmoid", "brusselator"]
)
def test_libantimony_says_the_same(crn, tmp_path):
    """Two writers of SBML; in numbers of a few digits, since libAntimony rounds to 15."""
    if crn is BRUSSELATOR:
        crn = cn.ReactionNetwork(
            crn.species,
            [*crn.reactions[:-1], cn.Reaction("leak", (), ("Y",), "k6", 0.3)],
            crn.observables,
            crn.name,
        )
    theirs = tmp_path / "theirs.xml"
    theirs.write_text(antimony_to_sbml(cn.to_antimony(crn, starts="formulas")), encoding="utf-8")
    assert import_sbml(cn.export(crn, tmp_path / "ours.xml", starts="formulas")) == crn
    assert import_sbml(theirs) == without_comments(crn)


@given(value=st.floats(0, allow_nan=False, allow_infinity=False, allow_subnormal=False))
def test_numbers_keep_all_their_digits(value, tmp_path_factory):
    """libSBML itself writes 15 of the 17 that a double may need. (It reads subnormal numbers as
    NaN.)
    """
    start = Expression((Monomial(value, (("k", 1.0),)),))
    crn = cn.ReactionNetwork(
        [cn.Species("A", value), cn.Species("B", start)],
        [cn.Reaction("J", ("A",), ("B",), "k", value)],
    )
    for name in SBML:
        model = parsed(
            text_of(crn, tmp_path_factory.getbasetemp(), name, starts="formulas")
        ).getModel()
        assert model.getParameter("k").getValue() == value
        assert model.getSpecies("A").getInitialConcentration() == value


@pytest.mark.parametrize("name", SBML)
@pytest.mark.parametrize("case", ["xor", "brusselator"])
def test_everything_has_an_sbo_term(name, case, tmp_path):
    """`complaints` has libSBML's own check of which term may stand where."""
    model = parsed(text_of(MODELS[case], tmp_path, name)).getModel()
    elements = [
        *model.getListOfSpecies(),
        *model.getListOfReactions(),
        *model.getListOfCompartments(),
    ]
    elements += [reaction.getKineticLaw() for reaction in model.getListOfReactions()]
    elements += [p for p in model.getListOfParameters() if not p.getId().startswith("number")]
    assert all(element.isSetSBOTerm() for element in elements)


def test_orders_have_terms_of_their_own(tmp_path):
    model = parsed(text_of(BRUSSELATOR, tmp_path, "sbml")).getModel()
    laws = {
        reaction.getId(): reaction.getKineticLaw().getSBOTermID()
        for reaction in model.getListOfReactions()
    }
    # https://www.ebi.ac.uk/ols4/ontologies/sbo: mass action of an irreversible reaction, continuous
    # scheme
    assert laws == {
        "feed": "SBO:0000049",
        "loop": "SBO:0000059",
        "turn": "SBO:0000054",
        "lose": "SBO:0000049",
        "crowd": "SBO:0000057",
        "leak": "SBO:0000047",
    }


@pytest.mark.parametrize("name", ["xor", "moons", "iris"])
def test_roadrunner_settles_at_the_networks_outputs(name, tmp_path):
    net = cn.load_model(name)
    x = cn.model_data(name)[1][0]
    runner = roadrunner.RoadRunner(str(cn.export(net, tmp_path / "net.xml", x=x)))
    runner.simulate(0, 5000, 2)
    # CVODE's own tolerance of 1e-6, over sums of a few units
    np.testing.assert_allclose(
        [runner[output] for output in net.output_names], net(x), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("name", SBML)
def test_plain_laws_have_no_volume(name, tmp_path):
    model = parsed(text_of(BRUSSELATOR, tmp_path, name, plain_laws=True)).getModel()
    laws = [reaction.getKineticLaw().getFormula() for reaction in model.getListOfReactions()]
    assert laws == ["k1 * A", "k2 * pow(X, 2) * Y", "k3 * B * X", "k4 * X", "k5 * pow(Y, 3)", "k6"]


def test_the_article_is_cited_for_networks_alone(tmp_path):
    """Where other reactions come from is not known."""
    for model, cited in ((cn.load_model("xor"), True), (BRUSSELATOR, False)):
        assert ("10.1098/rsif.2021.0031" in text_of(model, tmp_path, "sbml")) is cited


# Layout ------------------------------------------------------------------------------------------


def glyphs(crn, folder):
    """The left edge and the top of each species' glyphs."""
    layout = (
        parsed(text_of(crn, folder, "sbml", layout=True))
        .getModel()
        .getPlugin("layout")
        .getLayout(0)
    )
    found = {}
    for glyph in layout.getListOfSpeciesGlyphs():
        box = glyph.getBoundingBox()
        found.setdefault(glyph.getSpeciesId(), []).append((box.getX(), box.getY()))
        assert 0 <= box.getX() <= layout.getDimensions().getWidth() - box.getWidth()
        assert 0 <= box.getY() <= layout.getDimensions().getHeight() - box.getHeight()
    return found


@each_model
def test_each_species_is_drawn_once_at_a_place_of_its_own(crn, tmp_path):
    """Inside the picture, and not left of what acts on it."""
    found = glyphs(crn, tmp_path)
    assert set(found) == {species.id for species in crn.species}
    places = [place for each in found.values() for place in each]
    assert len(places) == len(set(places)) == len(crn.species)
    assert all(found[edge.source][0][0] <= found[edge.target][0][0] for edge in influences(crn))


def test_columns_are_the_layers(tmp_path):
    crn = cn.to_reactions(cn.Network.random([3, 5, 4, 2], seed=0))
    columns = [set() for _ in range(4)]
    for species, ((x, _),) in glyphs(crn, tmp_path).items():
        layer = 0 if species.startswith("x") else int(re.match(r"[A-Za-z]+(\d+)_", species)[1])
        columns[layer].add(x)
    assert [len(column) for column in columns] == [1, 1, 1, 1]
    assert sorted(columns, key=min) == columns


def test_every_reaction_is_a_line_between_glyphs_that_exist(tmp_path):
    layout = (
        parsed(text_of(BRUSSELATOR, tmp_path, "sbml", layout=True))
        .getModel()
        .getPlugin("layout")
        .getLayout(0)
    )
    species = {glyph.getId() for glyph in layout.getListOfSpeciesGlyphs()}
    drawn = {}
    for glyph in layout.getListOfReactionGlyphs():
        ends = list(glyph.getListOfSpeciesReferenceGlyphs())
        assert {end.getSpeciesGlyphId() for end in ends} <= species
        drawn[glyph.getReactionId()] = len(ends)
    assert drawn == {"feed": 2, "loop": 2, "turn": 3, "lose": 1, "crowd": 1, "leak": 1}
