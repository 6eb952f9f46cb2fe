"""A network as a table of its layers, and as what a notebook shows of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crn_nn_tellurium.basics import card, frame_of, layered, some
from crn_nn_tellurium.networks.layer import INPUT

if TYPE_CHECKING:
    import pandas as pd

    from crn_nn_tellurium.networks.network import Network


def layer_table(net: Network) -> pd.DataFrame:
    """A row per layer."""
    columns = {
        "reads": [", ".join(layer.inputs) for layer in net.layers],
        "units": [layer.n_out for layer in net.layers],
        "activation": [type(layer.activation).__name__ for layer in net.layers],
        "h": net.h,
        "weights": [layer.n_weights for layer in net.layers],
    }
    return frame_of({"layer": [layer.name for layer in net.layers]}, columns)


def network_card(net: Network) -> str:
    """Its inputs, outputs and layers, with a sketch of the first units of each."""
    facts: dict[str, object] = {
        "inputs": f"{net.n_in}, {net.inputs}: {some(net.input_names, 6)}",
        "outputs": f"{net.n_out}: {some(net.output_names, 6)}",
        "task": net.task,
        "weights": net.n_weights,
    }
    if net.class_names is not None:
        facts["classes"] = some([str(name) for name in net.class_names], 6)
    column = {name: i for i, name in enumerate([INPUT, *(layer.name for layer in net.layers)])}
    links = [
        (column[source], column[layer.name], layer.weights[:, span])
        for layer in net.layers
        for source, span in net.spans(layer)
    ]
    sizes = {name: net.width(name) for name in column}
    picture = layered(sizes, links)
    return card(f"Network {net.name}", facts, layer_table(net), picture)
