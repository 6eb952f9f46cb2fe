"""A whole reaction network on the engine: compiled once, run in the network's own order.

The engine keeps species and parameters in an order of its own, and a compiled model is shared by
all that have its text. So whoever runs one sets all that the run relies on, under the model's
lock, and puts arrays into the engine's order and back: here, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.chemistry import Balance, ReactionNetwork
from crn_nn_tellurium.encoding import compact_signs, structure_text
from crn_nn_tellurium.simulation.coming_to_rest import that_are_stable
from crn_nn_tellurium.simulation.engine import (
    LARGEST,
    TIGHT,
    CompiledModel,
    Tolerances,
    compiled,
    within_reach,
)
from crn_nn_tellurium.simulation.integrator import Integrator
from crn_nn_tellurium.simulation.pieces import NO_CHANGES, Changes, Run, piecewise
from crn_nn_tellurium.simulation.settle import Block, Settled, Which, integrate, solve


class FlatModel(Integrator):
    """A reaction network on the engine, all of it together.

    Networks of equal structure share a compiled model, whatever the values and signs of their rate
    constants: these are set with every run. Start, boundary concentrations and rate constants are
    the network's own unless a run is given others. `text` is another text than its compact
    structure, with rate constants as sizes; `further` are floating species that only that text has.
    """

    def __init__(
        self,
        crn: ReactionNetwork,
        text: str | None = None,
        further: Sequence[str] = (),
        conserved_moieties: bool = False,
    ) -> None:
        self.crn = crn
        self.text = structure_text(crn) if text is None else text
        self.floating = (*crn.floating, *further)
        # a compact text writes drives as sums, with a sign in the constant and not in the term
        n = len(crn.rate_constants)
        self._signs = compact_signs(crn)[:n] if text is None else np.ones(n)
        self._conserved_moieties = conserved_moieties

    def compile(self) -> None:
        compiled(self.text, self._conserved_moieties)

    @cached_property
    def _model(self) -> CompiledModel:
        return compiled(self.text, self._conserved_moieties)

    @cached_property
    def _floating(self) -> npt.NDArray[np.intp]:
        """Where the engine's floating species stand in our arrays."""
        return _places(self._model.floating, self.floating)

    @cached_property
    def _boundary(self) -> npt.NDArray[np.intp]:
        return _places(self._model.boundary, self.crn.boundary)

    @cached_property
    def _parameters(self) -> npt.NDArray[np.int32]:
        return self._model.parameter_index(self.crn.rate_constants)

    def time_course(
        self,
        time: FloatArray,
        start: FloatArray | None = None,
        boundary: FloatArray | None = None,
        constants: FloatArray | None = None,
        changes: Changes = NO_CHANGES,
        tolerances: Tolerances = TIGHT,
    ) -> FloatArray:
        def run(held: FloatArray, state: FloatArray, times: FloatArray) -> FloatArray:
            return self._model.time_course(held, state, times, tolerances)

        held = self.crn.boundary_concentrations if boundary is None else boundary
        if start is None:
            start = self.crn.initial_state(held, constants)
        return self._run(run, time, start, {float(time[0]): held, **changes}, constants)

    def rates_of_change(
        self, x: FloatArray, boundary: FloatArray | None = None, constants: FloatArray | None = None
    ) -> FloatArray:
        """The engine's own dx/dt (n_floating,) at one state."""
        held = self.crn.boundary_concentrations if boundary is None else boundary
        model, result = self._model, np.empty(len(self.floating))
        with model.lock:
            model.set_parameters(self._parameters, self._values(constants))
            rates = model.rates_of_change(held[self._boundary], x[self._floating])
        result[self._floating] = rates
        return result

    def steady_states(
        self, start: FloatArray, boundary: FloatArray, newton: bool = True
    ) -> Settled:
        model, values = self._model, self._values(None)[None]
        held = boundary[:, self._boundary]
        block = Block(model, self._floating, held, self._parameters, values)

        def balance_of(states: FloatArray, samples: Which) -> Balance:
            return self.crn.balance(states, boundary[samples])

        with model.lock:
            found = (solve if newton else integrate)(block, start, balance_of)
        return that_are_stable(found, start, boundary, self.crn, self, newton)

    def newton(
        self, start: FloatArray, boundary: FloatArray
    ) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
        """What the engine's solver finds from states (n, n_floating), whatever its signs and
        stability, and whether it finds anything (n,).
        """
        model, result = self._model, np.empty_like(start)
        values, held = self._values(None)[None], boundary[:, self._boundary]
        # reactions may be of any order here, so their rates are looked at as well: see `LARGEST`
        with np.errstate(over="ignore", invalid="ignore"):
            rates = self.crn.balance(start, boundary).gross
        start = np.where(within_reach(rates / LARGEST**2)[:, None], start, np.nan)
        with model.lock:
            found = model.solve_each(held, start[:, self._floating], self._parameters, values)
        result[:, self._floating] = found[0]
        return result, found[1]

    def control_coefficients(
        self,
        x: FloatArray,
        boundary: FloatArray,
        variables: Sequence[str],
        steps: Mapping[str, float],
    ) -> FloatArray:
        """d steady state / d sizes of rate constants, (n_variables, n_steps), by the engine."""
        model, state = self._model, x[self._floating]
        with model.lock:
            model.set_parameters(self._parameters, self._values(None))
            found = model.control_coefficients(
                boundary[self._boundary], state, variables, list(steps), list(steps.values())
            )
        return found * self._signs[_places(steps, self.crn.rate_constants)]

    def _values(self, constants: FloatArray | None) -> FloatArray:
        """Rate constants as the text has them; of all constants they are the first."""
        whole = self.crn.constants if constants is None else constants
        return self._signs * whole[: len(self._signs)]

    def _run(
        self,
        run: Run,
        time: FloatArray,
        start: FloatArray,
        pieces: Changes,
        constants: FloatArray | None,
    ) -> FloatArray:
        held = {first: values[self._boundary] for first, values in pieces.items()}
        with self._model.lock:
            self._model.set_parameters(self._parameters, self._values(constants))
            found = piecewise(run, time, start[self._floating], held)
        result = np.empty_like(found)
        result[:, self._floating] = found
        return result


def _places(names: Iterable[str], order: Sequence[str]) -> npt.NDArray[np.intp]:
    place = {name: i for i, name in enumerate(order)}
    return np.array([place[name] for name in names], dtype=np.intp)
