"""Probabilities of classes against scipy's integral and closed forms."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm
from support.tolerances import LAST_DIGIT, ROUNDED

import crn_nn_tellurium as cn
from crn_nn_tellurium.fluctuations import class_probabilities, probability_of


def random_normals(n, m, seed):
    rng = np.random.default_rng(seed)
    parts = rng.normal(size=(n, m, m))
    return rng.normal(size=(n, m)), parts @ parts.swapaxes(1, 2) / m


def test_two_classes_are_the_normal_law():
    mean, covariance = random_normals(5, 2, 0)
    spread = covariance[:, 0, 0] + covariance[:, 1, 1] - 2 * covariance[:, 0, 1]
    first = norm.cdf((mean[:, 0] - mean[:, 1]) / np.sqrt(spread))
    found = class_probabilities(mean, covariance, 0.0)
    np.testing.assert_allclose(
        found, np.stack([first, 1 - first], 1), rtol=ROUNDED, atol=LAST_DIGIT
    )
    one = class_probabilities(mean[:, :1], covariance[:, :1, :1], 0.3)
    above = norm.sf(0.3, mean[:, 0], np.sqrt(covariance[:, 0, 0]))
    np.testing.assert_allclose(one[:, 1], above, rtol=ROUNDED)


@pytest.mark.parametrize("m", [3, 5, 10])
def test_more_classes_are_integrals_over_orthants(m):
    mean, covariance = random_normals(6, m, m)
    found = class_probabilities(mean, covariance, 0.0)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=ROUNDED)
    for i, c in enumerate(range(min(3, m))):
        others = [j for j in range(m) if j != c]
        lead = np.zeros((m - 1, m))
        lead[:, c] = 1
        lead[np.arange(m - 1), others] = -1
        spread = lead @ covariance[i] @ lead.T
        above = multivariate_normal.cdf(
            lead @ mean[i], np.zeros(m - 1), spread, maxpts=10**5, abseps=1e-5
        )
        # 512 points of Sobol's leave 3e-5 here, scipy's own error is below 1e-5
        assert found[i, c] == pytest.approx(above, abs=1e-4)


def test_sure_classes_keep_their_digits():
    """Three outputs far apart: what is missing to 1 is the sum of two tails, all but."""
    mean, covariance = np.array([[5.0, 0.0, 0.0]]), np.eye(3)[None]
    found = probability_of(mean, covariance, np.array([0]))[0]
    tail = norm.sf(5 / np.sqrt(2))
    # both at once is some hundredth of one
    assert 1 - found == pytest.approx(2 * tail, rel=0.03)


def test_without_noise_the_larger_wins():
    mean, covariance = np.array([[1.0], [-1.0], [0.0]]), np.zeros((3, 1, 1))
    found = class_probabilities(mean, covariance, 0.0)
    np.testing.assert_array_equal(found[:, 1], [1.0, 0.0, 0.5])


def test_classes_of_a_model_by_draws_of_its_outputs():
    net, x = cn.load_model("iris"), cn.model_data("iris")[1][:8]
    found = cn.noise(net, x, volume=50)
    rng = np.random.default_rng(0)
    for mean, covariance, shares in zip(
        found.mean, found.covariance, found.probabilities, strict=True
    ):
        drawn = rng.multivariate_normal(mean, covariance, 40_000)
        counts = [(net.classify(drawn) == name).mean() for name in net.classes]
        # four standard errors of 40,000 draws at a half are 0.01
        np.testing.assert_allclose(shares, counts, atol=0.01)
