"""Runs that cannot be are refused."""

import numpy as np
import pandas as pd
import pytest

import crn_nn_tellurium as cn
from crn_nn_tellurium.simulation.outcome import Outcome

SIMULATOR = cn.Simulator(cn.Network([cn.Layer([[1.0, 1.0], [2.0, -1.0]])]))
HELD = cn.import_antimony("species $X; X = 1; X -> A; k*X; A -> ; d*A; k = 1; d = 1")

REFUSED = [
    # a volume so small that a meeting of two molecules has an infinite propensity
    (
        lambda: SIMULATOR.time_course([0.0, 1.0], volume=5e-324),
        cn.ConvergenceError,
        "propensities are no finite numbers at t = 0",
    ),
    (lambda: SIMULATOR.steady_state([[1.0, 2.0, 3.0]]), cn.InputError, "one column per input"),
    (
        lambda: SIMULATOR.steady_state(np.zeros((2, 2, 2))),
        cn.InputError,
        r"expected \(n_samples, 2\)",
    ),
    (
        lambda: SIMULATOR.steady_state([1, 2], initial=-1),
        cn.InputError,
        "expected a finite concentration >= 0",
    ),
    (
        lambda: SIMULATOR.steady_state([1, 2], initial=[1.0, 2.0, 3.0]),
        cn.InputError,
        r"expected a number, \(2,\) or \(1, 2\)",
    ),
    (
        lambda: SIMULATOR.steady_state([1, 2], initial={"Z": 1.0}),
        cn.InputError,
        "initial names 'Z'",
    ),
    (
        lambda: SIMULATOR.steady_state([1, 2], method="fast"),
        cn.InputError,
        "expected one of 'units'",
    ),
    (
        lambda: SIMULATOR.steady_state([1, 2], on_error="ignore"),
        cn.InputError,
        "expected one of 'raise', 'nan'",
    ),
    (lambda: SIMULATOR.time_course(np.ones((2, 1, 2))), cn.InputError, "expected \\(n_samples, 2"),
    (lambda: SIMULATOR.time_course([1, 2], t_end=0), cn.InputError, "t_end is 0"),
    (
        lambda: SIMULATOR.time_course([1, 2], t_end=1e-200),
        cn.InputError,
        "t_end is 1e-200; expected 1e-100 or more",
    ),
    (
        lambda: SIMULATOR.time_course([1e10, 2], volume=1e300),
        cn.InputError,
        "which is inf molecules; expected at most",
    ),
    (
        lambda: SIMULATOR.time_course([1, 2], initial=pd.Series([1.0, 2.0], ["Y1_0", "Y1_0"])),
        cn.InputError,
        "initial names 'Y1_0' twice",
    ),
    (lambda: SIMULATOR.time_course([1, 2], t_end="5"), cn.InputError, "t_end is '5'"),
    (lambda: SIMULATOR.time_course([1, 2], n_points=None), cn.InputError, "n_points is None"),
    (lambda: SIMULATOR.time_course([1, 2], seed=-1), cn.InputError, "seed is -1"),
    (lambda: SIMULATOR.time_course([1, 2], steps=[1]), cn.InputError, r"steps are \[1\]"),
    (
        lambda: SIMULATOR.time_course([1, 2], steps={5: [0, 0], 5 + 1e-12: [1, 1]}),
        cn.InputError,
        "too close",
    ),
    (
        lambda: SIMULATOR.steady_state([1, 2], initial=[[1, 2], [3]]),
        cn.InputError,
        "expected a number",
    ),
    (
        lambda: SIMULATOR.steady_state([1, 2], initial={"Y1_0": "a"}),
        cn.InputError,
        "expected a number",
    ),
    (lambda: SIMULATOR.compile("fast"), cn.InputError, "expected one of 'units'"),
    (lambda: SIMULATOR.time_course([1, 2], n_points=1), cn.InputError, "at least 2 points"),
    (
        lambda: SIMULATOR.time_course([1, 2], t_end=5, steps={9: [0, 0]}),
        cn.InputError,
        "change at t = 9",
    ),
    (lambda: SIMULATOR.time_course([1, 2], steps={0: [0, 0]}), cn.InputError, "change at t = 0"),
    (lambda: SIMULATOR.time_course([1, 2], volume=-1), cn.InputError, "volume is -1"),
    (lambda: cn.Simulator(SIMULATOR.net, "cvode"), cn.InputError, "engine is 'cvode'"),
    (lambda: cn.Simulator(SIMULATOR.net, ["roadrunner"]), cn.InputError, r"engine is \['road"),
    (lambda: SIMULATOR.time_course(np.empty((0, 2))), cn.InputError, "expected one sample or more"),
    *(
        (
            lambda number=number: SIMULATOR.time_course([[1, 2]], n_points=2).sample(number),
            cn.InputError,
            "expected a whole number below 1",
        )
        for number in (True, 5, -1, 0.5, "0")
    ),
    (lambda: cn.RateEquations(rtol=0), cn.InputError, "rtol is 0; expected a number > 0"),
    (lambda: cn.Roadrunner(atol=-1), cn.InputError, "atol is -1; expected a concentration"),
    (lambda: SIMULATOR.time_course([1, 2], volume=1e30), cn.InputError, r"expected at most 2\^53"),
    (lambda: SIMULATOR.time_course([1, 2], draws=5), cn.InputError, "expected a volume with it"),
    (lambda: SIMULATOR.time_course([1, 2], seed=5), cn.InputError, "seed is 5, of a time course"),
    (lambda: SIMULATOR.time_course([1, 2], volume=1, draws=0), cn.InputError, "draws is 0"),
    (lambda: SIMULATOR.time_course([1, 2], volume=1, seed=-1), cn.InputError, "seed is -1"),
    (lambda: SIMULATOR.time_course([1, 2]).mean, cn.InputError, "has draws=None; expected 1 or"),
    (
        lambda: SIMULATOR.time_course([1, 2], volume=1, draws=1).spread,
        cn.InputError,
        "has draws=1; expected 2 or more",
    ),
    (
        lambda: cn.Simulator("A -> ; k*A; k = 1e308; A = 100").time_course(volume=1),
        cn.ConvergenceError,
        "propensities are no finite numbers at t = 0",
    ),
    (
        lambda: SIMULATOR.time_course(np.ones((3, 2)), steps={9: np.ones((2, 2))}),
        cn.InputError,
        "one row for each of 3 samples",
    ),
    (lambda: SIMULATOR.time_course([1, 2]).sample(0), cn.InputError, "of one sample"),
    *(
        (lambda text=text: Outcome(text), ValueError, "not a valid Kind")
        for text in ("", "fine", "failedly", "solved by hand")
    ),
    *(
        (
            lambda value=value: cn.Simulator(HELD).steady_state([[value]]),
            cn.InputError,
            "inputs are concentrations of its boundary species; expected finite numbers >= 0",
        )
        for value in (-1.0, np.nan, np.inf)
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), REFUSED)
def test_errors_say_what_is_wrong(call, error, message):
    with pytest.raises(error, match=message):
        call()
