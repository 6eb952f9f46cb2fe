"""What is exported: reactions, and the network that they came from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy.typing as npt

from crn_nn_tellurium._version import __version__
from crn_nn_tellurium.chemistry import ReactionNetwork, Units
from crn_nn_tellurium.encoding import Starts, written
from crn_nn_tellurium.networks import Network

DOI = "10.1098/rsif.2021.0031"
_CITATION = (
    "D. F. Anderson, B. Joshi and A. Deshpande, On reaction network implementations of neural"
    f" networks, J. R. Soc. Interface 18 (2021) 20210031, doi {DOI}"
)


@dataclass(frozen=True)
class Source:
    """A model on its way to a file, and what `export` was told about it."""

    model: Network | ReactionNetwork
    x: npt.ArrayLike | None = None
    stem: str = "model"  # of the file's name, for files that name one another
    units: Units | None = None
    starts: Starts = "numbers"

    @cached_property
    def crn(self) -> ReactionNetwork:
        """The reactions that are written."""
        return written(self.model, self.x, self.units, self.starts)

    @cached_property
    def with_formulas(self) -> ReactionNetwork:
        """The same with formulas for start values, whatever the file has."""
        return written(self.model, self.x, self.units, "formulas")

    @property
    def doi(self) -> str | None:
        """Of the article on such models; the origin of a reaction network is not known here."""
        return DOI if isinstance(self.model, Network) else None

    @property
    def outputs(self) -> list[str]:
        """What is reported: a network's outputs, reactions' read-outs, or else the species."""
        if isinstance(self.model, Network):
            return list(self.model.output_names)
        return [o.id for o in self.crn.observables] or list(self.crn.floating)

    @property
    def statements(self) -> list[str]:
        """Sentences for a header. No date, so that equal models are equal files."""
        crn = self.crn
        size = f"{len(crn.species)} species, {len(crn.reactions)} reactions"
        lines = [
            f"Mass-action reaction network {crn.name}: {size}. {crn.units.in_words}",
            f"Written by crn_nn_tellurium {__version__}.",
        ]
        if isinstance(self.model, Network):
            widths = self.model.n_in, *(layer.n_out for layer in self.model.layers)
            sizes = "-".join(map(str, widths))
            lines.append(f"The neural network {sizes} as chemistry, after {_CITATION}.")
        return lines

    def until(self, t_end: float | None) -> float:
        """The last time of a simulation, in the file's units: as given, or 100 of the model's."""
        return float(self.crn.units.time(100.0)) if t_end is None else t_end
