"""Stochastic runs by others, of the same molecules in the same volume."""

import itertools

import numpy as np
import tellurium as te
from scipy.linalg import expm

from crn_nn_tellurium.benchmarks import propensities_text


def runner(crn, boundary, volume):
    """roadrunner's own, set to Gillespie's method."""
    found = te.loada(propensities_text(crn, boundary, volume))
    found.setIntegrator("gillespie")
    found.getIntegrator().setValue("variable_step_size", False)
    return found


def roadrunner_draw(model, crn, time, start, volume, seed):
    """Concentrations (n_times, n_floating) of one run of a `runner`."""
    model.getIntegrator().setValue("seed", seed)
    model.resetAll()
    state = np.round(start * volume)
    for name, molecules in zip(crn.floating, state, strict=True):
        model[name] = molecules
    columns = ["time", *crn.floating]
    states = [state]
    # piece by piece: over several times at once it gives states of other times
    for first, last in itertools.pairwise(time.tolist()):
        states.append(np.array(model.simulate(first, last, 2, columns))[-1, 1:])
    return np.array(states) / volume


def master_equation(crn, volume, pieces):
    """All states (n, n_floating) that a network can come to, and how likely each is at the end.

    Pieces are times, with the boundary concentrations that hold for so long.
    """
    start = tuple(np.round(crn.initial_concentrations * volume).astype(int).tolist())
    index, likely = {start: 0}, None
    for duration, boundary in pieces:
        rates, todo = [], list(index)
        for state in todo:  # it grows
            for reaction in crn.reactions:
                after, propensity = _happens(crn, reaction, state, boundary, volume)
                if propensity > 0:
                    if after not in index:
                        index[after] = len(index)
                        todo.append(after)
                    rates.append((index[after], index[state], propensity))
        generator = np.zeros((len(index), len(index)))
        for row, column, propensity in rates:
            generator[row, column] += propensity
            generator[column, column] -= propensity
        before = np.eye(len(index))[0] if likely is None else likely
        before = np.concatenate([before, np.zeros(len(index) - len(before))])
        likely = expm(generator * duration) @ before
    return np.array(list(index)), likely


def _happens(crn, reaction, state, boundary, volume):
    """The state after a reaction, and its propensity, by its definition."""
    molecules = dict(zip(crn.floating, state, strict=True))
    molecules |= dict(zip(crn.boundary, boundary * volume, strict=True))
    propensity = reaction.value * volume ** (1 - reaction.order)
    for species, count in reaction.substrates:
        for i in range(count):
            propensity *= max(molecules[species] - i, 0)
    net = reaction.net
    after = tuple(n + net.get(s, 0) for s, n in zip(crn.floating, state, strict=True))
    return after, propensity
