"""`crn-nn predict`: the chemistry's answers to a table."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from typer import Option

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.commands.arguments import (
    CsvTable,
    Data,
    Net,
    Out,
    Overwrite,
    load_network,
    read_table,
)
from crn_nn_tellurium.commands.console import check_new, note, write_table
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.networks import Network


def command(
    net: Net,
    data: Data,
    output: Out = None,
    target: Annotated[
        str | None,
        Option(help="Column with the truth; prints the accuracy, or R2 of a regression."),
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Outputs of every row of a CSV, as the chemistry settles, and of a classifier the classes.

    Example: [bold]crn-nn predict iris flowers.csv -o answers.csv --target species[/bold]
    """
    network = load_network(net)
    table = read_table(data, network)
    x = table.numbers(network.input_names)
    # before the chemistry is asked: a wrong target is found at once
    truth = None if target is None else _truth(table, target, network)
    check_new(overwrite, output)
    from crn_nn_tellurium.simulation import Simulator

    outputs = Simulator(network).steady_state(x).outputs
    heading, columns = list(network.output_names), list(outputs.T)
    if network.task == "classification":
        heading.append("class")
        columns.append(network.classify(outputs))
    write_table(heading, columns, output, overwrite, f"{len(x)} answers")
    if truth is not None:
        note(f"{_score(network, outputs, truth)} of {len(truth)}")


def _truth(table: CsvTable, target: str, network: Network) -> Any:
    if network.task == "classification":
        return table.labels(target, network)
    if network.n_out > 1:
        raise InputError(
            f"--target {target!r} is one column, and the network has {network.n_out} outputs;"
            " expected a network with one, or no --target"
        )
    return table.numbers([target], "the target")[:, 0]


def _score(network: Network, outputs: FloatArray, truth: Any) -> str:
    if network.task == "classification":
        return f"accuracy: {np.mean(network.classify(outputs) == truth):.1%}"
    if len(truth) < 2:
        return "R2: none, which takes two rows or more,"
    # scikit-learn takes a second to import
    from sklearn.metrics import r2_score

    return f"R2: {r2_score(truth, outputs[:, 0]):.3f}"
