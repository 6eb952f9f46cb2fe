"""Training a network's rate constants so that its chemistry gives the right answers.

The mean loss is minimised over the rate constants themselves (`objective`), with gradients from the
chemistry's linearisation (`gradients`). The steady state may come from the closed form, which is
fast, or from the engine; either way the engine verifies the trained network.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import check_choice, check_kind, is_real, progress_bar
from crn_nn_tellurium.errors import FileFormatError, InputError
from crn_nn_tellurium.importers import AnyModel, as_network
from crn_nn_tellurium.kinetics import NetworkKinetics, RateErrors
from crn_nn_tellurium.networks import (
    Loss,
    LossLike,
    Network,
    Normalized,
    Sigmoid,
    encode_targets,
    resolve_loss,
)
from crn_nn_tellurium.sensitivity import SteadyStateSource
from crn_nn_tellurium.training.checkpoints import Checkpoint
from crn_nn_tellurium.training.optimizers import Optimizer, resolve_optimizer
from crn_nn_tellurium.training.options import (
    Answers,
    Constraints,
    Data,
    Molecules,
    Monitor,
    ReadOutTime,
    Validation,
)
from crn_nn_tellurium.training.results import FitResult
from crn_nn_tellurium.training.rounds import Round, Task

_NO_CONSTRAINTS, _DEFAULT_MONITOR = Constraints(), Monitor()


def fit(
    net: AnyModel,
    X: npt.ArrayLike,  # scikit-learn's name
    y: npt.ArrayLike,
    loss: LossLike = "squared_error",
    *,
    optimizer: Optimizer | str = "lbfgs",
    noise: RateErrors | Molecules | float | None = None,
    constraints: Constraints = _NO_CONSTRAINTS,
    validation: Validation | float | Data | None = None,
    answers: Answers = "closed_form",
    monitor: Monitor = _DEFAULT_MONITOR,
) -> FitResult:
    """Train a network from where it is.

    Equal arguments give equal results; what is random has its seed where it is described.

    Parameters
    ----------
    net : Network
        Start values, activations and structure; `Network.random` makes one.
    X : (n_samples, n_in) array_like
    y : (n_samples, n_out) or (n_samples,) array_like
        Targets, or class labels for cross-entropy and hinge.
    loss
        See `gradient`.
    optimizer : Optimizer or {"lbfgs", "adam"}
        `LBFGS` on all samples, or `Adam` on mini-batches.
    noise : RateErrors, Molecules or float, optional
        Random errors of every rate constant, over whose draws loss and gradient are averaged: the
        same ones throughout for L-BFGS-B, the next ones for each step of Adam. A number is a
        coefficient of variation, with 8 draws. Makes the network robust; see `robustness`. Or the
        noise of `Molecules`: makes the network need fewer of them; see `smallest_volume`.
    constraints : Constraints
        Penalty and bounds of rate constants and h, and how many weights remain.
    validation : Validation, (X, y) or float, optional
        Data, or the share of the samples, held out: training stops when its loss does not improve,
        and the best network is kept.
    answers : {"closed_form", "engine"} or ReadOutTime
        What is trained: the steady state, from the formula or from roadrunner, or the answer at a
        time.
    monitor : Monitor
        Checkpoint, callback and progress bar.

    Returns
    -------
    FitResult

    Raises
    ------
    InputError
        If an argument does not fit.
    FileFormatError
        If the checkpoint is of another training.
    ConvergenceError
        If a steady state is not found on the way.

    Examples
    --------
    >>> from crn_nn_tellurium import Linear
    >>> net = Network.random([2, 6, 1], seed=1, output=Linear(h=0.01))
    >>> result = fit(net, [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0])
    >>> abs(result.network([[0, 0], [0, 1], [1, 0], [1, 1]])).round(2).ravel().tolist()
    [0.0, 1.0, 1.0, 0.0]
    """
    check_kind("monitor", monitor, Monitor)
    task = task_of(net, X, y, loss, optimizer, noise, constraints, validation, answers)
    found = train(task, monitor)
    return found.result(found.network, task.x)


def task_of(
    net: AnyModel,
    X: npt.ArrayLike,
    y: npt.ArrayLike,
    loss: LossLike,
    optimizer: Optimizer | str,
    noise: RateErrors | Molecules | float | None,
    constraints: Constraints,
    validation: Validation | float | Data | None,
    answers: Answers,
) -> Task:
    """What `fit` is asked for, checked."""
    net = as_network(net, "fit")
    check_kind("constraints", constraints, Constraints)
    resolved = resolve_loss(loss, net)
    if not isinstance(answers, ReadOutTime):
        check_choice("answers", answers, get_args(SteadyStateSource))
    if constraints.h_bounds is not None:
        NetworkKinetics(net).check_h()
    x = net.input_coding.check(X)
    if x.ndim != 2 or not len(x):
        raise InputError(
            f"X has shape {x.shape}; expected (n_samples, {net.n_in}), one sample or more"
        )
    task = Task(
        net,
        x,
        encode_targets(resolved, net, y, len(x)),
        resolved,
        resolve_optimizer(optimizer),
        _errors(noise, net, resolved, answers),
        constraints,
        answers,
    )
    if validation is not None:
        given = validation if isinstance(validation, Validation) else Validation(validation)
        task = _hold_out(task, given)
    return task


def train(task: Task, monitor: Monitor) -> Round:
    """Train round by round; the last round, whose network is not verified."""
    identity = "" if monitor.checkpoint is None else task.identity
    checkpoint = Checkpoint(monitor.checkpoint, identity, task.net)
    state = checkpoint.read()
    if state is None:
        state = task.begin(task.net)
    elif not task.has(state):
        raise FileFormatError(
            f"{str(monitor.checkpoint)!r}: its state is of another training than it says; delete it"
        )
    densities = task.densities
    # the bar counts to the most that all rounds may take
    most = task.optimizer.max_iter * len(densities)
    with progress_bar("training", monitor.progress, most) as advance:
        while True:
            now = Round(task, state, monitor, advance, partial(checkpoint.write, state))
            if not state.stopped:
                now.run()
            # what a callback stops can go on, from what was written before
            if state.stopped == "callback":
                break
            checkpoint.write(state)
            if state.round + 1 == len(densities):
                break
            state = task.begin(now.thinned(densities[state.round + 1]), after=state)
    return now


def _errors(
    noise: RateErrors | Molecules | float | None, net: Network, loss: Loss, answers: Answers
) -> RateErrors | Molecules | None:
    """The errors to train under, or why they do not go with the rest."""
    if noise is None:
        return None
    if answers != "closed_form":
        raise InputError(
            f"noise goes with answers='closed_form', not {answers!r}: steady states under noise"
            " are solved from the reactions' own equations, and have no read-out time"
        )
    last = net.layers[-1].activation
    if loss.name == "cross_entropy" and isinstance(last, Sigmoid):
        raise InputError(
            "noise does not go with cross-entropy on a Sigmoid output: under noise the output is no"
            " probability; take a Linear output, whose logistic function is one"
        )
    if isinstance(noise, str):
        raise InputError(
            f"noise is {noise!r}; expected a coefficient of variation, RateErrors or Molecules"
        )
    if not isinstance(noise, Molecules):
        errors = RateErrors.of(noise, draws=8)
        if len(errors.levels) == 1:
            return errors
        raise InputError(f"noise: cv is {errors.cv!r}; training takes one coefficient of variation")
    if loss.name == "cross_entropy" and isinstance(last, Normalized):
        raise InputError(
            "noise=Molecules does not go with cross-entropy on Normalized outputs: a share that"
            " fluctuates may be below 0, which has no logarithm; take Linear outputs, whose softmax"
            " is one of shares, or loss='squared_error'"
        )
    for layer in NetworkKinetics(net).layers:
        layer.check_order("train it without noise=Molecules", InputError)
    return noise


def _hold_out(task: Task, validation: Validation) -> Task:
    """The task with fewer samples to train on, or with other data to watch."""
    given: Any = validation.held_out
    if not is_real(given):
        other = task.net.input_coding.check(given[0])
        if other.ndim != 2 or not len(other):
            raise InputError(
                f"validation X has shape {other.shape}; expected (n_samples, {task.net.n_in})"
            )
        held_out = other, encode_targets(task.loss, task.net, given[1], len(other))
        return replace(task, held_out=held_out, patience=validation.patience)
    n = len(task.x)
    size = round(given * n)
    if not 0 < size < n:
        raise InputError(
            f"held_out is {given!r} of {n} samples; expected some held out and some left"
        )
    # drawn at random, but kept in the order that the samples came in
    order = np.random.default_rng(validation.seed).permutation(n)
    held, kept = np.sort(order[:size]), np.sort(order[size:])
    x, targets, held_out = task.x[kept], task.targets[kept], (task.x[held], task.targets[held])
    patience = validation.patience
    return replace(task, x=x, targets=targets, held_out=held_out, patience=patience)
