"""A layer's fixed point and its derivatives, from its reactions.

A layer's species y, given what it reads (catalysts x) and its rate constants k, settle where

    0 = f(y, x, k) = local(y, k) + drive(x, k) * y   (the second term on rails alone).

For a loss with gradient g with respect to y, the implicit function theorem gives, with J = df/dy,

    J^T lambda = g,    dL/dk = -lambda . df/dk,    dL/dx = -lambda . df/dx.

J is block triangular in the local names of `Activation.species`: a rail depends on itself, a follower
on rails and followers before it. Each block is solved for all samples and units at once. What stands in J is
the Jacobian of the layer's own `ReactionNetwork` (`encoding.local_reactions`); nothing here knows any
activation's formula.

Everything is in terms of rate constants, so that it serves perturbed ones as well.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from graphlib import TopologicalSorter
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from crn_nn_tellurium.activations import smoothed_relu
from crn_nn_tellurium.encoding import (
    LayerChemistry,
    add_to_sources,
    catalyst_concentrations,
    layer_chemistry,
    local_reactions,
)
from crn_nn_tellurium.errors import ConvergenceError, NetworkError, SingularJacobianError
from crn_nn_tellurium.network import INPUT, Network
from crn_nn_tellurium.parameters import places
from crn_nn_tellurium.reactions import FloatArray, is_sparse

NEWTON_STEPS = 50


@dataclass(frozen=True)
class RateConstants:
    """The rate constants of one layer, or a loss's derivatives with respect to them.

    Attributes
    ----------
    weights : (n_units, n_catalysts) ndarray or csr_array
        With the sign of their effect on the pre-activation.
    bias : (n_units, n_rails) ndarray
        Bias of each rail, with its sign.
    local : (n_local,) ndarray
        h, q, and those of followers, in the order of the local network.
    """

    weights: Any
    bias: FloatArray
    local: FloatArray


class LayerKinetics:
    """The kinetics of one layer: where it settles, and how that answers to small changes."""

    def __init__(self, chemistry: LayerChemistry) -> None:
        self.chemistry = chemistry
        self.activation = chemistry.activation
        self.local = local_reactions(chemistry)
        self.constants = RateConstants(chemistry.weights, chemistry.rail_bias, self.local.constants)
        self._signs = np.array([rail.sign for rail in self.activation.rails], dtype=float)
        self._n_species = len(self.activation.species)

    # The fixed point --------------------------------------------------------------------------

    def drive(self, catalysts: FloatArray, constants: RateConstants) -> FloatArray:
        """Drive (n, n_units, n_rails) of every unit's rails, for catalysts (n, n_catalysts)."""
        z = catalysts @ constants.weights.T
        return z[..., None] * self._signs + constants.bias

    def settle(self, catalysts: FloatArray, constants: RateConstants | None = None) -> FloatArray:
        """Concentrations (n, n_units, n_species) at the fixed point.

        With the network's own rate constants (the default) this is the activation's closed form;
        with others, Newton's method on the layer's equations, from the rails' exact roots.

        Raises
        ------
        ConvergenceError
            If Newton's method does not end at positive concentrations.
        """
        own = self.constants
        if constants is None:
            z = (catalysts @ own.weights.T + self.chemistry.bias) / self.activation.gain
            return self.activation.concentrations(z)
        drive = self.drive(catalysts, constants)
        h, q = constants.local[self._h], constants.local[self._q]
        y = np.empty((*drive.shape[:2], self._n_species))
        y[..., : len(self._signs)] = smoothed_relu(drive, h * q) / q
        if not self.activation.local_reactions:
            return y
        if self._n_species > len(self._signs):
            z = (catalysts @ constants.weights.T + self.chemistry.bias) / self.activation.gain
            y[..., len(self._signs) :] = self.activation.concentrations(z)[..., len(self._signs) :]
        for _ in range(NEWTON_STEPS):
            rates = self.local.right_hand_side(y, self._pool(y), constants.local)
            rates[..., : len(self._signs)] += drive * y[..., : len(self._signs)]
            step = self._linearize(drive, constants.local, y).solve(rates[..., None])[..., 0]
            y = y - step
            if np.all(np.abs(step) <= 1e-14 * np.abs(y)):
                break
        if not (np.all(np.isfinite(y)) and np.all(y > 0)):
            raise ConvergenceError(
                f"layer {self.chemistry.layer.name!r}: no positive fixed point was found with these rate constants"
            )
        return y

    def _pool(self, y: FloatArray) -> FloatArray:
        """Concentrations (n, n_units, n_pooled * n_units) of the pool, which every unit reads alike."""
        names = self.activation.pooled
        if not names:
            return np.empty(0)
        n, m, _ = y.shape
        pool = np.concatenate([y[:, :, self.activation.species.index(name)] for name in names], axis=1)
        return np.broadcast_to(pool[:, None, :], (n, m, pool.shape[1]))

    # Derivatives ------------------------------------------------------------------------------

    def linearize(self, catalysts: FloatArray, y: FloatArray, constants: RateConstants | None = None) -> Linearized:
        """The Jacobian of the layer at y (n, n_units, n_species)."""
        constants = constants or self.constants
        return self._linearize(self.drive(catalysts, constants), constants.local, y)

    def _linearize(self, drive: FloatArray, local: FloatArray, y: FloatArray) -> Linearized:
        values = self.local.jacobian_values(y, self._pool(y), local)
        own = {place: np.ascontiguousarray(values[..., entry]) for place, entry in self._own_entries.items()}
        for position in range(len(self._signs)):
            own[position, position] = own[position, position] + drive[..., position]
        pool = {place: values[..., entries] for place, entries in self._pool_entries.items()}
        return Linearized(self.chemistry.layer.name, self._blocks, own, pool)

    @cached_property
    def _own_entries(self) -> dict[tuple[int, int], int]:
        rows, columns = (part.tolist() for part in self.local.jacobian_pattern)
        return {
            (a, b): entry for entry, (a, b) in enumerate(zip(rows, columns, strict=True)) if b < self._n_species
        }

    @cached_property
    def _pool_entries(self) -> dict[tuple[int, int], list[int]]:
        """(row, column) in local names -> an entry for each unit of the pool."""
        result: dict[tuple[int, int], list[int]] = {}
        m = self.chemistry.layer.n_out
        rows, columns = (part.tolist() for part in self.local.jacobian_pattern)
        for entry, (a, b) in enumerate(zip(rows, columns, strict=True)):  # sorted by row, then column
            if b >= self._n_species:
                name = self.activation.pooled[(b - self._n_species) // m]
                result.setdefault((a, self.activation.species.index(name)), []).append(entry)
        return result

    @cached_property
    def _blocks(self) -> tuple[tuple[int, ...], ...]:
        """Local species that depend on one another both ways, what a block depends on before it."""
        places = [*self._own_entries, *self._pool_entries]
        size = self._n_species
        rows, columns = np.array(places).T
        graph = sparse.csr_array((np.ones(len(places)), (rows, columns)), shape=(size, size))
        _, label = connected_components(graph, connection="strong")
        before: dict[int, set[int]] = {int(part): set() for part in label}
        for a, b in places:
            if label[a] != label[b]:
                before[int(label[a])].add(int(label[b]))
        order = TopologicalSorter(before).static_order()
        return tuple(tuple(np.flatnonzero(label == part).tolist()) for part in order)

    def backward(
        self, catalysts: FloatArray, y: FloatArray, gradient: FloatArray, constants: RateConstants | None = None
    ) -> tuple[FloatArray, RateConstants]:
        """From dL/dy (n, n_units, n_species) to dL/d(catalysts) (n, n_catalysts) and to the rate constants."""
        constants = constants or self.constants
        weights = constants.weights
        adjoint = self.linearize(catalysts, y, constants).solve_transposed(gradient)
        rails = slice(0, len(self._signs))
        by_rail = -adjoint[..., rails] * y[..., rails]
        by_unit = by_rail @ self._signs
        by_weight: Any
        if is_sparse(weights):
            rows, columns = places(weights)
            data = np.einsum("nk,nk->k", by_unit[:, rows], catalysts[:, columns])
            by_weight = sparse.csr_array((data, weights.indices, weights.indptr), shape=weights.shape)
        else:
            by_weight = by_unit.T @ catalysts
        return by_unit @ weights, RateConstants(by_weight, by_rail.sum(axis=0), self._by_local(y, adjoint))

    def _by_local(self, y: FloatArray, adjoint: FloatArray) -> FloatArray:
        """dL/d(local rate constants): -lambda . df/dk, summed over samples and units."""
        by_reaction = self.local.monomials(y, self._pool(y)) * (adjoint @ self.local.stoichiometry.toarray())
        totals = -by_reaction.sum(axis=(0, 1))
        return np.bincount(self.local.constant_of_reaction, totals, len(self.local.rate_constants))

    def forcing(self, y: FloatArray, constant: int) -> FloatArray:
        """df/dk (n, n_units, n_species) for one local rate constant."""
        mine = self.local.constant_of_reaction == constant
        return (self.local.monomials(y, self._pool(y)) * mine) @ self.local.stoichiometry.toarray().T

    def respond(
        self, catalysts: FloatArray, y: FloatArray, by_catalyst: FloatArray, own: slice, h: int
    ) -> FloatArray:
        """dy/dp (n, n_units, n_species, n_parameters), given that of the catalysts (n, n_catalysts, n_parameters).

        `own` and `h` are where the layer's own weights and biases, and its h, stand among the parameters.
        """
        weights = self.constants.weights
        n, m = y.shape[:2]
        flat = by_catalyst.transpose(1, 0, 2).reshape(by_catalyst.shape[1], -1)
        by_z = (weights @ flat).reshape(m, n, -1).transpose(1, 0, 2).copy()
        rows, columns = places(self.chemistry.layer.weights)
        gain = self.activation.gain
        read = catalysts @ self._spread + gain * self.chemistry.constants
        place = np.arange(own.start, own.stop)
        by_z[:, rows, place[: len(rows)]] += read[:, columns]
        by_z[:, np.arange(m), place[len(rows) :]] += gain
        right = np.zeros((*y.shape, by_z.shape[2]))
        for position, sign in enumerate(self._signs.tolist()):
            right[:, :, position] -= sign * by_z * y[:, :, position, None]
        right[..., h] -= self.forcing(y, self._h)
        return self.linearize(catalysts, y).solve(right)

    # From rate constants to the network's parameters -------------------------------------------

    @property
    def _h(self) -> int:
        return self.local.rate_constants.index(f"h{self.chemistry.index}")

    @property
    def _q(self) -> int:
        return self.local.rate_constants.index(f"q{self.chemistry.index}")

    def to_parameters(self, gradient: RateConstants) -> tuple[Any, FloatArray, float]:
        """dL/d(weights), dL/d(bias) and dL/dh of the layer from those of its rate constants."""
        chemistry, gain = self.chemistry, self.activation.gain
        by_unit = gradient.bias @ self._signs
        weights = self.columns_of(gradient.weights)
        if chemistry.constants.any():
            shift = gain * chemistry.constants
            if is_sparse(weights):
                rows, _ = places(weights)
                weights.data += by_unit[rows] * shift[weights.indices]
            else:
                weights = weights + np.outer(by_unit, shift)
        return weights, gain * by_unit, float(gradient.local[self._h])

    def columns_of(self, by_catalyst: Any) -> Any:
        """Derivatives by catalyst (n_units, n_catalysts) as derivatives by value read (n_units, n_in)."""
        found = by_catalyst @ self._spread
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
        return sparse.csr_array((data, stored.indices, stored.indptr), shape=stored.shape)

    @cached_property
    def _spread(self) -> Any:
        """(n_catalysts, n_in): the factor from a weight to the rate constant of each catalyst."""
        catalysts, gain = self.chemistry.catalysts, self.activation.gain
        values = gain * np.array([catalyst.coefficient for catalyst in catalysts])
        columns = np.array([catalyst.column for catalyst in catalysts], dtype=int)
        shape = (len(catalysts), self.chemistry.layer.n_in)
        return sparse.csr_array((values, (np.arange(len(catalysts)), columns)), shape=shape)


@dataclass(frozen=True)
class Linearized:
    """J of one layer at given states, by pairs of local species.

    Attributes
    ----------
    name : str
        The layer's, for messages.
    blocks : tuple of tuple of int
        Local species that are solved for together, in the order of their dependence.
    own : mapping of (int, int) to (n, n_units) ndarray
        d f_a / d y_b within each unit.
    pool : mapping of (int, int) to (n, n_units, n_units) ndarray
        d f_a / d y_b of a unit with respect to each unit of the layer, besides `own`.
    """

    name: str
    blocks: tuple[tuple[int, ...], ...]
    own: Mapping[tuple[int, int], FloatArray]
    pool: Mapping[tuple[int, int], FloatArray]

    def solve_transposed(self, right: FloatArray) -> FloatArray:
        """lambda (n, n_units, n_species) with J^T lambda = right."""
        rest = [np.array(right[..., a]) for a in range(right.shape[-1])]
        for block in reversed(self.blocks):
            self._solve_block(block, rest, transposed=True)
            for (a, b), entry in self.own.items():
                if a in block and b not in block:
                    rest[b] -= entry * rest[a]
            for (a, b), entries in self.pool.items():
                if a in block and b not in block:
                    rest[b] -= np.matmul(rest[a][:, None, :], entries)[:, 0, :]
        return np.stack(rest, axis=-1)

    def solve(self, right: FloatArray) -> FloatArray:
        """s with J s = right, for right-hand sides (n, n_units, n_species, n_sides)."""
        rest = [np.array(right[:, :, a]) for a in range(right.shape[2])]
        for block in self.blocks:
            for (a, b), entry in self.own.items():
                if a in block and b not in block:
                    rest[a] -= entry[..., None] * rest[b]
            for (a, b), entries in self.pool.items():
                if a in block and b not in block:
                    rest[a] -= np.matmul(entries, rest[b])
            self._solve_block(block, rest, transposed=False)
        return np.stack(rest, axis=2)

    def _solve_block(self, block: Sequence[int], rest: list[FloatArray], transposed: bool) -> None:
        """Replace right-hand sides by solutions for the species of one block."""
        inside = [place for place in self.pool if place[0] in block and place[1] in block]
        if len(block) == 1 and not inside:
            (a,) = block
            pivot = self.own.get((a, a))
            if pivot is None or not pivot.all():
                raise self._singular(a)
            rest[a] = rest[a] / (pivot if transposed else pivot[..., None])
            return
        n, m = rest[block[0]].shape[:2]
        diagonal = np.arange(m)
        matrix = np.zeros((n, len(block), m, len(block), m))
        for i, a in enumerate(block):
            for j, b in enumerate(block):
                if (a, b) in self.own:
                    matrix[:, i, diagonal, j, diagonal] += np.moveaxis(self.own[a, b], 0, 0)
                if (a, b) in self.pool:
                    matrix[:, i, :, j, :] += self.pool[a, b]
        matrix = matrix.reshape(n, len(block) * m, len(block) * m)
        right = np.concatenate([rest[a] for a in block], axis=1)
        right = right[..., None] if transposed else right
        try:
            found = np.linalg.solve(np.swapaxes(matrix, 1, 2) if transposed else matrix, right)
        except np.linalg.LinAlgError as error:
            raise self._singular(block[0]) from error
        found = found[..., 0] if transposed else found
        for i, a in enumerate(block):
            rest[a] = found[:, i * m : (i + 1) * m]

    def _singular(self, species: int) -> SingularJacobianError:
        return SingularJacobianError(
            f"layer {self.name!r}: the Jacobian is singular in species number {species} of a unit, so its steady "
            "state is not isolated and has no derivatives; does every follower have a reaction that consumes it?"
        )


class NetworkKinetics:
    """The kinetics of all layers of a network."""

    def __init__(self, net: Network) -> None:
        self.net = net
        self.layers = tuple(LayerKinetics(chemistry) for chemistry in layer_chemistry(net))

    def catalysts(self, layer: LayerKinetics, concentrations: Mapping[str, FloatArray]) -> FloatArray:
        """What one layer reads, (n, n_catalysts)."""
        return catalyst_concentrations(self.net, layer.chemistry.layer, concentrations)

    def settle(self, x: npt.ArrayLike, constants: Sequence[RateConstants] | None = None) -> dict[str, FloatArray]:
        """Concentrations of inputs and layers at the steady state, by layer name; see `LayerKinetics.settle`."""
        found = {INPUT: self.net.input_coding.concentrations(x)}
        for number, layer in enumerate(self.layers):
            own = None if constants is None else constants[number]
            found[layer.chemistry.layer.name] = layer.settle(self.catalysts(layer, found), own)
        return found

    def split(self, x: npt.ArrayLike, concentrations: FloatArray) -> dict[str, FloatArray]:
        """The same from concentrations (n, n_species) of all floating species in order."""
        found = {INPUT: self.net.input_coding.concentrations(x)}
        first = 0
        for layer in self.layers:
            size = layer.chemistry.n_species
            block = concentrations[:, first : first + size]
            found[layer.chemistry.layer.name] = block.reshape(len(block), layer.chemistry.layer.n_out, -1)
            first += size
        return found

    def outputs(self, concentrations: Mapping[str, FloatArray]) -> FloatArray:
        """The network's outputs (n, n_out) at these concentrations."""
        last = self.layers[-1]
        return last.activation.read(concentrations[last.chemistry.layer.name])

    def backward(
        self,
        concentrations: Mapping[str, FloatArray],
        by_output: FloatArray,
        constants: Sequence[RateConstants] | None = None,
    ) -> tuple[list[RateConstants], FloatArray]:
        """From dL/d(outputs) (n, n_out) to all rate constants and to the input values (n, n_in)."""
        totals = {name: np.zeros_like(y) for name, y in concentrations.items()}
        last = self.layers[-1]
        for name, coefficient in last.activation.read_out.terms:
            totals[last.chemistry.layer.name][..., last.activation.species.index(name)] = coefficient * by_output
        gradients: list[RateConstants] = []
        for number, layer in reversed(list(enumerate(self.layers))):
            name = layer.chemistry.layer.name
            own = None if constants is None else constants[number]
            catalysts = self.catalysts(layer, concentrations)
            by_catalyst, gradient = layer.backward(catalysts, concentrations[name], totals[name], own)
            add_to_sources(self.net, layer.chemistry.layer, by_catalyst, totals)
            gradients.append(gradient)
        return gradients[::-1], totals[INPUT][..., 0] / self.input_coefficients

    @property
    def input_coefficients(self) -> FloatArray:
        """Coefficient of the first species of each input in its read-out, (n_in,).

        Layers read an input through its read-out alone, so one species tells the whole derivative.
        """
        coding = self.net.input_coding
        return np.array([coding.read_out(i).terms[0][1] for i in range(self.net.n_in)])


def forward_sensitivities(
    kinetics: NetworkKinetics, concentrations: Mapping[str, FloatArray], inputs: bool = False
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
    sources = concentrations[INPUT]
    n = len(sources)
    found = {INPUT: np.zeros((*sources.shape, total))}
    if inputs:
        # as in `backward`, the first species of an input carries its whole derivative
        each = np.arange(net.n_in)
        found[INPUT][:, each, 0, n_parameters + each] = 1 / kinetics.input_coefficients
    first = 0
    for number, layer in enumerate(kinetics.layers):
        name = layer.chemistry.layer.name
        own = slice(first, first + sizes[number])
        found[name] = layer.respond(
            kinetics.catalysts(layer, concentrations),
            concentrations[name],
            catalyst_concentrations(net, layer.chemistry.layer, found),
            own,
            sum(sizes) + number,
        )
        first += sizes[number]
    last = kinetics.layers[-1]
    result = np.zeros((n, net.n_out, total))
    for species, coefficient in last.activation.read_out.terms:
        result += coefficient * found[last.chemistry.layer.name][:, :, last.activation.species.index(species)]
    return result


def check_h(net: Network) -> None:
    """Refuse an activation in whose description h is more than the rails' rate constant.

    Raises
    ------
    NetworkError
        If a read-out, gain, rail or local reaction changes with h: dL/dh would leave that out.
    """
    for layer in net.layers:
        activation = layer.activation
        other = dataclasses.replace(activation, h=2 * activation.h)
        for part in ("rails", "read_out", "local_reactions", "gain"):
            if getattr(activation, part) != getattr(other, part):
                raise NetworkError(
                    f"layer {layer.name!r}: {part} of {activation} depend on h; derivatives take h as the rate "
                    "constant of its rails alone, so give the other numbers a field of their own"
                )
