"""Trained networks from scikit-learn: an MLP, alone or behind affine steps, x -> A x + a.

W (A x + a) + b = (W A) x + (b + W a): such a step is part of the layer that reads it.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.exceptions import NotFittedError
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import PolynomialFeatures
from sklearn.utils.validation import check_is_fitted

from crn_nn_tellurium.basics import FloatArray, suggest_identifiers
from crn_nn_tellurium.errors import NetworkError
from crn_nn_tellurium.networks import Activation, Layer, Linear, Network, Sigmoid, SmoothedReLU

_HIDDEN: dict[str, type[Activation]] = {"relu": SmoothedReLU, "identity": Linear}
_OUTPUT: dict[str, type[Activation]] = {"identity": Linear, "softmax": Linear, "logistic": Sigmoid}

_Affine = tuple[FloatArray, FloatArray]
"""A and a of x -> A x + a."""
_PROBES = 100


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
        Fitted. A pipeline, of pipelines too, may have affine steps before the network: scalers,
        decompositions, projections, selectors of features, a ColumnTransformer of these and any
        other that proves to be one at a hundred points. They are folded into the first layer, so
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
        weights[0] = weights[0] @ factor
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
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            found = _probed(step)
    except (AttributeError, ValueError, TypeError, ArithmeticError):  # of numbers it does not take
        found = None
    if found is None:
        raise NetworkError(
            f"from_sklearn: step {name.rstrip('_')!r} of the pipeline has a"
            f" {type(step).__name__}, which is not affine; expected scalers (without clip),"
            " decompositions, selectors of features and the like. Take what it gives as the inputs:"
            " slice the pipeline after it, from_sklearn(pipeline[k:])"
        )
    return found


def _probed(step: Any) -> _Affine | None:
    """A and a of x -> A x + a, from what a step makes of far points on the axes and of 0; None if
    it makes something else of others.
    """
    n = step.n_features_in_
    # so far that no mean is seen in a difference of two, and a power of 2, which divides exactly
    far = 2.0**40 * np.eye(n)
    above, below, origin = (_transformed(step, x) for x in (far, -far, np.zeros((1, n))))
    matrix, offset = ((above - below) / 2.0**41).T, origin[0]
    rng = np.random.default_rng(0)
    # near and far, as kinks and steps may be
    x = rng.normal(size=(_PROBES, n)) * 10.0 ** rng.uniform(-6, 9, size=(_PROBES, 1))
    sizes = np.abs(x) @ np.abs(matrix).T + np.abs(offset).max(initial=0.0)
    # of sums in another order, far below anything else that a step could do
    is_affine = np.abs(_transformed(step, x) - x @ matrix.T - offset) <= 1e-10 * sizes
    # encoders make one thing of all that they have not seen
    is_blind = not (isinstance(step, PolynomialFeatures) or matrix.any(axis=1).all())
    return None if is_blind or not is_affine.all() else (matrix, offset)


def _transformed(step: Any, x: FloatArray) -> FloatArray:
    """What a step makes of rows, under the names that it knows."""
    if hasattr(step, "feature_names_in_"):
        import pandas as pd

        x = pd.DataFrame(x, columns=step.feature_names_in_)
    found = step.transform(x)
    return np.asarray(found.toarray() if issparse(found) else found, dtype=float)
