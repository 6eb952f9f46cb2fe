"""Kappa (.ka), through PySB.

Kappa counts molecules, so concentrations are multiplied by a number of molecules per unit, and rate constants by its
powers, as a volume would. Source: Boutillier et al., Bioinformatics 34 (2018) i583, doi 10.1093/bioinformatics/bty272.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from types import ModuleType
from typing import Any

from crn_nn_tellurium.errors import InputError, require
from crn_nn_tellurium.exporters import pysb
from crn_nn_tellurium.exporters.source import Source
from crn_nn_tellurium.exporters.texts import held_as_catalysts, starts
from crn_nn_tellurium.reactions import Reaction, ReactionNetwork, is_real


def write(source: Source, *, molecules: int = 1000) -> str:
    """A Kappa file with `molecules` for a concentration of 1."""
    if not is_real(molecules) or molecules < 1 or molecules != int(molecules):
        raise InputError(f"molecules is {molecules!r}; expected how many of them a concentration of 1 is: 1000, say")
    exporter = require("pysb.export.kappa", "export")
    text = pysb.write(Source(in_molecules(source.crn, int(molecules))))
    return str(exporter.KappaExporter(_model(text)).export(dialect="kasim"))


def _model(text: str) -> Any:
    """The model of a PySB module, which is our own text; PySB looks for the module that makes a component."""
    module = ModuleType("_crn_nn_tellurium_pysb")
    sys.modules[module.__name__] = module
    try:
        exec(compile(text, "<PySB model>", "exec"), vars(module))
    finally:
        del sys.modules[module.__name__]
    return vars(module)["model"]


def in_molecules(crn: ReactionNetwork, molecules: int) -> ReactionNetwork:
    """The network with numbers of molecules for concentrations; what is held constant becomes a catalyst."""
    start = starts(crn)
    species = [replace(s, initial=float(round(start[s.id] * molecules)), boundary=False) for s in crn.species]
    reactions = []
    for r in crn.reactions:
        value = r.value * float(molecules) ** (1 - r.order)
        reactions.append(Reaction(r.id, *held_as_catalysts(crn, r), r.rate_constant, value, r.name))
    return ReactionNetwork(tuple(species), tuple(reactions), crn.observables, crn.name)
