"""What the simulator returns: plain, frozen, labelled arrays."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from crn_nn_tellurium.basics import FloatArray, read_only
from crn_nn_tellurium.simulation.outcome import Outcome


@dataclass(frozen=True, eq=False)
class SteadyState:
    """Steady states of a network for a batch of inputs.

    Attributes
    ----------
    outputs : (n_samples, n_out) ndarray
        Read-outs of the output layer; NaN for a sample that failed.
    concentrations : (n_samples, n_species) ndarray
        Every floating species, in the order of `species`.
    residual : (n_samples,) ndarray
        Largest |net rate| / gross rate over the species: 0 at a fixed point, 1 far from it.
    status : tuple of Outcome
        Per sample, a text: ``"solved"``, ``"solved after integration"``, ``"integrated"``, or
        ``"failed: ..."``; of each, ``.failed`` and ``.reason``.
    method : str
        The method that found them.
    output_names, species : tuple of str
        Identifiers of the columns.
    """

    outputs: FloatArray
    concentrations: FloatArray
    residual: FloatArray
    status: tuple[Outcome, ...]
    method: str
    output_names: tuple[str, ...] = field(repr=False)
    species: tuple[str, ...] = field(repr=False)

    def __post_init__(self) -> None:
        read_only(self.outputs, self.concentrations, self.residual)

    @property
    def failed(self) -> int:
        """How many samples have no steady state here."""
        return sum(outcome.failed for outcome in self.status)

    def __len__(self) -> int:
        return len(self.outputs)

    def __getitem__(self, name: str) -> FloatArray:
        """One output or species over the samples, shape (n_samples,)."""
        return _column(
            name,
            {"output": self.output_names, "species": self.species},
            self.outputs,
            self.concentrations,
        )

    def __repr__(self) -> str:
        worst = (
            float(np.nanmax(self.residual, initial=0.0))
            if self.failed < len(self)
            else float("nan")
        )
        return (
            f"SteadyState({len(self)} samples, {self.outputs.shape[1]} outputs, {len(self.species)}"
            f" species, by {self.method!r}: {self.failed} failed, largest residual {worst:.1e})"
        )


@dataclass(frozen=True, eq=False)
class TimeCourse:
    """Concentrations over time.

    Attributes
    ----------
    time : (n_points,) ndarray
        In time units of the model (s as written).
    outputs : (n_points, n_out) ndarray
    concentrations : (n_points, n_species) ndarray
        Every floating species, in the order of `species`.
    inputs : (n_points, n_in) ndarray
        Input values, constant between steps.
    output_names, species, input_names : tuple of str
        Identifiers of the columns.
    volume : float or None
        For a stochastic time course, the volume: 1 molecule is a concentration of 1 / volume.
    """

    time: FloatArray
    outputs: FloatArray
    concentrations: FloatArray
    inputs: FloatArray
    output_names: tuple[str, ...] = field(repr=False)
    species: tuple[str, ...] = field(repr=False)
    input_names: tuple[str, ...] = field(repr=False)
    volume: float | None = None

    def __post_init__(self) -> None:
        read_only(self.time, self.outputs, self.concentrations, self.inputs)

    def __getitem__(self, name: str) -> FloatArray:
        """One output, species or input over time, shape (n_points,)."""
        columns = {
            "output": self.output_names,
            "species": self.species,
            "input": self.input_names,
        }
        return _column(name, columns, self.outputs, self.concentrations, self.inputs)

    def __repr__(self) -> str:
        kind = "" if self.volume is None else f", stochastic in volume {self.volume!r}"
        return (
            f"TimeCourse({len(self.time)} points from t = {self.time[0]:g} to {self.time[-1]:g}, "
            f"{self.outputs.shape[1]} outputs, {len(self.species)} species{kind})"
        )


def _column(name: str, columns: dict[str, tuple[str, ...]], *arrays: FloatArray) -> FloatArray:
    for names, array in zip(columns.values(), arrays, strict=True):
        if name in names:
            return array[:, names.index(name)]
    known = "; ".join(
        f"{kind}: {', '.join(names[:6])}{', ...' if len(names) > 6 else ''}"
        for kind, names in columns.items()
    )
    raise KeyError(f"{name!r} is not in this result; it has {known}")
