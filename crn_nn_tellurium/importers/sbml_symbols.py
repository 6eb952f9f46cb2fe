"""What symbols of an SBML model stand for before any formula is read, and what formulas read."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any


def symbols_read(node: Any) -> dict[str, None]:
    """The symbols that a formula reads, in order."""
    # Avogadro's number is a name and a constant
    names = (part for part in parts_of(node) if part.isName() and not part.isConstant())
    return dict.fromkeys(str(part.getName()) for part in names)


def functions_called(node: Any) -> dict[str, None]:
    """The functions that a formula calls, those of SBML among them."""
    return dict.fromkeys(str(part.getName()) for part in parts_of(node) if part.isFunction())


def parts_of(node: Any) -> Iterator[Any]:
    """A formula and all that is in it."""
    # without recursion: a sum of n terms may be nested n deep, beyond what Python's stack holds
    open_ = [node]
    while open_:
        part = open_.pop()
        yield part
        open_ += [part.getChild(i) for i in reversed(range(part.getNumChildren()))]


def named_counts(model: Any) -> dict[str, Any]:
    """Stoichiometric numbers with names, which Level 3 has: those of one species in a reaction."""
    return {
        reference.getId(): reference
        for reaction in model.getListOfReactions()
        for side in (reaction.getListOfReactants(), reaction.getListOfProducts())
        for reference in side
        if reference.isSetId()
    }


def own_numbers(model: Any) -> dict[str, float]:
    """The numbers that elements have of their own; those of species as `per_size` says."""
    found = {
        c.getId(): float(c.getSize()) if c.isSetSize() else 1.0
        for c in model.getListOfCompartments()
    }
    found |= {
        p.getId(): float(p.getValue()) if p.isSetValue() else math.nan
        for p in model.getListOfParameters()
    }
    found |= {
        name: float(count.getStoichiometry()) if count.isSetStoichiometry() else 1.0
        for name, count in named_counts(model).items()
    }
    for species in model.getListOfSpecies():
        number = 0.0
        if species.isSetInitialAmount():
            number = float(species.getInitialAmount())
        elif species.isSetInitialConcentration():
            number = float(species.getInitialConcentration())
        found[species.getId()] = number
    return found


def per_size(species: Any) -> int:
    """The power of its compartment's size that brings a species' number to what its symbol is.

    -1 where an amount is given of a concentration, 1 the other way round.
    """
    return int(species.getHasOnlySubstanceUnits()) - int(species.isSetInitialAmount())
