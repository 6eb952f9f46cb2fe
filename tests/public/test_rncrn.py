"""Recurrent networks of Dack et al. (RNCRN): their texts read and integrated, and their attractors.

Source: github.com/alexdack/recurrent_neural_chemical_reaction_networks, MIT.
"""

import json
from dataclasses import replace

import numpy as np
import pytest
import roadrunner
import scipy.io
from scipy.integrate import solve_ivp
from support.public import collection
from support.tolerances import IN_TIME

import crn_nn_tellurium as cn
from crn_nn_tellurium.importers import antimony_to_sbml

FOLDER, here = collection("rncrn")
TEXTS = sorted(path.name for path in FOLDER.glob("*.txt"))
END = 0.02
"""Many of the neurons' time scales, 1e-3 and less."""


def by_hand(text):
    """Their text read by a few lines: start values and (before, after, rate constant)."""
    starts, reactions = {}, []
    for line in text.split():
        if line.startswith("#"):
            starts |= {s: float(v) for s, v in (part.split("=") for part in line[1:].split(","))}
    for line in text.splitlines():
        if "->" in line:
            equation, k = line.split(",")
            sides = [
                [s.strip() for s in side.split("+") if s.strip()] for side in equation.split("->")
            ]
            reactions.append((*sides, float(k)))
    return starts, reactions


@here
@pytest.mark.parametrize("name", TEXTS)
def test_a_text_is_read_and_integrated(name):
    starts, reactions = by_hand((FOLDER / name).read_text())
    crn = cn.import_crn(FOLDER / name)
    assert [(sorted(before), sorted(after), k) for before, after, k in reactions] == [
        (
            sorted(s for s, n in r.substrates for _ in range(n)),
            sorted(s for s, n in r.products for _ in range(n)),
            r.value,
        )
        for r in crn.reactions
    ]
    assert {s.id: s.initial for s in crn.species} == dict.fromkeys(crn.floating, 0.0) | starts
    index = {s: i for i, s in enumerate(crn.floating)}

    before, after = (
        np.array([[reaction[side].count(s) for s in index] for reaction in reactions])
        for side in (0, 1)
    )
    k = np.array([reaction[2] for reaction in reactions])

    def rates(time, x):
        return (k * np.prod(x**before, axis=1)) @ (after - before)

    # a little of everything, so that no species stays at 0
    start = np.array([starts.get(s, 0.0) or 0.1 * (i + 1) for i, s in enumerate(crn.floating)])
    theirs = solve_ivp(rates, (0, END), start, "LSODA", rtol=1e-10, atol=1e-12).y[:, -1]
    species = [replace(s, initial=v) for s, v in zip(crn.species, start, strict=True)]
    started = replace(crn, species=tuple(species))
    r = roadrunner.RoadRunner(antimony_to_sbml(cn.to_antimony(started)))
    r.integrator.relative_tolerance, r.integrator.absolute_tolerance = 1e-10, 1e-12
    r.simulate(0, END, 2)
    # two integrators of 1e-10 a step over some hundred steps
    assert [r[f"[{s}]"] for s in crn.floating] == pytest.approx(theirs, rel=1e-6, abs=1e-9)


def neurons(weights, start):
    """Antimony text of x' = beta + x (alpha y), mu y' = gamma + (w x + theta) y - y^2."""
    # rounded as their own script does
    w, theta, alpha = (
        np.round(weights[key], 3)
        for key in ("first_layer_weights", "first_layer_biases", "output_layer_weights")
    )
    units = range(w.shape[1])
    drive = " + ".join(f"({float(alpha[j, 0])!r})*x*y{j}" for j in units)
    lines = [f"species x = {float(start)!r}; x' = {drive}"]
    for j in units:
        z = f"({float(w[0, j])!r})*x + ({float(theta[0, j])!r})"
        lines.append(f"species y{j} = 0; y{j}' = (1 + ({z})*y{j} - y{j}^2)/0.01")
    return "\n".join(lines)


@here
@pytest.mark.parametrize("x_over_pi", [0.5, 1.5, 2.5, 3.5, 4.5, 5.5])
def test_the_bistable_network_settles_where_theirs_does(x_over_pi):
    expected = json.loads((FOLDER / "expected.json").read_text())["sin_bi_stable"]
    weights = scipy.io.loadmat(FOLDER / "example_sin_bi_stable.mat")
    crn = cn.import_antimony(neurons(weights, x_over_pi * np.pi))
    r = roadrunner.RoadRunner(antimony_to_sbml(cn.to_antimony(crn)))
    r.integrator.relative_tolerance = 1e-10
    r.simulate(0, 200, 2)
    target = expected["starts_x_over_pi_to_fixed_point"][str(x_over_pi)]
    # expected.json has nine digits
    assert r["[x]"] == pytest.approx(target, rel=1e-7)


@here
def test_the_tristable_network_has_its_three_states():
    expected = json.loads((FOLDER / "expected.json").read_text())["sin_tri_stable"]
    weights = scipy.io.loadmat(FOLDER / "example_sin_tri_stable.mat")
    for x in expected["stable_x"]:
        crn = cn.import_antimony(neurons(weights, x + 0.1))
        r = roadrunner.RoadRunner(antimony_to_sbml(cn.to_antimony(crn)))
        r.integrator.relative_tolerance = 1e-10
        r.simulate(0, 200, 2)
        assert r["[x]"] == pytest.approx(x, rel=IN_TIME)
