"""How input values become concentrations, which cannot be negative.

An input, like a unit, has species and an affine read-out (see `activations`):

    nonnegative    x = X                          one species
    signed         x = Xp - Xn                    two rails, Xp = max(x, 0), Xn = max(-x, 0)
    scaled         x = low + (high - low) X       one species, X = (x - low) / (high - low)

The first layer absorbs the read-out into its rate constants.
"""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.errors import InputError, NetworkError
from crn_nn_tellurium.networks.activation import ReadOut

KINDS = ("nonnegative", "signed", "scaled")


@dataclass(frozen=True)
class InputCoding:
    """The coding of one network's inputs.

    Parameters
    ----------
    kind : {"nonnegative", "signed", "scaled"}
    names : tuple of str
        The inputs' names.
    low, high : tuple of float
        The range of each input; only for ``"scaled"``.
    """

    kind: str
    names: tuple[str, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()

    @property
    def rails(self) -> tuple[str, ...]:
        """Suffixes of an input's species."""
        return {"nonnegative": ("",), "signed": ("p", "n"), "scaled": ("s",)}[self.kind]

    def read_out(self, index: int) -> ReadOut:
        """How the species of one input make its value."""
        if self.kind == "nonnegative":
            return ReadOut((("", 1.0),))
        if self.kind == "signed":
            return ReadOut((("p", 1.0), ("n", -1.0)))
        return ReadOut((("s", self.high[index] - self.low[index]),), self.low[index])

    def check(self, x: Any) -> FloatArray:
        """Return input values as a float array, or say what is wrong with them.

        Parameters
        ----------
        x : (..., n_in) array_like

        Raises
        ------
        InputError
            If the shape is wrong or a value is not finite or cannot be coded.
        """
        if hasattr(x, "columns") and set(self.names) <= set(x.columns):
            x = x[list(self.names)]  # a data frame: by name, in any order
        try:
            x = np.asarray(x)
            if np.iscomplexobj(x):
                raise TypeError("complex numbers")
            x = x.astype(float, copy=False)
        except (TypeError, ValueError) as error:
            raise InputError(
                f"inputs are {reprlib.repr(x)}; expected numbers, shape (n_samples,"
                f" {len(self.names)})"
            ) from error
        if x.ndim == 0 or x.shape[-1] != len(self.names):
            raise InputError(
                f"inputs have shape {x.shape}; expected (n_samples, {len(self.names)}), one column"
                " per input"
            )
        if not np.all(np.isfinite(x)):
            self._refuse(x, ~np.isfinite(x), "expected a finite number")
        if self.kind == "nonnegative" and np.any(x < 0):
            self._refuse(
                x,
                x < 0,
                "a concentration is not negative; build the network with inputs='signed' (two rails"
                " per input) or inputs='scaled' with input_range=(low, high)",
            )
        if self.kind == "scaled" and np.any(x < np.asarray(self.low)):
            below = x < np.asarray(self.low)
            index = int(np.argwhere(below)[0][-1])
            self._refuse(
                x,
                below,
                f"its range starts at {self.low[index]!r}; build the network with a wider"
                " input_range",
            )
        return np.ascontiguousarray(x)

    def concentrations(self, x: npt.ArrayLike) -> FloatArray:
        """Concentrations (..., n_in, n_rails) that carry the values x (..., n_in)."""
        return self.code(self.check(x))

    def code(self, x: FloatArray) -> FloatArray:
        """The same for values that `check` has passed."""
        if self.kind == "nonnegative":
            return x[..., None]
        if self.kind == "signed":
            return np.stack([np.maximum(x, 0), np.maximum(-x, 0)], axis=-1)
        low, high = np.array(self.low), np.array(self.high)
        return ((x - low) / (high - low))[..., None]

    def code_between(self, lower: FloatArray, upper: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Bounds of the concentrations that carry checked values between bounds; each is monotone
        in its value.
        """
        ends = self.code(lower), self.code(upper)
        return np.minimum(*ends), np.maximum(*ends)

    def derivative(self, x: FloatArray) -> FloatArray:
        """d concentrations / d values (..., n_in, n_rails) at checked values x (..., n_in)."""
        if self.kind == "nonnegative":
            return np.ones((*x.shape, 1))
        if self.kind == "signed":
            return np.stack([np.where(x >= 0, 1.0, 0.0), np.where(x >= 0, 0.0, -1.0)], axis=-1)
        return np.broadcast_to(1 / (np.array(self.high) - np.array(self.low)), x.shape)[..., None]

    def one(self, index: int, value: float) -> FloatArray:
        """Concentrations (n_rails,) that carry one input's value."""
        values = np.array(self.low) if self.kind == "scaled" else np.zeros(len(self.names))
        values[index] = value
        return self.concentrations(values)[index]

    def _refuse(self, x: FloatArray, bad: npt.NDArray[np.bool_], reason: str) -> None:
        *sample, index = (int(i) for i in np.argwhere(bad)[0])
        where = f", sample {sample[0]}" if sample else ""
        raise InputError(f"input {self.names[index]!r}{where}: {float(x[bad][0])!r}; {reason}")


def input_coding(kind: str, names: tuple[str, ...], input_range: object) -> InputCoding:
    """Validate a network's `inputs` and `input_range`.

    Raises
    ------
    NetworkError
        If the kind is unknown, or the range is missing, superfluous, of the wrong shape or empty.
    """
    if kind not in KINDS:
        raise NetworkError(f"inputs is {kind!r}; expected one of {', '.join(map(repr, KINDS))}")
    if kind != "scaled":
        if input_range is not None:
            raise NetworkError(f"input_range goes with inputs='scaled'; got inputs={kind!r}")
        return InputCoding(kind, names)
    if (
        input_range is None
        or not isinstance(input_range, Sequence | np.ndarray)
        or len(input_range) != 2
    ):
        raise NetworkError(
            f"input_range is {input_range!r}; expected (low, high), each a number or one number per"
            " input"
        )
    try:
        low, high = (
            np.broadcast_to(np.asarray(bound, dtype=float), (len(names),)) for bound in input_range
        )
    except (TypeError, ValueError) as error:
        raise NetworkError(
            f"input_range is {input_range!r}; expected (low, high), each a number or {len(names)}"
            " numbers"
        ) from error
    for name, a, b in zip(names, low.tolist(), high.tolist(), strict=True):
        if not (np.isfinite(a) and np.isfinite(b) and a < b):
            raise NetworkError(
                f"input {name!r}: its range is ({a!r}, {b!r}); expected finite low < high"
            )
    return InputCoding(kind, names, tuple(low.tolist()), tuple(high.tolist()))
