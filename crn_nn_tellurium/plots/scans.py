"""Plots of scans and of robustness: lines, bands, maps, surfaces, decision boundaries."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap

from crn_nn_tellurium.basics import check_kind, is_real
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.perturbations import Robustness
from crn_nn_tellurium.plots.figures import new_axes
from crn_nn_tellurium.scans import CLASS

if TYPE_CHECKING:
    import xarray as xr

_LINES = 10
_JUMP = 0.3
"""Part of the range that neighbours of a smooth map differ by at most."""
_LOG = 20.0
"""Positive coordinates that span more than this, evenly in their logarithms, get a logarithmic
axis.
"""


def plot_scan(data: xr.DataArray, x: str | None = None, ax: Axes | None = None) -> Axes:
    """A scan's variable along one dimension, a line for each value of another.

    Parameters
    ----------
    data : DataArray
        A variable with one or two dimensions longer than 1: ``ds.outputs.sel(output="y0")``.
    x : str, optional
        The dimension along the axis; by default the longer one.
    ax : Axes, optional
        A new figure by default.

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
    grid = _variable(data, (1, 2))
    x = max(grid.dims, key=lambda dim: grid.sizes[dim]) if x is None else _dimension(grid, x)
    grid = grid.transpose(x, ...)
    rest = [dim for dim in grid.dims if dim != x]
    names = _line_names(grid, rest, "lines")
    ax = new_axes(ax)
    values = np.asarray(grid.values, dtype=float).reshape(len(grid), -1)
    for line, name in zip(values.T, names, strict=True):
        label = name or None
        ax.plot(
            _points(grid, x),
            line,
            marker="." if len(line) <= 40 else "",
            linewidth=1.4,
            label=label,
        )
    _scale_axis(ax, "x", _points(grid, x))
    ax.set_xlabel(_label(grid, x))
    ax.set_ylabel(_value_label(grid))
    if rest:
        ax.legend(frameon=False)
    return ax


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
    ax : Axes, optional
        A new figure by default.

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
    if not (is_real(level) and 0 < level < 1):
        raise InputError(f"level is {level!r}; expected a share between 0 and 1: 0.8, say")
    grid = _variable(data, (2, 3))
    others = [dim for dim in grid.dims if dim != _dimension(grid, over)]
    x = max(others, key=lambda dim: grid.sizes[dim]) if x is None else _dimension(grid, x)
    rest = [dim for dim in others if dim != x]
    grid = grid.transpose(x, *rest, over)
    names = _line_names(grid, rest, "bands")
    ax = new_axes(ax)
    values = np.asarray(grid.values, dtype=float).reshape(len(grid), len(names), -1)
    low, middle, high = np.nanquantile(values, [(1 - level) / 2, 0.5, (1 + level) / 2], axis=-1)
    for number, name in enumerate(names):
        median = f"{name}: median" if name else "median"
        (line,) = ax.plot(_points(grid, x), middle[:, number], linewidth=1.5, label=median)
        label = f"{level:.0%} of {grid.sizes[over]} {over}s" if number == len(names) - 1 else None
        band = low[:, number], high[:, number]
        ax.fill_between(
            _points(grid, x), *band, color=line.get_color(), alpha=0.2, linewidth=0, label=label
        )
    _scale_axis(ax, "x", _points(grid, x))
    ax.set_xlabel(_label(grid, x))
    ax.set_ylabel(_value_label(grid))
    ax.legend(frameon=False)
    return ax


def plot_scan_map(data: xr.DataArray, x: str | None = None, ax: Axes | None = None) -> Axes:
    """A scan's variable over two dimensions as colours, with contours; classes as areas.

    Parameters
    ----------
    data : DataArray
        A variable with two dimensions longer than 1.
    x : str, optional
        The dimension along the horizontal axis; by default the first.
    ax : Axes, optional
        A new figure by default.

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
    grid, x, y = _plane(data, x, classes=True)
    ax = new_axes(ax)
    for axis, dim in (
        ("x", x),
        ("y", y),
    ):  # before contours, whose labels are placed on the scale of the axes
        _scale_axis(ax, axis, _points(grid, dim))
    if _is_class(grid):
        _areas(grid, x, y, ax)
    else:
        horizontal, vertical, values = (
            _points(grid, x),
            _points(grid, y),
            np.asarray(grid.values, dtype=float),
        )
        edges = _edges(horizontal), _edges(vertical)
        image = ax.pcolormesh(*edges, values, shading="flat", cmap="viridis", rasterized=True)
        if _is_smooth(values):
            lines = ax.contour(
                horizontal, vertical, values, colors="white", linewidths=0.6, alpha=0.7
            )
            ax.clabel(lines, fontsize=7)
        _colorbar(image, ax, label=_value_label(grid))
    ax.set_xlim(*_edges(_points(grid, x))[[0, -1]])
    ax.set_ylim(*_edges(_points(grid, y))[[0, -1]])
    ax.set_xlabel(_label(grid, x))
    ax.set_ylabel(_label(grid, y))
    return ax


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
    grid, x, y = _plane(data, x)
    if ax is None:
        ax = plt.figure(figsize=(6.4, 5), layout="constrained").add_subplot(projection="3d")
    along: list[Any] = []
    for dim in (x, y):
        points, is_log = _points(grid, dim), _is_log(_points(grid, dim))
        along.append(
            np.log10(points) if is_log else points
        )  # matplotlib has no logarithmic axes in space
    ax.plot_surface(
        *np.meshgrid(*along), np.asarray(grid.values, dtype=float), cmap="viridis", linewidth=0
    )
    labels = [
        ("log10 of " if _is_log(_points(grid, dim)) else "") + _label(grid, dim) for dim in (x, y)
    ]
    ax.set_xlabel(labels[0])
    ax.set_ylabel(labels[1])
    ax.set_zlabel(_value_label(grid))
    ax.set_box_aspect(None, zoom=0.85)  # room for the labels
    return ax


def plot_decision_boundary(
    data: xr.DataArray,
    X: npt.ArrayLike | None = None,  # scikit-learn's name
    y: npt.ArrayLike | None = None,
    ax: Axes | None = None,
) -> Axes:
    """The classes over two inputs, with samples if they are given: dots by their true class,
    crosses where it is wrong.

    Parameters
    ----------
    data : DataArray
        The variable ``class`` of a scan over two inputs.
    X : (n_samples, 2) array_like, optional
        Samples: the first dimension's input, then the second's.
    y : (n_samples,) array_like, optional
        Their classes.
    ax : Axes, optional
        A new figure by default.

    Raises
    ------
    InputError

    Examples
    --------
    >>> from crn_nn_tellurium import load_model, scan
    >>> grid = np.linspace(0, 1, 21)
    >>> ds = scan(load_model("xor"), {"x0": grid, "x1": grid}, outputs="class")
    >>> plot_decision_boundary(ds["class"], [[0, 0], [0, 1]], [0, 1]).get_xlabel()
    'input x0 (model units)'
    """
    grid = _variable(data, (2,), classes=True)
    x = grid.dims[0]
    ax = plot_scan_map(grid, x, ax)
    if X is None:
        return ax
    points = np.asarray(X, dtype=float)
    if points.ndim != 2 or points.shape[1] != 2:
        raise InputError(
            f"X has shape {points.shape}; expected (n_samples, 2), the inputs"
            f" {' and '.join(grid.dims)}"
        )
    truth = np.zeros(len(points)) if y is None else np.asarray(y)
    if truth.shape != (len(points),):
        raise InputError(
            f"y has shape {truth.shape}; expected ({len(points)},), a class for each sample"
        )
    if y is None:
        ax.scatter(
            points[:, 0],
            points[:, 1],
            s=26,
            color="black",
            edgecolors="white",
            linewidths=0.6,
            clip_on=False,
        )
        return ax
    near = [
        np.abs(_points(grid, str(dim))[:, None] - points[:, i]).argmin(axis=0)
        for i, dim in enumerate(grid.dims)
    ]
    right = grid.values[near[0], near[1]] == truth
    for number, label in enumerate(_classes(grid, truth)):
        for marker, size, which in (("o", 26, right), ("X", 70, ~right)):
            part = points[which & (truth == label)]
            style: dict[str, Any] = {
                "marker": marker,
                "edgecolors": "white",
                "linewidths": 0.6,
                "clip_on": False,
            }
            ax.scatter(part[:, 0], part[:, 1], s=size, color=f"C{number % 10}", zorder=3, **style)
    if not right.all():
        ax.scatter([], [], s=26, color="0.4", label="right")
        ax.scatter([], [], s=70, color="0.4", marker="X", label="wrong")
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=2, frameon=False)
    return ax


def plot_scan_points(
    data: xr.DataArray | xr.Dataset, x: str, y: str, ax: Axes | None = None
) -> Axes:
    """Points of a design, or of a refined boundary, over two of their numbers, coloured by a
    variable.

    Parameters
    ----------
    data : DataArray or Dataset
        A variable over one dimension of points, as of `sobol`, `latin_hypercube` and `paired`; or
        what `refine` gave, whose boundary is drawn too.
    x, y : str
        Names of numbers that were varied along it.
    ax : Axes, optional
        A new figure by default.

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
    import xarray as xr

    boundary = None
    if isinstance(data, xr.Dataset) and "edge" in data.dims:
        boundary = data
        data = data[next(name for name in data.data_vars if data[name].dims[:1] == ("point",))]
    grid = _variable(data, (1,), classes=True, ordered=False)
    for name in (x, y):
        if name not in grid.coords or grid[name].dims != grid.dims:
            there = ", ".join(str(name) for name in grid.coords if grid[name].dims == grid.dims)
            raise InputError(
                f"{name!r} is not varied along {grid.dims[0]!r}; expected two of"
                f" {there or 'no others'}"
            )
    ax = new_axes(ax)
    places = grid[x].values, grid[y].values
    if _is_class(grid):
        for number, label in enumerate(_classes(grid)):
            mine = grid.values == label
            ax.scatter(
                places[0][mine],
                places[1][mine],
                s=9,
                color=f"C{number % 10}",
                label=f"class {_text(label)}",
            )
    else:
        image = ax.scatter(*places, c=np.asarray(grid.values, dtype=float), s=12, cmap="viridis")
        _colorbar(image, ax, label=_value_label(grid))
    if boundary is not None:
        style: dict[str, Any] = {"color": "black", "marker": ".", "s": 4, "label": "boundary"}
        ax.scatter(boundary[f"boundary_{x}"].values, boundary[f"boundary_{y}"].values, **style)
    for axis, points in zip("xy", places, strict=True):
        _scale_axis(ax, axis, np.sort(points), even=False)
    ax.set_xlabel(_label(grid, x))
    ax.set_ylabel(_label(grid, y))
    if _is_class(grid) or boundary is not None:
        ax.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=4)
    return ax


def plot_robustness(result: Robustness, axes: Any = None, limit: int = 15) -> Any:
    """Accuracy against errors of all rate constants and against fuel, and the reactions that matter
    most.

    Parameters
    ----------
    result : Robustness
    axes : three Axes, optional
        A new figure by default.
    limit : int
        How many reactions are shown.

    Returns
    -------
    ndarray of three Axes

    Examples
    --------
    >>> from crn_nn_tellurium import RateErrors, load_model, model_data, robustness
    >>> _, X, _, y = model_data("xor")
    >>> axes = plot_robustness(robustness(load_model("xor"), X, y, RateErrors(cv=[0.0, 0.1], draws=5)))
    >>> axes[0].get_ylabel()
    'accuracy (%)'
    """
    check_kind("result", result, Robustness, "the result of robustness")
    if axes is None:
        _, axes = plt.subplots(
            1, 3, figsize=(13, 4.4), layout="constrained", width_ratios=(1, 1, 1.2)
        )
    noise, fuel, missing = axes
    mean, low, high = result.band(0.8)
    noise.plot(100 * result.cv, 100 * mean, marker="o", markersize=4)
    noise.fill_between(
        100 * result.cv, 100 * low, 100 * high, alpha=0.2, linewidth=0, label="80 % of the draws"
    )
    error = 200 * result.mean_error()
    noise.errorbar(
        100 * result.cv,
        100 * mean,
        error,
        fmt="none",
        ecolor="C0",
        capsize=3,
        label="mean, 95 % sure",
    )
    noise.axhline(100 * result.accuracy, color="0.5", linestyle=":", linewidth=1, label="no error")
    noise.set_xlabel("error of every rate constant (cv, %)")
    noise.set_ylabel("accuracy (%)")
    noise.legend(frameon=False)
    fuel.plot(result.factors, 100 * result.fuelled, marker="o", markersize=4, color="C1")
    fuel.axhline(100 * result.accuracy, color="0.5", linestyle=":", linewidth=1)
    if (result.factors.max() / result.factors.min()) > 3:
        fuel.set_xscale("log")
        ticks = [
            f for f in result.factors.tolist() if math.log2(f).is_integer()
        ] or result.factors.tolist()
        fuel.set_xticks(ticks, [f"{f:g}" for f in ticks])
        fuel.minorticks_off()
    fuel.set_xlabel("factor on reactions that make molecules (1)")
    fuel.set_ylabel("accuracy (%)")
    table = result.ranking()
    unsettled = int((table.no_steady_state > 0).sum())
    table = table[table.no_steady_state == 0].head(limit)[::-1]
    places = np.arange(len(table))
    missing.barh(places, 100 * (result.accuracy - table.accuracy_without), color="C3")
    missing.set_yticks(
        places, [name if len(name) <= 32 else f"{name[:29]}..." for name in table.name], fontsize=8
    )
    missing.set_xlabel("accuracy lost without the reaction (%)")
    missing.set_title(f"besides {unsettled} essential ones", fontsize=9)
    return axes


# Parts
# ------------------------------------------------------------------------------------------------


def _variable(
    data: Any, n_dims: tuple[int, ...], classes: bool = False, ordered: bool = True
) -> Any:
    """A variable with some number of dimensions that are longer than 1."""
    import xarray as xr

    if isinstance(data, xr.Dataset):
        raise InputError(
            "data is a Dataset; expected one of its variables:"
            f" {', '.join(map(str, data.data_vars))}"
        )
    if not isinstance(data, xr.DataArray):
        raise InputError(f"data is a {type(data).__name__}; expected a variable of a scan's result")
    long = data.squeeze()
    if long.dtype == object and not (classes and _is_class(long)):
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
        raise InputError(
            f"{data.name!r} has dimensions {sizes}; expected {' or '.join(map(str, n_dims))} longer"
            " than 1: choose with .sel(...) or .isel(...)"
        )
    # lines and cells follow one another in the order of their coordinates
    numbers = [dim for dim in long.dims if dim in long.coords and long[dim].dtype.kind in "if"]
    return long.sortby(numbers)


def _plane(data: Any, x: str | None, classes: bool = False) -> tuple[Any, str, str]:
    """A variable over two dimensions, the vertical one first, and the names of the horizontal and
    the vertical one.
    """
    grid = _variable(data, (2,), classes)
    x = str(grid.dims[0]) if x is None else _dimension(grid, x)
    grid = grid.transpose(..., x)
    return grid, x, str(grid.dims[0])


def _line_names(grid: Any, rest: list[Any], what: str) -> list[str]:
    """What each line of a picture is of, along the dimension that is left; one without a name if
    none is.
    """
    if not rest:
        return [""]
    points = _points(grid, rest[0])
    if len(points) > _LINES:
        raise InputError(
            f"{len(points)} {what} along {rest[0]!r}; expected {_LINES} at most: select some, or"
            " plot_scan_map"
        )
    return [f"{rest[0]} = {_text(point)}" for point in points]


def _dimension(data: Any, dim: str) -> str:
    if dim not in data.dims:
        raise InputError(
            f"{data.name!r} has no dimension {dim!r}; it has {', '.join(map(str, data.dims))}"
        )
    return dim


def _points(data: Any, dim: str) -> Any:
    return data[dim].values


def _colorbar(image: Any, ax: Axes, **options: Any) -> Any:
    figure: Any = ax.figure
    return figure.colorbar(image, ax=ax, **options)


def _is_log(points: Any) -> bool:
    """Whether values are spread evenly in their logarithms, over more than a decade or so."""
    if (
        points.dtype.kind not in "fi"
        or len(points) < 3
        or points.min() <= 0
        or points.max() < _LOG * points.min()
    ):
        return False
    steps = np.abs(np.diff(np.log(points.astype(float))))
    return bool(steps.max() < 3 * max(steps.min(), 1e-12))


def _scale_axis(ax: Axes, axis: str, points: Any, even: bool = True) -> None:
    """A logarithmic axis for points that are even on it; of scattered ones, the middle says on
    which they are even.
    """
    if _is_log(points) if even else _is_log_scattered(points):
        (ax.set_xscale if axis == "x" else ax.set_yscale)("log")


def _with_units(name: str, attrs: Any) -> str:
    units = attrs.get("units", "")
    return name if units in ("", "1") else f"{name} ({units})"


def _label(data: Any, dim: str) -> str:
    attrs = data[dim].attrs
    return _with_units(attrs.get("long_name", dim), attrs)


def _is_log_scattered(points: Any) -> bool:
    if points.min() <= 0 or points.max() < _LOG * points.min():
        return False
    return bool(np.median(points) < np.sqrt(points.min() * points.max()) * np.sqrt(_LOG))


def _value_label(data: Any) -> str:
    name = data.attrs.get("long_name", str(data.name))
    # one of several outputs or species, which a selection leaves as a label
    which = [
        str(data[dim].values)
        for dim in ("output", "species")
        if dim in data.coords and not data[dim].dims
    ]
    return _with_units(" ".join([name, *which]), data.attrs)


def _text(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, (float, np.floating)) else str(value)


def _is_class(grid: Any) -> bool:
    return bool(grid.attrs.get("long_name") == CLASS)


def _is_smooth(values: Any) -> bool:
    """Whether contours would say more than the colours: neighbours differ by a fraction of the
    range.
    """
    if min(values.shape) < 3 or not np.all(np.isfinite(values)) or np.ptp(values) == 0:
        return False
    return bool(
        max(np.abs(np.diff(values, axis=axis)).max() for axis in (0, 1)) < _JUMP * np.ptp(values)
    )


def _classes(grid: Any, more: Any = ()) -> list[Any]:
    """The classes that are there, in a map or among samples, in order; failures are none."""
    found = {*grid.values.ravel().tolist(), *np.ravel(more).tolist()}
    there = [label for label in found if label != "" and label == label]
    return sorted(there, key=lambda label: (isinstance(label, str), label))


def _edges(points: Any) -> Any:
    """Where the cells about some points meet: half way, on the scale of their axis."""
    if len(points) == 1:
        return np.array([points[0] - 0.5, points[0] + 0.5])
    at = np.log(points) if _is_log(points) else points.astype(float)
    middle = (at[1:] + at[:-1]) / 2
    edges = np.concatenate([[2 * at[0] - middle[0]], middle, [2 * at[-1] - middle[-1]]])
    return np.exp(edges) if _is_log(points) else edges


def _areas(data: Any, x: str, y: str, ax: Axes) -> None:
    """Classes as pale areas, with a colour bar of their names."""
    classes = _classes(data)
    number = {label: i for i, label in enumerate(classes)}
    codes = np.array([[number.get(value, np.nan) for value in row] for row in data.values])
    colors = ListedColormap(
        [(*plt.get_cmap("tab10")(i % 10)[:3], 0.35) for i in range(len(classes))]
    )
    norm = BoundaryNorm(np.arange(len(classes) + 1) - 0.5, len(classes))
    along = _edges(_points(data, x)), _edges(_points(data, y))
    image = ax.pcolormesh(*along, codes, shading="flat", cmap=colors, norm=norm, rasterized=True)
    bar = _colorbar(image, ax, ticks=range(len(classes)), label="class")
    bar.ax.set_yticklabels([_text(label) for label in classes])
