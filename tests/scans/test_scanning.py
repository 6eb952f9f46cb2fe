"""What a scan keeps, what it does with points that fail, and what it refuses."""

import numpy as np
import pytest
from support.scans import REVERSIBLE, XOR, assert_close, changed
from support.tolerances import ROUNDED, SOLVED

import crn_nn_tellurium as cn


def test_what_is_kept_of_samples_with_targets():
    x, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float), np.array([0, 1, 1, 0])
    kept = ["outputs", "class", "loss", "accuracy", "gradient_norm", cn.SettlingTime(0.01), "Y1_0"]
    ds = cn.scan(XOR, {"h": [1e-3, 0.3]}, x=x, y=y, outputs=kept)
    assert ds.loss.dims == ds.accuracy.dims == ds.gradient_norm.dims == ("h",)
    assert ds["class"].dims == ds.settling_time.dims == ds.Y1_0.dims == ("h", "sample")
    for h in (1e-3, 0.3):
        net = XOR.with_h(h)
        g = cn.gradient(net, x, y[:, None])
        assert float(ds.loss.sel(h=h)) == pytest.approx(g.loss, rel=SOLVED)
        assert float(ds.gradient_norm.sel(h=h)) == pytest.approx(g.norm, rel=SOLVED)
        assert ds["class"].sel(h=h).values.tolist() == net.predict(x).tolist()
        assert float(ds.accuracy.sel(h=h)) == np.mean(net.predict(x) == y)
        np.testing.assert_array_equal(
            ds.settling_time.sel(h=h).values, cn.settling_time(net, x, 0.01)
        )
        assert_close(ds.Y1_0.sel(h=h).values, cn.Simulator(net).steady_state(x)["Y1_0"])


def test_names_of_classes_are_kept():
    iris = cn.load_model("iris")
    x, y = cn.model_data("iris")[1][:9], cn.model_data("iris")[3][:9]
    ds = cn.scan(iris, {"h1": [iris.h[0], 0.1]}, x=x, y=y, outputs=["class", "accuracy"])
    assert ds["class"].values[0].tolist() == iris.predict(x).tolist()
    assert float(ds.accuracy[0]) == np.mean(iris.predict(x) == y)


def test_gradients_and_times_with_inputs_that_are_varied_too():
    x, y = np.array([[0, 0], [1, 1]], dtype=float), np.array([[0.0], [0.5]])
    vary = {"x0": [0.2, 0.4, 0.9], "b1_1": [0.1, 1.0], "h": [1e-2, 1e-1]}
    ds = cn.scan(XOR, vary, x=x, y=y, outputs=["gradient_norm", cn.SettlingTime(bound="cheap")])
    assert ds.gradient_norm.dims == ("x0", "b1_1", "h")
    for x0 in vary["x0"]:
        for b in vary["b1_1"]:
            for h in vary["h"]:
                net = changed(XOR.with_h(h), b1_1=b)
                inputs = np.column_stack([np.full(2, x0), x[:, 1]])
                at = {"x0": x0, "b1_1": b, "h": h}
                assert float(ds.gradient_norm.sel(at)) == pytest.approx(
                    cn.gradient(net, inputs, y).norm, rel=SOLVED
                )
                times = cn.settling_time(net, inputs, bound="cheap")
                np.testing.assert_allclose(ds.settling_time.sel(at).values, times, rtol=ROUNDED)


def test_a_function_of_the_result():
    def total(result):
        return result.concentrations.sum()

    def peak(course):
        return course.concentrations.max(axis=0)

    ds = cn.scan(XOR, {"x0": [0, 1]}, outputs=[total])
    assert ds.total.dims == ("x0",)
    assert_close(
        ds.total.values, cn.Simulator(XOR).steady_state([[0, 0], [1, 0]]).concentrations.sum(axis=1)
    )
    ds = cn.scan(
        XOR, {"x0": [0, 1]}, at=np.linspace(0, 5, 6), outputs={"most": peak, "y": lambda c: c["y0"]}
    )
    assert ds.most.dims == ("x0", "most_0")
    assert ds.y.dims == ("x0", "time")
    assert ds.most.shape == (2, 4)


def test_settling_time_along_h_falls_as_the_certificate_says():
    ds = cn.scan(XOR, {"h": [1e-4, 1e-2]}, x=[1, 0], outputs="settling_time")
    assert ds.settling_time.attrs["tolerance"] == 1e-3
    assert float(ds.settling_time[0]) > float(ds.settling_time[1])


def test_a_point_that_fails_is_nan_with_its_reason(monkeypatch):
    from support.failures import fail_to_solve

    fail_to_solve(monkeypatch, 0.5)
    vary = {"x0": [0.25, 0.5, 1.0]}
    ds = cn.scan(XOR, vary, outputs=["outputs", "class", "species"])
    assert np.isnan(ds.outputs.values[1]).all()
    assert np.isnan(ds["class"].values[1])
    assert np.isnan(ds.concentrations.values[1]).all()
    assert ds.status.values[1].startswith("failed: ")
    assert not np.isnan(ds.outputs.values[[0, 2]]).any()
    with pytest.raises(
        cn.ConvergenceError, match=r"fails where x0 = 0.5: .*on_error='nan' keeps the rest"
    ):
        cn.scan(XOR, vary, on_error="raise")


def test_one_point_that_fails_leaves_the_others_their_losses(monkeypatch):
    from support.failures import fail_to_solve

    fail_to_solve(monkeypatch, 0.5)
    ds = cn.scan(XOR, {"x0": [0.25, 0.5, 1.0]}, x=[0.0, 1.0], y=[1.0], outputs="loss")
    found = ds.loss.values
    assert np.isnan(found).tolist() == [False, True, False]
    good = [[0.25, 1.0], [1.0, 1.0]]
    assert_close(found[[0, 2]], (XOR(good)[:, 0] - 1) ** 2)
    # of a batch, one sample without an answer leaves no mean, and the other points theirs
    x, y = np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([1.0, 0.0])
    ds = cn.scan(XOR, {"x0": [0.25, 0.5]}, x=x, y=y, outputs="loss")
    assert np.isnan(ds.loss.values).tolist() == [False, True]
    assert_close(ds.loss.values[0], np.mean((XOR([[0.25, 1.0], [0.25, 0.0]])[:, 0] - y) ** 2))


def test_what_has_no_certificate_says_so():
    from support.networks import Swish

    net = cn.Network([cn.Layer([[1.0]], activation=Swish(h=0.1)), cn.Layer([[1.0]])])
    ds = cn.scan(net, {"h1": [0.1, 0.2]}, x=[0.5], outputs=cn.SettlingTime(bound="cheap"))
    assert np.isnan(ds.settling_time.values).all()
    assert all(text.startswith("no settling time: ") for text in ds.status.values)


def test_whole_numbers_of_designs_may_be_floats():
    assert (
        len(cn.lognormal(0.1, draws=10.0, seed=1.0)[0])
        == len(cn.sobol({"x0": np.array([0, 1])}, 16.0)) - 6
        == 10
    )


def test_an_output_by_its_name():
    x = [[0.0, 1.0], [1.0, 1.0]]
    ds = cn.scan(XOR, {"h": [1e-3]}, x=x, outputs="y0")
    assert ds.y0.dims == ("h", "sample")
    assert_close(ds.y0.values[0], XOR(x)[:, 0])
    assert ds.y0.attrs["long_name"] == "output y0"
    refined = cn.refine(XOR, {"x0": (0, 1)}, x=[0, 1], outputs="y0", limit=0.5, n=40)
    assert_close(XOR([float(refined.boundary_x0[0]), 1.0]), [0.5], 0.01)


def test_a_function_that_fails_at_some_points_costs_these_alone():
    def picky(result):
        if result.outputs[0, 0] < 0.5:
            raise KeyError("too small")
        return result.outputs[0, 0] if result.outputs[0, 0] < 0.9 else result.outputs[0]

    for model, vary in ((XOR, {"x0": [0.9, 0.3, 0.0]}), (XOR, {"x0": [0.0, 0.3, 0.9]})):
        ds = cn.scan(model, vary, x=[0, 1], outputs={"picky": picky, "y": "outputs"})
        good = ~np.isnan(ds.picky.values.reshape(3, -1)[:, 0])
        assert good.sum() == 1
        assert not np.isnan(ds.y.values).any()
        reasons = sorted(ds.status.values[~good])
        assert any("KeyError: 'too small'" in text for text in reasons)
        assert any("and () elsewhere" in text or "and (1,) elsewhere" in text for text in reasons)
    with pytest.raises(cn.ConvergenceError, match=r"fails where x0 = 0.9: picky: KeyError"):
        cn.scan(XOR, {"x0": [0.3, 0.9]}, x=[0, 1], outputs={"picky": picky}, on_error="raise")
    with pytest.raises(
        cn.InputError, match="KeyError: 'too small'; a function is given the result of one point"
    ):
        cn.scan(XOR, {"x0": [0.9, 1.0]}, x=[0, 1], outputs=[picky])

    def of_values(values):
        return 1 / (values["k1"] - 1)

    with np.errstate(divide="ignore"):
        ds = cn.scan(
            REVERSIBLE, {"k1": [1.0, 3.0]}, at=[1.0], outputs={"f": of_values, "A": "A", "B": "B"}
        )
    assert ds.f.dims == ("k1", "time")
    assert ds.f.values[1] == pytest.approx(0.5)


def test_a_gradient_that_fails_is_marked_where_it_failed(monkeypatch):
    from crn_nn_tellurium.scans import network_quantities as quantities

    whole = quantities.gradient

    def some(net, x, *rest):
        if x[0, 0] == 0.5:
            raise cn.ConvergenceError("made to")
        return whole(net, x, *rest)

    monkeypatch.setattr(quantities, "gradient", some)
    ds = cn.scan(
        XOR, {"x0": [0.25, 0.5, 1.0]}, x=[[0, 1], [0, 0]], y=[[1.0], [0.0]], outputs="gradient_norm"
    )
    assert np.isnan(ds.gradient_norm.values).tolist() == [False, True, False]
    assert [text.startswith("failed: gradient") for text in ds.status.values[:, 0]] == [
        False,
        True,
        False,
    ]
    with pytest.raises(cn.ConvergenceError, match=r"fails where x0 = 0.5, sample = 0: gradient"):
        cn.scan(
            XOR, {"x0": [0.5]}, x=[[0, 1]], y=[[1.0]], outputs="gradient_norm", on_error="raise"
        )


def test_points_at_which_drives_cancel_are_doubtful_as_the_simulator_says():
    """With h varied, with errors of rate constants, and with inputs: each point by itself."""
    layers = [
        cn.Layer([[1e8, -1e8], [1.0, 1.0]], [1e-9, 0.0], cn.SmoothedReLU(h=1e-12)),
        cn.Layer([[1.0, 2.0]], [0.0], cn.Linear(h=1e-2)),
    ]
    net, x, hs = cn.Network(layers), np.array([[1.0, 1.0], [1.0, 2.0]]), np.geomspace(1e-12, 1, 3)
    scan = cn.scan(net, {"h": hs}, x=x)
    for i, h in enumerate(hs):
        own = cn.Network(
            [cn.Layer(one.weights, one.bias, type(one.activation)(h=h)) for one in layers]
        )
        expected = cn.Simulator(own).steady_state(x).status
        assert scan["status"].values[i].tolist() == list(expected)
        assert [text.partition(":")[0] for text in expected] == ["doubtful", "solved"]
    # errors of 10 % leave nothing of how the weights cancel, and so nothing to doubt
    scan = cn.scan(net, {"draw": range(3), "cv": [0.0, 0.1]}, x=x[0])
    doubtful = [text.startswith("doubtful") for text in scan["status"].sel(cv=0.0).values.ravel()]
    assert all(doubtful)
    assert set(scan["status"].sel(cv=0.1).values.ravel()) == {"solved"}
    inputs = cn.scan(net, {"x1": [1.0, 2.0]}, x=x[0])
    kinds = [text.partition(":")[0] for text in inputs["status"].values.ravel()]
    assert kinds == ["doubtful", "solved"]


def test_where_no_point_has_an_answer_everything_is_nan():
    """A root whose square is no double."""
    net = cn.Network([cn.Layer([[1.0]], activation=cn.Linear(h=1e-3))])
    kept = ["outputs", "class", "loss"]
    ds = cn.scan(net, {"x0": [1e160, 2e160]}, y=[1.0], outputs=kept)
    for name in kept:
        assert np.isnan(ds[name].values).all(), name
    assert all(text.startswith("failed: ") for text in ds.status.values)


def test_a_function_is_tried_at_the_first_point_that_has_an_answer(monkeypatch):
    from support.failures import fail_to_solve

    fail_to_solve(monkeypatch, 0.5)
    ds = cn.scan(XOR, {"x0": [0.5, 0.25]}, outputs={"twice": lambda result: 2 * result.outputs[0]})
    assert np.isnan(ds.twice.values[0]).all()
    assert_close(ds.twice.values[1], 2 * XOR([0.25, 0.0]))


def test_a_function_is_given_a_result_without_its_error():
    """Which would cost a solution more at each point."""
    given = []

    def kept(result):
        given.append(result)
        return 1.0

    cn.scan(XOR, {"x0": [0.25]}, outputs={"kept": kept})
    result = given[-1]
    assert result.error is None
    assert "largest residual" in repr(result)
    assert "largest error" not in repr(result)
    assert_close(result.outputs[0], XOR([0.25, 0.0]))
