"""How long work takes."""

import time

import numpy as np


def seconds(work, repeats=3, clock=time.perf_counter):
    """The best of some runs, in s."""
    best = np.inf
    for _ in range(repeats):
        start = clock()
        work()
        best = min(best, clock() - start)
    return best


def cpu_seconds(work, repeats=3):
    """As `seconds`, of this process alone: what others run does not count."""
    return seconds(work, repeats, time.process_time)
