"""The network as chemistry: every catalysis is there, with its sign and its rate constant."""

import numpy as np
import pytest
from matplotlib.patches import Circle, FancyArrowPatch

import crn_nn_tellurium as cn
from crn_nn_tellurium.encoding import layer_encodings
from crn_nn_tellurium.networks import INPUT
from crn_nn_tellurium.plots.network_layout import columns_of, edges_of, layer_image


def laid_out(net):
    encodings = layer_encodings(net)
    columns = columns_of(net, encodings, None)
    return columns, [edge for encoding in encodings for edge in edges_of(encoding, columns)]


def words(ax):
    return [text.get_text() for text in ax.texts]


def test_edges_are_the_reactions_of_weights():
    net = cn.load_model("moons")  # two rails per input, and two of the output's unit
    _, edges = laid_out(net)
    crn = cn.to_reactions(net)
    expected = [
        (reaction.gain, reaction.value)
        for reaction in crn.reactions
        if reaction.sign and reaction.order == 2
    ]
    assert sorted((edge.sign, edge.size) for edge in edges) == sorted(expected)
    ax = cn.plot_network(net)
    arrows = [patch for patch in ax.patches if isinstance(patch, FancyArrowPatch)]
    # and two within the unit of the sigmoid: Yp and Yn act on S
    assert len(arrows) == len(expected) + 2
    assert len([patch for patch in ax.patches if isinstance(patch, Circle)]) == len(crn.species)
    assert {s.id for s in crn.species} <= set(words(ax))


def test_what_is_drawn_as_one_adds_rate_constants_up():
    net = cn.load_model("digits")
    columns, edges = laid_out(net)
    assert [column.kind for column in columns.values()] == ["block", "block", "images"]
    first, last = layer_encodings(net)
    into = [edge for edge in edges if edge.start in columns[INPUT].sources]
    np.testing.assert_allclose(
        [edge.sign * edge.size for edge in into],
        [first.weights[first.weights > 0].sum(), first.weights[first.weights < 0].sum()],
    )
    of_seven = [e for e in edges if e.end == columns["layer2"].targets[7] and e.sign < 0]
    row = last.weights[7]
    np.testing.assert_allclose([edge.size for edge in of_seven], [-row[row < 0].sum()])
    image = layer_image(net, net.layers[0], columns, columns["layer1"].grid)
    # unit 5 in row 1, column 1 of a grid of 4 columns; 8 x 8 and a line between
    np.testing.assert_array_equal(image[9:17, 9:17].ravel(), net.layers[0].weights[5])


def test_layers_of_many_units_are_one_image_with_the_largest_weights():
    weights = np.zeros((300, 2))
    weights[299, 1], weights[0, 0], weights[1, 0] = -5.0, 0.5, 3.0
    net = cn.Network([cn.Layer(weights)])
    image = layer_image(net, net.layers[0], laid_out(net)[0], (1, 1))
    assert image.shape == (128, 2)
    assert image[127, 1] == -5.0
    assert image[0, 0] == 3.0  # two weights share this pixel
    assert np.count_nonzero(image) == 2


def test_skips_signs_and_words():
    layers = [
        cn.Layer([[1.0, -2.0]], name="a"),
        cn.Layer([[3.0, 1.0, -1.0], [0.0, 1.0, 1.0]], inputs=("a", "input"), name="b"),
    ]
    net = cn.Network(layers, input_names=("salt", "acid"), class_names=("no", "yes"), name="skips")
    columns, edges = laid_out(net)
    skipping = [e for e in edges if e.start in columns[INPUT].sources and e.end.at[0] > 3]
    assert [edge.sign * edge.size for edge in skipping] == [1.0, 1.0, 1.0, -1.0]
    ax = cn.plot_network(net)
    assert {"salt", "acid", "Y1_0", "Y2_1", "y0: no", "y1: yes"} <= set(words(ax))
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["makes more", "takes away", "rate constant 3", "rate constant 0.3"]


def test_one_output_names_both_classes_and_regression_none():
    assert words(cn.plot_network(cn.load_model("xor")))[-1] == "y0\n> 0.5: class 1\nelse class 0"
    net = cn.Network.random([2, 1], seed=0, task="regression")
    assert words(cn.plot_network(net))[-1] == "y0"


def test_a_unit_lists_its_reactions_the_fastest_of_many():
    net = cn.load_model("digits")
    ax = cn.plot_unit(net, "layer1", 3, limit=10)
    crn = cn.layer_reactions(net)[0]
    own = [r for r in crn.reactions if r.net.get("Y1_3", 0)]
    lines = [word for word in words(ax) if "=>" in word]
    assert len(lines) == 10
    assert f"and {len(own) - 10} of smaller weights" in words(ax)
    by_weights = sorted((r.value for r in own if r.order == 2 and r.sign), reverse=True)
    shown = [float(line.split(" = ")[1]) for line in lines if " k1_3_" in line]
    # four digits are shown
    np.testing.assert_allclose(sorted(shown, reverse=True), by_weights[:7], rtol=1e-3)
    assert ax.get_title() == "digits_64_32_10: layer1, unit 3"


@pytest.mark.parametrize("name", cn.model_names())
def test_a_given_axes_is_drawn_in_and_settings_stay(name):
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    before = dict(mpl.rcParams)
    ax = plt.figure(figsize=(4, 3)).subplots()
    assert cn.plot_network(cn.load_model(name), ax) is ax
    assert dict(mpl.rcParams) == before


def test_of_a_layer_that_is_one_image_three_outputs_are_named():
    net = cn.Network.random([2, 300], seed=0, task="regression")
    assert words(cn.plot_network(net))[-1] == "y0\ny1\ny2\n... (300 in all)"
