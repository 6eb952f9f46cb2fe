"""`crn-nn gradient`: the gradient of a loss, by any method, or by all."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
from typer import Argument, Exit, Option

from crn_nn_tellurium.commands.arguments import (
    Net,
    Overwrite,
    are_numbers,
    load_network,
    read_table,
)
from crn_nn_tellurium.commands.console import check_new, console, new_table, say, write_table
from crn_nn_tellurium.errors import InputError


def command(
    net: Net,
    data: Annotated[Path, Argument(help="CSV with a column per input and the targets.")],
    target: Annotated[
        str, Option(help="Target columns, with commas between, one per output; or one of labels.")
    ],
    loss: Annotated[str, Option(help="squared_error, cross_entropy or hinge.")] = "squared_error",
    method: Annotated[
        str, Option(help="adjoint, forward, finite_difference, control_coefficients, closed_form.")
    ] = "adjoint",
    check: Annotated[
        bool, Option("--check", help="Compare all methods; exit code 1 if they disagree.")
    ] = False,
    output: Annotated[
        Path | None, Option("-o", "--output", help="CSV of parameter, value, derivative.")
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """The gradient of a loss: of every weight, bias and h, at the chemistry's steady state.

    Example: [bold]crn-nn gradient iris flowers.csv --target species --loss cross_entropy[/bold]
    """
    network = load_network(net)
    check_new(overwrite, output)
    cells = read_table(data, network)
    x = cells.numbers(network.input_names)
    columns = [name.strip() for name in target.split(",")]
    # one column may hold labels; several are numbers, one for each output
    one = len(columns) == 1
    if loss == "squared_error" and one and not are_numbers(cells.column(columns[0])):
        expected = "--loss cross_entropy or hinge, or number columns"
        raise InputError(f"--target {target!r} holds labels; expected {expected}")
    if one and loss != "squared_error":
        y = cells.labels(columns[0], network)
    else:
        y = cells.numbers(columns, "the targets")
        y = y[:, 0] if one else y
    with console.status("solving steady states"):
        from crn_nn_tellurium.networks import parameters, to_vector
        from crn_nn_tellurium.sensitivity import check_gradients, gradient

        found = gradient(network, x, y, loss, method)  # type: ignore[arg-type]  # checked there
    table = new_table(
        f"{network.name}: {loss} {found.loss:.6g} over {len(x)} samples, by {method}",
        ["layer"],
        ["weights", "|d loss / d weights|", "|d loss / d biases|", "d loss / d h"],
    )
    for layer, by_weight, by_bias, by_h in zip(
        network.layers, found.weights, found.biases, found.h, strict=True
    ):
        # weights may be sparse, which np.linalg.norm does not take
        sizes = float(np.sqrt((by_weight * by_weight).sum())), np.linalg.norm(by_bias), by_h
        table.add_row(layer.name, f"{layer.n_weights}", *(f"{size:.4g}" for size in sizes))
    console.print(table)
    if output is not None:
        values = [p.id for p in parameters(network)], to_vector(network), found.vector()
        write_table(["parameter", "value", "derivative"], values, output, overwrite)
    if check:
        with console.status("comparing all methods"):
            report = check_gradients(network, x, y, loss)
        say(repr(report))
        if not report.passed:
            raise Exit(1)
