"""What a benchmark is: a subject, cases of growing size, our way, and others' ways to the same."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

OURS = "this package"
"""The name of the first contender of every benchmark."""


@dataclass(frozen=True)
class Work:
    """What is timed: a call that does so many items, and gives an answer to compare, or None."""

    run: Callable[[], Any]
    items: int = 1


Prepare = Callable[[str], Work]
"""Makes for a case what is made once, before the clock runs: a function of a module, since it goes
to another process by its name."""


@dataclass(frozen=True)
class Contender:
    """One way to do what a benchmark is about.

    `needs` are modules; where one is not installed, that is said. `faster_because` is told where it
    was measured to be faster than the first contender, and nowhere else. `limit` is in seconds,
    where it is not the benchmark's; `up_to` are weights beyond which it is known to take too long.
    What is no peer is another way of ours.
    """

    name: str
    prepare: Prepare
    needs: Sequence[str] = ()
    faster_because: str = ""
    limit: float | None = None
    up_to: float = math.inf
    is_peer: bool = True


@dataclass(frozen=True)
class Benchmark:
    """A subject, with what of it is done, for what `item` a time is, and by whom: ours first.

    Cases are in order of size. `limit` is the seconds that a step of a contender may take (making
    ready, a call), beyond which its curve ends; `budget` are those that its peers may take
    together, a tenth of which each has for itself. Answers further apart than `agreement` are
    pointed out; None where they are none to compare.
    """

    subject: str
    title: str
    what: str
    item: str
    cases: Sequence[str]
    contenders: Sequence[Contender]
    limit: float = 12.0
    budget: float = 50.0
    agreement: float | None = 1e-4

    @property
    def ours(self) -> Contender:
        return self.contenders[0]

    @property
    def peers(self) -> list[Contender]:
        """Who is none of ours."""
        return [one for one in self.contenders[1:] if one.is_peer]


@dataclass(frozen=True)
class Effort:
    """How long is measured.

    `rounds` of interleaved samples, each of at least `least` seconds; what takes longer than `slow`
    is timed once. Limits and budgets of the benchmarks are at most these, cases have at most so
    many weights. `fresh`: each contender of a subject has a process of its own, so that its memory
    is its own; else those of one library share one, which spares their imports.
    """

    rounds: int
    least: float
    slow: float
    limit: float = math.inf
    budget: float = math.inf
    weights: float = math.inf
    fresh: bool = True


FULL = Effort(rounds=7, least=0.05, slow=2.0)
QUICK = Effort(rounds=3, least=0.01, slow=0.3, limit=6.0, budget=4.0, weights=1_000, fresh=False)
