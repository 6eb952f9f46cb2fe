"""Codings of inputs: exact round trips, and clear refusals."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

import crn_nn_tellurium as cn

values = st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=2)


def coding(kind, **options):
    return cn.Network([cn.Layer([[1.0, 1.0]])], inputs=kind, **options).input_coding


@pytest.mark.parametrize("kind", ["nonnegative", "signed", "scaled"])
@given(x=values)
def test_read_out_of_the_concentrations_is_the_value(kind, x):
    code = coding(kind, input_range=((-1e3, -2e3), 1e3)) if kind == "scaled" else coding(kind)
    x = np.abs(x) if kind == "nonnegative" else np.array(x)
    concentrations = code.concentrations(x)
    assert np.all(concentrations >= 0)
    for i, row in enumerate(concentrations):
        read_out = code.read_out(i)
        value = read_out.constant + sum(
            c * y for (_, c), y in zip(read_out.terms, row, strict=True)
        )
        np.testing.assert_allclose(value, x[i], atol=1e-12 * 3e3)


@pytest.mark.parametrize(
    ("kind", "options", "x", "message"),
    [
        (
            "nonnegative",
            {},
            [[0, 1], [0, -2]],
            "input 'x1', sample 1: -2.0; a concentration is not negative",
        ),
        ("scaled", {"input_range": (0, 1)}, [-0.5, 0], "input 'x0': -0.5; its range starts at 0.0"),
        ("signed", {}, [[0, np.nan]], "expected a finite number"),
        ("signed", {}, [np.inf, 0], "input 'x0': inf"),
        (
            "signed",
            {},
            [1, 2, 3],
            r"shape \(3,\); expected \(2,\) for one sample or \(n_sam",
        ),
        ("signed", {}, 1.0, r"shape \(\)"),
        ("signed", {}, ["a", "b"], "expected numbers"),
    ],
)
def test_values_that_cannot_be_concentrations_are_refused(kind, options, x, message):
    with pytest.raises(cn.InputError, match=message):
        coding(kind, **options).concentrations(x)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"inputs": "both"}, "expected one of 'nonnegative'"),
        ({"inputs": "scaled"}, r"expected \(low, high\)"),
        ({"inputs": "scaled", "input_range": (0, [1, 2, 3])}, "or 2 numbers"),
        ({"inputs": "scaled", "input_range": (1, 1)}, "finite low < high"),
        ({"inputs": "scaled", "input_range": ([0, 0], [1, np.inf])}, "input 'x1'"),
        ({"inputs": "signed", "input_range": (0, 1)}, "goes with inputs='scaled'"),
    ],
)
def test_a_wrong_range_is_refused(options, message):
    with pytest.raises(cn.NetworkError, match=message):
        cn.Network([cn.Layer([[1.0, 1.0]])], **options)
