"""Noise along what a scan varies, beside direct calls and closed forms."""

import numpy as np
from support.scans import XOR, changed
from support.tolerances import SOLVED

import crn_nn_tellurium as cn

VOLUME = 300.0


def test_a_point_has_the_noise_of_its_own_network():
    x = np.array([[0, 0], [0, 1], [1, 1]], dtype=float)
    vary = {"h": [1e-2, 0.1], "b1_1": [-0.9, -1.1], "x0": [0.2, 0.8]}
    kept = [cn.StandardDeviation(VOLUME), cn.ClassProbability(VOLUME)]
    ds = cn.scan(XOR, vary, x=x, outputs=kept)
    assert ds.standard_deviation.dims == ("h", "b1_1", "x0", "sample", "output")
    assert ds.class_probability.dims == ("h", "b1_1", "x0", "sample", "label")
    assert ds.label.values.tolist() == [0, 1]
    for h in vary["h"]:
        for b in vary["b1_1"]:
            for x0 in vary["x0"]:
                net = changed(XOR.with_h(h), b1_1=b)
                inputs = np.column_stack([np.full(3, x0), x[:, 1]])
                direct = cn.noise(net, inputs, volume=VOLUME)
                point = ds.sel(h=h, b1_1=b, x0=x0)
                # the same functions at the same states, but in other batches
                close = {"rtol": 1e-9, "atol": 1e-12}
                found = point.standard_deviation.values
                np.testing.assert_allclose(found, direct.standard_deviation, **close)
                found = point.class_probability.values
                np.testing.assert_allclose(found, direct.probabilities, **close)


def test_with_targets_the_probability_is_that_of_the_right_class():
    iris = cn.load_model("iris")
    x, y = cn.model_data("iris")[1][:9], cn.model_data("iris")[3][:9]
    ds = cn.scan(iris, {"h1": [1e-3, 0.1]}, x=x, y=y, outputs=cn.ClassProbability(VOLUME))
    assert ds.class_probability.dims == ("h1", "sample")
    every = cn.scan(iris, {"h1": [1e-3, 0.1]}, x=x, outputs=cn.ClassProbability(VOLUME))
    assert every.label.values.tolist() == list(iris.classes)
    for i, label in enumerate(y):
        right = every.class_probability.sel(label=label, sample=i)
        np.testing.assert_array_equal(ds.class_probability.sel(sample=i), right)
    # of one sample, the target is one
    one = cn.scan(iris, {"h1": [1e-3, 0.1]}, x=x[0], y=y[0], outputs=cn.ClassProbability(VOLUME))
    np.testing.assert_array_equal(one.class_probability, ds.class_probability.sel(sample=0))


def test_reactions_without_meetings_have_poissons_noise():
    """Made and lost one by one, numbers are Poisson's: variance / mean = 1 / volume, and exact."""
    crn = cn.import_antimony(
        "$X -> A; k*X; A -> B; a*A; B -> A; r*B; B -> ; d*B; X = 2; k = 1; a = 1; r = 2; d = 1"
    )
    vary = {"a": [1.0, 2.0], "X": [1.0, 3.0], "speed": [1.0, 10.0]}
    ds = cn.scan(crn, vary, outputs=["outputs", cn.StandardDeviation(VOLUME)])
    # of the steady state, by hand: what goes in comes out, d B = k X, and a A = (r + d) B
    found = ds.outputs.transpose("a", "X", "speed", "output").values
    x, a = ds.X.values[None, :, None], ds.a.values[:, None, None]
    np.testing.assert_allclose(found[..., 1], x * np.ones_like(a) * np.ones(2), rtol=SOLVED)
    np.testing.assert_allclose(found[..., 0], 3 * x / a * np.ones(2), rtol=SOLVED)
    np.testing.assert_allclose(VOLUME * ds.standard_deviation**2, ds.outputs, rtol=SOLVED)


def test_what_is_conserved_has_no_noise():
    """Of n = total V molecules that turn to and fro, those in B are binomial."""
    crn = cn.import_antimony("A -> B; k*A; B -> A; r*B; A = 3; B = 0; k = 1; r = 2")
    ds = cn.scan(crn, {"k": [1.0, 4.0], "A": [3.0, 6.0]}, outputs=cn.StandardDeviation(VOLUME))
    share = ds.k / (ds.k + 2)
    binomial = np.sqrt(ds.A * share * (1 - share) / VOLUME)
    for name in ("A", "B"):
        found = ds.standard_deviation.sel(output=name).transpose("k", "A")
        np.testing.assert_allclose(found, binomial.transpose("k", "A"), rtol=SOLVED)


def test_where_molecules_are_few_a_point_is_doubtful_and_kept():
    ds = cn.scan(XOR, {"x0": [0.2, 1.0]}, x=[0, 1], outputs=["outputs", cn.StandardDeviation(10)])
    direct = cn.noise(XOR, [[0.2, 1], [1, 1]], volume=10)
    assert direct.doubtful.any(axis=1).all()
    np.testing.assert_allclose(ds.standard_deviation, direct.standard_deviation, rtol=SOLVED)
    for status, few in zip(ds.status.values.tolist(), direct.doubtful, strict=True):
        names = ", ".join(np.array(direct.species)[few])
        assert status == f"doubtful: standard_deviation, by few molecules of {names}"
    calm = cn.scan(XOR, {"x0": [0.2]}, x=[0, 1], outputs=cn.StandardDeviation(1e6))
    assert calm.status.values.tolist() == ["solved"]


def test_one_sample_without_a_steady_state_costs_its_own_noise(monkeypatch):
    from support.failures import fail_to_solve

    fail_to_solve(monkeypatch, 0.5)
    kept = ["outputs", cn.ClassProbability(1e6)]
    ds = cn.scan(XOR, {"x0": [0.25, 0.5, 1.0]}, x=[0, 0], outputs=kept)
    assert np.isnan(ds.class_probability.values).any(axis=1).tolist() == [False, True, False]
    assert [text.startswith("failed: ") for text in ds.status.values] == [False, True, False]
