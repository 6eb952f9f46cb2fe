"""Contenders for tests of the runner: what they prepare is told by their case, weights first."""

import math
import os
import time
from dataclasses import dataclass, field

from crn_nn_tellurium.benchmarks import Benchmark, Contender, Work
from crn_nn_tellurium.benchmarks.worker import BeyondLimitError, FailedStepError, Sample

CASES = ("2-5", "4-25", "10-100")
"""10, 100 and 1,000 weights."""


def quick(case):
    return Work(lambda: [1.0, 2.0], items=2)


def off(case):
    return Work(lambda: [1.0, 2.5])


def without_answer(case):
    return Work(lambda: [math.nan, 2.0])


def hangs(case):
    return Work(lambda: time.sleep(60))


def breaks(case):
    raise ValueError("no  such\nmodel")


def dies(case):
    return Work(lambda: os._exit(3))


def allocates(case):
    return Work(lambda: len(bytearray(200_000_000)) and None)


def benchmark(*contenders, **options):
    settings = {"cases": CASES, "limit": 5.0, "budget": 100.0} | options
    return Benchmark("steady_state", "Title", "What.", "an item", contenders=contenders, **settings)


@dataclass
class Fake:
    """A worker whose steps take what a plan says, on a clock of its own: seconds of a call by
    contender and case, or what is raised.
    """

    plan: dict
    clock: list = field(default_factory=lambda: [0.0])
    log: list = field(default_factory=list)
    case: dict = field(default_factory=dict)

    def load(self, modules, limit):
        pass

    def forget(self, limit):
        pass

    def end(self):
        self.log.append("end")

    def prepare(self, name, prepare, case, limit):
        self.case[name] = case
        return Sample(0.25, 0.25, 10.0)

    def call(self, name, times, limit):
        case = self.case[name]
        took = self.plan[name, case]
        self.log.append((name, case, times))
        if isinstance(took, str):
            raise FailedStepError(took)
        if took * times > limit:
            self.clock[0] += limit
            raise BeyondLimitError
        self.clock[0] += took * times
        return Sample(took, 2 * took, 50.0, 1, [1.0])


def plain(*names, **options):
    """Contenders that are never asked for anything."""
    return [Contender(name, quick, **options) for name in names]
