"""COPASI in a process of its own: the model and its tasks to a .cps file.

COPASI and libcombine, which tellurium imports, share SWIG's table of types; in one process an
object of the one can be taken for the other's. Run as a script, with a task as JSON on standard
input; its messages go to standard error.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import basico
import pandas as pd


def main() -> None:
    """Read the task, write the file."""
    task: dict[str, Any] = json.load(sys.stdin)
    model = basico.load_model_from_string(task["sbml"])
    basico.set_task_settings(basico.T.STEADY_STATE, {"scheduled": True}, model=model)
    _follow(model, task)
    if task["variation"]:
        _scan(model, task["variation"], task["n_points"])
    _sensitivities(model, task["outputs"])
    if task["fit"]:
        _fit(model, task)
    basico.save_model(task["path"], type="copasi", model=model)


def _follow(model: Any, task: dict[str, Any]) -> None:
    steps = {"Duration": task["t_end"], "StepNumber": task["n_steps"], "AutomaticStepSize": False}
    # its own 1e-6 would be seen in plots of small concentrations
    tolerances = {"Relative Tolerance": 1e-8, "Absolute Tolerance": 1e-14}
    basico.set_task_settings(
        basico.T.TIME_COURSE, {"problem": steps, "method": tolerances}, model=model
    )
    curves = [
        {"name": o, "channels": ["Time", place], "type": "Curve2D"}
        for o, place in task["outputs"].items()
    ]
    basico.add_plot("time course", items=curves, model=model)


def _scan(model: Any, variation: dict[str, Any], n_points: int) -> None:
    item = {"type": "scan", "num_steps": n_points, "log": False, "item": variation["item"]}
    item |= {"min": variation["low"], "max": variation["high"]}
    basico.set_scan_settings(subtask=basico.T.STEADY_STATE, scan_items=[item], model=model)


def _sensitivities(model: Any, outputs: dict[str, str]) -> None:
    read_outs = all(reference.startswith("Values[") for reference in outputs.values())
    what = "Global Quantity Values" if read_outs else "Concentrations of Species"
    settings = {
        "sub_task": "Steady State",
        "effect": f"Non-Constant {what}",
        "cause": "Constant Global Quantity Values",
        # COPASI takes differences: its default step of 1e-3 gives three digits, this one six
        "method": {"Delta factor": 1e-6},
    }
    basico.set_sensitivity_settings(settings, model=model)


def _fit(model: Any, task: dict[str, Any]) -> None:
    fit = task["fit"]
    frame = pd.DataFrame(fit["rows"], columns=fit["columns"])
    basico.add_experiment("steady states", frame, file_name=task["data"], model=model)
    basico.set_fit_parameters(fit["parameters"], model=model)
    method = {"name": "Levenberg - Marquardt", "Iteration Limit": 200}
    basico.set_task_settings(basico.T.PARAMETER_ESTIMATION, {"method": method}, model=model)


if __name__ == "__main__":
    main()
