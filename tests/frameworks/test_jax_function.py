"""Networks as functions of JAX: the same values, derivatives and errors, and they train."""

import numpy as np
import pytest
from scipy import sparse
from support.moons import check_learns
from support.networks import ACTIVATIONS, HIDDEN, STOOD_FOR, cases, corpus
from support.tolerances import ROUNDED, SOLVED, SUMMED

import crn_nn_tellurium as cn
from crn_nn_tellurium.networks.activations import BUILT_IN

jax = pytest.importorskip("jax", reason="JAX is not installed: pip install jax")
from jax.example_libraries import optimizers  # noqa: E402
from jax.test_util import check_grads  # noqa: E402

jnp = jax.numpy


@pytest.fixture(autouse=True)
def _doubles():
    """JAX computes in single precision unless told otherwise."""
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", False)


COMPILES_LONG = (
    *STOOD_FOR,
    *HIDDEN,
    *("depth 3", "xor", "one neuron", "one weight, no bias", "user's names", "zero weights"),
)
"""What the other networks stand for, where each is compiled by itself."""


def of_each(name, engine=None):
    """A small network with an activation in its middle, as a function, and inputs."""
    net = cn.Network.random(
        [2, 3, 2], ACTIVATIONS[name](h=0.05), seed=1, output=cn.Linear(h=0.01), inputs="signed"
    )
    return *cn.as_jax(net, engine=engine), np.random.default_rng(2).normal(size=(4, 2))


@pytest.mark.slow
@pytest.mark.parametrize("name", [*BUILT_IN, "Swish", "Bump"])
def test_derivatives(name):
    apply, parameters, x = of_each(name)
    # differences in doubles, with JAX's own steps and tolerances
    check_grads(jax.jit(apply), (parameters, x), order=1)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["LeakyReLU", "Sigmoid", "Normalized"])
def test_second_derivatives(name):
    apply, parameters, x = of_each(name)
    check_grads(jax.jit(apply), (parameters, x), order=2)


@pytest.mark.parametrize("case", cases(corpus(), COMPILES_LONG))
def test_values_and_derivatives_are_the_networks(case):
    apply, parameters = cn.as_jax(case.net)
    expected = case.net(case.x)

    # the squared error to 0: the sum over outputs and the mean over samples
    def loss(parameters, x):
        outputs = apply(parameters, x)
        return (outputs**2).mean(0).sum(), outputs

    (found, by_input), outputs = jax.jit(jax.grad(loss, (0, 1), has_aux=True))(parameters, case.x)
    np.testing.assert_allclose(outputs, expected, rtol=SUMMED, atol=SUMMED)
    gradient = cn.gradient(case.net, case.x, np.zeros_like(expected), inputs=True)
    scale = np.abs(gradient.vector()).max()
    for (weight, bias), weights, biases in zip(
        found, gradient.weights, gradient.biases, strict=True
    ):
        by_weight = weights.data if sparse.issparse(weights) else weights
        np.testing.assert_allclose(weight, by_weight, rtol=ROUNDED, atol=ROUNDED * scale)
        np.testing.assert_allclose(bias, biases, rtol=ROUNDED, atol=ROUNDED * scale)
    np.testing.assert_allclose(by_input, gradient.inputs, rtol=ROUNDED, atol=ROUNDED * scale)
    assert apply.to_network(parameters) == case.net


def test_kinks_have_their_slopes():
    # at 0, where |u| of the formula has a kink and the function none
    net = cn.Network([cn.Layer([[1.0]], activation=cn.SmoothedReLU(h=0.01))], inputs="signed")
    apply, parameters = cn.as_jax(net)

    def value(z):
        return apply(parameters, z[None])[0]

    # 1/2, then 2 h / (4 h)^(3/2) = 1 / (4 sqrt(h))
    assert jax.jit(jax.grad(value))(jnp.zeros(())) == 0.5
    assert jax.jit(jax.grad(jax.grad(value)))(jnp.zeros(())) == pytest.approx(2.5, rel=ROUNDED)


# one of them stands for all, since JAX compiles each anew
@pytest.mark.parametrize(
    "name",
    [
        "Normalized",
        pytest.param("SmoothedReLU", marks=pytest.mark.slow),
        pytest.param("Swish", marks=pytest.mark.slow),
    ],
)
def test_by_roadrunner(name):
    apply, parameters, x = of_each(name, "roadrunner")
    closed, _, _ = of_each(name)
    # what roadrunner's steady states are off by, as a rule 1e-12
    np.testing.assert_allclose(apply(parameters, x), closed(parameters, x), rtol=0, atol=1e-10)
    found, expected = (
        jax.jit(jax.grad(lambda p, x, f=f: (f(p, x) ** 2).sum(), (0, 1)))(parameters, x)
        for f in (apply, closed)
    )
    jax.tree.map(
        # states are off by 1e-12 as a rule, which the transposed solve multiplies
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-9),
        found,
        expected,
    )
    # by differences of the engine's answers, whose noise is 1e-12 of a step of 1e-4
    check_grads(apply, (parameters, x), 1, modes=["rev"], eps=1e-4, atol=1e-5)


@pytest.mark.parametrize(("name", "engine"), [("Swish", None), ("LeakyReLU", "roadrunner")])
def test_vmap(name, engine):
    apply, parameters, x = of_each(name, engine)
    many = x.reshape(2, 2, 2)
    expected = apply(parameters, x)
    # last digits of solved states depend on what is solved beside them
    np.testing.assert_allclose(apply(parameters, many).reshape(4, 2), expected, atol=1e-10)
    by_sample = jax.jit(jax.vmap(apply, (None, 0)))
    # last digits of solved states depend on what is solved beside them
    np.testing.assert_allclose(by_sample(parameters, x), expected, atol=1e-10)
    # gradients of each sample, which add up to that of all; and two networks side by side

    def total(parameters, x):
        return apply(parameters, x).sum()

    slope = jax.grad(total)
    each, whole = jax.jit(jax.vmap(slope, (None, 0)))(parameters, x), jax.jit(slope)(parameters, x)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a.sum(0), b, atol=SOLVED), each, whole)
    pair = jax.tree.map(lambda p: jnp.stack([p, 0.5 * p]), parameters)
    half = apply(jax.tree.map(lambda p: 0.5 * p, parameters), x)
    both = jax.jit(jax.vmap(apply, (0, None)))(pair, x)
    # last digits of solved states depend on what is solved beside them
    np.testing.assert_allclose(both, [expected, half], atol=1e-10)


def test_sparse_layers_stay_sparse():
    rng = np.random.default_rng(0)
    weights = sparse.random_array((30, 40), density=0.1, rng=rng, format="csr")
    net = cn.Network(
        [cn.Layer(weights, activation=cn.SmoothedReLU(h=0.01)), cn.Layer(np.ones((1, 30)))],
        inputs="signed",
    )
    apply, parameters = cn.as_jax(net)
    assert parameters[0][0].shape == (120,)
    x = rng.normal(size=(2, 3, 40))
    for outputs in (jax.jit(apply), jax.jit(jax.vmap(apply, (None, 0)))):
        np.testing.assert_allclose(outputs(parameters, x), net(x), rtol=ROUNDED)


@pytest.mark.parametrize(("name", "engine"), [("Swish", None), ("LeakyReLU", "roadrunner")])
def test_single_precision(name, engine):
    jax.config.update("jax_enable_x64", False)
    apply, parameters, x = of_each(name, engine)
    expected = apply.net(x)
    found = apply(parameters, x)
    slopes = jax.jit(jax.grad(lambda p: apply(p, x).sum()))(parameters)
    assert {part.dtype for part in jax.tree.leaves((found, parameters, slopes))} == {
        jnp.dtype("float32")
    }
    # single precision has 6e-8, of which sums and square roots lose a digit
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


REFUSED = [
    (options, bad)
    for options in ({}, {"inputs": "signed"}, {"inputs": "scaled", "input_range": (-1.0, 1.0)})
    for bad in ([[-2.0, 0.0]], [[np.nan, 0.0]], [[1.0]], 3.0, [[1j, 0.0]])
    if options.get("inputs") != "signed" or bad != [[-2.0, 0.0]]
]


@pytest.mark.parametrize("engine", [None, "roadrunner"])
@pytest.mark.parametrize(("options", "bad"), REFUSED, ids=str)
def test_inputs_are_refused_as_the_network_refuses_them(options, bad, engine):
    net = cn.Network.random([2, 1], seed=0, **options)
    apply, parameters = cn.as_jax(net, engine)
    with pytest.raises(cn.InputError) as expected:
        net(np.array(bad))
    for x in (bad, np.array(bad), jnp.array(bad)):
        with pytest.raises(cn.InputError) as found:
            apply(parameters, x)
    assert str(found.value) == str(expected.value)


def test_traced_inputs_that_are_refused_are_nan_or_raise_by_the_engine():
    net = cn.Network.random([2, 3, 1], seed=0)
    apply, parameters = cn.as_jax(net)
    x = np.array([[1.0, 2.0], [-1.0, 2.0]])
    found = jax.jit(apply)(parameters, x)
    np.testing.assert_allclose(found[0], net(x[0]), rtol=ROUNDED)
    assert np.isnan(found[1]).all()
    slopes = jax.jit(jax.grad(lambda p, x: apply(p, x).sum()))(parameters, x)
    assert np.isnan(slopes[0][0]).any()
    by_engine, _ = cn.as_jax(net, "roadrunner")
    with pytest.raises(Exception, match=r"input 'x0', sample 1: -1\.0; a concentration"):
        jax.block_until_ready(jax.jit(by_engine)(parameters, x))


@pytest.mark.parametrize(
    ("error", "parts", "call"),
    [
        (cn.InputError, ["engine is 'copasi'", "roadrunner"], lambda net: cn.as_jax(net, "copasi")),
        (cn.NetworkError, ["as_jax"], lambda net: cn.as_jax(3)),
        (
            cn.InputError,
            ["shapes [(2,)]", "[(1, 2), (1,)]", "(weight, bias) of each layer"],
            lambda net: cn.as_jax(net)[0]([np.ones(2)], [[0.0, 1.0]]),
        ),
        (
            cn.InputError,
            ["shapes [(1, 2), (2,)]"],
            lambda net: cn.as_jax(net)[0].to_network([(np.ones((1, 2)), np.ones(2))]),
        ),
    ],
)
def test_errors(error, parts, call):
    with pytest.raises(error) as found:
        call(cn.Network.random([2, 1], seed=0))
    assert all(part in str(found.value) for part in parts)


@pytest.mark.slow
def test_moons_by_adam_to_the_accuracy_of_fit():
    def train(net, x, y):
        apply, parameters = cn.as_jax(net)

        def loss(parameters):
            return -jax.nn.log_softmax(apply(parameters, x))[np.arange(len(y)), y].mean()

        start, update, read = optimizers.adam(0.02)

        @jax.jit
        def step(number, state):
            return update(number, jax.grad(loss)(read(state)), state)

        state = start(parameters)
        for number in range(300):
            state = step(number, state)
        return apply.to_network(read(state))

    check_learns(train)
