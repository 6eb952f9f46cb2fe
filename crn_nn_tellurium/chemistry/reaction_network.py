"""Mass-action reaction networks and the ordinary differential equation that they define.

For reaction r with rate constant k_r and substrates s taken a_rs times,

    v_r = k_r * prod_s x_s ** a_rs,        dx/dt = N v,

where N is the net stoichiometry (products minus substrates) of the floating species. Boundary
species act in rates and are held constant. Source: any text on chemical reaction network theory,
for example Feinberg, Foundations of Chemical Reaction Network Theory (2019), chapter 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from crn_nn_tellurium.basics import (
    FloatArray,
    all_of_kind,
    read_only,
)
from crn_nn_tellurium.chemistry.checking import (
    check_constants,
    check_formulas,
    check_identifiers,
    check_numbers,
    check_references,
)
from crn_nn_tellurium.chemistry.conservation import ConservedSums, conserved_sums
from crn_nn_tellurium.chemistry.conversion import converted, followed, with_numbers, with_starts
from crn_nn_tellurium.chemistry.expressions import Expression
from crn_nn_tellurium.chemistry.following import (
    Parameter,
    check_given,
    check_sizes,
    check_starts,
    follow,
    in_order,
    jacobian_of,
    sparse_matrix,
    stacked,
)
from crn_nn_tellurium.chemistry.rates import Balance, Terms, settle_in_turn
from crn_nn_tellurium.chemistry.reactions import Observable, Reaction, Species
from crn_nn_tellurium.chemistry.tables import reaction_table, reactions_card, species_table
from crn_nn_tellurium.chemistry.units import MODEL_UNITS, Units, check_units, must_convert
from crn_nn_tellurium.errors import ReactionError

if TYPE_CHECKING:
    import pandas as pd

_Given = npt.ArrayLike | None
"""What replaces the network's own numbers; None leaves them."""
_PARTS = {
    "species": Species,
    "reactions": Reaction,
    "observables": Observable,
    "parameters": Parameter,
}


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
    parameters : sequence of Parameter, optional
        Constants that formulas read, of rate constants, start values and observables.
    formulas : mapping of str to Expression, optional
        Rate constants and parameters that follow from others: their values are taken from here, and
        `derive` takes them anew where others change.

    Attributes
    ----------
    floating, boundary : tuple of str
        Species that the reactions change, and species held constant; their order is the order
        of the arrays below.
    rate_constants : tuple of str
        Identifiers of the rate constants, each once, in order of first use.
    constant_names : tuple of str
        Those and then the parameters: the order of ``constants``.

    Raises
    ------
    ReactionError
        On a bad or repeated identifier, an unknown species, a rate constant with two values, or
        formulas that go in a circle, have no finite value or give a rate constant below zero.

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
    parameters: tuple[Parameter, ...] = ()
    formulas: tuple[tuple[str, Expression], ...] = ()
    floating: tuple[str, ...] = field(init=False, compare=False)
    boundary: tuple[str, ...] = field(init=False, compare=False)
    rate_constants: tuple[str, ...] = field(init=False, compare=False)
    constant_names: tuple[str, ...] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        def keep(attribute: str, content: tuple[Any, ...]) -> None:
            object.__setattr__(self, attribute, content)

        for attribute, kind in _PARTS.items():
            keep(attribute, all_of_kind(attribute, getattr(self, attribute), kind, ReactionError))
        constants = tuple(check_constants(self.reactions))
        names = (*constants, *(p.id for p in self.parameters))
        given = check_formulas(self.formulas)
        check_units(self.units)
        listed = dict.fromkeys([*(name for name in names if name in given), *given])
        keep("formulas", tuple((name, given[name]) for name in listed))
        check_identifiers(self, constants)
        check_references(self, names)
        keep("floating", tuple(s.id for s in self.species if not s.boundary))
        keep("boundary", tuple(s.id for s in self.species if s.boundary))
        keep("rate_constants", constants)
        keep("constant_names", names)
        if given:
            for attribute, content in followed(self).items():
                keep(attribute, content)
        self.start_formulas  # noqa: B018  # refuses circles

    def __repr__(self) -> str:
        return (
            f"ReactionNetwork({self.name!r}: {len(self.floating)} floating and {len(self.boundary)}"
            f" boundary species, {len(self.reactions)} reactions, {len(self.rate_constants)} rate"
            " constants)"
        )

    @property
    def identifiers(self) -> tuple[str, ...]:
        """Of species, reactions, observables, rate constants and parameters; each is there once."""
        parts = (self.species, self.reactions, self.observables)
        return tuple(entity.id for part in parts for entity in part) + self.constant_names

    # Arrays -----------------------------------------------------------------------------------

    @cached_property
    def stoichiometry(self) -> sparse.csr_array:
        """Net stoichiometry N, shape (n_floating, n_reactions)."""
        row = {species: i for i, species in enumerate(self.floating)}
        entries: list[tuple[int, int, float]] = []
        for column, reaction in enumerate(self.reactions):
            entries += [(row[s], column, n) for s, n in reaction.net.items() if n and s in row]
        return sparse_matrix(entries, (len(self.floating), len(self.reactions)))

    @cached_property
    def conserved_sums(self) -> ConservedSums:
        """Combinations of the floating species that no reaction changes; see `ConservedSums`."""
        return conserved_sums(self.stoichiometry)

    @cached_property
    def _reaction_terms(self) -> Terms:
        """The reaction rates, one term each, by reaction."""
        return Terms.of_rates(self.reactions, self.floating + self.boundary, self.rate_constants)

    @cached_property
    def terms(self) -> Terms:
        """dx/dt of each floating species, as a table of terms."""
        return self._reaction_terms.in_changes(self.stoichiometry)

    @cached_property
    def jacobian_terms(self) -> Terms:
        """d(dx/dt)/d(floating or boundary species), as a table of the terms that are not zero."""
        return self.terms.derivative()

    @cached_property
    def _slope_terms(self) -> Terms:
        return self.jacobian_terms.where(self.jacobian_terms.row == self.jacobian_terms.column)

    @cached_property
    def settles_in_turn(self) -> bool:
        """Whether no species act on one another both ways, and two of none make more of it: then
        all its positive steady states are stable.
        """
        return settle_in_turn(self.terms, self.jacobian_terms)

    @cached_property
    def constants(self) -> FloatArray:
        """Values of rate constants and parameters, (n_constants,), in `constant_names`' order."""
        value = {reaction.rate_constant: reaction.value for reaction in self.reactions}
        value |= {parameter.id: parameter.value for parameter in self.parameters}
        result = np.array([value[constant] for constant in self.constant_names], dtype=float)
        read_only(result)
        return result

    @property
    def constant_values(self) -> dict[str, float]:
        """Values of the rate constants by identifier, in the order of `rate_constants`."""
        values = self.constants[: len(self.rate_constants)].tolist()
        return dict(zip(self.rate_constants, values, strict=True))

    @property
    def constant_orders(self) -> dict[str, int]:
        """Orders of the reactions of each rate constant."""
        return {reaction.rate_constant: reaction.order for reaction in self.reactions}

    @property
    def constant_signs(self) -> dict[str, int]:
        """Signs of the numbers that rate constants are the sizes of, 0 for others."""
        return {reaction.rate_constant: reaction.sign for reaction in self.reactions}

    # What follows from what -------------------------------------------------------------------

    @property
    def free_constants(self) -> tuple[str, ...]:
        """The constants without a formula: those that can be set."""
        followed = dict(self.formulas)
        return tuple(name for name in self.constant_names if name not in followed)

    @cached_property
    def _formulas_in_order(self) -> dict[str, Expression]:
        formulas = dict(self.formulas)
        return {k: formulas[k] for k in in_order(formulas, "formulas of constants")}

    @cached_property
    def start_formulas(self) -> dict[str, Expression]:
        """Initial concentrations that are formulas, each after those that it reads."""
        starts = {s.id: s.initial for s in self.species if isinstance(s.initial, Expression)}
        return {s: starts[s] for s in in_order(starts, "start values")}

    def derive(self, constants: npt.ArrayLike) -> FloatArray:
        """Constants (..., n_constants) with those that follow from others taken anew.

        Raises
        ------
        ReactionError
            If a formula has no finite value there, or gives a rate constant below zero.
        """
        k = self._all_constants(constants)
        if not self.formulas:
            return k
        values = {name: k[..., i] for i, name in enumerate(self.constant_names)}
        follow(self._formulas_in_order, values)
        rates = set(self.rate_constants)
        check_sizes({k: f for k, f in self.formulas if k in rates}, values)
        return stacked([values[name] for name in self.constant_names], k.shape[:-1])

    def input_jacobian(self) -> sparse.csc_array:
        """How all that the equations read moves with what can be set.

        Sparse, shape (n_constants + n_boundary, n_free_constants + n_boundary): of `constant_names`
        and `boundary` by `free_constants` and `boundary`. A boundary species can be set, though its
        start may be a formula.
        """
        formulas = {**self._formulas_in_order, **self.start_formulas}
        values = dict(zip(self.constant_names, self.constants.tolist(), strict=True))
        names = (*self.constant_names, *self.boundary)
        settable = (*self.free_constants, *self.boundary)
        return jacobian_of(names, settable, formulas, values | self.start_values)

    @property
    def start_values(self) -> dict[str, float]:
        """Initial concentrations by identifier, floating species first, formulas worked out."""
        found = self.starts()
        return {name: float(found[name]) for name in self.floating + self.boundary}

    @property
    def initial_concentrations(self) -> FloatArray:
        """Initial concentrations of the floating species, shape (n_floating,)."""
        return self.initial_state()

    @property
    def boundary_concentrations(self) -> FloatArray:
        """Concentrations of the boundary species, shape (n_boundary,)."""
        return self.held_state()

    def starts(
        self, constants: _Given = None, given: Mapping[str, npt.ArrayLike] | None = None
    ) -> dict[str, Any]:
        """Initial concentrations of all species by identifier, at these constants.

        Those in `given`, numbers or arrays that broadcast, go before the network's own, and what is
        a formula in them follows.

        Raises
        ------
        InputError
            If what is given is no mapping of species.
        ReactionError
            If a formula has no finite value there, or one below zero.
        """
        if given is not None:
            check_given(given, self.floating + self.boundary)
        k, own = self._all_constants(constants), dict(given or {})
        values: dict[str, Any] = {name: k[..., i] for i, name in enumerate(self.constant_names)}
        values |= {s.id: s.initial for s in self.species if not isinstance(s.initial, Expression)}
        values |= own
        formulas = {s: f for s, f in self.start_formulas.items() if s not in own}
        follow(formulas, values)
        check_starts(formulas, values)
        return {species.id: values[species.id] for species in self.species}

    def held_state(self, constants: _Given = None) -> FloatArray:
        """Concentrations of the boundary species (..., n_boundary), formulas at these constants."""
        values: dict[str, Any] = {s.id: s.initial for s in self.species}
        constants = None if constants is None else self._all_constants(constants)
        if not self.start_formulas.keys().isdisjoint(self.boundary):
            values = self.starts(constants)
        lead = () if constants is None else np.shape(constants)[:-1]
        return stacked([values[name] for name in self.boundary], lead)

    def initial_state(self, boundary: _Given = None, constants: _Given = None) -> FloatArray:
        """Initial concentrations (..., n_floating), their formulas taken at these boundary
        concentrations.
        """
        held = self.held_state(constants) if boundary is None else self._held(boundary)
        k = self._all_constants(constants)
        values = self.starts(k, {name: held[..., i] for i, name in enumerate(self.boundary)})
        lead = np.broadcast_shapes(held.shape[:-1], k.shape[:-1])
        return stacked([values[name] for name in self.floating], lead)

    def with_starts(self, boundary: _Given = None) -> ReactionNetwork:
        """The network with numbers for start values, formulas taken at these concentrations
        (n_boundary,), by default its own.
        """
        return with_starts(self, self._held(boundary))

    def with_numbers(self) -> ReactionNetwork:
        """The network with numbers for all constants: no parameters, no formulas of constants."""
        return with_numbers(self)

    def in_units(self, units: Units) -> ReactionNetwork:
        """The network in other units; see `PhysicalUnits.of`."""
        if not must_convert(f"network {self.name!r}", self.units, units):
            return self
        return converted(self, units)

    def _extended(self, x: npt.ArrayLike, boundary: _Given) -> FloatArray:
        """[floating, boundary, 1] (..., n): what the factors of terms are chosen from."""
        state = check_numbers(self, "concentrations", x, self.floating, "floating species")
        held = self._held(boundary)
        lead = np.broadcast_shapes(state.shape[:-1], held.shape[:-1])
        parts = (state, held, np.ones(1))
        return np.concatenate(
            [np.broadcast_to(part, lead + part.shape[-1:]) for part in parts], axis=-1
        )

    def _held(self, boundary: _Given) -> FloatArray:
        given = self.boundary_concentrations if boundary is None else boundary
        what = "boundary concentrations"
        return check_numbers(self, what, given, self.boundary, "boundary species")

    def _all_constants(self, constants: _Given) -> FloatArray:
        given = self.constants if constants is None else constants
        each = "rate constant or parameter"
        return check_numbers(self, "constants", given, self.constant_names, each)

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
        extended, k = self._one_state(x, boundary, constants)
        return self.jacobian_terms.matrix(extended, k)[:, : len(self.floating)]

    def boundary_jacobian(
        self, x: npt.ArrayLike, boundary: _Given = None, constants: _Given = None
    ) -> sparse.csr_array:
        """d(dx/dt)/d(boundary species) at one state x (n_floating,), sparse, shape (n_floating,
        n_boundary).
        """
        extended, k = self._one_state(x, boundary, constants)
        return self.jacobian_terms.matrix(extended, k)[:, len(self.floating) :]

    def rate_constant_jacobian(self, x: npt.ArrayLike, boundary: _Given = None) -> sparse.csr_array:
        """d(dx/dt)/dk at one state x (n_floating,), sparse, shape (n_floating, n_constants)."""
        extended, _ = self._one_state(x, boundary)
        return self.terms.by_constant(extended, len(self.constant_names))

    @np.errstate(divide="ignore", invalid="ignore")
    def observe(
        self, x: npt.ArrayLike, boundary: _Given = None, constants: _Given = None
    ) -> FloatArray:
        """Values of the observables, shape (..., n_observables); a quotient over 0 is infinite, or
        NaN.
        """
        extended, k = self._extended(x, boundary), self._all_constants(constants)
        values = {s: extended[..., i] for i, s in enumerate(self.floating + self.boundary)}
        values |= {constant: k[..., i] for i, constant in enumerate(self.constant_names)}
        read = [o.expression.evaluate(values) for o in self.observables]
        return stacked(read, np.broadcast_shapes(extended.shape[:-1], k.shape[:-1]))

    def _one_state(
        self, x: npt.ArrayLike, boundary: _Given, constants: _Given = None
    ) -> tuple[FloatArray, FloatArray]:
        extended, k = self._extended(x, boundary), self._all_constants(constants)
        for what, found in (("concentrations", extended), ("constants", k)):
            if found.ndim != 1:
                raise ReactionError(
                    f"network {self.name!r}: derivatives are taken at one state; got {what} of"
                    f" shape {found.shape}"
                )
        return extended, k

    def to_frame(self) -> pd.DataFrame:
        """A row per reaction: its equation, its rate constant and that one's value.

        Examples
        --------
        >>> crn = ReactionNetwork([Species("A", 1.0)], [Reaction("J", ("A",), (), "k", 2.0)])
        >>> crn.to_frame().loc["J"].to_dict()
        {'equation': 'A =>', 'rate_constant': 'k', 'value': 2.0, 'name': ''}
        """
        return reaction_table(self.reactions)

    def species_to_frame(self) -> pd.DataFrame:
        """A row per species: its start value, and whether it is held there."""
        return species_table(self)

    def _repr_html_(self) -> str:
        return reactions_card(self)
