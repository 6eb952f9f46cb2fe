"""What can go without changing any answer: units that nothing reads, units that are constant, and
units of one layer that are equal.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import sparse

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.operators.lowering import Made

Bools = npt.NDArray[np.bool_]


def simplified(made: Sequence[Made], n_inputs: int) -> tuple[list[Made], tuple[str, ...]]:
    """The layers without them, the last one whole, and sentences on what is gone."""
    live = _live(made, n_inputs)
    n_dead = sum(int((~live[m.first : m.first + m.n_out]).sum()) for m in made)
    # each value so far as one that stays, times 1, or as a number
    kept: sparse.csr_array = sparse.eye_array(n_inputs, format="csr")
    numbers = np.zeros(n_inputs)
    result: list[Made] = []
    n_constant = n_equal = 0
    for one in made:
        is_last = one is made[-1]
        here = live[one.first : one.first + one.n_out]
        # values that were made since the tensor was have no columns
        known = one.weights.shape[1]
        weights = sparse.csr_array(one.weights @ kept[:known])
        weights.eliminate_zeros()
        bias = one.bias + one.weights @ numbers[:known]
        is_free = not (is_last or one.activation.couples_units)
        constant = here & (np.diff(weights.indptr) == 0) if is_free else np.zeros_like(here)
        stands_for = _first_equals(weights, bias, here) if is_free else np.arange(one.n_out)
        units = np.flatnonzero(here & ~constant & (stands_for == np.arange(one.n_out)))
        n_constant += int(constant.sum())
        n_equal += int((here & ~constant).sum()) - len(units)
        first = kept.shape[1]
        if len(units):
            result.append(Made(weights[units], bias[units], one.activation, first))
        place = np.full(one.n_out, -1)
        place[units] = np.arange(len(units))
        place = np.where(here & ~constant, place[stands_for], -1)
        kept = _extended(kept, place, len(units))
        numbers = np.concatenate([numbers, np.where(constant, one.activation(bias), 0.0)])
    counts = (
        (n_dead, "that nothing reads: dropped"),
        (n_constant, "that are constant: now part of biases"),
        (n_equal, "that are equal to another of their layer: shared"),
    )
    return result, tuple(f"{n} unit(s) {what}." for n, what in counts if n)


def _live(made: Sequence[Made], n_inputs: int) -> Bools:
    """Which values (n_values,) the last layer reads, through others or itself."""
    last = made[-1]
    live = np.zeros(last.first + last.n_out, dtype=bool)
    live[:n_inputs] = True
    live[last.first :] = True
    for one in reversed(made):
        here = live[one.first : one.first + one.n_out]
        if one.activation.couples_units and here.any():
            here[:] = True
        live[np.unique(one.weights[np.flatnonzero(here)].indices)] = True
    return live


def _first_equals(weights: sparse.csr_array, bias: FloatArray, live: Bools) -> npt.NDArray[np.intp]:
    """For each live unit the first of these whose weights and bias are the same."""
    weights.sort_indices()
    seen: dict[tuple[bytes, bytes, float], int] = {}
    result = np.arange(len(bias))
    for unit in np.flatnonzero(live).tolist():
        row = slice(weights.indptr[unit], weights.indptr[unit + 1])
        key = (weights.indices[row].tobytes(), weights.data[row].tobytes(), float(bias[unit]))
        result[unit] = seen.setdefault(key, unit)
    return result


def _extended(kept: sparse.csr_array, place: npt.NDArray[np.intp], n_new: int) -> sparse.csr_array:
    """With rows for a layer's units, each 1 in its place among the new columns, or nowhere."""
    units = np.flatnonzero(place >= 0)
    entries = (np.ones(len(units)), (units, place[units]))
    own = sparse.csr_array(entries, shape=(len(place), n_new))
    return sparse.csr_array(sparse.block_diag([kept, own]))
