"""What `crn-nn bench` measures: this package beside the usual script, and cost against size.

The usual script is what a tellurium user writes: one reaction per weight, `te.loada`, set a value,
`r.steadyState()`. Times are wall-clock seconds of this machine; what carries over is the ratio.
"""

from __future__ import annotations

import importlib
import itertools
import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from crn_nn_tellurium.basics import by_sample
from crn_nn_tellurium.certificates import EnvelopeModel, settling_time
from crn_nn_tellurium.chemistry import ReactionNetwork
from crn_nn_tellurium.encoding import to_reactions
from crn_nn_tellurium.kinetics import NetworkKinetics
from crn_nn_tellurium.networks import Linear, Network, SmoothedReLU, load_model, model_data
from crn_nn_tellurium.sensitivity import gradient
from crn_nn_tellurium.simulation import CACHE_VARIABLE, Simulator, clear_cache


@dataclass(frozen=True)
class Row:
    """Seconds of the usual script (NaN where it was not run) and of this package."""

    what: str
    usual: float
    ours: float
    remark: str = ""

    @property
    def ratio(self) -> float:
        return self.usual / self.ours


def plain_text(crn: ReactionNetwork) -> str:
    """Antimony as one writes it by hand: reactions and values, nothing else."""
    lines = [f"{name} = {value!r}" for name, value in crn.constant_values.items()]
    start = dict(zip(crn.floating, crn.initial_concentrations.tolist(), strict=True))
    start |= dict(zip(crn.boundary, crn.boundary_concentrations.tolist(), strict=True))
    lines += [f"species {'$' * s.boundary}{s.id}; {s.id} = {start[s.id]!r}" for s in crn.species]
    for reaction in crn.reactions:
        powers = (f"{s}^{n}" if n > 1 else s for s, n in reaction.substrates)
        law = "*".join([reaction.rate_constant, *powers])
        lines.append(f"{reaction.id}: {reaction.equation}; {law}")
    return "\n".join(lines)


@dataclass(frozen=True)
class UsualScript:
    """Seconds of the usual script, and how many of its steady states ended in an error."""

    load: float
    per_point: float
    points: int
    errors: int


def usual_script(net: Network, points: Any) -> UsualScript:
    """Run the usual script at inputs `points` (n, n_in), started at an upper bound to help it."""
    import tellurium as te  # two seconds, which only this peer needs

    crn = to_reactions(net, points[0])
    text = plain_text(crn)
    start = time.perf_counter()
    runner = te.loada(text)
    loaded = time.perf_counter() - start
    concentrations = by_sample(net.input_coding.concentrations(points))
    errors = 0
    start = time.perf_counter()
    for row in concentrations.tolist():
        for name, value in zip(crn.boundary, row, strict=True):
            runner[name] = value
        try:
            runner.steadyState()
        except RuntimeError:  # its solver gave up, after the time that it took
            errors += 1
    return UsualScript(loaded, (time.perf_counter() - start) / len(points), len(points), errors)


def random_network(sizes: Sequence[int]) -> Network:
    """ReLUs with a linear output layer."""
    return Network.random(sizes, SmoothedReLU(h=1e-3), seed=0, output=Linear(h=1e-3))


def compile_afresh(net: Network) -> tuple[Simulator, float]:
    """A simulator and the seconds to compile it, nothing compiled before."""
    with models_kept("off"):
        seconds = best_of(lambda: Simulator(net).compile(), 1)
    return Simulator(net), seconds


@contextmanager
def models_kept(folder: str) -> Iterator[None]:
    """Without what this process has compiled, and with another folder of compiled models."""
    before = os.environ.get(CACHE_VARIABLE)
    os.environ[CACHE_VARIABLE] = folder
    clear_cache()
    try:
        yield
    finally:
        os.environ.pop(CACHE_VARIABLE)
        if before is not None:
            os.environ[CACHE_VARIABLE] = before


def per_sample(simulator: Simulator, x: Any, repeats: int = 3) -> float:
    """Seconds per steady state of a batch, the best of some repeats, units compiled."""
    simulator.compile()
    return best_of(lambda: simulator.steady_state(x), repeats) / len(x)


def xor_rows(points: int = 5) -> list[Row]:
    """XOR: a steady state at new inputs, within a batch and by a call of its own."""
    net = load_model("xor")
    rng = np.random.default_rng(0)
    usual = usual_script(net, rng.random((points, 2)))
    simulator = Simulator(net)
    batch = per_sample(simulator, rng.random((5000, 2)))
    single = per_sample(simulator, rng.random((1, 2)), 20)
    what = "xor 2-2-1: a steady state for a new input"
    return [
        Row(f"{what}, of a batch of 5000", usual.per_point, batch, _remark(usual)),
        Row(f"{what}, one a call", usual.per_point, single),
    ]


def digits_rows(usual: bool) -> list[Row]:
    """Digits: to the first answer, and all held-out samples; the usual script takes minutes."""
    # tellurium's two seconds are not those of a model
    from crn_nn_tellurium.tellurium_model import to_roadrunner

    net = load_model("digits")
    _, x, _, _ = model_data("digits")
    theirs = usual_script(net, x[:1]) if usual else None
    first = theirs.load + theirs.per_point if theirs else math.nan
    remark = _remark(theirs) if theirs else ""
    with models_kept("off"):
        ours = best_of(lambda: Simulator(net).steady_state(x[:1]), 1)
    seconds = per_sample(Simulator(net), x) * len(x)
    with TemporaryDirectory() as folder, models_kept(folder):
        make = partial(to_roadrunner, net, x[0])
        compiled, loaded = best_of(make, 1), best_of(make, 3)
    load = theirs.load if theirs else math.nan
    return [
        Row("digits 64-32-10: to_roadrunner", load, compiled),
        Row("digits 64-32-10: to_roadrunner, compiled before by any process", load, loaded),
        Row("digits 64-32-10: from network to first answer", first, ours, remark),
        Row(f"digits 64-32-10: all {len(x)} held-out samples", math.nan, seconds),
    ]


def _remark(usual: UsualScript) -> str:
    errors = f"usual script: {usual.errors} of {usual.points} ended in an error"
    return errors if usual.errors else ""


def mnist_size_rows(samples: int = 20) -> list[Row]:
    """784-128-64-10 with random weights, beyond what the usual script can load."""
    x = np.random.default_rng(0).random((samples, 784))
    simulator, compiled = compile_afresh(random_network((784, 128, 64, 10)))
    what = "784-128-64-10: a steady state"
    batch, single = per_sample(simulator, x), per_sample(simulator, x[:1])
    course = best_of(partial(simulator.time_course, x[0], t_end=100.0), 3)
    return [
        Row("784-128-64-10: compile", math.nan, compiled),
        Row(f"{what}, of a batch of {samples}", math.nan, batch),
        Row(f"{what}, one a call", math.nan, single),
        Row("784-128-64-10: a time course to t = 100", math.nan, course),
    ]


@dataclass(frozen=True)
class Cost:
    """Cost of one layer n_in -> n_out: seconds to compile it and per sample."""

    n_in: int
    n_out: int
    compile_seconds: float
    sample_seconds: float

    @property
    def weights(self) -> int:
        return self.n_in * self.n_out


def cost_against_size(
    widths: tuple[int, ...] = (16, 32, 64, 128, 256), n_in: int = 64
) -> Iterator[Cost]:
    """Layers of growing width on the same inputs, and of growing inputs at the same width."""
    # layers of equal numbers of weights, in both ways: what counts, inputs or units?
    wider = [(n_in, width) for width in widths]
    longer = [(width, n_in) for width in widths if width != n_in]
    for inputs, units in wider + longer:
        net = Network.random([inputs, units], SmoothedReLU(h=1e-3), seed=0)
        simulator, compiled = compile_afresh(net)
        x = np.random.default_rng(0).random((20, inputs))
        yield Cost(inputs, units, compiled, per_sample(simulator, x))


def run_benchmarks(full: bool = False) -> Iterator[Row]:
    """All rows, as they are measured; `full` adds the usual script on digits: minutes."""
    yield from xor_rows()
    yield from digits_rows(usual=full)
    yield from mnist_size_rows()
    yield from control_coefficient_rows()


# Gradients --------------------------------------------------------------------------------------

GRADIENT_SIZES = ((2, 2, 1), (4, 8, 3), (20, 20, 10), (64, 32, 10), (784, 128, 64, 10))


def control_coefficient_rows() -> list[Row]:
    """20-20-10: all derivatives by roadrunner's control coefficients, and by the adjoint."""
    import tellurium as te  # two seconds, which only this peer needs

    net = random_network((20, 20, 10))
    x, y = np.random.default_rng(0).random((32, 20)), np.random.default_rng(1).random((32, 10))
    simulator = Simulator(net)
    steady = simulator.steady_state(x[:1])
    runner = te.loada(plain_text(to_reactions(net, x[0])))
    for name, value in zip(simulator.species, steady.concentrations[0].tolist(), strict=True):
        runner[name] = value  # at the steady state already, to help it
    theirs = best_of(runner.getUnscaledConcentrationControlCoefficientMatrix, 1)
    batch = best_of(lambda: gradient(simulator, x, y)) / len(x)
    single = best_of(lambda: gradient(simulator, x[:1], y[:1]), 20)
    what = "20-20-10: gradient of one sample's loss"
    remark = "usual: getUnscaledConcentrationControlCoefficientMatrix()"
    return [
        Row(f"{what}, of a batch of 32", theirs, batch, remark),
        Row(f"{what}, one a call", theirs, single),
    ]


@dataclass(frozen=True)
class GradientCost:
    """CPU seconds of one batch, on one thread: its steady states, and the gradient with them or
    with the closed form's.

    And of a PyTorch network of the same shape, forward and backward; NaN without PyTorch.
    """

    sizes: tuple[int, ...]
    batch: int
    steady_seconds: float
    gradient_seconds: float
    closed_form_seconds: float
    torch_single: float
    torch_double: float


def gradient_costs(
    sizes: Sequence[tuple[int, ...]] = GRADIENT_SIZES, batch: int = 32, closed_form_batch: int = 256
) -> Iterator[GradientCost]:
    """What gradients cost beside steady states, and beside PyTorch where it is installed."""
    rng = np.random.default_rng(0)
    for shape in sizes:
        simulator = Simulator(random_network(shape)).compile()
        x, y = rng.random((batch, shape[0])), rng.random((batch, shape[-1]))
        many = rng.random((closed_form_batch, shape[0]))
        targets = rng.random((closed_form_batch, shape[-1]))
        works = (
            (partial(simulator.steady_state, x), 10),
            (partial(gradient, simulator, x, y), 10),
            (partial(gradient, simulator, many, targets, steady_state="closed_form"), 50),
        )
        # with more threads libraries wait for one another, each in its own way
        with threadpool_limits(1):
            ours = [best_of(work, repeats, time.process_time) for work, repeats in works]
            torch = [torch_seconds(shape, many, targets, f"float{n}") for n in (32, 64)]
        yield GradientCost(shape, batch, *ours, *torch)


def torch_seconds(sizes: tuple[int, ...], x: Any, y: Any, precision: str) -> float:
    """CPU seconds of a PyTorch network's loss and gradient on one thread; NaN without PyTorch."""
    try:
        torch = importlib.import_module("torch")
    except ImportError:
        return math.nan
    # PyTorch has threads of its own
    threads, kind = torch.get_num_threads(), getattr(torch, precision)
    torch.set_num_threads(1)
    # the same shape and kind of layers, with a random start: numbers do not change the time
    layers: list[Any] = []
    for n_in, n_out in itertools.pairwise(sizes):
        layers += [torch.nn.Linear(n_in, n_out), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1]).to(kind)
    inputs, targets = torch.tensor(x, dtype=kind), torch.tensor(y, dtype=kind)
    loss = torch.nn.MSELoss()

    def step() -> None:
        model.zero_grad()
        loss(model(inputs), targets).backward()

    step()  # the first makes what the others reuse
    try:
        return best_of(step, 50, time.process_time)
    finally:
        torch.set_num_threads(threads)


@dataclass(frozen=True)
class CertificateCost:
    """Seconds of settling-time bounds by sample, to compile them, and of one trajectory.

    What is too large to compile is NaN.
    """

    sizes: tuple[int, ...]
    closed_form: float
    compile_seconds: float = math.nan
    envelope: float = math.nan
    trajectory: float = math.nan


def certificate_costs(
    sizes: Sequence[tuple[int, ...]] = GRADIENT_SIZES, samples: int = 1000
) -> Iterator[CertificateCost]:
    """What certificates cost: the closed form in a batch, the envelope one sample at a time."""
    rng = np.random.default_rng(0)
    for shape in sizes:
        net = random_network(shape)
        x = rng.random((samples, shape[0]))
        closed = best_of(partial(settling_time, net, x, 1e-2, bound="cheap"), 2) / samples
        envelope = EnvelopeModel(NetworkKinetics(net))
        with models_kept("off"):
            compiling = best_of(envelope.flat.compile, 1)
        simulator = Simulator(net).compile("flat")
        end = settling_time(net, x[0], 1e-2)
        bound = best_of(partial(settling_time, net, x[0], 1e-2), 3)
        course = best_of(partial(simulator.time_course, x[0], t_end=end, initial=0.0), 3)
        yield CertificateCost(shape, closed, compiling, bound, course)


def best_of(
    work: Callable[[], Any], repeats: int = 5, clock: Callable[[], float] = time.perf_counter
) -> float:
    """Seconds that a piece of work takes, the best of some repeats."""
    # the least is what the work takes; the rest is what else the machine did meanwhile
    best = np.inf
    for _ in range(repeats):
        start = clock()
        work()
        best = min(best, clock() - start)
    return float(best)
