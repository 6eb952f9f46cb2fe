"""Exported files as texts, and models to export."""

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import libsbml
import numpy as np
import pytest
from hypothesis import strategies as st
from support.networks import STOOD_FOR, corpus

import crn_nn_tellurium as cn
from crn_nn_tellurium.basics.identifiers import RESERVED
from crn_nn_tellurium.chemistry.expressions import Expression, Monomial
from crn_nn_tellurium.chemistry.reactions import Observable
from crn_nn_tellurium.exporters.exporting import FORMATS

SBML = ("sbml", "sbml-l3v1", "sbml-l2v4")
WITH_UNITS = (*SBML, "antimony", "omex", "copasi", "petab", "petab-v2")
STRANDS = ("pil", "nupack", "parts")
"""Formats of strand displacement implementations alone."""
NEURAL = ("onnx", "petab-sciml")
"""Formats of neural networks alone, which hold no chemistry."""
GENERAL = tuple(name for name in FORMATS if name not in (*STRANDS, *NEURAL))
WITHOUT_UNITS = tuple(name for name in GENERAL if name not in WITH_UNITS)
PETAB = ("petab", "petab-v2")
NEEDED = {"copasi": "basico"}

BRUSSELATOR = cn.ReactionNetwork(
    [
        cn.Species("A", 1.0, boundary=True),
        cn.Species("B", 3.0, boundary=True),
        cn.Species("X", 1.0),
        cn.Species("Y"),
    ],
    [
        cn.Reaction("feed", ("A",), ("A", "X"), "k1", 1.0),
        cn.Reaction("loop", {"X": 2, "Y": 1}, {"X": 3}, "k2", 0.1),
        cn.Reaction("turn", ("B", "X"), ("B", "Y"), "k3", 2.0),
        cn.Reaction("lose", ("X",), (), "k4", 1.0),
        cn.Reaction("crowd", {"Y": 3}, {"Y": 2}, "k5", 1e-3),
        cn.Reaction("leak", (), ("Y",), "k6", 1 / 3),
    ],
    [
        Observable(
            "ratio",
            Expression((Monomial(2.0, (("X", 1.0),)), Monomial(-1.0, (("Y", 1.0),)))),
            "a read-out",
        )
    ],
    "brusselator",
)
GROWTH = cn.ReactionNetwork(
    [cn.Species("F", 1.0, boundary=True), cn.Species("A", 1.0)],
    [
        cn.Reaction("feed", ("F",), ("F", "A"), "k", 1.0),
        cn.Reaction("leak", (), ("A",), "q", 0.5),
        cn.Reaction("lose", ("A",), (), "d", 2.0),
    ],
    [Observable("twice", Expression((Monomial(2.0, (("A", 1.0),)),)))],
    "growth",
)
"""Reactions that are no network: A settles at (F + 0.5) / 2."""
FOUR = cn.ReactionNetwork(
    [cn.Species("E", 1.0, boundary=True), cn.Species("A", 1.0)],
    [cn.Reaction("J", {"A": 3, "E": 1}, ("E",), "k", 1.0)],
    [Observable("seen", Expression((Monomial(1.0, (("A", 1.0),)),)))],
)
"""A reaction in which four molecules meet."""


def options(name, model):
    """What a format cannot do without."""
    if name.startswith("petab") and isinstance(model, cn.ReactionNetwork):
        return {"X": np.ones((1, len(model.boundary))), "Y": np.ones((1, len(model.observables)))}
    return {}


def exported(model, folder, name, **more):
    """The files of a format, by what follows the stem in their names."""
    pytest.importorskip(NEEDED.get(name, "numpy"))
    path = cn.export(model, folder / "net.out", format=name, **options(name, model), **more)
    return {
        file.name.removeprefix("net"): file.read_bytes()
        for file in sorted(path.parent.glob("net.*"))
    }


def text_of(model, folder, name, **more):
    return exported(model, folder, name, overwrite=True, **more)[".out"].decode()


@cache
def parsed(text):
    return libsbml.readSBMLFromString(text)


DATES = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ?")


NASTY = (
    *(
        "_",
        "_Y",
        "__init__",
        "Y",
        "y",
        "s_Y",
        "Y_2",
        "lambda",
        "LAMBDA",
        "lambda_",
        "None",
        "if",
        "end_",
    ),
    *(
        "i",
        "c",
        "t",
        "D",
        "rn",
        "im",
        "Rule",
        "null",
        "new",
        "rec",
        "nothing",
    ),
)
IDENTIFIERS = st.one_of(
    st.sampled_from(NASTY), st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,3}", fullmatch=True)
).filter(lambda name: name.lower() not in RESERVED)


def chain(names):
    """Every name becomes the next, and the last nothing."""
    after = [*((name,) for name in names[1:]), ()]
    reactions = [
        cn.Reaction(f"reaction{i}", (name,), product, f"constant{i}", 1.0)
        for i, (name, product) in enumerate(zip(names, after, strict=True))
    ]
    return cn.ReactionNetwork(
        [cn.Species(name, 1.0) for name in names], reactions, name="chain_model"
    )


def two(first, second="Z", constant="k"):
    """2 A -> B, with the names as wanted."""
    return cn.ReactionNetwork(
        [cn.Species(first, 1.0), cn.Species(second)],
        [cn.Reaction("J", {first: 2}, (second,), constant, 1.0)],
    )


def complaints(text):
    """Errors and warnings of libSBML, of units, SBO terms and good practice too."""
    document = libsbml.readSBMLFromString(text)
    for category in (
        libsbml.LIBSBML_CAT_GENERAL_CONSISTENCY,
        libsbml.LIBSBML_CAT_IDENTIFIER_CONSISTENCY,
        libsbml.LIBSBML_CAT_UNITS_CONSISTENCY,
        libsbml.LIBSBML_CAT_MATHML_CONSISTENCY,
        libsbml.LIBSBML_CAT_SBO_CONSISTENCY,
        libsbml.LIBSBML_CAT_OVERDETERMINED_MODEL,
        libsbml.LIBSBML_CAT_MODELING_PRACTICE,
    ):
        document.setConsistencyChecks(category, True)
    document.checkConsistency()
    log = document.getErrorLog()
    return [log.getError(i).getMessage() for i in range(log.getNumErrors())]


MODELS = {case.name: cn.to_reactions(case.net, case.x[0]) for case in corpus()} | {
    "brusselator": BRUSSELATOR
}
each_model = pytest.mark.parametrize(
    "crn",
    [
        pytest.param(crn, id=name, marks=[pytest.mark.slow] if name in STOOD_FOR else [])
        for name, crn in MODELS.items()
    ],
)


def run_reader(reader, paths, t_end):
    """Values by name at a time, of each file, as a reader in a process of its own has them."""
    task = json.dumps({"reader": reader, "paths": [str(path) for path in paths], "t_end": t_end})
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("readers.py"))],
        input=task, capture_output=True, text=True, check=False, timeout=1800,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)
