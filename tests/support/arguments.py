"""Every argument of every public function, with whatever it may be given by mistake.

Functions and classes are those of `crn_nn_tellurium.__all__`, methods those of the objects below. A
base call gives each argument without default a good value; then one argument at a time is a bad
one. What has no base call is an error here, so that a new public name is not forgotten, and a
method is either tried or named as one that the package itself calls.
"""

import importlib.util
import inspect
import tempfile
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.neural_network import MLPRegressor

import crn_nn_tellurium as cn

BAD = {
    "None": None,
    "True": True,
    "empty text": "",
    "a word": "no such",
    "a digit": "1",
    "a long text": "x" * 5000,
    "NUL": "a\0b",
    "an emoji": "\N{TEST TUBE}",
    "bytes": b"x",
    "-1": -1,
    "0": 0,
    "1.5": 1.5,
    "NaN": float("nan"),
    "infinity": float("inf"),
    "-infinity": float("-inf"),
    "10**400": 10**400,
    "-10**400": -(10**400),
    "1e308": 1e308,
    "a denormal": 5e-324,
    "complex": 1j,
    "numpy's NaN": np.float64("nan"),
    "numpy's truth": np.bool_(True),
    "a fraction": Fraction(1, 3),
    "a decimal": Decimal("0.1"),
    "a date": np.datetime64("2020-01-01"),
    "[]": [],
    "()": (),
    "{}": {},
    "a set": {1, 2},
    "[None]": [None],
    "[NaN]": [float("nan")],
    "[10**400]": [10**400],
    "['a']": ["a"],
    "ragged": [[1.0], [1.0, 2.0]],
    "nested deeply": [[[[[1.0]]]]],
    "{'a': None}": {"a": None},
    "{1: 2}": {1: 2},
    "no samples": np.zeros((0, 2)),
    "three dimensions": np.zeros((2, 2, 2)),
    "an array of NaN": np.full((1, 2), np.nan),
    "a masked array": np.ma.masked_array([[0.0, 1.0]], [[True, False]]),
    "a complex array": np.array([[1j, 0.0]]),
    "objects": np.array([[object(), None]], dtype=object),
    "texts": np.array([["a", "b"]]),
    "dates": np.array([["2020-01-01", "2020-01-02"]], dtype="datetime64[D]"),
    "records": np.zeros(2, dtype=[("a", float), ("b", int)]),
    "sparse": sparse.csr_array(np.eye(2)),
    "a frame": pd.DataFrame({"q": [1.0], "r": ["a"]}),
    "a path": Path("no/such/file.xyz"),
    "a function": lambda *given: None,
    "a class": int,
    "an object": object(),
    "a generator": (i for i in (1, 2)),
    "slice": slice(None),
    "a layer": cn.Layer([[1.0, 2.0]], [0.0]),
}

# results, which functions of ours make
MADE_BY_US = set(
    """
    Attack Balanced Certificate ChemistryRunner Enclosure FitResult Gradient GradientCheck HChoice
    ImportReport Noise ReadOutWindow Record Robustness Sensitivities SmallestVolume SteadyState
    StrandDisplacement StatisticalMargin TimeCourse TransientSensitivities
    """.split()
)
# abstract, called by IPython, or of packages that may not be there: those have tests of their own
LEFT_OUT = set(
    """
    Activation Optimizer load_ipython_extension as_jax from_keras from_onnx from_petab_sciml
    """.split()
)
if importlib.util.find_spec("torch") is None:
    LEFT_OUT |= {"as_torch", "from_torch"}
METHODS = {
    "Simulator": "steady_state time_course compile",
    "Network": "__call__ classify forward predict predict_proba pruned random save load with_h",
    "ReactionNetwork": """
        rates right_hand_side jacobian boundary_jacobian rate_constant_jacobian balance observe
        initial_state held_state derive starts with_starts in_units
    """,
    "Robustness": "band",
    "Monomial": "derivative",
    "SteadyState": "in_units",
    "TimeCourse": "sample to_frame in_units",
    "Certificate": "in_units",
    "Attack": "ranking",
    "PhysicalUnits": "concentration time hours moment rate_constant of",
    "Interval": "contains",
    "Noise": "at",
    "SmallestVolume": "share of_share",
    "Tanh": "rescaled",
    "Expression": "derivative evaluate",
    "CRNClassifier": "fit predict predict_proba decision_function",
    "CRNRegressor": "fit predict",
    "RateErrors": "of",
}
"""Methods that users call, by class."""
WITHIN = {
    # of numbers alone, in the innermost loops
    cn.Activation: """
        __call__ concentrations derivative drive h_derivative probabilities read read_between
    """,
    cn.Monomial: "evaluate",
    cn.Optimizer: "descend memory",
    cn.Layer: "pre_activation read",
    cn.Network: "need_classes spans width",
    cn.PhysicalUnits: "convert definition identifier name revert text",
    cn.RateErrors: "factors",
    cn.Reaction: "catalytic_sides",
    cn.ClassProbability: "check keep needs_values variable",
    cn.Roadrunner: "model",
    # scikit-learn's
    cn.CRNClassifier: "get_params set_params score set_score_request",
}
"""By class, or one that others are like, what the package calls with what it has checked itself."""
OTHERS = ("ChemistryRunner",)
"""roadrunner's, with the methods of its own."""


def untried() -> list[str]:
    """Methods with arguments of public classes that stand in neither list, for that class or for
    another that it shares a base of ours with, as activations do.
    """
    listed = [(getattr(cn, name), set(names.split())) for name, names in METHODS.items()]
    listed += [(kind, set(names.split())) for kind, names in WITHIN.items()]
    found = []
    for name in sorted(set(cn.__all__) - set(OTHERS)):
        kind = getattr(cn, name)
        if not inspect.isclass(kind) or issubclass(kind, BaseException):
            continue
        known = {m for other, names in listed if _ours(kind) & _ours(other) for m in names}
        for method in dir(kind):
            call = getattr(kind, method)
            public = method == "__call__" or not method.startswith("_")
            if public and callable(call) and set(inspect.signature(call).parameters) - {"self"}:
                found += [] if method in known else [f"{name}.{method}"]
    return found


def _ours(kind: type) -> set[type]:
    return {base for base in kind.__mro__ if base.__module__.startswith(cn.__name__)}


@cache
def good() -> dict[str, Any]:
    """Good values by the argument's name."""
    net = cn.load_model("xor")
    X = np.array([[0.0, 1.0], [1.0, 1.0]])
    crn = cn.ReactionNetwork(
        [cn.Species("A", 1.0), cn.Species("B")], [cn.Reaction("J", ("A",), ("B",), "k", 1.0)]
    )
    units = cn.PhysicalUnits(1e-9, 100.0)
    ab = cn.Expression([cn.Monomial(1.0, (("A", 1.0),))])
    reads = np.array([0.3, 0.7])
    return {
        "net": net,
        "model": net,
        "X": X,
        "x": X,
        "y": np.array([1, 0]),
        "Y": np.array([[1.0], [0.0]]),
        "outputs": np.array([[1.0], [0.0]]),
        "vary": {"x0": [0.0, 1.0]},
        "ranges": {"x0": (0.0, 1.0)},
        "n": 4,
        "cv": 0.1,
        "draws": 2,
        "noise": 0.1,
        "values": {"x0": [0.0, 1.0], "x1": [1.0, 0.0]},
        "path": Path("out.json"),
        "text": "A -> B; k*A; k = 1; A = 1",
        "name": "xor",
        "sizes": [2, 2, 1],
        "h": 0.1,
        "factor": 2.0,
        "layers": [cn.Layer([[1.0, 2.0]], [0.0])],
        "weights": [[1.0, 2.0]],
        "dim": "d",
        "id": "A",
        "value": 1.0,
        "substrates": ("A",),
        "products": ("B",),
        "rate_constant": "k",
        "species": crn.species,
        "reactions": crn.reactions,
        "expression": ab,
        "terms": (cn.Monomial(1.0),),
        "coefficient": 1.0,
        "c0": 1e-9,
        "tau": 100.0,
        "units": units,
        "lower": reads,
        "upper": reads + 0.1,
        "time": 1.0,
        "function": max,
        "derivative": min,
        "upper_bound": 1.0,
        "held_out": 0.5,
        "labels": [1, 0],
        "layer": 1,
        "number": 0,
        "c": 1.0,
        "t": 1.0,
        "k": 1.0,
        "order": 1,
        "concentration": 1.0,
        "symbol": "A",
        "volume": 100.0,
        "share": 0.5,
        "crn": crn,
    }


@cache
def otherwise() -> dict[str, dict[str, Any]]:
    """Where an argument of that name means something else, or is asked for without being required;
    what pictures draw.
    """
    net, X, crn = good()["net"], good()["X"], good()["crn"]
    sample = {"tc": thing("TimeCourse").sample(0)}
    ds = cn.scan(net, {"x0": [0.0, 1.0], "x1": [0.0, 1.0]})
    curve = {"data": ds.outputs.isel(x1=0, output=0)}
    plane = {"data": ds.outputs.isel(output=0)}
    points = cn.scan(net, cn.paired({"x0": [0.0, 1.0], "x1": [1.0, 0.0]}))
    bands = cn.scan(net, [cn.lognormal(0.1, draws=2), {"x1": [0.0, 1.0]}], x=X[:1])
    robust = cn.robustness(net, X, [1, 0], noise=cn.RateErrors(0.1, draws=2))
    mlp = MLPRegressor(hidden_layer_sizes=(2,), solver="lbfgs", max_iter=1000).fit(X, [0.0, 1.0])
    values = {"x": [1.0, 0.0]}
    return {
        "Axis": {"values": {"d": [0.0, 1.0]}},
        "ReadOut": {"terms": (("Y", 1.0),)},
        "Follower": {"name": "M"},
        "Rail": {"name": "Y"},
        "ScanFile": {"path": "out.nc"},
        "LocalReaction": {"products": ("B",), "rate_constant": "s"},
        "Interval.contains": {"values": [0.35, 0.7]},
        "Expression.evaluate": {"values": {"A": 1.0}},
        "Network.classify": {"outputs": np.array([[0.2, 0.8]])},
        "import_crn": {"path": written("decay.crn")},
        "import_sbml": {"path": written("decay.xml")},
        "open_scan": {"path": written("scan.nc")},
        "from_torch": {"module": torch_module()} if "from_torch" not in LEFT_OUT else {},
        **{
            f"ReactionNetwork.{m}": values
            for m in """
                rates right_hand_side jacobian boundary_jacobian rate_constant_jacobian balance
                observe
            """.split()
        },
        "ReactionNetwork.with_starts": {"boundary": []},
        "ReactionNetwork.derive": {"constants": [1.0]},
        "Simulator.steady_state": {"x": X},
        "Simulator.time_course": {"x": X, "t_end": 1.0, "n_points": 3},
        "export": {"path": "out.xml", "overwrite": True},
        "choose_h": {"max_error": 0.1, "n_points": 3},
        "sensitivities": {"x": X},
        "transient_sensitivities": {"x": X[0], "t_end": 1.0, "n_points": 3},
        "from_sklearn": {"model": mlp},
        "animate_layers": sample,
        "plot_layers": sample,
        "plot_time_course": sample,
        "plot_unit": {"layer": "layer1"},
        "plot_noise": {"noise": thing("Noise")},
        "plot_smallest_volume": {"found": thing("SmallestVolume")},
        "plot_history": {"result": cn.fit(net, X, [1, 0], optimizer=cn.LBFGS(max_iter=2))},
        "plot_sensitivities": {"result": cn.sensitivities(net, X[0])},
        "plot_robustness": {"result": robust},
        "plot_envelope": {"certificate": thing("Certificate")},
        "plot_certified_margins": {"margins": [0.1, 0.2]},
        "plot_confusion_matrix": {"y_true": [1, 0], "y_predicted": [1, 1]},
        "plot_h_choice": {"choice": cn.choose_h(net, X, max_error=0.1, n_points=3)},
        "plot_read_out_window": {"window": cn.read_out_window(net, X, t_end=1.0, n_points=3)},
        "domain_parts": {"dna": cn.to_strand_displacement(crn)},
        "plot_decision_boundary": plane,
        "plot_scan": curve,
        "plot_scan_bands": {"data": bands.outputs.isel(sample=0, output=0)},
        "plot_scan_map": plane,
        "plot_scan_points": {"data": points.outputs.isel(output=0), "x": "x0", "y": "x1"},
        "plot_scan_surface": plane,
    }


@cache
def written(name: str) -> Path:
    """A file of ours, by name, for as long as this process runs."""
    folder = Path(_FOLDER.name)
    if name.endswith(".nc"):
        cn.scan(good()["net"], {"x0": [0.0, 1.0]}, path=folder / name)
        return folder / name
    return cn.export(good()["crn"], folder / name)


def torch_module() -> Any:
    """A layer of PyTorch's, with a function of it."""
    import torch

    return torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.ReLU())


_FOLDER = tempfile.TemporaryDirectory(prefix="arguments_", ignore_cleanup_errors=True)


@cache
def thing(name: str) -> Any:
    """The public name, or what a function is asked of by its first argument's name."""
    net, X = good()["net"], good()["X"]
    made = {
        "Simulator": lambda: cn.Simulator(net),
        "Network": lambda: cn.Network.random([2, 3, 2], seed=0, output=cn.Normalized(h=0.1)),
        "ReactionNetwork": lambda: good()["crn"],
        "SteadyState": lambda: cn.Simulator(net).steady_state(X),
        "TimeCourse": lambda: cn.Simulator(net).time_course(X, 1.0, 5),
        "Certificate": lambda: cn.certify(net, X),
        "Attack": lambda: cn.attack(net, X, rates=0.1, restarts=1),
        "PhysicalUnits": lambda: good()["units"],
        "Noise": lambda: cn.noise(net, X, volume=100.0),
        "SmallestVolume": lambda: cn.smallest_volume(net, X),
        "Tanh": lambda: cn.Tanh(),
        "Interval": lambda: cn.Interval(np.array([0.0, 0.5]), np.array([0.5, 1.0])),
        "Expression": lambda: good()["expression"],
        "Monomial": lambda: cn.Monomial(2.0, (("A", 1.0),)),
        "Robustness": lambda: cn.robustness(net, X, [1, 0], noise=cn.RateErrors(0.1, draws=2)),
        "CRNClassifier": lambda: cn.CRNClassifier((2,), max_iter=2).fit(X, [0, 1]),
        "CRNRegressor": lambda: cn.CRNRegressor((2,), max_iter=2).fit(X, [0.0, 1.0]),
        "RateErrors": lambda: cn.RateErrors(0.1, draws=2),
    }
    return made[name]()


@dataclass(frozen=True)
class Case:
    """One call: who is called, which argument is bad, and how."""

    function: str
    argument: str
    bad: str

    def __str__(self) -> str:
        return f"{self.function}({self.argument}={self.bad})"

    def call(self) -> Any:
        """Call it."""
        call, given = base_call(self.function)
        return call(**given | {self.argument: BAD[self.bad]})


def functions() -> list[str]:
    """Public functions, classes that users make, and their methods."""
    found = []
    for name in sorted(set(cn.__all__) - MADE_BY_US - LEFT_OUT):
        it = getattr(cn, name)
        if callable(it) and not (inspect.isclass(it) and issubclass(it, BaseException)):
            found.append(name)
    return found + [f"{name}.{m}" for name, methods in METHODS.items() for m in methods.split()]


@cache
def base_call(function: str) -> tuple[Any, dict[str, Any]]:
    """What is called, and a good value for each argument without default."""
    name, _, method = function.partition(".")
    call = getattr(thing(name), method) if method else getattr(cn, name)
    known, own = good(), otherwise().get(function, {})
    needed = [
        parameter.name
        for parameter in inspect.signature(call).parameters.values()
        if parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD
    ]
    return call, {name: known[name] for name in needed if name not in own} | own


def cases() -> list[Case]:
    """All of them."""
    return [
        Case(function, argument, bad)
        for function in functions()
        for argument, parameter in inspect.signature(base_call(function)[0]).parameters.items()
        if parameter.kind is not parameter.VAR_KEYWORD
        for bad in BAD
    ]
