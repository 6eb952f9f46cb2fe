"""Networks from scikit-learn against scikit-learn's own predictions."""

import warnings

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.cross_decomposition import PLSRegression
from sklearn.datasets import load_breast_cancer, load_iris, load_wine
from sklearn.decomposition import PCA, FactorAnalysis, FastICA, IncrementalPCA, TruncatedSVD
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_selection import SelectKBest, VarianceThreshold
from sklearn.linear_model import (
    Lasso,
    LinearRegression,
    LogisticRegression,
    Perceptron,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
    SGDRegressor,
)
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    PolynomialFeatures,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.random_projection import GaussianRandomProjection, SparseRandomProjection
from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR
from support.tolerances import LAST_DIGIT, ROUNDED, SOLVED, SUMMED

import crn_nn_tellurium as cn
from crn_nn_tellurium.importers.sklearn import _affine


class CalibratedSVC(SVC):
    """With probabilities that are no function of ours of its decision."""

    def __init__(self):
        super().__init__(kernel="linear")

    def predict_proba(self, x):
        p = 1 / (1 + np.exp(0.3 - 1.7 * self.decision_function(x)))
        return np.stack([1 - p, p], axis=1)


@pytest.fixture(autouse=True)
def short_training():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def classifier(*scalers, **options):
    return make_pipeline(
        *scalers, MLPClassifier(hidden_layer_sizes=(6, 5), max_iter=60, random_state=0, **options)
    )


@pytest.mark.parametrize(
    "scalers",
    [
        (),
        (MinMaxScaler(),),
        (StandardScaler(),),
        (StandardScaler(), MinMaxScaler()),
        (StandardScaler(with_mean=False),),
        (StandardScaler(with_std=False),),
        (MaxAbsScaler(),),
        (RobustScaler(),),
        (RobustScaler(with_centering=False), RobustScaler(with_scaling=False)),
        (StandardScaler(), PCA(3)),
        (PCA(2, whiten=True), MinMaxScaler()),
        (IncrementalPCA(2), StandardScaler()),
        (TruncatedSVD(3, random_state=0), StandardScaler()),
        (FastICA(3, random_state=0), StandardScaler()),
        (StandardScaler(), SelectKBest(k=2)),
        (VarianceThreshold(0.5), "passthrough", FunctionTransformer()),
        (FactorAnalysis(3), GaussianRandomProjection(2, random_state=0)),
        (SparseRandomProjection(3, random_state=0), LinearDiscriminantAnalysis(n_components=2)),
        (ColumnTransformer([("a", StandardScaler(), [2, 0]), ("b", "passthrough", [1])]),),
        (PolynomialFeatures(1), FunctionTransformer(lambda x: 2 * x + 1)),
        (make_pipeline(StandardScaler(), make_pipeline(PCA(3), RobustScaler())), MaxAbsScaler()),
    ],
    ids=lambda steps: "-".join(type(step).__name__ for step in steps) or "none",
)
@pytest.mark.parametrize("names", [False, True])
def test_classes_are_the_same(scalers, names):
    x, y = load_iris(return_X_y=True)
    labels = load_iris().target_names[y] if names else y
    model = classifier(*scalers).fit(x, labels)
    net = cn.from_sklearn(model, h=1e-10)
    assert net.predict(x).tolist() == model.predict(x).tolist()
    hidden = model[:-1].transform(x) if scalers else x
    mlp = model[-1]
    for weights, bias in zip(mlp.coefs_[:-1], mlp.intercepts_[:-1], strict=True):
        hidden = np.maximum(hidden @ weights + bias, 0)
    logits = hidden @ mlp.coefs_[-1] + mlp.intercepts_[-1]
    # smoothing adds at most sqrt(h) = 1e-5 per unit
    np.testing.assert_allclose(net(x), logits, atol=1e-3)


def test_two_classes_and_scaled_inputs_through_the_chemistry():
    x, y = load_wine(return_X_y=True)
    keep = y < 2
    model = classifier(MinMaxScaler(), solver="lbfgs").fit(x[keep], y[keep])
    net = cn.from_sklearn(model, inputs="scaled", input_range=(x.min(axis=0), x.max(axis=0)))
    outputs = cn.Simulator(net).steady_state(x[keep][:20]).outputs
    assert net.classify(outputs).tolist() == model.predict(x[keep][:20]).tolist()


def test_regression():
    x, y = load_iris(return_X_y=True)
    mlp = MLPRegressor(hidden_layer_sizes=(7,), solver="lbfgs", max_iter=200, random_state=0).fit(
        x, y
    )
    net = cn.from_sklearn(mlp, h=1e-12, inputs="nonnegative")
    # knees of sqrt(h) = 1e-6, times the weights of seven units
    np.testing.assert_allclose(net(x)[:, 0], mlp.predict(x), rtol=0, atol=1e-4)
    assert (net.task, net.class_names) == ("regression", None)
    # the same numbers
    np.testing.assert_allclose(net.predict(x)[:, 0], mlp.predict(x), rtol=0, atol=1e-4)


def test_values_of_a_regressor_may_mean_classes():
    x, y = np.array([[0.0], [1.0]]), np.array([0.0, 1.0])
    mlp = MLPRegressor(hidden_layer_sizes=(4,), solver="lbfgs", random_state=0).fit(x, y)
    net = cn.from_sklearn(mlp, task="classification", class_names=["off", "on"])
    assert net.predict(x).tolist() == ["off", "on"]


@pytest.mark.parametrize("kind", [int, float, bool])
def test_labels_compare_equal_to_scikit_learns(kind):
    x, y = load_iris(return_X_y=True)
    model = classifier().fit(x, (y > 0).astype(kind))
    np.testing.assert_array_equal(cn.from_sklearn(model, h=1e-10).predict(x), model.predict(x))


def test_columns_of_a_frame_name_the_inputs():
    data = load_iris(as_frame=True)
    for model in (classifier(StandardScaler(), PCA(2)), classifier()[-1]):
        net = cn.from_sklearn(model.fit(data.data, data.target), h=1e-10)
        assert net.input_names == (
            "sepal_length_cm",
            "sepal_width_cm",
            "petal_length_cm",
            "petal_width_cm",
        )
    named = cn.from_sklearn(model, input_names=["a", "b", "c", "d"])
    assert named.input_names == ("a", "b", "c", "d")


@pytest.mark.parametrize("scalers", [(StandardScaler(),), (StandardScaler(), PCA(5))])
@pytest.mark.parametrize("approximation", ["pieces", "algebraic"])
def test_a_logistic_output_gives_probabilities(scalers, approximation):
    x, y = load_breast_cancer(return_X_y=True)
    model = classifier(*scalers).fit(x, y)
    net = cn.from_sklearn(model, h=1e-10, approximation=approximation)
    np.testing.assert_array_equal(net.predict(x), model.predict(x))
    off = np.abs(net.predict_proba(x)[:, 1] - model.predict_proba(x)[:, 1]).max()
    # what the report says, and hidden units smoothed by 1e-5 each
    assert off <= net.import_report.bound
    # (1 + z / sqrt(z^2 + 4)) / 2 is at most 0.0369 from the logistic function
    assert net.import_report.operators[-1].error <= (0.01 if approximation == "pieces" else 0.037)


@pytest.mark.parametrize("activation", ["tanh", "logistic", "identity", "relu"])
@pytest.mark.parametrize("approximation", ["pieces", "algebraic"])
def test_hidden_activations(activation, approximation):
    x, y = load_iris(return_X_y=True)
    # targets of two numbers, and inputs that the pieces have not seen
    model = make_pipeline(
        StandardScaler(),
        MLPRegressor(
            hidden_layer_sizes=(5, 4),
            activation=activation,
            solver="lbfgs",
            max_iter=200,
            random_state=0,
        ),
    ).fit(x[::2], np.stack([y, x[:, 0]], axis=1)[::2])
    net = cn.from_sklearn(model, h=1e-8, approximation=approximation)
    # besides rounding, where all is affine
    assert np.abs(net(x) - model.predict(x)).max() <= net.import_report.bound + 1e-13
    solved = cn.Simulator(net).steady_state(x[:20]).outputs
    np.testing.assert_allclose(solved, net(x[:20]), rtol=SOLVED, atol=SOLVED)
    seen = cn.from_sklearn(model, h=1e-8, approximation=approximation, data=x, max_error=1e-3)
    off = np.abs(seen(x) - model.predict(x)).max()
    np.testing.assert_allclose(
        seen.import_report.largest_difference, off, rtol=ROUNDED, atol=ROUNDED
    )
    assert off <= seen.import_report.bound + SUMMED
    if approximation == "pieces":
        assert off <= 0.1


@pytest.mark.parametrize(
    "model",
    [
        LinearRegression(),
        Ridge(),
        Lasso(0.01),
        LinearSVR(random_state=0),
        SGDRegressor(random_state=0),
        PLSRegression(2),
    ],
    ids=lambda model: type(model).__name__,
)
def test_linear_models_are_exact(model):
    x, y = load_iris(return_X_y=True)
    model = make_pipeline(StandardScaler(), model).fit(x, x[:, 0] + y)
    net = cn.from_sklearn(model)
    expected = np.asarray(model.predict(x)).reshape(len(x), -1)
    np.testing.assert_allclose(net(x), expected, rtol=ROUNDED, atol=ROUNDED)
    solved = cn.Simulator(net).steady_state(x[:20]).outputs
    np.testing.assert_allclose(solved, expected[:20], rtol=SOLVED, atol=SOLVED)
    assert (net.task, net.import_report.bound) == ("regression", 0.0)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(
    "model",
    [
        LogisticRegression(),
        LinearSVC(random_state=0),
        RidgeClassifier(),
        Perceptron(random_state=0),
        SGDClassifier(random_state=0),
        LinearDiscriminantAnalysis(),
    ],
    ids=lambda model: type(model).__name__,
)
def test_linear_classifiers(model, n_classes):
    data = load_iris()
    keep = data.target < n_classes
    x, y = data.data[keep], data.target_names[data.target[keep]]
    model = make_pipeline(StandardScaler(), model).fit(x, y)
    net = cn.from_sklearn(model, h=1e-10)
    assert net.predict(x).tolist() == model.predict(x).tolist()
    outputs = cn.Simulator(net).steady_state(x[::7]).outputs
    assert net.classify(outputs).tolist() == model.predict(x[::7]).tolist()
    if n_classes == 2 and hasattr(model, "predict_proba"):
        off = np.abs(net.predict_proba(x) - model.predict_proba(x)).max()
        # max_error, by default
        assert off <= net.import_report.bound <= 1e-2


@pytest.mark.parametrize(
    ("model", "has_probabilities"),
    [
        (SGDClassifier(loss="modified_huber", random_state=0), True),
        (SGDClassifier(loss="log_loss", random_state=0), True),
        # which Platt's method gives, by a sigmoid with a slope and a shift of its own
        (CalibratedSVC(), False),
    ],
    ids=["half a clip", "logistic", "its own"],
)
def test_probabilities_are_the_models_own_or_none(model, has_probabilities):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3))
    model.fit(x, (x[:, 0] + rng.normal(size=200) > 0).astype(int))
    net = cn.from_sklearn(model, h=1e-10)
    np.testing.assert_array_equal(net.predict(x), model.predict(x))
    assert net.n_out == (1 if has_probabilities else 2)
    if has_probabilities:
        off = np.abs(net.predict_proba(x) - model.predict_proba(x)).max()
        # max_error, by default
        assert off <= net.import_report.bound <= 1e-2


@pytest.mark.parametrize("model", [PLSRegression(2), SVR(kernel="linear", C=1e4)])
def test_what_a_model_makes_of_nothing_is_its_intercept(model):
    """Of PLS the intercept is where the means are; of a large C dual coefficients are large."""
    x, y = load_iris(return_X_y=True)
    model.fit(x, x[:, 0] + y)
    # sums of dual coefficients of up to 1e4 are rounded so
    np.testing.assert_allclose(
        cn.from_sklearn(model)(x)[:, 0], np.ravel(model.predict(x)), atol=1e-6
    )


@pytest.mark.parametrize(
    ("model", "labels"),
    [
        (SVC(kernel="linear", decision_function_shape="ovo"), lambda y: y),
        (RidgeClassifier(), lambda y: np.stack([y > 0, y > 1], axis=1).astype(int)),
    ],
)
def test_decisions_that_are_no_classes_are_refused(model, labels):
    x, y = load_iris(return_X_y=True)
    model.fit(x, labels(y))
    with pytest.raises(cn.NetworkError, match="does not predict the class of the largest decision"):
        cn.from_sklearn(model)


def test_an_estimator_of_ours_behind_steps_is_one_network():
    x, y = load_iris(return_X_y=True)
    ours = cn.CRNClassifier((5,), activation="tanh", max_iter=30, random_state=0)
    model = make_pipeline(MinMaxScaler(), PCA(3), ours).fit(x, y)
    net = cn.from_sklearn(model)
    inner = model[-1].network_
    assert [layer.activation for layer in net.layers] == [
        layer.activation for layer in inner.layers
    ]
    np.testing.assert_allclose(net(x), inner(model[:-1].transform(x)), rtol=ROUNDED, atol=ROUNDED)
    assert net.predict(x).tolist() == model.predict(x).tolist()
    assert net.import_report.bound == 0.0


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (classifier(KBinsDiscretizer(encode="ordinal")), "a KBinsDiscretizer, .* not affine"),
        (classifier(OneHotEncoder(handle_unknown="ignore")), "has a OneHotEncoder"),
        (classifier(QuantileTransformer(n_quantiles=10)), "has a QuantileTransformer"),
        (
            classifier(make_pipeline(StandardScaler(), Normalizer())),
            r"step 'pipeline__normalizer' .* Normalizer, .*from_sklearn\(pipeline\[k:\]\)",
        ),
        (classifier(FunctionTransformer(np.log1p)), "has a FunctionTransformer"),
        (classifier(FunctionTransformer(lambda x: np.maximum(x, -1e6))), "a FunctionTransformer"),
        (classifier(MinMaxScaler(clip=True)), "has a MinMaxScaler, .* not affine"),
        (classifier(PolynomialFeatures(2)), "has a PolynomialFeatures"),
        (GridSearchCV(classifier(), {}), "a GridSearchCV; .* give its best_estimator_"),
        (make_pipeline(StandardScaler(), SVC()), "a SVC; expected an MLPClassifier, .* linear"),
        (
            make_pipeline(StandardScaler(), SVC(kernel="linear")),
            "a SVC, whose decision_function is not",
        ),
        (make_pipeline(PoissonRegressor()), "a PoissonRegressor, whose predict is not"),
    ],
)
def test_steps_that_cannot_be_folded_are_named(model, message):
    model.fit(*load_iris(return_X_y=True))
    with pytest.raises(cn.NetworkError, match=message):
        cn.from_sklearn(model)


def test_a_step_far_from_its_means_keeps_all_digits():
    """Means of 1e8 and spreads of 1: differences of two probes must not cancel."""
    x = load_iris().data + 1e8
    scaler = StandardScaler().fit(x)
    matrix, offset = _affine("scaler", scaler)
    np.testing.assert_allclose(matrix, np.diag(1 / scaler.scale_), rtol=LAST_DIGIT)
    np.testing.assert_allclose(offset, -scaler.mean_ / scaler.scale_, rtol=LAST_DIGIT)


def test_a_column_transformer_of_named_columns():
    data = load_iris(as_frame=True)
    scaled = ColumnTransformer([("a", StandardScaler(), ["petal width (cm)", "sepal width (cm)"])])
    model = classifier(scaled).fit(data.data, data.target)
    net = cn.from_sklearn(model, h=1e-10)
    reordered = data.data[data.data.columns[::-1]]
    np.testing.assert_array_equal(net.predict(reordered), model.predict(data.data))
