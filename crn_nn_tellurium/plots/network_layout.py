"""Where a network's species, units and layers stand in its picture, and what acts on what.

Distances are inches, as long as the axes are as large as the picture asks for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy import sparse

from crn_nn_tellurium.basics import FloatArray, dense
from crn_nn_tellurium.encoding import LayerEncoding
from crn_nn_tellurium.networks import INPUT, Layer, Network
from crn_nn_tellurium.plots.images import image_shape, montage, near_square, on_grid

# More species than this in a layer, and its units are images of their weights; more units than
# these, and the images are a grid, or the whole layer is one
MANY_SPECIES, MANY_IN_A_ROW, MANY_UNITS = 24, 16, 64
# Between columns
APART = 1.7
# Between rows of nodes and of images; the tallest column; the widest
_NODES, _IMAGES, _TALL, _WIDE = 0.42, 0.5, 4.6, 1.8
# Inputs that are one image are smaller: there is nothing to see in it
_INPUTS = 0.6
# Pixels along each side of the image of a whole layer, at most
_PIXELS = 128
Point = tuple[float, float]


@dataclass(frozen=True)
class Port:
    """What edges begin and end at: a species, the image of a unit, or a whole layer."""

    at: Point
    reach: float  # how far from its middle edges end
    members: tuple[int, ...]  # which units, or which of what is read, it stands for
    sign: int = 1  # which way weights drive it


@dataclass(frozen=True)
class Column:
    """A layer, or the inputs, as drawn."""

    kind: Literal["species", "images", "block"]
    x: float
    size: tuple[float, float]  # width and height
    grid: tuple[int, int]  # of the image that its values are to who reads them
    sources: tuple[Port, ...]  # members are places among what is read of it
    targets: tuple[Port, ...] = ()  # members are units
    places: tuple[Point, ...] = ()  # of its species, or its units


@dataclass(frozen=True)
class Edge:
    """What makes more of something, or less, and by which rate constant, or the sum of many."""

    start: Port
    end: Port
    sign: int
    size: float


def columns_of(
    net: Network, encodings: Sequence[LayerEncoding], image: tuple[int, int] | None
) -> dict[str, Column]:
    """The columns of the picture, by the name of the layer or ``"input"``, from left to right."""
    columns = {INPUT: _input_column(net, image_shape(net.n_in, image))}
    for encoding in encodings:
        last = list(columns.values())[-1]
        left = last.x + last.size[0] / 2 + APART
        columns[encoding.layer.name] = _layer_column(net, encoding, columns, left)
    return columns


def _input_column(net: Network, image: tuple[int, int] | None) -> Column:
    n = net.n_in * len(net.input_coding.rails)
    if n <= MANY_SPECIES and image is None:
        radius, places = _nodes(0.0, n)
        sources = tuple(Port(at, radius, (i,)) for i, at in enumerate(places))
        size = 2 * radius, _height(places, radius)
        return Column("species", 0.0, size, (net.n_in, 1), sources, (), places)
    grid = image or near_square(net.n_in)
    width, height = (_INPUTS * side for side in _boxed(*grid))
    whole = Port((0.0, 0.0), width / 2, tuple(range(n)))
    return Column("block", 0.0, (width, height), grid, (whole,))


def _layer_column(
    net: Network, encoding: LayerEncoding, columns: Mapping[str, Column], left: float
) -> Column:
    layer, activation = encoding.layer, encoding.activation
    plain = all(columns[source].kind == "species" for source in layer.inputs)
    if plain and encoding.n_species <= MANY_SPECIES:
        return _column_of_species(encoding, left)
    n, n_read = layer.n_out, len(activation.read_out.read)
    if n <= MANY_IN_A_ROW:
        pitch = min(_IMAGES, _TALL / n)
        shape = unit_images(net, layer, columns).shape[1:]
        # an image of a unit is a square at most
        width, height = (0.9 * pitch * side / max(shape) for side in reversed(shape))
        x, half = left + width / 2, width / 2
        places = stacked(x, n, pitch)
        read = [tuple(range(j * n_read, (j + 1) * n_read)) for j in range(n)]
        sources = tuple(Port(at, half, own) for at, own in zip(places, read, strict=True))
        targets = tuple(Port(at, half, (j,)) for j, at in enumerate(places))
        size = width, _height(places, height / 2)
        return Column("images", x, size, (n, 1), sources, targets, places)
    # a column is rather tall than wide
    grid = near_square(n)[::-1]
    width, height = _boxed(*layer_image(net, layer, columns, grid).shape)
    x = left + width / 2
    source, target = (Port((x, 0.0), width / 2, tuple(range(count))) for count in (n * n_read, n))
    return Column("block", x, (width, height), grid, (source,), (target,))


def _column_of_species(encoding: LayerEncoding, left: float) -> Column:
    activation, n = encoding.activation, encoding.layer.n_out
    species = activation.species
    radius, _ = _nodes(0.0, encoding.n_species)
    x = left + radius
    _, places = _nodes(x, encoding.n_species)
    read = [species.index(name) for name, _ in activation.read_out.read]
    begins = [places[j * len(species) + i] for j in range(n) for i in read]
    sources = tuple(Port(at, radius, (i,)) for i, at in enumerate(begins))
    # weights drive rails alone, which come first among a unit's species
    targets = tuple(
        Port(places[j * len(species) + i], radius, (j,), rail.sign)
        for j in range(n)
        for i, rail in enumerate(activation.rails)
    )
    size = 2 * radius, _height(places, radius)
    return Column("species", x, size, (n, 1), sources, targets, places)


def stacked(x: float, n: int, pitch: float) -> tuple[Point, ...]:
    """Places one below the other, the middle at height 0."""
    return tuple((x, pitch * ((n - 1) / 2 - i)) for i in range(n))


def _nodes(x: float, n: int) -> tuple[float, tuple[Point, ...]]:
    """The radius of nodes, and their places."""
    pitch = min(_NODES, _TALL / n)
    return 0.42 * pitch, stacked(x, n, pitch)


def _height(places: Sequence[Point], reach: float) -> float:
    return places[0][1] - places[-1][1] + 2 * reach


def _boxed(rows: int, columns: int) -> tuple[float, float]:
    """Width and height of an image, its pixels square."""
    pixel = min(_TALL / rows, _WIDE / columns)
    return columns * pixel, rows * pixel


# What acts on what -------------------------------------------------------------------------------


def edges_of(encoding: LayerEncoding, columns: Mapping[str, Column]) -> Iterator[Edge]:
    """What a layer reads acts on its rails; of what is drawn as one, rate constants are added."""
    weights, ends = sparse.csc_array(encoding.weights), columns[encoding.layer.name].targets
    by_end = _sums([end.members for end in ends], encoding.layer.n_out)
    for source in encoding.sources:
        starts, part = columns[source.name].sources, weights[:, source.span]
        by_start = _sums([start.members for start in starts], part.shape[1]).T
        for sign in (1, -1):
            total = sparse.coo_array(by_end @ (sign * part).maximum(0) @ by_start)
            for row, column, size in zip(*total.coords, total.data.tolist(), strict=True):
                yield Edge(starts[column], ends[row], sign * ends[row].sign, size)


def _sums(members: Sequence[tuple[int, ...]], n: int) -> Any:
    """The matrix (n_ports, n) that adds up what each port stands for."""
    rows = [row for row, group in enumerate(members) for _ in group]
    columns = [one for group in members for one in group]
    return sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(members), n))


# Weights as images -------------------------------------------------------------------------------


def unit_images(net: Network, layer: Layer, columns: Mapping[str, Column]) -> FloatArray:
    """Each unit's weights (n_out, rows, columns) in the shape of what it reads, sources side by
    side.
    """
    matrix = dense(layer.weights)
    spans = [(columns[source].grid, span) for source, span in net.spans(layer)]
    tall = max(rows for (rows, _), _ in spans)
    parts: list[FloatArray] = []
    for (rows, wide), span in spans:
        shape = len(matrix), tall, wide
        part = np.full(shape, np.nan)
        part[:, :rows] = [on_grid(row, (rows, wide)) for row in matrix[:, span]]
        # a gap between two sources
        parts += [part] if not parts else [np.full((*shape[:2], 1), np.nan), part]
    return np.concatenate(parts, axis=2)


def layer_image(
    net: Network, layer: Layer, columns: Mapping[str, Column], grid: tuple[int, int]
) -> FloatArray:
    """A layer of many units as one image: those of its units, or its matrix, a pixel for many."""
    if layer.n_out <= MANY_UNITS:
        return montage(unit_images(net, layer, columns), grid)
    weights = sparse.coo_array(layer.weights)
    shape = tuple(min(size, _PIXELS) for size in weights.shape)
    image = np.zeros(shape)
    row, column = (
        at * pixels // size
        for at, pixels, size in zip(weights.coords, shape, weights.shape, strict=True)
    )
    # of the weights that share a pixel, the one of largest size
    order = np.argsort(np.abs(weights.data))
    image[row[order], column[order]] = weights.data[order]
    return image
