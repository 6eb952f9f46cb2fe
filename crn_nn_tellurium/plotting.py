"""Drawing result objects. Every function takes and returns matplotlib axes and shows nothing."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.figure import Figure

from crn_nn_tellurium.errors import FileFormatError, InputError
from crn_nn_tellurium.results import TimeCourse
from crn_nn_tellurium.sensitivity import Sensitivities
from crn_nn_tellurium.storage import write_bytes
from crn_nn_tellurium.training import FitResult

_MANY = 10


def plot_time_course(tc: TimeCourse, names: str | Sequence[str] | None = None, ax: Axes | None = None) -> Axes:
    """Outputs, and other columns asked for, over time.

    Parameters
    ----------
    tc : TimeCourse
    names : str or sequence of str, optional
        Outputs, species or inputs to draw; by default the outputs.
    ax : Axes, optional
        A new figure by default.

    Returns
    -------
    Axes
        A dotted line marks each time at which the inputs change.

    Raises
    ------
    KeyError
        If a name is not in the result.

    Examples
    --------
    >>> from crn_nn_tellurium import Network, Simulator
    >>> ax = plot_time_course(Simulator(Network.random([2, 3, 1], seed=0)).time_course([0, 1]))
    >>> ax.get_xlabel()
    'time (s)'
    """
    ax = _axes(ax)
    drawn = tc.output_names if names is None else (names,) if isinstance(names, str) else tuple(names)
    for name in drawn:
        ax.plot(tc.time, tc[name], label=name, linewidth=1.5)
    for change in tc.time[:-1][np.any(np.diff(tc.inputs, axis=0) != 0, axis=1)]:
        ax.axvline(change, color="0.6", linestyle=":", linewidth=1)
    ax.set_xlabel("time (s)")
    ax.set_ylabel("value (nM)" if set(drawn) <= set(tc.output_names) else "concentration (nM)")
    ax.margins(x=0)
    if len(drawn) <= _MANY:
        ax.legend(frameon=False)
    return ax


def plot_confusion_matrix(
    y_true: npt.ArrayLike, y_predicted: npt.ArrayLike, labels: Sequence[Any] | None = None, ax: Axes | None = None
) -> Axes:
    """How many samples of each class were given each class.

    Parameters
    ----------
    y_true, y_predicted : (n_samples,) array_like
        Labels.
    labels : sequence, optional
        The classes in the order in which they are drawn; by default all that occur, sorted.
    ax : Axes, optional
        A new figure by default.

    Raises
    ------
    InputError
        If the labels are not two lists of one length.

    Examples
    --------
    >>> plot_confusion_matrix([0, 1, 1], [0, 1, 0]).get_ylabel()
    'true class'
    """
    ax = _axes(ax)
    truth, predicted = np.asarray(y_true), np.asarray(y_predicted)
    if truth.ndim != 1 or truth.shape != predicted.shape:
        raise InputError(f"labels have shapes {truth.shape} and {predicted.shape}; expected (n_samples,) both")
    classes = np.unique(np.concatenate([truth, predicted])) if labels is None else np.asarray(labels)
    counts = np.array([[np.sum((truth == a) & (predicted == b)) for b in classes] for a in classes])
    ax.imshow(counts, cmap="Blues", vmin=0)
    for (row, column), count in np.ndenumerate(counts):
        if count:
            dark = count > counts.max() / 2
            ax.text(column, row, str(count), ha="center", va="center", color="white" if dark else "black")
    ax.set_xticks(range(len(classes)), [str(c) for c in classes])
    ax.set_yticks(range(len(classes)), [str(c) for c in classes])
    ax.set_xlabel("predicted class")
    ax.set_ylabel("true class")
    return ax


def plot_history(result: FitResult, ax: Axes | None = None) -> Axes:
    """Loss over the iterations of a training, held-out loss beside it, and where weights were pruned.

    Parameters
    ----------
    result : FitResult
    ax : Axes, optional
        A new figure by default.

    Examples
    --------
    >>> from crn_nn_tellurium import Network, fit
    >>> result = fit(Network.random([2, 3, 1], seed=0), [[0, 1], [1, 1]], [0.5, 0.2], max_iter=5)
    >>> plot_history(result).get_xlabel()
    'iteration'
    """
    ax = _axes(ax)
    history = result.history
    ax.semilogy(history.index, history["loss"], label="training, with penalty")
    if history["validation_loss"].notna().any():
        held_out = history["validation_loss"].astype(float)
        ax.semilogy(history.index, held_out, label="held out")
        ax.plot(held_out.idxmin(), held_out.min(), "o", color="C1", label="least held out")
    changes = history.index[1:][history["density"].to_numpy()[1:] != history["density"].to_numpy()[:-1]]
    for number, change in enumerate(changes):
        ax.axvline(change, color="0.6", linestyle=":", linewidth=1, label="weights pruned" if not number else None)
    ax.set_xlabel("iteration")
    ax.set_ylabel("mean loss")
    ax.legend(frameon=False)
    return ax


def plot_accuracy_under_noise(
    accuracies: Mapping[str, npt.ArrayLike], noise: Sequence[float], ax: Axes | None = None
) -> Axes:
    """Accuracy against lognormal noise on every rate constant, a line with a band per network.

    Parameters
    ----------
    accuracies : mapping of str to (n_noise, draws) array_like
        By name, what `accuracy_under_noise` gave for these `noise`.
    noise : sequence of float
        Coefficients of variation.
    ax : Axes, optional
        A new figure by default.

    Returns
    -------
    Axes
        Lines are means, bands hold the middle 80 % of the draws.

    Raises
    ------
    InputError
        If accuracies and noise do not fit.

    Examples
    --------
    >>> plot_accuracy_under_noise({"plain": [[1.0, 1.0], [0.8, 0.9]]}, [0.0, 0.3]).get_ylabel()
    'accuracy (%)'
    """
    ax = _axes(ax)
    for name, values in accuracies.items():
        shares = 100 * np.asarray(values, dtype=float)
        if shares.ndim != 2 or len(shares) != len(noise):
            raise InputError(f"accuracies of {name!r} have shape {shares.shape}; expected ({len(noise)}, draws)")
        (line,) = ax.plot(noise, shares.mean(axis=1), marker="o", markersize=4, label=name)
        low, high = np.quantile(shares, [0.1, 0.9], axis=1)
        ax.fill_between(noise, low, high, color=line.get_color(), alpha=0.15, linewidth=0)
    ax.set_xlabel("noise on every rate constant (coefficient of variation)")
    ax.set_ylabel("accuracy (%)")
    ax.legend(frameon=False)
    return ax


def plot_sensitivities(result: Sensitivities, ax: Axes | None = None, limit: int = 40) -> Axes:
    """d output / d parameter as a heat map, the parameters that matter most first.

    Parameters
    ----------
    result : Sensitivities
        Of one sample.
    ax : Axes, optional
        A new figure by default.
    limit : int
        How many parameters are shown.

    Raises
    ------
    InputError
        If the sensitivities are of several samples.

    Examples
    --------
    >>> from crn_nn_tellurium import Network, sensitivities
    >>> plot_sensitivities(sensitivities(Network.random([2, 3, 1], seed=0), [0, 1])).get_xlabel()
    'parameter'
    """
    if result.values.ndim != 2:
        raise InputError(f"sensitivities of shape {result.values.shape} are of several samples; expected one")
    ax = _axes(ax)
    order = np.argsort(-np.abs(result.values).max(axis=0), kind="stable")[:limit]
    largest = float(np.abs(result.values).max(initial=0.0)) or 1.0
    image = ax.imshow(result.values[:, order], cmap="RdBu_r", vmin=-largest, vmax=largest, aspect="auto")
    ax.set_xticks(range(len(order)), [result.parameters[i] for i in order], rotation=90)
    ax.set_yticks(range(len(result.outputs)), list(result.outputs))
    ax.set_xlabel("parameter")
    ax.set_ylabel("output")
    ax.figure.colorbar(image, ax=ax, label="d output / d parameter")
    return ax


def check_picture(path: str | os.PathLike[str]) -> str:
    """The picture format that a path's ending chooses.

    Raises
    ------
    FileFormatError
        If matplotlib does not write files with that ending.
    """
    kinds = FigureCanvasBase.get_supported_filetypes()
    suffix = Path(path).suffix
    kind = suffix.removeprefix(".").lower()
    if kind not in kinds:
        raise FileFormatError(f"{str(path)!r}: no picture format has the ending {suffix!r}; known: {', '.join(kinds)}")
    return kind


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> Path:
    """Write a figure whole or not at all; the path's ending chooses the format.

    Raises
    ------
    FileFormatError
        If matplotlib does not write files with that ending.
    OSError
        If the file cannot be written.
    """
    kind = check_picture(path)
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, dpi=150)
    return write_bytes(path, buffer.getvalue())


def _axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    _, new = plt.subplots(layout="constrained")
    return new
