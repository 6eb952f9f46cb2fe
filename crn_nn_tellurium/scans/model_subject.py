"""Any reaction network or Antimony text as what a scan solves: what roadrunner makes of it.

Of a text nothing is known but what roadrunner says. A steady state is where the time course ends,
with the sums that are conserved (see `simulation.reduced_system`).
"""

from __future__ import annotations

import difflib
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.chemistry import ReactionNetwork
from crn_nn_tellurium.errors import ConvergenceError, InputError, ReactionError
from crn_nn_tellurium.networks import other_names
from crn_nn_tellurium.scans.axes import (
    COMMON,
    INITIAL,
    check_errors,
    check_sign,
    describe,
    renamed,
)
from crn_nn_tellurium.scans.model_points import NetworkPoints, Point, Points, TextPoints
from crn_nn_tellurium.scans.plan import Box, Plan
from crn_nn_tellurium.scans.subject import States, Subject
from crn_nn_tellurium.simulation import INTEGRATED, Outcome, compiled, rest

# Species up to which the Jacobian of a text is taken, by differences: a second a step at this size
_NEWTON_UP_TO = 1_000


class ModelSubject(Subject):
    """A plan's reaction network or Antimony text."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._crn = plan.model if isinstance(plan.model, ReactionNetwork) else None
        text = str(plan.model) if self._crn is None else NetworkPoints.text(self._crn)
        try:
            self._model = compiled(text)
        except RuntimeError as error:
            raise ReactionError(f"roadrunner refuses the model: {error}") from error
        self._check_model()
        self._points: Points = (
            TextPoints(plan, self._model)
            if self._crn is None
            else NetworkPoints(plan, self._crn, self._model)
        )
        self._index = self._model.parameter_index(self._points.settable)
        self.species = self._model.floating
        self.names = (*self.species, *self._model.parameters, *self._model.boundary)
        for name, values in plan.varied.items():
            self._check_varied(name, values)
        check_errors(plan.axes, lambda name: name not in self._known)
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

    @property
    def _known(self) -> list[str]:
        return self._points.known

    def _check_varied(self, name: str, values: FloatArray) -> None:
        common = COMMON if self._crn is not None else [INITIAL]
        if name not in self._known and name not in common:
            if name in COMMON:
                raise InputError(
                    f"{name!r}: factors and errors of rate constants need a Network or a"
                    " ReactionNetwork"
                )
            if name in self._model.compartments:
                raise InputError(
                    f"{name!r} is a compartment, whose size cannot be varied by itself; write"
                    f" {name} = {name}_0 in the text, and vary {name}_0"
                )
            by_rule = name in self._model.assigned
            near = difflib.get_close_matches(name, self._known, 5, 0.5) or self._known[:8]
            raise InputError(
                f"the model has no number {name!r} to vary"
                f"{self._points.why_not(name) or ('; a rule sets it' if by_rule else '')};"
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
        if name in self._points.stoichiometries:
            return "stoichiometric number"
        return "" if name in self._known else COMMON[name][0]

    def describe(self, name: str) -> dict[str, Any]:
        own = name in self._known
        found = describe(name, self._kind(name), own, self.plan.unit_of(name))
        # of species, all results are concentrations; what is set is the text's own number
        if name in self._points.in_amounts:
            found["long_name"] += ", an amount"
        return found

    # Solving --------------------------------------------------------------------------------------

    def states(self, box: Box, all_values: bool) -> States:
        time = () if self.plan.time is None else self.plan.time.shape
        values = np.full((*box.shape, *time, len(self.names)), np.nan)
        status = np.empty(box.shape, dtype=object)
        for place, point in zip(np.ndindex(box.shape), box.points(), strict=True):
            try:
                rows, status[place] = self._rows(point)
                values[place] = rows.reshape(values.shape[len(box.shape) :])
            except (ConvergenceError, ReactionError) as error:
                at_rest = not time and isinstance(error, ConvergenceError)
                hint = " (at= keeps a time course)" if at_rest else ""
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
        at = self._points.at(self.plan.values(dict(enumerate(point))))
        start, boundary = at.start, at.boundary
        with model.lock:
            model.reset()  # rate rules and events leave their traces
            if at.volumes is not None:
                model.set_compartment_sizes(at.volumes)
            model.set_parameters(self._index, at.parameters)
            model.set_stoichiometries(at.stoichiometries)
            if time is None:
                state, status = self._settle(at)
                rows = np.concatenate([state, model.observe(boundary, state), boundary])[None]
            else:
                # from time 0, whatever is kept: that is where the start is
                times = np.unique(np.concatenate([[0.0], time]))
                # roadrunner runs over some time, however short
                times = times if len(times) > 1 else np.array([0.0, 1e-9])
                whole, status = model.record(boundary, start, times), INTEGRATED
                rows = whole[np.searchsorted(times, time)]
        return rows, status

    def _settle(self, at: Point) -> tuple[FloatArray, Outcome]:
        """The state that the time course ends in; ConvergenceError if it does not end."""
        model, start = self._model, at.start

        def advance(state: FloatArray, duration: float) -> FloatArray:
            return model.time_course(at.boundary, state, np.array([0.0, duration]))[-1]

        newton = self._crn is not None or len(start) <= _NEWTON_UP_TO
        state, outcome = rest(self._points.equations(at), start, advance, newton)
        if outcome.failed:
            raise ConvergenceError(outcome.reason)
        return state, outcome
