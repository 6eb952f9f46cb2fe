"""Small reaction networks to implement, and what is right of them."""

from scipy.integrate import solve_ivp

import crn_nn_tellurium as cn
from crn_nn_tellurium.dna.strand_displacement import FUELS

A, B, C = "ABC"
FORMAL = {
    "unimolecular": [((A,), (B, C))],
    "bimolecular": [((A, B), (C,))],
    "promotes": [((A, B), (A, B, B))],
    "inhibits": [((A, B), (A,))],
    "two become one": [((A, A), (A,))],
    "two become another": [((A, A), (C,))],
    "arises": [((), (A,))],
    "decays": [((A,), ())],
    "bound unevenly": [((A, B), (C,)), ((C,), (A,))],
    "smoothed ReLU": [((), (B,)), ((A, B), (A, B, B)), ((B, B), (B,)), ((B,), ())],
}


def network(reactions, values=None, start=1.0):
    names = sorted({s for before, after in reactions for s in (*before, *after)})
    values = values or [1.0] * len(reactions)
    parts = [
        cn.Reaction(f"J{i}", before, after, f"k{i}", value)
        for i, ((before, after), value) in enumerate(zip(reactions, values, strict=True))
    ]
    return cn.ReactionNetwork([cn.Species(name, start) for name in names], parts)


def without_fuel(dna):
    """The steps as pairs of sides, fuel and its remains left out: what bisimulation compares with
    the formal reactions.
    """
    quiet = {name for name, role in dna.roles.items() if role in FUELS}
    return [
        [[s for s in _molecules(side) if s not in quiet] for side in (r.substrates, r.products)]
        for r in dna.reactions
    ]


def course(crn, times):
    """Another integrator than roadrunner's, on the network's own equations."""
    solution = solve_ivp(
        lambda _, x: crn.right_hand_side(x),
        (times[0], times[-1]),
        crn.initial_state(),
        method="LSODA",
        t_eval=times,
        rtol=1e-9,
        atol=1e-12,
        jac=lambda _, x: crn.jacobian(x).toarray(),
    )
    assert solution.success
    return solution.y.T


def _molecules(side):
    return [species for species, n in side for _ in range(n)]
