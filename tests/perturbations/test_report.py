"""Robustness: knock-outs against roadrunner, first orders by gradients, errors by a scan."""

import numpy as np
import pytest
from scipy.stats import spearmanr
from support.networks import corpus, with_a_constant_each
from support.tolerances import DIFFERENCED, IN_TIME, ROUNDED, SOLVED

import crn_nn_tellurium as cn
from crn_nn_tellurium.kinetics.network import NetworkKinetics
from crn_nn_tellurium.perturbations.knock_outs import KnockOuts
from crn_nn_tellurium.perturbations.report import _with_fuel

CORPUS = corpus()
SMALL = [case for case in CORPUS if case.net.n_weights <= 30]
XOR = cn.load_model("xor")


KNOWN = [
    case for case in SMALL if not any(layer.knot for layer in NetworkKinetics(case.net).layers)
]


def is_pooled(net, reaction):
    """Whether it stands for one reaction with each unit of its layer."""
    activation = net.layers[reaction.layer].activation
    # before it, the local network has h and q of every rail
    place = reaction.place - 2 * len(activation.rails)
    return reaction.kind == "local" and any(
        name.startswith("*") for name in activation.local_reactions[place].reads
    )


@pytest.mark.parametrize("case", KNOWN, ids=lambda case: case.name)
def test_every_reaction_of_the_written_model_is_there(case):
    found = KnockOuts(NetworkKinetics(case.net), case.net.input_coding.check(case.x)).reactions
    written = {reaction.id: reaction.name for reaction in cn.to_reactions(case.net).reactions}
    assert {r.id for r in found} <= set(written)
    assert all(written[r.id] == r.name for r in found)
    left = set(written) - {r.id for r in found}
    assert all(
        name.rsplit("_", 1)[0] in {r.id.rsplit("_", 1)[0] for r in found} for name in left
    )  # pools alone
    assert not left or any(layer.activation.couples_units for layer in case.net.layers)


@pytest.mark.parametrize("case", KNOWN, ids=lambda case: case.name)
def test_reactions_at_another_rate_settle_where_roadrunner_says(case):
    """At half its rate and at twice, each of a dozen reactions, by integrating the flat model."""
    x = case.net.input_coding.check(case.x)[:1]
    knock_outs = KnockOuts(NetworkKinetics(case.net), x)
    crn = with_a_constant_each(case.net, case.x[0])
    value = {r.rate_constant: r.value for r in crn.reactions}
    chosen = [r for r in knock_outs.reactions if not is_pooled(case.net, r)]
    for reaction in chosen[:: max(1, len(chosen) // 12)]:
        k = f"k_{reaction.id}"
        ds = cn.scan(crn, {k: [0.5 * value[k], 2 * value[k]]})
        if any(text.startswith("failed") for text in ds.status.values):
            continue
        for found, factor in zip(
            ds.outputs.sel(output=list(case.net.output_names)).values, (0.5, 2.0), strict=True
        ):
            expected = knock_outs.outputs(reaction, factor)[0]
            np.testing.assert_allclose(found, expected, rtol=IN_TIME, atol=IN_TIME)


def test_a_missing_reaction_settles_where_roadrunner_says():
    x = np.array([[1.0, 0.0], [1.0, 1.0]])
    knock_outs = KnockOuts(NetworkKinetics(XOR), x)
    compared = unsettled = 0
    for row in range(2):
        crn = with_a_constant_each(XOR, x[row])
        for reaction in knock_outs.reactions:
            expected = knock_outs.outputs(reaction)[row]
            ds = cn.scan(crn, {f"k_{reaction.id}": [0.0]})
            if not np.isfinite(expected).all():
                assert ds.status.values[0].startswith("failed"), reaction
                unsettled += 1
            elif not ds.status.values[0].startswith("failed"):
                np.testing.assert_allclose(ds.outputs.values[0], expected, rtol=SOLVED, atol=SOLVED)
                compared += 1
    assert compared >= 20
    assert unsettled >= 2


@pytest.mark.parametrize("case", KNOWN, ids=lambda case: case.name)
def test_first_orders_of_reactions_add_up_to_those_of_their_rate_constants(case):
    """-k dL/dk of the reactions of a weight against the gradient of the squared error."""
    kinetics = NetworkKinetics(case.net)
    x = case.net.input_coding.check(case.x)
    y = np.zeros((len(x), case.net.n_out))
    knock_outs = KnockOuts(kinetics, x)
    g = cn.gradient(case.net, x, y)
    step = 1e-5
    for number, layer in enumerate(case.net.layers):
        catalysts = kinetics.layers[number].encoding.catalysts
        if layer.activation.gain != 1 or [(c.column, c.coefficient) for c in catalysts] != [
            (i, 1) for i in range(layer.n_in)
        ]:
            continue  # a weight's rate constants are not the weight itself
        for j in range(layer.n_out):
            of_h = [
                r
                for r in knock_outs.reactions
                if (r.layer, r.unit, r.kind) == (number, j, "weight")
            ]
            by_place = {}
            for reaction in of_h:
                more, less = (
                    np.square(knock_outs.outputs(reaction, 1 + s * step)).sum(axis=1).mean()
                    for s in (1, -1)
                )
                by_place[reaction.place] = by_place.get(reaction.place, 0.0) + (more - less) / (
                    2 * step
                )
            weights = (
                layer.weights.toarray() if hasattr(layer.weights, "toarray") else layer.weights
            )
            slopes = (
                g.weights[number].toarray()
                if hasattr(g.weights[number], "toarray")
                else g.weights[number]
            )
            for place, found in by_place.items():
                assert found == pytest.approx(
                    weights[j, place] * slopes[j, place],
                    rel=DIFFERENCED,
                    abs=IN_TIME * (1 + abs(g.loss)),
                )


def test_the_ranking_agrees_with_the_gradients():
    """Not to the letter, since a missing reaction is no small change; but those that matter are the
    same.
    """
    _, x, _, y = cn.model_data("moons")
    found = cn.robustness(cn.load_model("moons"), x[:60], y[:60], cn.RateErrors(0.1, draws=3))
    finite = np.isfinite(found.increase) & (np.abs(found.predicted) > 1e-12)
    assert finite.sum() > 100
    increase, predicted = found.increase[finite], found.predicted[finite]
    assert (
        spearmanr(np.abs(increase), np.abs(predicted)).statistic > 0.9
    )  # 0.97 when it was written
    assert spearmanr(increase, predicted).statistic > 0.5  # 0.67
    ranking = found.ranking()
    settled = ranking[ranking.no_steady_state == 0]
    assert settled.index.tolist() == list(range(len(settled)))
    assert settled.accuracy_without.is_monotonic_increasing
    assert set(ranking.reaction[len(settled) :]) == set(found.essential)
    assert all(name.startswith("Jq") for name in found.essential)  # 2 Y => Y
    assert set(ranking.reaction) == {r.id for r in found.reactions}


def test_errors_are_those_that_roadrunner_finds():
    """Draw by draw: a scan with the same seed asks roadrunner for the same rate constants."""
    _, x, _, y = cn.model_data("moons")
    x, y = x[::10], y[::10]
    net = cn.load_model("moons")
    found = cn.robustness(net, x, y, cn.RateErrors([0.0, 0.2], draws=12, seed=3))
    ds = cn.scan(net, cn.lognormal([0.0, 0.2], draws=12, seed=3), x=x, y=y, outputs="accuracy")
    np.testing.assert_array_equal(found.noisy, ds.accuracy.values)
    assert len(np.unique(found.noisy[1])) > 3


def test_accuracy_falls_with_errors_and_repeats_with_its_seed():
    net, (_, x, _, y) = cn.load_model("iris"), cn.model_data("iris")
    x, y = x[:10], y[:10]
    first, again, other = (
        cn.robustness(net, x, y, cn.RateErrors([0.0, 1.0], draws=10, seed=seed)).noisy
        for seed in (0, 0, 1)
    )
    assert first[0].mean() == 1.0
    assert first[1].mean() < 0.9
    np.testing.assert_array_equal(first, again)
    assert np.any(first != other)


@pytest.mark.parametrize("name", ["xor", "moons", "iris"])
def test_fuel_is_that_of_a_scan(name):
    _, x, _, y = cn.model_data(name)
    x, y = x[:20], y[:20]
    net = cn.load_model(name)
    ds = cn.scan(net, {"fuel": [0.5, 1.3]}, x=x)
    for factor in (0.5, 1.3):
        expected = ds.outputs.sel(fuel=factor).values
        np.testing.assert_allclose(
            _with_fuel(NetworkKinetics(net), net.input_coding.check(x), factor),
            expected,
            rtol=SOLVED,
            atol=SOLVED,
        )
    found = cn.robustness(net, x, y, cn.RateErrors(0.1, draws=2), factors=[0.5, 1.0])
    assert found.fuelled[1] == found.accuracy


def test_a_missing_gain_or_loss_of_one_neuron_is_worked_out_by_hand():
    net = cn.Network([cn.Layer([[2.0, -1.0]], [0.3], cn.SmoothedReLU(h=0.04))])
    x = np.array([[1.0, 0.7]])
    found = KnockOuts(NetworkKinetics(net), x)
    without = {
        r.kind if r.kind != "weight" else f"weight{r.place}": found.outputs(r)[0, 0]
        for r in found.reactions
    }
    u = 2.3 - 0.7

    def root(u, h=0.04):
        return (u + np.sqrt(u * u + 4 * h)) / 2

    assert without["h"] == pytest.approx(u)
    assert without["weight0"] == pytest.approx(root(u - 2.0))
    assert without["weight1"] == pytest.approx(root(u + 0.7))
    assert without["bias"] == pytest.approx(root(u - 0.3))
    assert without["q"] == np.inf


def test_what_it_says():
    _, x, _, y = cn.model_data("xor")
    found = cn.robustness(XOR, x, y, cn.RateErrors([0.01, 0.3], draws=20))
    assert "every rate constant off" in repr(found)
    assert "matters most" in repr(found)
    mean, low, high = found.band(0.9)
    assert np.all((low <= mean + ROUNDED) & (mean <= high + ROUNDED))


def test_one_draw_has_a_mean_and_no_error_of_it():
    _, x, _, y = cn.model_data("xor")
    found = cn.robustness(XOR, x, y, cn.RateErrors(0.3, draws=1))
    assert np.isnan(found.mean_error()).all()
    np.testing.assert_array_equal(found.band()[0], found.noisy[:, 0])
