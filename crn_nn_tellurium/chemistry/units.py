"""Units: the equations are dimensionless until a concentration c0 and a time tau are chosen.

A concentration c of the model is c c0 in the tube, a time t is t tau. A rate constant k of a
reaction of order n then is k c0^(1 - n) / tau: k c0 / tau for what arises from nothing, k / tau for
one molecule, k / (c0 tau) for two that meet. The last kind has a ceiling in the tube, about 1e6
/M/s for DNA strand displacement (Zhang and Winfree, JACS 131 (2009) 17303, doi 10.1021/ja906987s),
and so every network has a fastest tau: `fastest_units`.

`PhysicalUnits` convert, and `MODEL_UNITS` leave all numbers as they are and say so: writers, plots
and results are written against `Units`, and ask neither which of the two they have.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar, get_args

from crn_nn_tellurium.basics import (
    brief,
    check_choice,
    check_kind,
    check_positive,
    real_number,
    real_numbers,
    whole_number,
)
from crn_nn_tellurium.errors import InputError

NANOMOLAR_PER_MOLAR = 1e9
Concentration = Literal["nM", "M"]
BaseUnit = tuple[str, float, int]
"""One of SBML's base units, its power, and the power of ten of its scale."""
_Model = TypeVar("_Model", bound="_Convertible")
_CLOCK = (("s", 1.0, 120.0), ("min", 60.0, 7200.0), ("h", 3600.0, 172800.0))
"""Units of time, their size in s, and up to how many s they read best; days beyond."""


@dataclass(frozen=True)
class Dimension:
    """What a number measures: concentration ** a * time ** b."""

    concentration: float = 0
    time: float = 0

    @classmethod
    def rate_constant(cls, order: int) -> Dimension:
        """Of a rate constant, by how many molecules meet in its reactions; of a rate for 1."""
        n = whole_number("order", order, 0, "the number of molecules that meet: 0, 1 or 2")
        return cls(1 - n, -1)

    def __mul__(self, other: Dimension) -> Dimension:
        return Dimension(self.concentration + other.concentration, self.time + other.time)

    def __truediv__(self, other: Dimension) -> Dimension:
        return self * other**-1

    def __pow__(self, power: float) -> Dimension:
        return Dimension(self.concentration * power, self.time * power)


CONCENTRATION = Dimension(concentration=1)
TIME = Dimension(time=1)


class _Convertible(Protocol):
    """A `ReactionNetwork`, which imports this module and so cannot be imported here."""

    def in_units(self: _Model, units: Units) -> _Model: ...


class Units(ABC):
    """What the numbers of a network, a result or a picture are in."""

    c0: float  # what a concentration of 1 in the model is
    tau: float  # what a time of 1 is

    def convert(self, value: Any, dimension: Dimension) -> Any:
        """A number of the model, float, ndarray or Interval, in these units."""
        if isinstance(value, Sequence):  # times a number, it would be itself so many times
            value = real_numbers("value", value)
        try:
            # multiplied first, then divided by one unit at a time: so decimal digits are kept
            for unit, power in ((self.c0, dimension.concentration), (self.tau, dimension.time)):
                if power > 0:
                    value = value * unit**power
            for unit, power in ((self.tau, dimension.time), (self.c0, dimension.concentration)):
                if power < 0:
                    value = value / unit**-power
        except (TypeError, OverflowError) as error:
            raise InputError(f"got {brief(value)}; expected a number, or numbers") from error
        return value

    def revert(self, value: Any, dimension: Dimension) -> Any:
        """A number in these units as the model has it: `convert` undone, to the last digits."""
        return self.convert(value, dimension**-1)

    def concentration(self, c: Any) -> Any:
        """A concentration, or an output, of the model in these units."""
        return self.convert(c, CONCENTRATION)

    def time(self, t: Any) -> Any:
        """A time of the model in these units."""
        return self.convert(t, TIME)

    def rate_constant(self, k: Any, order: int) -> Any:
        """A rate constant of the model in these units, by how many molecules meet; a rate for 1."""
        return self.convert(k, Dimension.rate_constant(order))

    def of(self, crn: _Model) -> _Model:
        """A network of the model's numbers, with all of them in these units.

        Rate constants are converted by their order, start values and held concentrations, and
        formulas keep their form: each coefficient takes what its symbols' units leave, so that
        start values are concentrations. So are read-outs: their values are multiplied by c0.

        Parameters
        ----------
        crn : ReactionNetwork

        Returns
        -------
        ReactionNetwork
            Its `units` are these.

        Raises
        ------
        InputError
            If its numbers are in other units already.

        Examples
        --------
        >>> from crn_nn_tellurium import import_antimony
        >>> decay = import_antimony("A => ; k*A; species A = 2; k = 0.5")
        >>> in_tube = PhysicalUnits(c0=10, tau=100).of(decay)
        >>> in_tube.start_values, in_tube.constant_values, in_tube.units
        ({'A': 20.0}, {'k': 0.005}, PhysicalUnits(c0=10 nM, tau=100 s))
        """
        if not hasattr(crn, "in_units"):
            raise InputError(f"crn: got {type(crn).__name__}; expected a ReactionNetwork")
        return crn.in_units(self)

    @abstractmethod
    def name(self, dimension: Dimension) -> str:
        """The unit of a dimension, for axes and tables: nM, s, /nM/s."""

    @abstractmethod
    def identifier(self, dimension: Dimension) -> str:
        """The unit of a dimension as an identifier, for SBML and Antimony: nM, per_nM_s."""

    @abstractmethod
    def definition(self, dimension: Dimension, volume: int = 0) -> tuple[BaseUnit, ...]:
        """The unit of a dimension, times a power of the volume, in SBML's base units."""

    @property
    @abstractmethod
    def in_words(self) -> str:
        """A sentence for the head of a file."""

    @abstractmethod
    def text(self, value: float, dimension: Dimension, digits: int = 6) -> str:
        """A number that is in these units, with its unit."""

    @abstractmethod
    def moment(self, t: float) -> str:
        """A point in time that is in these units, as a sentence has it: ``t = 3.2``, ``53 min``."""

    @property
    @abstractmethod
    def clock(self) -> tuple[float, str]:
        """The unit of an axis of times: how much of these units it is, and its name."""

    @property
    @abstractmethod
    def values(self) -> str:
        """What an axis of outputs shows: they may be differences of concentrations, below zero."""


@dataclass(frozen=True)
class ModelUnits(Units):
    """No units: the numbers are the model's own, dimensionless. There is one, `MODEL_UNITS`.

    Examples
    --------
    >>> MODEL_UNITS.rate_constant(0.3, 2), MODEL_UNITS.name(TIME), MODEL_UNITS.identifier(TIME)
    (0.3, 'model units', 'dimensionless')
    >>> MODEL_UNITS.text(0.5, CONCENTRATION)
    '0.5'
    """

    c0: float = field(default=1.0, init=False, repr=False)
    tau: float = field(default=1.0, init=False, repr=False)

    def name(self, dimension: Dimension) -> str:
        return "model units"

    def identifier(self, dimension: Dimension) -> str:
        return "dimensionless"

    def definition(self, dimension: Dimension, volume: int = 0) -> tuple[BaseUnit, ...]:
        return (("dimensionless", 1, 0),)

    @property
    def in_words(self) -> str:
        return "Numbers are dimensionless (model units)."

    def text(self, value: float, dimension: Dimension, digits: int = 6) -> str:
        return f"{value:.{digits}g}"

    def moment(self, t: float) -> str:
        return f"t = {t:.4g}"

    @property
    def clock(self) -> tuple[float, str]:
        return 1.0, self.name(TIME)

    @property
    def values(self) -> str:
        return f"value ({self.name(CONCENTRATION)})"


MODEL_UNITS = ModelUnits()


@dataclass(frozen=True)
class PhysicalUnits(Units):
    """What a concentration of 1 and a time of 1 in the model are in the tube.

    Parameters
    ----------
    c0 : float
        Concentration unit, in nM.
    tau : float
        Time unit, in s.

    Raises
    ------
    InputError
        If a unit is not a finite number > 0.

    Examples
    --------
    >>> units = PhysicalUnits(c0=10, tau=100)
    >>> units.time(72), units.hours(72), units.concentration(0.5)
    (7200.0, 2.0, 5.0)
    >>> [units.rate_constant(1.0, order) for order in (0, 1, 2)]
    [0.1, 0.01, 0.001]
    >>> units.rate_constant(1.0, 2, "M")
    1000000.0
    >>> [units.name(Dimension.rate_constant(order)) for order in (0, 1, 2, 3)]
    ['nM/s', '/s', '/nM/s', '/nM^2/s']
    """

    c0: float
    tau: float

    def __post_init__(self) -> None:
        for name, unit, example in (
            ("c0", "a concentration in nM", "10 for 10 nM"),
            ("tau", "a time in s", "100"),
        ):
            value = getattr(self, name)
            check_positive(
                f"PhysicalUnits: {name}", value, f"{unit}: {example}, say (a finite number > 0)"
            )
            object.__setattr__(self, name, float(value))

    def hours(self, t: Any) -> Any:
        """A time of the model in h.

        Examples
        --------
        >>> import crn_nn_tellurium as cn
        >>> cn.PhysicalUnits(c0=10, tau=100).hours(360.0)
        10.0
        """
        return self.time(t) / 3600

    def rate_constant(self, k: Any, order: int, concentration: Concentration = "nM") -> Any:
        """A rate constant of the model in the tube.

        Parameters
        ----------
        k : float or ndarray
        order : int
            Of the reaction (`Reaction.order`): the number of molecules that meet.
        concentration : {"nM", "M"}

        Returns
        -------
        float or ndarray
            In nM/s, 1/s and 1/nM/s for orders 0, 1 and 2; in M/s, 1/s and 1/M/s with
            ``concentration="M"``.

        Raises
        ------
        InputError
            If the order is not a whole number >= 0, or the concentration unit is not known.
        """
        check_choice("concentration", concentration, get_args(Concentration))
        value = super().rate_constant(k, order)
        return value * NANOMOLAR_PER_MOLAR ** (order - 1) if concentration == "M" else value

    def name(self, dimension: Dimension) -> str:
        above, below = _powers(dimension, "^")
        return " ".join(above) + "".join(f"/{unit}" for unit in below)

    def identifier(self, dimension: Dimension) -> str:
        above, below = _powers(dimension, "")
        return "_".join([*above, *(["per", *below] if below else [])]) or "dimensionless"

    def definition(self, dimension: Dimension, volume: int = 0) -> tuple[BaseUnit, ...]:
        # SBML has no base unit of concentration: nM is 1e-9 mole / litre
        amount, time = dimension.concentration, dimension.time
        parts = (("mole", amount, -9), ("litre", volume - amount, 0), ("second", time, 0))
        return tuple(part for part in parts if part[1])

    @property
    def in_words(self) -> str:
        return (
            "Concentrations are in nM and times in s; in the model they are 1 where they are"
            f" {_exact(self.c0)} nM and {_exact(self.tau)} s here."
        )

    def text(self, value: float, dimension: Dimension, digits: int = 6) -> str:
        return f"{value:.{digits}g} {self.name(dimension)}".strip()

    def moment(self, t: float) -> str:
        return duration(real_number("t", t))

    @property
    def clock(self) -> tuple[float, str]:
        return 3600.0, "h"

    @property
    def values(self) -> str:
        return "concentration or difference (nM)"

    def __repr__(self) -> str:
        return f"PhysicalUnits(c0={self.c0:.6g} nM, tau={self.tau:.6g} s)"


def _powers(dimension: Dimension, sign: str) -> tuple[list[str], list[str]]:
    """Units with their powers, above and below the stroke."""
    sides: tuple[list[str], list[str]] = ([], [])
    for unit, power in (("nM", dimension.concentration), ("s", dimension.time)):
        if power:
            size = "" if abs(power) == 1 else f"{sign}{abs(power):g}"
            sides[power < 0].append(unit + size)
    return sides


def _exact(number: float) -> str:
    """In as few digits as give it back."""
    short = f"{number:.6g}"
    return short if float(short) == number else repr(number)


_SAID = re.compile(r"1 where they are (\d\S*) nM and (\d\S*) s here\.")


def units_in(text: str) -> Units:
    """The units that a text says, in the words of `Units.in_words`."""
    said = _SAID.search(text)
    return PhysicalUnits(float(said[1]), float(said[2])) if said else MODEL_UNITS


def check_units(units: Any) -> None:
    """Refuse what are no units."""
    check_kind("units", units, Units, "PhysicalUnits(c0, tau) or fastest_units(net), say")


def must_convert(what: str, present: Units, units: Any) -> bool:
    """Whether something has to be converted; refused if it has been, to other units."""
    check_units(units)
    if present not in (units, MODEL_UNITS):
        raise InputError(
            f"{what} is in {present!r} already; expected model units, which alone are converted"
            f" (to {units!r}): keep what it was converted from"
        )
    return bool(present != units)


def duration(seconds: float) -> str:
    """A time in the unit in which it reads best: ``50 min``, ``11.6 days``."""
    found = ((size, unit) for unit, size, up_to in _CLOCK if seconds < up_to)
    size, unit = next(found, (86400.0, "days"))
    return f"{seconds / size:.3g} {unit}"
