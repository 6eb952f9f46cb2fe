"""Steady states and time courses of a network's chemistry, found by roadrunner.

Steady states are found layer by layer through compiled units that every neuron and sample of one
shape share, or from the flat model, solved or integrated (see `solver` for how a root is accepted).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import FloatArray, by_sample, check_choice, check_positive, is_real
from crn_nn_tellurium.chemistry import Balance, ReactionNetwork
from crn_nn_tellurium.encoding import (
    VOLUME,
    compact_constants,
    stochastic_text,
    structure_text,
    to_reactions,
)
from crn_nn_tellurium.errors import ConvergenceError, InputError, ModelTooLargeError, NetworkError
from crn_nn_tellurium.kinetics import NetworkKinetics
from crn_nn_tellurium.networks import INPUT, Network
from crn_nn_tellurium.simulation.engine import CompiledModel, compiled
from crn_nn_tellurium.simulation.layer_solver import LayerSolver, fill, worse
from crn_nn_tellurium.simulation.results import SteadyState, TimeCourse
from crn_nn_tellurium.simulation.settle import SOLVED, Block, integrate, solve

Method = Literal["units", "flat", "integrate"]
OnError = Literal["raise", "nan"]

FLAT_LIMIT = 6_000
"""Weights up to which the flat model is compiled; compiling grows with their square (see README).
"""


class Simulator:
    """Runs a network's chemistry on roadrunner.

    Parameters
    ----------
    net : Network

    Notes
    -----
    Compiled units are shared by all simulators of a process and cached by structure: another
    network of the same shape, with other weights of any sign, compiles nothing.

    Examples
    --------
    >>> from crn_nn_tellurium import Network
    >>> net = Network.random([2, 3, 1], seed=0)
    >>> sim = Simulator(net)
    >>> steady = sim.steady_state([[0.0, 1.0], [1.0, 1.0]])
    >>> bool(abs(steady.outputs - net([[0.0, 1.0], [1.0, 1.0]])).max() < 1e-10)
    True
    """

    def __init__(self, net: Network) -> None:
        if not isinstance(net, Network):
            raise NetworkError(f"Simulator takes a Network; got {type(net).__name__}")
        self.net = net
        self.kinetics = NetworkKinetics(net)
        self._chemistry = tuple(layer.chemistry for layer in self.kinetics.layers)

    @cached_property
    def reactions(self) -> ReactionNetwork:
        """The flat reaction network."""
        return to_reactions(self.net)

    @cached_property
    def species(self) -> tuple[str, ...]:
        """Identifiers of the floating species: by layer, unit, then the activation's species."""
        return self.kinetics.species

    @cached_property
    def layer_solvers(self) -> tuple[LayerSolver, ...]:
        """One per layer, in order."""
        return tuple(LayerSolver(chemistry) for chemistry in self._chemistry)

    @cached_property
    def _flat(self) -> CompiledModel:
        self.check_size()
        return compiled(structure_text(self.reactions))

    def check_size(self) -> None:
        """Refuse networks whose flat model would take too long to compile.

        Raises
        ------
        ModelTooLargeError
        """
        if self.net.n_weights > FLAT_LIMIT:
            raise ModelTooLargeError(
                f"network {self.net.name!r} has {self.net.n_weights} weights; its flat model, which"
                " time courses and the methods 'flat' and 'integrate' need, is compiled up to"
                f" {FLAT_LIMIT}, since the time grows with their square; steady_state's"
                " method='units' has no limit"
            )

    # Steady states ----------------------------------------------------------------------------

    def compile(self, method: Method = "units") -> Simulator:
        """Compile what a method needs, so that the first answer does not wait for it; returns self."""
        check_choice("method", method, get_args(Method))
        if method == "units":
            for solver in self.layer_solvers:
                solver.compile()
        else:
            self._flat  # noqa: B018  # compiled when read
        return self

    def steady_state(
        self,
        x: npt.ArrayLike,
        initial: float | npt.ArrayLike | Mapping[str, float] | None = None,
        method: Method = "units",
        on_error: OnError = "raise",
    ) -> SteadyState:
        """Steady states for a batch of inputs.

        Parameters
        ----------
        x : (n_samples, n_in) or (n_in,) array_like
            Input values; one sample may come without its dimension.
        initial : float, array_like, or mapping of str to float, optional
            Where the solver starts: one concentration for all species, an array (n_species,) or
            (n_samples, n_species) in the order of `species`, or some species by name. By default
            an upper bound of each unit's fixed point.
        method : {"units", "flat", "integrate"}
            Unit by unit through small compiled models; the flat model solved; the flat model
            integrated until its rates vanish.
        on_error : {"raise", "nan"}
            What becomes of a sample that fails.

        Returns
        -------
        SteadyState

        Raises
        ------
        InputError
            If inputs or start values have the wrong shape or cannot be concentrations.
        ConvergenceError
            If a sample fails and ``on_error="raise"``.
        ModelTooLargeError
            If the flat model is too large to compile.
        """
        check_choice("method", method, get_args(Method))
        check_choice("on_error", on_error, get_args(OnError))
        values = self._batch(x)
        start = None if initial is None else start_values(initial, self.species, len(values))
        if method == "units":
            concentrations, residual, status = self._by_units(values, start)
        else:
            concentrations, residual, status = self._by_flat_model(values, start, method)
        failed = np.array([text.startswith("failed") for text in status], dtype=bool)
        concentrations[failed] = residual[failed] = np.nan
        if on_error == "raise" and failed.any():
            first = int(np.flatnonzero(failed)[0])
            raise ConvergenceError(
                f"{failed.sum()} of {len(values)} samples have no steady state; sample {first}: "
                f"{status[first].removeprefix('failed: ')}; on_error='nan' keeps the others",
                tuple(status),
            )
        outputs = self.of_layer(concentrations, len(self._chemistry) - 1)
        read = self._chemistry[-1].activation.read(outputs)
        return SteadyState(
            read,
            concentrations,
            residual,
            tuple(status),
            method,
            self.net.output_names,
            self.species,
        )

    def _by_units(
        self, x: FloatArray, start: FloatArray | None
    ) -> tuple[FloatArray, FloatArray, list[str]]:
        found = {INPUT: self.net.input_coding.concentrations(x)}
        concentrations = np.empty((len(x), len(self.species)))
        residual = np.zeros(len(x))
        status = [SOLVED] * len(x)
        for number, solver in enumerate(self.layer_solvers):
            layer = solver.chemistry.layer
            catalysts = solver.chemistry.gather(found)
            solution = solver.settle(
                catalysts, None if start is None else self.of_layer(start, number)
            )
            found[layer.name] = self.of_layer(concentrations, number)[...] = solution.concentrations
            residual = np.maximum(residual, solution.residual)
            status = worse(status, solution.status)
        return concentrations, residual, status

    def _by_flat_model(
        self, x: FloatArray, start: FloatArray | None, method: Method
    ) -> tuple[FloatArray, FloatArray, list[str]]:
        crn, model = self.reactions, self._flat
        boundary = self._boundary(x)
        begin = fill(start, crn.initial_state(boundary))

        def balance_of(states: FloatArray, samples: npt.NDArray[np.intp]) -> Balance:
            return crn.balance(states, boundary[samples])

        index, values = self._flat_parameters(model)
        block = Block(model, np.arange(len(crn.floating)), boundary, index, values[None])
        with model.lock:
            if method == "flat":
                concentrations, status = solve([block], begin, balance_of)
            else:
                concentrations, status = integrate(block, begin, balance_of)
        with np.errstate(invalid="ignore"):
            residual = crn.balance(concentrations, boundary).imbalance.max(axis=-1, initial=0.0)
        return concentrations, residual, status

    def _flat_parameters(self, model: CompiledModel) -> tuple[npt.NDArray[np.int32], FloatArray]:
        """Index and values of the flat model's parameters."""
        crn = self.reactions
        return model.parameter_index(crn.rate_constants), compact_constants(crn)

    # Time courses -----------------------------------------------------------------------------

    def time_course(
        self,
        x: npt.ArrayLike,
        t_end: float = 50.0,
        n_points: int = 501,
        *,
        initial: float | npt.ArrayLike | Mapping[str, float] | None = None,
        steps: Mapping[float, npt.ArrayLike] | None = None,
        volume: float | None = None,
        seed: int | None = None,
    ) -> TimeCourse:
        """Concentrations over time, by CVODE or, with a volume, by Gillespie's method.

        Parameters
        ----------
        x : (n_in,) array_like
            Input values, from t = 0.
        t_end : float
            Last time, > 0.
        n_points : int
            Number of equally spaced times, at least 2.
        initial : float, array_like (n_species,), or mapping of str to float, optional
            Start concentrations, as in `steady_state`; by default the written model's, an upper
            bound of each fixed point.
        steps : mapping of float to (n_in,) array_like, optional
            New input values at later times: ``{25.0: [1, 0]}``. The point at such a time still
            has the old inputs.
        volume : float, optional
            Runs one stochastic trajectory in which a concentration c is c * volume molecules.
        seed : int, optional
            Of the stochastic trajectory.

        Raises
        ------
        InputError
            If an argument has the wrong shape or cannot be a concentration or time.
        ConvergenceError
            If the integrator gives up.
        ModelTooLargeError
            If the flat model is too large to compile.

        Examples
        --------
        >>> from crn_nn_tellurium import Network
        >>> sim = Simulator(Network.random([2, 3, 1], seed=0))
        >>> sim.time_course([0, 1], t_end=100, steps={50: [1, 0]})
        TimeCourse(501 points from t = 0 to 100, 1 outputs, 4 species)
        """
        if not (is_real(t_end) and np.isfinite(t_end) and t_end > 0):
            raise InputError(f"t_end is {t_end!r}; expected a finite number, t_end > 0")
        if not (is_real(n_points) and n_points == int(n_points) and n_points >= 2):
            raise InputError(
                f"n_points is {n_points!r}; expected a whole number, at least 2 points"
            )
        if volume is not None:
            check_positive("volume", volume)
        if seed is not None and not (is_real(seed) and seed == int(seed) and seed >= 0):
            raise InputError(f"seed is {seed!r}; expected a whole number >= 0")
        time = np.linspace(0.0, t_end, int(n_points))
        changes = _changes(x, steps or {}, time)
        inputs = np.array([self._one(value) for value in changes.values()])
        boundary = self._boundary(inputs)
        start = None if initial is None else start_values(initial, self.species, 1)
        start = fill(start, self.reactions.initial_state(boundary[:1]))[0]
        bounds = [*changes, float(t_end)]
        if volume is None:
            species = self._deterministic(time, bounds, boundary, start)
        else:
            species = self._stochastic(time, bounds, boundary, start, volume, seed)
        value = inputs[np.maximum(np.searchsorted(list(changes), time, side="left") - 1, 0)]
        outputs = self._chemistry[-1].activation.read(
            self.of_layer(species, len(self._chemistry) - 1)
        )
        return TimeCourse(
            time,
            outputs,
            species,
            value,
            self.net.output_names,
            self.species,
            self.net.input_names,
            volume,
        )

    def _deterministic(
        self, time: FloatArray, bounds: list[float], boundary: FloatArray, start: FloatArray
    ) -> FloatArray:
        model = self._flat
        with model.lock:
            model.set_parameters(*self._flat_parameters(model))
            return _piecewise(model.time_course, time, bounds, boundary, start)

    def _stochastic(
        self,
        time: FloatArray,
        bounds: list[float],
        boundary: FloatArray,
        start: FloatArray,
        volume: float,
        seed: int | None,
    ) -> FloatArray:
        self.check_size()
        rng = np.random.default_rng(seed)
        model = compiled(stochastic_text(self.reactions))

        def run(held: FloatArray, state: FloatArray, times: FloatArray) -> FloatArray:
            return model.gillespie(held, state, times, int(rng.integers(1, 2**31)))

        with model.lock:
            model.set_parameters(model.parameter_index([VOLUME]), np.array([volume]))
            # boundary species only set propensities, so they need not be whole molecules
            molecules = _piecewise(run, time, bounds, boundary * volume, np.round(start * volume))
        return molecules / volume

    # Shapes -----------------------------------------------------------------------------------

    def of_layer(self, concentrations: FloatArray, number: int) -> FloatArray:
        """The part (n, n_units, n_species) of concentrations (n, all species) that is one layer's;
        a view.
        """
        first = sum(c.n_species for c in self._chemistry[:number])
        chemistry = self._chemistry[number]
        block = concentrations[:, first : first + chemistry.n_species]
        # splitting an axis needs no copy, so numpy gives a view: callers write through it
        return block.reshape(len(block), chemistry.layer.n_out, len(chemistry.activation.species))

    def _boundary(self, x: FloatArray) -> FloatArray:
        """Concentrations (n, n_boundary) that carry input values (n, n_in)."""
        return by_sample(self.net.input_coding.concentrations(x))

    def _batch(self, x: npt.ArrayLike) -> FloatArray:
        values = self.net.input_coding.check(x)
        if values.ndim > 2:
            raise InputError(
                f"inputs have shape {values.shape}; expected (n_samples, {self.net.n_in})"
            )
        return np.atleast_2d(values)

    def _one(self, x: npt.ArrayLike) -> FloatArray:
        values = self._batch(x)
        if len(values) != 1:
            raise InputError(
                f"inputs have shape {values.shape}; a time course takes one sample,"
                f" ({self.net.n_in},)"
            )
        return values[0]

    def __reduce__(self) -> tuple[type[Simulator], tuple[Network]]:
        # compiled models stay in their process; units are compiled where the copy is used
        return Simulator, (self.net,)

    def __repr__(self) -> str:
        return f"Simulator({self.net!r}: {len(self.species)} species)"


def start_values(initial: Any, species: Sequence[str], n_samples: int | None = None) -> FloatArray:
    """Start values (n_samples, n_species), by default one sample's; NaN where none was given.

    Parameters
    ----------
    initial : float, array_like, or mapping of str to float
        One concentration for all species, an array (n_species,) or (n_samples, n_species), or some
        species by name.
    species : sequence of str

    Raises
    ------
    InputError
        If it has the wrong shape, names an unknown species, or cannot be concentrations.
    """
    size = len(species)
    shape = (1 if n_samples is None else n_samples, size)
    try:
        if isinstance(initial, Mapping):
            values = np.full(shape, np.nan)
            for name, value in initial.items():
                if name not in species:
                    raise InputError(
                        f"initial names {name!r}; expected species among"
                        f" {', '.join(species[:8])}, ..."
                    )
                values[:, species.index(name)] = _concentrations(f"initial of {name!r}", value)
        else:
            values = np.array(np.broadcast_to(_concentrations("initial", initial), shape))
    except InputError:
        raise
    except (TypeError, ValueError) as error:
        shapes = f"({size},)" + ("" if n_samples is None else f" or {shape}")
        raise InputError(f"initial is {initial!r}; expected a number, {shapes} numbers") from error
    return values


def _concentrations(what: str, value: Any) -> FloatArray:
    """Values as an array of concentrations, or what is wrong with them."""
    if np.asarray(value).dtype == bool:
        raise InputError(f"{what} is {value!r}; expected a finite concentration >= 0")
    values = np.asarray(value, dtype=float)
    bad = ~(np.isfinite(values) & (values >= 0))
    if bad.any():
        raise InputError(
            f"{what}: {float(values[bad].flat[0])!r}; expected a finite concentration >= 0"
        )
    return values


def _changes(x: Any, steps: Mapping[float, Any], time: FloatArray) -> dict[float, Any]:
    """Inputs by the time from which they hold, in order; a time that is a grid point but for
    rounding is that point.
    """
    if not isinstance(steps, Mapping):
        raise InputError(f"steps are {steps!r}; expected times and inputs, {{25.0: [1, 0]}} say")
    t_end = float(time[-1])
    close = 1e-9 * t_end
    for moment in steps:
        if not (is_real(moment) and 0 < moment < t_end):
            raise InputError(
                f"steps: the inputs change at t = {moment!r}; expected times between 0 and"
                f" {t_end!r}"
            )
    changes = {0.0: x}
    for moment in sorted(steps):
        nearest = float(time[np.abs(time - moment).argmin()])
        at = nearest if abs(nearest - moment) <= close else float(moment)
        if at - list(changes)[-1] <= close or t_end - at <= close:
            raise InputError(
                f"steps: t = {moment!r} is too close to the change before it, to 0 or to t_end"
            )
        changes[at] = steps[moment]
    return changes


def _piecewise(
    run: Callable[[FloatArray, FloatArray, FloatArray], FloatArray],
    time: FloatArray,
    bounds: list[float],
    boundary: FloatArray,
    start: FloatArray,
) -> FloatArray:
    """Run from bound to bound with new boundary concentrations; states at the times asked for."""
    result = np.empty((len(time), len(start)))
    result[0] = state = start
    for first, last, held in zip(bounds, bounds[1:], boundary, strict=False):
        inside = (time > first) & (time <= last)
        times = np.unique([first, *time[inside], last])
        states = run(held, state, times)
        result[inside] = states[np.searchsorted(times, time[inside])]
        state = states[-1]
    return result


def check_time(time: Any, initial: Any) -> None:
    """Refuse what is no read-out time, or a start without one.

    Raises
    ------
    InputError
    """
    if time is None:
        if initial is not None:
            raise InputError(
                f"initial is {initial!r}; a start goes with a read-out time, time=3.0 say"
            )
    elif not (is_real(time) and np.isfinite(time) and time > 0):
        raise InputError(
            f"time is {time!r}; expected a finite number > 0, or None for the steady state"
        )
