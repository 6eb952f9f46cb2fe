"""What is measured: networks of growing size, and the same equations as others are given them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.chemistry import ReactionNetwork
from crn_nn_tellurium.encoding import to_reactions
from crn_nn_tellurium.kinetics import NetworkKinetics, start_state
from crn_nn_tellurium.networks import Linear, Network, SmoothedReLU, load_model, model_data

LADDER = ("2-2-3", "5-10-5", "20-40-5", "60-100-40", "200-400-50", "600-1000-400")
"""Layers with 10, 100, ... 1,000,000 weights."""
H = 1e-3


@lru_cache(maxsize=2)
def network(case: str) -> Network:
    """A shipped network by its name, or random ReLUs with a linear output layer, by its layers."""
    if not case[0].isdigit():
        return load_model(case)
    return Network.random(_layers(case), SmoothedReLU(h=H), seed=0, output=Linear(h=H))


def n_weights(case: str) -> int:
    """How many weights a network has."""
    if not case[0].isdigit():
        return network(case).n_weights
    layers = _layers(case)
    return sum(n_in * n_out for n_in, n_out in itertools.pairwise(layers))


def _layers(case: str) -> list[int]:
    return [int(part) for part in case.split("-")]


def inputs(case: str, samples: int) -> FloatArray:
    """Inputs (samples, n_in) of a case's network: held-out ones of digits, else random."""
    if case == "digits":
        held_out = model_data(case)[1]
        return held_out[np.arange(samples) % len(held_out)]
    return np.random.default_rng(0).random((samples, network(case).n_in))


def targets(case: str, samples: int) -> FloatArray:
    """Target values (samples, n_out)."""
    return np.random.default_rng(1).random((samples, network(case).n_out))


def plain_text(crn: ReactionNetwork) -> str:
    """Antimony as one writes it by hand: reactions and values, nothing else."""
    lines = [f"{name} = {value!r}" for name, value in crn.constant_values.items()]
    start = dict(zip(crn.floating, crn.initial_concentrations.tolist(), strict=True))
    start |= dict(zip(crn.boundary, crn.boundary_concentrations.tolist(), strict=True))
    lines += [f"species {'$' * s.boundary}{s.id}; {s.id} = {start[s.id]!r}" for s in crn.species]
    for reaction in crn.reactions:
        powers = (f"{s}^{n}" if n > 1 else s for s, n in reaction.substrates)
        law = "*".join([reaction.rate_constant, *powers])
        lines.append(f"{reaction.id}: {reaction.equation}; {law}")
    return "\n".join(lines)


def propensities_text(crn: ReactionNetwork, boundary: FloatArray, volume: float) -> str:
    """Antimony of species counted in molecules, with propensities for laws."""
    held = dict(zip(crn.boundary, boundary * volume, strict=True))
    held |= dict(zip(crn.floating, np.round(crn.initial_state(boundary) * volume), strict=True))
    lines = ["unit substance = item; unit extent = item; compartment comp = 1"]
    lines += [f"Vol = {float(volume)!r}"]  # bioscrape takes _V for its own
    for s in crn.species:
        start = float(held[s.id])
        lines.append(f"species {'$' if s.boundary else ''}{s.id} in comp; {s.id} = {start!r}")
    lines += [f"{name} = {value!r}" for name, value in crn.constant_values.items()]
    for reaction in crn.reactions:
        factors = [reaction.rate_constant]
        for name, count in reaction.substrates:
            factors += [name, *(f"({name} - {i})" for i in range(1, count))]
        per_volume = {0: "*Vol", 1: ""}.get(reaction.order, f"/Vol^{reaction.order - 1}")
        lines.append(f"{reaction.id}: {reaction.equation}; {'*'.join(factors)}{per_volume}")
    return "model *stochastic()\n" + "\n".join(lines) + "\nend\n"


def roots(z: FloatArray, h: float) -> FloatArray:
    """Where rails rest, by the formula that one writes by hand."""
    return (z + np.sqrt(z * z + 4 * h)) / 2


@dataclass(frozen=True)
class Equations:
    """The network's equations as somebody derives them by hand: of every rail,
    dy/dt = h + s z y - y^2 with z = W v + b and v the values of the layer before.
    """

    layers: Sequence[tuple[FloatArray, FloatArray, float, FloatArray]]

    @staticmethod
    def of(net: Network) -> Equations:
        """Weights, biases, h and the signs of the rails, by layer."""
        return Equations(
            [
                (
                    np.asarray(layer.weights),
                    np.asarray(layer.bias),
                    getattr(layer.activation, "h"),  # noqa: B009  # ReLUs and linear ones have it
                    np.array([float(rail.sign) for rail in layer.activation.rails]),
                )
                for layer in net.layers
            ]
        )

    def outputs(self, x: FloatArray) -> FloatArray:
        """Where they rest, by the formula of the root: x (n, n_in), outputs (n, n_out)."""
        value = x
        for weights, bias, h, signs in self.layers:
            z = (value @ weights.T + bias)[..., None] * signs
            value = roots(z, h) @ signs
        return value

    def rates(self, y: FloatArray, x: FloatArray) -> FloatArray:
        """dy/dt for a state (n_rails in all,) of one sample x (n_in,)."""
        value, parts, first = x, [], 0
        for weights, bias, h, signs in self.layers:
            last = first + len(bias) * len(signs)
            own = y[first:last].reshape(len(bias), len(signs))
            z = (weights @ value + bias)[:, None] * signs
            parts.append((h + z * own - own * own).ravel())
            value, first = own @ signs, last
        return np.concatenate(parts)

    def read(self, y: FloatArray) -> FloatArray:
        """Outputs of a state."""
        _, bias, _, signs = self.layers[-1]
        return y[-len(bias) * len(signs) :].reshape(len(bias), len(signs)) @ signs


def reactions(case: str) -> ReactionNetwork:
    """The network's reactions, at the first of its inputs."""
    return to_reactions(network(case), x=inputs(case, 1)[0])


def boundary_rows(case: str, x: FloatArray) -> Any:
    """Concentrations of input species (n, n_boundary) for inputs."""
    coded = network(case).input_coding.concentrations(x)
    return np.asarray(coded).reshape(len(x), -1)


def start_of(case: str, x: FloatArray) -> FloatArray:
    """Where the written model starts at one input x (n_in,), in the order of `Equations`."""
    net = network(case)
    return start_state(NetworkKinetics(net), net.input_coding.code(x[None]))[0]
