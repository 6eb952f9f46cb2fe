"""The test suite of PEtab SciML: networks in YAML, parameters, inputs and outputs in HDF5.

Source: github.com/sebapersson/petab_sciml_testsuite, MIT. Outputs are PyTorch's in single
precision.
"""

import itertools
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest
from support import smoothed
from support.public import collection

import crn_nn_tellurium as cn

torch = pytest.importorskip("torch", reason="PyTorch is the second reference")
h5py = pytest.importorskip("h5py", reason="the suite's arrays are HDF5")
yaml = pytest.importorskip("yaml", reason="the suite's networks are YAML")

FOLDER, here = collection("petab-sciml")
CASES = sorted(path.parent.name for path in FOLDER.glob("*/net.yaml"))
WITHOUT_COUNTERPART = ("LPPool", "Bilinear", "InstanceNorm", "LayerNorm")
H = 1e-10


@dataclass
class Case:
    """One of three inputs, parameters and outputs of a case."""

    folder: Path
    number: int

    @cached_property
    def net(self):
        return yaml.safe_load((self.folder / "net.yaml").read_text())

    @cached_property
    def said(self):
        return yaml.safe_load((self.folder / "solutions.yaml").read_text())

    @cached_property
    def kinds(self):
        return [row["layer_type"] for row in self.net["layers"]]

    @property
    def has_samples(self):
        return self.said["input_order_py"][0] == "N"

    @cached_property
    def x(self):
        keys = sorted(key for key in self.said if key.startswith("net_input"))
        return [self._array(self.said[key][self.number], "inputs") for key in keys]

    @cached_property
    def data(self):
        """All inputs of each sample."""
        n = len(self.x[0]) if self.has_samples else 1
        return np.concatenate([x.reshape(n, -1) for x in self.x], axis=1)

    @cached_property
    def y(self):
        return self._array(self.said["net_output"][self.number], "outputs").reshape(
            len(self.data), -1
        )

    @property
    def parameters(self):
        names = self.said.get("net_ps")
        return names and self.folder / names[self.number]

    def _array(self, file, group):
        found = []
        with h5py.File(self.folder / file) as opened:
            opened[group].visititems(lambda _, one: found.append(one))
            (array,) = (one[()] for one in found if hasattr(one, "shape"))
        return array.astype(float)

    def imported(self):
        ids = [row["input_id"] for row in self.net["inputs"]]
        shapes = {
            name: (1, *x.shape[1:]) if self.has_samples else x.shape
            for name, x in zip(ids, self.x, strict=True)
        }
        # batch norms take its statistics, and nothing else is to depend on it
        data = self.data if any("BatchNorm" in kind for kind in self.kinds) else None
        path = self.folder / "net.yaml"
        return cn.from_petab_sciml(path, self.parameters, H, input_shape=shapes, data=data)

    def state(self, layer_id):
        if self.parameters is None:
            return {}
        with h5py.File(self.parameters) as file:
            group = file["parameters"][self.net["nn_model_id"]].get(layer_id, {})
            return {key: torch.tensor(array[()]).double() for key, array in group.items()}

    def by_torch(self, activations=None, with_dropout=False):
        """The forward pass in double precision; with the activations of a network's layers, as
        chemistry has it.
        """
        modules = {}
        for row in self.net["layers"]:
            one = getattr(torch.nn, row["layer_type"])(**row["args"]).double()
            one.load_state_dict(self.state(row["layer_id"]), strict=False)
            # the suite's batch norms have no statistics but the batch's
            modules[row["layer_id"]] = one.train(with_dropout or "BatchNorm" in row["layer_type"])
        values, given, made = {}, iter(self.x), iter(activations or ())

        def called(row):
            if row["op"] == "placeholder":
                return torch.tensor(next(given))
            args = [
                values[arg] if isinstance(arg, str) else [values[name] for name in arg]
                for arg in row["args"]
            ]
            if row["op"] == "output":
                return args[0].detach().numpy().reshape(len(self.data), -1)
            if row["op"] == "call_module":
                module = modules[row["target"]]
                is_max = activations is not None and row["target"] in pools
                return max_pool(module, *args) if is_max else module(*args)
            if activations is not None and row["target"] != "cat":
                return AS_CHEMISTRY.get(row["target"], one_activation)(made, *args, **row["kwargs"])
            named = getattr(torch.nn.functional, row["target"], None)
            return (named or getattr(torch, row["target"]))(*args, **row["kwargs"])

        pools = {row["layer_id"] for row in self.net["layers"] if "MaxPool" in row["layer_type"]}
        for row in self.net["forward"]:
            values[row["name"]] = called(row)
        return values[row["name"]]


def max_pool(module, x):
    """The windows, and the largest of each in pairs."""
    n = int(type(module).__name__[-2])
    if type(module).__name__.startswith("Adaptive"):
        sizes = np.broadcast_to(module.output_size, n).tolist()
        axes = list(zip(x.shape[-n:], sizes, strict=True))
        cuts = [[slice(i * m // k, -(-(i + 1) * m // k)) for i in range(k)] for m, k in axes]
        parts = [x[(..., *cut)].flatten(-n).unbind(-1) for cut in itertools.product(*cuts)]
        values = [smoothed.largest(list(part), H) for part in parts]
        return torch.stack(values, -1).reshape(*x.shape[:-n], *sizes)
    assert (module.padding, module.dilation, module.ceil_mode) == (0, 1, False)
    first = x.ndim - n
    size, stride = (np.broadcast_to(a, n).tolist() for a in (module.kernel_size, module.stride))
    for axis in range(n):
        x = x.unfold(first + axis, size[axis], stride[axis])
    return smoothed.largest(list(x.flatten(-n).unbind(-1)), H)


def one_activation(made, z, **_):
    """Pieces of a network's layer, each fitted once."""
    return smoothed.pieces(next(made))(z)


def exponentials(made, z, dim):
    """z - max z, and pieces of its exponential."""
    below = z - smoothed.largest(list(z.split(1, dim)), H)
    return below, smoothed.pieces(next(made))(below)


def softmax(made, z, dim, **_):
    """Shares of the exponentials; of two, pieces of a sigmoid."""
    if z.shape[dim] == 2:
        a, b = z.split(1, dim)
        p = smoothed.pieces(next(made))(b - a)
        return torch.cat([1 - p, p], dim)
    e = smoothed.relu(exponentials(made, z, dim)[1], H)
    return e / e.sum(dim, keepdim=True)


def log_softmax(made, z, dim, **_):
    """z - max z, and pieces of the logarithm of the sum of exponentials."""
    below, e = exponentials(made, z, dim)
    return below - smoothed.pieces(next(made))(e.sum(dim, keepdim=True))


AS_CHEMISTRY = {
    "relu": lambda made, z, **_: smoothed.relu(z, H),
    "leaky_relu": lambda made, z, negative_slope=0.01, **_: (
        smoothed.relu(z, H) - negative_slope * smoothed.relu(-z, H)
    ),
    "relu6": lambda made, z, **_: smoothed.relu(z, H) - smoothed.relu(z - 6, H),
    "hardsigmoid": lambda made, z, **_: (
        smoothed.relu(z / 6 + 0.5, H) - smoothed.relu(z / 6 - 0.5, H)
    ),
    "softmax": softmax,
    "log_softmax": log_softmax,
}


@here
@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("name", CASES)
def test_a_case_has_the_suites_outputs_or_is_refused_by_name(name, number):
    case = Case(FOLDER / name, number)
    refused = [kind for kind in case.kinds if kind.startswith(WITHOUT_COUNTERPART)]
    if refused:
        with pytest.raises(cn.NetworkError, match=f"^operator '{refused[0]}' at "):
            case.imported()
        return
    net = case.imported()
    outputs = net(case.data)
    # theirs are rounded to 24 bits, and so are sums of up to a thousand terms on the way
    rounded = 2e-6 * (1 + np.abs(case.y).max())
    bound = net.import_report.bound + rounded
    if draws := case.said.get("dropout"):
        # theirs are means over draws: exact without any, and the mean within five standard errors
        assert outputs == pytest.approx(case.by_torch(), abs=net.import_report.bound + 1e-9)
        some = np.array([case.by_torch(with_dropout=True) for _ in range(30)])
        # AlphaDropout keeps mean and variance of what it reads only where these are 0 and 1
        if "AlphaDropout" in case.kinds:
            return
        bound += 5 * some.std(axis=0).max() / np.sqrt(draws)
    assert np.abs(outputs - case.y).max() <= bound


@here
@pytest.mark.parametrize("name", CASES)
def test_a_case_as_chemistry_is_the_smoothed_graph(name):
    case = Case(FOLDER / name, 0)
    if any(kind.startswith(WITHOUT_COUNTERPART) for kind in case.kinds):
        pytest.skip("has no counterpart, as the test above says")
    net = case.imported()
    fitted = [
        layer.activation for layer in net.layers if isinstance(layer.activation, cn.PiecewiseLinear)
    ]
    found = cn.Simulator(net).steady_state(case.data).outputs
    # roots of the rate equations to rounding, times weights of order one
    np.testing.assert_allclose(found, case.by_torch(fitted), rtol=0, atol=1e-9)
