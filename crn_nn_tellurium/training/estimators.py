"""scikit-learn estimators whose fitted network is chemistry: CRNClassifier and CRNRegressor.

They take data as they come: features are standardised for training and the scaling is folded into
the first layer, so that `network_` reads raw features, of either sign, on two rails each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
from scipy.special import expit, softmax
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.model_selection import train_test_split
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, check_random_state, validate_data

from crn_nn_tellurium.basics import (
    FloatArray,
    check_choice,
    real_number,
    suggest_identifiers,
    warn,
)
from crn_nn_tellurium.encoding import to_reactions
from crn_nn_tellurium.errors import IdentifierError, InputError
from crn_nn_tellurium.kinetics import RateErrors
from crn_nn_tellurium.networks import (
    Activation,
    LeakyReLU,
    Linear,
    Network,
    Sigmoid,
    SmoothedReLU,
    Tanh,
)
from crn_nn_tellurium.sensitivity import SteadyStateSource
from crn_nn_tellurium.simulation import Simulator
from crn_nn_tellurium.training.fitting import task_of, train
from crn_nn_tellurium.training.optimizers import LBFGS, Adam, Optimizer
from crn_nn_tellurium.training.options import Constraints, Molecules, Monitor, Validation
from crn_nn_tellurium.training.rounds import Round

_ACTIVATIONS: Mapping[str, type[Activation]] = {
    "relu": SmoothedReLU,
    "leaky_relu": LeakyReLU,
    "tanh": Tanh,
    "logistic": Sigmoid,
    "identity": Linear,
}


class _CRNEstimator(BaseEstimator):  # type: ignore[misc]  # sklearn has no types
    """What both estimators share: the parameters, and training on standardised data."""

    def __init__(
        self,
        hidden_layer_sizes: Sequence[int] = (12,),
        *,
        activation: str | Activation = "relu",
        h: float = 0.01,
        solver: str = "lbfgs",
        alpha: float = 1.0,
        batch_size: int = 64,
        learning_rate_init: float = 0.01,
        max_iter: int = 300,
        tol: float = 1e-5,
        random_state: Any = None,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 20,
        max_rate_constant: float | None = None,
        noise: float | RateErrors | Molecules | None = None,
        density: float = 1.0,
        standardize: bool = True,
        predict_with: str = "closed_form",
        verbose: bool | None = False,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.h = h
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.max_rate_constant = max_rate_constant
        self.noise = noise
        self.density = density
        self.standardize = standardize
        self.predict_with = predict_with
        self.verbose = verbose

    def _train(self, x: FloatArray, y: npt.NDArray[Any], n_out: int, loss: str, task: str) -> Round:
        """Train on standardised features; the network found reads those."""
        check_choice("predict_with", self.predict_with, get_args(SteadyStateSource))
        real_number("alpha", self.alpha, 0.0)
        if isinstance(self.activation, Activation):
            hidden = self.activation
        elif self.activation in _ACTIVATIONS:
            hidden = _ACTIVATIONS[self.activation](h=self.h)
        else:
            raise InputError(
                f"activation is {self.activation!r}; expected an Activation, or one of "
                f"{', '.join(map(repr, _ACTIVATIONS))}"
            )
        sizes = np.atleast_1d(np.asarray(self.hidden_layer_sizes)).tolist()
        # scikit-learn takes None, numbers and generators; a training takes a number
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        start = Network.random(
            [x.shape[1], *sizes, n_out],
            hidden,
            seed,
            output=Linear(h=self.h),
            inputs="signed",
            name="crn_network",
            task=task,
        )
        validation = None
        if self.early_stopping:
            validation = Validation(self.validation_fraction, self.n_iter_no_change, seed)
        noise = self.noise
        if noise is not None and not isinstance(noise, Molecules):
            noise = RateErrors.of(noise, draws=8, seed=seed)
        elif noise is not None and self.standardize:
            # where the scaling is folded in, weights of a feature far from 0 and a bias cancel,
            # and their noise does not
            raise InputError(
                "noise=Molecules does not go with standardize=True: the network for raw features"
                " has other rate constants, and so other noise, than the one that is trained;"
                " expected standardize=False, with features scaled to 0..1 say (MinMaxScaler)"
            )
        l2 = self.alpha / (2 * len(x))
        constraints = Constraints(self.max_rate_constant, l2=l2, density=self.density)
        how = self._optimizer(seed), noise, constraints, validation
        asked = task_of(start, x, y, loss, *how, answers="closed_form")
        return train(asked, Monitor(progress=self.verbose))

    def _optimizer(self, seed: int) -> Optimizer:
        rate, size, patience = self.learning_rate_init, self.batch_size, self.n_iter_no_change
        # both are made, so that a parameter that is wrong is refused whichever is chosen
        known = {
            "lbfgs": LBFGS(self.max_iter, self.tol),
            "adam": Adam(self.max_iter, rate, size, self.tol, patience, seed),
        }
        check_choice("solver", self.solver, tuple(known))
        return known[self.solver]

    def _keep(self, trained: Round, net: Network, x: FloatArray) -> None:
        """What came of a training: the network for raw features, which is the one to verify."""
        result = trained.result(net, x)
        self.network_, self.fit_result_ = net, result
        self.loss_, self.n_iter_ = result.loss, len(result.records)
        if not result.verification.passed:
            warn(
                f"the network for raw features is {result.verification}; features far"
                " from zero compared with their spread lose digits: shift and scale them first"
            )

    def _standardized(self, x: FloatArray) -> FloatArray:
        if not self.standardize:
            self.mean_, self.scale_ = np.zeros(x.shape[1]), np.ones(x.shape[1])
            return x
        self.mean_ = x.mean(axis=0)
        spread = x.std(axis=0)
        # a feature that does not vary carries nothing; dividing by its rounding errors would
        # blow them up
        self.scale_ = np.where(spread > 1e-12 * (1 + np.abs(self.mean_)), spread, 1.0)
        return (x - self.mean_) / self.scale_

    def _raw_features(self, net: Network) -> Network:
        """The network for raw features: the scaling goes into the first layer."""
        first, *rest = net.layers
        # W (x - mean) / scale + b = (W / scale) x + (b - W mean / scale)
        weights = first.weights / self.scale_
        layers = (replace(first, weights=weights, bias=first.bias - weights @ self.mean_), *rest)
        names = tuple(suggest_identifiers("input", list(getattr(self, "feature_names_in_", ()))))
        try:
            return replace(net, layers=layers, input_names=names or net.input_names)
        except IdentifierError:  # a column has the name of an output
            return replace(net, layers=layers)

    def _outputs(self, X: npt.ArrayLike) -> FloatArray:
        check_is_fitted(self)
        x = validate_data(self, X, dtype=np.float64, reset=False)
        check_choice("predict_with", self.predict_with, get_args(SteadyStateSource))
        if self.predict_with == "closed_form":
            return self.network_(x)
        return Simulator(self.network_).steady_state(x).outputs


def train_on_table(
    names: Sequence[str],
    x: FloatArray,
    y: Sequence[Any],
    regress: bool,
    settings: Mapping[str, Any],
    held_out: float,
) -> tuple[Any, list[tuple[str, str]]]:
    """A fitted estimator, and what `crn-nn train` reports of it: lines of (what, value).

    Features are the columns of x, by name; `held_out` is the share of rows kept for the report.
    """
    import pandas as pd

    frame, target = pd.DataFrame(x, columns=list(names)), np.asarray(y)
    model = (CRNRegressor if regress else CRNClassifier)(**settings)
    rows: list[tuple[str, Any, Any]] = [("training", frame, target)]
    if held_out:
        kept = round(held_out * len(target))
        if not 2 <= kept <= len(target) - 2:
            raise InputError(
                f"a share of {held_out!r} of {len(target)} rows held out is {kept}; expected at"
                " least 2 held out and 2 to train on: more rows, or another --held-out"
            )
        counts = np.unique(target, return_counts=True)[1]
        # classes that are too few for both parts cannot be split evenly
        even = not regress and counts.min() > 1 and min(kept, len(target) - kept) >= len(counts)
        stratify = target if even else None
        split = train_test_split(
            frame, target, test_size=kept, random_state=settings["random_state"], stratify=stratify
        )
        rows = [("training", split[0], split[2]), ("held out", split[1], split[3])]
    model.fit(*rows[0][1:])
    measure = "R2" if regress else "accuracy"
    sizes = (x.shape[1], *(layer.n_out for layer in model.network_.layers))
    report = [
        ("layers", "-".join(map(str, sizes))),
        ("reactions", f"{len(to_reactions(model.network_).reactions)}"),
    ]
    for what, part, truth in rows:
        report.append((f"{what}: rows", f"{len(truth)}"))
        for source in ("closed_form", "engine"):
            score = model.set_params(predict_with=source).score(part, truth)
            by = "chemistry" if source == "engine" else "formula"
            text = f"{score:.3f}" if regress else f"{score:.1%}"
            report.append((f"{what}: {measure}, {by}", text))
    return model, report


_PARAMETERS = """
    Parameters
    ----------
    hidden_layer_sizes : sequence of int
    activation : {"relu", "leaky_relu", "tanh", "logistic", "identity"} or Activation
        Of the hidden layers; tanh and logistic are the algebraic ones of chemistry.
    h : float
        Smoothing of all layers.
    solver : {"lbfgs", "adam"}
    alpha : float
        Penalty on rate constants, alpha / 2 times the sum of their squares over the number of
        samples.
    batch_size, learning_rate_init
        Of Adam.
    max_iter, tol, random_state, early_stopping, validation_fraction, n_iter_no_change
        As scikit-learn's MLPClassifier has them; see also `fit`.
    max_rate_constant, density
        See `Constraints`. The bound holds in training: folding the scaling in changes rate
        constants of the first layer (and of a regressor's last); with ``standardize=False`` there
        is nothing to fold.
    noise : float, RateErrors or Molecules, optional
        Random errors of every rate constant to train under; a number is a coefficient of variation.
        Or `Molecules`: their fluctuations; with ``standardize=False``.
    standardize : bool
        Whether features (and a regressor's targets) are standardised for training.
    predict_with : {"closed_form", "engine"}
        Whether predictions run the chemistry.
    verbose : bool or None
        Whether training shows a progress bar; None shows it on a terminal.

    Attributes
    ----------
    network_ : Network
        Reads raw features; for `Simulator`, `to_antimony`, `export` and the rest.
    fit_result_ : FitResult
        `network_` with the history of its training and the engine's verification.
"""


class CRNClassifier(ClassifierMixin, _CRNEstimator):  # type: ignore[misc]
    __doc__ = f"""A classifier made of reactions, trained on cross-entropy.
{_PARAMETERS}
    classes_ : (n_classes,) ndarray
        Labels; `network_` has them as its class names where they are text or whole numbers, and
        else numbers the classes from 0.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> bool(CRNClassifier((8,), random_state=0).fit(X, y).score(X, y) > 0.95)
    True
    """

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> CRNClassifier:
        """Train on samples X (n_samples, n_features) with classes y (n_samples,)."""
        x, labels = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(labels)
        self.classes_, index = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise InputError(
                f"y has one class, {self.classes_.tolist()}; expected at least 2 classes"
            )
        # two classes need one output: the log-odds of the second
        n_out = 1 if len(self.classes_) == 2 else len(self.classes_)
        scaled, task = self._standardized(x), "classification"
        trained = self._train(scaled, index, n_out, "cross_entropy", task)
        net = self._raw_features(trained.network)
        names = self.classes_.tolist()
        if all(isinstance(name, str | int) and not isinstance(name, bool) for name in names):
            net = replace(net, class_names=names)
        self._keep(trained, net, x)
        return self

    def decision_function(self, X: npt.ArrayLike) -> FloatArray:
        """Log-odds of the second class (n_samples,), or scores (n_samples, n_classes)."""
        outputs = self._outputs(X)
        if outputs.shape[1] > 1:
            return outputs
        return outputs[:, 0] - self.network_.layers[-1].activation.threshold

    def predict_proba(self, X: npt.ArrayLike) -> FloatArray:
        """Probabilities (n_samples, n_classes)."""
        scores = self.decision_function(X)
        if scores.ndim == 1:
            return np.stack([expit(-scores), expit(scores)], axis=1)
        return softmax(scores, axis=1)

    def predict(self, X: npt.ArrayLike) -> npt.NDArray[Any]:
        """Classes (n_samples,)."""
        scores = self.decision_function(X)
        index = (scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)
        return self.classes_[index]


class CRNRegressor(RegressorMixin, _CRNEstimator):  # type: ignore[misc]
    __doc__ = f"""A regressor made of reactions, trained on the squared error.
{_PARAMETERS}
    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True)
    >>> bool(CRNRegressor((4,), alpha=30.0, random_state=0).fit(X, y).score(X, y) > 0.5)
    True
    """

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> CRNRegressor:
        """Train on samples X (n_samples, n_features) with targets y (n_samples[, n_outputs])."""
        x, targets = validate_data(self, X, y, dtype=np.float64, multi_output=True, y_numeric=True)
        self._one_output = targets.ndim == 1
        values = targets.astype(float).reshape(len(targets), -1)
        mean, spread = np.zeros(values.shape[1]), np.ones(values.shape[1])
        if self.standardize:
            mean, spread = values.mean(axis=0), values.std(axis=0)
            # a target that does not vary stays where it is
            spread = np.where(spread > 0, spread, 1.0)
        scaled, n_out = (values - mean) / spread, values.shape[1]
        inputs, task = self._standardized(x), "regression"
        trained = self._train(inputs, scaled, n_out, "squared_error", task)
        net = trained.network
        *rest, last = net.layers
        last = replace(last, weights=last.weights * spread[:, None], bias=last.bias * spread + mean)
        self._keep(trained, self._raw_features(replace(net, layers=(*rest, last))), x)
        return self

    def predict(self, X: npt.ArrayLike) -> FloatArray:
        """Values (n_samples,) or (n_samples, n_outputs)."""
        outputs = self._outputs(X)
        return outputs[:, 0] if self._one_output else outputs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
