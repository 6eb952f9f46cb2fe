"""Covariances level by level against scipy's dense equation, in one run, as networks grow."""

import numpy as np
import pytest
from scipy.linalg import solve_continuous_lyapunov
from support.timing import cpu_seconds

import crn_nn_tellurium as cn
from crn_nn_tellurium.fluctuations import NetworkNoise
from crn_nn_tellurium.kinetics import NetworkKinetics

pytestmark = pytest.mark.slow  # times are for idle machines


def by_levels(kinetics, states):
    return NetworkNoise(kinetics, states).output_covariance


def dense(crn, x, held):
    jacobian, changes = crn.jacobian(x, held).toarray(), crn.stoichiometry.toarray()
    return solve_continuous_lyapunov(jacobian, -(changes * crn.rates(x, held)) @ changes.T)


@pytest.mark.parametrize(("depth", "width"), [(2, 10), (4, 20), (8, 20), (2, 100)])
def test_levels_against_the_dense_equation(depth, width, record_property):
    net = cn.Network.random([5, *[width] * depth, 3], cn.SmoothedReLU(h=0.1), seed=0)
    kinetics, x = NetworkKinetics(net), np.random.default_rng(0).uniform(0, 1, (10, 5))
    states, crn = kinetics.settle(x), cn.to_reactions(net)
    settled = np.concatenate([state.concentrations[0].ravel() for state in states])
    held = net.input_coding.code(x[:1]).ravel()
    ours = cpu_seconds(lambda: by_levels(kinetics, states)) / len(x)
    peer = cpu_seconds(lambda: dense(crn, settled, held))
    record_property("ratio", peer / ours)
    print(f"{depth} x {width}: {ours * 1e3:.3f} ms a sample, dense {peer / ours:.0f} times that")
    assert ours < peer


def test_digits_take_less_than_10_ms_a_sample():
    """Steady states by the engine, covariance and mean: on an idle machine 0.3 ms."""
    sim, X = cn.Simulator(cn.load_model("digits")).compile(), cn.model_data("digits")[1][:100]
    cn.noise(sim, X, volume=1e4)
    took = cpu_seconds(lambda: cn.noise(sim, X, volume=1e4)) / len(X)
    print(f"digits: {took * 1e3:.3f} ms a sample")
    # the 10 ms that were asked for
    assert took < 10e-3
