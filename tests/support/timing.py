"""How long work takes."""

import time

import numpy as np


def seconds(work, repeats=3):
    """The best of some runs, in s."""
    best = np.inf
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best
