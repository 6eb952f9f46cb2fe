"""ReactionNetwork against finite differences, roadrunner's own rates and scipy."""

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from support.tolerances import ROUNDED, SUMMED

import crn_nn_tellurium as cn
from crn_nn_tellurium.chemistry import renamed, signed_sum
from crn_nn_tellurium.simulation.engine import CompiledModel


@st.composite
def networks(draw):
    """Mass-action networks of order 0 to 2, with catalysts, shared constants, boundary species."""
    names = [f"S{i}" for i in range(draw(st.integers(1, 4)))]
    boundary = [f"B{i}" for i in range(draw(st.integers(0, 2)))]
    reactions = []
    for i in range(draw(st.integers(1, 6))):
        substrates = draw(st.lists(st.sampled_from(names + boundary), max_size=2))
        products = draw(st.lists(st.sampled_from(names + boundary), max_size=3))
        value = draw(st.one_of(st.just(0.0), st.floats(0.01, 5)))
        reactions.append(cn.Reaction(f"J{i}", substrates, products, f"k{i}", value))
    species = [cn.Species(name, draw(st.floats(0, 3))) for name in names]
    species += [cn.Species(name, draw(st.floats(0, 3)), boundary=True) for name in boundary]
    return cn.ReactionNetwork(species, reactions)


def states(crn, draw_zero=True):
    rng = np.random.default_rng(1)
    x = rng.uniform(0.1, 3, len(crn.floating))
    if draw_zero:
        x[::2] = 0
    return x


@given(networks(), st.booleans())
def test_jacobian_is_the_derivative_also_at_zero_concentration(crn, zero):
    x = states(crn, zero)
    step = 1e-6
    columns = [
        (crn.right_hand_side(x + step * e) - crn.right_hand_side(x - step * e)) / (2 * step)
        for e in np.eye(len(x))
    ]
    # central differences of polynomials of degree 2 are exact up to rounding, about 1e-16 / step
    np.testing.assert_allclose(crn.jacobian(x).toarray(), np.transpose(columns), atol=1e-7)


@given(networks(), st.booleans())
def test_rate_constant_jacobian_is_the_derivative_also_at_zero_constants(crn, zero):
    x, k = states(crn, zero), crn.constants
    columns = [
        crn.right_hand_side(x, constants=k + e) - crn.right_hand_side(x, constants=k)
        for e in np.eye(len(k))
    ]
    # the right-hand side is linear in the constants: a whole step is exact
    np.testing.assert_allclose(
        crn.rate_constant_jacobian(x).toarray(), np.transpose(columns), atol=1e-12
    )


@given(networks())
def test_slope_of_the_balance_is_the_diagonal_of_the_jacobian(crn):
    x = np.stack([states(crn), states(crn, False)])
    balance = crn.balance(x)
    expected = [crn.jacobian(row).diagonal() for row in x]
    np.testing.assert_allclose(balance.slope, expected, atol=ROUNDED)
    np.testing.assert_allclose(balance.net, crn.right_hand_side(x))
    assert np.all(balance.gross >= np.abs(balance.net) - 1e-12)


def test_roadrunner_has_the_same_right_hand_side(rng):
    crn = cn.ReactionNetwork(
        [cn.Species("A", 1.0), cn.Species("B", 0.5), cn.Species("C", 2.0, boundary=True)],
        [
            cn.Reaction("J0", (), ("A",), "k0", 0.3),
            cn.Reaction("J1", ("A",), ("B", "B"), "k1", 1.5),
            cn.Reaction("J2", ("A", "C"), ("C", "B"), "k2", 0.7),
            cn.Reaction("J3", ("B", "B"), ("A",), "k3", 0.2),
            cn.Reaction("J4", ("A", "B"), ("A", "B", "B"), "k3", 0.2),
        ],
    )
    for form in ("reactions", "compact", "numbers"):
        model = CompiledModel(cn.to_antimony(crn, form=form))
        for _ in range(10):
            x = rng.uniform(0, 3, 2)
            held = rng.uniform(0, 3, 1)
            order = [model.floating.index(name) for name in crn.floating]
            theirs = model.rates_of_change(held, x[np.argsort(order)])[order]
            np.testing.assert_allclose(
                theirs, crn.right_hand_side(x, held), rtol=ROUNDED, atol=SUMMED
            )


def test_batches_broadcast(rng):
    crn = cn.to_reactions(cn.Network.random([2, 3, 1], seed=0))
    x, held, k = rng.random((5, 4)), rng.random((5, 2)), rng.random((5, len(crn.rate_constants)))
    together = crn.right_hand_side(x, held, k)
    apart = [crn.right_hand_side(*row) for row in zip(x, held, k, strict=True)]
    np.testing.assert_allclose(together, apart)


def test_numbers_are_pythons_own_whatever_they_come_as():
    """A rate constant in single precision was compared with the largest double: numpy warns."""
    reaction = cn.Reaction("J", {"A": np.int64(2)}, (), "k", np.float32(0.5))
    species = cn.Species("A", np.float32(0.25), np.True_)
    assert repr(reaction) == "Reaction('J: 2 A =>', rate constant k = 0.5)"
    assert repr(species) == "Species(id='A', initial=0.25, boundary=True, name='')"
    terms = [cn.Monomial(np.float64(2.0), (("A", np.int64(1)),))]
    assert cn.Expression(terms) == cn.Expression(tuple(terms))
    assert hash(cn.Expression(terms)) == hash(cn.Expression(tuple(terms)))


def test_tables_are_read_by_name_in_any_order():
    crn = cn.ReactionNetwork(
        [cn.Species("A", 1.0), cn.Species("B", 2.0)], [cn.Reaction("J", ("A",), ("B",), "k", 2.0)]
    )
    for values in ({"A": 3.0, "B": 1.0}, {"B": 1.0, "A": 3.0}, {"C": 5.0, "B": 1.0, "A": 3.0}):
        for table in (pd.Series(values), pd.DataFrame(values, [0, 1])):
            assert set(crn.rates(table).ravel().tolist()) == {6.0}
    assert crn.rates([3.0, 1.0], constants=pd.Series({"other": 9.0, "k": 1.0})).tolist() == [3.0]
    message = "'network': concentrations have the names A, C, not one for B; expected A, B in any"
    with pytest.raises(cn.ReactionError, match=message):
        crn.rates(pd.Series({"A": 1.0, "C": 3.0}))
    with pytest.raises(cn.ReactionError, match="constants have the names i, not one for k"):
        crn.rates([3.0, 1.0], constants=pd.Series({"i": 1.0}))
    kept = cn.ReactionNetwork(
        crn.species, [*crn.reactions, cn.Reaction("K", ("B",), ("A",), "j", 1.0)]
    )
    expected = cn.sensitivities(kept, [1.0, 2.0]).values
    found = cn.sensitivities(kept, pd.Series({"C": 5.0, "B": 2.0, "A": 1.0})).values
    assert found.tolist() == expected.tolist()


def test_observables_of_one_state_at_many_constants():
    k = cn.Expression((cn.Monomial(2.0, (("A", 1.0), ("k", 1.0))),))
    crn = cn.ReactionNetwork(
        [cn.Species("A", 1.0)],
        [cn.Reaction("J", ("A",), (), "k", 1.0)],
        [cn.Observable("o", k), cn.Observable("a", cn.Expression((cn.Monomial(3.0),)))],
    )
    found = crn.observe([5.0], constants=[[1.0], [2.0], [0.5]])
    assert found.tolist() == [[10.0, 3.0], [20.0, 3.0], [5.0, 3.0]]


def test_stoichiometry_and_observables():
    crn = cn.ReactionNetwork(
        [
            cn.Species("X", 3.0, boundary=True),
            cn.Species("Y", cn.Expression((cn.Monomial(2.0, (("X", 1.0), ("k", -1.0))),))),
        ],
        [cn.Reaction("J", {"X": 1, "Y": 1}, {"X": 1, "Y": 3}, "k", 0.5)],
        [cn.Observable("o", cn.Expression((cn.Monomial(2.0, (("Y", 1.0),)), cn.Monomial(-1.0))))],
    )
    assert crn.stoichiometry.toarray().tolist() == [[2.0]]
    assert crn.initial_concentrations.tolist() == [12.0]
    assert crn.observe([5.0]).tolist() == [9.0]
    assert (
        repr(crn)
        == "ReactionNetwork('network': 1 floating and 1 boundary species, 1 reactions, 1 rate"
        " constants)"
    )
    assert pickle.loads(pickle.dumps(crn)) == crn


Y = cn.Species("Y")


@given(networks(), st.booleans())
def test_the_tables_of_terms_add_up_to_equations_and_jacobian(crn, zero):
    """Term by term, in Python's own numbers, what the sparse products give at once."""
    x, symbols = states(crn, zero), crn.floating + crn.boundary
    value = dict(zip(symbols, [*x, *crn.boundary_concentrations], strict=True))
    for terms, expected in (
        (crn.terms, crn.right_hand_side(x)),
        (
            crn.jacobian_terms,
            np.hstack([m(x).toarray() for m in (crn.jacobian, crn.boundary_jacobian)]),
        ),
    ):
        total = np.zeros_like(expected)
        for t in range(len(terms)):
            place = terms.row[t] if terms.column is None else (terms.row[t], terms.column[t])
            factors = [value[symbols[f]] for f in terms.symbols(t)]
            total[place] += terms.number[t] * crn.constants[terms.constant[t]] * np.prod(factors)
        np.testing.assert_allclose(total, expected, atol=1e-12)  # of numbers up to about 100
    own = [
        terms.symbols(t).count(terms.row[t]) for terms in (crn.terms,) for t in range(len(terms))
    ]
    assert crn.terms.power.tolist() == own
    assert [t for row in range(len(x)) for t in crn.terms.span(row)] == list(range(len(crn.terms)))


def test_a_third_order_jacobian_counts_its_powers():
    crn = cn.ReactionNetwork([Y], [cn.Reaction("J", {"Y": 3}, (), "k", 2.0)])
    assert crn.jacobian_terms.number.tolist() == [-9.0]  # d(-3 k y^3)/dy
    assert crn.jacobian([2.0]).toarray().tolist() == [[-72.0]]


def test_an_empty_network_has_empty_arrays():
    crn = cn.ReactionNetwork([Y], [])
    assert crn.right_hand_side([1.0]).tolist() == [0.0]
    assert crn.jacobian([1.0]).toarray().tolist() == [[0.0]]


def test_another_name_changes_nothing_else():
    crn = cn.ReactionNetwork(
        [cn.Species("A", 1.0)],
        [cn.Reaction("J", ("A",), (), "k", 2.0)],
        [cn.Observable("y", cn.Expression((cn.Monomial(2.0, (("A", 1.0),)),)))],
        units=cn.PhysicalUnits(c0=10, tau=100),
    )
    other = renamed(crn, {"A": "B", "k": "d"})
    assert other.reactions == (cn.Reaction("J", ("B",), (), "d", 2.0),)
    assert list(other.observables[0].expression.symbols) == ["B"]
    assert other.units == crn.units
    assert renamed(other, {"B": "A", "d": "k"}) == crn
    assert renamed(renamed(crn, {"A": "B"}), {"k": "d"}) == other


def test_terms_are_joined_by_their_signs():
    assert signed_sum(["-a", "b", "-c"]) == "-a + b - c"
    assert signed_sum(["a"]) == "a"
    assert signed_sum([]) == "0"
    assert signed_sum([], empty="") == ""


@pytest.mark.parametrize("lead", [(), (3,), (2, 3), (0,)])
def test_networks_of_order_0_have_the_shape_of_their_batch(lead):
    """Rates that depend on nothing are there for every state, and by sample of their constants."""
    crn = cn.ReactionNetwork(
        [cn.Species("A"), cn.Species("B")],
        [cn.Reaction("J1", (), ("A",), "k", 2.0), cn.Reaction("J2", (), {"B": 2}, "l", 3.0)],
    )
    x = np.ones((*lead, 2))
    np.testing.assert_array_equal(crn.right_hand_side(x), np.broadcast_to([2.0, 6.0], x.shape))
    balance = crn.balance(x)
    np.testing.assert_array_equal(balance.gross, np.broadcast_to([2.0, 6.0], x.shape))
    np.testing.assert_array_equal(balance.slope, np.zeros(x.shape))
    np.testing.assert_array_equal(crn.right_hand_side(x, constants=x), x * [1.0, 2.0])
    assert crn.jacobian(np.ones(2)).toarray().tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_a_network_without_reactions_stays_as_it_is(tmp_path):
    crn = cn.ReactionNetwork([cn.Species("A", 1.5), cn.Species("B", 2.0, boundary=True)], [])
    assert crn.right_hand_side(np.ones((3, 1))).tolist() == [[0.0]] * 3
    assert crn.jacobian([1.5]).toarray().tolist() == [[0.0]]
    for method in ("flat", "integrate"):
        steady = cn.Simulator(crn).steady_state(method=method)
        assert steady.concentrations.tolist() == [[1.5]]
    for options in ({}, {"volume": 10.0, "seed": 0}):
        course = cn.Simulator(crn).time_course(t_end=3.0, n_points=4, **options)
        assert course.concentrations.tolist() == [[1.5]] * 4
    found = cn.sensitivities(crn, [1.5])
    assert found.values.tolist() == [[0.0]]
    path = cn.export(crn, tmp_path / "nothing.xml")
    again = cn.import_sbml(path)
    assert (again.species, again.reactions) == (crn.species, ())


def test_what_is_held_stands_on_both_sides_and_else_the_sides_stay_as_they_are():
    reaction = cn.Reaction("J", ("A", "X"), ("Y", "X", "A"), "k", 1.0)
    for held, products in (
        ("X", reaction.products),
        ("XA", reaction.products),
        ("A", reaction.products),
        ("Y", (("X", 1), ("A", 1))),
    ):
        assert reaction.catalytic_sides(held) == (reaction.substrates, products)
    taken = cn.Reaction("J", {"X": 2, "A": 1}, ("Y",), "k", 1.0)
    assert taken.catalytic_sides("X") == (taken.substrates, (("X", 2), ("Y", 1)))
