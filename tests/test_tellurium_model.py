"""The model in a notebook user's hands."""

import copy
import importlib.util
import os
import pickle
import tempfile
import time
import warnings
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import roadrunner
import tellurium as te
from support import networks
from support.tolerances import IN_TIME, INTEGRATED, ROUNDED, SOLVED
from tellurium.roadrunner.extended_roadrunner import ExtendedRoadRunner

import crn_nn_tellurium as cn

FORMS = ["reactions", "compact", "numbers"]
KINDS = [{}, {"inputs": "signed"}, {"inputs": "scaled", "input_range": (-3.0, 3.0)}]


def network(**options):
    return cn.Network.random(
        [2, 3, 2], cn.LeakyReLU(0.1, h=1e-3), seed=2, output=cn.Normalized(h=0.01), **options
    )


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("options", KINDS, ids=str)
def test_steady_state_follows_the_inputs(form, options):
    net = network(**options)
    r = cn.to_roadrunner(net, [1.0, 1.0], form)
    for x in ([1.0, 1.0], [2.0, 0.5], [0.0, 0.0], [2.5, 1.0]):
        r["x0"], r.x1 = x
        assert (r["x0"], r.x1) == pytest.approx(tuple(x))
        r.steadyState()
        np.testing.assert_allclose([r["y0"], r.y1], net(x), rtol=SOLVED)
        np.testing.assert_allclose(r.getSteadyStateValues(), net(x), rtol=SOLVED)
        assert np.all(r.getFloatingSpeciesConcentrations() > 0)


def test_it_is_telluriums_own_and_simulates_and_plots():
    te.setDefaultPlottingEngine("matplotlib")
    net = cn.load_model("xor")
    r = cn.to_roadrunner(net, [0, 1])
    assert isinstance(r, ExtendedRoadRunner)
    result = r.simulate(0, 400, 101)
    assert result.colnames == ["time", "[Y1_0]", "[Y1_1]", "[Yp2_0]", "[Yn2_0]", "y0"]
    assert result[-1, -1] == pytest.approx(net([0, 1])[0], abs=IN_TIME)
    r.plot(show=False)


def test_the_negative_root_of_a_plain_model_is_not_ours():
    """As measured: x0 = 2 after a first solve takes a plain model's solver to y < 0."""
    net = cn.Network([cn.Layer([[1.0]], activation=cn.SmoothedReLU(h=0.002))])
    text = cn.to_antimony(net, x=[0.0])
    plain, ours = te.loada(text), cn.to_roadrunner(net)
    ends = []
    for r in (plain, ours):
        r["x0"] = 0.001
        r.steadyState()
        r["x0"] = 2.0
        r.steadyState()
        ends.append(r["Y1_0"])
    assert ends[0] < 0 < ends[1]
    # roadrunner's nleq2 is told 1e-13, of a scale with an absolute part
    assert ends[1] == pytest.approx(net([2.0])[0], rel=1e-10)


@pytest.mark.parametrize("start", [0.0, 1e-12, 0.5, 1.0, 1e6])
def test_from_every_start(start):
    net = cn.Network([cn.Layer([[1.0]], activation=cn.SmoothedReLU(h=0.01))])
    r = cn.to_roadrunner(net, [1.0])
    r["Y1_0"] = start
    r.steadyState()
    # roadrunner's nleq2 is told 1e-13, of a scale with an absolute part
    assert r["Y1_0"] == pytest.approx(net([1.0])[0], rel=1e-10)


def test_changed_rate_constants_are_heeded():
    net = cn.Network([cn.Layer([[1.0]], [0.5], cn.SmoothedReLU(h=0.01))])
    r = cn.to_roadrunner(net, [1.0])
    r["h1"], r.k1_0_0, r["q1"] = 0.5, 3.0, 2.0
    r.steadyState()
    y = r["Y1_0"]
    # the same, of terms about 1
    assert 0.5 + 3.5 * y - 2 * y * y == pytest.approx(0, abs=1e-10)
    compact = cn.to_roadrunner(net, [1.0], "compact")
    compact["u1_0_0"] = -2.0  # a sign may change there
    compact.steadyState()
    assert compact["Y1_0"] == pytest.approx(float(cn.SmoothedReLU(h=0.01)(-1.5)), rel=SOLVED)


@pytest.mark.parametrize(
    ("form", "given", "meant"),
    [
        ("reactions", "w1_0_0", "'k1_0_0': k = |gain w c|"),
        ("reactions", "b1_0", "'kb1_0': kb = |gain (b + w . r) + shift|"),
        ("reactions", "u1_0_0", "'k1_0_0': k = |gain w c|"),
        ("compact", "w1_0_0", "'u1_0_0': u = gain w c, |u| = k"),
        ("compact", "k1_0_0", "'u1_0_0': u = gain w c, |u| = k"),
    ],
)
def test_where_one_name_is_given_and_another_meant_the_error_has_the_other(form, given, meant):
    r = cn.to_roadrunner(cn.load_model("xor"), [1.0, 1.0], form)
    for use in (
        lambda: r[given],
        lambda: r.setValue(given, 1.0),
        lambda: setattr(r, given, 1.0),
        lambda: r.getuCC("y0", given),
    ):
        with pytest.raises(cn.InputError) as error:
            use()
        assert meant in str(error.value)


def test_a_compact_models_constants_have_the_weights_signs():
    """Also where the first rail falls as the number grows: the sign is the number's."""
    net = cn.Network([cn.Layer([[2.0, -3.0]], [-0.5], networks.ACTIVATIONS["Bump"](h=0.1))])
    assert net.layers[0].activation.rails[0].sign == -1
    r = cn.to_roadrunner(net, [1.0, 1.0], "compact")
    assert [r["u1_0_0"], r["u1_0_1"], r["ub1_0"]] == [2.0, -3.0, -0.5]
    r["u1_0_0"] = 4.0
    r.steadyState()
    assert r["y0"] == pytest.approx(float(net.layers[0].activation(0.5)), rel=SOLVED)


def test_no_steady_state_is_an_error_that_leaves_the_model_as_it_was():
    net = cn.Network([cn.Layer([[1.0]], activation=cn.SmoothedReLU(h=0.01))])
    r = cn.to_roadrunner(net, [1.0])
    r["q1"] = 0.0  # nothing holds the growth
    r["Y1_0"] = 0.25
    with pytest.raises(cn.ConvergenceError, match="are all rate constants and inputs as intended"):
        r.steadyState()
    assert r["Y1_0"] == 0.25


def test_time_and_simulation_data_stay():
    r = cn.to_roadrunner(cn.load_model("xor"), [0, 1])
    before = r.simulate(0, 5, 11).copy()
    r.steadyState()
    assert r.model.getTime() == 5
    np.testing.assert_array_equal(r.getSimulationData(), before)


def test_inputs_that_cannot_be_are_refused():
    with pytest.raises(cn.InputError, match="a concentration is not negative"):
        cn.to_roadrunner(network())["x0"] = -1.0
    with pytest.raises(cn.InputError, match="its range starts at"):
        cn.to_roadrunner(network(**KINDS[2])).x0 = -5.0
    for name in ("[x0]", "[x0_p]"):
        with pytest.raises(cn.InputError, match="a concentration is not negative"):
            cn.to_roadrunner(network(**({} if name == "[x0]" else KINDS[1])))[name] = -1.0
    for form in ("stochastic", "Reactions"):
        with pytest.raises(cn.InputError, match="expected one of 'reactions'"):
            cn.to_roadrunner(network(), form=form)
    with pytest.raises(cn.NetworkError, match="'xor' is a shipped network"):
        cn.to_roadrunner("xor")


def test_reset_takes_start_values_for_the_inputs_as_they_are():
    net = cn.Network([cn.Layer([[2.0]])])
    r = cn.to_roadrunner(net)
    r["x0"] = 3.0
    r.reset()
    assert r["Y1_0"] == pytest.approx(6.1)
    assert r["x0"] == 3.0


def test_a_start_value_of_the_users_own_is_kept():
    r = cn.to_roadrunner(cn.Network([cn.Layer([[2.0], [1.0]])]))
    r["init(Y1_0)"] = 5.0
    r["x0"] = 1.0
    r.reset()
    assert (r["Y1_0"], r["Y1_1"]) == pytest.approx((5.0, 1.1))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda r: pickle.loads(pickle.dumps(r))]
)
def test_copies_have_the_same_state(form, again):
    net = network(**KINDS[1])
    r = cn.to_roadrunner(net, [0.5, -1.0], form)
    r["h1"], r["Yp1_0"] = 0.002, 0.75
    other = again(r)
    assert repr(other) == repr(r)
    assert [other[name] for name in ("x0", "x1", "h1", "[Yp1_0]")] == [0.5, -1.0, 0.002, 0.75]
    other["x0"] = -2.0
    for runner in (r, other):
        runner["h1"] = 1e-3
        runner.steadyState()
    np.testing.assert_allclose(
        [other["y0"], r["y0"]], [net([-2.0, -1.0])[0], net([0.5, -1.0])[0]], rtol=SOLVED
    )


def test_roadrunners_own_analyses_run():
    net = cn.load_model("xor")
    r = cn.to_roadrunner(net, [1, 0])
    r.steadyState()
    jacobian = cn.to_reactions(net, [1, 0]).jacobian(r.getFloatingSpeciesConcentrations()).toarray()
    # roadrunner's Jacobian is by differences
    np.testing.assert_allclose(r.getFullJacobian(), jacobian, atol=1e-5)
    assert np.all(np.real(r.getFullEigenValues()) < 0)


@pytest.mark.parametrize("solver", ["nleq1", "newton", "newton_linesearch"])
def test_steady_state_does_not_depend_on_the_users_solvers(solver):
    net = cn.load_model("xor")
    r = cn.to_roadrunner(net, [1, 0])
    r.setSteadyStateSolver(solver)
    r.getIntegrator().setValue("maximum_num_steps", 5)
    r.steadyState()
    assert r["y0"] == pytest.approx(net([1, 0])[0], rel=SOLVED)
    assert r.getSteadyStateSolver().getName() == solver
    assert r.getIntegrator().getValue("maximum_num_steps") == 5


def test_names_are_completed_and_set_together():
    r = cn.to_roadrunner(network(**KINDS[1]))
    te.loada("Q = 1; S = 2; J: S => ; Q*S")
    assert {"x0", "y0", "Yp1_0", "h1"} <= set(dir(r))
    r.setValues({"x0": -1.0, "h1": 0.5})
    r.setValues(["x1"], [-2.0])
    assert (r["x0"], r["x1"], r["h1"]) == (-1.0, -2.0, 0.5)


def test_attributes_survive_other_models():
    """roadrunner keeps attributes on its class, for the model that loaded last."""
    plain = te.loada("Q = 1; S = 2; J: S => ; Q*S")
    r = cn.to_roadrunner(cn.load_model("xor"))
    cn.Simulator(cn.load_model("moons")).steady_state([0.5, 0.5])
    r.Y1_0 = 7.0
    plain.Q = 5.0
    assert (r["Y1_0"], plain["Q"]) == (7.0, 5.0)
    assert r.Jh1_0_Y == pytest.approx(0.001)


def test_printed_it_says_what_it_is():
    r = cn.to_roadrunner(cn.load_model("xor"))
    assert str(r) == repr(r)
    assert "20 reactions" in str(r)


def test_steady_state_is_fast():
    """At least 30 times faster than roadrunner's own, which recompiles, on the same model."""
    net = cn.Network.random([6, 6, 3], seed=0)
    plain, ours = te.loada(cn.to_antimony(net, x=np.ones(6))), cn.to_roadrunner(net, np.ones(6))
    seconds = []
    for r in (ours, plain):
        start = time.perf_counter()
        r.steadyState()
        seconds.append(time.perf_counter() - start)
    assert seconds[1] > 30 * seconds[0]


def test_roadrunner_logs_as_before():
    level = roadrunner.Logger.getLevel()
    cn.Simulator(cn.load_model("xor")).steady_state([0, 1], initial=1e-6)
    assert roadrunner.Logger.getLevel() == level


@pytest.mark.parametrize("form", ["reactions", "compact"])
def test_control_coefficients_are_exact_and_at_the_right_root(form):
    net = cn.load_model("xor")
    r = cn.to_roadrunner(net, [0.3, 1.0], form)
    r["[Y1_0]"] = 1e-6  # from where roadrunner's own solver goes to a negative root
    weight = "u1_0_0" if form == "compact" else "k1_0_0"
    r[weight] = 1.5 * r[weight]
    found = {k: r.getuCC("y0", k) for k in (weight, "h1", "x1", "q2")}
    assert min(r.model.getFloatingSpeciesConcentrations()) > 0

    def settled():
        r.steadyState()
        return r["y0"]

    for k, value in found.items():
        old = r[k]
        r[k] = old * (1 + 1e-5)
        above = settled()
        r[k] = old * (1 - 1e-5)
        below = settled()
        r[k] = old
        # central differences of steady states to 1e-10 with a step of 1e-5: 1e-5 relative
        assert np.isclose(value, (above - below) / (2e-5 * old), rtol=1e-4, atol=1e-6), k
    assert np.isclose(r.getCC("y0", "h1"), r.getuCC("y0", "h1") * r["h1"] / r["y0"])


@pytest.mark.parametrize("name", ["xor", pytest.param("iris", marks=pytest.mark.slow)])
def test_telluriums_control_analysis_runs_on_the_written_model(name):
    """With formulas for start values (initial assignments), each of these is a std::exception."""
    net = cn.load_model(name)
    x = np.full(net.n_in, 0.5) if net.input_range is None else np.mean(net.input_range, axis=0)
    r = te.loada(cn.to_antimony(net, x))
    r.conservedMoietyAnalysis = False
    r.steadyState()
    crn = cn.to_reactions(net, x)
    names = r.getFloatingSpeciesIds()
    state = dict(zip(names, r.getFloatingSpeciesConcentrations(), strict=True))
    order = [names.index(species) for species in crn.floating]
    exact = crn.jacobian([state[species] for species in crn.floating]).toarray()
    found = np.array(r.getFullJacobian())[np.ix_(order, order)]
    # roadrunner takes differences, which of rates of second order leave rounding only
    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-10 * np.abs(exact).max())
    values = np.sort_complex(np.linalg.eigvals(exact))
    scale = np.abs(values).max()
    theirs = np.sort_complex(np.array(r.getFullEigenValues()))
    # eigenvalues that lie together move by more than the entries
    np.testing.assert_allclose(theirs, values, rtol=0, atol=1e-9 * scale)
    assert np.isfinite(np.array(r.getUnscaledElasticityMatrix())).all()
    assert np.isfinite(np.array(r.getScaledConcentrationControlCoefficientMatrix())).all()


def test_in_physical_units_all_runners_agree():
    net, units = cn.load_model("xor"), cn.PhysicalUnits(c0=10, tau=100)
    course = cn.Simulator(net).time_course([0, 1], t_end=20, n_points=21)
    in_tube = course.in_units(units)
    # the same start as the simulator's, whose formulas are at these inputs
    text = cn.to_antimony(net, [0, 1], units=units, starts="formulas")
    for r in (te.loada(text), cn.to_roadrunner(net, [0, 1], units=units)):
        r.getIntegrator().relative_tolerance, r.getIntegrator().absolute_tolerance = 1e-10, 1e-13
        selections = ["time", *(f"[{name}]" for name in course.species), *course.output_names]
        found = np.array(r.simulate(0, 2000, 21, selections))
        expected = np.column_stack(
            [units.time(course.time), units.concentration(course.concentrations), in_tube.outputs]
        )
        np.testing.assert_allclose(found, expected, rtol=INTEGRATED, atol=INTEGRATED)
    steady = cn.Simulator(net).steady_state([0, 1])
    r.steadyState()
    np.testing.assert_allclose(r["y0"], steady.in_units(units).outputs[0], rtol=SOLVED)
    r["x0"] = 10.0  # nM, a value of 1
    r.steadyState()
    np.testing.assert_allclose(r["y0"], units.concentration(net([1, 1])), rtol=SOLVED)
    np.testing.assert_allclose(pickle.loads(pickle.dumps(r))["x0"], 10.0)
    with pytest.raises(cn.InputError, match="already; expected model units"):
        in_tube.in_units(cn.PhysicalUnits(1, 1))
    assert in_tube.in_units(units) is in_tube


def test_solvers_that_would_be_wrong_are_refused_in_words():
    """gillespie gave -0.89 molecules and hung; rk45 1,000 times too much; euler 1e271."""
    r = cn.to_roadrunner(cn.load_model("xor"), [0, 1])
    with pytest.raises(cn.InputError, match=r"Simulator\(model\).time_course\(.*volume=100"):
        r.gillespie(0, 1, 11)
    for name in ("gillespie", "rk45", "rk4", "euler"):
        for use in (
            lambda name=name: r.setIntegrator(name),
            lambda name=name: setattr(r, "integrator", name),
            lambda name=name: r.setIntegratorSetting(name, "variable_step_size", False),
        ):
            with pytest.raises(cn.InputError, match=f"integrator '{name}'"):
                use()
    r.setIntegrator("cvode")
    assert r.getIntegrator().getName() == r.integrator.getName() == "cvode"


def test_whatever_is_asked_at_a_steady_state_is_asked_at_the_positive_one():
    """Closed form for h + x y - y^2 = 0: dy/dh = 1 / (2 y - x); roadrunner's own were at y < 0."""
    net = cn.Network([cn.Layer([[1.0]], activation=cn.SmoothedReLU(h=0.002))])
    y = float(net([2.0])[0])
    scaled = 0.002 / (y * (2 * y - 2))

    def at_two():
        r = cn.to_roadrunner(net)
        r["x0"] = 0.001
        r.steadyState()
        r["x0"] = 2.0
        return r

    for name in ("steadyStateNamedArray", "getSteadyStateValuesNamedArray"):
        assert float(getattr(at_two(), name)()[0, 0]) == pytest.approx(y, rel=SOLVED)
    r = at_two()
    r.mcaSteadyState()
    assert r["Y1_0"] == pytest.approx(y, rel=SOLVED)
    # control of Y by its first reaction, 0 -> Y, whose rate is h
    name = "ConcentrationControlCoefficientMatrix"
    assert float(getattr(at_two(), f"getScaled{name}")()[0, 0]) == pytest.approx(scaled, rel=SOLVED)
    unscaled = getattr(at_two(), f"getUnscaled{name}")()
    assert float(unscaled[0, 0]) == pytest.approx(1 / (2 * y - 2), rel=SOLVED)
    # q y^2 = h + 2 y at rest, so d ln flux_q / d ln h = 2 h dy/dh / y
    for size in ("Scaled", "Unscaled"):
        fluxes = getattr(at_two(), f"get{size}FluxControlCoefficientMatrix")()
        factor = 1.0 if size == "Scaled" else y * y / 0.002
        assert float(fluxes[2, 0]) == pytest.approx(2 * scaled * factor, rel=SOLVED)


REVERSIBLE = """model m() $X + A -> $X + B; k*A*X; B -> A; r*B
  A = 10; B = 0; X = 1; k = 5; r = 5; total := A + B; twice := 2*B
end"""


@pytest.mark.parametrize("form", FORMS)
def test_any_reaction_network_in_tellurium(form):
    """A = s r / (r + k X), s the sum of A and B: values, derivatives and copies."""
    crn = cn.import_antimony(REVERSIBLE)
    r = cn.to_roadrunner(crn, form=form)
    r.steadyState()
    assert (r["A"], r["B"]) == (pytest.approx(5.0, rel=ROUNDED), pytest.approx(5.0, rel=ROUNDED))
    r["X"] = 3.0
    r.steadyState()
    assert r["A"] == pytest.approx(2.5, rel=ROUNDED)
    np.testing.assert_allclose(r.getSteadyStateValues(), [10.0, 15.0], rtol=ROUNDED)
    # dA/dX = -s r k / (r + k X)^2
    assert r.getuCC("A", "X") == pytest.approx(-10 * 5 * 5 / 20**2, rel=ROUNDED)
    assert r.getCC("twice", "X") == pytest.approx(2 * 0.625 * 3 / 15, rel=ROUNDED)
    r["A"] = 12.5  # the sum is what the state has, not what the text began with
    r.steadyState()
    assert r["A"] == pytest.approx(5.0, rel=ROUNDED)
    for other in (copy.copy(r), pickle.loads(pickle.dumps(r))):
        assert (other["A"], other["X"]) == (r["A"], 3.0)
    assert r.simulate(0, 1, 3).colnames == ["time", "[A]", "[B]", "total", "twice"]
    r.reset()
    assert (r["A"], r["X"]) == (10.0, 3.0)
    assert "m'" in repr(r)


def test_what_a_reaction_network_conserves_is_kept_and_unrest_is_said():
    crn = cn.import_antimony("model m() A + B -> C; k*A*B; A = 1; B = 1; C = 0; k = 1; end")
    r = cn.to_roadrunner(crn)
    r.steadyState()
    assert r["C"] == pytest.approx(1.0, rel=ROUNDED)
    assert r["A"] == r["B"] == pytest.approx(0.0, abs=ROUNDED)
    grows = cn.to_roadrunner(cn.import_antimony("model m() => A; k; A = 1; k = 1; end"))
    with pytest.raises(cn.ConvergenceError, match="a species grows on, to"):
        grows.steadyState()
    assert grows["A"] == 1.0


OTHER_NAMES = {
    "getValue": ("reactions", lambda r: r.getValue("w1_0_0"), "here there is 'k1_0_0'"),
    "simulate": (
        "reactions",
        lambda r: r.simulate(0, 1, 2, ["time", "w1_0_0"]),
        "here there is 'k1_0_0'",
    ),
    "signed": ("compact", lambda r: r.getValue("k1_0_0"), "here there is 'u1_0_0'"),
    "a number": ("numbers", lambda r: r["k1_0_0"], "form 'numbers' has it as a number"),
    "a number set": (
        "numbers",
        lambda r: r.setValue("k1_0_0", 1.0),
        "form 'numbers' has it as a number",
    ),
    "no reaction": (
        "reactions",
        lambda r: r.getuCC("J1", "k1_0_0"),
        "getuCC of 'J1': no variable of this model",
    ),
    "no variable": (
        "reactions",
        lambda r: r.getuCC("nope", "k1_0_0"),
        "no variable of this model; expected an output or a species: Y1_0",
    ),
    "no parameter": (
        "reactions",
        lambda r: r.getuCC("y0", "nothing"),
        "getuCC by 'nothing': no parameter of this model; expected a rate constant or a boundary"
        " species: h1, h2, k1_0_0",
    ),
    "a species that reactions change": (
        "compact",
        lambda r: r.getuCC("y0", "[Y1_0]"),
        r"getuCC by '\[Y1_0\]': no parameter of this model",
    ),
}


@pytest.mark.parametrize(("form", "call", "message"), OTHER_NAMES.values(), ids=OTHER_NAMES)
def test_names_that_the_model_does_not_have_are_refused_with_those_that_it_has(form, call, message):
    r = cn.to_roadrunner(cn.load_model("xor"), [1, 1], form)
    with pytest.raises(cn.InputError, match=message):
        call(r)


def test_a_form_in_the_place_of_inputs_is_refused():
    net = cn.load_model("xor")
    for call in (cn.to_roadrunner, cn.to_antimony):
        with pytest.raises(cn.InputError, match=r"the form comes third: form='compact'"):
            call(net, "compact")
    with pytest.raises(cn.InputError, match="a layer's model takes no input values"):
        cn.layer_models(net, [0, 1])


def test_what_follows_cannot_be_set_and_no_other_model_loaded():
    """The one was roadrunner's RuntimeError, the other a KeyError at the next steady state."""
    crn = cn.import_antimony("-> A; D*(Ain - A); Ain = 2; D = 1")
    ((name, _),) = crn.formulas
    r = cn.to_roadrunner(crn)
    for setting in (lambda: r.setValue(name, 9), lambda: setattr(r, name, 9)):
        with pytest.raises(cn.InputError, match=r"follows from D\*Ain; set what it reads"):
            setting()
    with pytest.raises(cn.InputError, match=r"holds one model; to_roadrunner\(other\)"):
        r.load(r.getSBML())
    r["D"], r["Ain"] = 3, 5
    r.steadyState()
    assert r["[A]"] == pytest.approx(5.0, rel=ROUNDED)


def test_cvode_writes_nothing_to_standard_error(capfd):
    """A -> 2 A grows until it fails, which is the answer."""
    grows = cn.import_antimony("A -> 2 A; k*A; A = 1; k = 1")
    with pytest.raises(cn.ConvergenceError, match="a species grows on, to"):
        cn.Simulator(grows).steady_state()
    assert capfd.readouterr().err == ""


X = [0.3, 1.0]


def scanned(r):
    """What te.ParameterScan draws: Y1_0 over time, from several starts."""
    scan = te.ParameterScan(
        r, startValue=0.1, endValue=1, numberOfPoints=5, polyNumber=3, endTime=5, value="Y1_0"
    )
    scan.selection = ["Y1_0"]
    return [scan.collect_plotGraduatedArray_result(), now(r)]


def drawn(r):
    """The layout of r.draw as text, and its warnings; without pygraphviz, that of no Graphviz."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if importlib.util.find_spec("pygraphviz"):
            # tellurium asks whether there is a `dot`; pygraphviz brings what draws
            Path(folder, "dot").touch(0o755)
        with mock.patch.dict(os.environ, PATH=folder):
            r.draw(savefig=f"{folder}/net.plain")
        layout = "".join(path.read_text() for path in Path(folder).glob("*.plain"))
    assert layout.count("node") > 20 or "Graphviz is not installed" in str(caught[0].message)
    return [layout, *(str(warning.message) for warning in caught)]


CALLS = {
    "simulate": lambda r: r.simulate(0, 5, 11),
    "selections": lambda r: r.simulate(0, 5, 11, ["time", "Y1_0", "Jh1_0_Y", "y0"]),
    "times": lambda r: r.simulate(times=[0, 0.5, 4]),
    "reset": lambda r: (r.simulate(0, 5, 2), r.reset(), now(r))[-1],
    "resetAll": lambda r: (r.setValue("h1", 0.5), r.resetAll(), now(r))[-1],
    "resetToOrigin": lambda r: (r.setValue("h1", 0.5), r.resetToOrigin(), now(r))[-1],
    "init": lambda r: (r.setValue("init([Y1_0])", 0.5), r.reset(), now(r))[-1],
    "steady selections": lambda r: (r.steadyState(), [r[name] for name in r.steadyStateSelections]),
    "conserved moieties": lambda r: (
        setattr(r, "conservedMoietyAnalysis", True),
        r.steadyState(),
        now(r),
        setattr(r, "conservedMoietyAnalysis", False),
        r.reset(),
        r.simulate(0, 5, 3),
    ),
    "an event": lambda r: (
        r.addEvent("E", True, "time > 1", False),
        r.addEventAssignment("E", "h1", "0.5", True),
        r.simulate(0, 5, 11),
    ),
    "odes": te.getODEsFromModel,
    "plot": lambda r: (r.simulate(0, 5, 3), r.plot(show=False), r.getSimulationData())[-1],
    "draw": drawn,
    "scan": scanned,
    "SBML": lambda r: r.getSBML(),
    "SBML now": lambda r: (r.setValue("h1", 0.5), r.getCurrentSBML())[-1],
    "Antimony": lambda r: r.getAntimony(),
    "Antimony now": lambda r: (r.setValue("h1", 0.5), r.getCurrentAntimony())[-1],
    "rates": lambda r: [r.getReactionRates(), r.getRatesOfChange(), r.dv(), r.rv(), r.sv()],
    "ids": lambda r: [r.fs(), r.bs(), r.ps(), r.rs(), r.vs(), r.keys(), r.getReactionIds()],
    "matrices": lambda r: [r.sm(), r.getReducedStoichiometryMatrix(), r.getLinkMatrix()],
    "elasticities": lambda r: (r.steadyState(), r.getScaledElasticityMatrix(), r.fjac()),
    "eigenvalues": lambda r: (r.steadyState(), np.sort(np.real(r.getFullEigenValues()))),
    "one step": lambda r: (r.setValue("h1", 0.5), r.oneStep(0.0, 1.0), now(r))[1:],
    "solver": lambda r: (r.setIntegratorSetting("cvode", "relative_tolerance", 1e-4), settings(r)),
    "settings": lambda r: settings(r),
}
"""Calls of tellurium's and roadrunner's, on a model of theirs and on ours."""


def now(r):
    """What the model holds."""
    names = (*r.getFloatingSpeciesIds(), *r.getBoundarySpeciesIds(), *r.getGlobalParameterIds())
    return [(name, r[name]) for name in sorted(names)]


def settings(r):
    """Of both solvers."""
    solvers = r.getIntegrator(), r.getSteadyStateSolver()
    return [(name, solver.getValue(name)) for solver in solvers for name in solver.getSettings()]


def flattened(answer):
    """Numbers, and all else, of an answer."""
    if isinstance(answer, list | tuple):
        parts = [flattened(part) for part in answer]
        return [x for part in parts for x in part[0]], [x for part in parts for x in part[1]]
    if isinstance(answer, float | np.ndarray):
        return np.ravel(np.asarray(answer)).tolist(), list(getattr(answer, "colnames", ()))
    return [], [answer]


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_telluriums_calls_give_what_they_give_on_its_own_model(call):
    net = cn.load_model("xor")
    ours, plain = cn.to_roadrunner(net, X), te.loada(cn.to_antimony(net, X))
    plain.conservedMoietyAnalysis = False  # which sets selections
    plain.timeCourseSelections = ours.timeCourseSelections
    plain.steadyStateSelections = ours.steadyStateSelections
    (numbers, others), (expected, expected_others) = flattened(call(ours)), flattened(call(plain))
    assert others == expected_others
    # steady states to the solver's 1e-9, and differences of them
    np.testing.assert_allclose(numbers, expected, rtol=1e-6, atol=1e-7)


def test_files_are_written_as_by_tellurium(tmp_path):
    r = cn.to_roadrunner(cn.load_model("xor"), X)
    r["h1"] = 0.5
    r.exportToSBML(str(tmp_path / "a.xml"))
    r.exportToAntimony(str(tmp_path / "a.ant"))
    for again in (te.loadSBMLModel(str(tmp_path / "a.xml")), te.loada(str(tmp_path / "a.ant"))):
        assert again["h1"] == 0.5
        np.testing.assert_allclose(
            again.simulate(0, 5, 3), te.loada(r.getCurrentAntimony()).simulate(0, 5, 3)
        )


@pytest.mark.parametrize("name", ["addReaction", "setKineticLaw", "removeSpecies", "loadStateS"])
def test_calls_that_would_make_another_model_are_refused(name):
    r = cn.to_roadrunner(cn.load_model("xor"), X)
    with pytest.raises(cn.InputError, match=rf"^{name}: this holds one model.*te\.loada"):
        getattr(r, name)("J0", "S1")


def test_a_steady_state_knows_nothing_of_events():
    r = cn.to_roadrunner(cn.load_model("xor"), X)
    r.addEvent("E", True, "time > 1")
    with pytest.raises(cn.InputError, match=r"events act in simulate\(\); removeEvent"):
        r.steadyState()
    r.removeEvent("E")
    r.steadyState()
    assert r["y0"] == pytest.approx(cn.load_model("xor")(X)[0], rel=SOLVED)


def test_what_is_no_name_is_refused_as_by_roadrunner():
    r = cn.to_roadrunner(cn.load_model("xor"), [1, 1])
    with pytest.raises(TypeError):
        r[3]
