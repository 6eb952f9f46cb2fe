"""Training for few molecules: its loss is what the reactions' own noise gives, its derivatives are
those of that loss, and what comes of it needs fewer molecules.
"""

from dataclasses import dataclass

import numpy as np
import pytest
from scipy import sparse
from scipy.special import logsumexp
from support.networks import ACTIVATIONS
from support.tolerances import LAST_DIGITS, ROUNDED, SUMMED
from support.trainings import small

import crn_nn_tellurium as cn
from crn_nn_tellurium.fluctuations.reaction_noise import ReactionNoise
from crn_nn_tellurium.networks import encode_targets, resolve_loss
from crn_nn_tellurium.training.expected_loss import expected_loss
from crn_nn_tellurium.training.objective import Coordinates, Objective, Samples

VOLUME = 20.0
RNG = np.random.default_rng(0)
X, Y = RNG.uniform(-1, 1, (3, 2)), RNG.uniform(0, 1, (3, 2))

SIGNED = {"inputs": "signed"}
OTHER_LOSSES = "squared_error", "hinge"


@dataclass(frozen=True)
class Mixed(cn.Activation):
    """Reactions of every kind: one that changes two species, and pools of one and two factors."""

    rails = (cn.Rail("Y"),)
    followers = (cn.Follower("A", 100.0), cn.Follower("B", 100.0))
    local_reactions = (
        cn.LocalReaction(("Y",), ("Y", "A"), "s"),
        cn.LocalReaction(("*Y",), ("*Y", "A"), "s"),
        cn.LocalReaction(("*Y", "*Y"), ("*Y", "*Y", "A"), "t"),
        cn.LocalReaction(("A",), ("B",), "c"),
        cn.LocalReaction(("*Y", "B"), ("*Y",), "d"),
        cn.LocalReaction(("B",), (), "e"),
    )
    read_out = cn.ReadOut((("B", 0.5), ("A", -0.25)))

    def concentrations(self, z):
        y = super().concentrations(z)[..., 0]
        total = y.sum(axis=-1, keepdims=True)
        a = y + total + np.square(y).sum(axis=-1, keepdims=True)
        return np.stack([y, a, a / (1 + total)], axis=-1)

    def derivative(self, z):
        raise NotImplementedError("derivatives come from the reactions")


def networks():
    """Every activation, where others read it and as output; and a network with a skip."""
    for name, make in {**ACTIVATIONS, "Mixed": Mixed}.items():
        sizes, last = [2, 3, 2], cn.Linear(h=0.2)
        yield pytest.param(
            cn.Network.random(sizes, make(h=0.1), 1, output=last, **SIGNED), id=f"{name} hidden"
        )
        relu = cn.SmoothedReLU(h=0.2)
        # read by a unit or by the outside, the same code adds it up: of the latter, those that pool
        marks = () if name in ("Normalized", "Mixed") else pytest.mark.slow
        net = cn.Network.random(sizes, relu, 2, output=make(h=0.1), **SIGNED)
        yield pytest.param(net, id=f"{name} output", marks=marks)
    layers = [
        cn.Layer(RNG.normal(size=(3, 2)), [0.1, -0.2, 0.3], cn.Tanh(h=0.2), name="first"),
        cn.Layer(RNG.normal(size=(2, 5)), [0.3, 0.0], inputs=("first", "input"), name="second"),
        cn.Layer(RNG.normal(size=(2, 5)), [0.2, 0.1], cn.Linear(h=0.1), inputs=("second", "first")),
    ]
    yield pytest.param(cn.Network(layers, **SIGNED), id="skip")


def objective_of(net, loss="squared_error", volume=VOLUME, y=Y):
    resolved = resolve_loss(loss, net)
    constraints = cn.Constraints(h_bounds=(1e-3, 1.0))
    objective = Objective(Coordinates(net, constraints), resolved, 0.0, "closed_form", volume)
    return objective, Samples.of(net, X, encode_targets(resolved, net, y, len(X)))


def by_reactions(net):
    """The expected squared error, of every reaction by itself: one dense matrix a sample."""
    crn = cn.to_reactions(net)
    steady = cn.Simulator(net).steady_state(X)
    last = net.layers[-1].activation
    number = len(net.layers)
    read = np.zeros((net.n_out, len(steady.species)))
    for unit in range(net.n_out):
        for species, coefficient in last.read_out.terms:
            read[unit, steady.species.index(f"{species}{number}_{unit}")] = coefficient
    assert steady.species == crn.floating
    total = 0.0
    for concentrations, inputs, output, target in zip(
        steady.concentrations, net.input_coding.code(X), steady.outputs, Y, strict=True
    ):
        noise = ReactionNoise(crn, concentrations, inputs.ravel())
        mean = output + read @ noise.shift / VOLUME
        total += np.square(mean - target).sum()
        total += np.trace(read @ noise.covariance @ read.T) / VOLUME
    return total / len(X)


@pytest.mark.parametrize("net", [*networks()])
def test_loss_and_derivatives_are_those_of_the_reactions_noise(net):
    objective, samples = objective_of(net)
    theta = objective.coordinates.start
    value, slope = objective(theta, samples)
    # two solvers of one Lyapunov equation: rounding, and Newton's last step of the engine
    assert value == pytest.approx(by_reactions(net), rel=1e-9)
    rng = np.random.default_rng(3)
    # no weight changes its sign, where the size of its rate constant has a kink
    along = rng.normal(size=len(theta)) * np.abs(theta)
    along /= np.linalg.norm(along)

    def at(step):
        return by_reactions(objective.coordinates.network(theta + step * along))

    # of fourth order: steps of 1e-2 leave some 1e-8, and rounding 1e-12 / 1e-2
    h = 1e-2 * np.linalg.norm(theta) / np.sqrt(len(theta))
    differences = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
    # those 1e-8 and 1e-10, where parts cancel
    assert slope @ along == pytest.approx(differences, rel=1e-6, abs=1e-7 * abs(value))


@pytest.mark.parametrize(
    "loss", ["cross_entropy", *(pytest.param(n, marks=pytest.mark.slow) for n in OTHER_LOSSES)]
)
def test_every_derivative_is_that_of_the_objective(loss):
    net = small(hidden=2)
    rng = np.random.default_rng(1)
    x, y = rng.uniform(0, 1, (5, 4)), [0, 1, 2, 1, 0]
    resolved = resolve_loss(loss, net)
    targets = encode_targets(resolved, net, np.eye(3)[y], 5)
    samples = Samples.of(net, x, targets)
    coordinates = Coordinates(net, cn.Constraints(h_bounds=(1e-4, 1.0)))
    objective = Objective(coordinates, resolved, 0.0, "closed_form", 200.0)
    theta = coordinates.start
    _, slope = objective(theta, samples)
    # steps of 1e-4 leave 1e-16 to fourth order, and rounding of 1e-12; the hinge has kinks, which
    # no point of the normal law may stand within a step of
    h = 1e-4 if loss != "hinge" else 1e-6
    steps = np.eye(len(theta)) * h
    value = [[objective(theta + k * step, samples)[0] for k in (-2, -1, 1, 2)] for step in steps]
    differences = np.array(value) @ [1, -8, 8, -1] / (12 * h)
    # rounding of 1e-12 over a step of 1e-4 or 1e-6, as above
    np.testing.assert_allclose(slope, differences, atol=1e-7 * np.abs(slope).max())


def test_the_expected_loss_of_squares_is_exact_and_of_others_near():
    rng = np.random.default_rng(0)
    for n_out in (1, 3, 40):
        net = cn.Network.random([2, n_out], seed=0, output=cn.Linear(h=0.1))
        mean, t = rng.normal(size=(2, 4, n_out))
        root = rng.normal(size=(4, n_out, n_out)) / n_out
        covariance = root @ root.swapaxes(1, 2) + 0.01 * np.eye(n_out)
        value, by_mean, by_covariance = expected_loss(
            resolve_loss("squared_error", net), mean, covariance, t
        )
        spread = np.einsum("nii->n", covariance)
        assert value == pytest.approx(
            np.mean(np.square(mean - t).sum(axis=1) + spread), rel=ROUNDED
        )
        np.testing.assert_allclose(by_mean, 2 * (mean - t) / 4, atol=ROUNDED)
        np.testing.assert_allclose(
            by_covariance, np.eye(n_out) / 4 * np.ones((4, 1, 1)), atol=ROUNDED
        )
    # of cross-entropy, against many draws
    net = cn.Network.random([2, 3], seed=0, output=cn.Linear(h=0.1))
    mean, covariance = np.array([[0.5, -0.2, 0.1]]), np.array([np.diag([1.0, 0.5, 0.2])])
    value, _, _ = expected_loss(
        resolve_loss("cross_entropy", net), mean, covariance, np.array([[1.0, 0.0, 0.0]])
    )
    drawn = rng.multivariate_normal(mean[0], covariance[0], 200_000)
    # 64 points leave half a percent; the draws 0.2 %
    assert value == pytest.approx(np.mean(logsumexp(drawn, axis=1) - drawn[:, 0]), rel=1e-2)


def test_many_samples_come_in_parts(monkeypatch):
    objective, samples = objective_of(
        cn.Network.random([2, 3, 2], seed=0, output=cn.Linear(h=0.1), **SIGNED)
    )
    whole = objective(objective.coordinates.start, samples)
    monkeypatch.setattr("crn_nn_tellurium.training.objective._COVARIANCES", 1)
    parts = objective(objective.coordinates.start, samples)
    np.testing.assert_allclose(parts[0], whole[0], rtol=LAST_DIGITS)
    np.testing.assert_allclose(parts[1], whole[1], rtol=ROUNDED, atol=LAST_DIGITS)


@pytest.mark.slow
def test_trained_for_few_molecules_a_network_needs_fewer(flowers):
    x, y = flowers
    start = cn.Network.random(
        [4, 8, 3], cn.SmoothedReLU(h=0.1), 0, output=cn.Linear(h=0.1), task="classification"
    )
    options = {"loss": "cross_entropy", "constraints": cn.Constraints(l2=1e-3)}
    plain = cn.fit(start, x, y, **options).network
    optimizer = cn.LBFGS(max_iter=200)
    result = cn.fit(plain, x, y, noise=cn.Molecules(100), optimizer=optimizer, **options)
    few = result.network
    # a flower of 120 at most
    assert np.mean(few.predict(x) == y) >= np.mean(plain.predict(x) == y) - 0.009
    taken, concentrations = [], []
    for net in (plain, few):
        taken.append(np.asarray(cn.smallest_volume(net, x, y).volumes))
        concentrations.append(cn.Simulator(net).steady_state(x).concentrations.sum(axis=1))
    # of three starts, 0.51 to 0.59 of the volume, and 0.33 to 0.38 of all molecules
    assert np.median(taken[1]) < 0.7 * np.median(taken[0])
    molecules = [np.median(v * c) for v, c in zip(taken, concentrations, strict=True)]
    assert molecules[1] < 0.5 * molecules[0]
    assert result.noise.volume == 100
    # molecule by molecule: at 15 of them 0.87 and 0.91 of the draws are right, by theory
    both = (plain.predict(x) == y) & (few.predict(x) == y)
    rows = np.flatnonzero(both)[::12]
    right = []
    for net in (plain, few):
        simulator, found = cn.Simulator(net), 0
        steady = simulator.steady_state(x[rows]).concentrations
        for row, begin in zip(rows, steady, strict=True):
            how = {"initial": begin, "volume": 15, "draws": 100, "seed": int(row)}
            ends = simulator.time_course(x[row], 8, 2, **how).outputs[:, -1]
            found += np.sum(net.classify(ends) == y[row])
        right.append(found / (100 * len(rows)))
    # a thousand draws each: the difference is off by 0.014 at one standard deviation
    assert right[1] > right[0]


def test_estimators_train_for_few_molecules(flowers):
    how = {"hidden_layer_sizes": (4,), "max_iter": 8, "standardize": False, "random_state": 0}
    model = cn.CRNClassifier(noise=cn.Molecules(200), h=0.1, **how).fit(*flowers)
    assert model.fit_result_.noise.volume == 200
    assert model.network_ != cn.CRNClassifier(h=0.1, **how).fit(*flowers).network_
    assert "volume 200" in repr(model.fit_result_)
    x, y = flowers[0][:, :3], flowers[0][:, 3]
    regressor = cn.CRNRegressor(noise=cn.Molecules(200), h=0.1, **how).fit(x, y)
    assert regressor.fit_result_.noise.mean.shape == (len(x), 1)


def test_sparse_weights_have_the_same_derivatives():
    dense = cn.Network.random([2, 3, 2], seed=0, output=cn.Linear(h=0.1), **SIGNED)
    matrices = [layer.weights.copy() for layer in dense.layers]
    matrices[1][0, 1] = 0.0
    nets = [
        cn.Network(
            [
                cn.Layer(make(w), layer.bias, layer.activation)
                for w, layer in zip(matrices, dense.layers, strict=True)
            ],
            **SIGNED,
        )
        for make in (np.asarray, sparse.csr_array)
    ]
    (value, slope), (other, sparse_slope) = (
        objective(objective.coordinates.start, samples)
        for objective, samples in map(objective_of, nets)
    )
    assert other == pytest.approx(value, rel=SUMMED)
    # all but the derivative by the entry that is not stored; biases begin at 0 as well
    start = objective_of(nets[0])[0].coordinates
    (place,) = np.flatnonzero((start.start == 0) & start.is_weight)
    np.testing.assert_allclose(sparse_slope, np.delete(slope, place), rtol=ROUNDED, atol=SUMMED)
