"""What Newton's method is trusted with, of systems that are functions here."""

import numpy as np
import pytest
from support.tolerances import LAST_DIGIT

from crn_nn_tellurium.chemistry import Balance
from crn_nn_tellurium.errors import ConvergenceError
from crn_nn_tellurium.simulation.outcome import AFTER_INTEGRATION, INTEGRATED, SOLVED
from crn_nn_tellurium.simulation.settle import (
    SWEEPS,
    TOLERANCE,
    come_to_rest,
    integrate,
    refined,
    refined_one,
    solve,
    steady,
)


class Bistable:
    """dx/dt = -(x - 1) (x - 2) (x - 3), whose courses end at 1 from below 2, at 3 from above.
    Newton's method takes what is not there yet to a root below zero, and that to 3.
    """

    def newton(self, x, _):
        return np.where(x < 0, 3.0, np.where(np.isin(x, [1.0, 3.0]), x, -1.0))

    def advance(self, state, _, duration):
        end = np.where(state < 2, 1.0, 3.0)
        return end + (state - end) * np.exp(-duration)

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


def test_each_system_goes_where_its_own_start_leads():
    start = np.array([[0.5], [2.5], [3.0], [1.5]])
    found = solve(Bistable(), start, balance)
    assert found.x.tolist() == [[1.0], [3.0], [3.0], [1.0]]
    after = AFTER_INTEGRATION
    assert found.status.tolist() == [after, after, SOLVED, after]
    found = integrate(Bistable(), start, balance)
    assert found.x.tolist() == [[1.0], [3.0], [3.0], [1.0]]
    assert found.status.tolist() == [INTEGRATED] * 4


@pytest.mark.parametrize("longest", [20.0, 3.0, 0.1])
def test_times_are_gone_one_after_the_other_and_in_pieces_where_they_are_too_long(longest):
    """A clock: the state is the time that has passed, from 5 on."""

    def advance(state, duration):
        if duration > longest:
            raise ConvergenceError("too long")
        return state + duration

    gone = []
    clock, outcome = come_to_rest(
        np.array([5.0]), advance, lambda _, passed: gone.append(passed), (1.0, 10.0)
    )
    whole, pieces = [1.0, 11.0], [1.0, 3.5, 6.0, 8.5, 11.0]
    assert gone == {20.0: whole, 3.0: pieces, 0.1: []}[longest]
    assert clock.tolist() == [5.0 + sum(gone[-1:])]
    reason = "too long" if longest < 1 else "rates have not vanished by t = 11; a time course"
    assert outcome.failed
    assert outcome.reason.startswith(reason)


def halved(x):
    """A balance at 1 whose slope is taken for twice what it is: each sweep halves the distance."""
    return Balance(1 - x, 1 + x, -2.0 + 0 * x)


@pytest.mark.parametrize(("factor", "near"), [(0.9, True), (1.1, False)])
def test_there_are_as_many_sweeps_as_is_said(factor, near):
    # half the true distance is taken for it
    start = 1 + factor * 2 * TOLERANCE * 2**SWEEPS
    x, balance, found = refined(np.array([[start, 1.0]]), halved)
    assert found.tolist() == [[near, True]]
    assert x[0, 0] - 1 == pytest.approx(factor * 2 * TOLERANCE, abs=LAST_DIGIT)
    assert balance.net.tolist() == (1 - x).tolist()


class Slow:
    """The same with a Newton's method that leaves a sixteenth of the distance."""

    def newton(self, x, _):
        return 1 + (x - 1) / 16


def test_what_newton_brings_near_is_refined_and_not_integrated():
    """Refined from where one step leads it is not near, from where four lead it is."""
    start = np.array([[1 + 1e-6], [1.0]])
    found = solve(Slow(), start, lambda x, _: halved(x))
    assert found.status.tolist() == [SOLVED, SOLVED]
    # `halved` takes half the distance for it
    assert abs(found.x - 1).max() <= 2.1 * TOLERANCE


def test_one_small_state_is_refined_as_many_are():
    start = 1 + TOLERANCE * 2 ** (SWEEPS - 1)
    together = refined(np.array([[start, 1.0]]), halved)[0][0]
    alone, imbalance = refined_one([start, 1.0], lambda x: [halved(value) for value in x])
    assert alone == together.tolist()
    assert imbalance == (alone[0] - 1) / (alone[0] + 1)
    assert refined_one([1 + 2.2 * TOLERANCE * 2**SWEEPS], lambda x: [halved(x[0])]) is None
    # a step below zero is none, and a slope that leads away is not gone
    assert refined_one([3.0], lambda x: [Balance(1 - x[0], 1 + x[0], -0.5)]) is None
    assert refined_one([3.0], lambda x: [Balance(1 - x[0], 1 + x[0], 2.0)]) is None


def test_what_is_absent_is_so_beside_the_largest():
    x = np.array([[1e6, 1e-20], [1e3, 1e-20]])
    off = Balance(np.array([[0.0, -1e-20]] * 2), np.full((2, 2), 1e-30), -np.ones((2, 2)))
    assert steady(off, x, TOLERANCE).tolist() == [[True, False]] * 2
    # 1e-25 of the largest: 1e-19 is more than the smaller is off, 1e-22 is less
    assert steady(off, x, TOLERANCE, absent=1e-25).tolist() == [[True, True], [True, False]]
