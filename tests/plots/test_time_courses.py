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
