"""`crn-nn show`: what a network is made of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Option

from crn_nn_tellurium.basics import some
from crn_nn_tellurium.commands.arguments import Model, Overwrite, load_given
from crn_nn_tellurium.commands.console import check_new, console, new_table, say, say_written

if TYPE_CHECKING:
    from crn_nn_tellurium.chemistry import ReactionNetwork
    from crn_nn_tellurium.networks import Network


def command(
    model: Model,
    reactions: Annotated[int, Option(help="How many reactions to list.", min=0)] = 12,
    plot: Annotated[
        Path | None, Option(help="Picture of the network as chemistry: .png, .svg, .pdf, ...")
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """What a network or model is made of: layers, species, reactions.

    Example: [bold]crn-nn show iris --reactions 20 --plot iris.svg[/bold]
    """
    from crn_nn_tellurium.encoding import to_reactions
    from crn_nn_tellurium.importers import as_network
    from crn_nn_tellurium.networks import Network

    found = load_given(model)
    if plot is not None:
        network = as_network(found, "--plot")
        check_new(overwrite, picture=plot)
    if isinstance(found, Network):
        _say_layers(found)
        _say_reactions(to_reactions(found), reactions)
    else:
        held = f"inputs:  {some(found.boundary)}\n" if found.boundary else ""
        say(f"{held}outputs: {some([o.id for o in found.observables] or found.floating)}")
        _say_reactions(found, reactions)
    if plot is not None:
        from crn_nn_tellurium.plots import plot_network, save_figure

        say_written("picture", save_figure(plot_network(network).figure.figure, plot))


def _say_layers(network: Network) -> None:
    title = f"{network.name}: {network.n_in} inputs ({network.inputs}), {network.n_out} outputs"
    table = new_table(title, ("layer", "reads", "units", "activation", "weights"))
    for layer in network.layers:
        reads, activation = ", ".join(layer.inputs), str(layer.activation)
        table.add_row(layer.name, reads, f"{layer.n_out}", activation, f"{layer.n_weights}")
    console.print(table, soft_wrap=True)
    say(f"inputs:  {some(network.input_names)}\noutputs: {some(network.output_names)}")
    if network.task == "classification":
        say(f"classes: {some([str(label) for label in network.classes])}")


def _say_reactions(crn: ReactionNetwork, listed: int) -> None:
    say(repr(crn))
    for reaction in crn.reactions[:listed]:
        rate = f"{reaction.rate_constant} = {reaction.value:.6g}"
        say(f"  {reaction.id}: {reaction.equation}    {rate}")
    if len(crn.reactions) > listed:
        say(f"  ... {len(crn.reactions) - listed} more")
