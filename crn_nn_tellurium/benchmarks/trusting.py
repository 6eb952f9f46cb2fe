"""Benchmarks of what is certain: settling times, enclosures, fluctuations."""

from __future__ import annotations

from functools import partial

import numpy as np

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.benchmarks import peers
from crn_nn_tellurium.benchmarks.declared import OURS, Benchmark, Contender, Work
from crn_nn_tellurium.benchmarks.models import (
    LADDER,
    Equations,
    boundary_rows,
    inputs,
    network,
    plain_text,
    reactions,
    roots,
    start_of,
)
from crn_nn_tellurium.benchmarks.peers import SCRIPT_NEEDS
from crn_nn_tellurium.certificates import enclosure, settling_time
from crn_nn_tellurium.fluctuations import noise
from crn_nn_tellurium.simulation import Simulator

TOLERANCE, RATES, DRAWS, SAMPLES, VOLUME = 1e-2, 0.05, 1_000, 32, 1e4


# Settling times ----------------------------------------------------------------------------------


def our_certificate(case: str) -> Work:
    """By when outputs have settled, from every start, by the envelope of one sample."""
    net, x = network(case), inputs(case, 1)[0]
    settling_time(net, x, TOLERANCE)

    def run() -> None:
        settling_time(net, x, TOLERANCE)

    return Work(run)


def our_cheap_bound(case: str) -> Work:
    """The closed form's bound, looser, of many samples."""
    net, x = network(case), inputs(case, SAMPLES)

    def run() -> None:
        settling_time(net, x, TOLERANCE, bound="cheap")

    return Work(run, SAMPLES)


def script_trajectory(case: str) -> Work:
    """One course by roadrunner to the time that the closed form gives."""
    end = float(settling_time(network(case), inputs(case, 1)[0], TOLERANCE, bound="cheap"))
    runner = peers.loaded(plain_text(reactions(case)))

    def run() -> None:
        runner.reset()
        runner.simulate(0, end, 101)

    return Work(run)


def scipy_trajectory(case: str) -> Work:
    """One course by scipy over the equations by hand, to the same time."""
    from scipy.integrate import solve_ivp

    equations, x = Equations.of(network(case)), inputs(case, 1)[0]
    end = float(settling_time(network(case), x, TOLERANCE, bound="cheap"))
    start = start_of(case, x)

    def run() -> None:
        solve_ivp(lambda _, y: equations.rates(y, x), (0, end), start, "LSODA", rtol=1e-6)

    return Work(run)


# Enclosures --------------------------------------------------------------------------------------


def our_enclosure(case: str, method: str = "lines") -> Work:
    """Where outputs settle whatever the errors of rate constants, up to their bound."""
    net, x = network(case), inputs(case, SAMPLES)

    def run() -> None:
        enclosure(net, x, RATES, method=method)  # type: ignore[arg-type]

    return Work(run, SAMPLES)


def numpy_intervals(case: str) -> Work:
    """Interval arithmetic by hand: centres and radii through layers, nothing rounded outward."""
    equations, x = Equations.of(network(case)), inputs(case, SAMPLES)

    def run() -> None:
        middle, radius = x, np.zeros_like(x)
        for weights, bias, h, signs in equations.layers:
            size = np.abs(weights)
            z = middle @ weights.T + bias
            spread = radius @ size.T + RATES * ((np.abs(middle) + radius) @ size.T + np.abs(bias))
            low = roots((z - spread)[..., None] * signs, h)
            high = roots((z + spread)[..., None] * signs, h)
            ends = np.minimum(low, high) @ signs, np.maximum(low, high) @ signs
            middle, radius = (ends[0] + ends[1]) / 2, np.abs(ends[1] - ends[0]) / 2

    return Work(run, SAMPLES)


def numpy_draws(case: str) -> Work:
    """Many networks with random errors of their weights, by the formula of the root."""
    equations, x = Equations.of(network(case)), inputs(case, 1)
    rng = np.random.default_rng(0)

    def run() -> None:
        for _ in range(DRAWS):
            value = x
            for weights, bias, h, signs in equations.layers:
                off = 1 + RATES * rng.uniform(-1, 1, weights.shape)
                z = (value @ (weights * off).T + bias)[..., None] * signs
                value = roots(z, h) @ signs

    return Work(run)


# Noise -------------------------------------------------------------------------------------------


def our_noise(case: str) -> Work:
    """Means and covariances of outputs, with the steady states that they are about."""
    simulator, x = Simulator(network(case)).compile(), inputs(case, SAMPLES)

    def run() -> FloatArray:
        return noise(simulator, x, volume=VOLUME).covariance[0] * VOLUME

    return Work(run, SAMPLES)


def scipy_noise(case: str) -> Work:
    """scipy's solution of the dense Lyapunov equation about one steady state that is there."""
    from scipy.linalg import solve_continuous_lyapunov

    net, crn = network(case), reactions(case)
    x = Simulator(net).steady_state(inputs(case, 1)).concentrations[0]
    held = boundary_rows(case, inputs(case, 1))[0]
    names = {name: place for place, name in enumerate(crn.floating)}
    read = np.zeros((net.n_out, len(names)))
    for place in range(len(names)):
        unit = np.zeros(len(names))
        unit[place] = 1.0
        read[:, place] = peers.outputs_of(net, lambda name, unit=unit: unit[names[name]])  # type: ignore[misc]

    def run() -> FloatArray:
        jacobian = crn.jacobian(x, held).toarray()
        changes = crn.stoichiometry.toarray()
        source = (changes * crn.rates(x, held)) @ changes.T
        return read @ solve_continuous_lyapunov(jacobian, -source) @ read.T

    return Work(run)


ONE_START = "one start is not all: an envelope has two bounds of every species, and is checked"
TRUSTING = (
    Benchmark(
        "certificate",
        "A settling time, proved for all starts",
        f"By when outputs are within {TOLERANCE:g}, from every start. Nobody else proves it: peers"
        " run one course to that time, which proves nothing.",
        "a sample",
        LADDER,
        (
            Contender(OURS, our_certificate, ("roadrunner", "sksundae"), limit=30.0),
            Contender(
                OURS + f", closed form, {SAMPLES} a call",
                our_cheap_bound,
                ("scipy",),
                is_peer=False,
            ),
            Contender(
                "one course, roadrunner",
                script_trajectory,
                SCRIPT_NEEDS,
                ONE_START,
            ),
            Contender(
                "one course, scipy's LSODA",
                scipy_trajectory,
                (),
                ONE_START,
            ),
        ),
        agreement=None,
    ),
    Benchmark(
        "enclosure",
        f"An enclosure for {RATES:.0%} errors of all rate constants",
        f"Bounds of the outputs of {SAMPLES} samples a call.",
        "a sample",
        LADDER,
        (
            Contender(OURS, our_enclosure, ("scipy",), limit=30.0),
            Contender(
                OURS + ", intervals",
                partial(our_enclosure, method="intervals"),
                ("scipy",),
                is_peer=False,
            ),
            Contender(
                "intervals by hand, NumPy",
                numpy_intervals,
                (),
                "intervals forget what outputs share, so that they are wider from layer to layer;"
                " these have errors of weights alone and are not rounded outward",
            ),
            Contender(
                f"{DRAWS:,} random draws, NumPy",
                numpy_draws,
                (),
                "draws bound nothing: the worst errors are not among them",
            ),
        ),
        agreement=None,
    ),
    Benchmark(
        "noise",
        "Fluctuations of outputs",
        f"Means and covariances in volume {VOLUME:g}, {SAMPLES} samples a call, with their steady"
        " states; the peer has its own and gives the covariance alone.",
        "a sample",
        LADDER,
        (
            Contender(OURS, our_noise, ("roadrunner",), limit=30.0),
            Contender(
                "scipy's Lyapunov equation",
                scipy_noise,
                (),
                "of few species a dense equation is a few microseconds, and the steady state is"
                " given to it",
            ),
        ),
        agreement=1e-6,
    ),
)
