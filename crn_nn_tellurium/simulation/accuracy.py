"""How exactly a network's steady states are known, and what is said where that is not enough.

Errors are bounds to first order, by what is left of the rates and by rounding, carried through the
layers. A rail that is driven by u = sum of w x, whose parts have the size g = sum of |w x|, is
right to (g / r) eps of itself, r = sqrt(u^2 + 4 h q): where weights cancel and h is small, doubles
do not hold what decides where it settles, and no solver finds it. The status then says so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.chemistry import ROUNDING
from crn_nn_tellurium.kinetics import (
    Drive,
    LayerKinetics,
    LayerState,
    NetworkKinetics,
    RateConstants,
    by_species,
)
from crn_nn_tellurium.networks import BUILT_IN
from crn_nn_tellurium.simulation.outcome import ACCURATE, Kind, Outcome, Outcomes, failures

_ROWS = 256
"""Samples whose errors are looked for at a time."""


def places_of(kinetics: LayerKinetics) -> tuple[int, int, int]:
    """The number of rails, and where h and q stand among the rows of `Drive`."""
    n = len(kinetics.activation.rails)
    return n, 2 * n + kinetics.h, 2 * n + kinetics.q


def cancellation(places: tuple[int, int, int], layer: FloatArray, known: FloatArray) -> FloatArray:
    """How far the parts of a layer's drives cancel, by sample (n,): the largest g / r, of species
    (n, n_units, n_species) and the rows of their `Drive`.
    """
    n_rails, h, q = places
    rows = known.reshape(len(known), *layer.shape[:2])
    rails = layer[..., :n_rails].transpose(2, 0, 1)
    # at the fixed point, h / y + q y = r
    sizes = rows[n_rails : 2 * n_rails] / (rows[h] / rails + rows[q] * rails)
    return np.asarray(np.maximum.reduce(sizes, axis=(0, 2), initial=0.0))


class Accuracy:
    """Of one network's steady states."""

    def __init__(self, kinetics: NetworkKinetics) -> None:
        self._kinetics = kinetics

    def outputs(self, x: FloatArray, concentrations: FloatArray) -> FloatArray:
        """How far outputs (n, n_out) may be from those of the exact fixed point."""
        inputs = self._kinetics.net.input_coding.code(x)
        states, errors = self._errors(inputs, concentrations)
        last = self._kinetics.layers[-1].activation
        # the sum of the read-out is rounded too
        rounding = 2 * np.finfo(float).eps
        parts = errors[-1] + rounding * states[-1].concentrations
        total = np.full(parts.shape[:2], abs(last.read_out.constant) * rounding)
        for name, coefficient in last.read_out.read:
            total += abs(coefficient) * parts[..., last.species.index(name)]
        return total

    def doubted(
        self,
        x: FloatArray,
        concentrations: FloatArray,
        residual: FloatArray,
        status: Outcomes,
        cancelling: Sequence[FloatArray] | None,
    ) -> Outcomes:
        """The status of states (n, n_species) at inputs x, which says what is not known.

        `cancelling` (n,) by layer is looked for where whoever solved does not have it.
        """
        if not len(x):
            return status
        if cancelling is None:
            cancelling = self._cancelling(x, concentrations)
        if self.suffices(residual, cancelling):
            return status
        inputs = self._kinetics.net.input_coding.code(x)
        rows = np.flatnonzero(~failures(status) & ~(self.at_most(residual, cancelling) <= ACCURATE))
        result = status.copy()
        self.doubt(result, rows, inputs[rows], concentrations[rows])
        return result

    def suffices(self, residual: FloatArray, cancelling: Sequence[FloatArray]) -> bool:
        """Whether all states are seen to be accurate by their largest numbers alone."""
        # in Python's numbers: of few samples each step of numpy costs more than all that it does
        largest = [
            part.item() if part.size == 1 else float(part.max()) for part in (residual, *cancelling)
        ]
        return bool(self.at_most(largest[0], largest[1:]) <= ACCURATE)

    def at_most(self, residual: Any, cancelling: Sequence[Any]) -> Any:
        """No concentration's error, relative to it, is above this, given the largest imbalance and
        by layer what `cancellation` says: numbers, or arrays that are broadcast.
        """
        # every part of the rates is off by what is left of them, and by rounding
        each, relative, worst = ROUNDING + residual, 0.0, 0.0
        for factor, size in zip(self._factors, cancelling, strict=True):
            relative = factor * (each * (size + 2) + relative * size)
            # a layer may make little of errors before it, which are errors all the same
            worst = np.maximum(worst, relative)
        return worst

    @cached_property
    def _factors(self) -> list[float]:
        """By layer, how much less exact than its rails followers are."""
        # a share of rails is off by twice as much as these; of others nothing is known
        return [
            2.0 ** len(activation.followers) if type(activation) in BUILT_IN.values() else math.inf
            for activation in (layer.activation for layer in self._kinetics.layers)
        ]

    def doubt(
        self,
        status: Outcomes,
        rows: npt.NDArray[np.intp],
        inputs: FloatArray,
        concentrations: FloatArray,
        constants: Sequence[RateConstants] | None = None,
    ) -> None:
        """Say in the status (n,) which of some rows (m,) are not known, of concentrations (m,
        n_species) and (m, n_in, n_rails) of the inputs' species, with rate constants by sample.
        """
        for first in range(0, len(rows), _ROWS):
            some = np.arange(first, min(first + _ROWS, len(rows)))
            own = None if constants is None else [part.take(some) for part in constants]
            _, errors = self._errors(inputs[some], concentrations[some], own)
            relative = np.concatenate([part.reshape(len(some), -1) for part in errors], axis=1)
            for row, each in zip(rows[some], relative / concentrations[some], strict=True):
                worst = int(np.argmax(each))
                if not each[worst] <= ACCURATE:
                    reason = (
                        f"{self._kinetics.species[worst]!r} may be off by {each[worst]:.1e} of"
                        " itself, since doubles do not hold how far the parts of a drive cancel;"
                        " expected larger h, or weights that cancel less"
                    )
                    status[row] = status[row].worse(Outcome.failure(reason, Kind.DOUBTFUL))

    def _errors(
        self,
        inputs: FloatArray,
        concentrations: FloatArray,
        constants: Sequence[RateConstants] | None = None,
    ) -> tuple[list[LayerState], list[FloatArray]]:
        """Layers' states, and how far species (n, n_units, n_species) may be off in each."""
        layers, walk = self._kinetics.layers, self._kinetics.walk
        if constants is None:
            drives = [layer.drive for layer in layers]
        else:
            pairs = zip(layers, constants, strict=True)
            drives = [Drive(layer.encoding, own) for layer, own in pairs]
        states: list[LayerState] = []
        parts: list[list[FloatArray]] = []

        def found(number: int, read: FloatArray) -> FloatArray:
            own = self._kinetics.of_layer(concentrations, number)
            n_rails = len(layers[number].activation.rails)
            # drives, their sizes, and local rate constants
            parts.append(np.split(drives[number].at(read), [n_rails, 2 * n_rails]))
            states.append(LayerState(read, list(parts[-1][0]), by_species(own)))
            return own

        def error(number: int, read: FloatArray) -> FloatArray:
            (_, sizes, local), off = parts[number], drives[number].sizes(read)
            return layers[number].error(states[number], list(sizes), off, local)

        with np.errstate(all="ignore"):  # of samples that failed
            walk(inputs, found, np.asarray)
            return states, walk(np.zeros_like(inputs), error, np.asarray)

    def _cancelling(self, x: FloatArray, concentrations: FloatArray) -> list[FloatArray]:
        """What `cancellation` says of each layer."""
        found: list[FloatArray] = []

        def settle(number: int, read: FloatArray) -> FloatArray:
            own = self._kinetics.of_layer(concentrations, number)
            layer = self._kinetics.layers[number]
            found.append(cancellation(places_of(layer), own, layer.drive.at(read)))
            return own

        with np.errstate(all="ignore"):  # of samples that failed
            self._kinetics.walk(self._kinetics.net.input_coding.code(x), settle, np.asarray)
        return found
