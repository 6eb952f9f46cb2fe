"""Scans along their dimensions: lines, bands, maps, surfaces."""

from __future__ import annotations

import warnings
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap, to_rgba
from mpl_toolkits.mplot3d import Axes3D

from crn_nn_tellurium.basics import (
    check_kind,
    check_share,
)
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.plots.figures import (
    MANY,
    SEQUENTIAL,
    band,
    color,
    legend_beside,
    new_axes,
    plain,
    styled,
)
from crn_nn_tellurium.scans import CLASS

# The ratio of the largest to the least point from which on an axis may be logarithmic
_LOG = 20.0
# Part of the range that neighbours of a smooth map differ by at most
_SMOOTH = 0.3
# Lines of this many points at most show them
_DOTS = 40


def variable(
    data: Any, n_dims: tuple[int, ...], classes: bool = False, ordered: bool = True
) -> xr.DataArray:
    """A variable with some number of dimensions that are longer than 1, sorted along them."""
    if isinstance(data, xr.Dataset):
        names = ", ".join(map(str, data.data_vars))
        raise InputError(f"data is a Dataset; expected one of its variables: {names}")
    if not isinstance(data, xr.DataArray):
        raise InputError(f"data is a {type(data).__name__}; expected a variable of a scan's result")
    long = data.squeeze()
    if long.dtype == object and not (classes and is_class(long)):
        raise InputError(
            f"{data.name!r} holds texts; expected numbers, or classes for plot_scan_map"
        )
    loose = [str(dim) for dim in long.dims if dim not in long.coords]
    if ordered and loose:
        raise InputError(
            f"the points along {loose[0]!r} have no order: plot_scan_points(data, x, y) draws them"
        )
    if long.ndim not in n_dims:
        sizes = ", ".join(f"{dim} {size}" for dim, size in long.sizes.items()) or "none"
        wanted = " or ".join(map(str, n_dims))
        raise InputError(
            f"{data.name!r} has dimensions {sizes}; expected {wanted} longer than 1: choose with"
            " .sel(...) or .isel(...)"
        )
    # lines and cells follow one another in the order of their coordinates
    numbers = [dim for dim in long.dims if dim in long.coords and long[dim].dtype.kind in "if"]
    return long.sortby(numbers)


def plane(data: Any, x: str | None, classes: bool = False) -> tuple[xr.DataArray, str, str]:
    """A variable over two dimensions, the vertical one first, and their names: x, y."""
    grid = variable(data, (2,), classes)
    x = str(grid.dims[0]) if x is None else dimension(grid, x)
    grid = grid.transpose(..., x)
    return grid, x, str(grid.dims[0])


def dimension(data: xr.DataArray, dim: str) -> str:
    """The name of a dimension, if the variable has it."""
    if not isinstance(dim, str) or dim not in data.dims:
        names = ", ".join(map(str, data.dims))
        raise InputError(f"{data.name!r} has no dimension {dim!r}; it has {names}")
    return dim


def line_names(grid: xr.DataArray, rest: list[str], what: str) -> list[str]:
    """What each line is of, along the dimension that is left; one without a name if none is."""
    if not rest:
        return [""]
    points = grid[rest[0]].values
    if len(points) > MANY:
        raise InputError(
            f"{len(points)} {what} along {rest[0]!r}; expected {MANY} at most: select some, or"
            " plot_scan_map"
        )
    return [f"{rest[0]} = {short(point)}" for point in points]


def is_log(points: Any) -> bool:
    """Whether points are spread evenly in their logarithms, on a grid or scattered."""
    if points.dtype.kind not in "if" or len(points) < 3:
        return False
    low, high = points.min(), points.max()
    if low <= 0 or high < _LOG * low:
        return False
    # the median is near the middle of the scale on which points are even: which of the two middles
    # is the nearer one, as a ratio?
    return bool(np.median(points) ** 2 < np.sqrt(low * high) * (low + high) / 2)


def set_axis(ax: Axes, axis: str, grid: xr.DataArray, dim: str) -> None:
    """Label the axis of a dimension, and make it logarithmic for points that are even on it."""
    ax.set(**{f"{axis}label": label(grid, dim)})
    if is_log(grid[dim].values):
        ax.set(**{f"{axis}scale": "log"})


def label(data: xr.DataArray, dim: str) -> str:
    """What stands at an axis, with units."""
    attrs = data[dim].attrs
    return _with_units(attrs.get("long_name", dim), attrs)


def value_label(data: xr.DataArray) -> str:
    """What a variable is, with units."""
    name = data.attrs.get("long_name", str(data.name))
    # one of several outputs or species, which a selection leaves as a label
    labels = [dim for dim in ("output", "species") if dim in data.coords and not data[dim].dims]
    return _with_units(" ".join([name, *(str(data[dim].values) for dim in labels)]), data.attrs)


def _with_units(name: str, attrs: dict[Any, Any]) -> str:
    units = attrs.get("units", "")
    # of a file, they are anybody's words
    return plain(name if units in ("", "1") else f"{name} ({units})")


def short(value: Any) -> str:
    """A coordinate or a class in few characters."""
    return f"{value:.3g}" if isinstance(value, (float, np.floating)) else plain(value)


def is_class(grid: xr.DataArray) -> bool:
    """Whether a variable holds classes."""
    return bool(grid.attrs.get("long_name") == CLASS)


def classes_in(*where: Any) -> list[Any]:
    """The classes that are there, in a map or among samples, in order; failures are none."""
    found = {label for part in where for label in np.ravel(part).tolist()}
    # a failure is an empty text or NaN, which alone differs from itself
    there = [label for label in found if label != "" and label == label]
    return sorted(there, key=lambda label: (isinstance(label, str), label))


@styled
def plot_scan(data: xr.DataArray, x: str | None = None, ax: Axes | None = None) -> Axes:
    """A scan's variable along one dimension, a line for each value of another.

    Parameters
    ----------
    data : DataArray
        A variable with one or two dimensions longer than 1: ``ds.outputs.sel(output="y0")``.
    x : str, optional
        The dimension along the axis; by default the longer one.
    ax : Axes, default: of a new figure

    Raises
    ------
    InputError
        If `data` is not such a variable, or has more than 10 lines.

    Examples
    --------
    >>> from crn_nn_tellurium import load_model, scan
    >>> ds = scan(load_model("xor"), {"h": [1e-3, 1e-1], "x0": [0, 0.5, 1]}, x=[0, 1])
    >>> plot_scan(ds.outputs, x="x0").get_xlabel()
    'input x0 (model units)'
    """
    grid = variable(data, (1, 2))
    x = _longest(grid, grid.dims) if x is None else dimension(grid, x)
    grid = grid.transpose(x, ...)
    rest = [str(dim) for dim in grid.dims if dim != x]
    names = line_names(grid, rest, "lines")
    ax = new_axes(ax)
    values = np.asarray(grid.values, dtype=float).reshape(len(grid), -1)
    marker = "." if len(grid) <= _DOTS else ""
    for number, (line, name) in enumerate(zip(values.T, names, strict=True)):
        look: Any = {"color": color(number), "marker": marker}
        ax.plot(grid[x].values, line, label=name or None, **look)
    set_axis(ax, "x", grid, x)
    ax.set_ylabel(value_label(grid))
    if rest:
        legend_beside(ax)
    return ax


@styled
def plot_scan_bands(
    data: xr.DataArray,
    over: str = "draw",
    x: str | None = None,
    level: float = 0.8,
    ax: Axes | None = None,
) -> Axes:
    """The spread of a scan's variable over one dimension, such as draws of errors, along another.

    Parameters
    ----------
    data : DataArray
        A variable with two dimensions longer than 1, or three of which one makes a band each.
    over : str
        The dimension whose spread is shown.
    x : str, optional
        The dimension along the axis; by default the longest of the others.
    level : float
        Share of the points within a band, in (0, 1).
    ax : Axes, default: of a new figure

    Returns
    -------
    Axes
        Lines are medians.

    Raises
    ------
    InputError

    Examples
    --------
    >>> from crn_nn_tellurium import load_model, lognormal, scan
    >>> ds = scan(load_model("xor"), [{"x0": [0, 0.5, 1]}, *lognormal(0.05, draws=8)], x=[0, 1])
    >>> plot_scan_bands(ds.outputs).get_ylabel()
    'output y0 (model units)'
    """
    check_share("level", level)
    grid = variable(data, (2, 3))
    others = [dim for dim in grid.dims if dim != dimension(grid, over)]
    x = _longest(grid, others) if x is None else dimension(grid, x)
    rest = [str(dim) for dim in others if dim != x]
    grid = grid.transpose(x, *rest, over)
    names = line_names(grid, rest, "bands")
    ax = new_axes(ax)
    points = grid[x].values
    values = np.asarray(grid.values, dtype=float).reshape(len(grid), len(names), -1)
    with warnings.catch_warnings():
        # where all of a band failed there is a gap
        warnings.simplefilter("ignore", RuntimeWarning)
        low, middle, high = np.nanquantile(values, [(1 - level) / 2, 0.5, (1 + level) / 2], axis=-1)
    for i, name in enumerate(names):
        median = f"{name}: median" if name else "median"
        ax.plot(points, middle[:, i], color=color(i), label=median)
        share = f"{100 * level:g} % of {grid.sizes[over]} {over}s" if i == len(names) - 1 else None
        band(ax, points, low[:, i], high[:, i], color(i), share)
    set_axis(ax, "x", grid, x)
    ax.set_ylabel(value_label(grid))
    legend_beside(ax)
    return ax


def _longest(grid: xr.DataArray, dims: Any) -> str:
    return str(max(dims, key=lambda dim: grid.sizes[dim]))


@styled
def plot_scan_map(data: xr.DataArray, x: str | None = None, ax: Axes | None = None) -> Axes:
    """A scan's variable over two dimensions as colours, with contours; classes as areas.

    Parameters
    ----------
    data : DataArray
        A variable with two dimensions longer than 1.
    x : str, optional
        The dimension along the horizontal axis; by default the first.
    ax : Axes, default: of a new figure

    Raises
    ------
    InputError

    Examples
    --------
    >>> from crn_nn_tellurium import load_model, scan
    >>> grid = np.linspace(0, 1, 11)
    >>> ds = scan(load_model("xor"), {"x0": grid, "x1": grid}, outputs=["outputs", "class"])
    >>> plot_scan_map(ds.outputs).get_ylabel()
    'input x1 (model units)'
    """
    return draw_map(data, x, ax)


def draw_map(data: Any, x: str | None, ax: Axes | None, others: Any = ()) -> Axes:
    """The same, with the colours that classes have beside others, which the map may not have."""
    grid, x, y = plane(data, x, classes=True)
    ax = new_axes(ax)
    # before contours, whose labels are placed on the scales of the axes
    set_axis(ax, "x", grid, x)
    set_axis(ax, "y", grid, y)
    if is_class(grid):
        _draw_classes(grid, x, y, ax, classes_in(grid, others))
    else:
        _draw_values(grid, x, y, ax)
    # samples at the edge, drawn later, do not widen the map
    ax.set(xlim=ax.get_xlim(), ylim=ax.get_ylim())
    return ax


def _draw_cells(
    grid: xr.DataArray, x: str, y: str, ax: Axes, cmap: Any, norm: BoundaryNorm | None = None
) -> Any:
    """Coloured cells about the points, which meet half way on the scales of the axes."""
    scales: Any = {"xscale": ax.get_xscale(), "yscale": ax.get_yscale()}
    # without center=False, values on both sides of 0 would be coloured as distances from it
    bare: Any = {"add_labels": False, "add_colorbar": False, "rasterized": True, "center": False}
    return grid.plot.pcolormesh(x=x, y=y, ax=ax, cmap=cmap, norm=norm, **scales, **bare)


def _draw_values(grid: xr.DataArray, x: str, y: str, ax: Axes) -> None:
    """Values as colours, with contours where they say more."""
    grid = grid.astype(float)
    image = _draw_cells(grid, x, y, ax, SEQUENTIAL)
    if _is_smooth(grid.values):
        along = grid[x].values, grid[y].values
        lines = ax.contour(*along, grid.values, colors="white", linewidths=0.6, alpha=0.7)
        ax.clabel(lines, fontsize=7)
    ax.figure.colorbar(image, ax=ax, label=value_label(grid))


def _is_smooth(values: Any) -> bool:
    """Whether contours say more than the colours: neighbours differ by a fraction of the range."""
    span = np.ptp(values)
    if min(values.shape) < 3 or not np.all(np.isfinite(values)) or span == 0:
        return False
    jumps = [np.abs(np.diff(values, axis=axis)).max() for axis in (0, 1)]
    return bool(max(jumps) < _SMOOTH * span)


def _draw_classes(grid: xr.DataArray, x: str, y: str, ax: Axes, classes: list[Any]) -> None:
    """Classes as pale areas, with a colour bar of their names."""
    if not classes:
        raise InputError(
            f"{grid.name!r} has no class at any point, since all failed: the scan's variable"
            " 'status' says why"
        )
    number = {label: i for i, label in enumerate(classes)}
    codes = np.array([[number.get(value, np.nan) for value in row] for row in grid.values])
    tints = [to_rgba(color(i), 0.35) for i in range(len(classes))]
    norm = BoundaryNorm(np.arange(len(classes) + 1) - 0.5, len(classes))
    image = _draw_cells(grid.copy(data=codes), x, y, ax, ListedColormap(tints), norm)
    bar = ax.figure.colorbar(image, ax=ax, ticks=range(len(classes)), label="class")
    bar.ax.set_yticklabels([short(label) for label in classes])


@styled
def plot_scan_surface(data: xr.DataArray, x: str | None = None, ax: Any = None) -> Any:
    """A scan's variable over two dimensions as a surface in space.

    Parameters
    ----------
    data : DataArray
        A variable with two dimensions longer than 1.
    x : str, optional
        The dimension along the first axis; by default the first.
    ax : Axes3D, optional
        A new figure by default.

    Raises
    ------
    InputError

    Examples
    --------
    >>> from crn_nn_tellurium import load_model, scan
    >>> grid = np.linspace(0, 1, 11)
    >>> plot_scan_surface(scan(load_model("xor"), {"x0": grid, "x1": grid}).outputs).get_zlabel()
    'output y0 (model units)'
    """
    grid, x, y = plane(data, x)
    if ax is None:
        ax = plt.figure(figsize=(6.4, 5), layout="constrained").add_subplot(projection="3d")
    check_kind("ax", ax, Axes3D, "by plt.figure().add_subplot(projection='3d'), say")
    along, labels = [], []
    for dim in (x, y):
        points, name = grid[dim].values, label(grid, dim)
        # matplotlib has no logarithmic axes in space
        log = is_log(points)
        along.append(np.log10(points) if log else points)
        labels.append(f"log10 of {name}" if log else name)
    values = np.asarray(grid.values, dtype=float)
    ax.plot_surface(*np.meshgrid(*along), values, cmap=SEQUENTIAL, linewidth=0)
    ax.set(xlabel=labels[0], ylabel=labels[1], zlabel=value_label(grid))
    ax.set_box_aspect(None, zoom=0.85)  # room for the labels
    return ax
