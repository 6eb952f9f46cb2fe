"""SBML Level 3 Version 2 (.xml), through libAntimony, whose time grows with the square of the size."""

from __future__ import annotations

from crn_nn_tellurium.antimony_writer import to_antimony
from crn_nn_tellurium.engine import antimony_to_sbml
from crn_nn_tellurium.network import Network
from crn_nn_tellurium.reactions import ReactionNetwork


def write(model: Network | ReactionNetwork) -> str:
    """The text of an SBML file."""
    return antimony_to_sbml(to_antimony(model))
