"""Gradients of a loss at a read-out time T, by the adjoint equations along the trajectory.

    dy/dt = f(y, p),  y(0) = y0(p);    dlambda/dt = -J(y(t))^T lambda,  lambda(T) = dL/dy(T)
    dL/dp = integral of lambda . df/dp dt + lambda(0) . dy0/dp

One run forwards, which is kept, and one backwards, whatever the number of parameters. Nothing is
compiled: `kinetics.rates_of_change` is vectorised, over samples too. The integral needs no
equations of its own: on each step of the backward run it is Gauss's rule, for all nodes at once.
Source: Cao, Li, Petzold and Serban, SIAM J. Sci. Comput. 24 (2003) 1076.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from scipy.integrate import OdeSolution, solve_ivp

from crn_nn_tellurium.basics import FloatArray, Lock
from crn_nn_tellurium.errors import ConvergenceError
from crn_nn_tellurium.kinetics import (
    DenseRates,
    NetworkKinetics,
    RateConstants,
    add_by_start,
    by_species,
    start,
)
from crn_nn_tellurium.networks import INPUT
from crn_nn_tellurium.simulation import start_values

T = TypeVar("T")

_RELATIVE = 1e-10
_ABSOLUTE = 1e-14
"""Tolerances of both runs, of concentrations, and of lambda beside its largest; gradients then
agree with those of other methods to 1e-8 of their size."""
_NODES, _SHARES = np.polynomial.legendre.leggauss(6)
"""Of Gauss's rule on (-1, 1): exact for polynomials of degree 11, of a step that the backward run
took at these tolerances."""
_TOGETHER = 1 << 13
"""Concentrations that run together: the trajectories of all samples at once might not fit."""
_AT_NODES = 1 << 20
"""Concentrations at nodes that are held at once."""
_EXPLICIT = 1_500, 300
"""Evaluations, and those more for each sample, after which explicit steps of all samples together
give way to implicit ones of each sample: about what these would take."""
_MOST = 50_000
"""Evaluations of a run of implicit steps, which takes thousands: more is no way to an end."""


@dataclass(frozen=True, eq=False)
class Adjoint:
    """Outputs (n, n_out) at the time, and derivatives of a loss of them: by rate constants, layer
    by layer, and by concentrations (n, n_in, n_rails) of the inputs' species.
    """

    outputs: FloatArray
    by_constant: list[RateConstants]
    by_input: FloatArray


@dataclass(frozen=True)
class ReadOut:
    """What is run: rate constants by layer, up to a time, from a start as `Simulator` takes it."""

    kinetics: NetworkKinetics
    constants: Sequence[RateConstants]
    time: float
    initial: float | Mapping[str, float] | None

    def outputs(self, inputs: FloatArray) -> FloatArray:
        """Outputs (n, n_out) with inputs' species at `inputs` (n, n_in, n_rails)."""
        return np.concatenate(self._in_parts(inputs, lambda run, _: run.outputs))

    def adjoint(
        self, inputs: FloatArray, by_output: Callable[[FloatArray, slice], FloatArray]
    ) -> Adjoint:
        """Outputs and derivatives; `by_output` has the loss's, by outputs (m, n_out) of some of the
        samples.
        """
        parts = self._in_parts(inputs, lambda run, rows: run.back(by_output(run.outputs, rows)))
        outputs = np.concatenate([part.outputs for part in parts])
        totals = parts[0].by_constant
        for part in parts[1:]:
            _add(totals, part.by_constant)
        return Adjoint(outputs, totals, np.concatenate([part.by_input for part in parts]))

    # what overflows is refused where it is seen
    @np.errstate(over="ignore", invalid="ignore")
    def _in_parts(self, inputs: FloatArray, ask: Callable[[_Run, slice], T]) -> list[T]:
        """What each run gives: of as many samples as fit; of one, where steps are implicit."""
        parts, stiff, first = [], False, 0
        size = max(1, _TOGETHER // len(self.kinetics.species))
        while first < len(inputs):
            rows = slice(first, first + (1 if stiff else size))
            try:
                parts.append(ask(_Run(self, inputs[rows], stiff), rows))
            except _Stiff:
                # the samples after these will be no other
                stiff = True
            else:
                first = rows.stop
        return parts


_hearing = Lock()


@contextmanager
def _heard() -> Iterator[list[warnings.WarningMessage]]:
    """Warnings, in which LSODA says why it gives up: its result says no more than that it does."""
    # who is told of warnings is the process's: threads that took turns would leave it changed
    with _hearing, warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        yield said


class _Stiff(Exception):  # noqa: N818  # not an error
    """Explicit steps are too short to arrive."""


class _Run:
    """The trajectories of some samples; of one, where steps are to be implicit."""

    def __init__(self, what: ReadOut, inputs: FloatArray, stiff: bool) -> None:
        self.what, self.inputs, self.stiff = what, inputs, stiff
        kinetics, n = what.kinetics, len(inputs)
        given = np.full((n, len(kinetics.species)), np.nan)
        if what.initial is not None:
            given = start_values(what.initial, kinetics.species, n)
        self.start = start(kinetics, inputs, what.constants, given)
        self.shape = given.shape
        # one state where steps are implicit: their Jacobian is an array
        self.shape_of_state = given.shape[1:] if stiff else given.shape
        self.rates = kinetics.rates_of_change(inputs[0] if stiff else inputs, what.constants)
        begin = [layer.values.reshape(n, -1) for layer in self.start]
        self.course = self._solve(
            lambda _, y: (self.dense if stiff else self.rates)(y),
            lambda _, y: self.dense.jacobian(y),
            np.concatenate(begin, axis=1),
            np.full(self.shape, _ABSOLUTE),
        )
        self.outputs = kinetics.read(self._at(self.course, np.array([what.time]))[0])

    @cached_property
    def dense(self) -> DenseRates:
        """The rates where steps are implicit, whose Jacobian is an array."""
        return DenseRates(self.rates)

    def _solve(
        self, function: Any, jacobian: Any, begin: FloatArray, absolute: FloatArray
    ) -> OdeSolution:
        """The solution from 0 on, for as long as the run takes."""
        end, count = self.what.time, 0
        most = _MOST if self.stiff else _EXPLICIT[0] + _EXPLICIT[1] * len(self.inputs)

        def flat(at: float, state: FloatArray) -> FloatArray:
            nonlocal count
            count += 1
            if count > most:
                raise self._gave_up(at, f"{most} evaluations") if self.stiff else _Stiff
            return np.ravel(function(at, state.reshape(self.shape_of_state)))

        # of the two, DOP853 takes no Jacobian
        how: dict[str, Any] = (
            {"method": "LSODA", "jac": jacobian} if self.stiff else {"method": "DOP853"}
        )
        if not np.isfinite(begin).all():
            raise self._gave_up(0.0, "the start is no finite number")
        hearing: AbstractContextManager[list[Any]] = _heard() if self.stiff else nullcontext([])
        with hearing as said:
            found = solve_ivp(
                flat,
                (0.0, end),
                begin.ravel(),
                **how,
                dense_output=True,
                rtol=_RELATIVE,
                atol=absolute.ravel(),
            )
        if found.success and np.isfinite(found.y[:, -1]).all():
            return found.sol
        if not self.stiff:
            raise _Stiff
        reason = said[-1].message if said else found.message.lower()
        raise self._gave_up(found.t[-1], str(reason))

    def _gave_up(self, after: float, reason: str) -> ConvergenceError:
        return ConvergenceError(
            f"gradient at t = {self.what.time:g}: no run of its equations ends; smaller rate"
            " constants or inputs, or another start, may help (the integrator gave up after"
            f" {after:g}: {reason})"
        )

    def _at(self, solution: OdeSolution, times: FloatArray) -> FloatArray:
        """States (n_times, n, n_species)."""
        return np.asarray(solution(times)).T.reshape(len(times), *self.shape)

    # The way back -----------------------------------------------------------------------------

    def back(self, by_output: FloatArray) -> Adjoint:
        """Derivatives of the loss that has these by the outputs (n, n_out)."""
        kinetics, end = self.what.kinetics, self.what.time
        final = np.zeros(self.shape)
        last = kinetics.layers[-1].activation
        by_last = kinetics.of_layer(final, len(kinetics.layers) - 1)
        for a, coefficient in last.read_places[1]:
            by_last[..., a] += coefficient * by_output

        def state(back: float) -> FloatArray:
            return np.asarray(self.course(end - back)).reshape(self.shape_of_state)

        scale = np.abs(final).max(axis=1, keepdims=True)
        # of a sample whose loss is flat, lambda is 0 throughout
        absolute = _ABSOLUTE * np.where(scale > 0, scale, 1.0)
        # in the time that is left until the end, lambda obeys J^T lambda without the sign
        adjoint = self._solve(
            lambda back, v: self.rates.back(state(back), v),
            lambda back, _: self.dense.jacobian(state(back)).T,
            final,
            np.broadcast_to(absolute, self.shape),
        )
        by_constant = [
            RateConstants(*(np.zeros_like(part) for part in (k.weights, k.bias, k.local)))
            for k in self.what.constants
        ]
        totals = {INPUT: np.zeros(self.inputs.shape)}
        begin, ends = adjoint.ts[:-1, None], adjoint.ts[1:, None]
        times = ((begin + ends) / 2 + (ends - begin) / 2 * _NODES).ravel()
        shares = ((ends - begin) / 2 * _SHARES).ravel()
        step = max(1, _AT_NODES // final.size)
        for first in range(0, len(times), step):
            nodes = slice(first, first + step)
            factor = self._at(adjoint, times[nodes]) * shares[nodes, None, None]
            self._integrate(self._at(self.course, end - times[nodes]), factor, by_constant, totals)
        at_start = self._at(adjoint, np.array([end]))[0]
        add_by_start(
            kinetics, self.start, at_start, self.what.constants, by_constant, totals[INPUT]
        )
        return Adjoint(self.outputs, by_constant, totals[INPUT])

    def _integrate(
        self,
        states: FloatArray,
        factors: FloatArray,
        by_constant: list[RateConstants],
        totals: dict[str, FloatArray],
    ) -> None:
        """Add factor . df/dp of some nodes, both (n_nodes, n, n_species)."""
        kinetics, n_nodes = self.what.kinetics, len(states)
        state, factor = (part.reshape(-1, self.shape[1]) for part in (states, factors))
        known = {INPUT: self.inputs}
        for number, layer in enumerate(kinetics.layers):
            sources = layer.encoding.layer.inputs
            # inputs are held: what a layer reads of them alone is the same at all nodes
            held = sources == (INPUT,)
            if INPUT in sources and not held:
                inputs = np.tile(self.inputs, (n_nodes, 1, 1))
                read = layer.encoding.gather({**known, INPUT: inputs})
            else:
                read = layer.encoding.gather(known)
            known[layer.name] = kinetics.of_layer(state, number)
            own = by_species(known[layer.name]), by_species(kinetics.of_layer(factor, number))
            by_unit, found = layer.by_constants(read, *own)
            _add([by_constant[number]], [found])
            if INPUT in sources:
                by_read = by_unit @ layer.weights(self.what.constants[number])
                if not held:
                    by_read = by_read.reshape(n_nodes, len(self.inputs), -1).sum(axis=0)
                layer.encoding.scatter(by_read, totals)


def _add(totals: list[RateConstants], parts: list[RateConstants]) -> None:
    """Add derivatives to others, in place."""
    for total, part in zip(totals, parts, strict=True):
        total.weights[:] += part.weights
        total.bias[:] += part.bias
        total.local[:] += part.local
