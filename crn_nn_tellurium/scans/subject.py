"""What a scan solves: a subject answers for boxes of points, whatever is kept of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.scans.grid import Box
from crn_nn_tellurium.scans.plan import Plan
from crn_nn_tellurium.simulation import Outcomes, failures

_TRIED = 64
"""Points at which it is tried what a user's function returns."""


def _nothing() -> FloatArray:
    return np.empty(0)


@dataclass(frozen=True)
class Variable:
    """A variable of the result.

    ``over`` are positions of the scan's dimensions, ``further`` names and lengths of those that
    come after them.
    """

    name: str
    over: tuple[int, ...]
    further: tuple[tuple[str, int], ...] = ()
    is_text: bool = False
    attrs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of what is kept of one point."""
        return tuple(n for _, n in self.further)


@dataclass(frozen=True)
class States:
    """A box that is solved; where nobody asked for an array, it is empty.

    Attributes
    ----------
    box : Box
    status : (box) ndarray of Outcome
        Quantities add what they cannot say of a point.
    outputs : (box, [n_times], n_outputs) ndarray
    values : (box, [n_times], n_names) ndarray
        Of all that has a name in the subject.
    residual : (box) ndarray
    solved : (box) bool ndarray
        Where there is a state, whatever quantities then say of it.
    """

    box: Box
    status: Outcomes
    outputs: FloatArray = field(default_factory=_nothing)
    values: FloatArray = field(default_factory=_nothing)
    residual: FloatArray = field(default_factory=_nothing)
    solved: npt.NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        # now, before quantities add to the status what they cannot say
        object.__setattr__(self, "solved", ~failures(self.status))


class Subject(ABC):
    """A plan's model.

    Attributes
    ----------
    plan : Plan
    outputs : tuple of str
        What an experiment reads.
    species : tuple of str
    names : tuple of str
        All that has a value at a point, species first.
    """

    plan: Plan
    outputs: tuple[str, ...]
    species: tuple[str, ...]
    names: tuple[str, ...]

    @abstractmethod
    def describe(self, name: str) -> dict[str, Any]:
        """Attributes of what is varied."""

    @abstractmethod
    def states(self, box: Box, all_values: bool) -> States:
        """The box solved."""

    @abstractmethod
    def result(self, states: States, place: tuple[int, ...]) -> Any:
        """What a user's function is given of the point at a place in the box."""

    def results(self) -> Iterator[Any]:
        """Results of the first points that can be solved."""
        for point in islice(self.plan.chunks[0].points(), _TRIED):
            states = self.states(Box(point, tuple(i + 1 for i in point)), True)
            if states.solved.all():
                yield self.result(states, (0,) * len(point))
