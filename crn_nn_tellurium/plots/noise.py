"""What chance makes of outputs and classes where molecules are counted, against the volume."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from crn_nn_tellurium.basics import FloatArray, check_kind, real_numbers
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.fluctuations import Noise, SmallestVolume, probability_of
from crn_nn_tellurium.plots.figures import (
    ROOM,
    axes_of,
    band,
    color,
    legend_below,
    legend_beside,
    mark,
    new_axes,
    plain,
    styled,
)
from crn_nn_tellurium.simulation import TimeCourse

_DECADES, _POINTS = 2, 49
"""To either side of a noise's own volume, and volumes drawn in all."""
_FEW = 5
"""Outputs up to which those of several samples have bands, which would hide one another."""
_VOLUME = "volume (molecules at a concentration of 1)"
_DOUBT = "0.88"


@styled
def plot_noise(
    noise: Noise,
    runs: TimeCourse | Sequence[TimeCourse] = (),
    axes: Any = None,
    *,
    volumes: npt.ArrayLike | None = None,
) -> Any:
    """Outputs and, of a classifier, probabilities of classes against the volume.

    Parameters
    ----------
    noise : Noise
    runs : TimeCourse, or sequence of TimeCourse
        Stochastic runs of the same inputs, with `draws`: points at their volumes, by the last time,
        at which they are taken to be settled.
    axes : sequence of Axes, optional
        One for outputs and, of a classifier, one for classes; a new figure by default.
    volumes : (n,) array_like, optional
        Of curves; by default two decades to either side of the noise's own.

    Returns
    -------
    ndarray of Axes
        Bands are one standard deviation to either side, dotted lines outputs without noise. Of
        several samples, the first picture has standard deviations, lines being medians and bands
        from least to largest (up to 5 outputs), and the second a line per sample, for the class
        that it has without noise. Where the background is grey, a species is doubtful: see
        `Noise.doubts`.

    Raises
    ------
    InputError
        If an argument is of another kind, or runs are of other outputs or without draws.

    Examples
    --------
    >>> from crn_nn_tellurium import load_model, noise
    >>> axes = plot_noise(noise(load_model("xor"), [0, 1], volume=1000))
    >>> [ax.get_ylabel() for ax in axes]
    ['output (model units)', 'probability (%)']
    """
    check_kind("noise", noise, Noise, "the result of noise")
    courses = tuple(runs) if isinstance(runs, list | tuple) else (runs,)
    points = [_settled(course, noise) for course in courses]
    at = _volumes(noise, [volume for volume, _ in points]) if volumes is None else _given(volumes)
    several = noise.outputs.ndim > 1
    titles = ["outputs", "classes"] if noise.classes else ["outputs"]
    axes = axes_of(titles, axes, (5.6 * len(titles), 4.2))
    found = [noise.at(float(volume)) for volume in at]
    (_draw_spread if several else _draw_outputs)(noise, found, points, axes[0])
    if noise.classes:
        (_draw_samples if several else _draw_classes)(noise, found, points, axes[1])
        axes[1].set(ylabel="probability (%)", ylim=(-4, 104))
    few = np.array([np.atleast_2d(one.doubtful).any(axis=1) for one in found])
    for ax in axes:
        ax.set(xscale="log", xlim=(at[0], at[-1]), xlabel=_VOLUME)
        _shade(at, few, ax)
        legend_below(ax, columns=3)
    return axes


def _volumes(noise: Noise, more: Sequence[float]) -> FloatArray:
    """From little to much, with all that is to be seen."""
    every = [noise.volume * 10.0**decades for decades in (-_DECADES, _DECADES)]
    every += [volume * factor for volume in more for factor in (0.5, 2)]
    return np.geomspace(min(every), max(every), _POINTS)


def _given(volumes: npt.ArrayLike) -> FloatArray:
    at = real_numbers("volumes", volumes)
    if at.ndim != 1 or len(at) < 2 or not (np.all(np.diff(at) > 0) and at[0] > 0):
        raise InputError(f"volumes are {volumes!r}; expected two or more rising numbers > 0")
    return at


def _settled(course: Any, noise: Noise) -> tuple[float, FloatArray]:
    """A run's volume, and outputs (n_samples, draws, n_out) at its last time."""
    check_kind("runs", course, TimeCourse, "the result of Simulator.time_course")
    n = len(np.atleast_2d(noise.outputs))
    samples = len(course.inputs) if course.inputs.ndim > 2 else 1
    if course.volume is None or (course.draws or 0) < 2:
        raise InputError(
            f"runs: {course!r}; expected one of several draws,"
            " time_course(..., volume=1000, draws=50) say"
        )
    if course.output_names != noise.output_names or samples != n:
        raise InputError(
            f"runs: {course!r}, with outputs {', '.join(course.output_names[:6])}; expected the"
            f" noise's {n} samples and outputs: {', '.join(noise.output_names[:6])}"
        )
    return course.volume, course.outputs[..., -1, :].reshape(n, course.draws, -1)


def _labels(noise: Noise) -> list[str]:
    """What outputs are called: classes have names."""
    named = len(noise.classes) == len(noise.output_names)
    return [plain(name) for name in (noise.classes if named else noise.output_names)]


def _draw_outputs(noise: Noise, found: Any, points: Any, ax: Axes) -> None:
    """Outputs of one sample: the mean, a standard deviation to either side, and runs."""
    at = np.array([one.volume for one in found])
    mean = np.array([one.mean for one in found])
    deviation = np.array([one.standard_deviation for one in found])
    for number, label in enumerate(_labels(noise)):
        ink, middle, far = color(number), mean[:, number], deviation[:, number]
        ax.plot(at, middle, color=ink, label=label)
        band(ax, at, middle - far, middle + far, ink)
        ax.axhline(noise.outputs[number], color=ink, linestyle=":", linewidth=1)
        for volume, values in points:
            drawn = values[0, :, number]
            look: Any = {"fmt": "o", "markersize": 4, "capsize": 3, "color": ink}
            ax.errorbar(volume, drawn.mean(), drawn.std(ddof=1), **look)
    # bands of few molecules would leave the rest as flat lines
    least, most = min(0.0, noise.outputs.min()), max(0.0, noise.outputs.max())
    room = max(ROOM * (most - least), 2 * float(noise.standard_deviation.max()))
    # species are never below 0, outputs of a network may be
    species = noise.output_names == noise.species
    ylabel = f"{'concentration' if species else 'output'} (model units)"
    ax.set(ylabel=ylabel, ylim=(0 if species else least - room, most + room))


def _draw_spread(noise: Noise, found: Any, points: Any, ax: Axes) -> None:
    """Standard deviations of the outputs of several samples."""
    at = np.array([one.volume for one in found])
    deviation = np.array([one.standard_deviation for one in found])
    for number, label in enumerate(_labels(noise)):
        ink, values = color(number), deviation[:, :, number]
        ax.plot(at, np.median(values, axis=1), color=ink, label=label)
        if len(noise.output_names) <= _FEW:
            band(ax, at, values.min(axis=1), values.max(axis=1), ink)
        for volume, drawn in points:
            ax.plot(volume, np.median(drawn[..., number].std(axis=1, ddof=1)), "o", color=ink)
    ax.set(yscale="log", ylabel="standard deviation (model units)")


def _draw_classes(noise: Noise, found: Any, points: Any, ax: Axes) -> None:
    """How probable each class is for one sample."""
    at = [one.volume for one in found]
    probable = 100 * np.array([one.probabilities for one in found])
    for number, label in enumerate(noise.classes):
        ax.plot(at, probable[:, number], color=color(number), label=plain(label))
        for volume, values in points:
            share = 100 * np.mean(_numbers(noise, values) == number)
            ax.plot(volume, share, "o", markersize=4, color=color(number))


def _draw_samples(noise: Noise, found: Any, points: Any, ax: Axes) -> None:
    """How probable the class is that each of several samples has without noise."""
    at = [one.volume for one in found]
    own = _numbers(noise, noise.outputs)
    each = np.arange(len(own))
    if len(noise.output_names) > 1:
        # of the one class alone: ten times as fast for ten classes
        right = [probability_of(one.mean, one.covariance, own) for one in found]
    else:
        right = [one.probabilities[each, own] for one in found]
    probable = 100 * np.array(right)
    for number, label in enumerate(noise.classes):
        lines = ax.plot(at, probable[:, own == number], color=color(number), linewidth=0.7)
        if lines:
            lines[0].set_label(plain(label))
    for volume, values in points:
        shares = 100 * (_numbers(noise, values) == own[:, None]).mean(axis=1)
        for number, share in zip(own.tolist(), shares, strict=True):
            ax.plot(volume, share, "o", markersize=3, color=color(number))


def _numbers(noise: Noise, outputs: FloatArray) -> npt.NDArray[Any]:
    """The number of the class by outputs (..., n_out)."""
    if outputs.shape[-1] == 1:
        return (outputs[..., 0] > noise.threshold).astype(int)
    return outputs.argmax(axis=-1)


def _shade(at: FloatArray, few: npt.NDArray[np.bool_], ax: Axes) -> None:
    """Grey where species are doubtful, paler where they are in some samples alone."""
    every = np.array([one.all() for one in few])
    some = np.array([one.any() for one in few]) & ~every
    for here, alpha, told in ((every, 1.0, "doubtful"), (some, 0.4, "doubtful in some samples")):
        for i in np.flatnonzero(here & ~np.append(False, here[:-1])):
            end = i + int(np.argmin(np.append(here[i:], False)))
            right = at[min(end, len(at) - 1)]
            look: Any = {"color": _DOUBT, "alpha": alpha, "linewidth": 0, "zorder": 0}
            ax.axvspan(at[i], right, label=told, **look)
            told = "_"


@styled
def plot_smallest_volume(found: SmallestVolume, ax: Axes | None = None) -> Axes:
    """The share of samples whose class is right against the volume.

    Parameters
    ----------
    found : SmallestVolume
    ax : Axes, default: of a new figure

    Returns
    -------
    Axes
        A point per sample, at the volume that it needs; hollow where a species is doubtful at that
        volume. What was run molecule by molecule has a ring, or a cross where it came out
        otherwise. A dotted line says from which volume on all are right.

    Raises
    ------
    InputError
        If it is no such result.

    Examples
    --------
    >>> from crn_nn_tellurium import load_model, model_data, smallest_volume
    >>> found = smallest_volume(load_model("xor"), model_data("xor")[0])
    >>> plot_smallest_volume(found).get_ylabel()
    'samples right in 99 % of runs (%)'
    """
    check_kind("found", found, SmallestVolume, "the result of smallest_volume")
    ax = new_axes(ax)
    volumes, doubtful = np.atleast_1d(found.volumes), np.atleast_1d(found.doubtful_species)
    finite = np.isfinite(volumes)
    if not finite.any():
        raise InputError(f"{found!r}: no sample is right at any volume, so there is none to draw")
    # where each sample stands among all: ties in their order
    share = 100 * (1 + np.argsort(np.argsort(volumes, kind="stable"))) / len(volumes)
    ends = volumes[finite].min() / 10, volumes[finite].max() * 10
    steps = np.concatenate([ends[:1], np.sort(volumes[finite]), ends[1:]])
    ax.step(steps, 100 * found.share(steps), where="post", color="0.5", linewidth=1)
    labels = np.array(found.classes, dtype=object)
    look: Any = {"linestyle": "", "markersize": 5}
    # colours go by the network's classes, as in other pictures, though y may lack some
    for number, label in enumerate(found.noise.classes):
        if label not in found.classes:
            continue
        for few, style in ((False, "full"), (True, "none")):
            here = finite & (labels == label) & ((doubtful > 0) == few)
            at: Any = volumes[here], share[here], "o"
            ax.plot(*at, color=color(number), fillstyle=style, **look)
        ax.plot([], [], "o", color=color(number), label=plain(label))
    if (doubtful[finite] > 0).any():
        ax.plot([], [], "o", color="0.5", fillstyle="none", label="doubtful there")
    for good, style, told in ((True, "o", "runs agree"), (False, "x", "runs do not agree")):
        ran = [c.sample for c in found.counted if c.draws and (c.note == "as expected") == good]
        if ran:
            ring: Any = {"markersize": 11, "fillstyle": "none", "color": "black", "linestyle": ""}
            ax.plot(volumes[ran], share[ran], style, label=told, **ring)
    if finite.all():
        mark(ax, float(volumes.max()))
    ax.set(xscale="log", xlim=ends, ylim=(0, 104), xlabel=_VOLUME)
    ax.set_ylabel(f"samples right in {100 * found.confidence:g} % of runs (%)")
    legend_beside(ax)
    return ax
