"""What training minimises, in the coordinates in which it does: the rate constants themselves.

    theta_w = gain c w     the rate constant of a weight's reactions, with the weight's sign (c the
                           largest coefficient of the value that it reads)
    theta_b = gain (b + w . read-out constants)    the bias as the reactions have it
    theta_h = log h        where h is learned

so that bounds on rate constants are bounds on coordinates, inputs of any range are on one scale,
and the penalty l2 sum theta_w^2 is on what the chemist has to make.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.fluctuations import NetworkNoise, backward
from crn_nn_tellurium.kinetics import ClosedForm, LayerNumbers, NetworkKinetics, RateConstants
from crn_nn_tellurium.networks import Loss, Network, from_vector, pack, shared_id, split, values_of
from crn_nn_tellurium.sensitivity import ReadOut, loss_and_slope, losses, mean_slope
from crn_nn_tellurium.simulation import Simulator
from crn_nn_tellurium.training.expected_loss import expected_loss
from crn_nn_tellurium.training.options import Answers, Constraints, ReadOutTime

_NO_CONSTRAINTS = Constraints()
_COVARIANCES = 2**22
"""Numbers of covariances that are held at once, about: tens of megabytes."""

Parts = list[tuple[Any, FloatArray, float]]
"""Derivatives by weights, bias and h, layer by layer."""


class Coordinates:
    """Between a network and the vector of what is free to change in it.

    `start` (n_free,) is where the network itself is, brought within the bounds of rate constants,
    and of h where it is free. With `keep_zeros`, weights of exactly zero stay zero.
    """

    def __init__(
        self, net: Network, constraints: Constraints = _NO_CONSTRAINTS, keep_zeros: bool = False
    ) -> None:
        self.net, self.kinetics = net, NetworkKinetics(net)
        self.learn_h = constraints.h_bounds is not None
        self._encodings = [layer.encoding for layer in self.kinetics.layers]
        self._numbers = [LayerNumbers.of(layer) for layer in self.kinetics.layers]
        pairs = [e.to_drive(values_of(e.layer.weights), e.layer.bias) for e in self._encodings]
        self._own = _joined(pairs, np.log(net.h))
        marks = [(np.ones_like(weights), np.zeros_like(bias)) for weights, bias in pairs]
        # ones for weights, packed as the values are, say which coordinates are weights
        no_h = np.zeros(len(pairs))
        self._weights = _joined(marks, no_h) == 1
        free = np.ones(len(self._own), dtype=bool)
        free[len(free) - len(pairs) :] = self.learn_h
        if keep_zeros:
            free &= ~(self._weights & (self._own == 0))
        self._free = np.flatnonzero(free)
        self._low, self._high = (end[free] for end in _bounds(self.kinetics, constraints))
        self.is_weight = self._weights[free]
        self.start = self.clip(self._own[free])

    @property
    def bounds(self) -> list[tuple[float, float]]:
        """(low, high) of each coordinate."""
        return list(zip(self._low.tolist(), self._high.tolist(), strict=True))

    def clip(self, theta: FloatArray) -> FloatArray:
        """The nearest point within the bounds."""
        return np.clip(theta, self._low, self._high)

    def network(self, theta: FloatArray) -> Network:
        """The network at a point."""
        return from_vector(self.net, self._parameters(self._with_fixed(theta)))

    def thinned(self, theta: FloatArray, n_kept: int) -> Network:
        """The network at a point with all but its largest rate constants of weights set to zero."""
        full = self._with_fixed(theta)
        values, weights = self._parameters(full), np.flatnonzero(self._weights)
        by_size = weights[np.argsort(-np.abs(full[weights]), kind="stable")]
        values[by_size[n_kept:]] = 0.0
        return from_vector(self.net, values)

    def _with_fixed(self, theta: FloatArray) -> FloatArray:
        # what is not free keeps the value that the network came with
        full = self._own.copy()
        full[self._free] = theta
        return full

    def _parameters(self, full: FloatArray) -> FloatArray:
        return _joined(*self._pairs(full))

    def _pairs(
        self, full: FloatArray
    ) -> tuple[list[tuple[FloatArray, FloatArray]], Sequence[float] | FloatArray]:
        """Weights and biases of each layer, and h."""
        weights, biases, log_h = split(self.net, full)
        parts = zip(self._encodings, weights, biases, strict=True)
        pairs = [encoding.from_drive(w, b) for encoding, w, b in parts]
        # exp(log h) may differ from h in the last bit
        return pairs, np.exp(log_h) if self.learn_h else self.net.h

    def numbers(self, theta: FloatArray) -> list[LayerNumbers]:
        """What the network at a point has, by layer: what `network` has."""
        pairs, h = self._pairs(self._with_fixed(theta))
        parts = zip(self._numbers, pairs, h, strict=True)
        return [own.changed(*pair, float(value)) for own, pair, value in parts]

    def rate_constants(self, numbers: Sequence[LayerNumbers]) -> list[RateConstants]:
        """The rate constants of all layers with these numbers."""
        parts = zip(self._encodings, numbers, strict=True)
        return [own.rate_constants(encoding) for encoding, own in parts]

    def gradient(
        self,
        numbers: Sequence[LayerNumbers],
        by_parameter: Sequence[tuple[Any, FloatArray, float]],
    ) -> FloatArray:
        """Derivatives by the coordinates, from those by weights, bias and h of each layer."""
        pairs, by_log_h = [], []
        for encoding, own, part in zip(self._encodings, numbers, by_parameter, strict=True):
            by_weight, by_bias, by_h = part
            pairs.append(encoding.by_drive(values_of(by_weight), by_bias))
            by_log_h.append(by_h * own.activation.h)
        return _joined(pairs, by_log_h)[self._free]


def _bounds(kinetics: NetworkKinetics, constraints: Constraints) -> tuple[FloatArray, FloatArray]:
    """Least and largest value of every coordinate, free or not."""
    most = constraints.max_rate_constant or np.inf
    h_low, h_high = constraints.h_bounds or (0.0, np.inf)
    h_high = min(h_high, most)
    lows, highs = [], []
    for layer in kinetics.net.layers:
        activation = layer.activation
        if constraints.h_bounds is not None and not h_low <= activation.h <= h_high:
            raise InputError(
                f"layer {layer.name!r}: h is {activation.h!r}, outside its bounds"
                f" {h_low!r} to {h_high!r}; start within them, or give other h_bounds"
            )
        # |sign theta + shift| <= most for every rail
        shifts = [rail.sign * rail.shift for rail in activation.rails]
        least, largest = max(-most - s for s in shifts), min(most - s for s in shifts)
        if least > largest:
            raise InputError(
                f"layer {layer.name!r}: max_rate_constant is {most!r}, but the shifts of"
                f" {activation} alone need more"
            )
        n_weights = len(values_of(layer.weights))
        lows.append((np.full(n_weights, -most), np.full(layer.n_out, least)))
        highs.append((np.full(n_weights, most), np.full(layer.n_out, largest)))
    _refuse_fixed_above(kinetics, most, constraints.h_bounds is not None)
    h = [np.full(len(lows), np.log(end) if end else -np.inf) for end in (h_low, h_high)]
    return _joined(lows, h[0]), _joined(highs, h[1])


def _joined(
    pairs: Sequence[tuple[FloatArray, FloatArray]], h: Sequence[float] | FloatArray
) -> FloatArray:
    """One vector of each layer's weights and biases, and of h."""
    weights, biases = zip(*pairs, strict=True)
    return pack(weights, biases, h)


def _refuse_fixed_above(kinetics: NetworkKinetics, most: float, learn_h: bool) -> None:
    for layer in kinetics.layers:
        h = shared_id(layer.encoding.index, "h")
        constants = layer.constants.local.tolist()
        for k, value in zip(layer.local.rate_constants, constants, strict=True):
            if value > most and not (learn_h and k == h):
                raise InputError(
                    f"layer {layer.name!r}: its rate constant {k} is {value!r}, which training"
                    f" leaves as it is; max_rate_constant is {most!r}"
                )


@dataclass(frozen=True, eq=False)
class Samples:
    """Input values (n, n_in), the concentrations (n, n_in, n_rails) that carry them, and targets
    (n, n_out).
    """

    x: FloatArray
    inputs: FloatArray
    targets: FloatArray

    @classmethod
    def of(cls, net: Network, x: FloatArray, targets: FloatArray) -> Samples:
        """Values that were checked."""
        return cls(x, net.input_coding.code(x), targets)

    def take(self, rows: Any) -> Samples:
        """Some of them."""
        return Samples(self.x[rows], self.inputs[rows], self.targets[rows])


@dataclass(frozen=True)
class Objective:
    """Mean loss and penalty as a function of the coordinates."""

    coordinates: Coordinates
    loss: Loss
    l2: float
    answers: Answers
    # molecules at a concentration of 1, where the loss is that of outputs that fluctuate
    volume: float | None = None

    @property
    def read_out(self) -> tuple[float | None, float | Mapping[str, float] | None]:
        """(time, start) of the answers; None for the steady state."""
        if isinstance(self.answers, ReadOutTime):
            return self.answers.time, self.answers.initial
        return None, None

    def __call__(
        self,
        theta: FloatArray,
        samples: Samples,
        factors: Sequence[Sequence[RateConstants]] = (),
    ) -> tuple[float, FloatArray]:
        """Value and gradient; with `factors` on rate constants, the means over them."""
        draws: Sequence[Sequence[RateConstants] | None] = factors or [None]
        parts = [self._part(theta, samples, draw) for draw in draws]
        # biases and h are free of the penalty, as is usual
        weights = np.where(self.coordinates.is_weight, theta, 0.0)
        penalty = self.l2 * float(weights @ weights)
        value, slope = parts[0]
        if len(parts) > 1:
            values, slopes = zip(*parts, strict=True)
            value, slope = float(np.mean(values)), np.mean(slopes, axis=0)
        return value + penalty, slope + 2 * self.l2 * weights

    def value(self, theta: FloatArray, samples: Samples) -> float:
        """Mean loss without penalty."""
        numbers = self.coordinates.numbers(theta)
        if isinstance(self.answers, ReadOutTime):
            outputs = self._read_out(self.answers, numbers).outputs(samples.inputs)
        elif self.answers == "closed_form":
            outputs = ClosedForm(self.coordinates.kinetics, numbers, samples.x).outputs
        else:
            steady = Simulator(self.coordinates.network(theta)).steady_state(samples.x)
            outputs = steady.outputs
        return float(np.mean(losses(self.loss, outputs, samples.targets)))

    def watched(self, theta: FloatArray, samples: Samples) -> float:
        """The loss to judge held out samples by: the mean one, under the noise of molecules."""
        if self.volume is None:
            return self.value(theta, samples)
        numbers = self.coordinates.numbers(theta)
        return self._of_molecules(self.volume, numbers, samples, slopes=False)[0]

    def _part(
        self,
        theta: FloatArray,
        samples: Samples,
        factors: Sequence[RateConstants] | None,
    ) -> tuple[float, FloatArray]:
        """Loss and derivatives by coordinates, with rate constants as they are or off by factors.

        A network is never made: what depends on its structure alone, `kinetics` has once.
        """
        numbers = self.coordinates.numbers(theta)
        if isinstance(self.answers, ReadOutTime):
            value, by_parameter = self._at_a_time(self.answers, numbers, samples)
        elif self.volume is not None:
            value, by_parameter = self._of_molecules(self.volume, numbers, samples)
        elif factors is None and self.answers == "closed_form":
            found = ClosedForm(self.coordinates.kinetics, numbers, samples.x)
            value, slope = loss_and_slope(self.loss, found.outputs, samples.targets)
            by_parameter, _ = found.backward(slope, self.coordinates.learn_h)
        else:
            value, by_parameter = self._by_reactions(theta, numbers, samples, factors)
        return value, self.coordinates.gradient(numbers, by_parameter)

    def _by_reactions(
        self,
        theta: FloatArray,
        numbers: Sequence[LayerNumbers],
        samples: Samples,
        factors: Sequence[RateConstants] | None,
    ) -> tuple[float, Parts]:
        """Mean loss and derivatives at steady states of the reactions' own equations: by the
        engine, or with rate constants off by factors.
        """
        kinetics, constants = self.coordinates.kinetics, self.coordinates.rate_constants(numbers)
        if factors is None:
            found = Simulator(self.coordinates.network(theta)).steady_state(samples.x)
            states = kinetics.at(samples.x, found.concentrations, constants)
        else:
            constants = [k * factor for k, factor in zip(constants, factors, strict=True)]
            states = kinetics.settle_coded(samples.inputs, constants)
        outputs = kinetics.outputs(states)
        value, slope = loss_and_slope(self.loss, outputs, samples.targets)
        by_constant, _ = kinetics.backward(states, slope, constants)
        if factors is not None:
            # a constant is factor * nominal, so its derivative by the nominal one has the factor
            by_constant = [part * f for part, f in zip(by_constant, factors, strict=True)]
        return value, kinetics.to_parameters(by_constant)

    def _of_molecules(
        self,
        volume: float,
        numbers: Sequence[LayerNumbers],
        samples: Samples,
        slopes: bool = True,
    ) -> tuple[float, Parts]:
        """Expected loss of the outputs of so many molecules, and its derivatives, if wanted."""
        kinetics, constants = self.coordinates.kinetics, self.coordinates.rate_constants(numbers)
        n, total, parts = len(samples.x), 0.0, []
        step = max(1, _COVARIANCES // len(kinetics.species) ** 2)
        for first in range(0, n, step):
            some = samples.take(slice(first, first + step))
            share = len(some.x) / n
            states = kinetics.settle_coded(some.inputs, constants)
            noise = NetworkNoise(kinetics, states, constants, all_pairs=slopes)
            mean = kinetics.outputs(states) + noise.output_shift / volume
            covariance = noise.output_covariance / volume
            found = expected_loss(self.loss, mean, covariance, some.targets)
            total += share * found[0]
            if not slopes:
                continue
            by_mean, by_covariance = (share * slope for slope in found[1:])
            parts.append(backward(noise, by_mean, by_mean / volume, by_covariance / volume))
        if not slopes:
            return total, []
        by_constant = [sum(layer[1:], layer[0]) for layer in zip(*parts, strict=True)]
        return total, kinetics.to_parameters(by_constant)

    def _read_out(self, answers: ReadOutTime, numbers: Sequence[LayerNumbers]) -> ReadOut:
        own = self.coordinates.rate_constants(numbers)
        return ReadOut(self.coordinates.kinetics, own, answers.time, answers.initial)

    def _at_a_time(
        self, answers: ReadOutTime, numbers: Sequence[LayerNumbers], samples: Samples
    ) -> tuple[float, Parts]:
        """Mean loss at the time, and its derivatives."""
        found = self._read_out(answers, numbers).adjoint(
            samples.inputs, mean_slope(self.loss, samples.targets)
        )
        value = float(np.mean(losses(self.loss, found.outputs, samples.targets)))
        return value, self.coordinates.kinetics.to_parameters(found.by_constant)
