"""Training a network's rate constants so that its chemistry gives the right answers.

L-BFGS-B (scipy) on the full batch, or Adam (Kingma and Ba, ICLR 2015, arXiv 1412.6980) on
mini-batches, with gradients from the chemistry's linearisation (`gradients`). The steady state may
come from the closed form, which is fast, or from the engine; either way the engine verifies the
trained network.

Whatever happens to the process, a checkpoint brings the same result: L-BFGS-B runs in segments of
fixed length that each start afresh, and Adam's state, with that of the random generator, is written
whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import time as clock
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from crn_nn_tellurium.basics import (
    FloatArray,
    check_choice,
    check_target,
    is_real,
    progress_bar,
    read_document,
    write_document,
)
from crn_nn_tellurium.errors import ConvergenceError, FileFormatError, InputError
from crn_nn_tellurium.kinetics import NetworkKinetics, draw_factors
from crn_nn_tellurium.networks import (
    LossLike,
    Network,
    Sigmoid,
    encode_targets,
    from_vector,
    resolve_loss,
    to_vector,
    with_arrays,
)
from crn_nn_tellurium.sensitivity import SteadyStateSource
from crn_nn_tellurium.simulation import Simulator, Verification, check_time, verify
from crn_nn_tellurium.training.objective import Coordinates, Objective

if TYPE_CHECKING:
    import pandas as pd

Optimizer = Literal["lbfgs", "adam"]
SEGMENT = 100
"""Iterations of L-BFGS-B between fresh starts, at which checkpoints are written."""
PRUNING_ROUNDS = 3
_FORMAT = "crn_nn_tellurium training"


@dataclass(frozen=True)
class Record:
    """One iteration (L-BFGS-B) or epoch (Adam).

    `loss` has the penalty and the noise that training minimises with, `validation_loss` neither;
    `seconds` count from the start.
    """

    iteration: int
    loss: float
    validation_loss: float | None
    gradient_norm: float
    density: float
    seconds: float


@dataclass(frozen=True, eq=False)
class FitResult:
    """A trained network and how it came about.

    Attributes
    ----------
    network : Network
        With validation data, the one of the least validation loss.
    records : tuple of Record
    loss : float
        Mean loss on the training data, without penalty or noise.
    validation_loss : float or None
    stopped : str
        Why training ended.
    verification : Verification
    """

    network: Network
    records: tuple[Record, ...] = field(repr=False)
    loss: float
    validation_loss: float | None
    stopped: str
    verification: Verification

    @property
    def history(self) -> pd.DataFrame:
        """The records as a table, indexed by iteration."""
        import pandas as pd

        columns = [entry.name for entry in fields(Record)]
        return pd.DataFrame([asdict(record) for record in self.records], columns=columns).set_index(
            "iteration"
        )

    def __repr__(self) -> str:
        validation = (
            "" if self.validation_loss is None else f", validation loss {self.validation_loss:.4g}"
        )
        return (
            f"FitResult(loss {self.loss:.4g}{validation} after {len(self.records)} iterations"
            f" ({self.stopped}); {self.network.n_weights} weights; {self.verification})"
        )


@dataclass(frozen=True)
class Settings:
    """Everything that decides the result besides network and data; a checkpoint keeps them."""

    optimizer: str
    max_iter: int
    tolerance: float
    batch_size: int
    learning_rate: float
    l2: float
    max_rate_constant: float | None
    learn_h: bool
    h_bounds: tuple[float, float]
    density: float
    noise: float
    noise_draws: int
    patience: int
    steady_state: str
    time: float | None
    seed: int


def fit(
    net: Network,
    X: npt.ArrayLike,  # scikit-learn's names
    Y: npt.ArrayLike,
    loss: LossLike = "squared_error",
    *,
    optimizer: Optimizer = "lbfgs",
    max_iter: int = 500,
    tolerance: float = 1e-6,
    batch_size: int = 64,
    learning_rate: float = 0.01,
    l2: float = 0.0,
    max_rate_constant: float | None = None,
    learn_h: bool = False,
    h_bounds: tuple[float, float] = (1e-6, 1.0),
    density: float = 1.0,
    noise: float = 0.0,
    noise_draws: int = 8,
    validation: tuple[npt.ArrayLike, npt.ArrayLike] | float | None = None,
    patience: int = 20,
    steady_state: SteadyStateSource = "closed_form",
    time: float | None = None,
    initial: float | Mapping[str, float] | None = None,
    seed: int = 0,
    callback: Callable[[Record, Network], bool | None] | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    progress: bool | None = None,
) -> FitResult:
    """Train a network from where it is.

    Parameters
    ----------
    net : Network
        Start values, activations and structure; `Network.random` makes one.
    X : (n_samples, n_in) array_like
    Y : (n_samples, n_out) or (n_samples,) array_like
        Targets, or class labels for cross-entropy and hinge.
    loss
        See `gradient`.
    optimizer : {"lbfgs", "adam"}
        Full batch, or mini-batches.
    max_iter : int
        Iterations (L-BFGS-B) or epochs (Adam), of each round where weights are pruned.
    tolerance : float
        L-BFGS-B ends when the largest derivative is below it, or the loss no longer falls by 1e-12
        of itself; Adam when an epoch's loss has not come down by it, relative to itself, for
        `patience` epochs.
    batch_size, learning_rate
        Of Adam.
    l2 : float
        Factor of the sum of squared rate constants of weights that is added to the mean loss.
    max_rate_constant : float, optional
        No rate constant of the trained chemistry is larger; start values are brought within. At
        least 1, the constant of 2 Y => Y.
    learn_h : bool
        Whether h of each layer is trained too, within `h_bounds`.
    density : float
        Share of the weights that remain: after training, the smallest rate constants are set to
        zero, so that their reactions vanish, and the others trained on, in three rounds.
    noise : float
        Coefficient of variation of lognormal noise on every rate constant, over which loss and
        gradient are averaged (`noise_draws` draws: the same ones throughout for L-BFGS-B, new ones
        for each step of Adam). Makes the network robust; see `accuracy_under_noise`.
    validation : (X, Y) or float, optional
        Data, or the share of the samples, held out: training stops when its loss has not improved
        for `patience` iterations, and the best network is kept.
    steady_state : {"closed_form", "engine"}
        Where steady states during training come from.
    time, initial
        Train the answer at a read-out time instead of the steady state; see `gradient`.
    seed : int
        Of batches, noise and the held-out share. Equal arguments give equal results.
    callback : callable, optional
        Called with each `Record` and the network; returning True ends training, pruning included. A
        checkpoint does not keep that: the next call goes on.
    checkpoint : path, optional
        A file that is written at the start and every epoch (Adam) or every 100 iterations
        (L-BFGS-B). If it is there already, training resumes from it and ends with the same result
        as if it had never stopped; it refuses other data or settings.
    progress : bool, optional
        Whether to show a bar; by default on a terminal or in a notebook.

    Returns
    -------
    FitResult

    Raises
    ------
    InputError
        If an argument does not fit.
    FileFormatError
        If the checkpoint is of another training.
    ConvergenceError
        If a steady state is not found on the way.

    Examples
    --------
    >>> from crn_nn_tellurium import Linear
    >>> net = Network.random([2, 6, 1], seed=1, output=Linear(h=0.01))
    >>> result = fit(net, [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0])
    >>> abs(result.network([[0, 0], [0, 1], [1, 0], [1, 1]])).round(2).ravel().tolist()
    [0.0, 1.0, 1.0, 0.0]
    """
    if isinstance(net, Simulator):
        net = net.net
    if not isinstance(net, Network):
        raise InputError(f"fit takes a Network; got {type(net).__name__}")
    if callback is not None and not callable(callback):
        raise InputError(f"callback is {callback!r}; expected a function of (record, network)")
    numbers = _numbers(
        max_iter=max_iter, batch_size=batch_size, noise_draws=noise_draws, patience=patience, seed=seed,
        tolerance=tolerance, learning_rate=learning_rate, l2=l2, density=density, noise=noise,
    )  # fmt: skip
    if not (
        isinstance(h_bounds, tuple | list)
        and len(h_bounds) == 2
        and all(is_real(value) for value in h_bounds)
    ):
        raise InputError(f"h_bounds are {h_bounds!r}; expected (least, largest)")
    check_time(time, initial)
    settings = Settings(
        optimizer=optimizer, max_rate_constant=max_rate_constant, learn_h=bool(learn_h), steady_state=steady_state,
        h_bounds=(float(h_bounds[0]), float(h_bounds[1])), time=time, **numbers,
    )  # fmt: skip
    _check(settings)
    resolved = resolve_loss(loss, net)
    if learn_h:
        NetworkKinetics(net).h_is_a_rate_constant  # noqa: B018  # refuses if it is more than that
    if (
        settings.noise
        and resolved.name == "cross_entropy"
        and isinstance(net.layers[-1].activation, Sigmoid)
    ):
        raise InputError(
            "noise does not go with cross-entropy on a Sigmoid output: with rate constants off, the"
            " output is no probability; take a Linear output, whose logistic function is one"
        )
    x = net.input_coding.check(X)
    if x.ndim != 2 or not len(x):
        raise InputError(
            f"X has shape {x.shape}; expected (n_samples, {net.n_in}), one sample or more"
        )
    targets = encode_targets(resolved, net, Y, len(x))
    rng = np.random.default_rng(settings.seed)
    data = _hold_out(net, resolved, x, targets, validation, rng)
    trainer = _Trainer(net, data, resolved, settings, initial, rng, callback, checkpoint)
    with progress_bar("training", progress, trainer.total) as advance:
        trainer.run(advance)
    return trainer.result()


_WHOLE = ("max_iter", "batch_size", "noise_draws", "patience", "seed")


def _numbers(**values: Any) -> dict[str, Any]:
    """Numbers, whole ones as int, or what is wrong with them."""
    for name, value in values.items():
        least = 0 if name == "seed" else 1
        if name in _WHOLE and not (
            is_real(value) and np.isfinite(value) and value == int(value) and value >= least
        ):
            raise InputError(f"{name} is {value!r}; expected a whole number, {least} or more")
        if not (is_real(value) and np.isfinite(value) and value >= 0):
            raise InputError(f"{name} is {value!r}; expected a finite number >= 0")
    return {name: int(value) if name in _WHOLE else float(value) for name, value in values.items()}


def _check(settings: Settings) -> None:
    check_choice("optimizer", settings.optimizer, get_args(Optimizer))
    check_choice("steady_state", settings.steady_state, get_args(SteadyStateSource))
    if not settings.learning_rate > 0:
        raise InputError(
            f"learning_rate is {settings.learning_rate!r}; expected a finite number > 0"
        )
    if not 0 < settings.density <= 1:
        raise InputError(
            f"density is {settings.density!r}; expected the share of weights that remain, in (0, 1]"
        )
    if settings.noise and (settings.steady_state == "engine" or settings.time is not None):
        raise InputError(
            "noise goes with steady_state='closed_form' and no read-out time: steady states with"
            " noisy rate constants are solved from the reactions' own equations"
        )


@dataclass(frozen=True)
class _Data:
    x: FloatArray
    targets: FloatArray
    held_out: tuple[FloatArray, FloatArray] | None


def _hold_out(
    net: Network, loss: Any, x: FloatArray, targets: FloatArray, validation: Any, rng: Any
) -> _Data:
    if validation is None:
        return _Data(x, targets, None)
    if is_real(validation):
        size = round(validation * len(x))
        if not 0 < size < len(x):
            raise InputError(
                f"validation is {validation!r} of {len(x)} samples; expected some held out and some"
                " left"
            )
        order = rng.permutation(len(x))
        held, kept = np.sort(order[:size]), np.sort(order[size:])
        return _Data(x[kept], targets[kept], (x[held], targets[held]))
    if not (isinstance(validation, tuple | list) and len(validation) == 2):
        raise InputError(
            f"validation is {validation!r}; expected (X, Y), or a share between 0 and 1"
        )
    other = net.input_coding.check(validation[0])
    if other.ndim != 2 or not len(other):
        raise InputError(f"validation X has shape {other.shape}; expected (n_samples, {net.n_in})")
    return _Data(x, targets, (other, encode_targets(loss, net, validation[1], len(other))))


class _Stop(Exception):  # noqa: N818  # not an error
    """Training ends here, for the reason given."""


class _Trainer:
    """The state of one training, as a checkpoint keeps it."""

    def __init__(
        self,
        net: Network,
        data: _Data,
        loss: Any,
        settings: Settings,
        initial: float | Mapping[str, float] | None,
        rng: np.random.Generator,
        callback: Callable[[Record, Network], bool | None] | None,
        checkpoint: str | os.PathLike[str] | None,
    ) -> None:
        self.net, self.data, self.loss, self.settings, self.initial = (
            net,
            data,
            loss,
            settings,
            initial,
        )
        self.rng, self.callback = rng, callback
        self.path = None if checkpoint is None else Path(checkpoint)
        rounds = 1 if settings.density == 1 else 1 + PRUNING_ROUNDS
        self.densities = [settings.density ** (i / max(1, rounds - 1)) for i in range(rounds)]
        self.round = 0
        self.records: list[Record] = []
        self.started, self.elapsed = clock.perf_counter(), 0.0
        self.stopped = f"max_iter = {settings.max_iter} reached"
        self._enter_round(net)
        self._identity = self._digest(net)
        if self.path is not None:
            check_target(self.path)
            if self.path.exists():
                self._resume()

    @property
    def total(self) -> int:
        """Iterations at most."""
        return self.settings.max_iter * len(self.densities)

    def _enter_round(self, net: Network) -> None:
        s = self.settings
        self.coordinates = Coordinates(
            net, s.learn_h, s.h_bounds, s.max_rate_constant, keep_zeros=self.round > 0
        )
        self.objective = Objective(
            self.coordinates, self.loss, s.l2, s.steady_state, s.time, self.initial
        )
        self.theta = self.coordinates.start
        self.iteration = 0
        self.done = False
        self.best: FloatArray | None = None
        self.best_value = np.inf
        self.waited = 0
        self.moments = np.zeros((2, len(self.theta)))
        self.adam_steps = 0

    # Rounds --------------------------------------------------------------------------------------

    def run(self, advance: Callable[[int, str], None]) -> None:
        """Train through all rounds."""
        self._advance = advance
        while True:
            if not self.done:
                try:
                    (self._lbfgs if self.settings.optimizer == "lbfgs" else self._adam)()
                except _Stop as reason:
                    self.stopped = str(reason)
                self.done = self.stopped != "callback"
            net = self.coordinates.network(self.theta if self.best is None else self.best)
            if self.round + 1 == len(self.densities) or self.stopped == "callback":
                self.network = net
                if self.done:
                    self._save()
                return
            self.round += 1
            n_weights = max(1, round(self.densities[self.round] * self.net.n_weights))
            self._enter_round(_pruned(net, self.coordinates, n_weights))
            self.stopped = f"max_iter = {self.settings.max_iter} reached"
            self._save()

    def _refuse_infinite(self, value: float, norm: float) -> None:
        if not (np.isfinite(value) and np.isfinite(norm)):
            raise ConvergenceError(
                f"training: the loss is {value!r} and its gradient's norm {norm!r} after"
                f" {len(self.records)} iterations; a smaller learning_rate, or inputs and targets"
                " on a smaller scale, may help"
            )

    def _record(self, value: float, norm: float) -> None:
        """Note an iteration; raise _Stop where training ends."""
        self.iteration += 1
        validation = None
        if self.data.held_out is not None:
            validation = self.objective.value(self.theta, *self.data.held_out)
        self._refuse_infinite(value, norm)
        seconds = self.elapsed + clock.perf_counter() - self.started
        number = len(self.records) + 1
        record = Record(
            number, float(value), validation, float(norm), self.densities[self.round], seconds
        )
        self.records.append(record)
        self._advance(
            number,
            f"loss {value:.4g}" + ("" if validation is None else f", held out {validation:.4g}"),
        )
        watched = (
            validation
            if validation is not None
            else value
            if self.settings.optimizer == "adam"
            else None
        )
        if watched is not None:
            least = (
                0.0 if validation is not None else self.settings.tolerance * abs(self.best_value)
            )
            if not np.isfinite(self.best_value) or watched < self.best_value - least:
                self.best_value, self.waited = watched, 0
                self.best = self.theta.copy() if validation is not None else None
            else:
                self.waited += 1
        if self.callback is not None and self.callback(
            record, self.coordinates.network(self.theta)
        ):
            raise _Stop("callback")
        if watched is not None and self.waited >= self.settings.patience:
            what = "validation loss" if validation is not None else "loss"
            raise _Stop(f"{what} has not improved for {self.settings.patience} iterations")

    def _factors(self, seed: int) -> list[Any]:
        """Draws of noise, equal for equal seeds."""
        s = self.settings
        if not s.noise:
            return []
        rng = np.random.default_rng([s.seed, seed])
        return [draw_factors(self.coordinates.kinetics, s.noise, rng) for _ in range(s.noise_draws)]

    # Optimisers ----------------------------------------------------------------------------------

    def _lbfgs(self) -> None:
        s = self.settings
        factors = self._factors(0)
        last: dict[bytes, tuple[float, FloatArray]] = {}

        def function(theta: FloatArray) -> tuple[float, FloatArray]:
            value, slope = self.objective(theta, self.data.x, self.data.targets, factors)
            last[theta.tobytes()] = value, slope
            return value, slope

        def note(intermediate_result: Any) -> None:
            self.theta = np.array(intermediate_result.x)
            found = last.get(self.theta.tobytes()) or function(self.theta)
            last.clear()
            self._record(found[0], float(np.linalg.norm(found[1])))

        bounds = self.coordinates.bounds
        while self.iteration < s.max_iter:
            self._save()
            before = self.iteration
            options = {
                "maxiter": min(SEGMENT, s.max_iter - before),
                "maxfun": 50 * SEGMENT,
                "maxcor": 20,
                "gtol": s.tolerance,
                "ftol": 1e-12,
            }
            found = minimize(
                function,
                self.theta,
                jac=True,
                method="L-BFGS-B",
                bounds=bounds,
                callback=note,
                options=options,
            )
            self.theta = np.array(found.x)
            if found.success or self.iteration == before:
                message = str(found.message).lower().replace("convergence: ", "")
                raise _Stop(f"converged: {message}" if found.success else f"L-BFGS-B: {message}")

    def _adam(self) -> None:
        s, n = self.settings, len(self.data.x)
        while self.iteration < s.max_iter:
            order = self.rng.permutation(n)
            total = squares = 0.0
            for first in range(0, n, s.batch_size):
                batch = order[first : first + s.batch_size]
                self.adam_steps += 1
                factors = self._factors(self.adam_steps)
                value, slope = self.objective(
                    self.theta, self.data.x[batch], self.data.targets[batch], factors
                )
                self._refuse_infinite(value, float(np.linalg.norm(slope)))
                total += value * len(batch)
                squares += float(slope @ slope) * len(batch)
                self._adam_step(slope)
            self._record(total / n, float(np.sqrt(squares / n)))
            self._save()

    def _adam_step(self, slope: FloatArray) -> None:
        decay = np.array([0.9, 0.999])
        self.moments = decay[:, None] * self.moments + (1 - decay)[:, None] * np.stack(
            [slope, slope**2]
        )
        mean, variance = self.moments / (1 - decay**self.adam_steps)[:, None]
        step = self.settings.learning_rate * mean / (np.sqrt(variance) + 1e-8)
        self.theta = self.coordinates.clip(self.theta - step)

    # Checkpoints ---------------------------------------------------------------------------------

    def _digest(self, net: Network) -> str:
        """What must be equal for a checkpoint to be of this training."""
        digest = hashlib.sha256(repr((self.settings, self.loss.name, self.initial, net)).encode())
        arrays = [to_vector(net), self.data.x, self.data.targets, *(self.data.held_out or ())]
        outputs = net(self.data.x)
        # a loss of one's own is known by what it says of the start
        arrays += [
            part(outputs, self.data.targets) for part in (self.loss.function, self.loss.derivative)
        ]
        for array in arrays:
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def _save(self) -> None:
        if self.path is None:
            return
        document = {
            "format": _FORMAT,
            "format_version": 1,
            "training": self._identity,
            "round": self.round,
            "iteration": self.iteration,
            "done": self.done,
            "stopped": self.stopped,
            "waited": self.waited,
            "best_value": None if np.isinf(self.best_value) else self.best_value,
            "adam_steps": self.adam_steps,
            "random": json.dumps(self.rng.bit_generator.state),
            "seconds": self.elapsed + clock.perf_counter() - self.started,
            "records": [list(asdict(record).values()) for record in self.records],
            "weights": [layer.weights for layer in self.coordinates.net.layers],
            "biases": [layer.bias for layer in self.coordinates.net.layers],
            "h": list(self.coordinates.net.h),
            "theta": self.theta,
            "best": self.best,
            "moments": self.moments,
        }
        write_document(self.path, document)

    def _resume(self) -> None:
        assert self.path is not None
        document = read_document(self.path)
        if document.get("format") != _FORMAT:
            raise FileFormatError(
                f"{str(self.path)!r}: no checkpoint of a training; choose another file"
            )
        if document.get("training") != self._identity:
            raise FileFormatError(
                f"{str(self.path)!r}: a checkpoint of a training with another network, other data"
                " or other settings; choose another file, or delete this one"
            )
        self.round = document["round"]
        self._enter_round(
            with_arrays(self.net, document["weights"], document["biases"], document["h"])
        )
        self.iteration, self.done, self.stopped = (
            document["iteration"],
            document["done"],
            document["stopped"],
        )
        self.waited, self.adam_steps = document["waited"], document["adam_steps"]
        self.best_value = np.inf if document["best_value"] is None else document["best_value"]
        self.rng.bit_generator.state = json.loads(document["random"])
        self.elapsed = document["seconds"]
        self.records = [Record(*row) for row in document["records"]]
        self.theta = np.asarray(document["theta"], dtype=float)
        self.best = None if document["best"] is None else np.asarray(document["best"], dtype=float)
        self.moments = np.asarray(document["moments"], dtype=float).reshape(2, -1)

    def result(self) -> FitResult:
        """The trained network, verified."""
        s = self.settings
        theta = self.theta if self.best is None else self.best
        loss = self.objective.value(theta, self.data.x, self.data.targets)
        held = self.data.held_out
        validation = None if held is None else self.objective.value(theta, *held)
        verification = verify(self.network, self.data.x, s.time, self.initial)
        return FitResult(
            self.network, tuple(self.records), loss, validation, self.stopped, verification
        )


def _pruned(net: Network, coordinates: Coordinates, n_weights: int) -> Network:
    """The network with all but the largest rate constants of weights set to zero."""
    sizes = coordinates.weight_sizes(net)
    small = np.flatnonzero(sizes >= 0)[np.argsort(-sizes[sizes >= 0], kind="stable")[n_weights:]]
    vector = to_vector(net)
    vector[small] = 0.0
    return from_vector(net, vector)
