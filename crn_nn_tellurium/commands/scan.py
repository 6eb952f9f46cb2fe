"""`crn-nn scan`: many points, a table of what came out, and the picture that fits it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from rich.table import Table
from typer import Option

from crn_nn_tellurium.basics import FloatArray, number, separator
from crn_nn_tellurium.commands.arguments import (
    Model,
    Overwrite,
    inputs_of,
    is_name,
    listed,
    load_network,
)
from crn_nn_tellurium.commands.console import (
    check_new,
    console,
    new_table,
    note,
    say,
    say_written,
    titled,
    write_text,
)
from crn_nn_tellurium.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from crn_nn_tellurium.scans import Axis

# What a scan is written to: whole, or as a table with a row per point
_WHOLE, _TABLES = (".nc", ".zarr"), (".csv", ".tsv")
# Dimensions of what is kept of one point
_WIDE = ("output", "species", "label")
# Values of a second dimension that are drawn as lines; more make a map
_FEW = 6

Vary = Annotated[
    list[str] | None,
    Option(help="h=1e-4:1:log:50, x0=0:1:50 or h1=0.01,0.1. May be repeated; each is a dimension."),
]
Errors = Annotated[
    str | None, Option(help="Errors of every rate constant, as coefficients of variation: 0.1,0.3.")
]
Input = Annotated[
    str | None, Option(help="All inputs, 0,1: those not varied; by default 0 or the lowest.")
]
Volume = Annotated[
    float | None,
    Option(help="Of standard_deviation, class_probability: molecules at a concentration of 1."),
]
Keep = Annotated[
    str,
    Option(
        help="outputs, class, species, settling_time, standard_deviation, class_probability or a"
        " species; with commas between."
    ),
]


def command(
    model: Model,
    vary: Vary = None,
    cv: Errors = None,
    draws: Annotated[
        int | None, Option(help="Draws of errors for each --cv; 100 where none is given.")
    ] = None,
    seed: Annotated[int | None, Option(help="Of the draws, 0 where none is given.")] = None,
    input: Input = None,
    keep: Keep = "outputs",
    at: Annotated[
        str | None, Option(help="Times of a time course, 1,5,10; else the steady state.")
    ] = None,
    tolerance: Annotated[
        float | None, Option(help="Of settling_time, in units of the outputs; by default 0.001.")
    ] = None,
    bound: Annotated[
        str | None, Option(help="Of settling_time: envelope, as by default, or cheap.")
    ] = None,
    volume: Volume = None,
    output: Annotated[
        Path | None,
        Option("-o", "--output", help="Result: .nc (netCDF), .zarr, or a table: .csv, .tsv."),
    ] = None,
    plot: Annotated[Path | None, Option(help="Picture of the first thing kept.")] = None,
    workers: Annotated[int, Option(help="Processes; 0 solves in this one.", min=0)] = 0,
    resume: Annotated[
        bool, Option("--resume", help="Go on with what an interrupted scan left.")
    ] = False,
    overwrite: Overwrite = False,
) -> None:
    """Vary numbers of a network, or of any Antimony model, and solve every combination.

    Example: [bold]crn-nn scan xor --vary h=1e-4:1:log:50 --vary x0=0:1:50 -o out.nc --plot out.png
    --workers 2[/bold]
    """
    check_new(overwrite or resume, picture=plot)
    output, table = _whole_or_table(output, resume, overwrite)
    from crn_nn_tellurium.scans import STEADY_STATE, ScanFile, scan

    axes = _axes(vary or [], cv, draws, seed)
    found = _text_or_model(model)
    x = inputs_of(found, input)
    times, kept = None if at is None else listed("--at", at), _kept(keep, tolerance, bound, volume)
    file = None if output is None else ScanFile(output, resume, overwrite)
    if plot is not None:
        # a scan may take hours: what cannot be drawn is said before
        _check_drawable(axes, keep.split(",")[0].strip(), len(times or [0.0]))
    try:
        run: Any = {"executor": workers or None, "path": file}
        ds = scan(found, axes, x=x, outputs=kept, at=times or STEADY_STATE, **run)
    except KeyboardInterrupt:
        kept_in = f"; what is done is in {output}.parts, and --resume goes on with it"
        note(f"crn-nn: interrupted{kept_in if output else ''}")
        raise SystemExit(130) from None  # what shells give to what Ctrl-C ended
    if plot is not None:
        _draw(ds, plot)
    console.print(_summary(ds))
    say(_failures(ds))
    if table is not None:
        text = _rows(ds).to_csv(sep=separator(table), lineterminator="\n")
        write_text(text, table, overwrite, f"{ds.status.size} points")
    say_written("result", output)
    say_written("picture", plot)


def _whole_or_table(
    output: Path | None, resume: bool, overwrite: bool
) -> tuple[Path | None, Path | None]:
    """The file for all of a result, or for its table; refuses what cannot be written."""
    if output is None:
        return None, None
    ending = output.suffix.lower()
    if ending not in _WHOLE + _TABLES:
        expected = "an ending of .nc, .zarr, .csv or .tsv"
        raise InputError(f"--output is {str(output)!r}; expected {expected}")
    if ending in _TABLES:
        # a table is written at the end; chunks are kept for what holds all of a result
        if resume:
            raise InputError(f"--resume goes on with .nc and .zarr; {str(output)!r} is a table")
        check_new(overwrite, output)
        return None, output
    if output.exists() and not (overwrite or resume):
        remedy = "--resume takes it if it is this scan's, --overwrite replaces it"
        raise FileExistsError(f"{str(output)!r} exists; {remedy}")
    return output, None


def _text_or_model(model: str) -> Any:
    """What is scanned: of SBML and Antimony the text, mass action or not."""
    from crn_nn_tellurium.importers import text_or_model

    return load_network(model) if is_name(model) else text_or_model(Path(model), "crn-nn")


def _kept(keep: str, tolerance: float | None, bound: str | None, volume: float | None) -> list[Any]:
    from crn_nn_tellurium.scans import ClassProbability, SettlingTime, StandardDeviation

    kept = [name.strip() for name in keep.split(",")]
    # a table of samples and targets is what Python is for
    if targets := {"loss", "accuracy", "gradient_norm"}.intersection(kept):
        raise InputError(
            f"--keep {min(targets)} needs targets, which this command does not take; cn.scan(...,"
            " y=) does"
        )
    given = _given(tolerance=tolerance, bound=bound)
    if given and SettlingTime.word not in kept:
        raise InputError(f"{_named(given)} without a settling time; expected --keep settling_time")
    of_noise = {kind.word: kind for kind in (StandardDeviation, ClassProbability)}
    counted = sorted(of_noise.keys() & kept)
    if counted and volume is None:
        raise InputError(
            f"--keep {counted[0]} depends on how many molecules there are; expected"
            " --volume 1000, say"
        )
    if volume is not None and not counted:
        raise InputError(
            f"--volume {volume} without noise; expected --keep standard_deviation or"
            " class_probability"
        )
    options = {SettlingTime.word: SettlingTime(**given)} | {
        word: kind(volume) for word, kind in of_noise.items()
    }
    return [options.get(name, name) for name in kept]


def _given(**options: Any) -> dict[str, Any]:
    """Options that were given: others are left to what they belong to."""
    return {name: value for name, value in options.items() if value is not None}


def _named(given: dict[str, Any]) -> str:
    return " and ".join(f"--{name} {value}" for name, value in given.items())


def _axes(vary: Sequence[str], cv: str | None, draws: int | None, seed: int | None) -> list[Axis]:
    """The axes that ``--vary`` and ``--cv`` mean."""
    from crn_nn_tellurium.scans import lognormal, paired

    if not vary and cv is None:
        raise InputError("nothing to vary; expected --vary h=1e-4:1:log:50, say, or --cv 0.1")
    # each a dimension of its own, by the name of what is varied
    axes = [paired({name: values}, name) for name, values in map(_values, vary)]
    given = _given(draws=draws, seed=seed)
    if cv is None:
        if given:
            raise InputError(f"{_named(given)} without errors to draw; expected --cv 0.1, say")
        return axes
    levels = listed("--cv", cv)
    # one level is a number, which makes no dimension of its own
    return [*axes, *lognormal(levels if len(levels) > 1 else levels[0], **given)]


def _values(text: str) -> tuple[str, FloatArray]:
    name, equals, values = text.partition("=")
    first, *more = values.split(":")
    try:
        if not (name and equals and values):
            raise ValueError("a name, = and values are missing")
        if not more:
            return name, np.array([number(part) for part in values.split(",")])
        # how many values there are stands last, whatever the scale
        low, high, *rest = number(first), number(more[0]), *more[1:]
        scale = ["log"] if rest[:1] == ["log"] else []
        if scale and not 0 < low <= high:
            raise ValueError(f"log needs 0 < low <= high, and low is {low:g}, high {high:g}")
        if len(rest) == len(scale):
            raise ValueError(f"how many values is missing, as in {text}:50")
        if len(rest) > len(scale) + 1 or not rest[-1].isdecimal() or int(rest[-1]) < 1:
            raise ValueError(f"{':'.join(rest)!r} is no number of values")
        return name, (np.geomspace if scale else np.linspace)(low, high, int(rest[-1]))
    except ValueError as error:
        raise InputError(
            f"--vary is {text!r}: {error}; expected name=low:high:number, name=low:high:log:number"
            " or name=value,value,..."
        ) from error


def _rows(ds: xr.Dataset) -> pd.DataFrame:
    """A row per point, with a column for each output, each species, and whatever else was kept."""
    columns = {}
    for name, variable in ds.data_vars.items():
        wide = next((dim for dim in _WIDE if dim in variable.dims), None)
        if wide is None:
            columns[str(name)] = variable
            continue
        # an output is called by its name, what else is kept of it by both
        before = "" if name in ("outputs", "concentrations") else f"{name}_"
        for label in variable[wide].values:
            columns[f"{before}{label}"] = variable.sel({wide: label}, drop=True)
    return type(ds)(columns).to_dataframe()


def _summary(ds: xr.Dataset) -> Table:
    """What a result holds: each variable's dimensions and range."""
    table = new_table(str(ds.attrs["title"]), ["kept", "over"], ["least", "median", "most"])
    for name, variable in ds.drop_vars("status").data_vars.items():
        over = " x ".join(f"{dim} {size}" for dim, size in variable.sizes.items())
        if variable.dtype == object or variable.attrs.get("long_name") == "class":
            # classes have no least and no median: how often is each there?
            labels, counts = np.unique(variable.values.astype(str), return_counts=True)
            found = [f"{label or 'none'} {n}" for label, n in zip(labels, counts, strict=True)]
            table.add_row(str(name), f"{over}\n{', '.join(found)}", "", "", "")
        else:
            values = variable.values[np.isfinite(variable.values)]
            levels = np.quantile(values, [0, 0.5, 1]) if values.size else []
            table.add_row(str(name), over, *([f"{level:.4g}" for level in levels] or ["none"] * 3))
    return table


def _failures(ds: xr.Dataset) -> str:
    """How many points failed, with the first reason, and which inputs were not varied."""
    from crn_nn_tellurium.simulation import Kind, Outcome, failures

    texts = ds.status.values.ravel()
    failed = texts[failures(texts)].tolist()
    if failed:
        return f"{texts.size} points, {len(failed)} failed: {failed[0].removeprefix('failed: ')}"
    doubtful = [text for text in map(Outcome, texts.tolist()) if text.kind == Kind.DOUBTFUL]
    if doubtful:
        return f"{texts.size} points, {len(doubtful)} doubtful: {doubtful[0].reason}"
    held = f"; held: {ds.attrs['inputs']}" if ds.attrs.get("inputs") else ""
    return f"{texts.size} points, none failed{held}"


def _check_drawable(axes: Sequence[Axis], kept: str, n_times: int) -> None:
    """Refuse to draw what has too many or too few dimensions, before it is solved."""
    from crn_nn_tellurium.scans import DRAW

    long = [axis.dim for axis in axes if len(axis) > 1] + (["time"] if n_times > 1 else [])
    # draws are the width of bands, and so one dimension more
    least, most = (2, 2) if kept == "class" else (1, 3 if DRAW in long else 2)
    if not least <= len(long) <= most:
        expected = f"{least}" if least == most else f"{least} to {most}"
        raise InputError(
            f"--plot: {kept} over {', '.join(long) or 'one point'} makes no picture; expected"
            f" {expected} dimensions with more than one value"
        )


def _draw(ds: xr.Dataset, path: Path) -> None:
    """The first thing kept: outputs or species one beside the other, see `_check_drawable`."""
    from crn_nn_tellurium.plots import new_figure, save_figure

    data = next(iter(ds.drop_vars("status").data_vars.values()))
    labels = [str(dim) for dim in _WIDE if dim in data.dims]
    panels = [data.isel({dim: i}) for dim in labels for i in range(min(data.sizes[dim], _FEW))]
    panels, held = panels or [data], str(ds.attrs.get("inputs", ""))
    # a panel of 5.2 inches for each, and room for the labels on the left
    figure = new_figure((0.8 + 5.2 * len(panels), 4.4))
    for panel, ax in zip(panels, figure.subplots(1, len(panels), squeeze=False)[0], strict=True):
        _draw_panel(panel, ax)
        titles = [str(panel[label].values) for label in labels]
        ax.set_title(titled(", ".join(titles), held))
    save_figure(figure, path)


def _draw_panel(data: xr.DataArray, ax: Any) -> None:
    """The picture that fits: bands of draws, lines, or a map."""
    from crn_nn_tellurium.plots import plot_scan, plot_scan_bands, plot_scan_map
    from crn_nn_tellurium.scans import DRAW

    sizes = [size for size in data.sizes.values() if size > 1]
    if DRAW in data.dims and len(sizes) > 1:
        plot_scan_bands(data, ax=ax)
    elif data.name == "class" or (len(sizes) == 2 and min(sizes) > _FEW):
        plot_scan_map(data, ax=ax)
    else:
        plot_scan(data, ax=ax)
