"""A scan of a network: what is kept, over a box of points."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.certificates import settling_time
from crn_nn_tellurium.errors import (
    ConvergenceError,
    InputError,
    NotCertified,
    SingularJacobianError,
)
from crn_nn_tellurium.networks import Network, check_classes, encode_targets, resolve_loss
from crn_nn_tellurium.scans.axes import CV
from crn_nn_tellurium.scans.grid import Box
from crn_nn_tellurium.scans.network_parameters import INITIAL, SPEED, NetworkParameters
from crn_nn_tellurium.scans.plan import Plan, Quantity, Variable
from crn_nn_tellurium.scans.steady_states import SteadyStates, input_dims, input_values
from crn_nn_tellurium.scans.time_courses import TimeCourses
from crn_nn_tellurium.scans.users_functions import fill, shapes_of, value_of
from crn_nn_tellurium.sensitivity import gradient
from crn_nn_tellurium.simulation import (
    SOLVED,
    Kind,
    Outcome,
    Outcomes,
    Simulator,
    SteadyState,
    TimeCourse,
    failures,
    outcomes,
    worse,
)

KINDS = ("outputs", "class", "species", "settling_time", "loss", "accuracy", "gradient_norm")
"""What can be kept by name, besides single species and functions."""
_BY_NETWORK = ("settling_time", "gradient_norm")
_NEED_TARGETS = ("loss", "accuracy", "gradient_norm")
CLASS = "class"
"""Long name of the variables that hold classes."""


class NetworkScan:
    """Solves a plan's network, box by box.

    Parameters
    ----------
    plan : Plan
        Of a `Network`.

    Raises
    ------
    InputError
        If what is varied, kept and given does not fit together.
    """

    def __init__(self, plan: Plan) -> None:
        assert isinstance(plan.model, Network)
        self.plan = plan
        self._net = plan.model
        self._simulator = Simulator(plan.model)
        self._parameters = NetworkParameters(self._simulator.kinetics, plan.axes)
        self._networks = plan.where(self._parameters.changes_network)
        self._inputs = input_dims(plan, self._parameters)
        self._check()
        self._steady = SteadyStates(plan, self._simulator, self._parameters)
        self._courses = (
            None if plan.time is None else TimeCourses(plan, self._simulator, self._parameters)
        )
        self._prepare_targets()

    def _check(self) -> None:
        plan, parameters = self.plan, self._parameters
        for quantity in plan.quantities:
            if quantity.kind in _BY_NETWORK:
                for axis in plan.axes:
                    if parameters.changes_rate_constants(axis):
                        raise InputError(
                            f"{quantity.kind!r} is of networks, and along {axis.dim!r} rate"
                            " constants change so that no network has them; leave one of the"
                            " two out"
                        )
                if plan.time is not None:
                    raise InputError(
                        f"{quantity.kind!r} is of steady states; leave at= out, or scan it by"
                        " itself"
                    )
            if quantity.kind in _NEED_TARGETS and plan.y is None:
                raise InputError(
                    f"{quantity.kind!r} needs targets; expected y=, one per sample of x="
                )

    def _prepare_targets(self) -> None:
        plan = self.plan
        self._truth = self._targets = self._loss = None
        if plan.y is None:
            return
        n = len(plan.x) if plan.has_samples and plan.x is not None else 1
        kinds = {q.kind for q in plan.quantities}
        y = plan.y if plan.has_samples else np.asarray(plan.y)[None]
        if kinds & {"loss", "gradient_norm"}:
            self._loss = resolve_loss(plan.loss, self._net)
            self._targets = encode_targets(self._loss, self._net, y, n)
        if "accuracy" in kinds and plan.x is not None:
            self._truth = np.asarray(y)
            check_classes(self._net, np.atleast_2d(plan.x), self._truth)

    # What the result looks like
    # ------------------------------------------------------------------------

    def describe(self, name: str) -> dict[str, Any]:
        """Attributes of what is varied."""
        kind = self._parameters.targets[name].kind
        words = {
            "input": f"input {name}",
            "h": f"smoothing {name}",
            "factor": (
                "factor on the rate constants"
                if name == SPEED
                else "factor on reactions that make molecules"
            ),
            "error": (
                "error of rate constants (coefficient of variation)"
                if name == CV
                else "draw of errors"
            ),
            "start": "start of all species" if name == INITIAL else f"start of {name}",
        }
        without = kind in ("factor", "error")
        return {
            "long_name": words.get(kind, f"{kind} {name}"),
            "units": "1" if without else "model units",
        }

    def variables(self) -> list[Variable]:
        """The variables of the result, ``status`` last."""
        plan, every = self.plan, tuple(range(len(self.plan.shape)))
        without_samples = tuple(d for d in every if d != plan.sample)
        time = () if plan.time is None else (("time", len(plan.time)),)
        units: dict[str, Any] = {"units": "model units"}
        found = []
        for quantity in plan.quantities:
            name, kind = quantity.name, quantity.kind
            if kind == "outputs":
                attrs = {"long_name": "output", **units}
                found.append(
                    Variable(name, every, (*time, ("output", self._net.n_out)), attrs=attrs)
                )
            elif kind == "species":
                attrs = {"long_name": "concentration", **units}
                found.append(
                    Variable(
                        name, every, (*time, ("species", len(self._simulator.species))), attrs=attrs
                    )
                )
            elif kind == "one_species":
                what = (
                    "output" if quantity.species in self._net.output_names else "concentration of"
                )
                attrs = {"long_name": f"{what} {quantity.species}", **units}
                found.append(Variable(name, every, time, attrs=attrs))
            elif kind == "class":
                found.append(Variable(name, every, time, self._has_names, {"long_name": CLASS}))
            elif kind == "settling_time":
                attrs = {
                    **units,
                    "tolerance": plan.tolerance,
                    "bound": plan.bound,
                    "long_name": "settling time",
                }
                found.append(Variable(name, every, attrs=attrs))
            elif kind in _NEED_TARGETS:
                words: dict[str, Any] = {"long_name": kind.replace("_", " "), "units": "1"}
                attrs = (
                    words
                    if kind == "accuracy"
                    else words | {"loss": getattr(self._loss, "name", "loss")}
                )
                found.append(Variable(name, without_samples, time, attrs=attrs))
            else:
                found.append(Variable(name, every, plan.further(name, self._shapes[name])))
        return [*found, Variable("status", every, is_text=True)]

    def coordinates(self) -> dict[str, Any]:
        """Labels of the result's further dimensions."""
        kinds = {q.kind for q in self.plan.quantities}
        found: dict[str, Any] = {}
        if "outputs" in kinds:
            found["output"] = list(self._net.output_names)
        if "species" in kinds:
            found["species"] = list(self._simulator.species)
        return found

    # Solving --------------------------------------------------------------------------------------

    def solve(self, box: Box) -> dict[str, Any]:
        """All variables over a box."""
        kinds = {q.kind for q in self.plan.quantities}
        result: dict[str, Any] = {}
        status = outcomes(SOLVED, box.shape)
        if kinds - set(_BY_NETWORK) or not kinds:
            outputs, species, residual, status = self._states(
                box, bool(kinds & {"species", "one_species", "function"})
            )
            for quantity in self.plan.quantities:
                if quantity.kind not in _BY_NETWORK:
                    result[quantity.name] = self._keep(
                        quantity, box, outputs, species, residual, status
                    )
        for quantity in self.plan.quantities:
            if quantity.kind in _BY_NETWORK:
                of_networks = (
                    self._settling_times
                    if quantity.kind == "settling_time"
                    else self._gradient_norms
                )
                result[quantity.name] = of_networks(box, status)
        result["status"] = status
        return result

    def _states(
        self, box: Box, all_species: bool
    ) -> tuple[FloatArray, FloatArray | None, FloatArray, Outcomes]:
        """Outputs (box, [time], n_out), species, residuals and status."""
        last = self._net.layers[-1]
        if self._courses is not None:
            courses = self._courses.solve(box)
            flat = courses.concentrations.reshape(-1, courses.concentrations.shape[-1])
            outputs = last.activation.read(
                self._simulator.of_layer(flat, len(self._net.layers) - 1)
            )
            outputs = outputs.reshape(*courses.concentrations.shape[:-1], last.n_out)
            return outputs, courses.concentrations, np.full(box.shape, np.nan), courses.status
        solution = self._steady.solve(box)
        status = np.broadcast_to(solution.status, box.shape).copy()
        read = last.activation.read(solution.layers[-1])
        outputs = np.broadcast_to(read, (*box.shape, last.n_out)).copy()
        species = None
        if all_species:
            parts = [layer.reshape(*layer.shape[:-2], -1) for layer in solution.layers]
            species = np.concatenate(
                [np.broadcast_to(p, (*box.shape, p.shape[-1])) for p in parts], axis=-1
            )
        residual = np.broadcast_to(solution.residual, box.shape).copy()
        failed = failures(status)
        outputs[failed] = residual[failed] = np.nan
        if species is not None:
            species[failed] = np.nan
        return outputs, species, residual, status

    def _keep(
        self,
        quantity: Quantity,
        box: Box,
        outputs: FloatArray,
        species: FloatArray | None,
        residual: FloatArray,
        status: Outcomes,
    ) -> Any:
        kind = quantity.kind
        if kind == "outputs":
            return outputs
        if kind == "one_species" and quantity.species in self._net.output_names:
            return outputs[..., self._net.output_names.index(quantity.species)]
        if kind == "class":
            return self._classes(outputs)
        if kind == "accuracy":
            return self._accuracies(box, outputs)
        if kind == "loss":
            return self._losses(box, outputs)
        assert species is not None  # asked for
        if kind == "species":
            return species
        if kind == "one_species":
            return species[..., self._simulator.species.index(quantity.species)]
        values: list[FloatArray | None] = []
        for i in np.ndindex(box.shape):
            value = None
            if not status[i].failed:
                result = self._result(outputs[i], species[i], residual[i], status[i], box, i)
                value, outcome = value_of(quantity, result, self._shapes[quantity.name])
                status[i] = status[i].worse(outcome)
            values.append(value)
        return fill(values, self._shapes[quantity.name], box.shape)

    @property
    def _has_names(self) -> bool:
        """Whether classes are texts."""
        return any(isinstance(label, str) for label in self._net.classes)

    def _classes(self, outputs: FloatArray) -> Any:
        empty, kind = ("", object) if self._has_names else (np.nan, float)
        found: Any = np.full(outputs.shape[:-1], empty, kind)
        good = _solved(outputs)
        if good.any():
            found[good] = self._net.classify(outputs[good])
        return found

    def _samples_last(self, values: FloatArray) -> FloatArray:
        """Mean over the samples, where there are some."""
        return values if self.plan.sample is None else values.mean(axis=self.plan.sample)

    def _along_samples(self, box: Box, array: Any, further: int) -> Any:
        """An array by sample, placed along its dimension of a box with further dimensions."""
        shape = box.shape_over(() if self.plan.sample is None else (self.plan.sample,))
        return array.reshape(*shape, *(1,) * further, *array.shape[1:])

    def _accuracies(self, box: Box, outputs: FloatArray) -> FloatArray:
        truth = self._along_samples(
            box, np.asarray(self._truth, dtype=object), outputs.ndim - 1 - len(box.shape)
        )
        right = np.asarray(self._classes(outputs).astype(object) == truth, dtype=float)
        right[~_solved(outputs)] = np.nan
        return self._samples_last(right)

    def _losses(self, box: Box, outputs: FloatArray) -> FloatArray:
        assert self._loss is not None
        assert self._targets is not None
        targets = self._along_samples(box, self._targets, outputs.ndim - 1 - len(box.shape))
        targets = np.broadcast_to(targets, outputs.shape)
        found, good = np.full(outputs.shape[:-1], np.nan), _solved(outputs)
        if good.any():
            found[good] = self._loss.function(outputs[good], targets[good])
        return self._samples_last(found)

    # Quantities of networks
    # --------------------------------------------------------------------------

    def _each_network(self, box: Box) -> Iterator[tuple[tuple[Any, ...], Network]]:
        """The networks in a box, each with where its points are in arrays over the box."""
        indices = box.indices(self._networks)
        m = len(next(iter(indices.values()))) if indices else 1
        for number in range(m):
            at = {d: int(positions[number]) for d, positions in indices.items()}
            place = tuple(
                slice(at[d] - box.start[d], at[d] - box.start[d] + 1) if d in at else slice(None)
                for d in range(len(box.shape))
            )
            yield place, self._parameters.network(self.plan.values(at))

    def _settling_times(self, box: Box, status: Outcomes) -> FloatArray:
        dims = self._inputs | self._networks
        every = input_values(self.plan, self._parameters, box)
        x = np.broadcast_to(every, (*box.shape_over(dims), every.shape[-1]))
        found = np.full(box.shape, np.nan)
        for place, net in self._each_network(box):
            own = tuple(s if d in dims else slice(None) for d, s in enumerate(place))
            part = x[own]
            times, reasons = self._settle(net, part.reshape(-1, part.shape[-1]))
            found[place] = times.reshape(part.shape[:-1])
            status[place] = worse(status[place], reasons.reshape(part.shape[:-1]))
        return found

    def _settle(self, net: Network, x: FloatArray) -> tuple[FloatArray, Outcomes]:
        plan, status = self.plan, outcomes(SOLVED, len(x))
        try:
            return settling_time(net, x, plan.tolerance, bound=plan.bound), status
        except (NotCertified, ConvergenceError):
            times = np.full(len(x), np.nan)
        for i, row in enumerate(x):
            try:
                times[i] = settling_time(net, row, plan.tolerance, bound=plan.bound)
            except (NotCertified, ConvergenceError) as error:
                # all else that is kept of this point is there
                status[i] = Outcome.failure(str(error), Kind.NO_TIME)
        return times, status

    def _gradient_norms(self, box: Box, status: Outcomes) -> FloatArray:
        plan, sample = self.plan, self.plan.sample
        dims = (self._inputs | self._networks) - ({sample} if sample is not None else set())
        every = input_values(plan, self._parameters, box)
        full = dims if sample is None else dims | {sample}
        x = np.broadcast_to(every, (*box.shape_over(full), every.shape[-1]))
        rest = tuple(n for d, n in enumerate(box.shape) if d != sample)
        found = np.full(rest, np.nan)
        for place, net in self._each_network(box):
            own = tuple(s if d in full else slice(None) for d, s in enumerate(place))
            part = x[own]
            where = tuple(s for d, s in enumerate(place) if d != sample)
            # samples are the last dimension, so what is left is one batch after another
            batches = part.reshape(-1, 1 if sample is None else part.shape[sample], part.shape[-1])
            norms, reasons = np.full(len(batches), np.nan), outcomes(SOLVED, len(batches))
            for i, batch in enumerate(batches):
                try:
                    norms[i] = gradient(net, batch, self._targets, self._loss).norm  # type: ignore[arg-type]
                except (ConvergenceError, SingularJacobianError) as error:
                    reasons[i] = Outcome.failure(f"gradient: {error}")
            left = tuple(n for d, n in enumerate(part.shape[:-1]) if d != sample)
            found[where] = norms.reshape(left)
            by_point = reasons.reshape(left if sample is None else (*left, 1))
            status[place] = worse(status[place], by_point)
        return found

    # Users' functions
    # ------------------------------------------------------------------------------

    @cached_property
    def _shapes(self) -> dict[str, tuple[int, ...]]:
        """What users' functions return, by the first points at which they do."""

        def results() -> list[Any]:
            box = self.plan.chunks[0]
            outputs, species, residual, status = self._states(box, True)
            assert species is not None
            good = [i for i in np.ndindex(box.shape) if not status[i].failed]
            return [
                self._result(outputs[i], species[i], residual[i], status[i], box, i) for i in good
            ]

        return shapes_of(self.plan, results)

    def _result(
        self,
        outputs: Any,
        species: Any,
        residual: Any,
        status: Outcome,
        box: Box,
        point: tuple[int, ...],
    ) -> Any:
        names, all_species = self._net.output_names, self._simulator.species
        if self.plan.time is None:
            arrays = outputs[None].copy(), species[None].copy(), np.array([residual])
            return SteadyState(*arrays, (status,), "units", names, all_species)
        values = input_values(self.plan, self._parameters, box)
        at = tuple(0 if n == 1 else i for n, i in zip(values.shape[:-1], point, strict=True))
        inputs = np.repeat(values[at][None], len(outputs), axis=0)
        return TimeCourse(
            self.plan.time.copy(),
            outputs.copy(),
            species.copy(),
            inputs,
            names,
            all_species,
            self._net.input_names,
        )


def _solved(outputs: FloatArray) -> Any:
    """Which points have all their outputs."""
    return ~np.isnan(outputs).any(axis=-1)
