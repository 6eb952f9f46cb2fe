"""Kappa 4 (.ka), one agent per species.

Kappa counts molecules, so concentrations are multiplied by a number of molecules per unit, and rate
constants by its powers, as a volume would. Left and right of a rule are aligned, ``.`` standing for
nothing, as KaSim and KaSa have it. KaSim takes every ordered pair of ``Y(), Y()`` for a place where
the rule applies, n (n - 1) of them, so the rate constant of 2 Y -> Y is written as it is. Source:
Boutillier et al., Bioinformatics 34 (2018) i583, doi 10.1093/bioinformatics/bty272.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from crn_nn_tellurium.chemistry import KAPPA, ReactionNetwork, Side, formula
from crn_nn_tellurium.errors import FileFormatError
from crn_nn_tellurium.exporters.writing import Language, Source, molecules

_RESERVED = "inf INF do set repeat alarm log exp sin cos tan sqrt max min abs int mod true false"
_MOST_PLACES = 2.0**62  # its integers have 63 bits, one for the sign
_LANGUAGE = Language("Kappa", "//", frozenset(_RESERVED.split()))


@dataclass(frozen=True)
class Options:
    """How many molecules are a concentration of 1."""

    molecules: int = 1000


def write(source: Source, options: Options) -> str:
    """Agents, rules and read-outs.

    Inputs are catalysts and so stay constant. Read-outs are concentrations again.
    """
    crn, count = _LANGUAGE.network(source.crn), options.molecules
    start = crn.start_values
    _check_places(source.crn, count)
    lines = _LANGUAGE.header(source, crn, [f"{count} molecules are a concentration of 1."])
    lines += [f"%agent: {s.id}()" for s in crn.species]
    lines += [f"%var: '{k}' {value!r}" for k, value in crn.constant_values.items()]
    for r in crn.reactions:
        sides = _aligned(*r.catalytic_sides(crn.boundary))
        before, after = (", ".join(f"{s}()" if s else "." for s in side) or "." for side in sides)
        # n molecules meet in a volume of `count` per unit
        per = {0: f" * {count}", 1: ""}.get(r.order, f" / {count ** (r.order - 1)}")
        lines.append(f"'{r.id}' {before} -> {after} @ '{r.rate_constant}'{per}")
    seen = {s.id: f"(|{s.id}()| / {count})" for s in crn.species}
    read = seen | {k: f"'{k}'" for k in crn.rate_constants}
    lines += [f"%obs: '{name}' {text}" for name, text in seen.items()]
    lines += [f"%obs: '{o.id}' {formula(o.expression, KAPPA, read)}" for o in crn.observables]
    # molecules are whole: a start is as exact as 1 / count
    lines += [f"%init: {round(value * count)} {name}()" for name, value in start.items()]
    return "\n".join(lines) + "\n"


def _check_places(crn: ReactionNetwork, count: int) -> None:
    """Refuse more places for a rule at the start than KaSim's integers hold, where it dies."""
    start = crn.start_values
    for r in crn.reactions:
        places = math.prod((count * start[s]) ** n for s, n in r.substrates)
        if places >= _MOST_PLACES:
            raise FileFormatError(
                f"reaction {r.id!r} ({r.equation}): at {count} molecules of a concentration of 1 it"
                f" can happen in {places:.0e} places, and KaSim counts to {_MOST_PLACES:.0e};"
                " take fewer with molecules="
            )


def _aligned(before: Side, after: Side) -> tuple[list[str], list[str]]:
    """Both sides molecule by molecule, "" where there is none."""
    left = molecules(before)
    made = Counter(dict(after))
    right = []
    for species in left:
        # a molecule that is on both sides stands in one place, and counts as made no more
        kept = made[species] > 0
        made[species] -= kept
        right.append(species if kept else "")
    new = list(made.elements())
    return left + [""] * len(new), right + new
