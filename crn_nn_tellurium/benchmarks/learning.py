"""Benchmarks of learning: gradients, and the iterations that use them."""

from __future__ import annotations

import itertools
import warnings
from functools import partial
from typing import Any

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
    targets,
)
from crn_nn_tellurium.benchmarks.peers import SCRIPT_NEEDS
from crn_nn_tellurium.sensitivity import gradient
from crn_nn_tellurium.simulation import Simulator
from crn_nn_tellurium.training import LBFGS, fit

BATCH, MANY, ITERATIONS = 32, 256, 20


# Gradients ---------------------------------------------------------------------------------------


def our_gradient(case: str, samples: int = BATCH, **how: Any) -> Work:
    """Loss and its gradient by every weight, bias and h."""
    simulator = Simulator(network(case)).compile()
    x, y = inputs(case, samples), targets(case, samples)
    return Work(lambda: gradient(simulator, x, y, **how).loss, samples)


def script_gradient(case: str) -> Work:
    """roadrunner's matrix of control coefficients at one sample's steady state."""
    net, crn = network(case), reactions(case)
    simulator = Simulator(net)
    steady = simulator.steady_state(inputs(case, 1)).concentrations[0]
    runner = peers.loaded(plain_text(crn))
    row = boundary_rows(case, inputs(case, 1))[0].tolist()
    # at the steady state already, to help it
    values = dict(zip(crn.boundary, row, strict=True))
    values |= dict(zip(simulator.species, steady.tolist(), strict=True))
    for name, value in values.items():
        runner[name] = value

    def run() -> None:
        runner.getUnscaledConcentrationControlCoefficientMatrix()

    return Work(run)


def torch_gradient(case: str, samples: int = MANY) -> Work:
    """A PyTorch network of plain ReLUs in double precision, forward and backward."""
    import torch

    module, kind = torch_network(case), torch.float64
    x = torch.tensor(inputs(case, samples), dtype=kind)
    y = torch.tensor(targets(case, samples), dtype=kind)
    loss = torch.nn.MSELoss()

    def run() -> None:
        module.zero_grad()
        loss(module(x), y).backward()

    return Work(run, samples)


def torch_network(case: str) -> Any:
    """The same layers with plain ReLUs, with a random start: numbers do not change the time."""
    import torch

    torch.set_num_threads(1)
    net, layers = network(case), []
    sizes = [net.n_in, *(layer.n_out for layer in net.layers)]
    for n_in, n_out in itertools.pairwise(sizes):
        layers += [torch.nn.Linear(n_in, n_out), torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1]).to(torch.float64)


def jax_gradient(case: str) -> Work:
    """JAX through the formula of the root, compiled before."""
    import jax

    jax.config.update("jax_enable_x64", True)
    equations = Equations.of(network(case))
    x, y = inputs(case, MANY), targets(case, MANY)
    fixed = [(h, signs) for _, _, h, signs in equations.layers]
    parameters = [(weights, bias) for weights, bias, _, _ in equations.layers]

    def loss(parameters: Any) -> Any:
        value = x
        for (weights, bias), (h, signs) in zip(parameters, fixed, strict=True):
            z = (value @ weights.T + bias)[..., None] * signs
            value = ((z + jax.numpy.sqrt(z * z + 4 * h)) / 2) @ signs
        return ((value - y) ** 2).sum(axis=1).mean()

    slope = jax.jit(jax.value_and_grad(loss))
    jax.block_until_ready(slope(parameters))

    def run() -> float:
        value, slopes = slope(parameters)
        jax.block_until_ready(slopes)
        return float(value)

    return Work(run, MANY)


# Training ----------------------------------------------------------------------------------------


def our_training(case: str) -> Work:
    """`fit` by L-BFGS."""
    net = network(case)
    x, y = inputs(case, MANY), targets(case, MANY)
    optimizer = LBFGS(max_iter=ITERATIONS, tolerance=0.0)

    def run() -> int:
        return len(fit(net, x, y, optimizer=optimizer).records)

    return Work(run, run())


def sklearn_training(case: str) -> Work:
    """scikit-learn's MLPRegressor by its L-BFGS."""
    from sklearn.neural_network import MLPRegressor

    net, x, y = network(case), inputs(case, MANY), targets(case, MANY)
    hidden = [layer.n_out for layer in net.layers[:-1]]
    shared: Any = {"max_iter": ITERATIONS, "random_state": 0, "tol": 1e-12}
    model = MLPRegressor(hidden_layer_sizes=hidden, solver="lbfgs", max_fun=10**6, **shared)

    def run() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it was told to end before it has converged
            model.fit(x, y)

    run()
    return Work(run, model.n_iter_)


def torch_training(case: str) -> Work:
    """PyTorch's L-BFGS with a line search."""
    import torch

    kind = torch.float64
    x = torch.tensor(inputs(case, MANY), dtype=kind)
    y = torch.tensor(targets(case, MANY), dtype=kind)
    loss = torch.nn.MSELoss()

    def run() -> int:
        torch.manual_seed(0)
        module = torch_network(case)
        options: Any = {"tolerance_grad": 0.0, "tolerance_change": 0.0}
        optimizer = torch.optim.LBFGS(
            module.parameters(), max_iter=ITERATIONS, line_search_fn="strong_wolfe", **options
        )

        def closure() -> Any:
            optimizer.zero_grad()
            found = loss(module(x), y)
            found.backward()
            return found

        optimizer.step(closure)
        return int(next(iter(optimizer.state.values()))["n_iter"])

    return Work(run, run())


PLAIN = "a plain ReLU takes no root and its slope is 0 or 1; there are no rails, no h and no checks"
UNVERIFIED = PLAIN + "; and nothing is verified by an engine at the end"
LEARNING = (
    Benchmark(
        "gradient",
        f"Gradient at engine's steady states, {BATCH} samples a call",
        "The loss's derivatives by all parameters, steady states by roadrunner; compiled before.",
        "a sample",
        LADDER,
        (
            Contender(OURS, our_gradient, ("roadrunner",)),
            Contender("roadrunner's control coefficients", script_gradient, SCRIPT_NEEDS),
            Contender(
                "PyTorch, plain ReLUs",
                partial(torch_gradient, samples=BATCH),
                ("torch",),
                "it solves no chemistry: its outputs are a product and a comparison",
            ),
        ),
        agreement=None,
    ),
    Benchmark(
        "gradient_closed_form",
        f"Gradient in training, {MANY} samples a call",
        "The same with steady states in closed form, in double precision, as `fit` takes them.",
        "a sample",
        LADDER,
        (
            Contender(
                OURS, partial(our_gradient, samples=MANY, steady_state="closed_form"), ("scipy",)
            ),
            Contender("PyTorch, plain ReLUs", torch_gradient, ("torch",), PLAIN),
            Contender(
                "JAX, the same roots",
                jax_gradient,
                ("jax",),
                "it is one program compiled for these sizes, and has no derivatives by h",
            ),
        ),
        # PyTorch's start is another
        agreement=1e-9,
    ),
    Benchmark(
        "training",
        f"Training, {ITERATIONS} iterations of L-BFGS",
        f"{MANY} samples, squared error; ours with its last check of all samples by roadrunner.",
        "an iteration",
        LADDER,
        (
            Contender(OURS, our_training, ("roadrunner",)),
            Contender(
                "scikit-learn's MLPRegressor",
                sklearn_training,
                ("sklearn",),
                UNVERIFIED,
            ),
            Contender(
                "PyTorch's L-BFGS",
                torch_training,
                ("torch",),
                UNVERIFIED,
            ),
        ),
        agreement=None,
    ),
)
