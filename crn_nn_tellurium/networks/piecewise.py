"""The built-in activations that are lines between knees, each knee smoothed.

Their values, slopes and derivatives by h are closed forms in which nothing cancels (`smoothing`);
sums over the rails lose digits where a unit is saturated.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import FloatArray, is_real
from crn_nn_tellurium.networks.activation import PAIR, Activation, Rail, ReadOut
from crn_nn_tellurium.networks.smoothing import (
    smoothed_pieces,
    smoothed_pieces_by_h,
    smoothed_pieces_derivative,
)

Pieces = tuple[tuple[float, ...], tuple[float, ...], float]
"""Knots of gain z, one slope more than knots, the value at the first knot."""


class _Pieces(Activation):
    """An activation of lines between knots, which it names."""

    @property
    def _pieces(self) -> Pieces:
        raise NotImplementedError

    def __call__(self, z: npt.ArrayLike) -> FloatArray:
        """Closed form of the value."""
        return smoothed_pieces(self._scaled(z), *self._pieces, self.h)

    def derivative(self, z: npt.ArrayLike) -> FloatArray:
        """d value / dz, same shape as z."""
        knots, slopes, _ = self._pieces
        return self.gain * smoothed_pieces_derivative(self._scaled(z), knots, slopes, self.h)

    def h_derivative(self, z: npt.ArrayLike) -> FloatArray:
        """d value / dh at constant z, same shape as z."""
        knots, slopes, _ = self._pieces
        return smoothed_pieces_by_h(self._scaled(z), knots, slopes, self.h)

    def _scaled(self, z: npt.ArrayLike) -> FloatArray:
        return self.gain * np.asarray(z, dtype=float)


@dataclass(frozen=True)
class LeakyReLU(_Pieces):
    """sigma_h(z) - slope * sigma_h(-z), near z for z > 0 and slope * z for z < 0.

    Parameters
    ----------
    slope : float
        Slope at negative pre-activations, finite.
    h : float
        Smoothing, > 0.

    Examples
    --------
    >>> LeakyReLU(0.1, h=1e-9)([-2.0, 3.0]).round(6)
    array([-0.2,  3. ])
    """

    slope: float = 0.01
    rails = PAIR

    # the slope first, as everyone else's leaky ReLU has it; fields would put h of the base before
    def __init__(self, slope: float = 0.01, h: float = 0.01) -> None:
        object.__setattr__(self, "slope", slope)
        object.__setattr__(self, "h", h)
        self.__post_init__()

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_finite("slope")

    @property
    def read_out(self) -> ReadOut:
        """Yp - slope * Yn."""
        return ReadOut((("Yp", 1.0), ("Yn", -self.slope)))

    @property
    def _pieces(self) -> Pieces:
        return (0.0,), (self.slope, 1.0), 0.0


@dataclass(frozen=True)
class ClippedReLU(_Pieces):
    """sigma_h(z) - sigma_h(z - ceiling), near min(max(z, 0), ceiling).

    Examples
    --------
    >>> ClippedReLU(h=1e-9)([-2.0, 0.5, 3.0]).round(6)
    array([0. , 0.5, 1. ])
    """

    ceiling: float = 1.0
    read_out = ReadOut((("Yl", 1.0), ("Yu", -1.0)))

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_positive("ceiling")

    @property
    def rails(self) -> tuple[Rail, ...]:
        """One species for the lower knee, one for the upper."""
        return (Rail("Yl"), Rail("Yu", 1, -self.ceiling))

    @property
    def _pieces(self) -> Pieces:
        return (0.0, self.ceiling), (0.0, 1.0, 0.0), 0.0

    def rescaled(self, factor: float) -> tuple[Activation, float] | None:
        """The same with its ceiling `factor` times as high."""
        other = dataclasses.replace(self, h=self._times(factor), ceiling=self.ceiling * factor)
        return other, float(factor)


def _of_two(values: FloatArray) -> FloatArray:
    """1 - p and p (..., 2) of values (..., 1), which knees may take a little beyond 0 and 1."""
    p = np.clip(values, 0.0, 1.0)
    return np.concatenate([1 - p, p], axis=-1)


@dataclass(frozen=True)
class HardSigmoid(_Pieces):
    """sigma_h(u) - sigma_h(u - 1) with u = slope * z + offset, near min(max(u, 0), 1).

    PyTorch's hard sigmoid has slope 1/6 and offset 1/2, Keras' of old 0.2 and 0.5. Its knees stay
    where they are, so it cannot be `rescaled`; ClippedReLU(ceiling=1) with slope and offset in
    weights and bias is the same and can.

    Examples
    --------
    >>> HardSigmoid(h=1e-9, slope=1 / 6, offset=0.5)([-4.0, 0.0, 4.0]).round(6)
    array([0. , 0.5, 1. ])
    """

    slope: float = 1.0
    offset: float = 0.0
    read_out = ReadOut((("Yl", 1.0), ("Yu", -1.0)))

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_positive("slope")
        self._check_finite("offset")

    @property
    def gain(self) -> float:
        """The slope, folded into the weights."""
        return self.slope

    @property
    def rails(self) -> tuple[Rail, ...]:
        """One species for the lower knee, one for the upper."""
        return (Rail("Yl", 1, self.offset), Rail("Yu", 1, self.offset - 1.0))

    @property
    def _pieces(self) -> Pieces:
        return (-self.offset, 1.0 - self.offset), (0.0, 1.0, 0.0), 0.0

    def probabilities(self, values: FloatArray) -> FloatArray | None:
        """1 - p and p of a single unit, kept between 0 and 1."""
        return _of_two(values) if values.shape[-1] == 1 else None


@dataclass(frozen=True)
class PiecewiseLinear(_Pieces):
    """A continuous piecewise linear function with its knees smoothed:

    f(z) = offset - s_0 sigma_h(t_1 - z) + s_1 sigma_h(z - t_1) + sum_k (s_k - s_{k-1})
    sigma_h(z - t_k), k = 2 ...: offset at the first knot t_1, slope s_k to the right of knot t_k.

    Parameters
    ----------
    knots : tuple of float
        t_1 < t_2 < ..., at least one.
    slopes : tuple of float
        One more than knots: left of the first one, between them, right of the last one.
    offset : float
        The value at the first knot.
    h : float
        Smoothing of every knee, > 0. A value is off by at most sqrt(h) times the changes of slope
        that have one sign.

    Raises
    ------
    NetworkError
        If knots do not rise, or there is not one slope more than knots.

    Examples
    --------
    Hard tanh:

    >>> PiecewiseLinear((-1.0, 1.0), (0.0, 1.0, 0.0), offset=-1.0, h=1e-9)([-2, 0.5, 3]).round(3)
    array([-1. ,  0.5,  1. ])
    """

    knots: tuple[float, ...] = (0.0,)
    slopes: tuple[float, ...] = (0.0, 1.0)
    offset: float = 0.0

    # knots first, as with LeakyReLU's slope
    def __init__(
        self,
        knots: Sequence[float] | FloatArray = (0.0,),
        slopes: Sequence[float] | FloatArray = (0.0, 1.0),
        offset: float = 0.0,
        h: float = 0.01,
    ) -> None:
        for field, value in (("knots", knots), ("slopes", slopes)):
            if not isinstance(value, Sequence | np.ndarray) or not all(map(is_real, value)):
                raise self._error(f"{field} are {value!r}; expected a row of numbers")
            object.__setattr__(self, field, tuple(map(float, value)))
        object.__setattr__(self, "offset", offset)
        object.__setattr__(self, "h", h)
        self.__post_init__()

    def __post_init__(self) -> None:
        if not np.isfinite([*self.knots, *self.slopes]).all():
            raise self._error(
                f"knots are {self.knots} and slopes {self.slopes}; expected finite numbers"
            )
        if not self.knots or len(self.slopes) != len(self.knots) + 1:
            raise self._error(
                f"{len(self.knots)} knots and {len(self.slopes)} slopes; expected at least one knot"
                " and one slope more than knots"
            )
        if any(a >= b for a, b in itertools.pairwise(self.knots)):
            raise self._error(f"knots are {self.knots}; expected each above the one before")
        super().__post_init__()
        self._check_finite("offset")

    def __str__(self) -> str:
        # dozens of numbers are too many for tables and the reprs of layers
        if len(self.knots) <= 3:
            return repr(self)
        first, last = self.knots[0], self.knots[-1]
        return f"PiecewiseLinear({len(self.knots)} knots, {first:.3g} to {last:.3g}, h={self.h!r})"

    @cached_property
    def _knees(self) -> tuple[tuple[Rail, float], ...]:
        """Each rail with its coefficient: one a knot, and one that looks left from the first."""
        first, last = self.knots[0], self.slopes[1:]
        changes = np.diff(last, prepend=0.0).tolist()
        found = [
            (Rail(f"Y{_letters(k)}", 1, -knot), change)
            for k, (knot, change) in enumerate(zip(self.knots, changes, strict=True))
        ]
        if self.slopes[0]:
            found.append((Rail("Yleft", -1, first), -self.slopes[0]))
        kept = tuple(knee for knee in found if knee[1])
        # a constant function has no knee; a unit has a species all the same
        return kept or (found[0],)

    @property
    def rails(self) -> tuple[Rail, ...]:
        """One species for each knot where the slope changes."""
        return tuple(rail for rail, _ in self._knees)

    @property
    def read_out(self) -> ReadOut:
        """The offset and each species times the change of slope at its knot."""
        return ReadOut(tuple((rail.name, change) for rail, change in self._knees), self.offset)

    @property
    def _pieces(self) -> Pieces:
        return self.knots, self.slopes, self.offset

    def probabilities(self, values: FloatArray) -> FloatArray | None:
        """1 - p and p of a single unit whose function runs from 0 to 1, kept between these."""
        rise = float(np.dot(self.slopes[1:-1], np.diff(self.knots)))
        is_step = not self.slopes[0] and not self.slopes[-1] and not self.offset
        # the sum of pieces is rounded
        if values.shape[-1] != 1 or not is_step or abs(rise - 1.0) > 1e-9:
            return None
        return _of_two(values)

    def rescaled(self, factor: float) -> tuple[Activation, float] | None:
        """The same with knots and offset `factor` times as large."""
        h = self._times(factor)
        knots = tuple(factor * knot for knot in self.knots)
        other = PiecewiseLinear(knots, self.slopes, factor * self.offset, h)
        return other, float(factor)


def _letters(number: int) -> str:
    """a, b, ... z, ba, bb, ...: a name of letters alone."""
    head, last = divmod(number, 26)
    return (_letters(head) if head else "") + chr(ord("a") + last)
