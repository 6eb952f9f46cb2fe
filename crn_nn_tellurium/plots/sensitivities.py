"""Which parameters matter to which outputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from crn_nn_tellurium.basics import (
    FloatArray,
    check_kind,
    truth,
    whole_number,
)
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.networks import parts_of
from crn_nn_tellurium.plots.figures import DIVERGING, axes_of, plain, styled
from crn_nn_tellurium.plots.images import image_shape, montage, near_square, on_grid
from crn_nn_tellurium.sensitivity import Sensitivities

# Columns and rows of a matrix are numbered up to here
_TICKS = 16
# Names that there is room for beside a column
_NAMES = 24
# How many numbers name a parameter of each kind
_NUMBERS = {"w": 3, "b": 2, "h": 1}


@styled
def plot_sensitivities(
    result: Sensitivities,
    output: str | None = None,
    axes: Any = None,
    *,
    relative: bool = True,
    image: tuple[int, int] | None = None,
    limit: int = 40,
) -> Any:
    """Sensitivities as heat maps in the shape of the weights, one for each layer, and of the rest.

    Parameters
    ----------
    result : Sensitivities
        Of one sample.
    output : str, optional
        The output whose sensitivities are drawn; by default, of a Network the largest one, of a
        ReactionNetwork all.
    axes : sequence of Axes, optional
        One for each heat map: inputs, layers, h; a new figure by default.
    relative : bool
        d ln|output| / d ln|parameter|, the change in percent for 1 %, so that parameters of
        different size compare; else d output / d parameter.
    image : (rows, columns), optional
        Of inputs that are an image: each unit of the first layer is then an image. By default 36,
        49, 64, ... inputs are a square one.
    limit : int
        Of a ReactionNetwork, how many parameters are shown, those that matter most first.

    Returns
    -------
    ndarray of Axes
        Blue is positive, red negative; relative ones are of the size of the output, whatever its
        sign. Grey was not asked for. Of a ReactionNetwork, one, with a row for each output drawn.

    Raises
    ------
    InputError
        If the sensitivities are of several samples, or the image has not as many inputs.
    KeyError
        If there is no such output.

    Examples
    --------
    >>> from crn_nn_tellurium import load_model, sensitivities
    >>> axes = plot_sensitivities(sensitivities(load_model("iris"), [5.1, 3.5, 1.4, 0.2]))
    >>> [ax.get_title() for ax in axes]
    ['inputs', 'layer 1', 'layer 2', 'h']
    """
    check_kind("result", result, Sensitivities, "the result of sensitivities")
    if result.values.ndim != 2:
        raise InputError(
            f"sensitivities of shape {result.values.shape} are of several samples; expected one"
        )
    relative = truth("relative", relative)
    values = result.relative if relative else result.values
    kind = "d ln|{}| / d ln|parameter|" if relative else "d {} / d parameter"
    panels = _panels(result.parameters, image)
    if not panels:
        rows = range(len(result.outputs)) if output is None else [_row(result, output)]
        (ax,) = axes_of(["parameters"], axes, (6.4, 4.8))
        names = [result.outputs[row] for row in rows]
        number = whole_number("limit", limit)
        _draw_ranking(names, result.parameters, values[rows], number, ax)
        ax.figure.colorbar(ax.images[0], ax=ax, label=kind.format("output"))
        return np.array([ax], dtype=object)
    row = _row(result, output)
    label = kind.format(plain((result.output_labels or result.outputs)[row]))
    axes = _axes(panels, label, axes)
    for panel, ax in zip(panels, axes, strict=True):
        _draw_panel(panel, panel.values(values[row]), ax)
    return axes


@dataclass(frozen=True)
class _Panel:
    """One heat map: which parameter each cell is of, -1 for none, and what stands at its axes."""

    title: str
    cells: npt.NDArray[np.intp]
    rows: str = ""
    columns: str = ""
    names: tuple[str, ...] = ()  # of the rows, in place of numbers
    biased: bool = False  # the last column, behind an empty one, is the biases'

    def values(self, by_parameter: FloatArray) -> FloatArray:
        return np.where(self.cells < 0, np.nan, by_parameter[self.cells])


def _panels(parameters: Sequence[str], image: tuple[int, int] | None) -> list[_Panel]:
    """Heat maps of a network's parameters; none if they are not a network's."""
    places = {name: parts_of(name) for name in parameters}
    found: dict[tuple[str, int], dict[tuple[int, ...], int]] = {}
    others = []
    for number, (name, place) in enumerate(places.items()):
        # w1_0_2, b1_0 and h1: their kinds and how many numbers they have
        if place and _NUMBERS.get(place[0]) == len(place[1]):
            found.setdefault((place[0], place[1][0]), {})[place[1][1:]] = number
        else:
            others.append((name, number))
    layers = sorted({layer for kind, layer in found if kind in "wb"})
    if not layers:
        return []
    panels = []
    if others:
        names, numbers = zip(*others, strict=True)
        shape = image_shape(len(names), image)
        cells = np.array(numbers).reshape(shape or (-1, 1))
        panels.append(_Panel("inputs", cells, names=() if shape else names))
    for layer in layers:
        weights, biases = (_array(found.get((kind, layer), {})) for kind in "wb")
        shape = image_shape(weights.shape[-1], image) if layer == 1 and weights.size else None
        panels += _of_layer(f"layer {layer}", weights, biases, shape)
    h = {layer: place[()] for (kind, layer), place in sorted(found.items()) if kind == "h"}
    if h:
        column = np.array(list(h.values()))[:, None]
        panels.append(_Panel("h", column, names=tuple(f"h{layer}" for layer in h)))
    return panels


def _array(places: dict[tuple[int, ...], int]) -> npt.NDArray[np.intp]:
    """Which parameter is at which place of an array; -1 where none is."""
    if not places:
        return np.empty((0, 0), dtype=np.intp)
    shape = np.array(list(places)).max(axis=0) + 1
    array = np.full(shape, -1)
    for place, number in places.items():
        array[place] = number
    return array


def _of_layer(title: str, weights: Any, biases: Any, shape: tuple[int, int] | None) -> list[_Panel]:
    """A layer's weights and biases as one matrix, or images of what each unit reads, and biases."""
    n = max(len(weights), len(biases))
    column = np.full((n, 1), -1)
    column[: len(biases), 0] = biases.ravel()
    if shape is None:
        matrix = np.full((n, weights.shape[-1] if weights.size else 0), -1)
        matrix[: len(weights)] = weights
        gap = np.full((n, 1 if matrix.size else 0), -1)
        cells = np.hstack([matrix, gap, column])
        return [_Panel(title, cells, "unit", "value read, bias", biased=True)]
    grid = near_square(n)
    images = montage(weights.reshape(len(weights), *shape), grid)
    cells = np.nan_to_num(images, nan=-1).astype(np.intp)
    spread = np.nan_to_num(on_grid(column, grid), nan=-1).astype(np.intp)
    units = f"units 0 to {n - 1}, row by row"
    return [_Panel(title, cells, units), _Panel(f"{title}, biases", spread, units)]


def _row(result: Sensitivities, output: str | None) -> int:
    """Which output is drawn."""
    if output is None:
        return int(np.argmax(result.output_values))
    if not isinstance(output, str) or output not in result.outputs:
        raise KeyError(f"{output!r} is no output; there are {', '.join(result.outputs)}")
    return result.outputs.index(output)


def _axes(panels: Sequence[_Panel], label: str, given: Any) -> Any:
    """The axes given, or those of a new figure, which has a title."""
    widths = [max(panel.cells.shape[1] / len(panel.cells), 0.15) for panel in panels]
    widths = [min(width, 1.5) for width in widths]
    size = (2.0 + 3.2 * sum(widths), 3.4)
    axes = axes_of([panel.title for panel in panels], given, size, widths)
    if given is None:
        axes[0].figure.suptitle(label, fontsize="medium")
    return axes


def _draw_panel(panel: _Panel, values: FloatArray, ax: Axes) -> None:
    # a scale for each: h and inputs act by many weights, beside which one weight would be white
    bar = ax.figure.colorbar(_draw_signed(values, ax), ax=ax, location="bottom", shrink=0.8)
    bar.locator = MaxNLocator(2, symmetric=True)
    bar.ax.tick_params(labelsize=8)
    n_rows, n_columns = panel.cells.shape
    ax.set_title(panel.title)
    ax.set(xlabel=panel.columns, ylabel=panel.rows, xticks=[], yticks=[])
    if panel.names:
        named = range(0, n_rows, -(-n_rows // _NAMES))
        ax.set_yticks(named, [panel.names[row] for row in named])
    elif panel.biased:
        ax.set_yticks(range(0, n_rows, 1 + n_rows // _TICKS))
        columns = range(0, n_columns - 2, 1 + n_columns // _TICKS)
        ax.set_xticks([*columns, n_columns - 1], [*map(str, columns), "b"])
    ax.spines[:].set_visible(False)


def _draw_signed(values: FloatArray, ax: Axes, aspect: Literal["equal", "auto"] = "equal") -> Any:
    """Values as colours, the same on both sides of 0, so that white is no effect."""
    most = float(np.nanmax(np.abs(values), initial=0.0)) or 1.0
    shades = plt.get_cmap(DIVERGING).with_extremes(bad="0.85")
    return ax.imshow(values, cmap=shades, vmin=-most, vmax=most, aspect=aspect)


def _draw_ranking(
    outputs: Sequence[str], parameters: Sequence[str], values: FloatArray, limit: int, ax: Axes
) -> None:
    """A row for each output, the parameters that matter most first."""
    sizes = np.nan_to_num(np.abs(values))
    order = np.argsort(-sizes.max(axis=0, initial=0.0), kind="stable")[:limit]
    _draw_signed(values[:, order], ax, aspect="auto")
    ax.set_xticks(range(len(order)), [parameters[i] for i in order], rotation=90)
    ax.set_yticks(range(len(outputs)), outputs)
    ax.set(xlabel="parameter", ylabel="output")
