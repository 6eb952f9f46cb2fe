"""Sensitivities in the shape of the weights, and ranked where there are none."""

import numpy as np
import pytest

import crn_nn_tellurium as cn


def test_each_layer_has_the_shape_of_its_weights_and_relative_changes():
    net = cn.Network.random([2, 3, 2], seed=0, class_names=("a", "b"))
    found = cn.sensitivities(net, [0.5, 1.0])
    inputs, first, second, h = cn.plot_sensitivities(found, "y1")
    assert [ax.get_title() for ax in (inputs, first, second, h)] == [
        "inputs",
        "layer 1",
        "layer 2",
        "h",
    ]
    assert first.figure.get_suptitle() == "d ln|b| / d ln|parameter|"
    relative = dict(zip(found.parameters, found.relative[1], strict=True))
    drawn = np.ma.filled(second.images[0].get_array(), np.nan)
    expected = [[relative[f"w2_{j}_{i}"] for i in range(3)] for j in range(2)]
    np.testing.assert_array_equal(drawn[:, :3], expected)
    assert np.isnan(drawn[:, 3]).all()
    np.testing.assert_array_equal(drawn[:, 4], [relative["b2_0"], relative["b2_1"]])
    np.testing.assert_array_equal(h.images[0].get_array().ravel(), [relative["h1"], relative["h2"]])
    np.testing.assert_array_equal(
        inputs.images[0].get_array().ravel(), [relative["x0"], relative["x1"]]
    )


def test_absolute_ones_of_some_parameters_on_given_axes():
    import matplotlib.pyplot as plt

    net = cn.Network.random([2, 3, 1], seed=0)
    found = cn.sensitivities(net, [0.5, 1.0], parameters=["w1_2_1", "b1_0"])
    (ax,) = cn.plot_sensitivities(found, axes=[plt.figure().subplots()], relative=False)
    drawn = np.ma.filled(ax.images[0].get_array(), np.nan)
    assert drawn.shape == (3, 4)
    assert drawn[2, 1] == found["y0", "w1_2_1"]
    assert drawn[0, 3] == found["y0", "b1_0"]
    assert np.isnan(drawn).sum() == 10
    with pytest.raises(cn.InputError, match="axes are 2; expected 1: layer 1"):
        cn.plot_sensitivities(found, axes=plt.figure().subplots(1, 2))


def test_weights_of_an_image_are_images():
    net = cn.load_model("digits")
    x = cn.model_data("digits")[1][0]
    found = cn.sensitivities(net, x, outputs=["y3"])
    first = cn.plot_sensitivities(found)[1].images[0].get_array()
    assert first.shape == (4 * 9 - 1, 8 * 9 - 1)
    at = {name: i for i, name in enumerate(found.parameters)}
    # unit 9 is in row 1, column 1; value 12 in row 1, column 4 of its image
    assert first[9 + 1, 9 + 4] == found.relative[0, at["w1_9_12"]]
    assert cn.plot_sensitivities(found, image=(4, 16))[0].images[0].get_array().shape == (4, 16)


def test_other_networks_are_ranked():
    made, lost = cn.Reaction("J1", (), ("Y",), "a", 6.0), cn.Reaction("J2", ("Y",), (), "d", 2.0)
    crn = cn.ReactionNetwork([cn.Species("Y")], [made, lost])
    (ax,) = cn.plot_sensitivities(cn.sensitivities(crn), relative=False, limit=1)
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["d"]
    np.testing.assert_allclose(ax.images[0].get_array(), [[-1.5]])  # Y = a / d


def test_of_other_networks_one_output_may_be_drawn():
    found = cn.sensitivities("-> A; j; A -> B; k*A; B -> ; q*B; j = 1; k = 2; q = 4; A = 1; B = 1")
    (ax,) = cn.plot_sensitivities(found, "A", limit=2)
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["A"]
    assert {tick.get_text() for tick in ax.get_xticklabels()} == {"j", "k"}  # A = j / k


def test_of_many_inputs_some_are_named():
    net = cn.Network.random([70, 2], seed=0)
    inputs = cn.plot_sensitivities(cn.sensitivities(net, np.ones(70)))[0]
    named = [text.get_text() for text in inputs.get_yticklabels()]
    assert len(named) == 24
    assert [int(row) for row in inputs.get_yticks()] == [int(name[1:]) for name in named]


@pytest.mark.parametrize(("chosen", "shape"), [(["w1_2_1"], (3, 4)), (["b1_2"], (3, 1))])
def test_weights_or_biases_alone_are_a_matrix_without_the_others(chosen, shape):
    found = cn.sensitivities(cn.Network.random([2, 3, 1], seed=0), [0.5, 1.0], parameters=chosen)
    (ax,) = cn.plot_sensitivities(found, relative=False)
    drawn = np.ma.filled(ax.images[0].get_array(), np.nan)
    assert drawn.shape == shape
    assert drawn[~np.isnan(drawn)].tolist() == [found["y0", chosen[0]]]
