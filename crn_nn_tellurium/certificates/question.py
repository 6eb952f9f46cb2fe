"""What a certificate is asked, what the answer holds, and the checks of the arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import FloatArray, check_positive, curves, is_real, read_only
from crn_nn_tellurium.chemistry import Interval, ReactionNetwork, Units
from crn_nn_tellurium.errors import InputError, NotCertified
from crn_nn_tellurium.importers import as_model
from crn_nn_tellurium.kinetics import NetworkKinetics
from crn_nn_tellurium.networks import Network
from crn_nn_tellurium.simulation import Simulator, start_values

TOLERANCE = 1e-3
"""Of settling times, in units of the outputs, where none is given."""
INITIAL_MAX = 1e6
"""Cap on the starts of species that are lost in proportion to themselves."""


@dataclass(frozen=True, eq=False)
class Question:
    """By when are the outputs within tolerance, for all of these inputs, starts and rate constants?

    Inputs are boxes (n_samples, n_in), starts a box (n_species,) or None for all non-negative ones;
    the rest is as in `certify`.
    """

    inputs: Interval
    tolerance: float
    starts: Interval | None
    initial_max: float
    rates: float

    @classmethod
    def of(
        cls,
        kinetics: NetworkKinetics,
        x: Any,
        tolerance: float,
        initial: Any,
        initial_max: float,
        rates: float,
    ) -> Question:
        """The question in `certify`'s arguments, checked."""
        check_positive("tolerance", tolerance)
        check_positive("initial_max", initial_max)
        check_rates(rates)
        inputs = input_box(kinetics.net, x)
        check_some(kinetics.net, inputs.lower)
        starts = None if initial is None else _start_box(initial, kinetics.species, initial_max)
        return cls(inputs, float(tolerance), starts, float(initial_max), float(rates))

    @property
    def is_of_points(self) -> bool:
        """Whether all inputs are known exactly."""
        return np.array_equal(self.inputs.lower, self.inputs.upper)

    def by_sample(self) -> list[Question]:
        """The same of each sample by itself."""
        return [replace(self, inputs=self.inputs[i : i + 1]) for i in range(self.inputs.shape[0])]


@dataclass(frozen=True, eq=False)
class EnvelopeCourse:
    """The envelope of one sample's outputs over time.

    Every trajectory from the certified starts lies between `lower` and `upper` (n_points, n_out) at
    the times `time` (n_points,).
    """

    time: FloatArray
    lower: FloatArray
    upper: FloatArray

    def __post_init__(self) -> None:
        read_only(self.time, self.lower, self.upper)

    def in_units(self, units: Units) -> EnvelopeCourse:
        """The same in other units than the model's own."""
        lower, upper = (units.concentration(part) for part in (self.lower, self.upper))
        return EnvelopeCourse(units.time(self.time), lower, upper)

    def sketch(self, names: Sequence[str], units: Units) -> str:
        """How wide the envelope of each output is, for notebooks."""
        ends = (units.moment(self.time[0]), units.moment(self.time[-1]))
        with np.errstate(divide="ignore"):
            widths = np.log10(self.upper - self.lower)
        lines = {name: [widths[:, i]] for i, name in enumerate(names)}
        return curves(self.time, lines, ends, "log10 of the envelope's width over time")

    def __repr__(self) -> str:
        span = f"from t = {self.time[0]:.3g} to {self.time[-1]:.3g}"
        return f"EnvelopeCourse({len(self.time)} points {span})"


@dataclass(frozen=True, eq=False)
class Answer:
    """What a bound finds; each attribute is that of `Certificate`."""

    by_sample: FloatArray
    chain: tuple[str, ...]
    rate: float
    outputs: Interval
    fixed_point: Interval
    capped: tuple[str, ...]
    envelope: EnvelopeCourse | None = None


def kinetics_of(net: Any) -> NetworkKinetics:
    """The kinetics of a network or simulator; any other reaction network cannot be certified."""
    model = net.model if isinstance(net, Simulator) else as_model(net, "a certificate")
    if isinstance(model, ReactionNetwork):
        raise NotCertified(
            f"reaction network {model.name!r}: cannot tell whether its positive fixed point is the"
            " only one, nor by when it is reached; certificates are for neural networks'"
            " chemistry, where layers follow one another (give the Network, not its reactions)"
        )
    return net.kinetics if isinstance(net, Simulator) else NetworkKinetics(model)


def check_rates(rates: Any) -> None:
    """Refuse what is not a relative error of rate constants."""
    if not (is_real(rates) and 0 <= rates < 1):
        expected = "a relative error of the rate constants, a number in [0, 1): 0.05 for 5 %"
        raise InputError(f"rates is {rates!r}; expected {expected}")


def check_some(net: Network, x: FloatArray) -> None:
    """Refuse inputs without a sample."""
    if not len(x):
        raise InputError(f"no inputs; expected at least one sample, (n_samples, {net.n_in})")


def is_single(net: Network, x: Any) -> bool:
    """Whether inputs, checked here, are one sample without its dimension."""
    return net.input_coding.check(x.lower if isinstance(x, Interval) else x).ndim == 1


def input_box(net: Network, x: Any) -> Interval:
    """Inputs as boxes (n_samples, n_in), checked."""
    bounds = (x.lower, x.upper) if isinstance(x, Interval) else (x, x)
    lower, upper = (np.atleast_2d(net.input_coding.check(bound)) for bound in bounds)
    if lower.ndim != 2:
        raise InputError(
            f"inputs have shape {lower.shape}; expected (n_samples, {net.n_in}) or ({net.n_in},)"
        )
    return Interval(lower, upper)


def input_points(net: Network, x: Any) -> FloatArray:
    """Known inputs (n_samples, n_in), at least one sample, checked."""
    box = input_box(net, x)
    if not np.array_equal(box.lower, box.upper):
        raise InputError("X is an Interval; expected known inputs, (n_samples, n_in)")
    check_some(net, box.lower)
    return box.lower


def _start_box(initial: Any, species: Sequence[str], initial_max: float) -> Interval:
    """A box of starts (n_species,), from what `certify` takes."""
    if isinstance(initial, Interval):
        initial = (initial.lower, initial.upper)
    low, high = initial if _is_pair(initial) else (initial, initial)
    lower, upper = _start(low, species, 0.0), _start(high, species, initial_max)
    if np.any(lower > upper):
        i = int(np.argmax(lower > upper))
        between = f"between {lower[i]:g} and {upper[i]:g}"
        raise InputError(
            f"initial: species {species[i]!r} starts {between}; expected lower <= upper"
        )
    return Interval(lower, upper)


def _is_pair(initial: Any) -> bool:
    if not isinstance(initial, (tuple, list)) or len(initial) != 2:
        return False
    # two numbers in a list are one start, of two species; (0, 1) are bounds of all species
    return isinstance(initial, tuple) or not all(is_real(part) for part in initial)


def _start(value: Any, species: Sequence[str], fill: float) -> FloatArray:
    if isinstance(value, Mapping):
        for name, concentration in value.items():
            if name in species and not is_real(concentration):
                raise InputError(
                    f"initial of {name!r}: {concentration!r}; expected a finite concentration >= 0"
                )
    # NaN stands for what a mapping does not name
    start = start_values(value, species)[0]
    return np.where(np.isnan(start), fill, start)
