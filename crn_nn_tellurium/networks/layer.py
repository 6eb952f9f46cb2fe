"""One layer of a network: weights, bias, activation, and what it reads.

z = W v + b,    value = activation(z)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from crn_nn_tellurium.basics import (
    ROWS,
    FloatArray,
    card,
    check_kind,
    check_word,
    dense,
    frame_of,
    is_sparse,
    layered,
    read_only,
    real_numbers,
)
from crn_nn_tellurium.errors import NetworkError
from crn_nn_tellurium.networks.activation import Activation
from crn_nn_tellurium.networks.activations import SmoothedReLU

if TYPE_CHECKING:
    import pandas as pd

INPUT = "input"
"""The name by which layers read the network's inputs."""


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer: value = activation(weights @ v + bias).

    Parameters
    ----------
    weights : (n_out, n_in) array_like or scipy sparse array
        An exactly zero weight makes no reaction.
    bias : (n_out,) array_like, optional
        Zeros by default.
    activation : Activation
        Shared by the layer's units.
    inputs : str or tuple of str, optional
        Names of the layers read, or ``"input"``, in the order of the weights' columns; by default
        the layer before.
    name : str, optional
        By default ``layer1``, ``layer2``, ... by position.

    Raises
    ------
    NetworkError
        If shapes do not fit or a number is not finite.

    Examples
    --------
    >>> Layer([[1.0, -1.0]], [0.5], SmoothedReLU(h=0.01))
    Layer('', 2 -> 1, SmoothedReLU(h=0.01), 2 weights)
    """

    weights: FloatArray | sparse.csr_array
    bias: FloatArray = None  # type: ignore[assignment]  # filled in below
    activation: Activation = dataclasses.field(default_factory=SmoothedReLU)
    inputs: tuple[str, ...] = ()
    name: str = ""

    def __post_init__(self) -> None:
        check_kind("a layer's name", self.name, str)
        label = f"layer {self.name!r}" if self.name else "a layer"
        weights = _weights(label, self.weights)
        given = np.zeros(weights.shape[0]) if self.bias is None else self.bias
        bias = _numbers(label, "bias", given)
        if bias.shape != weights.shape[:1]:
            raise NetworkError(
                f"{label}: bias has shape {bias.shape}; expected ({weights.shape[0]},) to match"
                f" weights of shape {weights.shape}"
            )
        if not isinstance(self.activation, Activation):
            raise NetworkError(
                f"{label}: activation is {self.activation!r}; expected an Activation,"
                " SmoothedReLU(h=0.01) say"
            )
        sources = (self.inputs,) if isinstance(self.inputs, str) else self.inputs
        if not isinstance(sources, list | tuple) or not all(
            isinstance(source, str) for source in sources
        ):
            raise NetworkError(
                f"{label}: inputs are {self.inputs!r}; expected names of layers, ('layer1',"
                " 'input') say"
            )
        if self.name:
            # models number their layers, so that reserved words do as well
            check_word("layer", self.name)
        read_only(weights, bias)
        for attribute, value in (("weights", weights), ("bias", bias), ("inputs", tuple(sources))):
            object.__setattr__(self, attribute, value)

    @property
    def n_in(self) -> int:
        """Number of values read."""
        return int(self.weights.shape[1])

    @property
    def n_out(self) -> int:
        """Number of units."""
        return int(self.weights.shape[0])

    @property
    def n_weights(self) -> int:
        """Number of weights that are not zero."""
        return int(self.weights.nnz if is_sparse(self.weights) else np.count_nonzero(self.weights))

    def read(self, values: Mapping[str, FloatArray], axis: int = -1) -> FloatArray:
        """What the layer reads of values by source, side by side along an axis."""
        parts = [values[source] for source in self.inputs]
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=axis)

    def pre_activation(self, v: FloatArray) -> FloatArray:
        """W v + b for values v (..., n_in)."""
        if is_sparse(self.weights):
            # scipy's sparse arrays multiply two dimensions alone
            flat = (self.weights @ v.reshape(-1, self.n_in).T).T
            return flat.reshape(*v.shape[:-1], self.n_out) + self.bias
        return v @ self.weights.T + self.bias

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Layer):
            return NotImplemented
        return (
            (self.name, self.inputs, self.activation)
            == (other.name, other.inputs, other.activation)
            and is_sparse(self.weights) == is_sparse(other.weights)
            and self.weights.shape == other.weights.shape
            and not np.any(dense(self.weights) != dense(other.weights))
            and np.array_equal(self.bias, other.bias)
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        # numpy does not pickle that an array is read-only
        self.__dict__.update(state)
        read_only(self.weights, self.bias)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return (
            f"Layer({self.name!r}, {self.n_in} -> {self.n_out}, {self.activation}, {self.n_weights}"
            " weights)"
        )

    def to_frame(self) -> pd.DataFrame:
        """A row per unit: its bias, and its weights by the number of the value read.

        Examples
        --------
        >>> Layer([[1.0, -1.0], [0.0, 2.0]], [0.5, 0.0]).to_frame().loc[0].to_dict()
        {'bias': 0.5, '0': 1.0, '1': -1.0}
        """
        return self._first_rows(self.n_out)

    def _first_rows(self, n: int) -> pd.DataFrame:
        few = dense(self.weights[:n])
        columns = {"bias": self.bias[:n]} | {str(i): column for i, column in enumerate(few.T)}
        return frame_of({"unit": range(len(few))}, columns)

    def _repr_html_(self) -> str:
        facts = {
            "units": self.n_out,
            "reads": f"{', '.join(self.inputs)} ({self.n_in} values)".strip(),
            "activation": self.activation,
            "weights": self.n_weights,
        }
        sizes = {"reads": self.n_in, "units": self.n_out}
        picture = layered(sizes, [(0, 1, self.weights)])
        title = f"Layer {self.name}".strip()
        return card(title, facts, self._first_rows(ROWS), picture, total=self.n_out)


def _numbers(label: str, what: str, values: Any) -> FloatArray:
    # added in a copy; no negative zeros: equal networks give equal files
    result = real_numbers(f"{label}: {what}", values, error=NetworkError) + 0.0
    _check_finite(label, what, result, lambda: np.indices(result.shape))
    return result


def _check_finite(label: str, what: str, values: FloatArray, where: Callable[[], Any]) -> None:
    """Refuse what is no finite number; `where` tells the places of the values, axis by axis."""
    bad = ~np.isfinite(values)
    if bad.any():
        place, value = [int(axis[bad][0]) for axis in where()], float(values[bad][0])
        raise NetworkError(f"{label}: {what}{place} is {value!r}; expected finite numbers")


def _weights(label: str, values: Any) -> FloatArray | sparse.csr_array:
    result: Any
    if is_sparse(values):
        if values.dtype.kind not in "biuf":
            raise NetworkError(f"{label}: weights are {values.dtype}; expected real numbers")
        # one form for one matrix, so that equal networks compare, hash and write equal; doubles
        # from the start, since sums of small integers in one place would overflow
        result = sparse.csr_array(values.astype(float))
        result.sum_duplicates()
        result.eliminate_zeros()
        result.sort_indices()
        if max(result.shape) > np.iinfo(np.int32).max:
            raise NetworkError(f"{label}: weights have shape {result.shape}; expected below 2^31")
        # scipy chooses the width of the indices by where they come from
        parts = (result.data, result.indices.astype(np.int32), result.indptr.astype(np.int32))
        result = sparse.csr_array(parts, shape=result.shape)
    else:
        result = _numbers(label, "weights", values)
    if result.ndim != 2 or 0 in result.shape:
        raise NetworkError(
            f"{label}: weights have shape {result.shape}; expected (n_out, n_in), neither of them 0"
        )
    if is_sparse(values):
        _check_finite(label, "weights", result.data, lambda: places(result))
    return result


# Weights as one row of numbers: of a sparse matrix, those stored alone ---------------------------


def places(weights: Any) -> tuple[Any, Any]:
    """Row and column of each weight that is a parameter."""
    if is_sparse(weights):
        return np.repeat(np.arange(weights.shape[0]), np.diff(weights.indptr)), weights.indices
    # of a dense matrix zeros are parameters too: training may move them
    rows, columns = np.indices(weights.shape)
    return rows.ravel(), columns.ravel()


def values_of(weights: Any) -> FloatArray:
    """The weights that are parameters, as one row of numbers."""
    return weights.data if is_sparse(weights) else np.ravel(weights)


def with_values(weights: Any, values: FloatArray) -> Any:
    """A matrix of the same pattern with other numbers."""
    if is_sparse(weights):
        return sparse.csr_array((values, weights.indices, weights.indptr), shape=weights.shape)
    return values.reshape(weights.shape)


def outer_sum(weights: Any, by_unit: FloatArray, read: FloatArray) -> Any:
    """sum over samples of by_unit (n, n_out) x read (n, n_in), where the weights are parameters:
    dL/d(weights).
    """
    if not is_sparse(weights):
        return by_unit.T @ read
    # the whole product would be dense, and nearly all of it thrown away
    rows, columns = places(weights)
    return with_values(weights, np.einsum("nk,nk->k", by_unit[:, rows], read[:, columns]))
