"""Elements and formulas of libSBML, which tells of a refusal by a code that is easily missed."""

from __future__ import annotations

from typing import Any

import libsbml

from crn_nn_tellurium.errors import FileFormatError


def assign(element: Any, **attributes: Any) -> Any:
    """The element with its attributes set; what libSBML refuses is an error, not a silent gap."""
    for name, value in attributes.items():
        code = getattr(element, f"set{name}")(value)
        if code is not None and code < 0:  # some setters return nothing, or True
            what = value if isinstance(value, str) else element.getId()
            because = libsbml.OperationReturnValue_toString(code).strip()
            raise FileFormatError(f"SBML cannot hold {what!r}: {because}")
    return element


def node(kind: int, *parts: Any) -> Any:
    """A node of a formula over its parts."""
    made = libsbml.ASTNode(kind)
    for part in parts:
        made.addChild(part)
    return made


def operation(kind: int, parts: list[Any]) -> Any:
    """A node over its parts; with one part alone, that part."""
    return node(kind, *parts) if len(parts) > 1 else parts[0]


def symbol_node(name: str) -> Any:
    """A name in a formula."""
    return assign(node(libsbml.AST_NAME), Name=name)


def power_node(name: str, power: float) -> Any:
    """A name to a power."""
    if power == 1:
        return symbol_node(name)
    if power == int(power):
        exponent = assign(node(libsbml.AST_INTEGER), Value=int(power))
    else:
        exponent = assign(node(libsbml.AST_REAL), Value=power)
    return node(libsbml.AST_FUNCTION_POWER, symbol_node(name), exponent)


def root_node(radicand: Any) -> Any:
    """The square root of a formula."""
    return node(libsbml.AST_FUNCTION_ROOT, assign(node(libsbml.AST_INTEGER), Value=2), radicand)
