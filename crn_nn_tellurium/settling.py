"""Settling times from the envelope: integrated by roadrunner until every output is within tolerance.

All starts are never left: whatever a trajectory has become at time s could have been its start, so what
holds of all trajectories at time t holds from t on, and an output is settled, for good, when the envelope's error first
falls below the tolerance (docs/theory.md, theorem 10). From a box of starts the envelope may widen; what all starts
have settled by, those of the box have settled by too, so it is followed until then and the last crossing counts. It
is looked for on a grid of times, finely wherever an error comes near the tolerance; an excursion between two points
of the coarse grid that are both below four fifths of it would not be seen. Where species have starts that
may be left (a follower that nothing limits), or there is no bound over all starts, an envelope is followed until
all its errors fall, which they then do for ever.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.antimony_writer import structure_text
from crn_nn_tellurium.encoding import to_reactions
from crn_nn_tellurium.engine import CompiledModel, compiled
from crn_nn_tellurium.envelope import EARLY, Envelope
from crn_nn_tellurium.errors import ModelTooLargeError, NotCertified
from crn_nn_tellurium.fixed_point_bounds import Bounds
from crn_nn_tellurium.network import Network
from crn_nn_tellurium.reactions import FloatArray

SLACK = 1e-6
"""The envelope is held to (1 - SLACK) times the tolerance, for the errors of an integration to 1e-10."""
RATIO = 1.05
"""Ratio of one time to the next on the grid that the envelope is first followed on."""
_CHUNK = 60
_FINE = 33
_NEAR = 0.8
_TINY = 1e-30
_AGREES = 1e-6
_PATIENCE = 1e4
"""How long the envelope is followed, in units of the slowest unit's time."""
LIMIT = 8_000
"""Couplings (weights after the first layer, times the species read) up to which the envelope is compiled."""


@dataclass(frozen=True)
class Course:
    """An envelope over time, as far as it was followed.

    Attributes
    ----------
    time : (n_points,) ndarray
    state : (n_points, n_species) ndarray
        Relative errors, in the order of `Envelope.network.floating`.
    above, below : (n_points, n_out) ndarray
        How far the outputs may be above and below their fixed point.
    settled : (n_out,) ndarray
        By when each output is within tolerance.
    chain : tuple of str
        The species that the slowest output waits for, from the first layer on.
    """

    time: FloatArray
    state: FloatArray
    above: FloatArray
    below: FloatArray
    settled: FloatArray
    chain: tuple[str, ...]


class EnvelopeModel:
    """The envelope of one network's chemistry, compiled.

    Parameters
    ----------
    net : Network

    Raises
    ------
    ModelTooLargeError
        If the envelope has more couplings than can be compiled in reasonable time.
    NotCertified
        If no envelope is known for an activation's chemistry.
    """

    def __init__(self, net: Network) -> None:
        self.net = net
        self.crn = to_reactions(net)
        self.envelope = Envelope(self.crn)
        if (size := self.envelope.n_couplings) > LIMIT:
            raise ModelTooLargeError(
                f"network {net.name!r}: its envelope has {size} couplings between units and is compiled up to {LIMIT}; "
                "bound='cheap' has no limit"
            )

    @cached_property
    def model(self) -> CompiledModel:
        """The compiled model, shared by all networks of one structure and with weights of the same signs."""
        return compiled(structure_text(self.envelope.network, frozenset()))

    @cached_property
    def _order(self) -> npt.NDArray[np.intp]:
        place = {name: i for i, name in enumerate(self.envelope.network.floating)}
        return np.array([place[name] for name in self.model.floating])

    @cached_property
    def _index(self) -> npt.NDArray[np.int32]:
        return self.model.parameter_index(self.envelope.network.rate_constants)

    @cached_property
    def read_out(self) -> FloatArray:
        """Coefficients (n_out, n_floating) of the species in the outputs."""
        activation = self.net.layers[-1].activation
        unit = np.zeros(len(activation.species))
        for name, coefficient in activation.read_out.read:
            unit[activation.species.index(name)] = coefficient
        result = np.zeros((self.net.n_out, len(self.crn.floating)))
        first = len(self.crn.floating) - self.net.n_out * len(unit)
        for j in range(self.net.n_out):
            result[j, first + j * len(unit) : first + (j + 1) * len(unit)] = unit
        return result

    def errors(self, state: FloatArray, upper: FloatArray) -> tuple[FloatArray, FloatArray]:
        """How far the outputs (..., n_out) may be above and below, for fixed points up to `upper` (n_floating,)."""
        high, low = self.envelope.relative(state)
        gains, losses = (np.maximum(sign * self.read_out, 0) * upper for sign in (1, -1))
        return high @ gains.T + low @ losses.T, low @ gains.T + high @ losses.T

    def output_bounds(self, points: Bounds) -> Bounds:
        """Bounds of the outputs (..., n_out) for species between bounds (..., n_floating)."""
        constant = self.net.layers[-1].activation.read_out.constant
        gains, losses = (np.maximum(sign * self.read_out, 0) for sign in (1, -1))
        low, high = points
        return constant + low @ gains.T - high @ losses.T, constant + high @ gains.T - low @ losses.T

    def follow(
        self,
        fixed_point: Bounds,
        boundary: Bounds,
        tolerance: float,
        initial_max: float,
        rates: float = 0.0,
        box: Bounds | None = None,
    ) -> Course:
        """Follow the envelope from all starts, or from a box of starts, until every output has settled.

        Parameters
        ----------
        fixed_point, boundary : pair of ndarray
            Bounds of the floating species' fixed point and of the boundary species.
        tolerance : float
            In units of the outputs.
        initial_max : float
            Cap on the starts of species that lose in proportion to themselves.
        rates : float
            Relative error of every rate constant.
        box : pair of (n_floating,) ndarray, optional
            Bounds of the starts.

        Raises
        ------
        NotCertified
            If the envelope does not come within tolerance.
        ConvergenceError
            If the integrator gives up.
        """
        envelope = self.envelope
        self._check(fixed_point, boundary, rates)
        coefficients = envelope.coefficients(fixed_point, boundary, rates)
        values = envelope.constants(fixed_point, boundary, rates)
        patience = _PATIENCE / float(coefficients.above.min())
        goal = tolerance * (1 - SLACK)
        if box is not None:
            # starts of the box above the cap must be among those that the bound over all starts covers
            initial_max = max(initial_max, float(np.max(box[1], initial=0.0, where=envelope.needs_cap)))

        def is_last(time: float, state: FloatArray) -> bool:
            error = np.max(self.errors(state, fixed_point[1]))
            if time > patience and error > goal:
                raise NotCertified(
                    f"network {self.net.name!r}: the envelope is still {error:.3g} wide at t = {time:.3g}, "
                    f"{_PATIENCE:g} times the slowest unit's time; it does not come within the tolerance"
                )
            return bool(error <= goal) and (trusted or time > patience or envelope.shrinks(state, values))

        def course(time: FloatArray, state: FloatArray, may_widen: bool) -> Course:
            return self._course(time, state, fixed_point[1], coefficients.most, goal, may_widen)

        with self.model.lock:
            self.model.set_parameters(self._index, values)
            trusted = envelope.invariant
            whole: Course | None = None
            try:
                begin = envelope.start(fixed_point, coefficients, initial_max)
                whole = course(*self._run(*begin, is_last), not trusted)
            except NotCertified:
                if box is None:
                    raise
            if box is None and whole is not None:
                return whole
            assert box is not None  # else there is a whole, or it was refused
            start = envelope.start_in(fixed_point, coefficients, box, whole is not None)
            step = EARLY / float(coefficients.above.max())
            if whole is None:
                trusted = False
                return course(*self._run(0.0, start, is_last, step), True)
            end = float(whole.settled.max())
            return course(*self._run(0.0, start, lambda time, _: time >= end, step, end), True)

    def _check(self, fixed_point: Bounds, boundary: Bounds, rates: float) -> None:
        """Refuse what is not a positive, stable fixed point: an activation's closed form is its author's word alone."""
        names, low = self.crn.floating, fixed_point[0]
        bad = ~(np.isfinite(low) & (low > 0))
        reason = "its closed form gives {:.3g}, which is no positive concentration"
        if not bad.any() and not rates and np.array_equal(*fixed_point) and np.array_equal(*boundary):
            balance = self.crn.balance(low, boundary[0])
            bad = balance.distance > _AGREES * low + balance.rounding
            reason = "the reactions do not settle at {:.3g}, which its closed form gives"
        if bad.any():
            i = int(np.argmax(bad))
            raise NotCertified(f"network {self.net.name!r}: species {names[i]!r}: {reason.format(low[i])}")
        rate = self.envelope.coefficients(fixed_point, boundary, rates).above
        if not np.all(rate > 0):
            raise NotCertified(
                f"network {self.net.name!r}: species {names[int(rate.argmin())]!r} need not come back to its fixed "
                f"point (its rate there is {rate.min():.3g}), so the positive fixed point need not be reached"
            )

    def _run(
        self,
        first: float,
        start: FloatArray,
        is_last: Callable[[float, FloatArray], bool],
        step: float = 0.0,
        end: float = np.inf,
    ) -> tuple[FloatArray, FloatArray]:
        """Times and states from one time on, up to the end of the chunk that is the last, at most to `end`.

        From time 0, `step` is the first step.
        """
        times, states = [np.array([first])], [start[None]]
        grown = first or step
        grid = grown * RATIO ** np.arange(0 if first < grown else 1, _CHUNK)
        while True:
            grid = np.unique(np.minimum(grid, end))
            states.append(self._integrate(states[-1][-1], np.concatenate([times[-1][-1:], grid]))[1:])
            times.append(grid)
            if is_last(float(grid[-1]), states[-1][-1]):
                return np.concatenate(times), np.concatenate(states)
            grid = grid[-1] * RATIO ** np.arange(1, _CHUNK)

    def _course(
        self,
        time: FloatArray,
        state: FloatArray,
        upper: FloatArray,
        couplings: FloatArray,
        goal: float,
        may_widen: bool,
    ) -> Course:
        """What a run says: by when each output has settled, and what the slowest waits for."""
        above, below = self.errors(state, upper)
        settled = self._crossings(time, state, np.maximum(above, below), upper, goal, may_widen)
        slowest = int(settled.argmax())
        at = min(int(np.searchsorted(time, settled[slowest])), len(time) - 1)
        high, low = self.envelope.relative(state[at])
        parts = self.read_out[slowest] * upper
        rising = bool(above[at, slowest] >= below[at, slowest])
        feeds = np.maximum(parts, 0) * (high if rising else low) + np.maximum(-parts, 0) * (low if rising else high)
        species = int(feeds.argmax())
        chain = self.envelope.chain(state[at], species, rising == (parts[species] > 0), couplings)
        return Course(time, state, above, below, settled, chain)

    def _crossings(
        self,
        time: FloatArray,
        state: FloatArray,
        error: FloatArray,
        upper: FloatArray,
        goal: float,
        may_widen: bool,
    ) -> FloatArray:
        """After which time each output (n_out,) stays below the goal, on a finer grid between two points.

        Where the envelope may widen, steps that come near the goal are looked at on the finer grid as well.
        """
        near = goal * (_NEAR if may_widen else 1.0)
        late = np.maximum(error[:-1], error[1:]) > near
        settled = np.full(error.shape[1], time[0])
        open_ = late.any(axis=0)
        for k in range(len(time) - 2, -1, -1):
            here = late[k] & open_
            if not here.any():
                continue
            fine = np.linspace(time[k], time[k + 1], _FINE)
            above, below = self.errors(self._integrate(state[k], fine), upper)
            still = np.maximum(above, below) > goal
            still[-1] |= error[k + 1] > goal
            found = here & still.any(axis=0)
            last = _FINE - 1 - still[::-1].argmax(axis=0)
            settled[found] = fine[np.minimum(last + 1, _FINE - 1)][found]
            open_ &= ~found
        return settled

    def _integrate(self, start: FloatArray, times: FloatArray) -> FloatArray:
        # roadrunner's error weights vanish with a species; more error than there is makes a later bound, still one
        start = np.where(np.abs(start) < _TINY, _TINY, start)
        found = self.model.time_course(np.ones(1), start[self._order], times)
        result = np.empty_like(found)
        result[:, self._order] = found
        return result
