"""COPASI in a process of its own.

COPASI and libcombine, which tellurium imports, share SWIG's table of types: in one process an
iterator of the one can be taken for the other's (seen as a crash on Python 3.13).
"""

from __future__ import annotations

import time

import basico
import numpy as np


def steady_state(sbml):
    """COPASI's return value (1 is found), and concentrations by SBML identifier."""
    model = basico.load_model_from_string(sbml)
    try:
        found = basico.run_steadystate(model=model)
        return (
            found,
            basico.get_species(model=model).set_index("sbml_id")["concentration"].to_dict(),
        )
    finally:
        basico.remove_datamodel(model)


def reaction_functions(sbml):
    """Names of the rate laws that COPASI recognises, in order."""
    model = basico.load_model_from_string(sbml)
    try:
        return basico.get_reactions(model=model)["function"].tolist()
    finally:
        basico.remove_datamodel(model)


def time_course(sbml, t_end, steps):
    """Concentrations by SBML identifier at equal steps, at tight tolerances."""
    model = basico.load_model_from_string(sbml)
    try:
        frame = basico.run_time_course(
            0,
            t_end,
            steps,
            model=model,
            use_sbml_id=True,
            r_tol=1e-10,
            a_tol=1e-14,
            automatic=False,
        )
        return {name: frame[name].to_numpy() for name in frame.columns}
    finally:
        basico.remove_datamodel(model)


def scan(sbml, varied, points, kept):
    """The usual script of COPASI: set, run_steadystate, read. Seconds a point, and concentrations
    (n, n_kept).
    """
    model = basico.load_model_from_string(sbml)
    try:
        names = basico.get_species(model=model).reset_index().set_index("sbml_id")["name"]
        found = []
        start = time.perf_counter()
        for point in points.tolist():
            for name, value in zip(varied, point, strict=True):
                basico.set_species(
                    names[name], initial_concentration=value, exact=True, model=model
                )
            basico.run_steadystate(model=model)
            steady = basico.get_species(model=model).set_index("sbml_id")["concentration"]
            found.append([steady[name] for name in kept])
        return (time.perf_counter() - start) / len(points), np.array(found)
    finally:
        basico.remove_datamodel(model)


def trajectories(sbml, t_end, steps, runs):
    """CPU seconds of the direct method for so many runs, and the last states by name."""
    model = basico.load_model_from_string(sbml)
    try:
        ends, start = [], time.process_time()
        for seed in range(1, runs + 1):
            frame = basico.run_time_course(
                0,
                t_end,
                steps,
                model=model,
                method="directMethod",
                automatic=False,
                use_numbers=True,
                use_seed=True,
                seed=seed,
            )
            ends.append(frame.iloc[-1].to_dict())
        return time.process_time() - start, ends
    finally:
        basico.remove_datamodel(model)
