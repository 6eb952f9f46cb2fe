"""What runs a reaction network's deterministic time courses, compiled or not."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.simulation.engine import TIGHT, Tolerances
from crn_nn_tellurium.simulation.pieces import NO_CHANGES, Changes
from crn_nn_tellurium.simulation.settle import Settled


class Integrator(ABC):
    """A reaction network that can be run."""

    @abstractmethod
    def compile(self) -> None:
        """Compile what it needs now, so that the first answer does not wait for it."""

    @abstractmethod
    def time_course(
        self,
        time: FloatArray,
        start: FloatArray,
        boundary: FloatArray,
        constants: FloatArray | None = None,
        changes: Changes = NO_CHANGES,
        tolerances: Tolerances = TIGHT,
    ) -> FloatArray:
        """Concentrations (n_times, n_floating) at rising times, the start's first, by CVODE.

        The state at the time of a change has still seen the old boundary concentrations.
        """

    def advance(
        self,
        state: FloatArray,
        duration: float,
        boundary: FloatArray,
        constants: FloatArray | None = None,
        tolerances: Tolerances = TIGHT,
    ) -> FloatArray:
        """The state (n_floating,) that much later."""
        times = np.array([0.0, duration])
        return self.time_course(times, state, boundary, constants, tolerances=tolerances)[-1]

    @abstractmethod
    def steady_states(
        self, start: FloatArray, boundary: FloatArray, newton: bool = True
    ) -> Settled:
        """Positive steady states (n, n_floating).

        Without `newton` nothing but integration until the rates vanish.
        """
