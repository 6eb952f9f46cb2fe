"""Documents of SBML: packages, and elements without `<math>`."""

import libsbml
import pytest
import roadrunner
from support.imports import edited, written

import crn_nn_tellurium as cn
from crn_nn_tellurium.importers import antimony_to_sbml
from crn_nn_tellurium.importers.sbml import import_sbml

TEXT = "A -> B; k*A; k = 2; A = 3; m = 1"
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
