"""Prints the table of docs/benchmarks.md: gradients by closed form beside PyTorch, by batch.

python tests/benchmarks/gradient_tables.py
"""

import time
from functools import partial

import numpy as np
from crn_nn_tellurium.commands.benchmarks import (
    GRADIENT_SIZES,
    best_of,
    random_network,
    torch_seconds,
)
from threadpoolctl import threadpool_limits

import crn_nn_tellurium as cn

BATCHES = (1, 32, 256, 2048)
OURS = {
    "adjoint": {"steady_state": "closed_form"},
    "closed form": {"method": "closed_form"},
}


def ratios(sizes, batch):
    """By way to a gradient, its CPU time over PyTorch's in single and in double precision."""
    rng, net = np.random.default_rng(0), random_network(sizes)
    x, y = rng.random((batch, sizes[0])), rng.random((batch, sizes[-1]))
    theirs = [torch_seconds(sizes, x, y, precision) for precision in ("float32", "float64")]
    simulator = cn.Simulator(net)
    for how in OURS.values():
        ours = best_of(partial(cn.gradient, simulator, x, y, **how), 50, time.process_time)
        yield ours / theirs[0], ours / theirs[1]


if __name__ == "__main__":
    print("| layers | by |", *(f" batch of {n} |" for n in BATCHES))
    print("|---" * (2 + len(BATCHES)) + "|")
    with threadpool_limits(1):
        for sizes in GRADIENT_SIZES:
            columns = zip(*(ratios(sizes, batch) for batch in BATCHES), strict=True)
            for name, column in zip(OURS, columns, strict=True):
                cells = (f" {single:.1f}, {double:.1f} |" for single, double in column)
                print(f"| {'-'.join(map(str, sizes))} | {name} |", *cells)
