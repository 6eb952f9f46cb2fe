"""A window to read DNA in: settled, and not yet starved of fuel."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

import crn_nn_tellurium as cn

XOR = [[0, 0], [0, 1], [1, 0], [1, 1]]


def test_xor_is_right_on_every_sample_inside_the_window():
    net = cn.load_model("xor")
    window = cn.read_out_window(net, XOR)
    first, last = window.common
    inside = (window.time >= first) & (window.time < last)
    assert inside.sum() > 100
    assert (net.classify(window.outputs[:, inside]) == net.predict(XOR)[:, None]).all()
    assert window.share == 1.0
    assert "class right on 100.0% of 4 samples" in repr(window)


def test_where_there_is_no_common_window_the_remedy_is_named():
    """By what stands in the way: who settles after others have starved, who has not settled."""
    window = cn.read_out_window(cn.load_model("xor"), XOR)
    assert window.remedy == ""
    assert "limit_concentrations" not in repr(window)
    end = window.time[-1]
    late = replace(
        window, settled=np.array([0, 0, 0, end / 2]), starved=np.array([end / 3, end, end, end])
    )
    never = replace(window, settled=np.array([0, np.nan, 0, 0]))
    starved = replace(never, fuel_left=np.array([9e3, 0.0, 9e3, 9e3]))
    for found, text in (
        (late, "some samples run out of fuel before others settle: limit_concentrations(net, X)"),
        (never, "sample 1 is not right by the last time: try a longer t_end"),
        (starved, "sample 1 runs out of fuel before it is right: limit_concentrations(net, X)"),
    ):
        assert np.isnan(found.common).all()
        assert text in repr(found)
        title = cn.plot_read_out_window(found).get_title()
        assert "\nno common window: " in title


def tau(net, options):
    """A time of 1, in s: that of the largest inputs is that of all."""
    return cn.to_strand_displacement(net, [1, 1], options).units.tau


def test_the_window_shrinks_with_the_fuel_and_closes():
    net = cn.load_model("xor")
    lasting = []
    for fuel in (300.0, 1000.0, 3000.0, 6000.0, 10000.0):
        options = cn.StrandOptions(fuel=fuel, c0=10.0)
        window = cn.read_out_window(
            net, XOR, tolerance=0.15, options=options, t_end=200.0 * tau(net, options)
        )
        first, last = window.common
        lasting.append(min(last, window.time[-1]) - first)
    assert np.isnan(lasting[:2]).all()  # too little
    assert all(a < b for a, b in itertools.pairwise(lasting[2:]))


def test_the_ideal_chemistry_settles_before_its_bound():
    """The certificate holds for all starts, so for these."""
    net = cn.load_model("xor")
    window = cn.read_out_window(net, XOR, tolerance=0.05)
    for i in range(4):
        late = window.time >= window.bound[i]
        assert late.any()
        assert (np.abs(window.ideal[i, late] - window.targets[i]) <= 0.05).all()


def test_the_smallest_fuel_does_and_less_does_not():
    net = cn.load_model("xor")
    best = cn.smallest_fuel(net, XOR)
    assert best.dna.fuel < 1000

    def lasts(fuel):
        window = cn.read_out_window(
            net, XOR, options=cn.StrandOptions(fuel=fuel, c0=best.dna.units.c0)
        )
        first, last = window.common
        return min(last, window.time[-1]) - first >= 10.0 * window.dna.units.tau

    assert lasts(best.dna.fuel)
    assert not lasts(best.dna.fuel / 1.15)


def test_a_starved_tube_is_not_read():
    """With 100 nM, XOR's tube runs out of fuel at [0, 0] and rests, where its class is right by
    chance.
    """
    net, options = cn.load_model("xor"), cn.StrandOptions(fuel=100.0, c0=10.0)
    window = cn.read_out_window(net, XOR, options=options, t_end=300.0 * tau(net, options))
    assert window.fuel_left[0] < 1
    assert window.starved[0] < 0.1 * window.time[-1]


@pytest.mark.slow
def test_an_iris_network_is_right_on_every_held_out_sample():
    X, test, _, y = cn.model_data("iris")
    net = cn.limit_concentrations(cn.load_model("iris"), X)
    window = cn.read_out_window(net, test, y)
    assert window.share == 1.0
    first, last = window.common
    assert min(last, window.time[-1]) - first > 50 * window.dna.units.tau


def test_small_concentrations_keep_the_class():
    X, test, _, _ = cn.model_data("iris")
    net = cn.load_model("iris")
    # two flowers of the training set
    with pytest.warns(UserWarning, match="2 of 120 samples change their class"):
        small = cn.limit_concentrations(net, X, largest=0.5)
    assert (small.predict(test) == net.predict(test)).all()
    concentrations = cn.Simulator(small).steady_state(X).concentrations
    assert (
        max(np.max(part) for part in _arrays(concentrations)) <= 0.5 * 1.1
    )  # smoothing, relatively larger, adds to it
    with pytest.raises(cn.InputError, match="largest is 0; expected a concentration > 0"):
        cn.limit_concentrations(net, X, largest=0)


def test_concentrations_that_change_classes_are_said():
    """h is as large as the values are then, and its chemistry another function."""
    net, X = cn.load_model("iris").with_h(0.2), cn.model_data("iris")[0]
    with pytest.warns(UserWarning, match="77 of 120 samples change their class, since h stays"):
        small = cn.limit_concentrations(net, X)
    assert np.sum(small.predict(X) != net.predict(X)) == 77


def _arrays(concentrations):
    return concentrations.values() if isinstance(concentrations, dict) else [concentrations]


def test_the_plot_shows_dna_ideal_and_window():
    window = cn.read_out_window(cn.load_model("xor"), XOR, tolerance=0.1)
    ax = cn.plot_read_out_window(window, sample=1)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), window.outputs[1, :, 0])
    np.testing.assert_allclose(ax.lines[1].get_ydata(), window.ideal[1, :, 0])
    assert ax.get_xlabel() == "time (h)"
    assert [t.get_text() for t in ax.get_legend().get_texts()][:3] == [
        "y0, DNA",
        "the same, ideal chemistry",
        "the same, network",
    ]
    with pytest.raises(cn.InputError, match="sample is 4; expected 0 to 3"):
        cn.plot_read_out_window(window, sample=4)
