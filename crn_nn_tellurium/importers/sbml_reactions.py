"""Reactions and rate rules of an SBML model as reactions of mass action.

A law is in amounts a time, so a species of net number n in a volume V changes by n/V times the law.
Where n/V agrees but for whole numbers, the reaction stays one; else what changes alike is a
reaction of its own, with the rest of what the law reads as catalysts: the same differential
equation.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from crn_nn_tellurium.basics import free_id
from crn_nn_tellurium.chemistry import Expression, Monomial, Reaction
from crn_nn_tellurium.importers.sbml_formulas import Formulas, divided
from crn_nn_tellurium.importers.sbml_laws import in_sums, without_counts

Side = Mapping[str, int]
Counts = dict[str, Expression]
# a volume, a conversion factor, a number of molecules that is no whole one: what changes alike
Key = tuple[float, str, Expression]

_ONE = Expression((Monomial(1.0),))
_MINUS_ONE = Expression((Monomial(-1.0),))


class Reactions:
    """Reactions of a model, and the constants that they make."""

    def __init__(self, model: Any, formulas: Formulas) -> None:
        self.model, self.formulas = model, formulas
        self.refusal = formulas.refusal
        self.orders: dict[str, float] = {}
        self.followed: dict[str, Expression] = {}  # of rate constants that are none of the model's

    def all(self) -> Iterator[Reaction]:
        """In the order of the model, rate rules last."""
        for reaction in self.model.getListOfReactions():
            yield from self._from_reaction(reaction)
        for name, node in self.formulas.moving.items():
            yield from self._from_rate_rule(name, node)

    def _from_reaction(self, reaction: Any) -> Iterator[Reaction]:
        name = reaction.getId()
        what = f"reaction {name!r}"
        law = reaction.getKineticLaw()
        if law is None or law.getMath() is None:
            raise self.refusal(f"{what} has no kinetic law; give it one, k * A * B say")
        before = self._side(reaction.getListOfReactants(), what)
        after = self._side(reaction.getListOfProducts(), what)
        whole = {s: n for s, count in before.items() if (n := _whole(count)) is not None}
        volumes = self.formulas.volume
        law = self.formulas.expression(law.getMath(), what)
        law, notes = without_counts(law, whole, volumes, what)
        self.formulas.notes += notes
        parts = self._parts(before, after)
        if len(parts) > 1:
            self.formulas.notes.append(
                f"{what}: its species change at different rates, by their"
                f" {_differences([*parts])}, so it is {len(parts)} reactions with the same"
                " differential equation; stochastic runs differ from the model's"
            )
        pieces = [
            (term, *sides)
            for key, sides in parts.items()
            for term in self._in_sums(self._scaled(law, key, what), *sides, what)
        ]
        for number, (term, left, right) in enumerate(pieces, start=1):
            identifier = name
            if len(pieces) > 1:
                identifier = free_id(f"{name}_{number}", self.formulas.taken)
            yield self._term(identifier, reaction.getName(), term, left, right, what)

    def _from_rate_rule(self, name: str, node: Any) -> Iterator[Reaction]:
        what = f"the rate rule of {name!r}"
        rate = self.formulas.expression(node, what)
        if name in self.formulas.in_amounts:
            rate = divided(rate, self.formulas.volume[name])
        for term in self._in_sums(rate.collected(), {}, {name: 1}, what, by_rule=True):
            identifier = free_id(f"J_{name}", self.formulas.taken)
            yield self._term(identifier, "", term, {}, {name: 1}, what, by_rule=True)

    def _parts(
        self, before: Counts, after: Counts
    ) -> dict[Key, tuple[dict[str, int], dict[str, int]]]:
        """Both sides, in whole molecules, of what changes alike."""
        keys: dict[str, Key] = {}
        molecules: dict[str, tuple[int, int]] = {}
        for species in dict.fromkeys((*before, *after)):
            sides = [side.get(species, Expression(())) for side in (before, after)]
            net = (sides[1] + _MINUS_ONE * sides[0]).collected()
            size, whole = _ONE, [n for n in map(_whole, sides) if n is not None]
            if len(whole) < 2:
                # parts of molecules: as many as the whole number of a net change, or one of a size
                count, is_negative = _whole(net), net.terms and net.terms[0].coefficient < 0
                if count is None:
                    size, count = _MINUS_ONE * net if is_negative else net, -1 if is_negative else 1
                whole = [-count, 0] if species in before else [0, count]
            molecules[species] = whole[0], whole[1]
            if net.terms and not self._unmoved(species):
                keys[species] = (self.formulas.volume[species], self._factor(species), size)
        # what is as much there afterwards goes with the first
        first = next(iter(keys.values()), (1.0, "", _ONE))
        parts: dict[Key, tuple[dict[str, int], dict[str, int]]] = {first: ({}, {})}
        for i, side in enumerate((before, after)):
            for species in side:
                sides_of = parts.setdefault(keys.get(species, first), ({}, {}))
                if molecules[species][i]:
                    sides_of[i][species] = molecules[species][i]
        return parts

    def _factor(self, species: str) -> str:
        """The parameter that turns extents of reactions into amounts of the species, or none."""
        element = self.formulas.species[species]
        return str(element.getConversionFactor() or self.model.getConversionFactor())

    def _scaled(self, law: Expression, key: Key, what: str) -> Expression:
        """How often a part of a reaction happens: concentrations a time."""
        volume, factor, size = key
        rate = divided(law, volume) * size
        if factor:
            rate = rate * self.formulas.symbol(factor, what)
        return rate.collected()

    def _in_sums(
        self, rate: Expression, before: Side, after: Side, what: str, by_rule: bool = False
    ) -> list[Monomial]:
        """The terms of a rate, those in sums that cannot be by themselves."""
        return in_sums(
            rate,
            self.formulas.volume,
            lambda term: bool(self._lacking(term, before, after, what, by_rule)),
            lambda constants: self.formulas.sum_of(constants, what),
        )

    def _lacking(
        self, term: Monomial, before: Side, after: Side, what: str, by_rule: bool
    ) -> list[str]:
        """Species that a term takes without meeting them."""
        sign = self.coefficient(term, f"{what}: its rate constant", what)[1]
        left, right = (before, after) if sign > 0 else (after, before)
        made = self._made(dict(term.powers), left, right, by_rule)
        return [s for s, count in made.items() if count < 0 and not self._held(s)]

    def _made(
        self, needed: Mapping[str, float], left: Side, right: Side, by_rule: bool
    ) -> dict[str, int]:
        """What is there after what was needed met, but for the net change as written."""
        made = {}
        for species in dict.fromkeys((*right, *needed, *left)):
            if species in self.formulas.volume:
                count = int(needed.get(species, 0))
                # of what reactions leave, a rate rule alone changes it
                if by_rule or not self._unmoved(species) or self._held(species):
                    count += right.get(species, 0) - left.get(species, 0)
                made[species] = count
        return made

    def _term(
        self,
        identifier: str,
        name: str,
        term: Monomial,
        before: Side,
        after: Side,
        what: str,
        by_rule: bool = False,
    ) -> Reaction:
        """One term of a rate: forwards if positive, backwards if negative."""
        volume = self.formulas.volume
        factors = tuple((s, p) for s, p in term.powers if s not in volume)
        powers = {s: p for s, p in term.powers if s in volume}
        if odd := [s for s, p in powers.items() if p < 1 or p != int(p)]:
            if self.formulas.held.issuperset(odd):
                # a species that nothing changes is a constant, and those have any power
                self.formulas.lone.update(odd)
            raise self.refusal(
                f"{what}: a term has concentrations to the powers {powers}; expected 1, 2, ... as"
                " in mass action"
            )
        value, sign = self.coefficient(term, f"{what}: its rate constant", what)
        rate = Monomial(term.coefficient * sign, factors)
        constant = self._rate_constant(identifier, rate, sum(powers.values()))
        left, right = (before, after) if sign > 0 else (after, before)
        # what the law depends on meets, whether the reaction lists it or not
        needed = {s: int(powers[s]) for s in (*left, *powers) if s in powers}
        for species in self._lacking(term, before, after, what, by_rule):
            backwards = "runs backwards, where a term is negative, and takes"
            run = "takes" if left is before else backwards
            raise self.refusal(
                f"{what} {run} {species!r}, but a term of its rate does not depend on it, so it is"
                " not mass action (it would fall below zero); expected every term to have it"
            )
        made = {s: n for s, n in self._made(needed, left, right, by_rule).items() if n > 0}
        return Reaction(identifier, needed, made, constant, abs(value), name)

    def coefficient(self, term: Monomial, whole: str, what: str = "") -> tuple[float, float]:
        """The number that a term's species are multiplied by, and its sign."""
        # which way a term runs is a matter of its sign, and a constant of 0 has none
        value, sign = term.coefficient, math.copysign(1.0, term.coefficient)
        with self.formulas.calculating(whole):
            for k, power in term.powers:
                if k not in self.formulas.volume:
                    factor = self.formulas.constant(k, what or whole)
                    value *= factor**power
                    sign *= -1.0 if factor < 0 and power % 2 else 1.0
            if isinstance(value, complex) or not math.isfinite(value):
                raise OverflowError(value)
        return value, sign

    def _rate_constant(self, reaction: str, rate: Monomial, order: float) -> str:
        """A parameter where it is alone in its term and used at one order, else a new constant
        that follows from what the term has.
        """
        if len(rate.powers) == 1 and rate.powers[0][1] == 1 and rate.coefficient == 1:
            name = rate.powers[0][0]
            if self.orders.setdefault(name, order) == order:
                return name
        name = free_id(f"k_{reaction}", self.formulas.taken)
        if rate.powers:
            self.followed[name] = Expression((rate,))
        return name

    def _side(self, references: Any, what: str) -> Counts:
        side: Counts = {}
        for reference in references:
            species = reference.getSpecies()
            if species not in self.formulas.species:
                raise self.refusal(
                    f"{what} takes or makes {species!r}; expected a species of the model"
                )
            count = self._count(reference, f"{what}, how many of {species!r} it takes or makes")
            # what a rule sets, or is a constant, is no matter of reactions
            if count.terms and species in self.formulas.volume:
                side[species] = (side.get(species, Expression(())) + count).collected()
        return side

    def _count(self, reference: Any, what: str) -> Expression:
        """How many molecules: a number, or what may change."""
        formulas, name = self.formulas, reference.getId()
        # a formula in Level 2; in Level 3 a rule or an assignment to the reference's identifier
        own = reference.getStoichiometryMath()
        count: float | None
        if own is not None and own.isSetMath():
            count = formulas.number(own.getMath(), what)
            if count is None:
                return formulas.expression(own.getMath(), what)
        elif name in formulas.parameters:
            count = formulas.number_of(name, what)
            if count is None:
                return formulas.symbol(name, what).collected()
        else:
            count = reference.getStoichiometry() if reference.isSetStoichiometry() else 1.0
            count = float(count / reference.getDenominator())  # of Level 1
        if not math.isfinite(count):
            raise self.refusal(f"{what}: it is {count!r}; expected a finite number")
        return Expression((Monomial(count),) if count else ())

    def _unmoved(self, species: str) -> bool:
        """Whether reactions leave it as it is."""
        found = self.formulas.species.get(species)
        if found is None:
            return False  # a parameter with a rate rule
        return bool(found.getConstant() or found.getBoundaryCondition())

    def _held(self, species: str) -> bool:
        """Whether nothing changes it."""
        return species in self.formulas.held


def _whole(count: Expression) -> int | None:
    """A number of molecules that is a whole number."""
    if any(count.symbols):
        return None
    number = float(count.evaluate({}))
    return int(number) if number == int(number) else None


def _differences(keys: list[Key]) -> str:
    """What tells parts of a reaction apart."""
    whats = "volumes", "conversion factors", "numbers of molecules that are not whole"
    return ", ".join(
        what for what, of in zip(whats, zip(*keys, strict=True), strict=True) if len({*of}) > 1
    )
