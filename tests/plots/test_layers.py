"""Time courses layer by layer, and as animations."""

import numpy as np
import pytest
from PIL import Image

import crn_nn_tellurium as cn
from crn_nn_tellurium.plots import layers


def course():
    return cn.Simulator(cn.load_model("iris")).time_course([5.1, 3.5, 1.4, 0.2], 20, n_points=41)


def test_one_axes_a_layer_and_one_of_the_outputs():
    tc = course()
    first, second, outputs = cn.plot_layers(tc, units=cn.PhysicalUnits(c0=10, tau=7200))
    assert [line.get_label() for line in first.lines] == [f"Y1_{j}" for j in range(8)]
    np.testing.assert_allclose(second.lines[1].get_ydata(), 10 * tc["Yn2_0"])
    # a colour is a unit, a dash a species
    assert second.lines[0].get_color() == second.lines[1].get_color()
    assert second.lines[1].get_linestyle() == "--"
    labels = [text.get_text() for text in outputs.get_legend().get_texts()]
    assert labels == ["setosa", "versicolor", "virginica"]
    assert (first.get_ylabel(), outputs.get_xlabel()) == ("concentration (nM)", "time (h)")


def test_an_animation_ends_at_the_last_time(tmp_path):
    tc = course()
    moving = cn.animate_layers(tc, tmp_path / "iris.gif", frames=4)
    with Image.open(tmp_path / "iris.gif") as image:
        assert image.n_frames == 4
    figure = moving._fig
    assert figure.get_suptitle() == "time 20 (model units)"
    bars = figure.axes[3].patches
    np.testing.assert_allclose([bar.get_width() for bar in bars], tc.outputs[-1])
    tallest = bars[int(tc.outputs[-1].argmax())].get_facecolor()
    assert sum(bar.get_facecolor() == tallest for bar in bars) == 1
    assert [label.get_text() for label in figure.axes[3].get_yticklabels()] == [
        "setosa",
        "versicolor",
        "virginica",
    ]
    page = cn.animate_layers(tc, tmp_path / "iris.html", frames=2)
    assert b"<img" in (tmp_path / "iris.html").read_bytes()
    assert page is not moving


def test_mp4_needs_ffmpeg_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(layers.FFMpegWriter, "isAvailable", lambda: False)
    with pytest.raises(cn.MissingPackageError, match=r"ffmpeg is not installed.*\.gif"):
        cn.animate_layers(course(), tmp_path / "iris.mp4")
    assert not list(tmp_path.iterdir())


def test_an_animation_of_draws_moves_their_mean():
    """In a grid with places left over for seven units, and without a file."""
    net = cn.Network.random([2, 7, 1], seed=0)
    tc = cn.Simulator(net).time_course([0.5, 1.0], 20, 5, volume=50, draws=3, seed=0)
    moving = cn.animate_layers(tc, frames=2)
    moving._fig.canvas.draw()  # starts it
    moving._draw_frame(4)
    axes = moving._fig.axes
    assert [*moving.new_frame_seq()] == [0, 4]
    assert axes[1].images[0].get_array().shape == (3, 3)
    np.testing.assert_array_equal([b.get_width() for b in axes[3].patches], tc.mean.outputs[-1])


def test_more_curves_than_ten_have_no_legend():
    net = cn.Network.random([1, 11, 2], seed=0)
    tc = cn.Simulator(net).time_course([0.5], 20, n_points=5)
    axes = cn.plot_layers(tc)
    assert [ax.get_legend() is None for ax in axes] == [True, False, False]
    assert cn.plot_time_course(tc, tc.species[:11]).get_legend() is None
    assert cn.plot_time_course(tc, tc.species[:10]).get_legend() is not None
