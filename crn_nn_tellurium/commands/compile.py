"""`crn-nn compile`: a network's chemistry as Antimony."""

from __future__ import annotations

from typing import Annotated

from typer import Option

from crn_nn_tellurium.commands.arguments import Model, Out, Overwrite, load_given
from crn_nn_tellurium.commands.console import write_text


def command(
    model: Model,
    output: Out = None,
    form: Annotated[
        str, Option(help="reactions (one per weight), compact, or numbers.")
    ] = "reactions",
    overwrite: Overwrite = False,
) -> None:
    """Write the chemistry of a network or model as Antimony.

    Example: [bold]crn-nn compile xor -o xor.ant[/bold]
    """
    from crn_nn_tellurium.encoding import to_antimony

    text = to_antimony(load_given(model), form=form)  # type: ignore[arg-type]  # checked there
    write_text(text, output, overwrite, "Antimony")
