"""What any quantity says: which variable it makes, what it needs, what it keeps of a solved box."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.networks import Network
from crn_nn_tellurium.scans.subject import States, Subject, Variable


@dataclass(frozen=True)
class Quantity(ABC):
    """One thing that is kept of every point."""

    word: ClassVar[str] = ""
    of_networks: ClassVar[bool] = False
    """Whether it means something of neural networks alone."""
    by_network: ClassVar[bool] = False
    """Whether it is asked of each point's network, and not of a state."""
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

    def needs_values(self, subject: Subject) -> bool:
        """Whether it reads more than the outputs."""
        return False

    def check(self, subject: Subject) -> None:
        """Refuse what the subject cannot answer.

        Raises
        ------
        InputError
        """
        if self.of_networks and not isinstance(subject.plan.model, Network):
            raise InputError(
                f"{self.word!r} is of neural networks; give the Network, not its reactions or text"
            )
        if self.needs_targets and subject.plan.y is None:
            raise InputError(f"{self.word!r} needs targets; expected y=, one per sample of x=")

    @abstractmethod
    def variable(self, subject: Subject, name: str) -> Variable:
        """The variable that it makes."""

    @abstractmethod
    def keep(self, subject: Any, states: States, variable: Variable) -> Any:
        """Its values over a box; what it cannot say of a point is added to the status."""


def every(subject: Subject) -> tuple[int, ...]:
    return tuple(range(len(subject.plan.shape)))


def over_time(subject: Subject) -> tuple[tuple[str, int], ...]:
    time = subject.plan.time
    return () if time is None else (("time", len(time)),)
