"""Settling times from the envelope: integrated by roadrunner until every output is within tolerance.

The envelope of all starts only shrinks: whatever is inside it at time s was a start at time 0, so the envelope at
t + s lies inside that at t. An output is settled, for good, when the envelope's error first falls below the
tolerance. From a box of starts the envelope may widen first; what all starts have settled by, those of the
box have settled by too, so it is followed until then and the last crossing counts.
"""

from __future__ import annotations

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
_TINY = 1e-30
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
        coefficients = envelope.coefficients(fixed_point, boundary, rates)
        values = envelope.constants(fixed_point, boundary, rates)
        slowest, fastest = float(coefficients.above.min()), float(coefficients.above.max())
        start_time, start = envelope.start(fixed_point, coefficients, initial_max)
        goal = tolerance * (1 - SLACK)
        with self.model.lock:
            self.model.set_parameters(self._index, values)
            whole = self._run(start_time, start, fixed_point[1], coefficients.most, goal, _PATIENCE / slowest)
            if box is None:
                return whole
            start = envelope.start_in(fixed_point, coefficients, box)
            end = float(whole.settled.max())
            return self._run(0.0, start, fixed_point[1], coefficients.most, goal, end, EARLY / fastest)

    def _run(
        self,
        first: float,
        start: FloatArray,
        upper: FloatArray,
        couplings: FloatArray,
        goal: float,
        limit: float,
        step: float = 0.0,
    ) -> Course:
        """Follow from one time until all errors are below the goal, or (with a first step) to the limit."""
        times, states = [np.array([first])], [start[None]]
        now, grown = first, step or first
        while True:
            grid = grown * RATIO ** np.arange(0 if now < grown else 1, _CHUNK)
            grid = np.unique(np.minimum(grid, limit)) if step else grid
            found = self._integrate(states[-1][-1], np.concatenate([[now], grid]))[1:]
            times.append(grid)
            states.append(found)
            now = grown = float(grid[-1])
            above, below = self.errors(found[-1], upper)
            if (now >= limit) if step else max(above.max(), below.max()) <= goal:
                break
            if now > limit:
                raise NotCertified(
                    f"network {self.net.name!r}: the envelope is still {max(above.max(), below.max()):.3g} wide at "
                    f"t = {now:.3g}, {_PATIENCE:g} times the slowest unit's time; it does not come within the tolerance"
                )
        time, state = np.concatenate(times), np.concatenate(states)
        above, below = self.errors(state, upper)
        settled = self._crossings(time, state, np.maximum(above, below), upper, goal)
        slowest = int(settled.argmax())
        at = state[min(int(np.searchsorted(time, settled[slowest])), len(time) - 1)]
        high, low = self.envelope.relative(at)
        parts = self.read_out[slowest] * upper
        rising = bool(above[-1, slowest] >= below[-1, slowest])
        feeds = np.maximum(parts, 0) * (high if rising else low) + np.maximum(-parts, 0) * (low if rising else high)
        species = int(feeds.argmax())
        chain = self.envelope.chain(at, species, rising == (parts[species] > 0), couplings)
        return Course(time, state, above, below, settled, chain)

    def _crossings(
        self, time: FloatArray, state: FloatArray, error: FloatArray, upper: FloatArray, goal: float
    ) -> FloatArray:
        """After which time each output (n_out,) stays below the goal, on a finer grid between two points."""
        late = error > goal
        last = np.where(late.any(axis=0), len(time) - 1 - late[::-1].argmax(axis=0), -1)
        settled = np.where(last < 0, 0.0, time[np.minimum(last + 1, len(time) - 1)])
        for k in np.unique(last[(last >= 0) & (last < len(time) - 1)]):
            fine = np.linspace(time[k], time[k + 1], _FINE)
            above, below = self.errors(self._integrate(state[k], fine), upper)
            still = np.maximum(above, below) > goal
            at = len(fine) - 1 - still[::-1].argmax(axis=0)
            here = last == k
            settled[here] = np.minimum(fine[np.minimum(at + 1, len(fine) - 1)], settled)[here]
        return settled

    def _integrate(self, start: FloatArray, times: FloatArray) -> FloatArray:
        # roadrunner's error weights vanish with a species; more error than there is makes a later bound, still one
        start = np.where(np.abs(start) < _TINY, _TINY, start)
        found = self.model.time_course(np.ones(1), start[self._order], times)
        result = np.empty_like(found)
        result[:, self._order] = found
        return result
