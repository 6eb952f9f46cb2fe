"""What the elements of a model are called and mean: SBO terms, names of units, readable names of
rate constants.

Source: the Systems Biology Ontology, https://www.ebi.ac.uk/ols4/ontologies/sbo.
"""

from __future__ import annotations

from collections import Counter

from crn_nn_tellurium.chemistry.reaction_network import ReactionNetwork
from crn_nn_tellurium.chemistry.reactions import Reaction
from crn_nn_tellurium.errors import ReactionError

UNITS = ("nM_per_s", "per_s", "per_nM_s", "per_nM2_s")
"""Unit of a rate constant, by the order of its reactions."""
MAX_ORDER = len(UNITS) - 1
SBO_CONSTANT = ("SBO:0000162", "SBO:0000035", "SBO:0000036", "SBO:0000037")
"""Zeroth-order, unimolecular, bimolecular and trimolecular forward rate constant, continuous case.
"""
_SBO_LAW = {
    (): "SBO:0000047",
    (1,): "SBO:0000049",
    (2,): "SBO:0000052",
    (1, 1): "SBO:0000054",
    (3,): "SBO:0000057",
    (1, 2): "SBO:0000059",
    (1, 1, 1): "SBO:0000061",
}
SBO_COMPARTMENT = "SBO:0000290"  # physical compartment
SBO_SPECIES = "SBO:0000247"  # simple chemical
SBO_REACTION = "SBO:0000176"  # biochemical reaction
SBO_OBSERVABLE = "SBO:0000196"  # concentration of an entity pool
SBO_SUM = "SBO:0000002"  # quantitative systems description parameter
SBO_FRAMEWORK = "SBO:0000293"  # non-spatial continuous framework


def law_term(reaction: Reaction) -> str:
    """SBO's term for the mass-action rate law of an irreversible reaction, continuous scheme."""
    return _SBO_LAW[tuple(sorted(count for _, count in reaction.substrates))]


def check_orders(crn: ReactionNetwork) -> None:
    """Refuse a reaction in which more molecules meet than units are written for.

    Raises
    ------
    ReactionError
    """
    for reaction in crn.reactions:
        if reaction.order > MAX_ORDER:
            raise ReactionError(
                f"reaction {reaction.id!r}: {reaction.order} molecules meet ({reaction.equation});"
                f" expected at most {MAX_ORDER}; split it into steps"
            )


def constant_names(crn: ReactionNetwork) -> dict[str, str]:
    """A readable name of each rate constant, after the first reaction that uses it.

    Examples
    --------
    >>> from crn_nn_tellurium import load_model, to_reactions
    >>> constant_names(to_reactions(load_model("xor")))["h1"]
    'rate constant: Y1_0 arises (and 1 more)'
    """
    first: dict[str, Reaction] = {}
    uses: Counter[str] = Counter()
    for reaction in crn.reactions:
        first.setdefault(reaction.rate_constant, reaction)
        uses[reaction.rate_constant] += 1
    return {
        name: (
            f"rate constant: {reaction.name or reaction.equation}"
            + (f" (and {uses[name] - 1} more)" if uses[name] > 1 else "")
        )
        for name, reaction in first.items()
    }


def printable(name: str) -> str:
    """A readable name as it may stand between double quotes in any language that we write."""
    return "".join(c for c in name if c.isprintable() and c not in '"\\')
