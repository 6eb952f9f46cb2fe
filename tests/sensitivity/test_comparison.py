"""The report: passes where it should, and fails readably."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from support import networks
from support.tolerances import ROUNDED, SOLVED

import crn_nn_tellurium as cn
from crn_nn_tellurium.sensitivity import gradients


def test_all_methods_side_by_side():
    report = cn.check_gradients(cn.load_model("xor"), [[0.2, 1.0], [1.0, 1.0]], [1.0, 0.0])
    assert report.passed
    assert set(report.worst) == {
        "forward",
        "closed_form",
        "finite_difference",
        "control_coefficients",
    }
    frame = report.to_frame()
    assert frame.index[0] == "w1_0_0"
    np.testing.assert_allclose(frame["adjoint"], frame["closed_form"], rtol=SOLVED, atol=ROUNDED)


def test_ways_to_a_gradient_at_a_read_out_time_side_by_side(monkeypatch):
    asked = cn.load_model("xor"), [[0.2, 1.0], [1.0, 0.0]], [1.0, 0.0]
    report = cn.check_gradients(*asked, time=1.5, initial=0.3)
    assert report.passed
    assert list(report.worst) == ["forward", "finite_difference"]
    assert repr(report).startswith("GradientCheck: passed, 11 parameters at t = 1.5")
    # one that reads a millionth of the time too late is found
    right = gradients.adjoint_at_a_time
    late = {"adjoint": lambda problem: right(replace(problem, time=1.5 * (1 + 1e-6)))}
    monkeypatch.setattr(gradients, "_AT_A_TIME", gradients._AT_A_TIME | late)
    methods = ["forward", "adjoint"]
    assert not cn.check_gradients(*asked, methods=methods, time=1.5, initial=0.3).passed


@pytest.mark.parametrize("activation", [cn.Linear(h=0.1), cn.HardSigmoid(h=0.1)], ids=str)
def test_rails_that_cancel_on_the_way_are_no_disagreement(activation):
    """A linear unit of held inputs starts at its value and stays there; a saturated one is flat."""
    net = cn.Network([cn.Layer([[1.2, 30.0]], [20.3], activation)])
    ways = ["adjoint", "forward"]
    report = cn.check_gradients(net, [[0.4, 0.5]], [[0.3]], methods=ways, time=1.0)
    assert report.passed, report


@dataclass(frozen=True)
class WrongSlope(cn.SmoothedReLU):
    """A derivative that forgets the smoothing: what a user's slip looks like."""

    def derivative(self, z):
        return (np.asarray(z) > 0).astype(float)


def test_a_wrong_derivative_is_found_and_shown():
    net = cn.Network([cn.Layer([[1.0, -1.0]], [0.1], WrongSlope(h=0.1))])
    report = cn.check_gradients(
        net, [[0.3, 0.2]], [[1.0]], methods=["adjoint", "closed_form", "finite_difference"]
    )
    assert not report.passed
    lines = repr(report).splitlines()
    assert lines[0] == "GradientCheck: FAILED, 4 parameters"
    assert lines[1].startswith("  FAIL closed_form")
    assert " at w1_0_0: " in lines[1] or " at b1_0: " in lines[1]
    assert lines[2].startswith("  ok   finite_difference")


def test_a_method_without_a_formula_is_left_out_with_its_reason():
    @dataclass(frozen=True)
    class NoFormula(networks.Swish):
        h_derivative = cn.Activation.h_derivative

    net = cn.Network([cn.Layer([[1.0]], activation=NoFormula(h=0.1))])
    report = cn.check_gradients(
        net, [[1.0]], [[1.0]], methods=["adjoint", "forward", "closed_form"]
    )
    assert report.passed
    assert "closed_form           not run: NoFormula: the derivative" in repr(report)
