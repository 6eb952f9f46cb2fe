"""One round of training after the other: what is asked for, where it stands, and a step on.

A round trains all weights that are not zero. Where weights are pruned, the next begins with those
of the smallest rate constants at zero.
"""

from __future__ import annotations

import hashlib
import time as clock
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.fluctuations import noise
from crn_nn_tellurium.kinetics import RateConstants, RateErrors
from crn_nn_tellurium.networks import Loss, Network, to_vector
from crn_nn_tellurium.simulation import verify
from crn_nn_tellurium.training.checkpoints import State
from crn_nn_tellurium.training.objective import Coordinates, Objective, Samples
from crn_nn_tellurium.training.optimizers import Optimizer, Stop, refuse_infinite
from crn_nn_tellurium.training.options import Answers, Constraints, Molecules, Monitor
from crn_nn_tellurium.training.results import FitResult, Record

PRUNING_ROUNDS = 3


@dataclass(frozen=True)
class Task:
    """Everything that decides the result of a training."""

    net: Network
    x: FloatArray
    targets: FloatArray
    loss: Loss
    optimizer: Optimizer
    noise: RateErrors | Molecules | None
    constraints: Constraints
    answers: Answers
    held_out: tuple[FloatArray, FloatArray] | None = None
    patience: int | None = None

    @property
    def densities(self) -> list[float]:
        """The share of the weights that each round has."""
        last = self.constraints.density
        if last == 1:
            return [1.0]
        # equal factors from round to round, so that none loses much more than another
        return [last ** (i / PRUNING_ROUNDS) for i in range(PRUNING_ROUNDS + 1)]

    def objective(self, net: Network, round_: int) -> Objective:
        """What a round that begins with a network minimises."""
        # weights that a user gives as zero may grow; those that were pruned may not
        coordinates = Coordinates(net, self.constraints, keep_zeros=round_ > 0)
        volume = self.noise.volume if isinstance(self.noise, Molecules) else None
        return Objective(coordinates, self.loss, self.constraints.l2, self.answers, volume)

    def has(self, state: State) -> bool:
        """Whether a state is of one of its rounds and as large as that, whoever wrote it."""
        coordinates = self.objective(state.net, state.round).coordinates
        return state.round < len(self.densities) and state.theta.shape == coordinates.start.shape

    def begin(self, net: Network, after: State | None = None) -> State:
        """The state at the start of the first round, or of that after another."""
        number = 0 if after is None else after.round + 1
        theta = self.objective(net, number).coordinates.start
        # moments of a round before are of other coordinates
        memory = self.optimizer.memory(len(theta))
        if after is None:
            return State(net, theta, memory)
        return State(net, theta, memory, number, seconds=after.seconds, records=after.records)

    @property
    def identity(self) -> str:
        """Equal for equal trainings, by content."""
        settings = (
            self.optimizer, self.noise, self.constraints, self.answers, self.patience,
            self.loss.name, self.net,
        )  # fmt: skip
        digest = hashlib.sha256(repr(settings).encode())
        outputs = self.net(self.x)
        arrays = [to_vector(self.net), self.x, self.targets, *(self.held_out or ())]
        # a loss of one's own is known by what it says of the start
        arrays += [
            part(outputs, self.targets) for part in (self.loss.function, self.loss.derivative)
        ]
        for array in arrays:
            # of the bytes: a repr would round
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


class Round:
    """A round of training, as an optimiser sees it (`optimizers.Descent`); it changes the state."""

    def __init__(
        self,
        task: Task,
        state: State,
        monitor: Monitor,
        advance: Callable[[int, str], None],
        save: Callable[[], None],
    ) -> None:
        self.task, self.state, self.monitor = task, state, monitor
        self.objective = task.objective(state.net, state.round)
        self.samples = Samples.of(task.net, task.x, task.targets)
        self.held_out = None if task.held_out is None else Samples.of(task.net, *task.held_out)
        self.save, self._advance = save, advance
        # the seconds of earlier processes count on
        self._started = clock.perf_counter() - state.seconds

    # what overflows is refused by `refuse_infinite`
    @np.errstate(over="ignore", invalid="ignore", divide="ignore")
    def run(self) -> None:
        """Train until the round ends."""
        optimizer = self.task.optimizer
        try:
            optimizer.descend(self)
            self.state.stopped = f"max_iter = {optimizer.max_iter} reached"
        except Stop as reason:
            self.state.stopped = str(reason)

    @property
    def found(self) -> FloatArray:
        """The point that the round has found: with validation data, the best."""
        return self.state.theta if self.state.best is None else self.state.best

    @property
    def network(self) -> Network:
        """The network found, without what rounding cannot see."""
        # a penalty leaves weights of 1e-80 where data say nothing, and each would be a reaction
        return self.objective.coordinates.network(self.found).pruned(x=self.task.x)

    def result(self, net: Network, x: FloatArray) -> FitResult:
        """What came of it: the network found, or one that is made of it, verified at inputs x."""
        objective, held_out = self.objective, self.held_out
        volume = objective.volume
        return FitResult(
            net,
            tuple(self.state.records),
            objective.value(self.found, self.samples),
            None if held_out is None else objective.watched(self.found, held_out),
            self.state.stopped,
            verify(net, x, *objective.read_out),
            None if volume is None else noise(net, x, volume=volume),
        )

    def thinned(self, density: float) -> Network:
        """The network found, with that share of its weights."""
        n_kept = max(1, round(density * self.task.net.n_weights))
        return self.objective.coordinates.thinned(self.found, n_kept)

    # What an optimiser sees ----------------------------------------------------------------------

    @property
    def bounds(self) -> list[tuple[float, float]]:
        """(low, high) of each coordinate."""
        return self.objective.coordinates.bounds

    @property
    def n_samples(self) -> int:
        """Samples to train on."""
        return len(self.task.x)

    def clip(self, theta: FloatArray) -> FloatArray:
        """The nearest point within the bounds."""
        return self.objective.coordinates.clip(theta)

    def loss(
        self, theta: FloatArray, rows: Any = slice(None), step: int = 0
    ) -> tuple[float, FloatArray]:
        """Value and gradient on some samples; each step has draws of noise of its own."""
        return self.objective(theta, self.samples.take(rows), self._factors(step))

    def _factors(self, step: int) -> list[list[RateConstants]]:
        errors = self.task.noise
        if not isinstance(errors, RateErrors):
            return []
        kinetics, cv = self.objective.coordinates.kinetics, errors.levels[0]
        # each step has its own draws, whatever was drawn before: it can go on from a checkpoint
        first = step * errors.draws
        return [errors.factors(kinetics, cv, draw) for draw in range(first, first + errors.draws)]

    def record(self, value: float, norm: float) -> None:
        """Note an iteration; raises Stop where training ends."""
        state, task = self.state, self.task
        refuse_infinite(state, value, norm)
        state.iteration += 1
        state.seconds = clock.perf_counter() - self._started
        held_out = self.held_out
        validation = None if held_out is None else self.objective.watched(state.theta, held_out)
        number, density = len(state.records) + 1, task.densities[state.round]
        losses = float(value), validation
        record = Record(number, *losses, float(norm), density, state.seconds)
        state.records.append(record)
        text = "" if validation is None else f", held out {validation:.4g}"
        self._advance(record.iteration, f"loss {value:.4g}{text}")
        # before the callback, which may end training: the best point is kept either way
        patience = self._watch(value, validation)
        callback, network = self.monitor.callback, self.objective.coordinates.network
        if callback is not None and callback(record, network(state.theta)):
            raise Stop("callback")
        if patience is not None and state.waited >= patience:
            what = "loss" if validation is None else "validation loss"
            raise Stop(f"{what} has not improved for {patience} iterations")

    def _watch(self, value: float, validation: float | None) -> int | None:
        """Compare the loss that is watched, if one is, with the least so far; the patience."""
        state, optimizer = self.state, self.task.optimizer
        if validation is not None:
            watched, least, patience = validation, 0.0, self.task.patience
        else:
            watched, least = value, optimizer.tolerance * abs(state.best_value)
            patience = optimizer.patience
        if patience is None:
            return None
        # the first loss is better than none, whose product with a tolerance is infinite
        if np.isinf(state.best_value) or watched < state.best_value - least:
            state.best_value, state.waited = watched, 0
            state.best = None if validation is None else state.theta.copy()
        else:
            state.waited += 1
        return patience
