"""Noise against the volume: what is drawn is what `noise` and stochastic runs say."""

from dataclasses import replace

import numpy as np

import crn_nn_tellurium as cn
from crn_nn_tellurium.fluctuations import Counted

XOR = cn.load_model("xor")


def runs(x, volume=500.0):
    return cn.Simulator(XOR).time_course(x, 40, 2, volume=volume, draws=20, seed=0)


def test_outputs_of_one_sample_with_bands_beside_runs():
    noise, course = cn.noise(XOR, [0, 1], volume=1000), runs([0, 1])
    outputs, classes = cn.plot_noise(noise, course)
    line = outputs.lines[0]
    at = line.get_xdata()
    np.testing.assert_allclose(line.get_ydata(), [noise.at(v).mean[0] for v in at])
    edge = outputs.collections[0].get_paths()[0].vertices[:, 1]
    first = noise.at(at[0])
    np.testing.assert_allclose(edge.max(), first.mean[0] + first.standard_deviation[0])
    # a point for the runs, with its standard deviation
    point = outputs.containers[0]
    np.testing.assert_allclose(point[0].get_xydata()[0], [500, course.outputs[:, -1, 0].mean()])
    sure = [noise.at(v).probabilities[1] for v in at]
    np.testing.assert_allclose(classes.lines[2].get_ydata(), 100 * np.array(sure))
    shares = [line.get_ydata()[0] for line in (classes.lines[1], classes.lines[3])]
    assert shares == [0, 100]
    assert outputs.get_xscale() == "log"


def test_grey_ends_where_nothing_is_doubtful_any_more():
    noise = cn.noise(XOR, [0, 1], volume=1000)
    at = np.geomspace(100, 1e6, 41)
    outputs, _ = cn.plot_noise(noise, volumes=at)
    ends = [at[0], min(v for v in at if not noise.at(v).doubtful.any())]
    (grey,) = outputs.patches
    np.testing.assert_allclose([grey.get_x(), grey.get_x() + grey.get_width()], ends)
    handles, labels = outputs.get_legend_handles_labels()
    assert labels == ["y0", "doubtful"]
    assert len(handles) == 2


def test_several_samples_have_a_line_each():
    x = [[0, 0], [0, 1], [1, 0]]
    noise = cn.noise(XOR, x, volume=1000)
    outputs, classes = cn.plot_noise(noise, runs(x))
    at = outputs.lines[0].get_xdata()
    middle = [np.median(noise.at(v).standard_deviation) for v in at]
    np.testing.assert_allclose(outputs.lines[0].get_ydata(), middle)
    curves = [line for line in classes.lines if len(line.get_xdata()) > 1]
    right = [[noise.at(v).probabilities[i, c] for v in at] for i, c in ((0, 0), (1, 1), (2, 1))]
    np.testing.assert_allclose([line.get_ydata() for line in curves], 100 * np.array(right))


def test_classes_have_names_and_other_models_have_none():
    iris = cn.load_model("iris")
    _, flowers, _, _ = cn.model_data("iris")
    outputs, classes = cn.plot_noise(cn.noise(iris, flowers[:4], volume=1000))
    assert outputs.get_legend_handles_labels()[1][:3] == list(iris.classes)
    lines = [line for line in classes.lines if len(line.get_xdata()) > 1]
    noise = cn.noise(iris, flowers[:4], volume=1000)
    own = iris.predict(flowers[:4])
    at = lines[0].get_xdata()
    names = list(dict.fromkeys(label for label in iris.classes if label in own))
    first = next(i for i, label in enumerate(own) if label == names[0])
    place = iris.classes.index(names[0])
    expected = [noise.at(v).probabilities[first, place] for v in at]
    # one class's share before and after all are made to add up to 1
    np.testing.assert_allclose(lines[0].get_ydata(), 100 * np.array(expected), atol=0.1)
    crn = cn.import_antimony("-> A; h; A -> ; d*A; h = 3; d = 1")
    (only,) = cn.plot_noise(cn.noise(crn, volume=100))
    assert only.get_legend_handles_labels()[1][0] == "A"


def test_samples_stand_at_the_volume_that_they_need():
    """With rings and crosses for what runs say; nothing is run here, they would take minutes."""
    x, _, y, _ = cn.model_data("xor")
    found = cn.smallest_volume(XOR, x, y)
    told = {"volume": 1.0, "expected": 0.99, "right": 9, "draws": 10, "lower": 0.5, "upper": 1.0}
    agrees = Counted(sample=2, note="as expected", **told)
    counted = (agrees, Counted(sample=0, note="less often", **told))
    ax = cn.plot_smallest_volume(replace(found, counted=counted))
    dots = np.vstack([line.get_xydata() for line in ax.lines if line.get_markersize() == 5])
    np.testing.assert_allclose(np.sort(dots[:, 0]), np.sort(found.volumes))
    # a quarter of the four samples more at each
    np.testing.assert_allclose(np.sort(dots[:, 1]), [25, 50, 75, 100])
    np.testing.assert_allclose(dots[:, 1], 100 * found.share(dots[:, 0]))
    lines = dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    np.testing.assert_allclose(lines["runs agree"].get_xdata(), found.volumes[[2]])
    np.testing.assert_allclose(lines["runs do not agree"].get_xdata(), found.volumes[[0]])
    # one that is wrong without noise is right nowhere
    wrong = cn.plot_smallest_volume(cn.smallest_volume(XOR, x, [1, 1, 1, 0]))
    assert max(line.get_ydata().max() for line in wrong.lines if len(line.get_xdata())) == 75


def test_of_many_outputs_and_several_samples_there_are_no_bands():
    nets = [cn.Network.random([2, n], seed=0) for n in (5, 6)]
    found = [cn.noise(net, [[0, 1], [1, 1]], volume=100) for net in nets]
    axes = [cn.plot_noise(noise, volumes=[1e6, 1e7])[0] for noise in found]
    assert [len(ax.collections) for ax in axes] == [5, 0]


def test_classes_that_no_sample_has_are_not_named():
    x = [[0, 1], [1, 0]]
    _, classes = cn.plot_noise(cn.noise(XOR, x, volume=1000))
    assert classes.get_legend_handles_labels()[1][:1] == ["1"]
    labels = cn.plot_smallest_volume(cn.smallest_volume(XOR, x)).get_legend_handles_labels()[1]
    assert "1" in labels
    assert "0" not in labels
