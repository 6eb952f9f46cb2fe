"""Time courses: columns, units, and where inputs change."""

import matplotlib.pyplot as plt
import numpy as np

import crn_nn_tellurium as cn


def test_time_course():
    course = cn.Simulator(cn.load_model("xor")).time_course([0, 1], t_end=20, steps={7.5: [1, 1]})
    ax = cn.plot_time_course(course)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time (model units)", "value (model units)")
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), course["y0"])
    assert 7.4 < ax.lines[1].get_xdata()[0] <= 7.5
    ax = cn.plot_time_course(course, ["Y1_0", "x0"], ax=plt.figure().subplots())
    assert ax.get_ylabel() == "concentration (model units)"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["Y1_0", "x0"]


def test_a_time_course_in_the_tube():
    course = cn.Simulator(cn.load_model("xor")).time_course([0, 1], t_end=20)
    ax = cn.plot_time_course(course, units=cn.PhysicalUnits(c0=10, tau=7200))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time (h)", "concentration or difference (nM)")
    drawn = ax.lines[0].get_xydata()
    np.testing.assert_allclose(drawn, np.column_stack([2 * course.time, 10 * course["y0"]]))


def test_several_draws_are_a_mean_and_a_band():
    course = cn.Simulator(cn.load_model("xor")).time_course(
        [0, 1], t_end=20, n_points=41, volume=100, draws=8, seed=0, steps={7.5: [1, 1]}
    )
    ax = cn.plot_time_course(course, ["y0", "x0"], units=cn.PhysicalUnits(c0=10, tau=7200))
    np.testing.assert_allclose(ax.lines[0].get_ydata(), 10 * course["y0"].mean(axis=0))
    (band,) = ax.collections  # inputs have none
    edge = band.get_paths()[0].vertices[:, 1]
    spread = course["y0"].std(axis=0, ddof=1)
    np.testing.assert_allclose(edge.max(), 10 * (course["y0"].mean(axis=0) + spread).max())
    one = cn.Simulator(cn.load_model("xor")).time_course([0, 1], volume=100, draws=1, seed=0)
    ax = cn.plot_time_course(one)
    assert not ax.collections
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), one["y0"][0])


def test_draws_lie_in_an_envelope_plot_as_single_lines():
    net = cn.Network.random([2, 3, 1], cn.SmoothedReLU(h=0.1), seed=0, output=cn.Linear(h=0.1))
    course = cn.Simulator(net).time_course([1, 0], volume=1e4, n_points=11, draws=3, seed=0)
    certificate = cn.certify(net, [1, 0], tolerance=0.01)
    axes = np.atleast_1d(cn.plot_envelope(certificate, [course]))[0]
    drawn = [line for line in axes.lines if len(line.get_xdata()) == 10]
    assert len(drawn) == 3
