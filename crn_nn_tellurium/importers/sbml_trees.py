"""Trees of libSBML's formulas: what a node is, what it is over, what it reads."""

from __future__ import annotations

import math
import re
from typing import Any

import libsbml

from crn_nn_tellurium.basics import vanishes
from crn_nn_tellurium.errors import ReactionError

# the time, delays and rates; Avogadro's number alone is a constant
_MOVING = re.compile(r"<csymbol[^>]*symbols/(?!avogadro)")
_OF_LEVEL_1 = {
    "acos": "arccos",
    "asin": "arcsin",
    "atan": "arctan",
    "ceil": "ceiling",
    "log10": "log",
    "sqr": "power",
}
"""What functions of its formulas, whose trees keep their names, are called in MathML."""


def moves(node: Any) -> bool:
    """Whether a formula reads the time, a delay or a rate of change."""
    # in a tree of libSBML such a symbol looks like any other name
    return _MOVING.search(libsbml.writeMathMLToString(node)) is not None


def operands(node: Any, kind: str) -> list[Any]:
    """What a node is over; sums of sums are one, products of products too."""
    # without recursion: libSBML nests a sum of n terms n deep, beyond what Python's stack holds
    found: list[Any] = []
    open_ = [node.getChild(i) for i in reversed(range(node.getNumChildren()))]
    while open_:
        part = open_.pop()
        if kind in ("plus", "times") and kind_of(part) == kind:
            open_ += [part.getChild(i) for i in reversed(range(part.getNumChildren()))]
        else:
            found.append(part)
    return found


def kind_of(node: Any) -> str:
    """A node's kind, by name: with libSEDML imported after libSBML, types are no numbers."""
    if node.isNumber():
        return "number"
    if node.isConstant():
        # a symbol of SBML's own may be called anything
        of_nature = "symbols/avogadro" in libsbml.writeMathMLToString(node)
        return "avogadro" if of_nature else str(node.getName())
    if node.isName():
        return "name"
    name = str(node.getOperatorName() if node.isOperator() else node.getName())
    # the logarithm of Level 1 is the natural one; MathML's has its base with it
    return "ln" if name == "log" and node.getNumChildren() == 1 else _OF_LEVEL_1.get(name, name)


def number_of(node: Any) -> float:
    """The value of a number, the nearest to its decimals."""
    # libSBML multiplies by a rounded power of ten: a digit off, and 0 below 1e-308
    power = 0 if node.isRational() else node.getExponent()
    if not power:
        return float(node.getValue())
    digits, _, shift = repr(node.getMantissa()).partition("e")
    text = f"{digits}e{power + int(shift or 0)}"
    if vanishes(text):
        raise ReactionError(f"the number {text} is 0 to doubles; expected 0, or more")
    return float(text)


def text_of(node: Any) -> str:
    return str(libsbml.formulaToL3String(node))


def degree(node: Any, name: str) -> float:
    """The degree of a formula in a symbol; infinite where it is no polynomial in it."""
    kind = kind_of(node)
    degrees = [degree(part, name) for part in operands(node, kind)]
    if kind == "name":
        return float(node.getName() == name)
    if not any(degrees):
        return 0
    if kind in ("plus", "minus"):
        return max(degrees)
    if kind == "times":
        return sum(degrees)
    return degrees[0] if kind == "divide" and degrees[1] == 0 else math.inf


def put_in(node: Any, name: str, value: str) -> Any:
    """A formula with a number for a symbol."""
    if node.isName() and node.getName() == name:
        return libsbml.parseL3Formula(value)
    copy = node.deepCopy()
    copy.replaceArgument(name, libsbml.parseL3Formula(value))
    return copy
