"""Which h: sharp enough for the wanted accuracy, and no slower than that takes.

With smaller h every unit is nearer to the function meant, by at most sqrt(h), and its rate sqrt(z^2
+ 4h) is lower. ``choose_h`` draws that curve for an h that all layers share, and looks for the best
h layer by layer:

    least settling time   with error <= max_error,    or
    least error           with settling time <= max_time,

in log10 h by COBYLA (Powell 1994, doi 10.1007/978-94-015-8330-5_4), which needs no derivatives of
the worst over inputs and outputs. The search begins at the best common h and keeps the best point
that meets the limit, so its answer is never worse than that.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy import optimize

from crn_nn_tellurium.basics import FloatArray, check_choice, check_positive, is_real, read_only
from crn_nn_tellurium.certificates.certificate import certify
from crn_nn_tellurium.certificates.closed_form import CheapBound
from crn_nn_tellurium.certificates.question import INITIAL_MAX, input_points, kinetics_of
from crn_nn_tellurium.certificates.settling_bounds import Bound
from crn_nn_tellurium.errors import InputError, NetworkError
from crn_nn_tellurium.kinetics import NetworkKinetics
from crn_nn_tellurium.networks import Network

TOLERANCE = 1e-3
"""Of settling times, where neither a tolerance nor an error is given."""
_LIMIT = -100.0
"""log10 of an h whose square root is lost beside any value: the limit h -> 0."""
_TINY = 1e-300
_STEPS = (0.5, 0.05)
"""First steps of one COBYLA run after the other, each from the best point so far, in decades."""
_CLOSE = 1e-3
"""Decades of h at which a run ends."""
_VALLEYS = 2
_BETWEEN = 3
_ROUNDS = 3
_BETTER = 0.995
"""Another round of runs is worth while if the last one was better by this."""
_BATCH = 16
_TRIES = 4
_MARGIN = 0.99

Goal = Literal["error", "settling_time"]
Point = tuple[float, ...]
"""log10 h of the layers that are free."""


@dataclass(frozen=True, eq=False)
class HPoint:
    """A choice of h and what it gives.

    Attributes
    ----------
    h : tuple of float
        By layer.
    error : float
        Largest difference from the reference, over inputs and outputs, in units of the outputs.
    settling_time : float
        The worst over the inputs, in time units of the model.
    accuracy : float or None
        Share of right classes; None without labels.
    """

    h: tuple[float, ...]
    error: float
    settling_time: float
    accuracy: float | None

    def __repr__(self) -> str:
        return f"HPoint(h = {_numbers(self.h)}: {_figures(self)})"


@dataclass(frozen=True, eq=False)
class TradeOff:
    """Error and accuracy against settling time: one point for each h that all free layers share.

    Attributes
    ----------
    h : (n_points,) ndarray
        Ascending.
    error, settling_time : (n_points,) ndarray
        As in `HPoint`.
    accuracy : (n_points,) ndarray or None
    """

    h: FloatArray
    error: FloatArray
    settling_time: FloatArray
    accuracy: FloatArray | None

    def __post_init__(self) -> None:
        read_only(self.h, self.error, self.settling_time)
        if self.accuracy is not None:
            read_only(self.accuracy)

    def __repr__(self) -> str:
        return (
            f"TradeOff({len(self.h)} points: h {self.h[0]:.3g} to {self.h[-1]:.3g}, error"
            f" {self.error[0]:.3g} to {self.error[-1]:.3g}, settling time"
            f" {self.settling_time[0]:.4g} to {self.settling_time[-1]:.4g})"
        )


@dataclass(frozen=True, eq=False)
class HChoice:
    """The h that was chosen, what it gives, and the curve that it was chosen from.

    Attributes
    ----------
    network : Network
        With the chosen h.
    h : tuple of float
        By layer; where `Activation.h_is_smoothing` is false, the network's own.
    error, settling_time, accuracy
        As in `HPoint`.
    tolerance : float
        Of the settling times, in units of the outputs: from the settling time on, whatever the
        start, the outputs are within error + tolerance of the reference.
    bound : str
        ``"envelope"`` or ``"cheap"``.
    common : HPoint or None
        The best h that all free layers share; None where only different ones meet the limit.
    curve : TradeOff
    """

    network: Network = field(repr=False)
    h: tuple[float, ...]
    error: float
    settling_time: float
    accuracy: float | None
    tolerance: float
    bound: str
    common: HPoint | None
    curve: TradeOff

    @property
    def speed_up(self) -> float:
        """How many times sooner the outputs settle than with the best common h; 1 where there is
        none.
        """
        return (
            self.common.settling_time / self.settling_time
            if self.common and self.settling_time
            else 1.0
        )

    def __repr__(self) -> str:
        common = "none for all layers" if self.common is None else f"for all layers {self.common!r}"
        return (
            f"HChoice(h = {_numbers(self.h)}: {_figures(self)}, to within {self.tolerance:g} by"
            f" {self.bound!r}; {common})"
        )


def choose_h(
    net: Network,
    X: npt.ArrayLike,  # scikit-learn's name
    max_error: float | None = None,
    max_time: float | None = None,
    *,
    y: npt.ArrayLike | None = None,
    tolerance: float | None = None,
    reference: npt.ArrayLike | None = None,
    per_layer: bool = True,
    bound: Bound = "cheap",
    h_range: tuple[float, float] = (1e-8, 1.0),
    n_points: int = 33,
) -> HChoice:
    """Choose the smoothing of each layer for a wanted error, a wanted time, or both.

    The network is not modified. Layers whose h is part of their function
    (`Activation.h_is_smoothing` is false: sigmoids, normalised outputs) keep theirs. `Linear` is
    exact for every h, so it gets as large a one as helps.

    Parameters
    ----------
    net : Network
    X : (n_samples, n_in) array_like
        Inputs that errors and settling times are the worst of.
    max_error : float, optional
        Largest error of any output from the reference, absolute, in units of the outputs. Alone,
        the fastest h that meets it is chosen.
    max_time : float, optional
        Latest settling time, in time units of the model. Alone, the most accurate h that meets it
        is chosen; with `max_error`, the fastest, if that is in time.
    y : (n_samples,) array_like, optional
        True classes, as `Network.predict` gives them, for the accuracy.
    tolerance : float, optional
        Of the settling times, in units of the outputs; by default `max_error`, or 1e-3 without.
    reference : (n_samples, n_out) array_like, optional
        What the outputs should be; by default the network's own in the limit h -> 0 of the free
        layers.
    per_layer : bool
        Whether layers may differ; otherwise the best common h is the choice.
    bound : {"cheap", "envelope"}
        What bounds settling times. The search is by the closed form either way; ``"envelope"``
        certifies the curve's points and the choice by the envelope where that is the sooner, at
        some 30 ms an input and point.
    h_range : (float, float)
        Least and largest h. Concentrations grow as sqrt(h).
    n_points : int
        Of the curve, equally apart in log h.

    Returns
    -------
    HChoice

    Raises
    ------
    InputError
        If an argument is of the wrong kind or shape, or no h in the range meets the limits; the
        message says what is reachable.
    NetworkError
        If h of every layer is part of its function.
    NotCertified
        If no settling time is known for an activation.

    Examples
    --------
    >>> from crn_nn_tellurium import load_model, model_data
    >>> net, (X, _, y, _) = load_model("xor"), model_data("xor")
    >>> choice = choose_h(net, X, max_error=0.1, y=y)
    >>> choice.error <= 0.1, choice.accuracy
    (True, 1.0)
    >>> choice.settling_time < choice.common.settling_time
    True
    >>> in_time = choose_h(net, X, max_time=50.0)
    >>> in_time.settling_time <= 50, in_time.error < in_time.common.error
    (True, True)
    """
    check_choice("bound", bound, get_args(Bound))
    for name, value in (("max_error", max_error), ("max_time", max_time), ("tolerance", tolerance)):
        if value is not None:
            check_positive(name, value)
    if max_error is None and max_time is None:
        raise InputError(
            "neither max_error nor max_time is given; expected at least one, max_error=0.01 say"
        )
    if tolerance is None:
        tolerance = TOLERANCE if max_error is None else max_error
    grid = _grid(h_range, n_points)
    trials = _Trials(
        net, X, y, reference, float(tolerance), bound, (float(grid[0]), float(grid[-1]))
    )
    points = [(h,) * trials.n_free for h in grid.tolist()]
    curve = trials.curve(points)
    search = _Search(trials, points, per_layer)
    if max_error is None:
        assert max_time is not None  # checked above
        return search.choice("error", max_time, curve)
    found = search.choice("settling_time", max_error, curve)
    if max_time is not None and found.settling_time > max_time:
        in_time = search.choice("error", max_time, curve)
        raise InputError(
            f"max_error is {max_error!r} and max_time {max_time!r}; no h from {h_range[0]:g} to"
            f" {h_range[1]:g} was found that meets both: with that error the fastest settles by t ="
            f" {found.settling_time:.6g}, and by that time the smallest error is"
            f" {in_time.error:.6g}; expected the one or the other to be as large"
        )
    return found


class _Trials:
    """What a network gives at one h or another, each found once.

    ``hard`` are the inputs that were the worst at a point tried: few of many, which a search can do
    with.
    """

    def __init__(
        self,
        net: Network,
        x: Any,
        y: Any,
        reference: Any,
        tolerance: float,
        bound: Bound,
        ends: tuple[float, float],
    ) -> None:
        self.net = kinetics_of(net).net
        self.x = input_points(self.net, x)
        self.tolerance, self.bound, self.ends = tolerance, bound, ends
        self._free = [
            i for i, layer in enumerate(self.net.layers) if layer.activation.h_is_smoothing
        ]
        if not len(self.x):
            raise InputError(
                f"no inputs; expected at least one sample, (n_samples, {self.net.n_in})"
            )
        if not self._free:
            kinds = ", ".join(
                dict.fromkeys(type(layer.activation).__name__ for layer in self.net.layers)
            )
            raise NetworkError(
                f"network {self.net.name!r}: h is part of the function of all its activations"
                f" ({kinds}), so there is none to choose; balance(net) makes it faster without"
                " changing it"
            )
        self._y = None if y is None else np.asarray(y)
        if self._y is not None and self._y.shape != self.x.shape[:1]:
            raise InputError(
                f"y has shape {self._y.shape}; expected ({len(self.x)},), one class per sample"
            )
        self._reference = self._reference_outputs(reference)
        self.hard: set[int] = set()
        self._errors: dict[Point, float] = {}
        self._times: dict[tuple[Point, Bound], float] = {}

    def _reference_outputs(self, reference: Any) -> FloatArray:
        shape = (len(self.x), self.net.n_out)
        if reference is None:
            found = self.network((_LIMIT,) * self.n_free)(self.x)
            mend = "; give reference= outputs"
        else:
            mend = ""
            try:
                found = np.asarray(reference, dtype=float)
            except (TypeError, ValueError) as error:
                raise InputError(
                    f"reference is {reference!r}; expected numbers, shape {shape}"
                ) from error
        if found.shape != shape:
            raise InputError(
                f"reference has shape {found.shape}; expected {shape}, the outputs of each sample"
            )
        if not np.isfinite(found).all():
            i, j = (int(n) for n in np.argwhere(~np.isfinite(found))[0])
            raise InputError(
                f"reference of sample {i}, output {j}: {float(found[i, j])!r}; expected a finite"
                f" number{mend}"
            )
        return found

    @property
    def n_free(self) -> int:
        """Number of layers whose h may be chosen."""
        return len(self._free)

    def hardest(self) -> _Trials:
        """The same on the inputs that were the worst at some point tried, by the closed form."""
        rows = sorted(self.hard)
        return _Trials(
            self.net, self.x[rows], None, self._reference[rows], self.tolerance, "cheap", self.ends
        )

    def network(self, point: Point) -> Network:
        """The network at a point."""
        h = list(self.net.h)
        for layer, value in zip(self._free, point, strict=True):
            h[layer] = 10.0**value
        return self.net.with_h(h)

    def error(self, point: Point) -> float:
        """Largest difference from the reference."""
        if point not in self._errors:
            errors = np.abs(self.network(point)(self.x) - self._reference).max(axis=1)
            self.hard.add(int(errors.argmax()))
            self._errors[point] = float(errors.max())
        return self._errors[point]

    def time(self, point: Point, bound: Bound | None = None) -> float:
        """The worst settling time, by the bound asked for."""
        key = point, bound or self.bound
        if key not in self._times:
            self._times[key] = self._settling_time(self.network(point), key[1])
        return self._times[key]

    def _settling_time(self, net: Network, bound: Bound) -> float:
        cheap = CheapBound(NetworkKinetics(net), self.x, self.tolerance, INITIAL_MAX).times.max(
            axis=1
        )
        self.hard.add(int(cheap.argmax()))
        if bound == "cheap":
            return float(cheap.max())
        # each input settles by the sooner of two bounds; those that the closed form already clears
        # need no envelope
        order = np.argsort(-cheap, kind="stable")
        worst = 0.0
        for first in range(0, len(order), _BATCH):
            batch = order[first : first + _BATCH]
            batch = batch[cheap[batch] > worst]
            if not len(batch):
                break
            envelope = certify(net, self.x[batch], self.tolerance).by_sample.max(axis=1)
            worst = max(worst, float(np.minimum(envelope, cheap[batch]).max()))
        return worst

    def accuracy(self, point: Point) -> float | None:
        """Share of right classes."""
        return (
            None
            if self._y is None
            else float(np.mean(self.network(point).predict(self.x) == self._y))
        )

    def at(self, point: Point) -> HPoint:
        """All of it."""
        return HPoint(
            self.network(point).h, self.error(point), self.time(point), self.accuracy(point)
        )

    def curve(self, points: list[Point]) -> TradeOff:
        """All of it, for a common h each."""
        found = [self.at(point) for point in points]
        accuracy = None if self._y is None else np.array([p.accuracy for p in found], dtype=float)
        h = 10.0 ** np.array([point[0] for point in points])
        return TradeOff(
            h,
            np.array([p.error for p in found]),
            np.array([p.settling_time for p in found]),
            accuracy,
        )


class _Search:
    """The best point under a limit: over a common h, then layer by layer."""

    def __init__(self, trials: _Trials, points: list[Point], per_layer: bool) -> None:
        self._trials, self._points = trials, points
        self._per_layer = per_layer and trials.n_free > 1

    def choice(self, goal: Goal, most: float, curve: TradeOff) -> HChoice:
        """The point with the least of a goal and at most so much of the other."""
        trials = self._trials
        value, limited = (
            (trials.time, trials.error) if goal == "settling_time" else (trials.error, trials.time)
        )

        def better(point: Point, other: Point) -> Point:
            ranks = [
                (limited(p) > most, value(p) if limited(p) <= most else limited(p))
                for p in (point, other)
            ]
            return point if ranks[0] < ranks[1] else other

        # what a search finds counts by the bound asked for, not by that of the search
        common = functools.reduce(better, self._points)
        starts = list(dict.fromkeys([common, *self._valleys()]))
        found = [self._improved(goal, most, start, tied=True) for start in starts]
        best = common = functools.reduce(better, found, common)
        if self._per_layer:
            alike = {tuple(np.round(point, 2)): point for point in (*found, common)}
            for start in alike.values():
                reached = self._improved(goal, most, start, tied=False)
                best = better(reached, best)
                if trials.bound == "envelope":
                    # what is the soonest by the closed form may lie beyond what is by the envelope
                    between = np.linspace(common, reached, _BETWEEN + 2)[1:-1].tolist()
                    best = functools.reduce(better, map(tuple, between), best)
        if limited(best) > most:
            name, what = (
                ("max_error", "error") if goal == "settling_time" else ("max_time", "settling time")
            )
            ends = [10.0**end for end in trials.ends]
            wider = (
                f"a smaller h than {ends[0]:g}"
                if name == "max_error"
                else f"a larger h than {ends[1]:g}"
            )
            raise InputError(
                f"{name} is {most!r}; the smallest {what} found with h from {ends[0]:g} to"
                f" {ends[1]:g} is {limited(best):.6g}, at h = {_numbers(trials.network(best).h)};"
                f" expected at least that, or an h_range with {wider}"
            )
        at = trials.at(best)
        return HChoice(
            trials.network(best),
            at.h,
            at.error,
            at.settling_time,
            at.accuracy,
            trials.tolerance,
            trials.bound,
            trials.at(common) if limited(common) <= most else None,
            curve,
        )

    def _valleys(self) -> list[Point]:
        """The grid's points where the settling time is less than at their neighbours, the deepest
        ones.
        """
        times = [np.inf, *(self._trials.time(point) for point in self._points), np.inf]
        lowest = [i for i in range(len(self._points)) if times[i] > times[i + 1] < times[i + 2]]
        return [self._points[i] for i in sorted(lowest, key=lambda i: times[i + 1])[:_VALLEYS]]

    def _improved(self, goal: Goal, most: float, start: Point, *, tied: bool) -> Point:
        """The best point found from one that is good; with `tied`, layers stay alike."""
        trials = self._trials
        if goal == "settling_time":
            return self._found(goal, most, start, tied)
        # a search by the closed form gets as much more time as that is later than the envelope
        allowed = most * trials.time(start, "cheap") / max(trials.time(start), _TINY)
        for _ in range(_TRIES):
            found = self._found(goal, allowed, start, tied)
            if (time := trials.time(found)) <= most:
                break
            allowed *= _MARGIN * most / time
        return found

    def _found(self, goal: Goal, most: float, start: Point, tied: bool) -> Point:
        """What a search by the closed form finds, on the hard inputs until no other one is worse."""
        trials, n = self._trials, self._trials.n_free
        while True:
            part, known = trials.hardest(), len(trials.hard)

            def time(log_h: Point, part: _Trials = part) -> float:
                return part.time(log_h * n if tied else log_h)

            def error(log_h: Point, part: _Trials = part) -> float:
                return part.error(log_h * n if tied else log_h)

            value, limited = (time, error) if goal == "settling_time" else (error, time)
            found = self._descend(value, limited, most, start[:1] if tied else start)
            point = found * n if tied else found
            trials.error(point), trials.time(point, "cheap")
            if len(trials.hard) == known:
                return point

    def _descend(
        self,
        value: Callable[[Point], float],
        limited: Callable[[Point], float],
        most: float,
        start: Point,
    ) -> Point:
        """The least value seen where the limit is met; the least of what is limited where it is
        not.
        """
        best = start
        if limited(start) > most:
            best = self._minimize(limited, lambda _: 1.0, start, limited, enough=most)
            if limited(best) > most:
                return best
        return self._minimize(
            value,
            lambda point: _log(most) - _log(limited(point)),
            best,
            lambda point: value(point) if limited(point) <= most else np.inf,
        )

    def _minimize(
        self,
        value: Callable[[Point], float],
        slack: Callable[[Point], float],
        start: Point,
        rank: Callable[[Point], float],
        enough: float = -np.inf,
    ) -> Point:
        """COBYLA on log10 of a value where the slack is not negative; returns the point of least
        rank that it saw.
        """
        low, high = self._trials.ends
        best = start

        def seen(log_h: FloatArray) -> Point:
            nonlocal best
            point = tuple(np.clip(log_h, low, high).tolist())
            if rank(point) < rank(best):
                best = point
                if rank(best) <= enough:
                    raise _EnoughError
            return point

        for _ in range(_ROUNDS):
            before = rank(best)
            try:
                for step in _STEPS:
                    optimize.minimize(
                        lambda log_h: _log(value(seen(log_h))),
                        np.array(best),
                        method="COBYLA",
                        bounds=[(low, high)] * len(best),
                        constraints=[{"type": "ineq", "fun": lambda log_h: slack(seen(log_h))}],
                        options={"rhobeg": step, "tol": _CLOSE, "maxiter": 50 * len(best)},
                    )
            except _EnoughError:
                break
            if not rank(best) < _BETTER * before:
                break
        return best


class _EnoughError(Exception):
    """A search has found what it is for."""


def _log(value: float) -> float:
    return float(np.log10(max(value, _TINY)))


def _grid(h_range: Any, n_points: Any) -> FloatArray:
    """log10 h of the curve's points."""
    pair = h_range if isinstance(h_range, list | tuple | np.ndarray) else ()
    if (
        len(pair) != 2
        or not all(is_real(h) and np.isfinite(h) for h in pair)
        or not 0 < pair[0] < pair[1]
    ):
        raise InputError(
            f"h_range is {h_range!r}; expected the least and the largest h, 0 < least < largest"
        )
    if not (is_real(n_points) and n_points == int(n_points) and n_points >= 2):
        raise InputError(f"n_points is {n_points!r}; expected a whole number, 2 or more")
    return np.linspace(math.log10(pair[0]), math.log10(pair[1]), int(n_points))


def _numbers(values: tuple[float, ...]) -> str:
    return "(" + ", ".join(f"{value:.3g}" for value in values) + ")"


def _figures(point: HPoint | HChoice) -> str:
    accuracy = "" if point.accuracy is None else f", accuracy {point.accuracy:.3g}"
    return f"error {point.error:.3g}{accuracy}, settles by t = {point.settling_time:.4g}"
