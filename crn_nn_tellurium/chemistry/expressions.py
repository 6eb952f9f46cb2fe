"""Sums of monomials in species and rate constants: read-outs and start values.

General enough for every observable and start value that we write, plain enough for every format and
simulator to hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

from crn_nn_tellurium.basics import (
    all_of_kind,
    brief,
    check_kind,
    is_real,
)
from crn_nn_tellurium.errors import InputError, ReactionError

Values = Mapping[str, Any]
_MOST_TERMS = 20_000
"""Of a product that is multiplied out: one of 14 sums of two terms has nearly as many."""


@dataclass(frozen=True, slots=True)
class Monomial:
    """coefficient * prod(symbol ** power), a term of an `Expression`.

    Examples
    --------
    >>> Monomial(2.0, (("h", 0.5), ("x", 1.0))).evaluate({"h": 4.0, "x": 3.0})
    12.0
    """

    coefficient: float
    powers: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        # each symbol once, and none to the power 0: x x is x^2, for derivatives and sums of terms
        powers: dict[str, float] = {}
        try:
            good = is_real(self.coefficient)
            for symbol, power in self.powers:
                good = good and isinstance(symbol, str) and is_real(power) and isfinite(power)
                powers[symbol] = powers.get(symbol, 0.0) + float(power)
        except (TypeError, ValueError):
            good = False
        if not good:
            raise ReactionError(
                f"a term has the coefficient {brief(self.coefficient)} and the powers"
                f" {brief(self.powers)}; expected a number, and pairs of a symbol and a number"
            )
        # Python's own numbers: texts have their repr, and numpy's says np.float64(1.0)
        object.__setattr__(self, "coefficient", float(self.coefficient))
        object.__setattr__(self, "powers", tuple((s, p) for s, p in powers.items() if p != 0))
        if not isfinite(self.coefficient):
            raise ReactionError(
                f"a term in {dict(self.powers)} has the coefficient {self.coefficient!r}; expected"
                " finite"
            )

    def __repr__(self) -> str:
        return f"Monomial({_text(self)!r})"

    def evaluate(self, values: Values) -> Any:
        """The term's value, for numbers or arrays that broadcast."""
        result = self.coefficient
        for symbol, power in self.powers:
            result = result * (values[symbol] if power == 1 else values[symbol] ** power)
        return result

    def derivative(self, symbol: str) -> Monomial | None:
        """d term / d symbol; None where it is zero.

        Examples
        --------
        >>> Monomial(2.0, (("x", 3.0), ("k", 1.0))).derivative("x")
        Monomial('6*x^(2)*k')
        """
        check_kind("symbol", symbol, str)
        power = dict(self.powers).get(symbol, 0.0)
        if power == 0 or self.coefficient == 0:
            return None
        others = tuple((s, p - 1 if s == symbol else p) for s, p in self.powers)
        return Monomial(self.coefficient * power, others)

    def __mul__(self, other: Monomial) -> Monomial:
        """The product; symbols keep the order in which they come.

        Examples
        --------
        >>> Monomial(2.0, (("x", 1.0), ("k", 1.0))) * Monomial(3.0, (("x", 1.0), ("k", -1.0)))
        Monomial('6*x^(2)')
        """
        return Monomial(self.coefficient * other.coefficient, self.powers + other.powers)

    def __pow__(self, power: float) -> Monomial:
        return Monomial(self.coefficient**power, tuple((s, p * power) for s, p in self.powers))


@dataclass(frozen=True, slots=True)
class Expression:
    """A sum of monomials: what observables and initial concentrations are.

    Examples
    --------
    >>> import crn_nn_tellurium as cn
    >>> total = cn.Expression((cn.Monomial(1.0, (("A", 1),)), cn.Monomial(2.0, (("B", 2),))))
    >>> total.evaluate({"A": 3.0, "B": 0.5})
    3.5
    """

    terms: tuple[Monomial, ...]

    def __post_init__(self) -> None:
        terms = all_of_kind("terms of a sum", self.terms, Monomial, ReactionError)
        object.__setattr__(self, "terms", terms)

    def __repr__(self) -> str:
        return f"Expression({_text(*self.terms)!r})"

    def __add__(self, other: Expression) -> Expression:
        return Expression(self.terms + other.terms)

    def __mul__(self, other: Expression) -> Expression:
        if (n_terms := len(self.terms) * len(other.terms)) > _MOST_TERMS:
            raise ReactionError(
                f"a product of sums has {n_terms} terms when it is multiplied out; expected at most"
                f" {_MOST_TERMS}"
            )
        return Expression(tuple(a * b for a in self.terms for b in other.terms))

    def collected(self) -> Expression:
        """Terms in the same powers added, those that cancel left out.

        Examples
        --------
        >>> x, k = Monomial(2.0, (("x", 1.0),)), Monomial(1.0, (("k", 1.0),))
        >>> Expression((x, k, x, k * Monomial(-1.0))).collected()
        Expression('4*x')
        """
        if len(self.terms) == 1 and self.terms[0].coefficient != 0:
            return self
        found: dict[frozenset[tuple[str, float]], Monomial] = {}
        for term in self.terms:
            # x k is k x; the order in which symbols came first is the one that is written
            first = found.setdefault(frozenset(term.powers), replace(term, coefficient=0.0))
            total = first.coefficient + term.coefficient
            found[frozenset(term.powers)] = replace(first, coefficient=total)
        return Expression(tuple(term for term in found.values() if term.coefficient != 0))

    def evaluate(self, values: Values) -> Any:
        """The sum's value, for numbers or arrays that broadcast."""
        check_kind("values", values, Mapping, "{'A': 1.0} say")
        if missing := [symbol for symbol in self.symbols if symbol not in values]:
            raise InputError(f"values have no {missing[0]!r}; expected one for each symbol")
        return sum((term.evaluate(values) for term in self.terms), start=0.0)

    @property
    def symbols(self) -> Iterator[str]:
        """The identifiers that the expression reads."""
        return (symbol for term in self.terms for symbol, _ in term.powers)

    def derivative(self, symbol: str) -> Expression:
        """d expression / d symbol.

        Examples
        --------
        >>> square = Expression((Monomial(3.0, (("x", 2.0),)), Monomial(1.0)))
        >>> square.derivative("x").evaluate({"x": 5.0})
        30.0
        """
        check_kind("symbol", symbol, str)
        found = (term.derivative(symbol) for term in self.terms)
        return Expression(tuple(term for term in found if term is not None))


def _text(*terms: Monomial) -> str:
    """A sum as a formula."""
    from crn_nn_tellurium.chemistry.notation import formula  # which stands on this module

    return formula(Expression(terms))
