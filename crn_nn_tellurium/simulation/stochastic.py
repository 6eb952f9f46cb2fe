"""Stochastic trajectories by the direct method of Gillespie (J. Comput. Phys. 22 (1976) 403).

In a volume V, a reaction with rate constant k and substrates s, taken a_s times, happens with the
propensity k V^(1 - order) prod_s n_s (n_s - 1) ... (n_s - a_s + 1) of the molecule numbers n.
Reactions that change the same species by as many molecules, and read the same floating ones, are
one channel: with boundary species held, their propensities are in constant proportion, so which of
them happens changes nothing. That is exact, and a neuron's thousand inputs are one channel.

A binary tree holds the sums of propensities: choosing a channel and putting in a new propensity
cost a logarithm of their number. Propensities and sums are made from molecule numbers, never by
adding differences, so no rounding builds up, and what cannot happen has the propensity 0.

This module is imported where it is used, as numba takes long to import.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import FloatArray, progress_bar
from crn_nn_tellurium.chemistry import ReactionNetwork
from crn_nn_tellurium.errors import ConvergenceError, InputError
from crn_nn_tellurium.simulation.pieces import piecewise

IntArray = npt.NDArray[np.int64]

MOST_MOLECULES = 2.0**53
"""Above it, a double cannot count."""
MOST_REACTIONS = 10**10
"""Reactions of one trajectory between two changes of inputs: a quarter of an hour and more."""
SLICE = 1_000_000
"""Reactions between two looks for Ctrl-C: a tenth of a second to a second."""


class Channels(NamedTuple):
    """What the compiled loop reads. Lists of lists are flat, with where each list starts."""

    rate: FloatArray
    # the propensity of c is its rate times n[factor] - less, for each of its factors
    factor_start: IntArray
    factor: IntArray
    less: FloatArray
    # what happens when c does: n[changed] += by
    change_start: IntArray
    changed: IntArray
    by: FloatArray
    # the channels that read a species
    reader_start: IntArray
    reader: IntArray


class Reactions:
    """The reactions of a network as channels; rates follow from volume and boundary species."""

    def __init__(self, crn: ReactionNetwork) -> None:
        place = {s: i for i, s in enumerate(crn.floating)}
        held = {s: i for i, s in enumerate(crn.boundary)}
        constant = {k: i for i, k in enumerate(crn.rate_constants)}
        channels: dict[tuple[_Pairs, _Pairs], int] = {}
        of_each: list[int] = []
        chosen: list[tuple[int, int]] = []
        by_held: list[tuple[int, int, int]] = []
        for reaction in crn.reactions:
            net = tuple(sorted((place[s], n) for s, n in reaction.net.items() if n and s in place))
            if not net:
                continue  # it changes nothing that is counted
            # of n molecules of one species that meet, the second is one of n - 1
            met = [(s, less) for s, count in reaction.substrates for less in range(count)]
            read = tuple(sorted((place[s], less) for s, less in met if s in place))
            by_held += [(len(of_each), held[s], less) for s, less in met if s in held]
            of_each.append(channels.setdefault((read, net), len(channels)))
            chosen.append((constant[reaction.rate_constant], reaction.order))
        self._held = np.array(by_held, dtype=np.int64).reshape(-1, 3).T
        self._constant, self._order = np.array(chosen, dtype=np.int64).reshape(-1, 2).T
        self._channel = np.array(of_each, dtype=np.int64)
        self._constants = crn.constants
        self.channels = _channels(list(channels), len(crn.floating))

    def at(self, boundary: FloatArray, volume: float) -> Channels:
        """Channels with boundary species (n_boundary,) held at these concentrations."""
        reaction, species, less = self._held
        with np.errstate(over="ignore", invalid="ignore"):
            rates = self._constants[self._constant] * volume ** (1.0 - self._order)
            # these need not be whole; of less than one molecule there are no pairs
            factors = np.maximum(boundary[species] * volume - less, 0.0)
            np.multiply.at(rates, reaction, factors)
            n = len(self.channels.rate)
            return self.channels._replace(rate=np.bincount(self._channel, rates, n).astype(float))


_Pairs = tuple[tuple[int, int], ...]


def _channels(channels: list[tuple[_Pairs, _Pairs]], n_species: int) -> Channels:
    readers: list[dict[int, None]] = [{} for _ in range(n_species)]
    for number, (read, _) in enumerate(channels):
        for species, _ in read:
            readers[species][number] = None
    factor_start, (factor, less) = _flat([read for read, _ in channels])
    change_start, (changed, by) = _flat([net for _, net in channels])
    reader_start, (reader, _) = _flat([[(c, 0) for c in numbers] for numbers in readers])
    return Channels(
        np.zeros(len(channels)),
        factor_start,
        factor,
        less.astype(float),
        change_start,
        changed,
        by.astype(float),
        reader_start,
        reader,
    )


def _flat(lists: list[Any]) -> tuple[IntArray, IntArray]:
    """Where each list of pairs starts, (n + 1,), and their first and second parts, (2, total)."""
    start = np.cumsum([0, *(len(pairs) for pairs in lists)], dtype=np.int64)
    pairs = np.array([pair for pairs in lists for pair in pairs], dtype=np.int64).reshape(-1, 2)
    return start, np.ascontiguousarray(pairs.T)


# The compiled loop --------------------------------------------------------------------------------


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    try:
        return numba.njit(function, cache=True, nogil=True)
    except RuntimeError:
        # where no folder can be written to, it is compiled in every process
        return numba.njit(function, nogil=True)


@_compiled
def _propensity(channels: Channels, state: FloatArray, channel: int) -> float:
    result = channels.rate[channel]
    for f in range(channels.factor_start[channel], channels.factor_start[channel + 1]):
        result *= state[channels.factor[f]] - channels.less[f]
    return result


@_compiled
def _run(
    rng: np.random.Generator,
    channels: Channels,
    state: FloatArray,
    times: FloatArray,
    found: FloatArray,
    place: int,
    left: float,
    limit: int,
) -> tuple[int, float, bool]:
    """Run on to the last time, or for `limit` reactions: changes `state`, and fills `found`.

    Goes in and comes out: the next row of `found` and the time left to it; whether propensities
    are finite.
    """
    n = len(channels.rate)
    leaves = 1
    while leaves < n:
        leaves *= 2
    # the sum at i is that of 2 i and 2 i + 1; the root is 1, leaves come last
    tree = np.zeros(2 * leaves)
    for channel in range(n):
        tree[leaves + channel] = _propensity(channels, state, channel)
    for i in range(leaves - 1, 0, -1):
        tree[i] = tree[2 * i] + tree[2 * i + 1]
    for _ in range(limit):
        total = tree[1]
        if not total < np.inf:
            return place, left, False
        wait = rng.standard_exponential() / total if total > 0 else np.inf
        # the clock starts anew at every point, so that waits that are short beside the time since
        # the start are not rounded away
        while wait > left:
            found[place] = state
            place += 1
            if place == len(times):
                return place, left, True
            wait -= left
            left = times[place] - times[place - 1]
        left -= wait
        target, i = rng.random() * total, 1
        while i < leaves:
            i *= 2
            # what cannot happen is not chosen, however the difference is rounded
            if target >= tree[i] and tree[i + 1] > 0:
                target -= tree[i]
                i += 1
        channel = i - leaves
        first, last = channels.change_start[channel], channels.change_start[channel + 1]
        for c in range(first, last):
            state[channels.changed[c]] += channels.by[c]
        for c in range(first, last):
            species = channels.changed[c]
            begin, end = channels.reader_start[species], channels.reader_start[species + 1]
            for r in range(begin, end):
                i = leaves + channels.reader[r]
                tree[i] = _propensity(channels, state, channels.reader[r])
                # readers rise: where the path of the next one to the root joins, that one goes on
                following = leaves + channels.reader[r + 1] if r + 1 < end else 0
                i, following = i >> 1, following >> 1
                while i > 0 and i != following:
                    tree[i] = tree[2 * i] + tree[2 * i + 1]
                    i, following = i >> 1, following >> 1
    return place, left, True


def _run_on(*given: Any) -> Any:
    """`_run`, on a full disk too: numba raises what keeps it from keeping what it has compiled."""
    # each of the two is compiled, before anything runs, once
    for _ in (_propensity, _run):
        with suppress(OSError):
            return _run(*given)
    return _run(*given)


def _say(show: Callable[[int, str], None], number: int, now: float) -> None:
    show(number, f"at t = {now:g}")


# What the simulator calls -------------------------------------------------------------------------


def draw(
    crn: ReactionNetwork,
    time: FloatArray,
    start: FloatArray,
    boundary: Mapping[float, FloatArray],
    volume: float,
    draws: int | None = None,
    seed: int | None = None,
    sample: int = 0,
    progress: bool | None = None,
) -> FloatArray:
    """Concentrations (draws, n_times, n_floating) at rising times, the start's first; without
    `draws` the first of them, (n_times, n_floating).

    Boundary concentrations (n_boundary,) are by the time from which they hold; the state at that
    time has still seen those from before it. A start is rounded to whole molecules.
    """
    with np.errstate(over="ignore"):
        state = np.round(start * volume)
    if not np.all(state <= MOST_MOLECULES):
        species = int(np.argmax(state))
        raise InputError(
            f"volume is {volume!r}: {crn.floating[species]!r} starts at {start[species]:g}, which"
            f" is {state[species]:g} molecules; expected at most 2^53"
        )
    reactions = Reactions(crn)
    pieces = {first: reactions.at(held, volume) for first, held in boundary.items()}

    def trajectory(own: np.random.SeedSequence, told: Callable[[float], None]) -> FloatArray:
        rng = np.random.default_rng(own)

        def run(channels: Channels, begin: FloatArray, times: FloatArray) -> FloatArray:
            return _piece(rng, channels, begin, times, told)

        return piecewise(run, time, state, pieces)

    # a stream for each draw and sample, so that how many are asked for changes none of them
    keys = [(number, sample) for number in range(draws or 1)]
    seeds = [np.random.SeedSequence(seed, spawn_key=key) for key in keys]
    found = np.empty((len(seeds), len(time), len(start)))
    with progress_bar("trajectories", progress, len(seeds)) as show:
        for number, own in enumerate(seeds):
            found[number] = trajectory(own, partial(_say, show, number))
    found /= volume
    return found if draws else found[0]


def _piece(
    rng: np.random.Generator,
    channels: Channels,
    start: FloatArray,
    times: FloatArray,
    told: Callable[[float], None],
) -> FloatArray:
    """Molecule numbers (n_times, n_floating) of one trajectory while nothing is changed."""
    state, found = start.copy(), np.empty((len(times), len(start)))
    found[0] = start
    place, left = 1, times[1] - times[0]
    for _ in range(0, MOST_REACTIONS, SLICE):
        place, left, finite = _run_on(rng, channels, state, times, found, place, left, SLICE)
        if place == len(times):
            told(times[-1])
            return found
        now = times[place] - left
        told(now)
        if not finite:
            raise ConvergenceError(
                f"propensities are no finite numbers at t = {now:g}; expected rate constants and a"
                " volume whose products are"
            )
    raise ConvergenceError(
        f"{MOST_REACTIONS:,} reactions lead from t = {times[0]:g} to {now:g} only; expected fewer"
        f" until {times[-1]:g}, as in a smaller volume"
    )
