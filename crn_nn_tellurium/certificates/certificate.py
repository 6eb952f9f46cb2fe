"""Certificates: by when a network's outputs are within tolerance, whatever the start.

``certify`` states it with everything it rests on; ``settling_time`` is the short way. What is asked
is a `Question`; the envelope or the closed form gives the `Answer`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import (
    FloatArray,
    card,
    check_choice,
    frame_of,
    progress_bar,
    read_only,
    some,
)
from crn_nn_tellurium.certificates.closed_form import in_closed_form
from crn_nn_tellurium.certificates.following import EnvelopeModel
from crn_nn_tellurium.certificates.question import (
    INITIAL_MAX,
    TOLERANCE,
    Answer,
    EnvelopeCourse,
    Question,
    is_single,
    kinetics_of,
)
from crn_nn_tellurium.chemistry import (
    CONCENTRATION,
    MODEL_UNITS,
    TIME,
    Interval,
    Units,
    check_units,
    must_convert,
)
from crn_nn_tellurium.errors import ConvergenceError, NotCertified
from crn_nn_tellurium.importers import AnyModel
from crn_nn_tellurium.kinetics import NetworkKinetics
from crn_nn_tellurium.simulation import EngineLike, OnError, Simulator, check_engine

if TYPE_CHECKING:
    import pandas as pd

Bound = Literal["envelope", "cheap"]
UNIQUE = (
    "one positive fixed point: with the species before it settled, each species changes by a + b y"
    " - c y^2, a > 0, which has one positive root (c = 0 and b < 0 for followers); so there is one"
    " fixed point, species after species"
)
SETTLES = (
    "one positive fixed point, as the activation declares (`settles`; its species act on one"
    " another both ways); the envelope shows that all starts bring the outputs within tolerance"
    " of it"
)


@dataclass(frozen=True, eq=False)
class Certificate:
    """By when every output is within tolerance of its fixed point, and stays there.

    Attributes
    ----------
    by_sample : (n_samples, n_out) ndarray
        Settling times by input and output.
    tolerance : float
        In units of the outputs.
    bound : str
        ``"envelope"`` or ``"cheap"``.
    chain : tuple of str
        The slowest chain of species, from the first layer to the output, for the slowest output of
        the slowest sample.
    rate : float
        Slowest rate at the fixed point, the smallest over the inputs; 1 / rate is the slowest time
        constant.
    outputs : Interval (n_samples, n_out)
        Where the outputs settle.
    fixed_point : Interval (n_samples, n_species)
        Where every species settles, in the order of `species`.
    initial : Interval or None
        The box of starts (n_species,); None for all non-negative starts.
    initial_max : float or None
        Cap on the starts of the species in `capped`; None where there are none.
    capped : tuple of str
        Species for whose starts no bound without a cap exists.
    rates : float
        Relative error of every rate constant that is covered.
    uniqueness : str
        Why the positive fixed point is the only one.
    envelope : EnvelopeCourse or None
        That of the slowest sample; None for the cheap bound.
    output_names, species : tuple of str
        Identifiers.
    units : Units
        What all numbers are in: the model's own, or those of `in_units`.
    output_labels : tuple of str
        What pictures call the outputs: classes, where each output is one.

    Examples
    --------
    >>> import crn_nn_tellurium as cn
    >>> xor, X = cn.load_model("xor"), [[0, 0], [0, 1], [1, 0], [1, 1]]
    >>> certificate = cn.certify(xor, X, tolerance=0.01, bound="cheap")
    >>> certificate.by_sample.shape
    (4, 1)
    >>> round(certificate.settling_time), certificate.chain
    (123, ('Y1_1', 'Yp2_0'))
    """

    by_sample: FloatArray
    tolerance: float
    bound: str
    chain: tuple[str, ...]
    rate: float
    outputs: Interval
    fixed_point: Interval
    initial: Interval | None
    initial_max: float | None
    capped: tuple[str, ...]
    rates: float
    uniqueness: str
    envelope: EnvelopeCourse | None
    output_names: tuple[str, ...]
    species: tuple[str, ...]
    units: Units = MODEL_UNITS
    output_labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        read_only(self.by_sample)

    @property
    def settling_times(self) -> FloatArray:
        """By output (n_out,), the worst over the inputs."""
        return self.by_sample.max(axis=0)

    @property
    def settling_time(self) -> float:
        """For all outputs and all inputs certified."""
        return float(self.by_sample.max())

    @property
    def starts(self) -> str:
        """The starts that the certificate covers, in words."""
        if self.initial is not None:
            return self._box_in_words(self.initial)
        if self.initial_max is None:
            return "all non-negative starts"
        few = some(self.capped, 3)
        most = self.units.text(self.initial_max, CONCENTRATION)
        return f"all non-negative starts with {few} at most {most}"

    def _box_in_words(self, box: Interval) -> str:
        if not box.width.any():
            return "one start"
        ends = np.stack([box.lower, box.upper], axis=-1)
        text = [
            " to ".join(self.units.text(end, CONCENTRATION) for end in pair)
            for pair in ends.tolist()
        ]
        if len(set(text)) == 1:
            return f"starts with every species from {text[0]}"
        pairs = zip(self.species, text, strict=True)
        return f"starts with {some([f'{name} from {part}' for name, part in pairs], 3)}"

    @property
    def assumptions(self) -> dict[str, str]:
        """What the certificate rests on, in words.

        Examples
        --------
        >>> from crn_nn_tellurium import load_model
        >>> certificate = certify(load_model("xor"), [1.0, 0.0], rates=0.01)
        >>> certificate.assumptions["rate constants"]
        'each within 1 % of what is stated, by itself'
        """
        by = {
            "envelope": "the envelope of all trajectories, integrated to 1e-10",
            "cheap": "a closed form; the envelope may be earlier",
        }
        off = f"each within {100 * self.rates:.4g} % of what is stated, by itself"
        return {
            "starts": self.starts,
            "rate constants": off if self.rates else "as stated",
            "bound": by[self.bound],
            "fixed point": self.uniqueness,
        }

    def __repr__(self) -> str:
        n, units = len(self.by_sample), self.units
        inputs = "1 input" if n == 1 else f"{n} inputs"
        within = f"outputs within {units.text(self.tolerance, CONCENTRATION)}"
        since = f"from {units.moment(self.settling_time)} on, by {self.bound!r}"
        slowest = " -> ".join(self.chain)
        rate = units.text(self.rate, TIME**-1, digits=3)
        off = f" and rate constants within {100 * self.rates:.4g} %" if self.rates else ""
        return (
            f"Certificate({inputs}: {within} {since}, from {self.starts}{off}; slowest {slowest};"
            f" rate {rate})"
        )

    def to_frame(self) -> pd.DataFrame:
        """A row per sample and output: its settling time, and between what it settles.

        Examples
        --------
        >>> from crn_nn_tellurium import load_model
        >>> frame = certify(load_model("xor"), [[0, 0], [0, 1]], bound="cheap").to_frame()
        >>> list(frame.index), list(frame.columns)
        ([(0, 'y0'), (1, 'y0')], ['settling_time', 'lower', 'upper'])
        """
        bounds = {"lower": self.outputs.lower, "upper": self.outputs.upper}
        levels = {"sample": range(len(self.by_sample)), "output": self.output_names}
        return frame_of(levels, {"settling_time": self.by_sample, **bounds})

    def _repr_html_(self) -> str:
        units = self.units
        *rests, (_, unique) = self.assumptions.items()
        facts: dict[str, object] = {
            "settled by": units.moment(self.settling_time),
            "outputs within": units.text(self.tolerance, CONCENTRATION),
            "slowest": " → ".join(self.chain),
            "rate": units.text(self.rate, TIME**-1, digits=3),
            **dict(rests),
            "units": units.in_words,
        }
        picture = "" if self.envelope is None else self.envelope.sketch(self.output_names, units)
        return card("Certificate", facts, self.to_frame(), picture, notes=[unique])

    def in_units(self, units: Units) -> Certificate:
        """All numbers in other units: times in s, concentrations in nM, the rate in 1/s.

        Raises
        ------
        InputError
            If `units` are none, or the certificate is in others already.

        Examples
        --------
        >>> from crn_nn_tellurium import PhysicalUnits, load_model
        >>> certificate = certify(load_model("xor"), [1.0, 0.0], tolerance=0.01, bound="cheap")
        >>> certificate.in_units(PhysicalUnits(c0=10, tau=100)).tolerance
        0.1
        """
        if not must_convert("the certificate", self.units, units):
            return self
        return replace(
            self,
            by_sample=units.time(self.by_sample),
            tolerance=units.concentration(self.tolerance),
            rate=units.rate_constant(self.rate, 1),
            outputs=units.concentration(self.outputs),
            fixed_point=units.concentration(self.fixed_point),
            initial=self.initial and units.concentration(self.initial),
            initial_max=self.initial_max and units.concentration(self.initial_max),
            envelope=self.envelope and self.envelope.in_units(units),
            units=units,
        )


@progress_bar("certifying")
def certify(
    net: AnyModel | Simulator,
    x: npt.ArrayLike | Interval,
    tolerance: float = TOLERANCE,
    initial: Any = None,
    *,
    bound: Bound = "envelope",
    initial_max: float = INITIAL_MAX,
    rates: float = 0.0,
    units: Units = MODEL_UNITS,
    engine: EngineLike = None,
) -> Certificate:
    """Bound the time by which every output is within tolerance of its fixed point and stays there.

    Parameters
    ----------
    net : Network, Simulator, or its file
    x : (n_in,) or (n_samples, n_in) array_like, or Interval of that shape
        Inputs; the certificate holds for each of them. An Interval is a box: the certificate holds
        for every input in it, each settling to its own fixed point. (A pair of lists is two inputs,
        as everywhere.)
    tolerance : float
        Absolute, in units of the outputs.
    initial : pair, float, array_like (n_species,), mapping of str to float, or Interval, optional
        The starts: a pair ``(lower, upper)`` or an Interval is a box of starts, anything else one
        start. A start is what `Simulator.steady_state` takes. In a mapping, species that are not
        named may start anywhere up to `initial_max`. By default all non-negative starts.
    bound : {"envelope", "cheap"}
        The envelope of all trajectories, integrated; or a closed form, later and at once.
    initial_max : float
        Cap on the starts of species that are lost in proportion to themselves (S of a sigmoid, P of
        a normalised output): their settling time grows with the logarithm of their start, so no
        bound over all starts exists. The certificate says for which species it holds.
    rates : float
        Relative error, in [0, 1), that every rate constant may have, each by itself; the outputs
        settle to the fixed point of the erroneous network.
    units : Units
        What the certificate's numbers are to be in, as by `Certificate.in_units`; arguments are in
        units of the model.
    engine : {"roadrunner", "rate_equations"}, Roadrunner, RateEquations or None
        Who integrates the envelope, as in `Simulator`.

    Returns
    -------
    Certificate

    Raises
    ------
    NotCertified
        If no bound is known, with the reason: for a reaction network that is not a neural
        network's, an activation whose species act on one another both ways, or an envelope that
        does not close.
    InputError
        If an argument has the wrong shape or cannot be a concentration, tolerance or error.
    ConvergenceError
        If the integrator gives up.

    Notes
    -----
    The bound is a theorem (docs/theory.md) but for the integration of the envelope, to a relative
    tolerance of 1e-10, against which the envelope is held to a tolerance smaller by a millionth.

    Examples
    --------
    >>> from crn_nn_tellurium import load_model
    >>> certificate = certify(load_model("xor"), [1.0, 0.0], tolerance=0.01)
    >>> certificate.starts
    'all non-negative starts'
    >>> cheap = certify(load_model("xor"), [1.0, 0.0], tolerance=0.01, bound="cheap")
    >>> certificate.settling_time < cheap.settling_time
    True
    """
    check_choice("bound", bound, get_args(Bound))
    check_units(units)
    check_engine(engine)
    kinetics = kinetics_of(net)
    unique = _uniqueness(kinetics)
    question = Question.of(kinetics, x, tolerance, initial, initial_max, rates)
    found = _bound(kinetics, bound, engine)(question)
    return Certificate(
        **vars(found),
        tolerance=question.tolerance,
        bound=bound,
        initial=question.starts,
        initial_max=question.initial_max if found.capped else None,
        rates=question.rates,
        uniqueness=unique,
        output_names=kinetics.net.output_names,
        species=kinetics.species,
        output_labels=kinetics.net.output_labels,
    ).in_units(units)


def settling_time(
    net: AnyModel | Simulator,
    x: npt.ArrayLike | Interval,
    tolerance: float = TOLERANCE,
    initial: Any = None,
    *,
    bound: Bound = "envelope",
    initial_max: float = INITIAL_MAX,
    rates: float = 0.0,
    on_error: OnError = "raise",
    units: Units = MODEL_UNITS,
    engine: EngineLike = None,
) -> Any:
    """The settling time that `certify` proves: a float for x (n_in,), (n_samples,) for a batch.

    Parameters are those of `certify`; with ``on_error="nan"`` an input that fails is NaN.

    Examples
    --------
    >>> from crn_nn_tellurium import load_model
    >>> settling_time(load_model("xor"), [[0.0, 0.0], [1.0, 1.0]], 0.01, bound="cheap").shape
    (2,)
    """
    check_choice("on_error", on_error, get_args(OnError))
    check_choice("bound", bound, get_args(Bound))
    check_units(units)
    check_engine(engine)
    kinetics = kinetics_of(net)
    _uniqueness(kinetics)  # nothing is certified where it is not known
    question = Question.of(kinetics, x, tolerance, initial, initial_max, rates)
    answer = _bound(kinetics, bound, engine)
    try:
        times = answer(question).by_sample.max(axis=1)
    except (NotCertified, ConvergenceError):
        if on_error == "raise":
            raise
        times = np.array([_time_or_nan(answer, sample) for sample in question.by_sample()])
    times = units.time(times)
    return float(times[0]) if is_single(kinetics.net, x) else times


def _time_or_nan(answer: Callable[[Question], Answer], question: Question) -> float:
    try:
        return float(answer(question).by_sample.max())
    except (NotCertified, ConvergenceError):
        return float("nan")


def _bound(
    kinetics: NetworkKinetics, bound: Bound, engine: EngineLike
) -> Callable[[Question], Answer]:
    if bound == "cheap":
        return partial(_finite, partial(in_closed_form, kinetics))
    # one model, so one compilation, for all questions
    return partial(_finite, EnvelopeModel(kinetics, engine).answer)


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def _finite(answer: Callable[[Question], Answer], question: Question) -> Answer:
    """The answer, unless its times are beyond doubles."""
    found = answer(question)
    if not np.isfinite(found.by_sample).all():
        sample = int(np.argwhere(~np.isfinite(found.by_sample))[0][0])
        raise NotCertified(
            f"sample {sample}: its bound overflows, so nothing is certified; smaller inputs or"
            " weights may help"
        )
    return found


def _uniqueness(kinetics: NetworkKinetics) -> str:
    remedy = "if the unit has one positive fixed point at all drives, declare `settles = True`"
    for layer in kinetics.layers:
        if not layer.activation.settles:
            layer.check_order(f"{remedy} on the activation")
    declared = any(layer.activation.settles for layer in kinetics.layers)
    return SETTLES if declared else UNIQUE
