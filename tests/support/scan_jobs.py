"""Scans that tests run in other processes, and functions that workers must be able to import."""

import os
import signal
import sys
import time
from pathlib import Path

import numpy as np

import crn_nn_tellurium as cn
from crn_nn_tellurium.scans.workers import as_executor

GRID = {"h": np.geomspace(1e-4, 1, 6), "x0": np.linspace(0, 1, 64), "x1": np.linspace(0, 1, 64)}


def total(result):
    """All species of a point."""
    return result.concentrations.sum()


def over(level, result):
    """Whether the output is over a level."""
    return float(result.outputs[0, 0] > level)


def killed_once(result):
    """As `total`, but the first worker that comes to a point of large total dies, by SIGKILL."""
    flag = Path(os.environ["CRN_TEST_FLAG"])
    if result.outputs[0, 0] > 0.9 and not flag.exists():
        flag.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return total(result)


def killed_always(result):
    """As `total`, but a worker that comes to one point dies, every time."""
    is_worker = os.environ["CRN_TEST_PARENT"] != str(os.getpid())
    if is_worker and result.outputs[0, 0] == float(os.environ["CRN_TEST_BAD"]):
        os.kill(os.getpid(), signal.SIGKILL)
    return total(result)


def slow(result):
    """As `total`, in a millisecond or more."""
    time.sleep(1e-3)
    return total(result)


def scan_to(path, **options):
    """The scan that is interrupted and resumed."""
    return cn.scan(cn.load_model("xor"), GRID, path=path, **options)


if __name__ == "__main__":
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a background job's parent may have it ignored
    with as_executor(int(sys.argv[2]) or None, np.inf) as workers:
        scan_to(sys.argv[1], executor=workers)
