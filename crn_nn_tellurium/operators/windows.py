"""Convolutions and pools as sparse matrices: which elements each place of the result reads.

Both move a window over the last axes of an array. With the places of all elements in an array of
the same shape, negative outside, the windows of that array say what is read; a convolution puts its
kernel's numbers there, a mean one number, and a maximum compares.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import sparse

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.operators.tensors import check_many

Ints = tuple[int, ...]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Window:
    """A window over the last axes: one number an axis each.

    ``before`` and ``after`` are how far the array is continued at its ends.
    """

    size: Ints
    stride: Ints
    dilation: Ints
    before: Ints
    after: Ints

    @classmethod
    def of(
        cls,
        size: Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] = 0,
        dilation: int | Sequence[int] = 1,
    ) -> Window:
        """One number for all axes, or one each; as much padding before as after."""
        n = len(size)

        def each(value: int | Sequence[int]) -> Ints:
            numbers = (value,) if isinstance(value, int) else tuple(value)
            return numbers * n if len(numbers) == 1 else numbers

        around = each(padding)
        return cls(tuple(size), each(stride), each(dilation), around, around)

    @classmethod
    def same(
        cls, size: Ints, stride: Ints, dilation: Ints, axes: Ints, odd_before: bool = False
    ) -> Window:
        """Padded for as many positions as strides fit into `axes`."""
        lengths = zip(axes, stride, dilation, size, strict=True)
        total = [max((-(-m // s) - 1) * s + d * (k - 1) + 1 - m, 0) for m, s, d, k in lengths]
        return cls(size, stride, dilation, *halves(total, odd_before))

    def slid(self, places: Places, rounds_up: bool = False) -> Places:
        """What the window holds at each of its positions: (*kept, *positions, *size) for places of
        shape (*kept, *axes); -2 in the padding.

        With `rounds_up`, a last window may hang over the end, if it begins within the array or the
        padding before it, as frameworks have it for pools; -1 there.
        """
        n = len(self.size)
        axes = places.shape[-n:]
        lengths = [d * (k - 1) + 1 for d, k in zip(self.dilation, self.size, strict=True)]
        beyond = [0] * n
        if rounds_up:
            for i, (length, stride) in enumerate(zip(lengths, self.stride, strict=True)):
                room = axes[i] + self.before[i] + self.after[i] - length
                steps = -(-room // stride)
                if steps * stride >= axes[i] + self.before[i]:
                    steps -= 1
                beyond[i] = max(0, steps * stride - room)
        kept = [(0, 0)] * (places.ndim - n)
        around = [*kept, *zip(self.before, self.after, strict=True)]
        grown = zip(axes, self.before, self.after, beyond, strict=True)
        check_many(math.prod(map(sum, grown)) * math.prod(places.shape[:-n]))
        padded = np.pad(places, around, constant_values=-2)
        padded = np.pad(padded, [*kept, *((0, more) for more in beyond)], constant_values=-1)
        if any(a < b for a, b in zip(padded.shape[-n:], lengths, strict=True)):
            raise ValueError(f"a window of {tuple(lengths)} does not fit into {padded.shape[-n:]}")
        slid = np.lib.stride_tricks.sliding_window_view(padded, lengths, axis=tuple(range(-n, 0)))
        steps = [slice(None, None, step) for step in (*self.stride, *self.dilation)]
        read = (..., *steps)
        windows = slid[read]
        check_many(windows.size)  # which are one array in memory so far
        return windows


def convolution(
    kernel: FloatArray, places: Places, window: Window, groups: int = 1
) -> tuple[sparse.csr_array, Ints]:
    """The matrix of a convolution, and the shape of its result.

    `kernel` is (n_out, n_in / groups, *size), `places` those of an array (*kept, n_in, *axes).
    """
    n = len(window.size)
    n_out, n_read = kernel.shape[:2]
    if places.ndim <= n or places.shape[-n - 1] != n_read * groups:
        raise ValueError(
            f"an array of shape {places.shape} has not {n_read * groups} channels before its last"
            f" {n} axes, as a kernel of shape {kernel.shape} in {groups} group(s) expects"
        )
    # (*kept, channels, *positions, *size) to (kept, groups, channels of a group, positions, size)
    slid = window.slid(places)
    kept, positions = slid.shape[: -2 * n - 1], slid.shape[-2 * n : -n]
    n_kept, n_positions = math.prod(kept), math.prod(positions)
    read = slid.reshape(n_kept, groups, n_read, n_positions, -1)
    filters = kernel.reshape(groups, n_out // groups, n_read, -1)
    # one entry for each of (kept, groups, filters, positions, channels, size)
    columns = read.transpose(0, 1, 3, 2, 4)[:, :, None]
    values = filters[None, :, :, None]
    columns, values = np.broadcast_arrays(columns, values)
    check_many(columns.size)
    n_rows = n_kept * n_out * n_positions
    rows = np.repeat(np.arange(n_rows), n_read * math.prod(window.size))
    inside = (columns.ravel() >= 0) & (values.ravel() != 0)
    entries = (values.ravel()[inside], (rows[inside], columns.ravel()[inside]))
    n_columns = int(places.max(initial=-1)) + 1
    matrix = sparse.csr_array(entries, shape=(n_rows, n_columns))
    return matrix, (*kept, n_out, *positions)


def transposed_convolution(
    kernel: FloatArray, places: Places, window: Window, beyond: Ints, groups: int = 1
) -> tuple[sparse.csr_array, Ints]:
    """The matrix of a transposed convolution, and the shape of its result.

    `kernel` is (n_in, n_out / groups, *size); `beyond` elements are added at the end of each axis.
    It is the transpose of the convolution that leads from the result's shape to this one.
    """
    n = len(window.size)
    if places.ndim <= n or places.shape[-n - 1] != kernel.shape[0]:
        raise ValueError(
            f"an array of shape {places.shape} has not {kernel.shape[0]} channels before its last"
            f" {n} axes, as a kernel of shape {kernel.shape} expects"
        )
    axes = tuple(
        (length - 1) * s + d * (k - 1) + 1 + more - a - b
        for length, s, d, k, more, a, b in zip(
            places.shape[-n:],
            window.stride,
            window.dilation,
            window.size,
            beyond,
            window.before,
            window.after,
            strict=True,
        )
    )
    shape = (*places.shape[: -n - 1], kernel.shape[1] * groups, *axes)
    result = np.arange(math.prod(shape)).reshape(shape)
    # what is added at the end is padding less, or beyond all that the kernel reaches
    after = [b - more for b, more in zip(window.after, beyond, strict=True)]
    reached = result
    for axis, b in enumerate(after, start=-n):
        reached = np.delete(reached, np.s_[reached.shape[axis] + min(b, 0) :], axis)
    ended = replace(window, after=tuple(max(b, 0) for b in after))
    back, _ = convolution(kernel, reached, ended, groups)
    back.resize((places.size, result.size))
    return sparse.csr_array(back.T), shape


def adaptive(places: Places, sizes: Ints) -> Places:
    """For each place of a result with the last axes `sizes`, a row of what it reads: the parts that
    frameworks cut an array into, which may overlap; -1 behind those that are shorter.
    """
    n = len(sizes)
    flat = places.reshape(-1, *places.shape[-n:])
    cuts = [
        [slice(i * have // want, -(-(i + 1) * have // want)) for i in range(want)]
        for have, want in zip(places.shape[-n:], sizes, strict=True)
    ]
    parts = [one[part].ravel() for one in flat for part in itertools.product(*cuts)]
    rows = np.full((len(parts), max(map(len, parts))), -1)
    for row, part in zip(rows, parts, strict=True):
        row[: len(part)] = part
    return rows


def over(places: Places, axes: Ints, keeps: bool) -> tuple[Places, Ints]:
    """For each place of a result without some axes, or with length 1 there, a row of what it reads;
    and the shape of the result.
    """
    gone = {axis % places.ndim for axis in axes}
    others = [axis for axis in range(places.ndim) if axis not in gone]
    rows = places.transpose(*others, *sorted(gone))
    n_rows = math.prod(places.shape[axis] for axis in others)
    shape = tuple(
        1 if axis in gone else length
        for axis, length in enumerate(places.shape)
        if keeps or axis not in gone
    )
    return rows.reshape(n_rows, -1), shape


def halves(total: Sequence[int], odd_before: bool = False) -> tuple[Ints, Ints]:
    """Padding before and after, half of it each; what is odd goes after, or before."""
    less, more = tuple(n // 2 for n in total), tuple(n - n // 2 for n in total)
    return (more, less) if odd_before else (less, more)
