"""Variables of scans as pictures need them: dimensions, their labels, scales of even points."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.plots.style import MANY
from crn_nn_tellurium.scans import CLASS

_LOG = 20.0
"""The ratio of the largest to the least point from which on an axis may be logarithmic."""


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
    if dim not in data.dims:
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
    return name if units in ("", "1") else f"{name} ({units})"


def short(value: Any) -> str:
    """A coordinate or a class in few characters."""
    return f"{value:.3g}" if isinstance(value, (float, np.floating)) else str(value)


def is_class(grid: xr.DataArray) -> bool:
    """Whether a variable holds classes."""
    return bool(grid.attrs.get("long_name") == CLASS)


def classes_in(grid: xr.DataArray, more: Any = ()) -> list[Any]:
    """The classes that are there, in a map or among samples, in order; failures are none."""
    found = {*grid.values.ravel().tolist(), *np.ravel(more).tolist()}
    # a failure is an empty text or NaN, which alone differs from itself
    there = [label for label in found if label != "" and label == label]
    return sorted(there, key=lambda label: (isinstance(label, str), label))
