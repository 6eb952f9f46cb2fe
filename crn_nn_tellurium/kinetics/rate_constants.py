"""The rate constants of a layer by sample: what a batch is solved with when every sample may have
its own.

Arrays have a leading dimension of 1 where all samples share them, of n where they do not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import FloatArray, is_sparse
from crn_nn_tellurium.encoding import LayerChemistry, local_reactions, weighted_sums
from crn_nn_tellurium.networks import values_of, with_values


@dataclass(frozen=True)
class LayerConstants:
    """Rate constants of one layer for one sample (m = 1 serves them all) or for each of a batch.

    Attributes
    ----------
    weights : (m, n_weights) ndarray
        Of the catalysts, with the sign of their effect on the pre-activation, in the order of
        `values_of`.
    bias : (m, n_units, n_rails) ndarray
        Bias of each rail, with its sign.
    local : (m, n_local) ndarray
        In the order of `Activation.rate_constants`.
    """

    weights: FloatArray
    bias: FloatArray
    local: FloatArray

    @staticmethod
    def of(chemistry: LayerChemistry) -> LayerConstants:
        """A network's own."""
        local = local_reactions(chemistry).constants
        return LayerConstants(
            values_of(chemistry.weights)[None], chemistry.rail_bias[None], local[None]
        )

    def take(self, samples: npt.NDArray[np.intp]) -> LayerConstants:
        """Those of some samples."""
        return LayerConstants(
            *(
                part if len(part) == 1 else part[samples]
                for part in (self.weights, self.bias, self.local)
            )
        )


def drive(
    chemistry: LayerChemistry, constants: LayerConstants, catalysts: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Drive of every unit's rails, for catalysts (n, n_catalysts), and the sum of its parts' sizes.

    Both have shape (n, n_units, n_rails).
    """
    signs = np.array([rail.sign for rail in chemistry.activation.rails], dtype=float)
    z = weighted_sums_of(chemistry, constants.weights, catalysts)
    size = weighted_sums_of(chemistry, np.abs(constants.weights), np.abs(catalysts))
    return z[..., None] * signs + constants.bias, size[..., None] + np.abs(constants.bias)


def weighted_sums_of(
    chemistry: LayerChemistry, weights: FloatArray, catalysts: FloatArray
) -> FloatArray:
    """Sums (n, n_units) of catalysts (n, n_catalysts) by stored weights (m, n_weights), row by row."""
    pattern, catalysts = chemistry.weights, np.ascontiguousarray(catalysts)
    if len(weights) == 1:
        return weighted_sums(with_values(pattern, weights[0]), catalysts)
    if is_sparse(pattern):
        spans = [slice(a, b) for a, b in zip(pattern.indptr[:-1], pattern.indptr[1:], strict=True)]
        read = [pattern.indices[span] for span in spans]
    else:
        n_units, n_catalysts = pattern.shape
        spans = [slice(j * n_catalysts, (j + 1) * n_catalysts) for j in range(n_units)]
        read = [slice(None)] * n_units
    parts = zip(read, spans, strict=True)
    return np.stack(
        [
            np.add.reduce(catalysts[:, columns] * weights[:, span], axis=1)
            for columns, span in parts
        ],
        axis=1,
    )
