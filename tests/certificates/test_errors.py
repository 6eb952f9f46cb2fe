"""Certificates, enclosures, balancing and the choice of h: what they refuse, and what they say."""

from dataclasses import dataclass

import numpy as np
import pytest
from support.networks import Bump, Copy, Repressed

import crn_nn_tellurium as cn

XOR, X = cn.load_model("xor"), cn.model_data("xor")[0]
BOX = cn.Interval([0.0, 0.0], [1.0, 1.0])

LINEAR = cn.Network.random([2, 3, 1], seed=0, output=cn.Linear(h=0.1))


@dataclass(frozen=True)
class Vanishing(Bump):
    """Whose author says that there is nothing."""

    def concentrations(self, z):
        return 0.0 * super().concentrations(z)


@dataclass(frozen=True)
class MadeByItself(Copy):
    """dM/dt = Y M - M^2: it has the right fixed point, and stays at 0 from 0."""

    local_reactions = (
        cn.LocalReaction(("Y", "M"), ("Y", "M", "M"), "s"),
        cn.LocalReaction(("M", "M"), ("M",), "d"),
    )


def of_one(kind):
    return cn.Network([cn.Layer([[1.0]], activation=kind(h=0.1)), cn.Layer([[1.0]])])


REFUSED = [
    # what overflows, without a warning beside it
    (
        lambda: cn.certify(LINEAR, [1e308, 0.5], bound="cheap"),
        cn.NotCertified,
        "sample 0: its bound overflows, so nothing is certified",
    ),
    (
        lambda: cn.certify(LINEAR, [[1.0, 0.5], [1e308, 0.5], [1e308, 0.5]], bound="cheap"),
        cn.NotCertified,
        "sample 1: its bound overflows, so nothing is certified",
    ),
    (
        lambda: cn.certify(LINEAR, [1e200, 0.5]),
        cn.ConvergenceError,
        "could not be integrated between t = .* and .*: CVODE.s steps .*; a box of starts",
    ),
    (lambda: cn.enclosure(LINEAR, [1e308, 0.5]), cn.NotCertified, "has no bound for these inputs"),
    (
        lambda: cn.certified_margin(LINEAR, [[1e308, 0.5]]),
        cn.NotCertified,
        "has no bound for these inputs",
    ),
    # certify, settling_time
    (
        lambda: cn.certify(XOR, [0, 1], tolerance=0),
        cn.InputError,
        "tolerance is 0; expected a finite number > 0",
    ),
    (lambda: cn.certify(XOR, [0, 1], tolerance=float("nan")), cn.InputError, "tolerance is nan"),
    (lambda: cn.certify(XOR, [0, 1], tolerance="small"), cn.InputError, "tolerance is 'small'"),
    (lambda: cn.certify(XOR, [0, 1], initial_max=-1), cn.InputError, "initial_max is -1"),
    (
        lambda: cn.certify(XOR, [0, 1], rates=1.0),
        cn.InputError,
        "rates is 1.0; expected a relative error",
    ),
    (
        lambda: cn.certify(XOR, [0, 1], bound="tight"),
        cn.InputError,
        "bound is 'tight'; expected one of 'envelope', 'cheap'",
    ),
    (
        lambda: cn.certify(XOR, [0, 1], initial=(2.0, 1.0)),
        cn.InputError,
        "starts between 2 and 1; expected lower <= upper",
    ),
    (lambda: cn.certify(XOR, [0, 1], initial={"Z": 1.0}), cn.InputError, "initial names 'Z'"),
    (
        lambda: cn.certify(XOR, [0, 1], initial=-1.0),
        cn.InputError,
        "expected a finite concentration >= 0",
    ),
    (
        lambda: cn.certify(XOR, [0, 1], initial=True),
        cn.InputError,
        "initial is True; expected a finite concentration >= 0",
    ),
    (
        lambda: cn.certify(XOR, [0, 1], initial=[1.0, 2.0]),
        cn.InputError,
        r"expected a number, \(4,\) numbers",
    ),
    (
        lambda: cn.certify(XOR, [0, 1], bound="cheap", rates=0.1),
        cn.InputError,
        "you need bound=.envelope.",
    ),
    (
        lambda: cn.certify(XOR, [0, 1], bound="cheap", initial=1.0),
        cn.InputError,
        "you need bound=.envelope.",
    ),
    *(
        (lambda x=x, bound=bound: cn.certify(XOR, x, bound=bound), cn.InputError, message)
        for x, message in (
            ([0, 1, 2], "shape"),
            ([-1, 0], "negative"),
            (np.empty((0, 2)), "at least one sample"),
        )
        for bound in ("envelope", "cheap")
    ),
    *(
        (
            lambda value=value: cn.certify(XOR, [1, 0], 0.01, {"Y1_0": value}),
            cn.InputError,
            "initial of 'Y1_0'",
        )
        for value in ("a", (0, 1), None, True)
    ),
    (
        lambda: cn.certify(XOR, [1, 0], 0.01, bound="cheap").in_units(3.0),
        cn.InputError,
        r"units: got float; expected Units, PhysicalUnits\(c0, tau\) or fastest_units",
    ),
    (
        lambda: cn.certify(cn.to_reactions(XOR), [0, 1]),
        cn.NotCertified,
        "cannot tell whether its positive fixed point is the only one",
    ),
    (lambda: cn.certify("xor", [0, 1]), cn.NetworkError, "load_model.'xor'. gives it"),
    (
        lambda: cn.certify(XOR, [0, 1], engine=3),
        cn.InputError,
        "engine is 3",
    ),
    (
        lambda: cn.settling_time(XOR, [0, 1], on_error="skip"),
        cn.InputError,
        "on_error is 'skip'",
    ),
    *(
        (lambda call=call: call(XOR, [[0, 1], [1]]), cn.InputError, "expected numbers")
        for call in (cn.settling_time, cn.enclosure, cn.certified_margin)
    ),
    # enclosures and margins
    *(
        (lambda call=call: call(XOR, np.empty((0, 2))), cn.InputError, "at least one sample")
        for call in (cn.enclosure, cn.certified_margin)
    ),
    *(
        (
            lambda limit=limit: cn.certified_margin(XOR, [1, 0], limit=limit),
            cn.InputError,
            "limit is",
        )
        for limit in (0, 1.0, "a")
    ),
    *(
        (lambda rates=rates: cn.enclosure(XOR, [0, 1], rates), cn.InputError, "rates is")
        for rates in (-0.1, 1.0, "a", None)
    ),
    (lambda: cn.enclosure(XOR, [0, 1], 0.1, inputs=-1), cn.InputError, "inputs is"),
    (lambda: cn.Interval([0.0, 1.0], [1.0, 0.5]), cn.InputError, "above upper bound"),
    (lambda: cn.Interval([0.0, 1.0], [1.0, 0.5, 2.0]), cn.InputError, "expected one shape"),
    # choose_h
    (
        lambda: cn.choose_h(XOR, X, n_points=5),
        cn.InputError,
        "neither max_error nor max_time is given",
    ),
    (
        lambda: cn.choose_h(XOR, X, n_points=5, max_error=0.0),
        cn.InputError,
        r"max_error is 0.0; expected a finite number > 0",
    ),
    (lambda: cn.choose_h(XOR, X, n_points=5, max_time=np.nan), cn.InputError, "max_time is nan"),
    (
        lambda: cn.choose_h(XOR, X, n_points=5, max_error=0.1, tolerance=-1),
        cn.InputError,
        "tolerance is -1",
    ),
    (
        lambda: cn.choose_h(XOR, X, n_points=5, max_error=1e-9),
        cn.InputError,
        r"max_error is 1e-09; the smallest error found .* a smaller h than 1e-08",
    ),
    (
        lambda: cn.choose_h(XOR, X, n_points=5, max_error=0.01, volume=100.0),
        cn.InputError,
        r"max_error is 0.01; the smallest error at volume 100, of which .* or a larger volume",
    ),
    (
        lambda: cn.choose_h(XOR, X, n_points=5, max_error=0.1, volume=0.0),
        cn.InputError,
        r"volume is 0.0; expected a finite number > 0",
    ),
    (
        lambda: cn.choose_h(XOR, X, n_points=5, max_time=1.0),
        cn.InputError,
        r"max_time is 1.0; the smallest settling time found .* a larger h than 1",
    ),
    (
        lambda: cn.choose_h(XOR, X, n_points=5, max_error=0.01, max_time=50.0),
        cn.InputError,
        "no h from 1e-08 to 1 was found that meets both: with that error the fastest settles"
        r" by t = 165.\d+, and by that time the smallest",
    ),
    (
        lambda: cn.choose_h(XOR, X, n_points=5, max_error=0.01, max_time=1.0),
        cn.InputError,
        r"max_time is 1.0; the smallest settling time",
    ),
    (
        lambda: cn.choose_h(XOR, X, n_points=5, max_error=0.1, h_range=(1.0, 1e-3)),
        cn.InputError,
        "h_range is .*; expected the least and the largest h",
    ),
    (
        lambda: cn.choose_h(XOR, X, n_points=5, max_error=0.1, h_range=0.1),
        cn.InputError,
        "h_range is 0.1",
    ),
    (
        lambda: cn.choose_h(XOR, X, max_error=0.1, n_points=1),
        cn.InputError,
        "n_points is 1; expected a whole number, 2 or more",
    ),
    (
        lambda: cn.choose_h(XOR, X, n_points=5, max_error=0.1, y=[0, 1]),
        cn.InputError,
        r"y has shape \(2,\); expected \(4,\)",
    ),
    (
        lambda: cn.choose_h(XOR, X, n_points=5, max_error=0.1, reference=[0, 1]),
        cn.InputError,
        r"reference has shape \(2,\); expected \(4, 1\)",
    ),
    (
        lambda: cn.choose_h(XOR, X, n_points=5, max_error=0.1, reference="own"),
        cn.InputError,
        "reference: 'own' cannot be read as numbers",
    ),
    (
        lambda: cn.choose_h(XOR, X, n_points=5, max_error=0.1, reference=[[0], [1], [np.inf], [0]]),
        cn.InputError,
        "reference of sample 2, output 0: inf",
    ),
    (
        lambda: cn.choose_h(XOR, X, n_points=5, max_error=0.1, bound="loose"),
        cn.InputError,
        "bound is 'loose'",
    ),
    (lambda: cn.choose_h(XOR, np.empty((0, 2)), max_error=0.1), cn.InputError, "no inputs"),
    (lambda: cn.choose_h(XOR, BOX, max_error=0.05), cn.InputError, "X is an Interval"),
    (
        lambda: cn.choose_h(
            cn.Network.random([2, 2, 1], cn.Tanh(), seed=0), [[1.0, 1.0]], max_error=0.1
        ),
        cn.NetworkError,
        r"h is part of the function of all its activations \(Tanh\)",
    ),
    # balance
    (lambda: cn.balance(XOR, BOX), cn.InputError, "X is an Interval"),
    (
        lambda: cn.balance(XOR, X, 0.5),
        cn.InputError,
        r"max_rate_constant is 0.5; expected a finite number, 1 or more, since 2 Y => Y",
    ),
    (lambda: cn.balance(XOR, X, np.inf), cn.InputError, "max_rate_constant is inf"),
    (lambda: cn.balance(XOR, np.empty((0, 2))), cn.InputError, "no inputs"),
    (lambda: cn.balance(XOR, [1.0, 2.0, 3.0]), cn.InputError, r"inputs have shape \(3,\)"),
    (lambda: cn.balance(XOR, tolerance=0), cn.InputError, "tolerance is 0"),
    (
        lambda: cn.balance(cn.to_reactions(XOR)),
        cn.NotCertified,
        "give the Network, not its reactions",
    ),
    (
        lambda: cn.certify(LINEAR, np.zeros((1, 1, 2))),
        cn.InputError,
        r"inputs have shape \(1, 1, 2\); expected \(n_samples, 2\) or \(2,\)",
    ),
    # activations of the user's own
    (
        lambda: cn.certify(of_one(Vanishing), [0.5], bound="cheap"),
        cn.NotCertified,
        r"the closed form of Vanishing\(h=0.1\) gives a concentration that is not positive",
    ),
    (
        lambda: cn.certify(of_one(Repressed), [0.5], bound="cheap"),
        cn.NotCertified,
        r"'layer1': rail 'Yn' of Repressed\(h=0.1\) takes part in local reactions",
    ),
    (
        lambda: cn.enclosure(of_one(MadeByItself), [0.5], rates=0.1),
        cn.NotCertified,
        r"species 'M' of MadeByItself\(h=0.1\) is made by no reaction without itself",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), REFUSED)
def test_errors_say_what_is_wrong(call, error, message):
    with pytest.raises(error, match=message):
        call()
