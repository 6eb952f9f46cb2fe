"""Vectors of parameters and losses: small parts of gradients and training."""

import numpy as np
import pytest
from scipy.special import log_softmax, softmax
from support import networks
from support.tolerances import LAST_DIGIT, ROUNDED, SOLVED, SUMMED

import crn_nn_tellurium as cn
from crn_nn_tellurium.networks.losses import encode_targets, resolve_loss
from crn_nn_tellurium.networks.parameter_vector import from_vector, parameters, to_vector
from crn_nn_tellurium.sensitivity.finite_differences import central_difference
from crn_nn_tellurium.training.objective import Coordinates

CORPUS = networks.corpus()
IDS = [case.name for case in CORPUS]


@pytest.mark.parametrize("case", CORPUS, ids=IDS)
def test_a_network_is_its_vector(case):
    vector = to_vector(case.net)
    assert len(vector) == len(parameters(case.net))
    assert from_vector(case.net, vector) == case.net
    assert to_vector(from_vector(case.net, vector + 0.5)) == pytest.approx(vector + 0.5)


@pytest.mark.parametrize("case", CORPUS, ids=IDS)
def test_coordinates_are_the_rate_constants(case):
    coordinates = Coordinates(case.net)
    again = coordinates.network(coordinates.start)
    np.testing.assert_allclose(to_vector(again), to_vector(case.net), rtol=ROUNDED, atol=SUMMED)
    crn = cn.to_reactions(case.net)
    drives = [
        value
        for k, value in zip(crn.rate_constants, crn.constants, strict=True)
        if k.startswith("k") and not k.startswith("kb")
    ]
    sizes = np.abs(coordinates.start[coordinates.is_weight])
    assert np.isclose(sizes.max(), max(drives, default=0.0), rtol=ROUNDED)


@pytest.mark.parametrize("case", networks.real(), ids=lambda case: case.name)
def test_gradients_by_coordinates_are_differences_of_the_loss(case, rng):
    """In a random direction, h included."""
    coordinates = Coordinates(case.net, cn.Constraints(h_bounds=(1e-9, 1.0)))
    targets = rng.normal(size=(len(case.x), case.net.n_out))
    by_parameter = cn.gradient(case.net, case.x, targets)
    parts = zip(by_parameter.weights, by_parameter.biases, by_parameter.h, strict=True)
    found = coordinates.gradient(coordinates.numbers(coordinates.start), list(parts))
    way = rng.normal(size=len(found))

    def loss(step):
        outputs = coordinates.network(coordinates.start + step * way)(case.x)
        return np.array([np.square(outputs - targets).sum(axis=1).mean()])

    expected = central_difference(loss, 1e-3)
    assert abs(found @ way - expected.value[0]) <= expected.error[0] + SOLVED * abs(found @ way)


@pytest.mark.parametrize("case", CORPUS[::4], ids=IDS[::4])
def test_thinned_networks_keep_the_largest_rate_constants(case):
    coordinates = Coordinates(case.net)
    sizes = np.abs(coordinates.start[coordinates.is_weight])
    n_kept = len(sizes) // 2
    thinned = coordinates.thinned(coordinates.start, n_kept)
    assert thinned.n_weights == min(n_kept, case.net.n_weights)
    found = Coordinates(thinned)
    left = np.sort(np.abs(found.start[found.is_weight]))[::-1][:n_kept]
    np.testing.assert_allclose(left, np.sort(sizes)[::-1][:n_kept], rtol=ROUNDED)


@pytest.mark.parametrize("case", CORPUS[::4], ids=IDS[::4])
def test_bounds_hold_for_every_rate_constant(case, rng):
    coordinates = Coordinates(case.net, cn.Constraints(10.0, h_bounds=(1e-6, 1.0)))
    low, high = np.array(coordinates.bounds).T
    for theta in (low, high, rng.uniform(low, high)):
        assert cn.to_reactions(coordinates.network(theta)).constants.max() <= 10.0 * (1 + ROUNDED)


def test_values_of_the_named_losses():
    linear = cn.Network([cn.Layer(np.eye(3), activation=cn.Linear())])
    y = np.array([[2.0, 1.0, -1.0], [0.0, 3.0, 2.5]])

    def value(name, net, outputs, labels):
        loss = resolve_loss(name, net)
        return loss.function(outputs, encode_targets(loss, net, labels, len(outputs)))

    shares = np.exp(y) / np.exp(y).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(
        value("cross_entropy", linear, y, [0, 2]), -np.log(shares[[0, 1], [0, 2]])
    )
    np.testing.assert_allclose(value("hinge", linear, y, [0, 2]), [0.0 + 0.0, 0.0 + 1.5])
    np.testing.assert_allclose(
        value("squared_error", linear, y, np.ones((2, 3))), [5.0, 1 + 4 + 2.25]
    )
    normalized = cn.Network([cn.Layer(np.eye(3), activation=cn.Normalized())])
    np.testing.assert_allclose(
        value("cross_entropy", normalized, shares, [0, 2]), -np.log(shares[[0, 1], [0, 2]])
    )
    single = cn.Network([cn.Layer([[1.0]], activation=cn.Linear())], class_names=["off", "on"])
    odds = np.array([[2.5], [0.5]])  # a linear output decides at 0.5
    expected = -np.log([1 / (1 + np.exp(-2.0)), 0.5])
    np.testing.assert_allclose(value("cross_entropy", single, odds, ["on", "off"]), expected)
    np.testing.assert_allclose(value("hinge", single, odds, ["on", "off"]), [0.0, 1.0])
    sigmoid = cn.Network([cn.Layer([[1.0]], activation=cn.Sigmoid())])
    p = np.array([[0.8], [1.0]])
    found = value("cross_entropy", sigmoid, p, [1, 1])
    np.testing.assert_allclose(found, [-np.log(0.8), 0.0], atol=LAST_DIGIT)
    assert np.isfinite(value("cross_entropy", sigmoid, p, [1, 0])).all()


def test_cross_entropy_of_a_softmax_is_scipys_at_any_size():
    net = cn.Network([cn.Layer(np.eye(3), activation=cn.Linear())])
    loss = resolve_loss("cross_entropy", net)
    # beyond 709 an exponential by itself would overflow, and a share is 0 beside the others
    y = np.array([[0.3, -1.0, 2.0], [800.0, -800.0, 1.0], [1e300, 0.0, 5.0]])
    targets = np.array([[0.2, 0.5, 0.3], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    expected = -(targets * log_softmax(y, axis=1)).sum(axis=1)
    # a sum of three terms, in another order
    np.testing.assert_allclose(loss.function(y, targets), expected, rtol=1e-13)
    np.testing.assert_allclose(
        loss.derivative(y, targets), softmax(y, axis=1) - targets, rtol=SUMMED, atol=LAST_DIGIT
    )
    for one, other in zip(
        loss.both(y, targets), (loss.function(y, targets), loss.derivative(y, targets)), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_weights_come_first_then_biases_then_h():
    net = cn.Network.random([2, 1], seed=0)
    assert [p.id for p in parameters(net)] == ["w1_0_0", "w1_0_1", "b1_0", "h1"]
