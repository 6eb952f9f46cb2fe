"""SBML looked at before libSBML or roadrunner see it.

They end the process, or never end, on texts that are nested too deeply or stand for far more than
they are. The text goes through expat, which keeps nothing, has no depth to fear and reads no other
file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any
from xml.parsers import expat

from crn_nn_tellurium.basics import number, reading
from crn_nn_tellurium.errors import FileFormatError
from crn_nn_tellurium.importers.sbml_symbols import parts_of

# libSBML ends the process at some 10,000 elements within each other, in formulas at some 5,000
_DEEPEST, _DEEPEST_FORMULA = 100, 2000
# and roadrunner at some 4,000 operands of one sum
_MOST_OPERANDS = 3000
_MOST_ATTRIBUTES, _LONGEST = 1000, 2**20
_CORE = re.compile(r"http://www\.sbml\.org/sbml/level\d(/version\d(/core)?)?")
_BETWEEN = "\0"
"""Of the parts of a number, where XML has <sep/>; no text of it has this character."""
_MOST_PARTS = 2**19
"""How many parts formulas may gain as functions and rules are put in where they are used."""
_MOST_SUBMODELS = 10_000


DEEPEST_TEXT = 500
"""Brackets and signs within each other, on which parsers spend time with the cube of the depth."""
# brackets, powers with the signs behind them, signs in a row, and what ends a tower of powers; the
# sign of an exponent, 2e-1, is part of a number
_NESTS = re.compile(r"[()]|(?:\^|\*\*)[-+!\s]*|(?<![\d.][eE])[-+!][-+!\s]*|[*/,;=<>&|%]")


def nesting(text: str) -> int:
    """How deep the formulas of a text are nested, by brackets, signs in a row and towers of powers.

    >>> nesting("a - (b*(c + d)) + 2^3^4")
    2
    """
    # level: of the bracket that is open; depth: with the powers behind one another in it
    deepest = depth = level = 0
    outside: list[tuple[int, int]] = []
    for match in _NESTS.finditer(text):
        word = "".join(match[0].split())
        signs = 0
        if word == "(":
            outside.append((level, depth))
            level = depth = depth + 1
        elif word == ")":
            level, depth = outside.pop() if outside else (0, 0)
        elif word[0] == "^" or word.startswith("**"):
            depth += 1
        else:
            depth, signs = level, len(word) if len(word) > 1 else 0
        deepest = max(deepest, depth + signs)
    return deepest


def check_sbml(text: str | bytes, origin: str, allow_files: bool = False) -> None:
    """Refuse what no parser is to see: no XML, too deep or wide, with entities or other files."""
    widths: list[int] = []
    depth, math_from, submodels = 0, 0, dict[str, list[str]]()
    open_model = [""]
    written: list[str] = []
    is_level_2 = False

    def refuse(what: str) -> None:
        line = parser.CurrentLineNumber
        raise FileFormatError(f"{origin!r} is not valid SBML, line {line}: {what}")

    def start(tag: str, attributes: Mapping[str, str]) -> None:
        nonlocal depth, math_from, is_level_2
        depth += 1
        name = tag.rpartition(":")[2]
        if depth == 1:
            if len(_versions(attributes)) > 1:
                refuse(
                    "<sbml> has namespaces of several versions of SBML, on which libSBML ends the"
                    " process; expected one"
                )
            is_level_2 = _is_level_2(attributes)
        if name == "stoichiometryMath" and not is_level_2:
            refuse(
                "<stoichiometryMath> is of Level 2, and level, version and namespaces of <sbml> are"
                " not those of one version of it, on which libSBML ends the process"
            )
        if name == "math" and not math_from:
            math_from = depth
        deepest = math_from + _DEEPEST_FORMULA if math_from else _DEEPEST
        if depth > deepest:
            refuse(f"elements are nested more than {deepest} deep")
        if math_from:
            del widths[depth - math_from :]
            widths.append(0)
            # the operator itself is the first element of an application
            if len(widths) > 1:
                widths[-2] += 1
                if widths[-2] > _MOST_OPERANDS + 1:
                    refuse(
                        f"an operator has more than {_MOST_OPERANDS} operands, on which"
                        " libRoadRunner ends the process; write its sum as several rules"
                    )
            if name == "cn":
                parser.CharacterDataHandler = written.append
            elif name == "sep":
                written.append(_BETWEEN)
        if len(attributes) > _MOST_ATTRIBUTES or max(map(len, attributes.values()), default=0) > (
            _LONGEST
        ):
            refuse(
                f"an element has {len(attributes):,} attributes, or one beyond {_LONGEST:,}"
                f" characters; expected at most {_MOST_ATTRIBUTES}, and shorter ones"
            )
        # Level 1 has formulas as texts
        if nesting(attributes.get("formula", "")) > DEEPEST_TEXT:
            refuse(f"a formula is nested more than {DEEPEST_TEXT} deep")
        if name == "externalModelDefinition" and not allow_files:
            source = _attribute(attributes, "source")
            refuse(
                f"it takes a model from the file {source!r}, which is not opened;"
                " import_sbml(path, allow_files=True) does, if you trust it"
            )
        if name == "modelDefinition":
            open_model.append(_attribute(attributes, "id"))
        elif name == "submodel":
            submodels.setdefault(open_model[-1], []).append(_attribute(attributes, "modelRef"))

    def end(tag: str) -> None:
        nonlocal depth, math_from
        math_from = 0 if depth == math_from else math_from
        depth -= 1
        if parser.CharacterDataHandler is not None and tag.rpartition(":")[2] == "cn":
            check_number("".join(written))
            written.clear()
            parser.CharacterDataHandler = None
        if tag.rpartition(":")[2] == "modelDefinition":
            open_model.pop()

    def check_number(text: str) -> None:
        # libSBML reads as far as it can: 1 of 1_0, and 0 of 0x10
        for part in text.split(_BETWEEN):
            try:
                number(part)
            except ValueError:
                refuse(f"<cn> holds {part[:40]!r}; expected a number")

    def doctype(*_: Any) -> None:
        refuse("it has a document type, whose entities may stand for anything; expected none")

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.StartDoctypeDeclHandler = doctype
    with reading(origin):
        try:
            parser.Parse(text.encode() if isinstance(text, str) else text, True)
        except expat.ExpatError as error:
            refuse(f"the XML is not well-formed ({expat.ErrorString(error.code)})")
    check_submodels(submodels, origin)


def _attribute(attributes: Mapping[str, str], name: str) -> str:
    """An attribute, whatever the prefix of its namespace."""
    return next((v for k, v in attributes.items() if k.rpartition(":")[2] == name), "")


def _versions(attributes: Mapping[str, str]) -> set[str]:
    """The namespaces of versions of SBML, but for packages, that <sbml> declares."""
    return {v for k, v in attributes.items() if k.startswith("xmlns") and _CORE.fullmatch(v)}


def _is_level_2(attributes: Mapping[str, str]) -> bool:
    """Whether level, version and namespaces of <sbml>, whatever their prefixes, are those of one
    version of Level 2.
    """
    parts = [(key.rpartition(":")[2], value) for key, value in attributes.items()]
    versions = [value for name, value in parts if name == "version"]
    if [value for name, value in parts if name == "level"] != ["2"] or len(versions) != 1:
        return False
    own = "" if versions == ["1"] else f"/version{versions[0]}"
    space = f"http://www.sbml.org/sbml/level2{own}"
    return versions[0] in tuple("12345") and _versions(attributes) == {space}


def check_submodels(parts: Mapping[str, Iterable[str]], origin: str) -> None:
    """Refuse models whose submodels have submodels, and so on, without end or beyond number."""
    sizes: dict[str, int] = {}
    try:
        for name in TopologicalSorter(parts).static_order():
            sizes[name] = 1 + sum(sizes[part] for part in parts.get(name, ()))
            if sizes[name] > _MOST_SUBMODELS:
                raise FileFormatError(
                    f"{origin!r}: model {name!r} has {_in_words(sizes[name])} submodels, those of"
                    f" submodels among them; expected at most {_MOST_SUBMODELS}"
                )
    except CycleError as error:
        circle = " -> ".join(reversed(error.args[1]))
        raise FileFormatError(f"{origin!r}: submodels go in a circle: {circle}") from error


def check_formulas(model: Any, origin: str) -> None:
    """Refuse formulas that are beyond size once functions and rules are put in."""
    assigned = [rule for rule in model.getListOfRules() if rule.isAssignment()]
    definitions = {f.getId(): f.getMath() for f in model.getListOfFunctionDefinitions()}
    definitions |= {rule.getVariable(): rule.getMath() for rule in assigned}
    definitions = {name: math for name, math in definitions.items() if math is not None}
    reads = {
        name: {part.getName() for part in parts_of(math)} & definitions.keys()
        for name, math in definitions.items()
    }
    # circles are refused elsewhere, where it is known what they are of
    sizes: dict[str, int] = {}
    gained = 0
    try:
        for name in TopologicalSorter(reads).static_order():
            sizes[name], written = _size(definitions[name], sizes)
            gained += sizes[name] - written
            _check_gain(gained, f"{origin!r}: {name!r}")
    except CycleError:
        return
    laws = {r.getId(): r.getKineticLaw() for r in model.getListOfReactions()}
    for name, law in laws.items():
        if sizes and law is not None and law.getMath() is not None:
            size, written = _size(law.getMath(), sizes)
            gained += size - written
            _check_gain(gained, f"{origin!r}: reaction {name!r}")


def _check_gain(gained: int, what: str) -> None:
    if gained > _MOST_PARTS:
        raise FileFormatError(
            f"{what}: with functions and rules put in where they are used, formulas grow by"
            f" {_in_words(gained)} parts; expected at most {_MOST_PARTS:,}"
        )


def _in_words(number: int) -> str:
    """A whole number, which may have thousands of digits."""
    return (
        f"{number:,}" if number < 10**15 else f"more than 10^{(number.bit_length() - 1) * 3 // 10}"
    )


def _size(node: Any, sizes: Mapping[str, int]) -> tuple[int, int]:
    """At most how many parts a formula has with all put in, and how many it is written with."""
    done: list[int] = []
    written, open_ = 0, [(node, False)]
    while open_:
        part, is_read = open_.pop()
        n = part.getNumChildren()
        if n and not is_read:
            open_.append((part, True))
            open_ += [(part.getChild(i), False) for i in range(n)]
            continue
        written += 1
        inner = sum(done.pop() for _ in range(n))
        # a function has each of its arguments at most at each of its parts
        own = sizes.get(part.getName() or "", 1) if part.isName() or part.isFunction() else 1
        done.append(own * (1 + inner))
    return done[0], written


def _may_grow(text: str) -> bool:
    """Whether formulas of well-formed SBML might gain above `_MOST_PARTS` parts.

    Of functions, of rules that read rules and of formulas that are texts, trees alone tell, which
    take ten times as long; a law gains no more than all parts of each rule that it reads.
    """
    if "Rule" not in text and "functionDefinition" not in text:
        return False
    if "functionDefinition" in text or "formula" in text:
        return True
    sizes: Counter[str] = Counter()
    reads: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}  # in a rule, elsewhere
    variable, word = "", ""

    def start(tag: str, attributes: Mapping[str, str]) -> None:
        nonlocal variable, word
        name = tag.rpartition(":")[2]
        if name == "assignmentRule":
            variable = _attribute(attributes, "variable")
        elif variable:
            sizes[variable] += 1
        if name == "ci":
            word, parser.CharacterDataHandler = "", more

    def more(part: str) -> None:
        nonlocal word
        word += part

    def end(tag: str) -> None:
        nonlocal variable
        name = tag.rpartition(":")[2]
        if name == "ci":
            reads[bool(variable)][word.strip()] += 1
            parser.CharacterDataHandler = None
        elif name == "assignmentRule":
            variable = ""

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.Parse(text.encode(), True)
    nested = any(name in sizes for name in reads[True])
    return nested or sum(sizes[v] * n for v, n in reads[False].items() if v in sizes) > _MOST_PARTS


def check_compiled(text: str, origin: str) -> None:
    """Refuse SBML that roadrunner is not to see."""
    check_sbml(text, origin)
    if not _may_grow(text):
        return
    import libsbml  # which takes its time, and little that is compiled grows

    model = libsbml.readSBMLFromString(text).getModel()
    if model is None:
        return  # which roadrunner says in its words
    check_formulas(model, origin)
