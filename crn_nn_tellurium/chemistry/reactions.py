"""Mass-action reaction networks: species, reactions and the ordinary differential equation they
define.

For reaction r with rate constant k_r and substrates s taken a_rs times,

    v_r = k_r * prod_s x_s ** a_rs,        dx/dt = N v,

where N is the net stoichiometry (products minus substrates) of the floating species. Boundary
species act in rates and are held constant. Source: any text on chemical reaction network theory,
for example Feinberg, Foundations of Chemical Reaction Network Theory (2019), chapter 2.

Everything is evaluated from the monomials themselves, never from v / x or v / k, so that rates,
Jacobian and derivatives with respect to rate constants are right at zero concentration and for
a rate constant of zero.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from crn_nn_tellurium.basics import PATTERN, FloatArray, is_real, read_only
from crn_nn_tellurium.chemistry.expressions import Expression
from crn_nn_tellurium.chemistry.units import MODEL_UNITS, Units
from crn_nn_tellurium.errors import ReactionError


@dataclass(frozen=True, slots=True)
class Species:
    """A chemical species.

    Parameters
    ----------
    id : str
        Identifier: letters, digits and underscores.
    initial : float or Expression
        Initial concentration, or a formula for it in rate constants and species listed earlier.
    boundary : bool
        Whether the concentration is held constant from outside.
    name : str
        A readable name; no effect on the mathematics.

    Raises
    ------
    ReactionError
        If the initial concentration is negative or not finite.

    Examples
    --------
    >>> Species("X", 0.5, boundary=True)
    Species(id='X', initial=0.5, boundary=True, name='')
    """

    id: str
    initial: float | Expression = 0.0
    boundary: bool = False
    name: str = ""

    def __post_init__(self) -> None:
        if isinstance(self.initial, Expression):
            return
        if not (is_real(self.initial) and self.initial >= 0 and math.isfinite(self.initial)):
            raise ReactionError(
                f"species {self.id!r}: initial concentration is {self.initial!r}; expected a finite"
                " number >= 0"
            )
        object.__setattr__(self, "initial", float(self.initial))


Side = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Term:
    """number * rate constant * product of species: a part of a rate of change or of its derivative."""

    number: int
    rate_constant: str
    species: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reaction:
    """An irreversible mass-action reaction.

    Parameters
    ----------
    id : str
        Identifier of the reaction.
    substrates, products : mapping, iterable of pairs, or iterable of str
        Species and how many molecules of each: ``{"X": 1, "Y": 2}``, or ``("X", "Y", "Y")``.
        A catalyst stands on both sides.
    rate_constant : str
        Identifier of the rate constant; reactions of one order may share one.
    value : float
        Its value, finite and >= 0.
    name : str
        A readable name; no effect on the mathematics.

    Raises
    ------
    ReactionError
        If the value or a stoichiometric number is not what mass action allows.

    Examples
    --------
    >>> Reaction("J1", ("X", "Y"), {"X": 1, "Y": 2}, "w", 1.5)
    Reaction('J1: X + Y => X + 2 Y', rate constant w = 1.5)
    """

    id: str
    substrates: Side
    products: Side
    rate_constant: str
    value: float
    name: str = ""

    def __init__(
        self,
        id: str,
        substrates: Mapping[str, int] | Iterable[str] | Iterable[tuple[str, int]],
        products: Mapping[str, int] | Iterable[str] | Iterable[tuple[str, int]],
        rate_constant: str,
        value: float,
        name: str = "",
    ) -> None:
        if not (is_real(value) and value >= 0 and math.isfinite(value)):
            raise ReactionError(
                f"reaction {id!r}: rate constant {rate_constant!r} is {value!r}; expected a finite"
                " number >= 0"
            )
        for attribute, content in (
            ("id", id),
            ("substrates", _side(id, substrates)),
            ("products", _side(id, products)),
            ("rate_constant", rate_constant),
            ("value", float(value)),
            ("name", name),
        ):
            object.__setattr__(self, attribute, content)

    @property
    def order(self) -> int:
        """How many molecules meet in the reaction."""
        return sum(count for _, count in self.substrates)

    @property
    def gain(self) -> int:
        """How many molecules more it makes than it takes."""
        return sum(n for _, n in self.products) - sum(n for _, n in self.substrates)

    @property
    def net(self) -> dict[str, int]:
        """How many molecules of each species it makes, less those that it takes; of a catalyst, 0."""
        net = dict(self.products)
        for species, count in self.substrates:
            net[species] = net.get(species, 0) - count
        return net

    @property
    def equation(self) -> str:
        """The reaction as Antimony writes it: ``X + Y => X + 2 Y``."""
        return f"{_side_text(self.substrates)} => {_side_text(self.products)}".strip()

    def __repr__(self) -> str:
        return (
            f"Reaction('{self.id}: {self.equation}', rate constant {self.rate_constant} ="
            f" {self.value!r})"
        )


def _side(reaction: str, side: Any) -> Side:
    counts: dict[str, int] = {}
    if isinstance(side, str) or not isinstance(side, Iterable):
        raise ReactionError(
            f"reaction {reaction!r}: a side is {side!r}; expected species, ('X', 'Y') or {{'X': 1}}"
        )
    for item in side.items() if isinstance(side, Mapping) else side:
        species, count = (item, 1) if isinstance(item, str) else item
        if not is_real(count) or count != int(count) or count < 1:
            raise ReactionError(
                f"reaction {reaction!r}: {species!r} is taken {count!r} times; expected 1, 2, ..."
            )
        counts[species] = counts.get(species, 0) + int(count)
    return tuple(counts.items())


def _side_text(side: Side) -> str:
    return " + ".join(species if count == 1 else f"{count} {species}" for species, count in side)


@dataclass(frozen=True, slots=True)
class Observable:
    """A named function of the species, what an experiment reads: an assignment rule in SBML."""

    id: str
    expression: Expression
    name: str = ""


@dataclass(frozen=True, slots=True)
class Balance:
    """How far species are from a fixed point, independently of units.

    Attributes
    ----------
    net, gross : (..., n) ndarray
        dx/dt, and the sum of gains and losses that it is the difference of.
    slope : (..., n) ndarray
        d(dx/dt)/dx of each species with respect to itself.
    """

    net: FloatArray
    gross: FloatArray
    slope: FloatArray

    @property
    def imbalance(self) -> FloatArray:
        """|net| / gross: 0 at a fixed point, 1 where all is gain or all is loss, 0 where nothing
        happens.
        """
        return np.divide(
            np.abs(self.net), self.gross, out=np.zeros_like(self.net), where=self.gross > 0
        )

    @property
    def distance(self) -> FloatArray:
        """|net| / |slope|: distance to the fixed point, to first order, in concentration."""
        with np.errstate(divide="ignore"):
            return np.divide(
                np.abs(self.net),
                np.abs(self.slope),
                out=np.zeros_like(self.net),
                where=self.net != 0,
            )

    @property
    def rounding(self) -> FloatArray:
        """The part of `distance` that double precision cannot remove."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.nan_to_num(
                64 * np.finfo(float).eps * self.gross / np.abs(self.slope), nan=0.0, posinf=0.0
            )


@dataclass(frozen=True)
class ReactionNetwork:
    """A mass-action reaction network, validated once and immutable.

    Parameters
    ----------
    species : sequence of Species
    reactions : sequence of Reaction
    observables : sequence of Observable, optional
    name : str
        Identifier of the model.
    units : Units
        What its numbers are in; by default the model's own, dimensionless (`MODEL_UNITS`).

    Attributes
    ----------
    floating, boundary : tuple of str
        Species that the reactions change, and species held constant; their order is the order
        of the arrays below.
    rate_constants : tuple of str
        Identifiers of the rate constants, each once, in order of first use.

    Raises
    ------
    ReactionError
        On a bad or repeated identifier, an unknown species, or a rate constant with two values.

    Notes
    -----
    Methods take ``x``, the floating concentrations, shape (..., n_floating), and optionally
    ``boundary`` (..., n_boundary) and ``constants`` (..., n_constants) in place of the network's
    own; leading dimensions broadcast.

    Examples
    --------
    >>> crn = ReactionNetwork(
    ...     [Species("X", 2.0, boundary=True), Species("Y")],
    ...     [Reaction("J1", (), ("Y",), "h", 0.01), Reaction("J2", ("X", "Y"), ("X",), "w", 3.0)],
    ... )
    >>> crn
    ReactionNetwork('network': 1 floating and 1 boundary species, 2 reactions, 2 rate constants)
    >>> crn.right_hand_side([0.5])
    array([-2.99])
    """

    species: tuple[Species, ...]
    reactions: tuple[Reaction, ...]
    observables: tuple[Observable, ...] = ()
    name: str = "network"
    units: Units = MODEL_UNITS
    floating: tuple[str, ...] = field(init=False, compare=False, repr=False)
    boundary: tuple[str, ...] = field(init=False, compare=False, repr=False)
    rate_constants: tuple[str, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        for attribute in ("species", "reactions", "observables"):
            object.__setattr__(self, attribute, tuple(getattr(self, attribute)))
        constants = self._check_constants()
        self._check_identifiers(constants)
        self._check_references(set(constants))
        object.__setattr__(self, "floating", tuple(s.id for s in self.species if not s.boundary))
        object.__setattr__(self, "boundary", tuple(s.id for s in self.species if s.boundary))
        object.__setattr__(self, "rate_constants", tuple(constants))

    def _check_constants(self) -> dict[str, tuple[float, int]]:
        constants: dict[str, tuple[float, int]] = {}
        for reaction in self.reactions:
            use = (reaction.value, reaction.order)
            known = constants.setdefault(reaction.rate_constant, use)
            if known != use:
                raise ReactionError(
                    f"reaction {reaction.id!r}: rate constant {reaction.rate_constant!r} is"
                    f" {use[0]!r} at order {use[1]}, but {known[0]!r} at order {known[1]} in an"
                    " earlier reaction; reactions that share a rate constant must agree in both"
                )
        return constants

    def _check_identifiers(self, constants: Iterable[str]) -> None:
        entities = [("model", self.name)]
        entities += [("species", s.id) for s in self.species]
        entities += [("reaction", r.id) for r in self.reactions]
        entities += [("rate constant", k) for k in constants]
        entities += [("observable", o.id) for o in self.observables]
        seen: dict[str, str] = {}
        for kind, identifier in entities:
            if not PATTERN.fullmatch(identifier):
                raise ReactionError(
                    f"{kind} {identifier!r}: not an identifier; expected letters, digits and"
                    " underscores, not starting with a digit"
                )
            if identifier in seen:
                raise ReactionError(
                    f"{kind} {identifier!r}: already the identifier of a {seen[identifier]}; each"
                    " must be unique"
                )
            seen[identifier] = kind

    def _check_references(self, constants: set[str]) -> None:
        known: set[str] = set()
        for species in self.species:
            if isinstance(species.initial, Expression):
                if species.boundary:
                    raise ReactionError(
                        f"species {species.id!r}: a boundary species has a number, not a formula"
                    )
                for symbol in species.initial.symbols:
                    if symbol not in known and symbol not in constants:
                        raise ReactionError(
                            f"species {species.id!r}: its initial concentration reads {symbol!r},"
                            " which is neither a rate constant nor a species listed before it"
                        )
            known.add(species.id)
        for reaction in self.reactions:
            for side in (reaction.substrates, reaction.products):
                for symbol, _ in side:
                    if symbol not in known:
                        raise ReactionError(f"reaction {reaction.id!r}: unknown species {symbol!r}")
        for observable in self.observables:
            for symbol in observable.expression.symbols:
                if symbol not in known and symbol not in constants:
                    raise ReactionError(f"observable {observable.id!r}: unknown symbol {symbol!r}")

    def __repr__(self) -> str:
        return (
            f"ReactionNetwork({self.name!r}: {len(self.floating)} floating and {len(self.boundary)}"
            f" boundary species, {len(self.reactions)} reactions, {len(self.rate_constants)} rate"
            " constants)"
        )

    @property
    def identifiers(self) -> tuple[str, ...]:
        """Of species, rate constants, reactions and observables; each is there once."""
        parts = (self.species, self.reactions, self.observables)
        return tuple(entity.id for part in parts for entity in part) + self.rate_constants

    def catalytic_sides(self, reaction: Reaction) -> tuple[Side, Side]:
        """Both sides of a reaction, boundary species on the right as many times as on the left.

        For what holds no species constant: a catalyst is as constant. Boundary species that are
        only made are left out.
        """
        held = set(self.boundary)
        before = {s: n for s, n in reaction.substrates if s in held}
        after = {s: n for s, n in reaction.products if s in held}
        if before == after:
            return reaction.substrates, reaction.products
        made = tuple((s, n) for s, n in reaction.products if s not in held)
        return reaction.substrates, (*before.items(), *made)

    # Arrays -----------------------------------------------------------------------------------

    @cached_property
    def stoichiometry(self) -> sparse.csr_array:
        """Net stoichiometry N, shape (n_floating, n_reactions)."""
        row = {species: i for i, species in enumerate(self.floating)}
        entries: list[tuple[int, int, int]] = []
        for column, reaction in enumerate(self.reactions):
            entries += [(row[s], column, n) for s, n in reaction.net.items() if n and s in row]
        rows, columns, values = (
            (list(part) for part in zip(*entries, strict=True)) if entries else ([], [], [])
        )
        shape = (len(self.floating), len(self.reactions))
        return sparse.csr_array((np.array(values, dtype=float), (rows, columns)), shape=shape)

    @cached_property
    def _factors(self) -> npt.NDArray[np.intp]:
        """Per reaction, the columns of [floating, boundary, 1] whose product is its monomial."""
        column = {species: i for i, species in enumerate(self.floating + self.boundary)}
        one = len(column)
        order = max((reaction.order for reaction in self.reactions), default=0)
        factors = np.full((len(self.reactions), order), one, dtype=np.intp)
        for row, reaction in enumerate(self.reactions):
            molecules = [
                column[species] for species, count in reaction.substrates for _ in range(count)
            ]
            factors[row, : len(molecules)] = molecules
        return factors

    @cached_property
    def _own_stoichiometry(self) -> list[sparse.csr_array]:
        """Per position of `_factors`, N restricted to the species that stands there."""
        stoichiometry = sparse.coo_array(self.stoichiometry)
        rows, columns = stoichiometry.coords
        result = []
        for factor in self._factors.T:
            own = factor[columns] == rows
            entries = (stoichiometry.data[own], (rows[own], columns[own]))
            result.append(sparse.csr_array(entries, shape=stoichiometry.shape))
        return result

    def _without(self, position: int, extended: FloatArray, k: FloatArray) -> FloatArray:
        """Rates without the factor at one position: their derivative with respect to it."""
        result = k
        for other, factor in enumerate(self._factors.T):
            if other != position:
                result = result * extended[..., factor]
        return result

    @cached_property
    def _constant_of(self) -> npt.NDArray[np.intp]:
        index = {constant: i for i, constant in enumerate(self.rate_constants)}
        return np.array(
            [index[reaction.rate_constant] for reaction in self.reactions], dtype=np.intp
        )

    @cached_property
    def constants(self) -> FloatArray:
        """Values of the rate constants, shape (n_constants,), in the order of `rate_constants`."""
        value = {reaction.rate_constant: reaction.value for reaction in self.reactions}
        result = np.array([value[constant] for constant in self.rate_constants], dtype=float)
        read_only(result)
        return result

    @property
    def constant_values(self) -> dict[str, float]:
        """Values of the rate constants by identifier, in the order of `rate_constants`."""
        return dict(zip(self.rate_constants, self.constants.tolist(), strict=True))

    @property
    def constant_orders(self) -> dict[str, int]:
        """Orders of the reactions of each rate constant."""
        return {reaction.rate_constant: reaction.order for reaction in self.reactions}

    @property
    def start_values(self) -> dict[str, float]:
        """Initial concentrations of all species by identifier, the floating ones first, formulas
        worked out.
        """
        floating = dict(zip(self.floating, self.initial_state().tolist(), strict=True))
        return floating | dict(
            zip(self.boundary, self.boundary_concentrations.tolist(), strict=True)
        )

    @property
    def initial_concentrations(self) -> FloatArray:
        """Initial concentrations of the floating species, shape (n_floating,)."""
        return self.initial_state()

    @property
    def boundary_concentrations(self) -> FloatArray:
        """Concentrations of the boundary species, shape (n_boundary,)."""
        values = [species.initial for species in self.species if species.boundary]
        return np.array(values, dtype=float)

    def initial_state(
        self, boundary: npt.ArrayLike | None = None, constants: npt.ArrayLike | None = None
    ) -> FloatArray:
        """Initial concentrations (..., n_floating), their formulas taken at these boundary
        concentrations.
        """
        held = (
            self.boundary_concentrations if boundary is None else np.asarray(boundary, dtype=float)
        )
        k = self._all_constants(constants)
        values: dict[str, Any] = {name: k[..., i] for i, name in enumerate(self.rate_constants)}
        values |= {name: held[..., i] for i, name in enumerate(self.boundary)}
        for species in self.species:
            if not species.boundary:
                start = species.initial
                values[species.id] = (
                    start.evaluate(values) if isinstance(start, Expression) else start
                )
        lead = np.broadcast_shapes(held.shape[:-1], k.shape[:-1])
        columns = [np.broadcast_to(values[name], lead) for name in self.floating]
        return np.stack(columns, axis=-1) if columns else np.empty((*lead, 0))

    def _extended(self, x: npt.ArrayLike, boundary: npt.ArrayLike | None) -> FloatArray:
        x = np.asarray(x, dtype=float)
        if x.ndim == 0 or x.shape[-1] != len(self.floating):
            raise ReactionError(
                f"network {self.name!r}: concentrations have shape {x.shape}; expected (...,"
                f" {len(self.floating)}), one per floating species"
            )
        held = (
            self.boundary_concentrations if boundary is None else np.asarray(boundary, dtype=float)
        )
        if held.shape[-1:] != (len(self.boundary),):
            raise ReactionError(
                f"network {self.name!r}: boundary concentrations have shape {held.shape}; expected "
                f"(..., {len(self.boundary)}), one per boundary species"
            )
        lead = np.broadcast_shapes(x.shape[:-1], held.shape[:-1])
        return np.concatenate(
            [np.broadcast_to(part, lead + part.shape[-1:]) for part in (x, held, np.ones(1))],
            axis=-1,
        )

    def _constants_per_reaction(self, constants: npt.ArrayLike | None) -> FloatArray:
        return self._all_constants(constants)[..., self._constant_of]

    def _all_constants(self, constants: npt.ArrayLike | None) -> FloatArray:
        values = self.constants if constants is None else np.asarray(constants, dtype=float)
        if values.shape[-1:] != (len(self.rate_constants),):
            raise ReactionError(
                f"network {self.name!r}: constants have shape {values.shape}; expected "
                f"(..., {len(self.rate_constants)}), one per rate constant"
            )
        return values

    # The differential equation ----------------------------------------------------------------

    def rates(
        self,
        x: npt.ArrayLike,
        boundary: npt.ArrayLike | None = None,
        constants: npt.ArrayLike | None = None,
    ) -> FloatArray:
        """Reaction rates v, shape (..., n_reactions)."""
        return self._rates(self._extended(x, boundary), self._constants_per_reaction(constants))

    def _rates(self, extended: FloatArray, k: FloatArray) -> FloatArray:
        result = k
        for factor in self._factors.T:
            result = result * extended[..., factor]
        lead = extended.shape[:-1]
        return np.array(
            np.broadcast_to(
                result, np.broadcast_shapes(lead, result.shape[:-1]) + result.shape[-1:]
            )
        )

    def right_hand_side(
        self,
        x: npt.ArrayLike,
        boundary: npt.ArrayLike | None = None,
        constants: npt.ArrayLike | None = None,
    ) -> FloatArray:
        """dx/dt of the floating species, shape (..., n_floating)."""
        return _apply(self.stoichiometry, self.rates(x, boundary, constants))

    def balance(
        self,
        x: npt.ArrayLike,
        boundary: npt.ArrayLike | None = None,
        constants: npt.ArrayLike | None = None,
    ) -> Balance:
        """How far each floating species is from its fixed point; arrays of shape (..., n_floating)."""
        extended = self._extended(x, boundary)
        k = self._constants_per_reaction(constants)
        rates = self._rates(extended, k)
        slope = np.zeros((*rates.shape[:-1], len(self.floating)))
        for position, own in enumerate(self._own_stoichiometry):
            slope = slope + _apply(
                own, np.broadcast_to(self._without(position, extended, k), rates.shape)
            )
        return Balance(
            _apply(self.stoichiometry, rates), _apply(abs(self.stoichiometry), np.abs(rates)), slope
        )

    def jacobian(
        self,
        x: npt.ArrayLike,
        boundary: npt.ArrayLike | None = None,
        constants: npt.ArrayLike | None = None,
    ) -> sparse.csr_array:
        """d(dx/dt)/dx at one state x (n_floating,), sparse, shape (n_floating, n_floating)."""
        return self._jacobian(x, boundary, constants, range(len(self.floating)))

    def boundary_jacobian(
        self,
        x: npt.ArrayLike,
        boundary: npt.ArrayLike | None = None,
        constants: npt.ArrayLike | None = None,
    ) -> sparse.csr_array:
        """d(dx/dt)/d(boundary species) at one state x (n_floating,), sparse, shape (n_floating,
        n_boundary).
        """
        first = len(self.floating)
        return self._jacobian(x, boundary, constants, range(first, first + len(self.boundary)))

    def _jacobian(
        self, x: npt.ArrayLike, boundary: Any, constants: Any, species: range
    ) -> sparse.csr_array:
        """d(dx/dt) with respect to some of the floating and boundary species, by their columns in
        `_factors`.
        """
        extended = self._one_state(x, boundary)
        k = self._constants_per_reaction(constants)
        reactions, columns, values = [], [], []
        order = self._factors.shape[1]
        for position in range(order):
            column = self._factors[:, position]
            changes = np.flatnonzero((species.start <= column) & (column < species.stop))
            reactions.append(changes)
            columns.append(column[changes] - species.start)
            values.append(self._without(position, extended, k)[changes])
        shape = (len(self.reactions), len(species))
        if not order:
            return sparse.csr_array((len(self.floating), len(species)))
        gradient = sparse.csr_array(
            (np.concatenate(values), (np.concatenate(reactions), np.concatenate(columns))),
            shape=shape,
        )
        return sparse.csr_array(self.stoichiometry @ gradient)

    @cached_property
    def terms(self) -> dict[str, list[Term]]:
        """dx/dt of each floating species, as a sum of terms."""
        found: dict[str, list[Term]] = {species: [] for species in self.floating}
        for reaction, molecules, species, number in self._changes():
            found[species].append(Term(number, reaction.rate_constant, molecules))
        return found

    @cached_property
    def jacobian_terms(self) -> dict[tuple[str, str], list[Term]]:
        """d(dx/dt)/d(floating or boundary species) by (row, column), as sums of terms; what is zero
        is not there.
        """
        found: dict[tuple[str, str], Counter[tuple[str, tuple[str, ...]]]] = {}
        for reaction, molecules, species, number in self._changes():
            for position, column in enumerate(molecules):
                others = molecules[:position] + molecules[position + 1 :]
                found.setdefault((species, column), Counter())[reaction.rate_constant, others] += (
                    number
                )
        return {
            place: [Term(number, k, others) for (k, others), number in terms.items() if number]
            for place, terms in found.items()
        }

    def _changes(self) -> Iterator[tuple[Reaction, tuple[str, ...], str, int]]:
        """Every reaction, its molecules, and each floating species that it changes, with by how
        many.
        """
        floating = set(self.floating)
        for reaction in self.reactions:
            molecules = tuple(
                species for species, count in reaction.substrates for _ in range(count)
            )
            for species, number in reaction.net.items():
                if number and species in floating:
                    yield reaction, molecules, species, number

    def rate_constant_jacobian(
        self, x: npt.ArrayLike, boundary: npt.ArrayLike | None = None
    ) -> sparse.csr_array:
        """d(dx/dt)/dk at one state x (n_floating,), sparse, shape (n_floating, n_constants)."""
        monomials = self._one_state(x, boundary)[self._factors].prod(axis=1)
        rows = np.arange(len(self.reactions))
        shape = (len(self.reactions), len(self.rate_constants))
        gradient = sparse.csr_array((monomials, (rows, self._constant_of)), shape=shape)
        return sparse.csr_array(self.stoichiometry @ gradient)

    def observe(
        self,
        x: npt.ArrayLike,
        boundary: npt.ArrayLike | None = None,
        constants: npt.ArrayLike | None = None,
    ) -> FloatArray:
        """Values of the observables, shape (..., n_observables)."""
        extended = self._extended(x, boundary)
        k = self._all_constants(constants)
        values = {s: extended[..., i] for i, s in enumerate(self.floating + self.boundary)}
        values |= {constant: k[..., i] for i, constant in enumerate(self.rate_constants)}
        lead = extended.shape[:-1]
        columns = [np.broadcast_to(o.expression.evaluate(values), lead) for o in self.observables]
        return np.stack(columns, axis=-1) if columns else np.empty((*lead, 0))

    def _one_state(self, x: npt.ArrayLike, boundary: npt.ArrayLike | None) -> FloatArray:
        extended = self._extended(x, boundary)
        if extended.ndim != 1:
            raise ReactionError(
                f"network {self.name!r}: derivatives are taken at one state; got concentrations of"
                f" shape {np.shape(x)}"
            )
        return extended


def _apply(matrix: sparse.csr_array, vectors: FloatArray) -> FloatArray:
    """matrix @ v for every v along the last axis."""
    flat = vectors.reshape(math.prod(vectors.shape[:-1]), vectors.shape[-1])
    return np.asarray((matrix @ flat.T).T).reshape(*vectors.shape[:-1], matrix.shape[0])
