"""Convolutions and pools against loops that say what they are."""

import itertools

import numpy as np
import pytest
from support.tolerances import SUMMED

from crn_nn_tellurium.operators.windows import (
    Window,
    adaptive,
    convolution,
    transposed_convolution,
)

CASES = [
    # axes, size, stride, padding, dilation, groups
    ((9,), (3,), 1, 0, 1, 1),
    ((9,), (4,), 2, 1, 2, 2),
    ((5, 6), (3, 2), (2, 1), (1, 0), 1, 1),
    ((7, 6), (2, 3), (1, 2), (2, 1), (2, 1), 2),
    ((4, 5, 3), (2, 3, 1), (1, 2, 1), (0, 1, 1), 1, 1),
]


def by_loops(x, kernel, window, groups):
    """The sum over channels and the kernel, one number after another."""
    n_out, n_read = kernel.shape[:2]
    n = len(window.size)
    lengths = [
        (length + a + b - d * (k - 1) - 1) // s + 1
        for length, a, b, d, k, s in zip(
            x.shape[1:],
            window.before,
            window.after,
            window.dilation,
            window.size,
            window.stride,
            strict=True,
        )
    ]
    result = np.zeros((n_out, *lengths))
    for out, *position in itertools.product(range(n_out), *map(range, lengths)):
        first = out // (n_out // groups) * n_read
        for channel, *within in itertools.product(range(n_read), *map(range, window.size)):
            place = [
                position[i] * window.stride[i] + within[i] * window.dilation[i] - window.before[i]
                for i in range(n)
            ]
            if all(0 <= p < length for p, length in zip(place, x.shape[1:], strict=True)):
                value = x[(first + channel, *place)]
                result[(out, *position)] += kernel[(out, channel, *within)] * value
    return result


@pytest.mark.parametrize(("axes", "size", "stride", "padding", "dilation", "groups"), CASES)
def test_a_convolution_is_a_matrix(axes, size, stride, padding, dilation, groups):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2 * groups, *axes))
    kernel = rng.normal(size=(4, 2, *size))
    window = Window.of(size, stride, padding, dilation)
    places = np.arange(x.size).reshape(x.shape)
    matrix, shape = convolution(kernel, places, window, groups)
    expected = by_loops(x, kernel, window, groups)
    assert shape == expected.shape
    # sums in another order
    np.testing.assert_allclose(matrix @ x.ravel(), expected.ravel(), atol=1e-13)


@pytest.mark.parametrize(("axes", "size", "stride", "padding", "dilation", "groups"), CASES)
def test_a_transposed_convolution_spreads_each_number(
    axes, size, stride, padding, dilation, groups
):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(4, *axes))
    kernel = rng.normal(size=(4, 3, *size))
    window, beyond = Window.of(size, stride, padding, dilation), (1,) * len(size)
    places = np.arange(x.size).reshape(x.shape)
    matrix, shape = transposed_convolution(kernel, places, window, beyond, groups)
    found = (matrix @ x.ravel()).reshape(shape)
    expected = np.zeros(shape)
    for channel, *position in itertools.product(*map(range, x.shape)):
        group = channel // (4 // groups)
        for out, *within in itertools.product(range(3), *map(range, size)):
            place = [
                p * s + w * d - a
                for p, s, w, d, a in zip(
                    position, window.stride, within, window.dilation, window.before, strict=True
                )
            ]
            if all(0 <= p < length for p, length in zip(place, shape[1:], strict=True)):
                number = kernel[(channel, out, *within)] * x[(channel, *position)]
                expected[(group * 3 + out, *place)] += number
    np.testing.assert_allclose(found, expected, atol=SUMMED)


def test_a_window_may_hang_over_the_end_but_not_begin_there():
    places = np.arange(5)
    # positions 0, 2 and 4: the last one holds one element and hangs over by two
    slid = Window.of((3,), 2).slid(places, rounds_up=True)
    assert slid.tolist() == [[0, 1, 2], [2, 3, 4]]
    slid = Window.of((2,), 2).slid(places, rounds_up=True)
    assert slid.tolist() == [[0, 1], [2, 3], [4, -1]]
    # with stride 3 a last window would begin beyond the array
    slid = Window.of((2,), 3, padding=1).slid(np.arange(4), rounds_up=True)
    assert slid.tolist() == [[-2, 0], [2, 3]]


def test_parts_of_an_adaptive_pool_cover_the_array():
    parts = adaptive(np.arange(14).reshape(2, 7), (3,))
    assert [part.tolist() for part in parts] == [
        [0, 1, 2],
        [2, 3, 4],
        [4, 5, 6],
        [7, 8, 9],
        [9, 10, 11],
        [11, 12, 13],
    ]


def test_a_kernel_of_a_large_image_stays_sparse():
    places = np.arange(28 * 28).reshape(1, 28, 28)
    matrix, shape = convolution(np.ones((8, 1, 3, 3)), places, Window.of((3, 3)))
    assert shape == (8, 26, 26)
    assert matrix.nnz == 8 * 26 * 26 * 9
