"""Robustness: accuracy when rate constants are off, and which reactions matter most.

Three questions, each answered from the reactions' own equations:

- every rate constant off by a lognormal error of its own, the same draws at every size of error;
- a common factor on the reactions that make molecules (fuel);
- one reaction missing (`knock_outs`), by how much the loss grows, beside what its gradient says:
  removing a reaction of rate constant k costs -k dL/dk to first order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import (
    FloatArray,
    bars,
    card,
    check_share,
    frame_of,
    labels_or_numbers,
    progress_bar,
    read_only,
    real_numbers,
)
from crn_nn_tellurium.certificates import kinetics_of
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.importers import AnyModel
from crn_nn_tellurium.kinetics import (
    LayerState,
    NetworkKinetics,
    RateConstants,
    RateErrors,
    perturbed_outputs,
)
from crn_nn_tellurium.networks import (
    LossLike,
    Network,
    check_classes,
    encode_targets,
    resolve_loss,
)
from crn_nn_tellurium.perturbations.knock_outs import KnockOuts, UnitReaction
from crn_nn_tellurium.scans import FUEL, Axis, NetworkParameters
from crn_nn_tellurium.simulation import Simulator

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

FACTORS = (0.25, 0.5, 0.8, 0.9, 1.0, 1.1, 1.25, 2.0, 4.0)
_STEP = 1e-4
"""Relative change of a rate for its first order; a central difference leaves some 1e-8 of it."""


@dataclass(frozen=True, eq=False)
class Robustness:
    """How a network's accuracy bears errors of its chemistry.

    Attributes
    ----------
    accuracy : float
        With no error.
    loss : float
    cv : (n_cv,) ndarray
        Coefficients of variation.
    noisy : (n_cv, draws) ndarray
        Accuracies with every rate constant off by a lognormal error of its own.
    factors : (n_factors,) ndarray
    fuelled : (n_factors,) ndarray
        Accuracies with the reactions that make molecules at these factors.
    reactions : tuple of UnitReaction
    without : (n_reactions,) ndarray
        Accuracies without each reaction; a sample that has no steady state counts as wrong.
    increase : (n_reactions,) ndarray
        By how much the loss grows without it; infinite where a sample has no steady state.
    predicted : (n_reactions,) ndarray
        The same to first order, -k dL/dk.
    unsettled : (n_reactions,) ndarray
        Share of the samples that have no steady state without it.

    Examples
    --------
    >>> import crn_nn_tellurium as cn
    >>> xor, X = cn.load_model("xor"), [[0, 0], [0, 1], [1, 0], [1, 1]]
    >>> noise = cn.RateErrors(0.1, draws=20)
    >>> report = cn.robustness(xor, X, [0, 1, 1, 0], noise=noise)
    >>> report.accuracy, report.noisy.shape
    (1.0, (1, 20))
    >>> report.ranking()["name"].iloc[0]
    'Y1_1 promotes Yp2_0'
    >>> report.essential[:2]
    ('Jq1_0_Y', 'Jq1_1_Y')
    """

    name: str
    accuracy: float
    loss: float
    cv: FloatArray
    noisy: FloatArray
    factors: FloatArray
    fuelled: FloatArray
    reactions: tuple[UnitReaction, ...]
    without: FloatArray
    increase: FloatArray
    predicted: FloatArray
    unsettled: FloatArray

    def __post_init__(self) -> None:
        arrays = self.cv, self.noisy, self.factors, self.fuelled
        read_only(*arrays, self.without, self.increase, self.predicted, self.unsettled)

    def band(self, level: float = 0.8) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Mean accuracy by cv, and between which bounds a share of the draws lies.

        Parameters
        ----------
        level : float
            The share, in (0, 1).

        Raises
        ------
        InputError
        """
        check_share("level", level, "a share of the draws between 0 and 1: 0.8, say")
        low, high = np.quantile(self.noisy, [(1 - level) / 2, (1 + level) / 2], axis=1)
        return self.noisy.mean(axis=1), low, high

    def mean_error(self) -> FloatArray:
        """Standard error of the mean accuracy by cv, from the number of draws."""
        draws = self.noisy.shape[1]
        if draws == 1:
            return np.full(len(self.cv), np.nan)
        return self.noisy.std(axis=1, ddof=1) / np.sqrt(draws)

    def ranking(self) -> pd.DataFrame:
        """The reactions that matter most first: by the accuracy without them, then by the loss.

        Reactions without which some sample has no steady state come last, as `essential` has them:
        what such a sample would be taken for is not known, and it counts as wrong.
        """
        import pandas as pd

        table = pd.DataFrame(
            {
                "reaction": [reaction.id for reaction in self.reactions],
                "name": [reaction.name for reaction in self.reactions],
                "accuracy_without": self.without,
                "loss_increase": self.increase,
                "first_order": self.predicted,
                "no_steady_state": self.unsettled,
            }
        )
        order = np.lexsort((-self.increase, self.without, self.unsettled > 0))
        return table.iloc[order].reset_index(drop=True)

    @property
    def essential(self) -> tuple[str, ...]:
        """Identifiers of the reactions without which some sample has no steady state."""
        pairs = zip(self.reactions, self.unsettled, strict=True)
        return tuple(reaction.id for reaction, share in pairs if share > 0)

    def __repr__(self) -> str:
        mean, low, high = self.band()
        noise = ", ".join(
            f"{m:.1%} (80 % of draws {a:.1%} to {b:.1%}) at cv {cv:g}"
            for cv, m, a, b in zip(self.cv, mean, low, high, strict=True)
        )
        worst = self.ranking().iloc[0]
        return (
            f"Robustness({self.name!r}: accuracy {self.accuracy:.1%}; every rate constant off:"
            f" {noise}; of {len(self.reactions)} reactions, {len(self.essential)} are essential,"
            f" and of the others {worst.reaction} ({worst['name']}) matters most:"
            f" {worst.accuracy_without:.1%} without it)"
        )

    def to_frame(self) -> pd.DataFrame:
        """A row per coefficient of variation: the mean accuracy, its standard error, and between
        which bounds 80 % of the draws lie. `ranking` has a row per reaction.

        Examples
        --------
        >>> from crn_nn_tellurium import load_model, model_data
        >>> _, X, _, y = model_data("xor")
        >>> frame = robustness(load_model("xor"), X, y, RateErrors(cv=[0.01], draws=5)).to_frame()
        >>> frame.index.name, list(frame.columns)
        ('cv', ['mean', 'mean_error', 'low', 'high'])
        """
        mean, low, high = self.band()
        columns = {"mean": mean, "mean_error": self.mean_error(), "low": low, "high": high}
        return frame_of({"cv": self.cv}, columns)

    def to_xarray(self) -> xr.Dataset:
        """Every accuracy: by cv and draw, by factor of the fuel, without each reaction.

        Examples
        --------
        >>> from crn_nn_tellurium import load_model, model_data
        >>> _, X, _, y = model_data("xor")
        >>> found = robustness(load_model("xor"), X, y, RateErrors(cv=[0.01], draws=5))
        >>> dict(found.to_xarray().sizes)
        {'cv': 1, 'draw': 5, 'factor': 9, 'reaction': 20}
        """
        import xarray as xr

        return xr.Dataset(
            {
                "noisy": (("cv", "draw"), self.noisy),
                "fuelled": ("factor", self.fuelled),
                "without": ("reaction", self.without),
                "increase": ("reaction", self.increase),
                "predicted": ("reaction", self.predicted),
                "unsettled": ("reaction", self.unsettled),
            },
            {
                "cv": self.cv,
                "factor": self.factors,
                "reaction": [reaction.id for reaction in self.reactions],
            },
        )

    def _repr_html_(self) -> str:
        facts = {
            "accuracy": f"{self.accuracy:.1%}, loss {self.loss:.4g}",
            "noise": f"{self.noisy.shape[1]:,} draws at each of {len(self.cv)} cv",
            "reactions": f"{len(self.reactions):,}, of which {len(self.essential):,} are essential",
        }
        by_cv = zip(self.cv, self.noisy.mean(axis=1), strict=True)
        accuracies = {f"cv {cv:g}": mean for cv, mean in by_cv}
        picture = bars(
            {"no error": self.accuracy, **accuracies},
            "mean accuracy by error of the rate constants",
        )
        notes = ["The reactions that matter most come first, essential ones last."]
        title = f"Robustness of {self.name}"
        return card(title, facts, self.ranking().set_index("reaction"), picture, notes=notes)


def robustness(
    net: AnyModel | Simulator,
    X: npt.ArrayLike,  # scikit-learn's name
    y: npt.ArrayLike,
    noise: RateErrors | float | Sequence[float] = (0.05, 0.1, 0.2, 0.3),
    *,
    factors: Sequence[float] = FACTORS,
    loss: LossLike = "cross_entropy",
    progress: bool | None = None,
) -> Robustness:
    """Accuracy with wrong rate constants, with more or less fuel, and without each reaction.

    Parameters
    ----------
    net : Network, Simulator, or its file
    X : (n_samples, n_in) array_like
    y : (n_samples,) array_like
        True classes, as `Network.predict` gives them.
    noise : RateErrors, float or sequence of float
        Random errors of every rate constant; numbers are coefficients of variation, each with 100
        draws of seed 0.
    factors : sequence of float
        Of the reactions that make molecules. (A factor common to all rate constants leaves every
        fixed point where it is, and so the accuracy: it changes speed alone.)
    loss : loss, as in `gradient`
        By whose growth missing reactions are ranked.
    progress : bool, optional
        Whether to show a progress bar; by default on a terminal.

    Returns
    -------
    Robustness

    Raises
    ------
    InputError
        If inputs, classes or another argument do not fit, or an activation's species act on one
        another both ways.
    ConvergenceError
        If errors leave a layer without a positive steady state: of built-in activations none do.

    Notes
    -----
    Steady states are solved here from the reactions' own equations; `scan` with `lognormal` and the
    same seed asks roadrunner for the same draws.

    Examples
    --------
    >>> from crn_nn_tellurium import load_model, model_data
    >>> _, X, _, y = model_data("xor")
    >>> found = robustness(load_model("xor"), X, y, RateErrors(cv=[0.01], draws=5))
    >>> found.accuracy, found.noisy.shape, len(found.reactions)
    (1.0, (1, 5), 20)
    """
    kinetics = kinetics_of(net)
    net = kinetics.net
    x, truth = net.input_coding.check(X), labels_or_numbers("y", y)
    check_classes(net, x, truth)
    errors, scale = RateErrors.of(noise, draws=100), _factors(factors)
    resolved = resolve_loss(loss, net)
    targets = encode_targets(resolved, net, truth, len(x))

    def losses(outputs: FloatArray) -> FloatArray:
        return np.asarray(resolved.function(outputs, targets))

    def accuracy(outputs: FloatArray) -> float:
        return float(np.mean(net.classify(outputs) == truth))

    own = kinetics.outputs(kinetics.settle(x))
    whole = float(losses(own).mean())

    def noisy(cv: float, draw: int) -> float:
        return accuracy(perturbed_outputs(kinetics, x, errors.factors(kinetics, cv, draw)))

    knock_outs = KnockOuts(kinetics, x)
    return Robustness(
        *(net.name, accuracy(own), whole),
        np.array(errors.levels),
        np.array([[noisy(cv, draw) for draw in range(errors.draws)] for cv in errors.levels]),
        scale,
        np.array([accuracy(_with_fuel(kinetics, x, factor)) for factor in scale]),
        knock_outs.reactions,
        *_without_each(knock_outs, net, truth, losses, whole, progress).T,
    )


def _without_each(
    knock_outs: KnockOuts,
    net: Network,
    truth: npt.NDArray[Any],
    losses: Callable[[FloatArray], FloatArray],
    whole: float,
    progress: bool | None,
) -> FloatArray:
    """By reaction (n_reactions, 4), the last four attributes of `Robustness`."""
    rows = np.empty((len(knock_outs.reactions), 4))
    with progress_bar("knocking out", progress, len(rows)) as advance:
        for i, reaction in enumerate(knock_outs.reactions):
            outputs = knock_outs.outputs(reaction)
            good = np.all(np.isfinite(outputs), axis=1)
            right = np.zeros(len(truth))
            if good.any():
                right[good] = net.classify(outputs[good]) == truth[good]
            increase = losses(outputs).mean() - whole if good.all() else np.inf
            nearby = (knock_outs.outputs(reaction, 1 + s * _STEP) for s in (1, -1))
            more, less = (losses(outputs).mean() for outputs in nearby)
            rows[i] = right.mean(), increase, (less - more) / (2 * _STEP), 1 - good.mean()
            advance(i + 1, "reactions")
    return rows


def _factors(factors: Any) -> FloatArray:
    found = real_numbers("factors", factors, "a list of numbers > 0")
    if found.ndim != 1 or not found.size or not np.all(np.isfinite(found) & (found > 0)):
        raise InputError(f"factors are {factors!r}; expected a list of numbers > 0")
    return found


def _with_fuel(kinetics: NetworkKinetics, x: FloatArray, factor: float) -> FloatArray:
    """Outputs (n, n_out) with the reactions that make molecules at a factor."""
    parameters = NetworkParameters(kinetics, [Axis(FUEL, {FUEL: np.array([factor])})])
    every = np.full(len(x), factor)

    def settle(number: int, read: FloatArray) -> LayerState:
        layer = kinetics.layers[number]
        changed = parameters.with_fuel(number, parameters.own[number], read, every)
        constants = RateConstants(layer.constants.weights, changed.bias, changed.local[0])
        return layer.settle(read, constants)

    return kinetics.outputs(kinetics.walk(kinetics.net.input_coding.code(x), settle))
