"""Intervals: arrays of lower and upper bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import (
    FloatArray,
    labels_of,
    read_only,
    real_numbers,
    some,
)
from crn_nn_tellurium.errors import InputError


@dataclass(frozen=True, eq=False)
class Interval:
    """Values that are known between bounds, a box of inputs or of start concentrations say.

    Parameters
    ----------
    lower, upper : array_like
        Of one shape, or of shapes that broadcast; lower <= upper throughout.

    Raises
    ------
    InputError
        If a bound is not a finite number, or a lower bound lies above its upper one.

    Examples
    --------
    >>> box = Interval([0.0, 0.0], 1.0)
    >>> box
    Interval([0 to 1, 0 to 1])
    >>> box.contains([0.2, 0.9]), box.contains([0.2, 1.1])
    (True, False)
    """

    lower: FloatArray
    upper: FloatArray

    def __post_init__(self) -> None:
        bounds = []
        for name in ("lower", "upper"):
            value: Any = getattr(self, name)
            if labels := labels_of(value):
                raise InputError(
                    f"Interval: {name} has names, {some(labels)}, which an interval does not keep;"
                    " give its numbers in the order of the inputs, .to_numpy() say"
                )
            # a copy: it is marked read-only below
            bounds.append(real_numbers(f"Interval: {name}", value).copy())
            if not np.all(np.isfinite(bounds[-1])):
                raise InputError(f"Interval: {name} is {value!r}; expected finite numbers")
        try:
            # what is broadcast shares its numbers, so each bound is copied once more
            lower, upper = (np.array(bound) for bound in np.broadcast_arrays(*bounds))
        except ValueError as error:
            shapes = " and ".join(str(bound.shape) for bound in bounds)
            raise InputError(
                f"Interval: the bounds have shapes {shapes}; expected one shape"
            ) from error
        if np.any(lower > upper):
            at = tuple(int(i) for i in np.argwhere(lower > upper)[0])
            raise InputError(
                f"Interval: lower bound {float(lower[at])!r} is above upper bound"
                f" {float(upper[at])!r}" + (f" at {at}" if at else "")
            )
        read_only(lower, upper)
        object.__setattr__(self, "lower", lower)
        object.__setattr__(self, "upper", upper)

    @property
    def width(self) -> FloatArray:
        """upper - lower."""
        return self.upper - self.lower

    @property
    def shape(self) -> tuple[int, ...]:
        """Of either bound."""
        return self.lower.shape

    def contains(self, values: npt.ArrayLike) -> bool:
        """Whether all values, of this shape or with leading dimensions before it, lie between the
        bounds.

        Raises
        ------
        InputError
            If values are no numbers, or of another shape.

        Examples
        --------
        >>> import crn_nn_tellurium as cn
        >>> cn.Interval([0.0, 0.0], [1.0, 1.0]).contains([0.5, 2.0])
        False
        """
        values, own = real_numbers("values", values), self.shape
        # bounds of one sample, (1, n), hold for each of many
        while len(own) > 1 and own[0] == 1:
            own = own[1:]
        if own and values.shape[-len(own) :] != own:
            raise InputError(
                f"values have shape {values.shape}; expected {self.shape}, or (n, ...) before it"
            )
        return bool(np.all((self.lower <= values) & (values <= self.upper)))

    def __mul__(self, factor: float) -> Interval:
        """Both bounds times a number >= 0."""
        return Interval(self.lower * factor, self.upper * factor)

    def __truediv__(self, factor: float) -> Interval:
        return Interval(self.lower / factor, self.upper / factor)

    def __getitem__(self, key: Any) -> Interval:
        return Interval(self.lower[key], self.upper[key])

    def __repr__(self) -> str:
        if self.lower.ndim > 1 or self.lower.size > 6:
            widths = self.width
            shown = f", widths {widths.min():.3g} to {widths.max():.3g}" if widths.size else ""
            return f"Interval({' x '.join(map(str, self.shape))}{shown})"
        parts = [
            f"{a:.6g} to {b:.6g}" for a, b in zip(self.lower.flat, self.upper.flat, strict=True)
        ]
        return f"Interval([{', '.join(parts)}])" if self.lower.ndim else f"Interval({parts[0]})"
