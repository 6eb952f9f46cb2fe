"""Derivatives: of losses, of steady states, along time courses."""

from crn_nn_tellurium.sensitivity.adjoint_in_time import ReadOut
from crn_nn_tellurium.sensitivity.comparison import GradientCheck, check_gradients
from crn_nn_tellurium.sensitivity.gradients import adjoint_of, gradient
from crn_nn_tellurium.sensitivity.over_time import transient_sensitivities
from crn_nn_tellurium.sensitivity.problem import (
    Gradient,
    Problem,
    SteadyStateSource,
    loss_and_slope,
    losses,
    mean_slope,
    simulator_of,
)
from crn_nn_tellurium.sensitivity.results import Sensitivities, TransientSensitivities
from crn_nn_tellurium.sensitivity.steady import sensitivities
