"""Intervals of the outputs against draws of every rate constant, and against roadrunner."""

import numpy as np
import pytest
from support.networks import Swish, corpus
from support.tolerances import SOLVED
from support.trajectories import settle_draws

import crn_nn_tellurium as cn
from crn_nn_tellurium.networks import BUILT_IN

CASES = corpus()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("rates", [0.02, 0.2])
def test_draws_of_every_rate_constant_never_leave_the_enclosure(case, rates):
    box = cn.enclosure(case.net, case.x[0], rates)
    outputs, species = settle_draws(case.net, case.x[0], rates, 2_000)
    assert box.outputs.contains(outputs)
    assert box.concentrations.contains(species)
    assert box.outputs.contains(box.nominal)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_ten_thousand_draws_never_leave_the_enclosure(case):
    for number, x in enumerate(case.x):
        outputs, species = settle_draws(case.net, x, 0.05, 10_000, seed=number)
        box = cn.enclosure(case.net, x, 0.05)
        assert box.outputs.contains(outputs)
        assert box.concentrations.contains(species)


@pytest.mark.parametrize(
    "name", ["SmoothedReLU output", "Sigmoid output", "Normalized output", "depth 3"]
)
def test_the_enclosure_is_not_much_wider_than_the_draws(name):
    case = next(case for case in CASES if case.name == name)
    outputs, _ = settle_draws(case.net, case.x[0], 0.05, 20_000)
    width = cn.enclosure(case.net, case.x[0], 0.05).outputs.width
    assert np.all(width >= np.ptp(outputs, axis=0))
    assert np.median(width / np.ptp(outputs, axis=0)) < 2


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_without_errors_the_enclosure_is_the_closed_form(case):
    box = cn.enclosure(case.net, case.x, 0.0)
    np.testing.assert_allclose(box.outputs.lower, case.net(case.x), rtol=SOLVED, atol=SOLVED)
    np.testing.assert_allclose(box.outputs.upper, case.net(case.x), rtol=SOLVED, atol=SOLVED)
    assert box.outputs.contains(case.net(case.x))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_inputs_between_bounds_never_leave_the_enclosure(case):
    rng = np.random.default_rng(1)
    error = 0.1
    floor = {"nonnegative": 0.0, "signed": -np.inf}.get(case.net.inputs)
    floor = np.array(case.net.input_range[0]) if floor is None else floor
    x = np.maximum(case.x[0] + error * rng.uniform(-1, 1, (500, case.net.n_in)), floor)
    assert cn.enclosure(case.net, case.x[0], 0.0, inputs=error).outputs.contains(case.net(x))
    box = cn.Interval(np.maximum(case.x[0] - error, floor), case.x[0] + error)
    same = cn.enclosure(case.net, box, 0.0).outputs
    np.testing.assert_array_equal(
        same.upper, cn.enclosure(case.net, case.x[0], 0.0, inputs=error).outputs.upper
    )


def test_roadrunner_settles_inside(rng):
    net = cn.load_model("xor")
    box = cn.enclosure(net, [1.0, 0.0], 0.05)
    runner = cn.to_roadrunner(net, [1.0, 0.0])
    names = list(runner.model.getGlobalParameterIds())
    values = np.array(runner.model.getGlobalParameterValues())
    for _ in range(20):
        runner.reset()
        for name, value in zip(
            names, values * (1 + 0.05 * rng.uniform(-1, 1, len(names))), strict=True
        ):
            if name[0] in "wbhq":
                runner[name] = value
        runner.simulate(0, 2_000, 2)
        assert box.outputs.lower[0] <= runner["y0"] <= box.outputs.upper[0]


@pytest.mark.parametrize("name", ["xor", "moons", "iris"])
def test_within_the_margin_no_draw_changes_the_class(name):
    net = cn.load_model(name)
    x = cn.model_data(name)[1][:3]
    for sample, margin in zip(x, cn.certified_margin(net, x), strict=True):
        outputs, _ = settle_draws(net, sample, margin, 2_000)
        assert np.all(net.classify(outputs) == net.predict(sample))
        assert cn.enclosure(net, sample, margin).certain
        assert not cn.enclosure(net, sample, margin * 1.001 + 1e-6).certain


def test_a_margin_that_is_tight_is_found():
    """One unit at its threshold: sigma_h(z) = 1/2 + 1/2 where h, w and q are off the same way."""
    net = cn.Network([cn.Layer([[1.0]], activation=cn.SmoothedReLU(h=0.01))])
    margin = cn.certified_margin(net, [1.0])
    outputs, _ = settle_draws(net, [1.0], margin * 1.02, 4_000)
    assert np.any(net.classify(outputs) != net.predict([1.0]))


def test_half_of_every_rate_constant_is_no_bound_to_the_width():
    wide = cn.Network([cn.Layer([[1.0]], [0.2], Swish(h=0.1))])
    assert cn.enclosure(wide, [1.0], 0.5).outputs.width[0] > 0


def test_nominal_outputs_are_of_the_inputs_as_stated():
    """Of 0 +- 0.2, what is below 0 is cut off; 0 stays what was stated."""
    net = cn.load_model("xor")
    box = cn.enclosure(net, [0.0, 1.0], rates=0.01, inputs=0.2)
    np.testing.assert_array_equal(box.nominal, net([0.0, 1.0]))
    assert box.outputs.contains(box.nominal)
    between = cn.enclosure(net, cn.Interval([0.0, 0.5], [1.0, 0.5]), rates=0.01)
    np.testing.assert_array_equal(between.nominal, net([0.5, 0.5]))


def _any_network(seed):
    """Depth 1 to 8, width 1 to 20, every layer of any activation, one in three with layers that
    read two before them.
    """
    rng = np.random.default_rng(seed)
    names, known, layers = sorted(BUILT_IN), {"input": int(rng.integers(1, 21))}, []
    is_chain, depth = rng.random() < 2 / 3, int(rng.integers(1, 9))
    widest = int(rng.choice([2, 5, 10, 20]))
    for number in range(depth):
        read = [list(known)[-1]]
        if not is_chain and number:
            read.append(list(known)[int(rng.integers(number))])
        n_in, n_out = sum(known[name] for name in read), int(rng.integers(1, widest + 1))
        weights = rng.normal(0, np.sqrt(2 / n_in) * 10 ** rng.uniform(-0.3, 0.3), (n_out, n_in))
        activation = BUILT_IN[names[rng.integers(len(names))]](h=10 ** rng.uniform(-4, 0))
        bias = rng.normal(0, 0.3, n_out)
        layers.append(cn.Layer(weights, bias, activation, name=f"part{number}", inputs=tuple(read)))
        known[f"part{number}"] = n_out
    return cn.Network(layers), rng


def _outside(seed, draws=190):
    """How many errors were looked at, how many of them end outside of the enclosure, and how many
    inputs have none.
    """
    net, rng = _any_network(seed)
    x, width = rng.uniform(0, 2, net.n_in), float(rng.choice([0.0, 0.0, 0.05, 0.3]))
    rates = float(rng.choice([0.01, 0.05, 0.2]))
    try:
        box = cn.enclosure(net, x, rates, inputs=width).outputs
    except cn.NotCertified:
        return 0, 0, 1
    # 5 inputs of the box, at each an attack up and down beside the draws
    points = np.clip(x + width * rng.uniform(-1, 1, (5, net.n_in)), 0, None)
    found = []
    for place, point in enumerate(points):
        found += [settle_draws(net, point, rates, draws // 5, seed + place)[0]]
        for way in ("up", "down"):
            output = int(rng.integers(net.n_out))
            attacked = cn.attack(net, point, rates, output=output, direction=way, restarts=0)
            found.append(attacked.outputs[None])
    found = np.concatenate(found)
    inside = np.all((found >= box.lower) & (found <= box.upper), axis=1)
    return len(found), int((~inside).sum()), 0


@pytest.mark.parametrize(
    "block", [0, *(pytest.param(block, marks=pytest.mark.slow) for block in range(1, 50))]
)
def test_no_error_attacked_or_drawn_is_outside(block):
    """500 networks, 100,000 errors with -m slow: none outside."""
    counts = np.array([_outside(seed) for seed in range(10 * block, 10 * block + 10)])
    looked_at, outside, without = counts.sum(axis=0)
    print(f"{looked_at} errors, {outside} outside, {without} networks without an enclosure")
    assert outside == 0
    assert looked_at >= 1800
