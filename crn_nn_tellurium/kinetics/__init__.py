"""A layer's equations, vectorised over samples and units; bounds of its fixed point."""

from crn_nn_tellurium.kinetics.bounds import (
    Bounds,
    Group,
    check_order,
    extreme_root,
    groups,
    settle_between,
)
from crn_nn_tellurium.kinetics.layer import (
    LayerKinetics,
    LayerState,
    NetworkKinetics,
    RateConstants,
    forward_sensitivities,
)
from crn_nn_tellurium.kinetics.linearized import Linearized
from crn_nn_tellurium.kinetics.rate_constants import LayerConstants, drive, weighted_sums_of
from crn_nn_tellurium.kinetics.rate_errors import (
    RateErrors,
    layer_factors,
    multiplied,
    perturbed_constants,
    perturbed_outputs,
    spread,
)

__all__ = [
    "Bounds",
    "Group",
    "LayerConstants",
    "LayerKinetics",
    "LayerState",
    "Linearized",
    "NetworkKinetics",
    "RateConstants",
    "RateErrors",
    "check_order",
    "drive",
    "extreme_root",
    "forward_sensitivities",
    "groups",
    "layer_factors",
    "multiplied",
    "perturbed_constants",
    "perturbed_outputs",
    "settle_between",
    "spread",
    "weighted_sums_of",
]
