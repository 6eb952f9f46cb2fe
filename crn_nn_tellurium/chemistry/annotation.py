"""What the elements of a model mean: SBO terms, names of units, readable names.

Source: the Systems Biology Ontology, https://www.ebi.ac.uk/ols4/ontologies/sbo.
"""

from __future__ import annotations

import sys

from crn_nn_tellurium.chemistry.expressions import Expression
from crn_nn_tellurium.chemistry.reaction_network import ReactionNetwork
from crn_nn_tellurium.chemistry.reactions import Reaction
from crn_nn_tellurium.chemistry.units import CONCENTRATION, TIME, BaseUnit, Dimension
from crn_nn_tellurium.errors import ReactionError

# zeroth-order, unimolecular, bimolecular and trimolecular forward rate constant, continuous case
SBO_CONSTANT = ("SBO:0000162", "SBO:0000035", "SBO:0000036", "SBO:0000037")
MAX_ORDER = len(SBO_CONSTANT) - 1
# laws by how often each substrate is taken: (1, 2) is A + 2 B
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
LITERAL = "a number in a formula"
"""The notes of a parameter that stands for a number, where a format has no units on numbers."""


def unit_definitions(crn: ReactionNetwork) -> dict[str, tuple[BaseUnit, ...]]:
    """The units of a file, by identifier: of concentrations, rate constants, and SBML's three."""
    units = crn.units
    found = {
        "substance": units.definition(CONCENTRATION, volume=1),
        "time_unit": units.definition(TIME),
        "volume": units.definition(Dimension(), volume=1),
    }
    orders = {1, *crn.constant_orders.values()}  # drives are of first order
    for dimension in (CONCENTRATION, *map(Dimension.rate_constant, sorted(orders))):
        found[units.identifier(dimension)] = units.definition(dimension)
    found.pop("dimensionless", None)  # a base unit, which needs no definition
    return found


def law_term(reaction: Reaction) -> str:
    """SBO's term for the mass-action rate law of an irreversible reaction, continuous scheme."""
    return _SBO_LAW[tuple(sorted(count for _, count in reaction.substrates))]


def check_writable(crn: ReactionNetwork, smallest: float = sys.float_info.min) -> None:
    """Refuse what no reader of SBML takes: a reaction in which more molecules meet than units are
    written for, and a number next to 0, below `smallest`, that is none to libSBML.
    """
    for reaction in crn.reactions:
        if reaction.order > MAX_ORDER:
            raise ReactionError(
                f"reaction {reaction.id!r}: {reaction.order} molecules meet ({reaction.equation});"
                f" expected at most {MAX_ORDER}; split it into steps"
            )
    values = [*zip(crn.constant_names, crn.constants.tolist(), strict=True)]
    values += [(s.id, s.initial) for s in crn.species if not isinstance(s.initial, Expression)]
    for name, value in values:
        if 0 < abs(value) < smallest:
            raise ReactionError(
                f"{name!r} is {value!r}; readers of SBML and Antimony take no number between 0 and"
                f" {smallest!r}: expected 0 or a larger one"
            )


def printable(name: str) -> str:
    """A readable name as it may stand between double quotes in all languages that we write."""
    if name.isprintable() and '"' not in name and "\\" not in name:  # as nearly all are
        return name
    return "".join(c for c in name if c.isprintable() and c not in '"\\')
