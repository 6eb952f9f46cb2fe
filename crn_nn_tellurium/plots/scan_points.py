"""Points over a plane: designs, refined boundaries, samples on the classes of their inputs."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from matplotlib.axes import Axes

from crn_nn_tellurium.basics import (
    labels_given,
    real_numbers,
    some,
)
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.plots.figures import (
    SEQUENTIAL,
    color,
    legend_below,
    new_axes,
    styled,
)
from crn_nn_tellurium.plots.scans import (
    classes_in,
    draw_map,
    is_class,
    set_axis,
    short,
    value_label,
    variable,
)


@styled
def plot_decision_boundary(
    data: xr.DataArray,
    X: npt.ArrayLike | None = None,  # scikit-learn's name
    y: npt.ArrayLike | None = None,
    ax: Axes | None = None,
    *,
    contours: xr.DataArray | None = None,
) -> Axes:
    """The classes over two inputs, with samples: dots by their true class, crosses where wrong.

    Parameters
    ----------
    data : DataArray
        The variable ``class`` of a scan over two inputs.
    X : (n_samples, 2) array_like, optional
        Samples: the first dimension's input, then the second's.
    y : (n_samples,) array_like, optional
        Their classes.
    ax : Axes, default: of a new figure
    contours : DataArray, optional
        Another variable of the scan, drawn as lines of equal values: the settling time, say.

    Raises
    ------
    InputError
        If `data` are no classes over two inputs, or samples or contours do not fit.

    Examples
    --------
    >>> from crn_nn_tellurium import SettlingTime, load_model, scan
    >>> grid = np.linspace(0, 1, 11)
    >>> keep = ["class", SettlingTime(0.01, bound="cheap")]
    >>> ds = scan(load_model("xor"), {"x0": grid, "x1": grid}, outputs=keep)
    >>> samples = [[0, 0], [0, 1]], [0, 1]
    >>> plot_decision_boundary(ds["class"], *samples, contours=ds.settling_time).get_xlabel()
    'input x0 (model units)'
    """
    grid = variable(data, (2,), classes=True)
    points, truth = _samples(grid, X, y)
    labels: Any = [] if y is None else truth
    _check_labels(grid, labels)
    ax = draw_map(grid, str(grid.dims[0]), ax, labels)
    if contours is not None:
        _draw_contours(grid, contours, ax)
    if ax.get_legend_handles_labels()[0]:
        legend_below(ax)
    dot: Any = {"edgecolors": "white", "linewidths": 0.6, "clip_on": False, "zorder": 3}
    if y is None:
        ax.scatter(points[:, 0], points[:, 1], s=26, color="black", **dot)
        return ax
    nearest = [
        np.abs(grid[dim].values[:, None] - at).argmin(axis=0)
        for dim, at in zip(grid.dims, points.T, strict=True)
    ]
    right = grid.values[tuple(nearest)] == truth
    for number, label in enumerate(classes_in(grid, truth)):
        for marker, size, which in (("o", 26, right), ("X", 70, ~right)):
            part = points[which & (truth == label)]
            ink = color(number)
            ax.scatter(part[:, 0], part[:, 1], s=size, color=ink, marker=marker, **dot)
    if not right.all():
        ax.scatter([], [], s=26, color="0.4", label="right")
        ax.scatter([], [], s=70, color="0.4", marker="X", label="wrong")
        legend_below(ax)
    return ax


def _check_labels(grid: xr.DataArray, labels: Any) -> None:
    """Refuse numbers where classes are names, and names where they are numbers."""
    known = classes_in(grid)
    kinds = {isinstance(label, str) for label in known}
    for label in classes_in(labels):
        if kinds and isinstance(label, str) not in kinds:
            names = some([short(one) for one in known], 6)
            raise InputError(f"y has {label!r}; expected classes as the map has them: {names}")


def _draw_contours(grid: xr.DataArray, contours: Any, ax: Axes) -> None:
    """Lines of equal values over the same two inputs, with their numbers."""
    lines = variable(contours, (2,))
    if dict(lines.sizes) != dict(grid.sizes):
        raise InputError(
            f"contours are over {dict(lines.sizes)}; expected {dict(grid.sizes)}, as the classes"
        )
    x, y = map(str, grid.dims)
    look: Any = {"colors": "0.25", "linewidths": 0.7, "levels": 4}
    drawn = ax.contour(lines[x].values, lines[y].values, lines.transpose(y, x).values, **look)
    ax.clabel(drawn, fontsize=8)
    ax.plot([], [], color="0.25", linewidth=0.7, label=value_label(lines))


def _samples(
    grid: xr.DataArray, X: npt.ArrayLike | None, y: npt.ArrayLike | None
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Samples (n_samples, 2), and their classes; none where none are given."""
    points = np.empty((0, 2)) if X is None else real_numbers("X", X)
    if points.ndim != 2 or points.shape[1] != 2:
        names = " and ".join(map(str, grid.dims))
        raise InputError(f"X has shape {points.shape}; expected (n_samples, 2), the inputs {names}")
    n = len(points)
    truth = np.zeros(n) if y is None else labels_given("y", y)
    if truth.shape != (n,):
        raise InputError(f"y has shape {truth.shape}; expected ({n},), a class for each sample")
    return points, truth


@styled
def plot_scan_points(
    data: xr.DataArray | xr.Dataset, x: str, y: str, ax: Axes | None = None
) -> Axes:
    """Points of a design, or of a refined boundary, over two of their numbers, by color.

    Parameters
    ----------
    data : DataArray or Dataset
        A variable over one dimension of points, as of `sobol`, `latin_hypercube` and `paired`; or
        what `refine` gave, whose boundary is drawn too.
    x, y : str
        Names of numbers that were varied along it.
    ax : Axes, default: of a new figure

    Raises
    ------
    InputError

    Examples
    --------
    >>> from crn_nn_tellurium import load_model, scan, sobol
    >>> ds = scan(load_model("xor"), sobol({"x0": (0, 1), "h": (1e-4, 1, "log")}, 64), x=[0, 1])
    >>> plot_scan_points(ds.outputs, "x0", "h").get_xlabel()
    'input x0 (model units)'
    """
    boundary = data if isinstance(data, xr.Dataset) and "edge" in data.dims else None
    if boundary is not None:
        names = [name for name, part in boundary.items() if part.dims[:1] == ("point",)]
        data = boundary[names[0]]
    grid = variable(data, (1,), classes=True, ordered=False)
    varied = [str(name) for name, part in grid.coords.items() if part.dims == grid.dims]
    if others := [name for name in (x, y) if not isinstance(name, str) or name not in varied]:
        known = ", ".join(varied) or "no others"
        raise InputError(
            f"{others[0]!r} is not varied along {grid.dims[0]!r}; expected two of {known}"
        )
    ax = new_axes(ax)
    along, up = grid[x].values, grid[y].values
    if is_class(grid):
        for number, found in enumerate(classes_in(grid)):
            mine = grid.values == found
            name = f"class {short(found)}"
            ax.scatter(along[mine], up[mine], s=9, color=color(number), label=name)
    else:
        image = ax.scatter(along, up, c=grid.values.astype(float), s=12, cmap=SEQUENTIAL)
        ax.figure.colorbar(image, ax=ax, label=value_label(grid))
    if boundary is not None:
        edge = boundary[f"boundary_{x}"].values, boundary[f"boundary_{y}"].values
        ax.scatter(*edge, color="black", marker=".", s=4, label="boundary")
    set_axis(ax, "x", grid, x)
    set_axis(ax, "y", grid, y)
    if is_class(grid) or boundary is not None:
        legend_below(ax, columns=4)
    return ax
