"""Rate equations and roadrunner: one answer, over the corpus and beyond what is compiled."""

import sys
import threading

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from support.networks import corpus
from support.tolerances import DIFFERENCED, IN_TIME, SOLVED

import crn_nn_tellurium as cn
from crn_nn_tellurium.simulation import rate_equations
from crn_nn_tellurium.simulation.engine import compiled
from crn_nn_tellurium.simulation.engines import COMPILED_UP_TO
from crn_nn_tellurium.simulation.rate_equations import DENSE_UP_TO

# compiling the large ones takes roadrunner most of a minute
COMPILED = [case for case in corpus() if case.net.n_weights <= COMPILED_UP_TO]
# every fifth stands for the others: all activations are in one of them
CASES = [
    pytest.param(case, id=case.name, marks=[] if i % 5 == 0 else [pytest.mark.slow])
    for i, case in enumerate(COMPILED)
]


@pytest.mark.parametrize("case", CASES)
def test_both_engines_agree(case):
    by = [cn.Simulator(case.net, engine=name) for name in ("roadrunner", "rate_equations")]
    compiled, ours = (simulator.time_course(case.x[0], 100.0, 101) for simulator in by)
    assert (compiled.engine, ours.engine) == ("roadrunner", "rate_equations")
    # two runs to 1e-10 a step: 1e-6 of each concentration on the way, 1e-9 where they end
    scale = compiled.concentrations + 1e-9 * compiled.concentrations.max()
    off = np.abs(ours.concentrations - compiled.concentrations) / scale
    assert off.max() < DIFFERENCED
    assert off[-1].max() < SOLVED
    np.testing.assert_array_equal(ours.concentrations[0], compiled.concentrations[0])


XOR = cn.load_model("xor")


def test_default_engine_goes_by_size():
    small, large = (cn.Network.random([n, n, 1], seed=0) for n in (3, 40))
    assert small.n_weights <= COMPILED_UP_TO < large.n_weights
    assert cn.Simulator(small).time_course(np.ones(3), n_points=2).engine == "roadrunner"
    assert cn.Simulator(large).time_course(np.ones(40), n_points=2).engine == "rate_equations"
    reactions = cn.to_reactions(large, np.ones(40))
    assert cn.Simulator(reactions).time_course(n_points=2).engine == "rate_equations"


def test_many_species_are_solved_layer_by_layer():
    # 305 species, above what is solved densely; the network's own equations and its reactions'
    net = cn.Network.random([3, 130, 100, 75], seed=0)
    x = np.linspace(0.1, 1, 3)
    start = {"Y1_0": 0.0, "Y3_3": 5.0}
    layers = cn.Simulator(net).time_course(x, 10.0, 5, initial=start)
    assert layers.concentrations.shape[1] > DENSE_UP_TO
    crn = cn.to_reactions(net, x)
    table = cn.Simulator(crn).time_course(t_end=10.0, n_points=5, initial=start)
    # the same steps but for rounding, each to 1e-10
    np.testing.assert_allclose(table.concentrations, layers.concentrations, rtol=1e-7)
    begin, span = layers.concentrations[0], (0.0, 1.0)
    by_scipy = solve_ivp(
        lambda t, y: crn.right_hand_side(y),
        span,
        begin,
        "LSODA",
        jac=lambda t, y: crn.jacobian(y).toarray(),
        rtol=1e-9,
        atol=1e-14,
    )
    ours = cn.Simulator(net).time_course(x, 1.0, 2, initial=start).concentrations[-1]
    np.testing.assert_allclose(ours, by_scipy.y[:, -1], rtol=DIFFERENCED)


@pytest.mark.parametrize("method", ["flat", "integrate"])
def test_steady_states_by_rate_equations(method):
    net = cn.Network.random([20, 30, 30, 2], cn.Tanh(), seed=0)
    x = np.random.default_rng(0).uniform(0, 1, (2, 20))
    found = cn.Simulator(net, engine="rate_equations").steady_state(x, method=method)
    # 1e-12 of each concentration, of which outputs are differences
    np.testing.assert_allclose(found.outputs, net(x), atol=1e-10)


def test_tolerances_are_the_engines():
    exact = cn.Simulator(XOR).time_course([0, 1], 20.0, 11).concentrations
    for kind in (cn.Roadrunner, cn.RateEquations):
        # errors of steps of 1e-4 add up, and are far above those of 1e-10
        course = cn.Simulator(XOR, kind(rtol=1e-4, atol=1e-8)).time_course([0, 1], 20.0, 11)
        off = np.abs(course.concentrations / exact - 1).max()
        assert 1e-7 < off < 1e-1


@pytest.mark.parametrize("engine", ["roadrunner", "rate_equations"])
def test_a_batch_is_its_samples(engine):
    simulator = cn.Simulator(XOR, engine)
    x, later = np.array([[0, 0], [0, 1], [1, 1.0]]), np.array([[1, 0], [1, 1], [0.5, 0]])
    batch = simulator.time_course(x, 30.0, 7, steps={10.0: later, 20.0: [0, 0]})
    assert batch.outputs.shape == (3, 7, 1)
    assert batch["y0"].shape == (3, 7)
    for i in range(3):
        one = simulator.time_course(x[i], 30.0, 7, steps={10.0: later[i], 20.0: [0, 0]})
        for name in ("outputs", "concentrations", "inputs"):
            np.testing.assert_array_equal(getattr(batch.sample(i), name), getattr(one, name))


def test_samples_start_where_they_are_told():
    start = np.arange(1.0, 1 + 2 * len(cn.Simulator(XOR).species)).reshape(2, -1)
    batch = cn.Simulator(XOR).time_course([[0, 1], [1, 1]], 1.0, 2, initial=start)
    np.testing.assert_array_equal(batch.concentrations[:, 0], start)


def test_certificates_and_scans_by_either_engine():
    names = ("roadrunner", "rate_equations")
    times = [cn.settling_time(XOR, [0, 1], 0.01, engine=name) for name in names]
    # crossings are found on a grid; the errors that cross differ by 1e-9
    assert times[0] == pytest.approx(times[1], rel=1e-6)
    vary = {"fuel": [0.5, 1.0], "h": [1e-3, 1e-2]}
    points = [cn.scan(cn.Simulator(XOR, n), vary, x=[0, 1], at=[1.0, 9.0]) for n in names]
    np.testing.assert_allclose(points[0].outputs, points[1].outputs, rtol=IN_TIME)
    assert points[0].attrs["scan_key"] != points[1].attrs["scan_key"]


@pytest.mark.slow  # the strands of xor in roadrunner
def test_read_out_windows_by_either_engine():
    names = ("roadrunner", "rate_equations")
    windows = [cn.read_out_window(XOR, [[0, 1]], engine=name) for name in names]
    # concentrations of 10 uM, integrated to 1e-10 of each and 1e-9 nM
    np.testing.assert_allclose(windows[0].outputs, windows[1].outputs, atol=1e-6)


def test_a_network_beyond_what_is_compiled():
    net = cn.Network.random([784, 128, 64, 10], seed=0)
    x = np.random.default_rng(0).uniform(0, 1, 784)
    course = cn.Simulator(net).time_course(x, 200.0, 3)
    # at rest by then, but for what the slowest unit, with a rate of 0.2, leaves and CVODE errs by
    np.testing.assert_allclose(course.outputs[-1], net(x), rtol=1e-6)


def test_what_has_no_end_says_when_and_why(capfd):
    species, twice = [cn.Species("X", 1.0)], cn.Reaction("J", {"X": 2}, {"X": 3}, "k", 1.0)
    boom = cn.ReactionNetwork(species, [twice])  # dX/dt = X^2 has no solution beyond t = 1
    with pytest.raises(cn.ConvergenceError, match=r"CVODE failed .* at t = 1: .* earlier times"):
        cn.Simulator(boom, "rate_equations").time_course(t_end=5.0)
    assert "".join(capfd.readouterr()) == ""


@pytest.mark.parametrize("n_points", [2, 5])
def test_what_is_no_number_is_no_course(n_points, monkeypatch):
    """Of CVODE's answers, should it ever give one: of two times and of more."""
    from sksundae.cvode import CVODE

    solve = CVODE.solve

    def not_at_the_end(self, times, start):
        found = solve(self, times, start)
        found.y[-1] = np.nan
        return found

    crn = cn.import_antimony("A -> ; k*A; A = 1; k = 1")
    simulator = cn.Simulator(crn, engine="rate_equations")
    simulator.time_course(n_points=n_points)
    monkeypatch.setattr(CVODE, "solve", not_at_the_end)
    with pytest.raises(cn.ConvergenceError, match="CVODE failed between t = 0 and 50, at t = 50"):
        simulator.time_course(n_points=n_points)


@pytest.mark.parametrize("law", ["k*A/B", "k*ln(A - 2)", "k*sqrt(1 - 2*A)", "k*(A - A)/(B*A)"])
def test_laws_that_are_no_number_are_no_course(law):
    model = compiled(f"J: -> A; {law}; A = 1; B = 0; k = 1")
    starts = np.ones(len(model.floating)), np.zeros(len(model.boundary))
    with model.lock, pytest.raises(cn.ConvergenceError, match="CVODE failed between t = 0 and 2"):
        model.time_course(starts[1], starts[0], np.array([0.0, 1.0, 2.0]))


@pytest.mark.parametrize("engine", ["roadrunner", "rate_equations"])
def test_without_reactions_nothing_happens(engine):
    crn = cn.ReactionNetwork([cn.Species("A", 1.5), cn.Species("B", 2.0, boundary=True)], [])
    simulator = cn.Simulator(crn, engine=engine)
    for method, status in (("flat", "solved"), ("integrate", "integrated")):
        steady = simulator.steady_state(method=method)
        assert (steady.concentrations.tolist(), steady.status) == ([[1.5]], (status,))
    for n_points in (2, 4):
        course = simulator.time_course(t_end=3.0, n_points=n_points)
        assert course.concentrations.tolist() == [[1.5]] * n_points
    scan = cn.scan(crn, {"A": [1.0, 2.0]})
    assert scan["outputs"].values.ravel().tolist() == [1.0, 2.0]


@pytest.mark.parametrize("n_points", [2, 3])
def test_steps_are_counted_between_two_times_as_between_many(n_points, monkeypatch):
    """Prey and predators circle for ever, some 200 steps a turn of about 2 pi."""
    crn = cn.import_antimony("P->2P; P; P+Q->2Q; P*Q; Q->; Q; P=2; Q=1")
    simulator = cn.Simulator(crn, engine="rate_equations")
    assert simulator.time_course(t_end=100.0, n_points=n_points).concentrations.shape[0] == n_points
    monkeypatch.setattr(rate_equations, "MOST_STEPS", 300)
    with pytest.raises(cn.ConvergenceError, match="max_num_steps"):
        simulator.time_course(t_end=100.0, n_points=n_points)


def test_standard_output_is_the_users_again_after_threads(capsys):
    before, barrier, inside = sys.stdout, threading.Barrier(2), []

    def solve(t_end):
        barrier.wait()
        cn.Simulator(XOR, "rate_equations").time_course([0, 1], t_end, 2001)

    # the second begins while the first is under way and ends after it
    threads = [threading.Thread(target=solve, args=(t_end,)) for t_end in (50, 500)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        print("meanwhile")
        inside.append(sys.stdout.encoding)
    assert sys.stdout is before
    # what others print while they solve is printed
    assert capsys.readouterr().out == "meanwhile\n" * len(inside)
