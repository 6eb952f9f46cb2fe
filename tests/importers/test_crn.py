"""The .crn files of others."""

import pytest
from support.imports import written

from crn_nn_tellurium.importers.crn import import_crn


def crn_of(folder, text, name="m.crn"):
    return import_crn(written(folder, text, name))


def equations(crn):
    return [(r.equation, r.value) for r in crn.reactions]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A + B -> C", [("A + B => C", 1.0)]),
        ("A -> ", [("A =>", 1.0)]),
        ("0 -> A [k = .5]", [("=> A", 0.5)]),
        ("-> A [k = 2]", [("=> A", 2.0)]),
        ("A->2B[k=1e-3]", [("A => 2 B", 1e-3)]),
        ("2 A -> A + A + B [0.5]", [("2 A => 2 A + B", 0.5)]),
        ("A <=> B", [("A => B", 1.0), ("B => A", 1.0)]),
        ("A <=> B [kf = 2, kr = 3]", [("A => B", 2.0), ("B => A", 3.0)]),
        ("A <=> B [kr = 3, kf = 2]", [("A => B", 2.0), ("B => A", 3.0)]),
        ("A <=> B [2, 3]", [("A => B", 2.0), ("B => A", 3.0)]),
        (
            "A -> B; B -> C\n\n# a comment\nC -> A  # another",
            [("A => B", 1), ("B => C", 1), ("C => A", 1)],
        ),
        ("A -> B\r\nB -> A\r\n", [("A => B", 1.0), ("B => A", 1.0)]),
        ("2e1 -> A", [("2 e1 => A", 1.0)]),
        ("", []),
    ],
)
def test_the_language_of_crnsimulator(text, expected, tmp_path):
    assert equations(crn_of(tmp_path, text)) == expected


def test_concentrations_of_crn_files(tmp_path):
    """A species is there once it is named, and at 0 unless it is said."""
    crn = crn_of(tmp_path, "A @initial 2; B @constant 3e-1\nC @i 4\nD @c 5\nA + B -> E")
    assert {s.id: (s.initial, s.boundary) for s in crn.species} == {
        "A": (2.0, False),
        "B": (0.3, True),
        "C": (4.0, False),
        "D": (5.0, True),
        "E": (0.0, False),
    }


@pytest.mark.parametrize(
    ("name", "expected"), [("a-b c.crn", "a_b_c"), ("1.crn", "model_1"), ("time.crn", "time_")]
)
def test_the_network_is_called_like_its_crn_file(name, expected, tmp_path):
    assert crn_of(tmp_path, "A -> B", name).name == expected


def test_comments_name_reactions_only_where_they_are_free(tmp_path):
    """Two of one name, a rate constant with two values, a name of a species."""
    crn = crn_of(
        tmp_path,
        "A -> B [k = 1] # J: k\nB -> A [k = 2] # J: k\nA + B -> # A: B\nA -> # see: me, not",
    )
    assert [r.id for r in crn.reactions] == ["J", "J_2", "A_2", "R4"]
    assert len(crn.rate_constants) == 4


RNCRN = "#X_1=2.5,Y_1=0\nX_1 + Y_1->Y_1 + X_1 + X_1,89.5\nY_1->,1e-2\n->Y_2,3\nY_1 + Y_1->Y_1,7"


def test_the_texts_of_rncrn_are_read(tmp_path):
    crn = crn_of(tmp_path, RNCRN, "m.txt")
    assert equations(crn) == [
        ("X_1 + Y_1 => Y_1 + 2 X_1", 89.5),
        ("Y_1 =>", 0.01),
        ("=> Y_2", 3.0),
        ("2 Y_1 => Y_1", 7.0),
    ]
    assert {s.id: s.initial for s in crn.species} == {"X_1": 2.5, "Y_1": 0.0, "Y_2": 0.0}


@pytest.mark.parametrize(
    "comment", ["A=1;B=2", "# A = +1.0, B=2.", "#A=1e0 ; B=.2E1", "#A=10e-1,\tB=02,", "A=1\n#B=2"]
)
def test_any_spelling_of_a_number_is_read_in_the_comments_of_rncrn(comment, tmp_path):
    crn = crn_of(tmp_path, f"#{comment.lstrip('#')}\nA + B -> C,.5 # to C\n0 -> A,1.\nC->0,+2")
    assert {s.id: s.initial for s in crn.species} == {"A": 1.0, "B": 2.0, "C": 0.0}
    assert equations(crn) == [("A + B => C", 0.5), ("=> A", 1.0), ("C =>", 2.0)]


def test_letters_beyond_ascii_have_concentrations_in_comments(tmp_path):
    crn = crn_of(tmp_path, "#α=3\nα -> ∅,1")
    assert [(s.id, s.name, s.initial) for s in crn.species] == [("alpha", "α", 3.0)]


def test_comments_of_other_texts_give_no_concentrations(tmp_path):
    crn = crn_of(tmp_path, "# A=1,B=2\nA -> B [k = 1]")
    assert {s.initial for s in crn.species} == {0.0}


def test_letters_beyond_ascii_are_spelled(tmp_path):
    crn = crn_of(tmp_path, "\ufeffα\u00a0-> β₂ [k = 2] # größer\nalpha -> é")
    assert equations(crn) == [("alpha_2 => beta2", 2.0), ("alpha => e", 1.0)]
    assert [s.name for s in crn.species] == ["α", "β₂", "", "é"]
