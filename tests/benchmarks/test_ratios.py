"""Ratios to peers that are asked for, by the benchmarks themselves; and how cost grows.

Ratios are asserted, seconds are not.
"""

from dataclasses import replace

import numpy as np
import pytest
from support.timing import cpu_seconds

import crn_nn_tellurium as cn
from crn_nn_tellurium.benchmarks import FULL, begin, chosen, run
from crn_nn_tellurium.benchmarks.models import LADDER
from crn_nn_tellurium.benchmarks.tables import exponent
from crn_nn_tellurium.simulation.engine import CompiledModel

pytestmark = pytest.mark.slow  # times are for idle machines
EFFORT = replace(FULL, rounds=3)


def measured(subject, cases, *names):
    """What the named contenders take, (n_cases, n_contenders): ours first, all in their order."""
    (benchmark,) = chosen([subject])
    some = [one for one in benchmark.contenders if one.name in ("this package", *names)]
    assert len(some) == 1 + len(names)
    chosen_ones = replace(benchmark, cases=tuple(cases), contenders=tuple(some), budget=900.0)
    *_, results = run([chosen_ones], EFFORT, begin(True, [subject]))
    for one in results.measurements:
        if one.outcome.startswith("not installed"):
            pytest.skip(f"{one.contender}: {one.outcome}")
        assert one.is_measured, one
    return np.array([[results.one(subject, case, one.name).cpu for one in some] for case in cases])


@pytest.mark.parametrize(
    ("subject", "case", "peer", "least"),
    [
        ("steady_state", "xor", "usual script of tellurium", 300),
        ("steady_state", "xor", "COPASI", 5),
        ("steady_state", "5-10-5", "COPASI", 20),
        # minutes for the usual script
        ("first_answer", "digits", "usual script of tellurium", 100),
        ("gradient", "5-10-5", "roadrunner's control coefficients", 2_000),
        ("noise", "60-100-40", "scipy's Lyapunov equation", 1),
        ("export_sbml", "5-10-5", "libAntimony", 2),
        ("gradient_closed_form", "5-10-5", "PyTorch, plain ReLUs", 1 / 2.5),
        ("gradient_closed_form", "200-400-50", "PyTorch, plain ReLUs", 1 / 2.5),
    ],
)
def test_a_peer_takes_at_least_so_many_times_as_long(subject, case, peer, least):
    ((ours, theirs),) = measured(subject, [case], peer)
    assert theirs / ours > least


def test_cost_grows_with_the_weights_and_compiling_does_not():
    weights = [1_000, 10_000, 100_000]
    compiling = measured("compile", LADDER[2:5])[:, 0]
    assert compiling.max() < 2 * compiling.min()
    for subject in ("steady_states", "gradient"):
        assert exponent(weights, measured(subject, LADDER[2:5])[:, 0]) < 1.1, subject


def test_a_certificate_costs_a_few_trajectories():
    names = "this package, closed form, 32 a call", "one course, roadrunner"
    ((ours, cheap, course),) = measured("certificate", LADDER[1:2], *names)
    # the envelope has two bounds of every species, and is gone through several times
    assert ours < 150 * course
    assert cheap < 0.1 * ours


def test_a_large_network_agrees_with_the_closed_form():
    net = cn.Network.random(
        [784, 128, 64, 10], cn.SmoothedReLU(h=1e-3), seed=0, output=cn.Linear(h=1e-3)
    )
    x = np.random.default_rng(1).random((5, 784))
    steady, expected = cn.Simulator(net).steady_state(x), net(x)
    # what checks of steady states allow for
    assert np.all(np.abs(steady.outputs - expected) <= 1e-9 * (np.abs(expected) + np.sqrt(1e-3)))


def test_compact_text_loads_faster_than_the_faithful():
    net = cn.Network.random([8, 8, 4], seed=0)
    seconds = {}
    for form in ("reactions", "compact", "numbers"):
        text = cn.to_antimony(net, form=form)
        seconds[form] = cpu_seconds(lambda text=text: CompiledModel(text), repeats=1)
    assert seconds["numbers"] < seconds["compact"] < seconds["reactions"]
