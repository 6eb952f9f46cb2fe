"""What follows from what in an SBML model, and what its initial assignments give when numbers that
they read are changed.

roadrunner works initial assignments out once, as it loads a model. Here they are written as rules
of a second model that has nothing else, and whatever reads one another's number follows:
parameters, species (a symbol is an amount or a concentration, as the model says), sizes of
compartments. What the user changes himself keeps his number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import libsbml

from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.simulation.engine import Calculator


class StartValues:
    """The symbols of an SBML model at time 0."""

    def __init__(self, sbml: str, varied: Iterable[str]) -> None:
        # the document owns the model, and what is read of it
        self._document = libsbml.readSBMLFromString(sbml)
        self._model = self._document.getModel()
        species = self._model.getListOfSpecies()
        self.compartment = {s.getId(): s.getCompartment() for s in species}
        self.in_amounts = frozenset(s.getId() for s in species if s.getHasOnlySubstanceUnits())
        self._varied = set(varied)
        rules = (rule for rule in self._model.getListOfRules() if rule.isAssignment())
        self._ruled = {rule.getVariable(): rule.getMath() for rule in rules if rule.isSetMath()}
        self._assigned = {
            a.getSymbol(): a.getMath()
            for a in self._model.getListOfInitialAssignments()
            if a.isSetMath() and a.getSymbol() not in self._varied
        }
        self._laws = {r.getId(): r.getKineticLaw() for r in self._model.getListOfReactions()}
        # those that what is varied reaches, and no others, are worked out
        self.following = self._reached()
        self._calculator = self._made() if self.following else None

    def at(self, values: Mapping[str, float]) -> dict[str, float]:
        """Symbols that follow from these values of symbols, by identifier."""
        if self._calculator is None:
            return {}
        found = self._calculator.values(values)
        return {name: found[name] for name in self.following}

    def read_by(self, reaction: str) -> set[str]:
        """All symbols that a reaction's rate follows from, through rules."""
        found, open_ = set[str](), [reaction]
        while open_:
            name = open_.pop()
            if name not in found:
                found.add(name)
                open_ += self._read(name)
        return found

    def _read(self, name: str) -> Iterable[str]:
        """The symbols that the value of one is made of, at any time."""
        law = self._laws.get(name)
        node = self._ruled.get(name) if law is None else law.getMath()
        compartment = self.compartment.get(name)
        if node is None:
            return () if compartment is None else (compartment,)
        return symbols_read(node)

    def _reached(self) -> tuple[str, ...]:
        formulas = self._ruled | self._assigned
        reads = {name: symbols_read(math).keys() for name, math in formulas.items()}
        reached = set(self._varied)
        while True:
            more = {name for name, read in reads.items() if read & reached} - reached
            if not more:
                return tuple(name for name in self._assigned if name in reached)
            reached |= more

    def _made(self) -> Calculator:
        """The symbols as parameters, initial assignments as rules that assign them."""
        document = libsbml.SBMLDocument(3, 2)
        made = document.createModel()
        for definition in self._model.getListOfFunctionDefinitions():
            made.addFunctionDefinition(definition)
        for name, value in self._numbers().items():
            parameter = made.createParameter()
            parameter.setId(name)
            parameter.setConstant(False)
            parameter.setValue(value)
        for name, math in (self._ruled | self._assigned).items():
            rule = made.createAssignmentRule()
            rule.setVariable(name)
            rule.setMath(math)
        try:
            return Calculator(libsbml.writeSBMLToString(document))
        except RuntimeError as error:
            raise InputError(
                f"the start of {self.following[0]!r} follows from what is varied, but roadrunner"
                f" cannot work it out by itself ({error}); give it a number"
            ) from error

    def _numbers(self) -> dict[str, float]:
        """Numbers of all symbols; of one with a formula it does not matter."""
        model = self._model
        found = {
            c.getId(): _or(c.isSetSize(), c.getSize(), 1.0) for c in model.getListOfCompartments()
        }
        found |= {
            p.getId(): _or(p.isSetValue(), p.getValue(), 0.0) for p in model.getListOfParameters()
        }
        for species in model.getListOfSpecies():
            size = found[species.getCompartment()]
            amount = species.getInitialConcentration() * size
            if species.isSetInitialAmount():
                amount = species.getInitialAmount()
            elif not species.isSetInitialConcentration():
                amount = 0.0
            name = species.getId()
            found[name] = amount if name in self.in_amounts else amount / size
        return found


def _or(known: bool, value: float, otherwise: float) -> float:
    return float(value) if known else otherwise


def symbols_read(node: Any) -> dict[str, None]:
    """The symbols that a formula of libSBML reads, in order."""
    # without recursion: a sum of n terms may be nested n deep, beyond what Python's stack holds
    found: dict[str, None] = {}
    open_ = [node]
    while open_:
        part = open_.pop()
        if part.isName() and not part.isConstant():
            found[str(part.getName())] = None
        open_ += [part.getChild(i) for i in reversed(range(part.getNumChildren()))]
    return found
