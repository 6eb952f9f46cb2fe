"""Where species stand in a picture, in columns, each after those that act on it, and in which
colors.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse

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
    names = [s.id for s in crn.species]
    number = {name: i for i, name in enumerate(names)}
    edges = {(number[edge.source], number[edge.target]) for edge in influences(crn)}
    pairs = np.array(sorted(edges), dtype=int).reshape(-1, 2)
    graph = sparse.csr_array(
        (np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(names), len(names))
    )
    n_circles, circle = sparse.csgraph.connected_components(graph, connection="strong")
    between = {(int(a), int(b)) for a, b in circle[pairs].tolist() if a != b}
    column = _longest_paths(n_circles, between)
    taken: dict[int, int] = {}
    positions = {}
    for i, name in enumerate(names):
        c = column[circle[i]]
        positions[name] = (c, taken.get(c, 0))
        taken[c] = taken.get(c, 0) + 1
    return positions


def _longest_paths(n: int, edges: set[tuple[int, int]]) -> list[int]:
    """Number of edges of the longest path to each node of a graph without circles."""
    after: list[list[int]] = [[] for _ in range(n)]
    waiting = [0] * n
    for a, b in edges:
        after[a].append(b)
        waiting[b] += 1
    length = [0] * n
    ready = [node for node in range(n) if not waiting[node]]
    while ready:
        node = ready.pop()
        for other in after[node]:
            length[other] = max(length[other], length[node] + 1)
            waiting[other] -= 1
            if not waiting[other]:
                ready.append(other)
    return length
