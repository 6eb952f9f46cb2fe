"""The search for h: least settling time with an error at most so large, or the other way round.

In log10 h of the free layers, by COBYLA (Powell 1994, doi 10.1007/978-94-015-8330-5_4), which needs
no derivatives of the worst over inputs and outputs. It begins at the best common h and keeps the
best point that meets the limit, so its answer is never worse than that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy import optimize

from crn_nn_tellurium.basics import FloatArray, Recent
from crn_nn_tellurium.certificates.certificate import Bound, certify
from crn_nn_tellurium.certificates.closed_form import CheapBound
from crn_nn_tellurium.certificates.question import INITIAL_MAX
from crn_nn_tellurium.fluctuations import Noise, closed_form_noise
from crn_nn_tellurium.kinetics import NetworkKinetics
from crn_nn_tellurium.networks import Network

_TINY = 1e-300
# Of 30 searches (shipped models and random networks of 2 to 5 layers), half a decade for the first
# step found points 3 % worse on average than a whole one, up to 24 % worse, with 13 % fewer
# settling times computed. COBYQA, as often begun again, found as good points as this with as many,
# but its own algebra, some 10 ms a step, made it three times as slow.
_STEPS = (1.0, 0.1)
"""First steps of one COBYLA run after the other, each from the best point so far, in decades."""
_CLOSE = 1e-3
"""Decades of h at which a run ends."""
_ROUNDS = 3
_BETTER = 0.995
"""Another round of runs is worth while if the last one was better by this."""
_VALLEYS = 2
"""From how many of the curve's local minima a search begins, besides its best point."""
_BETWEEN = 3
"""Points that are tried between what was found and the common h."""
_BATCH = 16
"""Inputs that the envelope is asked about at once: most are cleared after the first ones."""
_TRIES = 4
_MARGIN = 0.99
"""A search whose answer is too late is begun again, with so much less time and times this."""

Point = tuple[float, ...]
"""log10 h of the layers that are free."""


class Trials:
    """What a network gives at one h or another on inputs (n_samples, n_in), each found once.

    Errors are from a reference (n_samples, n_out), settling times to within a tolerance. With a
    volume, errors are roots of mean squares: of what outputs are off by as their mean, and of their
    standard deviation.
    """

    def __init__(
        self,
        net: Network,
        x: FloatArray,
        reference: FloatArray,
        tolerance: float,
        bound: Bound,
        volume: float | None = None,
    ) -> None:
        self.net, self.x, self.reference = net, x, reference
        self.tolerance, self.bound, self.volume = tolerance, bound, volume
        self.n_free = len(free_layers(net))
        # what the curve and the choice ask for beside the error is asked for soon after it
        self._noise: Recent[Point, Noise] = Recent(4)
        self._errors: dict[Point, FloatArray] = {}
        self._cheap: dict[Point, FloatArray] = {}
        self._envelope: dict[Point, float] = {}

    def error(self, point: Point) -> float:
        """Largest difference from the reference."""
        if point not in self._errors:
            self._errors[point] = self._off(point).max(axis=1)
        return float(self._errors[point].max())

    def _off(self, point: Point) -> FloatArray:
        """By sample and output, the distance from the reference."""
        found = self.noise(point)
        if found is None:
            return np.abs(with_log_h(self.net, point)(self.x) - self.reference)
        off = found.mean - self.reference
        return np.asarray(np.hypot(off, found.standard_deviation))

    def noise(self, point: Point) -> Noise | None:
        """At the volume, if there is one."""
        volume = self.volume
        if volume is None:
            return None
        net = with_log_h(self.net, point)
        return self._noise.get(point, lambda: closed_form_noise(net, self.x, volume))

    def time(self, point: Point) -> float:
        """The worst settling time by the bound asked for."""
        if self.bound == "cheap":
            return self.cheap_time(point)
        if point not in self._envelope:
            self._envelope[point] = self._envelope_time(point)
        return self._envelope[point]

    def cheap_time(self, point: Point) -> float:
        """The worst settling time by the closed form."""
        return float(self._cheap_times(point).max())

    def _cheap_times(self, point: Point) -> FloatArray:
        if point not in self._cheap:
            kinetics = NetworkKinetics(with_log_h(self.net, point))
            bound = CheapBound(kinetics, self.x, self.tolerance, INITIAL_MAX)
            self._cheap[point] = bound.times.max(axis=1)
        return self._cheap[point]

    def _envelope_time(self, point: Point) -> float:
        # each input settles by the sooner of two bounds: those cleared already need no envelope
        cheap = self._cheap_times(point)
        order = np.argsort(-cheap, kind="stable")
        worst = 0.0
        for first in range(0, len(order), _BATCH):
            batch = order[first : first + _BATCH]
            batch = batch[cheap[batch] > worst]
            if not len(batch):
                break
            found = certify(with_log_h(self.net, point), self.x[batch], self.tolerance)
            sooner = np.minimum(found.by_sample.max(axis=1), cheap[batch])
            worst = max(worst, float(sooner.max()))
        return worst

    def worst_inputs(self, point: Point) -> set[int]:
        """The inputs with the largest error and the largest closed-form time at a point."""
        self.error(point)
        return {int(self._errors[point].argmax()), int(self._cheap_times(point).argmax())}

    def hard_inputs(self) -> set[int]:
        """The inputs that were the worst at some point tried: few of many."""
        return {int(v.argmax()) for v in (*self._errors.values(), *self._cheap.values())}

    def at_inputs(self, chosen: set[int]) -> Trials:
        """The same on some of the inputs, by the closed form."""
        if len(chosen) == len(self.x) and self.bound == "cheap":
            return self  # with all that it has found
        rows = sorted(chosen)
        reference = self.reference[rows]
        return Trials(self.net, self.x[rows], reference, self.tolerance, "cheap", self.volume)


def free_layers(net: Network) -> list[int]:
    """Layers whose h is smoothing, not part of their function."""
    return [i for i, layer in enumerate(net.layers) if layer.activation.h_is_smoothing]


def with_log_h(net: Network, point: Point) -> Network:
    """The network at a point: log10 h of its free layers."""
    h = list(net.h)
    for layer, value in zip(free_layers(net), point, strict=True):
        h[layer] = 10.0**value
    return net.with_h(h)


@dataclass(frozen=True)
class Aim:
    """The least of one figure of merit, the goal, with at most so much of the other."""

    goal: Literal["error", "settling_time"]
    most: float

    def value(self, trials: Trials, point: Point) -> float:
        """What is to be small."""
        return trials.error(point) if self.goal == "error" else trials.time(point)

    def limited(self, trials: Trials, point: Point) -> float:
        """What has a limit."""
        return trials.time(point) if self.goal == "error" else trials.error(point)

    def is_met(self, trials: Trials, point: Point) -> bool:
        """Whether the limit is kept."""
        return self.limited(trials, point) <= self.most

    def rank(self, trials: Trials, point: Point) -> tuple[bool, float]:
        """Smaller is better: points that keep the limit by value, then the others by excess."""
        if self.is_met(trials, point):
            return False, self.value(trials, point)
        return True, self.limited(trials, point)


class Search:
    """The best points of an aim: `common`, with an h that all free layers share, and `best`, with
    one of each; where no point was found that meets the limit, the nearest to it.
    """

    # points have an h that all free layers share, ascending; the two at the ends bound the search
    def __init__(self, trials: Trials, points: list[Point], aim: Aim) -> None:
        self._trials, self._aim = trials, aim
        self._ends = points[0][0], points[-1][0]
        common = self._better(*points)
        starts = dict.fromkeys([common, *_valleys(trials, points)])
        found = [self._improved(start, trials.n_free) for start in starts]
        self.common = self.best = self._better(common, *found)
        if trials.n_free > 1:
            # starts that agree to a hundredth of a decade lead to the same place
            alike = {tuple(np.round(point, 2)): point for point in (*found, self.common)}
            for start in alike.values():
                reached = self._improved(start, 1)
                self.best = self._better(self.best, reached, *self._between(reached))

    def _better(self, *points: Point) -> Point:
        """The best of some points by the bound asked for, which need not be that of the search."""
        return min(points, key=lambda point: self._aim.rank(self._trials, point))

    def _between(self, reached: Point) -> list[Point]:
        """Points on the way from the common h: the soonest by the closed form may lie beyond."""
        if self._trials.bound == "cheap":
            return []
        steps = np.linspace(self.common, reached, _BETWEEN + 2)[1:-1]
        return [tuple(step) for step in steps.tolist()]

    def _improved(self, start: Point, tied: int) -> Point:
        """The best point found from one that is good, so many layers with one h."""
        trials, most = self._trials, self._aim.most
        if self._aim.goal == "settling_time":
            return self._found(self._aim, start, tied)
        # a search by the closed form gets as much more time as that is later than the envelope
        allowed = most * trials.cheap_time(start) / max(trials.time(start), _TINY)
        for _ in range(_TRIES):
            found = self._found(Aim("error", allowed), start, tied)
            if (time := trials.time(found)) <= most:
                break
            allowed *= _MARGIN * most / time
        return found

    def _found(self, aim: Aim, start: Point, tied: int) -> Point:
        """What a search by the closed form finds, on hard inputs until no other one is worse."""
        while True:
            hard = self._trials.hard_inputs()
            part = self._trials.at_inputs(hard)
            point = start
            if not aim.is_met(part, start):
                point = self._minimize(part, aim, start, tied, to_limit=True)
            if aim.is_met(part, point):
                point = self._minimize(part, aim, point, tied)
            if self._trials.worst_inputs(point) <= hard:
                return point

    def _minimize(
        self, trials: Trials, aim: Aim, start: Point, tied: int, to_limit: bool = False
    ) -> Point:
        """The best point that COBYLA saw on its way down, within the limit or to the limit."""
        low, high = self._ends
        best = start

        def seen(log_h: FloatArray) -> Point:
            nonlocal best
            point = tuple(np.clip(log_h, low, high).tolist()) * tied
            if aim.rank(trials, point) < aim.rank(trials, best):
                best = point
                if to_limit and aim.is_met(trials, best):
                    raise _EnoughError
            return point

        def height(log_h: FloatArray) -> float:
            return _log((aim.limited if to_limit else aim.value)(trials, seen(log_h)))

        def slack(log_h: FloatArray) -> float:
            return _log(aim.most) - _log(aim.limited(trials, seen(log_h)))

        n = len(start) // tied
        limits: Any = {"bounds": [(low, high)] * n}
        if not to_limit:
            limits["constraints"] = [{"type": "ineq", "fun": slack}]
        for _ in range(_ROUNDS):
            _, before = aim.rank(trials, best)
            try:
                for step in _STEPS:
                    how = {"rhobeg": step, "tol": _CLOSE, "maxiter": 50 * n}
                    begin = np.array(best[:n])
                    optimize.minimize(height, begin, method="COBYLA", options=how, **limits)
            except _EnoughError:
                break
            if not aim.rank(trials, best)[1] < _BETTER * before:
                break
        return best


class _EnoughError(Exception):
    """A search has found what it is for."""


def _valleys(trials: Trials, points: list[Point]) -> list[Point]:
    """The points where the settling time is less than at their neighbours, the deepest ones."""
    times = [trials.time(point) for point in points]
    # beyond both ends of the curve nothing is better
    before, after = [np.inf, *times[:-1]], [*times[1:], np.inf]
    valleys = []
    for earlier, here, later, point in zip(before, times, after, points, strict=True):
        if earlier > here < later:
            valleys.append((here, point))
    return [point for _, point in sorted(valleys)[:_VALLEYS]]


def _log(value: float) -> float:
    return float(np.log10(max(value, _TINY)))
