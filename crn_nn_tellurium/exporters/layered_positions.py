"""Where species stand in a picture, each in a column after what acts on it, and their colors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from crn_nn_tellurium.chemistry import Reaction, ReactionNetwork

COLORS = {
    "ink": "#1f2933",
    "paper": "#ffffff",
    "held": "#fde9c9",
    "moved": "#e3ecf7",
    "more": "#2f6fb3",
    "less": "#c0392b",
}
"""Of pictures: what is held constant, what is moved, what makes more and what takes away."""


@dataclass(frozen=True)
class Influence:
    """A species that takes part in a reaction which changes another one.

    Attributes
    ----------
    source, target : str
    reaction : Reaction
    net : int
        How many molecules of the target the reaction makes, less those it takes.
    """

    source: str
    target: str
    reaction: Reaction
    net: int


def influences(crn: ReactionNetwork) -> Iterator[Influence]:
    """Each substrate of a reaction with each other floating species that the reaction changes."""
    floating = set(crn.floating)
    for reaction in crn.reactions:
        for source, _ in reaction.substrates:
            for target, number in reaction.net.items():
                if number and target != source and target in floating:
                    yield Influence(source, target, reaction, number)


def layered_positions(crn: ReactionNetwork) -> dict[str, tuple[int, int]]:
    """Column and row of every species, from 0.

    Species that act on one another, in a circle, share a column; the others stand one column after
    the last that acts on them. Rows follow the order of the network.

    Examples
    --------
    >>> from crn_nn_tellurium import Layer, Network, to_reactions
    >>> layered_positions(to_reactions(Network([Layer([[1.0, 1.0]]), Layer([[1.0]])])))
    {'x0': (0, 0), 'x1': (0, 1), 'Y1_0': (1, 0), 'Y2_0': (2, 0)}
    """
    import networkx as nx  # most of a second, for pictures alone

    graph = nx.DiGraph()
    graph.add_nodes_from(species.id for species in crn.species)
    graph.add_edges_from((edge.source, edge.target) for edge in influences(crn))
    circles = nx.condensation(graph)
    # a generation of a graph without circles is the longest path to it
    column = {
        species: number
        for number, generation in enumerate(nx.topological_generations(circles))
        for circle in generation
        for species in circles.nodes[circle]["members"]
    }
    rows = Counter[int]()
    positions = {}
    for species in crn.species:
        place = column[species.id]
        positions[species.id] = (place, rows[place])
        rows[place] += 1
    return positions
