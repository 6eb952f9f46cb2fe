"""Choosing h: limits are kept, layers that may differ are never worse, and what cannot be met says
so.
"""

import pickle
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pytest
from support.tolerances import ROUNDED

import crn_nn_tellurium as cn
from crn_nn_tellurium.certificates.choice_of_h import choose_h
from crn_nn_tellurium.certificates.search_for_h import Aim, Search
from crn_nn_tellurium.fluctuations import NetworkNoise
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
        "PiecewiseLinear": np.maximum(z, 0),
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
    assert np.abs(choice.network(x) - limit).max() == pytest.approx(choice.error, abs=ROUNDED)
    assert choice.error <= max_error
    assert choice.h == choice.network.h
    assert choice.tolerance == max_error
    assert choice.accuracy == np.mean(choice.network.predict(x) == y)
    assert choice.settling_time == pytest.approx(worst_time(choice.network, x, max_error))
    # the last layer is linear, exact for every h: its own h is what a common one cannot give it
    # (the time hardly depends on it there, and scipy's versions end at other places)
    assert choice.h[-1] == pytest.approx(1.0, rel=0.01)
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
    again = choose_h(XOR, X, max_error=choice.error, tolerance=0.01)
    # the two ways of asking meet, as near as the search goes: 6e-7 when this was written
    assert again.settling_time == pytest.approx(60, rel=5e-6)


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
    assert max(choice.h) <= 0.1 * (1 + ROUNDED)
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


class TwoBounds:
    """Two layers whose settling times, in their points, are least elsewhere by the closed form than
    by the envelope: as `Trials`, of one input.
    """

    n_free = 2

    def __init__(self, bound):
        self.bound = bound

    def cheap_time(self, point):
        """Least at (-6, -2)."""
        return 1 + (point[0] + 6) ** 2 + (point[1] + 2) ** 2

    def time(self, point):
        """By the envelope, least at (-5, -3)."""
        if self.bound == "cheap":
            return self.cheap_time(point)
        return 1 + (point[0] + 5) ** 2 + (point[1] + 3) ** 2

    def error(self, point):
        return 0.5

    def hard_inputs(self):
        return {0}

    def worst_inputs(self, point):
        return {0}

    def at_inputs(self, chosen):
        return TwoBounds("cheap")


def test_what_the_closed_form_passes_on_its_way_is_asked_of_the_envelope():
    """By the envelope the best common h and what the closed form finds are three times as late as
    the point half way between.
    """
    points, aim = [(h, h) for h in (-8.0, -6.0, -4.0, -2.0, 0.0)], Aim("settling_time", 1.0)
    cheap, both = (Search(TwoBounds(bound), points, aim) for bound in ("cheap", "envelope"))
    # a run ends at steps of 1e-3 decades, of which several may be missing
    near = {"abs": 0.01}
    assert cheap.best == pytest.approx((-6.0, -2.0), **near)
    assert both.common == cheap.common == pytest.approx((-4.0, -4.0), **near)
    time = TwoBounds("envelope").time
    assert time(both.common) == pytest.approx(3, **near) == time(cheap.best)
    assert time(both.best) == pytest.approx(1, **near)


def test_only_layers_that_differ_may_meet_a_limit():
    # a common h is bounded by what the first layer may have; here both limits are those of a choice
    # by layer
    apart = choose_h(XOR, X, max_error=0.05)
    both = choose_h(XOR, X, max_error=0.05, max_time=apart.settling_time * 1.001)
    assert both.error <= 0.05
    assert both.settling_time <= apart.settling_time * 1.001
    assert both.common.error <= 0.05
    assert both.common.settling_time > apart.settling_time * 1.001


def test_results_print_pickle_and_are_the_same_each_time():
    first, second = (choose_h(XOR, X, max_error=0.1, y=Y, n_points=5) for _ in range(2))
    assert first.h == second.h
    assert first.settling_time == second.settling_time
    assert repr(first) == repr(second) == repr(pickle.loads(pickle.dumps(first)))
    assert f", accuracy {first.accuracy:.3g}, settles by t =" in repr(first)
    assert f", accuracy {first.common.accuracy:.3g}, settles by t =" in repr(first.common)
    without = choose_h(XOR, X, max_error=0.1, n_points=5)
    assert f"error {without.error:.3g}, settles by t =" in repr(without)
    assert "for all layers" in repr(first)
    assert repr(first.curve).startswith("TradeOff(5 points: h 1e-08 to 1, error")


def test_at_a_volume_the_error_is_the_root_of_its_mean_square():
    volume = 5000.0
    choice = choose_h(XOR, X, max_error=0.15, y=Y, volume=volume, n_points=5)
    noise = cn.noise(choice.network, X, volume=volume)
    off = noise.mean - XOR.with_h([1e-30, XOR.h[1]])(X)
    wanted = np.sqrt(off**2 + noise.standard_deviation**2).max()
    # the engine's steady state and the closed form's
    assert choice.error == pytest.approx(wanted, rel=1e-9)
    assert choice.error <= 0.15
    assert choice.noise == pytest.approx(noise.standard_deviation.max(), rel=ROUNDED)
    assert choice.doubtful_species == len(noise.doubts)
    right = noise.probabilities[np.arange(4), np.asarray(Y)]
    assert choice.accuracy == pytest.approx(right.mean(), rel=ROUNDED)
    frame = choice.to_frame()
    assert list(frame) == ["error", "settling_time", "accuracy", "noise", "doubtful_species"]
    assert "with noise" in repr(choice)
    ends = (f"{choice.curve.noise[i]:.3g}" for i in (0, -1))
    assert f", noise {' to '.join(ends)}, settling time" in repr(choice.curve)
    assert "molecules at 1" in choice._repr_html_()
    # so many molecules that there is no noise
    many, none = (choose_h(XOR, X, max_error=0.15, volume=v, n_points=5) for v in (1e14, None))
    # variances of 1e-14 or so beside an error of 0.15, squared
    assert many.h == pytest.approx(none.h, rel=1e-10)
    # and their roots, where without noise there is no error
    np.testing.assert_allclose(many.curve.error, none.curve.error, rtol=0, atol=1e-7)
    assert none.noise is none.volume is none.curve.noise is None


def test_each_point_at_a_volume_has_one_covariance(monkeypatch):
    solve, found = NetworkNoise.covariance.func, []

    def counted(self):
        found.append((self.kinetics.net.h, len(self.states[0].drive[0])))
        return solve(self)

    own = cached_property(counted)
    own.__set_name__(NetworkNoise, "covariance")
    monkeypatch.setattr(NetworkNoise, "covariance", own)
    choose_h(XOR, X, max_error=0.15, y=Y, volume=5000.0, n_points=9)
    assert len({h for h, _ in found}) > 9
    # the two that are chosen are asked for again at the end
    assert len(set(found[:-2])) == len(found[:-2])


def test_of_few_molecules_a_small_h_makes_the_error_larger_again():
    curve = choose_h(XOR, X, max_error=0.2, volume=1000, n_points=9).curve
    best = int(curve.error.argmin())
    assert 0 < best < len(curve.h) - 1
    # with h = 1e-8, units that are off have no molecules most of the time, and are late to notice
    assert curve.error[0] > 3 * curve.error[best]
    assert curve.doubtful_species[0] > 0 == curve.doubtful_species[-1]
