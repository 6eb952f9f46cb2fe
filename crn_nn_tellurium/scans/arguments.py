"""From the arguments of `scan` to its plan, with everything refused that could only fail later."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import (
    FloatArray,
    check_choice,
    first_twice,
    labels_or_numbers,
    real_numbers,
)
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.importers import text_or_model
from crn_nn_tellurium.networks import Network, by_output
from crn_nn_tellurium.scans.axes import RESERVED, Axis, Vary, as_axes
from crn_nn_tellurium.scans.plan import Model, Plan
from crn_nn_tellurium.scans.quantities import quantity_of
from crn_nn_tellurium.scans.subject import Quantity
from crn_nn_tellurium.simulation import Simulator

STEADY_STATE = "steady_state"
# Concentrations and rate constants that a chunk holds at once: some 32 MB
_NUMBERS_AT_ONCE = 4_000_000
_POINTS = 2_048
_COURSES = 128
_SLOW = 64
# Inputs up to which those of a batch stand in the result
_INPUTS = 100
Kept = str | Quantity | Callable[[Any], Any]


def make_plan(
    model: Any,
    vary: Vary,
    x: Any = None,
    y: Any = None,
    outputs: Any = "outputs",
    at: Any = STEADY_STATE,
) -> Plan:
    """The plan that the arguments of `scan` mean, checked."""
    given = model
    model = text_or_model(given.model if isinstance(given, Simulator) else given, "scan")
    axes, time, quantities = as_axes(vary), _times(at), _quantities(outputs)
    if isinstance(model, Network):
        x = _inputs(model, x)
        y = None if y is None else labels_or_numbers("y", by_output(model, y))
    elif x is not None or y is not None:
        raise InputError(
            "x and y are inputs and targets of a Network; vary boundary species by name instead"
        )
    engine = None
    if not isinstance(model, str):
        engine = (given if isinstance(given, Simulator) else Simulator(model)).engine
    plan = Plan(model, axes, quantities, x, y, time, _chunk(model, quantities, time), engine)
    _check_names(plan)
    return plan


def _check_names(plan: Plan) -> None:
    """Refuse names that a result could not tell apart or hold, before anything is solved."""
    coordinates = [name for axis in plan.axes for name in coordinates_of(axis)]
    names = [*coordinates, *sample_inputs(plan)]
    doubtful = [*(name for name in names if name in RESERVED), first_twice(names)]
    if (name := doubtful[0]) is not None:
        raise InputError(
            f"{name!r} would be two things in the result: rename the network's input, or vary"
            " one of them"
        )
    for axis in plan.axes:
        if axis.dim in names and axis.dim not in coordinates_of(axis):
            raise InputError(
                f"{axis.dim!r} is a dimension, and a number along another: dim= renames the"
                " dimension"
            )
    for name in plan.quantities:
        if name in names or name in plan.dims:
            raise InputError(
                f"{name!r} is varied and kept; outputs={{'{name}_end': '{name}'}} keeps it under"
                " another name"
            )
        if name in RESERVED or not (isinstance(name, str) and name.isidentifier()):
            raise InputError(
                f"outputs: nothing can be kept as {name!r}; expected letters and digits, and no"
                " name of ours"
            )


def coordinates_of(axis: Axis) -> dict[str, FloatArray]:
    """What stands along an axis in a result, by name; rows by layer make a coordinate for each."""
    found: dict[str, FloatArray] = {}
    for name, values in axis.values.items():
        if values.ndim == 1:
            found[name] = values
        else:
            found |= {f"{name}{layer}": column for layer, column in enumerate(values.T, start=1)}
    return found


def sample_inputs(plan: Plan) -> dict[str, FloatArray]:
    """The samples' inputs that are not varied, if there are not too many to stand in a result."""
    if not plan.has_samples or plan.x is None or not isinstance(plan.model, Network):
        return {}
    names = plan.model.input_names if plan.model.n_in <= _INPUTS else ()
    return {name: plan.x[:, i] for i, name in enumerate(names) if name not in plan.varied}


def _inputs(net: Network, x: Any) -> FloatArray:
    coding = net.input_coding
    if x is None:
        return np.array(coding.low) if coding.kind == "scaled" else np.zeros(net.n_in)
    values = coding.check(x)
    if values.ndim > 2 or not values.size:
        raise InputError(
            f"x has shape {values.shape}; expected ({net.n_in},) or (n_samples, {net.n_in}), not"
            " empty"
        )
    return values


def _times(at: Any) -> FloatArray | None:
    if isinstance(at, str):
        check_choice("at", at, (STEADY_STATE,))
        return None
    if isinstance(at, Mapping):
        raise InputError(
            f"at is {at!r}; expected times or 'steady_state' (inputs that are not varied go to x=)"
        )
    times = np.atleast_1d(real_numbers("at", at, "times or 'steady_state'"))
    rising = np.all(np.diff(times) > 0) if times.ndim == 1 else False
    if not (times.size and rising and np.all(np.isfinite(times)) and times[0] >= 0):
        raise InputError(f"at is {at!r}; expected rising times >= 0, or 'steady_state'")
    return times


def _quantities(outputs: Any) -> dict[str, Quantity]:
    """What is kept, by the name of its variable."""
    if isinstance(outputs, (str, Quantity)) or callable(outputs):
        outputs = [outputs]
    named: list[tuple[str, Any]]
    if isinstance(outputs, Mapping):
        named = list(outputs.items())
    elif isinstance(outputs, Sequence):
        named = [(quantity_of(kept).default_name, kept) for kept in outputs]
    else:
        raise InputError(
            f"outputs is {outputs!r}; expected names, functions, or a mapping of names to these"
        )
    for name, kept in named:
        if callable(kept) and not (isinstance(name, str) and name.isidentifier()):
            raise InputError(
                f"outputs: {kept!r} has no name that can be a variable's; give {{'name': function}}"
            )
    found = {name: quantity_of(kept) for name, kept in named}
    if not found or len(found) < len(named):
        raise InputError(
            f"outputs are {[name for name, _ in named]}; expected one thing to keep or more, each"
            " with a name of its own"
        )
    return found


def _chunk(model: Model, quantities: Mapping[str, Quantity], time: FloatArray | None) -> int:
    """The most points of a chunk, by the plan alone: it decides where a result's bits come from."""
    if not isinstance(model, Network):
        return _COURSES
    species = sum(layer.n_out * len(layer.activation.species) for layer in model.layers)
    at_once = species * (1 if time is None else len(time)) + model.n_weights
    limit = _POINTS if time is None else _COURSES
    if any(quantity.is_slow for quantity in quantities.values()):
        limit = min(limit, _SLOW)
    return max(1, min(limit, _NUMBERS_AT_ONCE // max(1, at_once)))
