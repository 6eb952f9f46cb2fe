"""Every way to a gradient against every other, over the corpus and over random networks."""

import itertools
from dataclasses import dataclass, replace

import numpy as np
import pytest
from support import networks
from support.tolerances import (
    DIFFERENCED,
    IN_TIME,
    INTEGRATED,
    LAST_DIGITS,
    ROUNDED,
    SOLVED,
)

import crn_nn_tellurium as cn
from crn_nn_tellurium.networks.losses import resolve_loss
from crn_nn_tellurium.networks.parameter_vector import parameters
from crn_nn_tellurium.sensitivity import loss_and_slope
from crn_nn_tellurium.sensitivity.comparison import _sizes

CORPUS = networks.corpus()
IDS = [case.name for case in CORPUS]
SMALL = [case for case in CORPUS if case.net.n_weights <= 40]


def targets_of(case, seed=0):
    return np.random.default_rng(seed).normal(size=(len(case.x), case.net.n_out))


def agree(a, b, sizes, tolerance):
    """Each array to a tolerance relative to its largest sum of absolute contributions."""
    return np.max(np.abs(a.vector() - b.vector()) / sizes) <= tolerance


@pytest.mark.parametrize("case", CORPUS, ids=IDS)
def test_exact_methods_agree(case):
    simulator, y = cn.Simulator(case.net), targets_of(case)
    adjoint = cn.gradient(simulator, case.x, y, inputs=True)
    sizes = _sizes(simulator, case.x, y, resolve_loss("squared_error", case.net))
    # 1e-9 is asked; the engine solves to 1e-12
    others = [
        cn.gradient(simulator, case.x, y, inputs=True, steady_state="closed_form"),
        cn.gradient(simulator, case.x, y, inputs=True, method="forward"),
        cn.gradient(simulator, case.x, y, inputs=True, method="closed_form"),
    ]
    for other in others:
        assert agree(adjoint, other, sizes, 1e-10), other
        scale = np.abs(adjoint.inputs).max() + 1e-300
        np.testing.assert_allclose(other.inputs / scale, adjoint.inputs / scale, atol=SOLVED)
        assert np.isclose(other.loss, adjoint.loss, rtol=SOLVED)


# formulas of all activations are the next test's and the last one's; here it is the stated error
SLOWLY_CONTROLLED = {f"{name} output" for name in networks.ACTIVATIONS} - {"Tanh output"}
SLOWLY_DIFFERENCED = (
    set(networks.STOOD_FOR) | set(networks.HIDDEN) - {"Tanh hidden"} | {"skip connections"}
)


@pytest.mark.parametrize("case", networks.cases(SMALL[::2], slow=SLOWLY_DIFFERENCED))
def test_differences_through_the_engine_agree_to_their_stated_error(case):
    y = targets_of(case)[:2]
    exact = cn.gradient(case.net, case.x[:2], y, inputs=True)
    finite = cn.gradient(case.net, case.x[:2], y, inputs=True, method="finite_difference")
    assert finite.error is not None
    assert np.all(np.abs(exact.vector() - finite.vector()) <= finite.error.vector())
    assert np.all(np.abs(exact.inputs - finite.inputs) <= finite.error.inputs)
    # and the stated error is worth something: small beside the largest derivative
    assert np.median(finite.error.vector()) <= 1e-5 * np.abs(exact.vector()).max()


@pytest.mark.parametrize("case", networks.cases(SMALL[1::2], slow=SLOWLY_CONTROLLED))
def test_roadrunners_control_coefficients_agree(case):
    y = targets_of(case)[:2]
    exact = cn.gradient(case.net, case.x[:2], y)
    found = cn.gradient(case.net, case.x[:2], y, method="control_coefficients")
    # differences over five points, a hundredth of the scale on which units bend: 1e-8 as a rule,
    # 1e-6 at worst
    assert np.max(np.abs(exact.vector() - found.vector())) <= 1e-5 * np.abs(exact.vector()).max()


def random_case(seed):
    """Depth 1 to 6, every activation, weights up to 100, h from 1e-6 to 1."""
    rng = np.random.default_rng(seed)
    names = list(networks.ACTIVATIONS)
    sizes = [int(rng.integers(1, 5)) for _ in range(rng.integers(2, 8))]
    layers = []
    for n_in, n_out in itertools.pairwise(sizes):
        make, scale = networks.ACTIVATIONS[names[rng.integers(len(names))]], 10 ** rng.uniform(0, 2)
        weights = rng.uniform(-scale, scale, (n_out, n_in))
        layers.append(
            cn.Layer(weights, scale * rng.uniform(-1, 1, n_out), make(h=10 ** rng.uniform(-6, 0)))
        )
    net = cn.Network(layers, inputs="signed")
    x = rng.uniform(-1, 1, (4, sizes[0]))
    return net, x, net(x) + rng.normal(size=(4, sizes[-1]))


@pytest.mark.parametrize(
    "seed", [*range(40), *(pytest.param(s, marks=pytest.mark.slow) for s in range(40, 300))]
)
def test_exact_methods_agree_on_random_networks(seed):
    net, x, y = random_case(seed)
    simulator = cn.Simulator(net)
    adjoint = cn.gradient(simulator, x, y)
    sizes = _sizes(simulator, x, y, resolve_loss("squared_error", net))
    # A pre-activation has 16 digits of its largest part. Where that part is 1e6 times the width
    # sqrt(h) over which the unit bends, slopes are known to 1e-10 at best, and the engine's own
    # tolerance of 1e-12 is felt.
    states = simulator.kinetics.settle(x)
    steepest = max(
        np.max(abs(layer.encoding.weights) @ state.catalysts.T) / np.sqrt(layer.activation.h)
        for layer, state in zip(simulator.kinetics.layers, states, strict=True)
    )
    tolerance = max(1e-9, 1e-14 * steepest)
    for other in (
        cn.gradient(simulator, x, y, method="forward"),
        cn.gradient(simulator, x, y, method="closed_form"),
        cn.gradient(simulator, x, y, steady_state="closed_form"),
    ):
        # relative to what may cancel: a saturated unit's rails differ by less than their last
        # digits
        assert agree(adjoint, other, sizes, tolerance)
        largest = np.abs(adjoint.vector()).max()
        assert (
            np.max(np.abs(adjoint.vector() - other.vector()))
            <= tolerance * largest + ROUNDED * sizes.max()
        )


@dataclass(frozen=True)
class Turned(cn.Activation):
    """A user's own whose gain is negative, with a constant in what is read of it."""

    gain = -2.0
    rails = (cn.Rail("Ya", 1, 0.3), cn.Rail("Yb", -1))
    read_out = cn.ReadOut((("Ya", 1.0), ("Yb", 0.5)), constant=0.2)


@pytest.mark.parametrize("time", [None, 1.0])
def test_a_negative_gain_makes_no_size_and_no_error_negative(time):
    layers = [
        cn.Layer([[1.0, -0.4], [0.3, 0.2]], [0.1, 0.2], Turned(h=0.1)),
        cn.Layer([[1.0, -1.0]], [0.3], Turned(h=0.2)),
    ]
    net = cn.Network(layers)
    report = cn.check_gradients(net, [[0.3, 0.4]], [[3.0]], time=time, initial=time and 0.2)
    assert report.passed, report
    assert np.all(report.sizes > 0)
    finite = cn.gradient(
        net,
        [[0.3, 0.4]],
        [[3.0]],
        method="finite_difference",
        time=time,
        inputs=True,
    )
    assert np.all(finite.error.vector() > 0)
    assert np.all(finite.error.inputs > 0)


# Losses, through the gradient --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "output", "n_out"),
    [
        ("squared_error", cn.Linear(h=0.1), 3),
        ("cross_entropy", cn.Linear(h=0.1), 3),
        ("cross_entropy", cn.Normalized(h=0.1), 3),
        ("cross_entropy", cn.Linear(h=0.1), 1),
        ("cross_entropy", cn.Sigmoid(h=0.1), 1),
        ("hinge", cn.Linear(h=0.1), 3),
        ("hinge", cn.Tanh(h=0.1), 1),
        (
            cn.Loss(lambda y, t: ((y - t) ** 4).sum(axis=1), lambda y, t: 4 * (y - t) ** 3),
            cn.Linear(h=0.1),
            2,
        ),
        (
            (lambda y, t: np.cosh(y - t).sum(axis=1), lambda y, t: np.sinh(y - t)),
            cn.Linear(h=0.1),
            2,
        ),
    ],
    ids=lambda value: "pair" if isinstance(value, tuple) else str(value),
)
def test_every_loss_has_the_gradient_of_its_value(loss, output, n_out, rng):
    net = cn.Network.random([2, 2, n_out], cn.SmoothedReLU(h=0.1), seed=1, output=output)
    x = rng.random((4, 2))
    classes = loss in ("cross_entropy", "hinge")
    y = rng.integers(0, max(2, n_out), 4) if classes else rng.normal(size=(4, n_out))
    exact = cn.gradient(net, x, y, loss)
    finite = cn.gradient(net, x, y, loss, "finite_difference")
    assert np.all(np.abs(exact.vector() - finite.vector()) <= finite.error.vector() + SOLVED)


def test_the_loss_is_the_mean_over_samples_of_the_sum_over_outputs(rng):
    net, x, y = cn.Network.random([2, 3, 2], seed=0), rng.random((5, 2)), rng.random((5, 2))
    assert np.isclose(cn.gradient(net, x, y).loss, np.mean(np.sum((net(x) - y) ** 2, axis=1)))


def test_shapes_and_types(rng):
    net = cn.Network.random([3, 4, 2], seed=0, density=0.5)
    g = cn.gradient(net, rng.random((5, 3)), rng.random((5, 2)), inputs=True)
    assert isinstance(g.weights, list)
    for by_weight, layer in zip(g.weights, net.layers, strict=True):
        assert by_weight.nnz == layer.weights.nnz
        assert by_weight.shape == layer.weights.shape
    assert g.h.shape == (2,)
    assert g.inputs.shape == (5, 3)
    assert len(g.vector()) == len(parameters(net))
    assert "weights 4x3, 2x4" in repr(g)


# At a read-out time -------------------------------------------------------------------------------


def test_one_neuron_at_a_time_has_the_exact_gradient():
    """dy/dt = h + z y - y^2 from y(0) = 0 is h tanh(u) / (r/2 - z/2 tanh(u)) with u = r t / 2."""
    w, h, x, t = 1.3, 0.2, 0.7, 1.5

    def exact(w, h):
        z = w * x
        r = np.sqrt(z * z + 4 * h)
        tanh = np.tanh(r * t / 2)
        return 2 * h * tanh / (r - z * tanh)

    net = cn.Network([cn.Layer([[w]], activation=cn.SmoothedReLU(h=h))])
    g = cn.gradient(net, [[x]], [[0.0]], time=t, initial=0.0)
    value = exact(w, h)
    # CVODE works to 1e-10; the exact solution is differentiated by a step of 1e-6: 1e-9
    assert np.isclose(g.outputs[0, 0], value, rtol=1e-8)
    by_w = (exact(w + 1e-6, h) - exact(w - 1e-6, h)) / 2e-6
    by_h = (exact(w, h + 1e-6) - exact(w, h - 1e-6)) / 2e-6
    assert np.isclose(g.weights[0][0, 0], 2 * value * by_w, rtol=DIFFERENCED)
    assert np.isclose(g.h[0], 2 * value * by_h, rtol=DIFFERENCED)
    assert np.isclose(g.biases[0][0], 2 * value * by_w / x, rtol=DIFFERENCED)


# "skip connections" has a Tanh and "user's names" a Normalized of their own, in smaller networks
SLOWLY_TIMED = ("Tanh hidden", "LeakyReLU hidden", "Normalized output", "Swish output")
TIMED = ("HardSigmoid output", "zero weights", "sparse with an empty row")
TIMED += ("skip connections", "user's names", *SLOWLY_TIMED)
SWISH = networks.Case(
    "one Swish",
    cn.Network([cn.Layer([[0.7, -1.0]], [0.2], networks.Swish(h=0.1))]),
    np.array([[0.3, 0.8], [1.0, 0.2]]),
)


@pytest.mark.parametrize(
    "case",
    networks.cases([SWISH, *(c for c in SMALL if c.name in TIMED)], slow=SLOWLY_TIMED),
)
def test_gradients_at_a_time_agree_with_differences(case):
    x, y = case.x[:2], targets_of(case)[:2]
    exact = cn.gradient(case.net, x, y, time=1.0, initial=0.3, inputs=True)
    finite = cn.gradient(
        case.net, x, y, time=1.0, initial=0.3, inputs=True, method="finite_difference"
    )
    scale = np.abs(exact.vector()).max()
    assert exact.method == "adjoint"
    # CVODE's relative tolerance of 1e-10 is noise to differences
    assert np.all(
        np.abs(exact.vector() - finite.vector()) <= 3 * finite.error.vector() + 1e-6 * scale
    )
    assert np.all(
        np.abs(exact.inputs - finite.inputs) <= 3 * finite.error.inputs + DIFFERENCED * scale
    )


def test_inputs_at_a_time_from_the_models_own_start():
    """The start depends on the inputs and on their coding."""
    for options in ({}, {"inputs": "signed"}, {"inputs": "scaled", "input_range": (-2.0, 3.0)}):
        net = cn.Network.random([2, 2, 1], seed=3, output=cn.Linear(h=0.01), **options)
        x, y = np.array([[0.3, 0.4]]), [[1.0]]
        exact = cn.gradient(net, x, y, time=2.0, inputs=True)
        finite = cn.gradient(net, x, y, time=2.0, inputs=True, method="finite_difference")
        assert np.all(
            np.abs(exact.inputs - finite.inputs) <= 3 * finite.error.inputs + DIFFERENCED
        ), options


@pytest.mark.parametrize("initial", [None, 0.2])
@pytest.mark.parametrize(
    "options", [{}, {"inputs": "signed"}, {"inputs": "scaled", "input_range": (0.0, 1.0)}], ids=str
)
def test_inputs_at_the_end_of_their_range_have_the_derivative_to_the_right(options, initial):
    """At a time too, by differences too: there the start bends, and scaled inputs end."""
    net = cn.Network([cn.Layer([[1.2, -0.7]], [0.3], cn.SmoothedReLU(h=0.1))], **options)
    given = {"time": 1.0, "initial": initial, "inputs": True}
    exact = cn.gradient(net, [[0.0, 0.5]], [[1.0]], **given)
    finite = cn.gradient(net, [[0.0, 0.5]], [[1.0]], method="finite_difference", **given)
    # runs keep 1e-10 a step, which the stated error is of
    assert np.all(np.abs(exact.inputs - finite.inputs) <= 3 * finite.error.inputs)
    # which leaves four digits, without which the line above would say nothing
    assert np.all(finite.error.inputs < 1e-4 * np.abs(exact.inputs).max())


@pytest.mark.parametrize("activation", [cn.SmoothedReLU(h=0.1), cn.LeakyReLU(0.2, h=0.1)], ids=str)
def test_differences_know_nothing_where_the_default_start_bends(activation):
    """At weights and biases of zero: a network without biases has no gradient that is wrong."""
    net = cn.Network([cn.Layer([[1.2, 0.0], [0.4, -0.7]], [0.0, 0.3], activation)])
    given = {"X": [[0.4, 0.5]], "Y": [[1.0, 2.0]], "time": 1.0}
    report = cn.check_gradients(net, **given)
    assert report.passed, report
    error = cn.gradient(net, method="finite_difference", **given).error
    np.testing.assert_array_equal(np.isinf(error.weights[0]), [[False, True], [False, False]])
    np.testing.assert_array_equal(np.isinf(error.biases[0]), [True, False])
    assert np.isfinite(error.h).all()
    # where every rail of a unit has a start that is given, it is no matter of its weights
    names = {name: 0.3 for name in cn.Simulator(net).species if name.endswith("_0")}
    for initial in (0.3, names):
        assert cn.check_gradients(net, **given, initial=initial).passed
        found = cn.gradient(net, method="finite_difference", **given, initial=initial)
        assert np.isfinite(found.error.vector()).all()


def test_differences_run_on_the_simulators_own_engine(monkeypatch):
    """And know how exactly it integrates."""
    net = cn.Network.random([2, 2, 1], seed=0)
    given = {"X": [[0.3, 0.4]], "Y": [[1.0]], "time": 1.0, "initial": 0.3}
    exact = cn.gradient(net, **given)

    def model(self, crn):
        raise AssertionError("roadrunner was not asked for")

    monkeypatch.setattr(cn.Roadrunner, "model", model)
    stated = []
    for rtol in (1e-10, 1e-6):
        simulator = cn.Simulator(net, engine=cn.RateEquations(rtol=rtol))
        found = cn.gradient(simulator, method="finite_difference", **given)
        assert np.all(np.abs(found.vector() - exact.vector()) <= found.error.vector())
        stated.append(np.median(found.error.vector()))
    # noise of 1e4 times the size, taken up by larger steps in part
    assert stated[1] > 10 * stated[0]


def test_late_read_outs_have_the_gradient_of_the_steady_state(rng):
    net, x, y = (
        cn.Network.random([2, 3, 1], cn.Tanh(h=0.1), seed=0),
        rng.random((3, 2)),
        rng.random((3, 1)),
    )
    late, steady = cn.gradient(net, x, y, time=200.0), cn.gradient(net, x, y)
    np.testing.assert_allclose(late.vector(), steady.vector(), rtol=IN_TIME, atol=INTEGRATED)


# What cannot be done ------------------------------------------------------------------------------


def test_a_failed_sample_makes_nan_and_says_so(monkeypatch, rng):
    net, x, y = cn.Network.random([2, 3, 1], seed=0), rng.random((3, 2)), rng.random((3, 1))
    monkeypatch.setattr("crn_nn_tellurium.simulation.settle.TOLERANCE", -1.0)
    monkeypatch.setattr("crn_nn_tellurium.simulation.settle.ACCEPTED", -1.0)
    monkeypatch.setattr("crn_nn_tellurium.simulation.settle.ABSENT", -1.0)
    with pytest.raises(cn.ConvergenceError):
        cn.gradient(net, x, y)
    g = cn.gradient(net, x, y, on_error="nan")
    assert np.isnan(g.loss)
    assert all(text.startswith("failed") for text in g.status)


@pytest.mark.parametrize(
    "method", ["adjoint", "forward", "control_coefficients", "finite_difference"]
)
def test_one_sample_that_fails_leaves_a_gradient_that_is_no_number(method):
    """By all methods alike: the mean loss has no value, so it has no gradient, and no error."""
    net, y = cn.Network.random([2, 3, 1], seed=0), [[1.0], [0.0]]
    x = [[0.5, 1.0], [1e200, 1e200]]
    found = cn.gradient(net, x, y, method=method, on_error="nan")
    assert found.status[0] == "solved"
    assert found.status[1].startswith("failed: ")
    assert np.isnan(found.loss)
    assert np.isnan(found.vector()).all()
    assert np.isfinite(found.outputs[0]).all()
    with pytest.raises(cn.ConvergenceError, match="1 of 2 samples have no steady state; sample 1"):
        cn.gradient(net, x, y, method=method)


def test_networks_take_turns(rng):
    """Simulators of the networks asked for last are kept: each by its own network."""
    nets = [cn.Network.random([2, 3, 1], seed=seed) for seed in range(6)]
    x, y = rng.random((2, 2)), rng.random((2, 1))
    for net in (*nets, *nets):
        found = cn.gradient(net, x, y)
        # adjoint by units against the formula's, to the solver's 1e-12 and a sum of a few terms
        expected = cn.gradient(net, x, y, method="closed_form")
        np.testing.assert_allclose(found.vector(), expected.vector(), rtol=SOLVED, atol=ROUNDED)


@pytest.mark.parametrize(
    "layer",
    [
        cn.Layer([[1.0]], [-0.5], cn.Sigmoid(h=0.1)),
        cn.Layer([[1.0], [0.5]], activation=cn.Normalized(h=0.1)),
    ],
    ids=["one output", "two"],
)
def test_a_column_of_labels_is_a_list_of_them(layer):
    net = cn.Network([layer], class_names=["a", "c"])
    x, y = [[0.3], [0.8]], ["c", "a"]
    loss = "cross_entropy"
    of_column, of_list = (cn.gradient(net, x, t, loss) for t in (np.array(y)[:, None], y))
    assert of_column.loss == of_list.loss
    np.testing.assert_array_equal(of_column.vector(), of_list.vector())


def test_a_loss_and_its_slope_come_together_or_each_by_itself(rng):
    """What a loss has for both is taken, and its functions by themselves where it has none."""
    y, targets = rng.normal(size=(2, 7, 3))
    quartic = cn.Loss(
        lambda y, t: ((y - t) ** 4).sum(axis=1),
        lambda y, t: 4 * (y - t) ** 3,
        both=lambda y, t: (np.ones(len(y)), y - t),
    )
    mean, slope = loss_and_slope(quartic, y, targets)
    assert mean == 1.0
    np.testing.assert_array_equal(slope, (y - targets) / 7)
    mean, slope = loss_and_slope(replace(quartic, both=None), y, targets)
    assert mean == pytest.approx(((y - targets) ** 4).sum() / 7, rel=LAST_DIGITS)
    np.testing.assert_allclose(slope, 4 * (y - targets) ** 3 / 7, rtol=LAST_DIGITS)
