"""Ways down the loss: L-BFGS-B on all samples, or Adam on mini-batches.

Sources: Byrd, Lu, Nocedal and Zhu, SIAM J. Sci. Comput. 16 (1995) 1190, for L-BFGS-B, which is
scipy's; Kingma and Ba, ICLR 2015 (arXiv 1412.6980) for Adam.

Both can stop anywhere and go on to the same result. L-BFGS-B runs in segments that each start
afresh. Adam keeps its moments, and the order of an epoch's samples comes from the epoch's number.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy.optimize import minimize

from crn_nn_tellurium.basics import (
    FloatArray,
    check_choice,
    check_positive,
    real_number,
    whole_number,
)
from crn_nn_tellurium.errors import ConvergenceError
from crn_nn_tellurium.training.checkpoints import State

SEGMENT = 100
"""Iterations of L-BFGS-B between fresh starts, at which checkpoints are written."""


class Stop(Exception):  # noqa: N818  # not an error
    """Training ends here, for the reason given."""


class Descent(Protocol):
    """What an optimiser is given: it moves `state.theta`, and keeps what it likes in `memory`."""

    state: State

    @property
    def bounds(self) -> list[tuple[float, float]]: ...
    @property
    def n_samples(self) -> int: ...

    def loss(self, theta: FloatArray, rows: Any = ..., step: int = 0) -> tuple[float, FloatArray]:
        """Value and gradient on some samples; each step has draws of noise of its own."""

    def clip(self, theta: FloatArray) -> FloatArray:
        """The nearest point within the bounds."""

    def record(self, value: float, norm: float) -> None:
        """Note that an iteration ended at `state.theta`; raises Stop where training ends."""

    def save(self) -> None:
        """Write the checkpoint, if there is to be one."""


def refuse_infinite(state: State, value: float, norm: float) -> None:
    """Refuse to go on from where the loss or its gradient is not finite."""
    if not (np.isfinite(value) and np.isfinite(norm)):
        raise ConvergenceError(
            f"training: the loss is {value!r} and its gradient's norm {norm!r} after"
            f" {len(state.records)} iterations; inputs and targets on a smaller scale may help, or"
            " a smaller learning_rate of Adam"
        )


class Optimizer(ABC):
    """A way down the loss, and when it has arrived: a frozen dataclass, known by its repr.

    Examples
    --------
    >>> import crn_nn_tellurium as cn
    >>> cn.Adam(max_iter=60)
    Adam(max_iter=60, learning_rate=0.01, batch_size=64, tolerance=1e-06, patience=20, seed=0)
    >>> isinstance(cn.LBFGS(), cn.Optimizer)
    True
    """

    max_iter: int
    tolerance: float
    patience: int | None = None
    """Iterations after which a loss that does not fall ends training, if that is for us to see."""

    def memory(self, n_free: int) -> FloatArray:
        """What it keeps by coordinate, (n_rows, n_free), at the start."""
        return np.zeros((0, n_free))

    @abstractmethod
    def descend(self, descent: Descent) -> None:
        """Move down until `max_iter`, or until Stop is raised."""

    def _check(self, **least: int) -> None:
        """Refuse a tolerance below 0, and what is no whole number of at least so much."""
        real_number("tolerance", self.tolerance, 0.0)
        for name, value in least.items():
            # the way to set a field of a frozen dataclass while it is made
            object.__setattr__(self, name, whole_number(name, getattr(self, name), value))


@dataclass(frozen=True)
class LBFGS(Optimizer):
    """L-BFGS-B on all samples at once.

    Parameters
    ----------
    max_iter : int
        Iterations at most, of each round where weights are pruned.
    tolerance : float
        It ends when the largest derivative is below it, or the loss no longer falls by 1e-12 of
        itself.

    Raises
    ------
    InputError

    Examples
    --------
    >>> LBFGS(max_iter=200)
    LBFGS(max_iter=200, tolerance=1e-06)
    """

    max_iter: int = 500
    tolerance: float = 1e-6

    def __post_init__(self) -> None:
        self._check(max_iter=1)

    def descend(self, descent: Descent) -> None:
        """Run segments until scipy says that it has converged, or can do no more."""
        state = descent.state
        known: dict[bytes, tuple[float, FloatArray]] = {}

        def function(theta: FloatArray) -> tuple[float, FloatArray]:
            # kept until the iteration is noted, which asks for the same point again
            known[theta.tobytes()] = found = descent.loss(theta)
            return found

        def note(intermediate_result: Any) -> None:
            # scipy gives no gradient here, but has asked for it, as a rule
            state.theta = np.array(intermediate_result.x)
            value, slope = known.get(state.theta.tobytes()) or function(state.theta)
            known.clear()
            descent.record(value, float(np.linalg.norm(slope)))

        # scipy's memory of past steps cannot be written down; a segment begins without any
        while state.iteration < self.max_iter:
            descent.save()
            before = state.iteration
            found = minimize(
                function,
                state.theta,
                jac=True,
                method="L-BFGS-B",
                bounds=descent.bounds,
                callback=note,
                options={
                    "maxiter": min(SEGMENT, self.max_iter - before),
                    "maxfun": 50 * SEGMENT,
                    "gtol": self.tolerance,
                    "ftol": 1e-12,
                },
            )
            state.theta = np.array(found.x)
            if found.success or state.iteration == before:
                refuse_infinite(state, float(found.fun), float(np.linalg.norm(found.jac)))
                message = str(found.message).lower().replace("convergence: ", "")
                raise Stop(f"converged: {message}" if found.success else f"L-BFGS-B: {message}")


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam on mini-batches.

    Parameters
    ----------
    max_iter : int
        Epochs at most, of each round where weights are pruned.
    learning_rate : float
    batch_size : int
    tolerance : float
    patience : int
        Without validation data, it ends when an epoch's loss has not come down by `tolerance`,
        relative to itself, for `patience` epochs.
    seed : int
        Of the order of the samples.

    Raises
    ------
    InputError

    Examples
    --------
    >>> Adam(learning_rate=0.1, batch_size=32)
    Adam(max_iter=500, learning_rate=0.1, batch_size=32, tolerance=1e-06, patience=20, seed=0)
    """

    max_iter: int = 500
    learning_rate: float = 0.01
    batch_size: int = 64
    tolerance: float = 1e-6
    patience: int = 20
    seed: int = 0

    def __post_init__(self) -> None:
        self._check(max_iter=1, batch_size=1, patience=1, seed=0)
        check_positive("learning_rate", self.learning_rate)

    def memory(self, n_free: int) -> FloatArray:
        """The first and second moments of the gradient, which start at zero."""
        return np.zeros((2, n_free))

    def descend(self, descent: Descent) -> None:
        """Run epochs; each sees every sample once."""
        state, n = descent.state, descent.n_samples
        starts = range(0, n, self.batch_size)
        while state.iteration < self.max_iter:
            epoch = len(state.records)
            # from the epoch's number, so that a training that goes on has the same
            order = np.random.default_rng([self.seed, epoch]).permutation(n)
            total = squares = 0.0
            for number, first in enumerate(starts):
                batch = order[first : first + self.batch_size]
                value, slope = descent.loss(state.theta, batch, step=epoch * len(starts) + number)
                # a step along such a slope would leave no number to go on from
                refuse_infinite(state, value, float(np.linalg.norm(slope)))
                total += value * len(batch)
                squares += float(slope @ slope) * len(batch)
                self._move(descent, slope, state.iteration * len(starts) + number + 1)
            descent.record(total / n, float(np.sqrt(squares / n)))
            descent.save()

    def _move(self, descent: Descent, slope: FloatArray, step: int) -> None:
        state = descent.state
        decay = np.array([0.9, 0.999])
        new = np.stack([slope, slope**2])
        state.memory = decay[:, None] * state.memory + (1 - decay)[:, None] * new
        # moments start at zero; without this division the first steps would be too short
        mean, variance = state.memory / (1 - decay**step)[:, None]
        step_size = self.learning_rate * mean / (np.sqrt(variance) + 1e-8)
        state.theta = descent.clip(state.theta - step_size)


_NAMED: dict[str, type[Optimizer]] = {"lbfgs": LBFGS, "adam": Adam}


def resolve_optimizer(optimizer: Optimizer | str) -> Optimizer:
    """The optimiser that is given, or that a name stands for."""
    if isinstance(optimizer, Optimizer):
        return optimizer
    check_choice("optimizer", optimizer, tuple(_NAMED))
    return _NAMED[optimizer]()
