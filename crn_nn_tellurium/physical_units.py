"""Physical units: the equations are dimensionless until a concentration c0 and a time tau are chosen.

A concentration c of the model is c c0 in the tube, a time t is t tau. A rate constant k of a reaction of order n then
is k c0^(1 - n) / tau: k c0 / tau for what arises from nothing, k / tau for one molecule, k / (c0 tau) for two that
meet. The last kind has a ceiling in the tube, about 1e6 /M/s for DNA strand displacement (Zhang and Winfree, JACS 131
(2009) 17303, doi 10.1021/ja906987s), and so every network has a fastest tau: `fastest_units`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np

from crn_nn_tellurium.encoding import to_reactions
from crn_nn_tellurium.errors import InputError, NetworkError, ReactionError
from crn_nn_tellurium.network import Network
from crn_nn_tellurium.reactions import ReactionNetwork
from crn_nn_tellurium.simulator import Simulator, check_choice, check_positive

MAX_RATE_CONSTANT = 1e6
"""Largest bimolecular rate constant of DNA strand displacement, in 1/M/s."""
C0 = 10.0
"""Concentration unit, in nM, that leaves room for values up to 10 and fuels a hundred times those: 10 uM."""
_PER_MOLAR = 1e9
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
        for name, unit, example in (("c0", "a concentration in nM", "10 for 10 nM"), ("tau", "a time in s", "100")):
            value = getattr(self, name)
            check_positive(f"PhysicalUnits: {name}", value, f"{unit}: {example}, say (a finite number > 0)")
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
            In nM/s, 1/s and 1/nM/s for orders 0, 1 and 2; in M/s, 1/s and 1/M/s with ``concentration="M"``.

        Raises
        ------
        InputError
            If the order is not a whole number >= 0, or the concentration unit is not known.
        """
        check_choice("concentration", concentration, get_args(Concentration))
        if isinstance(order, bool) or not isinstance(order, (int, np.integer)) or order < 0:
            raise InputError(f"order is {order!r}; expected the number of molecules that meet: 0, 1 or 2")
        # multiplied and divided in this order, a decimal unit keeps its decimal digits
        value = k * self.c0 / self.tau if order == 0 else k / self.tau / self.c0 ** (int(order) - 1)
        return value * _PER_MOLAR ** (int(order) - 1) if concentration == "M" else value

    def __repr__(self) -> str:
        return f"PhysicalUnits(c0={self.c0:.6g} nM, tau={self.tau:.6g} s)"


@dataclass(frozen=True)
class PhysicalCertificate:
    """A certificate's figures in the tube.

    Attributes
    ----------
    settling_time_s : float
        By when every output is within tolerance, in s.
    tolerance_nM : float
        In nM.
    rate_per_s : float
        Slowest rate at the fixed point, in 1/s.
    units : PhysicalUnits
        What they were computed with.
    """

    settling_time_s: float
    tolerance_nM: float  # noqa: N815  # the unit's own spelling
    rate_per_s: float
    units: PhysicalUnits = field(repr=False)

    @property
    def settling_time_h(self) -> float:
        """By when every output is within tolerance, in h."""
        return self.settling_time_s / 3600

    def __repr__(self) -> str:
        return (
            f"PhysicalCertificate(outputs within {self.tolerance_nM:.4g} nM from {duration(self.settling_time_s)} on; "
            f"rate {self.rate_per_s:.3g} /s; 1 is {self.units.c0:.4g} nM and {duration(self.units.tau)})"
        )


def fastest_units(
    net: Network | Simulator | ReactionNetwork, max_rate_constant: float = MAX_RATE_CONSTANT, c0: float = C0
) -> PhysicalUnits:
    """The shortest time unit for which no bimolecular rate constant exceeds what the chemistry can do.

    Parameters
    ----------
    net : Network, Simulator or ReactionNetwork
        Its largest bimolecular rate constant is that of a weight, of a reaction of the activation, or the 1 of
        ``2 Y -> Y``.
    max_rate_constant : float
        In 1/M/s; about 1e6 for DNA strand displacement with long toeholds.
    c0 : float
        Concentration of 1, in nM. The time is inversely proportional to it. It is limited by the fuels, which
        must be plentiful (a hundred times the signals) and which leak into one another at rates that grow with the
        square of their concentration: strands beyond about 10 uM are not used (Soloveichik et al., PNAS 107
        (2010) 5393, doi 10.1073/pnas.0909380107). With the default of 10 nM, values up to 10 keep within this.
        Networks with larger values need a smaller c0; outputs have to be seen above noise, some 0.1 nM.

    Returns
    -------
    PhysicalUnits
        tau = largest / (c0 max_rate_constant).

    Raises
    ------
    InputError
        If an argument is not a finite number > 0.
    ReactionError
        If no bimolecular reaction limits the network, or one needs three molecules to meet.
    NetworkError
        If `net` is none of the three.

    Notes
    -----
    For the reactions as written. A strand displacement implementation takes several steps for each, and is as fast
    only while its fuels last and its later steps are not slower.

    Examples
    --------
    >>> from crn_nn_tellurium import certify, load_model
    >>> net = load_model("xor")
    >>> units = fastest_units(net)
    >>> units
    PhysicalUnits(c0=10 nM, tau=165.496 s)
    >>> certificate = certify(net, [1.0, 0.0], tolerance=0.01, bound="cheap")
    >>> certificate.in_units(units).settling_time_h == units.hours(certificate.settling_time)
    True
    """
    check_positive(
        "max_rate_constant",
        max_rate_constant,
        "a rate constant in 1/M/s: 1e6 for DNA strand displacement, say (a finite number > 0)",
    )
    check_positive("c0", c0, "a concentration in nM: 10 for 10 nM, say (a finite number > 0)")
    return PhysicalUnits(c0, largest_bimolecular(net) * _PER_MOLAR / (float(c0) * float(max_rate_constant)))


def largest_bimolecular(net: Network | Simulator | ReactionNetwork) -> float:
    """The largest rate constant of two molecules that meet, as written in the model.

    Raises
    ------
    ReactionError
        If there is none above 0, or a reaction needs three molecules to meet.
    NetworkError
        If `net` is no Network, Simulator or ReactionNetwork.

    Examples
    --------
    >>> from crn_nn_tellurium import Layer, Linear, Network
    >>> largest_bimolecular(Network([Layer([[0.5, -3.0]], [7.0], Linear())]))
    3.0
    """
    if isinstance(net, Simulator):
        crn = net.reactions
    elif isinstance(net, Network):
        crn = to_reactions(net)
    elif isinstance(net, ReactionNetwork):
        crn = net
    else:
        raise NetworkError(
            f"physical units are found for a Network, a Simulator or a ReactionNetwork; got {type(net).__name__}"
        )
    for reaction in crn.reactions:
        if reaction.order > 2:
            raise ReactionError(
                f"reaction {reaction.id!r} needs {reaction.order} molecules to meet ({reaction.equation}); expected at "
                "most 2, for which a largest rate constant is known; split it, or give PhysicalUnits(c0, tau) yourself"
            )
    largest = max((reaction.value for reaction in crn.reactions if reaction.order == 2), default=0.0)
    if largest <= 0:
        raise ReactionError(
            f"reaction network {crn.name!r}: no reaction of two molecules limits its speed; give "
            "PhysicalUnits(c0, tau) yourself"
        )
    return float(largest)


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
