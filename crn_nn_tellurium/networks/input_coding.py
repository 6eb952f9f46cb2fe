"""How input values become concentrations, which cannot be negative.

An input, like a unit, has species and an affine read-out (see `activations`):

    nonnegative    x = X                          one species
    signed         x = Xp - Xn                    two rails, Xp = max(x, 0), Xn = max(-x, 0)
    scaled         x = low + (high - low) X       one species, X = (x - low) / (high - low)

The first layer absorbs the read-out into its rate constants. All three are one map: a rail of sign
s holds max(s (x - low) / (high - low), 0), with low = 0 and high = 1 unless inputs are scaled.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import FloatArray, by_name, real_numbers
from crn_nn_tellurium.errors import InputError, NetworkError
from crn_nn_tellurium.networks.activation import ReadOut

_SIGNS = {"nonnegative": {"": 1.0}, "signed": {"p": 1.0, "n": -1.0}, "scaled": {"s": 1.0}}
"""By kind, the suffixes of an input's species and the signs of the values that they hold."""


@dataclass(frozen=True)
class InputCoding:
    """The coding of one network's inputs: `kind`, their names, and of scaled ones their ranges."""

    kind: str
    names: tuple[str, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()

    @property
    def rails(self) -> tuple[str, ...]:
        """Suffixes of an input's species."""
        return tuple(_SIGNS[self.kind])

    @cached_property
    def _signs(self) -> FloatArray:
        return np.array(list(_SIGNS[self.kind].values()))

    @cached_property
    def _low(self) -> FloatArray:
        return np.array(self.low) if self.low else np.zeros(len(self.names))

    @cached_property
    def _width(self) -> FloatArray:
        return np.array(self.high) - self._low if self.high else np.ones(len(self.names))

    def read_out(self, index: int) -> ReadOut:
        """How the species of one input make its value."""
        width, low = float(self._width[index]), float(self._low[index])
        terms = tuple((rail, sign * width) for rail, sign in _SIGNS[self.kind].items())
        return ReadOut(terms, low)

    def largest(self, x: FloatArray | None) -> FloatArray:
        """How large each input (n_in,) becomes, if checked x are as large as any; else infinite."""
        if x is not None and not x.size:
            raise InputError(f"inputs have shape {x.shape}; expected one sample or more")
        # of all inputs alike: one that is zero in all samples need not stay so
        most = math.inf if x is None else float(np.abs(x).max())
        if self.kind != "scaled":
            return np.full(len(self.names), most)
        ends = np.maximum(np.abs(self.low), np.abs(self.high))
        return ends if x is None else np.maximum(ends, most)

    def check(self, x: Any) -> FloatArray:
        """Return input values (..., n_in) as a float array, or say what is wrong with them."""
        # plain arrays and lists have no names; of others the columns may
        if type(x) not in (np.ndarray, list, tuple):
            # inputs without names of their own are taken by position
            numbered = all(name == f"x{i}" for i, name in enumerate(self.names))
            x = by_name("inputs", x, self.names, or_by_place=numbered)
        if type(x) is not np.ndarray or x.dtype != float:
            n = len(self.names)
            expected = f"numbers, shape ({n},) for one sample or (n_samples, {n})"
            x = real_numbers("inputs", x, expected)
        if x.ndim == 0 or x.shape[-1] != len(self.names):
            raise InputError(
                f"inputs have shape {x.shape}; expected ({len(self.names)},) for one sample or"
                f" (n_samples, {len(self.names)}), one column per input"
            )
        # asked once for all, since loops over samples ask each time
        good = np.isfinite(x) if self.kind == "signed" else np.isfinite(x) & (x >= self._low)
        if not np.logical_and.reduce(good, axis=None):
            self._refuse_any(x)
        # values above the range are concentrations above 1, which chemistry does not mind
        return np.ascontiguousarray(x)

    def _refuse_any(self, x: FloatArray) -> None:
        """Say which value is not finite, or below what a concentration can carry."""
        if not np.isfinite(x).all():
            self._refuse(x, ~np.isfinite(x), "expected a finite number")
        below = x < self._low
        expected = (
            "a concentration is not negative; build the network with inputs='signed' (two rails"
            " per input) or inputs='scaled' with input_range=(low, high)"
        )
        if self.kind == "scaled":
            start = self.low[int(np.argwhere(below)[0][-1])]
            wider = "build the network with a wider input_range"
            expected = f"its range starts at {start!r}; {wider}"
        self._refuse(x, below, expected)

    def concentrations(self, x: npt.ArrayLike) -> FloatArray:
        """Concentrations (..., n_in, n_rails) that carry the values x (..., n_in)."""
        return self.code(self.check(x))

    def code(self, x: FloatArray) -> FloatArray:
        """The same for values that `check` has passed."""
        if self.kind == "nonnegative":
            return np.maximum(x, 0.0)[..., None]
        return np.maximum(((x - self._low) / self._width)[..., None] * self._signs, 0.0)

    def code_between(self, lower: FloatArray, upper: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Bounds of the concentrations that carry checked values between bounds."""
        # each is monotone in its value, one of a negative sign falling
        ends = self.code(lower), self.code(upper)
        return np.minimum(*ends), np.maximum(*ends)

    def derivative(self, x: FloatArray) -> FloatArray:
        """d concentrations / d values (..., n_in, n_rails) at checked values x (..., n_in)."""
        # at 0, where a rail bends, the derivative to the right
        active = (x >= self._low)[..., None] == (self._signs > 0)
        return np.where(active, self._signs / self._width[:, None], 0.0)

    def one(self, index: int, value: float) -> FloatArray:
        """Concentrations (n_rails,) that carry one input's value."""
        values = self._low.copy()
        values[index] = value
        return self.concentrations(values)[index]

    def _refuse(self, x: FloatArray, bad: npt.NDArray[np.bool_], reason: str) -> None:
        *sample, index = (int(i) for i in np.argwhere(bad)[0])
        where = f", sample {sample[0]}" if sample else ""
        raise InputError(f"input {self.names[index]!r}{where}: {float(x[bad][0])!r}; {reason}")


def input_coding(kind: str, names: tuple[str, ...], input_range: object) -> InputCoding:
    """Validate a network's `inputs` and `input_range`."""
    if not isinstance(kind, str) or kind not in _SIGNS:
        raise NetworkError(f"inputs is {kind!r}; expected one of {', '.join(map(repr, _SIGNS))}")
    if kind != "scaled":
        if input_range is not None:
            raise NetworkError(f"input_range goes with inputs='scaled'; got inputs={kind!r}")
        return InputCoding(kind, names)
    # an array of one number has no length
    if isinstance(input_range, np.ndarray) and input_range.ndim:
        input_range = input_range.tolist()
    if not isinstance(input_range, Sequence) or len(input_range) != 2:
        raise NetworkError(
            f"input_range is {input_range!r}; expected (low, high), each a number or one number per"
            " input"
        )
    try:
        low, high = (
            np.broadcast_to(real_numbers("input_range", bound), (len(names),))
            for bound in input_range
        )
    except (TypeError, ValueError) as error:
        raise NetworkError(
            f"input_range is {input_range!r}; expected (low, high), each a number or {len(names)}"
            " numbers"
        ) from error
    for name, a, b in zip(names, low.tolist(), high.tolist(), strict=True):
        # the width is a factor of every weight that reads the input
        if not (a < b and np.isfinite(b - a)):
            raise NetworkError(
                f"input {name!r}: its range is ({a!r}, {b!r}); expected finite low < high, and a"
                " finite difference"
            )
    return InputCoding(kind, names, tuple(low.tolist()), tuple(high.tolist()))
