"""What a tube can do, and how a network is put into it: one object for all that makes DNA."""

from __future__ import annotations

from dataclasses import dataclass, fields

from crn_nn_tellurium.basics import check_positive
from crn_nn_tellurium.encoding import MAX_RATE_CONSTANT
from crn_nn_tellurium.errors import InputError

_UNIT = {"c_max": "nM", "q_max": "1/M/s", "fuel": "nM", "c0": "nM", "tau": "s"}


@dataclass(frozen=True)
class StrandOptions:
    """What a tube can do, and how a network is put into it.

    Parameters
    ----------
    c_max : float
        The largest concentration of any strand or complex, in nM: beyond some 10 uM, strands bind
        where they should not.
    q_max : float
        The rate constant of strand displacement with a full toehold, in 1/M/s.
    fuel : float, optional
        Initial concentration of each fuel, in nM; by default `c_max`.
    c0, tau : float, optional
        What a concentration of 1 is in nM and a time of 1 in s. By default c0 is 10 nM, or less
        where start values would exceed a hundredth of the fuel (signals that grow far beyond those
        need a smaller one), and tau the shortest time with which at most half of a signal is bound,
        every rate constant is within `q_max`, and products are in transit for a hundredth of a time
        of 1.

    Raises
    ------
    InputError
        If a number is not > 0, or `fuel` is above `c_max`.

    Examples
    --------
    >>> StrandOptions(c0=10, tau=100).amount
    10000.0
    """

    c_max: float = 1e4
    q_max: float = MAX_RATE_CONSTANT
    fuel: float | None = None
    c0: float | None = None
    tau: float | None = None

    def __post_init__(self) -> None:
        for entry in fields(self):
            value = getattr(self, entry.name)
            if value is not None:
                check_positive(entry.name, value, f"a number of {_UNIT[entry.name]} > 0")
        if self.amount > self.c_max:
            raise InputError(f"fuel is {self.fuel!r} nM; expected at most c_max, {self.c_max!r} nM")

    @property
    def amount(self) -> float:
        """What is put in of each fuel, in nM."""
        return float(self.c_max if self.fuel is None else self.fuel)


DEFAULTS = StrandOptions()
