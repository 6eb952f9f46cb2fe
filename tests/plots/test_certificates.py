"""Envelopes, margins and choices of h: what is drawn, in which units, and what is refused."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from support.tolerances import DIFFERENCED, ROUNDED

import crn_nn_tellurium as cn
from crn_nn_tellurium import (
    PhysicalUnits,
    choose_h,
    plot_certified_margins,
    plot_envelope,
    plot_h_choice,
)


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def marked(ax):
    """Where the line across the whole height is, which is drawn in the axes' height."""
    (line,) = (line for line in ax.lines if line.get_label() == "certified bound")
    return line.get_xdata()[0]


def test_trajectories_are_drawn_inside_their_envelope_until_the_bound():
    net = cn.load_model("xor")
    certificate = cn.certify(net, [[0, 1], [1, 1]], tolerance=0.02)
    slowest = certificate.by_sample.max(axis=1).argmax()
    course = cn.Simulator(net).time_course([[0, 1], [1, 1]][slowest], 300, 3001, initial=1e3)
    ax = plot_envelope(certificate, [course])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time (model units)", "value (model units)")
    assert legend(ax) == ["y0", "trajectories", "fixed point ± 0.02", "certified bound"]
    assert ax.get_title() == f"sample {slowest} of 2, the slowest: from all starts"
    assert marked(ax) == certificate.settling_time
    assert [text.get_text() for text in ax.texts] == [f"settled by {certificate.settling_time:.4g}"]
    low, high, trajectory = (line.get_xydata() for line in ax.lines[:3])
    np.testing.assert_array_equal(low[:, 1], certificate.envelope.lower[:, 0])
    np.testing.assert_array_equal(high[:, 1], certificate.envelope.upper[:, 0])
    np.testing.assert_array_equal(trajectory[:, 1], course["y0"][1:])
    seen = trajectory[trajectory[:, 0] < low[-1, 0]]
    # interpolating a convex envelope and the integrator's errors: 1e-3 of a value of 0.03
    assert np.all(np.interp(seen[:, 0], *low.T) <= seen[:, 1] + 1e-3)
    assert np.all(np.interp(seen[:, 0], *high.T) * (1 + 1e-3) >= seen[:, 1] - 1e-3)
    bottom, top = ax.get_ylim()
    assert bottom < 0 < certificate.outputs.upper[slowest, 0] < top < 1


def test_an_envelope_of_intervals_in_the_tube_as_distances():
    net = cn.load_model("iris")
    certificate = cn.certify(net, [5.1, 3.5, 1.4, 0.2], tolerance=0.1, rates=0.01)
    units = PhysicalUnits(c0=10, tau=7200)
    ax = plot_envelope(
        certificate, names="y1", deviation=True, units=units, ax=plt.figure().subplots()
    )
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_yscale()) == (
        "time (h)",
        "value - fixed point (nM)",
        "symlog",
    )
    assert marked(ax) == pytest.approx(2 * certificate.settling_time)
    assert legend(ax)[:2] == ["versicolor", "fixed point ± 1 nM"]
    ends = sorted(
        line.get_ydata()[0]
        for line in ax.lines
        if line.get_linestyle() == "--" and len(line.get_xdata()) == 2
    )
    half = 10 * certificate.outputs.width[0, 1] / 2
    np.testing.assert_allclose(ends, [-half, half], rtol=ROUNDED)
    # within the tolerance of the fixed points from the mark on, up to the rounding of the grid's
    # interpolation
    after = ax.lines[1].get_xydata()[ax.lines[1].get_xdata() > marked(ax) * 1.05]
    assert after[:, 1].max() <= half + 1 + DIFFERENCED


def test_a_converted_certificate_is_drawn_in_its_units_with_trajectories_of_the_model():
    net, units = cn.load_model("xor"), PhysicalUnits(c0=10, tau=7200)
    certificate = cn.certify(net, [0, 1], tolerance=0.02)
    course = cn.Simulator(net).time_course([0, 1], 300, 301)
    drawn = [
        plot_envelope(certificate.in_units(units), course, plt.figure().subplots()),
        plot_envelope(certificate, course.in_units(units), plt.figure().subplots(), units=units),
    ]
    for ax in drawn:
        assert (ax.get_xlabel(), ax.get_ylabel()) == (
            "time (h)",
            "concentration or difference (nM)",
        )
        assert legend(ax)[2] == "fixed point ± 0.2 nM"
        assert marked(ax) == pytest.approx(2 * certificate.settling_time)
        np.testing.assert_allclose(ax.lines[0].get_ydata(), 10 * certificate.envelope.lower[:, 0])
        np.testing.assert_allclose(
            ax.lines[2].get_xydata().T, [2 * course.time[1:], 10 * course["y0"][1:]]
        )


def test_certified_margins_are_drawn_by_class():
    ax = plot_certified_margins(
        [0.01, 0.03, 0.02, 0.5], ["b", "b", "b", "a"], order=["b", "a", "c"]
    )
    assert [text.get_text() for text in ax.get_yticklabels()] == [
        "b (n = 3)",
        "a (n = 1)",
        "c (n = 0)",
    ]
    assert ax.get_xlabel().endswith("(%)")
    assert legend(ax) == ["a sample", "median", "middle half"]
    samples, median = ax.lines[:2]
    np.testing.assert_allclose(samples.get_xdata(), [1, 2, 3])
    assert np.all(np.abs(samples.get_ydata()) < 0.35)
    np.testing.assert_allclose(median.get_xdata(), [2, 2])
    box = ax.patches[0]
    np.testing.assert_allclose([box.get_x(), box.get_width()], [1.5, 1.0])


@pytest.fixture(scope="module")
def choice():
    x, _, y, _ = cn.model_data("xor")
    return choose_h(cn.load_model("xor"), x, max_error=0.1, y=y, n_points=9)


def test_at_a_volume_the_noise_in_the_error_and_where_it_is_doubtful():
    x = cn.model_data("xor")[0]
    choice = choose_h(cn.load_model("xor"), x, max_error=0.2, volume=1000, n_points=5)
    ax = plot_h_choice(choice)
    assert ax.get_ylabel() == "largest root mean square error (model units)"
    lines = {line.get_label(): line.get_ydata() for line in ax.lines}
    np.testing.assert_allclose(lines["its noise at 1000 molecules"], choice.curve.noise)
    doubtful = choice.curve.doubtful_species > 0
    assert 0 < doubtful.sum() < 5
    np.testing.assert_array_equal(np.isfinite(lines["species are doubtful"]), doubtful)


def test_error_against_settling_time_with_what_was_chosen(choice):
    ax = plot_h_choice(choice, units=PhysicalUnits(c0=10, tau=7200))
    assert (ax.get_xlabel(), ax.get_ylabel()) == (
        "settling time to within 1 nM (h)",
        "largest error (nM)",
    )
    curve = next(line for line in ax.lines if line.get_label() == "one h for all layers")
    np.testing.assert_allclose(
        curve.get_xydata(), np.array([2 * choice.curve.settling_time, 10 * choice.curve.error]).T
    )
    (star,) = (line for line in ax.lines if line.get_marker() == "*")
    np.testing.assert_allclose(star.get_xydata(), [[2 * choice.settling_time, 10 * choice.error]])
    (square,) = (line for line in ax.lines if line.get_marker() == "s")
    np.testing.assert_allclose(square.get_xydata()[0, 0], 2 * choice.common.settling_time)
    assert legend(ax)[-1] == "accuracy, right"
    right = ax.figure.axes[-1]
    np.testing.assert_allclose(right.lines[0].get_ydata(), 100 * choice.curve.accuracy)
    assert [text.get_text() for text in ax.texts][-1] == "h = 1"


def test_a_linear_network_has_no_error_at_any_h():
    """Its curve is seen, on an axis that has a 0."""
    net = cn.Network([cn.Layer([[1.0, 2.0]], activation=cn.Linear(h=0.01))])
    choice = cn.choose_h(net, [[0.0, 1.0], [1.0, 1.0]], max_error=0.1, n_points=5)
    ax = cn.plot_h_choice(choice)
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "linear")
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), np.zeros(5))
