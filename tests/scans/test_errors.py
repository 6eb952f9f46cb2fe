"""What cannot be varied, kept, run or read back is refused."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from scipy import stats
from support.scans import REVERSIBLE, XOR

import crn_nn_tellurium as cn


def written(name, write):
    path = Path(name)
    write(path)
    return path


DECAY = cn.import_antimony("-> A; h; A -> ; d*A; h = 1; d = 1")
NAMED_SAMPLE = cn.Network([cn.Layer([[1.0, 1.0]])], input_names=["sample", "x1"])
OF_WORDS = cn.Network(
    [cn.Layer([[1.0]], activation=cn.Sigmoid(h=0.1))], class_names=["low", "high"]
)

REFUSED = [
    # noise
    (
        lambda: cn.scan(XOR, {"x0": [1]}, outputs="standard_deviation"),
        cn.InputError,
        r"how many molecules there are; expected StandardDeviation\(volume=1000\)",
    ),
    (lambda: cn.StandardDeviation(-1), cn.InputError, "volume is -1"),
    (
        lambda: cn.scan(XOR, {"x0": [1]}, outputs=cn.StandardDeviation(10), at=3),
        cn.InputError,
        "'standard_deviation' is of steady states; leave at= out",
    ),
    (
        lambda: cn.scan(DECAY, {"d": [1]}, outputs=cn.StandardDeviation(10), at=3),
        cn.InputError,
        "'standard_deviation' is of steady states; leave at= out",
    ),
    (
        lambda: cn.scan("-> A; h; h = 1", {"h": [1]}, outputs=cn.StandardDeviation(10)),
        cn.InputError,
        r"is of reactions, and a text is roadrunner's; give import_antimony\(text\)",
    ),
    (
        lambda: cn.scan(XOR, {"speed": [1]}, outputs=cn.ClassProbability(10)),
        cn.InputError,
        "along 'speed' rate constants change so that no network has them",
    ),
    (
        lambda: cn.scan(DECAY, {"d": [1]}, outputs=cn.ClassProbability(10)),
        cn.InputError,
        "'class_probability' is of neural networks",
    ),
    (
        lambda: cn.scan(
            cn.Network([cn.Layer([[1.0]])], task="regression"),
            {"x0": [1]},
            outputs=cn.ClassProbability(10),
        ),
        cn.NetworkError,
        "'class_probability': network 'network' is for regression",
    ),
    (
        lambda: cn.scan(XOR, {"x1": [1]}, x=[0, 1], y=7, outputs=cn.ClassProbability(10)),
        cn.InputError,
        "y holds 7; expected the network's classes",
    ),
    # what is varied, kept and run
    (lambda: cn.scan(XOR, {}), cn.InputError, "nothing to vary"),
    (lambda: cn.scan(XOR, {"x9": [1]}), cn.InputError, r"no 'x9'.*near it: x1, x0"),
    (lambda: cn.scan(XOR, {"w1_0": [1]}), cn.InputError, "near it: w1_"),
    (
        lambda: cn.scan(XOR, {"rates": [1]}),
        cn.InputError,
        "the factor on all rate constants is 'speed'",
    ),
    (lambda: cn.scan(XOR, {"x0": []}), cn.InputError, "not empty"),
    (lambda: cn.scan(XOR, {"x0": 3}), cn.InputError, "expected a list of numbers"),
    (lambda: cn.scan(XOR, {"x0": ["a"]}), cn.InputError, "expected a list of numbers"),
    (lambda: cn.scan(XOR, {"x0": [np.nan]}), cn.InputError, "expected finite numbers"),
    (lambda: cn.scan(XOR, {"x0": [-1]}), cn.InputError, "a concentration is not negative"),
    (lambda: cn.scan(XOR, {"h": [0.0]}), cn.InputError, "expected numbers > 0"),
    (lambda: cn.scan(XOR, {"h": [[1, 2, 3]]}), cn.InputError, "2 numbers, one per layer"),
    (
        lambda: cn.scan(XOR, {"h": [1], "h1": [1]}),
        cn.InputError,
        "'h' of all layers is varied, and that of one layer",
    ),
    (lambda: cn.scan(XOR, {"Y1_0": [-1]}, at=1.0), cn.InputError, "expected concentrations >= 0"),
    (lambda: cn.scan(XOR, {"cv": [0.1]}), cn.InputError, "'cv' is varied by itself; lognormal"),
    (
        lambda: cn.scan(XOR, {"draw": [0.0, 1.0]}),
        cn.InputError,
        "'draw' is varied by itself; lognormal",
    ),
    (lambda: cn.scan(XOR, {"draw": [0.5], "cv": [0.1]}), cn.InputError, "what lognormal"),
    (lambda: cn.scan(XOR, {"cv": [-0.1], "draw": [0.0]}), cn.InputError, "what lognormal"),
    (lambda: cn.scan(XOR, {"x0": ["0.5"]}), cn.InputError, "expected a list of numbers"),
    (lambda: cn.scan(XOR, {"x0": [True]}), cn.InputError, "expected a list of numbers"),
    (
        lambda: cn.scan(XOR, {"x0": [1]}, outputs={"output": "outputs"}),
        cn.InputError,
        "nothing can be kept as 'output'",
    ),
    (
        lambda: cn.scan(XOR, {"x0": [1]}, outputs={"status": "class"}),
        cn.InputError,
        "nothing can be kept as 'status'",
    ),
    (
        lambda: cn.scan(XOR, {"x0": [1]}, outputs={"": "class"}),
        cn.InputError,
        "nothing can be kept as ''",
    ),
    (
        lambda: cn.scan(XOR, {"x0": [1]}, outputs={3: "class"}),
        cn.InputError,
        "nothing can be kept as 3",
    ),
    (
        lambda: cn.scan(XOR, {"x0": [1], "x1": [1]}, outputs={"x1": "class"}),
        cn.InputError,
        "varied and kept",
    ),
    (
        lambda: cn.scan(XOR, cn.paired({"x0": [1]}, dim="x1"), x=[[0, 1]]),
        cn.InputError,
        "dim= renames the dimension",
    ),
    (lambda: cn.scan(XOR, {"output": [1]}), cn.InputError, "cannot be called 'output'"),
    (lambda: cn.scan(XOR, [{"x0": [1]}, {"x0": [2]}]), cn.InputError, "'x0' is varied twice"),
    (lambda: cn.scan(XOR, "x0"), cn.InputError, "expected values by name"),
    (lambda: cn.scan(XOR, {3: [1]}), cn.InputError, "3 is no name"),
    (lambda: cn.scan(XOR, {"x0": [1]}, x=[1, 2, 3]), cn.InputError, "shape"),
    (lambda: cn.scan(XOR, {"x0": [1]}, at=[2, 1]), cn.InputError, "expected rising times"),
    (lambda: cn.scan(XOR, {"x0": [1]}, at="soon"), cn.InputError, "at is 'soon'"),
    (lambda: cn.scan(XOR, {"x0": [1]}, at={"x1": 0}), cn.InputError, r"go to x="),
    (
        lambda: cn.scan(XOR, {"x0": [1]}, outputs="z"),
        cn.InputError,
        "no 'z' to keep; expected one of outputs",
    ),
    (lambda: cn.scan(XOR, {"x0": [1]}, outputs=[]), cn.InputError, "one thing to keep"),
    (
        lambda: cn.scan(XOR, {"x0": [1]}, outputs=[lambda r: 0]),
        cn.InputError,
        "give {'name': function}",
    ),
    (
        lambda: cn.scan(XOR, {"x0": [1]}, outputs={"bad": lambda r: "text"}),
        cn.InputError,
        "returns a number",
    ),
    (lambda: cn.scan(XOR, {"x0": [1]}, outputs="loss"), cn.InputError, "needs targets"),
    (
        lambda: cn.scan(XOR, {"x0": [1]}, outputs="accuracy", x=[[0, 1]], y=["no"]),
        cn.InputError,
        "network's classes",
    ),
    (
        lambda: cn.scan(XOR, {"speed": [1]}, outputs="settling_time"),
        cn.InputError,
        "no network has them",
    ),
    (
        lambda: cn.scan(XOR, {"x0": [1]}, outputs="settling_time", at=1.0),
        cn.InputError,
        "of steady states",
    ),
    (lambda: cn.scan(XOR, {"Y1_0": [1]}, at=1.0, outputs="Y1_0"), cn.InputError, "varied and kept"),
    (lambda: cn.scan(XOR, {"x0": [1]}, on_error="stop"), cn.InputError, "on_error is 'stop'"),
    (
        lambda: cn.scan(XOR, {"x0": [1]}, executor="many"),
        cn.InputError,
        "executor is 'many'; expected a number of processes",
    ),
    (
        lambda: cn.scan(XOR, {"x0": [1]}, path="out.csv"),
        cn.InputError,
        "expected an ending of .nc or .zarr",
    ),
    (
        lambda: cn.scan(XOR, {"x0": [0.0]}, outputs={"f": lambda r: None}),
        cn.InputError,
        "f returns nothing; a function is given",
    ),
    (
        lambda: cn.scan(XOR, {"x0": [0.0]}, outputs={"f": lambda r: []}),
        cn.InputError,
        "f returns an empty array; a function is given",
    ),
    # designs
    (lambda: cn.Axis("point", {}), cn.InputError, "an Axis takes lists by name"),
    (
        lambda: cn.Axis("point", {"x0": []}),
        cn.InputError,
        "'x0': values have shape .*expected a list of numbers, not empty",
    ),
    (
        lambda: cn.Axis("point", {"x0": [1], "x1": [1, 2]}),
        cn.InputError,
        "differ in length: x0 has 1, x1 has 2",
    ),
    (
        lambda: cn.Axis("point", {3: [1]}),
        cn.InputError,
        "3 is no name; expected a parameter, input or species",
    ),
    (
        lambda: cn.Axis("point", {"x0": ["a"]}),
        cn.InputError,
        r"'x0': values are \['a'\]; expected a list of numbers",
    ),
    (lambda: cn.Axis("output", {"x0": [1.0]}), cn.InputError, "cannot be called 'output'"),
    (
        lambda: cn.paired({"a": [1, 2], "b": [1]}),
        cn.InputError,
        "differ in length: a has 2, b has 1",
    ),
    (lambda: cn.sobol({"x0": (0, 1)}, 100), cn.InputError, "power of two: 128"),
    *(
        (lambda span=span: cn.latin_hypercube({"x0": span}, 4), cn.InputError, "its range is")
        for span in ((1, 0), (0, 1, "log"), (0,), "ab", (0, np.inf))
    ),
    (lambda: cn.lognormal(-0.1), cn.InputError, "coefficients of variation >= 0"),
    *(
        (
            lambda arguments=arguments: cn.lognormal(*arguments),
            cn.InputError,
            "expected a whole number",
        )
        for arguments in ((0.1, 0), (0.1, 1.5), (0.1, 2, -1))
    ),
    # refining
    (lambda: cn.refine(XOR, {}, n=40), cn.InputError, "one to four"),
    (lambda: cn.refine(XOR, {"x0": (1, 0)}, n=40), cn.InputError, "its range is"),
    (lambda: cn.refine(XOR, {"x0": (0, 1)}, n=2), cn.InputError, "3 or more"),
    (lambda: cn.refine(XOR, {"x0": (0, 1)}, n=40, limit="high"), cn.InputError, "limit is 'high'"),
    (
        lambda: cn.refine(XOR, {"x0": (0, 1)}, n=40, outputs="species"),
        cn.InputError,
        "refine looks at one",
    ),
    (
        lambda: cn.refine(XOR, {"x0": (0, 1)}, n=40, outputs="outputs"),
        cn.InputError,
        "limit= says where",
    ),
    (lambda: cn.refine(XOR, {"z": (0, 1)}, n=40), cn.InputError, "has no 'z'"),
    # other models
    (lambda: cn.scan(REVERSIBLE, {"k9": [1]}), cn.InputError, "near it: k2, k1"),
    (lambda: cn.scan(REVERSIBLE, {"total": [1]}), cn.InputError, "a rule sets it"),
    (
        lambda: cn.scan(REVERSIBLE, {"speed": [1]}),
        cn.InputError,
        "need a Network or a ReactionNetwork",
    ),
    (lambda: cn.scan(REVERSIBLE, {"A": [-1]}), cn.InputError, ">= 0"),
    (lambda: cn.scan(REVERSIBLE, {"k1": [1]}, outputs="loss"), cn.InputError, "of neural networks"),
    (lambda: cn.scan(REVERSIBLE, {"k1": [1]}, outputs="C"), cn.InputError, "no 'C' to keep"),
    (
        lambda: cn.scan(REVERSIBLE, {"k1": [1]}, x=[1]),
        cn.InputError,
        "vary boundary species by name",
    ),
    (
        lambda: cn.scan(cn.to_reactions(cn.load_model("moons")), {"fuel": [1]}),
        cn.InputError,
        "no one meaning",
    ),
    (lambda: cn.scan("model m(", {"k": [1]}), cn.ReactionError, "libAntimony refuses"),
    (lambda: cn.scan(3, {"k": [1]}), cn.NetworkError, "takes a Network"),
    (lambda: cn.scan("xor", {"k": [1.0]}), cn.NetworkError, r"load_model\('xor'\)"),
    (
        lambda: cn.scan("switch.ant", {"k": [1.0]}),
        FileNotFoundError,
        "there is no such file",
    ),
    (
        lambda: cn.scan(cn.to_roadrunner(XOR), {"x0": [1.0]}),
        cn.NetworkError,
        r"got ChemistryRunner; r.getCurrentSBML\(\)",
    ),
    (
        lambda: cn.scan(
            "model m() compartment C = 2; species A in C; A = 4; A -> ; k*A; k = 1; end",
            {"C": [1.0]},
        ),
        cn.InputError,
        "'C' is a compartment, whose size cannot be varied by itself; write C = C_0 in the text",
    ),
    (
        lambda: cn.scan("model m() n = 2; A -> n B; A; A = 1; end", {"n": [-1.0]}, at=1.0),
        cn.InputError,
        r"'n': -1\.0 among its values; expected numbers >= 0",
    ),
    (
        lambda: cn.scan(
            cn.import_antimony("n = 2*q; q = 1; A -> n B; A; A = 1"), {"q": [1.0]}, at=1.0
        ),
        cn.InputError,
        r"no number 'q' to vary \(of an imported model, .* scan its Antimony text\)",
    ),
    (
        lambda: cn.scan(
            "model m() p' = -p; p = 1; => A; p; A => ; A; A = 0; k = 1; end", {"k": [1.0]}
        ),
        cn.InputError,
        "a rate rule .of 'p'.*give times in at=",
    ),
    (
        lambda: cn.scan(
            "model m() => A; k; A => ; A; k = 1; E: at (time > 1): k = 2; end", {"k": [1.0]}
        ),
        cn.InputError,
        "events.*give times in at=",
    ),
    (
        lambda: cn.scan(
            "model m() species A; A := 2*k; k = 1; => B; A; B => ; B; end", {"k": [1.0]}
        ),
        cn.InputError,
        "species 'A' is set by a rule",
    ),
    # files
    (
        lambda: cn.scan(XOR, {"x0": [0.0]}, path="none/a.nc"),
        FileNotFoundError,
        "there is no folder",
    ),
    (lambda: cn.open_scan("a.nc"), FileNotFoundError, "there is no such file"),
    (
        lambda: cn.open_scan(written("a.nc", lambda path: path.write_bytes(b"no"))),
        cn.FileFormatError,
        r"'a.nc': it cannot be read \(",
    ),
    (
        lambda: cn.open_scan(written("b.nc", xr.Dataset({"a": 1}).to_netcdf)),
        cn.FileFormatError,
        "is no scan's result",
    ),
    # arguments of another kind
    *(
        (
            lambda outputs=outputs: cn.scan(XOR, {"x0": [1]}, outputs=outputs),
            cn.InputError,
            "expected names, functions, or a mapping of names to these",
        )
        for outputs in (3, {"class"}, None)
    ),
    *(
        (
            lambda outputs=outputs: cn.scan(XOR, {"x0": [1]}, outputs=outputs),
            cn.InputError,
            "outputs: 3; expected one of outputs, class, .* a species or a function",
        )
        for outputs in ([3], {"three": 3})
    ),
    *(
        (
            lambda x=x: cn.scan(XOR, {"x0": [1]}, x=x),
            cn.InputError,
            r"x has shape .*; expected \(2,\) or \(n_samples, 2\), not empty",
        )
        for x in (np.zeros((0, 2)), np.zeros((1, 1, 2)))
    ),
    *(
        (
            lambda model=model, name=name: cn.scan(model, {name: [[1.0, 2.0]]}),
            cn.InputError,
            f"'{name}': values have shape .1, 2.; expected a list of numbers",
        )
        for model, name in ((DECAY, "d"), (REVERSIBLE, "k1"))
    ),
    (
        lambda: cn.scan(XOR, {"x0": cn.sobol({"x0": (0, 1)}, 4)}),
        cn.InputError,
        r"'x0': Axis\(.*\) is an axis by itself; give a list, \[{...}, point\]",
    ),
    (
        lambda: cn.scan(NAMED_SAMPLE, {"x1": [1]}, x=[[0, 1]]),
        cn.InputError,
        "'sample' would be two things in the result: rename the network's input",
    ),
    (
        lambda: cn.latin_hypercube({"x0": stats.norm(0, -1)}, 4),
        cn.InputError,
        "'x0': the distribution gives values that are not finite numbers",
    ),
    (
        lambda: cn.refine(XOR, {"x0": stats.norm()}, n=40),
        cn.InputError,
        r"'x0': its range is .*; expected \(low, high\) or \(low, high, 'log'\)",
    ),
    (
        lambda: cn.refine(XOR, {"x0": (0, 1)}, n=3, outputs=["outputs", "class"]),
        cn.InputError,
        r"outputs are \['outputs', 'class'\]; refine looks at one thing",
    ),
    (
        lambda: cn.refine(OF_WORDS, {"x0": (0, 1)}, n=3, outputs="class", limit=0.5),
        cn.InputError,
        "limit is 0.5, and 'class' holds classes; leave limit= out",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), REFUSED)
def test_errors_say_what_is_wrong(call, error, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=message):
        call()
