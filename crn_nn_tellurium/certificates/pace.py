"""How fast species may still change, and so how near they are to what they follow.

A species that at some time grows by the part g = y' / y of itself is where its reactions would
settle if, beside them, it were lost at the rate g y: for a rail, exactly, y = sigma_h(u - g). So a
state of the network is a fixed point of the same network with other drives, and what saturates
there hides how far off they are, as it does at rest. Of a rail

    g' = -(h / y + q y) g + u',

since all else cancels: it forgets, at its own rate, and follows no faster than its drive moves. A
follower's y' obeys such an equation too. Two rails with one drive, but for a constant s, part by
d = g_r - g_0, and from this u' has cancelled:

    d' = -(h / y_r + q y_r - g_0) d + (s - 2 h / y_r + 2 h / y_0) g_0.

(Theorems 16 to 18 of docs/theory.md.) All bounds are of what lies in one box of concentrations for
ever; a chain of boxes, each entered at its own time, makes them smaller and smaller.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.certificates.squares import least_rate
from crn_nn_tellurium.chemistry import ReactionNetwork, added, multiplied_by
from crn_nn_tellurium.kinetics import Bounds, Lines, NetworkKinetics, Unsettled

_MOST = 1e100
"""Stands for no bound, so that sums and differences are defined."""


class Pace:
    """Bounds of |y'| / y of each species, from each of some times on (n_times, n_floating).

    For boxes (n_times, n_floating) of concentrations that are not left after each time, bounds of
    the boundary species, and errors `rates` of the rate constants.
    """

    def __init__(
        self,
        kinetics: NetworkKinetics,
        crn: ReactionNetwork,
        time: FloatArray,
        box: Bounds,
        boundary: Bounds,
        rates: float,
    ) -> None:
        self._kinetics, self._crn, self._time, self._box = kinetics, crn, time, box
        self._rates = rates
        inputs = kinetics.net.n_in
        # the boundary species are the inputs', by input
        self._held = tuple(held.reshape(1, inputs, -1) for held in boundary)
        terms = crn.terms
        gains = terms.number > 0
        loops = gains & (terms.power > 0)
        # made without itself, and lost in proportion to itself: the change itself obeys an
        # equation that forgets at once, however little there is of it
        rows = np.arange(terms.n_rows)
        self._absolute = ~np.isin(rows, terms.row[loops | (terms.power == 2)])
        self._own = _Equations.of(crn, box, boundary, rates, self._absolute)
        self._first, self._apart = self._pairs(rates)
        self.change, self.apart = self._follow()

    def settled(self, latest: FloatArray, outputs: Bounds, goal: float) -> FloatArray:
        """Times (n_out,), at most `latest`, from which on the outputs are less than `goal` from
        their fixed point, which is between the bounds `outputs`.
        """
        found = latest.copy()
        first = np.zeros(len(found), dtype=np.intp)
        # the next to last time before `latest` tells whether any does: then the first is looked for
        last = np.searchsorted(self._time, latest) - 1
        middle = last
        while (open_ := first <= last).any():
            chosen, place = np.unique(middle[open_], return_inverse=True)
            low, high = (bound[place, np.flatnonzero(open_)] for bound in self._outputs(chosen))
            off = np.maximum(high - outputs[0][open_], outputs[1][open_] - low)
            near = np.zeros(len(found), dtype=bool)
            near[open_] = off <= goal
            found = np.where(near, self._time[middle], found)
            # where the latest does not serve, none is looked for
            first = np.where(open_ & ~near, np.where(found < latest, middle + 1, last + 1), first)
            last = np.where(near, middle - 1, last)
            middle = (first + last) // 2
        return found

    def _outputs(self, chosen: npt.NDArray[np.intp]) -> Bounds:
        """Bounds (n_chosen, n_out) of the outputs from some of the times on."""
        n = len(chosen)
        low, high = (np.repeat(held, n, axis=0) for held in self._held)
        # what has no bound yet is bounded by its box
        with np.errstate(all="ignore"):
            rates, unsettled = np.full(n, self._rates), self.unsettled(chosen)
            lines = Lines(self._kinetics, (low, high), rates, False, unsettled=unsettled)
            return lines.outputs()

    def _pairs(self, rates: float) -> tuple[npt.NDArray[np.intp], FloatArray]:
        """The first rail of the unit of each rail that shares its drive but for a constant, else
        -1; and the constant.
        """
        terms, n = self._crn.terms, self._crn.terms.n_rows
        first, constant = np.full(n, -1), np.zeros(n)
        # what moves each in proportion to itself by nothing else: biases, and losses of its own
        steady = (terms.power == 1) & (terms.others == terms.one).all(axis=1)
        sizes = terms.number * self._crn.constants[terms.constant]
        drive = terms.total(sizes, steady)
        for number, layer in enumerate(self._kinetics.layers):
            rails, place = layer.activation.rails, self._kinetics.of_layer(np.arange(n), number)
            signs = {rail.sign for rail in rails}
            alone = all(set(layer.by_catalysts[a]) <= {((), ())} for a in range(len(rails)))
            # errors of its own on each weight would leave nothing in common
            if len(signs) == 1 and alone and not rates:
                start = place[:, 0]
                for other in place[:, 1 : len(rails)].T:
                    first[other] = np.where(self._own.equals(start, other), start, -1)
                    constant[other] = drive[start] - drive[other]
        return first, constant

    @np.errstate(divide="ignore", invalid="ignore", over="ignore")
    def _follow(self) -> tuple[FloatArray, FloatArray]:
        """Bounds of the species' changes, and of how far rails' part from their first rail's."""
        low, high = self._box
        own, absolute, steps = self._own, self._absolute, np.diff(self._time)[:, None]
        rate, kept = _forgetting(own.rate[:-1], steps)
        # of each species by itself: y' where that is what forgets, else y' / y; and y' of all
        change, speed = own.direct.copy(), own.most[0]
        for k in range(1, len(change)):
            left = _decay(change[k - 1], own.feeds(k - 1, speed) / rate[k - 1], kept[k - 1])
            # what holds of all trajectories at one time holds from then on
            change[k] = np.minimum(change[k], np.fmin(left, change[k - 1]))
            speed = np.where(absolute, change[k], np.minimum(high[k] * change[k], own.most[k]))
        change = np.minimum(np.where(absolute, change / low, change), _MOST)
        return change, self._parting(change, steps)

    def _parting(self, change: FloatArray, steps: FloatArray) -> FloatArray:
        """Bounds of how far the rails' changes part from their first rail's."""
        low, high = self._box
        rails = np.flatnonzero(self._first >= 0)
        apart = np.full_like(low, _MOST)
        if not len(rails):
            return apart
        own, first = self._own, self._first[rails]
        made = 2 * own.source[:, rails] / np.stack([low[:, rails], high[:, rails]])
        made_first = 2 * own.source[:, first] / np.stack([high[:, first], low[:, first]])
        push = np.abs(self._apart[rails] - made + made_first).max(axis=0)
        g = change[:-1, first]
        rate, kept = _forgetting(own.rate[:-1, rails] - g, steps)
        limit = push[:-1] * g / rate
        found = np.minimum(change[:, rails] + change[:, first], _MOST)
        for k in range(1, len(found)):
            left = _decay(found[k - 1], limit[k - 1], kept[k - 1])
            found[k] = np.minimum(found[k], np.fmin(left, found[k - 1]))
        apart[:, rails] = found
        return apart

    def unsettled(self, chosen: npt.NDArray[np.intp]) -> Unsettled:
        """Where the network is at some of the times, as a fixed point of other drives."""
        between, common, change = [], [], []
        all_of = [values[chosen] for values in (*self._box, self.change, self.apart)]
        for number in range(len(self._kinetics.layers)):
            low, high, own, apart = (self._kinetics.of_layer(part, number) for part in all_of)
            shared = self._kinetics.of_layer(self._first, number) >= 0
            together = np.zeros(own.shape[:2])
            units = shared.any(axis=1)
            together[:, units] = own[:, units, 0]
            own = np.where(shared, apart, own)
            own[:, units, 0] = 0.0
            between.append((low, high))
            common.append(together)
            change.append(own)
        return Unsettled(between, common, change)


@dataclass(frozen=True, eq=False)
class _Equations:
    """What the equations of the changes are made of, (n_times, n_floating) each."""

    # the least rate at which a change is forgotten
    rate: FloatArray
    # the most that the change can be of any state in the box, and |y'| of it
    direct: FloatArray
    most: FloatArray
    # what makes a species without itself and what is lost with its square, at least
    source: FloatArray
    square: FloatArray
    # by factor of a catalysts' product, (n_factors,): the species that it feeds, its own and, by
    # time, (n_times, n_factors), how much
    row: npt.NDArray[np.intp]
    column: npt.NDArray[np.intp]
    factor: FloatArray

    @classmethod
    def of(
        cls,
        crn: ReactionNetwork,
        box: Bounds,
        boundary: Bounds,
        rates: float,
        absolute: npt.NDArray[np.bool_],
    ) -> _Equations:
        """For boxes of the species, as `Pace` takes them."""
        terms, n = crn.terms, crn.terms.n_rows
        low, high = box
        size = np.abs(terms.number) * crn.constants[terms.constant]
        k = size * (1 - rates), size * (1 + rates)
        n_times, gains = len(low), terms.number > 0
        # by row and what catalyses: m c(y), m the catalysts' product and c a polynomial
        table = np.column_stack([terms.row, terms.others])
        groups, which = np.unique(table, axis=0, return_inverse=True)
        which = which.ravel()
        row, others = groups[:, 0], groups[:, 1:]
        catalysts = [
            multiplied_by(np.ones((n_times, len(row))), others, _extended(y, held))
            for y, held in zip(box, boundary, strict=True)
        ]

        def changes(power: npt.NDArray[np.intp]) -> list[FloatArray]:
            """The most that c and -c are, with y to these powers."""
            with np.errstate(divide="ignore", over="ignore"):
                ends = [np.minimum(y[:, terms.row] ** power, _MOST) for y in box]
            ends = [np.minimum(*ends), np.maximum(*ends)]
            found = []
            for ups in (gains, ~gains):
                each = np.where(ups, k[1] * ends[1], -k[0] * ends[0])
                found.append(added(each, which, len(row)))
            return found

        def most(values: list[FloatArray]) -> FloatArray:
            sums = (added(np.maximum(catalysts[0] * c, catalysts[1] * c), row, n) for c in values)
            return np.minimum(np.maximum(*sums), _MOST)

        plain = changes(terms.power)
        relative = changes(terms.power - 1)
        speed, direct = most(plain), most(relative)
        slope = np.where(absolute[row], np.maximum(*plain), np.maximum(*relative))
        least = catalysts[0][:, which] * k[0]
        source = terms.total(least, gains & (terms.power == 0))
        square, loss = (terms.total(least, ~gains & (terms.power == p)) for p in (2, 1))
        rate = np.where(absolute, loss, least_rate(source, square, box))
        # m changes by m / x times the change of each of its factors x
        g, factor = np.nonzero(others < n)
        column = others[g, factor]
        factors = np.minimum(slope[:, g] * catalysts[1][:, g] / high[:, column], _MOST)
        return cls(
            rate, np.where(absolute, speed, direct), speed, source, square, row[g], column, factors
        )

    def feeds(self, k: int, changes: FloatArray) -> FloatArray:
        """What the catalysts' |y'| (n_floating,) add to each species' change from time k on."""
        return added(self.factor[k] * changes[self.column], self.row, len(changes))

    def equals(self, one: npt.NDArray[Any], other: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        """Which rails have the same reactions by themselves."""
        parts = (self.source[0], self.square[0])
        return np.all([part[one] == part[other] for part in parts], axis=0)


def _extended(y: FloatArray, held: FloatArray) -> FloatArray:
    """What factors of terms point to: floating species, boundary species and 1."""
    n_times = len(y)
    return np.column_stack([y, np.broadcast_to(held, (n_times, len(held))), np.ones(n_times)])


def _forgetting(rate: FloatArray, steps: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Rates, no number where nothing need be forgotten, and what is left of 1 after the steps."""
    rate = np.where(rate > 0, rate, np.nan)
    return rate, np.exp(-rate * steps)


def _decay(start: FloatArray, limit: FloatArray, kept: FloatArray) -> FloatArray:
    """A bound of x after a step, with x' <= rate (limit - x), of which that part is left."""
    return limit + np.maximum(start - limit, 0.0) * kept
