"""A network's numbers in other units, and its formulas as numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.chemistry.expressions import Expression, Monomial
from crn_nn_tellurium.chemistry.following import calculated
from crn_nn_tellurium.chemistry.units import CONCENTRATION, Dimension, Units
from crn_nn_tellurium.errors import ReactionError

if TYPE_CHECKING:
    from crn_nn_tellurium.chemistry.reaction_network import ReactionNetwork


def converted(crn: ReactionNetwork, units: Units) -> ReactionNetwork:
    """The network in other units; nothing says what parameters measure, so they become numbers."""
    crn = with_numbers(crn)
    measures = {species.id: CONCENTRATION for species in crn.species}
    measures |= {k: Dimension.rate_constant(n) for k, n in crn.constant_orders.items()}

    def concentration(value: Any) -> Any:
        """A formula for a concentration, for symbols in these units, or a number."""
        if not isinstance(value, Expression):
            return float(units.concentration(value))
        terms = []
        for term in value.terms:
            # sqrt(h) for a concentration is 1 sqrt(h / k) with a k of 1, which the text left
            # out: what the symbols' dimensions lack is that of the coefficient
            lacking = CONCENTRATION
            for symbol, power in term.powers:
                lacking = lacking / measures[symbol] ** power
            terms.append(Monomial(units.convert(term.coefficient, lacking), term.powers))
        return Expression(tuple(terms))

    return replace(
        crn,
        species=tuple(replace(s, initial=concentration(s.initial)) for s in crn.species),
        reactions=tuple(
            replace(r, value=float(units.rate_constant(r.value, r.order))) for r in crn.reactions
        ),
        observables=tuple(
            replace(o, expression=concentration(o.expression)) for o in crn.observables
        ),
        units=units,
    )


def with_numbers(crn: ReactionNetwork) -> ReactionNetwork:
    """The network without parameters and formulas of constants, their numbers in their place."""
    if not (crn.parameters or crn.formulas):
        return crn
    value = {p.id: p.value for p in crn.parameters}

    def numbers(name: str, given: Any) -> Any:
        return put_in(name, given, value) if isinstance(given, Expression) else given

    return replace(
        crn,
        species=tuple(replace(s, initial=numbers(s.id, s.initial)) for s in crn.species),
        observables=tuple(
            replace(o, expression=numbers(o.id, o.expression)) for o in crn.observables
        ),
        parameters=(),
        formulas=(),
    )


def followed(crn: ReactionNetwork) -> dict[str, tuple[Any, ...]]:
    """Reactions and parameters with the values that follow from others, by their formulas."""
    given = {r.rate_constant: r.value for r in crn.reactions}
    given |= {p.id: p.value for p in crn.parameters}
    found = crn.derive([given[name] for name in crn.constant_names])
    value = dict(zip(crn.constant_names, found.tolist(), strict=True))
    return {
        "reactions": tuple(replace(r, value=value[r.rate_constant]) for r in crn.reactions),
        "parameters": tuple(replace(p, value=value[p.id]) for p in crn.parameters),
    }


def with_starts(crn: ReactionNetwork, held: FloatArray) -> ReactionNetwork:
    """The network with numbers for start values, formulas taken at these boundary concentrations
    (n_boundary,).
    """
    if held.ndim != 1:
        raise ReactionError(
            f"network {crn.name!r}: boundary concentrations have shape {held.shape}; expected"
            f" ({len(crn.boundary)},), since a network has one start"
        )
    start = dict(zip(crn.floating, crn.initial_state(held).tolist(), strict=True))
    own = zip(crn.boundary, held.tolist(), strict=True)
    start |= {s: value for s, value in own if s in crn.start_formulas}
    species = (replace(s, initial=start.get(s.id, s.initial)) for s in crn.species)
    return replace(crn, species=tuple(species))


def put_in(name: str, expression: Expression, values: Mapping[str, float]) -> Expression:
    """The expression for what has a name, with numbers for some of its symbols."""
    terms = []
    for term in expression.terms:
        kept = tuple((s, p) for s, p in term.powers if s not in values)
        known = Monomial(term.coefficient, tuple((s, p) for s, p in term.powers if s in values))
        number = calculated(f"a number in {name!r}", Expression((known,)), values)
        terms.append(Monomial(number, kept))
    return Expression(tuple(terms)).collected()
