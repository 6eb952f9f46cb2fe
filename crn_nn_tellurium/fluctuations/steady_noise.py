"""Fluctuations about the steady states of any model: `noise`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import FloatArray, check_positive
from crn_nn_tellurium.chemistry import ReactionNetwork
from crn_nn_tellurium.fluctuations.network_noise import NetworkNoise
from crn_nn_tellurium.fluctuations.reaction_noise import ReactionNoise
from crn_nn_tellurium.fluctuations.result import Fluctuations, Noise
from crn_nn_tellurium.importers import AnyModel
from crn_nn_tellurium.networks import Network
from crn_nn_tellurium.sensitivity import simulator_of
from crn_nn_tellurium.simulation import Simulator, SteadyState

_TOGETHER = 10**7
"""Numbers of covariances that are held at once, about."""


def noise(model: AnyModel | Simulator, x: npt.ArrayLike | None = None, *, volume: float) -> Noise:
    """Means and covariances at the steady state, where molecules are counted.

    By the linear noise approximation, to first order in 1/volume; exact where no two fluctuating
    molecules meet.

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
    >>> found
    Noise(1 sample, 1 outputs, 4 species, volume 5000: largest standard deviation 0.0289)
    >>> found.probabilities.round(4), found.at(100).probabilities.round(2)
    (array([0., 1.]), array([0., 1.]))
    """
    check_positive("volume", volume)
    simulator = simulator_of(model, "noise")
    steady = simulator.steady_state(x)
    single = x is None or np.ndim(x) < 2
    classes: tuple[object, ...] = ()
    threshold = 0.0
    if isinstance(simulator.model, ReactionNetwork):
        found = _of_reactions(simulator, x, steady.concentrations)
    else:
        found = _of_network(simulator, x, steady)
        if simulator.net.task != "regression":
            classes = simulator.net.classes
            threshold = simulator.net.layers[-1].activation.threshold
    outputs, concentrations = (
        part[0].copy() if single else part for part in (steady.outputs, steady.concentrations)
    )
    names = simulator.output_names, simulator.species
    return Noise(outputs, concentrations, float(volume), *names, classes, threshold, found)


def margins(net: Network, outputs: FloatArray) -> FloatArray:
    """How far outputs (n, n_out) are from those of another class, (n,); infinite without classes."""
    if net.task == "regression":
        return np.full(len(outputs), np.inf)
    if net.n_out == 1:
        return np.abs(outputs[:, 0] - net.layers[-1].activation.threshold)
    two = np.partition(outputs, net.n_out - 2, axis=1)[:, -2:]
    return np.asarray(two[:, 1] - two[:, 0])


def _of_network(simulator: Simulator, x: npt.ArrayLike | None, steady: SteadyState) -> Fluctuations:
    kinetics, concentrations, outputs = simulator.kinetics, steady.concentrations, steady.outputs
    values = np.atleast_2d(kinetics.net.input_coding.check(x))
    size = len(kinetics.species) ** 2
    step = max(1, _TOGETHER // size)
    parts = []
    for i in range(0, len(values), step):
        some_of = slice(i, i + step)
        own = NetworkNoise(kinetics, kinetics.at(values[some_of], concentrations[some_of]))
        shift = own.by_species(own.shift)
        # the read-out is linear but for its constant, which does not move
        moved = kinetics.read(shift) - kinetics.read(np.zeros_like(shift))
        rates = map(own.by_species, own.turnover)
        reach = own.carriers / margins(kinetics.net, outputs[some_of])[:, None]
        parts.append((moved, own.output_covariance, shift, own.variances, *rates, reach))
    return Fluctuations(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _of_reactions(
    simulator: Simulator, x: npt.ArrayLike | None, concentrations: FloatArray
) -> Fluctuations:
    crn = simulator.reactions
    held = crn.boundary_concentrations if x is None else np.asarray(x, dtype=float)
    held = np.broadcast_to(held, (len(concentrations), len(crn.boundary)))
    parts = []
    for pair in zip(concentrations, held, strict=True):
        own = ReactionNoise(crn, *pair)
        variance = np.diag(own.covariance).copy()
        rates = own.anew, own.of_itself, own.removal
        # that few molecules are not normal matters where a class hangs on it
        parts.append((*own.outputs(), own.shift, variance, *rates, np.zeros_like(variance)))
    return Fluctuations(*(np.array(part) for part in zip(*parts, strict=True)))
