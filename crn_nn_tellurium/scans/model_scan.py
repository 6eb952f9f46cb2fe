"""A scan of any reaction network or Antimony text: what roadrunner makes of it, over a box of points.

Nothing is known of such a model but what roadrunner says, so a steady state is where its time course ends: it is
integrated until its rates vanish, and Newton's method then only refines what was reached. That keeps conserved
amounts, and the right one of several steady states.
"""

from __future__ import annotations

import difflib
from typing import Any

import numpy as np

from crn_nn_tellurium.antimony_writer import to_antimony
from crn_nn_tellurium.engine import compiled
from crn_nn_tellurium.errors import ConvergenceError, InputError, ReactionError
from crn_nn_tellurium.perturbation import spread
from crn_nn_tellurium.reactions import FloatArray, ReactionNetwork
from crn_nn_tellurium.scans.axes import CV, DRAW
from crn_nn_tellurium.scans.grid import Box
from crn_nn_tellurium.scans.network_parameters import FUEL, INITIAL, RATES
from crn_nn_tellurium.scans.plan import Plan, Quantity, Variable
from crn_nn_tellurium.solver import INTEGRATED, SOLVED

_DURATIONS = 10.0 ** np.arange(0, 13)
_CHANGE = 1e-7
"""A state is steady when what its rates would change in the time integrated is below this, relative to it."""
_NEAR = 1e-3
"""How far, relative to a concentration, Newton's method may take a state that was reached."""
_ABSENT = 1e-12
"""A species so far below the largest counts as absent."""


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
        with self._model.lock:
            self._model.reset()
            self._rest = self._model.values()
        self._index = self._model.parameter_index(self._settable())
        self._check()
        self._outputs = self._output_names()

    def _settable(self) -> list[str]:
        return [name for name in self._model.parameters if name not in self._model.ruled]

    def _check(self) -> None:
        model, names = self._model, [name for axis in self.plan.axes for name in axis.values]
        common = [INITIAL, RATES, FUEL, CV, DRAW] if self._crn is not None else [INITIAL]
        known = [*model.floating, *model.boundary, *self._settable()]
        for name in names:
            if name not in known and name not in common:
                ruled = "; a rule sets it" if name in model.ruled else ""
                near = difflib.get_close_matches(name, known, 5, 0.5) or known[:8]
                raise InputError(
                    f"the model has no number {name!r} to vary{ruled}; expected a species or parameter, near it: "
                    f"{', '.join(near)}"
                    + ("" if self._crn is not None else "; factors and errors need a ReactionNetwork")
                )
        if CV in names and CV not in known and DRAW not in names:
            raise InputError("'cv' is varied without draws; lognormal(cv, draws) makes both axes")
        for axis in self.plan.axes:
            for name, values in axis.values.items():
                if values.ndim != 1:
                    raise InputError(f"{name!r}: values have shape {values.shape}; expected a list of numbers")
                if (name in (INITIAL, RATES, FUEL) or name in (*model.floating, *model.boundary)) and np.any(
                    values < 0
                ):
                    raise InputError(f"{name!r}: {float(values.min())!r} among its values; expected numbers >= 0")
        self._seed = next((axis.seed for axis in self.plan.axes if axis.seed is not None), 0)
        for quantity in self.plan.quantities:
            readable = {*model.floating, *model.parameters}
            if quantity.kind == "one_species" and quantity.species not in readable:
                raise InputError(
                    f"the model has no {quantity.species!r} to keep; it has {', '.join(sorted(readable)[:8])}"
                )
            if quantity.kind not in ("outputs", "species", "one_species", "function"):
                raise InputError(
                    f"{quantity.kind!r} is of neural networks; give the Network, not its reactions or text"
                )

    def _output_names(self) -> list[str]:
        """What an experiment reads: parameters that assignment rules set, else every floating species."""
        observed = [name for name in self._model.parameters if name in self._model.ruled]
        return observed or list(self._model.floating)

    # What the result looks like ------------------------------------------------------------------------

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
                found.append(Variable(quantity.name, every, (*time, ("output", len(self._outputs))), attrs=units))
            elif quantity.kind == "species":
                found.append(
                    Variable(quantity.name, every, (*time, ("species", len(self._model.floating))), attrs=units)
                )
            elif quantity.kind == "one_species":
                found.append(Variable(quantity.name, every, time, attrs=units))
            else:
                shape = np.shape(self._apply(quantity, self._point((0,) * len(every))[0]))
                found.append(Variable(quantity.name, every, self.plan.further(quantity.name, shape)))
        return [*found, Variable("status", every, is_text=True)]

    def coordinates(self) -> dict[str, Any]:
        """Labels of the result's further dimensions."""
        return {"output": self._outputs, "species": list(self._model.floating)}

    # Solving --------------------------------------------------------------------------------------

    def solve(self, box: Box) -> dict[str, Any]:
        """All variables over a box."""
        status = np.empty(box.shape, dtype=object)
        found: dict[str, list[Any]] = {quantity.name: [] for quantity in self.plan.quantities}
        for place in np.ndindex(box.shape):
            point = tuple(a + b for a, b in zip(box.start, place, strict=True))
            values, status[place] = self._point(point)
            for quantity in self.plan.quantities:
                found[quantity.name].append(self._keep(quantity, values))
        result: dict[str, Any] = {}
        for name, kept in found.items():
            shape = next((np.shape(value) for value in kept if value is not None), ())
            filled = [np.full(shape, np.nan) if value is None else value for value in kept]
            result[name] = np.array(filled, dtype=float).reshape(*box.shape, *shape)
        return {**result, "status": status}

    def _keep(self, quantity: Quantity, values: dict[str, Any]) -> Any:
        if quantity.kind == "outputs":
            return np.stack([values[name] for name in self._outputs], axis=-1)
        if quantity.kind == "species":
            return np.stack([values[name] for name in self._model.floating], axis=-1)
        if quantity.kind == "one_species":
            return values[quantity.species]
        failed = np.isnan(next(iter(values.values()))).any()
        return None if failed else self._apply(quantity, values)

    def _apply(self, quantity: Quantity, values: dict[str, Any]) -> Any:
        assert quantity.function is not None
        try:
            return np.asarray(quantity.function(values), dtype=float)
        except (TypeError, ValueError, KeyError) as error:
            raise InputError(
                f"{quantity.name}: {error}; the function is given the model's species and parameters by name and "
                "returns a number or an array of numbers"
            ) from error

    def _point(self, point: tuple[int, ...]) -> tuple[dict[str, Any], str]:
        """Species and parameters by name at one point, over the times if there are some, and the outcome."""
        model = self._model
        start, boundary, parameters = self._set(self.plan.values(dict(enumerate(point))))
        shape = () if self.plan.time is None else (len(self.plan.time),)
        names = (*model.floating, *model.parameters)
        with model.lock:
            model.set_parameters(self._index, parameters)
            try:
                if self.plan.time is None:
                    state, status = self._settle(boundary, start)
                    states = state[None]
                else:
                    times = np.unique(np.concatenate([[0.0], self.plan.time]))
                    whole = model.time_course(boundary, start, times) if len(times) > 1 else start[None]
                    states, status = whole[len(times) - len(self.plan.time) :], INTEGRATED
            except ConvergenceError as error:
                return {name: np.full(shape, np.nan) for name in names}, f"failed: {error}"
            observed = np.array([model.observe(boundary, state) for state in states])
        columns = np.concatenate([states, observed], axis=1).T.reshape(len(names), *shape)
        return dict(zip(names, columns, strict=True)), status

    def _set(self, values: dict[str, Any]) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Start, boundary concentrations and parameters at a point."""
        model = self._model
        start, boundary, parameters = (part.copy() for part in self._rest)
        place = {name: i for i, name in enumerate(model.parameters)}
        if INITIAL in values:
            start[:] = values[INITIAL]
        for name, value in values.items():
            if name in model.floating:
                start[model.floating.index(name)] = value
            elif name in model.boundary:
                boundary[model.boundary.index(name)] = value
            elif name in place:
                parameters[place[name]] = value
        if self._crn is not None:
            self._multiply(parameters, place, values)
        settable = [place[name] for name in self._settable()]
        return start, boundary, parameters[settable]

    def _multiply(self, parameters: FloatArray, place: dict[str, int], values: dict[str, Any]) -> None:
        """Factors and errors of rate constants."""
        assert self._crn is not None
        index = [place[name] for name in self._crn.rate_constants]
        if DRAW in values and DRAW not in place:
            rng = np.random.default_rng([self._seed, int(values[DRAW])])
            parameters[index] *= np.exp(spread(float(values[CV])) * rng.standard_normal(len(index)))
        if RATES in values and RATES not in place:
            parameters[index] *= values[RATES]
        if FUEL in values and FUEL not in place:
            makes = {r.rate_constant for r in self._crn.reactions if _net(r) > 0}
            if shared := makes & {r.rate_constant for r in self._crn.reactions if _net(r) <= 0}:
                raise InputError(
                    f"rate constant {min(shared)!r} is that of reactions that make molecules and of others, so 'fuel' "
                    "has no one meaning here; give the Network"
                )
            parameters[[place[name] for name in sorted(makes)]] *= values[FUEL]

    def _settle(self, boundary: FloatArray, start: FloatArray) -> tuple[FloatArray, str]:
        """The state that the time course ends in."""
        model, state, passed = self._model, start, 0.0
        for duration in _DURATIONS.tolist():
            state = model.time_course(boundary, state, np.array([0.0, duration]))[-1]
            passed += duration
            size = np.abs(state) + _ABSENT * np.abs(state).max(initial=0.0)
            if np.all(np.abs(model.rates_of_change(boundary, state)) * passed <= _CHANGE * size):
                return self._refine(boundary, state)
        raise ConvergenceError(f"rates have not vanished by t = {passed:.3g}; at= keeps a time course")

    def _refine(self, boundary: FloatArray, state: FloatArray) -> tuple[FloatArray, str]:
        """Newton's method from a state that was reached, if it stays there."""
        none = self._model.parameter_index([]), np.empty((1, 0))
        found, good = self._model.solve_each(boundary[None], state[None], *none)
        size = np.abs(state) + _ABSENT * np.abs(state).max(initial=0.0)
        if good[0] and np.all(np.abs(found[0] - state) <= _NEAR * size):
            return found[0], SOLVED
        return state, INTEGRATED


def _net(reaction: Any) -> int:
    return sum(n for _, n in reaction.products) - sum(n for _, n in reaction.substrates)
