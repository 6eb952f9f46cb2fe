"""Antimony texts as people have them: without a name, with marks and letters beyond ASCII."""

import pytest
import tellurium as te

import crn_nn_tellurium as cn
from crn_nn_tellurium.importers import antimony_to_sbml
from crn_nn_tellurium.importers.antimony import import_antimony

MODEL = "A -> B; k*A; k = 2; A = 3"


def test_a_model_without_a_name_runs_in_tellurium():
    crn = import_antimony(MODEL)
    assert crn.name == "model_"
    assert te.loada(cn.to_antimony(crn)).getReactionRates().tolist() == [6.0]


def test_a_model_with_a_name_keeps_it():
    assert import_antimony(f"model *cell()\n{MODEL}\nend").name == "cell"


@pytest.mark.parametrize(
    "text",
    [
        f"\ufeff{MODEL}",
        MODEL.replace(" ", "\u00a0"),
        MODEL.replace(" ", "\u2003"),
        MODEL.replace("; A", "\u2028A"),
        MODEL.replace("; A", "\r\nA"),
        MODEL.replace("k*", "k\u200b*"),
        f"{MODEL} // größer → \u00a0",
        f"/* α\nβ */ {MODEL}",
        f"{MODEL} # →",
    ],
    ids=["mark", "no-break", "em", "line separator", "CR LF", "zero width", "//", "/* */", "#"],
)
def test_spaces_and_comments_beyond_ascii_change_nothing(text):
    assert import_antimony(text) == import_antimony(MODEL)


def test_letters_beyond_ascii_are_spelled_and_kept_as_names():
    crn = import_antimony('α -> Δ_1; γ*α; γ = 2; α = 3; alpha = 1; A₁ = 5; Δ_1 is "delta → one"')
    assert [(s.id, s.name, s.initial) for s in crn.species] == [
        ("alpha_2", "α", 3.0),
        ("Delta_1", "delta → one", 0.0),
    ]
    assert [(r.equation, r.rate_constant, r.value) for r in crn.reactions] == [
        ("alpha_2 => Delta_1", "gamma_", 2.0)
    ]


@pytest.mark.parametrize(
    ("text", "sign", "line"),
    [
        ("A → B; k*A", "'→' .rightwards arrow.", 1),
        ("// →\nA -> B; k·A", "'·' .middle dot.", 2),
        ("/* → \n */\nA -> B; k*A − A", "'−' .minus sign.", 3),
        (f"{MODEL}\n; B = 2\x00; B = 3", r"'\\x00' .a control character.", 2),
    ],
)
def test_signs_that_are_none_of_antimony_are_refused_by_name(text, sign, line):
    message = f"the Antimony model, line {line}: {sign} is no character of Antimony"
    for read in (import_antimony, antimony_to_sbml):
        with pytest.raises(cn.ReactionError, match=message):
            read(text)


@pytest.mark.parametrize("text", [3, None, b"A -> B"])
def test_what_is_no_text_is_refused(text):
    message = f"text is a {type(text).__name__}; expected the text of an Antimony model"
    with pytest.raises(cn.InputError, match=message):
        import_antimony(text)


def test_a_file_name_is_no_text():
    with pytest.raises(cn.InputError, match=r"text is 'm.ant'; .*: Path\('m.ant'\).read_text\(\)"):
        import_antimony("m.ant")
