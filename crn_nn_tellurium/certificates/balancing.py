"""A faster chemistry for the same function: each layer's rates multiplied by a factor.

From sigma_(s^2 h)(s z) = s sigma_h(z): with a layer's pre-activations times s, its h times s^2 and
the weights that read it divided by s, every output stays as it was, and with y -> s y the layer's
equations are the old ones s times as fast. (Rescaling of positively homogeneous units; theory.md
has how h follows.) A value that is a ratio of concentrations does not change at all, so nothing
after it does.

What limits s are the rate constants, in layer l with value factor s^d (d = 1, or 0 for a ratio):

    s_l B_l <= K,    s_l^2 h_l <= K,    s_l W_lm / s_m^d_m <= K    for each layer m that l reads,

with the largest bias B_l and weight W_lm. The larger s_m, the more room s_l has, so the largest
factors are found layer after layer, and they are largest all at once: no other choice makes any one
layer faster (in log s the constraints are differences, whose solutions have a greatest one; a
linear program has nothing to weigh).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import FloatArray, bars, card, check_positive, frame_of, warn
from crn_nn_tellurium.certificates.closed_form import CheapBound
from crn_nn_tellurium.certificates.question import INITIAL_MAX, TOLERANCE, input_points, kinetics_of
from crn_nn_tellurium.errors import InputError, NetworkError, NotCertified
from crn_nn_tellurium.importers import AnyModel
from crn_nn_tellurium.kinetics import NetworkKinetics
from crn_nn_tellurium.networks import (
    INPUT,
    Activation,
    Layer,
    Network,
    places,
    shared_id,
    values_of,
    with_values,
)
from crn_nn_tellurium.simulation import Simulator

if TYPE_CHECKING:
    import pandas as pd

_PACE = {
    "settles by t =": "settling_time",
    "slowest rate": "rate",
    "concentrations up to": "largest_concentration",
    "rate constants up to": "largest_rate_constant",
    "of second order up to": "largest_second_order",
}
"""Attributes of a `Pace`, in words."""
_HALVINGS = 60
"""Of a limit's logarithm: beyond the precision of doubles from any range."""
_ROUNDED_UP = 1e-5
"""Limits are stated so much higher, relative, that they can be met as they are printed."""
_ROUNDING = 1e-12
"""Factors stay so much, relative, below what the limit allows: rounding cannot lead above it."""


@dataclass(frozen=True, eq=False)
class Pace:
    """How fast a network's chemistry is, and what that takes.

    By layer, `speeds` are the slowest of its species at the fixed point, the smallest over the
    inputs; without inputs 2 sqrt(h), below which no rail's rate is at any input.
    """

    speeds: Mapping[str, float]
    # by the closed form, the worst over the inputs; None without inputs or such a bound
    settling_time: float | None
    largest_rate_constant: float
    # of a reaction of two molecules, 2 Y => Y with its 1 included
    largest_second_order: float
    # of a unit's species at the fixed points; None without inputs
    largest_concentration: float | None

    @property
    def rate(self) -> float:
        """The slowest of all layers."""
        return min(self.speeds.values())

    def __repr__(self) -> str:
        text = f"Pace(slowest rate {self.rate:.3g}"
        if self.settling_time is not None:
            text += f", settles by t = {self.settling_time:.4g}"
        if self.largest_concentration is not None:
            text += f", concentrations up to {self.largest_concentration:.3g}"
        text += f", rate constants up to {self.largest_rate_constant:.3g}"
        return f"{text}, of second order up to {self.largest_second_order:.3g})"


@dataclass(frozen=True, eq=False)
class Balanced:
    """A network of the same function and a faster chemistry.

    Attributes
    ----------
    network : Network
    factors : mapping of str to float
        By layer: how many times as fast it is, and how many times as concentrated its rails are.
    before, after : Pace
    max_rate_constant : float
        The limit.
    tolerance : float
        Of the settling times, in units of the outputs.

    Examples
    --------
    >>> import crn_nn_tellurium as cn
    >>> xor, X = cn.load_model("xor"), [[0, 0], [0, 1], [1, 0], [1, 1]]
    >>> balanced = cn.balance(xor, X, max_rate_constant=10.0)
    >>> [float(round(factor, 2)) for factor in balanced.factors.values()]
    [7.12, 1.0]
    >>> balanced.gain > 1
    True
    """

    network: Network
    factors: Mapping[str, float]
    before: Pace
    after: Pace
    max_rate_constant: float
    tolerance: float

    @property
    def gain(self) -> float:
        """How many times sooner the outputs settle; if unknown, how much faster layers get."""
        if self.before.settling_time is None or not self.after.settling_time:
            return self.after.rate / self.before.rate
        return self.before.settling_time / self.after.settling_time

    @property
    def gain_in_seconds(self) -> float:
        """The gain if the largest second-order rate constant sets the time unit; below 1 a loss."""
        return self.gain * self.before.largest_second_order / self.after.largest_second_order

    def __repr__(self) -> str:
        each = (f"{name} x {factor:.3g}" for name, factor in self.factors.items())
        factors = ", ".join(each)
        gains = f"gain {self.gain:.3g}, in seconds {self.gain_in_seconds:.3g}"
        paces = f"before {self.before!r}; after {self.after!r}"
        return f"Balanced({factors}; {gains}; {paces})"

    def to_frame(self) -> pd.DataFrame:
        """A row per layer: its factor, and its slowest rate before and after.

        Examples
        --------
        >>> from crn_nn_tellurium import load_model
        >>> list(balance(load_model("xor")).to_frame().columns)
        ['factor', 'speed_before', 'speed_after']
        """
        columns = {
            "factor": list(self.factors.values()),
            "speed_before": [self.before.speeds[layer] for layer in self.factors],
            "speed_after": [self.after.speeds[layer] for layer in self.factors],
        }
        return frame_of({"layer": list(self.factors)}, columns)

    def _repr_html_(self) -> str:
        facts: dict[str, object] = {
            "gain": f"{self.gain:.3g} in model time, {self.gain_in_seconds:.3g} in seconds",
            "rate constants at most": self.max_rate_constant,
        }
        for name, what in _PACE.items():
            before, after = getattr(self.before, what), getattr(self.after, what)
            if before is not None and after is not None:
                facts[name] = f"{before:.4g} before, {after:.4g} after"
        picture = bars(self.factors, "how many times as fast each layer is")
        return card("Balanced network", facts, self.to_frame(), picture)


def balance(
    net: AnyModel | Simulator,
    X: npt.ArrayLike | None = None,  # scikit-learn's name
    max_rate_constant: float | None = None,
    *,
    tolerance: float = TOLERANCE,
) -> Balanced:
    """Make every layer as fast as rate constants allow, without changing the outputs.

    The network is not modified. The last layer's outputs stay, so if it is rescaled with its value
    its factor is 1; so it is for activations that have no rescaled form (`Activation.rescaled` is
    None).

    Parameters
    ----------
    net : Network, Simulator, or its file
    X : (n_samples, n_in) array_like, optional
        Inputs at which rates, settling times and concentrations are reported. The factors do not
        depend on them.
    max_rate_constant : float, optional
        The largest that any rate constant may become, at least 1, the rate constant of 2 Y => Y; by
        default the network's largest, so that no layer becomes slower.
    tolerance : float
        Of the settling times, in units of the outputs.

    Returns
    -------
    Balanced

    Raises
    ------
    InputError
        If an argument is not what it should be, or no factors bring all rate constants below the
        limit; the message says which limit can be met.

    Notes
    -----
    What is paid: rails of a layer with factor s are s times as concentrated. And in the laboratory
    the largest second-order rate constant, of some 1e6 /M/s, fixes the time unit, so that a larger
    one in the model makes every other reaction slower in seconds: `Balanced.gain_in_seconds` counts
    that. The default may raise it where the largest constant is a bias or an h; the network's own
    ``before.largest_second_order`` as the limit, where it can be met, does not.

    Examples
    --------
    >>> from crn_nn_tellurium import load_model
    >>> net = load_model("xor")
    >>> x = [[0.0, 1.0], [1.0, 1.0]]
    >>> balanced = balance(net, x, max_rate_constant=3.0)
    >>> balanced.factors["layer1"] > 2, balanced.factors["layer2"], balanced.gain > 1.1
    (True, 1.0, True)
    >>> bool(abs(balanced.network(x) - net(x)).max() < 1e-14)
    True
    """
    kinetics = kinetics_of(net)
    net = kinetics.net
    if max_rate_constant is not None:
        expected = "a finite number, 1 or more, since 2 Y => Y has the rate constant 1"
        check_positive("max_rate_constant", max_rate_constant, expected)
        if max_rate_constant < 1:
            raise InputError(f"max_rate_constant is {max_rate_constant!r}; expected {expected}")
    check_positive("tolerance", tolerance)
    x = None if X is None else input_points(net, X)
    before = _pace(kinetics, x, tolerance)
    most = before.largest_rate_constant if max_rate_constant is None else float(max_rate_constant)
    factors = _largest_factors(kinetics, most)
    if factors is None:
        least = _least_limit(kinetics, most, before.largest_rate_constant)
        raise InputError(
            f"max_rate_constant is {max_rate_constant!r}; expected at least {least:.6g}: no factors"
            f" bring all rate constants of network {net.name!r} below that"
        )
    result = _rescaled(net, factors)
    after = _pace(NetworkKinetics(result), x, tolerance)
    if after.largest_rate_constant > most * (1 + 100 * _ROUNDING):
        raise NetworkError(
            f"network {net.name!r}: a rate constant is {after.largest_rate_constant!r} after"
            f" rescaling; expected at most {most!r}; do all activations of your own keep what"
            " Activation.rescaled promises?"
        )
    return Balanced(result, factors, before, after, most, float(tolerance))


def limit_concentrations(
    net: AnyModel | Simulator, X: npt.ArrayLike, largest: float = 1.0
) -> Network:
    """A network whose concentrations stay small: what burns less fuel and fits beside it in a tube.

    Layer by layer, from the first, concentrations are divided so that none exceeds `largest` on the
    given inputs; the weights that read them make up for it. Several outputs are divided too, which
    keeps their order, so the class. Smoothing h stays what it was, so that the chemistry is no
    slower, and relative to the values smoother; where that changes classes, a warning says so.

    Parameters
    ----------
    net : Network, Simulator, or its file
    X : (n_samples, n_in) array_like
    largest : float

    Returns
    -------
    Network
        With layers that have no rescaled form, or a single output, as they were.

    Raises
    ------
    InputError
        If the inputs have the wrong shape or `largest` is not > 0.

    Examples
    --------
    >>> from crn_nn_tellurium import load_model, model_data
    >>> iris, (X, test, y, y_test) = load_model("iris"), model_data("iris")
    >>> small = limit_concentrations(iris, X)
    >>> bool((abs(small(X)) <= 1).all()), bool((small.predict(test) == iris.predict(test)).all())
    (True, True)
    """
    check_positive("largest", largest, "a concentration > 0")
    kinetics = kinetics_of(net)
    net = kinetics.net
    states = kinetics.settle(input_points(net, X))
    factors = {}
    for layer, state in zip(net.layers, states, strict=True):
        last = layer.name == net.layers[-1].name
        fixed = layer.activation.rescaled(2.0) is None or (last and net.n_out == 1)
        highest = max(float(part.max()) for part in state.y)
        factors[layer.name] = 1.0 if fixed else min(1.0, largest / highest)
    result = _rescaled(net, factors)
    # rescaling multiplies h by the factor squared and slows the layer; smoothing h may stay
    pairs = zip(net.layers, result.layers, strict=True)
    kept = [(a if a.activation.h_is_smoothing else b).activation.h for a, b in pairs]
    result = result.with_h(kept)
    if net.task != "classification":
        return result
    if changed := int(np.sum(result.predict(X) != net.predict(X))):
        warn(
            f"limit_concentrations: {changed} of {len(states[0].catalysts)} samples change their"
            " class, since h stays what it was where values are divided; a larger `largest`, or a"
            " smaller h before, net.with_h(...), keeps them"
        )
    return result


# Factors ------------------------------------------------------------------------------------------


def _largest_factors(kinetics: NetworkKinetics, limit: float) -> dict[str, float] | None:
    """The largest factor of each layer under a limit of all rate constants, None where none is."""
    net = kinetics.net
    factors: dict[str, float] = {}
    values = {INPUT: 1.0}
    for layer in kinetics.layers:
        activation, constants = layer.activation, layer.constants
        local = dict(zip(layer.local.rate_constants, constants.local.tolist(), strict=True))
        h = local.pop(shared_id(layer.encoding.index, "h"))
        # the three constraints of the module's text, of h, biases and weights
        bound = math.sqrt(limit / h)
        if bias := float(np.abs(constants.bias).max()):
            bound = min(bound, limit / bias)
        # a weight of the network is one of each rail that it reads: columns of catalysts
        columns = [catalyst.column for catalyst in layer.encoding.catalysts]
        read = _value_factors(net, layer.encoding.layer, values)[columns]
        weights = values_of(_divided(layer.encoding.weights, read))
        if weight := float(np.abs(weights).max(initial=0.0)):
            bound = min(bound, limit / weight)
        # the last layer's value must stay, and no value may shrink as its layer speeds up
        form = activation.rescaled(2.0)
        last = layer.name == net.layers[-1].name
        free = form is not None and (form[1] == 1 if last else form[1] >= 1)
        if max(local.values()) > limit or (not free and bound < 1 - 10 * _ROUNDING):
            return None
        factor = bound * (1 - _ROUNDING)
        # a factor of 1 that the limit just allows is not to be lost to rounding
        factors[layer.name] = 1.0 if not free or factor < 1 <= bound else factor
        values[layer.name] = _form(activation, factors[layer.name])[1]
    return factors


def _form(activation: Activation, factor: float) -> tuple[Activation, float]:
    """The activation rescaled by a factor, and what its value is multiplied by."""
    form = None if factor == 1 else activation.rescaled(factor)
    return form or (activation, 1.0)


def _least_limit(kinetics: NetworkKinetics, low: float, high: float) -> float:
    """The least limit that can be met, between one that cannot and one that can, rounded up."""
    # by bisection of the logarithm: whether a limit can be met is monotone
    for _ in range(_HALVINGS):
        middle = math.sqrt(low * high)
        if _largest_factors(kinetics, middle) is None:
            low = middle
        else:
            high = middle
    return high * (1 + _ROUNDED_UP)


def _value_factors(net: Network, layer: Layer, values: Mapping[str, float]) -> FloatArray:
    """By column of a layer's weights, what the value that it reads is multiplied by."""
    return layer.read({s: np.full(net.width(s), values[s]) for s in layer.inputs})


def _divided(weights: Any, by_column: FloatArray) -> Any:
    _, columns = places(weights)
    return with_values(weights, values_of(weights) / by_column[columns])


def _rescaled(net: Network, factors: Mapping[str, float]) -> Network:
    """The network with each layer's factor."""
    values = {INPUT: 1.0}
    layers = []
    for layer in net.layers:
        factor = factors[layer.name]
        activation, values[layer.name] = _form(layer.activation, factor)
        weights = _divided(layer.weights, _value_factors(net, layer, values) / factor)
        changed = {"weights": weights, "bias": layer.bias * factor, "activation": activation}
        layers.append(dataclasses.replace(layer, **changed))
    return dataclasses.replace(net, layers=tuple(layers))


# How fast -----------------------------------------------------------------------------------------


def _pace(kinetics: NetworkKinetics, x: FloatArray | None, tolerance: float) -> Pace:
    # q = 1 of 2 Y => Y is there in every network
    second, largest = 1.0, 1.0
    for layer in kinetics.layers:
        constants = layer.constants
        weight = float(np.abs(constants.weights).max(initial=0.0))
        pairs = [reaction.value for reaction in layer.local.reactions if reaction.order == 2]
        second = max(second, weight, *pairs)
        bias, local = float(np.abs(constants.bias).max()), float(constants.local.max())
        largest = max(largest, second, bias, local)
    if x is None:
        # the rate sqrt(u^2 + 4h) of a rail, at its least
        speeds = {layer.name: 2 * math.sqrt(layer.activation.h) for layer in kinetics.layers}
        return Pace(speeds, None, largest, second, None)
    states = kinetics.settle(x)
    speeds = {}
    for layer, state in zip(kinetics.layers, states, strict=True):
        # J is block triangular: rates of return stand on its diagonal
        own = layer.linearize(state).own
        speeds[layer.name] = min(float(-entry.max()) for (a, b), entry in own.items() if a == b)
    try:
        settled = float(CheapBound(kinetics, x, tolerance, INITIAL_MAX).times.max())
    except NotCertified:
        settled = None
    concentration = max(float(part.max()) for state in states for part in state.y)
    return Pace(speeds, settled, largest, second, concentration)
