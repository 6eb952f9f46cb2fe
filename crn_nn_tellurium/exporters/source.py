"""What is exported: reactions, and the network that they came from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy.typing as npt

from crn_nn_tellurium._version import __version__
from crn_nn_tellurium.chemistry import ReactionNetwork
from crn_nn_tellurium.dna import StrandDisplacement
from crn_nn_tellurium.encoding import to_reactions
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.networks import Network

DOI = "10.1098/rsif.2021.0031"
_CITATION = (
    "D. F. Anderson, B. Joshi and A. Deshpande, On reaction network implementations of neural"
    f" networks, J. R. Soc. Interface 18 (2021) 20210031, doi {DOI}"
)


@dataclass(frozen=True)
class Source:
    """A model on its way to a file.

    Parameters
    ----------
    model : Network or ReactionNetwork
    x : (n_in,) array_like, optional
        For a Network, the input values that the file holds; 0 by default.
    stem : str
        The file's name without its ending, for files that name one another.
    """

    model: Network | ReactionNetwork
    x: npt.ArrayLike | None = None
    stem: str = "model"

    @cached_property
    def crn(self) -> ReactionNetwork:
        """The reactions that are written."""
        return to_reactions(self.model, self.x) if isinstance(self.model, Network) else self.model

    def __post_init__(self) -> None:
        if isinstance(self.model, ReactionNetwork) and self.x is not None:
            raise InputError(
                "x goes with a Network; a ReactionNetwork has its boundary concentrations already"
            )

    @property
    def doi(self) -> str | None:
        """Of the article that describes the model; None for a reaction network, whose origin is not
        known here.
        """
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
        lines = [
            (
                f"Mass-action reaction network {crn.name}: {len(crn.species)} species,"
                f" {len(crn.reactions)} reactions. Concentrations in nM, time in s."
            ),
            f"Written by crn_nn_tellurium {__version__}.",
        ]
        if isinstance(self.model, Network):
            sizes = "-".join(
                str(n) for n in (self.model.n_in, *(layer.n_out for layer in self.model.layers))
            )
            lines.append(f"The neural network {sizes} as chemistry, after {_CITATION}.")
        return lines

    def until(self, t_end: float | None) -> float:
        """The last time of a simulation, in s: as given, or 100 units of time."""
        if t_end is not None:
            return t_end
        return 100.0 * (self.model.units.tau if isinstance(self.model, StrandDisplacement) else 1.0)
