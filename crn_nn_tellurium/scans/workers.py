"""Chunks of a scan, solved on one process, on several, or wherever an Executor runs them.

Processes of ours are joblib's (loky): they are started afresh, for forked ones would share
roadrunner's state, and do not import the caller's script. Workers are sent the plan, build and
compile once what it needs, and stay warm. A chunk's numbers depend on the plan alone, so who solves
it, and in what order, does not matter.
"""

from __future__ import annotations

import hashlib
import logging
import math
import os
import pickle
import signal
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from joblib.externals import loky

from crn_nn_tellurium.basics import Recent, warn, whole_number
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.networks import Network
from crn_nn_tellurium.scans.model_subject import ReactionsSubject, TextSubject
from crn_nn_tellurium.scans.network_subject import NetworkSubject
from crn_nn_tellurium.scans.plan import Box, Plan
from crn_nn_tellurium.scans.subject import States, Subject, Variable
from crn_nn_tellurium.simulation import SOLVED, Outcome, outcomes

ExecutorLike = Executor | int | None
Solved = dict[str, Any] | str
"""The variables over a chunk, or why its worker could not solve it."""

# What processes take to start, import and compile, and what a network takes a point for each of its
# neurons, as measured, in s
_START, _A_STATE, _A_COURSE = 5.0, 1.5e-5, 6e-4
# Workers that a chunk may kill, alone on each of them, before it is given up
_ATTEMPTS = 2
# Plans that a worker stays warm for
_KEPT = 4
# Chunks in flight: one that is solved, and one that waits for it
_PER_WORKER = 2
_UNKNOWN_WORKERS = 16
_GIVEN_UP_BY_DASK = ("KilledWorker", "CancelledError", "FutureCancelledError")


_log = logging.getLogger(__name__)


class Solver:
    """What is kept of a plan's points, box by box, whatever is scanned."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.subject: Subject
        if isinstance(plan.model, Network):
            self.subject = NetworkSubject(plan)
        else:
            of_text = isinstance(plan.model, str)
            self.subject = TextSubject(plan) if of_text else ReactionsSubject(plan)
        for quantity in plan.quantities.values():
            quantity.check(self.subject)

    @cached_property
    def variables(self) -> dict[str, Variable]:
        """The variables of the result, ``status`` last."""
        found = {
            name: quantity.variable(self.subject, name)
            for name, quantity in self.plan.quantities.items()
        }
        return found | {"status": Variable("status", self.plan.every, is_text=True)}

    def solve(self, box: Box) -> dict[str, Any]:
        """All variables over a box."""
        # those of networks come last, so that what they cannot say is added to what is solved
        quantities = sorted(self.plan.quantities.items(), key=lambda item: item[1].by_network)
        all_values = any(quantity.needs_values(self.subject) for _, quantity in quantities)
        if all_values or not all(quantity.by_network for _, quantity in quantities):
            states = self.subject.states(box, all_values)
        else:
            states = States(box, outcomes(SOLVED, box.shape))
        found = {
            name: quantity.keep(self.subject, states, self.variables[name])
            for name, quantity in quantities
        }
        return {**found, "status": states.status}


def solve_chunks(
    plan: Plan, numbers: Sequence[int], executor: ExecutorLike, solver: Solver
) -> Iterator[tuple[int, Solved]]:
    """Chunks by number as they come; `solver` serves this process."""
    n_points = sum(math.prod(plan.chunks[number].shape) for number in numbers)
    executor = who_pays(executor, estimated_seconds(plan, n_points))
    if executor is None:
        yield from ((number, solver.solve(plan.chunks[number])) for number in numbers)
    else:
        yield from _Run(plan, numbers, executor).results()


def estimated_seconds(plan: Plan, n_points: int) -> float:
    """What points take one process, roughly; without limit where that may be anything."""
    if not isinstance(plan.model, Network):
        return math.inf
    neurons = sum(layer.n_out for layer in plan.model.layers)
    a_point = neurons * (_A_STATE if plan.time is None else _A_COURSE)
    return n_points * (a_point + sum(kept.seconds() for kept in plan.quantities.values()))


def who_pays(executor: ExecutorLike, seconds: float) -> ExecutorLike:
    """The executor, but this process where a number of them would take longer to start."""
    if executor is None or isinstance(executor, Executor):
        return executor
    n = _number_of(executor)
    if seconds * (1 - 1 / n) > _START or seconds == math.inf:
        return n
    _log.info("solved in this process, in some %.1g s: %d would take longer to start", seconds, n)
    return None


@contextmanager
def as_executor(executor: ExecutorLike, seconds: float) -> Iterator[Executor | None]:
    """One executor for several scans that take so long: a number of processes becomes a pool,
    closed at the end.
    """
    executor = who_pays(executor, seconds)
    if executor is None or isinstance(executor, Executor):
        yield executor
    else:
        with own_pool(executor) as pool:
            yield pool


def own_pool(workers: Any) -> loky.ProcessPoolExecutor:
    """Processes of ours, which live as long as one call: warm ones would have old modules."""
    n = _number_of(workers)
    return loky.ProcessPoolExecutor(n, initializer=_leave_interrupts_to_the_parent)


def _number_of(workers: Any) -> int:
    expected = (
        "a number of processes, a concurrent.futures.Executor (of Dask: client.get_executor()), or"
        " None for this process"
    )
    return whole_number("executor", workers, expected=expected)


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _workers_of(executor: Any) -> int:
    """How many workers an executor has, as far as it tells."""
    found = getattr(executor, "_max_workers", None)
    if isinstance(found, int):
        return found
    client = getattr(executor, "_client", None)  # of Dask
    return len(client.nthreads()) if client is not None else _UNKNOWN_WORKERS


_solvers: Recent[str, Solver] = Recent(_KEPT)


def _solve_in_worker(payload: bytes, key: str, number: int) -> dict[str, Any]:
    # from the process that asks, never from a file
    solver = _solvers.get(key, lambda: Solver(pickle.loads(payload)))  # nosec B301
    return solver.solve(solver.plan.chunks[number])


class _Run:
    """One scan's chunks on an executor.

    When a worker dies, its executor takes with it all that others were solving, and does not say
    who was to blame. So what was lost is solved again one chunk at a time: a chunk that kills its
    workers is found out and costs nothing but itself.
    """

    def __init__(self, plan: Plan, numbers: Sequence[int], executor: Executor | int) -> None:
        self._payload = plan.to_bytes()
        # of the bytes, not the plan's key: a warm worker must never answer for another scan
        self._key = hashlib.sha256(self._payload).hexdigest()
        self._is_own = not isinstance(executor, Executor)
        self._executor: Any = own_pool(executor) if self._is_own else executor
        self._n_workers = _workers_of(self._executor)
        self._waiting = deque(numbers)
        self._suspects: deque[int] = deque()
        self._deaths: Counter[int] = Counter()
        self._pending: dict[Future[Any], int] = {}
        self._has_solved = False

    def results(self) -> Iterator[tuple[int, Solved]]:
        try:
            while self._waiting or self._suspects or self._pending:
                self._submit()
                done, _ = wait(self._pending, return_when=FIRST_COMPLETED)
                for future in done:
                    if future in self._pending:  # not gone with a pool that broke
                        yield from self._collect(future)
        finally:
            # nothing is left running, whatever ended the scan
            for future in self._pending:
                future.cancel()
            if self._is_own:
                self._executor.shutdown(kill_workers=bool(self._pending))

    def _submit(self) -> None:
        most = 1 if self._suspects else _PER_WORKER * self._n_workers
        while (queue := self._suspects or self._waiting) and len(self._pending) < most:
            number = queue.popleft()
            task = _solve_in_worker, self._payload, self._key, number
            try:
                self._pending[self._executor.submit(*task)] = number
            except BrokenExecutor:
                self._suspects.append(number)
                self._replace()
                return
            except RuntimeError as error:
                raise InputError(
                    f"the executor takes no work ({error}); chunks that are done are kept if path="
                    " is given, and the same call with another executor goes on with them"
                ) from error

    def _collect(self, future: Future[Any]) -> Iterator[tuple[int, Solved]]:
        number = self._pending.pop(future)
        try:
            solved = future.result()
        except BrokenExecutor as error:
            lost = [number, *self._pending.values()]
            self._pending.clear()
            yield from self._lose(lost, len(lost) == 1, error)
            self._replace()
        except Exception as error:
            # Dask tries again by itself, and says so when a task has killed all the workers that it
            # was given
            if type(error).__name__ not in _GIVEN_UP_BY_DASK:
                raise
            yield from self._lose([number], True, error)
        else:
            self._has_solved = True
            yield number, solved

    def _lose(
        self, numbers: list[int], to_blame: bool, error: BaseException
    ) -> Iterator[tuple[int, Solved]]:
        """Chunks whose worker died are solved alone; one that was alone, and again, is given up."""
        warn(
            f"a worker of the scan died ({type(error).__name__}); its chunks are solved again",
            RuntimeWarning,
        )
        for number in numbers:
            self._deaths[number] += to_blame
            if self._deaths[number] < _ATTEMPTS:
                self._suspects.append(number)
            elif self._has_solved:
                reason = f"{_ATTEMPTS} workers that solved for it died ({error})"
                yield number, Outcome.failure(reason)
            else:
                raise InputError(
                    f"workers die before they have solved anything ({error}); executor=None solves"
                    " the scan in this process"
                ) from error

    def _replace(self) -> None:
        """A pool of our own in place of one that broke."""
        if self._is_own:
            self._executor.shutdown(wait=False)
        workers = min(self._n_workers, os.cpu_count() or 1)
        self._executor, self._is_own = own_pool(workers), True
