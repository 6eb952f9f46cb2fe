"""Graphs: GraphML (.graphml) for networkx, Cytoscape and yEd, Graphviz (.dot, .gv) to draw.

Also where species stand in a picture, and its colors, which SBML's layouts share.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from crn_nn_tellurium.basics import LESS, MORE
from crn_nn_tellurium.chemistry import Reaction, ReactionNetwork, printable
from crn_nn_tellurium.exporters.writing import Source

Nodes = Literal["reactions", "influences"]
COLORS = {
    "ink": "#1f2933",
    "paper": "#ffffff",
    "held": "#fde9c9",
    "moved": "#e3ecf7",
    "more": MORE,
    "less": LESS,
}
"""Of pictures: what is held constant, what is moved, what makes more and what takes away."""


@dataclass(frozen=True)
class Reactions:
    """Species and reactions, or what acts on what."""

    nodes: Nodes = "reactions"


@dataclass(frozen=True)
class Influences:
    """What acts on what, or species and reactions."""

    nodes: Nodes = "influences"


def write_graphml(source: Source, options: Reactions) -> bytes:
    """GraphML; of species and reactions, with stoichiometric numbers on the edges."""
    import networkx as nx

    lines = nx.generate_graphml(_graph(source.crn, options.nodes))
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + "\n".join(lines).encode() + b"\n"


def write_dot(source: Source, options: Influences) -> str:
    """Graphviz, species layer by layer. Blue makes more, red less."""
    crn = source.crn
    graph = _graph(crn, options.nodes)
    lines = [f"// {line}" for line in source.statements]
    lines.append(f'digraph "{crn.name}" {{')
    lines.append("  rankdir=LR; ranksep=1.5; node [fontname=Helvetica, style=filled];")
    for name, about in graph.nodes(data=True):
        if about["kind"] == "species":
            color = COLORS["held" if about["boundary"] else "moved"]
            look = f'shape=ellipse, fillcolor="{color}"'
        else:
            label = about["rate_constant"]
            look = f'shape=box, height=0.2, fontsize=9, fillcolor=white, label="{label}"'
        lines.append(f'  "{name}" [{look}];')
    ranks = defaultdict(list)
    for name, (column, _) in layered_positions(crn).items():
        ranks[column].append(name)
    for names in ranks.values():
        lines.append("  { rank=same; " + "; ".join(f'"{name}"' for name in names) + " }")
    for start, end, about in graph.edges(data=True):
        # between species an edge has a net change, at a reaction's node a role
        more = about["net"] > 0 if "net" in about else about["role"] == "product"
        color = COLORS["more" if more else "less"]
        label = about.get("rate_constant") or f"{about['stoichiometry']} molecules"
        lines.append(f'  "{start}" -> "{end}" [color="{color}", tooltip="{label}"];')
    return "\n".join([*lines, "}"]) + "\n"


def _graph(crn: ReactionNetwork, nodes: Nodes) -> Any:
    """A networkx.MultiDiGraph with what both formats say on its nodes and edges."""
    import networkx as nx  # most of a second, for pictures alone

    # two species may act on one another by several reactions: an edge for each
    graph = nx.MultiDiGraph(name=crn.name)
    start = crn.start_values
    for species in crn.species:
        held, readable = species.boundary, printable(species.name)
        about = {"boundary": held, "initial": start[species.id], "name": readable}
        graph.add_node(species.id, kind="species", **about)
    if nodes == "influences":
        for edge in influences(crn):
            r = edge.reaction
            about = {"reaction": r.id, "rate_constant": r.rate_constant, "value": r.value}
            graph.add_edge(edge.source, edge.target, **about, net=edge.net)
        return graph
    for reaction in crn.reactions:
        constant = {"rate_constant": reaction.rate_constant, "value": reaction.value}
        graph.add_node(reaction.id, kind="reaction", **constant, equation=reaction.equation)
        for name, count in reaction.substrates:
            graph.add_edge(name, reaction.id, stoichiometry=count, role="substrate")
        for name, count in reaction.products:
            graph.add_edge(reaction.id, name, stoichiometry=count, role="product")
    return graph


@dataclass(frozen=True)
class Influence:
    """A species that takes part in a reaction which makes `net` more molecules of another one."""

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
