"""Rates of change as the texts of engines have them: one law a species, sums that recur by a name.

In a compact model a weight or a bias is written once for all that it drives, with the sign in the
constant and not in the term, so that it may change its sign without another model.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from crn_nn_tellurium.basics import FloatArray, free_id
from crn_nn_tellurium.chemistry import ReactionNetwork, Terms, signed_sum
from crn_nn_tellurium.networks import signed_constant


def sum_text(crn: ReactionNetwork, terms: Terms, chosen: Iterable[int]) -> str:
    """Some of the terms, added up."""
    symbols = crn.floating + crn.boundary
    return signed_sum([_term_text(_part(terms, t), crn.rate_constants, symbols) for t in chosen])


def derivative_text(crn: ReactionNetwork, species: str, constant: str) -> str:
    """df/dk of one species; empty where the rate constant does not act on it."""
    terms, span = crn.terms, crn.terms.span(crn.floating.index(species))
    chosen = [t for t in span if crn.rate_constants[terms.constant[t]] == constant]
    ones, symbols = ["1"] * len(crn.rate_constants), crn.floating + crn.boundary
    return signed_sum([_term_text(_part(terms, t), ones, symbols) for t in chosen], empty="")


def compact_names(crn: ReactionNetwork) -> dict[str, str]:
    """What a compact model calls each rate constant: those that carry a sign have another name."""
    taken, known = {*crn.identifiers, crn.name}, crn.constant_signs
    return {
        k: free_id(signed_constant(k), taken) if known.get(k) else k for k in crn.constant_names
    }


def compact_constants(crn: ReactionNetwork) -> FloatArray:
    """Values of the constants (n_constants,) with the signs of what they are the sizes of."""
    return compact_signs(crn) * crn.constants


def compact_signs(crn: ReactionNetwork) -> FloatArray:
    """By what a compact model multiplies each constant, 1 or -1, (n_constants,)."""
    known = crn.constant_signs
    return np.array([known.get(k) or 1 for k in crn.constant_names], dtype=float)


def with_signs(crn: ReactionNetwork) -> Terms:
    """The terms of a network whose rate constants carry signs themselves."""
    # the sign goes from the term's number to its constant: -1 k x becomes 1 u x with u = -k
    return replace(crn.terms, number=crn.terms.number * compact_signs(crn)[crn.terms.constant])


@dataclass(frozen=True, slots=True)
class _Law:
    """One species' reaction in a compact model, with the catalysed sum that it uses first."""

    species: str
    reaction: str
    law: str
    sum: str = ""
    sum_text: str = ""


_Part = tuple[int, int, tuple[int, ...]]
"""Number, rate constant and factors of a term: equal for terms that are written alike."""


def _part(terms: Terms, term: int, own: bool = True) -> _Part:
    """A term, with its row's own species among the factors or without."""
    factors = (terms.factors if own else terms.others)[term].tolist()
    number, constant = int(terms.number[term]), int(terms.constant[term])
    return number, constant, tuple(f for f in factors if f < terms.one)


def laws(crn: ReactionNetwork, terms: Terms, constants: Sequence[str]) -> Iterator[_Law]:
    """One law per species; a sum of catalysed terms that occurs again is written once."""
    taken = {*(s.id for s in crn.species), *crn.constant_names, *(o.id for o in crn.observables)}
    symbols = crn.floating + crn.boundary
    sums: dict[tuple[_Part, ...], str] = {}
    for row, species in enumerate(crn.floating):
        powers: dict[int, list[_Part]] = {}
        for t in terms.span(row):
            powers.setdefault(int(terms.power[t]), []).append(_part(terms, t, own=False))
        if not powers:
            continue  # nothing changes it
        parts: list[str] = []
        name = text = ""
        # a drive's catalysed terms times Y, which all rails of a unit share, is the sum to name;
        # rails of opposite sign have it with all signs turned, so a key begins with a plus
        key = tuple(part for part in powers.get(1, []) if part[2])
        flip = bool(key) and key[0][0] < 0
        if flip:
            key = tuple((-number, constant, factors) for number, constant, factors in key)
        if len(key) > 1 and key not in sums:
            sums[key] = name = free_id(f"z_{species}", taken)
            text = signed_sum([_term_text(part, constants, symbols) for part in key])
        for power, own in sorted(powers.items()):
            tail = f"*{species}" * power
            rest = own
            # the terms that a named sum stands for are those with factors; the bias has none
            if power == 1 and key in sums:
                parts.append(f"{'-' if flip else ''}{sums[key]}{tail}")
                rest = [part for part in own if not part[2]]
            elif power == 0 and (shared := _common_factor(own)) and shared[1] in sums:
                parts.append(f"{sums[shared[1]]}*{symbols[shared[0]]}")
                rest = [part for part in own if not part[2]]
            parts += [_term_text(part, constants, symbols) + tail for part in rest]
        law = f"comp*({signed_sum(parts)})"
        yield _Law(species, free_id(f"J{species}", taken), law, name, text)


def _common_factor(parts: list[_Part]) -> tuple[int, tuple[_Part, ...]] | None:
    """A species that is a factor of all catalysed terms, and the terms without it."""
    catalysed = [part for part in parts if part[2]]
    for factor in catalysed[0][2] if catalysed else ():
        if all(factor in factors for _, _, factors in catalysed):
            without = []
            for number, constant, factors in catalysed:
                first = factors.index(factor)
                without.append((number, constant, factors[:first] + factors[first + 1 :]))
            return factor, tuple(without)
    return None


def _term_text(part: _Part, constants: Sequence[str], symbols: Sequence[str]) -> str:
    number, constant, factors = part
    size = [] if abs(number) == 1 else [str(abs(number))]
    body = "*".join([*size, constants[constant], *(symbols[f] for f in factors)])
    return f"-{body}" if number < 0 else body
