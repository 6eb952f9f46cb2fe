"""Network -> ReactionNetwork: counts, structure, and the fixed point against the closed form and
scipy.
"""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from support.networks import corpus
from support.tolerances import ROUNDED, SOLVED

import crn_nn_tellurium as cn

CORPUS = corpus()


def test_one_reaction_per_weight():
    net = cn.Network([cn.Layer([[1.0, -2.0], [0.0, 3.0]], [0.5, 0.0], cn.SmoothedReLU(h=0.1))])
    crn = cn.to_reactions(net)
    assert [reaction.equation for reaction in crn.reactions] == [
        "=> Y1_0",
        "x0 + Y1_0 => x0 + 2 Y1_0",
        "x1 + Y1_0 => x1",
        "Y1_0 => 2 Y1_0",
        "2 Y1_0 => Y1_0",
        "=> Y1_1",
        "x1 + Y1_1 => x1 + 2 Y1_1",
        "2 Y1_1 => Y1_1",
    ]
    assert dict(zip(crn.rate_constants, crn.constants, strict=True)) == {
        "h1": 0.1, "k1_0_0": 1.0, "k1_0_1": 2.0, "kb1_0": 0.5, "q1": 1.0, "k1_1_1": 3.0,
    }  # fmt: skip


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.name)
def test_the_closed_form_is_a_stable_fixed_point(case):
    net = case.net
    for x in case.x[:2]:
        crn = cn.to_reactions(net, x)
        values = net.forward(x)
        state = np.concatenate(
            [
                layer.activation.concentrations(layer.pre_activation(layer.read(values))).ravel()
                for layer in net.layers
            ]
        )
        assert np.all(crn.balance(state).imbalance < ROUNDED)
        jacobian = crn.jacobian(state).toarray()
        assert np.all(np.linalg.eigvals(jacobian).real < 0)
        np.testing.assert_allclose(
            crn.observe(state)[-net.n_out :], net(x), rtol=ROUNDED, atol=ROUNDED
        )


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.name)
def test_layers_never_disturb_the_ones_before(case):
    net = case.net
    crn = cn.to_reactions(net)
    jacobian = crn.jacobian(np.random.default_rng(0).uniform(0.1, 2, len(crn.floating))).toarray()
    layer_of = np.repeat(
        range(len(net.layers)),
        [layer.n_out * len(layer.activation.species) for layer in net.layers],
    )
    assert not np.any(jacobian[layer_of[:, None] < layer_of[None, :]])


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.name)
def test_start_values_are_upper_bounds_of_the_fixed_point(case):
    for x in case.x[:2]:
        crn = cn.to_reactions(case.net, x)
        steady = cn.Simulator(case.net).steady_state(x)
        followers = {
            "Mp",
            "Mn",
        }  # the test's own activation states a bound for moderate values alone
        checked = [
            i for i, name in enumerate(crn.floating) if name.rstrip("0123456789_") not in followers
        ]
        assert np.all(
            crn.initial_concentrations[checked] >= steady.concentrations[0, checked] * (1 - 1e-12)
        )


@pytest.mark.parametrize("case", CORPUS[::5], ids=lambda case: case.name)
def test_scipy_integrates_the_reactions_to_the_closed_form(case):
    """A third simulator, from an empty tube."""
    x = case.x[0]
    crn = cn.to_reactions(case.net, x)
    end = solve_ivp(
        lambda t, y: crn.right_hand_side(y),
        (0, 3e3),
        np.zeros(len(crn.floating)),
        method="BDF",
        jac=lambda t, y: crn.jacobian(y),
        rtol=1e-9,
        atol=1e-14,
    )
    assert end.success
    # rates are at least 2 sqrt(h) = 0.02 here, so 3000 time units leave nothing but the
    # integrator's error
    np.testing.assert_allclose(
        crn.observe(end.y[:, -1])[-case.net.n_out :], case.net(x), rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("case", CORPUS[::4], ids=lambda case: case.name)
def test_layer_models_chained_by_hand_are_the_network(case):
    net, x = case.net, case.x[0]
    concentrations = dict(
        zip(
            cn.to_reactions(net).boundary,
            net.input_coding.concentrations(x).ravel().tolist(),
            strict=True,
        )
    )
    steady = cn.Simulator(net).steady_state(x)
    whole = dict(zip(steady.species, steady.concentrations[0].tolist(), strict=True))
    for crn in cn.layer_reactions(net):
        held = [concentrations[name] for name in crn.boundary]
        state = [whole[name] for name in crn.floating]
        assert np.all(crn.balance(state, held).imbalance < SOLVED)
        concentrations |= dict(zip(crn.floating, state, strict=True))
    np.testing.assert_allclose(crn.observe(state, held), net(x), rtol=SOLVED, atol=SOLVED)


def test_inputs_of_the_written_model():
    net = cn.Network([cn.Layer([[1.0, 2.0]])], inputs="signed")
    crn = cn.to_reactions(net, [-0.5, 2.0])
    assert dict(zip(crn.boundary, crn.boundary_concentrations, strict=True)) == {
        "x0_p": 0.0, "x0_n": 0.5, "x1_p": 2.0, "x1_n": 0.0,
    }  # fmt: skip
    np.testing.assert_allclose(crn.observe([1.0])[:2], [-0.5, 2.0])
