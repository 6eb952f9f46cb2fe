"""A layer's equations, vectorised over samples and units; bounds of its fixed point."""

from crn_nn_tellurium.kinetics.bounds import (
    Bounds,
    extreme_root,
    product_of,
    settle_between,
)
from crn_nn_tellurium.kinetics.layer import Catalysts, LayerKinetics, LayerState
from crn_nn_tellurium.kinetics.network import NetworkKinetics, forward_sensitivities
from crn_nn_tellurium.kinetics.rate_constants import Drive, RateConstants, weighted_sums_of
from crn_nn_tellurium.kinetics.rate_errors import (
    RateErrors,
    factors_by_name,
    layer_factors,
    perturbed_constants,
    perturbed_outputs,
)
