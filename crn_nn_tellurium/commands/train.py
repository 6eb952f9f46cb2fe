"""`crn-nn train`: a network learnt from a table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from crn_nn_tellurium.basics import companion_of, suggest_identifier
from crn_nn_tellurium.commands.arguments import Overwrite, are_numbers, listed, read_table
from crn_nn_tellurium.commands.console import (
    check_network_file,
    check_new,
    console,
    new_table,
    say,
    say_written,
)
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.networks import TASKS

if TYPE_CHECKING:
    from crn_nn_tellurium.training import FitResult

# A target of whole numbers with more values than this is an amount, unless --task says otherwise
_MANY_CLASSES = 20
# Whole numbers below this are exact as floats
_WHOLE = 2**53


def command(
    data: Annotated[
        Path, Argument(help="CSV with a header; every column but the target is a feature.")
    ],
    output: Annotated[Path, Option("-o", "--output", help="File for the network, NAME.json.")],
    target: Annotated[str, Option(help="Column to learn.")],
    layers: Annotated[str, Option(help="Sizes of the hidden layers: 8,8")] = "12",
    task: Annotated[
        str,
        Option(help="classification, regression, or auto: fractions and many values regress."),
    ] = "auto",
    h: Annotated[float, Option(help="Smoothing.")] = 0.01,
    alpha: Annotated[float, Option(help="Penalty on rate constants.")] = 1.0,
    solver: Annotated[str, Option(help="lbfgs or adam.")] = "lbfgs",
    max_iter: Annotated[int, Option(help="Iterations or epochs at most.", min=1)] = 300,
    max_rate_constant: Annotated[
        float | None, Option(help="Largest rate constant, in training units.")
    ] = None,
    cv: Annotated[
        float | None, Option(help="Train for rate constants off by this coefficient of variation.")
    ] = None,
    volume: Annotated[
        float | None,
        Option(
            help="Train for few molecules, so many at a concentration of 1. Features are then taken"
            " as they are, best from 0 to 1."
        ),
    ] = None,
    density: Annotated[float, Option(help="Share of the weights that remain.")] = 1.0,
    held_out: Annotated[
        float, Option(help="Share of the rows kept for the report.", min=0.0, max=0.9)
    ] = 0.2,
    seed: Annotated[int, Option(help="Of start values and of the held-out rows.", min=0)] = 0,
    plot: Annotated[Path | None, Option(help="Picture of the loss over training.")] = None,
    overwrite: Overwrite = False,
) -> None:
    """Train a network on a table, verify it by its chemistry, and save it.

    Example: [bold]crn-nn train flowers.csv --target species --layers 8,8 -o flowers.json[/bold]
    """
    if cv is not None and volume is not None:
        raise InputError("--cv and --volume are two kinds of noise; expected one of them")
    check_network_file(output)
    check_new(overwrite, output, picture=plot)
    names, x, cells = read_table(data).features_and_target(target)
    sizes = listed("--layers", layers, int, "whole numbers with commas between: 8,8")
    regress, y = _task_and_targets(task, target, cells)
    with console.status("loading"):
        from crn_nn_tellurium.training import Molecules, train_on_table

    settings = {
        "hidden_layer_sizes": sizes,
        "verbose": None,
        "h": h,
        "alpha": alpha,
        "solver": solver,
        "max_iter": max_iter,
        "max_rate_constant": max_rate_constant,
        "noise": cv if volume is None else Molecules(volume),
        # a scaling folded in would have noise of its own
        "standardize": volume is None,
        "density": density,
        "random_state": seed,
    }
    model, report = train_on_table(names, x, y, regress, settings, held_out)
    # named after its file, as all networks that are loaded from one
    replace(model.network_, name=suggest_identifier("network", output.stem)).save(output)
    if plot is not None:
        _draw(model.fit_result_, plot)
    title = f"{output.name}: {len(names)} features, {model.network_.task}"
    _print(title, report, model.fit_result_)
    say_written("network", output, companion_of(output))
    say_written("picture", plot)


def _print(title: str, report: list[tuple[str, str]], result: FitResult) -> None:
    table = new_table(title, [""], [""])
    for what, text in report:
        table.add_row(what, text)
    console.print(table)
    say(f"training: {result.stopped}")
    say(str(result.verification))


def _draw(result: FitResult, path: Path) -> None:
    from crn_nn_tellurium.plots import new_figure, plot_history, save_figure

    figure = new_figure()
    plot_history(result, figure.subplots())
    save_figure(figure, path)


def _task_and_targets(task: str, target: str, cells: list[str]) -> tuple[bool, list[Any]]:
    """Whether to regress, and the targets: amounts, or classes as whole numbers or texts."""
    if task not in ("auto", *TASKS):
        raise InputError(f"--task is {task!r}; expected {', '.join(TASKS)} or auto")
    if not are_numbers(cells):
        if task == "regression":
            raise InputError(
                f"--target {target!r} holds {cells[0]!r}, which is no number; expected --task"
                " classification"
            )
        return False, cells
    values = [float(cell) for cell in cells]
    # 3 classes may be called 0, 1, 2; 150 whole numbers are more likely counts
    amounts = any(value != int(value) for value in values) or len(set(values)) > _MANY_CLASSES
    if task == "regression" or (task == "auto" and amounts):
        return True, values
    # classes 1.0 and 1 are one; beyond the whole numbers that floats hold, the texts are kept
    if all(value == int(value) and abs(value) < _WHOLE for value in values):
        return False, [int(value) for value in values]
    return False, cells
