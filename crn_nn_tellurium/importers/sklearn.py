"""Trained networks from scikit-learn: an MLP, alone or behind affine steps, x -> A x + a.

W (A x + a) + b = (W A) x + (b + W a): such a step is part of the layer that reads it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.decomposition import PCA, FastICA, IncrementalPCA, TruncatedSVD
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectorMixin
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)
from sklearn.utils.validation import check_is_fitted

from crn_nn_tellurium.basics import suggest_identifiers
from crn_nn_tellurium.errors import NetworkError
from crn_nn_tellurium.networks import Activation, Layer, Linear, Network, Sigmoid, SmoothedReLU

_HIDDEN: dict[str, type[Activation]] = {"relu": SmoothedReLU, "identity": Linear}
_OUTPUT: dict[str, type[Activation]] = {"identity": Linear, "softmax": Linear, "logistic": Sigmoid}

_Affine = tuple[npt.NDArray[Any], npt.NDArray[Any]]
"""A, where it is diagonal its diagonal alone, and a of x -> A x + a."""


def from_sklearn(
    model: Any,
    h: float = 1e-6,
    *,
    logistic_h: float = 1.0,
    inputs: str = "signed",
    input_range: Any = None,
    input_names: Any = None,
    output_names: Any = None,
    class_names: Any = None,
    name: str = "network",
    task: str | None = None,
) -> Network:
    """The network of a fitted MLPClassifier or MLPRegressor.

    Parameters
    ----------
    model : MLPClassifier, MLPRegressor, or Pipeline
        Fitted. A pipeline, of pipelines too, may have affine steps before the network:
        MinMaxScaler, StandardScaler, MaxAbsScaler, RobustScaler, PCA, IncrementalPCA,
        TruncatedSVD, FastICA and selectors of features. They are folded into the first layer, so
        the result takes the raw inputs, named after the columns of the DataFrame it was fitted to.
    h : float
        Smoothing of every layer but a logistic output. The smaller, the closer to the hard ReLU and
        the slower the chemistry; ``net.with_h`` changes it.
    logistic_h : float
        Smoothing of a logistic output, (1 + z / sqrt(z^2 + 4 h)) / 2. At 1 its slope at z = 0 is
        the logistic function's, 1/4, and probabilities differ by at most 0.037 (at |z| = 3.2):
        tails fall like 1 / z^2 and not exponentially. Small values make a step of it.
    inputs, input_range, input_names, output_names, class_names, name, task
        As in `Network`; by default inputs of either sign, the model's own task and classes.

    Returns
    -------
    Network
        Of an MLPClassifier one for classification with its labels, of an MLPRegressor one for
        regression, unless ``task`` says that its values mean classes. ``relu`` becomes
        SmoothedReLU, ``identity`` Linear. Softmax outputs become Linear ones, whose values are the
        logits, and a logistic output Sigmoid: the same class, about the same probability.

    Raises
    ------
    NetworkError
        If the model is of another kind, not fitted, or has an activation or a step without a
        counterpart.

    Examples
    --------
    >>> mlp = MLPRegressor(hidden_layer_sizes=(3,), solver="lbfgs", random_state=0)
    >>> mlp = mlp.fit([[0.0, 1.0], [1.0, 0.0]], [0.0, 1.0])
    >>> net = from_sklearn(mlp, h=1e-6)
    >>> net.task, [layer.activation for layer in net.layers]
    ('regression', [SmoothedReLU(h=1e-06), Linear(h=1e-06)])
    """
    steps, network = _unpack(model)
    hidden = _HIDDEN.get(network.activation)
    output = _OUTPUT.get(network.out_activation_)
    if hidden is None or output is None:
        known = network.activation if hidden is None else network.out_activation_
        raise NetworkError(
            f"from_sklearn: activation {known!r} has no exact counterpart in chemistry; train with"
            " activation='relu', or take Tanh or Sigmoid of this package, which are algebraic"
        )
    if network.out_activation_ == "logistic" and len(network.intercepts_[-1]) > 1:
        raise NetworkError(
            "from_sklearn: this MLPClassifier gives several labels a sample; expected one class a"
            " sample"
        )
    smoothed: list[Activation] = [hidden(h=h)] * (len(network.coefs_) - 1)
    smoothed.append(output(h=logistic_h if output is Sigmoid else h))
    weights = [matrix.T for matrix in network.coefs_]
    biases = list(network.intercepts_)
    for factor, offset in reversed(steps):
        biases[0] = biases[0] + weights[0] @ offset
        weights[0] = weights[0] * factor if factor.ndim == 1 else weights[0] @ factor
    layers = tuple(map(Layer, weights, biases, smoothed))
    # a nested pipeline or a network alone knows the columns by itself
    if input_names is None and len(columns := getattr(model, "feature_names_in_", ())):
        input_names = tuple(suggest_identifiers("input", list(columns)))
    is_classifier = isinstance(network, MLPClassifier)
    task = task or ("classification" if is_classifier else "regression")
    if is_classifier and task == "classification" and class_names is None:
        # whole numbers compare equal to scikit-learn's labels, whatever their type
        names = (c if isinstance(c, str) else int(c) for c in network.classes_.tolist())
        class_names = list(names)
    return Network(layers, inputs, input_range, input_names, output_names, class_names, name, task)


def _unpack(model: Any) -> tuple[list[_Affine], Any]:
    """The affine steps before the network, in order, and the network."""
    *steps, (_, network) = _flat("", model)
    if not isinstance(network, MLPClassifier | MLPRegressor):
        hint = "; give its best_estimator_" if hasattr(network, "best_estimator_") else ""
        raise NetworkError(
            f"from_sklearn: got a {type(network).__name__}; expected an MLPClassifier or"
            f" MLPRegressor{hint}"
        )
    for _, step in (*steps, ("", network)):
        try:
            # "passthrough" and None are steps as well
            if hasattr(step, "fit"):
                check_is_fitted(step)
        except NotFittedError as error:
            raise NetworkError(
                f"from_sklearn: this {type(step).__name__} is not fitted; call fit first"
            ) from error
    return [_affine(*step) for step in steps if step[1] not in (None, "passthrough")], network


def _flat(name: str, model: Any) -> list[tuple[str, Any]]:
    """The steps of a pipeline and of those within it, each with its name; of others themselves."""
    if not isinstance(model, Pipeline):
        return [(name, model)]
    return [one for inner, step in model.steps for one in _flat(f"{name}{inner}__", step)]


def _affine(name: str, step: Any) -> _Affine:
    """What a fitted step does to x, if that is affine."""
    read = next((read for kind, read in _AFFINE.items() if isinstance(step, kind)), None)
    found = None if read is None else read(step)
    if found is None:
        raise NetworkError(
            f"from_sklearn: step {name.rstrip('_')!r} of the pipeline has a"
            f" {type(step).__name__}, which is not affine; expected scalers (without clip),"
            " decompositions and selectors of features. Take what it gives as the inputs: slice the"
            " pipeline after it, from_sklearn(pipeline[k:])"
        )
    return found


def _min_max(step: Any) -> _Affine | None:
    return None if step.clip else (step.scale_, step.min_)


def _standard(step: Any) -> _Affine:
    factor = 1 / step.scale_ if step.with_std else np.ones(step.n_features_in_)
    return factor, -step.mean_ * factor if step.with_mean else np.zeros_like(factor)


def _max_abs(step: Any) -> _Affine | None:
    factor = 1 / step.scale_
    # clip came with a later scikit-learn
    return None if getattr(step, "clip", False) else (factor, np.zeros_like(factor))


def _robust(step: Any) -> _Affine:
    factor = np.ones(step.n_features_in_) if step.scale_ is None else 1 / step.scale_
    return factor, np.zeros_like(factor) if step.center_ is None else -step.center_ * factor


def _principal(step: Any) -> _Affine:
    rows = step.components_
    if step.whiten:
        # scikit-learn divides by no less than the rounding of 1
        size = np.maximum(np.sqrt(step.explained_variance_), np.finfo(rows.dtype).eps)
        rows = rows / size[:, None]
    return rows, -rows @ step.mean_


def _independent(step: Any) -> _Affine:
    rows = step.components_
    return rows, -rows @ step.mean_ if step.whiten else np.zeros(len(rows))


def _linear(step: Any) -> _Affine:
    return step.components_, np.zeros(len(step.components_))


def _selected(step: Any) -> _Affine:
    rows = np.eye(step.n_features_in_)[step.get_support()]
    return rows, np.zeros(len(rows))


def _function(step: Any) -> _Affine | None:
    factor = np.ones(getattr(step, "n_features_in_", 0))
    return (factor, np.zeros_like(factor)) if step.func is None and len(factor) else None


_AFFINE: dict[type, Callable[[Any], _Affine | None]] = {
    MinMaxScaler: _min_max,
    StandardScaler: _standard,
    MaxAbsScaler: _max_abs,
    RobustScaler: _robust,
    PCA: _principal,
    IncrementalPCA: _principal,
    FastICA: _independent,
    TruncatedSVD: _linear,
    SelectorMixin: _selected,
    FunctionTransformer: _function,
}
"""By kind of step, what it does to x; None if what it was set to makes it something else."""
