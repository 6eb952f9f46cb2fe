"""The grid of a scan's points, and boxes of it.

Arrays over a box have one dimension per dimension of the scan, of length 1 where they do not depend
on it: numpy's broadcasting then says what is shared.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Box:
    """A part of the grid: a range of each dimension."""

    start: tuple[int, ...]
    stop: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of points along each dimension."""
        return tuple(b - a for a, b in zip(self.start, self.stop, strict=True))

    @property
    def slices(self) -> tuple[slice, ...]:
        """Where the box is in arrays of the whole grid."""
        return tuple(slice(a, b) for a, b in zip(self.start, self.stop, strict=True))

    def points(self) -> Iterator[tuple[int, ...]]:
        """Positions of its points in the whole grid, in order."""
        return product(*(range(a, b) for a, b in zip(self.start, self.stop, strict=True)))

    def shape_over(self, dims: Iterable[int]) -> tuple[int, ...]:
        """Shape of what depends on some dimensions alone."""
        kept = set(dims)
        return tuple(n if d in kept else 1 for d, n in enumerate(self.shape))

    def indices(self, dims: Iterable[int]) -> dict[int, npt.NDArray[np.intp]]:
        """By dimension, positions in the whole grid (m,) of the m combinations of some dimensions,
        in order.
        """
        kept = sorted(dims)
        ranges = [np.arange(self.start[d], self.stop[d]) for d in kept]
        return {
            d: grid.ravel()
            for d, grid in zip(kept, np.meshgrid(*ranges, indexing="ij"), strict=True)
        }

    def spread(self, few: Iterable[int], many: Iterable[int]) -> npt.NDArray[np.intp]:
        """For each combination of many dimensions, the number of that of a few of them."""
        shape = self.shape_over(few)
        numbers = np.arange(math.prod(shape)).reshape(shape)
        return np.broadcast_to(numbers, self.shape_over(many)).ravel()


def whole(shape: Sequence[int]) -> Box:
    """All of a grid."""
    return Box((0,) * len(shape), tuple(shape))


def boxes(shape: Sequence[int], limit: int, whole: Iterable[int] = ()) -> list[Box]:
    """Cut a grid into boxes of at most `limit` points, or of one combination of the rest with all
    of `whole`.

    What varies fastest is kept together. Which boxes there are depends on these arguments alone.

    Examples
    --------
    >>> [box.shape for box in boxes((2, 5), 4)]
    [(1, 3), (1, 2), (1, 3), (1, 2)]
    """
    sides = [1] * len(shape)
    room = limit
    for d in sorted(whole):
        sides[d] = shape[d]
        room = max(1, room // shape[d])
    for d in reversed([d for d in range(len(shape)) if d not in set(whole)]):
        parts = math.ceil(shape[d] / min(shape[d], room))
        sides[d] = math.ceil(shape[d] / parts)
        room //= sides[d]
        if room < 2:
            break
    return list(_tiles(shape, sides))


def _tiles(shape: Sequence[int], sides: Sequence[int]) -> Iterator[Box]:
    starts = [range(0, n, side) for n, side in zip(shape, sides, strict=True)]
    for start in product(*starts):
        stop = tuple(min(a + side, n) for a, side, n in zip(start, sides, shape, strict=True))
        yield Box(tuple(start), stop)
