"""Documents of SBML: packages, and elements without `<math>`."""

import re

import libsbml
import numpy as np
import pytest
import roadrunner
from support.imports import (
    COURSE,
    TIMES,
    edited,
    formula,
    rates_of_change,
    time_courses,
    written,
)

import crn_nn_tellurium as cn
from crn_nn_tellurium.importers import antimony_to_sbml
from crn_nn_tellurium.importers.sbml import import_sbml

TEXT = "A -> B; k*A; k = 2; A = 3; m = 1"
MATHML = "http://www.w3.org/1998/Math/MathML"
CORE = "http://www.sbml.org/sbml/level3/version1"


def with_packages(**required):
    """SBML of a model, with packages that are required or not."""
    spaces = "".join(f' xmlns:{name}="{CORE}/{name}/version1"' for name in required)
    flags = "".join(f' {name}:required="{flag}"' for name, flag in required.items())
    sbml = edited(TEXT, lambda model: None, (3, 1))
    return sbml.replace(' level="3"', f'{spaces}{flags} level="3"', 1)


@pytest.mark.parametrize(
    "name",
    "fbc qual multi distrib arrays spatial groups layout render req dyn".split(),
)
def test_a_required_package_is_refused_by_name(name, tmp_path):
    path = written(tmp_path, with_packages(**{name: "true"}))
    with pytest.raises(cn.ReactionError, match=f"model.xml' requires the package '{name}' of SBML"):
        import_sbml(path)


@pytest.mark.parametrize("name", "fbc arrays groups layout render req dyn".split())
def test_a_package_that_is_not_required_changes_nothing(name, tmp_path):
    found = import_sbml(written(tmp_path, with_packages(**{name: "false"})))
    assert [(r.equation, r.value) for r in found.reactions] == [("A => B", 2.0)]


@pytest.mark.parametrize("name", ["comp", "l3v2extendedmath"])
def test_required_packages_that_are_understood_are_read(name, tmp_path):
    found = import_sbml(written(tmp_path, with_packages(**{name: "true"})))
    assert [(r.equation, r.value) for r in found.reactions] == [("A => B", 2.0)]


def test_of_several_packages_the_required_one_is_named(tmp_path):
    path = written(tmp_path, with_packages(dyn="false", arrays="true"))
    with pytest.raises(cn.ReactionError, match="requires the package 'arrays'"):
        import_sbml(path)


def assignment_rule(model):
    model.getParameter("m").setConstant(False)
    model.createAssignmentRule().setVariable("m")


def rate_rule(model):
    species = model.getSpecies("A")
    species.setBoundaryCondition(True)
    model.createRateRule().setVariable("A")


def algebraic_rule(model):
    model.createAlgebraicRule()


def initial_assignment(model):
    model.createInitialAssignment().setSymbol("A")


def assigned_constant(model):
    model.createInitialAssignment().setSymbol("k")


def event(model, trigger=None, changed="1"):
    """An event that sets A where it is triggered, as far as formulas are given."""
    found = model.createEvent()
    found.setUseValuesFromTriggerTime(True)
    if trigger is not None:
        condition = found.createTrigger()
        condition.setInitialValue(True)
        condition.setPersistent(True)
        if trigger:
            condition.setMath(libsbml.parseL3Formula(trigger))
    assignment = found.createEventAssignment()
    assignment.setVariable("A")
    if changed:
        assignment.setMath(libsbml.parseL3Formula(changed))


def event_without_trigger(model):
    event(model)


def event_without_condition(model):
    event(model, "")


def event_without_change(model):
    event(model, "time > 0.5", "")


EMPTY = (
    assignment_rule,
    rate_rule,
    algebraic_rule,
    initial_assignment,
    assigned_constant,
    event_without_trigger,
    event_without_condition,
    event_without_change,
)


@pytest.mark.parametrize("edit", EMPTY, ids=lambda edit: edit.__name__)
def test_what_has_no_formula_is_taken_for_not_there(edit, tmp_path):
    """Level 3 Version 2 lets `<math>` be left out; roadrunner's rates agree."""
    sbml = edited(TEXT, edit)
    found = import_sbml(written(tmp_path, sbml))
    theirs = roadrunner.RoadRunner(sbml)
    ours = roadrunner.RoadRunner(antimony_to_sbml(cn.to_antimony(found)))
    for r in (theirs, ours):
        r.simulate(0, 1, 2)
    for name in ("A", "B"):
        # two runs of CVODE at its default tolerance of 1e-6 a step
        assert ours[f"[{name}]"] == pytest.approx(theirs[f"[{name}]"], rel=1e-4)


def algebraic(*rules, free=()):
    """Adds rules 0 = formula, and lets constants change."""

    def edit(model):
        for name in free:
            (model.getParameter(name) or model.getCompartment(name)).setConstant(False)
        for text in rules:
            model.createAlgebraicRule().setMath(formula(text))

    return edit


# by hand, what the algebraic rules say; with k = 0.7 and A = 3 at the start, A as it is right
SOLVED = {
    "a species that a law reads": (
        ("species A, S; A -> ; 1.4*S; A = 3", algebraic("(1 + k)*S - A*(k + 1)/2")),
        "species A, S; A -> ; 1.4*S; A = 3; S := A/2",
        lambda t: 3 * np.exp(-0.7 * t),
    ),
    "a species that a law reads, beside what is conserved": (
        ("species A, S; S = 1; -> A; k*S; A = 3", algebraic("A + S - 4")),
        "species A, S; S := 4 - A; -> A; k*S; A = 3",
        lambda t: 4 - np.exp(-0.7 * t),
    ),
    "the size of a compartment": (
        ("compartment c; species A in c; A -> ; 2*k*A; A = 3", algebraic("c - 2", free="c")),
        "compartment c = 2; species A in c; A -> ; 2*k*A; A = 3",
        lambda t: 3 * np.exp(-0.7 * t),
    ),
    "one by another, in any order": (
        ("A -> ; q*A; A = 3; p = 1; q = 1", algebraic("p - 2*q", "1.4 - p", free="pq")),
        "A -> ; k*A; A = 3",
        lambda t: 3 * np.exp(-0.7 * t),
    ),
}


@pytest.mark.parametrize(("model", "by_hand", "right"), SOLVED.values(), ids=SOLVED)
def test_an_algebraic_rule_for_one_variable_is_a_rule_of_assignment(
    model, by_hand, right, tmp_path
):
    text, edit = model
    crn = import_sbml(written(tmp_path, edited(f"{text}; k = 0.7", edit)))
    ours, theirs = time_courses(crn, antimony_to_sbml(f"{by_hand}; k = 0.7"))
    np.testing.assert_allclose(ours[:, 0], theirs[:, 0], **COURSE)
    np.testing.assert_allclose(ours[:, 0], right(TIMES), **COURSE)


@pytest.mark.parametrize(
    "edit",
    [
        algebraic("A + B - 1"),  # reactions set both
        algebraic("p - q", free="pq"),  # which of both is set by which?
        algebraic("p^2 - A", free="p"),
        algebraic("A/p - 1", free="p"),
    ],
    ids=["none is free", "two are", "a square", "a quotient"],
)
def test_other_algebraic_rules_are_refused(edit, tmp_path):
    sbml = edited("A -> B; k*A; k = 2; A = 3; p = 1; q = 1", edit)
    with pytest.raises(cn.ReactionError, match="a mass-action network has no algebraic rules"):
        import_sbml(written(tmp_path, sbml))


FUNCTION = "function f(x) 2*x end; model m() A -> B; f(A)*k; k = 2; A = 3; end"


def test_formulas_that_libsbml_crashes_on_are_refused(tmp_path):
    """An operator twice, none, and a law without formula beside a function ended the process."""
    sbml = edited(FUNCTION, lambda model: None)
    twice = sbml.replace("<times/>", "<times/><divide/>", 2)
    with pytest.raises(
        cn.FileFormatError, match=r"model.xml': .*divide\(\).* of .* is not a formula"
    ):
        import_sbml(written(tmp_path, twice))
    law = re.search(r"<kineticLaw>(.*?)</kineticLaw>", sbml, re.S)
    none = sbml.replace(law[1], f'<math xmlns="{MATHML}"><apply/></math>')
    with pytest.raises(cn.FileFormatError, match=r"model.xml': \(\) of .* operator lacks"):
        import_sbml(written(tmp_path, none))
    without = sbml.replace(law[1], "")
    with pytest.raises(cn.ReactionError, match="'_J0' has no kinetic law"):
        import_sbml(written(tmp_path, without))


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(
    ("bodies", "circle"), [({"f": "f(x)*x"}, "f -> f"), ({"f": "g(x)", "g": "f(x)"}, "f -> g -> f")]
)
def test_functions_that_call_themselves_are_refused(bodies, circle, version, tmp_path):
    """Putting them in ended the process, in Version 2 where libSBML finds no error."""

    def call_in_a_circle(model):
        for name, body in bodies.items():
            function = model.getFunctionDefinition(name) or model.createFunctionDefinition()
            function.setId(name)
            function.setMath(formula(f"lambda(x, {body})"))

    sbml = edited(FUNCTION, call_in_a_circle, (3, version))
    with pytest.raises(cn.FileFormatError, match=f"model.xml'.*(recursive|in a circle: {circle};)"):
        import_sbml(written(tmp_path, sbml))


def test_a_function_of_what_is_no_name_is_refused(tmp_path):
    """Putting it in ended the process as well."""
    sbml = edited(FUNCTION, lambda model: None)
    broken = re.sub(r"<bvar>.*?</bvar>", "<bvar><times/></bvar>", sbml, flags=re.S)
    with pytest.raises(cn.FileFormatError, match=r"model.xml'.*(argument of function 'f'|bvar)"):
        import_sbml(written(tmp_path, broken))


@pytest.mark.parametrize("prefix", ["ns0", "comp"])
def test_submodels_are_read_under_the_prefix_that_libsbml_survives(prefix, tmp_path):
    """Another one, which ElementTree writes, ended the process."""
    sbml = with_packages(**{prefix: "true"}).replace(f"/{prefix}/version1", "/comp/version1")
    path = written(tmp_path, sbml)
    if prefix == "comp":
        assert [r.value for r in import_sbml(path).reactions] == [2.0]
    else:
        with pytest.raises(cn.FileFormatError, match=r"prefixes '' and 'ns0', .* '' and 'comp'"):
            import_sbml(path)


def test_submodels_are_of_models_that_the_file_defines(tmp_path):
    """Two of one definition, within another that is a submodel itself."""
    body = edited(TEXT, lambda model: None, (3, 1))
    (inner,) = re.findall("(?s)<model (.*)</model>", body)
    inner = re.sub(r'\bid="[^"]*"', 'id="one"', inner, count=1)
    inner = f"<comp:modelDefinition {inner}</comp:modelDefinition>"

    def of(name, *parts):
        submodels = "".join(
            f'<comp:submodel comp:id="{part}{k}" comp:modelRef="{part}"/>'
            for k, part in enumerate(parts)
        )
        return f' id="{name}"><comp:listOfSubmodels>{submodels}</comp:listOfSubmodels>'

    two = f"<comp:modelDefinition{of('two', 'one', 'one')}</comp:modelDefinition>"
    sbml = (
        f'<?xml version="1.0" encoding="UTF-8"?><sbml xmlns="{CORE}/core" level="3" version="1"'
        f' xmlns:comp="{CORE}/comp/version1" comp:required="true"><model{of("m", "two", "one")}'
        f"</model><comp:listOfModelDefinitions>{inner}{two}</comp:listOfModelDefinitions></sbml>"
    )
    crn = import_sbml(written(tmp_path, sbml))
    assert sorted((r.equation, r.value) for r in crn.reactions) == [
        ("one1__A => one1__B", 2.0),
        ("two0__one0__A => two0__one0__B", 2.0),
        ("two0__one1__A => two0__one1__B", 2.0),
    ]


def test_an_algebraic_rule_of_a_variable_alone_sets_it_to_0(rng, tmp_path):
    def nothing(model):
        model.getParameter("m").setConstant(False)
        model.createAlgebraicRule().setMath(formula("m"))
        model.getReaction(0).getKineticLaw().setMath(formula("(k + m)*A"))

    crn = import_sbml(written(tmp_path, edited(TEXT, nothing)))
    assert sum(r.value for r in crn.reactions) == 2.0
    assert crn.right_hand_side([3.0, 0.0]).tolist() == [-6.0, 6.0]


def test_sums_and_products_of_nothing_are_0_and_1(tmp_path):
    sbml = edited("A -> ; (2 + 3 + 5*7*9)*A; A = 1", lambda model: None)
    empty = sbml.replace("<times/>", "<times/><apply><plus/></apply><apply><times/></apply>", 1)
    assert empty != sbml
    assert not import_sbml(written(tmp_path, empty)).reactions  # 0 times the rest
    empty = sbml.replace("<times/>", "<times/><apply><times/></apply>", 1)
    assert import_sbml(written(tmp_path, empty)).constants.tolist() == [320.0]


def test_what_libsbml_finds_where_functions_are_put_in_is_said(tmp_path):
    def unknown(model):
        model.getReaction(0).getKineticLaw().setMath(formula("f(A)*ghost"))

    with pytest.raises(cn.FileFormatError, match=r"model.xml' is not valid SBML, line .*ghost"):
        import_sbml(written(tmp_path, edited(FUNCTION, unknown)))


def test_a_species_of_no_compartment_is_refused(tmp_path):
    sbml = edited(TEXT, lambda model: model.getSpecies("A").setCompartment("nowhere"))
    with pytest.raises(cn.ReactionError, match="species 'A' is in 'nowhere'; expected a compart"):
        import_sbml(written(tmp_path, sbml))


def test_a_name_that_stands_twice_is_refused_with_the_file(tmp_path):
    sbml = edited(TEXT, lambda model: model.getParameter("m").setId("A"))
    with pytest.raises(cn.FileFormatError, match=r"model.xml': 'A' stands for two things"):
        import_sbml(written(tmp_path, sbml))


@pytest.mark.parametrize("version", range(1, 6))
def test_units_that_disagree_are_no_error_in_any_version_of_level_2(version, rng, tmp_path):
    # k A per second, where Level 2 has amounts per second
    law = "function f(x, y)\n x*y\nend\nmodel m()\n A -> B; f(k, A); A = 3; k = 2\nend"

    def in_units(model):
        per_second = model.createUnitDefinition()
        per_second.setId("per_second")
        unit = per_second.createUnit()
        unit.setKind(libsbml.UNIT_KIND_SECOND)
        unit.setExponent(-1)
        model.getParameter("k").setUnits("per_second")

    sbml = edited(law, in_units, (2, version))
    assert "functionDefinition" in sbml
    ours, theirs = rates_of_change(import_sbml(written(tmp_path, sbml)), sbml, rng)
    assert ours == theirs
