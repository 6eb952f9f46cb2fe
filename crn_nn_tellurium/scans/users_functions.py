"""A user's function of one point's result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.scans.fingerprint import identity
from crn_nn_tellurium.scans.quantity import Quantity, every
from crn_nn_tellurium.scans.subject import States, Subject, Variable
from crn_nn_tellurium.simulation import SOLVED, Outcome


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

    def needs_values(self, subject: Subject) -> bool:
        return True

    def variable(self, subject: Subject, name: str) -> Variable:
        """By the first result of which the function says something."""
        first = ""
        for result in subject.results():
            value, outcome = self._value(name, result)
            if value is not None:
                return Variable(name, every(subject), subject.plan.further(name, value.shape))
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
            return np.asarray(answer, dtype=float), SOLVED
        except Exception as error:  # whatever it raises is a reason, and this point's alone
            return None, Outcome.failure(f"{name}: {type(error).__name__}: {error}")
