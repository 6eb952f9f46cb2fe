"""A certificate's figures in the tube."""

from __future__ import annotations

from dataclasses import dataclass, field

from crn_nn_tellurium.chemistry import PhysicalUnits, duration


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
            f"PhysicalCertificate(outputs within {self.tolerance_nM:.4g} nM from"
            f" {duration(self.settling_time_s)} on; rate {self.rate_per_s:.3g} /s; 1 is"
            f" {self.units.c0:.4g} nM and {duration(self.units.tau)})"
        )
