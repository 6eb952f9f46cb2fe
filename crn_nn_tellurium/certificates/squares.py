"""How fast a species that is lost with its square comes back to its fixed point by itself.

For y' = s + u y - q y^2, with s, q and the drive u between bounds and the fixed point y* between
its own, least values of

    S = s / y*,    B = q y*,    c = S + B = sqrt(u^2 + 4 s q),

where B is half of c and u, and S half of c and -u. Each is taken as it is, or as made of y*
between its bounds, whichever is more (docs/theory.md, theorem 8).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.chemistry import Terms
from crn_nn_tellurium.kinetics import ROUNDING, Bounds


def least_rate(source: FloatArray, square: FloatArray, between: Bounds) -> FloatArray:
    """The least of source / y + square y over y between bounds: where the two are equal, or at an
    end.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        best = np.where(square > 0, np.sqrt(source / square), np.inf)
    best = np.clip(best, *between)
    return source / best + square * best


@dataclass(frozen=True, eq=False)
class Squares:
    """Least c and B of each species, (n_floating,), and S and B of its lower copy."""

    rate: FloatArray
    above: FloatArray
    free_below: FloatArray
    below: FloatArray

    @classmethod
    def of(
        cls,
        terms: Terms,
        size: Bounds,
        fixed_point: Bounds,
        alone: npt.NDArray[np.bool_],
        known: bool,
    ) -> Squares:
        """From bounds of each term but for y itself (n_terms,), which nothing catalyses, and
        whether all bounds are numbers.
        """
        low, high = size
        lower, upper = fixed_point
        gains = terms.number > 0
        made = gains & (terms.power == 0)
        square = terms.total(low, terms.power == 2)

        def slowest(chosen: npt.NDArray[np.bool_]) -> tuple[FloatArray, FloatArray]:
            # and what is left of it without the square
            source = terms.total(low, chosen)
            return least_rate(source, square, fixed_point), source / upper

        up, down = ((terms.power == 1) & side for side in (gains, ~gains))
        rounding = ROUNDING * (terms.total(high, up) + terms.total(high, down))
        least_u = terms.total(low, up) - terms.total(high, down) - rounding
        most_u = terms.total(high, up) - terms.total(low, down) + rounding
        c, s = slowest(made)
        product = terms.total(low, made) * square
        c = np.maximum(c, np.hypot(np.clip(0.0, least_u, most_u), 2 * np.sqrt(product)))
        b = np.maximum(square * lower, _half(least_u, product))
        s = np.maximum(s, _half(-most_u, product))
        # what catalysts make is no part of c and S of the lower copy
        c_below, s_below = slowest(made & alone)
        helped = terms.total(np.ones_like(low), made & ~alone) > 0
        c_below = np.where(helped, np.maximum(c_below, s_below + b), c)
        s_below = np.where(helped, s_below, s)
        # of one network c - S is B, whose digits the difference would lose
        b_below = b if known else np.maximum(c_below - s_below, b)
        return cls(c, b, s_below, b_below)


def _half(u: FloatArray, product: FloatArray) -> FloatArray:
    """(u + sqrt(u^2 + 4 product)) / 2, without cancellation; 0 without a product."""
    root = np.hypot(u, 2 * np.sqrt(product))
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.where(u > 0, (u + root) / 2, 2 * product / (root - u))
    return np.where(product > 0, found, 0.0)
