"""Antimony models of anybody's that are mass action, as a ReactionNetwork."""

from __future__ import annotations

import re

from crn_nn_tellurium.engine import antimony_to_sbml
from crn_nn_tellurium.importers.sbml import reactions_from_sbml
from crn_nn_tellurium.reactions import ReactionNetwork

_NUMBER = re.compile(r"\b\d+(?:\.\d+)?(?:[eE][-+]?\d+)?\b")


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
    return reactions_from_sbml(_all_digits(antimony_to_sbml(text), text), "the Antimony model")


def _all_digits(sbml: str, text: str) -> str:
    """libAntimony keeps 15 digits of a number; those of the text that have more, put back."""
    full: dict[float, set[str]] = {}
    for number in _NUMBER.findall(text):
        if (rounded := float(f"{float(number):.15g}")) != float(number):
            full.setdefault(rounded, set()).add(number)

    def restore(match: re.Match[str]) -> str:
        found = full.get(float(match[0]), set())
        return found.copy().pop() if len(found) == 1 else match[0]

    return _NUMBER.sub(restore, sbml)
