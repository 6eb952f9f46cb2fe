"""How often a class is right where molecules are counted, by Gillespie's direct method.

Each draw starts at the steady state, rounded to whole molecules, and runs until `LIFETIMES` of the
slowest change have passed: of the way of the mean e^-4 is left then, of the variance's e^-8. How
often the class is right lies between `share_bounds`. How many reactions that takes is known before:
the sum of the propensities at the steady state, times the time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from crn_nn_tellurium.basics import FloatArray, by_sample, progress_bar, share_bounds, warn
from crn_nn_tellurium.chemistry import duration
from crn_nn_tellurium.fluctuations.network_noise import NetworkNoise
from crn_nn_tellurium.fluctuations.reaction_noise import ReactionNoise
from crn_nn_tellurium.simulation import Simulator

LIFETIMES = 4
"""How long a draw runs, in lifetimes of the slowest change."""
MOST_REACTIONS = 2e10
"""Of all draws of one sample: about an hour."""
LONG = 1.5e9
"""Of all draws of all samples: minutes, which are told beforehand."""
A_SECOND = 5e6
"""Reactions, about: measured, of networks of 4 to 52 species."""
TOGETHER = 5e6
"""Of draws between two looks at what is known, about."""


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
        Whether theory and runs agree, or why nothing, or not all, was run.
    """

    sample: int
    volume: float
    expected: float
    right: int
    draws: int
    lower: float
    upper: float
    note: str

    @property
    def agrees(self) -> bool:
        """Whether some draws were run, and theory is within their bounds."""
        # theory's own numerical error beside it
        within = self.lower <= self.expected + 1e-3 and self.expected - 1e-3 <= self.upper
        return self.draws > 0 and within


@dataclass(frozen=True, eq=False)
class Sample:
    """What is to be counted: a sample x (n_in,) at its steady state (n_species,)."""

    simulator: Simulator
    x: FloatArray
    concentrations: FloatArray
    label: object
    # nothing counted yet
    blank: Counted

    @cached_property
    def duration(self) -> float:
        """How long each draw runs."""
        kinetics = self.simulator.kinetics
        if any(layer.knot for layer in kinetics.layers):
            own = ReactionNoise(self.simulator.reactions, self.concentrations, self._held)
            return LIFETIMES / own.slowest
        states = kinetics.at(self.x[None], self.concentrations[None])
        # J is triangular: its slowest change is the smallest number on its diagonal
        diagonal = NetworkNoise(kinetics, states).levels.diagonal
        return LIFETIMES / min(float(-part.max()) for part in diagonal)

    @property
    def _held(self) -> FloatArray:
        coding = self.simulator.net.input_coding
        return by_sample(coding.code(self.x[None]))[0]

    @cached_property
    def reactions(self) -> float:
        """How many one draw takes, about."""
        rates = self.simulator.reactions.rates(self.concentrations, self._held)
        return float(rates.sum()) * self.blank.volume * self.duration

    def parts(self, draws: int, seed: int) -> Iterator[tuple[int, int]]:
        """How many draws are done, and how many of them were right, after each of some parts."""
        step = int(np.clip(TOGETHER / self.reactions, 1, draws))
        right = 0
        for first in range(0, draws, step):
            now = min(step, draws - first)
            # a stream for each part
            own = np.random.SeedSequence(seed, spawn_key=(first,)).generate_state(1, np.uint64)
            course = self.simulator.time_course(
                self.x,
                self.duration,
                2,
                initial=self.concentrations,
                volume=self.blank.volume,
                draws=now,
                seed=int(own[0]),
            )
            classes = self.simulator.net.classify(course.outputs[:, -1])
            right += int((classes == self.label).sum())
            yield first + now, right

    def counted(self, draws: int, right: int, note: str = "") -> Counted:
        """With what came of some draws."""
        lower, upper = map(float, share_bounds(right, draws)) if draws else (0.0, 1.0)
        found = replace(self.blank, right=right, draws=draws, lower=lower, upper=upper, note=note)
        if not draws:
            return found
        fewer = right < found.expected * draws
        verdict = f"right {'less' if fewer else 'more'} often than expected"
        verdict = "as expected" if found.agrees else verdict
        return replace(found, note="; ".join(filter(None, (verdict, note))))


def count(samples: Sequence[Sample], draws: int, seed: int) -> tuple[Counted, ...]:
    """Count so many draws of each sample; of what Ctrl-C stops, those that are done.

    Warns beforehand of what takes minutes, and of draws that are missing.
    """
    takes = [one.reactions * draws for one in samples]
    running = [n for n in takes if n <= MOST_REACTIONS]
    total = sum(running)
    if total > LONG:
        warn(
            f"verify: {draws} draws of {len(running)} samples are some {total:.1g} reactions, which"
            f" take about {duration(total / A_SECOND)}; fewer draws take less, and Ctrl-C ends it"
            " with those that are done"
        )
    found: list[Counted] = []
    done = 0.0
    stopped = ""
    with progress_bar("running molecule by molecule, %", total=100) as advance:
        for sample, own in zip(samples, takes, strict=True):
            n, right, number = 0, 0, sample.blank.sample
            if not own <= MOST_REACTIONS:
                why = f"not run: {draws} draws take {own:.1g} reactions, above {MOST_REACTIONS:g}"
                found.append(sample.counted(0, 0, why))
                continue
            try:
                for n, right in () if stopped else sample.parts(draws, seed):
                    share = (done + n * sample.reactions) / total
                    advance(int(100 * share), f"sample {number}: {right} of {n} right")
            except KeyboardInterrupt:
                stopped = "stopped by Ctrl-C"
            done += own
            missing = f"{n} of {draws} draws, " if n else "not run: "
            found.append(sample.counted(n, right, missing + stopped if n < draws else ""))
    if stopped:
        warn(f"verify: {stopped}: {sum(one.draws for one in found)} draws were run", RuntimeWarning)
    return tuple(found)
