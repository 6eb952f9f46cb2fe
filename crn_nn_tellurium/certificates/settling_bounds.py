"""Who answers by when outputs have settled: the envelope, or the closed form.

Both take a `Question` and say what they found; `certify` makes the certificate of it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from crn_nn_tellurium.basics import FloatArray, by_sample, read_only
from crn_nn_tellurium.certificates.closed_form import CheapBound
from crn_nn_tellurium.certificates.following import EnvelopeModel
from crn_nn_tellurium.certificates.question import Question
from crn_nn_tellurium.certificates.starts import needs_cap
from crn_nn_tellurium.chemistry import Interval, Units
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.kinetics import Bounds, NetworkKinetics, settle_between

Bound = Literal["envelope", "cheap"]


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

    def in_units(self, units: Units) -> EnvelopeCourse:
        """The same in other units than the model's own."""
        lower, upper = (units.concentration(part) for part in (self.lower, self.upper))
        return EnvelopeCourse(units.time(self.time), lower, upper)

    def __repr__(self) -> str:
        span = f"from t = {self.time[0]:.3g} to {self.time[-1]:.3g}"
        return f"EnvelopeCourse({len(self.time)} points {span})"


@dataclass(frozen=True, eq=False)
class Found:
    """What a bound finds; each attribute is that of `Certificate`."""

    by_sample: FloatArray
    chain: tuple[str, ...]
    rate: float
    outputs: Interval
    fixed_point: Interval
    capped: tuple[str, ...]
    envelope: EnvelopeCourse | None = None


@dataclass(frozen=True, eq=False)
class SettlingBound(ABC):
    """One way to bound the settling times of one network."""

    kinetics: NetworkKinetics

    @abstractmethod
    def answer(self, question: Question) -> Found:
        """By when the outputs have settled; raises what `certify` says."""


class ByEnvelope(SettlingBound):
    """The envelope of all trajectories, compiled once and followed for each sample."""

    @cached_property
    def _model(self) -> EnvelopeModel:
        return EnvelopeModel(self.kinetics.net)

    def answer(self, question: Question) -> Found:
        """See `SettlingBound.answer`."""
        model, box, coding = self._model, question.starts, self.kinetics.net.input_coding
        starts = None if box is None else (box.lower, box.upper)
        points, courses = [], []
        for lower, upper in zip(question.inputs.lower, question.inputs.upper, strict=True):
            held = coding.code_between(lower, upper)
            boundary = held[0].ravel(), held[1].ravel()
            points.append(fixed_point(self.kinetics, held, question.rates))
            limits = question.tolerance, question.initial_max, question.rates
            courses.append(model.follow(points[-1], boundary, *limits, starts))
        times = np.array([course.settled for course in courses])
        worst = int(times.max(axis=1).argmax())
        course, (low, high) = courses[worst], model.output_bounds(points[worst])
        lowest, highest = (np.array([bounds[up] for bounds in points]) for up in (0, 1))
        capped = np.array(self.kinetics.species)[needs_cap(model.envelope)] if box is None else ()
        return Found(
            times,
            course.chain,
            min(course.rate for course in courses),
            Interval(*model.output_bounds((lowest, highest))),
            Interval(lowest, highest),
            tuple(map(str, capped)),
            EnvelopeCourse(course.time, low - course.below, high + course.above),
        )


class InClosedForm(SettlingBound):
    """A sum over the layers, for all samples at once."""

    def answer(self, question: Question) -> Found:
        """See `SettlingBound.answer`."""
        if question.starts is not None or question.rates or not question.is_of_points:
            raise InputError(
                "bound='cheap' holds for all starts, known inputs and known rate constants;"
                " initial=, rates= and boxes of inputs need bound='envelope'"
            )
        kinetics, x = self.kinetics, question.inputs.lower
        bound = CheapBound(kinetics, x, question.tolerance, question.initial_max)
        sample, output = (int(i) for i in np.unravel_index(bound.times.argmax(), bound.times.shape))
        points = np.concatenate([by_sample(state.concentrations) for state in bound.states], axis=1)
        outputs = kinetics.outputs(bound.states)
        return Found(
            bound.times,
            bound.chain(sample, output),
            bound.rate,
            Interval(outputs, outputs),
            Interval(points, points),
            tuple(name for layer in kinetics.layers for name in layer.chemistry.followers),
        )


BOUNDS: dict[str, type[SettlingBound]] = {"envelope": ByEnvelope, "cheap": InClosedForm}
"""What the names of `Bound` stand for."""


def fixed_point(kinetics: NetworkKinetics, inputs: Bounds, rates: float) -> Bounds:
    """Bounds (n_species,) of where all species settle, for inputs' species between bounds."""
    if not rates and np.array_equal(*inputs):
        states = kinetics.settle_coded(inputs[0][None])
        y = np.concatenate([state.concentrations.ravel() for state in states])
        return y, y
    found = settle_between(kinetics, (inputs[0][None], inputs[1][None]), np.array([[rates]]))
    layers = found.values()
    lower, upper = (np.concatenate([bounds[up].ravel() for bounds in layers]) for up in (0, 1))
    return lower, upper
