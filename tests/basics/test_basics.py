"""Checks, identifiers, documents and texts: what each gives, and what it refuses."""

import hashlib
import json

import numpy as np
import pytest

import crn_nn_tellurium as cn
from crn_nn_tellurium.basics import (
    Recent,
    check_identifier,
    check_kind,
    check_positive,
    free_id,
    read_document,
    real_number,
    require,
    suggest_identifier,
    suggest_identifiers,
    whole_number,
    write_document,
)


def test_of_recent_values_the_last_used_are_kept():
    made = []
    squares = Recent(2)

    def square(n):
        return squares.get(n, lambda: made.append(n) or n * n)

    assert [square(n) for n in (1, 2, 1, 3, 1, 2)] == [1, 4, 1, 9, 1, 4]
    assert made == [1, 2, 3, 2]  # 2 was dropped for 3, since 1 was used after it
    assert len(squares) == 2


def test_arguments_are_named_when_they_are_refused():
    with pytest.raises(cn.InputError, match=r"^units: got int; expected float$"):
        check_kind("units", 3, float)
    with pytest.raises(cn.InputError, match=r"^units: got int; expected float, 1\.0 say$"):
        check_kind("units", 3, float, "1.0 say")
    with pytest.raises(cn.InputError, match=r"^c0 is 0; expected a finite number > 0$"):
        check_positive("c0", 0)
    real_number("tolerance", 0, 0.0)


@pytest.mark.parametrize("value", [-1, np.nan, np.inf, True, "1", None, 10**400])
def test_what_is_no_finite_number_of_at_least_zero_is_refused(value):
    with pytest.raises(cn.InputError, match="expected a finite number >= 0"):
        real_number("tolerance", value, 0.0)


def test_whole_numbers_are_ints():
    assert repr(whole_number("draws", 50.0)) == "50"
    for value in (0, 1.5, np.inf, True, 10**400):
        with pytest.raises(cn.InputError, match=r"draws is .*; expected a whole number, 1 or more"):
            whole_number("draws", value)


def test_a_package_that_is_there_is_imported():
    assert require("json", extra="test").dumps([1]) == "[1]"


@pytest.mark.parametrize(
    ("name", "identifier"),
    [
        ("petal width (cm)", "petal_width_cm"),
        ("2", "input_2"),
        ("%", "input"),
        ("time", "time_"),
        ("µ (m)", "mu_m"),
        ("α", "alpha"),
        ("T (°C)", "T_C"),
        ("Höhe²", "Hohe2"),
        ("petal_width", "petal_width"),
    ],
)
def test_an_identifier_close_to_a_name(name, identifier):
    assert suggest_identifier("input", name) == identifier
    assert check_identifier("input", identifier) == identifier


def test_suggestions_differ_and_identifiers_stay():
    assert suggest_identifiers("input", ["a b", "a_b", "c"]) == ["a_b_2", "a_b", "c"]
    taken = {"comp", "comp_2"}
    assert free_id("comp", taken) == "comp_3"
    assert "comp_3" in taken


def test_no_identifier_is_refused_with_one_that_would_do():
    with pytest.raises(
        cn.IdentifierError,
        match=r"^input name 'petal width': expected letters, digits and underscores, starting with"
        r" a letter; 'petal_width' would do$",
    ):
        check_identifier("input", "petal width")
    with pytest.raises(cn.IdentifierError, match=r"a reserved word of .*; 'time_' would do"):
        check_identifier("input", "time")


def test_a_document_comes_back_whatever_its_size(tmp_path):
    for size in (3, 20_000):  # in the text, and beside it
        written = {"name": "a", "numbers": np.linspace(0, 1, size), "nested": {"list": [1, 2.5]}}
        write_document(tmp_path / "it.json", written)
        found = read_document(tmp_path / "it.json")
        assert list(found) == ["name", "numbers", "nested"]
        np.testing.assert_array_equal(found["numbers"], written["numbers"])
        assert found["nested"] == {"list": [1, 2.5]}
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("place", ["../other.npz", "gone.npz", "folder.npz"])
def test_a_file_that_is_not_beside_a_document_stays_when_it_is_replaced(place, tmp_path):
    """Whatever the document calls its own."""
    (tmp_path / "other.npz").write_bytes(b"another's")
    digest = hashlib.sha256(b"another's").hexdigest()
    inner = tmp_path / "inner"
    (inner / "folder.npz").mkdir(parents=True)
    path = inner / "it.json"
    path.write_text(json.dumps({"arrays": {"file": place, "sha256": digest}}), encoding="utf-8")
    write_document(path, {"name": "a"})
    assert read_document(path) == {"name": "a"}
    assert (tmp_path / "other.npz").read_bytes() == b"another's"
    assert sorted(p.name for p in inner.iterdir()) == ["folder.npz", "it.json"]
