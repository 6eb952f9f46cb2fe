"""Antimony models of anybody's that are mass action, as a ReactionNetwork."""

from __future__ import annotations

from crn_nn_tellurium.engine import antimony_to_sbml
from crn_nn_tellurium.importers.sbml import reactions_from_sbml
from crn_nn_tellurium.reactions import ReactionNetwork


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
    return reactions_from_sbml(antimony_to_sbml(text), "the Antimony model")
