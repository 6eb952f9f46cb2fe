"""What is simulated: a time course, and a scan of the steady state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import FloatArray, is_real, some
from crn_nn_tellurium.chemistry import ReactionNetwork
from crn_nn_tellurium.errors import InputError


@dataclass(frozen=True)
class Runs:
    """Options of the formats that say what is to be simulated."""

    t_end: float | None = None  # of the time course, in the units of the file
    n_steps: int = 200
    vary: str | None = None  # a boundary species or rate constant
    low: Any = None
    high: Any = None
    n_points: int = 20  # steps of the scan

    def variation(self, crn: ReactionNetwork) -> Variation | None:
        """What the scan varies: as asked, else the first boundary species or rate constant."""
        held = dict(zip(crn.boundary, crn.boundary_concentrations.tolist(), strict=True))
        constants = crn.constant_values
        name = next(iter([*held, *constants]), None) if self.vary is None else self.vary
        if name is None:
            return None
        if not isinstance(name, str) or (name not in held and name not in constants):
            raise InputError(
                f"vary is {name!r}; expected a boundary species"
                f" ({some(list(held)) or 'there is none'}) or a rate constant"
                f" ({some(list(constants))})"
            )
        usual = max(crn.units.c0, held[name]) if name in held else 2 * constants[name] or 1.0
        low, high = 0.0 if self.low is None else self.low, usual if self.high is None else self.high
        if not (is_real(low) and is_real(high) and 0 <= low < high < np.inf):
            raise InputError(
                f"{name!r} varies from {low!r} to {high!r}; expected numbers 0 <= low < high"
            )
        return Variation(name, float(low), float(high), name in held)


@dataclass(frozen=True)
class Variation:
    """What a scan varies: a boundary species or a rate constant, between two values."""

    id: str
    low: float
    high: float
    is_species: bool


def started_above(
    crn: ReactionNetwork,
    variation: Variation | None = None,
    boundary: FloatArray | None = None,
) -> ReactionNetwork:
    """The network with numbers for start values, those at the largest of all concentrations that
    are to be: the network's own, those of a scan and those of data, rows (n, n_boundary).
    """
    # start values are upper bounds of the fixed point and grow with the inputs, so these are good
    # for every row: from above, Newton's method finds the positive fixed point
    largest = crn.boundary_concentrations
    if boundary is not None:
        largest = np.vstack([largest, boundary]).max(axis=0)
    if variation and variation.is_species:
        place = crn.boundary.index(variation.id)
        largest[place] = max(largest[place], variation.high)
    return crn.with_starts(largest)
