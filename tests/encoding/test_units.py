"""The fastest physical units: what limits the speed is where two molecules meet."""

import pytest

import crn_nn_tellurium as cn
from crn_nn_tellurium.encoding import fastest_units


def test_the_fastest_meeting_of_two_sets_the_time_whatever_else_is_faster():
    crn = cn.ReactionNetwork(
        [cn.Species("A"), cn.Species("B")],
        [
            cn.Reaction("J1", (), ("A",), "a", 90.0),
            cn.Reaction("J2", ("A",), (), "b", 70.0),
            cn.Reaction("J3", ("A", "B"), ("B",), "c", 3.0),
            cn.Reaction("J4", {"B": 2}, ("B",), "d", 5.0),
        ],
    )
    # 5 / (c0 tau) is 2e6 /M/s, which is 2e-3 /nM/s, at c0 = 4 nM
    units = fastest_units(crn, max_rate_constant=2e6, c0=4.0)
    assert units.c0 == 4.0
    assert units.tau == pytest.approx(5 / (4 * 2e-3), rel=1e-14)  # a product and a quotient
