"""What the reactions of a network conserve: c with c . N = 0, exactly, as rows of whole numbers.

Every reaction's net change is a row of N', and its null space is read off from N' eliminated by
Gauss and Jordan, over whole numbers: a floating-point null space would have to guess what is zero.

Source: Reder, J. theor. Biol. 135 (1988) 175; Schuster and Hoefer, J. Chem. Soc. Faraday Trans.
87 (1991) 2561, on sums without negative parts.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt
from scipy import sparse

Row = dict[int, int]
"""A combination of species: whole numbers by column, none of them 0."""
# Rows up to which sums without negative parts are looked for: that takes the square of their number
_LEANED_UP_TO = 200


@dataclass(frozen=True, eq=False)
class ConservedSums:
    """Conserved sums as rows (n_sums, n_floating) of whole numbers.

    The rates of the species that are not `dependent` (n_sums,) say those of all: with the sums in
    place of the others' rates, f = 0 has as many equations as unknowns.
    """

    rows: sparse.csr_array
    dependent: npt.NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.dependent)


def conserved_sums(stoichiometry: sparse.csr_array) -> ConservedSums:
    """What a net stoichiometry (n_floating, n_reactions) of rational numbers conserves.

    >>> conserved_sums(sparse.csr_array(np.array([[-1.0], [-1.0], [1.0]]))).rows.toarray()
    array([[1., 0., 1.],
           [0., 1., 1.]])
    """
    n = stoichiometry.shape[0]
    solved = _eliminated(_changes(stoichiometry), n)
    free = [species for species in range(n) if species not in solved]
    # a solved species follows from the free ones: each of these is in one sum alone, at first
    parts: dict[int, dict[int, Fraction]] = {species: {species: Fraction(1)} for species in free}
    for species, row in solved.items():
        for other, number in row.items():
            if other != species:
                parts[other][species] = Fraction(-number, row[species])
    rows = [_whole(part) for part in parts.values()]
    if len(rows) <= _LEANED_UP_TO:
        rows = _without_negatives(rows)
    entries = [(i, s, float(k)) for i, row in enumerate(rows) for s, k in sorted(row.items())]
    place, columns, values = np.array(entries, dtype=float).reshape(-1, 3).T
    matrix = sparse.csr_array((values, (place.astype(int), columns.astype(int))), (len(rows), n))
    return ConservedSums(matrix, np.array(free, dtype=np.intp))


def _changes(stoichiometry: sparse.csr_array) -> list[Row]:
    """Net changes of the reactions, each direction once, those of few species first."""
    columns = stoichiometry.tocsc()
    found: dict[tuple[tuple[int, int], ...], Row] = {}
    for first, last in zip(columns.indptr[:-1], columns.indptr[1:], strict=True):
        species = columns.indices[first:last].tolist()
        # a model's stoichiometry may be .5, or 1/3 as a float
        numbers = [Fraction(k).limit_denominator(10**6) for k in columns.data[first:last].tolist()]
        row = _whole(dict(zip(species, numbers, strict=True)))
        if row:
            # there and back change the same, and so do reactions that differ in catalysts alone
            sign = 1 if row[min(row)] > 0 else -1
            key = tuple(sorted((s, sign * k) for s, k in row.items()))
            found[key] = dict(key)
    return sorted(found.values(), key=len)


def _eliminated(changes: list[Row], n: int) -> dict[int, Row]:
    """Rows by the species that each is solved for; what else is in a row is solved by none."""
    uses = Counter(species for row in changes for species in row)
    solved: dict[int, Row] = {}
    for change in changes:
        row = change
        while hit := next((s for s in row if s in solved), -1) + 1:
            row = _combined(row, solved[hit - 1], hit - 1)
        if row:
            # rare species keep rows short, units keep them whole; of equals the last, so that sums
            # begin with what is listed first
            pivot = min(row, key=lambda s, row=row: (abs(row[s]) != 1, uses[s], -s))  # type: ignore[misc]
            solved[pivot] = row
    # backwards, what stands in a row is either solved for good or by none
    for pivot in reversed(solved):
        row = solved[pivot]
        for species in [s for s in row if s in solved and s != pivot]:
            row = _combined(row, solved[species], species)
        solved[pivot] = row
    return solved


def _combined(row: Row, other: Row, species: int) -> Row:
    """Two rows added so that the species cancels."""
    common = math.gcd(row[species], other[species])
    by, minus = other[species] // common, row[species] // common
    found = {s: by * k for s, k in row.items()}
    for s, k in other.items():
        found[s] = found.get(s, 0) - minus * k
    return _primitive(found)


def _primitive(row: Row) -> Row:
    """Without zeros and common factors."""
    common = math.gcd(*row.values()) or 1
    return {s: k // common for s, k in row.items() if k}


def _whole(row: dict[int, Fraction]) -> Row:
    scale = math.lcm(*(k.denominator for k in row.values()))
    return _primitive({s: int(k * scale) for s, k in row.items()})


def _without_negatives(rows: list[Row]) -> list[Row]:
    """The same space by sums of species, as far as adding one row to another finds them."""
    # an enzyme's E - S - P and ES + S + P are E + ES and ES + S + P
    for i, row in enumerate(rows):
        while negatives := _negatives(row):
            others = (rows[j] for j in range(len(rows)) if j != i)
            best = min((_covered(row, other) for other in others), key=_negatives, default=row)
            if _negatives(best) >= negatives:
                break
            row = best
        rows[i] = row
    return rows


def _negatives(row: Row) -> int:
    return sum(k < 0 for k in row.values())


def _covered(row: Row, other: Row) -> Row:
    """A row with another added as often as its negative parts want."""
    wanted: Iterable[int] = (-(k // other[s]) for s, k in row.items() if k < 0 < other.get(s, 0))
    times = max(wanted, default=0)
    added = {s: row.get(s, 0) + times * other.get(s, 0) for s in row.keys() | other.keys()}
    return _primitive(added)
