"""What a file asks another tool to do: runs to simulate, a training problem to solve."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import (
    FloatArray,
    by_name,
    free_id,
    is_real,
    labels_given,
    real_numbers,
    some,
)
from crn_nn_tellurium.chemistry import Reaction, ReactionNetwork, Units
from crn_nn_tellurium.errors import InputError, ReactionError
from crn_nn_tellurium.exporters.writing import Source
from crn_nn_tellurium.networks import (
    Network,
    are_labels,
    encode_targets,
    other_names,
    resolve_loss,
    targets_of_labels,
)
from crn_nn_tellurium.simulation import FlatModel, Simulator

_GRID_POINTS = 16  # of a problem that is written without data, at most


@dataclass(frozen=True)
class Runs:
    """Options of the formats that say what is to be simulated."""

    t_end: float | None = None  # of the time course, in the units of the file
    n_steps: int = 200
    vary: str | None = None  # a boundary species or rate constant
    low: Any = None
    high: Any = None
    n_points: int = 20  # steps of the scan

    def variation(self, crn: ReactionNetwork) -> Variation | None:
        """What the scan varies: as asked, else the first boundary species or rate constant."""
        held = dict(zip(crn.boundary, crn.boundary_concentrations.tolist(), strict=True))
        own = dict(zip(crn.constant_names, crn.constants.tolist(), strict=True))
        # what follows from others cannot be set
        constants = {k: own[k] for k in crn.free_constants}
        name = next(iter([*held, *constants]), None) if self.vary is None else self.vary
        if name is None:
            return None
        if not isinstance(name, str) or (name not in held and name not in constants):
            raise InputError(
                f"vary is {name!r}; expected a boundary species"
                f" ({some(list(held)) or 'there is none'}) or a rate constant"
                f" ({some(list(constants))}){other_names(str(name), constants)}"
            )
        # a rate constant of 0 would leave nothing to scan, so up to 1 then
        usual = max(crn.units.c0, held[name]) if name in held else 2 * constants[name] or 1.0
        # nor is there a steady state where what uses up a species does not happen: from one half on
        least = 0.0 if name in held else constants[name] / 2
        low, high = (
            least if self.low is None else self.low,
            usual if self.high is None else self.high,
        )
        if not (is_real(low) and is_real(high) and 0 <= low < high < np.inf):
            raise InputError(
                f"{name!r} varies from {low!r} to {high!r}; expected numbers 0 <= low < high"
            )
        return Variation(name, float(low), float(high), name in held)


@dataclass(frozen=True)
class Variation:
    """What a scan varies: a boundary species or a rate constant, between two values."""

    id: str
    low: float
    high: float
    is_species: bool


def started_above(
    crn: ReactionNetwork,
    variation: Variation | None = None,
    boundary: FloatArray | None = None,
) -> ReactionNetwork:
    """The network with numbers for start values, those at the largest of all concentrations that
    are to be: the network's own, those of a scan and those of data, rows (n, n_boundary).
    """
    # start values are upper bounds of the fixed point and grow with the inputs, so these are good
    # for every row: from above, Newton's method finds the positive fixed point
    largest = crn.boundary_concentrations
    if boundary is not None:
        largest = np.vstack([largest, boundary]).max(axis=0)
    if variation and variation.is_species:
        place = crn.boundary.index(variation.id)
        largest[place] = max(largest[place], variation.high)
    return crn.with_starts(largest)


def comes_to_rest(source: Source, variation: Variation | None, newton: bool = False) -> bool:
    """Whether reactions have the steady states that a file could ask for, those at the ends of a
    scan too; with `newton`, so that Newton's method finds them from the file's start values.
    """
    if isinstance(source.model, Network):
        return True
    crn, held = source.followed, started_above(source.with_formulas, variation)
    ends = [] if variation is None else [variation.low, variation.high]
    models = [crn, *(_with_value(crn, variation.id, end) for end in ends if variation)]
    return all(_rests(model, held.initial_concentrations if newton else None) for model in models)


def _rests(crn: Any, start: FloatArray | None) -> bool:
    state = Simulator(crn).steady_state(on_error="nan").concentrations
    if start is None or np.isnan(state).any():
        return not np.isnan(state).any()
    # from where the file starts: growth and decay like 1/t have no Jacobian to go by, and it may
    # end where no time course does
    found, converged = FlatModel(crn).newton(start[None], crn.boundary_concentrations[None])
    # far above the rounding of either solver, far below any other steady state
    near = np.allclose(found, state, rtol=1e-6, atol=1e-9 * np.max(state, initial=0.0))
    return bool(converged.all()) and near


def _with_value(crn: ReactionNetwork, name: str, value: float) -> ReactionNetwork:
    """The network with another value of a species or constant."""
    species = (replace(s, initial=value) if s.id == name else s for s in crn.species)
    reactions = (replace(r, value=value) if r.rate_constant == name else r for r in crn.reactions)
    parameters = (replace(p, value=value) if p.id == name else p for p in crn.parameters)
    return replace(crn, species=(*species,), reactions=(*reactions,), parameters=(*parameters,))


@dataclass(frozen=True)
class Training:
    """Options of the formats that set a training problem.

    X are rows of inputs, (n, n_in), or of a ReactionNetwork's boundary species, Y of outputs or
    observables; (n,) class labels do for a Network. Without data, a Network's own outputs at a grid
    of inputs are measured.
    """

    X: Any = None
    Y: Any = None
    # weights and biases (or all rate constants of other reactions) are fitted between 0 and this,
    # times their value where that is larger than 1 (in the model's units)
    bound: float = 10.0
    # a weight's sign is in its reaction and stays, but with this, which gives each two reactions
    free_signs: bool = False

    @property
    def has_data(self) -> bool:
        """Whether data, or half of it, is given."""
        return self.X is not None or self.Y is not None

    def problem(self, source: Source) -> Problem:
        """The problem of a model."""
        data, crn = experiments(source, self.X, self.Y), source.with_formulas
        chosen = fitted(source, crn, self.bound)
        if self.free_signs:
            crn = with_both_signs(crn, [f.id for f in chosen])
            chosen = fitted(source, crn, self.bound)
        return Problem(crn, data, chosen)


@dataclass(frozen=True)
class Problem:
    """Reactions, the rate constants of theirs that are fitted, and to what."""

    crn: ReactionNetwork
    data: Experiments
    fitted: list[Fitted]


@dataclass(frozen=True)
class Experiments:
    """Steady states that somebody measured, or should."""

    boundary: FloatArray  # (n, n_boundary)
    outputs: tuple[str, ...]  # the observables that were measured
    measured: FloatArray  # (n, n_outputs)
    origin: str  # where the numbers come from, for a comment


@dataclass(frozen=True)
class Fitted:
    """A rate constant that a fit may change, between bounds."""

    id: str
    value: float
    lower: float
    upper: float


def fitted(source: Source, crn: ReactionNetwork, bound: float) -> list[Fitted]:
    """What is fitted of the source's reactions, or of these with both signs."""
    if bound < 1:
        raise InputError(
            f"bound is {bound!r}; expected at least 1, so that the values now are within the bounds"
        )
    is_network = isinstance(source.model, Network)
    signs, orders, free = crn.constant_signs, crn.constant_orders, {*crn.free_constants}
    found = []
    for k, value in crn.constant_values.items():
        # of a Network's, weights and biases alone have signs; what follows from others is not free
        if (signs[k] or not is_network) and k in free:
            one = float(crn.units.rate_constant(1.0, orders[k]))
            found.append(Fitted(k, value, 0.0, bound * max(one, value)))
    return found


def experiments(source: Source, X: Any = None, Y: Any = None) -> Experiments:
    """Data rows as steady states, or, for a Network without data, inputs with its own outputs."""
    if (X is None) != (Y is None):
        missing = "Y" if Y is None else "X"
        raise InputError(f"{missing} is missing; give X and Y together, or neither")
    if isinstance(source.model, Network):
        return _network_experiments(source.model, X, Y, source.crn.units)
    crn = source.crn
    outputs = tuple(o.id for o in crn.observables)
    if not outputs:
        raise ReactionError(
            f"reaction network {crn.name!r} has no observables, so nothing of it can be measured"
        )
    if X is None:
        raise InputError(
            f"reaction network {crn.name!r} comes without data; X and Y are needed, a row per"
            f" sample: X of {', '.join(crn.boundary) or 'no boundary species'}, Y of"
            f" {', '.join(outputs)}"
        )
    boundary = _table("X", by_name("X", X, crn.boundary), len(crn.boundary))
    measured = _table("Y", by_name("Y", Y, outputs), len(outputs), len(boundary))
    return Experiments(boundary, outputs, measured, "data as given")


def _network_experiments(net: Network, X: Any, Y: Any, units: Units) -> Experiments:
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
        # a column is of labels, but for one output that is no class, where it is of values
        if given.ndim == 1 and (net.n_out > 1 or are_labels(net, given)):
            measured = targets_of_labels(net, labels_given("Y", Y), len(X))
        else:
            measured = encode_targets(resolve_loss("squared_error", net), net, Y, len(X))
        origin = "data as given"
    concentrations = units.concentration(net.input_coding.code(X).reshape(len(X), -1))
    measured = units.concentration(measured)
    return Experiments(concentrations, net.output_names, measured, origin)


def with_both_signs(crn: ReactionNetwork, constants: Iterable[str]) -> ReactionNetwork:
    """Beside each reaction with one of these rate constants, its opposite, with one of 0."""
    chosen = set(constants)
    taken = set(crn.identifiers)
    opposite: dict[str, str] = {}
    reactions: list[Reaction] = []
    for reaction in crn.reactions:
        reactions.append(reaction)
        k = reaction.rate_constant
        # X + Y -> X + 2 Y and X + Y -> X take the same molecules and change Y by +1 and -1
        before, net = dict(reaction.substrates), reaction.net
        mirrored = {s: before.get(s, 0) - net[s] for s in {**before, **net}}
        if k not in chosen:
            continue
        # -> A has none, since nothing that it needs could be taken
        if min(mirrored.values()) < 0:
            raise InputError(
                f"rate constant {k!r}: its reaction {reaction.id!r} has no opposite that takes the"
                " same molecules, so its sign cannot be free; leave free_signs out"
            )
        opposite.setdefault(k, free_id(f"{k}_minus", taken))
        after = {s: n for s, n in mirrored.items() if n}
        made, name = free_id(f"{reaction.id}_minus", taken), f"opposite of {reaction.id}"
        reactions.append(Reaction(made, before, after, opposite[k], 0.0, name, -reaction.sign))
    return replace(crn, reactions=tuple(reactions))


def _grid(net: Network) -> tuple[FloatArray, str]:
    """Inputs over their range: all combinations of ends and middles if few, else Sobol points."""
    for levels in (4, 3, 2):
        if levels**net.n_in <= _GRID_POINTS:
            axes = np.meshgrid(*[np.linspace(0, 1, levels)] * net.n_in, indexing="ij")
            points = np.stack([axis.ravel() for axis in axes], axis=1)
            how = f"all combinations of {levels} values per input"
            break
    else:
        from scipy.stats import qmc  # most of a second, for this line alone

        # unscrambled, so that equal models are equal files
        points = qmc.Sobol(net.n_in, scramble=False).random(_GRID_POINTS)
        how = f"the first {_GRID_POINTS} points of the Sobol sequence"
    low: Any = -1.0 if net.inputs == "signed" else 0.0
    high: Any = 1.0
    where = f"from {low:g} to {high:g}"
    if net.inputs == "scaled":
        low, high = np.array(net.input_coding.low), np.array(net.input_coding.high)
        where = "over the range of the inputs"
    inputs = low + points * (high - low)
    return inputs, f"no data given: {how}, {where}, with the network's own outputs"


def _table(name: str, values: Any, columns: int, rows: int | None = None) -> FloatArray:
    table = real_numbers(name, values)
    as_wide = table.ndim == 2 and len(table) > 0 and table.shape[1] == columns
    if not as_wide or rows not in (None, len(table)):
        expected = f"({'n' if rows is None else rows}, {columns})"
        raise InputError(f"{name} has shape {table.shape}; expected {expected}")
    # X are concentrations, Y may be read-outs with a sign
    if not np.isfinite(table).all() or ((table < 0).any() and name == "X"):
        negative = " or is negative" if name == "X" else ""
        raise InputError(f"{name} holds a value that is not finite{negative}")
    return table
