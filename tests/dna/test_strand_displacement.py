"""DNA strand displacement: the right steps, the right dynamics, the right strands, and a window to
read them in.
"""

import dataclasses
import itertools
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st
from scipy.integrate import solve_ivp

import crn_nn_tellurium as cn
from crn_nn_tellurium.dna.strand_displacement import FUELS

A, B, C = "ABC"
FORMAL = {
    "unimolecular": [((A,), (B, C))],
    "bimolecular": [((A, B), (C,))],
    "promotes": [((A, B), (A, B, B))],
    "inhibits": [((A, B), (A,))],
    "two become one": [((A, A), (A,))],
    "two become another": [((A, A), (C,))],
    "arises": [((), (A,))],
    "decays": [((A,), ())],
    "bound unevenly": [((A, B), (C,)), ((C,), (A,))],
    "smoothed ReLU": [((), (B,)), ((A, B), (A, B, B)), ((B, B), (B,)), ((B,), ())],
}


def network(reactions, values=None, start=1.0):
    names = sorted({s for before, after in reactions for s in (*before, *after)})
    values = values or [1.0] * len(reactions)
    parts = [
        cn.Reaction(f"J{i}", before, after, f"k{i}", value)
        for i, ((before, after), value) in enumerate(zip(reactions, values, strict=True))
    ]
    return cn.ReactionNetwork([cn.Species(name, start) for name in names], parts)


def without_fuel(dna):
    """The steps as pairs of sides, fuel and its remains left out: what bisimulation compares with
    the formal reactions.
    """
    quiet = {name for name, role in dna.roles.items() if role in FUELS}
    return [
        [[s for s in _molecules(side) if s not in quiet] for side in (r.substrates, r.products)]
        for r in dna.reactions
    ]


def course(crn, times):
    """Another integrator than roadrunner's, on the network's own equations."""
    solution = solve_ivp(
        lambda _, x: crn.right_hand_side(x),
        (times[0], times[-1]),
        crn.initial_state(),
        method="LSODA",
        t_eval=times,
        rtol=1e-9,
        atol=1e-12,
        jac=lambda _, x: crn.jacobian(x).toarray(),
    )
    assert solution.success
    return solution.y.T


# The steps ----------------------------------------------------------------------------------------


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


def _molecules(side):
    return [species for species, n in side for _ in range(n)]


def test_every_step_has_at_most_two_molecules_and_every_species_a_role():
    dna = cn.to_strand_displacement(cn.load_model("iris"))
    assert max(r.order for r in dna.reactions) == 2
    assert min(r.order for r in dna.reactions) == 2  # nothing happens by itself: fuel drives it all
    assert set(dna.roles) == {s.id for s in dna.species}
    assert all(dna.roles[f] in FUELS for f in dna.fuels)
    assert not dna.boundary


# Dynamics -----------------------------------------------------------------------------------------


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
    window = cn.read_out_window(net, [[1.5]], tolerance=0.1, t_end=20.0, n_points=11)
    dna = cn.to_strand_displacement(net, [1.5])
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
    np.testing.assert_allclose(list(bound.values()), max(bound.values()), rtol=1e-9)


def test_units_given_are_obeyed_or_refused():
    formal = network([((A, B), (C,))], [2.0])
    dna = cn.to_strand_displacement(formal, options=cn.StrandOptions(c0=5.0, tau=4000.0))
    assert (dna.units.c0, dna.units.tau) == (5.0, 4000.0)
    with pytest.raises(
        cn.ReactionError, match=r"'J0' \(A \+ B => C\).*q_max is 1e\+06 /M/s; tau = 800 s would do"
    ):
        cn.to_strand_displacement(formal, options=cn.StrandOptions(c0=5.0, tau=100.0))
    cn.to_strand_displacement(formal, options=cn.StrandOptions(c0=5.0, tau=800.0))  # as it says
    with pytest.raises(
        cn.ReactionError, match=r"reaction 'J0' \(A => B\) needs a step of .* tau = .* would do"
    ):
        cn.to_strand_displacement(
            network([((A,), (B,))], [1e3]), options=cn.StrandOptions(c0=5.0, tau=1.0)
        )


def test_what_cannot_be_is_refused():
    with pytest.raises(
        cn.ReactionError, match=r"'J0': 3 molecules meet \(A \+ 2 B => C\).*at most 2"
    ):
        cn.to_strand_displacement(network([((A, B, B), (C,))]))
    formal = network([((A,), (B,))])
    with pytest.raises(
        cn.InputError, match=r"fuel is 2e4 nM|fuel is 20000.0 nM; expected at most c_max"
    ):
        cn.StrandOptions(fuel=2e4)
    with pytest.raises(
        cn.InputError,
        match=r"signal 'A' starts at .* above c_max = 10000 nM; c0 = .* with tau = .* would do",
    ):
        cn.to_strand_displacement(formal, options=cn.StrandOptions(c0=1e5))
    for name in ("c_max", "q_max", "c0", "tau"):
        with pytest.raises(cn.InputError, match=name):
            cn.StrandOptions(**{name: -1.0})
    with pytest.raises(cn.NetworkError, match="takes a Network or ReactionNetwork; got str"):
        cn.to_strand_displacement("A -> B")
    with pytest.raises(cn.InputError, match="x goes with a Network"):
        cn.to_strand_displacement(formal, [1.0])


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
    np.testing.assert_allclose(dna.observe(state), 4.0 * formal.observe(x), rtol=1e-12)


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
        cn.load_model("xor"), options=cn.StrandOptions(c0=10.0, tau=1000.0)
    )
    assert "t_end=>100000.0," in cn.export(dna, tmp_path / "net.bngl").read_text(encoding="utf-8")
    assert "t_end=>100.0," in cn.export(cn.load_model("xor"), tmp_path / "xor.bngl").read_text(
        encoding="utf-8"
    )


# Strands ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in FORMAL if name != "smoothed ReLU"])
def test_domains_do_what_the_steps_say(name, tmp_path):
    """Peppercorn enumerates what the strands do to one another; condensed, it is our steps and no
    other.

    Strands that differ in their history are one signal. Remote toeholds are left out: where two of
    one signal meet and make it again, they rearrange complexes at rates some thousand times
    smaller.
    """
    pytest.importorskip("peppercornenumerator")
    formal = network(FORMAL[name])
    dna = cn.to_strand_displacement(formal)
    path = cn.export(dna, tmp_path / "net.pil")
    command = shutil.which("peppercorn") or str(Path(sys.executable).with_name("peppercorn"))
    options = [
        "--condensed",
        "--release-cutoff",
        "8",
        "--max-complex-size",
        "10",
        "--reject-remote",
    ]
    done = subprocess.run(
        [command, str(path), *options], capture_output=True, text=True, check=True, timeout=120
    )
    kernels = {}
    reactions = []
    for line in done.stdout.splitlines():
        if line.startswith("reaction"):
            before, after = line.partition("]")[2].split("->")
            reactions.append(
                tuple(tuple(part.strip() for part in side.split("+")) for side in (before, after))
            )
        elif "=" in line and not line.startswith(("length", "macrostate", "#")):
            species, _, kernel = line.partition("=")
            kernels[species.strip()] = kernel.partition("@")[0].strip()
    known = {s.id for s in formal.species} | set(dna.fuels)
    found = set()
    for before, after in reactions:
        sides = [
            tuple(sorted(filter(None, (_species(s, kernels, known) for s in side))))
            for side in (before, after)
        ]
        found.add(tuple(sides))
    wanted = set()
    for r in dna.reactions:
        sides = []
        for side in (r.substrates, r.products):
            sides.append(tuple(sorted(s for s in _molecules(side) if s in known)))
        wanted.add(tuple(sides))
    assert found == wanted


def _species(name, kernels, known):
    """A signal whatever its history, a fuel by its name, "" for what the steps make on the way and
    for waste.
    """
    if name in known:
        return name
    domains = kernels[name].split()
    if "+" not in domains and len(domains) == 4 and domains[1].startswith("t_"):
        signal = domains[1].removeprefix("t_")
        return signal if domains[1:] == [f"t_{signal}", f"d_{signal}", f"u_{signal}"] else ""
    return ""


def test_strands_pair_with_their_complements():
    parts = cn.domain_parts(cn.to_strand_displacement(cn.load_model("xor")), toehold=5, long=17)
    for part in parts.complexes:
        stack = []
        flat = [
            (domain, mark)
            for strand, marks in zip(part.strands, part.pairs, strict=True)
            for domain, mark in zip(strand.domains, marks, strict=True)
        ]
        for domain, mark in flat:
            if mark == "(":
                stack.append(domain)
            elif mark == ")":
                assert domain == f"{stack.pop()}*", part.kernel
        assert not stack
        if len(part.strands) > 1:
            assert flat[-1][1] == "."  # one toehold is open
    assert set(parts.lengths.values()) == {5, 17}
    assert parts.total_length == sum(map(parts.length, parts.strands))
    with pytest.raises(cn.InputError, match="toehold is 0; expected a number of bases"):
        cn.domain_parts(cn.to_strand_displacement(cn.load_model("xor")), toehold=0)


def test_parts_and_designs_are_written(tmp_path):
    dna = cn.to_strand_displacement(cn.load_model("xor"), [0, 1])
    parts = cn.domain_parts(dna)
    path = cn.export(dna, tmp_path / "order.csv", "parts")
    rows = path.read_text(encoding="utf-8").splitlines()
    assert len(rows) == 1 + len(parts.complexes)
    assert rows[0].split(",") == list(parts.to_frame().columns)
    strands = (tmp_path / "order.strands.csv").read_text(encoding="utf-8").splitlines()
    assert strands[-1].split(",")[:2] == ["all", str(parts.total_length)]
    design = cn.export(dna, tmp_path / "net.np", toehold=5).read_text(encoding="utf-8")
    for line in design.splitlines():
        if line.startswith("structure"):
            marks = line.partition("=")[2]
            assert marks.count("(") == marks.count(")")
    with pytest.raises(
        cn.FileFormatError,
        match="no strand displacement implementation; to_strand_displacement makes",
    ):
        cn.export(cn.load_model("xor"), tmp_path / "net.pil")


def test_names_of_domains_and_strands_give_way_to_the_models(tmp_path):
    """Species that are called like our domains and strands, and an owner that two domains could
    have.
    """
    reactions = [cn.Reaction("J", ("A",), ("J_1", "d_A"), "k", 1.0)]
    crn = cn.ReactionNetwork(
        [cn.Species(name) for name in ("A", "J_1", "d_A", "strand_0")], reactions
    )
    dna = cn.to_strand_displacement(crn)
    parts = cn.domain_parts(dna)
    signals = {
        part.name: part.strands[0].domains for part in parts.complexes if part.role == "signal"
    }
    flat = [domain for domains in signals.values() for domain in domains]
    assert len(flat) == len(set(flat)) == 16
    assert not set(parts.lengths) & {part.name for part in parts.complexes}
    (translator,) = (part for part in parts.complexes if part.role == "translator")
    histories = {strand.domains[0] for strand in translator.strands[:-1]}
    assert len(histories) == 2
    assert not histories & set(flat)
    design = cn.export(dna, tmp_path / "net.np").read_text(encoding="utf-8").splitlines()
    names = [
        line.split()[1] for line in design if line.split()[0] in ("domain", "strand", "structure")
    ]
    assert len(names) == len(set(names))


# Windows ------------------------------------------------------------------------------------------

XOR = [[0, 0], [0, 1], [1, 0], [1, 1]]


def test_xor_is_right_on_every_sample_inside_the_window():
    net = cn.load_model("xor")
    window = cn.read_out_window(net, XOR)
    first, last = window.common
    inside = (window.time >= first) & (window.time < last)
    assert inside.sum() > 100
    assert (net.classify(window.outputs[:, inside]) == net.predict(XOR)[:, None]).all()
    assert window.share == 1.0
    assert "class right on 100.0% of 4 samples" in repr(window)


def test_the_window_shrinks_with_the_fuel_and_closes():
    net = cn.load_model("xor")
    lasting = []
    for fuel in (300.0, 1000.0, 3000.0, 6000.0, 10000.0):
        window = cn.read_out_window(
            net, XOR, tolerance=0.15, options=cn.StrandOptions(fuel=fuel, c0=10.0), t_end=200.0
        )
        first, last = window.common
        lasting.append(min(last, window.time[-1]) - first)
    assert np.isnan(lasting[:2]).all()  # too little
    assert all(a < b for a, b in itertools.pairwise(lasting[2:]))


def test_the_ideal_chemistry_settles_before_its_bound():
    """The certificate holds for all starts, so for these."""
    net = cn.load_model("xor")
    window = cn.read_out_window(net, XOR, tolerance=0.05)
    for i in range(4):
        late = window.time >= window.bound[i]
        assert late.any()
        assert (np.abs(window.ideal[i, late] - window.targets[i]) <= 0.05).all()


def test_the_smallest_fuel_does_and_less_does_not():
    net = cn.load_model("xor")
    best = cn.smallest_fuel(net, XOR, lasting=10.0)
    assert best.dna.fuel < 1000

    def lasts(fuel):
        window = cn.read_out_window(
            net, XOR, options=cn.StrandOptions(fuel=fuel, c0=best.dna.units.c0)
        )
        first, last = window.common
        return min(last, window.time[-1]) - first >= 10.0 * window.dna.units.tau

    assert lasts(best.dna.fuel)
    assert not lasts(best.dna.fuel / 1.15)
    with pytest.raises(cn.InputError, match="a fuel of 200 nM does not last"):
        cn.smallest_fuel(net, XOR, options=cn.StrandOptions(c_max=200.0, c0=10.0))
    with pytest.raises(cn.InputError, match=r"fuel is 500\.0 nM; expected None"):
        cn.smallest_fuel(net, XOR, options=cn.StrandOptions(fuel=500.0))


def test_a_starved_tube_is_not_read():
    """With 100 nM, XOR's tube runs out of fuel at [0, 0] and rests, where its class is right by
    chance.
    """
    window = cn.read_out_window(
        cn.load_model("xor"), XOR, options=cn.StrandOptions(fuel=100.0, c0=10.0), t_end=300.0
    )
    assert window.fuel_left[0] < 1
    assert window.starved[0] < 0.1 * window.time[-1]


def test_fuel_and_units_are_numbers_above_0():
    net = cn.load_model("xor")
    for options in ({"fuel": 0}, {"c0": "a"}, {"tau": 0.0}):
        with pytest.raises(cn.InputError, match=next(iter(options))):
            cn.StrandOptions(**options)
    for least, message in ((0, "least"), (2e4, "least is 20000.0 nM; expected less than c_max")):
        with pytest.raises(cn.InputError, match=message):
            cn.smallest_fuel(net, XOR, least=least)


@pytest.mark.slow
def test_an_iris_network_is_right_on_every_held_out_sample():
    X, test, _, y = cn.model_data("iris")
    net = cn.limit_concentrations(cn.load_model("iris"), X)
    window = cn.read_out_window(net, test, y)
    assert window.share == 1.0
    first, last = window.common
    assert min(last, window.time[-1]) - first > 50 * window.dna.units.tau


def test_small_concentrations_keep_the_class():
    X, test, _, _ = cn.model_data("iris")
    net = cn.load_model("iris")
    small = cn.limit_concentrations(net, X, largest=0.5)
    assert (small.predict(test) == net.predict(test)).all()
    concentrations = cn.Simulator(small).steady_state(X).concentrations
    assert (
        max(np.max(part) for part in _arrays(concentrations)) <= 0.5 * 1.1
    )  # smoothing, relatively larger, adds to it
    with pytest.raises(cn.InputError, match="largest is 0; expected a concentration > 0"):
        cn.limit_concentrations(net, X, largest=0)


def _arrays(concentrations):
    return concentrations.values() if isinstance(concentrations, dict) else [concentrations]


def test_the_plot_shows_dna_ideal_and_window():
    window = cn.read_out_window(cn.load_model("xor"), XOR, tolerance=0.1)
    ax = cn.plot_read_out_window(window, sample=1)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), window.outputs[1, :, 0])
    np.testing.assert_allclose(ax.lines[1].get_ydata(), window.ideal[1, :, 0])
    assert ax.get_xlabel() == "time (h)"
    assert [t.get_text() for t in ax.get_legend().get_texts()][:3] == [
        "y0",
        "ideal chemistry",
        "network",
    ]
    with pytest.raises(cn.InputError, match="sample is 4; expected 0 to 3"):
        cn.plot_read_out_window(window, sample=4)


def test_what_windows_cannot_be_found_for():
    net = cn.load_model("xor")
    with pytest.raises(cn.NetworkError, match="found for a Network; got ReactionNetwork"):
        cn.read_out_window(cn.to_reactions(net), XOR)
    with pytest.raises(cn.InputError, match="X has shape"):
        cn.read_out_window(net, [0, 1])
    with pytest.raises(cn.InputError, match="tolerance is -1"):
        cn.read_out_window(net, XOR, tolerance=-1)
    with pytest.raises(cn.InputError, match="y holds"):
        cn.read_out_window(net, XOR, ["a", "b", "c", "d"])
    assert dataclasses.is_dataclass(cn.ReadOutWindow)
