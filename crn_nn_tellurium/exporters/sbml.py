"""SBML (.xml): Level 3 Version 2, Level 3 Version 1 or Level 2 Version 4, written by libSBML.

Every weight is a reaction with the law ``comp * k * A * B``, which COPASI and others recognise as
irreversible mass action. Start values that are to be formulas are initial assignments, read-outs
are assignment rules. Source: Hucka et al., J. Integr. Bioinform. 16 (2019) 20190021, doi
10.1515/jib-2019-0021.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from xml.sax.saxutils import escape

import libsbml

from crn_nn_tellurium.basics import free_id
from crn_nn_tellurium.chemistry import (
    CONCENTRATION,
    LITERAL,
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
    check_writable,
    law_term,
    printable,
    unit_definitions,
)
from crn_nn_tellurium.errors import FileFormatError
from crn_nn_tellurium.exporters.sbml_elements import (
    assign,
    node,
    operation,
    power_node,
    root_node,
    symbol_node,
)
from crn_nn_tellurium.exporters.sbml_kinds import Kinds, escapes
from crn_nn_tellurium.exporters.sbml_layout import add_layout
from crn_nn_tellurium.exporters.writing import Source

# where libSBML wrote the place of a number: an attribute's value, or a number in a formula
_PLACE = re.compile(r'( value="| initialConcentration="|<cn(?: sbml:units="\w+")?> )(\d+)(?=["\s])')
_XHTML = "http://www.w3.org/1999/xhtml"


@dataclass(frozen=True)
class Options:
    """How laws are written."""

    # k * A * B without the volume, which is 1, and species held constant as catalysts, for readers
    # that cannot do with the one (bioscrape) or the other (GillesPy2 too); units other than the
    # model's own then do not agree
    plain_laws: bool = False


@dataclass(frozen=True)
class Drawn(Options):
    """And whether the file says how to draw it: species in columns, layer by layer."""

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


def document_text(
    source: Source,
    options: Drawn = Drawn(),
    level: tuple[int, int] = (3, 2),
    *,
    reactions: bool = True,
) -> str:
    """The text of an SBML document of a level and version, without its reactions if so asked."""
    check_writable(source.followed)
    namespaces = libsbml.SBMLNamespaces(*level)
    packages = ("layout", "render") if options.layout else ()
    for package in packages:
        namespaces.addPackageNamespace(package, 1)
    document = libsbml.SBMLDocument(namespaces)
    for package in packages:
        document.setPackageRequired(package, False)
    builder = _Builder(document.createModel(), source, level, options.plain_laws)
    builder.build(source.followed.reactions if reactions else ())
    if options.layout:
        add_layout(document.getModel(), source.followed)
    return builder.whole(libsbml.writeSBMLToString(document))


class _Builder:
    """Fills a model of libSBML; what libSBML refuses is an error here, not a silent gap."""

    def __init__(
        self, model: Any, source: Source, level: tuple[int, int], plain_laws: bool
    ) -> None:
        self.model = model
        self.source = source
        self.crn = source.followed
        self.level, self.version = level
        self.plain_laws = plain_laws
        self.taken = {*self.crn.identifiers, self.crn.name}
        self.compartment = free_id("comp", self.taken)
        self.concentration = self.crn.units.identifier(CONCENTRATION)
        # numbers, and marks of those that elements of a kind differ in
        self.numbers: list[float | str] = []
        self.literals: dict[tuple[float, str], str] = {}
        self.parameters, self.reactions = Kinds("parameter"), Kinds("reaction")

    def build(self, reactions: Sequence[Reaction]) -> None:
        """All parts, in the order in which they name one another."""
        self._head()
        self._units()
        self._compartment()
        self._parameters()
        for species in self.crn.species:
            self._species(species)
        self._observables()
        for reaction in reactions:
            self._reaction(reaction)

    def _place(self, value: float | str) -> float:
        """Where a number stands in `numbers`."""
        # libSBML writes 15 digits, so it gets the place, which `whole` replaces at the end
        self.numbers.append(value)
        return float(len(self.numbers) - 1)

    def whole(self, text: str) -> str:
        """The document with every number in place of its place, and all elements of each kind."""
        text = _PLACE.sub(lambda match: f"{match[1]}{self.numbers[int(match[2])]}", text)
        return self.reactions.filled(self.parameters.filled(text))

    def _head(self) -> None:
        model, name = self.model, self.crn.name
        assign(model, Id=name, MetaId=f"_meta_{name}", Name=name)
        if self.level == 3:
            units = {"SubstanceUnits": "substance", "ExtentUnits": "substance"}
            units |= {"TimeUnits": "time_unit", "VolumeUnits": "volume"}
            assign(model, SBOTerm=SBO_FRAMEWORK, **units)
        paragraphs = "".join(f"<p>{escape(line)}</p>" for line in self.source.statements)
        assign(model, Notes=f'<body xmlns="{_XHTML}">{paragraphs}</body>')
        if self.source.doi:
            # what tools show as the model's article
            term = libsbml.CVTerm(libsbml.MODEL_QUALIFIER)
            term.setModelQualifierType(libsbml.BQM_IS_DESCRIBED_BY)
            term.addResource(f"https://identifiers.org/doi:{self.source.doi}")
            model.addCVTerm(term)

    def _units(self) -> None:
        parts = unit_definitions(self.crn)
        if self.level == 2:  # which has one name for each of the model's units
            parts["time"] = parts.pop("time_unit")
        for name, units in parts.items():
            definition = assign(self.model.createUnitDefinition(), Id=name)
            for kind, exponent, scale in units:
                unit = assign(definition.createUnit(), Kind=libsbml.UnitKind_forName(kind))
                assign(unit, Exponent=exponent, Scale=scale, Multiplier=1.0)

    def _compartment(self) -> None:
        made = assign(self.model.createCompartment(), Id=self.compartment, SBOTerm=SBO_COMPARTMENT)
        assign(made, SpatialDimensions=3, Size=1.0, Constant=True, Units="volume")

    def _parameters(self) -> None:
        orders, units, formulas = self.crn.constant_orders, self.crn.units, dict(self.crn.formulas)
        about = {p.id: p.name for p in self.crn.parameters}
        for name, value in zip(self.crn.constant_names, self.crn.constants.tolist(), strict=True):
            number, unit, more = None if name in formulas else value, "", {}
            if name in orders:
                unit = units.identifier(Dimension.rate_constant(orders[name]))
                more["SBOTerm"] = SBO_CONSTANT[orders[name]]
            self._parameter(name, unit, about.get(name, ""), number, **more)
            # by a rule, so that it follows where a tool sets what it reads
            if name in formulas:
                self._rule(name, formulas[name])

    def _parameter(
        self, name: str, unit: str, about: str = "", value: float | None = None, **more: Any
    ) -> None:
        """A constant with a value, or without one what a rule assigns; nothing says what a
        parameter measures, so without unit.
        """

        def make(name: str, number: str) -> None:
            made = assign(self.model.createParameter(), Id=name)
            _describe(made, about)
            if unit:
                assign(made, Units=unit)
            assign(made, Constant=value is not None, **more)
            if value is not None:
                assign(made, Value=self._place(number))

        kind = unit, about, value is None, *more.items()
        self.parameters.add(kind, (name, value), make)

    def _species(self, about: Species) -> None:
        species = assign(self.model.createSpecies(), Id=about.id)
        _describe(species, about.name)
        assign(species, Compartment=self.compartment, HasOnlySubstanceUnits=False)
        assign(species, BoundaryCondition=about.boundary, Constant=False)
        assign(species, SubstanceUnits="substance", SBOTerm=SBO_SPECIES)
        if isinstance(about.initial, Expression):
            math = self._formula(about.initial)
            assign(self.model.createInitialAssignment(), Symbol=about.id, Math=math)
        else:
            assign(species, InitialConcentration=self._place(about.initial))

    def _observables(self) -> None:
        for o in self.crn.observables:
            self._parameter(o.id, self.concentration, o.name, SBOTerm=SBO_OBSERVABLE)
            self._rule(o.id, o.expression)

    def _rule(self, name: str, expression: Expression) -> None:
        math = self._formula(expression)
        assign(self.model.createAssignmentRule(), Variable=name, Math=math)

    def _reaction(self, reaction: Reaction) -> None:
        # Levels before demand a reactant or product
        is_empty = not (reaction.substrates or reaction.products)
        if is_empty and (self.level, self.version) != (3, 2):
            raise FileFormatError(
                f"reaction {reaction.id!r} makes nothing from nothing, which SBML holds from Level"
                " 3 Version 2 on; leave it out, or use format='sbml'"
            )
        before, after = reaction.substrates, reaction.products
        if self.plain_laws and not is_empty:
            # such readers do not know boundary conditions either, but a catalyst is as constant
            catalytic = reaction.catalytic_sides(self.crn.boundary)
            before, after = catalytic if any(catalytic) else (before, after)
        sides = before, after, reaction.substrates
        names = list(dict.fromkeys(species for side in sides for species, _ in side))
        # what is the same but for names
        kind = [tuple((names.index(species), n) for species, n in side) for side in sides]
        about, own = printable(reaction.name), ""
        if not about or escapes(about):
            about, own = own, about
        values = reaction.id, reaction.rate_constant, about, *names
        make = partial(self._make_reaction, kind, law_term(reaction), own, bool(about))
        self.reactions.add((*kind, own, bool(about)), values, make)

    def _make_reaction(
        self,
        kind: Sequence[Sequence[tuple[int, int]]],
        term: str,
        own: str,
        has_name: bool,
        id_: str,
        rate_constant: str,
        about: str,
        *names: str,
    ) -> None:
        """One reaction; sides of its `kind` have places of `names`."""
        before, after, substrates = ([(names[i], n) for i, n in side] for side in kind)
        made = assign(self.model.createReaction(), Id=id_)
        if has_name or own:
            assign(made, Name=about if has_name else own)
        assign(made, Reversible=False, SBOTerm=SBO_REACTION)
        if (self.level, self.version) == (3, 1):  # which demands what later ones do not have
            assign(made, Fast=False)
        for create, side in ((made.createReactant, before), (made.createProduct, after)):
            for species, count in side:
                reference = assign(create(), Species=species, Stoichiometry=count)
                if self.level == 3:
                    assign(reference, Constant=True)
        factors = [symbol_node(rate_constant)]
        if not self.plain_laws:  # laws are in amounts a time
            factors.insert(0, symbol_node(self.compartment))
        factors += [power_node(species, float(count)) for species, count in substrates]
        law = assign(made.createKineticLaw(), SBOTerm=term)
        assign(law, Math=operation(libsbml.AST_TIMES, factors))

    def _formula(self, expression: Expression) -> Any:
        terms = [self._monomial(term) for term in expression.terms]
        return operation(libsbml.AST_PLUS, terms or [self._number(0.0, self.concentration)])

    def _monomial(self, term: Monomial) -> Any:
        # a number alone is a concentration: start values and read-outs are
        if not term.powers:
            return self._number(term.coefficient, self.concentration)
        plain = [(symbol, power) for symbol, power in term.powers if abs(power) != 0.5]
        above = [power_node(symbol, power) for symbol, power in plain if power > 0]
        below = [power_node(symbol, -power) for symbol, power in plain if power < 0]
        # one root over all, since a unit to the power of one half has no name
        root = [(symbol, power) for symbol, power in term.powers if abs(power) == 0.5]
        if root:
            over = [symbol_node(symbol) for symbol, power in root if power > 0]
            under = [symbol_node(symbol) for symbol, power in root if power < 0]
            above.append(root_node(self._ratio(over, under)))
        if abs(term.coefficient) != 1:
            above.insert(0, self._number(abs(term.coefficient), "dimensionless"))
        value = self._ratio(above, below)
        return node(libsbml.AST_MINUS, value) if term.coefficient < 0 else value

    def _ratio(self, above: list[Any], below: list[Any]) -> Any:
        over = operation(libsbml.AST_TIMES, above or [self._number(1.0, "dimensionless")])
        under = [operation(libsbml.AST_TIMES, below)] if below else []
        return operation(libsbml.AST_DIVIDE, [over, *under])

    def _number(self, value: float, unit: str) -> Any:
        if self.level == 2:  # has no units on numbers, so a parameter stands for each
            if (value, unit) not in self.literals:
                self.literals[value, unit] = free_id("number", self.taken)
                self._parameter(self.literals[value, unit], unit, LITERAL, value)
            return symbol_node(self.literals[value, unit])
        return assign(node(libsbml.AST_REAL), Value=self._place(value), Units=unit)


def _describe(element: Any, text: str) -> None:
    """Sentences are notes: COPASI and others call an element by its name, where it has one."""
    if text:
        assign(element, Notes=f'<p xmlns="{_XHTML}">{escape(printable(text))}</p>')
