"""How a training went, and how right its classes are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from crn_nn_tellurium.basics import (
    check_kind,
    labels_given,
    some,
)
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.plots.figures import (
    color,
    legend_beside,
    mark,
    new_axes,
    plain,
    styled,
)
from crn_nn_tellurium.training import FitResult

# Share from which on a cell is dark; letters of class names that stand side by side
_DARK, _LETTERS = 0.5, 10


@styled
def plot_history(result: FitResult, ax: Axes | None = None) -> Axes:
    """Loss over the iterations of a training, held-out loss, and where weights were pruned.

    Parameters
    ----------
    result : FitResult
    ax : Axes, default: of a new figure

    Raises
    ------
    InputError
        If `result` is no FitResult.

    Examples
    --------
    >>> from crn_nn_tellurium import Network, fit
    >>> result = fit(Network.random([2, 3, 1], seed=0), [[0, 1], [1, 1]], [0.5, 0.2])
    >>> plot_history(result).get_xlabel()
    'iteration'
    """
    check_kind("result", result, FitResult, "the result of fit")
    ax = new_axes(ax)
    history = result.history
    ax.semilogy(history.index, history["loss"], color=color(0), label="training, with penalty")
    if history["validation_loss"].notna().any():
        held_out = history["validation_loss"].astype(float)
        ax.semilogy(history.index, held_out, color=color(1), label="held out")
        ax.plot(held_out.idxmin(), held_out.min(), "o", color=color(1), label="least held out")
    pruned = history.index[1:][np.diff(history["density"]) != 0]
    for number, iteration in enumerate(pruned):
        mark(ax, iteration, None if number else "weights pruned")
    ax.set(xlabel="iteration", ylabel="mean loss")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    legend_beside(ax)
    return ax


@styled
def plot_confusion_matrix(
    y_true: npt.ArrayLike,
    y_predicted: npt.ArrayLike,
    labels: Sequence[Any] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """How many samples of each class were given each class, and which share of its own they are.

    Parameters
    ----------
    y_true, y_predicted : (n_samples,) array_like
        Labels.
    labels : sequence, optional
        The classes in the order in which they are drawn; by default all that occur, sorted.
    ax : Axes, default: of a new figure

    Raises
    ------
    InputError
        If the labels are not two lists of one length, there are none, or some are of no class that
        is drawn.

    Examples
    --------
    >>> plot_confusion_matrix([0, 1, 1], [0, 1, 0]).get_ylabel()
    'true class'
    """
    truth = labels_given("y_true", y_true)
    predicted = labels_given("y_predicted", y_predicted)
    if truth.shape != predicted.shape or not len(truth):
        raise InputError(
            f"labels have shapes {truth.shape} and {predicted.shape}; expected (n_samples,) both,"
            " one sample or more"
        )
    ax = new_axes(ax)
    classes = np.union1d(truth, predicted) if labels is None else labels_given("labels", labels)
    counts = np.array([[np.sum((truth == a) & (predicted == b)) for b in classes] for a in classes])
    if left_out := len(truth) - counts.sum():
        known = some([str(label) for label in classes], 6)
        raise InputError(
            f"{left_out} of {len(truth)} samples have labels other than {known}; expected true ones"
            f" ({truth[0]!r}, say), predicted ones ({predicted[0]!r}) and `labels` of one kind,"
            " with all classes that occur"
        )
    # a class of few samples is seen as well as one of many; one without has no shares
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    # two lines in a cell, however many there are
    points = min(10.0, 0.3 * 72 * ax.get_window_extent().height / ax.figure.dpi / len(classes))
    for (row, column), count in np.ndenumerate(counts):
        if count:
            share = shares[row, column]
            text: Any = {"ha": "center", "va": "center", "fontsize": points}
            ink = "white" if share > _DARK else "black"
            ax.text(column, row, f"{count}\n{share:.0%}", color=ink, **text)
    names = [plain(label) for label in classes]
    long = max(map(len, names)) > _LETTERS
    slant: Any = {"rotation": 30, "ha": "right"} if long else {}
    ax.set_xticks(range(len(names)), names, **slant)
    ax.set_yticks(range(len(names)), names)
    ax.spines[:].set_visible(True)
    ax.set(xlabel="predicted class", ylabel="true class")
    return ax
