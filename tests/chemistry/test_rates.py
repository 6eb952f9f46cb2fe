"""How far states are from their fixed points."""

import numpy as np

from crn_nn_tellurium.chemistry import Balance


def test_within_is_the_distance_beside_what_is_allowed(rng):
    """In arrays and in Python's numbers, with slopes and rates of zero among them."""
    net = rng.choice([0.0, 1e-13, -1e-9, 1.0], 500)
    gross, slope = rng.choice([0.0, 1.0, 1e3], 500), rng.choice([0.0, -1.0, 2.0], 500)
    balance, allowed = Balance(net, gross, slope), 10 ** rng.uniform(-14, 0, 500)
    # no drawn distance comes near its limit, where either way of rounding would be right
    expected = balance.distance <= allowed + balance.rounding
    np.testing.assert_array_equal(balance.within(allowed), expected)
    one_by_one = zip(*(part.tolist() for part in (net, gross, slope, allowed)), strict=True)
    assert [Balance(*each).within(most) for *each, most in one_by_one] == expected.tolist()
