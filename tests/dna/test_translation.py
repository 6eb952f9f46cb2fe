"""Strand displacement: the right steps, the right dynamics, and units that fit."""

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st
from support.formal import FORMAL, A, B, C, _molecules, course, network, without_fuel
from support.tolerances import LAST_DIGIT, ROUNDED

import crn_nn_tellurium as cn
from crn_nn_tellurium.dna.strand_displacement import FUELS


@pytest.mark.parametrize("name", FORMAL)
def test_steps_implement_the_reactions(name):
    """Bisimulation, by crnverifier: what the steps can do is what the reactions can, whatever the
    rates.
    """
    crnverifier = pytest.importorskip("crnverifier")
    formal = network(FORMAL[name])
    dna = cn.to_strand_displacement(formal)
    wanted = [[_molecules(r.substrates), _molecules(r.products)] for r in formal.reactions]
    steps = without_fuel(dna)
    names = {s.id for s in formal.species}
    assert crnverifier.crn_bisimulation_test(wanted, steps, names, permissive="graphsearch")[0]
    lossy = next((step for step in steps if step[0][:1] and step[0][0].startswith("O_")), None)
    if lossy is not None:  # a translator that forgets a product does something else
        lossy[1].pop()
        assert not crnverifier.crn_bisimulation_test(
            wanted, steps, names, permissive="graphsearch"
        )[0]


def test_a_neuron_is_implemented():
    crnverifier = pytest.importorskip("crnverifier")
    formal = cn.to_reactions(cn.Network([cn.Layer([[1.0]], [-0.5], cn.SmoothedReLU(h=0.01))]))
    dna = cn.to_strand_displacement(formal)
    wanted = [[_molecules(r.substrates), _molecules(r.products)] for r in formal.reactions]
    steps = without_fuel(dna)
    names = {s.id for s in formal.species}
    assert crnverifier.crn_bisimulation_test(wanted, steps, names, permissive="graphsearch")[0]


def test_every_step_has_at_most_two_molecules_and_every_species_a_role():
    dna = cn.to_strand_displacement(cn.load_model("iris"))
    assert max(r.order for r in dna.reactions) == 2
    assert min(r.order for r in dna.reactions) == 2  # nothing happens by itself: fuel drives it all
    assert set(dna.roles) == {s.id for s in dna.species}
    assert all(dna.roles[f] in FUELS for f in dna.fuels)
    assert not dna.boundary


@pytest.mark.parametrize("name", FORMAL)
def test_free_signals_follow_the_formal_network(name):
    """While fuel is plentiful, 1e7 nM for 10 nM of signal.

    What remains is that products are in transit for a hundredth of a time of 1, while the fastest
    of these reactions moves 1.3 of them.
    """
    formal = network(FORMAL[name], values=[0.7, 1.3, 0.4, 0.2][: len(FORMAL[name])])
    dna = cn.to_strand_displacement(formal, options=cn.StrandOptions(c_max=1e7, c0=10.0))
    times = np.linspace(0, 3, 13)
    free = (
        course(dna, times * dna.units.tau)[:, [dna.floating.index(s) for s in formal.floating]]
        / dna.units.c0
    )
    ideal = course(formal, times)
    # at the start all signal is free; linkers bind their share within the first instants
    np.testing.assert_allclose(free[1:], ideal[1:], atol=0.02)
    assert np.abs(ideal[-1] - ideal[0]).max() > 0.05


def test_roadrunner_and_scipy_agree_on_a_neuron_in_dna():
    net = cn.Network([cn.Layer([[1.0]], [-0.5], cn.SmoothedReLU(h=0.01))])
    dna = cn.to_strand_displacement(net, [1.5])
    end = 20.0 * dna.units.tau
    window = cn.read_out_window(net, [[1.5]], tolerance=0.1, t_end=end, n_points=11)
    assert window.time[-1] == pytest.approx(end, rel=LAST_DIGIT)
    ours = dna.observe(course(dna, window.time))[:, 0] / dna.units.c0
    # roadrunner: relative tolerance 1e-10, absolute 1e-9 nM; scipy: 1e-9
    np.testing.assert_allclose(window.outputs[0, :, 0], ours, rtol=1e-5, atol=1e-7)


SIGNALS = st.sampled_from("ABC")


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.lists(SIGNALS, max_size=2), st.lists(SIGNALS, max_size=3), st.floats(0.1, 5)),
        min_size=1,
        max_size=5,
    ),
    st.floats(0.5, 20),
)
def test_rate_constants_fit_and_the_bound_share_is_the_same_for_all(reactions, c0):
    """With the scaling found: no step above q_max, and for each signal the rates into linkers add
    up to one number.
    """
    assume(any(before or after for before, after, _ in reactions))
    formal = network(
        [(before, after) for before, after, _ in reactions], [k for *_, k in reactions]
    )
    dna = cn.to_strand_displacement(formal, options=cn.StrandOptions(c0=c0))
    assert max(r.value for r in dna.reactions) <= 1e-3 * (1 + 1e-9)  # q_max, in 1/nM/s
    assert 0.5 - 1e-9 <= dna.free_share <= 1
    linkers = {m.linker for m in dna.modules if m.linker} | {b.linker for b in dna.buffers}
    bound = dict.fromkeys((s.id for s in formal.species), 0.0)
    for r in dna.reactions:
        sides = dict(r.substrates)
        if linkers & set(sides):
            bound[next(s for s in sides if s in bound)] += r.value
    np.testing.assert_allclose(list(bound.values()), max(bound.values()), rtol=ROUNDED)


@pytest.mark.parametrize(
    ("reactions", "constants", "tau"),
    [
        # of two molecules: half of A is bound, k / (c0 tau q_max) = 1/2
        ([((A, B), (C,))], [2.0], 2.0 / (0.5 * 10 * 1e-3)),
        # of two such, the one binds A and the other B, and the faster sets the pace
        ([((A, B), (C,)), ((A, B), (A,))], [2.0, 3.0], 3.0 / (0.5 * 10 * 1e-3)),
        # of one: half of q_max fuel is k / tau, if that is slower than the transit
        ([((A,), (B,))], [2.0], 2.0 * 0.1 / 0.01),
        ([((A,), (B,))], [0.5], 0.1 / 0.01),
        # of none: half of q_max fuel^2 is k c0 / tau
        ([((), (A,))], [1e6], 1e6 * 10 / (0.5 * 1e-3 * 1e8)),
    ],
)
def test_the_time_of_1_is_the_shortest_that_fits(reactions, constants, tau):
    """In s, by hand: c0 = 10 nM, q_max = 1e-3 /nM/s, fuel = 1e4 nM, so products are in transit for
    0.1 s, which is to be a hundredth of a time of 1 and of a molecule's life.
    """
    dna = cn.to_strand_displacement(network(reactions, constants))
    # products and quotients of a handful of numbers
    assert dna.units.tau == pytest.approx(tau, rel=1e-14)


def test_units_given_are_obeyed():
    formal = network([((A, B), (C,))], [2.0])
    dna = cn.to_strand_displacement(
        formal, options=cn.StrandOptions(units=cn.PhysicalUnits(5.0, 4000.0))
    )
    assert (dna.units.c0, dna.units.tau) == (5.0, 4000.0)
    cn.to_strand_displacement(
        formal, options=cn.StrandOptions(units=cn.PhysicalUnits(5.0, 800.0))
    )  # as the error says


def test_read_outs_are_the_networks_in_nanomolar():
    """Constants of read-outs too: a scaled input's value and a hard sigmoid's offset."""
    net = cn.Network(
        [
            cn.Layer([[1.0]], [0.2], cn.SmoothedReLU(h=0.1)),
            cn.Layer([[2.0]], [0.5], cn.Absolute(h=0.01)),
        ],
        inputs="scaled",
        input_range=(-1.0, 3.0),
    )
    formal = cn.to_reactions(net, [1.0])
    dna = cn.to_strand_displacement(net, [1.0], cn.StrandOptions(c0=4.0))
    x = np.random.default_rng(0).uniform(0.1, 2, len(formal.floating))
    state = np.zeros(len(dna.floating))
    for name, value in zip(
        (*formal.floating, *formal.boundary), (*x, *formal.boundary_concentrations), strict=True
    ):
        state[dna.floating.index(name)] = 4.0 * value
    np.testing.assert_allclose(dna.observe(state), 4.0 * formal.observe(x), rtol=ROUNDED)


@pytest.mark.parametrize("format", ["sbml", "antimony", "bngl", "crn", "csv"])
def test_every_exporter_takes_it(format, tmp_path):
    dna = cn.to_strand_displacement(cn.load_model("xor"), [0, 1])
    path = cn.export(dna, tmp_path / "dna.txt", format)
    assert path.stat().st_size > 1000
    if format == "sbml":
        assert cn.import_sbml(path).reactions == dna.reactions


def test_what_is_held_constant_stays_so():
    """An input that reactions use up is given back: a catalyst is as constant."""
    parts = [cn.Reaction("R", ("X",), ("Y",), "k", 1.0), cn.Reaction("D", ("Y",), (), "d", 1.0)]
    formal = cn.ReactionNetwork([cn.Species("X", 1.0, boundary=True), cn.Species("Y")], parts)
    dna = cn.to_strand_displacement(formal)
    times = np.linspace(0, 20, 5)
    free = course(dna, times * dna.units.tau)[:, dna.floating.index("Y")] / dna.units.c0
    ideal = course(formal, times)[:, 0]
    # fuel of 1e4 nM feeds some 200 nM in this time, 2 % of it
    np.testing.assert_allclose(free[1:], ideal[1:], rtol=0.05)


def test_simulations_of_dna_last_as_long_as_it_takes(tmp_path):
    dna = cn.to_strand_displacement(
        cn.load_model("xor"), options=cn.StrandOptions(units=cn.PhysicalUnits(10.0, 1000.0))
    )
    assert "t_end=>100000.0," in cn.export(dna, tmp_path / "net.bngl").read_text(encoding="utf-8")
    assert "t_end=>100.0," in cn.export(cn.load_model("xor"), tmp_path / "xor.bngl").read_text(
        encoding="utf-8"
    )
