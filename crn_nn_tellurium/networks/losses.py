"""Losses: how far outputs are from targets, with derivatives.

A loss is the mean over samples of what it says of each. For outputs y and targets t of one sample:

    squared_error    sum_k (y_k - t_k)^2
    cross_entropy    -sum_k t_k log P_k, where P are the outputs themselves if they are normalised,
                     their softmax if they are linear; for one output p of a sigmoid,
                     -t log p - (1 - t) log(1 - p), or with p = logistic(y - threshold) if linear
    hinge            sum_{k not c} max(0, 1 - y_c + y_k), c the true class; for one output,
                     max(0, 1 - (2 t - 1)(y - threshold))

Sources: Bishop, Pattern Recognition and Machine Learning (2006), chapter 4; Weston and Watkins,
Support vector machines for multi-class pattern recognition (ESANN 1999) for the hinge.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from crn_nn_tellurium.basics import FloatArray, by_name, check_choice, labels_or_numbers
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.networks.activations import Linear, Normalized, Sigmoid
from crn_nn_tellurium.networks.network import Network

Kind = Literal["values", "classes"]


@dataclass(frozen=True)
class Loss:
    """A loss of one's own, as a function and its derivative.

    Parameters
    ----------
    function : callable
        (outputs (n, n_out), targets) -> (n,), the loss of each sample.
    derivative : callable
        (outputs (n, n_out), targets) -> (n, n_out), its derivative with respect to the outputs.
    targets : {"values", "classes"}
        What targets are: one number per output, or classes. Classes may come as labels (n,), which
        become shares of 0 and 1, or as shares (n, n_out).
    name : str
    both : callable, optional
        (outputs, targets) -> (losses, derivative), for trainings, where the two share work.

    Raises
    ------
    InputError
        If a function cannot be called, or `targets` is no kind of targets.

    Examples
    --------
    The sum of fourth powers:

    >>> quartic = Loss(lambda y, t: ((y - t) ** 4).sum(axis=1), lambda y, t: 4 * (y - t) ** 3)
    >>> quartic.function(np.array([[1.0, 3.0]]), np.array([[1.0, 1.0]]))
    array([16.])
    """

    function: Callable[[FloatArray, FloatArray], FloatArray]
    derivative: Callable[[FloatArray, FloatArray], FloatArray]
    targets: Kind = "values"
    name: str = "loss"
    both: Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]] | None = None

    def __post_init__(self) -> None:
        for what in ("function", "derivative", "both"):
            given = getattr(self, what)
            if not callable(given) and not (what == "both" and given is None):
                raise InputError(f"loss {self.name!r}: {what} is {given!r}; expected a callable")
        check_choice(f"loss {self.name!r}: targets", self.targets, get_args(Kind))

    def __repr__(self) -> str:
        return f"Loss({self.name!r}, targets are {self.targets})"


LossLike = str | Loss | tuple[Callable[..., FloatArray], Callable[..., FloatArray]]


def resolve_loss(loss: LossLike, net: Network) -> Loss:
    """The loss that a name, a pair of callables or a `Loss` means for a network."""
    if isinstance(loss, Loss):
        return loss
    if isinstance(loss, tuple) and len(loss) == 2 and all(callable(part) for part in loss):
        return Loss(*loss)
    if not isinstance(loss, str) or loss not in _NAMED:
        raise InputError(
            f"loss is {loss!r}; expected one of {', '.join(map(repr, _NAMED))}, a Loss, or"
            " (function, derivative)"
        )
    return _NAMED[loss](net)


def encode_targets(loss: Loss, net: Network, y: npt.ArrayLike, n_samples: int) -> FloatArray:
    """Targets (n_samples, n_out) of a batch."""
    given = labels_or_numbers("targets", by_output(net, y))
    if np.iscomplexobj(given):
        raise InputError(f"targets are complex numbers; loss {loss.name!r} expects real ones")
    # one column for several outputs can only be labels, and so can words
    if given.ndim == 2 and given.shape[1] == 1 and (net.n_out > 1 or given.dtype.kind in "USO"):
        given = given[:, 0]  # a column of labels
    if loss.targets == "classes" and given.ndim == 1 and (net.n_out > 1 or are_labels(net, given)):
        return targets_of_labels(net, given, n_samples)
    try:
        values = given.astype(float)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(
            f"targets are such as {given.ravel().tolist()[0]!r}; loss {loss.name!r} expects"
            f" numbers, shape ({n_samples}, {net.n_out})"
        ) from error
    if values.ndim == 1 and net.n_out == 1:
        values = values[:, None]
    if values.shape != (n_samples, net.n_out):
        hint = ", or class labels" if loss.targets == "classes" else ""
        raise InputError(
            f"targets have shape {given.shape}; loss {loss.name!r} expects ({n_samples},"
            f" {net.n_out}), one row per sample and one column per output{hint}"
        )
    checks = [(~np.isfinite(values), "expected finite numbers")]
    if loss.targets == "classes":
        said = "expects shares of the classes, between 0 and 1, or class labels"
        checks.append(((values < 0) | (values > 1), f"loss {loss.name!r} {said}"))
    for bad, said in checks:
        if bad.any():
            sample = int(np.argwhere(bad)[0][0])
            raise InputError(f"targets of sample {sample} are {values[sample].tolist()}; {said}")
    return values


def by_output(net: Network, y: Any) -> Any:
    """The columns of a table of targets in the order of the outputs, or of the classes that these
    are, where they have their names; anything else as it is.
    """
    # of a series, or a single column, the names are those of samples, or of labels
    if getattr(y, "ndim", 0) == 2 and y.shape[1] > 1:
        for names in (net.output_names, net.output_labels):
            y = by_name("targets", y, names, or_by_place=True)
    return y


def are_labels(net: Network, given: npt.NDArray[Any]) -> bool:
    """Whether targets of a network with one output are class labels."""
    return net.class_names is not None or given.dtype.kind in "USOb"


def targets_of_labels(net: Network, given: npt.NDArray[Any], n_samples: int) -> FloatArray:
    """1 for the class of each sample and 0 for the others, (n_samples, n_out)."""
    if len(given) != n_samples:
        raise InputError(
            f"targets have shape {given.shape}; expected ({n_samples},), a label per sample"
        )
    position = {label: i for i, label in enumerate(net.classes)}
    try:
        index = np.array([position[label] for label in given.tolist()], dtype=int)
    except (KeyError, TypeError) as error:
        raise InputError(
            f"targets hold the label {error}; the network's classes are {list(net.classes)}"
        ) from error
    if net.n_out == 1:  # its value is the share of the second class
        return index[:, None].astype(float)
    return np.eye(net.n_out)[index]


def leads_of(n_out: int, winner: npt.NDArray[np.intp]) -> FloatArray:
    """Matrices (n, n_out - 1, n_out) from outputs to what the winner (n,) is ahead of each other
    by.
    """
    own = np.eye(n_out)
    return np.array([own[c] - np.delete(own, c, axis=0) for c in range(n_out)])[winner]


# The named ones -------------------------------------------------------------------------------


def _squared_error(net: Network) -> Loss:
    pair = (lambda y, t: np.square(y - t).sum(axis=1), lambda y, t: 2 * (y - t))
    return Loss(*pair, "values", "squared_error")


def _cross_entropy(net: Network) -> Loss:
    activation = net.layers[-1].activation
    one = net.n_out == 1
    pair: tuple[Callable[..., FloatArray], Callable[..., FloatArray]]
    both = None
    if isinstance(activation, Normalized) and not one:
        # over their sum, which is 1 unless rate constants are off; where t = 0 nothing is divided
        pair = (
            lambda p, t: _log_share(p / p.sum(axis=1, keepdims=True), t),
            lambda p, t: (
                t.sum(axis=1, keepdims=True) / p.sum(axis=1, keepdims=True)
                - np.divide(t, p, out=np.zeros_like(p), where=t != 0)
            ),
        )
    elif isinstance(activation, Sigmoid) and one:
        pair = (
            lambda p, t: _log_share(p, t) + _log_share(_complement(p), 1 - t),
            lambda p, t: (p - t) / (p * _complement(p)),
        )
    elif isinstance(activation, Linear) and one:
        threshold = activation.threshold
        pair = (
            lambda y, t: (np.logaddexp(0, y - threshold) - t * (y - threshold)).sum(axis=1),
            lambda y, t: expit(y - threshold) - t,
        )
    elif isinstance(activation, Linear):
        both = _of_softmax
        pair = (lambda y, t: _of_softmax(y, t)[0], lambda y, t: _of_softmax(y, t)[1])
    else:
        raise InputError(
            f"loss 'cross_entropy': {net.n_out} output(s) of {activation} are neither shares nor"
            " linear; expected Normalized or Linear outputs, or one Sigmoid output, or give a Loss"
            " of your own"
        )
    return Loss(*pair, "classes", "cross_entropy", both)


def _of_softmax(y: FloatArray, t: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Cross-entropy (n,) of the softmax of y, and its derivative (n, n_out)."""
    # exponentials of numbers up to 0 do not overflow, and of the largest is 1
    shifted = y - y.max(axis=1, keepdims=True)
    powers, shares = np.exp(shifted), t.sum(axis=1)
    total = powers.sum(axis=1)
    return (
        shares * np.log(total) - np.einsum("ij,ij->i", t, shifted),
        (shares / total)[:, None] * powers - t,
    )


def _log_share(p: FloatArray, t: FloatArray) -> FloatArray:
    # t log p is 0 at t = 0, and infinite where what is true has a share of 0
    with np.errstate(divide="ignore", invalid="ignore"):
        return -np.where(t == 0, 0.0, t * np.log(p)).sum(axis=1)


def _complement(p: FloatArray) -> FloatArray:
    """1 - p, never 0: a sigmoid is below 1, even where double precision says that it is 1."""
    return np.maximum(1 - p, np.finfo(float).epsneg)


def _hinge(net: Network) -> Loss:
    threshold = net.layers[-1].activation.threshold

    def one(y: FloatArray, t: FloatArray) -> FloatArray:
        return np.maximum(0, 1 - (2 * t - 1) * (y - threshold)).sum(axis=1)

    def one_derivative(y: FloatArray, t: FloatArray) -> FloatArray:
        sign = 2 * t - 1
        return np.where(1 - sign * (y - threshold) > 0, -sign, 0.0)

    def margins(y: FloatArray, t: FloatArray) -> tuple[FloatArray, FloatArray]:
        true = np.eye(t.shape[1])[t.argmax(axis=1)]  # of shares, the largest is the class
        return 1 - (true * y).sum(axis=1, keepdims=True) + y, true

    def many(y: FloatArray, t: FloatArray) -> FloatArray:
        margin, true = margins(y, t)
        return np.where(true == 0, np.maximum(0, margin), 0.0).sum(axis=1)

    def many_derivative(y: FloatArray, t: FloatArray) -> FloatArray:
        margin, true = margins(y, t)
        active = ((margin > 0) & (true == 0)).astype(float)
        return active - true * active.sum(axis=1, keepdims=True)

    pair = (one, one_derivative) if net.n_out == 1 else (many, many_derivative)
    return Loss(*pair, "classes", "hinge")


_NAMED: dict[str, Callable[[Network], Loss]] = {
    "squared_error": _squared_error,
    "cross_entropy": _cross_entropy,
    "hinge": _hinge,
}


def check_classes(net: Network, x: FloatArray, truth: npt.NDArray[Any]) -> None:
    """Refuse samples without a class each, and classes that the network does not have."""
    net.need_classes("y of classes")
    if x.ndim != 2 or truth.shape != (len(x),):
        raise InputError(
            f"X has shape {x.shape} and y {truth.shape}; expected (n_samples, {net.n_in}) and"
            " (n_samples,)"
        )
    strange = sorted(map(repr, set(truth.tolist()) - set(net.classes)))
    if strange or not len(x):
        found = ", ".join(strange[:3]) or "no labels"
        raise InputError(f"y holds {found}; expected the network's classes, {list(net.classes)}")
