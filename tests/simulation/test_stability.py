"""What circles a steady state, lines of steady states, and what only looks like them."""

from dataclasses import dataclass

import numpy as np
import pytest
from scipy import sparse
from scipy.integrate import solve_ivp
from scipy.optimize import brentq
from support.networks import Annihilating, Copy, corpus
from support.tolerances import INTEGRATED, ROUNDED, SOLVED

import crn_nn_tellurium as cn
from crn_nn_tellurium.chemistry import conserved_sums
from crn_nn_tellurium.networks.activation import Follower
from crn_nn_tellurium.networks.smoothing import smoothed_relu, smoothed_relu_derivative
from crn_nn_tellurium.simulation import stability
from crn_nn_tellurium.simulation.coming_to_rest import rest
from crn_nn_tellurium.simulation.flat import FlatModel
from crn_nn_tellurium.simulation.rate_equations import RateModel
from crn_nn_tellurium.simulation.reduced_system import Equations

PREY = "P->2P; a*P; P+Q->2Q; b*P*Q; Q->; c*Q; P={}; Q=1; a=1; b=1; c=1"
TURNS = "A+B->2B; k*A*B; B+C->2C; k*B*C; C+A->2A; k*C*A; A={}; B=1; C={}; k=1"
CENTRES = {
    "prey": PREY.format(1.005),
    "nearer prey": PREY.format(1.0001),
    "turns": TURNS.format(1.003, 0.997),
    # beside what comes to rest by itself, which is not what circles
    "prey and more": PREY.format(1.005) + "; Z->; a*Z; Z=1; ->Y; P; Y->; a*Y; Y=1",
}


@pytest.mark.parametrize("case", CENTRES)
def test_what_circles_a_centre_has_no_steady_state(case):
    """Its distance, by a sum that stays, is kept for ever; scipy's course says so as well."""
    text = CENTRES[case]
    crn = cn.import_antimony(text)
    with pytest.raises(cn.ConvergenceError, match=r"circles|oscillates"):
        cn.Simulator(crn).steady_state()
    for model in (crn, text):
        name = "k" if case == "turns" else "a"
        status = str(np.ravel(cn.scan(model, {name: [1.0]})["status"])[0])
        assert "circles" in status or "oscillates" in status
    if case == "prey":
        late = solve_ivp(
            lambda _, x: crn.right_hand_side(x), (0, 200), [1.005, 1.0], rtol=1e-11, atol=1e-13
        )
        # P - ln P + Q - ln Q stays: half the square of the distance from its least, 2
        distance = np.sqrt(2 * (late.y - np.log(late.y)).sum(axis=0) - 4)
        # that square is 1e-5, and 200 units of time add errors of 1e-11 a step to it
        np.testing.assert_allclose(distance, distance[0], rtol=1e-3)
        with pytest.raises(cn.ConvergenceError, match="circles"):
            cn.sensitivities(crn)
        with pytest.raises(cn.ConvergenceError, match="circles"):
            cn.to_roadrunner(crn).steadyState()


def test_a_start_at_a_centre_stays_there():
    for start in (1.0, 1.0 + 2**-52):
        steady = cn.Simulator(cn.import_antimony(PREY.format(start))).steady_state()
        np.testing.assert_allclose(steady.concentrations, 1.0, rtol=ROUNDED)


@pytest.mark.parametrize("damping", [0.0, 1.0])
def test_what_eigenvalues_leave_open_is_seen_from_the_course(damping):
    """r' = -damping r^3 and an angle t about 1, 1: r = r0 / sqrt(1 + 2 damping r0^2 t)."""
    turn = np.array([[0.0, -1.0], [1.0, 0.0]])

    def rates(x):
        off = x - 1.0
        net = turn @ off - damping * (off @ off) * off
        return net, np.abs(net) + 1.0

    def jacobian(x):
        off = x - 1.0
        return turn - damping * ((off @ off) * np.eye(2) + 2 * np.outer(off, off))

    def advance(x, time):
        off = x - 1.0
        turned = np.array([[np.cos(time), -np.sin(time)], [np.sin(time), np.cos(time)]]) @ off
        return 1.0 + turned / np.sqrt(1 + 2 * damping * (off @ off) * time)

    none = conserved_sums(sparse.csr_array(np.eye(2)))
    for r in (0.3, 0.005):
        found, outcome = rest(Equations(rates, jacobian, none), np.array([1.0 + r, 1.0]), advance)
        if damping:
            assert outcome == "solved after integration"
            np.testing.assert_allclose(found, 1.0, rtol=ROUNDED)
        else:
            assert "circles" in outcome.reason or "oscillates" in outcome.reason


EPIDEMIC = "S+I->2I; b*S*I; I->R; g*I; S=0.99; I=0.01; R=0; b=2; g=1"
ENDING = "A+E->C+E; k*A*E; E->D; d*E; A=1; E=1; C=0; D=0; k={}; d=1"


def final_size(start, infected, ratio):
    """S = S0 exp(-ratio (S0 + I0 - S)), by bisection."""
    low, high = 0.0, 1 / ratio
    for _ in range(200):
        middle = (low + high) / 2
        above = middle < start * np.exp(-ratio * (start + infected - middle))
        low, high = (middle, high) if above else (low, middle)
    return low


LINES = {
    "epidemic": (EPIDEMIC, "S", final_size(0.99, 0.01, 2.0)),
    "k = 1": (ENDING.format(1), "A", np.exp(-1)),
    "k = 20": (ENDING.format(20), "A", np.exp(-20)),
    "k = 60": (ENDING.format(60), "A", np.exp(-60)),
    "two ends": ("A->B; k*A; A->C; q*A; A=1; B=0; C=0; k=1; q=3", "B", 0.25),
    "three ends": ("A->M; k*A; M->C; k*M; M->D; q*M; A=1; M=0; C=0; D=0; k=1; q=3", "C", 0.25),
    # A falls by 2 k A^2 + q A: B = (A0 - C) / 2 and C = q / 2k ln(1 + 2 k A0 / q)
    "a pair or one": ("2A->B; k*A^2; A->C; q*A; A=1; B=0; C=0; k=1; q=3", "C", 1.5 * np.log(5 / 3)),
}


@pytest.mark.parametrize("case", LINES)
def test_what_is_on_a_line_of_steady_states_is_integrated(case):
    """Where the course stops on the line is as exact as CVODE is: 1e-10 a step."""
    text, name, expected = LINES[case]
    crn = cn.import_antimony(text)
    steady = cn.Simulator(crn).steady_state()
    assert steady.status == ("integrated",)
    # what has died out is left below 1e-16
    assert steady[name][0] == pytest.approx(expected, rel=INTEGRATED, abs=1e-16)
    constant = crn.constant_names[0]
    for model in (crn, text):
        found = cn.scan(model, {constant: [crn.constants[0]]})
        assert str(np.ravel(found["status"])[0]) == "integrated"
        value = np.ravel(found["outputs"].sel(output=name))[0]
        # what has died out is left below 1e-16
        assert value == pytest.approx(expected, rel=INTEGRATED, abs=1e-16)


def test_long_rings_and_chains_from_0_come_to_rest():
    """Species far along are at 1e-300 after a while, less than CVODE can be given."""
    n = 200
    ring = "; ".join(f"A{i}->A{(i + 1) % n}; k*A{i}; A{i}={int(i == 0)}" for i in range(n))
    steady = cn.Simulator(cn.import_antimony(ring + "; k=1")).steady_state()
    np.testing.assert_allclose(steady.concentrations, 1 / n, rtol=ROUNDED)
    course = cn.Simulator(cn.import_antimony("A->B; k*A; B->A; k*B; A=1; B=1e-200; k=1"))
    # (1 + e^(-2 t)) / 2
    assert course.time_course(t_end=1)["A"][-1] == pytest.approx((1 + np.exp(-2)) / 2, rel=1e-8)


@pytest.mark.parametrize("order", [11, pytest.param(20, marks=pytest.mark.slow)])
def test_what_falls_like_a_power_of_time_says_so(order):
    """A' = -n k A^n: A goes like t^(-1 / (n - 1)), and is far from 0 at t = 1e18."""
    crn = cn.import_antimony(f"{order} A -> B; k*A^{order}; A=1; B=0; k=1")
    steady = cn.Simulator(crn).steady_state(on_error="nan")
    assert f"like a power of time, t^-{1 / (order - 1):.2g}," in steady.status[0]


def test_texts_may_come_to_rest_below_0():
    """A rate law of any form: V' = -V - k."""
    found = cn.scan("-> V; -V - k; V = 0; k = 1", {"k": [1.0, 2.0]})
    np.testing.assert_allclose(np.ravel(found["outputs"]), [-1.0, -2.0], rtol=SOLVED)


@pytest.mark.parametrize("case", LINES)
def test_errors_bound_what_is_integrated(case):
    text, name, expected = LINES[case]
    steady = cn.Simulator(cn.import_antimony(text)).steady_state()
    bound = steady.error[0, steady.species.index(name)]
    # no tighter than CVODE's tolerance, and no wider than would tell anything
    assert abs(steady[name][0] - expected) <= bound <= 1e-7


# States that nothing but balance holds ------------------------------------------------------------

SWITCH = """B = 2; J0: -> B; 8; J1: B -> ; 14*B; J2: 2 B -> 3 B; 7*B^2; J3: 3 B -> 2 B; B^3;"""
NOT_STABLE = "failed: it starts at a steady state that is not stable"


def brusselator(b):
    return cn.import_antimony(
        f"X = 1; Y = {b}; J0: -> X; 1; J1: 2 X + Y -> 3 X; X^2*Y; J2: X -> Y; {b}*X; J3: X -> ; X;"
    )


def repressilator(n_genes=3):
    """Proteins P of a ring of genes; each shuts the next when two are bound."""
    steps = []
    for i in range(n_genes):
        p, before = f"P{i}", f"P{(i - 1) % n_genes}"
        steps += [
            f"B{i}: {before} + {before} + G{i} -> H{i}; 100*{before}^2*G{i};",
            f"U{i}: H{i} -> {before} + {before} + G{i}; 100*H{i};",
            f"M{i}: G{i} -> G{i} + R{i}; 30*G{i};",
            f"L{i}: R{i} -> ; R{i}; T{i}: R{i} -> R{i} + {p}; 5*R{i}; D{i}: {p} -> ; {p};",
            f"G{i} = 1; {p} = {1 + i};",
        ]
    return cn.import_antimony("\n".join(steps))


@pytest.mark.parametrize("model", [FlatModel, RateModel.of], ids=["roadrunner", "rate equations"])
@pytest.mark.parametrize("newton", [True, False])
def test_a_root_that_is_not_stable_is_no_answer(model, newton):
    """Where small changes lead away, the chemistry does not come to rest."""
    nothing = np.empty((1, 0))
    for crn, at in ((cn.import_antimony(SWITCH), [2.0]), (brusselator(3.0), [1.0, 3.0])):
        found = model(crn).steady_states(np.array([at]), nothing, newton)
        assert found.status[0].startswith(NOT_STABLE)
    # within it is stable, and so it is found
    found = model(brusselator(1.5)).steady_states(np.array([[1.0, 1.4]]), nothing, newton)
    assert not found.status[0].failed
    np.testing.assert_allclose(found.x[0], [1.0, 1.5], rtol=ROUNDED)


@pytest.mark.parametrize("model", [FlatModel, RateModel.of], ids=["roadrunner", "rate equations"])
def test_from_a_root_that_is_not_stable_the_time_course_decides(model):
    """Newton's method goes to the saddle from near it, and the course to the ends."""
    starts = np.array([[1.98], [2.02]])
    found = model(cn.import_antimony(SWITCH)).steady_states(starts, np.empty((2, 0)))
    assert found.status.tolist() == ["solved after integration"] * 2
    np.testing.assert_allclose(found.x[:, 0], [1.0, 4.0], rtol=ROUNDED)
    assert np.all(found.imbalance < ROUNDED)
    found = model(brusselator(3.0)).steady_states(np.array([[1.05, 2.9]]), np.empty((1, 0)))
    assert found.status[0].startswith("failed: it oscillates without dying down")


def test_a_simulator_and_a_scan_refuse_the_saddle():
    crn = cn.import_antimony(SWITCH)
    for method in ("flat", "integrate"):
        steady = cn.Simulator(crn).steady_state(method=method, on_error="nan")
        assert steady.status[0].startswith(NOT_STABLE)
    scan = cn.scan(crn, {"B": [1.9, 2.0, 2.1]})
    status = scan["status"].values.ravel().tolist()
    assert [text.partition(":")[0] for text in status] == [
        "solved after integration",
        "failed",
        "solved after integration",
    ]
    assert status[1].startswith(NOT_STABLE)


def test_the_repressilator_has_no_answer_beyond_its_oscillation():
    crn = repressilator()
    assert (
        cn.Simulator(crn)
        .steady_state(on_error="nan")
        .status[0]
        .startswith("failed: it oscillates without dying down")
    )
    # by symmetry all genes alike are a steady state: r = 30 g, p = 5 r, and g = 1 / (1 + p^2)
    p = brentq(lambda p: p * (1 + p**2) - 150, 0.1, 10, xtol=1e-15, rtol=1e-15)
    g = 1 / (1 + p**2)
    values = {"P": p, "G": g, "H": 1 - g, "R": 30 * g}
    start = {name: values[name[0]] for name in crn.floating}
    found = cn.Simulator(crn).steady_state(initial=start, on_error="nan")
    assert found.status[0].failed


def test_what_is_absent_and_not_made_cannot_grow():
    """A -> 2 A from nothing stays nothing, as a time course does."""
    crn = cn.import_antimony("A = 0; J0: A -> 2 A; A; J1: 2 A -> A; A^2;")
    assert cn.Simulator(crn).steady_state().status == ("solved",)


# Units with two ends --------------------------------------------------------------------------


@dataclass(frozen=True)
class Rivals(Annihilating):
    """Two rails, driven alike, that remove each other faster than themselves: one shuts out the
    other. With p + n = z and p n = h / (a - 1), a = 3, for the ends; alike, h + z y = 4 y^2.
    """

    rails = (cn.Rail("Yp"), cn.Rail("Yn"))
    local_reactions = (cn.LocalReaction(("Yp", "Yn"), (), "a", 3.0),)


def of_rivals(n_units=1):
    layer = cn.Layer(np.ones((n_units, 1)), np.zeros(n_units), Rivals(h=0.01))
    return cn.Network([layer, cn.Layer(np.ones((1, n_units)))], inputs="signed")


def ends(z):
    """p, n > 0 with h + z p - p^2 - 3 p n = 0 and the same for n."""
    root = np.sqrt(z**2 - 4 * 0.01 / 2)
    return (z + root) / 2, (z - root) / 2


@pytest.mark.parametrize("engine", ["roadrunner", "rate_equations"])
@pytest.mark.parametrize("method", ["units", "flat", "integrate"])
def test_a_unit_with_two_ends_comes_to_the_one_on_its_side(method, engine):
    simulator = cn.Simulator(of_rivals(), engine=engine)
    high, low = ends(1.0)
    for p, n in ((1.0, 0.1), (0.1, 1.0), (0.5, 0.4), (0.4, 0.5)):
        # Newton's method may find the one between, from near it; a time course never does
        steady = simulator.steady_state(
            [1.0], {"Yp1_0": p, "Yn1_0": n}, method=method, on_error="nan"
        )
        if method == "units" and steady.status[0].failed:
            assert "small changes lead away" in steady.status[0]
            continue
        expected = (high, low) if p > n else (low, high)
        np.testing.assert_allclose(steady.concentrations[0, :2], expected, rtol=SOLVED)
        course = simulator.time_course([1.0], 200.0, 2, initial={"Yp1_0": p, "Yn1_0": n})
        np.testing.assert_allclose(course.concentrations[-1, :2], expected, rtol=SOLVED)


@pytest.mark.parametrize("engine", ["roadrunner", "rate_equations"])
@pytest.mark.parametrize("method", ["units", "flat", "integrate"])
def test_what_starts_alike_is_not_called_solved_between_two_ends(method, engine):
    """From alike the course leads to the saddle, unless rounding leads it to an end."""
    steady = cn.Simulator(of_rivals(), engine=engine).steady_state(
        [1.0], method=method, on_error="nan"
    )
    if steady.status[0].failed:
        assert "lead away" in steady.status[0] or "is not stable" in steady.status[0]
    else:
        np.testing.assert_allclose(
            sorted(steady.concentrations[0, :2]), ends(1.0)[::-1], rtol=ROUNDED
        )
    # where z^2 < 4 h / 2 there is but one
    steady = cn.Simulator(of_rivals(), engine=engine).steady_state([-1.0], method=method)
    y = (-1 + np.sqrt(1.16)) / 8
    np.testing.assert_allclose(steady.concentrations[0, :2], y, rtol=ROUNDED)


def test_samples_units_and_scans_are_told_apart():
    """Two units between their ends, and samples of which one is."""
    found = cn.Simulator(of_rivals(2)).steady_state([[1.0], [-1.0]], on_error="nan")
    assert [status.failed for status in found.status] == [True, False]
    assert np.isnan(found.concentrations[0]).all()
    with pytest.raises(cn.ConvergenceError, match=r"layer 'layer1': small changes lead away"):
        cn.Simulator(of_rivals(2)).steady_state([1.0])
    status = cn.scan(of_rivals(), {"x0": [-1.0, 1.0]})["status"].values.tolist()
    assert status[0] == "solved"
    assert status[1].startswith("failed: layer 'layer1': small changes lead away")


@dataclass(frozen=True)
class Boosting(Copy):
    """A follower that two of make more of: F' = Y - 5 F + F^2, at rest where F = (5 -+ s) / 2, s =
    sqrt(25 - 4 Y), and stable at the lower alone.
    """

    followers = (Follower("M", 10.0),)
    local_reactions = (
        *Copy.local_reactions[:1],
        cn.LocalReaction(("M",), (), "d", 5.0),
        cn.LocalReaction(("M", "M"), ("M", "M", "M"), "more"),
    )

    def concentrations(self, z):
        y = smoothed_relu(np.asarray(z, dtype=float), self.h)
        return np.stack([y, (5 - np.sqrt(25 - 4 * y)) / 2], axis=-1)

    def derivative(self, z):
        y = smoothed_relu(np.asarray(z, dtype=float), self.h)
        return smoothed_relu_derivative(z, self.h) / np.sqrt(25 - 4 * y)


@pytest.mark.parametrize("engine", ["roadrunner", "rate_equations"])
@pytest.mark.parametrize("method", ["units", "flat", "integrate"])
def test_of_a_follower_with_two_roots_the_larger_is_no_answer(method, engine):
    """No species act on one another both ways, and yet small changes lead away from it."""
    layer = cn.Layer(np.ones((1, 1)), np.zeros(1), Boosting(h=0.01))
    simulator = cn.Simulator(cn.Network([layer], inputs="signed"), engine=engine)
    y = 2 + np.sqrt(4.01)
    lower, upper = ((5 + side * np.sqrt(25 - 4 * y)) / 2 for side in (-1, 1))
    for begin in (0.5, 3.9, upper, 4.2, 6.0):
        steady = simulator.steady_state([4.0], {"Y1_0": y, "M1_0": begin}, method, "nan")
        # by units Newton's method goes to the nearer root, and no time course decides
        if begin < (3 if method == "units" else upper):
            np.testing.assert_allclose(steady.concentrations[0], [y, lower], rtol=SOLVED)
        else:
            assert steady.status[0].failed


# Where looking for eigenvalues is spared ---------------------------------------------------------

IN_TURN = {
    "a quadratic": ("B=1; ->B; 8; B->; 14*B; 2B->B; 7*B^2", True),
    "a gain by itself": ("B=1; ->B; 8; B->2B; 3*B; 2B->B; B^2", True),
    "a cascade": ("A=1; B=1; ->A; 1; A->; A; A->A+B; A; B->; B", True),
    "a gain by two of itself": (SWITCH, False),
    "a circle": ("A=1; B=1; A->B; A; B->A; B", False),
    "two that push each other": ("A=1; B=1; A+B->A; A*B; A+B->B; A*B; ->A; 1; ->B; 1", False),
}


@pytest.mark.parametrize("case", IN_TURN)
def test_what_settles_in_turn_is_seen_from_the_reactions(case):
    text, expected = IN_TURN[case]
    assert cn.import_antimony(text).settles_in_turn == expected


@pytest.mark.parametrize("case", corpus(), ids=lambda case: case.name)
def test_our_networks_settle_in_turn(case):
    """So that none of their steady states costs eigenvalues, which say the same."""
    crn = cn.to_reactions(case.net, case.x[0])
    assert crn.settles_in_turn
    if len(crn.floating) <= 60:
        x = cn.Simulator(case.net).steady_state(case.x[0]).concentrations[0]
        jacobian = crn.jacobian(x).toarray()
        assert np.linalg.eigvals(jacobian).real.max() < 0


def test_what_is_dominated_does_not_grow():
    """By columns or by relative rows; and what is not may be stable all the same."""
    rng, seen = np.random.default_rng(0), 0
    for _ in range(400):
        n = rng.integers(1, 5)
        x = 10 ** rng.uniform(-3, 3, n)
        matrix = rng.normal(size=(n, n)) * 10 ** rng.uniform(-2, 2) / n
        matrix -= np.diag(rng.uniform(0, 4, n))
        matrix = matrix * x[:, None] / x if rng.random() < 0.5 else matrix
        if stability._is_dominated(matrix, x):
            seen += 1
            assert np.linalg.eigvals(matrix).real.max() <= 0
    assert 50 < seen < 350
    assert not stability._is_dominated(np.array([[1e-9]]), np.ones(1))
    # by columns alone, by relative rows alone, and by neither
    assert stability._is_dominated(np.array([[-1.0, 3.0], [0.5, -4.0]]), np.ones(2))
    assert stability._is_dominated(np.array([[-1.0, 5.0], [0.1, -1.0]]), np.array([10.0, 1.0]))
    assert not stability._is_dominated(np.array([[-1.0, 5.0], [0.1, -1.0]]), np.array([1.0, 1.0]))


@pytest.mark.parametrize("case", corpus()[::6], ids=lambda case: case.name)
def test_what_cancels_among_all_reactions_bounds_what_does_in_drives(case):
    """gross / (|slope| x), from what solving leaves, is at most off by what followers have."""
    sim = cn.Simulator(case.net)
    x = case.x[:3]
    y, _, _, most = sim._by_flat_model(x, None, newton=True)
    assert most is not None
    for bound, size in zip(most, sim.accuracy._cancelling(x, y), strict=True):
        assert np.all(size <= bound)
        assert bound.shape == (len(x),)
