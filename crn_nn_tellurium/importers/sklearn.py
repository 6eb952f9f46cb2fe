"""Trained networks from scikit-learn: an MLP, alone or behind affine scalers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import NotFittedError
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.utils.validation import check_is_fitted

from crn_nn_tellurium.errors import NetworkError
from crn_nn_tellurium.networks import Activation, Layer, Linear, Network, Sigmoid, SmoothedReLU

_HIDDEN: dict[str, type[Activation]] = {"relu": SmoothedReLU, "identity": Linear}
_OUTPUT: dict[str, type[Activation]] = {"identity": Linear, "softmax": Linear, "logistic": Sigmoid}


def from_sklearn(
    model: Any,
    h: float = 1e-6,
    *,
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
        Fitted. A pipeline may have MinMaxScaler and StandardScaler steps before the network; they
        are folded into the first layer, so the result takes the raw inputs.
    h : float
        Smoothing of every layer. The smaller, the closer to the hard ReLU and the slower the
        chemistry; ``net.with_h`` changes it.
    inputs, input_range, input_names, output_names, class_names, name, task
        As in `Network`; by default inputs of either sign, the model's own task and classes.

    Returns
    -------
    Network
        Of an MLPClassifier one for classification with its labels, of an MLPRegressor one for
        regression, unless ``task`` says that its values mean classes. ``relu`` becomes
        SmoothedReLU, ``identity`` Linear. Softmax outputs become Linear ones and a logistic output
        Sigmoid: the same class, not the same probability.

    Raises
    ------
    NetworkError
        If the model is of another kind, not fitted, or has an activation without a counterpart.

    Examples
    --------
    >>> mlp = MLPRegressor(hidden_layer_sizes=(3,), solver="lbfgs", random_state=0)
    >>> mlp = mlp.fit([[0.0, 1.0], [1.0, 0.0]], [0.0, 1.0])
    >>> net = from_sklearn(mlp, h=1e-6)
    >>> net.task, [layer.activation for layer in net.layers]
    ('regression', [SmoothedReLU(h=1e-06), Linear(h=1e-06)])
    """
    scale, shift, network = _unpack(model)
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
    kinds = [hidden] * (len(network.coefs_) - 1) + [output]
    layers: list[Layer] = []
    for weights, bias, kind in zip(network.coefs_, network.intercepts_, kinds, strict=True):
        matrix, offset = weights.T, bias
        if not layers:  # W (scale x + shift) + b = (W scale) x + (b + W shift)
            matrix, offset = matrix * scale, bias + matrix @ shift
        layers.append(Layer(matrix, offset, kind(h=h)))
    is_classifier = isinstance(network, MLPClassifier)
    task = task or ("classification" if is_classifier else "regression")
    if is_classifier and task == "classification" and class_names is None:
        # whole numbers compare equal to scikit-learn's labels, whatever their type
        names = (c if isinstance(c, str) else int(c) for c in network.classes_.tolist())
        class_names = list(names)
    return Network(
        tuple(layers), inputs, input_range, input_names, output_names, class_names, name, task
    )


def _unpack(model: Any) -> tuple[npt.NDArray[Any], npt.NDArray[Any], Any]:
    """x -> scale x + shift, as the steps before the network do it, and the network."""
    steps = [step for _, step in model.steps] if isinstance(model, Pipeline) else [model]
    network = steps.pop()
    if not isinstance(network, MLPClassifier | MLPRegressor):
        raise NetworkError(
            f"from_sklearn: got a {type(network).__name__}; expected an MLPClassifier or"
            " MLPRegressor"
        )
    for step in (*steps, network):
        try:
            # "passthrough" and None are steps as well
            if hasattr(step, "fit"):
                check_is_fitted(step)
        except NotFittedError as error:
            raise NetworkError(
                f"from_sklearn: this {type(step).__name__} is not fitted; call fit first"
            ) from error
    scale, shift = np.ones(network.coefs_[0].shape[0]), np.zeros(network.coefs_[0].shape[0])
    for step in steps:
        if isinstance(step, MinMaxScaler) and not step.clip:
            factor, offset = step.scale_, step.min_
        elif isinstance(step, StandardScaler):
            factor = 1 / step.scale_ if step.with_std else np.ones_like(scale)
            offset = -step.mean_ * factor if step.with_mean else np.zeros_like(scale)
        elif step is None or step == "passthrough":
            continue
        else:
            raise NetworkError(
                f"from_sklearn: the pipeline has a {type(step).__name__}; expected MinMaxScaler"
                " (without clip) or StandardScaler, which are affine"
            )
        scale, shift = scale * factor, shift * factor + offset
    return scale, shift, network
