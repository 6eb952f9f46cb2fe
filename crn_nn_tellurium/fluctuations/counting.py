"""How often a class is right where molecules are counted, by Gillespie's direct method.

Each draw starts at the steady state, rounded to whole molecules, and runs until `LIFETIMES` of the
slowest change have passed: of the way of the mean e^-4 is left then, of the variance's e^-8. How
often the class is right lies between `share_bounds`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crn_nn_tellurium.basics import FloatArray, share_bounds
from crn_nn_tellurium.fluctuations.network_noise import NetworkNoise
from crn_nn_tellurium.simulation import Simulator

LIFETIMES = 4
"""How long a draw runs, in lifetimes of the slowest change."""
MOST_REACTIONS = 2e10
"""Of all draws of one sample: about an hour."""


@dataclass(frozen=True)
class Counted:
    """How often one sample's class is right in stochastic runs, beside what theory expects.

    Attributes
    ----------
    sample : int
    volume : float
    expected : float
        The probability by the linear noise approximation.
    right, draws : int
        Of so many draws, how many gave the class; none were run where they take too long.
    lower, upper : float
        Between which the share lies, at a level of 95 %.
    note : str
        Whether theory and runs agree, or why nothing was run.
    """

    sample: int
    volume: float
    expected: float
    right: int
    draws: int
    lower: float
    upper: float
    note: str


def count(
    simulator: Simulator,
    x: FloatArray,
    label: object,
    told: tuple[int, float, float],
    draws: int,
    seed: int,
) -> Counted:
    """Count one sample x (n_in,) of a class; `told` are its number, volume and probability."""
    number, volume, expected = told
    kinetics = simulator.kinetics
    steady = simulator.steady_state(x)
    own = NetworkNoise(kinetics, kinetics.at(x[None], steady.concentrations))
    # J is triangular: its slowest change is the smallest number on its diagonal
    slowest = min(float(-part.max()) for part in own.levels.diagonal)
    pairs = own.diffusion.items()
    happening = sum(float(np.einsum("njj->", d)) for (a, b), d in pairs if a == b)
    reactions = happening * volume * LIFETIMES / slowest * draws
    if not reactions <= MOST_REACTIONS:
        note = f"not run: {draws} draws take {reactions:.1g} reactions, above {MOST_REACTIONS:g}"
        return Counted(number, volume, expected, 0, 0, 0.0, 1.0, note)
    course = simulator.time_course(
        x,
        LIFETIMES / slowest,
        2,
        initial=steady.concentrations[0],
        volume=volume,
        draws=draws,
        seed=seed,
    )
    right = int((kinetics.net.classify(course.outputs[:, -1]) == label).sum())
    lower, upper = map(float, share_bounds(right, draws))
    # theory's own numerical error beside it
    agrees = lower <= expected + 1e-3 and expected - 1e-3 <= upper
    fewer = right < expected * draws
    note = "as expected" if agrees else f"right {'less' if fewer else 'more'} often than expected"
    return Counted(number, volume, expected, right, draws, lower, upper, note)
