"""Steady states and time courses of a network's chemistry, found by roadrunner.

Steady states are found layer by layer through compiled units that every neuron and sample of one
shape share, or from the flat model, solved or integrated (see `settle` for how a root is accepted).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, partial
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import (
    FloatArray,
    by_sample,
    check_choice,
    check_positive,
    whole_number,
)
from crn_nn_tellurium.chemistry import ReactionNetwork
from crn_nn_tellurium.encoding import to_reactions
from crn_nn_tellurium.errors import ConvergenceError, InputError, ModelTooLargeError, NetworkError
from crn_nn_tellurium.kinetics import NetworkKinetics
from crn_nn_tellurium.networks import INPUT, Network
from crn_nn_tellurium.simulation.conditions import fill, input_changes, start_values, time_grid
from crn_nn_tellurium.simulation.flat import FlatModel
from crn_nn_tellurium.simulation.layer_solver import LayerSolver
from crn_nn_tellurium.simulation.outcome import SOLVED, Outcomes, failures, outcomes, worse
from crn_nn_tellurium.simulation.results import SteadyState, TimeCourse

Method = Literal["units", "flat", "integrate"]
OnError = Literal["raise", "nan"]

FLAT_LIMIT = 6_000
"""Weights up to which the flat model is compiled; compiling grows with their square (see README).
"""


class Simulator:
    """Runs a network's chemistry on roadrunner.

    Parameters
    ----------
    net : Network or ReactionNetwork
        Of a ReactionNetwork, boundary species are the inputs (by default, ``x=None``, at their own
        concentrations) and observables, or all floating species, the outputs; `steady_state` goes
        where the time course does, and what is conserved is kept.

    Notes
    -----
    A steady state of a ReactionNetwork is ``"solved after integration"`` where it is isolated and
    the time course is seen to end there: to 1e-12 of each species or the error that it has. It is
    ``"integrated"`` where others of the same sums are beside it, so that only the time course says
    which (dead ends, epidemics): then it is as exact as CVODE, see `SteadyState.error`. Stability
    is looked at among up to 1,000 species that all act on one another; what is larger is called
    integrated as well.

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

    def __new__(cls, net: Network | ReactionNetwork) -> Simulator:
        if cls is Simulator and isinstance(net, ReactionNetwork):
            # one of its own kind, which is made from this class
            from crn_nn_tellurium.simulation.reaction_simulator import ReactionSimulator

            return super().__new__(ReactionSimulator)
        return super().__new__(cls)

    def __init__(self, net: Network) -> None:
        if not isinstance(net, Network):
            raise NetworkError(f"Simulator takes a Network; got {type(net).__name__}")
        self.net = net
        self.kinetics = NetworkKinetics(net)
        self.output_names, self.input_names = net.output_names, net.input_names
        self._chemistry = tuple(layer.chemistry for layer in self.kinetics.layers)

    @property
    def model(self) -> Network | ReactionNetwork:
        """What it simulates."""
        return self.net

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
    def flat(self) -> FlatModel:
        """All layers together on the engine, compiled when it first runs.

        Raises
        ------
        ModelTooLargeError
            If that would take too long.
        """
        self.check_size()
        return FlatModel(self.reactions)

    def check_size(self) -> None:
        """Refuse networks whose flat model would take too long to compile."""
        if self.net.n_weights > FLAT_LIMIT:
            raise ModelTooLargeError(
                f"network {self.net.name!r} has {self.net.n_weights} weights; its flat model, which"
                " time courses and the methods 'flat' and 'integrate' need, is compiled up to"
                f" {FLAT_LIMIT}, since the time grows with their square; steady_state's"
                " method='units' has no limit"
            )

    # Steady states ----------------------------------------------------------------------------

    def compile(self, method: Method = "units") -> Simulator:
        """Compile what a method needs, so that the first answer does not wait; returns self."""
        check_choice("method", method, get_args(Method))
        if method == "units":
            for solver in self.layer_solvers:
                solver.compile()
        else:
            self.flat.compile()
        return self

    def steady_state(
        self,
        x: npt.ArrayLike | None = None,
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
        refuse_failed(status, on_error, concentrations, residual)
        found = self._read(concentrations, values), concentrations, residual
        names = self.output_names, self.species
        # looked for when asked for: it would cost a tenth of a solve
        error_of = partial(self._output_error, values, concentrations)
        return SteadyState(*found, tuple(status), method, *names, error_of=error_of)

    def _output_error(self, x: FloatArray, concentrations: FloatArray) -> FloatArray:
        """How far outputs (n, n_out) may be from those of the exact fixed point."""
        found = {INPUT: self.net.input_coding.concentrations(x)}
        errors = {INPUT: np.zeros_like(found[INPUT])}
        for number, solver in enumerate(self.layer_solvers):
            name, gather = solver.chemistry.layer.name, solver.chemistry.gather
            found[name] = self.of_layer(concentrations, number)
            errors[name] = solver.error(gather(found), gather(errors), found[name])
        last = self._chemistry[-1]
        read_out, species = last.activation.read_out, last.activation.species
        # the sum of the read-out is rounded too
        rounding = 2 * np.finfo(float).eps
        parts = errors[last.layer.name] + rounding * found[last.layer.name]
        total = np.full(parts.shape[:2], abs(read_out.constant) * rounding)
        for name, coefficient in read_out.read:
            total += abs(coefficient) * parts[..., species.index(name)]
        return total

    def _by_units(
        self, x: FloatArray, start: FloatArray | None
    ) -> tuple[FloatArray, FloatArray, Outcomes]:
        found = {INPUT: self.net.input_coding.concentrations(x)}
        concentrations = np.empty((len(x), len(self.species)))
        residual = np.zeros(len(x))
        status = outcomes(SOLVED, len(x))
        for number, solver in enumerate(self.layer_solvers):
            layer = solver.chemistry.layer
            catalysts = solver.chemistry.gather(found)
            begin = None if start is None else self.of_layer(start, number)
            solution = solver.settle(catalysts, begin)
            # the view of this layer is filled, and is what the next ones read
            found[layer.name] = self.of_layer(concentrations, number)[...] = solution.concentrations
            residual = np.maximum(residual, solution.residual)
            status = worse(status, solution.status)
        return concentrations, residual, status

    def _by_flat_model(
        self, x: FloatArray, start: FloatArray | None, method: Method
    ) -> tuple[FloatArray, FloatArray, Outcomes]:
        crn, boundary = self.reactions, self._boundary(x)
        begin = fill(start, crn.initial_state(boundary))
        concentrations, status = self.flat.steady_states(begin, boundary, newton=method == "flat")
        with np.errstate(invalid="ignore"):
            residual = crn.balance(concentrations, boundary).imbalance.max(axis=-1, initial=0.0)
        return concentrations, residual, status

    # Time courses -----------------------------------------------------------------------------

    def time_course(
        self,
        x: npt.ArrayLike | None = None,
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
        time = time_grid(t_end, n_points)
        if volume is not None:
            check_positive("volume", volume)
        if seed is not None:
            seed = whole_number("seed", seed, 0)
        later = input_changes({} if steps is None else steps, time)
        inputs = np.array([self._one(value) for value in (x, *later.values())])
        boundary = self._boundary(inputs)
        start = None if initial is None else start_values(initial, self.species, 1)
        begin = fill(start, self.reactions.initial_state(boundary[:1]))[0]
        changes = dict(zip(later, boundary[1:], strict=True))
        if volume is None:
            found = self.flat.time_course(time, begin, boundary[0], changes=changes)
        else:
            found = self.flat.trajectory(time, begin, boundary[0], volume, changes, seed)
        # the point at a step still has the inputs from before it
        held = np.searchsorted(list(later), time, side="left")
        names = self.output_names, self.species, self.input_names
        read = self._read(found, boundary[held])
        return TimeCourse(time, read, found, inputs[held], *names, volume)

    # Shapes -----------------------------------------------------------------------------------

    def of_layer(self, concentrations: FloatArray, number: int) -> FloatArray:
        """One layer's part (n, n_units, n_species) of concentrations (n, all species); a view."""
        first = sum(c.n_species for c in self._chemistry[:number])
        chemistry = self._chemistry[number]
        block = concentrations[:, first : first + chemistry.n_species]
        # splitting an axis needs no copy, so numpy gives a view: callers write through it
        return block.reshape(len(block), chemistry.layer.n_out, len(chemistry.activation.species))

    def _read(self, concentrations: FloatArray, _: FloatArray) -> FloatArray:
        """Outputs (n, n_out) at concentrations (n, n_species)."""
        last = len(self._chemistry) - 1
        return self._chemistry[last].activation.read(self.of_layer(concentrations, last))

    def _boundary(self, x: FloatArray) -> FloatArray:
        """Concentrations (n, n_boundary) that carry input values (n, n_in)."""
        return by_sample(self.net.input_coding.concentrations(x))

    def _batch(self, x: npt.ArrayLike | None) -> FloatArray:
        if x is None:
            raise InputError("a Network needs its input values x")
        values = self.net.input_coding.check(x)
        if values.ndim > 2:
            raise InputError(
                f"inputs have shape {values.shape}; expected (n_samples, {self.net.n_in})"
            )
        return np.atleast_2d(values)

    def _one(self, x: npt.ArrayLike | None) -> FloatArray:
        values = self._batch(x)
        if len(values) != 1:
            raise InputError(
                f"inputs have shape {values.shape}; a time course takes one sample,"
                f" ({len(self.input_names)},)"
            )
        return values[0]

    def __reduce__(self) -> tuple[type[Simulator], tuple[Network | ReactionNetwork]]:
        # compiled models stay in their process; units are compiled where the copy is used
        return Simulator, (self.net,)

    def __repr__(self) -> str:
        return f"Simulator({self.net!r}: {len(self.species)} species)"


def refuse_failed(
    status: Outcomes, on_error: OnError, concentrations: FloatArray, residual: FloatArray
) -> None:
    """Samples that failed become NaN, or raise."""
    failed = failures(status)
    # where a solver gave up is no answer: nobody shall plot it
    concentrations[failed] = residual[failed] = np.nan
    if on_error == "raise" and failed.any():
        first = int(np.flatnonzero(failed)[0])
        raise ConvergenceError(
            f"{failed.sum()} of {len(status)} samples have no steady state; sample {first}: "
            f"{status[first].reason}; on_error='nan' keeps the others",
            tuple(status),
        )
