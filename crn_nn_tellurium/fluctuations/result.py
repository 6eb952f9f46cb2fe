"""What `noise` finds: means and covariances at a volume, and what is doubtful about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from crn_nn_tellurium.basics import FloatArray, card, check_positive, frame_of, read_only, some
from crn_nn_tellurium.errors import NetworkError
from crn_nn_tellurium.fluctuations.probabilities import class_probabilities

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Fluctuations:
    """By sample, what fluctuates about steady states at a volume of 1; at V, all is over V."""

    output_shift: FloatArray  # (n, n_out)
    output_covariance: FloatArray  # (n, n_out, n_out)
    shift: FloatArray  # (n, n_species)
    variance: FloatArray  # (n, n_species)

    def __post_init__(self) -> None:
        read_only(self.output_shift, self.output_covariance, self.shift, self.variance)


@dataclass(frozen=True, eq=False)
class Noise:
    """Fluctuations about steady states at finite numbers of molecules, to first order in 1/volume.

    Arrays have a leading axis of samples where the inputs have it.

    Attributes
    ----------
    outputs : (..., n_out) ndarray
        Of the deterministic steady state.
    concentrations : (..., n_species) ndarray
        The same of every floating species, in the order of `species`.
    volume : float
        Molecules at a concentration of 1.
    output_names, species : tuple of str
    classes : tuple
        Of a classifier; empty otherwise.

    Examples
    --------
    >>> import crn_nn_tellurium as cn
    >>> found = cn.noise(cn.load_model("xor"), [[0, 1], [1, 1]], volume=5000)
    >>> found.mean.round(3), found.standard_deviation.round(3)
    (array([[0.956],
           [0.032]]), array([[0.029],
           [0.011]]))
    """

    outputs: FloatArray
    concentrations: FloatArray
    volume: float
    output_names: tuple[str, ...] = field(repr=False)
    species: tuple[str, ...] = field(repr=False)
    classes: tuple[Any, ...] = field(repr=False)
    # at which a single output decides
    threshold: float = field(repr=False)
    fluctuations: Fluctuations = field(repr=False)

    def __post_init__(self) -> None:
        read_only(self.outputs, self.concentrations)

    def at(self, volume: float) -> Noise:
        """The same at another volume, without solving again."""
        check_positive("volume", volume)
        return replace(self, volume=float(volume))

    def _shaped(self, values: FloatArray) -> FloatArray:
        """Of samples, or of the one."""
        return values if self.outputs.ndim > 1 else values[0]

    @property
    def mean(self) -> FloatArray:
        """Mean outputs (..., n_out), with their first correction."""
        return self.outputs + self._shaped(self.fluctuations.output_shift) / self.volume

    @property
    def covariance(self) -> FloatArray:
        """Of the outputs, (..., n_out, n_out)."""
        return self._shaped(self.fluctuations.output_covariance) / self.volume

    @property
    def standard_deviation(self) -> FloatArray:
        """Of each output, (..., n_out)."""
        found: FloatArray = np.sqrt(np.einsum("...ii->...i", self.covariance))
        return found

    @property
    def species_mean(self) -> FloatArray:
        """Mean concentrations (..., n_species), with their first correction."""
        return self.concentrations + self._shaped(self.fluctuations.shift) / self.volume

    @property
    def species_standard_deviation(self) -> FloatArray:
        """Of each species, (..., n_species)."""
        return np.sqrt(self._shaped(self.fluctuations.variance) / self.volume)

    @cached_property
    def probabilities(self) -> FloatArray:
        """Probability (..., n_classes) of each class, of outputs that are jointly normal.

        Exact for that law with two classes, right to some 1e-4 with more.
        """
        if not self.classes:
            raise NetworkError(
                "probabilities: the model has no classes; expected a Network for classification"
            )
        mean, covariance = np.atleast_2d(self.mean), self.covariance
        n_out = mean.shape[1]
        parts = mean, covariance.reshape(-1, n_out, n_out), self.threshold
        return self._shaped(class_probabilities(*parts))

    @cached_property
    def doubts(self) -> Mapping[str, str]:
        """By species, why its moments may be wrong at this volume."""
        return {}

    def to_frame(self) -> pd.DataFrame:
        """A row per sample and output: its deterministic value, mean and standard deviation."""
        levels = {"sample": range(len(np.atleast_2d(self.outputs))), "output": self.output_names}
        columns = {
            "deterministic": self.outputs,
            "mean": self.mean,
            "standard_deviation": self.standard_deviation,
        }
        return frame_of(levels, columns)

    def __repr__(self) -> str:
        n = len(np.atleast_2d(self.outputs))
        samples = "1 sample" if n == 1 else f"{n} samples"
        largest = float(self.standard_deviation.max(initial=0.0))
        doubts = f"; doubtful: {some(tuple(self.doubts), 6)}" if self.doubts else ""
        return (
            f"Noise({samples}, {len(self.output_names)} outputs, {len(self.species)} species,"
            f" volume {self.volume:g}: largest standard deviation {largest:.3g}{doubts})"
        )

    def _repr_html_(self) -> str:
        facts: dict[str, object] = {
            "outputs": some(self.output_names, 6),
            "species": f"{len(self.species):,}: {some(self.species, 6)}",
            "molecules at 1": self.volume,
        }
        notes = [f"{name}: {why}" for name, why in self.doubts.items()]
        return card("Noise", facts, self.to_frame(), notes=notes)
