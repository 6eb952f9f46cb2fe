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
import re
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import unescape

import libsbml

from crn_nn_tellurium.basics import free_id, read_bytes
from crn_nn_tellurium.chemistry import (
    Expression,
    Monomial,
    Observable,
    Reaction,
    ReactionNetwork,
    Species,
    without_reserved,
)
from crn_nn_tellurium.errors import InputError, ReactionError
from crn_nn_tellurium.importers.sbml_document import ready_model
from crn_nn_tellurium.importers.sbml_formulas import Formulas, divided

Side = Mapping[str, int]
_ONE_PARAGRAPH = re.compile(r"\s*<notes>\s*<p\b[^>]*>([^<]*)</p>\s*</notes>\s*")


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
        constant is a new one named after the reaction. Identifiers that Antimony reserves get a
        ``_`` at their end.

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
        If an assignment rule that no reaction uses is not a sum of monomials, and so is left out.

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
    return _Reader(ready_model(document, origin), origin).network()


class _Reader:
    def __init__(self, model: Any, origin: str) -> None:
        self.model = model
        self._refuse(origin)
        self.formulas = Formulas(model, origin)
        self.refusal = self.formulas.refusal
        self.taken = {*self.formulas.volume, *self.formulas.assigned}
        parts = model.getListOfCompartments(), model.getListOfParameters()
        for entities in (*parts, model.getListOfReactions()):
            self.taken |= {entity.getId() for entity in entities}
        self.orders: dict[str, float] = {}
        self.ruled = {rule.getVariable(): rule for rule in model.getListOfRules()}

    def network(self) -> ReactionNetwork:
        name = free_id(self.model.getId() or "model", set(self.taken))
        reactions = list(self._reactions())
        constants = {reaction.rate_constant for reaction in reactions}
        species = list(self._species(constants))
        observables = list(self._observables(constants | {s.id for s in species}))
        parts = tuple(species), tuple(reactions), tuple(observables)
        return without_reserved(ReactionNetwork(*parts, name))

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
        for rule in filter(lambda rule: rule.isRate(), self.model.getListOfRules()):
            yield from self._from_rate_rule(rule)

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
                f"{what} joins compartments of sizes {sorted(volumes)}; expected equal sizes"
            )
        # a law is in amounts a time: over the volume, in concentrations
        rate = divided(self.formulas.expression(law.getMath(), what), volumes.pop())
        terms = rate.collected().terms
        for number, term in enumerate(terms, start=1):
            identifier = name if len(terms) == 1 else free_id(f"{name}_{number}", self.taken)
            yield self._term(identifier, reaction.getName(), term, before, after, what)

    def _from_rate_rule(self, rule: Any) -> Iterator[Reaction]:
        name = rule.getVariable()
        what = f"the rate rule of {name!r}"
        rate = self.formulas.expression(rule.getMath(), what)
        if name in self.formulas.in_amounts:
            rate = divided(rate, self.formulas.volume[name])
        for term in rate.terms:
            identifier = free_id(f"J_{name}", self.taken)
            yield self._term(identifier, "", term, {}, {name: 1}, what, by_rule=True)

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
        if any(p < 1 or p != int(p) for p in powers.values()):
            raise self.refusal(
                f"{what}: a term has concentrations to the powers {powers}; expected 1, 2, ... as"
                " in mass action"
            )
        with self.formulas.calculating(f"{what}: its rate constant"):
            constants = {k: self.formulas.constant(k, what) for k, _ in factors}
            value = term.coefficient * math.prod(constants[k] ** power for k, power in factors)
            if not math.isfinite(value):
                raise OverflowError(value)
        constant = self._rate_constant(identifier, term.coefficient, factors, sum(powers.values()))
        left, right = (before, after) if value >= 0 else (after, before)
        # what the law depends on meets, whether the reaction lists it or not
        needed = {s: int(powers[s]) for s in (*left, *powers) if s in powers}
        made = {}
        for species in dict.fromkeys((*right, *needed, *left)):
            # and is there afterwards but for the net change of the reaction as written
            count = needed.get(species, 0) + right.get(species, 0) - left.get(species, 0)
            if not by_rule and self._unmoved(species) and not self._held(species):
                count = needed.get(species, 0)  # a rate rule alone changes it
            if count < 0 and not self._held(species):
                backwards = "runs backwards, where a term is negative, and takes"
                run = "takes" if left is before else backwards
                raise self.refusal(
                    f"{what} {run} {species!r}, but a term of its rate does not depend on it, so it"
                    " is not mass action (the concentration would fall below zero)"
                )
            if count > 0:
                made[species] = count
        return Reaction(identifier, needed, made, constant, abs(value), name)

    def _rate_constant(self, reaction: str, coefficient: float, factors: Any, order: float) -> str:
        """A parameter where it is alone in its term and used at one order, else a new one."""
        # a new constant is a number, and would no longer follow its parameters
        if len(factors) == 1 and factors[0][1] == 1 and abs(coefficient) == 1:
            name = str(factors[0][0])
            if self.orders.setdefault(name, order) == order:
                return name
        return free_id(f"k_{reaction}", self.taken)

    def _side(self, references: Any, what: str) -> dict[str, int]:
        side: dict[str, int] = {}
        for reference in references:
            species = reference.getSpecies()
            if species not in self.formulas.volume:
                raise self.refusal(
                    f"{what} takes or makes {species!r}, which is not a species of the model"
                )
            count = self._count(reference, what)
            if count is None or not math.isfinite(count) or count != int(count) or count < 0:
                number = "a changing number of" if count is None else repr(count)
                raise self.refusal(
                    f"{what} takes or makes {species!r} {number} times; expected 1, 2, ..."
                )
            if count:
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
            return self.formulas.number(self.formulas.expression(own.getMath(), what))
        count = reference.getStoichiometry() if reference.isSetStoichiometry() else 1.0
        return float(count / reference.getDenominator())  # of Level 1

    def _unmoved(self, species: str) -> bool:
        """Whether reactions leave it as it is."""
        found = self.model.getSpecies(species)
        return bool(found.getConstant() or found.getBoundaryCondition())

    def _held(self, species: str) -> bool:
        """Whether nothing changes it."""
        return self._unmoved(species) and species not in self.ruled

    def _species(self, constants: set[str]) -> Iterator[Species]:
        known = set(constants)
        for species in self.model.getListOfSpecies():
            name, held = species.getId(), self._held(species.getId())
            initial = self._initial(species, known, held)
            if not isinstance(initial, Expression) and not 0 <= initial < math.inf:
                raise self.refusal(
                    f"species {name!r} starts at {initial!r}; expected a finite number >= 0"
                )
            yield Species(name, initial, held, _readable_name(species))
            known.add(name)

    def _initial(self, species: Any, known: set[str], held: bool) -> float | Expression:
        name, volume = species.getId(), self.formulas.volume[species.getId()]
        what = f"the initial value of {name!r}"
        assignment = self.model.getInitialAssignment(name)
        if assignment is None:
            if species.isSetInitialAmount():
                return float(species.getInitialAmount()) / volume
            known_start = species.isSetInitialConcentration()
            return float(species.getInitialConcentration()) if known_start else 0.0
        expression = self.formulas.expression(assignment.getMath(), what)
        if name in self.formulas.in_amounts:
            expression = divided(expression, volume)
        with self.formulas.calculating(what):
            value = self.formulas.number(expression)
        if value is not None and (held or known.isdisjoint(expression.symbols)):
            return value
        expression = self.formulas.with_numbers(expression, known, what)
        unknown = [symbol for symbol in expression.symbols if symbol not in known]
        if unknown or held:
            expected = "a number, since it is held constant" if held else "species listed before it"
            raise self.refusal(
                f"{what} reads {next(iter(unknown or expression.symbols))!r}; expected {expected}"
            )
        return expression

    def _observables(self, known: set[str]) -> Iterator[Observable]:
        for name, formula in self.formulas.assigned.items():
            what = f"assignment rule {name!r}"
            if self.model.getParameter(name) is None:
                continue  # of a stoichiometry, which is refused where it is used
            try:
                expression = self.formulas.expression(formula, what)
                expression = self.formulas.with_numbers(expression, known, what)
            except ReactionError as error:
                warnings.warn(f"left out: {error}", UserWarning, stacklevel=5)
                continue
            yield Observable(name, expression, _readable_name(self.model.getParameter(name)))


def _readable_name(element: Any) -> str:
    """Its name, or else notes of one plain paragraph, which is where `export` writes one."""
    if element.isSetName() or not element.isSetNotes():
        return str(element.getName())
    note = _ONE_PARAGRAPH.fullmatch(element.getNotesString())
    return unescape(note[1]) if note else ""
