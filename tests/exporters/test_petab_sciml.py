"""Networks of PEtab SciML: written and read again they are the same functions."""

import json

import numpy as np
import pytest

import crn_nn_tellurium as cn

h5py = pytest.importorskip("h5py", reason="parameters are HDF5")
yaml = pytest.importorskip("yaml", reason="the format is YAML")

H = 0.01
ACTIVATIONS = [
    (cn.SmoothedReLU(H), ["relu"]),
    (cn.Linear(H), []),
    (cn.LeakyReLU(0.3, H), ["leaky_relu"]),
    (cn.ClippedReLU(H, 0.7), ["hardtanh"]),
    (cn.HardSigmoid(H, slope=1 / 6, offset=0.5), ["hardtanh"]),
    (cn.Absolute(H), ["relu"]),
    (cn.PiecewiseLinear((-1.0, 0.5), (0.0, 1.0, 0.0), -1.0, H), ["hardtanh"]),
    (cn.PiecewiseLinear((-1.0, 0.0, 2.0), (0.5, 0.0, -1.0, 2.0), 0.25, H), ["relu"]),
    (cn.Sigmoid(0.3), ["sigmoid"]),
    (cn.Tanh(2.0), ["tanh"]),
]


def network(activation):
    """A layer with it, and one that skips it, under names that are functions of the format too."""
    rng = np.random.default_rng(0)
    first = cn.Layer(rng.normal(size=(3, 2)), rng.normal(size=3), activation, name="relu")
    last = cn.Layer(
        rng.normal(size=(2, 5)),
        rng.normal(size=2),
        cn.Linear(H),
        ("relu", "input"),
        name="net_input",
    )
    return cn.Network([first, last], inputs="signed")


@pytest.mark.parametrize(("activation", "functions"), ACTIVATIONS, ids=str)
def test_written_and_read_it_is_the_same_function(activation, functions, tmp_path):
    net = network(activation)
    path = cn.export(net, tmp_path / "net.yaml", format="petab-sciml")
    said = yaml.safe_load(path.read_text())
    called = [row["target"] for row in said["forward"] if row["op"] == "call_function"]
    assert [name for name in called if name != "cat"] == functions
    again = cn.from_petab_sciml(
        path, tmp_path / "net.parameters.hdf5", H, input_shape=(2,), approximation="algebraic"
    )
    x = np.random.default_rng(1).normal(size=(20, 2))
    # the same knees, summed in another order
    np.testing.assert_allclose(again(x), net(x), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["xor", "iris"])
def test_pytorch_makes_of_shipped_models_what_they_are_without_smoothing(name, tmp_path):
    torch = pytest.importorskip("torch", reason="PyTorch is the reader")
    net = cn.load_model(name)
    path = cn.export(net, tmp_path / "net.yaml", format="petab-sciml")
    said = yaml.safe_load(path.read_text())
    x = np.random.default_rng(0).uniform(*(net.input_range or (0.0, 1.0)), size=(9, net.n_in))
    found = []
    with h5py.File(tmp_path / "net.parameters.hdf5") as file:
        arrays = {
            key: {k: torch.tensor(a[()]) for k, a in group.items()}
            for key, group in file["parameters/net"].items()
        }
    for sample in x:
        values = {}
        for row in said["forward"]:
            args = [values.get(arg) for arg in row["args"]]
            if row["op"] == "placeholder":
                values[row["name"]] = torch.tensor(sample)
            elif row["op"] == "call_module":
                one = arrays[row["target"]]
                values[row["name"]] = torch.nn.functional.linear(*args, one["weight"], one["bias"])
            elif row["op"] == "call_function":
                call = getattr(torch.nn.functional, row["target"])
                values[row["name"]] = call(*args, **row["kwargs"])
            else:
                found.append(args[0].numpy())
    # knees of h = 1e-14 are off by 1e-7, times weights of some ten
    np.testing.assert_allclose(found, net.with_h(1e-14)(x), rtol=0, atol=1e-5)


def test_what_is_lost_is_said_and_equal_networks_are_equal_files(tmp_path):
    files = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        path = cn.export(network(cn.Sigmoid(0.3)), tmp_path / name / "n.yaml", "petab-sciml")
        files.append([file.read_bytes() for file in sorted(path.parent.iterdir())])
    assert len(files[0]) == 2
    assert files[0] == files[1]
    assert (
        "# relu: Sigmoid(h=0.3) has its slope at 0, and is off by up to 0.037." in path.read_text()
    )
    path = cn.export(network(cn.Absolute(H)), tmp_path / "n.yaml", "petab-sciml")
    assert "# relu: Absolute(h=0.01) without smoothing; a knee is off by 0.1." in path.read_text()
    assert "classes" not in path.read_text()
    iris = cn.export(cn.load_model("iris"), tmp_path / "iris.yaml", "petab-sciml").read_text()
    assert "# The format has no classes; those of the outputs, in order: setosa, versi" in iris
    json.dumps(yaml.safe_load(path.read_text()))  # plain values alone


def test_what_the_format_cannot_hold_is_refused(tmp_path):
    path = tmp_path / "n.yaml"
    with pytest.raises(cn.FileFormatError, match=r"'relu': PEtab SciML has no function like Norm"):
        cn.export(network(cn.Normalized(H)), path, "petab-sciml")
    with pytest.raises(cn.FileFormatError, match="'petab-sciml' holds neural networks"):
        cn.export(cn.to_reactions(network(cn.Linear(H))), path, "petab-sciml")
    with pytest.raises(cn.InputError, match="'petab-sciml' has no concentrations"):
        cn.export(network(cn.Linear(H)), path, "petab-sciml", x=[1.0, 2.0])
    assert not list(tmp_path.iterdir())
