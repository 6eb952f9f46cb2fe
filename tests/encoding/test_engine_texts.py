"""Texts that only this package's engine runs, against mass action written down anew.

libSBML reads them and roadrunner computes the right-hand sides, at values that are all different.
"""

import numpy as np
import pytest
import roadrunner
from support.tolerances import SUMMED

import crn_nn_tellurium as cn
from crn_nn_tellurium.encoding import compact_signs, structure_text, variational_text
from crn_nn_tellurium.importers import antimony_to_sbml

NETWORKS = {
    "rails": cn.Network.random([2, 2, 1], seed=0),
    "sigmoid": cn.Network.random([2, 1], activation=cn.Sigmoid(), seed=1),
    "skips": cn.Network(
        [
            cn.Layer([[1.5, -0.5], [-2.0, 0.25]], [0.5, -1.0]),
            cn.Layer([[1.0, -1.0, 0.5, 2.0]], inputs=["layer1", "input"], activation=cn.Tanh()),
        ],
        inputs="signed",
    ),
}
REACTIONS = {name: cn.to_reactions(net, [0.3, 0.7]) for name, net in NETWORKS.items()}
REACTIONS["by_hand"] = cn.ReactionNetwork(
    # names that run together: A by B_C and A_B by C
    [
        *(cn.Species(name, 1.0) for name in ("A", "B_C", "A_B", "C")),
        cn.Species("fuel", 1.0, boundary=True),
    ],
    [
        cn.Reaction("join", ("A", "A", "B_C"), ("A_B",), "k1", 1.0),
        cn.Reaction("part", ("A_B",), ("A", "A", "C"), "k2", 1.0),
        cn.Reaction("feed", ("fuel", "fuel"), ("fuel", "C"), "k3", 1.0),
        cn.Reaction("lose", ("C", "fuel", "fuel"), ("fuel", "fuel"), "k1", 1.0),
    ],
)
REACTIONS["shared"] = cn.ReactionNetwork(
    # A' = (k1 B + k2 C) A, and D' = (k1 B + k2 C) E - D + k4, where E stays as it is
    [*(cn.Species(name, 1.0) for name in "ABCDE")],
    [
        cn.Reaction("grow_b", ("A", "B"), ("A", "A", "B"), "k1", 1.0),
        cn.Reaction("grow_c", ("A", "C"), ("A", "A", "C"), "k2", 1.0),
        cn.Reaction("make_b", ("B", "E"), ("B", "E", "D"), "k1", 1.0),
        cn.Reaction("make_c", ("C", "E"), ("C", "E", "D"), "k2", 1.0),
        cn.Reaction("lose", ("D",), (), "k3", 1.0),
        cn.Reaction("feed", (), ("D",), "k4", 1.0),
    ],
)


def mass_action(crn, x, k):
    """dx/dt of the floating species, from the reactions alone; x by species, k by constant."""
    slopes = dict.fromkeys(crn.floating, 0.0)
    for reaction in crn.reactions:
        rate = k[reaction.rate_constant]
        for own, count in reaction.substrates:
            rate = rate * x[own] ** count
        for side, sign in ((reaction.substrates, -1), (reaction.products, 1)):
            for own, count in side:
                slopes[own] = slopes.get(own, 0.0) + sign * count * rate
    return np.array([slopes[own] for own in crn.floating])


def values(crn):
    """Concentrations by species and rate constants by name, none twice."""
    rng = np.random.default_rng(3)
    x = dict(zip(crn.floating + crn.boundary, rng.uniform(0.5, 2.0, len(crn.species)), strict=True))
    names = crn.constant_names
    return x, dict(zip(names, rng.uniform(0.5, 2.0, len(names)), strict=True))


def rates_of_change(text, concentrations, constants):
    """What roadrunner computes from a text, by species."""
    owner = roadrunner.RoadRunner(antimony_to_sbml(text))
    engine = owner.model
    for species, value in concentrations.items():
        engine[f"[{species}]"] = value
    for name, value in constants.items():
        engine[name] = value
    species = engine.getFloatingSpeciesIds()
    return dict(zip(species, engine.getFloatingSpeciesConcentrationRates(), strict=True))


@pytest.mark.parametrize("name", REACTIONS)
def test_the_rates_of_change_of_a_structure(name):
    crn = REACTIONS[name]
    x, k = values(crn)
    # sizes are given, and the constants of a structure carry their signs
    signed = {name: sign * k[name] for name, sign in zip(k, compact_signs(crn), strict=True)}
    found = rates_of_change(structure_text(crn), x, signed)
    got = [found[s] for s in crn.floating]
    np.testing.assert_allclose(got, mass_action(crn, x, k), rtol=SUMMED, atol=SUMMED)


@pytest.mark.parametrize("name", REACTIONS)
def test_the_rates_of_change_of_derivatives(name):
    crn = REACTIONS[name]
    x, k = values(crn)
    rng = np.random.default_rng(4)
    some = np.array(crn.floating)[rng.random(len(crn.floating)) < 0.7].tolist()
    parameters = [*crn.constant_names[:3], *crn.boundary, crn.floating[0]]
    moving = {p: crn.floating if n % 2 else some for n, p in enumerate(parameters)}
    directions = {f"_s{n}": (p, frozenset(moving[p])) for n, p in enumerate(parameters)}
    s = {(p, own): rng.uniform(-1, 1) for p in parameters for own in moving[p]}
    given = {f"_s{parameters.index(p)}_{own}": value for (p, own), value in s.items()}
    found = rates_of_change(variational_text(crn, directions), x | given, k)
    slopes = mass_action(crn, x, k)
    np.testing.assert_allclose([found[n] for n in crn.floating], slopes, rtol=SUMMED, atol=SUMMED)
    for number, p in enumerate(parameters):
        # f(x + i h s, p + i h) is f + i h (J s + df/dp): no digit cancels however small h is
        h = 1e-30j
        moved = {own: value + h * s.get((p, own), 0.0) for own, value in x.items()}
        if p in crn.boundary:
            moved[p] += h
        constants = {name: value + h * (name == p) for name, value in k.items()}
        want = mass_action(crn, moved, constants).imag / h.imag
        for own, slope in zip(crn.floating, want, strict=True):
            if own in moving[p]:
                assert found[f"_s{number}_{own}"] == pytest.approx(slope, rel=SUMMED, abs=SUMMED)
