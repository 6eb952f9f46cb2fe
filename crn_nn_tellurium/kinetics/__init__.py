"""A layer's equations, vectorised over samples and units; bounds of its fixed point."""

from crn_nn_tellurium.kinetics.apart import KineticsApart
from crn_nn_tellurium.kinetics.bounds import (
    ROUNDING,
    Bounds,
    extreme_root,
    product_of,
    settle_between,
)
from crn_nn_tellurium.kinetics.closed_form import ClosedForm, LayerNumbers
from crn_nn_tellurium.kinetics.layer import Catalysts, LayerKinetics
from crn_nn_tellurium.kinetics.layer_state import LayerState, by_species
from crn_nn_tellurium.kinetics.lines import Cut, Lines, Unsettled, ranked_by
from crn_nn_tellurium.kinetics.network import NetworkKinetics, forward_sensitivities
from crn_nn_tellurium.kinetics.rate_constants import (
    Drive,
    RateConstants,
    weighted_sums_of,
)
from crn_nn_tellurium.kinetics.rate_errors import (
    RateErrors,
    factors_by_name,
    layer_factors,
    normals_by_name,
    perturbed_outputs,
    spread,
)
from crn_nn_tellurium.kinetics.rates_of_change import DenseRates, RatesOfChange
from crn_nn_tellurium.kinetics.starts import add_by_start, start, start_state
