"""Constants and start values that follow from others."""

from dataclasses import replace

import numpy as np
import pytest

import crn_nn_tellurium as cn


def expression(*terms):
    """A sum of (coefficient, powers by symbol)."""
    return cn.Expression(tuple(cn.Monomial(c, tuple(powers.items())) for c, powers in terms))


FLOW = cn.ReactionNetwork(
    [
        cn.Species("A", expression((3.0, {"B": 2.0, "Ain": 0.5}))),
        cn.Species("B", expression((2.0, {"X": 1.0}))),
        cn.Species("X", expression((1.0, {"D": 1.0}), (0.5, {"Ain": -1.0})), boundary=True),
    ],
    [
        cn.Reaction("inflow", (), ("A",), "feed", 0.0),
        cn.Reaction("outflow", ("A",), (), "D", 1.5),
        cn.Reaction("use", ("A", "X"), ("B", "X"), "k", 7.0),
    ],
    [cn.Observable("read", expression((2.0, {"Ain": 1.0, "A": 1.0})))],
    parameters=[cn.Parameter("Ain", 4.0), cn.Parameter("wide", 0.0)],
    formulas={
        "feed": expression((1.0, {"D": 1.0, "wide": 1.0})),
        "wide": expression((2.0, {"Ain": 1.0}), (1.0, {})),
    },
)


def test_what_follows_has_the_value_of_its_formula():
    """By hand: wide = 2 4 + 1 = 9, feed = 1.5 9, X = 1.5 + 1/8, B = 2 X, A = 3 B^2 sqrt(4)."""
    assert FLOW.constant_names == ("feed", "D", "k", "Ain", "wide")
    assert FLOW.constants.tolist() == [13.5, 1.5, 7.0, 4.0, 9.0]
    assert FLOW.free_constants == ("D", "k", "Ain")
    assert FLOW.start_values == {"A": 3 * 3.25**2 * 2, "B": 3.25, "X": 1.625}
    assert FLOW.boundary_concentrations.tolist() == [1.625]


def test_derive_takes_what_follows_anew_for_many_at_once():
    given = np.array([[0.0, 2.0, 7.0, 1.0, 0.0], [0.0, 1.0, 7.0, 0.0, 0.0]])
    found = FLOW.derive(given)
    assert found.tolist() == [[6.0, 2.0, 7.0, 1.0, 3.0], [1.0, 1.0, 7.0, 0.0, 1.0]]
    assert FLOW.starts(found[0], {"B": 1.0}) == {"A": 3.0, "B": 1.0, "X": 2.5}


def test_the_input_jacobian_is_that_of_differences():
    names, step = (*FLOW.free_constants, *FLOW.boundary), 1e-6

    def inputs(values):
        k = FLOW.constants.copy()
        for name in FLOW.free_constants:
            k[FLOW.constant_names.index(name)] = values[name]
        k = FLOW.derive(k)
        return np.append(k, FLOW.starts(k)["X"])

    at = {name: FLOW.constants[FLOW.constant_names.index(name)] for name in FLOW.free_constants}
    found = FLOW.input_jacobian().toarray()
    for column, name in enumerate(FLOW.free_constants):
        up, down = (inputs(at | {name: at[name] + sign * step}) for sign in (1, -1))
        # of polynomials and 1/Ain, central differences are good to step^2 and eps / step, 1e-9
        np.testing.assert_allclose(found[:, column], (up - down) / (2 * step), atol=1e-8)
    assert found[:, names.index("X")].tolist() == [0, 0, 0, 0, 0, 1]


def test_numbers_in_place_of_formulas_have_the_same_equations():
    numbers = FLOW.with_numbers()
    assert (numbers.parameters, numbers.formulas) == ((), ())
    assert numbers.start_values == FLOW.start_values
    x = [0.3, 0.7]
    assert numbers.right_hand_side(x).tolist() == FLOW.right_hand_side(x).tolist()
    assert numbers.observe(x).tolist() == FLOW.observe(x).tolist()


A = cn.Species("A")
LOST = cn.Reaction("lost", ("A",), (), "k", 1.0)
REFUSED = {
    "a circle of constants": (
        {"formulas": {"k": expression((2.0, {"p": 1.0})), "p": expression((1.0, {"k": 1.0}))}},
        "formulas of constants go in a circle: k -> p -> k; give one of them a number",
    ),
    "below zero": (
        {"formulas": {"k": expression((-1.0, {"p": 1.0}))}},
        "rate constant 'k' follows from -p, which is -3.0; expected >= 0",
    ),
    "no value": (
        {"formulas": {"k": expression((1.0, {"p": 1.0, "zero": -1.0}))}},
        "'k' follows from p/zero, which has no finite value",
    ),
    "of nothing": (
        {"formulas": {"q": expression((1.0, {"p": 1.0}))}},
        "formula of 'q': expected one of a rate constant or parameter",
    ),
    "reads a species": (
        {"formulas": {"k": expression((1.0, {"A": 1.0}))}},
        "formula of 'k' reads 'A', which is neither a rate constant nor a parameter",
    ),
    "a circle of starts": (
        {
            "species": [
                cn.Species("A", expression((1.0, {"B": 1.0}))),
                cn.Species("B", expression((1.0, {"A": 1.0}))),
            ]
        },
        "start values go in a circle: A -> B -> A",
    ),
    "two meanings": (
        {"parameters": [cn.Parameter("A", 1.0)]},
        "parameter 'A': already the identifier of a species",
    ),
}


@pytest.mark.parametrize(("parts", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_follow_is_refused(parts, message):
    given = {"species": [A], "reactions": [LOST]}
    given["parameters"] = [cn.Parameter("p", 3.0), cn.Parameter("zero", 0.0)]
    with pytest.raises(cn.ReactionError, match=message.replace("(", r"\(")):
        cn.ReactionNetwork(**(given | parts))


def test_a_parameter_that_is_not_finite_is_refused():
    with pytest.raises(cn.ReactionError, match="parameter 'p' is nan; expected a finite number"):
        cn.Parameter("p", float("nan"))


ROOT = cn.ReactionNetwork(
    [cn.Species("A", expression((1.0, {"p": 0.5})))],
    [cn.Reaction("make", (), ("A",), "i", 3.0), cn.Reaction("lose", ("A",), (), "k", 2.0)],
    [cn.Observable("part", expression((1.0, {"A": 1.0, "p": -1.0})))],
    parameters=[cn.Parameter("p", 0.0)],
)


def test_a_start_without_a_derivative_is_no_matter_for_what_does_not_follow_from_it():
    assert ROOT.input_jacobian().toarray().tolist() == np.eye(3).tolist()
    found = cn.transient_sensitivities(ROOT, t_end=1.0, outputs=["A"], parameters=["i"])
    # A = (1 - exp(-2 t)) i / 2, which CVODE has to some 1e-6
    np.testing.assert_allclose(found.values[-1].item(), (1 - np.exp(-2)) / 2, rtol=1e-5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: cn.transient_sensitivities(ROOT, t_end=1.0),
            r"the derivative of 'A' by 'p' follows from 0.5\*sqrt\(1/p\), which has no finite value"
            r" at {'p': 0.0}",
        ),
        (ROOT.with_numbers, "a number in 'part' follows from 1/p, which has no finite value"),
        (lambda: cn.PhysicalUnits(c0=10, tau=1).of(ROOT), "a number in 'part' follows from 1/p"),
    ],
)
def test_what_has_no_finite_number_is_said(call, message):
    with pytest.raises(cn.ReactionError, match=message):
        call()


def test_starts_of_many_rate_constants_come_in_their_shape():
    """A = 2 k, B = 3: by sample (2, 3) of rate constants, and of one."""
    twice = cn.Expression((cn.Monomial(2.0, (("k", 1.0),)),))
    crn = cn.ReactionNetwork(
        [cn.Species("A", twice), cn.Species("B", 3.0)],
        [cn.Reaction("J", ("A",), ("B",), "k", 0.5)],
    )
    k = np.arange(6.0).reshape(2, 3)
    found = crn.initial_state(constants=k[..., None])
    np.testing.assert_array_equal(found, np.stack([2 * k, np.full((2, 3), 3.0)], axis=-1))
    assert crn.initial_state().tolist() == [1.0, 3.0]
    numbers = replace(crn, species=[cn.Species("A", 1.0), cn.Species("B", 3.0)])
    assert numbers.initial_state(constants=k[..., None]).shape == (2, 3, 2)


def test_a_start_a_little_below_zero_is_refused():
    formula = cn.Expression((cn.Monomial(1.0, (("k", 1.0),)), cn.Monomial(-1.0)))
    crn = cn.ReactionNetwork([cn.Species("A", formula)], [cn.Reaction("J", ("A",), (), "k", 1.0)])
    assert crn.initial_state().tolist() == [0.0]
    with pytest.raises(cn.ReactionError, match=r"the start of species.*'A'|'A'.*-0\.25"):
        crn.initial_state(constants=[0.75])
