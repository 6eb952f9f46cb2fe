"""What a scan keeps of neural networks: classes, accuracy, losses, gradients, settling times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

import numpy as np

from crn_nn_tellurium.basics import FloatArray, check_choice, check_positive
from crn_nn_tellurium.certificates import Bound, settling_time
from crn_nn_tellurium.chemistry import TIME
from crn_nn_tellurium.errors import ConvergenceError, SingularJacobianError
from crn_nn_tellurium.networks import (
    Loss,
    LossLike,
    Network,
    check_classes,
    encode_targets,
    resolve_loss,
)
from crn_nn_tellurium.scans.plan import identity
from crn_nn_tellurium.scans.subject import Quantity, States, Subject, Variable, row_by_row
from crn_nn_tellurium.sensitivity import gradient
from crn_nn_tellurium.simulation import SOLVED, Kind, Outcome, Outcomes, outcomes, worse

# Long name of the variables that hold classes
CLASS = "class"


class Classes(Quantity):
    """The class that a network gives; ``""`` or NaN where there is none."""

    word = "class"
    of_networks = True

    def check(self, subject: Any) -> None:
        super().check(subject)
        subject.net.need_classes("'class'")

    def variable(self, subject: Any, name: str) -> Variable:
        plan, is_text = subject.plan, _has_names(subject.net)
        return Variable(name, plan.every, plan.over_time, is_text, {"long_name": CLASS})

    def keep(self, subject: Any, states: States, variable: Variable) -> Any:
        return _classes(subject.net, states.outputs)


class Accuracy(Quantity):
    """The share of the samples whose class is right."""

    word = "accuracy"
    of_networks = needs_targets = True

    def check(self, subject: Any) -> None:
        super().check(subject)
        check_classes(subject.net, np.atleast_2d(subject.plan.x), targets_by_sample(subject))

    def variable(self, subject: Subject, name: str) -> Variable:
        attrs = {"long_name": "accuracy", "units": "1"}
        return Variable(name, _without_samples(subject), subject.plan.over_time, attrs=attrs)

    def keep(self, subject: Any, states: States, variable: Variable) -> FloatArray:
        truth = _along_samples(
            subject, states, np.asarray(targets_by_sample(subject), dtype=object)
        )
        found = _classes(subject.net, states.outputs).astype(object)
        right = np.asarray(found == truth, dtype=float)
        # a point whose samples are not all solved has no accuracy, rather than a low one
        right[np.isnan(states.outputs).any(axis=-1)] = np.nan
        return _over_samples(subject, right)


@dataclass(frozen=True)
class _OfLoss(Quantity):
    """What a loss over the samples gives."""

    of_networks = needs_targets = True
    loss: LossLike = "squared_error"

    @property
    def identity(self) -> str:
        if isinstance(self.loss, str):
            return f"{self.word} {self.loss}"
        # a pair of functions is a loss that has no name of its own
        loss = self.loss if isinstance(self.loss, Loss) else Loss(*self.loss)
        functions = identity(loss.function), identity(loss.derivative)
        return " ".join([self.word, loss.name, loss.targets, *functions])

    def check(self, subject: Subject) -> None:
        super().check(subject)
        self._resolve(subject)

    def _resolve(self, subject: Any) -> tuple[Loss, FloatArray]:
        """The loss, and targets as it takes them, by sample."""
        plan = subject.plan
        loss = resolve_loss(self.loss, subject.net)
        n = len(plan.x) if plan.has_samples else 1
        return loss, encode_targets(loss, subject.net, targets_by_sample(subject), n)

    def variable(self, subject: Subject, name: str) -> Variable:
        attrs = {"long_name": self.word.replace("_", " "), "units": "1"}
        attrs["loss"] = self._resolve(subject)[0].name
        return Variable(name, _without_samples(subject), subject.plan.over_time, attrs=attrs)


@dataclass(frozen=True)
class MeanLoss(_OfLoss):
    """The mean loss of the samples, for `scan` with targets.

    Parameters
    ----------
    loss : str, Loss or pair of callables
        As in `gradient`.

    Examples
    --------
    >>> MeanLoss("cross_entropy")
    MeanLoss(loss='cross_entropy')
    """

    word = "loss"

    def keep(self, subject: Any, states: States, variable: Variable) -> FloatArray:
        loss, targets = self._resolve(subject)
        outputs = states.outputs
        targets = np.broadcast_to(_along_samples(subject, states, targets), outputs.shape)
        found, good = np.full(outputs.shape[:-1], np.nan), ~np.isnan(outputs).any(axis=-1)
        if good.any():
            found[good] = loss.function(outputs[good], targets[good])
        return _over_samples(subject, found)


@dataclass(frozen=True)
class GradientNorm(_OfLoss):
    """The norm of the mean loss's gradient, for `scan` with targets.

    Parameters
    ----------
    loss : str, Loss or pair of callables
        As in `gradient`.

    Examples
    --------
    >>> GradientNorm("cross_entropy")
    GradientNorm(loss='cross_entropy')
    """

    word = "gradient_norm"
    by_network = is_slow = True

    def keep(self, subject: Any, states: States, variable: Variable) -> FloatArray:
        box, sample = states.box, subject.plan.sample
        loss, targets = self._resolve(subject)
        found = np.full(tuple(n for d, n in enumerate(box.shape) if d != sample), np.nan)
        for place, net, x in subject.each_network(box):
            # samples are the last dimension, so what is left is one batch after another
            batches = x.reshape(-1, 1 if sample is None else x.shape[sample], x.shape[-1])
            norms, reasons = np.full(len(batches), np.nan), outcomes(SOLVED, len(batches))
            for i, batch in enumerate(batches):
                try:
                    norms[i] = gradient(net, batch, targets, loss).norm
                except (ConvergenceError, SingularJacobianError) as error:
                    reasons[i] = Outcome.failure(f"gradient: {error}")
            left = tuple(n for d, n in enumerate(x.shape[:-1]) if d != sample)
            found[tuple(s for d, s in enumerate(place) if d != sample)] = norms.reshape(left)
            by_point = reasons.reshape(left if sample is None else (*left, 1))
            states.status[place] = worse(states.status[place], by_point)
        return found


@dataclass(frozen=True)
class SettlingTime(Quantity):
    """The certified settling time, for `scan`.

    Parameters
    ----------
    tolerance : float
        In units of the outputs.
    bound : {"envelope", "cheap"}
        As in `settling_time`.

    Raises
    ------
    InputError

    Examples
    --------
    >>> SettlingTime(0.01, bound="cheap")
    SettlingTime(tolerance=0.01, bound='cheap')
    """

    word = "settling_time"
    of_networks = by_network = is_slow = True
    tolerance: float = 1e-3
    bound: Bound = "envelope"

    def __post_init__(self) -> None:
        check_choice("bound", self.bound, get_args(Bound))
        check_positive("tolerance", self.tolerance)
        object.__setattr__(self, "tolerance", float(self.tolerance))

    def seconds(self) -> float:
        return 0.03 if self.bound == "envelope" else super().seconds()

    def variable(self, subject: Subject, name: str) -> Variable:
        units = subject.plan.units.name(TIME)
        attrs: dict[str, Any] = {"units": units, "long_name": "settling time"}
        attrs |= {"tolerance": self.tolerance, "bound": self.bound}
        return Variable(name, subject.plan.every, attrs=attrs)

    def keep(self, subject: Any, states: States, variable: Variable) -> FloatArray:
        found = np.full(states.box.shape, np.nan)
        for place, net, x in subject.each_network(states.box):

            def ask(rows: FloatArray, net: Network = net) -> tuple[FloatArray, Outcomes]:
                times = settling_time(net, rows, self.tolerance, bound=self.bound)
                return times[:, None], outcomes(SOLVED, len(rows))

            # all else that is kept of a point without a time is there
            rows, lead = x.reshape(-1, x.shape[-1]), x.shape[:-1]
            times, reasons = row_by_row(ask, rows, 1, Kind.NO_TIME)
            found[place] = times.reshape(lead)
            states.status[place] = worse(states.status[place], reasons.reshape(lead))
        return found


def _has_names(net: Network) -> bool:
    return any(isinstance(label, str) for label in net.classes)


def _classes(net: Network, outputs: FloatArray) -> Any:
    empty, kind = ("", object) if _has_names(net) else (np.nan, float)
    found: Any = np.full(outputs.shape[:-1], empty, kind)
    good = ~np.isnan(outputs).any(axis=-1)
    if good.any():
        found[good] = net.classify(outputs[good])
    return found


def targets_by_sample(subject: Subject) -> Any:
    """The targets, also where there is one sample."""
    y = np.asarray(subject.plan.y)
    return y if subject.plan.has_samples else y[None]


def _without_samples(subject: Subject) -> tuple[int, ...]:
    return tuple(d for d in subject.plan.every if d != subject.plan.sample)


def _over_samples(subject: Subject, values: FloatArray) -> FloatArray:
    """The mean over the samples, where there are some."""
    sample = subject.plan.sample
    return values if sample is None else np.asarray(values.mean(axis=sample))


def _along_samples(subject: Subject, states: States, array: Any) -> Any:
    """An array by sample, placed along its dimension of what was solved."""
    sample, box = subject.plan.sample, states.box
    further = states.outputs.ndim - 1 - len(box.shape)
    shape = box.shape_over(() if sample is None else (sample,))
    return array.reshape(*shape, *(1,) * further, *array.shape[1:])
