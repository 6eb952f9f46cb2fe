"""What a mass-action network is made of: species, reactions, observables."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from crn_nn_tellurium.basics import (
    brief,
    is_real,
    real_number,
    truth,
)
from crn_nn_tellurium.chemistry.expressions import Expression
from crn_nn_tellurium.errors import ReactionError


@dataclass(frozen=True, slots=True)
class Species:
    """A chemical species.

    Parameters
    ----------
    id : str
        Identifier: letters, digits and underscores.
    initial : float or Expression
        Initial concentration, or a formula for it in rate constants and species listed earlier.
    boundary : bool
        Whether the concentration is held constant from outside.
    name : str
        A readable name; no effect on the mathematics.

    Raises
    ------
    ReactionError
        If the initial concentration is negative or not finite, or `boundary` not True or False.

    Examples
    --------
    >>> Species("X", 0.5, boundary=True)
    Species(id='X', initial=0.5, boundary=True, name='')
    """

    id: str
    initial: float | Expression = 0.0
    boundary: bool = False
    name: str = ""

    def __post_init__(self) -> None:
        held = truth(f"species {self.id!r}: boundary", self.boundary, ReactionError)
        object.__setattr__(self, "boundary", held)
        if isinstance(self.initial, Expression):
            return
        what = f"species {self.id!r}: initial concentration"
        object.__setattr__(
            self, "initial", real_number(what, self.initial, 0.0, error=ReactionError)
        )


Side = tuple[tuple[str, int], ...]
_MOST_MOLECULES = 10_000
"""Of one species on a side: some formats name each, and laws have their factorials."""


@dataclass(frozen=True, slots=True)
class Reaction:
    """An irreversible mass-action reaction.

    Parameters
    ----------
    id : str
        Identifier of the reaction.
    substrates, products : mapping, iterable of pairs, or iterable of str
        Species and how many molecules of each: ``{"X": 1, "Y": 2}``, or ``("X", "Y", "Y")``.
        A catalyst stands on both sides.
    rate_constant : str
        Identifier of the rate constant; reactions of one order may share one.
    value : float
        Its value, finite and >= 0.
    name : str
        A readable name; no effect on the mathematics.
    sign : {0, 1, -1}
        Of a rate constant that is the size of a signed number, of a weight say, the sign of that
        number; else 0. No effect on the mathematics, as the reaction already goes the right way.

    Raises
    ------
    ReactionError
        If the value, the sign or a stoichiometric number is not what mass action allows.

    Examples
    --------
    >>> Reaction("J1", ("X", "Y"), {"X": 1, "Y": 2}, "w", 1.5)
    Reaction('J1: X + Y => X + 2 Y', rate constant w = 1.5)
    """

    id: str
    substrates: Side
    products: Side
    rate_constant: str
    value: float
    name: str = ""
    sign: int = field(default=0, compare=False)  # how a text may write k, not what reacts

    # written out, since it takes sides in more ways than it keeps
    def __init__(
        self,
        id: str,
        substrates: Mapping[str, int] | Iterable[str] | Iterable[tuple[str, int]],
        products: Mapping[str, int] | Iterable[str] | Iterable[tuple[str, int]],
        rate_constant: str,
        value: float,
        name: str = "",
        sign: int = 0,
    ) -> None:
        what = f"reaction {id!r}: rate constant {rate_constant!r}"
        value = real_number(what, value, 0.0, error=ReactionError)
        if not is_real(sign) or sign not in (0, 1, -1):
            raise ReactionError(
                f"reaction {id!r}: the sign of {rate_constant!r} is {sign!r}; expected 1 or -1, of"
                " the number that it is the size of, or 0"
            )
        for attribute, content in (
            ("id", id),
            ("substrates", _side(id, substrates)),
            ("products", _side(id, products)),
            ("rate_constant", rate_constant),
            ("value", value),
            ("name", name),
            ("sign", int(sign)),
        ):
            object.__setattr__(self, attribute, content)

    @property
    def order(self) -> int:
        """How many molecules meet in the reaction."""
        return sum([count for _, count in self.substrates])

    @property
    def gain(self) -> int:
        """How many molecules more it makes than it takes."""
        return sum(self.net.values())

    @property
    def net(self) -> dict[str, int]:
        """Molecules of each species that it makes, less those that it takes; of a catalyst, 0.

        Examples
        --------
        >>> import crn_nn_tellurium as cn
        >>> cn.Reaction("J", ("A", "B"), ("A", "B", "B"), "k", 2.0).net
        {'A': 0, 'B': 1}
        """
        net = dict(self.products)
        for species, count in self.substrates:
            net[species] = net.get(species, 0) - count
        return net

    @property
    def equation(self) -> str:
        """The reaction as Antimony writes it: ``X + Y => X + 2 Y``.

        Examples
        --------
        >>> import crn_nn_tellurium as cn
        >>> cn.Reaction("J", ("A", "B"), ("A", "B", "B"), "k", 2.0).equation
        'A + B => A + 2 B'
        """
        return f"{_side_text(self.substrates)} => {_side_text(self.products)}".strip()

    def catalytic_sides(self, held: Iterable[str]) -> tuple[Side, Side]:
        """Both sides, species that are held constant on the right as many times as on the left.

        For what holds no species constant: a catalyst is as constant. Held species that are only
        made are left out.
        """
        held = set(held)
        before = {s: n for s, n in self.substrates if s in held}
        after = {s: n for s, n in self.products if s in held}
        if before == after:
            return self.substrates, self.products
        made = tuple((s, n) for s, n in self.products if s not in held)
        return self.substrates, (*before.items(), *made)

    def __repr__(self) -> str:
        return (
            f"Reaction('{self.id}: {self.equation}', rate constant {self.rate_constant} ="
            f" {self.value!r})"
        )


def _side(reaction: str, side: Any) -> Side:
    counts: dict[str, int] = {}
    if isinstance(side, str) or not isinstance(side, Iterable):
        raise ReactionError(
            f"reaction {reaction!r}: a side is {side!r}; expected species, ('X', 'Y') or {{'X': 1}}"
        )
    for item in side.items() if isinstance(side, Mapping) else side:
        pair = (item, 1) if isinstance(item, str) else item
        if not (isinstance(pair, tuple | list) and len(pair) == 2 and isinstance(pair[0], str)):
            raise ReactionError(
                f"reaction {reaction!r}: {brief(item)} among a side's species; expected a name, or"
                " a pair of a name and a number"
            )
        species, count = pair
        if not is_real(count) or not 1 <= count < math.inf or count != int(count):
            raise ReactionError(
                f"reaction {reaction!r}: {species!r} is taken {count!r} times; expected 1, 2, ..."
            )
        counts[species] = counts.get(species, 0) + int(count)
        if counts[species] > _MOST_MOLECULES:
            raise ReactionError(
                f"reaction {reaction!r}: {species!r} is taken {counts[species]} times; expected at"
                f" most {_MOST_MOLECULES}"
            )
    return tuple(counts.items())


def _side_text(side: Side) -> str:
    return " + ".join(species if count == 1 else f"{count} {species}" for species, count in side)


@dataclass(frozen=True, slots=True)
class Observable:
    """A named function of the species, what an experiment reads: an assignment rule in SBML.

    Examples
    --------
    >>> import crn_nn_tellurium as cn
    >>> terms = (cn.Monomial(1.0, (("A", 1),)), cn.Monomial(1.0, (("B", 1),)))
    >>> total = cn.Observable("total", cn.Expression(terms))
    >>> total.expression.evaluate({"A": 1.0, "B": 2.0})
    3.0
    """

    id: str
    expression: Expression
    name: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.expression, Expression):
            raise ReactionError(
                f"observable {self.id!r}: its formula is {brief(self.expression)}; expected an"
                " Expression, of a Monomial or more"
            )
