"""What operators refuse, with where it stands in the source."""

import numpy as np
import pytest
from operators.test_network_of import W, X, chain, graph

import crn_nn_tellurium as cn
from crn_nn_tellurium import operators as ops


def made(*operators, options=None, **fields):
    return lambda: ops.to_network(chain(*operators), options or ops.Options(), **fields)


CASES = [
    (
        made(ops.Dense(W[:, :3])),
        cn.NetworkError,
        r"operator 'Dense' at 'n0': weights of shape \(4, 3\) read 3 values",
    ),
    (made(ops.Reshape((2, 2))), cn.NetworkError, "operator 'Reshape' at 'n0': cannot reshape"),
    (
        made(ops.Convolution(np.ones((1, 2, 3)), 0.0, ops.Window.of((3,)))),
        cn.NetworkError,
        "'Convolution' at 'n0': an array of shape",
    ),
    (
        made(ops.Apply(ops.exponential())),
        cn.NetworkError,
        "'Apply' at 'n0': exp: it runs into no straight line",
    ),
    (made(ops.ArgMax(), ops.Dense(W)), cn.NetworkError, "'ArgMax' at 'n0': it gives a class"),
    (made(ops.Dense(0 * W)), cn.NetworkError, "outputs do not depend on the inputs"),
    (
        lambda: ops.to_network(
            graph(
                a=(ops.Dense(W), "x"),
                b=(ops.Dense(W[::-1]), "x"),
                out=(ops.Product(), "a", "b"),
            ),
            ops.Options(),
        ),
        cn.NetworkError,
        "'out' at 'out': the product of two tensors",
    ),
    (
        lambda: ops.to_network(
            graph(a=(ops.Dense(W), "x"), out=(ops.Quotient(), "a", "a")), ops.Options(data=X)
        ),
        cn.NetworkError,
        "it has no finite value at 0",
    ),
    (
        lambda: ops.Graph({"x": (5,)}, (ops.Node("x", ops.Identity(), ("x",), "same"),), "x"),
        ValueError,
        "'x' names two tensors",
    ),
    (
        lambda: ops.to_network(
            ops.Graph({"x": (5,)}, (ops.Node("y", ops.Identity(), ("x",), "pool", (4,)),), "y"),
            ops.Options(),
        ),
        cn.NetworkError,
        r"'pool' at 'y': its result has shape \(4,\) in the source and \(5,\) here",
    ),
    (made(ops.Dense(W), options=ops.Options(data=X[:, :2])), cn.InputError, "data have shape"),
    (made(ops.Dense(W), options=ops.Options(data=X * np.nan)), cn.InputError, "expected finite"),
    (lambda: ops.Options(h=0.0), cn.InputError, "h is 0.0"),
    (lambda: ops.Options(max_error=-1), cn.InputError, "max_error is -1"),
    (lambda: ops.Options(approximation="best"), cn.InputError, "approximation is 'best'"),
]


@pytest.mark.parametrize(("call", "kind", "message"), CASES)
def test_refused(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
