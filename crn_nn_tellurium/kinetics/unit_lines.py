"""Lines above sums of a unit's species, by what drives its rails.

With w = sum W X over what a unit reads and e = rates sum |W| X, both linear in X >= 0, the drive of
a rail of sign s is s w + bias, off by at most e + rates |bias|. For a sum T of the unit's species
with coefficients c, and an orientation o of 1 or -1, this finds

    T <= slope v + height,    v = o w + e,    for all v in its range [a, b].

A rail is the root F(u) of c0 + (c1 + u) y + c2 y^2, which rises with its drive u and is convex. So
a rail that counts for T lies below its chord, and one that counts against T above each of its
tangents. Of sums of both kinds, and of followers, the range is cut into cells; in each T is bounded
by a straight piece, and the line is laid above all pieces.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.kinetics.bounds import (
    ROUNDING,
    Bounds,
    Tops,
    extreme_polynomial,
    local_between,
    settle_driven,
)
from crn_nn_tellurium.kinetics.layer import LayerKinetics
from crn_nn_tellurium.kinetics.layer_state import positive_root

TARGETS = (0.5, 0.0, 0.25, 0.75, 1.0)
"""Where lines are to be tight, as shares of the way from a to b: each has a line of its own."""
_CELLS = 64
"""Pieces of a range: a follower's line is off by a part of 1 / 64 of its rise."""
_NARROW = 1e-9
"""Relative widths of ranges below which the ends tell all, and slopes nothing."""


@dataclass(frozen=True, eq=False)
class Line:
    """sum c y <= slope (o w + e) + height, with slopes and heights (n_targets, n, n_units)."""

    coefficients: FloatArray  # (n_species,)
    orientation: int
    slope: FloatArray
    height: FloatArray


class UnitLines:
    """Lines above sums of the species of each unit of a layer."""

    def __init__(
        self,
        layer: LayerKinetics,
        ends: tuple[Tops, Tops],
        spread: FloatArray,
        rates: FloatArray,
        species: Bounds,
        change: FloatArray | None = None,
    ) -> None:
        """Of errors `rates` (n, 1), with lower and upper bounds of w + e and -w + e, upper bounds
        `spread` (n, n_units) of e and bounds of the species.
        """
        self._layer, self._ends, self._spread = layer, ends, spread
        self._rates, self._species = rates, species
        self._change = np.zeros_like(species[0]) if change is None else change
        self._n_rails, n_species = len(layer.activation.rails), len(layer.activation.species)
        self._polynomials = [self._polynomial(rail) for rail in range(self._n_rails)]
        value = layer.activation.read_coefficients
        # what readers of the unit's value add up, and what is left of it
        each = np.eye(n_species)
        sums = [*each, *-each]
        if np.count_nonzero(value) > 1:
            sums = [value, -value, *sums]
        self._lines = [self._above(c) for c in sums]

    def shares(self, g: FloatArray) -> Iterator[tuple[Line, FloatArray]]:
        """Lines and factors >= 0 (n, m, n_units) that add up to coefficients g (n, m, n_units,
        n_species).
        """
        for line in self._lines:
            used = line.coefficients != 0
            # as much of it as leaves no coefficient of the other sign
            share = np.maximum((g[..., used] / line.coefficients[used]).min(axis=-1), 0.0)
            if share.any():
                g = g - share[..., None] * line.coefficients
                yield line, share

    def bend(self, line: Line) -> tuple[FloatArray, FloatArray]:
        """Where (n, n_units) what a line is above is furthest from straight, and by how much."""
        c, orientation = line.coefficients, line.orientation
        a, b = (end[orientation < 0] for end in self._ends)
        if not self._has_pieces(c):
            return a, np.zeros_like(a)
        edges = _edges(a, b)
        left, right = self._pieces(c, orientation, edges)
        middle, value = (edges[1:] + edges[:-1]) / 2, (left + right) / 2
        with np.errstate(all="ignore"):
            along = (middle - middle[0]) / (middle[-1] - middle[0])
            off = np.abs(value - value[0] - along * (value[-1] - value[0]))
        off = np.where(_is_narrow(a, b), 0.0, np.nan_to_num(off, nan=0.0, posinf=0.0))
        place = off.argmax(axis=0)[None]
        knee, bent = (np.take_along_axis(part, place, axis=0)[0] for part in (middle, off))
        return knee, bent

    def _has_pieces(self, c: FloatArray) -> bool:
        """Whether what drives a unit alone says where sum c y is."""
        rails = [self._polynomials[a] for a in np.flatnonzero(c[: self._n_rails])]
        followed = c[self._n_rails :].any()
        return None not in rails and not (followed and self._layer.activation.pooled)

    def _pieces(
        self, c: FloatArray, orientation: int, edges: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Pieces (n_cells, n, n_units) above sum c y, at both ends of each cell."""
        followed = c[self._n_rails :].any()
        return (self._of_followers if followed else self._of_rails)(c, orientation, edges)

    def _above(self, c: FloatArray) -> Line:
        """The line above sum c y, or where there is none, what the species' bounds add up to."""
        most = _most(c, self._species)
        slopes, heights = [np.zeros_like(most)] * len(TARGETS), [most] * len(TARGETS)
        followed = c[self._n_rails :].any()
        if not self._has_pieces(c):
            return Line(c, 1, np.stack(slopes), np.stack(heights))
        orientation = self._orientation(c)
        a, b = (end[orientation < 0] for end in self._ends)
        # an overflow leaves a value that is not below the constant one
        with np.errstate(all="ignore"):
            if followed or (c.min() < 0 < c.max()):
                found = _above_pieces(a, b, *self._pieces(c, orientation, _edges(a, b)))
            elif c.max() > 0:
                found = self._chord(c, orientation, a, b)
            else:
                found = self._tangents(c, orientation, a, b)
            narrow = _is_narrow(a, b)
            for number, (slope, height) in enumerate(found):
                raised = height + ROUNDING * (
                    np.abs(height) + 2 * np.abs(slope) * np.maximum(np.abs(a), np.abs(b))
                )
                target = a + TARGETS[number] * (b - a)
                better = ~narrow & (raised + slope * target < most)
                slopes[number] = np.where(better, slope, 0.0)
                heights[number] = np.where(better, raised, most)
        return Line(c, orientation, np.stack(slopes), np.stack(heights))

    def _orientation(self, c: FloatArray) -> int:
        """Whether sum c y rises with w."""
        if c[self._n_rails :].any():
            low, high = self._layer.activation.concentrations(np.array([-1.0, 1.0])) @ c
            return 1 if high >= low else -1
        signs = [rail.sign for rail in self._layer.activation.rails]
        return 1 if c[: self._n_rails] @ signs >= 0 else -1

    def _polynomial(self, rail: int) -> list[list[Any]] | None:
        """c0, c1 and c2 of a rail, (n, 1) each, the least and the most that errors make of them;
        nothing where other species take part in its reactions.
        """
        parts = self._layer.by_catalysts[rail]
        alone = ((), ())
        if set(parts) - {alone}:
            return None
        terms, constants = self._layer.local.terms, local_between(self._layer, self._rates)
        chosen = parts.get(alone, [])
        return [extreme_polynomial(terms, chosen, constants, up) for up in (False, True)]

    def _drive(self, rail: int, orientation: int, v: FloatArray, up: bool) -> FloatArray:
        """The most or the least drive of a rail where o w + e = v, (n, n_units) and, first, any
        number of cells.
        """
        bias = self._layer.constants.bias[:, rail]
        error = (self._rates + ROUNDING) * np.abs(bias) + self._change[..., rail]
        along = self._layer.activation.rails[rail].sign == orientation
        # o w + e itself at one end, and o w - e, as far below it as 2 e may be, at the other
        other = v if along == up else v - 2 * self._spread
        return (other if along else -other) + bias + (error if up else -error)

    def _root(
        self, rail: int, orientation: int, v: FloatArray, up: bool
    ) -> tuple[FloatArray, FloatArray]:
        """The most or the least of a rail where o w + e = v, and its slope there."""
        polynomials = self._polynomials[rail]
        assert polynomials is not None
        c0, c1, c2 = polynomials[up]
        u = c1 + self._drive(rail, orientation, v, up)
        y = positive_root(c0, u, c2)
        sign = self._layer.activation.rails[rail].sign * orientation
        return y, sign * y / np.sqrt(u * u - 4 * c0 * c2)

    def _chord(
        self, c: FloatArray, orientation: int, a: FloatArray, b: FloatArray
    ) -> Iterable[tuple[FloatArray, FloatArray]]:
        """Rails that all count for the sum are convex together."""
        rails = np.flatnonzero(c)
        low, high = (
            sum(c[r] * self._root(int(r), orientation, end, True)[0] for r in rails)
            for end in (a, b)
        )
        slope = (high - low) / (b - a)
        return [(slope, np.maximum(low - slope * a, high - slope * b))] * len(TARGETS)

    def _tangents(
        self, c: FloatArray, orientation: int, a: FloatArray, b: FloatArray
    ) -> Iterable[tuple[FloatArray, FloatArray]]:
        """Rails that all count against the sum are concave together."""
        for share in TARGETS:
            v = a + share * (b - a)
            slope, height = np.zeros_like(v), np.zeros_like(v)
            for r in np.flatnonzero(c):
                y, steep = self._root(int(r), orientation, v, False)
                slope, height = slope + c[r] * steep, height + c[r] * (y - steep * v)
            yield slope, height

    def _of_rails(
        self, c: FloatArray, orientation: int, edges: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Pieces (n_cells, n, n_units) above a sum of rails, at both ends of each cell."""
        middle, half = (edges[1:] + edges[:-1]) / 2, (edges[1:] - edges[:-1]) / 2
        left, right = np.zeros_like(half), np.zeros_like(half)
        for rail in np.flatnonzero(c):
            r, factor = int(rail), c[rail]
            if factor > 0:
                y, _ = self._root(r, orientation, edges, True)
                left, right = left + factor * y[:-1], right + factor * y[1:]
            else:
                y, slope = self._root(r, orientation, middle, False)
                left, right = (
                    left + factor * (y - slope * half),
                    right + factor * (y + slope * half),
                )
        return left, right

    def _of_followers(
        self, c: FloatArray, orientation: int, edges: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """The same of any sum: level pieces, from bounds of all species in each cell."""
        n_cells, n, n_units = len(edges) - 1, *edges.shape[1:]
        drives = []
        for r, rail in enumerate(self._layer.activation.rails):
            # a rail against the orientation is driven least at a cell's right end
            low, high = (edges[:-1], edges[1:])[:: rail.sign * orientation]
            ends = self._drive(r, orientation, low, False), self._drive(r, orientation, high, True)
            least, most = (end.reshape(n_cells * n, n_units) for end in ends)
            drives.append((least, most))
        for follower in range(self._n_rails, self._change.shape[-1]):
            change = np.tile(self._change[..., follower], (n_cells, 1))
            drives.append((-change, change))
        rates = np.tile(self._rates, (n_cells, 1))
        bounds = settle_driven(self._layer, drives, rates, strict=False)
        top = _most(c, bounds).reshape(n_cells, n, n_units)
        return top, top


def _most(c: FloatArray, bounds: Bounds) -> FloatArray:
    """The most that sum c y is between bounds (..., n_species) of y."""
    lower, upper = (bound[..., c != 0] for bound in bounds)
    used = c[c != 0]
    return np.asarray(np.where(used > 0, used * upper, used * lower).sum(axis=-1))


def _is_narrow(a: FloatArray, b: FloatArray) -> Any:
    """Where the ends tell all: of what inputs that are known drive, to rounding."""
    return b - a <= _NARROW * (np.abs(a) + np.abs(b))


def _edges(a: FloatArray, b: FloatArray) -> FloatArray:
    """The ends (n_cells + 1, n, n_units) of equal cells."""
    return a + np.linspace(0, 1, _CELLS + 1)[:, None, None] * (b - a)


def _above_pieces(
    a: FloatArray, b: FloatArray, left: FloatArray, right: FloatArray
) -> Iterable[tuple[FloatArray, FloatArray]]:
    """For each target, of a few slopes the one whose line above all pieces is lowest there."""
    edges = _edges(a, b)
    chord, steep = (right[-1] - left[0]) / (b - a), (right - left) / (edges[1:] - edges[:-1])
    for share in TARGETS:
        around = min(int(share * _CELLS), _CELLS - 1)
        least, best = np.full_like(a, np.inf), (np.zeros_like(a), np.full_like(a, np.inf))
        for slope in (chord, steep[around]):
            at_ends = np.maximum(left - slope * edges[:-1], right - slope * edges[1:])
            height = at_ends.max(axis=0)
            value = height + slope * (a + share * (b - a))
            lower = value < least
            least = np.where(lower, value, least)
            best = np.where(lower, slope, best[0]), np.where(lower, height, best[1])
        yield best
