"""Weights that cannot be seen: which go, what that changes, and that nothing else does."""

import numpy as np
import pytest
from scipy import sparse
from support import networks
from support.tolerances import ROUNDED

import crn_nn_tellurium as cn

CORPUS = networks.corpus()
SCALED = [c for c in networks.standard() if c.net.inputs == "scaled" and "hidden" in c.name]


def test_the_smallest_together_stay_within_the_budget():
    """The drive may move by 2 sqrt(h) tolerance = 0.02; inputs are 5 at most."""
    weights, bias = [[1.0, 0.001, -0.002, 0.003]], [-0.004]
    net = cn.Network(
        [cn.Layer(weights, bias, cn.SmoothedReLU(h=0.01))],
        inputs="scaled",
        input_range=(-5.0, 1.0),
    )
    # in order of size: 0.004 (bias), 0.005, 0.010, 0.015
    for tolerance, kept in ((0.019, 5), (0.021, 4), (0.046, 3), (0.096, 2), (0.171, 1)):
        found = net.pruned(tolerance).layers[0]
        assert found.n_weights + np.count_nonzero(found.bias) == kept, tolerance
    assert net.pruned(0.0) == net


def test_without_a_range_weights_are_compared_with_the_largest_of_their_unit():
    net = cn.Network([cn.Layer([[1.0, 1e-3], [1e-3, 1e-3], [0.0, 0.0]], [1e-9, 1.0, 0.0])])
    found = net.pruned(2e-3).layers[0]
    assert found.weights.tolist() == [[1.0, 0.0], [1e-3, 1e-3], [0.0, 0.0]]
    # a bias has no value of unknown size: 1e-9 is below 2 sqrt(0.01) 2e-3
    assert found.bias.tolist() == [0.0, 1.0, 0.0]
    small = net.pruned(2e-3, x=[[0.1, 0.0], [0.0, -0.1]] * np.array([1, -1]))
    assert small.layers[0].weights.tolist() == [[1.0, 0.0], [0.0, 0.0], [0.0, 0.0]]


def with_dust(net, rng):
    """The network with weights of 1e-30 where there are none, and biases of 1e-40."""
    layers = [
        cn.Layer(
            np.where(rng.random(layer.weights.shape) < 0.3, 1e-30, layer.weights),
            np.where(rng.random(layer.n_out) < 0.3, 1e-40, layer.bias),
            layer.activation,
            layer.inputs,
            layer.name,
        )
        for layer in net.layers
    ]
    return cn.Network(layers, net.inputs, net.input_range)


@pytest.mark.parametrize("case", networks.standard(), ids=lambda case: case.name)
def test_dust_is_gone_and_the_answers_are_the_same(case, rng):
    dusty = with_dust(case.net, rng)
    found = dusty.pruned(x=case.x)
    for layer in found.layers:
        for numbers in (layer.weights, layer.bias):
            assert np.abs(numbers[numbers != 0]).min(initial=1.0) > 1e-20
    # terms of 1e-30 are lost in the rounding of the others, which sum in the same order
    np.testing.assert_allclose(found(case.x), dusty(case.x), rtol=1e-15, atol=1e-15)
    assert found.pruned(x=case.x) == found


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.name)
def test_what_can_be_seen_stays(case):
    assert case.net.pruned() == case.net


@pytest.mark.parametrize("tolerance", [1e-3, 0.3])
@pytest.mark.parametrize("case", SCALED, ids=lambda case: case.name)
def test_concentrations_change_by_the_tolerance_at_most(case, tolerance, rng):
    """Of the first layer, at every corner of the inputs' range and at its middle."""
    layer = case.net.layers[0]
    n_in, rails = layer.n_in, len(layer.activation.rails)
    weights = layer.weights * 10 ** rng.uniform(-6, 0, layer.weights.shape)
    net = cn.Network(
        [cn.Layer(weights, layer.bias, layer.activation)], "scaled", case.net.input_range
    )
    found = net.pruned(tolerance)
    assert found.n_weights < net.n_weights
    low, high = np.array(net.input_range)
    corners = np.array(np.meshgrid(*[[0.0, 0.5, 1.0]] * n_in)).reshape(n_in, -1).T
    before, after = (
        layer.activation.concentrations(one.layers[0].pre_activation(low + corners * (high - low)))
        for one in (net, found)
    )
    ratio = np.abs(np.log(after[..., :rails] / before[..., :rails])).max()
    assert 0 < ratio <= tolerance * (1 + ROUNDED)


def test_a_sparse_matrix_stays_sparse():
    dense = np.array([[1.0, 1e-30, 0.0], [0.0, 2.0, 3.0]])
    net = cn.Network([cn.Layer(sparse.csr_array(dense)), cn.Layer([[1.0, 1e-40]])])
    first, second = net.pruned().layers
    assert (first.weights.nnz, first.weights.toarray()[0].tolist()) == (3, [1.0, 0.0, 0.0])
    assert second.weights.tolist() == [[1.0, 0.0]]
    assert len(cn.to_reactions(net).reactions) - len(cn.to_reactions(net.pruned()).reactions) == 2


def test_layers_that_read_bounded_values_know_their_range():
    """A sigmoid's value is 1 at most, whatever its inputs; a Tanh's reaches from -1 to 1."""
    for activation in (cn.Sigmoid(), cn.Tanh(), cn.Normalized()):
        layers = [
            cn.Layer([[1.0], [2.0]], activation=activation),
            cn.Layer([[1e-20, 1e-20]], [1.0], cn.Linear(h=0.01)),
        ]
        assert cn.Network(layers, "signed").pruned().n_weights == 2
