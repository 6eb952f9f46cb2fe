"""Units: small models that roadrunner compiles once and that serve every neuron of one kind.

A layer's fixed point depends on the layers before it alone, and a unit's, with its catalysts held,
on the drives of its rails alone: X_i + Y -> X_i + 2 Y and X_i + Y -> X_i at rates w_i x_i y add up
to z y with z = sum w_i x_i + b, one pseudo-first-order reaction of Y whose rate constant z may have
either sign. Lumping them is exact. So a compiled unit knows nothing of weights and inputs: its
text depends on the activation's reactions alone, and drives, h and the other rate constants are
values, set in bulk. (`method="flat"` solves every reaction by itself.)

An activation whose units read one another (`Normalized`) is solved in two *stages*: the species
that depend on their own unit alone, then those that read the whole layer. What they read is held
by then, so the sum over the layer is one value too.
"""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.chemistry import Balance, Reaction, ReactionNetwork, Species, Terms
from crn_nn_tellurium.encoding import Unit, structure_text, unit_reactions
from crn_nn_tellurium.errors import NetworkError
from crn_nn_tellurium.networks import Activation, bias_constant, shared_id, unit_ids
from crn_nn_tellurium.simulation.engine import CompiledModel, compiled
from crn_nn_tellurium.simulation.settle import Block, Settled, solve

COPIES = 8
"""Units that one compiled model holds: fewer cost more calls, and nleq2's Jacobian is dense."""


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

    Arrays have the units of all samples one by one: (n, ...) with n = n_samples * n_units.
    """

    def __init__(self, activation: Activation, stage: Stage) -> None:
        self.activation = activation
        one = _lumped(activation, stage, 1)
        every = _lumped(activation, stage, COPIES)
        self.text, self.constants = structure_text(every), every.rate_constants
        species = activation.species
        self.own = [species.index(name) for name in stage]
        # what is read, as places among the species: of the unit's own, or of a product in the layer
        own = {unit_ids(1, 0)(name): i for i, name in enumerate(species)}
        self._reads = [
            (own[s],) if s in own else tuple(species.index(a) for a in s.split("_")[2:])
            for s in one.boundary
        ]
        self._pooled = [s not in own for s in one.boundary]
        drives = [bias_constant(1, 0, rail.name) for rail in activation.rails]
        names = [*drives, *(shared_id(1, name) for name in activation.rate_constants)]
        self._constants = [names.index(name) for name in one.rate_constants]
        bounds = [follower.upper_bound for follower in activation.followers]
        self._bounds = np.array([0.0] * len(drives) + bounds)
        self._rates = _table(one.terms)
        diagonal = one.jacobian_terms.row == one.jacobian_terms.column
        self._slopes = _table(one.jacobian_terms.where(diagonal))

    @cached_property
    def _model(self) -> CompiledModel:
        return compiled(self.text)

    @cached_property
    def _index(self) -> npt.NDArray[np.int32]:
        return self._model.parameter_index(self.constants)

    def compile(self) -> None:
        """Compile the model, so that the first answer does not wait for it."""
        compiled(self.text)

    def solve(
        self,
        drive: FloatArray,
        size: FloatArray,
        local: FloatArray,
        boundary: FloatArray,
        start: FloatArray,
    ) -> Settled:
        """Steady states from start values (n, n_own), given drives (n, n_rails), the sizes of their
        parts, added, the other rate constants (n or 1, n_local) and what units read.
        """
        values, sizes = self._values(drive, local), self._values(size, local)
        model, columns = self._model, np.arange(len(self.own))
        block = Block(model, columns, boundary, self._index, values, COPIES)

        def balance_of(x: FloatArray, units: npt.NDArray[np.intp]) -> Balance:
            return self.balance(x, boundary[units], values[units], sizes[units])

        with model.lock:
            return solve(block, start, balance_of)

    def _values(self, drive: FloatArray, local: FloatArray) -> FloatArray:
        """Rate constants (n, n_constants), in the model's order."""
        found = np.empty((len(drive), drive.shape[1] + local.shape[1]))
        found[:, : drive.shape[1]], found[:, drive.shape[1] :] = drive, local
        return found[:, self._constants]

    def boundary(self, layer: FloatArray) -> FloatArray:
        """What each unit reads (n_samples, n_units, n_boundary) of a layer (n_samples, n_units,
        n_species).
        """
        found = np.empty((*layer.shape[:2], len(self._reads)))
        for column, (places, pooled) in enumerate(zip(self._reads, self._pooled, strict=True)):
            product = layer[..., places].prod(axis=-1)
            found[..., column] = product.sum(axis=1, keepdims=True) if pooled else product
        return found

    def upper_bound(self, drive: FloatArray, local: FloatArray) -> FloatArray:
        """Start values (n, n_own), from which Newton's method comes down to the root.

        Of rails, since sigma_h(z) <= max(z, 0) + sqrt(h); followers state theirs.
        """
        names = self.activation.rate_constants
        h, q = (local[:, names.index(name), None] for name in ("h", "q"))
        result = np.tile(self._bounds, (len(drive), 1))
        result[:, : drive.shape[1]] = np.maximum(drive, 0) / q + np.sqrt(h / q)
        return result[:, self.own]

    def balance(
        self, x: FloatArray, boundary: FloatArray, values: FloatArray, sizes: FloatArray
    ) -> Balance:
        """How far species x (n, n_own) are from their fixed point.

        `sizes` (n, n_constants) are the `values`, but of a drive the sizes of its parts, added.
        """
        # a handful of terms, column by column: looking them up in tables costs more than adding
        columns = [*x.T, *boundary.T]
        net, gross, slope = np.zeros((3, *x.shape))
        for row, number, constant, factors in self._rates:
            product = math.prod(columns[place] for place in factors)
            net[:, row] += number * values[:, constant] * product
            gross[:, row] += abs(number) * sizes[:, constant] * product
        for row, number, constant, factors in self._slopes:
            product = math.prod(columns[place] for place in factors)
            slope[:, row] += number * values[:, constant] * product
        return Balance(net, gross, slope)


def _table(terms: Terms) -> list[tuple[int, float, int, tuple[int, ...]]]:
    """Terms one by one: row, number, constant and factors."""
    rows, numbers, constants = terms.row.tolist(), terms.number.tolist(), terms.constant.tolist()
    factors = (terms.symbols(t) for t in range(len(terms)))
    return list(zip(rows, numbers, constants, factors, strict=True))
