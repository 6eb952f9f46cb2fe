"""Kappa 4 (.ka), one agent per species.

Kappa counts molecules, so concentrations are multiplied by a number of molecules per unit, and rate
constants by its powers, as a volume would. Left and right of a rule are aligned, ``.`` standing for
nothing, as KaSim and KaSa have it. KaSim takes every ordered pair of ``Y(), Y()`` for a place where
the rule applies, n (n - 1) of them, so the rate constant of 2 Y -> Y is written as it is. Source:
Boutillier et al., Bioinformatics 34 (2018) i583, doi 10.1093/bioinformatics/bty272.
"""

from __future__ import annotations

from collections import Counter

from crn_nn_tellurium.chemistry import KAPPA, Side, formula
from crn_nn_tellurium.exporters.source import Source
from crn_nn_tellurium.exporters.texts import Names, header

_RESERVED = (
    "inf INF do set repeat alarm log exp sin cos tan sqrt max min abs int mod true false".split()
)
NAMES = Names("Kappa", "//", frozenset(_RESERVED))


def write(source: Source, *, molecules: int = 1000) -> str:
    """Agents, rules and read-outs, with `molecules` for a concentration of 1.

    Inputs are catalysts and so stay constant. Read-outs are concentrations again.
    """
    crn, count = source.crn, molecules
    names = NAMES.of(crn.identifiers)
    lines = header(source, NAMES, names, [f"{count} molecules are a concentration of 1."])
    lines += [f"%agent: {names[species.id]}()" for species in crn.species]
    for name, value in crn.constant_values.items():
        lines.append(f"%var: '{names[name]}' {value!r}")
    for reaction in crn.reactions:
        before, after = _aligned(*crn.catalytic_sides(reaction))
        sides = [
            ", ".join(f"{names[s]}()" if s else "." for s in side) or "."
            for side in (before, after)
        ]
        per = {0: f" * {count}", 1: ""}.get(reaction.order, f" / {count ** (reaction.order - 1)}")
        lines.append(
            f"'{names[reaction.id]}' {sides[0]} -> {sides[1]} @"
            f" '{names[reaction.rate_constant]}'{per}"
        )
    seen = {species.id: f"(|{names[species.id]}()| / {count})" for species in crn.species}
    seen |= {name: f"'{names[name]}'" for name in crn.rate_constants}
    lines += [f"%obs: '{names[species.id]}' {seen[species.id]}" for species in crn.species]
    lines += [
        f"%obs: '{names[o.id]}' {formula(o.expression, KAPPA, seen)}" for o in crn.observables
    ]
    lines += [
        f"%init: {round(value * count)} {names[species]}()"
        for species, value in crn.start_values.items()
    ]
    return "\n".join(lines) + "\n"


def _aligned(before: Side, after: Side) -> tuple[list[str], list[str]]:
    """Both sides molecule by molecule, "" where there is none."""
    left = [species for species, count in before for _ in range(count)]
    made = Counter(dict(after))
    right = []
    for species in left:
        kept = made[species] > 0
        made[species] -= kept
        right.append(species if kept else "")
    new = list(made.elements())
    return left + [""] * len(new), right + new
