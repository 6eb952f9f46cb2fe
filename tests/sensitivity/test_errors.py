"""Gradients and sensitivities of what has none are refused."""

from dataclasses import dataclass

import numpy as np
import pytest
from support import networks

import crn_nn_tellurium as cn

WIDE, NET = cn.Network.random([2, 3, 2], seed=0), cn.Network.random([2, 3, 1], seed=0)
LINEAR = cn.Network.random([2, 3, 1], seed=0, output=cn.Linear(h=0.1))
SIGMOIDS = cn.Network.random([2, 3, 2], cn.Sigmoid(h=0.01), seed=1)
SHARES = cn.Network.random([2, 3, 2], cn.Absolute(h=0.01), seed=2, output=cn.Normalized(h=0.01))
X, Y = np.random.default_rng(0).random((2, 4, 2))


@dataclass(frozen=True)
class HidesH(cn.Activation):
    rails = (cn.Rail("Y"),)

    @property
    def read_out(self):
        return cn.ReadOut((("Y", self.h),))


@dataclass(frozen=True)
class NoFormula(networks.Swish):
    h_derivative = cn.Activation.h_derivative


def of_one(activation):
    return cn.Network([cn.Layer([[1.0]], activation=activation)])


REFUSED = [
    # gradients
    (lambda: cn.gradient(WIDE, X[0], Y[0]), cn.InputError, r"shape \(2,\).*\(n_samples, 2\)"),
    (lambda: cn.gradient(WIDE, X, Y[:3]), cn.InputError, r"targets have shape \(3, 2\).*\(4, 2\)"),
    (lambda: cn.gradient(WIDE, X, Y * np.nan), cn.InputError, "sample 0"),
    (lambda: cn.gradient(WIDE, X, Y, method="guess"), cn.InputError, "expected one of 'adjoint'"),
    (
        lambda: cn.gradient(WIDE, X, Y, loss="guess"),
        cn.InputError,
        "expected one of 'squared_error'",
    ),
    (
        lambda: cn.gradient(WIDE, X, Y, loss="cross_entropy"),
        cn.InputError,
        "neither shares nor linear",
    ),
    (lambda: cn.gradient(WIDE, X, Y, time=-1.0), cn.InputError, "time is -1.0"),
    (
        lambda: cn.gradient(WIDE, X, Y, time=1.0, method="closed_form"),
        cn.InputError,
        "expected one of 'adjoint', 'forward', 'finite_difference'",
    ),
    (
        lambda: cn.gradient(WIDE, X, Y, method="control_coefficients", inputs=True),
        cn.InputError,
        "use 'adjoint' or 'forward'",
    ),
    (
        lambda: cn.gradient(WIDE, X, Y, loss=(lambda y, t: 0.0, lambda y, t: y)),
        cn.InputError,
        r"gave shape \(\)",
    ),
    (
        lambda: cn.gradient(WIDE, X, Y, loss=(lambda y, t: y[:, 0], lambda y, t: y[:, 0])),
        cn.InputError,
        "derivative of loss",
    ),
    (
        lambda: cn.gradient(
            cn.Network([cn.Layer(np.eye(2), activation=cn.Linear())], class_names=["a", "c"]),
            X,
            ["a", "b", "c", "a"],
            "cross_entropy",
        ),
        cn.InputError,
        r"label 'b'.*classes are \['a', 'c'\]",
    ),
    (
        lambda: cn.gradient(of_one(HidesH()), [[1.0]], [[1.0]]),
        cn.NetworkError,
        r"read_out of HidesH.*depend on h",
    ),
    *(
        (
            lambda method=method: cn.gradient(of_one(HidesH()), [[1.0]], [[1.0]], method=method),
            cn.NetworkError,
            r"read_out of HidesH.*depend on h",
        )
        for method in ("forward", "finite_difference", "control_coefficients")
    ),
    (
        lambda: cn.gradient(of_one(NoFormula()), [[1.0]], [[1.0]], method="closed_form"),
        cn.NetworkError,
        r"define NoFormula\.h_derivative",
    ),
    (
        lambda: cn.check_gradients(
            of_one(NoFormula(h=0.1)), [[1.0]], [[1.0]], methods=["adjoint", "closed_form"]
        ),
        cn.InputError,
        "fewer than two methods could be used",
    ),
    (
        lambda: cn.check_gradients(WIDE, X, Y, methods=["adjoint", "adjoint"]),
        cn.InputError,
        "expected two or more",
    ),
    # sensitivities of steady states
    (lambda: cn.sensitivities(NET), cn.InputError, "needs its input values"),
    (
        lambda: cn.sensitivities(NET, [0, 1], outputs=["z"]),
        cn.InputError,
        "output 'z': expected one of y0",
    ),
    (
        lambda: cn.sensitivities(NET, [0, 1], parameters=["w9_0_0"]),
        cn.InputError,
        "parameter 'w9_0_0': expected one of w1_0_0",
    ),
    (lambda: cn.sensitivities("net", [0, 1]), FileNotFoundError, "there is no such file"),
    (lambda: cn.sensitivities(NET, np.zeros((0, 2))), cn.InputError, "expected one sample or more"),
    *(
        (
            lambda bad=bad: cn.sensitivities(cn.import_antimony("J: A -> ; A; A = 1"), [bad]),
            cn.InputError,
            f"'A' is {bad} in the state; expected a number >= 0",
        )
        for bad in (-1.0, np.nan, np.inf)
    ),
    (
        lambda: cn.sensitivities(cn.to_reactions(NET, [0, 1]), [1.0]),
        cn.InputError,
        r"expected \(4,\)",
    ),
    (
        lambda: cn.sensitivities(NET, [0, 1])["y0", "nothing"],
        KeyError,
        "no parameter of this result",
    ),
    (
        lambda: cn.sensitivities(NET, [[0, 1]]).to_frame(),
        cn.InputError,
        "several samples",
    ),
    (
        lambda: cn.sensitivities(
            cn.ReactionNetwork([cn.Species("A")], [cn.Reaction("J", (), ("A",), "a", 1.0)])
        ),
        cn.ConvergenceError,
        r"come to rest|have not vanished",
    ),
    # what overflows, without a warning beside it
    (
        lambda: cn.gradient(LINEAR, [[1e308, 0.5]], [[1.0]], method="closed_form"),
        cn.ConvergenceError,
        "the loss is inf, and it or a derivative of it is beyond what doubles hold",
    ),
    (
        lambda: cn.gradient(SHARES, [[1e308, 0.5]], [[1.0, 0.0]], time=3.0),
        cn.ConvergenceError,
        "no run of its equations ends; .* may help .* the start is no finite number",
    ),
    (
        lambda: cn.gradient(SIGMOIDS, [[1e31, 0.5]], [[0.0, 0.0]], time=3.0),
        cn.ConvergenceError,
        r"no run of its equations ends; .* \(the integrator gave up .*: lsoda: Repeated",
    ),
    # sensitivities over time
    (lambda: cn.transient_sensitivities(NET), cn.InputError, "needs its input values"),
    (
        lambda: cn.transient_sensitivities(cn.to_reactions(NET), [0, 1]),
        cn.InputError,
        "x goes with a Network",
    ),
    (lambda: cn.transient_sensitivities(NET, [0, 1], t_end=0.0), cn.InputError, "t_end is 0.0"),
    (lambda: cn.transient_sensitivities(NET, [0, 1], n_points=1), cn.InputError, "n_points is 1"),
    (
        lambda: cn.transient_sensitivities(NET, [0, 1], outputs=["Z"]),
        cn.InputError,
        "output 'Z': expected",
    ),
    (
        lambda: cn.transient_sensitivities(NET, [0, 1], parameters=["Y1_0"]),
        cn.InputError,
        "parameter 'Y1_0': expected",
    ),
    (
        lambda: cn.transient_sensitivities(NET, [0, 1], parameters=["h1", "h1"]),
        cn.InputError,
        "parameter 'h1' is named twice",
    ),
    (
        lambda: cn.transient_sensitivities(NET, [0, 1], initial={"Z": 1.0}),
        cn.InputError,
        "initial names 'Z'",
    ),
    (
        lambda: cn.transient_sensitivities(NET, [0, 1], initial=-1.0),
        cn.InputError,
        "expected a finite concentration",
    ),
    # targets that are neither numbers nor labels
    (
        lambda: cn.gradient(NET, [[0, 1]], np.zeros(1, dtype=[("a", float)])),
        cn.InputError,
        r"targets are array\(.*\(records\); expected labels or numbers",
    ),
    (
        lambda: cn.gradient(NET, [[0, 1]], [1j]),
        cn.InputError,
        "targets are complex numbers; loss 'squared_error' expects real ones",
    ),
    *(
        (
            lambda y=y: cn.gradient(NET, [[0, 1]], y),
            cn.InputError,
            "targets are such as 'much'; loss 'squared_error' expects numbers",
        )
        for y in (["much"], [["much"]], np.array(["much"], dtype=object))
    ),
    (
        lambda: cn.gradient(NET, [[0, 1]], [1.0], initial=3.0),
        cn.InputError,
        "initial is 3.0; a start goes with a read-out time, time=3.0 say",
    ),
    # derivatives by one name, or by three
    *(
        (
            lambda key=key: cn.sensitivities(NET, [0, 1])[key],
            KeyError,
            r"expected \(output, parameter\)",
        )
        for key in ("y0", ("y0", "h1", "h2"), 0)
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), REFUSED)
def test_errors_say_what_is_wrong(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_names_from_a_generator_are_read_once():
    """One pass empties it: what was checked is what is used."""
    crn = cn.import_antimony("A -> B; k*A; B -> A; l*B; k = 1; l = 3; A = 4")
    xor, x = cn.load_model("xor"), [0, 1]
    course = {"t_end": 3, "n_points": 3}
    calls = [
        lambda of: cn.sensitivities(crn, outputs=of("B"), parameters=of("k", "A")),
        lambda of: cn.sensitivities(xor, x, outputs=of("y0"), parameters=of("h1", "b1_0")),
        lambda of: cn.transient_sensitivities(crn, outputs=of("B"), parameters=of("k"), **course),
        lambda of: cn.transient_sensitivities(
            xor, x, outputs=of("y0"), parameters=of("h1"), **course
        ),
    ]
    for call in calls:
        once, again = call(lambda *names: iter(names)), call(lambda *names: list(names))
        assert once.parameters == again.parameters
        assert once.outputs == again.outputs
        np.testing.assert_array_equal(once.values, again.values)
    methods = "adjoint", "closed_form"
    report = cn.check_gradients(xor, [x], [[1.0]], methods=(name for name in methods))
    assert tuple(report.values) == methods
