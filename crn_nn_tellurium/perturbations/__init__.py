"""perturbations."""

from crn_nn_tellurium.perturbations.report import Robustness, robustness

__all__ = ["Robustness", "robustness"]
