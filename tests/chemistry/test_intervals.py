"""What lies between bounds: of one number, of one sample, of each of many."""

import numpy as np
import pytest

import crn_nn_tellurium as cn


@pytest.mark.parametrize(
    ("bounds", "inside", "outside"),
    [
        ((0.0, 1.0), 0.5, 1.5),
        ((0.0, 1.0), [0.0, 0.5, 1.0], [0.0, 0.5, -0.1]),
        (([0.0, 2.0], [1.0, 3.0]), [0.5, 2.5], [2.5, 0.5]),
        (([[0.0, 2.0]], [[1.0, 3.0]]), [[0.5, 2.5], [1.0, 2.0]], [[0.5, 2.5], [0.5, 1.5]]),
        (([[0.0], [2.0]], [[1.0], [3.0]]), [[0.5], [2.5]], [[2.5], [0.5]]),
    ],
    ids=["a number", "one for all", "by input", "one sample for many", "by sample"],
)
def test_contains(bounds, inside, outside):
    interval = cn.Interval(*bounds)
    assert interval.contains(inside)
    assert not interval.contains(outside)
    assert not interval.contains(np.where(np.isclose(inside, 0.5), np.nan, inside))


@pytest.mark.parametrize(
    ("change", "lower", "upper"),
    [
        (lambda box: box * 2.0, [1.0, -2.0], [4.0, 6.0]),
        (lambda box: box / 2.0, [0.25, -0.5], [1.0, 1.5]),
        (lambda box: box[1], -1.0, 3.0),
    ],
    ids=["multiplied", "divided", "one of several"],
)
def test_both_bounds_change(change, lower, upper):
    found = change(cn.Interval([0.5, -1.0], [2.0, 3.0]))
    np.testing.assert_array_equal(found.lower, lower)
    np.testing.assert_array_equal(found.upper, upper)
