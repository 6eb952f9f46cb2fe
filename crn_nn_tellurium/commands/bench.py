"""`crn-nn bench`: this package beside the usual script, and cost against size."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from crn_nn_tellurium.basics import progress_bar
from crn_nn_tellurium.commands.arguments import Overwrite
from crn_nn_tellurium.commands.console import check_new, console, new_table, write_text


def command(
    full: Annotated[
        bool, Option("--full", help="Run the usual script on digits too: minutes.")
    ] = False,
    output: Annotated[
        Path | None, Option("--output", "-o", help="The figures as JSON, with the machine's name.")
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """This package beside the usual script, in one run.

    Example: [bold]crn-nn bench --full -o figures.json[/bold]
    """
    check_new(overwrite, output)
    # what it measures with takes a second to import
    from crn_nn_tellurium.commands.measurements import measure, tables

    # shown through a pipe too, where minutes without a word look like a fault
    with progress_bar("measuring; the usual script takes most of the time", True) as show:
        measured = measure(full, show)
    for table in tables(measured).values():
        printed = new_table(table.title, table.left, table.right)
        for row in table.rows:
            printed.add_row(*row)
        console.print(printed)
    if output is not None:
        write_text(measured.to_json(), output, overwrite, "measurements")
