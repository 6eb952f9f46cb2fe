"""Steady states and time courses of any reaction network: the Simulator of what has no layers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import NoReturn

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import FloatArray, by_name, check_choice, real_numbers
from crn_nn_tellurium.chemistry import Expression, ReactionNetwork
from crn_nn_tellurium.errors import InputError, NetworkError
from crn_nn_tellurium.importers import AnyModel
from crn_nn_tellurium.simulation.coming_to_rest import ROUGH, STILL, rest
from crn_nn_tellurium.simulation.conditions import fill, start_values
from crn_nn_tellurium.simulation.engine import TIGHT, Tolerances
from crn_nn_tellurium.simulation.engines import EngineLike, as_engine
from crn_nn_tellurium.simulation.outcome import INTEGRATED, Outcome, Outcomes, failures, outcomes
from crn_nn_tellurium.simulation.reduced_system import ABSENT, reduced_equations
from crn_nn_tellurium.simulation.results import SteadyState
from crn_nn_tellurium.simulation.simulator import (
    METHODS,
    ON_ERROR,
    Method,
    OnError,
    Simulator,
    refuse_failed,
)

ROUNDING = 2 * float(np.finfo(float).eps)
"""Of a sum of a few concentrations, beside these."""


class ReactionSimulator(Simulator):
    """What `Simulator` of a `ReactionNetwork` is.

    Inputs are its boundary species, by default at the network's own concentrations; outputs are
    its observables or, where it has none, its floating species.
    """

    def __init__(self, net: AnyModel, engine: EngineLike = None) -> None:
        assert isinstance(self.model, ReactionNetwork)  # or Simulator had made another
        self.reactions = crn = self.model
        self.species = crn.floating
        self.output_names = tuple(o.id for o in crn.observables) or crn.floating
        self.input_names, self.output_labels = crn.boundary, ()
        self.engine = as_engine(engine, len(crn.reactions))
        self.flat = self.engine.model(crn)

    def __getattr__(self, name: str) -> NoReturn:
        # what asks a Simulator for these is about neural networks
        if name in ("net", "kinetics"):
            raise NetworkError(
                f"this needs a Network; {self.reactions!r} has no layers, weights or classes"
            )
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def compile(self, method: Method = "flat") -> Simulator:
        """Compile the model, so that the first answer does not wait; returns self."""
        _check_method(method)
        self.flat.compile()
        return self

    def steady_state(
        self,
        x: npt.ArrayLike | None = None,
        initial: float | npt.ArrayLike | Mapping[str, float] | None = None,
        method: Method = "flat",
        on_error: OnError = "raise",
    ) -> SteadyState:
        """The steady states that time courses end in; what the network conserves is kept."""
        _check_method(method)
        check_choice("on_error", on_error, ON_ERROR)
        crn, boundary = self.reactions, self._boundary(self._batch(x))
        begin = crn.initial_state(boundary)
        if initial is not None:
            begin = fill(start_values(initial, self.species, len(boundary)), begin)
        concentrations = np.empty_like(begin)
        status = outcomes(Outcome("solved"), len(boundary))
        for sample, (held, start) in enumerate(zip(boundary, begin, strict=True)):
            concentrations[sample], status[sample] = self._rest(held, start, method == "flat")
        with np.errstate(over="ignore", invalid="ignore"):  # of what failed
            residual = crn.balance(concentrations, boundary).imbalance.max(axis=-1, initial=0.0)
        refuse_failed(status, on_error, concentrations, residual)
        found = self._read(concentrations, boundary), concentrations, residual
        names = self.output_names, self.species
        error_of = partial(self._output_errors, boundary, begin, concentrations, status)
        return SteadyState(*found, tuple(status), method, *names, error_of=error_of)

    def _output_errors(
        self, boundary: FloatArray, begin: FloatArray, concentrations: FloatArray, status: Outcomes
    ) -> FloatArray:
        """How far outputs (n, n_out) may be from those of the exact steady states."""
        result = np.full((len(begin), len(self.output_names)), np.nan)
        for i in np.flatnonzero(~failures(status)):
            x, held = concentrations[i], boundary[i]
            error = self._error(held, begin[i], x, status[i] == INTEGRATED)
            error = error + ROUNDING * x
            read = self.reactions.observables
            result[i] = self._carried(held, x, error) if read else error
        return result

    def _error(
        self, boundary: FloatArray, start: FloatArray, x: FloatArray, integrated: bool
    ) -> FloatArray:
        equations = reduced_equations(self.reactions, boundary)
        if not np.any(equations.rates(x)[1]) and np.array_equal(x, start):
            return np.zeros_like(x)  # nothing happens
        totals = equations.rows @ start
        if not integrated:
            return equations.error(x, totals)
        # where nothing but the course says where it ends, ten times less exact a course is off by
        # ten times as much, and the difference of the two is more than what the better one is off
        loose = Tolerances(10 * TIGHT.relative)
        advance = partial(self.flat.advance, boundary=boundary, tolerances=loose)
        other, outcome = rest(equations, start, advance)
        if outcome.failed:
            return np.full_like(x, np.inf)
        # what sums have gained or lost on the way is a loss of each of their species, at most
        drift = abs(equations.rows.T) @ np.abs(equations.rows @ x - totals)
        error = np.abs(other - x) + STILL * x + ABSENT * x.max(initial=0.0) + drift
        # where rounding decides, both courses may end at the same place, which is off
        return np.fmax(error, equations.error(x, totals)) if equations.is_isolated(x) else error

    def _carried(self, boundary: FloatArray, x: FloatArray, error: FloatArray) -> FloatArray:
        """Errors of the observables, from those of the species."""
        crn = self.reactions
        values = dict(zip(crn.floating, x.tolist(), strict=True))
        values |= dict(zip(crn.boundary, boundary.tolist(), strict=True))
        values |= dict(zip(crn.constant_names, crn.constants.tolist(), strict=True))
        by_species = dict(zip(crn.floating, error.tolist(), strict=True))

        def carried(expression: Expression) -> float:
            # of sums and products of species, to first order; each of the terms is rounded too
            sizes = [abs(float(term.evaluate(values))) for term in expression.terms]
            total, symbols = ROUNDING * sum(sizes) * (1 + len(sizes)) / 2, set(expression.symbols)
            for name, off in by_species.items():
                if name in symbols:
                    total += abs(float(expression.derivative(name).evaluate(values))) * off
            return total

        return np.array([carried(observable.expression) for observable in crn.observables])

    def _rest(
        self, boundary: FloatArray, start: FloatArray, newton: bool
    ) -> tuple[FloatArray, Outcome]:
        advance = partial(self.flat.advance, boundary=boundary)
        rough = partial(advance, tolerances=ROUGH)
        return rest(reduced_equations(self.reactions, boundary), start, advance, newton, rough)

    def _read(self, concentrations: FloatArray, boundary: FloatArray) -> FloatArray:
        if not self.reactions.observables:
            return concentrations.copy()
        return self.reactions.observe(concentrations, boundary)

    def _boundary(self, x: FloatArray) -> FloatArray:
        return x

    def _start(self, boundary: FloatArray) -> FloatArray:
        return self.reactions.initial_state(boundary)

    def _batch(self, x: npt.ArrayLike | None) -> FloatArray:
        crn = self.reactions
        if x is None:
            return crn.boundary_concentrations[None]
        what = f"network {crn.name!r}: inputs"
        values = real_numbers(what, by_name(what, x, crn.boundary))
        if values.ndim not in (1, 2) or values.shape[-1] != len(crn.boundary):
            raise InputError(
                f"network {crn.name!r}: inputs have shape {values.shape}; expected"
                f" (n_samples, {len(crn.boundary)}), one per boundary species"
            )
        if not np.all(np.isfinite(values) & (values >= 0)):
            raise InputError(
                f"network {crn.name!r}: inputs are concentrations of its boundary species; expected"
                " finite numbers >= 0"
            )
        return np.atleast_2d(values)

    def __repr__(self) -> str:
        return f"Simulator({self.reactions!r})"


def _check_method(method: Method) -> None:
    check_choice("method", method, METHODS)
    if method == "units":
        raise InputError(
            "method 'units' solves a Network layer by layer; a ReactionNetwork has none: expected"
            " 'flat' or 'integrate'"
        )
