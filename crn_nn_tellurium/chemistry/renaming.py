"""The same network under other identifiers: of another language, or without reserved words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from crn_nn_tellurium.basics import RESERVED, free_id
from crn_nn_tellurium.chemistry.expressions import Expression, Monomial
from crn_nn_tellurium.chemistry.following import Parameter
from crn_nn_tellurium.chemistry.reaction_network import ReactionNetwork
from crn_nn_tellurium.chemistry.reactions import Observable, Reaction, Side, Species


def renamed(crn: ReactionNetwork, new: Mapping[str, str]) -> ReactionNetwork:
    """The network with other identifiers for some of its species, constants and so on."""
    if all(old == name for old, name in new.items()):
        return crn
    return replace(crn, **_renamed(crn, new))


def _renamed(parts: Any, new: Mapping[str, str]) -> dict[str, Any]:
    """The species and so on of a network, or of what is to be one, with other identifiers."""

    def side(pairs: Side) -> Side:
        return tuple((new.get(s, s), n) for s, n in pairs)

    def formula(value: Any) -> Any:
        """A formula in the new identifiers; a number as it is."""
        if not isinstance(value, Expression):
            return value
        powers = ((t, tuple((new.get(s, s), p) for s, p in t.powers)) for t in value.terms)
        return Expression(tuple(Monomial(t.coefficient, own) for t, own in powers))

    species = tuple(
        replace(s, id=new.get(s.id, s.id), initial=formula(s.initial)) for s in parts.species
    )
    reactions = tuple(
        replace(
            r,
            id=new.get(r.id, r.id),
            substrates=side(r.substrates),
            products=side(r.products),
            rate_constant=new.get(r.rate_constant, r.rate_constant),
        )
        for r in parts.reactions
    )
    observables = tuple(
        replace(o, id=new.get(o.id, o.id), expression=formula(o.expression))
        for o in parts.observables
    )
    return {
        "species": species,
        "reactions": reactions,
        "observables": observables,
        "parameters": tuple(replace(p, id=new.get(p.id, p.id)) for p in parts.parameters),
        "formulas": tuple((new.get(k, k), formula(f)) for k, f in parts.formulas),
    }


def without_reserved(
    species: Sequence[Species],
    reactions: Sequence[Reaction],
    observables: Sequence[Observable],
    name: str,
    parameters: Sequence[Parameter] = (),
    formulas: Sequence[tuple[str, Expression]] = (),
) -> ReactionNetwork:
    """The network of these without identifiers that Antimony reserves, which it would refuse;
    species keep theirs as a name.
    """
    entities: list[Any] = [*species, *reactions, *observables, *parameters]
    ids = dict.fromkeys([*(e.id for e in entities), *(r.rate_constant for r in reactions)])
    taken = {*ids, name}
    new = {word: free_id(f"{word}_", taken) for word in ids if word.lower() in RESERVED}
    name = free_id(f"{name}_", taken) if name.lower() in RESERVED else name
    named = [replace(s, name=s.name or s.id) if s.id in new else s for s in species]
    parts = SimpleNamespace(
        species=named,
        reactions=reactions,
        observables=observables,
        parameters=parameters,
        formulas=formulas,
    )
    return ReactionNetwork(name=name, **_renamed(parts, new))


def with_names(crn: ReactionNetwork, names: Mapping[str, str]) -> ReactionNetwork:
    """The network with readable names for species that have none, by identifier."""
    if not names:
        return crn
    species = tuple(replace(s, name=s.name or names.get(s.id, "")) for s in crn.species)
    return replace(crn, species=species)
