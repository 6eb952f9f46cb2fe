"""Certificates: by when a network's outputs are within tolerance, whatever was in the tube at the
start.

``certify`` states it with everything it rests on; ``settling_time`` is the short way. Two bounds:
``"envelope"`` (see `envelope`, `settling`) and ``"cheap"`` (see `cheap_bound`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import (
    FloatArray,
    by_sample,
    check_choice,
    check_kind,
    check_positive,
    is_real,
    read_only,
)
from crn_nn_tellurium.certificates.closed_form import CheapBound
from crn_nn_tellurium.certificates.following import EnvelopeModel
from crn_nn_tellurium.certificates.in_tube import PhysicalCertificate
from crn_nn_tellurium.certificates.starts import needs_cap
from crn_nn_tellurium.chemistry import Interval, PhysicalUnits, ReactionNetwork
from crn_nn_tellurium.errors import ConvergenceError, InputError, NetworkError, NotCertified
from crn_nn_tellurium.kinetics import Bounds, NetworkKinetics, check_order, settle_between
from crn_nn_tellurium.networks import Network
from crn_nn_tellurium.simulation import OnError, Simulator, start_values

Bound = Literal["envelope", "cheap"]
INITIAL_MAX = 1e6

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
class EnvelopeCourse:
    """The envelope of one sample's outputs over time.

    Attributes
    ----------
    time : (n_points,) ndarray
    lower, upper : (n_points, n_out) ndarray
        Every trajectory from the certified starts lies between.
    """

    time: FloatArray
    lower: FloatArray
    upper: FloatArray

    def __post_init__(self) -> None:
        read_only(self.time, self.lower, self.upper)

    def __repr__(self) -> str:
        return (
            f"EnvelopeCourse({len(self.time)} points from t = {self.time[0]:.3g} to"
            f" {self.time[-1]:.3g})"
        )


@dataclass(frozen=True, eq=False)
class Certificate:
    """By when every output is within tolerance of its fixed point, and stays there.

    Attributes
    ----------
    settling_time : float
        For all outputs and all inputs certified, in time units of the model.
    settling_times : (n_out,) ndarray
        By output, the worst over the inputs.
    by_sample : (n_samples, n_out) ndarray
        By input and output.
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
    """

    settling_time: float
    settling_times: FloatArray
    by_sample: FloatArray
    tolerance: float
    bound: str
    chain: tuple[str, ...]
    rate: float
    outputs: Interval = field(repr=False)
    fixed_point: Interval = field(repr=False)
    initial: Interval | None
    initial_max: float | None
    capped: tuple[str, ...]
    rates: float
    uniqueness: str
    envelope: EnvelopeCourse | None
    output_names: tuple[str, ...] = field(repr=False)
    species: tuple[str, ...] = field(repr=False)

    def __post_init__(self) -> None:
        read_only(self.settling_times, self.by_sample)

    @property
    def starts(self) -> str:
        """The starts that the certificate covers, in words."""
        if self.initial is not None:
            return "starts in the given box"
        if self.initial_max is None:
            return "all non-negative starts"
        few = ", ".join(self.capped[:3]) + (", ..." if len(self.capped) > 3 else "")
        return f"all non-negative starts with {few} at most {self.initial_max:g}"

    def __repr__(self) -> str:
        n = len(self.by_sample)
        return (
            f"Certificate({n} {'input' if n == 1 else 'inputs'}: outputs within {self.tolerance:g}"
            f" from t = {self.settling_time:.4g} on, by {self.bound!r}, from {self.starts}; slowest"
            f" {' -> '.join(self.chain)}; rate {self.rate:.3g})"
        )

    def in_units(self, units: PhysicalUnits) -> PhysicalCertificate:
        """The bound in s, the tolerance in nM and the rate in 1/s.

        Raises
        ------
        InputError
            If `units` are not `PhysicalUnits`.

        Examples
        --------
        >>> from crn_nn_tellurium import load_model
        >>> certificate = certify(load_model("xor"), [1.0, 0.0], tolerance=0.01, bound="cheap")
        >>> certificate.in_units(PhysicalUnits(c0=10, tau=100)).tolerance_nM
        0.1
        """
        check_kind("units", units, PhysicalUnits, "by fastest_units(net), say")
        return PhysicalCertificate(
            float(units.seconds(self.settling_time)),
            float(units.nanomolar(self.tolerance)),
            float(units.rate_constant(self.rate, 1)),
            units,
        )


def certify(
    net: Network | Simulator,
    x: npt.ArrayLike | Interval,
    tolerance: float = 1e-3,
    initial: Any = None,
    *,
    bound: Bound = "envelope",
    initial_max: float = INITIAL_MAX,
    rates: float = 0.0,
) -> Certificate:
    """Bound the time by which every output is within tolerance of its fixed point and stays there.

    Parameters
    ----------
    net : Network or Simulator
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
        The envelope of all trajectories, compiled and integrated by roadrunner; or a closed form,
        later and at once.
    initial_max : float
        Cap on the starts of species that are lost in proportion to themselves (S of a sigmoid, P of
        a normalised output): their settling time grows with the logarithm of their start, so no
        bound over all starts exists. The certificate says for which species it holds.
    rates : float
        Relative error, in [0, 1), that every rate constant may have, each by itself; the outputs
        settle to the fixed point of the erroneous network.

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
    ModelTooLargeError
        If the envelope is too large to compile.
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
    >>> certificate.settling_time < certify(load_model("xor"), [1.0, 0.0], 0.01, bound="cheap").settling_time
    True
    """
    prepared = _Prepared(net, tolerance, initial, bound, initial_max, rates)
    return prepared.certify(input_box(prepared.net, x))


def settling_time(
    net: Network | Simulator,
    x: npt.ArrayLike | Interval,
    tolerance: float = 1e-3,
    initial: Any = None,
    *,
    bound: Bound = "envelope",
    initial_max: float = INITIAL_MAX,
    rates: float = 0.0,
    on_error: OnError = "raise",
) -> Any:
    """The settling time that `certify` proves: a float for x (n_in,), an array (n_samples,) for a
    batch.

    Parameters are those of `certify`; with ``on_error="nan"`` an input that fails is NaN.

    Examples
    --------
    >>> from crn_nn_tellurium import load_model
    >>> settling_time(load_model("xor"), [[0.0, 0.0], [1.0, 1.0]], 0.01, bound="cheap").shape
    (2,)
    """
    check_choice("on_error", on_error, get_args(OnError))
    prepared = _Prepared(net, tolerance, initial, bound, initial_max, rates)
    inputs, single = input_box(prepared.net, x), is_single(prepared.net, x)
    try:
        times = prepared.certify(inputs).by_sample.max(axis=1)
    except (NotCertified, ConvergenceError):
        if on_error == "raise":
            raise
        times = np.array(
            [prepared.time_or_nan(inputs[i : i + 1]) for i in range(len(inputs.lower))]
        )
    return float(times[0]) if single else times


# The two bounds -----------------------------------------------------------------------------------


class _Prepared:
    """The arguments of `certify`, checked, and what is built once for all inputs."""

    def __init__(
        self, net: Any, tolerance: Any, initial: Any, bound: Any, initial_max: Any, rates: Any
    ) -> None:
        check_choice("bound", bound, get_args(Bound))
        check_positive("tolerance", tolerance)
        check_positive("initial_max", initial_max)
        check_rates(rates)
        self.kinetics = kinetics_of(net)
        self.net = self.kinetics.net
        self.unique = _uniqueness(self.kinetics)
        self.bound: Bound = bound
        self.tolerance, self.initial, self.initial_max, self.rates = (
            tolerance,
            initial,
            initial_max,
            rates,
        )

    @cached_property
    def model(self) -> EnvelopeModel:
        """The network's envelope."""
        return EnvelopeModel(self.net)

    def certify(self, inputs: Interval) -> Certificate:
        """The certificate of boxes of inputs (n_samples, n_in)."""
        known = np.array_equal(inputs.lower, inputs.upper)
        if self.bound == "cheap" and (self.initial is not None or self.rates or not known):
            raise InputError(
                "bound='cheap' holds for all starts, known inputs and known rate constants;"
                " initial=, rates= and boxes of inputs need bound='envelope'"
            )
        if not len(inputs.lower):
            raise InputError(
                f"no inputs; expected at least one sample, (n_samples, {self.net.n_in})"
            )
        return (
            self._by_envelope(inputs)
            if self.bound == "envelope"
            else self._in_closed_form(inputs.lower)
        )

    def time_or_nan(self, inputs: Interval) -> float:
        """The settling time of some inputs, NaN where there is none."""
        try:
            return self.certify(inputs).settling_time
        except (NotCertified, ConvergenceError):
            return float("nan")

    def _by_envelope(self, inputs: Interval) -> Certificate:
        model, kinetics, coding = self.model, self.kinetics, self.net.input_coding
        box = (
            None
            if self.initial is None
            else start_box(self.initial, kinetics.species, self.initial_max)
        )
        starts = None if box is None else (box.lower, box.upper)
        fixed, courses = [], []
        for lower, upper in zip(inputs.lower, inputs.upper, strict=True):
            held = coding.code_between(lower, upper)
            fixed.append(fixed_point(kinetics, held, self.rates))
            boundary = held[0].ravel(), held[1].ravel()
            courses.append(
                model.follow(
                    fixed[-1], boundary, self.tolerance, self.initial_max, self.rates, starts
                )
            )
        by_sample = np.array([course.settled for course in courses])
        worst = int(by_sample.max(axis=1).argmax())
        course, (low, high) = courses[worst], model.output_bounds(fixed[worst])
        points = Interval(np.array([a for a, _ in fixed]), np.array([b for _, b in fixed]))
        capped = np.array(kinetics.species)[needs_cap(model.envelope)] if box is None else ()
        return self._certificate(
            by_sample,
            course.chain,
            min(course.rate for course in courses),
            Interval(*model.output_bounds((points.lower, points.upper))),
            points,
            tuple(map(str, capped)),
            box,
            EnvelopeCourse(course.time, low - course.below, high + course.above),
        )

    def _in_closed_form(self, x: FloatArray) -> Certificate:
        kinetics = self.kinetics
        bound = CheapBound(kinetics, x, self.tolerance, self.initial_max)
        sample, output = (int(i) for i in np.unravel_index(bound.times.argmax(), bound.times.shape))
        points = np.concatenate([by_sample(state.concentrations) for state in bound.states], axis=1)
        outputs = kinetics.outputs(bound.states)
        return self._certificate(
            bound.times,
            bound.chain(sample, output),
            bound.rate,
            Interval(outputs, outputs),
            Interval(points, points),
            tuple(name for layer in kinetics.layers for name in layer.chemistry.followers),
        )

    def _certificate(
        self,
        by_sample: FloatArray,
        chain: tuple[str, ...],
        rate: float,
        outputs: Interval,
        points: Interval,
        capped: tuple[str, ...],
        box: Interval | None = None,
        envelope: EnvelopeCourse | None = None,
    ) -> Certificate:
        return Certificate(
            settling_time=float(by_sample.max()),
            settling_times=by_sample.max(axis=0),
            by_sample=by_sample,
            tolerance=float(self.tolerance),
            bound=self.bound,
            chain=chain,
            rate=rate,
            outputs=outputs,
            fixed_point=points,
            initial=box,
            initial_max=float(self.initial_max) if capped else None,
            capped=capped,
            rates=float(self.rates),
            uniqueness=self.unique,
            envelope=envelope,
            output_names=self.net.output_names,
            species=self.kinetics.species,
        )


# Arguments ----------------------------------------------------------------------------------------


def kinetics_of(net: Any) -> NetworkKinetics:
    """The kinetics of a network or simulator; any other reaction network cannot be certified.

    Raises
    ------
    NotCertified, NetworkError
    """
    if isinstance(net, ReactionNetwork):
        raise NotCertified(
            f"reaction network {net.name!r}: cannot tell whether its positive fixed point is the"
            " only one, nor by when it is reached; certificates are for neural networks'"
            " chemistry, where layers follow one another (give the Network, not its reactions)"
        )
    if isinstance(net, Simulator):
        return net.kinetics
    if not isinstance(net, Network):
        raise NetworkError(
            f"a certificate takes a Network or a Simulator; got {type(net).__name__}"
        )
    return NetworkKinetics(net)


def is_single(net: Network, x: Any) -> bool:
    """Whether inputs, checked here, are one sample without its dimension."""
    return net.input_coding.check(x.lower if isinstance(x, Interval) else x).ndim == 1


def check_rates(rates: Any) -> None:
    """Refuse what is not a relative error.

    Raises
    ------
    InputError
    """
    if not (is_real(rates) and 0 <= rates < 1):
        raise InputError(
            f"rates is {rates!r}; expected a relative error of the rate constants, a number in [0,"
            " 1): 0.05 for 5 %"
        )


def input_box(net: Network, x: Any) -> Interval:
    """Inputs as boxes (n_samples, n_in), checked."""
    if isinstance(x, Interval):
        lower, upper = (
            np.atleast_2d(net.input_coding.check(bound)) for bound in (x.lower, x.upper)
        )
    else:
        lower = upper = np.atleast_2d(net.input_coding.check(x))
    if lower.ndim != 2:
        raise InputError(
            f"inputs have shape {lower.shape}; expected (n_samples, {net.n_in}) or ({net.n_in},)"
        )
    return Interval(lower, upper)


def input_points(net: Network, x: Any) -> FloatArray:
    """Known inputs (n_samples, n_in), checked.

    Raises
    ------
    InputError
        If they have the wrong shape or are boxes.
    """
    box = input_box(net, x)
    if not np.array_equal(box.lower, box.upper):
        raise InputError(
            "X is an Interval; expected known inputs, (n_samples, n_in): the corners of the"
            " box, say"
        )
    return box.lower


def start_box(initial: Any, species: Sequence[str], initial_max: float) -> Interval:
    """A box of starts (n_species,).

    Raises
    ------
    InputError
        If it has the wrong shape, names an unknown species or is not a box of concentrations.
    """
    if isinstance(initial, Interval):
        initial = (initial.lower, initial.upper)
    pair = initial if _is_pair(initial) else (initial, initial)
    bounds = [
        _start(value, species, fill) for value, fill in zip(pair, (0.0, initial_max), strict=True)
    ]
    if np.any(bounds[0] > bounds[1]):
        i = int(np.argmax(bounds[0] > bounds[1]))
        raise InputError(
            f"initial: species {species[i]!r} starts between {bounds[0][i]:g} and {bounds[1][i]:g};"
            " expected lower <= upper"
        )
    return Interval(*bounds)


def _is_pair(initial: Any) -> bool:
    """Whether a start is a pair of bounds: a tuple of two, or a list of two that are not numbers."""
    if not isinstance(initial, (tuple, list)) or len(initial) != 2:
        return False
    return isinstance(initial, tuple) or not all(is_real(part) for part in initial)


def _start(value: Any, species: Sequence[str], fill: float) -> FloatArray:
    if isinstance(value, Mapping):
        for name, concentration in value.items():
            if name in species and not is_real(concentration):
                raise InputError(
                    f"initial of {name!r}: {concentration!r}; expected a finite concentration >= 0"
                )
    start = start_values(value, species)[0]
    return np.where(np.isnan(start), fill, start)


def fixed_point(kinetics: NetworkKinetics, inputs: Bounds, rates: float) -> Bounds:
    """Bounds (n_species,) of where all species settle, for concentrations of the inputs' species
    between bounds.
    """
    if not rates and np.array_equal(*inputs):
        states = kinetics.settle_coded(inputs[0][None])
        y = np.concatenate([state.concentrations.ravel() for state in states])
        return y, y
    found = settle_between(kinetics, (inputs[0][None], inputs[1][None]), np.array([[rates]]))
    lower, upper = (
        np.concatenate([bounds[up].ravel() for bounds in found.values()]) for up in (0, 1)
    )
    return lower, upper


def _uniqueness(kinetics: NetworkKinetics) -> str:
    declared = False
    for layer in kinetics.layers:
        if layer.activation.settles:
            declared = True
        else:
            check_order(
                layer,
                "if the unit has one positive fixed point at all drives, declare `settles = True`"
                " on the activation",
            )
    return SETTLES if declared else UNIQUE
