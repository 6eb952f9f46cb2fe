"""The equations of a model that only roadrunner knows: what it conserves, and its Jacobian.

Rates are what roadrunner says they are, so the Jacobian is by differences. Newton's method ends
where the rates are zero all the same: a Jacobian that is off by 1e-9 takes a step more.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.chemistry import ConservedSums
from crn_nn_tellurium.simulation.engine import CompiledModel
from crn_nn_tellurium.simulation.reduced_system import DENSE_UP_TO, Matrix, RateEquations

# Step of central differences relative to a concentration, eps^(1/3); of what is absent, relative to
# the largest (a tenth of what counts as absent, so that double roots at 0 are seen)
_STEP, _SMALLEST = 6e-6, 1e-13


def engine_equations(model: CompiledModel, boundary: FloatArray) -> RateEquations:
    """A compiled model's equations at these boundary concentrations and its parameters as set.

    Whoever asks holds the model's lock for as long as the equations are used.
    """
    volumes, amounts = model.volumes(), model.conserved_amounts
    # what is conserved are amounts, and unknowns are concentrations
    rows = sparse.csr_array(amounts.rows @ sparse.diags_array(volumes))
    changes = model.stoichiometry / volumes[:, None]
    sizes = np.abs(changes)

    def rates(x: FloatArray) -> tuple[FloatArray, FloatArray]:
        found = model.reaction_rates(boundary, x[None])[0]
        return changes @ found, sizes @ np.abs(found)

    def jacobian(x: FloatArray) -> Matrix:
        step = np.maximum(_STEP * np.abs(x), _SMALLEST * np.abs(x).max(initial=0.0))
        step[step == 0] = _STEP
        # rate laws need not be defined below 0
        ends = np.array([x + step, np.maximum(x - step, np.minimum(x, 0.0))])
        states = np.where(np.eye(len(x), dtype=bool), ends[:, None], x).reshape(-1, len(x))
        up, down = np.split(model.reaction_rates(boundary, states), 2)
        found = changes @ ((up - down) / (ends[0] - ends[1])[:, None]).T
        return found if len(x) <= DENSE_UP_TO else sparse.csr_array(found)

    return RateEquations(rates, jacobian, ConservedSums(rows, amounts.dependent))
