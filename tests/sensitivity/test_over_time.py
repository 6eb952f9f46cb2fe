"""Sensitivities along time courses against exact solutions, differences and the steady state."""

import os
import subprocess
import sys

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from support import networks

import crn_nn_tellurium as cn

CORPUS = {case.name: case for case in networks.corpus()}


def test_exact_solution_of_growth_and_decay():
    """dA/dt = a - d A: A = a/d + (A0 - a/d) e^(-d t), with its derivatives."""
    a, d, start = 3.0, 0.5, 2.0
    crn = cn.ReactionNetwork(
        [cn.Species("A", start)],
        [cn.Reaction("J1", (), ("A",), "a", a), cn.Reaction("J2", ("A",), (), "d", d)],
    )
    found = cn.transient_sensitivities(crn, t_end=6.0, n_points=13)
    t, decay = found.time, np.exp(-d * found.time)
    # CVODE works to 1e-10 relative
    np.testing.assert_allclose(
        found.output_values[:, 0], a / d + (start - a / d) * decay, rtol=1e-8
    )
    np.testing.assert_allclose(found["A", "a"], (1 - decay) / d, rtol=1e-7, atol=1e-9)
    by_d = -a / d**2 * (1 - decay) - (start - a / d) * t * decay
    np.testing.assert_allclose(found["A", "d"], by_d, rtol=1e-7, atol=1e-9)


def test_starts_that_are_formulas_are_differentiated():
    """y(0) = w x / q + sqrt(h / q) in the written model: at t = 0 the derivatives are those of the
    formula.
    """
    w, x, h = 1.5, 0.8, 0.04
    net = cn.Network([cn.Layer([[w]], activation=cn.SmoothedReLU(h=h))])
    found = cn.transient_sensitivities(net, [x], t_end=1.0, n_points=3)
    assert np.isclose(found["y0", "k1_0_0"][0], x)
    assert np.isclose(found["y0", "x0"][0], w)
    assert np.isclose(found["y0", "h1"][0], 0.5 / np.sqrt(h))
    given = cn.transient_sensitivities(net, [x], t_end=1.0, n_points=3, initial={"Y1_0": 0.3})
    assert given["y0", "k1_0_0"][0] == 0
    assert given.output_values[0, 0] == 0.3


@pytest.mark.parametrize(
    "name",
    ["SmoothedReLU hidden", "Tanh hidden", "Normalized output", "Swish hidden", "Bump output"],
)
def test_scipy_integrates_the_same_derivatives(name):
    """The variational equations from the network's own Jacobians, by another integrator."""
    case = CORPUS[name]
    crn = cn.to_reactions(case.net, case.x[0])
    chosen = [crn.rate_constants[1], crn.rate_constants[-1], "h1"]
    found = cn.transient_sensitivities(
        crn, t_end=2.0, n_points=5, parameters=chosen, outputs=crn.floating, initial=0.4
    )
    n = len(crn.floating)
    columns = [crn.rate_constants.index(k) for k in chosen]

    def right(_, state):
        x, s = state[:n], state[n:].reshape(n, -1)
        by_constant = crn.rate_constant_jacobian(x).toarray()[:, columns]
        return np.concatenate([crn.right_hand_side(x), (crn.jacobian(x) @ s + by_constant).ravel()])

    start = np.concatenate([np.full(n, 0.4), np.zeros(n * len(chosen))])
    other = solve_ivp(
        right, (0, 2), start, method="LSODA", t_eval=found.time, rtol=1e-10, atol=1e-12
    )
    assert other.success
    # both integrators work to about 1e-9
    np.testing.assert_allclose(found.output_values, other.y[:n].T, rtol=1e-6, atol=1e-8)
    expected = other.y[n:].T.reshape(len(found.time), n, -1)
    np.testing.assert_allclose(found.values, expected, rtol=1e-5, atol=1e-7)


def test_late_times_end_at_the_steady_states_sensitivities():
    case = CORPUS["xor"]
    late = cn.transient_sensitivities(case.net, case.x[1], t_end=300.0, n_points=2)
    steady = cn.sensitivities(cn.to_reactions(case.net, case.x[1]))
    for k in late.parameters:
        assert np.isclose(late["y0", k][-1], steady["y0", k], rtol=1e-6, atol=1e-8), k


def test_many_parameters_take_several_models_and_the_same_answer(monkeypatch):
    case = CORPUS["SmoothedReLU hidden"]
    at_once = cn.transient_sensitivities(case.net, case.x[0], t_end=2.0, n_points=3)
    monkeypatch.setattr("crn_nn_tellurium.sensitivity.over_time.EQUATIONS_PER_MODEL", 20)
    in_parts = cn.transient_sensitivities(case.net, case.x[0], t_end=2.0, n_points=3)
    np.testing.assert_allclose(in_parts.values, at_once.values, rtol=1e-6, atol=1e-8)


def test_answers_are_the_same_in_every_process():
    """To the bit: Python orders sets of strings by a seed that differs from process to process."""
    code = """
import numpy as np, crn_nn_tellurium as cn
hidden, scaled = cn.LeakyReLU(0.2, h=0.01), {"inputs": "scaled", "input_range": (-1.0, 3.0)}
net = cn.Network.random([3, 3, 2], hidden, seed=0, **scaled)
found = cn.transient_sensitivities(net, [0.3, 1.0, 2.0], t_end=2.0, n_points=3)
flat = cn.sensitivities(cn.to_reactions(net, [0.3, 1.0, 2.0]))
print(found.values.tobytes().hex(), flat.values.tobytes().hex())
"""
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(printed) == 1
