"""Layers and networks: the forward pass, files, names, and what is refused."""

import copy
import json
import pickle
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import sparse
from support.networks import Bump, Swish, corpus

import crn_nn_tellurium as cn
from crn_nn_tellurium.basics.identifiers import RESERVED


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
    with pytest.raises(cn.NetworkError, match="an output is NaN"):
        three.classify([[np.nan, 0, 1]])


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
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(cn.FileFormatError, match="an entry is missing"):
        cn.Network.load(path)


NEED_CLASSES = {
    "classify": lambda net, x: net.classify(net(x)),
    "classes": lambda net, x: net.classes,
    "predict_proba": lambda net, x: net.predict_proba(x),
    "y of classes": lambda net, x: cn.robustness(net, x, [0, 1]),
    "'class'": lambda net, x: cn.scan(net, {"x0": [0.0, 1.0]}, x=x[0], outputs="class"),
    "'accuracy'": lambda net, x: cn.scan(net, {"h": [0.1]}, x=x, y=[0, 1], outputs="accuracy"),
    "certified_margin": lambda net, x: cn.certified_margin(net, x),
    "choose_h": lambda net, x: cn.choose_h(net, x, max_error=0.1, y=[0, 1]),
    "read_out_window": lambda net, x: cn.read_out_window(net, x),
    "labels": lambda net, x: cn.fit(net, x, ["a", "b"], "cross_entropy"),
}


@pytest.mark.parametrize("call", NEED_CLASSES)
def test_what_needs_classes_refuses_a_regression(call):
    x = np.array([[0.5, 1.0], [2.0, 0.0]])
    with pytest.raises(cn.NetworkError, match=r"is for regression.*task='classification'"):
        NEED_CLASSES[call](regression(output=cn.Linear(h=0.01)), x)


def test_values_of_a_regression_can_be_read_in_dna():
    found = cn.read_out_window(regression(), [[0.5, 1.0]], tolerance=0.2, n_points=101)
    assert found.share == 1.0


def test_probabilities_are_outputs_that_are_shares():
    x = [[0.2, 0.1], [0.8, 3.0]]
    shares = cn.Network.random([2, 3], cn.Normalized(h=0.1), seed=0)
    assert np.array_equal(shares.predict_proba(x), shares(x))
    one = cn.Network.random([2, 1], cn.Sigmoid(h=0.1), seed=0)
    assert np.array_equal(one.predict_proba(x)[:, 1:], one(x))
    np.testing.assert_allclose(one.predict_proba(x).sum(axis=1), 1.0, rtol=1e-15)
    assert one.predict_proba(x[0]).shape == (2,)
    assert np.array_equal(one.predict_proba(x).argmax(axis=1), one.predict(x))
    for sizes, last in (([2, 2], cn.Sigmoid()), ([2, 1], cn.Normalized()), ([2, 3], cn.Linear())):
        with pytest.raises(cn.NetworkError, match="no probabilities; expected a last layer"):
            cn.Network.random(sizes, last, seed=0).predict_proba(x)


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


def test_an_activation_of_ones_own_must_be_given(tmp_path):
    cn.Network([cn.Layer([[1.0]], activation=Swish(h=0.1))]).save(tmp_path / "own.json")
    with pytest.raises(cn.FileFormatError, match=r"activations=\{'Swish': its class\}"):
        cn.Network.load(tmp_path / "own.json")
    with pytest.raises(cn.FileFormatError, match="does not take the saved parameters"):
        cn.Network.load(tmp_path / "own.json", activations={"Swish": lambda slope: None})


def test_an_activation_that_a_file_cannot_hold_is_refused(tmp_path):
    @dataclass(frozen=True)
    class SmoothedReLU(cn.Activation):
        rails = (cn.Rail("Y"),)
        read_out = cn.ReadOut((("Y", 2.0),))

    @dataclass(frozen=True)
    class Knots(cn.Activation):
        knots: tuple = (1.0, 2.0)
        rails = (cn.Rail("Y"),)
        read_out = cn.ReadOut((("Y", 2.0),))

    for kind, message in (
        (SmoothedReLU, "has a built-in one's name"),
        (Knots, "a file keeps numbers and strings"),
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
    with pytest.raises(cn.FileFormatError, match="is for arrays"):
        large.save(tmp_path / "big.npz")
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


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(format="something"), "format is 'something'"),
        (lambda d: d.update(format_version=99), "format version 99"),
        (lambda d: d.pop("layers"), "an entry is missing"),
        (lambda d: d["layers"][0].pop("bias"), "an entry is missing"),
        (lambda d: d["layers"][0].update(weights=[[1.0]]), "expected"),
        (
            lambda d: d["layers"][0].update(weights={"npz": "../../etc/passwd"}),
            "an array is not as it was saved",
        ),
        (lambda d: d.update(arrays={"file": "../net.npz"}), "expected a file beside it"),
        (lambda d: d.update(layers=5), "not as saved"),
        (lambda d: d["layers"][0].update(activation="SmoothedReLU"), "not as saved"),
        (lambda d: d["layers"][0]["activation"]["parameters"].update(h=-1), "h is -1.0"),
        (lambda d: d.update(input_names=["a; b = 3", "c"]), "expected letters"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, change, message):
    path = tmp_path / "net.json"
    cn.Network.random([2, 2, 1], seed=0).save(path)
    document = json.loads(path.read_text(encoding="utf-8"))
    change(document)
    path.write_text(json.dumps(document))
    with pytest.raises(cn.FileFormatError, match=message):
        cn.Network.load(path)


@pytest.mark.parametrize("content", [b"", b"{", b"[1, 2]", b"\xff\xfe\x00", b"null"])
def test_what_is_not_a_network_is_refused(tmp_path, content):
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(cn.FileFormatError, match=r"x\.json"):
        cn.Network.load(tmp_path / "x.json")


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path):
    net = cn.Network.random([2, 2, 1], seed=0)
    with pytest.raises(OSError, match="there is no folder"):
        net.save(tmp_path / "nowhere" / "net.json")
    (tmp_path / "taken.json").mkdir()
    with pytest.raises(OSError, match="taken"):
        net.save(tmp_path / "taken.json")
    assert [p.name for p in tmp_path.iterdir()] == ["taken.json"]


# What is refused ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: cn.Layer([1.0, 2.0]), r"weights have shape \(2,\)"),
        (lambda: cn.Layer(np.empty((0, 2))), "neither of them 0"),
        (lambda: cn.Layer([[1.0, np.nan]]), r"weights\[0, 1\] is nan"),
        (lambda: cn.Layer([["a"]]), "cannot be read as numbers"),
        (lambda: cn.Layer([[1.0]], [1.0, 2.0]), r"bias has shape \(2,\); expected \(1,\)"),
        (lambda: cn.Layer([[1.0]], activation="relu"), "expected an Activation"),
        (lambda: cn.Network([]), "without layers"),
        (lambda: cn.Network([5]), "expected a Layer"),
        (
            lambda: cn.Network([cn.Layer(np.ones((5, 2))), cn.Layer(np.ones((3, 4)))]),
            (
                r"layer 'layer2': weights are \(3, 4\); expected \(3, 5\) to match the 5 outputs of"
                r" layer1"
            ),
        ),
        (
            lambda: cn.Network([cn.Layer([[1.0]], inputs="layer2"), cn.Layer([[1.0]])]),
            "reads 'layer2'",
        ),
        (
            lambda: cn.Network([cn.Layer([[1.0]], name="a"), cn.Layer([[1.0]], name="a")]),
            "which is taken",
        ),
        (
            lambda: cn.Network([cn.Layer([[1.0]]), cn.Layer([[1.0]], inputs="input")]),
            "no layer reads 'layer1'",
        ),
        (lambda: cn.Network([cn.Layer([[1.0]])], input_names=["a", "b"]), "expected 1 names"),
        (lambda: cn.Network([cn.Layer([[1.0]])], class_names=["a"]), "expected 2 labels"),
        (
            lambda: cn.Network([cn.Layer([[1.0]])], class_names=["a", 1]),
            "all strings or all whole numbers",
        ),
        (lambda: cn.Network([cn.Layer([[1.0]])], class_names=["a", "a"]), "different labels"),
        (lambda: cn.Network([cn.Layer([[1.0]])], task="ranking"), "task is 'ranking'"),
        (
            lambda: cn.Network([cn.Layer([[1.0]])], class_names=[0, 1], task="regression"),
            "task is 'regression', which has no classes",
        ),
        (lambda: cn.Network.random([3]), "at least two whole numbers"),
        (lambda: cn.Network.random([3, 2], density=0), "density is 0"),
        (lambda: cn.Network.random(3), "sizes are 3"),
        (lambda: cn.Network.random([3, 2]).with_h([1, 2, 3]), "expected one number, or 1"),
        (lambda: cn.Network(cn.Layer([[1.0]])), "expected a list of Layers"),
        (lambda: cn.Network(None), "expected a list of Layers"),
        (lambda: cn.Layer([[1.0]], inputs=5), "inputs are 5"),
        (lambda: cn.Layer([[1.0j]]), "complex numbers"),
        (lambda: cn.Network([cn.Layer([[1.0]])], class_names=5), "expected a list of labels"),
        (lambda: cn.Network([cn.Layer([[1.0]])], input_names=5), "expected 1 names"),
        (lambda: cn.Network([cn.Layer([[1.0]])]).classify([[0.1, 0.2]]), r"expected \(..., 1\)"),
        (lambda: cn.Simulator("xor"), "takes a Network; got str"),
    ],
)
def test_parts_that_do_not_fit_are_refused(build, message):
    with pytest.raises(cn.NetworkError, match=message):
        build()


HOSTILE = [
    "a b", "1a", "", "a;b=3", 'a"', "a\nb", "$a", "é", "a.b", "a-b", "_V", "x\0", "=>", "//",
    "model", "TIME", "xor", "comp", "nM", None, 5,
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE, ids=repr)
@pytest.mark.parametrize("where", ["input_names", "output_names", "name"])
def test_nothing_in_a_name_can_become_antimony(name, where):
    value = name if where == "name" else [name]
    with pytest.raises(cn.IdentifierError, match="name"):
        cn.Network([cn.Layer([[1.0]])], **{where: value})


@pytest.mark.parametrize(
    "label", ['a"; J: => Y; 5', "a\nb", "back\\slash", "", "  ", "bell\a"], ids=repr
)
def test_nothing_in_a_class_name_can_become_antimony(label):
    with pytest.raises(cn.IdentifierError, match="class name"):
        cn.Network([cn.Layer([[1.0]])], class_names=[label, "b"])


def test_names_are_told_apart():
    with pytest.raises(cn.IdentifierError, match="used twice"):
        cn.Network([cn.Layer([[1.0, 1.0]])], input_names=["a", "a"])
    with pytest.raises(cn.IdentifierError, match="an input has the same name"):
        cn.Network([cn.Layer([[1.0]])], input_names=["a"], output_names=["a"])
    for name in ("h1", "Y1_0", "w1_0_0", "k1_0_0", "ub1_0", "Jq1_0_Y", "v1_0"):
        net = cn.Network([cn.Layer([[1.0]], [1.0])], input_names=[name])
        with pytest.raises(cn.IdentifierError, match=f"input name '{name}': also the identifier"):
            cn.to_reactions(net)
    with pytest.raises(cn.IdentifierError, match="input name 'x0_p'"):
        cn.to_reactions(
            cn.Network([cn.Layer([[1.0, 1.0]])], inputs="signed", input_names=["x0", "x0_p"])
        )
    with pytest.raises(cn.IdentifierError, match="network name 'Y1_0'"):
        cn.to_reactions(cn.Network([cn.Layer([[1.0]])], name="Y1_0"))


@pytest.mark.parametrize("word", sorted(RESERVED))
def test_every_reserved_word_is_refused_in_any_case(word):
    for spelling in (word, word.upper()):
        with pytest.raises(cn.IdentifierError):
            cn.Network([cn.Layer([[1.0]])], input_names=[spelling])
