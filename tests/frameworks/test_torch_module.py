"""Networks as modules of PyTorch: the same values, derivatives and errors, and they train."""

import copy
import pickle

import numpy as np
import pytest
from scipy import sparse
from support.moons import check_learns
from support.networks import ACTIVATIONS, corpus
from support.tolerances import SOLVED, SUMMED

import crn_nn_tellurium as cn

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch")
torch.set_num_threads(1)  # small matrices: two threads would wait for one another
XOR = cn.load_model("xor")


def of_each(name, engine=None):
    """A small network with an activation in its middle, as a module, and inputs."""
    net = cn.Network.random(
        [2, 3, 2], ACTIVATIONS[name](h=0.05), seed=1, output=cn.Linear(h=0.01), inputs="signed"
    )
    x = torch.tensor(np.random.default_rng(2).normal(size=(4, 2)), requires_grad=True)
    return cn.as_torch(net, engine=engine), x


def by_parameters(module):
    """The outputs as a function of inputs and parameters, for gradcheck."""
    names = [name for name, _ in module.named_parameters()]

    def outputs(x, *values):
        return torch.func.functional_call(module, dict(zip(names, values, strict=True)), (x,))

    return outputs, tuple(module.parameters())


@pytest.mark.parametrize("name", [*ACTIVATIONS])
def test_gradcheck(name):
    module, x = of_each(name)
    outputs, parameters = by_parameters(module)
    assert torch.autograd.gradcheck(outputs, (x, *parameters))


@pytest.mark.parametrize("name", [*ACTIVATIONS])
def test_derivatives_of_derivatives_are_right_or_refused(name):
    """A penalty on gradients trains by them; what is kept of the slope counts as no constant."""
    module, x = of_each(name)
    outputs, parameters = by_parameters(module)
    if name == "Swish":  # of a user's own, by numpy
        with pytest.raises(cn.NetworkError, match="Swish has no derivatives of derivatives"):
            torch.autograd.functional.hessian(lambda z: module(z).sum(), x)
        return
    assert torch.autograd.gradgradcheck(outputs, (x, *parameters))
    at_the_kink = torch.zeros(2, dtype=torch.double)
    there, near = (
        torch.func.jacrev(torch.func.jacrev(module))(z) for z in (at_the_kink, at_the_kink + 1e-9)
    )
    # third derivatives are of order 1 / h
    torch.testing.assert_close(there, near, rtol=0, atol=1e-5)


@pytest.mark.parametrize("case", corpus(), ids=lambda case: case.name)
def test_values_and_derivatives_are_the_networks(case):
    module = cn.as_torch(case.net)
    x = torch.tensor(case.x, requires_grad=True)
    outputs = module(x)
    # sums in another order
    sizes = 1e-12 * (1 + np.abs(case.net(case.x)))
    assert (np.abs(outputs.detach().numpy() - case.net(case.x)) <= sizes).all()
    target = np.zeros_like(case.net(case.x))
    (outputs**2).mean(0).sum().backward()
    # which is the squared error: the sum over outputs and the mean over samples
    expected = cn.gradient(case.net, case.x, target, inputs=True)
    for own, weights, bias in zip(module.layers, expected.weights, expected.biases, strict=True):
        by_weight = weights.data if sparse.issparse(weights) else weights
        scale = np.abs(expected.vector()).max()
        np.testing.assert_allclose(
            own.weight.grad.numpy(), by_weight, rtol=SOLVED, atol=SOLVED * scale
        )
        np.testing.assert_allclose(own.bias.grad.numpy(), bias, rtol=SOLVED, atol=SOLVED * scale)


def test_kinks_have_their_slope():
    # at 0, where |u| of the formula has a kink and the function none
    net = cn.Network([cn.Layer([[1.0]], activation=cn.SmoothedReLU(h=0.01))], inputs="signed")
    x = torch.zeros(1, 1, dtype=torch.double, requires_grad=True)
    cn.as_torch(net)(x).backward()
    assert x.grad.item() == 0.5


@pytest.mark.parametrize("name", ["SmoothedReLU", "Normalized", "Swish"])
def test_by_roadrunner(name):
    module, x = of_each(name, "roadrunner")
    closed, _ = of_each(name)
    # what roadrunner's steady states are off by, as a rule 1e-12
    assert torch.allclose(module(x), closed(x), rtol=0, atol=1e-10)
    found = torch.autograd.grad(module(x).square().sum(), (x, *module.parameters()))
    expected = torch.autograd.grad(closed(x).square().sum(), (x, *closed.parameters()))
    for a, b in zip(found, expected, strict=True):
        # states are off by 1e-12 as a rule, which the transposed solve multiplies
        torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-9)
    # by differences of the engine's answers, whose noise is 1e-12 of a step of 1e-4
    outputs, parameters = by_parameters(module)
    # the noise of 1e-10 over a step of 1e-4, and that step's square
    assert torch.autograd.gradcheck(outputs, (x, *parameters), eps=1e-4, atol=1e-5)


def test_by_roadrunner_of_what_is_parametrized_and_once():
    class Positive(torch.nn.Module):
        def forward(self, weight):
            return weight.abs()

    found = []
    for engine in (None, "roadrunner"):
        module, x = of_each("SmoothedReLU", engine)
        own = module.layers[0]
        torch.nn.utils.parametrize.register_parametrization(own, "weight", Positive())
        module(x).square().sum().backward()
        found.append((own.parametrizations.weight.original.grad, own.bias.grad, x.grad))
    for a, b in zip(*found, strict=True):
        # states are off by 1e-12 as a rule, which the transposed solve multiplies
        torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-9)
    (slope,) = torch.autograd.grad(module(x).sum(), x, create_graph=True)
    with pytest.raises(cn.NetworkError, match="engine='roadrunner' has no derivatives of"):
        slope.sum().backward()


def sparse_network():
    rng = np.random.default_rng(0)
    weights = sparse.random_array((30, 40), density=0.1, rng=rng, format="csr")
    return cn.Network(
        [cn.Layer(weights, activation=cn.SmoothedReLU(h=0.01)), cn.Layer(np.ones((1, 30)))],
        inputs="signed",
    )


def test_sparse_layers_stay_sparse():
    net = sparse_network()
    module = cn.as_torch(net)
    assert module.layers[0].weight.shape == (120,)
    x = torch.randn(2, 40, dtype=torch.double, requires_grad=True)
    outputs, parameters = by_parameters(module)
    assert torch.autograd.gradcheck(outputs, (x, *parameters))
    assert module.to_network() == net


def test_shapes_types_and_copies():
    module, x = of_each("Tanh")
    one, many = module(x[0]), module(x.reshape(2, 2, 2))
    torch.testing.assert_close(one, module(x)[0])
    torch.testing.assert_close(many.reshape(4, 2), module(x))
    single = copy.deepcopy(module).float()
    # single precision has 1e-7, of which sums of layers lose some
    torch.testing.assert_close(single(x.float()), module(x).float(), rtol=1e-5, atol=1e-6)
    again = pickle.loads(pickle.dumps(module))
    torch.testing.assert_close(again(x), module(x), rtol=0, atol=0)


def test_state_dict_and_the_way_back():
    module, x = of_each("LeakyReLU")
    other = cn.as_torch(
        cn.Network.random(
            [2, 3, 2], cn.LeakyReLU(h=0.05), seed=9, output=cn.Linear(h=0.01), inputs="signed"
        )
    )
    assert set(module.state_dict()) == {
        f"layers.{i}.{k}" for i in (0, 1) for k in ("weight", "bias")
    }
    other.load_state_dict(module.state_dict())
    torch.testing.assert_close(other(x), module(x), rtol=0, atol=0)
    net = other.to_network()
    assert net == module.to_network()
    assert net.h == (0.05, 0.01)
    np.testing.assert_allclose(net(x.detach().numpy()), module(x).detach().numpy(), rtol=SUMMED)


@pytest.mark.parametrize(
    "options", [{}, {"inputs": "signed"}, {"inputs": "scaled", "input_range": (-1.0, 1.0)}]
)
@pytest.mark.parametrize("bad", [[[-2.0, 0.0]], [[np.nan, 0.0]], [[1.0]], 3.0])
@pytest.mark.parametrize("engine", [None, "roadrunner"])
def test_inputs_are_refused_as_the_network_refuses_them(options, bad, engine):
    net = cn.Network.random([2, 1], seed=0, **options)
    module, x = cn.as_torch(net, engine), torch.tensor(bad)
    if bad == [[-2.0, 0.0]] and net.inputs == "signed":
        assert module(x.double()).shape == (1, 1)
        return
    with pytest.raises(cn.InputError) as expected:
        net(bad)
    with pytest.raises(cn.InputError) as found:
        module(x)
    assert str(found.value) == str(expected.value)


@pytest.mark.parametrize(
    ("error", "parts", "call"),
    [
        (
            cn.InputError,
            ["engine is 'copasi'", "roadrunner"],
            lambda net: cn.as_torch(net, "copasi"),
        ),
        (cn.InputError, ["got list", "a tensor"], lambda net: cn.as_torch(net)([[0.0, 1.0]])),
        (
            cn.InputError,
            ["torch.float32 and the module's numbers torch.float64", "module.to(torch.float32)"],
            lambda net: cn.as_torch(net)(torch.zeros(1, 2)),
        ),
        (
            cn.InputError,
            ["torch.int64", "x.to(torch.float64)"],
            lambda net: cn.as_torch(net, "roadrunner")(torch.ones(1, 2, dtype=int)),
        ),
        (cn.NetworkError, ["as_torch"], lambda net: cn.as_torch(3)),
    ],
)
def test_errors(error, parts, call):
    with pytest.raises(error) as found:
        call(cn.Network.random([2, 1], seed=0))
    assert all(part in str(found.value) for part in parts)


@pytest.mark.slow
def test_moons_by_adam_to_the_accuracy_of_fit():
    def train(net, x, y):
        module = cn.as_torch(net)
        optimizer = torch.optim.Adam(module.parameters(), lr=0.02)
        inputs, targets = torch.tensor(x), torch.tensor(y)
        for _ in range(300):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(module(inputs), targets).backward()
            optimizer.step()
        return module.to_network()

    check_learns(train)


@pytest.mark.parametrize(
    "call",
    [
        lambda t: XOR(t),
        lambda t: cn.Simulator(XOR).steady_state(t),
        lambda t: cn.gradient(XOR, t, [1, 0]),
        lambda t: cn.fit(XOR, [[0.0, 1.0], [1.0, 1.0]], t[:, 0]),
        lambda t: cn.Layer(t),
    ],
    ids=["closed form", "steady state", "gradient", "labels", "weights"],
)
def test_tensors_that_wait_for_a_gradient_are_refused_in_words(call):
    tensor = torch.tensor([[0.0, 1.0], [1.0, 1.0]], dtype=torch.double)
    call(tensor)
    with pytest.raises(ValueError, match=r"requires grad.*; expected ") as raised:
        call(tensor.requires_grad_())
    assert isinstance(raised.value, cn.InputError | cn.NetworkError)
