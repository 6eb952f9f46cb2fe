"""Mass-action reaction networks and the ordinary differential equation that they define.

For reaction r with rate constant k_r and substrates s taken a_rs times,

    v_r = k_r * prod_s x_s ** a_rs,        dx/dt = N v,

where N is the net stoichiometry (products minus substrates) of the floating species. Boundary
species act in rates and are held constant. Source: any text on chemical reaction network theory,
for example Feinberg, Foundations of Chemical Reaction Network Theory (2019), chapter 2.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from crn_nn_tellurium.basics import PATTERN, FloatArray, read_only
from crn_nn_tellurium.chemistry.conservation import ConservedSums, conserved_sums
from crn_nn_tellurium.chemistry.expressions import Expression, Monomial
from crn_nn_tellurium.chemistry.rates import Balance, Terms
from crn_nn_tellurium.chemistry.reactions import Observable, Reaction, Side, Species
from crn_nn_tellurium.chemistry.units import (
    CONCENTRATION,
    MODEL_UNITS,
    Dimension,
    Units,
    must_convert,
)
from crn_nn_tellurium.errors import ReactionError

_Given = npt.ArrayLike | None
"""What replaces the network's own numbers; None leaves them."""


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

    # signs too: a text writes a rate constant that stands for a signed number once, with one sign
    def _check_constants(self) -> dict[str, tuple[float, int, int]]:
        constants: dict[str, tuple[float, int, int]] = {}
        for reaction in self.reactions:
            use = (reaction.value, reaction.order, reaction.sign)
            known = constants.setdefault(reaction.rate_constant, use)
            if known[:2] != use[:2]:
                raise ReactionError(
                    f"reaction {reaction.id!r}: rate constant {reaction.rate_constant!r} is"
                    f" {use[0]!r} at order {use[1]}, but {known[0]!r} at order {known[1]} in an"
                    " earlier reaction; reactions that share a rate constant must agree in both"
                )
            if known != use:
                raise ReactionError(
                    f"reaction {reaction.id!r}: rate constant {reaction.rate_constant!r} is the"
                    f" size of a number of sign {use[2]}, but of sign {known[2]} in an earlier"
                    " reaction; reactions that share a rate constant must agree in it"
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
        # start values are worked out in order, so that no formula can read itself
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
    def conserved_sums(self) -> ConservedSums:
        """Combinations of the floating species that no reaction changes; see `ConservedSums`."""
        return conserved_sums(self.stoichiometry)

    @cached_property
    def _reaction_terms(self) -> Terms:
        """The reaction rates, one term each, by reaction."""
        # a reaction of lower order than the highest is filled up with 1s, which stand last
        column = {species: i for i, species in enumerate(self.floating + self.boundary)}
        constant = {name: i for i, name in enumerate(self.rate_constants)}
        order = max((reaction.order for reaction in self.reactions), default=0)
        n = len(self.reactions)
        factors = np.full((n, order), len(column), dtype=np.intp)
        for row, reaction in enumerate(self.reactions):
            molecules = [column[s] for s, count in reaction.substrates for _ in range(count)]
            factors[row, : len(molecules)] = molecules
        constants = np.array([constant[r.rate_constant] for r in self.reactions], dtype=np.intp)
        return Terms(np.ones(n), constants, factors, np.arange(n), n, len(column))

    @cached_property
    def terms(self) -> Terms:
        """dx/dt of each floating species, as a table of terms."""
        rates, changes = self._reaction_terms, self.stoichiometry
        reaction = changes.indices
        row = np.repeat(np.arange(len(self.floating)), np.diff(changes.indptr))
        return Terms(
            changes.data,
            rates.constant[reaction],
            rates.factors[reaction],
            row,
            len(self.floating),
            rates.one,
        )

    @cached_property
    def jacobian_terms(self) -> Terms:
        """d(dx/dt)/d(floating or boundary species), as a table of the terms that are not zero."""
        return self.terms.derivative()

    @cached_property
    def _slope_terms(self) -> Terms:
        return self.jacobian_terms.where(self.jacobian_terms.row == self.jacobian_terms.column)

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
    def constant_signs(self) -> dict[str, int]:
        """Signs of the numbers that rate constants are the sizes of, 0 for others."""
        return {reaction.rate_constant: reaction.sign for reaction in self.reactions}

    @property
    def start_values(self) -> dict[str, float]:
        """Initial concentrations of all species by identifier, the floating ones first, formulas
        worked out.
        """
        values = [*self.initial_state().tolist(), *self.boundary_concentrations.tolist()]
        return dict(zip(self.floating + self.boundary, values, strict=True))

    @property
    def initial_concentrations(self) -> FloatArray:
        """Initial concentrations of the floating species, shape (n_floating,)."""
        return self.initial_state()

    @property
    def boundary_concentrations(self) -> FloatArray:
        """Concentrations of the boundary species, shape (n_boundary,)."""
        values = [species.initial for species in self.species if species.boundary]
        return np.array(values, dtype=float)

    def initial_state(self, boundary: _Given = None, constants: _Given = None) -> FloatArray:
        """Initial concentrations (..., n_floating), their formulas taken at these boundary
        concentrations.
        """
        held, k = self._held(boundary), self._all_constants(constants)
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

    def with_starts(self, boundary: _Given = None) -> ReactionNetwork:
        """With numbers for start values, formulas taken at these boundary concentrations."""
        start = dict(zip(self.floating, self.initial_state(boundary).tolist(), strict=True))
        species = (replace(s, initial=start.get(s.id, s.initial)) for s in self.species)
        return replace(self, species=tuple(species))

    def in_units(self, units: Units) -> ReactionNetwork:
        """The network in other units; see `PhysicalUnits.of`."""
        if not must_convert(f"network {self.name!r}", self.units, units):
            return self
        measures = {species.id: CONCENTRATION for species in self.species}
        measures |= {k: Dimension.rate_constant(n) for k, n in self.constant_orders.items()}

        def concentration(value: Any) -> Any:
            """A formula for a concentration, for symbols in these units, or a number."""
            if not isinstance(value, Expression):
                return float(units.concentration(value))
            terms = []
            for term in value.terms:
                # sqrt(h) for a concentration is 1 sqrt(h / k) with a k of 1, which the text left
                # out: what the symbols' dimensions lack is that of the coefficient
                lacking = CONCENTRATION
                for symbol, power in term.powers:
                    lacking = lacking / measures[symbol] ** power
                terms.append(Monomial(units.convert(term.coefficient, lacking), term.powers))
            return Expression(tuple(terms))

        return replace(
            self,
            species=tuple(replace(s, initial=concentration(s.initial)) for s in self.species),
            reactions=tuple(
                replace(r, value=float(units.rate_constant(r.value, r.order)))
                for r in self.reactions
            ),
            observables=tuple(
                replace(o, expression=concentration(o.expression)) for o in self.observables
            ),
            units=units,
        )

    def _extended(self, x: npt.ArrayLike, boundary: _Given) -> FloatArray:
        """[floating, boundary, 1] (..., n): what the factors of terms are chosen from."""
        state = self._checked("concentrations", x, len(self.floating), "floating species")
        held = self._held(boundary)
        lead = np.broadcast_shapes(state.shape[:-1], held.shape[:-1])
        parts = (state, held, np.ones(1))
        return np.concatenate(
            [np.broadcast_to(part, lead + part.shape[-1:]) for part in parts], axis=-1
        )

    def _held(self, boundary: _Given) -> FloatArray:
        given = self.boundary_concentrations if boundary is None else boundary
        what = "boundary concentrations"
        return self._checked(what, given, len(self.boundary), "boundary species")

    def _all_constants(self, constants: _Given) -> FloatArray:
        given = self.constants if constants is None else constants
        return self._checked("constants", given, len(self.rate_constants), "rate constant")

    def _checked(self, what: str, given: npt.ArrayLike, n: int, each: str) -> FloatArray:
        values = np.asarray(given, dtype=float)
        if values.shape[-1:] != (n,):
            raise ReactionError(
                f"network {self.name!r}: {what} have shape {values.shape}; expected (..., {n}), one"
                f" per {each}"
            )
        return values

    # The differential equation ----------------------------------------------------------------

    def rates(
        self, x: npt.ArrayLike, boundary: _Given = None, constants: _Given = None
    ) -> FloatArray:
        """Reaction rates v, shape (..., n_reactions)."""
        extended, k = self._extended(x, boundary), self._all_constants(constants)
        return self._reaction_terms.sums(extended, k)

    def right_hand_side(
        self, x: npt.ArrayLike, boundary: _Given = None, constants: _Given = None
    ) -> FloatArray:
        """dx/dt of the floating species, shape (..., n_floating)."""
        return self.terms.sums(self._extended(x, boundary), self._all_constants(constants))

    def balance(
        self, x: npt.ArrayLike, boundary: _Given = None, constants: _Given = None
    ) -> Balance:
        """How far each floating species is from its fixed point; arrays (..., n_floating)."""
        extended, k = self._extended(x, boundary), self._all_constants(constants)
        parts = self.terms.monomials(extended, k)
        return Balance(
            self.terms.add(parts),
            self.terms.add(parts, sizes=True),
            self._slope_terms.sums(extended, k),
        )

    def jacobian(
        self, x: npt.ArrayLike, boundary: _Given = None, constants: _Given = None
    ) -> sparse.csr_array:
        """d(dx/dt)/dx at one state x (n_floating,), sparse, shape (n_floating, n_floating)."""
        extended, k = self._one_state(x, boundary), self._all_constants(constants)
        return self.jacobian_terms.matrix(extended, k)[:, : len(self.floating)]

    def boundary_jacobian(
        self, x: npt.ArrayLike, boundary: _Given = None, constants: _Given = None
    ) -> sparse.csr_array:
        """d(dx/dt)/d(boundary species) at one state x (n_floating,), sparse, shape (n_floating,
        n_boundary).
        """
        extended, k = self._one_state(x, boundary), self._all_constants(constants)
        return self.jacobian_terms.matrix(extended, k)[:, len(self.floating) :]

    def rate_constant_jacobian(self, x: npt.ArrayLike, boundary: _Given = None) -> sparse.csr_array:
        """d(dx/dt)/dk at one state x (n_floating,), sparse, shape (n_floating, n_constants)."""
        extended = self._one_state(x, boundary)
        return self.terms.by_constant(extended, len(self.rate_constants))

    def observe(
        self, x: npt.ArrayLike, boundary: _Given = None, constants: _Given = None
    ) -> FloatArray:
        """Values of the observables, shape (..., n_observables)."""
        extended, k = self._extended(x, boundary), self._all_constants(constants)
        values = {s: extended[..., i] for i, s in enumerate(self.floating + self.boundary)}
        values |= {constant: k[..., i] for i, constant in enumerate(self.rate_constants)}
        lead = extended.shape[:-1]
        columns = [np.broadcast_to(o.expression.evaluate(values), lead) for o in self.observables]
        return np.stack(columns, axis=-1) if columns else np.empty((*lead, 0))

    def _one_state(self, x: npt.ArrayLike, boundary: _Given) -> FloatArray:
        extended = self._extended(x, boundary)
        if extended.ndim != 1:
            raise ReactionError(
                f"network {self.name!r}: derivatives are taken at one state; got concentrations of"
                f" shape {np.shape(x)}"
            )
        return extended
