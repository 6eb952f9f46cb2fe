"""Identifiers that come from outside."""

from __future__ import annotations

from crn_nn_tellurium.expressions import Expression, Monomial
from crn_nn_tellurium.identifiers import RESERVED, free_id
from crn_nn_tellurium.reactions import Observable, Reaction, ReactionNetwork, Species


def without_reserved(crn: ReactionNetwork) -> ReactionNetwork:
    """The network without identifiers that Antimony reserves."""
    taken = {*crn.identifiers, crn.name}
    new = {name: free_id(f"{name}_", taken) for name in crn.identifiers if name.lower() in RESERVED}
    if not new and crn.name.lower() not in RESERVED:
        return crn

    def side(pairs: tuple[tuple[str, int], ...]) -> dict[str, int]:
        return {new.get(s, s): n for s, n in pairs}

    def formula(expression: Expression) -> Expression:
        return Expression(
            tuple(Monomial(t.coefficient, tuple((new.get(s, s), p) for s, p in t.powers)) for t in expression.terms)
        )

    return ReactionNetwork(
        tuple(
            Species(
                new.get(s.id, s.id),
                formula(s.initial) if isinstance(s.initial, Expression) else s.initial,
                s.boundary,
                s.name or (s.id if s.id in new else ""),
            )
            for s in crn.species
        ),
        tuple(
            Reaction(
                new.get(r.id, r.id),
                side(r.substrates),
                side(r.products),
                new.get(r.rate_constant, r.rate_constant),
                r.value,
                r.name,
            )
            for r in crn.reactions
        ),
        tuple(Observable(new.get(o.id, o.id), formula(o.expression), o.name) for o in crn.observables),
        free_id(f"{crn.name}_", taken) if crn.name.lower() in RESERVED else crn.name,
    )
