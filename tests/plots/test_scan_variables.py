"""When axes are logarithmic."""

import numpy as np
import pytest

from crn_nn_tellurium.plots.scan_variables import is_log

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        (np.geomspace(1e-4, 1, 5), True),
        (np.geomspace(1, 30, 40), True),
        (np.geomspace(1, 10, 40), False),  # too short
        (np.linspace(0.01, 1, 30), False),
        (np.linspace(0.05, 1, 3), False),
        (np.linspace(0, 1, 9), False),  # there is no logarithm of 0
        (np.array([1e-3, 1.0]), False),  # two points are even on any scale
        (np.array([1, 10, 100, 1000]), True),
        (10 ** RNG.uniform(-4, 0, 64), True),
        (RNG.uniform(0.01, 1, 64), False),
        (np.array(["a", "b", "c"]), False),
    ],
)
def test_axes_are_logarithmic_for_points_that_are_even_on_them(points, expected):
    assert is_log(points) is expected
