"""Noise on rate constants: the factors, and accuracy under them."""

import numpy as np
import pytest
from scipy import stats

import crn_nn_tellurium as cn
from crn_nn_tellurium.kinetics.network import NetworkKinetics
from crn_nn_tellurium.kinetics.rate_errors import draw_factors, perturbed_outputs


def test_factors_are_lognormal_with_the_stated_coefficient_of_variation(rng):
    kinetics = NetworkKinetics(cn.Network.random([100, 100, 2], seed=0))
    first, _ = draw_factors(kinetics, 0.3, rng)
    logs = np.log(first.weights.ravel())
    # 10,000 draws: a p-value below 1e-3 would be a one in a thousand accident, and the seed is
    # fixed
    assert stats.kstest(logs, stats.norm(0, np.sqrt(np.log(1.09))).cdf).pvalue > 1e-3
    assert np.isclose(first.weights.std() / first.weights.mean(), 0.3, rtol=0.05)


def test_rails_that_share_a_constant_share_its_factor(rng):
    net = cn.Network.random([2, 3, 1], cn.Linear(h=0.1), seed=0)
    for part in draw_factors(NetworkKinetics(net), 0.5, rng):
        np.testing.assert_array_equal(part.bias[:, 0], part.bias[:, 1])
    shifted = cn.Network.random([2, 3, 1], cn.ClippedReLU(h=0.1), seed=0)
    assert np.all(np.ptp(draw_factors(NetworkKinetics(shifted), 0.5, rng)[0].bias, axis=1) > 0)


def test_no_noise_changes_nothing(rng):
    net, x = cn.load_model("iris"), cn.model_data("iris")[1]
    kinetics = NetworkKinetics(net)
    np.testing.assert_allclose(
        perturbed_outputs(kinetics, x, draw_factors(kinetics, 0.0, rng)), net(x), rtol=1e-12
    )


def test_accuracy_falls_with_noise_and_repeats_with_its_seed():
    net, (_, x, _, y) = cn.load_model("iris"), cn.model_data("iris")
    found = cn.accuracy_under_noise(net, x, y, noise=[0.0, 1.0], draws=10)
    assert found.shape == (2, 10)
    assert found[0].mean() == 1.0
    assert found[1].mean() < 0.9
    np.testing.assert_array_equal(
        found, cn.accuracy_under_noise(net, x, y, noise=[0.0, 1.0], draws=10)
    )


def test_errors_say_what_is_wrong():
    net, (_, x, _, y) = cn.load_model("xor"), cn.model_data("xor")
    for arguments, options, message in (
        ((net, x, y[:2]), {}, r"expected \(n_samples, 2\)"),
        ((net, x, y), {"draws": 0}, "draws is 0"),
        ((net, x, y), {"noise": [-0.1]}, "noise is -0.1"),
        ((net, x, ["0", "1", "1", "0"]), {}, "y holds '0', '1'; expected"),
        ((net, x[:0], y[:0]), {}, "no labels"),
    ):
        with pytest.raises(cn.InputError, match=message):
            cn.accuracy_under_noise(*arguments, **options)
