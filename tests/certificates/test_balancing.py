"""Balancing: the same outputs, rate constants within the limit, layers as fast as that allows."""

import pickle
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import optimize, sparse
from support.networks import Copy, corpus
from support.tolerances import IN_TIME, LAST_DIGITS, ROUNDED

import crn_nn_tellurium as cn
from crn_nn_tellurium.certificates.balancing import balance
from crn_nn_tellurium.encoding.layer_encoding import layer_encodings
from crn_nn_tellurium.networks.activations import BUILT_IN

CASES = corpus()
XOR = cn.load_model("xor")
X = cn.model_data("xor")[0]
DEEP = next(case for case in CASES if case.name == "depth 5")


@dataclass(frozen=True)
class Scaled(cn.Activation):
    """A user's own whose read-out changes with h, which the automatic form must not trust."""

    rails = (cn.Rail("Y"),)

    @property
    def read_out(self):
        return cn.ReadOut((("Y", 1 + self.h),))


@dataclass(frozen=True)
class Told(Copy):
    """The same, which claims wrongly that it can be rescaled for nothing."""

    def rescaled(self, factor):
        return type(self)(h=self.h * factor**8), float(factor)


def constants(net):
    return cn.to_reactions(net).constants


@pytest.mark.parametrize("kind", BUILT_IN.values(), ids=list(BUILT_IN))
def test_a_rescaled_activation_is_the_same_function(kind, rng):
    z = rng.normal(0, 2, (5, 3))
    activation = kind(h=0.03)
    for factor in (0.2, 3.7):
        if (form := activation.rescaled(factor)) is None:
            assert kind is cn.HardSigmoid
            continue
        other, of_value = form
        assert other.h == pytest.approx(0.03 * factor**2)
        np.testing.assert_allclose(
            other(factor * z), of_value * activation(z), rtol=ROUNDED, atol=LAST_DIGITS
        )
        # rails are `factor` times as concentrated, so the layer's rates are `factor` times what
        # they were
        rails = slice(0, len(activation.rails))
        np.testing.assert_allclose(
            other.concentrations(factor * z)[..., rails],
            factor * activation.concentrations(z)[..., rails],
            rtol=ROUNDED,
        )


def test_activations_of_ones_own_are_rescaled_where_that_is_certain():
    @dataclass(frozen=True)
    class Skewed(cn.Activation):
        rails = (cn.Rail("Yp"), cn.Rail("Yn", -1))
        read_out = cn.ReadOut((("Yp", 2.0), ("Yn", -0.5)))
        gain = 1.5

    other, of_value = Skewed(h=0.01).rescaled(4.0)
    assert (other, of_value) == (Skewed(h=0.16), 4.0)
    assert other(4 * 0.3) / 4 == pytest.approx(Skewed(h=0.01)(0.3))
    for kind in (Scaled, Copy):
        assert kind(h=0.01).rescaled(2.0) is None
    bump = next(case for case in CASES if case.name == "Bump hidden")
    assert balance(bump.net, max_rate_constant=100.0).factors == {"layer1": 1.0, "layer2": 1.0}


@pytest.mark.parametrize("limit", [None, 20.0])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_outputs_stay_and_nothing_becomes_slower(case, limit):
    net, x = case.net, case.x
    largest = max(1.0, constants(net).max())
    if limit is not None and limit < largest:
        limit = 2 * largest
    balanced = balance(net, x, limit)
    np.testing.assert_allclose(
        balanced.network(x), net(x), rtol=ROUNDED, atol=ROUNDED * np.abs(net(x)).max()
    )
    assert balanced.max_rate_constant == (largest if limit is None else limit)
    # factors stop short of the limit by 1e-12, so that rounding does not lead above it
    assert constants(balanced.network).max() <= balanced.max_rate_constant
    assert balanced.before.largest_rate_constant == pytest.approx(largest)
    assert balanced.after.largest_rate_constant == pytest.approx(
        max(1.0, constants(balanced.network).max())
    )
    assert min(balanced.factors.values()) >= 1
    for name, factor in balanced.factors.items():
        # rates grow by the factor, up to rounding in a sum of concentrations
        assert balanced.after.speeds[name] == pytest.approx(
            factor * balanced.before.speeds[name], rel=1e-9
        )
    assert balanced.after.rate >= balanced.before.rate * (1 - 1e-9)
    assert balanced.network.output_names == net.output_names
    assert balanced.network.name == net.name
    for old, new in zip(net.layers, balanced.network.layers, strict=True):
        assert sparse.issparse(old.weights) == sparse.issparse(new.weights)


@pytest.mark.parametrize(
    "name", ["skip connections", "Sigmoid output", "ClippedReLU hidden", "depth 4", "xor"]
)
def test_the_engine_finds_the_same_steady_state(name):
    case = next(case for case in CASES if case.name == name)
    balanced = balance(case.net, case.x, 20.0)
    assert max(balanced.factors.values()) > 2
    found = cn.Simulator(balanced.network).steady_state(case.x).outputs
    # the engine's own tolerance
    np.testing.assert_allclose(found, case.net(case.x), rtol=1e-6, atol=1e-8)


def linear_program(net, limit, objective):
    """Log factors that maximise the sum, or the slowest 2 sqrt(h), from the rate constants as they
    stand.
    """
    n = len(net.layers)
    place = {layer.name: i for i, layer in enumerate(net.layers)}
    rows, right = [], []
    for i, encoding in enumerate(layer_encodings(net)):
        widths = {"input": net.n_in} | {layer.name: layer.n_out for layer in net.layers}
        owners = [source for source in encoding.layer.inputs for _ in range(widths[source])]
        for j in range(encoding.layer.n_out):
            for catalyst, weight in encoding.row(j):
                row = np.zeros(n + 1)
                row[i] += 1
                if (source := owners[catalyst.column]) != "input":
                    form = net.layers[place[source]].activation.rescaled(2.0)
                    row[place[source]] -= 0 if form is None else np.log2(form[1])
                rows.append(row)
                right.append(np.log(limit / abs(weight)))
            for bias in np.abs(encoding.rail_bias[j]):
                if bias:
                    rows.append(np.eye(n + 1)[i])
                    right.append(np.log(limit / bias))
        rows.append(2 * np.eye(n + 1)[i])
        right.append(np.log(limit / net.h[i]))
        rows.append(np.eye(n + 1)[n] - np.eye(n + 1)[i])
        right.append(np.log(2 * np.sqrt(net.h[i])))
    last = net.layers[-1].activation.rescaled(2.0)
    bounds = [
        (0, 0) if layer.activation.rescaled(2.0) is None else (None, None) for layer in net.layers
    ]
    if last is None or last[1] != 1:
        bounds[-1] = (0, 0)
    cost = -np.array([1.0] * n + [0.0]) if objective == "sum" else -np.eye(n + 1)[n]
    found = optimize.linprog(cost, np.array(rows), right, bounds=[*bounds, (None, None)])
    assert found.success
    return found.x[:n], found.x[n]


@pytest.mark.parametrize("limit", [None, 20.0])
@pytest.mark.parametrize(
    "name", ["depth 6", "depth 3", "skip connections", "Sigmoid output", "moons", "sparse", "xor"]
)
def test_factors_are_those_of_the_linear_programs(name, limit):
    """The sum of the logarithms and the slowest rate are largest at one and the same point."""
    case = next(case for case in CASES if case.name == name)
    balanced = balance(case.net, max_rate_constant=limit)
    log_factors, _ = linear_program(case.net, balanced.max_rate_constant, "sum")
    np.testing.assert_allclose(np.log(list(balanced.factors.values())), log_factors, atol=IN_TIME)
    _, slowest = linear_program(case.net, balanced.max_rate_constant, "slowest")
    assert np.log(balanced.after.rate) == pytest.approx(slowest, abs=IN_TIME)


def test_a_limit_below_what_the_network_has():
    net = cn.Network([cn.Layer([[1.0]], [0.5]), cn.Layer([[6.0]], activation=cn.Linear())])
    balanced = balance(net, [[1.0]], 4.0)
    assert balanced.factors["layer1"] == pytest.approx(4.0)
    assert constants(balanced.network).max() <= 4
    assert balance(net, [[1.0]], np.sqrt(6) * 1.001).factors["layer1"] == pytest.approx(
        np.sqrt(6) * 1.001
    )
    # s <= K for the first layer, 6 / s <= K for the second: K >= sqrt(6)
    with pytest.raises(
        cn.InputError, match=r"max_rate_constant is 2.0; expected at least 2.4495\d?: no factors"
    ):
        balance(net, max_rate_constant=2.0)


@pytest.mark.parametrize("name", ["depth 5", "Tanh output"])
def test_the_outputs_settle_sooner(name):
    case = next(case for case in CASES if case.name == name)
    net, x = case.net, case.x[0]
    balanced = balance(net, x, 20.0, tolerance=0.01)
    assert balanced.gain > 1.5
    assert balanced.before.settling_time == cn.settling_time(net, x, 0.01, bound="cheap")
    assert balanced.after.settling_time == cn.settling_time(
        balanced.network, x, 0.01, bound="cheap"
    )
    before, after = (cn.settling_time(n, x, 0.01) for n in (net, balanced.network))
    assert before > 1.5 * after

    def settled(n, until):
        course = cn.Simulator(n).time_course(x, t_end=until, n_points=2001, initial=0.0)
        late = np.abs(course.outputs - n(x)).max(axis=1) > 0.01
        return course.time[np.flatnonzero(late)[-1] + 1]

    slow, fast = settled(net, before), settled(balanced.network, after)
    assert fast <= after
    assert slow <= before
    assert slow > 1.5 * fast


def test_a_layer_runs_the_same_course_so_many_times_as_fast():
    """y(t) of the rescaled layer is s y(s t): the equation itself, not only its fixed point."""
    net = cn.Network(
        [cn.Layer([[2.0], [-1.0]], [-0.5, 0.4]), cn.Layer([[1.0, 1.0]], activation=cn.Tanh(h=0.1))]
    )
    balanced = balance(net, [[0.7]], 8.0)
    s = balanced.factors["layer1"]
    assert s == pytest.approx(4.0)
    start = dict.fromkeys(("Y1_0", "Y1_1"), 0.2)
    old = cn.Simulator(net).time_course([0.7], t_end=8.0, n_points=81, initial=start)
    new = cn.Simulator(balanced.network).time_course(
        [0.7], t_end=8.0 / s, n_points=81, initial={name: s * y for name, y in start.items()}
    )
    for name in start:
        # the integrator's tolerance
        np.testing.assert_allclose(new[name], s * old[name], rtol=1e-5)


def test_concentrations_are_what_is_paid():
    balanced = balance(XOR, X, 10.0)
    factor = balanced.factors["layer1"]
    before, after = balanced.before, balanced.after
    assert after.largest_concentration == pytest.approx(
        factor * before.largest_concentration, rel=0.1
    )
    assert after.largest_second_order <= 10
    # most of a larger limit goes into weights, so in seconds nothing is won
    assert balanced.gain > 1.5
    assert balanced.gain_in_seconds == pytest.approx(
        balanced.gain * before.largest_second_order / after.largest_second_order
    )
    assert balanced.gain_in_seconds < 1
    own = balance(XOR, X, before.largest_second_order)
    assert own.after.largest_second_order <= own.before.largest_second_order
    assert own.gain_in_seconds >= own.gain > 1
    assert before.largest_second_order == pytest.approx(
        max(np.abs(layer.weights).max() for layer in XOR.layers)
    )


def test_without_inputs_the_guaranteed_rates_count():
    balanced = balance(DEEP.net)
    assert balanced.before.settling_time is None
    assert balanced.after.largest_concentration is None
    assert balanced.before.rate == pytest.approx(2 * np.sqrt(min(DEEP.net.h)))
    assert balanced.gain == pytest.approx(balanced.after.rate / balanced.before.rate)
    assert balanced.factors == balance(DEEP.net, DEEP.x).factors
    assert "settles by" not in repr(balanced)
    assert "concentrations up to" not in repr(balanced)


def test_weights_of_zero_limit_nothing():
    """The layer has its bias and h alone: 0.04 k^2 <= 1 and 0.5 k <= 1."""
    hidden = cn.Layer([[0.0], [0.0]], [0.5, 0.1], cn.SmoothedReLU(h=0.04))
    net = cn.Network([hidden, cn.Layer([[1.0, 1.0]], activation=cn.SmoothedReLU(h=0.04))])
    balanced = balance(net, [[1.0]], 1.0)
    assert balanced.factors["layer1"] == pytest.approx(2.0)
    np.testing.assert_allclose(balanced.network([1.0]), net([1.0]), rtol=ROUNDED)


def test_values_of_a_regression_are_limited_too():
    net = cn.Network.random([2, 3, 2], task="regression", seed=0)
    x = [[1.0, 20.0], [3.0, 0.0]]
    small = cn.limit_concentrations(net, x, 0.5)
    steady = cn.Simulator(small).steady_state(x)
    # sqrt(h) = 0.1 at most on top: smoothing h stays what it was
    assert steady.concentrations.max() <= 0.6
    assert cn.Simulator(net).steady_state(x).concentrations.max() > 1
    assert small.task == "regression"


def test_results_print_and_pickle():
    balanced = balance(XOR, X, 5.0)
    assert repr(balanced).startswith("Balanced(layer1 x 3.56, layer2 x 1; gain ")
    assert "settles by t =" in repr(balanced.after)
    assert "of second order up to" in repr(balanced.before)
    assert balance(XOR).network == balance(XOR).network
    again = pickle.loads(pickle.dumps(balanced))
    assert repr(again) == repr(balanced)
    assert again.network == balanced.network


def test_a_simulator_does_as_well():
    assert balance(cn.Simulator(XOR)).factors == balance(XOR).factors


def test_a_false_promise_is_found_out():
    net = cn.Network(
        [cn.Layer([[1.0]], activation=Told(h=0.5)), cn.Layer([[1.0]], activation=cn.Linear())]
    )
    with pytest.raises(cn.NetworkError, match="do all activations of your own keep"):
        balance(net, max_rate_constant=3.0)
