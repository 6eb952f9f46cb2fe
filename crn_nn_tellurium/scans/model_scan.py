"""A scan of any reaction network or Antimony text: what roadrunner makes of it, over a box of
points.

Nothing is known of such a model but what roadrunner says, so a steady state is where its time
course ends: it is integrated until its rates vanish, and Newton's method then only refines what was
reached. That keeps conserved amounts, and the right one of several steady states.
"""

from __future__ import annotations

import difflib
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.chemistry import ReactionNetwork
from crn_nn_tellurium.encoding import to_antimony
from crn_nn_tellurium.errors import ConvergenceError, InputError, ReactionError
from crn_nn_tellurium.kinetics import spread
from crn_nn_tellurium.networks import other_names
from crn_nn_tellurium.scans.axes import CV, DRAW, check_errors
from crn_nn_tellurium.scans.grid import Box
from crn_nn_tellurium.scans.network_parameters import FUEL, INITIAL, SPEED, renamed
from crn_nn_tellurium.scans.plan import Plan, Quantity, Variable
from crn_nn_tellurium.scans.users_functions import fill, shapes_of, value_of
from crn_nn_tellurium.simulation import (
    DURATIONS,
    INTEGRATED,
    SOLVED,
    Outcome,
    come_to_rest,
    compiled,
)

_DURATIONS = DURATIONS[:13]
"""As long as that: a model that is not a network's may as well oscillate for ever."""
_CHANGE = 1e-7
"""A state is steady when what its rates would change in the time integrated is below this, relative
to it.
"""
_NEAR = 1e-3
"""How far, relative to a concentration, Newton's method may take a state that was reached."""
_PATIENCE = 1e9
"""How long is integrated where Newton's method does not confirm a state, as with conserved amounts:
what takes longer counts as standing still."""
_TRIED = 16
"""Points at which it is tried what a user's function returns."""
_ABSENT = 1e-12
"""A species so far below the largest, now or at the start, counts as absent."""


class ModelScan:
    """Solves a plan's model, box by box.

    Parameters
    ----------
    plan : Plan
        Of a `ReactionNetwork` or an Antimony text.

    Raises
    ------
    ReactionError
        If the text is not a model that roadrunner can run.
    InputError
        If what is varied or kept is not in the model.
    """

    def __init__(self, plan: Plan) -> None:
        assert not hasattr(plan.model, "layers")
        self.plan = plan
        self._crn = plan.model if isinstance(plan.model, ReactionNetwork) else None
        text = to_antimony(self._crn) if self._crn is not None else str(plan.model)
        try:
            self._model = compiled(text)
        except RuntimeError as error:
            raise ReactionError(f"roadrunner refuses the model: {error}") from error
        self._check_model()
        with self._model.lock:
            self._model.reset()
            self._rest = self._model.values()
        ruled = self._model.assigned | self._model.rate_ruled
        self._settable = [name for name in self._model.parameters if name not in ruled]
        self._index = self._model.parameter_index(self._settable)
        self._names = (*self._model.floating, *self._model.parameters, *self._model.boundary)
        for axis in plan.axes:
            for name, values in axis.values.items():
                self._check_varied(name, values)
        check_errors(plan.axes, lambda name: name not in self._known)
        self._seed = next((axis.seed for axis in plan.axes if axis.seed is not None), 0)
        self._check_kept()
        self._makers = self._find_makers()
        # what an experiment reads: parameters that assignment rules set, else every floating
        # species
        observed = [name for name in self._model.parameters if name in self._model.assigned]
        self._outputs = observed or list(self._model.floating)

    def _check_model(self) -> None:
        """Refuse what roadrunner cannot be asked of."""
        model = self._model
        if species := sorted(model.assigned & {*model.floating, *model.boundary}):
            raise InputError(
                f"the model's species {species[0]!r} is set by a rule, so it has no start; write it"
                " as a parameter"
            )
        if self.plan.time is None and (model.rate_ruled or model.n_events):
            what = f"a rate rule (of {min(model.rate_ruled)!r})" if model.rate_ruled else "events"
            raise InputError(
                f"the model has {what}, and steady states are those of reactions; give times in at="
            )

    @cached_property
    def _known(self) -> list[str]:
        return [*self._model.floating, *self._model.boundary, *self._settable]

    def _check_varied(self, name: str, values: FloatArray) -> None:
        common = [INITIAL, SPEED, FUEL, CV, DRAW] if self._crn is not None else [INITIAL]
        if name not in self._known and name not in common:
            ruled = (
                "; a rule sets it" if name in self._model.assigned | self._model.rate_ruled else ""
            )
            near = difflib.get_close_matches(name, self._known, 5, 0.5) or self._known[:8]
            if name in (SPEED, FUEL, CV, DRAW):
                raise InputError(
                    f"{name!r}: factors and errors of rate constants need a Network or a"
                    " ReactionNetwork"
                )
            if name in self._model.compartments:
                raise InputError(f"{name!r} is a compartment, whose size cannot be varied")
            raise InputError(
                f"the model has no number {name!r} to vary{ruled}; expected a species or parameter,"
                f" near it: {', '.join(near)}{renamed(name)}{other_names(name, self._known)}"
            )
        if values.ndim != 1:
            raise InputError(
                f"{name!r}: values have shape {values.shape}; expected a list of numbers"
            )
        if name in (*self._model.floating, *self._model.boundary, INITIAL) and np.any(values < 0):
            raise InputError(
                f"{name!r}: {float(values.min())!r} among its values; expected concentrations >= 0"
            )
        if name in (SPEED, FUEL) and name not in self._known and np.any(values <= 0):
            raise InputError(
                f"{name!r}: {float(values.min())!r} among its values; expected numbers > 0"
            )

    def _check_kept(self) -> None:
        for quantity in self.plan.quantities:
            if quantity.kind == "one_species" and quantity.species not in self._names:
                few = ", ".join(sorted(self._names)[:8])
                raise InputError(f"the model has no {quantity.species!r} to keep; it has {few}")
            if quantity.kind not in ("outputs", "species", "one_species", "function"):
                raise InputError(
                    f"{quantity.kind!r} is of neural networks; give the Network, not its reactions"
                    " or text"
                )

    # What the result looks like
    # ------------------------------------------------------------------------

    def describe(self, name: str) -> dict[str, Any]:
        """Attributes of what is varied."""
        if name in self._model.floating:
            return {"long_name": f"start of {name}", "units": "model units"}
        return {"long_name": name, "units": "model units"}

    def variables(self) -> list[Variable]:
        """The variables of the result, ``status`` last."""
        every = tuple(range(len(self.plan.shape)))
        time = () if self.plan.time is None else (("time", len(self.plan.time)),)
        units = {"units": "model units"}
        found = []
        for quantity in self.plan.quantities:
            if quantity.kind == "outputs":
                found.append(
                    Variable(
                        quantity.name,
                        every,
                        (*time, ("output", len(self._outputs))),
                        attrs=units | {"long_name": "output"},
                    )
                )
            elif quantity.kind == "species":
                found.append(
                    Variable(
                        quantity.name,
                        every,
                        (*time, ("species", len(self._model.floating))),
                        attrs=units,
                    )
                )
            elif quantity.kind == "one_species":
                found.append(Variable(quantity.name, every, time, attrs=units))
            else:
                further = self.plan.further(quantity.name, self._shapes[quantity.name])
                found.append(Variable(quantity.name, every, further))
        return [*found, Variable("status", every, is_text=True)]

    def coordinates(self) -> dict[str, Any]:
        """Labels of the result's further dimensions."""
        return {"output": self._outputs, "species": list(self._model.floating)}

    # Solving --------------------------------------------------------------------------------------

    def solve(self, box: Box) -> dict[str, Any]:
        """All variables over a box."""
        status = np.empty(box.shape, dtype=object)
        found: dict[str, list[Any]] = {quantity.name: [] for quantity in self.plan.quantities}
        for place, point in zip(np.ndindex(box.shape), box.points(), strict=True):
            values, status[place] = self._point(point)
            for quantity in self.plan.quantities:
                kept, outcome = self._keep(quantity, values, status[place].failed)
                found[quantity.name].append(kept)
                status[place] = status[place].worse(outcome)
        kept_shapes = self._kept_shapes
        return {name: fill(kept, kept_shapes[name], box.shape) for name, kept in found.items()} | {
            "status": status
        }

    @cached_property
    def _kept_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of what is kept of one point, by variable."""
        return {
            variable.name: tuple(n for _, n in variable.further) for variable in self.variables()
        }

    def _keep(
        self, quantity: Quantity, values: dict[str, Any], failed: bool
    ) -> tuple[FloatArray | None, Outcome]:
        if failed:
            return None, SOLVED
        if quantity.kind == "outputs":
            return np.stack([values[name] for name in self._outputs], axis=-1), SOLVED
        if quantity.kind == "species":
            return np.stack([values[name] for name in self._model.floating], axis=-1), SOLVED
        if quantity.kind == "one_species":
            return values[quantity.species], SOLVED
        return value_of(quantity, values, self._shapes[quantity.name])

    @cached_property
    def _shapes(self) -> dict[str, tuple[int, ...]]:
        """What users' functions return, by the first points at which they do."""

        def results() -> list[dict[str, Any]]:
            found = map(self._point, islice(self.plan.chunks[0].points(), _TRIED))
            return [values for values, status in found if not status.failed]

        return shapes_of(self.plan, results)

    def _point(self, point: tuple[int, ...]) -> tuple[dict[str, Any], Outcome]:
        """Species and parameters by name at one point, over the times if there are some, and the
        outcome.
        """
        model, time = self._model, self.plan.time
        start, boundary, parameters = self._set(self.plan.values(dict(enumerate(point))))
        shape = () if time is None else time.shape
        with model.lock:
            model.reset()  # rate rules and events leave their traces
            model.set_parameters(self._index, parameters)
            try:
                if time is None:
                    state, status = self._settle(boundary, start)
                    rows = np.concatenate([state, model.observe(boundary, state)])[None]
                else:
                    times = np.unique(np.concatenate([[0.0], time]))
                    # roadrunner runs over some time, however short
                    times = times if len(times) > 1 else np.array([0.0, 1e-9])
                    whole, status = model.record(boundary, start, times), INTEGRATED
                    rows = whole[np.searchsorted(times, time)]
            except ConvergenceError as error:
                hint = "" if time is not None else " (at= keeps a time course)"
                nothing = {name: np.full(shape, np.nan) for name in self._names}
                return nothing, Outcome.failure(f"{error}{hint}")
        rows = np.concatenate([rows, np.broadcast_to(boundary, (len(rows), len(boundary)))], axis=1)
        columns = rows.T.reshape(len(self._names), *shape)
        return dict(zip(self._names, columns, strict=True)), status

    def _set(self, values: dict[str, Any]) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Start, boundary concentrations and settable parameters at a point."""
        model = self._model
        start, boundary, parameters = (part.copy() for part in self._rest)
        place = self._place
        if INITIAL in values and INITIAL not in self._known:
            start[:] = values[INITIAL]
        for name, value in values.items():
            if name in model.floating:
                start[model.floating.index(name)] = value
            elif name in model.boundary:
                boundary[model.boundary.index(name)] = value
            elif name in place:
                parameters[place[name]] = value
        if self._crn is not None:
            self._multiply(self._crn, parameters, values)
        return start, boundary, parameters[[place[name] for name in self._settable]]

    @cached_property
    def _place(self) -> dict[str, int]:
        """Positions of the parameters."""
        return {name: i for i, name in enumerate(self._model.parameters)}

    def _find_makers(self) -> list[int]:
        """Positions of the rate constants of reactions that make molecules, if a factor on them is
        varied.
        """
        varied = {name for axis in self.plan.axes for name in axis.values}
        if self._crn is None or FUEL not in varied or FUEL in self._known:
            return []
        makes = {r.rate_constant for r in self._crn.reactions if r.gain > 0}
        if shared := makes & {r.rate_constant for r in self._crn.reactions if r.gain <= 0}:
            raise InputError(
                f"rate constant {min(shared)!r} is that of reactions that make molecules and of"
                " others, so 'fuel' has no one meaning here; give the Network"
            )
        return [self._place[name] for name in sorted(makes)]

    def _multiply(
        self, crn: ReactionNetwork, parameters: FloatArray, values: dict[str, Any]
    ) -> None:
        """Factors and errors of rate constants."""
        factors = {name: value for name, value in values.items() if name not in self._known}
        place = self._place
        index = [place[name] for name in crn.rate_constants]
        if DRAW in factors:
            rng = np.random.default_rng([self._seed, int(factors[DRAW])])
            parameters[index] *= np.exp(
                spread(float(factors[CV])) * rng.standard_normal(len(index))
            )
        if SPEED in factors:
            parameters[index] *= factors[SPEED]
        if FUEL in factors:
            parameters[self._makers] *= factors[FUEL]

    def _settle(self, boundary: FloatArray, start: FloatArray) -> tuple[FloatArray, Outcome]:
        """The state that the time course ends in.

        Raises
        ------
        ConvergenceError
            If it does not end.
        """
        model = self._model
        floor = _ABSENT * np.abs(start).max(initial=0.0)

        def advance(state: FloatArray, duration: float) -> FloatArray:
            return model.time_course(boundary, state, np.array([0.0, duration]))[-1]

        def finish(state: FloatArray, passed: float) -> tuple[FloatArray, Outcome] | None:
            size = np.abs(state) + _ABSENT * np.abs(state).max(initial=0.0) + floor
            change = np.abs(model.rates_of_change(boundary, state)) * passed
            if not np.all(change <= _CHANGE * size):
                return None
            found = self._newton(boundary, state)
            if found is not None and np.all(np.abs(found - state) <= _NEAR * size):
                return found, SOLVED
            # where Newton's method has nothing to say, what is slow must have had its time
            return (state, INTEGRATED) if passed >= _PATIENCE else None

        state, outcome = come_to_rest(start, advance, finish, _DURATIONS)
        if outcome.failed:
            raise ConvergenceError(outcome.reason)
        return state, outcome

    def _newton(self, boundary: FloatArray, state: FloatArray) -> FloatArray | None:
        """Where Newton's method leads from a state; None if nowhere."""
        none = self._model.parameter_index([]), np.empty((1, 0))
        found, good = self._model.solve_each(boundary[None], state[None], *none)
        return found[0] if good[0] and np.all(np.isfinite(found[0])) else None
