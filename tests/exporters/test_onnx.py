"""Networks as ONNX: onnx's own evaluator, what is lost, and the way back."""

import dataclasses

import numpy as np
import pytest
from support.networks import STOOD_FOR, Bump, Swish, cases, corpus
from support.tolerances import ROUNDED

import crn_nn_tellurium as cn

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
reference = pytest.importorskip("onnx.reference", reason="onnx is not installed")

KNOWN = [case for case in corpus() if "Swish" not in case.name]


def evaluated(path, x):
    """Outputs by onnx's own evaluator, of a file that its checker, with inferred shapes, passes."""
    onnx.checker.check_model(str(path), full_check=True)
    evaluator = reference.ReferenceEvaluator(str(path))
    kind = evaluator.input_types[0].tensor_type.elem_type
    dtype = onnx.helper.tensor_dtype_to_np_dtype(kind)
    return evaluator.run(None, {"input": x.astype(dtype)})[0]


@pytest.mark.parametrize("case", cases(KNOWN))
def test_smoothed_files_are_the_network(case, tmp_path):
    path = cn.export(case.net, tmp_path / "net.onnx", smoothed=True)
    # sums in another order; weights of 1000 in one case
    np.testing.assert_allclose(evaluated(path, case.x), case.net(case.x), rtol=1e-12, atol=1e-12)
    if case.name == "zero weights":  # whose output depends on no input
        return
    back = cn.from_onnx(path)
    np.testing.assert_allclose(back(case.x), case.net(case.x), rtol=ROUNDED, atol=ROUNDED)
    names = "input_names", "class_names", "task", "inputs", "input_range"
    for name in names:
        assert getattr(back, name) == getattr(case.net, name)


@pytest.mark.parametrize("case", cases(KNOWN))
def test_sharp_files_are_its_limit(case, tmp_path):
    """What is left of a network whose smoothing goes to 0, but for what h is a part of."""
    net = case.net
    layers = []
    for layer in net.layers:
        one = layer.activation
        h = 1e-26 if one.h_is_smoothing else one.h
        layers.append(cn.Layer(layer.weights, layer.bias, type(one)(**one.parameters() | {"h": h}),
                               layer.inputs, layer.name))  # fmt: skip
    limit = cn.Network(layers, net.inputs, net.input_range)
    path = cn.export(net, tmp_path / "net.onnx")
    # sqrt(h) = 1e-13 a unit, times weights of up to 1000
    np.testing.assert_allclose(evaluated(path, case.x), limit(case.x), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("case", cases(KNOWN, STOOD_FOR))
def test_files_of_32_bits(case, tmp_path):
    path = cn.export(case.net, tmp_path / "net.onnx", precision="float", smoothed=True)
    # weights of up to 1000 are rounded at 6e-8, layer by layer
    np.testing.assert_allclose(evaluated(path, case.x), case.net(case.x), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("case", cases([case for case in KNOWN if "Bump" not in case.name]))
def test_round_trip(case, tmp_path):
    """A smoothed file holds the very network; a sharp one, what `h` makes of it."""
    net = case.net
    if case.name == "zero weights":
        return
    back = cn.from_onnx(cn.export(net, tmp_path / "smooth.onnx", smoothed=True))
    assert [layer.activation for layer in back.layers] == [layer.activation for layer in net.layers]
    kept = [layer for layer in net.layers if layer.activation.h_is_smoothing]
    if len(widths := {layer.activation.h for layer in kept}) == 1:
        (h,) = widths
        sharp = cn.from_onnx(cn.export(net, tmp_path / "sharp.onnx"), h=h)
        # sums in another order; weights of 1000 in one case
        np.testing.assert_allclose(sharp(case.x), net(case.x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ["xor", "moons", "iris"])
def test_shipped_networks_come_back_as_they_were(name, tmp_path):
    net = cn.load_model(name)
    (h,) = {layer.activation.h for layer in net.layers if layer.activation.h_is_smoothing}
    back = cn.from_onnx(cn.export(net, tmp_path / "net.onnx"), h=h)
    layers = [dataclasses.replace(layer, name="") for layer in back.layers]
    assert [dataclasses.replace(layer, inputs=()) for layer in layers] == [
        dataclasses.replace(layer, inputs=(), name="") for layer in net.layers
    ]
    assert back.classes == net.classes


def test_what_is_standard_is_written_so(tmp_path):
    kinds = {
        "Relu": cn.SmoothedReLU(),
        "PRelu": cn.LeakyReLU(0.1),
        "Abs": cn.Absolute(),
        "Clip": cn.ClippedReLU(ceiling=6.0),
        "Mul Add Clip": cn.HardSigmoid(slope=1 / 6, offset=0.5),
        "Clip ": cn.PiecewiseLinear((-1.0, 1.0), (0.0, 1.0, 0.0), -1.0),
        "Identity": cn.Linear(),
        "Mul Add Sqrt Div": cn.Tanh(),
    }
    for number, (operators, activation) in enumerate(kinds.items()):
        net = cn.Network([cn.Layer([[1.0, 2.0]], activation=activation)])
        path = cn.export(net, tmp_path / f"{number}.onnx")
        found = [node.op_type for node in onnx.load(path).graph.node]
        assert found == ["Gemm", *operators.split()]


def test_what_is_lost_is_said(tmp_path):
    net = cn.load_model("xor")
    sharp = onnx.load(cn.export(net, tmp_path / "sharp.onnx"))
    assert "is lost in layer1 (h = 0.001)" in sharp.doc_string
    assert "layer2" not in sharp.doc_string  # which is linear
    smooth = onnx.load(cn.export(net, tmp_path / "smooth.onnx", smoothed=True))
    assert "Values are those at which its chemistry settles" in smooth.doc_string
    said = {one.key: one.value for one in sharp.metadata_props}
    assert said["crn_nn_tellurium.input_names"] == '["x0", "x1"]'


def test_equal_networks_are_equal_files(tmp_path):
    files = [
        cn.export(cn.load_model("iris"), tmp_path / name).read_bytes()
        for name in ("a.onnx", "b.onnx")
    ]
    assert files[0] == files[1]


def test_what_cannot_be_written(tmp_path):
    net, crn = cn.load_model("xor"), cn.to_reactions(cn.load_model("xor"))
    small = cn.Network([cn.Layer([[1.0]], [1e-60])])
    for model, options, error, message in (
        (crn, {}, cn.FileFormatError, "format 'onnx' holds neural networks"),
        (net, {"x": [0, 1]}, cn.InputError, "has no concentrations; expected no x"),
        (net, {"units": cn.PhysicalUnits(10, 100)}, cn.InputError, "has no concentrations"),
        (net, {"precision": "half"}, cn.InputError, "expected one of 'double', 'float'"),
        (small, {"precision": "float"}, cn.FileFormatError, "beyond those of 32 bits"),
        (
            cn.Network([cn.Layer([[1.0]], activation=Swish())]),
            {},
            cn.FileFormatError,
            "layer 'layer1': the formula of its activation .*Swish.* is not known",
        ),
    ):
        with pytest.raises(error, match=message):
            cn.export(model, tmp_path / "net.onnx", **options)
    assert not list(tmp_path.iterdir())
    # rails alone are a sum of ReLUs
    cn.export(cn.Network([cn.Layer([[1.0]], activation=Bump())]), tmp_path / "net.onnx")
