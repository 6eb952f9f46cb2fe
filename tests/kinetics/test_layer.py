"""A layer's kinetics against its flat reaction network, and its fixed point against roadrunner's at
other constants.
"""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from support import networks
from support.tolerances import DIFFERENCED, LAST_DIGITS, ROUNDED, SOLVED

import crn_nn_tellurium as cn
from crn_nn_tellurium.kinetics.network import NetworkKinetics
from crn_nn_tellurium.kinetics.rate_errors import perturbed_outputs
from crn_nn_tellurium.networks.smoothing import smoothed_relu
from crn_nn_tellurium.perturbations.knock_outs import KnockOuts

CORPUS = networks.corpus()
IDS = [case.name for case in CORPUS]


@pytest.mark.parametrize("case", CORPUS, ids=IDS)
def test_jacobian_blocks_are_those_of_the_flat_network(case):
    """J^T lambda = g solved layer by layer inverts the diagonal block of the flat network's own
    Jacobian.
    """
    kinetics = NetworkKinetics(case.net)
    states = kinetics.settle(case.x[:1])
    crn = cn.to_reactions(case.net, case.x[0])
    flat = crn.jacobian(np.concatenate([s.concentrations.ravel() for s in states])).toarray()
    first = 0
    for layer, state in zip(kinetics.layers, states, strict=True):
        n = layer.encoding.n_species
        block = flat[first : first + n, first : first + n]
        first += n
        right = np.random.default_rng(n).normal(size=(1, layer.encoding.layer.n_out, len(state.y)))
        columns = [right[..., a] for a in range(right.shape[2])]
        found = np.stack(layer.linearize(state).solve_transposed(columns), axis=-1).ravel()
        # two ways to solve one well-conditioned system: rounding alone
        np.testing.assert_allclose(block.T @ found, right.ravel(), rtol=ROUNDED, atol=ROUNDED)
        sides = [column[..., None] for column in columns]
        forward = np.stack(layer.linearize(state).solve(sides), axis=2).ravel()
        np.testing.assert_allclose(block @ forward, right.ravel(), rtol=ROUNDED, atol=ROUNDED)


@pytest.mark.parametrize(
    "name",
    "SmoothedReLU LeakyReLU HardSigmoid Tanh Normalized Swish Bump Knot Coupled".split(),
)
def test_fixed_point_at_other_rate_constants_is_roadrunners(name, rng):
    activation = (networks.ACTIVATIONS | {"Knot": Knot, "Coupled": Coupled})[name](h=0.1)
    net = cn.Network(
        [
            cn.Layer(rng.normal(size=(3, 2)), rng.normal(size=3), activation),
            cn.Layer(rng.normal(size=(1, 3)), activation=cn.Linear(h=0.1)),
        ],
        inputs="signed",
    )
    x = np.array([[0.7, -0.4]])
    kinetics = NetworkKinetics(net)
    # with larger errors Coupled's species may hold each other up without end
    factors = cn.RateErrors(0.3, draws=1).factors(kinetics, 0.3, 0)
    constants = [
        layer.constants * part for layer, part in zip(kinetics.layers, factors, strict=True)
    ]
    state = kinetics.settle(x, constants)
    runner = cn.to_roadrunner(net, x[0])
    crn = cn.to_reactions(net, x[0])
    for layer, own in zip(kinetics.layers, constants, strict=True):
        index = layer.encoding.index
        for k, value in zip(layer.local.rate_constants, own.local.tolist(), strict=True):
            if k in crn.rate_constants:
                runner[k] = value
        for j in range(layer.encoding.layer.n_out):
            for catalyst, weight in zip(
                layer.encoding.catalysts, layer.weights(own)[j].tolist(), strict=True
            ):
                runner[f"k{index}_{j}_{catalyst.label}"] = abs(weight)
            for rail, value in zip(layer.activation.rails, own.bias[j].tolist(), strict=True):
                k = f"kb{index}_{j}" + (f"_{rail.name}" if rail.shift else "")
                if k in crn.rate_constants:
                    runner[k] = abs(value)
    runner.steadyState()
    # roadrunner solves to 1e-10
    np.testing.assert_allclose(runner["y0"], kinetics.outputs(state)[0, 0], rtol=1e-8, atol=1e-9)


@dataclass(frozen=True)
class NoWayOut(cn.Activation):
    """A follower that nothing consumes: its concentration has no fixed point."""

    rails = (cn.Rail("Y"),)
    followers = (cn.Follower("S", 1.0),)
    local_reactions = (cn.LocalReaction(("Y",), ("Y", "S"), "s"),)
    read_out = cn.ReadOut((("S", 1.0),))

    def concentrations(self, z):
        y = smoothed_relu(z, self.h)
        return np.stack([y, y], axis=-1)

    def derivative(self, z):
        return np.ones_like(z)


def test_a_singular_jacobian_names_its_species():
    net = cn.Network([cn.Layer([[1.0]], activation=NoWayOut())])
    with pytest.raises(cn.SingularJacobianError, match=r"'layer1'.*species S"):
        cn.gradient(net, [[1.0]], [[1.0]], steady_state="closed_form")


@dataclass(frozen=True)
class Knot(cn.Activation):
    """Two followers that need each other, A' = Y - 2 A + B and B' = A - B: A = B = Y."""

    rails = (cn.Rail("Y"),)
    followers = (cn.Follower("A", 10.0), cn.Follower("B", 10.0))
    local_reactions = (
        cn.LocalReaction(("Y",), ("Y", "A"), "s"),
        cn.LocalReaction(("A",), (), "e"),
        cn.LocalReaction(("A",), ("B",), "f"),
        cn.LocalReaction(("B",), ("A",), "g"),
    )
    read_out = cn.ReadOut((("A", 0.5), ("B", 0.5)))

    def concentrations(self, z):
        y = smoothed_relu(z, self.h)
        return np.stack([y, y, y], axis=-1)

    def derivative(self, z):
        return smoothed_relu(z, self.h) / np.hypot(z, 2 * np.sqrt(self.h))

    def h_derivative(self, z):
        return 1 / np.hypot(z, 2 * np.sqrt(self.h))


def test_species_that_need_each_other_are_solved_together(rng):
    net = cn.Network(
        [cn.Layer(rng.normal(size=(3, 2)), activation=Knot(h=0.1)), cn.Layer(np.ones((1, 3)))]
    )
    x, y = rng.random((5, 2)), rng.random((5, 1))
    assert any(len(block) > 1 for block in NetworkKinetics(net).layers[0].blocks)
    adjoint, formula = cn.gradient(net, x, y), cn.gradient(net, x, y, method="closed_form")
    np.testing.assert_allclose(adjoint.vector(), formula.vector(), rtol=SOLVED, atol=ROUNDED)
    np.testing.assert_allclose(
        cn.gradient(net, x, y, method="forward").vector(),
        formula.vector(),
        rtol=SOLVED,
        atol=ROUNDED,
    )


@dataclass(frozen=True)
class Coupled(Knot):
    """Followers of all units that hold each other up: A_j' = Y_j - 2 A_j + (1 / 4) sum_k A_k."""

    local_reactions = (
        cn.LocalReaction(("Y",), ("Y", "A"), "s"),
        cn.LocalReaction(("A",), (), "e", 2.0),
        cn.LocalReaction(("*A",), ("*A", "A"), "f", 0.25),
    )
    followers = (cn.Follower("A", 10.0),)
    read_out = cn.ReadOut((("A", 1.0),))

    def concentrations(self, z):
        y = smoothed_relu(z, self.h)
        mix = np.linalg.inv(2 * np.eye(y.shape[-1]) - 0.25)
        return np.stack([y, y @ mix], axis=-1)


@dataclass(frozen=True)
class Weighted(Knot):
    """Q's mean over all units, weighted by P: A = sum_k P_k Q_k / sum_k P_k, in every unit."""

    rails = (cn.Rail("P"), cn.Rail("Q", shift=1.0))
    followers = (cn.Follower("A", 10.0),)
    local_reactions = (
        cn.LocalReaction(("*P", "*Q"), ("*P", "*Q", "A"), "s"),
        cn.LocalReaction(("*P", "A"), ("*P",), "e"),
    )
    read_out = cn.ReadOut((("A", 1.0),))

    def concentrations(self, z):
        p, q = smoothed_relu(z, self.h), smoothed_relu(z + 1.0, self.h)
        mean = (p * q).sum(axis=-1) / p.sum(axis=-1)
        return np.stack([p, q, np.broadcast_to(mean[..., None], p.shape)], axis=-1)


@pytest.mark.parametrize("method", ["adjoint", "forward"])
def test_what_reads_two_species_of_every_unit_has_their_derivatives(method, rng):
    weights = rng.normal(size=(3, 2))
    layer = cn.Layer(weights, [0.3, -0.2, 0.5], Weighted(h=0.1))
    net = cn.Network([layer, cn.Layer([[1.0, 2.0, -0.5]], activation=cn.Linear())])
    x, y = rng.random((4, 2)), rng.random((4, 1))
    found = cn.gradient(net, x, y, method=method, steady_state="closed_form").weights[0]

    def loss(step):
        moved = replace(layer, weights=weights + step)
        return np.mean((replace(net, layers=[moved, net.layers[1]])(x) - y) ** 2)

    step, expected = 1e-5, np.empty_like(weights)
    for i, j in np.ndindex(weights.shape):
        change = np.zeros_like(weights)
        change[i, j] = step
        expected[i, j] = (loss(change) - loss(-change)) / (2 * step)
    np.testing.assert_allclose(found, expected, rtol=DIFFERENCED, atol=DIFFERENCED)


@dataclass(frozen=True)
class Spark(Knot):
    """Followers that light one another, A' = s Y - A + B and B' = A^2 - B: beyond s Y = 1/4 without
    end, and A = (1 - sqrt(1 - 4 s Y)) / 2 up to there.
    """

    local_reactions = (
        cn.LocalReaction(("Y",), ("Y", "A"), "s"),
        cn.LocalReaction(("A",), (), "e"),
        cn.LocalReaction(("B",), ("B", "A"), "f"),
        cn.LocalReaction(("A", "A"), ("A", "A", "B"), "g"),
        cn.LocalReaction(("B",), (), "d"),
    )

    def concentrations(self, z):
        y = smoothed_relu(z, self.h)
        a = (1 - np.sqrt(np.maximum(1 - 4 * y, 0.0))) / 2
        return np.stack([y, a, a**2], axis=-1)


def test_newtons_method_that_wanders_among_positive_numbers_has_found_nothing():
    layer = NetworkKinetics(cn.Network([cn.Layer([[1.0]], activation=Spark())])).layers[0]
    s = layer.activation.rate_constants.index("s")

    def settle(y, size):
        local = layer.constants.local.copy()
        local[s] = size
        # z = y - h / y has its rail at y
        return layer.settle(np.array([[y - 0.01 / y]]), replace(layer.constants, local=local))

    for size in (0.5, 1.2):
        state = settle(0.2, size)
        a = (1 - np.sqrt(1 - 0.8 * size)) / 2
        # two ways to one root, twice as far from the other
        np.testing.assert_allclose(np.ravel(state.y), [0.2, a, a**2], rtol=1e-12)
    for size in np.linspace(1.3, 4.0, 40):
        with pytest.raises(cn.ConvergenceError, match="no positive fixed point was found"):
            settle(0.2, size)


@dataclass(frozen=True)
class Flare(Spark):
    """One follower of which two make a third, A' = Y - A + A^2, in no knot."""

    followers = (cn.Follower("A", 0.5),)
    local_reactions = (
        cn.LocalReaction(("Y",), ("Y", "A"), "s"),
        cn.LocalReaction(("A",), (), "e"),
        cn.LocalReaction(("A", "A"), ("A", "A", "A"), "g"),
    )
    read_out = cn.ReadOut((("A", 1.0),))

    def concentrations(self, z):
        return super().concentrations(z)[..., :2]


def test_errors_that_leave_no_fixed_point_are_no_answer_of_attacks_and_draws():
    """Where each reaction errs by itself, as where errors are shared."""
    net = cn.Network([cn.Layer([[1.0], [0.8]], activation=Flare())], output_names=["a", "b"])
    message = "'layer1': no positive fixed point was found with these rate constants"
    for call in (
        lambda: cn.attack(net, [[0.2]], rates=0.3),
        lambda: cn.statistical_margin(net, [[0.2]], confidence=0.9),
        lambda: perturbed_outputs(NetworkKinetics(net), np.array([[0.4]]), factors(net, 0.3)),
    ):
        with pytest.raises(cn.ConvergenceError, match=message):
            call()


def factors(net, cv):
    return cn.RateErrors(cv, draws=1).factors(NetworkKinetics(net), cv, 0)


@pytest.mark.parametrize(("activation", "species"), [(Knot(), "A, B"), (Coupled(), "A")])
def test_no_order_among_species_is_said(activation, species):
    """Whether they stand in one unit or in all units of a layer."""
    net = cn.Network([cn.Layer([[1.0], [2.0]], activation=activation)])
    with pytest.raises(cn.NotCertified, match=f"species {species} of .* act on one another"):
        cn.enclosure(net, [[1.0]], 0.01)
    with pytest.raises(cn.InputError, match=f"species {species} of .* act on one another"):
        KnockOuts(NetworkKinetics(net), np.ones((1, 1)))


def test_units_that_depend_on_each_other_both_ways_are_solved_together(rng):
    """Such a layer has no units to solve one by one, so its steady state comes from the closed form
    here.
    """
    net = cn.Network(
        [cn.Layer(rng.normal(size=(3, 2)), rng.normal(size=3), activation=Coupled(h=0.1))]
    )
    x, y = rng.random((5, 2)), rng.random((5, 3))
    g = cn.gradient(net, x, y, steady_state="closed_form")
    f = cn.gradient(net, x, y, method="forward", steady_state="closed_form")
    np.testing.assert_allclose(g.vector(), f.vector(), rtol=ROUNDED, atol=LAST_DIGITS)

    def loss(step):
        changed = replace(net.layers[0], weights=net.layers[0].weights + step * np.eye(3, 2))
        return np.mean(np.sum((replace(net, layers=(changed,))(x) - y) ** 2, axis=1))

    # central differences with a step of 1e-5: error about 1e-10
    assert np.isclose(
        np.sum(g.weights[0] * np.eye(3, 2)), (loss(1e-5) - loss(-1e-5)) / 2e-5, rtol=1e-7
    )
