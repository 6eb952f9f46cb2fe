"""A layer's fixed point and its derivatives, from its reactions.

A layer's species y, given what it reads (catalysts x) and its rate constants k, settle where

    0 = f(y, x, k) = local(y, k) + drive(x, k) * y   (the second term on rails alone).

For a loss with gradient g with respect to y, the implicit function theorem gives, with J = df/dy,

    J^T lambda = g,    dL/dk = -lambda . df/dk,    dL/dx = -lambda . df/dx.

J is block triangular in the local names of `Activation.species`: a rail depends on itself, a
follower on rails and followers before it. Each block is solved for all samples and units at once.
What stands in J is the Jacobian of the layer's own `ReactionNetwork` (`encoding.local_reactions`);
nothing here knows any activation's formula.

Everything is in terms of rate constants, so that it serves perturbed ones as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.chemistry import Balance, Terms
from crn_nn_tellurium.encoding import LayerEncoding, local_reactions, weighted_sums
from crn_nn_tellurium.errors import NotCertified
from crn_nn_tellurium.kinetics.layer_state import LayerState, by_species, positive_root
from crn_nn_tellurium.kinetics.linearized import Linearized
from crn_nn_tellurium.kinetics.rate_constants import Drive, RateConstants
from crn_nn_tellurium.networks import (
    bias_constant,
    outer_sum,
    places,
    smoothed_relu,
    values_of,
    weight_constant,
    with_values,
)

_NEWTON_STEPS = 50
"""From the rails' exact roots few suffice; what takes more has no positive fixed point."""
_AT_REST = 1e-8
"""Relative steps that rounding may leave at a fixed point; longer ones lead elsewhere."""

Catalysts = tuple[tuple[int, ...], tuple[int, ...]]
"""A product m of local species: of the unit, and of each *other* unit of the layer, added up."""


class LayerKinetics:
    """The kinetics of one layer: where it settles, and how that answers to small changes."""

    def __init__(self, encoding: LayerEncoding) -> None:
        self.encoding = encoding
        self.activation = encoding.activation
        self.local = local_reactions(encoding)
        self.constants = RateConstants.of(encoding)
        self._signs = [rail.sign for rail in self.activation.rails]

    @property
    def name(self) -> str:
        """The layer's."""
        return self.encoding.layer.name

    @cached_property
    def drive(self) -> Drive:
        """What drives the units, by the network's rate constants."""
        return Drive(self.encoding, self.constants.shared)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Identifiers of the numbers of `constants`: of weights as they are stored, of biases by
        unit and rail (rails without a shift of their own share one), and of local ones.
        """
        encoding, index = self.encoding, self.encoding.index
        rows, columns = (part.tolist() for part in places(encoding.weights))
        pairs, rails = zip(rows, columns, strict=True), self.activation.rails
        return (
            *(weight_constant(index, j, encoding.catalysts[i].label) for j, i in pairs),
            *(
                bias_constant(index, j, rail.name if rail.shift else "")
                for j in range(encoding.layer.n_out)
                for rail in rails
            ),
            *self.local.rate_constants,
        )

    # Terms of the local network -----------------------------------------------------------------

    @cached_property
    def _pool(self) -> tuple[int, ...]:
        """Which species of a unit each boundary species of the local network stands for."""
        return tuple(self.activation.species.index(name) for name in self.activation.pooled)

    def factors(self, terms: Terms, term: int) -> tuple[list[int], list[int]]:
        """A term's factors: the unit's own species, and those of all units of the layer."""
        n, symbols = len(self.local.floating), terms.symbols(term)
        return [a for a in symbols if a < n], [self._pool[a - n] for a in symbols if a >= n]

    def value(
        self,
        terms: Terms,
        term: int,
        constants: FloatArray,
        y: Sequence[FloatArray],
        by_pair: bool = False,
    ) -> Any:
        """One term by unit (n, n_units), added up over the pool; or by unit and unit of the pool
        (n, n_units, n_units).
        """
        own, pooled = self.factors(terms, term)
        k = constants[terms.constant[term]]
        # a constant of each unit's own has no axis for the pool
        result: Any = terms.number[term] * (k[..., None] if by_pair and np.ndim(k) else k)
        for a in own:
            result = result * (y[a][:, :, None] if by_pair else y[a])
        if by_pair:
            for b in pooled:
                result = result * y[b][:, None, :]
        elif pooled:
            product: Any = math.prod(y[b] for b in pooled)
            result = result * product.sum(axis=1, keepdims=True)
        return result

    @cached_property
    def _entries(self) -> tuple[dict[tuple[int, int], list[int]], dict[tuple[int, int], list[int]]]:
        """Terms of df_a/dy_b by (a, b): within a unit, and by each unit of the layer besides."""
        terms, n = self.local.jacobian_terms, len(self.local.floating)
        assert terms.column is not None
        # a rail's drive stands on its diagonal, which is there even without a term
        own: dict[tuple[int, int], list[int]] = {(r, r): [] for r in range(len(self._signs))}
        pool: dict[tuple[int, int], list[int]] = {}
        for t, (a, b) in enumerate(zip(terms.row.tolist(), terms.column.tolist(), strict=True)):
            if b < n:
                own.setdefault((a, b), []).append(t)
            else:
                pool.setdefault((a, self._pool[b - n]), []).append(t)
        return own, pool

    @cached_property
    def blocks(self) -> tuple[tuple[int, ...], ...]:
        """Local species that depend on one another both ways, what a block depends on before it."""
        import networkx as nx  # a tenth of a second, for derivatives and bounds alone

        acts = nx.DiGraph((b, a) for part in self._entries for a, b in part)
        parts = nx.condensation(acts)
        order = nx.lexicographical_topological_sort(parts)
        return tuple(tuple(sorted(parts.nodes[part]["members"])) for part in order)

    @cached_property
    def _together(self) -> set[tuple[int, int]]:
        """Pairs of species of one block."""
        return {(a, b) for block in self.blocks for a in block for b in block}

    @cached_property
    def by_catalysts(self) -> list[dict[Catalysts, list[int]]]:
        """Per local species, its terms by what catalyses them; of rails, without the drive."""
        terms = self.local.terms
        result: list[dict[Catalysts, list[int]]] = [{} for _ in self.activation.species]
        for t, species in enumerate(terms.row.tolist()):
            own, pooled = self.factors(terms, t)
            others = [a for a in own if a != species]
            found = result[species]
            found.setdefault((tuple(sorted(others)), tuple(pooled)), []).append(t)
            if pooled:
                # a pool holds the unit itself: its own part shares what the unit's species share
                found.setdefault((tuple(sorted(others + pooled)), ()), []).append(t)
        return result

    @cached_property
    def knot(self) -> tuple[str, ...]:
        """Species of which each acts on the others, of its unit or of others, if there are any."""
        for block in self.blocks:
            if len(block) > 1 or (*block, *block) in self._entries[1]:
                return tuple(self.activation.species[a] for a in block)
        return ()

    def check_order(self, remedy: str, error: type[ValueError] = NotCertified) -> None:
        """Refuse an activation whose species depend on each other both ways."""
        if self.knot:
            raise error(
                f"layer {self.name!r}: species {', '.join(self.knot)} of {self.activation} act on"
                " one another both ways, so their signs alone do not tell where they settle;"
                f" {remedy}"
            )

    # The fixed point --------------------------------------------------------------------------

    def at(
        self,
        catalysts: FloatArray,
        concentrations: FloatArray,
        constants: RateConstants | None = None,
    ) -> LayerState:
        """The layer at concentrations (n, n_units, n_species) that are found by the engine."""
        used = constants or self.constants
        drive = self._drive(catalysts @ self.weights(used).T, used)
        return LayerState(catalysts, drive, by_species(concentrations))

    def weights(self, constants: RateConstants) -> Any:
        """The weights (n_units, n_catalysts) among rate constants without samples."""
        own = self.encoding.weights
        return own if constants is self.constants else with_values(own, constants.weights)

    def settle(
        self, catalysts: FloatArray, constants: RateConstants | None = None, by_row: bool = False
    ) -> LayerState:
        """The layer at its fixed point.

        With `by_row`, a sample's state is the same to the bit in whatever batch it comes; a matrix
        product, many times faster for large layers, differs in the last bits.
        """
        used = constants or self.constants
        weights = self.weights(used)
        sums = weighted_sums(weights, catalysts) if by_row else catalysts @ weights.T
        drive = self._drive(sums, used)
        if constants is None:
            z = (sums + self.encoding.bias) / self.activation.gain
            return LayerState(catalysts, drive, by_species(self.activation.concentrations(z)))
        # the closed form holds for the network's own rate constants alone
        y = (self._newton if self.knot else self.in_turn)(drive, used.local)
        return LayerState(catalysts, drive, y).checked(self.name)

    def in_turn(
        self,
        drive: list[FloatArray],
        local: FloatArray,
        changed: int = -1,
        factors: float | FloatArray = 1.0,
    ) -> list[FloatArray]:
        """The fixed point, species by species: each the root of c0 + c1 y + c2 y^2, the sums of its
        reactions' rates with y taken out. One reaction of the local network, `changed`, may run at
        factors (n_units,) of its rate.
        """
        terms, reactions = self.local.terms, self.local.stoichiometry.indices
        # a species is 1 until its turn comes: so it is taken out of its own terms
        y: list[Any] = [1.0] * len(self.activation.species)
        for (a,) in self.blocks:
            c: list[Any] = [0.0, drive[a] if a < len(drive) else 0.0, 0.0]
            for t in terms.span(a):
                rate = self.value(terms, t, local, y)
                if reactions[t] == changed:
                    rate = rate * factors
                c[terms.power[t]] = c[terms.power[t]] + rate
            # what takes part in no reaction stays where it began, which is not known
            idle = np.all([np.asarray(part) == 0 for part in np.broadcast_arrays(*c)], axis=0)
            y[a] = np.broadcast_to(np.where(idle, np.nan, positive_root(*c)), drive[0].shape)
        return y

    def _drive(self, sums: FloatArray, constants: RateConstants) -> list[FloatArray]:
        """Drive of each rail, from the weighted sums (n, n_units) of the catalysts."""
        return [sign * sums + constants.bias[..., rail] for rail, sign in enumerate(self._signs)]

    def _newton(self, drive: list[FloatArray], local: FloatArray) -> list[FloatArray]:
        """The fixed point, from the rails' exact roots and the closed form of the others; NaN in
        units where none is found.
        """
        # near the fixed point: the pre-activation that gives the first rail its drive
        first, gain = self.activation.rails[0], self.activation.gain
        z = first.sign * (drive[0] - first.shift) / gain
        y, h, q = by_species(self.activation.concentrations(z)), local[self.h], local[self.q]
        # q y is the root of v^2 - u v - h q, a smoothed ReLU of the drive
        y[: len(drive)] = [smoothed_relu(u, h * q) / q for u in drive]
        for _ in range(_NEWTON_STEPS):
            terms = self.local.terms
            rates = [
                sum(self.value(terms, t, local, y) for t in terms.span(a)) + np.zeros_like(y[0])
                for a in range(len(y))
            ]
            for rail, u in enumerate(drive):
                rates[rail] = rates[rail] + u * y[rail]
            steps = self._linearize(drive, local, y).solve([rate[..., None] for rate in rates])
            steps = [step[..., 0] for step in steps]
            y = [part - step for part, step in zip(y, steps, strict=True)]
            pairs = list(zip(y, steps, strict=True))
            # steps of some 50 times the rounding of doubles get no shorter
            if all(np.all(abs(step) <= 1e-14 * abs(part)) for part, step in pairs):
                break
        # what has no fixed point wanders for ever, through positive numbers too
        rests = np.all([abs(step) <= _AT_REST * abs(part) for part, step in pairs], axis=0)
        return [np.where(rests, part, np.nan) for part in y]

    # Derivatives ------------------------------------------------------------------------------

    def linearize(
        self, state: LayerState, local: FloatArray | None = None, sizes: bool = False
    ) -> Linearized:
        """The Jacobian of the layer, with other `local` rate constants if they are given; with
        `sizes`, one whose transposed solve adds up the sizes of all contributions, negated.
        """
        used = self.constants.local if local is None else local
        return self._linearize(state.drive, used, state.y, sizes)

    def _linearize(
        self, drive: list[FloatArray], local: FloatArray, y: list[FloatArray], sizes: bool = False
    ) -> Linearized:
        terms, (own_terms, pool_terms) = self.local.jacobian_terms, self._entries
        # for sizes: the diagonal of J is negative, so -|J| on it and sums of |terms| off it add
        # where J cancels; blocks of several species are solved as they are
        own = {}
        for (a, b), chosen in own_terms.items():
            sign = abs if sizes and (a, b) not in self._together else _unchanged
            entry: Any = drive[a] if a == b and a < len(drive) else 0.0
            for t in chosen:
                entry = entry + sign(self.value(terms, t, local, y))
            entry = -abs(entry) if sizes and a == b else entry
            # where no concentration is in it, it stands for all units
            own[a, b] = entry if np.shape(entry) == y[0].shape else np.full_like(y[0], entry)
        shape = (*y[0].shape, y[0].shape[1])
        pool = {}
        for place, chosen in pool_terms.items():
            sign = abs if sizes and place not in self._together else _unchanged
            pool[place] = np.broadcast_to(
                sum(sign(self.value(terms, t, local, y, by_pair=True)) for t in chosen), shape
            )
        return Linearized(self.name, self.activation.species, self.blocks, own, pool)

    def error(
        self,
        state: LayerState,
        size: list[FloatArray],
        drive_error: FloatArray,
        local: FloatArray,
    ) -> FloatArray:
        """How far species (n, n_units, n_species) may be from the fixed point, to first order.

        By their rates, by rounding, of drives whose parts have sizes (n, n_units) by rail, added,
        and since drives are off by at most (n, n_units). `local` rate constants are (n_local, n,
        n_units).
        """
        terms = self.local.terms
        right = []
        for a, y in enumerate(state.y):
            parts = [self.value(terms, t, local, state.y) for t in terms.span(a)]
            net, gross = sum(parts, np.zeros_like(y)), sum(map(abs, parts), np.zeros_like(y))
            if a < len(state.drive):
                net, gross = net + state.drive[a] * y, gross + size[a] * y
            # with a slope of 1, distances are the rates themselves
            off = Balance(net, gross, np.ones_like(y))
            rates = off.distance + off.rounding
            right.append(rates + drive_error * y if a < len(state.drive) else rates)
        # |f| = |J d| bounds d by the comparison matrix: -|J_ii| d_i + sum of |terms| d_j = -|f_i|
        found = self.linearize(state, local, sizes=True).solve([-part[..., None] for part in right])
        return np.stack([part[..., 0] for part in found], axis=-1)

    def backward(
        self,
        state: LayerState,
        gradient: list[FloatArray],
        constants: RateConstants | None = None,
        sizes: bool = False,
        sources: bool = True,
    ) -> tuple[FloatArray | None, RateConstants]:
        """From dL/dy, (n, n_units) by species, to dL/d(catalysts) (n, n_catalysts), unless without
        `sources`, and to the rate constants; with `sizes`, contributions count by absolute value.
        """
        constants = constants or self.constants
        sign: Callable[[Any], Any] = abs if sizes else _unchanged
        adjoint = self.linearize(state, constants.local, sizes).solve_transposed(gradient)
        negative = [-part for part in adjoint]
        by_unit, by_constant = self.by_constants(state.catalysts, state.y, negative, sizes)
        return by_unit @ sign(self.weights(constants)) if sources else None, by_constant

    def by_constants(
        self,
        catalysts: FloatArray,
        y: list[FloatArray],
        factor: list[FloatArray],
        sizes: bool = False,
    ) -> tuple[FloatArray, RateConstants]:
        """Sums over states of factor . df/dk, of factors (n, n_units) by species, for all rate
        constants k; and factor . df/dz (n, n_units). Catalysts (m, n_catalysts) that are the same
        in states m, 2 m, ... rows on come once.
        """
        sign: Callable[[Any], Any] = abs if sizes else _unchanged
        by_rail = [factor[rail] * y[rail] for rail in range(len(self._signs))]
        by_unit: Any = sum(part * sign(s) for part, s in zip(by_rail, self._signs, strict=True))
        if len(by_unit) > len(catalysts):
            by_unit = by_unit.reshape(-1, len(catalysts), by_unit.shape[1]).sum(axis=0)
        by_weight = values_of(outer_sum(self.encoding.weights, by_unit, catalysts))
        by_local = self._by_local(range(len(self.local.terms)), factor, y, sign)
        by_bias = np.stack([part.sum(axis=0) for part in by_rail], axis=1)
        return by_unit, RateConstants(by_weight, by_bias, by_local)

    def by_h(self, factor: Sequence[FloatArray], y: list[FloatArray]) -> float:
        """Sum over states of factor . df/dh, of factors (n, n_units) by species."""
        return float(self._by_local(self._terms_of_h, factor, y, _unchanged)[self.h])

    def _by_local(
        self,
        chosen: Iterable[int],
        factor: Sequence[FloatArray],
        y: list[FloatArray],
        sign: Callable[[Any], Any],
    ) -> FloatArray:
        """Sums over states of factor . df/dk (n_local,), of some terms of the local network."""
        terms, found = self.local.terms, np.zeros_like(self.constants.local)
        # a term is linear in its rate constant: its value at 1 is its derivative
        ones = np.ones_like(found)
        for t in chosen:
            part, own = sign(self.value(terms, t, ones, y)), factor[terms.row[t]]
            # of h, which makes a rail from nothing, it is a number
            total = np.sum(own * part) if np.ndim(part) else own.sum() * part
            found[terms.constant[t]] += total
        return found

    def respond(self, state: LayerState, by_catalyst: FloatArray, own: slice, h: int) -> FloatArray:
        """dy/dp (n, n_units, n_species, n_parameters), given that of the catalysts (n, n_catalysts,
        n_parameters); `own` and `h` are the places of the layer's weights and biases, and its h.
        """
        weights: Any = self.encoding.weights
        y = state.y
        n, m = y[0].shape
        # sparse weights multiply matrices alone: samples and parameters are one axis meanwhile
        flat = by_catalyst.transpose(1, 0, 2).reshape(by_catalyst.shape[1], -1)
        by_z = (weights @ flat).reshape(m, n, -1).transpose(1, 0, 2).copy()
        rows, columns = places(self.encoding.layer.weights)
        gain = self.activation.gain
        read = self.encoding.values_read(state.catalysts)
        place = np.arange(own.start, own.stop)
        by_z[:, rows, place[: len(rows)]] += read[:, columns]
        by_z[:, np.arange(m), place[len(rows) :]] += gain
        # J dy/dp = -df/dp, which is y times the drive's derivative for rails, a term for h
        right = [np.zeros_like(by_z) for _ in y]
        for rail, sign in enumerate(self._signs):
            right[rail] -= sign * by_z * y[rail][..., None]
        terms = self.local.terms
        for t in self._terms_of_h:
            value = self.value(terms, t, np.ones_like(self.constants.local), y)
            right[terms.row[t]][..., h] -= value
        return np.stack(self.linearize(state).solve(right), axis=2)

    # From rate constants to the network's parameters -------------------------------------------

    @property
    def h(self) -> int:
        """Where h stands among local rate constants."""
        return self.activation.rate_constants.index("h")

    @cached_property
    def _terms_of_h(self) -> list[int]:
        """Terms whose rate constant is h."""
        found: list[int] = np.flatnonzero(self.local.terms.constant == self.h).tolist()
        return found

    @property
    def q(self) -> int:
        """Where q stands among them."""
        return self.activation.rate_constants.index("q")

    def to_parameters(
        self, gradient: RateConstants, sizes: bool = False
    ) -> tuple[Any, FloatArray, float]:
        """dL/d(weights), dL/d(bias) and dL/dh of the layer from those of its rate constants."""
        values, bias = self.encoding.transpose(gradient.weights, gradient.bias, sizes)
        weights = with_values(self.encoding.layer.weights, values)
        return weights, bias, float(gradient.local[self.h])


def _unchanged(value: Any) -> Any:
    return value
