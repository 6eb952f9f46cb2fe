"""Any reaction network, Antimony or SBML text as what a scan solves.

A steady state is where the time course ends, with the sums that are conserved (see
`simulation.coming_to_rest`).
"""

from __future__ import annotations

import difflib
from abc import abstractmethod
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from functools import partial
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
from crn_nn_tellurium.scans.subject import Place, States, Subject
from crn_nn_tellurium.simulation import (
    INTEGRATED,
    ROUGH,
    TIGHT,
    Outcome,
    Tolerances,
    compiled,
    rest,
)


class ModelSubject(Subject):
    """A plan's model whose numbers are varied by name, solved point by point."""

    floating: tuple[str, ...]
    boundary: tuple[str, ...]
    ruled: frozenset[str]  # what rules set
    compartments: tuple[str, ...] = ()
    common: Collection[str]  # names of ours that can be varied too
    points: Points

    def _check(self) -> None:
        """Refuse what cannot be varied."""
        for name, values in self.plan.varied.items():
            self._check_varied(name, values)
        check_errors(self.plan.axes, lambda name: name not in self._known)

    @property
    def _known(self) -> list[str]:
        return self.points.known

    def _check_varied(self, name: str, values: FloatArray) -> None:
        if name not in self._known and name not in self.common:
            if name in COMMON:
                raise InputError(
                    f"{name!r}: factors and errors of rate constants need a Network or a"
                    " ReactionNetwork"
                )
            if name in self.compartments:
                raise InputError(
                    f"{name!r} is a compartment, whose size cannot be varied by itself; write"
                    f" {name} = {name}_0 in the text, and vary {name}_0"
                )
            by_rule = "; a rule sets it" if name in self.ruled else ""
            near = difflib.get_close_matches(name, self._known, 5, 0.5) or self._known[:8]
            raise InputError(
                f"the model has no number {name!r} to vary"
                f"{self.points.why_not(name) or by_rule};"
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
        if name in self.floating:
            return "start"
        if name in self.boundary:
            return "boundary species"
        if name in self.points.stoichiometries:
            return "stoichiometric number"
        return "" if name in self._known else COMMON[name][0]

    def describe(self, name: str) -> dict[str, Any]:
        own = name in self._known
        found = describe(name, self._kind(name), own, self.plan.unit_of(name))
        # of species, all results are concentrations; what is set is the text's own number
        if name in self.points.in_amounts:
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
        return self.solve(self.points.at(self.plan.values(dict(enumerate(point)))))

    def settle(self, at: Point, advance: Callable[..., FloatArray]) -> tuple[FloatArray, Outcome]:
        """The state that the time course ends in; ConvergenceError if it does not end."""
        equations, rough = self.points.equations(at), partial(advance, tolerances=ROUGH)
        state, outcome = rest(equations, at.start, advance, self.points.newton, rough)
        if outcome.failed:
            raise ConvergenceError(outcome.reason)
        return state, outcome

    @abstractmethod
    def solve(self, at: Point) -> tuple[FloatArray, Outcome]:
        """The same where a point's numbers are known."""


class ReactionsSubject(ModelSubject):
    """A plan's reaction network; if it is compiled, as its structure alone (see `FlatModel`)."""

    common = COMMON

    def __init__(self, plan: Plan) -> None:
        assert isinstance(plan.model, ReactionNetwork)
        self.plan, self._crn = plan, plan.model
        assert plan.engine is not None  # a reaction network's plan has one
        self._model, self._tolerances = plan.engine.model(self._crn), plan.engine.tolerances
        self.species = self.floating = self._crn.floating
        self.boundary = self._crn.boundary
        observed = tuple(observable.id for observable in self._crn.observables)
        self.names = (*self.species, *observed, *self._crn.constant_names, *self.boundary)
        self.ruled = frozenset(observed)
        self.points = NetworkPoints(plan, self._crn)
        # what an experiment reads
        self.outputs = observed or self.species
        self._check()

    def each_model(self, states: States) -> Iterator[tuple[Place, ReactionNetwork, FloatArray]]:
        """Each point's own network, which starts at rest, with where it is in arrays over the box,
        and its boundary species (1, ..., n_boundary).
        """
        crn, box = self._crn, states.box
        for place, point in zip(np.ndindex(box.shape), box.points(), strict=True):
            if not states.solved[place]:
                continue
            at = self.points.at(self.plan.values(dict(enumerate(point))))
            values = dict(zip(self.names, states.values[place].tolist(), strict=True))
            own = replace(
                crn,
                species=tuple(replace(s, initial=values[s.id]) for s in crn.species),
                reactions=tuple(replace(r, value=values[r.rate_constant]) for r in crn.reactions),
                parameters=tuple(replace(p, value=values[p.id]) for p in crn.parameters),
                formulas=(),
            )
            whole = tuple(slice(i, i + 1) for i in place)
            yield whole, own, at.boundary.reshape(*(1,) * len(place), -1)

    def solve(self, at: Point) -> tuple[FloatArray, Outcome]:
        time, given = self.plan.time, (at.boundary, at.parameters)

        def advance(
            state: FloatArray, duration: float, tolerances: Tolerances = TIGHT
        ) -> FloatArray:
            return self._model.advance(state, duration, *given, tolerances)

        if time is None:
            state, status = self.settle(at, advance)
            states = state[None]
        else:
            times = from_start(time)
            whole = self._model.time_course(times, at.start, *given, tolerances=self._tolerances)
            status = INTEGRATED
            states = whole[np.searchsorted(times, time)]
        held = np.concatenate([at.parameters, at.boundary])
        observed = self._crn.observe(states, *given)
        return np.hstack([states, observed, np.tile(held, (len(states), 1))]), status


class TextSubject(ModelSubject):
    """A plan's Antimony or SBML text, of which nothing is known but what roadrunner says."""

    common = (INITIAL,)

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        try:
            self._model = model = compiled(str(plan.model))
        except RuntimeError as error:
            raise ReactionError(f"roadrunner refuses the model: {error}") from error
        self._check_model()
        self.points = TextPoints(plan, model)
        self._index = model.parameter_index(self.points.settable)
        self.species = self.floating = model.floating
        self.boundary, self.compartments = model.boundary, model.compartments
        self.ruled = model.assigned
        self.names = (*self.species, *model.parameters, *model.boundary)
        # what an experiment reads: parameters that assignment rules set, else every floating
        # species
        observed = [name for name in model.parameters if name in model.assigned]
        self.outputs = tuple(observed) or self.species
        self._check()

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

    def solve(self, at: Point) -> tuple[FloatArray, Outcome]:
        model, time, boundary = self._model, self.plan.time, at.boundary

        def advance(
            state: FloatArray, duration: float, tolerances: Tolerances = TIGHT
        ) -> FloatArray:
            return model.time_course(boundary, state, np.array([0.0, duration]), tolerances)[-1]

        with model.lock:
            model.reset()  # rate rules and events leave their traces
            if at.volumes is not None:
                model.set_compartment_sizes(at.volumes)
            model.set_parameters(self._index, at.parameters)
            model.set_stoichiometries(at.stoichiometries)
            if time is None:
                state, status = self.settle(at, advance)
                rows = np.concatenate([state, model.observe(boundary, state), boundary])[None]
            else:
                times = from_start(time)
                # roadrunner runs over some time, however short
                times = times if len(times) > 1 else np.array([0.0, 1e-9])
                whole, status = model.record(boundary, at.start, times), INTEGRATED
                rows = whole[np.searchsorted(times, time)]
        return rows, status


def from_start(time: FloatArray) -> FloatArray:
    """The times and 0, whatever is kept: that is where the start is."""
    return np.unique(np.concatenate([[0.0], time]))
