"""Graphs: GraphML (.graphml) for networkx, Cytoscape and yEd, Graphviz (.dot, .gv) to draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from crn_nn_tellurium.chemistry import ReactionNetwork, printable
from crn_nn_tellurium.exporters.layered_positions import COLORS, influences, layered_positions
from crn_nn_tellurium.exporters.source import Source

Nodes = Literal["reactions", "influences"]


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
    ranks: dict[int, list[str]] = {}
    for name, (column, _) in layered_positions(crn).items():
        ranks.setdefault(column, []).append(name)
    for names in ranks.values():
        lines.append("  { rank=same; " + "; ".join(f'"{name}"' for name in names) + " }")
    for start, end, about in graph.edges(data=True):
        more = about["net"] > 0 if "net" in about else about["role"] == "product"
        color = COLORS["more" if more else "less"]
        label = about.get("rate_constant") or f"{about['stoichiometry']} molecules"
        lines.append(f'  "{start}" -> "{end}" [color="{color}", tooltip="{label}"];')
    return "\n".join([*lines, "}"]) + "\n"


def _graph(crn: ReactionNetwork, nodes: Nodes) -> Any:
    """A networkx.MultiDiGraph with what both formats say on its nodes and edges."""
    import networkx as nx  # most of a second, for pictures alone

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
