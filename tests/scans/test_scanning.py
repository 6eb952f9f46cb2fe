"""Scans: every number that can be varied, against networks made by hand, their closed form and
other solvers.
"""

import dataclasses
from functools import partial

import numpy as np
import pytest
from scipy import stats
from support.networks import corpus

import crn_nn_tellurium as cn
from crn_nn_tellurium.kinetics.network import NetworkKinetics
from crn_nn_tellurium.kinetics.rate_constants import RateConstants
from crn_nn_tellurium.kinetics.rate_errors import perturbed_outputs, spread
from crn_nn_tellurium.networks.parameter_vector import from_vector, parameters, to_vector, values_of
from crn_nn_tellurium.scans.grid import boxes
from crn_nn_tellurium.scans.network_parameters import NetworkParameters

CORPUS = corpus()
SMALL = [case for case in CORPUS if case.net.n_weights <= 60]
XOR = cn.load_model("xor")
ALLOWED = 1e-9
"""Of the engine's steady states against the closed form, relative to 1 and the largest
concentration.
"""


def assert_close(found, expected, allowed=ALLOWED):
    np.testing.assert_allclose(
        found, expected, rtol=allowed, atol=allowed * (1 + np.abs(expected).max(initial=0))
    )


def changed(net, **values):
    """The network with some of its numbers changed, by its vector of parameters."""
    vector = to_vector(net).copy()
    names = [parameter.id for parameter in parameters(net)]
    for name, value in values.items():
        vector[names.index(name)] = value
    return from_vector(net, vector)


# What is varied -----------------------------------------------------------------------------------


def test_a_grid_has_named_dimensions_in_order():
    ds = cn.scan(XOR, {"h": [1e-3, 1e-1], "x0": [0, 0.5, 1]}, x=[0, 1])
    assert ds.outputs.dims == ("h", "x0", "output")
    assert ds.status.dims == ("h", "x0")
    assert set(ds.status.values.ravel()) == {"solved"}
    for h in (1e-3, 1e-1):
        for x0 in (0, 0.5, 1):
            assert_close(ds.outputs.sel(h=h, x0=x0).values, XOR.with_h(h)([x0, 1]))


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.name)
def test_samples_of_any_network_are_those_of_the_simulator(case):
    ds = cn.scan(case.net, {"rates": [1.0]}, x=case.x, outputs=["outputs", "species"])
    steady = cn.Simulator(case.net).steady_state(case.x)
    assert ds.outputs.dims == ("rates", "sample", "output")
    np.testing.assert_array_equal(ds.outputs.values[0], steady.outputs)
    np.testing.assert_array_equal(ds.concentrations.values[0], steady.concentrations)


@pytest.mark.parametrize("case", SMALL, ids=lambda case: case.name)
def test_weights_biases_and_h_of_any_network(case, rng):
    """Some parameters of every layer, changed together at random, of either sign."""
    found = parameters(case.net)
    chosen = [found[i] for i in rng.permutation(len(found))[:6]]
    n = 5
    values = {
        p.id: np.exp(rng.normal(-2, 1, n)) if p.kind == "h" else rng.normal(0, 1, n)
        for p in chosen
        if p.kind != "h" or case.net.layers[p.layer].activation.h_is_smoothing
    }
    ds = cn.scan(case.net, cn.paired(values), x=case.x)
    for i in range(n):
        net = changed(case.net, **{name: value[i] for name, value in values.items()})
        assert_close(ds.outputs.values[i], net(case.x), 1e-8)


def test_lists_together_come_as_a_data_frame_and_with_rows_of_h():
    import pandas as pd

    frame = pd.DataFrame({"x0": [0.0, 1.0], "x1": [1.0, 1.0]})
    assert_close(cn.scan(XOR, cn.paired(frame)).outputs.values, XOR(frame.to_numpy()))
    ds = cn.scan(XOR, cn.paired({"h": [[1e-3, 1e-2], [0.1, 0.2]], "x0": [0.0, 1.0]}), x=[0, 1])
    assert_close(ds.outputs.values[1], XOR.with_h([0.1, 0.2])([1.0, 1.0]))
    assert ds.h2.values.tolist() == [1e-2, 0.2]


def test_a_sparse_weight_that_is_varied_to_zero_keeps_its_error():
    from scipy import sparse

    first = cn.Layer(sparse.csr_array([[1.0, 0.0], [0.5, 2.0]]), activation=cn.SmoothedReLU(h=0.01))
    net = cn.Network([first, cn.Layer([[1.0, 1.0]])])
    vary = [{"w1_1_0": [0.0, 1.0]}, *cn.lognormal(0.1, draws=2)]
    assert_close(
        cn.scan(net, vary, x=[1, 1], at=[1e4]).outputs.values[:, :, 0],
        cn.scan(net, vary, x=[1, 1]).outputs.values,
        1e-7,
    )


def test_inputs_of_samples_stand_in_the_result():
    x = np.array([[0.0, 1.0], [1.0, 1.0]])
    ds = cn.scan(XOR, {"h": [1e-3]}, x=x)
    assert ds.x0.dims == ("sample",)
    assert ds.x1.values.tolist() == [1.0, 1.0]


def test_h_of_each_layer_by_row_and_by_name():
    rows = [[1e-3, 1e-2], [1e-1, 1e-4]]
    by_row = cn.scan(XOR, {"h": rows}, x=[1, 0])
    by_name = cn.scan(XOR, cn.paired({"h1": [1e-3, 1e-1], "h2": [1e-2, 1e-4]}), x=[1, 0])
    np.testing.assert_array_equal(by_row.outputs.values, by_name.outputs.values)
    assert by_row.h2.values.tolist() == [1e-2, 1e-4]
    for found, h in zip(by_row.outputs.values, rows, strict=True):
        assert_close(found, XOR.with_h(h)([1, 0]))


@pytest.mark.parametrize("case", SMALL, ids=lambda case: case.name)
def test_errors_of_rate_constants_are_those_of_the_kinetics(case):
    """The engine, with every rate constant off, against Newton's method on the layers' own
    equations.
    """
    axes = cn.lognormal([0.0, 0.3], draws=3, seed=5)
    ds = cn.scan(case.net, axes, x=case.x)
    assert ds.outputs.dims[:3] == ("cv", "draw", "sample")
    kinetics = NetworkKinetics(case.net)
    drawn = NetworkParameters(kinetics, axes)
    for cv in (0.0, 0.3):
        for draw in range(3):
            factors = [drawn.factors(number, draw, cv) for number in range(len(case.net.layers))]
            expected = perturbed_outputs(kinetics, case.net.input_coding.check(case.x), factors)
            assert_close(ds.outputs.sel(cv=cv, draw=draw).values, expected, 1e-8)


def test_errors_have_the_spread_that_is_stated():
    drawn = NetworkParameters(NetworkKinetics(XOR), cn.lognormal(0.3, draws=400))
    logs = np.log([values_of(drawn.factors(0, draw, 0.3).weights) for draw in range(400)])
    assert stats.kstest(logs.ravel() / spread(0.3), "norm").pvalue > 1e-3
    assert abs(np.expm1(spread(0.3) ** 2) - 0.3**2) < 1e-12


def test_a_common_factor_changes_speed_alone():
    steady = cn.scan(XOR, {"rates": [0.5, 1.0, 2.0]}, x=[1, 0]).outputs.values
    assert_close(steady, np.broadcast_to(steady[1], steady.shape), 1e-11)
    course = cn.scan(XOR, {"rates": [1.0, 2.0]}, x=[1, 0], at=[1.0, 2.0, 4.0]).outputs
    assert_close(
        course.sel(rates=2.0).isel(time=[0, 1]).values,
        course.sel(rates=1.0).isel(time=[1, 2]).values,
        1e-7,
    )


@pytest.mark.parametrize("case", SMALL, ids=lambda case: case.name)
def test_fuel_drives_the_reactions_that_make_molecules(case):
    """Steady states by units against the ends of time courses of a flat model with split rate
    constants.
    """
    try:
        steady = cn.scan(case.net, {"fuel": [0.8, 1.0, 1.3]}, x=case.x[0]).outputs
    except cn.InputError as error:
        assert "reactions of both kinds" in str(error) or "'fuel' has no one meaning" in str(error)  # noqa: PT017
        return
    assert_close(steady.sel(fuel=1.0).values, case.net(case.x[0]), 1e-8)
    ends = cn.scan(case.net, {"fuel": [0.8, 1.3]}, x=case.x[0], at=[1e5]).outputs
    assert_close(ends.isel(time=0).values, steady.sel(fuel=[0.8, 1.3]).values, 1e-6)


def test_fuel_of_one_neuron_is_worked_out_by_hand():
    net = cn.Network([cn.Layer([[2.0, -1.0]], [0.3], cn.SmoothedReLU(h=0.04))])
    ds = cn.scan(net, {"fuel": [0.5, 2.0]}, x=[1.0, 0.7])
    for f in (0.5, 2.0):
        z, h = f * (2.0 + 0.3) - 0.7, f * 0.04
        assert_close(ds.outputs.sel(fuel=f).values, [(z + np.sqrt(z * z + 4 * h)) / 2])


def test_another_rate_constant_of_a_layer():
    ds = cn.scan(XOR, {"q1": [0.5, 2.0]}, x=[1, 0])
    kinetics = NetworkKinetics(XOR)
    for q in (0.5, 2.0):
        own = [layer.constants for layer in kinetics.layers]
        first = RateConstants(own[0].weights, own[0].bias, own[0].local * np.array([1.0, q]))
        expected = kinetics.outputs(kinetics.settle(np.array([[1.0, 0.0]]), [first, own[1]]))[0]
        assert_close(ds.outputs.sel(q1=q).values, expected)


@pytest.mark.parametrize("case", SMALL, ids=lambda case: case.name)
def test_time_courses_are_those_of_the_simulator(case):
    times = [0.0, 0.5, 3.0]
    species = cn.Simulator(case.net).species
    ds = cn.scan(
        case.net, {species[0]: [0.0, 2.0]}, x=case.x[0], at=times, outputs=["outputs", "species"]
    )
    assert ds.outputs.dims == (species[0], "time", "output")
    for start in (0.0, 2.0):
        course = cn.Simulator(case.net).time_course(
            case.x[0], t_end=3.0, n_points=7, initial={species[0]: start}
        )
        at = np.searchsorted(course.time, times)
        assert_close(
            ds.concentrations.sel({species[0]: start}).values, course.concentrations[at], 1e-7
        )
        assert_close(ds.outputs.sel({species[0]: start}).values, course.outputs[at], 1e-7)


def test_time_courses_of_other_weights_and_of_wrong_rate_constants():
    vary = [{"w1_0_0": [-1.0, 0.0, 2.0], "q2": [0.5, 1.0]}, *cn.lognormal(0.2, draws=2)]
    steady = cn.scan(XOR, vary, x=[1, 0]).outputs
    end = cn.scan(XOR, vary, x=[1, 0], at=[1e4]).outputs.isel(time=0)
    assert_close(end.values, steady.values, 1e-7)


def test_starts_of_all_species_and_of_one():
    ds = cn.scan(XOR, {"initial": [0.0, 5.0], "Y1_0": [1.0]}, x=[1, 0], at=[0.0], outputs="species")
    species = ds.species.values.tolist()
    for initial in (0.0, 5.0):
        expected = [1.0 if name == "Y1_0" else initial for name in species]
        assert ds.concentrations.sel(initial=initial).values.ravel().tolist() == expected


def test_inputs_that_are_varied_replace_those_of_a_batch():
    x = np.array([[0.0, 1.0], [1.0, 1.0], [0.3, 0.2]])
    ds = cn.scan(XOR, {"x0": [0.0, 0.5]}, x=x)
    for x0 in (0.0, 0.5):
        assert_close(ds.outputs.sel(x0=x0).values, XOR(np.column_stack([np.full(3, x0), x[:, 1]])))


def test_samples_are_spread_as_they_should_be():
    for make in (cn.latin_hypercube, cn.sobol):
        axis = make({"h": (1e-4, 1, "log"), "x0": (0, 2), "x1": stats.beta(2, 5)}, 64, seed=3)
        unit = np.log10(axis.values["h"]) / 4 + 1
        assert sorted((unit * 64).astype(int)) == list(range(64))  # one in each of 64 parts
        assert sorted((axis.values["x0"] * 32).astype(int)) == list(range(64))
        assert stats.kstest(axis.values["x1"], stats.beta(2, 5).cdf).pvalue > 0.5
        again = make({"h": (1e-4, 1, "log"), "x0": (0, 2), "x1": stats.beta(2, 5)}, 64, seed=3)
        assert all(np.array_equal(axis.values[name], again.values[name]) for name in axis.values)
    ds = cn.scan(XOR, cn.sobol({"h": (1e-3, 1, "log"), "x0": (0, 1), "x1": (0, 1)}, 16))
    for i in range(16):
        point = ds.isel(point=i)
        assert_close(
            point.outputs.values, XOR.with_h(float(point.h))([float(point.x0), float(point.x1)])
        )


# What is kept
# ---------------------------------------------------------------------------------------


def test_what_is_kept_of_samples_with_targets():
    x, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float), np.array([0, 1, 1, 0])
    kept = ["outputs", "class", "loss", "accuracy", "gradient_norm", "settling_time", "Y1_0"]
    ds = cn.scan(XOR, {"h": [1e-3, 0.3]}, x=x, y=y, outputs=kept, tolerance=0.01)
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
    ds = cn.scan(XOR, vary, x=x, y=y, outputs=["gradient_norm", "settling_time"], bound="cheap")
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


# Any other model
# --------------------------------------------------------------------------------------

REVERSIBLE = (
    "model m() A -> B; k1*A; B -> A; k2*B; k1 = 1; k2 = 2; A = 10; B = 0; total := A + B; end"
)
SWITCH = """model switch()
  => X; a + b*X^4/(K^4 + X^4); X => ; d*X; a = 0.1; b = 4; K = 1.5; d = 1; X = 0
end"""


@pytest.mark.parametrize("case", SMALL[:8], ids=lambda case: case.name)
def test_a_networks_reactions_and_text_give_what_it_gives(case):
    crn = cn.to_reactions(case.net, x=case.x[0])
    q = next(name for name in crn.rate_constants if name.startswith("q"))
    vary = {q: [0.7, 1.0]}
    expected = cn.scan(case.net, vary, x=case.x[0]).outputs
    for model in (crn, cn.to_antimony(case.net, x=case.x[0])):
        ds = cn.scan(model, vary)
        for name in case.net.output_names:
            assert_close(ds.outputs.sel(output=name).values, expected.sel(output=name).values, 1e-8)


def test_conserved_amounts_are_kept():
    ds = cn.scan(REVERSIBLE, {"k1": [1.0, 4.0], "A": [1.0, 10.0]}, outputs=["outputs", "species"])
    assert ds.output.values.tolist() == ["total"]
    for k1 in (1.0, 4.0):
        for a in (1.0, 10.0):
            found = ds.sel(k1=k1, A=a)
            assert_close(found.concentrations.values, [a * 2 / (k1 + 2), a * k1 / (k1 + 2)], 1e-6)
            assert float(found.outputs[0]) == pytest.approx(a)
    at = cn.scan(REVERSIBLE, {"A": [1.0, 10.0]}, at=[0.5], outputs={"final": "A"})
    for a in (1.0, 10.0):
        assert float(at.final.sel(A=a)[0]) == pytest.approx(a / 3 * (2 + np.exp(-1.5)), rel=1e-7)


def test_of_several_steady_states_the_one_that_the_start_leads_to():
    ds = cn.scan(SWITCH, {"X": [0.0, 1.0, 3.0]}, outputs={"end": "X"})
    low, _, high = ds.end.values
    assert low < 0.2
    assert high > 3.5
    for x in ds.end.values:
        assert abs(0.1 + 4 * x**4 / (1.5**4 + x**4) - x) < 1e-9


def test_errors_and_factors_of_any_reaction_network():
    crn = cn.to_reactions(XOR, x=[1, 0])
    ds = cn.scan(crn, [*cn.lognormal([0.0, 0.2], draws=2), {"rates": [1.0, 3.0]}])
    assert_close(ds.outputs.sel(cv=0.0).values, np.broadcast_to(XOR([1, 0]), (2, 2, 1)), 1e-8)
    assert_close(ds.outputs.sel(rates=1.0).values, ds.outputs.sel(rates=3.0).values, 1e-8)
    assert len(np.unique(ds.outputs.sel(cv=0.2, rates=1.0))) == 2


def test_a_model_that_never_settles_says_so():
    text = "model m() => X; 1; X = 0; end"
    ds = cn.scan(text, {"X": [0.0, 1.0]}, outputs={"end": "X"})
    assert np.isnan(ds.end.values).all()
    assert all("rates have not vanished" in text for text in ds.status.values)


SLOW = "model m() => A; k; A -> ; k*A; A = 5; k = 1; end"


def test_slow_models_settle_where_they_should():
    ds = cn.scan(SLOW, {"k": [1.0, 1e-3, 1e-8]}, outputs={"end": "A"})
    np.testing.assert_allclose(ds.end.values, 1.0, rtol=1e-6)
    ds = cn.scan(
        "model m() A -> ; k*A; A = 1; k = 1; end", {"k": [1.0, 1e-3]}, outputs={"end": "A"}
    )
    np.testing.assert_allclose(ds.end.values, 0.0, atol=1e-9)
    ds = cn.scan(REVERSIBLE, {"k1": [1e-6], "k2": [2e-6]}, outputs=["A", "B"])
    np.testing.assert_allclose(
        [ds.A.values.item(), ds.B.values.item()], [20 / 3, 10 / 3], rtol=1e-6
    )
    ds = cn.scan(cn.to_reactions(XOR, x=[1, 0]), {"rates": [1.0, 1e-6]})
    assert_close(ds.outputs.values[1], ds.outputs.values[0], 1e-7)


def test_points_of_a_model_with_rules_events_and_a_vessel_do_not_mind_those_before():
    text = "model m() p' = -p; p = 1; => A; p*k; A => ; A; A = 0; k = 1; end"
    ds = cn.scan(text, {"k": [1.0, 1.0, 1.0]}, at=[1.0], outputs={"a": "A", "rate": "p"})
    np.testing.assert_allclose(ds.a.values[:, 0], np.exp(-1), rtol=1e-7)
    np.testing.assert_allclose(ds.rate.values[:, 0], np.exp(-1), rtol=1e-7)
    text = "model m() => A; g; A => ; A; A = 0; g = 1; E: at (time > 0.5): g = 10; t := time; end"
    ds = cn.scan(text, {"A": [0.0, 0.0]}, at=[0.0, 0.2, 1.0], outputs={"now": "g", "clock": "t"})
    assert ds.now.values.tolist() == [[1.0, 1.0, 10.0]] * 2
    np.testing.assert_allclose(ds.clock.values, [[0.0, 0.2, 1.0]] * 2)
    vessel = "model m() compartment C = 2; species A in C; A = 4; A -> ; k*A; k = 1; end"
    ds = cn.scan(vessel, {"k": [1.0]}, at=[0.0, 1.0], outputs={"a": "A"})
    np.testing.assert_allclose(ds.a.values[0], [4.0, 4 * np.exp(-0.5)], rtol=1e-7)
    for model, message in (
        (
            "model m() p' = -p; p = 1; => A; p; A => ; A; A = 0; k = 1; end",
            "a rate rule .of 'p'.*give times in at=",
        ),
        (
            "model m() => A; k; A => ; A; k = 1; E: at (time > 1): k = 2; end",
            "events.*give times in at=",
        ),
        (
            "model m() species A; A := 2*k; k = 1; => B; A; B => ; B; end",
            "species 'A' is set by a rule",
        ),
    ):
        with pytest.raises(cn.InputError, match=message):
            cn.scan(model, {"k": [1.0]})


def test_boundary_species_of_models_are_varied_kept_and_given_to_functions():
    text = "model m() => A; $X; A => ; A; X = 2; A = 0; end"
    ds = cn.scan(
        text, {"X": [1.0, 3.0]}, outputs={"a": "A", "x": "X", "ratio": lambda v: v["A"] / v["X"]}
    )
    np.testing.assert_allclose(ds.a.values, [1.0, 3.0], rtol=1e-9)
    assert ds.x.values.tolist() == [1.0, 3.0]
    np.testing.assert_allclose(ds.ratio.values, 1.0, rtol=1e-9)


# Failures
# -------------------------------------------------------------------------------------------


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
    ds = cn.scan(net, {"h1": [0.1, 0.2]}, x=[0.5], outputs="settling_time", bound="cheap")
    assert np.isnan(ds.settling_time.values).all()
    assert all(text.startswith("no settling time: ") for text in ds.status.values)


@pytest.mark.parametrize(
    ("vary", "options", "message"),
    [
        ({}, {}, "nothing to vary"),
        ({"x9": [1]}, {}, r"no 'x9'.*near it: x1, x0"),
        ({"w1_0": [1]}, {}, "near it: w1_"),
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
        ({"x0": [1]}, {"outputs": "z"}, "no 'z'; expected one of outputs"),
        ({"x0": [1]}, {"outputs": []}, "one thing to keep"),
        ({"x0": [1]}, {"outputs": [lambda r: 0]}, "give {'name': function}"),
        ({"x0": [1]}, {"outputs": {"bad": lambda r: "text"}}, "returns a number"),
        ({"x0": [1]}, {"outputs": "loss"}, "needs targets"),
        ({"x0": [1]}, {"outputs": "accuracy", "x": [[0, 1]], "y": ["no"]}, "network's classes"),
        ({"rates": [1]}, {"outputs": "settling_time"}, "no network has them"),
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
        (REVERSIBLE, {"rates": [1]}, {}, "need a Network or a ReactionNetwork"),
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
    from crn_nn_tellurium.scans import network_scan

    whole = network_scan.gradient

    def some(net, x, *rest):
        if x[0, 0] == 0.5:
            raise cn.ConvergenceError("made to")
        return whole(net, x, *rest)

    monkeypatch.setattr(network_scan, "gradient", some)
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


# The result
# -------------------------------------------------------------------------------------------


def test_the_result_says_how_it_came_about():
    ds = cn.scan(XOR, {"h": [1e-3], "x0": [0, 1]}, x=[0.5, 1])
    assert "XOR" in ds.attrs["model"] or "xor" in ds.attrs["model"]
    assert ds.attrs["inputs"] == "x1 = 1.0"
    assert f"crn_nn_tellurium {cn.__version__}" in ds.attrs["versions"]
    assert "libroadrunner" in ds.attrs["versions"]
    assert ds.h.attrs["units"] == ds.outputs.attrs["units"] == "model units"
    other = cn.scan(changed(XOR, b2_0=0.0), {"h": [1e-3], "x0": [0, 1]}, x=[0.5, 1])
    assert other.attrs["model_hash"] != ds.attrs["model_hash"]


def test_the_key_is_that_of_all_that_matters():
    from crn_nn_tellurium.scans.arguments import make_plan

    base = {"vary": {"h": [1e-3, 1e-2]}, "x": [0, 1]}
    others = [
        {"vary": {"h": [1e-3, 2e-2]}},
        {"vary": {"h1": [1e-3, 1e-2]}},
        {"x": [0, 0.5]},
        {"at": 1.0},
        {"outputs": "class"},
        {"outputs": {"f": lambda r: 1.0}},
        {"outputs": {"f": lambda r: 2.0}},
        {"outputs": "settling_time", "tolerance": 0.1},
        {"outputs": "settling_time"},
        {"model": XOR.with_h(0.5)},
    ]

    def of(factor, power=2):
        return lambda result: factor * result.outputs[0, 0] ** power

    others += [
        {"outputs": {"f": f}}
        for f in (of(1.0), of(2.0), of(1.0, 3), partial(np.float64, 3), partial(np.float64, 4))
    ]

    class Mine(cn.SmoothedReLU):
        def concentrations(self, z):
            return super().concentrations(z)

    kept = Mine.concentrations
    nets = [cn.Network([cn.Layer([[1.0, 1.0]], activation=Mine(h=0.1))])]
    first = make_plan(nets[0], {"x0": [0.0]}).key
    Mine.concentrations = lambda self, z: 1.0 * kept(self, z)
    assert make_plan(nets[0], {"x0": [0.0]}).key != first
    keys = [make_plan(**{"model": XOR, **base, **other}).key for other in [{}, *others]]
    assert len(set(keys)) == len(keys)
    assert make_plan(XOR, **base).key == keys[0]
    assert make_plan(cn.Simulator(XOR), **base).key == keys[0]


def test_a_grid_is_cut_by_its_shape_alone():
    for shape, limit, whole in (
        ((3, 5, 7), 10, ()),
        ((100, 100), 2048, ()),
        ((4, 6), 3, (1,)),
        ((1,), 5, ()),
    ):
        found = boxes(shape, limit, whole)
        seen = np.zeros(shape, dtype=int)
        for box in found:
            seen[box.slices] += 1
            assert np.prod(box.shape) <= max(limit, np.prod([shape[d] for d in whole], dtype=int))
            assert all(box.shape[d] == shape[d] for d in whole)
        assert np.all(seen == 1)


def test_what_does_not_change_is_not_solved_again(monkeypatch):
    """Layers above which nothing changes are solved once, over chunks too."""
    from crn_nn_tellurium.simulation.layer_solver import LayerSolver

    solved = []
    settle = LayerSolver.settle

    def spy(self, catalysts, *rest):
        solved.append((self.chemistry.index, len(catalysts)))
        return settle(self, catalysts, *rest)

    monkeypatch.setattr(LayerSolver, "settle", spy)
    net = cn.Network.random([2, 3, 3, 1], seed=0)
    ds = cn.scan(net, {"x0": np.linspace(0, 1, 40), "w3_0_0": np.linspace(-1, 1, 200)})
    by_layer = {layer: sum(n for index, n in solved if index == layer) for layer in (1, 2, 3)}
    assert by_layer == {1: 40, 2: 40, 3: 8000}
    assert_close(
        ds.outputs.values[7, 9], changed(net, w3_0_0=ds.w3_0_0.values[9])([ds.x0.values[7], 0])
    )


def test_the_sparse_and_the_dense_network_agree(rng):
    from scipy import sparse

    dense = cn.Network.random([4, 3, 2], seed=1)
    first = np.where(rng.random((3, 4)) < 0.6, dense.layers[0].weights, 0.0)
    dense = dataclasses.replace(
        dense, layers=(dataclasses.replace(dense.layers[0], weights=first), dense.layers[1])
    )
    thin = dataclasses.replace(dense.layers[0], weights=sparse.csr_array(first))
    net = dataclasses.replace(dense, layers=(thin, dense.layers[1]))
    j, i = (int(k) for k in np.argwhere(first)[2])
    vary = [{f"w1_{j}_{i}": [-1.0, 0.5], "h": [1e-3, 0.1]}, {"rates": [2.0]}]
    x = rng.uniform(0, 1, (3, 4))
    assert_close(cn.scan(net, vary, x=x).outputs.values, cn.scan(dense, vary, x=x).outputs.values)
