"""Formulas of an SBML model as sums of monomials, with rules and volumes put in.

Constants keep their names, and those that follow from others their formulas, so that a number of
the model stays one number wherever it is read. A function of constants that is no monomial
(a logarithm, an exponent) is worked out once: what it reads is then a number everywhere
(`numbers`), and no more a constant that can be set, since one reader of it would not follow.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import reduce
from typing import Any

from crn_nn_tellurium.basics import free_id
from crn_nn_tellurium.chemistry import LITERAL, Expression, Monomial
from crn_nn_tellurium.errors import ReactionError
from crn_nn_tellurium.importers.sbml_functions import FUNCTIONS, NUMBERS
from crn_nn_tellurium.importers.sbml_symbols import (
    named_counts,
    own_numbers,
    per_size,
    symbols_read,
)
from crn_nn_tellurium.importers.sbml_trees import kind_of, moves, number_of, operands, text_of

Read = Callable[[str], float | None]

_ONE = Expression((Monomial(1.0),))
_MINUS_ONE = Expression((Monomial(-1.0),))
_MAX_POWER = 9  # the highest power of a sum that is multiplied out


class Formulas:
    """What the symbols of a model stand for; `origin` names it in errors.

    `numbers` are constants that are to be read as numbers, `lone` species that nothing changes and
    that are to be constants like others; both grow as formulas are read, and whoever reads them
    starts again until they do not.
    """

    def __init__(self, model: Any, origin: str, numbers: set[str], lone: set[str]) -> None:
        self.origin = origin
        self.numbers, self.lone = numbers, lone
        self.values: dict[str, float] = {}  # of what stays constant, as far as it was asked for
        self.volume: dict[str, float] = {}  # of each species' compartment
        self.in_amounts: set[str] = set()  # species whose symbols stand for amounts
        self.held: set[str] = set()  # species that nothing changes
        self.starts: dict[str, float | None] = {}  # at the start, of what changes too
        self.notes: list[str] = []  # what is to be warned of
        self.sums: dict[Expression, str] = {}  # constants that stand for sums of others
        self._formulas: dict[str, Expression] = {}
        self._constant: dict[str, bool] = {}
        self._open: list[str] = []  # rules that are being put in, to find circles
        # libSBML finds an element by its name in time linear in their number
        self.species = {s.getId(): s for s in model.getListOfSpecies()}
        self.parameters = {p.getId(): p for p in model.getListOfParameters()}
        self.compartments = {c.getId(): c for c in model.getListOfCompartments()}
        # one that holds nothing is a parameter in all but its name, and may change
        full = {species.getCompartment() for species in self.species.values()}
        self.parameters |= {k: self.compartments.pop(k) for k in {*self.compartments} - full}
        # in Level 3 a stoichiometric number has a name, which laws, rules and assignments may have
        self.parameters |= named_counts(model)
        self._own = own_numbers(model)
        # the name of a reaction stands for its rate
        laws = {r.getId(): r.getKineticLaw() for r in model.getListOfReactions()}
        self.laws = {k: law.getMath() for k, law in laws.items() if law and law.isSetMath()}
        every = [rule for rule in model.getListOfRules() if rule.isSetMath()]
        rules = {rule.getVariable(): rule for rule in every if not rule.isAlgebraic()}
        # formulas of assignment rules, by variable
        self.assigned = {k: rule.getMath() for k, rule in rules.items() if rule.isAssignment()}
        self.moving = {k: rule.getMath() for k, rule in rules.items() if rule.isRate()}
        self.at_start = {
            a.getSymbol(): a.getMath() for a in model.getListOfInitialAssignments() if a.isSetMath()
        }
        self.taken = {*laws}
        self.taken |= {*self.parameters, *self.species, *self.compartments, *self.assigned}
        for name in self.compartments:
            if name in rules and not self.is_constant(name):
                changes = f"the size of compartment {name!r} changes"
                raise self.refusal(f"{changes}; expected constant volumes")
            if name not in rules and name not in self.at_start:
                self.numbers.add(name)
        self._read_species()

    def _read_species(self) -> None:
        """Volumes, and what stands for amounts."""
        for name, species in self.species.items():
            home = species.getCompartment()
            if home not in self.compartments:
                raise self.refusal(f"species {name!r} is in {home!r}; expected a compartment")
            size = self._size(home)
            unmoved = species.getConstant() or species.getBoundaryCondition()
            if unmoved and name not in self.assigned and name not in self.moving:
                self.held.add(name)
            if species.getHasOnlySubstanceUnits():
                self.in_amounts.add(name)
            if name not in self.assigned and name not in self.lone:
                self.volume[name] = size
        for name, parameter in self.parameters.items():
            if LITERAL in parameter.getNotesString():
                self.numbers.add(name)
            # what a rate rule changes is a species in all but its name
            if name in self.moving:
                self.volume[name] = 1.0

    def _size(self, name: str) -> float:
        """The size of a compartment; what it follows from is a number from then on."""
        if name in self.at_start or name in self.assigned:
            self._freeze(name)
        size = self.value(name)
        if size is None or not 0 < size < math.inf:
            raise self.refusal(f"compartment {name!r} has the size {size!r}; expected > 0")
        return size

    def size_of(self, species: str) -> float:
        """The volume that a species is in; of what is no species, 1."""
        found = self.species.get(species)
        return 1.0 if found is None else self._size(found.getCompartment())

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
            if isinstance(error, ReactionError):
                if str(error).startswith(repr(self.origin)):
                    raise
                raise self.refusal(f"{what}: {error}") from error
            raise self.refusal(f"{what} has no finite value ({error})") from error

    # Numbers --------------------------------------------------------------------------------------

    def value(self, name: str) -> float | None:
        """The value of what stays constant, NaN where it has none; else None."""
        if name in self.values:
            return self.values[name]
        node = self.assigned.get(name, self.at_start.get(name))
        found: float | None
        if name in self.volume and name not in self.held:
            return None
        if node is None:
            found = self.given(name)
        elif name in self.assigned and moves(node):
            return None
        else:
            self._check_still(node, f"the value of {name!r}")
            with self._entered(name), self.calculating(f"the value of {name!r}"):
                found = self._number(node, self.value)
            if name not in self.assigned and not all(map(self.is_constant, symbols_read(node))):
                found = self.start_number(name)
        if found is not None:
            self.values[name] = found
        return found

    def start_number(self, name: str) -> float | None:
        """What an initial assignment gives, as a number that follows nothing any more."""
        start, node = self._start(name), self.at_start[name]
        if start is not None:
            self._freeze(name)
            self.notes.append(
                f"the start of {name!r} is {text_of(node)}, which is taken as the number {start!r};"
                " it does not follow the starts that it reads"
            )
        return start

    def _start(self, name: str) -> float | None:
        if name not in self.starts:
            node = self.assigned.get(name, self.at_start.get(name, self.laws.get(name)))
            if node is None:
                self.starts[name] = self.given(name)
            else:
                self._check_still(node, f"the start of {name!r}")
                with self._entered(name), self.calculating(f"the start of {name!r}"):
                    self.starts[name] = self._number(node, self._start)
        return self.starts[name]

    def given(self, name: str) -> float | None:
        """The number that an element has of its own, as its symbol is read."""
        power = per_size(self.species[name]) if name in self.species else 0
        number = self._own.get(name)
        if number is None or not power:
            return number
        return number * self.size_of(name) if power > 0 else number / self.size_of(name)

    def _number(self, node: Any, read: Read) -> float | None:
        """The value of a formula in what stays constant, else None."""
        kind = kind_of(node)
        if kind == "number":
            return number_of(node)
        if kind in NUMBERS:
            return NUMBERS[kind]
        if kind == "name":
            return read(node.getName())
        if kind == "piecewise":
            # pieces that do not hold may have no value
            return self._piece([node.getChild(i) for i in range(node.getNumChildren())], read)
        if kind not in FUNCTIONS:
            return None
        parts = [self._number(part, read) for part in operands(node, kind)]
        known = [part for part in parts if part is not None]
        if len(known) < len(parts):
            return None
        # what has no value gives none: to max and to < it would be a number
        return math.nan if any(map(math.isnan, known)) else float(FUNCTIONS[kind](*known))

    def _piece(self, parts: list[Any], read: Read) -> float | None:
        for piece, condition in zip(parts[::2], parts[1::2], strict=False):
            holds = self._number(condition, read)
            if holds is None or math.isnan(holds):
                return holds
            if holds:
                return self._number(piece, read)
        if len(parts) % 2:
            return self._number(parts[-1], read)
        raise ValueError("no piece of its piecewise holds")

    def constant(self, name: str, what: str) -> float:
        """The value of a constant that is needed."""
        value = self.value(name)
        value = math.nan if value is None else value
        if not math.isfinite(value):
            missing = "no value" if math.isnan(value) else f"the value {value!r}"
            raise self.refusal(
                f"{what}: parameter {name!r} has {missing}; expected a finite number"
            )
        return value

    def number(self, node: Any, what: str) -> float | None:
        """A formula in constants as a number, which they are from then on; None where it reads
        what moves.
        """
        with self.calculating(what):
            self._check_still(node, what)
            value = self._number(node, self.value)
            if value is None:
                return None
            if math.isnan(value):
                for name in symbols_read(node):
                    self.constant(name, what)
            for name in symbols_read(node):
                self._freeze(name)
            return value

    def number_of(self, name: str, what: str) -> float | None:
        """The value of what stays constant, as a number; else None."""
        with self.calculating(what):
            value = self.value(name)
        if value is not None:
            self._freeze(name)
        return value

    def _freeze(self, name: str) -> None:
        """What is read as a number is one everywhere, and so is what it follows from."""
        if name in self.numbers or (name in self.volume and name not in self.held):
            return
        self.numbers.add(name)
        if name in self.held:
            self.lone.add(name)
        node = self.assigned.get(name, self.at_start.get(name))
        for read in () if node is None else symbols_read(node):
            self._freeze(read)

    # Monomials ------------------------------------------------------------------------------------

    def expression(self, node: Any, what: str) -> Expression:
        """A formula as a sum of monomials, rules and volumes put in; `what` names it in errors."""
        self._check_still(node, what)
        with self.calculating(what):
            return self._plain(node, what).collected()

    def _check_still(self, node: Any, what: str) -> None:
        if moves(node):
            reads = f"{text_of(node)} reads the time, a delay or a rate of change"
            raise self.refusal(f"{what}: {reads}; expected mass action")

    def _plain(self, node: Any, what: str) -> Expression:
        kind = kind_of(node)
        parts = operands(node, kind)
        if kind == "number":
            return Expression((Monomial(number_of(node)),))
        if kind in NUMBERS:
            return Expression((Monomial(NUMBERS[kind]),))
        if kind == "name":
            return self.symbol(node.getName(), what)
        if kind == "plus":
            return Expression(tuple(t for part in parts for t in self._plain(part, what).terms))
        if kind == "minus":
            first, *rest = (self._plain(part, what) for part in parts)
            return first + _MINUS_ONE * rest[0] if rest else _MINUS_ONE * first
        if kind == "times":
            return reduce(Expression.__mul__, (self._plain(part, what) for part in parts), _ONE)
        if kind == "divide":
            return self._plain(parts[0], what) * self._power(parts[1], -1.0, node, what)
        if kind in ("power", "pow"):
            return self._power(parts[0], self._exponent(parts[1], node, what), node, what)
        if kind in ("root", "sqrt"):
            degree = self._exponent(parts[0], node, what) if len(parts) == 2 else 2.0
            return self._power(parts[-1], 1 / degree, node, what)
        return Expression((Monomial(self._fixed(node, node, what)),))

    def _exponent(self, exponent: Any, node: Any, what: str) -> float:
        return self._fixed(exponent, node, what)

    def _fixed(self, part: Any, node: Any, what: str) -> float:
        found = self.number(part, what)
        if found is None:
            raise self._no_monomials(node, what)
        return found

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
        moving = {s for s in expression.symbols if not self.is_constant(s)}
        if len(expression.terms) > 1 and moving <= self.held:
            # a species that nothing changes is a constant, and those have any power
            self.lone |= moving
            return Expression((Monomial(1.0, ((self.sum_of(expression, what), power),)),))
        return Expression((Monomial(self._fixed(node, node, what)),))

    def sum_of(self, expression: Expression, what: str) -> str:
        """A constant of its own for a sum of constants, which then has powers as others have."""
        if expression not in self.sums:
            name = free_id("sum", self.taken)
            known = {s: self.constant(s, what) for s in expression.symbols}
            self.values[name] = float(expression.evaluate(known))
            self.sums[expression], self._formulas[name] = name, expression
        return self.sums[expression]

    def _no_monomials(self, node: Any, what: str) -> ReactionError:
        return self.refusal(
            f"{what}: {text_of(node)} is not a sum of terms k * A^a * B^b, so not mass action;"
            " write it as elementary steps (an enzyme, say, as E + S <-> ES -> E + P)"
        )

    @contextmanager
    def _entered(self, name: str) -> Iterator[None]:
        """While the formula of a symbol is read: one that comes to itself is refused."""
        if name in self._open:
            circle = " -> ".join([*self._open[self._open.index(name) :], name])
            raise self.refusal(f"rules and assignments go in a circle: {circle}; give one a number")
        self._open.append(name)
        try:
            yield
        finally:
            self._open.pop()

    def symbol(self, name: str, what: str) -> Expression:
        """What a symbol stands for."""
        if name in self.compartments:
            self._freeze(name)
        if name in self.numbers:
            return Expression((Monomial(self.constant(name, what)),))
        put_in = self.laws.get(name, self.assigned.get(name))
        if put_in is not None and not self.is_constant(name):
            self._check_still(put_in, what)
            with self._entered(name):
                return self._plain(put_in, what)
        if name in self.volume:
            size = self.volume[name] if name in self.in_amounts else 1.0
            return Expression((Monomial(size, ((name, 1.0),)),))
        if name in self.species or name in self.parameters:
            return Expression((Monomial(1.0, ((name, 1.0),)),))
        raise self.refusal(f"{what} reads {name!r}; expected species and parameters")

    def is_constant(self, name: str) -> bool:
        """Whether it is a constant, by itself or by its formula; a held species is a species."""
        if name not in self._constant:
            self._constant[name] = self._is_constant(name)
        return self._constant[name]

    def _is_constant(self, name: str) -> bool:
        node = self.assigned.get(name)
        if node is None:
            is_species = name in self.species and name not in self.lone
            return not (is_species or name in self.moving or name in self.laws)
        if moves(node):
            return False
        with self._entered(name):
            return all(self.is_constant(read) for read in symbols_read(node))

    def formula(self, name: str) -> Expression | None:
        """The formula of a constant in others; None where it is a number by itself."""
        node = self.assigned.get(name, self.at_start.get(name))
        follows = node is not None and all(map(self.is_constant, symbols_read(node)))
        if follows and name not in self._formulas:
            self._formulas[name] = self.expression(node, f"the value of {name!r}")
        found = self._formulas.get(name)
        return found if found is not None and any(found.symbols) else None


def divided(expression: Expression, number: float) -> Expression:
    terms = expression.terms
    return Expression(tuple(Monomial(term.coefficient / number, term.powers) for term in terms))
