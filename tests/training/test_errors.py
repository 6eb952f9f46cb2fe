"""Options and data that no training can use are refused."""

import numpy as np
import pytest
from support.trainings import scaled_iris, small

import crn_nn_tellurium as cn

FLOWERS = scaled_iris()

LINEAR = cn.Network.random([2, 3, 1], seed=0, output=cn.Linear(h=0.1))

REFUSED = [
    # what overflows, without a warning beside it
    (
        lambda: cn.fit(LINEAR, [[1e308, 0.5]], [[1.0]]),
        cn.ConvergenceError,
        "training: the loss is nan .* smaller scale may help",
    ),
    # options
    (lambda: cn.LBFGS(max_iter=0), cn.InputError, "max_iter is 0"),
    (lambda: cn.LBFGS(max_iter=1.5), cn.InputError, "max_iter is 1.5"),
    (lambda: cn.LBFGS(tolerance=-1.0), cn.InputError, "tolerance is -1.0"),
    (lambda: cn.Adam(learning_rate=0.0), cn.InputError, "learning_rate is 0.0"),
    (lambda: cn.Adam(learning_rate="0.1"), cn.InputError, "learning_rate is '0.1'"),
    (lambda: cn.Adam(batch_size=0), cn.InputError, "batch_size is 0"),
    (lambda: cn.Adam(patience=0), cn.InputError, "patience is 0"),
    (lambda: cn.Adam(seed=-1), cn.InputError, "seed is -1"),
    (lambda: cn.Adam(seed=None), cn.InputError, "seed is None"),
    (lambda: cn.Constraints(l2=-1.0), cn.InputError, "l2 is -1.0"),
    (lambda: cn.Constraints(density=0.0), cn.InputError, "density is 0.0"),
    (lambda: cn.Constraints(max_rate_constant=0.5), cn.InputError, "max_rate_constant is 0.5"),
    (lambda: cn.Constraints(max_rate_constant="5"), cn.InputError, "max_rate_constant is '5'"),
    (lambda: cn.Constraints(h_bounds=(1.0, 0.1)), cn.InputError, "expected 0 < least < largest"),
    (lambda: cn.Constraints(h_bounds=(1.0,)), cn.InputError, r"expected \(least, largest\)"),
    (
        lambda: cn.Constraints(h_bounds=(2.0, 3.0), max_rate_constant=1.5),
        cn.InputError,
        "expected 0 < least < largest",
    ),
    (lambda: cn.Validation(held_out=1.5), cn.InputError, "held_out is 1.5"),
    (lambda: cn.Validation(held_out=[1, 2, 3]), cn.InputError, r"expected \(X, y\)"),
    (lambda: cn.Validation(held_out=0.2, patience=0), cn.InputError, "patience is 0"),
    (lambda: cn.ReadOutTime(time=0.0), cn.InputError, "time is 0.0"),
    (lambda: cn.ReadOutTime(time="soon"), cn.InputError, "time is 'soon'"),
    (lambda: cn.ReadOutTime(time=None, initial=0.0), cn.InputError, "time is None"),
    (lambda: cn.Monitor(callback=3), cn.InputError, "callback is 3"),
    # fit
    *(
        (
            lambda x=x: cn.fit(LINEAR, [[0.0, 1.0]], [[1.0]], validation=(x, [[1.0]])),
            cn.InputError,
            rf"validation X has shape \({shape}\); expected \(n_samples, 2\)",
        )
        for x, shape in (([0.0, 1.0], "2,"), (np.zeros((0, 2)), "0, 2"))
    ),
    (
        lambda: cn.fit(small(), *FLOWERS, loss="cross_entropy", optimizer="sgd"),
        cn.InputError,
        "expected one of 'lbfgs', 'adam'",
    ),
    (
        lambda: cn.fit(
            small(), *FLOWERS, loss="cross_entropy", constraints=cn.Constraints(h_bounds=(0.1, 1.0))
        ),
        cn.InputError,
        "h is 0.01, outside its bounds",
    ),
    (
        lambda: cn.fit(small(), *FLOWERS, loss="cross_entropy", constraints=3.0),
        cn.InputError,
        "constraints: got float; expected Constraints",
    ),
    (
        lambda: cn.fit(small(), *FLOWERS, loss="cross_entropy", monitor="run.json"),
        cn.InputError,
        "monitor: got str; expected Monitor",
    ),
    (
        lambda: cn.fit(small(), *FLOWERS, loss="cross_entropy", validation=1.5),
        cn.InputError,
        "held_out is 1.5",
    ),
    (
        lambda: cn.fit(small(), *FLOWERS, loss="cross_entropy", validation=0.001),
        cn.InputError,
        "held_out is 0.001 of 120 samples",
    ),
    (
        lambda: cn.fit(small(), *FLOWERS, loss="cross_entropy", noise=0.1, answers="engine"),
        cn.InputError,
        "noise goes with answers='closed_form'",
    ),
    (
        lambda: cn.fit(
            small(), *FLOWERS, loss="cross_entropy", noise=0.1, answers=cn.ReadOutTime(3.0)
        ),
        cn.InputError,
        "noise goes with",
    ),
    (
        lambda: cn.fit(small(), *FLOWERS, loss="cross_entropy", noise=[0.1, 0.2]),
        cn.InputError,
        "training takes one",
    ),
    (
        lambda: cn.fit(small(), *FLOWERS, loss="cross_entropy", noise=-0.1),
        cn.InputError,
        "cv is -0.1",
    ),
    (
        lambda: cn.fit(small(), *FLOWERS, loss="cross_entropy", answers="guess"),
        cn.InputError,
        "answers is 'guess'",
    ),
    (
        lambda: cn.fit(
            cn.Network([cn.Layer(np.ones((3, 4)), activation=cn.Linear(h=5.0))]),
            *FLOWERS,
            "cross_entropy",
            constraints=cn.Constraints(max_rate_constant=2.0),
        ),
        cn.InputError,
        r"h1 is 5\.0, which training leaves",
    ),
    (lambda: cn.fit(3, *FLOWERS), cn.NetworkError, "fit takes a Network.*got int"),
    (
        lambda: cn.fit(
            cn.Network.random([4, 3, 1], seed=0, output=cn.Sigmoid(h=0.01)),
            FLOWERS[0],
            FLOWERS[1] > 0,
            "cross_entropy",
            noise=0.1,
        ),
        cn.InputError,
        "noise does not go with cross-entropy on a Sigmoid",
    ),
    # noise of molecules
    *(
        (lambda v=v: cn.Molecules(v), cn.InputError, f"volume is {v!r}")
        for v in (0.0, -5, np.inf, "many", None)
    ),
    (
        lambda: cn.fit(
            small(),
            *FLOWERS,
            loss="cross_entropy",
            noise=cn.Molecules(100),
            answers=cn.ReadOutTime(3.0),
        ),
        cn.InputError,
        "steady states under noise .* have no read-out time",
    ),
    (
        lambda: cn.fit(
            small(), *FLOWERS, loss="cross_entropy", noise=cn.Molecules(100), answers="engine"
        ),
        cn.InputError,
        "noise goes with answers='closed_form'",
    ),
    (
        lambda: cn.fit(
            cn.Network.random([4, 3, 3], seed=0, output=cn.Normalized(h=0.01)),
            *FLOWERS,
            "cross_entropy",
            noise=cn.Molecules(100),
        ),
        cn.InputError,
        "share that fluctuates may be below 0.*Linear outputs",
    ),
    (
        lambda: cn.fit(small(), *FLOWERS, loss="cross_entropy", noise="few"),
        cn.InputError,
        "noise is 'few'; expected .* or Molecules",
    ),
    (lambda: cn.fit(small(), FLOWERS[0][0], [1]), cn.InputError, r"X has shape \(4,\)"),
    # estimators
    (
        lambda: cn.CRNClassifier(activation="swish").fit(*FLOWERS),
        cn.InputError,
        "activation is 'swish'",
    ),
    (lambda: cn.CRNClassifier(solver="sgd").fit(*FLOWERS), cn.InputError, "solver is 'sgd'"),
    (
        lambda: cn.CRNClassifier(noise=cn.Molecules(100)).fit(*FLOWERS),
        cn.InputError,
        "does not go with standardize=True.*expected standardize=False",
    ),
    (lambda: cn.CRNClassifier(alpha=-1.0).fit(*FLOWERS), cn.InputError, "alpha is -1"),
    (
        lambda: cn.CRNClassifier().fit(FLOWERS[0], np.zeros(len(FLOWERS[0]))),
        cn.InputError,
        "at least 2 classes",
    ),
    (
        lambda: cn.CRNClassifier((2,), max_iter=1, predict_with="magic").fit(*FLOWERS),
        cn.InputError,
        "predict_with is 'magic'",
    ),
    (
        lambda: (
            cn.CRNClassifier((2,), max_iter=1)
            .fit(*FLOWERS)
            .set_params(predict_with="magic")
            .predict(FLOWERS[0])
        ),
        cn.InputError,
        "predict_with is 'magic'",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), REFUSED)
def test_errors_say_what_is_wrong(call, error, message):
    with pytest.raises(error, match=message):
        call()
