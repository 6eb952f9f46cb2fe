"""The engine's answers: three methods, any start, wrong roots, batches, time courses, caching."""

import pickle
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import roadrunner
from scipy.integrate import solve_ivp
from support.compiling import compilations
from support.failures import fail_to_solve
from support.networks import ACTIVATIONS, cases, corpus
from support.tolerances import DIFFERENCED, INTEGRATED, ROUNDED, SOLVED

import crn_nn_tellurium as cn
from crn_nn_tellurium.networks.smoothing import smoothed_relu
from crn_nn_tellurium.simulation import settle
from crn_nn_tellurium.simulation.engine import CompiledModel, _quiet, clear_cache

CORPUS = corpus()
ALLOWED = 1e-9


def scale(net, outputs):
    """What differences are measured by: |b| + sqrt(h)."""
    return np.abs(outputs) + np.sqrt(net.h[-1])


@pytest.mark.parametrize("case", cases(CORPUS))
def test_three_methods_and_the_closed_form_agree(case):
    expected = case.net(case.x)
    simulator = cn.Simulator(case.net)
    for method, status in (
        ("units", {"solved"}),
        ("flat", {"solved", "solved after integration"}),
        ("integrate", {"integrated"}),
    ):
        steady = simulator.steady_state(case.x, method=method)
        assert np.all(np.abs(steady.outputs - expected) <= ALLOWED * scale(case.net, expected)), (
            method
        )
        assert np.all(steady.concentrations > 0)
        assert set(steady.status) <= status
        assert np.all(steady.residual < SOLVED)
        assert steady.method == method


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(300))
def test_three_methods_agree_on_random_networks(seed):
    rng = np.random.default_rng(seed)
    sizes = [int(n) for n in rng.integers(1, 12, rng.integers(2, 8))]
    kinds = list(ACTIVATIONS.values())
    h = 10 ** rng.uniform(-6, 0)
    options = ({}, {"inputs": "signed"}, {"inputs": "scaled", "input_range": (-2, 2)})[seed % 3]
    net = cn.Network.random(
        sizes, kinds[seed % len(kinds)](h=h), seed, output=kinds[seed // 3 % len(kinds)](h=h),
        density=(1.0, 0.5)[seed % 2], **options,
    )  # fmt: skip
    x = rng.uniform(0 if seed % 3 == 0 else -2, 2, (5, sizes[0]))
    expected = net(x)
    for method in ("units", "flat", "integrate"):
        steady = cn.Simulator(net).steady_state(x, method=method)
        assert np.all(np.abs(steady.outputs - expected) <= ALLOWED * scale(net, expected)), method


@pytest.mark.parametrize("method", ["units", "flat", "integrate"])
@pytest.mark.parametrize("start", [None, 0.0, 1e-12, 0.1, 1e6])
def test_every_start_ends_at_the_positive_root(method, start, rng):
    """Pre-activations to +-1e6, h from 1e-10 to 1e2; from below the other root is nearer."""
    for z, h in zip(
        rng.choice([-1, 1], 40) * 10 ** rng.uniform(-6, 6, 40),
        10 ** rng.uniform(-10, 2, 40),
        strict=True,
    ):
        net = cn.Network([cn.Layer([[np.sign(z)]], activation=cn.SmoothedReLU(h=h))])
        steady = cn.Simulator(net).steady_state([abs(z)], initial=start, method=method)
        expected = smoothed_relu(z, h)
        assert steady.concentrations[0, 0] > 0
        assert abs(steady.outputs[0, 0] - expected) <= ALLOWED * (expected + np.sqrt(h))


def test_the_trap_is_real_and_reported():
    """roadrunner's solver alone, started from below, finds the negative root, without a word."""
    net = cn.Network([cn.Layer([[5.0]], activation=cn.SmoothedReLU(h=0.01))])
    model = CompiledModel(cn.to_antimony(net))
    found, converged = model.solve_each(
        np.array([[1.0]]), np.array([[1.0]]), model.parameter_index([]), np.empty((1, 0))
    )
    assert converged[0]
    assert found[0, 0] < 0
    steady = cn.Simulator(net).steady_state([1.0], initial=1.0)
    assert steady.status == ("solved after integration",)
    assert steady.outputs[0, 0] == pytest.approx(float(net([1.0])[0]), rel=ROUNDED)


def test_start_values_are_not_the_answer(monkeypatch):
    """The solver starts from the stated upper bound, never from the closed form."""
    starts = []
    solve = CompiledModel._solve

    def spy(self, boundary, start):
        starts.append(start.copy())
        return solve(self, boundary, start)

    monkeypatch.setattr(CompiledModel, "_solve", spy)
    net = cn.Network([cn.Layer([[2.0], [-2.0]], [0.5, 0.1], cn.SmoothedReLU(h=0.04))])
    # one sample's units are checked in Python's numbers, those of many as arrays
    for n in (1, 8):
        starts.clear()
        cn.Simulator(net).steady_state(np.full((n, 1), 1.5))
        np.testing.assert_allclose(starts[0][:2], [3.5 + 0.2, 0.2])


# Failures -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["roadrunner", "rate_equations"])
def test_a_run_that_fails_says_what_to_try_before_the_engines_own_words(engine):
    net = cn.Network.random([2, 3, 1], seed=0, output=cn.Linear(h=0.1))
    simulator = cn.Simulator(net, engine)
    what = (
        r"CVODE failed between t = 0 and 10.*; smaller inputs, .* may help, .* \([^:]*[Ee]rror.*\)$"
    )
    with pytest.raises(cn.ConvergenceError, match=f"^sample 1: {what}") as caught:
        simulator.time_course([[0, 1], [1e31, 1]], t_end=10, n_points=3)
    assert "rr::" not in str(caught.value)
    status = simulator.steady_state([1e31, 1], method="integrate", on_error="nan").status[0]
    assert "inputs, starts or rate constants may help" in status
    assert status.failed


@pytest.mark.parametrize("method", ["units", "flat", "integrate"])
def test_a_failed_sample_says_so(monkeypatch, method):
    net = cn.Network([cn.Layer([[1.0]])])
    fail_to_solve(monkeypatch, bad=7.0)
    with pytest.raises(
        cn.ConvergenceError,
        match=r"1 of 3 samples have no steady state; sample 1: (layer 'layer1': )?CVODE failed",
    ) as caught:
        cn.Simulator(net).steady_state([[1.0], [7.0], [2.0]], method=method)
    assert caught.value.status[1].failed
    assert pickle.loads(pickle.dumps(caught.value)).status == caught.value.status
    steady = cn.Simulator(net).steady_state([[1.0], [7.0], [2.0]], method=method, on_error="nan")
    assert np.isnan(steady.outputs[:, 0]).tolist() == [False, True, False]
    assert np.isnan(steady.concentrations[1]).all()
    assert np.isnan(steady.residual[1])
    assert steady.failed == 1
    assert "1 failed" in repr(steady)
    np.testing.assert_allclose(steady.outputs[[0, 2]], net([[1.0], [2.0]]))


# Batches and labels -------------------------------------------------------------------------------


@pytest.mark.parametrize("z", [1e160, -1e160])
def test_what_overflows_is_not_accepted(z):
    """The square of the root is no double: nothing can be checked, and nobody is warned in vain."""
    net = cn.Network([cn.Layer([[np.sign(z)]], activation=cn.Linear(h=1e-3))])
    steady = cn.Simulator(net).steady_state([[abs(z)]], on_error="nan")
    assert steady.failed == 1
    assert np.isnan(steady.outputs).all()


@pytest.mark.parametrize(("method", "n"), [("units", 1), ("units", 20), ("flat", 1)])
def test_a_start_whose_square_overflows_is_no_steady_state(method, n):
    """It came back as it was, in doubt, for its gains and losses were both infinite."""
    simulator = cn.Simulator(cn.Network([cn.Layer([[1.0]])]))
    found = simulator.steady_state(np.ones((n, 1)), initial=1e200, method=method, on_error="nan")
    assert found.failed == n
    assert np.isnan(found.outputs).all()


def test_the_log_level_is_the_users():
    """Also where two threads solve, and the one that began first ends first."""
    logger = roadrunner.Logger
    level = logger.getLevel()
    try:
        logger.setLevel(logger.LOG_NOTICE)
        with _quiet:
            _quiet.__enter__()
        assert logger.getLevel() == logger.LOG_FATAL
        _quiet.__exit__()
        assert logger.getLevel() == logger.LOG_NOTICE
    finally:
        logger.setLevel(level)


@pytest.mark.parametrize("units", [1, 2, 3, 8, 9, 40])
def test_few_units_are_checked_as_many_are(units, rng):
    """Up to eight units are checked in Python's numbers, more in arrays: the same species, to the
    tolerance that both work for.
    """
    net = cn.Network.random([2, units], cn.Sigmoid(h=1e-3), seed=1)
    simulator, x = cn.Simulator(net), rng.random((5, 2))
    many = simulator.steady_state(x)
    for i, row in enumerate(x):
        one = simulator.steady_state(row)
        # both are within 1e-12 of the fixed point (`settle.TOLERANCE`)
        np.testing.assert_allclose(one.concentrations[0], many.concentrations[i], rtol=2e-12)
        assert one.residual[0] < ROUNDED
        assert one.status == ("solved",)


def test_batches_are_their_samples(rng):
    net = cn.Network.random(
        [3, 5, 2], cn.Tanh(h=0.1), seed=0, output=cn.Normalized(h=0.1), inputs="signed"
    )
    simulator = cn.Simulator(net)
    x = rng.normal(size=(6, 3))
    together = simulator.steady_state(x)
    for i in range(6):
        # units of all samples are solved side by side, until the last of them is there: the others
        # have a step more or less, of rounding
        alone = simulator.steady_state(x[i]).concentrations[0]
        np.testing.assert_allclose(alone, together.concentrations[i], rtol=ROUNDED)
    assert len(simulator.steady_state(np.empty((0, 3)))) == 0
    assert simulator.steady_state(x[0].tolist()).outputs.shape == (1, 2)


def test_results_are_read_by_name():
    net = cn.Network([cn.Layer([[1.0, 2.0]], [0.5])], output_names=["glow"])
    steady = cn.Simulator(net).steady_state([[0, 1], [1, 1]])
    np.testing.assert_array_equal(steady["glow"], steady.outputs[:, 0])
    np.testing.assert_array_equal(steady["Y1_0"], steady.concentrations[:, 0])
    with pytest.raises(
        KeyError, match="'glue' is not in this result; it has output: glow; species: Y1_0"
    ):
        steady["glue"]


def test_outputs_keep_their_columns_whatever_they_are_called():
    names = ["status", "residual", "y", "y_error"]
    weights = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [2.0, 1.0]])
    steady = cn.Simulator(cn.Network([cn.Layer(weights)], output_names=names)).steady_state([1, 2])
    frame = steady.to_frame()
    np.testing.assert_array_equal(frame[names], steady.outputs)
    np.testing.assert_array_equal(frame["y_error_2"], steady.error[:, 2])
    np.testing.assert_array_equal(frame["residual_2"], steady.residual)
    assert frame["status_2"].tolist() == ["solved"]
    assert f"{steady.outputs[0, 0]:.4g}" in steady._repr_html_()


def test_starts_by_name_and_by_array():
    net = cn.Network([cn.Layer([[1.0]], activation=cn.Linear(h=0.1))])
    simulator = cn.Simulator(net)
    course = simulator.time_course([1.0], initial={"Yn1_0": 0.25})
    assert course.concentrations[0].tolist() == [1 + np.sqrt(0.1), 0.25]
    course = simulator.time_course([1.0], initial=[0.5, 0.75])
    assert course.concentrations[0].tolist() == [0.5, 0.75]


# Never recompiled ---------------------------------------------------------------------------------


def test_changed_values_never_recompile(rng):
    """Other weights, biases, h and inputs, of the other sign too, run on the same models."""

    def net():
        return cn.Network.random(
            [3, 4, 2], cn.Tanh(h=10 ** rng.uniform(-3, 0)), int(rng.integers(1e6)),
            output=cn.Linear(h=10 ** rng.uniform(-3, 0)), inputs="signed",
        )  # fmt: skip

    for method in ("units", "flat"):
        cn.Simulator(net()).steady_state(rng.normal(size=(2, 3)), method=method)
        before = compilations()
        for _ in range(10):
            other, x = net(), rng.normal(size=(2, 3))
            outputs = cn.Simulator(other).steady_state(x, method=method).outputs
            np.testing.assert_allclose(outputs, other(x), rtol=SOLVED, atol=SOLVED)
        assert compilations() == before


def test_compiling_does_not_grow_with_the_width_of_a_layer(rng):
    for width in (8, 80, 160):
        cn.Simulator(cn.Network.random([20, width], seed=0)).steady_state(rng.random(20))
        if width == 8:
            before = compilations()
    assert compilations() == before


@pytest.mark.parametrize("width", [2, 3])
def test_after_compiling_no_number_of_samples_waits(rng, width):
    """One unit or two have a model of their own."""
    net = cn.Network.random([3, width, 1], cn.Tanh(h=0.1), seed=0, inputs="signed")
    clear_cache()
    simulator = cn.Simulator(net).compile()
    before = compilations()
    for samples in (1, 2, 3, 20):
        simulator.steady_state(rng.normal(size=(samples, 3)))
    assert compilations() == before


def test_two_simulators_can_take_turns(rng):
    nets = [cn.Network.random([3, 4, 2], seed=seed) for seed in range(2)]
    simulators = [cn.Simulator(net) for net in nets]
    for _ in range(3):
        for net, simulator in zip(nets, simulators, strict=True):
            x = rng.random(3)
            np.testing.assert_allclose(simulator.steady_state(x).outputs[0], net(x), rtol=SOLVED)


# Time courses -------------------------------------------------------------------------------------


def test_a_neuron_follows_its_exact_solution():
    """(y - y+) / (y - y-) decays as exp(-r t), theory of the Riccati equation."""
    z, h, start = 0.7, 0.05, 3.0
    net = cn.Network([cn.Layer([[1.0]], activation=cn.SmoothedReLU(h=h))])
    course = cn.Simulator(net).time_course([z], t_end=10, n_points=101, initial=start)
    root = np.sqrt(z**2 + 4 * h)
    up, down = (z + root) / 2, (z - root) / 2
    ratio = (start - up) / (start - down) * np.exp(-root * course.time)
    np.testing.assert_allclose(course["y0"], (up - down * ratio) / (1 - ratio), rtol=INTEGRATED)
    assert course.time[0] == 0
    assert course.time[-1] == 10


@pytest.mark.parametrize("case", CORPUS[::6], ids=lambda case: case.name)
def test_scipy_follows_the_same_trajectory(case, rng):
    x = case.x[0]
    crn = cn.to_reactions(case.net, x)
    start = rng.uniform(0, 2, len(crn.floating))
    course = cn.Simulator(case.net).time_course(x, t_end=5, n_points=21, initial=start)
    theirs = solve_ivp(
        lambda t, y: crn.right_hand_side(y),
        (0, 5),
        start,
        "LSODA",
        course.time,
        rtol=1e-9,
        atol=1e-12,
    )
    np.testing.assert_allclose(course.concentrations, theirs.y.T, rtol=DIFFERENCED, atol=INTEGRATED)


def test_default_start_is_the_written_models():
    net = cn.Network.random([3, 4, 2], seed=0)
    course = cn.Simulator(net).time_course([1.0, 0.5, 0.0])
    np.testing.assert_allclose(
        course.concentrations[0], cn.to_reactions(net, [1.0, 0.5, 0.0]).initial_concentrations
    )


def test_inputs_may_change_while_it_runs():
    net = cn.load_model("xor")
    course = cn.Simulator(net).time_course(
        [0, 1], t_end=700, n_points=701, steps={200.25: [1, 1], 450: [1, 0]}
    )
    for end, x in ((200, [0, 1]), (450, [1, 1]), (700, [1, 0])):
        # 200 and more after a change, 3e-7 is left of it
        assert course["y0"][end] == pytest.approx(net(x)[0], abs=1e-6)
        assert [course["x0"][end], course["x1"][end]] == x
    assert course["x0"][200] == 0
    assert course["x0"][201] == 1


@pytest.mark.parametrize("t_end", [50, 100])
def test_inputs_may_change_at_any_tenth(t_end):
    """Grid points such as 33.300000000000004 and steps such as 33.3 are the same time."""
    net = cn.Network([cn.Layer([[1.0]])])
    times = [round(0.1 * i, 1) for i in range(3, 10 * t_end, 37)]
    steps = {time: [i % 2] for i, time in enumerate(times)}
    course = cn.Simulator(net).time_course([1], t_end=t_end, n_points=10 * t_end + 1, steps=steps)
    for i, time in enumerate(times):
        point = round(10 * time)
        assert course["x0"][point] == (i - 1) % 2
        assert course["x0"][point + 1] == i % 2
    assert np.all(course.concentrations > 0)


def test_data_frames_are_read_by_name():
    net = cn.Network([cn.Layer([[1.0, -1.0]])], input_names=["a", "b"])
    frame = pd.DataFrame({"b": [0.5], "other": [9], "a": [2.0]})
    np.testing.assert_allclose(
        cn.Simulator(net).steady_state(frame).outputs, net([[2.0, 0.5]]), rtol=SOLVED
    )


def test_boundary_species_are_read_by_name_too():
    """C settles at A / B; they were read by place, whatever they were called."""
    made = cn.Reaction("J1", ("A",), ("A", "C"), "a", 1.0)
    lost = cn.Reaction("J2", ("B", "C"), ("B",), "b", 1.0)
    held = [cn.Species(name, 1.0, boundary=True) for name in "AB"]
    crn = cn.ReactionNetwork([*held, cn.Species("C")], [made, lost])
    simulator = cn.Simulator(crn)
    frame = pd.DataFrame({"B": [2.0, 3.0], "other": [9.0, 9.0], "A": [1.0, 1.0]})
    for x, expected in ((frame, [[1 / 2], [1 / 3]]), (frame.iloc[1], [[1 / 3]])):
        found = simulator.steady_state(x)
        np.testing.assert_allclose(found.outputs, expected, rtol=SOLVED)
    assert simulator.time_course(frame, t_end=1, n_points=2)["B"][:, 0].tolist() == [2.0, 3.0]
    # a Poisson distribution, whose variance is the mean
    noise = cn.noise(crn, frame, volume=100)
    np.testing.assert_allclose(noise.standard_deviation**2 * 100, noise.mean, rtol=SOLVED)
    with pytest.raises(cn.InputError, match="'network': inputs have the names A, not one for B"):
        simulator.steady_state(frame[["A"]])
    with pytest.raises(cn.InputError, match=r"have shape \(3,\); expected \(n_samples, 2\)"):
        simulator.steady_state(pd.Series([1.0, 2.0, 3.0]))


def test_simulators_can_be_pickled_at_any_time():
    simulator = cn.Simulator(cn.load_model("xor"))
    simulator.time_course([0, 1])
    simulator.steady_state([0, 1], method="flat")
    again = pickle.loads(pickle.dumps(simulator))
    np.testing.assert_array_equal(
        again.steady_state([0, 1]).outputs, simulator.steady_state([0, 1]).outputs
    )


def test_results_are_read_only():
    simulator = cn.Simulator(cn.load_model("xor"))
    for array in (
        simulator.steady_state([0, 1]).outputs,
        simulator.time_course([0, 1]).concentrations,
    ):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_the_accepted_distance_is_stricter_than_what_is_promised():
    assert settle.TOLERANCE * 100 <= ALLOWED


def test_sums_do_not_depend_on_the_batch_to_the_last_bit(rng):
    net = cn.Network.random([300, 40, 3], seed=0)
    simulator, x = cn.Simulator(net), rng.random((30, 300))
    together = simulator.steady_state(x).concentrations
    for i in (0, 13, 29):
        np.testing.assert_array_equal(simulator.steady_state(x[i]).concentrations[0], together[i])


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.name)
def test_an_answer_does_not_depend_on_the_order_of_inputs_in_memory(case):
    expected = cn.Simulator(case.net).steady_state(np.ascontiguousarray(case.x)).concentrations
    assert np.array_equal(
        cn.Simulator(case.net).steady_state(np.asfortranarray(case.x)).concentrations, expected
    )
    try:
        times = cn.settling_time(case.net, np.ascontiguousarray(case.x), bound="cheap")
    except cn.NotCertified:
        return
    assert np.array_equal(
        cn.settling_time(case.net, np.asfortranarray(case.x), bound="cheap"), times
    )


@dataclass(frozen=True)
class Comb(cn.Activation):
    """Seven rails, some driven downwards."""

    rails = tuple(
        cn.Rail(f"Y{letter}", (-1) ** k, 0.3 * k - 1) for k, letter in enumerate("abcdefg")
    )
    read_out = cn.ReadOut(tuple((rail.name, (-1.0) ** k) for k, rail in enumerate(rails)), 0.5)


def test_units_of_many_rails_are_solved_rail_by_rail():
    """As the whole chemistry, reaction by reaction, from any start, with any rate constants."""
    net = cn.Network.random(
        [3, 4, 2], Comb(h=1e-4), seed=0, output=Comb(h=0.01), inputs="signed", density=0.7
    )
    x = np.random.default_rng(0).normal(size=(30, 3))
    found = cn.Simulator(net).steady_state(x)
    # species are within 1e-12, and outputs sums of some
    np.testing.assert_allclose(found.outputs, net(x), rtol=1e-11, atol=1e-11)
    flat = cn.Simulator(net).steady_state(x[:3], method="flat")
    np.testing.assert_allclose(found.outputs[:3], flat.outputs, rtol=SOLVED, atol=SOLVED)
    one = cn.Simulator(net).steady_state(x[:1])
    # species are within 1e-12, and outputs sums of some
    np.testing.assert_allclose(one.outputs, net(x[:1]), rtol=1e-11, atol=1e-11)
    again = cn.Simulator(net).steady_state(x, initial=2.0)
    # species are within 1e-12, and outputs sums of some
    np.testing.assert_allclose(again.outputs, net(x), rtol=1e-11, atol=1e-11)


def test_a_rail_that_fails_fails_its_sample():
    net = cn.Network([cn.Layer(np.eye(2), activation=Comb(h=1e-4))], inputs="signed")
    x = [[1.0, 2.0], [1e40, 0.0], [3.0, -1.0]]
    with np.errstate(all="raise"):
        found = cn.Simulator(net).steady_state(x, on_error="nan")
    assert [outcome.failed for outcome in found.status] == [False, True, False]
    assert np.isnan(found.outputs[1]).all()
    # species are within 1e-12, and outputs sums of some
    np.testing.assert_allclose(found.outputs[[0, 2]], net(np.array(x)[[0, 2]]), rtol=1e-11)
    # and one by itself, which is asked of the engine in another way
    with pytest.raises(cn.ConvergenceError, match="1 of 1 samples have no steady state"):
        cn.Simulator(net).steady_state(x[1])


def test_the_whole_chemistry_is_compiled_before_it_is_asked_for(rng):
    net = cn.Network.random([3, 2, 1], cn.Tanh(h=0.1), seed=3, inputs="signed")
    clear_cache()
    simulator = cn.Simulator(net).compile("flat")
    before = compilations()
    x = rng.normal(size=(2, 3))
    np.testing.assert_allclose(
        simulator.steady_state(x, method="flat").outputs, net(x), rtol=SOLVED, atol=SOLVED
    )
    assert compilations() == before


@pytest.mark.parametrize("engine", ["roadrunner", "rate_equations"])
def test_what_has_no_species_has_its_outputs(engine):
    """Twice a concentration that is held: nothing is left to solve."""
    held = cn.Species("X", 1.5, boundary=True)
    twice = cn.Observable("o", cn.Expression((cn.Monomial(2.0, (("X", 1.0),)),)))
    crn = cn.ReactionNetwork([held], [], [twice])
    simulator = cn.Simulator(crn, engine=engine)
    assert simulator.steady_state().outputs.tolist() == [[3.0]]
    assert simulator.steady_state([[1.0], [2.0]]).outputs.tolist() == [[2.0], [4.0]]
    course = simulator.time_course(t_end=1.0, n_points=3)
    assert course.outputs.tolist() == [[3.0]] * 3
    assert course.concentrations.shape == (3, 0)
    assert cn.sensitivities(simulator)["o", "X"] == 2.0
    assert cn.noise(simulator, volume=10.0).standard_deviation.tolist() == [0.0]


def test_a_result_in_its_own_units_is_itself():
    units = cn.PhysicalUnits(c0=10, tau=1)
    steady = cn.Simulator(cn.load_model("xor")).steady_state([0, 1]).in_units(units)
    assert steady.in_units(units) is steady


def test_a_species_without_reactions_stays():
    text = "species A; A = 1.5; k = 2; B := k*A"
    course = cn.Simulator(text).time_course(t_end=1.0, n_points=3)
    assert course["A"].tolist() == [1.5] * 3
