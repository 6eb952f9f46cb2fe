"""Every number that can be varied, against networks made by hand and other solvers."""

import numpy as np
import pytest
from scipy import stats
from support.networks import cases
from support.scans import CORPUS, SMALL, XOR, assert_close, changed
from support.tolerances import ROUNDED

import crn_nn_tellurium as cn
from crn_nn_tellurium.kinetics.network import NetworkKinetics
from crn_nn_tellurium.kinetics.rate_constants import RateConstants
from crn_nn_tellurium.kinetics.rate_errors import (
    RateErrors,
    layer_factors,
    perturbed_outputs,
    spread,
)
from crn_nn_tellurium.networks.layer import values_of
from crn_nn_tellurium.networks.parameter_vector import parameters


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
    ds = cn.scan(case.net, {"speed": [1.0]}, x=case.x, outputs=["outputs", "species"])
    steady = cn.Simulator(case.net).steady_state(case.x)
    assert ds.outputs.dims == ("speed", "sample", "output")
    np.testing.assert_array_equal(ds.outputs.values[0], steady.outputs)
    np.testing.assert_array_equal(ds.concentrations.values[0], steady.concentrations)


@pytest.mark.parametrize("case", cases(SMALL))
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


@pytest.mark.parametrize("case", cases(SMALL))
def test_errors_of_rate_constants_are_those_of_the_kinetics(case):
    """The engine, with every rate constant off, against Newton's method on the layers' own
    equations.
    """
    axes = cn.lognormal([0.0, 0.3], draws=3, seed=5)
    ds = cn.scan(case.net, axes, x=case.x)
    assert ds.outputs.dims[:3] == ("cv", "draw", "sample")
    kinetics, drawn = NetworkKinetics(case.net), RateErrors(cv=0.3, draws=3, seed=5)
    for cv in (0.0, 0.3):
        for draw in range(3):
            factors = drawn.factors(kinetics, cv, draw)
            expected = perturbed_outputs(kinetics, case.net.input_coding.check(case.x), factors)
            assert_close(ds.outputs.sel(cv=cv, draw=draw).values, expected, 1e-8)


def test_errors_have_the_spread_that_is_stated():
    first = NetworkKinetics(XOR).layers[0]
    logs = np.log([values_of(layer_factors(first, 0.3, draw, 0).weights) for draw in range(400)])
    assert stats.kstest(logs.ravel() / spread(0.3), "norm").pvalue > 1e-3
    assert abs(np.expm1(spread(0.3) ** 2) - 0.3**2) < ROUNDED


def test_a_common_factor_changes_speed_alone():
    steady = cn.scan(XOR, {"speed": [0.5, 1.0, 2.0]}, x=[1, 0]).outputs.values
    assert_close(steady, np.broadcast_to(steady[1], steady.shape), 1e-11)
    course = cn.scan(XOR, {"speed": [1.0, 2.0]}, x=[1, 0], at=[1.0, 2.0, 4.0]).outputs
    assert_close(
        course.sel(speed=2.0).isel(time=[0, 1]).values,
        course.sel(speed=1.0).isel(time=[1, 2]).values,
        1e-7,
    )


@pytest.mark.parametrize("case", cases(SMALL))
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


@pytest.mark.parametrize("case", cases(SMALL))
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


def test_steady_states_are_those_from_any_start():
    ds = cn.scan(XOR, {"initial": [0.0, 5.0], "Y1_0": [0.0, 3.0]}, x=[1, 0])
    assert_close(ds.outputs.values, np.broadcast_to(XOR([1.0, 0.0]), (2, 2, 1)))
