"""`crn-nn data`: the data of a shipped network as a table."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option

from crn_nn_tellurium.basics import check_choice
from crn_nn_tellurium.commands.arguments import Out, Overwrite, shipped
from crn_nn_tellurium.commands.console import note, write_table

# Rows of the shipped data, and where `model_data` has them: X there, y two behind
_PARTS = {"training": 0, "held-out": 1}
# What the column with the truth is called
_TARGETS = {"iris": "species", "digits": "digit", "moons": "moon", "xor": "xor"}


def command(
    name: Annotated[
        str,
        Argument(
            metavar="NAME",
            help="A shipped network: xor, moons, iris or digits.",
            autocompletion=shipped,
        ),
    ],
    output: Out = None,
    part: Annotated[
        str, Option(help="training: what it was trained on; held-out: what it has not seen.")
    ] = "held-out",
    overwrite: Overwrite = False,
) -> None:
    """The data of a shipped network as CSV: a column per input, and one with the truth.

    Other commands read it: predict, gradient and certify take the inputs that they need, train all
    columns but the target.

    Example: [bold]crn-nn data iris -o flowers.csv[/bold], then [bold]crn-nn predict iris
    flowers.csv --target species[/bold]
    """
    from crn_nn_tellurium.networks import load_model, model_data

    check_choice("--part", part, tuple(_PARTS))
    data = model_data(name)
    x, truth = data[_PARTS[part]], data[2 + _PARTS[part]]
    target = _TARGETS[name]
    heading = [*load_model(name).input_names, target]
    write_table(heading, [*x.T, truth], output, overwrite, f"{len(x)} {part} rows")
    if output is not None:
        note(f"next: crn-nn predict {name} {output} --target {target}")
