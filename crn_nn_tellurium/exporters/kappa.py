"""Kappa 4 (.ka), one agent per species.

Kappa counts molecules, so concentrations are multiplied by a number of molecules per unit, and rate
constants by its powers, as a volume would. Left and right of a rule are aligned, ``.`` standing for
nothing, as KaSim and KaSa have it. KaSim takes every ordered pair of ``Y(), Y()`` for a place where
the rule applies, n (n - 1) of them, so the rate constant of 2 Y -> Y is written as it is. Source:
Boutillier et al., Bioinformatics 34 (2018) i583, doi 10.1093/bioinformatics/bty272.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from crn_nn_tellurium.chemistry import KAPPA, Side, formula
from crn_nn_tellurium.exporters.writing import Language, Source, molecules

_RESERVED = "inf INF do set repeat alarm log exp sin cos tan sqrt max min abs int mod true false"
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
    lines = _LANGUAGE.header(source, crn, [f"{count} molecules are a concentration of 1."])
    lines += [f"%agent: {s.id}()" for s in crn.species]
    lines += [f"%var: '{k}' {value!r}" for k, value in crn.constant_values.items()]
    for r in crn.reactions:
        sides = _aligned(*crn.catalytic_sides(r))
        before, after = (", ".join(f"{s}()" if s else "." for s in side) or "." for side in sides)
        # n molecules meet in a volume of `count` per unit
        per = {0: f" * {count}", 1: ""}.get(r.order, f" / {count ** (r.order - 1)}")
        lines.append(f"'{r.id}' {before} -> {after} @ '{r.rate_constant}'{per}")
    seen = {s.id: f"(|{s.id}()| / {count})" for s in crn.species}
    read = seen | {k: f"'{k}'" for k in crn.rate_constants}
    lines += [f"%obs: '{name}' {text}" for name, text in seen.items()]
    lines += [f"%obs: '{o.id}' {formula(o.expression, KAPPA, read)}" for o in crn.observables]
    # molecules are whole: a start is as exact as 1 / count
    lines += [f"%init: {round(value * count)} {name}()" for name, value in crn.start_values.items()]
    return "\n".join(lines) + "\n"


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
