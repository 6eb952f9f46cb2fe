"""Steady states and time courses of a network's chemistry.

Steady states are found layer by layer through compiled units that every neuron and sample of one
shape share, or from all layers together, solved or integrated (see `settle` for how a root is
accepted). Who integrates is an `Engine`: roadrunner, or the network's rate equations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, partial, reduce
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import (
    FloatArray,
    by_sample,
    check_choice,
    progress_bar,
)
from crn_nn_tellurium.chemistry import ReactionNetwork
from crn_nn_tellurium.encoding import to_reactions
from crn_nn_tellurium.errors import ConvergenceError, InputError
from crn_nn_tellurium.importers import AnyModel, as_model, as_network
from crn_nn_tellurium.kinetics import NetworkKinetics, RatesOfChange, start_state
from crn_nn_tellurium.networks import Network
from crn_nn_tellurium.simulation.accuracy import Accuracy
from crn_nn_tellurium.simulation.conditions import (
    check_stochastic,
    fill,
    input_changes,
    start_values,
    time_grid,
)
from crn_nn_tellurium.simulation.engines import Engine, EngineLike, as_engine
from crn_nn_tellurium.simulation.integrator import Integrator
from crn_nn_tellurium.simulation.layer_solver import LayerSolution, LayerSolver
from crn_nn_tellurium.simulation.outcome import Outcomes, all_solved, failures, worse
from crn_nn_tellurium.simulation.pieces import Changes
from crn_nn_tellurium.simulation.rate_equations import RateModel
from crn_nn_tellurium.simulation.results import SteadyState, TimeCourse

Method = Literal["units", "flat", "integrate"]
OnError = Literal["raise", "nan"]
METHODS: tuple[str, ...] = get_args(Method)
ON_ERROR: tuple[str, ...] = get_args(OnError)
_Found = tuple[FloatArray, FloatArray, Outcomes, list[FloatArray] | None]
"""Concentrations, residuals, status, and what `cancellation` says by layer, where that is known."""


class Simulator:
    """Runs a network's chemistry.

    Parameters
    ----------
    net : Network, ReactionNetwork, str or path-like
        A string is the text of a mass-action model in Antimony, SBML or .crn, or names its file, as
        a path does: .xml, .sbml, .ant, .txt, .crn, or a Network's .json. Of reactions, boundary
        species are the inputs (by default, ``x=None``, at their own concentrations) and
        observables, or all floating species, the outputs; `steady_state` goes where the time course
        does, and what is conserved is kept.
    engine : {"roadrunner", "rate_equations"}, Roadrunner, RateEquations or None
        Who integrates, and how exactly: of time courses and of the methods 'flat' and 'integrate'.
        By default roadrunner up to 500 reactions, which it compiles in a second, and rate equations
        beyond. Compiled units, of the method 'units', are roadrunner's at any size.

    Notes
    -----
    A steady state of a ReactionNetwork is ``"solved after integration"`` where it is isolated and
    the time course is seen to end there: to 1e-12 of each species or the error that it has. It is
    ``"integrated"`` where others of the same sums are beside it, so that only the time course says
    which (dead ends, epidemics): then it is as exact as CVODE, see `SteadyState.error`. Stability
    is looked at among up to 1,000 species that all act on one another; what is larger is called
    integrated as well.

    Threads may share a simulator: one solves at a time. A process forked meanwhile
    (``multiprocessing``'s "fork") can solve too.

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

    model: Network | ReactionNetwork
    """What it simulates."""

    def __new__(cls, net: AnyModel, engine: EngineLike = None) -> Simulator:
        model, kind = as_model(net, "Simulator"), cls
        if isinstance(model, ReactionNetwork) and cls is Simulator:
            # one of its own kind, which is made from this class
            from crn_nn_tellurium.simulation.reaction_simulator import ReactionSimulator

            kind = ReactionSimulator
        simulator = super().__new__(kind)
        simulator.model = model  # read once, here, before what is given comes to __init__ as well
        return simulator

    def __init__(self, net: AnyModel, engine: EngineLike = None) -> None:
        self.net = net = as_network(self.model, "Simulator")
        # a weight is about a reaction: what it takes to write them all is not asked for
        self.engine = as_engine(engine, net.n_weights)
        self.kinetics = NetworkKinetics(net)
        self.output_names, self.input_names = net.output_names, net.input_names
        self.output_labels = net.output_labels

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
        return tuple(LayerSolver(layer) for layer in self.kinetics.layers)

    @cached_property
    def accuracy(self) -> Accuracy:
        """How exactly steady states are known."""
        return Accuracy(self.kinetics)

    @cached_property
    def flat(self) -> Integrator:
        """All layers together, compiled when they first run if the engine compiles."""
        if self.engine.compiles:
            return self.engine.model(self.reactions)
        shape = self.net.n_in, len(self.net.input_coding.rails)

        def equations(boundary: FloatArray, _: FloatArray | None) -> RatesOfChange:
            return self.kinetics.rates_of_change(boundary.reshape(shape))

        return RateModel(equations, lambda: self.reactions)

    # Steady states ----------------------------------------------------------------------------

    def compile(self, method: Method = "units") -> Simulator:
        """Compile what a method needs, so that the first answer does not wait; returns self."""
        check_choice("method", method, METHODS)
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
            Input values; one sample may come without its dimension. Columns with names, of a data
            frame say, are read by these.
        initial : float, array_like, or mapping of str to float, optional
            Where the solver starts: one concentration for all species, an array (n_species,) or
            (n_samples, n_species) in the order of `species`, or some species by name. By default
            an upper bound of each unit's fixed point.
        method : {"units", "flat", "integrate"}
            Unit by unit through small compiled models; all reactions together solved; or integrated
            until their rates vanish.
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

        Examples
        --------
        >>> import crn_nn_tellurium as cn
        >>> simulator = cn.Simulator(cn.load_model("xor"))
        >>> simulator.steady_state([[0, 1], [1, 1]]).outputs.round(3)
        array([[0.954],
               [0.034]])
        """
        check_choice("method", method, METHODS)
        check_choice("on_error", on_error, ON_ERROR)
        values = self._batch(x)
        start = None if initial is None else start_values(initial, self.species, len(values))
        concentrations, residual, status, cancelling = _METHODS[method](self, values, start)
        status = self.accuracy.doubted(values, concentrations, residual, status, cancelling)
        refuse_failed(status, on_error, concentrations, residual)
        found = self._read(concentrations, values), concentrations, residual
        names = self.output_names, self.species
        # looked for when asked for: it would cost a tenth of a solve
        error_of = partial(self.accuracy.outputs, values, concentrations)
        return SteadyState(*found, tuple(status), method, *names, error_of=error_of)

    def _by_units(self, x: FloatArray, start: FloatArray | None) -> _Found:
        def settle(number: int, read: FloatArray) -> LayerSolution:
            begin = None if start is None else self.kinetics.of_layer(start, number)
            return self.layer_solvers[number].settle(read, begin)

        found = self.kinetics.walk(self.net.input_coding.code(x), settle)
        concentrations = np.concatenate([by_sample(part.concentrations) for part in found], axis=1)
        residual = reduce(np.maximum, (part.residual for part in found))
        status = reduce(worse, (part.status for part in found))
        return concentrations, residual, status, [part.cancelling for part in found]

    def _by_flat_model(self, x: FloatArray, start: FloatArray | None, newton: bool) -> _Found:
        boundary = self._boundary(x)
        begin = fill(start, self._start(boundary))
        found = self.flat.steady_states(begin, boundary, newton)
        cancelling = found.cancelling()
        # the largest of all layers, for each
        by_layer = None if cancelling is None else [cancelling] * len(self.net.layers)
        return found.x, found.imbalance, found.status, by_layer

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
        draws: int | None = None,
        seed: int | None = None,
        progress: bool | None = None,
    ) -> TimeCourse:
        """Concentrations over time, by CVODE or, with a volume, by Gillespie's direct method.

        Parameters
        ----------
        x : (n_in,) or (n_samples, n_in) array_like
            Input values, from t = 0. Arrays of the result have a dimension of samples where these
            have it.
        t_end : float
            Last time, > 0.
        n_points : int
            Number of equally spaced times, at least 2.
        initial : float, array_like (n_species,), or mapping of str to float, optional
            Start concentrations, as in `steady_state`; by default the written model's, an upper
            bound of each fixed point.
        steps : mapping of float to (n_in,) or (n_samples, n_in) array_like, optional
            New input values at later times: ``{25.0: [1, 0]}``. The point at such a time still
            has the old inputs.
        volume : float, optional
            Runs one stochastic trajectory in which a concentration c is c * volume molecules;
            starts are rounded to whole ones, inputs need not be whole. Networks of any size.
        draws : int, optional
            Runs that many stochastic trajectories: `outputs` and `concentrations` have a leading
            axis, and `TimeCourse.mean` and `TimeCourse.spread` sum them up.
        seed : int, optional
            Of the stochastic trajectories, with `volume` alone. Each has a stream of its own: the
            first ten of a hundred are those of ten, and one without `draws` is the first. So has
            each sample: of several, the first one's are those that it has alone.
        progress : bool, optional
            Whether to show a progress bar, of several samples or of stochastic trajectories; by
            default on a terminal.

        Returns
        -------
        TimeCourse
            Concentrations are right to about 1e-8 of each, and to 1e-7 of one that falls steeply,
            where the engine's tolerances are the default ones.

        Raises
        ------
        InputError
            If an argument has the wrong shape or cannot be a concentration or time.
        ConvergenceError
            If the integrator gives up, or a stochastic trajectory takes above 10^10 reactions.

        Examples
        --------
        >>> from crn_nn_tellurium import Network
        >>> sim = Simulator(Network.random([2, 3, 1], seed=0))
        >>> sim.time_course([0, 1], t_end=100, steps={50: [1, 0]})
        TimeCourse(501 points from t = 0 to 100, 1 outputs, 4 species, by roadrunner)
        >>> sim.time_course([[0, 0], [0, 1], [1, 1]], n_points=11).outputs.shape
        (3, 11, 1)
        >>> noisy = sim.time_course([0, 1], volume=100, draws=20, seed=0)
        >>> noisy.outputs.shape, noisy.mean.outputs.shape, noisy.spread["y0"].shape
        ((20, 501, 1), (501, 1), (501,))
        """
        time = time_grid(t_end, n_points)
        draws, seed = check_stochastic(volume, draws, seed)
        first = self._batch(x)
        if not len(first):
            raise InputError(f"inputs have shape {first.shape}; expected one sample or more")
        later = input_changes({} if steps is None else steps, time)
        # (n_changes + 1, n_samples, n_in)
        pieces = np.array([first, *(self._later(value, len(first)) for value in later.values())])
        n, names = len(first), (self.output_names, self.species, self.input_names)
        boundary = np.array([self._boundary(piece) for piece in pieces])
        start = None if initial is None else start_values(initial, self.species, n)
        begin = fill(start, self._start(boundary[0]))
        runs = []
        with progress_bar("samples", progress if n > 1 else False, n) as show:
            for i in range(n):
                held, changes = boundary[0, i], dict(zip(later, boundary[1:, i], strict=True))
                if volume is None:
                    which = f"sample {i}: " if n > 1 else ""
                    runs.append(self._course(time, begin[i], held, changes, which))
                else:
                    # imported here: numba takes long to import
                    from crn_nn_tellurium.simulation.stochastic import draw

                    how = volume, draws, seed, i, progress
                    whole = {0.0: held, **changes}
                    runs.append(draw(self.reactions, time, begin[i], whole, *how))
                show(i + 1, "")
        # the point at a step still has the inputs from before it
        held_at = np.searchsorted(list(later), time, side="left")
        inputs = pieces[held_at].swapaxes(0, 1)
        read = np.array([self._read(run, boundary[held_at, i]) for i, run in enumerate(runs)])
        arrays = read, np.array(runs), inputs
        if x is None or np.ndim(x) < 2:
            arrays = read[0], runs[0], inputs[0]
        engine = self.engine.name if volume is None else "gillespie"
        labels = self.output_labels
        return TimeCourse(time, *arrays, *names, volume, draws, engine=engine, output_labels=labels)

    def _course(
        self,
        time: FloatArray,
        start: FloatArray,
        boundary: FloatArray,
        changes: Changes,
        which: str,
    ) -> FloatArray:
        """Concentrations (n_times, n_species) of one sample, whose name stands in errors."""
        tolerances = self.engine.tolerances
        try:
            return self.flat.time_course(time, start, boundary, None, changes, tolerances)
        except ConvergenceError as error:
            raise ConvergenceError(f"{which}{error}") from error

    # Shapes -----------------------------------------------------------------------------------

    def _read(self, concentrations: FloatArray, _: FloatArray) -> FloatArray:
        """Outputs (..., n_out) at concentrations (..., n_species)."""
        return self.kinetics.read(concentrations)

    def _boundary(self, x: FloatArray) -> FloatArray:
        """Concentrations (n, n_boundary) that carry input values (n, n_in)."""
        return by_sample(self.net.input_coding.code(x))

    def _batch(self, x: npt.ArrayLike | None) -> FloatArray:
        if x is None:
            raise InputError("a Network needs its input values x")
        values = self.net.input_coding.check(x)
        if values.ndim > 2:
            raise InputError(
                f"inputs have shape {values.shape}; expected (n_samples, {self.net.n_in})"
            )
        return values if values.ndim > 1 else values[None]

    def _later(self, x: npt.ArrayLike, n_samples: int) -> FloatArray:
        """Inputs (n_samples, n_in) of a step."""
        values = self._batch(x)
        if len(values) not in (1, n_samples):
            raise InputError(
                f"steps: inputs have shape {values.shape}; expected ({len(self.input_names)},) or"
                f" one row for each of {n_samples} samples"
            )
        return np.broadcast_to(values, (n_samples, values.shape[1]))

    def _start(self, boundary: FloatArray) -> FloatArray:
        """Where the written model starts, (n, n_species), at boundary concentrations."""
        rails = len(self.net.input_coding.rails)
        return start_state(self.kinetics, boundary.reshape(len(boundary), self.net.n_in, rails))

    def __reduce__(self) -> tuple[type[Simulator], tuple[Network | ReactionNetwork, Engine]]:
        # compiled models stay in their process; units are compiled where the copy is used
        return Simulator, (self.model, self.engine)

    def __repr__(self) -> str:
        return f"Simulator({self.net!r}: {len(self.species)} species)"


_METHODS: Mapping[str, Callable[..., _Found]] = {
    "units": Simulator._by_units,
    "flat": partial(Simulator._by_flat_model, newton=True),
    "integrate": partial(Simulator._by_flat_model, newton=False),
}


def refuse_failed(
    status: Outcomes, on_error: OnError, concentrations: FloatArray, residual: FloatArray
) -> None:
    """Samples that failed become NaN, or raise."""
    if all_solved(status):
        return
    failed = failures(status)
    # where a solver gave up is no answer: nobody shall plot it
    concentrations[failed] = residual[failed] = np.nan
    if on_error == "raise" and failed.any():
        first = int(np.flatnonzero(failed)[0])
        # not all that end here have an argument on_error, so it says whose it is
        others = "; on_error='nan' of Simulator.steady_state keeps the others"
        raise ConvergenceError(
            f"{failed.sum()} of {len(status)} samples have no steady state; sample {first}: "
            f"{status[first].reason}{'' if failed.all() else others}",
            tuple(status),
        )
