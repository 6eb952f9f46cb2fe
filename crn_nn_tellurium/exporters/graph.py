"""Graphs: GraphML (.graphml) for networkx, Cytoscape and yEd, Graphviz (.dot, .gv) to draw."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from crn_nn_tellurium.chemistry import ReactionNetwork, printable
from crn_nn_tellurium.exporters.layered_positions import COLORS, influences, layered_positions
from crn_nn_tellurium.exporters.source import Source

Nodes = Literal["reactions", "influences"]


@dataclass(frozen=True)
class _Edge:
    start: str
    end: str
    attributes: dict[str, Any]


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
    import networkx  # most of a second, for pictures alone

    crn, nodes = source.crn, options.nodes
    graph = networkx.MultiDiGraph(name=crn.name)
    for name, attributes in _nodes(crn, nodes):
        graph.add_node(name, **attributes)
    for edge in _edges(crn, nodes):
        graph.add_edge(edge.start, edge.end, **edge.attributes)
    return (
        b'<?xml version="1.0" encoding="utf-8"?>\n'
        + "\n".join(networkx.generate_graphml(graph)).encode()
        + b"\n"
    )


def write_dot(source: Source, options: Influences) -> str:
    """Graphviz, species layer by layer. Blue makes more, red less."""
    crn, nodes = source.crn, options.nodes
    lines = [f"// {line}" for line in source.statements]
    lines += [
        f'digraph "{crn.name}" {{',
        "  rankdir=LR; ranksep=1.5; node [fontname=Helvetica, style=filled];",
    ]
    for name, attributes in _nodes(crn, nodes):
        held = attributes.get("boundary", False)
        look = (
            f'shape=ellipse, fillcolor="{COLORS["held" if held else "moved"]}"'
            if attributes["kind"] == "species"
            else (
                "shape=box, height=0.2, fontsize=9, fillcolor=white,"
                f' label="{attributes["rate_constant"]}"'
            )
        )
        lines.append(f'  "{name}" [{look}];')
    ranks: dict[int, list[str]] = {}
    for name, (column, _) in layered_positions(crn).items():
        ranks.setdefault(column, []).append(name)
    for names in ranks.values():
        lines.append("  { rank=same; " + "; ".join(f'"{name}"' for name in names) + " }")
    for edge in _edges(crn, nodes):
        about = edge.attributes
        more = about["net"] > 0 if "net" in about else about["role"] == "product"
        color = COLORS["more" if more else "less"]
        label = about.get("rate_constant") or f"{about['stoichiometry']} molecules"
        lines.append(f'  "{edge.start}" -> "{edge.end}" [color="{color}", tooltip="{label}"];')
    return "\n".join([*lines, "}"]) + "\n"


def _nodes(crn: ReactionNetwork, nodes: Nodes) -> Iterator[tuple[str, dict[str, Any]]]:
    start = crn.start_values
    for species in crn.species:
        about = {
            "boundary": species.boundary,
            "initial": start[species.id],
            "name": printable(species.name),
        }
        yield species.id, {"kind": "species", **about}
    for reaction in crn.reactions if nodes == "reactions" else ():
        yield (
            reaction.id,
            {
                "kind": "reaction",
                "rate_constant": reaction.rate_constant,
                "value": reaction.value,
                "equation": reaction.equation,
            },
        )


def _edges(crn: ReactionNetwork, nodes: Nodes) -> Iterator[_Edge]:
    if nodes == "influences":
        for edge in influences(crn):
            reaction = edge.reaction
            about = {
                "reaction": reaction.id,
                "rate_constant": reaction.rate_constant,
                "value": reaction.value,
            }
            yield _Edge(edge.source, edge.target, {**about, "net": edge.net})
        return
    for reaction in crn.reactions:
        for species, count in reaction.substrates:
            yield _Edge(species, reaction.id, {"stoichiometry": count, "role": "substrate"})
        for species, count in reaction.products:
            yield _Edge(reaction.id, species, {"stoichiometry": count, "role": "product"})
