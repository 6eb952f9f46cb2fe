"""A network in which every reaction has a rate constant of its own.

In the model rails of a unit share the constants of its weights, and units of a layer h, q and those
of followers; in a test tube each reaction has strands of its own, with errors of their own.

Here `RateConstants` are by reaction: weights (n, n_rails, n_weights), biases (n, n_units, n_rails),
local ones (n_reactions, n, n_units). Each of n samples has its own, or all share them, n = 1. A
reaction with every unit of a pool has one for all of them: they change a species by numbers of one
sign, so what is worst for one is worst for all.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from crn_nn_tellurium.basics import FloatArray, is_sparse
from crn_nn_tellurium.chemistry import ReactionNetwork
from crn_nn_tellurium.encoding import LayerEncoding, layer_encodings
from crn_nn_tellurium.kinetics.layer import LayerKinetics
from crn_nn_tellurium.kinetics.layer_state import LayerState
from crn_nn_tellurium.kinetics.network import NetworkKinetics
from crn_nn_tellurium.kinetics.rate_constants import RateConstants
from crn_nn_tellurium.networks import Network, places, values_of


class LayerApart(LayerKinetics):
    """A layer whose reactions have rate constants of their own."""

    def __init__(self, encoding: LayerEncoding) -> None:
        super().__init__(encoding)
        shared = self.local
        self.local = ReactionNetwork(
            shared.species,
            tuple(dataclasses.replace(r, rate_constant=f"k_{r.id}") for r in shared.reactions),
            name=shared.name,
        )
        bias, local = self.constants.bias, self.local.constants
        n_rails, n_units = len(self.activation.rails), encoding.layer.n_out
        weights = np.tile(values_of(encoding.weights), (n_rails, 1))
        each = np.tile(local[:, None, None], (1, 1, n_units))
        # in the shapes that `settle` and `backward` take, of one sample
        self.own = RateConstants(weights[None], bias[None], each)
        self._shape = encoding.weights.shape
        self._is_sparse = is_sparse(encoding.weights)
        if self._is_sparse:
            # products by weight are added up by unit, or by what is read
            self._rows, self._columns = places(encoding.weights)
            n_weights = len(self._rows)
            which, ones = np.arange(n_weights), np.ones(n_weights)
            n_rows, n_columns = self._shape
            self._by_unit: Any = sparse.csr_array((ones, (which, self._rows)), (n_weights, n_rows))
            self._by_catalyst: Any = sparse.csr_array(
                (ones, (which, self._columns)), (n_weights, n_columns)
            )

    def settle(
        self, catalysts: FloatArray, constants: RateConstants | None = None, by_row: bool = False
    ) -> LayerState:
        """The layer at its fixed point, whatever the batch."""
        used = constants or self.own
        drive = [
            rail.sign * self._sums(used.weights[:, r], catalysts) + used.bias[..., r]
            for r, rail in enumerate(self.activation.rails)
        ]
        return LayerState(catalysts, drive, self.in_turn(drive, used.local)).checked(self.name)

    def backward(
        self,
        state: LayerState,
        gradient: list[FloatArray],
        constants: RateConstants | None = None,
        sizes: bool = False,
        sources: bool = True,
    ) -> tuple[FloatArray | None, RateConstants]:
        """As `LayerKinetics.backward`, but derivatives by rate constants are by sample too."""
        used = constants or self.own
        adjoint = self.linearize(state, used.local).solve_transposed(gradient)
        rails = self.activation.rails
        by_rail = [-part * y for part, y in zip(adjoint, state.y, strict=False)][: len(rails)]
        by_drive = [rail.sign * part for rail, part in zip(rails, by_rail, strict=True)]
        by_catalyst: Any = None
        if sources:
            by_catalyst = sum(
                self._sums_transposed(used.weights[:, r], part) for r, part in enumerate(by_drive)
            )
        terms, shape = self.local.terms, state.y[0].shape
        by_local, ones = np.zeros((len(used.local), *shape)), np.ones((len(used.local), 1, 1))
        for t in range(len(terms)):
            # a term is linear in its rate constant: its value at 1 is its derivative
            by_local[terms.constant[t]] -= adjoint[terms.row[t]] * self.value(
                terms, t, ones, state.y
            )
        weights = np.stack([self._products(part, state.catalysts) for part in by_drive], axis=1)
        return by_catalyst, RateConstants(weights, np.stack(by_rail, axis=-1), by_local)

    def _sums(self, weights: FloatArray, catalysts: FloatArray) -> FloatArray:
        """W X by unit (n, n_units), every sample with weights of its own (n, n_weights)."""
        if self._is_sparse:
            return np.asarray((weights * catalysts[:, self._columns]) @ self._by_unit)
        return (weights.reshape(-1, *self._shape) @ catalysts[..., None])[..., 0]

    def _sums_transposed(self, weights: FloatArray, by_unit: FloatArray) -> FloatArray:
        """W' G by catalyst (n, n_catalysts)."""
        if self._is_sparse:
            return np.asarray((weights * by_unit[:, self._rows]) @ self._by_catalyst)
        return (by_unit[:, None] @ weights.reshape(-1, *self._shape))[:, 0]

    def _products(self, by_unit: FloatArray, catalysts: FloatArray) -> FloatArray:
        """G_i X_j where there is a weight (n, n_weights)."""
        if self._is_sparse:
            return by_unit[:, self._rows] * catalysts[:, self._columns]
        return (by_unit[..., None] * catalysts[:, None]).reshape(len(by_unit), -1)


class KineticsApart(NetworkKinetics):
    """A network whose reactions have rate constants of their own, as rows of numbers too."""

    def __init__(self, net: Network) -> None:
        super().__init__(net)
        self.apart = tuple(LayerApart(encoding) for encoding in layer_encodings(net))
        self.layers = self.apart
        self.own = self.to_rows([layer.own for layer in self.apart])[0]

    @cached_property
    def units(self) -> npt.NDArray[np.intp]:
        """To which unit, counted through all layers, each number of a row belongs."""
        row, first = np.empty_like(self.own), 0
        for layer, part in zip(self.apart, self.from_rows(row[None]), strict=True):
            each = first + np.arange(layer.encoding.layer.n_out)
            part.weights[:] = each[places(layer.encoding.weights)[0]]
            part.bias[:] = each[:, None]
            part.local[:] = each
            first += len(each)
        return row.astype(np.intp)

    def to_rows(self, constants: Sequence[RateConstants]) -> FloatArray:
        """Numbers (n, n_numbers): by layer those of weights, of biases, of local reactions."""
        parts = [
            part.reshape(len(part), -1)
            for k in constants
            for part in (k.weights, k.bias, k.local.swapaxes(0, 1))
        ]
        return np.concatenate(parts, axis=1)

    def from_rows(self, rows: FloatArray) -> list[RateConstants]:
        """The same numbers as rate constants; views."""
        found, first = [], 0
        for layer in self.apart:
            parts = []
            for own in (layer.own.weights, layer.own.bias, layer.own.local.swapaxes(0, 1)):
                part = rows[:, first : first + own.size]
                parts.append(part.reshape(len(rows), *own.shape[1:]))
                first += own.size
            found.append(RateConstants(parts[0], parts[1], parts[2].swapaxes(0, 1)))
        return found
