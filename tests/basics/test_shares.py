"""Bounds of shares beside scipy's."""

import numpy as np
import pytest
from scipy.stats import binomtest

from crn_nn_tellurium.basics import SHARE_LEVEL, share_bounds


@pytest.mark.parametrize("draws", [1, 7, 1000])
def test_bounds_are_those_of_clopper_and_pearson(draws):
    counts = np.unique([0, 1, draws // 2, draws - 1, draws])
    low, high = share_bounds(counts, draws)
    for k, *found in zip(counts.tolist(), low, high, strict=True):
        bounds = binomtest(k, draws).proportion_ci(SHARE_LEVEL, "exact")
        # scipy looks for the root of the binomial law, to 2e-12
        np.testing.assert_allclose(found, [bounds.low, bounds.high], rtol=1e-10, atol=1e-11)
