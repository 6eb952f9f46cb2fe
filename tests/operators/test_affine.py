"""Affine operators that need no framework to be tested: products with matrices, arrangements."""

import numpy as np
import pytest

from crn_nn_tellurium.operators import Arranged, Graph, MatMul, Node, Options, to_network


def outputs(operator, *shapes):
    """What the network of one operator makes of numbers, and these."""
    names = [f"x{i}" for i in range(len(shapes))]
    node = Node("y", operator, tuple(names), "operator")
    net = to_network(Graph(dict(zip(names, shapes, strict=True)), (node,), "y"), Options())
    x = np.random.default_rng(0).normal(size=net.n_in)
    return net(x), x


@pytest.mark.parametrize(
    ("shape", "constant", "is_left"),
    [
        ((2, 3), (3, 4), False),
        ((2, 3), (4, 2), True),
        ((5, 2, 3), (3, 4), False),
        ((2, 3), (5, 3, 1), False),
        ((3,), (3, 2), False),
        ((3,), (2, 3), True),
        ((2, 3), (3,), False),
        ((3,), (3,), True),
    ],
    ids=str,
)
def test_matmul_is_numpys(shape, constant, is_left):
    matrix = np.random.default_rng(1).normal(size=constant)
    found, x = outputs(MatMul(matrix, is_left), shape)
    x = x.reshape(shape)
    expected = matrix @ x if is_left else x @ matrix
    # sums in another order
    np.testing.assert_allclose(found, expected.ravel(), rtol=0, atol=1e-14)


def test_arranged_takes_elements_of_all_and_adds_numbers():
    places, values = np.array([[3, -1], [0, 0]]), np.array([[0.0, 7.0], [0.5, 0.0]])
    found, x = outputs(Arranged(places, values), (1, 2), (2,))
    # a difference of two rails, rounded
    np.testing.assert_allclose(found, [x[3], 7.0, x[0] + 0.5, x[0]], rtol=1e-14)
