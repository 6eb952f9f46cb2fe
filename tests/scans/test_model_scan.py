"""Scans of any other model: reaction networks, Antimony, rules, events and vessels."""

import numpy as np
import pytest
from support.scans import REVERSIBLE, SMALL, XOR, assert_close
from support.tolerances import IN_TIME, INTEGRATED, ROUNDED, SOLVED

import crn_nn_tellurium as cn

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
        assert float(at.final.sel(A=a)[0]) == pytest.approx(a / 3 * (2 + np.exp(-1.5)), rel=IN_TIME)


INHIBITOR = """model inhibitor()
  P + Q -> PQ; .06*P*Q; PQ -> P + Q; 3e-4*PQ
  R + Q -> RQ; 1e-5*R*Q; RQ -> R + Q; .1*RQ
  P = 25; R = 1800; Q = 150
end"""
# text, what ends where: fast rates (that of 5 was NaN), 1/t and t^(-1/2), enzymes, a vessel of 4
CONSERVED = {
    "fast": ("A -> B; k*A; B -> A; k*B; A = 10; k = 5", {"A": 5.0, "B": 5.0}),
    "pair": ("A + B -> C; k*A*B; A = 1; B = 1; C = 0; k = 1", {"C": 1.0, "A": 0.0}),
    "dimer": ("2 A -> B; k*A^2; A = 1; B = 0; k = 1", {"A": 0.0, "B": 0.5}),
    "trimer": ("3 A -> B; k*A^3; A = 1; B = 0; k = 1", {"A": 0.0, "B": 1 / 3}),
    "enzyme": (
        "E + S -> ES; k*E*S; ES -> E + S; ES; ES -> E + P; 3*ES; E = 1e-3; S = 2; P = 0; k = 50",
        {"P": 2.0, "E": 1e-3, "S": 0.0, "ES": 0.0},
    ),
    "half": ("A -> 0.5 B; k*A; B -> 2 A; k*B; A = 3; k = 5", {"A": 1.5, "B": 0.75}),
    "vessel": (
        "compartment v = 4; species A in v, B in v; A -> B; v*k*A; B -> A; 3*v*k*B; A = 8; k = 2",
        {"A": 6.0, "B": 2.0},
    ),
    "no mass action": ("A -> B; 8*A/(1 + A); B -> A; k*B; A = 6; k = 2", {"A": 3.0, "B": 3.0}),
}


@pytest.mark.parametrize("case", CONSERVED)
def test_what_conserves_something_comes_to_rest(case):
    """Exact but for Newton's method, 1e-12, whatever the power of time that it goes with."""
    text, expected = CONSERVED[case]
    ds = cn.scan(f"model m() {text}; end", {"k": [float(text.split("k = ")[1])]}, outputs="species")
    for name, value in expected.items():
        found = float(ds.concentrations.sel(species=name)[0])
        assert found == pytest.approx(value, rel=ROUNDED, abs=ROUNDED), name


def test_two_targets_of_one_inhibitor():
    for model in (INHIBITOR, cn.import_antimony(INHIBITOR)):
        ds = cn.scan(model, {"Q": [150.0]}, outputs="species")
        # half of the last digit that is known
        assert float(ds.concentrations.sel(species="Q")[0]) == pytest.approx(106.10312903, abs=5e-9)


def test_what_oscillates_says_so():
    text = "=> X; 1; 2 X + Y => 3 X; X^2*Y; X => Y; 3*X; X => ; X; X = 1; Y = 1"
    for model in (f"model m() {text}; end", cn.import_antimony(f"model m() {text}; end")):
        ds = cn.scan(model, {"X": [1.0]}, outputs=["Y"], on_error="nan")
        assert "it oscillates without dying down" in ds.status.values[0]


def test_of_several_steady_states_the_one_that_the_start_leads_to():
    ds = cn.scan(SWITCH, {"X": [0.0, 1.0, 3.0]}, outputs={"end": "X"})
    low, _, high = ds.end.values
    assert low < 0.2
    assert high > 3.5
    for x in ds.end.values:
        assert abs(0.1 + 4 * x**4 / (1.5**4 + x**4) - x) < SOLVED


def test_errors_and_factors_of_any_reaction_network():
    crn = cn.to_reactions(XOR, x=[1, 0])
    ds = cn.scan(crn, [*cn.lognormal([0.0, 0.2], draws=2), {"speed": [1.0, 3.0]}])
    assert_close(ds.outputs.sel(cv=0.0).values, np.broadcast_to(XOR([1, 0]), (2, 2, 1)), 1e-8)
    assert_close(ds.outputs.sel(speed=1.0).values, ds.outputs.sel(speed=3.0).values, 1e-8)
    assert len(np.unique(ds.outputs.sel(cv=0.2, speed=1.0))) == 2


def test_errors_of_reactions_are_those_of_their_network():
    """Draw by draw, though reactions have no constant for a weight or a bias of zero."""
    layers = [cn.Layer([[1.5, 0.0], [-1.0, 2.0]], [0.0, 0.3], cn.Tanh(h=0.1))]
    for net in (XOR, cn.Network([*layers, cn.Layer([[1.0, -1.0]], activation=cn.Linear(h=0.1))])):
        errors = cn.lognormal([0.1, 0.3], draws=3, seed=5)
        expected = cn.scan(net, errors, x=[1, 0]).outputs
        found = cn.scan(cn.to_reactions(net, x=[1, 0]), errors).outputs
        assert_close(found.sel(output=list(net.output_names)).values, expected.values, 1e-7)
        assert len(np.unique(expected.values)) == 6


def test_a_model_that_never_settles_says_so():
    text = "model m() => X; 1; X = 0; end"
    ds = cn.scan(text, {"X": [0.0, 1.0]}, outputs={"end": "X"})
    assert np.isnan(ds.end.values).all()
    assert all("a species grows on" in text for text in ds.status.values)


SLOW = "model m() => A; k; A -> ; k*A; A = 5; k = 1; end"


def test_slow_models_settle_where_they_should():
    ds = cn.scan(SLOW, {"k": [1.0, 1e-3, 1e-8]}, outputs={"end": "A"})
    np.testing.assert_allclose(ds.end.values, 1.0, rtol=SOLVED)
    ds = cn.scan(
        "model m() A -> ; k*A; A = 1; k = 1; end", {"k": [1.0, 1e-3]}, outputs={"end": "A"}
    )
    np.testing.assert_allclose(ds.end.values, 0.0, atol=SOLVED)
    ds = cn.scan(REVERSIBLE, {"k1": [1e-6], "k2": [2e-6]}, outputs=["A", "B"])
    np.testing.assert_allclose(
        [ds.A.values.item(), ds.B.values.item()], [20 / 3, 10 / 3], rtol=SOLVED
    )
    ds = cn.scan(cn.to_reactions(XOR, x=[1, 0]), {"speed": [1.0, 1e-6]})
    assert_close(ds.outputs.values[1], ds.outputs.values[0], 1e-7)


def test_points_of_a_model_with_rules_events_and_a_vessel_do_not_mind_those_before():
    text = "model m() p' = -p; p = 1; => A; p*k; A => ; A; A = 0; k = 1; end"
    ds = cn.scan(text, {"k": [1.0, 1.0, 1.0]}, at=[1.0], outputs={"a": "A", "rate": "p"})
    np.testing.assert_allclose(ds.a.values[:, 0], np.exp(-1), rtol=IN_TIME)
    np.testing.assert_allclose(ds.rate.values[:, 0], np.exp(-1), rtol=IN_TIME)
    text = "model m() => A; g; A => ; A; A = 0; g = 1; E: at (time > 0.5): g = 10; t := time; end"
    ds = cn.scan(text, {"A": [0.0, 0.0]}, at=[0.0, 0.2, 1.0], outputs={"now": "g", "clock": "t"})
    assert ds.now.values.tolist() == [[1.0, 1.0, 10.0]] * 2
    np.testing.assert_allclose(ds.clock.values, [[0.0, 0.2, 1.0]] * 2)
    vessel = "model m() compartment C = 2; species A in C; A = 4; A -> ; k*A; k = 1; end"
    ds = cn.scan(vessel, {"k": [1.0]}, at=[0.0, 1.0], outputs={"a": "A"})
    np.testing.assert_allclose(ds.a.values[0], [4.0, 4 * np.exp(-0.5)], rtol=IN_TIME)


def test_boundary_species_of_models_are_varied_kept_and_given_to_functions():
    text = "model m() => A; $X; A => ; A; X = 2; A = 0; end"
    ds = cn.scan(
        text, {"X": [1.0, 3.0]}, outputs={"a": "A", "x": "X", "ratio": lambda v: v["A"] / v["X"]}
    )
    np.testing.assert_allclose(ds.a.values, [1.0, 3.0], rtol=SOLVED)
    assert ds.x.values.tolist() == [1.0, 3.0]
    np.testing.assert_allclose(ds.ratio.values, 1.0, rtol=SOLVED)


def test_starts_and_fuel_of_a_reaction_network():
    """A' = f h - d A, from any start; a start of its own goes before that of all."""
    crn = cn.import_antimony("-> A; h; A -> ; d*A; -> B; h; B -> ; B; h = 1; d = 0.5; B = 3")
    ds = cn.scan(
        crn, {"initial": [1.0, 3.0], "B": [2.0]}, at=[0.0, 0.5], outputs={"a": "A", "b": "B"}
    )
    starts = np.array([1.0, 3.0])
    expected = np.stack([starts, 2 + (starts - 2) * np.exp(-0.25)], axis=-1)
    np.testing.assert_allclose(ds.a.values[:, 0], expected, rtol=INTEGRATED)
    assert ds.b.values[:, 0, 0].tolist() == [2.0, 2.0]
    steady = cn.scan(crn, {"fuel": [0.5, 1.0, 4.0]}, outputs={"a": "A"})
    np.testing.assert_allclose(steady.a, [1.0, 2.0, 8.0], rtol=SOLVED)
