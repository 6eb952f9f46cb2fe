"""What `noise` finds: means and covariances at a volume, and what is doubtful about them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import FloatArray, card, check_positive, frame_of, read_only, some
from crn_nn_tellurium.errors import NetworkError
from crn_nn_tellurium.fluctuations.probabilities import class_probabilities

if TYPE_CHECKING:
    import pandas as pd


MOVED = 0.03
"""Part of a mean that its first correction may be. Of 672 rails, what is below it and not lost had
the variance of exact birth and death within 36 %, nine tenths of them within 6 %; above it,
variances may be off by any factor (`tests/fluctuations`)."""
BENT = 0.1
"""Part of a variance that curved rates, or a curved read-out, may make by themselves."""
GONE = 0.01
"""Share of the time that a species may be without a molecule, about."""
FOR_EVER = 1e12
"""Of its own lifetimes, how long what nothing makes again must last to be called steady."""
FEW = 10
"""Molecules up to which a species' law is not normal."""


@dataclass(frozen=True, eq=False)
class Fluctuations:
    """By sample, what fluctuates about steady states at a volume of 1; at V, it is over V.

    Rates, of molecules at that volume, say what may go wrong.
    """

    output_shift: FloatArray  # (n, n_out)
    output_covariance: FloatArray  # (n, n_out, n_out)
    # all others are (n, n_species)
    shift: FloatArray
    variance: FloatArray
    # made by reactions that do not read it, and that do; lost by those that read one molecule of it
    anew: FloatArray
    of_itself: FloatArray
    removal: FloatArray
    # variance that curves make by themselves, beside that of first order
    bending: FloatArray
    # how far, beside its distance from another class, an output is moved by a molecule of a species
    # that makes most of its variance
    reach: FloatArray

    def __post_init__(self) -> None:
        read_only(*vars(self).values())

    def doubts(self, x: FloatArray, volume: float | FloatArray) -> dict[str, npt.NDArray[np.bool_]]:
        """By reason, which of the concentrations x (n, n_species) are doubtful."""
        moved = np.abs(self.shift) > MOVED * volume * x
        # what would die out if a few molecules were left: growth does not make up for the losses
        lasting = (self.removal == 0) | (self.of_itself < 0.99 * self.removal)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            # how often it is at 0, by the normal law, and how many lifetimes it then stays there
            often = np.exp(-(x**2) * volume / (2 * self.variance))
            lives = self.removal / np.maximum(self.anew * volume * x, self.removal / FOR_EVER)
            gone = ~lasting & (often * lives > GONE)
        few = (x * volume < FEW) & (FEW * self.reach > volume)
        return {
            f"the mean moves by above {MOVED:.0%}": moved,
            "it may be lost for long": gone,
            f"curves make above {BENT:.0%} of the scatter": self.bending > BENT * volume,
            f"below {FEW} molecules of it decide on the class, whose law is not normal": few,
        }

    def doubtful(self, x: FloatArray, volume: float | FloatArray) -> npt.NDArray[np.bool_]:
        """Which of them are, for whatever reason, (n, n_species)."""
        return np.logical_or.reduce(list(self.doubts(x, volume).values()))


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
    output_names: tuple[str, ...]
    species: tuple[str, ...]
    classes: tuple[Any, ...]
    # at which a single output decides
    threshold: float
    fluctuations: Fluctuations

    def __post_init__(self) -> None:
        read_only(self.outputs, self.concentrations)

    def at(self, volume: float) -> Noise:
        """The same at another volume, in molecules at a concentration of 1; nothing is solved
        again.

        Raises
        ------
        InputError
            If the volume is not positive.

        Examples
        --------
        >>> import crn_nn_tellurium as cn
        >>> found = cn.noise(cn.load_model("xor"), [0, 1], volume=5000)
        >>> bool(found.at(1250).standard_deviation == 2 * found.standard_deviation)
        True
        """
        check_positive("volume", volume)
        return replace(self, volume=float(volume))

    def _shaped(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
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

        Exact for that law with two classes; with more right to 1e-3, near 0 and 1 to far less.

        Raises
        ------
        NetworkError
            If the model has no classes.
        """
        if not self.classes:
            raise NetworkError(
                "probabilities: the model has no classes; expected a Network for classification"
            )
        mean, covariance = np.atleast_2d(self.mean), self.covariance
        n_out = mean.shape[1]
        parts = mean, covariance.reshape(-1, n_out, n_out), self.threshold
        return self._shaped(class_probabilities(*parts))

    @property
    def doubtful(self) -> npt.NDArray[np.bool_]:
        """Which species' moments or law may be wrong at this volume, (..., n_species)."""
        x = np.atleast_2d(self.concentrations)
        return self._shaped(self.fluctuations.doubtful(x, self.volume))

    @property
    def doubts(self) -> dict[str, str]:
        """By species that is doubtful at this volume, why, and in how many of several samples.

        Examples
        --------
        >>> import crn_nn_tellurium as cn
        >>> cn.noise(cn.load_model("xor"), [0, 1], volume=100).doubts["Y1_0"]
        'the mean moves by above 3%; it may be lost for long'
        """
        x, found = np.atleast_2d(self.concentrations), {}
        n, reasons = len(x), self.fluctuations.doubts(x, self.volume)
        for place, name in enumerate(self.species):
            counts = {why: int(where[:, place].sum()) for why, where in reasons.items()}
            told = [f"{why} ({k} of {n})" if n > 1 else why for why, k in counts.items() if k]
            if told:
                found[name] = "; ".join(told)
        return found

    def to_frame(self) -> pd.DataFrame:
        """A row per sample and output: its value without noise, mean and standard deviation, and
        how many species are doubtful there.

        Examples
        --------
        >>> from crn_nn_tellurium import load_model, noise
        >>> frame = noise(load_model("xor"), [[0, 0], [0, 1]], volume=1000).to_frame()
        >>> list(frame.columns), list(frame.index.names)
        (['without_noise', 'mean', 'standard_deviation', 'doubtful_species'], ['sample', 'output'])
        """
        n, n_out = np.atleast_2d(self.outputs).shape
        levels = {"sample": range(n), "output": self.output_names}
        columns = {
            "without_noise": self.outputs,
            "mean": self.mean,
            "standard_deviation": self.standard_deviation,
            "doubtful_species": np.repeat(np.atleast_2d(self.doubtful).sum(axis=1), n_out),
        }
        return frame_of(levels, columns)

    def species_to_frame(self) -> pd.DataFrame:
        """A row per sample and species: its concentration without noise, mean and standard
        deviation, and whether they are doubtful.

        Examples
        --------
        >>> from crn_nn_tellurium import load_model, noise
        >>> frame = noise(load_model("xor"), [0, 1], volume=1000).species_to_frame()
        >>> bool(frame.loc[(0, "Y1_0"), "doubtful"])
        True
        """
        levels = {"sample": range(len(np.atleast_2d(self.outputs))), "species": self.species}
        columns = {
            "without_noise": self.concentrations,
            "mean": self.species_mean,
            "standard_deviation": self.species_standard_deviation,
            "doubtful": self.doubtful,
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
