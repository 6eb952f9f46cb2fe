"""Sensitivities along time courses against exact solutions, differences and the steady state."""

import os
import subprocess
import sys

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from support import networks
from support.tolerances import DIFFERENCED, IN_TIME, INTEGRATED, SOLVED

import crn_nn_tellurium as cn
from crn_nn_tellurium.networks.parameter_vector import from_vector, parameters, to_vector
from crn_nn_tellurium.sensitivity.finite_differences import central_difference

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
    np.testing.assert_allclose(found["A", "a"], (1 - decay) / d, rtol=IN_TIME, atol=SOLVED)
    by_d = -a / d**2 * (1 - decay) - (start - a / d) * t * decay
    np.testing.assert_allclose(found["A", "d"], by_d, rtol=IN_TIME, atol=SOLVED)


def test_entries_of_the_jacobian_have_different_names_whatever_species_are_called():
    """A by B_C and A_B by C: each follows a species that decays, with an exact solution."""
    decay = {"B_C": ("k3", 0.3), "C": ("k4", 0.7)}
    made = {"A": ("B_C", 2.0), "A_B": ("C", 5.0)}
    reactions = [cn.Reaction(f"J{s}", (s,), (), k, v) for s, (k, v) in decay.items()]
    for own, (source, rate) in made.items():
        reactions.append(cn.Reaction(f"J{own}", (source,), (own, source), f"k_{own}", rate))
    starts = {"A": 0.0, "A_B": 0.0, "B_C": 1.0, "C": 1.0}
    crn = cn.ReactionNetwork([cn.Species(s, v) for s, v in starts.items()], reactions)
    found = cn.transient_sensitivities(crn, t_end=1.5, n_points=4)
    assert "4 points from t = 0 to 1.5, 4 outputs by 4 parameters" in repr(found)
    t = found.time
    for own, (source, rate) in made.items():
        name, k = decay[source]
        # of rate (1 - e^(-k t)) / k
        by_k = rate * (k * t * np.exp(-k * t) - 1 + np.exp(-k * t)) / k**2
        np.testing.assert_allclose(found[own, name], by_k, rtol=IN_TIME, atol=SOLVED)
        others = {other for other, _ in decay.values()} - {name}
        assert all(np.all(found[own, other] == 0) for other in others)


def test_starts_that_are_formulas_are_differentiated():
    """y(0) = w x / q + sqrt(h / q) in the written model: at t = 0 the derivatives are those of the
    formula.
    """
    w, x, h = 1.5, 0.8, 0.04
    net = cn.Network([cn.Layer([[w]], activation=cn.SmoothedReLU(h=h))])
    found = cn.transient_sensitivities(net, [x], t_end=1.0, n_points=3)
    assert np.isclose(found["y0", "w1_0_0"][0], x)
    assert np.isclose(found["y0", "x0"][0], w)
    assert np.isclose(found["y0", "h1"][0], 0.5 / np.sqrt(h))
    given = cn.transient_sensitivities(net, [x], t_end=1.0, n_points=3, initial={"Y1_0": 0.3})
    assert given["y0", "w1_0_0"][0] == 0
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
    np.testing.assert_allclose(found.output_values, other.y[:n].T, rtol=INTEGRATED, atol=INTEGRATED)
    expected = other.y[n:].T.reshape(len(found.time), n, -1)
    np.testing.assert_allclose(found.values, expected, rtol=IN_TIME, atol=INTEGRATED)


def test_late_times_end_at_the_steady_states_sensitivities():
    case = CORPUS["xor"]
    late = cn.transient_sensitivities(case.net, case.x[1], t_end=300.0, n_points=2)
    steady = cn.sensitivities(case.net, case.x[1])
    assert late.parameters == steady.parameters
    # both are of the same weights; CVODE works to 1e-10, its derivatives to about 1e-8
    np.testing.assert_allclose(late.values[-1], steady.values, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    "name",
    [
        "xor",
        "Tanh hidden",
        "LeakyReLU output",
        "Sigmoid hidden",
        "Normalized hidden",
        "Bump output",
        "skip connections",
        "sparse with an empty row",
    ],
)
def test_of_a_network_derivatives_are_by_its_weights(name):
    """Central differences of time courses of networks with other weights, and at other inputs.

    A weight of an input on two rails has two rate constants, one of a value with a constant in its
    read-out is in biases too, and negative weights have positive rate constants: the derivative is
    by the number itself, from the start on, which depends on it too.
    """
    case = CORPUS[name]
    net, x = case.net, case.x[-1]
    vector = to_vector(net)
    # at a weight or bias of 0 the start has a kink; of the others every fourth, h of the last too
    numbers = np.flatnonzero(vector)[::-4].tolist()
    chosen = [parameters(net)[number].id for number in numbers]
    found = cn.transient_sensitivities(net, x, 3.0, 4, parameters=[*chosen, *net.input_names])

    def outputs(net, x):
        return cn.Simulator(net).time_course(x, 3.0, 4).outputs.ravel()

    for number, name in zip(numbers, chosen, strict=True):
        unit = np.eye(len(vector))[number]
        differences = central_difference(
            lambda step, unit=unit: outputs(from_vector(net, vector + step * unit), x),
            scale=min(0.02, abs(vector[number])),  # no number gets to the kink at 0
            noise=1e-9,  # CVODE works to 1e-10
        )
        expected = differences.value.reshape(4, -1)
        for j, output in enumerate(found.outputs):
            # the noise over the steps that do best
            np.testing.assert_allclose(
                found[output, name], expected[:, j], rtol=1e-5, atol=1e-5, err_msg=name
            )
    for number, name in enumerate(net.input_names):
        step = 1e-4 * np.eye(net.n_in)[number]
        expected = (outputs(net, x + step) - outputs(net, x - step)).reshape(4, -1) / 2e-4
        for j, output in enumerate(found.outputs):
            # the square of the step, and CVODE's noise over it
            np.testing.assert_allclose(found[output, name], expected[:, j], rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_many_parameters_take_several_models_and_the_same_answer(monkeypatch):
    case = CORPUS["SmoothedReLU hidden"]
    at_once = cn.transient_sensitivities(case.net, case.x[0], t_end=2.0, n_points=3)
    monkeypatch.setattr("crn_nn_tellurium.sensitivity.over_time.EQUATIONS_PER_MODEL", 20)
    in_parts = cn.transient_sensitivities(case.net, case.x[0], t_end=2.0, n_points=3)
    np.testing.assert_allclose(in_parts.values, at_once.values, rtol=DIFFERENCED, atol=INTEGRATED)


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


def test_derivatives_by_starts():
    """A -> B -> C at rates 1 and 2: of A at first, e^-t is still A and e^-t - e^-2t is B."""
    text = "A->B; k*A; B->C; q*B; A=1; B=0.5; C=0; k=1; q=2"
    found = cn.transient_sensitivities(
        cn.import_antimony(text), t_end=2, n_points=5, parameters=["A", "B", "k"]
    )
    t = found.time
    np.testing.assert_allclose(found["A", "A"], np.exp(-t), rtol=INTEGRATED)
    np.testing.assert_allclose(found["B", "A"], np.exp(-t) - np.exp(-2 * t), rtol=INTEGRATED)
    np.testing.assert_allclose(found["B", "B"], np.exp(-2 * t), rtol=INTEGRATED)
    np.testing.assert_allclose(found["A", "B"], 0.0)
    # C is what is left of A + B: quadratic laws by differences of starts
    pair = "A+B->C; k*A*B; A={!r}; B=0.5; C=0; k=1"
    found = cn.transient_sensitivities(
        cn.import_antimony(pair.format(1.0)), t_end=2, n_points=3, parameters="A"
    )
    up, down = (
        cn.Simulator(cn.import_antimony(pair.format(1 + h))).time_course(t_end=2, n_points=3)["C"]
        for h in (1e-5, -1e-5)
    )
    # differences: h^2 and 1e-10 / h
    np.testing.assert_allclose(found["C", "A"], (up - down) / 2e-5, rtol=1e-4, atol=1e-5)
