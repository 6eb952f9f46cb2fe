"""Runs benchmarks: all contenders of a case in turn, round by round, within limits."""

from __future__ import annotations

import importlib.util
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from crn_nn_tellurium.benchmarks.declared import Benchmark, Contender, Effort
from crn_nn_tellurium.benchmarks.models import n_weights
from crn_nn_tellurium.benchmarks.results import Measurement, Results, load
from crn_nn_tellurium.benchmarks.worker import (
    BeyondLimitError,
    FailedStepError,
    Sample,
    Worker,
)

_IMPORTS = 120.0
"""Seconds that imports may take."""
_OWN_PART = 0.1
"""Of the budget, what a peer has for itself: a quick one reaches 100,000 weights by it, or more."""
Start = Callable[[str], Any]
"""Starts a worker, whose files may be in a folder."""


def run(
    benchmarks: Sequence[Benchmark],
    effort: Effort,
    results: Results,
    start: Start = Worker,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Results]:
    """Measure what the results do not have yet; gives them after every case.

    Whoever stops asking ends the processes.
    """
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        workers = _Workers(lambda: start(folder), effort.fresh)
        begun = clock() - results.seconds
        try:
            for benchmark in benchmarks:
                known = {one.case for one in results.of(benchmark.subject)}
                cases = [case for case in cases_of(benchmark, effort) if case not in known]
                if not cases:
                    continue
                subject = _Subject(benchmark, effort, workers, clock)
                for case in cases:
                    rows = subject.measure(case, results.of(benchmark.subject))
                    results = replace(
                        results,
                        measurements=(*results.measurements, *rows),
                        load_after=load(),
                        seconds=clock() - begun,
                    )
                    yield results
                if effort.fresh:
                    workers.end()
        finally:
            workers.end()


def cases_of(benchmark: Benchmark, effort: Effort) -> list[str]:
    """The cases that are measured with an effort."""
    return [case for case in benchmark.cases if n_weights(case) <= effort.weights]


def missing(contender: Contender) -> str:
    """What a contender needs and is not installed; empty if nothing is."""
    names = dict.fromkeys(name.partition(".")[0] for name in contender.needs)
    return ", ".join(name for name in names if importlib.util.find_spec(name) is None)


@dataclass
class _Workers:
    """The processes that are there, by contender or by library."""

    start: Callable[[], Any]
    by_contender: bool
    present: dict[str, Any] = field(default_factory=dict)

    def begin(self, contenders: Sequence[Contender]) -> None:
        """Start the processes of contenders that can run, all at once, and wait for them."""
        for contender in contenders:
            self._started(contender)
        for contender in contenders:
            try:
                self.of(contender)
            except (BeyondLimitError, FailedStepError):
                # it fails again, and is said, where it is measured; a late reply is nobody's
                self.drop(contender)

    def of(self, contender: Contender) -> Any:
        """A contender's process, with what it needs."""
        worker = self._started(contender)
        worker.load(contender.needs, _IMPORTS)
        return worker

    def _started(self, contender: Contender) -> Any:
        key = self._key(contender)
        if key not in self.present:
            self.present[key] = self.start()
        return self.present[key]

    def drop(self, contender: Contender) -> None:
        """End a contender's process: it hangs, or is to begin anew."""
        worker = self.present.pop(self._key(contender), None)
        if worker is not None:
            worker.end()

    def forget(self) -> None:
        """Give back what was prepared for the last case."""
        for key, worker in list(self.present.items()):
            try:
                worker.forget(_IMPORTS)
            except (BeyondLimitError, FailedStepError):
                self.present.pop(key).end()

    def end(self) -> None:
        for worker in self.present.values():
            worker.end()
        self.present.clear()

    def _key(self, contender: Contender) -> str:
        return contender.name if self.by_contender else " ".join(contender.needs)


@dataclass
class _Taken:
    """What is known of a contender for a case while it is measured."""

    contender: Contender
    # the process in which it is prepared
    worker: Any = None
    outcome: str = ""
    ready: float = math.nan
    samples: list[Sample] = field(default_factory=list)
    times: int = 1
    spent: float = 0.0


@dataclass
class _Subject:
    """One benchmark under way."""

    benchmark: Benchmark
    effort: Effort
    workers: _Workers
    clock: Callable[[], float]

    def __post_init__(self) -> None:
        # imports are none of the subject's time
        self.workers.begin([one for one in self.benchmark.contenders if not missing(one)])
        self._budget = min(self.benchmark.budget, self.effort.budget)
        self._spent = dict.fromkeys((peer.name for peer in self.benchmark.peers), 0.0)

    def measure(self, case: str, before: Sequence[Measurement]) -> list[Measurement]:
        """What all contenders take for a case, after what is known of smaller ones."""
        self.workers.forget()
        ended = {one.contender: one for one in before if not one.is_measured}
        taken = [
            self._first(contender, case, ended.get(contender.name))
            for contender in self.benchmark.contenders
        ]
        for _ in range(1, self.effort.rounds):
            for one in taken:
                # what is slow is timed once, and nothing for longer than that
                more = one.spent < self.effort.slow and self._left(one.contender) > 0
                if not one.outcome and more:
                    self._again(one)
        ours = taken[0].samples[0].answer if taken[0].samples else None
        return [self._measurement(one, case, ours) for one in taken]

    def _left(self, contender: Contender) -> float:
        """Seconds of the budget, which peers share, a part of which each has for itself: no quick
        peer's curve, and none of ours, ends because another is slow.
        """
        if contender.name not in self._spent:
            return math.inf
        others = (s for name, s in self._spent.items() if name != contender.name)
        kept = sum(max(seconds, _OWN_PART * self._budget) for seconds in others)
        return self._budget - kept - self._spent[contender.name]

    def _used(self) -> str:
        return f"not run: the peers' {self._budget:g} s were used"

    def _own_limit(self, contender: Contender) -> float:
        own = self.benchmark.limit if contender.limit is None else contender.limit
        return min(own, self.effort.limit)

    def _limit(self, contender: Contender) -> float:
        """Seconds that a step may take: no more than are left of the budget."""
        return max(min(self._own_limit(contender), self._left(contender)), 0.0)

    def _first(self, contender: Contender, case: str, ended: Measurement | None) -> _Taken:
        """Prepare, and call once; then find how many calls make a sample."""
        taken = _Taken(contender)
        if missing(contender):
            taken.outcome = f"not installed: {missing(contender)}"
        elif n_weights(case) > contender.up_to:
            taken.outcome = f"not run beyond {contender.up_to:,} weights"
        elif ended is not None:
            was = f"not run: {ended.case} {ended.outcome}"
            taken.outcome = ended.outcome if ended.outcome.startswith("not run") else was
        elif self._left(contender) <= 0:
            taken.outcome = self._used()
        else:
            with self._step(taken):
                self._sample(taken, case)
                self._calibrate(taken)
        return taken

    def _again(self, taken: _Taken) -> None:
        with self._step(taken):
            worker = self.workers.of(taken.contender)
            # another's step may have ended the process that both share
            if worker is taken.worker:
                limit = self._limit(taken.contender)
                self._keep(taken, worker.call(taken.contender.name, taken.times, limit))

    def _sample(self, taken: _Taken, case: str) -> None:
        """Prepare, and the first call."""
        contender, limit = taken.contender, self._limit(taken.contender)
        worker = taken.worker = self.workers.of(contender)
        taken.ready = worker.prepare(contender.name, contender.prepare, case, limit).cpu
        self._keep(taken, worker.call(contender.name, 1, limit))

    def _calibrate(self, taken: _Taken) -> None:
        """As many calls as make a sample that clocks can tell; the first call was a warm-up."""
        worker, limit = self.workers.of(taken.contender), self._limit(taken.contender)
        first = taken.samples[0]
        if taken.spent > self.effort.slow:
            return
        while True:
            sample = worker.call(taken.contender.name, taken.times, limit)
            took = sample.cpu * sample.items * taken.times
            if took >= self.effort.least:
                break
            # towards what is wanted, and not too far: a first guess is rough
            taken.times *= min(10, max(2, math.ceil(self.effort.least / max(took, 1e-9))))
        taken.samples, taken.spent = [replace(sample, answer=first.answer)], took

    def _keep(self, taken: _Taken, sample: Sample) -> None:
        taken.samples.append(sample)
        taken.spent += sample.cpu * sample.items * taken.times

    @contextmanager
    def _step(self, taken: _Taken) -> Iterator[None]:
        """A step of a contender, whose failure is its outcome, and the end of its process."""
        contender = taken.contender
        try:
            with self._counted(contender):
                yield
            return
        except BeyondLimitError:
            own = f"beyond {self._own_limit(contender):g} s"
            taken.outcome = own if self._left(contender) > 0 else self._used()
        except FailedStepError as error:
            taken.outcome = f"failed ({error})"
        self.workers.drop(contender)

    @contextmanager
    def _counted(self, contender: Contender) -> Iterator[None]:
        """Seconds that a peer spends of the budget."""
        begun = self.clock()
        try:
            yield
        finally:
            if contender.name in self._spent:
                self._spent[contender.name] += self.clock() - begun

    def _measurement(self, taken: _Taken, case: str, ours: Any) -> Measurement:
        row = Measurement(
            self.benchmark.subject, case, n_weights(case), taken.contender.name, taken.outcome
        )
        if taken.outcome:
            return row
        cpu = [sample.cpu for sample in taken.samples]
        return replace(
            row,
            cpu=float(np.median(cpu)),
            wall=float(np.median([sample.wall for sample in taken.samples])),
            low=min(cpu),
            high=max(cpu),
            rounds=len(cpu),
            ready=taken.ready,
            memory=max(sample.memory for sample in taken.samples),
            off=distance(taken.samples[0].answer, ours),
        )


def distance(answer: Any, ours: Any) -> float:
    """The largest distance of two answers; NaN where there is none, infinite where they differ in
    shape or one is no number.
    """
    if answer is None or ours is None:
        return math.nan
    answer, ours = np.asarray(answer), np.asarray(ours)
    if answer.shape != ours.shape or not np.isfinite(answer).all():
        return math.inf
    return float(np.abs(answer - ours).max(initial=0.0))
