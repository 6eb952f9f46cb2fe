"""Matrices as pictures: what a unit reads of an image, as an image; many of them side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import (
    FloatArray,
    brief,
    is_real,
)
from crn_nn_tellurium.errors import InputError

# Inputs that are a square number, of this side at least, are taken for an image
_SIDE = 6


def image_shape(n: int, shape: Any = None) -> tuple[int, int] | None:
    """Rows and columns of the image that n inputs are, given or guessed; None if they are none."""
    if shape is None:
        side = math.isqrt(n)
        return (side, side) if side >= _SIDE and side * side == n else None
    is_pair = isinstance(shape, Sequence) and len(shape) == 2 and all(map(is_real, shape))
    rows, columns = shape if is_pair else (0, 0)
    if rows * columns != n or not all(size > 0 and size == int(size) for size in (rows, columns)):
        raise InputError(f"image is {brief(shape)}; expected rows and columns of {n} inputs in all")
    return int(rows), int(columns)


def near_square(n: int) -> tuple[int, int]:
    """Rows and columns of a grid for n things, full where one not too long can be."""
    for rows in range(math.isqrt(n), 0, -1):
        if n % rows == 0 and n <= 3 * rows * rows:
            return rows, n // rows
    columns = math.ceil(math.sqrt(n))
    return math.ceil(n / columns), columns


def on_grid(values: npt.ArrayLike, shape: tuple[int, int]) -> FloatArray:
    """Values in rows, what is left of the grid NaN."""
    values = np.ravel(values)
    filled = np.full(shape[0] * shape[1], np.nan)
    filled[: len(values)] = values
    return filled.reshape(shape)


def montage(images: npt.ArrayLike, shape: tuple[int, int]) -> FloatArray:
    """Images (n, rows, columns) on a grid as one, with a line of NaN between them."""
    images = np.asarray(images, dtype=float)
    _, rows, columns = images.shape
    result = np.full((shape[0] * (rows + 1) - 1, shape[1] * (columns + 1) - 1), np.nan)
    for number, image in enumerate(images):
        top, left = (rows + 1) * (number // shape[1]), (columns + 1) * (number % shape[1])
        result[top : top + rows, left : left + columns] = image
    return result
