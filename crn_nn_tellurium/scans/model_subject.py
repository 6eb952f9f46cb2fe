"""Any reaction network or Antimony text as what a scan solves: what roadrunner makes of it.

Nothing is known of such a model but what roadrunner says, so a steady state is where its time
course ends: it is integrated until its rates vanish, and Newton's method then only refines what was
reached. That keeps conserved amounts, and the right one of several steady states.
"""

from __future__ import annotations

import difflib
from functools import cached_property
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.chemistry import ReactionNetwork
from crn_nn_tellurium.encoding import to_antimony
from crn_nn_tellurium.errors import ConvergenceError, InputError, ReactionError
from crn_nn_tellurium.kinetics import spread
from crn_nn_tellurium.networks import other_names
from crn_nn_tellurium.scans.axes import (
    COMMON,
    CV,
    DRAW,
    FUEL,
    INITIAL,
    SPEED,
    check_errors,
    check_sign,
    describe,
    renamed,
)
from crn_nn_tellurium.scans.plan import Box, Plan
from crn_nn_tellurium.scans.subject import States, Subject
from crn_nn_tellurium.simulation import (
    DURATIONS,
    INTEGRATED,
    SOLVED,
    Outcome,
    come_to_rest,
    compiled,
)

# As long as that: a model that is not a network's may as well oscillate for ever
_DURATIONS = DURATIONS[:13]
# A state is steady when what its rates would change in the time integrated is below this,
# relative to it
_CHANGE = 1e-7
# How far, relative to a concentration, Newton's method may take a state that was reached
_NEAR = 1e-3
# How long is integrated where Newton's method does not confirm a state, as with conserved
# amounts: what takes longer counts as standing still
_PATIENCE = 1e9
# A species so far below the largest, now or at the start, counts as absent
_ABSENT = 1e-12


class ModelSubject(Subject):
    """A plan's reaction network or Antimony text."""

    def __init__(self, plan: Plan) -> None:
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
        self.species = self._model.floating
        self.names = (*self.species, *self._model.parameters, *self._model.boundary)
        for name, values in plan.varied.items():
            self._check_varied(name, values)
        check_errors(plan.axes, lambda name: name not in self._known)
        self._makers = self._find_makers()
        # what an experiment reads: parameters that assignment rules set, else every floating
        # species
        observed = [name for name in self._model.parameters if name in self._model.assigned]
        self.outputs = tuple(observed) or self.species

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
        common = COMMON if self._crn is not None else [INITIAL]
        if name not in self._known and name not in common:
            if name in COMMON:
                raise InputError(
                    f"{name!r}: factors and errors of rate constants need a Network or a"
                    " ReactionNetwork"
                )
            if name in self._model.compartments:
                raise InputError(f"{name!r} is a compartment, whose size cannot be varied")
            by_rule = name in self._model.assigned | self._model.rate_ruled
            near = difflib.get_close_matches(name, self._known, 5, 0.5) or self._known[:8]
            raise InputError(
                f"the model has no number {name!r} to vary{'; a rule sets it' if by_rule else ''};"
                f" expected a species or parameter, near it: {', '.join(near)}{renamed(name)}"
                f"{other_names(name, self._known)}"
            )
        if values.ndim != 1:
            raise InputError(
                f"{name!r}: values have shape {values.shape}; expected a list of numbers"
            )
        check_sign(name, self._kind(name), values)

    def _kind(self, name: str) -> str:
        """What is varied; a parameter is called what the model calls it, and nothing more."""
        if name in self._model.floating:
            return "start"
        if name in self._model.boundary:
            return "boundary species"
        return "" if name in self._known else COMMON[name][0]

    def describe(self, name: str) -> dict[str, Any]:
        own = name in self._known
        return describe(name, self._kind(name), own, self.plan.unit_of(name))

    # Solving --------------------------------------------------------------------------------------

    def states(self, box: Box, all_values: bool) -> States:
        time = () if self.plan.time is None else self.plan.time.shape
        values = np.full((*box.shape, *time, len(self.names)), np.nan)
        status = np.empty(box.shape, dtype=object)
        for place, point in zip(np.ndindex(box.shape), box.points(), strict=True):
            try:
                rows, status[place] = self._rows(point)
                values[place] = rows.reshape(values.shape[len(box.shape) :])
            except ConvergenceError as error:
                hint = "" if time else " (at= keeps a time course)"
                status[place] = Outcome.failure(f"{error}{hint}")
        outputs = values[..., [self.names.index(name) for name in self.outputs]]
        return States(box, status, outputs, values)

    def result(self, states: States, place: tuple[int, ...]) -> dict[str, Any]:
        """Species and parameters by name, each over the times if there are some."""
        columns = np.ascontiguousarray(np.moveaxis(states.values[place], -1, 0))
        return dict(zip(self.names, columns, strict=True))

    def _rows(self, point: tuple[int, ...]) -> tuple[FloatArray, Outcome]:
        """All that has a name at one point (n_times or 1, n_names), and the outcome."""
        model, time = self._model, self.plan.time
        start, boundary, parameters = self._set(self.plan.values(dict(enumerate(point))))
        with model.lock:
            model.reset()  # rate rules and events leave their traces
            model.set_parameters(self._index, parameters)
            if time is None:
                state, status = self._settle(boundary, start)
                rows = np.concatenate([state, model.observe(boundary, state)])[None]
            else:
                # from time 0, whatever is kept: that is where the start is
                times = np.unique(np.concatenate([[0.0], time]))
                # roadrunner runs over some time, however short
                times = times if len(times) > 1 else np.array([0.0, 1e-9])
                whole, status = model.record(boundary, start, times), INTEGRATED
                rows = whole[np.searchsorted(times, time)]
        held = np.broadcast_to(boundary, (len(rows), len(boundary)))
        return np.concatenate([rows, held], axis=1), status

    def _set(self, values: dict[str, Any]) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Start, boundary concentrations and settable parameters at a point."""
        model = self._model
        start, boundary, parameters = (part.copy() for part in self._rest)
        place = self._place
        # before single starts, which go before that of all
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
        return {name: i for i, name in enumerate(self._model.parameters)}

    def _find_makers(self) -> list[int]:
        """Places of the rate constants that make molecules, if a factor on them is varied."""
        if self._crn is None or FUEL not in self.plan.varied or FUEL in self._known:
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
        index = [self._place[name] for name in crn.rate_constants]
        if DRAW in factors:
            # seeded by the draw: what it is does not hang on which others are scanned
            rng = np.random.default_rng([self.plan.seed, int(factors[DRAW])])
            normal = rng.standard_normal(len(index))
            parameters[index] *= np.exp(spread(float(factors[CV])) * normal)
        if SPEED in factors:
            parameters[index] *= factors[SPEED]
        if FUEL in factors:
            parameters[self._makers] *= factors[FUEL]

    def _settle(self, boundary: FloatArray, start: FloatArray) -> tuple[FloatArray, Outcome]:
        """The state that the time course ends in; ConvergenceError if it does not end."""
        model = self._model
        floor = _ABSENT * np.abs(start).max(initial=0.0)

        def advance(state: FloatArray, duration: float) -> FloatArray:
            return model.time_course(boundary, state, np.array([0.0, duration]))[-1]

        def finish(state: FloatArray, passed: float) -> tuple[FloatArray, Outcome] | None:
            # what is absent now, or is so beside the start, may come and go without being missed
            size = np.abs(state) + _ABSENT * np.abs(state).max(initial=0.0) + floor
            change = np.abs(model.rates_of_change(boundary, state)) * passed
            if not np.all(change <= _CHANGE * size):
                return None
            # the rates have all but vanished; Newton's method may move it a little, not elsewhere
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
