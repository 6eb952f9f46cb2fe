"""`crn-nn show`: what a network is made of."""

from __future__ import annotations

from typing import Annotated

from typer import Option

from crn_nn_tellurium.basics import some
from crn_nn_tellurium.commands.arguments import Net, load_network
from crn_nn_tellurium.commands.console import console, new_table, say


def command(
    net: Net, reactions: Annotated[int, Option(help="How many reactions to list.", min=0)] = 12
) -> None:
    """What a network is made of: layers, species, reactions.

    Example: [bold]crn-nn show iris --reactions 20[/bold]
    """
    from crn_nn_tellurium.encoding import to_reactions

    network = load_network(net)
    crn = to_reactions(network)
    title = f"{network.name}: {network.n_in} inputs ({network.inputs}), {network.n_out} outputs"
    table = new_table(title, ("layer", "reads", "units", "activation", "weights"))
    for layer in network.layers:
        reads, activation = ", ".join(layer.inputs), str(layer.activation)
        table.add_row(layer.name, reads, f"{layer.n_out}", activation, f"{layer.n_weights}")
    console.print(table, soft_wrap=True)
    say(f"inputs:  {some(network.input_names)}\noutputs: {some(network.output_names)}")
    if network.task == "classification":
        say(f"classes: {some([str(label) for label in network.classes])}")
    say(repr(crn))
    for reaction in crn.reactions[:reactions]:
        rate = f"{reaction.rate_constant} = {reaction.value:.6g}"
        say(f"  {reaction.id}: {reaction.equation}    {rate}")
    if len(crn.reactions) > reactions:
        say(f"  ... {len(crn.reactions) - reactions} more")
