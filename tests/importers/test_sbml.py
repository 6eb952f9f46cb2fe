"""Models of mass action from other files, against roadrunner's rates of change."""

import math
import re

import numpy as np
import pytest
import roadrunner
from support.imports import (
    RTOL,
    edited,
    formula,
    rates_of_change,
    written,
)

import crn_nn_tellurium as cn
from crn_nn_tellurium.basics.identifiers import RESERVED
from crn_nn_tellurium.chemistry import checking
from crn_nn_tellurium.chemistry.expressions import Expression, Monomial
from crn_nn_tellurium.chemistry.reactions import Observable
from crn_nn_tellurium.importers import antimony_to_sbml
from crn_nn_tellurium.importers.antimony import import_antimony
from crn_nn_tellurium.importers.sbml import import_sbml

OTHERS = {
    "ninth power of a sum": "A + B -> ; k*(A + B + k + 0.3)^9*A*B; k = 0.5",
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


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_models_of_others_have_roadrunners_rates(text, rng):
    ours, theirs = rates_of_change(import_antimony(text), antimony_to_sbml(text), rng)
    assert ours == theirs


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


def assignments_out_of_order(model):
    """The value of k is to follow from that of m, whose own assignment comes later."""
    for symbol, text in (("k", "2*m"), ("m", "5")):
        assignment = model.createInitialAssignment()
        assignment.setSymbol(symbol)
        assignment.setMath(formula(text))


def product(model, level_3):
    """A product that is made 2 m times, m = 1."""
    reference = model.getReaction(0).getProduct(0)
    if not level_3:
        reference.createStoichiometryMath().setMath(formula("2*m"))
        return
    reference.setId("n")
    reference.setConstant(False)
    assignment = model.createAssignmentRule() if level_3 == "rule" else None
    if assignment is not None:
        assignment.setVariable("n")
    else:
        assignment = model.createInitialAssignment()
        assignment.setSymbol("n")
    assignment.setMath(formula("2*m"))


@pytest.mark.parametrize(
    ("way", "level"),
    [("", (2, 4)), ("rule", (3, 1)), ("assignment", (3, 2))],
    ids=["stoichiometryMath", "rule", "initial assignment"],
)
def test_a_stoichiometry_of_constants_is_a_number(way, level, rng, tmp_path):
    sbml = edited("A -> B; k*A; k = 2; m = 1", lambda model: product(model, way), level)
    crn = import_sbml(written(tmp_path, sbml))
    assert [r.equation for r in crn.reactions] == ["A => 2 B"]
    ours, theirs = rates_of_change(crn, sbml, rng)
    assert ours == theirs


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
    ours, theirs = rates_of_change(import_sbml(written(tmp_path, sbml)), sbml, rng)
    assert ours == theirs


@pytest.mark.parametrize(
    "edit",
    [boundary_with_rate_rule, assignments_out_of_order],
    ids=lambda edit: edit.__name__,
)
def test_what_is_rare_is_read_or_refused(edit, rng, tmp_path):
    sbml = edited("A -> B; k*A; k = 2; m = 1", edit)
    try:
        crn = import_sbml(written(tmp_path, sbml))
    except cn.ReactionError:
        return
    ours, theirs = rates_of_change(crn, sbml, rng)
    assert ours == theirs


@pytest.mark.parametrize(
    "level", [(1, 2), (2, 1), (2, 2), (2, 3), (2, 4), (2, 5), (3, 1), (3, 2)], ids=str
)
def test_every_level_of_sbml_is_read(level, rng, tmp_path):
    sbml = edited(
        f"compartment c = 2.5; species A in c, B in c, C in c; A = 1; B = 2; C = 3; {TWO}",
        lambda model: None,
        level,
    )
    ours, theirs = rates_of_change(import_sbml(written(tmp_path, sbml)), sbml, rng)
    assert ours == theirs


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


@pytest.mark.parametrize("digits", range(17))
def test_numbers_in_formulas_are_the_nearest_doubles(digits):
    """libSBML takes the mantissa times a rounded power of ten: 29 of 100 are off by a digit."""
    rng = np.random.default_rng(digits)
    for power in rng.choice(np.arange(5, 300), 20).tolist():
        number = f"{rng.uniform(1, 9.9):.{digits}f}e{rng.choice(['', '-'])}{power}"
        crn = import_antimony(f"J: A -> ; {number}*A; A = 1")
        assert crn.reactions[0].value == float(number)


@pytest.mark.parametrize(
    "number", ["5e-324", "1e-310", "123456789e-320", "1234567890123456789e-338"]
)
def test_numbers_below_what_doubles_hold_in_full_are_in_formulas_too(number):
    """libSBML's powers of ten end at 1e-308."""
    assert import_antimony(f"J: A -> ; {number}*A; A = 1").reactions[0].value == float(number)


@pytest.mark.parametrize("number", ["1e-400", "0.000001e-320", "0.1E-0324"])
def test_numbers_that_doubles_take_for_none_are_refused(number, tmp_path):
    said = rf"{re.escape(number)} is 0 to doubles; expected 0, or more"
    for text in ("J: A -> ; {}*A", "J: A -> ; k*A; k = {}", "J: A -> ; A; A = {}"):
        with pytest.raises(cn.FileFormatError, match=said):
            import_antimony(text.format(number))
    path = tmp_path / "a.crn"
    for text in ("A -> B [k = {}]", "A -> B\nA @initial {}"):
        path.write_text(text.format(number))
        with pytest.raises(cn.FileFormatError, match=said):
            cn.import_crn(path)
    mantissa, _, power = number.lower().partition("e")
    sbml = antimony_to_sbml("J: A -> ; 2.5e-7*A; A = 1")
    whole = f"{mantissa} <sep/> {power}"
    path.write_text(re.sub(r"2\.5 <sep/> -0?7", whole, sbml))
    with pytest.raises(cn.ReactionError, match=r"the number [\d.]+e-\d{3} is 0 to doubles"):
        cn.import_sbml(path)


def test_a_zero_is_one_however_it_is_written():
    crn = import_antimony("J: A -> ; k*A; k = 0e-400; A = 0.0e-999")
    assert crn.constants.tolist() == crn.initial_state().tolist() == [0.0]


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


def test_names_that_antimony_reserves_get_an_underscore(tmp_path, monkeypatch):
    """Species "DNA" and parameter "time" are sound SBML, and have to run here."""
    monkeypatch.setattr(checking, "reserved", lambda word: None)
    crn = cn.ReactionNetwork(
        [
            cn.Species("DNA", 2.0),
            cn.Species("DNA_", Expression((Monomial(2.0, (("time", 1.0),)),))),
        ],
        [cn.Reaction("gene", ("DNA",), ("DNA", "DNA_"), "time", 3.0)],
        [Observable("volume", Expression((Monomial(1.0, (("DNA", 1.0), ("time", 1.0))),)))],
        "cell",
    )
    path = cn.export(crn, tmp_path / "cell.xml")
    monkeypatch.undo()
    found = import_sbml(path)
    assert [s.id for s in found.species] == ["DNA__2", "DNA_"]
    assert found.species[0].name == "DNA"
    assert (found.rate_constants, [o.id for o in found.observables]) == (("time_",), ["volume_"])
    r = roadrunner.RoadRunner(antimony_to_sbml(cn.to_antimony(found)))
    assert (r["[DNA_]"], r["DNA_'"], r["volume_"]) == (6.0, 6.0, 6.0)


def test_all_reserved_names_run(tmp_path, monkeypatch):
    """In capitals too: tools fold them."""
    monkeypatch.setattr(checking, "reserved", lambda word: None)
    names = sorted({*RESERVED, "DNA", "Time", "nM"})
    species = [cn.Species(name, 1.0) for name in names]
    reactions = [
        cn.Reaction(f"J{i}", (s.id,), (), f"k{i}", float(i)) for i, s in enumerate(species)
    ]
    path = cn.export(cn.ReactionNetwork(species, reactions), tmp_path / "names.xml")
    monkeypatch.undo()
    found = import_sbml(path)
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


def test_pi_is_a_number_and_a_long_sum_is_one_term():
    assert import_antimony("A -> ; pi*A; A = 1").constants.tolist() == [np.pi]
    crn = import_antimony("S -> ; (" + "+".join(["0.5"] * 3000) + ")*S; S = 1")
    assert crn.constants.tolist() == [1500.0]


def test_a_sum_of_a_thousand_products_is_as_many_reactions():
    """In the order of the text, in time linear in its length."""
    law = " + ".join(f"{i + 1}*k{i}*S" for i in range(1000))
    crn = import_antimony(f"S -> ; {law}; " + "; ".join(f"k{i} = 2" for i in range(1000)))
    assert list(crn.constant_values.values()) == [2.0 * (i + 1) for i in range(1000)]


def test_xml_without_an_encoding_is_utf_8(tmp_path):
    text = antimony_to_sbml("A -> ; k*A; k = 2; A = 1").replace(' encoding="UTF-8"', "")
    assert import_sbml(written(tmp_path, text)).constants.tolist() == [2.0]


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


def test_a_read_out_over_a_species_at_0_is_infinite():
    """And neither a warning of numpy's, which is an error here, nor a traceback."""
    crn = import_antimony("A -> B; k*A; k = 1; A = 1; species $X = 0; D := A/X; E := A/B")
    course = cn.Simulator(crn).time_course(t_end=1, n_points=2)
    ends = {name: course.outputs[:, course.output_names.index(name)] for name in ("D", "E")}
    assert ends["D"].tolist() == [math.inf, math.inf]
    # A / B = 1 / (e - 1) at 1; CVODE's tolerance is 1e-10 or less
    assert ends["E"] == pytest.approx([math.inf, 1 / (math.e - 1)], rel=1e-8)
    found = cn.transient_sensitivities(crn, t_end=1, n_points=2, outputs=["D"], parameters=["k"])
    assert found["D", "k"][-1] == -math.inf


def test_a_read_out_over_a_parameter_of_0_is_left_out():
    with pytest.warns(UserWarning, match="left out: .*'z'"):
        import_antimony("A -> B; k*A; k = 1; Keq = 0; z := A/Keq + B")
