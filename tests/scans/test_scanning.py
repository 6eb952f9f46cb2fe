"""What a scan keeps, what it does with points that fail, and what it refuses."""

import numpy as np
import pytest
from support.scans import REVERSIBLE, XOR, assert_close, changed

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
        assert float(ds.loss.sel(h=h)) == pytest.approx(g.loss, rel=1e-9)
        assert float(ds.gradient_norm.sel(h=h)) == pytest.approx(g.norm, rel=1e-9)
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
                    cn.gradient(net, inputs, y).norm, rel=1e-9
                )
                times = cn.settling_time(net, inputs, bound="cheap")
                np.testing.assert_allclose(ds.settling_time.sel(at).values, times, rtol=1e-12)


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


def test_what_has_no_certificate_says_so():
    from support.networks import Swish

    net = cn.Network([cn.Layer([[1.0]], activation=Swish(h=0.1)), cn.Layer([[1.0]])])
    ds = cn.scan(net, {"h1": [0.1, 0.2]}, x=[0.5], outputs=cn.SettlingTime(bound="cheap"))
    assert np.isnan(ds.settling_time.values).all()
    assert all(text.startswith("no settling time: ") for text in ds.status.values)


@pytest.mark.parametrize(
    ("vary", "options", "message"),
    [
        ({}, {}, "nothing to vary"),
        ({"x9": [1]}, {}, r"no 'x9'.*near it: x1, x0"),
        ({"w1_0": [1]}, {}, "near it: w1_"),
        ({"rates": [1]}, {}, "the factor on all rate constants is 'speed'"),
        ({"x0": []}, {}, "not empty"),
        ({"x0": 3}, {}, "expected a list of numbers"),
        ({"x0": ["a"]}, {}, "expected a list of numbers"),
        ({"x0": [np.nan]}, {}, "expected finite numbers"),
        ({"x0": [-1]}, {}, "a concentration is not negative"),
        ({"h": [0.0]}, {}, "expected numbers > 0"),
        ({"h": [[1, 2, 3]]}, {}, "2 numbers, one per layer"),
        ({"h": [1], "h1": [1]}, {}, "'h' of all layers is varied, and that of one layer"),
        ({"Y1_0": [-1]}, {"at": 1.0}, "expected concentrations >= 0"),
        ({"cv": [0.1]}, {}, "'cv' is varied by itself; lognormal"),
        ({"draw": [0.0, 1.0]}, {}, "'draw' is varied by itself; lognormal"),
        ({"draw": [0.5], "cv": [0.1]}, {}, "what lognormal"),
        ({"cv": [-0.1], "draw": [0.0]}, {}, "what lognormal"),
        ({"x0": ["0.5"]}, {}, "expected a list of numbers"),
        ({"x0": [True]}, {}, "expected a list of numbers"),
        ({"x0": [1]}, {"outputs": {"output": "outputs"}}, "nothing can be kept as 'output'"),
        ({"x0": [1]}, {"outputs": {"status": "class"}}, "nothing can be kept as 'status'"),
        ({"x0": [1]}, {"outputs": {"": "class"}}, "nothing can be kept as ''"),
        ({"x0": [1]}, {"outputs": {3: "class"}}, "nothing can be kept as 3"),
        ({"x0": [1], "x1": [1]}, {"outputs": {"x1": "class"}}, "varied and kept"),
        (cn.paired({"x0": [1]}, dim="x1"), {"x": [[0, 1]]}, "dim= renames the dimension"),
        ({"output": [1]}, {}, "cannot be called 'output'"),
        ([{"x0": [1]}, {"x0": [2]}], {}, "'x0' is varied twice"),
        ("x0", {}, "expected values by name"),
        ({3: [1]}, {}, "3 is no name"),
        ({"x0": [1]}, {"x": [1, 2, 3]}, "shape"),
        ({"x0": [1]}, {"at": [2, 1]}, "expected rising times"),
        ({"x0": [1]}, {"at": "soon"}, "at is 'soon'"),
        ({"x0": [1]}, {"at": {"x1": 0}}, r"go to x="),
        ({"x0": [1]}, {"outputs": "z"}, "no 'z' to keep; expected one of outputs"),
        ({"x0": [1]}, {"outputs": []}, "one thing to keep"),
        ({"x0": [1]}, {"outputs": [lambda r: 0]}, "give {'name': function}"),
        ({"x0": [1]}, {"outputs": {"bad": lambda r: "text"}}, "returns a number"),
        ({"x0": [1]}, {"outputs": "loss"}, "needs targets"),
        ({"x0": [1]}, {"outputs": "accuracy", "x": [[0, 1]], "y": ["no"]}, "network's classes"),
        ({"speed": [1]}, {"outputs": "settling_time"}, "no network has them"),
        ({"x0": [1]}, {"outputs": "settling_time", "at": 1.0}, "of steady states"),
        ({"Y1_0": [1]}, {"at": 1.0, "outputs": "Y1_0"}, "varied and kept"),
        ({"x0": [1]}, {"on_error": "stop"}, "on_error is 'stop'"),
        ({"x0": [1]}, {"executor": "many"}, "executor is 'many'; expected a number of processes"),
        ({"x0": [1]}, {"path": "out.csv"}, "expected an ending of .nc or .zarr"),
    ],
)
def test_bad_arguments_are_refused(vary, options, message):
    with pytest.raises(cn.InputError, match=message):
        cn.scan(XOR, vary, **options)


def test_bad_designs_are_refused():
    for values in ({}, {"x0": []}, {"x0": [1], "x1": [1, 2]}, {3: [1]}, {"x0": ["a"]}):
        with pytest.raises(cn.InputError):
            cn.Axis("point", values)
    with pytest.raises(cn.InputError, match="cannot be called 'output'"):
        cn.Axis("output", {"x0": [1.0]})
    assert (
        len(cn.lognormal(0.1, draws=10.0, seed=1.0)[0])
        == len(cn.sobol({"x0": np.array([0, 1])}, 16.0)) - 6
        == 10
    )
    with pytest.raises(cn.InputError, match="differ in length: a has 2, b has 1"):
        cn.paired({"a": [1, 2], "b": [1]})
    with pytest.raises(cn.InputError, match="power of two: 128"):
        cn.sobol({"x0": (0, 1)}, 100)
    for span in ((1, 0), (0, 1, "log"), (0,), "ab", (0, np.inf)):
        with pytest.raises(cn.InputError, match="its range is"):
            cn.latin_hypercube({"x0": span}, 4)
    with pytest.raises(cn.InputError, match="coefficients of variation >= 0"):
        cn.lognormal(-0.1)
    for arguments in ((0.1, 0), (0.1, 1.5), (0.1, 2, -1)):
        with pytest.raises(cn.InputError, match="expected a whole number"):
            cn.lognormal(*arguments)


def test_other_models_are_checked_too():
    for model, vary, options, message in (
        (REVERSIBLE, {"k9": [1]}, {}, "near it: k2, k1"),
        (REVERSIBLE, {"total": [1]}, {}, "a rule sets it"),
        (REVERSIBLE, {"speed": [1]}, {}, "need a Network or a ReactionNetwork"),
        (REVERSIBLE, {"A": [-1]}, {}, ">= 0"),
        (REVERSIBLE, {"k1": [1]}, {"outputs": "loss"}, "of neural networks"),
        (REVERSIBLE, {"k1": [1]}, {"outputs": "C"}, "no 'C' to keep"),
        (REVERSIBLE, {"k1": [1]}, {"x": [1]}, "vary boundary species by name"),
        (cn.to_reactions(cn.load_model("moons")), {"fuel": [1]}, {}, "no one meaning"),
    ):
        with pytest.raises(cn.InputError, match=message):
            cn.scan(model, vary, **options)
    with pytest.raises(cn.ReactionError, match="libAntimony refuses"):
        cn.scan("model m(", {"k": [1]})
    with pytest.raises(cn.NetworkError, match="takes a Network"):
        cn.scan(3, {"k": [1]})


def test_an_output_by_its_name():
    x = [[0.0, 1.0], [1.0, 1.0]]
    ds = cn.scan(XOR, {"h": [1e-3]}, x=x, outputs="y0")
    assert ds.y0.dims == ("h", "sample")
    assert_close(ds.y0.values[0], XOR(x)[:, 0])
    assert ds.y0.attrs["long_name"] == "output y0"
    refined = cn.refine(XOR, {"x0": (0, 1)}, x=[0, 1], outputs="y0", limit=0.5, n=40)
    assert_close(XOR([float(refined.boundary_x0[0]), 1.0]), [0.5], 0.01)


def test_a_function_that_returns_nothing_says_so():
    with pytest.raises(cn.InputError, match="f returns nothing; a function is given"):
        cn.scan(XOR, {"x0": [0.0]}, outputs={"f": lambda r: None})


def test_what_is_no_model_is_told_what_would_be():
    for model, message in (
        ("xor", r"load_model\(name\)"),
        ("switch.ant", r"Path\(file\).read_text\(\)"),
    ):
        with pytest.raises(cn.InputError, match=message):
            cn.scan(model, {"k": [1.0]})
    with pytest.raises(
        cn.NetworkError, match=r"got ChemistryRunner; give r.getCurrentAntimony\(\)"
    ):
        cn.scan(cn.to_roadrunner(XOR), {"x0": [1.0]})
    with pytest.raises(cn.InputError, match="'C' is a compartment, whose size cannot be varied"):
        cn.scan(
            "model m() compartment C = 2; species A in C; A = 4; A -> ; k*A; k = 1; end",
            {"C": [1.0]},
        )


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
    from crn_nn_tellurium.scans import quantities

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
