"""How fast species may still change, against trajectories and against the envelope alone."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from support.tolerances import DIFFERENCED, ROUNDED
from support.trajectories import adverse_starts, draw, settles_at, starts

import crn_nn_tellurium as cn
from crn_nn_tellurium.certificates.following import EnvelopeModel
from crn_nn_tellurium.certificates.pace import Pace
from crn_nn_tellurium.kinetics import NetworkKinetics
from crn_nn_tellurium.networks.activation import smoothed_relu, smoothed_relu_derivative

TOLERANCE = 1e-3
KINDS = sorted({"ClippedReLU", "HardSigmoid", "SmoothedReLU", "Sigmoid", "Linear", "Normalized"})


@dataclass(frozen=True)
class LostApart(cn.Activation):
    """A clipped value whose ceiling is no shift of a bias, but a loss of the second rail alone."""

    rails = (cn.Rail("Yl"), cn.Rail("Yu"))
    local_reactions = (cn.LocalReaction(("Yu",), (), "d", 2.0),)
    read_out = cn.ReadOut((("Yl", 1.0), ("Yu", -1.0)))

    def concentrations(self, z):
        drives = np.asarray(z, dtype=float)[..., None] - [0.0, 2.0]
        return smoothed_relu(drives, self.h)

    def derivative(self, z):
        drives = np.asarray(z, dtype=float)[..., None] - [0.0, 2.0]
        return smoothed_relu_derivative(drives, self.h) @ [1.0, -1.0]


@dataclass(frozen=True)
class Shifted(cn.ClippedReLU):
    """A clipped value and a constant."""

    constant: float = 0.0

    @property
    def read_out(self):
        return cn.ReadOut(super().read_out.terms, self.constant)


def above_its_ceiling(h=1e-6, bias=10.0, value=None):
    """A slow unit, which a clipped value hides."""
    slow = cn.Layer([[1.0]], [0.0], cn.SmoothedReLU(h=h))
    return cn.Network([slow, cn.Layer([[1.0]], [bias], value or cn.ClippedReLU(h=1e-4))])


def saturated(seed):
    """A random network whose clipped units, after the first layer, are mostly far from their knees;
    and an input.
    """
    rng = np.random.default_rng(seed)
    net, x = draw(seed, depth=int(rng.integers(2, 5)), width=2, kinds=KINDS)
    layers = list(net.layers)
    for i, layer in enumerate(layers[1:], 1):
        if isinstance(layer.activation, (cn.ClippedReLU, cn.HardSigmoid)):
            bias = layer.bias + rng.uniform(1, 12, layer.n_out)
            layers[i] = cn.Layer(layer.weights, bias, layer.activation)
    return cn.Network(layers, name=net.name), x


@pytest.fixture
def paces(monkeypatch):
    """Times by the envelope alone and with paces, and the paces, of the latest certificate."""
    found = {}
    hidden, init = EnvelopeModel._hidden, Pace.__init__

    def spy(self, time, state, settled, aim):
        result = hidden(self, time, state, settled, aim)
        found["alone"], found["settled"] = settled.max(), result.max()
        return result

    def keep(self, *args):
        init(self, *args)
        found["pace"] = self

    monkeypatch.setattr(EnvelopeModel, "_hidden", spy)
    monkeypatch.setattr(Pace, "__init__", keep)
    return found


def courses(net, x, seed, end, n=2, adverse=2, every=3):
    """Trajectories from random starts and from where slow ones begin, or of every third of them."""
    sim = cn.Simulator(net)
    for start in [*starts(sim, seed, n), *adverse_starts(sim, x, seed, adverse)][::every]:
        try:
            yield sim.time_course(x, t_end=end, n_points=241, initial=start)
        except cn.ConvergenceError:
            continue  # from some starts CVODE gives up


def latest_of(net, x, certificate, seed, end, **how_many):
    """The latest time found to settle; no trajectory may be late."""
    target, latest = certificate.outputs.lower[0], 0.0
    for course in courses(net, x, seed, end, **how_many):
        late = course.time >= certificate.settling_time
        off = np.abs(course.outputs[late] - target).max(initial=0.0)
        # trajectories are integrated to 1e-6 of the tolerance, and better
        assert off <= TOLERANCE * (1 + 1e-6), (net.name, off)
        latest = max(latest, settles_at(course, target, TOLERANCE))
    return latest


@pytest.mark.parametrize(("h", "bias"), [(1e-6, 10.0), (1e-2, 3.0)])
def test_a_value_above_its_ceiling_does_not_wait_for_its_pre_activation(h, bias, paces):
    net, x = above_its_ceiling(h, bias), [0.0]
    certificate = cn.certify(net, x, TOLERANCE)
    latest = latest_of(net, x, certificate, 0, 2 * certificate.settling_time)
    assert paces["settled"] == certificate.settling_time < paces["alone"] / 2
    # the grid is one of 5 %, and rises of rails from 0 are bounded for all of them at once
    assert certificate.settling_time < 1.3 * latest
    # none is late long after, while the slow unit still settles
    latest_of(net, x, certificate, 1, 1.2 * paces["alone"])


@pytest.mark.parametrize("constant", [0.3, -0.3, TOLERANCE / 2])
def test_a_constant_of_the_read_out_changes_nothing(constant):
    plain, shifted = (
        cn.certify(above_its_ceiling(value=value), [0.0], TOLERANCE)
        for value in (cn.ClippedReLU(h=1e-4), Shifted(h=1e-4, constant=constant))
    )
    # 722 without the constant in the outputs' bounds
    assert plain.settling_time == pytest.approx(3.926, rel=1e-3)
    assert shifted.settling_time == pytest.approx(plain.settling_time, rel=ROUNDED)
    np.testing.assert_allclose(shifted.outputs.lower, plain.outputs.lower + constant)


def test_what_a_rail_loses_by_itself_counts_for_its_difference_from_the_other():
    """The same equations as those of a ceiling of 2, from other reactions; without the loss the
    time was half as long as the latest trajectory's.
    """
    own, known = (
        cn.certify(above_its_ceiling(bias=5.0, value=value), [0.0], TOLERANCE)
        for value in (LostApart(h=1e-4), cn.ClippedReLU(h=1e-4, ceiling=2.0))
    )
    assert own.settling_time == pytest.approx(known.settling_time, rel=DIFFERENCED)
    late = latest_of(above_its_ceiling(bias=5.0, value=LostApart(h=1e-4)), [0.0], own, 0, 30.0)
    assert 0.8 < late / own.settling_time <= 1


def test_boxes_of_inputs_and_errors_of_rate_constants_settle_early_too(paces):
    net = above_its_ceiling()
    box = cn.Interval(np.zeros(1), np.full(1, 1e-4))
    for certificate in (
        cn.certify(net, box, TOLERANCE),
        cn.certify(net, [0.0], TOLERANCE, rates=1e-5),
    ):
        assert certificate.settling_time < paces["alone"] / 5


def test_networks_within_the_errors_settle_to_their_own_fixed_point_in_time():
    net, rates = above_its_ceiling(bias=5.0), 1e-5
    certificate = cn.certify(net, [0.0], TOLERANCE, rates=rates)
    rng = np.random.default_rng(0)
    for seed in range(3):
        layers = []
        for layer in net.layers:
            weights, bias, h = (
                part * (1 + rates * rng.choice([-1, 1]))
                for part in (layer.weights, layer.bias, layer.activation.h)
            )
            layers.append(cn.Layer(weights, bias, replace(layer.activation, h=h)))
        other = cn.Network(layers)
        target = cn.Simulator(other).steady_state([0.0]).outputs[0]
        for course in courses(other, [0.0], seed, 20 * certificate.settling_time):
            late = course.time >= certificate.settling_time
            assert np.abs(course.outputs[late] - target).max() <= TOLERANCE * (1 + DIFFERENCED)


def all_within(pace, net, x, seed, end):
    """At how many times of trajectories species change, and rails part, as slowly as they must."""
    crn, rails = cn.to_reactions(net, x), np.flatnonzero(pace._first >= 0)
    seen = 0
    for course in courses(net, x, seed, end):
        y = course.concentrations[1:]
        balance = crn.balance(y, crn.boundary_concentrations)
        change, gross = balance.net / y, balance.gross / y
        at = np.searchsorted(pace._time, course.time[1:], side="right") - 1
        known = (at >= 0) & (course.time[1:] <= pace._time[-1])
        # rates of change are sums that cancel, of concentrations integrated to 1e-9
        room = 1e-7 * gross[known] + 1e-9
        assert np.all(np.abs(change[known]) <= pace.change[at[known]] * (1 + DIFFERENCED) + room)
        apart = np.abs(change[:, rails] - change[:, pace._first[rails]])[known]
        both = room[:, rails] + room[:, pace._first[rails]]
        assert np.all(apart <= pace.apart[at[known]][:, rails] * (1 + DIFFERENCED) + both)
        seen += known.sum()
    return seen


@pytest.mark.parametrize("seed", range(3))
def test_no_species_changes_faster_than_its_bound(seed, paces):
    net, x = saturated(seed)
    certificate = cn.certify(net, x, TOLERANCE)
    assert all_within(paces["pace"], net, x, seed, 1.2 * certificate.settling_time) > 100


@pytest.mark.parametrize("kind", [cn.Sigmoid, cn.Normalized])
@pytest.mark.parametrize("time", [1.0, 10.0, 1000.0])
def test_a_later_box_says_nothing_of_the_time_before_it(kind, time):
    """Followers in a wide box, then in a narrow one: until then they follow by the wide one."""
    read = cn.Layer([[1.0], [2.0]], [0.1, 0.2], cn.SmoothedReLU(h=1e-3))
    net = cn.Network([read, cn.Layer([[1.0, 1.0], [0.5, 1.0]], [0.1, 0.2], kind(h=0.5))])
    kinetics, crn = NetworkKinetics(net), cn.to_reactions(net, [0.5])
    held = kinetics.net.input_coding.concentrations([0.5]).ravel()
    y = cn.Simulator(crn).steady_state().concentrations[0]

    def pace(*widths):
        low, high = (np.array([y * width**sign for width in widths]) for sign in (-1, 1))
        times = time * np.arange(len(widths))
        return Pace(kinetics, crn, times, (low, high), (held, held), 0.0), low[1]

    still = np.full(len(y), 1.0001)
    followers = pace(still, still)[0]._absolute
    wide, narrow = (np.where(followers, width, still) for width in (5.0, 1.1))
    (alone, low), (then, narrower) = pace(wide, wide), pace(wide, narrow)
    change = alone.change[1, followers] * low[followers]
    expected = np.minimum(change, then._own.direct[1, followers])
    found = then.change[1, followers] * narrower[followers]
    np.testing.assert_allclose(found, expected, rtol=ROUNDED)


@pytest.mark.parametrize("bias", [0.0, 2.0])
def test_two_rails_part_no_faster_than_their_bound_where_one_is_at_its_knee(bias, paces):
    """What drives them apart, s - 2 h / y_r + 2 h / y_0, is the other's 2 h / y but for 0 or 4."""
    net = above_its_ceiling(1e-2, bias, cn.ClippedReLU(h=1.0, ceiling=2.0))
    certificate = cn.certify(net, [0.0], TOLERANCE)
    assert all_within(paces["pace"], net, [0.0], 0, 1.2 * certificate.settling_time) > 100


@pytest.mark.slow
def test_no_trajectory_of_saturated_networks_is_late(paces):
    gains = []
    for seed in range(300):
        net, x = saturated(seed)
        certificate = cn.certify(net, x, TOLERANCE)
        latest_of(net, x, certificate, seed, 1.2 * paces["alone"], n=6, adverse=4, every=1)
        gains.append(paces["alone"] / certificate.settling_time)
    # one in ten at least
    assert np.quantile(gains, 0.9) > 1.2
