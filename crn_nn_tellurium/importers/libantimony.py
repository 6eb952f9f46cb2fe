"""Antimony text by libAntimony, which this file alone touches."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

import antimony

from crn_nn_tellurium.basics import ASIDE, Lock, in_ascii, vanishes
from crn_nn_tellurium.errors import FileFormatError, ReactionError
from crn_nn_tellurium.importers.sbml_text import DEEPEST_TEXT, check_submodels, nesting

_lock = Lock()  # libAntimony keeps one global list of modules
# what a backslash at the end of a line goes on with stands behind it
_OTHER_FILE = re.compile(r"import[\s\\]*\0", re.IGNORECASE)
_JOINS = re.compile(r"\\\s")
_NUMBER = re.compile(r"(?<![\w.])(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_OPERATOR = re.compile(r"(?<![\d.][eE])[-+]|[*/^%<>&|,]")
_MOST_OPERATORS = 5000
"""Of one formula, on which libAntimony spends time with their square."""
_WORD, _ASSIGNED = re.compile(r"\w+"), re.compile(r"\s*(\w+)\s*:?=(?!>)(.*)", re.DOTALL)
_MOST_PARTS = 2**24
"""How many parts assignments may gain, which libAntimony goes through one by one."""
_MOST_JOINED = 5000
"""Backslashes before ends of lines or spaces, at some 20,000 of which it ends the process."""
_ROUNDS = 100
"""How deep assignments are followed; what doubles exceeds any number long before."""
_MODEL = re.compile(r"\b(?:model|module)\s+\*?(\w+)|\bend\b|\b\w+\s*:\s*(\w+)\s*\(")


def check_antimony(text: str, allow_files: bool = False) -> None:
    """Refuse what libAntimony is not to see: other files, nesting and submodels beyond number.

    The text has no comments.
    """
    # what stands in a string is no statement
    marked = ASIDE.sub("\0", text)
    if not allow_files and _OTHER_FILE.search(marked):
        raise FileFormatError(
            "the Antimony model takes a model from another file (import), which is not opened;"
            " import_antimony(text, allow_files=True) does, if you trust it"
        )
    if (deepest := nesting(marked)) > DEEPEST_TEXT:
        raise FileFormatError(
            f"the Antimony model: brackets or signs are nested {deepest} deep; expected at most"
            f" {DEEPEST_TEXT}"
        )
    for number in _NUMBER.findall(marked):
        if vanishes(number):
            raise FileFormatError(
                f"the Antimony model: the number {number[:40]} is 0 to doubles; expected 0, or more"
            )
    if (n := len(_JOINS.findall(marked))) > _MOST_JOINED:
        raise FileFormatError(
            f"the Antimony model: {n:,} backslashes join lines; expected at most {_MOST_JOINED:,}:"
            " write statements in one line"
        )
    submodels: dict[str, list[str]] = {}
    assigned: dict[str, list[str]] = {}
    open_model = ""
    for statement in re.split(r"[;\n]", re.sub(r"\\\s*\n", " ", marked)):
        _check_length(statement)
        for match in _MODEL.finditer(statement):
            if match[2]:
                submodels.setdefault(open_model, []).append(match[2])
            else:
                open_model = match[1] or ""
        if (rule := _ASSIGNED.fullmatch(statement)) is not None:
            words = [f"{open_model}.{word}" for word in _WORD.findall(rule[2])]
            assigned.setdefault(f"{open_model}.{rule[1]}", []).extend(words)
    check_submodels(submodels, "the Antimony model")
    _check_assignments(assigned)


def _check_length(statement: str) -> None:
    """Refuse formulas of more operators than libAntimony reads in time."""
    # lists of what is declared are no formulas
    n = len(_OPERATOR.findall(statement)) - ("(" not in statement) * statement.count(",")
    if n > _MOST_OPERATORS:
        raise FileFormatError(
            f"the Antimony model: the formula {statement.strip()[:40]!r}... has {n:,} operators;"
            f" expected at most {_MOST_OPERATORS:,}: write its sum as several reactions or rules"
        )


def _check_assignments(assigned: Mapping[str, list[str]]) -> None:
    """Refuse those that read one another so often that libAntimony would never end."""
    written = {name: 1 + len(words) for name, words in assigned.items()}
    sizes = written
    for _ in range(_ROUNDS):
        deeper = {
            name: written[name] + sum(sizes.get(word, 0) for word in words)
            for name, words in assigned.items()
        }
        if deeper == sizes:
            return
        sizes = deeper
        # circles grow too, and say so elsewhere where they grow slowly
        if sum(sizes.values()) - sum(written.values()) > _MOST_PARTS:
            name = max(sizes, key=lambda name: sizes[name]).partition(".")[2]
            raise FileFormatError(
                f"the Antimony model: with assignments put in where they are used, formulas grow by"
                f" more than {_MOST_PARTS:,} parts, the most for {name!r}; expected fewer"
            )


def plain_antimony(text: str) -> tuple[str, dict[str, str]]:
    """A text as libAntimony reads it, with names in ASCII, and the names that they stand for."""
    # libAntimony ends a line, and a comment with it, at either sign
    plain, names = in_ascii(re.sub(r"\r\n?", "\n", text), ASIDE)
    # libAntimony reads as far as a NUL, and takes the rest for not there
    # half a character is in no text that it reads
    unreadable = re.search("[\0\ud800-\udfff]", plain)
    read, odd = plain, unreadable[0] if unreadable else ""
    if not odd:
        read = ASIDE.sub(lambda match: "\n" * match[0].count("\n"), plain)
        odd = next((char for char in read if not char.isascii()), "")
    if odd:
        line = read[: read.index(odd)].count("\n") + 1
        kind = unicodedata.name(odd, "a control character").lower()
        raise ReactionError(
            f"the Antimony model, line {line}: {odd!r} ({kind}) is no character of Antimony;"
            " expected letters, digits and signs of a keyboard: ->, *, -"
        )
    return plain, names


def _without_comments(text: str) -> str:
    """What libAntimony is to see: where a comment ends is ours to say, not its parser's."""

    def kept(match: re.Match[str]) -> str:
        if match[1]:
            return match[1]
        # libAntimony would take the rest of the model for not there
        if match[0].startswith("/*") and not match[0].endswith("*/", 2):
            line = text[: match.start()].count("\n") + 1
            raise ReactionError(f"the Antimony model, line {line}: the comment /* has no end: */")
        return " " + "\n" * match[0].count("\n")

    return ASIDE.sub(kept, text)


def antimony_to_sbml(text: str, allow_files: bool = False) -> str:
    """Translate one Antimony model to SBML (L3V2); other files are opened if that is allowed.

    >>> text = "model m() species Y = 1; J: Y => ; k*Y; k = 2; end"
    >>> "<listOfReactions>" in antimony_to_sbml(text)
    True
    """
    plain = _without_comments(plain_antimony(text)[0])
    check_antimony(plain, allow_files)
    with _lock:
        antimony.clearPreviousLoads()
        try:
            if antimony.loadAntimonyString(plain) < 0:
                told = antimony.getLastError()
                # it says no more of a name that is one of its words, `model gene` say
                word = re.search(r"unexpected \"?'(\w+)'", told)
                hint = f" ({word[1]!r} is a word of Antimony's: take another name)" if word else ""
                raise ReactionError(f"libAntimony refuses the model: {told}{hint}")
            sbml = antimony.getSBMLString(antimony.getMainModuleName())
        finally:
            antimony.clearPreviousLoads()
    return str(sbml)
