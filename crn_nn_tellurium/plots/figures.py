"""Figures and axes: new ones, and their files."""

from __future__ import annotations

import io
import os
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.figure import Figure

from crn_nn_tellurium.basics import write_bytes
from crn_nn_tellurium.errors import FileFormatError


def new_figure(size: tuple[float, float] | None = None) -> Figure:
    """An empty figure that no window shows, its size in inches; for what is written to a file."""
    return Figure(figsize=size, layout="constrained")


def check_picture(path: str | os.PathLike[str]) -> str:
    """The picture format that a path's ending chooses.

    Raises
    ------
    FileFormatError
        If matplotlib does not write files with that ending.
    """
    kinds = FigureCanvasBase.get_supported_filetypes()
    suffix = Path(path).suffix
    kind = suffix.removeprefix(".").lower()
    if kind not in kinds:
        raise FileFormatError(
            f"{str(path)!r}: no picture format has the ending {suffix!r}; known: {', '.join(kinds)}"
        )
    return kind


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> Path:
    """Write a figure whole or not at all; the path's ending chooses the format.

    Raises
    ------
    FileFormatError
        If matplotlib does not write files with that ending.
    OSError
        If the file cannot be written.
    """
    kind = check_picture(path)
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, dpi=150)
    return write_bytes(path, buffer.getvalue())


def new_axes(ax: Axes | None) -> Axes:
    """The given axes, or those of a new figure."""
    return plt.subplots(layout="constrained")[1] if ax is None else ax
