"""What a scan solves and keeps: a subject answers for boxes of points, a quantity reads them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.errors import (
    ConvergenceError,
    InputError,
    NotCertified,
    SingularJacobianError,
)
from crn_nn_tellurium.networks import Network
from crn_nn_tellurium.scans.plan import Box, Plan
from crn_nn_tellurium.simulation import SOLVED, Kind, Outcome, Outcomes, failures, outcomes

Place = tuple[slice, ...]
"""A part of a box, of all its dimensions."""

# Points at which it is tried what a user's function returns
_TRIED = 64


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


@dataclass(frozen=True, eq=False)
class States:
    """A box that is solved; where nobody asked for an array, it is empty."""

    box: Box
    status: Outcomes  # (box); quantities add what they cannot say of a point
    outputs: FloatArray = field(default_factory=_nothing)  # (box, [n_times], n_outputs)
    values: FloatArray = field(default_factory=_nothing)  # (box, [n_times], n_names)
    residual: FloatArray = field(default_factory=_nothing)  # (box)
    # (box), where there is a state, whatever quantities then say of it
    solved: npt.NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        # now, before quantities add to the status what they cannot say
        object.__setattr__(self, "solved", ~failures(self.status))


class Subject(ABC):
    """A plan's model."""

    plan: Plan
    outputs: tuple[str, ...]  # what an experiment reads
    species: tuple[str, ...]
    names: tuple[str, ...]  # all that has a value at a point, species first
    classes: tuple[Any, ...] = ()  # of a classifier

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


@dataclass(frozen=True)
class Quantity(ABC):
    """One thing that is kept of every point."""

    word: ClassVar[str] = ""
    of_networks: ClassVar[bool] = False
    """Whether it means something of neural networks alone."""
    by_network: ClassVar[bool] = False
    """Whether it is asked of each point's network, and not of a state."""
    of_reactions: ClassVar[bool] = False
    """Whether it is of a model's reactions, which of a text nobody knows."""
    needs_targets: ClassVar[bool] = False
    """Whether it needs the targets of all samples at once."""
    is_slow: ClassVar[bool] = False
    """Whether chunks are to have fewer points."""

    @property
    def default_name(self) -> str:
        """Its variable's name, unless the user gives another."""
        return self.word

    @property
    def identity(self) -> str:
        """What tells it from others in the key of a scan."""
        return repr(self)

    @property
    def is_identified(self) -> bool:
        """Whether equal identities mean the same quantity, so that a file may hold it."""
        return "<" not in self.identity

    def seconds(self) -> float:
        """What it takes a point, roughly; without limit where that may be anything."""
        return 2e-4 if self.is_slow else 0.0

    def needs_values(self, subject: Subject) -> bool:
        """Whether it reads more than the outputs."""
        return False

    def check(self, subject: Subject) -> None:
        """Refuse what the subject cannot answer."""
        if self.of_networks and not isinstance(subject.plan.model, Network):
            raise InputError(
                f"{self.word!r} is of neural networks; give the Network, not its reactions or text"
            )
        if self.of_reactions and isinstance(subject.plan.model, str):
            raise InputError(
                f"{self.word!r} is of reactions, and a text is roadrunner's; give"
                " import_antimony(text) or import_sbml(text), say"
            )
        if self.needs_targets and subject.plan.y is None:
            raise InputError(f"{self.word!r} needs targets; expected y=, one per sample of x=")

    @abstractmethod
    def variable(self, subject: Subject, name: str) -> Variable:
        """The variable that it makes."""

    @abstractmethod
    def keep(self, subject: Any, states: States, variable: Variable) -> Any:
        """Its values over a box; what it cannot say of a point is added to the status."""


def row_by_row(
    ask: Callable[[FloatArray], tuple[FloatArray, Outcomes]],
    rows: FloatArray,
    n: int,
    kind: Kind = Kind.FAILED,
) -> tuple[FloatArray, Outcomes]:
    """What is answered (n_rows, n) of rows, and how each went; one that fails costs its own answer
    alone.
    """
    refusals = NotCertified, ConvergenceError, SingularJacobianError
    try:
        return ask(rows)
    except refusals:
        pass
    # one has no answer: which, and what of the others?
    values, reasons = np.full((len(rows), n), np.nan), outcomes(SOLVED, len(rows))
    for i in range(len(rows)):
        try:
            values[i : i + 1], reasons[i : i + 1] = ask(rows[i : i + 1])
        except refusals as error:
            reasons[i] = Outcome.failure(str(error), kind)
    return values, reasons
