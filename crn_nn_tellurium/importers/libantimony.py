"""Antimony text by libAntimony, which this file alone touches."""

from __future__ import annotations

import re
import unicodedata

import antimony

from crn_nn_tellurium.basics import Lock, in_ascii
from crn_nn_tellurium.errors import ReactionError

_lock = Lock()  # libAntimony keeps one global list of modules
# strings and comments, which may have any characters
_ASIDE = re.compile(r'"""+.*?"""+|```.*?```|"[^"\n]*"|//[^\n]*|#[^\n]*|/\*.*?\*/', re.DOTALL)


def plain_antimony(text: str) -> tuple[str, dict[str, str]]:
    """A text as libAntimony reads it, with names in ASCII, and the names that they stand for."""
    plain, names = in_ascii(text, _ASIDE)
    # libAntimony reads as far as a NUL, and takes the rest for not there
    read, odd = plain, "\0" if "\0" in plain else ""
    if not odd:
        read = _ASIDE.sub(lambda match: "\n" * match[0].count("\n"), plain)
        odd = next((char for char in read if not char.isascii()), "")
    if odd:
        line = read[: read.index(odd)].count("\n") + 1
        kind = unicodedata.name(odd, "a control character").lower()
        raise ReactionError(
            f"the Antimony model, line {line}: {odd!r} ({kind}) is no character of Antimony;"
            " expected letters, digits and signs of a keyboard: ->, *, -"
        )
    return plain, names


def antimony_to_sbml(text: str) -> str:
    """Translate one Antimony model to SBML (L3V2).

    >>> text = "model m() species Y = 1; J: Y => ; k*Y; k = 2; end"
    >>> "<listOfReactions>" in antimony_to_sbml(text)
    True
    """
    plain = plain_antimony(text)[0]
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
