"""What is exported: reactions, the network that they came from, and data for them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium._version import __version__
from crn_nn_tellurium.basics import FloatArray, free_id, is_real, some
from crn_nn_tellurium.chemistry import Reaction, ReactionNetwork
from crn_nn_tellurium.dna import StrandDisplacement
from crn_nn_tellurium.encoding import to_reactions
from crn_nn_tellurium.errors import InputError, ReactionError
from crn_nn_tellurium.networks import (
    Network,
    are_labels,
    encode_targets,
    resolve_loss,
    targets_of_labels,
)

DOI = "10.1098/rsif.2021.0031"
_CITATION = (
    "D. F. Anderson, B. Joshi and A. Deshpande, On reaction network implementations of neural"
    f" networks, J. R. Soc. Interface 18 (2021) 20210031, doi {DOI}"
)
_GRID_POINTS = 16
"""Samples of a problem that is written without data, at most."""


@dataclass(frozen=True)
class Experiments:
    """Steady states that somebody measured, or should.

    Attributes
    ----------
    boundary : (n, n_boundary) ndarray
        Concentrations of the boundary species, in the order of `ReactionNetwork.boundary`.
    outputs : tuple of str
        The observables that were measured.
    measured : (n, n_outputs) ndarray
    origin : str
        Where the numbers come from, for a comment.
    """

    boundary: FloatArray
    outputs: tuple[str, ...]
    measured: FloatArray
    origin: str


@dataclass(frozen=True)
class Variation:
    """What a scan varies: a boundary species or a rate constant, between two values."""

    id: str
    low: float
    high: float
    is_species: bool


@dataclass(frozen=True)
class Fitted:
    """A rate constant that a fit may change, between bounds."""

    id: str
    value: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Source:
    """A model on its way to a file.

    Parameters
    ----------
    model : Network or ReactionNetwork
    x : (n_in,) array_like, optional
        For a Network, the input values that the file holds; 0 by default.
    stem : str
        The file's name without its ending, for files that name one another.
    """

    model: Network | ReactionNetwork
    x: npt.ArrayLike | None = None
    stem: str = "model"

    @cached_property
    def crn(self) -> ReactionNetwork:
        """The reactions that are written."""
        return to_reactions(self.model, self.x) if isinstance(self.model, Network) else self.model

    def __post_init__(self) -> None:
        if isinstance(self.model, ReactionNetwork) and self.x is not None:
            raise InputError(
                "x goes with a Network; a ReactionNetwork has its boundary concentrations already"
            )

    @property
    def doi(self) -> str | None:
        """Of the article that describes the model; None for a reaction network, whose origin is not
        known here.
        """
        return DOI if isinstance(self.model, Network) else None

    @property
    def statements(self) -> list[str]:
        """Sentences for a header. No date, so that equal models are equal files."""
        crn = self.crn
        lines = [
            (
                f"Mass-action reaction network {crn.name}: {len(crn.species)} species,"
                f" {len(crn.reactions)} reactions. Concentrations in nM, time in s."
            ),
            f"Written by crn_nn_tellurium {__version__}.",
        ]
        if isinstance(self.model, Network):
            sizes = "-".join(
                str(n) for n in (self.model.n_in, *(layer.n_out for layer in self.model.layers))
            )
            lines.append(f"The neural network {sizes} as chemistry, after {_CITATION}.")
        return lines

    def until(self, t_end: float | None) -> float:
        """The last time of a simulation, in s: as given, or 100 units of time."""
        if t_end is not None:
            return t_end
        return 100.0 * (self.model.units.tau if isinstance(self.model, StrandDisplacement) else 1.0)

    def variation(self, vary: Any, low: Any, high: Any) -> Variation | None:
        """What a scan varies: as asked, else the first boundary species, else the first rate
        constant.

        Raises
        ------
        InputError
            If there is no such species or rate constant, or the bounds are not 0 <= low < high.
        """
        crn = self.crn
        held = dict(zip(crn.boundary, crn.boundary_concentrations.tolist(), strict=True))
        constants = crn.constant_values
        name = next(iter([*held, *constants]), None) if vary is None else vary
        if name is None:
            return None
        if not isinstance(name, str) or (name not in held and name not in constants):
            raise InputError(
                f"vary is {name!r}; expected a boundary species"
                f" ({some(list(held)) or 'there is none'}) or a rate constant"
                f" ({some(list(constants))})"
            )
        usual = max(1.0, held[name]) if name in held else 2 * constants[name] or 1.0
        bottom, top = 0.0 if low is None else low, usual if high is None else high
        if not (is_real(bottom) and is_real(top) and 0 <= bottom < top < np.inf):
            raise InputError(
                f"{name!r} varies from {bottom!r} to {top!r}; expected numbers 0 <= low < high"
            )
        return Variation(name, float(bottom), float(top), name in held)

    def started_above(
        self, boundary: FloatArray | None = None, variation: Variation | None = None
    ) -> ReactionNetwork:
        """The network with numbers for start values, those at the largest of all concentrations
        that are to be.

        These are the file's own, those of data rows (n, n_boundary), and those of a scan.

        Start values are upper bounds of the fixed point and grow with the inputs, so these are good
        for every row: from above, Newton's method finds the positive fixed point.
        """
        crn = self.crn
        rows = crn.boundary_concentrations[None] if boundary is None else boundary
        largest = np.vstack([rows, crn.boundary_concentrations]).max(axis=0)
        if variation and variation.is_species:
            place = crn.boundary.index(variation.id)
            largest[place] = max(largest[place], variation.high)
        start = dict(zip(crn.floating, crn.initial_state(largest).tolist(), strict=True))
        return replace(
            crn, species=tuple(replace(s, initial=start.get(s.id, s.initial)) for s in crn.species)
        )

    def fitted(self, crn: ReactionNetwork, bound: float) -> list[Fitted]:
        """Weights and biases of a Network, or all rate constants of other reactions, from 0 to a
        bound.

        The bound is multiplied by the value where that is larger than 1.

        Raises
        ------
        InputError
            If the bound is below 1, so that a value is outside.
        """
        if bound < 1:
            raise InputError(
                f"bound is {bound!r}; expected at least 1, so that the values now are within the"
                " bounds"
            )
        signs = crn.constant_signs
        chosen = {k for k in signs if signs[k] or not isinstance(self.model, Network)}
        values = crn.constant_values.items()
        return [
            Fitted(k, value, 0.0, bound * max(1.0, value)) for k, value in values if k in chosen
        ]

    def experiments(self, X: Any = None, Y: Any = None) -> Experiments:
        """Data rows as steady states, or, for a Network without data, inputs with its own outputs.

        Parameters
        ----------
        X : (n, n_in) or, for a ReactionNetwork, (n, n_boundary) array_like
        Y : (n, n_out) array_like, or (n,) of class labels for a Network; for a ReactionNetwork, (n,
        n_observables)

        Raises
        ------
        InputError
            If only one of the two is given, a shape is wrong, or a ReactionNetwork comes without
            data.
        """
        if (X is None) != (Y is None):
            raise InputError(
                f"{'Y' if Y is None else 'X'} is missing; give X and Y together, or neither"
            )
        if isinstance(self.model, Network):
            return self._network_experiments(self.model, X, Y)
        crn = self.model
        if not crn.observables:
            raise ReactionError(
                f"reaction network {crn.name!r} has no observables, so nothing of it can be"
                " measured"
            )
        if X is None:
            raise InputError(
                f"reaction network {crn.name!r} comes without data; X and Y are needed, a row per"
                f" sample: X of {', '.join(crn.boundary) or 'no boundary species'}, Y of"
                f" {', '.join(o.id for o in crn.observables)}"
            )
        boundary = _table("X", X, len(crn.boundary))
        measured = _table("Y", Y, len(crn.observables), len(boundary))
        return Experiments(
            boundary, tuple(o.id for o in crn.observables), measured, "data as given"
        )

    def _network_experiments(self, net: Network, X: Any, Y: Any) -> Experiments:
        if X is None:
            X, origin = _grid(net)
            measured = np.atleast_2d(net(X))
        else:
            X = net.input_coding.check(X)
            if X.ndim != 2 or not len(X):
                raise InputError(
                    f"X has shape {X.shape}; expected (n_samples, {net.n_in}), at least one sample"
                )
            given = np.asarray(Y)
            if given.ndim == 1 and (net.n_out > 1 or are_labels(net, given)):
                measured = targets_of_labels(net, given, len(X))
            else:
                measured = encode_targets(resolve_loss("squared_error", net), net, Y, len(X))
            origin = "data as given"
        concentrations = net.input_coding.code(X)
        return Experiments(concentrations.reshape(len(X), -1), net.output_names, measured, origin)


def with_both_signs(crn: ReactionNetwork, constants: Iterable[str]) -> ReactionNetwork:
    """Beside each reaction with one of these rate constants, its opposite with a rate constant of
    0.

    The sign of a weight is in its reaction, so that a fit which may change it needs both: X + Y ->
    X + 2 Y and X + Y -> X, which take and make the same molecules.
    """
    chosen = set(constants)
    taken = set(crn.identifiers)
    opposite: dict[str, str] = {}
    reactions: list[Reaction] = []
    for reaction in crn.reactions:
        reactions.append(reaction)
        k = reaction.rate_constant
        before, net = dict(reaction.substrates), reaction.net
        mirrored = {s: before.get(s, 0) - net[s] for s in {**before, **net}}
        if k in chosen and min(mirrored.values()) >= 0:
            opposite.setdefault(k, free_id(f"{k}_minus", taken))
            products = {s: n for s, n in mirrored.items() if n}
            identifier = free_id(f"{reaction.id}_minus", taken)
            reactions.append(
                Reaction(
                    identifier,
                    before,
                    products,
                    opposite[k],
                    0.0,
                    f"opposite of {reaction.id}",
                    -reaction.sign,
                )
            )
    fixed = [k for k in chosen if k not in opposite]
    if fixed:
        raise InputError(
            f"rate constant {min(fixed)!r}: its reaction has no opposite that takes the same"
            " molecules, so its sign cannot be free; leave free_signs out"
        )
    return replace(crn, reactions=tuple(reactions))


def _grid(net: Network) -> tuple[FloatArray, str]:
    """Inputs all over their range: every combination of the ends and middles where these are few,
    else Sobol points.
    """
    low, high = {"nonnegative": (0.0, 1.0), "signed": (-1.0, 1.0), "scaled": (0.0, 1.0)}[net.inputs]
    for levels in (4, 3, 2):
        if levels**net.n_in <= _GRID_POINTS:
            axes = np.meshgrid(*[np.linspace(0, 1, levels)] * net.n_in, indexing="ij")
            points = np.stack([axis.ravel() for axis in axes], axis=1)
            how = f"all combinations of {levels} values per input"
            break
    else:
        from scipy.stats import qmc  # most of a second, for this line alone

        points = qmc.Sobol(net.n_in, scramble=False).random(_GRID_POINTS)
        how = f"the first {_GRID_POINTS} points of the Sobol sequence"
    if net.inputs == "scaled":
        coding = net.input_coding
        inputs = np.array(coding.low) + points * (np.array(coding.high) - np.array(coding.low))
        where = "over the range of the inputs"
    else:
        inputs = low + points * (high - low)
        where = f"from {low:g} to {high:g}"
    return inputs, f"no data given: {how}, {where}, with the network's own outputs"


def _table(name: str, values: Any, columns: int, rows: int | None = None) -> FloatArray:
    try:
        table = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name}: expected numbers ({error})") from error
    if (
        table.ndim != 2
        or not len(table)
        or table.shape[1] != columns
        or (rows is not None and len(table) != rows)
    ):
        raise InputError(
            f"{name} has shape {table.shape}; expected ({'n' if rows is None else rows}, {columns})"
        )
    if not np.isfinite(table).all() or ((table < 0).any() and name == "X"):
        raise InputError(
            f"{name} holds a value that is not finite{' or is negative' if name == 'X' else ''}"
        )
    return table
