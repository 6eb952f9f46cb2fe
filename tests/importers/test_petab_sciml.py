"""Networks of PEtab SciML's format against the same modules of PyTorch, in double precision."""

import json
import sys

import numpy as np
import pytest
from support.tolerances import LAST_DIGIT, ROUNDED

import crn_nn_tellurium as cn

torch = pytest.importorskip("torch", reason="PyTorch is what the format's words mean")
pytest.importorskip("yaml", reason="the format is YAML")
h5py = pytest.importorskip("h5py", reason="parameters are HDF5")

H = 1e-10


def text(inputs, layers, forward):
    """A network's file; JSON is YAML."""
    rows = {
        "nn_model_id": "net0",
        "inputs": [{"input_id": name} for name in inputs],
        "layers": [
            dict(zip(("layer_id", "layer_type", "args"), one, strict=True)) for one in layers
        ],
        "forward": [
            {"name": name, "op": op, "target": target, "args": args, "kwargs": kwargs}
            for name, op, target, args, kwargs in forward
        ],
    }
    return json.dumps(rows)


def placeholder(name):
    return (name, "placeholder", name, [], {})


def output(*names):
    return ("output", "output", "output", [names[0] if len(names) == 1 else list(names)], {})


def chain(folder, *layers):
    """The file of layers (kind, args) one after another, its parameters, and PyTorch's own."""
    torch.manual_seed(0)
    modules = [getattr(torch.nn, kind)(**args).double().eval() for kind, args in layers]
    named = [(f"m{k}", kind, args) for k, (kind, args) in enumerate(layers)]
    forward = [placeholder("x")]
    for name, _, _ in named:
        forward.append((name, "call_module", name, [forward[-1][0]], {}))
    path = folder / "net.yaml"
    path.write_text(text(["x"], named, [*forward, output(forward[-1][0])]))
    arrays = {
        f"m{k}.{key}": value.detach().numpy()
        for k, module in enumerate(modules)
        for key, value in module.state_dict().items()
        if key != "num_batches_tracked"
    }
    return path, arrays, torch.nn.Sequential(*modules)


CHAINS = [
    (
        (1, 2, 7),
        [("Conv1d", {"in_channels": 2, "out_channels": 3, "kernel_size": 3, "stride": [2]})],
    ),
    (
        (2, 7),
        [
            (
                "Conv1d",
                {
                    "in_channels": 2,
                    "out_channels": 4,
                    "kernel_size": [4],
                    "groups": 2,
                    "padding": "same",
                    "bias": False,
                },
            ),
            ("ReLU", {"inplace": True}),
        ],
    ),
    (
        (1, 2, 6, 5),
        [
            (
                "Conv2d",
                {
                    "in_channels": 2,
                    "out_channels": 3,
                    "kernel_size": [3, 2],
                    "dilation": [2, 1],
                    "padding": [1, 0],
                },
            ),
            ("LeakyReLU", {}),
            (
                "AvgPool2d",
                {"kernel_size": 2, "stride": 1, "count_include_pad": False, "padding": 1},
            ),
        ],
    ),
    (
        (2, 4, 3),
        [
            (
                "ConvTranspose1d",
                {
                    "in_channels": 4,
                    "out_channels": 2,
                    "kernel_size": 3,
                    "stride": 2,
                    "output_padding": 1,
                    "groups": 2,
                },
            )
        ],
    ),
    (
        (1, 2, 3, 2, 2),
        [
            (
                "ConvTranspose3d",
                {
                    "in_channels": 2,
                    "out_channels": 1,
                    "kernel_size": 2,
                    "stride": [1, 2, 1],
                    "padding": [0, 1, 0],
                },
            )
        ],
    ),
    ((1, 1, 9), [("MaxPool1d", {"kernel_size": 3, "stride": 2, "padding": 1, "dilation": 1})]),
    (
        (2, 5, 6),
        [
            ("MaxPool2d", {"kernel_size": [2, 3], "stride": None, "ceil_mode": True}),
            ("Hardtanh", {"min_val": -0.5, "max_val": 0.25}),
        ],
    ),
    ((1, 9), [("AvgPool1d", {"kernel_size": [4], "stride": [3], "ceil_mode": True})]),
    ((1, 1, 2, 3, 4), [("AvgPool3d", {"kernel_size": 2, "divisor_override": 3})]),
    ((2, 7), [("AdaptiveMaxPool1d", {"output_size": 3})]),
    ((1, 4, 5), [("AdaptiveAvgPool2d", {"output_size": [2, None]})]),
    ((2, 3, 3, 3), [("AdaptiveMaxPool3d", {"output_size": [2, 1, 3]})]),
    (
        (1, 3, 4),
        [
            ("BatchNorm1d", {"num_features": 3}),
            ("Flatten", {}),
            ("Linear", {"in_features": 12, "out_features": 2}),
            ("Softmax", {"dim": 1}),
        ],
    ),
    (
        (1, 2, 3, 2),
        [
            ("BatchNorm2d", {"num_features": 2, "affine": False}),
            ("PReLU", {"num_parameters": 2}),
            ("Dropout2d", {"p": 0.3}),
        ],
    ),
    (
        (1, 3),
        [
            ("Linear", {"in_features": 3, "out_features": 4, "bias": False}),
            ("GELU", {}),
            ("AlphaDropout", {"p": 0.5}),
            ("LogSoftmax", {"dim": -1}),
        ],
    ),
    ((3,), [("Linear", {"in_features": 3, "out_features": 4}), ("GELU", {"approximate": "tanh"})]),
    ((3,), [("Identity", {}), ("ReLU6", {}), ("Softshrink", {"lambd": 0.2})]),
]


# PyTorch's own, for an even kernel with padding "same"
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize(
    ("shape", "layers"),
    CHAINS,
    ids=lambda v: "" if isinstance(v, tuple) else "-".join(kind for kind, _ in v),
)
def test_modules_are_pytorchs(shape, layers, tmp_path):
    path, arrays, by_torch = chain(tmp_path, *layers)
    net = cn.from_petab_sciml(path, arrays, H, input_shape=shape)
    x = np.random.default_rng(1).normal(size=(5, *shape))
    expected = [by_torch(torch.tensor(one)).detach().numpy().ravel() for one in x]
    # sums in another order
    bound = net.import_report.bound + 1e-12
    assert np.abs(net(x.reshape(5, -1)) - expected).max() <= bound
    assert [one.operator for one in net.import_report.operators] == [k for k, _ in layers]


FUNCTIONS = [
    ("relu", [], {"inplace": False}),
    ("relu6", [], {}),
    ("hardtanh", [-0.5, 0.7], {"inplace": False}),
    ("hardswish", [], {}),
    ("selu", [], {}),
    ("leaky_relu", [0.3], {}),
    ("gelu", [], {"approximate": "none"}),
    ("tanhshrink", [], {}),
    ("softsign", [], {}),
    ("softplus", [2.0], {"threshold": 40}),
    ("tanh", [], {}),
    ("sigmoid", [], {}),
    ("hardsigmoid", [], {}),
    ("silu", [], {}),
    ("mish", [], {}),
    ("elu", [], {"alpha": 0.5}),
    ("celu", [], {"alpha": 2.0}),
    ("softmax", [], {"dim": 0, "_stacklevel": 3, "dtype": None}),
    ("log_softmax", [0], {}),
    ("logsigmoid", [], {}),
    ("softshrink", [], {}),
    ("dropout", [], {"p": 0.5, "training": False}),
]


@pytest.mark.parametrize(("name", "args", "kwargs"), FUNCTIONS, ids=lambda v: str(v))
@pytest.mark.parametrize("spelling", ["by place", "by name"])
def test_functions_are_pytorchs(name, args, kwargs, spelling, tmp_path):
    given = [["x", *args], kwargs] if spelling == "by place" else [args, kwargs | {"input": "x"}]
    if spelling == "by name" and args:
        pytest.skip("Python has no arguments by place behind one by name")
    forward = [placeholder("x"), (name, "call_function", name, *given), output(name)]
    path = tmp_path / "net.yaml"
    path.write_text(text(["x"], [], forward))
    x = np.random.default_rng(2).normal(scale=2, size=(20, 4))
    net = cn.from_petab_sciml(path, h=H, data=x)
    called = getattr(torch.nn.functional, name)
    expected = [called(torch.tensor(one), *args, **kwargs).numpy() for one in x]
    bound = net.import_report.bound
    # 0.01 for a function; log_softmax has four, and a logarithm of a sum of 1 and more
    assert bound <= 0.05
    assert np.abs(net(x) - expected).max() <= bound + ROUNDED
    largest = np.abs(net(x) - expected).max()
    assert net.import_report.largest_difference == pytest.approx(largest, abs=ROUNDED)


def test_methods_arithmetic_and_several_inputs_and_outputs(tmp_path):
    """A residual network of two inputs; each operator in the spelling of torch.fx."""
    forward = [
        placeholder("a"),
        placeholder("b"),
        ("cat", "call_function", "cat", [], {"tensors": ["a", "b"], "dim": 0}),
        ("fc", "call_module", "fc", [], {"input": "cat"}),
        ("relu", "call_method", "relu", ["fc"], {}),
        ("add", "call_function", "add", ["relu", "cat"], {}),
        ("mul", "call_function", "mul", [2.0, "add"], {}),
        ("sub", "call_function", "sub", ["mul", "fc"], {}),
        ("less", "call_function", "sub", [1.0, "sub"], {}),
        ("div", "call_function", "truediv", ["less", 4.0], {}),
        ("top", "call_function", "maximum", ["div", "a"], {}),
        ("view", "call_method", "view", ["sub", 2, -1], {}),
        ("permute", "call_method", "permute", ["view", 1, 0], {}),
        ("flatten", "call_function", "flatten", ["permute"], {}),
        output("top", "flatten"),
    ]
    layers = [("fc", "Linear", {"in_features": 4, "out_features": 4})]
    path = tmp_path / "net.yaml"
    path.write_text(text(["one", "two"], layers, forward))
    rng = np.random.default_rng(0)
    weight, bias, x = rng.normal(size=(4, 4)), rng.normal(size=4), rng.normal(size=(9, 4))
    arrays = {"fc": {"weight": weight, "bias": bias}}
    net = cn.from_petab_sciml(path, arrays, H, input_shape={"one": (1,), "two": 3}, data=x)
    fc = x @ weight.T + bias
    sub = 2 * (np.maximum(fc, 0) + x) - fc
    top = np.maximum((1 - sub) / 4, x[:, :1])
    flat = sub.reshape(9, 2, 2).transpose(0, 2, 1).reshape(9, 4)
    found = net(x)
    assert np.abs(found - np.concatenate([top, flat], axis=1)).max() <= net.import_report.bound
    assert net.task == "regression"


@pytest.mark.parametrize("number", ["1e-05", "1.0e-05", "+1E-5", "0.00001"])
def test_numbers_are_those_of_yaml_1_2_and_json(number, tmp_path):
    path, arrays, _ = chain(tmp_path, ("BatchNorm1d", {"num_features": 3, "eps": 0.125}))
    path.write_text(path.read_text().replace("0.125", number))
    net = cn.from_petab_sciml(path, arrays, input_shape=(1, 3))
    expected = arrays["m0.weight"] / np.sqrt(arrays["m0.running_var"] + 1e-5)
    np.testing.assert_allclose(np.diag(net.layers[0].weights), expected, rtol=LAST_DIGIT)


def test_a_function_under_the_name_that_tracing_gives(tmp_path):
    """torch.fx calls torch.nn.functional.logsigmoid so."""
    path = tmp_path / "net.yaml"
    path.write_text(network(*calling("log_sigmoid")))
    net = cn.from_petab_sciml(path, input_shape=(2,), max_error=0.01)
    x = np.array([[-3.0, 0.5]])
    assert np.abs(net(x) + np.logaddexp(0, -x)).max() <= net.import_report.bound <= 0.01


def test_batch_norms_without_statistics_take_those_of_the_data(tmp_path):
    layers = [
        ("Linear", {"in_features": 3, "out_features": 4}),
        ("BatchNorm1d", {"num_features": 4}),
    ]
    path, arrays, by_torch = chain(tmp_path, *layers)
    trained = {key: value for key, value in arrays.items() if "running" not in key}
    x = np.random.default_rng(0).normal(size=(7, 3))
    net = cn.from_petab_sciml(path, trained, data=x)
    expected = by_torch.train()(torch.tensor(x)).detach().numpy()
    np.testing.assert_allclose(net(x), expected, atol=ROUNDED)
    assert "statistics of 7 samples" in repr(net.import_report)
    with pytest.raises(
        cn.NetworkError, match="'BatchNorm1d' at 'm1': it has no running statistics"
    ):
        cn.from_petab_sciml(path, trained)


def test_parameters_are_read_from_hdf5(tmp_path):
    path, arrays, _ = chain(tmp_path, ("Linear", {"in_features": 2, "out_features": 3}))
    with h5py.File(tmp_path / "p.hdf5", "w") as file:
        file["metadata/pytorch_format"] = True
        for key, value in arrays.items():
            file[f"parameters/net0/{key.replace('.', '/')}"] = value
    net = cn.from_petab_sciml(path, tmp_path / "p.hdf5")
    nested = {"m0": {key.removeprefix("m0."): value for key, value in arrays.items()}}
    assert net == cn.from_petab_sciml(path, nested) == cn.from_petab_sciml(path, arrays)
    np.testing.assert_array_equal(net.layers[0].weights, arrays["m0.weight"])


LINEAR = [("fc", "Linear", {"in_features": 2, "out_features": 1})]
ARRAYS = {"fc": {"weight": [[1.0, 2.0]], "bias": [0.5]}}


def calling(target, op="call_function", args=("x",), **kwargs):
    return [placeholder("x"), ("y", op, target, list(args), kwargs), output("y")]


def network(*rows, layers=LINEAR):
    return text(["x"], layers, rows or calling("fc", "call_module"))


def layer_of(kind, **args):
    return network(*calling("m", "call_module"), layers=[("m", kind, args)])


REFUSED = [
    ("- [", "not YAML that can be read"),
    ("a: &a [1]\nb: *a", r"has YAML aliases \(\*name\); expected none"),
    ("? [nn_model_id]\n: net0", "not YAML that can be read.*a key is no name, line 1"),
    ("[" * 100_000, "nested too deeply to be a network"),
    ("3", "no text for 'nn_model_id'"),
    ("nn_model_id: net0", "0 inputs and 0 placeholders, not as many"),
    (text(["x", "y"], LINEAR, calling("relu")), "2 inputs and 1 placeholders"),
    ("nn_model_id: net0\ninputs: 3", "'inputs' is no list of mappings"),
    (network(*calling("fc", "call_module")[:2]), "no node has the op 'output'"),
    (network(*calling("fc", "get_attr")), "node 'y' has the op 'get_attr'"),
    (network(*calling("ghost", "call_module")), "node 'y' calls 'ghost', which is no layer"),
    (network(*calling("relu", args=["ghost"])), "node 'y' reads 'ghost', no node before it"),
    (
        network(
            placeholder("x"),
            ("y", "call_function", "relu", ["x"], {"inplace": True}),
            ("z", "call_function", "add", ["x", "y"], {}),
            output("z"),
        ),
        r"node 'z' reads 'x', no node before it, or one that is overwritten \(inplace\)",
    ),
    (network(*calling("argsort")), "operator 'argsort' at 'y': it has no counterpart"),
    (network(*calling("relu", args=["x", False, 3])), "operator 'relu' at 'y': .* argument"),
    (network(*calling("relu", args=[3.0])), r"'relu' at 'y': a number for a tensor, \[3.0\]"),
    (network(*calling("relu", size=3)), "operator 'relu' at 'y': .*'size'"),
    (network(*calling("dropout")), "operator 'dropout' at 'y': training=True"),
    (network(*calling("softmax")), "'softmax' at 'y': dim is not given"),
    (network(*calling("softmax", dim=0, dtype="float")), "'softmax' at 'y': dtype='float'"),
    (network(*calling("softmax", dim=3)), "operator 'softmax' at 'y': "),
    (network(*calling("softplus", threshold=1)), "'softplus' at 'y': threshold=1: .* jumps"),
    (network(*calling("add", args=["x", 1.0], alpha=2)), "'add' at 'y': alpha=2"),
    (network(*calling("add")), "'add' at 'y': it reads 1 terms; expected two"),
    (network(*calling("div", args=["x", "x"])), "'div' at 'y': .* it has no finite value"),
    (network(*calling("div", args=[1.0, "x"])), r"'div' at 'y': div of \[1.0, None\]"),
    (network(*calling("div", args=["x", 0])), "'div' at 'y': "),
    (
        network(
            placeholder("x"),
            ("f", "call_function", "flatten", ["x"], {"start_dim": 0}),
            ("y", "call_module", "m", ["f"], {}),
            output("y"),
            layers=[("m", "BatchNorm1d", {"num_features": 2, "affine": False})],
        ),
        r"'BatchNorm1d' at 'y': it reads shape \(2,\); expected samples, channels, ...",
    ),
    (
        layer_of(
            "Conv1d",
            in_channels=1,
            out_channels=1,
            kernel_size=1,
            bias=False,
            padding_mode="reflect",
        ),
        "'Conv1d' at 'y': .*",
    ),
    (
        layer_of("AdaptiveMaxPool1d", output_size=1, return_indices=True),
        "'AdaptiveMaxPool1d' at 'y': return_indices=True",
    ),
    (layer_of("Bilinear"), "'Bilinear' at 'y': .*it is a product of two of its inputs"),
    (layer_of("LPPool1d", norm_type=2, kernel_size=2), "'LPPool1d' at 'y': .*average or max pool"),
    (layer_of("LayerNorm"), "'LayerNorm' at 'y': .*its statistics are those of the sample"),
    (layer_of("RNN"), "'RNN' at 'y': it has no counterpart"),
    (layer_of("Linear", in_features=2), "'Linear' at 'y': .*'out_features'"),
    (layer_of("Linear", in_features=2, out_features=1), "no 'weight' among its parameters"),
    (layer_of("Linear", in_features=2, out_features=1, dtype=1), "'Linear' at 'y': .*'dtype'"),
    (layer_of("MaxPool1d", kernel_size=2, return_indices=True), "'y': return_indices=True"),
    (layer_of("MaxPool1d", kernel_size=5), "'MaxPool1d' at 'y': a window of .* does not fit"),
    (layer_of("MaxPool1d", kernel_size=2, padding=10**9), "whole numbers from 0 to 1000"),
    (layer_of("AdaptiveMaxPool2d", output_size=10**5), "are 10000000000 parts; expected at most"),
    (layer_of("BatchNorm1d", num_features=2, affine=False, eps="small"), "'BatchNorm1d' at 'y': "),
    (layer_of("MaxPool1d", kernel_size="two"), "operator 'MaxPool1d' at 'y': "),
]


@pytest.mark.parametrize(
    ("name", "args", "expected"),
    [
        ("add", ["x", 3.0], lambda x: x + 3),
        ("add", [3.0, "x"], lambda x: x + 3),
        ("sub", [3.0, "x"], lambda x: 3 - x),
        ("div", ["x", 4], lambda x: x / 4),
    ],
)
def test_arithmetic_with_numbers(name, args, expected, tmp_path):
    path, x = tmp_path / "net.yaml", np.array([[1.5, -2.0], [0.25, 8.0]])
    path.write_text(network(*calling(name, args=args)))
    np.testing.assert_array_equal(cn.from_petab_sciml(path, input_shape=2)(x), expected(x))


@pytest.mark.parametrize(("content", "message"), REFUSED)
def test_files_are_refused_with_what_is_wrong(content, message, tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text(content)
    with pytest.raises((cn.FileFormatError, cn.NetworkError), match=message):
        cn.from_petab_sciml(path, ARRAYS, input_shape=(2,))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"parameters": None}, cn.NetworkError, "'Linear' at 'y': no 'weight'"),
        ({"parameters": 3}, cn.InputError, "parameters are a int; expected an HDF5 file"),
        ({"parameters": "ghost.hdf5"}, FileNotFoundError, "there is no such file"),
        (
            {"parameters": {"fc.weight": [[1.0]]}},
            cn.NetworkError,
            r"has shape \(1, 1\); .*\(1, 2\)",
        ),
        ({"parameters": {"fc": {"weight": [[1.0, np.nan]]}}}, cn.NetworkError, "not finite"),
        ({"input_shape": (0,)}, cn.InputError, r"input_shape is \(0,\); expected whole numbers"),
        ({"input_shape": {"y": 2}}, cn.InputError, r"input_shape has \['y'\]; expected \['x'\]"),
        ({"input_shape": (3,)}, cn.NetworkError, "'Linear' at 'y': weights .* read 2 values"),
        ({"data": np.ones((3, 4))}, cn.InputError, r"data have shape \(3, 4\)"),
        ({"h": 0}, cn.InputError, "h is 0"),
    ],
)
def test_arguments_are_refused_with_what_is_wrong(arguments, error, message, tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text(network())
    with pytest.raises(error, match=message):
        cn.from_petab_sciml(path, **({"parameters": ARRAYS} | arguments))


def test_a_shape_that_nobody_says_is_asked_for(tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text(network(*calling("relu")))
    with pytest.raises(cn.InputError, match=r"the shapes of x are not in the file.*input_shape="):
        cn.from_petab_sciml(path)
    path.write_text(
        text(
            ["x", "z"],
            [],
            [
                placeholder("x"),
                placeholder("z"),
                ("y", "call_function", "add", ["x", "z"], {}),
                output("y"),
            ],
        )
    )
    # of two inputs, one shape is not enough
    with pytest.raises(cn.InputError, match="the shapes of x, z are not in the file"):
        cn.from_petab_sciml(path, input_shape=(5,))
    assert cn.from_petab_sciml(path, input_shape={"x": 5, "z": 5}).n_in == 10
    path.write_text(network(*calling("relu")))
    # that of a sample in the data
    assert cn.from_petab_sciml(path, data=np.ones((2, 5))).n_in == 5


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda file: file.__delitem__("metadata"), "metadata/pytorch_format is not set"),
        (lambda file: file.move("parameters/net0", "parameters/other"), "'net0'; it has other"),
        (lambda file: file.move("parameters/net0/fc", "parameters/net0/fc2"), "no 'weight'"),
        (lambda file: file.__setitem__("parameters/net0/fc3", 3.0), "not an HDF5 file of"),
    ],
)
def test_parameter_files_are_refused_with_what_is_wrong(edit, message, tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text(network())
    with h5py.File(tmp_path / "p.hdf5", "w") as file:
        file["metadata/pytorch_format"] = True
        for key, value in ARRAYS["fc"].items():
            file[f"parameters/net0/fc/{key}"] = value
        edit(file)
    with pytest.raises((cn.FileFormatError, cn.NetworkError), match=message):
        cn.from_petab_sciml(path, tmp_path / "p.hdf5")
    (tmp_path / "p.hdf5").write_bytes(b"no")
    with pytest.raises(cn.FileFormatError, match="not an HDF5 file of"):
        cn.from_petab_sciml(path, tmp_path / "p.hdf5")


def test_a_missing_package_says_its_command(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "yaml", None)
    (tmp_path / "net.yaml").write_text(network())
    with pytest.raises(
        cn.MissingPackageError, match=r"pip install 'crn_nn_tellurium\[petab-sciml\]'"
    ):
        cn.from_petab_sciml(tmp_path / "net.yaml")
