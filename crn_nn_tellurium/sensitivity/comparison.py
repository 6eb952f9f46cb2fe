"""A report that sets the ways to a gradient side by side.

Differences are relative to the size of what a derivative is made of: the sum of the absolute values
of its contributions, over samples and over paths through the network. Where nothing cancels, that
is the derivative itself. Where a saturated unit's rails cancel (a hard sigmoid far outside its
range), no method can know the derivative better than that, since the concentrations have 16 digits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.errors import InputError, NetworkError
from crn_nn_tellurium.importers import AnyModel
from crn_nn_tellurium.networks import LossLike, encode_targets, parameters, resolve_loss
from crn_nn_tellurium.sensitivity.gradients import GradientMethod, gradient
from crn_nn_tellurium.sensitivity.problem import Gradient, simulator_of
from crn_nn_tellurium.simulation import Simulator

if TYPE_CHECKING:
    import pandas as pd

TOLERANCES: dict[GradientMethod, float] = {
    "adjoint": 1e-9,
    "forward": 1e-9,
    "closed_form": 1e-9,
    "finite_difference": 1e-9,
    "control_coefficients": 1e-5,
}
"""Allowed difference from the adjoint, relative to the largest size in the parameter's layer; of
finite differences, besides their own stated error. roadrunner's control coefficients are
differences over five points whose error it does not state."""
METHODS = tuple(TOLERANCES)


@dataclass(frozen=True, eq=False)
class GradientCheck:
    """Derivatives by several methods, parameter by parameter.

    Attributes
    ----------
    parameters : tuple of str
        ``w1_0_1``, ``b1_0``, ``h1``, ...
    values : mapping of str to (n_parameters,) ndarray
        By method; the first is the one that the others are compared with.
    differences : mapping of str to (n_parameters,) ndarray
        |value - first|, relative to `sizes`; of finite differences, what exceeds the stated error.
    sizes : (n_parameters,) ndarray
        The largest sum of absolute contributions in the parameter's array.
    skipped : mapping of str to str
        Methods that could not be used, and why.
    """

    parameters: tuple[str, ...]
    values: dict[GradientMethod, FloatArray]
    differences: dict[GradientMethod, FloatArray]
    sizes: FloatArray
    skipped: dict[GradientMethod, str] = field(default_factory=dict)

    @property
    def worst(self) -> dict[GradientMethod, float]:
        """The worst relative difference of each method from the first."""
        return {method: float(off.max(initial=0.0)) for method, off in self.differences.items()}

    @property
    def passed(self) -> bool:
        """Whether every method is within its tolerance."""
        return all(worst <= TOLERANCES[method] for method, worst in self.worst.items())

    def to_frame(self) -> pd.DataFrame:
        """A row per parameter, a column per method."""
        import pandas as pd

        return pd.DataFrame(self.values, index=list(self.parameters))

    def __repr__(self) -> str:
        first, *_ = self.values
        verdict = "passed" if self.passed else "FAILED"
        lines = [f"GradientCheck: {verdict}, {len(self.parameters)} parameters"]
        for method, worst in self.worst.items():
            at = int(self.differences[method].argmax())
            most = TOLERANCES[method]
            head = f"{'ok  ' if worst <= most else 'FAIL'} {method:21} worst {worst:.1e}"
            both = (self.values[name][at] for name in (method, first))
            mine, other = (f"{value:.10g}" for value in both)
            where = self.parameters[at]
            lines.append(f"  {head} (allowed {most:.0e}) at {where}: {mine}, {first} {other}")
        lines += [f"  --   {name:21} not run: {why}" for name, why in self.skipped.items()]
        return "\n".join(lines)


def check_gradients(
    model: AnyModel | Simulator,
    X: npt.ArrayLike,  # scikit-learn's names
    Y: npt.ArrayLike,
    loss: LossLike = "squared_error",
    methods: Sequence[GradientMethod] = METHODS,
) -> GradientCheck:
    """Compare the gradients of a loss by all methods; some run the engine for every parameter.

    Parameters
    ----------
    model, X, Y, loss
        As for `gradient`; small batches do.
    methods : sequence of str
        The first is what the others are compared with.

    Returns
    -------
    GradientCheck
        `passed`, and a `repr` to read.

    Examples
    --------
    >>> from crn_nn_tellurium import Network
    >>> net = Network.random([2, 2, 1], seed=0)
    >>> report = check_gradients(net, [[0, 1]], [[1.0]], methods=["adjoint", "forward"])
    >>> report.passed, report.parameters[0]
    (True, 'w1_0_0')
    >>> print(repr(report).splitlines()[0])
    GradientCheck: passed, 11 parameters
    """
    if len(set(methods)) < 2:
        got = list(methods)
        raise InputError(f"check_gradients: methods are {got!r}; expected two or more, to compare")
    simulator = simulator_of(model, "check_gradients")
    found: dict[GradientMethod, Gradient] = {}
    skipped: dict[GradientMethod, str] = {}
    for method in methods:
        try:
            found[method] = gradient(simulator, X, Y, loss, method)
        except NetworkError as error:  # a user's activation without a formula for dh
            skipped[method] = str(error)
    if len(found) < 2:
        why = "; ".join(skipped.values())
        raise InputError(f"check_gradients: fewer than two methods could be used: {why}")
    sizes = _sizes(simulator, X, Y, loss)
    values = {name: g.vector() for name, g in found.items()}
    first, *others = found
    differences = {}
    for name in others:
        stated = found[name].error
        allowed = 0.0 if stated is None else stated.vector()
        off = np.abs(values[name] - values[first])
        differences[name] = np.maximum(off - allowed, 0.0) / sizes
    names = tuple(p.id for p in parameters(simulator.net))
    return GradientCheck(names, values, differences, sizes, skipped)


def _sizes(simulator: Simulator, X: npt.ArrayLike, Y: npt.ArrayLike, loss: LossLike) -> FloatArray:
    """Per parameter, the largest sum of absolute contributions in its layer and of its kind."""
    net, kinetics = simulator.net, simulator.kinetics
    x = net.input_coding.check(X)
    resolved = resolve_loss(loss, net)
    states = kinetics.settle(x)
    targets = encode_targets(resolved, net, Y, len(x))
    by_output = resolved.derivative(kinetics.outputs(states), targets) / len(x)
    # the closed form's states: sizes need no more digits
    by_constant, _ = kinetics.backward(states, by_output, sizes=True)
    # where nothing contributes, all methods have to say 0: relative to the least number, any other
    # answer is too large
    tiny = np.finfo(float).tiny
    largest, h = [], []
    for layer, part in zip(kinetics.layers, by_constant, strict=True):
        by_weight, by_bias, by_h = layer.to_parameters(part, sizes=True)
        largest.append(max(float(abs(by_weight).max()), float(by_bias.max()), tiny))
        h.append(max(by_h, tiny))
    kinds = [h[p.layer] if p.kind == "h" else largest[p.layer] for p in parameters(net)]
    return np.array(kinds)
