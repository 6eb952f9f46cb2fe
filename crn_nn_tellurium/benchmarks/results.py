"""What a run measured, and on what machine: one record, and the file that keeps them."""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from crn_nn_tellurium._version import __version__
from crn_nn_tellurium.basics import check_fields, is_version, json_value
from crn_nn_tellurium.errors import FileFormatError

PACKAGES = (
    "libroadrunner tellurium antimony numpy scipy numba scikit-sundae scikit-learn python-libsbml"
    " copasi-basico torch jax diffrax gillespy2 bioscrape"
).split()
"""Whose versions decide what is measured."""
_FORMAT = 1


@dataclass(frozen=True)
class Measurement:
    """What one contender took for one case.

    Seconds are of an item: medians over rounds of CPU time and of time; `low` and `high` are the
    least and the most CPU time of a round. `ready` is the CPU time of what is made once, `memory`
    the most that its process had, in MB, `off` the largest distance of its answer to ours. Where
    nothing was measured, `outcome` says why.
    """

    subject: str
    case: str
    weights: int
    contender: str
    outcome: str = ""
    cpu: float = math.nan
    wall: float = math.nan
    low: float = math.nan
    high: float = math.nan
    rounds: int = 0
    ready: float = math.nan
    memory: float = math.nan
    off: float = math.nan

    @property
    def is_measured(self) -> bool:
        return not self.outcome


@dataclass(frozen=True)
class Machine:
    """What the benchmarks ran on, and what is installed there; versions are None of what is not,
    memory is where the system does not say.
    """

    processor: str
    cores: int
    memory_gb: float | None
    system: str
    python: str
    versions: dict[str, str | None]


@dataclass(frozen=True)
class Results:
    """All that a run has measured so far.

    `load` is the number of processes that were ready to run, over a minute: before the run, and
    after what was last measured, which has one process of its own in it. `pauses` is how many times
    the run was interrupted and gone on with.
    """

    machine: Machine
    started: str
    full: bool
    subjects: tuple[str, ...]
    load_before: float
    load_after: float
    seconds: float = 0.0
    pauses: int = 0
    measurements: tuple[Measurement, ...] = ()

    @property
    def command(self) -> str:
        """What was typed for such a run."""
        return "crn-nn bench --full" if self.full else "crn-nn bench"

    @property
    def n_cases(self) -> int:
        """How many cases are measured, of all subjects."""
        return len({(one.subject, one.case) for one in self.measurements})

    def of(self, subject: str, contender: str | None = None) -> list[Measurement]:
        """Those of a subject, or of one contender for it, in the order of its cases."""
        rows = (one for one in self.measurements if one.subject == subject)
        return [one for one in rows if contender in (None, one.contender)]

    def one(self, subject: str, case: str, contender: str) -> Measurement | None:
        """That of a contender for a case; None if there is none."""
        return next((one for one in self.of(subject, contender) if one.case == case), None)

    def to_json(self) -> str:
        """A document that any language reads: what was not measured is null, and infinite distances
        are "infinite".
        """
        document = {"format": _FORMAT, **asdict(self)}
        return json.dumps(_to_plain(document), indent=1, allow_nan=False) + "\n"

    @staticmethod
    def from_json(text: str, name: str = "results") -> Results:
        """What `to_json` wrote.

        Raises
        ------
        FileFormatError
            If the text is something else.
        """
        try:
            document = json_value(text)
            if not is_version(document.pop("format"), [_FORMAT]):
                raise ValueError("another format")
            machine = Machine(**document.pop("machine"))
            rows = document.pop("measurements")
            measurements = tuple(Measurement(**_from_plain(row)) for row in rows)
            subjects = tuple(document.pop("subjects"))
            given = _from_plain(document)
            found = Results(machine, measurements=measurements, subjects=subjects, **given)
            for made in (machine, found, *measurements):
                check_fields(made)
            texts = *subjects, *machine.versions, *filter(None, machine.versions.values())
            if not all(isinstance(text, str) for text in texts):
                raise ValueError("subjects and versions are texts")
            return found
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise FileFormatError(
                f"{name!r}: no figures of crn-nn bench ({type(error).__name__}: {error})"
            ) from error


_INFINITE = "infinite"


def _to_plain(value: Any) -> Any:
    """JSON has neither NaN nor infinity."""
    if isinstance(value, dict):
        return {key: _to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_to_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else _INFINITE
    return value


def _from_plain(entries: dict[str, Any]) -> dict[str, Any]:
    """Entries of which none is itself None."""
    numbers = {None: math.nan, _INFINITE: math.inf}
    return {key: numbers.get(value, value) for key, value in entries.items()}


def begin(full: bool, subjects: Iterable[str]) -> Results:
    """A run of which nothing is measured yet, on this machine."""
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    return Results(this_machine(), now, full, tuple(subjects), load(), load())


def this_machine() -> Machine:
    """What it is that is to run the benchmarks."""
    return Machine(
        processor=_processor(),
        cores=os.cpu_count() or 0,
        memory_gb=_memory_gb(),
        system=platform.platform(),
        python=platform.python_version(),
        versions={"crn_nn_tellurium": __version__, **{name: _version(name) for name in PACKAGES}},
    )


def load() -> float:
    """How many processes were ready to run, over the last minute; NaN where it is not known."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else math.nan


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _memory_gb() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (AttributeError, ValueError, OSError):
        return None


def _processor() -> str:
    """The processor's name, which Python itself does not know on Linux."""
    described = Path("/proc/cpuinfo")
    if described.exists():
        for line in described.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
