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
from collections.abc import Mapping, Sequence
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
from crn_nn_tellurium.scans.axes import CV, DRAW, Axis, check_errors

SPEED, FUEL, INITIAL = "speed", "fuel", "initial"
EVERY_LAYER = -1
_OF_NETWORKS = {"h", "weight", "bias"}
"""Kinds of numbers that make another network."""


@dataclass(frozen=True, slots=True)
class Target:
    """What one name means.

    ``kind`` is input, h, weight, bias, constant, factor, error or start; ``layer`` its layer's
    position (`EVERY_LAYER` for all); ``place`` where it stands: among the inputs, the layer's
    stored weights, biases or shared rate constants, or among the species (None for all).
    """

    name: str
    kind: str
    layer: int = EVERY_LAYER
    place: int | None = None


class NetworkParameters:
    """The numbers that a scan varies in one network, and the rate constants that they make.

    Parameters
    ----------
    kinetics : NetworkKinetics
    axes : sequence of Axis

    Raises
    ------
    InputError
        If a name means nothing here, or a value cannot be what it stands for.
    """

    def __init__(self, kinetics: NetworkKinetics, axes: Sequence[Axis]) -> None:
        self.kinetics, self.net, self.axes = kinetics, kinetics.net, tuple(axes)
        self.targets: dict[str, Target] = {}
        for axis in axes:
            for name, values in axis.values.items():
                self.targets[name] = target = self._resolve(name)
                self._check(target, values)
        self.seed = next((axis.seed for axis in axes if axis.seed is not None), 0)
        check_errors(axes, lambda name: self.targets[name].kind == "error")
        layers = [t.layer for t in self.targets.values() if t.kind == "h"]
        if EVERY_LAYER in layers and len(layers) > 1:
            raise InputError(
                "'h' of all layers is varied, and that of one layer too; expected one of them"
            )
        if layers:
            kinetics.check_h()

    @cached_property
    def _known(self) -> dict[str, Target]:
        net = self.net
        known = {name: Target(name, "input", place=i) for i, name in enumerate(net.input_names)}
        known.setdefault("h", Target("h", "h"))
        stored = [0] * len(net.layers)
        for parameter in parameters(net):
            place = parameter.place[0] if parameter.kind == "bias" else 0
            if parameter.kind == "weight":
                place, stored[parameter.layer] = (
                    stored[parameter.layer],
                    stored[parameter.layer] + 1,
                )
            known.setdefault(
                parameter.id, Target(parameter.id, parameter.kind, parameter.layer, place)
            )
        for number, layer in enumerate(net.layers):
            for place, local in enumerate(layer.activation.rate_constants):
                name = shared_id(number + 1, local)
                known.setdefault(name, Target(name, "constant", number, place))
        for name, kind in (
            (SPEED, "factor"),
            (FUEL, "factor"),
            (CV, "error"),
            (DRAW, "error"),
            (INITIAL, "start"),
        ):
            known.setdefault(name, Target(name, kind))
        for place, name in enumerate(self.kinetics.species):
            known.setdefault(name, Target(name, "start", place=place))
        return known

    def _resolve(self, name: str) -> Target:
        if target := self._known.get(name):
            return target
        near = difflib.get_close_matches(name, self._known, 5, 0.5) or list(self._known)[:8]
        raise InputError(
            f"network {self.net.name!r} has no {name!r}; expected an input, h, a weight, a bias, a"
            f" rate constant, a species, 'speed' or 'fuel'; near it: {', '.join(near)}"
            + renamed(name)
            + other_names(name, self._known)
        )

    def _check(self, target: Target, values: FloatArray) -> None:
        name, n_layers = target.name, len(self.net.layers)
        if values.ndim == 2 and not (target == Target("h", "h") and values.shape[1] == n_layers):
            raise InputError(
                f"{name!r}: values have shape {values.shape}; expected a list of numbers"
                + (f", or of {n_layers} numbers, one per layer" if name == "h" else "")
            )
        if target.kind == "input":
            for end in (float(values.min()), float(values.max())):
                self.net.input_coding.one(target.place or 0, end)  # refuses what cannot be coded
        elif target.kind in ("h", "constant", "factor") and np.any(values <= 0):
            raise InputError(
                f"{name!r}: {float(values.min())!r} among its values; expected numbers > 0"
            )
        elif target.kind == "start" and np.any(values < 0):
            raise InputError(
                f"{name!r}: {float(values.min())!r} among its values; expected concentrations >= 0"
            )

    def varies(self, name: str, kind: str) -> bool:
        """Whether a factor or error is varied, and not an input that has its name."""
        return name in self.targets and self.targets[name].kind == kind

    @property
    def fuel(self) -> bool:
        """Whether the factor of making reactions is varied."""
        return self.varies(FUEL, "factor")

    # What an axis changes -------------------------------------------------------------------------

    def kinds_on(self, axis: Axis) -> set[str]:
        """Kinds of what one axis changes."""
        return {self.targets[name].kind for name in axis.values}

    def changes_input(self, axis: Axis) -> bool:
        """Whether it changes an input."""
        return "input" in self.kinds_on(axis)

    def changes_start(self, axis: Axis) -> bool:
        """Whether it changes where species start."""
        return "start" in self.kinds_on(axis)

    def changes_network(self, axis: Axis) -> bool:
        """Whether it changes a weight, a bias or an h, which makes it another network."""
        return bool(self.kinds_on(axis) & _OF_NETWORKS)

    def changes_rate_constants(self, axis: Axis) -> bool:
        """Whether it changes rate constants otherwise, so that no network has them."""
        return bool(self.kinds_on(axis) & {"constant", "factor", "error"})

    def changes_layer(self, axis: Axis, number: int) -> bool:
        """Whether it changes a rate constant of one layer."""
        return any(
            target.layer in (number, EVERY_LAYER)
            for target in map(self.targets.__getitem__, axis.values)
            if target.kind in ("h", "weight", "bias", "constant", "factor", "error")
        )

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
        given = {name: part for name, part in values.items() if self.targets[name].kind == "start"}
        if not given:
            return None
        start = np.full((m, len(self.kinetics.species)), np.nan)
        for name, part in sorted(
            given.items(), key=lambda item: self.targets[item[0]].place is not None
        ):
            place = self.targets[name].place
            start[:, slice(None) if place is None else place] = (
                part[:, None] if place is None else part
            )
        return start

    def network(self, values: Mapping[str, float | FloatArray]) -> Network:
        """The network with the weights, biases and h of one point; itself if none is varied."""
        if not any(self.targets[name].kind in _OF_NETWORKS for name in values):
            return self.net
        layers = []
        for number, layer in enumerate(self.net.layers):
            weights, bias, h = self._arrays(
                number, {k: np.asarray(v)[None] for k, v in values.items()}, 1
            )
            activation = dataclasses.replace(layer.activation, h=float(h[0]))
            layers.append(
                dataclasses.replace(
                    layer,
                    weights=with_values(layer.weights, weights[0]),
                    bias=bias[0],
                    activation=activation,
                )
            )
        return dataclasses.replace(self.net, layers=tuple(layers))

    def constants(self, number: int, values: Mapping[str, FloatArray], m: int) -> RateConstants:
        """Rate constants of one layer at m points with some values (m,)."""
        chemistry = self.kinetics.layers[number].chemistry
        weights, bias, h = self._arrays(number, values, m)
        found = self.own[number]
        if any(t.kind in ("weight", "bias") and t.layer == number for t in self.targets.values()):
            found = RateConstants(*chemistry.apply(weights, bias), np.empty((m, 0)))
        local = np.repeat(self.own[number].local, m, axis=0)
        local[:, 0] = h
        for name, part in values.items():
            target = self.targets[name]
            if target.kind == "constant" and target.layer == number:
                local[:, target.place] = part
        found = dataclasses.replace(found, local=local)
        if self.varies(DRAW, "error"):
            found = self._with_errors(number, found, values[DRAW], values[CV])
        if self.varies(SPEED, "factor"):
            found = found.scaled(values[SPEED])
        return found

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
            elif target.kind == "h" and target.layer in (number, EVERY_LAYER):
                h[:] = part if part.ndim == 1 else part[:, number]
        return weights, bias, h

    # Errors and fuel -----------------------------------------------------------------------------

    def _with_errors(
        self, number: int, own: RateConstants, draws: FloatArray, cvs: FloatArray
    ) -> RateConstants:
        layer = self.kinetics.layers[number]
        found = [
            layer_factors(layer, float(cv), int(draw), self.seed)
            for draw, cv in zip(draws, cvs, strict=True)
        ]
        return own * RateConstants(
            np.stack([part.weights for part in found]),
            np.stack([part.bias for part in found]),
            np.stack([part.local for part in found]),
        )

    def with_fuel(
        self, number: int, constants: RateConstants, catalysts: FloatArray, factor: FloatArray
    ) -> RateConstants:
        """Rate constants (n samples) of a layer whose making reactions run at a factor (n,).

        Rails share the constants of their weights, and one makes where the other loses: what a
        rail's own promotion changes is put into its bias.
        """
        chemistry = self.kinetics.layers[number].chemistry
        up, down = (
            weighted_sums_of(chemistry, np.maximum(s * constants.weights, 0), catalysts)
            for s in (1, -1)
        )
        bias = np.broadcast_to(constants.bias, (len(catalysts), *constants.bias.shape[1:])).copy()
        for rail, kind in enumerate(chemistry.activation.rails):
            made = np.maximum(bias[..., rail], 0) + (up if kind.sign > 0 else down)
            bias[..., rail] += (factor[:, None] - 1) * made
        local = constants.local * np.where(makes(chemistry.activation), factor[:, None], 1.0)
        return RateConstants(constants.weights, bias, local)


def renamed(name: str) -> str:
    """The end of an error where what is meant has had another name before."""
    return "; the factor on all rate constants is 'speed'" if name == "rates" else ""


def makes(activation: Activation) -> list[bool]:
    """For each of an activation's rate constants, whether its reactions make more molecules than
    they take.

    Raises
    ------
    InputError
        If one rate constant is that of reactions of both kinds.
    """
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
