"""The compiled side: Antimony or SBML text to a model that roadrunner has compiled, driven in bulk.

What makes it fast, all measured (`crn-nn bench`): values are set through int32 index arrays;
the solver object is called directly, since `RoadRunner.steadyState()` recompiles the model in every
call for its conserved-moiety analysis; initial conditions are not compiled as mutable; a text is
compiled once per process, whoever asks for it.

This file and `loading`, which compiles, alone touch roadrunner (tellurium, which takes two seconds
to import, is for `tellurium_model`, and for `benchmarks` as a peer to measure).
"""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache, reduce
from typing import Any

import numpy as np
import numpy.typing as npt
import roadrunner
from scipy import sparse

from crn_nn_tellurium.basics import FloatArray, Lock
from crn_nn_tellurium.chemistry import ConservedSums, conserved_sums
from crn_nn_tellurium.errors import ConvergenceError
from crn_nn_tellurium.importers import antimony_to_sbml, is_sbml
from crn_nn_tellurium.simulation.loading import new_runner

# CVODE writes why it fails to standard error, past roadrunner's log; the errors raised say it too
for _log in ("SUNLOGGER_ERROR_FILENAME", "SUNLOGGER_WARNING_FILENAME"):
    os.environ.setdefault(_log, os.devnull)

STEADY_STATE_TOLERANCE = 1e-13
"""nleq2's relative tolerance; its scale has an absolute part, so small roots need a second call."""


Places = npt.NDArray[np.int32]
"""roadrunner takes no other whole numbers."""


@dataclass(frozen=True)
class Tolerances:
    """How exactly CVODE integrates one run; `absolute_of` is for single species that differ."""

    relative: float = 1e-10
    # roots go down to h / |z|: with a tolerance above them CVODE steps below zero, where y runs
    # away to minus infinity
    absolute: float = 1e-18
    # derivatives cross zero, as concentrations cannot, and need no more than their own scale
    absolute_of: Mapping[str, float] = field(default_factory=dict)
    # how many steps it may take from one time to the next
    steps: int = 200_000


TIGHT = Tolerances()
"""What this package integrates with, unless a run says otherwise."""
CVODE: dict[str, float | bool] = {
    # first: it makes CVODE anew, with 20,000 steps
    "stiff": True,
    "variable_step_size": False,
    "relative_tolerance": TIGHT.relative,
    "absolute_tolerance": TIGHT.absolute,
    "maximum_num_steps": TIGHT.steps,
}
"""CVODE's settings wherever this package integrates."""

_KEEPS_TOLERANCES = tuple(map(int, roadrunner.__version__.split(".")[:2])) >= (2, 11)
"""Up to 2.10 roadrunner multiplies an absolute tolerance by each start below 1 of every run, later
by the text's own alone: a course that starts below the tolerance would be anything.
"""
SMALLEST = 1e-100
"""Concentration that is none to CVODE: at starts below 1e-145 it fails, its weights underflow."""
LARGEST = 1e30
"""Number up to which nleq2 is asked: its Jacobian of products of three of them, and the squares of
that, are numbers. Where they are not it never ends (its QR waits for a column's norm that is NaN),
and no signal reaches it."""


def given_up(times: FloatArray, reason: str, reached: str = "") -> ConvergenceError:
    """What says that CVODE did not get through, and what to try; its own reason comes last."""
    return ConvergenceError(
        f"CVODE failed between t = {times[0]:g} and {times[-1]:g}{reached}: its steps became too"
        " short or too many; smaller inputs, starts or rate constants may help, or earlier times"
        f" where concentrations grow without end ({reason})"
    )


class _Quiet:
    """Without roadrunner's log: failed solves are caught and reported by those who call.

    The level is the process's: it is the user's again once no thread needs it quiet.
    """

    def __init__(self) -> None:
        self._lock, self._users, self._level = Lock(), 0, 0

    def __enter__(self) -> None:
        with self._lock:
            if not self._users:
                self._level = roadrunner.Logger.getLevel()
                roadrunner.Logger.setLevel(roadrunner.Logger.LOG_FATAL)
            self._users += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._users -= 1
            if not self._users:
                roadrunner.Logger.setLevel(self._level)


_quiet = _Quiet()


def within_reach(*parts: FloatArray) -> npt.NDArray[np.bool_]:
    """Which rows of all arrays (n or 1, m) are such that nleq2 ends; see `LARGEST`."""
    # no comparison holds for NaN
    rows = [np.asarray((np.abs(part) <= LARGEST).all(axis=-1)) for part in parts]
    return reduce(np.logical_and, rows)


@contextmanager
def own_solvers(runner: Any) -> Iterator[None]:
    """CVODE and nleq2 as they need to be, whatever the user has chosen for simulations."""
    integrator, solver = runner.getIntegrator().getName(), runner.getSteadyStateSolver().getName()
    runner.setIntegrator("cvode")
    runner.setSteadyStateSolver("nleq2")
    needed = [(runner.getIntegrator(), name, value) for name, value in CVODE.items()]
    needed.append((runner.getSteadyStateSolver(), "relative_tolerance", STEADY_STATE_TOLERANCE))
    kept = [(owner, name, owner.getValue(name)) for owner, name, _ in needed]
    try:
        for owner, name, value in needed:
            owner.setValue(name, value)
        yield
    finally:
        for owner, name, value in kept:
            owner.setValue(name, value)
        runner.setSteadyStateSolver(solver)
        runner.setIntegrator(integrator)


class CompiledModel:
    """A model in roadrunner with its values set and read in bulk.

    It holds state: callers set all that they rely on, holding `lock` from the first value set to
    the last result read. `floating`, `boundary` and `parameters` are identifiers in the order of
    the arrays that go in and out; `assigned` and `rate_ruled` those whose values rules set.
    """

    def __init__(self, text: str, conserved_moieties: bool = False) -> None:
        self._text = text
        self._runner = new_runner(text, conserved_moieties=conserved_moieties, mutable_starts=False)
        self._model = self._runner.model
        self.floating = tuple(self._model.getFloatingSpeciesIds())
        # in brackets, concentrations: without, amounts, which differ in a compartment that is not 1
        self._runner.timeCourseSelections = ["time", *(f"[{name}]" for name in self.floating)]
        self.boundary = tuple(self._model.getBoundarySpeciesIds())
        self.parameters = tuple(self._model.getGlobalParameterIds())
        self.assigned = frozenset(self._runner.getAssignmentRuleIds())
        self.rate_ruled = frozenset(self._runner.getRateRuleIds())
        self.compartments = tuple(self._model.getCompartmentIds())
        self.reactions = tuple(self._model.getReactionIds())
        self.n_events = int(self._model.getNumEvents())
        self.lock = Lock()
        self._floating_index = np.arange(len(self.floating), dtype=np.int32)
        self._boundary_index = np.arange(len(self.boundary), dtype=np.int32)
        self._parameter_position = {name: i for i, name in enumerate(self.parameters)}
        self._conserved: tuple[FloatArray, ConservedSums] | None = None
        self._solver = self._runner.getSteadyStateSolver()
        self._solver.setValue("relative_tolerance", STEADY_STATE_TOLERANCE)
        self._runner.setIntegrator("cvode")
        self._cvode = self._runner.getIntegrator()
        for name, value in CVODE.items():
            self._cvode.setValue(name, value)
        self._tolerances: Tolerances | None = TIGHT

    @cached_property
    def sbml(self) -> str:
        """The text as SBML."""
        return self._text if is_sbml(self._text) else antimony_to_sbml(self._text)

    def parameter_index(self, names: Iterable[str]) -> Places:
        """Index array for `set_parameters`; roadrunner takes int32 alone."""
        return np.array([self._parameter_position[name] for name in names], dtype=np.int32)

    def set_parameters(self, index: Places, values: FloatArray) -> None:
        """Set parameters; nothing is recompiled."""
        self._model.setGlobalParameterValues(index, np.ascontiguousarray(values, dtype=float))

    def compartment_sizes(self) -> FloatArray:
        """Sizes of the compartments, in the order of `compartments`."""
        return np.array(self._model.getCompartmentVolumes(), dtype=float)

    def set_compartment_sizes(self, values: FloatArray) -> None:
        """Set the sizes of the compartments but of those that rules set, before what is in them."""
        own = [i for i, name in enumerate(self.compartments) if name not in self.assigned]
        index = np.array(own, dtype=np.int32)
        self._model.setCompartmentVolumes(index, np.array(values, dtype=float)[own])

    def set_stoichiometries(self, values: Mapping[str, float]) -> None:
        """Set stoichiometric numbers that have names."""
        for name, value in values.items():
            self._runner.setValue(name, value)

    @property
    def follows_counts(self) -> bool:
        """Whether roadrunner tells stoichiometric numbers, and all that follows from them does so
        when they are set; 2.8, the last one for Python 3.10, does not.
        """
        return hasattr(self._model, "getStoichiometryIds")

    def solve_each(
        self, boundary: FloatArray, start: FloatArray, index: Places, values: FloatArray
    ) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
        """Steady states (n, n_floating) by Newton's method (nleq2), and which it reached (n,).

        Parameters (n_parameters,) are set to `values` (1 or n, n_parameters), for all samples or
        each. Not checked: a root may be negative (see `settle`). What is beyond `LARGEST`, or no
        number, stays where it starts.
        """
        model = self._model
        boundary, start = np.ascontiguousarray(boundary), np.ascontiguousarray(start)
        values = np.ascontiguousarray(values, dtype=float)
        result = start.copy()
        converged = within_reach(start, boundary, values)
        if len(values) == 1:
            model.setGlobalParameterValues(index, values[0])
        with _quiet:
            for i in np.flatnonzero(converged).tolist():
                if len(values) > 1:
                    model.setGlobalParameterValues(index, values[i])
                converged[i] = self._solve(boundary[i], start[i])
                result[i] = model.getFloatingSpeciesConcentrations()
        return result, converged

    def solve_one(
        self, boundary: list[float], start: list[float], index: Places, values: list[float]
    ) -> list[float] | None:
        """As `solve_each`, of one sample in Python's numbers; None where Newton's method fails."""
        # the sum first: where it is a number, so are all, and extremes are what they seem
        every = boundary + start + values
        if not (math.isfinite(sum(every)) and min(every) >= -LARGEST and max(every) <= LARGEST):
            return None
        with _quiet:
            self._model.setGlobalParameterValues(index, np.array(values))
            if not self._solve(np.array(boundary), np.array(start)):
                return None
            found: list[float] = self._model.getFloatingSpeciesConcentrations().tolist()
        return found

    def _solve(self, boundary: FloatArray, start: FloatArray) -> bool:
        """Whether Newton's method ends."""
        model = self._model
        if self.boundary:
            model.setBoundarySpeciesConcentrations(self._boundary_index, boundary)
        model.setFloatingSpeciesConcentrations(self._floating_index, start)
        try:
            self._solver.solve()
        except RuntimeError:  # roadrunner raises this alone when nleq2 gives up
            return False
        return True

    def _tolerate(self, tolerances: Tolerances, start: FloatArray) -> None:
        """Set CVODE's tolerances for a run, which are those of the last one until then."""
        if _KEEPS_TOLERANCES:
            least = tolerances.absolute / tolerances.relative
            small = np.flatnonzero((start > 0) & (start < least)).tolist()
            own = {self.floating[i]: tolerances.absolute * float(start[i]) for i in small}
            tolerances = replace(tolerances, absolute_of=own | dict(tolerances.absolute_of))
        if tolerances == self._tolerances:
            return
        self._tolerances = None
        self._cvode.setValue("maximum_num_steps", tolerances.steps)
        self._cvode.setValue("relative_tolerance", tolerances.relative)
        # one number for all ends those of single species
        self._cvode.setValue("absolute_tolerance", tolerances.absolute)
        for name, value in tolerances.absolute_of.items():
            self._cvode.setIndividualTolerance(name, value)
        self._tolerances = tolerances

    def time_course(
        self,
        boundary: FloatArray,
        start: FloatArray,
        times: FloatArray,
        tolerances: Tolerances = TIGHT,
    ) -> FloatArray:
        """Concentrations (n_times, n_floating) at rising times, the start's first, by CVODE."""
        read = self._model.getFloatingSpeciesConcentrations
        return self._integrate(boundary, start, times, tolerances, read)

    def _integrate(
        self,
        boundary: FloatArray,
        start: FloatArray,
        times: FloatArray,
        tolerances: Tolerances,
        read: Callable[[], FloatArray],
    ) -> FloatArray:
        start = np.where(np.abs(start) < SMALLEST, 0.0, start)
        self._set_state(boundary, start)
        self._tolerate(tolerances, start)
        integrator, (first, *later) = self._cvode, times.tolist()
        try:
            with _quiet:
                self._model.setTime(first)
                integrator.restart(first)
                found = [read()]
                # as `simulate` goes on, without a new start, but signals are seen between times:
                # each is reached in at most so many steps as `CVODE` allows
                for now, then in itertools.pairwise((first, *later)):
                    integrator.integrate(now, then - now)
                    found.append(read())
                return np.array(found, dtype=float)
        except RuntimeError as error:
            # behind its reason roadrunner names the function of its own that raised it
            raise given_up(times, str(error).partition("; In ")[0]) from error

    def reset(self) -> None:
        """Everything as the text has it."""
        self._runner.resetToOrigin()

    def values(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Concentrations of floating and boundary species, and the parameters, as they are now."""
        model = self._model
        return (
            np.array(model.getFloatingSpeciesConcentrations(), dtype=float),
            np.array(model.getBoundarySpeciesConcentrations(), dtype=float),
            np.array(model.getGlobalParameterValues(), dtype=float),
        )

    def record(self, boundary: FloatArray, start: FloatArray, times: FloatArray) -> FloatArray:
        """As `time_course`, with all parameters and boundary species behind, as rules and events
        set them.
        """
        model = self._model

        def read() -> FloatArray:
            held = model.getBoundarySpeciesConcentrations()
            parameters = model.getGlobalParameterValues()
            return np.concatenate([model.getFloatingSpeciesConcentrations(), parameters, held])

        return self._integrate(boundary, start, times, TIGHT, read)

    def observe(self, boundary: FloatArray, x: FloatArray) -> FloatArray:
        """All parameters (n_parameters,), those that rules set too, at one state."""
        self._set_state(boundary, x)
        return np.array(self._model.getGlobalParameterValues(), dtype=float)

    def rates_of_change(self, boundary: FloatArray, x: FloatArray) -> FloatArray:
        """roadrunner's own dx/dt (n_floating,) at one state."""
        self._set_state(boundary, x)
        return np.array(self._model.getFloatingSpeciesConcentrationRates())

    def reaction_rates(self, boundary: FloatArray, states: FloatArray) -> FloatArray:
        """roadrunner's own rates (n, n_reactions), amounts per time, at states (n, n_floating)."""
        model, index = self._model, self._floating_index
        model.setBoundarySpeciesConcentrations(self._boundary_index, np.ascontiguousarray(boundary))
        found = np.empty((len(states), len(self.reactions)))
        for row, state in zip(found, np.ascontiguousarray(states), strict=True):
            model.setFloatingSpeciesConcentrations(index, state)
            row[:] = model.getReactionRates()
        return found

    @property
    def stoichiometry(self) -> FloatArray:
        """Net amounts (n_floating, n_reactions), those with names as they are now."""
        # what has no name is called stoich(species, reaction)
        if self.follows_counts and all("(" in name for name in self._model.getStoichiometryIds()):
            return self._stoichiometry
        # roadrunner's matrix keeps what names stood for first, NaN where they follow from others,
        # and what rules set is anew once rates are asked for
        self._model.getFloatingSpeciesConcentrationRates()
        found = np.empty_like(self._stoichiometry)
        for i, j in np.ndindex(found.shape):
            found[i, j] = self._model.getStoichiometry(i, j)
        return found

    @cached_property
    def _stoichiometry(self) -> FloatArray:
        if not (self.floating and self.reactions):
            return np.zeros((len(self.floating), len(self.reactions)))
        found = self._runner.getFullStoichiometryMatrix()
        # in an order of its own, the independent species first
        rows, columns = list(found.rownames), list(found.colnames)
        order = [rows.index(name) for name in self.floating]
        return np.asarray(found)[order][:, [columns.index(name) for name in self.reactions]]

    @property
    def conserved_amounts(self) -> ConservedSums:
        """Sums of amounts that no reaction changes."""
        changes = self.stoichiometry
        if self._conserved is None or not np.array_equal(self._conserved[0], changes):
            self._conserved = changes, conserved_sums(sparse.csr_array(changes))
        return self._conserved[1]

    def volumes(self) -> FloatArray:
        """Of the compartments of the floating species (n_floating,): amounts at concentration 1."""
        ones = np.ones(len(self.floating))
        self._model.setFloatingSpeciesConcentrations(self._floating_index, ones)
        return np.array(self._model.getFloatingSpeciesAmounts())

    def control_coefficients(
        self,
        boundary: FloatArray,
        x: FloatArray,
        variables: Sequence[str],
        parameters: Sequence[str],
        steps: Sequence[float],
    ) -> FloatArray:
        """roadrunner's `getuCC`, (n_variables, n_parameters), at a steady state x.

        It takes differences over five points: at each parameter's value, and one and two of the
        given steps to either side.
        """
        runner = self._runner
        found = np.empty((len(variables), len(parameters)))
        try:
            with _quiet:
                for column, (parameter, step) in enumerate(zip(parameters, steps, strict=True)):
                    size = abs(runner.getValue(parameter))
                    # roadrunner's step is relative, but for a parameter at 0
                    runner.setDiffStepSize(step / size if size else step)
                    for row, variable in enumerate(variables):
                        self._set_state(boundary, x)
                        # getuCC solves at changed parameters: each call starts from the state again
                        found[row, column] = runner.getuCC(variable, parameter)
        except RuntimeError as error:
            text = f"roadrunner has no control coefficients here: {error}"
            raise ConvergenceError(text) from error
        return found

    def _set_state(self, boundary: FloatArray, x: FloatArray) -> None:
        held, state = (np.ascontiguousarray(part, dtype=float) for part in (boundary, x))
        self._model.setBoundarySpeciesConcentrations(self._boundary_index, held)
        self._model.setFloatingSpeciesConcentrations(self._floating_index, state)

    def __repr__(self) -> str:
        species = f"{len(self.floating)} floating and {len(self.boundary)} boundary species"
        name, n_parameters = self._model.getModelName(), len(self.parameters)
        return f"CompiledModel({name!r}: {species}, {n_parameters} parameters)"


class Calculator:
    """A model of parameters alone, some of which rules set: formulas, worked out by roadrunner."""

    def __init__(self, sbml: str) -> None:
        with _quiet:
            self._runner = new_runner(sbml)
        self._model = self._runner.model
        self._names = tuple(self._model.getGlobalParameterIds())
        self._place = {name: i for i, name in enumerate(self._names)}

    def values(self, given: Mapping[str, float]) -> dict[str, float]:
        """All parameters by name, where some are given; those that rules set cannot be."""
        index = np.array([self._place[name] for name in given], dtype=np.int32)
        self._model.setGlobalParameterValues(index, np.array([*given.values()], dtype=float))
        found = self._model.getGlobalParameterValues()
        return dict(zip(self._names, np.asarray(found).tolist(), strict=True))


_made = lru_cache(maxsize=64)(CompiledModel)
_made_lock = Lock()  # two threads that ask for one text shall not both compile it


def compiled(text: str, conserved_moieties: bool = False) -> CompiledModel:
    """The compiled model of a text, compiled at most once while it stays among the last 64 used."""
    with _made_lock:
        return _made(text, conserved_moieties)


def clear_cache() -> None:
    """Forget all compiled models (roadrunner keeps compiled code of its own)."""
    with _made_lock:
        _made.cache_clear()
