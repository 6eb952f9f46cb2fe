"""Designs, refined boundaries, and samples on the classes of their inputs."""

import numpy as np
import pytest

import crn_nn_tellurium as cn

XOR = cn.load_model("xor")


@pytest.fixture(scope="module")
def classes():
    grid = np.linspace(0, 1, 9)
    return cn.scan(XOR, {"x0": grid, "x1": grid}, outputs="class")["class"]


def test_samples_stand_on_the_classes_of_their_inputs(classes):
    x, y = np.array([[0, 0], [0, 1], [1, 1]]), np.array([0, 1, 1])  # the last is wrong
    ax = cn.plot_decision_boundary(classes, x, y)
    drawn = [part.get_offsets().tolist() for part in ax.collections[1:]]
    assert drawn == [[[0, 0]], [], [[0, 1]], [[1, 1]], [], []]  # the last are those of the legend
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["right", "wrong"]
    assert cn.plot_decision_boundary(classes, x).collections


def test_points_of_designs_and_of_boundaries():
    ds = cn.scan(
        XOR,
        cn.sobol({"x0": (0, 1), "h": (1e-4, 1, "log")}, 32),
        x=[0, 1],
        outputs=["outputs", "class"],
    )
    ax = cn.plot_scan_points(ds.outputs, "x0", "h")
    np.testing.assert_array_equal(ax.collections[0].get_offsets(), np.column_stack([ds.x0, ds.h]))
    assert (ax.get_xscale(), ax.get_yscale()) == ("linear", "log")
    assert len(cn.plot_scan_points(ds["class"], "x0", "h").get_legend().get_texts()) == 2
    refined = cn.refine(XOR, {"x0": (0, 1), "x1": (0, 1)}, n=60)
    ax = cn.plot_scan_points(refined, "x0", "x1")
    boundary = np.column_stack([refined.boundary_x0, refined.boundary_x1])
    np.testing.assert_array_equal(ax.collections[-1].get_offsets(), boundary)


def test_classes_that_the_map_lacks_leave_the_colours_of_the_others(classes):
    """Map and samples have one colour for a class, also where the map has fewer classes."""
    part = classes.where(classes != 0, 2)  # classes 1 and 2
    ax = cn.plot_decision_boundary(part, [[0, 0], [0, 1], [1, 1]], [0, 1, 2])
    drawn = ax.collections[0]
    tints = drawn.get_cmap()(drawn.norm(part.transpose("x1", "x0").values))
    # the corners where the map is right
    for at, tint in ([0, 1], tints[-1, 0]), ([1, 1], tints[-1, -1]):
        (dot,) = [one for one in ax.collections[1:] if at in one.get_offsets().tolist()]
        np.testing.assert_allclose(dot.get_facecolor()[0, :3], tint[:3])
