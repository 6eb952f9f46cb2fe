"""What the numbers of a scan are in a network: inputs, weights, biases, h, rate constants, common
factors, starts.

A name means, in this order: an input; ``h`` of all layers; a weight, a bias or the h of one layer
(``w1_0_0``, ``b1_0``, ``h1``); another rate constant that a layer's units share (``q1``); a common
factor; the start of one species, or of all (``initial``). Factors come after numbers:

    speed    of every rate constant, as temperature has it: time runs faster, fixed points stay
    fuel     of the reactions that make more molecules than they take: h, promotion, gains
    cv, draw errors of all rate constants, one by one (see `axes.lognormal`)
"""

from __future__ import annotations

import dataclasses
import difflib
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.kinetics import (
    NetworkKinetics,
    RateConstants,
    layer_factors,
    weighted_sums_of,
)
from crn_nn_tellurium.networks import (
    Activation,
    Network,
    other_names,
    parameters,
    shared_id,
    values_of,
    with_values,
)
from crn_nn_tellurium.scans.axes import (
    COMMON,
    CV,
    DRAW,
    SPEED,
    Axis,
    check_errors,
    check_sign,
    renamed,
)

EVERY_LAYER = -1
# Kinds of numbers that make another network
OF_NETWORKS = ("smoothing", "weight", "bias")
# Kinds that change rate constants otherwise, so that no network has them
OF_RATE_CONSTANTS = ("rate constant", "factor", "error")


@dataclass(frozen=True, slots=True)
class Target:
    """What one name means.

    ``kind`` is input, one of the above, or start; ``layer`` its layer's position (`EVERY_LAYER` for
    all); ``place`` where it stands: among the inputs, the layer's stored weights, biases or shared
    rate constants, or among the species (None for all).
    """

    name: str
    kind: str
    layer: int = EVERY_LAYER
    place: int | None = None

    def is_of(self, layer: int) -> bool:
        return self.layer in (layer, EVERY_LAYER)


class NetworkParameters:
    """The numbers that a scan varies in one network, and the rate constants that they make."""

    def __init__(self, kinetics: NetworkKinetics, axes: Sequence[Axis]) -> None:
        self.kinetics, self.net, self.axes = kinetics, kinetics.net, tuple(axes)
        self.targets: dict[str, Target] = {}
        for axis in axes:
            for name, values in axis.values.items():
                self.targets[name] = target = self._resolve(name)
                self._check(target, values)
        self._seed = next((axis.seed for axis in axes if axis.seed is not None), 0)
        check_errors(axes, lambda name: self.targets[name].kind == "error")
        layers = [t.layer for t in self.targets.values() if t.kind == "smoothing"]
        if EVERY_LAYER in layers and len(layers) > 1:
            raise InputError(
                "'h' of all layers is varied, and that of one layer too; expected one of them"
            )
        if layers:
            kinetics.check_h()

    @cached_property
    def known(self) -> dict[str, Target]:
        """All names; the first to have one keeps it."""
        net = self.net
        known = {name: Target(name, "input", place=i) for i, name in enumerate(net.input_names)}
        known.setdefault("h", Target("h", "smoothing"))
        # weights come in the order in which their layer stores them
        stored = [itertools.count() for _ in net.layers]
        for parameter in parameters(net):
            number, kind = parameter.layer, parameter.kind
            place = next(stored[number]) if kind == "weight" else (*parameter.place, 0)[0]
            kind = "smoothing" if kind == "h" else kind
            known.setdefault(parameter.id, Target(parameter.id, kind, number, place))
        for number, layer in enumerate(net.layers):
            for place, local in enumerate(layer.activation.rate_constants):
                name = shared_id(number + 1, local)
                known.setdefault(name, Target(name, "rate constant", number, place))
        for name, (kind, _) in COMMON.items():
            known.setdefault(name, Target(name, kind))
        for place, name in enumerate(self.kinetics.species):
            known.setdefault(name, Target(name, "start", place=place))
        return known

    def _resolve(self, name: str) -> Target:
        if target := self.known.get(name):
            return target
        near = difflib.get_close_matches(name, self.known, 5, 0.5) or list(self.known)[:8]
        raise InputError(
            f"network {self.net.name!r} has no {name!r}; expected an input, h, a weight, a bias, a"
            f" rate constant, a species, 'speed' or 'fuel'; near it: {', '.join(near)}"
            + renamed(name)
            + other_names(name, self.known)
        )

    def _check(self, target: Target, values: FloatArray) -> None:
        name, n_layers = target.name, len(self.net.layers)
        of_all = name == "h" and target.kind == "smoothing"
        if values.ndim == 2 and not (of_all and values.shape[1] == n_layers):
            raise InputError(
                f"{name!r}: values have shape {values.shape}; expected a list of numbers"
                + (f", or of {n_layers} numbers, one per layer" if name == "h" else "")
            )
        if target.kind == "input":
            for end in (float(values.min()), float(values.max())):
                self.net.input_coding.one(target.place or 0, end)  # refuses what cannot be coded
        check_sign(name, target.kind, values)

    def varies(self, name: str) -> bool:
        """Whether a common number is varied, and not an input that has its name."""
        return name in self.targets and self.targets[name].kind == COMMON.get(name, ("", ""))[0]

    def dims(self, *kinds: str) -> set[int]:
        """Positions of the axes that change something of some kinds."""
        return self._dims_where(lambda target: target.kind in kinds)

    def dims_of_layer(self, number: int) -> set[int]:
        """Positions of the axes that change a rate constant of one layer."""
        kinds = (*OF_NETWORKS, *OF_RATE_CONSTANTS)
        return self._dims_where(lambda target: target.kind in kinds and target.is_of(number))

    def _dims_where(self, holds: Callable[[Target], bool]) -> set[int]:
        return {
            d
            for d, axis in enumerate(self.axes)
            if any(holds(self.targets[name]) for name in axis.values)
        }

    # Values at points ---------------------------------------------------------------------------

    @cached_property
    def own(self) -> list[RateConstants]:
        """The network's own rate constants, layer by layer."""
        return [layer.constants.shared for layer in self.kinetics.layers]

    def inputs(self, base: FloatArray, values: Mapping[str, FloatArray]) -> FloatArray:
        """Input values (m, n_in) at points with some values (m,), others from a base (m, n_in)."""
        x = base.copy()
        for name, part in values.items():
            if self.targets[name].kind == "input":
                x[:, self.targets[name].place] = part
        return x

    def start(self, values: Mapping[str, FloatArray], m: int) -> FloatArray | None:
        """Start concentrations (m, n_species), NaN where none is given; None if none is given at
        all.
        """
        given = [
            (self.targets[name].place, part)
            for name, part in values.items()
            if self.targets[name].kind == "start"
        ]
        if not given:
            return None
        start = np.full((m, len(self.kinetics.species)), np.nan)
        # that of all species first, so that one of its own goes before it
        for place, part in sorted(given, key=lambda item: item[0] is not None):
            if place is None:
                start[:] = part[:, None]
            else:
                start[:, place] = part
        return start

    def network(self, values: Mapping[str, float | FloatArray]) -> Network:
        """The network with the weights, biases and h of one point; itself if none is varied."""
        if not any(self.targets[name].kind in OF_NETWORKS for name in values):
            return self.net
        layers = []
        one = {name: np.asarray(value)[None] for name, value in values.items()}
        for number, layer in enumerate(self.net.layers):
            weights, bias, h = self._arrays(number, one, 1)
            changed = dataclasses.replace(
                layer,
                weights=with_values(layer.weights, weights[0]),
                bias=bias[0],
                activation=dataclasses.replace(layer.activation, h=float(h[0])),
            )
            layers.append(changed)
        return dataclasses.replace(self.net, layers=tuple(layers))

    def constants(self, number: int, values: Mapping[str, FloatArray], m: int) -> RateConstants:
        """Rate constants of one layer at m points with some values (m,)."""
        encoding = self.kinetics.layers[number].encoding
        weights, bias, h = self._arrays(number, values, m)
        found = self.own[number]
        # where no weight is varied, the own ones are one row that all points share
        if any(t.kind in ("weight", "bias") and t.layer == number for t in self.targets.values()):
            found = RateConstants(*encoding.apply(weights, bias), np.empty((m, 0)))
        # h is the first of the local rate constants of any activation
        local = np.repeat(self.own[number].local, m, axis=0)
        local[:, 0] = h
        for name, part in values.items():
            target = self.targets[name]
            if target.kind == "rate constant" and target.layer == number:
                local[:, target.place] = part
        found = dataclasses.replace(found, local=local)
        if self.varies(DRAW):
            layer = self.kinetics.layers[number]
            errors = [
                layer_factors(layer, float(cv), int(draw), self._seed)
                for cv, draw in zip(values[CV], values[DRAW], strict=True)
            ]
            found = found * RateConstants(
                np.stack([part.weights for part in errors]),
                np.stack([part.bias for part in errors]),
                np.stack([part.local for part in errors]),
            )
        return found.scaled(values[SPEED]) if self.varies(SPEED) else found

    def _arrays(
        self, number: int, values: Mapping[str, Any], m: int
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Stored weights (m, n_values), biases (m, n_units) and h (m,) of one layer."""
        layer = self.net.layers[number]
        weights = np.repeat(values_of(layer.weights)[None], m, axis=0)
        bias = np.repeat(layer.bias[None], m, axis=0)
        h = np.full(m, layer.activation.h)
        for name, part in values.items():
            target = self.targets[name]
            if target.kind == "weight" and target.layer == number:
                weights[:, target.place] = part
            elif target.kind == "bias" and target.layer == number:
                bias[:, target.place] = part
            elif target.kind == "smoothing" and target.is_of(number):
                h[:] = part if part.ndim == 1 else part[:, number]
        return weights, bias, h

    def with_fuel(
        self, number: int, constants: RateConstants, catalysts: FloatArray, factor: FloatArray
    ) -> RateConstants:
        """Rate constants (n samples) of a layer whose making reactions run at a factor (n,).

        Rails share the constants of their weights, and one makes where the other loses: what a
        rail's own promotion changes is put into its bias.
        """
        encoding = self.kinetics.layers[number].encoding
        up, down = (
            weighted_sums_of(encoding, np.maximum(s * constants.weights, 0), catalysts)
            for s in (1, -1)
        )
        bias = np.broadcast_to(constants.bias, (len(catalysts), *constants.bias.shape[1:])).copy()
        for rail, kind in enumerate(encoding.activation.rails):
            made = np.maximum(bias[..., rail], 0) + (up if kind.sign > 0 else down)
            bias[..., rail] += (factor[:, None] - 1) * made
        local = constants.local * np.where(makes(encoding.activation), factor[:, None], 1.0)
        return RateConstants(constants.weights, bias, local)


def makes(activation: Activation) -> list[bool]:
    """By rate constant of an activation, whether its reactions make molecules."""
    found = {"h": True, "q": False}
    for reaction in activation.local_reactions:
        gain = len(reaction.products) > len(reaction.substrates)
        if found.setdefault(reaction.rate_constant, gain) != gain:
            raise InputError(
                f"{activation}: {reaction.rate_constant!r} is the rate constant of reactions that"
                " make molecules and of others, so 'fuel' has no one meaning; give them a rate"
                " constant each"
            )
    return [found[name] for name in activation.rate_constants]
