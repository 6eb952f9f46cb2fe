"""Units: small models that roadrunner compiles once and that serve every neuron of one shape.

A layer's fixed point depends on the layers before it alone, so it is found unit by unit. The
*template* of a unit is its chemistry with every rate constant 1, written in compact form: its
text, and so the compiled model, depends on structure alone (the activation's species and
reactions, the number of catalysts, how many neurons it holds). Weights, biases, h and inputs are
values, set in bulk, of either sign.

An activation whose units read one another (`Normalized`) is solved in two *stages*: the species
that depend on their own unit alone, then those that read the whole layer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import FloatArray, by_sample, is_sparse
from crn_nn_tellurium.chemistry import Balance, ReactionNetwork, Species, Terms
from crn_nn_tellurium.encoding import Catalyst, LayerEncoding, Unit, structure_text, unit_reactions
from crn_nn_tellurium.errors import NetworkError
from crn_nn_tellurium.kinetics import RateConstants
from crn_nn_tellurium.networks import Activation, shared_id

NEURONS_PER_UNIT = 8
CATALYSTS_PER_UNIT = 128
"""A unit holds as many neurons as keep their weights below the second number, at most the first:
the cost of a small solve is mostly the call, and that of compiling grows with the weights."""


@dataclass(frozen=True)
class Stage:
    """Species of a unit (local names) that can be solved for together, given all others."""

    species: tuple[str, ...]
    reads_layer: bool


def stages(activation: Activation) -> tuple[Stage, ...]:
    """The stages of an activation, in the order in which they are solved."""
    later: set[str] = set()
    while True:
        grown = {
            name
            for reaction in activation.local_reactions
            for name in reaction.changes
            if any(read.startswith("*") or read in later for read in reaction.reads)
        }
        if grown <= later:
            break
        later |= grown
    starred = {
        read[1:] for r in activation.local_reactions for read in r.reads if read.startswith("*")
    }
    if stuck := later & (starred | {rail.name for rail in activation.rails}):
        raise NetworkError(
            f"{type(activation).__name__}: species {min(stuck)!r} of one unit depends on other"
            " units and they on it, so the layer has no units to solve one by one; use"
            " method='flat' or method='integrate'"
        )
    first = tuple(name for name in activation.species if name not in later)
    last = tuple(name for name in activation.species if name in later)
    return (Stage(first, False), Stage(last, True)) if last else (Stage(first, False),)


def _template_units(
    activation: Activation, stage: Stage, n_catalysts: int, pool: int, neurons: int
) -> list[Unit]:
    """The units of a template: every weight 1, every rail driven upwards by its sign."""
    read = range(0 if stage.reads_layer else n_catalysts)
    catalysts = tuple((Catalyst(f"_x{i}", str(i), i, 1.0), 1.0) for i in read)
    drives = (1.0,) * len(activation.rails)
    return [
        Unit(1, j, activation, catalysts, drives, pool, pool_id=_pool_id, own_biases=True)
        for j in range(neurons)
    ]


def _template(
    activation: Activation, stage: Stage, n_catalysts: int, pool: int, neurons: int
) -> ReactionNetwork:
    """The chemistry of `neurons` units of one stage, every rate constant 1."""
    units = _template_units(activation, stage, n_catalysts, pool, neurons)
    own = {unit.identify(name) for unit in units for name in stage.species}
    boundary = [catalyst.id for catalyst, _ in units[0].inputs]
    if stage.reads_layer:
        fixed = [name for name in activation.species if name not in stage.species]
        boundary += [unit.identify(name) for unit in units for name in fixed]
        boundary += [_pool_id(name, k) for k in range(pool) for name in fixed]
    known = own.union(boundary)
    reactions = []
    for unit in units:
        for reaction in unit_reactions(unit):
            products = {s: n for s, n in reaction.products if s in known}
            before = dict(reaction.substrates)
            # what a later stage makes or loses is fixed here: such a reaction changes nothing
            changed = {s for s in (*before, *products) if before.get(s, 0) != products.get(s, 0)}
            if own & changed:
                reactions.append(replace(reaction, products=tuple(products.items()), value=1.0))
    species = [Species(name, 1.0, boundary=True) for name in boundary]
    species += [Species(unit.identify(name), 1.0) for unit in units for name in stage.species]
    return ReactionNetwork(tuple(species), tuple(reactions), name="one_unit")


def _pool_id(local: str, unit: int) -> str:
    return f"_{local}{unit}"


class UnitPlan:
    """How one stage of one layer is laid out on units of one shape.

    `text`, the unit's Antimony, depends on structure alone; `groups` are the layer's units that are
    solved together, padded by repeating the last; `constants` are in the order of `values`.
    """

    def __init__(self, chemistry: LayerEncoding, stage: Stage) -> None:
        self.chemistry, self.stage = chemistry, stage
        activation, n_units = chemistry.activation, chemistry.layer.n_out
        weights: Any = chemistry.weights
        self._sparse = is_sparse(weights)
        n_catalysts = int(np.diff(weights.indptr).max()) if self._sparse else weights.shape[1]
        width = n_units if stage.reads_layer else n_catalysts
        few = max(1, CATALYSTS_PER_UNIT // max(1, width))
        # neurons of a sparse layer read catalysts of their own, so each is a unit by itself
        alone = self._sparse and not stage.reads_layer
        self.neurons = 1 if alone else min(NEURONS_PER_UNIT, few, n_units)
        self._width = n_catalysts
        self.template = _template(activation, stage, n_catalysts, n_units, self.neurons)
        self.text = structure_text(self.template)
        self.groups = [
            np.minimum(np.arange(first, first + self.neurons), n_units - 1)
            for first in range(0, n_units, self.neurons)
        ]
        units = _template_units(activation, stage, n_catalysts, n_units, self.neurons)
        names: list[str] = []
        if not stage.reads_layer:
            rails = range(len(activation.rails))
            names = [unit.weight(catalyst) for unit in units for catalyst, _ in unit.inputs]
            names += [unit.bias(rail) for unit in units for rail in rails]
        present = [name for name in self._local_place if name in self.template.rate_constants]
        self.constants = (*names, *present)
        self._shared = [self._local_place[name] for name in present]

    @cached_property
    def _local_place(self) -> dict[str, int]:
        """Where `RateConstants.local` has the template's constants of reactions within a unit."""
        names = self.chemistry.activation.rate_constants
        return {shared_id(1, name): i for i, name in enumerate(names)}

    @cached_property
    def local(self) -> ReactionNetwork:
        """One unit of the stage without its weights and biases, every rate constant 1."""
        chemistry = self.chemistry
        template = _template(chemistry.activation, self.stage, 0, chemistry.layer.n_out, 1)
        kept = tuple(r for r in template.reactions if r.rate_constant in self._local_place)
        return ReactionNetwork(template.species, kept, name="local")

    @cached_property
    def _local_order(self) -> list[int]:
        """Where `RateConstants.local` has the constants of `local`."""
        return [self._local_place[name] for name in self.local.rate_constants]

    def _span(self, group: npt.NDArray[np.intp]) -> slice:
        """Where the stored weights of a group of one unit are, of a sparse layer."""
        indptr: Any = self.chemistry.weights.indptr  # type: ignore[union-attr]  # sparse
        return slice(indptr[group[0]], indptr[group[0] + 1])

    def catalysts(self, group: npt.NDArray[np.intp]) -> npt.NDArray[np.intp] | slice:
        """The catalysts that a group reads, padded."""
        if not self._sparse:
            return slice(None)
        columns: Any = self.chemistry.weights.indices[self._span(group)]  # type: ignore[union-attr]
        return np.pad(columns, (0, self._width - len(columns))).astype(np.intp)

    def values(self, group: npt.NDArray[np.intp], constants: RateConstants) -> FloatArray:
        """Values (m, n_constants) of `constants` for a group."""
        if self.stage.reads_layer:
            return constants.local[:, self._shared]
        if self._sparse:
            weights = constants.weights[:, self._span(group)]
            weights = np.pad(weights, ((0, 0), (0, self._width - weights.shape[1])))
        else:
            rows = constants.weights.reshape(-1, self.chemistry.layer.n_out, self._width)
            weights = by_sample(rows[:, group])
        parts = (weights, by_sample(constants.bias[:, group]), constants.local[:, self._shared])
        m = max(len(part) for part in parts)
        return np.concatenate([np.broadcast_to(part, (m, part.shape[1])) for part in parts], axis=1)

    def boundary(
        self, group: npt.NDArray[np.intp], catalysts: FloatArray, layer: FloatArray
    ) -> FloatArray:
        """Concentrations (n, n_boundary) of the template's boundary species.

        Of what the layer reads, or of its own (n, n_units, n_species) that an earlier stage found.
        """
        if not self.stage.reads_layer:
            return catalysts[:, self.catalysts(group)]
        fixed = layer[:, :, self._fixed]
        return np.concatenate([by_sample(fixed[:, group]), by_sample(fixed)], axis=1)

    @property
    def own(self) -> list[int]:
        """Positions of the stage's species among the activation's."""
        return [self.chemistry.activation.species.index(name) for name in self.stage.species]

    @property
    def _fixed(self) -> list[int]:
        species = self.chemistry.activation.species
        return [i for i, name in enumerate(species) if name not in self.stage.species]

    @cached_property
    def columns(self) -> list[npt.NDArray[np.intp]]:
        """By group, the places of its species in a flattened (n_units, n_own) array."""
        n_own = len(self.stage.species)
        return [(group[:, None] * n_own + np.arange(n_own)).ravel() for group in self.groups]

    def upper_bound(self, drive: FloatArray, constants: RateConstants) -> FloatArray:
        """Start values (n, n_units, n_own), from which Newton's method comes down to the root.

        Of rails, since sigma_h(z) <= max(z, 0) + sqrt(h); followers state theirs.
        """
        activation = self.chemistry.activation
        n_rails = len(activation.rails)
        places = (activation.rate_constants.index(name) for name in ("h", "q"))
        h, q = (constants.local[:, place, None, None] for place in places)
        result = np.empty((*drive.shape[:2], len(activation.species)))
        result[..., :n_rails] = np.maximum(drive, 0) / q + np.sqrt(h / q)
        result[..., n_rails:] = [follower.upper_bound for follower in activation.followers]
        return result[..., self.own]

    def balance(
        self,
        drive: FloatArray,
        size: FloatArray,
        layer: FloatArray,
        x: FloatArray,
        constants: RateConstants,
    ) -> Balance:
        """How far the stage's species x (n, n_units, n_own) are from their fixed point."""
        k = constants.local[:, None, self._local_order]
        if self.stage.reads_layer:
            return self.local.balance(x, self._held(layer), k)
        local = self.local.balance(x, np.empty(0), k)
        for position, rail in enumerate(self.chemistry.activation.rails):
            own = self.stage.species.index(rail.name)
            local.net[..., own] += drive[..., position] * x[..., own]
            local.gross[..., own] += size[..., position] * x[..., own]
            local.slope[..., own] += drive[..., position]
        return local

    def _held(self, layer: FloatArray) -> FloatArray:
        """What `local` has as boundary species (n, n_units, n_boundary), of values (n, n_units,
        n_species) for the layer.
        """
        if not self.stage.reads_layer:
            return np.empty((*layer.shape[:2], 0))
        fixed = layer[:, :, self._fixed]
        # each unit sees the whole layer, itself too
        every = by_sample(fixed)[:, None]
        pool = np.broadcast_to(every, (*layer.shape[:2], every.shape[-1]))
        return np.concatenate([fixed, pool], axis=-1)

    def error(
        self,
        balance: Balance,
        drive_error: FloatArray,
        layer: FloatArray,
        layer_error: FloatArray,
        constants: RateConstants,
    ) -> FloatArray:
        """How far the stage's species (n, n_units, n_own) may be from their fixed point, where
        drives are off by at most (n, n_units) and earlier stages' species by (n, n_units,
        n_species).
        """
        k = constants.local[:, None, self._local_order]
        x, slope = layer[:, :, self.own], np.abs(balance.slope)
        fixed, held_off = self._held(layer), self._held(layer_error)
        driven = np.zeros_like(x)
        if not self.stage.reads_layer:
            for rail in self.chemistry.activation.rails:
                own = self.stage.species.index(rail.name)
                driven[..., own] = drive_error * x[..., own]
        alone = balance.distance + balance.rounding + driven / slope
        # |f| = |J d| bounds d by the comparison matrix, |J_ii| d_i <= |f_i| + sum |J_ij| d_j; of a
        # cascade as many rounds as species solve it
        off, ones, terms = alone, np.ones((*x.shape[:2], 1)), self._other_terms
        sizes = terms.monomials(np.concatenate([x, fixed, ones], axis=-1), k)
        for _ in self.own if len(terms) else ():
            every = np.concatenate([off, held_off], axis=-1)
            off = alone + terms.add(sizes * every[..., terms.column], sizes=True) / slope
        return off

    @cached_property
    def _other_terms(self) -> Terms:
        """The terms of the local Jacobian off its diagonal."""
        terms = self.local.jacobian_terms
        return terms.where(terms.row != terms.column)
