"""Points of a scan of any model: which of its numbers can be set, and what follows from them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.chemistry import ReactionNetwork, formula
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.kinetics import factors_by_name
from crn_nn_tellurium.scans.axes import CV, DRAW, FUEL, INITIAL, SPEED
from crn_nn_tellurium.scans.plan import Plan
from crn_nn_tellurium.simulation import (
    CompiledModel,
    Dependence,
    Equations,
    StartValues,
    engine_equations,
    reduced_equations,
)

# Groups of species up to which the Jacobian of a text is taken, by differences: a second a step
_GROUPS_UP_TO = 1_000


@dataclass(frozen=True)
class Point:
    """What the compiled model is to have at a point, in its orders."""

    start: FloatArray  # concentrations of the floating species
    boundary: FloatArray
    parameters: FloatArray  # of `settable`
    volumes: FloatArray | None = None  # of the compartments, where they are not the text's
    stoichiometries: Mapping[str, float] = field(default_factory=dict)  # so are these, by name


class Points(ABC):
    """The points of a plan's model."""

    settable: list[str]  # parameters of the compiled model that a point sets
    known: list[str]  # what can be varied by its name
    in_amounts: frozenset[str] = frozenset()  # species whose numbers are amounts
    newton: bool = True  # whether a Jacobian is worth its time
    stoichiometries: Sequence[str] = ()  # stoichiometric numbers with names

    def why_not(self, name: str) -> str:
        """The middle of an error where a number cannot be varied."""
        return ""

    @abstractmethod
    def at(self, values: Mapping[str, Any]) -> Point:
        """A point; ReactionError where there is none."""

    @abstractmethod
    def equations(self, at: Point) -> Equations:
        """Those of a point, whose parameters and volumes the compiled model has."""


class TextPoints(Points):
    """Of an Antimony text; initial assignments follow what they read.

    The number of a species is what its symbol stands for in the text: an amount where it is
    ``substanceOnly``, else a concentration.
    """

    def __init__(self, plan: Plan, model: CompiledModel) -> None:
        self._model = model
        with model.lock:
            model.reset()
            self._rest, self._volumes = model.values(), model.compartment_sizes()
        every = (INITIAL,) if INITIAL in plan.varied else ()
        # what a rate rule moves starts somewhere too
        self.settable = [name for name in model.parameters if name not in model.assigned]
        self.known = [*model.floating, *model.boundary, *self.settable]
        varied = {*plan.varied}
        if every and INITIAL not in self.known:
            varied |= {*model.floating}
        self._starts = StartValues(model.sbml, varied)
        self.in_amounts = self._starts.in_amounts
        self.stoichiometries = [n for n in self._starts.stoichiometries if n not in model.assigned]
        self.known += self.stoichiometries
        if not model.follows_counts:
            self._refuse_kept(varied)
        # of a law that reads all species a Jacobian costs the rates of twice as many states
        self.newton = plan.time is not None or len(self._dependence.members) <= _GROUPS_UP_TO

    def _refuse_kept(self, varied: set[str]) -> None:
        """Refuse stoichiometric numbers that would stay as the text has them, whatever they follow
        from: those that a rate rule starts from another, and those that are others by a rule.
        """
        starts, rate_ruled = self._starts, self._model.rate_ruled
        counts, moved = {*starts.stoichiometries}, varied | {*starts.following}
        for name in sorted(counts):
            read = starts.read_by(name) - {name}
            if name in rate_ruled & moved or (read & counts and read & moved):
                raise InputError(
                    f"stoichiometric number {name!r} changes in this scan and has a rate rule or is"
                    " another by a rule, as one that stands twice is; roadrunner 2.8, the last one"
                    " for Python 3.10, would keep it as it is in the text; expected Python 3.11 or"
                    " newer, or a text for each value"
                )

    def at(self, values: Mapping[str, Any]) -> Point:
        model = self._model
        start, boundary, every = (part.copy() for part in self._rest)
        volumes = self._volumes.copy()
        symbols = {name: float(value) for name, value in values.items() if name in self.known}
        # before single starts, which go before that of all
        if INITIAL in values and INITIAL not in self.known:
            for name in model.floating:
                size = self._size(name, volumes) if name in self.in_amounts else 1.0
                symbols.setdefault(name, float(values[INITIAL]) * size)
        symbols |= self._starts.at(symbols)
        place = {name: i for i, name in enumerate(model.compartments) if name in symbols}
        for name, i in place.items():
            volumes[i] = symbols[name]
        for names, array in (
            (model.floating, start),
            (model.boundary, boundary),
            (model.parameters, every),
        ):
            for i, name in enumerate(names):
                size = self._size(name, volumes) if name in self.in_amounts else 1.0
                if name in symbols:
                    array[i] = symbols[name] / size
                elif name in self.in_amounts:
                    # an amount stays what it is where its compartment grows
                    array[i] *= self._size(name, self._volumes) / size
        index = {name: i for i, name in enumerate(model.parameters)}
        parameters = every[[index[name] for name in self.settable]]
        numbers = {n: symbols[n] for n in self.stoichiometries if n in symbols}
        return Point(start, boundary, parameters, volumes if place else None, numbers)

    def equations(self, at: Point) -> Equations:
        return engine_equations(self._model, at.boundary, self._dependence)

    @cached_property
    def _dependence(self) -> Dependence:
        model = self._model
        place = {name: i for i, name in enumerate(model.floating)}
        read = (self._starts.read_by(reaction) for reaction in model.reactions)
        return Dependence([[place[s] for s in names & place.keys()] for names in read], len(place))

    def _size(self, species: str, volumes: FloatArray) -> float:
        """The volume that a species is in."""
        compartment = self._starts.compartment[species]
        return float(volumes[self._model.compartments.index(compartment)])


class NetworkPoints(Points):
    """Of a reaction network: rate constants and starts by its own formulas, then their errors."""

    def __init__(self, plan: Plan, crn: ReactionNetwork) -> None:
        self._plan, self._crn = plan, crn
        self.settable = list(crn.constant_names)
        self.known = [*crn.floating, *crn.boundary, *crn.free_constants]
        self._place = {name: i for i, name in enumerate(crn.constant_names)}
        self._formulas = dict(crn.formulas)
        self._makers = self._find_makers()
        for name, values in plan.varied.items():
            if name in crn.rate_constants and name in self.known and np.any(values < 0):
                raise InputError(
                    f"{name!r}: {float(values.min())!r} among its values; expected numbers >= 0,"
                    " since the sign of a rate says which way its reaction runs"
                )

    def why_not(self, name: str) -> str:
        if name not in self._formulas:
            return (
                " (of an imported model, what sizes, stoichiometries and functions read is a"
                " number: scan its Antimony text)"
            )
        return f"; it follows from {formula(self._formulas[name])}, whose numbers can be varied"

    def at(self, values: Mapping[str, Any]) -> Point:
        crn, constants = self._crn, self._crn.constants.copy()
        own = {name: value for name, value in values.items() if name in self.known}
        for name in own.keys() & self._place.keys():
            constants[self._place[name]] = own[name]
        constants = crn.derive(constants)
        given = {}
        # before single starts, which go before that of all
        if INITIAL in values and INITIAL not in self.known:
            given = dict.fromkeys(crn.floating, values[INITIAL])
        given |= {name: value for name, value in own.items() if name not in self._place}
        starts = crn.starts(constants, given)
        start, boundary = (
            np.array([starts[name] for name in names], dtype=float)
            for names in (crn.floating, crn.boundary)
        )
        return Point(start, boundary, self._with_errors(constants, values))

    def equations(self, at: Point) -> Equations:
        return reduced_equations(self._crn, at.boundary, at.parameters)

    def _with_errors(self, constants: FloatArray, values: Mapping[str, Any]) -> FloatArray:
        """Factors and errors of rate constants, each of which errs by itself."""
        factors = {name: value for name, value in values.items() if name not in self.known}
        names, constants = self._crn.rate_constants, constants.copy()
        n = len(names)
        if DRAW in factors:
            draw = float(factors[CV]), int(factors[DRAW]), self._plan.seed
            constants[:n] *= factors_by_name(names, *draw)
        if SPEED in factors:
            constants[:n] *= factors[SPEED]
        if FUEL in factors:
            constants[self._makers] *= factors[FUEL]
        return constants

    def _find_makers(self) -> list[int]:
        """Places of the rate constants that make molecules, if a factor on them is varied."""
        if FUEL not in self._plan.varied or FUEL in self.known:
            return []
        makes = {r.rate_constant for r in self._crn.reactions if r.gain > 0}
        if shared := makes & {r.rate_constant for r in self._crn.reactions if r.gain <= 0}:
            raise InputError(
                f"rate constant {min(shared)!r} is that of reactions that make molecules and of"
                " others, so 'fuel' has no one meaning here; give the Network"
            )
        return [self._place[name] for name in sorted(makes)]
