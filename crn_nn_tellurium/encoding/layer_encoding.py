"""From a layer's weights and biases to its rate constants and back: the only place with this map.

The layers before give values v = r + sum of c * concentration, read-outs with constants r and
coefficients c. In terms of concentrations X, a rail of the layer is driven by

    sign gain (W v + b) + shift = sign sum of (gain w c) X + (sign gain (W r + b) + shift)

so a weight has one rate constant for each species of the value that it reads, and the constants of
read-outs go into the biases. Signs stay with the numbers; which way they turn a reaction is the
business of `unit`.

Weights are written as the numbers that are stored, row by row (`networks.values_of`): of a sparse
matrix its entries alone. They may have a leading axis of samples.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from crn_nn_tellurium.basics import FloatArray, is_sparse
from crn_nn_tellurium.networks import (
    INPUT,
    Activation,
    Layer,
    Network,
    ReadOut,
    input_ids,
    places,
    unit_ids,
    values_of,
    with_values,
)


@dataclass(frozen=True, slots=True)
class Catalyst:
    """A species that a layer reads."""

    id: str
    label: str  # its part of a weight's identifier
    column: int
    coefficient: float


@dataclass(frozen=True, slots=True)
class Source:
    """A layer, or the inputs, that a layer reads."""

    name: str
    n_units: int
    species: tuple[int, ...]  # the places of what is read among a unit's species
    span: slice  # where its catalysts stand among the layer's


@dataclass(frozen=True, eq=False)
class LayerEncoding:
    """One layer of a network as chemistry."""

    index: int  # from 1
    layer: Layer  # its own weights and biases, and the pattern of all others
    catalysts: tuple[Catalyst, ...]  # source by source
    sources: tuple[Source, ...]
    constants: FloatArray  # (n_in,), those of the read-outs of the values that the layer reads

    @property
    def activation(self) -> Activation:
        return self.layer.activation

    @property
    def species(self) -> tuple[str, ...]:
        """Identifiers of the layer's species, by unit, then as the activation lists them."""
        return self._identified(self.activation.species)

    @property
    def followers(self) -> tuple[str, ...]:
        """Identifiers of those that are not rails."""
        return self._identified(tuple(follower.name for follower in self.activation.followers))

    def _identified(self, local: tuple[str, ...]) -> tuple[str, ...]:
        units = (unit_ids(self.index, unit) for unit in range(self.layer.n_out))
        return tuple(identify(name) for identify in units for name in local)

    @cached_property
    def n_species(self) -> int:
        return self.layer.n_out * len(self.activation.species)

    # What is read -----------------------------------------------------------------------------

    def gather(self, concentrations: Mapping[str, FloatArray]) -> FloatArray:
        """What the layer reads (n, n_catalysts, ...), of concentrations (n, n_units, n_species,
        ...) by layer name or ``"input"``; further dimensions, of derivatives say, are kept.
        """
        parts = {}
        for source in self.sources:
            y = concentrations[source.name]
            # inputs have no species but those that are read, and some layers neither
            whole = source.name == INPUT or source.species == tuple(range(y.shape[2]))
            read = y if whole else y[:, :, list(source.species)]
            shape = (len(y), read.shape[1] * read.shape[2], *y.shape[3:])
            parts[source.name] = read.reshape(shape)
        return self.layer.read(parts, axis=1)

    def scatter(self, by_catalyst: FloatArray, totals: Mapping[str, FloatArray]) -> None:
        """Add values (n, n_catalysts) to the places among the totals that `gather` reads."""
        for source in self.sources:
            if source.name in totals:
                part = by_catalyst[:, source.span]
                shape = (len(part), source.n_units, len(source.species))
                totals[source.name][:, :, list(source.species)] += part.reshape(shape)

    # Weights and biases -------------------------------------------------------------------------

    @cached_property
    def _factors(self) -> FloatArray:
        """From a weight to the rate constant of each catalyst, (n_catalysts,)."""
        return self.activation.gain * np.array([c.coefficient for c in self.catalysts])

    @cached_property
    def _columns(self) -> npt.NDArray[np.intp]:
        return np.array([catalyst.column for catalyst in self.catalysts], dtype=np.intp)

    @cached_property
    def _numbers(self) -> Any:
        """(n_units, n_catalysts): which of the layer's stored weights each entry is made of."""
        # the matrix of the weights' numbers, with a column for each catalyst of a value, tells
        # dense and sparse ones alike; numbers start at 1, since a 0 would not be stored
        count = np.arange(1.0, len(values_of(self.layer.weights)) + 1)
        return with_values(self.layer.weights, count)[:, self._columns]

    @cached_property
    def _source(self) -> npt.NDArray[np.intp]:
        return np.asarray(values_of(self._numbers), dtype=np.intp) - 1

    @cached_property
    def _factor(self) -> FloatArray:
        """By entry, what the stored weight is multiplied by."""
        return self._factors[places(self._numbers)[1]]

    @cached_property
    def _shifts(self) -> FloatArray:
        return np.array([rail.shift for rail in self.activation.rails])

    @cached_property
    def _has_constants(self) -> bool:
        return bool(self.constants.any())

    @cached_property
    def _one_each(self) -> bool:
        """Whether each value has one species, in order, so that there is nothing to sum."""
        return np.array_equal(self._columns, np.arange(self.layer.n_in))

    @cached_property
    def _signs(self) -> FloatArray:
        return np.array([rail.sign for rail in self.activation.rails], dtype=float)

    def apply(self, weights: FloatArray, bias: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Signed rate constants of stored weights (..., n_values) and biases (..., n_units).

        Those of weights (..., n_weights) go by unit and catalyst, as stored in `self.weights`;
        those of biases (..., n_units, n_rails) include each rail's sign and shift.
        """
        by_rail = self.drive_bias(weights, bias)[..., None] * self._signs + self._shifts
        return weights[..., self._source] * self._factor, by_rail

    def drive_bias(self, weights: FloatArray, bias: FloatArray) -> FloatArray:
        """gain (b + W r), (..., n_units)."""
        if self._has_constants:
            # of no weights, how many rows there are does not follow from how many numbers
            rows = weights.reshape(math.prod(weights.shape[:-1]), weights.shape[-1])
            shift = [with_values(self.layer.weights, row) @ self.constants for row in rows]
            bias = bias + np.array(shift).reshape(*weights.shape[:-1], self.layer.n_out)
        return self.activation.gain * bias

    def transpose(
        self, by_weight: FloatArray, by_bias: FloatArray, sizes: bool = False
    ) -> tuple[FloatArray, FloatArray]:
        """Derivatives by stored weights (n_values,) and biases (n_units,) from those by rate
        constants, as `apply` gives them; with `sizes`, contributions count by absolute value.
        """
        size: Callable[[Any], Any] = np.abs if sizes else np.asarray
        by_unit = size(self.activation.gain) * (by_bias @ size(self._signs))
        found = by_weight * size(self._factor)
        if not self._one_each:
            found = np.bincount(self._source, found, len(values_of(self.layer.weights)))
        if self._has_constants:
            # a weight is in the bias too, times the constant of the read-out that it reads
            rows, columns = places(self.layer.weights)
            found = found + by_unit[rows] * size(self.constants)[columns]
        return found, by_unit

    def values_read(self, catalysts: FloatArray) -> FloatArray:
        """gain times the values (n, n_in) that concentrations (n, n_catalysts) stand for."""
        shape = (len(self.catalysts), self.layer.n_in)
        each = (np.arange(len(self.catalysts)), self._columns)
        spread = sparse.csr_array((self._factors, each), shape=shape)
        return catalysts @ spread + self.activation.gain * self.constants

    # The same with one number per weight, for who searches among rate constants ------------------

    @cached_property
    def largest_factor(self) -> FloatArray:
        largest = np.zeros(self.layer.n_in)
        np.maximum.at(largest, self._columns, np.abs(self._factors))
        # a value of which nothing is read has no rate constant; its weight stays as it is
        largest = np.where(largest > 0, largest, self.activation.gain)
        return np.asarray(largest[places(self.layer.weights)[1]])

    def to_drive(self, weights: FloatArray, bias: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The largest rate constant, signed, of each stored weight, and each unit's bias as its
        drive has it, without the rails' shifts.
        """
        return weights * self.largest_factor, self.drive_bias(weights, bias)

    def from_drive(self, weights: FloatArray, bias: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Stored weights and biases from what `to_drive` gives."""
        own = weights / self.largest_factor
        without = self.drive_bias(own, np.zeros_like(bias))
        return own, (bias - without) / self.activation.gain

    def by_drive(self, by_weight: FloatArray, by_bias: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Derivatives by what `to_drive` gives, from those by stored weights and biases."""
        own = by_weight
        if self._has_constants:
            rows, columns = places(self.layer.weights)
            own = by_weight - by_bias[rows] * self.constants[columns]
        return own / self.largest_factor, by_bias / self.activation.gain

    # The network's own ------------------------------------------------------------------------

    @cached_property
    def _own(self) -> tuple[FloatArray, FloatArray]:
        return self.apply(values_of(self.layer.weights), self.layer.bias)

    @cached_property
    def weights(self) -> FloatArray | sparse.csr_array:
        """Signed coefficients (n_units, n_catalysts) in the drive, gain included."""
        return with_values(self._numbers, self._own[0])

    @property
    def rail_bias(self) -> FloatArray:
        """Bias (n_units, n_rails) of each rail, sign and shift included."""
        return self._own[1]

    @cached_property
    def bias(self) -> FloatArray:
        """The bias (n_units,), gain and the constants of the read-outs included."""
        return self.drive_bias(values_of(self.layer.weights), self.layer.bias)

    def row(self, unit: int, zeros: bool = False) -> Iterator[tuple[Catalyst, float]]:
        """The catalysts of one unit and their weights; of zero, only with `zeros`, if stored."""
        if is_sparse(self.weights):
            span = slice(self.weights.indptr[unit], self.weights.indptr[unit + 1])
            pairs = zip(
                self.weights.indices[span].tolist(), self.weights.data[span].tolist(), strict=True
            )
        else:
            pairs = enumerate(self.weights[unit].tolist())  # type: ignore[assignment]
        return ((self.catalysts[i], weight) for i, weight in pairs if zeros or weight != 0)


def layer_encodings(net: Network) -> tuple[LayerEncoding, ...]:
    """Every layer of a network as chemistry."""
    coding = net.input_coding
    # by source: the read-out of each unit, its species' identifiers, and where they stand
    read_outs: dict[str, list[tuple[ReadOut, Callable[[str], str]]]] = {
        INPUT: [(coding.read_out(i), input_ids(name)) for i, name in enumerate(net.input_names)]
    }
    species = {INPUT: tuple(range(len(coding.rails)))}
    result = []
    for index, layer in enumerate(net.layers, start=1):
        catalysts: list[Catalyst] = []
        sources = []
        read = [entry for source in layer.inputs for entry in read_outs[source]]
        for column, (read_out, identify) in enumerate(read):
            for name, coefficient in read_out.read:
                label = f"{column}" if len(read_out.read) == 1 else f"{column}_{name}"
                catalysts.append(Catalyst(identify(name), label, column, coefficient))
        first = 0
        for source in layer.inputs:
            end = first + len(read_outs[source]) * len(species[source])
            span = slice(first, end)
            sources.append(Source(source, len(read_outs[source]), species[source], span))
            first = end
        constants = np.array([read_out.constant for read_out, _ in read])
        result.append(LayerEncoding(index, layer, tuple(catalysts), tuple(sources), constants))
        own = layer.activation.read_out
        read_outs[layer.name] = [(own, unit_ids(index, j)) for j in range(layer.n_out)]
        species[layer.name] = tuple(layer.activation.species.index(name) for name, _ in own.read)
    return tuple(result)


def weighted_sums(weights: FloatArray | sparse.csr_array, catalysts: FloatArray) -> FloatArray:
    """catalysts @ weights.T, each row summed by itself; of weights (n, n_units, n_catalysts) each
    sample has its own.
    """
    # BLAS's product of two matrices differs in the last bits with the number of rows; a sample's
    # answer must not depend on the batch it comes in, so each is a product of its own
    catalysts = np.ascontiguousarray(catalysts)
    if is_sparse(weights):
        return np.ascontiguousarray((weights @ catalysts.T).T)
    return np.matmul(weights, catalysts[:, :, None])[:, :, 0]
