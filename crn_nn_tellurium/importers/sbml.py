"""SBML models of anybody's that are mass action, as a ReactionNetwork.

A kinetic law that is a polynomial, sum_t c_t prod_s x_s^a_ts, is one irreversible reaction per term: it needs a_ts
molecules of each species s, as catalysts where the reaction as written does not take them, and a negative term runs
backwards. It is mass action if no term takes molecules that it does not need. (That is the lemma of Hars and Toth,
Colloquia Mathematica Societatis Janos Bolyai 30 (1981) 363, which rate rules are read by as well.) Rules of assignment
are put in where they are used, and kept as observables where they are sums of monomials.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any

import libsbml

from crn_nn_tellurium.errors import FileFormatError, ReactionError
from crn_nn_tellurium.expressions import Expression, Monomial
from crn_nn_tellurium.identifiers import free_id
from crn_nn_tellurium.importers.renaming import without_reserved
from crn_nn_tellurium.reactions import Observable, Reaction, ReactionNetwork, Species
from crn_nn_tellurium.storage import read_text

_ONE = Expression((Monomial(1.0),))
_FUNCTIONS: dict[str, Callable[[float], float]] = {"exp": math.exp, "ln": math.log, "abs": abs}
_MAX_POWER = 9
"""Highest power of a sum that is multiplied out."""


def import_sbml(path: str | os.PathLike[str]) -> ReactionNetwork:
    """A mass-action model from an SBML file, of any level, by anybody.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    ReactionNetwork
        Reversible reactions become two, modifiers that a law reads become catalysts on both sides. Concentrations
        and rate constants are the numbers of the file: units are not converted. Where a law has more than one
        parameter, or a parameter is used at two orders, the rate constant is a new one named after the reaction.
        Identifiers that Antimony reserves get a ``_`` at their end.

    Raises
    ------
    FileFormatError
        If it is not SBML, or not valid.
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
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     import_sbml(export(load_model("xor"), f"{folder}/xor.xml")) == to_reactions(load_model("xor"))
    True
    """
    return reactions_from_sbml(read_text(path), str(Path(path)))


def reactions_from_sbml(text: str, origin: str) -> ReactionNetwork:
    """The same from the text of a file; `origin` names it in errors."""
    document = libsbml.readSBMLFromString(text)
    log = document.getErrorLog()
    for error in map(log.getError, range(log.getNumErrors())):
        if error.getSeverity() >= libsbml.LIBSBML_SEV_ERROR:
            message = " ".join(error.getMessage().split())
            raise FileFormatError(f"{origin!r} is not valid SBML, line {error.getLine()}: {message}")
    if document.getModel() is None:
        raise FileFormatError(f"{origin!r} holds no model")
    for converter in ("flatten comp", "promoteLocalParameters", "expandFunctionDefinitions"):
        if converter == "flatten comp" and document.getPlugin("comp") is None:
            continue
        properties = libsbml.ConversionProperties()
        properties.addOption(converter)
        if document.convert(properties) != libsbml.LIBSBML_OPERATION_SUCCESS:
            raise FileFormatError(f"{origin!r}: libSBML cannot do {converter!r} on it")
    return _Reader(document.getModel(), origin).network()


@dataclass
class _Reader:
    """Reads one model."""

    model: Any
    origin: str
    values: dict[str, float] = field(default_factory=dict)
    """Of what stays constant: parameters and compartments."""
    assigned: dict[str, Any] = field(default_factory=dict)
    """Formulas of assignment rules."""
    volume: dict[str, float] = field(default_factory=dict)
    """Of each species' compartment."""
    in_amounts: set[str] = field(default_factory=set)
    """Species whose symbols stand for amounts."""

    def network(self) -> ReactionNetwork:
        self._refuse()
        self._read_constants()
        self._read_species()
        reactions = list(self._reactions())
        constants = {reaction.rate_constant for reaction in reactions}
        species = list(self._species(constants))
        observables = list(self._observables(constants | {s.id for s in species}))
        name = self.model.getId() or "model"
        return without_reserved(ReactionNetwork(tuple(species), tuple(reactions), tuple(observables), name))

    # What there is ----------------------------------------------------------------------------

    def _refuse(self) -> None:
        model = self.model
        for count, what in (
            (model.getNumEvents(), "events"),
            (sum(rule.isAlgebraic() for rule in model.getListOfRules()), "algebraic rules"),
            (
                sum(reaction.isSetFast() and reaction.getFast() for reaction in model.getListOfReactions()),
                "fast reactions",
            ),
        ):
            if count:
                raise ReactionError(f"{self.origin!r}: a mass-action network has no {what}; the model has {count}")

    def _read_constants(self) -> None:
        rules = {rule.getVariable(): rule for rule in self.model.getListOfRules()}
        for compartment in self.model.getListOfCompartments():
            if compartment.getId() in rules:
                raise ReactionError(f"{self.origin!r}: the size of compartment {compartment.getId()!r} changes")
            self.values[compartment.getId()] = compartment.getSize() if compartment.isSetSize() else 1.0
        for parameter in self.model.getListOfParameters():
            name = parameter.getId()
            if name in rules and rules[name].isRate():
                raise ReactionError(f"{self.origin!r}: parameter {name!r} has a rate rule; expected a species")
            if name not in rules:
                self.values[name] = parameter.getValue() if parameter.isSetValue() else math.nan
        self.assigned = {name: rule.getMath() for name, rule in rules.items() if rule.isAssignment()}
        for assignment in self.model.getListOfInitialAssignments():
            if assignment.getSymbol() in self.values:
                self.values[assignment.getSymbol()] = self._value(assignment.getMath(), assignment.getSymbol())

    def _read_species(self) -> None:
        for species in self.model.getListOfSpecies():
            name = species.getId()
            if name in self.assigned:
                raise ReactionError(f"{self.origin!r}: species {name!r} has an assignment rule; expected reactions")
            self.volume[name] = self.values.get(species.getCompartment(), 1.0)
            if species.getHasOnlySubstanceUnits():
                self.in_amounts.add(name)

    def _value(self, node: Any, what: str) -> float:
        """A formula in constants as a number."""
        value = self._numeric(self._expression(node, what))
        if value is None:
            raise ReactionError(
                f"{self.origin!r}: the value of {what!r} is {_text(node)}; expected a formula in constants"
            )
        return value

    def _numeric(self, expression: Expression) -> float | None:
        if any(symbol not in self.values for symbol in expression.symbols):
            return None
        return float(expression.evaluate(self.values))

    # Formulas ---------------------------------------------------------------------------------

    def _expression(self, node: Any, what: str) -> Expression:
        """A formula as a sum of monomials in parameters and in concentrations; rules and volumes put in."""
        return self._plain(node, what).collected()

    def _plain(self, node: Any, what: str) -> Expression:
        kind = _kind(node)
        parts = [node.getChild(i) for i in range(node.getNumChildren())]
        if kind == "number":
            return Expression((Monomial(float(node.getValue())),))
        if kind == "name":
            return self._symbol(node.getName(), what)
        if kind == "plus":
            return reduce(Expression.__add__, (self._plain(part, what) for part in parts), Expression(()))
        if kind == "minus":
            first, *rest = (self._plain(part, what) for part in parts)
            minus = Expression((Monomial(-1.0),))
            return first + minus * rest[0] if rest else minus * first
        if kind == "times":
            return reduce(Expression.__mul__, (self._plain(part, what) for part in parts), _ONE)
        if kind == "divide":
            return self._plain(parts[0], what) * self._power(parts[1], -1.0, node, what)
        if kind in ("power", "pow"):
            exponent = self._value(parts[1], f"the exponent in {what}")
            return self._power(parts[0], exponent, node, what)
        if kind in ("root", "sqrt"):
            degree = self._value(parts[0], f"the root in {what}") if len(parts) == 2 else 2.0
            return self._power(parts[-1], 1 / degree, node, what)
        if kind in _FUNCTIONS and (argument := self._numeric(self._plain(parts[0], what))) is not None:
            return Expression((Monomial(_FUNCTIONS[kind](argument)),))
        raise ReactionError(f"{self.origin!r}: {what}: {_text(node)} is not a sum of products of powers")

    def _power(self, base: Any, power: float, node: Any, what: str) -> Expression:
        expression = self._plain(base, what).collected()
        whole = power == int(power)
        if len(expression.terms) == 1 and (whole or expression.terms[0].coefficient > 0):
            return Expression((expression.terms[0] ** power,))
        if whole and 0 <= power <= _MAX_POWER:
            return reduce(Expression.__mul__, [expression] * int(power), _ONE)
        value = self._numeric(expression)
        if value is not None and (whole or value > 0) and value != 0:
            return Expression((Monomial(value**power),))
        raise ReactionError(f"{self.origin!r}: {what}: {_text(node)} is not a sum of products of powers")

    def _symbol(self, name: str, what: str) -> Expression:
        if name in self.assigned:
            return self._plain(self.assigned[name], what)
        if name in self.in_amounts:
            return Expression((Monomial(self.volume[name], ((name, 1.0),)),))
        if name in self.volume or self.model.getParameter(name) is not None:
            return Expression((Monomial(1.0, ((name, 1.0),)),))
        if name in self.values:
            return Expression((Monomial(self.values[name]),))  # a compartment
        raise ReactionError(f"{self.origin!r}: {what} reads {name!r}, which is neither a species nor a parameter")

    # Parts of the network ---------------------------------------------------------------------

    def _reactions(self) -> Iterator[Reaction]:
        model = self.model
        parts = (model.getListOfCompartments(), model.getListOfParameters(), model.getListOfReactions())
        maker = _Maker({entity.getId() for part in parts for entity in part} | {*self.volume, *self.assigned})
        for reaction in self.model.getListOfReactions():
            yield from self._from_reaction(reaction, maker)
        for rule in self.model.getListOfRules():
            if rule.isRate():
                yield from self._from_rate_rule(rule, maker)

    def _from_reaction(self, reaction: Any, maker: _Maker) -> Iterator[Reaction]:
        name = reaction.getId()
        what = f"reaction {name!r}"
        law = reaction.getKineticLaw()
        if law is None or law.getMath() is None:
            raise ReactionError(f"{self.origin!r}: {what} has no kinetic law")
        before = self._side(reaction.getListOfReactants(), what)
        after = self._side(reaction.getListOfProducts(), what)
        taking_part = [s for s in (*before, *after) if not self._held(s)]
        volumes = {self.volume[s] for s in taking_part} or {1.0}
        if len(volumes) > 1:
            raise ReactionError(f"{self.origin!r}: {what} joins compartments of sizes {sorted(volumes)}; expected one")
        per_volume = Expression((Monomial(1 / volumes.pop()),))
        terms = (self._expression(law.getMath(), what) * per_volume).collected().terms
        for number, term in enumerate(terms, start=1):
            identifier = name if len(terms) == 1 else free_id(f"{name}_{number}", maker.taken)
            yield self._term(identifier, reaction.getName(), term, before, after, what, maker)

    def _from_rate_rule(self, rule: Any, maker: _Maker) -> Iterator[Reaction]:
        name = rule.getVariable()
        what = f"the rate rule of {name!r}"
        rate = self._expression(rule.getMath(), what)
        if name in self.in_amounts:
            rate = rate * Expression((Monomial(1 / self.volume[name]),))
        for term in rate.terms:
            identifier = free_id(f"J_{name}", maker.taken)
            yield self._term(identifier, "", term, {}, {name: 1}, what, maker)

    def _term(
        self,
        identifier: str,
        name: str,
        term: Monomial,
        before: Mapping[str, int],
        after: Mapping[str, int],
        what: str,
        maker: _Maker,
    ) -> Reaction:
        """One term of a rate: forwards if positive, backwards if negative."""
        factors = tuple((s, p) for s, p in term.powers if s not in self.volume)
        powers = {s: p for s, p in term.powers if s in self.volume}
        if any(p < 1 or p != int(p) for p in powers.values()):
            raise ReactionError(
                f"{self.origin!r}: {what}: a term has concentrations to the powers {powers}; expected 1, 2, ... as in "
                "mass action"
            )
        constant, value = maker.rate_constant(identifier, term.coefficient, factors, self.values, sum(powers.values()))
        if not math.isfinite(value):
            raise ReactionError(f"{self.origin!r}: {what}: its rate constant is {value!r}; give all parameters values")
        left, right = (before, after) if value >= 0 else (after, before)
        needed = {s: int(powers[s]) for s in (*left, *powers) if s in powers}
        made = {}
        for species in dict.fromkeys((*right, *needed, *left)):
            count = needed.get(species, 0) + right.get(species, 0) - left.get(species, 0)
            if count < 0 and not self._held(species):
                raise ReactionError(
                    f"{self.origin!r}: {what} takes {species!r}, but a term of its rate does not depend on it, so it "
                    "is not mass action (the concentration would fall below zero)"
                )
            if count > 0:
                made[species] = count
        return Reaction(identifier, needed, made, constant, abs(value), name)

    def _side(self, references: Any, what: str) -> dict[str, int]:
        side: dict[str, int] = {}
        for reference in references:
            count = reference.getStoichiometry() if reference.isSetStoichiometry() else 1.0
            moving = reference.isSetStoichiometryMath() or self.model.getInitialAssignment(reference.getId() or " ")
            if moving or count != int(count) or count < 0:
                raise ReactionError(
                    f"{self.origin!r}: {what} takes {reference.getSpecies()!r} {count!r} times; expected 1, 2, ..."
                )
            if count:
                side[reference.getSpecies()] = side.get(reference.getSpecies(), 0) + int(count)
        return side

    def _held(self, species: str) -> bool:
        found = self.model.getSpecies(species)
        ruled = self.model.getRateRule(species) is not None
        return bool(found.getConstant() or (found.getBoundaryCondition() and not ruled))

    def _species(self, constants: set[str]) -> Iterator[Species]:
        known = set(constants)
        for species in self.model.getListOfSpecies():
            name = species.getId()
            held = self._held(name)
            yield Species(name, self._initial(species, known, held), held, species.getName())
            known.add(name)

    def _initial(self, species: Any, known: set[str], held: bool) -> float | Expression:
        name, volume = species.getId(), self.volume[species.getId()]
        assignment = self.model.getInitialAssignment(name)
        if assignment is None:
            if species.isSetInitialAmount():
                return float(species.getInitialAmount()) / volume
            return float(species.getInitialConcentration()) if species.isSetInitialConcentration() else 0.0
        expression = self._expression(assignment.getMath(), f"the initial value of {name!r}")
        if name in self.in_amounts:
            expression = expression * Expression((Monomial(1 / volume),))
        value = self._numeric(expression)
        if value is not None and (held or not any(symbol in known for symbol in expression.symbols)):
            return value
        expression = self._with_numbers(expression, known)
        unknown = [symbol for symbol in expression.symbols if symbol not in known]
        if unknown or held:
            raise ReactionError(
                f"{self.origin!r}: the initial value of {name!r} reads {next(iter(unknown or expression.symbols))!r}; "
                + ("expected a number, since it is held constant" if held else "expected species listed before it")
            )
        return expression

    def _with_numbers(self, expression: Expression, known: set[str]) -> Expression:
        """The expression with the values of constants that are not rate constants."""
        terms = []
        for term in expression.terms:
            kept = Monomial(term.coefficient)
            for symbol, power in term.powers:
                number = symbol in self.values and symbol not in known
                kept *= Monomial(self.values[symbol]) ** power if number else Monomial(1.0, ((symbol, power),))
            terms.append(kept)
        return Expression(tuple(terms))

    def _observables(self, known: set[str]) -> Iterator[Observable]:
        for name, formula in self.assigned.items():
            try:
                expression = self._with_numbers(self._expression(formula, f"assignment rule {name!r}"), known)
            except ReactionError as error:
                warnings.warn(f"left out: {error}", UserWarning, stacklevel=2)
                continue
            parameter = self.model.getParameter(name)
            yield Observable(name, expression, parameter.getName() if parameter is not None else "")


@dataclass
class _Maker:
    """Rate constants: a parameter where it is alone in its term and used at one order, else a new one."""

    taken: set[str]
    orders: dict[str, float] = field(default_factory=dict)

    def rate_constant(
        self, reaction: str, coefficient: float, factors: Any, values: Mapping[str, float], order: float
    ) -> tuple[str, float]:
        """Identifier and value, with the sign of the term."""
        value = coefficient * math.prod(values[name] ** power for name, power in factors)
        if len(factors) == 1 and factors[0][1] == 1 and abs(coefficient) == 1:
            name = factors[0][0]
            if self.orders.setdefault(name, order) == order:
                return name, value
        return free_id(f"k_{reaction}", self.taken), value


def _kind(node: Any) -> str:
    """What a node of a formula is, by name: with libSEDML imported after libSBML, types are no numbers any more."""
    if node.isNumber():
        return "number"
    if node.isName():
        return "name"
    return str(node.getOperatorName() if node.isOperator() else node.getName())


def _text(node: Any) -> str:
    return str(libsbml.formulaToL3String(node))
