"""Antimony (.ant): the faithful form, one reaction per weight."""

from __future__ import annotations

from crn_nn_tellurium.antimony_writer import to_antimony
from crn_nn_tellurium.network import Network
from crn_nn_tellurium.reactions import ReactionNetwork


def write(model: Network | ReactionNetwork) -> str:
    """The text of an Antimony file."""
    return to_antimony(model)
