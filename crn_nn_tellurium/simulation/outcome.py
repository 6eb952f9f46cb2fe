"""How a run went, as one text: how it was solved, or that it failed and why.

An `Outcome` is a text, so results, tables and files show it as it is, users compare it
(``status[0] == "solved"``), and what a file gives back is an outcome again.
"""

from __future__ import annotations

from enum import Enum

import numpy as np
import numpy.typing as npt


class Kind(Enum):
    """What became of a run; a reason, where there is one, follows after a colon."""

    SOLVED = "solved"
    AFTER_INTEGRATION = "solved after integration"
    INTEGRATED = "integrated"
    CLOSED_FORM = "closed form"
    DOUBTFUL = "doubtful"
    NO_TIME = "no settling time"
    FAILED = "failed"


class Outcome(str):
    """A kind and, of what failed or is doubtful, a reason: ``"solved"``, ``"failed: no root"``.

    >>> outcome = Outcome("failed: CVODE gave up")
    >>> outcome.failed, outcome.reason
    (True, 'CVODE gave up')
    >>> SOLVED.worse(outcome)
    'failed: CVODE gave up'
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Outcome:
        made = super().__new__(cls, text)
        Kind(made.partition(": ")[0])  # raises where there is none
        return made

    @classmethod
    def failure(cls, reason: str, kind: Kind = Kind.FAILED) -> Outcome:
        """What failed, and why."""
        return cls(f"{kind.value}: {reason}")

    @property
    def kind(self) -> Kind:
        """What became of it."""
        return Kind(self.partition(": ")[0])

    @property
    def reason(self) -> str:
        """Why it failed or is doubtful; else empty."""
        return self.partition(": ")[2]

    @property
    def failed(self) -> bool:
        """Whether what was asked for is missing."""
        return self.kind in (Kind.FAILED, Kind.NO_TIME)

    def worse(self, other: Outcome) -> Outcome:
        """The one that counts of two: the first failure, else the first doubt, else the first not
        plainly solved.
        """
        return other if other._rank > self._rank else self

    @property
    def _rank(self) -> int:
        return 3 if self.failed else 2 if self.kind == Kind.DOUBTFUL else int(self != SOLVED)


SOLVED = Outcome(Kind.SOLVED.value)
AFTER_INTEGRATION = Outcome(Kind.AFTER_INTEGRATION.value)
INTEGRATED = Outcome(Kind.INTEGRATED.value)
CLOSED_FORM = Outcome(Kind.CLOSED_FORM.value)

ACCURATE = 1e-8
"""Error of a concentration, relative to it, up to which it counts as solved."""

Outcomes = npt.NDArray[np.object_]
"""Outcomes by sample or by point."""
_worse_each = np.frompyfunc(Outcome.worse, 2, 1)


def outcomes(outcome: Outcome, shape: int | tuple[int, ...]) -> Outcomes:
    """The same outcome for all."""
    result = np.empty(shape, dtype=object)
    result.fill(outcome)  # np.full would make plain texts of them
    return result


def all_solved(status: Outcomes) -> bool:
    """Whether there is nothing but `SOLVED`."""
    # a list compares what is the same object at once, where numpy would compare texts
    return status.ravel().tolist().count(SOLVED) == status.size


def worse(before: Outcomes, after: Outcomes) -> Outcomes:
    """One by one, broadcast, the outcome that counts of two: `after` if it says something new."""
    if all_solved(after):
        return before
    # of arrays without dimensions numpy gives the outcome alone
    return np.asarray(_worse_each(before, after), dtype=object)


def failures(status: Outcomes) -> npt.NDArray[np.bool_]:
    """Which failed; texts that a file gave back are outcomes as well."""
    if all_solved(status):
        return np.zeros(status.shape, dtype=bool)
    found = np.asarray(status != SOLVED)  # of millions of points most are solved
    found[found] = [Outcome(text).failed for text in status[found]]
    return found
