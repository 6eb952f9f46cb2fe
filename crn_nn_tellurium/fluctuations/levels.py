"""Covariances of linear systems whose species fall into levels: J S + S J' + D = 0, level by level.

Species of one level do not act on each other, and only on levels after it: J has diagonal blocks
J_ll = diag(d_l), and zeros above them. Then the block of levels l and k of the equation is one for
S_lk alone, once earlier blocks are known,

    (d_l,i + d_k,j) S_lk,ij = -(sum over m < l of J_lm S_mk + sum over m < k of S_lm J_km' + D_lk),

an elementwise division where all d are negative (docs/theory.md, theorem 19). No matrix of all
species is ever made, and all samples are solved at once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from crn_nn_tellurium.basics import FloatArray, is_sparse

Pairs = dict[tuple[int, int], FloatArray]
"""Blocks (n, m_l, m_k) of a symmetric matrix by their levels (l, k), l >= k."""


@dataclass(frozen=True, eq=False)
class Block:
    """How one level acts on another: diag(left) M diag(right), for n samples."""

    # (m_l, m_k) of all samples, (n, m_l, m_k) by sample, or None for the identity
    matrix: FloatArray | sparse.csr_array | None
    # (n, m_l) and (n, m_k)
    left: FloatArray | None = None
    right: FloatArray | None = None

    def __matmul__(self, x: FloatArray) -> FloatArray:
        """(n, m_k, c) -> (n, m_l, c)."""
        if self.right is not None:
            x = self.right[..., None] * x
        if is_sparse(self.matrix):
            # sparse matrices multiply two dimensions alone
            n, m, c = x.shape
            flat = self.matrix @ x.transpose(1, 0, 2).reshape(m, n * c)
            x = flat.reshape(-1, n, c).transpose(1, 0, 2)
        elif self.matrix is not None:
            x = np.matmul(self.matrix, x)
        return x if self.left is None else self.left[..., None] * x

    @property
    def transposed(self) -> Block:
        """The transpose of each sample's."""
        matrix: Any = self.matrix
        if matrix is not None:
            matrix = matrix.T.tocsr() if is_sparse(matrix) else np.swapaxes(matrix, -1, -2)
        return Block(matrix, self.right, self.left)


@dataclass(frozen=True, eq=False)
class Levels:
    """J of n samples, by levels in an order in which each reads those before it alone."""

    # by level, J_ll (n, m_l)
    diagonal: tuple[FloatArray, ...]
    # by level, what it reads: (level, block); blocks of one level add up
    reads: tuple[tuple[tuple[int, Block], ...], ...]

    def __len__(self) -> int:
        return len(self.diagonal)

    @cached_property
    def transposed(self) -> Levels:
        """J', its levels in the opposite order."""
        last = len(self) - 1
        reads: list[list[tuple[int, Block]]] = [[] for _ in self.diagonal]
        for level, own in enumerate(self.reads):
            for read, block in own:
                reads[last - read].append((last - level, block.transposed))
        return Levels(self.diagonal[::-1], tuple(map(tuple, reads)))

    def solve(self, right: list[FloatArray]) -> list[FloatArray]:
        """s with J s = right, both (n, m_l) by level."""
        found: list[FloatArray] = []
        for diagonal, own, rest in zip(self.diagonal, self.reads, right, strict=True):
            for read, block in own:
                rest = rest - (block @ found[read][..., None])[..., 0]
            found.append(rest / diagonal)
        return found

    def lyapunov(
        self, diffusion: Mapping[tuple[int, int], FloatArray], kept: Collection[Any] | None = None
    ) -> Pairs:
        """S with J S + S J' + D = 0, D symmetric, given where it is not 0 for l >= k.

        Of S the pairs `kept` are given, by default all; others are forgotten once they have been
        used.
        """
        found: Pairs = {}
        # the last level that reads each one: until then all pairs with it are needed
        last = [0] * len(self)
        for level, own in enumerate(self.reads):
            for read, _ in own:
                last[read] = level
        for level, own in enumerate(self.reads):
            for other in range(level + 1):
                total: Any = diffusion.get((level, other), 0.0)
                for read, block in own:
                    total = total + block @ block_of(found, read, other)
                for read, block in self.reads[other]:
                    total = total + np.swapaxes(block @ block_of(found, read, level), 1, 2)
                slopes = self.diagonal[level][:, :, None] + self.diagonal[other][:, None, :]
                found[level, other] = -total / slopes
            if kept is not None:
                for pair in [pair for pair in found if pair not in kept]:
                    if max(last[pair[0]], last[pair[1]]) <= level:
                        del found[pair]
        return found

    def lyapunov_transposed(self, right: Mapping[tuple[int, int], FloatArray]) -> Pairs:
        """L with J' L + L J + G = 0, G symmetric, given where it is not 0 for l >= k.

        It says how functions of S move with D: sum of G S = sum of L D.
        """
        last = len(self) - 1

        def turned(pairs: Mapping[tuple[int, int], FloatArray]) -> Pairs:
            return {
                (last - k, last - level): np.swapaxes(block, 1, 2)
                for (level, k), block in pairs.items()
            }

        return turned(self.transposed.lyapunov(turned(right)))


def block_of(pairs: Pairs, level: int, other: int) -> FloatArray:
    """The block of two levels, in either order."""
    if level >= other:
        return pairs[level, other]
    return np.swapaxes(pairs[other, level], 1, 2)
