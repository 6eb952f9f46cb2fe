"""Identifiers of a network's numbers, species, rate constants and reactions: the one place where
they are made.

The network's own numbers have signs: ``w{layer}_{unit}_{value read}``, ``b{layer}_{unit}``. The
rate constants that chemistry makes of them are sizes, so they have names of their own, and so do
the constants of form "compact", which carry the sign:

    k1_0_2   = |gain w1_0_2 c|                  u1_0_2   its signed form
    kb1_0_Y  = |gain (b1_0 + w . r) + shift|    ub1_0_Y  its signed form

with c the coefficient and r the constant of the read-outs of what is read. Layers count from 1,
units and values read from 0. Where a value read has several rails, the rail's name follows, as it
does in a bias whose rail is shifted. Constants that a layer's units share, h1 and q1, are numbers
of the network and rate constants at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

_KINDS: Mapping[str, tuple[str, str]] = {
    "w": ("the network's weight, with its sign", ""),
    "b": ("the network's bias, with its sign", ""),
    "k": ("a weight's rate constant, a size", "k = |gain w c|"),
    "kb": ("a bias's rate constant, a size", "kb = |gain (b + w . r) + shift|"),
    "u": ("a weight's signed constant in form 'compact'", "u = gain w c, |u| = k"),
    "ub": (
        "a bias's signed constant in form 'compact'",
        "ub = gain (b + w . r) + shift, |ub| = kb",
    ),
}
"""By how a name of ours begins, what it is, and how it relates to weight or bias."""
RESERVED_LOCALLY = frozenset({"h", "q", "v", "J", *_KINDS})
"""Local names that an activation of one's own cannot give its species and rate constants."""
# what is a name of ours is decided by its form alone, so that a user's name is ours in any network
_OURS = re.compile(rf"({'|'.join(_KINDS)}|v)(\d+_\d+(?:_\w+)?)", re.ASCII)


def weight_id(index: int, unit: int, value: int) -> str:
    return f"w{index}_{unit}_{value}"


def bias_id(index: int, unit: int) -> str:
    return f"b{index}_{unit}"


def weight_constant(index: int, unit: int, label: str) -> str:
    """The label has the value read and its rail."""
    return f"k{index}_{unit}_{label}"


def bias_constant(index: int, unit: int, rail: str = "") -> str:
    """With a rail, the constant that the rail has for its own."""
    return f"kb{index}_{unit}" + (f"_{rail}" if rail else "")


def signed_constant(constant: str) -> str:
    """From the rate constant that is a size, the one that carries the sign."""
    return f"u{constant.removeprefix('k')}"


def shared_id(index: int, name: str) -> str:
    """A rate constant that a layer's units share, h say."""
    return f"{name}{index}"


def value_id(index: int, unit: int) -> str:
    return f"v{index}_{unit}"


def unit_ids(index: int, unit: int) -> Callable[[str], str]:
    """From the local names of a unit's species to their identifiers."""
    return lambda local: f"{local}{index}_{unit}"


def input_ids(name: str) -> Callable[[str], str]:
    """From the rails of an input to the identifiers of its species."""
    return lambda rail: f"{name}_{rail}" if rail else name


def reaction_id(kind: str, index: int, unit: int, *parts: object) -> str:
    """The kind is h, w, b, q or a local rate constant; the parts say which of them it is."""
    return "_".join([f"J{kind}{index}_{unit}", *map(str, parts)])


def parts_of(identifier: str) -> tuple[str, tuple[int, ...]] | None:
    """What an identifier made here says: ``w1_0_2`` is of kind w, layer 1, unit 0, value 2."""
    match = re.fullmatch(r"([A-Za-z]+)(\d+(?:_\d+)*)", identifier, re.ASCII)
    return None if match is None else (match[1], tuple(map(int, match[2].split("_"))))


def is_ours(name: str) -> bool:
    """Whether a user's name could be that of a value, weight, bias or their rate constants."""
    return _OURS.fullmatch(name) is not None


def other_names(name: str, known: Iterable[str]) -> str:
    """Where one kind of name is given and another is meant, the end of an error that names the
    other and says how they relate; else nothing.
    """
    match = _OURS.fullmatch(name)
    if match is None or match[1] not in _KINDS:
        return ""
    kind, place = match.groups()
    found = {}
    for other in known:
        its = _OURS.fullmatch(other)
        if its and its[1] in _KINDS and its[1] != kind and ("b" in its[1]) == ("b" in kind):
            # either may name a rail besides, which begins with a letter
            short, long = sorted((place, its[2]), key=len)
            if re.fullmatch(rf"{short}(_[A-Za-z]+)?", long):
                found[other] = its[1]
    if not found:
        return ""
    named = " and ".join(map(repr, found))
    relation = _KINDS[next(iter(found.values()))][1] or _KINDS[kind][1]
    return f"; {name!r} is {_KINDS[kind][0]}; here there is {named}: {relation}"
