"""Identifiers that come from outside."""

from __future__ import annotations

from dataclasses import replace

from crn_nn_tellurium.basics import RESERVED, free_id
from crn_nn_tellurium.chemistry import Expression, Monomial, ReactionNetwork, Side


def without_reserved(crn: ReactionNetwork) -> ReactionNetwork:
    """The network without identifiers that Antimony reserves."""
    taken = {*crn.identifiers, crn.name}
    new = {name: free_id(f"{name}_", taken) for name in crn.identifiers if name.lower() in RESERVED}
    if not new and crn.name.lower() not in RESERVED:
        return crn

    def side(pairs: Side) -> Side:
        return tuple((new.get(s, s), n) for s, n in pairs)

    def formula(expression: Expression) -> Expression:
        return Expression(
            tuple(
                Monomial(t.coefficient, tuple((new.get(s, s), p) for s, p in t.powers))
                for t in expression.terms
            )
        )

    species = [
        replace(
            s,
            id=new.get(s.id, s.id),
            initial=formula(s.initial) if isinstance(s.initial, Expression) else s.initial,
            name=s.name or (s.id if s.id in new else ""),
        )
        for s in crn.species
    ]
    reactions = [
        replace(
            r,
            id=new.get(r.id, r.id),
            substrates=side(r.substrates),
            products=side(r.products),
            rate_constant=new.get(r.rate_constant, r.rate_constant),
        )
        for r in crn.reactions
    ]
    observables = [
        replace(o, id=new.get(o.id, o.id), expression=formula(o.expression))
        for o in crn.observables
    ]
    name = free_id(f"{crn.name}_", taken) if crn.name.lower() in RESERVED else crn.name
    return ReactionNetwork(tuple(species), tuple(reactions), tuple(observables), name)
