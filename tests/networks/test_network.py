"""Layers and networks: the forward pass, files, names, and what is refused."""

import copy
import json
import pickle
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import sparse
from support.networks import Bump, Swish, corpus
from support.tolerances import LAST_DIGIT

import crn_nn_tellurium as cn


def test_forward_pass_is_the_formula(rng):
    w1, b1, w2, b2 = (
        rng.normal(size=(4, 3)),
        rng.normal(size=4),
        rng.normal(size=(2, 4)),
        rng.normal(size=2),
    )
    net = cn.Network(
        [cn.Layer(w1, b1, cn.SmoothedReLU(h=0.1)), cn.Layer(w2, b2, cn.Linear(h=0.2))],
        inputs="signed",
    )
    x = rng.normal(size=(5, 3))
    z = x @ w1.T + b1
    np.testing.assert_allclose(net(x), (z + np.sqrt(z**2 + 0.4)) / 2 @ w2.T + b2)
    np.testing.assert_allclose(net(x[0]), net(x)[0])
    assert net(x[None]).shape == (1, 5, 2)


def test_a_layer_reads_any_earlier_ones(rng):
    w1, w2 = rng.normal(size=(2, 3)), rng.normal(size=(1, 5))
    net = cn.Network(
        [
            cn.Layer(w1, activation=cn.Tanh(h=0.1), name="a"),
            cn.Layer(w2, activation=cn.Linear(), inputs=("a", "input")),
        ],
        inputs="signed",
    )
    x = rng.normal(size=3)
    np.testing.assert_allclose(net(x), w2 @ np.concatenate([cn.Tanh(h=0.1)(w1 @ x), x]))


def test_sparse_and_dense_weights_are_the_same_network(rng):
    dense = rng.normal(size=(4, 6)) * (rng.random((4, 6)) < 0.5)
    x = rng.random((3, 6))
    nets = [
        cn.Network([cn.Layer(w, np.ones(4))])
        for w in (dense, sparse.csr_array(dense), sparse.coo_matrix(dense))
    ]
    for net in nets[1:]:
        np.testing.assert_allclose(net(x), nets[0](x))
        assert net.n_weights == np.count_nonzero(dense)
        assert cn.to_reactions(net) == cn.to_reactions(nets[0])


def test_small_integers_in_one_place_of_sparse_weights_add_up():
    entries = np.array([100, 100, -7], dtype=np.int8), ([0, 0, 0], [1, 1, 0])
    layer = cn.Layer(sparse.coo_array(entries, shape=(1, 2)))
    np.testing.assert_array_equal(layer.weights.toarray(), [[-7.0, 200.0]])


def test_random_networks_follow_the_seed():
    assert cn.Network.random([3, 4, 2], seed=1) == cn.Network.random([3, 4, 2], seed=1)
    assert cn.Network.random([3, 4, 2], seed=1) != cn.Network.random([3, 4, 2], seed=2)
    assert 0 < cn.Network.random([30, 40], seed=1, density=0.1).n_weights < 250


def test_networks_cannot_be_changed_in_place():
    net = cn.Network.random([2, 2], seed=0)
    with pytest.raises(ValueError, match="read-only"):
        net.layers[0].weights[0, 0] = 1.0
    with pytest.raises(AttributeError):
        net.name = "other"
    for again in (pickle.loads(pickle.dumps(net)), copy.deepcopy(net)):
        assert again == net
        assert not again.layers[0].weights.flags.writeable


def test_a_layer_keeps_its_own_copy():
    weights = np.ones((1, 2))
    layer = cn.Layer(weights)
    weights[0, 0] = 5
    assert layer.weights[0, 0] == 1


# Classes ------------------------------------------------------------------------------------------


def test_predict_gives_labels():
    one = cn.Network([cn.Layer([[1.0]], activation=cn.Linear())], class_names=["low", "high"])
    assert one.predict([[0.2], [0.8]]).tolist() == ["low", "high"]
    tanh = cn.Network(
        [cn.Layer([[1.0]], activation=cn.Tanh())], inputs="signed", class_names=[-1, 1]
    )
    assert tanh.predict([[-0.1], [0.1]]).tolist() == [-1, 1]
    three = cn.Network([cn.Layer(np.eye(3), activation=cn.Normalized())])
    assert three.predict([[0, 1, 0], [0, 0, 2]]).tolist() == [1, 2]


def regression(n_out=1, **options):
    return cn.Network.random([2, 3, n_out], seed=0, task="regression", **options)


def test_a_regression_predicts_its_outputs(tmp_path):
    net, x = regression(2), [[0.5, 1.0], [2.0, 0.0]]
    assert np.array_equal(net.predict(x), net(x))
    assert "regression" in repr(net)
    assert net != cn.Network.random([2, 3, 2], seed=0)
    assert net.with_h(0.1).pruned().task == "regression"
    net.save(tmp_path / "net.json")
    assert cn.Network.load(tmp_path / "net.json") == net


def test_files_without_a_task_classify(tmp_path):
    path, net = tmp_path / "net.json", cn.Network.random([2, 3, 2], seed=0)
    net.save(path)
    document = json.loads(path.read_text(encoding="utf-8"))
    assert (document["format_version"], document.pop("task")) == (2, "classification")
    path.write_text(json.dumps(document | {"format_version": 1}), encoding="utf-8")
    assert cn.Network.load(path) == net


def test_values_of_a_regression_can_be_read_in_dna():
    found = cn.read_out_window(regression(), [[0.5, 1.0]], tolerance=0.2, n_points=101)
    assert found.share == 1.0


def test_probabilities_are_outputs_that_are_shares():
    x = [[0.2, 0.1], [0.8, 3.0]]
    shares = cn.Network.random([2, 3], cn.Normalized(h=0.1), seed=0)
    assert np.array_equal(shares.predict_proba(x), shares(x))
    one = cn.Network.random([2, 1], cn.Sigmoid(h=0.1), seed=0)
    assert np.array_equal(one.predict_proba(x)[:, 1:], one(x))
    np.testing.assert_allclose(one.predict_proba(x).sum(axis=1), 1.0, rtol=LAST_DIGIT)
    assert one.predict_proba(x[0]).shape == (2,)
    assert np.array_equal(one.predict_proba(x).argmax(axis=1), one.predict(x))


# Files --------------------------------------------------------------------------------------------

OWN = {"Swish": Swish, "Bump": Bump}


@pytest.mark.parametrize("case", corpus(), ids=lambda case: case.name)
def test_a_saved_network_comes_back_equal(case, tmp_path):
    case.net.save(tmp_path / "a.json")
    again = cn.Network.load(tmp_path / "a.json", activations=OWN)
    assert again == case.net
    again.save(tmp_path / "b.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


@pytest.mark.parametrize("density", [1.0, 0.2])
def test_big_arrays_lie_beside_the_file_and_equal_networks_give_equal_files(tmp_path, density):
    net = cn.Network.random([300, 60, 3], seed=0, density=density)
    if density < 1:
        net = cn.Network.random([600, 150, 3], seed=0, density=density)
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        net.save(tmp_path / folder / "net.json")
    one, two = tmp_path / "one", tmp_path / "two"
    names = sorted(p.name for p in one.iterdir())
    companion, plain = names
    assert (companion.startswith("net."), companion.endswith(".npz"), plain) == (
        True,
        True,
        "net.json",
    )
    for name in names:
        assert (one / name).read_bytes() == (two / name).read_bytes()
    assert cn.Network.load(one / "net.json") == net
    (one / companion).write_bytes(b"other")
    with pytest.raises(cn.FileFormatError, match="not the arrays"):
        cn.Network.load(one / "net.json")
    (one / companion).unlink()
    with pytest.raises(cn.FileFormatError, match="keep the two together"):
        cn.Network.load(one / "net.json")


def test_an_activation_that_a_file_cannot_hold_is_refused(tmp_path):
    @dataclass(frozen=True)
    class SmoothedReLU(cn.Activation):
        rails = (cn.Rail("Y"),)
        read_out = cn.ReadOut((("Y", 2.0),))

    @dataclass(frozen=True)
    class Knots(cn.Activation):
        knots: tuple = ((1.0, 2.0), (3.0, 4.0))
        rails = (cn.Rail("Y"),)
        read_out = cn.ReadOut((("Y", 2.0),))

    for kind, message in (
        (SmoothedReLU, "has a built-in one's name"),
        (Knots, "a file keeps numbers, strings and tuples of them"),
    ):
        with pytest.raises(cn.NetworkError, match=message):
            cn.Network([cn.Layer([[1.0]], activation=kind())]).save(tmp_path / "a.json")
    assert not list(tmp_path.iterdir())


def test_arrays_follow_their_document(tmp_path):
    small, large, other = (
        cn.Network.random(sizes, seed=0) for sizes in ([2, 1], [300, 60, 1], [400, 50, 1])
    )
    for net in (small, large, other, small):
        net.save(tmp_path / "net.json")
        assert cn.Network.load(tmp_path / "net.json") == net
        assert len(list(tmp_path.iterdir())) == (1 if net is small else 2)
    large.save(tmp_path / "a.v1")
    other.save(tmp_path / "a.v2")
    assert cn.Network.load(tmp_path / "a.v1") == large
    (tmp_path / "taken.json").mkdir()
    before = sorted(tmp_path.iterdir())
    with pytest.raises(OSError, match="it is a folder"):
        large.save(tmp_path / "taken.json")
    assert sorted(tmp_path.iterdir()) == before


def test_equal_networks_give_equal_files_whatever_they_were_made_from(tmp_path):
    zero = [cn.Network([cn.Layer([[value, 1.0]], [-value])]) for value in (0.0, -0.0)]
    wide = sparse.csr_array(np.eye(3))
    wide.indices, wide.indptr = wide.indices.astype(np.int64), wide.indptr.astype(np.int64)
    for a, b in (zero, [cn.Network([cn.Layer(m)]) for m in (sparse.csr_array(np.eye(3)), wide)]):
        assert a == b
        a.save(tmp_path / "a.json")
        b.save(tmp_path / "b.json")
        assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path):
    net = cn.Network.random([2, 2, 1], seed=0)
    with pytest.raises(OSError, match="there is no folder"):
        net.save(tmp_path / "nowhere" / "net.json")
    (tmp_path / "taken.json").mkdir()
    with pytest.raises(OSError, match="taken"):
        net.save(tmp_path / "taken.json")
    assert [p.name for p in tmp_path.iterdir()] == ["taken.json"]


def test_a_network_and_a_layer_are_no_other_thing():
    net = cn.load_model("xor")
    for one in (net, net.layers[0]):
        assert all(one != other for other in (None, "xor", 3, repr(one)))
        assert one.__eq__("xor") is NotImplemented  # so that the other is asked
