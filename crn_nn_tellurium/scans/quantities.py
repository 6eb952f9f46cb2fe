"""What a scan keeps: a class for each quantity.

A quantity says which variable it makes, what it needs, and what it keeps of a box that is solved.
Those here are of any model. `QUANTITIES` has all that go by a name; a species' name means
`Single`, a function `UserFunction`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import FloatArray, some, visible
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.networks import other_names
from crn_nn_tellurium.scans.network_quantities import (
    Accuracy,
    Classes,
    GradientNorm,
    MeanLoss,
    SettlingTime,
)
from crn_nn_tellurium.scans.noise_quantities import ClassProbability, StandardDeviation
from crn_nn_tellurium.scans.plan import identity
from crn_nn_tellurium.scans.subject import Quantity, States, Subject, Variable
from crn_nn_tellurium.simulation import SOLVED, Outcome


class Outputs(Quantity):
    """All outputs."""

    word = "outputs"

    def variable(self, subject: Subject, name: str) -> Variable:
        further = (*subject.plan.over_time, ("output", len(subject.outputs)))
        attrs = {"units": subject.plan.unit_of(name), "long_name": "output"}
        return Variable(name, subject.plan.every, further, attrs=attrs)

    def keep(self, subject: Subject, states: States, variable: Variable) -> FloatArray:
        return states.outputs


class AllSpecies(Quantity):
    """Concentrations of all species."""

    word = "species"

    @property
    def default_name(self) -> str:
        """A variable cannot be called like the dimension that it has."""
        return "concentrations"

    def needs_values(self, subject: Subject) -> bool:
        return True

    def variable(self, subject: Subject, name: str) -> Variable:
        further = (*subject.plan.over_time, ("species", len(subject.species)))
        attrs = {"units": subject.plan.unit_of(name), "long_name": "concentration"}
        return Variable(name, subject.plan.every, further, attrs=attrs)

    def keep(self, subject: Subject, states: States, variable: Variable) -> FloatArray:
        return states.values[..., : len(subject.species)]


@dataclass(frozen=True)
class Single(Quantity):
    """One output, species or parameter by its name."""

    of: str

    @property
    def default_name(self) -> str:
        return self.of

    def needs_values(self, subject: Subject) -> bool:
        return self.of not in subject.outputs

    def check(self, subject: Subject) -> None:
        known = dict.fromkeys((*subject.outputs, *subject.names))
        if self.of not in known:
            raise InputError(
                f"outputs: there is no {self.of!r} to keep; expected one of"
                f" {', '.join(QUANTITIES)}, a function, an output or a species:"
                f" {some(list(known))}{other_names(self.of, known)}"
            )

    def variable(self, subject: Subject, name: str) -> Variable:
        what = "output " if self.of in subject.outputs else ""
        what = "concentration of " if not what and self.of in subject.species else what
        attrs = {"units": subject.plan.unit_of(self.of), "long_name": what + self.of}
        return Variable(name, subject.plan.every, subject.plan.over_time, attrs=attrs)

    def keep(self, subject: Subject, states: States, variable: Variable) -> FloatArray:
        if self.of in subject.outputs:
            return states.outputs[..., subject.outputs.index(self.of)]
        return states.values[..., subject.names.index(self.of)]


@dataclass(frozen=True)
class UserFunction(Quantity):
    """A function of one point's result, which may fail or answer anything at any point.

    Parameters
    ----------
    function : callable
        Of a `SteadyState` or `TimeCourse` of a network, of other models of a dictionary of species
        and parameters, to a number or an array of numbers.
    version : str
        In files, a function is known by its module, its name and this, not by its code: who
        changes the function gives another.

    Examples
    --------
    >>> def peak(course):
    ...     return course.concentrations.max(axis=0)
    >>> UserFunction(peak, version="2").default_name
    'peak'
    """

    word = "function"
    is_slow = True
    function: Callable[[Any], Any]
    version: str = ""

    @property
    def default_name(self) -> str:
        return str(getattr(self.function, "__name__", ""))

    @property
    def identity(self) -> str:
        return f"{self.word} {identity(self.function)} {self.version}"

    @property
    def is_identified(self) -> bool:
        return bool(self.version) or super().is_identified

    def seconds(self) -> float:
        return float("inf")

    def needs_values(self, subject: Subject) -> bool:
        return True

    def variable(self, subject: Subject, name: str) -> Variable:
        """By the first result of which the function says something."""
        first = ""
        for result in subject.results():
            value, outcome = self._value(name, result)
            if value is not None:
                return Variable(name, subject.plan.every, subject.plan.further(name, value.shape))
            first = first or outcome.reason
        raise InputError(
            f"{first or name + ': no point was solved'}; a function is given the result of one"
            " point (a SteadyState or a TimeCourse of a network; of other models a dictionary of"
            " species and parameters) and returns a number or an array of numbers"
        )

    def keep(self, subject: Subject, states: States, variable: Variable) -> FloatArray:
        found = np.full((*states.box.shape, *variable.shape), np.nan)
        for place in zip(*np.nonzero(states.solved), strict=True):
            value, outcome = self._value(variable.name, subject.result(states, place))
            if value is not None and value.shape != variable.shape:
                outcome = Outcome.failure(
                    f"{variable.name} has shape {value.shape} here, and {variable.shape} elsewhere"
                )
            elif value is not None:
                found[place] = value
            states.status[place] = states.status[place].worse(outcome)
        return found

    def _value(self, name: str, result: Any) -> tuple[FloatArray | None, Outcome]:
        """What the function says of a result, or why it says nothing: the scan goes on."""
        try:
            answer = self.function(result)
            if answer is None:
                return None, Outcome.failure(f"{name} returns nothing")
            value = np.asarray(answer, dtype=float)
            if not value.size:  # which netCDF has no dimension for
                return None, Outcome.failure(f"{name} returns an empty array")
            return value, SOLVED
        except Exception as error:  # whatever it raises is a reason, and this point's alone
            # a file holds texts that can be shown
            reason = visible(f"{type(error).__name__}: {error}")
            return None, Outcome.failure(f"{name}: {reason}")


# Those that go by a name, with options as they are by default
QUANTITIES: Mapping[str, type[Quantity]] = {
    kind.word: kind
    for kind in (
        Outputs,
        Classes,
        AllSpecies,
        SettlingTime,
        MeanLoss,
        Accuracy,
        GradientNorm,
        StandardDeviation,
        ClassProbability,
    )
}


def quantity_of(kept: Any) -> Quantity:
    """The quantity that a name, a function or a quantity means."""
    if isinstance(kept, Quantity):
        return kept
    if isinstance(kept, str):
        return QUANTITIES[kept]() if kept in QUANTITIES else Single(kept)
    if callable(kept):
        return UserFunction(kept)
    raise InputError(
        f"outputs: {kept!r}; expected one of {', '.join(QUANTITIES)}, a species or a function"
    )
