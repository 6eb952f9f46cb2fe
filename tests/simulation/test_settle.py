"""What Newton's method is trusted with, of systems that are functions here."""

import numpy as np

from crn_nn_tellurium.chemistry import Balance
from crn_nn_tellurium.simulation.outcome import AFTER_INTEGRATION
from crn_nn_tellurium.simulation.settle import solve


class Bistable:
    """dx/dt = -(x - 1) (x - 2) (x - 3), whose courses from 0 end at 1. Newton's method takes what
    is not there yet to a root below zero, and that to 3.
    """

    def newton(self, x, _):
        return np.where(x < 0, 3.0, np.where(np.isin(x, [1.0, 3.0]), x, -1.0))

    def advance(self, state, _, duration):
        return 1 + (state - 1) * np.exp(-duration)

    def is_finite(self, _):
        return True


def balance(x, _):
    """dx/dt in two parts of equal sizes where it is 0."""
    gain, loss = 6 * x**2 + 6, x**3 + 11 * x
    return Balance(gain - loss, gain + loss, 12 * x - 3 * x**2 - 11)


def test_nothing_goes_on_from_a_root_below_zero():
    found = solve(Bistable(), np.array([[0.5]]), balance)
    assert found.x.tolist() == [[1.0]]
    assert found.status.tolist() == [AFTER_INTEGRATION]
    assert found.imbalance.tolist() == [0.0]
