"""Conserved sums: known ones, exactness, and both ways of elimination."""

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import sparse

import crn_nn_tellurium as cn
from crn_nn_tellurium.chemistry import conserved_sums
from crn_nn_tellurium.chemistry.conservation import _by_residues, _changes, _eliminated, _parts

# species in order, reactions, sums
KNOWN = {
    "there and back": ("A B", ["A => B", "B => A"], [[1, 1]]),
    "two of one": ("A C", ["A A => C", "C => A A"], [[1, 2]]),
    "a pair": ("A B C", ["A B => C"], [[1, 0, 1], [0, 1, 1]]),
    "a difference": ("A B", ["=> A B", "A B =>"], [[1, -1]]),
    "two for three": ("A B", ["A A => B B B"], [[3, 2]]),
    "an enzyme": ("E S ES P", ["E S => ES", "ES => E P"], [[1, 0, 1, 0], [0, 1, 1, 1]]),
    "one inhibitor": (
        "P Q PQ R RQ",
        ["P Q => PQ", "R Q => RQ"],
        [[1, 0, 1, 0, 0], [0, 1, 1, 0, 1], [0, 0, 0, 1, 1]],
    ),
    "catalysts": ("X Y", ["X Y => X Y Y", "Y =>"], [[1, 0]]),
    "a species of no reaction": ("Z A", ["A =>"], [[1, 0]]),
    "nothing": ("A", ["A =>"], np.empty((0, 1))),
    "no species": ("", [], np.empty((0, 0))),
}


def stoichiometry(names, equations):
    sides = [tuple(side.split() for side in text.split("=>")) for text in equations]
    species = [cn.Species(name) for name in names.split()]
    reactions = [cn.Reaction(f"J{i}", *pair, f"k{i}", 1.0) for i, pair in enumerate(sides)]
    return cn.ReactionNetwork(species, reactions)


@pytest.mark.parametrize("case", KNOWN)
def test_known_sums(case):
    names, equations, rows = KNOWN[case]
    crn = stoichiometry(names, equations)
    np.testing.assert_array_equal(crn.conserved_sums.rows.toarray(), rows)
    assert len(crn.conserved_sums) == len(rows)


@pytest.mark.parametrize("n", [1023, 1024])
def test_sums_beyond_doubles_are_refused_in_words(n):
    """2^1023 is a double, 2^1024 is none."""
    chain = sparse.csr_array(
        sparse.diags_array([2.0] * n, offsets=-1, shape=(n + 1, n)) - sparse.eye_array(n + 1, n)
    )
    if n == 1023:
        assert conserved_sums(chain).rows.toarray().max() == 2.0**1023
        return
    with pytest.raises(
        cn.ReactionError, match=r"one species 10\^308 times another, beyond all doubles"
    ):
        conserved_sums(chain)


def test_stoichiometry_may_be_rational():
    found = conserved_sums(sparse.csr_array(np.array([[-1.0], [1 / 3], [0.5]])))
    np.testing.assert_array_equal(found.rows.toarray() @ [-1.0, 1 / 3, 0.5], [0.0, 0.0])
    assert found.rows.toarray().tolist() == [[1, 0, 2], [1, 3, 0]]


def rank_of(matrix):
    # numpy before 2.3 has none of a matrix without rows
    return np.linalg.matrix_rank(matrix) if len(matrix) else 0


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 9).flatmap(
        lambda n: st.lists(
            st.lists(st.integers(-3, 3), min_size=n, max_size=n), min_size=1, max_size=9
        )
    )
)
def test_all_that_is_conserved_and_nothing_else(columns):
    """As many sums as the rank leaves, all of them exact, and independent rates with them."""
    n = np.array(columns, dtype=float).T
    found = conserved_sums(sparse.csr_array(n))
    rows = found.rows.toarray()
    assert not np.any(rows @ n)
    rank = rank_of(n)
    assert len(found) == len(n) - rank == rank_of(rows)
    independent = np.delete(n, found.dependent, axis=0)
    assert rank_of(independent) == rank == len(independent)
    # modulo a prime the same, where numbers are small enough to be told from their residues
    changes = _changes(sparse.csr_array(n))
    solved = _eliminated(changes, math.inf)
    exact, by_residues = _parts(solved, len(n)), _by_residues(changes, len(n))
    small = all(
        max(abs(k.numerator), k.denominator) < 2**14
        for part in exact.values()
        for k in part.values()
    )
    assert by_residues is None or len(by_residues) == len(exact)
    assert by_residues is not None or not small
    for part in (by_residues or {}).values():
        assert all(sum(part.get(s, 0) * k for s, k in row.items()) == 0 for row in changes)


def test_a_random_network_of_hundreds_of_species_is_done_by_residues():
    """Sparse elimination gives up there: its rows fill up."""
    rng = np.random.default_rng(0)
    n = np.zeros((400, 500))
    for column in n.T:
        a, b, c, d = rng.choice(400, 4, replace=False)
        column[[a, b, c]] = -1, -1, 1
        column[d] = rng.random() < 0.3
    changes = _changes(sparse.csr_array(n))
    assert _eliminated(changes, 500_000) is None
    assert _by_residues(changes, 400) is not None
    found = conserved_sums(sparse.csr_array(n))
    assert not np.any(found.rows @ n)
    assert len(found) == 400 - np.linalg.matrix_rank(n)
