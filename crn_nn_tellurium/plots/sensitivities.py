"""Which parameters matter to which outputs."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from crn_nn_tellurium.basics import check_kind
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.plots.figures import new_axes
from crn_nn_tellurium.sensitivity import Sensitivities


def plot_sensitivities(result: Sensitivities, ax: Axes | None = None, limit: int = 40) -> Axes:
    """d output / d parameter as a heat map, the parameters that matter most first.

    Parameters
    ----------
    result : Sensitivities
        Of one sample.
    ax : Axes, default: of a new figure
    limit : int
        How many parameters are shown.

    Raises
    ------
    InputError
        If the sensitivities are of several samples.

    Examples
    --------
    >>> from crn_nn_tellurium import Network, sensitivities
    >>> plot_sensitivities(sensitivities(Network.random([2, 3, 1], seed=0), [0, 1])).get_xlabel()
    'parameter'
    """
    check_kind("result", result, Sensitivities, "the result of sensitivities")
    if result.values.ndim != 2:
        raise InputError(
            f"sensitivities of shape {result.values.shape} are of several samples; expected one"
        )
    ax = new_axes(ax)
    sizes = np.abs(result.values)
    order = np.argsort(-sizes.max(axis=0), kind="stable")[:limit]
    # the same range on both sides of 0, so that white is no effect
    largest = float(sizes.max(initial=0.0)) or 1.0
    values = result.values[:, order]
    image = ax.imshow(values, cmap="RdBu_r", vmin=-largest, vmax=largest, aspect="auto")
    ax.set_xticks(range(len(order)), [result.parameters[i] for i in order], rotation=90)
    ax.set_yticks(range(len(result.outputs)), list(result.outputs))
    ax.set(xlabel="parameter", ylabel="output")
    ax.figure.colorbar(image, ax=ax, label="d output / d parameter")
    return ax
