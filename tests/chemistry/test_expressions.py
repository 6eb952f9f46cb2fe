"""Sums of monomials: what is written twice is one, and what is no term is refused."""

import numpy as np
import pytest
from support.tolerances import ROUNDED

import crn_nn_tellurium as cn

SQUARE = cn.Monomial(3.0, (("x", 1), ("k", 1), ("x", 1)))


def test_a_symbol_that_stands_twice_is_multiplied_twice_everywhere():
    assert SQUARE.powers == (("x", 2.0), ("k", 1.0))
    assert SQUARE.derivative("x") == cn.Monomial(6.0, (("x", 1.0), ("k", 1.0)))
    product = SQUARE * cn.Monomial(2.0, (("k", -1.0),))
    assert product == cn.Monomial(6.0, (("x", 2.0),))
    line = cn.Monomial(1.0, (("x", 1.0), ("k", 1.0)))
    total = cn.Expression((SQUARE, line)).collected()
    assert total.evaluate({"x": 5.0, "k": 2.0}) == 3 * 25 * 2 + 5 * 2
    assert cn.Monomial(2.0, (("x", 1), ("x", -1))) == cn.Monomial(2.0)


def test_sensitivities_of_a_square_that_is_written_as_a_product():
    crn = cn.ReactionNetwork(
        [cn.Species("x", 1.0)],
        [cn.Reaction("J1", (), ("x",), "i", 6.0), cn.Reaction("J2", ("x",), (), "k", 2.0)],
        [cn.Observable("o", cn.Expression((SQUARE,)))],
    )
    # x = i / k, so that o = 3 i^2 / k
    found = cn.sensitivities(crn).to_frame().loc["o"]
    np.testing.assert_allclose(found[["i", "k"]], [6 * 6 / 2, -3 * 36 / 4], rtol=ROUNDED)


@pytest.mark.parametrize(
    ("coefficient", "powers"),
    [
        ("2", ()),
        (True, ()),
        (1.0, {"k1": 2.0}),
        (1.0, ("k1",)),
        (1.0, (("x", "2"),)),
        (1.0, (("x", float("nan")),)),
        (1.0, ((1, 2.0),)),
        (1.0, 3),
    ],
)
def test_what_is_no_term_is_refused(coefficient, powers):
    with pytest.raises(cn.ReactionError, match="expected a number, and pairs of a symbol and"):
        cn.Monomial(coefficient, powers)
