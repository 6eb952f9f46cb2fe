"""The same network under other identifiers: of another language, or without reserved words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from crn_nn_tellurium.basics import RESERVED, free_id
from crn_nn_tellurium.chemistry.expressions import Expression, Monomial
from crn_nn_tellurium.chemistry.reaction_network import ReactionNetwork
from crn_nn_tellurium.chemistry.reactions import Side


def renamed(crn: ReactionNetwork, new: Mapping[str, str]) -> ReactionNetwork:
    """The network with other identifiers for some of its species, constants and so on."""

    def side(pairs: Side) -> Side:
        return tuple((new.get(s, s), n) for s, n in pairs)

    def formula(value: Any) -> Any:
        """A formula in the new identifiers; a number as it is."""
        if not isinstance(value, Expression):
            return value
        powers = ((t, tuple((new.get(s, s), p) for s, p in t.powers)) for t in value.terms)
        return Expression(tuple(Monomial(t.coefficient, own) for t, own in powers))

    species = tuple(
        replace(s, id=new.get(s.id, s.id), initial=formula(s.initial)) for s in crn.species
    )
    reactions = tuple(
        replace(
            r,
            id=new.get(r.id, r.id),
            substrates=side(r.substrates),
            products=side(r.products),
            rate_constant=new.get(r.rate_constant, r.rate_constant),
        )
        for r in crn.reactions
    )
    observables = tuple(
        replace(o, id=new.get(o.id, o.id), expression=formula(o.expression))
        for o in crn.observables
    )
    return replace(
        crn,
        species=species,
        reactions=reactions,
        observables=observables,
        parameters=tuple(replace(p, id=new.get(p.id, p.id)) for p in crn.parameters),
        formulas=tuple((new.get(k, k), formula(f)) for k, f in crn.formulas),
    )


def without_reserved(crn: ReactionNetwork) -> ReactionNetwork:
    """The network without identifiers that Antimony reserves; species keep theirs as a name."""
    taken = {*crn.identifiers, crn.name}
    new = {name: free_id(f"{name}_", taken) for name in crn.identifiers if name.lower() in RESERVED}
    if crn.name.lower() in RESERVED:
        crn = replace(crn, name=free_id(f"{crn.name}_", taken))
    if not new:
        return crn
    named = [replace(s, name=s.name or s.id) if s.id in new else s for s in crn.species]
    return renamed(replace(crn, species=tuple(named)), new)


def with_names(crn: ReactionNetwork, names: Mapping[str, str]) -> ReactionNetwork:
    """The network with readable names for species that have none, by identifier."""
    if not names:
        return crn
    species = tuple(replace(s, name=s.name or names.get(s.id, "")) for s in crn.species)
    return replace(crn, species=species)
