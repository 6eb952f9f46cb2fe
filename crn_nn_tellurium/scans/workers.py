"""Chunks of a scan on one process, on several, or wherever an Executor runs them.

Processes of ours are joblib's (loky): they are started afresh, for forked ones would share
roadrunner's state, and do not import the caller's script. Workers are sent the plan, build and
compile once what it needs, and stay warm. A chunk's numbers depend on the plan alone, so who solves
it, and in what order, does not matter. How many chunks a worker takes at a time depends on how long
they take. When a worker dies, what it had is solved again, one chunk at a time, so that one that
kills its workers is found out and costs nothing but itself.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import signal
import time
import warnings
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    wait,
)
from contextlib import contextmanager
from typing import Any

from joblib.externals import loky

from crn_nn_tellurium.basics import Recent, whole_number
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.scans.plan import Plan
from crn_nn_tellurium.scans.solve import Solver
from crn_nn_tellurium.simulation import Outcome

ExecutorLike = Executor | int | None
Solved = dict[str, Any] | str
"""The variables over a chunk, or why its worker could not solve it."""

_TASK_SECONDS = 0.5
"""About how long a worker is busy with what it takes at a time."""
_ATTEMPTS = 2
"""Workers that a chunk may kill, alone on each of them, before it is given up."""
_KEPT = 4
_PER_WORKER = 2
_UNKNOWN_WORKERS = 16


def solve_chunks(
    plan: Plan, numbers: Sequence[int], executor: ExecutorLike, solver: Solver
) -> Iterator[tuple[int, Solved]]:
    """Chunks by number as they come; `solver` serves this process.

    Raises
    ------
    InputError
        If the plan cannot be sent to workers, or the executor is none.
    """
    if executor is None:
        yield from ((number, solver.solve(plan.chunks[number])) for number in numbers)
    elif isinstance(executor, Executor):
        yield from _Run(plan, numbers, executor, workers_of(executor)).results()
    else:
        yield from _Run(plan, numbers, None, _count(executor)).results()


def _count(executor: Any) -> int:
    expected = (
        "a number of processes, a concurrent.futures.Executor (of Dask: client.get_executor()), or"
        " None for this process"
    )
    return whole_number("executor", executor, expected=expected)


@contextmanager
def as_executor(executor: ExecutorLike) -> Iterator[Executor | None]:
    """One executor for several scans: a number of processes becomes a pool that is closed at the
    end.
    """
    if executor is None or isinstance(executor, Executor):
        yield executor
    else:
        with own_pool(_count(executor)) as pool:
            yield pool


def workers_of(executor: Executor) -> int:
    """How many workers an executor has, as far as it tells."""
    found = getattr(executor, "_max_workers", None)
    if isinstance(found, int):
        return found
    client = getattr(executor, "_client", None)  # of Dask
    return len(client.nthreads()) if client is not None else _UNKNOWN_WORKERS


def own_pool(workers: int) -> loky.ProcessPoolExecutor:
    """Processes of ours, which live as long as one call: warm ones would have old modules."""
    return loky.ProcessPoolExecutor(workers, initializer=_leave_interrupts_to_the_parent)


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


# In the worker ------------------------------------------------------------------------------------

_solvers: Recent[str, Solver] = Recent(_KEPT)


def solve_in_worker(
    payload: bytes, key: str, numbers: Sequence[int]
) -> tuple[list[dict[str, Any]], float]:
    """Some chunks of a plan, and how long they took without what is done once."""
    solver = _solvers.get(key, lambda: Solver(pickle.loads(payload)))
    begin = time.perf_counter()
    return [
        solver.solve(solver.plan.chunks[number]) for number in numbers
    ], time.perf_counter() - begin


# In the parent ------------------------------------------------------------------------------------


class _Run:
    """One scan's chunks on an executor."""

    def __init__(
        self, plan: Plan, numbers: Sequence[int], executor: Executor | None, workers: int
    ) -> None:
        self._payload = plan.to_bytes()
        # of the bytes, not the plan's key: a warm worker must never answer for another scan
        self._key = hashlib.sha256(self._payload).hexdigest()
        self._waiting = deque(numbers)
        self._alone: deque[int] = deque()
        self._attempts: dict[int, int] = {}
        self._executor: Any = own_pool(workers) if executor is None else executor
        self._is_own = executor is None
        self._workers = workers
        self._pending: dict[Future[Any], list[int]] = {}
        self._seconds = 0.0  # per chunk
        self._solved = False

    def results(self) -> Iterator[tuple[int, Solved]]:
        """Chunks by number as they come."""
        try:
            while self._waiting or self._alone or self._pending:
                self._submit()
                done, _ = wait(self._pending, return_when=FIRST_COMPLETED)
                for future in done:
                    if future in self._pending:  # not gone with a pool that broke
                        yield from self._collect(future)
        finally:
            self._stop()

    def _submit(self) -> None:
        while True:
            if self._alone:
                if self._pending:
                    return
                numbers = [self._alone.popleft()]
            elif self._waiting and len(self._pending) < _PER_WORKER * self._workers:
                numbers = [
                    self._waiting.popleft() for _ in range(min(self._share(), len(self._waiting)))
                ]
            else:
                return
            try:
                future = self._executor.submit(solve_in_worker, self._payload, self._key, numbers)
            except BrokenExecutor:
                self._alone.extend(numbers)
                self._replace()
                return
            except RuntimeError as error:
                raise InputError(
                    f"the executor takes no work ({error}); chunks that are done are kept if path="
                    " is given, and the same call with another executor goes on with them"
                ) from error
            self._pending[future] = numbers

    def _share(self) -> int:
        """How many chunks a worker takes next: half a second's, and fewer when few are left."""
        if not self._seconds:
            return 1
        fair = len(self._waiting) // (_PER_WORKER * self._workers)
        return max(1, min(int(_TASK_SECONDS / self._seconds), fair))

    def _collect(self, future: Future[Any]) -> Iterator[tuple[int, Solved]]:
        numbers = self._pending.pop(future)
        try:
            solved, seconds = future.result()
        except BrokenExecutor as error:
            lost = [numbers, *self._pending.values()]
            self._pending.clear()
            yield from self._lose(
                [n for part in lost for n in part], len(lost) == 1 and len(numbers) == 1, error
            )
            self._replace()
        except Exception as error:
            # Dask tries again by itself, and says so when a task has killed all the workers that it
            # was given
            if type(error).__name__ not in (
                "KilledWorker",
                "CancelledError",
                "FutureCancelledError",
            ):
                raise
            yield from self._lose(numbers, len(numbers) == 1, error)
        else:
            self._seconds, self._solved = seconds / len(numbers), True
            yield from zip(numbers, solved, strict=True)

    def _lose(
        self, numbers: list[int], one: bool, error: BaseException
    ) -> Iterator[tuple[int, Solved]]:
        """Chunks whose worker died are solved alone; one that was alone, and again, is given up."""
        warnings.warn(
            f"a worker of the scan died ({type(error).__name__}); its chunks are solved again",
            RuntimeWarning,
            2,
        )
        for number in numbers:
            self._attempts[number] = self._attempts.get(number, 0) + one
            if self._attempts[number] < _ATTEMPTS:
                self._alone.append(number)
            elif self._solved:
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
        self._executor, self._is_own = own_pool(min(self._workers, os.cpu_count() or 1)), True

    def _stop(self) -> None:
        """Nothing is left running, whatever ended the scan."""
        for future in self._pending:
            future.cancel()
        if self._is_own:
            # what still works on a chunk that nobody waits for is ended
            self._executor.shutdown(kill_workers=bool(self._pending))
