"""Attacks: inside what can be, near the bounds, and what roadrunner makes of their constants."""

import dataclasses

import numpy as np
import pytest
from support.attacks import worst
from support.networks import corpus, with_a_constant_each
from support.tolerances import ROUNDED

import crn_nn_tellurium as cn
from crn_nn_tellurium.kinetics import KineticsApart, NetworkKinetics

XOR = cn.load_model("xor")
CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
CASES = [
    case for case in corpus() if not any(layer.knot for layer in NetworkKinetics(case.net).layers)
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_derivatives_by_each_reaction_are_differences(case):
    kinetics = KineticsApart(case.net)
    inputs = case.net.input_coding.code(np.atleast_2d(case.net.input_coding.check(case.x)))
    rng, n = np.random.default_rng(0), len(inputs)
    own = kinetics.own * (1 + 0.1 * rng.uniform(-1, 1, (n, len(kinetics.own))))
    goal = np.tile(rng.normal(size=case.net.n_out), (n, 1))

    def reached(rows):
        states = kinetics.settle_coded(inputs, kinetics.from_rows(rows))
        return (kinetics.outputs(states) * goal).sum(axis=1)

    constants = kinetics.from_rows(own)
    states = kinetics.settle_coded(inputs, constants)
    slopes, _ = kinetics.backward(states, goal, constants)
    way = rng.normal(size=own.shape) * kinetics.own
    found = (kinetics.to_rows(slopes) * way).sum(axis=1)
    # a central difference of 1e-6 is right to 1e-12 of the third derivative, and rounds to 1e-9
    expected = (reached(own + 1e-6 * way) - reached(own - 1e-6 * way)) / 2e-6
    # and where slopes cancel, that 1e-9 counts beside the largest
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_no_attack_leaves_the_enclosure(case):
    box = cn.enclosure(case.net, case.x, 0.1).outputs
    for direction in ("up", "down"):
        found = cn.attack(case.net, case.x, 0.1, output=0, direction=direction, restarts=1)
        assert box.contains(found.outputs)
        moved = (found.outputs - found.nominal)[..., 0]
        assert np.all(moved >= 0 if direction == "up" else moved <= 0)


@pytest.mark.parametrize("make", [cn.SmoothedReLU, cn.LeakyReLU, cn.Absolute, cn.ClippedReLU])
def test_rails_alone_agree_with_a_search_by_hand(make):
    """That of tests/support solves each rail by its formula, and knows no Jacobian."""
    for seed in range(2):
        net = cn.Network.random([6, 6, 6, 1], make(h=0.01), seed=seed, output=cn.Linear(h=0.01))
        x = np.random.default_rng(seed).uniform(0, 1, 6)
        for direction, sign in (("up", 1.0), ("down", -1.0)):
            found = cn.attack(net, x, 0.1, output=0, direction=direction)
            by_hand = sign * worst(NetworkKinetics(net), x, 0.1, np.array([sign]))
            # both climb from random starts: neither need find the very worst
            np.testing.assert_allclose(found.outputs[0], by_hand, rtol=0.01)


@pytest.mark.parametrize("name", ["iris", "digits"])
def test_margins_come_within_two_percent_of_what_is_certified(name):
    net, X = cn.load_model(name), cn.model_data(name)[1][:2]
    found, certified = cn.attack_margin(net, X, restarts=0), cn.certified_margin(net, X)
    assert np.all(found >= certified)
    assert np.all(found <= 1.02 * certified)
    # what was found does flip, and the bracket ends 0.1 % below it
    assert cn.attack(net, X[0], found[0], restarts=0).flips
    assert not cn.attack(net, X[0], 0.998 * found[0], restarts=0).flips


def test_roadrunner_settles_where_the_attack_says():
    found = cn.attack(XOR, CORNERS, 0.1)
    for x, errors, expected in zip(CORNERS, found.errors, found.outputs, strict=True):
        crn = with_a_constant_each(XOR, x)
        error = dict(zip((r.id for r in found.reactions), errors, strict=True))
        assert set(error) == {r.id for r in crn.reactions}
        reactions = [
            dataclasses.replace(r, value=r.value * (1 + error[r.id])) for r in crn.reactions
        ]
        settled = cn.Simulator(dataclasses.replace(crn, reactions=reactions)).steady_state()
        # roadrunner's steady states are right to 1e-9, those of integration to 1e-8
        np.testing.assert_allclose(settled["y0"], expected[0], rtol=1e-7, atol=1e-9)


def test_no_error_alone_matters_more_than_its_effect_says():
    """To first order: a thousandth of an error moves the margin by a thousandth of its effect."""
    found = cn.attack(XOR, [0.0, 1.0], 1e-4)
    kept = abs(float(found.nominal[0]) - XOR.layers[-1].activation.threshold)
    # second order: errors of 1e-4 leave some 1e-4 of what they do
    np.testing.assert_allclose(kept - found.margin, found.effects.sum(), rtol=5e-3)
    table = found.ranking()
    assert list(table.effect) == sorted(found.effects, reverse=True)
    assert set(table.error) <= {1e-4, -1e-4, 0.0}


def test_a_sample_is_attacked_alike_alone_and_in_company():
    net, X = cn.load_model("iris"), cn.model_data("iris")[1][:5]
    whole = cn.attack(net, X, 0.05)
    alone = cn.attack(net, X[3], 0.05)
    np.testing.assert_array_equal(alone.errors, whole.errors[3])
    np.testing.assert_allclose(alone.outputs, whole.outputs[3], rtol=ROUNDED)
    assert whole.ranking(3).equals(alone.ranking())


def test_a_pool_has_one_error_and_none_is_worse():
    """P_k' = g Y_k - d P_k sum Y_j: a share is least with its own gain down and all losses up."""
    net = cn.Network([cn.Layer(np.eye(3), activation=cn.Normalized(h=0.01))])
    x, e = [0.2, 0.5, 1.0], 0.1
    found = cn.attack(net, x, e, output=2, direction="down")

    def rail(z, s):
        # h, q and the weight, each by itself
        h, q, u = 0.01 * (1 + s * e), 1 - s * e, z * (1 + s * e)
        return (u + np.sqrt(u * u + 4 * h * q)) / (2 * q)

    own, others = rail(1.0, -1), rail(0.2, 1) + rail(0.5, 1)
    expected = (1 - e) * own / ((1 + e) * (own + others))
    # a smaller rail of its own makes the loss smaller too, but the gain by more
    np.testing.assert_allclose(found.outputs[2], expected, rtol=1e-9)


def test_regression_pushes_its_output_either_way():
    net = cn.Network.random([3, 4, 1], seed=0, task="regression")
    x = np.full((2, 3), 0.5)
    either = cn.attack(net, x, 0.1)
    up, down = (cn.attack(net, x, 0.1, direction=way) for way in ("up", "down"))
    furthest = np.maximum(np.abs(up.outputs - up.nominal), np.abs(down.outputs - up.nominal))
    np.testing.assert_allclose(np.abs(either.outputs - either.nominal), furthest, rtol=ROUNDED)
    assert either.flips is None
    assert "outputs moved by up to" in repr(either)
    # no class has a margin, and none flips
    frame = either.to_frame()
    assert list(frame.columns) == ["nominal", "attacked"]
    np.testing.assert_array_equal(frame["attacked"], either.outputs[:, 0])
    with pytest.raises(cn.NetworkError, match=r"attack_margin: network .* is for regression"):
        cn.attack_margin(net, x)
    two = dataclasses.replace(cn.Network.random([3, 4, 2], seed=0), task="regression")
    with pytest.raises(cn.InputError, match="output is None; expected one of 'y0', 'y1'"):
        cn.attack(two, x)


def test_a_class_that_nothing_flips_has_an_infinite_margin():
    net = cn.Network([cn.Layer([[1.0], [0.0]], [0.0, -1.0], cn.SmoothedReLU(h=1e-6))])
    assert cn.attack_margin(net, [1.0], limit=0.1) == np.inf
    assert cn.certified_margin(net, [1.0], limit=0.1) == 0.1
