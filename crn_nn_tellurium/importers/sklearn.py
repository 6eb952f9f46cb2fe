"""Trained models from scikit-learn: networks and linear models, alone or behind affine steps,
x -> A x + a, which are part of the layer that reads them.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import PolynomialFeatures
from sklearn.utils.validation import check_is_fitted

from crn_nn_tellurium.basics import (
    FloatArray,
    check_choice,
    dense,
    suggest_identifiers,
)
from crn_nn_tellurium.errors import NetworkError
from crn_nn_tellurium.networks import INPUT, TASKS, Network
from crn_nn_tellurium.operators import (
    Apply,
    Concat,
    Decision,
    Dense,
    Function,
    Graph,
    Identity,
    Keep,
    Node,
    Operator,
    Options,
    exponential,
    hard_sigmoid,
    relu,
    sigmoid,
    tanh,
    to_network,
)

_Affine = tuple[FloatArray, FloatArray]
"""A and a of x -> A x + a."""
_FUNCTIONS = {
    "relu": relu(),
    "tanh": tanh(),
    "logistic": sigmoid(),
    "exp": exponential(),
}
"""By scikit-learn's names of activations."""
_LEFT_AWAY = {
    "identity": Identity(),
    "softmax": Identity("left away: logits tell the same class"),
}
_PROBES = 100


def from_sklearn(
    model: Any,
    h: float = 1e-6,
    *,
    data: Any = None,
    max_error: float = 1e-2,
    approximation: str = "pieces",
    inputs: str | None = None,
    input_range: Any = None,
    input_names: Any = None,
    class_names: Any = None,
    task: str | None = None,
) -> Network:
    """The network of a fitted model of scikit-learn.

    Parameters
    ----------
    model : MLPClassifier, MLPRegressor, linear model, CRNClassifier, CRNRegressor, or Pipeline
        Fitted. Linear models are those with ``coef_`` and ``intercept_``: least squares, ridge,
        lasso, logistic regression, linear support vector machines and their like. A pipeline, of
        pipelines too, may have affine steps before the model: scalers, decompositions, projections,
        selectors of features, a ColumnTransformer of these and any other that proves to be one at a
        hundred points. They are folded into the first layer, so the result takes the raw inputs,
        named after the columns of the DataFrame it was fitted to.
    h : float
        Smoothing of every layer. The smaller, the closer to the hard ReLU and the slower the
        chemistry; ``net.with_h`` changes it.
    data : (n_samples, n_in) array_like, optional
        Inputs as the network will meet them. Functions without an exact counterpart are then
        approximated where these lead, and `Network.import_report` tells the largest difference.
    max_error : float
        Largest error of a function without an exact counterpart, ``tanh`` and ``logistic``.
    approximation : {"pieces", "algebraic"}
        What becomes of those: a sum of smoothed ReLUs within `max_error`, or `Tanh` and `Sigmoid`
        with the slope matched at 0: few species, and off by up to 0.1 and 0.037.
    inputs, input_range, input_names, class_names, task
        As in `Network`; by default inputs of either sign, scaled where they have a range, the
        model's own task and classes.

    Returns
    -------
    Network
        Of a classifier one for classification with its labels, of a regressor one for regression,
        unless ``task`` says that its values mean classes. Softmax outputs become linear ones, whose
        values are the logits, with the same class. Two classes are told by one output, their
        probability, or by two where a model has none that follows from its decision.

    Raises
    ------
    NetworkError
        If the model is of another kind, not fitted, or has a step without a counterpart.
    InputError
        If `data` or a number does not fit.

    Examples
    --------
    >>> mlp = MLPRegressor(hidden_layer_sizes=(3,), solver="lbfgs", random_state=0)
    >>> mlp = mlp.fit([[0.0, 1.0], [1.0, 0.0]], [0.0, 1.0])
    >>> net = from_sklearn(mlp, h=1e-6)
    >>> net.task, [layer.activation for layer in net.layers]
    ('regression', [SmoothedReLU(h=1e-06), Linear(h=1e-06)])
    """
    options = Options(h, data, max_error, approximation)
    steps, last = _unpack(model)
    graph = _Chain(steps, last).graph()
    # a nested pipeline or a network alone knows the columns by itself
    if input_names is None and len(columns := getattr(model, "feature_names_in_", ())):
        input_names = tuple(suggest_identifiers("input", list(columns)))
    has_classes = is_classifier(last)
    if task is None:
        task = "classification" if has_classes else "regression"
    check_choice("task", task, TASKS)
    if has_classes and task == "classification" and class_names is None:
        # whole numbers compare equal to scikit-learn's labels, whatever their type
        names = (c if isinstance(c, str) else int(c) for c in last.classes_.tolist())
        class_names = list(names)
    return to_network(graph, options, inputs, input_range, input_names, class_names, task)


class _Chain:
    """The operators of a model, one after another."""

    def __init__(self, steps: list[tuple[str, _Affine]], last: Any):
        self.nodes: list[Node] = []
        self.shape = steps[0][1][0].shape[1] if steps else last.n_features_in_
        for name, (factor, offset) in steps:
            self._add(name, Dense(factor, offset), "affine step")
        kind = type(last).__name__
        if isinstance(network := getattr(last, "network_", None), Network):
            self._add_network(network)
        elif isinstance(last, MLPClassifier | MLPRegressor):
            self._add_mlp(last)
        else:
            self._add_linear(last, kind)

    def graph(self) -> Graph:
        """The graph."""
        return Graph({INPUT: (self.shape,)}, tuple(self.nodes), self._end)

    @property
    def _end(self) -> str:
        return self.nodes[-1].name if self.nodes else INPUT

    def _add(self, name: str, operator: Operator, called: str) -> None:
        self.nodes.append(Node(name, operator, (self._end,), called))

    def _add_mlp(self, mlp: Any) -> None:
        if mlp.out_activation_ == "logistic" and len(mlp.intercepts_[-1]) > 1:
            raise NetworkError(
                "from_sklearn: this MLPClassifier gives several labels a sample; expected one class"
                " a sample"
            )
        activations = [mlp.activation] * (mlp.n_layers_ - 2) + [mlp.out_activation_]
        for k, (weights, bias) in enumerate(zip(mlp.coefs_, mlp.intercepts_, strict=True)):
            self._add(f"layer {k + 1}", Dense(weights.T, bias), "linear")
            name, called = f"activation {k + 1}", activations[k]
            operator = _LEFT_AWAY.get(called) or Apply(_FUNCTIONS[called])
            self._add(name, operator, called)

    def _add_linear(self, model: Any, kind: str) -> None:
        """coef_ x and what is made of 0; of two classes one number, above 0 for the second."""
        weights, has_classes = np.atleast_2d(dense(model.coef_)), is_classifier(model)
        answer = model.decision_function if has_classes else model.predict
        x = np.random.default_rng(0).normal(size=(_PROBES, model.n_features_in_))
        x[0] = 0.0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of names of features, which the probes have not
            found = np.reshape(answer(x), (_PROBES, -1))
            labels = np.asarray(model.predict(x) if has_classes else ())
        affine = Dense(weights, found[0])  # not intercept_, which of PLS is not at 0
        # of sums in another order, of support vectors' dual coefficients the largest
        near = 1e-6 * np.abs(found).max()
        is_linear = len(weights) == found.shape[1]
        is_linear = is_linear and np.abs(x @ weights.T + found[0] - found).max() <= near
        if not is_linear:
            raise NetworkError(
                f"from_sklearn: got a {kind}, whose {answer.__name__} is not linear with its coef_;"
                " expected a linear model"
            )
        self._add("model", affine, kind)
        if not has_classes:
            return
        # one against one votes, and several labels a sample are no class
        places = found.argmax(axis=1) if found.shape[1] > 1 else (found[:, 0] > 0).astype(int)
        if not np.array_equal(labels, model.classes_[places]):
            raise NetworkError(
                f"from_sklearn: got a {kind}, which does not predict the class of the largest"
                " decision_function; expected one class a sample, by one number for each"
            )
        if len(model.classes_) == 2:
            function = _probability(model, affine)
            self._add("probability", Apply(function) if function else Decision(), "probability")

    def _add_network(self, network: Network) -> None:
        """A network of ours, its layers as they are."""
        ends = {INPUT: self._end}
        for layer in network.layers:
            parts = tuple(ends[source] for source in layer.inputs)
            joined, drive = f"{layer.name} inputs", f"{layer.name} pre-activation"
            self.nodes += [
                Node(joined, Concat(-1), parts, "inputs"),
                Node(drive, Dense(layer.weights, layer.bias), (joined,), "linear"),
                Node(layer.name, Keep(layer.activation), (drive,), str(layer.activation)),
            ]
            ends[layer.name] = layer.name


def _probability(model: Any, affine: Dense) -> Function | None:
    """The function of its decision that a model of two classes gives for a probability, if any of
    ours.
    """
    if not hasattr(model, "predict_proba"):
        return None
    # where the decision is this, whatever the weights
    z = np.linspace(-3.0, 3.0, 25)[:, None]
    x = (z - np.asarray(affine.bias, dtype=float)) @ np.linalg.pinv(affine.weights).T
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = model.predict_proba(x)[:, 1]
    # SGDClassifier's modified Huber loss has the second; Platt's of an SVC is neither
    choices = (sigmoid(), hard_sigmoid(0.5, 0.5))
    return next((f for f in choices if np.allclose(found, f.of(z[:, 0]), atol=1e-6)), None)


def _unpack(model: Any) -> tuple[list[tuple[str, _Affine]], Any]:
    """The affine steps before the model, by name and in order, and the model."""
    if not (flat := _flat("", model)):
        raise NetworkError("from_sklearn: a pipeline without steps; expected a model at its end")
    *steps, (_, last) = flat
    for _, step in (*steps, ("", last)):
        try:
            # "passthrough" and None are steps as well, and a class is told below
            if hasattr(step, "fit") and not isinstance(step, type):
                check_is_fitted(step)
        except NotFittedError as error:
            raise NetworkError(
                f"from_sklearn: this {type(step).__name__} is not fitted; call fit first"
            ) from error
    is_known = isinstance(last, MLPClassifier | MLPRegressor) or hasattr(last, "network_")
    if not is_known and not (hasattr(last, "coef_") and hasattr(last, "intercept_")):
        hint = "; give its best_estimator_" if hasattr(last, "best_estimator_") else ""
        raise NetworkError(
            f"from_sklearn: got a {type(last).__name__}; expected an MLPClassifier, an MLPRegressor"
            f" or a linear model, with coef_ and intercept_{hint}"
        )
    kept = [(name.rstrip("_"), step) for name, step in steps if step not in (None, "passthrough")]
    return [(name, _affine(name, step)) for name, step in kept], last


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
            f"from_sklearn: step {name!r} of the pipeline has a"
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
    return np.asarray(dense(step.transform(x)), dtype=float)
