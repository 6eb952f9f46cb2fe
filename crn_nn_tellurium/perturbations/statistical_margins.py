"""The size of random errors of rate constants that a class survives, with a given probability.

The worst errors (`certified_margin`) need every constant to err the bad way. Random ones mostly
cancel: with lognormal errors, each reaction's by itself as there, a class stays right in most
draws at many times that size. Draws are numbered, and those of one number grow with cv, so that the
number of draws that go wrong is a function of cv; between which bounds the share of all possible
draws lies follows from that number of them (`share_bounds`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import (
    SHARE_LEVEL,
    FloatArray,
    bars,
    bracket_largest,
    card,
    check_positive,
    check_share,
    frame_of,
    read_only,
    seed_given,
    share_bounds,
    whole_number,
)
from crn_nn_tellurium.certificates import input_points, is_single, kinetics_of
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.importers import AnyModel
from crn_nn_tellurium.kinetics import (
    KineticsApart,
    RateConstants,
    normals_by_name,
    spread,
)
from crn_nn_tellurium.networks import Network
from crn_nn_tellurium.perturbations.attack_search import reactions_apart
from crn_nn_tellurium.simulation import Simulator

if TYPE_CHECKING:
    import pandas as pd

_FIRST, _PRECISION, _OF_BOUNDS = 0.05, 0.02, 0.05
"""Of margins: the cv tried first, and how near two that differ in the answer are, relative."""
_TOGETHER = 2 * 10**5
"""Rate constants that are held at once, in each of some arrays: what a processor's cache holds."""
_NUMBERS = 3 * 10**7
"""Normal numbers that are kept: 240 MB. Of larger networks they are drawn again at each cv."""


@dataclass(frozen=True, eq=False)
class StatisticalMargin:
    """Up to which size of random errors each sample keeps its class, as often as asked for.

    Attributes
    ----------
    margins : (n_samples,) ndarray, or a number for one sample
        The largest coefficient of variation of every reaction's rate constant at which at least a
        share `confidence` of the draws gives the class that the network gives with none; to 2 %.
    lower, upper : as margins
        Between which, at a level of 95 %, the margin of infinitely many draws lies; `upper` is
        infinite where no cv up to the limit is too large.
    confidence : float
    draws, seed : int
    classes : tuple
        The network's class of each sample.

    Examples
    --------
    >>> import crn_nn_tellurium as cn
    >>> xor = cn.load_model("xor")
    >>> found = cn.statistical_margin(xor, [[0, 0], [0, 1], [1, 0], [1, 1]], draws=400)
    >>> bool(0.03 < found.margins.min() < 0.1)
    True
    >>> bool((found.margins > cn.certified_margin(xor, [[0, 0], [0, 1], [1, 0], [1, 1]])).any())
    True
    """

    margins: Any
    lower: Any
    upper: Any
    confidence: float
    draws: int
    seed: int
    classes: tuple[Any, ...]

    def __post_init__(self) -> None:
        read_only(*(np.asarray(part) for part in (self.margins, self.lower, self.upper)))

    @property
    def _span(self) -> str:
        margins = np.atleast_1d(self.margins)
        least, half = margins.argmin(), np.median(margins)
        low, high = np.atleast_1d(self.lower)[least], np.atleast_1d(self.upper)[least]
        bounds = f"between {low:.3g} and {high:.3g} at a level of {SHARE_LEVEL:.0%}"
        return f"least {margins[least]:.3g} ({bounds}), median {half:.3g}"

    def __repr__(self) -> str:
        n = len(self.classes)
        samples = "1 sample" if n == 1 else f"{n} samples"
        right = f"class right in {100 * self.confidence:.4g} % of {self.draws:,} draws"
        return f"StatisticalMargin({samples}, {right} up to cv: {self._span})"

    def to_frame(self) -> pd.DataFrame:
        """A row per sample: its class, its margin, and between which bounds that lies.

        Examples
        --------
        >>> from crn_nn_tellurium import load_model
        >>> found = statistical_margin(load_model("xor"), [[0, 0], [0, 1]], draws=400)
        >>> list(found.to_frame().columns), found.to_frame().index.name
        (['class', 'margin', 'lower', 'upper'], 'sample')
        """
        columns = {
            "class": list(self.classes),
            "margin": self.margins,
            "lower": self.lower,
            "upper": self.upper,
        }
        return frame_of({"sample": range(len(self.classes))}, columns)

    def _repr_html_(self) -> str:
        margins = np.atleast_1d(self.margins)
        facts = {
            "samples": len(self.classes),
            "class right in": f"{100 * self.confidence:.4g} % of {self.draws:,} draws",
            "up to cv": self._span,
        }
        shares = np.quantile(margins, [0, 0.25, 0.5, 0.75, 1])
        names = ("least", "a quarter below", "median", "three quarters below", "largest")
        picture = bars(dict(zip(names, shares.tolist(), strict=True)), "margins, as cv")
        rows = self.to_frame().sort_values("margin", kind="stable")
        return card("StatisticalMargin", facts, rows, picture, notes=["The least margins first."])


def statistical_margin(
    net: AnyModel | Simulator,
    X: npt.ArrayLike,  # scikit-learn's name
    confidence: float = 0.99,
    *,
    draws: int = 1000,
    seed: int = 0,
    limit: float = 4.0,
) -> StatisticalMargin:
    """The largest random errors of rate constants at which each class is right, as often as asked.

    Beside `certified_margin`, which bears the worst errors: here they are lognormal, and as there
    each reaction's by itself, as strands have them.

    Parameters
    ----------
    net : Network, Simulator, or its file
    X : (n_in,) or (n_samples, n_in) array_like
    confidence : float
        Share of the draws, in (0, 1), in which a sample keeps the class that it has without errors.
    draws : int
        Sets of errors, which grow with cv.
    seed : int
        Equal seeds give equal errors, draw by draw.
    limit : float
        Coefficients of variation above this are not looked at.

    Returns
    -------
    StatisticalMargin

    Raises
    ------
    InputError
        If an argument has the wrong shape or is out of range, there are too few draws to tell the
        confidence asked for, or an activation's species act on one another both ways.
    NetworkError
        If the network is for regression.
    ConvergenceError
        If errors leave a layer without a positive steady state: of built-in activations none do.

    Notes
    -----
    `robustness` draws the errors of *named* rate constants, h and q of a layer among them: one
    error for all that share the name. Units that are off together keep their ranking, so a class
    seems to bear more. Reactions of one species with every unit of its layer (those that remove P
    of `Normalized`) have one error here, as in `attack`. Draw by draw, errors are those that a
    reaction network has in `scan` over `lognormal` if each rate constant is named ``k_`` and its
    reaction.

    With a fixed set of draws the share that is right need not fall all the way as cv grows; what is
    given is a cv where it is large enough, next to one where it is not.

    Examples
    --------
    >>> from crn_nn_tellurium import load_model
    >>> found = statistical_margin(load_model("xor"), [0, 1], confidence=0.9, draws=100)
    >>> bool(found.lower < found.margins < found.upper)
    True
    """
    network = kinetics_of(net).net
    network.need_classes("statistical_margin")
    x, single = input_points(network, X), is_single(network, X)
    check_positive("limit", limit)
    least, middle, most = _numbers_of_wrong(confidence, whole_number("draws", draws))
    count = _Count(network, x, int(draws), seed_given(seed), most)

    def bracket(wrong: int, precision: float = _OF_BOUNDS) -> tuple[FloatArray, FloatArray]:
        def is_right(cv: FloatArray) -> npt.NDArray[np.bool_]:
            return count(cv) <= wrong

        return bracket_largest(is_right, len(x), _FIRST, float(limit), precision)

    # what bounds are off by makes them wider
    lower, upper = bracket(least)[0], bracket(most)[1]
    margins = bracket(middle, _PRECISION)[0]
    at: Any = 0 if single else slice(None)
    told = float(confidence), count.draws, count.seed, count.labels
    return StatisticalMargin(margins[at], lower[at], upper[at], *told)


def _numbers_of_wrong(confidence: Any, draws: int) -> tuple[int, int, int]:
    """How many draws may be wrong: for the share of right ones to be surely, on average, and
    possibly as large as asked for.
    """
    check_share("confidence", confidence, "a share of the draws between 0 and 1")
    tail = (1 - SHARE_LEVEL) / 2
    needed = int(np.ceil(np.log(tail) / np.log(confidence)))
    if draws < needed:
        raise InputError(
            f"draws is {draws}; expected at least {needed}: were all of fewer right, a share below"
            f" confidence={confidence:g} would be possible"
        )
    wrong = np.arange(draws + 1)
    right = draws - wrong
    low, high = share_bounds(right, draws)
    # shares as they are counted, but for rounding
    each = (low, right / draws + 1e-12, high)
    least, middle, most = (int(np.flatnonzero(share >= confidence)[-1]) for share in each)
    return least, middle, most


class _Count:
    """In how many draws samples x (n, n_in) have another class than without errors."""

    def __init__(self, net: Network, x: FloatArray, draws: int, seed: int, most: int) -> None:
        """`most` is the largest number of draws that is told from more."""
        self._kinetics, self._most = KineticsApart(net), most
        for layer in self._kinetics.layers:
            layer.check_order("draws by reaction need one without such a loop", InputError)
        self._inputs = net.input_coding.code(x)
        self.draws, self.seed = draws, seed
        self._classes = net.classify(net(x))
        self.labels = tuple(self._classes.tolist())
        # by cv, the number for each sample, -1 where it was not asked for
        self._known: dict[float, npt.NDArray[np.intp]] = {}
        reactions, self._numbers = reactions_apart(self._kinetics)
        self._names = [f"k_{reaction.id}" for reaction in reactions]
        # some draws at a time, as many as rate constants fit for
        step = max(1, _TOGETHER // len(self._kinetics.own))
        self._spans = [range(i, min(i + step, draws)) for i in range(0, draws, step)]
        self._normals: dict[range, FloatArray] = {}
        self._keeps = draws * len(self._names) <= _NUMBERS

    def __call__(self, cv: FloatArray) -> npt.NDArray[np.intp]:
        """Of each sample at a cv of its own (n,)."""
        found = np.empty(len(cv), dtype=np.intp)
        for level in np.unique(cv).tolist():
            known = self._known.setdefault(level, np.full(len(cv), -1))
            here = np.flatnonzero(cv == level)
            new = here[known[here] < 0]
            if len(new):
                known[new] = self._wrong(new, level)
            found[here] = known[here]
        return found

    def _wrong(self, samples: npt.NDArray[np.intp], cv: float) -> npt.NDArray[np.intp]:
        wrong = np.zeros(len(samples), dtype=np.intp)
        for draws in self._spans:
            # what no reaction has, a weight of 0, stays as it is
            rows = np.tile(self._kinetics.own, (len(draws), 1))
            rows[:, self._numbers] *= np.exp(spread(cv) * self._normals_of(draws))
            constants = self._kinetics.from_rows(rows)
            for place, sample in enumerate(samples):
                # that more are wrong than may be is all that is asked of the rest
                if wrong[place] <= self._most:
                    wrong[place] += self._wrong_of(sample, constants)
        return wrong

    def _wrong_of(self, sample: int, constants: list[RateConstants]) -> int:
        n = len(constants[0].bias)
        inputs = np.broadcast_to(self._inputs[sample], (n, *self._inputs.shape[1:]))
        outputs = self._kinetics.outputs(self._kinetics.settle_coded(inputs, constants))
        return int((self._kinetics.net.classify(outputs) != self._classes[sample]).sum())

    def _normals_of(self, draws: range) -> FloatArray:
        found = self._normals.get(draws)
        if found is None:
            found = np.stack([normals_by_name(self._names, draw, self.seed) for draw in draws])
            if self._keeps:
                self._normals[draws] = found
        return found
