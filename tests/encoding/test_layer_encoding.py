"""The one map from weights to rate constants: linear, its transpose, its inverse, samples and
sparse patterns.
"""

import numpy as np
import pytest
from scipy import sparse
from support import networks
from support.tolerances import ROUNDED, SOLVED, SUMMED

import crn_nn_tellurium as cn
from crn_nn_tellurium.encoding.layer_encoding import layer_encodings
from crn_nn_tellurium.encoding.unit import local_reactions
from crn_nn_tellurium.networks.layer import places, values_of, with_values

LAYERS = [
    (case.name, number, encoding)
    for case in networks.corpus()
    for number, encoding in enumerate(layer_encodings(case.net))
]
each = pytest.mark.parametrize(
    "encoding", [e for _, _, e in LAYERS], ids=[f"{name} {number}" for name, number, _ in LAYERS]
)


@each
def test_it_is_what_the_drive_is_made_of(encoding, rng):
    """sign gain (W v + b) + shift, from concentrations and from the values that they stand for."""
    layer, activation = encoding.layer, encoding.activation
    x = rng.uniform(0, 2, (3, len(encoding.catalysts)))
    values = np.tile(encoding.constants, (3, 1))
    for k, catalyst in enumerate(encoding.catalysts):
        values[:, catalyst.column] += catalyst.coefficient * x[:, k]
    sums = (encoding.weights @ x.T).T
    signs = np.array([rail.sign for rail in activation.rails])
    drive = sums[..., None] * signs + encoding.rail_bias
    expected = activation.drive(layer.pre_activation(values))
    np.testing.assert_allclose(drive, expected, rtol=1e-11, atol=1e-11)  # sums of up to 64 numbers
    np.testing.assert_allclose(
        encoding.values_read(x), activation.gain * values, rtol=1e-12, atol=1e-12
    )


@each
def test_samples_one_by_one_and_the_network_own(encoding, rng):
    weights = values_of(encoding.layer.weights) * rng.uniform(0.5, 2, (4, 1))
    bias = encoding.layer.bias + rng.normal(size=(4, encoding.layer.n_out))
    by_catalyst, by_rail = encoding.apply(weights, bias)
    for row in range(4):
        one = encoding.apply(weights[row], bias[row])
        np.testing.assert_array_equal(one[0], by_catalyst[row])
        np.testing.assert_array_equal(one[1], by_rail[row])
    own = encoding.apply(values_of(encoding.layer.weights), encoding.layer.bias)
    np.testing.assert_array_equal(values_of(encoding.weights), own[0])
    np.testing.assert_array_equal(encoding.rail_bias, own[1])
    assert encoding.n_species == len(encoding.species)


@each
def test_transpose_and_inverse(encoding, rng):
    w, b = values_of(encoding.layer.weights), encoding.layer.bias
    zero = encoding.apply(np.zeros_like(w), np.zeros_like(b))
    dw, db = rng.normal(size=w.shape), rng.normal(size=b.shape)
    there = [moved - still for moved, still in zip(encoding.apply(dw, db), zero, strict=True)]
    gw, gb = (rng.normal(size=part.shape) for part in there)
    back = encoding.transpose(gw, gb)
    # <g, A d> = <A^T g, d>, sums of up to some hundred numbers about 1
    assert np.isclose(
        np.sum(gw * there[0]) + np.sum(gb * there[1]), back[0] @ dw + back[1] @ db, atol=1e-10
    )
    sizes = encoding.transpose(np.abs(gw), np.abs(gb), sizes=True)
    assert all(np.all(s >= np.abs(x) - 1e-12) for s, x in zip(sizes, back, strict=True))
    drive = encoding.to_drive(w, b)
    for found, given in zip(encoding.from_drive(*drive), (w, b), strict=True):
        # there and back through sums of up to some hundred numbers about 1
        np.testing.assert_allclose(found, given, rtol=1e-11, atol=1e-11)
    # the largest of a weight's rate constants is its coordinate in the drive
    largest = np.zeros_like(w)
    numbers = with_values(encoding.layer.weights, np.arange(1.0, len(w) + 1))
    for k, catalyst in enumerate(encoding.catalysts):
        size = np.abs(encoding.weights[:, [k]])
        column = numbers[:, [catalyst.column]]
        for j, number in zip(
            *(part.tolist() for part in (places(column)[0], values_of(column))), strict=True
        ):
            at = int(number) - 1
            largest[at] = max(largest[at], float(size[j, 0]))
    np.testing.assert_allclose(np.abs(drive[0]), largest, rtol=ROUNDED)
    by = [rng.normal(size=part.shape) for part in (w, b)]
    step = [rng.normal(size=part.shape) for part in (w, b)]
    moved = encoding.from_drive(*step)
    found = encoding.by_drive(*by)
    # sums of up to some hundred numbers about 1
    assert np.isclose(
        by[0] @ moved[0] + by[1] @ moved[1],
        found[0] @ step[0] + found[1] @ step[1],
        rtol=0,
        atol=1e-10,
    )


def test_width_and_spans_are_the_columns_of_a_layers_sources():
    layers = [
        cn.Layer(np.ones((3, 2)), name="a"),
        cn.Layer(np.ones((1, 5)), inputs=("a", "input"), name="b"),
    ]
    net = cn.Network(layers)
    assert [net.width(source) for source in ("input", "a", "b")] == [2, 3, 1]
    assert net.spans(net.layers[1]) == (("a", slice(0, 3)), ("input", slice(3, 5)))
    (_, second) = layer_encodings(net)
    assert [(s.name, s.span) for s in second.sources] == [
        ("a", slice(0, 3)),
        ("input", slice(3, 5)),
    ]


@pytest.mark.parametrize("activation", [cn.SmoothedReLU(h=0.1), cn.HardSigmoid(h=0.1)])
def test_sparse_layers_without_any_weights_are_their_biases(activation):
    """Inputs that are scaled and read-outs with a constant go into biases, of no weights too."""
    empty = [sparse.csr_array(shape) for shape in ((2, 3), (1, 2))]
    layers = [cn.Layer(empty[0], [0.3, -0.2], activation), cn.Layer(empty[1], [0.7])]
    net = cn.Network(layers, inputs="scaled", input_range=(-1, 4))
    settled = cn.Simulator(net).steady_state([[1.0, 2.0, 3.0]]).outputs
    np.testing.assert_allclose(settled, cn.SmoothedReLU()([[0.7]]), rtol=SOLVED)
    assert not [reaction for reaction in cn.to_reactions(net).reactions if reaction.id[1] == "w"]


SCALED = cn.Network(
    [cn.Layer(sparse.csr_array([[0.0, -2.0, 0.5], [3.0, 0.0, 0.0]]), [0.1, -0.2], cn.Linear())],
    inputs="scaled",
    input_range=([-1.0, 2.0, 0.0], [4.0, 3.0, 0.5]),
)
"""Sparse weights of inputs that are scaled: their ranges' ends are in the biases."""


@pytest.mark.parametrize(
    "encoding",
    [*layer_encodings(SCALED), *(e for *_, e in LAYERS if len(values_of(e.layer.weights)) <= 60)],
)
def test_sizes_add_up_what_derivatives_have_with_signs(encoding, rng):
    """By the whole matrix of the map, which is affine: |A|^T g where derivatives are A^T g."""
    w, b = values_of(encoding.layer.weights), encoding.layer.bias
    units = np.eye(len(w) + len(b))
    rows, still = (
        np.hstack(
            [part.reshape(len(at), -1) for part in encoding.apply(*np.split(at, [len(w)], 1))]
        )
        for at in (units, np.zeros((1, len(units))))
    )
    matrix = (rows - still).T
    shapes = [part.shape for part in encoding.apply(w, b)]
    by_weight, by_bias = (rng.normal(size=shape) for shape in shapes)
    g = np.concatenate([by_weight, by_bias.ravel()])
    for found, expected in (
        (encoding.transpose(by_weight, by_bias), matrix.T @ g),
        (encoding.transpose(abs(by_weight), abs(by_bias), sizes=True), abs(matrix).T @ abs(g)),
    ):
        # sums of some hundred numbers, each of them off by eps of what the map's origin is
        allowed = 1e-13 * (1 + abs(still).max()) * (1 + abs(g).sum())
        np.testing.assert_allclose(np.concatenate(found), expected, rtol=SUMMED, atol=allowed)


def test_gradients_of_sparse_weights_and_scaled_inputs_are_compared_by_their_sizes():
    x, y = [[0.0, 2.5, 0.1], [3.0, 2.1, 0.4]], [[1.0, 0.0], [0.5, -0.5]]
    report = cn.check_gradients(SCALED, x, y)
    assert report.passed
    # d loss / d w = mean of 2 (W v + b - t) v, with v in the inputs' own units; the size has the
    # ends of the ranges apart, v = (x' + low) with x' what is put in
    off = np.abs(2 * (SCALED(x) - np.array(y)) / len(x))
    low, put_in = np.array([-1.0, 2.0, 0.0]), np.array(x) - [-1.0, 2.0, 0.0]
    sizes = np.einsum("nj,ni->ji", off, put_in + np.abs(low))
    largest = max(sizes[0, 1], sizes[0, 2], sizes[1, 0], *off.sum(axis=0))
    np.testing.assert_allclose(report.sizes[:-1], largest, rtol=1e-12)  # two settled samples


@pytest.mark.parametrize("width", [1, 3])
def test_what_units_share_is_held_in_the_network_of_one(width):
    """A normalized unit reads all numerators of its layer: of them, one stands for each."""
    net = cn.Network([cn.Layer(np.ones((width, 2)), activation=cn.Normalized())])
    crn = local_reactions(layer_encodings(net)[0])
    activation = cn.Normalized()
    assert len(crn.floating) == len(activation.species)
    assert len(crn.boundary) == len(activation.pooled)
    assert crn.boundary
