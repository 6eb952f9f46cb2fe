"""`Expression` as text, in the notation of the language that reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crn_nn_tellurium.chemistry.expressions import Expression, Monomial


@dataclass(frozen=True)
class Notation:
    """How a language writes formulas."""

    power: str = "^"
    root: str = "sqrt"
    factor: str = "{}"  # a number before symbols
    lone: str = "{}"  # a number that is a term by itself


PLAIN = Notation()
PYTHON = Notation(power="**")
KAPPA = Notation(root="[sqrt]")


def formula(
    expression: Expression, notation: Notation = PLAIN, names: Mapping[str, str] | None = None
) -> str:
    """A sum of monomials, terms over one denominator together; `names` stand for symbols.

    >>> driven = Monomial(2.0, (("w", 1.0), ("q", -1.0)))
    >>> formula(Expression((driven, Monomial(1.0, (("h", 0.5), ("q", -0.5))))))
    '2*w/q + sqrt(h/q)'
    """
    names = names or {}
    by_denominator: dict[tuple[str, ...], list[str]] = {}
    for term in expression.terms:
        numerator, denominator = _monomial(term, notation, names)
        by_denominator.setdefault(denominator, []).append(numerator)
    parts = []
    for denominator, numerators in by_denominator.items():
        text = signed_sum(numerators)
        parts.append(
            "/".join([f"({text})" if denominator and len(numerators) > 1 else text, *denominator])
        )
    return signed_sum(parts)


def number(value: float) -> str:
    """A number, a whole one without its point."""
    # large ones keep their exponent, 1e+20, which reads better than its digits
    return repr(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def signed_sum(parts: Sequence[str], empty: str = "0") -> str:
    """Terms joined by their signs, ``-a + b - c``; `empty` where there are none."""
    # the first may begin with its sign, those after it have theirs with spaces
    signed = (f"- {part[1:]}" if part.startswith("-") else f"+ {part}" for part in parts[1:])
    return " ".join([*parts[:1], *signed]) or empty


def _monomial(
    term: Monomial, notation: Notation, names: Mapping[str, str]
) -> tuple[str, tuple[str, ...]]:
    """Numerator and denominator."""
    factors: list[str] = []
    denominator: list[str] = []
    under_root: list[str] = []
    over_root: list[str] = []
    for symbol, power in term.powers:
        name = names.get(symbol, symbol)
        target = {1.0: factors, -1.0: denominator, 0.5: under_root, -0.5: over_root}.get(power)
        if target is None:
            factors.append(f"{name}{notation.power}({number(power)})")
        else:
            target.append(name)
    if under_root or over_root:
        factors.append(f"{notation.root}({'/'.join(['*'.join(under_root) or '1', *over_root])})")
    size = number(abs(term.coefficient))
    if not term.powers:
        factors = [notation.lone.format(size)]
    elif size != "1" or not factors:
        factors.insert(0, notation.factor.format(size))
    return ("-" if term.coefficient < 0 else "") + "*".join(factors), tuple(denominator)
