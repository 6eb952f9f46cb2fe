"""Trains the shipped models on scikit-learn's bundled data and measures them, plain and as
chemistry.

Run from the repository: ``python models/train.py``. Writes, beside itself, NAME.json, NAME.ant and
results.json (accuracy on held-out data of scikit-learn's network and of its chemistry on
roadrunner).
"""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

import crn_nn_tellurium as cn

HERE = Path(__file__).resolve().parent


def xor() -> tuple[Any, cn.Network]:
    """Two hidden units; the first start from which L-BFGS reaches all four targets."""
    x, _, y, _ = cn.model_data("xor")
    for seed in range(1000):
        model = MLPRegressor(
            hidden_layer_sizes=(2,), solver="lbfgs", alpha=1e-4, max_iter=5000, random_state=seed
        ).fit(x, y)
        if np.abs(model.predict(x) - y).max() < 0.01:
            break
    # a regressor of 0 and 1, whose values mean classes
    options = {"task": "classification", "class_names": [0, 1]}
    net = cn.from_sklearn(model, h=0.001, inputs="nonnegative", **options)
    return lambda data: (model.predict(data) > 0.5).astype(int), replace(net, name="xor_2_2_1")


def moons() -> tuple[Any, cn.Network]:
    """Inputs of either sign, on two rails each."""
    x, _, y, _ = cn.model_data("moons")
    model = MLPClassifier(
        hidden_layer_sizes=(12, 8), solver="lbfgs", alpha=1e-2, max_iter=2000, random_state=0
    ).fit(x, y)
    net = cn.from_sklearn(model, h=1e-3, approximation="algebraic")
    return model.predict, replace(net, name="moons_2_12_8_1")


def iris() -> tuple[Any, cn.Network]:
    """Centimetres in, scaled to their range in the training data."""
    x, _, y, _ = cn.model_data("iris")
    model = make_pipeline(
        MinMaxScaler(),
        MLPClassifier(
            hidden_layer_sizes=(8,), solver="lbfgs", alpha=1e-2, max_iter=2000, random_state=0
        ),
    ).fit(x, y)
    names = ["sepal_length_cm", "sepal_width_cm", "petal_length_cm", "petal_width_cm"]
    net = cn.from_sklearn(
        model,
        h=1e-3,
        inputs="scaled",
        input_range=(np.zeros(4), x.max(axis=0)),
        input_names=names,
    )
    return model.predict, replace(net, name="iris_4_8_3")


def digits() -> tuple[Any, cn.Network]:
    """8 x 8 pixels of 0 to 16 in, scaled to 0 to 1."""
    x, _, y, _ = cn.model_data("digits")
    scaler = MinMaxScaler().fit([[0.0] * 64, [16.0] * 64])
    mlp = MLPClassifier(hidden_layer_sizes=(32,), alpha=1e-2, max_iter=2000, random_state=0).fit(
        scaler.transform(x), y
    )
    model = make_pipeline(scaler, mlp)
    net = cn.from_sklearn(model, h=1e-4, inputs="scaled", input_range=(0.0, 16.0))
    return model.predict, replace(net, name="digits_64_32_10")


def main() -> None:
    """Train, measure and write every model."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    rows = {}
    for train in (xor, moons, iris, digits):
        name = train.__name__
        predict, net = train()
        net = net.pruned()
        _, x, _, y = cn.model_data(name)
        chemistry = net.classify(cn.Simulator(net).steady_state(x).outputs)
        crn = cn.to_reactions(net)
        rows[name] = {
            "layers": "-".join(str(n) for n in (net.n_in, *(layer.n_out for layer in net.layers))),
            "inputs": net.inputs,
            "h": net.h[0],
            "species": len(crn.floating),
            "reactions": len(crn.reactions),
            "held_out": len(y),
            "plain_accuracy": float(np.mean(predict(x) == y)),
            "chemistry_accuracy": float(np.mean(chemistry == y)),
            "same_class": float(np.mean(chemistry == predict(x))),
        }
        net.save(HERE / f"{name}.json")
        cn.export(net, HERE / f"{name}.ant", overwrite=True)
        print(name, rows[name])
    (HERE / "results.json").write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
