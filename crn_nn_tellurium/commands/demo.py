"""What `crn-nn demo` runs: shipped networks through their chemistry on held-out data, with
pictures.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.networks import Network, load_model, model_data
from crn_nn_tellurium.plots import new_figure, plot_confusion_matrix, plot_time_course, save_figure
from crn_nn_tellurium.simulation import Simulator

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""

_HARD = 1e-30
"""A smoothing at which the closed form is the plain network, hard ReLU and all, to the last digit.
"""
_BATCH = 30


@dataclass(frozen=True)
class DemoRow:
    """One network's figures.

    Attributes
    ----------
    plain_accuracy, chemistry_accuracy : float
        On held-out data: of the network with hard ReLUs, and of its chemistry on roadrunner.
    difference : float
        Largest |chemistry - closed form| over all samples and outputs.
    compile_seconds, sample_seconds : float
        From the network to compiled units, and per sample from then on.
    """

    name: str
    species: int
    reactions: int
    samples: int
    plain_accuracy: float
    chemistry_accuracy: float
    difference: float
    compile_seconds: float
    sample_seconds: float


def run_demo(
    folder: Path, progress: Progress = lambda what, done, total: None
) -> tuple[list[DemoRow], list[Path]]:
    """Run XOR and digits; returns the figures and the pictures written to `folder`, which exists.

    Raises
    ------
    OSError
        If the folder cannot be written to.
    """
    rows, pictures = [], []
    for name, draw in (("xor", _draw_xor), ("digits", _draw_digits)):
        net = load_model(name)
        _, x, _, y = model_data(name)
        row, classes = _run(name, net, x, y, progress)
        rows.append(row)
        progress(f"drawing {name}", 0, 1)
        figure, file = draw(net, x, y, classes)
        pictures.append(save_figure(figure, folder / file))
        progress(f"drawing {name}", 1, 1)
    return rows, pictures


def _run(
    name: str, net: Network, x: npt.NDArray[Any], y: npt.NDArray[Any], progress: Progress
) -> tuple[DemoRow, npt.NDArray[Any]]:
    progress(f"compiling {name}", 0, 1)
    start = time.perf_counter()
    simulator = Simulator(net).compile()
    compiled = time.perf_counter() - start
    progress(f"compiling {name}", 1, 1)
    outputs = []
    start = time.perf_counter()
    for first in range(0, len(x), _BATCH):
        progress(f"{name}: steady states", first, len(x))
        outputs.append(simulator.steady_state(x[first : first + _BATCH]).outputs)
    elapsed = time.perf_counter() - start
    progress(f"{name}: steady states", len(x), len(x))
    chemistry = np.concatenate(outputs)
    classes = net.classify(chemistry)
    row = DemoRow(
        name,
        len(simulator.species),
        len(simulator.reactions.reactions),
        len(x),
        float(np.mean(net.with_h(_HARD).predict(x) == y)),
        float(np.mean(classes == y)),
        float(np.abs(chemistry - net(x)).max()),
        compiled,
        elapsed / len(x),
    )
    return row, classes


def _draw_xor(
    net: Network, x: npt.NDArray[Any], y: npt.NDArray[Any], classes: npt.NDArray[Any]
) -> tuple[Figure, str]:
    figure = new_figure((9, 5.5))
    simulator = Simulator(net)
    for axes, row, truth in zip(
        figure.subplots(2, 2, sharex=True, sharey=True).flat, x, y, strict=True
    ):
        for start, style in ((0.0, "-"), (1.0, "--"), (3.0, ":")):
            plot_time_course(simulator.time_course(row, t_end=60.0, initial=start), ax=axes)
            axes.lines[-1].set(linestyle=style, label=f"all species start at {start:g} nM")
        axes.axhline(net(row)[0], color="0.5", linewidth=0.8, label="closed form")
        axes.set_title(f"inputs {row[0]:g}, {row[1]:g}: XOR is {truth}")
        axes.get_legend().remove()
        axes.label_outer()
    figure.axes[0].legend(frameon=False, fontsize="small")
    figure.suptitle("XOR in chemistry: from every start the output settles at the network's answer")
    return figure, "xor_settling.png"


def _draw_digits(
    net: Network, x: npt.NDArray[Any], y: npt.NDArray[Any], classes: npt.NDArray[Any]
) -> tuple[Figure, str]:
    figure = new_figure((6, 6))
    axes = plot_confusion_matrix(y, classes, ax=figure.subplots())
    axes.set_title(
        f"{len(y)} held-out digits, answered by the chemistry: {np.mean(classes == y):.1%} right"
    )
    return figure, "digits_confusion.png"
