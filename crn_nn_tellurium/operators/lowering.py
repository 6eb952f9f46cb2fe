"""From operators to layers: affine ones are composed, activations make layers of what they read."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from crn_nn_tellurium.basics import FloatArray, check_choice, check_kind, check_positive
from crn_nn_tellurium.networks import Activation, Linear
from crn_nn_tellurium.operators.functions import Function, identity
from crn_nn_tellurium.operators.pieces import distance, fitted, smoothing_error, steepest
from crn_nn_tellurium.operators.tensors import Tensor

APPROXIMATIONS = ("pieces", "algebraic")
_MARGIN = 0.1
"""By what share the range of the data is widened on either side."""


@dataclass(frozen=True)
class Options:
    """What a user says about an import: see `from_torch`. With `logits`, shares at the end go."""

    h: float = 1e-6
    data: FloatArray | None = None
    max_error: float = 1e-2
    approximation: str = "pieces"
    logits: bool = False

    def __post_init__(self) -> None:
        check_positive("h", self.h)
        check_positive("max_error", self.max_error)
        check_kind("logits", self.logits, bool)
        check_choice("approximation", self.approximation, APPROXIMATIONS)


@dataclass(frozen=True, eq=False)
class Made:
    """A layer that the lowering made: what it reads of all values before, and its activation.

    ``first`` is the column of its first unit among all values.
    """

    weights: sparse.csr_array
    bias: FloatArray
    activation: Activation
    first: int

    @property
    def n_out(self) -> int:
        return len(self.bias)


@dataclass
class Lowering:
    """The layers made so far, and what the operator at hand became.

    ``applications`` are tensors, what was made of them, and by which function.
    """

    options: Options
    n_inputs: int
    made: list[Made] = field(default_factory=list)
    applications: list[tuple[Tensor, Tensor, Function]] = field(default_factory=list)
    became: list[str] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)

    @property
    def n_values(self) -> int:
        """Inputs and units so far."""
        return self.made[-1].first + self.made[-1].n_out if self.made else self.n_inputs

    def mapped(
        self, tensor: Tensor, weights: object, bias: object, shape: tuple[int, ...]
    ) -> Tensor:
        """An affine operator: composed with what is there, or behind a layer of its own where the
        product would have more weights than both.
        """
        found = tensor.mapped(weights, bias, shape)
        reads_units = self.made and tensor.matrix[:, self.n_inputs :].nnz
        n_weights = sparse.csr_array(weights).nnz
        if reads_units and found.matrix.nnz > n_weights + tensor.matrix.nnz:
            return self.applied(identity(), tensor).mapped(weights, bias, shape)
        return found

    def applied(
        self, function: Function, tensor: Tensor, within: tuple[float, float] | None = None
    ) -> Tensor:
        """A function of each element: a layer with its counterpart, or with what is near it,
        within bounds that the elements are known to have.
        """
        low, high = within or self._range(tensor)
        if function.counterpart is not None:
            # it is exact wherever it is read, so the report names no range, and there is none
            low, high = -math.inf, math.inf
            activation = function.counterpart(self.options.h)
            error = smoothing_error(activation)
            how = "exact but for h" if error else "exact"
        elif self.options.approximation == "algebraic" and function.algebraic is not None:
            activation, low, high = function.algebraic, -math.inf, math.inf
            error, how = distance(function, activation), "the algebraic one"
        else:
            fit = fitted(function, self.options.max_error, self.options.h, low, high)
            activation, error = fit.activation, fit.error
            n = len(activation.rails)
            where = "" if math.isinf(low) and math.isinf(high) else f" on ({low:.4g}, {high:.4g})"
            how = f"{n} pieces{where}"
        found = self.layer(activation, tensor)
        self.note(f"{type(activation).__name__}: {how}", error)
        slope = steepest(function, low, high) if tensor.error.any() else 0.0
        errors, exact = slope * tensor.error + error, function.of(tensor.exact)
        result = dataclasses.replace(found, error=errors, exact=exact)
        self.applications.append((tensor, result, function))
        return result

    def in_units(self, tensor: Tensor) -> Tensor:
        """The elements as units of a layer of their own, where several would carry on what each
        sums up.
        """
        rows = np.diff(tensor.matrix.indptr)
        return self.applied(identity(), tensor) if rows.max(initial=0) > 3 else tensor

    def layer(self, activation: Activation, tensor: Tensor) -> Tensor:
        """A layer whose pre-activations are the elements; its values, of no known error."""
        if len(activation.rails) > 2 and not activation.couples_units:
            tensor = self._shared(activation, tensor)
        first = self.n_values
        self.made.append(Made(tensor.matrix, tensor.offset, activation, first))
        return Tensor.of_values(tensor.shape, first, tensor.exact)

    def _shared(self, activation: Activation, tensor: Tensor) -> Tensor:
        """The elements as they are, or as units of a layer of their own, where many rails would
        each have all of the weights.
        """
        n_rails, size = len(activation.rails), tensor.size
        # reactions: a weight has one for each rail that it drives, and reads one or two species
        together = n_rails * tensor.matrix.nnz
        apart = 2 * (tensor.matrix.nnz + 3 * size) + n_rails * 2 * size
        # one more layer to settle has to pay
        return tensor if together <= 2 * apart else self.layer(Linear(self.options.h), tensor)

    def _range(self, tensor: Tensor) -> tuple[float, float]:
        """Where the elements are for the data given, widened; all numbers without data."""
        if not len(tensor.exact):
            return -math.inf, math.inf
        low, high = float(tensor.exact.min()), float(tensor.exact.max())
        more = _MARGIN * (high - low) + float(tensor.error.max()) + 1e-9 * (abs(low) + abs(high))
        return low - more - 1e-9, high + more + 1e-9

    def note(self, text: str, error: float = 0.0) -> None:
        """What the operator at hand became."""
        self.became.append(text)
        self.errors.append(error)
