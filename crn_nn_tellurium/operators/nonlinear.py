"""Operators that make chemistry: functions of each element, maxima, shares, products."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import sparse, special

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.errors import NetworkError
from crn_nn_tellurium.networks import Activation, Normalized
from crn_nn_tellurium.operators.functions import (
    Function,
    Line,
    exponential,
    itself,
    logarithm,
    product,
    quotient,
    relu,
    sigmoid,
)
from crn_nn_tellurium.operators.lowering import Lowering
from crn_nn_tellurium.operators.pieces import steepest
from crn_nn_tellurium.operators.tensors import Tensor, joined, line_of, total
from crn_nn_tellurium.operators.windows import Ints, Places, Window, adaptive, over


@dataclass(frozen=True)
class Apply:
    """A function of each element."""

    function: Function

    def __call__(self, lowering: Lowering, x: Tensor) -> Tensor:
        return lowering.applied(self.function, x)


@dataclass(frozen=True)
class Keep:
    """An activation of our own, as it is: its units are what is meant."""

    activation: Activation

    def __call__(self, lowering: Lowering, x: Tensor) -> Tensor:
        values = self.activation(x.exact)
        found = lowering.layer(self.activation, x)
        lowering.note(type(self.activation).__name__)
        return replace(found, error=self._error(x), exact=values)

    def _error(self, x: Tensor) -> FloatArray:
        if not x.error.any():  # whatever is exact before is exact behind
            return x.error
        if self.activation.couples_units:
            # no slope is known, but shares are between 0 and 1 whatever they are of
            limits = [math.inf] * len(self.activation.rails)
            upper = np.array([*limits, *(f.upper_bound for f in self.activation.followers)])
            low, high = self.activation.read_between(np.zeros_like(upper), upper)
            return np.full(x.size, float(high - low))
        name = f"{type(self.activation).__qualname__}{self.activation.parameters()}"
        by_itself = Function(name, self.activation)
        return steepest(by_itself, -math.inf, math.inf) * x.error


@dataclass(frozen=True, eq=False)
class PReLU:
    """max(x, 0) - slopes max(-x, 0), with slopes that broadcast."""

    slopes: npt.ArrayLike

    def __call__(self, lowering: Lowering, x: Tensor) -> Tensor:
        # both halves are units of one layer
        row = x.reshaped((1, *x.shape))
        halves = lowering.applied(relu(), joined([row, row.scaled(-1.0)], 0))
        places = halves.places
        falling = halves.taken(places[1]).scaled(np.negative(self.slopes))
        return total([(1.0, halves.taken(places[0])), (1.0, falling)])


@dataclass(frozen=True)
class Maximum:
    """The larger of two tensors that broadcast; of their negatives with `sign` -1, the smaller."""

    sign: float = 1.0

    def __call__(self, lowering: Lowering, a: Tensor, b: Tensor) -> Tensor:
        shape = np.broadcast_shapes(a.shape, b.shape)
        both = [t.spread(shape).scaled(self.sign).reshaped((*shape, 1)) for t in (a, b)]
        side_by_side = joined(both, -1)
        places = side_by_side.places.reshape(-1, 2)
        return largest(lowering, side_by_side, places).reshaped(shape).scaled(self.sign)


@dataclass(frozen=True)
class MaxPool:
    """The largest in a window; what is outside does not count."""

    window: Window
    rounds_up: bool = False

    def __call__(self, lowering: Lowering, x: Tensor) -> Tensor:
        slid = self.window.slid(x.places, self.rounds_up)
        shape = slid.shape[: -len(self.window.size)]
        return largest(lowering, x, slid.reshape(math.prod(shape), -1)).reshaped(shape)


@dataclass(frozen=True)
class AdaptiveMax:
    """Maxima over as many parts as `sizes` says along each of the last axes."""

    sizes: Ints

    def __call__(self, lowering: Lowering, x: Tensor) -> Tensor:
        shape = (*x.shape[: -len(self.sizes)], *self.sizes)
        return largest(lowering, x, adaptive(x.places, self.sizes)).reshaped(shape)


@dataclass(frozen=True)
class MaxOver:
    """The largest, or with `sign` -1 the smallest, over axes, which stay with length 1 or go."""

    axes: Ints
    keeps: bool = False
    sign: float = 1.0

    def __call__(self, lowering: Lowering, x: Tensor) -> Tensor:
        rows, shape = over(x.places, self.axes, self.keeps)
        return largest(lowering, x.scaled(self.sign), rows).reshaped(shape).scaled(self.sign)


def largest(lowering: Lowering, x: Tensor, places: Places) -> Tensor:
    """The largest of the elements at each row of places (n, k), of which -1 do not count.

    max(a, b) = a + relu(b - a), in rounds of pairs: log2 k layers. Windows that overlap compare
    the same pairs, which later are one unit.
    """
    if (places < 0).all(axis=1).any():
        raise ValueError("a window holds nothing but padding, of which there is no largest")
    x = lowering.in_units(x)
    while places.shape[1] > 1:
        if places.shape[1] % 2:
            places = np.pad(places, [(0, 0), (0, 1)], constant_values=-1)
        left, right = places[:, 0::2], places[:, 1::2]
        first = np.where(left >= 0, left, right)
        compared = (left >= 0) & (right >= 0) & (left != right)
        a, b = x.taken(left[compared]), x.taken(right[compared])
        where = np.full(compared.shape, -1)
        where[compared] = np.arange(a.size)
        base = x.taken(first)
        errors = base.error.reshape(first.shape)
        if a.size:
            more = lowering.applied(relu(), total([(1.0, b), (-1.0, a)]))
            # the larger of two is no further off than both, whatever their difference is
            errors[compared] = np.maximum(a.error, b.error) + math.sqrt(lowering.options.h)
            base = total([(1.0, base), (1.0, more.taken(where))])
        x = replace(base, error=errors.ravel())
        places = np.where(first >= 0, x.places, -1)
    return x.taken(places[:, 0])


@dataclass(frozen=True)
class Softmax:
    """e^x_k / sum_j e^x_j along an axis: e^(x - max) by pieces, and the share of each.

    Of two it is a sigmoid of their difference.
    """

    axis: int = -1

    def __call__(self, lowering: Lowering, x: Tensor) -> Tensor:
        exact = special.softmax(_values(x), axis=_axis(self.axis, x)).reshape(x.exact.shape)
        found = _along(lowering, x, self.axis, _softmax)
        return replace(found, exact=exact)


@dataclass(frozen=True)
class LogSoftmax:
    """x_k - log sum_j e^x_j along an axis, from x - max: the sum is between 1 and their number."""

    axis: int = -1

    def __call__(self, lowering: Lowering, x: Tensor) -> Tensor:
        exact = special.log_softmax(_values(x), axis=_axis(self.axis, x)).reshape(x.exact.shape)
        return replace(_along(lowering, x, self.axis, _log_softmax), exact=exact)


@dataclass(frozen=True)
class ArgMax:
    """The class: it has no chemistry, and `Network.predict` reads it off the largest output."""

    axis: int = -1

    def __call__(self, lowering: Lowering, x: Tensor) -> Tensor:
        if x.shape[self.axis] != x.size:
            raise NetworkError(
                f"argmax over axis {self.axis} of shape {x.shape}: several answers a sample;"
                " expected one"
            )
        lowering.note("left to predict, which takes the largest output")
        return x


def _values(x: Tensor) -> npt.NDArray[np.float64]:
    return x.exact.reshape(len(x.exact), *x.shape)


def _axis(axis: int, x: Tensor) -> int:
    """An axis of a tensor, counted in an array with one more before."""
    return axis % len(x.shape) + 1


def _along(
    lowering: Lowering, x: Tensor, axis: int, made: Callable[[Lowering, Tensor, Places], Tensor]
) -> Tensor:
    """What is made (n, k) of rows (n, k) of places along an axis, in the tensor's shape."""
    rows = np.moveaxis(x.places, axis, -1)
    found = made(lowering, x, rows.reshape(-1, x.shape[axis]))
    return found.taken(np.moveaxis(found.places.reshape(rows.shape), -1, axis))


def _exponentials(lowering: Lowering, x: Tensor, rows: Places) -> tuple[Tensor, Tensor]:
    """x - max x (n, k) of each row and its exponentials, whose sum is 1 or more; the errors of x
    are left out.
    """
    x = lowering.in_units(replace(x, error=np.zeros(x.size)))
    top = largest(lowering, x, rows).reshaped((len(rows), 1))
    below = total([(1.0, x.taken(rows)), (-1.0, top)])
    # never above 0, but for the errors of both
    high = float(below.error.max()) + 1e-9
    return below, lowering.applied(exponential(), below, (-math.inf, high))


def _softmax(lowering: Lowering, x: Tensor, rows: Places) -> Tensor:
    n = rows.shape[1]
    if n == 1:
        return replace(x.taken(rows).scaled(0.0, 1.0), error=np.zeros(len(rows)))
    if n == 2:
        difference = total([(1.0, x.taken(rows[:, 1:])), (-1.0, x.taken(rows[:, :1]))])
        p = lowering.applied(sigmoid(), difference)
        return joined([p.scaled(-1.0, 1.0), p], 1)
    below, e = _exponentials(lowering, x, rows)
    # pieces and a rounded knee; that the largest is a little less than all, shares do not see
    off = lowering.errors[-1] + math.sqrt(lowering.options.h)
    each = [lowering.layer(Normalized(lowering.options.h), e.taken(row)) for row in e.places]
    bound = _off_by(n, off, math.exp(-below.error.max()))
    lowering.note("Normalized: shares", bound)
    # sum_j |dp_k / dx_j| = 2 p_k (1 - p_k) <= 1/2
    errors = np.minimum(bound + x.error[rows].max(axis=1) / 2, 1.0)
    shares = joined(each, 0)
    return replace(shares, shape=rows.shape, error=np.repeat(errors, n))


def _off_by(n: int, d: float, m: float) -> float:
    """How far a share of n >= 3 numbers may be off, if each is off by up to d, the largest is m or
    more, and none is taken for less than 0.

    With S their sum, p is off by at most d (1 + (n - 2) p) / (S + (n - 2) d) downwards, which is
    most where p = 1 and S = m; and upwards with -d, which is most where the others are all but
    gone (1 - p of the same size), or, where another is the largest, so p <= 1/2 and S >= m, by
    less than n d / 2 over m - (n - 2) d.
    """
    room = m - (n - 2) * d
    return min(max((n - 1) * d / (m + (n - 2) * d), n * d / 2 / room), 1.0) if room > 0 else 1.0


def _log_softmax(lowering: Lowering, x: Tensor, rows: Places) -> Tensor:
    n_rows, n = rows.shape
    below, e = _exponentials(lowering, x, rows)
    sums = sparse.kron(sparse.eye_array(n_rows), np.ones((1, n)))
    whole = e.mapped(sums, 0.0, (n_rows, 1))
    off = float(whole.error.max())
    if off >= 0.5:
        raise NetworkError(
            f"log_softmax of {n}: the sum of exponentials is off by up to {off:.3g}, and may"
            f" be 1; expected a smaller max_error than {lowering.options.max_error:g}"
        )
    logarithms = lowering.applied(logarithm(), whole, (1 - off, n + off))
    found = total([(1.0, below), (-1.0, logarithms)])
    # sum_j |d log p_k / dx_j| = 2 (1 - p_k)
    return replace(found, error=found.error + 2 * np.repeat(x.error[rows].max(axis=1), n))


@dataclass(frozen=True)
class Product:
    """The product of two tensors that are functions of one and the same: z sigmoid(z) for silu,
    z Phi(z) for gelu, z z. It is a function of one number again.
    """

    def __call__(self, lowering: Lowering, a: Tensor, b: Tensor) -> Tensor:
        found = _of_one(lowering, a, b, product) or _of_one(lowering, b, a, product)
        if found is None:
            raise _of_two("product")
        return found


@dataclass(frozen=True)
class Quotient:
    """The same for a quotient: z / (1 + |z|) for softsign."""

    def __call__(self, lowering: Lowering, a: Tensor, b: Tensor) -> Tensor:
        found = _of_one(lowering, a, b, quotient)
        if found is None:
            raise _of_two("quotient")
        return found


def _of_one(
    lowering: Lowering,
    a: Tensor,
    b: Tensor,
    combined: Callable[[Line, Line, Function], Function],
) -> Tensor | None:
    """A function of z, if a is a line of z and b a line of some f(z), element by element."""
    for z, made, function in (*reversed(lowering.applications), (b, b, itself())):
        of_z, of_made = line_of(a, z), line_of(b, made)
        if of_z is not None and of_made is not None:
            return lowering.applied(combined(of_z, of_made, function), z)
    return None


def _of_two(what: str) -> NetworkError:
    return NetworkError(
        f"the {what} of two tensors that both depend on the inputs, and not in one way; expected"
        " one of them constant, or a function of the other element by element"
    )
