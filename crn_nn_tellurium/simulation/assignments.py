"""What follows from what in an SBML model, and what its initial assignments give when numbers that
they read are changed.

roadrunner works initial assignments out once, as it loads a model. Here they are written as rules
of a second model that has nothing else, and whatever reads one another's number follows:
parameters, species (a symbol is an amount or a concentration, as the model says), sizes of
compartments, stoichiometric numbers, rates of reactions. What the user changes himself keeps his
number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import libsbml

from crn_nn_tellurium.errors import InputError, ReactionError
from crn_nn_tellurium.importers import named_counts, own_numbers, per_size, symbols_read
from crn_nn_tellurium.simulation.engine import Calculator


class StartValues:
    """The symbols of an SBML model at time 0."""

    def __init__(self, sbml: str, varied: Iterable[str]) -> None:
        # the document owns the model, and what is read of it
        self._document = libsbml.readSBMLFromString(sbml)
        self._model = model = self._document.getModel()
        species, reactions = model.getListOfSpecies(), model.getListOfReactions()
        self.compartment = {s.getId(): s.getCompartment() for s in species}
        self.in_amounts = frozenset(s.getId() for s in species if s.getHasOnlySubstanceUnits())
        self._own = own_numbers(model)
        self.stoichiometries = named_counts(model)
        self._varied = set(varied)
        rules = (rule for rule in model.getListOfRules() if rule.isAssignment())
        ruled = {rule.getVariable(): rule.getMath() for rule in rules if rule.isSetMath()}
        laws = {r.getId(): r.getKineticLaw() for r in reactions if r.isSetKineticLaw()}
        # the symbol of a reaction is its rate
        rates = {name: law.getMath() for name, law in laws.items() if law.isSetMath()}
        self._at_any_time = rates | ruled
        self._assigned = {
            name: node for name, node in self._starts() if name not in self._varied | {*ruled}
        }
        self._formulas = self._at_any_time | self._assigned
        # those that what is varied reaches, and no others, are worked out
        self.following = self._reached()
        self._calculator = self._made() if self.following else None

    def at(self, values: Mapping[str, float]) -> dict[str, float]:
        """Symbols that follow from these values of symbols, by identifier."""
        if self._calculator is None:
            return {}
        found = self._calculator.values(values)
        self._check(found)
        return {name: found[name] for name in self.following}

    def read_by(self, reaction: str) -> set[str]:
        """All symbols that a reaction's rate follows from, through rules."""
        return set(_all_read([reaction], self._read))

    def _read(self, name: str) -> Iterable[str]:
        """The symbols that the value of one is made of, at any time."""
        if (node := self._at_any_time.get(name)) is not None:
            return symbols_read(node)
        return [self.compartment[name]] if name in self.compartment else []

    def _check(self, found: Mapping[str, float]) -> None:
        """Refuse what follows and cannot be."""
        sizes = set(self.compartment.values())
        for name in sorted(self.following, key=lambda name: name not in sizes):
            value = found[name]
            if name in sizes:
                good, expected = 0 < value < math.inf, "a size > 0"
            elif name in self.compartment:
                good, expected = 0 <= value < math.inf, "a concentration or amount >= 0"
            elif name in self.stoichiometries:
                good, expected = 0 <= value < math.inf, "a stoichiometric number >= 0"
            else:
                good, expected = math.isfinite(value), "a finite number"
            if not good:
                text = libsbml.formulaToL3String(self._formulas[name])
                raise ReactionError(
                    f"{name!r} follows from {text}, which is {value!r}; expected {expected}"
                )

    def _starts(self) -> Iterator[tuple[str, Any]]:
        """What symbols start at, where that is a formula."""
        for species in self._model.getListOfSpecies():
            # an amount over the size of a compartment is a formula as well
            if power := per_size(species):
                node = libsbml.ASTNode(libsbml.AST_TIMES if power > 0 else libsbml.AST_DIVIDE)
                number, size = libsbml.ASTNode(), libsbml.ASTNode(libsbml.AST_NAME)
                number.setValue(self._own[species.getId()])
                size.setName(species.getCompartment())
                node.addChild(number)
                node.addChild(size)
                yield species.getId(), node
        for assignment in self._model.getListOfInitialAssignments():
            if assignment.isSetMath():
                yield assignment.getSymbol(), assignment.getMath()

    def _reached(self) -> tuple[str, ...]:
        reads = {name: symbols_read(node).keys() for name, node in self._formulas.items()}
        reached = set(self._varied)
        while more := {name for name, read in reads.items() if read & reached} - reached:
            reached |= more
        # sizes that rules set follow by themselves, but say what concentrations are
        starts = {*self._assigned, *self.compartment.values()}
        return tuple(name for name in self._formulas if name in starts & reached - self._varied)

    def _made(self) -> Calculator:
        """The symbols as parameters, initial assignments as rules that assign them."""
        document = libsbml.SBMLDocument(3, 2)
        made = document.createModel()
        for definition in self._model.getListOfFunctionDefinitions():
            made.addFunctionDefinition(definition)
        for name, value in (dict.fromkeys(self._formulas, 0.0) | self._own).items():
            parameter = made.createParameter()
            parameter.setId(name)
            parameter.setConstant(False)
            # of one with a formula it does not matter
            parameter.setValue(0.0 if name in self._formulas else value)
        for name in self._needed():
            rule = made.createAssignmentRule()
            rule.setVariable(name)
            rule.setMath(self._formulas[name])
        try:
            return Calculator(libsbml.writeSBMLToString(document))
        except RuntimeError as error:
            raise InputError(
                f"the start of {self.following[0]!r} follows from what is varied, but roadrunner"
                f" cannot work it out by itself ({error}); give it a number"
            ) from error

    def _needed(self) -> list[str]:
        """What follows, and all that has a formula that it reads."""
        formulas = self._formulas

        def read(name: str) -> Iterable[str]:
            return symbols_read(formulas[name]) if name in formulas else ()

        return [name for name in _all_read(self.following, read) if name in formulas]


def _all_read(names: Iterable[str], read: Callable[[str], Iterable[str]]) -> dict[str, None]:
    """Symbols, those that they read, and so on."""
    found: dict[str, None] = {}
    open_ = [*names]
    while open_:
        name = open_.pop()
        if name not in found:
            found[name] = None
            open_ += read(name)
    return found
