"""What `crn-nn scan` reads and shows: values to vary, a table of the result, and the picture that
fits it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.table import Table

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.scans import DRAW, Axis, lognormal, paired

if TYPE_CHECKING:
    import xarray as xr

_SHORT = 40
"""Characters of inputs that were not varied up to which they stand over a picture."""
_FEW = 6
"""Values of a second dimension that are drawn as lines; more make a map."""


def values_of(option: str, text: str) -> tuple[str, FloatArray]:
    """``name=low:high:n``, ``name=low:high:log:n`` or ``name=value,value,...`` as a name and its
    values.

    Raises
    ------
    InputError

    Examples
    --------
    >>> values_of("--vary", "h=1e-2:1:log:3")
    ('h', array([0.01, 0.1 , 1.  ]))
    """
    name, equals, values = text.partition("=")
    try:
        if not (name and equals and values):
            raise ValueError
        parts = values.split(":")
        if len(parts) == 1:
            return name, np.array([float(part) for part in values.split(",")])
        low, high, *scale, n = parts
        if (
            scale not in ([], ["log"])
            or int(n) < 1
            or (scale and not 0 < float(low) <= float(high))
        ):
            raise ValueError
        return name, (np.geomspace if scale else np.linspace)(float(low), float(high), int(n))
    except ValueError as error:
        raise InputError(
            f"{option} is {text!r}; expected name=low:high:number, name=low:high:log:number or"
            " name=value,value,..."
        ) from error


def numbers_of(option: str, text: str) -> list[float]:
    """Numbers with commas between.

    Raises
    ------
    InputError
    """
    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise InputError(f"{option} is {text!r}; expected numbers with commas between") from error


def axes_of(vary: Sequence[str], cv: str | None, draws: int, seed: int) -> list[Axis]:
    """The axes that ``--vary`` and ``--cv`` mean.

    Raises
    ------
    InputError
    """
    axes = [
        paired({name: values}, name)
        for name, values in (values_of("--vary", text) for text in vary)
    ]
    if cv is None:
        return axes
    levels = numbers_of("--cv", cv)
    return [*axes, *lognormal(levels if len(levels) > 1 else levels[0], draws, seed)]


def summary(ds: xr.Dataset) -> Table:
    """What a result holds: each variable's dimensions and range, and how many points failed."""
    table = Table(title=str(ds.attrs["title"]))
    for heading in ("kept", "over"):
        table.add_column(heading)
    for heading in ("least", "median", "most"):
        table.add_column(heading, justify="right")
    for name, variable in ds.data_vars.items():
        over = " x ".join(f"{dim} {size}" for dim, size in variable.sizes.items())
        if name == "status":
            continue
        if variable.dtype == object or variable.attrs.get("long_name") == "class":
            labels, counts = np.unique(variable.values.astype(str), return_counts=True)
            found = ", ".join(
                f"{label or 'none'} {count}" for label, count in zip(labels, counts, strict=True)
            )
            table.add_row(str(name), f"{over}\n{found}", "", "", "")
        else:
            values = variable.values[np.isfinite(variable.values)]
            numbers = (
                [f"{part:.4g}" for part in np.quantile(values, [0, 0.5, 1])]
                if values.size
                else ["none"] * 3
            )
            table.add_row(str(name), over, *numbers)
    return table


def failures_line(ds: xr.Dataset) -> str:
    """How many points failed, with the first reason, and which inputs were not varied."""
    from crn_nn_tellurium.simulation import failures

    texts = ds.status.values.ravel()
    failed = texts[failures(texts)].tolist()
    held = f"; held: {ds.attrs['inputs']}" if ds.attrs.get("inputs") else ""
    if not failed:
        return f"{texts.size} points, none failed{held}"
    return f"{texts.size} points, {len(failed)} failed: {failed[0].removeprefix('failed: ')}"


def check_drawable(axes: Sequence[Axis], kept: str, n_times: int) -> None:
    """Refuse to draw what has too many or too few dimensions, before it is solved.

    Raises
    ------
    InputError
    """
    long = [axis.dim for axis in axes if len(axis) > 1] + (["time"] if n_times > 1 else [])
    least, most = (2, 2) if kept == "class" else (1, 3 if DRAW in long else 2)
    if not least <= len(long) <= most:
        expected = f"{least}" if least == most else f"{least} to {most}"
        raise InputError(
            f"--plot: {kept} over {', '.join(long) or 'one point'} makes no picture; expected"
            f" {expected} dimensions with more than one value"
        )


def draw(ds: xr.Dataset, path: Path) -> None:
    """The picture that fits a result, see `check_drawable`: bands of draws, lines, or a map."""
    from crn_nn_tellurium.plots import (
        new_figure,
        plot_scan,
        plot_scan_bands,
        plot_scan_map,
        save_figure,
    )

    name = next(name for name in ds.data_vars if name != "status")
    data: Any = ds[name]
    labels = [dim for dim in ("output", "species") if dim in data.dims]
    # outputs and species are shown one beside the other
    panels = (
        [data]
        if not labels
        else [data.sel({labels[0]: label}) for label in data[labels[0]].values[:_FEW]]
    )
    figure = new_figure((0.8 + 5.2 * len(panels), 4.4))
    for panel, ax in zip(panels, figure.subplots(1, len(panels), squeeze=False)[0], strict=True):
        sizes = [size for size in panel.sizes.values() if size > 1]
        if DRAW in panel.dims and len(sizes) > 1:
            plot_scan_bands(panel, ax=ax)
        elif name == "class" or (len(sizes) == 2 and min(sizes) > _FEW):
            plot_scan_map(panel, ax=ax)
        else:
            plot_scan(panel, ax=ax)
        titles = [str(panel[labels[0]].values)] if labels else []
        ax.set_title(
            ", ".join(
                titles + [held for held in [ds.attrs.get("inputs", "")] if 0 < len(held) <= _SHORT]
            )
        )
    save_figure(figure, path)
