"""Species and reactions of an envelope's copies: how far each is off, and what feeds that."""

from __future__ import annotations

from collections import Counter

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


def left(name: str) -> str:
    """Identifier of a species' lower copy itself: 1 less how far it is below."""
    return f"{name}_left"


def feed(k: str, source: str, own: str, number: int = 1) -> Reaction:
    """own' = number k source."""
    products = {source: 1, ONE: 1, own: number}
    return Reaction(f"J{k}_{source}_{own}", (source, ONE), products, k, 1.0)


def grow(k: str, source: str, own: str) -> Reaction:
    """own' = k source own."""
    return Reaction(f"J{k}_{source}_{own}_own", (source, own), {source: 1, own: 2}, k, 1.0)


def remove(k: str, source: str, own: str) -> Reaction:
    """own' = -k source own."""
    return Reaction(f"J{k}_{source}_{own}_own", (source, own), (source,), k, 1.0)


def product(k: str, first: str, second: str, own: str) -> Reaction:
    """own' = k first second."""
    sources = dict(Counter([first, second]))
    return Reaction(f"J{k}_{own}_{first}_{second}", sources, {**sources, own: 1}, k, 1.0)


def turn(k: str, sources: list[str], before: str, after: str, place: int = 0) -> Reaction:
    """after' = -before' = k before times the sources; `place` tells two of one name apart."""
    catalysts = Counter(sources)
    reads, gives = (dict(catalysts + Counter([own])) for own in (before, after))
    name = "_".join([f"J{k}", *sources, before, after, *[str(place)] * (place > 0)])
    return Reaction(name, reads, gives, k, 1.0)
