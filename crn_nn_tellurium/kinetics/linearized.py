"""The Jacobian of one layer at many states at once, and its block-triangular solves, both ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.errors import SingularJacobianError


@dataclass(frozen=True)
class Linearized:
    """J of one layer at given states, by pairs of local species."""

    name: str
    species: tuple[str, ...]
    # local species that are solved for together, in the order of their dependence
    blocks: tuple[tuple[int, ...], ...]
    # d f_a / d y_b within each unit, (n, n_units)
    own: Mapping[tuple[int, int], FloatArray]
    # the same with respect to each unit of the layer, besides, (n, n_units, n_units)
    pool: Mapping[tuple[int, int], FloatArray]

    def solve_transposed(self, right: Sequence[FloatArray]) -> list[FloatArray]:
        """lambda with J^T lambda = right, both (n, n_units) by species."""
        rest = list(right)
        for block in reversed(self.blocks):
            self._solve_block(block, rest, transposed=True)
            for (a, b), entry in self.own.items():
                if a in block and b not in block:
                    rest[b] = rest[b] - entry * rest[a]
            for (a, b), entries in self.pool.items():
                if a in block and b not in block:
                    rest[b] = rest[b] - np.matmul(rest[a][:, None, :], entries)[:, 0, :]
        return rest

    def solve(self, right: Sequence[FloatArray]) -> list[FloatArray]:
        """s with J s = right, both (n, n_units, n_sides) by species."""
        rest = list(right)
        for block in self.blocks:
            for (a, b), entry in self.own.items():
                if a in block and b not in block:
                    rest[a] = rest[a] - entry[..., None] * rest[b]
            for (a, b), entries in self.pool.items():
                if a in block and b not in block:
                    rest[a] = rest[a] - np.matmul(entries, rest[b])
            self._solve_block(block, rest, transposed=False)
        return rest

    def _solve_block(self, block: Sequence[int], rest: list[FloatArray], transposed: bool) -> None:
        """Replace right-hand sides by solutions for the species of one block."""
        pooled = any(a in block and b in block for a, b in self.pool)
        # one species of one unit by itself: a division
        if len(block) == 1 and not pooled:
            (a,) = block
            pivot = self.own.get((a, a))
            if pivot is None or not pivot.all():
                raise self._singular(block)
            rest[a] = rest[a] / (pivot if transposed else pivot[..., None])
            return
        matrix, m = self._matrix(block), rest[block[0]].shape[1]
        sides = np.concatenate([rest[a] for a in block], axis=1)
        try:
            if transposed:
                found = np.linalg.solve(np.swapaxes(matrix, 1, 2), sides[..., None])[..., 0]
            else:
                found = np.linalg.solve(matrix, sides)
        except np.linalg.LinAlgError as error:
            raise self._singular(block) from error
        for i, a in enumerate(block):
            rest[a] = found[:, i * m : (i + 1) * m]

    def _matrix(self, block: Sequence[int]) -> FloatArray:
        """J of the species of one block, of all units together, (n, size, size)."""
        n, m = next(iter(self.own.values())).shape
        diagonal = np.arange(m)
        matrix: Any = np.zeros((n, len(block), m, len(block), m))
        for i, a in enumerate(block):
            for j, b in enumerate(block):
                if (a, b) in self.own:
                    # indexing on both sides of a slice puts the units first
                    matrix[:, i, diagonal, j, diagonal] += self.own[a, b]
                if (a, b) in self.pool:
                    matrix[:, i, :, j, :] += self.pool[a, b]
        return np.asarray(matrix.reshape(n, len(block) * m, len(block) * m))

    def grows(self, seen: float) -> npt.NDArray[np.bool_]:
        """At which states (n,) small changes grow, by more than `seen` of the largest entry of
        their block: J is triangular by blocks, so their eigenvalues are all.
        """
        found = np.zeros(len(next(iter(self.own.values()))), dtype=bool)
        for block in self.blocks:
            matrix = self._matrix(block)
            growth = np.linalg.eigvals(matrix).real.max(axis=1, initial=-np.inf)
            found |= growth > seen * np.abs(matrix).max(axis=(1, 2), initial=0.0)
        return found

    def _singular(self, block: Sequence[int]) -> SingularJacobianError:
        names = ", ".join(self.species[a] for a in block)
        return SingularJacobianError(
            f"layer {self.name!r}: the Jacobian is singular in species {names} of a unit, so the"
            " steady state is not isolated and has no derivatives; does every follower have a"
            " reaction that consumes it?"
        )
