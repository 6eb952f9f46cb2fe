"""What a network conserves: combinations c of its species with c . N = 0, N the stoichiometry.

Source: Feinberg, Foundations of Chemical Reaction Network Theory (2019), chapter 3.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import linalg

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.chemistry import ReactionNetwork
from crn_nn_tellurium.errors import SingularJacobianError

NAMED_UP_TO = 2_000
"""Floating species up to which conserved combinations are looked for, by dense linear algebra."""


def refuse_conserved(crn: ReactionNetwork) -> None:
    """Refuse a network that conserves a combination of its species, and name it."""
    if len(crn.floating) > NAMED_UP_TO or not crn.floating:
        return
    kept = conserved_combinations(crn)
    if len(kept):
        text = " and ".join(combination_text(crn.floating, row) for row in kept[:3])
        more = f" and {len(kept) - 3} more" if len(kept) > 3 else ""
        raise SingularJacobianError(
            f"network {crn.name!r} conserves {text}{more}: its steady state depends on the start"
            " and is not isolated, so it has no derivatives; let a reaction make or consume what"
            " is conserved, or hold one of these species as a boundary species"
        )


def conserved_combinations(crn: ReactionNetwork) -> FloatArray:
    """Combinations c with c . N = 0, one per row, shape (n_conserved, n_floating), in echelon form.

    Examples
    --------
    >>> from crn_nn_tellurium import Reaction, Species
    >>> there = Reaction("J1", ("A",), ("B",), "k1", 1.0)
    >>> back = Reaction("J2", ("B",), ("A",), "k2", 2.0)
    >>> conserved_combinations(ReactionNetwork([Species("A", 1.0), Species("B")], [there, back]))
    array([[1., 1.]])
    """
    rest = linalg.null_space(crn.stoichiometry.toarray().T).T
    rows: list[FloatArray] = []
    # Gauss and Jordan's elimination; of an orthonormal basis, 1e-9 is rounding and no coefficient
    while len(rest):
        pivot = int(np.argmax(np.abs(rest).max(axis=0) > 1e-9))
        best = int(np.abs(rest[:, pivot]).argmax())
        row = rest[best] / rest[best, pivot]
        rest = np.delete(rest, best, axis=0)
        rest = rest - np.outer(rest[:, pivot], row)
        rows = [other - other[pivot] * row for other in rows] + [row]
    found = np.array(rows).reshape(len(rows), len(crn.floating))
    return np.where(np.abs(found - found.round()) < 1e-9, found.round(), found) + 0.0


def combination_text(names: Sequence[str], values: FloatArray) -> str:
    """A combination as one reads it: ``A + 2 B``."""
    values = values / np.abs(values).max()
    pairs = zip(names, values.tolist(), strict=True)
    # six digits of a null vector are sure: less is 0, and ratios so near to whole numbers are whole
    kept = [(name, value) for name, value in pairs if abs(value) > 1e-6]
    smallest = min((abs(value) for _, value in kept), default=1.0)
    whole = all(abs(value / smallest - round(value / smallest)) < 1e-6 for _, value in kept)
    sign = -1.0 if kept and kept[0][1] < 0 else 1.0
    parts = []
    for name, value in kept[:12]:
        number = sign * value / (smallest if whole else 1.0)
        size = "" if abs(abs(number) - 1) < 1e-6 else f"{abs(number):.4g} "
        parts.append(f"{'- ' if number < 0 else '+ '}{size}{name}")
    return " ".join(parts).removeprefix("+ ") + (" ..." if len(kept) > 12 else "")
