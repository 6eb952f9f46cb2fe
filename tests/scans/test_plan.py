"""How a scan came about, what its key is, and what is solved once."""

import dataclasses

import numpy as np
from support.scans import XOR, assert_close, changed

import crn_nn_tellurium as cn
from crn_nn_tellurium.scans.arguments import make_plan
from crn_nn_tellurium.scans.plan import boxes


def test_the_result_says_how_it_came_about():
    ds = cn.scan(XOR, {"h": [1e-3], "x0": [0, 1]}, x=[0.5, 1])
    assert "XOR" in ds.attrs["model"] or "xor" in ds.attrs["model"]
    assert ds.attrs["inputs"] == "x1 = 1.0"
    assert f"crn_nn_tellurium {cn.__version__}" in ds.attrs["versions"]
    assert "libroadrunner" in ds.attrs["versions"]
    assert ds.h.attrs["units"] == ds.outputs.attrs["units"] == "model units"
    other = cn.scan(changed(XOR, b2_0=0.0), {"h": [1e-3], "x0": [0, 1]}, x=[0.5, 1])
    assert other.attrs["model_hash"] != ds.attrs["model_hash"]


def first(result):
    """A function that states no version."""
    return 1.0


def second(result):
    """Another, in its second version."""
    return 2.0


def third(result):
    """The same name and version stand for the same function."""
    return 3.0


second.version = "2"
third.__qualname__, third.version = second.__qualname__, "3"


def test_the_key_is_that_of_all_that_matters():

    base = {"vary": {"h": [1e-3, 1e-2]}, "x": [0, 1]}
    others = [
        {"vary": {"h": [1e-3, 2e-2]}},
        {"vary": {"h1": [1e-3, 1e-2]}},
        {"x": [0, 0.5]},
        {"at": 1.0},
        {"outputs": "class"},
        {"outputs": {"f": first}},
        {"outputs": {"f": cn.UserFunction(first, version="2")}},
        {"x": [[0, 1]], "y": [1], "outputs": "loss"},
        {"x": [[0, 1]], "y": [1], "outputs": cn.MeanLoss("cross_entropy")},
        {"outputs": {"f": second}},
        {"outputs": {"f": third}},
        {"outputs": cn.SettlingTime(0.1)},
        {"outputs": "settling_time"},
        {"model": XOR.with_h(0.5)},
    ]

    class Mine(cn.SmoothedReLU):
        version = "1"

    nets = [cn.Network([cn.Layer([[1.0, 1.0]], activation=Mine(h=0.1))])]
    before = make_plan(nets[0], {"x0": [0.0]}).key
    Mine.version = "2"
    assert make_plan(nets[0], {"x0": [0.0]}).key != before
    keys = [make_plan(**{"model": XOR, **base, **other}).key for other in [{}, *others]]
    assert len(set(keys)) == len(keys)
    assert make_plan(XOR, **base).key == keys[0]
    assert make_plan(cn.Simulator(XOR), **base).key == keys[0]


def test_a_grid_is_cut_by_its_shape_alone():
    for shape, limit, whole in (
        ((3, 5, 7), 10, ()),
        ((100, 100), 2048, ()),
        ((4, 6), 3, (1,)),
        ((1,), 5, ()),
    ):
        found = boxes(shape, limit, whole)
        seen = np.zeros(shape, dtype=int)
        for box in found:
            seen[box.slices] += 1
            assert np.prod(box.shape) <= max(limit, np.prod([shape[d] for d in whole], dtype=int))
            assert all(box.shape[d] == shape[d] for d in whole)
        assert np.all(seen == 1)


def test_what_does_not_change_is_not_solved_again(monkeypatch):
    """Layers above which nothing changes are solved once, over chunks too."""
    from crn_nn_tellurium.simulation.layer_solver import LayerSolver

    solved = []
    settle = LayerSolver.settle

    def spy(self, catalysts, *rest):
        solved.append((self.encoding.index, len(catalysts)))
        return settle(self, catalysts, *rest)

    monkeypatch.setattr(LayerSolver, "settle", spy)
    net = cn.Network.random([2, 3, 3, 1], seed=0)
    ds = cn.scan(net, {"x0": np.linspace(0, 1, 40), "w3_0_0": np.linspace(-1, 1, 200)})
    by_layer = {layer: sum(n for index, n in solved if index == layer) for layer in (1, 2, 3)}
    assert by_layer == {1: 40, 2: 40, 3: 8000}
    assert_close(
        ds.outputs.values[7, 9], changed(net, w3_0_0=ds.w3_0_0.values[9])([ds.x0.values[7], 0])
    )


def test_the_sparse_and_the_dense_network_agree(rng):
    from scipy import sparse

    dense = cn.Network.random([4, 3, 2], seed=1)
    first = np.where(rng.random((3, 4)) < 0.6, dense.layers[0].weights, 0.0)
    dense = dataclasses.replace(
        dense, layers=(dataclasses.replace(dense.layers[0], weights=first), dense.layers[1])
    )
    thin = dataclasses.replace(dense.layers[0], weights=sparse.csr_array(first))
    net = dataclasses.replace(dense, layers=(thin, dense.layers[1]))
    j, i = (int(k) for k in np.argwhere(first)[2])
    vary = [{f"w1_{j}_{i}": [-1.0, 0.5], "h": [1e-3, 0.1]}, {"speed": [2.0]}]
    x = rng.uniform(0, 1, (3, 4))
    assert_close(cn.scan(net, vary, x=x).outputs.values, cn.scan(dense, vary, x=x).outputs.values)


def test_a_scan_is_in_the_units_of_its_reactions():
    def meeting(a, b, rate):
        text = f"A + B => C; rate*A*B; species A = {a}, B = {b}, C = 0; rate = {rate}"
        return cn.import_antimony(f"model ab; {text}; end")

    units = cn.PhysicalUnits(c0=10.0, tau=100.0)
    kept = {"vary": {"rate": [1e-4, 5e-4], "A": [20.0]}, "at": [0.0, 50.0], "outputs": "C"}
    in_tube = units.of(meeting(2, 1, 0.5))
    ds = cn.scan(in_tube, **kept)
    found = [ds[name].attrs["units"] for name in ("rate", "A", "time", "C")]
    assert found == ["/nM/s", "nM", "s", "nM"]
    # the same numbers in other units are another scan
    plain = meeting(20, 10, 5e-4)
    assert plain.start_values == in_tube.start_values
    other = cn.scan(plain, **kept)
    np.testing.assert_array_equal(ds.C, other.C)
    assert other.time.attrs["units"] == "model units"
    assert ds.attrs["model_hash"] != other.attrs["model_hash"]


def test_networks_that_follow_differently_are_told_apart():
    """The same numbers, by other formulas: a file of one is no result of the other."""
    texts = [f"-> A; {k}; A -> ; A; p = 2; q = 2; B -> ; {k}*B" for k in ("3*p", "3*q")]
    keys = {make_plan(cn.import_antimony(text), {"A": [0.0]}).key for text in texts}
    bare = [cn.import_antimony(text).with_numbers() for text in texts]
    assert len(keys) == 2
    assert bare[0] == bare[1]
