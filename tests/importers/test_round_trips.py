"""Mass-action networks, written and read again."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from support.imports import (
    CORPUS,
    DIALECTS,
    RTOL,
    written,
)
from support.networks import cases, without_comments

import crn_nn_tellurium as cn
from crn_nn_tellurium.chemistry.expressions import Expression, Monomial
from crn_nn_tellurium.chemistry.reactions import Observable
from crn_nn_tellurium.importers.antimony import import_antimony
from crn_nn_tellurium.importers.crn import import_crn
from crn_nn_tellurium.importers.sbml import import_sbml


@pytest.mark.parametrize("case", cases(CORPUS))
def test_sbml_gives_back_an_equal_network(case, tmp_path):
    """Formulas of start values, read-outs and readable names too, in all three dialects."""
    crn = cn.to_reactions(case.net, case.x[0])
    for dialect in DIALECTS:
        path = tmp_path / f"{dialect}.xml"
        cn.export(case.net, path, format=dialect, x=case.x[0], starts="formulas")
        assert import_sbml(path) == crn, dialect


@pytest.mark.parametrize("case", cases(CORPUS))
def test_antimony_gives_back_an_equal_network(case):
    """libAntimony rounds to 15 digits, so this holds only as `import_antimony` puts the others
    back.
    """
    crn = cn.to_reactions(case.net, case.x[0])
    text = cn.to_antimony(case.net, x=case.x[0], starts="formulas")
    assert import_antimony(text) == without_comments(crn)


@pytest.mark.parametrize("case", cases(CORPUS))
def test_compact_antimony_gives_back_the_same_equations(case, rng):
    """One reaction per species, whose law is a sum with negative terms, comes apart into reactions
    again.
    """
    crn = cn.to_reactions(case.net, case.x[0])
    found = import_antimony(cn.to_antimony(case.net, form="compact", x=case.x[0]))
    assert (found.floating, found.boundary) == (crn.floating, crn.boundary)
    for _ in range(3):
        x = rng.uniform(0, 2, len(crn.floating))
        gross = np.abs(crn.stoichiometry) @ crn.rates(x)
        # relative to gains and losses, since their difference may cancel
        assert (np.abs(found.right_hand_side(x) - crn.right_hand_side(x)) <= RTOL * gross).all()


def test_compact_antimony_gives_back_the_same_start_values():
    """Weights carry a sign there, in laws and in the formulas of start values."""
    net = cn.load_model("xor")
    found = import_antimony(cn.to_antimony(net, [1.0, 0.0], "compact", starts="formulas"))
    start = cn.to_reactions(net, [1.0, 0.0]).initial_state()
    np.testing.assert_allclose(found.initial_state(), start, rtol=RTOL)


@pytest.mark.parametrize("case", cases(CORPUS))
def test_crn_gives_back_what_the_language_holds(case, tmp_path):
    """Not read-outs, readable names, or formulas of start values, whose numbers stay."""
    crn = cn.to_reactions(case.net, case.x[0])
    path = cn.export(case.net, tmp_path / f"{crn.name}.crn", x=case.x[0], starts="formulas")
    assert import_crn(path) == bare(crn)


@pytest.mark.parametrize(("c0", "tau"), [(10, 100), (10 / 3, 1e5 / 7)], ids=["short", "long"])
def test_units_come_back(c0, tau, tmp_path):
    """From what the file says of them; other files have model units, whatever they define."""
    units = cn.PhysicalUnits(c0, tau)
    net = cn.load_model("xor")
    crn = units.of(cn.to_reactions(net))
    for dialect in DIALECTS:
        path = cn.export(net, tmp_path / f"{dialect}.xml", format=dialect, units=units)
        found = import_sbml(path)
        assert found.units == units
        assert found == replace(crn, species=found.species), dialect  # their starts are numbers
        silent = written(tmp_path, path.read_text().replace("1 where", "one where"))
        assert import_sbml(silent).units == cn.MODEL_UNITS
    assert import_antimony(cn.to_antimony(net, units=units)).units == units
    assert import_crn(cn.export(net, tmp_path / "net.crn", units=units)).units == units


def bare(crn):
    """What a .crn file holds of a network."""
    start = dict(zip(crn.floating, crn.initial_state().tolist(), strict=True))
    species = [cn.Species(s.id, start.get(s.id, s.initial), s.boundary) for s in crn.species]
    reactions = [
        cn.Reaction(r.id, r.substrates, r.products, r.rate_constant, r.value) for r in crn.reactions
    ]
    return cn.ReactionNetwork(species, reactions, name=crn.name)


ODD_NAMES = (
    *(
        "_",
        "_Y",
        "__dict__",
        "A",
        "a",
        "A_",
        "A__B",
        "Y1_0",
        "number",
        "model_",
        "comp_2",
        "glyph_A",
        "i",
        "c",
        "I",
        "E",
    ),
    *(
        "lambda",
        "if",
        "None",
        "self",
        "begin",
        "using",
        "rn",
        "D",
        "t",
        "im",
        "ms",
        "hill",
        "sat",
        "k",
        "K",
        "kf",
        "e1",
    ),
)
"""Of other languages: of Python, Julia, BioNetGen and sympy; some differ in case alone."""
NOT_IN_CRN = ("_", "_Y", "__dict__", "I", "E", "im", "lambda", "if", "None")
"""Those that the language lacks, or crnsimulator, which hands names to Python and sympy."""

MAGNITUDES = st.floats(0, 1e6, allow_subnormal=False)


@st.composite
def mass_action(draw, names=ODD_NAMES):
    """A network of reactions of orders 0 to 3, some with catalysts, some with a rate constant of
    others.
    """
    shuffled = draw(st.permutations(names))
    take = iter(shuffled)
    species = [
        cn.Species(
            next(take),
            draw(MAGNITUDES),
            draw(st.booleans()),
            draw(st.sampled_from(("", "a name", "β & <γ>"))),
        )
        for _ in range(draw(st.integers(1, 4)))
    ]
    shared = {order: (next(take), draw(MAGNITUDES)) for order in range(4)}
    side = st.lists(st.sampled_from([s.id for s in species]), max_size=3)
    reactions = []
    for _ in range(draw(st.integers(1, 5))):
        before, after = draw(side), draw(side)
        catalysts = draw(st.booleans())
        own = (next(take), draw(MAGNITUDES))
        constant, value = shared[len(before)] if draw(st.booleans()) else own
        if before or after:  # SBML has no reaction of nothing
            after = after + before[:1] if catalysts else after
            reactions.append(cn.Reaction(next(take), before, after, constant, value))
    return cn.ReactionNetwork(species, reactions, name="m")


@given(crn=mass_action())
@settings(max_examples=60)
def test_any_mass_action_network_survives_sbml(crn, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sbml")
    for dialect in DIALECTS:
        assert import_sbml(cn.export(crn, folder / f"{dialect}.xml", format=dialect)) == crn


@given(crn=mass_action([name for name in ODD_NAMES if name not in NOT_IN_CRN]))
@settings(max_examples=60)
def test_any_mass_action_network_survives_crn(crn, tmp_path_factory):
    """Names that the language has are kept."""
    path = cn.export(crn, tmp_path_factory.mktemp("crn") / "m.crn")
    assert import_crn(path) == bare(crn)


@given(crn=mass_action())
@settings(max_examples=60)
def test_names_that_crn_lacks_are_others_of_the_same_network(crn, tmp_path_factory):
    found = import_crn(cn.export(crn, tmp_path_factory.mktemp("crn") / "m.crn"))
    new = dict(zip([s.id for s in crn.species], [s.id for s in found.species], strict=True))
    assert all((new[name] == name) == (name not in NOT_IN_CRN) for name in new)
    assert [
        (renamed(r.substrates, new), renamed(r.products, new), r.value) for r in crn.reactions
    ] == [(r.substrates, r.products, r.value) for r in found.reactions]
    assert [(s.initial, s.boundary) for s in crn.species] == [
        (s.initial, s.boundary) for s in found.species
    ]


def renamed(side, new):
    return tuple((new[name], count) for name, count in side)


def test_a_file_with_a_layout_is_read_like_one_without(tmp_path):
    net = cn.load_model("xor")
    path = cn.export(net, tmp_path / "drawn.xml", layout=True, starts="formulas")
    assert import_sbml(path) == cn.to_reactions(net)


@pytest.mark.parametrize("order", ["libsbml, libsedml", "libsedml, libsbml"])
def test_sbml_is_read_whatever_else_is_imported(order, tmp_path):
    """libSEDML, which comes with tellurium, breaks libSBML's types of formulas: after it they are
    no numbers any more.

    The order of imports counts, so each has a process of its own.
    """
    pytest.importorskip("libsedml")
    path = tmp_path / "xor.xml"
    cn.export(cn.load_model("xor"), path, x=[1.0, 0.0], starts="formulas")
    code = (
        f"import {order}, sys\n"
        "import crn_nn_tellurium as cn\n"
        "assert cn.import_sbml(sys.argv[1]) == cn.to_reactions(cn.load_model('xor'), [1.0, 0.0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_laws_without_volumes_are_read_too(tmp_path):
    net = cn.load_model("xor")
    path = cn.export(net, tmp_path / "plain.xml", plain_laws=True, starts="formulas")
    assert import_sbml(path) == cn.to_reactions(net)


def test_formulas_in_read_outs_and_start_values_come_back(tmp_path):
    """Negative and fractional powers, lone numbers, and numbers of 17 digits."""
    third = 1 / 3
    start = Expression(
        (Monomial(third, (("k", 1.0), ("q", -1.0))), Monomial(2.0, (("k", 0.5), ("q", -0.5))))
    )
    read = Expression(
        (Monomial(-third, (("X", 2.0),)), Monomial(1.0, (("Y", 1.0),)), Monomial(0.1))
    )
    crn = cn.ReactionNetwork(
        [cn.Species("X", third, boundary=True), cn.Species("Y", start)],
        [
            cn.Reaction("make", ("X",), ("X", "Y"), "k", third),
            cn.Reaction("lose", {"Y": 2}, ("Y",), "q", 1e-300),
        ],
        [Observable("read", read, "what is read")],
    )
    for dialect in DIALECTS:
        path = tmp_path / f"{dialect}.xml"
        assert import_sbml(cn.export(crn, path, format=dialect, starts="formulas")) == crn
        numbers = import_sbml(cn.export(crn, path, format=dialect, overwrite=True))
        assert numbers.start_values == crn.start_values
