"""The command `crn-nn`: parses and prints; the work is done by the modules it calls.

What a user can mend (a file, a column, a shape, a name) ends in one line on standard error and
exit code 2; a steady state that is not found ends in exit code 1.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import numpy as np
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from crn_nn_tellurium._version import __version__
from crn_nn_tellurium.basics import (
    check_target,
    read_text,
    some,
    suggest_identifier,
    to_csv,
    write_bytes,
)
from crn_nn_tellurium.commands.tables import are_numbers, labels, numbers, read_table, training_data
from crn_nn_tellurium.errors import ConvergenceError, InputError, MissingPackageError
from crn_nn_tellurium.networks import Network, load_model

if TYPE_CHECKING:
    from crn_nn_tellurium.certificates import Certificate
    from crn_nn_tellurium.chemistry import PhysicalUnits
    from crn_nn_tellurium.commands.demo import DemoRow

_MANY_CLASSES = 20
"""A target of whole numbers with more values than this is an amount, unless --task says otherwise.
"""

_MANY_INPUTS = 8
"""For more inputs than this, `certify` prints the worst over all of them."""

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help=(
        "Neural networks as chemical reaction networks. NET is a network's .json file, or a shipped"
        " model: xor, moons, iris, digits.\n\nFirst look: [bold]crn-nn demo[/bold]"
    ),
)

NetArgument = Annotated[
    str, typer.Argument(metavar="NET", help="A network's .json file, or a shipped model's name.")
]
OutOption = Annotated[
    Optional[Path],
    typer.Option("-o", "--output", help="File to write; by default standard output."),
]
FormOption = Annotated[str, typer.Option(help="reactions (one per weight), compact, or numbers.")]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace an existing file.")]


def main() -> None:
    """Run the command; errors that a user can mend become one line."""
    try:
        app()
    except ConvergenceError as error:
        _fail(error, 1)
    except (ValueError, OSError, MissingPackageError) as error:
        if not _ours(error):
            raise
        _fail(error, 2)


def _ours(error: Exception) -> bool:
    return isinstance(error, OSError) or type(error).__module__ == "crn_nn_tellurium.errors"


def _fail(error: Exception, code: int) -> None:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    where = f"{error.filename}: " if isinstance(error, OSError) and error.filename else ""
    print(f"crn-nn: {where}{' '.join(text.split())}", file=sys.stderr)
    raise SystemExit(code)


def _version(value: bool) -> None:
    if value:
        print(__version__)
        raise typer.Exit()


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def _load(net: str) -> Network:
    return load_model(net) if not Path(net).suffix and not Path(net).exists() else Network.load(net)


def _check_new(path: Path | None, overwrite: bool) -> None:
    """Refuse a file that cannot be written, before the work for it is done."""
    if path is None:
        return
    if path.exists() and not overwrite:
        raise FileExistsError(f"{str(path)!r} exists; --overwrite replaces it")
    check_target(path)


def _write(text: str, output: Path | None, overwrite: bool) -> None:
    if output is None:
        sys.stdout.write(text)
        return
    _check_new(output, overwrite)
    write_bytes(output, text.encode())


def _input_values(text: str, network: Network) -> list[float]:
    try:
        return [float(cell) for cell in text.split(",")]
    except ValueError as error:
        raise InputError(
            f"--input is {text!r}; expected {network.n_in} numbers with commas between"
        ) from error


@app.command()
def demo(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the pictures.")] = Path(
        "crn-nn-demo"
    ),
) -> None:
    """Run XOR and handwritten digits through their chemistry, with a table and pictures.

    Example: [bold]crn-nn demo -o /tmp/demo[/bold]
    """
    output.mkdir(parents=True, exist_ok=True)
    console = Console()
    console.print(
        "A trained neural network becomes a mass-action reaction network: each weight is a"
        " reaction, each unit a species (or two). roadrunner simulates the chemistry; where it"
        " settles, the concentrations are the network's outputs. Here are two networks, answered by"
        " their chemistry.\n"
    )
    columns = (
        TextColumn("{task.description:24}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("loading", total=None)
        from crn_nn_tellurium.commands.demo import run_demo

        def show(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total)

        rows, pictures = run_demo(output, show)
    table = Table(title="Held-out data, answered by chemistry")
    table.add_column()
    for row in rows:
        table.add_column(row.name, justify="right")
    lines: dict[str, Callable[[DemoRow], str]] = {
        "species": lambda row: f"{row.species}",
        "reactions": lambda row: f"{row.reactions}",
        "held-out samples": lambda row: f"{row.samples}",
        "accuracy, plain network": lambda row: f"{row.plain_accuracy:.1%}",
        "accuracy, chemistry": lambda row: f"{row.chemistry_accuracy:.1%}",
        "largest |chemistry - formula|": lambda row: f"{row.difference:.0e}",
        "time to compile": lambda row: f"{row.compile_seconds:.2f} s",
        "time per sample": lambda row: f"{row.sample_seconds * 1e3:.2f} ms",
    }
    for label, text in lines.items():
        table.add_row(label, *map(text, rows))
    console.print(table)
    for picture in pictures:
        console.print(f"picture: {picture}", soft_wrap=True)
    console.print(
        "\nNext: [bold]crn-nn show xor[/bold], [bold]crn-nn compile xor[/bold], and notebooks/."
    )


@app.command()
def show(
    net: NetArgument,
    reactions: Annotated[int, typer.Option(help="How many reactions to list.", min=0)] = 12,
) -> None:
    """What a network is made of: layers, species, reactions.

    Example: [bold]crn-nn show iris --reactions 20[/bold]
    """
    from crn_nn_tellurium.encoding import to_reactions

    network = _load(net)
    crn = to_reactions(network)
    console = Console(soft_wrap=True)
    table = Table(
        title=f"{network.name}: {network.n_in} inputs ({network.inputs}), {network.n_out} outputs"
    )
    for heading in ("layer", "reads", "units", "activation", "weights"):
        table.add_column(heading)
    for layer in network.layers:
        table.add_row(
            layer.name,
            ", ".join(layer.inputs),
            f"{layer.n_out}",
            str(layer.activation),
            f"{layer.n_weights}",
        )
    console.print(table)
    console.print(
        f"inputs:  {some(network.input_names)}\noutputs: {some(network.output_names)}",
        highlight=False,
    )
    if network.class_names is not None:
        console.print(f"classes: {some([str(c) for c in network.class_names])}", highlight=False)
    console.print(repr(crn), highlight=False)
    for reaction in crn.reactions[:reactions]:
        console.print(
            f"  {reaction.id}: {reaction.equation}    {reaction.rate_constant} ="
            f" {reaction.value:.6g}",
            highlight=False,
        )
    if len(crn.reactions) > reactions:
        console.print(f"  ... {len(crn.reactions) - reactions} more", highlight=False)


@app.command(name="compile")
def compile_(
    net: NetArgument,
    output: OutOption = None,
    form: FormOption = "reactions",
    overwrite: OverwriteOption = False,
) -> None:
    """Write the network's chemistry as Antimony.

    Example: [bold]crn-nn compile xor -o xor.ant[/bold]
    """
    from crn_nn_tellurium.encoding import to_antimony

    _write(to_antimony(_load(net), form), output, overwrite)  # type: ignore[arg-type]  # checked by to_antimony


@app.command()
def export(
    net: NetArgument,
    output: Annotated[
        Path, typer.Option("-o", "--output", help="File; its ending chooses the format.")
    ],
    format: Annotated[
        Optional[str], typer.Option(help="Format by name: sbml-l3v1, sbml-l2v4, petab-v2 ...")
    ] = None,
    input: Annotated[
        Optional[str], typer.Option("--input", help="Input values that the file holds: 0,1")
    ] = None,
    data: Annotated[
        Optional[Path], typer.Option(help="CSV of training data, for .yaml (PEtab) and .cps.")
    ] = None,
    target: Annotated[
        Optional[str], typer.Option(help="Column of the data with the true class.")
    ] = None,
    setting: Annotated[
        Optional[list[str]],
        typer.Option("--set", help="An option of the format: layout=true, t_end=200."),
    ] = None,
    dna: Annotated[
        bool,
        typer.Option("--dna", help="Write it as DNA; --set fuel=5000, c0, tau, q_max, c_max too."),
    ] = False,
    overwrite: OverwriteOption = False,
) -> None:
    """Write the network for another tool.

    .xml SBML, .omex COMBINE archive, .cps COPASI, .yaml PEtab, .bngl BioNetGen, .py PySB, .ka
    Kappa, .jl Catalyst, .crn, .dsd Visual DSD, .ant Antimony, .tex, .csv, .graphml, .dot; with
    --dna also .pil (strands) and .np (NUPACK).

    Example: [bold]crn-nn export iris -o iris.xml --set layout=true[/bold]
    """
    from crn_nn_tellurium.exporters import export as export_to

    network = _load(net)
    x = None if input is None else _input_values(input, network)
    options = dict(map(_setting, setting or ()))
    if (data is None) != (target is None):
        raise InputError(
            "--data and --target go together: a file, and its column with the true class"
        )
    if data is not None and target is not None:
        table = read_table(data, network)
        options |= {
            "X": numbers(data, table, network.input_names),
            "Y": labels(data, table, target, network),
        }
    if dna:
        from crn_nn_tellurium.dna import StrandOptions, to_strand_displacement

        names = [entry.name for entry in fields(StrandOptions)]
        tube = StrandOptions(**{name: options.pop(name) for name in names if name in options})
        implementation = to_strand_displacement(network, x, tube)
        Console(stderr=True).print(repr(implementation), highlight=False)
        path = export_to(implementation, output, format, overwrite, **options)
    else:
        path = export_to(network, output, format, overwrite, x=x, **options)
    Console(stderr=True).print(f"wrote {path}", highlight=False)


def _setting(text: str) -> tuple[str, Any]:
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise InputError(
            f"--set is {text!r}; expected an option of the format and its value: layout=true"
        )
    try:
        return name, json.loads(value.lower() if value.lower() in ("true", "false") else value)
    except ValueError:
        return name, value


@app.command()
def predict(
    net: NetArgument,
    data: Annotated[
        Path,
        typer.Argument(help="CSV with a column per input, by name; or numbers without a header."),
    ],
    output: OutOption = None,
    target: Annotated[
        Optional[str], typer.Option(help="Column with the true class; prints the accuracy.")
    ] = None,
    overwrite: OverwriteOption = False,
) -> None:
    """Outputs and classes of every row of a CSV, as the chemistry settles.

    Example: [bold]crn-nn predict iris flowers.csv -o answers.csv --target species[/bold]
    """
    network = _load(net)
    table = read_table(data, network)
    x = numbers(data, table, network.input_names)
    truth = None if target is None else labels(data, table, target, network)
    _check_new(output, overwrite)
    from crn_nn_tellurium.simulation import Simulator

    outputs = Simulator(network).steady_state(x).outputs
    classes = network.classify(outputs)
    lines = [[repr(value) for value in row] for row in outputs.tolist()]
    heading = list(network.output_names)
    if network.class_names is not None:
        heading.append("class")
        lines = [[*line, str(label)] for line, label in zip(lines, classes.tolist(), strict=True)]
    _write(to_csv([heading, *lines]), output, overwrite)
    if truth is not None:
        print(f"accuracy: {np.mean(classes == truth):.1%} of {len(truth)}", file=sys.stderr)


@app.command()
def simulate(
    net: NetArgument,
    input: Annotated[str, typer.Option("--input", help="Input values, comma-separated: 0,1")],
    t_end: Annotated[float, typer.Option("--t-end", help="Last time.")] = 50.0,
    points: Annotated[int, typer.Option(help="Number of times.", min=2, max=1_000_000)] = 501,
    initial: Annotated[
        Optional[float], typer.Option(help="Start concentration of every species.")
    ] = None,
    volume: Annotated[
        Optional[float], typer.Option(help="Run stochastically in this volume.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of a stochastic run.", min=0)] = 0,
    output: OutOption = None,
    plot: Annotated[Optional[Path], typer.Option(help="Picture of the outputs over time.")] = None,
    overwrite: OverwriteOption = False,
) -> None:
    """A time course of all species and outputs, as CSV and as a picture.

    Example: [bold]crn-nn simulate xor --input 0,1 --plot xor.png[/bold]
    """
    network = _load(net)
    x = _input_values(input, network)
    for file in (plot, output):
        _check_new(file, overwrite)
    from crn_nn_tellurium.simulation import Simulator

    simulator = Simulator(network)
    course = simulator.time_course(x, t_end, points, initial=initial, volume=volume, seed=seed)
    if plot is not None:
        from crn_nn_tellurium.plots import new_figure, plot_time_course, save_figure

        figure = new_figure()
        plot_time_course(course, ax=figure.subplots()).set_title(f"{network.name}, inputs {input}")
        save_figure(figure, plot)
    if output is not None or plot is None:
        values = np.column_stack([course.time, course.species, course.outputs]).tolist()
        heading = ["time", *course.species_names, *course.output_names]
        _write(
            to_csv([heading, *([repr(value) for value in row] for row in values)]),
            output,
            overwrite,
        )
    else:
        for name, value in zip(network.output_names, network(x).tolist(), strict=True):
            print(f"{name} = {course[name][-1]:.6g} at t = {t_end:g}; settles at {value:.6g}")


@app.command()
def train(
    data: Annotated[
        Path, typer.Argument(help="CSV with a header; every column but the target is a feature.")
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="File for the network, NAME.json.")
    ],
    target: Annotated[str, typer.Option(help="Column to learn.")],
    layers: Annotated[str, typer.Option(help="Sizes of the hidden layers: 8,8")] = "12",
    task: Annotated[
        str,
        typer.Option(
            help=(
                "classify, regress, or auto: regress where the target has fractions or many values."
            )
        ),
    ] = "auto",
    h: Annotated[float, typer.Option(help="Smoothing.")] = 0.01,
    alpha: Annotated[float, typer.Option(help="Penalty on rate constants.")] = 1.0,
    solver: Annotated[str, typer.Option(help="lbfgs or adam.")] = "lbfgs",
    max_iter: Annotated[int, typer.Option(help="Iterations or epochs at most.", min=1)] = 300,
    max_rate_constant: Annotated[
        Optional[float], typer.Option(help="Largest rate constant, in training units.")
    ] = None,
    noise: Annotated[
        float, typer.Option(help="Train for rate constants off by this coefficient of variation.")
    ] = 0.0,
    density: Annotated[float, typer.Option(help="Share of the weights that remain.")] = 1.0,
    held_out: Annotated[
        float, typer.Option(help="Share of the rows kept for the report.", min=0.0, max=0.9)
    ] = 0.2,
    seed: Annotated[int, typer.Option(help="Of start values and of the held-out rows.", min=0)] = 0,
    plot: Annotated[Optional[Path], typer.Option(help="Picture of the loss over training.")] = None,
    overwrite: OverwriteOption = False,
) -> None:
    """Train a network on a table, verify it by its chemistry, and save it.

    Example: [bold]crn-nn train flowers.csv --target species --layers 8,8 -o flowers.json[/bold]
    """
    for file in (output, plot):
        _check_new(file, overwrite)
    if plot is not None:
        from crn_nn_tellurium.plots import check_picture

        check_picture(plot)
    names, x, cells = training_data(data, target)
    try:
        sizes = [int(cell) for cell in layers.split(",")]
    except ValueError as error:
        raise InputError(
            f"--layers is {layers!r}; expected whole numbers with commas between: 8,8"
        ) from error
    if task not in ("auto", "classify", "regress"):
        raise InputError(f"--task is {task!r}; expected classify, regress or auto")
    values = [float(cell) for cell in cells] if are_numbers(cells) else []
    if task == "regress" and not values:
        raise InputError(
            f"--target {target!r} holds {cells[0]!r}, which is no number; expected --task classify"
        )
    amounts = any(value != int(value) for value in values) or len(set(values)) > _MANY_CLASSES
    regress = task == "regress" or (task == "auto" and amounts)
    console = Console()
    with console.status("loading"):
        from crn_nn_tellurium.training import train_on_table

    settings = {
        "hidden_layer_sizes": sizes, "verbose": None, "h": h, "alpha": alpha, "solver": solver, "max_iter": max_iter,
        "max_rate_constant": max_rate_constant, "noise": noise, "density": density, "random_state": seed,
    }  # fmt: skip
    whole = bool(values) and all(value == int(value) and abs(value) < 2**53 for value in values)
    y: list[Any] = values if regress else [int(value) for value in values] if whole else cells
    model, report = train_on_table(names, x, y, regress, settings, held_out)
    result = model.fit_result_
    replace(model.network_, name=suggest_identifier("network", output.stem)).save(output)
    if plot is not None:
        from crn_nn_tellurium.plots import plot_history, save_figure

        save_figure(plot_history(result).figure, plot)  # type: ignore[arg-type]
    table = Table(
        title=(
            f"{output.name}: {len(names)} features, {'regression' if regress else 'classification'}"
        )
    )
    table.add_column()
    table.add_column(justify="right")
    for what, text in report:
        table.add_row(what, text)
    console.print(table)
    for line in (f"training: {result.stopped}", str(result.verification), f"network: {output}"):
        console.print(line, soft_wrap=True, highlight=False)


@app.command()
def gradient(
    net: NetArgument,
    data: Annotated[Path, typer.Argument(help="CSV with a column per input and the targets.")],
    target: Annotated[
        str,
        typer.Option(help="Target columns, with commas between, one per output; or one of labels."),
    ],
    loss: Annotated[
        str, typer.Option(help="squared_error, cross_entropy or hinge.")
    ] = "squared_error",
    method: Annotated[
        str,
        typer.Option(
            help="adjoint, forward, finite_difference, control_coefficients, closed_form."
        ),
    ] = "adjoint",
    check: Annotated[
        bool, typer.Option("--check", help="Compare all methods; exit code 1 if they disagree.")
    ] = False,
    output: Annotated[
        Optional[Path], typer.Option("-o", "--output", help="CSV of parameter, value, derivative.")
    ] = None,
    overwrite: OverwriteOption = False,
) -> None:
    """The gradient of a loss with respect to every weight, bias and h, at the chemistry's steady
    state.

    Example: [bold]crn-nn gradient iris flowers.csv --target species --loss cross_entropy[/bold]
    """
    network = _load(net)
    _check_new(output, overwrite)
    cells = read_table(data, network)
    x = numbers(data, cells, network.input_names)
    columns = [name.strip() for name in target.split(",")]
    y = (
        labels(data, cells, target, network)
        if len(columns) == 1
        else numbers(data, cells, columns, "the targets")
    )
    if loss == "squared_error" and len(columns) == 1 and not are_numbers(cells[target]):
        raise InputError(
            f"--target {target!r} holds labels; expected --loss cross_entropy or hinge, or number"
            " columns"
        )
    console = Console()
    with console.status("solving steady states"):
        from crn_nn_tellurium.networks import parameters, to_vector
        from crn_nn_tellurium.sensitivity import check_gradients, gradient as gradient_of

        found = gradient_of(network, x, y, loss, method)  # type: ignore[arg-type]  # checked there
    table = Table(
        title=f"{network.name}: {loss} {found.loss:.6g} over {len(x)} samples, by {method}"
    )
    for heading in (
        "layer",
        "weights",
        "|d loss / d weights|",
        "|d loss / d biases|",
        "d loss / d h",
    ):
        table.add_column(heading, justify="right" if heading != "layer" else "left")
    for layer, by_weight, by_bias, by_h in zip(
        network.layers, found.weights, found.biases, found.h, strict=True
    ):
        size = float(np.sqrt((by_weight * by_weight).sum()))
        table.add_row(
            layer.name,
            f"{layer.n_weights}",
            f"{size:.4g}",
            f"{np.linalg.norm(by_bias):.4g}",
            f"{by_h:.4g}",
        )
    console.print(table)
    if output is not None:
        rows = zip(
            parameters(network), to_vector(network).tolist(), found.vector().tolist(), strict=True
        )
        text = to_csv(
            [["parameter", "value", "derivative"], *([p.id, repr(v), repr(d)] for p, v, d in rows)]
        )
        _write(text, output, overwrite)
    if check:
        with console.status("comparing all methods"):
            report = check_gradients(network, x, y, loss)
        console.print(repr(report), soft_wrap=True, highlight=False, markup=False)
        if not report.passed:
            raise typer.Exit(1)


@app.command()
def certify(
    net: NetArgument,
    data: Annotated[
        Optional[Path],
        typer.Argument(help="CSV with a column per input, by name; or numbers without a header."),
    ] = None,
    input: Annotated[
        Optional[list[str]], typer.Option("--input", help="Input values: 0,1. May be repeated.")
    ] = None,
    tolerance: Annotated[float, typer.Option(help="Absolute, in units of the outputs.")] = 1e-3,
    rates: Annotated[
        float, typer.Option(help="Relative error that every rate constant may have.")
    ] = 0.0,
    bound: Annotated[
        str, typer.Option(help="envelope, or cheap: a closed form, later and at once.")
    ] = "envelope",
    initial_max: Annotated[
        float,
        typer.Option(help="Largest start of species for which no bound over all starts exists."),
    ] = 1e6,
    max_rate_constant: Annotated[
        Optional[float],
        typer.Option(
            help="Largest bimolecular one, in 1/M/s, which sets the time unit; 1e6 without --tau."
        ),
    ] = None,
    c0: Annotated[float, typer.Option(help="Concentration of 1, in nM.")] = 10.0,
    tau: Annotated[
        Optional[float], typer.Option(help="Time unit in s, instead of the fastest one.")
    ] = None,
    output: Annotated[
        Optional[Path], typer.Option("-o", "--output", help="CSV with a row per input.")
    ] = None,
    plot: Annotated[
        Optional[Path], typer.Option(help="Picture of the slowest input's envelope.")
    ] = None,
    overwrite: OverwriteOption = False,
) -> None:
    """By when the outputs are settled, whatever was in the tube, and how wrong rate constants may
    be.

    Example: [bold]crn-nn certify xor --input 0,1 --input 1,1 --rates 0.02 --plot xor.png[/bold]
    """
    network = _load(net)
    if tau is not None and max_rate_constant is not None:
        raise InputError(
            "--tau and --max-rate-constant are both given; expected one, for it sets the other"
        )
    if plot is not None and bound != "envelope":
        raise InputError(
            f"--plot shows the envelope; expected --bound envelope with it, not {bound!r}"
        )
    names, x = _inputs_to_certify(network, data, input or [])
    for file in (output, plot):
        _check_new(file, overwrite)
    if plot is not None:
        from crn_nn_tellurium.plots import check_picture

        check_picture(plot)
    console = Console()
    with console.status("certifying"):
        from crn_nn_tellurium.certificates import certified_margin, certify as certificate_for
        from crn_nn_tellurium.chemistry import PhysicalUnits
        from crn_nn_tellurium.encoding import MAX_RATE_CONSTANT, fastest_units

        largest = MAX_RATE_CONSTANT if max_rate_constant is None else max_rate_constant
        units = fastest_units(network, largest, c0) if tau is None else PhysicalUnits(c0, tau)
        found = certificate_for(
            network, x, tolerance, bound=bound, initial_max=initial_max, rates=rates  # type: ignore[arg-type]  # checked
        )  # fmt: skip
        margins = None if network.class_names is None else certified_margin(network, x)
    if output is not None:
        _write(to_csv(_certified_rows(network, x, found, units, margins)), output, overwrite)
    if plot is not None:
        _plot_certificate(network, x, found, units, plot)
    _print_certificate(console, network, names, x, found, units, margins)
    _print_files(console, {"table": output, "picture": plot})


def _print_files(console: Console, written: dict[str, Path | None]) -> None:
    """Say which files there are now."""
    for what, path in written.items():
        if path is not None:
            console.print(f"{what}: {path}", soft_wrap=True, highlight=False)


def _inputs_to_certify(
    network: Network, data: Path | None, given: list[str]
) -> tuple[list[str], Any]:
    """Names for the rows of a table, and the inputs (n_samples, n_in)."""
    if data is None and not given:
        raise InputError(
            f"no inputs to certify; expected --input with {network.n_in} numbers, or a CSV file"
        )
    if data is not None and given:
        raise InputError(f"both {str(data)!r} and --input are given; expected one of them")
    if data is not None:
        x = numbers(data, read_table(data, network), network.input_names)
        return [f"row {i}" for i in range(1, len(x) + 1)], x
    rows = [_input_values(text, network) for text in given]
    if any(len(row) != network.n_in for row in rows):
        raise InputError(
            f"--input {given}: expected {network.n_in} numbers each, one per input of"
            f" {network.name}"
        )
    return [text if len(text) <= 7 else f"no. {i}" for i, text in enumerate(given, 1)], np.array(
        rows
    )


def _print_certificate(
    console: Console,
    network: Network,
    names: list[str],
    x: Any,
    found: Certificate,
    units: PhysicalUnits,
    margins: Any,
) -> None:
    many = len(x) > _MANY_INPUTS
    console.print(
        (_outputs_over_inputs if many else _outputs_by_input)(network, x, names, found, units)
    )
    if margins is not None:
        classes = network.predict(x)
        console.print(
            (_classes_over_inputs if many else _classes_by_input)(network, names, classes, margins)
        )
    console.print(_what_is_certified(network, found, units, names))


def _plot_certificate(
    network: Network, x: Any, found: Certificate, units: PhysicalUnits, path: Path
) -> None:
    from crn_nn_tellurium.plots import new_figure, plot_envelope, save_figure
    from crn_nn_tellurium.simulation import Simulator

    simulator, slowest = Simulator(network), int(found.by_sample.max(axis=1).argmax())
    t_end = 2 * found.settling_time or 1.0
    courses = [
        simulator.time_course(x[slowest], t_end, 5001, initial=start)
        for start in (0.0, None, 100.0)
    ]
    figure = new_figure((8, 4.8))
    plot_envelope(found, courses, figure.subplots(), units=units).set_title(
        f"{network.name}, slowest input"
    )
    save_figure(figure, path)


def _output_labels(network: Network) -> list[str]:
    if network.class_names is None or network.n_out == 1:
        return list(network.output_names)
    return [
        f"{name}: {label}"
        for name, label in zip(network.output_names, network.class_names, strict=True)
    ]


def _outputs_table(
    network: Network, found: Certificate, first: tuple[str, ...], value: str
) -> Table:
    off = f", rate constants off by {_percent(found.rates)}" if found.rates else ""
    table = Table(title=f"{network.name}: outputs to within {found.tolerance:g}{off}")
    for heading in first:
        table.add_column(heading, no_wrap=heading == "input")
    table.add_column(value, justify="right")
    if found.rates:
        table.add_column("guaranteed", justify="right", no_wrap=True)
    table.add_column("settled by t", justify="right", min_width=9)
    table.add_column("settled (h)", justify="right", min_width=9)
    return table


def _interval(found: Certificate, lower: float, upper: float) -> list[str]:
    return [f"{lower:.4g} to {upper:.4g}"] if found.rates else []


def _outputs_by_input(
    network: Network, x: Any, names: list[str], found: Certificate, units: PhysicalUnits
) -> Table:
    table = _outputs_table(network, found, ("input", "output"), "settles at")
    for i, values in enumerate(network(x).tolist()):
        for j, label in enumerate(_output_labels(network)):
            interval = _interval(found, found.outputs.lower[i, j], found.outputs.upper[i, j])
            time = found.by_sample[i, j]
            row = (names[i] if j == 0 else "", label, f"{values[j]:.4g}", *interval)
            table.add_row(
                *row, f"{time:.4g}", f"{units.hours(time):.3g}", end_section=j == network.n_out - 1
            )
    return table


def _outputs_over_inputs(
    network: Network, x: Any, names: list[str], found: Certificate, units: PhysicalUnits
) -> Table:
    table = _outputs_table(network, found, ("output",), f"settles between, {len(names)} inputs")
    values = network(x)
    for j, label in enumerate(_output_labels(network)):
        interval = _interval(
            found, found.outputs.lower[:, j].min(), found.outputs.upper[:, j].max()
        )
        span, time = (
            f"{values[:, j].min():.4g} to {values[:, j].max():.4g}",
            found.settling_times[j],
        )
        table.add_row(label, span, *interval, f"{time:.4g}", f"{units.hours(time):.3g}")
    return table


def _classes_by_input(network: Network, names: list[str], classes: Any, margins: Any) -> Table:
    table = Table(title="Predicted class")
    table.add_column("input")
    table.add_column("class")
    table.add_column("certain for rate constants off by up to", justify="right")
    for name, label, margin in zip(names, classes.tolist(), margins.tolist(), strict=True):
        table.add_row(name, str(label), _percent(margin))
    return table


def _classes_over_inputs(network: Network, names: list[str], classes: Any, margins: Any) -> Table:
    table = Table(title="Class, certain for rate constants off by up to")
    for heading in ("class", "inputs", "least", "of input", "median"):
        table.add_column(
            heading, justify="right" if heading in ("inputs", "least", "median") else "left"
        )
    for label in network.class_names or ():
        here = np.flatnonzero(classes == label)
        if len(here):
            least = here[margins[here].argmin()]
            median = _percent(float(np.median(margins[here])))
            table.add_row(
                str(label), f"{len(here)}", _percent(margins[least]), names[least], median
            )
    return table


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _what_is_certified(
    network: Network, found: Certificate, units: PhysicalUnits, names: list[str]
) -> Table:
    from crn_nn_tellurium.chemistry import duration
    from crn_nn_tellurium.encoding import largest_bimolecular

    tube = found.in_units(units)
    slowest = names[int(found.by_sample.max(axis=1).argmax())]
    chain, fastest = (
        " -> ".join(found.chain),
        units.rate_constant(largest_bimolecular(network), 2, "M"),
    )
    off = f", for rate constants off by up to {_percent(found.rates)}" if found.rates else ""
    settled, rate, scale = duration(tube.settling_time), tube.rate, duration(units.tau)
    table = Table(title="What is certified", show_header=False)
    table.add_column(no_wrap=True)
    table.add_column()
    for what, text in (
        ("settled by", f"t = {found.settling_time:.4g}, in the tube {settled}; slowest: {slowest}"),
        ("bound", found.bound),
        (
            "tolerance",
            (
                f"{found.tolerance:g}, in the tube {tube.tolerance:.3g} nM, about each output's"
                " fixed point"
            ),
        ),
        (
            "slowest rate",
            f"{found.rate:.3g}, in the tube {rate:.3g} /s: a factor e in {duration(1 / rate)}",
        ),
        ("slowest chain", chain),
        ("covers", found.starts + off),
        ("uniqueness", found.uniqueness),
        (
            "in the tube",
            (
                f"a value of 1 is {units.c0:g} nM, a time of 1 is {scale}; the largest bimolecular"
                f" rate constant is {fastest:.3g} /M/s"
            ),
        ),
    ):
        table.add_row(what, text)
    return table


def _certified_rows(
    network: Network, x: Any, found: Certificate, units: PhysicalUnits, margins: Any
) -> list[list[str]]:
    """A row per input, with a heading: inputs, and all that is certified of each."""
    heading, columns = list(network.input_names), list(x.T)
    values = network(x)
    for j, name in enumerate(network.output_names):
        heading += [name, f"{name}_lower", f"{name}_upper", f"{name}_settled"]
        columns += [
            values[:, j],
            found.outputs.lower[:, j],
            found.outputs.upper[:, j],
            found.by_sample[:, j],
        ]
    heading.append("settled_hours")
    columns.append(units.hours(found.by_sample.max(axis=1)))
    rows = [[repr(cell) for cell in row] for row in np.column_stack(columns).tolist()]
    if margins is None:
        return [heading, *rows]
    answers = zip(rows, network.predict(x).tolist(), margins.tolist(), strict=True)
    return [
        [*heading, "class", "certain_up_to"],
        *([*row, str(label), repr(margin)] for row, label, margin in answers),
    ]


@app.command()
def scan(
    net: Annotated[
        str,
        typer.Argument(metavar="NET", help="A network, as elsewhere, or an Antimony file (.ant)."),
    ],
    vary: Annotated[
        Optional[list[str]],
        typer.Option(
            "--vary",
            help="h=1e-4:1:log:50, x0=0:1:50 or h1=0.01,0.1. May be repeated; each is a dimension.",
        ),
    ] = None,
    cv: Annotated[
        Optional[str],
        typer.Option(help="Errors of every rate constant, as coefficients of variation: 0.1,0.3."),
    ] = None,
    draws: Annotated[int, typer.Option(help="Draws of errors for each --cv.")] = 100,
    seed: Annotated[int, typer.Option(help="Of the draws.")] = 0,
    input: Annotated[
        Optional[str],
        typer.Option(
            "--input", help="All inputs, 0,1: those not varied; by default 0 or the lowest."
        ),
    ] = None,
    keep: Annotated[
        str,
        typer.Option(
            help="outputs, class, species, settling_time or a species; with commas between."
        ),
    ] = "outputs",
    at: Annotated[
        Optional[str], typer.Option(help="Times of a time course, 1,5,10; else the steady state.")
    ] = None,
    tolerance: Annotated[
        float, typer.Option(help="Of settling_time, in units of the outputs.")
    ] = 1e-3,
    bound: Annotated[str, typer.Option(help="Of settling_time: envelope, or cheap.")] = "envelope",
    output: Annotated[
        Optional[Path], typer.Option("-o", "--output", help="Result, netCDF (.nc) or Zarr (.zarr).")
    ] = None,
    plot: Annotated[Optional[Path], typer.Option(help="Picture of the first thing kept.")] = None,
    workers: Annotated[int, typer.Option(help="Processes; 0 solves in this one.")] = 0,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with what an interrupted scan left.")
    ] = False,
    overwrite: OverwriteOption = False,
) -> None:
    """Vary numbers of a network, or of any Antimony model, and solve every combination.

    Example: [bold]crn-nn scan xor --vary h=1e-4:1:log:50 --vary x0=0:1:50 -o out.nc --plot out.png
    --workers 2[/bold]
    """
    if plot is not None:
        from crn_nn_tellurium.plots import check_picture

        check_picture(plot)
        _check_new(plot, overwrite or resume)
    if output is not None and output.exists() and not (overwrite or resume):
        remedy = "--resume takes it if it is this scan's, --overwrite replaces it"
        raise FileExistsError(f"{str(output)!r} exists; {remedy}")
    if not vary and cv is None:
        raise InputError("nothing to vary; expected --vary h=1e-4:1:log:50, say, or --cv 0.1")
    from crn_nn_tellurium.commands import scan as scan_command
    from crn_nn_tellurium.scans import STEADY_STATE, scan as scan_of

    axes = scan_command.axes_of(vary or [], cv, draws, seed)
    model: Any = read_text(net) if Path(net).suffix.lower() in (".ant", ".txt") else _load(net)
    if input is not None and isinstance(model, str):
        raise InputError(
            "--input is a network's; vary an Antimony model's boundary species by name instead"
        )
    times = STEADY_STATE if at is None else scan_command.numbers_of("--at", at)
    kept = keep.split(",")
    if targets := {"loss", "accuracy", "gradient_norm"}.intersection(kept):
        raise InputError(
            f"--keep {min(targets)} needs targets, which this command does not take; cn.scan(...,"
            " y=) does"
        )
    if plot is not None:
        scan_command.check_drawable(axes, kept[0], 1 if at is None else len(times))
    try:
        ds = scan_of(
            model,
            axes,
            x=None if input is None else _input_values(input, model),
            outputs=kept,
            at=times,
            tolerance=tolerance,
            bound=bound,  # type: ignore[arg-type]  # checked there
            executor=workers or None,
            path=output,
            resume=resume,
            overwrite=overwrite,
        )
    except KeyboardInterrupt:
        kept_in = (
            ""
            if output is None
            else f"; what is done is in {output}.parts, and --resume goes on with it"
        )
        print(f"crn-nn: interrupted{kept_in}", file=sys.stderr)
        raise SystemExit(130) from None
    if plot is not None:
        scan_command.draw(ds, plot)
    console = Console()
    console.print(scan_command.summary(ds))
    console.print(scan_command.failures_line(ds), soft_wrap=True, highlight=False)
    _print_files(console, {"result": output, "picture": plot})


@app.command()
def bench(
    full: Annotated[
        bool, typer.Option("--full", help="Run the usual script on digits too: minutes.")
    ] = False,
) -> None:
    """This package beside the usual script, in one run.

    Example: [bold]crn-nn bench[/bold]
    """
    console = Console()
    with console.status("measuring; the usual script takes most of the time"):
        from crn_nn_tellurium.commands.benchmarks import (
            certificate_costs,
            cost_against_size,
            gradient_costs,
            run_benchmarks,
        )

        rows, costs, gradients = (
            run_benchmarks(full),
            list(cost_against_size()),
            list(gradient_costs()),
        )
        certificates = list(certificate_costs())
    table = Table(title="The usual script and this package")
    for heading in ("", "usual script", "this package", "times faster"):
        table.add_column(heading, justify="right" if heading else "left")
    for row in rows:
        known = not np.isnan(row.usual)
        usual, ratio = (_seconds(row.usual), f"{row.ratio:,.0f}") if known else ("not run", "")
        table.add_row(
            f"{row.what}\n({row.remark})" if row.remark else row.what,
            usual,
            _seconds(row.ours),
            ratio,
        )
    console.print(table)
    table = Table(title="Cost of one layer against its size")
    for heading in ("inputs", "units", "weights", "compile", "per sample", "per weight"):
        table.add_column(heading, justify="right")
    for cost in costs:
        times = (cost.compile_seconds, cost.sample_seconds, cost.sample_seconds / cost.weights)
        table.add_row(f"{cost.n_in}", f"{cost.n_out}", f"{cost.weights}", *map(_seconds, times))
    console.print(table)
    table = Table(
        title=(
            "Gradient of all parameters: a batch of 32 by the engine, 256 by closed form and"
            " PyTorch"
        )
    )
    for heading in (
        "layers",
        "steady states",
        "gradient",
        "closed form",
        "PyTorch, single",
        "PyTorch, double",
    ):
        table.add_column(heading, justify="right" if heading != "layers" else "left")
    for g in gradients:
        peers = [
            "not installed" if np.isnan(t) else _seconds(t)
            for t in (g.torch_single, g.torch_double)
        ]
        ours = map(_seconds, (g.steady_seconds, g.gradient_seconds, g.closed_form_seconds))
        table.add_row("-".join(map(str, g.sizes)), *ours, *peers)
    console.print(table)
    table = Table(
        title=(
            "Settling-time bound of one sample: closed form (of 1,000), envelope, beside one"
            " trajectory"
        )
    )
    for heading in ("layers", "closed form", "compile", "envelope", "trajectory"):
        table.add_column(heading, justify="right" if heading != "layers" else "left")
    for c in certificates:
        seconds = (c.closed_form, c.compile_seconds, c.envelope, c.trajectory)
        table.add_row(
            "-".join(map(str, c.sizes)),
            *("too large" if np.isnan(t) else _seconds(t) for t in seconds),
        )
    console.print(table)


def _seconds(value: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value * 1e9:.3g} ns"
