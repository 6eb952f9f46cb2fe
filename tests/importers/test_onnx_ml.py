"""What skl2onnx writes of scikit-learn's models, against scikit-learn's formulas."""

import numpy as np
import pytest
from scipy import special
from support.onnx_graphs import numbers
from support.tolerances import ROUNDED

import crn_nn_tellurium as cn

onnx = pytest.importorskip("onnx", reason="onnx is not installed")

ML = "ai.onnx.ml"
C, B, X = numbers(3, 4).astype("f4"), numbers(3).astype("f4"), numbers(6, 4)
LINEAR = {"coefficients": C.ravel().tolist(), "intercepts": B.tolist()}
WORDS = {"classlabels_strings": ["a", "b", "c"]}


def source(*nodes, outputs=("y",)):
    """A model of one node after another: (kind, attributes), each with results y1, y2, ... y."""
    made, read = [], "x"
    for number, (kind, attributes) in enumerate(nodes, start=1):
        result = "y" if number == len(nodes) else f"y{number}"
        results = ["label", result] if kind == "LinearClassifier" else [result]
        domain = "" if kind == "Cast" else ML
        made.append(onnx.helper.make_node(kind, [read], results, domain=domain, **attributes))
        read = result
    tensor = onnx.helper.make_tensor_value_info
    kinds = {"label": onnx.TensorProto.STRING, "y": onnx.TensorProto.FLOAT}
    graph = onnx.helper.make_graph(
        made,
        "g",
        [tensor("x", onnx.TensorProto.FLOAT, ["n", 4])],
        [tensor(name, kinds[name], ["n", "m"][: 1 + (name == "y")]) for name in outputs],
    )
    versions = [onnx.helper.make_opsetid("", 17), onnx.helper.make_opsetid(ML, 3)]
    return onnx.helper.make_model(graph, opset_imports=versions, ir_version=8)


def test_a_scaler_and_linear_models():
    offset, scale = numbers(4).astype("f4"), numbers(4).astype("f4")
    scaler = "Scaler", {"offset": offset.tolist(), "scale": scale.tolist()}
    net = cn.from_onnx(source(scaler, ("LinearRegressor", {"targets": 3, **LINEAR})))
    np.testing.assert_allclose(net(X), (X - offset) * scale @ C.T + B, rtol=ROUNDED, atol=ROUNDED)
    assert net.task == "regression"
    one = cn.from_onnx(source(("LinearRegressor", {"coefficients": C[0].tolist()})))
    np.testing.assert_allclose(one(X), X @ C[:1].T, rtol=ROUNDED, atol=ROUNDED)


def test_shares_and_their_classes():
    """The label is left to `predict`, so probabilities are the output without being asked for."""
    softmax = "LinearClassifier", {"post_transform": "SOFTMAX", **LINEAR, **WORDS}
    rest = ("Normalizer", {"norm": "L1"}), ("ZipMap", WORDS)
    net = cn.from_onnx(source(softmax, *rest, outputs=("label", "y")))
    p = special.softmax(X @ C.T + B, axis=1)
    assert np.abs(net(X) - p).max() <= net.import_report.bound
    assert net.predict(X).tolist() == [WORDS["classlabels_strings"][k] for k in p.argmax(axis=1)]
    logits = cn.from_onnx(source(softmax, *rest, outputs=("label", "y")), logits=True)
    np.testing.assert_allclose(logits(X), X @ C.T + B, rtol=ROUNDED, atol=ROUNDED)


def test_logistic_scores_of_whole_labels():
    labels = {"classlabels_ints": [3, 5, 8]}
    node = "LinearClassifier", {"post_transform": "LOGISTIC", **LINEAR, **labels}
    net = cn.from_onnx(source(node, outputs=("label", "y")))
    scores = special.expit(X @ C.T + B)
    assert np.abs(net(X) - scores).max() <= net.import_report.bound
    assert net.predict(X).tolist() == [[3, 5, 8][k] for k in scores.argmax(axis=1)]


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([("Normalizer", {"norm": "L2"})], "ai.onnx.ml.Normalizer' at 'y': it divides by a norm"),
        ([("LinearRegressor", {"targets": 5, **LINEAR})], "12 coefficients for 5 results"),
        ([("LinearRegressor", {"post_transform": "PROBIT", **LINEAR})], "post_transform is PROBIT"),
        ([("LinearRegressor", {})], "0 coefficients for 1 results"),
        ([("Binarizer", {})], "'ai.onnx.ml.Binarizer' at 'y': it has no counterpart"),
        (
            [("LinearClassifier", {"post_transform": "LOGISTIC", **LINEAR, **WORDS}),
             ("Normalizer", {"norm": "L1"})],
            "it divides by a norm of its input",
        ),
    ],
)  # fmt: skip
def test_what_is_refused(nodes, message):
    with pytest.raises(cn.NetworkError, match=message):
        cn.from_onnx(source(*nodes))


def test_the_label_alone_is_refused():
    node = "LinearClassifier", {**LINEAR, **WORDS}
    with pytest.raises(cn.NetworkError, match="predict gives the label"):
        cn.from_onnx(source(node, outputs=("label", "y")), output="label")
