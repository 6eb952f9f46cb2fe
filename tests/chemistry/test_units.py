"""Physical units: the tube's equations are the model's, and the fastest chemistry is as fast as its
limit.
"""

import numpy as np
import pytest

import crn_nn_tellurium as cn
from crn_nn_tellurium.chemistry.units import PhysicalUnits
from crn_nn_tellurium.encoding.units import fastest_units, largest_bimolecular


def test_the_tube_with_converted_constants_goes_through_converted_states(rng):
    """dc/dt in nM/s, from rate constants in nM and s alone, is the model's times c0 / tau."""
    net = cn.Network.random([2, 3, 2], activation=cn.Sigmoid(h=0.1), seed=3)
    units = PhysicalUnits(c0=20.0, tau=90.0)
    crn = cn.to_reactions(net, rng.random(2))
    assert {reaction.order for reaction in crn.reactions} == {0, 1, 2}
    order = {reaction.rate_constant: reaction.order for reaction in crn.reactions}
    values = [
        units.rate_constant(k, order[name])
        for name, k in zip(crn.rate_constants, crn.constants, strict=True)
    ]
    state = rng.random(len(crn.floating))
    boundary = crn.boundary_concentrations
    in_tube = crn.right_hand_side(
        units.nanomolar(state), units.nanomolar(boundary), np.array(values)
    )
    # rounding only: sums of a few products
    np.testing.assert_allclose(
        in_tube, crn.right_hand_side(state, boundary) * 20.0 / 90.0, rtol=1e-12, atol=1e-12
    )


def test_conversions():
    units = PhysicalUnits(c0=10, tau=100)
    assert (units.seconds(3), units.hours(36), units.nanomolar(0.1)) == (300, 1, 1)
    np.testing.assert_array_equal(units.hours(np.array([0.0, 72.0])), [0.0, 2.0])
    assert [units.rate_constant(2.0, n, "M") for n in (0, 1, 2)] == pytest.approx(
        [2e-10, 0.02, 2e6], rel=1e-14
    )
    assert units.rate_constant(2.0, 3) == pytest.approx(2 / (10**2 * 100))
    assert repr(units) == "PhysicalUnits(c0=10 nM, tau=100 s)"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"c0": 0, "tau": 1}, r"c0 is 0; expected a concentration in nM"),
        ({"c0": 1, "tau": float("inf")}, r"tau is inf; expected a time in s"),
        ({"c0": "10 nM", "tau": 1}, r"c0 is '10 nM'"),
        ({"c0": True, "tau": 1}, r"c0 is True"),
        ({"c0": 1, "tau": float("nan")}, r"tau is nan"),
    ],
)
def test_units_that_are_none_are_refused(arguments, message):
    with pytest.raises(cn.InputError, match=message):
        PhysicalUnits(**arguments)


def test_orders_and_concentrations_that_are_none_are_refused():
    units = PhysicalUnits(1, 1)
    for order in (-1, 1.5, True, "2"):
        with pytest.raises(cn.InputError, match=r"expected the number of molecules that meet"):
            units.rate_constant(1.0, order)
    with pytest.raises(cn.InputError, match=r"concentration is 'mM'; expected one of 'nM', 'M'"):
        units.rate_constant(1.0, 1, "mM")


@pytest.mark.parametrize("name", ["xor", "moons", "iris", "digits"])
def test_with_the_fastest_units_the_largest_bimolecular_constant_is_the_limit(name):
    net = cn.load_model(name)
    crn = cn.to_reactions(net)
    units = fastest_units(net, max_rate_constant=3e5, c0=7.0)
    in_tube = [units.rate_constant(r.value, 2, "M") for r in crn.reactions if r.order == 2]
    assert max(in_tube) == pytest.approx(3e5, rel=1e-12)
    assert units == fastest_units(crn, 3e5, 7.0) == fastest_units(cn.Simulator(net), 3e5, 7.0)
    assert fastest_units(net, c0=20.0).tau == pytest.approx(fastest_units(net, c0=10.0).tau / 2)


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


def test_networks_without_a_limit_are_refused():
    decay = cn.ReactionNetwork(
        (cn.Species("A"),), (cn.Reaction("J1", ("A",), (), "k", 2.0),), name="decay"
    )
    with pytest.raises(
        cn.ReactionError, match=r"'decay': no reaction of two molecules.*PhysicalUnits"
    ):
        fastest_units(decay)
    three = cn.ReactionNetwork((cn.Species("A"),), (cn.Reaction("J1", (("A", 3),), (), "k", 2.0),))
    with pytest.raises(cn.ReactionError, match=r"'J1' needs 3 molecules to meet"):
        fastest_units(three)
    with pytest.raises(cn.NetworkError, match=r"got str"):
        fastest_units("xor")
    for arguments, message in (((0.0,), "max_rate_constant is 0.0"), ((1e6, -1), "c0 is -1")):
        with pytest.raises(cn.InputError, match=message):
            fastest_units(cn.load_model("xor"), *arguments)


def test_a_certificate_in_the_tube():
    net = cn.load_model("xor")
    units = fastest_units(net)
    certificate = cn.certify(net, [[1.0, 0.0], [1.0, 1.0]], tolerance=0.05)
    found = certificate.in_units(units)
    assert found.units is units
    assert found.settling_time_s == pytest.approx(certificate.settling_time * units.tau)
    assert found.settling_time_h == pytest.approx(found.settling_time_s / 3600)
    assert found.tolerance_nM == pytest.approx(0.5)
    # a rate times a time has no unit
    assert found.rate_per_s * found.settling_time_s == pytest.approx(
        certificate.rate * certificate.settling_time
    )
    assert 1 < found.settling_time_h < 2
    minutes = f"{found.settling_time_s / 60:.3g} min"
    assert repr(found).startswith(
        f"PhysicalCertificate(outputs within 0.5 nM from {minutes} on; rate "
    )
