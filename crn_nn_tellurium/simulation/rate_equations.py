"""Time courses by a network's own rate equations: nothing is compiled, at any size.

The equations are `kinetics.RatesOfChange`, integrated by CVODE of SUNDIALS (scikit-sundae). Its
method is implicit: each step solves (I - step J) v = right. For few species that is dense algebra
inside SUNDIALS, of `kinetics.DenseRates`; for many it is GMRES with `RatesOfChange.implicit` as its
preconditioner, which solves the system all but exactly, so one iteration does. Source: Hindmarsh et
al., ACM Trans. Math. Softw. 31 (2005) 363.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import FloatArray, Lock
from crn_nn_tellurium.chemistry import Balance, ReactionNetwork
from crn_nn_tellurium.kinetics import DenseRates, RatesOfChange
from crn_nn_tellurium.simulation.coming_to_rest import that_are_stable
from crn_nn_tellurium.simulation.engine import SMALLEST, TIGHT, Tolerances, given_up
from crn_nn_tellurium.simulation.integrator import Integrator
from crn_nn_tellurium.simulation.pieces import NO_CHANGES, Changes, piecewise
from crn_nn_tellurium.simulation.settle import Settled, Which, integrate, solve

DENSE_UP_TO = 300
"""Species up to which dense algebra is faster."""
MOST_STEPS = 20_000
"""Of CVODE, from one time asked for to the next: some seconds. Courses take about a thousand; more
are taken by what has no end, as concentrations that are infinite at a finite time.
"""
STEPS = 50
"""Of Newton's method, layer after layer."""
LAST = 1e-15
"""Newton's last step, relative to a concentration."""

EquationsAt = Callable[[FloatArray, "FloatArray | None"], RatesOfChange]
"""(boundary concentrations, constants or None) -> dx/dt"""


class RateModel(Integrator):
    """A network's rate equations, integrated as `FlatModel` integrates what is compiled.

    Its reactions, which steady states alone need, are made when they are.
    """

    def __init__(self, equations: EquationsAt, reactions: Callable[[], ReactionNetwork]) -> None:
        self._equations, self._reactions = equations, reactions

    @classmethod
    def of(cls, crn: ReactionNetwork) -> RateModel:
        """Any reaction network's."""

        def equations(boundary: FloatArray, constants: FloatArray | None) -> RatesOfChange:
            return RatesOfChange.of(crn, boundary, constants)

        return cls(equations, lambda: crn)

    def compile(self) -> None:
        """There is nothing to compile."""

    def time_course(
        self,
        time: FloatArray,
        start: FloatArray,
        boundary: FloatArray,
        constants: FloatArray | None = None,
        changes: Changes = NO_CHANGES,
        tolerances: Tolerances = TIGHT,
    ) -> FloatArray:
        def run(held: FloatArray, state: FloatArray, times: FloatArray) -> FloatArray:
            return integrated(self._equations(held, constants), state, times, tolerances)

        return piecewise(run, time, start, {float(time[0]): boundary, **changes})

    def steady_states(
        self, start: FloatArray, boundary: FloatArray, newton: bool = True
    ) -> Settled:
        crn = self._reactions()

        def balance_of(states: FloatArray, samples: Which) -> Balance:
            return crn.balance(states, boundary[samples])

        systems = _Systems([self._equations(held, None) for held in boundary])
        found = (solve if newton else integrate)(systems, start, balance_of)
        return that_are_stable(found, start, boundary, crn, self, newton)


class _Systems:
    """Rate equations as `settle` takes them."""

    def __init__(self, equations: list[RatesOfChange]) -> None:
        self._equations = equations

    def newton(self, x: FloatArray, systems: Which) -> FloatArray:
        """Where Newton's method leads from states x (m, n_species) of some systems (m,)."""
        chosen = np.arange(len(self._equations))[systems].tolist()
        found = [newton(self._equations[i], state) for i, state in zip(chosen, x, strict=True)]
        return np.array(found).reshape(x.shape)

    def advance(self, state: FloatArray, system: int, duration: float) -> FloatArray:
        """One system's state (n_species,) that much later."""
        return integrated(self._equations[system], state, np.array([0.0, duration]), TIGHT)[-1]

    def is_finite(self, system: int) -> bool:
        """Whether what a system reads are numbers: inputs, which were checked."""
        return True


def newton(equations: RatesOfChange, state: FloatArray) -> FloatArray:
    """Where Newton's method leads from a state (n_species,); NaN where that is nowhere."""
    x = state
    for _ in range(STEPS):
        try:
            step = equations.implicit(x, 1.0, identity=0.0)(equations(x))
        except RuntimeError:  # what SuperLU raises if a matrix is singular
            return np.full_like(state, np.nan)
        x = x + step
        if not np.all(np.isfinite(x)):
            return np.full_like(state, np.nan)
        if np.all(np.abs(step) <= LAST * np.abs(x)):
            break
    return x


def integrated(
    equations: RatesOfChange, start: FloatArray, times: FloatArray, tolerances: Tolerances
) -> FloatArray:
    """States (n_times, n_species) at rising times, the start's first."""
    if not len(start):
        return np.empty((len(times), 0))
    # the import takes 50 ms
    from sksundae.cvode import CVODE as Solver  # noqa: N811

    dense = DenseRates(equations) if len(start) <= DENSE_UP_TO else None
    kind = _dense(dense) if dense else _preconditioned(equations)
    rates_at = dense or equations

    def rates(t: float, x: FloatArray, dx: FloatArray) -> None:
        dx[:] = rates_at(x)

    solver = Solver(
        rates,
        rtol=tolerances.relative,
        atol=tolerances.absolute,
        max_num_steps=min(MOST_STEPS, tolerances.steps),
        **kind,
    )
    begin = np.where(np.abs(start) < SMALLEST, 0.0, start)
    # between two times alone scikit-sundae keeps each step and asks for one at a time, and so never
    # counts them: what has no end would have none
    asked = np.array([times[0], times.mean(), times[1]]) if len(times) == 2 else times
    with _sieve.in_place(), np.errstate(over="ignore", invalid="ignore"):
        found = solver.solve(asked, begin)
    states = np.asarray(found.y)
    if not found.success or not np.all(np.isfinite(states)):
        raise given_up(times, found.message, f", at t = {found.t[-1]:.6g}")
    return states if len(times) > 2 else states[[0, -1]]


def _dense(equations: DenseRates) -> Mapping[str, Any]:
    def jacobian(t: float, x: FloatArray, dx: FloatArray, found: FloatArray) -> None:
        found[:] = equations.jacobian(x)

    return {"linsolver": "dense", "jacfn": jacobian}


def _preconditioned(equations: RatesOfChange) -> Mapping[str, Any]:
    from sksundae.cvode import CVODEJacTimes, CVODEPrecond

    solve: Callable[[FloatArray], FloatArray]

    def prepare(
        t: float, x: FloatArray, dx: FloatArray, jok: int, jnew: list[int], step: float
    ) -> None:
        nonlocal solve
        solve, jnew[0] = equations.implicit(x, step), 1

    def apply(
        t: float,
        x: FloatArray,
        dx: FloatArray,
        right: FloatArray,
        found: FloatArray,
        step: float,
        tolerance: float,
        side: int,
    ) -> None:
        found[:] = solve(right)

    def along(t: float, x: FloatArray, dx: FloatArray, v: FloatArray, found: FloatArray) -> None:
        found[:] = equations.along(x, v)

    return {
        "linsolver": "gmres",
        "precond": CVODEPrecond(prepare, apply),
        "jactimes": CVODEJacTimes(None, along),
    }


class _Sieve:
    """Standard output without what threads that solve write: SUNDIALS' words of a failure, which
    the error raised says too. It is in place while any thread solves."""

    def __init__(self) -> None:
        self._lock, self._here = Lock(), threading.local()
        self._n_solving = 0
        self._stream: Any = None

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """This thread solves."""
        # threads do not end in the order in which they began, so only the last puts things back
        with self._lock:
            self._n_solving += 1
            if sys.stdout is not self:
                self._stream, sys.stdout = sys.stdout, self
        self._here.solves = True
        try:
            yield
        finally:
            self._here.solves = False
            with self._lock:
                self._n_solving -= 1
                if not self._n_solving and sys.stdout is self:
                    sys.stdout = self._stream

    def write(self, text: str) -> int:
        if self._stream is None or getattr(self._here, "solves", False):
            return len(text)
        return int(self._stream.write(text) or 0)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


_sieve = _Sieve()
