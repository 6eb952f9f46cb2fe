"""The fastest physical units: what limits the speed is where two molecules meet."""

import pytest
from support.tolerances import LAST_DIGITS, ROUNDED

import crn_nn_tellurium as cn
from crn_nn_tellurium.encoding.units import fastest_units, largest_bimolecular


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


@pytest.mark.parametrize("name", ["xor", "moons", "iris", "digits"])
def test_with_the_fastest_units_the_largest_bimolecular_constant_is_the_limit(name):
    net = cn.load_model(name)
    crn = cn.to_reactions(net)
    units = fastest_units(net, max_rate_constant=3e5, c0=7.0)
    in_tube = [units.rate_constant(r.value, 2, "M") for r in crn.reactions if r.order == 2]
    assert max(in_tube) == pytest.approx(3e5, rel=ROUNDED)
    assert units == fastest_units(crn, 3e5, 7.0) == fastest_units(cn.Simulator(net), 3e5, 7.0)
    assert fastest_units(net, c0=20.0).tau == pytest.approx(fastest_units(net, c0=10.0).tau / 2)
    # its numbers in nM and s already: but for rounding there and back
    again = fastest_units(cn.PhysicalUnits(c0=20.0, tau=90.0).of(crn), 3e5, 7.0)
    assert again.tau == pytest.approx(units.tau, rel=LAST_DIGITS)


def test_what_limits_a_network():
    """Weights in terms of concentrations, slopes of read-outs included; biases, of first order,
    never do.
    """

    def net(weight, bias, first):
        return cn.Network(
            [cn.Layer([[1.0]], [0.0], first), cn.Layer([[weight]], [bias], cn.Linear(h=0.01))]
        )

    assert largest_bimolecular(net(-3.0, 9.0, cn.SmoothedReLU(h=0.01))) == 3.0
    assert largest_bimolecular(net(0.5, 9.0, cn.SmoothedReLU(h=0.01))) == 1.0
    assert largest_bimolecular(net(3.0, 0.0, cn.Tanh(h=0.01))) == 6.0
