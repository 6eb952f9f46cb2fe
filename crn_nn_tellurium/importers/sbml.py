"""SBML models of anybody's that are mass action, as a ReactionNetwork.

A kinetic law that is a polynomial, sum_t c_t prod_s x_s^a_ts, is one irreversible reaction per
term: it needs a_ts molecules of each species s, as catalysts where the reaction as written does not
take them, and a negative term runs backwards. It is mass action if no term takes molecules that it
does not need. (That is the lemma of Hars and Toth, Colloquia Mathematica Societatis Janos Bolyai 30
(1981) 363, which rate rules are read by as well.) Rules of assignment are put in where they are
used, and kept as observables where they are sums of monomials.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import libsbml

from crn_nn_tellurium.basics import free_id, read_bytes
from crn_nn_tellurium.chemistry import (
    Expression,
    Monomial,
    Observable,
    Parameter,
    Reaction,
    ReactionNetwork,
    Species,
    without_reserved,
)
from crn_nn_tellurium.errors import InputError, ReactionError
from crn_nn_tellurium.importers.sbml_document import readable_name, ready_model
from crn_nn_tellurium.importers.sbml_formulas import Formulas, divided
from crn_nn_tellurium.importers.sbml_laws import in_sums, without_counts

Side = Mapping[str, int]


def import_sbml(path: str | os.PathLike[str]) -> ReactionNetwork:
    """A mass-action model from an SBML file, of any level, by anybody.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    ReactionNetwork
        Reversible reactions become two, modifiers that a law reads become catalysts on both sides.
        Concentrations and rate constants are the numbers of the file: units are not converted.
        Where a law has more than one parameter, or a parameter is used at two orders, the rate
        constant is a new one named after the reaction, with a formula by which it follows the
        parameters (`ReactionNetwork.formulas`). What a logarithm or another such function reads is
        a number everywhere. Species that rules set are observables, parameters with rate rules
        species, and a species that nothing changes is a parameter where a law divides by it.
        Identifiers that Antimony reserves get a ``_`` at their end.

    Raises
    ------
    FileFormatError
        If it is not SBML, or not valid.
    InputError
        If it is the text of a file, not its name.
    ReactionError
        If something in it is not mass action at constant volume; the message names it.
    OSError
        If it cannot be read.

    Warns
    -----
    UserWarning
        If an assignment rule that no reaction uses is not a sum of monomials, and so is left out;
        if a law counts molecules, k * P * (P - 1), as propensities of stochastic runs do.

    Examples
    --------
    >>> import tempfile
    >>> from crn_nn_tellurium import export, load_model, to_reactions
    >>> net = load_model("xor")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     import_sbml(export(net, f"{folder}/xor.xml", starts="formulas")) == to_reactions(net)
    True
    """
    if isinstance(path, str) and path.lstrip().startswith("<"):
        raise InputError(
            "path is the text of a document; expected the name of a file:"
            " Path('model.xml').write_text(...)"
        )
    path = Path(path)
    # what is missing or not to be read says so; libSBML itself knows the encodings of XML
    read_bytes(path)
    return _reactions(libsbml.readSBMLFromFile(str(path)), str(path))


def reactions_from_sbml(text: str, origin: str) -> ReactionNetwork:
    """The same from the text of a file; `origin` names it in errors."""
    return _reactions(libsbml.readSBMLFromString(text), origin)


def _reactions(document: Any, origin: str) -> ReactionNetwork:
    model = ready_model(document, origin)
    numbers: set[str] = set()
    lone: set[str] = set()
    while True:
        known = len(numbers), len(lone)
        try:
            reader = _Reader(model, origin, numbers, lone)
            network = reader.network()
        except ReactionError:
            if known == (len(numbers), len(lone)):
                raise
            continue
        # what turned out to be a number somewhere is to be one everywhere
        if known == (len(numbers), len(lone)):
            for note in reader.notes:
                warnings.warn(note, UserWarning, stacklevel=4)
            return network


class _Reader:
    def __init__(self, model: Any, origin: str, numbers: set[str], lone: set[str]) -> None:
        self.model = model
        self._refuse(origin)
        self.formulas = Formulas(model, origin, numbers, lone)
        self.refusal = self.formulas.refusal
        self.taken = self.formulas.taken
        self.orders: dict[str, float] = {}
        self.followed: dict[str, Expression] = {}  # of rate constants that are none of the model's
        self.notes: list[str] = []  # what is to be warned of
        self.ruled = {rule.getVariable(): rule for rule in model.getListOfRules()}

    def network(self) -> ReactionNetwork:
        name = free_id(self.model.getId() or "model", set(self.taken))
        reactions = list(self._reactions())
        species = list(self._species())
        starts = [s.initial for s in species if isinstance(s.initial, Expression)]
        constants = {reaction.rate_constant for reaction in reactions}
        known = {s.id for s in species} | constants
        read = self._constants_of([*self.followed.values(), *starts], constants)
        observables = list(self._observables(known | {*read}))
        read |= self._constants_of((o.expression for o in observables), constants)
        read = {k: None for k in read if k not in known}
        parts = tuple(species), tuple(reactions), tuple(observables)
        formulas = {k: f for k in (*constants, *read) if (f := self._formula(k)) is not None}
        parameters = tuple(Parameter(k, *self._about(k)) for k in read)
        crn = ReactionNetwork(*parts, name, parameters=parameters, formulas=tuple(formulas.items()))
        try:
            crn.starts()
        except ReactionError as error:
            raise self.refusal(str(error)) from error
        return without_reserved(crn)

    def _check_start(self, name: str, value: float) -> None:
        if not 0 <= value < math.inf:
            raise self.refusal(
                f"species {name!r} starts at {value!r}; expected a finite number >= 0"
            )

    def _formula(self, constant: str) -> Expression | None:
        return self.followed.get(constant) or self.formulas.formula(constant)

    def _about(self, constant: str) -> tuple[float, str]:
        """Value and readable name of a constant."""
        value = self.formulas.constant(constant, f"the value of {constant!r}")
        element = self.formulas.parameters.get(constant)
        return value, "" if element is None else readable_name(element)

    def _constants_of(
        self, expressions: Iterable[Expression], constants: Iterable[str]
    ) -> dict[str, None]:
        """The constants that formulas read, and so on; those that follow from others last."""
        found: dict[str, None] = {}
        open_ = [s for expression in expressions for s in expression.symbols]
        open_ += [s for k in constants if (f := self._formula(k)) is not None for s in f.symbols]
        while open_:
            name = open_.pop()
            if name not in found and name not in self.formulas.volume and name not in self.followed:
                found[name] = None
                open_ += [] if (f := self._formula(name)) is None else f.symbols
        # in the order of the model, so that what was written is read as it was
        listed = (name for name in self.formulas.parameters if name in found)
        return dict.fromkeys([*listed, *sorted(found)])

    def _refuse(self, origin: str) -> None:
        """What has no place in a mass-action network."""
        model = self.model
        reactions, rules = model.getListOfReactions(), model.getListOfRules()
        parts = model, *model.getListOfSpecies()
        counts = {
            "events": model.getNumEvents(),
            "algebraic rules": sum(rule.isAlgebraic() for rule in rules),
            "fast reactions": sum(r.isSetFast() and r.getFast() for r in reactions),
            "conversion factors": sum(part.isSetConversionFactor() for part in parts),
        }
        for what, count in counts.items():
            if count:
                raise ReactionError(
                    f"{origin!r}: a mass-action network has no {what}; the model has {count}; take"
                    " them out, or simulate the model as it is (scan takes Antimony texts)"
                )

    def _reactions(self) -> Iterator[Reaction]:
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
        moved = [s for s in (*before, *after) if not self._unmoved(s)]
        volumes = {self.formulas.volume[s] for s in moved} or {1.0}
        if len(volumes) > 1:
            raise self.refusal(
                f"{what} joins compartments of sizes {sorted(volumes)}; expected equal sizes: put"
                " its species into one of them, or simulate the model as it is (scan takes Antimony"
                " texts)"
            )
        # a law is in amounts a time: over the volume, in concentrations
        volume = volumes.pop()
        rate = divided(self.formulas.expression(law.getMath(), what), volume)
        rate, notes = without_counts(rate.collected(), before, self.formulas.volume, volume, what)
        self.notes += notes
        terms = self._in_sums(rate, before, after, what)
        for number, term in enumerate(terms, start=1):
            identifier = name if len(terms) == 1 else free_id(f"{name}_{number}", self.taken)
            yield self._term(identifier, reaction.getName(), term, before, after, what)

    def _from_rate_rule(self, name: str, node: Any) -> Iterator[Reaction]:
        what = f"the rate rule of {name!r}"
        rate = self.formulas.expression(node, what)
        if name in self.formulas.in_amounts:
            rate = divided(rate, self.formulas.volume[name])
        for term in self._in_sums(rate.collected(), {}, {name: 1}, what, by_rule=True):
            identifier = free_id(f"J_{name}", self.taken)
            yield self._term(identifier, "", term, {}, {name: 1}, what, by_rule=True)

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
        sign = self._coefficient(term, f"{what}: its rate constant", what)[1]
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
        value, sign = self._coefficient(term, f"{what}: its rate constant", what)
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

    def _coefficient(self, term: Monomial, whole: str, what: str = "") -> tuple[float, float]:
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
        name = free_id(f"k_{reaction}", self.taken)
        if rate.powers:
            self.followed[name] = Expression((rate,))
        return name

    def _side(self, references: Any, what: str) -> dict[str, int]:
        side: dict[str, int] = {}
        for reference in references:
            species = reference.getSpecies()
            if species not in self.formulas.species:
                raise self.refusal(
                    f"{what} takes or makes {species!r}, which is not a species of the model"
                )
            count = self._count(reference, what)
            if count is None or not math.isfinite(count) or count != int(count) or count < 0:
                number = "a changing number of" if count is None else repr(count)
                raise self.refusal(
                    f"{what} takes or makes {species!r} {number} times; expected 1, 2, ...: write"
                    " shares of it, A -> 0.5 B as A -> B and A -> , each at half the rate, say"
                )
            # what a rule sets, or is a constant, is no matter of reactions
            if count and species in self.formulas.volume:
                side[species] = side.get(species, 0) + int(count)
        return side

    def _count(self, reference: Any, what: str) -> float | None:
        """How many molecules: a number, or a formula in constants; None of what may change."""
        name = reference.getId()
        # a formula in Level 2; in Level 3 a rule or an assignment to the reference's identifier
        own = reference.getStoichiometryMath()
        if own is None and name:
            rule = self.ruled.get(name)
            if rule is not None and rule.isRate():
                return None
            own = rule or self.model.getInitialAssignment(name)
        if own is not None and own.isSetMath():
            return self.formulas.number(own.getMath(), what)
        count = reference.getStoichiometry() if reference.isSetStoichiometry() else 1.0
        return float(count / reference.getDenominator())  # of Level 1

    def _unmoved(self, species: str) -> bool:
        """Whether reactions leave it as it is."""
        found = self.formulas.species.get(species)
        if found is None:
            return False  # a parameter with a rate rule
        return bool(found.getConstant() or found.getBoundaryCondition())

    def _held(self, species: str) -> bool:
        """Whether nothing changes it."""
        return self._unmoved(species) and species not in self.ruled

    def _species(self) -> Iterator[Species]:
        for name in self.formulas.volume:
            species = self.formulas.species.get(name) or self.formulas.parameters.get(name)
            initial = self._initial(name)
            if not isinstance(initial, Expression):
                self._check_start(name, initial)
            held = name in self.formulas.held
            yield Species(name, initial, held, readable_name(species))

    def _initial(self, name: str) -> float | Expression:
        formulas, what = self.formulas, f"the initial value of {name!r}"
        volume = formulas.volume[name] if name in formulas.in_amounts else 1.0
        if name not in formulas.at_start:
            start = formulas.given(name)
            return (math.nan if start is None else start) / volume
        expression = divided(formulas.expression(formulas.at_start[name], what), volume)
        if any(expression.symbols):
            return expression
        return float(expression.evaluate({}))

    def _observables(self, known: set[str]) -> Iterator[Observable]:
        """What rules assign and nothing else reads by its name."""
        formulas, read = self.formulas, set(known)
        for name, node in formulas.assigned.items():
            what = f"assignment rule {name!r}"
            element = formulas.parameters.get(name) or formulas.species.get(name)
            if element is None or name in known:
                continue  # of a stoichiometry, which is refused where it is used
            before = set(formulas.numbers), set(formulas.lone)
            try:
                expression = formulas.expression(node, what)
                # a number cannot follow what others read by its name
                if lost := (formulas.numbers - before[0]) & read:
                    reads = f"{what} has {min(lost)!r} in a function that is no sum of monomials"
                    raise self.refusal(f"{reads}, and the network has it as a constant")
                constants = self._constants_of([expression], ())
                for term in expression.terms:
                    self._coefficient(term, what)
            except ReactionError as error:
                for kept, own in zip(before, (formulas.numbers, formulas.lone), strict=True):
                    own.intersection_update(kept)
                self.notes.append(f"left out: {error}")
                continue
            read |= {*constants}
            if name in formulas.in_amounts:
                expression = divided(expression, formulas.size_of(name))
            yield Observable(name, expression, readable_name(element))
