"""How far states are from their fixed points."""

import numpy as np
from support.tolerances import LAST_DIGIT

import crn_nn_tellurium as cn
from crn_nn_tellurium.chemistry import Balance, Terms
from crn_nn_tellurium.chemistry.rates import settle_in_turn

CRN = cn.ReactionNetwork(
    [cn.Species("A"), cn.Species("B"), cn.Species("C", 0.7, boundary=True)],
    [
        cn.Reaction("J1", (), ("A",), "k1", 2.0),
        cn.Reaction("J2", ("A", "B"), ("B",), "k2", 3.0),
        cn.Reaction("J3", {"A": 2}, ("B",), "k3", 5.0),
        cn.Reaction("J4", ("C", "B"), ("C", "A"), "k4", 7.0),
        cn.Reaction("J5", ("B", "A"), ("A",), "k5", 11.0),
    ],
)
"""A' = 2 - 3 A B - 10 A^2 + 7 C B and B' = 5 A^2 - 7 C B - 11 A B."""


def test_within_is_the_distance_beside_what_is_allowed(rng):
    """In arrays and in Python's numbers, with slopes and rates of zero among them."""
    net = rng.choice([0.0, 1e-13, -1e-9, 1.0], 500)
    gross, slope = rng.choice([0.0, 1.0, 1e3], 500), rng.choice([0.0, -1.0, 2.0], 500)
    balance, allowed = Balance(net, gross, slope), 10 ** rng.uniform(-14, 0, 500)
    # no drawn distance comes near its limit, where either way of rounding would be right
    expected = balance.distance <= allowed + balance.rounding
    np.testing.assert_array_equal(balance.within(allowed), expected)
    one_by_one = zip(*(part.tolist() for part in (net, gross, slope, allowed)), strict=True)
    assert [Balance(*each).within(most) for *each, most in one_by_one] == expected.tolist()


def test_imbalance_is_0_where_nothing_happens_and_1_where_all_is_gain():
    net, gross = np.array([0.0, 2.0, -2.0, 0.5, 0.0]), np.array([0.0, 2.0, 2.0, 2.0, 3.0])
    balance = Balance(net, gross, np.full(5, -1.0))
    assert balance.imbalance.tolist() == [0.0, 1.0, 1.0, 0.25, 0.0]


def test_what_is_no_number_is_at_no_fixed_point():
    balance = CRN.balance([[np.nan, 1.0], [1.0, np.nan]], boundary=[[0.7], [np.nan]])
    assert np.isnan(balance.imbalance).tolist() == [[True, True], [True, True]]
    assert not balance.within(np.inf).any()
    assert np.all(balance.distance == np.inf)
    beyond = Balance(*np.array([[-np.inf], [np.inf], [-np.inf]]))
    assert beyond.within(1e-9).tolist() == [False]
    assert not Balance(-np.inf, np.inf, -np.inf).within(1e-9)


def by_hand(a, b, c):
    """Rates and their derivatives by A, B and C."""
    rates = [2 - 3 * a * b - 10 * a**2 + 7 * c * b, 5 * a**2 - 7 * c * b - 11 * a * b]
    by_a, by_b, by_c = [-3 * b - 20 * a, 10 * a - 11 * b], [-3 * a + 7 * c, -7 * c - 11 * a], 7 * b
    return rates, [[by_a[0], by_b[0], by_c], [by_a[1], by_b[1], -by_c]]


def test_derivatives_are_those_by_hand_as_a_matrix_and_as_an_array(rng):
    for at in rng.uniform(0.1, 3, (5, 3)):
        x = np.append(at, 1.0)
        _, expected = by_hand(*at)
        derivatives = CRN.jacobian_terms
        for found in (
            derivatives.matrix(x, CRN.constants).toarray(),
            derivatives.array(x, CRN.constants),
        ):
            # sums of two terms about 100, which may cancel
            np.testing.assert_allclose(found, expected, rtol=1e-14, atol=1e-13)


def test_terms_of_the_floating_species_alone_have_what_is_held_in_their_numbers(rng):
    held, constants = rng.uniform(0.5, 2, 1), rng.uniform(0.5, 2, 5)
    alone = CRN.terms.holding(held, constants)
    # -k2 A B stands alone in A', -k4 C B and -k5 A B in B'; what is 0 is left out
    assert len(alone) == 7
    assert len(CRN.terms.holding(np.zeros(1), constants)) == 5
    x = rng.uniform(0.1, 3, (4, 2))
    extended = np.hstack([x, np.ones((4, 1))])
    found = alone.sums(extended, np.ones(1))
    # sums of four terms about 10
    np.testing.assert_allclose(found, CRN.right_hand_side(x, held, constants), atol=1e-13)
    np.testing.assert_allclose(
        CRN.right_hand_side(x, at := np.array([0.7])),
        np.transpose(by_hand(*x.T, at)[0]),
        atol=1e-13,  # as before
    )


def test_tables_side_by_side_add_up():
    """Of orders 0 to 3, one after another and the other way round."""
    species = [cn.Species("A"), cn.Species("B")]
    feed = cn.ReactionNetwork(species, [cn.Reaction("J1", (), ("A",), "k", 0.3)])
    pair = cn.ReactionNetwork(species, [cn.Reaction("J2", ("A", "B"), ("B",), "k", 0.3)])
    trio = cn.ReactionNetwork(species, [cn.Reaction("J3", ("A", "A", "B"), ("B", "B"), "k", 0.3)])
    x, k = np.array([1.7, 0.6]), np.array([0.3])
    for parts in ([feed, pair, trio], [trio, feed], [pair, pair], [feed]):
        terms = Terms.side_by_side([part.terms for part in parts], 2)
        found = terms.add(terms.monomials(np.array([*x, 1.0]), k))
        expected = sum(part.right_hand_side(x) for part in parts)
        np.testing.assert_allclose(found, expected, rtol=LAST_DIGIT)


def test_what_settles_in_turn():
    def does(*equations):
        crn = cn.import_antimony("; ".join(f"{text}; k*{of}" for text, of in equations) + "; k = 1")
        return settle_in_turn(crn.terms, crn.jacobian_terms)

    feed, loss, crowd = ("-> A", "1"), ("A ->", "A"), ("2 A -> A", "A^2")
    assert does(feed, loss)
    # more of one from one has a fixed point beside what two take
    assert does(feed, ("A -> 2 A", "A"), crowd)
    assert not does(feed, loss, ("2 A -> 3 A", "A^2"))
    assert does(feed, loss, ("A -> A + B", "A"), ("B ->", "B"))
    assert not does(feed, loss, ("A -> A + B", "A"), ("B -> A", "B"))


def test_one_state_beside_many_of_what_is_held(rng):
    held = rng.uniform(0.1, 2.0, (2, 3, 1))
    x = np.array([1.7, 0.6])
    found = CRN.right_hand_side(x, held)
    assert found.shape == (2, 3, 2)
    for place in np.ndindex(2, 3):
        np.testing.assert_array_equal(found[place], CRN.right_hand_side(x, held[place]))
