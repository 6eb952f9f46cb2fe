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
