"""What a reaction network must be: each identifier once, no unknown symbol, one value a name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from crn_nn_tellurium.basics import (
    PATTERN,
    FloatArray,
    brief,
    by_name,
    real_numbers,
    reserved,
)
from crn_nn_tellurium.chemistry.expressions import Expression
from crn_nn_tellurium.chemistry.reactions import Reaction
from crn_nn_tellurium.errors import ReactionError

if TYPE_CHECKING:
    from crn_nn_tellurium.chemistry.reaction_network import ReactionNetwork


# signs too: a text writes a rate constant that stands for a signed number once, with one sign
def check_constants(reactions: Iterable[Reaction]) -> dict[str, tuple[float, int, int]]:
    """Value, order and sign of each rate constant, in order of first use."""
    constants: dict[str, tuple[float, int, int]] = {}
    for reaction in reactions:
        use = (reaction.value, reaction.order, reaction.sign)
        known = constants.setdefault(reaction.rate_constant, use)
        if known[:2] != use[:2]:
            raise ReactionError(
                f"reaction {reaction.id!r}: rate constant {reaction.rate_constant!r} is"
                f" {use[0]!r} at order {use[1]}, but {known[0]!r} at order {known[1]} in an"
                " earlier reaction; reactions that share a rate constant must agree in both"
            )
        if known != use:
            raise ReactionError(
                f"reaction {reaction.id!r}: rate constant {reaction.rate_constant!r} is the"
                f" size of a number of sign {use[2]}, but of sign {known[2]} in an earlier"
                " reaction; reactions that share a rate constant must agree in it"
            )
    return constants


def check_formulas(formulas: Any) -> dict[str, Expression]:
    """Formulas by what follows from them, of a mapping or of pairs."""
    try:
        found = dict(formulas)
        is_good = all(isinstance(expression, Expression) for expression in found.values())
    except (TypeError, ValueError):
        is_good = False
    if not is_good:
        raise ReactionError(
            f"formulas are {brief(formulas)}; expected pairs of a name and an Expression"
        )
    return found


def check_identifiers(crn: ReactionNetwork, constants: Iterable[str]) -> None:
    """Refuse what is no identifier, a word that the engine has for itself, or is there twice."""
    entities = [("model", crn.name)]
    entities += [("species", s.id) for s in crn.species]
    entities += [("reaction", r.id) for r in crn.reactions]
    entities += [("rate constant", k) for k in constants]
    entities += [("parameter", p.id) for p in crn.parameters]
    entities += [("observable", o.id) for o in crn.observables]
    seen: dict[str, str] = {}
    for kind, identifier in entities:
        if not isinstance(identifier, str) or not PATTERN.fullmatch(identifier):
            raise ReactionError(
                f"{kind} {identifier!r}: not an identifier; expected letters, digits and"
                " underscores, not starting with a digit"
            )
        if (fault := reserved(identifier)) is not None:
            raise ReactionError(f"{kind} {identifier!r}: {fault}")
        if identifier in seen:
            raise ReactionError(
                f"{kind} {identifier!r}: already the identifier of a {seen[identifier]}; each"
                " must be unique"
            )
        seen[identifier] = kind
    for part in (crn.species, crn.reactions, crn.observables, crn.parameters):
        for one in part:
            if not isinstance(one.name, str):
                raise ReactionError(
                    f"{one.id!r}: its readable name is {brief(one.name)}; expected a text"
                )


def check_references(crn: ReactionNetwork, constants: Sequence[str]) -> None:
    """Refuse symbols that stand for nothing."""
    of_constants, of_species = set(constants), {species.id for species in crn.species}
    every = of_constants | of_species
    for name, expression in crn.formulas:
        if name not in of_constants:
            raise ReactionError(
                f"formula of {name!r}: expected one of a rate constant or parameter of the network"
            )
        for symbol in expression.symbols:
            if symbol not in of_constants:
                raise ReactionError(
                    f"formula of {name!r} reads {symbol!r}, which is neither a rate constant nor a"
                    " parameter"
                )
    for species in crn.species:
        for symbol in _symbols(species.initial):
            if symbol not in every:
                raise ReactionError(
                    f"species {species.id!r}: its initial concentration reads {symbol!r},"
                    " which is no rate constant, parameter or species"
                )
    for reaction in crn.reactions:
        for side in (reaction.substrates, reaction.products):
            for symbol, _ in side:
                if symbol not in of_species:
                    raise ReactionError(f"reaction {reaction.id!r}: unknown species {symbol!r}")
    for observable in crn.observables:
        for symbol in observable.expression.symbols:
            if symbol not in every:
                raise ReactionError(f"observable {observable.id!r}: unknown symbol {symbol!r}")


def check_numbers(
    crn: ReactionNetwork, what: str, given: npt.ArrayLike, names: tuple[str, ...], each: str
) -> FloatArray:
    """Numbers (..., n_names) in the order of the names, a table's by its own."""
    what = f"network {crn.name!r}: {what}"
    table = by_name(what, given, names, error=ReactionError)
    values = real_numbers(what, table, error=ReactionError)
    if values.shape[-1:] != (len(names),):
        raise ReactionError(
            f"{what} have shape {values.shape}; expected (..., {len(names)}), one per {each}"
        )
    return values


def _symbols(value: float | Expression) -> Iterable[str]:
    return value.symbols if isinstance(value, Expression) else ()
