"""A user's function of one point's result, which may fail or answer anything at any point."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.scans.plan import Plan, Quantity
from crn_nn_tellurium.simulation import SOLVED, Outcome


def value_of(
    quantity: Quantity, result: Any, shape: tuple[int, ...] | None = None
) -> tuple[FloatArray | None, Outcome]:
    """What a function says of a result, or why it says nothing: the scan goes on."""
    assert quantity.function is not None
    try:
        answer = quantity.function(result)
        if answer is None:
            return None, Outcome.failure(f"{quantity.name} returns nothing")
        value = np.asarray(answer, dtype=float)
    except (
        Exception
    ) as error:  # whatever a user's function raises is a reason, and this point's alone
        return None, Outcome.failure(f"{quantity.name}: {type(error).__name__}: {error}")
    if shape is not None and value.shape != shape:
        reason = f"{quantity.name} has shape {value.shape} here, and {shape} elsewhere"
        return None, Outcome.failure(reason)
    return value, SOLVED


def shapes_of(plan: Plan, results: Callable[[], Sequence[Any]]) -> dict[str, tuple[int, ...]]:
    """The shapes of what a plan's functions say, by name; `results` are asked for if there are
    functions.
    """
    functions = [quantity for quantity in plan.quantities if quantity.kind == "function"]
    known = results() if functions else ()
    return {quantity.name: _shape_of(quantity, known) for quantity in functions}


def _shape_of(quantity: Quantity, results: Iterable[Any]) -> tuple[int, ...]:
    """The shape of what a function says, from the first result of which it says something.

    Raises
    ------
    InputError
        If it says nothing of any.
    """
    first = ""
    for result in results:
        value, outcome = value_of(quantity, result)
        if value is not None:
            return value.shape
        first = first or outcome.reason
    raise InputError(
        f"{first or quantity.name + ': no point was solved'}; a function is given the result of one"
        " point (a SteadyState or a TimeCourse of a network; of other models a dictionary of"
        " species and parameters) and returns a number or an array of numbers"
    )


def fill(
    values: list[FloatArray | None], shape: tuple[int, ...], box: tuple[int, ...]
) -> FloatArray:
    """Values of all points of a box as one array, NaN where there is none."""
    found = np.full((len(values), *shape), np.nan)
    for i, value in enumerate(values):
        if value is not None:
            found[i] = value
    return found.reshape(*box, *shape)
