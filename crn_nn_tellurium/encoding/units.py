"""The fastest physical units in which a network's rate constants are possible."""

from __future__ import annotations

from typing import Any, Protocol

from crn_nn_tellurium.basics import check_positive
from crn_nn_tellurium.chemistry import (
    NANOMOLAR_PER_MOLAR,
    Dimension,
    PhysicalUnits,
    ReactionNetwork,
)
from crn_nn_tellurium.encoding.whole import reactions_of
from crn_nn_tellurium.errors import ReactionError
from crn_nn_tellurium.importers import AnyModel


class Reacting(Protocol):
    """What has reactions, a Simulator say."""

    @property
    def reactions(self) -> ReactionNetwork:
        """Its flat reaction network."""


MAX_RATE_CONSTANT = 1e6
"""Largest bimolecular rate constant of DNA strand displacement, in 1/M/s."""

C0 = 10.0
"""In nM: leaves room for values up to 10 and fuels a hundred times those, 10 uM."""


def fastest_units(
    net: AnyModel | Reacting,
    max_rate_constant: float = MAX_RATE_CONSTANT,
    c0: float = C0,
) -> PhysicalUnits:
    """The shortest time unit for which no bimolecular rate constant exceeds what the chemistry can
    do.

    Parameters
    ----------
    net : Network, Simulator, ReactionNetwork, str or path-like
        Its largest bimolecular rate constant is that of a weight, of a reaction of the activation,
        or the 1 of ``2 Y -> Y``. One that is in other units is asked for the model's numbers.
    max_rate_constant : float
        In 1/M/s; about 1e6 for DNA strand displacement with long toeholds.
    c0 : float
        Concentration of 1, in nM. The time is inversely proportional to it. It is limited by the
        fuels, which must be plentiful (a hundred times the signals) and which leak into one another
        at rates that grow with the square of their concentration: strands beyond about 10 uM are
        not used (Soloveichik et al., PNAS 107 (2010) 5393, doi 10.1073/pnas.0909380107). With the
        default of 10 nM, values up to 10 keep within this. Networks with larger values need a
        smaller c0; outputs have to be seen above noise, some 0.1 nM.

    Returns
    -------
    PhysicalUnits
        tau = largest / (c0 max_rate_constant).

    Raises
    ------
    InputError
        If `net` is no model, or another argument is not a finite number > 0.
    ReactionError
        If no bimolecular reaction limits the network, or one needs three molecules to meet.

    Notes
    -----
    For the reactions as written. A strand displacement implementation takes several steps for each,
    and is as fast only while its fuels last and its later steps are not slower.

    Examples
    --------
    >>> from crn_nn_tellurium import certify, load_model
    >>> net = load_model("xor")
    >>> units = fastest_units(net)
    >>> units
    PhysicalUnits(c0=10 nM, tau=165.496 s)
    >>> certificate = certify(net, [1.0, 0.0], tolerance=0.01, bound="cheap")
    >>> certificate.in_units(units).settling_time == units.time(certificate.settling_time)
    True
    """
    check_positive(
        "max_rate_constant",
        max_rate_constant,
        "a rate constant in 1/M/s: 1e6 for DNA strand displacement, say (a finite number > 0)",
    )
    check_positive("c0", c0, "a concentration in nM: 10 for 10 nM, say (a finite number > 0)")
    return PhysicalUnits(
        c0, largest_bimolecular(net) * NANOMOLAR_PER_MOLAR / (float(c0) * float(max_rate_constant))
    )


def largest_bimolecular(net: Any) -> float:
    """The largest rate constant of two molecules that meet, in model units."""
    # a Simulator, of a room above this one, is known by what it has
    found: Any = getattr(net, "reactions", None)
    crn = found if isinstance(found, ReactionNetwork) else reactions_of(net, "fastest_units")
    for reaction in crn.reactions:
        if reaction.order > 2:
            raise ReactionError(
                f"reaction {reaction.id!r} needs {reaction.order} molecules to meet"
                f" ({reaction.equation}); expected at most 2, for which a largest rate constant is"
                " known; split it, or give PhysicalUnits(c0, tau) yourself"
            )
    largest = max((r.value for r in crn.reactions if r.order == 2), default=0.0)
    # the model's number, whatever units the network is in already
    largest = float(crn.units.revert(largest, Dimension.rate_constant(2)))
    if largest <= 0:
        raise ReactionError(
            f"reaction network {crn.name!r}: no reaction of two molecules limits its speed; give "
            "PhysicalUnits(c0, tau) yourself"
        )
    return largest
