"""Random errors of rate constants: the factors, and that all who draw them draw the same."""

import numpy as np
from scipy import stats
from support.tolerances import ROUNDED, SOLVED

import crn_nn_tellurium as cn
from crn_nn_tellurium.kinetics.network import NetworkKinetics
from crn_nn_tellurium.kinetics.rate_errors import perturbed_outputs


def factors(net, cv, draw=0, seed=0):
    return cn.RateErrors(cv, draws=1, seed=seed).factors(NetworkKinetics(net), cv, draw)


def test_factors_are_lognormal_with_the_stated_coefficient_of_variation():
    first, _ = factors(cn.Network.random([100, 100, 2], seed=0), 0.3)
    logs = np.log(first.weights.ravel())
    # 10,000 draws: a p-value below 1e-3 would be a one in a thousand accident, and the seed is
    # fixed
    assert stats.kstest(logs, stats.norm(0, np.sqrt(np.log(1.09))).cdf).pvalue > 1e-3
    # a standard deviation of 10,000 draws is within 1 %, of a long tail somewhat more
    assert np.isclose(first.weights.std() / first.weights.mean(), 0.3, rtol=0.05)


def test_rails_that_share_a_constant_share_its_factor():
    for part in factors(cn.Network.random([2, 3, 1], cn.Linear(h=0.1), seed=0), 0.5):
        np.testing.assert_array_equal(part.bias[:, 0], part.bias[:, 1])
    shifted = cn.Network.random([2, 3, 1], cn.ClippedReLU(h=0.1), seed=0)
    assert np.all(np.ptp(factors(shifted, 0.5)[0].bias, axis=1) > 0)


def test_no_noise_changes_nothing():
    net, x = cn.load_model("iris"), cn.model_data("iris")[1]
    found = perturbed_outputs(NetworkKinetics(net), x, factors(net, 0.0))
    np.testing.assert_allclose(found, net(x), rtol=ROUNDED)


def test_draws_grow_with_their_size_and_differ_by_number_layer_and_seed():
    net = cn.Network.random([3, 3, 3], seed=0)
    small, large = (np.log(factors(net, cv)[0].weights) for cv in (0.1, 0.3))
    np.testing.assert_allclose(large / small, np.sqrt(np.log(1.09) / np.log(1.01)), rtol=ROUNDED)
    own = factors(net, 0.1)
    others = [own[1], factors(net, 0.1, draw=1)[0], factors(net, 0.1, seed=1)[0]]
    assert all(not np.any(other.weights == own[0].weights) for other in others)


def test_seeds_are_of_any_size_as_those_of_scans():
    net, x, seed = cn.load_model("xor"), [[0.0, 1.0]], 2**40
    ds = cn.scan(net, cn.lognormal(0.2, draws=1, seed=seed), x=x, outputs=["outputs"])
    kinetics, errors = NetworkKinetics(net), cn.RateErrors(0.2, draws=1, seed=seed)
    assert errors.seed == seed
    found = perturbed_outputs(kinetics, np.array(x), errors.factors(kinetics, 0.2, 0))
    # roadrunner's steady states are solved to 1e-12
    np.testing.assert_allclose(found.ravel(), ds.outputs.values.ravel(), rtol=1e-9)


def test_robustness_a_scan_and_training_draw_the_same_errors():
    """Draw by draw: accuracies, and for training the mean loss over the draws."""
    _, x, _, y = cn.model_data("moons")
    x, y = x[::10], y[::10]
    net, errors = cn.load_model("moons"), cn.RateErrors(cv=0.2, draws=6, seed=3)
    ds = cn.scan(net, cn.lognormal(0.2, draws=6, seed=3), x=x, y=y, outputs=["outputs", "accuracy"])
    report = cn.robustness(net, x, y, errors)
    np.testing.assert_array_equal(report.noisy[0], ds.accuracy.values)
    assert len(np.unique(report.noisy)) > 1
    target = np.linspace(0, 1, len(x))[:, None]
    losses = np.square(ds.outputs.transpose("draw", "sample", "output").values - target)
    # steps too small to matter, so that each epoch's loss is that of its draws, three at a time
    adam = cn.Adam(max_iter=2, learning_rate=1e-15, batch_size=len(x))
    noise = cn.RateErrors(cv=0.2, draws=3, seed=3)
    records = cn.fit(net, x, target, optimizer=adam, noise=noise).records
    # roadrunner's steady states are solved to 1e-12
    for record, part in zip(records, (losses[:3], losses[3:]), strict=True):
        assert np.isclose(record.loss, part.mean(), rtol=SOLVED)
    # the draws are other ones, whose losses are apart by far more than steady states' errors
    assert not np.isclose(records[0].loss, records[1].loss, rtol=1e-3)
