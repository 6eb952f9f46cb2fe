"""What notebooks show of every result, and its rows as tables."""

import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from support.tolerances import SOLVED

import crn_nn_tellurium as cn

LARGEST = 20_000
"""Letters of what a notebook shows, however large the network."""


@cache
def xor():
    return cn.load_model("xor")


def corners():
    return np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])


@cache
def window():
    return cn.read_out_window(xor(), corners(), n_points=21)


@cache
def course():
    return cn.Simulator(xor()).time_course(corners(), t_end=20, n_points=21)


def stochastic():
    return cn.Simulator(xor()).time_course(corners()[:2], 5, 6, volume=50, draws=3, seed=0)


def trained():
    _, X, _, y = cn.model_data("xor")
    settings = {"optimizer": cn.LBFGS(max_iter=5), "validation": cn.Validation(0.25)}
    return cn.fit(cn.Network.random([2, 3, 1], seed=0), X, y, **settings)


@cache
def robust():
    _, X, _, y = cn.model_data("xor")
    return cn.robustness(xor(), X, y, cn.RateErrors(cv=[0.05, 0.1], draws=3))


SHOWN = {
    "Network": xor,
    "Network, deep": lambda: cn.Network.random([64, *[50] * 20, 10], seed=0),
    "Network, sparse": lambda: cn.Network.random([30, 40, 2], seed=0, density=0.1),
    "Layer": lambda: cn.Network.random([784, 128], seed=0).layers[0],
    "ReactionNetwork": lambda: cn.to_reactions(cn.load_model("digits")),
    "ReactionNetwork of nothing": lambda: cn.ReactionNetwork([], []),
    "SteadyState": lambda: cn.Simulator(xor()).steady_state(corners()),
    "TimeCourse": course,
    "TimeCourse in nM": lambda: course().sample(0).in_units(cn.PhysicalUnits(10, 100)),
    "TimeCourse of draws": stochastic,
    "TimeCourse of digits": lambda: cn.Simulator(cn.load_model("digits")).time_course(np.ones(64)),
    "Certificate": lambda: cn.certify(xor(), corners(), tolerance=0.01),
    "Certificate, cheap": lambda: cn.certify(xor(), corners(), bound="cheap"),
    "Enclosure": lambda: cn.enclosure(xor(), corners(), rates=0.01),
    "Enclosure of one": lambda: cn.enclosure(xor(), [0.0, 1.0], rates=0.01),
    "HChoice": lambda: cn.choose_h(xor(), corners(), max_error=0.1, n_points=5),
    "Balanced": lambda: cn.balance(xor(), corners()),
    "Balanced without inputs": lambda: cn.balance(xor()),
    "Robustness": robust,
    "Attack": lambda: cn.attack(xor(), corners(), rates=0.05),
    "Attack on an output": lambda: cn.attack(xor(), [0.0, 1.0], output="y0"),
    "Attack on digits": lambda: cn.attack(cn.load_model("digits"), np.ones((2, 64)), restarts=0),
    "StatisticalMargin": lambda: cn.statistical_margin(xor(), corners(), 0.9, draws=50),
    "StatisticalMargin of one": lambda: cn.statistical_margin(xor(), [0, 1], 0.9, draws=50),
    "Noise": lambda: cn.noise(xor(), corners(), volume=100),
    "Noise of one": lambda: cn.noise(xor(), [0, 1], volume=1e4),
    "Noise of reactions": lambda: cn.noise("A -> ; k*A;  -> A; l; k = 1; l = 2", volume=5),
    "SmallestVolume": lambda: cn.smallest_volume(
        xor(), corners(), verify=2, draws=2, units=cn.PhysicalUnits(10, 100)
    ),
    "SmallestVolume of one": lambda: cn.smallest_volume(xor(), [0, 1]),
    "FitResult": trained,
    "Gradient": lambda: cn.gradient(xor(), corners(), [0, 1, 1, 0]),
    "GradientCheck": lambda: cn.check_gradients(
        xor(), [[0, 1]], [[1.0]], methods=["adjoint", "closed_form"]
    ),
    "Sensitivities": lambda: cn.sensitivities(xor(), [0.0, 1.0]),
    "Sensitivities of nothing": lambda: cn.sensitivities(xor(), [0.0, 1.0], outputs=[]),
    "Sensitivities of several": lambda: cn.sensitivities(xor(), corners()),
    "TransientSensitivities": lambda: cn.transient_sensitivities(xor(), [0, 1], 10, 11),
    "ReadOutWindow": window,
    "StrandDisplacement": lambda: window().dna,
    "Parts": lambda: cn.domain_parts(window().dna),
    "Verification": lambda: cn.verify(xor(), corners()),
    "Verification at a time": lambda: cn.verify(xor(), corners(), time=3.0),
}


@pytest.mark.parametrize("name", SHOWN)
def test_what_a_notebook_shows_is_short_well_formed_and_needs_nothing_else(name):
    html = SHOWN[name]()._repr_html_()
    assert len(html) < LARGEST
    found = ElementTree.fromstring(html)
    kinds = {element.tag for element in found.iter()}
    assert kinds <= set("div strong table thead tbody tr th td svg path text rect".split())
    attributes = {name for element in found.iter() for name in element.attrib}
    # no scripts, no addresses; colours are the page's, or lines that differ on white and on black
    assert not {name for name in attributes if name.startswith("on") or "href" in name}
    assert "http" not in html
    assert "color:" not in html


def test_names_are_escaped():
    crn = cn.ReactionNetwork(
        [cn.Species("A", 1.0)], [cn.Reaction("J", ("A",), (), "k", 2.0, "<b>&")]
    )
    assert "&lt;b&gt;&amp;" in crn._repr_html_()
    classes = replace(xor(), class_names=("<b>", "$x^2$"))._repr_html_()
    assert "&lt;b&gt;, $x^2$" in classes
    assert "mathjax_ignore" in classes


def test_a_large_network_is_shown_at_once():
    """Counted, not timed: reactions beyond those that are shown make no rows."""
    crn = cn.to_reactions(cn.load_model("digits"))
    assert "… 2,709 more rows" in crn._repr_html_()
    assert len(crn.to_frame()) == len(crn.reactions) == 2717


def test_reactions_and_species_as_tables():
    crn = cn.to_reactions(xor())
    one = crn.reactions[3]
    row = crn.to_frame().loc[one.id]
    assert (row.equation, row.rate_constant, row.value) == (
        one.equation,
        one.rate_constant,
        one.value,
    )
    species = crn.species_to_frame()
    assert species["start"].to_dict() == {s.id: crn.start_values[s.id] for s in crn.species}
    assert species.index[species["held"]].tolist() == list(crn.boundary)
    roles = window().dna.species_to_frame()["role"]
    assert roles.to_dict() == window().dna.roles


def test_layers_as_tables():
    net = cn.load_model("iris")
    assert net.to_frame()["weights"].sum() == net.n_weights
    layer = net.layers[1]
    np.testing.assert_array_equal(layer.to_frame().drop(columns="bias"), layer.weights)
    np.testing.assert_array_equal(layer.to_frame()["bias"], layer.bias)


def test_a_time_course_as_a_table_and_as_arrays():
    frame, arrays = course().to_frame(), course().to_xarray()
    assert frame.shape == (4 * 21, 1 + 4 + 2)
    np.testing.assert_array_equal(frame.loc[2, "y0"], course().sample(2)["y0"])
    np.testing.assert_array_equal(frame.loc[1, "x1"], np.ones(21))
    np.testing.assert_array_equal(
        arrays["concentrations"].sel(sample=3, species="Y1_0"), course().sample(3)["Y1_0"]
    )
    assert list(course().sample(0).to_frame(["x0", "y0"]).columns) == ["x0", "y0"]
    with pytest.raises(KeyError, match="'z' is not in this result"):
        course().to_frame(["z"])


def test_draws_as_a_table_have_the_inputs_of_their_sample():
    found = stochastic()
    frame = found.to_frame()
    assert list(frame.index.names) == ["sample", "draw", "time"]
    np.testing.assert_array_equal(frame.loc[(1, 2), "y0"], found.outputs[1, 2, :, 0])
    np.testing.assert_array_equal(frame.loc[1, "x1"], np.ones(3 * 6))
    assert found.to_xarray()["inputs"].sel(sample=1, draw=2, time=5.0, input="x1") == 1


def test_steady_states_that_failed_are_shown():
    crn = cn.import_antimony("A -> 2 A; k*A; A = 1; k = 1")  # which grows without end
    steady = cn.Simulator(crn).steady_state(on_error="nan")
    assert "1, of which 1 failed" in steady._repr_html_()
    assert steady.to_frame().loc[0, "status"].startswith("failed: ")
    assert steady.to_xarray()["status"].item() == str(steady.status[0])
    assert "1 failed" in repr(steady)


def test_bounds_as_tables():
    certificate = cn.certify(xor(), corners(), tolerance=0.01)
    assert certificate.to_frame()["settling_time"].max() == certificate.settling_time
    enclosed = cn.enclosure(xor(), corners(), rates=0.01).to_frame()
    assert (enclosed["lower"] <= enclosed["nominal"]).all()
    assert (enclosed["nominal"] <= enclosed["upper"]).all()
    np.testing.assert_allclose(enclosed["nominal"], xor()(corners())[:, 0], rtol=SOLVED)


def test_derivatives_as_tables():
    net = cn.Network.random([3, 4, 2], seed=0, density=0.5)
    found = cn.gradient(net, [[1, 0, 2]], [[1, 0]], steady_state="closed_form")
    frame = found.to_frame()
    where = np.argwhere(net.layers[0].weights.toarray())[0]
    by_place = found.weights[0].toarray()[tuple(where)]
    assert frame.loc[f"w1_{where[0]}_{where[1]}", "derivative"] == by_place
    assert frame.loc["b2_1", "derivative"] == found.biases[1][1]
    assert frame.loc["h1", "derivative"] == found.h[0]
    differences = cn.gradient(xor(), corners(), [0, 1, 1, 0], method="finite_difference")
    assert differences.to_frame().loc["h2", "error"] == differences.error.h[1]
    several = cn.sensitivities(xor(), corners(), parameters=["h1", "x0"])
    one = several.to_xarray()["sensitivities"].sel(sample=2, output="y0", parameter="x0")
    assert one == several["y0", "x0"][2]
    over_time = cn.transient_sensitivities(xor(), [0, 1], 10, 11, parameters=["h1", "w1_0_1"])
    np.testing.assert_array_equal(over_time.to_frame()["y0", "w1_0_1"], over_time["y0", "w1_0_1"])
    assert over_time.to_xarray()["outputs"].dims == ("time", "output")


def test_robustness_and_windows_as_tables():
    found = robust()
    assert found.to_frame().loc[0.1, "mean"] == found.noisy[1].mean()
    assert found.to_xarray()["without"].sel(reaction=found.reactions[5].id) == found.without[5]
    frame = window().to_frame()
    np.testing.assert_array_equal(frame["settled_s"], window().settled)
    assert window().to_xarray()["ideal"].dims == ("sample", "time", "output")


def test_choices_as_tables():
    choice = cn.choose_h(xor(), corners(), max_error=0.1, y=[0, 1, 1, 0], n_points=5)
    np.testing.assert_array_equal(choice.to_frame()["accuracy"], choice.curve.accuracy)
    balanced = cn.balance(xor(), corners(), max_rate_constant=100.0)
    frame = balanced.to_frame()
    assert frame["factor"].to_dict() == dict(balanced.factors)
    assert frame["speed_after"].min() == balanced.after.rate
