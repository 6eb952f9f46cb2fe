"""How exactly a network's steady states are known, and what is said where that is not enough.

Errors are bounds to first order, by what is left of the rates and by rounding, carried through the
layers. A rail that is driven by u = sum of w x, whose parts have the size g = sum of |w x|, is
right to (g / r) eps of itself, r = sqrt(u^2 + 4 h q): where weights cancel and h is small, doubles
do not hold what decides where it settles, and no solver finds it. The status then says so.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.chemistry import ROUNDING
from crn_nn_tellurium.kinetics import LayerState, NetworkKinetics
from crn_nn_tellurium.networks import BUILT_IN
from crn_nn_tellurium.simulation.outcome import ACCURATE, Kind, Outcome, Outcomes, failures


class Accuracy:
    """Of one network's steady states."""

    def __init__(self, kinetics: NetworkKinetics) -> None:
        self._kinetics = kinetics

    def outputs(self, x: FloatArray, concentrations: FloatArray) -> FloatArray:
        """How far outputs (n, n_out) may be from those of the exact fixed point."""
        states, errors = self._errors(x, concentrations)
        last = self._kinetics.layers[-1].activation
        # the sum of the read-out is rounded too
        rounding = 2 * np.finfo(float).eps
        parts = errors[-1] + rounding * states[-1].concentrations
        total = np.full(parts.shape[:2], abs(last.read_out.constant) * rounding)
        for name, coefficient in last.read_out.read:
            total += abs(coefficient) * parts[..., last.species.index(name)]
        return total

    def doubted(
        self, x: FloatArray, concentrations: FloatArray, residual: FloatArray, status: Outcomes
    ) -> Outcomes:
        """The status of states (n, n_species) at inputs x, which says what is not known."""
        rows = np.flatnonzero(~failures(status))
        with np.errstate(all="ignore"):  # of samples that failed
            if self._cannot_exceed(x, concentrations, residual) <= ACCURATE or not len(rows):
                return status
        _, errors = self._errors(x[rows], concentrations[rows])
        relative = np.concatenate([part.reshape(len(rows), -1) for part in errors], axis=1)
        relative /= concentrations[rows]
        result = status.copy()
        for row, each in zip(rows, relative, strict=True):
            worst = int(np.argmax(each))
            if not each[worst] <= ACCURATE:
                reason = (
                    f"{self._kinetics.species[worst]!r} may be off by {each[worst]:.1e} of itself,"
                    " since doubles do not hold how far the parts of a drive cancel; expected"
                    " larger h, or weights that cancel less"
                )
                result[row] = result[row].worse(Outcome.failure(reason, Kind.DOUBTFUL))
        return result

    def _errors(
        self, x: FloatArray, concentrations: FloatArray
    ) -> tuple[list[LayerState], list[FloatArray]]:
        """Layers' states, and how far species (n, n_units, n_species) may be off in each."""
        states = self._kinetics.at(x, concentrations)

        def error(number: int, read: FloatArray) -> FloatArray:
            state, drive = states[number], self._kinetics.layers[number].drive
            n_rails = len(state.drive)
            with np.errstate(invalid="ignore", divide="ignore"):
                sizes = drive.at(state.catalysts)[n_rails : 2 * n_rails]
                return self._kinetics.layers[number].error(state, list(sizes), drive.sizes(read))

        inputs = np.zeros_like(self._kinetics.net.input_coding.code(x))
        return states, self._kinetics.walk(inputs, error, np.asarray)

    def _cannot_exceed(
        self, x: FloatArray, concentrations: FloatArray, residual: FloatArray
    ) -> float:
        """No concentration's error, relative to it, is above this, which takes a fifth of the time
        that errors do.
        """
        # every part of the rates is off by what is left of them, and by rounding
        each, relative = ROUNDING + float(residual.max(initial=0.0)), 0.0

        def settle(number: int, read: FloatArray) -> FloatArray:
            nonlocal relative
            weights, bias, h, q, factor = self._numbers[number]
            found = self._kinetics.of_layer(concentrations, number)
            rails = found[..., : bias.shape[1]]
            # at the fixed point, h / y + q y = r
            sizes = ((read @ weights)[..., None] + bias) / (h / rails + q * rails)
            size = float(sizes.max(initial=0.0))
            relative = factor * (each * (size + 2) + relative * size)
            return found

        self._kinetics.walk(self._kinetics.net.input_coding.code(x), settle, np.asarray)
        return relative

    @cached_property
    def _numbers(self) -> list[tuple[Any, FloatArray, float, float, float]]:
        """By layer: sizes of weights and biases, h and q, and how much less exact than its rails
        followers are.
        """
        found = []
        for layer in self._kinetics.layers:
            k, activation = layer.constants, layer.activation
            # a share of rails is off by twice as much as these; of others nothing is known
            is_ours = type(activation) in BUILT_IN.values()
            factor = 2.0 ** len(activation.followers) if is_ours else math.inf
            local = float(k.local[layer.h]), float(k.local[layer.q])
            found.append((abs(layer.encoding.weights).T, abs(k.bias), *local, factor))
        return found
