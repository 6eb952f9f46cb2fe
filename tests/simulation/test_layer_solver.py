"""What becomes of a sample, from what becomes of its units and of the stages that solve them."""

from dataclasses import replace

import numpy as np
import pytest
from support.failures import fail_to_solve

import crn_nn_tellurium as cn


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_a_unit_that_failed_is_not_forgotten_for_one_that_took_longer(order):
    """z = -1e308 is beyond all numbers; z = 5, from 1, is solved after integration."""
    weights, bias = np.array([[1.0], [5.0]])[order], np.array([-1e308, 0.0])[order]
    net = cn.Network([cn.Layer(weights, bias, cn.SmoothedReLU(h=0.01))])
    found = cn.Simulator(net).steady_state([[1.0]], initial=1.0, on_error="nan")
    assert found.status[0].failed
    assert np.isnan(found.outputs).all()
    good = cn.Network([cn.Layer([[5.0]], activation=cn.SmoothedReLU(h=0.01))])
    assert cn.Simulator(good).steady_state([[1.0]], initial=1.0).status == (
        "solved after integration",
    )


def test_a_stage_that_failed_is_not_forgotten_for_one_that_reads_it(monkeypatch):
    fail_to_solve(monkeypatch, bad=7.0)
    net = cn.Network([cn.Layer([[1.0, 0.5], [0.5, 1.0]], activation=cn.Normalized())])
    # one row is solved in Python's numbers first, many at once
    for x in ([[7.0, 1.0]], [[7.0, 1.0], *np.ones((20, 2))]):
        found = cn.Simulator(net).steady_state(x, on_error="nan")
        assert found.status[0].reason == "layer 'layer1': CVODE failed: made to"
        assert not any(outcome.failed for outcome in found.status[1:])
        np.testing.assert_allclose(found.outputs[1:], net(x)[1:], rtol=1e-11)  # as accuracy has it


def test_what_failed_is_no_number_for_a_stage_that_reads_it(monkeypatch):
    """The places of one stage among the species are a copy when they are chosen by a list."""
    fail_to_solve(monkeypatch, bad=7.0)
    net = cn.Network([cn.Layer([[1.0, 0.5], [0.5, 1.0]], activation=cn.Normalized())])
    x = np.array([[7.0, 1.0], *np.ones((20, 2))])
    found = cn.Simulator(net).layer_solvers[0].settle(x)
    assert np.isnan(found.concentrations[0, 0]).all()  # the rail that fails, and its share
    assert np.isnan(found.concentrations[0, :, 1]).all()  # which all of the layer read
    assert np.isfinite(found.concentrations[1:]).all()


@pytest.mark.parametrize("n", [1, 20])
def test_a_residual_is_that_of_the_worst_unit_in_the_worst_stage(monkeypatch, n):
    """Of one sample in Python's numbers, of many in arrays."""
    net = cn.Network([cn.Layer([[1.0, 0.5], [0.5, 1.0]], activation=cn.Normalized())])
    solver = cn.Simulator(net).layer_solvers[0]
    for unit, worst in zip(solver.units, ([1.0, 3.0], [2.5, 2.0]), strict=True):
        few, many = unit.solve_few, unit.solve
        monkeypatch.setattr(unit, "solve_few", lambda rows, f=few, w=worst: (f(rows)[0], w))
        monkeypatch.setattr(
            unit,
            "solve",
            lambda *given, m=many, w=worst: replace(m(*given), imbalance=np.tile(w, n)),
        )
    found = solver.settle(np.ones((n, 2)))
    assert found.residual.tolist() == [3.0] * n
