"""How a training went, and how right its classes are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from crn_nn_tellurium.basics import check_kind
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.plots.figures import (
    color,
    legend_beside,
    mark,
    new_axes,
    styled,
)
from crn_nn_tellurium.training import FitResult


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
    ax.semilogy(history.index, history["loss"], label="training, with penalty")
    if history["validation_loss"].notna().any():
        held_out = history["validation_loss"].astype(float)
        ax.semilogy(history.index, held_out, label="held out")
        ax.plot(held_out.idxmin(), held_out.min(), "o", color=color(1), label="least held out")
    pruned = history.index[1:][np.diff(history["density"]) != 0]
    for number, iteration in enumerate(pruned):
        mark(ax, iteration, None if number else "weights pruned")
    ax.set(xlabel="iteration", ylabel="mean loss")
    legend_beside(ax)
    return ax


@styled
def plot_confusion_matrix(
    y_true: npt.ArrayLike,
    y_predicted: npt.ArrayLike,
    labels: Sequence[Any] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """How many samples of each class were given each class.

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
        If the labels are not two lists of one length.

    Examples
    --------
    >>> plot_confusion_matrix([0, 1, 1], [0, 1, 0]).get_ylabel()
    'true class'
    """
    truth, predicted = np.asarray(y_true), np.asarray(y_predicted)
    if truth.ndim != 1 or truth.shape != predicted.shape:
        raise InputError(
            f"labels have shapes {truth.shape} and {predicted.shape}; expected (n_samples,) both"
        )
    ax = new_axes(ax)
    classes = np.union1d(truth, predicted) if labels is None else np.asarray(labels)
    counts = np.array([[np.sum((truth == a) & (predicted == b)) for b in classes] for a in classes])
    ax.imshow(counts, cmap="Blues", vmin=0)
    for (row, column), count in np.ndenumerate(counts):
        if count:
            ink = "white" if count > counts.max() / 2 else "black"
            ax.text(column, row, str(count), ha="center", va="center", color=ink)
    ax.set_xticks(range(len(classes)), [str(c) for c in classes])
    ax.set_yticks(range(len(classes)), [str(c) for c in classes])
    ax.set(xlabel="predicted class", ylabel="true class")
    return ax
