"""What follows from what: constants and start values that are formulas in others.

A formula is worked out after all that it reads, so formulas may be listed in any order, but not in
a circle. Derivatives go the same way, by the chain rule.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from crn_nn_tellurium.basics import FloatArray, check_kind, real_number, some
from crn_nn_tellurium.chemistry.expressions import Expression
from crn_nn_tellurium.chemistry.notation import formula
from crn_nn_tellurium.errors import InputError, ReactionError


@dataclass(frozen=True, slots=True)
class Parameter:
    """A constant that formulas read and that is no rate constant by itself.

    Parameters
    ----------
    id : str
        Identifier: letters, digits and underscores.
    value : float
        Any finite number, of either sign.
    name : str
        A readable name; no effect on the mathematics.

    Raises
    ------
    ReactionError
        If the value is not finite.

    Examples
    --------
    >>> Parameter("Ain", 2.0)
    Parameter(id='Ain', value=2.0, name='')
    """

    id: str
    value: float
    name: str = ""

    def __post_init__(self) -> None:
        value = real_number(f"parameter {self.id!r}", self.value, error=ReactionError)
        object.__setattr__(self, "value", value)


def in_order(formulas: Mapping[str, Expression], what: str) -> tuple[str, ...]:
    """What has a formula, each after all that its formula reads; a circle is refused."""
    found: dict[str, None] = {}
    # depth first, without recursion: what is entered twice before it is left is in a circle
    for first in formulas:
        path = [first]
        while path:
            name = path[-1]
            reads = [s for s in formulas[name].symbols if s in formulas and s not in found]
            if not reads:
                found[path.pop()] = None
            elif reads[0] in path:
                circle = " -> ".join([*path[path.index(reads[0]) :], reads[0]])
                raise ReactionError(f"{what} go in a circle: {circle}; give one of them a number")
            else:
                path.append(reads[0])
    return tuple(found)


def follow(formulas: Mapping[str, Expression], values: dict[str, Any]) -> None:
    """Work out formulas, in their order, from values and into them."""
    for name, expression in formulas.items():
        values[name] = calculated(repr(name), expression, values)


@np.errstate(divide="ignore", invalid="ignore", over="ignore")
def calculated(what: str, expression: Expression, values: Mapping[str, Any]) -> Any:
    """The value, number or array, of a formula that `what` follows from; what is not finite is
    refused.
    """
    try:
        value = expression.evaluate(values)
        good = bool(np.all(np.isfinite(value))) and not isinstance(value, complex)
    except (ArithmeticError, ValueError):
        value, good = math.nan, False
    if not good:
        given = {s: np.asarray(values[s]).tolist() for s in dict.fromkeys(expression.symbols)}
        raise ReactionError(
            f"{what} follows from {formula(expression)}, which has no finite value at {given}"
        )
    return value


def pass_on(
    formulas: Mapping[str, Expression], values: Mapping[str, Any], rows: dict[str, FloatArray]
) -> None:
    """Derivatives of what has a formula, into `rows`, which has those of what it reads."""
    for name, expression in formulas.items():
        # in the order of the formula: sums are to be the same in every process
        for symbol in dict.fromkeys(expression.symbols):
            if symbol in rows:
                what = f"the derivative of {name!r} by {symbol!r}"
                part = calculated(what, expression.derivative(symbol), values) * rows[symbol]
                rows[name] = rows[name] + part if name in rows else part


def check_sizes(formulas: Mapping[str, Expression], values: Mapping[str, Any]) -> None:
    """Refuse rate constants that their formulas give below zero."""
    why = (
        ", since the sign of a rate says which way its reaction runs: write that as a model of its"
        " own"
    )
    _check_sizes("rate constant", formulas, values, why)


def check_starts(formulas: Mapping[str, Expression], values: Mapping[str, Any]) -> None:
    """Refuse initial concentrations that their formulas give below zero."""
    _check_sizes("the start of species", formulas, values, ", as of every concentration")


def check_given(given: Any, species: Sequence[str]) -> None:
    """Refuse starts of what is no species, a rate constant say."""
    check_kind("given", given, Mapping, "{'A': 1.0} say")
    known = set(species)
    if unknown := [name for name in given if name not in known]:
        raise InputError(f"given has a start for {unknown[0]!r}; expected one of {some(species)}")


def _check_sizes(
    what: str, formulas: Mapping[str, Expression], values: Mapping[str, Any], why: str
) -> None:
    for name, expression in formulas.items():
        least = np.min(values[name], initial=np.inf)
        if least < 0:
            raise ReactionError(
                f"{what} {name!r} follows from {formula(expression)}, which is {float(least)!r};"
                f" expected >= 0{why}"
            )


def jacobian_of(
    names: Sequence[str],
    settable: Sequence[str],
    formulas: Mapping[str, Expression],
    values: Mapping[str, Any],
) -> sparse.csc_array:
    """Derivatives of what has a name by what can be set, (n_names, n_settable)."""
    place = {name: i for i, name in enumerate(settable)}
    # others need have no derivative: a start sqrt(p) of a floating species at p = 0, say
    needed = set(names)
    for name in reversed(list(formulas)):
        needed.update(formulas[name].symbols if name in needed else ())
    formulas = {name: f for name, f in formulas.items() if name in needed}
    involved = {*formulas, *(s for f in formulas.values() for s in f.symbols)}
    # unit vectors, to begin with; of what is in no formula they stay so
    rows: dict[str, FloatArray] = {
        name: np.eye(1, len(settable), i)[0] for name, i in place.items() if name in involved
    }
    pass_on(formulas, values, rows)
    entries: list[tuple[int, int, float]] = []
    for i, name in enumerate(names):
        if name in rows:
            entries += [(i, int(j), float(rows[name][j])) for j in np.flatnonzero(rows[name])]
        elif name in place:
            entries.append((i, place[name], 1.0))
    return sparse.csc_array(sparse_matrix(entries, (len(names), len(settable))))


def stacked(columns: Sequence[Any], lead: tuple[int, ...]) -> FloatArray:
    """Columns side by side, (*lead, n)."""
    whole = [np.broadcast_to(column, lead) for column in columns]
    return np.stack(whole, axis=-1).astype(float) if whole else np.empty((*lead, 0))


def sparse_matrix(
    entries: Sequence[tuple[int, int, float]], shape: tuple[int, int]
) -> sparse.csr_array:
    """A matrix of (row, column, value)."""
    rows, columns, values = (
        (list(part) for part in zip(*entries, strict=True)) if entries else ([], [], [])
    )
    return sparse.csr_array((np.array(values, dtype=float), (rows, columns)), shape=shape)
