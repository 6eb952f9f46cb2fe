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

import numpy as np

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.kinetics import (
    NetworkKinetics,
    RateConstants,
    perturbed_constants,
)
from crn_nn_tellurium.networks import (
    Loss,
    Network,
    from_vector,
    pack,
    parameters,
    places,
    shared_id,
    split,
    to_vector,
)
from crn_nn_tellurium.sensitivity import (
    Gradient,
    Problem,
    SteadyStateSource,
    adjoint,
    at_a_time,
    by_kind,
    result_of,
)
from crn_nn_tellurium.simulation import Simulator
from crn_nn_tellurium.training.options import Answers, Constraints, ReadOutTime

_NO_CONSTRAINTS = Constraints()


class Coordinates:
    """Between a network and the vector of what is free to change in it.

    Parameters
    ----------
    net : Network
        Gives structure, and the value of all that is not free.
    constraints : Constraints
        Bounds of rate constants, and of h where it is free.
    keep_zeros : bool
        Whether weights of exactly zero stay zero.

    Raises
    ------
    InputError
        If the bounds leave nothing.
    """

    def __init__(
        self,
        net: Network,
        constraints: Constraints = _NO_CONSTRAINTS,
        keep_zeros: bool = False,
    ) -> None:
        self.net = net
        self._vector = to_vector(net)
        self._kinds = np.array([p.kind for p in parameters(net)])
        self.kinetics = NetworkKinetics(net)
        chemistry = [layer.chemistry for layer in self.kinetics.layers]
        self._constants = [c.constants for c in chemistry]
        self._gains = [c.activation.gain for c in chemistry]
        # a value that is read through several species counts by its largest coefficient
        largest = []
        for c in chemistry:
            coefficient = np.zeros(c.layer.n_in)
            np.maximum.at(
                coefficient,
                [k.column for k in c.catalysts],
                [abs(k.coefficient) for k in c.catalysts],
            )
            largest.append(np.where(coefficient > 0, coefficient, 1.0))
        scales = []
        for layer, gain, coefficient in zip(net.layers, self._gains, largest, strict=True):
            _, columns = places(layer.weights)
            scales.append(gain * coefficient[columns])
        self._scales = scales
        self._constraints = constraints
        self._learn_h = constraints.h_bounds is not None
        self._weights = self._kinds == "weight"
        free = (self._kinds != "h") | self._learn_h
        if keep_zeros:
            free &= ~(self._weights & (self._vector == 0))
        self.free = np.flatnonzero(free)
        self._low, self._high = self._bounds()
        self.is_weight = self._weights[self.free]
        self.start = np.clip(
            self._to_theta(self._vector)[self.free], self._low[self.free], self._high[self.free]
        )

    def _bounds(self) -> tuple[FloatArray, FloatArray]:
        most, h_bounds = self._constraints.max_rate_constant, self._constraints.h_bounds
        low, high = np.full(len(self._vector), -np.inf), np.full(len(self._vector), np.inf)
        if h_bounds is not None:
            least, largest = h_bounds[0], min(h_bounds[1], np.inf if most is None else most)
            for layer in self.net.layers:
                if not least <= layer.activation.h <= largest:
                    raise InputError(
                        f"layer {layer.name!r}: h is {layer.activation.h!r}, outside its bounds"
                        f" {least!r} to {largest!r}; start within them, or give other h_bounds"
                    )
            h = self._kinds == "h"
            low[h], high[h] = np.log([least, largest])
        if most is None:
            return low, high
        self._refuse_fixed_above(most)
        low[self._weights], high[self._weights] = -most, most
        biases = np.flatnonzero(self._kinds == "bias")
        first = 0
        for layer in self.net.layers:
            # |sign theta + shift| <= most for every rail
            shifts = [rail.sign * rail.shift for rail in layer.activation.rails]
            least, largest = max(-most - s for s in shifts), min(most - s for s in shifts)
            if least > largest:
                raise InputError(
                    f"layer {layer.name!r}: max_rate_constant is {most!r}, but the shifts of"
                    f" {layer.activation} alone need more"
                )
            own = biases[first : first + layer.n_out]
            low[own], high[own] = least, largest
            first += layer.n_out
        return low, high

    def _refuse_fixed_above(self, most: float) -> None:
        for layer in self.kinetics.layers:
            for k, value in zip(
                layer.local.rate_constants, layer.constants.local.tolist(), strict=True
            ):
                if value > most and not (
                    self._learn_h and k == shared_id(layer.chemistry.index, "h")
                ):
                    raise InputError(
                        f"layer {layer.name!r}: its rate constant {k} is {value!r}, which training"
                        f" leaves as it is; max_rate_constant is {most!r}"
                    )

    @property
    def bounds(self) -> list[tuple[float, float]]:
        """(low, high) of each coordinate."""
        return list(zip(self._low[self.free].tolist(), self._high[self.free].tolist(), strict=True))

    def clip(self, theta: FloatArray) -> FloatArray:
        """The nearest point within the bounds."""
        return np.clip(theta, self._low[self.free], self._high[self.free])

    def _to_theta(self, vector: FloatArray) -> FloatArray:
        weights, biases, h = split(self.net, vector)
        for number, layer in enumerate(self.net.layers):
            rows, columns = places(layer.weights)
            shift = np.bincount(
                rows, weights[number] * self._constants[number][columns], layer.n_out
            )
            weights[number] = weights[number] * self._scales[number]
            biases[number] = self._gains[number] * (biases[number] + shift)
        return pack(weights, biases, np.log(h))

    def weight_sizes(self, net: Network) -> FloatArray:
        """Rate constant of each weight of a network of this structure, by parameter; -1 where it is
        no weight.
        """
        return np.where(self._weights, np.abs(self._to_theta(to_vector(net))), -1.0)

    def network(self, theta: FloatArray) -> Network:
        """The network at a point."""
        full = self._to_theta(self._vector)
        full[self.free] = theta
        weights, biases, h = split(self.net, full)
        for number, layer in enumerate(self.net.layers):
            rows, columns = places(layer.weights)
            weights[number] = weights[number] / self._scales[number]
            shift = np.bincount(
                rows, weights[number] * self._constants[number][columns], layer.n_out
            )
            biases[number] = biases[number] / self._gains[number] - shift
        vector = pack(weights, biases, np.exp(h))
        if not self._learn_h:
            # exp(log h) may differ in the last bit
            h_place = self._kinds == "h"
            vector[h_place] = self._vector[h_place]
        return from_vector(self.net, vector)

    def gradient(self, net: Network, gradient: Gradient) -> FloatArray:
        """Derivatives by the coordinates, from those by the parameters."""
        weights, biases, h = split(self.net, pack(gradient.weights, gradient.biases, gradient.h))
        for number, layer in enumerate(self.net.layers):
            rows, columns = places(layer.weights)
            by_bias = biases[number]
            weights[number] = (
                weights[number] - by_bias[rows] * self._constants[number][columns]
            ) / self._scales[number]
            biases[number] = by_bias / self._gains[number]
        return pack(weights, biases, h * np.array(net.h))[self.free]


@dataclass(frozen=True)
class Objective:
    """Mean loss and penalty as a function of the coordinates."""

    coordinates: Coordinates
    loss: Loss
    l2: float
    answers: Answers

    @property
    def read_out(self) -> tuple[float | None, float | Mapping[str, float] | None]:
        """(time, start) of the answers; None for the steady state."""
        if isinstance(self.answers, ReadOutTime):
            return self.answers.time, self.answers.initial
        return None, None

    def __call__(
        self,
        theta: FloatArray,
        x: FloatArray,
        targets: FloatArray,
        factors: Sequence[Sequence[RateConstants]] = (),
    ) -> tuple[float, FloatArray]:
        """Value and gradient; with `factors`, the mean over networks whose rate constants are off
        by them.
        """
        net = self.coordinates.network(theta)
        problem = self._problem(net, x, targets)
        if factors:
            parts = [_perturbed(problem, draw) for draw in factors]
            value = float(np.mean([g.loss for g in parts]))
            by_theta = np.mean([self.coordinates.gradient(net, g) for g in parts], axis=0)
        else:
            found = adjoint(problem) if problem.time is None else at_a_time(problem)
            value, by_theta = found.loss, self.coordinates.gradient(net, found)
        weights = np.where(self.coordinates.is_weight, theta, 0.0)
        return value + self.l2 * float(weights @ weights), by_theta + 2 * self.l2 * weights

    def value(self, theta: FloatArray, x: FloatArray, targets: FloatArray) -> float:
        """Mean loss without penalty."""
        net = self.coordinates.network(theta)
        problem = self._problem(net, x, targets)
        closed = self.answers == "closed_form"
        outputs = net(x) if closed else problem.outputs_by_engine(net, x)[0]
        return float(np.mean(problem.losses(outputs)))

    def _problem(self, net: Network, x: FloatArray, targets: FloatArray) -> Problem:
        source: SteadyStateSource = "engine" if self.answers == "engine" else "closed_form"
        return Problem(
            Simulator(net), x, self.loss, targets, False, source, "raise", *self.read_out
        )


def _perturbed(problem: Problem, factors: Sequence[RateConstants]) -> Gradient:
    """The gradient with respect to the nominal parameters of the loss with perturbed rate
    constants.
    """
    kinetics = problem.simulator.kinetics
    constants = perturbed_constants(kinetics, factors)
    states = kinetics.settle(problem.x, constants)
    outputs = kinetics.outputs(states)
    by_constant, _ = kinetics.backward(states, problem.by_output(outputs), constants)
    parts = [
        layer.to_parameters(part * factor)
        for layer, part, factor in zip(kinetics.layers, by_constant, factors, strict=True)
    ]
    return result_of(problem, outputs, "adjoint", by_kind(parts), None, ())
