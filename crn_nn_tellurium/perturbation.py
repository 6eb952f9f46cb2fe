"""Rate constants that are off: lognormal factors on every one of them, and what the network makes of it.

A factor exp(s xi), xi standard normal, has median 1; s = sqrt(ln(1 + cv^2)) gives a coefficient of
variation of cv. Each rate constant of the model has its own: weights, biases (rails that share a
constant share its factor), h, q and those of followers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.linearization import LayerKinetics, NetworkKinetics, RateConstants
from crn_nn_tellurium.network import Network
from crn_nn_tellurium.parameters import values_of, with_values
from crn_nn_tellurium.reactions import FloatArray, is_real


def draw_factors(kinetics: NetworkKinetics, cv: float, rng: np.random.Generator) -> list[RateConstants]:
    """Lognormal factors for every rate constant, one draw, layer by layer.

    Raises
    ------
    InputError
        If the coefficient of variation is not a finite number >= 0.
    """
    if not (is_real(cv) and np.isfinite(cv) and cv >= 0):
        raise InputError(f"noise is {cv!r}; expected a coefficient of variation, a finite number >= 0")
    return [layer_factors(layer, cv, rng) for layer in kinetics.layers]


def spread(cv: float) -> float:
    """The standard deviation of a lognormal factor's logarithm."""
    return float(np.sqrt(np.log1p(cv**2)))


def layer_factors(layer: LayerKinetics, cv: float, rng: np.random.Generator) -> RateConstants:
    """The same for one layer; factors of one draw grow with cv."""
    own, s = layer.constants, spread(cv)
    weights = with_values(own.weights, np.exp(s * rng.standard_normal(len(values_of(own.weights)))))
    bias = np.exp(s * rng.standard_normal(own.bias.shape))
    shared = [position for position, rail in enumerate(layer.activation.rails) if not rail.shift]
    bias[:, shared] = bias[:, shared[:1]]
    return RateConstants(weights, bias, np.exp(s * rng.standard_normal(own.local.shape)))


def multiplied(constants: RateConstants, factors: RateConstants) -> RateConstants:
    """Rate constants, or derivatives by them, times factors, one by one."""
    weights = with_values(constants.weights, values_of(constants.weights) * values_of(factors.weights))
    return RateConstants(weights, constants.bias * factors.bias, constants.local * factors.local)


def perturbed_constants(kinetics: NetworkKinetics, factors: Sequence[RateConstants]) -> list[RateConstants]:
    """The network's rate constants, each off by its factor, layer by layer."""
    return [multiplied(layer.constants, part) for layer, part in zip(kinetics.layers, factors, strict=True)]


def perturbed_outputs(kinetics: NetworkKinetics, x: FloatArray, factors: Sequence[RateConstants]) -> FloatArray:
    """Outputs (n, n_out) at the steady state with every rate constant off by its factor."""
    return kinetics.outputs(kinetics.settle(x, perturbed_constants(kinetics, factors)))


def check_classes(net: Network, x: FloatArray, truth: npt.NDArray[Any]) -> None:
    """Refuse samples without a class each, and classes that the network does not have.

    Raises
    ------
    InputError
    """
    if x.ndim != 2 or truth.shape != (len(x),):
        raise InputError(
            f"X has shape {x.shape} and y {truth.shape}; expected (n_samples, {net.n_in}) and (n_samples,)"
        )
    strange = sorted(map(repr, set(truth.tolist()) - set(net.classes)))
    if strange or not len(x):
        found = ", ".join(strange[:3]) or "no labels"
        raise InputError(f"y holds {found}; expected the network's classes, {list(net.classes)}")


def accuracy_under_noise(
    net: Network,
    X: npt.ArrayLike,  # scikit-learn's names
    y: npt.ArrayLike,
    noise: Sequence[float] = (0.0, 0.1, 0.2, 0.3, 0.5),
    draws: int = 50,
    seed: int | None = 0,
) -> FloatArray:
    """Share of right classes when every rate constant is off by a lognormal factor.

    Parameters
    ----------
    net : Network
    X : (n_samples, n_in) array_like
    y : (n_samples,) array_like
        True classes, as `Network.predict` gives them.
    noise : sequence of float
        Coefficients of variation.
    draws : int
        Sets of factors for each.
    seed : int, optional

    Returns
    -------
    (n_noise, draws) ndarray
        Accuracies between 0 and 1.

    Notes
    -----
    Steady states are solved here, from the reactions' own equations with the changed constants.

    Examples
    --------
    >>> from crn_nn_tellurium.model_library import load_model, model_data
    >>> _, X, _, y = model_data("xor")
    >>> accuracy_under_noise(load_model("xor"), X, y, noise=[0.0, 0.01], draws=2).tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """
    kinetics = NetworkKinetics(net)
    x, truth = net.input_coding.check(X), np.asarray(y)
    check_classes(net, x, truth)
    noise = [noise] if is_real(noise) else noise  # type: ignore[list-item]
    if not (is_real(draws) and draws == int(draws) and draws >= 1):
        raise InputError(f"draws is {draws!r}; expected a whole number, 1 or more")
    rng = np.random.default_rng(seed)
    return np.array(
        [
            [
                np.mean(net.classify(perturbed_outputs(kinetics, x, draw_factors(kinetics, cv, rng))) == truth)
                for _ in range(int(draws))
            ]
            for cv in noise
        ]
    )
