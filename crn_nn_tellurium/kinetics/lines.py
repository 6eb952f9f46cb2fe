"""Bounds of a network's fixed point by lines, which remember what units share.

Intervals (`bounds`) forget that two units read the same species, and lose more with every layer.
Lines keep it: from a wanted sum backwards, each unit's species are replaced by what lies above them
and is linear in what the unit reads (`unit_lines`), down to the inputs, which end on their box. The
number that is left exceeds the wanted sum for all inputs and rate constants, by induction; as CROWN
does for neural networks (Zhang et al., NeurIPS 2018). (Proof: docs/theory.md.)

The range of each unit's drive, which its lines need, comes from the same walk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import FloatArray, dense
from crn_nn_tellurium.kinetics.bounds import (
    Bounds,
    Tops,
    drives_of,
    settle_driven,
    tops_between,
    walk_between,
)
from crn_nn_tellurium.kinetics.layer import LayerKinetics
from crn_nn_tellurium.kinetics.network import NetworkKinetics
from crn_nn_tellurium.kinetics.unit_lines import TARGETS, Line, UnitLines
from crn_nn_tellurium.networks import INPUT

_NUMBERS = 10**7
"""Coefficients that are held at a time: 80 MB."""
_EPS = float(np.finfo(float).eps)
_STEPS = 4
"""Times that steps are halved in the search for what a cut is worth."""


def ranked_by(layer: LayerKinetics) -> tuple[FloatArray, bool]:
    """Coefficients (n_species,) of a sum by which the values of a layer's units are ranked.

    The values themselves; but where each value is one follower that a gain of its own makes and
    that one sum over the whole layer removes, the gains: then true is given, and errors e leave
    P_k > P_j certain if (1 - e)^2 times the one gain exceeds (1 + e)^2 times the other.
    """
    terms, values = layer.local.terms, layer.activation.read_coefficients
    (last, *others) = np.flatnonzero(values)[::-1]
    gains = np.zeros_like(values)
    for t in terms.span(int(last)):
        own, pooled = layer.factors(terms, t)
        if terms.number[t] < 0 and pooled and own == [last]:
            continue
        if others or terms.number[t] < 0 or pooled or len(own) != 1 or own[0] == last:
            return values, False
        gains[own[0]] += terms.number[t] * layer.constants.local[terms.constant[t]]
    # a rail has a gain that reads nothing, and ends above
    return (gains, True) if values[last] > 0 and layer.activation.pooled else (values, False)


@dataclass(frozen=True, eq=False)
class Unsettled:
    """What is known of species that are not yet at their fixed point, by layer."""

    # bounds (n, n_units, n_species) of them
    between: list[Bounds]
    # how far the drives of all rails of a unit may be off together, (n, n_units)
    common: list[FloatArray]
    # and those of each species by itself, as in `drives_of`
    change: list[FloatArray]


@dataclass(frozen=True, eq=False)
class Cut:
    """By sample, a unit whose o w + e is above a number, or below it: arrays (n,)."""

    layer: npt.NDArray[np.intp]
    unit: npt.NDArray[np.intp]
    orientation: npt.NDArray[np.intp]
    at: FloatArray
    is_above: npt.NDArray[np.bool_]

    def of(self, rows: Any) -> Cut:
        """That of some samples."""
        return Cut(*(part[rows] for part in vars(self).values()))

    def narrow(self, number: int, ends: tuple[Tops, Tops], spread: FloatArray) -> None:
        """Lower and upper ends of w + e and -w + e of a layer's units, which add up to 2 e."""
        floors, tops = ends
        for side in (0, 1):
            for is_above in (False, True):
                here = (self.layer == number) & (self.orientation == (1, -1)[side])
                rows = np.flatnonzero(here & (self.is_above == is_above))
                at, places = self.at[rows], (rows, self.unit[rows])
                if is_above:
                    floors[side][places] = np.maximum(floors[side][places], at)
                    most = 2 * spread[places] - at
                    tops[1 - side][places] = np.minimum(tops[1 - side][places], most)
                else:
                    tops[side][places] = np.minimum(tops[side][places], at)
                    floors[1 - side][places] = np.maximum(floors[1 - side][places], -at)

    def add(self, number: int, factor: FloatArray, along: dict[int, FloatArray]) -> FloatArray:
        """Add what the cut says of a layer, v - at >= 0 or at - v >= 0, times a factor (n, m) >= 0
        to sums: to their coefficients (n, m, n_units) of v by orientation, and a number (n, m).
        """
        is_here = self.layer == number
        signed = (np.where(self.is_above, 1.0, -1.0) * is_here)[:, None] * factor
        for orientation, by_unit in along.items():
            rows = np.flatnonzero(is_here & (self.orientation == orientation))
            by_unit[rows, :, self.unit[rows]] += signed[rows]
        return -signed * self.at[:, None]


class Lines:
    """Bounds of all species of a network, layer by layer, and of any sum of the last one's."""

    def __init__(
        self,
        kinetics: NetworkKinetics,
        inputs: Bounds,
        rates: FloatArray,
        strict: bool = True,
        cuts: Sequence[Cut] = (),
        unsettled: Unsettled | None = None,
    ) -> None:
        """For bounds (n, n_in, n_rails) of the inputs' species and errors (n,) of the rate
        constants, where all `cuts` hold; `strict` as in `settle_layer`.
        """
        self._cuts, self._unsettled = cuts, unsettled
        self._kinetics, self._inputs, self._strict = kinetics, inputs, strict
        self._rates = rates[:, None]
        # by layer, its lines, and how much its units read: sums (n, n_units) of |W| X
        self._lines: list[UnitLines] = []
        self._read: list[FloatArray] = []
        self.bounds = walk_between(kinetics, inputs, self._settle)

    def _settle(self, number: int, catalysts: Bounds) -> Bounds:
        """Bounds of a layer's species, and lines above them."""
        layer, rates = self._kinetics.layers[number], self._rates
        tops, floors, sizes = tops_between(layer, catalysts, rates)
        # over a box of inputs intervals are the best there is
        if layer.encoding.layer.inputs != (INPUT,):
            up, down, less, least = self._ends(number)
            tops = np.fmin(tops[0], up), np.fmin(tops[1], down)
            floors = np.fmax(floors[0], -less), np.fmax(floors[1], -least)
        for cut in self._cuts:
            cut.narrow(number, (floors, tops), rates * sizes)
        change = None
        if self._unsettled is not None:
            common, change = self._unsettled.common[number], self._unsettled.change[number]
            floors = floors[0] - common, floors[1] - common
            tops = tops[0] + common, tops[1] + common
        species = settle_driven(layer, drives_of(layer, tops, rates, change), rates, self._strict)
        if self._unsettled is not None:
            low, high = self._unsettled.between[number]
            species = np.maximum(species[0], low), np.minimum(species[1], high)
        self._read.append(sizes)
        ends = floors, tops
        self._lines.append(UnitLines(layer, ends, rates * sizes, rates, species, change))
        return species

    def _ends(self, number: int) -> FloatArray:
        """The most (4, n, n_units) that w + e, -w + e, -w - e and w - e of each unit of a layer can
        be.
        """
        layer, n = self._kinetics.layers[number], len(self._rates)
        weights = layer.encoding.weights
        n_units, n_catalysts = weights.shape
        step = max(1, _NUMBERS // (4 * n * self._width(number, n_catalysts)))
        found = []
        for first in range(0, n_units, step):
            part = dense(weights[first : first + step])
            sizes = self._rates[:, :, None] * np.abs(part)
            rows = np.stack([sizes + part, sizes - part, -sizes - part, part - sizes], axis=1)
            m = 4 * len(part)
            totals = self._zeros(n * m, number)
            layer.encoding.scatter(rows.reshape(n * m, n_catalysts), totals)
            found.append(self._most(number, totals).reshape(n, 4, len(part)))
        return np.concatenate(found, axis=-1).swapaxes(0, 1)

    def _width(self, number: int, n_catalysts: int) -> int:
        """The most coefficients that a sum has on the way to the inputs."""
        layers = self._kinetics.layers[:number]
        return max(n_catalysts, *(layer.encoding.n_species for layer in layers))

    @staticmethod
    def samples_at_a_time(kinetics: NetworkKinetics) -> int:
        """How many samples the walks of one object can hold."""
        widest = max(max(layer.encoding.weights.shape) for layer in kinetics.layers)
        return max(1, _NUMBERS // (4 * widest**2))

    def widest(self, sums: FloatArray) -> tuple[Cut, FloatArray]:
        """A cut by sample, and what it may gain (n,): of the unit before the last layer whose lines
        add most to a sum of the outputs' species, coefficients (n, n_out, n_species), at its knee.
        """
        n, number = len(sums), len(self._kinetics.layers)
        totals = self._zeros(n, number)
        totals[self._kinetics.layers[-1].name] += sums
        best, rows = np.zeros(n), np.arange(n)
        chosen = Cut(*(np.zeros(n, dtype=kind) for kind in (int, int, int, float, bool)))

        def weigh(index: int, line: Line, share: FloatArray) -> None:
            if index == number - 1:
                return
            knee, bend = self._lines[index].bend(line)
            gains = np.nan_to_num(share[:, 0] * bend, nan=0.0, posinf=0.0)
            unit = gains.argmax(axis=1)
            better = gains[rows, unit] > best
            best[better] = gains[rows, unit][better]
            chosen.layer[better], chosen.unit[better] = index, unit[better]
            chosen.orientation[better] = line.orientation
            chosen.at[better] = knee[rows, unit][better]

        self._most_by(number, totals, 0, weigh=weigh)
        return chosen, best

    def most(self, sums: FloatArray) -> FloatArray:
        """Upper bounds (n, m) of sums of the outputs' species, coefficients (n, m, n_out,
        n_species).
        """
        number = len(self._kinetics.layers)
        totals = self._zeros(len(sums) * sums.shape[1], number)
        totals[self._kinetics.layers[-1].name] += sums.reshape(-1, *sums.shape[2:])
        return self._most(number, totals)

    def outputs(self) -> Bounds:
        """Bounds (n, n_out) of the outputs, by lines or by intervals, whichever are narrower."""
        activation = self._kinetics.layers[-1].activation
        n, n_out = len(self._rates), self._kinetics.net.n_out
        each = np.eye(n_out)[..., None] * activation.read_coefficients
        both = np.concatenate([each, -each])
        most = self.most(np.broadcast_to(both, (n, *both.shape)))
        low, high = activation.read_between(*self.bounds[-1])
        constant = activation.read_out.constant
        return np.fmax(constant - most[:, n_out:], low), np.fmin(constant + most[:, :n_out], high)

    def _zeros(self, rows: int, number: int) -> dict[str, FloatArray]:
        """No coefficients yet, of the inputs and of the layers before one."""
        zeros = {INPUT: np.zeros((rows, *self._inputs[0].shape[1:]))}
        for layer in self._kinetics.layers[:number]:
            shape = layer.encoding.layer.n_out, len(layer.activation.species)
            zeros[layer.name] = np.zeros((rows, *shape))
        return zeros

    def _most(self, number: int, totals: dict[str, FloatArray]) -> FloatArray:
        """Upper bounds (n, m) of sums over the inputs and the layers before one: the least of those
        by each target.
        """
        best: Any = np.inf
        for target in range(len(TARGETS)):

            def bound(shares: Sequence[FloatArray], target: int = target) -> FloatArray:
                own = {name: total.copy() for name, total in totals.items()}
                found = self._most_by(number, own, target, shares)
                # where something overflowed there is no bound by this target
                return np.where(np.isnan(found), np.inf, found)

            best = np.fmin(best, _least(bound, len(self._cuts) if number else 0))
        return np.asarray(best)

    def _most_by(
        self,
        number: int,
        totals: dict[str, FloatArray],
        target: int,
        shares: Sequence[FloatArray] = (),
        weigh: Callable[[int, Line, FloatArray], None] | None = None,
    ) -> FloatArray:
        """Upper bounds by one target; what each cut says is added `shares` (n, m) of the largest
        coefficient times.
        """
        n = len(self._rates)
        constant: Any = 0.0
        size: Any = 0.0
        for index in reversed(range(number)):
            layer = self._kinetics.layers[index]
            g = totals.pop(layer.name)
            if not g.any():
                continue
            g = g.reshape(n, -1, *g.shape[1:])
            # coefficients of w + e and of -w + e
            along = {1: np.zeros(g.shape[:3]), -1: np.zeros(g.shape[:3])}
            for line, share in self._lines[index].shares(g):
                if weigh:
                    weigh(index, line, share)
                height, slope = line.height[target][:, None], line.slope[target][:, None]
                # a share of 0 of no bound is 0
                part = np.multiply(share, height, where=share > 0, out=np.zeros_like(share))
                constant = constant + part.sum(axis=-1)
                size = size + np.abs(part).sum(axis=-1)
                along[line.orientation] += share * slope
            largest = np.maximum(np.abs(along[1]), np.abs(along[-1])).max(axis=-1)
            for cut, part in zip(self._cuts, shares, strict=False):
                added = cut.add(index, part * largest, along)
                constant, size = constant + added, size + np.abs(added)
            straight, spread = along[1] - along[-1], along[1] + along[-1]
            gross = np.abs(along[1]) + np.abs(along[-1])
            size = size + (gross * 2 * self._read[index][:, None]).sum(axis=-1)
            if self._unsettled is not None:
                off = (gross * self._unsettled.common[index][:, None]).sum(axis=-1)
                constant, size = constant + off, size + off
            self._replace(layer, straight, spread, totals)
        g = totals[INPUT].reshape(n, -1, *totals[INPUT].shape[1:])
        lower, upper = (bound[:, None] for bound in self._inputs)
        constant = constant + (np.maximum(g, 0) * upper + np.minimum(g, 0) * lower).sum((2, 3))
        size = size + (np.abs(g) * np.maximum(np.abs(lower), np.abs(upper))).sum((2, 3))
        return constant + self._rounding(number) * size

    def _replace(
        self,
        layer: LayerKinetics,
        straight: FloatArray,
        spread: FloatArray,
        totals: dict[str, FloatArray],
    ) -> None:
        """Put what a layer reads in the place of w and e, with coefficients (n, m, n_units)."""
        n, m, n_units = straight.shape
        weights = layer.encoding.weights
        by_catalyst = straight.reshape(n * m, n_units) @ weights
        rates = np.repeat(self._rates, m, axis=0)
        by_catalyst = by_catalyst + rates * (spread.reshape(n * m, n_units) @ abs(weights))
        layer.encoding.scatter(np.asarray(by_catalyst), totals)

    def _rounding(self, number: int) -> float:
        """How much sums over the layers before one may be off, relative to their sizes."""
        terms = sum(sum(layer.encoding.weights.shape) for layer in self._kinetics.layers[:number])
        return _EPS * (8 + terms)


def _least(value: Callable[[Sequence[FloatArray]], FloatArray], number: int) -> FloatArray:
    """The least values (n, m) met on a search over a number of shares >= 0 (n, m), each moved by
    itself in steps that are halved (Hooke and Jeeves, J. ACM 1961).
    """
    shares: list[Any] = [np.zeros(1)] * number
    least, step = value(()), 1.0
    for _ in range(_STEPS if number else 0):
        for place in range(number):
            for move in (step, -step):
                tried = [*shares]
                tried[place] = np.maximum(shares[place] + move, 0.0)
                found = value(tried)
                shares[place] = np.where(found < least, tried[place], shares[place])
                least = np.minimum(least, found)
        step /= 2
    return least
