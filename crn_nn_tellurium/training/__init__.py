"""Learning rate constants, and scikit-learn's interface to it."""

from crn_nn_tellurium.training.estimators import CRNClassifier, CRNRegressor, train_on_table
from crn_nn_tellurium.training.fitting import fit
from crn_nn_tellurium.training.optimizers import LBFGS, Adam, Optimizer
from crn_nn_tellurium.training.options import (
    Constraints,
    Molecules,
    Monitor,
    ReadOutTime,
    Validation,
)
from crn_nn_tellurium.training.results import FitResult, Record
