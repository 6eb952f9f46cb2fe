"""A network as chemistry: species layer by layer, and what catalyses what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, FancyArrowPatch, Rectangle

from crn_nn_tellurium.basics import LESS, MORE, FloatArray, some
from crn_nn_tellurium.encoding import LayerEncoding, layer_encodings
from crn_nn_tellurium.importers import AnyModel, as_network
from crn_nn_tellurium.networks import INPUT, LocalReaction, Network, class_label, input_ids
from crn_nn_tellurium.plots.figures import DIVERGING, new_axes, plain, styled
from crn_nn_tellurium.plots.network_layout import (
    APART,
    Column,
    Edge,
    Point,
    columns_of,
    edges_of,
    layer_image,
    unit_images,
)

# Widths of edges, in points, of the smallest rate constants and of the largest
_THIN, _THICK = 0.3, 3.5
# Cells of an image that are drawn one by one
_CELLS = 5000
_INK, _LOCAL, _FAINT = "0.2", "0.5", "0.75"
# Points of names, rough width of their letters and height of their lines in inches
SMALL, LETTER, LINE = 8.0, 0.08, 0.15


@styled
def plot_network(
    net: AnyModel, ax: Axes | None = None, *, image: tuple[int, int] | None = None
) -> Axes:
    """The network as chemistry: its species layer by layer, and what catalyses what.

    Parameters
    ----------
    net : Network
        Or whatever one can be made of.
    ax : Axes, default: of a new figure, as large as the network asks for
    image : (rows, columns), optional
        Of inputs that are an image; by default 36, 49, 64, ... inputs are a square one.

    Returns
    -------
    Axes
        Nodes are species. An arrow: the catalyst makes more of the species, ``X + Y -> X + 2 Y``; a
        bar: it takes away, ``X + Y -> X``. A node's ring is its bias. A layer of more than 24
        species, or one that reads such a layer, is drawn by unit: each an image of its weights, in
        the shape of what it reads, and edges are sums of rate constants. A layer of more than 64
        units is one image, of its matrix of weights.

    Raises
    ------
    InputError
        If the image has not as many pixels as there are inputs.

    Examples
    --------
    >>> from crn_nn_tellurium import load_model
    >>> plot_network(load_model("xor")).get_title()
    'xor_2_2_1'
    """
    net = as_network(net, "plot_network")
    encodings = layer_encodings(net)
    columns = columns_of(net, encodings, image)
    ax, scale = _canvas(net, columns, ax)
    edges = [edge for encoding in encodings for edge in edges_of(encoding, columns)]
    most = max((edge.size for edge in edges), default=1.0)
    for edge in sorted(edges, key=lambda edge: edge.size):
        draw_edge(edge, most, scale, ax)
    _draw_inputs(net, columns[INPUT], scale, ax)
    for encoding in encodings:
        _draw_layer(net, encoding, columns, most, scale, ax)
    _name_outputs(net, columns[net.layers[-1].name], scale, ax)
    _explain(encodings, columns, most, scale, ax)
    ax.set_title(net.name)
    return ax


def _canvas(net: Network, columns: Mapping[str, Column], ax: Axes | None) -> tuple[Axes, float]:
    """Axes for the network, with room for its words."""
    first, last = columns[INPUT], list(columns.values())[-1]
    longest = max(map(len, _species_of_inputs(net))) if first.kind == "species" else 0
    left = first.x - first.size[0] / 2 - LETTER * longest - 0.2
    captions = max(len(line) for text in _captions(net) for line in text.split("\n"))
    right = last.x + last.size[0] / 2 + LETTER * captions + 0.4
    tall = max(column.size[1] for column in columns.values())
    return canvas((left, right), (-tall / 2 - 2 * LINE, tall / 2 + 4 * LINE), ax)


def canvas(x: Point, y: Point, ax: Axes | None) -> tuple[Axes, float]:
    """Axes from and to so many inches, and how large these are drawn, 1 where there is room."""
    (left, right), (low, high) = x, y
    if ax is None:
        # a title above, a legend below
        size = right - left, high - low + 1.2
        ax = plt.figure(figsize=size, layout="constrained").add_subplot()
    ax = new_axes(ax)
    there = ax.get_window_extent()
    dpi = ax.figure.dpi
    scale = min(there.width / dpi / (right - left), there.height / dpi / (high - low))
    ax.set(xlim=x, ylim=y, aspect="equal")
    ax.set_axis_off()
    return ax, min(1.0, scale)


def text_look(scale: float, **look: Any) -> dict[str, Any]:
    """How words look, of that size."""
    return {"fontsize": SMALL * scale, "color": _INK, "va": "center", **look}


def width_of(size: float, most: float) -> float:
    """The width of an edge in points: as the root of its rate constant, so that small ones show."""
    return _THIN + (_THICK - _THIN) * float(np.sqrt(size / most))


def draw_edge(edge: Edge, most: float, scale: float, ax: Axes) -> None:
    (x0, y0), (x1, y1) = edge.start.at, edge.end.at
    # edges over another column go around it, and those of both signs beside one another
    far = x1 - x0 > 1.5 * APART + edge.start.reach + edge.end.reach
    bend = 0.2 if far else 0.0
    if edge.start.members[1:] or edge.end.members[1:]:
        bend += 0.08 * edge.sign
    # they leave what is wide at its side, and end at the side of what is wide
    x0, x1 = x0 + edge.start.reach, x1 - edge.end.reach - 0.02
    ax.add_patch(arrow((x0, y0), (x1, y1), edge.sign, scale * width_of(edge.size, most), bend))


def arrow(begin: Point, end: Point, sign: int, width: float, bend: float = 0.0) -> FancyArrowPatch:
    """An arrow that makes more, or a bar that takes away."""
    head = 2.5 + 1.2 * width
    makes = f"-|>,head_length={head},head_width={head / 2}"
    takes = f"|-|,widthA=0,widthB={head / 2}"
    return FancyArrowPatch(
        begin,
        end,
        arrowstyle=makes if sign > 0 else takes,
        connectionstyle=f"arc3,rad={bend}",
        color=MORE if sign > 0 else LESS,
        linewidth=width,
        alpha=0.8,
        shrinkA=0,
        shrinkB=0,
        mutation_scale=1,
    )


# Columns -----------------------------------------------------------------------------------------


def _species_of_inputs(net: Network) -> list[str]:
    rails = net.input_coding.rails
    return [input_ids(name)(rail) for name in net.input_names for rail in rails]


def _draw_inputs(net: Network, column: Column, scale: float, ax: Axes) -> None:
    inputs = "input" if net.n_in == 1 else "inputs"
    _head(column, f"{net.n_in} {net.inputs} {inputs}", scale, ax)
    width, height = column.size
    if column.kind == "species":
        for name, (x, y) in zip(_species_of_inputs(net), column.places, strict=True):
            draw_held(name, (x, y), width / 2, scale, ax)
        return
    _draw_image(np.zeros(column.grid), (column.x, 0.0), column.size, 1.0, ax)
    rows, wide = column.grid
    ax.hlines(np.linspace(-height, height, rows + 1) / 2, -width / 2, width / 2, **_GRID)
    ax.vlines(np.linspace(-width, width, wide + 1) / 2, -height / 2, height / 2, **_GRID)
    names = f"{net.input_names[0]} to {net.input_names[-1]}"
    ax.text(column.x, -height / 2 - LINE, names, **text_look(scale, ha="center"))


def draw_held(name: str, at: Point, radius: float, scale: float, ax: Axes) -> None:
    """A species that the reactions shown do not change, with its name to the left."""
    ax.add_patch(Circle(at, radius, facecolor="0.9", edgecolor=_INK, linewidth=0.8))
    ax.text(at[0] - 1.4 * radius, at[1], name, **text_look(scale, ha="right"))


def draw_moved(name: str, at: Point, radius: float, bias: Point, scale: float, ax: Axes) -> None:
    """A species with its name, its bias as a ring: of this size, beside the largest there is."""
    size, most = bias
    look: Any = {"edgecolor": _FAINT, "linewidth": 0.8}
    if size:
        width = scale * width_of(min(abs(size), most), most)
        look = {"edgecolor": MORE if size > 0 else LESS, "linewidth": width}
    ax.add_patch(Circle(at, radius, facecolor="white", zorder=3, **look))
    # as large as fits
    points = min(SMALL, 2.2 * radius * 72 / max(len(name), 4))
    ax.text(*at, name, **text_look(scale, ha="center", zorder=4, fontsize=scale * points))


_GRID: Any = {"color": _FAINT, "linewidth": 0.4, "zorder": 4}


def _head(column: Column, text: str, scale: float, ax: Axes) -> None:
    """What a column is, above it."""
    y = column.size[1] / 2 + 0.08
    ax.text(column.x, y, text, **text_look(scale, ha="center", va="bottom"))


def _draw_layer(
    net: Network,
    encoding: LayerEncoding,
    columns: Mapping[str, Column],
    most: float,
    scale: float,
    ax: Axes,
) -> None:
    layer, column = encoding.layer, columns[encoding.layer.name]
    units = "1 unit" if layer.n_out == 1 else f"{layer.n_out} units"
    _head(column, f"{layer.name}: {units}\n{type(layer.activation).__name__}", scale, ax)
    if column.kind == "species":
        _draw_species(encoding, column, most, scale, ax)
        return
    largest = float(abs(layer.weights).max()) or 1.0
    if column.kind == "block":
        image = layer_image(net, layer, columns, column.grid)
        _draw_image(image, (column.x, 0.0), column.size, largest, ax)
    else:
        for at, image in zip(column.places, unit_images(net, layer, columns), strict=True):
            rows, wide = image.shape
            size = column.size[0], column.size[0] * rows / wide
            _draw_image(image, at, size, largest, ax)
    below = -column.size[1] / 2 - LINE
    ax.text(column.x, below, f"weights ± {largest:.2g}", **text_look(scale, ha="center"))


def _draw_image(
    values: FloatArray, at: Point, size: tuple[float, float], most: float, ax: Axes
) -> None:
    left, low = at[0] - size[0] / 2, at[1] - size[1] / 2
    shades = plt.get_cmap(DIVERGING).with_extremes(bad="white")
    rows, wide = values.shape
    edges = np.linspace(left, left + size[0], wide + 1), np.linspace(low + size[1], low, rows + 1)
    # cells, which stay sharp in vector files where they are not too many
    look: Any = {"zorder": 3, "rasterized": values.size > _CELLS}
    masked = np.ma.masked_invalid(values)
    ax.pcolormesh(*edges, masked, cmap=shades, vmin=-most, vmax=most, **look)
    frame = Rectangle((left, low), *size, fill=False, edgecolor=_INK, linewidth=0.6, zorder=4)
    ax.add_patch(frame)


def _draw_species(
    encoding: LayerEncoding, column: Column, most: float, scale: float, ax: Axes
) -> None:
    """Nodes with their biases as rings, and what a unit's species do to one another."""
    activation, radius = encoding.activation, column.size[0] / 2
    biases = dict(zip((port.at for port in column.targets), encoding.rail_bias.flat, strict=True))
    for name, at in zip(encoding.species, column.places, strict=True):
        draw_moved(name, at, radius, (biases.get(at, 0.0), most), scale, ax)
    n_local = len(activation.species)
    for unit in range(encoding.layer.n_out):
        own = column.places[unit * n_local : (unit + 1) * n_local]
        places = dict(zip(activation.species, own, strict=True))
        for start, end in _local_pairs(activation.local_reactions):
            # those of other units, with a star, are as these
            (x0, y0), (x1, y1) = places[start], places[end]
            draw_local((x0 + radius, y0), (x1 + radius, y1), scale, ax)


def draw_local(begin: Point, end: Point, scale: float, ax: Axes) -> None:
    """One species of a unit acts on another: around on the right, where no edges arrive."""
    line = arrow(begin, end, 1, 0.6 * scale, 0.8 if end[1] > begin[1] else -0.8)
    line.set(color=_LOCAL)
    ax.add_patch(line)


def _local_pairs(reactions: Sequence[LocalReaction]) -> list[tuple[str, str]]:
    """Which species of a unit act on which others."""
    pairs = {
        (start.removeprefix("*"), end)
        for reaction in reactions
        for start in reaction.reads
        for end in reaction.changes
    }
    return sorted(pair for pair in pairs if pair[0] != pair[1])


# Words -------------------------------------------------------------------------------------------


def _captions(net: Network) -> list[str]:
    """What stands beside each output: its name, and its class or classes."""
    if net.n_out == 1 and net.task == "classification":
        at = net.layers[-1].activation.threshold
        low, high = (plain(class_label(label)) for label in net.classes)
        return [f"{net.output_names[0]}\n> {at:g}: {high}\nelse {low}"]
    pairs = zip(net.output_names, map(plain, net.output_labels), strict=True)
    return [name if name == label else f"{name}: {label}" for name, label in pairs]


def _name_outputs(net: Network, column: Column, scale: float, ax: Axes) -> None:
    captions = _captions(net)
    # what goes on within units is drawn there
    aside = 0.35 if column.kind == "species" and net.layers[-1].activation.local_reactions else 0.08
    right = column.x + column.size[0] / 2 + aside
    if column.kind == "block":
        ax.text(right, 0.0, some(captions, 3).replace(", ", "\n"), **text_look(scale))
        return
    heights = np.array([y for _, y in column.places]).reshape(net.n_out, -1).mean(axis=1)
    for caption, y in zip(captions, heights.tolist(), strict=True):
        ax.text(right, y, caption, **text_look(scale))


def _short(size: float) -> str:
    """Two digits, without an exponent where they are few."""
    return f"{float(f'{size:.2g}'):g}"


def _explain(
    encodings: Sequence[LayerEncoding],
    columns: Mapping[str, Column],
    most: float,
    scale: float,
    ax: Axes,
) -> None:
    """What signs, rings and widths mean."""
    tip: Any = {"marker": ">", "markersize": 5, "markevery": [1]}
    bar: Any = {"marker": "|", "markersize": 8, "markevery": [1]}
    ring: Any = {"marker": "o", "markersize": 9, "markerfacecolor": "white", "linewidth": 0}
    handles = [
        Line2D([0, 1], [0, 0], color=MORE, label="makes more", **tip),
        Line2D([0, 1], [0, 0], color=LESS, label="takes away", **bar),
    ]
    drawn = [one for one in encodings if columns[one.layer.name].kind == "species"]
    if any(one.rail_bias.any() for one in drawn):
        handles.append(Line2D([], [], color=MORE, label="bias", **ring))
    if any(one.activation.local_reactions for one in drawn):
        handles.append(Line2D([0, 1], [0, 0], color=_LOCAL, label="within a unit", **tip))
    summed = any(column.kind != "species" for column in columns.values())
    what = "rate constants, summed:" if summed else "rate constant"
    for size in (most, most / 10):
        width = scale * width_of(size, most)
        label = f"{what} {_short(size)}"
        handles.append(Line2D([], [], color=_INK, linewidth=width, label=label))
    look: Any = {"loc": "upper center", "bbox_to_anchor": (0.5, 0.0), "ncols": 2}
    ax.legend(handles=handles, fontsize=SMALL, **look)
