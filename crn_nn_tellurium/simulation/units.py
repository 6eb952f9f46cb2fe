"""Units: small models that roadrunner compiles once and that serve every neuron of one kind.

A layer's fixed point depends on the layers before it alone, and a unit's, with its catalysts held,
on the drives of its rails alone: X_i + Y -> X_i + 2 Y and X_i + Y -> X_i at rates w_i x_i y add up
to z y with z = sum w_i x_i + b, one pseudo-first-order reaction of Y whose rate constant z may have
either sign. Lumping them is exact. So a compiled unit knows nothing of weights and inputs: its
text depends on the activation's reactions alone, and drives, h and the other rate constants are
values, set in bulk. (`method="flat"` solves every reaction by itself.)

An activation whose units read one another (`Normalized`) is solved in two *stages*: the species
that depend on their own unit alone, then those that read the whole layer. What they read is held
by then, so the sum over the layer is one value too. Units of many rails are solved rail by rail.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import Any

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.chemistry import Balance, Reaction, ReactionNetwork, Species
from crn_nn_tellurium.encoding import Unit, structure_text, unit_reactions
from crn_nn_tellurium.errors import NetworkError
from crn_nn_tellurium.networks import (
    Activation,
    SmoothedReLU,
    bias_constant,
    shared_id,
    unit_ids,
)
from crn_nn_tellurium.simulation.conditions import fill
from crn_nn_tellurium.simulation.engine import CompiledModel, compiled
from crn_nn_tellurium.simulation.outcome import SOLVED, outcomes, worse
from crn_nn_tellurium.simulation.settle import Block, Settled, Which, refined_one, solve

COPIES = 8
"""Units that one compiled model holds: fewer cost more calls, and nleq2's Jacobian is dense."""
PAIR = 2
"""The same for one unit or two, for which that costs less."""
TOGETHER = 4
"""Rails that the units of one model may have each; more are solved apart."""
FEW = 8
"""Units up to which each is checked by itself, in Python's numbers."""


Stage = tuple[str, ...]
"""Species of a unit (local names) that can be solved for together, given all others."""


def stages(activation: Activation) -> tuple[Stage, ...]:
    """The stages of an activation, in the order in which they are solved."""
    later: set[str] = set()
    while True:
        grown = {
            name
            for reaction in activation.local_reactions
            for name in reaction.changes
            if any(read.startswith("*") or read in later for read in reaction.reads)
        }
        if grown <= later:
            break
        later |= grown
    starred = {
        read[1:] for r in activation.local_reactions for read in r.reads if read.startswith("*")
    }
    if stuck := later & (starred | {rail.name for rail in activation.rails}):
        raise NetworkError(
            f"{type(activation).__name__}: species {min(stuck)!r} of one unit depends on other"
            " units and they on it, so the layer has no units to solve one by one; use"
            " method='flat' or method='integrate'"
        )
    first = tuple(name for name in activation.species if name not in later)
    last = tuple(name for name in activation.species if name in later)
    return (first, last) if last else (first,)


def _lumped(activation: Activation, stage: Stage, copies: int) -> ReactionNetwork:
    """The chemistry of units of one stage side by side, every value 1.

    Boundary species are what a unit reads: its own species of an earlier stage, and sums over the
    layer of what starred names stand for, ``_1_Y``; ``_1_A_B`` of the products of two.
    """
    rails = (1.0,) * len(activation.rails)
    held: list[str] = []
    own: list[str] = []
    reactions: list[Reaction] = []
    for copy in range(1, copies + 1):
        # drives stand as biases, and each copy has an index of its own, so that none shares a value
        unit = Unit(copy, 0, activation, (), rails, pool_id=_starred, own_biases=True)
        solved = [unit.identify(name) for name in stage]
        for reaction in unit_reactions(unit):
            before, after = dict(reaction.substrates), dict(reaction.products)
            # what another stage makes or loses is held here: such a reaction changes nothing
            if all(before.get(s, 0) == after.get(s, 0) for s in solved):
                continue
            others = [s for s, n in reaction.substrates for _ in range(n) if s not in solved]
            starred = "_".join(s[1:] for s in others if s.startswith("*"))
            read = [s for s in others if not s.startswith("*")]
            read += [f"_{copy}_{starred}"] if starred else []
            substrates, products = (
                [*read, *(s for s, n in side.items() if s in solved for _ in range(n))]
                for side in (before, after)
            )
            k = reaction.rate_constant
            reactions.append(Reaction(reaction.id, substrates, products, k, 1.0))
            held += read
        own += solved
    species = [Species(name, 1.0, boundary=True) for name in dict.fromkeys(held)]
    species += [Species(name, 1.0) for name in own]
    return ReactionNetwork(tuple(species), tuple(reactions), name="one_unit")


def _starred(local: str, _: int) -> str:
    return f"*{local}"


class LumpedUnit:
    """How one stage of a kind of units is solved: `COPIES` of them side by side in one model.

    The units of all samples stand one by one, n = n_samples * n_units. What terms are made of has a
    row each: drives, the sizes of their parts, other rate constants, what is read, the unit's own
    species.
    """

    def __init__(self, activation: Activation, stage: Stage) -> None:
        self._kind = activation, stage
        one = _lumped(activation, stage, 1)
        species = activation.species
        places = [species.index(name) for name in stage]
        # of a stage that is the whole unit nothing needs copying
        self.own = slice(None) if len(stage) == len(species) else places
        self._n_own = len(stage)
        # what is read, as places among the species: of the unit's own, or of a product in the layer
        own = {unit_ids(1, 0)(name): i for i, name in enumerate(species)}
        self.reads = [
            (own[s],) if s in own else tuple(species.index(a) for a in s.split("_")[2:])
            for s in one.boundary
        ]
        self._pooled = [s not in own for s in one.boundary]
        names = activation.rate_constants
        n_rails = self._n_rails = len(activation.rails)
        drives = [bias_constant(1, 0, rail.name) for rail in activation.rails]
        row = {name: i for i, name in enumerate(drives)}
        row |= {shared_id(1, name): 2 * n_rails + i for i, name in enumerate(names)}
        self._n_known = 2 * n_rails + len(names)
        self._values = [row[name] for name in one.rate_constants]
        self._h, self._q = (row[shared_id(1, name)] for name in ("h", "q"))
        self._bounds = [f.upper_bound for f in activation.followers if f.name in stage]
        self._sums = self._summed(one)

    def _summed(self, one: ReactionNetwork) -> Callable[[Any], tuple[Any, ...]]:
        """Net rates, slopes and gross rates (3 * n_own) of rows, which are numbers or arrays."""
        diagonal = one.jacobian_terms.row == one.jacobian_terms.column
        rates, slopes = one.terms, one.jacobian_terms.where(diagonal)
        own, read, n_own = self._n_known, len(one.boundary), self._n_own
        # factors count the unit's own species, what is read, then 1
        row_of = [*range(own + read, own + read + n_own), *range(own, own + read)]
        sums: list[list[str]] = [[] for _ in range(3 * n_own)]
        for part, (terms, gross) in enumerate(((rates, False), (slopes, False), (rates, True))):
            for t in range(len(terms)):
                constant, number = self._values[terms.constant[t]], float(terms.number[t])
                if gross:
                    # of a drive, gross rates have the size
                    constant += self._n_rails if constant < self._n_rails else 0
                    number = abs(number)
                places = [constant, *(row_of[factor] for factor in terms.symbols(t))]
                term = "*".join([repr(number), *(f"r[{place}]" for place in places)])
                sums[part * n_own + int(terms.row[t])].append(term)
        # written out, a formula takes an eighth of a loop's time; all in it is places and numbers
        formulas = ("+".join(terms) or "0.0" for terms in sums)
        made: Callable[[Any], tuple[Any, ...]] = eval(f"lambda r: ({','.join(formulas)},)")  # nosec B307
        return made

    @cached_property
    def _many(self) -> tuple[CompiledModel, npt.NDArray[np.int32]]:
        return self._compiled(COPIES)

    @cached_property
    def _pair(self) -> tuple[CompiledModel, npt.NDArray[np.int32]]:
        return self._compiled(PAIR)

    def _compiled(self, copies: int) -> tuple[CompiledModel, npt.NDArray[np.int32]]:
        """A model of so many units, and where their rate constants stand in it."""
        every = _lumped(*self._kind, copies)
        model = compiled(structure_text(every))
        return model, model.parameter_index(every.rate_constants)

    def compile(self, n_units: int) -> None:
        """Compile what layers of so many units need, so that the first answer does not wait."""
        self._compiled(COPIES)
        if n_units <= PAIR:
            self._compiled(PAIR)

    def solve(
        self, known: FloatArray, boundary: FloatArray, start: FloatArray | None = None
    ) -> Settled:
        """Steady states, given the rows (n_rows, n) of `Drive` and what units read (n, n_boundary);
        from start values (n, n_own), where these are NaN from an upper bound.
        """
        rows = np.concatenate([known, boundary.T]) if self.reads else known
        model, index = self._many
        values = rows.take(self._values, axis=0).T
        begin = fill(start, _stacked(self._upper_bound(rows), rows.shape[1]).T)
        block = Block(model, slice(None), boundary, index, values, COPIES)

        def balance_of(x: FloatArray, units: Which) -> Balance:
            found = _stacked(self._sums([*rows[:, units], *x.T]), len(x))
            net, slope, gross = found.reshape(3, self._n_own, -1)
            return Balance(net.T, gross.T, slope.T)

        with model.lock:
            return solve(block, begin, balance_of)

    def solve_few(self, units: list[list[float]]) -> tuple[list[list[float]], list[float]] | None:
        """As `solve`, of up to `FEW` units' rows, what they read behind, in Python's numbers:
        states and largest imbalances by unit; None where Newton's method alone finds none.
        """
        n, copies = self._n_own, PAIR if len(units) <= PAIR else COPIES
        model, index = self._pair if copies == PAIR else self._many
        more = copies - len(units)
        filled, starts = units + units[-1:] * more, [self._upper_bound(row) for row in units]
        start = [bound for bounds in starts + starts[-1:] * more for bound in bounds]
        values = [row[place] for row in filled for place in self._values]
        boundary = [read for row in filled for read in row[self._n_known :]]
        with model.lock:
            x = model.solve_one(boundary, start, index, values)
        if x is None:
            return None
        states, worst = [], []
        for unit, row in enumerate(units):
            refined = refined_one(x[unit * n : unit * n + n], partial(self._balances, row))
            if refined is None:
                return None
            states.append(refined[0])
            worst.append(refined[1])
        return states, worst

    def _balances(self, row: list[float], state: list[float]) -> list[Balance]:
        """How far a unit's own species are from their fixed point."""
        n, found = self._n_own, self._sums(row + state)
        return list(map(Balance, found[:n], found[2 * n :], found[n : 2 * n]))

    def boundary(self, layer: FloatArray) -> FloatArray:
        """What each unit reads (n_samples, n_units, n_boundary) of a layer (n_samples, n_units,
        n_species).
        """
        found = np.empty((*layer.shape[:2], len(self.reads)))
        for column, (places, pooled) in enumerate(zip(self.reads, self._pooled, strict=True)):
            product = layer[..., places].prod(axis=-1)
            found[..., column] = product.sum(axis=1, keepdims=True) if pooled else product
        return found

    def _upper_bound(self, rows: Any) -> list[Any]:
        """Start values by own species, from which Newton's method comes down to the root.

        Of rails, since sigma_h(z) <= max(z, 0) + sqrt(h); followers state theirs.
        """
        # rails are all of the first stage, where they stand first
        h, q, drives = rows[self._h], rows[self._q], rows[: 0 if self.reads else self._n_rails]
        return [*((z / 2 + abs(z) / 2) / q + (h / q) ** 0.5 for z in drives), *self._bounds]


class RailsApart:
    """Units of many rails and nothing else, which know nothing of one another: each is solved as a
    unit of one rail. Solved together they would share nleq2's Jacobian, whose cost grows with the
    third power.
    """

    own = slice(None)
    reads: Sequence[Any] = ()

    def __init__(self, activation: Activation) -> None:
        self._n = len(activation.rails)
        one = SmoothedReLU()
        self._unit = LumpedUnit(one, one.species)

    def compile(self, n_units: int) -> None:
        """Compile the unit of one rail."""
        self._unit.compile(self._n * n_units)

    def boundary(self, layer: FloatArray) -> FloatArray:
        """Nothing is read: (n_samples, n_units, 0)."""
        return np.empty((*layer.shape[:2], 0))

    def solve(
        self, known: FloatArray, boundary: FloatArray, start: FloatArray | None = None
    ) -> Settled:
        """As of a `LumpedUnit`: rows (n_rows, n) to states (n, n_rails)."""
        k, n = self._n, known.shape[1]
        drives, sizes, constants = known[:k], known[k : 2 * k], known[2 * k :]
        # rail by rail: all units' first rails, then all units' second ones
        rows = np.concatenate(
            [drives.reshape(1, k * n), sizes.reshape(1, k * n), np.tile(constants, k)]
        )
        begin = None if start is None else start.T.reshape(k * n, 1)
        found = self._unit.solve(rows, np.empty((k * n, 0)), begin)
        status = outcomes(SOLVED, n)
        for of_rail in found.status.reshape(k, n):
            status = worse(status, of_rail)
        imbalance = found.imbalance.reshape(k, n).max(axis=0)
        return Settled(found.x.reshape(k, n).T, imbalance, status)

    def solve_few(self, units: list[list[float]]) -> tuple[list[list[float]], list[float]] | None:
        """As of a `LumpedUnit`."""
        k = self._n
        if len(units) * k > FEW:
            return None
        rows = [[unit[i], unit[k + i], *unit[2 * k :]] for unit in units for i in range(k)]
        found = self._unit.solve_few(rows)
        if found is None:
            return None
        states, worst = found
        firsts = range(0, len(states), k)
        return (
            [[y for (y,) in states[first : first + k]] for first in firsts],
            [max(worst[first : first + k]) for first in firsts],
        )


def solvers(activation: Activation) -> list[LumpedUnit | RailsApart]:
    """How the units of an activation are solved, stage by stage."""
    is_rails_alone = not activation.followers and not activation.local_reactions
    if is_rails_alone and len(activation.rails) > TOGETHER:
        return [RailsApart(activation)]
    return [LumpedUnit(activation, stage) for stage in stages(activation)]


def _stacked(values: Sequence[Any], n: int) -> FloatArray:
    """Arrays (n,), or numbers for all, as (n_values, n)."""
    result = np.empty((len(values), n))
    for row, value in zip(result, values, strict=True):
        row[:] = value
    return result
