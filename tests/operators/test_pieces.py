"""Pieces against the functions that they stand for, everywhere."""

import math

import numpy as np
import pytest
from support.tolerances import DIFFERENCED, LAST_DIGIT, LAST_DIGITS

import crn_nn_tellurium as cn
from crn_nn_tellurium import operators as ops
from crn_nn_tellurium.operators.pieces import distance, fitted, smoothing_error, steepest

FAR = np.concatenate([[-1e12, -1e6], np.linspace(-60, 60, 100_003), [1e6, 1e12]])
"""Points that no fit has seen."""
SMOOTH = [
    ops.sigmoid(),
    ops.tanh(),
    ops.softplus(),
    ops.softplus(3.0),
    ops.log_sigmoid(),
    ops.silu(),
    ops.gelu(),
    ops.gelu(by_tanh=True),
    ops.mish(),
    ops.elu(),
    ops.elu(1.67, 1.05),
    ops.elu(2.0, 1.0, 2.0),
    ops.softsign(),
    ops.tanh_shrink(),
    ops.hard_swish(),
    ops.erf(),
]
EXACT = [
    ops.identity(),
    ops.relu(),
    ops.absolute(),
    ops.leaky_relu(0.2),
    ops.leaky_relu(-3.0),
    ops.clip(0.0, 6.0),
    ops.clip(-1.0, 2.0),
    ops.clip(-math.inf, 2.0),
    ops.clip(-1.0, math.inf),
    ops.clip(0.0, math.inf),
    ops.clip(-math.inf, math.inf),
    ops.hard_sigmoid(),
    ops.hard_sigmoid(0.2, 0.4),
    ops.soft_shrink(0.7),
]


@pytest.mark.parametrize("function", SMOOTH, ids=str)
@pytest.mark.parametrize("max_error", [1e-2, 2e-3])
def test_pieces_are_as_near_as_asked_however_far_out(function, max_error):
    h = (max_error / 100) ** 2
    fit = fitted(function, max_error, h)
    assert fit.error <= max_error
    with np.errstate(over="ignore"):
        off = np.abs(fit.activation(FAR) - function.of(FAR))
    # rounding of 1e12, where a function is its argument
    assert np.all(off <= fit.error * (1 + 1e-3) + 1e-15 * np.abs(FAR) * 8)


@pytest.mark.parametrize("function", SMOOTH, ids=str)
def test_pieces_are_as_few_as_the_theory_has(function):
    """k pieces reach (integral of sqrt|f''|)^2 / (16 k^2), which two lines to the ends and knots
    at kinks make somewhat more.
    """
    z = np.linspace(-60, 60, 120_001)
    z = z[~np.isin(z.round(9), function.kinks)]
    second = np.abs(np.diff(np.diff(function.of(z)) / np.diff(z))) / np.diff(z)[1:]
    # three steps of 1e-3, over which a second difference sees the kink
    at_a_kink = np.isclose(z[1:-1, None], [*function.kinks, math.inf], atol=3e-3).any(axis=1)
    integral = np.sqrt(np.where(at_a_kink, 0.0, second)).sum() * 1e-3
    few = integral / (4 * math.sqrt(1e-2))
    assert len(fitted(function, 1e-2, 1e-10).activation.knots) <= 1.3 * few + 4


@pytest.mark.parametrize("function", EXACT, ids=str)
def test_exact_counterparts_are_off_by_their_knees_alone(function):
    activation = function.counterpart(1e-6)
    error = smoothing_error(activation)
    off = np.abs(activation(FAR) - function.of(FAR))
    assert np.all(off <= error + LAST_DIGIT * np.abs(FAR) * 8)
    # and the bound is met somewhere, within its factor of two for knees that partly cancel
    assert error == 0 or off.max() >= error / 3
    assert error <= 4 * math.sqrt(1e-6)


@pytest.mark.parametrize("function", [f for f in SMOOTH if f.algebraic], ids=str)
def test_algebraic_counterparts_have_their_slope_and_the_distance_that_is_told(function):
    z = np.array([-1e-6, 1e-6])
    slopes = [np.diff(f(z))[0] / 2e-6 for f in (function.of, function.algebraic)]
    np.testing.assert_allclose(*slopes, rtol=DIFFERENCED)
    off = np.abs(function.algebraic(FAR) - function.of(FAR)).max()
    # places near the largest distance, no nearer than FAR's are to each other
    np.testing.assert_allclose(distance(function, function.algebraic), off, rtol=1e-6)


def test_a_range_needs_fewer_pieces():
    whole, near = fitted(ops.silu(), 1e-3, 1e-10), fitted(ops.silu(), 1e-3, 1e-10, -1.0, 1.0)
    assert len(near.activation.knots) < len(whole.activation.knots) / 2
    z = np.linspace(-1, 1, 10_001)
    assert np.abs(near.activation(z) - ops.silu().of(z)).max() <= near.error * 1.001


def test_what_runs_into_no_line_needs_a_range():
    with pytest.raises(cn.NetworkError, match=r"exp: it runs into no straight line, .* give data="):
        fitted(ops.exponential(), 1e-2, 1e-8)
    z = np.linspace(-9, 1, 10_001)
    fit = fitted(ops.exponential(), 1e-2, 1e-8, -math.inf, 1.0)
    # max_error, by default
    assert np.abs(fit.activation(z) - np.exp(z)).max() <= fit.error <= 1e-2


def test_knees_that_are_too_round_are_refused():
    with pytest.raises(cn.NetworkError, match=r"hardswish: .* h=1 to be smaller"):
        fitted(ops.hard_swish(), 1e-3, 1.0)


@pytest.mark.parametrize("function", [ops.sigmoid(), ops.tanh(), ops.softsign()], ids=str)
def test_the_class_of_two_is_kept(function):
    """The pieces pass through the function's value at 0, and rise."""
    activation = fitted(function, 1e-2, 1e-10).activation
    np.testing.assert_allclose(activation(0.0), function.of(np.zeros(1))[0], atol=LAST_DIGITS)
    z = np.array([-1e-3, 1e-3])
    assert np.diff(activation(z))[0] > 0


@pytest.mark.parametrize(
    ("function", "slope"),
    [(ops.sigmoid(), 0.25), (ops.tanh(), 1.0), (ops.leaky_relu(-3.0), 3.0), (ops.gelu(), 1.1289)],
    ids=str,
)
def test_the_steepest_slope_is_known(function, slope):
    found = steepest(function, -math.inf, math.inf)
    assert slope <= found <= 1.002 * slope
