"""How a network's accuracy bears errors of its chemistry."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from crn_nn_tellurium.basics import (
    check_kind,
    whole_number,
)
from crn_nn_tellurium.perturbations import Robustness
from crn_nn_tellurium.plots.figures import (
    axes_of,
    band,
    color,
    legend_below,
    styled,
)

# Names of reactions are cut at this length
_LETTERS = 32


@styled
def plot_robustness(result: Robustness, axes: Any = None, limit: int = 15) -> Any:
    """Accuracy against errors of rate constants and against fuel, and what reactions matter most.

    Parameters
    ----------
    result : Robustness
    axes : three Axes, optional
        A new figure by default.
    limit : int
        How many reactions are shown.

    Returns
    -------
    ndarray of three Axes

    Examples
    --------
    >>> from crn_nn_tellurium import RateErrors, load_model, model_data, robustness
    >>> _, X, _, y = model_data("xor")
    >>> errors = RateErrors(cv=[0.0, 0.1], draws=5)
    >>> axes = plot_robustness(robustness(load_model("xor"), X, y, errors))
    >>> axes[0].get_ylabel()
    'accuracy (%)'
    """
    check_kind("result", result, Robustness, "the result of robustness")
    limit = whole_number("limit", limit)
    axes = axes_of(("errors", "fuel", "missing reactions"), axes, (13, 4.4), (1, 1, 1.2))
    errors, fuel, missing = axes
    _draw_errors(result, errors)
    _draw_fuel(result, fuel)
    _draw_missing(result, limit, missing)
    return axes


def _draw_errors(result: Robustness, ax: Axes) -> None:
    """Accuracy with errors of all rate constants: what one tube may show, and the mean."""
    cv = 100 * result.cv
    mean, low, high = (100 * share for share in result.band(0.8))
    ax.plot(cv, mean, marker="o", markersize=4)
    band(ax, cv, low, high, color(0), "80 % of the draws")
    # 1.96 standard errors, rounded, on either side
    sure = 2 * 100 * result.mean_error()
    ax.errorbar(cv, mean, sure, fmt="none", ecolor=color(0), capsize=3, label="mean, 95 % sure")
    _draw_accuracy(result, ax, "no error")
    ax.set_xlabel("error of every rate constant (cv, %)")
    legend_below(ax, columns=1)


def _draw_fuel(result: Robustness, ax: Axes) -> None:
    """Accuracy with less and with more of what molecules are made of."""
    ax.plot(result.factors, 100 * result.fuelled, marker="o", markersize=4, color=color(1))
    _draw_accuracy(result, ax)
    factors = result.factors.tolist()
    if max(factors) / min(factors) > 3:
        ax.set_xscale("log")
        # halves and doubles, where they are among the factors
        ticks = [factor for factor in factors if math.log2(factor).is_integer()] or factors
        ax.set_xticks(ticks, [f"{factor:g}" for factor in ticks])
        ax.minorticks_off()
    ax.set_xlabel("factor on reactions that make molecules (1)")


def _draw_accuracy(result: Robustness, ax: Axes, label: str | None = None) -> None:
    """The axis of accuracies, with that of the right chemistry."""
    ax.axhline(100 * result.accuracy, color="0.5", linestyle=":", linewidth=1, label=label)
    ax.set_ylabel("accuracy (%)")


def _draw_missing(result: Robustness, limit: int, ax: Axes) -> None:
    """The reactions that matter most, but for those without which there is no steady state."""
    table = result.ranking()
    essential = table.no_steady_state > 0
    most = table[~essential].head(limit)[::-1]
    names = [n if len(n) <= _LETTERS else f"{n[: _LETTERS - 3]}..." for n in most.name]
    rows = np.arange(len(most))
    ax.barh(rows, 100 * (result.accuracy - most.accuracy_without), color=color(2))
    ax.set_yticks(rows, names, fontsize=8)
    ax.set_xlabel("accuracy lost without the reaction (%)")
    ax.set_title(f"besides {int(essential.sum())} essential ones", fontsize=9)
