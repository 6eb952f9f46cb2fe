"""Stochastic trajectories against the master equation, roadrunner's Gillespie and exact laws."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager

import numpy as np
import pytest
from scipy import stats
from support.stochastic import master_equation, roadrunner_draw, runner
from support.tolerances import ROUNDED

import crn_nn_tellurium as cn
from crn_nn_tellurium.simulation import stochastic


def network(reactions, **starts):
    """A network of (substrates, products, rate constant); species in capitals float."""
    species = [cn.Species(s, value, boundary=s.islower()) for s, value in starts.items()]
    made = [
        cn.Reaction(f"J{i}", *(side if isinstance(side, dict) else tuple(side) for side in sides),
        f"k{i}", k) for i, (*sides, k) in enumerate(reactions)
    ]  # fmt: skip
    return cn.ReactionNetwork(species, made)


FINITE = {
    "pairs": network([({"A": 2}, {"B": 1}, 0.3), ({"B": 1}, {"A": 2}, 0.2)], A=2.2, B=0.6),
    "triples": network([({"A": 3}, {"B": 2}, 0.5), ("B", "A", 0.7)], A=2.0, B=1.0),
    "a pair and another": network(
        [({"A": 2, "B": 1}, {"A": 3}, 0.4), ("A", "B", 0.9), ("A", "A", 50.0)], A=1.2, B=1.0
    ),
    "catalysts": network(
        [("AE", "BE", 0.8), ("BF", "AF", 0.5), ("A", "B", 0.1)], A=2.0, B=0.0, E=0.6, F=0.4
    ),
    "held ones, in parts of a molecule": network(
        [({"x": 2, "A": 1}, {"x": 2, "B": 1}, 0.9), ("By", "Ay", 2.0), ("Ax", "Bx", 0.3)],
        A=1.6, B=1.0, x=0.27, y=0.05,
    ),
    "one that ends": network([({"A": 2}, {"B": 1}, 0.6), ("A", "B", 0.3)], A=2.0, B=0.0),
}  # fmt: skip


@pytest.mark.parametrize("kind", FINITE)
def test_all_states_are_as_likely_as_the_master_equation_says(kind):
    """Every state there is at two times, an input changed between, in 2,000 draws."""
    crn, volume, draws = FINITE[kind], 5.0, 2000
    held = crn.boundary_concentrations
    steps = {0.7: 3 * held} if len(held) else None
    course = cn.Simulator(crn).time_course(
        t_end=2.0, n_points=5, volume=volume, draws=draws, seed=0, steps=steps
    )
    molecules = np.round(course.concentrations * volume)
    np.testing.assert_allclose(course.concentrations * volume, molecules, rtol=ROUNDED)
    for point, pieces in ((1, [(0.5, held)]), (4, [(0.7, held), (1.3, 3 * held)])):
        states, likely = master_equation(crn, volume, pieces)
        seen = np.array([np.all(molecules[:, point] == s, axis=-1).sum() for s in states])
        assert seen.sum() == draws  # no other state
        assert chi_square(seen, likely * draws) > 1e-5  # one of 12 such numbers


def chi_square(seen, expected):
    """The p-value of counts; those that are expected to be few are counted together."""
    often = expected >= 5
    assert often.sum() > 1
    rest = seen[~often].sum(), expected[~often].sum()
    assert rest[0] <= rest[1] + 5 * np.sqrt(rest[1]) + 2
    seen, expected = seen[often], expected[often]
    return stats.chi2.sf(((seen - expected) ** 2 / expected).sum(), len(seen) - 1)


@pytest.mark.parametrize("name", ["SmoothedReLU", "Sigmoid", "Normalized"])
def test_distributions_are_those_of_roadrunner(name):
    """Species by species: two samples of 250 runs each, at three times, few molecules."""
    kind = getattr(cn, name)
    net = cn.Network.random([2, 3, 2], cn.SmoothedReLU(h=0.1), seed=0, output=kind(h=0.1))
    crn, x, volume, time = cn.to_reactions(net), np.array([0.4, 1.0]), 4.0, np.linspace(0, 3, 4)
    start = np.full(len(crn.floating), 0.5)
    course = cn.Simulator(net).time_course(
        x, 3.0, 4, initial=start, volume=volume, draws=250, seed=1
    )
    model = runner(crn, x, volume)
    theirs = np.array(
        [roadrunner_draw(model, crn, time, start, volume, seed) for seed in range(1, 251)]
    )
    for ours, other in zip(course.concentrations.T, theirs.T, strict=True):
        for point in (1, 2, 3):
            # of some 100 comparisons in all; with ties the test is on the safe side
            assert stats.ks_2samp(ours[point], other[point]).pvalue > 1e-5


def test_a_draw_is_the_same_however_many_and_at_whatever_points():
    simulator = cn.Simulator(cn.load_model("xor"))

    def course(n_points, draws):
        steps = {20: [1, 1]}
        return simulator.time_course(
            [0, 1], n_points=n_points, volume=50, draws=draws, seed=3, steps=steps
        )

    five, two, alone = course(11, 5), course(11, 2), course(101, None)
    np.testing.assert_array_equal(five.concentrations[:2], two.concentrations)
    np.testing.assert_array_equal(five.outputs[0], alone.outputs[::10])
    assert not np.array_equal(five.outputs[0], five.outputs[1])
    again = simulator.time_course([0, 1], volume=50, n_points=11)
    assert not np.array_equal(again.outputs, five.outputs[0])  # without a seed, another each time


def test_mean_and_spread_of_draws():
    crn = network([("A", "", 0.5)], A=4.0)
    course = cn.Simulator(crn).time_course(t_end=2, n_points=3, volume=10, draws=2000, seed=0)
    assert course.outputs.shape == (2000, 3, 1)
    assert "2000 draws" in repr(course)
    mean, spread = course.mean, course.spread
    np.testing.assert_allclose(mean["A"], course["A"].mean(axis=0))
    np.testing.assert_allclose(spread["A"], course["A"].std(axis=0, ddof=1))
    # each of 40 molecules is left with p: binomial, four standard errors
    p = np.exp(-0.5 * course.time)
    sigma = np.sqrt(40 * p * (1 - p)) / 10
    assert np.all(np.abs(mean["A"] - 4 * p) <= 4 * sigma / np.sqrt(2000))
    assert np.all(np.abs(spread["A"] - sigma) <= 4 * sigma / np.sqrt(2 * 2000))
    tube = course.in_units(cn.PhysicalUnits(c0=10, tau=100))
    np.testing.assert_allclose(tube.spread["A"], 10 * spread["A"])
    assert (mean.draws, mean.volume) == (None, 10)


def test_held_inputs_of_a_neuron_are_one_channel():
    """A thousand inputs cost a trajectory no more than ten."""
    sizes = [
        len(stochastic.Reactions(cn.to_reactions(cn.Network.random([n, 3], seed=0))).channels.rate)
        for n in (10, 1000)
    ]
    assert sizes[0] == sizes[1]


def test_what_cannot_happen_does_not():
    """Rate constants 1e25 apart: a sum by differences would leave rests of the large ones."""
    crn = network([("A", "B", 1e15), ("B", "C", 1e-10), ("D", "", 0.1)], A=1, B=0, C=0, D=1)
    course = cn.Simulator(crn).time_course(t_end=200, n_points=2, volume=20, draws=50, seed=0)
    assert np.all(course.concentrations >= 0)
    np.testing.assert_array_equal(course["B"][:, -1], 1.0)
    np.testing.assert_array_equal(course["D"][:, -1], 0.0)


def test_a_long_run_can_be_interrupted():
    # who runs the tests in the background may have it ignored
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        interrupt_a_long_run()
    finally:
        signal.signal(signal.SIGINT, before)


def interrupt_a_long_run():
    simulator = cn.Simulator(network([("", "A", 1.0), ("A", "", 1.0)], A=1.0))
    simulator.time_course(volume=1)  # compiled
    # a thousand million reactions, two minutes and more
    threading.Timer(0.3, signal.raise_signal, [signal.SIGINT]).start()
    with pytest.raises(KeyboardInterrupt):
        simulator.time_course(t_end=50, volume=1e7)


def test_a_run_without_end_is_an_error(monkeypatch):
    monkeypatch.setattr(stochastic, "MOST_REACTIONS", 2000)
    monkeypatch.setattr(stochastic, "SLICE", 1000)
    simulator = cn.Simulator(network([("", "A", 1.0), ("A", "", 1.0)], A=1.0))
    with pytest.raises(cn.ConvergenceError, match=r"2,000 reactions lead from t = 0 to (0\.9|1)"):
        simulator.time_course(t_end=50, volume=1e3, seed=0)


def test_molecule_numbers_have_the_exact_stationary_distribution():
    """One neuron is a birth-death chain: births h V + b n, deaths n (n - 1) / V."""
    h, b, volume = 0.5, 1.0, 4.0
    net = cn.Network([cn.Layer([[0.0]], [b], cn.SmoothedReLU(h=h))])
    course = cn.Simulator(net).time_course(
        [0.0], t_end=20_000, n_points=20_001, volume=volume, seed=1
    )
    molecules = course["Y1_0"][50:] * volume
    np.testing.assert_array_equal(molecules, np.round(molecules))
    n = np.arange(60)
    births, deaths = h * volume + b * n, n * (n - 1) / volume
    weight = np.concatenate(
        [[0.0, 1.0], np.cumprod(births[1:-1] / deaths[2:])]
    )  # n = 0 is left for good
    weight /= weight.sum()
    mean = (weight * n).sum()
    deviation = np.sqrt((weight * n**2).sum() - mean**2)
    # relaxation time ~ 1 / r < 1 of the 1 between points: no fewer than 5000 independent samples
    assert abs(molecules.mean() - mean) < 5 * deviation / np.sqrt(5000)
    # the law y^2 in place of y (y - 1) would lower the mean by about half a molecule
    assert 5 * deviation / np.sqrt(5000) < 0.25


def test_inputs_of_a_stochastic_run_need_not_be_whole_molecules():
    simulator = cn.Simulator(cn.Network([cn.Layer([[4.0]], [0.5], cn.SmoothedReLU(h=1.0))]))
    means = [
        simulator.time_course([x], 2000, 2001, volume=1, seed=0)["Y1_0"].mean() for x in (0.0, 0.4)
    ]
    assert means[1] > means[0] + 0.5


def test_a_large_volume_is_deterministic():
    net = cn.Network.random([2, 3, 1], cn.SmoothedReLU(h=0.1), seed=0, output=cn.Linear(h=0.1))
    simulator = cn.Simulator(net)
    exact = simulator.time_course([1.0, 0.5], t_end=20, n_points=21, initial=0.5)
    noisy = simulator.time_course(
        [1.0, 0.5], t_end=20, n_points=21, initial=0.5, volume=1e4, seed=3
    )
    # concentrations of order 1 fluctuate by about 1 / sqrt(volume) = 0.01
    np.testing.assert_allclose(noisy.outputs, exact.outputs, atol=0.1)
    again = simulator.time_course(
        [1.0, 0.5], t_end=20, n_points=21, initial=0.5, volume=1e4, seed=3
    )
    np.testing.assert_array_equal(noisy.outputs, again.outputs)
    assert "stochastic" in repr(noisy)


def test_long_work_says_how_far_it_is(monkeypatch):
    told = []

    @contextmanager
    def bar(what, progress, total):
        yield lambda done, text: told.append((what, done, total, text))

    monkeypatch.setattr(stochastic, "progress_bar", bar)
    simulator = cn.Simulator(network([("", "A", 1.0), ("A", "", 1.0)], A=1.0))
    simulator.time_course(t_end=4, volume=10, draws=3)
    assert told == [("trajectories", draw, 3, "at t = 4") for draw in range(3)]


@pytest.mark.parametrize("asked", [None, True, False])
def test_a_bar_of_trajectories_is_shown_as_was_asked_for(asked, monkeypatch):
    wanted = []

    @contextmanager
    def bar(what, progress, total):
        wanted.append(progress)
        yield lambda done, text: None

    monkeypatch.setattr(stochastic, "progress_bar", bar)
    simulator = cn.Simulator(network([("", "A", 1.0), ("A", "", 1.0)], A=1.0))
    simulator.time_course(t_end=1, volume=10, draws=2, progress=asked)
    assert wanted == [asked]


def test_on_a_full_disk_nothing_is_kept_and_all_runs(tmp_path):
    """In a process of its own, where nothing has been compiled yet."""
    code = """if True:
        import errno, os
        from numba.core.caching import IndexDataCacheFile
        import crn_nn_tellurium as cn
        def full(*_):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        IndexDataCacheFile.save = full
        simulator = cn.Simulator(cn.import_antimony("-> A; k; A -> ; A; k = 1; A = 1"))
        for _ in range(2):
            print(simulator.time_course(t_end=1, n_points=2, volume=10, seed=0).outputs.shape)
    """
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False
    )
    assert run.stdout == "(2, 1)\n(2, 1)\n", run.stderr


def test_whole_numbers_may_come_as_floats():
    simulator = cn.Simulator(network([("", "A", 1.0), ("A", "", 1.0)], A=1.0))
    courses = [simulator.time_course(t_end=2, volume=9, draws=n, seed=n) for n in (2, 2.0)]
    np.testing.assert_array_equal(*(course.outputs for course in courses))


def by_python(monkeypatch):
    """The same loop as it stands, a few reactions at a time."""
    monkeypatch.setattr(stochastic, "SLICE", 7)
    for name in ("_propensity", "_run"):
        monkeypatch.setattr(stochastic, name, getattr(stochastic, name).py_func)


@pytest.mark.parametrize("kind", FINITE)
def test_what_is_compiled_does_what_python_does(kind, monkeypatch):
    """The same random numbers and the same arithmetic, so the same numbers of molecules."""
    simulator, run = cn.Simulator(FINITE[kind]), {"t_end": 2.0, "n_points": 5, "volume": 5.0}
    compiled = simulator.time_course(**run, draws=3, seed=0)
    by_python(monkeypatch)
    found = simulator.time_course(**run, draws=3, seed=0)
    np.testing.assert_array_equal(found.concentrations, compiled.concentrations)


@pytest.mark.parametrize("compiled", [True, False])
def test_a_propensity_that_overflows_is_refused(compiled, monkeypatch):
    if not compiled:
        by_python(monkeypatch)
    simulator = cn.Simulator(network([("", "A", 1e308)], A=0.0))
    with pytest.raises(cn.ConvergenceError, match="no finite numbers at t = 0"):
        simulator.time_course(t_end=1, volume=100)
