"""Random networks, and the search for their slowest trajectories, against which certificates are
held.
"""

from __future__ import annotations

import dataclasses
import itertools
from typing import NamedTuple

import numpy as np

import crn_nn_tellurium as cn
from crn_nn_tellurium.networks.activations import BUILT_IN

CAP = 1e6


def draw(seed, depth=None, width=None, kinds=None):
    """A network (depth 1 to 6, widths 1 to `width`, any activations, h 1e-6 to 1, weights to 10)
    and an input.
    """
    rng = np.random.default_rng(seed)
    depth = int(rng.integers(1, 7)) if depth is None else depth
    # most networks are narrow: compiling a wide one takes seconds
    width = int(rng.choice([2, 4, 8, 20], p=[0.4, 0.4, 0.16, 0.04])) if width is None else width
    sizes = rng.integers(1, width + 1, depth + 1)
    names = sorted(BUILT_IN) if kinds is None else kinds
    layers = []
    for n_in, n_out in itertools.pairwise(sizes):
        scale = np.sqrt(2 / n_in) * 10 ** rng.uniform(-0.5, 0.7)
        weights = np.clip(rng.normal(0, scale, (n_out, n_in)), -10, 10)
        kind = names[rng.integers(len(names))]
        if kind == "Normalized" and n_out == 1:
            kind = "SmoothedReLU"  # one value normalised is 1 whatever its input
        activation = BUILT_IN[kind](h=10 ** rng.uniform(-6, 0))
        layers.append(cn.Layer(weights, rng.normal(0, 0.3, n_out), activation))
    return cn.Network(layers, name=f"net{seed}"), rng.uniform(0, 2, sizes[0])


def draw_with_rates(seed):
    """A network of widths up to 4, an input, and an error of its rate constants."""
    rng = np.random.default_rng(seed)
    net, x = draw(seed, width=int(rng.choice([1, 2, 4])))
    return net, x, float(rng.choice([0.01, 0.03, 0.1]))


def starts(sim, seed, n=20):
    """0, 1e6 in every species, and random points from 1e-9 to 1e6."""
    rng = np.random.default_rng(seed)
    size = len(sim.species)
    return [np.zeros(size), np.full(size, CAP), *(10 ** rng.uniform(-9, 6, (n, size)))]


def adverse_starts(sim, x, seed, n=6):
    """Corners, and layers far off while those before them have settled: where slow trajectories
    begin.
    """
    rng = np.random.default_rng(seed)
    size = len(sim.species)
    follows = np.array([not name.startswith("Y") for name in sim.species])
    fixed = sim.steady_state(x).concentrations[0]
    layer = np.array(
        [int("".join(c for c in name.split("_")[0] if c.isdigit())) for name in sim.species]
    )
    found = [np.where(follows, high, low) for high in (0.0, CAP) for low in (0.0, CAP)]
    for number in range(1, layer.max() + 1):
        for rails in (fixed, np.zeros(size)):
            off = np.where(follows, CAP, rails)
            found += [np.where(layer == number, off, fixed), np.where(layer >= number, off, fixed)]
    for _ in range(n):
        found.append(np.where(follows, rng.choice([0, 1, CAP], size), rng.choice([0, CAP], size)))
        found.append(np.where(rng.random(size) < 0.5, rng.choice([0, CAP], size), fixed))
    return found


class Course(NamedTuple):
    """Outputs (n_times, n_out) of a trajectory at times (n_times,)."""

    time: np.ndarray
    outputs: np.ndarray


def times_about(end):
    """Times around a certified one: what is late shows after it, soon or long after."""
    before, after = np.geomspace(1e-4, 0.8, 120), np.geomspace(1.2, 30, 40)
    return end * np.concatenate([[0], before, np.linspace(0.8, 1.2, 161)[1:], after[1:]])


def settles_at(course, target, tolerance):
    """After which time all outputs of a time course stay within tolerance of the target."""
    late = np.flatnonzero(np.abs(course.outputs - target).max(axis=1) > tolerance)
    if not len(late):
        return 0.0
    return course.time[late[-1] + 1] if late[-1] + 1 < len(course.time) else np.inf


def check(net, x, certificate, seed, n=20, adverse=6):
    """Run trajectories: none may leave the envelope or be late. Returns the latest time found to
    settle.

    `n` are random starts, `adverse` says how many starts are looked for where slow trajectories
    begin. A start from which CVODE gives up tells nothing; most must tell something.
    """
    sim = cn.Simulator(net)
    crn, model = cn.to_reactions(net, x), sim.flat
    target, times = certificate.outputs.lower[0], times_about(max(certificate.settling_time, 1e-3))
    envelope = certificate.envelope
    latest = 0.0
    begin = [*starts(sim, seed, n), *(adverse_starts(sim, x, seed, adverse) if adverse else [])]
    failed = 0
    for start in begin:
        try:
            found = model.time_course(times, start, crn.boundary_concentrations)
        except cn.ConvergenceError:
            failed += 1
            continue
        course = Course(times, crn.observe(found)[:, -net.n_out :])
        late = course.time >= certificate.settling_time
        off = np.abs(course.outputs[late] - target).max()
        # the envelope too is held to its tolerance but for 1e-6 of it (`following.SLACK`)
        assert off <= certificate.tolerance * (1 + 1e-6), (net.name, start, off)
        # the envelope of all starts shrinks, so its bounds at the grid point before hold
        before = np.searchsorted(envelope.time, course.time, side="right") - 1
        seen = (before >= 0) & (course.time <= envelope.time[-1])
        # the lower copy is 1 - f: an integration to 1e-10 leaves it some 1e-9 of the fixed point
        room = 1e-8 + 1e-6 * np.abs(course.outputs[seen])
        assert np.all(course.outputs[seen] <= envelope.upper[before[seen]] + room), (
            net.name,
            start,
        )
        assert np.all(course.outputs[seen] >= envelope.lower[before[seen]] - room), (
            net.name,
            start,
        )
        latest = max(latest, settles_at(course, target, certificate.tolerance))
    assert failed <= len(begin) / 2
    return latest


def apart(crn):
    """The same network with a rate constant of its own for each reaction."""
    reactions = [
        dataclasses.replace(reaction, rate_constant=f"k{i}_own", value=reaction.value)
        for i, reaction in enumerate(crn.reactions)
    ]
    held = zip(crn.boundary, crn.boundary_concentrations.tolist(), strict=True)
    species = [cn.Species(name) for name in crn.floating]
    species += [cn.Species(name, value, boundary=True) for name, value in held]
    return cn.ReactionNetwork(species, reactions)


def adverse_signs(crn, draws, seed):
    """Directions (n, n_reactions) for the errors of rate constants: all slow (what makes a species
    and what it is lost with by itself both down), all up, both kinds against each other, the same
    by halves of the species, and random corners.
    """
    rng = np.random.default_rng(seed)
    ids = {name: i for i, name in enumerate(crn.floating)}
    change = np.zeros(len(crn.reactions))
    row = np.zeros(len(crn.reactions), dtype=int)
    for k, reaction in enumerate(crn.reactions):
        before, after = dict(reaction.substrates), dict(reaction.products)
        for name in {*before, *after} & set(ids):
            if number := after.get(name, 0) - before.get(name, 0):
                change[k], row[k] = np.sign(number), ids[name]
    sides = rng.choice([-1.0, 1.0], (draws, len(ids)))
    found = [-np.ones_like(change), np.ones_like(change), change, -change]
    found += [side[row] * change for side in sides]
    found += list(rng.choice([-1.0, 1.0], (draws, len(change))))
    return np.array(found)


def latest_with_rates(net, x, certificate, signs, seed=0, starts_each=4):
    """The latest time at which an output is off its own limit, over networks whose rate constants
    are off by `certificate.rates` times `signs` (n, n_reactions) and over extreme starts, relative
    to what is certified; and how many trajectories that is from.
    """
    crn, rng = apart(cn.to_reactions(net, x)), np.random.default_rng(seed)
    model, reader = cn.Roadrunner().model(crn), cn.to_reactions(net, x)
    end = certificate.settling_time
    times = times_about(end)
    capped = np.isin(crn.floating, certificate.capped)
    highest = np.where(capped, certificate.initial_max or CAP, CAP)
    begin = [np.zeros(len(highest)), highest, np.where(capped, highest, 0.0)]
    begin += [highest * rng.integers(0, 2, len(highest)) for _ in range(max(starts_each - 3, 0))]
    found, seen = 0.0, 0
    for sign in signs:
        constants = crn.constants * (1 + certificate.rates * sign)
        for start in begin[:starts_each]:
            try:
                course = model.time_course(times, start, crn.boundary_concentrations, constants)
            except cn.ConvergenceError:
                continue
            outputs = reader.observe(course)[:, -net.n_out :]
            off = np.abs(outputs - outputs[-1]) > certificate.tolerance * (1 + 1e-6)
            found = max(found, times[off.any(axis=1)].max(initial=0.0) / end)
            seen += 1
    return found, seen


def settle_draws(net, x, rates, n, seed=0):
    """Outputs (n, n_out) and species (n, n_species) for rate constants drawn for every reaction by
    itself.

    Half of the draws are at the ends of the intervals. Species settle one after another, each at
    the positive root of its own quadratic: nothing of the package's interval code is used.
    """
    rng = np.random.default_rng(seed)
    shape = (n // 2, len(cn.to_reactions(net, x).reactions))
    errors = np.concatenate([rng.uniform(-1, 1, shape), rng.choice([-1.0, 1.0], shape)])
    return settle_with(net, x, 1 + rates * errors)


def settle_with(net, x, factors):
    """The same with factors (n, n_reactions) on the rate constants of the written reactions."""
    crn = cn.to_reactions(net, x)
    nominal = np.array([r.value for r in crn.reactions])
    k = dict(zip((r.id for r in crn.reactions), (nominal * factors).T, strict=True))
    known = {
        s: np.full(len(factors), c)
        for s, c in zip(crn.boundary, crn.boundary_concentrations, strict=True)
    }
    changes = {s: [] for s in crn.floating}
    for reaction in crn.reactions:
        before, after = dict(reaction.substrates), dict(reaction.products)
        for s in {*before, *after} & set(changes):
            if number := after.get(s, 0) - before.get(s, 0):
                changes[s].append((reaction.id, number, before))
    waiting = list(crn.floating)
    while waiting:
        for s in list(waiting):
            if any(o not in known and o != s for _, _, before in changes[s] for o in before):
                continue
            c = [np.zeros(len(factors)) for _ in range(3)]
            for reaction, number, before in changes[s]:
                c[before.get(s, 0)] += (
                    number
                    * k[reaction]
                    * np.prod([known[o] ** m for o, m in before.items() if o != s], axis=0)
                )
            root = np.sqrt(c[1] ** 2 - 4 * c[0] * c[2])
            known[s] = np.where(
                c[1] < 0,
                2 * c[0] / (root - c[1]),
                (c[1] + root) / np.where(c[2] < 0, -2 * c[2], 1.0),
            )
            waiting.remove(s)
    read = [
        next(o for o in crn.observables if o.id == name).expression.evaluate(known)
        for name in net.output_names
    ]
    return np.stack(np.broadcast_arrays(*read, np.empty(len(factors)))[:-1], 1), np.stack(
        [known[s] for s in crn.floating], 1
    )
