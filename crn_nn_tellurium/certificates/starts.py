"""A bound of all trajectories soon after the start, from all starts, infinity included.

A species that is lost with its square comes down from infinity as C / t (docs/theory.md); from such
a bound at a small time, `Envelope` takes over.
"""

from __future__ import annotations

from dataclasses import dataclass
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
    envelope: Envelope, fixed_point: Bounds, coefficients: Coefficients, initial_max: float
) -> tuple[float, FloatArray]:
    """A time t0 and the state, in the order of `network.floating`, that bounds all trajectories
    then.

    Species that are lost with their square may start at infinity; others at most at
    `initial_max`.
    """
    terms, n = envelope.terms, envelope.n
    c, b = coefficients.above, coefficients.square_above
    most, least = coefficients.most, coefficients.least
    time = EARLY / float(c.max())
    bad = (
        (terms.others < n).any(axis=1)
        & (terms.number > 0)
        & (terms.power == 0)
        & envelope.riccati[terms.row]
    )
    if bad.any():
        name = envelope.crn.floating[terms.row[bad][0]]
        raise NotCertified(
            f"species {name!r} is made by a catalyst and lost with its square; a bound over all"
            " starts is not known for this; give initial=(lower, upper), a box of starts"
        )
    cap = initial_max / fixed_point[0]
    early = _Early(
        time, cap, np.full(n, np.nan), np.full(n, np.inf), np.full(n, np.nan), envelope.riccati
    )
    for i in _order(envelope):
        if envelope.riccati[i]:
            constant = b[i] + np.sqrt(max(c[i] - b[i], 0.0) * b[i])
            slope = 1.0
            for t in envelope.terms_of[i]:
                (catalyst,) = envelope.catalysts(t)
                if terms.number[t] < 0:
                    constant += most[t]
                elif envelope.riccati[catalyst]:
                    slope += most[t] * early.fast[catalyst]
                else:
                    constant += most[t] * early.level[catalyst]
            early.fast[i] = (slope + constant * time) / b[i]
            early.log_peak[i] = _log_peak(envelope, i, early, c, most)
        else:
            early.level[i] = _level(envelope, i, early, most, least)
    highest = np.where(envelope.riccati, early.fast / time, early.level)
    return time, _state(envelope, highest, np.zeros(n), most, least)


def start_in(
    envelope: Envelope,
    fixed_point: Bounds,
    coefficients: Coefficients,
    box: Bounds,
    either_side: bool = True,
) -> FloatArray:
    """The state that bounds all trajectories from a box of starts (n_floating,) at time 0.

    With `either_side`, a copy of a network that is known exactly may start beyond the fixed
    point: less wide.
    """
    most, least = coefficients.most, coefficients.least
    # the lower copy drops -f1 f2 of a product of two catalysts, which is an upper bound for f
    # >= 0 alone
    products = (envelope.terms.others < envelope.n).all(axis=1).any()
    exact = either_side and np.array_equal(*fixed_point) and not products
    return _state(envelope, box[1] / fixed_point[0], box[0] / fixed_point[1], most, least, exact)


def _state(
    envelope: Envelope,
    high: FloatArray,
    low: FloatArray,
    most: FloatArray,
    least: FloatArray,
    exact: bool = False,
) -> FloatArray:
    """Errors of the copies for species between `low` and `high`, relative to the fixed point.

    Unless `exact`, the copies start on either side of it.
    """
    values: list[float] = []
    for i in range(envelope.n):
        cap = envelope.ratio(i, most, least) if envelope.split[i] else np.inf
        first, second = min(high[i], cap) - 1, 1 - min(low[i], cap)
        values += [first, second] if exact else [max(first, 0.0), max(second, 0.0)]
        if envelope.split[i]:
            values.append(max(high[i] - cap, 0.0))
    return np.array(values)


def needs_cap(envelope: Envelope) -> npt.NDArray[np.bool_]:
    """Which species (n_floating,) must have a cap on their start for a bound over all starts."""
    terms, n = envelope.terms, envelope.n
    capped = ~envelope.riccati
    feeds = {
        int(o)
        for t in np.flatnonzero(
            (terms.number > 0) & ~envelope.riccati[terms.row] & (envelope._partner < 0)
        )
        for o in terms.others[t]
        if o < n
    }
    while feeds:  # what promotes them must be capped too, and what promotes that
        found = feeds.pop()
        capped[found] = True
        feeds |= {
            o
            for t in envelope.terms_of[found]
            if terms.number[t] > 0
            for o in envelope.catalysts(t)
            if not capped[o]
        }
    return capped


def _level(envelope: Envelope, i: int, early: _Early, most: FloatArray, least: FloatArray) -> float:
    """Bound, until the early time, of a species that starts below its cap."""
    if envelope.split[i]:  # above the ratio it only falls
        return float(max(early.cap[i], envelope.ratio(i, most, least)))
    growth, loop = 0.0, 0.0
    for t in envelope.terms_of[i]:
        if envelope.terms.number[t] > 0:
            part = most[t] * early.integral(envelope.catalysts(t))
            loop, growth = (
                (loop + part, growth) if envelope.terms.power[t] else (loop, growth + part)
            )
    terms = envelope.terms
    alone = (terms.row == i) & (terms.number > 0) & (terms.others >= envelope.n).all(axis=1)
    growth += most[alone & (terms.power == 0)].sum() * early.time
    loop += most[alone & (terms.power == 1)].sum() * early.time
    with np.errstate(over="ignore"):
        level = float((early.cap[i] + growth) * np.exp(loop))
    if not np.isfinite(level):
        raise NotCertified(
            f"species {envelope.crn.floating[i]!r} has no bound soon after the start, since what"
            " makes it starts too far off; give initial=(lower, upper), a box of starts, or a"
            " smaller initial_max"
        )
    return level


def _log_peak(envelope: Envelope, i: int, early: _Early, c: FloatArray, most: FloatArray) -> float:
    """Log of a bound, until the early time, of a species lost with its square that starts below
    its cap.

    Above 1, y' <= (c + sum over losses K + sum over gains K X) y.
    """
    exponent = c[i] * early.time
    for t in envelope.terms_of[i]:
        gain = envelope.terms.number[t] > 0
        exponent += most[t] * (early.integral(envelope.catalysts(t)) if gain else early.time)
    return float(np.log(max(early.cap[i], 1.0)) + exponent)


def _order(envelope: Envelope) -> tuple[int, ...]:
    """Species so that each comes after the catalysts that make it."""
    before: dict[int, set[int]] = {i: set() for i in range(envelope.n)}
    gains = envelope.terms.number > 0
    for i, others in zip(
        envelope.terms.row[gains].tolist(), envelope.terms.others[gains].tolist(), strict=True
    ):
        before[i].update(o for o in others if o < envelope.n and o != i)
    try:
        return tuple(TopologicalSorter(before).static_order())
    except CycleError as error:
        names = ", ".join(dict.fromkeys(envelope.crn.floating[i] for i in error.args[1]))
        raise NotCertified(
            f"species {names} make one another, so there is no bound over all starts for them; "
            "no certificate is known"
        ) from error


@dataclass
class _Early:
    """Bounds of (1 + excess) up to an early time, from all starts.

    C / t with C in ``fast`` where a species may start at infinity, else ``level``; ``cap`` is the
    cap of its start, and ``log_peak`` bounds the log of what starts below it and could start at
    infinity.
    """

    time: float
    cap: FloatArray
    fast: FloatArray
    level: FloatArray
    log_peak: FloatArray
    riccati: npt.NDArray[np.bool_]

    def integral(self, catalysts: list[int]) -> float:
        """Bound of the integral of a product of species, each started below its cap."""
        unbounded = [i for i in catalysts if self.riccati[i]]
        factor = float(np.prod([self.level[i] for i in catalysts if not self.riccati[i]]))
        if not unbounded:
            return factor * self.time
        # all but one at the peak; the integral of min(M, C / t) is at most C ln(1 + M t / C) + C
        first, *others = unbounded
        c = self.fast[first]
        with np.errstate(over="ignore"):
            factor *= float(np.prod(np.exp(self.log_peak[others])))
        return factor * float(
            c * (1 + np.logaddexp(0.0, self.log_peak[first] + np.log(self.time / c)))
        )
