"""Choosing h: limits are kept, layers that may differ are never worse, and what cannot be met says
so.
"""

import pickle
from dataclasses import dataclass

import numpy as np
import pytest

import crn_nn_tellurium as cn
from crn_nn_tellurium.certificates.choice_of_h import choose_h
from crn_nn_tellurium.networks.activations import BUILT_IN

XOR, (X, _, Y, _) = cn.load_model("xor"), cn.model_data("xor")


@dataclass(frozen=True)
class Gauge(cn.Activation):
    """A user's own with a shape that h sets: 2 sqrt(h) at z = 0."""

    rails = (cn.Rail("Yp", 1), cn.Rail("Yn", -1))
    read_out = cn.ReadOut((("Yp", 1.0), ("Yn", 1.0)))
    h_is_smoothing = False


def worst_time(net, x, tolerance, bound="cheap"):
    return cn.settling_time(net, x, tolerance, bound=bound).max()


def test_h_is_smoothing_tells_which_limits_are_the_function_meant():
    z = np.linspace(-2, 2, 9)
    meant = {
        "SmoothedReLU": np.maximum(z, 0),
        "Linear": z,
        "LeakyReLU": np.where(z > 0, z, 0.01 * z),
        "Absolute": np.abs(z),
        "ClippedReLU": np.clip(z, 0, 1),
        "HardSigmoid": np.clip(z, 0, 1),
    }
    for name, kind in BUILT_IN.items():
        assert kind().h_is_smoothing == (name in meant)
        if name in meant:
            # 0 < sigma_h(z) - max(z, 0) <= sqrt(h) on at most two rails
            np.testing.assert_allclose(kind(h=1e-14)(z), meant[name], atol=2.1e-7)


@pytest.mark.parametrize("max_error", [0.01, 0.1])
@pytest.mark.parametrize("name", ["xor", "iris"])
def test_an_error_is_kept_in_the_least_time(name, max_error):
    net, (x, _, y, _) = cn.load_model(name), cn.model_data(name)
    choice = choose_h(net, x, max_error=max_error, y=y, n_points=9)
    limit = net.with_h(1e-30)(x)
    assert np.abs(choice.network(x) - limit).max() == pytest.approx(choice.error, abs=1e-12)
    assert choice.error <= max_error
    assert choice.h == choice.network.h
    assert choice.tolerance == max_error
    assert choice.accuracy == np.mean(choice.network.predict(x) == y)
    assert choice.settling_time == pytest.approx(worst_time(choice.network, x, max_error))
    # the last layer is linear, exact for every h: its own h is what a common one cannot give it
    assert choice.h[-1] == pytest.approx(1.0)
    assert choice.common.h[0] == choice.common.h[1]
    assert choice.common.error <= max_error
    assert choice.settling_time < choice.common.settling_time
    assert choice.speed_up > 1.01


def test_a_time_is_kept_with_the_least_error():
    choice = choose_h(XOR, X, max_time=60.0, tolerance=0.01)
    assert choice.settling_time == pytest.approx(worst_time(choice.network, X, 0.01))
    assert choice.settling_time <= 60
    assert choice.common.settling_time <= 60
    assert choice.error < 0.8 * choice.common.error
    # the two ways of asking meet, as near as the search goes
    again = choose_h(XOR, X, max_error=choice.error, tolerance=0.01)
    assert again.settling_time == pytest.approx(60, rel=0.01)


def test_no_point_of_a_fine_grid_is_much_better():
    net = cn.Network.random([2, 4, 3, 1], seed=4, output=cn.Linear())
    x = np.random.default_rng(1).uniform(0, 2, (10, 2))
    choice = choose_h(net, x, max_error=0.05)
    limit = net.with_h(1e-30)(x)
    best = np.inf
    for a in np.logspace(-4, 0, 13):
        for b in np.logspace(-4, 0, 13):
            trial = net.with_h((a, b, choice.h[2]))
            if np.abs(trial(x) - limit).max() <= 0.05:
                best = min(best, worst_time(trial, x, 0.05))
    # the search is local: a few percent either way
    assert choice.settling_time <= 1.03 * best


def test_the_curve_is_the_trade_off():
    choice = choose_h(XOR, X, max_error=0.1, y=Y, h_range=(1e-6, 0.1), n_points=6)
    curve = choice.curve
    np.testing.assert_allclose(curve.h, np.logspace(-6, -1, 6))
    limit = XOR.with_h(1e-30)(X)
    for h, error, time, accuracy in zip(
        curve.h, curve.error, curve.settling_time, curve.accuracy, strict=True
    ):
        assert error == pytest.approx(np.abs(XOR.with_h(h)(X) - limit).max())
        assert time == pytest.approx(worst_time(XOR.with_h(h), X, 0.1))
        assert accuracy == np.mean(XOR.with_h(h).predict(X) == Y)
    assert np.all(np.diff(curve.error) > 0)
    assert np.all(np.diff(curve.settling_time) < 0)
    assert min(choice.h) >= 1e-6
    assert max(choice.h) <= 0.1 * (1 + 1e-12)
    with pytest.raises(ValueError, match="read-only"):
        curve.h[0] = 1.0
    assert choose_h(XOR, X, max_error=0.1, n_points=3).curve.accuracy is None


def test_layers_whose_h_is_their_shape_are_left_alone():
    for shape in (cn.Tanh(h=0.25), cn.Sigmoid(h=1.0), cn.Normalized(h=0.05), Gauge(h=0.3)):
        net = cn.Network.random([2, 3, 2], seed=1, output=shape)
        x = [[0.5, 1.0], [1.5, 0.2]]
        choice = choose_h(net, x, max_error=0.05, n_points=5)
        assert choice.h[-1] == shape.h == choice.common.h[-1]
        limit = net.with_h((1e-30, shape.h))(x)
        assert np.abs(choice.network(x) - limit).max() <= 0.05
        assert choice.settling_time <= choice.common.settling_time
    with pytest.raises(
        cn.NetworkError, match=r"h is part of the function of all its activations \(Tanh\)"
    ):
        choose_h(cn.Network.random([2, 2, 1], cn.Tanh(), seed=0), [[1.0, 1.0]], max_error=0.1)


def test_a_reference_of_ones_own_and_one_h_for_all():
    own = XOR(X)
    choice = choose_h(XOR, X, max_error=0.02, reference=own)
    common = choice.common
    assert len(set(common.h)) == 1
    for found in (choice, common):
        error = np.abs(XOR.with_h(found.h)(X) - own).max()
        assert error == pytest.approx(found.error)
        assert error <= 0.02
    # the network's own h gives the reference exactly, so one at least as large is allowed
    assert common.h[0] >= XOR.h[0]


def test_the_envelope_certifies_choice_and_curve():
    choice = choose_h(XOR, X, max_error=0.1, bound="envelope", n_points=5)
    assert choice.bound == "envelope"
    assert choice.settling_time == pytest.approx(worst_time(choice.network, X, 0.1, "envelope"))
    assert (
        choice.settling_time
        < choice.common.settling_time
        < choose_h(XOR, X, max_error=0.1).common.settling_time
    )
    for h, time in zip(choice.curve.h, choice.curve.settling_time, strict=True):
        assert time == pytest.approx(worst_time(XOR.with_h(h), X, 0.1, "envelope"))
    timed = choose_h(XOR, X, max_time=20.0, tolerance=0.1, bound="envelope", n_points=5)
    assert timed.settling_time <= 20
    assert timed.error <= timed.common.error
    # the envelope is the sooner bound, so the same time leaves room for a smaller h
    assert timed.error < choose_h(XOR, X, max_time=20.0, tolerance=0.1, n_points=5).error


def test_only_layers_that_differ_may_meet_a_limit():
    # a common h is bounded by what the first layer may have; here both limits are those of a choice
    # by layer
    apart = choose_h(XOR, X, max_error=0.05)
    both = choose_h(XOR, X, max_error=0.05, max_time=apart.settling_time * 1.001)
    assert both.error <= 0.05
    assert both.settling_time <= apart.settling_time * 1.001
    assert both.common.error <= 0.05
    assert both.common.settling_time > apart.settling_time * 1.001


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "neither max_error nor max_time is given"),
        ({"max_error": 0.0}, r"max_error is 0.0; expected a finite number > 0"),
        ({"max_time": np.nan}, "max_time is nan"),
        ({"max_error": 0.1, "tolerance": -1}, "tolerance is -1"),
        (
            {"max_error": 1e-9},
            r"max_error is 1e-09; the smallest error found .* a smaller h than 1e-08",
        ),
        (
            {"max_time": 1.0},
            r"max_time is 1.0; the smallest settling time found .* a larger h than 1",
        ),
        (
            {"max_error": 0.01, "max_time": 50.0},
            "no h from 1e-08 to 1 was found that meets both: with that error the fastest settles"
            r" by t = 165.\d+, and by that time the smallest",
        ),
        ({"max_error": 0.01, "max_time": 1.0}, r"max_time is 1.0; the smallest settling time"),
        (
            {"max_error": 0.1, "h_range": (1.0, 1e-3)},
            "h_range is .*; expected the least and the largest h",
        ),
        ({"max_error": 0.1, "h_range": 0.1}, "h_range is 0.1"),
        ({"max_error": 0.1, "n_points": 1}, "n_points is 1; expected a whole number, 2 or more"),
        ({"max_error": 0.1, "y": [0, 1]}, r"y has shape \(2,\); expected \(4,\)"),
        ({"max_error": 0.1, "reference": [0, 1]}, r"reference has shape \(2,\); expected \(4, 1\)"),
        ({"max_error": 0.1, "reference": "own"}, "reference is 'own'; expected numbers"),
        (
            {"max_error": 0.1, "reference": [[0], [1], [np.inf], [0]]},
            "reference of sample 2, output 0: inf",
        ),
        ({"max_error": 0.1, "bound": "loose"}, "bound is 'loose'"),
    ],
)
def test_what_cannot_be_is_refused(options, message):
    with pytest.raises(cn.InputError, match=message):
        choose_h(XOR, X, n_points=options.pop("n_points", 5), **options)


def test_no_inputs_are_refused():
    with pytest.raises(cn.InputError, match="no inputs"):
        choose_h(XOR, np.empty((0, 2)), max_error=0.1)


def test_results_print_pickle_and_are_the_same_each_time():
    first, second = (choose_h(XOR, X, max_error=0.1, y=Y, n_points=5) for _ in range(2))
    assert first.h == second.h
    assert first.settling_time == second.settling_time
    assert repr(first) == repr(second) == repr(pickle.loads(pickle.dumps(first)))
    assert "settles by t =" in repr(first)
    assert "for all layers" in repr(first)
    assert repr(first.curve).startswith("TradeOff(5 points: h 1e-08 to 1, error")
