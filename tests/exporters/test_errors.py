"""Models, formats, options and data that no file can hold are refused, and nothing is written."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.exports import BRUSSELATOR, FOUR, GENERAL, GROWTH, PETAB, STRANDS, WITH_UNITS, exported

import crn_nn_tellurium as cn
from crn_nn_tellurium.exporters.exporting import FORMATS

XOR, IRIS = cn.load_model("xor"), cn.load_model("iris")
HERE = Path()
MISSING = cn.Network([cn.Layer([[1.0, 2.0]])], input_names=["NA", "b"])
SENSELESS = [
    *(("bngl", "t_end", value) for value in ("long", -1.0, float("nan"))),
    *(("catalyst", "t_end", value) for value in ("long", float("nan"))),
    ("bngl", "n_steps", 0),
    ("visual-dsd", "n_steps", 2.5),
    ("latex", "digits", -1),
    ("latex", "digits", 2.5),
    ("omex", "n_points", 0),
    ("petab", "bound", 0.0),
    ("petab-v2", "free_signs", "yes"),
    ("sbml", "layout", 1),
    ("omex", "t_end", True),
]


def signs_freed(text):
    """A PEtab problem of reactions, with one measurement, whose rate constants may be negative."""
    given = {"X": np.zeros((1, 0)), "Y": [[1.0]]}
    return cn.export(cn.import_antimony(text), "net.yaml", free_signs=True, **given)


REFUSED = [
    # models, formats and files
    (
        lambda: cn.export("xor", "net.xml"),
        cn.NetworkError,
        "'xor' is a shipped network",
    ),
    *(
        (
            lambda file=file: cn.export(XOR, file),
            cn.FileFormatError,
            # all that are known, each with its title
            rf"unknown ending '{ending}'; known: .*"
            + "".join(
                rf"(?=.*\.{e} \({re.escape(f.title)}\))"
                for f in FORMATS.values()
                for e in f.endings
            )
            + "".join(f"(?=.*'{f.name}')" for f in FORMATS.values() if not f.endings),
        )
        for file, ending in (("net.doc", r"\.doc"), ("net", ""))
    ),
    (
        lambda: cn.export(XOR, "net.xml", format="word"),
        cn.FileFormatError,
        f"unknown format 'word'; known: {', '.join(FORMATS)}$",
    ),
    (lambda: cn.export(XOR, "nowhere/net.xml"), FileNotFoundError, "there is no folder"),
    (lambda: cn.export(XOR, ".", format="sbml"), IsADirectoryError, "it is a folder"),
    *(
        (
            lambda format=format, model=model: cn.export(model, "net", format=format),
            cn.FileFormatError,
            "is no strand displacement implementation; to_strand_displac",
        )
        for format in STRANDS
        for model in (XOR, BRUSSELATOR)
    ),
    *(
        (
            lambda format=format: exported(FOUR, HERE, format),
            cn.ReactionError,
            r"reaction 'J': 4 molecules meet \(3 A \+ E => E\); expected at most 3",
        )
        for format in WITH_UNITS
    ),
    *(
        (
            lambda format=format, model=model: exported(model, HERE, format),
            cn.ReactionError,
            "5e-324; readers of SBML and Antimony take no number between 0 and 2.2250",
        )
        for format in WITH_UNITS
        for model in (
            replace(BRUSSELATOR, species=(cn.Species("Z", 5e-324), *BRUSSELATOR.species)),
            cn.Network([cn.Layer([[5e-324]])]),
        )
    ),
    *(
        (
            lambda format=format: cn.export(MISSING, "net.yaml", format),
            cn.FileFormatError,
            "the name 'NA' for a missing value",
        )
        for format in PETAB
    ),
    # inputs
    *(
        (
            lambda format=format: exported(BRUSSELATOR, HERE, format, x=[1.0, 3.0]),
            ValueError,
            "x goes with a Network; a ReactionNetwork has its boundary concentrations",
        )
        for format in GENERAL
    ),
    *(
        (lambda x=x: cn.export(XOR, "net.xml", x=x), cn.InputError, r"shape .*; expected \(")
        for x in ([1.0], [[1.0, 0.0]], [1.0, 0.0, 1.0])
    ),
    # options
    *(
        (
            lambda format=format: cn.export(XOR, "net", format=format, colour="red"),
            cn.InputError,
            f"format '{format}' has no option 'colour'; it has "
            f"{', '.join(FORMATS[format].options) or 'none'}$",
        )
        for format in FORMATS
    ),
    *(
        (
            lambda format=format, option=option, value=value: cn.export(
                XOR, "net", format=format, **{option: value}
            ),
            cn.InputError,
            f"format '{format}': option {option} is {value!r}; expected (True or False|a"
            " (whole|finite) number >=? [01])$",
        )
        for format, option, value in SENSELESS
    ),
    (lambda: cn.export(XOR, "net.bngl", t_end=10**400), cn.InputError, "t_end"),
    (lambda: cn.export(XOR, "net.bngl", n_steps=10**400), cn.InputError, "n_steps"),
    (
        lambda: exported(XOR, HERE, "kappa", molecules=0),
        ValueError,
        "option molecules is 0; expected a whole number >= 1$",
    ),
    (lambda: exported(XOR, HERE, "kappa", molecules=2.5), ValueError, "molecules is 2.5"),
    (lambda: exported(XOR, HERE, "kappa", molecules="many"), ValueError, "molecules is 'many'"),
    (
        lambda: exported(XOR, HERE, "graphviz", nodes="genes"),
        ValueError,
        "nodes is 'genes'; expected one of 'reactions', 'influences'",
    ),
    (lambda: exported(XOR, HERE, "graphml", nodes="genes"), ValueError, "nodes is 'genes'"),
    (
        lambda: exported(XOR, HERE, "antimony", form="short"),
        ValueError,
        "form is 'short'; expected one of 'reactions', 'compact', 'numbers'",
    ),
    (
        lambda: exported(XOR, HERE, "omex", vary="ghost"),
        ValueError,
        "vary is 'ghost'; expected a boundary species",
    ),
    (lambda: exported(XOR, HERE, "omex", low=3.0), ValueError, "expected numbers 0 <= low < high"),
    *(
        (
            lambda format=format: exported(XOR, HERE, format, bound=0.5),
            cn.InputError,
            "bound is 0.5; expected at least 1",
        )
        for format in (*PETAB, "copasi")
    ),
    # what a scan of a task varies
    (
        lambda: cn.export(GROWTH, "net.omex", vary="A"),
        cn.InputError,
        r"vary is 'A'; expected a boundary species \(F\) or a rate constant \(k, q, d\)",
    ),
    (
        lambda: cn.export(
            replace(GROWTH, species=[replace(s, boundary=False) for s in GROWTH.species]),
            "net.omex",
            vary="A",
        ),
        cn.InputError,
        r"boundary species \(there is none\)",
    ),
    (lambda: cn.export(GROWTH, "net.omex", vary=["F"]), cn.InputError, "vary is"),
    *(
        (
            lambda low=low, high=high: cn.export(GROWTH, "net.omex", vary="F", low=low, high=high),
            cn.InputError,
            r"'F' varies from .* to .*; expected numbers 0 <= low < high",
        )
        for low, high in (
            (1.0, 1.0),
            (2.0, 1.0),
            (2.0, None),
            (-1.0, 1.0),
            (0.0, np.inf),
            (np.nan, 1.0),
            ("low", 1.0),
        )
    ),
    # data
    *(
        (
            lambda model=model, format=format, given=given: cn.export(
                model, "net.yaml", format, **{given: np.ones((2, 2))}
            ),
            cn.InputError,
            f"{missing} is missing; give X and Y together",
        )
        for model in (XOR, GROWTH)
        for format in PETAB
        for given, missing in (("X", "Y"), ("Y", "X"))
    ),
    *(
        (
            lambda format=format: cn.export(
                XOR, "net.yaml", format, X=np.empty((0, 2)), Y=np.empty((0, 1))
            ),
            cn.InputError,
            "X",
        )
        for format in PETAB
    ),
    (
        lambda: cn.export(GROWTH, "net.yaml"),
        cn.InputError,
        r"'growth' comes without data; .*X of F, Y of twice",
    ),
    (
        lambda: cn.export(replace(GROWTH, observables=()), "net.yaml", X=[[1.0]], Y=[[1.0]]),
        cn.ReactionError,
        "'growth' has no observables",
    ),
    (
        lambda: cn.export(XOR, "net.yaml", X=np.ones(2), Y=np.ones((1, 1))),
        cn.InputError,
        r"X has shape \(2,\); expected \(n_samples, 2\)",
    ),
    (
        lambda: cn.export(XOR, "net.yaml", X=np.ones((3, 4)), Y=np.ones((3, 1))),
        cn.InputError,
        r"shape \(3, 4\); expected",
    ),
    (
        lambda: cn.export(XOR, "net.yaml", X=np.ones((3, 2)), Y=np.ones((3, 2))),
        cn.InputError,
        r"targets have shape \(3, 2\); .* expects \(3, 1\)",
    ),
    (
        lambda: cn.export(XOR, "net.yaml", X=np.ones((3, 2)), Y=np.ones((4, 1))),
        cn.InputError,
        r"targets have shape \(4, 1\); .* expects \(3, 1\)",
    ),
    (
        lambda: cn.export(XOR, "net.yaml", X=-np.ones((3, 2)), Y=np.ones((3, 1))),
        cn.InputError,
        "negative",
    ),
    (
        lambda: cn.export(XOR, "net.yaml", X=np.full((3, 2), np.nan), Y=np.ones((3, 1))),
        cn.InputError,
        "finite|nan",
    ),
    (
        lambda: cn.export(XOR, "net.yaml", X=np.ones((3, 2)), Y=np.full((3, 1), np.nan)),
        cn.InputError,
        "finite|nan",
    ),
    (
        lambda: cn.export(IRIS, "net.yaml", X=np.ones((2, 4)), Y=["setosa", "rose"]),
        cn.InputError,
        "'rose'",
    ),
    (lambda: cn.export(IRIS, "net.yaml", X=np.ones((2, 4)), Y=["setosa"]), cn.InputError, "1"),
    (
        lambda: cn.export(GROWTH, "net.yaml", X=np.ones((3, 2)), Y=np.ones((3, 1))),
        cn.InputError,
        r"X has shape \(3, 2\); expected \(n, 1\)",
    ),
    (
        lambda: cn.export(GROWTH, "net.yaml", X=np.ones(3), Y=np.ones((3, 1))),
        cn.InputError,
        r"X has shape \(3,\); expected \(n, 1\)",
    ),
    (
        lambda: cn.export(GROWTH, "net.yaml", X=np.ones((3, 1)), Y=np.ones((2, 1))),
        cn.InputError,
        r"Y has shape \(2, 1\); expected \(3, 1\)",
    ),
    (
        lambda: cn.export(GROWTH, "net.yaml", X=[["a lot"]], Y=np.ones((1, 1))),
        cn.InputError,
        r"X: \[\['a lot'\]\] cannot be read as numbers",
    ),
    # numpy would leave out the mask, and the imaginary part
    (
        lambda: cn.export(
            GROWTH, "net.yaml", X=np.ma.array([[1.0]], mask=[[True]]), Y=np.ones((1, 1))
        ),
        cn.InputError,
        "some of them are masked",
    ),
    (
        lambda: cn.export(GROWTH, "net.yaml", X=[[1.0 + 1.0j]], Y=np.ones((1, 1))),
        cn.InputError,
        "complex numbers",
    ),
    (
        lambda: cn.export(
            XOR, "net.yaml", X=[[0, 1], [1, 1]], Y=np.ma.array([0, 1], mask=[True, False])
        ),
        cn.InputError,
        "some of them are masked",
    ),
    (
        lambda: cn.export(GROWTH, "net.yaml", X=[[-1.0]], Y=np.ones((1, 1))),
        cn.InputError,
        "X holds a value that is not finite or is negative",
    ),
    (
        lambda: cn.export(GROWTH, "net.yaml", X=[[1.0]], Y=[[np.inf]]),
        cn.InputError,
        "Y holds a value that is not finite",
    ),
    # signs. COPASI files of reactions may do without a problem, but then nothing has a sign to free
    (
        lambda: exported(GROWTH, HERE, "copasi", free_signs=True),
        cn.InputError,
        "'growth' comes without data",
    ),
    (
        lambda: signs_freed("A -> B; k*A; k = 1; A = 1; y := B"),
        cn.InputError,
        "rate constant 'k': its reaction '_J0' has no opposite",
    ),
    # of two reactions with one rate constant, one that has an opposite and one that has none
    (
        lambda: signs_freed("A -> B; k*A; B -> ; k*B; k = 1; A = 1; y := B"),
        cn.InputError,
        "rate constant 'k': its reaction '_J0' has no opposite",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), REFUSED)
def test_errors_say_what_is_wrong_and_nothing_is_written(
    call, error, message, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=message):
        call()
    assert not list(tmp_path.iterdir())
