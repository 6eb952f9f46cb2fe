"""Layers with random weights."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from scipy import sparse

from crn_nn_tellurium.basics import (
    brief,
    check_share,
    is_real,
    seed_given,
)
from crn_nn_tellurium.errors import NetworkError
from crn_nn_tellurium.networks.activation import Activation
from crn_nn_tellurium.networks.layer import Layer


def drawn_layers(
    sizes: Sequence[int], hidden: Activation, output: Activation, density: float, seed: int | None
) -> tuple[Layer, ...]:
    """The layers of `Network.random`."""
    if isinstance(sizes, str) or not isinstance(sizes, Iterable):
        raise NetworkError(f"sizes are {sizes!r}; expected numbers, [2, 3, 1] say")
    sizes = list(sizes)
    if len(sizes) < 2 or not all(is_real(n) and 1 <= n < 2**31 and n == int(n) for n in sizes):
        raise NetworkError(
            f"sizes are {brief(sizes)}; expected at least two whole numbers, each 1 or more"
        )
    check_share("density", density, "a number in (0, 1]", whole=True, error=NetworkError)
    rng = np.random.default_rng(None if seed is None else seed_given(seed))
    layers = []
    for n_in, n_out in itertools.pairwise(map(int, sizes)):
        weights: Any = rng.normal(0.0, np.sqrt(2 / (density * n_in)), (n_out, n_in))
        if density < 1:
            weights = sparse.csr_array(weights * (rng.random((n_out, n_in)) < density))
        layers.append(Layer(weights, rng.normal(0.0, 0.1, n_out), hidden))
    # after all draws, so that networks that differ in their output have equal weights
    layers[-1] = dataclasses.replace(layers[-1], activation=output)
    return tuple(layers)
