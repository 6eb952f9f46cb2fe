"""A process that prepares and times what it is told; who told it may end it at any moment.

Another process, since what hangs is to be ended, memory is to be a contender's own, and COPASI and
tellurium do not go together in one.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from crn_nn_tellurium.benchmarks.declared import Prepare, Work
from crn_nn_tellurium.simulation import CACHE_VARIABLE

ONE_THREAD = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    CACHE_VARIABLE: "off",
}
"""One thread for every library, each of which waits for its threads in its own way; and no compiled
models but those that a benchmark keeps."""
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Sample:
    """CPU seconds (with those of processes that were started) and seconds of a call, most memory
    in MB since the work was prepared, items of a call, and its answer.
    """

    cpu: float
    wall: float
    memory: float
    items: int = 1
    answer: Any = None


class BeyondLimitError(Exception):
    """A step took longer than it may."""


class FailedStepError(Exception):
    """A step ended in an error, which this says."""


class Worker:
    """A process for one contender, or for some of one library."""

    def __init__(self, folder: str) -> None:
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        # files that it leaves where it is ended are in the folder, which goes away
        with environment(ONE_THREAD | {"TMPDIR": folder}):
            self._process.start()
        theirs.close()

    def load(self, modules: Sequence[str], limit: float) -> None:
        """Import what a contender needs."""
        self._ask(("load", tuple(modules)), limit)

    def prepare(self, name: str, prepare: Prepare, case: str, limit: float) -> Sample:
        """Make what is made once, for a contender's name."""
        return self._ask(("prepare", name, prepare, case), limit)

    def call(self, name: str, times: int, limit: float) -> Sample:
        """What a call takes, by so many of them."""
        return self._ask(("call", name, times), limit)

    def forget(self, limit: float) -> None:
        """Give back what was prepared."""
        self._ask(("forget",), limit)

    def end(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.join()
        self._pipe.close()

    def _ask(self, order: tuple[Any, ...], limit: float) -> Any:
        try:
            self._pipe.send(order)
            if not self._pipe.poll(limit):
                raise BeyondLimitError
            reply = self._pipe.recv()
        except (EOFError, OSError) as error:
            self._process.join(5)
            code = self._process.exitcode
            raise FailedStepError(f"its process ended with exit code {code}") from error
        if isinstance(reply, FailedStepError):
            raise reply
        return reply


@contextmanager
def environment(values: dict[str, str]) -> Iterator[None]:
    """Environment variables as they are to be for a while, for a process that is started say."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def _serve(pipe: Connection) -> None:
    """What the process does: steps, in the order in which they are asked for."""
    # Ctrl-C goes to all of a terminal's processes; who started this one ends it
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _quiet()
    works: dict[str, Work] = {}
    while True:
        try:
            what, *given = pipe.recv()
        except EOFError:
            return
        except Exception as error:  # of what was sent, a module that does not import say
            pipe.send(_failed(error))
            continue
        try:
            reply: Any = None
            if what == "load":
                for name in given[0]:
                    importlib.import_module(name)
            elif what == "prepare":
                name, prepare, case = given
                _forget_peak()
                reply, works[name] = _timed(partial(prepare, case))
            elif what == "call":
                reply = repeated(works[given[0]], given[1])
            else:
                works.clear()
        except Exception as error:  # whatever a peer throws is said in the report
            reply = _failed(error)
        pipe.send(reply)


def _quiet() -> None:
    """What libraries print, some of it from C, is not the report."""
    sys.stdout.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def _failed(error: Exception) -> FailedStepError:
    return FailedStepError(brief_error(error))


def brief_error(error: Exception) -> str:
    """An error on one short line."""
    words = " ".join(str(error).split())
    return f"{type(error).__name__}: {words[:120]}" if words else type(error).__name__


def repeated(work: Work, times: int) -> Sample:
    """What a call of the work takes, by so many, for each of its items."""

    def run() -> Any:
        for _ in range(times - 1):
            work.run()
        return work.run()

    spent, answer = _timed(run)
    kept = None if answer is None else np.asarray(answer, dtype=float)
    each = times * work.items
    return Sample(spent.cpu / each, spent.wall / each, peak_memory(), work.items, kept)


def _timed(run: Callable[[], Any]) -> tuple[Sample, Any]:
    cpu, wall = _cpu_seconds(), time.perf_counter()
    result = run()
    spent = _cpu_seconds() - cpu, time.perf_counter() - wall
    return Sample(*spent, memory=peak_memory()), result


def _cpu_seconds() -> float:
    """CPU seconds of this process and of those that it started and waited for."""
    try:
        import resource
    except ImportError:  # Windows
        return time.process_time()
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _forget_peak() -> None:
    """Let the largest memory be counted anew, where the system can do so."""
    with suppress(OSError):
        _CLEAR.write_text("5")


def peak_memory() -> float:
    """The largest memory of this process in MB; NaN where the system does not say."""
    if _STATUS.exists():
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
    return float("nan")
