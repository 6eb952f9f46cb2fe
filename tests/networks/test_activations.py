"""Closed forms against derivatives, the theory's identities, and the engine over wide ranges."""

from dataclasses import dataclass

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from support.networks import ACTIVATIONS
from support.tolerances import LAST_DIGITS, ROUNDED, SOLVED, SUMMED

import crn_nn_tellurium as cn
from crn_nn_tellurium.networks.smoothing import smoothed_relu, smoothed_relu_derivative
from crn_nn_tellurium.simulation.settle import ABSENT

pre_activations = st.floats(-1e6, 1e6) | st.floats(-3, 3) | st.floats(-1e-6, 1e-6)
smoothings = st.floats(-10, 2).map(lambda e: 10.0**e)


@given(pre_activations, smoothings)
def test_smoothed_relu_solves_its_quadratic_and_keeps_its_bounds(z, h):
    y = float(smoothed_relu(z, h))
    gross = h + abs(z) * y + y * y
    assert abs(h + z * y - y * y) <= 8 * np.finfo(float).eps * gross
    assert y > 0
    assert -1e-15 * max(y, 1) <= y - max(z, 0) <= np.sqrt(h) * (1 + ROUNDED)
    assert 0 < smoothed_relu_derivative(z, h) < 1 or abs(z) > 1e7 * np.sqrt(h)


@given(pre_activations, smoothings)
def test_rails_are_exactly_linear_and_reciprocal(z, h):
    up, down = smoothed_relu(z, h), smoothed_relu(-z, h)
    np.testing.assert_allclose(up - down, z, rtol=LAST_DIGITS, atol=LAST_DIGITS * np.sqrt(h))
    np.testing.assert_allclose(up * down, h, rtol=SUMMED)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("h", [1e-4, 0.01, 1.0])
def test_derivative_is_the_derivative(name, h):
    activation = ACTIVATIONS[name](h=h)
    z = np.linspace(-2, 2, 9)
    step = 1e-5 * np.sqrt(h)
    if activation.couples_units:
        numeric = np.stack(
            [(activation(z + step * e) - activation(z - step * e)) / (2 * step) for e in np.eye(9)],
            -1,
        )
    else:
        numeric = (activation(z + step) - activation(z - step)) / (2 * step)
    # truncation ~ step^2 * third derivative (<= 1 / h) ~ 1e-10; rounding ~ 1e-16 / step <= 1e-9
    np.testing.assert_allclose(activation.derivative(z), numeric, atol=1e-8)


@pytest.mark.parametrize(
    "activation",
    [
        cn.ClippedReLU(h=1e-6, ceiling=6.0),
        cn.ClippedReLU(h=1e8),
        cn.HardSigmoid(slope=0.25, offset=0.5, h=1e-4),
        cn.LeakyReLU(0.1, h=1e-4),
        cn.PiecewiseLinear((-1.0, 0.5, 2.0), (0.0, 1.0, 3.0, 0.0), 0.25, h=1e-6),
    ],
    ids=str,
)
def test_slopes_of_saturated_units_keep_their_digits(activation):
    """Against 400 digits of the sums over rails, whose terms are 1 - 1e-18 and the like."""
    with mpmath.workdps(400):
        for z in (0.0, -1.0, 0.5, 6.0, 1e-9, 50.0, -50.0, 1e6, -1e6, 1e100, -1e100):
            slope = by_h = mpmath.mpf(0)
            for (name, curve), rail in zip(
                activation.read_out.terms, activation.rails, strict=True
            ):
                assert name == rail.name
                u = rail.sign * activation.gain * mpmath.mpf(z) + rail.shift
                r = mpmath.sqrt(u * u + 4 * mpmath.mpf(activation.h))
                slope += curve * rail.sign * activation.gain * (1 + u / r) / 2
                by_h += curve / r
            found = activation.derivative([z]).item(), activation.h_derivative([z]).item()
            expected = [float(slope), float(by_h)]
            # what a double of 1e-308 cannot be exact in
            np.testing.assert_allclose(found, expected, rtol=LAST_DIGITS, atol=1e-300)


@pytest.mark.parametrize(
    ("activation", "formula"),
    [
        (cn.SmoothedReLU(h=0.3), lambda z, s: s(z)),
        (cn.Linear(h=0.3), lambda z, s: z),
        (cn.LeakyReLU(0.2, h=0.3), lambda z, s: s(z) - 0.2 * s(-z)),
        (cn.Absolute(h=0.3), lambda z, s: np.sqrt(z**2 + 1.2)),
        (cn.ClippedReLU(h=0.3), lambda z, s: s(z) - s(z - 1)),
        (cn.HardSigmoid(h=0.3), lambda z, s: s(z) - s(z - 1)),
        (cn.HardSigmoid(0.3, 0.2, 0.5), lambda z, s: s(0.2 * z + 0.5) - s(0.2 * z - 0.5)),
        (
            cn.PiecewiseLinear((-1.0, 0.5), (-0.5, 1.0, 3.0), 0.25, h=0.3),
            lambda z, s: 0.25 + 0.5 * s(-1 - z) + s(z + 1) + 2 * s(z - 0.5),
        ),
        (cn.Sigmoid(h=0.3), lambda z, s: (1 + z / np.sqrt(z**2 + 1.2)) / 2),
        (cn.Tanh(h=0.3), lambda z, s: z / np.sqrt(z**2 + 1.2)),
        (cn.Normalized(h=0.3), lambda z, s: s(z) / s(z).sum()),
    ],
    ids=lambda value: str(value) if isinstance(value, cn.Activation) else "",
)
def test_closed_forms_of_the_theory(activation, formula):
    z = np.linspace(-3, 3, 13)
    np.testing.assert_allclose(
        activation(z), formula(z, lambda u: (u + np.sqrt(u**2 + 1.2)) / 2), atol=SUMMED
    )


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_reactions_have_the_closed_form_as_their_fixed_point(name):
    activation = ACTIVATIONS[name](h=0.05)
    z = np.array([-2.0, -0.1, 0.7])
    net = cn.Network([cn.Layer(np.diag(np.sign(z)), np.zeros(3), activation)])
    crn = cn.to_reactions(net, np.abs(z))
    assert max(reaction.order for reaction in crn.reactions) <= 2
    fixed_point = activation.concentrations(z).ravel()
    assert np.all(crn.balance(fixed_point).imbalance < LAST_DIGITS)
    eigenvalues = np.linalg.eigvals(crn.jacobian(fixed_point).toarray())
    assert np.all(eigenvalues.real < 0)


@pytest.mark.parametrize("name", ACTIVATIONS)
@settings(max_examples=25)
@given(
    z=st.lists(pre_activations, min_size=3, max_size=3),
    h=smoothings,
    start=st.sampled_from([None, 1e-12, 1e6]),
)
def test_the_engine_finds_the_closed_form(name, z, h, start):
    activation = ACTIVATIONS[name](h=h)
    net = cn.Network([cn.Layer(np.diag(np.sign(z) + (np.array(z) == 0)), np.zeros(3), activation)])
    steady = cn.Simulator(net).steady_state(np.abs(z), initial=start)
    expected = activation.concentrations(np.array(z)).ravel()
    # every species to 1e-9 of itself, where the value's cancellation plays no part, as far as it is
    # there at all
    np.testing.assert_allclose(
        steady.concentrations[0], expected, rtol=1e-9, atol=10 * ABSENT * expected.max()
    )
    # the residual is relative to each species' own rates, so the smallest one tells the same in its
    # own measure
    assert np.all(steady.residual <= 1e-9 + 10 * ABSENT * expected.max() / expected.min())


@pytest.mark.parametrize("method", ["units", "flat", "integrate"])
@pytest.mark.parametrize("name", ["Sigmoid", "Tanh", "Normalized"])
def test_followers_agree_at_the_edges(name, method, rng):
    """Rails of 1e-16 decide their layer's shares, and followers may decay at a rate of 1e-13."""
    for _ in range(12):
        z, h = -(10 ** rng.uniform(3, 6, 3)), 10 ** rng.uniform(-10, 2)
        net = cn.Network([cn.Layer(-np.eye(3), np.zeros(3), ACTIVATIONS[name](h=h))])
        for start in (None, 0.0, 1e6):
            steady = cn.Simulator(net).steady_state(-z, initial=start, method=method)
            expected = net(-z)
            assert np.all(
                np.abs(steady.outputs - expected) <= SOLVED * (np.abs(expected) + np.sqrt(h))
            )


def test_an_activation_whose_units_depend_on_each_other_both_ways_is_solved_flat():
    """Units that inhibit each other: dY/dt gains a loss through every unit's Y."""

    @dataclass(frozen=True)
    class Rivals(cn.Activation):
        rails = (cn.Rail("Y"),)
        local_reactions = (cn.LocalReaction(("*Y", "Y"), ("*Y",), "d", 0.5),)
        read_out = cn.ReadOut((("Y", 1.0),))

        def concentrations(self, z):
            raise AssertionError("not known in closed form")

        def derivative(self, z):
            raise AssertionError("not known in closed form")

    simulator = cn.Simulator(cn.Network([cn.Layer(np.eye(2), activation=Rivals(h=0.1))]))
    with pytest.raises(cn.NetworkError, match="method='flat'"):
        simulator.steady_state([1.0, 1.2])
    flat = simulator.steady_state([1.0, 1.2], method="flat")
    integrated = simulator.steady_state([1.0, 1.2], method="integrate")
    np.testing.assert_allclose(flat.outputs, integrated.outputs, rtol=SOLVED)
    assert flat.residual[0] < SOLVED


def test_pieces_of_many_knots_are_told_in_short():
    """In tables; the repr has all."""
    few = cn.PiecewiseLinear(knots=(0, 1, 2), slopes=(0, 1, 0, 1), h=0.01)
    many = cn.PiecewiseLinear(knots=(-0.5, 1, 2, 3), slopes=(0, 1, 0, 1, 0), h=0.01)
    assert str(few) == repr(few)
    assert str(many) == "PiecewiseLinear(4 knots, -0.5 to 3, h=0.01)"
    assert "knots=(-0.5, 1.0, 2.0, 3.0)" in repr(many)


def test_pieces_from_0_to_1_are_a_probability():
    step = cn.PiecewiseLinear(knots=(-1.0, 1.0), slopes=(0.0, 0.5, 0.0), h=1e-4)
    net = cn.Network([cn.Layer([[1.0]], [-1.0], step)])
    p = float(net([1.5])[0])
    np.testing.assert_allclose(net.predict_proba([[1.5]]), [[1 - p, p]], rtol=ROUNDED)
    # a knee is off by h over the distance from it, here 0.5, times how much the slope changes
    assert p == pytest.approx(0.75, abs=1e-4)
    for slopes, offset in (((0.0, 1.0, 0.0), 0.0), ((0.0, 0.5, 0.1), 0.0), ((0.0, 0.5, 0.0), 1.0)):
        other = cn.PiecewiseLinear(knots=(-1.0, 1.0), slopes=slopes, offset=offset, h=1e-4)
        with pytest.raises(cn.NetworkError, match="are no probabilities"):
            cn.Network([cn.Layer([[1.0]], activation=other)]).predict_proba([[1.5]])
