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
from COPASI import CRegisteredCommonName, CRootContainer

_FOUND, _AT_REST = 1, 2
"""What basico says of a steady state: found, and found where no reaction runs."""


def main() -> None:
    """Read the task, write the file."""
    task: dict[str, Any] = json.load(sys.stdin)
    model = basico.load_model_from_string(task["sbml"])
    _react(model, task["reactions"])
    # reactions grow, oscillate or die down like 1/t, or COPASI itself finds no steady state
    settles = task["settles"] and _finds_a_steady_state(model)
    if settles:
        basico.set_task_settings(basico.T.STEADY_STATE, {"scheduled": True}, model=model)
    _follow(model, task)
    if task["variation"]:
        _scan(model, task, settles)
    _sensitivities(model, task["outputs"], settles)
    if task["fit"]:
        _fit(model, task)
    basico.save_model(task["path"], type="copasi", model=model)


def _finds_a_steady_state(model: Any) -> bool:
    """Whether COPASI's steady-state task does: by integration, or with Newton's method too."""
    method = model.getTask(basico.T.STEADY_STATE).getMethod()
    # tried from each state on the way, Newton's method takes most of the time and adds digits
    found = False
    for newton in (False, True):
        method.getParameter("Use Newton").setBoolValue(newton)
        found = found or basico.run_steadystate(model=model) in (_FOUND, _AT_REST)
    return found


def _react(model: Any, reactions: list[dict[str, Any]]) -> None:
    """Add the reactions. COPASI's own reader of SBML goes through all names of the model for each
    name in a law, which takes time with the square of the size.
    """
    inside, laws = model.getModel(), CRootContainer.getFunctionList()
    species = {one.getObjectName(): one for one in inside.getMetabolites()}
    numbers = {one.getObjectName(): one for one in inside.getModelValues()}
    for about in reactions:
        made = inside.createReaction(about["name"])
        made.setSBMLId(about["id"])
        made.setReversible(False)
        for of, count in about["substrates"]:
            made.addSubstrate(species[of].getKey(), count)
        for of, count in about["products"]:
            made.addProduct(species[of].getKey(), count)
        law, k = ("Mass action", "k1") if about["substrates"] else ("Constant flux", "v")
        made.setFunction(laws.findFunction(f"{law} (irreversible)"))
        made.setParameterObject(k, numbers[about["rate_constant"]])
        for of, count in about["substrates"]:
            for _ in range(count):
                made.addParameterObject("substrate", species[of])
    inside.compileIfNecessary()


def _follow(model: Any, task: dict[str, Any]) -> None:
    steps = {"Duration": task["t_end"], "StepNumber": task["n_steps"], "AutomaticStepSize": False}
    # its own 1e-6 would be seen in plots of small concentrations
    tolerances = {"Relative Tolerance": 1e-8, "Absolute Tolerance": 1e-14}
    basico.set_task_settings(
        basico.T.TIME_COURSE, {"problem": steps, "method": tolerances}, model=model
    )
    _plot(model, "time course", "Time-Course", "Time", task["outputs"])


def _plot(model: Any, name: str, kind: str, x: str, outputs: dict[str, str]) -> None:
    """A plot of the outputs against x, which comes up for one kind of task."""
    curves = [
        {"name": o, "channels": [_channel(model, x), _channel(model, place)]}
        for o, place in outputs.items()
    ]
    basico.add_plot(name, curves=curves, tasks=kind, model=model)


def _channel(model: Any, place: str) -> str:
    """What a curve reads, by COPASI's full name."""
    found = model.findObjectByDisplayName(place)
    # basico takes a quantity for its value in reports, but in plots it does not
    is_value = place == "Time" or found.getObjectType() == "Reference"
    return place if is_value else str(found.getValueReference().getCN().getString())


def _scan(model: Any, task: dict[str, Any], settles: bool) -> None:
    variation, outputs = task["variation"], task["outputs"]
    item = {"type": "scan", "num_steps": task["n_points"], "log": False}
    item |= {"min": variation["low"], "max": variation["high"], "item": variation["item"]}
    # the scan itself writes a row a point; a steady state as its subtask has no output to give
    subtask = basico.T.STEADY_STATE if settles else basico.T.TIME_COURSE
    settings = {"subtask": subtask, "output_specification": []}
    basico.set_scan_settings(settings={**settings, "scan_items": [item]}, model=model)
    name = f"{'steady state' if settles else 'end of time course'} against {variation['id']}"
    _plot(model, name, "Scan", variation["place"], outputs)
    columns = [variation["place"], *outputs.values()]
    basico.add_report(name, task="Scan", table=columns, precision=15, model=model)
    basico.assign_report(
        name, "Scan", task["report"], append=False, confirm_overwrite=False, model=model
    )


def _sensitivities(model: Any, outputs: dict[str, str], settles: bool) -> None:
    read_outs = all(reference.startswith("Values[") for reference in outputs.values())
    what = "Global Quantity Values" if read_outs else "Concentrations of Species"
    settings = {
        "sub_task": "Steady State" if settles else "Time Series",
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
    problem = model.getTask(basico.T.PARAMETER_ESTIMATION).getProblem()
    numbers = {one.getObjectName(): one for one in model.getModel().getModelValues()}
    for of in fit["parameters"]:
        item = problem.addFitItem(numbers[of["name"]].getInitialValueReference().getCN())
        item.setLowerBound(CRegisteredCommonName(str(of["lower"])))
        item.setUpperBound(CRegisteredCommonName(str(of["upper"])))
        item.setStartValue(of["start"])
    method = {"name": "Levenberg - Marquardt", "Iteration Limit": 200}
    basico.set_task_settings(basico.T.PARAMETER_ESTIMATION, {"method": method}, model=model)


if __name__ == "__main__":
    main()
