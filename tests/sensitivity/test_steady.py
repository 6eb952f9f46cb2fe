"""Sensitivities of steady states: exact answers, roadrunner's differences, and what has none."""

import numpy as np
import pytest
from scipy import optimize
from support import networks
from support.tolerances import DIFFERENCED, IN_TIME, INTEGRATED, ROUNDED, SOLVED

import crn_nn_tellurium as cn
from crn_nn_tellurium.networks.parameter_vector import parameters
from crn_nn_tellurium.sensitivity.steady import combination_text
from crn_nn_tellurium.simulation import reduced_equations

CORPUS = networks.corpus()
IDS = [case.name for case in CORPUS]


def reaction(text, k, value):
    left, right = (tuple(side.split()) for side in text.split("=>"))
    return cn.Reaction(f"J_{k}", left, right, k, value)


@pytest.mark.parametrize("case", CORPUS[::3], ids=IDS[::3])
def test_a_network_and_its_flat_reactions_agree(case):
    """Two ways through different code: layer by layer, and sparse LU of the flat Jacobian."""
    by_layer = cn.sensitivities(case.net, case.x[0])
    flat = cn.sensitivities(cn.to_reactions(case.net, case.x[0]))
    assert flat.outputs[-len(by_layer.outputs) :] == by_layer.outputs
    for output in by_layer.outputs:
        for number in range(1, len(case.net.layers) + 1):
            expected = flat[output, f"h{number}"]
            assert np.isclose(by_layer[output, f"h{number}"], expected, rtol=SOLVED, atol=SOLVED)
        if case.net.inputs == "nonnegative":
            for name in case.net.input_names:
                assert np.isclose(
                    by_layer[output, name], flat[output, name], rtol=SOLVED, atol=SOLVED
                )


def test_batches_names_and_tables(rng):
    net = cn.Network.random([2, 3, 2], seed=0)
    x = rng.random((5, 2))
    found = cn.sensitivities(net, x)
    names = [p.id for p in parameters(net)]
    assert found.values.shape == (5, 2, len(names) + 2)
    assert found.parameters == (*names, "x0", "x1")
    one = cn.sensitivities(net, x[3], outputs=["y1"], parameters=["x1", "w1_2_0"])
    assert one.values.shape == (1, 2)
    np.testing.assert_allclose(one["y1", "w1_2_0"], found["y1", "w1_2_0"][3], rtol=ROUNDED)
    assert one.to_frame().columns.tolist() == ["x1", "w1_2_0"]
    assert "1 outputs by 2 parameters" in repr(one)
    for table, shape in ((one, {"output": 1, "parameter": 2}), (found, {"sample": 5})):
        ds = table.to_xarray()
        assert shape.items() <= dict(ds.sizes).items()
        assert ("sample" in ds.sizes) == (table is found)
        read = ds.sel(output="y1", parameter="w1_2_0")
        np.testing.assert_array_equal(read.sensitivities, table["y1", "w1_2_0"])
    step = 1e-6
    changed = (net(x[3] + [0, step]) - net(x[3] - [0, step]))[1] / (2 * step)
    assert np.isclose(one["y1", "x1"], changed, rtol=DIFFERENCED)
    assert np.isclose(one.relative[0, 0], changed * x[3, 1] / net(x[3])[1], rtol=DIFFERENCED)


def test_a_cascade_that_is_no_neural_network_has_its_exact_sensitivities():
    """A = a / d, B = k A^2 / e: all in closed form."""
    a, d, k, e = 3.0, 2.0, 0.5, 4.0
    crn = cn.ReactionNetwork(
        [cn.Species("A"), cn.Species("B"), cn.Species("X", 1.0, boundary=True)],
        [
            reaction("X => X A", "a", a),
            reaction("A =>", "d", d),
            reaction("A A => A A B", "k", k),
            reaction("B =>", "e", e),
        ],
    )
    found = cn.sensitivities(crn)
    level = a / d
    exact = {
        ("A", "a"): 1 / d,
        ("A", "d"): -a / d**2,
        ("A", "k"): 0.0,
        ("A", "X"): a / d,
        ("B", "k"): level**2 / e,
        ("B", "e"): -k * level**2 / e**2,
        ("B", "a"): 2 * k * level / e / d,
        ("B", "X"): 2 * k * level / e * a / d,
    }
    for key, value in exact.items():
        assert np.isclose(found[key], value, rtol=ROUNDED, atol=ROUNDED), key


def test_a_species_that_dies_out_has_sensitivities_too():
    crn = cn.ReactionNetwork(
        [cn.Species("A", 1.0), cn.Species("B", 1.0)],
        [
            reaction("A =>", "d", 1.0),
            reaction("A => A B", "s", 2.0),
            reaction("=> B", "a", 3.0),
            reaction("B =>", "e", 2.0),
        ],
    )
    found = cn.sensitivities(crn)
    np.testing.assert_allclose(found.output_values, [0.0, 1.5], rtol=ROUNDED, atol=ROUNDED)
    assert np.isclose(found["B", "a"], 0.5, rtol=SOLVED)
    assert abs(found["A", "d"]) < SOLVED


def network(starts, steps):
    """Steps are (equation, value); rate constants are k1, k2, ..."""
    reactions = [reaction(text, f"k{i}", value) for i, (text, value) in enumerate(steps, 1)]
    species = (cn.Species(name, value) for name, value in starts.items())
    return cn.ReactionNetwork(list(species), reactions, name="closed")


REVERSIBLE = network({"A": 10.0, "B": 0.0}, [("A => B", 2.0), ("B => A", 3.0)])


def test_what_conserves_something_has_derivatives_by_constants_and_starts():
    """A = s k2 / (k1 + k2), s = A(0) + B(0): all in closed form."""
    found = cn.sensitivities(REVERSIBLE, parameters=["k1", "k2", "A", "B"])
    np.testing.assert_allclose(found.output_values, [6.0, 4.0], rtol=ROUNDED)
    np.testing.assert_allclose(found.parameter_values, [2.0, 3.0, 10.0, 0.0])
    exact = np.array([-10 * 3 / 25, 10 * 2 / 25, 0.6, 0.6])
    np.testing.assert_allclose(found.values[0], exact, rtol=ROUNDED)
    np.testing.assert_allclose(found.values[1], [*-exact[:2], 0.4, 0.4], rtol=ROUNDED)
    assert cn.sensitivities(REVERSIBLE).parameters == ("k1", "k2")
    # from a state that is near, whose sum is meant
    near = cn.sensitivities(REVERSIBLE, [3.0, 2.0001], parameters=["k1", "B"])
    np.testing.assert_allclose(near.output_values, [3.00006, 2.00004], rtol=ROUNDED)
    np.testing.assert_allclose(near.values[0], [-5.0001 * 3 / 25, 0.6], rtol=ROUNDED)


@pytest.mark.parametrize("scale", [1.0, 2.0**-13])
def test_a_state_that_is_near_no_root_is_followed_in_time(scale):
    """a' = (a - 0.2) (a - 5) ((a - 1)^2 + 2e-4), a = A / scale: from 1.033 Newton's method leads to
    5, and the course to 0.2.
    """
    terms = np.polymul(np.poly([0.2, 5.0]), [1.0, -2.0, 1.0002])[::-1]
    steps = [
        (
            f"{'A ' * order}=> {'A ' * (order + int(np.sign(term)))}",
            abs(term) / scale ** (order - 1),
        )
        for order, term in enumerate(terms.tolist())
    ]
    crn = network({"A": 1.033 * scale}, steps)
    equations = reduced_equations(crn)
    start = crn.initial_concentrations
    np.testing.assert_allclose(equations.newton(start, np.zeros(0)), 5 * scale)
    found = cn.sensitivities(crn, start, parameters=["k1"])
    np.testing.assert_allclose(found.output_values, 0.2 * scale, rtol=SOLVED)
    slope = np.polyval(np.polyder(terms[::-1]), 0.2)
    np.testing.assert_allclose(found["A", "k1"], -1 / slope, rtol=SOLVED)


def test_two_targets_of_one_inhibitor_agree_with_differences():
    """Their sums are known, so the free inhibitor Q is the root of one equation."""
    starts = {"P": 25.0, "Q": 150.0, "PQ": 0.0, "R": 1800.0, "RQ": 0.0}
    on, off, on_r, off_r = 0.06, 3e-4, 1e-5, 0.1

    def free(p, q, r, k):
        def excess(x):
            bound = p * x / (x + k[1] / k[0]) + r * x / (x + k[3] / k[2])
            return x + bound - q

        return optimize.brentq(excess, 0.0, q, xtol=1e-14, rtol=1e-15)

    constants = [on, off, on_r, off_r]
    steps = ["P Q => PQ", "PQ => P Q", "R Q => RQ", "RQ => R Q"]
    crn = network(starts, list(zip(steps, constants, strict=True)))
    found = cn.sensitivities(crn, parameters=["P", "Q", "R", "k1", "k2", "k3", "k4"])
    # half of the last digit that is known
    assert found.output_values[1] == pytest.approx(106.10312903, abs=5e-9)
    at = np.array([25.0, 150.0, 1800.0, *constants])
    for column, value in enumerate(at):
        # central differences: 1e-4 relative leaves 1e-8, rounding of the root 1e-11 / 1e-4
        moved = [at + value * step * np.eye(7)[column] for step in (1e-4, -1e-4)]
        up, down = (free(*x[:3], x[3:]) for x in moved)
        expected = (up - down) / (2e-4 * value)
        assert found.values[1, column] == pytest.approx(expected, rel=DIFFERENCED), column


def test_starts_that_follow_from_constants_count():
    """B(0) = 2 k1: A = (A(0) + 2 k1) k2 / (k1 + k2)."""
    twice = cn.Expression((cn.Monomial(2.0, (("k1", 1.0),)),))
    species = [cn.Species("A", 1.0), cn.Species("B", twice)]
    crn = cn.ReactionNetwork(species, REVERSIBLE.reactions)
    found = cn.sensitivities(crn, outputs=["A"], parameters=["k1", "B"])
    slope = (2 * 5 - 5) * 3 / 25
    np.testing.assert_allclose(found.values, [[slope, 0.6]], rtol=ROUNDED)


def test_a_double_root_has_no_derivatives():
    """A + B -> C from equal starts: C = min(A, B) has a kink there."""
    crn = network({"A": 1.0, "B": 1.0, "C": 0.0}, [("A B => C", 1.0)])
    with pytest.raises(cn.SingularJacobianError, match="does not return"):
        cn.sensitivities(crn)


def test_a_line_of_steady_states_without_conservation_is_refused():
    crn = cn.ReactionNetwork(
        [cn.Species("A", 1.0), cn.Species("B", 1.0)],
        [
            reaction("A B => A A B", "k1", 1.0),
            reaction("A B => B", "k2", 1.0),
            reaction("=> B", "a", 1.0),
            reaction("B =>", "d", 1.0),
        ],
    )
    with pytest.raises(cn.SingularJacobianError, match="combination A does not return"):
        cn.sensitivities(crn)


def test_unstable_steady_states_are_refused():
    growth = [reaction("A => A A", "a", 2.0), reaction("A A => A", "q", 1.0)]
    with pytest.raises(cn.ConvergenceError, match="unstable"):
        cn.sensitivities(cn.ReactionNetwork([cn.Species("A")], growth))
    found = cn.sensitivities(cn.ReactionNetwork([cn.Species("A", 0.1)], growth))
    assert np.isclose(found["A", "a"], 1.0)
    orbit = [
        reaction("A => A A", "a", 1.0),
        reaction("A B => B B", "b", 1.0),
        reaction("B =>", "c", 1.0),
    ]
    with pytest.raises(cn.ConvergenceError):
        cn.sensitivities(cn.ReactionNetwork([cn.Species("A", 0.5), cn.Species("B", 0.5)], orbit))


def test_derivatives_of_dead_ends_are_those_of_the_course():
    """B = A0 k / (k + q), and the final size of an epidemic: S = S0 e^(-b/g (S0 + I0 - S))."""
    text = "A->B; k*A; A->C; q*A; A=1; B=0; C=0; k=1; q=3"
    found = cn.sensitivities(cn.import_antimony(text), parameters=["k", "q", "A", "B"])
    # CVODE's tolerance of derivatives is 1e-10 of each a step
    assert found["B", "k"] == pytest.approx(3 / 16, rel=INTEGRATED)
    assert found["B", "q"] == pytest.approx(-1 / 16, rel=INTEGRATED)
    assert found["B", "A"] == pytest.approx(1 / 4, rel=INTEGRATED)
    assert found["B", "B"] == pytest.approx(1.0, rel=INTEGRATED)
    assert found["A", "k"] == pytest.approx(0.0, abs=SOLVED)
    text = "S+I->2I; b*S*I; I->R; g*I; S=0.99; I=0.01; R=0; b=2; g=1"
    found = cn.sensitivities(cn.import_antimony(text), parameters=["b", "g", "S"])
    size, ratio = found.output_values[found.outputs.index("S")], 2.0
    slope = 1 - ratio * size
    assert found["S", "b"] == pytest.approx(-size * (1.0 - size) / slope, rel=IN_TIME)
    assert found["S", "g"] == pytest.approx(ratio * size * (1.0 - size) / slope, rel=IN_TIME)
    assert found["S", "S"] == pytest.approx(size * (1 / 0.99 - ratio) / slope, rel=IN_TIME)
    # at a state that was given no course leads to it
    with pytest.raises(cn.SingularJacobianError, match="does not return"):
        cn.sensitivities(cn.import_antimony(text), found.output_values, parameters=["b"])


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([1.0, 2.0, 0.0], "A + 2 B"),
        # of a null vector the ratios tell, however it is scaled
        ([1e-8, 2e-8, 1e-20], "A + 2 B"),
        ([-3e5, 3e5, -6e5], "A - B + 2 C"),
        ([0.5, 1.25, -4.0], "0.125 A + 0.3125 B - C"),
    ],
)
def test_a_combination_reads_as_one_writes_it(values, text):
    assert combination_text(["A", "B", "C"], np.array(values)) == text


@pytest.mark.parametrize(("chosen", "said"), [("outputs", "0 outputs by 2"), ("parameters", "0 p")])
def test_derivatives_of_nothing_or_by_nothing_have_a_repr(chosen, said):
    found = cn.sensitivities(
        cn.import_antimony("-> A; h; A -> ; d*A; h = 1; d = 1"), **{chosen: []}
    )
    assert found.values.size == 0
    assert said in repr(found)
    assert "largest" not in repr(found)


def test_species_too_many_to_be_named_have_derivatives_or_an_error(monkeypatch):
    """A_i = h / d_i; and S, of which all values are at rest, without the combination that is."""
    monkeypatch.setattr("crn_nn_tellurium.sensitivity.steady.NAMED_UP_TO", 1)
    apart = "-> A; h; A -> ; d*A; -> B; h; B -> ; e*B; h = 2; d = 4; e = 8"
    found = cn.sensitivities(cn.import_antimony(apart), parameters=["h", "e"])
    np.testing.assert_allclose(
        [found["A", "h"], found["B", "h"], found["A", "e"], found["B", "e"]],
        [1 / 4, 1 / 8, 0.0, -1 / 32],
        rtol=ROUNDED,
    )
    still = cn.import_antimony("-> A; h; A -> ; d*A; S -> 2 S; S; S -> ; S; h = 2; d = 4; S = 1")
    with pytest.raises(cn.SingularJacobianError, match="is singular, so it has no derivatives"):
        cn.sensitivities(still, [0.5, 1.0], parameters=["h"])
