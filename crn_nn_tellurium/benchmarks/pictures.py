"""Curves of what was measured: time against the number of weights, one picture a subject."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from crn_nn_tellurium.benchmarks.declared import Benchmark
from crn_nn_tellurium.benchmarks.models import LADDER
from crn_nn_tellurium.benchmarks.results import Measurement, Results
from crn_nn_tellurium.benchmarks.tables import curve, present
from crn_nn_tellurium.plots import color, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BEYOND = re.compile(r"beyond ([\d.e+]+) s")
_SIZE = (7.0, 4.0)
_MARKS = "osD^vPX*"


@styled
def subject_picture(results: Results, benchmark: Benchmark) -> Figure:
    """CPU time against weights, by contender; shipped networks stand beside their curve, and what
    took too long is an open triangle at its limit.
    """
    figure = new_figure(_SIZE)
    ax: Any = figure.subplots()
    for number, contender in enumerate(benchmark.contenders):
        rows = results.of(benchmark.subject, contender.name)
        look: Any = {"color": color(number), "marker": _MARKS[number % len(_MARKS)]}
        found = curve(results, benchmark, contender)
        apart = [row for row in rows if row.is_measured and row.case not in LADDER]
        if not found and not apart:
            continue
        width = 2.4 if contender is benchmark.ours else 1.2
        xs, ys = [row.weights for row in found], [row.cpu for row in found]
        ax.plot(xs, ys, label=contender.name, linewidth=width, markersize=5, **look)
        for row in apart:
            ax.plot(row.weights, row.cpu, linestyle="", markersize=5, **look)
            place: Any = {"textcoords": "offset points", "fontsize": 6}
            ax.annotate(row.case, (row.weights, row.cpu), (4, -9), **place)
        for row in rows:
            if limit := _limit(row):
                beyond: Any = {"fillstyle": "none", "markersize": 7}
                ax.plot(row.weights, limit, "^", color=color(number), **beyond)
    _finish(ax, f"CPU time of {benchmark.item} (s)", benchmark.title)
    return figure


def _limit(row: Measurement) -> float | None:
    found = _BEYOND.fullmatch(row.outcome)
    return float(found[1]) if found else None


@styled
def memory_picture(results: Results) -> Figure:
    """This package's peak memory against weights, by subject."""
    figure = new_figure((9.0, 4.6))
    ax: Any = figure.subplots()
    for number, benchmark in enumerate(present(results)):
        rows = curve(results, benchmark, benchmark.ours)
        # not every system says how much memory it was
        found = [row for row in rows if math.isfinite(row.memory)]
        if found:
            xs, ys = zip(*((row.weights, row.memory) for row in found), strict=True)
            mark = _MARKS[number // 10 % len(_MARKS)]
            style = "-" if number < 10 else "--"
            ax.plot(
                xs,
                ys,
                marker=mark,
                markersize=4,
                linestyle=style,
                color=color(number),
                label=benchmark.title,
            )
    _finish(ax, "peak memory of the process (MB)", "Memory of this package")
    return figure


def _finish(ax: Any, label: str, title: str) -> None:
    if ax.has_data():
        ax.set_xscale("log")
        ax.set_yscale("log")
    ax.set_xlabel("number of weights")
    ax.set_ylabel(label)
    ax.set_title(title)
    ax.grid(alpha=0.3)
    if ax.get_legend_handles_labels()[0]:
        ax.legend(loc="upper left", bbox_to_anchor=(1, 1), borderaxespad=0, fontsize=8)
