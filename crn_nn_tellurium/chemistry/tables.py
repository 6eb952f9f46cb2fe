"""A reaction network's reactions and species as tables, and what a notebook shows of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from crn_nn_tellurium.basics import ROWS, card, frame_of, some
from crn_nn_tellurium.chemistry.reactions import Reaction

if TYPE_CHECKING:
    import pandas as pd

    from crn_nn_tellurium.chemistry.reaction_network import ReactionNetwork


def reaction_table(reactions: Sequence[Reaction]) -> pd.DataFrame:
    """A row per reaction."""
    columns = {
        what: [getattr(reaction, what) for reaction in reactions]
        for what in ("equation", "rate_constant", "value", "name")
    }
    return frame_of({"reaction": [reaction.id for reaction in reactions]}, columns)


def species_table(crn: ReactionNetwork) -> pd.DataFrame:
    """A row per species."""
    start = crn.start_values
    columns = {
        "start": [start[one.id] for one in crn.species],
        "held": [one.boundary for one in crn.species],
        "name": [one.name for one in crn.species],
    }
    return frame_of({"species": [one.id for one in crn.species]}, columns)


def sizes(crn: ReactionNetwork) -> dict[str, object]:
    """How much there is of each."""
    orders = Counter(reaction.order for reaction in crn.reactions)
    of_order = ", ".join(f"{n:,} of order {order}" for order, n in sorted(orders.items()))
    found: dict[str, object] = {
        "species": f"{len(crn.floating):,} floating, {len(crn.boundary):,} held: "
        + some(crn.floating + crn.boundary, 6),
        "reactions": f"{len(crn.reactions):,}" + (f": {of_order}" if orders else ""),
        "rate constants": len(crn.rate_constants),
    }
    if crn.observables:
        found["observables"] = some([one.id for one in crn.observables], 6)
    return found


def reactions_card(crn: ReactionNetwork) -> str:
    """Its sizes, units and first reactions."""
    facts = sizes(crn) | {"units": crn.units.in_words}
    rows = reaction_table(crn.reactions[:ROWS])
    return card(f"Reaction network {crn.name}", facts, rows, total=len(crn.reactions))
