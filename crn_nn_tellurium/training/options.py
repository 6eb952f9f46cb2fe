"""What training keeps to, holds out, looks at and reports: the options of `fit`, in groups."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import (
    check_positive,
    check_share,
    is_real,
    real_number,
    seed_given,
    whole_number,
)
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.networks import Network
from crn_nn_tellurium.sensitivity import SteadyStateSource
from crn_nn_tellurium.simulation import check_time
from crn_nn_tellurium.training.results import Record

Data = tuple[npt.ArrayLike, npt.ArrayLike]
"""Inputs and targets."""


@dataclass(frozen=True)
class Constraints:
    """What the rate constants of a trained chemistry keep to.

    Parameters
    ----------
    max_rate_constant : float, optional
        No rate constant is larger; start values are brought within. At least 1, the constant of
        2 Y => Y.
    l2 : float
        Factor of the sum of squared rate constants of weights that is added to the mean loss.
    density : float
        Share of the weights that remain: after training, the smallest rate constants are set to
        zero, so that their reactions vanish, and the others trained on, in three rounds.
    h_bounds : (float, float), optional
        Least and largest h, between which h of each layer is trained too. By default it stays.

    Raises
    ------
    InputError

    Examples
    --------
    >>> Constraints(max_rate_constant=10.0, density=0.5)
    Constraints(max_rate_constant=10.0, l2=0.0, density=0.5, h_bounds=None)
    """

    max_rate_constant: float | None = None
    l2: float = 0.0
    density: float = 1.0
    h_bounds: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        most, bounds = self.max_rate_constant, self.h_bounds
        if most is not None:
            wanted = "a finite number >= 1, since 2 Y => Y has the rate constant 1"
            real_number("max_rate_constant", most, 1.0, wanted)
        real_number("l2", self.l2, 0.0)
        remain = "the share of weights that remain, in (0, 1]"
        check_share("density", self.density, remain, whole=True)
        if bounds is None:
            return
        if not (
            isinstance(bounds, tuple | list) and len(bounds) == 2 and all(map(is_real, bounds))
        ):
            raise InputError(f"h_bounds are {bounds!r}; expected (least, largest)")
        object.__setattr__(self, "h_bounds", (float(bounds[0]), float(bounds[1])))
        if not 0 < bounds[0] < min(bounds[1], np.inf if most is None else most) < np.inf:
            raise InputError(
                f"h_bounds are {bounds!r} with max_rate_constant {most!r}; expected 0 < least <"
                " largest"
            )


@dataclass(frozen=True)
class Molecules:
    """Training for few molecules: what is minimised is the loss that is expected of outputs that
    fluctuate.

    Means and covariances are those of `noise`, the linear noise approximation at the steady state.
    The squared error that is expected is exact by these, its own value and the sum of variances
    besides; of other losses it is a mean over fixed points of the joint normal law. The noise of a
    species grows with the sum of what promotes and inhibits it, not with their difference, so
    weights that cancel are given up for others. A species that has lost its last molecule is in no
    covariance: it comes back after about 1 / (h volume), so keep h volume above 1, and look at
    `FitResult.noise` for what is doubtful.

    Parameters
    ----------
    volume : float
        Molecules at a concentration of 1, as in `Simulator.time_course`.

    Raises
    ------
    InputError

    Examples
    --------
    >>> import crn_nn_tellurium as cn
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> start = cn.Network.random([2, 4, 1], cn.SmoothedReLU(h=0.1), seed=1)
    >>> plain = cn.fit(start, X, y).network
    >>> few = cn.fit(plain, X, y, noise=cn.Molecules(1000)).network
    >>> spread = [cn.noise(net, X, volume=1000).standard_deviation.max() for net in (plain, few)]
    >>> bool(spread[1] < spread[0])
    True
    """

    volume: float

    def __post_init__(self) -> None:
        check_positive("volume", self.volume)
        object.__setattr__(self, "volume", float(self.volume))


@dataclass(frozen=True, eq=False)
class Validation:
    """Data held out of training, which stops when its loss on them no longer improves.

    The network of the least loss on these data is kept.

    Parameters
    ----------
    held_out : float or (X, y)
        The share of the samples that is held out, or data of their own.
    patience : int
        Iterations (L-BFGS-B) or epochs (Adam) without improvement after which training stops.
    seed : int
        Of which samples are held out.

    Raises
    ------
    InputError

    Examples
    --------
    >>> Validation(0.2, patience=10)
    Validation(0.2, patience=10, seed=0)
    """

    held_out: float | Data
    patience: int = 20
    seed: int = 0

    def __post_init__(self) -> None:
        given: Any = self.held_out
        if is_real(given):
            check_share("held_out", given, "a share between 0 and 1, or (X, y)")
        elif not (isinstance(given, tuple | list) and len(given) == 2):
            raise InputError(f"held_out is {given!r}; expected (X, y), or a share between 0 and 1")
        object.__setattr__(self, "patience", whole_number("patience", self.patience))
        object.__setattr__(self, "seed", seed_given(self.seed))

    def __repr__(self) -> str:
        given: Any = self.held_out
        held_out = f"{given!r}" if is_real(given) else f"{np.shape(given[0])[0]} samples"
        return f"Validation({held_out}, patience={self.patience}, seed={self.seed})"


@dataclass(frozen=True)
class ReadOutTime:
    """The answer that is trained is that at a time, not the steady state.

    A gradient costs one run forwards and one back, of all samples together, whatever the number of
    weights: 64-32-10 takes about a second for 64 samples, and is trained by `Adam` on such batches.
    These runs are of the rate equations, by no engine that could be chosen; the network that comes
    out is verified by that of `Simulator`.

    Parameters
    ----------
    time : float
        When outputs are read.
    initial : float or mapping of str to float, optional
        Start concentrations, as for `transient_sensitivities`.

    Raises
    ------
    InputError

    Examples
    --------
    >>> ReadOutTime(3.0, initial=0.0)
    ReadOutTime(time=3.0, initial=0.0)
    """

    time: float
    initial: float | Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        if self.time is None:
            raise InputError("time is None; expected a finite number > 0")
        check_time(self.time, self.initial)


Answers = SteadyStateSource | ReadOutTime


@dataclass(frozen=True)
class Monitor:
    """How a training is watched and kept; nothing here changes its result.

    Parameters
    ----------
    checkpoint : path, optional
        A file that is written at the start and every epoch (Adam) or every 100 iterations
        (L-BFGS-B). If it is there already, training resumes from it and ends with the same result
        as if it had never stopped; it refuses other data or settings.
    callback : callable, optional
        Called with each `Record` and the network; returning True ends training, pruning included. A
        checkpoint does not keep that: the next call goes on.
    progress : bool, optional
        Whether to show a bar; by default on a terminal or in a notebook.

    Raises
    ------
    InputError

    Examples
    --------
    >>> Monitor(checkpoint="run.json")
    Monitor(checkpoint='run.json', callback=None, progress=None)
    """

    checkpoint: str | os.PathLike[str] | None = None
    callback: Callable[[Record, Network], bool | None] | None = None
    progress: bool | None = None

    def __post_init__(self) -> None:
        if self.callback is not None and not callable(self.callback):
            raise InputError(
                f"callback is {self.callback!r}; expected a function of (record, network)"
            )
