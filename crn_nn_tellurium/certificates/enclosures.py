"""Guaranteed intervals of the outputs when inputs and rate constants are known between bounds.

Strands of DNA are made and measured with errors, so each rate constant k is some number in [k (1 -
e), k (1 + e)], each reaction's by itself. ``enclosure`` bounds where the outputs settle for every
such choice; ``certified_margin`` is the largest e for which the class is certain, as certified
robustness is for neural networks under changes of the input: by intervals (Gowal et al., ICCV
2019), which `kinetics/bounds.py` explains, or by lines (Zhang et al., NeurIPS 2018), which remember
what units share; `kinetics/lines.py` has those.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import (
    FloatArray,
    bracket_largest,
    brief,
    by_sample,
    card,
    check_choice,
    check_share,
    frame_of,
    real_numbers,
)
from crn_nn_tellurium.certificates.question import (
    check_rates,
    check_some,
    input_box,
    is_single,
    kinetics_of,
)
from crn_nn_tellurium.chemistry import Interval
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.importers import AnyModel
from crn_nn_tellurium.kinetics import Bounds, Cut, Lines, ranked_by, settle_between
from crn_nn_tellurium.networks import Network
from crn_nn_tellurium.simulation import Simulator

if TYPE_CHECKING:
    import pandas as pd

Method = Literal["lines", "intervals"]
"""How bounds are found."""
_METHODS = ("lines", "intervals")
_PRECISION = 1e-6
"""Of margins, relative: far below what rate constants are known to."""
_FIRST = 0.01
"""The first error that is tried."""
_CASES, _FURTHER, _OF_CASES = 4, 1.3, 2e-3
"""How often a box is cut in two where its class is in doubt; how far above the margin without cuts,
relative, it is tried, and the precision there."""


@dataclass(frozen=True, eq=False)
class Enclosure:
    """Guaranteed bounds of a network's fixed point.

    Attributes
    ----------
    outputs : Interval (n_samples, n_out), or (n_out,) for one sample
    concentrations : Interval (n_samples, n_species), or (n_species,)
        Every floating species, in the order of `species`.
    nominal : ndarray, the outputs' shape
        The outputs with every rate constant, and the middle of every input, as stated.
    certain : bool ndarray (n_samples,), or bool
        Whether every choice gives the same class.
    rates : float
        Relative error of every rate constant.
    output_names, species : tuple of str

    Examples
    --------
    >>> import crn_nn_tellurium as cn
    >>> enclosed = cn.enclosure(cn.load_model("xor"), [[0, 1], [1, 1]], rates=0.05)
    >>> enclosed.outputs.lower.round(2), enclosed.outputs.upper.round(2)
    (array([[0.51],
           [0.  ]]), array([[1.33],
           [0.22]]))
    >>> enclosed.certain
    array([ True,  True])
    """

    outputs: Interval
    concentrations: Interval
    nominal: FloatArray
    certain: Any
    rates: float
    output_names: tuple[str, ...]
    species: tuple[str, ...]

    def __repr__(self) -> str:
        n = np.atleast_2d(self.nominal).shape[0]
        samples = "1 sample" if n == 1 else f"{n} samples"
        return (
            f"Enclosure({samples}, rate constants within {self.rates:.3g}: outputs"
            f" {self.outputs!r}, class certain for {int(np.sum(self.certain))})"
        )

    def to_frame(self) -> pd.DataFrame:
        """A row per sample and output: its value with all as stated, and its bounds.

        Examples
        --------
        >>> from crn_nn_tellurium import load_model
        >>> frame = enclosure(load_model("xor"), [[0, 0], [0, 1]], rates=0.01).to_frame()
        >>> list(frame.columns), list(frame.index)
        (['nominal', 'lower', 'upper', 'class_certain'], [(0, 'y0'), (1, 'y0')])
        """
        nominal, certain = np.atleast_2d(self.nominal), np.atleast_1d(self.certain)
        columns = {
            "nominal": nominal,
            "lower": self.outputs.lower,
            "upper": self.outputs.upper,
            "class_certain": np.repeat(certain, nominal.shape[1]),
        }
        return frame_of({"sample": range(len(nominal)), "output": self.output_names}, columns)

    def _repr_html_(self) -> str:
        rows, widths = self.to_frame(), self.outputs.width
        n = np.size(self.certain)
        facts = {
            "samples": n,
            "class certain": f"for {int(np.sum(self.certain)):,} of {n:,}",
            "rate constants within": self.rates,
            "widths of outputs": f"{widths.min():.3g} to {widths.max():.3g}",
        }
        return card("Enclosure", facts, rows)


# what overflows has no bound, which is said
@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def enclosure(
    net: AnyModel | Simulator,
    x: npt.ArrayLike | Interval,
    rates: float = 0.05,
    inputs: npt.ArrayLike = 0.0,
    *,
    method: Method = "lines",
) -> Enclosure:
    """Bound where the outputs settle when every rate constant, and every input, may be off.

    Parameters
    ----------
    net : Network, Simulator, or its file
    x : (n_in,) or (n_samples, n_in) array_like, or Interval of that shape
        Inputs, or boxes of inputs.
    rates : float
        Relative error, in [0, 1): each reaction's rate constant k lies anywhere in [k (1 - rates),
        k (1 + rates)].
    inputs : float or (n_in,) array_like
        Absolute error of each input, >= 0, in its own units; what cannot be an input is cut off.
    method : {"lines", "intervals"}
        Lines remember what units share, and are the tighter the deeper a network is; intervals
        alone take less time.

    Returns
    -------
    Enclosure

    Raises
    ------
    NotCertified
        If there is no bound: an activation whose species act on one another both ways, or intervals
        too wide.
    InputError
        If an argument has the wrong shape or is out of range.

    Notes
    -----
    Guaranteed up to rounding, for which the bounds are widened; docs/certificates.md has how wide
    they are beside what an attack finds.

    Examples
    --------
    >>> from crn_nn_tellurium import load_model
    >>> box = enclosure(load_model("xor"), [1.0, 0.0], rates=0.05)
    >>> bool(box.outputs.lower[0] < 1 < box.outputs.upper[0]), bool(box.certain)
    (True, True)
    """
    check_rates(rates)
    boxes = _Boxes(net, x, inputs, method)
    found = boxes.settle(np.full(len(boxes.nominal), float(rates)), strict=True)
    certain, doubted = found.certain.copy(), np.flatnonzero(~found.certain)
    certain[doubted] = boxes.by_cases(doubted, np.full(len(doubted), float(rates)))
    at: Any = 0 if boxes.single else slice(None)
    return Enclosure(
        Interval(*found.outputs)[at],
        Interval(*found.species)[at],
        boxes.nominal[at],
        certain[at],
        float(rates),
        boxes.net.output_names,
        boxes.kinetics.species,
    )


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def certified_margin(
    net: AnyModel | Simulator,
    x: npt.ArrayLike | Interval,
    inputs: npt.ArrayLike = 0.0,
    limit: float = 0.999,
    *,
    method: Method = "lines",
) -> Any:
    """The largest relative error of every rate constant for which the predicted class is certain.

    Parameters
    ----------
    net : Network, Simulator, or its file
    x : (n_in,) or (n_samples, n_in) array_like, or Interval of that shape
    inputs : float or (n_in,) array_like
        Absolute error of each input, as in `enclosure`.
    limit : float
        Errors above this are not looked at, in (0, 1).
    method : {"lines", "intervals"}
        As in `enclosure`.

    Returns
    -------
    float for one sample, else (n_samples,) ndarray
        Rounded down: to six digits, or to 0.2 % where it took a division into cases; 0 where the
        class is not certain at any error above it.

    Raises
    ------
    NotCertified
        As `enclosure`.
    InputError
        If an argument has the wrong shape or is out of range.

    Examples
    --------
    >>> from crn_nn_tellurium import load_model
    >>> margins = certified_margin(load_model("xor"), [[0, 0], [0, 1], [1, 0], [1, 1]])
    >>> bool(0.03 < margins.min() < 0.05)
    True
    """
    check_share("limit", limit, "a relative error, a number in (0, 1)")
    boxes = _Boxes(net, x, inputs, method)
    boxes.net.need_classes("certified_margin")
    n = len(boxes.nominal)
    # what has no bound even without errors would pass for a class that bears none
    boxes.settle(np.zeros(n), strict=True)

    def is_certain(rates: FloatArray) -> npt.NDArray[np.bool_]:
        # bounds may be infinite here: then the class is not certain
        return boxes.settle(rates, strict=False).certain

    margins, _ = bracket_largest(is_certain, n, _FIRST, float(limit), _PRECISION)
    # of most nothing more is to be had, which one look shows
    helped = np.zeros(n, dtype=bool)
    open_ = np.flatnonzero((margins > 0) & (margins < limit))
    helped[open_] = boxes.by_cases(open_, np.minimum((1 + _OF_CASES) * margins[open_], limit))
    if not helped.any():
        return float(margins[0]) if boxes.single else margins

    def is_shown(rates: FloatArray) -> npt.NDArray[np.bool_]:
        shown = rates <= margins
        asked = np.flatnonzero(helped & ~shown & (rates < _FURTHER * margins))
        shown[asked] = boxes.by_cases(asked, rates[asked])
        return shown

    further, _ = bracket_largest(is_shown, n, _FIRST, float(limit), _OF_CASES)
    margins = np.maximum(margins, further)
    return float(margins[0]) if boxes.single else margins


@dataclass(frozen=True, eq=False)
class _Found:
    """Bounds of outputs (n, n_out) and of all species (n, n_species), and of which samples the
    class is certain (n,).
    """

    outputs: Bounds
    species: Bounds
    certain: npt.NDArray[np.bool_]


class _Boxes:
    """Boxes of inputs of a network, and where its species settle for all of them."""

    def __init__(self, net: AnyModel | Simulator, x: Any, errors: Any, method: str) -> None:
        check_choice("method", method, _METHODS)
        self._by_lines = method == "lines"
        self.kinetics = kinetics_of(net)
        self.net = self.kinetics.net
        self._last = self.kinetics.layers[-1]
        self.single = is_single(self.net, x)
        stated = input_box(self.net, x)
        boxes = _widened(self.net, stated, errors)
        # the middle as stated, for what cannot be an input is cut off on one side alone
        self.nominal = self.net(stated.lower + (stated.upper - stated.lower) / 2)
        self._held = self.net.input_coding.code_between(boxes.lower, boxes.upper)

    def settle(self, rates: FloatArray, strict: bool) -> _Found:
        """Bounds for errors (n,) of the rate constants."""
        if not self._by_lines:
            return self._by_intervals(rates, strict)
        n, step = len(rates), Lines.samples_at_a_time(self.kinetics)
        parts = [
            self._between_lines(slice(first, first + step), rates[first : first + step], strict)
            for first in range(0, n, step)
        ]
        return _Found(
            _joined([part.outputs for part in parts]),
            _joined([part.species for part in parts]),
            np.concatenate([part.certain for part in parts]),
        )

    def _by_intervals(self, rates: FloatArray, strict: bool) -> _Found:
        bounds = settle_between(self.kinetics, self._held, rates[:, None], strict)
        outputs = self._last.activation.read_between(*bounds[-1])
        return _Found(outputs, _of_all(bounds), _is_certain(self.net, self.nominal, outputs))

    def _between_lines(self, part: slice, rates: FloatArray, strict: bool) -> _Found:
        """The same of some samples, by lines, and by intervals where these are narrower."""
        lower, upper = self._held
        lines = Lines(self.kinetics, (lower[part], upper[part]), rates, strict)
        outputs = lines.outputs()
        nominal = self.nominal[part]
        certain = _is_certain(self.net, nominal, outputs) | self._decide(lines, nominal, rates)[0]
        return _Found(outputs, _of_all(lines.bounds), certain)

    def by_cases(self, rows: npt.NDArray[np.intp], rates: FloatArray) -> npt.NDArray[np.bool_]:
        """Whether the class of some samples is certain with errors (n,) of the rate constants, one
        unit at a time above its knee and below it.
        """
        if not self._by_lines:
            return np.zeros(len(rows), dtype=bool)
        certain = np.ones(len(rows), dtype=bool)
        step = max(1, Lines.samples_at_a_time(self.kinetics) >> _CASES)
        for first in range(0, len(rows), step):
            part = slice(first, first + step)
            certain[part] = self._in_cases(rows[part], rates[part])
        return certain

    def _in_cases(self, rows: npt.NDArray[np.intp], rates: FloatArray) -> npt.NDArray[np.bool_]:
        certain, cuts = np.ones(len(rows), dtype=bool), tuple[Cut, ...]()
        of = np.arange(len(rows))
        for _ in range(_CASES + 1):
            held = self._held[0][rows[of]], self._held[1][rows[of]]
            lines = Lines(self.kinetics, held, rates[of], False, cuts)
            shown, sums = self._decide(lines, self.nominal[rows[of]], rates[of])
            new, gain = lines.widest(sums)
            # where no cut helps nothing is shown, and of a sample all cases must be
            certain[of[~shown & (gain == 0)]] = False
            left = np.flatnonzero(~shown & certain[of])
            if not len(left):
                return certain
            twice = np.repeat(left, 2)
            new = replace(new.of(twice), is_above=np.tile([False, True], len(left)))
            of, cuts = of[twice], (*(cut.of(twice) for cut in cuts), new)
        certain[of] = False
        return certain

    def _decide(
        self, lines: Lines, nominal: FloatArray, rates: FloatArray
    ) -> tuple[npt.NDArray[np.bool_], FloatArray]:
        """Whether sums of the outputs' species show the class, and of each sample the sum (n_out,
        n_species) that does so least.
        """
        if self.net.n_out > 1:
            return self._outranks(lines, nominal.argmax(axis=1), rates)
        activation = self._last.activation
        between = activation.read_between(*lines.bounds[-1])
        rises = np.zeros(len(activation.species))
        rises[: len(activation.rails)] = [rail.sign for rail in activation.rails]
        above = nominal[:, 0] > activation.threshold
        sums = np.where(above, -1.0, 1.0)[:, None, None] * rises
        return _is_certain(self.net, nominal, between), sums

    def _outranks(
        self, lines: Lines, best: npt.NDArray[np.intp], rates: FloatArray
    ) -> tuple[npt.NDArray[np.bool_], FloatArray]:
        """Whether the best of the outputs is above all others, whatever is shared by both; and the
        sum for the one that comes nearest.
        """
        gains, is_share = ranked_by(self._last)
        more, less = ((1 + rates) ** 2, (1 - rates) ** 2) if is_share else (1.0, 1.0)
        n, n_out = len(best), self.net.n_out
        rows, each = np.arange(n), np.arange(n_out)
        sums = np.zeros((n, n_out, n_out, len(gains)))
        sums[:, each, each] = np.multiply.outer(np.broadcast_to(more, n), gains)[:, None]
        sums[rows, :, best] -= np.multiply.outer(np.broadcast_to(less, n), gains)[:, None]
        most = lines.most(sums)
        most[rows, best] = -np.inf
        return np.asarray(most.max(axis=1) < 0), sums[rows, most.argmax(axis=1)]


def _of_all(bounds: list[Bounds]) -> Bounds:
    """Bounds of all layers' species side by side."""
    lower, upper = (np.concatenate([by_sample(b[end]) for b in bounds], axis=1) for end in (0, 1))
    return lower, upper


def _joined(parts: list[Bounds]) -> Bounds:
    """Bounds of some samples after those of others."""
    lower, upper = (np.concatenate([part[end] for part in parts]) for end in (0, 1))
    return lower, upper


def _is_certain(net: Network, nominal: FloatArray, outputs: Bounds) -> npt.NDArray[np.bool_]:
    """Whether all outputs between bounds give the class of the nominal ones, (n,)."""
    lower, upper = outputs
    if net.n_out == 1:
        threshold = net.layers[-1].activation.threshold
        above, below = lower[:, 0] > threshold, upper[:, 0] <= threshold
        return np.where(nominal[:, 0] > threshold, above, below)
    rows = np.arange(len(nominal))
    best = nominal.argmax(axis=1)
    # the class stays if its least output is above the most of all others
    others = upper.copy()
    others[rows, best] = -np.inf
    return np.asarray(lower[rows, best] > others.max(axis=1))


def _widened(net: Network, boxes: Interval, inputs: Any) -> Interval:
    """Boxes of inputs with an absolute error added, as far as inputs may go."""
    try:
        error = np.broadcast_to(real_numbers("inputs", inputs), (net.n_in,))
    except ValueError as problem:
        text = f"inputs is {brief(inputs)}; expected an absolute error, one number or {net.n_in}"
        raise InputError(text) from problem
    if not np.all(np.isfinite(error) & (error >= 0)):
        raise InputError(
            f"inputs is {brief(inputs)}; expected absolute errors of the inputs, finite and >= 0"
        )
    lowest = {"nonnegative": 0.0, "signed": -np.inf}.get(net.inputs)
    floor = np.array(net.input_range[0]) if lowest is None else lowest
    check_some(net, boxes.lower)
    return Interval(np.maximum(boxes.lower - error, floor), boxes.upper + error)
