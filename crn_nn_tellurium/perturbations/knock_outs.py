"""What becomes of a network when one of its reactions runs at another rate, or not at all.

A species y of a unit settles where c0 + c1 y + c2 y^2 = 0, the sums of its reactions' rates with y
taken out: of a rail, c0 = h, c1 = its drive u, c2 = -q, and what local reactions add. A reaction at
a factor f changes one of these by (1 - f) of its own part, and nothing else before the unit; then
the unit's other species, its layer where units read one another, and the layers that follow are
solved again. Unlike a changed rate constant, this concerns one reaction alone: rails of a unit
share the constants of its weights, and the units of a layer share h and q.

Without its one gain a species vanishes; without its loss it grows without bound, and the network
has no steady state.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.encoding import Unit, unit_reactions
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.kinetics import LayerKinetics, LayerState, NetworkKinetics


@dataclass(frozen=True)
class UnitReaction:
    """One reaction of one unit, by position; reactions with every unit of a pool count as one."""

    id: str
    # readable, as in the written model
    name: str
    layer: int
    unit: int
    # "h", "weight", "bias", "q" or "local"
    kind: str
    # which rail it is of; -1 for local ones
    rail: int
    # of a weight, which catalyst's; of a bias 0; of others, which reaction of the local network
    place: int


class KnockOuts:
    """A network's steady states at checked inputs (n, n_in), with any reaction at another rate."""

    def __init__(self, kinetics: NetworkKinetics, x: FloatArray) -> None:
        for layer in kinetics.layers:
            layer.check_order("what becomes of them without a reaction is not known", InputError)
        self._kinetics = kinetics
        self._inputs = kinetics.net.input_coding.code(x)
        self._states = kinetics.settle(x)

    @cached_property
    def reactions(self) -> tuple[UnitReaction, ...]:
        """All reactions of the network, in the order of the written model."""
        layers = enumerate(self._kinetics.layers)
        return tuple(reaction for place in layers for reaction in reactions_of_layer(*place))

    def outputs(self, reaction: UnitReaction, factor: float = 0.0) -> FloatArray:
        """Outputs (n, n_out) with one reaction at a factor of its rate; not finite if unsettled."""
        changed: set[str] = set()

        def settle(number: int, read: FloatArray) -> FloatArray:
            layer, state = self._kinetics.layers[number], self._states[number]
            if number != reaction.layer and changed.isdisjoint(layer.encoding.layer.inputs):
                return state.concentrations
            changed.add(layer.name)
            if number == reaction.layer:
                return _settle(layer, state, reaction, factor)
            return _settle_whole(layer, read)

        found = self._kinetics.walk(self._inputs, settle, np.asarray)
        return self._kinetics.layers[-1].activation.read(found[-1])


def _settle_whole(layer: LayerKinetics, catalysts: FloatArray) -> FloatArray:
    """A layer that is whole; its closed form is not asked about what has no steady state."""
    good = np.all(np.isfinite(catalysts), axis=1)
    width = (layer.encoding.layer.n_out, len(layer.activation.species))
    result = np.full((len(catalysts), *width), np.nan)
    if good.any():
        result[good] = layer.settle(catalysts[good]).concentrations
    return result


def reactions_of_layer(number: int, layer: LayerKinetics) -> Iterator[UnitReaction]:
    """A layer's reactions, in the order of the written model."""
    encoding, activation = layer.encoding, layer.activation
    column = {catalyst.id: i for i, catalyst in enumerate(encoding.catalysts)}
    n_units = encoding.layer.n_out
    for j in range(n_units):
        inputs, bias = tuple(encoding.row(j)), tuple(encoding.rail_bias[j].tolist())
        unit = Unit(encoding.index, j, activation, inputs, bias, n_units)
        # the local network has h and q of every rail, then the activation's own reactions
        places: list[tuple[str, int, int]] = []
        for rail, value in enumerate(bias):
            places.append(("h", rail, 2 * rail))
            places += [("weight", rail, column[catalyst.id]) for catalyst, _ in inputs]
            # a bias of 0 has no reaction
            if value:
                places.append(("bias", rail, 0))
            places.append(("q", rail, 2 * rail + 1))
        for place, local in enumerate(activation.local_reactions, start=2 * len(bias)):
            pooled = any(name.startswith("*") for name in local.reads)
            # with every unit of the pool in turn: the first stands for all
            places += [("local", -1, place)] + [("", -1, place)] * ((n_units - 1) * pooled)
        # unit_reactions writes them in this order
        for (kind, rail, place), reaction in zip(places, unit_reactions(unit), strict=True):
            if kind:
                yield UnitReaction(reaction.id, reaction.name, number, j, kind, rail, place)


def _settle(
    layer: LayerKinetics, state: LayerState, reaction: UnitReaction, factor: float
) -> FloatArray:
    """The species (n, n_units, n_species) of a layer with one reaction at a factor."""
    drive = [part.copy() for part in state.drive]
    j, rail, place = reaction.unit, reaction.rail, reaction.place
    changed = -1
    if reaction.kind == "bias":
        drive[rail][:, j] -= (1 - factor) * layer.constants.bias[j, rail]
    elif reaction.kind == "weight":
        weight = layer.activation.rails[rail].sign * layer.encoding.weights[j, place]
        drive[rail][:, j] -= (1 - factor) * (weight * state.catalysts[:, place])
    else:
        changed = place
    # the units of a layer share h and q: the factor is on one unit's reaction
    factors = np.ones(drive[0].shape[1])
    factors[j] = factor
    return np.stack(layer.in_turn(drive, layer.constants.local, changed, factors), axis=-1)
