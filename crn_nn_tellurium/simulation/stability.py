"""Whether what is near a steady state comes back to it.

Eigenvalues of the Jacobian of the independent species say so where their real parts are not 0. What
they leave open is seen otherwise: at a pair that circles, whether the course comes nearer (around a
centre, of prey and predators say, it circles for ever); at 0, whether there are steady states
beside it (when the last of an enzyme is lost, the rest stays where it happens to be).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import linalg, sparse
from scipy.sparse.csgraph import connected_components

from crn_nn_tellurium.basics import FloatArray, dense

Matrix: TypeAlias = FloatArray | sparse.csr_array
Complex: TypeAlias = npt.NDArray[np.complex128]
IntArray: TypeAlias = npt.NDArray[np.intp]
ROUNDING = 1e-12
"""Real part of an eigenvalue beside the largest entry of the Jacobian that may be rounding."""
CIRCLING = 1e-7
"""Decay of a pair of eigenvalues beside its frequency that no integration sees, nor a Jacobian by
differences."""
STABILITY_UP_TO = 1_000
"""Species that act on one another up to which stability is looked at, by dense eigenvalues: a
second at this size."""
SEEN = 1e-7
"""Real part of an eigenvalue beside the largest entry of the Jacobian that is no rounding, even of
several that are 0 together: of two, that is some sqrt(eps).
"""
SHRUNK = 0.5
"""Of the distance to a steady state that is circled; the weakest focus leaves 0.32 a decade."""
CLEAR = 1e-3
"""A distance, relative to the concentrations, that no integrator damps by itself."""


@dataclass(frozen=True, eq=False)
class Stability:
    """The Jacobian of the independent species at a steady state, all others following."""

    inner: Matrix
    largest: float  # entry of the Jacobian
    accuracy: float  # of its entries, beside the largest

    @cached_property
    def _blocks(self) -> tuple[IntArray, IntArray]:
        """Of a sparse matrix, the block of each species, and sizes by block: species of a block act
        on one another all around. Between blocks a matrix is triangular, in some order, so that its
        eigenvalues are those of the blocks.
        """
        label = connected_components(self.inner, connection="strong")[1]
        return label, np.bincount(label)

    @property
    def unseen(self) -> int:
        """How many species the largest block has that is too large to be looked at; 0 if none."""
        if isinstance(self.inner, np.ndarray):
            return 0
        largest = int(self._blocks[1].max(initial=0))
        return largest if largest > STABILITY_UP_TO else 0

    @cached_property
    def eigenvalues(self) -> Complex:
        """Of all blocks of at most `STABILITY_UP_TO` species; 0 for each of the others."""
        if isinstance(self.inner, np.ndarray):
            return np.linalg.eigvals(self.inner).astype(complex)
        return _eigenvalues(self.inner, *self._blocks)

    @property
    def growth(self) -> float:
        """Of the change that grows fastest, or dies down slowest."""
        return float(self.eigenvalues.real.max(initial=-np.inf))

    @property
    def stable(self) -> bool:
        """Whether no small change grows; taken for granted in larger blocks."""
        return self.growth <= ROUNDING * self.largest

    @property
    def open(self) -> bool:
        """Whether an eigenvalue is 0, as far as one can see, so that it says nothing."""
        real = np.abs(self.eigenvalues.imag) <= ROUNDING * self.largest
        limit = max(self.accuracy, ROUNDING) * self.largest
        return bool(np.any(self.eigenvalues.real[real] >= -limit))

    def circling(self, eigenvalues: Complex) -> npt.NDArray[np.bool_]:
        """Which eigenvalues are of changes that neither grow nor die down, but turn."""
        turn = np.abs(eigenvalues.imag)
        return (turn > ROUNDING * self.largest) & (eigenvalues.real >= -CIRCLING * turn)

    @property
    def circles(self) -> bool:
        """Whether there are such."""
        return bool(np.any(self.circling(self.eigenvalues)))

    def comes_nearer(self, last: FloatArray, now: FloatArray) -> bool:
        """Whether distances (n_independent,) from it shrink in all directions that circle it."""
        if not self.circles:
            return True
        if self.inner.shape[0] > STABILITY_UP_TO:
            return False
        values, left = linalg.eig(dense(self.inner), left=True, right=False)
        modes = left[:, self.circling(values)].conj().T
        # along these a course around a centre keeps its distance, wherever it is on its way
        return bool(np.all(np.abs(modes @ now) <= SHRUNK * np.abs(modes @ last)))


def is_left(jacobian: Matrix, x: FloatArray) -> bool:
    """Whether small changes of what is there lead away from a steady state.

    What is absent and not made stays so, whatever it would do. Up to `STABILITY_UP_TO` species that
    all act on one another; a growth below `SEEN` of the largest entry is not seen.
    """
    there = np.flatnonzero(x > 0)
    inner = jacobian[there][:, there]
    if isinstance(inner, np.ndarray) and _is_dominated(inner, x[there]):
        return False
    inner = sparse.csr_array(inner)
    largest = float(abs(inner).max()) if inner.nnz else 0.0
    return Stability(inner, largest, 0.0).growth > SEEN * largest


def _is_dominated(matrix: FloatArray, x: FloatArray) -> bool:
    """Whether each species' decay outweighs what it does to all others, or, in relative changes,
    what all others do to it: then no eigenvalue has a positive real part, by Gershgorin's theorem.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        relative = matrix * x / x[:, None]
    for sides in (matrix.T, relative):
        decay = -sides.diagonal()
        if np.all(np.abs(sides).sum(axis=1) - np.abs(decay) <= decay):
            return True
    return False


def is_isolated(matrix: Matrix, x: FloatArray, accuracy: float) -> bool:
    """Whether no other steady states are beside one, by the Jacobian of the reduced system there.

    Species that are gone stay so: they are at the end of their range, and may vanish like a power
    of time, which is a root that is isolated but not simple.
    """
    there = np.flatnonzero(x)
    if len(there) > STABILITY_UP_TO:
        return False
    scaled = dense(matrix[:, there]) * x[there]
    largest = np.abs(scaled).max(axis=1, keepdims=True, initial=0.0)
    sizes = linalg.svdvals(scaled / np.where(largest > 0, largest, 1.0)) if scaled.size else []
    return not len(there) or bool(sizes[-1] > accuracy * sizes[0])


def _eigenvalues(matrix: sparse.csr_array, label: IntArray, sizes: IntArray) -> Complex:
    found = np.where(sizes[label] == 1, matrix.diagonal(), 0.0).astype(complex)
    for block in np.flatnonzero((sizes > 1) & (sizes <= STABILITY_UP_TO)):
        inside = np.flatnonzero(label == block)
        found[inside] = np.linalg.eigvals(matrix[inside][:, inside].toarray())
    return found
