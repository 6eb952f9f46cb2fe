"""What every method for a gradient is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy.linalg import norm

from crn_nn_tellurium.basics import (
    FloatArray,
    Recent,
    bars,
    card,
    frame_of,
    read_only,
    real_numbers,
)
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.importers import AnyModel, as_model
from crn_nn_tellurium.kinetics import LayerState, NetworkKinetics
from crn_nn_tellurium.networks import Loss, Network, pack, parameters_of, values_of
from crn_nn_tellurium.simulation import CLOSED_FORM, INTEGRATED, OnError, Outcome, Simulator

if TYPE_CHECKING:
    import pandas as pd

STEADY_STATE_NOISE = 1e-14
"""Relative error of the engine's steady states, as a rule: Newton's last step ends below 1e-12."""
SteadyStateSource = Literal["engine", "closed_form"]


@dataclass(frozen=True, eq=False)
class Gradient:
    """A loss and its derivatives.

    Attributes
    ----------
    loss : float
        Mean over the samples; NaN if a sample failed and ``on_error="nan"``.
    weights : list of (n_out, n_in) ndarray or csr_array
        One per layer; of sparse weights, at the stored entries.
    biases : list of (n_out,) ndarray
        One per layer.
    h : (n_layers,) ndarray
        With respect to each layer's h, the rate constant of its zeroth-order reactions.
    inputs : (n_samples, n_in) ndarray or None
        With respect to the input values, if asked for.
    outputs : (n_samples, n_out) ndarray
        The outputs at which the loss was taken.
    method : str
    status : tuple of Outcome
        Per sample, as of `SteadyState`.
    error : Gradient or None
        Of finite differences: their own estimate of their error, entry by entry; infinite where a
        start has a kink.

    Examples
    --------
    >>> import crn_nn_tellurium as cn
    >>> xor, X = cn.load_model("xor"), [[0, 0], [0, 1], [1, 0], [1, 1]]
    >>> g = cn.gradient(xor, X, [[0], [1], [1], [0]])
    >>> [weights.shape for weights in g.weights], g.h.shape
    ([(2, 2), (1, 2)], (2,))
    >>> g.vector().shape, g.norm > 0
    ((11,), True)
    """

    loss: float
    weights: list[Any]
    biases: list[FloatArray]
    h: FloatArray
    inputs: FloatArray | None
    outputs: FloatArray
    method: str = "adjoint"
    status: tuple[Outcome, ...] = ()
    error: Gradient | None = None

    def __post_init__(self) -> None:
        read_only(*self.weights, *self.biases, self.h, self.outputs)
        if self.inputs is not None:
            read_only(self.inputs)

    def vector(self) -> FloatArray:
        """All derivatives but those of the inputs, in the order of `network_parameters`."""
        return pack(self.weights, self.biases, self.h)

    @property
    def norm(self) -> float:
        """Euclidean norm of `vector`."""
        # numpy's squares overflow at 1e154, BLAS scales them
        return float(norm(self.vector(), check_finite=False))

    def __repr__(self) -> str:
        sizes = ", ".join("x".join(map(str, w.shape)) for w in self.weights)
        what = f"loss {self.loss:.6g}, norm {self.norm:.3g}, weights {sizes}"
        return f"Gradient({what}, by {self.method!r})"

    def to_frame(self) -> pd.DataFrame:
        """A row per weight, bias and h: the derivative by it and, where it is known, its error.

        Examples
        --------
        >>> from crn_nn_tellurium import gradient
        >>> net = Network.random([2, 3, 1], seed=0)
        >>> frame = gradient(net, [[0, 1]], [[1]]).to_frame()
        >>> frame.loc["w1_2_0"].index.tolist(), len(frame)
        (['layer', 'kind', 'derivative'], 15)
        """
        every = parameters_of(self.weights)
        columns: dict[str, Any] = {
            "layer": [one.layer + 1 for one in every],
            "kind": [one.kind for one in every],
            "derivative": self.vector(),
        }
        if self.error is not None:
            columns["error"] = self.error.vector()
        return frame_of({"parameter": [one.id for one in every]}, columns)

    def _repr_html_(self) -> str:
        by_weight = [values_of(matrix) for matrix in self.weights]
        columns = {
            "weights": [" × ".join(map(str, matrix.shape)) for matrix in self.weights],
            "norm by weights": [float(norm(values)) for values in by_weight],
            "largest by a weight": [np.abs(values).max(initial=0.0) for values in by_weight],
            "norm by biases": [float(norm(values)) for values in self.biases],
            "by h": self.h,
        }
        rows = frame_of({"layer": range(1, len(self.weights) + 1)}, columns)
        facts = {
            "loss": self.loss,
            "norm": self.norm,
            "samples": len(self.outputs),
            "method": self.method,
        }
        norms = {f"layer {n}": value for n, value in rows["norm by weights"].items()}
        picture = bars(norms, "norm of the derivatives by each layer's weights")
        return card("Gradient", facts, rows, picture)


@dataclass(frozen=True)
class Problem:
    """What every method is given: inputs and targets, checked, and what is asked for."""

    simulator: Simulator
    x: FloatArray
    loss: Loss
    targets: FloatArray
    inputs: bool
    steady_state: SteadyStateSource
    on_error: OnError
    time: float | None = None
    initial: float | Mapping[str, float] | None = None

    @property
    def noise(self) -> float:
        """Relative error of what the engine gives, which finite differences see as noise."""
        # steps' errors add up
        return STEADY_STATE_NOISE if self.time is None else 10 * self.simulator.engine.rtol

    def outputs_by_engine(
        self, net: Network, x: FloatArray
    ) -> tuple[FloatArray, tuple[Outcome, ...]]:
        """Outputs (n, n_out) of another network or at other inputs, and each sample's status."""
        simulator = Simulator(net, self.simulator.engine)
        if self.time is None:
            steady = simulator.steady_state(x, on_error=self.on_error)
            return steady.outputs, steady.status
        # two points will do: CVODE chooses its own steps between them
        courses = [simulator.time_course(row, self.time, 2, initial=self.initial) for row in x]
        return np.array([course.outputs[-1] for course in courses]), (INTEGRATED,) * len(x)

    @property
    def net(self) -> Network:
        """The network."""
        return self.simulator.net

    def losses(self, outputs: FloatArray) -> FloatArray:
        """The loss of each sample, shape (n,)."""
        return losses(self.loss, outputs, self.targets)

    def by_output(self, outputs: FloatArray) -> FloatArray:
        """d(mean loss)/d(outputs), shape (n, n_out)."""
        return by_output(self.loss, outputs, self.targets)

    def settle(self, kinetics: NetworkKinetics) -> tuple[list[LayerState], tuple[Outcome, ...]]:
        """All layers at the steady state, and the status of each sample."""
        if self.steady_state == "closed_form":
            return kinetics.settle(self.x), (CLOSED_FORM,) * len(self.x)
        steady = self.simulator.steady_state(self.x, on_error=self.on_error)
        return kinetics.at(self.x, steady.concentrations), steady.status

    def result(
        self,
        outputs: FloatArray,
        method: str,
        parts: tuple[list[Any], list[FloatArray], FloatArray],
        by_input: FloatArray | None,
        status: tuple[Outcome, ...],
        error: Gradient | None = None,
    ) -> Gradient:
        """A method's answer."""
        loss, wanted = float(self.losses(outputs).mean()), by_input if self.inputs else None
        return Gradient(loss, *parts, wanted, outputs, method, status, error)


def losses(loss: Loss, outputs: FloatArray, targets: FloatArray) -> FloatArray:
    """The loss of each sample, shape (n,)."""
    return _checked(loss, "", loss.function(outputs, targets), outputs.shape[:1])


def by_output(loss: Loss, outputs: FloatArray, targets: FloatArray) -> FloatArray:
    """d(mean loss)/d(outputs), shape (n, n_out)."""
    slope = loss.derivative(outputs, targets)
    return _checked(loss, "the derivative of ", slope, outputs.shape) / len(outputs)


def loss_and_slope(
    loss: Loss, outputs: FloatArray, targets: FloatArray
) -> tuple[float, FloatArray]:
    """The mean loss, and `by_output`."""
    if loss.both is None:
        values, slope = losses(loss, outputs, targets), by_output(loss, outputs, targets)
    else:
        found = loss.both(outputs, targets)
        values = _checked(loss, "", found[0], outputs.shape[:1])
        slope = _checked(loss, "the derivative of ", found[1], outputs.shape) / len(outputs)
    return float(np.mean(values)), slope


def _checked(loss: Loss, of: str, given: Any, shape: tuple[int, ...]) -> FloatArray:
    """What a loss gives, which may be a user's."""
    values = real_numbers(f"what {of}loss {loss.name!r} gave", given)
    if values.shape != shape:
        raise InputError(f"{of}loss {loss.name!r} gave shape {values.shape}; expected {shape}")
    return values


def mean_slope(loss: Loss, targets: FloatArray) -> Callable[[FloatArray, slice], FloatArray]:
    """d(mean loss of all samples)/d(outputs) by outputs (m, n_out) of some of them."""

    def slope(outputs: FloatArray, rows: slice) -> FloatArray:
        return by_output(loss, outputs, targets[rows]) * (len(outputs) / len(targets))

    return slope


def simulator_of(model: AnyModel | Simulator, taker: str) -> Simulator:
    """The simulator of a model, or the one that is given; `taker` is who asks, for errors."""
    if isinstance(model, Simulator):
        return model
    own = as_model(model, taker)
    # loops ask for one network again and again, and planning takes six times as long as an answer.
    # What is kept holds its network, so nothing else has that id meanwhile
    return _simulators.get(id(own), lambda: Simulator(own))


_simulators: Recent[int, Simulator] = Recent(4)


def by_kind(
    parts: list[tuple[Any, FloatArray, float]],
) -> tuple[list[Any], list[FloatArray], FloatArray]:
    """(weights, bias, h) by layer as weights, biases and h."""
    weights, biases, h = zip(*parts, strict=True)
    return list(weights), list(biases), np.array(h)
