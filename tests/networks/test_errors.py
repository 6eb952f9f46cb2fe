"""Layers, networks, activations, names and files that cannot be are refused."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from support.networks import Swish

import crn_nn_tellurium as cn
from crn_nn_tellurium.basics.identifiers import RESERVED

XOR, ONES = cn.load_model("xor"), [1.0, 1.0]
HOSTILE = [
    "a b", "1a", "", "a;b=3", 'a"', "a\nb", "$a", "é", "a.b", "a-b", "_V", "x\0", "=>", "//",
    "model", "TIME", "xor", "comp", "nM", None, 5,
]  # fmt: skip


def random(*sizes, **options):
    return cn.Network.random(list(sizes), seed=0, **options)


REGRESSION = random(2, 3, 1, task="regression", output=cn.Linear(h=0.01))
SAMPLES = np.array([[0.5, 1.0], [2.0, 0.0]])


def own(**attributes):
    """A user's activation with some attributes replaced by wrong ones."""
    content = {"rails": (cn.Rail("Y"),), "read_out": cn.ReadOut((("Y", 1.0),))} | attributes
    return dataclass(frozen=True)(type("Own", (cn.Activation,), content))(h=0.1)


def written(name, content):
    Path(name).write_bytes(content)
    return name


def loaded(change):
    """A network from its file, whose document is changed by hand."""
    random(2, 2, 1).save("net.json")
    document = json.loads(Path("net.json").read_text(encoding="utf-8"))
    change(document)
    return cn.Network.load(written("net.json", json.dumps(document).encode()))


def loaded_own(**options):
    cn.Network([cn.Layer([[1.0]], activation=Swish(h=0.1))]).save("own.json")
    return cn.Network.load("own.json", **options)


REFUSED = [
    # factors
    (lambda: cn.Tanh().rescaled("1"), cn.InputError, "factor is '1'; expected a finite number > 0"),
    (lambda: cn.SmoothedReLU().rescaled(-1), cn.InputError, "factor is -1"),
    (lambda: cn.ClippedReLU().rescaled(None), cn.InputError, "factor is None"),
    (lambda: cn.PiecewiseLinear().rescaled([2.0]), cn.InputError, "factor is"),
    (lambda: cn.Tanh().rescaled(1e308), cn.NetworkError, "h is inf; expected a finite number > 0"),
    # layers and networks
    (lambda: cn.PiecewiseLinear((1.0, 0.0), (0, 1, 2)), cn.NetworkError, "above the one before"),
    (lambda: cn.PiecewiseLinear((0.0,), (1.0,)), cn.NetworkError, "1 knots and 1 slopes; expected"),
    (lambda: cn.PiecewiseLinear((), (1.0,)), cn.NetworkError, "at least one knot"),
    (lambda: cn.PiecewiseLinear(("a",), (0, 1)), cn.NetworkError, "expected a row of numbers"),
    (lambda: cn.PiecewiseLinear(0.0, (0, 1)), cn.NetworkError, "knots are 0.0; expected a row"),
    (lambda: cn.PiecewiseLinear((np.nan,), (0, 1)), cn.NetworkError, "expected finite numbers"),
    (lambda: cn.Layer([1.0, 2.0]), cn.NetworkError, r"weights have shape \(2,\)"),
    (lambda: cn.Layer(np.empty((0, 2))), cn.NetworkError, "neither of them 0"),
    (lambda: cn.Layer([[1.0, np.nan]]), cn.NetworkError, r"weights\[0, 1\] is nan"),
    (lambda: cn.Layer([["a"]]), cn.NetworkError, "cannot be read as numbers"),
    (
        lambda: cn.Layer([[1.0]], [1.0, 2.0]),
        cn.NetworkError,
        r"bias has shape \(2,\); expected \(1,\)",
    ),
    (lambda: cn.Layer([[1.0]], activation="relu"), cn.NetworkError, "expected an Activation"),
    (lambda: cn.Network([]), cn.NetworkError, "without layers"),
    (lambda: cn.Network([5]), cn.NetworkError, "expected a Layer"),
    (
        lambda: cn.Network([cn.Layer(np.ones((5, 2))), cn.Layer(np.ones((3, 4)))]),
        cn.NetworkError,
        r"layer 'layer2': weights are \(3, 4\); expected \(3, 5\) to match the 5 outputs of"
        r" layer1",
    ),
    (
        lambda: cn.Network([cn.Layer([[1.0]], inputs="layer2"), cn.Layer([[1.0]])]),
        cn.NetworkError,
        "reads 'layer2'",
    ),
    (
        lambda: cn.Network([cn.Layer([[1.0]], name="a"), cn.Layer([[1.0]], name="a")]),
        cn.NetworkError,
        "which is taken",
    ),
    (
        lambda: cn.Network([cn.Layer([[1.0]]), cn.Layer([[1.0]], inputs="input")]),
        cn.NetworkError,
        "no layer reads 'layer1'",
    ),
    (
        lambda: cn.Network([cn.Layer([[1.0]])], input_names=["a", "b"]),
        cn.NetworkError,
        "expected 1 names",
    ),
    (
        lambda: cn.Network([cn.Layer([[1.0]])], class_names=["a"]),
        cn.NetworkError,
        "expected 2 labels",
    ),
    (
        lambda: cn.Network([cn.Layer([[1.0]])], class_names=["a", 1]),
        cn.NetworkError,
        "all strings or all whole numbers",
    ),
    (
        lambda: cn.Network([cn.Layer([[1.0]])], class_names=["a", "a"]),
        cn.NetworkError,
        "different labels",
    ),
    (lambda: cn.Network([cn.Layer([[1.0]])], task="ranking"), cn.NetworkError, "task is 'ranking'"),
    (
        lambda: cn.Network([cn.Layer([[1.0]])], class_names=[0, 1], task="regression"),
        cn.NetworkError,
        "task is 'regression', which has no classes",
    ),
    (lambda: cn.Network.random([3]), cn.NetworkError, "at least two whole numbers"),
    (lambda: cn.Network.random([3, 2], density=0), cn.NetworkError, "density is 0"),
    (lambda: cn.Network.random(3), cn.NetworkError, "sizes are 3"),
    (
        lambda: cn.Network.random([3, 2]).with_h([1, 2, 3]),
        cn.NetworkError,
        "expected one number, or 1",
    ),
    (lambda: cn.Network(cn.Layer([[1.0]])), cn.NetworkError, "expected a list of Layers"),
    (lambda: cn.Network(None), cn.NetworkError, "expected a list of Layers"),
    (lambda: cn.Layer([[1.0]], inputs=5), cn.NetworkError, "inputs are 5"),
    (lambda: cn.Layer([[1.0j]]), cn.NetworkError, "complex numbers"),
    (
        lambda: cn.Network([cn.Layer([[1.0]])], class_names=5),
        cn.NetworkError,
        "expected a list of labels",
    ),
    (lambda: cn.Network([cn.Layer([[1.0]])], input_names=5), cn.NetworkError, "expected 1 names"),
    (
        lambda: cn.Network([cn.Layer([[1.0]])]).classify([[0.1, 0.2]]),
        cn.NetworkError,
        r"expected \(..., 1\)",
    ),
    (lambda: cn.Simulator("xor"), cn.NetworkError, "load_model.'xor'. gives it"),
    (
        lambda: cn.Network([cn.Layer([[1.0, 1.0]])], inputs="both"),
        cn.NetworkError,
        "expected one of 'nonnegative'",
    ),
    (
        lambda: cn.Network([cn.Layer([[1.0, 1.0]])], inputs="scaled"),
        cn.NetworkError,
        r"expected \(low, high\)",
    ),
    (
        lambda: cn.Network([cn.Layer([[1.0, 1.0]])], inputs="scaled", input_range=(0, [1, 2, 3])),
        cn.NetworkError,
        "or 2 numbers",
    ),
    (
        lambda: cn.Network([cn.Layer([[1.0, 1.0]])], inputs="scaled", input_range=(1, 1)),
        cn.NetworkError,
        "finite low < high",
    ),
    (
        lambda: cn.Network(
            [cn.Layer([[1.0, 1.0]])], inputs="scaled", input_range=([0, 0], [1, np.inf])
        ),
        cn.NetworkError,
        "input 'x1'",
    ),
    (
        lambda: cn.Network([cn.Layer([[1.0]])], inputs="scaled", input_range=(-1e308, 1e308)),
        cn.NetworkError,
        "and a finite difference",
    ),
    (
        lambda: cn.Network([cn.Layer([[1.0]])], inputs="scaled", input_range=np.array(1.0)),
        cn.NetworkError,
        r"input_range is array\(1\.\); expected \(low, high\)",
    ),
    (lambda: cn.Loss(3, abs), cn.InputError, "loss 'loss': function is 3; expected a callable"),
    (lambda: cn.Loss(abs, abs, both=1), cn.InputError, "both is 1; expected a callable"),
    (lambda: cn.Loss(abs, abs, "labels"), cn.InputError, "expected one of 'values', 'classes'"),
    (
        lambda: cn.Network([cn.Layer([[1.0, 1.0]])], inputs="signed", input_range=(0, 1)),
        cn.NetworkError,
        "goes with inputs='scaled'",
    ),
    # values
    (
        lambda: cn.Network(
            [cn.Layer([[1.0, 1.0]])], inputs="nonnegative"
        ).input_coding.concentrations([[0, 1], [0, -2]]),
        cn.InputError,
        "input 'x1', sample 1: -2.0; a concentration is not negative",
    ),
    (
        lambda: cn.Network(
            [cn.Layer([[1.0, 1.0]])], inputs="scaled", input_range=(0, 1)
        ).input_coding.concentrations([-0.5, 0]),
        cn.InputError,
        "input 'x0': -0.5; its range starts at 0.0",
    ),
    (
        lambda: cn.Network([cn.Layer([[1.0, 1.0]])], inputs="signed").input_coding.concentrations(
            [[0, np.nan]]
        ),
        cn.InputError,
        "expected a finite number",
    ),
    (
        lambda: cn.Network([cn.Layer([[1.0, 1.0]])], inputs="signed").input_coding.concentrations(
            [np.inf, 0]
        ),
        cn.InputError,
        "input 'x0': inf",
    ),
    (
        lambda: cn.Network([cn.Layer([[1.0, 1.0]])], inputs="signed").input_coding.concentrations(
            [1, 2, 3]
        ),
        cn.InputError,
        r"shape \(3,\); expected \(2,\) for one sample or \(n_sam",
    ),
    (
        lambda: cn.Network([cn.Layer([[1.0, 1.0]])], inputs="signed").input_coding.concentrations(
            1.0
        ),
        cn.InputError,
        r"shape \(\)",
    ),
    (
        lambda: cn.Network([cn.Layer([[1.0, 1.0]])], inputs="signed").input_coding.concentrations(
            ["a", "b"]
        ),
        cn.InputError,
        "expected numbers",
    ),
    (lambda: random(2, 1).pruned(-1), cn.InputError, "tolerance is -1"),
    (lambda: random(2, 1).pruned(x=np.zeros((0, 2))), cn.InputError, "one sample or more"),
    (
        lambda: cn.Layer(sparse.csr_array([[1j]])),
        cn.NetworkError,
        "weights are complex128; expected real numbers",
    ),
    (
        lambda: cn.Layer(sparse.csr_array([[0.0, 1.0, 0.0], [0.0, 0.0, np.nan]])),
        cn.NetworkError,
        r"weights\[1, 2\] is nan",
    ),
    # classes
    (
        lambda: cn.Network([cn.Layer(np.eye(3), activation=cn.Normalized())]).classify(
            [[np.nan, 0, 1]]
        ),
        cn.NetworkError,
        "an output is NaN",
    ),
    *(
        (
            lambda sizes=sizes, last=last: random(*sizes, output=last).predict_proba([0.2, 0.1]),
            cn.NetworkError,
            "no probabilities; expected a last layer",
        )
        for sizes, last in (
            ((2, 2), cn.Sigmoid()),
            ((2, 1), cn.Normalized()),
            ((2, 3), cn.Linear()),
        )
    ),
    *(
        (call, cn.NetworkError, r"is for regression.*task='classification'")
        for call in (
            lambda: REGRESSION.classify(REGRESSION(SAMPLES)),
            lambda: REGRESSION.classes,
            lambda: REGRESSION.predict_proba(SAMPLES),
            lambda: cn.robustness(REGRESSION, SAMPLES, [0, 1]),
            lambda: cn.scan(REGRESSION, {"x0": [0.0, 1.0]}, x=SAMPLES[0], outputs="class"),
            lambda: cn.scan(REGRESSION, {"h": [0.1]}, x=SAMPLES, y=[0, 1], outputs="accuracy"),
            lambda: cn.certified_margin(REGRESSION, SAMPLES),
            lambda: cn.choose_h(REGRESSION, SAMPLES, max_error=0.1, y=[0, 1]),
            lambda: cn.read_out_window(REGRESSION, SAMPLES),
            lambda: cn.fit(REGRESSION, SAMPLES, ["a", "b"], "cross_entropy"),
        )
    ),
    # activations
    (lambda: cn.SmoothedReLU(h=0), cn.NetworkError, "h is 0.0"),
    (lambda: cn.SmoothedReLU(h=float("inf")), cn.NetworkError, "expected a finite number > 0"),
    (lambda: cn.SmoothedReLU(h="small"), cn.NetworkError, "h is 'small'"),
    (lambda: cn.LeakyReLU(float("nan")), cn.NetworkError, "slope is nan"),
    (lambda: cn.ClippedReLU(ceiling=-1.0), cn.NetworkError, "ceiling is -1.0"),
    (lambda: cn.HardSigmoid(slope=0.0), cn.NetworkError, "slope is 0.0"),
    (lambda: cn.HardSigmoid(slope=True), cn.NetworkError, "slope is True; expected a number"),
    (lambda: cn.LeakyReLU("a"), cn.NetworkError, "slope is 'a'; expected a number"),
    (lambda: own(rails=(cn.Rail("Y1"),)), cn.NetworkError, "expected letters only"),
    (lambda: own(rails=(cn.Rail("Y"), cn.Rail("Y"))), cn.NetworkError, "each name once"),
    (lambda: own(rails=()), cn.NetworkError, "it has no rails"),
    (
        lambda: own(rails=(cn.Rail("b"),), read_out=cn.ReadOut((("b", 1.0),))),
        cn.NetworkError,
        "names something of ours",
    ),
    (
        lambda: own(read_out=cn.ReadOut((("Y", 1.0), ("Y", 1.0)))),
        cn.NetworkError,
        "expected each species once",
    ),
    (lambda: own(rails=(cn.Rail("Y", 2),)), cn.NetworkError, "has sign 2"),
    (lambda: own(read_out=cn.ReadOut((("Z", 1.0),))), cn.NetworkError, "reads 'Z'"),
    (
        lambda: own(local_reactions=(cn.LocalReaction(("Z",), (), "s"),)),
        cn.NetworkError,
        "reads 'Z'",
    ),
    (
        lambda: own(local_reactions=(cn.LocalReaction(("Y", "Y", "Y"), (), "s"),)),
        cn.NetworkError,
        "above second order",
    ),
    (
        lambda: own(local_reactions=(cn.LocalReaction(("Y",), (), "h"),)),
        cn.NetworkError,
        "names something of ours",
    ),
    (
        lambda: own(local_reactions=(cn.LocalReaction(("*Y",), (), "s"),)),
        cn.NetworkError,
        "can only catalyse",
    ),
    (
        lambda: own(local_reactions=(cn.LocalReaction(("Y",), (), "s"),)),
        cn.NetworkError,
        "must define its own concentrations",
    ),
    # names
    *(
        (
            lambda where=where, value=value: cn.Network([cn.Layer([[1.0]])], **{where: value}),
            cn.IdentifierError,
            "name",
        )
        for name in HOSTILE
        for where, value in (("input_names", [name]), ("output_names", [name]), ("name", name))
    ),
    *(
        (
            lambda label=label: cn.Network([cn.Layer([[1.0]])], class_names=[label, "b"]),
            cn.IdentifierError,
            "class name",
        )
        for label in ('a"; J: => Y; 5', "a\nb", "back\\slash", "", "  ", "bell\a")
    ),
    *(
        (
            lambda word=word: cn.Network([cn.Layer([[1.0]])], input_names=[word]),
            cn.IdentifierError,
            "name",
        )
        for reserved in sorted(RESERVED)
        for word in (reserved, reserved.upper())
    ),
    (
        lambda: cn.Network([cn.Layer([[1.0, 1.0]])], input_names=["a", "a"]),
        cn.IdentifierError,
        "used twice",
    ),
    (
        lambda: cn.Network([cn.Layer([[1.0]])], input_names=["a"], output_names=["a"]),
        cn.IdentifierError,
        "an input has the same name",
    ),
    # where the other kind of name is meant, the error has it
    (
        lambda: cn.scan(cn.to_antimony(XOR, x=ONES), {"w1_0_0": [1.0]}),
        cn.InputError,
        re.escape("'k1_0_0': k = |gain w c|"),
    ),
    (
        lambda: cn.scan(cn.to_antimony(XOR, x=ONES), {"b1_0": [1.0]}),
        cn.InputError,
        re.escape("'kb1_0': kb = |gain"),
    ),
    (
        lambda: cn.scan(XOR, {"k1_0_0": [1.0]}, x=ONES),
        cn.InputError,
        re.escape("'w1_0_0': k = |gain w c|"),
    ),
    (
        lambda: cn.sensitivities(XOR, ONES, parameters=["k1_0_0"]),
        cn.InputError,
        re.escape("'w1_0_0': k = |gain w c|"),
    ),
    (
        lambda: cn.sensitivities(cn.to_reactions(XOR, ONES), parameters=["w1_0_0"]),
        cn.InputError,
        re.escape("'k1_0_0': k = |gain w c|"),
    ),
    (
        lambda: cn.transient_sensitivities(XOR, ONES, parameters=["k1_0_0"]),
        cn.InputError,
        re.escape("'w1_0_0': k = |gain w c|"),
    ),
    (
        lambda: cn.transient_sensitivities(cn.to_reactions(XOR, ONES), parameters=["w1_0_0"]),
        cn.InputError,
        re.escape("'k1_0_0': k = |gain w c|"),
    ),
    # files
    (
        lambda: loaded(lambda d: d.update(format="something")),
        cn.FileFormatError,
        "format is 'something'",
    ),
    (
        lambda: loaded(lambda d: d.update(format_version=99)),
        cn.FileFormatError,
        "format version 99",
    ),
    (lambda: loaded(lambda d: d.pop("layers")), cn.FileFormatError, "an entry is missing"),
    (
        lambda: loaded(lambda d: d["layers"][0].pop("bias")),
        cn.FileFormatError,
        "an entry is missing",
    ),
    (
        lambda: loaded(lambda d: d["layers"][0].update(weights=[[1.0]])),
        cn.FileFormatError,
        "expected",
    ),
    (
        lambda: loaded(lambda d: d["layers"][0].update(weights={"npz": "../../etc/passwd"})),
        cn.FileFormatError,
        "an array is not as it was saved",
    ),
    (
        lambda: loaded(lambda d: d.update(arrays={"file": "../net.npz"})),
        cn.FileFormatError,
        "expected a file beside it",
    ),
    (lambda: loaded(lambda d: d.update(layers=5)), cn.FileFormatError, "not as saved"),
    (
        lambda: loaded(lambda d: d["layers"][0].update(activation="SmoothedReLU")),
        cn.FileFormatError,
        r"layer 'layer1': activation is 'SmoothedReLU'; expected \{name, parameters\}",
    ),
    (
        lambda: loaded(lambda d: d["layers"][0]["activation"]["parameters"].update(h=-1)),
        cn.FileFormatError,
        "h is -1.0",
    ),
    (
        lambda: loaded(lambda d: d.update(input_names=["a; b = 3", "c"])),
        cn.FileFormatError,
        "expected letters",
    ),
    (lambda: loaded(lambda d: d.pop("task")), cn.FileFormatError, "an entry is missing"),
    *(
        (
            lambda content=content: cn.Network.load(written("x.json", content)),
            cn.FileFormatError,
            r"x\.json",
        )
        for content in (b"", b"{", b"[1, 2]", b"\xff\xfe\x00", b"null")
    ),
    (lambda: random(2, 2).save("nowhere/net.json"), OSError, "there is no folder"),
    (lambda: random(300, 60, 1).save("big.npz"), cn.FileFormatError, "is for arrays"),
    (
        loaded_own,
        cn.FileFormatError,
        r"activations=\{'Swish': its class\}",
    ),
    (
        lambda: loaded_own(activations={"Swish": lambda slope: None}),
        cn.FileFormatError,
        "does not take the saved parameters",
    ),
    # columns that two readings of the inputs cannot share
    (
        lambda: cn.Network([cn.Layer([[1.0, 1.0, 2.0]], inputs=("input", "input"))]),
        cn.NetworkError,
        "layer 'layer1': reads the inputs 2 times in 3 columns",
    ),
    (
        lambda: cn.Network([cn.Layer([[1.0]])], inputs="scaled", input_range=np.array([1.0])),
        cn.NetworkError,
        r"input_range is \[1.0\]; expected \(low, high\)",
    ),
    (
        lambda: cn.Network([cn.Layer([[1.0]])], inputs="scaled", input_range=np.array(1.0)),
        cn.NetworkError,
        r"input_range is array\(1.\); expected \(low, high\)",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), REFUSED)
def test_errors_say_what_is_wrong(call, error, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=message):
        call()
