"""Steady states at the edges of double precision, against fifty digits: each species by itself, and
outputs within the error that they state.
"""

import pickle
from decimal import Decimal, localcontext
from itertools import pairwise

import numpy as np
import pytest

import crn_nn_tellurium as cn

DRIVES = np.concatenate([[0.0], *(sign * np.geomspace(1e-8, 1e8, 9) for sign in (1, -1))])
KINDS = [cn.SmoothedReLU, cn.Linear, cn.LeakyReLU, cn.Sigmoid, cn.Tanh, cn.Normalized]
# a state is taken at 1e-12 of each species given the others, whose own rounding is 64 eps; what
# follows two rails has their errors besides
ACCURACY = 3.1e-12


def root(z, h):
    """sigma_h(z) of Decimals, without cancellation."""
    size = (z * z + 4 * h).sqrt()
    return (z + size) / 2 if z >= 0 else 2 * h / (size - z)


def exact_layer(layer, read):
    """Species (by unit) and outputs of a layer for exact values read, as Decimals."""
    activation = layer.activation
    h, units = Decimal(activation.h), []
    for weights, bias in zip(layer.weights.tolist(), layer.bias.tolist(), strict=True):
        z = sum((Decimal(w) * r for w, r in zip(weights, read, strict=True)), Decimal(bias))
        rails = [root(rail.sign * z, h) for rail in activation.rails]
        units.append(rails)
    if isinstance(activation, cn.Normalized):
        total = sum(y for (y,) in units)
        units = [[y, y / total] for (y,) in units]
    elif isinstance(activation, cn.Sigmoid | cn.Tanh):
        units = [[p, n, p / (p + n)] for p, n in units]
    terms, places = activation.read_out, activation.species
    outputs = [
        Decimal(terms.constant) + sum(Decimal(c) * unit[places.index(s)] for s, c in terms.terms)
        for unit in units
    ]
    return [y for unit in units for y in unit], outputs


def exact(net, x):
    """Species and outputs of a network for one input."""
    with localcontext() as context:
        context.prec = 50
        species, read = [], [Decimal(value) for value in x]
        for layer in net.layers:
            own, read = exact_layer(layer, read)
            species += own
    return species, read


def off(found, expected):
    """|found - expected|, of Decimals, to full accuracy."""
    with localcontext() as context:
        context.prec = 50
        pairs = zip(found.tolist(), expected, strict=True)
        return np.array([float(abs(Decimal(value) - right)) for value, right in pairs])


def single(kind, h):
    weights = [[1.0], [0.5]] if kind is cn.Normalized else [[1.0]]
    return cn.Network([cn.Layer(weights, activation=kind(h=h))], inputs="signed")


@pytest.mark.parametrize("method", ["units", "flat", "integrate"])
@pytest.mark.parametrize("kind", KINDS)
def test_each_species_is_right_by_itself(kind, method):
    for h in (1e-16, 1e-11, 1e-6, 1e-2, 1.0):
        net = single(kind, h)
        steady = cn.Simulator(net).steady_state(DRIVES[:, None], method=method, on_error="nan")
        error = steady.error
        for i, z in enumerate(DRIVES):
            if steady.status[i].failed:
                # P comes to rest at the rate of sum y = h / |z|, and is waited for until t = 1e18
                assert (kind, method) == (cn.Normalized, "integrate")
                assert h / -z < 1e-16
                continue
            species, outputs = exact(net, [z])
            assert np.all(
                off(steady.concentrations[i], species) <= ACCURACY * steady.concentrations[i]
            )
            assert np.all(off(steady.outputs[i], outputs) <= error[i])


def test_a_species_far_below_the_rest_is_right():
    """S was 309 times too large here, with a residual of 0.99, and called solved."""
    net = single(cn.Sigmoid, 2.9e-11)
    steady = cn.Simulator(net).steady_state([[-6e7]])
    assert (steady.status[0], steady.residual[0] < 1e-12) == ("solved", True)
    # h / z^2
    np.testing.assert_allclose(steady["y0"], 2.9e-11 / 6e7**2, rtol=1e-12)


@pytest.mark.parametrize("seed", range(12))
def test_outputs_of_deep_networks_are_within_their_errors(seed):
    """Weights over eight decades cancel: the error grows through the layers, and so does what is
    stated of it, not without bound.
    """
    rng = np.random.default_rng(seed)
    sizes = [2, *rng.integers(2, 5, 2).tolist(), 2]
    layers = []
    for n_in, n_out in pairwise(sizes):
        weights = rng.normal(size=(n_out, n_in)) * 10 ** rng.uniform(-4, 4, (n_out, n_in))
        kind, h = KINDS[rng.integers(len(KINDS))], float(10 ** rng.uniform(-12, 0))
        layers.append(cn.Layer(weights, rng.normal(size=n_out), kind(h=h)))
    net = cn.Network(layers, inputs="signed")
    x = rng.normal(size=(5, 2))
    steady = cn.Simulator(net).steady_state(x)
    for i, row in enumerate(x):
        found = off(steady.outputs[i], exact(net, row)[1])
        assert np.all(found <= steady.error[i])


def test_the_error_of_a_difference_says_that_its_digits_are_gone():
    """y = 10 + z/2 - (10 - z/2) at z = 1e-13: two rails to 1e-15 each leave no digit of it."""
    net = single(cn.Linear, 100.0)
    steady = cn.Simulator(net).steady_state([[1e-13], [1.0]])
    assert steady.error[0, 0] > 1e-13
    assert 1e-15 < steady.error[1, 0] < 1e-11
    frame = steady.to_frame()
    np.testing.assert_array_equal(frame["y0_error"], steady.error[:, 0])
    assert frame["status"].tolist() == ["solved", "solved"]
    assert "largest error of an output" in repr(steady)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(steady)).error, steady.error)
    units = cn.PhysicalUnits(c0=10, tau=1)
    np.testing.assert_allclose(steady.in_units(units).error, 10 * steady.error, rtol=1e-15)
