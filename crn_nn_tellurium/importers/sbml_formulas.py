"""Formulas of an SBML model as sums of monomials, with rules, volumes and constants put in."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import reduce
from typing import Any

import libsbml

from crn_nn_tellurium.chemistry import Expression, Monomial
from crn_nn_tellurium.errors import ReactionError

_ONE = Expression((Monomial(1.0),))
# of constants alone, which become numbers
_FUNCTIONS: dict[str, Callable[[float], float]] = {"exp": math.exp, "ln": math.log, "abs": abs}
_NUMBERS = {"pi": math.pi, "exponentiale": math.e}
_MAX_POWER = 9  # the highest power of a sum that is multiplied out


class Formulas:
    """What the symbols of a model stand for; `origin` names it in errors."""

    def __init__(self, model: Any, origin: str) -> None:
        self.model = model
        self.origin = origin
        self.values: dict[str, float] = {}  # of what stays constant: parameters, compartments
        self.volume: dict[str, float] = {}  # of each species' compartment
        self.in_amounts: set[str] = set()  # species whose symbols stand for amounts
        self._open: list[str] = []  # rules that are being put in, to find circles
        every = self.model.getListOfRules()
        rules = {rule.getVariable(): rule for rule in every if not rule.isAlgebraic()}
        # formulas of assignment rules, by variable
        self.assigned = {k: rule.getMath() for k, rule in rules.items() if rule.isAssignment()}
        for compartment in self.model.getListOfCompartments():
            name = compartment.getId()
            if name in rules:
                changes = f"the size of compartment {name!r} changes"
                raise self.refusal(f"{changes}; expected constant volumes")
            self.values[name] = compartment.getSize() if compartment.isSetSize() else 1.0
        for parameter in self.model.getListOfParameters():
            name = parameter.getId()
            if name in rules and rules[name].isRate():
                raise self.refusal(f"parameter {name!r} has a rate rule; expected one of a species")
            if name not in rules and parameter.isSetValue():
                self.values[name] = parameter.getValue()
        self._assign_constants()
        for species in self.model.getListOfSpecies():
            name = species.getId()
            if name in self.assigned:
                raise self.refusal(
                    f"species {name!r} has an assignment rule; expected reactions that make it"
                )
            size = self.values.get(species.getCompartment(), 1.0)
            if not 0 < size < math.inf:
                raise self.refusal(
                    f"compartment {species.getCompartment()!r} has the size {size!r}; expected > 0"
                )
            self.volume[name] = size
            if species.getHasOnlySubstanceUnits():
                self.in_amounts.add(name)

    def _assign_constants(self) -> None:
        """Initial assignments of constants."""
        constants = {c.getId() for c in self.model.getListOfCompartments()}
        constants |= {p.getId() for p in self.model.getListOfParameters()}
        open_ = {
            assignment.getSymbol(): assignment.getMath()
            for assignment in self.model.getListOfInitialAssignments()
            if assignment.getSymbol() in constants and assignment.getMath() is not None
        }
        # they may read one another in any order, so until all are known, or none more gets known
        for name in open_:
            self.values.pop(name, None)
        while open_:
            known = {}
            for name, node in open_.items():
                value = self.number(self.expression(node, f"the value of {name!r}"))
                if value is not None:
                    known[name] = value
            if not known:
                name, node = next(iter(open_.items()))
                raise self.refusal(
                    f"the value of {name!r} is {text_of(node)}; expected a formula in constants"
                )
            self.values |= known
            open_ = {name: node for name, node in open_.items() if name not in known}

    def refusal(self, message: str) -> ReactionError:
        """An error that names the model."""
        return ReactionError(f"{self.origin!r}: {message}")

    @contextmanager
    def calculating(self, what: str) -> Iterator[None]:
        """Arithmetic that may leave the numbers: division by zero, overflow, root of a negative."""
        try:
            yield
        except RecursionError as error:
            raise self.refusal(
                f"{what}: the formula is nested too deeply; write its sum as several reactions"
            ) from error
        except (ArithmeticError, TypeError, ValueError) as error:
            # a refusal of ours is a ValueError too
            if isinstance(error, ReactionError) and str(error).startswith(repr(self.origin)):
                raise
            raise self.refusal(f"{what} has no finite value ({error})") from error

    def number(self, expression: Expression) -> float | None:
        """The value of an expression in known constants alone, else None."""
        if any(symbol not in self.values for symbol in expression.symbols):
            return None
        return float(expression.evaluate(self.values))

    def constant(self, name: str, what: str) -> float:
        """The value of a constant that is needed."""
        value = self.values.get(name, math.nan)
        if not math.isfinite(value):
            missing = "no value" if math.isnan(value) else f"the value {value!r}"
            raise self.refusal(
                f"{what}: parameter {name!r} has {missing}; expected a finite number"
            )
        return value

    def expression(self, node: Any, what: str) -> Expression:
        """A formula as a sum of monomials, rules and volumes put in; `what` names it in errors."""
        # in a tree of libSBML such a symbol looks like any other name
        if "<csymbol" in libsbml.writeMathMLToString(node):
            reads = f"{text_of(node)} reads the time or a constant of nature"
            raise self.refusal(f"{what}: {reads}; expected mass action")
        with self.calculating(what):
            return self._plain(node, what).collected()

    def _plain(self, node: Any, what: str) -> Expression:
        kind = _kind(node)
        parts = _operands(node, kind)
        if kind == "number":
            return Expression((Monomial(float(node.getValue())),))
        if kind in _NUMBERS:
            return Expression((Monomial(_NUMBERS[kind]),))
        if kind == "name":
            return self._symbol(node.getName(), what)
        if kind == "plus":
            return Expression(tuple(t for part in parts for t in self._plain(part, what).terms))
        if kind == "minus":
            first, *rest = (self._plain(part, what) for part in parts)
            minus = Expression((Monomial(-1.0),))
            return first + minus * rest[0] if rest else minus * first
        if kind == "times":
            return reduce(Expression.__mul__, (self._plain(part, what) for part in parts), _ONE)
        if kind == "divide":
            return self._plain(parts[0], what) * self._power(parts[1], -1.0, node, what)
        if kind in ("power", "pow"):
            return self._power(parts[0], self._exponent(parts[1], node, what), node, what)
        if kind in ("root", "sqrt"):
            degree = self._exponent(parts[0], node, what) if len(parts) == 2 else 2.0
            return self._power(parts[-1], 1 / degree, node, what)
        argument = self.number(self._plain(parts[0], what)) if kind in _FUNCTIONS else None
        if argument is not None:
            return Expression((Monomial(_FUNCTIONS[kind](argument)),))
        raise self._no_monomials(node, what)

    def _exponent(self, exponent: Any, node: Any, what: str) -> float:
        value = self.number(self._plain(exponent, what))
        if value is None:
            raise self._no_monomials(node, what)
        return value

    def _power(self, base: Any, power: float, node: Any, what: str) -> Expression:
        expression = self._plain(base, what).collected()
        whole = power == int(power)
        # (c A^a)^p = c^p A^(a p), where c^p is real
        if len(expression.terms) == 1 and (whole or expression.terms[0].coefficient > 0):
            return Expression((expression.terms[0] ** power,))
        if whole and 0 <= power <= _MAX_POWER:
            # like terms are added after every factor: (a + b + c + d)^9 has 220 terms, not 4^9
            result = _ONE
            for _ in range(int(power)):
                result = (result * expression).collected()
            return result
        value = self.number(expression)
        if value is not None:
            return Expression((Monomial(value**power),))
        raise self._no_monomials(node, what)

    def _no_monomials(self, node: Any, what: str) -> ReactionError:
        return self.refusal(
            f"{what}: {text_of(node)} is not a sum of terms k * A^a * B^b, so not mass action;"
            " write it as elementary steps (an enzyme, say, as E + S <-> ES -> E + P)"
        )

    def _symbol(self, name: str, what: str) -> Expression:
        if name in self.assigned:
            if name in self._open:
                raise self.refusal(
                    f"assignment rules go in a circle: {' -> '.join([*self._open, name])}"
                )
            self._open.append(name)
            try:
                return self._plain(self.assigned[name], what)
            finally:
                self._open.pop()
        if name in self.in_amounts:
            return Expression((Monomial(self.volume[name], ((name, 1.0),)),))
        if self.model.getCompartment(name) is not None and name in self.values:
            return Expression((Monomial(self.values[name]),))
        if any(find(name) is not None for find in (self.model.getSpecies, self.model.getParameter)):
            return Expression((Monomial(1.0, ((name, 1.0),)),))
        raise self.refusal(f"{what} reads {name!r}; expected species and parameters")

    def with_numbers(self, expression: Expression, known: set[str], what: str) -> Expression:
        """The expression with numbers for constants that are not among the known ones."""
        terms = []
        with self.calculating(what):
            for term in expression.terms:
                kept = Monomial(term.coefficient)
                for symbol, power in term.powers:
                    if symbol in known or symbol in self.volume:
                        # rate constants are positive in a network; the sign of one that is negative
                        # in the model goes to the number of the term
                        sign = Monomial(-1.0 if self.values.get(symbol, 0.0) < 0 else 1.0)
                        kept *= sign**power * Monomial(1.0, ((symbol, power),))
                    else:
                        kept *= Monomial(self.constant(symbol, what)) ** power
                terms.append(kept)
        return Expression(tuple(terms))


def divided(expression: Expression, number: float) -> Expression:
    terms = expression.terms
    return Expression(tuple(Monomial(term.coefficient / number, term.powers) for term in terms))


def _operands(node: Any, kind: str) -> list[Any]:
    """What a node is over; sums of sums are one, products of products too."""
    # without recursion: libSBML nests a sum of n terms n deep, beyond what Python's stack holds
    found: list[Any] = []
    open_ = [node.getChild(i) for i in reversed(range(node.getNumChildren()))]
    while open_:
        part = open_.pop()
        if kind in ("plus", "times") and _kind(part) == kind:
            open_ += [part.getChild(i) for i in reversed(range(part.getNumChildren()))]
        else:
            found.append(part)
    return found


def _kind(node: Any) -> str:
    """A node's kind, by name: with libSEDML imported after libSBML, types are no numbers."""
    if node.isNumber():
        return "number"
    if node.isConstant():
        return str(node.getName())
    if node.isName():
        return "name"
    return str(node.getOperatorName() if node.isOperator() else node.getName())


def text_of(node: Any) -> str:
    return str(libsbml.formulaToL3String(node))
