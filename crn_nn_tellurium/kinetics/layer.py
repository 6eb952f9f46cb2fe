"""A layer's fixed point and its derivatives, from its reactions.

A layer's species y, given what it reads (catalysts x) and its rate constants k, settle where

    0 = f(y, x, k) = local(y, k) + drive(x, k) * y   (the second term on rails alone).

For a loss with gradient g with respect to y, the implicit function theorem gives, with J = df/dy,

    J^T lambda = g,    dL/dk = -lambda . df/dk,    dL/dx = -lambda . df/dx.

J is block triangular in the local names of `Activation.species`: a rail depends on itself, a
follower on rails and followers before it. Each block is solved for all samples and units at once.
What stands in J is the Jacobian of the layer's own `ReactionNetwork` (`encoding.local_reactions`);
nothing here knows any activation's formula.

Everything is in terms of rate constants, so that it serves perturbed ones as well.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from graphlib import TopologicalSorter
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from crn_nn_tellurium.basics import FloatArray, is_sparse
from crn_nn_tellurium.chemistry import Term
from crn_nn_tellurium.encoding import (
    LayerChemistry,
    add_to_sources,
    catalyst_concentrations,
    layer_chemistry,
    local_reactions,
    weighted_sums,
)
from crn_nn_tellurium.errors import ConvergenceError, NetworkError
from crn_nn_tellurium.kinetics.linearized import Linearized
from crn_nn_tellurium.networks import INPUT, Network, outer_sum, places, smoothed_relu, with_values

NEWTON_STEPS = 50


@dataclass(frozen=True)
class RateConstants:
    """The rate constants of one layer, or a loss's derivatives with respect to them.

    Attributes
    ----------
    weights : (n_units, n_catalysts) ndarray or csr_array
        With the sign of their effect on the pre-activation.
    bias : (n_units, n_rails) ndarray
        Bias of each rail, with its sign; for `LayerKinetics.settle` also (n, n_units, n_rails), by
        sample.
    local : (n_local,) ndarray
        h, q, and those of followers, in the order of the local network.
    """

    weights: Any
    bias: FloatArray
    local: FloatArray


@dataclass(frozen=True)
class LayerState:
    """A layer at a fixed point.

    Attributes
    ----------
    catalysts : (n, n_catalysts) ndarray
        What it reads.
    drive : list of (n, n_units) ndarray
        Of each rail.
    y : list of (n, n_units) ndarray
        Of each species of a unit.
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


@dataclass(frozen=True)
class LocalTerm:
    """number * constant * product of a unit's own species * product of species of a unit of the
    pool.
    """

    number: int
    constant: int
    own: tuple[int, ...]
    pooled: tuple[int, ...]

    def evaluate(self, constants: FloatArray, y: Sequence[FloatArray]) -> Any:
        """Its value by unit (n, n_units), added up over the pool."""
        result: Any = self.number * constants[self.constant]
        for a in self.own:
            result = result * y[a]
        if self.pooled:
            product: Any = math.prod(y[b] for b in self.pooled)
            result = result * product.sum(axis=1, keepdims=True)
        return result

    def by_pair(self, constants: FloatArray, y: Sequence[FloatArray]) -> Any:
        """Its value by unit and unit of the pool (n, n_units, n_units)."""
        result: Any = self.number * constants[self.constant]
        for a in self.own:
            result = result * y[a][:, :, None]
        for b in self.pooled:
            result = result * y[b][:, None, :]
        return result


class LayerKinetics:
    """The kinetics of one layer: where it settles, and how that answers to small changes."""

    def __init__(self, chemistry: LayerChemistry) -> None:
        self.chemistry = chemistry
        self.activation = chemistry.activation
        self.local = local_reactions(chemistry)
        self.constants = RateConstants(chemistry.weights, chemistry.rail_bias, self.local.constants)
        self._signs = [rail.sign for rail in self.activation.rails]

    @property
    def name(self) -> str:
        """The layer's."""
        return self.chemistry.layer.name

    # Terms of the local network, by number instead of by name
    # --------------------------------------

    def _local(self, term: Term) -> LocalTerm:
        own, pool = self.local.floating, self.local.boundary
        names = self.activation.pooled
        return LocalTerm(
            term.number,
            self.local.rate_constants.index(term.rate_constant),
            tuple(own.index(s) for s in term.species if s in own),
            tuple(
                self.activation.species.index(names[pool.index(s)])
                for s in term.species
                if s in pool
            ),
        )

    @cached_property
    def terms(self) -> list[list[LocalTerm]]:
        """f of each species of a unit, but for the drive."""
        return [[self._local(term) for term in self.local.terms[s]] for s in self.local.floating]

    @cached_property
    def _own_terms(self) -> dict[tuple[int, int], list[LocalTerm]]:
        """df_a/dy_b within a unit, but for the drive, which stands on the diagonal of each rail."""
        own = self.local.floating
        found: dict[tuple[int, int], list[LocalTerm]] = {
            (rail, rail): [] for rail in range(len(self._signs))
        }
        for (row, column), terms in self.local.jacobian_terms.items():
            if column in own:
                found[own.index(row), own.index(column)] = [self._local(term) for term in terms]
        return found

    @cached_property
    def _pool_terms(self) -> dict[tuple[int, int], list[LocalTerm]]:
        """df_a/dy_b with respect to each unit of the layer, besides that within a unit."""
        own, pool = self.local.floating, self.local.boundary
        return {
            (
                own.index(row),
                self.activation.species.index(self.activation.pooled[pool.index(column)]),
            ): [self._local(term) for term in terms]
            for (row, column), terms in self.local.jacobian_terms.items()
            if column in pool
        }

    @cached_property
    def blocks(self) -> tuple[tuple[int, ...], ...]:
        """Local species that depend on one another both ways, what a block depends on before it."""
        entries = [*self._own_terms, *self._pool_terms]
        size = len(self.local.floating)
        rows, columns = np.array(entries).T
        graph = sparse.csr_array((np.ones(len(entries)), (rows, columns)), shape=(size, size))
        _, label = connected_components(graph, connection="strong")
        before: dict[int, set[int]] = {int(part): set() for part in label}
        for a, b in entries:
            if label[a] != label[b]:
                before[int(label[a])].add(int(label[b]))
        order = TopologicalSorter(before).static_order()
        return tuple(tuple(np.flatnonzero(label == part).tolist()) for part in order)

    @cached_property
    def _together(self) -> set[tuple[int, int]]:
        """Pairs of species of one block."""
        return {(a, b) for block in self.blocks for a in block for b in block}

    # The fixed point --------------------------------------------------------------------------

    def at(self, catalysts: FloatArray, concentrations: FloatArray) -> LayerState:
        """The layer at concentrations (n, n_units, n_species) found elsewhere, by the engine say."""
        y = [np.ascontiguousarray(concentrations[..., a]) for a in range(concentrations.shape[2])]
        return LayerState(
            catalysts, self._drive(catalysts @ self.constants.weights.T, self.constants), y
        )

    def settle(
        self, catalysts: FloatArray, constants: RateConstants | None = None, by_row: bool = False
    ) -> LayerState:
        """The layer at its fixed point.

        With the network's own rate constants (the default) this is the activation's closed form;
        with others, Newton's method on the layer's equations, from the rails' exact roots.
        With `by_row`, a sample's state is the same to the bit in whatever batch it comes; a matrix
        product, many times faster for large layers, differs in the last bits.

        Raises
        ------
        ConvergenceError
            If Newton's method does not end at positive concentrations.
        """
        used = constants or self.constants
        sums = weighted_sums(used.weights, catalysts) if by_row else catalysts @ used.weights.T
        drive = self._drive(sums, used)
        closed = self.activation.concentrations((sums + self.chemistry.bias) / self.activation.gain)
        y = [np.ascontiguousarray(closed[..., a]) for a in range(closed.shape[2])]
        if constants is None:
            return LayerState(catalysts, drive, y)
        h, q = constants.local[self._h], constants.local[self._q]
        y[: len(drive)] = [smoothed_relu(u, h * q) / q for u in drive]
        if self.activation.local_reactions:
            y = self._newton(drive, constants.local, y)
        return LayerState(catalysts, drive, y)

    def _drive(self, sums: FloatArray, constants: RateConstants) -> list[FloatArray]:
        """Drive of each rail, from the weighted sums (n, n_units) of the catalysts."""
        return [sign * sums + constants.bias[..., rail] for rail, sign in enumerate(self._signs)]

    def _newton(
        self, drive: list[FloatArray], local: FloatArray, y: list[FloatArray]
    ) -> list[FloatArray]:
        for _ in range(NEWTON_STEPS):
            rates = [
                sum(term.evaluate(local, y) for term in terms) + np.zeros_like(y[0])
                for terms in self.terms
            ]
            for rail, u in enumerate(drive):
                rates[rail] = rates[rail] + u * y[rail]
            steps = self._linearize(drive, local, y).solve([rate[..., None] for rate in rates])
            y = [part - step[..., 0] for part, step in zip(y, steps, strict=True)]
            if all(
                np.all(np.abs(step[..., 0]) <= 1e-14 * np.abs(part))
                for part, step in zip(y, steps, strict=True)
            ):
                break
        if not all(np.all(np.isfinite(part) & (part > 0)) for part in y):
            raise ConvergenceError(
                f"layer {self.name!r}: no positive fixed point was found with these rate constants"
            )
        return y

    # Derivatives ------------------------------------------------------------------------------

    def linearize(
        self, state: LayerState, constants: RateConstants | None = None, sizes: bool = False
    ) -> Linearized:
        """The Jacobian of the layer.

        With `sizes`, one whose transposed solve adds up the sizes of all contributions, negated:
        the diagonal of J is negative, so -|J| on it, and off it sums of |terms|, add where J
        cancels. Exact where every block is one species; larger blocks are solved as they are.
        """
        return self._linearize(state.drive, (constants or self.constants).local, state.y, sizes)

    def _linearize(
        self, drive: list[FloatArray], local: FloatArray, y: list[FloatArray], sizes: bool = False
    ) -> Linearized:
        own = {}
        for (a, b), terms in self._own_terms.items():
            sign = abs if sizes and (a, b) not in self._together else _unchanged
            entry: Any = drive[a] if a == b and a < len(drive) else 0.0
            for term in terms:
                entry = entry + sign(term.evaluate(local, y))
            own[a, b] = np.broadcast_to(-abs(entry) if sizes and a == b else entry, y[0].shape)
        shape = (*y[0].shape, y[0].shape[1])
        pool = {}
        for place, terms in self._pool_terms.items():
            sign = abs if sizes and place not in self._together else _unchanged
            pool[place] = np.broadcast_to(
                sum(sign(term.by_pair(local, y)) for term in terms), shape
            )
        return Linearized(self.name, self.activation.species, self.blocks, own, pool)

    def backward(
        self,
        state: LayerState,
        gradient: list[FloatArray],
        constants: RateConstants | None = None,
        sizes: bool = False,
        sources: bool = True,
    ) -> tuple[FloatArray | None, RateConstants]:
        """From dL/dy, (n, n_units) by species, to dL/d(catalysts) (n, n_catalysts) and to the rate
        constants.

        With `sizes`, every contribution counts by its absolute value: what cancels in the
        derivative does not cancel here. Without `sources`, the catalysts are left out.
        """
        constants = constants or self.constants
        weights: Any = constants.weights
        sign: Callable[[Any], Any] = abs if sizes else _unchanged
        adjoint = self.linearize(state, constants, sizes).solve_transposed(gradient)
        by_rail = [-adjoint[rail] * state.y[rail] for rail in range(len(self._signs))]
        by_unit: Any = sum(part * sign(s) for part, s in zip(by_rail, self._signs, strict=True))
        by_weight = outer_sum(weights, by_unit, state.catalysts)
        ones, by_local = (
            np.ones(len(self.local.rate_constants)),
            np.zeros(len(self.local.rate_constants)),
        )
        for a, terms in enumerate(self.terms):
            for term in terms:
                part = term.evaluate(ones, state.y)
                by_local[term.constant] -= np.sum(adjoint[a] * sign(part))
        by_bias = np.stack([part.sum(axis=0) for part in by_rail], axis=1)
        return (by_unit @ sign(weights) if sources else None), RateConstants(
            by_weight, by_bias, by_local
        )

    def respond(self, state: LayerState, by_catalyst: FloatArray, own: slice, h: int) -> FloatArray:
        """dy/dp (n, n_units, n_species, n_parameters), given that of the catalysts (n, n_catalysts,
        n_parameters).

        `own` and `h` are where the layer's own weights and biases, and its h, stand among the
        parameters.
        """
        weights, y = self.constants.weights, state.y
        n, m = y[0].shape
        flat = by_catalyst.transpose(1, 0, 2).reshape(by_catalyst.shape[1], -1)
        by_z = (weights @ flat).reshape(m, n, -1).transpose(1, 0, 2).copy()
        rows, columns = places(self.chemistry.layer.weights)
        gain = self.activation.gain
        read = state.catalysts @ self._spread + gain * self.chemistry.constants
        place = np.arange(own.start, own.stop)
        by_z[:, rows, place[: len(rows)]] += read[:, columns]
        by_z[:, np.arange(m), place[len(rows) :]] += gain
        right = [np.zeros_like(by_z) for _ in y]
        for rail, sign in enumerate(self._signs):
            right[rail] -= sign * by_z * y[rail][..., None]
        for a, terms in enumerate(self.terms):
            for term in terms:
                if term.constant == self._h:
                    right[a][..., h] -= term.evaluate(np.ones_like(self.constants.local), y)
        return np.stack(self.linearize(state).solve(right), axis=2)

    # From rate constants to the network's parameters -------------------------------------------

    @property
    def _h(self) -> int:
        return self.local.rate_constants.index(f"h{self.chemistry.index}")

    @property
    def _q(self) -> int:
        return self.local.rate_constants.index(f"q{self.chemistry.index}")

    def to_parameters(
        self, gradient: RateConstants, sizes: bool = False
    ) -> tuple[Any, FloatArray, float]:
        """dL/d(weights), dL/d(bias) and dL/dh of the layer from those of its rate constants."""
        chemistry, gain = self.chemistry, self.activation.gain
        by_unit = gradient.bias @ np.array(
            [abs(s) if sizes else s for s in self._signs], dtype=float
        )
        weights = self.columns_of(gradient.weights, sizes)
        if chemistry.constants.any():
            shift = gain * (np.abs(chemistry.constants) if sizes else chemistry.constants)
            if is_sparse(weights):
                rows, _ = places(weights)
                weights.data += by_unit[rows] * shift[weights.indices]
            else:
                weights = weights + np.outer(by_unit, shift)
        return weights, gain * by_unit, float(gradient.local[self._h])

    def columns_of(self, by_catalyst: Any, sizes: bool = False) -> Any:
        """Derivatives by catalyst (n_units, n_catalysts) as derivatives by value read (n_units,
        n_in).
        """
        factors, one_each = self._factors
        if one_each and not is_sparse(by_catalyst):
            return by_catalyst * (np.abs(factors) if sizes else factors)
        found = by_catalyst @ (abs(self._spread) if sizes else self._spread)
        if not is_sparse(by_catalyst):
            return found
        # scipy drops entries that come out as zero: put all back where the layer stores a weight
        stored: Any = self.chemistry.layer.weights
        width = stored.shape[1]
        found.sort_indices()
        rows, columns = places(found)
        keys = np.append(rows * width + columns, -1)
        rows, columns = places(stored)
        wanted = rows * width + columns
        at = np.searchsorted(keys[:-1], wanted)
        data = np.where(keys[at] == wanted, np.append(found.data, 0.0)[at], 0.0)
        return with_values(stored, data)

    @cached_property
    def _factors(self) -> tuple[FloatArray, bool]:
        """From a weight to the rate constant of each catalyst; whether each value read is one
        catalyst.
        """
        catalysts = self.chemistry.catalysts
        factors = self.activation.gain * np.array([catalyst.coefficient for catalyst in catalysts])
        return factors, [catalyst.column for catalyst in catalysts] == list(
            range(self.chemistry.layer.n_in)
        )

    @cached_property
    def _spread(self) -> Any:
        """(n_catalysts, n_in): the same as a matrix."""
        columns = np.array([catalyst.column for catalyst in self.chemistry.catalysts], dtype=int)
        shape = (len(columns), self.chemistry.layer.n_in)
        return sparse.csr_array((self._factors[0], (np.arange(len(columns)), columns)), shape=shape)


class NetworkKinetics:
    """The kinetics of all layers of a network."""

    def __init__(self, net: Network) -> None:
        self.net = net
        self.layers = tuple(LayerKinetics(chemistry) for chemistry in layer_chemistry(net))

    @property
    def species(self) -> tuple[str, ...]:
        """Identifiers of the floating species: by layer, unit, then the activation's species."""
        return tuple(name for layer in self.layers for name in layer.chemistry.species)

    def settle(
        self, x: FloatArray, constants: Sequence[RateConstants] | None = None, by_row: bool = False
    ) -> list[LayerState]:
        """All layers at the steady state of checked inputs x (n, n_in); see `LayerKinetics.settle`."""
        return self.settle_coded(self.net.input_coding.code(x), constants, by_row)

    def settle_coded(
        self,
        inputs: FloatArray,
        constants: Sequence[RateConstants] | None = None,
        by_row: bool = False,
    ) -> list[LayerState]:
        """The same for concentrations (n, n_in, n_rails) of the inputs' species."""
        found = {INPUT: inputs}
        states = []
        for number, layer in enumerate(self.layers):
            own = None if constants is None else constants[number]
            state = layer.settle(
                catalyst_concentrations(self.net, layer.chemistry.layer, found), own, by_row
            )
            found[layer.name] = state.concentrations
            states.append(state)
        return states

    def at(self, x: FloatArray, concentrations: FloatArray) -> list[LayerState]:
        """All layers at concentrations (n, n_species) of all floating species in order."""
        found = {INPUT: self.net.input_coding.code(x)}
        states, first = [], 0
        for layer in self.layers:
            size = layer.chemistry.n_species
            block = concentrations[:, first : first + size].reshape(
                len(x), layer.chemistry.layer.n_out, -1
            )
            states.append(
                layer.at(catalyst_concentrations(self.net, layer.chemistry.layer, found), block)
            )
            found[layer.name] = block
            first += size
        return states

    def outputs(self, states: Sequence[LayerState]) -> FloatArray:
        """The network's outputs (n, n_out) in these states."""
        return self.layers[-1].activation.read(states[-1].concentrations)

    def backward(
        self,
        states: Sequence[LayerState],
        by_output: FloatArray,
        constants: Sequence[RateConstants] | None = None,
        sizes: bool = False,
        inputs: bool = False,
    ) -> tuple[list[RateConstants], FloatArray | None]:
        """From dL/d(outputs) (n, n_out) to all rate constants and, if asked for, to the input
        values (n, n_in).

        With `sizes`, the sums of the absolute values of all contributions (see
        `LayerKinetics.backward`).
        """
        n = len(by_output)
        totals = {
            layer.name: np.zeros((n, layer.chemistry.layer.n_out, len(layer.activation.species)))
            for layer in self.layers
        }
        if inputs:
            totals[INPUT] = np.zeros((n, self.net.n_in, len(self.net.input_coding.rails)))
        last = self.layers[-1]
        for name, coefficient in last.activation.read_out.terms:
            by_species = np.abs(coefficient * by_output) if sizes else coefficient * by_output
            totals[last.name][..., last.activation.species.index(name)] += by_species
        gradients: list[RateConstants] = []
        for number, layer in reversed(list(enumerate(self.layers))):
            own = None if constants is None else constants[number]
            total = totals[layer.name]
            columns = [np.ascontiguousarray(total[..., a]) for a in range(total.shape[2])]
            wanted = inputs or layer.chemistry.layer.inputs != (INPUT,)
            by_catalyst, gradient = layer.backward(states[number], columns, own, sizes, wanted)
            if by_catalyst is not None:
                add_to_sources(self.net, layer.chemistry.layer, by_catalyst, totals)
            gradients.append(gradient)
        by_input = totals[INPUT][..., 0] / self.input_coefficients if inputs else None
        return gradients[::-1], by_input

    def check_h(self) -> None:
        """Refuse where h is more than the rate constant of the rails, as dL/dh takes it.

        Raises
        ------
        NetworkError
            If a read-out, gain, rail or local reaction of an activation changes with h.
        """
        for layer in self.layers:
            activation = layer.activation
            other = dataclasses.replace(activation, h=2 * activation.h)
            for part in ("rails", "read_out", "local_reactions", "gain"):
                if getattr(activation, part) != getattr(other, part):
                    raise NetworkError(
                        f"layer {layer.name!r}: {part} of {activation} depend on h; derivatives"
                        " take h as the rate constant of its rails alone, so give the other"
                        " numbers a field of their own"
                    )

    @cached_property
    def input_coefficients(self) -> FloatArray:
        """Coefficient of the first species of each input in its read-out, (n_in,).

        Layers read an input through its read-out alone, so one species tells the whole derivative.
        """
        coding = self.net.input_coding
        return np.array([coding.read_out(i).terms[0][1] for i in range(self.net.n_in)])


def forward_sensitivities(
    kinetics: NetworkKinetics, states: Sequence[LayerState], inputs: bool = False
) -> FloatArray:
    """d(outputs)/d(parameters) at a steady state, by forward substitution through the layers.

    Returns
    -------
    (n, n_out, n_parameters) ndarray
        Parameters in the order of `parameters.parameters`, then, if asked for, the inputs.
    """
    net = kinetics.net
    sizes = [len(places(layer.weights)[0]) + layer.n_out for layer in net.layers]
    n_parameters = sum(sizes) + len(net.layers)
    total = n_parameters + (net.n_in if inputs else 0)
    n = len(states[0].catalysts)
    found = {INPUT: np.zeros((n, net.n_in, len(net.input_coding.rails), total))}
    if inputs:
        # as in `backward`, the first species of an input carries its whole derivative
        each = np.arange(net.n_in)
        found[INPUT][:, each, 0, n_parameters + each] = 1 / kinetics.input_coefficients
    first = 0
    for number, (layer, state) in enumerate(zip(kinetics.layers, states, strict=True)):
        by_catalyst = catalyst_concentrations(net, layer.chemistry.layer, found)
        own = slice(first, first + sizes[number])
        found[layer.name] = layer.respond(state, by_catalyst, own, sum(sizes) + number)
        first += sizes[number]
    last = kinetics.layers[-1]
    result = np.zeros((n, net.n_out, total))
    for species, coefficient in last.activation.read_out.terms:
        result += coefficient * found[last.name][:, :, last.activation.species.index(species)]
    return result


def _unchanged(value: Any) -> Any:
    return value
