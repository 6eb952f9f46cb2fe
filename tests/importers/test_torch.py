"""Networks from PyTorch against PyTorch's own forward passes, plain and with their counterparts."""

import math
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from support.tolerances import ROUNDED, SUMMED

import crn_nn_tellurium as cn

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch")
torch.set_num_threads(1)  # small matrices: two threads would wait for one another
from torch import nn  # noqa: E402  # after it is known to be there
from torch.nn import functional as F  # noqa: E402, N812  # as everybody calls it

H = 1e-6


def smoothed(z):
    return (z + torch.sqrt(z * z + 4 * H)) / 2


def clipped(z, low, high):
    return low + smoothed(z - low) - smoothed(z - high)


def largest(rows):
    """The smoothed maximum over the last axis, in rounds of pairs."""
    while rows.shape[-1] > 1:
        a, b = rows[..., : rows.shape[-1] // 2 * 2 : 2], rows[..., 1::2]
        odd = rows[..., rows.shape[-1] // 2 * 2 :]
        rows = torch.cat([a + smoothed(b - a), odd], -1)
    return rows[..., 0]


def pooled(x, size):
    """The smoothed maximum of windows side by side, over as many last axes as there are sizes."""
    n = len(size)
    for axis, k in zip(range(-n, 0), size, strict=True):
        # the windows' own axes are behind all others, so that places count from there
        x = x.unfold(axis - (n + axis), k, k)
    return largest(x.flatten(-n))


class Plain:
    """Modules as PyTorch has them."""

    def __call__(self, kind, *args, **options):
        return getattr(nn, kind)(*args, **options)

    def largest(self, x, axis):
        return x.amax(axis)


class Of(nn.Module):
    """A function as a module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *x):
        return self.function(*x)


class Counterparts(Plain):
    """The same with smoothed functions, and pieces for those that have none."""

    KNOWN = {
        "ReLU": lambda: smoothed,
        "ReLU6": lambda: lambda z: clipped(z, 0.0, 6.0),
        "LeakyReLU": lambda slope: lambda z: smoothed(z) - slope * smoothed(-z),
        "Hardtanh": lambda low, high: lambda z: clipped(z, low, high),
        "Hardsigmoid": lambda: lambda z: clipped(z / 6 + 0.5, 0.0, 1.0),
        "Softshrink": lambda w: lambda z: smoothed(z - w) - smoothed(-z - w),
        "Threshold": lambda at, _: lambda z: at + smoothed(z - at),
        "MaxPool1d": lambda k: lambda x: pooled(x, (k,)),
        "MaxPool2d": lambda k: lambda x: pooled(x, k),
        "MaxPool3d": lambda k: lambda x: pooled(x, (k, k, k)),
        "AdaptiveMaxPool2d": lambda n: lambda x: pooled(x, (x.shape[-2] // n, x.shape[-1] // n)),
    }
    LINEAR = """Linear Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d Flatten
    BatchNorm1d BatchNorm2d BatchNorm3d AvgPool1d AvgPool2d AvgPool3d AdaptiveAvgPool1d Dropout
    AdaptiveAvgPool2d AdaptiveAvgPool3d Upsample PixelShuffle Identity ZeroPad2d""".split()

    def __init__(self, net):
        # in the order of the graph, as layers are made
        self.pieces = [
            one.activation for one in net.layers if isinstance(one.activation, cn.PiecewiseLinear)
        ]

    def __call__(self, kind, *args, **options):
        if kind in self.LINEAR:
            return super().__call__(kind, *args, **options)
        if kind == "PReLU":
            slopes = super().__call__(kind, *args, **options)

            def prelu(z):
                by = slopes.weight.reshape(-1, *(1,) * (z.ndim - 2))
                return smoothed(z) - by * smoothed(-z)

            # the module too, whose slopes take part in drawing all numbers
            module = Of(prelu)
            module.slopes = slopes
            return module
        if kind in self.KNOWN:
            if kind in ("Hardtanh", "Softshrink", "Threshold"):
                self.pieces.pop(0)
            return Of(self.KNOWN[kind](*args))
        pieces = self.by_pieces(self.pieces.pop(0))
        if kind == "Tanhshrink":
            return Of(lambda z: z - pieces(z))
        if kind == "Softmax":  # of two
            return Of(lambda z: pieces(z @ torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).double()))
        return Of(pieces)

    def by_pieces(self, activation):
        knots, slopes = activation.knots, activation.slopes

        def function(z):
            y = activation.offset - slopes[0] * smoothed(knots[0] - z)
            changes = np.diff(slopes[1:], prepend=0.0)
            return y + sum(c * smoothed(z - t) for t, c in zip(knots, changes, strict=True))

        return function

    def largest(self, x, axis):
        return largest(x.movedim(axis, -1))


class Residual(nn.Module):
    def __init__(self, f):
        super().__init__()
        self.first, self.second = nn.Conv2d(2, 2, 3, padding=1), nn.Conv2d(2, 2, 3, padding="same")
        self.norm, self.relu, self.last = nn.BatchNorm2d(2), f("ReLU"), nn.Linear(2, 2)

    def forward(self, x):
        y = self.second(self.relu(self.norm(self.first(x))))
        return self.last((self.relu(x + 0.5 * y)).mean((2, 3)))


class Around(nn.Module):
    """Paddings of every kind, in convolutions and by themselves."""

    def __init__(self, f):
        super().__init__()
        kinds = ("zeros", "reflect", "replicate", "circular")
        self.convs = nn.ModuleList(nn.Conv2d(1, 1, 2, padding=1, padding_mode=k) for k in kinds)
        self.relu = f("ReLU")

    def forward(self, x):
        y = torch.cat([conv(x) for conv in self.convs], 1)
        return F.pad(self.relu(y), (1, 0, 0, 2), value=-0.5).flatten(1)


class Moves(nn.Module):
    """What moves elements only."""

    def __init__(self, f):
        super().__init__()
        self.linear, self.relu = nn.Linear(6, 6), f("ReLU")
        self.register_buffer("where", torch.tensor([2, 0, 2]))
        self.mark = torch.arange(2.0)

    def forward(self, x):
        y = self.relu(self.linear(x)).view(-1, 2, 3)
        a, b = y.permute(0, 2, 1).split([1, 2], 1)
        c = torch.stack([y.select(2, 0), y[:, :, 1]], 1).squeeze(0).unsqueeze(0)
        d, e = y.transpose(1, 2).index_select(1, self.where).chunk(2, 1)
        marks = self.mark.to(y.dtype).expand(len(y), 1, 2)
        y = torch.cat([a, b, c, d, e, marks], 1).reshape(1, -1)
        return self.linear(y[:, ::3].flip(1).roll(1, 1)[:, :6].contiguous().clone())


class Arithmetic(nn.Module):
    """Sums, products with constants, means, of tensors and numbers."""

    def __init__(self, f):
        super().__init__()
        self.linear, self.relu = nn.Linear(4, 4), f("ReLU")
        self.factor = nn.Parameter(torch.empty(4))

    def forward(self, x):
        y = self.relu(self.linear(x))
        z = torch.add(2 - y, x, alpha=3) / 4 - torch.sub(x, 0.5 * y, alpha=0.1)
        z = -z * self.factor * torch.exp(self.factor) + (self.factor - y) + torch.rsub(y, x)
        return torch.cat([z, z.mean(1, keepdim=True), z.sum((0, 1)).reshape(1, 1)], 1)


class Products(nn.Module):
    """Products with constant matrices, from either side."""

    def __init__(self, f):
        super().__init__()
        self.relu, self.two = f("ReLU"), nn.Parameter(torch.empty(3, 4))
        self.three = nn.Parameter(torch.empty(1, 4, 2))

    def forward(self, x):
        y = self.relu(torch.bmm(x @ self.two, self.three))  # (1, 2, 2)
        left = torch.matmul(self.two.T, x.transpose(1, 2))  # (1, 4, 2)
        right = torch.addmm(self.two[:2, :2], y[0], self.two[1:, :2], beta=2, alpha=0.5)
        vector = torch.einsum("nij,j->ni", y, self.two[0, :2])
        return torch.cat([y.flatten(), left.flatten(), right.flatten(), vector.flatten()])[None]


class Extremes(nn.Module):
    """Maxima and minima over axes, of two tensors, and between bounds."""

    def __init__(self, f):
        super().__init__()
        self.f, self.linear = [f], nn.Linear(6, 6)

    def forward(self, x):
        (f,) = self.f
        y = self.linear(x).reshape(1, 2, 3)
        if type(f) is Plain:
            both = torch.maximum(y[:, 0], y[:, 1]) - torch.minimum(y[:, 0], 2 * y[:, 1])
            least = y.min(2).values - y.min()
            return torch.cat([y.max(1)[0], least, both, y.max().reshape(1, 1)], 1)
        a, b = y[:, 0], y[:, 1]
        both = largest(torch.stack([a, b], -1)) + largest(torch.stack([-a, -2 * b], -1))
        least = -largest(-y) + largest(-y.flatten())
        return torch.cat(
            [largest(y.transpose(1, 2)), least, both, largest(y.flatten())[None, None]], 1
        )


class Two(nn.Module):
    """Two inputs of different shapes."""

    def __init__(self, f):
        super().__init__()
        self.image, self.vector = nn.Conv1d(1, 2, 2), nn.Linear(3, 2)
        self.relu, self.last = f("ReLU"), nn.Linear(8, 2)

    def forward(self, image, vector):
        a, b = self.relu(self.image(image)).flatten(1), self.relu(self.vector(vector))
        return self.last(torch.cat([a, b], 1))


class Gated(nn.Module):
    """Products of a tensor and functions of it."""

    def __init__(self, f):
        super().__init__()
        self.linear, self.f = nn.Linear(3, 3), [f]
        self.parts = None if type(f) is Plain else [f("swish"), f("gate"), f("last")]

    def forward(self, x):
        z = self.linear(x)
        if self.parts is None:
            return torch.cat(
                [z * torch.sigmoid(z), z * (1 + torch.tanh(z)) / 2, z * torch.erf(z)], 1
            )
        swish, gate, last = self.parts
        return torch.cat([swish(z), gate(z) / 2, last(z)], 1)


def every(kinds):
    """A unit of each of some activations, between linear layers."""

    class Every(nn.Module):
        def __init__(self, f):
            super().__init__()
            self.first, self.last = nn.Linear(3, len(kinds)), nn.Linear(len(kinds), 2)
            self.each = nn.ModuleList(f(kind, *args) for kind, *args in kinds)

        def forward(self, x):
            z = 2 * self.first(x)
            parts = [one(z[:, i : i + 1]) for i, one in enumerate(self.each)]
            return self.last(torch.cat(parts, 1))

    return Every


def chain(*parts):
    """A Sequential of modules by kind."""
    return lambda f: nn.Sequential(*(f(kind, *args) for kind, *args in parts))


GRAPHS = {
    "conv1d": (
        chain(("Conv1d", 2, 3, 3, 2, 1), ("BatchNorm1d", 3), ("ReLU",), ("Flatten",)),
        (2, 7),
    ),
    "conv2d, groups": (chain(("Conv2d", 2, 4, (3, 2), (1, 2), (2, 0), 2, 2), ("ReLU",)), (2, 4, 5)),
    "conv3d": (
        chain(("Conv3d", 1, 2, 2), ("BatchNorm3d", 2), ("ReLU",), ("AvgPool3d", 2)),
        (1, 3, 3, 3),
    ),
    "transposed 1d": (
        chain(("ConvTranspose1d", 2, 4, 3, 2, 1, 1, 2), ("LeakyReLU", 0.2), ("AvgPool1d", 3, 2, 1)),
        (2, 3),
    ),
    "transposed 2d": (chain(("ConvTranspose2d", 2, 1, (2, 3), 2), ("PReLU",)), (2, 2, 2)),
    "transposed 3d": (chain(("ConvTranspose3d", 1, 1, 2), ("ReLU",), ("Flatten", 2)), (1, 2, 1, 2)),
    "max pool 1d": (chain(("Conv1d", 1, 2, 2), ("MaxPool1d", 3), ("Flatten",)), (1, 7)),
    "max pool 2d": (chain(("Conv2d", 1, 1, 2), ("MaxPool2d", (2, 2)), ("ReLU6",)), (1, 5, 5)),
    "max pool 3d": (chain(("MaxPool3d", 2), ("Flatten",), ("Linear", 1, 2)), (1, 2, 2, 2)),
    "average pool 2d": (
        chain(("AvgPool2d", (3, 2), 2, 1, True, False), ("ReLU",), ("ZeroPad2d", 1)),
        (1, 4, 5),
    ),
    "adaptive pools": (
        chain(
            ("AdaptiveMaxPool2d", 2),
            ("AdaptiveAvgPool2d", (3, 1)),
            ("Flatten", 1, 2),
            ("AdaptiveAvgPool1d", 1),
            ("ReLU",),
        ),
        (2, 4, 4),
    ),
    "adaptive 3d": (chain(("AdaptiveAvgPool3d", (2, 1, 2)), ("ReLU",)), (1, 3, 2, 2)),
    "nearest": (
        lambda f: nn.Sequential(
            f("PixelShuffle", 2), f("Upsample", scale_factor=1.5), f("ReLU"), f("Dropout")
        ),
        (4, 1, 2),
    ),
    "residual": (Residual, (2, 3, 3)),
    "paddings": (Around, (1, 3, 3)),
    "moves": (Moves, (6,)),
    "arithmetic": (Arithmetic, (4,)),
    "products with matrices": (Products, (2, 3)),
    "extremes": (Extremes, (6,)),
    "two inputs": (Two, ((1, 4), (3,))),
    "gated": (Gated, (3,)),
    "exact functions": (
        every(
            [
                ("ReLU6",),
                ("LeakyReLU", 0.1),
                ("PReLU",),
                ("Hardtanh", -0.5, 1.5),
                ("Hardsigmoid",),
                ("Softshrink", 0.3),
                ("Threshold", 0.2, 0.2),
                ("ReLU",),
            ]
        ),
        (3,),
    ),
    "sigmoids": (every([("Sigmoid",), ("Tanh",), ("LogSigmoid",), ("Softplus", 2.0)]), (3,)),
    "units": (every([("SiLU",), ("GELU",), ("GELU", "tanh"), ("Mish",), ("Hardswish",)]), (3,)),
    "exponentials": (every([("ELU", 0.7), ("SELU",), ("CELU", 2.0)]), (3,)),
    "shrunk": (every([("Tanhshrink",), ("Softsign",)]), (3,)),
    "shares of two": (chain(("Linear", 3, 2), ("Softmax", -1)), (3,)),
}


def made(graph, f, seed=0):
    """A module with numbers drawn for all that it holds, which are the same for every `f`."""
    module = graph(f).double().eval()
    drawn = torch.Generator().manual_seed(seed)
    for name, tensor in sorted(module.state_dict().items()):
        if tensor.dtype.is_floating_point:
            values = torch.randn(tensor.shape, generator=drawn, dtype=torch.double)
            tensor.copy_(values.abs() + 0.5 if "var" in name else 0.5 * values)
    return module


def samples(shape, n=4):
    shapes = shape if isinstance(shape[0], tuple) else (shape,)
    drawn = torch.Generator().manual_seed(1)
    return tuple(torch.randn(n, *s, generator=drawn, dtype=torch.double) for s in shapes)


def rows(module, x):
    """Outputs of one sample after another: what it makes of a batch is not asked for."""
    with torch.no_grad():
        return np.array(
            [module(*(one[i : i + 1] for one in x)).flatten().numpy() for i in range(len(x[0]))]
        )


@pytest.mark.parametrize("name", GRAPHS)
def test_graph(name):
    graph, shape = GRAPHS[name]
    x = samples(shape)
    module = made(graph, Plain())
    net = cn.from_torch(module, x, h=H, max_error=0.05)
    flat = torch.cat([one.flatten(1) for one in x], 1).numpy()
    # rounding of sums in another order, besides what is reported
    assert np.abs(net(flat) - rows(module, x)).max() <= net.import_report.bound + 1e-12
    reference = rows(made(graph, Counterparts(net)), x)
    found = cn.Simulator(net).steady_state(flat).outputs
    # the engine's own accuracy; at most some 1e-11 here
    np.testing.assert_allclose(found, reference, rtol=0, atol=1e-9)


def test_float32_is_taken_in_doubles():
    module = made(GRAPHS["residual"][0], Plain())
    x = samples((2, 3, 3))
    net = cn.from_torch(module, x, h=1e-12)
    single = cn.from_torch(module.float(), x, h=1e-12)
    # numbers rounded to single precision, and nothing computed in it afterwards
    flat = x[0].flatten(1).numpy()
    # single precision has 1e-7, of which sums of layers lose some
    np.testing.assert_allclose(single(flat), rows(module.double(), x), rtol=0, atol=1e-5)
    # a dozen numbers, each rounded by 6e-8 at most
    assert 0 < np.abs(single(flat) - net(flat)).max() < 1e-6
    half = cn.from_torch(nn.Linear(3, 2, dtype=torch.bfloat16))
    assert half.n_in == 3


def test_the_module_stays_as_it_is():
    module = made(GRAPHS["residual"][0], Plain()).train()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    cn.from_torch(module, samples((2, 3, 3)))
    assert module.training
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def test_modules_that_keep_what_they_computed():
    from torch.nn.utils import parametrizations, prune

    torch.manual_seed(0)  # no unit of these loses all of its weights
    pruned = prune.l1_unstructured(nn.Linear(3, 3), "weight", amount=0.5)
    normed = parametrizations.weight_norm(nn.Linear(3, 3))
    module, x = nn.Sequential(pruned, nn.ReLU(), normed).double(), samples((3,))
    module(x[0])
    net = cn.from_torch(module, x, h=1e-12)
    # some knees, each off by sqrt(h)
    # single precision has 1e-7, of which sums of layers lose some
    np.testing.assert_allclose(net(x[0].numpy()), rows(module, x), rtol=0, atol=1e-5)
    assert net.n_weights == 14  # 5 of 9 are left, and 9


def test_weights_too_small_to_be_seen_are_dropped_and_told():
    linear = nn.Linear(2, 1, dtype=torch.double)
    linear.load_state_dict({"weight": torch.tensor([[1.0, 1e-25]]), "bias": torch.zeros(1)})
    net = cn.from_torch(linear)
    assert net.layers[0].weights.tolist() == [[1.0, 0.0]]
    assert "1 weight(s) too small to be seen: dropped." in net.import_report.sentences


def test_the_inputs_themselves():
    net = cn.from_torch(nn.Sequential(), torch.zeros(1, 2))
    # a difference of two rails, rounded
    np.testing.assert_allclose(net([[0.5, -2.0]]), [[0.5, -2.0]], rtol=1e-15)


class Named(nn.Module):
    """A submodule called like a function that stands beside it."""

    def __init__(self):
        super().__init__()
        self.add = nn.Linear(3, 3)

    def forward(self, x):
        h = self.add(x)
        y = x + 1
        return 3 * h - 2 * y


@pytest.mark.parametrize(
    ("module", "shape"),
    [
        (Named(), (3,)),
        # of equal windows the first is read by nothing
        (nn.Sequential(nn.MaxPool2d(2, 1), nn.MaxPool2d(3, 3, 1, 2)), (1, 4, 5)),
        (Of(lambda x: torch.maximum(x[:, :1], torch.zeros(3)).sum(1, keepdim=True)), (2,)),
        (Of(lambda x: torch.minimum(x, torch.tensor([0.1, -0.2, 0.3]))), (3,)),
        (nn.Tanh(), (2, 4, 5)),
    ],
    ids=["names", "equal windows", "spread constant", "constants", "tanh"],
)
def test_what_once_went_wrong(module, shape):
    x = torch.randn(20, *shape, generator=torch.Generator().manual_seed(0)).double()
    with torch.no_grad():
        expected = module.double()(x).reshape(20, -1).numpy()
    flat = x.reshape(20, -1).numpy()
    for options in ({}, {"data": flat}):
        net = cn.from_torch(module, x[:1], h=1e-3, max_error=0.05, **options)
        off = np.abs(net(flat) - expected).max()
        assert off <= net.import_report.bound * (1 + ROUNDED) + SUMMED


class Optional(nn.Module):
    def forward(self, x, mask=None):
        return 2 * x if mask is None else mask * x


KERNEL = torch.tensor([[[1.0, -2.0, 0.5]]]).double()
CALLS = {
    "pow 1": (Of(lambda x: x**1), (3,)),
    "pow 2": (Of(lambda x: x**2), (3,)),
    "pow 0.5": (Of(lambda x: (1 + x.relu()) ** 0.5), (3,)),
    "clamp from below": (Of(lambda x: x.clamp(min=-0.1)), (3,)),
    "clamp from above": (Of(lambda x: x.clamp(max=0.2)), (3,)),
    "maximum and a number": (Of(lambda x: torch.maximum(KERNEL[0, 0, 2], x)), (3,)),
    "minimum and a number": (Of(lambda x: torch.minimum(x, KERNEL[:, :, 1])), (3,)),
    "rrelu": (Of(F.rrelu), (3,)),
    "prelu of a vector": (Of(lambda x: F.prelu(x[0], KERNEL[0, 0, 2:])[None]), (3,)),
    "valid": (Of(lambda x: F.conv1d(x, KERNEL, padding="valid")), (1, 5)),
    "convolution": (
        Of(lambda x: torch.convolution(x, KERNEL, None, [2], [1], [1], False, [0], 1)),
        (1, 5),
    ),
    "transposed": (
        Of(lambda x: torch.convolution(x, KERNEL, None, [2], [1], [1], True, [1], 1)),
        (1, 3),
    ),
    "an argument left out": (Optional(), (3,)),
    "a tuple of one": (Of(lambda x: (2 * x,)), (3,)),
    "a dictionary of one": (Of(lambda x: {"y": 2 * x}), (3,)),
}


@pytest.mark.parametrize("name", CALLS)
def test_calls_with_other_arguments(name):
    module, shape = CALLS[name]
    (x,) = samples(shape, 20)
    flat = x.flatten(1).numpy()
    net = cn.from_torch(module, x[:1], h=H, max_error=0.05, data=flat)
    found = [module(x[i : i + 1]) for i in range(len(x))]
    if not isinstance(found[0], torch.Tensor):
        found = [2 * x[i : i + 1] for i in range(len(x))]
    expected = torch.cat([one.flatten(1) for one in found]).numpy()
    assert np.abs(net(flat) - expected).max() <= net.import_report.bound + SUMMED
    # of several pieces at worst, near the largest inputs
    assert net.import_report.bound < 0.1


@pytest.mark.parametrize("call", [lambda x: x.max(1)[1], lambda x: torch.max(x, 1).indices])
def test_where_the_largest_is_is_a_class(call):
    module, x = made(lambda _: of(call), None), samples((3,), 20)
    net = cn.from_torch(module, x[0][:1])
    assert net.task == "classification"
    assert net.predict(x[0].numpy()).tolist() == module(x[0]).tolist()


class Changing(nn.Module):
    """Tensors changed in place, where others read them before and after."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 3)

    def forward(self, x):
        y = self.linear(x)
        z = 2 * y
        y.relu_()
        y[:, 0] = 0.5
        y += x
        return y + z


class ChangingOnce(nn.Module):
    """The same where nothing else reads what is changed."""

    def __init__(self):
        super().__init__()
        self.linear, self.softshrink = nn.Linear(3, 3), nn.Softshrink(0.2)
        self.each = nn.ModuleList([nn.RReLU(inplace=True), nn.ReLU6(inplace=True)])

    def forward(self, x):
        y = self.softshrink(self.linear(x))
        y += x
        for one in self.each:
            y = one(y - 0.5)
        return y.mul_(3)


class ChangingInputs(nn.Module):
    """The inputs themselves, and places of a tensor; and a part that is not trained."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 3)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x):
        self.calls += 1
        x.relu_()
        with torch.no_grad():
            y = self.linear(x).relu()
        y[:, 0] = x[:, 1]
        y[:, [1, 2]] = x[:, [0, 1]] - 1
        return (y + torch.ones_like(y) * x.clamp(-math.inf, 1)).squeeze()


@pytest.mark.parametrize("kind", [Changing, ChangingOnce, ChangingInputs])
def test_changes_in_place(kind):
    module, x = made(lambda _: kind(), None), samples((3,))
    before = x[0].clone()
    net = cn.from_torch(module, x, h=1e-12)
    assert torch.equal(x[0], before)
    found = net(x[0].numpy())
    np.testing.assert_allclose(found, rows(module, x), rtol=0, atol=net.import_report.bound)
    # knees of sqrt(h) = 1e-6, one after another
    assert net.import_report.bound < 1e-5


class Hidden(nn.Module):
    """The last state of a recurrent layer, whose steps are layers here."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.RNN(2, 3, nonlinearity="relu", batch_first=True)

    def forward(self, x):
        return self.rnn(x)[1].squeeze(0)


@pytest.mark.parametrize(
    ("module", "shape"),
    [
        (Hidden(), (3, 2)),
        (nn.Upsample(scale_factor=2, mode="linear"), (2, 3)),
        (nn.InstanceNorm1d(2, affine=True, track_running_stats=True), (2, 3)),
        (Of(lambda x: torch.inner(torch.lerp(x, -x, 0.2), torch.eye(3).to(x)).diff()), (3,)),
    ],
    ids=["recurrent", "upsampled", "instance norm", "products"],
)
def test_what_pytorch_makes_of_others_is_taken(module, shape):
    module, x = made(lambda _: module, None), samples(shape)
    net = cn.from_torch(module, x, h=1e-12)
    found = net(x[0].flatten(1).numpy())
    np.testing.assert_allclose(
        found, rows(module, x), rtol=0, atol=ROUNDED + net.import_report.bound
    )
    # knees of 1e-6, of which recurrent cells and products add up some dozens
    assert net.import_report.bound < 1e-4


def test_rows_of_the_report_stand_where_the_operators_do():
    module = chain(("Conv1d", 1, 1, 2), ("ReLU",), ("AdaptiveMaxPool1d", 2), ("Flatten",))(Plain())
    frame = cn.from_torch(nn.ModuleDict({"a": module})["a"], torch.zeros(1, 1, 5)).import_report
    assert frame.to_frame()["operator"].to_dict() == {
        "0": "conv1d",
        "1": "relu",
        "2": "adaptive_max_pool1d",
        "3": "flatten",
    }
    names = [
        one.name
        for one in cn.from_torch(Residual(Plain()), samples((2, 3, 3))).import_report.operators
    ]
    assert names[:3] == ["first", "norm", "relu.relu"]
    assert len(set(names)) == len(names)


def test_data_of_several_inputs():
    graph, shapes = GRAPHS["two inputs"]
    x, module = samples(shapes), made(graph, Plain())
    net = cn.from_torch(module, x, data=x)
    assert net.import_report.n_samples == 4
    found = net(torch.cat([one.flatten(1) for one in x], 1).numpy())
    assert cn.from_torch(module, x, data=[*x]).import_report == net.import_report
    for wrong in (x[::-1], x[:1], (x[0], x[1][:2])):
        with pytest.raises(cn.InputError, match=r"data of several inputs .* of 4, 3 number\(s\)"):
            cn.from_torch(module, x, data=wrong)
    largest_difference = np.abs(found - rows(module, x)).max()
    # the same difference, of numbers near 1
    assert abs(net.import_report.largest_difference - largest_difference) < 1e-14


def test_data_with_axes_in_another_order_are_refused():
    module, data = chain(("Conv2d", 2, 1, 2), ("Tanh",))(Plain()), torch.randn(4, 3, 3, 2)
    with pytest.raises(cn.InputError, match=r"\(4, 3, 3, 2\); expected .* \(n_samples, 18\)"):
        cn.from_torch(module, torch.zeros(1, 2, 3, 3), data=data)


def test_classes_and_logits():
    x = samples((3,), 50)
    with_shares = made(
        chain(("Linear", 3, 4), ("Tanh",), ("Linear", 4, 3), ("Softmax", -1)), Plain()
    )
    shares = cn.from_torch(with_shares, data=x[0], max_error=1e-3, class_names=["a", "b", "c"])
    flat = x[0].numpy()
    assert np.abs(shares(flat) - rows(with_shares, x)).max() <= min(
        shares.import_report.bound, 0.01
    )
    np.testing.assert_allclose(shares(flat).sum(1), 1, rtol=ROUNDED)
    assert shares.task == "classification"
    np.testing.assert_allclose(shares.predict_proba(flat), shares(flat))
    logits = cn.from_torch(with_shares, data=x[0], max_error=1e-3, logits=True)
    found = logits.classify(logits(flat))
    assert np.mean(found == rows(with_shares, x).argmax(1)) >= 0.98
    assert np.abs(logits(flat) - rows(with_shares[:3], x)).max() <= logits.import_report.bound
    of_logs = nn.Sequential(with_shares[:3], nn.LogSoftmax(-1))
    logs = cn.from_torch(of_logs, data=x[0], max_error=1e-3)
    assert np.abs(logs(flat) - rows(of_logs, x)).max() <= min(logs.import_report.bound, 0.05)


class Largest(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 3)

    def forward(self, x):
        return self.linear(x).argmax(1)


def test_a_class_at_the_end_is_left_to_predict():
    module, x = made(lambda _: Largest(), None), samples((3,))
    net = cn.from_torch(module)
    assert net.task == "classification"
    assert net.predict(x[0].numpy()).tolist() == module(x[0]).tolist()


def test_algebraic_ones():
    net = cn.from_torch(chain(("Linear", 2, 2), ("Tanh",))(Plain()), approximation="algebraic")
    assert net.layers[0].activation == cn.Tanh(h=0.25)
    z = np.linspace(-5, 5, 10_001)
    off = np.abs(np.tanh(z) - z / np.hypot(z, 1)).max()
    # both are the largest of points near the maximum, where it is flat
    assert net.import_report.bound == pytest.approx(off, rel=1e-6)


def of(function):
    """A module that reads three numbers and has a function of a linear layer at its end."""
    return nn.Sequential(nn.Linear(3, 4), Of(function))


class Counting(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x):
        self.calls += 1
        return self.calls * x


WIDE = np.random.default_rng(0).normal(size=(10, 40))
EXPONENTS = torch.tensor([1.0, 2.0, 1.0, 2.0])


class Mixing(nn.Module):
    def forward(self, x):
        return x - x.mean(0)


@pytest.mark.parametrize(
    ("error", "parts", "call"),
    [
        (cn.InputError, ["got int", "Module"], lambda: cn.from_torch(3)),
        (cn.InputError, ["Conv1d", "example_input="], lambda: cn.from_torch(nn.Conv1d(1, 1, 1))),
        (cn.InputError, ["got list", "a tensor"], lambda: cn.from_torch(of(abs), ([1.0],))),
        (
            cn.InputError,
            ["(1, 3)", "int64", "floating"],
            lambda: cn.from_torch(of(abs), torch.zeros(1, 3, dtype=int)),
        ),
        (cn.InputError, ["h is -1"], lambda: cn.from_torch(nn.Linear(1, 1), h=-1)),
        (
            cn.NetworkError,
            ["Sequential cannot be traced", "[1, 2] X [4, 1]"],
            lambda: cn.from_torch(nn.Sequential(nn.Linear(3, 2), nn.Linear(4, 1))),
        ),
        (
            cn.NetworkError,
            ["cannot be traced", "does not depend on their numbers"],
            lambda: cn.from_torch(of(lambda x: x if x.sum() > 0 else -x)),
        ),
        (
            cn.NetworkError,
            ["Mixing", "samples beside it"],
            lambda: cn.from_torch(Mixing(), torch.ones(1, 2)),
        ),
        # in what the export takes as one result
        *(
            (
                cn.NetworkError,
                ["samples beside it"],
                lambda packed=packed: cn.from_torch(Of(packed), torch.ones(1, 2)),
            )
            for packed in (
                lambda x: (x - x.mean(0),),
                lambda x: {"a": [x - x.mean(0)]},
            )
        ),
        (
            cn.NetworkError,
            ["'div' at '1'", "it rounds; expected rounding_mode=None"],
            lambda: cn.from_torch(of(lambda x: torch.div(x, 2.0, rounding_mode="floor"))),
        ),
        (
            cn.NetworkError,
            ["'pow' at '1", "'exponent' is tensor([1., 2.", "expected one number"],
            lambda: cn.from_torch(of(lambda x: x**EXPONENTS)),
        ),
        (
            cn.NetworkError,
            ["'conv1d' at 'conv1d'", "'weight' depends on the inputs; expected a constant"],
            lambda: cn.from_torch(Of(lambda x: F.conv1d(x, x)), torch.zeros(1, 1, 3)),
        ),
        (
            cn.NetworkError,
            ["'div' at '1", "'self' is a constant; expected the inputs"],
            lambda: cn.from_torch(of(lambda x: EXPONENTS / x)),
        ),
        (
            cn.NetworkError,
            ["'threshold' at '1'", "it jumps from 20 to 0.1; expected both to be the same"],
            lambda: cn.from_torch(of(lambda x: F.threshold(x, 0.1, 20.0))),
        ),
        (
            cn.NetworkError,
            ["'argmax'", "axis 1 of shape (1, 2, 3): several answers a sample"],
            lambda: cn.from_torch(Of(lambda x: x.argmax(1)), torch.zeros(1, 2, 3)),
        ),
        (
            cn.NetworkError,
            ["'log_softmax'", "the sum of exponentials is off by up to 1.57, and may be 1"],
            lambda: cn.from_torch(
                Of(lambda x: x.log_softmax(1)), torch.zeros(1, 40), data=WIDE, max_error=0.05
            ),
        ),
        (
            cn.NetworkError,
            ["the outputs do not depend on the inputs"],  # a share of one is 1
            lambda: cn.from_torch(Of(lambda x: x.softmax(1)), torch.zeros(1, 1)),
        ),
        (
            cn.NetworkError,
            ["'rrelu' at '1'", "random"],
            lambda: cn.from_torch(of(lambda x: F.rrelu(x, training=True))),
        ),
        (
            cn.NetworkError,
            ["'item' at '1", "it makes no tensor"],
            lambda: cn.from_torch(of(lambda x: x * x.sum().item())),
        ),
        (
            cn.NetworkError,
            ["'div'", "makes a factor of", "inf; expected finite"],
            lambda: cn.from_torch(of(lambda x: x / 0.0)),
        ),
        (
            cn.NetworkError,
            ["'max_pool1d'", "nothing but padding"],
            lambda: cn.from_torch(nn.MaxPool1d(2, 1, 1, 5), torch.zeros(1, 1, 4)),
        ),
        (
            cn.NetworkError,
            ["takes some", "pieces", "a larger max_error, which takes at most 200"],
            lambda: cn.from_torch(of(torch.tanh), max_error=1e-5, h=1e-14),
        ),
        (
            cn.NetworkError,
            ["'mul'", "not in one way"],  # however little the tensors differ
            lambda: cn.from_torch(of(lambda x: (x[:, :1] + 1e-12 * x[:, 1:2]) * x[:, :1].tanh())),
        ),
        (
            cn.NetworkError,
            ["Counting", "another answer each time"],
            lambda: cn.from_torch(Counting(), torch.ones(1, 2)),
        ),
        (
            cn.NetworkError,
            ["'index_put'", "adds to what is there"],
            lambda: cn.from_torch(
                of(lambda x: x.index_put((torch.tensor([0]),), torch.ones(4), accumulate=True))
            ),
        ),
        # by the name that the module has for it
        (cn.NetworkError, ["'logsumexp'"], lambda: cn.from_torch(of(lambda x: x.logsumexp(1)))),
        (
            cn.NetworkError,
            ["2 result(s)", "one tensor"],
            lambda: cn.from_torch(of(lambda x: (x, 2 * x))),
        ),
        (
            cn.NetworkError,
            ["'layer_norm' at '1'", "statistics", "BatchNorm"],
            lambda: cn.from_torch(nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4))),
        ),
        (
            cn.NetworkError,
            ["'batch_norm' at '1'", "running"],
            lambda: cn.from_torch(
                nn.Sequential(nn.Conv1d(3, 4, 1), nn.BatchNorm1d(4, track_running_stats=False)),
                torch.zeros(1, 3, 2),
            ),
        ),
        (cn.NetworkError, ["'dropout' at '1", "random"], lambda: cn.from_torch(of(F.dropout))),
        (
            cn.NetworkError,
            ["'rand'", "random"],
            lambda: cn.from_torch(of(lambda x: x + torch.rand(4))),
        ),
        (cn.NetworkError, ["'hardshrink'", "jumps"], lambda: cn.from_torch(of(F.hardshrink))),
        (
            cn.NetworkError,
            ["one number for all samples"],
            lambda: cn.from_torch(of(lambda x: x.relu().mean())),
        ),
        (
            cn.NetworkError,
            ["clip from 2.0 to 1.0 is constant"],
            lambda: cn.from_torch(of(lambda x: x.clamp(2, 1))),
        ),
        (
            cn.InputError,
            ["data: ", "cannot be read as numbers"],
            lambda: cn.from_torch(of(F.relu), data="abc"),
        ),
        (
            cn.InputError,
            ["data: ", "cannot be read as numbers"],
            lambda: cn.from_torch(of(F.relu), data=[[1j] * 3]),
        ),
        (cn.InputError, ["do not fit together"], lambda: cn.from_torch(of(F.relu), data=(1, 2))),
        (cn.InputError, ["logits"], lambda: cn.from_torch(of(F.relu), logits="no")),
        (cn.NetworkError, ["'sin' at '1'"], lambda: cn.from_torch(of(torch.sin))),
        (
            cn.NetworkError,
            ["'div'", "the quotient of two tensors"],
            lambda: cn.from_torch(of(lambda x: x / (2 + x.flip(-1).abs()))),
        ),
        (
            cn.NetworkError,
            ["'matmul'", "one must be constant"],
            lambda: cn.from_torch(of(lambda x: x @ x.T)),
        ),
        (
            cn.NetworkError,
            ["'mul'", "not in one way"],
            lambda: cn.from_torch(of(lambda x: x[:, :2] * x[:, 2:])),
        ),
        (cn.NetworkError, ["'pow'", "is 3"], lambda: cn.from_torch(of(lambda x: x**3))),
        (
            cn.NetworkError,
            ["'gt'", "makes bool"],
            lambda: cn.from_torch(of(lambda x: (x > 0) * 1.0)),
        ),
        (cn.NetworkError, ["'to'", "makes int32"], lambda: cn.from_torch(of(lambda x: x.int()))),
        (
            cn.NetworkError,
            ["'softplus'", "beta is 1 and threshold 2"],
            lambda: cn.from_torch(of(lambda x: F.softplus(x, 1, 2))),
        ),
        (
            cn.NetworkError,
            ["'max_pool1d'", "where maxima lie"],
            lambda: cn.from_torch(of(lambda x: F.max_pool1d(x, 2, return_indices=True)[1] * 1.0)),
        ),
        (cn.NetworkError, ["'exp'", "data="], lambda: cn.from_torch(of(torch.exp))),
        (
            cn.NetworkError,
            ["'masked_fill'", "not finite"],
            lambda: cn.from_torch(of(lambda x: x.masked_fill(torch.ones(4) > 0, -math.inf))),
        ),
    ],
)
def test_errors(error, parts, call):
    with pytest.raises(error) as found:
        call()
    for part in parts:
        assert part in str(found.value), str(found.value)


SCRIPT = """
import torch

class Net(torch.nn.Module):
    def __init__(self, width=3):
        super().__init__()
        self.linear = torch.nn.Linear(2, width)

    def forward(self, x):
        return self.linear(x).relu()

def wide():
    return Net(5)
"""


def test_files(tmp_path):
    from safetensors.torch import save_file

    from crn_nn_tellurium.importers import torch_from_files

    script = tmp_path / "net.py"
    script.write_text(SCRIPT)
    module = nn.ModuleDict({"linear": nn.Linear(2, 3)})
    state, wide = (
        module.state_dict(),
        {"linear.weight": torch.ones(5, 2), "linear.bias": torch.ones(5)},
    )
    torch.save(state, tmp_path / "a.pt")
    torch.save({"epoch": 3, "state_dict": state}, tmp_path / "b.pth")
    save_file(wide, tmp_path / "wide.safetensors")
    for name in ("a.pt", "b.pth"):
        found = torch_from_files(tmp_path / name, script)
        assert torch.equal(found.linear.weight, module["linear"].weight)
    assert torch_from_files(tmp_path / "wide.safetensors", script, "wide").linear.out_features == 5

    def refused(error, *parts, **given):
        with pytest.raises(error) as caught:
            torch_from_files(**{"state": tmp_path / "a.pt", "script": script} | given)
        assert all(part in str(caught.value) for part in parts), str(caught.value)

    refused(cn.NetworkError, "not the state of this module", state=tmp_path / "wide.safetensors")
    torch.save({1: torch.ones(2)}, tmp_path / "numbered.pt")
    refused(cn.FileFormatError, "expected tensors by name", state=tmp_path / "numbered.pt")
    # a file of 4 MB took 4 GB
    packed = zipfile.ZipFile(tmp_path / "packed.pt", "w", zipfile.ZIP_DEFLATED)
    with packed, zipfile.ZipFile(tmp_path / "a.pt") as plain:
        for name in plain.namelist():
            packed.writestr(name, plain.read(name) + bytes(2**20))
    refused(cn.FileFormatError, "is damaged; expected tensors", state=tmp_path / "packed.pt")
    refused(cn.InputError, "no 'Other'", "Net", name="Other")
    torch.save(nn.Linear(1, 1), tmp_path / "module.pt")
    refused(cn.FileFormatError, "never run here", "state_dict()", state=tmp_path / "module.pt")
    (tmp_path / "bad.safetensors").write_bytes(b"\x00" * 20)
    refused(cn.FileFormatError, "safetensors", state=tmp_path / "bad.safetensors")
    torch.save([1.0], tmp_path / "list.pt")
    refused(cn.FileFormatError, "holds a list", state=tmp_path / "list.pt")
    torch.save({"linear.weight": state["linear.weight"] * 1j}, tmp_path / "complex.pt")
    refused(cn.FileFormatError, "holds complex numbers", state=tmp_path / "complex.pt")
    script.write_text(SCRIPT + "\nclass Second(Net):\n    pass\n")
    refused(cn.InputError, "2 modules", "Net", "Second")
    script.write_text(SCRIPT.replace("width=3", "width"))
    refused(cn.InputError, "without arguments", "'Net'")


def test_without_pytorch():
    code = (
        "import sys; sys.modules['torch'] = None; import crn_nn_tellurium as cn\n"
        "try: cn.from_torch(None)\n"
        "except cn.MissingPackageError as error: print(error)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'crn_nn_tellurium[torch]'" in found.stdout


def test_import_of_the_package_leaves_pytorch_alone():
    code = (
        "import sys, crn_nn_tellurium as cn; cn.Network, cn.from_sklearn, cn.as_torch;"
        " print('torch' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


def digits_network(x, y):
    """A small convolutional network, trained."""
    torch.manual_seed(2)
    module = nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)),
        *(nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(8, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.AvgPool2d(2)),
        *(nn.Flatten(), nn.Dropout(0.2), nn.Linear(64, 10)),
    )
    optimizer = torch.optim.AdamW(module.parameters(), lr=1e-2)
    epochs = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 40)
    for _ in range(40):
        for some in torch.randperm(len(x)).split(64):
            optimizer.zero_grad()
            F.cross_entropy(module(x[some]), y[some]).backward()
            optimizer.step()
        epochs.step()
    return module.eval()


@pytest.mark.slow
def test_digits_keep_their_accuracy_as_chemistry():
    images, classes = load_digits(return_X_y=True)
    x, held_out, y, truth = train_test_split(
        images / 16, classes, test_size=0.3, random_state=0, stratify=classes
    )
    module = digits_network(torch.tensor(x, dtype=torch.float32), torch.tensor(y))
    with torch.no_grad():
        plain = module(torch.tensor(held_out, dtype=torch.float32)).argmax(1).numpy()
    net = cn.from_torch(
        module, torch.zeros(1, 64), inputs="nonnegative", class_names=list(range(10))
    )
    simulator = cn.Simulator(net)
    simulator.steady_state(held_out[:1])  # compiled
    start = time.process_time()
    outputs = simulator.steady_state(held_out).outputs
    each = 1e3 * (time.process_time() - start) / len(held_out)
    of_plain, of_chemistry = np.mean(plain == truth), np.mean(net.classify(outputs) == truth)
    print(f"{of_plain:.2%} plain, {of_chemistry:.2%} as chemistry, {each:.1f} ms a sample")
    assert of_plain >= 0.98
    assert of_chemistry >= of_plain - 0.005
