"""What verbs are given: networks, lists of numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from crn_nn_tellurium.errors import InputError

if TYPE_CHECKING:
    from crn_nn_tellurium.networks import Network

Net = Annotated[
    str, Argument(metavar="NET", help="A network's .json file, or a shipped model's name.")
]
Out = Annotated[
    Path | None, Option("-o", "--output", help="File to write; by default standard output.")
]
Overwrite = Annotated[bool, Option("--overwrite", help="Replace an existing file.")]


def load_network(net: str) -> Network:
    """A network from its file, or a shipped one by its name."""
    from crn_nn_tellurium.networks import Network, load_model

    return load_model(net) if not Path(net).suffix and not Path(net).exists() else Network.load(net)


def listed(
    option: str,
    text: str,
    kind: Callable[[str], Any] = float,
    expected: str = "numbers with commas between",
) -> list[Any]:
    """Values with commas between."""
    try:
        return [kind(cell) for cell in text.split(",")]
    except ValueError as error:
        raise InputError(f"{option} is {text!r}; expected {expected}") from error


def input_values(text: str, network: Network) -> list[float]:
    """What ``--input`` gives a network."""
    return listed("--input", text, expected=f"{network.n_in} numbers with commas between")
