"""Models of others: SBML edited and written, and held against roadrunner."""

import libsbml
import numpy as np
import pytest
import roadrunner
from scipy.integrate import solve_ivp
from support.networks import corpus

from crn_nn_tellurium.importers import antimony_to_sbml

CORPUS = corpus()
DIALECTS = ("sbml", "sbml-l3v1", "sbml-l2v4")
RTOL = 1e-12
"""Sums of the same few terms in another order: some roundings of 1e-16 each, and room for what
cancels.
"""


def rates_of_change(crn, sbml, rng):
    """How fast concentrations change at a random state: ours, and roadrunner's within `RTOL`."""
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
    # absolute for rates that cancel, of terms around 1
    return ours, pytest.approx(theirs, rel=RTOL, abs=RTOL)


def edited(text, edit, level=(3, 2)):
    """SBML of an Antimony model after `edit` has changed libSBML's model of it."""
    document = libsbml.readSBMLFromString(antimony_to_sbml(text))
    assert document.setLevelAndVersion(*level, False)
    edit(document.getModel())
    return libsbml.writeSBMLToString(document)


def formula(text):
    return libsbml.parseL3Formula(text)


def written(folder, text, name="model.xml"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


TIMES = np.linspace(0, 2, 5)
COURSE = {"rtol": 1e-6, "atol": 1e-9}
"""Both solvers are asked for 1e-10 a step; a few hundred steps add up."""


def time_courses(crn, sbml, times=TIMES):
    """What changes in a network, at some times: by scipy of our equations, and by roadrunner of the
    file.
    """
    held = crn.boundary_concentrations

    def blows_up(_, x):
        return float(np.max(x, initial=0) - 1e4)

    blows_up.terminal = True  # the times before are compared
    ours = solve_ivp(
        lambda _, x: crn.right_hand_side(x, held),
        (times[0], times[-1]),
        crn.initial_state(),
        method="LSODA",
        t_eval=times,
        rtol=1e-10,
        atol=1e-13,
        events=blows_up,
    )
    r = roadrunner.RoadRunner(sbml)
    r.integrator.relative_tolerance, r.integrator.absolute_tolerance = 1e-10, 1e-13
    document = libsbml.readSBMLFromString(sbml)
    are_species = {s.getId() for s in document.getModel().getListOfSpecies()}
    names = [*crn.floating, *(o.id for o in crn.observables)]
    r.timeCourseSelections = [f"[{name}]" if name in are_species else name for name in names]
    times = [float(t) for t in ours.t]
    theirs = np.asarray(r.simulate(times=times))
    seen = [crn.observe(x) for x in ours.y.T]
    return np.hstack([ours.y.T, np.reshape(seen, (len(times), -1))]), theirs
