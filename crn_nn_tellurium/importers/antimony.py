"""Antimony models of anybody's that are mass action, as a ReactionNetwork."""

from __future__ import annotations

import re

from crn_nn_tellurium.engine import antimony_to_sbml
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.importers.sbml import reactions_from_sbml
from crn_nn_tellurium.reactions import ReactionNetwork

_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w.])")
_VALUE = re.compile(
    r'( (?:value|initialConcentration|initialAmount)="-?|<cn(?: sbml:units="\w+")?> -?)(\d[^"\s<]*)(?=["\s])'
)


def import_antimony(text: str) -> ReactionNetwork:
    """A mass-action model from Antimony text.

    Parameters
    ----------
    text : str
        One model, or several of which the last is meant.

    Returns
    -------
    ReactionNetwork
        As `import_sbml` makes it.

    Raises
    ------
    InputError
        If it is no text, or the name of a file.
    ReactionError
        If libAntimony refuses the text, or something in it is not mass action; the message names it.

    Examples
    --------
    >>> crn = import_antimony("A + B -> C; kf*A*B - kr*C; A = 1; B = 2; kf = 3; kr = 0.5")
    >>> for reaction in crn.reactions:
    ...     print(reaction.equation, reaction.rate_constant, reaction.value)
    A + B => C kf 3.0
    C => A + B kr 0.5
    """
    if not isinstance(text, str):
        raise InputError(f"text is a {type(text).__name__}; expected the text of an Antimony model")
    if "\n" not in text and text.strip().endswith((".ant", ".txt", ".xml", ".sbml")):
        raise InputError(f"text is {text!r}; expected the text of an Antimony model: Path({text!r}).read_text()")
    return reactions_from_sbml(_all_digits(antimony_to_sbml(text), text), "the Antimony model")


def _all_digits(sbml: str, text: str) -> str:
    """libAntimony keeps 15 digits of a number; those of the text that have more, put back.

    Where two numbers of the text are one in 15 digits, it cannot be told which of them is meant, and nothing is done.
    """
    full: dict[float, set[float]] = {}
    for number in map(float, _NUMBER.findall(text)):
        full.setdefault(float(f"{number:.15g}"), set()).add(number)

    def restore(match: re.Match[str]) -> str:
        found = full.get(float(match[2]), set())
        return f"{match[1]}{next(iter(found))!r}" if len(found) == 1 else match[0]

    return _VALUE.sub(restore, sbml)
