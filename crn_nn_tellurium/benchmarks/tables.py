"""What was measured, in words: times, tables, how cost grows, and where others are faster."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from crn_nn_tellurium.benchmarks.declared import OURS, Benchmark, Contender
from crn_nn_tellurium.benchmarks.models import LADDER
from crn_nn_tellurium.benchmarks.peers import USUAL
from crn_nn_tellurium.benchmarks.results import Measurement, Results
from crn_nn_tellurium.benchmarks.subjects import BENCHMARKS

EQUAL = 0.9
"""A peer is called faster below this part of our time: what is nearer may be the other way round in
the next run."""
FITTED = 3
"""Sizes, the largest that a contender reached, through which its exponent goes."""


@dataclass(frozen=True)
class Table:
    """Measurements as words: columns of text on the left, of numbers on the right."""

    title: str
    left: Sequence[str]
    right: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> str:
        """The table for README and the pages of docs."""
        heading = "| " + " | ".join((*self.left, *self.right)) + " |"
        rule = "|" + "---|" * len(self.left) + "---:|" * len(self.right)
        rows = ["| " + " | ".join(row) + " |" for row in self.rows]
        return "\n".join([heading, rule, *rows])


def seconds(value: float, missing: str = "") -> str:
    """A time in words, to three digits.

    >>> seconds(0.25), seconds(2.5e-5), seconds(float("nan"), "not run")
    ('250 ms', '25 µs', 'not run')
    """
    if math.isnan(value):
        return missing
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value * 1e9:.3g} ns"


def times(value: float) -> str:
    """A ratio in words, to two digits.

    >>> times(0.123), times(12345.0)
    ('0.12', '12,000')
    """
    return "" if math.isnan(value) else f"{float(f'{value:.2g}'):,.12g}"


def exponent(weights: Sequence[float], spent: Sequence[float]) -> float:
    """The power of the number of weights by which time grows: a line through logarithms.

    >>> round(exponent([10, 100, 1000], [2.0, 20.0, 200.0]), 6)
    1.0
    """
    if len(weights) < 2:
        return math.nan
    return float(np.polyfit(np.log(weights), np.log(spent), 1)[0])


def present(results: Results) -> list[Benchmark]:
    """Benchmarks of which there are measurements."""
    found = {one.subject for one in results.measurements}
    return [benchmark for benchmark in BENCHMARKS if benchmark.subject in found]


def curve(results: Results, benchmark: Benchmark, contender: Contender) -> list[Measurement]:
    """What a contender took for random networks, by size."""
    rows = results.of(benchmark.subject, contender.name)
    return [row for row in rows if row.case in LADDER and row.is_measured]


# Tables ------------------------------------------------------------------------------------------


def subject_table(results: Results, benchmark: Benchmark) -> Table:
    """Times of all contenders for all cases; of peers, in brackets, over ours."""
    cases = dict.fromkeys(row.case for row in results.of(benchmark.subject))
    rows = []
    for case in cases:
        ours = results.one(benchmark.subject, case, benchmark.ours.name)
        cells = [
            _cell(results.one(benchmark.subject, case, contender.name), ours)
            for contender in benchmark.contenders
        ]
        weights = ours.weights if ours else 0
        rows.append((case, f"{weights:,}", *cells))
    names = [contender.name for contender in benchmark.contenders]
    return Table(
        f"{benchmark.title}: CPU time of {benchmark.item}", ["layers"], ["weights", *names], rows
    )


def _cell(one: Measurement | None, ours: Measurement | None) -> str:
    if one is None:
        return ""
    if not one.is_measured:
        return brief_outcome(one)
    if ours is None or one is ours or not ours.is_measured:
        return seconds(one.cpu)
    return f"{seconds(one.cpu)} ({times(one.cpu / ours.cpu)})"


def brief_outcome(one: Measurement) -> str:
    """Why there is no time, in two words: notes have the rest."""
    return one.outcome.partition(":")[0].partition(" (")[0]


def growth_table(results: Results) -> Table:
    """How time grows with the number of weights: the smallest, the largest, and the exponent."""
    rows = []
    for benchmark in present(results):
        for contender in benchmark.contenders:
            found = curve(results, benchmark, contender)
            if not found:
                continue
            last = found[-FITTED:]
            power = exponent([one.weights for one in last], [one.cpu for one in last])
            ends = [f"{seconds(one.cpu)} ({one.weights:,})" for one in (found[0], found[-1])]
            fitted = f"{power:.2f}" if len(last) == FITTED else ""
            rows.append((benchmark.title, contender.name, *ends, fitted))
    heading = ["smallest (weights)", "largest", "exponent"]
    return Table("How time grows", ["what", "who"], heading, rows)


def memory_table(results: Results) -> Table:
    """The most memory of every contender's process, for the largest network that it did."""
    rows = []
    for benchmark in present(results):
        for contender in benchmark.contenders:
            known = results.of(benchmark.subject, contender.name)
            done = [row for row in known if row.is_measured]
            if done:
                last = max(done, key=lambda row: row.weights)
                amount = "" if math.isnan(last.memory) else f"{last.memory:,.0f} MB"
                ready = seconds(last.ready)
                rows.append((benchmark.title, contender.name, f"{last.weights:,}", amount, ready))
    heading = ["weights", "peak memory", "made once"]
    return Table("Memory, and what is made once", ["what", "who"], heading, rows)


# Where others are faster -------------------------------------------------------------------------


@dataclass(frozen=True)
class Lost:
    """A peer that is faster in some cases: the parts of our time that it takes in them."""

    benchmark: Benchmark
    contender: Contender
    ratios: dict[str, float]

    def sentence(self) -> str:
        """Where, by how much, and why."""
        factors = [1 / ratio for ratio in self.ratios.values()]
        ends = sorted(
            {times(min(factors)), times(max(factors))}, key=lambda t: float(t.replace(",", ""))
        )
        where = ", ".join(self.ratios)
        why = self.contender.faster_because or "no reason is known"
        return f"**{self.contender.name}**, {' to '.join(ends)} times as fast ({where}): {why}."


def lost(results: Results) -> Iterator[Lost]:
    """All peers that are faster somewhere, as it was measured."""
    for benchmark in present(results):
        ours = {row.case: row.cpu for row in results.of(benchmark.subject, benchmark.ours.name)}
        for contender in benchmark.peers:
            # NaN, where either was not measured, is below nothing
            theirs = results.of(benchmark.subject, contender.name)
            shares = {row.case: row.cpu / ours.get(row.case, math.nan) for row in theirs}
            ratios = {case: share for case, share in shares.items() if share < EQUAL}
            if ratios:
                yield Lost(benchmark, contender, ratios)


def is_compared(results: Results) -> bool:
    """Whether any peer has been measured: before, nobody is faster or slower."""
    return any(
        row.is_measured
        for benchmark in present(results)
        for peer in benchmark.peers
        for row in results.of(benchmark.subject, peer.name)
    )


# Whom README compares with -----------------------------------------------------------------------

_STEADY = "steady_state"
HEADLINES = (
    ("from network to first answer", ("xor", "digits"), "first_answer", "first_answer", USUAL),
    (
        "tellurium's object of the whole network",
        ("20-40-5", "digits"),
        "to_roadrunner",
        "to_roadrunner",
        "te.loada",
    ),
    (
        "a steady state for a new input, one a call",
        ("xor", "20-40-5", "600-1000-400"),
        _STEADY,
        _STEADY,
        USUAL,
    ),
    (
        "the same, 100 inputs a call",
        ("xor", "20-40-5", "600-1000-400"),
        "steady_states",
        _STEADY,
        USUAL,
    ),
    (
        "gradient of a sample's loss, 32 a call",
        ("2-2-3", "5-10-5", "20-40-5"),
        "gradient",
        "gradient",
        "roadrunner's control coefficients",
    ),
    (
        "a time course to t = 50",
        ("xor", "digits", "60-100-40"),
        "time_course",
        "time_course",
        "roadrunner",
    ),
)
"""What it is, for which cases; our subject, theirs, and who they are."""


def headline_table(results: Results) -> Table:
    """What a tellurium user would do, and this package."""
    rows = []
    for what, cases, subject, their_subject, peer in HEADLINES:
        for case in cases:
            ours = results.one(subject, case, OURS)
            theirs = results.one(their_subject, case, peer)
            if ours is None or not ours.is_measured:
                continue
            ratio = times(theirs.cpu / ours.cpu) if theirs and theirs.is_measured else ""
            rows.append((f"{case}: {what}", _alone(theirs), _alone(ours), ratio))
    columns = ["usual way", OURS, "times faster"]
    return Table("What a tellurium user would do, and this package", ["what"], columns, rows)


def _alone(one: Measurement | None) -> str:
    if one is None:
        return "not run"
    return seconds(one.cpu) if one.is_measured else brief_outcome(one)
