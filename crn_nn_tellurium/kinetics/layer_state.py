"""The state of a layer, for a batch of samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crn_nn_tellurium.basics import FloatArray


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

    def sample(self, number: int) -> LayerState:
        """The state of one sample."""
        one = slice(number, number + 1)
        return LayerState(
            self.catalysts[one], [u[one] for u in self.drive], [part[one] for part in self.y]
        )


def by_species(concentrations: FloatArray) -> list[FloatArray]:
    """By local species (n, n_units), of (n, n_units, n_species)."""
    return [np.ascontiguousarray(concentrations[..., a]) for a in range(concentrations.shape[2])]
