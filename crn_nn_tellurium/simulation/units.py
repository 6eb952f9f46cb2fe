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

from functools import cached_property, partial
from typing import Any

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.chemistry import Balance, Reaction, ReactionNetwork, Species
from crn_nn_tellurium.encoding import Unit, structure_text, unit_reactions
from crn_nn_tellurium.errors import NetworkError
from crn_nn_tellurium.networks import Activation, bias_constant, shared_id, unit_ids
from crn_nn_tellurium.simulation.conditions import fill
from crn_nn_tellurium.simulation.engine import CompiledModel, compiled
from crn_nn_tellurium.simulation.outcome import SOLVED, outcomes
from crn_nn_tellurium.simulation.settle import Block, Settled, Which, refined_one, solve

COPIES = 8
"""Units that one compiled model holds: fewer cost more calls, and nleq2's Jacobian is dense."""
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
    row each: 1, drives, the sizes of their parts, other rate constants, what is read, the unit's
    own species.
    """

    def __init__(self, activation: Activation, stage: Stage) -> None:
        one = _lumped(activation, stage, 1)
        every = _lumped(activation, stage, COPIES)
        self.text, self.constants = structure_text(every), every.rate_constants
        species = activation.species
        places = [species.index(name) for name in stage]
        # of a stage that is the whole unit nothing needs copying
        self.own = slice(None) if len(stage) == len(species) else places
        self._n_own = len(stage)
        # what is read, as places among the species: of the unit's own, or of a product in the layer
        own = {unit_ids(1, 0)(name): i for i, name in enumerate(species)}
        self._reads = [
            (own[s],) if s in own else tuple(species.index(a) for a in s.split("_")[2:])
            for s in one.boundary
        ]
        self._pooled = [s not in own for s in one.boundary]
        names = activation.rate_constants
        n_rails = self._n_rails = len(activation.rails)
        drives = [bias_constant(1, 0, rail.name) for rail in activation.rails]
        row = {name: 1 + i for i, name in enumerate(drives)}
        row |= {shared_id(1, name): 1 + 2 * n_rails + i for i, name in enumerate(names)}
        self._read_from = 1 + 2 * n_rails + len(names)
        self._values = np.array([row[name] for name in one.rate_constants], dtype=np.intp)
        self._h, self._q = (row[shared_id(1, name)] for name in ("h", "q"))
        bounds = [follower.upper_bound for follower in activation.followers]
        self._bounds = np.array([0.0] * n_rails + bounds)[places]
        self._table = self._tabled(one)

    def _tabled(self, one: ReactionNetwork) -> list[tuple[int, float, tuple[int, int, int]]]:
        """Terms of net rates, of slopes and of gross rates: by term the place of its sum (3 *
        n_own), its number and the rows that are multiplied.
        """
        diagonal = one.jacobian_terms.row == one.jacobian_terms.column
        rates, slopes = one.terms, one.jacobian_terms.where(diagonal)
        own, read, n_own = self._read_from, len(one.boundary), self._n_own
        # factors count the unit's own species, what is read, then 1
        row_of = [*range(own + read, own + read + n_own), *range(own, own + read)]
        found = []
        for part, (terms, gross) in enumerate(((rates, False), (slopes, False), (rates, True))):
            for t in range(len(terms)):
                constant, number = int(self._values[terms.constant[t]]), float(terms.number[t])
                if gross:
                    # of a drive, gross rates have the size
                    constant += self._n_rails if constant <= self._n_rails else 0
                    number = abs(number)
                # row 0 is 1; a pool's product is one value, so no term has more than two factors
                a, b, *_ = (*(row_of[f] for f in terms.symbols(t)), 0, 0)
                found.append((part * n_own + int(terms.row[t]), number, (constant, a, b)))
        return found

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
        self, known: FloatArray, boundary: FloatArray, start: FloatArray | None = None
    ) -> Settled:
        """Steady states, given the rows (n_rows, n) of `Drive` and what units read (n, n_boundary);
        from start values (n, n_own), where these are NaN from an upper bound.
        """
        begin = fill(start, self._upper_bound(known))
        model, values = self._model, known.take(self._values, axis=0).T
        if self._reads:
            known = np.concatenate([known, boundary.T])
        block = Block(model, slice(None), boundary, self._index, values, COPIES)

        def balance_of(x: FloatArray, units: Which) -> Balance:
            return self._balance(np.concatenate([known[:, units], x.T]))

        with model.lock:
            few = self._solve_few(block, begin, known) if 0 < len(begin) <= FEW else None
            return few or solve(block, begin, balance_of)

    def _solve_few(self, block: Block, start: FloatArray, known: FloatArray) -> Settled | None:
        """As `solve` of settle, in a fraction of its time; None where it has more to do."""
        found, worst = [], []
        held = known.T.tolist()
        for row, state in zip(held, block.newton(start, slice(None)).tolist(), strict=True):
            refined = refined_one(state, partial(self._balances, row))
            if refined is None:
                return None
            found.append(refined[0])
            worst.append(refined[1])
        return Settled(np.array(found), np.array(worst), outcomes(SOLVED, len(found)))

    def boundary(self, layer: FloatArray) -> FloatArray:
        """What each unit reads (n_samples, n_units, n_boundary) of a layer (n_samples, n_units,
        n_species).
        """
        found = np.empty((*layer.shape[:2], len(self._reads)))
        for column, (places, pooled) in enumerate(zip(self._reads, self._pooled, strict=True)):
            product = layer[..., places].prod(axis=-1)
            found[..., column] = product.sum(axis=1, keepdims=True) if pooled else product
        return found

    def _upper_bound(self, known: FloatArray) -> FloatArray:
        """Start values (n, n_own), from which Newton's method comes down to the root.

        Of rails, since sigma_h(z) <= max(z, 0) + sqrt(h); followers state theirs.
        """
        result = np.empty((known.shape[1], self._n_own))
        result[:] = self._bounds
        # rails are all of the first stage, where they stand first
        if not self._reads:
            z, h, q = known[1 : 1 + self._n_rails], known[self._h], known[self._q]
            result[:, : self._n_rails] = (np.maximum(z, 0) / q + np.sqrt(h / q)).T
        return result

    def _balance(self, rows: FloatArray) -> Balance:
        """How far each unit's own species (n, n_own) are from their fixed point."""
        factors, sums = self._arrays
        first, *further = factors
        terms = rows.take(first, axis=0)
        for factor in further:
            terms *= rows.take(factor, axis=0)
        # BLAS would start threads for it, which cost more than these few sums
        found = np.einsum("pt,tn->pn", sums, terms)
        net, slope, gross = found.reshape(3, self._n_own, -1)
        return Balance(net.T, gross.T, slope.T)

    @cached_property
    def _arrays(self) -> tuple[list[npt.NDArray[np.intp]], FloatArray]:
        """The table as rows by factor, each (n_terms,), and a matrix (3 * n_own, n_terms) that adds
        terms up.
        """
        sums = np.zeros((3 * self._n_own, len(self._table)))
        for term, (place, number, _) in enumerate(self._table):
            sums[place, term] = number
        factors = zip(*(rows for _, _, rows in self._table), strict=True)
        return [np.array(rows, dtype=np.intp) for rows in factors], sums

    def _balances(self, held: list[float], state: list[float]) -> list[Balance]:
        """The same for one unit, by species."""
        n, row = self._n_own, held + state
        found: Any = [0.0] * (3 * n)
        for place, number, (a, b, c) in self._table:
            found[place] += number * row[a] * row[b] * row[c]
        return [Balance(found[i], found[2 * n + i], found[n + i]) for i in range(n)]
