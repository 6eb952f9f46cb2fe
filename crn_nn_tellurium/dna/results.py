"""When a network in DNA can be read, as a result: tables, arrays, a card."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crn_nn_tellurium.basics import FloatArray, card, curves, frame_of
from crn_nn_tellurium.chemistry import duration
from crn_nn_tellurium.dna.strand_displacement import StrandDisplacement

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

STARVED = 0.05
"""The share of a fuel below which the tube counts as starved."""


@dataclass(frozen=True, eq=False, repr=False)
class ReadOutWindow:
    """When the outputs of a DNA network can be read.

    Attributes
    ----------
    dna : StrandDisplacement
        The implementation, at the first sample.
    time : (n_times,) ndarray
        In s.
    outputs, ideal : (n_samples, n_times, n_out) ndarray
        Outputs of the implementation and of the ideal chemistry, in units of the network (nM / c0).
    targets : (n_samples, n_out) ndarray
        Those of the network, in closed form.
    settled, starved : (n_samples,) ndarray
        From when until when, in s; NaN where never. Starved is inf where the window is open at the
        last time.
    bound : (n_samples,) ndarray
        By when the ideal chemistry has certainly settled as much, from all starts, in s (closed
        form); NaN where there is no certificate.
    fuel_left : (n_samples,) ndarray
        The scarcest fuel at the last time, in nM.
    tolerance : float or None
        Of the outputs; None where the class is what counts.
    output_names : tuple of str
    output_labels : tuple of str
        What pictures call the outputs: classes, where each output is one.

    Examples
    --------
    >>> import crn_nn_tellurium as cn
    >>> xor, X = cn.load_model("xor"), [[0, 0], [0, 1], [1, 0], [1, 1]]
    >>> window = cn.read_out_window(xor, X)
    >>> opens, closes = window.common
    >>> round(opens / 60), "min"
    (36, 'min')
    >>> window.share
    1.0
    """

    dna: StrandDisplacement
    time: FloatArray
    outputs: FloatArray
    ideal: FloatArray
    targets: FloatArray
    settled: FloatArray
    starved: FloatArray
    bound: FloatArray
    fuel_left: FloatArray
    tolerance: float | None
    output_names: tuple[str, ...]
    output_labels: tuple[str, ...]

    @property
    def common(self) -> tuple[float, float]:
        """From when until when all samples can be read, in s; (NaN, NaN) where that is never."""
        if np.isnan(self.settled).any() or self.settled.max() >= self.starved.min():
            return (math.nan, math.nan)
        return (float(self.settled.max()), float(self.starved.min()))

    @property
    def remedy(self) -> str:
        """What to try where there is no common window; nothing where there is one."""
        if not math.isnan(self.common[0]):
            return ""
        less = "limit_concentrations(net, X) makes a network that burns less fuel"
        never = np.flatnonzero(np.isnan(self.settled))
        if not len(never):
            return f"some samples run out of fuel before others settle: {less}"
        # with fuel left to its last time, a sample may be right later
        if (self.fuel_left[never] >= STARVED * self.dna.fuel).all():
            return f"sample {never[0]} is not right by the last time: try a longer t_end"
        return f"sample {never[0]} runs out of fuel before it is right: {less}"

    @property
    def share(self) -> float:
        """Share of the samples that have a window."""
        return float(np.mean(~np.isnan(self.settled)))

    @property
    def _facts(self) -> tuple[str, str, str]:
        """What can be read of how many samples; when; and from which fuel."""
        first, last = self.common
        what = "class right" if self.tolerance is None else f"outputs within {self.tolerance:g}"
        when = "at no common time"
        if not math.isnan(first):
            until = "the end" if math.isinf(last) else duration(last)
            when = f"on all from {duration(first)} until {until}"
        left = max(0.0, float(self.fuel_left.min()))
        fuel = (
            f"{len(self.dna.fuels)} fuels of {self.dna.fuel:g} nM, at least {left:.0f} nM left"
            f" after {duration(float(self.time[-1]))}"
        )
        return f"{what} on {self.share:.1%} of {len(self.settled)} samples", when, fuel

    def __repr__(self) -> str:
        what, when, fuel = self._facts
        remedy = f"; {self.remedy}" if self.remedy else ""
        return f"ReadOutWindow({what}, {when}; {fuel}{remedy})"

    def to_frame(self) -> pd.DataFrame:
        """A row per sample: from when until when it can be read, by when it has certainly settled,
        in s, and the scarcest fuel that is left, in nM.

        Examples
        --------
        >>> from crn_nn_tellurium import load_model, read_out_window
        >>> frame = read_out_window(load_model("xor"), [[0, 0], [0, 1]], n_points=11).to_frame()
        >>> list(frame.columns)
        ['settled_s', 'starved_s', 'bound_s', 'fuel_left_nM']
        """
        columns = {
            "settled_s": self.settled,
            "starved_s": self.starved,
            "bound_s": self.bound,
            "fuel_left_nM": self.fuel_left,
        }
        return frame_of({"sample": range(len(self.settled))}, columns)

    def to_xarray(self) -> xr.Dataset:
        """Outputs, of the implementation and of the ideal chemistry, by sample, time and name.

        Examples
        --------
        >>> from crn_nn_tellurium import load_model, read_out_window
        >>> window = read_out_window(load_model("xor"), [[0, 0], [0, 1]], n_points=11)
        >>> dict(window.to_xarray().sizes)
        {'sample': 2, 'time': 11, 'output': 1}
        """
        import xarray as xr

        dims = ("sample", "time", "output")
        return xr.Dataset(
            {
                "outputs": (dims, self.outputs),
                "ideal": (dims, self.ideal),
                "targets": (("sample", "output"), self.targets),
            },
            {"time": self.time, "output": list(self.output_names)},
        )

    def _repr_html_(self) -> str:
        facts = dict(zip(("read", "when", "fuel"), self._facts, strict=True))
        if self.remedy:
            facts["remedy"] = self.remedy
        lines = {"DNA": [*self.outputs[0].T], "ideal": [*self.ideal[0].T]}
        ends = ("0", duration(float(self.time[-1])))
        picture = curves(self.time, lines, ends, "outputs of the first sample over time")
        return card("Read-out window", facts, self.to_frame(), picture)
