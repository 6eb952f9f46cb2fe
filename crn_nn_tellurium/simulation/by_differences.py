"""The equations of a model that only roadrunner knows: what it conserves, and its Jacobian.

Rates are what roadrunner says they are, so the Jacobian is by differences. Newton's method ends
where the rates are zero all the same: a Jacobian that is off by 1e-9 takes a step more. Species are
moved together where no reaction reads two of them, so that a Jacobian costs a few states' rates,
however many species there are.

Source: Curtis, Powell and Reid, J. Inst. Math. Appl. 13 (1974) 117, on sparse Jacobians.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import sparse

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.simulation.engine import CompiledModel
from crn_nn_tellurium.simulation.reduced_system import DENSE_UP_TO, Equations
from crn_nn_tellurium.simulation.stability import Matrix

# Step of central differences relative to a concentration, eps^(1/3); of what is absent, relative to
# the largest (a tenth of what counts as absent, so that double roots at 0 are seen)
_STEP, _SMALLEST = 6e-6, 1e-13
# of what comes of it
_ACCURACY = 1e-9


class Dependence:
    """Which reactions read which floating species, and which of these are moved together."""

    def __init__(self, reads: Sequence[Iterable[int]], n_species: int) -> None:
        pairs = [(i, s) for i, read in enumerate(reads) for s in sorted(set(read))]
        self.reaction, self.species = np.array(pairs, dtype=np.intp).reshape(-1, 2).T
        self.shape = (len(reads), n_species)
        self.group = self._groups()

    def _groups(self) -> npt.NDArray[np.intp]:
        """A number for each species: the first that no other read beside it has."""
        readers, taken = defaultdict(list), [set[int]() for _ in range(self.shape[0])]
        for reaction, species in zip(self.reaction.tolist(), self.species.tolist(), strict=True):
            readers[species].append(reaction)
        group = np.zeros(self.shape[1], dtype=np.intp)
        for species, reactions in readers.items():
            others = set[int]().union(*(taken[reaction] for reaction in reactions))
            group[species] = number = next(i for i in range(len(others) + 1) if i not in others)
            for reaction in reactions:
                taken[reaction].add(number)
        return group

    @cached_property
    def members(self) -> npt.NDArray[np.bool_]:
        """Which species are in which group, (n_groups, n_species)."""
        return self.group == np.arange(self.group.max(initial=-1) + 1)[:, None]

    def slopes(self, changes: FloatArray, widths: FloatArray) -> Matrix:
        """Derivatives of rates (n_reactions, n_species) by changes (n_groups, n_reactions)."""
        values = changes[self.group[self.species], self.reaction] / widths[self.species]
        if self.shape[1] > DENSE_UP_TO:
            return sparse.csr_array((values, (self.reaction, self.species)), shape=self.shape)
        found = np.zeros(self.shape)
        found[self.reaction, self.species] = values
        return found


def engine_equations(
    model: CompiledModel, boundary: FloatArray, dependence: Dependence
) -> Equations:
    """A compiled model's equations at these boundary concentrations and its parameters as set.

    Whoever asks holds the model's lock for as long as the equations are used.
    """
    volumes = model.volumes()
    changes = model.stoichiometry / volumes[:, None]
    sizes = np.abs(changes)

    def rates(x: FloatArray) -> tuple[FloatArray, FloatArray]:
        found = model.reaction_rates(boundary, x[None])[0]
        return changes @ found, sizes @ np.abs(found)

    def jacobian(x: FloatArray) -> Matrix:
        step = np.maximum(_STEP * np.abs(x), _SMALLEST * np.abs(x).max(initial=0.0))
        step[step == 0] = _STEP
        # rate laws need not be defined below 0
        above, below = x + step, np.maximum(x - step, np.minimum(x, 0.0))
        states = [np.where(dependence.members, moved, x) for moved in (above, below)]
        up, down = (model.reaction_rates(boundary, moved) for moved in states)
        slopes = dependence.slopes(up - down, above - below)
        if isinstance(slopes, np.ndarray):
            return changes @ slopes
        return sparse.csr_array(sparse.csr_array(changes) @ slopes)

    sums = model.conserved_amounts
    return Equations(rates, jacobian, sums, volumes, _ACCURACY, model.floating)
