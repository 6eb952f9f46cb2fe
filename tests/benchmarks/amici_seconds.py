"""AMICI on SBML files of ours: CPU seconds to compile, of a steady state and of a time course.

python tests/benchmarks/amici_seconds.py model.xml ...

In an environment of its own, where AMICI was compiled (it needs SWIG and a C++ compiler); nothing
of this package is used. Prints a row a file: seconds to write and compile its C++ (with those of
the compilers that it starts), of a time course to t = 100 with 101 points and of a steady state,
then the observables at both, to compare.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import amici
import numpy as np
from amici.importers.sbml import SbmlImporter


def spent() -> float:
    """CPU seconds of this process and of those that it waited for."""
    return sum(os.times()[:4])


def seconds(work, repeats=5):
    """Median CPU seconds of a call, and its result."""
    found = []
    for _ in range(repeats):
        start = time.process_time()
        result = work()
        found.append(time.process_time() - start)
    return float(np.median(found)), result


def run(model, times):
    """A simulation at tolerances like ours."""
    solver = model.create_solver()
    solver.set_relative_tolerance(1e-8)
    solver.set_absolute_tolerance(1e-14)
    model.set_timepoints(times)
    result = amici.sim.sundials.run_simulation(model, solver)
    assert result.status == amici.sim.sundials.AMICI_SUCCESS
    return np.asarray(result.x)[-1]


def main(paths: list[str]) -> None:
    for path in paths:
        with tempfile.TemporaryDirectory() as folder:
            start = spent()
            name = f"model_{Path(path).stem}"  # xor is a word of C++
            SbmlImporter(path).sbml2amici(name, folder, generate_sensitivity_code=False)
            compiled = spent() - start
            model = amici.import_model_module(name, folder).get_model()
            course, end = seconds(lambda model=model: run(model, np.linspace(0, 100, 101)))
            steady, rest = seconds(lambda model=model: run(model, [np.inf]))
            print(f"{name}: compile {compiled:.3g} s, course {course:.3g} s, steady {steady:.3g} s")
            print("  ", model.get_state_ids()[-3:], end[-3:], rest[-3:], flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
