"""Perturbations that are none are refused."""

import pytest

import crn_nn_tellurium as cn

XOR, (_, X, _, Y) = cn.load_model("xor"), cn.model_data("xor")

REFUSED = [
    (
        lambda: cn.robustness(XOR, X, Y, noise=-0.1),
        cn.InputError,
        "cv is -0.1; expected a coefficient of variation >= 0",
    ),
    (lambda: cn.robustness(XOR, X, Y, noise=[]), cn.InputError, r"cv is \[\]"),
    (lambda: cn.robustness(XOR, X, Y, noise="0.1"), cn.InputError, "cv is '0.1'"),
    (lambda: cn.robustness(XOR, X, Y, factors=[0.0]), cn.InputError, "factors are"),
    (lambda: cn.robustness(XOR, X, Y, loss="best"), cn.InputError, "loss"),
    (
        lambda: cn.robustness(XOR, X, ["yes"] * len(X)),
        cn.InputError,
        "expected the network's classes",
    ),
    (lambda: cn.robustness(XOR, X, Y[:2]), cn.InputError, r"expected \(n_samples, 2\)"),
    (lambda: cn.robustness(XOR, X[:0], Y[:0]), cn.InputError, "no labels"),
    (lambda: cn.robustness(cn.to_reactions(XOR), X, Y), cn.NotCertified, "give the Network"),
    (
        lambda: cn.robustness(XOR, X, Y, cn.RateErrors(0.01, draws=2)).band(2),
        cn.InputError,
        "level is 2",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), REFUSED)
def test_errors_say_what_is_wrong(call, error, message):
    with pytest.raises(error, match=message):
        call()
