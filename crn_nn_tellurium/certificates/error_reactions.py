"""Reactions among relative errors, of which an envelope is made."""

from __future__ import annotations

from crn_nn_tellurium.chemistry import Reaction

ONE = "_one"
"""A boundary species held at 1, which stands for a species at its fixed point."""


def above(name: str) -> str:
    """Identifier of how far a species' upper copy is above its fixed point."""
    return f"{name}_above"


def below(name: str) -> str:
    """Identifier of how far a species' lower copy is below its fixed point."""
    return f"{name}_below"


def extra(name: str) -> str:
    """Identifier of how far a species starts above the most that its reactions would make of it."""
    return f"{name}_extra"


def own_reactions(name: str, relaxes: bool, riccati: bool, split: bool) -> list[Reaction]:
    """How one species comes back to its fixed point by itself."""
    high, low = above(name), below(name)
    reactions = [
        Reaction(f"Jc_{high}", (high,), (), f"c_{name}", 1.0),
        Reaction(f"Jc_{low}", (low,), (), f"g_{name}" if relaxes else f"c_{name}", 1.0),
    ]
    if split:
        reactions.append(Reaction(f"Jc_{extra(name)}", (extra(name),), (), f"c_{name}", 1.0))
    if riccati:
        reactions += [
            Reaction(f"Jb_{high}", {high: 2}, (high,), f"b_{name}_above", 1.0),
            Reaction(f"Jb_{low}", {low: 2}, {low: 3}, f"b_{name}_below", 1.0),
        ]
    return reactions


def feed(k: str, source: str, own: str) -> Reaction:
    """own' = k source."""
    return Reaction(f"J{k}_{source}_{own}", (source, ONE), (source, ONE, own), k, 1.0)


def grow(k: str, source: str, own: str) -> Reaction:
    """own' = k source own."""
    return Reaction(f"J{k}_{source}_{own}_own", (source, own), {source: 1, own: 2}, k, 1.0)


def remove(k: str, source: str, own: str) -> Reaction:
    """own' = -k source own."""
    return Reaction(f"J{k}_{source}_{own}_own", (source, own), (source,), k, 1.0)


def coupling(
    k: str, copy: str, own: str, sources: list[list[str]], high: bool, linear: bool
) -> list[Reaction]:
    """How the errors of a reaction's catalysts feed one copy of a species.

    Each of the sources is a list of species whose sum is how far one catalyst is off; `high` says
    whether that is above its fixed point.
    """
    reactions = []
    every = [x for parts in sources for x in parts]
    for x in dict.fromkeys(every):
        reactions.append(
            Reaction(f"J{k}_{x}_{own}", (x, ONE), {x: 1, ONE: 1, own: every.count(x)}, k, 1.0)
        )
        if linear:
            reactions.append((grow if copy == "above" else remove)(k, x, own))
    if len(sources) == 2 and high:  # (1 + e1)(1 + e2) - 1 = e1 + e2 + e1 e2
        for first in sources[0]:
            for second in sources[1]:
                substrates = {first: 2} if first == second else {first: 1, second: 1}
                name = f"J{k}_{own}_{first}_{second}"
                reactions.append(Reaction(name, substrates, {**substrates, own: 1}, k, 1.0))
    return reactions
