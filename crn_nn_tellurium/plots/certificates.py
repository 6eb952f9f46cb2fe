"""By when a network has settled, how sure that is, and which h makes it so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from crn_nn_tellurium.basics import (
    all_of_kind,
    check_kind,
    labels_given,
    labels_or_numbers,
    real_numbers,
    some,
    truth,
)
from crn_nn_tellurium.certificates import Certificate, EnvelopeCourse, HChoice
from crn_nn_tellurium.chemistry import CONCENTRATION, MODEL_UNITS, PhysicalUnits
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.plots.figures import (
    MANY,
    ROOM,
    band,
    check_one_sample,
    chosen,
    color,
    drawn_units,
    labels_of,
    legend_below,
    legend_beside,
    new_axes,
    plain,
    styled,
)
from crn_nn_tellurium.simulation import TimeCourse

# How long before the settling time the picture of an envelope begins: it comes from infinity at
# time 0
_DECADES_OF_VALUE, _DECADES_OF_DEVIATION = 2, 4
# Its multiples, less whole numbers, are as far from one another as can be, however many
_GOLDEN = 0.618034


@styled
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
    ax : Axes, default: of a new figure
    names : str or sequence of str, optional
        Outputs to draw; by default all.
    deviation : bool
        Draw distances from the fixed point, linear within the tolerance and logarithmic beyond, so
        that all of the envelope is seen. By default values, in a range about the fixed points.
    units : PhysicalUnits, optional
        Draw hours and nM; by default the units of the certificate. Trajectories are converted too.

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
    shown = drawn_units(units, certificate.units)
    certificate = certificate.in_units(shown)
    envelope, unit = _envelope(certificate), shown.clock[0]
    alone = isinstance(trajectories, TimeCourse)
    courses = all_of_kind("trajectories", (trajectories,) if alone else trajectories, TimeCourse)
    deviation = truth("deviation", deviation)
    courses = tuple(_checked(course, certificate) for course in courses)
    drawn = chosen(names, certificate.output_names)
    for name in drawn:
        if name not in certificate.output_names:
            raise KeyError(
                f"{name!r} is no output; there are {', '.join(certificate.output_names)}"
            )
    ax = new_axes(ax)
    slowest = int(certificate.by_sample.max(axis=1).argmax())
    starts = "all starts" if certificate.initial is None else "given starts"
    tolerance = certificate.tolerance
    labels, ends = labels_of(certificate), list[float]()
    for number, name in enumerate(drawn):
        i, ink = certificate.output_names.index(name), color(number)
        settled = certificate.outputs.lower[slowest, i], certificate.outputs.upper[slowest, i]
        zero = sum(settled) / 2 if deviation else 0.0
        low, high = envelope.lower[:, i] - zero, envelope.upper[:, i] - zero
        label = labels[name] if len(drawn) <= MANY else None
        band(ax, envelope.time / unit, low, high, ink, label)
        for edge in (low, high):
            ax.plot(envelope.time / unit, edge, color=ink, linewidth=0.8, alpha=0.6)
        for course in courses:
            # a line from time 0 would come from far left on a logarithmic axis and look like a
            # constant value
            later = course.time > 0
            values = course[name].T[later]  # of several draws, a column each
            ax.plot(course.time[later] / unit, values - zero, color=ink, linewidth=0.7)
        least, most = (float(end - zero) for end in settled)
        ax.axhspan(least - tolerance, most + tolerance, color=ink, alpha=0.25, linewidth=0)
        for end in {least, most}:
            ax.axhline(end, color=ink, linestyle="--", linewidth=1)
        ends += [least, most]
    if courses:
        ax.plot([], [], color="0.3", linewidth=0.7, label="trajectories")
    within = f"fixed point ± {shown.text(tolerance, CONCENTRATION, digits=3)}"
    ax.plot([], [], color="0.3", linestyle="--", linewidth=1, label=within)
    _mark_settled(certificate, ax)
    _scale_envelope(certificate, ends, deviation, ax)
    n = len(certificate.by_sample)
    which = f"sample {slowest} of {n}, the slowest: " if n > 1 else ""
    ax.set_title(f"{which}from {starts}")
    legend_below(ax, columns=3)
    return ax


def _envelope(certificate: Certificate) -> EnvelopeCourse:
    if certificate.envelope is None:
        raise InputError(
            f"the certificate is by {certificate.bound!r}; expected one by bound='envelope', to"
            " draw it"
        )
    return certificate.envelope


def _checked(course: Any, certificate: Certificate) -> TimeCourse:
    """A trajectory in the certificate's units, if it is of its outputs."""
    check_kind("trajectories", course, TimeCourse, "the result of Simulator.time_course")
    check_one_sample(course)
    if course.output_names != certificate.output_names:
        raise InputError(
            f"a trajectory has outputs {', '.join(course.output_names[:6])}; expected the"
            f" certificate's: {', '.join(certificate.output_names[:6])}"
        )
    found: TimeCourse = course.in_units(certificate.units)
    return found


def _mark_settled(certificate: Certificate, ax: Axes) -> None:
    """The certified settling time, as a line with its value along it."""
    settled = certificate.settling_time / certificate.units.clock[0]
    ax.axvline(settled, color="black", linewidth=1.2, label="certified bound")
    when = certificate.units.moment(certificate.settling_time).removeprefix("t = ")
    ax.annotate(
        f"settled by {when}",
        (settled, 0.02),
        (3, 0),
        xycoords=ax.get_xaxis_transform(),
        textcoords="offset points",
        rotation=90,
        ha="left",
        va="bottom",
        bbox={"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 1},
    )


def _scale_envelope(certificate: Certificate, ends: list[float], deviation: bool, ax: Axes) -> None:
    """Axes that show how the envelope closes: decades of time, and values about the fixed points.

    `ends` are the fixed points drawn.
    """
    unit, name = certificate.units.clock
    settled, tolerance = certificate.settling_time / unit, certificate.tolerance
    from_fixed_point = f"value - fixed point ({certificate.units.name(CONCENTRATION)})"
    ax.set_ylabel(from_fixed_point if deviation else certificate.units.values)
    ax.set_xlabel(f"time ({name})")
    ax.set_xscale("log")
    decades = _DECADES_OF_DEVIATION if deviation else _DECADES_OF_VALUE
    if settled > 0:
        ax.set_xlim(settled * 10**-decades, settled * 10 ** (0.15 * decades))
    if deviation:
        # two decades for either side of the tolerance, so that numbers about 0 stand apart
        ax.set_yscale("symlog", linthresh=tolerance, linscale=2)
    else:
        least, most = min(0.0, *ends), max(0.0, *ends)
        room = max(ROOM * (most - least), 4 * tolerance)
        ax.set_ylim(least - room, most + room)


@styled
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
    ax : Axes, default: of a new figure
    order : sequence, optional
        The classes from top to bottom; by default all that occur, sorted.

    Returns
    -------
    Axes
        Boxes hold the middle half of a class, bars are medians.

    Raises
    ------
    InputError
        If margins and labels are not two lists of one length, there are none, a margin is not in
        [0, 1], or `order` lacks a class that occurs.

    Examples
    --------
    >>> from crn_nn_tellurium import certified_margin, load_model
    >>> net, x = load_model("xor"), [[0, 0], [0, 1], [1, 0], [1, 1]]
    >>> plot_certified_margins(certified_margin(net, x), net.predict(x)).get_ylabel()
    'class'
    """
    values, classes = real_numbers("margins", margins), labels_or_numbers("labels", labels)
    if values.ndim != 1 or values.shape != classes.shape or not len(values):
        raise InputError(
            f"margins and labels have shapes {values.shape} and {classes.shape}; expected"
            " (n_samples,) both"
        )
    wrong = values[~((values >= 0) & (values <= 1))]
    if len(wrong):
        raise InputError(
            f"a margin is {float(wrong[0])!r}; expected relative errors in [0, 1], as"
            " certified_margin gives them"
        )
    rows = np.unique(classes) if order is None else labels_given("order", order)
    if left_out := sorted({*map(repr, classes.tolist())} - {*map(repr, rows.tolist())}):
        raise InputError(
            f"order lacks {some(left_out)}; expected all classes that occur among the labels"
        )
    ax = new_axes(ax)
    parts = [np.sort(100 * values[classes == label]) for label in rows]
    for row, here in enumerate(parts):
        if len(here):
            _draw_margins(row, here, ax)
    once = dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    legend_beside(ax, list(once.values()))
    names = [f"{plain(label)} (n = {len(here)})" for label, here in zip(rows, parts, strict=True)]
    ax.set_yticks(range(len(rows)), names)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_xlim(left=0)
    ax.set_xlabel("error of every rate constant\nup to which the class is certain (%)")
    ax.set_ylabel("class")
    return ax


def _draw_margins(row: int, here: npt.NDArray[Any], ax: Axes) -> None:
    """One class: its samples, the middle half of them, and the median."""
    # spread apart, so that neighbours do not hide one another, and the same every time
    heights = row + 0.5 * ((np.arange(len(here)) * _GOLDEN) % 1 - 0.5)
    low, middle, high = np.quantile(here, [0.25, 0.5, 0.75])
    dots: Any = {"markersize": 3, "markeredgewidth": 0, "alpha": 0.6, "color": color(0)}
    ax.plot(here, heights, "o", label="a sample", **dots)
    ax.barh(row, high - low, left=low, height=0.7, color=color(0), alpha=0.2, label="middle half")
    ax.plot([middle, middle], [row - 0.35, row + 0.35], color=color(0), linewidth=2, label="median")


@styled
def plot_h_choice(
    choice: HChoice, ax: Axes | None = None, *, units: PhysicalUnits | None = None
) -> Axes:
    """Error against settling time for an h that all layers share, and what was chosen.

    Parameters
    ----------
    choice : HChoice
        What `choose_h` gave.
    ax : Axes, default: of a new figure
    units : PhysicalUnits, optional
        Draw hours and nM; by default what the model is written in.

    Returns
    -------
    Axes
        Numbers along the curve are its h. Where labels were given, the accuracy is on a second
        axis. At a volume, the dashed line is how much of the error is noise, and crosses are where
        moments of some species are doubtful (see `Noise.doubts`).

    Examples
    --------
    >>> from crn_nn_tellurium import choose_h, load_model, model_data
    >>> choice = choose_h(load_model("xor"), model_data("xor")[0], max_error=0.1, n_points=9)
    >>> plot_h_choice(choice).get_ylabel()
    'largest error (model units)'
    """
    check_kind("choice", choice, HChoice, "the result of choose_h")
    shown = drawn_units(units, MODEL_UNITS)
    curve, (unit, name) = choice.curve, shown.clock
    ax = new_axes(ax)
    times, errors = shown.time(curve.settling_time) / unit, shown.concentration(curve.error)
    ax.plot(times, errors, color=color(0), label="one h for all layers")
    # a linear network's is 0 at every h
    ax.set(xscale="log", yscale="log" if np.all(errors > 0) else "linear")
    if curve.noise is not None and curve.doubtful_species is not None:
        noise = shown.concentration(curve.noise)
        label = f"its noise at {choice.volume:g} molecules"
        ax.plot(times, noise, color=color(3), linestyle="--", label=label)
        doubtful = np.where(curve.doubtful_species > 0, errors, np.nan)
        ax.plot(times, doubtful, "x", color="0.4", markersize=7, label="species are doubtful")
    ax.margins(x=0.12)
    _mark_decades(curve.h, times, errors, ax)
    if choice.common is not None and choice.common.h != choice.h:
        ax.plot(
            shown.time(choice.common.settling_time) / unit,
            shown.concentration(choice.common.error),
            "s",
            color=color(0),
            markersize=8,
            fillstyle="none",
            markeredgewidth=1.5,
            label=f"best such h: {_few(choice.common.h)}",
        )
    best = shown.time(choice.settling_time) / unit, shown.concentration(choice.error)
    ax.plot(*best, "*", color=color(2), markersize=14, label=f"chosen h: {_few(choice.h)}")
    within = shown.text(shown.concentration(choice.tolerance), CONCENTRATION, digits=3)
    ax.set_xlabel(f"settling time to within {within} ({name})")
    error = "largest error" if curve.noise is None else "largest root mean square error"
    ax.set_ylabel(f"{error} ({shown.name(CONCENTRATION)})")
    handles = ax.get_legend_handles_labels()[0]
    if curve.accuracy is not None:
        percent, right = 100 * curve.accuracy, ax.twinx()
        handles += right.plot(
            times, percent, color=color(1), linestyle=":", label="accuracy, right"
        )
        right.set_ylabel("accuracy (%)")
        # 5 % at least, lest small differences look large, and room for the line at 100 %
        lowest = min(float(percent.min()), 95.0)
        room = 0.06 * (100 - lowest)
        right.set_ylim(lowest - room, 100 + room)
    legend_below(ax, handles)
    return ax


_APART = 0.08
"""Labels are so far apart, as a share of the curve's extent."""


def _mark_decades(h: Any, times: Any, errors: Any, ax: Axes) -> None:
    """Dots on the curve at the h nearest to each power of ten, with their values."""
    decades = np.log10(h)
    # where molecules are few the curve turns back, and labels would stand on one another
    heights = np.log10(errors) if ax.get_yscale() == "log" else errors
    places = np.array([np.log10(times), heights]).T
    places /= np.maximum(np.ptp(places, axis=0), 1e-9)
    labelled = list[Any]()
    # a grid that ends at a power of ten may miss it by rounding
    for decade in range(int(np.ceil(decades[0] - 1e-9)), int(np.floor(decades[-1] + 1e-9)) + 1):
        i = int(np.abs(decades - decade).argmin())
        ax.plot(times[i], errors[i], "o", color=color(0), markersize=4)
        if any(np.abs(places[i] - place).max() < _APART for place in labelled):
            continue
        labelled.append(places[i])
        # below the curve, which falls to the right; but the first label would leave the axes on the
        # left
        first = i == len(times) - 1
        ax.annotate(
            f"{'h = ' if first else ''}{h[i]:.1g}",
            (times[i], errors[i]),
            (5, 4) if first else (-5, -4),
            textcoords="offset points",
            ha="left" if first else "right",
            va="bottom" if first else "top",
            fontsize="small",
        )


def _few(h: Sequence[float]) -> str:
    """The h of all layers where they are one, or of each."""
    return ", ".join(f"{value:.2g}" for value in (h if len(set(h)) > 1 else h[:1]))
