"""Learning rate constants, and scikit-learn's interface to it."""

from crn_nn_tellurium.training.estimators import CRNClassifier, CRNRegressor, train_on_table
from crn_nn_tellurium.training.fitting import FitResult, fit

__all__ = ["CRNClassifier", "CRNRegressor", "FitResult", "fit", "train_on_table"]
