"""A report that sets the ways to a gradient side by side.

Differences are relative to the size of what a derivative is made of: the sum of the absolute values
of its contributions, over samples and over paths through the network. Where nothing cancels, that
is the derivative itself. Where a saturated unit's rails cancel (a hard sigmoid far outside its
range), no method can know the derivative better than that, since the concentrations have 16 digits.
At a read-out time contributions are known by sample alone; the size is their sum, or that at the
steady state where it is larger, since rails cancel on the way there as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import (
    FloatArray,
    card,
    frame_of,
    names_of,
)
from crn_nn_tellurium.errors import InputError, NetworkError
from crn_nn_tellurium.importers import AnyModel
from crn_nn_tellurium.networks import (
    Loss,
    LossLike,
    Network,
    encode_targets,
    pack,
    parameters,
    resolve_loss,
)
from crn_nn_tellurium.sensitivity.gradients import GradientMethod, gradient
from crn_nn_tellurium.sensitivity.problem import Gradient, by_output, simulator_of
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
AT_A_TIME: dict[GradientMethod, float] = dict.fromkeys(
    ("adjoint", "forward", "finite_difference"), 1e-7
)
"""The same at a read-out time: runs there keep to 1e-10 a step, which leaves 1e-8 of a gradient."""


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
        `|value - first|`, relative to `sizes`; of finite differences, what exceeds their error.
    sizes : (n_parameters,) ndarray
        The largest sum of absolute contributions in the parameter's array.
    skipped : mapping of str to str
        Methods that could not be used, and why.
    time : float or None
        The read-out time; None at the steady state.

    Examples
    --------
    >>> import crn_nn_tellurium as cn
    >>> xor, X = cn.load_model("xor"), [[0, 0], [0, 1], [1, 0], [1, 1]]
    >>> ways = ["adjoint", "closed_form"]
    >>> report = cn.check_gradients(xor, X, [[0], [1], [1], [0]], methods=ways)
    >>> report.passed, len(report.parameters)
    (True, 11)
    """

    parameters: tuple[str, ...]
    values: dict[GradientMethod, FloatArray]
    differences: dict[GradientMethod, FloatArray]
    sizes: FloatArray
    skipped: dict[GradientMethod, str] = field(default_factory=dict)
    time: float | None = None

    @property
    def worst(self) -> dict[GradientMethod, float]:
        """The worst relative difference of each method from the first."""
        return {method: float(off.max(initial=0.0)) for method, off in self.differences.items()}

    @property
    def passed(self) -> bool:
        """Whether every method is within its tolerance."""
        return all(worst <= self._allowed[method] for method, worst in self.worst.items())

    @property
    def _allowed(self) -> dict[GradientMethod, float]:
        return TOLERANCES if self.time is None else AT_A_TIME

    def to_frame(self) -> pd.DataFrame:
        """A row per parameter, a column per method."""
        return frame_of({"parameter": self.parameters}, dict(self.values.items()))

    def __repr__(self) -> str:
        first, *_ = self.values
        verdict = "passed" if self.passed else "FAILED"
        when = "" if self.time is None else f" at t = {self.time:g}"
        lines = [f"GradientCheck: {verdict}, {len(self.parameters)} parameters{when}"]
        for method, worst in self.worst.items():
            at = int(self.differences[method].argmax())
            most = self._allowed[method]
            head = f"{'ok  ' if worst <= most else 'FAIL'} {method:21} worst {worst:.1e}"
            both = (self.values[name][at] for name in (method, first))
            mine, other = (f"{value:.10g}" for value in both)
            where = self.parameters[at]
            lines.append(f"  {head} (allowed {most:.0e}) at {where}: {mine}, {first} {other}")
        lines += [f"  --   {name:21} not run: {why}" for name, why in self.skipped.items()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        allowed = [self._allowed[method] for method in self.worst]
        columns = {
            "worst difference": list(self.worst.values()),
            "allowed": allowed,
            "where": [self.parameters[int(off.argmax())] for off in self.differences.values()],
        }
        when = "at the steady state" if self.time is None else f"at t = {self.time:g}"
        facts = {
            "parameters": len(self.parameters),
            "compared": f"with {next(iter(self.values))!r}, {when}",
        }
        notes = [f"{method} not run: {why}" for method, why in self.skipped.items()]
        title = f"Gradients {'agree' if self.passed else 'DISAGREE'}"
        return card(title, facts, frame_of({"method": list(self.worst)}, columns), notes=notes)


def check_gradients(
    model: AnyModel | Simulator,
    X: npt.ArrayLike,  # scikit-learn's names
    Y: npt.ArrayLike,
    loss: LossLike = "squared_error",
    methods: Sequence[GradientMethod] | None = None,
    *,
    time: float | None = None,
    initial: float | Mapping[str, float] | None = None,
) -> GradientCheck:
    """Compare the gradients of a loss by all methods; some run the engine for every parameter.

    Parameters
    ----------
    model, X, Y, loss
        As for `gradient`; small batches do.
    methods : sequence of str, optional
        The first is what the others are compared with; by default all that there are.
    time, initial
        Read-out time and start, as for `gradient`; by default the steady state.

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

    At a read-out time, the adjoint equations, the variational ones and finite differences:

    >>> report = check_gradients(net, [[0, 1]], [[1.0]], time=2.0, initial=0.5)
    >>> print(repr(report).splitlines()[0], *report.worst)
    GradientCheck: passed, 11 parameters at t = 2 forward finite_difference
    """
    if methods is None:
        methods = tuple(TOLERANCES if time is None else AT_A_TIME)
    # which names there are, `gradient` says
    methods = cast("tuple[GradientMethod, ...]", names_of("methods", methods))
    if len(set(methods)) < 2:
        got = list(methods)
        raise InputError(f"check_gradients: methods are {got!r}; expected two or more, to compare")
    simulator = simulator_of(model, "check_gradients")
    found: dict[GradientMethod, Gradient] = {}
    skipped: dict[GradientMethod, str] = {}
    for method in methods:
        try:
            found[method] = gradient(simulator, X, Y, loss, method, time=time, initial=initial)
        except NetworkError as error:  # a user's activation without a formula for dh
            skipped[method] = str(error)
    if len(found) < 2:
        why = "; ".join(skipped.values())
        raise InputError(f"check_gradients: fewer than two methods could be used: {why}")
    net = simulator.net
    x, resolved = net.input_coding.check(X), resolve_loss(loss, net)
    targets = encode_targets(resolved, net, Y, len(x))
    sizes = _sizes(simulator, x, targets, resolved)
    if time is not None:
        each = [
            gradient(simulator, x[[i]], targets[[i]], resolved, time=time, initial=initial)
            for i in range(len(x))
        ]
        by_sample = np.mean([abs(one.vector()) for one in each], axis=0)
        sizes = np.maximum(sizes, _largest(net, by_sample))
    values = {name: g.vector() for name, g in found.items()}
    first, *others = found
    differences = {}
    for name in others:
        stated = found[name].error
        allowed = 0.0 if stated is None else stated.vector()
        off = np.abs(values[name] - values[first])
        differences[name] = np.maximum(off - allowed, 0.0) / sizes
    names = tuple(p.id for p in parameters(net))
    return GradientCheck(names, values, differences, sizes, skipped, time)


def _sizes(simulator: Simulator, x: FloatArray, targets: FloatArray, loss: Loss) -> FloatArray:
    """Per parameter, the largest sum of absolute contributions in its layer and of its kind."""
    kinetics = simulator.kinetics
    states = kinetics.settle(x)
    slope = by_output(loss, kinetics.outputs(states), targets)
    # the closed form's states: sizes need no more digits
    by_constant, _ = kinetics.backward(states, slope, sizes=True)
    pairs = zip(kinetics.layers, by_constant, strict=True)
    parts = [layer.to_parameters(part, sizes=True) for layer, part in pairs]
    return _largest(simulator.net, pack(*zip(*parts, strict=True)))


def _largest(net: Network, sizes: FloatArray) -> FloatArray:
    """Per parameter, the largest size in its layer: of weights and biases, or of h."""
    of = [(p.layer, p.kind == "h") for p in parameters(net)]
    # where nothing contributes, all methods have to say 0: relative to the least number, any other
    # answer is too large
    largest = dict.fromkeys(of, float(np.finfo(float).tiny))
    for kind, size in zip(of, sizes.tolist(), strict=True):
        largest[kind] = max(largest[kind], size)
    return np.array([largest[kind] for kind in of])
