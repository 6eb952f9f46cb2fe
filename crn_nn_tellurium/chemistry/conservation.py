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
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import sparse

from crn_nn_tellurium.basics import is_real
from crn_nn_tellurium.errors import ReactionError

Row = dict[int, int]
"""A combination of species: whole numbers by column, none of them 0."""
Parts = dict[int, dict[int, Fraction]]
"""Conserved sums by the species that stands in one of them alone."""
# Entries up to which sums without negative parts are looked for, row by row
_LEANED_UP_TO = 5_000
# Entries written in turn up to which sparse elimination is faster, a second's; rings and lattices
# of thousands stay below, random networks of a few hundred species fill up
_WORK = 500_000
_PRIME = 2**31 - 1


@dataclass(frozen=True, eq=False)
class ConservedSums:
    """Conserved sums as rows (n_sums, n_floating) of whole numbers.

    The rates of the species that are not `dependent` (n_sums,) say those of all: with the sums in
    place of the others' rates, f = 0 has as many equations as unknowns.
    """

    rows: sparse.csr_array
    dependent: npt.NDArray[np.intp]

    @cached_property
    def independent(self) -> npt.NDArray[np.intp]:
        """The other species, in their order."""
        return np.setdiff1d(np.arange(self.rows.shape[1]), self.dependent)

    def __len__(self) -> int:
        return len(self.dependent)

    def __repr__(self) -> str:
        return f"ConservedSums({len(self)} sums of {self.rows.shape[1]} floating species)"


def conserved_sums(stoichiometry: sparse.csr_array) -> ConservedSums:
    """What a net stoichiometry (n_floating, n_reactions) of rational numbers conserves; a
    ReactionError where that is beyond doubles.

    >>> conserved_sums(sparse.csr_array(np.array([[-1.0], [-1.0], [1.0]]))).rows.toarray()
    array([[1., 0., 1.],
           [0., 1., 1.]])
    """
    n, changes = stoichiometry.shape[0], _changes(stoichiometry)
    solved = _eliminated(changes, _WORK)
    parts = _by_residues(changes, n) if solved is None else _parts(solved, n)
    if parts is None:
        solved = _eliminated(changes, math.inf)
        assert solved is not None
        parts = _parts(solved, n)
    free, rows = list(parts), [_whole(part) for part in parts.values()]
    if sum(map(len, rows)) <= _LEANED_UP_TO:
        rows = _without_negatives(rows)
    most = max((abs(k) for row in rows for k in row.values()), default=0)
    if not is_real(most):
        raise ReactionError(
            "what the reactions conserve counts one species"
            f" 10^{math.floor(math.log10(most))} times another, beyond all doubles; expected fewer"
            " reactions in turn that make several of one, as A => 2 B, B => 2 C"
        )
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


def _parts(solved: dict[int, Row], n: int) -> Parts:
    """The sum of each species that none of the rows is solved for."""
    # a solved species follows from the free ones: each of these is in one sum alone, at first
    parts: Parts = {
        species: {species: Fraction(1)} for species in range(n) if species not in solved
    }
    for species, row in solved.items():
        for other, number in row.items():
            if other != species:
                parts[other][species] = Fraction(-number, row[species])
    return parts


def _eliminated(changes: list[Row], limit: float) -> dict[int, Row] | None:
    """Rows by the species that each is solved for; what else is in a row is solved by none.

    None where that takes more than so many entries in turn.
    """
    uses = Counter(species for row in changes for species in row)
    solved: dict[int, Row] = {}
    work = 0
    for change in changes:
        row = change
        while hit := next((s for s in row if s in solved), -1) + 1:
            row = _combined(row, solved[hit - 1], hit - 1)
            work += len(row)
            if work > limit:
                return None
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
            work += len(row)
            if work > limit:
                return None
        solved[pivot] = row
    return solved


def _by_residues(changes: list[Row], n: int) -> Parts | None:
    """The same where rows fill up: elimination modulo a prime, and what is found is proved.

    Modulo a prime the rank is at most the true one, so there are at least as many sums as in
    truth; if all of them are conserved exactly, these are they. None if one is not.
    """
    matrix = np.zeros((len(changes), n), dtype=np.int64)
    for i, row in enumerate(changes):
        matrix[i, list(row)] = [k % _PRIME for k in row.values()]
    pivots: list[int] = []
    for column in reversed(range(n)):  # of equals the last, as above
        rank = len(pivots)
        below = np.flatnonzero(matrix[rank:, column])
        if not len(below):
            continue
        matrix[[rank, rank + below[0]]] = matrix[[rank + below[0], rank]]
        matrix[rank] = matrix[rank] * pow(int(matrix[rank, column]), -1, _PRIME) % _PRIME
        rows = rank + below[1:]
        rows = rows[matrix[rows, column] != 0]
        # factors below 2^31 leave products below 2^62
        products = matrix[rows, column][:, None] * matrix[rank, : column + 1] % _PRIME
        matrix[rows, : column + 1] = (matrix[rows, : column + 1] - products) % _PRIME
        pivots.append(column)
    parts: Parts = {s: {s: Fraction(1)} for s in range(n) if s not in set(pivots)}
    sums = np.zeros((n, len(parts)), dtype=np.int64)
    sums[list(parts), range(len(parts))] = 1
    for rank in reversed(range(len(pivots))):  # backwards, by what stands before the pivot
        column = pivots[rank]
        products = matrix[rank, :column, None] * sums[:column] % _PRIME
        sums[column] = -products.sum(axis=0) % _PRIME
    for number, part in enumerate(parts.values()):
        for species in set(pivots).intersection(np.flatnonzero(sums[:, number]).tolist()):
            part[species] = _fraction(int(sums[species, number]))
        if any(sum(part.get(s, 0) * k for s, k in row.items()) for row in changes):
            return None
    return parts


def _fraction(residue: int) -> Fraction:
    """The fraction of small numbers that a residue stands for (Wang's reconstruction)."""
    above, rest, factor, next_factor = _PRIME, residue, 0, 1
    while rest * rest * 2 > _PRIME:
        above, (times, rest) = rest, divmod(above, rest)
        factor, next_factor = next_factor, factor - times * next_factor
    return Fraction(rest, next_factor)


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
