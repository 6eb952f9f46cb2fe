"""`crn-nn show`: what a network is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from typer import Option

from crn_nn_tellurium.basics import some
from crn_nn_tellurium.commands.arguments import Model, load_given
from crn_nn_tellurium.commands.console import console, new_table, say

if TYPE_CHECKING:
    from crn_nn_tellurium.chemistry import ReactionNetwork
    from crn_nn_tellurium.networks import Network


def command(
    model: Model, reactions: Annotated[int, Option(help="How many reactions to list.", min=0)] = 12
) -> None:
    """What a network or model is made of: layers, species, reactions.

    Example: [bold]crn-nn show iris --reactions 20[/bold]
    """
    from crn_nn_tellurium.encoding import to_reactions
    from crn_nn_tellurium.networks import Network

    found = load_given(model)
    if isinstance(found, Network):
        _say_layers(found)
        _say_reactions(to_reactions(found), reactions)
    else:
        held = f"inputs:  {some(found.boundary)}\n" if found.boundary else ""
        say(f"{held}outputs: {some([o.id for o in found.observables] or found.floating)}")
        _say_reactions(found, reactions)


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
