"""What a scan keeps where molecules are counted: how far outputs scatter, how probable classes are.

By the linear noise approximation, about each point's steady state.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import FloatArray, check_positive, some
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.fluctuations import Noise, noise
from crn_nn_tellurium.networks import Network, check_classes
from crn_nn_tellurium.scans.network_quantities import targets_by_sample
from crn_nn_tellurium.scans.plan import Model
from crn_nn_tellurium.scans.subject import Quantity, States, Subject, Variable, row_by_row
from crn_nn_tellurium.simulation import SOLVED, Kind, Outcome, Outcomes, outcomes, worse


@dataclass(frozen=True)
class _OfNoise(Quantity):
    """What `noise` says of each point."""

    by_network = of_reactions = is_slow = True
    volume: float | None = None

    def __post_init__(self) -> None:
        # without one it is refused later, in words that name the quantity
        if self.volume is not None:
            check_positive("volume", self.volume)
            object.__setattr__(self, "volume", float(self.volume))

    def check(self, subject: Subject) -> None:
        super().check(subject)
        if self.volume is None:
            raise InputError(
                f"{self.word!r} depends on how many molecules there are; expected"
                f" {type(self).__name__}(volume=1000), say"
            )
        if subject.plan.time is not None:
            raise InputError(
                f"{self.word!r} is of steady states; leave at= out, or scan it by itself"
            )

    def needs_values(self, subject: Subject) -> bool:
        # a network's steady state is found with its noise
        return not isinstance(subject.plan.model, Network)

    @property
    def _attrs(self) -> dict[str, Any]:
        return {"long_name": self.word.replace("_", " "), "volume": self.volume}

    def _each(self, subject: Any, states: States, n: int) -> FloatArray:
        """What is read of the noise (box, n)."""
        found = np.full((*states.box.shape, n), np.nan)
        for place, model, x in subject.each_model(states):
            # of a model without inputs a row is empty
            rows = x.reshape(math.prod(x.shape[:-1]), x.shape[-1])
            values, reasons = row_by_row(partial(self._ask, model), rows, n)
            found[place] = values.reshape(*x.shape[:-1], n)
            states.status[place] = worse(states.status[place], reasons.reshape(x.shape[:-1]))
        return found

    def _ask(self, model: Model, rows: FloatArray) -> tuple[FloatArray, Outcomes]:
        assert self.volume is not None  # it is checked before anything is solved
        found = noise(model, rows, volume=self.volume)
        reasons = outcomes(SOLVED, len(rows))
        for i in np.flatnonzero(found.doubtful.any(axis=1)):
            few = some(np.array(found.species)[found.doubtful[i]].tolist())
            reasons[i] = Outcome(f"{Kind.DOUBTFUL.value}: {self.word}, by few molecules of {few}")
        return self._read(found), reasons

    @abstractmethod
    def _read(self, found: Noise) -> FloatArray:
        """What is read (n_samples, n) of the noise."""


@dataclass(frozen=True)
class StandardDeviation(_OfNoise):
    """The standard deviation of each output where molecules are counted, for `scan`.

    Parameters
    ----------
    volume : float
        Molecules at a concentration of 1, as in `noise`.

    Raises
    ------
    InputError

    Examples
    --------
    >>> from crn_nn_tellurium import load_model, scan
    >>> ds = scan(load_model("xor"), {"x0": [0, 1]}, x=[0, 1], outputs=StandardDeviation(5000))
    >>> ds.standard_deviation.values.round(3)
    array([[0.029],
           [0.011]])
    """

    word = "standard_deviation"

    def variable(self, subject: Subject, name: str) -> Variable:
        attrs = self._attrs | {"units": subject.plan.unit_of(name)}
        return Variable(name, subject.plan.every, (("output", len(subject.outputs)),), attrs=attrs)

    def keep(self, subject: Subject, states: States, variable: Variable) -> FloatArray:
        return self._each(subject, states, len(subject.outputs))

    def _read(self, found: Noise) -> FloatArray:
        return found.standard_deviation


@dataclass(frozen=True)
class ClassProbability(_OfNoise):
    """How probable classes are where molecules are counted, for `scan`.

    Parameters
    ----------
    volume : float
        Molecules at a concentration of 1, as in `noise`.

    Raises
    ------
    InputError

    Notes
    -----
    With targets ``y=``, of the right class; otherwise of each class, along a dimension ``label``.

    Examples
    --------
    >>> from crn_nn_tellurium import load_model, scan
    >>> vary = {"x0": [0, 0.4, 1]}
    >>> ds = scan(load_model("xor"), vary, x=[0, 1], y=1, outputs=ClassProbability(200))
    >>> ds.class_probability.values.round(2)
    array([1.  , 0.75, 0.  ])
    """

    word = "class_probability"
    of_networks = True

    def check(self, subject: Any) -> None:
        super().check(subject)
        subject.net.need_classes(repr(self.word))
        if subject.plan.y is not None:
            check_classes(subject.net, np.atleast_2d(subject.plan.x), targets_by_sample(subject))

    def variable(self, subject: Any, name: str) -> Variable:
        attrs = self._attrs | {"units": "1"}
        if subject.plan.y is not None:
            attrs["long_name"] = "probability of the right class"
            return Variable(name, subject.plan.every, attrs=attrs)
        return Variable(name, subject.plan.every, (("label", len(subject.classes)),), attrs=attrs)

    def keep(self, subject: Any, states: States, variable: Variable) -> FloatArray:
        every = self._each(subject, states, len(subject.classes))
        if subject.plan.y is None:
            return every
        place = {label: number for number, label in enumerate(subject.classes)}
        right = np.array([place[label] for label in targets_by_sample(subject).tolist()])
        box, sample = states.box, subject.plan.sample
        # along the last dimension, the samples of this box
        own = right if sample is None else right[box.start[sample] : box.stop[sample]]
        which = np.broadcast_to(own, box.shape)[..., None]
        return np.take_along_axis(every, which, axis=-1)[..., 0]

    def _read(self, found: Noise) -> FloatArray:
        return found.probabilities
