"""The linear noise of a neural network's chemistry, layer by layer, for many samples at once.

A level is one local species of a layer, of all its units: a rail Y_r reads what the layer reads,

    d(dY_r/dt)/dX = s_r Y_r W,    noise = (sum of |drives| + local rates) of Y_r,

and followers read species of their own unit, or of all units of their layer. Inputs are held, so
they have no noise of their own.

The mean is not the deterministic steady state: a reaction in which two fluctuating species meet
happens k S_pq / V more often than in the mean, one of two equal molecules k (S_pp - y_p) / V. Where
this moves the mean is d / V with J d + b = 0, b the sum of these over reactions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import FloatArray, dense
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.fluctuations.levels import Block, Levels, Pairs, block_of
from crn_nn_tellurium.kinetics import LayerKinetics, LayerState, NetworkKinetics, RateConstants
from crn_nn_tellurium.networks import INPUT


@dataclass(frozen=True, eq=False)
class NetworkNoise:
    """Fluctuations about the steady states of n samples, at a volume of 1.

    Covariances and shifts of concentrations at another volume V are these over V.

    Raises
    ------
    InputError
        If species of a layer act on one another both ways, so that there are no levels; or if there
        is not one state, and one set of rate constants, for each layer.
    """

    kinetics: NetworkKinetics
    states: Sequence[LayerState]
    constants: Sequence[RateConstants] | None = None
    # whether to keep covariances of all pairs of levels, which derivatives need
    all_pairs: bool = False

    def __post_init__(self) -> None:
        layers = self.kinetics.layers
        for layer in layers:
            layer.check_order("cn.noise of such a network goes by its reactions", InputError)
        for what, given in (("states", self.states), ("rate constants", self.constants)):
            if given is not None and len(given) != len(layers):
                raise InputError(
                    f"{what} of {len(given)} layers; expected {len(layers)}, one for each layer"
                )

    @cached_property
    def level_of(self) -> dict[tuple[str, int], int]:
        """By layer's name and local species, the number of its level."""
        found: dict[tuple[str, int], int] = {}
        for layer in self.kinetics.layers:
            for (species,) in layer.blocks:
                found[layer.name, species] = len(found)
        return found

    def constants_of(self, number: int) -> RateConstants:
        """A layer's rate constants."""
        own = self.kinetics.layers[number].constants
        return own if self.constants is None else self.constants[number]

    @cached_property
    def levels(self) -> Levels:
        """The Jacobian."""
        diagonal: list[FloatArray] = []
        reads: list[tuple[tuple[int, Block], ...]] = []
        for number, (layer, state) in enumerate(
            zip(self.kinetics.layers, self.states, strict=True)
        ):
            linear = layer.linearize(state, self.constants_of(number).local)
            for (a,) in layer.blocks:
                # what is pooled is the same of all units
                diagonal.append(np.broadcast_to(linear.own[a, a], state.y[a].shape))
                own = [
                    (self.level_of[layer.name, b], Block(None, entry))
                    for (row, b), entry in linear.own.items()
                    if row == a != b
                ]
                own += [
                    (self.level_of[layer.name, b], Block(entries))
                    for (row, b), entries in linear.pool.items()
                    if row == a
                ]
                if a < len(layer.activation.rails):
                    sign = layer.activation.rails[a].sign
                    own += [
                        (level, Block(part, sign * state.y[a]))
                        for level, part in self._weights(number)
                    ]
                reads.append(tuple(own))
        return Levels(tuple(diagonal), tuple(reads))

    def levels_read(self, number: int) -> list[tuple[int, slice]]:
        """The levels that a layer reads, and where their species stand among its catalysts."""
        return [
            (
                self.level_of[source.name, species],
                # catalysts stand by unit, then by species
                slice(source.span.start + place, source.span.stop, len(source.species)),
            )
            for source in self.kinetics.layers[number].encoding.sources
            if source.name != INPUT
            for place, species in enumerate(source.species)
        ]

    def _weights(self, number: int) -> list[tuple[int, Any]]:
        """By level that a layer reads, the weights (n_units, m) of its species."""
        weights = self.kinetics.layers[number].weights(self.constants_of(number))
        return [(level, weights[:, columns]) for level, columns in self.levels_read(number)]

    @cached_property
    def sizes(self) -> list[list[FloatArray]]:
        """By layer and rail, sums (n, n_units) of the sizes of what drives it."""
        found = []
        for number, (layer, state) in enumerate(
            zip(self.kinetics.layers, self.states, strict=True)
        ):
            constants = self.constants_of(number)
            sums = state.catalysts @ abs(layer.weights(constants)).T
            rails = range(len(layer.activation.rails))
            found.append([sums + np.abs(constants.bias[..., rail]) for rail in rails])
        return found

    @cached_property
    def diffusion(self) -> Pairs:
        """D = N diag(v) N' of the reactions at the steady state."""
        found: Pairs = {}
        for number, (layer, state) in enumerate(
            zip(self.kinetics.layers, self.states, strict=True)
        ):
            constants = self.constants_of(number)
            diagonal = np.arange(layer.encoding.layer.n_out)
            for (a, b), rates in _local_diffusion(layer, state, constants.local).items():
                if a == b < len(layer.activation.rails):
                    rates = rates + self.sizes[number][a] * state.y[a]
                level, other = self.level_of[layer.name, a], self.level_of[layer.name, b]
                if level >= other:
                    shape = (*state.y[a].shape, len(diagonal))
                    block = found.setdefault((level, other), np.zeros(shape))
                    block[:, diagonal, diagonal] = rates
        return found

    @cached_property
    def covariance(self) -> Pairs:
        """S, by pairs of levels: all, or those of one layer and of what it reads."""
        if self.all_pairs:
            return self.levels.lyapunov(self.diffusion)
        kept = {(level, read) for level, own in enumerate(self.levels.reads) for read, _ in own}
        for layer in self.kinetics.layers:
            own = [self.level_of[layer.name, a] for a in range(len(layer.activation.species))]
            kept.update((a, b) for a in own for b in own if a >= b)
        return self.levels.lyapunov(self.diffusion, kept)

    def between(self, number: int, a: int, b: int) -> FloatArray:
        """Covariance (n, n_units, n_units) of two local species of a layer."""
        name = self.kinetics.layers[number].name
        return block_of(self.covariance, self.level_of[name, a], self.level_of[name, b])

    @cached_property
    def curvature(self) -> list[FloatArray]:
        """b, (n, m_l) by level: how much more is made than by the mean."""
        found: list[Any] = [0.0] * len(self.levels)
        for number, (layer, state) in enumerate(
            zip(self.kinetics.layers, self.states, strict=True)
        ):
            n_rails = len(layer.activation.rails)
            for (a,) in layer.blocks:
                level = self.level_of[layer.name, a]
                total = self._local_curvature(number, a)
                for read, weights in self._weights(number) if a < n_rails else ():
                    together = self.covariance[level, read]
                    part = np.einsum("ji,nji->nj", dense(weights), together)
                    total = total + layer.activation.rails[a].sign * part
                found[level] = total + np.zeros_like(state.y[a])
        return found

    def _local_curvature(self, number: int, a: int) -> Any:
        layer, state = self.kinetics.layers[number], self.states[number]
        terms, constants = layer.local.terms, self.constants_of(number).local
        total: Any = 0.0
        for t in terms.span(a):
            own, pooled = layer.factors(terms, t)
            if len(own) + len(pooled) < 2:
                continue
            p, q = own + pooled
            together = self.between(number, p, q)
            each = np.einsum("njj->nj", together) - (state.y[p] if p == q else 0.0)
            if len(pooled) == 1:
                # with each unit of the layer, of which the own is one
                each = together.sum(axis=2) - (state.y[p] if p == q else 0.0)
            elif len(pooled) == 2:
                each = each.sum(axis=1, keepdims=True)
            total = total + terms.number[t] * constants[terms.constant[t]] * each
        return total

    @cached_property
    def shift(self) -> list[FloatArray]:
        """d, (n, m_l) by level: the mean's first correction."""
        return self.levels.solve([-part for part in self.curvature])

    @cached_property
    def turnover(self) -> tuple[list[FloatArray], list[FloatArray], list[FloatArray]]:
        """By level (n, m_l), how fast species are made by reactions that do not read them, and by
        those that do; and lost by reactions that read one molecule of them.
        """
        found: list[list[Any]] = [[0.0] * len(self.levels) for _ in range(3)]
        anew, of_itself, removal = found
        for number, (layer, state) in enumerate(
            zip(self.kinetics.layers, self.states, strict=True)
        ):
            terms, constants = layer.local.terms, self.constants_of(number).local
            sizes = self.sizes[number]
            for (a,) in layer.blocks:
                level, zero = self.level_of[layer.name, a], np.zeros_like(state.y[a])
                made, own, lost = zero, zero, zero
                if a < len(sizes):
                    # of a drive and its size, what promotes and what inhibits
                    own = (sizes[a] + state.drive[a]) / 2 * state.y[a]
                    lost = (sizes[a] - state.drive[a]) / 2 * state.y[a]
                for t in terms.span(a):
                    value, power = layer.value(terms, t, constants, state.y), terms.power[t]
                    if terms.number[t] > 0:
                        made, own = (made + value, own) if power == 0 else (made, own + value)
                    elif power == 1:
                        lost = lost - value
                anew[level], of_itself[level], removal[level] = made, own, lost
        return anew, of_itself, removal

    # In the network's own order ---------------------------------------------------------------

    def by_species(self, by_level: Sequence[FloatArray]) -> FloatArray:
        """(n, n_species) in the order of the network's species."""
        parts = []
        for layer in self.kinetics.layers:
            own = [self.level_of[layer.name, a] for a in range(len(layer.activation.species))]
            part = np.stack([by_level[level] for level in own], axis=-1)
            parts.append(part.reshape(len(part), part.shape[1] * part.shape[2]))
        return np.concatenate(parts, axis=1)

    @property
    def variances(self) -> FloatArray:
        """(n, n_species)."""
        return self.by_species(
            [
                np.einsum("njj->nj", self.covariance[level, level])
                for level in range(len(self.levels))
            ]
        )

    @property
    def carriers(self) -> FloatArray:
        """Of species that make most of an output's variance, their part in the read-out, (n,
        n_species); 0 of all others.
        """
        last, total = self.kinetics.layers[-1], np.einsum("njj->nj", self.output_covariance)
        found = [np.zeros_like(part) for part in self.levels.diagonal]
        for a, coefficient in last.activation.read_places[1]:
            level = self.level_of[last.name, a]
            own = np.einsum("njj->nj", self.covariance[level, level])
            found[level] = np.where(coefficient**2 * own > total / 2, abs(coefficient), 0.0)
        return self.by_species(found)

    @property
    def output_shift(self) -> FloatArray:
        """d of the outputs, (n, n_out)."""
        last = self.kinetics.layers[-1]
        terms = last.activation.read_places[1]
        shifts: Any = sum(c * self.shift[self.level_of[last.name, a]] for a, c in terms)
        return np.asarray(shifts)

    @cached_property
    def output_covariance(self) -> FloatArray:
        """(n, n_out, n_out)."""
        last = len(self.kinetics.layers) - 1
        read = self.kinetics.layers[last].activation.read_places[1]
        total: Any = sum(c * e * self.between(last, a, b) for a, c in read for b, e in read)
        return np.asarray(total)


def _local_diffusion(
    layer: LayerKinetics, state: LayerState, local: FloatArray
) -> dict[tuple[int, int], Any]:
    """By pairs of local species, sum over local reactions of both changes times the rate."""
    terms, changes = layer.local.terms, layer.local.stoichiometry
    by_reaction = changes.tocsc()
    found: dict[tuple[int, int], Any] = {(a, a): 0.0 for a in range(changes.shape[0])}
    for t, reaction in enumerate(changes.indices.tolist()):
        # a term is a reaction's rate times the change of its row's species
        a, part = int(terms.row[t]), layer.value(terms, t, local, state.y)
        span = slice(by_reaction.indptr[reaction], by_reaction.indptr[reaction + 1])
        pairs = zip(by_reaction.indices[span], by_reaction.data[span], strict=True)
        for b, number in pairs:
            found[a, int(b)] = found.get((a, int(b)), 0.0) + number * part
    return found
