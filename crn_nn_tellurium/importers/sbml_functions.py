"""Functions of SBML's MathML as numbers, for formulas of constants alone."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from functools import reduce
from itertools import pairwise

NUMBERS = {
    "pi": math.pi,
    "exponentiale": math.e,
    "true": 1.0,
    "false": 0.0,
    "avogadro": 6.02214179e23,  # the value that SBML gives it
    "infinity": math.inf,
    "notanumber": math.nan,
}


_MOST_FACTORS = 170


def _chain(holds: Callable[[float, float], bool]) -> Callable[..., float]:
    """A comparison, which in MathML may go on: a < b < c."""
    return lambda *values: float(all(holds(a, b) for a, b in pairwise(values)))


def _factorial(n: float) -> float:
    if n != int(n):
        raise ValueError(f"factorial of {n!r}")
    # beyond any double Python would go on multiplying, for hours
    return float(math.factorial(int(n))) if n <= _MOST_FACTORS else math.inf


def _logarithm(base: float, value: float) -> float:
    """MathML's log, whose base libSBML adds where it is left out."""
    # log10 is exact at powers of ten, as a quotient of logarithms is not
    return math.log10(value) if base == 10 else math.log(value) / math.log(base)


def _minus(*values: float) -> float:
    return values[0] - values[1] if len(values) == 2 else -values[0]


def _quotient(a: float, b: float) -> float:
    return float(math.trunc(a / b))


def _root(*values: float) -> float:
    degree, value = values if len(values) == 2 else (2.0, values[0])
    return math.sqrt(value) if degree == 2 else math.pow(value, 1 / degree)


def _reciprocal(function: Callable[[float], float]) -> Callable[[float], float]:
    return lambda x: 1 / function(x)


def _of_reciprocal(function: Callable[[float], float]) -> Callable[[float], float]:
    return lambda x: function(1 / x)


_ONE: dict[str, Callable[..., float]] = {
    "abs": abs,
    "exp": math.exp,
    "ln": math.log,
    "ceil": math.ceil,
    "floor": math.floor,
    "factorial": _factorial,
    "not": lambda x: float(not x),
}
_ONE |= {
    f"{arc}{name}{h}": getattr(math, f"{'a' * bool(arc)}{name}{h}")
    for arc in ("", "arc")
    for name in ("sin", "cos", "tan")
    for h in ("", "h")
}
# secant, cosecant, cotangent, by what they are one over
_OVER: dict[str, Callable[..., float]] = {
    f"{arc}{name}{h}": make(_ONE[f"{arc}{of}{h}"])
    for arc, make in (("", _reciprocal), ("arc", _of_reciprocal))
    for name, of in (("sec", "cos"), ("csc", "sin"), ("cot", "tan"))
    for h in ("", "h")
}
_SEVERAL: dict[str, Callable[..., float]] = {
    "plus": lambda *values: math.fsum(values),
    "times": lambda *values: math.prod(values),
    "minus": _minus,
    "divide": operator.truediv,
    "power": math.pow,
    "root": _root,
    "log": _logarithm,
    "max": max,
    "min": min,
    "quotient": _quotient,
    "rem": math.fmod,
    "and": lambda *values: float(all(values)),
    "or": lambda *values: float(any(values)),
    "xor": lambda *values: float(reduce(operator.xor, map(bool, values), False)),
    "implies": lambda a, b: float(not a or bool(b)),
    "eq": _chain(operator.eq),
    "neq": _chain(operator.ne),
    "lt": _chain(operator.lt),
    "leq": _chain(operator.le),
    "gt": _chain(operator.gt),
    "geq": _chain(operator.ge),
}
FUNCTIONS = _ONE | _OVER | _SEVERAL | {"pow": math.pow, "sqrt": _root, "ceiling": math.ceil}
