"""Physical units: the tube's equations are the model's."""

from dataclasses import replace

import numpy as np
import pytest
import roadrunner
from scipy.integrate import solve_ivp
from support.tolerances import LAST_DIGITS

import crn_nn_tellurium as cn
from crn_nn_tellurium.chemistry.units import (
    CONCENTRATION,
    MODEL_UNITS,
    TIME,
    Dimension,
    PhysicalUnits,
    duration,
    units_in,
)
from crn_nn_tellurium.encoding import fastest_units


def test_conversions():
    units = PhysicalUnits(c0=10, tau=100)
    assert (units.time(3), units.hours(36), units.concentration(0.1)) == (300, 1, 1)
    np.testing.assert_array_equal(units.hours(np.array([0.0, 72.0])), [0.0, 2.0])
    assert [units.rate_constant(2.0, n, "M") for n in (0, 1, 2)] == pytest.approx(
        [2e-10, 0.02, 2e6], rel=LAST_DIGITS
    )
    assert units.rate_constant(2.0, 3) == pytest.approx(2 / (10**2 * 100))
    box = units.concentration(cn.Interval([0.0, 0.5], [1.0, 2.0]))
    np.testing.assert_array_equal(box.lower, [0.0, 5.0])
    np.testing.assert_array_equal(box.upper, [10.0, 20.0])
    assert repr(units) == "PhysicalUnits(c0=10 nM, tau=100 s)"


MEASURED = [
    CONCENTRATION,
    TIME,
    *map(Dimension.rate_constant, range(4)),
    CONCENTRATION / Dimension.rate_constant(2),
    Dimension.rate_constant(0) ** 0.5,
]


@pytest.mark.parametrize("dimension", MEASURED, ids=str)
def test_what_is_converted_comes_back(dimension, rng):
    values = 10 ** rng.uniform(-9, 9, 50)
    units = PhysicalUnits(c0=0.3, tau=165.496)
    there = units.convert(values, dimension)
    # two multiplications and two divisions, and powers of the units
    np.testing.assert_allclose(units.revert(there, dimension), values, rtol=1e-15 * 8)
    if dimension != Dimension():
        assert (there != values).all()
    np.testing.assert_array_equal(MODEL_UNITS.convert(values, dimension), values)
    np.testing.assert_array_equal(MODEL_UNITS.revert(values, dimension), values)


def test_names_of_units_for_axes_and_files():
    units = PhysicalUnits(c0=10, tau=100)
    constants = list(map(Dimension.rate_constant, range(4)))
    assert (units.name(CONCENTRATION), units.name(TIME)) == ("nM", "s")
    assert [units.name(d) for d in constants] == ["nM/s", "/s", "/nM/s", "/nM^2/s"]
    assert units.name(CONCENTRATION / constants[2]) == "nM^2 s"
    assert units.name(Dimension()) == ""
    # as the files have had them
    identifiers = ["nM_per_s", "per_s", "per_nM_s", "per_nM2_s"]
    assert list(map(units.identifier, constants)) == identifiers
    assert units.identifier(Dimension()) == "dimensionless"
    for dimension in MEASURED:
        assert MODEL_UNITS.name(dimension) == "model units"
        assert MODEL_UNITS.identifier(dimension) == "dimensionless"
    assert units.text(0.5, CONCENTRATION) == "0.5 nM"
    assert units.text(1 / 3, CONCENTRATION) == "0.333333 nM"
    assert units.text(1 / 3, TIME**-1, digits=3) == "0.333 /s"
    assert MODEL_UNITS.text(1 / 3, TIME**-1, digits=3) == "0.333"
    assert (units.moment(7200), MODEL_UNITS.moment(7200.4)) == ("2 h", "t = 7200")
    assert [units.moment(t) for t in (60, 6000, 1e6)] == ["60 s", "100 min", "11.6 days"]
    assert (units.clock, MODEL_UNITS.clock) == ((3600.0, "h"), (1.0, "model units"))


# Networks -----------------------------------------------------------------------------------------

ALL_ORDERS = """
    => A; k0
    A => B; k1*A
    A + B => 2 B; k2*A*B
    2 B + X => A + X; k3*B^2*X
    species A = 0.7, B = 0.2, $X = 1.5
    k0 = 0.3; k1 = 1.1; k2 = 2.3; k3 = 0.9
    """


def all_orders():
    """Orders 0 to 3, with a formula for a start and one for a read-out, constants in both."""
    crn = cn.import_antimony(ALL_ORDERS)
    start = cn.Expression((cn.Monomial(0.5, (("k0", 1.0), ("k1", -1.0))), cn.Monomial(0.1)))
    species = [replace(s, initial=start) if s.id == "B" else s for s in crn.species]
    root = cn.Monomial(2.0, (("A", 1.0), ("k0", 0.5), ("k2", 0.5)))
    read_out = cn.Expression((root, cn.Monomial(-1.0, (("B", 1.0),)), cn.Monomial(0.25)))
    return replace(
        crn, species=tuple(species), observables=(*crn.observables, cn.Observable("y", read_out))
    )


def scipys(crn, times, folder):
    found = solve_ivp(
        lambda _, x: crn.right_hand_side(x),
        (times[0], times[-1]),
        crn.initial_state(),
        method="LSODA",
        t_eval=times,
        rtol=1e-10,
        atol=1e-12 * crn.initial_state().max(),
    )
    return found.y.T


def roadrunners(crn, times, folder):
    runner = roadrunner.RoadRunner(str(cn.export(crn, folder / "net.xml", overwrite=True)))
    runner.integrator.relative_tolerance = 1e-10
    runner.integrator.absolute_tolerance = 1e-12
    runner.timeCourseSelections = [f"[{name}]" for name in crn.floating]
    return np.array(runner.simulate(times=list(times)))


@pytest.mark.parametrize("solve", [scipys, roadrunners])
@pytest.mark.parametrize("name", ["orders 0 to 3", "xor"])
def test_a_converted_network_has_the_same_trajectory(solve, name, tmp_path):
    """What its solvers see is in nM and s alone; rescaled, it is the model's."""
    crn = all_orders() if name == "orders 0 to 3" else cn.to_reactions(cn.load_model("xor"), [0, 1])
    units = PhysicalUnits(c0=20.0, tau=90.0)
    in_tube = units.of(crn)
    assert in_tube.units == units
    assert {r.order for r in crn.reactions} == ({0, 1, 2, 3} if "orders" in name else {0, 1, 2})
    times = np.linspace(0, 5, 11)
    ours, theirs = (
        solve(crn, times, tmp_path),
        solve(in_tube, units.time(times), tmp_path),
    )
    # the solvers' relative tolerance of 1e-10, added up over some hundred steps
    np.testing.assert_allclose(theirs, units.concentration(ours), rtol=1e-7)
    assert np.ptp(ours, axis=0).max() > 0.1
    np.testing.assert_allclose(
        in_tube.observe(units.concentration(ours)),
        units.concentration(crn.observe(ours)),
        rtol=1e-13,
        atol=1e-13,  # read-outs are differences
    )


def test_a_converted_network_keeps_its_form():
    crn = all_orders()
    units = PhysicalUnits(c0=20.0, tau=90.0)
    in_tube = units.of(crn)
    np.testing.assert_allclose(
        in_tube.initial_state(), units.concentration(crn.initial_state()), rtol=LAST_DIGITS
    )
    np.testing.assert_array_equal(
        in_tube.boundary_concentrations, units.concentration(crn.boundary_concentrations)
    )
    formulas = [[o.expression for o in part.observables] for part in (crn, in_tube)]
    for ours, theirs in zip(*formulas, strict=True):
        assert [term.powers for term in ours.terms] == [term.powers for term in theirs.terms]
    assert [r.equation for r in in_tube.reactions] == [r.equation for r in crn.reactions]
    assert in_tube.identifiers == crn.identifiers


def test_networks_are_converted_once():
    crn = all_orders()
    assert crn.units == MODEL_UNITS
    assert MODEL_UNITS.of(crn) is crn
    in_tube = PhysicalUnits(20, 90).of(crn)
    assert PhysicalUnits(20, 90).of(in_tube) is in_tube


def test_a_certificate_in_the_tube():
    net = cn.load_model("xor")
    units = fastest_units(net)
    certificate = cn.certify(net, [[1.0, 0.0], [1.0, 1.0]], tolerance=0.05)
    found = certificate.in_units(units)
    assert found.units is units
    assert found.settling_time == units.time(certificate.settling_time)
    assert found.tolerance == pytest.approx(0.5)  # nM
    # a rate times a time has no unit
    assert found.rate * found.settling_time == pytest.approx(
        certificate.rate * certificate.settling_time
    )
    assert 1 < found.settling_time / 3600 < 2
    np.testing.assert_array_equal(found.by_sample, units.time(certificate.by_sample))
    np.testing.assert_array_equal(found.outputs.upper, 10.0 * certificate.outputs.upper)
    np.testing.assert_array_equal(found.envelope.time, units.time(certificate.envelope.time))
    np.testing.assert_array_equal(found.envelope.lower, 10.0 * certificate.envelope.lower)
    minutes = f"{found.settling_time / 60:.3g} min"
    assert f"outputs within 0.5 nM from {minutes} on, by" in repr(found)
    assert f"rate {found.rate:.3g} /s)" in repr(found)
    assert "outputs within 0.05 from t = " in repr(certificate)
    assert found.in_units(units) is found


def test_caps_and_boxes_of_starts_in_the_tube():
    net = cn.Network(
        [
            cn.Layer([[2.0]], [-1.0], cn.SmoothedReLU(h=0.01)),
            cn.Layer([[1.0]], [0.1], cn.Tanh(h=0.25)),
        ]
    )
    units = PhysicalUnits(c0=10, tau=100)
    capped = cn.certify(net, [0.7], bound="cheap", initial_max=50.0).in_units(units)
    assert capped.initial_max == 500.0
    assert capped.starts.endswith("at most 500 nM")
    started = cn.certify(net, [0.7], initial=0.5).in_units(units)
    np.testing.assert_array_equal(started.initial.upper, 5.0)


def test_times_read_in_the_unit_that_suits_them():
    texts = [duration(seconds) for seconds in (0.25, 95, 3000, 9000, 1e6)]
    assert texts == ["0.25 s", "95 s", "50 min", "2.5 h", "11.6 days"]


@pytest.mark.parametrize("units", [PhysicalUnits(c0=10, tau=100), PhysicalUnits(1 / 3, 1e-7)])
def test_units_are_read_back_from_what_is_said_of_them(units):
    assert units_in(f"Some notes. {units.in_words} More of them.") == units
    assert units_in("Some notes.") is MODEL_UNITS


def test_a_concentration_is_nanomoles_in_a_litre():
    units = PhysicalUnits(c0=10, tau=100)
    assert units.definition(CONCENTRATION) == (("mole", 1, -9), ("litre", -1, 0))
    assert units.definition(CONCENTRATION, volume=1) == (("mole", 1, -9),)
    assert units.definition(TIME) == (("second", 1, 0),)
