"""Refining a boundary where it lies: where the class changes, or a number passes a limit.

Points are chosen by the package adaptive (Nijholt, Weston, Hoofwijk and Akhmerov, doi
10.5281/zenodo.1182437): the space is cut into simplices, and the next points go where a simplex is
large, a thousand times more so if its corners differ. So most points end up along the boundary,
which a grid would have to be fine everywhere to follow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import Delaunay

from crn_nn_tellurium.basics import FloatArray, progress_bar, real_number, require, whole_number
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.scans.arguments import STEADY_STATE, Kept, make_plan
from crn_nn_tellurium.scans.axes import paired, stretch
from crn_nn_tellurium.scans.scanning import scan
from crn_nn_tellurium.scans.workers import ExecutorLike, as_executor, estimated_seconds

if TYPE_CHECKING:
    import xarray as xr

# How much more a simplex across the boundary counts than one of the same size that is not
_FOCUS = 1_000.0
# Neighbours that are so many times farther apart than most are not used for the boundary
_FAR = 4.0
# At least so many times, points are chosen by what those before have found
_BATCHES = 20
_AT_ONCE = 128


def refine(
    model: Any,
    ranges: Mapping[str, Any],
    *,
    x: npt.ArrayLike | None = None,
    y: npt.ArrayLike | None = None,
    outputs: Kept | Mapping[str, Kept] = "class",
    at: float | Sequence[float] | str = STEADY_STATE,
    limit: float | None = None,
    n: int = 1_000,
    executor: ExecutorLike = None,
    progress: bool | None = None,
) -> xr.Dataset:
    """Solve a model at points that crowd where something changes.

    Parameters
    ----------
    model : Network, Simulator, ReactionNetwork or str
        As in `scan`.
    ranges : mapping of str to (low, high) or (low, high, "log")
        Where each number lies; one to four of them.
    x, y, at
        As in `scan`.
    outputs : str, callable, quantity or mapping of one of these
        What is looked at, one number or class for each point: ``"class"``, ``"settling_time"``, a
        species, the ``"outputs"`` of a network that has one, or a function, as in `scan`.
    limit : float, optional
        The boundary is where this is passed; by default, where the value changes, as classes do.
    n : int
        Number of points.
    executor : int, concurrent.futures.Executor or None
        As in `scan`.
    progress : bool, optional

    Returns
    -------
    xarray.Dataset
        What was kept over the dimension ``point``, and the boundary: midpoints of neighbouring
        points on either side, ``boundary_x0`` and so on, over the dimension ``edge``. Neighbours
        four times farther apart than most are left out.

    Raises
    ------
    InputError
        If an argument is not what it should be.
    MissingPackageError
        If adaptive is not installed.

    Notes
    -----
    Points that fail make a side of their own. A region that is smaller than the first points'
    distance can be missed: more points find smaller ones.

    Examples
    --------
    >>> from crn_nn_tellurium import load_model
    >>> ds = refine(load_model("xor"), {"x0": (0, 1), "x1": (0, 1)}, n=200)
    >>> ds.sizes["point"], ds.boundary_x0.dims
    (200, ('edge',))
    """
    if not (isinstance(ranges, Mapping) and 1 <= len(ranges) <= 4):
        raise InputError(
            f"ranges are {ranges!r}; expected (low, high) by name, one to four of them"
        )
    names = list(ranges)
    for name, span in ranges.items():
        if hasattr(span, "ppf"):
            raise InputError(
                f"{name!r}: its range is {span!r}; expected (low, high) or (low, high, 'log')"
            )
        stretch(name, span, np.zeros(1))
    least = 2 ** len(names) + 1  # the corners, and one between
    n = whole_number("n", n, least, f"a whole number of points, {least} or more")
    if limit is not None:
        wanted = "a finite number, or None for where the value changes"
        real_number("limit", limit, expected=wanted)
    learner = _learner(len(names))
    codes: dict[Any, int] = {}
    batches: list[xr.Dataset] = []
    unit: list[FloatArray] = []
    sides: list[int] = []
    done, batch = 0, max(1, min(_AT_ONCE, n // _BATCHES))
    asked_once = {name: stretch(name, span, np.zeros(1)) for name, span in ranges.items()}
    seconds = estimated_seconds(make_plan(model, paired(asked_once), x, y, outputs, at), n)
    with (
        progress_bar("refining", progress, n) as advance,
        as_executor(executor, seconds) as workers,
    ):
        while done < n:
            asked, _ = learner.ask(min(batch, n - done))
            new = np.array(asked, dtype=float).reshape(len(asked), -1)
            values = {name: stretch(name, ranges[name], new[:, i]) for i, name in enumerate(names)}
            shared: Any = {"x": x, "y": y, "outputs": outputs, "at": at, "executor": workers}
            ds = scan(model, paired(values), progress=False, **shared)
            sides += _sides(ds, limit, codes)
            for point, side in zip(asked, sides[done:], strict=True):
                learner.tell(point, float(side))
            batches.append(ds)
            unit.append(new)
            done += len(new)
            advance(done, "points")
    import xarray as xr

    ds = xr.concat(batches, dim="point", combine_attrs="override")
    kept = next(name for name in ds.data_vars if name != "status")
    ds.attrs |= {"title": f"boundary of {kept}", "axes": f"point: {', '.join(names)} (refined)"}
    ds.attrs["limit"] = "where the value changes" if limit is None else float(limit)
    ds = ds[[*names, *ds.data_vars]]
    return _with_boundary(ds, np.concatenate(unit), np.array(sides), ranges)


def _learner(n_dims: int) -> Any:
    adaptive = require("adaptive", extra="adaptive")

    def of_interval(xs: Any, ys: Any) -> float:
        return abs(xs[1] - xs[0]) * (_FOCUS if ys[0] != ys[1] else 1.0)

    def of_simplex(simplex: Any, values: Any, _: Any) -> float:
        corners = np.asarray(simplex)
        volume = abs(float(np.linalg.det(corners[1:] - corners[0])))
        return volume * (_FOCUS if len(set(values)) > 1 else 1.0)

    if n_dims == 1:
        return adaptive.Learner1D(None, bounds=(0.0, 1.0), loss_per_interval=of_interval)
    return adaptive.LearnerND(None, bounds=[(0.0, 1.0)] * n_dims, loss_per_simplex=of_simplex)


def _sides(ds: xr.Dataset, limit: float | None, codes: dict[Any, int]) -> list[int]:
    """On which side of the boundary each point lies, as a number."""
    name, *others = [name for name in ds.data_vars if name != "status"]
    if others:
        raise InputError(f"outputs are {[name, *others]}; refine looks at one thing")
    values = ds[name].values.reshape(ds.sizes["point"], -1)
    if values.shape[1] != 1:
        raise InputError(
            f"{name!r} is {values.shape[1]} numbers a point; refine looks at one: a function"
            " gives it"
        )
    found = []
    for value in values[:, 0].tolist():
        side: Any = value
        if value == "" or value != value:
            side = "failed"
        elif limit is not None:
            if isinstance(value, str):
                raise InputError(
                    f"limit is {limit!r}, and {name!r} holds classes; leave limit= out"
                )
            side = value > limit
        found.append(codes.setdefault(side, len(codes)))
    if limit is None and len(codes) > max(20, len(found) // 2):
        raise InputError(
            f"{name!r} is another number almost everywhere; limit= says where its boundary is"
        )
    return found


def _with_boundary(
    ds: xr.Dataset, unit: FloatArray, sides: Any, ranges: Mapping[str, Any]
) -> xr.Dataset:
    """The same with midpoints of neighbours on either side."""
    edges = _edges(unit)
    across = edges[sides[edges[:, 0]] != sides[edges[:, 1]]]
    length = np.linalg.norm(unit[across[:, 0]] - unit[across[:, 1]], axis=1)
    # neighbours far apart, as along the rim of the ranges, do not say where between them it is
    across = across[length <= _FAR * np.median(length)] if len(across) else across
    middle = (unit[across[:, 0]] + unit[across[:, 1]]) / 2
    for i, (name, span) in enumerate(ranges.items()):
        boundary = "edge", stretch(name, span, middle[:, i]), ds[name].attrs
        ds = ds.assign({f"boundary_{name}": boundary})
    return ds


def _edges(unit: FloatArray) -> Any:
    """Neighbouring points (n_edges, 2), each pair once."""
    if unit.shape[1] == 1:
        order = np.argsort(unit[:, 0], kind="stable")
        return np.column_stack([order[:-1], order[1:]])
    corners = Delaunay(unit).simplices
    pairs = np.concatenate(
        [corners[:, list(pair)] for pair in combinations(range(corners.shape[1]), 2)]
    )
    return np.unique(np.sort(pairs, axis=1), axis=0)
