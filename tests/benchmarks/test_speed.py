"""Speed against a peer in the same run, and how cost grows. Numbers: `crn-nn bench`, or pytest -m
slow here.

Ratios are asserted, seconds are not.
"""

import numpy as np
import pytest

import crn_nn_tellurium as cn
from crn_nn_tellurium.commands import benchmarks
from crn_nn_tellurium.importers import antimony_to_sbml
from crn_nn_tellurium.simulation.engine import CompiledModel, clear_cache

pytestmark = pytest.mark.slow  # times are for idle machines


def test_xor_against_the_usual_script():
    batch, single = benchmarks.xor_rows(points=3)
    assert batch.ratio > 3000
    assert single.ratio > 300  # a call has its own cost, some 0.2 ms


def test_digits_against_the_usual_script():
    """Minutes for the usual script, from network to first answer."""
    first, _ = benchmarks.digits_rows(usual=True)
    assert first.ratio > 100


def test_mnist_size_agrees_with_the_closed_form():
    net = cn.Network.random(
        [784, 128, 64, 10], cn.SmoothedReLU(h=1e-3), seed=0, output=cn.Linear(h=1e-3)
    )
    x = np.random.default_rng(1).random((5, 784))
    steady, expected = cn.Simulator(net).steady_state(x), net(x)
    assert np.all(np.abs(steady.outputs - expected) <= 1e-9 * (np.abs(expected) + np.sqrt(1e-3)))


def test_cost_grows_with_the_weights_and_compiling_does_not():
    costs = {(c.n_in, c.n_out): c for c in benchmarks.cost_against_size((32, 256), n_in=64)}
    narrow, wide = costs[64, 32], costs[64, 256]
    # eight times the units on the same inputs: about eight times the time to solve, none more to
    # compile
    assert 4 < wide.sample_seconds / narrow.sample_seconds < 12
    assert wide.compile_seconds < 2 * narrow.compile_seconds
    # eight times the inputs of the same units: no more than eight times the time to solve
    assert costs[256, 64].sample_seconds < 12 * costs[32, 64].sample_seconds


def test_a_gradient_costs_at_most_three_times_its_steady_states():
    for cost in benchmarks.gradient_costs():
        assert cost.gradient_seconds < 3 * cost.steady_seconds, cost


def test_gradients_against_roadrunners_control_coefficients():
    batch, single = benchmarks.control_coefficient_rows()
    assert batch.ratio > 10_000
    assert single.ratio > 2_000  # a call has its own cost, some 3 ms


def test_closed_form_gradients_beside_pytorch():
    pytest.importorskip("torch")
    for cost in benchmarks.gradient_costs():
        assert cost.closed_form_seconds < 2.5 * cost.torch_double, cost  # of the same precision


def test_certificates_cost_a_few_trajectories():
    for cost in benchmarks.certificate_costs():
        if np.isnan(cost.envelope):
            continue
        assert cost.envelope < 60 * cost.trajectory
        assert cost.closed_form < 0.1 * cost.envelope


# Steps apart, for pytest-benchmark ----------------------------------------------------------------

SIZES = {"xor": [2, 2, 1], "iris": [4, 8, 3], "digits": [64, 32, 10]}


@pytest.fixture(params=SIZES)
def net(request):
    return cn.Network.random(SIZES[request.param], cn.SmoothedReLU(h=1e-3), seed=0)


def test_writing(benchmark, net):
    crn = cn.to_reactions(net)
    assert benchmark(cn.to_antimony, crn).startswith("model")


def test_encoding(benchmark, net):
    assert benchmark(cn.to_reactions, net).reactions


def test_compiling(benchmark, net):
    def compile_units():
        clear_cache()
        return cn.Simulator(net).compile()

    assert benchmark.pedantic(compile_units, rounds=2).species


def test_solving(benchmark, net, rng):
    simulator, x = cn.Simulator(net).compile(), rng.random((50, net.n_in))
    assert len(benchmark(simulator.steady_state, x)) == 50


def test_gradient(benchmark, net, rng):
    simulator, x, y = (
        cn.Simulator(net).compile(),
        rng.random((50, net.n_in)),
        rng.random((50, net.n_out)),
    )
    assert benchmark(cn.gradient, simulator, x, y).loss > 0


def test_compact_text_loads_faster_than_the_faithful(benchmark):
    net = cn.Network.random([8, 8, 4], seed=0)
    texts = {form: cn.to_antimony(net, form=form) for form in ("reactions", "compact", "numbers")}
    import time

    seconds = {}
    for form, text in texts.items():
        start = time.perf_counter()
        CompiledModel(text)
        seconds[form] = time.perf_counter() - start
    assert seconds["numbers"] < seconds["compact"] < seconds["reactions"]
    assert benchmark.pedantic(antimony_to_sbml, (texts["numbers"],), rounds=2)
