"""Noise against the volume: what is drawn is what `noise` and stochastic runs say."""

import numpy as np

import crn_nn_tellurium as cn

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
