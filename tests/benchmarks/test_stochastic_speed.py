"""Stochastic trajectories against COPASI, bioscrape, GillesPy2 and roadrunner, in one run."""

import statistics
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
from sklearn.datasets import load_digits
from support import copasi_worker
from support.stochastic import propensities_text, runner
from support.timing import cpu_seconds

import crn_nn_tellurium as cn
from crn_nn_tellurium.importers import antimony_to_sbml

pytestmark = pytest.mark.slow  # times are for idle machines
XOR, X, T_END, POINTS, VOLUME = cn.load_model("xor"), np.array([0.0, 1.0]), 50.0, 201, 100.0
TIME = np.linspace(0, T_END, POINTS)


def copasi(text, runs):
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        took, ends = executor.submit(
            copasi_worker.trajectories, antimony_to_sbml(text), T_END, POINTS - 1, runs
        ).result()
    return took, [end["Yp2_0"] - end["Yn2_0"] for end in ends]


def bioscrape(path, runs):
    pytest.importorskip("bioscrape")
    from bioscrape.simulator import py_simulate_model
    from bioscrape.types import Model

    model = Model(sbml_filename=str(path), sbml_warnings=False)
    start = time.process_time()
    ends = [py_simulate_model(TIME, Model=model, stochastic=True).iloc[-1] for _ in range(runs)]
    return time.process_time() - start, [end["Yp2_0"] - end["Yn2_0"] for end in ends]


def gillespy2(path, runs):
    """Its solver in Python: that in C++ needs a compiler and SCons."""
    from gillespy2 import NumPySSASolver, TimeSpan, import_SBML

    model, problems = import_SBML(str(path))
    assert not problems
    model.timespan(TimeSpan.linspace(T_END, POINTS))
    start = time.process_time()
    found = model.run(solver=NumPySSASolver(model), number_of_trajectories=runs)
    ends = [run["Yp2_0"][-1] - run["Yn2_0"][-1] for run in found]
    return time.process_time() - start, ends


def roadrunner(crn, runs):
    """One simulate a trajectory: fastest, though its states are then of other times."""
    model, start = runner(crn, X, VOLUME), time.process_time()
    ends = []
    for seed in range(1, runs + 1):
        model.resetToOrigin()
        model.getIntegrator().setValue("seed", seed)
        ends.append(model.simulate(0, T_END, POINTS, ["Yp2_0", "Yn2_0"])[-1])
    return time.process_time() - start, [p - n for p, n in ends]


def test_a_hundred_runs_of_xor_against_others(tmp_path):
    """Asked for is no more than any of them takes."""
    simulator, crn = cn.Simulator(XOR), cn.to_reactions(XOR)
    text, path = propensities_text(crn, X, VOLUME), tmp_path / "xor.xml"
    path.write_text(antimony_to_sbml(text))
    simulator.time_course(X, volume=VOLUME)  # compiled

    def ours():
        start = time.process_time()
        found = simulator.time_course(X, T_END, POINTS, volume=VOLUME, draws=100, seed=0)
        return time.process_time() - start, found["y0"][:, -1] * VOLUME

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of how others read SBML
        runs = {
            "ours": (ours, 100),
            "COPASI": (lambda: copasi(text, 50), 50),
            "bioscrape": (lambda: bioscrape(path, 30), 30),
            "GillesPy2": (lambda: gillespy2(path, 2), 2),
            "roadrunner": (lambda: roadrunner(crn, 30), 30),
        }
        took, ends = {}, {}
        for name, (run, n) in runs.items():
            found = [run() for _ in range(1 if name == "GillesPy2" else 3)]
            took[name] = statistics.median(seconds for seconds, _ in found) * 100 / n
            ends[name] = np.array(found[0][1])
    print(", ".join(f"{name} {t:.2f} s ({t / took['ours']:.1f})" for name, t in took.items()))
    middle, spread = ends["ours"].mean(), ends["ours"].std(ddof=1)
    for name, values in ends.items():
        error = spread * np.sqrt(1 / len(values) + 1 / 100)
        assert abs(values.mean() - middle) < 4 * error, name
        assert took[name] >= took["ours"], name


def test_costs_as_reactions_grow():
    """n species that are made and lost by themselves: a reaction's cost is a logarithm of n.

    Asked for is less than ten times as much for a thousand times the reactions.
    """
    parts = []
    for n in (10, 100, 1_000, 10_000):
        species = [cn.Species(f"S{i}", 1.0) for i in range(n)]
        made = [cn.Reaction(f"M{i}", (), (f"S{i}",), "m", 1.0) for i in range(n)]
        lost = [cn.Reaction(f"L{i}", (f"S{i}",), (), "l", 1.0) for i in range(n)]
        crn = cn.ReactionNetwork(species, made + lost)
        simulator = cn.Simulator(crn)
        # 20 reactions a time unit and species
        t_end = 1e5 / n

        def course(t_end=t_end, simulator=simulator):
            simulator.time_course(None, t_end, 2, volume=10, seed=0)

        course(t_end / 100)
        cost = (cpu_seconds(course) - cpu_seconds(lambda: course(1e-9))) / (20 * n * t_end)
        parts.append(cost)
        print(f"{2 * n} reactions: {cost * 1e9:.0f} ns each time one happens")
    assert parts[-1] < 10 * parts[0]


def test_digits():
    """143 s by one simulate of roadrunner a point."""
    simulator = cn.Simulator(cn.load_model("digits"))
    x = load_digits().data[0]
    simulator.time_course(x, 0.1, 2, volume=100)
    took = cpu_seconds(lambda: simulator.time_course(x, 20, 201, volume=100, seed=0))
    print(f"digits to t = 20 at volume 100: {took:.2f} s")
