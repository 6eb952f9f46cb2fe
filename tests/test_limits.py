"""Limits of the package: one below and at the limit are taken, one above is refused."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from support.tolerances import ROUNDED

import crn_nn_tellurium as cn
from crn_nn_tellurium.basics import check_share, whole_number, write_document
from crn_nn_tellurium.basics.arrays import is_real
from crn_nn_tellurium.basics.documents import read_document
from crn_nn_tellurium.chemistry import Expression, Monomial
from crn_nn_tellurium.importers import antimony_to_sbml, check_compiled, libantimony, sbml_text
from crn_nn_tellurium.operators.tensors import check_many
from crn_nn_tellurium.simulation.engine import LARGEST, compiled, within_reach
from crn_nn_tellurium.simulation.engines import COMPILED_UP_TO, as_engine


def terms(n):
    return Expression(tuple(Monomial(1.0, ((f"s{i}", 1),)) for i in range(n)))


def molecules(volume):
    """One inert species at a concentration of 1."""
    crn = cn.ReactionNetwork(
        [cn.Species("A", 1.0), cn.Species("B", 0.0)],
        [cn.Reaction("J", ("B",), ("B", "A"), "k", 1.0)],
    )
    return cn.Simulator(crn).time_course(t_end=1.0, n_points=2, volume=volume, seed=0)


def antimony(inside):
    return libantimony.check_antimony(f"A = {inside}")


def submodels(n):
    # itself is one of them
    sbml_text.check_submodels({"m": ["part"] * (n - 1)}, "m")


def doubled(n):
    """A gain of n parts: of a, which reads b n times."""
    libantimony._check_assignments({"m.a": ["m.b"] * n, "m.b": []})


def nested(n):
    sbml_text.check_sbml("<a>" * n + "</a>" * n, "m")


def formula(n):
    """A formula, whose own element is the first of so many and one."""
    sbml_text.check_sbml(f"<math>{'<a>' * n}{'</a>' * n}</math>", "m")


def saved(n):
    write_document(Path("a.json"), {"a": np.ones(n)})


def read(n):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("crn_nn_tellurium.basics.documents.MOST_BYTES", 10**9)
        saved(n - 16)  # beside a head of 128 bytes
    read_document(Path("a.json"))


def operands(n):
    check_compiled(antimony_to_sbml(f"p := {' + '.join(['A'] * n)}; A -> ; A; A = 1"), "m")


def table(n):
    steps = [cn.Reaction(f"J{i}", ("A",), ("A", "A"), "k", 1.0) for i in range(n)]
    cn.export(cn.ReactionNetwork([cn.Species("A", 1.0)], steps), "a.csv", overwrite=True)


# where, the constant, a value that is set in its place, what is tried, what is raised
LIMITS = {
    "molecules of a species on a side": (
        "chemistry.reactions",
        "_MOST_MOLECULES",
        None,
        lambda n: cn.Reaction("J", {"A": n}, (), "k", 1.0),
        cn.ReactionError,
    ),
    "terms of a product of sums": (
        "chemistry.expressions",
        "_MOST_TERMS",
        None,
        lambda n: terms(n) * terms(1),
        cn.ReactionError,
    ),
    "weights": ("operators.tensors", "MOST_WEIGHTS", None, check_many, cn.NetworkError),
    "molecules that are counted": (
        "simulation.stochastic",
        "MOST_MOLECULES",
        2.0**20,
        molecules,
        cn.InputError,
    ),
    "bytes that are saved": ("basics.documents", "MOST_BYTES", 160_000, saved, ValueError),
    "bytes that are read": ("basics.documents", "MOST_BYTES", 160_000, read, cn.FileFormatError),
    "cells of a table": ("exporters.csv", "_MOST_CELLS", 20, table, cn.FileFormatError),
    "operands": ("importers.sbml_text", "_MOST_OPERANDS", None, operands, cn.FileFormatError),
    "submodels": ("importers.sbml_text", "_MOST_SUBMODELS", None, submodels, cn.FileFormatError),
    "parts gained": (
        "importers.sbml_text",
        "_MOST_PARTS",
        None,
        lambda n: sbml_text._check_gain(n, "m"),
        cn.FileFormatError,
    ),
    "parts gained in Antimony": (
        "importers.libantimony",
        "_MOST_PARTS",
        50,
        doubled,
        cn.FileFormatError,
    ),
    "brackets": (
        "importers.libantimony",
        "DEEPEST_TEXT",
        None,
        lambda n: antimony("(" * n + "1" + ")" * n),
        cn.FileFormatError,
    ),
    "signs": (
        "importers.libantimony",
        "DEEPEST_TEXT",
        None,
        lambda n: antimony("-" * n + "1"),
        cn.FileFormatError,
    ),
    "elements": ("importers.sbml_text", "_DEEPEST", None, nested, cn.FileFormatError),
    "elements of a formula": (
        "importers.sbml_text",
        "_DEEPEST_FORMULA",
        None,
        formula,
        cn.FileFormatError,
    ),
    "what is counted": (
        "basics.checks",
        "_MOST",
        None,
        lambda n: whole_number("draws", n),
        cn.InputError,
    ),
}
# bytes of each number that is tried
EACH = {"bytes that are saved": 8, "bytes that are read": 8}


@pytest.mark.parametrize("name", LIMITS)
def test_what_is_above_a_limit_is_refused(name, monkeypatch, tmp_path):
    where, constant, instead, tried, error = LIMITS[name]
    monkeypatch.chdir(tmp_path)
    module = import_module(f"crn_nn_tellurium.{where}")
    if instead is not None:
        monkeypatch.setattr(module, constant, instead)
    limit = getattr(module, constant)
    limit = limit // EACH.get(name, 1)
    tried(limit - 1)
    tried(limit)
    with pytest.raises(error):
        tried(limit + 1)


def test_whole_numbers_are_real_as_far_as_floats_go():
    largest = int(np.finfo(float).max)
    assert is_real(largest)
    assert is_real(-largest)
    assert not is_real(largest + 1)
    assert not is_real(-largest - 1)


@pytest.mark.parametrize("cv", [0.0, 1.0, np.nextafter(1e100, 0.0), 1e100])
def test_errors_of_rate_constants_have_a_limit(cv):
    if cv < 1e100:
        assert cn.RateErrors(cv=cv, draws=2, seed=0).cv == cv
        return
    with pytest.raises(cn.InputError):
        cn.RateErrors(cv=cv, draws=2, seed=0)


def test_reactions_up_to_which_a_network_is_compiled():
    sizes = (COMPILED_UP_TO - 1, COMPILED_UP_TO, COMPILED_UP_TO + 1)
    assert [as_engine(None, n).compiles for n in sizes] == [True, True, False]


@pytest.mark.parametrize("sign", [1, -1])
def test_numbers_up_to_which_nleq2_is_asked(sign):
    for value, reached in (
        (np.nextafter(LARGEST, 0.0), True),
        (LARGEST, True),
        (np.nextafter(LARGEST, np.inf), False),
        (np.inf, False),
        (np.nan, False),
    ):
        assert within_reach(np.array([[1.0, sign * value]])).tolist() == [reached]
        assert within_reach(np.ones((1, 2)), np.array([[sign * value]])).tolist() == [reached]


def test_beyond_them_it_finds_nothing_few_or_many():
    """dA/dt = k - A, from the root itself, in numpy's numbers and in Python's."""
    model = compiled("J1: -> A; k; J2: A -> ; A; A = 1; k = 1")
    index = model.parameter_index(["k"])
    for k, found in ((LARGEST, True), (np.nextafter(LARGEST, np.inf), False)):
        with model.lock:
            x, converged = model.solve_each(
                np.empty((1, 0)), np.array([[k]]), index, np.array([[k]])
            )
            one = model.solve_one([], [k], index, [k])
        assert converged.tolist() == [found]
        assert (one is not None) == found
        if found:
            assert x[0, 0] == pytest.approx(k, rel=ROUNDED)


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_arrays_beyond_a_size_go_beside_a_document(more, tmp_path):
    n = import_module("crn_nn_tellurium.basics.documents").INLINE_LIMIT + more
    write_document(tmp_path / "a.json", {"a": np.ones(n)})
    assert len([*tmp_path.glob("*.npz")]) == (more > 0)
    np.testing.assert_array_equal(read_document(tmp_path / "a.json")["a"], np.ones(n))


# Shares -------------------------------------------------------------------------------------------

TINY = float(np.nextafter(0.0, 1.0))
BELOW_1 = float(np.nextafter(1.0, 0.0))


@pytest.mark.parametrize("value", [TINY, 0.5, BELOW_1, np.float64(0.5)])
def test_a_share_is_between_0_and_1(value):
    check_share("level", value)


@pytest.mark.parametrize("value", [0, 0.0, -TINY, 1, 1.0, 1 + 2**-52, np.nan, np.inf, "0.5", None])
def test_what_is_no_share_is_refused(value):
    with pytest.raises(cn.InputError, match=r"level is .*; expected a share between 0 and 1: 0\.8"):
        check_share("level", value)


def test_shares_may_be_whole_or_above_something():
    check_share("density", 1, whole=True)
    check_share("density", 1.0, whole=True)
    check_share("confidence", 0.6, above=0.5)
    for value, options in (
        (1 + 2**-52, {"whole": True}),
        (0.0, {"whole": True}),
        (True, {"whole": True}),
        (0.5, {"above": 0.5}),
        (np.array([0.5]), {}),
    ):
        with pytest.raises(cn.NetworkError, match=r"density is .*; expected a share of weights"):
            check_share("density", value, "a share of weights", error=cn.NetworkError, **options)
