"""The equations of a model that only roadrunner knows: what it conserves, and its Jacobian.

Rates are what roadrunner says they are, so the Jacobian is by differences. Newton's method ends
where the rates are zero all the same: a Jacobian that is off by 1e-9 takes a step more.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.chemistry import Balance, ConservedSums, conserved_sums
from crn_nn_tellurium.simulation.engine import CompiledModel
from crn_nn_tellurium.simulation.reduced_system import RateEquations

# Step of central differences relative to a concentration, eps^(1/3); of what is absent, relative to
# the largest (a tenth of what counts as absent, so that double roots at 0 are seen)
_STEP, _SMALLEST = 6e-6, 1e-13


def engine_equations(model: CompiledModel, boundary: FloatArray) -> RateEquations:
    """A compiled model's equations at these boundary concentrations and its parameters as set.

    Whoever asks holds the model's lock for as long as the equations are used.
    """
    changes, volumes = model.stoichiometry, model.volumes()
    amounts = conserved_sums(sparse.csr_array(changes))
    # what is conserved are amounts, and unknowns are concentrations
    rows = sparse.csr_array(amounts.rows @ sparse.diags_array(volumes))
    sizes = np.abs(changes)

    def balance(x: FloatArray) -> Balance:
        rates = model.reaction_rates(boundary, x)
        net, gross = changes @ rates / volumes, sizes @ np.abs(rates) / volumes
        return Balance(net, gross, np.zeros_like(net))

    def jacobian(x: FloatArray) -> sparse.csr_array:
        step = np.maximum(_STEP * np.abs(x), _SMALLEST * np.abs(x).max(initial=0.0))
        step[step == 0] = _STEP
        columns = []
        for species, width in enumerate(step):
            up, down = x.copy(), x.copy()
            up[species] += width
            # rate laws need not be defined below 0
            down[species] = max(down[species] - width, min(down[species], 0.0))
            change = model.reaction_rates(boundary, up) - model.reaction_rates(boundary, down)
            columns.append(changes @ change / volumes / (up[species] - down[species]))
        return sparse.csr_array(np.array(columns).T.reshape(len(x), len(x)))

    return RateEquations(balance, jacobian, ConservedSums(rows, amounts.dependent))
