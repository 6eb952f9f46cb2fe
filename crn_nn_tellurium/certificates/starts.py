"""A bound of all trajectories soon after the start, from all starts, infinity included.

A species that is lost with its square comes down from infinity as C / t (docs/theory.md); from such
a bound at a small time, `Envelope` takes over.
"""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.certificates.envelope import Coefficients, Envelope
from crn_nn_tellurium.errors import NotCertified
from crn_nn_tellurium.kinetics import Bounds

EARLY = 1e-4
"""Where the integration starts from unbounded starts, in units of the fastest unit's time."""


def start_anywhere(
    envelope: Envelope, found: Coefficients, initial_max: float
) -> tuple[float, FloatArray]:
    """A time t0 and the state, in the order of `network.floating`, that bounds them all then.

    Species that are lost with their square may start at infinity; others at most at `initial_max`.
    """
    early = _Early(envelope, found, initial_max)
    highest = np.where(envelope.riccati, early.fast / early.time, early.level)
    return early.time, _state(envelope, highest, np.zeros(envelope.n), found)


def start_in(
    envelope: Envelope, found: Coefficients, box: Bounds, either_side: bool = True
) -> FloatArray:
    """The state that bounds all trajectories from a box of starts (n_floating,) at time 0.

    With `either_side`, a copy of a network that is known exactly may start beyond the fixed
    point: less wide.
    """
    lower, upper = found.fixed_point
    # the lower copy drops -f1 f2 of a product of two catalysts: an upper bound for f >= 0 alone
    both = (envelope.terms.others < envelope.n).all(axis=1)
    exact = either_side and np.array_equal(lower, upper) and not both.any()
    return _state(envelope, box[1] / lower, box[0] / upper, found, exact)


def _state(
    envelope: Envelope, high: FloatArray, low: FloatArray, found: Coefficients, exact: bool = False
) -> FloatArray:
    """Errors of the copies for species between `low` and `high`, relative to the fixed point."""
    values: list[float] = []
    for i in range(envelope.n):
        # the part below the true ratio of gain to loss starts there at most, the rest above it
        least, most = envelope.ratio(i, found) if envelope.split[i] else (np.inf, np.inf)
        first, second = min(high[i], most) - 1, 1 - min(low[i], least)
        # unless exact, the copies start on either side of the fixed point
        rest = min(low[i], least)
        values += (
            [first, second, rest] if exact else [max(first, 0.0), max(second, 0.0), min(rest, 1.0)]
        )
        if envelope.split[i]:
            values.append(max(high[i] - least, 0.0))
    return np.array(values)


def needs_cap(envelope: Envelope) -> npt.NDArray[np.bool_]:
    """Which species (n_floating,) must have a cap on their start for a bound over all starts."""
    terms, n = envelope.terms, envelope.n
    capped = ~envelope.riccati
    alone = (terms.number > 0) & ~envelope.riccati[terms.row] & ~envelope.is_paired
    feeds = {int(o) for o in terms.others[alone].ravel() if o < n}
    while feeds:  # what promotes them must be capped too, and what promotes that
        found = feeds.pop()
        capped[found] = True
        gains = (t for t in envelope.terms_of[found] if terms.number[t] > 0)
        feeds |= {o for t in gains for o in envelope.catalysts(t) if not capped[o]}
    return capped


def _order(envelope: Envelope) -> tuple[int, ...]:
    """Species so that each comes after the catalysts that make it."""
    before: dict[int, set[int]] = {i: set() for i in range(envelope.n)}
    gains = envelope.terms.number > 0
    rows, catalysts = (part[gains].tolist() for part in (envelope.terms.row, envelope.terms.others))
    for i, others in zip(rows, catalysts, strict=True):
        before[i].update(o for o in others if o < envelope.n and o != i)
    try:
        return tuple(TopologicalSorter(before).static_order())
    except CycleError as error:
        names = ", ".join(dict.fromkeys(envelope.crn.floating[i] for i in error.args[1]))
        raise NotCertified(
            f"species {names} make one another, so there is no bound over all starts for them; "
            "no certificate is known"
        ) from error


class _Early:
    """Bounds of (1 + excess) up to an early time: ``fast`` / t from infinity, else ``level``.

    ``log_peak`` bounds the log of what starts below the cap, of species with a square.
    """

    def __init__(self, envelope: Envelope, found: Coefficients, initial_max: float) -> None:
        self.envelope, self.found = envelope, found
        self.time = EARLY / float(found.rate.max())
        self.cap = initial_max / found.fixed_point[0]
        self.fast = np.full(envelope.n, np.nan)
        self.level = np.full(envelope.n, np.inf)
        self.log_peak = np.full(envelope.n, np.nan)
        for i in _order(envelope):
            if envelope.riccati[i]:
                self.fast[i] = self._fast(i)
                self.log_peak[i] = self._log_peak(i)
            else:
                self.level[i] = self._level(i)

    def _fast(self, i: int) -> float:
        terms, most = self.envelope.terms, self.found.most
        c, b = self.found.rate[i], self.found.square_above[i]
        # what grows by C v + (s - 1) v / t and is lost by b v^2 stays below (s + C t) / (b t)
        constant = b + np.sqrt(max(c - b, 0.0) * b)
        slope, made = 1.0, 0.0
        for t in self.envelope.terms_of[i]:
            catalyst, *others = self.envelope.catalysts(t)
            if terms.number[t] > 0 and terms.power[t] == 0:
                parts = [self._scaled(o) for o in (catalyst, *others)]
                made += most[t] * float(np.prod(parts)) * self.time ** (2 - len(parts))
            elif terms.number[t] < 0:
                constant += most[t]
            elif self.envelope.riccati[catalyst]:
                slope += most[t] * self.fast[catalyst]
            else:
                constant += most[t] * self.level[catalyst]
        # what catalysts make of it without itself is at most made / t^2 until t0, and D / t stays
        # above it all when b D^2 - (s + C t0) D - made >= 0
        linear = slope + constant * self.time
        return float((linear + np.sqrt(linear**2 + 4 * b * made)) / (2 * b))

    def _scaled(self, i: int) -> float:
        """Bound of t0 times a species, or of t times it if that is unbounded, up to t0."""
        return float(self.fast[i] if self.envelope.riccati[i] else self.level[i] * self.time)

    def _log_peak(self, i: int) -> float:
        """Log of a bound of a species with a square, from below its cap."""
        # above 1, y' <= (c + sum over losses K + sum over gains K X) y
        exponent = self.found.rate[i] * self.time
        for t in self.envelope.terms_of[i]:
            gain = self.envelope.terms.number[t] > 0
            duration = self._integral(self.envelope.catalysts(t)) if gain else self.time
            exponent += self.found.most[t] * duration
        start = max(self.cap[i], 1.0)
        return float(np.log(start) + exponent)

    def _level(self, i: int) -> float:
        """Bound of a species that starts below its cap."""
        envelope, terms, most = self.envelope, self.envelope.terms, self.found.most
        if envelope.split[i]:  # above the ratio it only falls
            return float(max(self.cap[i], envelope.ratio(i, self.found)[1]))
        # y' <= gains without y + (gains with y) y, by their integrals up to the early time
        growth, loop = 0.0, 0.0
        for t in envelope.terms_of[i]:
            if terms.number[t] > 0:
                part = most[t] * self._integral(envelope.catalysts(t))
                if terms.power[t]:
                    loop += part
                else:
                    growth += part
        alone = (terms.row == i) & (terms.number > 0) & (terms.others >= envelope.n).all(axis=1)
        growth += most[alone & (terms.power == 0)].sum() * self.time
        loop += most[alone & (terms.power == 1)].sum() * self.time
        with np.errstate(over="ignore"):
            level = float((self.cap[i] + growth) * np.exp(loop))
        if not np.isfinite(level):
            raise NotCertified(
                f"species {envelope.crn.floating[i]!r} has no bound soon after the start, since"
                " what makes it starts too far off; give initial=(lower, upper), a box of starts,"
                " or a smaller initial_max"
            )
        return level

    def _integral(self, catalysts: list[int]) -> float:
        """Bound of the integral of a product of species, each started below its cap."""
        unbounded = [i for i in catalysts if self.envelope.riccati[i]]
        factor = float(np.prod([self.level[i] for i in catalysts if not self.envelope.riccati[i]]))
        if not unbounded:
            return factor * self.time
        # all but one at the peak; the integral of min(M, C / t) is at most C ln(1 + M t / C) + C
        first, *others = unbounded
        c = self.fast[first]
        with np.errstate(over="ignore"):
            factor *= float(np.prod(np.exp(self.log_peak[others])))
        log_ratio = self.log_peak[first] + np.log(self.time / c)
        return factor * float(c * (1 + np.logaddexp(0.0, log_ratio)))
