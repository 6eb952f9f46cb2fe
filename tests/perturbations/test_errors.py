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
    (
        lambda: cn.robustness(XOR, X, [[0], [1, 1]]),
        cn.InputError,
        r"y are \[\[0\], \[1, 1\]\] .*expected labels or numbers",
    ),
    (
        lambda: cn.attack(XOR, X, rates=0.1, restarts=1e308),
        cn.InputError,
        r"restarts is 1e\+308; expected a whole number, 0 or more, 2147483647 at most",
    ),
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
    (lambda: cn.attack(XOR, X, rates=1.0), cn.InputError, "rates is 1.0; expected a relative err"),
    (lambda: cn.attack(XOR, X[:0]), cn.InputError, "no inputs; expected at least one sample"),
    (lambda: cn.attack(XOR, X, output="y7"), cn.InputError, "output is 'y7'; expected one of 'y0'"),
    (lambda: cn.attack(XOR, X, output=True), cn.InputError, "output is True; expected one of 'y0'"),
    (
        lambda: cn.attack(XOR, X, direction="up"),
        cn.InputError,
        "direction is 'up'; expected output= with it",
    ),
    (
        lambda: cn.attack(XOR, X, output=0, direction="left"),
        cn.InputError,
        "direction is 'left'; expected one of 'either'",
    ),
    (lambda: cn.attack(XOR, X, restarts=-1), cn.InputError, "restarts is -1; expected a whole num"),
    (lambda: cn.attack(XOR, X, seed=0.5), cn.InputError, "seed is 0.5"),
    (lambda: cn.attack(XOR, X).ranking(4), cn.InputError, "sample is 4; expected one of 0 to 3"),
    (lambda: cn.attack_margin(XOR, X, limit=1.0), cn.InputError, "limit is 1.0; expected a relat"),
    (
        lambda: cn.statistical_margin(XOR, X, confidence=1.0),
        cn.InputError,
        "confidence is 1.0; expected a share of the draws between 0 and 1",
    ),
    (
        lambda: cn.statistical_margin(XOR, X, draws=367),
        cn.InputError,
        "draws is 367; expected at least 368: were all of fewer right",
    ),
    (
        lambda: cn.statistical_margin(XOR, X, limit=0),
        cn.InputError,
        "limit is 0; expected a finite",
    ),
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
