"""Drawing result objects. Every function takes and returns matplotlib axes and shows nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from crn_nn_tellurium.basics import check_kind
from crn_nn_tellurium.certificates import Certificate, HChoice
from crn_nn_tellurium.chemistry import MODEL_UNITS, PhysicalUnits
from crn_nn_tellurium.dna import ReadOutWindow
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.plots.figures import new_axes
from crn_nn_tellurium.sensitivity import Sensitivities
from crn_nn_tellurium.simulation import TimeCourse
from crn_nn_tellurium.training import FitResult

_MANY = 10
_MODEL_UNITS = "model units"
_DECADES_OF_VALUE, _DECADES_OF_DEVIATION = 2, 4
"""How long before the settling time the picture of an envelope begins: it comes from infinity at
time 0.
"""
_ROOM = 0.6
"""Room above and below 0 and the fixed points in that picture, as a share of their range."""


def plot_time_course(
    tc: TimeCourse, names: str | Sequence[str] | None = None, ax: Axes | None = None
) -> Axes:
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
    check_kind("tc", tc, TimeCourse, "the result of Simulator.time_course")
    ax = new_axes(ax)
    drawn = (
        tc.output_names if names is None else (names,) if isinstance(names, str) else tuple(names)
    )
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


def plot_read_out_window(
    window: ReadOutWindow, sample: int | None = None, ax: Axes | None = None
) -> Axes:
    """The outputs of a network in DNA beside the ideal chemistry's, and when they can be read.

    Parameters
    ----------
    window : ReadOutWindow
    sample : int, optional
        By default the one that settles last.
    ax : Axes, optional
        A new figure by default.

    Returns
    -------
    Axes
        Solid lines are the DNA's outputs, dashed ones the ideal chemistry's in the same tube, dots
        at the right edge the network's. The pale band is the window of this sample, the bar below
        it that of all samples, and the dotted line the time by which the ideal chemistry has
        certainly settled, from all starts.

    Raises
    ------
    InputError
        If there is no such sample.

    Examples
    --------
    >>> from crn_nn_tellurium import load_model, read_out_window
    >>> ax = plot_read_out_window(read_out_window(load_model("xor"), [[0, 1], [1, 1]]))
    >>> ax.get_xlabel()
    'time (h)'
    """
    check_kind("window", window, ReadOutWindow, "the result of read_out_window")
    n = len(window.settled)
    if sample is None:
        sample = int(np.nanargmax(window.settled)) if not np.isnan(window.settled).all() else 0
    if isinstance(sample, bool) or not isinstance(sample, (int, np.integer)) or not 0 <= sample < n:
        raise InputError(f"sample is {sample!r}; expected 0 to {n - 1}")
    ax = new_axes(ax)
    hours = window.time / 3600
    end = float(hours[-1])
    for i, name in enumerate(window.output_names):
        color = f"C{i % 10}"
        ax.plot(hours, window.outputs[sample, :, i], color=color, linewidth=1.8, label=name)
        ax.plot(hours, window.ideal[sample, :, i], color=color, linewidth=1, linestyle="--")
        ax.plot([end], [window.targets[sample, i]], "o", color=color, markersize=5, clip_on=False)
    ax.plot([], [], color="0.3", linewidth=1, linestyle="--", label="ideal chemistry")
    ax.plot([], [], "o", color="0.3", markersize=5, label="network")
    if not np.isnan(window.settled[sample]):
        first, last = window.settled[sample] / 3600, min(window.starved[sample] / 3600, end)
        what = "class right" if window.tolerance is None else f"within {window.tolerance:g}"
        ax.axvspan(first, last, color="#2f6fb3", alpha=0.12, linewidth=0, label=what)
    first, last = window.common
    if not np.isnan(first):
        span = (first / 3600, min(last / 3600, end))
        below = ax.get_xaxis_transform()
        ax.plot(
            span, [0.01, 0.01], color="#2f6fb3", linewidth=4, transform=below, label="all samples"
        )
    if window.bound[sample] / 3600 <= end:
        ax.axvline(
            window.bound[sample] / 3600,
            color="0.4",
            linestyle=":",
            linewidth=1.2,
            label="certified, ideal",
        )
    # what starves runs away: the picture is of what can be read
    seen = np.concatenate([window.ideal[sample], window.targets[sample][None]])
    room = _ROOM * max(
        float(np.ptp(seen)), float(np.abs(seen).max()), 3 * (window.tolerance or 0.0)
    )
    ax.set_xlim(0, end)
    ax.set_ylim(float(seen.min()) - room, float(seen.max()) + room)
    ax.set_xlabel("time (h)")
    ax.set_ylabel(f"output (1 is {window.dna.units.c0:.3g} nM)")
    ax.set_title(
        f"sample {sample}: {len(window.dna.fuels)} fuels of {window.dna.fuel:,.0f} nM", fontsize=10
    )
    if len(window.output_names) <= _MANY:
        ax.legend(frameon=False, fontsize=8)
    return ax


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
    ax = new_axes(ax)
    truth, predicted = np.asarray(y_true), np.asarray(y_predicted)
    if truth.ndim != 1 or truth.shape != predicted.shape:
        raise InputError(
            f"labels have shapes {truth.shape} and {predicted.shape}; expected (n_samples,) both"
        )
    classes = (
        np.unique(np.concatenate([truth, predicted])) if labels is None else np.asarray(labels)
    )
    counts = np.array([[np.sum((truth == a) & (predicted == b)) for b in classes] for a in classes])
    ax.imshow(counts, cmap="Blues", vmin=0)
    for (row, column), count in np.ndenumerate(counts):
        if count:
            dark = count > counts.max() / 2
            ax.text(
                column,
                row,
                str(count),
                ha="center",
                va="center",
                color="white" if dark else "black",
            )
    ax.set_xticks(range(len(classes)), [str(c) for c in classes])
    ax.set_yticks(range(len(classes)), [str(c) for c in classes])
    ax.set_xlabel("predicted class")
    ax.set_ylabel("true class")
    return ax


def plot_history(result: FitResult, ax: Axes | None = None) -> Axes:
    """Loss over the iterations of a training, held-out loss beside it, and where weights were
    pruned.

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
    check_kind("result", result, FitResult, "the result of fit")
    ax = new_axes(ax)
    history = result.history
    ax.semilogy(history.index, history["loss"], label="training, with penalty")
    if history["validation_loss"].notna().any():
        held_out = history["validation_loss"].astype(float)
        ax.semilogy(history.index, held_out, label="held out")
        ax.plot(held_out.idxmin(), held_out.min(), "o", color="C1", label="least held out")
    changes = history.index[1:][
        history["density"].to_numpy()[1:] != history["density"].to_numpy()[:-1]
    ]
    for number, change in enumerate(changes):
        ax.axvline(
            change,
            color="0.6",
            linestyle=":",
            linewidth=1,
            label="weights pruned" if not number else None,
        )
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
    ax = new_axes(ax)
    for name, values in accuracies.items():
        shares = 100 * np.asarray(values, dtype=float)
        if shares.ndim != 2 or len(shares) != len(noise):
            raise InputError(
                f"accuracies of {name!r} have shape {shares.shape}; expected ({len(noise)}, draws)"
            )
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
    check_kind("result", result, Sensitivities, "the result of sensitivities")
    if result.values.ndim != 2:
        raise InputError(
            f"sensitivities of shape {result.values.shape} are of several samples; expected one"
        )
    ax = new_axes(ax)
    order = np.argsort(-np.abs(result.values).max(axis=0), kind="stable")[:limit]
    largest = float(np.abs(result.values).max(initial=0.0)) or 1.0
    image = ax.imshow(
        result.values[:, order], cmap="RdBu_r", vmin=-largest, vmax=largest, aspect="auto"
    )
    ax.set_xticks(range(len(order)), [result.parameters[i] for i in order], rotation=90)
    ax.set_yticks(range(len(result.outputs)), list(result.outputs))
    ax.set_xlabel("parameter")
    ax.set_ylabel("output")
    ax.figure.colorbar(image, ax=ax, label="d output / d parameter")
    return ax


def plot_envelope(
    certificate: Certificate,
    trajectories: TimeCourse | Sequence[TimeCourse] = (),
    ax: Axes | None = None,
    *,
    names: str | Sequence[str] | None = None,
    deviation: bool = False,
    units: PhysicalUnits | None = None,
) -> Axes:
    """The envelope of all trajectories of a certificate's slowest sample, closing on the fixed
    point in time.

    Parameters
    ----------
    certificate : Certificate
        By the envelope, not the cheap bound.
    trajectories : TimeCourse, or sequence of TimeCourse
        Of that sample; thin lines inside the envelope. Give them a fine grid (`time_course(...,
        n_points=5001)`): they are drawn on a logarithmic time axis.
    ax : Axes, optional
        A new figure by default.
    names : str or sequence of str, optional
        Outputs to draw; by default all.
    deviation : bool
        Draw distances from the fixed point, linear within the tolerance and logarithmic beyond, so
        that all of the envelope is seen. By default values, in a range about the fixed points.
    units : PhysicalUnits, optional
        Draw hours and nM; by default what the model is written in.

    Returns
    -------
    Axes
        Dashed lines are the fixed points (two bounds each where rate constants or inputs are
        intervals), pale bands the tolerance about them; the vertical line is the certified settling
        time.

    Raises
    ------
    InputError
        If the certificate has no envelope, or a trajectory is of other outputs.
    KeyError
        If a name is not an output.

    Examples
    --------
    >>> from crn_nn_tellurium import Simulator, certify, load_model
    >>> net = load_model("xor")
    >>> course = Simulator(net).time_course([1, 0], t_end=100, n_points=2001)
    >>> ax = plot_envelope(certify(net, [1, 0], tolerance=0.01), [course])
    >>> ax.get_xlabel(), ax.get_xscale()
    ('time (model units)', 'log')
    """
    check_kind("certificate", certificate, Certificate, "the result of certify")
    envelope = certificate.envelope
    if envelope is None:
        raise InputError(
            f"the certificate is by {certificate.bound!r}; expected one by bound='envelope', to"
            " draw it"
        )
    trajectories = (trajectories,) if isinstance(trajectories, TimeCourse) else tuple(trajectories)
    for course in trajectories:
        check_kind("trajectories", course, TimeCourse, "the result of Simulator.time_course")
        if course.output_names != certificate.output_names:
            raise InputError(
                f"a trajectory has outputs {', '.join(course.output_names[:6])}; expected the"
                f" certificate's: {', '.join(certificate.output_names[:6])}"
            )
    drawn = (
        certificate.output_names
        if names is None
        else (names,)
        if isinstance(names, str)
        else tuple(names)
    )
    for name in drawn:
        if name not in certificate.output_names:
            raise KeyError(
                f"{name!r} is no output; there are {', '.join(certificate.output_names)}"
            )
    ax = new_axes(ax)
    if certificate.units != MODEL_UNITS:
        raise InputError(
            f"the certificate is in {certificate.units!r} already; expected model units, with units="
        )
    scale = _scale(units)
    hour, nanomolar = scale.time, scale.concentration
    slowest = int(certificate.by_sample.max(axis=1).argmax())
    settled, tolerance = certificate.settling_time * hour, certificate.tolerance * nanomolar
    starts = "all starts" if certificate.initial is None else "given starts"
    fixed = []
    for number, name in enumerate(drawn):
        i, color = certificate.output_names.index(name), f"C{number % 10}"
        points = np.array(
            [certificate.outputs.lower[slowest, i], certificate.outputs.upper[slowest, i]]
        )
        zero = float(points.mean()) if deviation else 0.0
        low, high, (least, most) = (
            (values - zero) * nanomolar
            for values in (envelope.lower[:, i], envelope.upper[:, i], points)
        )
        label = f"{name}, {starts}" if len(drawn) <= _MANY else None
        ax.fill_between(
            envelope.time * hour, low, high, color=color, alpha=0.2, linewidth=0, label=label
        )
        for bound in (low, high):
            ax.plot(envelope.time * hour, bound, color=color, linewidth=0.8, alpha=0.6)
        for course in trajectories:
            # a line from time 0 would come from far left on a logarithmic axis and look like a
            # constant value
            later = course.time > 0
            ax.plot(
                course.time[later] * hour,
                (course[name][later] - zero) * nanomolar,
                color=color,
                linewidth=0.7,
            )
        ax.axhspan(least - tolerance, most + tolerance, color=color, alpha=0.25, linewidth=0)
        for end in {float(least), float(most)}:
            ax.axhline(end, color=color, linestyle="--", linewidth=1)
        fixed += [float(least), float(most)]
    if trajectories:
        ax.plot([], [], color="0.3", linewidth=0.7, label="trajectories")
    within = f"fixed point ± {scale.tolerance(certificate.tolerance)}"
    ax.plot([], [], color="0.3", linestyle="--", linewidth=1, label=within)
    ax.axvline(settled, color="black", linewidth=1.2, label="certified bound")
    when = (
        f"{settled:.4g}" if units is None else units.moment(units.time(certificate.settling_time))
    )
    ax.annotate(
        f"settled by {when}", (settled, 0.02), (3, 0), xycoords=ax.get_xaxis_transform(), textcoords="offset points",
        rotation=90, ha="left", va="bottom", bbox={"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 1},
    )  # fmt: skip
    ax.set_xscale("log")
    ax.set_xlabel(f"time ({scale.time_unit})")
    span = _DECADES_OF_DEVIATION if deviation else _DECADES_OF_VALUE
    if settled > 0:
        ax.set_xlim(settled * 10**-span, settled * 10 ** (0.15 * span))
    if deviation:
        ax.set_yscale("symlog", linthresh=tolerance)
        ax.set_ylabel(f"value - fixed point ({scale.unit})")
    else:
        ax.set_ylabel(f"value ({scale.unit})")
        room = max(_ROOM * (max(0.0, *fixed) - min(0.0, *fixed)), 4 * tolerance)
        ax.set_ylim(min(0.0, *fixed) - room, max(0.0, *fixed) + room)
    ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    return ax


def plot_certified_margins(
    margins: npt.ArrayLike,
    labels: npt.ArrayLike,
    ax: Axes | None = None,
    order: Sequence[Any] | None = None,
) -> Axes:
    """How far rate constants may be off before a class is uncertain: a point per sample, a row per
    class.

    Parameters
    ----------
    margins : (n_samples,) array_like
        What `certified_margin` gave: relative errors.
    labels : (n_samples,) array_like
        The samples' classes, predicted or true.
    ax : Axes, optional
        A new figure by default.
    order : sequence, optional
        The classes from top to bottom; by default all that occur, sorted.

    Returns
    -------
    Axes
        Boxes hold the middle half of a class, bars are medians.

    Raises
    ------
    InputError
        If margins and labels are not two lists of one length, there are none, or a margin is not in
        [0, 1].

    Examples
    --------
    >>> from crn_nn_tellurium import certified_margin, load_model
    >>> net, x = load_model("xor"), [[0, 0], [0, 1], [1, 0], [1, 1]]
    >>> plot_certified_margins(certified_margin(net, x), net.predict(x)).get_ylabel()
    'class'
    """
    values, classes = np.asarray(margins, dtype=float), np.asarray(labels)
    if values.ndim != 1 or values.shape != classes.shape or not len(values):
        raise InputError(
            f"margins and labels have shapes {values.shape} and {classes.shape}; expected"
            " (n_samples,) both"
        )
    if not np.all((values >= 0) & (values <= 1)):
        wrong = float(values[~((values >= 0) & (values <= 1))][0])
        raise InputError(
            f"a margin is {wrong!r}; expected relative errors in [0, 1], as certified_margin gives"
            " them"
        )
    ax = new_axes(ax)
    rows = np.unique(classes) if order is None else np.asarray(order)
    ticks = []
    for row, label in enumerate(rows):
        here = np.sort(100 * values[classes == label])
        ticks.append(f"{label} (n = {len(here)})")
        if not len(here):
            continue
        # a golden-ratio sequence spreads neighbours apart, and draws the same picture every time
        heights = row + 0.5 * ((np.arange(len(here)) * 0.618034) % 1 - 0.5)
        low, middle, high = np.quantile(here, [0.25, 0.5, 0.75])
        ax.plot(
            here,
            heights,
            "o",
            color="C0",
            markersize=3,
            alpha=0.6,
            markeredgewidth=0,
            label="a sample",
        )
        ax.barh(row, high - low, left=low, height=0.7, color="C0", alpha=0.2, label="middle half")
        ax.plot([middle, middle], [row - 0.35, row + 0.35], color="C0", linewidth=2, label="median")
    once = dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    ax.legend(once.values(), once.keys(), frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    ax.set_yticks(range(len(rows)), ticks)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_xlim(left=0)
    ax.set_xlabel("error of every rate constant up to which the class is certain (%)")
    ax.set_ylabel("class")
    return ax


def plot_h_choice(
    choice: HChoice, ax: Axes | None = None, *, units: PhysicalUnits | None = None
) -> Axes:
    """Error against settling time for an h that all layers share, and what was chosen.

    Parameters
    ----------
    choice : HChoice
        What `choose_h` gave.
    ax : Axes, optional
        A new figure by default.
    units : PhysicalUnits, optional
        Draw hours and nM; by default what the model is written in.

    Returns
    -------
    Axes
        Numbers along the curve are its h. Where labels were given, the accuracy is on a second
        axis.

    Examples
    --------
    >>> from crn_nn_tellurium import load_model, model_data
    >>> from crn_nn_tellurium import choose_h
    >>> plot_h_choice(choose_h(load_model("xor"), model_data("xor")[0], max_error=0.1, n_points=9)).get_ylabel()
    'largest error (model units)'
    """
    check_kind("choice", choice, HChoice, "the result of choose_h")
    ax = new_axes(ax)
    curve = choice.curve
    scale = _scale(units)
    hour, nanomolar = scale.time, scale.concentration
    times, errors = curve.settling_time * hour, curve.error * nanomolar
    ax.loglog(times, errors, color="C0", label="one h for all layers")
    ax.margins(x=0.12)
    decades = np.log10(curve.h)
    for decade in range(int(np.ceil(decades[0] - 1e-9)), int(np.floor(decades[-1] + 1e-9)) + 1):
        i = int(np.abs(decades - decade).argmin())
        ax.plot(times[i], errors[i], "o", color="C0", markersize=4)
        # below the curve, which falls to the right; but the first label would leave the axes on the
        # left
        first = i == len(times) - 1
        ax.annotate(
            f"{'h = ' if first else ''}{curve.h[i]:.1g}", (times[i], errors[i]), (5, 4) if first else (-5, -4),
            textcoords="offset points", ha="left" if first else "right", va="bottom" if first else "top",
            fontsize="small",
        )  # fmt: skip
    if choice.common is not None and choice.common.h != choice.h:
        ax.plot(
            choice.common.settling_time * hour, choice.common.error * nanomolar, "s", color="C0", markersize=8,
            fillstyle="none", markeredgewidth=1.5, label=f"best such h: {_few(choice.common.h)}",
        )  # fmt: skip
    label = f"chosen h: {_few(choice.h)}"
    ax.plot(
        choice.settling_time * hour,
        choice.error * nanomolar,
        "*",
        color="C3",
        markersize=14,
        label=label,
    )
    ax.set_xlabel(
        f"settling time to within {scale.tolerance(choice.tolerance)} ({scale.time_unit})"
    )
    ax.set_ylabel(f"largest error ({scale.unit})")
    handles = ax.get_legend_handles_labels()[0]
    if curve.accuracy is not None:
        right = ax.twinx()
        handles += right.plot(
            times, 100 * curve.accuracy, color="C1", linestyle=":", label="accuracy, right"
        )
        right.set_ylabel("accuracy (%)", color="C1")
        lowest = min(100 * float(curve.accuracy.min()), 95.0)
        right.set_ylim(lowest - 0.06 * (100 - lowest), 100 + 0.06 * (100 - lowest))
    _legend_below(ax, handles)
    return ax


def plot_settling_time(
    choice: HChoice, ax: Axes | None = None, *, units: PhysicalUnits | None = None
) -> Axes:
    """Settling time against an h that all layers share, with the error on a second axis.

    Parameters
    ----------
    choice : HChoice
        What `choose_h` gave.
    ax : Axes, optional
        A new figure by default.
    units : PhysicalUnits, optional
        Draw hours and nM; by default what the model is written in.

    Returns
    -------
    Axes
        That of the settling time. The vertical line is the best common h.

    Examples
    --------
    >>> from crn_nn_tellurium import load_model, model_data
    >>> from crn_nn_tellurium import choose_h
    >>> plot_settling_time(choose_h(load_model("xor"), model_data("xor")[0], max_error=0.1, n_points=9)).get_ylabel()
    'settling time to within 0.1 (model units)'
    """
    check_kind("choice", choice, HChoice, "the result of choose_h")
    ax = new_axes(ax)
    curve = choice.curve
    scale = _scale(units)
    hour, nanomolar = scale.time, scale.concentration
    handles = ax.loglog(
        curve.h, curve.settling_time * hour, color="C0", label="settling time, left"
    )
    right = ax.twinx()
    handles += right.loglog(
        curve.h, curve.error * nanomolar, color="C1", linestyle="--", label="error, right"
    )
    if choice.common is not None and len(set(choice.common.h)) == 1:
        h = choice.common.h[0]
        handles.append(ax.axvline(h, color="0.4", linestyle=":", label=f"best common h: {h:.3g}"))
    ax.set_xlabel("h of all layers (model units)")
    ax.set_ylabel(
        f"settling time to within {scale.tolerance(choice.tolerance)} ({scale.time_unit})",
        color="C0",
    )
    right.set_ylabel(f"largest error ({scale.unit})", color="C1")
    _legend_below(ax, handles)
    return ax


@dataclass(frozen=True)
class _Scale:
    """What a time and a concentration of 1 are in the units drawn, and their names."""

    time: float
    concentration: float
    time_unit: str
    unit: str

    def tolerance(self, value: float) -> str:
        """An amount of the model in these units; the model's own have no name."""
        return f"{value * self.concentration:.3g}" + (
            "" if self.unit == _MODEL_UNITS else f" {self.unit}"
        )


def _scale(units: PhysicalUnits | None) -> _Scale:
    if units is None:
        return _Scale(1.0, 1.0, _MODEL_UNITS, _MODEL_UNITS)
    check_kind("units", units, PhysicalUnits, "by fastest_units(net), say")
    return _Scale(units.hours(1.0), units.concentration(1.0), "h", "nM")


def _legend_below(ax: Axes, handles: Sequence[Artist]) -> None:
    """A legend outside, for curves that leave no corner free."""
    ax.legend(
        handles=list(handles),
        frameon=False,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.13),
        ncols=2,
    )


def _few(h: Sequence[float]) -> str:
    """The h of all layers where they are one, or of each."""
    return ", ".join(f"{value:.2g}" for value in (h if len(set(h)) > 1 else h[:1]))
