"""Functions that exporters write out: against onnx's own evaluator, and what is nearly one."""

import numpy as np
import pytest
from support.onnx_graphs import model, numbers

import crn_nn_tellurium as cn

pytest.importorskip("onnx", reason="onnx is not installed")
reference = pytest.importorskip("onnx.reference", reason="onnx is not installed")

CUBED = "q = Mul(x, x) r = Mul(q, x) s = Mul(r, a) t = Add(x, s) u = Mul(b, t) v = Tanh(u)"
FORMULAS = {
    # as PyTorch writes them, by either of its exporters
    "softplus": ("p = Softplus(x) m = Greater(x, c) y = Where(m, x, p)", {"c": 20.0}),
    "softplus of 2": (
        "z = Mul(x, b) p = Softplus(z) q = Div(p, b) m = Greater(z, c) y = Where(m, x, q)",
        {"b": 2.0, "c": 20.0},
    ),
    "softplus, turned": ("p = Softplus(x) m = Less(x, c) y = Where(m, p, x)", {"c": 20.0}),
    "mish": ("p = Softplus(x) t = Tanh(p) y = Mul(x, t)", {}),
    "mish, turned": ("p = Softplus(x) t = Tanh(p) y = Mul(t, x)", {}),
    "log sigmoid": ("s = Sigmoid(x) y = Log(s)", {}),
    "leaky": ("m = Greater(x, c) f = Mul(x, a) y = Where(m, x, f)", {"c": 0.0, "a": 0.1}),
    "leaky, turned": ("m = Less(x, c) f = Mul(a, x) y = Where(m, f, x)", {"c": 0.0, "a": -0.3}),
    "threshold": ("m = LessOrEqual(x, c) y = Where(m, c, x)", {"c": 0.5}),
    "threshold by types": (
        "d = CastLike(c, x) m = Greater(x, d) y = Where(m, x, d)",
        {"c": np.float32(-0.5)},
    ),
    "soft shrink": (
        "n = Abs(x) m = Greater(n, c) s = Sign(x) t = Mul(s, c) u = Sub(x, t) z = Mul(x, o)"
        " y = Where(m, u, z)",
        {"c": 0.5, "o": 0.0},
    ),
    "soft shrink in halves": (
        "m = Greater(x, c) a = Sub(x, c) p = Where(m, a, o) n = Less(x, d) b = Add(x, c)"
        " q = Where(n, b, o) y = Add(q, p)",
        {"c": 0.5, "d": -0.5, "o": 0.0},
    ),
    "gelu by tanh": (
        f"{CUBED} w = Add(v, e) i = Mul(x, w) y = Mul(i, f)",
        {"a": 0.044715, "b": (2 / np.pi) ** 0.5, "e": 1.0, "f": 0.5},
    ),
    "gelu by tanh, half before": (
        f"{CUBED} w = Add(v, e) i = Mul(x, f) y = Mul(i, w)",
        {"a": np.float32(0.044715).astype(float), "b": 0.7978845608, "e": 1.0, "f": 0.5},
    ),
    # as others write it
    "sigmoid": ("n = Neg(x) e = Exp(n) s = Add(e, o) y = Div(o, s)", {"o": 1.0}),
    "sigmoid, turned": ("n = Neg(x) e = Exp(n) s = Add(o, e) y = Reciprocal(s)", {"o": 1.0}),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_formulas_are_one_function(name):
    text, arrays = FORMULAS[name]
    source = model(text, **arrays)
    net = cn.from_onnx(source)
    x = np.linspace(-25, 25, 400).reshape(-1, 4)
    evaluator = reference.ReferenceEvaluator(source)
    expected = np.concatenate([evaluator.run(["y"], {"x": row[None]})[0] for row in x])
    # 2e-9 of softplus' threshold
    assert np.abs(net(x) - expected).max() <= net.import_report.bound + 3e-9
    assert len(net.import_report.operators) == 1


def test_parts_that_others_read_are_read():
    text = "p = Softplus(x) m = Greater(x, c) w = Where(m, x, p) y = Add(w, p)"
    source, x = model(text, c=20.0), numbers(5, 4)
    net = cn.from_onnx(source)
    assert np.abs(net(x) - 2 * np.logaddexp(0, x)).max() <= net.import_report.bound


def test_numbers_of_constant_nodes():
    text = "a = Constant<value_float=0.1>() m = Greater(x, c) f = Mul(x, a) y = Where(m, x, f)"
    source = model(text, "float[n,4] x", output="float[a,b] y", c=np.float32(0))
    net, x = cn.from_onnx(source), numbers(5, 4)
    assert [one.operator for one in net.import_report.operators] == ["Where"]
    assert np.abs(net(x) - np.where(x > 0, x, 0.1 * x)).max() <= net.import_report.bound


@pytest.mark.parametrize(
    ("text", "arrays", "operator"),
    [
        # which jump, or are of two tensors
        ("p = Softplus(x) m = Greater(x, c) y = Where(m, x, p)", {"c": 1.0}, "Greater"),
        ("m = Greater(x, c) f = Mul(x, a) y = Where(m, x, f)", {"c": 1.0, "a": 0.1}, "Greater"),
        ("m = LessOrEqual(x, c) y = Where(m, o, x)", {"c": 1.0, "o": 0.0}, "LessOrEqual"),
        ("m = Greater(x, c) y = Where(m, x, c)", {"c": numbers(4)}, "Greater"),
        ("n = Neg(x) p = Softplus(n) t = Tanh(p) y = Mul(x, t)", {}, "Mul"),
        ("n = Neg(x) e = Exp(n) s = Add(e, o) y = Reciprocal(s)", {"o": 2.0}, "Reciprocal"),
    ],
)
def test_what_is_nearly_one(text, arrays, operator):
    with pytest.raises(cn.NetworkError, match=f"'{operator}' at"):
        cn.from_onnx(model(text, **arrays))
