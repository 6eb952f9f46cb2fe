"""Sensitivities of steady states: exact answers, roadrunner's differences, and what has none."""

import numpy as np
import pytest
from support import networks

import crn_nn_tellurium as cn
from crn_nn_tellurium.networks.parameter_vector import parameters
from crn_nn_tellurium.sensitivity.steady import conserved_combinations

CORPUS = networks.corpus()
IDS = [case.name for case in CORPUS]


def reaction(text, k, value):
    left, right = (tuple(side.split()) for side in text.split("=>"))
    return cn.Reaction(f"J_{k}", left, right, k, value)


@pytest.mark.parametrize("case", CORPUS[::3], ids=IDS[::3])
def test_a_network_and_its_flat_reactions_agree(case):
    """Two ways through different code: layer by layer, and sparse LU of the flat Jacobian."""
    by_layer = cn.sensitivities(case.net, case.x[0])
    flat = cn.sensitivities(cn.to_reactions(case.net, case.x[0]))
    assert flat.outputs[-len(by_layer.outputs) :] == by_layer.outputs
    for output in by_layer.outputs:
        for number in range(1, len(case.net.layers) + 1):
            expected = flat[output, f"h{number}"]
            assert np.isclose(by_layer[output, f"h{number}"], expected, rtol=1e-8, atol=1e-9)
        if case.net.inputs == "nonnegative":
            for name in case.net.input_names:
                assert np.isclose(by_layer[output, name], flat[output, name], rtol=1e-8, atol=1e-9)


def test_batches_names_and_tables(rng):
    net = cn.Network.random([2, 3, 2], seed=0)
    x = rng.random((5, 2))
    found = cn.sensitivities(net, x)
    names = [p.id for p in parameters(net)]
    assert found.values.shape == (5, 2, len(names) + 2)
    assert found.parameters == (*names, "x0", "x1")
    one = cn.sensitivities(net, x[3], outputs=["y1"], parameters=["x1", "w1_2_0"])
    assert one.values.shape == (1, 2)
    np.testing.assert_allclose(one["y1", "w1_2_0"], found["y1", "w1_2_0"][3], rtol=1e-12)
    assert one.to_frame().columns.tolist() == ["x1", "w1_2_0"]
    assert "1 outputs by 2 parameters" in repr(one)
    step = 1e-6
    changed = (net(x[3] + [0, step]) - net(x[3] - [0, step]))[1] / (2 * step)
    assert np.isclose(one["y1", "x1"], changed, rtol=1e-6)
    assert np.isclose(one.relative[0, 0], changed * x[3, 1] / net(x[3])[1], rtol=1e-6)


def test_a_cascade_that_is_no_neural_network_has_its_exact_sensitivities():
    """A = a / d, B = k A^2 / e: all in closed form."""
    a, d, k, e = 3.0, 2.0, 0.5, 4.0
    crn = cn.ReactionNetwork(
        [cn.Species("A"), cn.Species("B"), cn.Species("X", 1.0, boundary=True)],
        [
            reaction("X => X A", "a", a),
            reaction("A =>", "d", d),
            reaction("A A => A A B", "k", k),
            reaction("B =>", "e", e),
        ],
    )
    found = cn.sensitivities(crn)
    level = a / d
    exact = {
        ("A", "a"): 1 / d,
        ("A", "d"): -a / d**2,
        ("A", "k"): 0.0,
        ("A", "X"): a / d,
        ("B", "k"): level**2 / e,
        ("B", "e"): -k * level**2 / e**2,
        ("B", "a"): 2 * k * level / e / d,
        ("B", "X"): 2 * k * level / e * a / d,
    }
    for key, value in exact.items():
        assert np.isclose(found[key], value, rtol=1e-10, atol=1e-12), key


def test_a_species_that_dies_out_has_sensitivities_too():
    crn = cn.ReactionNetwork(
        [cn.Species("A", 1.0), cn.Species("B", 1.0)],
        [
            reaction("A =>", "d", 1.0),
            reaction("A => A B", "s", 2.0),
            reaction("=> B", "a", 3.0),
            reaction("B =>", "e", 2.0),
        ],
    )
    found = cn.sensitivities(crn)
    np.testing.assert_allclose(found.output_values, [0.0, 1.5], atol=1e-10)
    assert np.isclose(found["B", "a"], 0.5, rtol=1e-9)
    assert abs(found["A", "d"]) < 1e-9


CLOSED = {
    "A + B": ([("A => B", "k1"), ("B => A", "k2")], [[1.0, 1.0]]),
    "A + 2 C": ([("A A => C", "k1"), ("C => A A", "k2")], [[1.0, 2.0]]),
    "A + C and B + C": (
        [("A B => C", "k1"), ("C => A B", "k2")],
        [[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]],
    ),
    "A - B": ([("=> A B", "k1"), ("A B =>", "k2")], [[1.0, -1.0]]),
}


@pytest.mark.parametrize("text", CLOSED)
def test_what_is_conserved_is_named(text):
    steps, rows = CLOSED[text]
    names = sorted({s for equation, _ in steps for s in equation.replace("=>", " ").split()})
    crn = cn.ReactionNetwork(
        [cn.Species(s, 1.0) for s in names], [reaction(e, k, 1.0) for e, k in steps], name="closed"
    )
    np.testing.assert_allclose(conserved_combinations(crn), rows)
    with pytest.raises(cn.SingularJacobianError) as caught:
        cn.sensitivities(crn)
    assert f"'closed' conserves {text}:" in str(caught.value)


def test_a_line_of_steady_states_without_conservation_is_refused():
    crn = cn.ReactionNetwork(
        [cn.Species("A", 1.0), cn.Species("B", 1.0)],
        [
            reaction("A B => A A B", "k1", 1.0),
            reaction("A B => B", "k2", 1.0),
            reaction("=> B", "a", 1.0),
            reaction("B =>", "d", 1.0),
        ],
    )
    with pytest.raises(cn.SingularJacobianError, match="combination A does not return"):
        cn.sensitivities(crn)


def test_unstable_steady_states_are_refused():
    growth = [reaction("A => A A", "a", 2.0), reaction("A A => A", "q", 1.0)]
    with pytest.raises(cn.ConvergenceError, match="unstable"):
        cn.sensitivities(cn.ReactionNetwork([cn.Species("A")], growth))
    found = cn.sensitivities(cn.ReactionNetwork([cn.Species("A", 0.1)], growth))
    assert np.isclose(found["A", "a"], 1.0)
    orbit = [
        reaction("A => A A", "a", 1.0),
        reaction("A B => B B", "b", 1.0),
        reaction("B =>", "c", 1.0),
    ]
    with pytest.raises(cn.ConvergenceError):
        cn.sensitivities(cn.ReactionNetwork([cn.Species("A", 0.5), cn.Species("B", 0.5)], orbit))
