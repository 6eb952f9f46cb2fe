"""SBML (.xml): Level 3 Version 2, Level 3 Version 1 or Level 2 Version 4, written by libSBML.

Every weight is a reaction with the law ``comp * k * A * B``, which COPASI and others recognise as
irreversible mass action. Start values that are to be formulas are initial assignments, read-outs
are assignment rules. Source: Hucka et al., J. Integr. Bioinform. 16 (2019) 20190021, doi
10.1515/jib-2019-0021.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

import libsbml

from crn_nn_tellurium.basics import free_id
from crn_nn_tellurium.chemistry import (
    CONCENTRATION,
    SBO_COMPARTMENT,
    SBO_CONSTANT,
    SBO_FRAMEWORK,
    SBO_OBSERVABLE,
    SBO_REACTION,
    SBO_SPECIES,
    Dimension,
    Expression,
    Monomial,
    Reaction,
    Species,
    check_orders,
    law_term,
    printable,
    unit_definitions,
)
from crn_nn_tellurium.errors import FileFormatError
from crn_nn_tellurium.exporters.sbml_layout import add_layout
from crn_nn_tellurium.exporters.source import Source

_PLACE = re.compile(r'( value="| initialConcentration="|<cn(?: sbml:units="\w+")?> )(\d+)(?=["\s])')
_XHTML = "http://www.w3.org/1999/xhtml"


@dataclass(frozen=True)
class Options:
    """How laws are written.

    Attributes
    ----------
    plain_laws : bool
        ``k * A * B`` without the volume, which is 1, for readers that cannot do with it
        (bioscrape); units other than the model's own then do not agree.
    """

    plain_laws: bool = False


@dataclass(frozen=True)
class Drawn(Options):
    """And whether the file says how to draw it.

    Attributes
    ----------
    layout : bool
        Species in columns, layer by layer.
    """

    layout: bool = False


def write(source: Source, options: Drawn) -> str:
    """SBML Level 3 Version 2."""
    return document_text(source, options)


def write_l3v1(source: Source, options: Drawn) -> str:
    """SBML Level 3 Version 1, which MATLAB's SimBiology reads."""
    return document_text(source, options, (3, 1))


def write_l2v4(source: Source, options: Options) -> str:
    """SBML Level 2 Version 4, for older readers."""
    return document_text(source, Drawn(options.plain_laws), (2, 4))


def document_text(source: Source, options: Drawn = Drawn(), level: tuple[int, int] = (3, 2)) -> str:
    """The text of an SBML document of a level and version.

    Raises
    ------
    ReactionError
        If a reaction is above third order.
    FileFormatError
        If libSBML cannot write it.
    """
    crn = source.crn
    check_orders(crn)
    packages = libsbml.SBMLNamespaces(*level)
    drawn_by = ("layout", "render") if options.layout else ()
    for package in drawn_by:
        packages.addPackageNamespace(package, 1)
    document = libsbml.SBMLDocument(packages)
    for package in drawn_by:
        document.setPackageRequired(package, False)
    builder = _Builder(document.createModel(), source, level, options.plain_laws)
    builder.build()
    if options.layout:
        add_layout(document.getModel(), crn)
    return builder.exact_digits(libsbml.writeSBMLToString(document))


class _Builder:
    """Fills a model of libSBML; what libSBML refuses is an error here, not a silent gap."""

    def __init__(
        self, model: Any, source: Source, level: tuple[int, int], plain_laws: bool
    ) -> None:
        self.model = model
        self.source = source
        self.crn = source.crn
        self.level, self.version = level
        self.plain_laws = plain_laws
        self.taken = {*self.crn.identifiers, self.crn.name}
        self.compartment = free_id("comp", self.taken)
        self.concentration = self.crn.units.identifier(CONCENTRATION)
        self.numbers: list[float] = []
        self.literals: dict[tuple[float, str], str] = {}

    def build(self) -> None:
        """All parts, in the order in which they name one another."""
        self._head()
        self._units()
        self._compartment()
        self._parameters()
        for species in self.crn.species:
            self._species(species)
        self._observables()
        for reaction in self.crn.reactions:
            self._reaction(reaction)

    def _place(self, value: float) -> float:
        """Where a number stands in `numbers`: libSBML writes 15 digits, so `exact_digits` puts it
        in at the end.
        """
        self.numbers.append(value)
        return float(len(self.numbers) - 1)

    def exact_digits(self, text: str) -> str:
        """The document with every number in place of its place."""
        return _PLACE.sub(lambda match: f"{match[1]}{self.numbers[int(match[2])]!r}", text)

    def _head(self) -> None:
        model, crn = self.model, self.crn
        _do(model.setId(crn.name), crn.name)
        _do(model.setMetaId(f"_meta_{crn.name}"), crn.name)
        _do(model.setName(crn.name), crn.name)
        if self.level == 3:
            model.setSBOTerm(SBO_FRAMEWORK)
            for setter, unit in (
                (model.setSubstanceUnits, "substance"),
                (model.setExtentUnits, "substance"),
                (model.setTimeUnits, "time_unit"),
                (model.setVolumeUnits, "volume"),
            ):
                _do(setter(unit), unit)
        paragraphs = "".join(f"<p>{escape(line)}</p>" for line in self.source.statements)
        _do(model.setNotes(f'<body xmlns="{_XHTML}">{paragraphs}</body>'), "the notes")
        if self.source.doi:
            term = libsbml.CVTerm(libsbml.MODEL_QUALIFIER)
            term.setModelQualifierType(libsbml.BQM_IS_DESCRIBED_BY)
            term.addResource(f"https://identifiers.org/doi:{self.source.doi}")
            _do(model.addCVTerm(term), self.source.doi)

    def _units(self) -> None:
        parts = unit_definitions(self.crn)
        if self.level == 2:  # which has one name for each of the model's units
            parts["time"] = parts.pop("time_unit")
        for name, units in parts.items():
            definition = self.model.createUnitDefinition()
            _do(definition.setId(name), name)
            for kind, exponent, scale in units:
                unit = definition.createUnit()
                unit.setKind(libsbml.UnitKind_forName(kind))
                unit.setExponent(exponent)
                unit.setScale(scale)
                unit.setMultiplier(1.0)

    def _compartment(self) -> None:
        compartment = self.model.createCompartment()
        _do(compartment.setId(self.compartment), self.compartment)
        compartment.setSBOTerm(SBO_COMPARTMENT)
        compartment.setSpatialDimensions(3)
        compartment.setSize(1.0)
        compartment.setConstant(True)
        compartment.setUnits("volume")

    def _parameters(self) -> None:
        order = self.crn.constant_orders
        for identifier, value in self.crn.constant_values.items():
            parameter = self._parameter(
                identifier, self.crn.units.identifier(Dimension.rate_constant(order[identifier]))
            )
            parameter.setValue(self._place(value))
            parameter.setConstant(True)
            parameter.setSBOTerm(SBO_CONSTANT[order[identifier]])

    def _parameter(self, identifier: str, unit: str, about: str = "") -> Any:
        parameter = self.model.createParameter()
        _do(parameter.setId(identifier), identifier)
        _describe(parameter, about)
        parameter.setUnits(unit)
        return parameter

    def _species(self, about: Species) -> None:
        species = self.model.createSpecies()
        _do(species.setId(about.id), about.id)
        _describe(species, about.name)
        species.setCompartment(self.compartment)
        species.setHasOnlySubstanceUnits(False)
        species.setBoundaryCondition(about.boundary)
        species.setConstant(False)
        species.setSubstanceUnits("substance")
        species.setSBOTerm(SBO_SPECIES)
        if isinstance(about.initial, Expression):
            assignment = self.model.createInitialAssignment()
            _do(assignment.setSymbol(about.id), about.id)
            _do(assignment.setMath(self._formula(about.initial)), about.id)
        else:
            species.setInitialConcentration(self._place(about.initial))

    def _observables(self) -> None:
        for observable in self.crn.observables:
            parameter = self._parameter(observable.id, self.concentration, observable.name)
            parameter.setConstant(False)
            parameter.setSBOTerm(SBO_OBSERVABLE)
            rule = self.model.createAssignmentRule()
            _do(rule.setVariable(observable.id), observable.id)
            _do(rule.setMath(self._formula(observable.expression)), observable.id)

    def _reaction(self, reaction: Reaction) -> None:
        is_empty = not (reaction.substrates or reaction.products)
        if is_empty and (self.level, self.version) != (3, 2):
            raise FileFormatError(
                f"reaction {reaction.id!r} makes nothing from nothing, which SBML holds from Level"
                " 3 Version 2 on; leave it out, or use format='sbml'"
            )
        made = self.model.createReaction()
        _do(made.setId(reaction.id), reaction.id)
        if reaction.name:
            made.setName(printable(reaction.name))
        made.setReversible(False)
        if (self.level, self.version) == (3, 1):
            made.setFast(False)
        made.setSBOTerm(SBO_REACTION)
        for create, side in (
            (made.createReactant, reaction.substrates),
            (made.createProduct, reaction.products),
        ):
            for species, count in side:
                reference = create()
                _do(reference.setSpecies(species), species)
                reference.setStoichiometry(count)
                if self.level == 3:
                    reference.setConstant(True)
        law = made.createKineticLaw()
        law.setSBOTerm(law_term(reaction))
        factors = [
            _symbol(name) for name in (self.compartment, reaction.rate_constant)[self.plain_laws :]
        ]
        factors += [_power(species, float(count)) for species, count in reaction.substrates]
        _do(law.setMath(_operation(libsbml.AST_TIMES, factors)), reaction.id)

    def _formula(self, expression: Expression) -> Any:
        terms = [self._monomial(term) for term in expression.terms]
        return (
            _operation(libsbml.AST_PLUS, terms) if terms else self._number(0.0, self.concentration)
        )

    def _monomial(self, term: Monomial) -> Any:
        if not term.powers:
            return self._number(term.coefficient, self.concentration)
        plain = [(symbol, power) for symbol, power in term.powers if abs(power) != 0.5]
        above = [_power(symbol, power) for symbol, power in plain if power > 0]
        below = [_power(symbol, -power) for symbol, power in plain if power < 0]
        # one root over all, since a unit to the power of one half has no name
        root = [(symbol, power) for symbol, power in term.powers if abs(power) == 0.5]
        if root:
            over = [_symbol(symbol) for symbol, power in root if power > 0]
            under = [_symbol(symbol) for symbol, power in root if power < 0]
            above.append(_root(self._ratio(over, under)))
        if abs(term.coefficient) != 1:
            above.insert(0, self._number(abs(term.coefficient), "dimensionless"))
        value = self._ratio(above, below)
        return (
            _operation(libsbml.AST_MINUS, [value], alone=False) if term.coefficient < 0 else value
        )

    def _ratio(self, above: list[Any], below: list[Any]) -> Any:
        numerator = (
            _operation(libsbml.AST_TIMES, above) if above else self._number(1.0, "dimensionless")
        )
        return (
            _binary(libsbml.AST_DIVIDE, numerator, _operation(libsbml.AST_TIMES, below))
            if below
            else numerator
        )

    def _number(self, value: float, unit: str) -> Any:
        if self.level == 2:
            return _symbol(self._literal(value, unit))
        node = libsbml.ASTNode(libsbml.AST_REAL)
        node.setValue(self._place(value))
        node.setUnits(unit)
        return node

    def _literal(self, value: float, unit: str) -> str:
        """A parameter that stands for a number, since Level 2 has no units on numbers."""
        if (value, unit) not in self.literals:
            identifier = free_id("number", self.taken)
            parameter = self._parameter(identifier, unit, "a number in a formula")
            parameter.setValue(self._place(value))
            parameter.setConstant(True)
            self.literals[value, unit] = identifier
        return self.literals[value, unit]


def _describe(element: Any, text: str) -> None:
    """Sentences are notes: COPASI and others call an element by its name, where it has one."""
    if text:
        paragraph = f'<p xmlns="{_XHTML}">{escape(printable(text))}</p>'
        _do(element.setNotes(paragraph), element.getId())


def _do(code: int, what: str) -> None:
    if code != libsbml.LIBSBML_OPERATION_SUCCESS:
        raise FileFormatError(
            f"SBML cannot hold {what!r}: {libsbml.OperationReturnValue_toString(code).strip()}"
        )


def _symbol(name: str) -> Any:
    node = libsbml.ASTNode(libsbml.AST_NAME)
    node.setName(name)
    return node


def _power(name: str, power: float) -> Any:
    if power == 1:
        return _symbol(name)
    exponent = libsbml.ASTNode(libsbml.AST_INTEGER if power == int(power) else libsbml.AST_REAL)
    exponent.setValue(int(power) if power == int(power) else power)
    return _binary(libsbml.AST_FUNCTION_POWER, _symbol(name), exponent)


def _root(node: Any) -> Any:
    root = libsbml.ASTNode(libsbml.AST_FUNCTION_ROOT)
    degree = libsbml.ASTNode(libsbml.AST_INTEGER)
    degree.setValue(2)
    root.addChild(degree)
    root.addChild(node)
    return root


def _operation(kind: int, parts: list[Any], alone: bool = True) -> Any:
    """A node over its parts; with one part alone, that part."""
    if len(parts) == 1 and alone:
        return parts[0]
    node = libsbml.ASTNode(kind)
    for part in parts:
        node.addChild(part)
    return node


def _binary(kind: int, left: Any, right: Any) -> Any:
    return _operation(kind, [left, right])
