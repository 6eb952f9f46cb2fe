"""What laws are before they are reactions: propensities without counts, constants in sums."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping

from crn_nn_tellurium.chemistry import Expression, Monomial

_MOST_COUNTED = 20
"""Molecules that a law may count, P (P - 1) (P - 2) of three; nobody writes more factors out."""


def without_counts(
    law: Expression, before: Mapping[str, int], volumes: Mapping[str, float], what: str
) -> tuple[Expression, list[str]]:
    """A law without what makes it a propensity: c P (P - 1) of molecules for 2 P is c P^2.

    Reactions count molecules by themselves; their rate is the limit of many molecules. What is to
    be warned of comes with it.
    """
    kept, notes = law, list[str]()
    for term in sorted(law.terms, key=lambda term: -sum(p for _, p in term.powers)):
        counted = {
            s: int(p)
            for s, p in term.powers
            if s in volumes and p in range(2, min(before.get(s, 0), _MOST_COUNTED) + 1)
        }
        if not counted:
            continue
        # in concentrations, a molecule is 1 over the volume
        whole = Expression(
            (Monomial(term.coefficient, tuple(x for x in term.powers if x[0] not in counted)),)
        )
        for name, count in counted.items():
            for molecule in range(count):
                pair = Monomial(1.0, ((name, 1.0),)), Monomial(-molecule / volumes[name])
                whole = (whole * Expression(pair)).collected()
        own = {frozenset(t.powers): t.coefficient for t in kept.terms}
        rest = {frozenset(t.powers): t.coefficient for t in whole.collected().terms}
        # the number of a law is rounded where it was divided, by 2 say
        if len(rest) > 1 and all(
            math.isclose(own.get(powers, 0.0), c, rel_tol=1e-12) for powers, c in rest.items()
        ):
            lost = rest.keys() - {frozenset(term.powers)}
            kept = Expression(tuple(t for t in kept.terms if frozenset(t.powers) not in lost))
            notes.append(
                f"{what}: its law counts molecules, as for stochastic runs, with"
                f" {', '.join(f'{n} {s}' for s, n in counted.items())} at once; its rate is"
                " taken as that of many molecules, k * A^2 for k * A * (A - 1), and its"
                " stochastic trajectories count as the file does"
            )
    return kept, notes


def in_sums(
    rate: Expression,
    species: Collection[str],
    lacks: Callable[[Monomial], bool],
    sum_of: Callable[[Expression], str],
) -> list[Monomial]:
    """The terms of a rate, where those in the same species are one if not all can be by themselves.

    (k - q) A of A -> B is k A, and q A backwards, which would take a B that it does not meet.
    """
    alike: dict[frozenset[tuple[str, float]], list[Monomial]] = {}
    for term in rate.terms:
        alike.setdefault(frozenset(x for x in term.powers if x[0] in species), []).append(term)
    found = dict.fromkeys(rate.terms)
    for terms in alike.values():
        if len(terms) > 1 and any(map(lacks, terms)):
            constants = (tuple(x for x in t.powers if x[0] not in species) for t in terms)
            parts = zip((t.coefficient for t in terms), constants, strict=True)
            name = sum_of(Expression(tuple(Monomial(*part) for part in parts)))
            powers = tuple(x for x in terms[0].powers if x[0] in species)
            found = {term: None for term in found if term not in terms}
            found[Monomial(1.0, ((name, 1.0), *powers))] = None
    return list(found)
