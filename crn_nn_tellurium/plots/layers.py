"""A time course layer by layer: lines, or an animation of how a sample settles."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.animation import FFMpegWriter, FuncAnimation, PillowWriter
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from crn_nn_tellurium.basics import (
    FloatArray,
    check_kind,
    check_target,
    path_of,
    whole_number,
    write_bytes,
)
from crn_nn_tellurium.chemistry import CONCENTRATION, PhysicalUnits
from crn_nn_tellurium.errors import FileFormatError, InputError, MissingPackageError
from crn_nn_tellurium.networks import parts_of
from crn_nn_tellurium.plots.figures import (
    DIVERGING,
    MANY,
    SEQUENTIAL,
    axes_of,
    check_one_sample,
    color,
    drawn_units,
    labels_of,
    legend_below,
    styled,
)
from crn_nn_tellurium.plots.images import image_shape, near_square, on_grid
from crn_nn_tellurium.simulation import TimeCourse

# Of the lines of a unit's species, in their order
_DASHES = ("-", "--", ":", "-.")
# Frames a second, and dots an inch
_RATE, _DOTS = 12, 90
# How far colours and bars go beyond where species settle
_BEYOND = 1.25
_OTHER = "0.7"
# By layer, the columns of its species (n_units, n_species of a unit)
Layers = dict[int, npt.NDArray[np.intp]]


@styled
def plot_layers(tc: TimeCourse, axes: Any = None, *, units: PhysicalUnits | None = None) -> Any:
    """The species of each layer over time, layer by layer, and the outputs.

    Parameters
    ----------
    tc : TimeCourse
        Of one sample of a Network.
    axes : sequence of Axes, optional
        One for each layer, and one for the outputs; a new figure by default.
    units : PhysicalUnits, optional
        Draw hours and nM; by default the units of the time course.

    Returns
    -------
    ndarray of Axes
        A colour is a unit; where units have several species, a kind of line is a species. Up to 10
        lines are named.

    Raises
    ------
    InputError
        If `tc` is no time course of one sample of a Network.

    Examples
    --------
    >>> from crn_nn_tellurium import Simulator, load_model
    >>> course = Simulator(load_model("iris")).time_course([5.1, 3.5, 1.4, 0.2], t_end=20)
    >>> [ax.get_title() for ax in plot_layers(course)]
    ['layer 1', 'layer 2', 'outputs']
    """
    tc, layers = _checked(tc, "plot_layers", units)
    middle = tc if tc.draws is None else tc.mean
    titles = [*(f"layer {layer}" for layer in layers), "outputs"]
    axes = axes_of(titles, axes, _size(titles))
    time = tc.time / tc.units.clock[0]
    for ax, columns in zip(axes, layers.values(), strict=False):
        for unit, row in enumerate(columns):
            for number, column in enumerate(row):
                look: Any = {"color": color(unit), "linestyle": _DASHES[number % len(_DASHES)]}
                ax.plot(time, middle.concentrations[:, column], label=tc.species[column], **look)
        ax.set_ylabel(f"concentration ({tc.units.name(CONCENTRATION)})")
    labels = labels_of(tc)
    for number, name in enumerate(tc.output_names):
        axes[-1].plot(time, middle[name], color=color(number), label=labels[name])
    axes[-1].set_ylabel(tc.units.values)
    for title, ax in zip(titles, axes, strict=True):
        ax.set(xlabel=f"time ({tc.units.clock[1]})", title=title)
        ax.margins(x=0)
        if len(ax.lines) <= MANY:
            legend_below(ax)
    return axes


def _checked(tc: TimeCourse, taker: str, units: PhysicalUnits | None) -> tuple[TimeCourse, Layers]:
    """A time course in the units asked for, and its species by layer and unit."""
    check_kind("tc", tc, TimeCourse, "the result of Simulator.time_course")
    check_one_sample(tc)
    places = [parts_of(name) for name in tc.species]
    layers: dict[int, dict[int, list[int]]] = {}
    for column, place in enumerate(places):
        # Y1_0: of layer 1, unit 0
        if place is None or len(place[1]) != 2:
            raise InputError(
                f"{taker} draws the layers of a Network; {tc.species[column]!r} is of no layer:"
                " plot_time_course draws any species"
            )
        layer, unit = place[1]
        layers.setdefault(layer, {}).setdefault(unit, []).append(column)
    arrays = {layer: np.array([*rows.values()]) for layer, rows in layers.items()}
    return tc.in_units(drawn_units(units, tc.units)), arrays


def _size(titles: Sequence[str]) -> tuple[float, float]:
    return 3.2 * len(titles), 3.4


@styled
def animate_layers(
    tc: TimeCourse,
    path: str | os.PathLike[str] | None = None,
    *,
    frames: int = 48,
    image: tuple[int, int] | None = None,
    units: PhysicalUnits | None = None,
) -> FuncAnimation:
    """How a sample settles, as an animation: inputs and layers as images, outputs as bars.

    Parameters
    ----------
    tc : TimeCourse
        Of one sample of a Network.
    path : path-like, optional
        A .gif, .mp4 (ffmpeg writes it) or .html file; none by default.
    frames : int
        How many times are shown, each later than the one before by the same factor.
    image : (rows, columns), optional
        Of inputs that are an image; by default 36, 49, 64, ... inputs are a square one.
    units : PhysicalUnits, optional
        Show hours and nM; by default the units of the time course.

    Returns
    -------
    FuncAnimation
        To be shown in a notebook, ``IPython.display.HTML(animation.to_jshtml())``. Keep it: what
        nobody holds does not move.

    Raises
    ------
    InputError
        If `tc` is no time course of one sample of a Network, or the image has not as many inputs.
    FileFormatError
        If the path has another ending.
    MissingPackageError
        If ffmpeg is not there, for .mp4.

    Examples
    --------
    >>> import tempfile
    >>> from crn_nn_tellurium import Simulator, load_model, model_data
    >>> x = model_data("digits")[1][0]
    >>> course = Simulator(load_model("digits")).time_course(x, t_end=20, n_points=2001)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     animation = animate_layers(course, f"{folder}/digit.gif", frames=3)
    """
    write = None if path is None else _writer(path)
    tc, layers = _checked(tc, "animate_layers", units)
    if tc.draws is not None:
        tc = tc.mean
    titles = ["inputs", *(f"layer {layer}" for layer in layers), "outputs"]
    axes = axes_of(titles, None, _size(titles))
    figure = axes[0].figure
    shape = image_shape(len(tc.input_names), image) or near_square(len(tc.input_names))
    movers = [_mover(tc.inputs, shape, axes[0])]
    for ax, columns in zip(axes[1:-1], layers.values(), strict=True):
        n, several = columns.shape
        grid = (n, several) if several > 1 else near_square(n)
        movers.append(_mover(tc.concentrations[:, columns.ravel()], grid, ax))
    movers.append(_bars(tc, axes[-1]))
    for title, ax in zip(titles, axes, strict=True):
        ax.set_title(title)
    figure.suptitle(" ")
    # things stay where they are: to place them anew would take longer than to draw them; with any
    # engine, one that does nothing too, matplotlib draws each frame once more to place them
    figure.draw_without_rendering()
    figure.set_layout_engine(None)

    def show(point: int) -> list[Any]:
        for move in movers:
            move(point)
        seconds, name = tc.units.clock
        figure.suptitle(f"time {tc.time[point] / seconds:.3g} ({name})", fontsize="medium")
        return []

    last = len(tc.time) - 1
    # from the last one, which a single one is
    wanted = np.geomspace(max(last, 1), 1, whole_number("frames", frames, 2) - 1)
    points = np.unique([0, *np.minimum(np.round(wanted).astype(int), last)]).tolist()
    animation = FuncAnimation(figure, show, frames=points, interval=1000 / _RATE)
    if write is not None:
        write(animation)
    return animation


def _mover(values: FloatArray, grid: tuple[int, int], ax: Axes) -> Callable[[int], None]:
    """An image of values (n_points, n) at the first point; returns what moves it to another."""
    last = np.abs(values[-1]).max(initial=0.0) * _BEYOND or 1.0
    signed = bool(values.min() < 0)
    look: Any = {"cmap": DIVERGING if signed else SEQUENTIAL, "vmin": -last if signed else 0.0}
    drawn = ax.imshow(on_grid(values[0], grid), vmax=last, **look)
    ax.set(xticks=[], yticks=[])
    bar = ax.figure.colorbar(drawn, ax=ax, location="bottom", shrink=0.8)
    bar.locator = MaxNLocator(3)
    return lambda point: drawn.set_data(on_grid(values[point], grid))


def _bars(tc: TimeCourse, ax: Axes) -> Callable[[int], None]:
    """A bar for each output, the largest in another colour."""
    labels = [labels_of(tc)[name] for name in tc.output_names]
    bars = ax.barh(range(len(labels)), tc.outputs[0], color=_OTHER)
    ax.set_yticks(range(len(labels)), labels)
    ax.invert_yaxis()
    low, high = min(0.0, tc.outputs[-1].min()), max(0.0, tc.outputs[-1].max())
    room = (_BEYOND - 1) * (high - low or 1.0)
    ax.set(xlim=(low - room, high + room), xlabel=tc.units.values)
    ax.axvline(0, color="0.3", linewidth=0.8)

    def move(point: int) -> None:
        values = tc.outputs[point]
        for number, (bar, value) in enumerate(zip(bars, values.tolist(), strict=True)):
            bar.set_width(value)
            bar.set_color(color(0) if number == values.argmax() else _OTHER)

    return move


def _writer(path: str | os.PathLike[str]) -> Callable[[FuncAnimation], Path]:
    """What writes an animation to a path, whole or not at all, once it is known that it can."""
    path = path_of("path", path)
    kind = path.suffix.lower()
    if kind not in (".gif", ".mp4", ".html"):
        raise FileFormatError(
            f"{str(path)!r}: no animation has the ending {kind!r}; known: .gif, .mp4, .html"
        )
    check_target(path)
    if kind == ".html":
        return lambda animation: write_bytes(path, animation.to_jshtml(fps=_RATE).encode())
    if kind == ".mp4" and not FFMpegWriter.isAvailable():
        raise MissingPackageError(
            f"{str(path)!r}: ffmpeg is not installed, which writes .mp4; .gif and .html need no"
            " other program"
        )

    def write(animation: FuncAnimation) -> Path:
        writer = PillowWriter(_RATE) if kind == ".gif" else FFMpegWriter(_RATE)
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder) / f"animation{kind}"
            animation.save(made, writer, dpi=_DOTS)
            return write_bytes(path, made.read_bytes())

    return write
