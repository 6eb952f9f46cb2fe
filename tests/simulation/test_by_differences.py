"""Equations of models that only roadrunner knows: what reads what, and Jacobians."""

import numpy as np
from support.tolerances import ROUNDED, SOLVED

import crn_nn_tellurium as cn
from crn_nn_tellurium.simulation import (
    Dependence,
    StartValues,
    compiled,
    engine_equations,
    reduced_equations,
)
from crn_nn_tellurium.simulation.reduced_system import DENSE_UP_TO

# through a rule, a rule of a rule, the rate of another reaction, a function and a vessel that moves
READS = """
function f(u, v) u*v/(1 + v) end
model m()
  compartment C; C := 1 + E; species A in C
  J1: A -> ; k*A
  J2: B -> ; t*k
  J3: -> B; f(B, D)
  J4: D -> ; J2
  t := s + 1; s := 2*B; k = 1; A = 1; B = 2; D = 3; E = 1
  J5: E -> ; k*E
end
"""


def equations_of(text):
    model = compiled(text)
    starts, place = StartValues(model.sbml, ()), {s: i for i, s in enumerate(model.floating)}
    reads = [[place[s] for s in starts.read_by(r) & place.keys()] for r in model.reactions]
    dependence = Dependence(reads, len(place))
    with model.lock:
        model.reset()
        start, boundary, _ = model.values()
        return model, start, dependence, engine_equations(model, boundary, dependence)


def test_what_a_reaction_reads_is_followed_through_all_that_it_follows_from():
    starts = StartValues(compiled(READS).sbml, ())
    species = {"A", "B", "D", "E"}
    read = {f"J{i}": starts.read_by(f"J{i}") & species for i in range(1, 6)}
    assert read == {"J1": {"A", "E"}, "J2": {"B"}, "J3": {"B", "D"}, "J4": {"B"}, "J5": {"E"}}


def test_no_reaction_reads_two_species_of_a_group():
    rng = np.random.default_rng(0)
    reads = [rng.choice(50, rng.integers(0, 4), replace=False).tolist() for _ in range(200)]
    dependence = Dependence(reads, 50)
    for read in reads:
        assert len(set(dependence.group[read])) == len(read)
    assert dependence.members.sum(axis=0).tolist() == [1] * 50


def exact(crn, model, x):
    """The network's own Jacobian at roadrunner's state, in roadrunner's order."""
    order = [crn.floating.index(name) for name in model.floating]
    state = np.empty_like(x)
    state[order] = x
    return crn.jacobian(state).toarray()[np.ix_(order, order)]


def test_the_jacobian_is_that_of_mass_action():
    """Within 1e-9 of the largest part: central differences of eps^(1/3) err by eps^(2/3)."""
    net = cn.Network.random([3, 12, 4], seed=0)
    crn = cn.to_reactions(net, x=[0.3, 0.5, 0.2])
    model, start, dependence, equations = equations_of(cn.to_antimony(crn))
    # layer by layer, whatever the width
    assert len(dependence.members) <= 4
    expected = exact(crn, model, start)
    found = equations.jacobian(start)
    np.testing.assert_allclose(found, expected, rtol=0, atol=SOLVED * np.abs(expected).max())


def test_sparse_jacobians_of_many_species_cost_a_few_rates():
    n = DENSE_UP_TO + 20
    steps = "; ".join(f"S{i} -> S{(i + 1) % n}; {1 + i % 7}*S{i}" for i in range(n))
    text = f"model ring() {steps}; S0 = {n}; end"
    model, start, dependence, equations = equations_of(text)
    assert len(dependence.members) == 1
    # rates are linear, of which differences leave nothing out
    found, crn = equations.jacobian(start + 1.0), cn.import_antimony(text)
    np.testing.assert_allclose(
        found.toarray(), exact(crn, model, start + 1.0), rtol=0, atol=ROUNDED
    )
    # the ring conserves its sum, and one small vessel is as good as another
    assert reduced_equations(crn).rows.sum() == equations.rows.sum() == n
