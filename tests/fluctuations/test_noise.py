"""Noise against exact stationary laws: birth and death, binomials, master equations, DSMTS."""

import csv
import itertools
import math
import warnings

import numpy as np
import pytest
from support.networks import Annihilating
from support.public import collection
from support.tolerances import ROUNDED

import crn_nn_tellurium as cn

XOR, CORNERS = cn.load_model("xor"), np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
FOLDER, here = collection("dsmts")


def neuron(h, gain, loss):
    """One neuron driven by a gain and a loss that do not cancel in its noise."""
    relu = cn.SmoothedReLU(h=h)
    return cn.Network([cn.Layer([[gain, -loss]], activation=relu)], task="regression")


def birth_and_death(h, gain, loss, volume):
    """Exact stationary mean and variance of a neuron's concentration, by its recursion."""
    n = np.arange(1, int(volume * (gain + math.sqrt(h)) * 4 + 100))
    born = np.log(h * volume + gain * (n - 1))
    dies = np.log(loss * n + n * (n - 1) / volume + (0 if loss else 1e-300))
    weight = np.concatenate([[0.0], np.cumsum(born - dies)])
    law = np.exp(weight - weight.max())
    law /= law.sum()
    y = np.arange(len(law)) / volume
    mean = law @ y
    return mean, law @ (y - mean) ** 2


def test_one_neuron_by_birth_and_death():
    """The figures of h = 0.1, g = 2, l = 1 at volume 200, and the orders that are stated."""
    found = cn.noise(neuron(0.1, 2.0, 1.0), [1.0, 1.0], volume=200)
    mean, variance = birth_and_death(0.1, 2.0, 1.0, 200)
    variances, means = (variance * 200, found.covariance[0, 0] * 200), (mean, found.mean[0])
    # half a unit of the figures' last decimal
    np.testing.assert_allclose(variances, (1.9344, 1.9297), rtol=0, atol=5e-5)
    # and of means, which have five
    np.testing.assert_allclose(means, (1.08802, 1.08807), rtol=0, atol=5e-6)
    errors = []
    for volume in (400, 800, 1600):
        mean, variance = birth_and_death(0.1, 2.0, 1.0, volume)
        at = found.at(volume)
        errors.append([at.mean[0] - mean, at.covariance[0, 0] - variance])
    # errors of order 1/V^2: a quarter at twice the volume; the next order is some 2 % here
    np.testing.assert_allclose(np.divide(errors[1:], errors[:-1]), 0.25, rtol=0.05)


def test_what_birth_and_death_has_otherwise_is_doubted():
    """672 rails: what is not doubted has the exact variance within 36 % (see `MOVED`), most of them
    far better; of those that are off by above a fifth, 19 of 20 are doubted.
    """
    missed, bad, off = 0, 0, []
    drives = [(1.0, 1.0), (5.0, 5.0), (5.0, 4.0), (2.0, 1.0), (10.0, 9.0), (1.0, 0.1), (3.0, 10.0)]
    for h, (gain, loss) in itertools.product((1e-8, 1e-6, 1e-4, 1e-3, 1e-2, 0.1), drives):
        found = cn.noise(neuron(h, gain, loss), [1.0, 1.0], volume=1)
        for volume in np.geomspace(3, 3000, 16).tolist():
            _, variance = birth_and_death(h, gain, loss, volume)
            at = found.at(volume)
            ratio = abs(math.log(variance / at.covariance[0, 0]))
            doubted = bool(at.doubtful[0])
            bad += ratio > math.log(1.2)
            missed += ratio > math.log(1.2) and not doubted
            if not doubted:
                off.append(ratio)
    assert bad > 200
    assert missed <= bad / 20
    assert max(off) < math.log(1.36 + 0.01)
    # nine of ten within 2 % when this was written
    assert np.quantile(off, 0.9) < 0.025
    assert len(off) > 200


def test_a_conserved_sum_makes_a_binomial():
    """A <-> B with N in all: B is binomial, whatever the volume."""
    crn = cn.import_antimony("A -> B; k*A; B -> A; l*B; k = 1; l = 3; A = 4")
    found = cn.noise(crn, volume=10)
    n, p = 40, 0.25
    np.testing.assert_allclose(found.species_mean * 10, [n * (1 - p), n * p], rtol=ROUNDED)
    spread = math.sqrt(n * p * (1 - p)) * np.ones(2)
    np.testing.assert_allclose(found.species_standard_deviation * 10, spread, rtol=ROUNDED)
    both = found.covariance * 100
    np.testing.assert_allclose(both, n * p * (1 - p) * np.array([[1, -1], [-1, 1]]), rtol=ROUNDED)
    assert not found.doubts


@pytest.mark.parametrize("pair", ["dimer", "complex"])
def test_molecules_that_meet_by_their_equilibrium(pair):
    """2 A <-> C and A + B <-> C: exact laws are products, weights k^c / (a! b! c!)."""
    texts = {
        "dimer": "2 A -> C; k*A^2; C -> 2 A; l*C; k = 1; l = 2; A = 3",
        "complex": "A + B -> C; k*A*B; C -> A + B; l*C; k = 1; l = 2; A = 3; B = 1.5",
    }
    crn = cn.import_antimony(texts[pair])
    found = cn.noise(crn, volume=1.0)
    errors = []
    for volume in (100, 200, 400):
        c = np.arange((3 * volume // 2) + 1)
        if pair == "dimer":
            # propensities of 2 A: k n (n - 1) / V
            a = 3 * volume - 2 * c
            weight = c * math.log(1 / (2 * volume)) - log_factorials(a, c)
        else:
            a, b = 3 * volume - c, 3 * volume // 2 - c
            weight = c * math.log(1 / (2 * volume)) - log_factorials(a, b, c)
        law = np.exp(weight - weight.max())
        law /= law.sum()
        mean = law @ c
        exact = mean / volume, law @ (c - mean) ** 2 / volume**2
        i, at = crn.floating.index("C"), found.at(volume)
        theory = at.species_mean[i], at.covariance[i, i]
        errors.append(np.subtract(theory, exact))
    # of order 1/V^2; the next order is a few hundredths at these volumes
    np.testing.assert_allclose(np.divide(errors[1:], errors[:-1]), 0.25, rtol=0.05)


def log_factorials(*numbers):
    return sum(np.array([math.lgamma(n + 1) for n in each]) for each in numbers)


def table(name, of):
    head, *rows = csv.reader((FOLDER / f"{name}-{of}.csv").read_text().splitlines())
    columns = np.array([row for row in rows if row], dtype=float).T
    return dict(zip((title.strip().lower() for title in head), columns, strict=True))


@here
@pytest.mark.parametrize(
    ("name", "rate"),
    [
        ("dsmts-002-01", 0.1),
        ("dsmts-002-02", 0.1),
        ("dsmts-002-05", 0.1),
        ("dsmts-002-08", 0.1),
        ("dsmts-004-01", 0.2),
    ],
)
def test_linear_reactions_of_the_test_suite(name, rate):
    """Immigration, single or in batches, and death: exact at any volume, once they are stationary.

    From nothing the mean is on its way by 1 - u, u = e^(-rate t), and the variance of batches of b
    by 1 - u^2 - 2 (u - u^2) / (b + 1); the suite's limits for 10,000 runs are 3 and 5 standard
    errors.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of propensities
        crn = cn.import_sbml(FOLDER / f"{name}.xml")
    found, mean, sd = cn.noise(crn, volume=1.0), table(name, "mean"), table(name, "sd")
    last, runs = mean["time"][-1], 10_000
    left = math.exp(-rate * last)
    way = 1 - left
    batch = 1 if name.startswith("dsmts-002") else 5
    squared = 1 - left**2 - 2 * (left - left**2) / (batch + 1)
    i = crn.floating.index("X")
    mu, sigma = mean["x"][-1], sd["x"][-1]
    assert abs(found.species_mean[i] * way - mu) < 3 * sigma / math.sqrt(runs)
    variance = found.species_standard_deviation[i] ** 2 * squared
    assert abs(variance / sigma**2 - 1) < 5 * math.sqrt(2 / runs)
    # and these are exact: the tables have six digits or more, half a unit of which is 5e-7
    assert (found.species_mean[i] * way, variance) == pytest.approx((mu, sigma**2), rel=1e-6)


def test_a_curved_read_out_has_a_mean_of_its_own():
    """A Poisson number A: the mean of A^2 is m^2 + m, and of 3 A it is 3 m."""
    square = cn.Observable("square", cn.Expression([cn.Monomial(1.0, (("A", 2.0),))]))
    thrice = cn.Observable("thrice", cn.Expression([cn.Monomial(3.0, (("A", 1.0),))]))
    reactions = [
        cn.Reaction("made", (), ("A",), "k", 5.0),
        cn.Reaction("lost", ("A",), (), "d", 1.0),
    ]
    crn = cn.ReactionNetwork([cn.Species("A", 5.0)], reactions, [square, thrice])
    found = cn.noise(crn, volume=2.0)
    np.testing.assert_allclose(found.mean, [25 + 5 / 2, 15], rtol=ROUNDED)
    # to first order: slopes 10 and 3, variance 5 / 2
    slopes = np.array([10.0, 3.0])
    np.testing.assert_allclose(found.covariance, 2.5 * np.outer(slopes, slopes), rtol=ROUNDED)


def test_scatter_that_curved_rates_make_is_doubted():
    """C made by a meeting of two Poisson numbers, none of whose means moves: its exact variance is
    (10 + 2 / 0.11) V + 1 / (0.1 * 2.1), where first order has no last part.
    """
    text = "-> A; k; A -> ; A; -> B; k; B -> ; B; A + B -> A + B + C; A*B; C -> ; d*C"
    crn = cn.import_antimony(f"{text}; k = 1; d = 0.1; A = 1; B = 1; C = 10")
    found, c = cn.noise(crn, volume=1), crn.floating.index("C")
    for volume in (0.1, 1.0, 1.6, 1.8, 10.0):
        at = found.at(volume)
        first = (10 + 2 / 0.11) / volume
        assert at.covariance[c, c] == pytest.approx(first, rel=ROUNDED)
        left_out = 1 / (0.1 * 2.1) / volume**2
        assert at.doubtful.tolist() == [s == "C" and left_out > 0.1 * first for s in at.species]


def test_a_read_out_that_curves_within_its_scatter_is_doubted():
    """A Poisson number n: the variance of n^2 is 4 m^3 + 6 m^2 + m, of 3 n it is 9 m."""
    text = "-> A; k; A -> ; A; square := A^2; k = 5; A = 5"
    found = cn.noise(cn.import_antimony(text), volume=1)
    linear = cn.noise(cn.import_antimony(text.replace("A^2", "3*A")), volume=0.01)
    assert not linear.doubts
    for volume in (0.01, 0.1, 0.5, 0.9, 1.1, 10.0):
        m, at = 5 * volume, found.at(volume)
        ratio = (4 * m**3 + 6 * m**2 + m) / volume**4 / at.covariance[0, 0]
        # up to a third may be left out without a word, as of rails
        assert bool(at.doubts) == (ratio > 1.31)


def test_species_that_act_on_one_another_go_by_their_reactions():
    layers = [cn.Layer([[1.0]], [0.2], Annihilating(h=0.1)), cn.Layer([[1.0]], [0.1])]
    net = cn.Network(layers, task="regression")
    found = cn.noise(net, [[1.0], [0.5]], volume=100)
    crn = cn.to_reactions(net)
    flat = cn.noise(crn, [[1.0], [0.5]], volume=100)
    at = [[o.id for o in crn.observables].index(name) for name in net.output_names]
    np.testing.assert_allclose(found.mean, flat.mean[:, at], rtol=ROUNDED)
    np.testing.assert_allclose(found.species_standard_deviation, flat.species_standard_deviation)


def test_one_sample_many_samples_and_other_volumes():
    many = cn.noise(XOR, CORNERS, volume=300)
    one = cn.noise(XOR, CORNERS[2], volume=1).at(300)
    assert many.mean.shape == (4, 1)
    assert many.covariance.shape == (4, 1, 1)
    assert one.mean.shape == (1,)
    for what in ("outputs", "mean", "covariance", "probabilities", "species_mean", "doubtful"):
        np.testing.assert_allclose(getattr(many, what)[2], getattr(one, what), rtol=ROUNDED)
    assert one.doubts.keys() == {
        name for name, bad in zip(many.species, many.doubtful[2], strict=True) if bad
    }
    np.testing.assert_allclose(many.outputs, XOR(CORNERS), rtol=ROUNDED, atol=ROUNDED)
    frame = many.to_frame()
    assert frame.loc[(2, "y0"), "doubtful_species"] == many.doubtful[2].sum()
    assert "doubtful: " in repr(many)


def test_noise_grows_with_both_drives_and_not_with_their_difference():
    """h + (g + l) y + y^2 over 2 r V, of one rail, in closed form."""
    h, volume = 0.1, 50.0
    for gain, loss in ((1.0, 0.0), (2.0, 1.0), (11.0, 10.0)):
        found = cn.noise(neuron(h, gain, loss), [1.0, 1.0], volume=volume)
        r = math.sqrt((gain - loss) ** 2 + 4 * h)
        y = (gain - loss + r) / 2
        variance = (h + (gain + loss) * y + y * y) / (2 * r * volume)
        assert found.covariance[0, 0] == pytest.approx(variance, rel=ROUNDED)


@pytest.mark.slow
def test_outputs_vary_as_trajectories_do():
    """Gillespie's method at a volume where nothing is doubtful: 400 draws of two samples."""
    net = cn.Network.random([2, 3, 2], cn.SmoothedReLU(h=0.1), output=cn.Linear(h=0.1), seed=0)
    x = [0.5, 1.0]
    found = cn.noise(net, x, volume=400)
    assert not found.doubts
    course = cn.Simulator(net).time_course(x, 40.0, 2, volume=400, draws=400, seed=0)
    ends = course.outputs[:, -1]
    # of 400 draws a mean is off by sd / 20, a standard deviation by sd / 28; four times that
    np.testing.assert_array_less(abs(ends.mean(0) - found.mean), found.standard_deviation / 5)
    np.testing.assert_allclose(ends.std(axis=0), found.standard_deviation, rtol=4 / 28)


def test_samples_between_two_classes():
    """Where outputs tie, any molecule decides; species that carry no output are not to blame."""
    relu = cn.SmoothedReLU(h=0.1)
    layers = [
        cn.Layer(np.eye(2), activation=relu),
        cn.Layer([[1.0, -1.0], [-1.0, 1.0]], [0, 0], relu),
    ]
    net = cn.Network(layers, class_names=["a", "b"])
    found = cn.noise(net, [0.5, 0.5], volume=3)
    # by the symmetry of both, to the rounding of the solver
    np.testing.assert_allclose(found.probabilities, 0.5, rtol=1e-9)
    few = [name for name, why in found.doubts.items() if "decide on the class" in why]
    # without a drive an output holds the square root of h, which is one molecule here
    assert few == ["Y2_0", "Y2_1"]


def test_three_molecules_that_meet_by_hand():
    """dA/dt = 1 - 3 A^3, A = 3^(-1/3): J = -9 A^2 and noise 1 + 9 A^3 = 4 make the variance
    2 / (9 A^2 V); the mean is off by 1/V, for three meet n (n - 1) (n - 2) / V^3, less var / A.
    """
    volume, a = 100.0, 3 ** (-1 / 3)
    found = cn.noise(cn.import_antimony("-> A; h; 3 A -> ; d*A^3; h = 1; d = 1"), volume=volume)
    variance = 2 / (9 * a * a * volume)
    np.testing.assert_allclose(found.covariance, [[variance]], rtol=ROUNDED)
    np.testing.assert_allclose(found.species_mean, [a + 1 / volume - variance / a], rtol=ROUNDED)
