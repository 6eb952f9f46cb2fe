"""Any reaction network on the engine, in its own order, without a trace in the shared model."""

import threading

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from support.tolerances import IN_TIME, SOLVED, SUMMED

import crn_nn_tellurium as cn
from crn_nn_tellurium.simulation.engine import TIGHT, Tolerances, compiled
from crn_nn_tellurium.simulation.flat import FlatModel

NET = cn.load_model("xor")
TIME = np.linspace(0.0, 10.0, 21)


def reaction_network(order):
    """A catalysed chain with two boundary species, its parts listed in an order of choice."""
    species = {
        "b": cn.Species("b", 0.5, boundary=True),
        "Z": cn.Species("Z", 2.0),
        "A": cn.Species("A", 1.0),
        "a": cn.Species("a", 3.0, boundary=True),
        "M": cn.Species("M", 0.25),
    }
    return cn.ReactionNetwork(
        [species[name] for name in order],
        [
            cn.Reaction("J1", ("a",), ("a", "A"), "k1", 0.7),
            cn.Reaction("J2", ("A", "b"), ("Z", "b"), "k2", 0.4),
            cn.Reaction("J3", ("Z",), ("M",), "k3", 1.1),
            cn.Reaction("J4", {"M": 2}, (), "k4", 0.3),
        ],
    )


def by_scipy(crn, start, boundary, constants, time):
    return solve_ivp(
        lambda _, x: crn.right_hand_side(x, boundary, constants),
        (time[0], time[-1]),
        start,
        "LSODA",
        time,
        rtol=1e-10,
        atol=1e-13,
    ).y.T


@pytest.mark.parametrize("order", ["bZAaM", "MAZab", "aAbMZ"])
def test_arrays_are_in_the_networks_order(order):
    crn = reaction_network(order)
    model = FlatModel(crn)
    start = np.array([0.1 * (1 + i) for i in range(3)])
    boundary, constants = np.array([0.9, 0.2]), np.array([1.5, 0.6, 0.8, 0.1])
    # scipy to 1e-10 relative, CVODE to the same; errors of 20 steps add up to some 1e-8
    expected = by_scipy(crn, start, boundary, constants, TIME)
    found = model.time_course(TIME, start, boundary, constants)
    np.testing.assert_allclose(found, expected, rtol=IN_TIME)
    own = by_scipy(crn, crn.initial_state(), crn.boundary_concentrations, crn.constants, TIME)
    np.testing.assert_allclose(model.time_course(TIME), own, rtol=IN_TIME)
    rates = model.rates_of_change(start, boundary, constants)
    np.testing.assert_allclose(rates, crn.right_hand_side(start, boundary, constants), rtol=SUMMED)
    found = model.steady_states(start[None], boundary[None])
    assert not found.status[0].failed
    gross = crn.balance(found.x[0], boundary).gross
    assert np.all(np.abs(crn.right_hand_side(found.x[0], boundary)) <= SOLVED * gross)


def test_signs_are_the_models_own_affair():
    """Rate constants that are given are sizes, as those of the network are."""
    crn = cn.to_reactions(NET, [1, 0])
    model = FlatModel(crn)
    x = crn.initial_state()
    for constants in (crn.constants, 1.5 * crn.constants):
        expected = crn.right_hand_side(x, constants=constants)
        gross = crn.balance(x, constants=constants).gross
        found = model.rates_of_change(x, constants=constants)
        assert np.all(np.abs(found - expected) <= SUMMED * gross)


def test_boundary_concentrations_may_change_while_it_runs():
    crn = reaction_network("bZAaM")
    model, before, after = FlatModel(crn), np.array([0.5, 3.0]), np.array([2.0, 0.1])
    found = model.time_course(TIME, boundary=before, changes={4.25: after})
    first, last = TIME[TIME <= 4.25], TIME[TIME > 4.25]
    start = crn.initial_state(before)
    to_change = by_scipy(crn, start, before, crn.constants, np.array([*first, 4.25]))
    expected = by_scipy(crn, to_change[-1], after, crn.constants, np.array([4.25, *last]))
    np.testing.assert_allclose(found[: len(first)], to_change[:-1], rtol=IN_TIME)
    np.testing.assert_allclose(found[len(first) :], expected[1:], rtol=IN_TIME)


def test_a_course_of_one_time_is_its_start():
    start = np.array([1.0, 2.0, 3.0])
    found = FlatModel(reaction_network("bZAaM")).time_course(np.zeros(1), start)
    assert found.tolist() == [[1.0, 2.0, 3.0]]


@pytest.mark.parametrize(
    "tolerances",
    [
        Tolerances(relative=1e-4),
        Tolerances(absolute=1e-3),
        Tolerances(absolute_of={"Y1_0": 1e-3}),
    ],
    ids=["relative", "absolute", "of one species"],
)
def test_tolerances_are_those_of_one_run(tolerances):
    """The compiled model is everybody's: a run leaves it as it was."""
    model = FlatModel(cn.to_reactions(NET, [1, 0]))
    exact = model.time_course(TIME)
    coarse = model.time_course(TIME, tolerances=tolerances)
    assert not np.array_equal(coarse, exact)
    # errors of 1e-3 a step add up to some times as much
    np.testing.assert_allclose(coarse, exact, atol=0.02)
    np.testing.assert_array_equal(FlatModel(model.crn).time_course(TIME), exact)


def test_a_run_may_be_given_fewer_steps():
    """From one time to the next, and of that run alone."""
    model = FlatModel(cn.to_reactions(NET, [1, 0]))
    exact = model.time_course(TIME)
    with pytest.raises(cn.ConvergenceError, match="too short or too many"):
        model.time_course(TIME, tolerances=Tolerances(steps=3))
    # a step more or less at each time asked for, none of which needs so many
    finer = np.linspace(TIME[0], TIME[-1], 20 * len(TIME))
    model.time_course(finer, tolerances=Tolerances(steps=100))
    np.testing.assert_array_equal(model.time_course(TIME), exact)


def test_a_run_that_fails_leaves_no_tolerances_behind():
    crn = cn.ReactionNetwork(
        [cn.Species("Y", 1.0)], [cn.Reaction("J", {"Y": 2}, {"Y": 3}, "k", 1.0)]
    )
    model = FlatModel(crn)
    exact = model.time_course(np.array([0.0, 0.5]))
    with pytest.raises(cn.ConvergenceError, match="CVODE failed"):  # it is infinite at t = 1
        model.time_course(np.array([0.0, 2.0]), tolerances=Tolerances(absolute_of={"Y": 1e-3}))
    np.testing.assert_array_equal(model.time_course(np.array([0.0, 0.5])), exact)


def test_defaults_are_the_engines_settings():
    integrator = compiled(FlatModel(cn.to_reactions(NET)).text)._runner.getIntegrator()
    assert integrator.getValue("relative_tolerance") == TIGHT.relative == 1e-10
    assert integrator.getValue("absolute_tolerance") == TIGHT.absolute == 1e-18


def test_threads_that_share_a_model_do_not_mix_their_values():
    crn = reaction_network("bZAaM")
    constants = [crn.constants * factor for factor in (0.5, 1.0, 2.0)]
    expected = [FlatModel(crn).time_course(TIME, constants=k) for k in constants]
    wrong = []

    def work(number):
        model = FlatModel(crn)
        for _ in range(20):
            found = model.time_course(TIME, constants=constants[number])
            if not np.array_equal(found, expected[number]):
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_control_coefficients_are_those_of_sizes():
    """roadrunner's, of constants that it has with a sign, against the exact derivatives."""
    net = NET
    crn = cn.to_reactions(net, [1, 0])
    x = cn.Simulator(net).steady_state([1, 0]).concentrations[0]
    names = ["k1_0_0", "k2_0_0", "h1"]
    # steps of a tenth of the scale over which the answer bends
    steps = dict.fromkeys(names, 1e-3) | {"h1": 1e-5}
    model = FlatModel(crn, conserved_moieties=True)
    found = model.control_coefficients(x, crn.boundary_concentrations, ["Y1_0", "Yp2_0"], steps)
    exact = cn.sensitivities(crn, x, outputs=["Y1_0", "Yp2_0"], parameters=names).values
    # roadrunner's differences have five points, so what they leave out is of fourth order
    np.testing.assert_allclose(found, exact, rtol=1e-7, atol=SOLVED)


def two_ended(*further):
    """dB/dt = -(B - 1)(B - 2)(B - 4): 1 and 4 are stable, and 2 is between them."""
    return cn.ReactionNetwork(
        [cn.Species("B"), *(cn.Species("Y") for _ in further[:1])],
        [
            cn.Reaction("J0", (), ("B",), "k0", 8.0),
            cn.Reaction("J1", ("B",), (), "k1", 14.0),
            cn.Reaction("J2", {"B": 2}, {"B": 3}, "k2", 7.0),
            cn.Reaction("J3", {"B": 3}, {"B": 2}, "k3", 1.0),
            *further,
        ],
    )


def test_of_two_ends_integration_goes_to_that_of_its_start():
    starts = np.array([[0.2], [1.9], [2.1], [9.0]])
    found = FlatModel(two_ended()).steady_states(starts, np.empty((4, 0)), newton=False)
    assert found.status.tolist() == ["integrated"] * 4
    # as near as 1e-12 of a species' own fixed point, which is what settle works for
    # both are within 1e-12 of the fixed point (`settle.TOLERANCE`)
    np.testing.assert_allclose(found.x[:, 0], [1, 1, 4, 4], rtol=2e-12)
    # where Newton's method is near an end, it goes there too
    found = FlatModel(two_ended()).steady_states(starts[[0, 3]], np.empty((2, 0)))
    # both are within 1e-12 of the fixed point (`settle.TOLERANCE`)
    np.testing.assert_allclose(found.x[:, 0], [1, 4], rtol=2e-12)


def test_from_a_wrong_root_of_newtons_method_it_goes_back_to_the_start():
    """Y comes out below 0, from 1, and B at 2, between its ends: the time course decides."""
    crn = two_ended(
        cn.Reaction("J4", (), ("Y",), "h", 0.01),
        cn.Reaction("J5", ("Y",), {"Y": 2}, "b", 5.0),
        cn.Reaction("J6", {"Y": 2}, ("Y",), "q", 1.0),
    )
    assert crn.floating == ("B", "Y")
    model, starts, nothing = FlatModel(crn), np.array([[1.6, 1.0], [3.0, 1.0]]), np.empty((2, 0))
    wrong, converged = model.newton(starts, nothing)
    assert converged.all()
    assert np.all(wrong[:, 1] < 0)
    np.testing.assert_allclose(wrong[:, 0], 2.0, rtol=1e-9)  # nleq2 to 1e-10 or so
    found = model.steady_states(starts, nothing)
    assert found.status.tolist() == ["solved after integration"] * 2
    y = (5 + np.hypot(5, 0.2)) / 2
    # both are within 1e-12 of the fixed point (`settle.TOLERANCE`)
    np.testing.assert_allclose(found.x, [[1, y], [4, y]], rtol=2e-12)


def test_where_the_engines_solver_gives_up_it_says_so():
    """Of what grows without end there is no steady state to find, nor to vary."""
    grows = cn.ReactionNetwork([cn.Species("A", 1.0)], [cn.Reaction("J", (), ("A",), "k", 1.0)])
    model, at, nothing = FlatModel(grows), np.array([1.0]), np.empty(0)
    _, converged = model.newton(at[None], nothing[None])
    assert converged.tolist() == [False]
    for newton in (True, False):
        found = model.steady_states(at[None], nothing[None], newton)
        assert found.status[0].failed
        assert found.imbalance.tolist() == [1.0]
    with pytest.raises(cn.ConvergenceError, match=r"no control coefficients here: .*getuCC"):
        model.control_coefficients(at, nothing, ["A"], {"k": 1e-3})


@pytest.mark.parametrize("start", [1e-10, 1e-20, 1e-90])
def test_what_starts_far_below_the_absolute_tolerance_grows_as_it_should(start):
    """A' = A. roadrunner 2.11 alone takes its tolerance from the starts of the text."""
    crn = cn.ReactionNetwork(
        [cn.Species("A", start)], [cn.Reaction("J", {"A": 1}, {"A": 2}, "k", 1.0)]
    )
    course = cn.Simulator(crn).time_course(t_end=10.0, n_points=3)
    expected = start * np.exp(course.time)
    np.testing.assert_allclose(course["A"], expected, rtol=IN_TIME)


def test_what_is_none_to_the_integrator_does_not_stop_it():
    crn = cn.ReactionNetwork(
        [cn.Species("A", 1e-310), cn.Species("B", 1.0)],
        [
            cn.Reaction("J1", {"A": 1}, {"A": 2}, "k1", 1.0),
            cn.Reaction("J2", {"B": 1}, {}, "k2", 1.0),
        ],
    )
    course = cn.Simulator(crn).time_course(t_end=10.0, n_points=3)
    np.testing.assert_allclose(course["B"], np.exp(-course.time), rtol=IN_TIME)
    assert course["A"][-1] == 0.0
