"""`crn-nn bench`: this package beside the usual script, and cost against size."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, Any

import numpy as np
from rich.table import Table
from typer import Option

from crn_nn_tellurium.basics import progress_bar
from crn_nn_tellurium.commands.console import console, new_table


def command(
    full: Annotated[
        bool, Option("--full", help="Run the usual script on digits too: minutes.")
    ] = False,
) -> None:
    """This package beside the usual script, in one run.

    Example: [bold]crn-nn bench[/bold]
    """
    # shown through a pipe too, where minutes without a word look like a fault
    with progress_bar("measuring; the usual script takes most of the time", True) as show:
        tables = _measured(full, show)
    for table in tables:
        console.print(table)


def _measured(full: bool, show: Callable[[int, str], None]) -> list[Table]:
    from crn_nn_tellurium.commands import benchmarks

    done = itertools.count(1)

    def watched(what: str, rows: Iterable[Any]) -> Iterator[Any]:
        """Rows as they are measured, each with a word."""
        for row in rows:
            n = next(done)
            show(n, f"({n} measured, the last of {what})")
            yield row

    scripts = new_table(
        "The usual script and this package", [""], ["usual script", "this package", "times faster"]
    )
    for row in watched("the usual script", benchmarks.run_benchmarks(full)):
        ratio = "" if np.isnan(row.usual) else f"{row.ratio:,.0f}"
        what = f"{row.what}\n({row.remark})" if row.remark else row.what
        scripts.add_row(what, _seconds(row.usual, "not run"), _seconds(row.ours), ratio)
    sizes = new_table(
        "Cost of one layer against its size",
        [],
        ["inputs", "units", "weights", "compile", "per sample", "per weight"],
    )
    for layer in watched("cost against size", benchmarks.cost_against_size()):
        seconds = layer.compile_seconds, layer.sample_seconds, layer.sample_seconds / layer.weights
        counts = layer.n_in, layer.n_out, layer.weights
        sizes.add_row(*map(str, counts), *map(_seconds, seconds))
    gradients = new_table(
        "Gradient of all parameters, CPU time on one thread: a batch of 32 by the engine, 256 by"
        " closed form and PyTorch",
        ["layers"],
        ["steady states", "gradient", "closed form", "PyTorch, single", "PyTorch, double"],
    )
    for cost in watched("gradients", benchmarks.gradient_costs()):
        ours = cost.steady_seconds, cost.gradient_seconds, cost.closed_form_seconds
        theirs = (
            _seconds(time, "not installed") for time in (cost.torch_single, cost.torch_double)
        )
        gradients.add_row("-".join(map(str, cost.sizes)), *map(_seconds, ours), *theirs)
    certificates = new_table(
        "Settling-time bound of one sample: closed form (of 1,000), envelope, beside one"
        " trajectory",
        ["layers"],
        ["closed form", "compile", "envelope", "trajectory"],
    )
    for bound in watched("certificates", benchmarks.certificate_costs()):
        times = bound.closed_form, bound.compile_seconds, bound.envelope, bound.trajectory
        certificates.add_row(
            "-".join(map(str, bound.sizes)), *(_seconds(time, "too large") for time in times)
        )
    return [scripts, sizes, gradients, certificates]


def _seconds(value: float, missing: str = "") -> str:
    if np.isnan(value):
        return missing
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value * 1e9:.3g} ns"
