"""A document of libSBML made ready to be read: valid, of the core language, without calls.

What has no effect is left out here, so that the readers behind it meet none: rules, assignments and
events without `<math>`, which Level 3 Version 2 allows and takes for not there. An algebraic rule
0 = f(x), linear in the one variable x that nothing else sets, is x := f(0)/(f(0) - f(1)).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any
from xml.sax.saxutils import unescape

import libsbml

from crn_nn_tellurium.errors import FileFormatError, ReactionError
from crn_nn_tellurium.importers.sbml_symbols import functions_called, parts_of, symbols_read
from crn_nn_tellurium.importers.sbml_text import check_formulas
from crn_nn_tellurium.importers.sbml_trees import degree, put_in, text_of

# what flattening takes out, and the functions of Version 2 in files of Version 1
_UNDERSTOOD = frozenset({"comp", "l3v2extendedmath"})
_NO_NAME = "__main"  # what libAntimony calls a model without a name, and cannot read again
_PACKAGE = re.compile(r"Package '([^']+)' is a required")


def ready_model(document: Any, origin: str) -> Any:
    """The model of a document whose laws name symbols of the model alone, and call nothing."""
    _refuse_packages(document, origin)
    _refuse_errors(document, origin)
    if document.getModel() is None:
        raise FileFormatError(f"{origin!r} holds no model")
    if document.getPlugin("comp") is not None:
        _refuse_prefixes(document, origin)
        _convert(document, "flatten comp", origin)
    model = document.getModel()
    _leave_out(model.getListOfRules(), lambda rule: not rule.isSetMath())
    _leave_out(model.getListOfInitialAssignments(), lambda start: not start.isSetMath())
    _leave_out(model.getListOfEvents(), _does_nothing)
    for reaction in model.getListOfReactions():
        if reaction.isSetKineticLaw() and not reaction.getKineticLaw().isSetMath():
            reaction.unsetKineticLaw()
    # functions are put in where no formula lacks, and all are sound: libSBML does not look
    _refuse_broken_formulas(model, origin)
    _refuse_broken_functions(model, origin)
    _refuse_twice(model, origin)
    check_formulas(model, origin)
    if document.getLevel() == 2 and document.getVersion() < 4:
        # units that disagree are an error of these versions, with which libSBML puts no function
        # in; of all others they are a warning, and nothing is converted here
        document.setLevelAndVersion(2, 4, False)
    _convert(document, "promoteLocalParameters", origin)
    _convert(document, "expandFunctionDefinitions", origin)
    model = document.getModel()
    _solve_algebraic_rules(model)
    if model.getId() == _NO_NAME:
        model.unsetId()
    return model


def _refuse_packages(document: Any, origin: str) -> None:
    """Packages say by `required` whether the core of a model alone means something else."""
    # below Level 3 there are none: what libSBML reads from annotations requires nothing
    n_plugins = document.getNumPlugins() if document.getLevel() > 2 else 0
    plugins = map(document.getPlugin, range(n_plugins))
    required = [
        plugin.getPackageName()
        for plugin in plugins
        if document.getPackageRequired(plugin.getPackageName())
    ]
    # of packages that it does not know, libSBML keeps no attributes, but an error says it
    log = document.getErrorLog()
    for error in map(log.getError, range(log.getNumErrors())):
        if error.getErrorId() == libsbml.RequiredPackagePresent:
            required += _PACKAGE.findall(error.getMessage())
    if unknown := [name for name in required if name not in _UNDERSTOOD]:
        raise ReactionError(
            f"{origin!r} requires the package {unknown[0]!r} of SBML; a mass-action network is"
            " expected in the core language (submodels of 'comp' are taken out); take what the"
            " package adds out of the model"
        )


def _refuse_prefixes(document: Any, origin: str) -> None:
    """Tags of models with submodels that libSBML ends the process on, valid though they are."""
    prefixes = document.getPrefix(), document.getPlugin("comp").getPrefix()
    if prefixes != ("", "comp"):
        raise FileFormatError(
            f"{origin!r}: tags of the core and of its submodels have the prefixes {prefixes[0]!r}"
            f" and {prefixes[1]!r}, which libSBML cannot take apart; expected '' and 'comp'"
        )


def _refuse_errors(document: Any, origin: str) -> None:
    log = document.getErrorLog()
    for error in map(log.getError, range(log.getNumErrors())):
        # an encoding may be left out: XML is UTF-8 then
        fine = error.getErrorId() == libsbml.MissingXMLEncoding
        if error.getSeverity() >= libsbml.LIBSBML_SEV_ERROR and not fine:
            message = " ".join(error.getMessage().split())
            line = error.getLine()
            raise FileFormatError(f"{origin!r} is not valid SBML, line {line}: {message}")


def _convert(document: Any, converter: str, origin: str) -> None:
    properties = libsbml.ConversionProperties()
    properties.addOption(converter)
    if document.convert(properties) != libsbml.LIBSBML_OPERATION_SUCCESS:
        # it validates first, and keeps what it finds
        _refuse_errors(document, origin)
        raise FileFormatError(f"{origin!r}: libSBML cannot do {converter!r} on it")


def _refuse_broken_formulas(model: Any, origin: str) -> None:
    """Operators without what they are over, and none at all, which libSBML reads, but cannot
    convert.
    """
    for owner, holder in _holders_of_formulas(model):
        math = None if holder is None else holder.getMath()
        if math is None:
            continue
        if not math.isWellFormedASTNode() or any(part.isUnknown() for part in parts_of(math)):
            raise FileFormatError(
                f"{origin!r}: {text_of(math)} of {owner.getElementName()} {owner.getId()!r} is not"
                " a formula: an operator lacks, or has too few operands; expected MathML"
            )


def _holders_of_formulas(model: Any) -> Iterator[tuple[Any, Any]]:
    """What may have a formula, and whose it is."""
    # list by list: with libSEDML imported after libSBML, the list of all elements has no end, and
    # its elements no formulas
    for elements in (
        model.getListOfFunctionDefinitions(),
        model.getListOfInitialAssignments(),
        model.getListOfRules(),
        model.getListOfConstraints(),
    ):
        yield from ((element, element) for element in elements)
    for reaction in model.getListOfReactions():
        yield reaction, reaction.getKineticLaw()
        for side in (reaction.getListOfReactants(), reaction.getListOfProducts()):
            yield from ((reaction, reference.getStoichiometryMath()) for reference in side)
    for event in model.getListOfEvents():
        parts = event.getTrigger(), event.getDelay(), event.getPriority()
        yield from ((event, part) for part in (*parts, *event.getListOfEventAssignments()))


def _refuse_broken_functions(model: Any, origin: str) -> None:
    """Functions of what is no name, and those that call themselves: libSBML looks for neither, in
    Level 3 Version 2 at least, and putting them in ends the process.
    """
    calls = {}
    for function in model.getListOfFunctionDefinitions():
        name = function.getId()
        arguments = map(function.getArgument, range(function.getNumArguments()))
        if not all(argument.isName() for argument in arguments):
            raise FileFormatError(
                f"{origin!r}: an argument of function {name!r} is no name; expected a <ci> in it"
            )
        calls[name] = functions_called(function.getMath()) if function.isSetMath() else {}
    try:
        TopologicalSorter(calls).prepare()
    except CycleError as error:
        circle = " -> ".join(reversed(error.args[1]))
        raise FileFormatError(
            f"{origin!r}: function definitions go in a circle: {circle}; expected ones that end"
        ) from error


def _refuse_twice(model: Any, origin: str) -> None:
    """One name for two things, which libSBML does not look for."""
    lists = (
        model.getListOfSpecies(),
        model.getListOfParameters(),
        model.getListOfCompartments(),
        model.getListOfReactions(),
    )
    known: set[str] = set()
    for name in (element.getId() for elements in lists for element in elements):
        if name in known:
            raise FileFormatError(f"{origin!r}: {name!r} stands for two things; expected one each")
        known.add(name)


def _leave_out(entities: Any, is_empty: Callable[[Any], bool]) -> None:
    # backwards, since what comes behind moves up
    for i in reversed(range(entities.size())):
        if is_empty(entities.get(i)):
            entities.remove(i)


def _does_nothing(event: Any) -> bool:
    """Whether an event cannot be triggered, or changes nothing when it is."""
    trigger = event.getTrigger()
    changes = any(change.isSetMath() for change in event.getListOfEventAssignments())
    return trigger is None or not trigger.isSetMath() or not changes


def _solve_algebraic_rules(model: Any) -> None:
    """Those that set one variable, whatever their order, become rules of assignment."""
    moved = {
        reference.getSpecies()
        for reaction in model.getListOfReactions()
        for side in (reaction.getListOfReactants(), reaction.getListOfProducts())
        for reference in side
    }
    boundary = {s.getId() for s in model.getListOfSpecies() if s.getBoundaryCondition()}
    elements = (
        *model.getListOfParameters(),
        *model.getListOfSpecies(),
        *model.getListOfCompartments(),
    )
    free = {element.getId() for element in elements if not element.getConstant()}
    rules = model.getListOfRules()
    free -= (moved - boundary) | {rule.getVariable() for rule in rules}
    solved = True
    while solved:
        solved = False
        for i in reversed(range(rules.size())):
            math = rules.get(i).getMath()
            found = (
                [k for k in symbols_read(math) if k in free] if rules.get(i).isAlgebraic() else []
            )
            if len(found) != 1 or degree(math, found[0]) != 1:
                continue
            value = libsbml.parseL3Formula("0/(0 - 0)")
            value.replaceChild(0, put_in(math, found[0], "0"))
            value.getChild(1).replaceChild(0, put_in(math, found[0], "0"))
            value.getChild(1).replaceChild(1, put_in(math, found[0], "1"))
            rules.remove(i)
            rule = model.createAssignmentRule()
            rule.setVariable(found[0])
            rule.setMath(value)
            free.remove(found[0])
            solved = True


_ONE_PARAGRAPH = re.compile(r"\s*<notes>\s*<p\b[^>]*>([^<]*)</p>\s*</notes>\s*")


def readable_name(element: Any) -> str:
    """Its name, or else notes of one plain paragraph, which is where `export` writes one."""
    if element.isSetName() or not element.isSetNotes():
        return str(element.getName())
    note = _ONE_PARAGRAPH.fullmatch(element.getNotesString())
    return unescape(note[1]) if note else ""
