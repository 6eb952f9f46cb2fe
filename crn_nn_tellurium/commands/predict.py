"""`crn-nn predict`: the chemistry's answers to a table."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import numpy as np
from typer import Argument, Option

from crn_nn_tellurium.commands.arguments import Net, Out, Overwrite, load_network
from crn_nn_tellurium.commands.files import check_new, write_table
from crn_nn_tellurium.commands.tables import read_table


def command(
    net: Net,
    data: Annotated[
        Path, Argument(help="CSV with a column per input, by name; or numbers without a header.")
    ],
    output: Out = None,
    target: Annotated[
        str | None, Option(help="Column with the true class; prints the accuracy.")
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Outputs and classes of every row of a CSV, as the chemistry settles.

    Example: [bold]crn-nn predict iris flowers.csv -o answers.csv --target species[/bold]
    """
    network = load_network(net)
    table = read_table(data, network)
    x = table.numbers(network.input_names)
    truth = None if target is None else table.labels(target, network)
    check_new(overwrite, output)
    from crn_nn_tellurium.simulation import Simulator

    outputs = Simulator(network).steady_state(x).outputs
    classes = network.classify(outputs)
    heading, columns = list(network.output_names), list(outputs.T)
    if network.class_names is not None:
        heading.append("class")
        columns.append(classes)
    write_table(heading, columns, output, overwrite)
    if truth is not None:
        print(f"accuracy: {np.mean(classes == truth):.1%} of {len(truth)}", file=sys.stderr)
