"""`crn-nn demo`: two shipped networks through their chemistry on held-out data, with pictures."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from rich.table import Table
from typer import Option

from crn_nn_tellurium.basics import progress_bar
from crn_nn_tellurium.commands.console import console, new_table, say, say_written

if TYPE_CHECKING:
    from crn_nn_tellurium.networks import Network

# A smoothing at which the closed form is the plain network, hard ReLU and all
_HARD = 1e-30
# Samples between two steps of the progress bar
_BATCH = 30


def command(
    output: Annotated[Path, Option("-o", "--output", help="Folder for the pictures.")] = Path(
        "crn-nn-demo"
    ),
) -> None:
    """Run XOR and handwritten digits through their chemistry, with a table and pictures.

    Example: [bold]crn-nn demo -o /tmp/demo[/bold]
    """
    output.mkdir(parents=True, exist_ok=True)
    console.print(
        "A trained neural network becomes a mass-action reaction network: each weight is a"
        " reaction, each unit a species (or two). roadrunner simulates the chemistry; where it"
        " settles, the concentrations are the network's outputs. Here are two networks, answered by"
        " their chemistry.\n"
    )
    xor, digits = _run("xor"), _run("digits")
    console.print(_table([xor, digits]))
    say_written("picture", _draw_xor(xor, output), _draw_digits(digits, output))
    say(
        "\nNext: crn-nn show xor; crn-nn data iris -o flowers.csv; crn-nn notebooks -o DIR",
        style="bold",
    )


@dataclass(frozen=True)
class _Run:
    """One network on held-out data: inputs, truth, the chemistry's classes; and what is printed."""

    name: str
    net: Network
    x: Any
    y: Any
    classes: Any
    rows: dict[str, str]


def _run(name: str) -> _Run:
    from crn_nn_tellurium.networks import load_model, model_data
    from crn_nn_tellurium.simulation import Simulator

    net = load_model(name)
    _, x, _, y = model_data(name)
    start = time.perf_counter()
    simulator = Simulator(net).compile()
    compiled = time.perf_counter() - start
    outputs = []
    start = time.perf_counter()
    with progress_bar(f"{name}: steady states", None, len(x)) as show:
        for first in range(0, len(x), _BATCH):
            outputs.append(simulator.steady_state(x[first : first + _BATCH]).outputs)
            show(first + len(outputs[-1]), "")
    elapsed = time.perf_counter() - start
    chemistry = np.concatenate(outputs)
    classes, plain = net.classify(chemistry), net.with_h(_HARD).predict(x)
    rows = {
        "species": f"{len(simulator.species)}",
        "reactions": f"{len(simulator.reactions.reactions)}",
        "held-out samples": f"{len(x)}",
        "accuracy, plain network": f"{np.mean(plain == y):.1%}",
        "accuracy, chemistry": f"{np.mean(classes == y):.1%}",
        "largest |chemistry - formula|": f"{np.abs(chemistry - net(x)).max():.0e}",
        # compiled once, units are loaded from the cache on disk ever after
        "time to compile or load": f"{compiled:.2f} s",
        "time per sample": f"{elapsed / len(x) * 1e3:.2f} ms",
    }
    return _Run(name, net, x, y, classes, rows)


def _table(runs: list[_Run]) -> Table:
    title = "Held-out data, answered by chemistry"
    table = new_table(title, [""], [run.name for run in runs])
    for what in runs[0].rows:
        table.add_row(what, *(run.rows[what] for run in runs))
    return table


def _draw_xor(run: _Run, folder: Path) -> Path:
    from crn_nn_tellurium.plots import new_figure, plot_time_course, save_figure
    from crn_nn_tellurium.simulation import Simulator

    figure = new_figure((9, 5.5))
    simulator = Simulator(run.net)
    panels = figure.subplots(2, 2, sharex=True, sharey=True)
    for ax, x, truth in zip(panels.flat, run.x, run.y, strict=True):
        # below, near and above where they settle
        for start, style in ((0.0, "-"), (1.0, "--"), (3.0, ":")):
            plot_time_course(simulator.time_course(x, t_end=60.0, initial=start), ax=ax)
            ax.lines[-1].set(linestyle=style, label=f"all species start at {start:g}")
        ax.axhline(run.net(x)[0], color="0.5", linewidth=0.8, label="closed form")
        ax.set_title(f"inputs {x[0]:g}, {x[1]:g}: XOR is {truth}")
        # one legend for all panels, which say the same
        ax.get_legend().remove()
        ax.label_outer()
    captions = figure.axes[0].get_legend_handles_labels()
    figure.legend(*captions, frameon=False, loc="outside lower center", ncols=4, fontsize="small")
    figure.suptitle("XOR in chemistry: from every start the output settles at the network's answer")
    return save_figure(figure, folder / "xor_settling.png")


def _draw_digits(run: _Run, folder: Path) -> Path:
    from crn_nn_tellurium.plots import new_figure, plot_confusion_matrix, save_figure

    figure = new_figure((6, 6))
    ax = plot_confusion_matrix(run.y, run.classes, ax=figure.subplots())
    right = np.mean(run.classes == run.y)
    ax.set_title(f"{len(run.y)} held-out digits, answered by the chemistry: {right:.1%} right")
    return save_figure(figure, folder / "digits_confusion.png")
