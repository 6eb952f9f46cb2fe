"""Prints the tables of docs/benchmarks.md: a steady state beside peers, for one input and for many.

python tests/benchmarks/steady_state_tables.py

The peers solve the same equations h + z y - y^2 = 0, layer by layer: scipy's Newton over arrays,
JAX compiled for the network and the number of inputs (if it is installed; nothing here depends on
it), and COPASI one input after the other. None of them checks what it found.
"""

from __future__ import annotations

import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from scipy import optimize

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from crn_nn_tellurium.commands.benchmarks import random_network
from support import copasi_worker

import crn_nn_tellurium as cn
from crn_nn_tellurium.importers import antimony_to_sbml

SIZES = ((2, 2, 1), (4, 8, 3), (20, 20, 10), (64, 32, 10), (784, 128, 64, 10))
INPUTS = (1, 10, 100)
COPASI_UP_TO = 1_000
"""Weights; larger models take it minutes to load."""
NEWTON_STEPS = 60
"""Enough from an upper bound: each step halves a large error, then squares it."""


def cpu_seconds(work, least=0.2):
    """Median CPU time of a call over at least that many seconds, and its result."""
    result, spent = work(), []  # what is compiled or laid out once is so by now
    while sum(spent) < least or len(spent) < 3:
        start = time.process_time()
        work()
        spent.append(time.process_time() - start)
    return float(np.median(spent)), result


def by_scipy(net, x):
    """Outputs by scipy.optimize.newton over all units and inputs at once."""
    value = x
    for layer in net.layers:
        signs = np.array([rail.sign for rail in layer.activation.rails])
        z = (value @ layer.weights.T + layer.bias)[..., None] * signs
        h = layer.activation.h
        start = np.maximum(z, 0) + np.sqrt(h)
        # of arrays scipy's tolerance is absolute: small roots come out less exact
        y = optimize.newton(
            lambda y, z, h: h + z * y - y * y,
            start,
            lambda y, z, h: z - 2 * y,
            args=(z, h),
            tol=1e-13,
            maxiter=NEWTON_STEPS,
        )
        value = y @ signs
    return value


def by_jax(net):
    """A function that gives outputs by Newton's method, compiled by JAX; None without it."""
    try:
        import jax
    except ImportError:
        return None
    jax.config.update("jax_enable_x64", True)
    layers = [
        (layer.weights, layer.bias, layer.activation.h, [r.sign for r in layer.activation.rails])
        for layer in net.layers
    ]

    def outputs(value):
        for weights, bias, h, signs in layers:
            z = (value @ weights.T + bias)[..., None] * jax.numpy.array(signs)
            start = jax.numpy.maximum(z, 0) + jax.numpy.sqrt(h)

            def goes_on(state):
                step, y, number = state
                return (abs(step) > 1e-13 * y).any() & (number < NEWTON_STEPS)

            def newton(state, z=z, h=h):
                _, y, number = state
                step = (h + z * y - y * y) / (z - 2 * y)
                return step, y - step, number + 1

            state = jax.lax.while_loop(goes_on, newton, (start, start, 0))
            value = state[1] @ jax.numpy.array(signs, dtype=float)
        return value

    compiled = jax.jit(outputs)
    return lambda x: np.asarray(compiled(x))


def by_copasi(sbml, names, points):
    """CPU seconds a point of setting inputs, `run_steadystate` and reading; in its own process."""
    spent = []
    for some in (points[:1], points):
        start = time.process_time()
        copasi_worker.scan(sbml, names, some, names[:1])
        spent.append(time.process_time() - start)
    # what both have, loading above all, falls out
    return (spent[1] - spent[0]) / (len(points) - 1)


def copasi_seconds(net, x):
    """The same from here; NaN where it would take minutes."""
    if net.n_weights > COPASI_UP_TO:
        return np.nan
    sbml = antimony_to_sbml(cn.to_antimony(net, x=x[0]))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        return executor.submit(by_copasi, sbml, list(net.input_names), x[:10]).result()


def rows(sizes):
    """Per number of inputs: CPU seconds an input of this package, and of the peers."""
    net = random_network(sizes)
    simulator, jax = cn.Simulator(net).compile(), by_jax(net)
    x = np.random.default_rng(0).random((max(INPUTS), sizes[0]))
    copasi = copasi_seconds(net, x)
    for n in INPUTS:
        part = x[:n]
        ours, steady = cpu_seconds(lambda part=part: simulator.steady_state(part))
        scipy, by_hand = cpu_seconds(lambda part=part: by_scipy(net, part))
        answers, theirs = [steady.outputs, by_hand], [scipy]
        if jax:
            seconds, found = cpu_seconds(lambda part=part: jax(part))
            answers.append(found)
        theirs += [seconds if jax else np.nan, copasi * n]
        off = [float(abs(answer - net(part)).max()) for answer in answers]
        yield n, ours / n, [their / n for their in theirs], off


def rounded(value, digits):
    """12,000 for 12345 to two digits."""
    return f"{float(f'{value:.{digits}g}'):,.12g}"


def main() -> None:
    print("| layers | inputs | an input, ours | scipy | JAX | COPASI | off: ours, scipy, JAX |")
    print("|---|---|---|---|---|---|---|")
    for sizes in SIZES:
        for n, ours, theirs, off in rows(sizes):
            ratios = " | ".join("" if np.isnan(t) else rounded(t / ours, 2) for t in theirs)
            own = f"{rounded(ours * 1e6, 3)} µs" if ours < 1e-3 else f"{rounded(ours * 1e3, 3)} ms"
            what, errors = "-".join(map(str, sizes)), ", ".join(f"{e:.0e}" for e in off)
            print(f"| {what} | {n} | {own} | {ratios} | {errors} |", flush=True)


if __name__ == "__main__":
    main()
