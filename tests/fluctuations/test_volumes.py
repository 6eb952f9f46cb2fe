"""The smallest volume: its definition, its limits, and counts of molecules beside it."""

import numpy as np
import pytest
from scipy.stats import binomtest, norm
from support.networks import Annihilating
from support.tolerances import ROUNDED

import crn_nn_tellurium as cn
from crn_nn_tellurium.fluctuations import counting

XOR, CORNERS = cn.load_model("xor"), np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])


@pytest.mark.parametrize("name", ["xor", "iris", pytest.param("digits", marks=pytest.mark.slow)])
def test_classes_are_right_from_there_on(name):
    net, (_, X, _, _) = cn.load_model(name), cn.model_data(name)
    X = X[:12]
    found = cn.smallest_volume(net, X, confidence=0.95)
    noise = cn.noise(net, X, volume=1)
    classes = [net.classes.index(label) for label in found.classes]
    each = np.arange(len(X))
    lead = np.abs(noise.outputs - 0.5) if net.n_out == 1 else None
    limited = 0
    for i, volume in enumerate(found.volumes):
        for larger in (1.0, 1.1, 2.0, 10.0, 1e3):
            # the integral's own error is some 1e-4
            assert noise.at(volume * larger).probabilities[i, classes[i]] > 0.95 - 3e-4
        below = noise.at(volume / 1.03).probabilities[i, classes[i]]
        outputs, shift = noise.outputs[i], noise.fluctuations.output_shift[i]
        if lead is None:
            others = np.delete(np.arange(net.n_out), classes[i])
            m, d = outputs[classes[i]] - outputs[others], shift[classes[i]] - shift[others]
        else:
            m, d = lead[i], shift
        moved = np.max(np.abs(d) / (volume / 1.03 * m))
        # either it would be too improbable below, or the mean would move too far
        assert below < 0.95 + 3e-4 or moved > 0.25
        limited += moved > 0.25
    assert limited < len(each)


def test_one_output_in_closed_form():
    """With the mean's shift: the root of m V - z s V^(1/2) + d = 0."""
    noise = cn.noise(XOR, CORNERS, volume=1)
    for confidence in (0.9, 0.999):
        found = cn.smallest_volume(XOR, CORNERS, confidence=confidence)
        for i, volume in enumerate(found.volumes):
            sign = 1 if found.classes[i] == 1 else -1
            m = sign * (noise.outputs[i, 0] - XOR.layers[-1].activation.threshold)
            d = sign * noise.fluctuations.output_shift[i, 0]
            far = norm.ppf(confidence) * np.sqrt(noise.covariance[i, 0, 0])
            root = max((r.real for r in np.roots([m, -far, d])), default=0.0)
            real = far**2 >= 4 * m * d
            expected = max(root**2 if real else 0.0, abs(d) / m * 4)
            assert volume == pytest.approx(expected, rel=ROUNDED)


def test_what_is_wrong_without_noise_is_wrong_at_any_volume():
    found = cn.smallest_volume(XOR, CORNERS, [0, 0, 1, 0])
    assert np.isinf(found.volumes).tolist() == [False, True, False, False]
    assert "wrong at any volume 1" in repr(found)
    np.testing.assert_allclose(found.share([1e9, np.inf]), [0.75, 1.0])
    assert found.of_share(1.0) == np.inf
    assert found.of_share(0.75) < np.inf
    assert found.to_frame()["class"].tolist() == [0, 0, 1, 0]
    assert "half of them from" in repr(found)
    half = cn.smallest_volume(XOR, CORNERS, [0, 0, 0, 1], confidence=0.999999)
    assert "right in 99.9999 % of runs, half of them from no volume, largest" in repr(half)
    none = cn.smallest_volume(XOR, CORNERS[1:3], [0, 0], verify=1)
    told = "2 samples, right in 99 % of runs, wrong at any volume 2, with doubtful species 0"
    assert repr(none) == f"SmallestVolume({told})"
    assert "wrong at any volume" in none._repr_html_()


def test_one_sample_and_litres():
    units = cn.PhysicalUnits(c0=10, tau=100)
    one = cn.smallest_volume(XOR, [0, 1], 1, units=units)
    many = cn.smallest_volume(XOR, CORNERS, units=units)
    assert one.volumes == many.volumes[1]
    # 10 nM are 1e-8 mol/l, and a mol has 6.022e23 molecules
    assert one.litres == pytest.approx(one.volumes / (1e-8 * 6.02214076e23))
    np.testing.assert_allclose(many.litres[1], one.litres)
    y = cn.Simulator(XOR).steady_state([0, 1]).concentrations.sum()
    assert one.molecules == pytest.approx(y * one.volumes)
    assert one.to_frame().columns.tolist() == [
        "class",
        "volume",
        "litres",
        "molecules",
        "doubtful_species",
    ]


def test_counted_molecules_stand_beside_theory():
    found = cn.smallest_volume(XOR, CORNERS, verify=2, draws=20, seed=1)
    assert [one.sample for one in found.counted] == np.argsort(found.volumes)[[0, -1]].tolist()
    for one in found.counted:
        assert one.volume == found.volumes[one.sample]
        assert one.expected > 0.99 - 1e-4
        bounds = binomtest(one.right, 20).proportion_ci(0.95, "exact")
        # two ways to the same quantile, each to rounding
        assert (one.lower, one.upper) == pytest.approx((bounds.low, bounds.high), rel=1e-10)
        # of 20 draws at 0.99, below 17 is one in 25,000
        assert one.right >= 17
    assert found.counted_to_frame().index.tolist() == [one.sample for one in found.counted]
    again = cn.smallest_volume(XOR, CORNERS, verify=2, draws=20, seed=1)
    assert again.counted == found.counted


def test_what_would_take_too_long_is_not_run():
    (one,) = cn.smallest_volume(XOR, [0, 1], verify=1, draws=10**9).counted
    assert one.draws == 0
    assert "not run: 1000000000 draws take" in one.note
    # three of four, where it is not said how many
    assert len(cn.smallest_volume(XOR, CORNERS, verify=True, draws=10**9).counted) == 3


def test_species_that_act_on_one_another_are_counted_by_their_reactions():
    layers = [
        cn.Layer([[1.0]], [0.2], Annihilating(h=0.1)),
        cn.Layer([[1.0], [-1.0]], [0.1, 0.3], cn.Linear(h=0.1)),
    ]
    net = cn.Network(layers, task="classification")
    found = cn.smallest_volume(net, [[1.0]], verify=1, draws=60)
    (one,) = found.counted
    # of 60 draws at 0.99, below 55 is one in 10,000
    assert one.right >= 55
    # roots of the dense Jacobian say how long a draw runs
    crn = cn.to_reactions(net)
    steady = cn.Simulator(net).steady_state([[1.0]]).concentrations[0]
    sample = counting.Sample(cn.Simulator(net), np.array([1.0]), steady, 0, one)
    slowest = -np.linalg.eigvals(crn.jacobian(steady, sample._held).toarray()).real.max()
    assert sample.duration == pytest.approx(4 / slowest, rel=ROUNDED)


def test_how_many_reactions_a_draw_takes_is_known_before():
    """One neuron: (h + (g + l) y + y^2) V reactions in a time of 1, for 4 / r."""
    h, gain, loss, x, volume = 0.1, 2.0, 1.0, np.array([1.0]), 50.0
    layer = cn.Layer([[gain], [-loss]], activation=cn.SmoothedReLU(h=h))
    net = cn.Network([layer], task="classification")
    steady = cn.Simulator(net).steady_state(x[None]).concentrations[0]
    blank = counting.Counted(0, volume, 1.0, 0, 0, 0.0, 1.0, "")
    sample = counting.Sample(cn.Simulator(net), x, steady, 0, blank)
    roots = np.hypot([gain, loss], 2 * np.sqrt(h))
    np.testing.assert_allclose(steady, (roots + np.array([gain, -loss])) / 2, rtol=ROUNDED)
    assert sample.duration == pytest.approx(4 / roots.min(), rel=ROUNDED)
    rates = (h + np.array([gain, loss]) * steady + steady**2).sum()
    assert sample.reactions == pytest.approx(rates * volume * 4 / roots.min(), rel=ROUNDED)
    # and as many happen: each changes the number of molecules by one
    course = cn.Simulator(net).time_course(
        x, 4 / roots.min(), 20_001, initial=steady, volume=volume, seed=0
    )
    seen = np.abs(np.diff(course.concentrations * volume, axis=0)).sum()
    # a few of some 400 fall into one of 20,000 intervals; of a Poisson number, 4 deviations
    assert seen == pytest.approx(sample.reactions, abs=4 * np.sqrt(sample.reactions) + 20)


def test_what_takes_minutes_is_told_before(monkeypatch):
    monkeypatch.setattr(counting, "LONG", 1.0)
    with pytest.warns(UserWarning, match=r"10 draws of 2 samples .*, which take about"):
        cn.smallest_volume(XOR, CORNERS, verify=2, draws=10)


def test_ctrl_c_keeps_the_draws_that_are_done(monkeypatch):
    monkeypatch.setattr(counting, "TOGETHER", 1.0)
    run, calls = cn.Simulator.time_course, []

    def stopped(self, *args, **how):
        calls.append(how)
        if len(calls) == 7:
            raise KeyboardInterrupt
        return run(self, *args, **how)

    whole = cn.smallest_volume(XOR, CORNERS, verify=2, draws=5).counted
    monkeypatch.setattr(cn.Simulator, "time_course", stopped)
    with pytest.warns(RuntimeWarning, match="stopped by Ctrl-C: 6 draws were run"):
        found = cn.smallest_volume(XOR, CORNERS, verify=3, draws=5)
    first, second, third = found.counted
    assert first == whole[0]
    assert (second.draws, third.draws) == (1, 0)
    assert second.note.endswith("1 of 5 draws, stopped by Ctrl-C")
    assert third.note == "not run: stopped by Ctrl-C"
    assert "run molecule by molecule 2, " in repr(found)
    # every draw has its own stream
    assert len({how["seed"] for how in calls[:5]}) == 5


def test_counting_solves_no_steady_state_again(monkeypatch):
    solve, calls = cn.Simulator.steady_state, []

    def counted(self, *args, **how):
        calls.append(args)
        return solve(self, *args, **how)

    monkeypatch.setattr(cn.Simulator, "steady_state", counted)
    cn.smallest_volume(XOR, CORNERS, verify=2, draws=1)
    assert len(calls) == 1


@pytest.mark.slow
def test_flowers_are_right_in_99_of_100_runs():
    """20 flowers at their volumes, 10 runs each: all in all right in at least 99 % of 200, within
    the binomial bound of that number (3 standard deviations).
    """
    net, (_, X, _, _) = cn.load_model("iris"), cn.model_data("iris")
    found = cn.smallest_volume(net, X[:20], verify=20, draws=10)
    ran = [one for one in found.counted if one.draws]
    right, draws = (sum(getattr(one, what) for one in ran) for what in ("right", "draws"))
    assert draws >= 19 * 10
    assert right >= 0.99 * draws - 3 * np.sqrt(draws * 0.99 * 0.01), f"{right} of {draws}"


def test_a_result_reads_in_litres_where_units_are_known():
    units = cn.PhysicalUnits(c0=50, tau=100)
    net = cn.load_model("xor")
    two = cn.smallest_volume(net, [[0, 1], [1, 1]], units=units)
    most = two.volumes.max()
    # molecules per litre at 50 nM
    assert f"largest {most:.3g} molecules at 1 ({most / (50e-9 * 6.02214076e23):.2g} l)" in repr(
        two
    )
    one = cn.smallest_volume(net, [0, 1])
    assert "half of them" not in repr(one)
    assert f"from {one.volumes:.3g} molecules" in repr(one)
    wrong = cn.smallest_volume(net, [[0, 1], [1, 1]], [0, 1], units=units)
    assert "wrong at any volume 2" in repr(wrong)


@pytest.mark.slow
def test_volumes_without_doubtful_species_hold_in_runs(monkeypatch):
    """Random classifiers at their volumes for 99 %: with nothing doubtful they are right as often,
    where others may be right in 83 % of runs.
    """
    # what takes long is left out, of either kind
    monkeypatch.setattr("crn_nn_tellurium.fluctuations.counting.MOST_REACTIONS", 4e7)
    rng, runs = np.random.default_rng(1), {True: [], False: []}
    while len(runs[False]) < 8:
        h = 10 ** rng.uniform(-4, -1)
        width, n_out = int(rng.integers(2, 5)), int(rng.choice([1, 3]))
        hidden = [cn.SmoothedReLU, cn.Tanh, cn.LeakyReLU][rng.integers(3)](h=h)
        output = cn.Linear(h=h) if n_out > 1 else cn.Sigmoid(h=h)
        seed = int(rng.integers(10**9))
        net = cn.Network.random([2, width, n_out], hidden, seed, output=output)
        found = cn.smallest_volume(net, rng.uniform(0, 2, 2), verify=1, draws=300)
        runs[bool(found.doubtful_species)] += [one.right for one in found.counted if one.draws]
    assert len(runs[True]) > len(runs[False])
    right, draws = sum(runs[False]), 300 * len(runs[False])
    # theory's own error at some hundred molecules is about that of one standard deviation
    assert right >= 0.99 * draws - 4 * np.sqrt(draws * 0.99 * 0.01), f"{right} of {draws}"
