"""Random errors that are none are refused."""

import numpy as np
import pytest

import crn_nn_tellurium as cn

REFUSED = [
    (
        lambda: cn.RateErrors(cv=-0.1, draws=8),
        cn.InputError,
        "cv is -0.1; expected a coefficient of variation >= 0",
    ),
    (lambda: cn.RateErrors(cv=[0.1, np.nan], draws=8), cn.InputError, "cv is"),
    (lambda: cn.RateErrors(cv=[], draws=8), cn.InputError, r"cv is \[\]"),
    (lambda: cn.RateErrors(cv="0.1", draws=8), cn.InputError, "cv is '0.1'"),
    (lambda: cn.RateErrors(cv=np.array(0.1), draws=8), cn.InputError, r"cv is array\(0.1\)"),
    (lambda: cn.RateErrors(cv=0.1, draws=0), cn.InputError, "draws is 0"),
    (lambda: cn.RateErrors(cv=0.1, draws=1.5), cn.InputError, "draws is 1.5"),
    (lambda: cn.RateErrors(cv=0.1, seed="a", draws=8), cn.InputError, "seed is 'a'"),
    (lambda: cn.RateErrors(cv=0.1, seed=-1, draws=8), cn.InputError, "seed is -1"),
]


@pytest.mark.parametrize(("call", "error", "message"), REFUSED)
def test_errors_say_what_is_wrong(call, error, message):
    with pytest.raises(error, match=message):
        call()
