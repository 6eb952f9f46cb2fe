"""Models of mass action from other files, against what was written and against roadrunner's rates
of change.
"""

import re
import subprocess
import sys

import libsbml
import numpy as np
import pytest
import roadrunner
from hypothesis import given, settings, strategies as st
from support.networks import corpus, without_comments

import crn_nn_tellurium as cn
from crn_nn_tellurium.basics.identifiers import RESERVED
from crn_nn_tellurium.chemistry.expressions import Expression, Monomial
from crn_nn_tellurium.chemistry.reactions import Observable
from crn_nn_tellurium.importers.antimony import import_antimony
from crn_nn_tellurium.importers.crn import import_crn
from crn_nn_tellurium.importers.sbml import import_sbml
from crn_nn_tellurium.simulation.engine import antimony_to_sbml

CORPUS = corpus()
DIALECTS = ("sbml", "sbml-l3v1", "sbml-l2v4")
RTOL = 1e-12
"""Sums of the same few terms in another order: some roundings of 1e-16 each, and room for what
cancels.
"""


def each(cases):
    return pytest.mark.parametrize("case", cases, ids=lambda case: case.name)


# There and back ----------------------------------------------------------------------------------


@each(CORPUS)
def test_sbml_gives_back_an_equal_network(case, tmp_path):
    """Formulas of start values, read-outs and readable names too, in all three dialects."""
    crn = cn.to_reactions(case.net, case.x[0])
    for dialect in DIALECTS:
        path = cn.export(case.net, tmp_path / f"{dialect}.xml", format=dialect, x=case.x[0])
        assert import_sbml(path) == crn, dialect


@each(CORPUS)
def test_antimony_gives_back_an_equal_network(case):
    """libAntimony rounds to 15 digits, so this holds only as `import_antimony` puts the others
    back. Readable names of species and read-outs are comments there.
    """
    crn = cn.to_reactions(case.net, case.x[0])
    assert import_antimony(cn.to_antimony(case.net, x=case.x[0])) == without_comments(crn)


@each(CORPUS)
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
    found = import_antimony(cn.to_antimony(net, form="compact", x=[1.0, 0.0]))
    start = cn.to_reactions(net, [1.0, 0.0]).initial_state()
    np.testing.assert_allclose(found.initial_state(), start, rtol=RTOL)


@each(CORPUS)
def test_crn_gives_back_what_the_language_holds(case, tmp_path):
    """Not read-outs, readable names, or formulas of start values, whose numbers stay."""
    crn = cn.to_reactions(case.net, case.x[0])
    path = cn.export(case.net, tmp_path / f"{crn.name}.crn", x=case.x[0])
    assert import_crn(path) == bare(crn)


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
    assert import_sbml(cn.export(net, tmp_path / "drawn.xml", layout=True)) == cn.to_reactions(net)


@pytest.mark.parametrize("order", ["libsbml, libsedml", "libsedml, libsbml"])
def test_sbml_is_read_whatever_else_is_imported(order, tmp_path):
    """libSEDML, which comes with tellurium, breaks libSBML's types of formulas: after it they are
    no numbers any more.

    The order of imports counts, so each has a process of its own.
    """
    pytest.importorskip("libsedml")
    path = cn.export(cn.load_model("xor"), tmp_path / "xor.xml", x=[1.0, 0.0])
    code = (
        f"import {order}, sys\n"
        "import crn_nn_tellurium as cn\n"
        "assert cn.import_sbml(sys.argv[1]) == cn.to_reactions(cn.load_model('xor'), [1.0, 0.0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_laws_without_volumes_are_read_too(tmp_path):
    net = cn.load_model("xor")
    assert import_sbml(cn.export(net, tmp_path / "plain.xml", plain_laws=True)) == cn.to_reactions(
        net
    )


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
        assert import_sbml(cn.export(crn, tmp_path / f"{dialect}.xml", format=dialect)) == crn


# Models of others, against roadrunner ------------------------------------------------------------

OTHERS = {
    "reversible": "A + B -> C; kf*A*B - kr*C; kf = 3; kr = 0.5",
    "reversible, one parameter": "A -> B; k*(A - B); k = 0.7",
    "equilibrium constant": "A -> B; kf*(A - B/Keq); kf = 2; Keq = 5",
    "catalyst": "A + B -> C; k*A*B*E; E = 0.3; k = 2",
    "dimers": "2 A -> B; k*A^2; B -> 2 A; r*B; k = 2; r = 0.1",
    "trimer": "3 A -> B; k*A^3; k = 2",
    "autocatalysis": "A + B -> 2 B; k*A*B; k = 2",
    "number times parameters": "A -> B; 2*k*m*A/7; k = 3; m = 0.2",
    "squared parameter": "A -> B; k^2*A; k = 3",
    "root of a parameter": "A -> B; sqrt(k)*A; k = 3",
    "functions of constants": "A -> B; exp(-k/2)*ln(m)*abs(k)*A; k = 3; m = 5",
    "number alone": "A -> B; 0.25*A",
    "sum": "A -> B; A*(k + m*B + A); k = 3; m = 0.2",
    "power of a sum": "A + B -> ; k*(A + B)^2*A*B; k = 0.5",
    "ninth power of a sum": "A + B -> ; k*(A + B + k + 0.3)^9*A*B; k = 0.5",
    "negative parameter": "A -> B; k*B; k = -2",
    "terms that cancel": "A -> B; k*A + m*B - m*B; k = 2; m = 1",
    "production from nothing": " -> A; k; A -> ; d*A; k = 2; d = 0.1",
    "one parameter, two orders": "A -> B; k*A; A + B -> C; k*A*B; k = 2",
    "boundary species consumed": "$X -> A; k*X; 2 A -> $W; d*A^2; k = 2; d = 0.5",
    "constant species": "const species X; X + A -> B; k*X*A; k = 2",
    "assignment rule in a law": "A -> B; k*A; k := m*T; T := A + B; m = 2",
    "function definition": (
        "function f(x, y, p) p*x*y end; model m() A + B -> C; f(A, B, k); k = 2; end"
    ),
    "nested functions": (
        "function g(x) 2*x end; function f(x, p) p*g(x) end; model m() A -> B; f(A, k); k = 2; end"
    ),
    "a function called K": "function K(x) x*x end; model m() 2 A -> B; k*K(A); k = 2; end",
    "rate rule of a species": "species A, B; A' = k*B - 3*A*B; B -> ; d*B; k = 2; d = 0.1",
    "compartment of size 2.5": (
        "compartment c = 2.5; species A in c, B in c; A + B -> 2 B; c*k*A*B; k = 3"
    ),
    "volume not in the law": (
        "compartment c = 2.5; species A in c, B in c; A + B -> 2 B; k*A*B; k = 3"
    ),
    "amounts": (
        "compartment c = 2.5; substanceOnly species A in c, B in c; A + B -> 2 B; k*A*B; B -> ;"
        " d*B; k = 3; d = 0.2"
    ),
    "amounts and concentrations": (
        "compartment c = 2.5; substanceOnly species A in c; species B in c; A + B -> 2 B; k*A*B;"
        " k = 3"
    ),
    "rate rule of an amount": (
        "compartment c = 2.5; substanceOnly species A in c; A' = k - d*A^2; k = 3; d = 0.2"
    ),
    "two compartments, apart": (
        "compartment c = 2.5, d = 0.5; species A in c, B in d; A -> ; c*k*A; B -> ; d*m*B; k = 3;"
        " m = 2"
    ),
    "catalyst in another compartment": (
        "compartment c = 2.5, d = 0.5; species A in c, $E in d; A -> ; c*k*A*E; E = 3; k = 2"
    ),
    "volume from an initial assignment": (
        "compartment c; c = 2*q; q = 1.5; species A in c; A -> ; k*A; k = 3"
    ),
    "parameter from an initial assignment": "A -> B; k*A; k = 2*m; m = 3",
    "modular": (
        "model part() S -> P; k*S; k = 2; S = 1; end; model whole() a: part(); b: part(); b.k ="
        " 3; end"
    ),
}


def against_roadrunner(crn, sbml, rng):
    """Concentrations change as fast as roadrunner has it, at a random state."""
    r = roadrunner.RoadRunner(sbml)
    document = libsbml.readSBMLFromString(sbml)  # its species live as long as it does
    species = {s.getId(): s for s in document.getModel().getListOfSpecies()}
    state = {name: r[f"[{name}]"] for name in species}
    for name in species:
        if not species[name].getConstant():
            state[name] = r[f"[{name}]"] = rng.uniform(0.5, 2)
    changes = r.getRatesOfChangeNamedArray()
    # roadrunner has rates of amounts
    volume = {name: r[s.getCompartment()] for name, s in species.items()}
    theirs = {n.rstrip("'"): v for n, v in zip(changes.colnames, np.ravel(changes), strict=True)}
    theirs = {name: rate / volume[name] for name, rate in theirs.items()}
    x, held = ([state[name] for name in names] for names in (crn.floating, crn.boundary))
    ours = dict(zip(crn.floating, crn.right_hand_side(x, held).tolist(), strict=True))
    assert set(crn.floating) == set(theirs)
    assert ours == pytest.approx(
        theirs, rel=RTOL, abs=RTOL
    )  # absolute for rates that cancel, of terms around 1


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_models_of_others_have_roadrunners_rates(text, rng):
    against_roadrunner(import_antimony(text), antimony_to_sbml(text), rng)


def edited(text, edit, level=(3, 2)):
    """SBML of an Antimony model after `edit` has changed libSBML's model of it."""
    document = libsbml.readSBMLFromString(antimony_to_sbml(text))
    assert document.setLevelAndVersion(*level, False)
    edit(document.getModel())
    return libsbml.writeSBMLToString(document)


def formula(text):
    return libsbml.parseL3Formula(text)


def local_parameter(model):
    """Hides the model's k, which another reaction reads."""
    parameter = model.getReaction(0).getKineticLaw().createLocalParameter()
    parameter.setId("k")
    parameter.setValue(5.0)


def modifiers_listed(model):
    for reaction in model.getListOfReactions():
        reaction.createModifier().setSpecies("E")


def no_stoichiometry(model):
    model.getReaction(0).getReactant(0).unsetStoichiometry()


def twice_on_one_side(model):
    """A + A, in two references."""
    reference = model.getReaction(0).createReactant()
    reference.setSpecies("A")
    reference.setStoichiometry(1.0)
    reference.setConstant(True)
    model.getReaction(0).getKineticLaw().setMath(formula("k*A*A"))


def boundary_with_rate_rule(model):
    """Reactions do not change it, its rule does."""
    model.getSpecies("A").setBoundaryCondition(True)
    rule = model.createRateRule()
    rule.setVariable("A")
    rule.setMath(formula("-A"))


def conversion_factor(model):
    parameter = model.createParameter()
    parameter.setId("factor")
    parameter.setValue(3.0)
    parameter.setConstant(True)
    model.setConversionFactor("factor")


def assignments_out_of_order(model):
    """The value of k is to follow from that of m, whose own assignment comes later."""
    for symbol, text in (("k", "2*m"), ("m", "5")):
        assignment = model.createInitialAssignment()
        assignment.setSymbol(symbol)
        assignment.setMath(formula(text))


def changing_stoichiometry(model):
    reference = model.getReaction(0).getReactant(0)
    reference.setId("n")
    reference.setConstant(False)
    rule = model.createAssignmentRule()
    rule.setVariable("n")
    rule.setMath(formula("3"))


TWO = "A + B -> C; k*A*B; C -> A; k*C; k = 2"
EDITS = {
    "local parameter": (TWO, local_parameter),
    "modifiers that laws read": (
        "A -> B; k*A*E; B -> A; m*B; k = 2; m = 3; species E; E -> ; m*E",
        modifiers_listed,
    ),
    "no stoichiometry": ("A -> B; k*A; k = 2", no_stoichiometry),
    "a species twice on a side": ("A -> B; k*A; k = 2", twice_on_one_side),
}


@pytest.mark.parametrize(("text", "edit"), EDITS.values(), ids=EDITS)
def test_what_antimony_cannot_say_has_roadrunners_rates(text, edit, rng, tmp_path):
    sbml = edited(text, edit)
    against_roadrunner(import_sbml(written(tmp_path, sbml)), sbml, rng)


@pytest.mark.parametrize(
    "edit",
    [boundary_with_rate_rule, conversion_factor, assignments_out_of_order, changing_stoichiometry],
    ids=lambda edit: edit.__name__,
)
def test_what_is_rare_is_read_or_refused(edit, rng, tmp_path):
    sbml = edited("A -> B; k*A; k = 2; m = 1", edit)
    try:
        crn = import_sbml(written(tmp_path, sbml))
    except cn.ReactionError:
        return
    against_roadrunner(crn, sbml, rng)


@pytest.mark.parametrize(
    "level", [(1, 2), (2, 1), (2, 2), (2, 3), (2, 4), (2, 5), (3, 1), (3, 2)], ids=str
)
def test_every_level_of_sbml_is_read(level, rng, tmp_path):
    sbml = edited(
        f"compartment c = 2.5; species A in c, B in c, C in c; A = 1; B = 2; C = 3; {TWO}",
        lambda model: None,
        level,
    )
    against_roadrunner(import_sbml(written(tmp_path, sbml)), sbml, rng)


def written(folder, text, name="model.xml"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


STARTS = {
    "of constants": "A -> B; k*A; k = 2; m = 3; A = m^2/7",
    "of a rate constant": "A -> B; k*A; k = 2; A = sqrt(k)",
    "of a species before": "species B, A; A -> B; k*A; k = 2; B = 3; A = 2*B + k",
    "of a boundary species": "species $X, A; A -> ; k*A*X; k = 2; X = 3; A = 2*X",
    "held constant": "species $X, A; A -> ; k*A*X; k = 2; m = 3; X = 2*m; A = 1",
    "amount in a volume": (
        "compartment c = 2.5; substanceOnly species A in c; A -> ; k*A; k = 2; A = 3"
    ),
    "amount by a formula": (
        "compartment c = 2.5; substanceOnly species A in c; A -> ; k*A; k = 2; m = 1; A = 3*m"
    ),
    "not given": "species A; A -> ; k*A; k = 2",
}


@pytest.mark.parametrize("text", STARTS.values(), ids=STARTS)
def test_start_values_are_roadrunners(text):
    crn = import_antimony(text)
    r = roadrunner.RoadRunner(antimony_to_sbml(text))
    theirs = [r[f"[{name}]"] for name in (*crn.floating, *crn.boundary)]
    np.testing.assert_allclose(
        [*crn.initial_state(), *crn.boundary_concentrations], theirs, rtol=RTOL
    )


def test_read_outs_are_roadrunners():
    """Assignment rules that are sums of monomials stay, numbers in place of parameters that no law
    reads.
    """
    text = (
        "A -> B; k*A; B -> ; d*B; A = 1.5; B = 0.7; k = 2; d = 3; m = 0.3; z := m*A^2 - 2*B/k + 1;"
        " total := A + z"
    )
    crn = import_antimony(text)
    assert {o.id for o in crn.observables} == {"z", "total"}
    r = roadrunner.RoadRunner(antimony_to_sbml(text))
    theirs = [r[o.id] for o in crn.observables]
    np.testing.assert_allclose(crn.observe(crn.initial_state()), theirs, rtol=RTOL)


def test_a_read_out_that_is_no_sum_of_monomials_is_left_out_and_named():
    with pytest.warns(UserWarning, match=r"left out: .*assignment rule 'share': A / \(A \+ B\)"):
        crn = import_antimony("A -> B; k*A; k = 1; share := A/(A + B)")
    assert crn.observables == ()


def test_numbers_keep_their_digits():
    """libAntimony prints 15 of them."""
    crn = import_antimony("A -> B; k*A; k = 0.12345678901234568; A = 1234567.8901234567")
    assert crn.constants.tolist() == [0.12345678901234568]
    assert crn.initial_state().tolist() == [1234567.8901234567, 0.0]


@pytest.mark.parametrize("number", ["0.9999999999999999", "3.0000000000000004"])
def test_numbers_that_round_to_whole_ones_are_read(number):
    assert import_antimony(f"A -> B; k*A; k = {number}").constants.tolist() == [float(number)]


def test_numbers_that_differ_in_the_last_digits_stay_different():
    crn = import_antimony("A -> B; k*A; B -> ; m*B; k = 0.12345678901234568; m = 0.123456789012346")
    assert crn.constants.tolist() == [0.12345678901234568, 0.123456789012346]


def test_read_outs_of_a_negative_parameter_are_roadrunners():
    text = "A -> B; k*B; A = 1; B = 1; k = -2; z := k*A"
    crn = import_antimony(text)
    assert crn.observe(crn.initial_state()).tolist() == [
        roadrunner.RoadRunner(antimony_to_sbml(text))["z"]
    ]


def test_readable_names_and_the_models_are_kept():
    crn = import_antimony('model *cell() A -> B; k*A; k = 1; A is "the first"; end')
    assert (crn.name, crn.species[0].name) == ("cell", "the first")


# Names -------------------------------------------------------------------------------------------


def test_names_that_antimony_reserves_get_an_underscore(tmp_path):
    """Species "DNA" and parameter "time" are sound SBML, and have to run here."""
    crn = cn.ReactionNetwork(
        [
            cn.Species("DNA", 2.0),
            cn.Species("DNA_", Expression((Monomial(2.0, (("time", 1.0),)),))),
        ],
        [cn.Reaction("gene", ("DNA",), ("DNA", "DNA_"), "time", 3.0)],
        [Observable("volume", Expression((Monomial(1.0, (("DNA", 1.0), ("time", 1.0))),)))],
        "cell",
    )
    found = import_sbml(cn.export(crn, tmp_path / "cell.xml"))
    assert [s.id for s in found.species] == ["DNA__2", "DNA_"]
    assert found.species[0].name == "DNA"
    assert (found.rate_constants, [o.id for o in found.observables]) == (("time_",), ["volume_"])
    r = roadrunner.RoadRunner(antimony_to_sbml(cn.to_antimony(found)))
    assert (r["[DNA_]"], r["DNA_'"], r["volume_"]) == (6.0, 6.0, 6.0)


def test_all_reserved_names_run(tmp_path):
    """In capitals too: tools fold them."""
    names = sorted({*RESERVED, "DNA", "Time", "nM"})
    species = [cn.Species(name, 1.0) for name in names]
    reactions = [
        cn.Reaction(f"J{i}", (s.id,), (), f"k{i}", float(i)) for i, s in enumerate(species)
    ]
    found = import_sbml(cn.export(cn.ReactionNetwork(species, reactions), tmp_path / "names.xml"))
    r = roadrunner.RoadRunner(antimony_to_sbml(cn.to_antimony(found)))
    assert r.getRatesOfChange().tolist() == [-float(i) for i in range(len(names))]


def unnamed(model):
    model.unsetId()


def called_dna(model):
    model.setId("DNA_")


@pytest.mark.parametrize(
    ("name", "edit"), [("S", unnamed), ("DNA", called_dna)], ids=["model", "DNA_"]
)
def test_a_species_may_be_called_what_the_model_comes_to_be_called(name, edit, tmp_path):
    sbml = edited("species S; S -> ; k*S; k = 1", edit)
    sbml = re.sub(r"\bS\b", "model" if name == "S" else name, sbml)
    assert len(import_sbml(written(tmp_path, sbml)).reactions) == 1


# What is refused ---------------------------------------------------------------------------------

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


def stoichiometry_by_assignment(model):
    reference = model.getReaction(0).getReactant(0)
    reference.setId("n")
    assignment = model.createInitialAssignment()
    assignment.setSymbol("n")
    assignment.setMath(formula("3"))


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


@pytest.mark.parametrize(
    ("name", "notes", "expected"),
    [
        ("", "<p{}>glucose &amp; water</p>", "glucose & water"),
        ("Glc", "<p{}>glucose</p>", "Glc"),
        ("", "<body{}><p>one</p><p>two</p></body>", ""),
        ("", "<p{}>a <b>bold</b> word</p>", ""),
    ],
    ids=["a sentence", "a name", "a page", "marked up"],
)
def test_a_readable_name_is_the_name_or_a_note_of_one_plain_sentence(
    name, notes, expected, tmp_path
):
    def annotate(model):
        species = model.getSpecies("A")
        species.setNotes(notes.format(' xmlns="http://www.w3.org/1999/xhtml"'))
        if name:
            species.setName(name)

    crn = import_sbml(written(tmp_path, edited("A -> B; k*A; k = 2", annotate)))
    assert [species.name for species in crn.species] == [expected, ""]


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


# .crn of others ----------------------------------------------------------------------------------


def crn_of(folder, text, name="m.crn"):
    return import_crn(written(folder, text, name))


def equations(crn):
    return [(r.equation, r.value) for r in crn.reactions]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A + B -> C", [("A + B => C", 1.0)]),
        ("A -> ", [("A =>", 1.0)]),
        ("-> A [k = 2]", [("=> A", 2.0)]),
        ("A->2B[k=1e-3]", [("A => 2 B", 1e-3)]),
        ("2 A -> A + A + B [0.5]", [("2 A => 2 A + B", 0.5)]),
        ("A <=> B", [("A => B", 1.0), ("B => A", 1.0)]),
        ("A <=> B [kf = 2, kr = 3]", [("A => B", 2.0), ("B => A", 3.0)]),
        ("A <=> B [kr = 3, kf = 2]", [("A => B", 2.0), ("B => A", 3.0)]),
        ("A <=> B [2, 3]", [("A => B", 2.0), ("B => A", 3.0)]),
        (
            "A -> B; B -> C\n\n# a comment\nC -> A  # another",
            [("A => B", 1), ("B => C", 1), ("C => A", 1)],
        ),
        ("A -> B\r\nB -> A\r\n", [("A => B", 1.0), ("B => A", 1.0)]),
        ("2e1 -> A", [("2 e1 => A", 1.0)]),
        ("", []),
    ],
)
def test_the_language_of_crnsimulator(text, expected, tmp_path):
    assert equations(crn_of(tmp_path, text)) == expected


def test_concentrations_of_crn_files(tmp_path):
    """A species is there once it is named, and at 0 unless it is said."""
    crn = crn_of(tmp_path, "A @initial 2; B @constant 3e-1\nC @i 4\nD @c 5\nA + B -> E")
    assert {s.id: (s.initial, s.boundary) for s in crn.species} == {
        "A": (2.0, False),
        "B": (0.3, True),
        "C": (4.0, False),
        "D": (5.0, True),
        "E": (0.0, False),
    }


@pytest.mark.parametrize(
    ("name", "expected"), [("a-b c.crn", "a_b_c"), ("1.crn", "model_1"), ("time.crn", "time_")]
)
def test_the_network_is_called_like_its_crn_file(name, expected, tmp_path):
    assert crn_of(tmp_path, "A -> B", name).name == expected


def test_comments_name_reactions_only_where_they_are_free(tmp_path):
    """Two of one name, a rate constant with two values, a name of a species."""
    crn = crn_of(
        tmp_path,
        "A -> B [k = 1] # J: k\nB -> A [k = 2] # J: k\nA + B -> # A: B\nA -> # see: me, not",
    )
    assert [r.id for r in crn.reactions] == ["J", "J_2", "A_2", "R4"]
    assert len(crn.rate_constants) == 4


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("A", "'A' is neither a reaction"),
        ("A = B", "'A = B' is neither a reaction"),
        ("A -> B -> C", "'A -> B -> C' is neither a reaction"),
        ("A -> B [k = 1] and so on", ".* is neither a reaction"),
        ("A @initial -1", "'A @initial -1' is neither a reaction"),
        ("A @initial 1 nM", "'A @initial 1 nM' is neither a reaction"),
        ("A @start 1", "'A @start 1' is neither a reaction"),
        ("A B -> C", "'A B' is not a species, such as A or 2A"),
        ("A + -> C", "'' is not a species"),
        ("-2A -> C", "'-2A -> C' is neither a reaction"),
        ("A -> B [k = -1]", r"the rate is \[k = -1\]; expected \[k = 1\], numbers >= 0"),
        ("A -> B [k = x]", r"the rate is \[k = x\]; expected \[k = 1\], numbers >= 0"),
        (
            "A -> B [k = .5]",
            r"the rate is \[k = .5\]; expected \[k = 1\], numbers >= 0",
        ),  # crnsimulator has no such numbers either
        (
            "A -> B [kf = 1, kr = 2]",
            r"the rate is \[kf = 1, kr = 2\]; expected \[k = 1\], numbers >= 0",
        ),
        ("A <=> B [k = 1]", r"the rate is \[k = 1\]; expected \[kf = 1, kr = 2\] or \[1, 2\]"),
        ("X @initial 2", "the concentration of 'X' is given twice"),
        ("X @c 2", "the concentration of 'X' is given twice"),
    ],
)
def test_malformed_lines_are_refused_with_their_number(line, message, tmp_path):
    path = written(tmp_path, f"X @initial 1\n# a comment\n{line}\nX -> Y\n", "m.crn")
    with pytest.raises(cn.FileFormatError, match=f"line 3: {message}") as caught:
        import_crn(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("rates", ["kf = 1, kf = 2", "kr = 1, kr = 2", "k = 1, k = 2"])
def test_a_rate_that_is_given_twice_is_refused(rates, tmp_path):
    with pytest.raises(cn.FileFormatError, match="line 1"):
        crn_of(tmp_path, f"A <=> B [{rates}]")


@pytest.mark.parametrize("text", ["A -> B [k = 1e400]", "A @initial 1e400"])
def test_numbers_that_overflow_are_refused(text, tmp_path):
    with pytest.raises(cn.FileFormatError, match=r"line 1: the .* is too large a number"):
        crn_of(tmp_path, text)


def test_the_time_is_not_a_species_called_like_it(tmp_path):
    """A csymbol may have any text: a species t beside it is another thing."""
    sbml = antimony_to_sbml("A -> ; k*A; k = 2; A = 1; species t = 1; B -> ; B*time; B = 1")
    with pytest.raises(cn.ReactionError, match="reads the time"):
        import_sbml(written(tmp_path, sbml.replace("> time <", "> t <")))


def test_half_molecules_of_level_1_are_refused(tmp_path):
    text = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level1" level="1" version="2"><model name="m">
<listOfCompartments><compartment name="c" volume="1"/></listOfCompartments>
<listOfSpecies><species name="A" compartment="c" initialAmount="1"/>
<species name="B" compartment="c" initialAmount="0"/></listOfSpecies>
<listOfReactions><reaction name="J" reversible="false">
<listOfReactants><speciesReference species="A"/></listOfReactants>
<listOfProducts><speciesReference species="B" stoichiometry="1" denominator="2"/></listOfProducts>
<kineticLaw formula="A"/></reaction></listOfReactions></model></sbml>"""
    with pytest.raises(cn.ReactionError, match=r"'B' 0\.5 times"):
        import_sbml(written(tmp_path, text))


def test_pi_is_a_number_and_a_long_sum_is_one_term():
    assert import_antimony("A -> ; pi*A; A = 1").constants.tolist() == [np.pi]
    crn = import_antimony("S -> ; (" + "+".join(["0.5"] * 3000) + ")*S; S = 1")
    assert crn.constants.tolist() == [1500.0]


def test_a_sum_of_a_thousand_products_is_as_many_reactions():
    """In the order of the text, in time linear in its length."""
    law = " + ".join(f"{i + 1}*k{i}*S" for i in range(1000))
    crn = import_antimony(f"S -> ; {law}; " + "; ".join(f"k{i} = 2" for i in range(1000)))
    assert crn.constants.tolist() == [2.0 * (i + 1) for i in range(1000)]


def test_the_text_of_a_document_is_not_its_name():
    with pytest.raises(cn.InputError, match="expected the name of"):
        import_sbml("<?xml version='1.0'?><sbml/>")


def test_xml_without_an_encoding_is_utf_8(tmp_path):
    text = antimony_to_sbml("A -> ; k*A; k = 2; A = 1").replace(' encoding="UTF-8"', "")
    assert import_sbml(written(tmp_path, text)).constants.tolist() == [2.0]
