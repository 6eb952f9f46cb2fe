"""From rate constants of the flat network, as the engine has them, to the network's parameters.

The engine is asked for derivatives by rate constants, which are sizes; whoever asks about a network
means its weights, biases and h, with their signs. A weight whose value is read on two rails has two
rate constants, and a constant in a read-out brings weights into the biases' constants.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.chemistry import ReactionNetwork
from crn_nn_tellurium.kinetics import LayerKinetics, NetworkKinetics, RateConstants
from crn_nn_tellurium.networks import (
    parameters as network_parameters,
    shared_id,
    split,
    to_vector,
    values_of,
)


def check_h(kinetics: NetworkKinetics, wanted: Container[str]) -> None:
    """Refuse derivatives by an h that is more than the rate constant of its rails."""
    if any(p.kind == "h" and p.id in wanted for p in network_parameters(kinetics.net)):
        kinetics.check_h()


def constants_by_place(layer: LayerKinetics) -> list[tuple[str, tuple[str, Any], float]]:
    """(identifier, place in `RateConstants`, its sign per signed number) of weights, biases, h."""
    n, own = layer.constants.weights.size, layer.constants
    found: dict[str, tuple[tuple[str, Any], float]]
    found = {k: (("weights", i), 1.0) for i, k in enumerate(layer.names[:n])}
    for (j, position), k in zip(np.ndindex(own.bias.shape), layer.names[n:], strict=False):
        rail = layer.activation.rails[position]
        # of the rails that share a bias, the first stands for it
        found.setdefault(k, (("bias", (j, position)), 1.0 if rail.shift else float(rail.sign)))
    h = shared_id(layer.encoding.index, "h")
    found[h] = ("local", layer.local.rate_constants.index(h)), 1.0
    return [(k, *place) for k, place in found.items()]


def parameter_jacobian(
    kinetics: NetworkKinetics, crn: ReactionNetwork
) -> tuple[list[str], sparse.csr_array]:
    """Rate constants of the flat network, and d size / d parameter, (n_constants, n_parameters)."""
    n_parameters, signs = len(to_vector(kinetics.net)), crn.constant_signs
    # where each layer's parameters stand in the vector of all
    numbers = split(kinetics.net, np.arange(n_parameters, dtype=float))
    names: list[str] = []
    entries: list[tuple[FloatArray, npt.NDArray[np.intp], npt.NDArray[np.intp]]] = []
    for layer, weights, bias, h in zip(kinetics.layers, *numbers, strict=True):
        own, columns = layer.constants, np.concatenate([weights, bias, [h]]).astype(np.intp)
        for k, (target, place), sign in constants_by_place(layer):
            if k not in signs:
                continue
            # `to_parameters` is linear: of the derivative by one constant it makes that one's row
            one = RateConstants(*map(np.zeros_like, (own.weights, own.bias, own.local)))
            getattr(one, target)[place] = sign * (signs[k] or 1)
            by_weight, by_bias, by_h = layer.to_parameters(one)
            values = np.concatenate([values_of(by_weight), by_bias, [by_h]])
            kept = np.flatnonzero(values)
            entries.append((values[kept], np.full(len(kept), len(names)), columns[kept]))
            names.append(k)
    found, row, column = (np.concatenate(part) for part in zip(*entries, strict=True))
    return names, sparse.csr_array((found, (row, column)), shape=(len(names), n_parameters))
