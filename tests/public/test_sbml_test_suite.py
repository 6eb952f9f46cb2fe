"""Semantic cases of the SBML Test Suite: read and right, or refused by name.

A part of the suite lies in the public folder; CRN_NN_SBML_SUITE names a folder of all its semantic
cases (github.com/sbmlteam/sbml-test-suite, cases/semantic), which the slow test runs.
"""

import csv
import os
import re
import warnings
from dataclasses import dataclass
from pathlib import Path

import libsbml
import numpy as np
import pytest
import roadrunner
from support.public import collection

import crn_nn_tellurium as cn
from crn_nn_tellurium.importers import antimony_to_sbml

FOLDER, here = collection("sbml-test-suite")
FILES = sorted(FOLDER.glob("*/*-sbml-l*.xml"))
SUITE = Path(os.environ.get("CRN_NN_SBML_SUITE", "/nowhere"))
REFUSALS = cn.ReactionError, cn.FileFormatError
AT_LEAST = 620
"""Cases of the whole suite that are to be imported, of 1,821."""


@dataclass(frozen=True)
class Case:
    """What a case asks for: settings, and the results that are right."""

    folder: Path

    def _read(self, name):
        return next(self.folder.glob(f"*-{name}")).read_text()

    @property
    def settings(self):
        lines = (line.partition(":") for line in self._read("settings.txt").splitlines())
        return {name.strip(): value.strip() for name, _, value in lines}

    def names(self, setting):
        return [name.strip() for name in self.settings.get(setting, "").split(",") if name.strip()]

    @property
    def results(self):
        head, *rows = csv.reader(self._read("results.csv").splitlines())
        table = np.array([row for row in rows if row], dtype=float)
        return {name.strip(): table[:, i] for i, name in enumerate(head)}


def quantities(crn, path):
    """What our network has of the variables of a file: how roadrunner calls it, and its volume."""
    species = {s.id for s in crn.species}
    ours = species | {o.id for o in crn.observables} | {*crn.rate_constants}
    document = libsbml.readSBMLFromFile(str(path))
    model = document.getModel()
    for i in reversed(range(model.getNumRules())):
        if model.getRule(i).isAlgebraic():  # which roadrunner does not load
            model.removeRule(i)
    theirs = roadrunner.RoadRunner(libsbml.writeSBMLToString(document))
    homes = {s.getId(): s.getCompartment() for s in model.getListOfSpecies()}
    found = {}
    for variable in {*ours, *homes}:
        # reserved words have an underscore with us
        name = variable if variable in ours else f"{variable}_"
        if name in ours:
            volume = theirs[homes[variable]] if variable in homes else 1.0
            found[variable] = f"[{name}]" if name in species else name, volume
    return found


def largest_error(case, path, crn):
    """How far our time course is from the right one, in tolerances of the case, and of what."""
    settings, right = case.settings, case.results
    times = right.get("time", right.get("Time"))
    ours = roadrunner.RoadRunner(antimony_to_sbml(cn.to_antimony(crn)))
    ours.integrator.relative_tolerance, ours.integrator.absolute_tolerance = 1e-10, 1e-14
    known = {v: q for v, q in quantities(crn, path).items() if v in case.names("variables")}
    if not known:
        return 0.0, ""
    ours.timeCourseSelections = ["time", *(selection for selection, _ in known.values())]
    course = np.asarray(ours.simulate(times=times.tolist()))[:, 1:]
    worst = 0.0, ""
    for (variable, (_, volume)), column in zip(known.items(), course.T, strict=True):
        expected = right[variable]
        value = column * volume if variable in case.names("amount") else column
        allowed = float(settings["absolute"]) + float(settings["relative"]) * np.abs(expected)
        worst = max(worst, (float(np.max(np.abs(value - expected) / allowed)), variable))
    return worst


def imported(path):
    with warnings.catch_warnings():
        # read-outs that are left out are said, which is no matter here
        warnings.simplefilter("ignore", UserWarning)
        return cn.import_sbml(path)


@here
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_case_is_right_or_refused_by_name(path):
    refused = None
    try:
        crn = imported(path)
    except REFUSALS as error:
        refused = str(error)
    if refused is not None:
        # it says in which file, what, and what was expected
        assert re.match(rf"{re.escape(repr(str(path)))}:? .+; (expected|give|take|write)", refused)
        return
    error, variable = largest_error(Case(path.parent), path, crn)
    assert error <= 1, variable


READ = "00004 00010 00054 00068 00099 00262 00465 00969 01235 01556 01557".split()


@here
@pytest.mark.parametrize("number", READ)
def test_cases_that_are_mass_action_are_read(number):
    crns = [imported(path) for path in FOLDER.glob(f"{number}/*.xml")]
    assert {crn.name for crn in crns} == {f"case{number}"}


@pytest.mark.slow
@pytest.mark.skipif(not SUITE.is_dir(), reason="CRN_NN_SBML_SUITE names no folder")
def test_the_whole_suite():
    """None crashes, none is wrong, and no fewer than `AT_LEAST` are imported."""
    wrong, n_imported = {}, 0
    for folder in sorted(path for path in SUITE.iterdir() if path.is_dir()):
        files = sorted(folder.glob("*-sbml-l*.xml"))
        if not files or not list(folder.glob("*-results.csv")):
            continue
        path = files[-1]  # of the newest level
        try:
            crn = imported(path)
        except REFUSALS:
            continue
        except Exception as error:
            wrong[path.name] = repr(error)
            continue
        n_imported += 1
        try:
            error, variable = largest_error(Case(folder), path, crn)
        except Exception as failure:
            wrong[path.name] = repr(failure)
            continue
        if not error <= 1:
            wrong[path.name] = f"{variable}: {error:g} tolerances"
    assert wrong == {}
    assert n_imported >= AT_LEAST
