"""The rate constants of a layer, and the drive that they make of what it reads."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from crn_nn_tellurium.basics import FloatArray, is_sparse
from crn_nn_tellurium.encoding import LayerEncoding, local_reactions, weighted_sums
from crn_nn_tellurium.networks import values_of, with_values


@dataclass(frozen=True, eq=False)
class RateConstants:
    """The rate constants of one layer; or factors on them, or a loss's derivatives by them.

    Arrays may have a leading axis of samples, of length 1 where all samples share what is in them.
    """

    # (..., n_weights), of the catalysts, with the sign of their effect on the pre-activation, as
    # stored in `LayerEncoding.weights`
    weights: FloatArray
    # (..., n_units, n_rails), with its sign
    bias: FloatArray
    # (..., n_local): h, q and those of followers, in the order of `Activation.rate_constants`
    local: FloatArray

    @staticmethod
    def of(encoding: LayerEncoding) -> RateConstants:
        """A network's own, without samples."""
        local = local_reactions(encoding).constants
        return RateConstants(values_of(encoding.weights), encoding.rail_bias, local)

    @property
    def shared(self) -> RateConstants:
        """The same for all samples: with a leading axis of length 1."""
        return RateConstants(self.weights[None], self.bias[None], self.local[None])

    def take(self, samples: npt.NDArray[np.intp]) -> RateConstants:
        """Those of some samples."""
        parts = (self.weights, self.bias, self.local)
        return RateConstants(*(part if len(part) == 1 else part[samples] for part in parts))

    def __mul__(self, factors: RateConstants) -> RateConstants:
        """One by one."""
        return RateConstants(
            self.weights * factors.weights, self.bias * factors.bias, self.local * factors.local
        )

    def __add__(self, other: RateConstants) -> RateConstants:
        """One by one, of derivatives."""
        return RateConstants(
            self.weights + other.weights, self.bias + other.bias, self.local + other.local
        )

    def scaled(self, factor: FloatArray) -> RateConstants:
        """Those of each sample times its factor (n,)."""
        f = factor[:, None]
        return RateConstants(self.weights * f, self.bias * f[..., None], self.local * f)


class Drive:
    """What a layer's units are driven by, as rows: laid out once for all catalysts that come.

    Rows, in the order of `rows`: the drive of each rail, the size of each rail's drive, which is
    that of its parts, added up; then the other rate constants.
    """

    def __init__(self, encoding: LayerEncoding, constants: RateConstants) -> None:
        """Of rate constants that have a leading axis of samples."""
        self._encoding, weights = encoding, constants.weights
        self._by_sample = weights if len(weights) > 1 else None
        matrix: Any = with_values(encoding.weights, weights[0])
        # weighted sums and their sizes come from one product
        stack = sparse.vstack if is_sparse(matrix) else np.concatenate
        self._both: Any = stack([matrix, abs(matrix)])
        signs = [float(rail.sign) for rail in encoding.activation.rails]
        n_rails, n_local = len(signs), constants.local.shape[1]
        self.rows = 2 * n_rails + n_local
        # each row is a factor of the sums, or of their sizes, and a number
        self._which = np.array([0] * n_rails + [1] * n_rails + [0] * n_local, dtype=np.intp)
        factors = [*signs, *[1.0] * n_rails, *[0.0] * n_local]
        self._factors = np.array(factors)[:, None, None]
        m = max(len(constants.bias), len(constants.local))
        self._n_units = encoding.layer.n_out
        self._numbers = np.empty((self.rows, m, self._n_units))
        bias = np.moveaxis(constants.bias, -1, 0)
        self._numbers[:n_rails] = bias
        self._numbers[n_rails : 2 * n_rails] = np.abs(bias)
        self._numbers[2 * n_rails :] = constants.local.T[..., None]

    def at(self, catalysts: FloatArray) -> FloatArray:
        """The rows (n_rows, n, n_units) for catalysts (n, n_catalysts) >= 0."""
        return self._factors * self._sums(catalysts).take(self._which, axis=0) + self._numbers

    def sizes(self, catalysts: FloatArray) -> FloatArray:
        """Sums (n, n_units) of catalysts by the weights' sizes."""
        return self._sums(catalysts)[1]

    def _sums(self, catalysts: FloatArray) -> FloatArray:
        """Weighted sums and their sizes (2, n, n_units)."""
        if self._by_sample is not None:
            both = self._by_sample, np.abs(self._by_sample)
            return np.stack([weighted_sums_of(self._encoding, w, catalysts) for w in both])
        found = weighted_sums(self._both, catalysts)
        return found.reshape(len(catalysts), 2, self._n_units).swapaxes(0, 1)


def weighted_sums_of(
    encoding: LayerEncoding, weights: FloatArray, catalysts: FloatArray
) -> FloatArray:
    """Sums (n, n_units) of catalysts (n, n_catalysts) by weights (m, n_weights), row by row."""
    pattern: Any = encoding.weights
    if not is_sparse(pattern):
        return weighted_sums(weights.reshape(len(weights), *pattern.shape), catalysts)
    if len(weights) == 1:
        return weighted_sums(with_values(pattern, weights[0]), catalysts)
    catalysts = np.ascontiguousarray(catalysts)
    parts = [
        np.add.reduce(catalysts[:, pattern.indices[a:b]] * weights[:, a:b], axis=1)
        for a, b in itertools.pairwise(pattern.indptr)
    ]
    return np.stack(parts, axis=1)
