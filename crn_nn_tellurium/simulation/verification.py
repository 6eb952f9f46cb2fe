"""What the engine says of a network, beside the closed form's or scipy's answers."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.integrate import solve_ivp

from crn_nn_tellurium.basics import FloatArray, card
from crn_nn_tellurium.encoding import to_reactions
from crn_nn_tellurium.errors import ConvergenceError
from crn_nn_tellurium.importers import AnyModel, as_network
from crn_nn_tellurium.networks import Network
from crn_nn_tellurium.simulation.conditions import check_time
from crn_nn_tellurium.simulation.results import TimeCourse
from crn_nn_tellurium.simulation.simulator import Simulator

VERIFIED_UP_TO = 2_000
"""Samples that the engine runs, evenly spread over those given."""
TIMES_VERIFIED_UP_TO = 20
"""The same at a read-out time, where each is a time course."""


@dataclass(frozen=True, repr=False)
class Verification:
    """What the engine says of a network.

    Of `samples` that it ran, how many `failed`; `difference` is the largest |engine - independent
    answer| over the outputs, relative to the largest output or 1; `time` is the read-out time.
    """

    samples: int
    failed: int
    difference: float
    time: float | None = None

    @property
    def passed(self) -> bool:
        """Whether every sample ended where it should, to 1e-8, at a read-out time to 1e-6."""
        return self.failed == 0 and self.difference <= (1e-8 if self.time is None else 1e-6)

    def __str__(self) -> str:
        word = "verified" if self.passed else "NOT verified"
        when = "" if self.time is None else f" at t = {self.time:g}"
        failed = f", {self.failed} failed" if self.failed else ""
        on = f"on {self.samples} samples{when}{failed}"
        return f"{word} by the engine {on}, largest difference {self.difference:.1e}"

    def __repr__(self) -> str:
        return f"Verification({self})"

    def _repr_html_(self) -> str:
        facts: dict[str, object] = {
            "samples": f"{self.samples:,}, of which {self.failed:,} failed",
            "largest difference": self.difference,
        }
        if self.time is not None:
            facts["read out at"] = f"t = {self.time:g}"
        return card("Verified" if self.passed else "NOT verified", facts)


def verify(
    net: AnyModel,
    X: npt.ArrayLike,
    time: float | None = None,
    initial: float | Mapping[str, float] | None = None,
) -> Verification:
    """Run the chemistry on roadrunner and compare its answers with independent ones.

    Steady states are compared with the closed form; outputs at a read-out time, of up to 20
    samples, with scipy's solution of the reactions' own differential equation.

    Raises
    ------
    InputError
        If the inputs, the time or the start do not fit.

    Examples
    --------
    >>> verify(Network.random([2, 3, 1], seed=0), [[0, 1], [1, 1]]).passed
    True
    """
    net = as_network(net, "verify")
    check_time(time, initial)
    x = np.atleast_2d(net.input_coding.check(X))
    simulator = Simulator(net)
    if time is None:
        x = _spread(x, VERIFIED_UP_TO)
        steady = simulator.steady_state(x, on_error="nan")
        return Verification(len(x), steady.failed, _difference(steady.outputs, net(x)))
    x = _spread(x, TIMES_VERIFIED_UP_TO)
    courses = []
    for row in x:
        # a sample that fails is one of the things to find out
        with suppress(ConvergenceError):
            courses.append(simulator.time_course(row, time, 2, initial=initial))
    found = np.array([course.outputs[-1] for course in courses])
    expected = np.array([_by_scipy(net, course) for course in courses])
    return Verification(len(x), len(x) - len(courses), _difference(found, expected), time)


def _spread(x: FloatArray, most: int) -> FloatArray:
    return x if len(x) <= most else x[np.linspace(0, len(x) - 1, most).astype(int)]


def _difference(found: FloatArray, expected: FloatArray) -> float:
    scale = max(1.0, float(np.abs(expected).max(initial=0.0)))
    return float(np.nanmax(np.abs(found - expected), initial=0.0)) / scale


def _by_scipy(net: Network, course: TimeCourse) -> FloatArray:
    """Outputs (n_out,) at the end of a time course, from the right-hand side by scipy's LSODA."""
    crn = to_reactions(net, course.inputs[0])
    span = (course.time[0], course.time[-1])
    # another integrator, with tolerances far below the 1e-6 that is asked for
    start, how = course.concentrations[0], {"method": "LSODA", "rtol": 1e-9, "atol": 1e-12}
    found = solve_ivp(lambda _, y: crn.right_hand_side(y), span, start, **how)
    return crn.observe(found.y[:, -1])[-net.n_out :]
