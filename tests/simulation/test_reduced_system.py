"""Steady states of any reaction network: closed forms, scipy, COPASI, and what has none."""

import json
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.io import loadmat
from support import copasi_worker
from support.public import public
from support.tolerances import DIFFERENCED, INTEGRATED, ROUNDED

import crn_nn_tellurium as cn
from crn_nn_tellurium.importers import antimony_to_sbml
from crn_nn_tellurium.simulation.coming_to_rest import ROUGH, rest
from crn_nn_tellurium.simulation.flat import FlatModel
from crn_nn_tellurium.simulation.outcome import ACCURATE
from crn_nn_tellurium.simulation.reduced_system import DENSE_UP_TO, reduced_equations
from crn_nn_tellurium.simulation.stability import STABILITY_UP_TO


def network(steps, name="m", **starts):
    """Steps are (equation, rate constant)."""
    sides = [tuple(tuple(side.split()) for side in text.split("=>")) for text, _ in steps]
    species = dict.fromkeys(s for left, right in sides for s in (*left, *right))
    return cn.ReactionNetwork(
        [cn.Species(s, starts.get(s, 0.0)) for s in dict.fromkeys([*starts, *species])],
        [
            cn.Reaction(f"J{i}", *pair, f"k{i}", k)
            for i, (pair, (_, k)) in enumerate(zip(sides, steps, strict=True))
        ],
        name=name,
    )


def at_rest(crn):
    steady = cn.Simulator(crn).steady_state()
    assert steady.residual[0] <= ROUNDED
    return dict(zip(steady.species, steady.concentrations[0].tolist(), strict=True))


BINDING = [("P Q => PQ", 0.06), ("PQ => P Q", 3e-4), ("R Q => RQ", 1e-5), ("RQ => R Q", 0.1)]
ENZYME = [("E S => ES", 50.0), ("ES => E S", 1.0), ("ES => E P", 3.0)]
NEURON = [("=> Y", 0.01), ("X Y => X Y Y", 3.0), ("Y =>", 1.0), ("Y Y => Y", 1.0)]
CLOSED = {
    "reversible": (network([("A => B", 5.0), ("B => A", 5.0)], A=10.0), {"A": 5.0, "B": 5.0}),
    "irreversible": (network([("A => B", 1e-6)], A=3.0), {"A": 0.0, "B": 3.0}),
    "pair, equal": (network([("A B => C", 1.0)], A=1.0, B=1.0), {"A": 0, "B": 0, "C": 1.0}),
    "pair, all but equal": (
        network([("A B => C", 1.0)], A=1.0, B=1.0 + 1e-6),
        {"A": 0.0, "C": 1.0},
    ),
    "dimer": (network([("A A => B", 1.0)], A=1.0), {"A": 0.0, "B": 0.5}),
    "slow dimer": (network([("A A => B", 1e-9)], A=1.0), {"A": 0.0, "B": 0.5}),
    "trimer": (network([("A A A => B", 1.0)], A=1.0), {"A": 0.0, "B": 1 / 3}),
    "tetramer": (network([("A A A A => B", 1.0)], A=1.0), {"A": 0.0, "B": 0.25}),
    # what becomes of a pair is no sum, and is reached by integration alone
    "two ways": (
        network([("A B => C", 1.0), ("A B => D", 3.0)], A=1.0, B=1.0),
        {"C": 0.25, "D": 0.75},
    ),
    "what a pair drives": (
        network([("A B => C", 1.0), ("A => A M", 1.0), ("M =>", 1.0)], A=1.0, B=1.0),
        {"M": 0.0, "C": 1.0},
    ),
    "enzyme": (network(ENZYME, E=1e-3, S=2.0), {"E": 1e-3, "S": 0.0, "ES": 0.0, "P": 2.0}),
    # the paper's neuron with its input an ordinary species: y^2 = h + (3 X - 1) y
    "neuron": (network(NEURON, X=2.0, Y=0.1), {"X": 2.0, "Y": (5 + np.sqrt(25.04)) / 2}),
    "a difference": (network([("=> A B", 8.0), ("A B =>", 2.0)], A=3.0), {"A": 4.0, "B": 1.0}),
    "of many orders": (
        network([("A => B", 1.0), ("B => A", 1e12), ("B => B C", 1.0), ("C =>", 1e3)], A=1.0),
        {"A": 1 / (1 + 1e-12), "B": 1e-12 / (1 + 1e-12), "C": 1e-15 / (1 + 1e-12)},
    ),
    "nothing happens": (network([("A => B", 0.0)], A=1.0, B=2.0), {"A": 1.0, "B": 2.0}),
}


@pytest.mark.parametrize("case", CLOSED)
def test_closed_forms(case):
    """To 1e-12: rounding, of sums by reactions and of differences of equal starts."""
    crn, expected = CLOSED[case]
    found, steady = at_rest(crn), cn.Simulator(crn).steady_state()
    bound = dict(zip(steady.species, steady.error[0].tolist(), strict=True))
    for name, value in expected.items():
        assert abs(steady[name][0] - value) <= bound[name] <= ACCURATE, name
        assert found[name] == pytest.approx(value, rel=ROUNDED, abs=0 if value else ROUNDED), name


def test_two_targets_of_one_inhibitor():
    found = at_rest(network(BINDING, P=25.0, R=1800.0, Q=150.0))
    # half of the last digit that is known
    assert found["Q"] == pytest.approx(106.10312903, abs=5e-9)
    # 0.06 P Q = 3e-4 PQ, and of 25 P nearly all are bound: by its own accuracy, not that of the sum
    assert found["P"] == pytest.approx(25 * 5e-3 / (found["Q"] + 5e-3), rel=1e-12)


@pytest.fixture(scope="module")
def copasi():
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        yield lambda text: pool.submit(copasi_worker.steady_state, antimony_to_sbml(text)).result()


@pytest.mark.parametrize("case", ["reversible", "neuron", "a difference", "binding"])
def test_copasi_finds_the_same(case, copasi):
    """COPASI reduces by its own conserved sums; its resolution is 1e-9 in the rates."""
    binding = network(BINDING, P=25.0, R=1800.0, Q=150.0)
    crn = binding if case == "binding" else CLOSED[case][0]
    found, theirs = copasi(cn.to_antimony(crn))
    assert found == 1
    for name, value in at_rest(crn).items():
        assert theirs[name] == pytest.approx(value, rel=DIFFERENCED), name


def test_starts_inputs_and_methods():
    crn = cn.ReactionNetwork(
        [cn.Species("A", 10.0), cn.Species("B"), cn.Species("X", 1.0, boundary=True)],
        [
            cn.Reaction("J1", ("X", "A"), ("X", "B"), "k", 5.0),
            cn.Reaction("J2", ("B",), ("A",), "r", 5.0),
        ],
        [cn.Observable("twice", cn.Expression((cn.Monomial(2.0, (("B", 1.0),)),)))],
    )
    simulator = cn.Simulator(crn)
    steady = simulator.steady_state([[0.0], [1.0], [4.0]], initial={"B": 2.0})
    np.testing.assert_allclose(steady["B"], [0.0, 6.0, 9.6], rtol=ROUNDED, atol=ROUNDED)
    np.testing.assert_allclose(steady["twice"], 2 * steady["B"])
    assert np.all(steady.error[:, 0] >= 2 * np.abs(steady["B"] - [0.0, 6.0, 9.6]))
    assert np.all(steady.error <= ROUNDED)
    by_time = simulator.steady_state(method="integrate")
    assert by_time.status == ("integrated",)
    np.testing.assert_allclose(by_time.concentrations, [[5.0, 5.0]], rtol=INTEGRATED)
    # B(t) = 5 (1 - e^(-10 t)); the input changes at t = 1
    course = simulator.time_course(t_end=2, n_points=5, steps={1.0: [4.0]})
    assert course["B"][1] == pytest.approx(5 * (1 - np.exp(-5)), rel=INTEGRATED)
    assert course["X"].tolist() == [1.0, 1.0, 1.0, 4.0, 4.0]
    np.testing.assert_allclose(course["twice"], 2 * course["B"])
    np.testing.assert_allclose(pickle.loads(pickle.dumps(simulator)).steady_state()["A"], [5.0])
    molecules = simulator.time_course(t_end=1, n_points=3, volume=10, seed=1).concentrations * 10
    np.testing.assert_allclose(molecules.sum(axis=1), 100)


def test_what_a_simulator_of_reactions_refuses():
    crn = CLOSED["reversible"][0]
    simulator = cn.Simulator(crn)
    for call, error, message in (
        (lambda: simulator.steady_state(method="units"), cn.InputError, "expected 'flat' or"),
        (lambda: simulator.steady_state([[1.0]]), cn.InputError, r"expected \(n_samples, 0\)"),
        (lambda: simulator.steady_state(initial={"Z": 1.0}), cn.InputError, "initial names 'Z'"),
        (lambda: simulator.net, cn.NetworkError, "no layers, weights or classes"),
        (lambda: cn.certify(simulator, [1.0]), cn.NotCertified, "give the Network"),
        (lambda: cn.Simulator(2), cn.NetworkError, "got int"),
        (
            lambda: cn.Simulator(cn.load_model("xor")).steady_state(),
            cn.InputError,
            "needs its input values",
        ),
    ):
        with pytest.raises(error, match=message):
            call()
    with pytest.raises(AttributeError, match="'nothing'"):
        _ = simulator.nothing


GROWTH = network([("A => A A", 1.0), ("A A => A", 1.0)], A=1e-20)
NEVER = {
    "a species grows on": [
        network([("=> A", 1.0)], A=1.0),
        network([("A => A A", 1.0)], A=1e-20),
        network([("=> A", 1.0), ("A =>", 1e-25)], A=1.0),  # to 1e25, which no run reaches
    ],
    "oscillates without dying down": [
        network([("X => X X", 1.0), ("X Y => Y Y", 1.0), ("Y =>", 1.0)], X=0.5, Y=0.5),
        network(
            [("=> X", 1.0), ("X X Y => X X X", 1.0), ("X => Y", 3.0), ("X =>", 1.0)], X=1.0, Y=1.0
        ),
    ],
}


@pytest.mark.parametrize("reason", NEVER)
def test_what_does_not_come_to_rest_says_what_it_does(reason):
    for crn in NEVER[reason]:
        with pytest.raises(cn.ConvergenceError, match=reason):
            cn.Simulator(crn).steady_state()
        assert cn.Simulator(crn).steady_state(on_error="nan").failed == 1


def test_an_unstable_state_is_left_and_not_taken_for_the_end():
    """A' = A - A^2: from 1e-20 Newton's method alone would say 0, and from 0 it is 0 for ever."""
    assert at_rest(GROWTH) == {"A": pytest.approx(1.0, rel=ROUNDED)}
    assert at_rest(network([("A => A A", 1.0), ("A A => A", 1.0)])) == {"A": 0.0}


def test_of_several_steady_states_the_one_that_the_start_leads_to():
    """A' = -A (A - 1) (A - 3): 1 is the border between 0 and 3."""
    steps = [("A A => A A A", 4.0), ("A A A => A A", 1.0), ("A =>", 3.0)]
    for start, end in ((0.999, 0.0), (1.001, 3.0), (50.0, 3.0)):
        # beside a species a million times as large, which says nothing about A
        found = at_rest(network([*steps, ("Z => W", 1.0), ("W => Z", 1.0)], A=start, Z=1e6))
        assert found["A"] == pytest.approx(end, rel=ROUNDED, abs=ROUNDED)


def test_large_networks_are_sparse():
    """A ring of more species than are solved dense: equal rates, so equal concentrations."""
    n = DENSE_UP_TO + 20
    steps = [(f"S{i} => S{(i + 1) % n}", 1e3) for i in range(n)]
    crn = network(steps, S0=float(n))
    # by the exact solution, a circulant matrix, so that no text of 320 species is compiled
    waves = 1e3 * (np.exp(-2j * np.pi * np.arange(n) / n) - 1)

    def advance(state, duration):
        return np.fft.ifft(np.fft.fft(state) * np.exp(waves * duration)).real

    found, outcome = rest(reduced_equations(crn), crn.initial_state(), advance)
    assert outcome == "solved after integration"
    np.testing.assert_allclose(found, 1.0, rtol=1e-10)  # n roundings of the sum


def cascade(n, last):
    """A chain of n species, each made by the one before, and a species behind it."""
    steps = [("=> S0", 1.0), *((f"S{i - 1} => S{i - 1} S{i}", 1.0) for i in range(1, n))]
    steps += [(f"S{i} =>", 1.0 + i % 3) for i in range(n)]
    return network([*steps, ("=> Z", 1e-3), ("Z Z =>", 1.0), *last], Z=1.0)


def test_stability_of_large_networks_is_that_of_what_acts_on_one_another():
    """Eigenvalues of a triangular matrix are its diagonal, however many species there are."""
    n = STABILITY_UP_TO + 100
    for growth, stable in ((0.1, True), (50.0, False)):
        equations = reduced_equations(cascade(n, [("Z => Z Z", growth), ("S0 Z => S0", 1.0)]))
        x = np.full(n + 1, 0.5)
        found = equations.stability(x)
        assert found.stable is stable
        assert (found.growth <= -1e-6) is stable
    # of so many that act on one another it is not known
    ring = network([(f"S{i} => S{(i + 1) % n}", 1.0) for i in range(n)], S0=1.0)
    equations = reduced_equations(ring)
    found = equations.stability(np.ones(n))
    assert found.stable
    assert found.growth == 0


def test_a_rough_integration_answers_where_all_differences_die_down_and_nowhere_else():
    for case, exact in (("reversible", False), ("neuron", False), ("two ways", True)):
        crn, calls = CLOSED[case][0], []
        flat = FlatModel(crn)

        def advance(state, duration, *tolerances, flat=flat, calls=calls):
            calls.append(not tolerances)
            return flat.advance(state, duration, None, None, *tolerances)

        found, outcome = rest(
            reduced_equations(crn),
            crn.initial_state(),
            advance,
            rough=lambda state, duration, advance=advance: advance(state, duration, ROUGH),
        )
        assert not outcome.failed
        assert any(calls) is exact
        expected = [CLOSED[case][1].get(name, value) for name, value in at_rest(crn).items()]
        np.testing.assert_allclose(found, expected, rtol=ROUNDED, atol=ROUNDED)


# What others published


def rncrn(path):
    """RNCRN's text: ``#X_1=0.0,...`` and lines ``X_1 + Y_1->Y_1,22.64``."""
    starts, steps = {}, []
    for line in filter(None, map(str.strip, path.read_text().splitlines())):
        if line.startswith("#"):
            pairs = (pair.split("=") for pair in line[1:].split(","))
            starts |= {name.strip(): float(value) for name, value in pairs}
        else:
            equation, k = line.rsplit(",", 1)
            steps.append((equation.replace("+", " ").replace("->", "=>"), float(k)))
    return network(steps, path.stem, **starts)


ENDS = {
    "circle_crn": "oscillates",
    "circle_linear_crn": "oscillates",
    "heart_crn": "oscillates",
    "multi_cycle_crn": "oscillates",
    "data_def_piecewise_eq_cycle_crn": "rest",
    "hopf_critical": "rest",
    "hopf_crn": "rest",
    "piecewise_simple_uni_bi": "rest",
    "repeller_cycle_crn": "rest",
    "xor_uni_bi_CRN": "rest",
}


@pytest.mark.parametrize("name", ENDS)
def test_rncrn_files_end_where_scipy_says(name):
    crn = rncrn(public("rncrn") / f"{name}.txt")
    simulator = cn.Simulator(crn)
    steady = simulator.steady_state(on_error="nan")
    if ENDS[name] == "oscillates":
        assert "oscillates without dying down" in steady.status[0]
        late = simulator.time_course(t_end=80, n_points=801).concentrations[400:]
        early, last = np.ptp(late[:200], axis=0), np.ptp(late[200:], axis=0)
        assert np.any((last > 0.1 * late.mean(axis=0)) & (last > 0.9 * early))
        return
    course = solve_ivp(
        lambda _, x: crn.right_hand_side(x),
        (0.0, 500.0),
        crn.initial_state(),
        "LSODA",
        [500.0],
        jac=lambda _, x: crn.jacobian(x).toarray(),
        rtol=1e-9,
        atol=1e-12,
    )
    # the slowest decay of these (hopf_critical) has left less than a thousandth at t = 500
    np.testing.assert_allclose(steady.concentrations[0], course.y[:, -1], rtol=1e-3, atol=1e-9)


@pytest.mark.parametrize("name", ["sin_bi_stable", "sin_tri_stable"])
def test_rncrn_goes_to_the_fixed_points_that_its_starts_lead_to(name):
    """x' = x alpha.y, mu y' = 1 + (theta + w x) y - y^2, weights to three decimals as they have."""
    folder = public("rncrn")
    weights = loadmat(folder / f"example_{name}.mat")
    w, theta, alpha = (
        np.round(weights[key].ravel(), 3).astype(float)
        for key in ("first_layer_weights", "first_layer_biases", "output_layer_weights")
    )
    known, rate = json.loads((folder / "expected.json").read_text())[name], 1 / 0.01
    steps = []
    for i, (w_i, theta_i, alpha_i) in enumerate(zip(w, theta, alpha, strict=True)):
        y = f"Y{i}"
        steps += [(f"=> {y}", rate), (f"{y} {y} => {y}", rate)]
        steps.append((f"X {y} => X {y} {y}" if w_i > 0 else f"X {y} => X", rate * abs(w_i)))
        steps.append((f"{y} => {y} {y}" if theta_i > 0 else f"{y} =>", rate * abs(theta_i)))
        steps.append((f"X {y} => X X {y}" if alpha_i > 0 else f"X {y} => {y}", abs(alpha_i)))
    starts = known.get("starts_x_over_pi_to_fixed_point", {})
    starts = {float(start): end for start, end in starts.items()} or {
        x / np.pi: x for x in known["stable_x"]
    }
    crn = network(steps, X=1.0)
    steady = [cn.Simulator(crn).steady_state(initial={"X": start * np.pi}) for start in starts]
    # their numbers have eight decimals
    np.testing.assert_allclose(
        [found["X"][0] for found in steady], list(starts.values()), rtol=0, atol=6e-9
    )
    if "y_at_first" in known:
        found = steady[0].concentrations[0, -3:]
        # so have these
        np.testing.assert_allclose(found, known["y_at_first"], rtol=0, atol=6e-9)
