"""The envelope network against other integrators, and against trajectories of whole networks."""

from itertools import product

import mpmath
import numpy as np
import pytest
from scipy.integrate import solve_ivp
from support.networks import HIDDEN, STOOD_FOR, Swish, cases, corpus
from support.tolerances import DIFFERENCED, LAST_DIGITS, ROUNDED, SOLVED, SUMMED
from support.trajectories import check, draw

import crn_nn_tellurium as cn
from crn_nn_tellurium.certificates.copies import ONE
from crn_nn_tellurium.certificates.envelope import Envelope
from crn_nn_tellurium.certificates.following import EnvelopeModel, fixed_point
from crn_nn_tellurium.certificates.starts import _Early, start_anywhere, start_in
from crn_nn_tellurium.kinetics.network import NetworkKinetics

CASES = corpus()
LAYERED = [case for case in CASES if case.net.n_weights <= 60]
RAILS = [
    case for case in LAYERED if not any(layer.activation.followers for layer in case.net.layers)
]


def at(net, x, rates=0.0):
    kinetics = NetworkKinetics(net)
    held = kinetics.net.input_coding.concentrations(x)
    return fixed_point(kinetics, (held, held), rates), held.ravel()


def crossed_over(crn, boundary):
    """Two copies of a network's own equations, crossed over term by term: as theory has it, not
    scaled.
    """
    place = {name: i for i, name in enumerate(crn.floating)}
    held = dict(zip(crn.boundary, boundary, strict=True))
    terms, symbols = crn.terms, crn.floating + crn.boundary

    def right_hand_side(_, state):
        copies = {"up": state[: len(place)], "lo": state[len(place) :]}
        result = []
        for copy, other in (("up", "lo"), ("lo", "up")):
            for name in crn.floating:
                total = 0.0
                for t in terms.span(place[name]):
                    rate = terms.number[t] * crn.constants[terms.constant[t]]
                    for s in (symbols[f] for f in terms.symbols(t)):
                        side = copy if s == name or terms.number[t] > 0 else other
                        rate *= copies[side][place[s]] if s in place else held[s]
                    total += rate
                result.append(total)
        return np.array(result)

    return right_hand_side


@pytest.mark.parametrize("case", cases(RAILS))
def test_the_relative_errors_are_two_crossed_over_copies(case):
    """scipy on the unscaled copies, roadrunner on the network of relative errors, from one finite
    start.
    """
    model = EnvelopeModel(NetworkKinetics(case.net))
    (y, _), held = at(case.net, case.x[0])
    n = len(y)
    low, high = 0.2 * y, 5 * y + 1
    times = np.concatenate([[0.0], np.geomspace(1e-2, 20, 12)])
    copies = solve_ivp(
        crossed_over(model.crn, held),
        (0, times[-1]),
        np.concatenate([high, low]),
        "LSODA",
        times,
        rtol=1e-10,
        atol=1e-14,
    ).y.T
    coefficients = model.envelope.coefficients((y, y), (held, held))
    start = start_in(model.envelope, coefficients, (low, high))
    constants = model.envelope.constants(coefficients)
    found = model._integrate(start, times, constants, model._tolerances(coefficients))
    above, below = model.envelope.relative(found)
    # the size of y limits both: LSODA's error is relative to the copy, not to how far it is off
    np.testing.assert_allclose(y * (1 + above), copies[:, :n], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(y * (1 - below), copies[:, n:], rtol=DIFFERENCED, atol=SOLVED)


@pytest.mark.parametrize("case", cases(LAYERED, slow=(*STOOD_FOR, *HIDDEN)))
def test_the_compiled_envelope_is_the_reaction_network(case):
    """roadrunner's rates of change of the compiled text against the network's own, at random
    states.
    """
    model = EnvelopeModel(NetworkKinetics(case.net))
    at_point, held = at(case.net, case.x[0])
    values = model.envelope.constants(model.envelope.coefficients(at_point, (held, held)))
    network = model.envelope.network
    state = 10 ** np.random.default_rng(0).uniform(-3, 3, len(network.floating))
    # large ones are not compiled where nobody asks
    found = cn.Roadrunner().model(network).rates_of_change(state, constants=values)
    expected = network.right_hand_side(state, constants=values)
    gross = network.balance(state, constants=values).gross
    assert np.all(np.abs(found - expected) <= ROUNDED * gross)


@pytest.mark.parametrize("case", cases(LAYERED, slow=(*STOOD_FOR, *HIDDEN)))
@pytest.mark.parametrize("rates", [0.0, 0.1])
def test_every_rate_constant_of_the_envelope_is_positive_and_its_fixed_point_is_zero(case, rates):
    model = EnvelopeModel(NetworkKinetics(case.net))
    at_point, held = at(case.net, case.x[0], rates)
    values = model.envelope.constants(model.envelope.coefficients(at_point, (held, held), rates))
    assert np.all(np.isfinite(values) & (values >= 0))
    zero = np.zeros(len(model.envelope.network.floating))
    assert not model.envelope.network.right_hand_side(zero, constants=values).any()


def test_a_single_unit_settles_at_the_time_of_the_exact_solution():
    for z, h, tolerance in (
        (0.7, 0.01, 1e-3),
        (-2.0, 1e-4, 1e-3),
        (0.0, 0.3, 1e-6),
        (3.0, 1e-6, 0.1),
    ):
        net = cn.Network([cn.Layer([[1.0]], [z - 1.0], cn.SmoothedReLU(h=h))])
        r, y = np.hypot(z, 2 * np.sqrt(h)), float(net([1.0])[0])
        from_above = np.log1p(r / tolerance) / r
        from_below = 0.0 if tolerance >= y else max(0.0, np.log(y**2 / h * (r / tolerance - 1)) / r)
        exact = max(from_above, from_below)
        # times are of a grid, a 32nd of 5 % fine
        assert cn.settling_time(net, [1.0], tolerance) == pytest.approx(exact, rel=3e-3)
        assert cn.settling_time(net, [1.0], tolerance) >= exact * (1 - 1e-6)
        assert cn.settling_time(net, [1.0], tolerance, bound="cheap") == pytest.approx(
            exact, rel=SOLVED
        )


@pytest.mark.parametrize("case", cases(LAYERED, slow=(*STOOD_FOR, *HIDDEN)))
def test_no_trajectory_leaves_the_envelope_or_is_late(case):
    certificate = cn.certify(case.net, case.x[0], 1e-3)
    assert check(case.net, case.x[0], certificate, 3, n=6, adverse=2) < np.inf


@pytest.mark.parametrize(
    "seeds", [range(6), pytest.param(range(6, 100), marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_no_trajectory_of_random_networks_is_late(seeds):
    for seed in seeds:
        net, x = draw(seed, width=seed % 3 + 1)
        assert check(net, x, cn.certify(net, x, 1e-3), seed, adverse=0) < np.inf


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 200, 100))
def test_no_trajectory_of_any_random_network_is_late(first):
    """Bound over the latest trajectory found; docs/certificates.md has the figures of 1,000, which
    `tests/benchmarks/certificate_tables.py` goes on with.
    """
    ratios = {}
    for seed in range(first, first + 100):
        net, x = draw(seed)
        certificate = cn.certify(net, x, 1e-3)
        if latest := check(net, x, certificate, seed, adverse=4):
            ratios.setdefault(len(net.layers), []).append(certificate.settling_time / latest)
    for depth, found in ratios.items():
        assert np.median(found) <= (1.1 if depth <= 3 else 1.4), (depth, sorted(found))


@pytest.mark.slow
def test_the_bound_is_tight_at_depth_6_and_width_20():
    ratios = []
    for seed in range(6):
        net = cn.Network.random([20] * 7, cn.SmoothedReLU(h=0.01), seed=seed)
        x = np.random.default_rng(seed).uniform(0, 1, 20)
        certificate = cn.certify(net, x, 1e-3)
        ratios.append(certificate.settling_time / check(net, x, certificate, seed, adverse=4))
    assert np.median(ratios) <= 1.4
    assert max(ratios) <= 4


def test_a_users_activation_is_enclosed_with_a_cap_on_what_feeds_its_followers():
    net = cn.Network([cn.Layer([[2.0], [-1.0]], [0.5, 0.0], Swish(h=0.1)), cn.Layer([[1.0, 1.0]])])
    certificate = cn.certify(net, [0.3], 1e-3)
    assert {"S1_0", "Mp1_0", "Yp1_0"} <= set(certificate.capped)
    assert check(net, [0.3], certificate, 0) < np.inf


def slowest_of_a_rail(z, h, rates):
    """The least q y, h / y and their sum where h + u y = q y^2, u = 1 + (z - 1), over all corners
    of the four rate constants, in 60 digits.
    """
    found = []
    with mpmath.workdps(60):
        ends = 1 - mpmath.mpf(rates), 1 + mpmath.mpf(rates)
        for weight, bias, made, lost in product(ends, repeat=4):
            u, made = weight + bias * (mpmath.mpf(z) - 1), made * mpmath.mpf(h)
            y = (u + mpmath.sqrt(u * u + 4 * made * lost)) / (2 * lost)
            found.append((lost * y, made / y, lost * y + made / y))
        return [float(min(values)) for values in zip(*found, strict=True)]


def test_copies_start_at_the_fixed_point_if_the_box_is_on_one_side_of_it():
    net = cn.Network([cn.Layer([[1.0]])])
    envelope = EnvelopeModel(NetworkKinetics(net)).envelope
    (y, _), held = at(net, [0.7])
    coefficients = envelope.coefficients((y, y), (held, held))
    for box, copies in (
        ((0.2 * y, 0.5 * y), [0.0, 0.8, 0.2]),
        ((2 * y, 3 * y), [2.0, 0.0, 1.0]),
        ((0.5 * y, 3 * y), [2.0, 0.5, 0.5]),
    ):
        start = start_in(envelope, coefficients, box, either_side=False)
        np.testing.assert_allclose(start, copies, rtol=ROUNDED)
    # known exactly, each copy may be beyond it
    start = start_in(envelope, coefficients, (0.2 * y, 0.5 * y))
    np.testing.assert_allclose(start, [-0.5, 0.8, 0.2], rtol=ROUNDED)


@pytest.mark.parametrize("loss", [0.2, 50.0])
def test_what_a_follower_gains_early_is_the_integral_of_what_makes_it(loss):
    """A' = 1 - A^2 and B' = 3 A - loss B: relative to the fixed point, B gains at most
    loss min(peak, C / t).
    """
    crn = cn.ReactionNetwork(
        [cn.Species("A"), cn.Species("B")],
        [
            cn.Reaction("make", (), ("A",), "h", 1.0),
            cn.Reaction("meet", ("A", "A"), ("A",), "q", 1.0),
            cn.Reaction("follow", ("A",), ("A", "B"), "k", 3.0),
            cn.Reaction("lose", ("B",), (), "l", loss),
        ],
    )
    envelope, y = Envelope(crn), np.array([1.0, 3 / loss])
    early = _Early(envelope, envelope.coefficients((y, y)), 1e6)
    start, peak, fast = early.cap[1], np.exp(early.log_peak[0]), early.fast[0]
    knee = fast / peak
    gained = loss * fast * (1 + np.log(early.time / knee))
    early.cap[1] = 0.0  # beside which a gain is lost
    # the bound rounds the corner off, by at most C
    assert gained * (1 - ROUNDED) <= early._level(1) <= gained + loss * fast
    assert early.level[1] == pytest.approx(start + early._level(1), rel=ROUNDED)


@pytest.mark.parametrize("rates", [0.0, 0.1])
@pytest.mark.parametrize("z", [-1e6, -1e3, -10.0, 3.0, 1e3, 1e6])
def test_how_fast_a_rail_comes_back_keeps_its_digits_far_from_its_knee(z, rates):
    """As a difference of sqrt(u^2 + 4 h q) and u it would be a thousandth too fast at 1e6."""
    net = cn.Network([cn.Layer([[1.0]], [z - 1], cn.SmoothedReLU(h=0.01))])
    envelope = EnvelopeModel(NetworkKinetics(net)).envelope
    at_point, held = at(net, np.array([1.0]), rates)
    found = envelope.coefficients(at_point, (held, held), rates)
    for value, exact in zip(
        (found.square_above, found.below, found.rate),
        slowest_of_a_rail(z, 0.01, rates),
        strict=True,
    ):
        # never more than it is but for the last digits; bounds of the fixed point are widened
        assert value[0] == pytest.approx(exact, rel=SUMMED)
        assert value[0] <= exact * (1 + LAST_DIGITS)


def test_what_has_no_envelope_is_refused_with_the_reason():
    def network(*reactions):
        return cn.ReactionNetwork([cn.Species("A"), cn.Species("B")], reactions)

    made, lost = cn.Reaction("J1", (), ("A",), "a", 1.0), cn.Reaction("J2", ("A",), (), "b", 1.0)
    with pytest.raises(cn.NotCertified, match="'B' is made by no reaction without itself"):
        Envelope(network(made, lost))
    grows = cn.Reaction("J3", {"B": 2}, {"B": 3}, "c", 1.0)
    with pytest.raises(
        cn.NotCertified, match="'B' makes itself at a rate that grows with its square"
    ):
        Envelope(network(made, lost, cn.Reaction("J4", (), ("B",), "d", 1.0), grows))
    loop = network(
        made,
        lost,
        cn.Reaction("J3", ("A",), ("A", "B"), "c", 1.0),
        cn.Reaction("J4", ("B",), ("B", "A"), "d", 0.1),
        cn.Reaction("J5", ("B",), (), "e", 1.0),
    )
    envelope, y = Envelope(loop), np.array([10 / 9, 10 / 9])
    with pytest.raises(cn.NotCertified, match=r"A, B make one another|B, A make one another"):
        start_anywhere(envelope, envelope.coefficients((y, y)), 1e6)


def test_the_envelope_is_a_network_that_can_be_written_down():
    envelope = Envelope(cn.to_reactions(cn.load_model("xor")))
    text = cn.to_antimony(envelope.network)
    assert "Y1_0_above" in text
    assert ONE in text


@pytest.mark.parametrize("name", ["skip connections", "Normalized output", "Tanh output"])
def test_what_makes_and_takes_is_bounded_by_its_corners(name, rng):
    """Each term beside its species, with every factor at either end: the least and the most of all
    corners are the bounds, so that none of them is too small or at the wrong end.
    """
    net = next(case.net for case in LAYERED if case.name == name)
    envelope = EnvelopeModel(NetworkKinetics(net)).envelope
    terms, rates = envelope.terms, 0.1
    low = rng.uniform(0.5, 1.0, envelope.n)
    held_low = rng.uniform(0.5, 1.0, len(envelope.crn.boundary))
    (y, x), (y_high, x_high) = (low, held_low), (1.3 * low, 1.2 * held_low)
    found = envelope.coefficients((y, y_high), (x, x_high), rates)
    # what a term has no second factor of is 1
    ends = np.array([[*y, *x, 1.0], [*y_high, *x_high, 1.0]])
    sizes = np.abs(terms.number) * envelope.crn.constants[terms.constant]
    for t, (size, own) in enumerate(zip(sizes, terms.row, strict=True)):
        beside = ends[:, own] if terms.power[t] == 0 else np.ones(2)
        others = (ends[:, other] for other in terms.others[t])
        corners = [
            k * np.prod(factors) / y_own
            for k, y_own, *factors in product(
                (size * (1 - rates), size * (1 + rates)), beside, *others
            )
        ]
        assert found.least[t] == pytest.approx(min(corners), rel=LAST_DIGITS)
        assert found.most[t] == pytest.approx(max(corners), rel=LAST_DIGITS)


def test_the_upper_copy_of_what_two_catalysts_make_is_exact(rng):
    """Mp' = Yp S - Mp, so m' = (1 + a) (1 + s) - 1 - m of the relative errors, where s is what S is
    above its fixed point, with what starts above the most that is made of it.
    """
    net = cn.Network([cn.Layer([[1.0]], [0.0], Swish(h=0.1))])
    envelope = EnvelopeModel(NetworkKinetics(net)).envelope
    at_point, held = at(net, np.array([0.7]))
    values = envelope.constants(envelope.coefficients(at_point, (held, held)))
    network = envelope.network
    state = rng.uniform(0.0, 3.0, len(network.floating))
    error = dict(zip(network.floating, state, strict=True))
    change = dict(
        zip(network.floating, network.right_hand_side(state, constants=values), strict=True)
    )
    s = error["S1_0_above"] + error["S1_0_extra"]
    for rail, product_of in (("Yp1_0", "Mp1_0"), ("Yn1_0", "Mn1_0")):
        a, m = error[f"{rail}_above"], error[f"{product_of}_above"]
        expected = (1 + a) * (1 + s) - 1 - m
        assert change[f"{product_of}_above"] == pytest.approx(expected, rel=ROUNDED)


@pytest.mark.parametrize("weight", [1.0, -1.0])
def test_what_promotes_passes_its_error_on_and_what_inhibits_the_other_way_round(weight):
    """The first unit is too high alone, the second too low alone."""
    layers = [cn.Layer([[1.0], [1.0]]), cn.Layer([[weight, weight]])]
    envelope = Envelope(cn.to_reactions(cn.Network(layers)))
    above, below, left = 0.3, 0.5, 0.5
    state = np.array([above, 0.0, 1.0, 0.0, below, left, 0.0, 0.0, 1.0])
    for high, feeds in ((weight > 0, "Y1_0"), (weight < 0, "Y1_1")):
        found = envelope.chain(state, 2, high, np.ones(len(envelope.terms)))
        assert found == (feeds, "Y2_0")
