"""Which h: sharp enough for the wanted accuracy, and no slower than that takes.

With smaller h every unit is nearer to the function meant, by at most sqrt(h), and its rate sqrt(z^2
+ 4h) is lower. ``choose_h`` draws that curve for an h that all layers share, and looks for the best
h layer by layer:

    least settling time   with error <= max_error,    or
    least error           with settling time <= max_time.

At a finite volume the error has the noise of molecules in it: with smaller h a unit holds fewer of
them where it is off, and forgets them more slowly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import (
    FloatArray,
    card,
    check_choice,
    check_positive,
    curves,
    frame_of,
    is_real,
    labels_or_numbers,
    progress_bar,
    read_only,
    real_numbers,
    whole_number,
)
from crn_nn_tellurium.certificates.certificate import Bound
from crn_nn_tellurium.certificates.question import TOLERANCE, input_points, kinetics_of
from crn_nn_tellurium.certificates.search_for_h import (
    Aim,
    Point,
    Search,
    Trials,
    free_layers,
    with_log_h,
)
from crn_nn_tellurium.errors import InputError, NetworkError
from crn_nn_tellurium.importers import AnyModel
from crn_nn_tellurium.networks import Network

if TYPE_CHECKING:
    import pandas as pd

_LIMIT = -100.0
"""log10 of an h whose square root is lost beside any value: the limit h -> 0."""


@dataclass(frozen=True, eq=False)
class HPoint:
    """A choice of h, by layer, and what it gives."""

    h: tuple[float, ...]
    # largest difference from the reference, over inputs and outputs, in units of the outputs; at a
    # volume, the largest root mean square
    error: float
    # the worst over the inputs, in time units of the model
    settling_time: float
    # share of right classes, at a volume the one expected; None without labels
    accuracy: float | None
    # at a volume, the largest standard deviation of an output, and how many species' moments are
    # doubtful there (see `Noise.doubts`); None without
    noise: float | None
    doubtful_species: int | None

    def __repr__(self) -> str:
        return f"HPoint({self._text()})"

    def _text(self) -> str:
        accuracy = "" if self.accuracy is None else f", accuracy {self.accuracy:.3g}"
        settles = f"settles by t = {self.settling_time:.4g}"
        noise = "" if self.noise is None else f" with noise {self.noise:.3g}"
        doubts = f", {self.doubtful_species} species doubtful" if self.doubtful_species else ""
        gives = f"error {self.error:.3g}{noise}{accuracy}, {settles}{doubts}"
        return f"h = {_numbers(self.h)}: {gives}"


@dataclass(frozen=True, eq=False)
class TradeOff:
    """Error and accuracy against settling time: one point (n_points,) for each h, ascending, that
    all free layers share, as in `HPoint`.
    """

    h: FloatArray
    error: FloatArray
    settling_time: FloatArray
    accuracy: FloatArray | None
    noise: FloatArray | None
    doubtful_species: npt.NDArray[np.intp] | None

    def __post_init__(self) -> None:
        read_only(self.h, self.error, self.settling_time)
        further = self.accuracy, self.noise, self.doubtful_species
        read_only(*(part for part in further if part is not None))

    def __repr__(self) -> str:
        h = f"{len(self.h)} points: h {_ends(self.h, 3)}"
        error = f"error {_ends(self.error, 3)}"
        error += "" if self.noise is None else f", noise {_ends(self.noise, 3)}"
        times = f"settling time {_ends(self.settling_time, 4)}"
        return f"TradeOff({h}, {error}, {times})"

    def to_frame(self) -> pd.DataFrame:
        """A row per h: error, settling time and, with labels, accuracy; at a volume, the noise that
        is in the error, and how many species are doubtful.
        """
        columns: dict[str, Any] = {"error": self.error, "settling_time": self.settling_time}
        further = {
            "accuracy": self.accuracy,
            "noise": self.noise,
            "doubtful_species": self.doubtful_species,
        }
        columns |= {name: values for name, values in further.items() if values is not None}
        return frame_of({"h": self.h}, columns)


@dataclass(frozen=True, eq=False)
class HChoice(HPoint):
    """The point that was chosen, and the curve that it was chosen from.

    Where `Activation.h_is_smoothing` is false, a layer's h is the network's own.

    Attributes
    ----------
    h, error, settling_time, accuracy, noise, doubtful_species
        As in `HPoint`.
    network : Network
        With the chosen h.
    tolerance : float
        Of the settling times, in units of the outputs: from the settling time on, whatever the
        start, the outputs are within error + tolerance of the reference.
    bound : str
        ``"envelope"`` or ``"cheap"``.
    volume : float or None
        Molecules at a concentration of 1, where they are counted.
    common : HPoint or None
        The best h that all free layers share; None where only different ones meet the limit.
    curve : TradeOff

    Examples
    --------
    >>> import crn_nn_tellurium as cn
    >>> xor, X = cn.load_model("xor"), [[0, 0], [0, 1], [1, 0], [1, 1]]
    >>> choice = cn.choose_h(xor, X, max_error=0.05)
    >>> [float(f"{h:.2g}") for h in choice.h], round(choice.error, 3)
    ([0.0012, 1.0], 0.05)
    >>> round(choice.settling_time), round(choice.common.settling_time)
    (40, 67)
    """

    network: Network
    tolerance: float
    bound: str
    volume: float | None
    common: HPoint | None
    curve: TradeOff

    @property
    def speed_up(self) -> float:
        """How many times sooner the outputs settle than with the best common h, if there is one."""
        if self.common is None or not self.settling_time:
            return 1.0
        return self.common.settling_time / self.settling_time

    def __repr__(self) -> str:
        common = "none for all layers" if self.common is None else f"for all layers {self.common!r}"
        return f"HChoice({self._text()}, to within {self.tolerance:g} by {self.bound!r}; {common})"

    def to_frame(self) -> pd.DataFrame:
        """The curve that h was chosen from: a row per h that all free layers share.

        Examples
        --------
        >>> from crn_nn_tellurium import load_model
        >>> choice = choose_h(load_model("xor"), [[0, 0], [0, 1]], max_error=0.1, n_points=5)
        >>> frame = choice.to_frame()
        >>> frame.index.name, list(frame.columns), len(frame)
        ('h', ['error', 'settling_time'], 5)
        """
        return self.curve.to_frame()

    def _repr_html_(self) -> str:
        facts: dict[str, object] = {
            "h": _numbers(self.h),
            "error": self.error,
            "settles by": f"t = {self.settling_time:.4g}, to within {self.tolerance:g}",
            "bound": self.bound,
            "with one h": "none for all layers" if self.common is None else self.common._text(),
        }
        if self.accuracy is not None:
            facts["accuracy"] = self.accuracy
        if self.volume is not None:
            facts["molecules at 1"] = self.volume
            facts["noise"] = f"{self.noise:.3g}, {self.doubtful_species} species doubtful"
        curve = self.curve
        lines = {
            "error": [np.log10(curve.error)],
            "time": [np.log10(curve.settling_time)],
        }
        ends = (f"h = {curve.h[0]:.3g}", f"h = {curve.h[-1]:.3g}")
        picture = curves(np.log10(curve.h), lines, ends, "log10 of error and settling time by h")
        return card("Choice of h", facts, curve.to_frame(), picture)


@progress_bar("choosing h")
def choose_h(
    net: AnyModel,
    X: npt.ArrayLike,  # scikit-learn's name
    max_error: float | None = None,
    max_time: float | None = None,
    *,
    y: npt.ArrayLike | None = None,
    tolerance: float | None = None,
    reference: npt.ArrayLike | None = None,
    volume: float | None = None,
    bound: Bound = "cheap",
    h_range: tuple[float, float] = (1e-8, 1.0),
    n_points: int = 33,
) -> HChoice:
    """Choose the smoothing of each layer for a wanted error, a wanted time, or both.

    The network is not modified. Layers whose h is part of their function
    (`Activation.h_is_smoothing` is false: sigmoids, normalised outputs) keep theirs. `Linear` is
    exact for every h, so it gets as large a one as helps.

    Parameters
    ----------
    net : Network
    X : (n_samples, n_in) array_like
        Inputs that errors and settling times are the worst of.
    max_error : float, optional
        Largest error of any output from the reference, absolute, in units of the outputs. Alone,
        the fastest h that meets it is chosen.
    max_time : float, optional
        Latest settling time, in time units of the model. Alone, the most accurate h that meets it
        is chosen; with `max_error`, the fastest, if that is in time.
    y : (n_samples,) array_like, optional
        True classes, as `Network.predict` gives them, for the accuracy.
    tolerance : float, optional
        Of the settling times, in units of the outputs; by default `max_error`, or 1e-3 without.
    reference : (n_samples, n_out) array_like, optional
        What the outputs should be; by default the network's own in the limit h -> 0 of the free
        layers.
    volume : float, optional
        Molecules at a concentration of 1, as in `noise`. Then the error of an output is the root
        of its mean square: of what its mean is off by, and of its standard deviation, which is told
        beside it; accuracy is the one expected. By default there is no noise.
    bound : {"cheap", "envelope"}
        What bounds settling times. The search is by the closed form either way; ``"envelope"``
        certifies the curve's points and the choice by the envelope where that is the sooner, at
        some 30 ms an input and point.
    h_range : (float, float)
        Least and largest h. Concentrations grow as sqrt(h).
    n_points : int
        Of the curve, equally apart in log h.

    Returns
    -------
    HChoice

    Raises
    ------
    InputError
        If an argument is of the wrong kind or shape, or no h in the range meets the limits; the
        message says what is reachable.
    NetworkError
        If h of every layer is part of its function.
    NotCertified
        If no settling time is known for an activation.

    Examples
    --------
    >>> from crn_nn_tellurium import load_model, model_data
    >>> net, (X, _, y, _) = load_model("xor"), model_data("xor")
    >>> choice = choose_h(net, X, max_error=0.1, y=y)
    >>> choice.error <= 0.1, choice.accuracy
    (True, 1.0)
    >>> choice.settling_time < choice.common.settling_time
    True
    >>> in_time = choose_h(net, X, max_time=50.0)
    >>> in_time.settling_time <= 50, in_time.error < in_time.common.error
    (True, True)
    """
    check_choice("bound", bound, get_args(Bound))
    limits = {"max_error": max_error, "max_time": max_time, "tolerance": tolerance}
    for name, value in {**limits, "volume": volume}.items():
        if value is not None:
            check_positive(name, value)
    aims = [] if max_error is None else [Aim("settling_time", max_error)]
    aims += [] if max_time is None else [Aim("error", max_time)]
    if not aims:
        raise InputError(
            "neither max_error nor max_time is given; expected at least one, max_error=0.01 say"
        )
    if tolerance is None:
        tolerance = TOLERANCE if max_error is None else max_error
    grid = _grid(h_range, n_points)
    net = kinetics_of(net).net
    x = input_points(net, X)
    if not free_layers(net):
        kinds = ", ".join(dict.fromkeys(type(layer.activation).__name__ for layer in net.layers))
        raise NetworkError(
            f"network {net.name!r}: h is part of the function of all its activations ({kinds}), so"
            " there is none to choose; balance(net) makes it faster without changing it"
        )
    trials = Trials(net, x, _reference(net, x, reference), float(tolerance), bound, volume)
    table = _Table(trials, _classes(net, y, len(x)), [(h,) * trials.n_free for h in grid.tolist()])
    found = table.choice(aims[0])
    if max_time is not None and found.settling_time > max_time:
        in_time = table.choice(aims[-1])
        raise InputError(
            f"max_error is {max_error!r} and max_time {max_time!r}; no h from {h_range[0]:g} to"
            f" {h_range[1]:g} was found that meets both: with that error the fastest settles by t ="
            f" {found.settling_time:.6g}, and by that time the smallest error is"
            f" {in_time.error:.6g}; expected the one or the other to be as large"
        )
    return found


class _Table:
    """The curve of some points, and choices with it; `y` are true classes (n_samples,) or None."""

    def __init__(self, trials: Trials, y: npt.NDArray[Any] | None, points: list[Point]) -> None:
        self._trials, self._y, self._points = trials, y, points
        found, counts = [self._at(point) for point in points], trials.volume is not None
        self.curve = TradeOff(
            h=10.0 ** np.array([point[0] for point in points]),
            error=np.array([p.error for p in found]),
            settling_time=np.array([p.settling_time for p in found]),
            accuracy=None if y is None else np.array([p.accuracy for p in found]),
            noise=np.array([p.noise for p in found]) if counts else None,
            doubtful_species=np.array([p.doubtful_species for p in found]) if counts else None,
        )

    def _at(self, point: Point) -> HPoint:
        trials = self._trials
        net = with_log_h(trials.net, point)
        merits = net.h, trials.error(point), trials.time(point)
        found = trials.noise(point)
        if found is None:
            accuracy = None if self._y is None else float(np.mean(net.predict(trials.x) == self._y))
            return HPoint(*merits, accuracy, None, None)
        accuracy = None
        if self._y is not None:
            is_true = self._y[:, None] == np.asarray(found.classes)
            accuracy = float(np.mean(np.sum(found.probabilities * is_true, axis=1)))
        return HPoint(*merits, accuracy, float(found.standard_deviation.max()), len(found.doubts))

    def choice(self, aim: Aim) -> HChoice:
        """The best point found."""
        trials = self._trials
        search = Search(trials, self._points, aim)
        best = self._at(search.best)
        if not aim.is_met(trials, search.best):
            raise InputError(self._unmet(aim, best))
        return HChoice(
            **vars(best),
            network=with_log_h(trials.net, search.best),
            tolerance=trials.tolerance,
            bound=trials.bound,
            volume=trials.volume,
            common=self._at(search.common) if aim.is_met(trials, search.common) else None,
            curve=self.curve,
        )

    def _unmet(self, aim: Aim, nearest: HPoint) -> str:
        low, high = self.curve.h[0], self.curve.h[-1]
        if aim.goal == "settling_time":
            name, what, least = "max_error", "error", nearest.error
            wider = f"a smaller h than {low:g}"
            if nearest.noise is not None:
                what += (
                    f" at volume {self._trials.volume:g}, of which {nearest.noise:.6g} is noise,"
                )
                wider += ", or a larger volume"
        else:
            name, what, least = "max_time", "settling time", nearest.settling_time
            wider = f"a larger h than {high:g}"
        return (
            f"{name} is {aim.most!r}; the smallest {what} found with h from {low:g} to {high:g} is"
            f" {least:.6g}, at h = {_numbers(nearest.h)}; expected at least that, or an h_range"
            f" with {wider}"
        )


# Arguments ----------------------------------------------------------------------------------------


def _classes(net: Network, y: Any, n: int) -> npt.NDArray[Any] | None:
    """True classes (n,), if there are."""
    if y is None:
        return None
    net.need_classes("y of classes")
    found = labels_or_numbers("y", y)
    if found.shape != (n,):
        raise InputError(f"y has shape {found.shape}; expected ({n},), one class per sample")
    return found


def _reference(net: Network, x: FloatArray, reference: Any) -> FloatArray:
    """What the outputs (n_samples, n_out) should be."""
    shape = (len(x), net.n_out)
    if reference is None:
        found = with_log_h(net, (_LIMIT,) * len(free_layers(net)))(x)
        mend = "; give reference= outputs"
    else:
        mend = ""
        found = real_numbers("reference", reference, f"numbers, shape {shape}")
    if found.shape != shape:
        raise InputError(
            f"reference has shape {found.shape}; expected {shape}, the outputs of each sample"
        )
    if not np.isfinite(found).all():
        i, j = (int(n) for n in np.argwhere(~np.isfinite(found))[0])
        where = f"reference of sample {i}, output {j}"
        raise InputError(f"{where}: {float(found[i, j])!r}; expected a finite number{mend}")
    return found


def _grid(h_range: Any, n_points: Any) -> FloatArray:
    """log10 h of the curve's points."""
    pair = h_range if isinstance(h_range, list | tuple | np.ndarray) else ()
    two = len(pair) == 2 and all(is_real(h) and np.isfinite(h) for h in pair)
    if not two or not 0 < pair[0] < pair[1]:
        raise InputError(
            f"h_range is {h_range!r}; expected the least and the largest h, 0 < least < largest"
        )
    n = whole_number("n_points", n_points, 2)
    return np.linspace(math.log10(pair[0]), math.log10(pair[1]), n)


def _ends(values: FloatArray, digits: int) -> str:
    return f"{values[0]:.{digits}g} to {values[-1]:.{digits}g}"


def _numbers(values: tuple[float, ...]) -> str:
    return "(" + ", ".join(f"{value:.3g}" for value in values) + ")"
