"""`crn-nn bench`: this package beside the usual script, and cost against size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated

import numpy as np
from rich.table import Table
from typer import Option

from crn_nn_tellurium.commands.console import console, new_table

if TYPE_CHECKING:
    from crn_nn_tellurium.commands.benchmarks import CertificateCost, Cost, GradientCost, Row


def command(
    full: Annotated[
        bool, Option("--full", help="Run the usual script on digits too: minutes.")
    ] = False,
) -> None:
    """This package beside the usual script, in one run.

    Example: [bold]crn-nn bench[/bold]
    """
    with console.status("measuring; the usual script takes most of the time"):
        tables = list(_measured(full))
    for table in tables:
        console.print(table)


def _measured(full: bool) -> Iterator[Table]:
    from crn_nn_tellurium.commands import benchmarks

    yield _table_of_rows(benchmarks.run_benchmarks(full))
    yield _table_of_sizes(benchmarks.cost_against_size())
    yield _table_of_gradients(benchmarks.gradient_costs())
    yield _table_of_certificates(benchmarks.certificate_costs())


def _table_of_rows(rows: Iterable[Row]) -> Table:
    title = "The usual script and this package"
    table = new_table(title, [""], ["usual script", "this package", "times faster"])
    for row in rows:
        ratio = "" if np.isnan(row.usual) else f"{row.ratio:,.0f}"
        what = f"{row.what}\n({row.remark})" if row.remark else row.what
        table.add_row(what, _seconds(row.usual, "not run"), _seconds(row.ours), ratio)
    return table


def _table_of_sizes(costs: Iterable[Cost]) -> Table:
    sizes = ["inputs", "units", "weights"]
    title = "Cost of one layer against its size"
    table = new_table(title, [], [*sizes, "compile", "per sample", "per weight"])
    for cost in costs:
        times = cost.compile_seconds, cost.sample_seconds, cost.sample_seconds / cost.weights
        table.add_row(f"{cost.n_in}", f"{cost.n_out}", f"{cost.weights}", *map(_seconds, times))
    return table


def _table_of_gradients(costs: Iterable[GradientCost]) -> Table:
    table = new_table(
        "Gradient of all parameters: a batch of 32 by the engine, 256 by closed form and PyTorch",
        ["layers"],
        ["steady states", "gradient", "closed form", "PyTorch, single", "PyTorch, double"],
    )
    for cost in costs:
        ours = map(_seconds, (cost.steady_seconds, cost.gradient_seconds, cost.closed_form_seconds))
        peers = (_seconds(t, "not installed") for t in (cost.torch_single, cost.torch_double))
        table.add_row("-".join(map(str, cost.sizes)), *ours, *peers)
    return table


def _table_of_certificates(costs: Iterable[CertificateCost]) -> Table:
    table = new_table(
        "Settling-time bound of one sample: closed form (of 1,000), envelope, beside one"
        " trajectory",
        ["layers"],
        ["closed form", "compile", "envelope", "trajectory"],
    )
    for cost in costs:
        seconds = cost.closed_form, cost.compile_seconds, cost.envelope, cost.trajectory
        times = (_seconds(t, "too large") for t in seconds)
        table.add_row("-".join(map(str, cost.sizes)), *times)
    return table


def _seconds(value: float, missing: str = "") -> str:
    if np.isnan(value):
        return missing
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value * 1e9:.3g} ns"
