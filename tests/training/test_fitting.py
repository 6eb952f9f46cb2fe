"""Training: what it reaches, what it keeps to, and that it can stop and go on."""

from dataclasses import replace

import numpy as np
import pytest
from support import networks
from support.tolerances import INTEGRATED, ROUNDED
from support.trainings import small

import crn_nn_tellurium as cn
from crn_nn_tellurium.simulation.verification import verify

XOR = (np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0.0, 1, 1, 0]))


@pytest.mark.parametrize("seed", range(20))
def test_xor_is_learnt_from_every_start(seed):
    net = cn.Network.random([2, 4, 1], cn.SmoothedReLU(h=0.01), seed, output=cn.Linear(h=0.01))
    result = cn.fit(net, *XOR)
    steady = cn.Simulator(result.network).steady_state(XOR[0])
    assert result.network.classify(steady.outputs).tolist() == [0, 1, 1, 0]
    assert result.verification.passed
    # its gradient ends at 1e-6, and the loss is quadratic about 0
    assert result.loss < 1e-12


@pytest.mark.parametrize("optimizer", [cn.LBFGS, cn.Adam])
def test_engine_and_closed_form_train_alike(optimizer, flowers):
    """Both give the same gradient to 1e-8, so the first steps are the same."""
    options = {"optimizer": optimizer(max_iter=4), "loss": "cross_entropy"}
    x, y = flowers[0][::3], flowers[1][::3]
    by_form = cn.fit(small(), x, y, **options)
    by_engine = cn.fit(small(), x, y, answers="engine", **options)
    for a, b in zip(by_form.records, by_engine.records, strict=True):
        # the gradients' own 1e-8
        assert np.isclose(a.loss, b.loss, rtol=1e-8)
        # and what four steps along them add
        assert np.isclose(a.gradient_norm, b.gradient_norm, rtol=1e-7)


@pytest.mark.parametrize(
    "case", [c for c in networks.standard() if "hidden" in c.name][::2], ids=lambda c: c.name
)
def test_every_activation_and_input_coding_can_be_trained(case, rng):
    y = rng.normal(size=(len(case.x), case.net.n_out))
    free_h = cn.Constraints(h_bounds=(1e-6, 1.0))
    result = cn.fit(case.net, case.x, y, optimizer=cn.LBFGS(max_iter=30), constraints=free_h)
    assert result.loss < cn.gradient(case.net, case.x, y).loss
    assert result.verification.passed


def test_equal_arguments_give_equal_results(flowers):
    options = {
        "optimizer": cn.Adam(max_iter=3, seed=5),
        "loss": "cross_entropy",
        "noise": cn.RateErrors(0.1, draws=4, seed=5),
        "validation": cn.Validation(0.2, seed=5),
    }
    one, two = (cn.fit(small(), *flowers, **options) for _ in range(2))
    assert one.network == two.network
    for change in (
        {"optimizer": cn.Adam(max_iter=3, seed=6)},
        {"noise": cn.RateErrors(0.1, draws=4, seed=6)},
        {"validation": cn.Validation(0.2, seed=6)},
    ):
        assert cn.fit(small(), *flowers, **{**options, **change}).network != one.network


def test_shorthand_stands_for_the_objects(flowers):
    short = cn.fit(small(), *flowers, "cross_entropy", optimizer="lbfgs", noise=0.1, validation=0.2)
    long = cn.fit(
        small(),
        *flowers,
        "cross_entropy",
        optimizer=cn.LBFGS(),
        noise=cn.RateErrors(0.1, draws=8),
        validation=cn.Validation(0.2),
    )
    assert short.network == long.network
    assert [r.loss for r in short.records] == [r.loss for r in long.records]


def test_no_rate_constant_is_above_its_bound(flowers):
    constraints = cn.Constraints(max_rate_constant=3.0, h_bounds=(1e-6, 1.0))
    options = {"loss": "cross_entropy", "optimizer": cn.LBFGS(max_iter=100)}
    free = cn.fit(small(), *flowers, **options)
    bound = cn.fit(small(), *flowers, **options, constraints=constraints)
    assert cn.to_reactions(free.network).constants.max() > 5.0
    assert cn.to_reactions(bound.network).constants.max() <= 3.0 * (1 + ROUNDED)
    assert np.mean(bound.network.predict(flowers[0]) == flowers[1]) > 0.9


def test_pruned_weights_lose_their_reactions(flowers):
    options = {"loss": "cross_entropy", "optimizer": cn.LBFGS(max_iter=60)}
    plain = cn.fit(small(), *flowers, **options, constraints=cn.Constraints(l2=1e-3))
    pruned = cn.fit(small(), *flowers, **options, constraints=cn.Constraints(l2=1e-3, density=0.4))
    assert pruned.network.n_weights == round(0.4 * 42)
    kept, all_ = (len(cn.to_reactions(r.network).reactions) for r in (pruned, plain))
    assert all_ - kept >= 42 - pruned.network.n_weights
    assert np.mean(pruned.network.predict(flowers[0]) == flowers[1]) > 0.9
    assert sorted(set(pruned.history["density"]), reverse=True) == pytest.approx(
        [1.0, 0.4 ** (1 / 3), 0.4 ** (2 / 3), 0.4]
    )
    sparse = cn.fit(
        small(density=0.7), *flowers, **options, constraints=cn.Constraints(density=0.5)
    )
    assert sparse.network.layers[0].weights.nnz < small(density=0.7).layers[0].weights.nnz


def test_what_rounding_cannot_see_is_dropped(flowers):
    """The second input is 0 in all samples, so its weights only decay with the penalty."""
    x, y = flowers[0] * [1, 0, 1, 1], flowers[1]
    start = small()
    first = start.layers[0]
    weights = first.weights * [1, 1e-20, 1, 1]
    start = replace(start, layers=(replace(first, weights=weights), *start.layers[1:]))
    options = {"optimizer": cn.LBFGS(max_iter=5), "constraints": cn.Constraints(l2=1e-3)}
    result = cn.fit(start, x, y, "cross_entropy", **options)
    assert (result.network.layers[0].weights[:, 1] == 0).all()
    assert np.count_nonzero(result.network.layers[0].weights) == 18
    assert result.verification.passed


def test_h_is_learnt_within_its_bounds(flowers):
    options = {"loss": "cross_entropy", "optimizer": cn.LBFGS(max_iter=50)}
    constraints = cn.Constraints(h_bounds=(1e-3, 0.5))
    result = cn.fit(small(), *flowers, **options, constraints=constraints)
    assert all(1e-3 * (1 - 1e-12) <= h <= 0.5 * (1 + ROUNDED) for h in result.network.h)
    assert result.network.h[0] != 0.01
    fixed = cn.fit(small(), *flowers, **options)
    assert fixed.network.h == (0.01, 0.01)


def test_early_stopping_keeps_the_best(flowers):
    x, y = flowers
    held = (x[:30], y[:30])
    validation = cn.Validation(held, patience=10)
    result = cn.fit(small(), x[30:], y[30:], "cross_entropy", validation=validation)
    best = min(record.validation_loss for record in result.records)
    assert np.isclose(result.validation_loss, best, rtol=ROUNDED)
    assert "has not improved for 10" in result.stopped
    assert len(result.records) < 500


def test_callbacks_see_and_stop(flowers):
    seen = []

    def callback(record, net):
        seen.append((record.loss, net.n_weights))
        return len(seen) == 3

    result = cn.fit(small(), *flowers, "cross_entropy", monitor=cn.Monitor(callback=callback))
    assert len(seen) == len(result.records) == 3
    assert result.stopped == "callback"


def test_a_callback_that_stops_leaves_the_best_network(flowers):
    result = cn.fit(
        small(),
        *flowers,
        "cross_entropy",
        validation=0.3,
        monitor=cn.Monitor(callback=lambda record, net: record.iteration == 7),
    )
    assert np.isclose(
        result.validation_loss, min(record.validation_loss for record in result.records)
    )


def test_noise_goes_with_every_loss_that_has_a_meaning_there(flowers):
    for output, loss in (
        (cn.Normalized(h=0.01), "cross_entropy"),
        (cn.Linear(h=0.01), "hinge"),
        (cn.Tanh(h=0.1), "hinge"),
    ):
        net = cn.Network.random([4, 6, 3], cn.SmoothedReLU(h=0.01), 0, output=output)
        result = cn.fit(net, *flowers, loss, noise=0.1, optimizer=cn.LBFGS(max_iter=30))
        assert 0 <= result.records[-1].loss < result.records[0].loss


def test_a_start_at_the_optimum_has_an_empty_history():
    net = cn.Network.random([2, 3, 1], seed=0)
    result = cn.fit(net, XOR[0], net(XOR[0]))
    assert result.history.empty
    assert result.loss == 0


def test_history_is_a_table(flowers):
    result = cn.fit(
        small(), *flowers, "cross_entropy", optimizer=cn.LBFGS(max_iter=5), validation=0.2
    )
    assert result.history.columns.tolist() == [
        "loss",
        "validation_loss",
        "gradient_norm",
        "density",
        "seconds",
    ]
    assert result.history.index.tolist() == [1, 2, 3, 4, 5]
    assert result.history["loss"].is_monotonic_decreasing
    assert "verified by the engine on 96 samples" in repr(result)


def test_right_by_a_read_out_time():
    """At t = 3, a network that is trained for it is right; one trained for the steady state is not
    yet.
    """
    net = cn.Network.random([2, 4, 1], cn.SmoothedReLU(h=0.01), 3, output=cn.Linear(h=0.01))
    timed = cn.fit(
        net, *XOR, answers=cn.ReadOutTime(3.0, initial=0.0), optimizer=cn.LBFGS(max_iter=60)
    )
    settled = cn.fit(net, *XOR)

    def error(trained):
        simulator = cn.Simulator(trained)
        outputs = [simulator.time_course(x, 3.0, 2, initial=0.0).outputs[-1, 0] for x in XOR[0]]
        return np.abs(outputs - XOR[1]).max()

    assert error(timed.network) < 0.1
    assert error(settled.network) > 2 * error(timed.network)
    # an error of 0.1, squared
    assert timed.loss < 0.01
    assert str(timed.verification).startswith("verified by the engine on 4 samples at t = 3")


def test_robust_training_withstands_noise():
    """Two moons, rate constants off by a coefficient of variation of 0.3: training with noise keeps
    more accuracy.
    """
    x, _, y, _ = cn.model_data("moons")
    x, y = x[:200], y[:200]
    net = cn.Network.random(
        [2, 10, 1], cn.SmoothedReLU(h=0.01), 0, output=cn.Linear(h=0.01), inputs="signed"
    )
    options = {"loss": "cross_entropy", "constraints": cn.Constraints(l2=1e-4)}
    plain = cn.fit(net, x, y, **options, optimizer=cn.LBFGS(max_iter=150))
    robust = cn.fit(plain.network, x, y, **options, optimizer=cn.LBFGS(max_iter=60), noise=0.3)
    # draws that training has not seen
    errors = cn.RateErrors(0.3, draws=40, seed=1)
    before, after = (cn.robustness(r.network, x, y, errors).noisy.mean() for r in (plain, robust))
    assert after > before + 0.02


def test_a_loss_that_explodes_says_so(flowers):
    wild = cn.Loss(lambda y, t: np.exp(y * 1e3).sum(axis=1), lambda y, t: 1e3 * np.exp(y * 1e3))
    with (
        np.errstate(over="ignore", invalid="ignore"),
        pytest.raises(cn.ConvergenceError, match="the loss is"),
    ):
        cn.fit(
            small(),
            flowers[0],
            np.zeros((len(flowers[0]), 3)),
            wild,
            optimizer=cn.Adam(learning_rate=10.0),
        )


def test_verification_tells_a_network_that_the_engine_does_not_confirm(monkeypatch):
    net = cn.load_model("xor")
    assert verify(net, XOR[0]).passed
    monkeypatch.setattr(cn.Network, "__call__", lambda self, x: np.full((len(x), 1), 0.5))
    found = verify(net, XOR[0])
    assert not found.passed
    assert str(found).startswith("NOT verified")


def test_a_chemistry_that_does_not_run_at_the_end_of_training_is_not_verified():
    net = cn.Network.random([2, 3, 1], seed=0, output=cn.Linear(h=0.1))
    options = {"optimizer": cn.Adam(max_iter=1), "answers": cn.ReadOutTime(3.0)}
    # CVODE does not step through numbers of 1e31
    found = cn.fit(net, [[1e31, 0.5], [1.0, 0.5]], [[1.0], [0.0]], **options).verification
    assert (found.samples, found.failed, found.passed) == (2, 1, False)
    assert found.difference <= INTEGRATED
