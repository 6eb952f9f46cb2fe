"""What has no noise, or no smallest volume, is refused in words."""

import numpy as np
import pytest

import crn_nn_tellurium as cn

XOR, X = cn.load_model("xor"), [[0, 0], [0, 1]]
# a line of steady states, prey and predators about a centre, and a state that is left
GROWS = "A -> 2 A; k*A; A -> ; l*A; k = 1; l = 1; A = 2"
CENTRE = "A -> 2 A; k*A; A + B -> 2 B; m*A*B; B -> ; l*B; k = 1; m = 1; l = 1; A = 1; B = 1"
SADDLE = "2 A -> 3 A; k*A^2; A -> ; l*A; k = 1; l = 2; A = 2"
REGRESSION = cn.Network([cn.Layer([[1.0]])], task="regression")

REFUSED = [
    (
        lambda: cn.smallest_volume(XOR, X, [[1], [0, 1]]),
        cn.InputError,
        "y are .*; expected a list of labels",
    ),
    (
        lambda: cn.smallest_volume(XOR, X).share("much"),
        cn.InputError,
        "volume: 'much' cannot be read as numbers",
    ),
    (lambda: cn.noise(XOR, X, volume=0), cn.InputError, "volume is 0; expected a finite number >"),
    (lambda: cn.noise(XOR, X, volume="1"), cn.InputError, "volume is '1'"),
    (lambda: cn.noise(XOR, X, volume=1).at(-2), cn.InputError, "volume is -2"),
    (lambda: cn.noise(XOR, volume=1), cn.InputError, "a Network needs its input values"),
    (lambda: cn.noise(XOR, [[0, 0, 0]], volume=1), cn.InputError, r"inputs have shape \(1, 3\)"),
    (
        lambda: cn.noise(GROWS, volume=1),
        cn.SingularJacobianError,
        "small changes of its steady state do not die down",
    ),
    (
        lambda: cn.noise(CENTRE, volume=1),
        cn.SingularJacobianError,
        "fluctuations add up without end",
    ),
    (lambda: cn.noise(SADDLE, volume=1), cn.ConvergenceError, "is unstable, a small change grows"),
    (
        lambda: cn.noise(REGRESSION, [1.0], volume=1).probabilities,
        cn.NetworkError,
        "the model has no classes",
    ),
    (
        lambda: cn.smallest_volume(REGRESSION, [1.0]),
        cn.NetworkError,
        "smallest_volume: network .* is for regression",
    ),
    (lambda: cn.smallest_volume(GROWS, X), cn.NetworkError, "this needs a Network"),
    (lambda: cn.smallest_volume(XOR, X, [0]), cn.InputError, r"expected \(2,\), a label per"),
    (lambda: cn.smallest_volume(XOR, X, [0, 7]), cn.InputError, "targets hold the label 7"),
    (
        lambda: cn.smallest_volume(XOR, X, confidence=0.5),
        cn.InputError,
        "confidence is 0.5; expected a probability above 1/2",
    ),
    (lambda: cn.smallest_volume(XOR, X, confidence=1), cn.InputError, "confidence is 1; expected"),
    (lambda: cn.smallest_volume(XOR, X, verify=-1), cn.InputError, "verify is -1"),
    (lambda: cn.smallest_volume(XOR, X, draws=0), cn.InputError, "draws is 0"),
    (lambda: cn.smallest_volume(XOR, X, units=10), cn.InputError, "units: got int"),
    (lambda: cn.smallest_volume(XOR, np.empty((0, 2))), cn.InputError, "no inputs; expected at"),
    (lambda: cn.noise(XOR, np.empty((0, 2)), volume=1), cn.InputError, "no inputs; expected at"),
    (lambda: cn.smallest_volume(XOR, X).litres, cn.InputError, "what a concentration of 1 is was"),
    (lambda: cn.smallest_volume(XOR, X).of_share(0), cn.InputError, "share is 0; expected"),
]


@pytest.mark.parametrize(("call", "error", "words"), REFUSED)
def test_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()
