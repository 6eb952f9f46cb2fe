"""Graphs of operators against numpy's own sums of them, exact and smoothed, and the chemistry."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import special
from support.tolerances import LAST_DIGITS, ROUNDED, SOLVED, SUMMED

import crn_nn_tellurium as cn
from crn_nn_tellurium import operators as ops
from crn_nn_tellurium.networks import smoothed_relu
from crn_nn_tellurium.operators.nonlinear import _off_by

RNG = np.random.default_rng(0)
W = RNG.normal(size=(4, 5))
V = RNG.normal(size=(3, 4))
B = RNG.normal(size=4)
X = RNG.normal(size=(12, 5))
H = 1e-6


def chain(*operators, shape=(5,)):
    names = ["x", *(f"n{k}" for k in range(len(operators)))]
    nodes = [
        ops.Node(name, operator, (before,), type(operator).__name__)
        for before, name, operator in zip(names, names[1:], operators, strict=False)
    ]
    return ops.Graph({"x": shape}, tuple(nodes), names[-1])


def graph(output="out", inputs=None, **nodes):
    made = [ops.Node(name, operator, reads, name) for name, (operator, *reads) in nodes.items()]
    return ops.Graph(inputs or {"x": (5,)}, tuple(made), output)


def relu(z, h=0.0):
    return smoothed_relu(z, h) if h else np.maximum(z, 0.0)


def larger(a, b, h=0.0):
    return a + relu(b - a, h)


RESIDUAL = graph(
    z=(ops.Dense(W, B), "x"),
    y=(ops.Apply(ops.relu()), "z"),
    s=(ops.Scale([2.0, 1.0, 0.5, -1.0], 0.25), "y"),
    out=(ops.Sum((1.0, -2.0)), "z", "s"),
)
TWO_INPUTS = graph(
    inputs={"a": (2,), "b": (3,)},
    both=(ops.Concat(-1), "a", "b"),
    z=(ops.Dense(W, B), "both"),
    y=(ops.Apply(ops.leaky_relu(0.1)), "z"),
    out=(ops.Dense(V), "y"),
)
LARGER = graph(
    a=(ops.Dense(W, B), "x"),
    b=(ops.Dense(-2 * W), "x"),
    m=(ops.Maximum(), "a", "b"),
    out=(ops.Dense(V), "m"),
)
SMALLER = graph(
    a=(ops.Apply(ops.relu()), "x"),
    b=(ops.Index((..., [1, 0, 3, 2, 4])), "a"),
    out=(ops.Maximum(-1.0), "a", "b"),
)
PAIRS = chain(ops.MaxPool(ops.Window.of((2,), 1)), ops.Dense(W[:, :4]))
POOL = chain(ops.Reshape((1, 5)), ops.MaxPool(ops.Window.of((3,), 2)), ops.Flatten(0))
PRELU = chain(ops.Dense(W, B), ops.PReLU([0.1, -0.5, 2.0, 0.0]))
CONVOLVED = chain(
    ops.Reshape((1, 5)),
    ops.Convolution(RNG.normal(size=(2, 1, 3)), [0.1, -0.2], ops.Window.of((3,), 1, 1)),
    ops.Apply(ops.relu()),
    ops.Permute((1, 0)),
    ops.SumOver((0,), is_mean=True),
)
KERNEL = CONVOLVED.nodes[1].operator.kernel


def convolved(x, h=0.0):
    padded = np.pad(x, [(0, 0), (1, 1)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, 3, axis=1)
    z = np.einsum("npk,ck->ncp", windows, KERNEL[:, 0]) + np.array([[0.1], [-0.2]])
    return relu(z, h).mean(axis=2)


def prelu(x, h=0.0):
    z = x @ W.T + B
    return relu(z, h) - np.array([0.1, -0.5, 2.0, 0.0]) * relu(-z, h)


GRAPHS = {
    "residual": (
        RESIDUAL,
        lambda x, h=0.0: (
            (z := x @ W.T + B) - 2 * (np.array([2.0, 1.0, 0.5, -1.0]) * relu(z, h) + 0.25)
        ),
    ),
    "two inputs": (
        TWO_INPUTS,
        lambda x, h=0.0: ((relu(z := x @ W.T + B, h)) - 0.1 * relu(-z, h)) @ V.T,
    ),
    "larger": (LARGER, lambda x, h=0.0: larger(x @ W.T + B, -2 * x @ W.T, h) @ V.T),
    "smaller": (
        SMALLER,
        lambda x, h=0.0: -larger(-(a := relu(x, h)), -a[:, [1, 0, 3, 2, 4]], h),
    ),
    "pairs": (PAIRS, lambda x, h=0.0: larger(x[:, :-1], x[:, 1:], h) @ W[:, :4].T),
    "pool": (
        POOL,
        lambda x, h=0.0: np.stack(
            [larger(larger(x[:, k], x[:, k + 1], h), x[:, k + 2], h) for k in (0, 2)], -1
        ),
    ),
    "prelu": (PRELU, prelu),
    "convolved": (CONVOLVED, convolved),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_a_graph_is_what_its_operators_are(name):
    made, by_numpy = GRAPHS[name]
    net = ops.to_network(made, ops.Options(h=H, data=X))
    report = net.import_report
    assert np.abs(net(X) - by_numpy(X)).max() <= report.bound
    # knees of sqrt(h) = 1e-3 each, of which a handful add up with weights of order 1
    assert 0 < report.bound < 0.1
    np.testing.assert_allclose(
        report.largest_difference, np.abs(net(X) - by_numpy(X)).max(), rtol=0, atol=LAST_DIGITS
    )
    smoothed = by_numpy(X, H)
    np.testing.assert_allclose(net(X), smoothed, atol=ROUNDED)
    solved = cn.Simulator(net).steady_state(X).outputs
    np.testing.assert_allclose(solved, smoothed, atol=SOLVED)


@pytest.mark.parametrize(
    ("operator", "exact"),
    [
        (ops.Softmax(), lambda z: special.softmax(z, axis=-1)),
        (ops.LogSoftmax(), lambda z: special.log_softmax(z, axis=-1)),
        (ops.Apply(ops.gelu()), lambda z: z * special.ndtr(z)),
        (ops.Apply(ops.tanh()), np.tanh),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_approximated_is_within_its_bound(operator, exact):
    far = 30 * X
    expected = {"near": exact(X @ W.T), "far": exact(far @ W.T)}
    bounds = []
    for max_error in (1e-2, 1e-3):
        options = ops.Options(h=1e-10, max_error=max_error)
        net = ops.to_network(chain(ops.Dense(W), operator), options)
        bounds.append(net.import_report.bound)
        for name, x in (("near", X), ("far", far)):
            assert np.abs(net(x) - expected[name]).max() <= bounds[-1]
        solved = cn.Simulator(net).steady_state(X).outputs
        np.testing.assert_allclose(solved, net(X), atol=SOLVED)
    assert bounds[1] < bounds[0] / 5


def test_softmax_of_many_rows_is_one_of_each():
    """Of (3, 2, 2) over the first axis, with maxima and exponentials in layers of all rows."""
    made = chain(ops.Dense(RNG.normal(size=(12, 5))), ops.Reshape((3, 2, 2)), ops.Softmax(0))
    net = ops.to_network(made, ops.Options(h=1e-10, data=X))
    z = (X @ made.nodes[0].operator.weights.T).reshape(-1, 3, 2, 2)
    p = special.softmax(z, axis=1).reshape(len(X), 12)
    # (1 - p) of one exponential's error and p of two others', 0.01 each, over a sum of 1 and more
    assert np.abs(net(X) - p).max() <= net.import_report.bound <= 0.02
    np.testing.assert_allclose(net.import_report.largest_difference, np.abs(net(X) - p).max())
    np.testing.assert_allclose(cn.Simulator(net).steady_state(X).outputs, net(X), atol=SOLVED)
    assert [layer.n_out for layer in net.layers] == [12, 4, 4, 12, 3, 3, 3, 3, 12]


@pytest.mark.parametrize("n", [3, 4, 10])
def test_shares_are_within_their_bound_whatever_is_off(n):
    """The worst of many, of random errors and of those that the bound is derived from."""
    rng, d, m = np.random.default_rng(0), 0.01, 0.99
    e = rng.random((20_000, n)) ** rng.integers(1, 60, size=(20_000, 1))
    e[:, rng.integers(n)] = rng.uniform(m, 1, 20_000)
    off = rng.choice([-d, d], size=e.shape)
    near = np.maximum(e + off, 0.0)
    p, found = (a / a.sum(axis=1, keepdims=True) for a in (e, near))
    bound = _off_by(n, d, m)
    worst = np.zeros(n)
    worst[0] = m
    assert np.abs(found - p).max() <= bound
    # one alone, and all others taken for more: within a hundredth of the bound
    shares = (worst + d) / (worst + d).sum()
    assert 0.98 * bound <= 1 - shares[0] <= bound
    assert _off_by(n, m / n, m) <= 1.0 == _off_by(n, m, m)


def test_the_bound_holds_where_exact_functions_were_not_met():
    """Data that never reach the steep side of a leaky relu, of errors of a tanh before."""
    made = chain(
        ops.Apply(ops.tanh()),
        ops.Dense(np.array([[1.0, -1.0]]), 0.9),
        ops.Apply(ops.leaky_relu(5.0)),
        shape=(2,),
    )
    diagonal = np.linspace(-1, 1, 50)[:, None] * [1, 1]
    net = ops.to_network(made, ops.Options(h=1e-10, data=diagonal, max_error=0.05))
    x = RNG.uniform(-1, 1, size=(1000, 2))
    z = np.tanh(x[:, 0]) - np.tanh(x[:, 1]) + 0.9
    off = np.abs(net(x)[:, 0] - np.where(z > 0, z, 5 * z)).max()
    assert 0.1 < off <= net.import_report.bound


def test_softmax_of_two_is_a_sigmoid():
    net = ops.to_network(chain(ops.Dense(W[:2]), ops.Softmax()), ops.Options(h=1e-10))
    p = special.softmax(X @ W[:2].T, axis=-1)
    # max_error, by default
    assert np.abs(net(X) - p).max() <= net.import_report.bound <= 1e-2
    np.testing.assert_allclose(net(X).sum(axis=1), 1.0, atol=LAST_DIGITS)
    assert net.task == "classification"


@pytest.mark.parametrize("end", [ops.Softmax(), ops.LogSoftmax(), ops.ArgMax()])
def test_logits_tell_the_same_class(end):
    made = chain(ops.Dense(W), end)
    net = ops.to_network(made, ops.Options(h=1e-6, logits=True))
    np.testing.assert_allclose(net(X), X @ W.T, atol=ROUNDED)
    assert net.predict(X).tolist() == (X @ W.T).argmax(axis=1).tolist()


def test_a_logit_of_two_classes_is_two_outputs():
    made = chain(ops.Dense(W[:1]), ops.Apply(ops.sigmoid()))
    net = ops.to_network(made, ops.Options(logits=True), class_names=["no", "yes"])
    z = X @ W[0]
    np.testing.assert_allclose(
        special.softmax(net(X), axis=-1)[:, 1], special.expit(z), rtol=ROUNDED
    )
    assert net.predict(X).tolist() == np.where(z > 0, "yes", "no").tolist()


def test_a_logit_without_a_sigmoid_is_two_outputs_as_well():
    made = chain(ops.Dense(W[:1]), ops.Apply(ops.clip(-1.0, 1.0)), ops.Scale(1.0, 0.1))
    names = ["no", "yes"]
    net = ops.to_network(made, ops.Options(logits=True), class_names=names)
    expected = np.where(np.clip(X @ W[0], -1, 1) + 0.1 > 0, "yes", "no")
    assert net.predict(X).tolist() == expected.tolist()
    said = ops.to_network(made, ops.Options(), class_names=names).import_report.simplified
    assert any("import it with logits=True" in text for text in said)


def test_data_of_zeros_leave_all_weights():
    made = chain(ops.Dense(W), ops.Apply(ops.relu()))
    net = ops.to_network(made, ops.Options(data=np.zeros((1, 5))))
    np.testing.assert_allclose(net(X), smoothed_relu(X @ W.T, 1e-6), atol=SUMMED)


def test_a_sigmoid_gives_probabilities_and_keeps_the_class():
    made = chain(ops.Dense(W[:1]), ops.Apply(ops.sigmoid()))
    net = ops.to_network(made, ops.Options(h=1e-10), class_names=["no", "yes"])
    p = special.expit(X @ W[0])
    # max_error, by default
    assert np.abs(net.predict_proba(X)[:, 1] - p).max() <= 1e-2
    assert net.predict(X).tolist() == np.where(p > 0.5, "yes", "no").tolist()


def test_a_product_of_one_number_with_its_function_is_a_function():
    silu = graph(
        z=(ops.Dense(W), "x"),
        s=(ops.Apply(ops.sigmoid()), "z"),
        t=(ops.Scale(2.0, 0.5), "z"),
        out=(ops.Product(), "t", "s"),
    )
    net = ops.to_network(silu, ops.Options(h=1e-10))
    z = X @ W.T
    assert np.abs(net(X) - (2 * z + 0.5) * special.expit(z)).max() <= net.import_report.bound
    # max_error, by default
    assert net.import_report.bound <= 1e-2
    # the sigmoid by itself is read by nothing
    assert [layer.n_out for layer in net.layers] == [4]
    # as MobileNet has its hard swish: with kinks of the factor, and lines far out
    swish = graph(
        t=(ops.Scale(1.0, 3.0), "x"),
        c=(ops.Apply(ops.clip(0.0, 6.0)), "t"),
        d=(ops.Scale(1 / 6), "c"),
        out=(ops.Product(), "x", "d"),
    )
    net = ops.to_network(swish, ops.Options(h=1e-10))
    x = 10 * X
    # max_error, by default
    assert np.abs(net(x) - x * np.clip(x + 3, 0, 6) / 6).max() <= net.import_report.bound <= 1e-2
    softsign = graph(
        a=(ops.Apply(ops.absolute()), "x"),
        b=(ops.Scale(1.0, 1.0), "a"),
        out=(ops.Quotient(), "x", "b"),
    )
    net = ops.to_network(softsign, ops.Options(h=1e-10))
    # max_error, by default
    assert np.abs(net(x) - x / (1 + np.abs(x))).max() <= net.import_report.bound <= 1e-2
    square = graph(z=(ops.Dense(W), "x"), out=(ops.Product(), "z", "z"))
    net = ops.to_network(square, ops.Options(h=1e-10, data=X))
    # max_error, by default
    assert np.abs(net(X) - z**2).max() <= net.import_report.bound <= 1e-2


def test_a_steep_activation_of_ours_makes_errors_larger():
    """Sigmoid(h=1e-4) has slope 25 at 0, where a knee of 1e-3 lies before it."""
    steep = cn.Sigmoid(h=1e-4)
    net = ops.to_network(chain(ops.Apply(ops.relu()), ops.Keep(steep)), ops.Options(h=H))
    x = np.zeros((1, 5))
    off = np.abs(net(x) - steep(relu(x))).max()
    # 25 times 1e-3, and what Sigmoid(h=1e-4) is itself
    assert 0.02 < off <= net.import_report.bound <= 0.026


def test_shares_of_what_is_inexact_are_off_by_one_at_most():
    made = chain(ops.Apply(ops.relu()), ops.Keep(cn.Normalized(h=1e-4)))
    report = ops.to_network(made, ops.Options(h=H, data=X)).import_report
    assert report.largest_difference <= report.bound == 1.0


def test_what_cannot_be_seen_goes():
    weights = W.copy()
    weights[1] = weights[0]  # equal units
    weights[2] = 0.0  # a constant one
    readers = V.copy()
    readers[:, 3] = 0.0  # one that nothing reads
    readers[0, 0] = 1e-30
    bias = np.array([0.5, 0.5, 2.0, 1.0])
    made = chain(ops.Dense(weights, bias), ops.Apply(ops.relu()), ops.Dense(readers))
    net = ops.to_network(made, ops.Options(h=H))
    assert [layer.n_out for layer in net.layers] == [1, 3]
    expected = smoothed_relu(X @ weights.T + bias, H) @ readers.T
    np.testing.assert_allclose(net(X), expected, atol=SUMMED)
    text = repr(net.import_report)
    for part in (
        "1 unit(s) that nothing reads",
        "1 unit(s) that are constant",
        "1 unit(s) that are equal",
    ):
        assert part in text


def test_inputs_that_nothing_reads_are_told():
    made = chain(ops.Dense(np.array([[1.0, 0.0, 2.0, 0.0, 0.0]])), ops.Apply(ops.relu()))
    report = ops.to_network(made, ops.Options()).import_report
    assert "3 of 5 inputs are not read." in repr(report)


def test_two_affine_operators_are_one_unless_that_costs_more():
    thin = [ops.Dense(RNG.normal(size=(2, 9))), ops.Dense(RNG.normal(size=(9, 2)))]
    made = chain(*thin, shape=(9,))
    assert len(ops.to_network(made, ops.Options()).layers) == 1
    # between two hidden layers, 9 x 9 weights instead of 9 x 2 and 2 x 9
    hidden = ops.Apply(ops.relu())
    made = chain(hidden, *thin, hidden, shape=(9,))
    net = ops.to_network(made, ops.Options())
    assert [layer.n_out for layer in net.layers] == [9, 2, 9]
    x = RNG.normal(size=(4, 9))
    expected = smoothed_relu(x, 1e-6)
    for one in thin:
        expected = expected @ one.weights.T
    np.testing.assert_allclose(net(x), smoothed_relu(expected, 1e-6), atol=ROUNDED)


def test_many_rails_share_one_sum():
    """Eight rails that each read 200 weights would make 1,600 reactions a unit."""
    made = chain(ops.Dense(RNG.normal(size=(3, 200))), ops.Apply(ops.sigmoid()), shape=(200,))
    net = ops.to_network(made, ops.Options())
    kinds = [type(layer.activation).__name__ for layer in net.layers]
    assert kinds == ["Linear", "PiecewiseLinear"]


def test_a_large_convolution_stays_sparse():
    kernel = ops.Convolution(RNG.normal(size=(8, 1, 3, 3)), 0.0, ops.Window.of((3, 3)))
    made = chain(
        kernel,
        ops.Apply(ops.relu()),
        ops.AveragePool(ops.Window.of((2, 2), 2)),
        ops.Flatten(0),
        shape=(1, 28, 28),
    )
    net = ops.to_network(made, ops.Options())
    assert net.layers[0].weights.nnz == 8 * 26 * 26 * 9
    assert net.layers[1].weights.nnz == 8 * 26 * 26


def test_the_report_is_of_this_network_alone():
    net = ops.to_network(RESIDUAL, ops.Options(data=X))
    report = net.import_report
    assert net.with_h(1e-3).import_report is None
    assert replace(net, name="other").import_report is None
    frame = report.to_frame()
    assert frame.loc["z", "became"] == "part of weights and biases"
    assert frame.loc["y", "error"] == math.sqrt(1e-6)
    assert "Outputs are off by at most" in repr(report)
    assert report._repr_html_().count("<tr>") == 2 + len(RESIDUAL.nodes)  # heads included
