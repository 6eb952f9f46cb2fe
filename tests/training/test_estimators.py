"""The scikit-learn estimators: scikit-learn's own checks, its tools, and what they reach on real
data.
"""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, make_moons
from sklearn.model_selection import (
    GridSearchCV,
    ShuffleSplit,
    StratifiedShuffleSplit,
    cross_val_score,
)
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from support.tolerances import ROUNDED

import crn_nn_tellurium as cn
from crn_nn_tellurium.training import rounds


@parametrize_with_checks([cn.CRNClassifier(max_iter=30), cn.CRNRegressor(max_iter=30)])
def test_scikit_learns_own_checks(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the checks warn on purpose
        check(estimator)


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)


def test_works_in_pipelines_grids_and_cross_validation(iris):
    pipeline = make_pipeline(MinMaxScaler(), cn.CRNClassifier((6,), max_iter=60, random_state=0))
    assert cross_val_score(pipeline, *iris, cv=3).mean() > 0.93
    grid = GridSearchCV(pipeline, {"crnclassifier__alpha": [0.1, 1.0]}, cv=3).fit(*iris)
    assert grid.best_score_ > 0.93


def test_the_network_reads_raw_features_and_the_engine_agrees(iris, monkeypatch):
    verified = []
    verify = rounds.verify
    monkeypatch.setattr(rounds, "verify", lambda net, *a: verified.append(net) or verify(net, *a))
    model = cn.CRNClassifier((6,), max_iter=60, random_state=0).fit(*iris)
    # once: the network that reads standardised features is nobody's
    assert verified == [model.network_]
    assert model.fit_result_.network == model.network_
    assert model.fit_result_.verification.passed
    by_form = model.predict_proba(iris[0])
    np.testing.assert_array_equal(model.network_.predict(iris[0]), model.predict(iris[0]))
    by_engine = model.set_params(predict_with="engine").predict_proba(iris[0])
    # steady states to 1e-12
    np.testing.assert_allclose(by_engine, by_form, atol=1e-9)
    np.testing.assert_allclose(by_form.sum(axis=1), 1.0)


def test_labels_and_column_names_reach_the_network():
    data = load_iris(as_frame=True)
    names = data.target_names[data.target]
    model = cn.CRNClassifier((4,), max_iter=30, random_state=0).fit(data.data, names)
    assert model.network_.input_names == (
        "sepal_length_cm",
        "sepal_width_cm",
        "petal_length_cm",
        "petal_width_cm",
    )
    assert model.network_.class_names == ("setosa", "versicolor", "virginica")
    alike = pd.DataFrame(data.data.to_numpy(), columns=["a b", "a_b", "c", "d"])
    assert cn.CRNClassifier((4,), max_iter=5).fit(alike, names).network_.input_names == (
        "a_b_2",
        "a_b",
        "c",
        "d",
    )


def test_two_classes_take_one_output_and_its_threshold():
    x, y = make_moons(200, noise=0.1, random_state=0)
    model = cn.CRNClassifier((8,), random_state=0).fit(x, np.array(["low", "high"])[y])
    assert model.network_.n_out == 1
    np.testing.assert_array_equal(model.network_.predict(x), model.predict(x))
    assert model.decision_function(x).shape == (200,)


def test_a_chemistry_that_the_engine_does_not_confirm_is_warned_of(iris):
    with pytest.warns(UserWarning, match="NOT verified") as caught:
        cn.CRNClassifier((4,), max_iter=20, random_state=0).fit(iris[0] * 1e-8 + 1e3, iris[1])
    assert caught[0].filename == __file__


def test_bounds_hold_without_standardisation(iris):
    model = cn.CRNClassifier(
        (6,), max_rate_constant=4.0, standardize=False, max_iter=60, random_state=0
    )
    net = model.fit(iris[0] / 8, iris[1]).network_
    assert cn.to_reactions(net).constants.max() <= 4.0 * (1 + ROUNDED)


def test_an_activation_may_be_given_with_its_own_h():
    found = cn.CRNRegressor((2,), activation=cn.Tanh(h=0.2), h=0.1, max_iter=2).fit(
        [[0], [1]], [0, 1]
    )
    assert [layer.activation for layer in found.network_.layers] == [cn.Tanh(0.2), cn.Linear(0.1)]


def test_early_stopping_watches_a_share_of_the_samples(rng):
    x = rng.normal(size=(10, 2))
    options = {"max_iter": 3, "random_state": 0, "validation_fraction": 0.3}
    watched, not_watched = (
        cn.CRNRegressor((2,), early_stopping=early, **options).fit(x, x[:, 0]).fit_result_
        for early in (True, False)
    )
    assert watched.validation_loss > 0
    assert not_watched.validation_loss is None
    html = [one._repr_html_() for one in (watched, not_watched)]
    assert ["validation loss" in one for one in html] == [True, False]


def test_errors_of_rates_move_the_weights_the_same_way_each_time(rng):
    x = rng.normal(size=(10, 2))
    options = {"standardize": False, "alpha": 0.0, "max_iter": 3, "random_state": 0}
    found = [cn.CRNRegressor((2,), noise=noise, **options).fit(x, x[:, 0]) for noise in (0.3, None)]
    weights = [one.network_.layers[0].weights for one in found]
    again = cn.CRNRegressor((2,), noise=0.3, **options).fit(x, x[:, 0])
    np.testing.assert_array_equal(again.network_.layers[0].weights, weights[0])
    assert np.abs(weights[0] - weights[1]).max() > 1e-3


def test_several_targets(rng):
    x = rng.normal(size=(100, 3))
    y = np.stack([x[:, 0] * 5 + 100, np.abs(x[:, 1])], axis=1)
    model = cn.CRNRegressor((8,), alpha=0.01, random_state=0).fit(x, y)
    assert model.predict(x).shape == (100, 2)
    assert model.score(x, y) > 0.95
    np.testing.assert_array_equal(model.network_.predict(x), model.predict(x))
    assert cn.CRNRegressor((4,), max_iter=5).fit(x, y[:, 0]).predict(x).shape == (100,)


# What they reach: means over 5 stratified splits with 20 % held out, the engine answering ---------

SPLITS = StratifiedShuffleSplit(5, test_size=0.2, random_state=0)
REACHED = {
    "moons": (lambda: make_moons(1000, noise=0.1, random_state=0), (12, 8), 0.99),
    "iris": (lambda: load_iris(return_X_y=True), (8,), 0.95),
    "breast cancer": (lambda: load_breast_cancer(return_X_y=True), (12,), 0.96),
    "digits": (lambda: load_digits(return_X_y=True), (32,), 0.97),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", REACHED)
def test_accuracy_on_held_out_data(name):
    load, hidden, least = REACHED[name]
    model = cn.CRNClassifier(hidden, random_state=0, predict_with="engine")
    scores = cross_val_score(model, *load(), cv=SPLITS)
    print(name, scores.round(4), scores.mean().round(4))
    assert scores.mean() >= least


@pytest.mark.slow
def test_regression_is_no_worse_than_scikit_learns():
    """Diabetes, one hidden layer of 12, features and targets standardised, alpha chosen by the same
    search.
    """
    from sklearn.compose import TransformedTargetRegressor

    x, y = load_diabetes(return_X_y=True)
    alphas = [1.0, 10.0, 30.0, 100.0]
    ours = GridSearchCV(cn.CRNRegressor((12,), random_state=0), {"alpha": alphas})
    theirs = TransformedTargetRegressor(
        make_pipeline(
            StandardScaler(),
            MLPRegressor(hidden_layer_sizes=(12,), solver="lbfgs", max_iter=2000, random_state=0),
        ),
        transformer=StandardScaler(),
    )
    theirs = GridSearchCV(theirs, {"regressor__mlpregressor__alpha": alphas})
    splits = ShuffleSplit(5, test_size=0.2, random_state=0)
    scores = [cross_val_score(model, x, y, cv=splits).mean() for model in (ours, theirs)]
    print("diabetes R2", np.round(scores, 4))
    assert scores[0] >= scores[1]
