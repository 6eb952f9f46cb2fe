"""Settling times from the envelope: integrated until every output is within tolerance.

All starts are never left: whatever a trajectory has become at time s could have been its start, so
what holds of all trajectories at time t holds from t on, and an output is settled, for good, when
the envelope's error first falls below the tolerance (docs/theory.md, theorem 10). From a box of
starts the envelope may widen; what all starts have settled by, those of the box have settled by
too, so it is followed until then and the last crossing counts. It is looked for on a grid of times,
finely wherever an error comes near the tolerance; an excursion between two points of the coarse
grid that are both below four fifths of it would not be seen. Where species have starts that may be
left (a follower that nothing limits), or there is no bound over all starts, an envelope is followed
until all its errors fall, which they then do for ever.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.certificates.closed_form import covers
from crn_nn_tellurium.certificates.envelope import Coefficients, Envelope
from crn_nn_tellurium.certificates.pace import Pace
from crn_nn_tellurium.certificates.question import Answer, EnvelopeCourse, Question
from crn_nn_tellurium.certificates.starts import EARLY, needs_cap, start_anywhere, start_in
from crn_nn_tellurium.chemistry import Interval
from crn_nn_tellurium.encoding import to_reactions
from crn_nn_tellurium.errors import ConvergenceError, NotCertified
from crn_nn_tellurium.kinetics import Bounds, NetworkKinetics, settle_between
from crn_nn_tellurium.simulation import EngineLike, Integrator, Tolerances, as_engine

SLACK = 1e-6
"""The envelope is held to (1 - SLACK) times the tolerance, for an integration to 1e-10."""
_FINER = 1e-2
"""What the integration's relative tolerance is multiplied by where noise shows."""
RATIO = 1.05
"""Ratio of one time to the next on the grid that the envelope is first followed on."""
_STEPS = 5_000
"""CVODE's steps from one time of the grid to the next. Most take tens, a few thousands; beyond that
it follows its own rounding, and would for minutes."""
_CHUNK = 60
"""Times that are integrated before it is asked whether all is settled: a factor of 18 in time."""
_BEYOND = 100.0
"""How many times its fixed point a lower copy may be above it while a whole chunk is integrated."""
_FINE = 33
"""Points within one step near a crossing: the bound is late by 5 % / 32 of the time at most."""
_NEAR = 0.8
"""Share of the tolerance from which on a step is looked at finely."""
_TINY = 1e-30
_HELD = np.ones(1)  # the envelope's only boundary species is 1
_NOISE = 1e-8
"""Of a fixed point: a hundred times what the integration may be off."""
_COARSE = 2
"""Every how many times of the grid it is first looked whether outputs settle before that."""
_AGREES = 1e-6
"""How far, relative to a concentration, a closed form may be from where the reactions settle."""
_PATIENCE = 1e4
"""How long the envelope is followed, in units of the slowest unit's time."""


@dataclass(frozen=True)
class Course:
    """An envelope over time (n_points,), as far as it was followed."""

    time: FloatArray
    # how far the outputs may be above and below their fixed point, (n_points, n_out)
    above: FloatArray
    below: FloatArray
    # by when each output is within tolerance, (n_out,)
    settled: FloatArray
    # the species that the slowest output waits for, from the first layer on
    chain: tuple[str, ...]
    # slowest rate at the fixed point
    rate: float


@dataclass(frozen=True)
class _Aim:
    """What an envelope is followed for: made of what, to which error of the outputs."""

    coefficients: Coefficients
    values: FloatArray
    goal: float
    tolerances: Tolerances
    # bounds of the boundary species, and the error of the rate constants
    boundary: Bounds
    rates: float
    # what would help, in words
    advice: str
    # whether copies may start beyond the fixed point, where their errors are negative
    either_side: bool = False

    @property
    def rate(self) -> float:
        """Slowest rate at the fixed point."""
        return float(self.coefficients.rate.min())

    @property
    def upper(self) -> FloatArray:
        """The upper bound of the fixed point, which errors are relative to."""
        return self.coefficients.fixed_point[1]


class EnvelopeModel:
    """The envelope of one network's chemistry, made once and followed for each sample."""

    def __init__(self, kinetics: NetworkKinetics, engine: EngineLike = None) -> None:
        self.kinetics = kinetics
        self.net = kinetics.net
        self.crn = to_reactions(self.net)
        self.envelope = Envelope(self.crn)
        self.engine = as_engine(engine, len(self.envelope.network.reactions))

    def answer(self, question: Question) -> Answer:
        """By when the outputs have settled; raises what `certify` says."""
        coding = self.net.input_coding
        points, courses = [], []
        for lower, upper in zip(question.inputs.lower, question.inputs.upper, strict=True):
            held = coding.code_between(lower, upper)
            boundary = held[0].ravel(), held[1].ravel()
            points.append(fixed_point(self.kinetics, held, question.rates))
            courses.append(self.follow(points[-1], boundary, question))
        times = np.array([course.settled for course in courses])
        worst = int(times.max(axis=1).argmax())
        course = courses[worst]
        low, high = self._output_bounds(points[worst])
        lowest, highest = (np.array([bounds[up] for bounds in points]) for up in (0, 1))
        capped: Any = np.array(self.crn.floating)[needs_cap(self.envelope)]
        return Answer(
            by_sample=times,
            chain=course.chain,
            rate=min(course.rate for course in courses),
            outputs=Interval(*self._output_bounds((lowest, highest))),
            fixed_point=Interval(lowest, highest),
            capped=tuple(capped.tolist()) if question.starts is None else (),
            envelope=EnvelopeCourse(course.time, low - course.below, high + course.above),
        )

    @cached_property
    def flat(self) -> Integrator:
        """The envelope, to be integrated; one for one structure and signs of weights."""
        return self.engine.model(self.envelope.network)

    def _tolerances(self, found: Coefficients) -> Tolerances:
        """How exactly the copies are integrated.

        By itself roadrunner makes an absolute tolerance the smaller, the less there is of a
        species: what has died out it would follow through its rounding, without end.
        """
        names, usual = self.envelope.network.floating, self.engine.tolerances
        rails = self.envelope.riccati
        # what is left of a rail's lower copy grows from S / c on its own, in proportion to itself
        least = np.min(found.below[rails] / found.above[rails], initial=1.0)
        rest = min(usual.absolute, usual.relative * float(least))
        each = dict.fromkeys(names, usual.absolute) | {names[i]: rest for i in self.envelope.rests}
        return replace(usual, absolute_of=each, steps=_STEPS)

    @cached_property
    def _read_out(self) -> FloatArray:
        """Coefficients (n_out, n_floating) of the species in the outputs."""
        own = np.kron(np.eye(self.net.n_out), self.net.layers[-1].activation.read_coefficients)
        # the last layer's species are the last ones
        others = len(self.crn.floating) - own.shape[1]
        return np.pad(own, ((0, 0), (others, 0)))

    def errors(self, state: FloatArray, upper: FloatArray) -> tuple[FloatArray, FloatArray]:
        """How far the outputs (..., n_out) may be above and below, for fixed points <= `upper`."""
        high, low = self.envelope.relative(state)
        gains = np.maximum(self._read_out, 0) * upper
        losses = np.maximum(-self._read_out, 0) * upper
        above = high @ gains.T + low @ losses.T
        below = low @ gains.T + high @ losses.T
        return above, below

    def _output_bounds(self, points: Bounds) -> Bounds:
        """Bounds of the outputs (..., n_out) for species between bounds (..., n_floating)."""
        low, high = (self.kinetics.of_layer(y, -1) for y in points)
        return self.net.layers[-1].activation.read_between(low, high)

    def follow(self, fixed_point: Bounds, boundary: Bounds, question: Question) -> Course:
        """Follow the envelope of one sample from all starts asked for until every output has
        settled; the bounds are of the floating species' fixed point and of the boundary species.
        """
        coefficients = self.envelope.coefficients(fixed_point, boundary, question.rates)
        self._check(coefficients, boundary)
        values = self.envelope.constants(coefficients)
        goal, advice = question.tolerance * (1 - SLACK), self._advice(question)
        exact = self._tolerances(coefficients)
        aim = _Aim(coefficients, values, goal, exact, boundary, question.rates, advice)
        if question.starts is None:
            return self._from_all(aim, question.initial_max)
        box = question.starts.lower, question.starts.upper
        return self._from_box(aim, question.initial_max, box)

    def _from_all(self, aim: _Aim, initial_max: float) -> Course:
        begin = start_anywhere(self.envelope, aim.coefficients, initial_max)
        trusted = self.envelope.invariant
        run = self._run(aim, *begin, self._settled(aim, trusted))
        return self._course(*run, aim, may_widen=not trusted)

    def _from_box(self, aim: _Aim, initial_max: float, box: Bounds) -> Course:
        # starts of the box above the cap must be among those that the bound over all starts covers
        capped = needs_cap(self.envelope)
        highest = max(initial_max, float(np.max(box[1], initial=0.0, where=capped)))
        try:
            end = float(self._from_all(aim, highest).settled.max())
        except NotCertified:
            end = np.inf
        bounded = bool(np.isfinite(end))
        start = start_in(self.envelope, aim.coefficients, box, either_side=bounded)
        aim = replace(aim, either_side=bool(np.min(start) < 0))
        is_last = (lambda time, _: time >= end) if bounded else self._settled(aim, trusted=False)
        run = self._run(aim, 0.0, start, is_last, EARLY / float(aim.coefficients.rate.max()), end)
        return self._course(*run, aim, may_widen=True)

    def _settled(self, aim: _Aim, trusted: bool) -> Callable[[float, FloatArray], bool]:
        """Whether all outputs are settled for good; unless `trusted`, once all errors fall."""
        patience = _PATIENCE / aim.rate

        def is_last(time: float, state: FloatArray) -> bool:
            error = np.max(self.errors(state, aim.upper))
            if time > patience and error > aim.goal:
                raise NotCertified(
                    f"network {self.net.name!r}: the envelope is still {error:.3g} wide at t ="
                    f" {time:.3g}, {_PATIENCE:g} times the slowest unit's time; it does not come"
                    f" within the tolerance; {aim.advice}"
                )
            return bool(error <= aim.goal) and (
                trusted or time > patience or self.envelope.shrinks(state, aim.values)
            )

        return is_last

    def _check(self, coefficients: Coefficients, boundary: Bounds) -> None:
        """Refuse what is no positive, stable fixed point: closed forms are their authors' word."""
        names, low = self.crn.floating, coefficients.fixed_point[0]
        bad = ~(np.isfinite(low) & (low > 0))
        reason = "its closed form gives {:.3g}, which is no positive concentration"
        if not bad.any() and coefficients.known and np.array_equal(*boundary):
            balance = self.crn.balance(low, boundary[0])
            bad = balance.distance > _AGREES * low + balance.rounding
            reason = "the reactions do not settle at {:.3g}, which its closed form gives"
        network = f"network {self.net.name!r}"
        if bad.any():
            i = int(np.argmax(bad))
            raise NotCertified(f"{network}: species {names[i]!r}: {reason.format(low[i])}")
        rate = coefficients.rate
        if not np.all(rate > 0):
            slowest = names[int(rate.argmin())]
            raise NotCertified(
                f"{network}: species {slowest!r} need not come back to its fixed point (its rate"
                f" there is {rate.min():.3g}), so the positive fixed point need not be reached"
            )

    def _run(
        self,
        aim: _Aim,
        first: float,
        start: FloatArray,
        is_last: Callable[[float, FloatArray], bool],
        step: float = 0.0,
        end: float = np.inf,
    ) -> tuple[FloatArray, FloatArray]:
        """Times and states up to the last chunk's end, or `end`; `step` is the first from 0."""
        times = [np.array([first])]
        states = [start[None]]
        # from 0, times do not grow by a ratio
        grown = first or step
        grid = grown * RATIO ** np.arange(0 if first < grown else 1, self._chunk(start))
        while True:
            grid = np.unique(np.minimum(grid, end))
            since = np.concatenate([times[-1][-1:], grid])
            states.append(self._walk(states[-1][-1], since, aim)[1:])
            times.append(grid)
            if is_last(float(grid[-1]), states[-1][-1]):
                return np.concatenate(times), np.concatenate(states)
            grid = grid[-1] * RATIO ** np.arange(1, self._chunk(states[-1][-1]))

    def _chunk(self, state: FloatArray) -> int:
        """Up to which power of the ratio times are integrated at once from a state."""
        # a copy that starts beyond its fixed point is the difference of two species, which drift
        # apart by 1e-10 of their size and are put together at the start of each chunk
        _, low = self.envelope.relative(state)
        return 2 if low.min() < -_BEYOND else _CHUNK

    def _course(self, time: FloatArray, state: FloatArray, aim: _Aim, may_widen: bool) -> Course:
        """What a run says: by when each output has settled, and what the slowest waits for."""
        above, below = self.errors(state, aim.upper)
        settled = self._crossings(time, state, np.maximum(above, below), aim, may_widen)
        # where species act on one another both ways, no lines bound the outputs
        ordered = not any(layer.knot for layer in self.kinetics.layers)
        if not may_widen and ordered and len(self.net.layers) > 1:
            settled = self._hidden(time, state, settled, aim)
            past = time[:, None] >= settled
            above, below = (np.where(past, np.minimum(e, aim.goal), e) for e in (above, below))
        slowest = int(settled.argmax())
        # the state at the first time of the grid after that
        at = int(np.searchsorted(time, settled[slowest]))
        high, low = self.envelope.relative(state[at])
        parts = self._read_out[slowest] * aim.upper
        rising = bool(above[at, slowest] >= below[at, slowest])
        # an output that is too high has too much of what it adds, or too little of the rest
        own, others = (high, low) if rising else (low, high)
        feeds = np.maximum(parts, 0) * own + np.maximum(-parts, 0) * others
        species = int(feeds.argmax())
        side, most = rising == (parts[species] > 0), aim.coefficients.most
        chain = self.envelope.chain(state[at], species, side, most)
        return Course(time, above, below, settled, chain, aim.rate)

    def _hidden(
        self, time: FloatArray, state: FloatArray, settled: FloatArray, aim: _Aim
    ) -> FloatArray:
        """Times that take into account what outputs saturate against (`pace`)."""
        high, low = self.envelope.relative(state)
        lower, upper = aim.coefficients.fixed_point
        # what the integration leaves of a lower copy far below its fixed point is noise
        box = np.maximum(1 - low - _NOISE, 0.0) * lower, (1 + high) * (1 + _NOISE) * upper
        outputs = self._output_bounds((lower, upper))
        # few times tell at little cost whether there is anything to gain
        for step in (_COARSE, 1):
            part = time[::step], (box[0][::step], box[1][::step])
            pace = Pace(self.kinetics, self.crn, *part, aim.boundary, aim.rates)
            earlier = pace.settled(settled, outputs, aim.goal)
            if np.array_equal(earlier, settled):
                break
            settled = earlier
        return settled

    def _crossings(
        self, time: FloatArray, state: FloatArray, error: FloatArray, aim: _Aim, may_widen: bool
    ) -> FloatArray:
        """After which time each output (n_out,) stays below the goal, on finer grids near it."""
        # where the envelope may widen, it may also cross the goal and come back within a step
        near = aim.goal * (_NEAR if may_widen else 1.0)
        late = np.maximum(error[:-1], error[1:]) > near
        settled = np.full(error.shape[1], time[0])
        missing = late.any(axis=0)
        for k in range(len(time) - 2, -1, -1):
            here = late[k] & missing
            if not here.any():
                continue
            fine = np.linspace(time[k], time[k + 1], _FINE)
            course = self._walk(state[k], fine, aim)
            above, below = self.errors(course, aim.upper)
            still = np.maximum(above, below) > aim.goal
            still[-1] |= error[k + 1] > aim.goal
            found = here & still.any(axis=0)
            last = _FINE - 1 - still[::-1].argmax(axis=0)
            settled[found] = fine[np.minimum(last + 1, _FINE - 1)][found]
            missing &= ~found
        return settled

    def _integrate(
        self, start: FloatArray, times: FloatArray, values: FloatArray, tolerances: Tolerances
    ) -> FloatArray:
        """States (n_times, n_species) with the envelope's rate constants (n_constants,)."""
        # what is 0 cannot grow to a relative tolerance; too much error makes a later bound
        start = np.where(np.abs(start) < _TINY, _TINY, start)
        _, low = self.envelope.relative(start)
        rests = self.envelope.rests
        start[rests] = np.where(low < 0, 1 - low, start[rests])
        # nothing depends on the time itself, and beside it first steps of 1e-25 are none
        since = times - times[0]
        return self.flat.time_course(since, start, _HELD, values, tolerances=tolerances)

    def _walk(self, start: FloatArray, times: FloatArray, aim: _Aim) -> FloatArray:
        """States (n_times, n_species), refused where copies cross: they never do, so that is
        error of the integration, and a negative error would pass for a small one.
        """
        network = f"network {self.net.name!r}"
        for finer in (1.0, _FINER):
            tolerances = replace(aim.tolerances, relative=finer * aim.tolerances.relative)
            try:
                course = self._integrate(start, times, aim.values, tolerances)
            except ConvergenceError as error:
                # the integrator's own times are from here on, its advice is for time courses
                raise ConvergenceError(
                    f"{network}: the envelope could not be integrated between t = {times[0]:.6g}"
                    f" and {times[-1]:.6g}: CVODE's steps became too short or too many;"
                    f" {aim.advice}"
                ) from error
            lowest, noisy = self._noise(course, aim)
            if not noisy.any():
                return course
        k = int(noisy.argmax())
        raise NotCertified(
            f"{network}: the envelope's integration lost its digits at t = {times[k]:.3g}, also"
            f" with steps {1 / _FINER:g} times as exact: an error is {lowest[k]:.3g}, expected none"
            f" below 0, so nothing is certified; {aim.advice}"
        )

    def _noise(self, course: FloatArray, aim: _Aim) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
        """The lowest of the errors that cannot be negative (n_times,), and where the integration's
        own error would pass for a small one.
        """
        errors = _lowest(*self.errors(course, aim.upper), aim)
        allowed = np.full(errors.shape[1], aim.goal)
        if not aim.either_side:
            # noise of a species that is far below the tolerance is seen by nobody
            species = _lowest(*self.envelope.relative(course), aim) * aim.upper
            errors = np.concatenate([errors, species], axis=1)
            allowed = np.concatenate([allowed, np.maximum(aim.upper, aim.goal)])
        # what is no number is not above anything
        noisy = np.asarray(~(errors >= -SLACK * allowed).all(axis=1))
        return errors.min(axis=1), noisy

    def _advice(self, question: Question) -> str:
        """What of the question's own arguments makes an envelope narrower."""
        parts = ["a smaller rates="] * bool(question.rates)
        parts += ["a smaller box of inputs"] * (not question.is_of_points)
        if question.starts is None:
            parts.append("a box of starts in initial=")
        elif not np.array_equal(question.starts.lower, question.starts.upper):
            parts.append("a smaller box of starts")
        parts = parts or ["a larger tolerance="]
        advice = f"{' or '.join(parts)} may help"
        if question.rates or not question.is_of_points or not covers(self.kinetics):
            return advice
        alone = "" if question.starts is None else ", for all starts,"
        return f"{advice}, and bound='cheap'{alone} needs no integration"


def _lowest(high: FloatArray, low: FloatArray, aim: _Aim) -> FloatArray:
    """Of two copies' errors (n_times, n), what cannot be negative."""
    if not aim.either_side:
        return np.minimum(high, low)
    # both may be beyond the fixed point, but their width is not negative; where either is above the
    # goal nothing is accepted, and noise of large errors does no harm
    return np.where(np.maximum(high, low) > aim.goal, 0.0, high + low)


def fixed_point(kinetics: NetworkKinetics, inputs: Bounds, rates: float) -> Bounds:
    """Bounds (n_species,) of where all species settle, for inputs' species between bounds."""
    low, high = (bound[None] for bound in inputs)
    if not rates and np.array_equal(low, high):
        states = kinetics.settle_coded(low)
        y = np.concatenate([state.concentrations.ravel() for state in states])
        return y, y
    found = settle_between(kinetics, (low, high), np.array([[rates]]))
    lower = np.concatenate([bounds[0].ravel() for bounds in found])
    upper = np.concatenate([bounds[1].ravel() for bounds in found])
    return lower, upper
