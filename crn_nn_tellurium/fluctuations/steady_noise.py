"""Fluctuations about the steady states of any model: `noise`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import FloatArray, by_name, by_sample, check_positive
from crn_nn_tellurium.chemistry import ReactionNetwork
from crn_nn_tellurium.errors import ConvergenceError, InputError
from crn_nn_tellurium.fluctuations.network_noise import NetworkNoise
from crn_nn_tellurium.fluctuations.reaction_noise import ReactionNoise
from crn_nn_tellurium.fluctuations.result import Fluctuations, Noise
from crn_nn_tellurium.importers import AnyModel
from crn_nn_tellurium.kinetics import LayerState, NetworkKinetics
from crn_nn_tellurium.networks import Network
from crn_nn_tellurium.sensitivity import simulator_of
from crn_nn_tellurium.simulation import Simulator, SteadyState

_TOGETHER = 10**7
"""Numbers of covariances that are held at once, about."""


def noise(model: AnyModel | Simulator, x: npt.ArrayLike | None = None, *, volume: float) -> Noise:
    """Means and covariances at the steady state, where molecules are counted.

    By the linear noise approximation, to first order in 1/volume; exact where no two fluctuating
    molecules meet. Of several stable steady states it is about the one that the time course ends
    in; jumps to another are not in it.

    Parameters
    ----------
    model : Network, Simulator, ReactionNetwork, str or path-like
        As `Simulator` takes it.
    x : (n_in,) or (n_samples, n_in) array_like
        Input values of a Network; of a ReactionNetwork its boundary species, by default at their
        own concentrations. Inputs are held: they have no noise.
    volume : float
        Molecules at a concentration of 1, as in `Simulator.time_course`.

    Returns
    -------
    Noise

    Raises
    ------
    InputError
        If an argument has the wrong shape or is out of range.
    ConvergenceError
        If no steady state is found, or it is unstable.
    SingularJacobianError
        If fluctuations about it add up without end.

    Examples
    --------
    >>> from crn_nn_tellurium import load_model
    >>> found = noise(load_model("xor"), [0, 1], volume=5000)
    >>> found  # doctest: +NORMALIZE_WHITESPACE
    Noise(1 sample, 1 outputs, 4 species, volume 5000: largest standard deviation 0.0289; doubtful:
    Y1_0)
    >>> found.probabilities.round(4), found.at(100).probabilities.round(2)
    (array([0., 1.]), array([0., 1.]))
    """
    check_positive("volume", volume)
    simulator = simulator_of(model, "noise")
    steady = simulator.steady_state(x)
    if not len(steady.outputs):
        raise InputError("no inputs; expected at least one sample")
    single = x is None or np.ndim(x) < 2
    decision: tuple[tuple[Any, ...], float] = (), 0.0
    if isinstance(simulator.model, ReactionNetwork):
        held = _held(simulator.reactions, x, len(steady.concentrations))
        found = _of_reactions(simulator.reactions, held, steady.concentrations)
    else:
        found = _of_network(simulator, x, steady)
        decision = _decision(simulator.net)
    outputs, concentrations = (
        part[0].copy() if single else part for part in (steady.outputs, steady.concentrations)
    )
    names = simulator.output_names, simulator.species
    _check(*names, found)
    return Noise(outputs, concentrations, float(volume), *names, *decision, found)


def closed_form_noise(net: Network, x: FloatArray, volume: float) -> Noise:
    """`noise` of samples x (n, n_in) that were checked, with no engine: for searches, which ask for
    that of hundreds of networks.
    """
    kinetics = NetworkKinetics(net)
    parts = [kinetics.settle(x[rows]) for rows in _together(kinetics, len(x))]
    found = _of_layers(kinetics, parts)
    outputs = np.concatenate([kinetics.outputs(states) for states in parts])
    concentrations = np.concatenate([_concentrations(states) for states in parts])
    names = net.output_names, kinetics.species
    _check(*names, found)
    return Noise(outputs, concentrations, volume, *names, *_decision(net), found)


def _concentrations(states: Sequence[LayerState]) -> FloatArray:
    """(n, n_species)."""
    by_layer = [state.concentrations for state in states]
    return np.concatenate([part.reshape(len(part), -1) for part in by_layer], axis=1)


def _decision(net: Network) -> tuple[tuple[Any, ...], float]:
    """Classes, and the threshold of a single output."""
    if net.task == "regression":
        return (), 0.0
    return net.classes, net.layers[-1].activation.threshold


def _check(outputs: tuple[str, ...], species: tuple[str, ...], found: Fluctuations) -> None:
    """Refuse variances that are none: of outputs whose rails cancel beyond rounding, say."""
    of_outputs = np.einsum("nii->ni", found.output_covariance)
    for names, variances in ((outputs, of_outputs), (species, found.variance)):
        wrong = ~(np.isfinite(variances) & (variances >= 0))
        if wrong.any():
            sample, place = np.argwhere(wrong)[0]
            raise ConvergenceError(
                f"noise: sample {sample}: the variance of {names[place]!r} came out as"
                f" {variances[sample, place]:.3g}, by rounding or beyond what doubles hold;"
                " expected a finite one, not below 0: smaller weights or a larger h may help"
            )


def _margins(net: Network, outputs: FloatArray) -> FloatArray:
    """How far outputs (n, n_out) are from those of another class, (n,); inf without any."""
    if net.task == "regression":
        return np.full(len(outputs), np.inf)
    if net.n_out == 1:
        return np.abs(outputs[:, 0] - net.layers[-1].activation.threshold)
    two = np.partition(outputs, net.n_out - 2, axis=1)[:, -2:]
    return np.asarray(two[:, 1] - two[:, 0])


def _of_network(simulator: Simulator, x: npt.ArrayLike | None, steady: SteadyState) -> Fluctuations:
    kinetics, concentrations = simulator.kinetics, steady.concentrations
    values = np.atleast_2d(kinetics.net.input_coding.check(x))
    if any(layer.knot for layer in kinetics.layers):
        # species that act on one another both ways are no levels
        held = by_sample(kinetics.net.input_coding.code(values))
        crn, names = simulator.reactions, kinetics.net.output_names
        read = tuple(o for o in crn.observables if o.id in names)
        return _of_reactions(replace(crn, observables=read), held, concentrations)
    together = _together(kinetics, len(values))
    states = (kinetics.at(values[rows], concentrations[rows]) for rows in together)
    return _of_layers(kinetics, states)


def _together(kinetics: NetworkKinetics, n: int) -> list[slice]:
    """Which of n samples are solved at once."""
    step = max(1, _TOGETHER // len(kinetics.species) ** 2)
    return [slice(first, first + step) for first in range(0, n, step)]


def _of_layers(kinetics: NetworkKinetics, states: Iterable[Sequence[LayerState]]) -> Fluctuations:
    """Of samples in parts, by their layers' states."""
    parts = []
    for some_of in states:
        own = NetworkNoise(kinetics, some_of)
        shift = own.by_species(own.shift)
        rates = map(own.by_species, own.turnover)
        # where a rail's rate curves enough to matter, its mean moves (see `MOVED`)
        straight = np.zeros_like(shift)
        carriers = own.carriers
        far = _margins(kinetics.net, kinetics.outputs(some_of))[:, None]
        # where two classes tie any molecule decides; what carries nothing never does
        with np.errstate(divide="ignore"):
            reach = np.divide(carriers, far, out=np.zeros_like(carriers), where=carriers > 0)
        parts.append(
            (own.output_shift, own.output_covariance, shift, own.variances, *rates, straight, reach)
        )
    return Fluctuations(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _held(crn: ReactionNetwork, x: npt.ArrayLike | None, n: int) -> FloatArray:
    """Concentrations (n, n_boundary) of the boundary species, inputs that have been checked."""
    given = crn.boundary_concentrations if x is None else by_name("inputs", x, crn.boundary)
    held = np.asarray(given, dtype=float)
    return np.broadcast_to(held, (n, len(crn.boundary)))


def _of_reactions(
    crn: ReactionNetwork, held: FloatArray, concentrations: FloatArray
) -> Fluctuations:
    parts = []
    for pair in zip(concentrations, held, strict=True):
        own = ReactionNoise(crn, *pair)
        variance = np.diag(own.covariance).copy()
        rates = own.anew, own.of_itself, own.removal
        # that few molecules are not normal matters where a class hangs on it
        reach = np.zeros_like(variance)
        parts.append((*own.outputs(), own.shift, variance, *rates, own.bending, reach))
    return Fluctuations(*(np.array(part) for part in zip(*parts, strict=True)))
