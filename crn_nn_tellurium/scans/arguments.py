"""From the arguments of `scan` to its plan, with everything refused that could only fail later."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, get_args

import numpy as np

from crn_nn_tellurium.basics import FloatArray, check_choice, check_positive
from crn_nn_tellurium.certificates import Bound
from crn_nn_tellurium.chemistry import ReactionNetwork
from crn_nn_tellurium.errors import InputError, NetworkError
from crn_nn_tellurium.networks import LossLike, Network
from crn_nn_tellurium.scans.axes import Axis, Vary, as_axes
from crn_nn_tellurium.scans.network_scan import KINDS
from crn_nn_tellurium.scans.plan import SAMPLE, Model, Plan, Quantity
from crn_nn_tellurium.simulation import Simulator

STEADY_STATE = "steady_state"
_NUMBERS_AT_ONCE = 4_000_000
"""Concentrations and rate constants that a chunk holds at once: some 32 MB."""
_POINTS = 2_048
_COURSES = 128
_SLOW = 64
_INPUTS = 100
"""Inputs up to which those of a batch stand in the result."""
Kept = str | Callable[[Any], Any]


def make_plan(
    model: Any,
    vary: Vary,
    x: Any = None,
    y: Any = None,
    outputs: Any = "outputs",
    at: Any = STEADY_STATE,
    loss: LossLike = "squared_error",
    tolerance: float = 1e-3,
    bound: Bound = "envelope",
) -> Plan:
    """The plan that the arguments of `scan` mean, checked."""
    if isinstance(model, Simulator):
        model = model.net
    if not isinstance(model, (Network, ReactionNetwork, str)):
        hint = (
            "; give r.getCurrentAntimony(), or the Network"
            if hasattr(model, "getCurrentAntimony")
            else ""
        )
        raise NetworkError(
            "a scan takes a Network, a Simulator, a ReactionNetwork or an Antimony text; got "
            f"{type(model).__name__}{hint}"
        )
    if isinstance(model, str) and len(model.split()) < 2:
        raise InputError(
            f"{model!r} is no Antimony text; load_model(name) gives a shipped network, and"
            " Path(file).read_text() what a file holds"
        )
    check_choice("bound", bound, get_args(Bound))
    check_positive("tolerance", tolerance)
    axes = as_axes(vary)
    time = _times(at)
    quantities = _quantities(outputs, model)
    if isinstance(model, Network):
        x = _inputs(model, x)
        y = None if y is None else np.asarray(y)
    elif x is not None or y is not None:
        raise InputError(
            "x and y are inputs and targets of a Network; vary boundary species by name instead"
        )
    plan = Plan(
        model,
        axes,
        quantities,
        x,
        y,
        time,
        loss,
        float(tolerance),
        bound,
        _chunk(model, quantities, time),
    )
    _check_names(plan)
    return plan


def _check_names(plan: Plan) -> None:
    """Refuse names that a result could not tell apart or hold, before anything is solved."""
    names = list(_columns(plan))
    reserved = {"output", "species", "time", "status", SAMPLE}
    for name in names:
        if names.count(name) > 1 or name in reserved:
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
    for quantity in plan.quantities:
        name = quantity.name
        if name in names or name in plan.dims:
            raise InputError(
                f"{name!r} is varied and kept; outputs={{'{name}_end': '{name}'}} keeps it under"
                " another name"
            )
        if name in reserved or not (isinstance(name, str) and name.isidentifier()):
            raise InputError(
                f"outputs: nothing can be kept as {name!r}; expected letters and digits, and no"
                " name of ours"
            )


def coordinates_of(axis: Axis) -> dict[str, FloatArray]:
    """What stands along an axis in a result, by name; a row for each layer makes a coordinate for
    each.
    """
    found: dict[str, FloatArray] = {}
    for name, values in axis.values.items():
        if values.ndim == 1:
            found[name] = values
        else:
            found |= {f"{name}{layer}": column for layer, column in enumerate(values.T, start=1)}
    return found


def _columns(plan: Plan) -> list[str]:
    """Names of all coordinates that are numbers of the model, in order, each as often as it is
    there.
    """
    return [*(name for axis in plan.axes for name in coordinates_of(axis)), *sample_inputs(plan)]


def sample_inputs(plan: Plan) -> dict[str, FloatArray]:
    """The inputs of the samples that are not varied, if there are not too many to stand in a
    result.
    """
    if not plan.has_samples or plan.x is None or not isinstance(plan.model, Network):
        return {}
    varied = {name for axis in plan.axes for name in axis.values}
    names = plan.model.input_names if plan.model.n_in <= _INPUTS else ()
    return {name: plan.x[:, i] for i, name in enumerate(names) if name not in varied}


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
    try:
        times = np.atleast_1d(np.array(at, dtype=float))
    except (TypeError, ValueError) as error:
        raise InputError(f"at is {at!r}; expected times or 'steady_state'") from error
    rising = np.all(np.diff(times) > 0) if times.ndim == 1 else False
    if not (times.size and rising and np.all(np.isfinite(times)) and times[0] >= 0):
        raise InputError(f"at is {at!r}; expected rising times >= 0, or 'steady_state'")
    return times


def _quantities(outputs: Any, model: Model) -> tuple[Quantity, ...]:
    if isinstance(outputs, str) or callable(outputs):
        outputs = [outputs]
    named: Iterable[tuple[str | None, Any]]
    if isinstance(outputs, Mapping):
        named = list(outputs.items())
    elif isinstance(outputs, Sequence):
        named = [(None, kept) for kept in outputs]
    else:
        raise InputError(
            f"outputs is {outputs!r}; expected names, functions, or a mapping of names to these"
        )
    found = tuple(_quantity(name, kept) for name, kept in named)
    names = [quantity.name for quantity in found]
    if not found or len(set(names)) < len(names):
        raise InputError(
            f"outputs are {names}; expected one thing to keep or more, each with a name of its own"
        )
    if isinstance(model, Network):
        _check_species(found, model)
    return found


def _quantity(name: str | None, kept: Any) -> Quantity:
    if callable(kept):
        name = getattr(kept, "__name__", None) if name is None else name
        if name is None or not (isinstance(name, str) and name.isidentifier()):
            raise InputError(
                f"outputs: {kept!r} has no name that can be a variable's; give {{'name': function}}"
            )
        return Quantity(name, "function", function=kept)
    if not isinstance(kept, str):
        raise InputError(
            f"outputs: {kept!r}; expected one of {', '.join(KINDS)}, a species or a function"
        )
    kind = kept if kept in KINDS else "one_species"
    # a variable cannot be called like the dimension that it has
    default = "concentrations" if kind == "species" else kept
    return Quantity(default if name is None else name, kind, kept if kind == "one_species" else "")


def _check_species(quantities: Iterable[Quantity], net: Network) -> None:
    species = None
    for quantity in quantities:
        if quantity.kind == "one_species":
            species = species or (*net.output_names, *Simulator(net).species)
            if quantity.species not in species:
                raise InputError(
                    f"outputs: network {net.name!r} has no {quantity.species!r}; expected one of"
                    f" {', '.join(KINDS)}, a function, an output or a species:"
                    f" {', '.join(species[:8])}, ..."
                )


def _chunk(model: Model, quantities: Iterable[Quantity], time: FloatArray | None) -> int:
    """The most points of a chunk; it depends on the plan alone, since it decides where a result's
    bits come from.
    """
    if not isinstance(model, Network):
        return _COURSES
    species = sum(layer.n_out * len(layer.activation.species) for layer in model.layers)
    at_once = species * (1 if time is None else len(time)) + model.n_weights
    limit = _POINTS if time is None else _COURSES
    if any(
        quantity.kind in ("settling_time", "gradient_norm", "function") for quantity in quantities
    ):
        limit = min(limit, _SLOW)
    return max(1, min(limit, _NUMBERS_AT_ONCE // max(1, at_once)))
