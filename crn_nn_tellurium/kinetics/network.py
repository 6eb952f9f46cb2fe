"""The steady state of a whole network and its derivatives, layer by layer."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from functools import cached_property
from operator import attrgetter
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.chemistry import Terms
from crn_nn_tellurium.encoding import layer_encodings
from crn_nn_tellurium.errors import NetworkError
from crn_nn_tellurium.kinetics.layer import LayerKinetics
from crn_nn_tellurium.kinetics.layer_state import LayerState, by_species
from crn_nn_tellurium.kinetics.rate_constants import RateConstants
from crn_nn_tellurium.kinetics.rates_of_change import CatalysedTerms, RatesOfChange
from crn_nn_tellurium.networks import INPUT, Network, places

T = TypeVar("T")
S = TypeVar("S", bound=np.generic)


class NetworkKinetics:
    """The kinetics of all layers of a network."""

    def __init__(self, net: Network) -> None:
        self.net = net
        self.layers = tuple(LayerKinetics(encoding) for encoding in layer_encodings(net))

    @property
    def species(self) -> tuple[str, ...]:
        """Identifiers of the floating species: by layer, unit, then the activation's species."""
        return tuple(name for layer in self.layers for name in layer.encoding.species)

    def walk(
        self,
        inputs: FloatArray,
        settle: Callable[[int, FloatArray], T],
        values: Callable[[T], FloatArray] = attrgetter("concentrations"),
    ) -> list[T]:
        """By layer, what `settle(number, read)` finds, given what the layer reads.

        It reads `values` (n, n_units, n_species, ...) of what was found for layers before it, and
        those of the inputs.
        """
        known, found = {INPUT: inputs}, []
        for number, layer in enumerate(self.layers):
            found.append(settle(number, layer.encoding.gather(known)))
            known[layer.name] = values(found[-1])
        return found

    def settle(
        self, x: FloatArray, constants: Sequence[RateConstants] | None = None, by_row: bool = False
    ) -> list[LayerState]:
        """All layers at rest at checked inputs x (n, n_in); see `LayerKinetics.settle`."""
        return self.settle_coded(self.net.input_coding.code(x), constants, by_row)

    def settle_coded(
        self,
        inputs: FloatArray,
        constants: Sequence[RateConstants] | None = None,
        by_row: bool = False,
    ) -> list[LayerState]:
        """The same for concentrations (n, n_in, n_rails) of the inputs' species."""

        def settle(number: int, read: FloatArray) -> LayerState:
            own = None if constants is None else constants[number]
            return self.layers[number].settle(read, own, by_row)

        return self.walk(inputs, settle)

    def of_layer(self, values: npt.NDArray[S], number: int) -> npt.NDArray[S]:
        """One layer's part (..., n_units, n_species) of what is known of all species (..., n); a
        view.
        """
        span, units = self._blocks[number]
        block = values[..., span]
        # splitting an axis needs no copy, so numpy gives a view: callers write through it
        return block.reshape(block.shape[:-1] + units)

    @cached_property
    def _blocks(self) -> list[tuple[slice, tuple[int, int]]]:
        """By layer, the place of its species among all, and their numbers of units and names."""
        found, first = [], 0
        for layer in self.layers:
            units = layer.encoding.layer.n_out, len(layer.activation.species)
            found.append((slice(first, first + math.prod(units)), units))
            first += math.prod(units)
        return found

    def read(self, concentrations: FloatArray) -> FloatArray:
        """The network's outputs (..., n_out) at concentrations (..., all species)."""
        last = len(self.layers) - 1
        return self.layers[last].activation.read(self.of_layer(concentrations, last))

    # The differential equation ----------------------------------------------------------------

    def rates_of_change(
        self, inputs: FloatArray, constants: Sequence[RateConstants] | None = None
    ) -> RatesOfChange:
        """dx/dt of all species while concentrations (..., n_in, n_rails) of the inputs' species are
        held: for states (..., n_species) of that many samples, or (n_species,) of one.
        """
        used = [layer.constants for layer in self.layers] if constants is None else constants
        number = np.concatenate([k.local for k in used])
        n = len(self.species)
        terms = self._local_terms.holding(np.empty(0), number)
        places, n_inputs = self._places, math.prod(inputs.shape[-2:])
        known = inputs.reshape(*inputs.shape[:-2], n_inputs)
        catalysed = []
        for layer, k, (rails, read) in zip(self.layers, used, places, strict=True):
            weights, is_input = layer.weights(k), read >= n
            held = known[..., read[is_input] - n] @ weights[:, is_input].T
            signs = np.array([rail.sign for rail in layer.activation.rails], dtype=float)
            moving, own = weights[:, ~is_input], read[~is_input]
            part = CatalysedTerms(moving, own, np.asarray(held), rails, signs, k.bias.T)
            catalysed.append(part)
        if inputs.ndim == 2:
            # of one sample, drives that nothing moves are numbers: terms like all others
            still = [part.as_terms(n) for part in catalysed if not len(part.read)]
            terms = Terms.side_by_side([terms, *still], n)
            catalysed = [part for part in catalysed if len(part.read)]
        return RatesOfChange(n, terms, tuple(catalysed))

    @cached_property
    def _places(self) -> list[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
        """By layer, where its rails (n_rails, n_units) stand among all species, and what it reads
        (n_catalysts,), the inputs' species behind all others.
        """
        coding, n = self.net.input_coding, len(self.species)
        shape = (1, self.net.n_in, len(coding.rails))
        known: dict[str, Any] = {INPUT: n + np.arange(math.prod(shape)).reshape(shape)}
        found = []
        for number, layer in enumerate(self.layers):
            # places are gathered as concentrations are
            read = layer.encoding.gather(known)[0]
            own = known[layer.name] = self.of_layer(np.arange(n)[None], number)
            found.append((own[0, :, : len(layer.activation.rails)].T, read))
        return found

    @cached_property
    def _local_terms(self) -> Terms:
        """What all units do apart from their drives, a layer's constants behind those before."""
        n, constants = len(self.species), 0
        parts = []
        for layer, (span, _) in zip(self.layers, self._blocks, strict=True):
            parts.append(_terms_of_units(layer, span.start, n, constants))
            constants += len(layer.constants.local)
        return Terms.side_by_side(parts, n)

    def at(
        self,
        x: FloatArray,
        concentrations: FloatArray,
        constants: Sequence[RateConstants] | None = None,
    ) -> list[LayerState]:
        """All layers at concentrations (n, n_species) of all floating species in order."""

        def at(number: int, read: FloatArray) -> LayerState:
            own = None if constants is None else constants[number]
            return self.layers[number].at(read, self.of_layer(concentrations, number), own)

        return self.walk(self.net.input_coding.code(x), at)

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
        by_state: Sequence[FloatArray] | None = None,
    ) -> tuple[list[RateConstants], FloatArray | None]:
        """From dL/d(outputs) (n, n_out) to all rate constants and, if asked for, inputs (n, n_in);
        `sizes` as in `LayerKinetics.backward`. What L depends on concentrations for besides stands
        in `by_state`, (n, n_units, n_species) by layer, which is written to.
        """
        if by_state is None:
            by_state = [np.zeros((*state.y[0].shape, len(state.y))) for state in states]
        totals = dict(zip((layer.name for layer in self.layers), by_state, strict=True))
        if inputs:
            rails = len(self.net.input_coding.rails)
            totals[INPUT] = np.zeros((len(by_output), self.net.n_in, rails))
        # backwards: a layer's total is whole once all layers that read it have been dealt with
        last = self.layers[-1]
        for a, coefficient in last.activation.read_places[1]:
            part = np.abs(coefficient * by_output) if sizes else coefficient * by_output
            totals[last.name][..., a] += part
        gradients: list[RateConstants] = []
        for number, layer in reversed(list(enumerate(self.layers))):
            own = None if constants is None else constants[number]
            total = by_species(totals[layer.name])
            wanted = inputs or layer.encoding.layer.inputs != (INPUT,)
            by_catalyst, gradient = layer.backward(states[number], total, own, sizes, wanted)
            if by_catalyst is not None:
                layer.encoding.scatter(by_catalyst, totals)
            gradients.append(gradient)
        by_input = totals[INPUT][..., 0] / self.input_coefficients if inputs else None
        return gradients[::-1], by_input

    def to_parameters(
        self, by_constant: Sequence[RateConstants]
    ) -> list[tuple[Any, FloatArray, float]]:
        """dL/d(weights), dL/d(bias) and dL/dh of each layer from those of its rate constants."""
        pairs = zip(self.layers, by_constant, strict=True)
        return [layer.to_parameters(part) for layer, part in pairs]

    def check_h(self) -> None:
        """Refuse where h is more than the rate constant of the rails, as dL/dh takes it."""
        if self._refusal_of_h:
            raise NetworkError(self._refusal_of_h)

    @cached_property
    def _refusal_of_h(self) -> str:
        """What `check_h` says, or nothing; found once, since every gradient asks for it."""
        for layer in self.layers:
            activation = layer.activation
            other = dataclasses.replace(activation, h=2 * activation.h)
            for part in ("rails", "read_out", "local_reactions", "gain"):
                if getattr(activation, part) != getattr(other, part):
                    return (
                        f"layer {layer.name!r}: {part} of {activation} depend on h; derivatives"
                        " take h as the rate constant of its rails alone, so give the other"
                        " numbers a field of their own"
                    )
        return ""

    @cached_property
    def input_coefficients(self) -> FloatArray:
        """Coefficient of the first species of each input in its read-out, (n_in,)."""
        # layers read an input through its read-out alone: one species tells the whole derivative
        coding = self.net.input_coding
        return np.array([coding.read_out(i).terms[0][1] for i in range(self.net.n_in)])


def _terms_of_units(layer: LayerKinetics, first: int, n: int, constants: int) -> Terms:
    """The local terms of all units, which stand from `first` on among n species, with rate
    constants from `constants` on.
    """
    terms, width, units = layer.local.terms, len(layer.local.floating), layer.encoding.layer.n_out
    pool = [layer.activation.species.index(name) for name in layer.activation.pooled]
    pooled = (terms.factors >= width) & (terms.factors < terms.one)
    # where each factor stands in the first unit; the 1 stands behind all species
    place = first + np.array([*range(width), *pool, 0], dtype=np.intp)[terms.factors]
    each, found = np.arange(units), []
    for chosen, others in ((~pooled.any(axis=1), each[:1]), (pooled.any(axis=1), each)):
        # by unit, unit of the pool, term and factor
        unit = np.where(pooled[chosen], others[:, None, None], each[:, None, None, None])
        is_one = terms.factors[chosen] == terms.one
        factors = np.where(is_one, n, place[chosen] + width * unit)
        row = first + width * each[:, None, None] + terms.row[chosen]
        parts = (terms.number[chosen], constants + terms.constant[chosen], row)
        flat = [np.broadcast_to(part, factors.shape[:-1]).ravel() for part in parts]
        found.append([*flat, factors.reshape(-1, factors.shape[-1])])
    number, constant, row, factors = (np.concatenate(p) for p in zip(*found, strict=True))
    return Terms(number, constant, factors, row, n, n)


def forward_sensitivities(
    kinetics: NetworkKinetics, states: Sequence[LayerState], inputs: bool = False
) -> FloatArray:
    """d(outputs)/d(parameters) (n, n_out, n_parameters) at a steady state, layer after layer.

    Parameters come in the order of `network_parameters`, then, if asked for, the inputs.
    """
    net = kinetics.net
    sizes = [len(places(layer.weights)[0]) + layer.n_out for layer in net.layers]
    n_parameters = sum(sizes) + len(net.layers)
    total = n_parameters + (net.n_in if inputs else 0)
    n = len(states[0].catalysts)
    by_input = np.zeros((n, net.n_in, len(net.input_coding.rails), total))
    if inputs:
        # as in `backward`, the first species of an input carries its whole derivative
        each = np.arange(net.n_in)
        by_input[:, each, 0, n_parameters + each] = 1 / kinetics.input_coefficients
    ends = np.cumsum(sizes)

    def respond(number: int, by_catalyst: FloatArray) -> FloatArray:
        own, h = slice(ends[number] - sizes[number], ends[number]), ends[-1] + number
        return kinetics.layers[number].respond(states[number], by_catalyst, own, h)

    found, last = kinetics.walk(by_input, respond, np.asarray)[-1], kinetics.layers[-1].activation
    result = np.zeros((n, net.n_out, total))
    for a, coefficient in last.read_places[1]:
        result += coefficient * found[:, :, a]
    return result
