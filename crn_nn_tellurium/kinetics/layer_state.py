"""The state of a layer, for a batch of samples, and the root where a species settles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.errors import ConvergenceError


@dataclass(frozen=True)
class LayerState:
    """A layer at a fixed point: of what it reads (n, n_catalysts), drives (n, n_units) by rail and
    concentrations (n, n_units) by local species.
    """

    catalysts: FloatArray
    drive: list[FloatArray]
    y: list[FloatArray]

    @property
    def concentrations(self) -> FloatArray:
        """The same as (n, n_units, n_species)."""
        return self.y[0][..., None] if len(self.y) == 1 else np.stack(self.y, axis=-1)

    def checked(self, layer: str) -> LayerState:
        """The same; refused, by the layer's name, where it is no positive fixed point."""
        if not all(np.all(np.isfinite(part) & (part > 0)) for part in self.y):
            raise ConvergenceError(
                f"layer {layer!r}: no positive fixed point was found with these rate constants"
            )
        return self

    def sample(self, number: int) -> LayerState:
        """The state of one sample."""
        one = slice(number, number + 1)
        return LayerState(
            self.catalysts[one], [u[one] for u in self.drive], [part[one] for part in self.y]
        )


def by_species(concentrations: FloatArray) -> list[FloatArray]:
    """By local species (n, n_units), of (n, n_units, n_species)."""
    return [np.ascontiguousarray(concentrations[..., a]) for a in range(concentrations.shape[2])]


def positive_root(c0: FloatArray, c1: FloatArray, c2: FloatArray) -> FloatArray:
    """The root >= 0 of c0 + c1 y + c2 y^2 with c0 >= 0, c2 <= 0; infinite if there is none."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        root = np.sqrt(c1 * c1 - 4 * c0 * c2)
        # of the two forms of one root, that in which nothing cancels
        rising = np.where(c2 < 0, (c1 + root) / (-2 * c2), np.inf)
        return np.where(c1 < 0, 2 * c0 / (root - c1), rising)
