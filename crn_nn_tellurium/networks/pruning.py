"""Weights and biases that cannot be seen in a network's answers, though each makes a reaction.

A rail rests at sigma_h(u), where u is its drive, and

    d log sigma_h(u) / du = 1 / sqrt(u^2 + 4 h) <= 1 / (2 sqrt(h)),

so terms of the drive that together are below 2 sqrt(h) tolerance change its concentration by a
factor of at most e^tolerance. Such are the terms gain w v of weights where the values v have a
known range, and gain b. Where it is unknown, nothing can be said but how large a weight is among
the others of its unit: the largest then counts as 2 sqrt(h).
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.networks.activation import Activation, smoothed_relu
from crn_nn_tellurium.networks.layer import INPUT, Layer, places, values_of, with_values


def pruned_layers(
    layers: tuple[Layer, ...], tolerance: float, inputs: FloatArray
) -> tuple[Layer, ...]:
    """The layers without what cannot be seen, for inputs (n_in,) as large as they become."""
    largest = {INPUT: inputs}
    result = []
    for layer in layers:
        read = layer.read(largest)
        result.append(_pruned(layer, read, tolerance))
        rows, columns = places(layer.weights)
        weights = np.abs(values_of(layer.weights))
        # a weight of zero reads nothing, however large its value: 0 times infinity is no number
        terms = weights * np.where(weights > 0, read[columns], 0.0)
        reach: FloatArray = np.abs(layer.bias) + np.bincount(rows, terms, layer.n_out)
        largest[layer.name] = _largest_values(layer.activation, reach)
    return tuple(result)


def _largest_values(activation: Activation, reach: FloatArray) -> FloatArray:
    """How large the values (n_units,) become for pre-activations as large as `reach`."""
    rails = {rail.name for rail in activation.rails}
    if any(reaction.changes & rails for reaction in activation.local_reactions):
        return np.full_like(reach, math.inf)  # its rails need not rest at sigma_h
    ends = [smoothed_relu(activation.drive(z), activation.h) for z in (-reach, reach)]
    caps = [follower.upper_bound for follower in activation.followers]
    followers = np.broadcast_to(caps, (len(reach), len(caps)))
    lower = np.concatenate([np.minimum(*ends), np.zeros_like(followers)], axis=1)
    upper = np.concatenate([np.maximum(*ends), followers], axis=1)
    return np.maximum(*map(np.abs, activation.read_between(lower, upper)))


def _pruned(layer: Layer, read: FloatArray, tolerance: float) -> Layer:
    gain, bend = abs(layer.activation.gain), 2 * math.sqrt(layer.activation.h)
    rows, columns = places(layer.weights)
    weights = np.abs(values_of(layer.weights))
    known = np.isfinite(read[columns])
    terms = gain * weights * np.where(known, read[columns], 1.0)
    # of values of unknown range, the largest weight of a unit counts as the bend itself
    most = np.zeros(layer.n_out)
    np.maximum.at(most, rows[~known], weights[~known])
    terms[~known] = bend * weights[~known] / np.maximum(most, np.finfo(float).tiny)[rows[~known]]
    units = np.arange(layer.n_out)
    unseen = _unseen(
        np.concatenate([rows, units]),
        np.concatenate([terms, gain * np.abs(layer.bias)]),
        bend * tolerance,
    )
    kept = np.where(unseen[: len(terms)], 0.0, values_of(layer.weights))
    bias = np.where(unseen[len(terms) :], 0.0, layer.bias)
    return dataclasses.replace(layer, weights=with_values(layer.weights, kept), bias=bias)


def _unseen(rows: npt.NDArray[np.intp], terms: FloatArray, budget: float) -> npt.NDArray[np.bool_]:
    """The smallest terms of each row, as many as together stay within the budget."""
    order = np.lexsort((terms, rows))
    result = np.zeros(len(terms), dtype=bool)
    # row by row: in one sum over all, the smallest terms would be lost in rounding
    for own in np.split(order, np.cumsum(np.bincount(rows))[:-1]):
        result[own] = np.cumsum(terms[own]) <= budget
    return result
