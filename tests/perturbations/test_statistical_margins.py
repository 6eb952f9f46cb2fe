"""Margins of random errors: by draws of whoever counts them, and by those of another seed."""

import numpy as np
import pytest
from scipy.stats import binomtest
from support.trajectories import settle_with

import crn_nn_tellurium as cn
from crn_nn_tellurium.kinetics import factors_by_name
from crn_nn_tellurium.perturbations.statistical_margins import _numbers_of_wrong

XOR = cn.load_model("xor")
CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])


def share_right(net, x, cv, draws, seed=0):
    """Share of the draws in which a sample keeps its class."""
    names = [f"k_{reaction.id}" for reaction in cn.to_reactions(net, x).reactions]
    factors = np.stack([factors_by_name(names, cv, draw, seed) for draw in range(draws)])
    outputs, _ = settle_with(net, x, factors)
    return np.mean(net.classify(outputs) == net.predict(x[None]))


def test_at_the_margin_the_same_draws_are_right_as_often_as_asked():
    found = cn.statistical_margin(XOR, CORNERS, draws=400)
    for x, margin in zip(CORNERS[:2], found.margins[:2], strict=True):
        assert share_right(XOR, x, margin, 400) >= 0.99
        assert share_right(XOR, x, 1.2 * margin, 400) < 0.99


@pytest.mark.parametrize(("name", "sample"), [("xor", 1), ("iris", 0)])
def test_draws_of_another_seed_agree_within_the_bounds(name, sample):
    net, x = cn.load_model(name), cn.model_data(name)[1][sample]
    found = cn.statistical_margin(net, x, draws=500)
    assert found.lower <= found.margins <= found.upper
    # bounds hold in 95 of 100 seeds, and a second set of draws has an error of its own: at these cv
    # shares of 99 % that are neither surely above nor surely below are ruled out
    low, high = (
        binomtest(round(500 * share_right(net, x, cv, 500, seed=1)), 500).proportion_ci(0.99)
        for cv in (found.lower, found.upper)
    )
    assert low.high > 0.99 > high.low


def test_numbers_of_wrong_draws_are_those_of_clopper_and_pearson():
    for confidence, draws in ((0.99, 1000), (0.9, 100), (0.5, 7)):
        least, middle, most = _numbers_of_wrong(confidence, draws)
        assert least < middle < most
        assert (draws - middle) / draws >= confidence > (draws - middle - 1) / draws
        bounds = [
            binomtest(draws - wrong, draws).proportion_ci(0.95, method="exact")
            for wrong in (least, least + 1, most, most + 1)
        ]
        assert bounds[0].low >= confidence > bounds[1].low
        assert bounds[2].high >= confidence > bounds[3].high


def test_draws_that_come_some_at_a_time_are_the_same(monkeypatch):
    whole = cn.statistical_margin(XOR, CORNERS[:2], draws=400)
    name = "crn_nn_tellurium.perturbations.statistical_margins."
    monkeypatch.setattr(name + "_TOGETHER", 500)
    monkeypatch.setattr(name + "_NUMBERS", 0)
    parts = cn.statistical_margin(XOR, CORNERS[:2], draws=400)
    np.testing.assert_array_equal(parts.margins, whole.margins)
    np.testing.assert_array_equal(parts.upper, whole.upper)


def test_up_to_the_limit_nothing_is_too_large():
    net = cn.Network([cn.Layer([[1.0], [0.0]], [0.0, -1.0], cn.SmoothedReLU(h=1e-6))])
    found = cn.statistical_margin(net, [1.0], confidence=0.5, draws=10, limit=0.5)
    assert (found.margins, found.lower, found.upper) == (0.5, 0.5, np.inf)


def test_a_sample_on_the_fence_bears_nothing():
    """Both outputs are equal: every other draw gives the other class."""
    net = cn.Network([cn.Layer([[1.0], [1.0]], activation=cn.SmoothedReLU(h=0.01))])
    found = cn.statistical_margin(net, [1.0], draws=400)
    assert found.margins == 0.0 == found.lower
    # below it nothing is tried any more
    assert found.upper < 1e-9
