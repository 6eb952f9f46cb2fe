"""Benchmarks of answers: steady states, one and many, scans, and courses over time."""

from __future__ import annotations

import warnings
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.benchmarks import peers
from crn_nn_tellurium.benchmarks.declared import OURS, Benchmark, Contender, Work
from crn_nn_tellurium.benchmarks.making import models_kept
from crn_nn_tellurium.benchmarks.models import (
    LADDER,
    Equations,
    boundary_rows,
    inputs,
    network,
    plain_text,
    propensities_text,
    reactions,
    start_of,
)
from crn_nn_tellurium.benchmarks.peers import COPASI_NEEDS, SCRIPT_NEEDS
from crn_nn_tellurium.importers import antimony_to_sbml
from crn_nn_tellurium.scans import scan
from crn_nn_tellurium.simulation import Simulator

BY_HAND = (
    "it solves the equation of one rail, which somebody derived by hand, and checks nothing; here"
    " roadrunner solves the reactions as they are, and each root is checked"
)
SHIPPED = ("xor", *LADDER[:3], "digits", *LADDER[3:])
BATCH, GRID, FEW, T_END, POINTS = 100, 200, 3, 50.0, 51


# Steady states -----------------------------------------------------------------------------------


def our_steady(case: str, points: int = 1) -> Work:
    """One call for all inputs, units compiled before."""
    simulator, x = Simulator(network(case)).compile(), inputs(case, points)
    return Work(lambda: simulator.steady_state(x).outputs, points)


def our_first(case: str) -> Work:
    """From network to first answer, nothing compiled before."""
    net, x = network(case), inputs(case, 1)
    Simulator(network("2-2-3")).steady_state(inputs("2-2-3", 1))

    def run() -> FloatArray:
        with models_kept("off"):
            return Simulator(net).steady_state(x).outputs[0]

    return Work(run)


# Scans -------------------------------------------------------------------------------------------


def our_scan(case: str) -> Work:
    """The first input over a grid."""
    net, x = network(case), inputs(case, 1)[0]
    name, grid = net.input_names[0], np.linspace(0, 1, GRID)
    simulator = Simulator(net).compile()

    scan(simulator, {name: grid[:2]}, x=x)

    def run() -> FloatArray:
        return scan(simulator, {name: grid}, x=x).outputs.values[:FEW]

    return Work(run, GRID)


def _grid_rows(case: str, points: int) -> FloatArray:
    """Inputs (points, n_in) of a scan's first points."""
    x = np.repeat(inputs(case, 1), points, axis=0)
    x[:, 0] = np.linspace(0, 1, GRID)[:points]
    return x


def script_scan(case: str) -> Work:
    """roadrunner in a loop: set, integrate until it is at rest, read.

    Its `steadyState` compiles anew in every call, so that who scans integrates.
    """
    net, crn = network(case), reactions(case)
    runner = peers.loaded(plain_text(crn))
    rows = boundary_rows(case, _grid_rows(case, FEW)).tolist()

    def run() -> list[list[float]]:
        found = []
        for row in rows:
            runner.reset()
            for name, value in zip(crn.boundary, row, strict=True):
                runner[name] = value
            runner.simulate(0, 200, 2)
            found.append(peers.outputs_of(net, runner.__getitem__))
        return found

    return Work(run, FEW)


def copasi_scan(case: str) -> Work:
    """COPASI in a loop: set, `run_steadystate`, read."""
    net, crn = network(case), reactions(case)
    copasi = peers.Copasi(peers.sbml_text(crn))
    rows = boundary_rows(case, _grid_rows(case, FEW)).tolist()
    name = crn.boundary[0]
    copasi.steady(dict(zip(crn.boundary, rows[0], strict=True)), net)
    return Work(lambda: [copasi.steady({name: row[0]}, net) for row in rows], FEW)


def numpy_scan(case: str) -> Work:
    """The formula of the root at all points."""
    equations, x = Equations.of(network(case)), _grid_rows(case, GRID)
    return Work(lambda: equations.outputs(x)[:FEW], GRID)


# Time courses ------------------------------------------------------------------------------------


def our_course(case: str) -> Work:
    """What the package chooses for a time course, compiled before where that is."""
    simulator, x = Simulator(network(case)), inputs(case, 1)[0]
    simulator.time_course(x, T_END, POINTS)
    return Work(lambda: simulator.time_course(x, T_END, POINTS).outputs[-1])


def script_course(case: str) -> Work:
    """roadrunner's `simulate` at tolerances like ours."""
    net = network(case)
    runner = peers.loaded(plain_text(reactions(case)))
    integrator = runner.getIntegrator()
    integrator.setValue("relative_tolerance", 1e-9)
    integrator.setValue("absolute_tolerance", 1e-14)

    def run() -> list[float]:
        runner.reset()
        runner.simulate(0, T_END, POINTS)
        return peers.outputs_of(net, runner.__getitem__)

    return Work(run)


def copasi_course(case: str) -> Work:
    """COPASI's deterministic method at tolerances like ours."""
    net = network(case)
    copasi = peers.Copasi(peers.sbml_text(reactions(case)))
    tolerances: Any = {"r_tol": 1e-9, "a_tol": 1e-14}

    def run() -> list[float]:
        frame = copasi.basico.run_time_course(
            0,
            T_END,
            POINTS - 1,
            model=copasi.model,
            use_sbml_id=True,
            automatic=False,
            **tolerances,
        )
        return peers.outputs_of(net, lambda name: frame[name].iloc[-1])

    return Work(run)


def scipy_course(case: str) -> Work:
    """solve_ivp by LSODA over the equations by hand, in numpy."""
    from scipy.integrate import solve_ivp

    equations, x = Equations.of(network(case)), inputs(case, 1)[0]
    start, times = start_of(case, x), np.linspace(0, T_END, POINTS)

    def run() -> FloatArray:
        found = solve_ivp(
            lambda _, y: equations.rates(y, x),
            (0, T_END),
            start,
            "LSODA",
            times,
            rtol=1e-9,
            atol=1e-14,
        )
        return equations.read(found.y[:, -1])

    return Work(run)


def diffrax_course(case: str) -> Work:
    """A stiff method of diffrax in double precision, compiled before."""
    import diffrax
    import jax

    jax.config.update("jax_enable_x64", True)
    equations, x = Equations.of(network(case)), inputs(case, 1)[0]

    def rates(_: Any, state: Any, __: Any) -> Any:
        value, parts = jax.numpy.asarray(x), []
        for (weights, bias, h, signs), y in zip(equations.layers, state, strict=True):
            z = (weights @ value + bias)[:, None] * signs
            parts.append(h + z * y - y * y)
            value = y @ signs
        return parts

    def course(begin: Any) -> Any:
        return diffrax.diffeqsolve(
            diffrax.ODETerm(rates),
            diffrax.Kvaerno5(),
            0.0,
            T_END,
            None,
            begin,
            saveat=diffrax.SaveAt(ts=np.linspace(0, T_END, POINTS)),
            stepsize_controller=diffrax.PIDController(rtol=1e-9, atol=1e-14),
            max_steps=100_000,
        ).ys

    solve: Any = jax.jit(course)
    begin, first = [], 0
    start = start_of(case, x)
    for _, bias, _, signs in equations.layers:
        last = first + len(bias) * len(signs)
        begin.append(jax.numpy.asarray(start[first:last].reshape(len(bias), len(signs))))
        first = last
    solve(begin)

    def run() -> FloatArray:
        return np.asarray(solve(begin)[-1])[-1] @ equations.layers[-1][3]

    return Work(run)


# Stochastic trajectories -------------------------------------------------------------------------

VOLUME, STOCHASTIC_END, STOCHASTIC_POINTS, RUNS = 100.0, 10.0, 51, 10


def our_stochastic(case: str) -> Work:
    """Trajectories by Gillespie's direct method."""
    simulator, x = Simulator(network(case)), inputs(case, 1)[0]

    def run() -> None:
        simulator.time_course(
            x, STOCHASTIC_END, STOCHASTIC_POINTS, volume=VOLUME, draws=RUNS, seed=0
        )

    run()
    return Work(run, RUNS)


def _counted(case: str) -> str:
    crn, x = reactions(case), inputs(case, 1)
    return propensities_text(crn, boundary_rows(case, x)[0], VOLUME)


def script_stochastic(case: str) -> Work:
    """roadrunner's own, one `simulate` a run."""
    runner = peers.loaded(_counted(case))
    runner.setIntegrator("gillespie")
    runner.getIntegrator().setValue("variable_step_size", False)
    seeds = iter(range(1, 10**9))

    def run() -> None:
        runner.resetToOrigin()
        runner.getIntegrator().setValue("seed", next(seeds))
        runner.simulate(0, STOCHASTIC_END, STOCHASTIC_POINTS)

    return Work(run)


def copasi_stochastic(case: str) -> Work:
    """COPASI's direct method."""
    copasi = peers.Copasi(antimony_to_sbml(_counted(case)))
    options: Any = {"method": "directMethod", "automatic": False, "use_numbers": True}

    def run() -> None:
        copasi.basico.run_time_course(
            0, STOCHASTIC_END, STOCHASTIC_POINTS - 1, model=copasi.model, **options
        )

    return Work(run)


def _counted_file(case: str) -> str:
    """The same molecules as a file of SBML."""
    path = Path(mkdtemp(), "counted.xml")
    path.write_text(antimony_to_sbml(_counted(case)), encoding="utf-8")
    return str(path)


def bioscrape_stochastic(case: str) -> Work:
    """bioscrape's."""
    from bioscrape.simulator import py_simulate_model
    from bioscrape.types import Model

    model = Model(sbml_filename=_counted_file(case), sbml_warnings=False)
    times = np.linspace(0, STOCHASTIC_END, STOCHASTIC_POINTS)

    def run() -> None:
        py_simulate_model(times, Model=model, stochastic=True)

    return Work(run)


def gillespy2_stochastic(case: str) -> Work:
    """GillesPy2's solver in Python; that in C++ needs a compiler and SCons."""
    from gillespy2 import NumPySSASolver, TimeSpan, import_SBML

    path = _counted_file(case)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of how it reads SBML
        model, _ = import_SBML(path)
    model.timespan(TimeSpan.linspace(STOCHASTIC_END, STOCHASTIC_POINTS))
    solver = NumPySSASolver(model)

    def run() -> None:
        model.run(solver=solver)

    return Work(run)


SCRIPT_REASON = (
    "a small model compiled whole is solved in one call, without the layers, checks and results of"
    " this package"
)
SETTLING = (
    Benchmark(
        "first_answer",
        "From network to first answer",
        "One steady state, with all that is made for it and nothing compiled before.",
        "an answer",
        SHIPPED,
        (
            Contender(OURS, our_first, ("roadrunner",)),
            Contender(
                peers.USUAL,
                peers.script_first,
                SCRIPT_NEEDS,
                "a network of a few reactions is compiled sooner than the models of eight neurons"
                " here",
                limit=250.0,
                up_to=2_500,
            ),
            Contender(
                "COPASI",
                peers.copasi_first,
                COPASI_NEEDS,
                "it interprets reactions and compiles none, and its SBML is there",
            ),
            Contender("JAX", peers.jax_first, ("jax",), BY_HAND),
            Contender("NumPy", peers.numpy_first, (), BY_HAND),
        ),
        budget=330.0,
    ),
    Benchmark(
        "steady_state",
        "A steady state, one input a call",
        "A new input: set it, find the steady state, read the outputs; compiled before.",
        "a steady state",
        SHIPPED,
        (
            Contender(OURS, our_steady, ("roadrunner",)),
            Contender(peers.USUAL, peers.script_steady, SCRIPT_NEEDS),
            Contender("COPASI", peers.copasi_steady, COPASI_NEEDS),
            Contender("scipy's Newton", peers.scipy_steady, ("scipy",), BY_HAND),
            Contender("JAX", peers.jax_steady, ("jax",), BY_HAND),
            Contender("NumPy", peers.numpy_steady, (), BY_HAND),
        ),
    ),
    Benchmark(
        "steady_states",
        f"Steady states, {BATCH} inputs a call",
        "The same of many inputs; peers without batches take a few, one by one.",
        "a steady state",
        SHIPPED,
        (
            Contender(OURS, partial(our_steady, points=BATCH), ("roadrunner",)),
            Contender("scipy's Newton", partial(peers.scipy_steady, points=BATCH), (), BY_HAND),
            Contender("JAX", partial(peers.jax_steady, points=BATCH), ("jax",), BY_HAND),
            Contender("NumPy", partial(peers.numpy_steady, points=BATCH), (), BY_HAND),
        ),
    ),
    Benchmark(
        "scan",
        f"A scan of an input over {GRID} values",
        "All steady states of a grid, as labelled arrays; peers take a few points of it.",
        "a point",
        SHIPPED,
        (
            Contender(OURS, our_scan, ("roadrunner", "xarray")),
            Contender("roadrunner, integrated to rest", script_scan, SCRIPT_NEEDS, SCRIPT_REASON),
            Contender("COPASI", copasi_scan, COPASI_NEEDS),
            Contender("NumPy", numpy_scan, (), BY_HAND),
        ),
        agreement=1e-3,
    ),
    Benchmark(
        "time_course",
        f"A time course to t = {T_END:g}",
        f"{POINTS} points of one input, at relative tolerances of 1e-9, compiled before.",
        "a time course",
        SHIPPED,
        (
            Contender(OURS, our_course, ("roadrunner", "sksundae")),
            Contender("roadrunner", script_course, SCRIPT_NEEDS, SCRIPT_REASON),
            Contender(
                "COPASI",
                copasi_course,
                COPASI_NEEDS,
                "few reactions are cheap to interpret, and LSODA leaves stiff steps early",
            ),
            Contender(
                "scipy's LSODA",
                scipy_course,
                (),
                "it integrates the equation of one rail, which somebody derived by hand, and LSODA"
                " takes cheap steps where they are not stiff",
            ),
            Contender(
                "diffrax",
                diffrax_course,
                ("diffrax", "jax"),
                "equations that somebody derived by hand are compiled as one program, which takes"
                " seconds to minutes before (column of what is made once)",
                limit=25.0,
            ),
        ),
        budget=90.0,
        agreement=1e-5,
    ),
    Benchmark(
        "stochastic",
        f"A stochastic trajectory to t = {STOCHASTIC_END:g}",
        f"Gillespie's direct method, volume {VOLUME:g}, {STOCHASTIC_POINTS} points; ours ten a"
        " call, peers one.",
        "a trajectory",
        ("xor", *LADDER[:4]),
        (
            Contender(OURS, our_stochastic, ("numba",), limit=60.0),
            Contender("roadrunner", script_stochastic, SCRIPT_NEEDS),
            Contender("COPASI", copasi_stochastic, COPASI_NEEDS),
            Contender("bioscrape", bioscrape_stochastic, ("bioscrape",)),
            Contender("GillesPy2, in Python", gillespy2_stochastic, ("gillespy2",)),
        ),
        agreement=None,
    ),
)
