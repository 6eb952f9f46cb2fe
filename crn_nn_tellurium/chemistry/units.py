"""Physical units: the equations are dimensionless until a concentration c0 and a time tau are
chosen.

A concentration c of the model is c c0 in the tube, a time t is t tau. A rate constant k of a
reaction of order n then is k c0^(1 - n) / tau: k c0 / tau for what arises from nothing, k / tau for
one molecule, k / (c0 tau) for two that meet. The last kind has a ceiling in the tube, about 1e6
/M/s for DNA strand displacement (Zhang and Winfree, JACS 131 (2009) 17303, doi 10.1021/ja906987s),
and so every network has a fastest tau: `fastest_units`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from crn_nn_tellurium.basics import check_choice, check_positive
from crn_nn_tellurium.errors import InputError

NANOMOLAR_PER_MOLAR = 1e9
Concentration = Literal["nM", "M"]


@dataclass(frozen=True)
class PhysicalUnits:
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
    >>> units.hours(72), units.nanomolar(0.5)
    (2.0, 5.0)
    >>> [units.rate_constant(1.0, order) for order in (0, 1, 2)]
    [0.1, 0.01, 0.001]
    >>> units.rate_constant(1.0, 2, "M")
    1000000.0
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

    def seconds(self, t: Any) -> Any:
        """A time of the model in s; a float or an array, as given."""
        return t * self.tau

    def hours(self, t: Any) -> Any:
        """A time of the model in h; a float or an array, as given."""
        return t * self.tau / 3600

    def nanomolar(self, c: Any) -> Any:
        """A concentration, or an output, of the model in nM; a float or an array, as given."""
        return c * self.c0

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
        if isinstance(order, bool) or not isinstance(order, (int, np.integer)) or order < 0:
            raise InputError(
                f"order is {order!r}; expected the number of molecules that meet: 0, 1 or 2"
            )
        # multiplied and divided in this order, a decimal unit keeps its decimal digits
        value = k * self.c0 / self.tau if order == 0 else k / self.tau / self.c0 ** (int(order) - 1)
        return value * NANOMOLAR_PER_MOLAR ** (int(order) - 1) if concentration == "M" else value

    def __repr__(self) -> str:
        return f"PhysicalUnits(c0={self.c0:.6g} nM, tau={self.tau:.6g} s)"


def duration(seconds: float) -> str:
    """A time in the unit in which it reads best.

    Examples
    --------
    >>> duration(0.25), duration(95), duration(3000), duration(9000), duration(1e6)
    ('0.25 s', '95 s', '50 min', '2.5 h', '11.6 days')
    """
    for unit, size, up_to in (("s", 1, 120), ("min", 60, 7200), ("h", 3600, 172800)):
        if seconds < up_to:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 86400:.3g} days"
