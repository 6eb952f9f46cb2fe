"""`crn-nn noise`: how far outputs scatter where molecules are counted, or how many it takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from typer import Option

from crn_nn_tellurium.commands.arguments import (
    Inputs,
    Net,
    Out,
    Overwrite,
    Samples,
    load_network,
    sample_inputs,
)
from crn_nn_tellurium.commands.console import check_new, console, note, say_written, write_table
from crn_nn_tellurium.errors import InputError

if TYPE_CHECKING:
    from crn_nn_tellurium.fluctuations import Noise, SmallestVolume


def command(
    net: Net,
    data: Samples = None,
    input: Inputs = None,
    volume: Annotated[
        float | None,
        Option(help="Molecules at a concentration of 1; by default the fewest that do are sought."),
    ] = None,
    target: Annotated[
        str | None, Option(help="Column with the right classes; else those without noise.")
    ] = None,
    confidence: Annotated[
        float | None, Option(help="How probable the right class is to be; 0.99 by default.")
    ] = None,
    c0: Annotated[
        float | None, Option(help="Concentration of 1, in nM: fewest molecules, in litres too.")
    ] = None,
    output: Out = None,
    plot: Annotated[Path | None, Option(help="Picture against the volume.")] = None,
    overwrite: Overwrite = False,
) -> None:
    """How far outputs scatter where molecules are counted, or how many each class takes.

    Example: [bold]crn-nn noise iris flowers.csv --target species --c0 10[/bold]
    """
    network = load_network(net)
    sought = {"--confidence": confidence, "--target": target, "--c0": c0}
    if volume is not None and (given := [name for name, one in sought.items() if one is not None]):
        raise InputError(
            f"{', '.join(given)}: of the fewest molecules; expected no --volume with them"
        )
    if target is not None and data is None:
        raise InputError(f"--target {target!r} is a column; expected a CSV file with it")
    _, x, table = sample_inputs(network, data, input or [])
    y = None if target is None or table is None else table.labels(target, network)
    check_new(overwrite, output, picture=plot)
    from crn_nn_tellurium.chemistry import MODEL_UNITS, PhysicalUnits

    # volumes have no time in them
    units = MODEL_UNITS if c0 is None else PhysicalUnits(c0, tau=1.0)
    found: Noise | SmallestVolume
    with console.status("solving"):
        from crn_nn_tellurium.fluctuations import noise, smallest_volume

        if volume is None:
            sure = 0.99 if confidence is None else confidence
            found = smallest_volume(network, x, y, sure, units=units)
        else:
            found = noise(network, x, volume=volume)
    if plot is not None:
        _draw(found, plot)
    heading, columns = list(network.input_names), list(np.asarray(x).T)
    more = found.to_frame().reset_index() if volume is None else _by_sample(found)
    for name in more.columns.drop("sample", errors="ignore"):
        heading.append(str(name))
        columns.append(more[name])
    write_table(heading, columns, output, overwrite)
    note(repr(found))


def _by_sample(found: Any) -> Any:
    """A row per sample: means, standard deviations, probabilities, number of doubtful species."""
    import pandas as pd

    columns: dict[str, Any] = {}
    for i, name in enumerate(found.output_names):
        columns[f"{name}_mean"] = found.mean[:, i]
        columns[f"{name}_standard_deviation"] = found.standard_deviation[:, i]
    for i, label in enumerate(found.classes):
        columns[f"probability_{label}"] = found.probabilities[:, i]
    return pd.DataFrame(columns | {"doubtful_species": found.doubtful.sum(axis=1)})


def _draw(found: Any, path: Path) -> None:
    from crn_nn_tellurium.fluctuations import Noise
    from crn_nn_tellurium.plots import new_figure, plot_noise, plot_smallest_volume, save_figure

    if isinstance(found, Noise):
        n = 2 if found.classes else 1
        figure = new_figure((5.6 * n, 4.4))
        plot_noise(found, axes=figure.subplots(1, n))
    else:
        figure = new_figure((7, 4.4))
        plot_smallest_volume(found, figure.subplots())
    save_figure(figure, path)
    say_written("picture", path)
