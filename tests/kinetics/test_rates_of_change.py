"""dx/dt and its derivatives by layers, against the network's own reactions."""

import numpy as np
import pytest
from support.networks import corpus

import crn_nn_tellurium as cn
from crn_nn_tellurium.encoding import to_reactions
from crn_nn_tellurium.kinetics import DenseRates, NetworkKinetics, RatesOfChange

# sums of up to a thousand terms in another order, relative to the largest entry
ROUNDING = 1e-13


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=0, atol=ROUNDING * np.abs(expected).max())


@pytest.mark.parametrize("case", corpus(), ids=lambda case: case.name)
def test_layers_are_their_reactions(case):
    kinetics, crn = NetworkKinetics(case.net), to_reactions(case.net)
    coded = case.net.input_coding.code(case.x)
    held, rng = coded.reshape(len(coded), -1), np.random.default_rng(0)
    x = rng.uniform(0.1, 1, (len(coded), len(kinetics.species)))
    v = rng.normal(size=x.shape)
    batch = kinetics.rates_of_change(coded)
    close(batch(x), crn.right_hand_side(x, held))
    jacobian = crn.jacobian(x[0], held[0]).toarray()
    close(batch.along(x, v)[0], jacobian @ v[0])
    close(batch.back(x, v)[0], v[0] @ jacobian)
    # of one sample, by layers and by reactions
    for one in (kinetics.rates_of_change(coded[0]), RatesOfChange.of(crn, held[0])):
        close(one(x[0]), crn.right_hand_side(x[0], held[0]))
        dense = DenseRates(one)
        close(dense(x[0]), crn.right_hand_side(x[0], held[0]))
        close(dense.jacobian(x[0]), jacobian)
        close(one.along(x[0], v[0]), jacobian @ v[0])
        close(one.back(x[0], v[0]), v[0] @ jacobian)


def test_dense_rates_of_terms_of_every_kind():
    """By the law of mass action: none, one, two and three factors, with the species and without."""
    reactions = [
        (("A",), ("A", "A")),  # own, first order
        (("A", "A"), ("A",)),  # own, twice
        (("B",), ("B", "C")),  # of another
        (("A", "B"), ("A", "B", "C")),  # of two others
        (("A", "C"), ("A",)),  # own, behind another
        (("A", "A", "B"), ("A", "B")),  # three factors
        ((), ("B",)),
    ]
    crn = cn.ReactionNetwork(
        [cn.Species(name, 1.0) for name in "ABC"],
        [
            cn.Reaction(f"r{i}", before, after, f"k{i}", i + 2.0)
            for i, (before, after) in enumerate(reactions)
        ],
    )
    dense, (a, b, c) = DenseRates(RatesOfChange.of(crn)), (2.0, 3.0, 5.0)
    expected = [2 * a - 3 * a**2 - 7 * a**2 * b, 8.0, 4 * b + 5 * a * b - 6 * a * c]
    np.testing.assert_array_equal(dense(np.array([a, b, c])), expected)
    np.testing.assert_array_equal(
        dense.jacobian(np.array([a, b, c])),
        [
            [2 - 6 * a - 14 * a * b, -7 * a**2, 0.0],
            [0.0, 0.0, 0.0],
            [5 * b - 6 * c, 4 + 5 * a, -6 * a],
        ],
    )


def test_terms_that_multiply_the_same_are_one():
    crn = to_reactions(corpus()[0].net)
    terms = crn.terms.holding(crn.boundary_concentrations + 1, crn.constants)
    keys = np.column_stack([terms.row, terms.factors])
    assert len(np.unique(keys, axis=0)) == len(terms) < len(crn.terms)
